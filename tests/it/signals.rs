//! The real engine under load, told to end at any moment: whatever a program does just then, it
//! ends, with a code that says how, and without a word of a panic.
//!
//! `MINI_CASES=500 cargo test --test it signals` does it so many times.
#![cfg(unix)]

use crate::oracle;
use crate::process::everything;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const CASES: u64 = 16;

/// A program has its signal within half a second.
const PATIENCE: Duration = Duration::from_mins(2);

/// What a script may end with: by itself, with an exception, by Ctrl-C, by SIGTERM; and in a
/// deadlock, where Ctrl-C has ended the thread that the others wait for.
const CODES: [i32; 5] = [0, 1, 3, 130, 143];

/// SIGINT and SIGTERM, on every system.
const SIGNALS: [i32; 2] = [2, 15];

/// Programs that would go on for long, and what they are at.
const PROGRAMS: &[(&str, &str)] = &[
    (
        "threads",
        "import threading
def work():
    n = 0
    while True:
        n += 1
        str(n)
for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
work()
",
    ),
    (
        "short_threads",
        "import threading
def work(n):
    return [i for i in range(n)]
while True:
    ts = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for t in ts: t.start()
    for t in ts: t.join()
",
    ),
    (
        "processes",
        "import multiprocessing
def work(n):
    return sum(i for i in range(n * 1000))
while True:
    ps = [multiprocessing.Process(target=work, args=(i,)) for i in range(4)]
    for p in ps: p.start()
    for p in ps: p.join()
",
    ),
    (
        "process_pool",
        "from concurrent.futures import ProcessPoolExecutor
def work(n):
    return [str(i) for i in range(n)]
while True:
    with ProcessPoolExecutor(3) as pool:
        for got in pool.map(work, range(30)): pass
",
    ),
    (
        "thread_pool",
        "from concurrent.futures import ThreadPoolExecutor
import time
def work(n):
    time.sleep(0.001)
    return n
while True:
    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(work, range(20))) == list(range(20))
",
    ),
    (
        "queues",
        "import queue, threading
q = queue.Queue(3)
def give():
    while True: q.put(1)
def take():
    while True: q.get()
for f in (give, give, take, take):
    threading.Thread(target=f).start()
",
    ),
    (
        "process_queues",
        "import multiprocessing
def echo(a, b):
    while True: b.put(a.get())
a, b = multiprocessing.Queue(), multiprocessing.Queue()
multiprocessing.Process(target=echo, args=(a, b), daemon=True).start()
while True:
    a.put([1, 'two', {3: 4}])
    b.get()
",
    ),
    (
        "locks_and_output",
        "import threading
lock = threading.Condition()
def work(n):
    while True:
        with lock:
            lock.notify_all()
            print(n)
            lock.wait(0.01)
for n in range(3):
    threading.Thread(target=work, args=(n,)).start()
",
    ),
    (
        "stubborn",
        "import multiprocessing, threading, time
def child():
    while True:
        try: time.sleep(0.001)
        except KeyboardInterrupt: pass
multiprocessing.Process(target=child, daemon=True).start()
while True:
    try: child()
    except KeyboardInterrupt: pass
",
    ),
    (
        "handlers",
        "import threading
def deep(n):
    try:
        if n: deep(n - 1)
        else:
            while True: [].sort()
    finally:
        threading.Thread(target=len, args=([],)).start()
deep(50)
",
    ),
];

#[test]
fn a_run_that_is_told_to_end_at_any_moment_ends_well() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("signals");
    std::fs::create_dir_all(&folder).expect("the folder for tests can be written to");
    let scripts: Vec<PathBuf> = PROGRAMS
        .iter()
        .map(|(name, text)| {
            let path = folder.join(name).with_extension("mini");
            std::fs::write(&path, text).expect("the folder for tests can be written to");
            path
        })
        .collect();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let failures: Vec<String> = oracle::cases(CASES)
            .filter_map(|case| failure(case, &scripts))
            .collect();
        done.store(true, Ordering::Relaxed);
        assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    });
}

/// What is wrong with how a run of this number ends, or nothing.
fn failure(case: u64, scripts: &[PathBuf]) -> Option<String> {
    let (script, rest) = (
        &scripts[(case % scripts.len() as u64) as usize],
        case / scripts.len() as u64,
    );
    let lock = ["every=1000", "cpython-3.12", "cpython-2.7"][(rest % 3) as usize];
    let signal = ["-INT", "-TERM"][(rest / 3 % 2) as usize];
    // Spread over the first third of a second, the start included.
    let pause = Duration::from_millis(case * 7919 % 350);
    let mut child = Command::new(env!("CARGO_BIN_EXE_mini"))
        .args(["run", "--gil", lock, "--max-time", "90s"])
        .arg(script)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("mini starts");
    let stdout = child.stdout.take().expect("it was asked for");
    let stderr = child.stderr.take().expect("it was asked for");
    let begun = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(move || everything(stdout));
        let stderr = scope.spawn(move || everything(stderr));
        let mut next = pause;
        let mut status = None;
        while status.is_none() && begun.elapsed() < PATIENCE {
            // Ctrl-C is pressed until it helps; more than twice is not needed where nobody is about
            // to start.
            if begun.elapsed() >= next {
                let _ = Command::new("kill")
                    .args([signal, &child.id().to_string()])
                    .status();
                next += Duration::from_millis(700);
            }
            std::thread::sleep(Duration::from_millis(3));
            status = child.try_wait().expect("it can be waited for");
        }
        if status.is_none() {
            child.kill().expect("it is our child");
        }
        child.wait().expect("it is our child");
        let told = stderr.join().expect("reading does not panic");
        let told = String::from_utf8_lossy(&told);
        complaint(status, &told).map(|wrong| {
            format!(
                "case {case}, {} under {lock}, {signal} after {pause:?}: {wrong}\n{told}",
                script.display(),
            )
        })
    })
}

fn complaint(status: Option<ExitStatus>, told: &str) -> Option<String> {
    let Some(status) = status else {
        return Some("it does not end".to_owned());
    };
    if told.contains("bug of Mini's") || told.contains("panicked") {
        return Some("a panic".to_owned());
    }
    // A signal that comes before Mini has asked for it ends the process as it does any other.
    let well = match status.code() {
        Some(code) => CODES.contains(&code),
        None => status.signal().is_some_and(|it| SIGNALS.contains(&it)),
    };
    (!well).then(|| status.to_string())
}
