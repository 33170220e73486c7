//! The atomicity matrix: which statements can lose an update under which interpreter. Some schedule
//! loses one exactly where the real interpreter can, and none does where it cannot.

use crate::oracle;
use crate::process::{finish, in_parallel};
use crate::sim::machine::{Machine, image};
use mini::engine::sim::VirtualNs;
use mini::gil::lock::{Lock, Trigger};
use std::process::Command;
use std::time::Duration;

/// Statements with what they need, by how far apart their read and their write are.
struct Statement {
    name: &'static str,
    /// Before the threads start.
    setup: &'static str,
    /// What each thread does over and over, indented by 8.
    body: &'static str,
    /// What the place holds at the end.
    value: &'static str,
    /// What must stand between read and write for it to lose.
    between: Between,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Between {
    /// Nothing but the operation itself.
    Nothing,
    /// A builtin for which newer versions have an instruction of their own.
    Specialised,
    /// A call, or a turn of a loop.
    Call,
}

const STATEMENTS: &[Statement] = &[
    Statement {
        name: "global",
        setup: "x = 0",
        body: "x += 1",
        value: "x",
        between: Between::Nothing,
    },
    Statement {
        name: "attribute",
        setup: "o = C()\no.x = 0",
        body: "o.x += 1",
        value: "o.x",
        between: Between::Nothing,
    },
    Statement {
        name: "list item",
        setup: "a = [0]",
        body: "a[0] += 1",
        value: "a[0]",
        between: Between::Nothing,
    },
    Statement {
        name: "dict item",
        setup: "d = {'k': 0}",
        body: "d['k'] += 1",
        value: "d['k']",
        between: Between::Nothing,
    },
    Statement {
        name: "three statements",
        setup: "x = 0",
        body: "t = x\n        t = t + 1\n        x = t",
        value: "x",
        between: Between::Nothing,
    },
    Statement {
        name: "a call",
        setup: "x = 0\ndef f(n):\n    return n + 1",
        body: "x = f(x)",
        value: "x",
        between: Between::Call,
    },
    Statement {
        name: "len",
        setup: "x = 0",
        body: "x = x + len('a')",
        value: "x",
        between: Between::Specialised,
    },
    Statement {
        name: "list.append",
        setup: "x = 0\na = []",
        body: "t = x\n        a.append(0)\n        x = t + 1",
        value: "x",
        between: Between::Specialised,
    },
    Statement {
        name: "int",
        setup: "x = 0",
        body: "x = x + int('1')",
        value: "x",
        between: Between::Call,
    },
    Statement {
        name: "sorted with a keyword",
        setup: "x = 0",
        body: "t = x\n        sorted((2, 1), reverse=True)\n        x = t + 1",
        value: "x",
        between: Between::Call,
    },
    Statement {
        name: "a method without arguments",
        setup: "x = 0",
        body: "t = x\n        'a'.upper()\n        x = t + 1",
        value: "x",
        between: Between::Call,
    },
    Statement {
        name: "an inner loop",
        setup: "x = 0",
        body: "t = x\n        i = 2\n        while i > 0:\n            i -= 1\n        x = t + 1",
        value: "x",
        between: Between::Call,
    },
    Statement {
        name: "a property",
        setup: "class P:\n    y = 0\n    @property\n    def x(self):\n        return self.y\n    @x.setter\n    def x(self, n):\n        self.y = n\np = P()",
        body: "p.x += 1",
        value: "p.x",
        between: Between::Call,
    },
    Statement {
        name: "__add__",
        setup: "x = 0\nclass One:\n    def __radd__(self, n):\n        return n + 1\none = One()",
        body: "x = x + one",
        value: "x",
        between: Between::Call,
    },
];

/// A variable of the function around the threads' own.
const CELL: &str = "
import threading
def main():
    x = 0
    def work():
        nonlocal x
        for _ in range(TURNS):
            x += 1
    threads = [threading.Thread(target=work) for _ in range(2)]
    for t in threads: t.start()
    for t in threads: t.join()
    print(2 * TURNS - x)
main()
";

const TURNS: u64 = 3000;

fn program(statement: &Statement) -> String {
    format!(
        "import threading\nclass C:\n    pass\n{}\ndef work():\n    global x\n    for _ in range({TURNS}):\n        {}\n\
        threads = [threading.Thread(target=work) for _ in range(2)]\nfor t in threads: t.start()\nfor t in threads: t.join()\nprint({} - {})\n",
        statement.setup,
        statement.body,
        2 * TURNS,
        statement.value
    )
}

/// Can an update be lost there? `gil-presets.md` has the polls; without a lock everything can.
fn can_lose(gil: &str, between: Between) -> bool {
    match gil {
        "cpython-2.7" | "cpython-3.9" | "cpython-3.13t" | "cpython-3.14t" => true,
        "cpython-3.10" | "cruby-3.2" | "cruby-3.3" => between != Between::Nothing,
        "cpython-3.11" | "cpython-3.12" | "cpython-3.13" => between == Between::Call,
        other => panic!("{other} has no row"),
    }
}

const GILS: &[&str] = &[
    "cpython-2.7",
    "cpython-3.9",
    "cpython-3.10",
    "cpython-3.11",
    "cpython-3.12",
    "cpython-3.13",
    "cpython-3.13t",
    "cpython-3.14t",
    "cruby-3.2",
    "cruby-3.3",
];

/// So often do threads switch here; what can be lost does not depend on it (measurement g: the same
/// at any interval).
const OFTEN_NS: u64 = 7_000;

fn switching_often(lock: Lock) -> Lock {
    let trigger = match lock.trigger {
        Trigger::WaiterTimeout { .. } => Trigger::WaiterTimeout {
            interval_ns: OFTEN_NS,
        },
        Trigger::WaiterTimer { .. } => Trigger::WaiterTimer {
            quantum_ns: OFTEN_NS,
        },
        Trigger::TimerThread { .. } => Trigger::TimerThread {
            quantum_ns: OFTEN_NS,
            tick_ns: OFTEN_NS,
        },
        other => other,
    };
    Lock { trigger, ..lock }
}

#[test]
fn each_cell_of_the_matrix_is_as_in_the_real_interpreter() {
    // Where nothing can be lost each seed is a try; where something can, the first few find it.
    let seeds = if oracle::asked_for_more() { 50 } else { 2 };
    let mut programs: Vec<(&str, String, Between)> = STATEMENTS
        .iter()
        .map(|it| (it.name, program(it), it.between))
        .collect();
    let cell = CELL.replace("TURNS", &TURNS.to_string());
    programs.push(("closure cell", cell, Between::Nothing));
    let mut cells = Vec::new();
    for (name, text, between) in &programs {
        let image = image(text);
        for gil in GILS {
            cells.push((*name, *gil, can_lose(gil, *between), image.clone()));
        }
    }
    let wrong: Vec<String> = in_parallel(&cells, |(name, gil, can_lose, image)| {
        let lost = |seed| {
            let mut machine = Machine::under(gil).random(seed);
            machine.lock = switching_often(machine.lock);
            // Threads that wake up quickly switch more often.
            machine.costs.wake = VirtualNs(2_000);
            machine.costs.sleep_slack = VirtualNs(0);
            let run = machine.run(image);
            let told = run.out.trim().parse::<u64>();
            told.unwrap_or_else(|_| panic!("{name} under {gil}: {}{}", run.out, run.err)) > 0
        };
        let most = if *can_lose { 60 } else { seeds };
        let found = (1..=most).any(lost);
        (found != *can_lose).then(|| {
            let what = if found { "loses" } else { "never loses" };
            format!("{name} {what} an update under {gil}")
        })
    })
    .into_iter()
    .flatten()
    .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{} cells", cells.len());
}

/// The same statements under the interpreters of this machine, where more is asked for: what cannot
/// lose an update there does not, and what can does in one of some tries. On a machine that is busy
/// with other things the probability of missing a loss that happens in a fifth of all runs is
/// 0.8^12, or 7 %.
#[test]
fn real_interpreters_lose_the_same_updates() {
    const TRIES: usize = 12;
    if !oracle::asked_for_more() {
        println!("not compared: MINI_CASES is not set");
        return;
    }
    let mut wrong = Vec::new();
    for (python, gil) in [
        ("python2.7", "cpython-2.7"),
        ("python3.9", "cpython-3.9"),
        ("python3.10", "cpython-3.10"),
        ("python3.11", "cpython-3.11"),
        ("python3.12", "cpython-3.12"),
        ("python3.13", "cpython-3.13"),
    ] {
        let version = Command::new(python).arg("--version").output();
        if !version.is_ok_and(|it| it.status.success()) {
            println!("not compared: no {python} here");
            continue;
        }
        for statement in STATEMENTS {
            let often = if gil == "cpython-2.7" {
                "import sys\nsys.setcheckinterval(1)\n"
            } else {
                "import sys\nsys.setswitchinterval(0.00002)\n"
            };
            let text = often.to_owned()
                + &program(statement)
                    .replace(&format!("range({TURNS})"), "range(100000)")
                    .replace(&format!("print({} -", 2 * TURNS), "print(300000 -")
                    // An instruction has its special form only once it has run some times.
                    .replace("threads = [", "work()\nthreads = [");
            // A class without a base is none of the new kind in 2.7, and has no properties.
            let text = text.replace("class P:", "class P(object):");
            let loses = |_: usize| {
                let ran = finish(
                    Command::new(python).arg("-c").arg(&text),
                    b"",
                    Duration::from_mins(2),
                );
                let told = String::from_utf8_lossy(&ran.stdout).trim().to_owned();
                let error = String::from_utf8_lossy(&ran.stderr).into_owned();
                told.parse::<u64>()
                    .unwrap_or_else(|_| panic!("{python}: {told}{error}"))
                    > 0
            };
            let found = (0..TRIES).any(loses);
            if found != can_lose(gil, statement.between) {
                let what = if found { "loses" } else { "never loses" };
                wrong.push(format!(
                    "{} {what} an update under {python}",
                    statement.name
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
