#!/usr/bin/env python3
"""Sees to it that a program takes signals as events and ends in order.

    end-by-signal.py COMMAND [ARGUMENT...]

COMMAND says a line when it is ready. SIGUSR1 makes it say another line, with a number of ticks that grows; SIGTERM,
SIGINT and SIGHUP each end it with a last line and exit code 0.

Exit codes: 0 all is well, 1 something is not.
"""

import re
import select
import signal
import subprocess
import sys
import time

PATIENCE_S = 20


def line_of(process):
    if not select.select([process.stdout], [], [], PATIENCE_S)[0]:
        raise AssertionError("it says nothing")
    return process.stdout.readline().decode(errors="replace").strip()


def ticks_after(process):
    process.send_signal(signal.SIGUSR1)
    line = line_of(process)
    found = re.fullmatch(r"signal (\d+) from process (\d+) after (\d+) ticks", line)
    if not found or int(found[1]) != signal.SIGUSR1:
        raise AssertionError(f"it says '{line}' to SIGUSR1")
    return int(found[3])


def check(command, number):
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, bufsize=0)
    try:
        line_of(process)
        first = last = ticks_after(process)
        deadline = time.monotonic() + PATIENCE_S
        while last <= first + 1 and time.monotonic() < deadline:
            time.sleep(0.02)
            last = ticks_after(process)
        if last <= first + 1:
            raise AssertionError("it does not tick")
        process.send_signal(number)
        said = [line_of(process), line_of(process)]
        if not said[0].startswith(f"signal {int(number)} ") or said[1] != "ended in order":
            raise AssertionError(f"it says {said} to {number.name}")
        if (code := process.wait(PATIENCE_S)) != 0:
            raise AssertionError(f"it ends with {code} at {number.name}")
    finally:
        process.kill()
        process.wait()


def main():
    if len(sys.argv) < 2:
        print(__doc__)
        return 64
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        try:
            check(sys.argv[1:], number)
            print(f"ok      {number.name}", flush=True)
        except (AssertionError, OSError, subprocess.TimeoutExpired) as problem:
            print(f"FAILED  {number.name}: {problem}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
