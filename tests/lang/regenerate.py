#!/usr/bin/env python3
"""Writes what CPython says about every program under tests/lang.

For each `name.mini` (except those in `refused` and `syntax_errors`, which CPython may well accept) it runs
python3 twice, with two different hash seeds, and refuses a program whose output depends on the seed. It then
writes the standard output to `name.out`. A program named `err_*` must end in exit code 1, and the last line of
its standard error goes to `name.err`; every other program must end in exit code 0. The lines of one named
`unordered_*`, whose order is the scheduler's, are sorted. A file `name.in`, where there
is one, is its standard input.

    tests/lang/regenerate.py                 all programs
    tests/lang/regenerate.py strings lists   the programs of these themes
    tests/lang/regenerate.py some/name.mini  this program
    tests/lang/regenerate.py --check         write nothing, report what differs
"""

import concurrent.futures
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent
LEFT_OUT = {"refused", "syntax_errors"}
TIMEOUT_S = 20


def run(program, hash_seed):
    """Exit code, standard output and last line of standard error of one program."""
    given = program.with_suffix(".in")
    done = subprocess.run(
        [sys.executable, str(program)],
        input=given.read_bytes() if given.exists() else b"",
        capture_output=True,
        timeout=TIMEOUT_S,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONIOENCODING": "utf-8"},
    )
    out = done.stdout
    if program.name.startswith("unordered_"):
        out = b"".join(sorted(out.splitlines(keepends=True)))
    lines = done.stderr.decode("utf-8", "replace").rstrip("\n").split("\n")
    return done.returncode, out, lines[-1], done.stderr


def complaint(program, first, second):
    """Why this program cannot stand in the suite, or None."""
    code, out, last, stderr = first
    if (code, out, last) != second[:3]:
        return "two runs differ"
    expected = 1 if program.name.startswith("err_") else 0
    if code != expected:
        return f"exit code {code} instead of {expected}\n{stderr.decode('utf-8', 'replace')}"
    return None


def treat(program, check):
    """Writes or checks the expectations of one program; gives a complaint or None."""
    try:
        first, second = run(program, "1"), run(program, "2")
    except subprocess.TimeoutExpired:
        return f"runs for more than {TIMEOUT_S} s"
    wrong = complaint(program, first, second)
    if wrong:
        return wrong
    expectations = {program.with_suffix(".out"): first[1]}
    if program.name.startswith("err_"):
        expectations[program.with_suffix(".err")] = (first[2] + "\n").encode()
    for path, text in expectations.items():
        if check:
            if not path.exists() or path.read_bytes() != text:
                return f"{path.name} is not what python3 says"
        else:
            path.write_bytes(text)
    return None


def main(arguments):
    check = "--check" in arguments
    asked = [a for a in arguments if not a.startswith("-")]
    themes = [a for a in asked if not a.endswith(".mini")]
    files = {pathlib.Path(a).resolve() for a in asked if a.endswith(".mini")}
    programs = [
        p
        for p in sorted(ROOT.rglob("*.mini"))
        if p.relative_to(ROOT).parts[0] not in LEFT_OUT
        and (not asked or p in files or p.relative_to(ROOT).parts[0] in themes)
    ]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        answers = list(pool.map(lambda p: treat(p, check), programs))
    wrong = 0
    for program, answer in zip(programs, answers):
        if answer:
            wrong += 1
            print(f"{program.relative_to(ROOT)}: {answer}", file=sys.stderr)
    print(f"{len(programs)} programs, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
