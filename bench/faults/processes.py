"""Starts short processes at a rate: processes.py RATE SECONDS. Each sends and receives once, and ends."""
import os
import socket
import sys
import time

rate, seconds = int(sys.argv[1]), int(sys.argv[2])
begin = time.monotonic()
started = 0
while time.monotonic() - begin < seconds:
    due = int((time.monotonic() - begin) * rate)
    if started >= due:
        time.sleep(0.0005)
        continue
    child = os.fork()
    if child == 0:
        a, b = socket.socketpair()
        a.send(b"x")
        b.recv(1)
        os._exit(0)
    started += 1
    while started % 16 == 0:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                break
        except ChildProcessError:
            break
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
print(f"{started} processes, {started / (time.monotonic() - begin):.0f} a second")
