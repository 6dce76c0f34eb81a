import Glibc

/// Seconds since 1970, for vendors that name a moment instead of a delay.
enum EpochClock {
    static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec)
    }
}
