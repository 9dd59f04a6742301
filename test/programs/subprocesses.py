"""subprocess and threading: children with pipes, a pool of threads, locks, queues, timers.  subprocesses.py ROUNDS"""
import queue
import signal
import subprocess
import sys
import threading
import time

rounds = int(sys.argv[1])
jobs, results = queue.Queue(), {}
lock = threading.Lock()


def primes(limit):
    return sum(all(n % d for d in range(2, int(n**0.5) + 1)) for n in range(2, limit))


def worker():
    while (job := jobs.get()) is not None:
        count = primes(2000 + job * 10)
        with lock:
            results[job] = count
        jobs.task_done()


threads = [threading.Thread(target=worker) for _ in range(4)]
for thread in threads:
    thread.start()

# Even an alarm every 50 ms must not disturb waits, reads or children.
ticks = 0


def tick(*_):
    global ticks
    ticks += 1


signal.signal(signal.SIGALRM, tick)
signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)

for turn in range(rounds):
    for job in range(6):
        jobs.put(turn * 6 + job)
    sort = subprocess.run(["sort", "-n"], input="\n".join(str((n * 7919 + turn) % 1000) for n in range(500)), capture_output=True, text=True, check=True)
    lines = sort.stdout.split()
    code = subprocess.call(["sh", "-c", f"exit {turn % 200}"])
    piped = subprocess.Popen("tr a-z A-Z | sed 's/N /&:/'", shell=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    text = piped.communicate(b"turn %d\n" % turn)[0].decode().strip()
    child = subprocess.Popen(["sleep", "100"])
    child.send_signal(signal.SIGTERM)
    jobs.join()
    event = threading.Event()
    began = time.monotonic()
    threading.Timer(0.02, event.set).start()
    heard = event.wait(60)  # a link may be cut meanwhile, for some seconds
    early = time.monotonic() - began < 0.02
    print(turn, lines[0], lines[-1], len(lines), code, text, child.wait(), heard, early, sum(results.values()), flush=True)

signal.setitimer(signal.ITIMER_REAL, 0)
for _ in threads:
    jobs.put(None)
for thread in threads:
    thread.join()
print("threads left:", threading.active_count(), "ticked:", ticks > 5)
