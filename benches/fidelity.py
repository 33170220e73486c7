#!/usr/bin/env python3
"""Predictions against the real thing: the same small programs under this python3 and under `mini sim --gil cpython-3.11`.

    cargo build --release
    python3 benches/fidelity.py [--mini target/release/mini] [--rounds 5] > docs/fidelity.md

The real figures are medians of some rounds, with the least and the most beside them; on a busy machine they spread, and then say little. The simulation's are
the same each time.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile

COUNT = """
import sys, threading, time
def count(n):
    while n > 0:
        n -= 1
def together(work, times):
    threads = [threading.Thread(target=work) for _ in range(times)]
    begin = time.perf_counter()
    for t in threads: t.start()
    for t in threads: t.join()
    return time.perf_counter() - begin
"""

BESIDE = COUNT + """
INTERVAL = {interval}
sys.setswitchinterval(INTERVAL)
running = True
def busy():
    n = 0
    while running:
        n += 1
threads = [threading.Thread(target=busy) for _ in range({busy})]
for t in threads: t.start()
late = []
for _ in range({naps}):
    begin = time.perf_counter()
    time.sleep(0.001)
    late.append(time.perf_counter() - begin - 0.001)
running = False
for t in threads: t.join()
print(sorted(late)[len(late) // 2] * 1000)
"""

SWITCHES = COUNT + """
sys.setswitchinterval({interval})
last = None
switches = 0
running = True
def busy(me):
    global last, switches
    while running:
        if last != me:
            last = me
            switches += 1
threads = [threading.Thread(target=busy, args=(me,)) for me in range({busy})]
begin = time.perf_counter()
for t in threads: t.start()
time.sleep({seconds})
running = False
for t in threads: t.join()
print(switches / (time.perf_counter() - begin))
"""


def programs():
    """What is asked, its unit, and the program that prints the number."""
    for threads in (1, 2, 4):
        yield (
            f"{threads} busy threads, against one after the other",
            "",
            COUNT
            + f"""
def work():
    count(1500000)
begin = time.perf_counter()
for _ in range({threads}): work()
alone = time.perf_counter() - begin
print(together(work, {threads}) / alone)
""",
        )
    for threads in (1, 10, 100):
        yield (
            f"{threads} threads that sleep for 20 ms, together",
            "ms",
            COUNT + f"print(together(lambda: time.sleep(0.02), {threads}) * 1000)",
        )
    for busy in (0, 1, 2):
        for ms in (0.5, 5, 50) if busy else (5,):
            yield (
                f"how late a sleep of 1 ms is beside {busy} busy threads at {ms} ms",
                "ms",
                BESIDE.format(interval=ms / 1000, busy=busy, naps=10 if ms == 50 else 40),
            )
    for busy in (2, 4):
        for ms in (1, 5, 50):
            yield (
                f"switches a second of {busy} busy threads at {ms} ms",
                "",
                SWITCHES.format(interval=ms / 1000, busy=busy, seconds=1 if ms == 50 else 0.5),
            )


def run(command, text):
    with tempfile.NamedTemporaryFile("w", suffix=".mini", delete=False) as file:
        file.write(text)
    try:
        done = subprocess.run([*command, file.name], capture_output=True, text=True, timeout=120)
    finally:
        os.unlink(file.name)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed:\n{done.stderr}")
    return float(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mini", default="target/release/mini")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    mini = [args.mini, "sim", "--gil", "cpython-3.11", "--costs", "cpython-3.11", "--cores", "2"]
    version, cores = platform.python_version(), os.cpu_count()
    print("# Predictions against the real thing\n")
    print(f"Written by `benches/fidelity.py`: CPython {version} on a machine with {cores} cores, medians of {args.rounds} rounds with the least and the most,")
    print("beside `mini sim --gil cpython-3.11 --costs cpython-3.11 --cores 2`. What `tests/it/sim/checks.rs` holds the simulation to was measured on a quiet machine; the")
    print("figures here are as good as the machine was quiet: switches a second above all, since each takes a wake-up on a free core (quiet: 871, 192 and 20 with two threads, 761, 174")
    print("and 20 with four). A row is marked where the real figure is stable to 15 % and the prediction is not within 15 % of it.\n")
    print("| what | predicted | measured | least to most | predicted / measured | |\n|---|--:|--:|--:|--:|---|")
    for what, unit, text in programs():
        predicted = run(mini, text)
        measured = [run([sys.executable], text) for _ in range(args.rounds)]
        median = statistics.median(measured)
        ratio = predicted / median if median else float("nan")
        stable = max(measured) <= 1.15 * min(measured)
        mark = "off" if stable and not 0.85 <= ratio <= 1.15 else ""
        unit = unit and " " + unit
        print(
            f"| {what} | {predicted:.2f}{unit} | {median:.2f}{unit} | {min(measured):.2f} to {max(measured):.2f} | {ratio:.2f} | {mark} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
