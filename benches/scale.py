#!/usr/bin/env python3
"""How Mini's costs grow: source texts, forks of large processes, threads that wait.

    cargo build --release && python3 benches/scale.py            # all of it
    python3 benches/scale.py compile                             # some of it

compile    processor seconds for scripts of a quarter to two megabytes that define and do nothing: the functions and classes of benches/scripts, over and over
clone      a fork of a process with 10**6 live objects of one kind: what its parent waits for
sleepers   10,000 threads that sleep for a second, beside as many plain threads; and what happens where the operating system gives no more

Medians of the rounds; in brackets the least and the most.
"""

import argparse
import pathlib
import re
import resource
import statistics
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
KINDS = ("strings", "tuples", "lists", "instances", "dicts")


def definitions(size):
    """A text of about so many bytes, whose names are all different."""
    scripts = [path.read_text() for path in sorted((HERE / "scripts").glob("*.mini"))]
    blocks = [block for text in scripts for block in re.findall(r"^(?:def|class) .*\n(?:(?: .*)?\n)*", text, re.M)]
    texts, total, copy = [], 0, 0
    while total < size:
        copy += 1
        for block in blocks:
            text = re.sub(r"^(def|class) (\w+)", rf"\1 \2_{copy}", block)
            # A class finds its base class under its new name.
            text = re.sub(r"^(class \w+\(\w+)", rf"\1_{copy}", text)
            texts.append(text)
            total += len(text)
    return "".join(texts)


def cpu(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def numbers(command):
    return [float(word) for word in subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()]


def spread(values, digits):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def compile(mini, rounds):
    print("| source, MB | processor seconds | a MB |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        sizes = (250_000, 500_000, 1_000_000, 2_000_000)
        paths = {}
        for size in sizes:
            paths[size] = pathlib.Path(folder, f"{size}.mini")
            paths[size].write_text(definitions(size))
        results = {size: [] for size in sizes}
        for _ in range(rounds):
            for size, path in paths.items():
                results[size].append(cpu([mini, "run", str(path)]))
        for size, seconds in results.items():
            megabytes = paths[size].stat().st_size / 1e6
            print(f"| {megabytes:.2f} | {spread(seconds, 3)} | {statistics.median(seconds) / megabytes:.3f} |")


def clone(mini, rounds):
    print("| 10**6 live objects | fork, ms | with hardly any, ms |\n|---|---|---|")
    results = {kind: [] for kind in KINDS}
    for _ in range(rounds):
        for kind in KINDS:
            results[kind].append(numbers([mini, "run", str(HERE / "scale" / "clone.mini"), kind, "1_000_000"]))
    for kind, pairs in results.items():
        print(f"| {kind} | {spread([many for many, _ in pairs], 1)} | {statistics.median(few for _, few in pairs):.2f} |")


def sleepers(mini, rounds):
    script = str(HERE / "scale" / "sleepers.mini")
    with tempfile.TemporaryDirectory() as folder:
        native = str(pathlib.Path(folder, "hand_over"))
        subprocess.run(["rustc", "-O", "-o", native, str(HERE / "native" / "hand_over.rs")], check=True)
        results = {"Mini": [], "plain threads": []}
        wakes = {10: [], 10_000: []}
        for _ in range(rounds):
            for parked, times in wakes.items():
                times.append(numbers([native, "parked", str(parked)])[0] / 1e3)
            results["Mini"].append(numbers([mini, "run", script, "10_000"])[0])
            results["plain threads"].append(numbers([native, "sleep", "10_000"])[0])
    print("| 10,000 sleepers | wall seconds |\n|---|---|")
    for name, seconds in results.items():
        print(f"| {name} | {spread(seconds, 2)} |")
    print()
    for parked, times in wakes.items():
        print(f"Unparking one of {parked:,} plain threads: {spread(times, 0)} µs")
    done = subprocess.run([mini, "run", script, "1_000_000"], capture_output=True, text=True, check=True)
    print(f"\nOf a million, {int(float(done.stdout.split()[1])):,} can be started; then RuntimeError: {done.stderr.strip()}")


def main():
    parts = {"compile": compile, "clone": clone, "sleepers": sleepers}
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mini", default=str(HERE.parent / "target/release/mini"), help="the program to measure")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("parts", nargs="*", help=f"what to measure: {', '.join(parts)}; all of it if nothing is given")
    arguments = parser.parse_args()
    for part in arguments.parts:
        if part not in parts:
            parser.error(f"there is no part {part}")
    for part in arguments.parts or parts:
        parts[part](arguments.mini, arguments.rounds)
        print(flush=True)


if __name__ == "__main__":
    main()
