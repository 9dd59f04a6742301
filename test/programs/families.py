"""Computes the same block again and again, and counts. At SIGUSR1 it makes threads and children; at SIGTERM it ends, and tells whether all was right.

families.py NAME PAUSE    the count is in the file NAME; it sleeps for PAUSE seconds after each block
"""
import hashlib
import os
import signal
import sys
import threading
import time

asked = []
for number in (signal.SIGTERM, signal.SIGUSR1):
    signal.signal(number, lambda got, _: asked.append(got))


def block(turns):
    digest = hashlib.sha256()
    values = list(range(500))
    for turn in range(turns):
        values = [(value * 69069 + turn) & 0xFFFFFFFF for value in values]
        digest.update(repr(values[::50]).encode())
    return digest.digest()


def family():
    """Twelve threads and eight children: more than the channels that a guest has in reserve."""
    results = []
    threads = [threading.Thread(target=lambda: results.append(block(4))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(8):
        child = os.fork()
        if child == 0:
            os._exit(7 if block(4) == results[0] else 1)
        results.append(results[0] if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7 else b"")
    return len(results) == 20 and len(set(results)) == 1


first = block(20)
right = True
turn = 0
counter = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT, 0o644)
print("ready", flush=True)
while signal.SIGTERM not in asked:
    right = block(20) == first and right
    turn += 1
    os.pwrite(counter, b"%d" % turn, 0)
    time.sleep(float(sys.argv[2]))
    if signal.SIGUSR1 in asked:
        asked.remove(signal.SIGUSR1)
        right = family() and right
        print("family", flush=True)
print("all is right" if right else "SOMETHING WAS WRONG")
