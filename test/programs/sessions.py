"""People at a terminal: vim, less, an interactive python, a password, a shell with job control, windows that change.  sessions.py DIRECTORY ROUNDS

Each waits for what the screen shows before it types on, so that what it does and says is the same on every run."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

os.chdir(sys.argv[1])


class Terminal:
    def __init__(self, *command):
        self.pid, self.end = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm", LESS="", LESSHISTFILE="-", PYTHON_HISTORY="/dev/null", PS1="$ ", HOME=os.getcwd())
            os.execvp(command[0], command)
        self.heard = ""
        self.size(24, 80)

    def size(self, rows, columns):
        fcntl.ioctl(self.end, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def hear(self, pattern, seconds=30, nudge=None):
        end = time.monotonic() + seconds
        nudged = time.monotonic()
        while not (found := re.search(pattern, self.heard)):
            if time.monotonic() > end:
                print(f"waited for {pattern!r}, heard {self.heard[-1500:]!r}", flush=True)
                os._exit(1)
            if nudge and time.monotonic() > nudged + 2:
                nudge()
                nudged = time.monotonic()
            if select.select([self.end], [], [], 0.1)[0]:
                try:
                    self.heard += os.read(self.end, 65536).decode(errors="replace")
                except OSError:             # the last process on the terminal has ended
                    time.sleep(0.01)
        self.heard = self.heard[found.end():]
        return found

    def type(self, text):
        time.sleep(0.05)                    # people think
        os.write(self.end, text.encode())

    def ended(self):
        status = os.waitpid(self.pid, 0)[1]
        os.close(self.end)
        return os.waitstatus_to_exitcode(status)


def vim(turn):
    t = Terminal("vim", "-u", "NONE", "-N", "-n", "-i", "NONE", "--cmd", "set ruler nomore noshowcmd noesckeys shortmess+=I", f"text-{turn}")
    t.hear(r"0,0-1")
    t.type("iThe first line\rand the second\x1b")
    t.hear(r"2,14")
    t.type("yy5p")
    t.hear(r"3,1\b")
    t.type(":%s/second/other/g\r")
    t.hear(r"6 substitutions")
    t.size(30, 100)
    # A signal that meets vim between its look at what has come and its wait is heard with the next.
    t.hear(r"\x1b\[30;\d+H7,1\b", nudge=lambda: os.kill(t.pid, signal.SIGWINCH))
    t.type(":echo 'wide' . &columns\r")
    t.hear(r"wide100")
    t.type(":r !seq 1 40 | tail -n 3\r")
    t.hear(r"40")
    t.type(":w\r")
    t.hear(r"written")
    t.type(":q\r")
    return t.ended()


def less(turn):
    with open("pages", "w") as file:
        file.writelines(f"line {n} of {turn}\n" for n in range(1, 501))
    t = Terminal("less", "pages")
    t.hear(r"line 23 of")
    t.type("/line 250\r")
    t.hear(r"line 265 of")
    t.type("G")
    t.hear(r"\(END\)")
    t.type("q")
    return t.ended()


def python(turn):
    t = Terminal("python3", "-q", "-i")
    t.hear(">>> ")
    t.type(f"sum(range({turn} + 1000))\r")
    said = t.hear(r"\n(\d+)\r").group(1)
    t.type("import getpass; word = getpass.getpass('Word? ')\r")
    t.hear(r"\nWord\? ")
    t.type("secret\r")
    shown = "secret" in t.hear(r"(?s)(.*?)>>> ").group(1)
    t.type("len(word)\r")
    length = t.hear(r"\n(\d+)\r").group(1)
    t.type("import time; print('as' + 'leep'); time.sleep(60)\r")
    t.hear("asleep")
    t.type("\x03")
    t.hear("KeyboardInterrupt")
    t.hear(">>> ")
    t.type("\x04")
    return said, length, shown, t.ended()


def shell(turn):
    t = Terminal("bash", "--norc", "--noediting", "-i")
    t.hear(r"\$ ")
    t.type("stty -echo; PS1='READY '\r")
    t.hear("READY ")
    t.type("python3 -c 'import os, time\nwhile True: print(\"front\" if os.tcgetpgrp(0) == os.getpgrp() else \"back\", flush=True); time.sleep(0.02)'\r")
    t.hear(r"front\r")
    t.type("\x1a")
    t.hear("Stopped")
    t.hear("READY ")
    t.type("bg\r")
    t.hear(r"back\r")
    t.type("fg\r")
    t.hear(r"front\r")
    t.type("\x1c")
    t.hear("Quit")
    t.hear("READY ")
    t.type("ulimit -c 0; echo status $?; seq 100000 | sort -n | tail -n 1 | cat\r")
    t.hear("status 0")
    t.hear("100000")
    t.type("exit 9\r")
    return t.ended()


for turn in range(int(sys.argv[2])):
    print("vim", vim(turn), "less", less(turn), "python", python(turn), "shell", shell(turn), flush=True)
