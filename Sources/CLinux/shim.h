// Calls of Linux that Swift cannot make: prctl is variadic.
#ifndef PONTE_CLINUX_SHIM_H
#define PONTE_CLINUX_SHIM_H

#include <sys/prctl.h>

/// PR_SET_DUMPABLE: with 0, the kernel writes no core dump of this process and gives its memory, environment and open
/// files (ptrace, /proc/PID) to nobody but root.
static inline int ponte_set_dumpable(int dumpable) {
    return prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0);
}

#endif
