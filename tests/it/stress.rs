//! Every primitive under the most hostile rule, a switch after each instruction, again and again:
//! nothing is lost, nothing comes twice, nobody is stuck. The programs (`tests/lang/stress`) print
//! sums that must come out the same under every schedule.
//!
//! An ordinary run gives each program a few rounds on each engine; with `MINI_CASES` each gets half
//! a minute on the real one, and 500 seeds on the simulated one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::oracle;
use crate::process::{finish, in_parallel};

const ROUNDS: usize = 3;

const LONG: Duration = Duration::from_secs(30);

/// A round takes a fraction of a second.
const PATIENCE: Duration = Duration::from_mins(2);

fn programs() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lang/stress");
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .expect("tests/lang/stress is there")
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.extension().is_some_and(|it| it == "mini"))
        .collect();
    found.sort();
    assert!(found.len() >= 20, "only {} programs found", found.len());
    found
}

/// Seeds for the simulated engine.
const SEEDS: usize = 2;
const MANY_SEEDS: usize = 500;

#[test]
fn no_simulated_schedule_loses_a_wake_up() {
    let seeds = if oracle::asked_for_more() {
        MANY_SEEDS
    } else {
        SEEDS
    };
    in_parallel(&programs(), |program| {
        let expected = fs::read(program.with_extension("out")).expect("each has its .out");
        for seed in 0..seeds {
            let mut mini = Command::new(env!("CARGO_BIN_EXE_mini"));
            mini.args(["sim", "--gil", "every=1", "--schedule", "random", "--seed"]);
            mini.arg(seed.to_string()).arg(program);
            let ran = finish(&mut mini, b"", PATIENCE);
            assert!(
                ran.code == Some(0) && ran.stdout == expected,
                "{}, seed {seed}: {:?}{}\n{}{}",
                program.display(),
                ran.code,
                if ran.timed_out { ", stuck" } else { "" },
                String::from_utf8_lossy(&ran.stdout),
                String::from_utf8_lossy(&ran.stderr)
            );
        }
    });
}

#[test]
fn no_schedule_loses_a_wake_up() {
    let rounds = in_parallel(&programs(), |program| {
        let expected = fs::read(program.with_extension("out")).expect("each has its .out");
        let start = Instant::now();
        let mut round = 0;
        let goes_on = |round: usize| {
            if oracle::asked_for_more() {
                start.elapsed() < LONG
            } else {
                round < ROUNDS
            }
        };
        while goes_on(round) {
            let mut mini = Command::new(env!("CARGO_BIN_EXE_mini"));
            mini.args(["run", "--gil", "every=1"]).arg(program);
            let ran = finish(&mut mini, b"", PATIENCE);
            assert!(
                ran.code == Some(0) && ran.stdout == expected,
                "{}, round {round}: {:?}{}\n{}{}",
                program.display(),
                ran.code,
                if ran.timed_out { ", stuck" } else { "" },
                String::from_utf8_lossy(&ran.stdout),
                String::from_utf8_lossy(&ran.stderr)
            );
            round += 1;
        }
        round
    });
    println!("{} rounds", rounds.iter().sum::<usize>());
}
