"""Hears all that a node's network card sends and takes, and says at the end how much that was, and in how many packets one of the texts was.

wiretap.py INTERFACE TEXT...    until standard input ends
"""
import json
import select
import socket
import sys
import time

texts = [text.encode() for text in sys.argv[2:]]
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
wire.setsockopt(socket.SOL_SOCKET, 33, 512 << 20)   # SO_RCVBUFFORCE: room for all of it, should others have the processors
wire.bind((sys.argv[1], 0))
print("listening", flush=True)
total = found = 0
until = None
ready = []
# For what is queued; others may have the processors, and there may be more all the time.
while until is None or time.monotonic() < until or (wire in ready and time.monotonic() < until + 1):
    ready, _, _ = select.select([wire] if until else [wire, sys.stdin], [], [], 0.1)
    if wire in ready:
        data = wire.recv(1 << 17)
        total += len(data)
        found += any(text in data for text in texts)
    if sys.stdin in ready:
        until = time.monotonic() + 0.3
print(json.dumps({"bytes": total, "found": found}), flush=True)
