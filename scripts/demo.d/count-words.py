# Nothing here knows of mosrun. Reads a text again and again, counts its words in a slow way, writes what it found, and says how it goes.
#   count-words.py DIRECTORY [PACE]   a turn takes PACE seconds at least, so that a fast machine leaves time to look
import hashlib
import os
import sys
import time

directory = sys.argv[1]
pace = float(sys.argv[2]) if len(sys.argv) > 2 else 0
digest = hashlib.sha256()
began = time.monotonic()
for turn in range(1, 13):
    with open(os.path.join(directory, "text")) as file:
        words = file.read().split()
    counts = {}
    for _ in range(24):
        for word in words:
            counts[word] = counts.get(word, 0) + len(word) * turn % 7
    digest.update(repr(sorted(counts.items())).encode())
    with open(os.path.join(directory, "counts"), "a") as file:
        print(turn, len(counts), digest.hexdigest()[:16], file=file)
    print(f"pid {os.getpid()} on {os.uname().nodename}: turn {turn:2}, {len(counts)} words, digest {digest.hexdigest()[:16]}", flush=True)
    time.sleep(max(0, began + turn * pace - time.monotonic()))
