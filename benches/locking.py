#!/usr/bin/env python3
"""What the interpreter lock costs, beside what the operating system charges, and what processes gain.

    cargo build --release && python3 benches/locking.py            # all of it
    python3 benches/locking.py --rounds 15 alone two               # some of it

alone       one thread whose turns end every n instructions, though nobody waits, against turns that never end
two         two CPU-bound threads against the same work one after the other; beside them plain threads that do native work in turns as long as the default's
four        four threads under one lock against two, for the same work in all
hand-over   what one turn more costs two, four and sixteen threads, beside plain threads that pass a token, one of them unparked at a time: after as much work
            as a turn is, so that the others are parked, and at once, when the one before may not be parked yet
steps       letting go of the lock and taking it back; locking, unlocking and unparking by themselves
processes   two Mini processes against one after the other, beside two operating-system processes of a native loop (one that keeps the core as busy as
            an interpreter does, and one that mostly waits for itself and so does not notice who shares the core) and of Mini

All figures are medians of rounds; each round runs every variant once, so that a slow minute of the machine meets all of them,
and a ratio is the median of the rounds' ratios. In brackets: the middle half of the rounds.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
NEVER = 1_000_000_000


class Bench:
    def __init__(self, mini, native, rounds):
        self.mini, self.native, self.rounds = mini, native, rounds

    def script(self, name, gil, *words, stats=False):
        """The numbers that a script of benches/locking prints, and the statistics of the run."""
        options = [*(["--gil=" + gil] if gil else []), *(["--stats", "--format=json"] if stats else [])]
        command = [self.mini, "run", *options, str(HERE / "locking" / name), *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        numbers = [float(word) for word in done.stdout.split()]
        return (numbers, json.loads(done.stderr)) if stats else numbers

    def plain(self, *words):
        """The numbers that the native program prints."""
        command = [self.native, *map(str, words)]
        return [float(word) for word in subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()]

    def rounds_of(self, variants):
        """A list of results for each variant, run in turn."""
        results = {name: [] for name in variants}
        for _ in range(self.rounds):
            for name, run in variants.items():
                results[name].append(run())
        return results

    def alone(self):
        print("| one thread | processor seconds | against never |\n|---|---|---|")
        every = [f"every={n}" for n in (100, 1_000, 10_000)] + ["default", f"every={NEVER}"]
        results = self.rounds_of({gil: (lambda gil=gil: self.script("alone.mini", None if gil == "default" else gil, 10_000_000)[0]) for gil in every})
        never = results[every[-1]]
        for gil, seconds in results.items():
            print(f"| {gil} | {statistics.median(seconds):.3f} | {spread([a / b for a, b in zip(seconds, never)])} |")

    def two(self):
        print("| two threads | one after the other, seconds | together against that |\n|---|---|---|")
        every = [f"every={n}" for n in (100, 1_000, 10_000, 100_000)] + ["default", f"every={NEVER}"]
        # A turn of the default is close to two milliseconds, and so is that much native work.
        variants = {"native, turns of 2 ms": lambda: self.plain("turns", 2, 100, 1_000_000)}
        for gil in every:
            turns = 200_000 if gil == "every=100" else 1_000_000 if gil == "every=1000" else 10_000_000
            variants[gil] = lambda gil=gil, turns=turns: self.script("threads.mini", None if gil == "default" else gil, 2, turns)
        for name, pairs in self.rounds_of(variants).items():
            print(f"| {name} | {statistics.median(pair[0] for pair in pairs):.3f} | {spread([pair[1] / pair[0] for pair in pairs])} |")

    def four(self):
        print("| four threads against two, the same work in all | seconds | ratio |\n|---|---|---|")
        for gil, turns in (("every=1000", 1_000_000), ("default", 8_000_000)):
            chosen = None if gil == "default" else gil
            results = self.rounds_of({count: (lambda count=count: self.script("threads.mini", chosen, count, turns * 2 // count)[1]) for count in (2, 4)})
            ratios = [four / two for four, two in zip(results[4], results[2])]
            print(f"| {gil} | {statistics.median(results[4]):.3f} | {spread(ratios)} |")

    def hand_over(self):
        print("| threads | one turn more, µs | one pass of a token after as much work, µs | ratio | one pass at once, µs | ratio |\n|---|---|---|---|---|---|")
        for count in (2, 4, 16):

            def turn(count=count):
                (in_turn, together), stats = self.script("threads.mini", "every=1000", count, 1_000_000 // count, stats=True)
                return (together - in_turn) / sum(thread["switches"] for thread in stats["threads"]) * 1e6

            def loaded(count=count):
                # A turn of 1000 instructions takes as long as that much native work: long enough for whoever passed the token to be parked.
                alone, passed = self.plain("turns", count, 10_000, 1_000)
                return (passed - alone) / 10_000 * 1e6

            at_once = lambda count=count: self.plain("token", count, 10_000)[0] / 1e3
            results = self.rounds_of({"mini": turn, "loaded": loaded, "at once": at_once})
            cells = [spread(results["mini"])]
            for name in ("loaded", "at once"):
                cells += [spread(results[name]), spread([a / b for a, b in zip(results["mini"], results[name])])]
            print(f"| {count} | {' | '.join(cells)} |")

    def steps(self):
        print("| step | ns |\n|---|---|")
        results = self.rounds_of({"mini": lambda: self.script("release.mini", None, 200_000), "plain": lambda: self.plain("steps", 5_000_000)})
        print(f"| Mini: let go of the lock and take it back, nobody waits | {spread([a - b for a, b in results['mini']])} |")
        for at, name in enumerate(("lock and unlock a free mutex", "unpark a thread that runs", "unpark a thread that is parked")):
            print(f"| plain threads: {name} | {spread([row[at] for row in results['plain']])} |")

    def processes(self):
        print("| two processes | one after the other, seconds | together, seconds | ratio |\n|---|---|---|---|")
        loops = {
            "native": [self.native, "work", "50_000_000"],
            "native, one chain": [self.native, "chain", "60_000_000"],
            "two runs of Mini": [self.mini, "run", str(HERE / "locking" / "alone.mini"), "10_000_000"],
        }
        variants = {"Mini's own": lambda: self.script("processes.mini", None)}
        for name, loop in loops.items():
            variants[name] = lambda loop=loop: [wall([loop]) + wall([loop]), wall([loop, loop])]
        results = self.rounds_of(variants)
        for name, pairs in results.items():
            in_turn, together = (statistics.median(pair[at] for pair in pairs) for at in (0, 1))
            print(f"| {name} | {in_turn:.3f} | {together:.3f} | {spread([pair[1] / pair[0] for pair in pairs])} |")
        for name in loops:
            quotients = [(a[1] / a[0]) / (b[1] / b[0]) for a, b in zip(results["Mini's own"], results[name])]
            print(f"\nMini's ratio against that of {name}: {spread(quotients)}")


def spread(values):
    """The median, and between which two the middle half lies."""
    if len(values) < 4:
        return f"{statistics.median(values):.3f}"
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.3f} ({low:.3f} to {high:.3f})"


def wall(commands):
    """Seconds until all of these, started together, have ended."""
    start = time.perf_counter()
    children = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
    for child in children:
        if child.wait() != 0:
            sys.exit(f"{child.args} failed")
    return time.perf_counter() - start


def main():
    parts = {"alone": Bench.alone, "two": Bench.two, "four": Bench.four, "hand-over": Bench.hand_over, "steps": Bench.steps, "processes": Bench.processes}
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mini", default=str(HERE.parent / "target/release/mini"), help="the program to measure")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("parts", nargs="*", help=f"what to measure: {', '.join(parts)}; all of it if nothing is given")
    arguments = parser.parse_args()
    for part in arguments.parts:
        if part not in parts:
            parser.error(f"there is no part {part}")
    with tempfile.TemporaryDirectory() as folder:
        native = str(pathlib.Path(folder, "hand_over"))
        # Its chains of operations are to stay apart.
        flags = ["-O", "-C", "no-vectorize-loops", "-C", "no-vectorize-slp"]
        subprocess.run(["rustc", *flags, "-o", native, str(HERE / "native" / "hand_over.rs")], check=True)
        bench = Bench(arguments.mini, native, arguments.rounds)
        for part in arguments.parts or parts:
            parts[part](bench)
            print(flush=True)


if __name__ == "__main__":
    main()
