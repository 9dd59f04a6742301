"""Computes the same block again and again until SIGTERM, and tells whether every result was the same.

endless.py DIRECTORY [PAUSE]    it sleeps for PAUSE seconds after each block, if that is given
"""
import hashlib
import os
import signal
import sys
import time

stop = False


def ask(*_):
    global stop
    stop = True


signal.signal(signal.SIGTERM, ask)
pause = float(sys.argv[2]) if len(sys.argv) > 2 else None
path = os.path.join(sys.argv[1], "endless")


def block():
    digest = hashlib.sha256()
    values = list(range(2000))
    for turn in range(20):
        values = [(value * 69069 + turn) & 0xFFFFFFFF for value in values]
        digest.update(repr(values[::100]).encode())
    with open(path, "w") as file:
        file.write(digest.hexdigest())
    with open(path) as file:
        return file.read()


first = block()
print("ready", flush=True)
same = True
while not stop:
    same = block() == first and same
    if pause is not None:
        time.sleep(pause)
print("all blocks are equal" if same else "A BLOCK DIFFERS")
