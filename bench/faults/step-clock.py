"""Sets the wall clock ahead and, a moment later, right again: step-clock.py AHEAD HOLD, seconds.

What is right comes from the monotonic clock, and signals wait until the clock is right.
"""
import signal
import sys
import time

signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP})
ahead, hold = (int(float(seconds) * 1e9) for seconds in sys.argv[1:3])


def reading():
    before = time.monotonic_ns()
    wall = time.clock_gettime_ns(time.CLOCK_REALTIME)
    after = time.monotonic_ns()
    return after - before, wall - (before + after) // 2


_, offset = min(reading() for _ in range(100))
try:
    time.clock_settime_ns(time.CLOCK_REALTIME, time.monotonic_ns() + offset + ahead)
    time.sleep(hold / 1e9)
finally:
    time.clock_settime_ns(time.CLOCK_REALTIME, time.monotonic_ns() + offset)
