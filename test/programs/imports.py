"""Imports modules written in C one after another, with work in between, so that many are loaded away from home.  imports.py WORK"""
import importlib
import sys

work = int(sys.argv[1])
modules = """array audioop binascii _bisect _bz2 cmath _codecs_jp _csv ctypes curses _datetime dbm _decimal _elementtree fcntl grp _hashlib _heapq
json _lsprof _lzma math mmap _multiprocessing _opcode ossaudiodev parser _pickle _posixshmem pyexpat _queue _random readline resource select _socket
spwd sqlite3 _ssl _statistics _struct syslog termios unicodedata _uuid xxlimited zlib _zoneinfo""".split()


def count(n):
    value = 1
    for _ in range(n):
        value = (value * 1103515245 + 12345) & 0x7FFFFFFF
    return value


for name in modules:
    try:
        module = importlib.import_module(name)
        print(name, "loaded", len(dir(module)))
    except ImportError as error:
        print(name, "absent", error.name)
    print(count(work), flush=True)

import ctypes
import decimal
import lzma
import sqlite3
import unicodedata
import zlib

text = b"mosrun " * 100000
print(zlib.crc32(zlib.compress(text)), zlib.crc32(lzma.compress(text)), decimal.getcontext().prec)
print(sqlite3.connect(":memory:").execute("select sum(value) from json_each('[1,2,3]')").fetchone(), unicodedata.name("é"))
print(ctypes.CDLL(None).strlen(b"length"))
