//! A program that takes the fast paths of the run loop, in slices of every kind, in several threads
//! and through a fork. It is small enough for Miri, which sees what the loop's `unsafe` code does
//! to memory that it must not (in about half an hour, a quarter of it for loading the program):
//! `MIRIFLAGS=-Zmiri-disable-isolation cargo +nightly miri test --test it fast_paths`.

use super::run::answer;
use mini::bytecode::op::Op;
use mini::bytecode::verify::verify;
use mini::compile::{Environment, compile};
use mini::source::Source;
use mini::vm::builtins::{is_builtin, table};
use mini::vm::link::Image;
use mini::vm::run::Observer;
use mini::vm::slice::{Budget, Reply, Stop, SysCall};
use mini::vm::thread::{Frame, Status};
use mini::vm::tuning::Tuning;
use mini::vm::value::ThreadId;
use mini::vm::{Limits, Vm};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Memory is shared by forks from two slots on, and collected often.
const LIMITS: Limits = Limits {
    memory_bytes: 8 << 20,
    recursion: 60,
    threads: 8,
    tuning: Tuning {
        nursery_bytes: 64 << 10,
        checks: false,
        ..Tuning::STRESS
    },
};

/// Far more than any run takes.
const MAX_SLICES: usize = 1_000_000;

/// How a run is cut into slices, whose lengths follow one another.
#[derive(Clone, Copy, Debug)]
enum Cut {
    Instructions(&'static [u64]),
    Turns(u64),
    Polls(u64),
}

/// Counts what it is told of.
#[derive(Default)]
struct Counter {
    instructions: u64,
    in_straight_runs: u64,
}

impl Observer for Counter {
    const ACTIVE: bool = true;
    const METERED: bool = true;

    fn instruction(&mut self, _: ThreadId, _: &Frame, _: u32, _: Op) {
        self.instructions += 1;
    }

    fn straight(&mut self, from: usize, to: usize) {
        self.in_straight_runs += (to - from) as u64;
    }
}

fn loaded() -> Vm {
    let environment = Environment {
        is_builtin,
        embedded: mini::stdlib::embedded,
        frozen: Some(&mini::stdlib::BUILTINS),
    };
    let source = Source::new("fast_paths.mini", include_str!("fast_paths.mini"));
    let compiled = compile(source, &environment);
    assert!(
        compiled.diagnostics.is_empty(),
        "{:?}",
        compiled.diagnostics
    );
    let verified = verify(compiled.program).unwrap_or_else(|faults| panic!("{}", faults[0]));
    Vm::new(Arc::new(Image::new(&verified, table())), LIMITS)
}

/// Runs all threads in turn, and each child to its end where it is forked. Returns what was
/// written.
fn run_to_the_end(mut vm: Vm, main: ThreadId, cut: Cut, observer: Option<&mut Counter>) -> String {
    let mut observer = observer;
    let (wanted, unwanted) = (AtomicBool::new(true), AtomicBool::new(false));
    let mut written = String::new();
    let mut threads = vec![main];
    for number in 0..MAX_SLICES {
        let ready = |it: &ThreadId| vm.threads[it.0 as usize].status == Status::Ready;
        let (before, after) = threads.split_at(number % threads.len());
        let next = after.iter().chain(before).copied().find(ready);
        let thread = next.unwrap_or_else(|| panic!("a deadlock under {cut:?}"));
        let budget = match cut {
            Cut::Instructions(lengths) => Budget::Instructions(lengths[number % lengths.len()]),
            Cut::Turns(turn) => Budget::Turns {
                left: turn,
                turn,
                wanted: &wanted,
            },
            Cut::Polls(at_most) => Budget::Polls {
                stop: &unwanted,
                at_most,
            },
        };
        let slice = match &mut observer {
            Some(observer) => vm.run_observed(thread, budget, *observer),
            None => vm.run(thread, budget),
        };
        let call = match slice.stop {
            Stop::Budget | Stop::Woke | Stop::Flagged | Stop::Waiting => continue,
            Stop::Finished { report, exit_code } => {
                assert_eq!((report, exit_code), (None, 0), "under {cut:?}");
                if thread == main {
                    return written;
                }
                continue;
            }
            Stop::Call(call) => call,
            stop => panic!("{stop:?}"),
        };
        let reply = match &call {
            SysCall::Write { text, .. } => {
                written.push_str(text);
                Reply::None
            }
            SysCall::StartThread(new) => {
                threads.push(*new);
                Reply::None
            }
            SysCall::Fork { .. } => {
                let child = vm.fork(thread).expect("there is room");
                written += &run_to_the_end(child, thread, cut, observer.as_deref_mut());
                Reply::Process { process: 1, pid: 2 }
            }
            SysCall::WaitProcess { .. } => Reply::Bool(true),
            SysCall::ProcessResult { .. } => Reply::None,
            other => answer(other),
        };
        vm.answer(thread, reply);
    }
    panic!("no end under {cut:?}")
}

const ALL_RIGHT: &str = "child ended\nall right\n";

#[test]
fn fast_paths_do_the_right_thing_however_they_are_cut() {
    let vm = loaded();
    let cuts = [
        Cut::Instructions(&[1_000_000]),
        Cut::Instructions(&[1, 2, 3, 40, 5, 211]),
        Cut::Turns(3),
        Cut::Turns(100),
        Cut::Polls(50),
    ];
    for (at, cut) in cuts.into_iter().enumerate() {
        println!("under {cut:?}");
        let ways: &[bool] = match at % 2 {
            _ if !cfg!(miri) => &[false, true],
            0 => &[false],
            _ => &[true],
        };
        for observed in ways {
            let mut counter = Counter::default();
            let observer = observed.then_some(&mut counter);
            let written = run_to_the_end(vm.clone(), ThreadId(0), cut, observer);
            assert_eq!(written, ALL_RIGHT, "under {cut:?}, observed: {observed}");
            assert!(counter.instructions >= counter.in_straight_runs);
        }
    }
}
