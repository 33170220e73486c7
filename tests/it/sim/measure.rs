//! What the checks against real interpreters share: programs of busy threads, what a run says in
//! numbers, and how near a figure must come.

use crate::sim::machine::{Machine, Run};
use mini::event::{Release, What};
use std::collections::BTreeMap;
use std::fmt::Write as _;

pub(crate) const MS: f64 = 1e6;

/// How long a turn of `while n > 0: n -= 1` takes on a machine of the checks, in nanoseconds.
pub(crate) const TURN_NS: f64 = 18.0;

/// So many times slower is the processor of `slow`.
pub(crate) const SLOWER: u32 = 50;

/// The same machine with a processor that takes fifty times as long for each instruction: where
/// locks with a timer and wake-ups are measured, the number of instructions in between is of no
/// account, and this way a second takes a fiftieth of them. Not for locks that count.
pub(crate) fn slow(machine: Machine) -> Machine {
    let mut machine = machine;
    machine.costs.class_ps = machine.costs.class_ps.scaled(SLOWER * 100);
    machine
}

/// The turns that a busy thread makes in so long.
pub(crate) fn turns(ms: f64) -> u64 {
    (ms * MS / TURN_NS) as u64
}

/// The same on a slow machine.
pub(crate) fn slow_turns(ms: f64) -> u64 {
    turns(ms / f64::from(SLOWER))
}

/// A program of busy threads, and what else it does.
pub(crate) fn program(busy: usize, turns: u64, rest: &str) -> String {
    let mut text = String::from("import threading, time, sys\n");
    let _ = write!(
        text,
        "def work(n):\n    while n > 0:\n        n -= 1\n{rest}\n\
        threads = [threading.Thread(target=work, args=({turns},)) for _ in range({busy})]\n\
        for t in threads: t.start()\nfor t in threads: t.join()\n"
    );
    text
}

/// Sets the switch interval.
pub(crate) fn interval(ms: f64) -> String {
    format!("sys.setswitchinterval({ms} / 1000)")
}

/// How long the lock was held each time until another asked for it, in order of time.
pub(crate) fn slices_ns(run: &Run) -> Vec<f64> {
    let mut since = BTreeMap::new();
    let mut slices = Vec::new();
    for event in &run.events {
        match event.what {
            What::LockAcquired { .. } => {
                since.insert(event.thread, event.at_ns);
            }
            What::LockReleased(why) => {
                if let Some(since) = since.remove(&event.thread)
                    && why == Release::Asked
                {
                    slices.push((event.at_ns - since) as f64);
                }
            }
            _ => {}
        }
    }
    slices
}

/// How long it took each time until the lock went to another thread.
pub(crate) fn stints_ns(run: &Run) -> Vec<f64> {
    let switched = run
        .events
        .iter()
        .filter(|it| it.what == What::LockAcquired { switched: true });
    let moments: Vec<u64> = switched.map(|it| it.at_ns).collect();
    moments
        .windows(2)
        .map(|it| (it[1] - it[0]) as f64)
        .collect()
}

/// The numbers that a program printed, one in each line that is not empty.
pub(crate) fn numbers(run: &Run) -> Vec<f64> {
    assert_eq!(run.err, "");
    let lines = run.out.lines().filter(|it| !it.is_empty());
    lines
        .map(|line| line.parse().expect("a number in each line"))
        .collect()
}

pub(crate) fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * share) as usize]
}

pub(crate) fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The figure of the simulation is the real one, give or take this share of it.
#[track_caller]
pub(crate) fn assert_near(what: &str, found: f64, real: f64, tolerance: f64) {
    let ratio = found / real;
    println!("{what}: {found:.3}, really {real:.3}, ratio {ratio:.3}");
    assert!(
        (ratio - 1.0).abs() <= tolerance,
        "{what}: {found:.4}, but really {real:.4}"
    );
}

/// The figure of the simulation lies within the spread of the real one.
#[track_caller]
pub(crate) fn assert_within(what: &str, found: f64, least: f64, most: f64) {
    println!("{what}: {found:.3}, really {least:.3} to {most:.3}");
    assert!(
        (least..=most).contains(&found),
        "{what}: {found:.4}, but really {least:.4} to {most:.4}"
    );
}
