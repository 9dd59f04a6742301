"""A computation that writes, reads, seeks, renames, maps and removes files.  files.py DIRECTORY ROUNDS"""
import hashlib
import json
import mmap
import os
import random
import struct
import sys
import tempfile

directory, rounds = sys.argv[1], int(sys.argv[2])
os.chdir(directory)
numbers = random.Random(20)
total = hashlib.sha256()


def collatz(n):
    steps = 0
    while n != 1:
        n = n * 3 + 1 if n & 1 else n >> 1
        steps += 1
    return steps


for turn in range(rounds):
    lengths = [collatz(numbers.randrange(1, 1 << 30)) for _ in range(700)]
    name = f"part-{turn % 7}"
    with open(name, "wb") as file:
        file.write(struct.pack(f"<{len(lengths)}I", *lengths))
    with open(name, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        total.update(view[: 4 * (turn % 50)])
    with open(name, "r+b") as file:
        file.seek(-8, os.SEEK_END)
        total.update(file.read())
        os.ftruncate(file.fileno(), 800)
    os.rename(name, name + ".done")
    with tempfile.TemporaryFile(dir=".") as scratch:
        scratch.write(json.dumps(lengths).encode())
        scratch.seek(0)
        total.update(scratch.read())
    with open("log", "a") as log:
        print(turn, sum(lengths), os.stat(name + ".done").st_size, file=log)
    if turn % 20 == 0:
        print(f"round {turn}: {max(lengths)} {total.hexdigest()[:16]}", flush=True)

print("files:", " ".join(sorted(os.listdir("."))))
print("digest:", total.hexdigest())
sys.exit(3)
