#!/usr/bin/env python3
"""What the simulation costs: against `mini run` on the same script in the same minute, and for each event as threads and cores grow.

    cargo build --release
    python3 benches/simulating.py [--mini target/release/mini] [--rounds 5]

Times are processor seconds of the whole program, start-up included; ratios are medians over rounds in which each is run once.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile

COMPUTE = """
def work(n):
    t = 0
    while n > 0:
        n -= 1
        t = (t + n * 3) % 1000003
    return t
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
x = 0
for i in range(6000000):
    x = x + i
work(12000000)
fib(29)
"""

SWITCH = """
import threading
def work(n):
    while n > 0:
        n -= 1
threads = [threading.Thread(target=work, args=(10000000,)) for _ in range(2)]
for t in threads: t.start()
for t in threads: t.join()
"""

SLEEPERS = """
import time
def nap():
    time.sleep(1)
threads = [spawn_thread(nap) for _ in range({threads})]
for t in threads: join(t)
"""

ROUNDS = """
import time
def nap():
    for _ in range({naps}):
        time.sleep(0.001)
threads = [spawn_thread(nap) for _ in range({threads})]
for t in threads: join(t)
"""


def cpu_s(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mini", default="target/release/mini")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    folder = tempfile.mkdtemp()

    def script(text):
        path = os.path.join(folder, "script.mini")
        with open(path, "w") as file:
            file.write(text)
        return path

    path = script(COMPUTE)
    ratios = []
    for _ in range(args.rounds):
        real = cpu_s([args.mini, "run", "--gil", "interval=5ms", path])
        simulated = cpu_s([args.mini, "sim", "--gil", "interval=5ms", path])
        ratios.append(real / simulated)
    print(f"instructions a second, mini sim / mini run, one busy thread: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")

    for what, text in (("one busy thread", COMPUTE), ("two busy threads", SWITCH)):
        path = script(text)
        trace = os.path.join(folder, "run.trace")
        ratios = []
        for _ in range(args.rounds):
            plain = cpu_s([args.mini, "run", path])
            traced = cpu_s([args.mini, "run", "--trace", trace, path])
            ratios.append(traced / plain)
        print(f"a run with a trace / without, real threads, default lock, {what}: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")

    path = script(SWITCH)
    for gil in ("every=20", "every=40"):
        took = statistics.median(cpu_s([args.mini, "sim", "--gil", gil, path]) for _ in range(3))
        switches = 40_000_000 / int(gil.split("=")[1])
        print(f"a million switches under {gil}: {took / switches * 1e6:.2f} s")

    path = script(SLEEPERS.format(threads=1_000_000))
    took = cpu_s([args.mini, "sim", "--max-threads", "2000000", path])
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"a million sleeping threads: {took:.1f} s, {most / 2**20:.1f} GB")

    print("processor time for each sleep of a thread (wake-up, lock, rest), by threads and cores:")
    for threads in (1, 10, 100, 1_000, 10_000):
        naps = max(200_000 // threads, 2)
        path = script(ROUNDS.format(threads=threads, naps=naps))
        figures = []
        for cores in (1, 10, 100, 1_000, 10_000):
            command = [args.mini, "sim", "--gil", "cpython-3.13t", "--cores", str(cores), path]
            figures.append(f"{cpu_s(command) / (threads * naps) * 1e6:.2f}")
        print(f"  {threads:>6} threads on 1, 10, 100, 1000, 10000 cores: {', '.join(figures)} µs")


if __name__ == "__main__":
    main()
