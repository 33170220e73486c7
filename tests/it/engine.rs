//! The real engine: the lock's rules as a script sees them, and how runs end.

use crate::oracle;
use crate::process::{Finished, finish, in_parallel};
use crate::slices::vm;
use mini::engine::outcome::{End, RunLimits};
use mini::engine::real::{Options, Run};
use mini::gil::Rules;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_mins(2);

/// A folder of its own for the scripts of one test.
fn script(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("engine_{name}.mini"));
    fs::write(&path, text).expect("the folder for tests can be written to");
    path
}

fn mini(options: &[&str], path: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mini"));
    command
        .arg("run")
        .args(options)
        .arg(path.file_name().expect("it has a name"))
        .current_dir(path.parent().expect("it is in a folder"));
    command
}

fn run(name: &str, options: &[&str], text: &str) -> (Option<i32>, String, String) {
    let done = finish(&mut mini(options, &script(name, text)), b"", PATIENCE);
    assert!(!done.timed_out, "{name} does not end");
    texts(&done)
}

fn texts(done: &Finished) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (done.code, text(&done.stdout), text(&done.stderr))
}

#[test]
fn two_threads_that_compute_share_the_lock_evenly() {
    let text = "
import threading
together = threading.Barrier(2)
running = True
def work():
    global running
    together.wait()
    n = 0
    while running:
        n += 1
        if n == 400_000: running = False
threads = [threading.Thread(target=work) for _ in range(2)]
for t in threads: t.start()
for t in threads: t.join()
";
    for rules in ["every=1000", "every=20000"] {
        let options = ["--gil", rules, "--stats", "--format", "json"];
        let (code, _, stats) = run("even", &options, text);
        assert_eq!(code, Some(0), "{stats}");
        let stats: serde_json::Value = serde_json::from_str(&stats).expect("JSON");
        let ran = |thread: usize| stats["threads"][thread]["instructions"].as_f64().unwrap();
        let share = ran(1) / (ran(1) + ran(2));
        assert!((0.45..=0.55).contains(&share), "{rules}: {share}");
        assert!(stats["threads"][1]["switches"].as_u64().unwrap() > 10);
    }
}

/// With turns this long, each thread has noted itself before the next one can.
#[test]
fn threads_have_their_first_turn_in_the_order_of_their_start() {
    let text = "
import threading, time
def note(number):
    noted.append(number)
    time.sleep(0.0001)
for _ in range(100):
    noted = []
    threads = [threading.Thread(target=note, args=(number,)) for number in range(5)]
    for t in threads: t.start()
    for t in threads: t.join()
    assert noted == [0, 1, 2, 3, 4], noted
";
    let (code, _, stderr) = run("first_turns", &["--gil", "every=1000003"], text);
    assert_eq!(code, Some(0), "{stderr}");
}

/// Programs without races print the same under all rules. Each program under one of them that its
/// name decides; under all with `MINI_CASES`.
#[test]
fn programs_without_races_print_the_same_under_all_rules() {
    const RULES: [&str; 6] = [
        "every=1",
        "every=7",
        "every=100",
        "every=10000",
        "interval=5ms",
        "ticks=100",
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lang");
    let mut cases = Vec::new();
    for theme in ["threads", "processes"] {
        let mut programs: Vec<PathBuf> = fs::read_dir(root.join(theme))
            .expect("the theme is there")
            .map(|entry| entry.expect("it can be listed").path())
            .filter(|path| path.extension().is_some_and(|it| it == "mini"))
            .collect();
        programs.sort();
        for (at, program) in programs.into_iter().enumerate() {
            for (of, rules) in RULES.into_iter().enumerate() {
                if oracle::asked_for_more() || at % RULES.len() == of {
                    cases.push((program.clone(), rules));
                }
            }
        }
    }
    assert!(cases.len() >= 50, "{}", cases.len());
    let failures: Vec<String> = in_parallel(&cases, |(program, rules)| {
        let expected = fs::read(program.with_extension("out")).expect("it has an expectation");
        let done = finish(&mut mini(&["--gil", rules], program), b"", PATIENCE);
        let (code, stdout, stderr) = texts(&done);
        (stdout.as_bytes() != expected).then(|| {
            format!(
                "{} under {rules}: {code:?}\n{stdout}\n{stderr}",
                program.display()
            )
        })
    })
    .into_iter()
    .flatten()
    .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn a_deadlock_is_told_with_who_holds_what() {
    let text = "
import threading
a = threading.Lock()
b = threading.RLock()
met = threading.Barrier(2)
def left():
    with a:
        met.wait()
        with b:
            pass
def right():
    with b:
        met.wait()
        with a:
            pass
t = threading.Thread(target=left, name='left')
u = threading.Thread(target=right, name='right')
t.start()
u.start()
t.join()
";
    for rules in ["every=1000", "interval=1ms", "ticks=10"] {
        let (code, _, stderr) = run("deadlock", &["--gil", rules], text);
        assert_eq!(code, Some(3), "{stderr}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(stderr, @r"
    deadlock: every thread is blocked for ever
      MainThread waits for left to end               at engine_deadlock.mini:20
      left waits for RLock b (line 4) held by right  at engine_deadlock.mini:9
      right waits for Lock a (line 3) held by left   at engine_deadlock.mini:14
    ");
        }
    }
}

#[test]
fn a_deadlock_across_processes_is_found() {
    let text = "
from multiprocessing import Process, Queue
def child(q):
    q.get()
if __name__ == '__main__':
    q = Queue()
    p = Process(target=child, args=(q,))
    p.start()
    p.join()
";
    let (code, _, stderr) = run("deadlock_processes", &[], text);
    assert_eq!(code, Some(3), "{stderr}");
    insta::assert_snapshot!(stderr, @r"
    deadlock: every thread is blocked for ever
      MainProcess, MainThread waits for the end of process Process-1  at engine_deadlock_processes.mini:9
      Process-1, MainThread waits for a message in Queue q (line 6)   at engine_deadlock_processes.mini:4
    ");
}

#[test]
fn a_lock_taken_twice_is_a_deadlock_of_one() {
    let text = "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()\n";
    let (code, _, stderr) = run("deadlock_one", &[], text);
    assert_eq!(code, Some(3), "{stderr}");
    insta::assert_snapshot!(stderr, @r"
    deadlock: every thread is blocked for ever
      MainThread waits for Lock lock (line 2) that it holds itself  at engine_deadlock_one.mini:4
    ");
}

/// Objects are called by the variable or attribute that they were first bound to.
#[test]
fn a_deadlock_names_what_is_waited_for() {
    let text = "
import multiprocessing, queue, threading
jobs = queue.Queue()
forks = [threading.Lock() for _ in range(2)]
class Table:
    def __init__(self):
        self.full = threading.Condition()
        self.places, self.room = threading.Semaphore(0), threading.Event()
    def wait(self):
        with self.full:
            self.full.wait()
table = Table()
doors = {'front': threading.Event()}
meeting = threading.Barrier(2)
def twice():
    def inner():
        gate.acquire()
    gate = threading.RLock()
    gate.acquire()
    threading.Thread(target=inner, name='inner').start()
    forks[0].acquire()
    forks[0].acquire()
here, there = multiprocessing.Pipe()
whole = multiprocessing.Lock()
waits = [jobs.get, table.wait, table.places.acquire, table.room.wait, meeting.wait, doors['front'].wait, twice]
def token():
    whole.acquire()
    whole.acquire()
for number, wait in list(enumerate(waits)) + [('ends', here.recv), ('token', token)]:
    thread = threading.Thread(target=wait, name=f'{number}')
    thread.start()
    thread.join(0.01)
";
    let (code, _, stderr) = run("deadlock_names", &[], text);
    assert_eq!(code, Some(3), "{stderr}");
    insta::assert_snapshot!(stderr, @r"
    deadlock: every thread is blocked for ever
      MainThread waits for the other threads to end
      0 waits for not_empty of Queue jobs (line 3)
      1 waits for Condition self.full (line 7) to be notified        at engine_deadlock_names.mini:11
      2 waits for Semaphore self.places (line 8), which stands at 0
      3 waits for Event self.room (line 8) to be set
      4 waits for Barrier meeting (line 14)
      5 waits for Event doors[…] (line 13) to be set
      6 waits for Lock forks[…] (line 4) that it holds itself        at engine_deadlock_names.mini:22
      inner waits for RLock gate (line 18) held by 6                 at engine_deadlock_names.mini:17
      ends waits for a message in Pipe here, there (line 23)
      token waits for Lock whole (line 24)                           at engine_deadlock_names.mini:28
    ");
}

/// What went wrong before it hung is not to be lost.
#[test]
fn a_deadlock_tells_of_the_exception_under_way() {
    let text = "
import threading
gate = threading.Event()
t = threading.Thread(target=gate.wait, name='waiter')
t.start()
try:
    gate.sett()
finally:
    t.join()
";
    let (code, _, stderr) = run("deadlock_handling", &[], text);
    assert_eq!(code, Some(3), "{stderr}");
    insta::assert_snapshot!(stderr, @r"
    deadlock: every thread is blocked for ever
      MainThread waits for waiter to end while it handles AttributeError  at engine_deadlock_handling.mini:9
      waiter waits for Event gate (line 3) to be set
    ");
}

/// Somebody always sleeps for a while yet, or is just being started: none of these is a deadlock.
#[test]
fn waiting_for_a_timer_is_no_deadlock() {
    let text = "
import threading, time
for round in range(30):
    done = threading.Event()
    def later():
        time.sleep(0.002)
        done.set()
    threading.Thread(target=later).start()
    done.wait()
condition = threading.Condition()
with condition:
    assert not condition.wait(0.05)
timer = threading.Timer(0.05, lambda: print('timer'))
timer.start()
timer.join()
print('end')
";
    for rules in ["every=1", "every=1000", "interval=1ms", "ticks=10"] {
        let (code, stdout, stderr) = run("no_deadlock", &["--gil", rules], text);
        assert_eq!((code, &*stdout, &*stderr), (Some(0), "timer\nend\n", ""));
    }
}

#[test]
fn abort_kills_the_program_and_all_its_threads() {
    let text = "
import os, threading, time
threading.Thread(target=time.sleep, args=(20,)).start()
print('before')
threading.Thread(target=os.abort).start()
time.sleep(20)
print('never')
";
    let (code, stdout, stderr) = run("abort", &[], text);
    assert_eq!(
        (code, &*stdout, &*stderr),
        (Some(134), "before\n", "Aborted\n")
    );
}

#[test]
fn an_aborted_child_leaves_its_parent_alone() {
    let text = "
import os
def crash():
    os.abort()
p = spawn_process(crash)
print(join(p), p.exitcode)
";
    let (code, stdout, stderr) = run("abort_child", &[], text);
    assert_eq!((code, &*stdout, &*stderr), (Some(0), "None -6\n", ""));
}

#[test]
fn primitives_return_raise_and_time_out() {
    let text = "
import time
def add(a, b): return a + b
def fail(): raise ValueError('no')
def slow(): time.sleep(5)
t = spawn_thread(add, 1, 2)
p = spawn_process(add, [1], [2])
print(join(t), join(p), t.is_alive(), p.exitcode)
for spawn in (spawn_thread, spawn_process):
    try:
        join(spawn(fail))
    except ValueError as e:
        print('ValueError', e)
try:
    join(spawn_process(slow), timeout=0.05)
except TimeoutError as e:
    print('TimeoutError', e)
import os
os._exit(7)
";
    let (code, stdout, _) = run("primitives", &[], text);
    assert_eq!(code, Some(7));
    insta::assert_snapshot!(stdout, @r"
    3 [1, 2] False 0
    ValueError no
    ValueError no
    TimeoutError the process has not ended yet
    ");
}

#[test]
fn limits_end_a_run_by_name() {
    let forever = "print('begun')\nwhile True:\n    pass\n";
    let talk = "while True:\n    print('x' * 100)\n";
    for (options, text, message) in [
        (["--max-time", "200ms"], forever, "--max-time"),
        (
            ["--max-instructions", "100000"],
            forever,
            "--max-instructions",
        ),
        (["--max-output", "10K"], talk, "--max-output"),
    ] {
        for rules in ["every=1000", "interval=5ms"] {
            let options = [&options[..], &["--gil", rules]].concat();
            let (code, stdout, stderr) = run("limit", &options, text);
            assert_eq!(code, Some(4), "{options:?} {stderr}");
            assert_eq!(
                stderr,
                format!("mini: the run came to its limit, {message}\n")
            );
            if message == "--max-output" {
                assert_eq!(stdout.len(), 10 << 10);
            } else {
                assert_eq!(stdout, "begun\n");
            }
        }
    }
}

#[test]
fn limits_that_raise_can_be_caught() {
    let text = "
import threading
gate = threading.Event()
try:
    while True:
        threading.Thread(target=gate.wait, daemon=True).start()
except RuntimeError as e:
    print(e, threading.active_count())
def deep(n):
    return deep(n + 1)
try:
    deep(0)
except RecursionError as e:
    print(type(e).__name__)
def child():
    pass
handles = []
def wait():
    gate.wait(20)
try:
    while True:
        handles.append(spawn_process(wait))
except BlockingIOError as e:
    print(e, len(handles))
for handle in handles:
    handle.kill()
    print(join(handle), handle.exitcode)
try:
    x = []
    while True: x.append(x)
except MemoryError:
    x = None
    print('MemoryError')
";
    let options = [
        "--max-threads",
        "50",
        "--max-processes",
        "4",
        "--max-memory",
        "64M",
    ];
    let (code, stdout, stderr) = run("limits_raise", &options, text);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    insta::assert_snapshot!(stdout, @r"
    can't start new thread 50
    RecursionError
    [Errno 11] Resource temporarily unavailable 3
    None -9
    None -9
    None -9
    MemoryError
    ");
}

#[test]
fn workers_go_home_where_a_pool_cannot_start_them_all() {
    let text = "
from concurrent.futures import ProcessPoolExecutor
try:
    with ProcessPoolExecutor(4) as pool:
        pool.submit(print, 1)
except OSError as error:
    print(type(error).__name__, error)
";
    let (code, stdout, stderr) = run("pool_without_room", &["--max-processes", "3"], text);
    assert_eq!(code, Some(0), "{stderr}");
    insta::assert_snapshot!(stdout, @"BlockingIOError [Errno 11] Resource temporarily unavailable");
}

#[test]
fn fork_and_thread_bombs_end_in_their_errors() {
    let forks = "
import multiprocessing
def bomb():
    while True:
        multiprocessing.Process(target=bomb).start()
bomb()
";
    let (code, _, stderr) = run("fork_bomb", &["--max-processes", "30"], forks);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("BlockingIOError: [Errno 11] Resource temporarily unavailable"));
    let threads = "
import threading
def bomb():
    while True:
        threading.Thread(target=bomb).start()
bomb()
";
    let (code, _, stderr) = run("thread_bomb", &["--max-threads", "200"], threads);
    assert!(stderr.contains("RuntimeError: can't start new thread"));
    // Each thread that the error ends makes room for another one. If that goes on, it is the run's
    // limit that ends it.
    match code {
        Some(1) => {}
        Some(4) => {
            assert!(stderr.ends_with("mini: the run came to its limit, --max-threads\n"));
        }
        other => panic!("{other:?}"),
    }
}

/// What the operating system has room for is less than what the script may have.
#[test]
fn threads_that_the_system_has_no_room_for_are_refused() {
    let text = "
import threading
gate = threading.Event()
threads = [threading.Thread(target=gate.wait) for _ in range(20)]
started = 0
try:
    for thread in threads:
        thread.start()
        started += 1
except RuntimeError as error:
    assert str(error) == \"can't start new thread\", error
gate.set()
for thread in threads[:started]:
    thread.join()
assert started == 9, started
# There is room again.
again = threading.Thread(target=gate.wait)
again.start()
again.join()
";
    let options = Options {
        rules: Rules::default(),
        limits: RunLimits {
            os_threads: 10,
            ..RunLimits::default()
        },
        input: Box::new(io::empty()),
        output: Box::new(io::sink()),
        error: Box::new(io::stderr()),
        line_buffered: false,
        statistics: true,
        sinks: None,
    };
    let outcome = Run::start(vm(text), options).wait();
    assert_eq!(outcome.end, End::Exited(0));
}

/// Starts a script and waits until it has printed something.
fn begin(name: &str, options: &[&str], text: &str) -> Child {
    let mut child = mini(options, &script(name, text))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("mini starts");
    wait_for_output(&mut child, b".");
    child
}

fn wait_for_output(child: &mut Child, expected: &[u8]) {
    let mut read = vec![0; expected.len()];
    let stdout = child.stdout.as_mut().expect("it was asked for");
    stdout
        .read_exact(&mut read)
        .expect("the script says how far it is");
    assert_eq!(read, expected);
}

fn interrupt(child: &Child) {
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("there is a `kill`");
    assert!(sent.success());
}

/// How it ends, within patience.
fn end(mut child: Child) -> (Option<i32>, String, String) {
    let deadline = Instant::now() + PATIENCE;
    while child.try_wait().expect("it can be waited for").is_none() {
        if Instant::now() > deadline {
            child.kill().expect("it is our child");
            panic!("it does not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().expect("it has ended");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[test]
fn ctrl_c_is_an_exception_in_the_main_thread_whatever_it_does() {
    let waits = [
        ("sleep", "time.sleep(20)"),
        ("lock", "lock.acquire(); lock.acquire(timeout=20)"),
        ("condition", "condition.acquire(); condition.wait(20)"),
        ("event", "threading.Event().wait(20)"),
        ("queue", "multiprocessing.Queue().get(timeout=20)"),
        (
            "join",
            "threading.Thread(target=time.sleep, args=(20,), daemon=True).start(); threading.enumerate()[-1].join()",
        ),
        (
            "process",
            "p = multiprocessing.Process(target=time.sleep, args=(20,), daemon=True); p.start(); p.join()",
        ),
        ("input", "input()"),
        ("loop", "\n    while True: pass"),
    ];
    let failures: Vec<String> = in_parallel(&waits, |(name, wait)| {
        let text = format!(
            "
import multiprocessing, threading, time
lock = threading.Lock()
condition = threading.Condition()
def f():
    {wait}
try:
    print('.', flush=True)
    f()
except KeyboardInterrupt:
    print('caught')
"
        );
        let child = begin(&format!("interrupt_{name}"), &[], &text);
        // Mostly it waits by then; before, the exception is the same.
        std::thread::sleep(Duration::from_millis(150));
        interrupt(&child);
        let ended = end(child);
        (ended != (Some(0), "\ncaught\n".into(), String::new()))
            .then(|| format!("{name}: {ended:?}"))
    })
    .into_iter()
    .flatten()
    .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn an_uncaught_ctrl_c_is_told_and_ends_with_130() {
    let child = begin(
        "interrupt_uncaught",
        &["--stats"],
        "import time\nprint('.', flush=True)\ntime.sleep(20)\n",
    );
    std::thread::sleep(Duration::from_millis(100));
    interrupt(&child);
    let (code, _, stderr) = end(child);
    assert_eq!(code, Some(130));
    assert!(
        stderr.starts_with("Traceback (most recent call last):\n"),
        "{stderr}"
    );
    assert!(stderr.contains("\nKeyboardInterrupt\n"), "{stderr}");
    assert!(
        stderr.contains("| MainThread |"),
        "the statistics come all the same: {stderr}"
    );
}

#[test]
fn a_second_ctrl_c_ends_the_run_at_once() {
    let text = "
import time
while True:
    try:
        print('.', flush=True)
        time.sleep(20)
    except KeyboardInterrupt:
        pass
";
    let mut child = begin("interrupt_twice", &["--stats"], text);
    interrupt(&child);
    wait_for_output(&mut child, b"\n.");
    interrupt(&child);
    let (code, stdout, stderr) = end(child);
    assert_eq!((code, &*stdout), (Some(130), "\n"));
    assert!(
        stderr.starts_with("interrupted\n") && stderr.contains("| MainThread |"),
        "{stderr}"
    );
}

#[test]
fn many_sleeping_threads_are_cheap() {
    let text = "
import threading, time
threads = [threading.Thread(target=time.sleep, args=(1,)) for _ in range(2000)]
for t in threads: t.start()
for t in threads: t.join()
print(len(threads))
";
    // One after the other they would take more than half an hour.
    let (code, stdout, stderr) = run("sleepers", &[], text);
    assert_eq!((code, &*stdout), (Some(0), "2000\n"), "{stderr}");
}

#[test]
fn statistics_tell_each_thread_of_each_process() {
    let text = "
import time
def work():
    time.sleep(0.05)
    return sum(range(1000))
t = spawn_thread(work)
p = spawn_process(work)
join(t), join(p)
";
    let (code, _, stats) = run("stats", &["--stats", "--format", "json"], text);
    assert_eq!(code, Some(0), "{stats}");
    let stats: serde_json::Value = serde_json::from_str(&stats).expect("JSON");
    let rows: Vec<(&str, &str)> = stats["threads"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            assert!(row["instructions"].as_u64().unwrap() > 0, "{row}");
            assert!(row["held_ns"].as_u64().unwrap() > 0, "{row}");
            (
                row["process_name"].as_str().unwrap(),
                row["thread_name"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("MainProcess", "MainThread"),
            ("MainProcess", "Thread-1 (work)"),
            ("Process-1", "MainThread"),
        ]
    );
    assert!(stats["threads"][1]["blocked_ns"].as_u64().unwrap() >= 50_000_000);
}
