//! Programs in a VM that collects garbage all the time, shares nearly everything with its forks,
//! and checks its whole heap around each collection (`--stress`): they must print what they print
//! otherwise, on both engines. An object that somebody forgot to mark, a handle that outlives what
//! it is of, a page in the wrong place: all of it shows here, where an ordinary run may go on for
//! days by luck.
//!
//! An ordinary run takes a share of the programs; with `MINI_CASES` it takes them all.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::examples::{classics, folder, promised};
use crate::process::{finish, in_parallel};
use crate::{lang, oracle};

/// One in so many programs runs on each engine in an ordinary run.
const SHARE: usize = 32;

/// Checking takes most of the time.
const PATIENCE: Duration = Duration::from_mins(10);

const ENGINES: [&str; 2] = ["run", "sim"];

#[test]
fn programs_print_the_same_where_garbage_is_always_collected() {
    let cases: Vec<(PathBuf, &str)> = lang::programs()
        .into_iter()
        .enumerate()
        .flat_map(|(at, program)| {
            let taken = move |engine: usize| {
                oracle::asked_for_more() || at % SHARE == engine * SHARE / ENGINES.len()
            };
            (0..ENGINES.len())
                .filter(move |&engine| taken(engine))
                .map(move |engine| (program.clone(), ENGINES[engine]))
        })
        .collect();
    let failures: Vec<String> = in_parallel(&cases, |(program, engine)| {
        lang::failure(program, &[engine, "--stress"]).map(|it| format!("{engine} {it}"))
    })
    .into_iter()
    .flatten()
    .collect();
    println!("{} runs, {} failed", cases.len(), failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn classics_print_the_same_where_garbage_is_always_collected() {
    let tour = std::fs::read_to_string(folder().join("README.md")).expect("the tour is there");
    let examples = classics();
    let share = if oracle::asked_for_more() {
        examples.len()
    } else {
        2
    };
    let cases: Vec<(&PathBuf, &str)> = examples
        .iter()
        .take(share)
        .flat_map(|example| ENGINES.map(|engine| (example, engine)))
        .collect();
    in_parallel(&cases, |(example, engine)| {
        let mut mini = Command::new(env!("CARGO_BIN_EXE_mini"));
        mini.args([engine, "--stress"]).arg(example);
        let ran = finish(&mut mini, b"", PATIENCE);
        assert_eq!(
            String::from_utf8_lossy(&ran.stdout),
            promised(&tour, example),
            "{engine} {}: {}",
            example.display(),
            String::from_utf8_lossy(&ran.stderr)
        );
    });
}
