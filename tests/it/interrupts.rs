//! Ctrl-C and limits, whatever a run is in the middle of: the first one is `KeyboardInterrupt` (or
//! the end of a simulation) and says where everybody was; the second one ends everything.
#![cfg(unix)]

use crate::process::{Finished, finish, in_parallel};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Everything here ends at once; a test that has to wait so long has failed.
const PATIENCE: Duration = Duration::from_mins(1);

const ENGINES: [&str; 2] = ["run", "sim"];

/// Two equal lists, and a tuple, that nobody gets to the end of: each level has the next one twice.
const ENDLESS: &str =
    "a, b, t = [], [], ()\nfor _ in range(100):\n    a, b, t = [a, a], [b, b], (t, t)\n";

/// What a script is in the middle of, after what it needs for that.
const BUSY: &[(&str, &str)] = &[
    ("", "sum(range(10**11))"),
    ("", "sum(range(-10**11, 10**11, 3), 0.5)"),
    ("big = [1 << 2**25] * 10**7", "sum(big)"),
    ("import math\nbig = [10**1000] * 10**5", "math.prod(big)"),
    (ENDLESS, "a == b"),
    (ENDLESS, "a != b"),
    (ENDLESS, "a < b"),
    (ENDLESS, "a in [b]"),
    (ENDLESS, "[a].index(b)"),
    (ENDLESS, "[a].count(b)"),
    (ENDLESS, "[a].remove(b)"),
    (ENDLESS, "(a, 1) == (b, 1)"),
    (ENDLESS, "{1: a} == {1: b}"),
    (ENDLESS, "min(a, b)"),
    (ENDLESS, "max([a, b])"),
    (ENDLESS, "sorted([a, b])"),
    (ENDLESS, "[a, b].sort()"),
    (
        ENDLESS,
        "sorted([1, 2], key=lambda it: a if it == 1 else b)",
    ),
    (ENDLESS, "hash(t)"),
    (ENDLESS, "{t: 1}"),
    (ENDLESS, "{t}"),
    (ENDLESS, "set([t])"),
    (ENDLESS, "dict([(t, 1)])"),
    (ENDLESS, "t in {1: 2}"),
    (ENDLESS, "{1, 2}.add(t)"),
    ("import math", "while True: math.factorial(10**5)"),
    ("import math", "while True: math.comb(10**6, 5 * 10**5)"),
    ("n = 2**3000 + 1", "while True: pow(7, n, n + 6)"),
    ("", "while True: 3 ** 10**6"),
    (
        "big = [0] * 10**6\nsame = list(big)",
        "while big == same: pass",
    ),
    ("big = [0] * 10**6", "while 1 not in big: pass"),
    ("", "sorted(iter(range(10**11)))"),
    ("", "while True: [0] * 10**6"),
    ("", "while True: list(range(10**6))[::2]"),
    ("text = 'ab' * 10**6", "while True: text.replace('a', 'bb')"),
    (
        "text = 'ab' * 10**6",
        "while True: text.count('b') + text.find('x')",
    ),
    ("text = 'ab ' * 10**5", "while True: ' '.join(text.split())"),
    ("", "while True: repr([1] * 10**5)"),
    ("", "while True: set(range(10**5)) & set(range(10**5))"),
    ("", "while True: dict.fromkeys(range(10**5))"),
    ("", "while True: any(range(10**6)) and all(range(1, 10**6))"),
    ("from itertools import *", "list(islice(repeat(0), 10**11))"),
    (
        "from itertools import *",
        "for _ in permutations(range(50)): pass",
    ),
    ("", "input()"),
];

/// An engine, the number of a case, and the case.
fn on_each_engine<Case>(cases: &[Case]) -> Vec<(&'static str, (usize, &Case))> {
    let cases = cases.iter().enumerate();
    cases.flat_map(|it| ENGINES.map(|e| (e, it))).collect()
}

fn script(name: &str, before: &str, then: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("interrupts_{name}.mini"));
    let text = format!("{before}\nprint('begun', flush=True)\n{then}\n");
    fs::write(&path, text).expect("the folder for tests can be written to");
    path
}

/// A run that is under way.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

/// A test that fails leaves no busy program behind.
impl Drop for Running {
    fn drop(&mut self) {
        // It has most often ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    /// It has printed `begun`, and nothing is read of what it prints then.
    fn begin(engine: &str, script: &Path) -> Running {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mini"))
            .arg(engine)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let stdout = child.stdout.as_mut().expect("it was asked for");
        let mut first = [0; 6];
        stdout.read_exact(&mut first).expect("it begins");
        assert_eq!(&first, b"begun\n");
        // What it does next it may not have begun to do on a busy machine.
        std::thread::sleep(Duration::from_millis(300));
        let lines = lines(child.stderr.take().expect("it was asked for"));
        Running { child, lines }
    }

    fn signal(&self, signal: &str) {
        let kill = format!("kill -{signal} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status();
        assert!(sent.is_ok_and(|it| it.success()), "{signal} cannot be sent");
    }

    /// Waits for a line with all of this on standard error.
    fn hear(&self, wanted: &[&str]) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left);
            let line = line.unwrap_or_else(|_| panic!("{wanted:?} is not said"));
            if wanted.iter().all(|it| line.contains(it)) {
                return;
            }
        }
    }

    /// Its exit code (none after a signal), and the rest of standard error.
    fn end(mut self) -> (Option<i32>, String) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                break status;
            }
            if Instant::now() > deadline {
                self.child.kill().expect("it is our child");
                panic!(
                    "it does not end: {:?}",
                    self.lines.try_iter().collect::<Vec<_>>()
                );
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        (status.code(), self.lines.iter().collect())
    }
}

fn lines(stderr: ChildStderr) -> Receiver<String> {
    let (said, lines) = channel();
    std::thread::spawn(move || {
        let mut stderr = BufReader::new(stderr);
        let mut line = String::new();
        while stderr.read_line(&mut line).is_ok_and(|it| it > 0) {
            if said.send(std::mem::take(&mut line)).is_err() {
                return;
            }
        }
    });
    lines
}

#[test]
fn the_first_ctrl_c_ends_whatever_a_script_is_in_the_middle_of() {
    in_parallel(&on_each_engine(BUSY), |&(engine, (at, &(before, busy)))| {
        let script = script(&format!("{at}_{engine}"), before, busy);
        let running = Running::begin(engine, &script);
        // Most often it is in the middle of it by then.
        std::thread::sleep(Duration::from_millis(50));
        running.signal("INT");
        let (code, told) = running.end();
        assert_eq!(code, Some(130), "{engine}: {busy}: {told}");
        if engine == "run" {
            assert!(told.contains("KeyboardInterrupt\n"), "{busy}: {told}");
        } else {
            assert!(told.contains("interrupted at "), "{busy}: {told}");
            assert!(told.contains("\n  MainThread "), "{busy}: {told}");
        }
    });
}

/// Nothing looks at a flag in the middle of these, or nothing can.
const DEAF: &[(&str, &str)] = &[
    (
        "import math\na, b = 3**880000, 7**490000",
        "while True: math.gcd(a, b)",
    ),
    ("", "while True: print('x' * 10000)"),
    (
        "def again():\n    while True:\n        try:\n            sum(range(10**11))\n        except KeyboardInterrupt:\n            pass",
        "again()",
    ),
];

#[test]
fn the_second_ctrl_c_ends_everything() {
    in_parallel(&on_each_engine(DEAF), |&(engine, (at, &(before, busy)))| {
        let script = script(&format!("deaf_{at}_{engine}"), before, busy);
        let running = Running::begin(engine, &script);
        running.signal("INT");
        // In the simulation the first one ends what looks.
        if engine == "run" || !busy.starts_with("again") {
            running.hear(&["second", "ends it at once"]);
            running.signal("INT");
        }
        let (code, told) = running.end();
        assert_eq!(code, Some(130), "{engine}: {busy}: {told}");
    });
}

#[test]
fn whoever_goes_on_after_ctrl_c_says_where_everybody_is() {
    let script = script(
        "threads",
        "import threading, time
from multiprocessing import Process

def acquire():
    lock.acquire()

def sleep():
    time.sleep(10**6)

lock = threading.Lock()
lock.acquire()
for work in [acquire, sleep]:
    threading.Thread(target=work, name=work.__name__).start()
Process(target=sleep, name='child').start()
# All of them come to their waits.
time.sleep(0.5)",
        "while True:
    try:
        sum(range(10**11))
    except KeyboardInterrupt:
        pass",
    );
    let running = Running::begin("run", &script);
    running.signal("INT");
    for part in [
        &["a second one ends it at once"][..],
        &[
            "MainProcess, MainThread runs ",
            "interrupts_threads.mini:20",
        ],
        &["MainProcess, acquire waits for Lock lock (line 10) held by MainThread"],
        &["MainProcess, sleep sleeps", "interrupts_threads.mini:8"],
        &["child, MainThread sleeps", "interrupts_threads.mini:8"],
    ] {
        running.hear(part);
    }
    running.signal("INT");
    let (code, told) = running.end();
    assert_eq!(code, Some(130));
    // And where the first one found them.
    assert!(
        told.starts_with("interrupted\n  MainProcess, MainThread "),
        "{told}"
    );
}

#[test]
fn a_builtin_that_gave_up_is_called_again() {
    let script = script("again", "", "");
    // It says that it has begun where Ctrl-C is caught already.
    let text = "import threading, time
sums = []

def add():
    for _ in range(20):
        sums.append(sum(range(10**6)))

try:
    thread = threading.Thread(target=add)
    thread.start()
    print('begun', flush=True)
    time.sleep(10**6)
except KeyboardInterrupt:
    thread.join()
    print(len(sums), set(sums))
";
    fs::write(&script, text).expect("the folder for tests can be written to");
    let mut running = Running::begin("run", &script);
    running.signal("INT");
    let mut printed = String::new();
    let stdout = running.child.stdout.as_mut().expect("it was asked for");
    stdout.read_to_string(&mut printed).expect("it is a text");
    assert_eq!(printed, "20 {499999500000}\n");
    assert_eq!(running.end().0, Some(0));
}

#[test]
fn sigterm_ends_what_is_in_the_middle_of_a_builtin() {
    for engine in ENGINES {
        let running = Running::begin(engine, &script("term", "", "sum(range(10**11))"));
        running.signal("TERM");
        assert_eq!(running.end().0, Some(143), "{engine}");
    }
}

fn mini(arguments: &[&str]) -> Finished {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mini"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    command.args(arguments).current_dir(folder);
    let done = finish(&mut command, b"", PATIENCE);
    assert!(!done.timed_out, "{arguments:?}");
    done
}

/// The time of the simulation is virtual: whoever would go far beyond it is not waited for.
#[test]
fn limits_hold_in_the_middle_of_a_builtin() {
    for (engine, (before, busy)) in ENGINES.into_iter().flat_map(|engine| {
        [
            ("", "sum(range(10**11))"),
            (ENDLESS, "a == b"),
            (ENDLESS, "hash(t)"),
        ]
        .map(|it| (engine, it))
    }) {
        let script = script(&format!("limit_{engine}"), before, busy);
        let script = script.to_str().expect("a plain name");
        let done = mini(&[engine, "--max-time", "100ms", script]);
        assert_eq!(done.code, Some(4), "{engine}: {busy}");
    }
}

#[test]
fn tests_that_never_end_are_left_in_the_middle_of_a_builtin() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("interrupts_tests");
    fs::create_dir_all(&folder).expect("the folder for tests can be written to");
    for (name, text) in [
        ("a", "sum(range(10**11))"),
        ("b", "import math\nmath.gcd(3**880000, 7**490000)"),
        ("c", "while True: [1] * 10**6"),
        ("d", "print('done')"),
    ] {
        let path = folder.join(name.to_owned() + ".mini");
        fs::write(path, text).expect("the folder for tests can be written to");
    }
    fs::write(folder.join("d.expected"), "$ mini sim d.mini\ndone\n").expect("as above");
    let done = mini(&["test", "--timeout", "1s", "interrupts_tests"]);
    let told = String::from_utf8(done.stdout).expect("UTF-8");
    let late = "it took more than 1s of this machine's time";
    assert_eq!(
        (done.code, told.matches(late).count()),
        (Some(1), 3),
        "{told}"
    );
    assert!(told.contains("d.mini ... ok"), "{told}");
}
