# A shell with job control on a terminal of its own, and in it a program that is away: stopped, continued, resized, interrupted.
import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time

program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ticks.py")
pid, terminal = pty.fork()
if pid == 0:
    os.execvp("bash", ["bash", "--norc", "--noediting", "-i"])
heard = ""


def hear(pattern, seconds=15):
    global heard
    end = time.monotonic() + seconds
    while not (found := re.search(pattern, heard)):
        if time.monotonic() > end:
            print(f"waited for {pattern!r}, heard {heard[-2000:]!r}")
            sys.exit(1)
        if select.select([terminal], [], [], 0.1)[0]:
            heard += os.read(terminal, 65536).decode(errors="replace")
    heard = heard[found.end():]
    return found


def quiet(seconds):
    end = time.monotonic() + seconds
    text = ""
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.05)[0]:
            text += os.read(terminal, 65536).decode(errors="replace")
    return text


def say(text):
    os.write(terminal, text.encode())


def size(columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))


size(91)
say("PS1='READY '; stty -echo\n")
hear("READY ")
say(f"mosrun -r node2 python3 {program}\n")
hear(r"tick 5 91\r\n")
size(77)
hear(r"tick \d+ 77\r\n")
say("\x1a")
hear("Stopped")
quiet(0.3)
if "tick" in quiet(0.7):
    print("it goes on although it is stopped")
    sys.exit(1)
say("fg\n")
before = int(hear(r"tick (\d+) 77\r\n").group(1))
say("\x1a")
hear("Stopped")
say("bg\n")
after = int(hear(r"tick (\d+) 77\r\n").group(1))
if not before < after < before + 60:
    print(f"ticks went from {before} to {after}")
    sys.exit(1)
say("fg\n")
hear(r"tick \d+ 77\r\n")
say("\x03")
hear("KeyboardInterrupt")
say("echo status $?\n")
hear("status 130")
say("exit\n")
print("ok")
