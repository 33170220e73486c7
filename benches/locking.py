#!/usr/bin/env python3
"""What the interpreter lock costs, and what processes gain.

    cargo build --release && python3 benches/locking.py

1. One thread that lets go of the lock and takes it again every n instructions, though nobody waits.
2. Two CPU-bound threads against the same work one after the other, for the same n.
3. Two Mini processes against one after the other, beside two operating-system processes of a native loop in the same
   minute: the most that this machine lets two processes gain.

All figures are medians of rounds in which each variant ran once.
"""

import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
EVERY = (100, 1_000, 10_000, 100_000, 1_000_000_000)

NATIVE_LOOP = """
fn main() {
    let mut state: u64 = 88172645463325252;
    for _ in 0..std::hint::black_box(100_000_000u64) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
    }
    println!("{state}");
}
"""


def wall(commands):
    """Seconds until all of these, started together, have ended."""
    start = time.perf_counter()
    children = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
    for child in children:
        if child.wait() != 0:
            sys.exit(f"{child.args} failed")
    return time.perf_counter() - start


def measured(mini, script, gil):
    """The two numbers that a script of benches/locking prints."""
    command = [mini, "run", *([f"--gil={gil}"] if gil else []), str(HERE / "locking" / script)]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return [float(word) for word in output.split()]


def rounds_of(count, variants):
    """A list of results for each variant, run in turn."""
    results = {name: [] for name in variants}
    for _ in range(count):
        for name, run in variants.items():
            results[name].append(run())
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mini", default=str(HERE.parent / "target/release/mini"), help="the program to measure")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    mini = arguments.mini

    print("| n | one thread, seconds | against never | two threads against one after the other |")
    print("|---|---|---|---|")
    results = rounds_of(
        arguments.rounds,
        {f"every={n}": (lambda n=n: measured(mini, "threads.mini", f"every={n}")) for n in EVERY} | {"default": lambda: measured(mini, "threads.mini", None)},
    )
    never = [in_turn for in_turn, _ in results[f"every={EVERY[-1]}"]]
    for name, pairs in results.items():
        alone = statistics.median(in_turn for in_turn, _ in pairs)
        cost = statistics.median(in_turn / base for (in_turn, _), base in zip(pairs, never))
        ratio = statistics.median(together / in_turn for in_turn, together in pairs)
        print(f"| {name} | {alone:.3f} | {cost:.3f} | {ratio:.3f} |")

    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "native_loop.rs")
        source.write_text(NATIVE_LOOP)
        native = str(pathlib.Path(folder, "native_loop"))
        subprocess.run(["rustc", "-O", "-o", native, str(source)], check=True)
        results = rounds_of(
            arguments.rounds,
            {
                "Mini": lambda: measured(mini, "processes.mini", None),
                "native": lambda: [wall([[native]]) + wall([[native]]), wall([[native], [native]])],
            },
        )
    print("\n| two processes | one after the other, seconds | together, seconds | ratio |")
    print("|---|---|---|---|")
    for name, pairs in results.items():
        in_turn = statistics.median(pair[0] for pair in pairs)
        together = statistics.median(pair[1] for pair in pairs)
        ratio = statistics.median(pair[1] / pair[0] for pair in pairs)
        print(f"| {name} | {in_turn:.3f} | {together:.3f} | {ratio:.3f} |")


if __name__ == "__main__":
    main()
