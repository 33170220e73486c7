//! The locks of named interpreters: one table, from which `docs/gil-presets.md` is generated, too.
//! Where a number or a yes was read, the table says.

use super::lock::{Builtins, Lock, MainExit, Polls, Scope, Trigger};
use super::parse::Duration;
use std::fmt::Write as _;

/// A named interpreter's lock.
#[derive(Debug, PartialEq, Eq)]
pub struct Preset {
    /// What users type.
    pub name: &'static str,
    /// Versions with the same lock, by the names that users may type for them.
    pub also: &'static [&'static str],
    /// The lock.
    pub lock: Lock,
    /// What sets it apart.
    pub about: &'static str,
    /// Where that was read.
    pub sources: &'static str,
}

impl Preset {
    /// All names that users may type for it.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.also.iter().copied())
    }
}

const CRUBY_QUANTUM_NS: u64 = 100_000_000;

/// All of them, old ones first.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "cpython-2.7",
        also: &["cpython-2.6"],
        lock: Lock {
            trigger: Trigger::Ticks {
                ticks: super::DEFAULT_TICKS,
            },
            polls: Polls::MOST,
            forced_switch: false,
            restarts_wait: false,
            asks_only_without_switch: false,
            mutex_lets_go: true,
            scope: Scope::Process,
            ..Lock::PLAIN
        },
        about: "The holder counts 100 ticks (about a third of its instructions are one), lets go and takes the lock back at once; whoever is faster has it.",
        sources: "`_Py_Ticker`, `_Py_CheckInterval` in Python/ceval.c; the semaphore in Python/thread_pthread.h; Modules/threadmodule.c, all @ 2.7.18",
    },
    Preset {
        name: "cpython-3.2",
        also: &[
            "cpython-3.3",
            "cpython-3.4",
            "cpython-3.5",
            "cpython-3.6",
            "cpython-3.7",
            "cpython-3.8",
            "cpython-3.9",
        ],
        lock: Lock {
            polls: Polls::MOST,
            scope: Scope::Process,
            ..Lock::PLAIN
        },
        about: "A waiter that has waited 5 ms asks; the holder looks after nearly every instruction, and waits until somebody has taken the lock.",
        sources: "`take_gil`, `drop_gil` in Python/ceval_gil.h; `FAST_DISPATCH` in Python/ceval.c, both @ 3.9.2; Doc/whatsnew/3.2.rst (5 ms)",
    },
    Preset {
        name: "cpython-3.10",
        also: &[],
        lock: Lock {
            polls: Polls::JUMPS_AND_CALLS,
            scope: Scope::Process,
            ..Lock::PLAIN
        },
        about: "The holder looks only where a jump is taken, at calls and returns: `x += 1` cannot be cut any more.",
        sources: "`CHECK_EVAL_BREAKER` in Python/ceval.c of 3.10; measured with 3.10.13",
    },
    Preset {
        name: "cpython-3.11",
        also: &[],
        lock: Lock {
            scope: Scope::Process,
            ..Lock::PLAIN
        },
        about: "The holder looks at backward jumps, at the start of functions, and after calls of builtins that have no instruction of their own.",
        sources: "Python/ceval.c (`RESUME`, `JUMP_BACKWARD`, `CALL`, `PRECALL_*`), Python/ceval_gil.h @ 3.11.2",
    },
    Preset {
        name: "cpython-3.12",
        also: &[],
        lock: Lock::PLAIN,
        about: "As 3.11; an interpreter may have a lock of its own (PEP 684).",
        sources: "Python/ceval_macros.h, Python/ceval_gil.c of 3.12; PEP 684",
    },
    Preset {
        name: "cpython-3.13",
        also: &[],
        lock: Lock::PLAIN,
        about: "As 3.12; the request is a bit of the holder's thread.",
        sources: "Python/bytecodes.c, Python/ceval_gil.c @ 3.13.5",
    },
    Preset {
        name: "cpython-3.14",
        also: &[],
        lock: Lock {
            polls: Polls::LOOPS_CALLS_AND_WITH,
            ..Lock::PLAIN
        },
        about: "As 3.13; the holder looks between the `__enter__` of a lock and the body of the `with` again.",
        sources: "`LOAD_SPECIAL`, `CALL` in Python/bytecodes.c of 3.14; Python/codegen.c (`codegen_with_inner`)",
    },
    Preset {
        name: "cpython-3.13t",
        also: &[],
        lock: Lock {
            trigger: Trigger::Free,
            forced_switch: false,
            restarts_wait: false,
            asks_only_without_switch: false,
            ..Lock::PLAIN
        },
        about: "No lock: threads run at the same time. Single operations on one list or dict are still whole.",
        sources: "PEP 703; Doc/howto/free-threading-python.rst, Python/ceval_gil.c (`enabled`) @ 3.13.5",
    },
    Preset {
        name: "cpython-3.14t",
        also: &[],
        lock: Lock {
            trigger: Trigger::Free,
            forced_switch: false,
            restarts_wait: false,
            asks_only_without_switch: false,
            ..Lock::PLAIN
        },
        about: "As 3.13t, and faster (`--costs`).",
        sources: "PEP 779",
    },
    Preset {
        name: "cruby-3.2",
        also: &["cruby-2.7", "cruby-3.0", "cruby-3.1"],
        lock: Lock {
            trigger: Trigger::WaiterTimer {
                quantum_ns: CRUBY_QUANTUM_NS,
            },
            polls: Polls::BRANCHES_AND_RETURNS,
            wakes_in_order: true,
            restarts_wait: false,
            asks_only_without_switch: false,
            start_waits: false,
            main_exit: MainExit::Kill,
            scope: Scope::Ractor,
            ..Lock::PLAIN
        },
        about: "The first waiter acts as timer: 100 ms after its wait began it asks the holder, which waits for a taker. Waiters are served in order, but newcomers may barge in.",
        sources: "`gvl_acquire_common`, `do_gvl_timer`, `gvl_yield` in thread_pthread.c; insns.def, vm_insnhelper.c @ 2.7.4, 3.1.2",
    },
    Preset {
        name: "cruby-3.3",
        also: &["cruby-3.4"],
        lock: Lock {
            trigger: Trigger::TimerThread {
                quantum_ns: CRUBY_QUANTUM_NS,
                tick_ns: 10_000_000,
            },
            polls: Polls::BRANCHES_AND_RETURNS,
            forced_switch: false,
            hand_over: true,
            wakes_in_order: true,
            restarts_wait: false,
            asks_only_without_switch: false,
            start_waits: false,
            main_exit: MainExit::Kill,
            scope: Scope::Ractor,
            ..Lock::PLAIN
        },
        about: "A timer thread ticks every 10 ms while somebody waits; a holder that has had 100 ms gives the lock to the longest waiter.",
        sources: "`thread_sched_*`, `timer_thread_*` in thread_pthread.c @ 3.3.8",
    },
];

/// The preset of a name.
#[must_use]
pub fn preset(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|it| it.names().any(|it| it == name))
}

/// A knob as the page shows it: its name, what it means, where the difference was read, and its
/// value for a lock.
type Knob = (&'static str, &'static str, fn(&Lock) -> String);

const KNOBS: &[Knob] = &[
    ("trigger", "who starts a switch, and when", |it| {
        match it.trigger {
            Trigger::Turns { instructions } => {
                format!("the holder, after {instructions} instructions")
            }
            Trigger::Ticks { ticks } => format!("the holder, after {ticks} ticks"),
            Trigger::WaiterTimeout { interval_ns } => {
                format!("a waiter, after {}", Duration(interval_ns))
            }
            Trigger::WaiterTimer { quantum_ns } => {
                format!("the first waiter, after {}", Duration(quantum_ns))
            }
            Trigger::TimerThread {
                quantum_ns,
                tick_ns,
            } => format!(
                "a timer thread, after {} in ticks of {}",
                Duration(quantum_ns),
                Duration(tick_ns)
            ),
            Trigger::Free => "nobody: there is no lock".into(),
        }
    }),
    (
        "polls: plain",
        "the holder looks after arithmetic, attributes, items, globals",
        |it| yes(it.polls.plain),
    ),
    ("polls: loop", "at every turn of a loop", |it| {
        yes(it.polls.backward_jump)
    }),
    (
        "polls: forward",
        "at conditional jumps forward that are taken",
        |it| yes(it.polls.forward_jump),
    ),
    (
        "polls: entry",
        "at the start of a function of the script",
        |it| yes(it.polls.entry),
    ),
    ("polls: builtin", "after a builtin", |it| {
        match it.polls.builtin {
            Builtins::All => "yes".into(),
            Builtins::Unspecialised => "not `len`, `isinstance`, `list.append`, `type(x)`".into(),
        }
    }),
    (
        "polls: with",
        "between the `__enter__` of a free Lock or RLock and the body of the `with`",
        |it| yes(it.polls.lock_enter),
    ),
    ("polls: return", "after a function's return", |it| {
        yes(it.polls.return_)
    }),
    (
        "forced switch",
        "who was asked to let go waits for a taker",
        |it| yes(it.forced_switch),
    ),
    (
        "hand-over",
        "the lock goes to the longest waiter and is never free in between",
        |it| yes(it.hand_over),
    ),
    ("order of waking", "who of the waiters is woken", |it| {
        if it.wakes_in_order {
            "the longest waiter".into()
        } else {
            "the system picks".into()
        }
    }),
    (
        "new wait after a lost race",
        "a woken waiter that finds the lock taken waits a whole interval again",
        |it| yes(it.restarts_wait),
    ),
    (
        "asks only without a switch",
        "a waiter asks only if the lock did not change hands since its wait began",
        |it| yes(it.asks_only_without_switch),
    ),
    (
        "mutex lets go",
        "`Lock.acquire` of a free mutex lets go of the interpreter lock",
        |it| yes(it.mutex_lets_go),
    ),
    (
        "start waits",
        "`Thread.start` comes back when the new thread has begun",
        |it| yes(it.start_waits),
    ),
    (
        "end of main",
        "what becomes of the other threads",
        |it| match it.main_exit {
            MainExit::Join => "waited for".into(),
            MainExit::Kill => "killed".into(),
        },
    ),
    ("scope", "what has a lock of its own", |it| {
        match it.scope {
            Scope::Process => "process",
            Scope::Interpreter => "interpreter",
            Scope::Ractor => "ractor",
        }
        .into()
    }),
];

fn yes(it: bool) -> String {
    if it { "yes" } else { "no" }.into()
}

/// What `--gil` takes besides names.
const OWN_RULES: &str = "
## Rules of Mini's own

- `every=N`: after exactly N instructions the holder hands the lock to the longest waiter. Nothing is left open, so threads that run the same loop can fall in step with each other, whatever the schedule: with a few instructions
  a turn, two threads that poll a queue in a loop may each come to its mutex just when the other has let go, while a third that was woken for it is always a turn late, for ever. That is what the rule says, on real threads as
  in the simulation. The turns of real interpreters are not that even: take another N, or `interval`.
- `ticks=N`: as `cpython-2.7`, with another number of ticks, and each instruction is one.
- `interval=TIME`: as `cpython-3.12`, with another interval.
- `off`: no lock.
";

/// `docs/gil-presets.md`.
#[must_use]
pub fn page() -> String {
    let mut page = String::from(
        "# Presets of interpreter locks\n\n\
        Generated from the table in `src/gil/preset.rs`; a test holds that it is up to date. `mini sim --gil NAME` takes all of them; `mini run --gil NAME` those \
        whose lock real threads can be given (not those without a lock, and not CRuby's), with the polls of CPython 3.11 for the whole 3.x family.\n\n\
        | name | also | what sets it apart |\n|---|---|---|\n",
    );
    for it in PRESETS {
        let also: Vec<String> = it.also.iter().map(|name| format!("`{name}`")).collect();
        let _ = writeln!(
            page,
            "| `{}` | {} | {} |",
            it.name,
            also.join(", "),
            it.about
        );
    }
    page.push_str("\n## The knobs\n");
    for (name, meaning, value) in KNOBS {
        let _ = writeln!(page, "\n**{name}**: {meaning}.\n");
        // Presets with the same value share a line.
        let mut told: Vec<(String, Vec<&str>)> = Vec::new();
        for it in PRESETS {
            let value = value(&it.lock);
            match told.iter_mut().find(|(other, _)| *other == value) {
                Some((_, names)) => names.push(it.name),
                None => told.push((value, vec![it.name])),
            }
        }
        for (value, names) in told {
            let _ = writeln!(page, "- {value}: {}", names.join(", "));
        }
    }
    page.push_str(OWN_RULES);
    page.push_str("\n## Where it was read\n\n");
    for it in PRESETS {
        let _ = writeln!(page, "- `{}`: {}", it.name, it.sources);
    }
    page
}
