"""Listens under an abstract name as a user without rights, and says at the end what came.

impostor.py NAME    until standard input ends
"""
import json
import os
import select
import socket
import sys

os.setgroups([])
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
listener.bind("\0" + sys.argv[1])
listener.listen(16)
print("listening", flush=True)
connections = []
while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
    connections.append(listener.accept()[0])
while select.select([listener], [], [], 0)[0]:
    connections.append(listener.accept()[0])
received = 0
for one in connections:
    one.settimeout(0.2)
    try:
        received += len(one.recv(4096))
    except TimeoutError:
        pass
print(json.dumps({"connections": len(connections), "bytes": received}), flush=True)
