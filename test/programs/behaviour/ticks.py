# Says how often it has ticked, and how wide its terminal is, until somebody stops it.
import itertools
import os
import time

for tick in itertools.count(1):
    time.sleep(0.05)
    print(f"tick {tick} {os.get_terminal_size().columns}", flush=True)
