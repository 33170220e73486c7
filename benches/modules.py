#!/usr/bin/env python3
"""Runs the scripts of benches/modules, which use the standard modules for concurrency, under Mini and CPython in turn, and prints wall and processor
seconds and their ratios as a Markdown table.

    cargo build --release && python3 benches/modules.py

Rounds are paired as in compare.py. What counts is the wall time: much of it is waiting for another thread or process.
"""

import argparse
import statistics
import sys

from compare import HERE, run

FOLDER = HERE / "modules"


def measure(path, mini, rounds):
    engines = {"mini": [*mini, "run"], "CPython": [sys.executable]}
    seconds = {engine: [] for engine in engines}
    outputs = set()
    for _ in range(rounds):
        for engine, command in engines.items():
            cpu, wall, output = run(command, path)
            seconds[engine].append((wall, cpu))
            outputs.add(output)
    if len(outputs) > 1:
        sys.exit(f"{path.stem}: different outputs: {outputs}")
    return seconds


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("names", nargs="*", help="scripts; all if none is given")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--mini", nargs="+", default=[str(HERE.parent / "target/release/mini")])
    asked = arguments.parse_args()
    print("| script | mini, wall | CPython, wall | wall, CPython/mini | processor, CPython/mini |")
    print("|---|---|---|---|---|")
    for path in sorted(FOLDER.glob("*.mini")):
        if asked.names and path.stem not in asked.names:
            continue
        seconds = measure(path, asked.mini, asked.rounds)
        pairs = list(zip(seconds["mini"], seconds["CPython"]))
        wall = {engine: statistics.median(it[0] for it in times) for engine, times in seconds.items()}
        ratios = [statistics.median(theirs[at] / ours[at] for ours, theirs in pairs) for at in (0, 1)]
        print(f"| {path.stem} | {wall['mini']:.3f} s | {wall['CPython']:.3f} s | {ratios[0]:.2f} | {ratios[1]:.2f} |", flush=True)


if __name__ == "__main__":
    main()
