"""Proves that nothing personal and no secret gets out of Ponte by any way but answers to its callers.

    check_leaks.py self-test               sees values found that are planted in every spelling and kind of file
    check_leaks.py drive PONTE             runs `ponte serve` and the commands under heavy traffic and searches all output
    check_leaks.py search FOLDER           searches what a run of the tests left (scripts/test)

Exits with 1 when something is found. Says where and of which kind, never what.
"""
import pathlib
import sys
import time

import drive
import self_test
import suite


def main() -> int:
    began = time.monotonic()
    match sys.argv[1:]:
        case ["self-test"]:
            problems = self_test.run()
        case ["drive", ponte, *options]:
            problems = drive.run(pathlib.Path(ponte).resolve(), keep="--keep" in options)
        case ["search", folder]:
            problems = suite.run(pathlib.Path(folder).resolve())
        case _:
            print(__doc__)
            return 2
    for problem in problems[:200]:
        print(problem)
    print(f"{sys.argv[1]}: {len(problems) or 'no'} leaks, {time.monotonic() - began:.0f} s")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
