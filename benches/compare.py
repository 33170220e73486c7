#!/usr/bin/env python3
"""Runs the scripts of benches/scripts under Mini and its peers, in turn, and prints medians and ratios as a Markdown table.

    cargo build --release && python3 benches/compare.py
    python3 benches/compare.py --engines    # with two engines made in Rust as well, which it builds first

Each round runs every engine once on the same script (A B C, A B C, …), so that a slow minute of the machine meets all of
them; a ratio is the median of the rounds' ratios. Times are processor seconds of the whole process, start-up included.
A peer that is not on the machine is left out; a peer that prints something else than Mini is an error.
"""

import argparse
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent


def made_in_rust():
    """Builds the engines of peers/engines, where the repository ignores what is built."""
    built = HERE.parent / "target" / "engines"
    manifest = HERE / "peers" / "engines" / "Cargo.toml"
    subprocess.run(["cargo", "build", "--release", "--locked", "--manifest-path", str(manifest), "--target-dir", str(built)], check=True)
    versions = dict(re.findall(r'name = "([^"]+)"\nversion = "([^"]+)"', (manifest.parent / "Cargo.lock").read_text()))
    release = built / "release"
    return [
        (f"Rune {versions['rune']}", [str(release / "rune")], "peers", [".rn"]),
        (f"Boa {versions['boa_engine']}", [str(release / "boa")], "peers", [".js"]),
    ]


def cpython(command):
    """Name and command of a CPython itself, not of what may stand in front of it."""
    ask = "import platform, sys; print(sys.executable, platform.python_version())"
    executable, version = subprocess.run([command, "-c", ask], capture_output=True, text=True, check=True).stdout.split()
    return f"CPython {version}", [executable]


def engines(mini, python):
    """Name, command, and the folder and endings of its programs, best ending first."""
    found = [("mini", [mini, "run"], "scripts", [".mini"])]
    if shutil.which(python):
        found.append((*cpython(python), "scripts", [".mini"]))
    lua = shutil.which("lua5.4") or shutil.which("lua")
    if lua:
        found.append(("Lua 5.4", [lua], "peers", [".lua"]))
    if shutil.which("luajit"):
        found.append(("LuaJIT -joff", ["luajit", "-joff"], "peers", [".luajit.lua", ".lua"]))
    return found


def program(name, folder, endings):
    for ending in endings:
        path = HERE / folder / (name + ending)
        if path.exists():
            return path
    return None


def run(command, path):
    """Processor seconds, wall seconds and output of one run."""
    read, write = os.pipe()
    start = time.perf_counter()
    pid = os.posix_spawnp(
        command[0],
        [*command, str(path)],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, write, 1), (os.POSIX_SPAWN_CLOSE, read)],
    )
    os.close(write)
    with open(read, "rb") as pipe:
        output = pipe.read()
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    if status != 0:
        sys.exit(f"{' '.join(command)} {path}: status {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime, wall, output


def compare(name, found, rounds):
    seconds = {engine: [] for engine, *_ in found}
    expected = None
    for _ in range(rounds):
        for engine, command, folder, endings in found:
            path = program(name, folder, endings)
            if path is None:
                continue
            # What CPython does at the start for the sake of installed packages is not its own start.
            bare = ["-S"] if name == "empty" and engine.startswith("CPython") else []
            cpu, wall, output = run([*command, *bare], path)
            if expected is None:
                expected = output
            if output != expected:
                sys.exit(f"{name}: {engine} printed {output!r}, mini {expected!r}")
            seconds[engine].append(wall if name == "empty" else cpu)
    return seconds


def row(name, seconds, found):
    cells = [name]
    ours = seconds["mini"]
    for engine, *_ in found:
        theirs = seconds[engine]
        if not theirs:
            cells.append("–")
        elif engine == "mini":
            cells.append(f"{statistics.median(theirs):.3f}")
        else:
            ratio = statistics.median(t / o for t, o in zip(theirs, ours))
            cells.append(f"{statistics.median(theirs):.3f} ({ratio:.2f})")
    return cells


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mini", default=str(HERE.parent / "target/release/mini"), help="the program to measure")
    parser.add_argument("--python", default="python3", help="the CPython to compare with; one built with profile guidance is up to 1.35 times as fast")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--engines", action="store_true", help="with two script engines made in Rust (builds them: some minutes)")
    parser.add_argument("names", nargs="*", help="scripts to run; all of them if none is given")
    arguments = parser.parse_args()

    found = engines(arguments.mini, arguments.python) + (made_in_rust() if arguments.engines else [])
    names = arguments.names or sorted(path.stem for path in (HERE / "scripts").glob("*.mini"))
    print(f"Seconds (median of {arguments.rounds} rounds), and how many times Mini's: above 1, Mini is faster.\n")
    print("| program | " + " | ".join(engine for engine, *_ in found) + " |")
    print("|---|" + "---|" * len(found))
    ratios = {engine: [] for engine, *_ in found}
    for name in names:
        seconds = compare(name, found, arguments.rounds)
        print("| " + " | ".join(row(name, seconds, found)) + " |", flush=True)
        for engine, times in seconds.items():
            if times and name != "empty":
                ratios[engine].append(statistics.median(t / o for t, o in zip(times, seconds["mini"])))
    means = ["" if engine == "mini" or not ratios[engine] else f"({statistics.geometric_mean(ratios[engine]):.2f})" for engine, *_ in found]
    print("| geometric mean | " + " | ".join(means) + " |")
    print("\n`empty` is start-up, in wall time; CPython's with -S.")


if __name__ == "__main__":
    main()
