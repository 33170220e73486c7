#!/usr/bin/env python3
"""Predictions against the real thing: the same small programs under this python3 and under `mini sim --gil cpython-3.11`.

    cargo build --release
    python3 benches/fidelity.py [--mini target/release/mini] [--rounds 12] [--only TEXT] > docs/fidelity.md

The first table is what single things cost, which is what `--costs cpython-3.11` was made from; the second is what follows from that and from the rules of the
lock. Real figures are medians of some rounds, each a process of its own, since some figures go by where a process has its code and its objects. A round counts if
the machine did (nearly) nothing else meanwhile, which /proc/stat tells; so a wake-up finds a core that is free, as it does in the simulation. The simulation's figures
are the same each time.
"""

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time

# How near a prediction is to come, and how near the real rounds are to be to each other for that to be asked of it.
NEAR = 0.15
# What others may use of the machine while a round is measured, in cores.
QUIET = 0.06

BEGIN = """
import multiprocessing, queue, sys, threading, time
def count(n):
    while n > 0:
        n -= 1
def together(work, times):
    threads = [threading.Thread(target=work) for _ in range(times)]
    begin = time.perf_counter()
    for t in threads: t.start()
    for t in threads: t.join()
    return time.perf_counter() - begin
def timed(work):
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
def least(work, times):
    return min(timed(work) for _ in range(times))
def middle(work, times):
    return sorted(timed(work) for _ in range(times))[times // 2]
"""

# A statement, so many times in a loop, less the loop.
STATEMENT = (
    BEGIN
    + """
{setup}
def with_it():
    global x
    for _ in range(100000):
        {statement}
def without():
    for _ in range(100000):
        pass
print((least(with_it, 9) - least(without, 9)) * 1e9 / 100000)
"""
)

BESIDE = (
    BEGIN
    + """
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
)

SWITCHES = (
    BEGIN
    + """
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
)

PIPE = (
    BEGIN
    + """
def echo(end):
    while True:
        message = end.recv_bytes()
        if not message:
            break
        end.send_bytes(message)
def main():
    here, there = multiprocessing.Pipe()
    other = multiprocessing.Process(target=echo, args=(there,))
    other.start()
    message = b"x" * {size}
    def round_trip():
        here.send_bytes(message)
        here.recv_bytes()
    for _ in range(20): round_trip()
    print(middle(round_trip, 200) * 1e6)
    here.send_bytes(b"")
    other.join()
if __name__ == "__main__":
    main()
"""
)

PROCESS = (
    BEGIN
    + """
def nothing():
    pass
def main():
    multiprocessing.set_start_method("{method}")
    def start():
        p = multiprocessing.Process(target=nothing)
        p.start()
        p.join()
    print(middle(start, 15) * 1000)
kept = [[n] for n in range({objects})]
if __name__ == "__main__":
    main()
"""
)


def costs():
    """What single things cost: what is asked, its unit, and the program that prints the number."""
    yield (
        "a turn of `while n > 0: n -= 1`",
        "ns",
        BEGIN + "print(least(lambda: count(100000), 15) * 1e9 / 100000)",
    )
    yield (
        "a turn of `for _ in range(n): pass`",
        "ns",
        BEGIN + "def work():\n    for _ in range(100000): pass\nprint(least(work, 15) * 1e9 / 100000)",
    )
    yield (
        "a turn of `for i in a: pass`",
        "ns",
        BEGIN + "a = [0] * 100000\ndef work():\n    for i in a: pass\nprint(least(work, 15) * 1e9 / 100000)",
    )
    for statement, setup in (
        ("x += 1", "x = 0"),
        ("o.x += 1", "class C: pass\no = C()\no.x = 0"),
        ("a[0] += 1", "a = [0]"),
        ("d['k'] += 1", "d = {'k': 0}"),
        ("f()", "def f(): pass"),
        ("o.f()", "class C:\n    def f(self): pass\no = C()"),
        ("len(a)", "a = [0]"),
        ("a.append(0)", "a = []"),
        ("x = [0, 0]", "x = 0"),
        ("l.acquire(); l.release()", "l = threading.Lock()"),
        ("v // 7", "v = 1000003"),
        ("C()", "class C: pass"),
    ):
        yield f"`{statement}`", "ns", STATEMENT.format(setup=setup, statement=statement)
    for call, setup in (
        ("sum(range(1000000))", ""),
        ("sum(a)", "a = list(range(1000000))"),
        ("list(range(1000000))", ""),
        ("[0] * 1000000", ""),
        ("max(a)", "a = list(range(1000000))"),
        ("-1 in a", "a = list(range(1000000))"),
        ("sorted(a)", "a = [(n * 7919) % 1000003 for n in range(1000000)]"),
        ("'x' * 10000000", ""),
        ("t.split()", "t = 'abc ' * 250000"),
        ("t.find('z')", "t = 'abc ' * 2500000"),
        ("3 ** 20000", ""),
    ):
        yield f"`{call}`", "µs", BEGIN + setup + f"\nprint(least(lambda: {call}, 7) * 1e6)"
    yield (
        "a write that does not block",
        "µs",
        BEGIN + "done = least(lambda: [print('x', flush=True) for _ in range(1000)], 15)\nprint(done * 1000, file=sys.stderr)",
    )
    yield "`sleep(0)`", "µs", BEGIN + "print(middle(lambda: time.sleep(0), 500) * 1e6)"
    yield "a thread, start and join", "µs", BEGIN + "print(middle(lambda: together(int, 1), 300) * 1e6)"
    yield (
        "a message to another thread and back (`queue.Queue`)",
        "µs",
        BEGIN
        + """
there, back = queue.Queue(), queue.Queue()
def echo():
    while there.get(): back.put(1)
t = threading.Thread(target=echo)
t.start()
def round_trip():
    there.put(1)
    back.get()
print(middle(round_trip, 500) * 1e6)
there.put(0)
t.join()
""",
    )
    for size in (10, 1_000_000):
        yield f"{size:,} bytes to another process and back (`Pipe`)", "µs", PIPE.format(size=size)
    yield "a process by fork, start and join", "ms", PROCESS.format(method="fork", objects=0)
    yield "the same with a million objects more", "ms", PROCESS.format(method="fork", objects=1_000_000)
    yield "a process by spawn, start and join", "ms", PROCESS.format(method="spawn", objects=0)


def predictions():
    """What follows: what is asked, its unit, and the program that prints the number."""
    # CPython 3.11 looks for the fast forms of a function's instructions once it has been called eight times, or has jumped back as often by a jump of its own, which
    # a `while` has not; and how fast a core is changes within a second. So both ways of doing it are warm, and each is beside the other.
    for threads in (1, 2, 4):
        yield (
            f"{threads} busy threads, against one after the other",
            "",
            BEGIN
            + f"""
for _ in range(20): count(1000)
def work():
    count(1000000)
def ratio():
    before = timed(lambda: [work() for _ in range({threads})])
    busy = together(work, {threads})
    after = timed(lambda: [work() for _ in range({threads})])
    return busy / ((before + after) / 2)
print(sorted(ratio() for _ in range(7))[3])
""",
        )
    for threads in (1, 10, 100):
        yield (
            f"{threads} threads that sleep for 20 ms, together",
            "ms",
            BEGIN + f"print(together(lambda: time.sleep(0.02), {threads}) * 1000)",
        )
    for busy in (0, 1, 2):
        for ms in (0.5, 5, 50) if busy else (5,):
            yield (
                f"how late a sleep of 1 ms is beside {busy} busy threads at {ms} ms",
                "ms",
                BESIDE.format(interval=ms / 1000, busy=busy, naps=20 if ms == 50 else 200),
            )
    for busy in (2, 4):
        for ms in (0.5, 1, 5, 50):
            yield (
                f"switches a second of {busy} busy threads at {ms} ms",
                "",
                SWITCHES.format(interval=ms / 1000, busy=busy, seconds=1),
            )


def stat():
    """Processor time that this machine has used so far, in seconds, what the machine around it took included; none where nobody tells."""
    try:
        with open("/proc/stat") as file:
            user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
    except OSError:
        return None
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def run(command, text, folder):
    """The number that a program prints, and what others used of the machine meanwhile, in cores."""
    path = os.path.join(folder, "program.py")
    with open(path, "w") as file:
        file.write(text)
    own, used, began = resource.getrusage(resource.RUSAGE_CHILDREN), stat(), time.perf_counter()
    done = subprocess.run([*command, path], capture_output=True, text=True, timeout=300)
    took = time.perf_counter() - began
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed:\n{text}\n{done.stderr}")
    others = 0
    if used is not None:
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        own = after.ru_utime + after.ru_stime - own.ru_utime - own.ru_stime
        # The clock of /proc/stat ticks a hundred times a second.
        others = max(stat() - used - own - 0.02, 0) / took
    return float((done.stderr if "file=sys.stderr" in text else done.stdout).split()[-1]), others


def measure(texts, folder, rounds, tries):
    """Real rounds on a quiet machine for each program: as many as were asked for, or as many as there were in so many tries. All programs take turns, so that what
    changes on a machine from minute to minute is in the rounds of each."""
    quiet, others = [[] for _ in texts], [[] for _ in texts]
    for _ in range(tries):
        for text, calm, busy in zip(texts, quiet, others):
            if len(calm) < rounds:
                figure, disturbed = run([sys.executable], text, folder)
                if disturbed <= QUIET:
                    calm.append(figure)
                else:
                    busy.append((disturbed, figure))
    return [(calm, [figure for _, figure in sorted(busy)]) for calm, busy in zip(quiet, others)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mini", default="target/release/mini")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--tries", type=int, default=40, help="rounds at most, to find so many quiet ones")
    parser.add_argument("--only", default="", help="rows that have this text in them")
    args = parser.parse_args()
    mini = [args.mini, "sim", "--gil", "cpython-3.11", "--costs", "cpython-3.11", "--cores", "2"]
    version, cores = platform.python_version(), os.cpu_count()
    print("# Predictions against the real thing\n")
    print(f"Written by `benches/fidelity.py`: CPython {version} on a machine with {cores} cores, medians of {args.rounds} rounds, spread over the whole measurement, with the quarters between which half of them lie,")
    print("beside `mini sim --gil cpython-3.11 --costs cpython-3.11 --cores 2`. Rounds count in which the machine did nothing else: where both cores are taken by others, a")
    print("thread that is woken waits for a time slice of some milliseconds, and a lock changes hands a quarter as often. A row is *stable* if these quarters lie within")
    print("15 % of each other; a stable row *holds* if the prediction is within 15 % of the measured figure. A row without enough quiet rounds says *busy*.\n")
    stable = held = 0
    tables = [("What single things cost", list(costs())), ("What follows", list(predictions()))]
    tables = [(title, [row for row in rows if args.only in row[0]]) for title, rows in tables]
    with tempfile.TemporaryDirectory() as folder:
        texts = [text for _, rows in tables for _, _, text in rows]
        real = iter(measure(texts, folder, args.rounds, args.tries))
        for title, rows in tables:
            print(f"## {title}\n")
            print("| what | predicted | measured | middle half | predicted / measured | |\n|---|--:|--:|--:|--:|---|")
            for what, unit, text in rows:
                predicted, _ = run(mini, text, folder)
                measured, disturbed = next(real)
                busy = len(measured) < args.rounds
                if busy:
                    measured += disturbed[: args.rounds - len(measured)]
                median = statistics.median(measured)
                ratio = predicted / median if median else float("nan")
                lower, _, upper = statistics.quantiles(measured, n=4, method="inclusive")
                is_stable = not busy and upper <= (1 + NEAR) * lower
                holds = 1 - NEAR <= ratio <= 1 + NEAR
                stable += is_stable
                held += is_stable and holds
                mark = "busy" if busy else ("holds" if holds else "**off**") if is_stable else "not stable"
                unit = unit and " " + unit
                print(
                    f"| {what} | {predicted:.2f}{unit} | {median:.2f}{unit} | {lower:.2f} to {upper:.2f} | {ratio:.2f} | {mark} |",
                    flush=True,
                )
            print()
    print(f"{held} of {stable} stable rows hold.")


if __name__ == "__main__":
    main()
