"""Has a secret in its memory and writes it to a file again and again; at SIGUSR1 it makes threads and children; at SIGTERM it says whether all is right.

secrets.py FILE SEED MIB [BYTES]    MIB of memory hold the secret "wire-" + sha256(SEED); each write is of BYTES
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

# Only made here: no command line has it.
secret = b"wire-" + hashlib.sha256(sys.argv[2].encode()).hexdigest().encode()
size = int(sys.argv[4]) if len(sys.argv) > 4 else 4096
memory = bytearray((secret + b"\n") * ((int(sys.argv[3]) << 20) // (len(secret) + 1)))
digest = hashlib.sha256(memory).digest()
block = (secret + b"\n") * (size // (len(secret) + 1))
file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o644)


def family():
    """More threads and children than there are channels in reserve."""
    results = []
    threads = [threading.Thread(target=lambda: results.append(os.pwrite(file, block, 0))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(8):
        child = os.fork()
        if child == 0:
            os._exit(7)
        results.append(len(block) if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7 else 0)
    return results == [len(block)] * 20


right = True
print("ready", flush=True)
while signal.SIGTERM not in asked:
    right = os.pwrite(file, block, 0) == len(block) and os.pread(file, len(block), 0) == block and right
    os.utime(file)
    if signal.SIGUSR1 in asked:
        asked.remove(signal.SIGUSR1)
        right = family() and right
        print("family", flush=True)
    time.sleep(0.01)
right = hashlib.sha256(memory).digest() == digest and right
print("all is right" if right else "SOMETHING WAS WRONG")
