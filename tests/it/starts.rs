//! What `Thread.start` promises: it comes back when the new thread has begun, and that one keeps
//! the lock until it waits for something or its time is up. So what a short body does is done by
//! then. CPython 3.2 to 3.14 print so each time; under 2.7, in CRuby and without a lock the order
//! is open.

use crate::process::{finish, in_parallel};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_mins(2);

/// How each program runs: on both engines, under every lock that promises it.
const WAYS: &[&[&str]] = &[
    &["run", "--gil", "interval=5ms"],
    &["run", "--gil", "every=1000"],
    &["sim", "--gil", "every=1000", "--cores", "1"],
    &["sim", "--gil", "cpython-3.2", "--seed", "1"],
    &[
        "sim",
        "--gil",
        "cpython-3.9",
        "--schedule",
        "random",
        "--seed",
        "2",
    ],
    &[
        "sim",
        "--gil",
        "cpython-3.10",
        "--schedule",
        "pct:3",
        "--seed",
        "3",
    ],
    &["sim", "--gil", "cpython-3.11", "--cores", "1"],
    &[
        "sim",
        "--gil",
        "cpython-3.12",
        "--schedule",
        "random",
        "--seed",
        "4",
    ],
    &["sim", "--gil", "cpython-3.13", "--cores", "16"],
    &[
        "sim",
        "--gil",
        "cpython-3.14",
        "--schedule",
        "pct:3",
        "--seed",
        "5",
    ],
];

fn programs() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lang/starts");
    fs::read_dir(folder)
        .expect("the theme is there")
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.extension().is_some_and(|it| it == "mini"))
        .collect()
}

#[test]
fn a_short_body_is_over_when_start_comes_back() {
    let mut cases = Vec::new();
    for program in programs() {
        for way in WAYS {
            cases.push((program.clone(), *way));
        }
    }
    assert!(cases.len() >= 8 * WAYS.len(), "{}", cases.len());
    let failures: Vec<String> = in_parallel(&cases, |(program, way)| {
        let expected = fs::read_to_string(program.with_extension("out")).expect("it is there");
        let ran = finish(
            Command::new(env!("CARGO_BIN_EXE_mini"))
                .args(*way)
                .arg(program),
            b"",
            PATIENCE,
        );
        let (printed, said) = (
            String::from_utf8_lossy(&ran.stdout),
            String::from_utf8_lossy(&ran.stderr),
        );
        let name = program.file_name().map(|it| it.to_string_lossy());
        (*printed != expected).then(|| format!("{way:?} {name:?}:\n{printed}{said}"))
    })
    .into_iter()
    .flatten()
    .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Under 2.7 both orders are seen.
#[test]
fn under_2_7_either_thread_goes_on_first() {
    let program =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lang/starts/start_lets_child_run.mini");
    let seeds: Vec<u32> = (1..=20).collect();
    let printed = in_parallel(&seeds, |seed| {
        let ran = finish(
            Command::new(env!("CARGO_BIN_EXE_mini"))
                .args(["sim", "--gil", "cpython-2.7", "--schedule", "random"])
                .arg("--seed")
                .arg(seed.to_string())
                .arg(&program),
            b"",
            PATIENCE,
        );
        String::from_utf8_lossy(&ran.stdout).trim().to_owned()
    });
    let child_first = printed.iter().filter(|it| *it == "3").count();
    assert!((1..20).contains(&child_first), "{printed:?}");
}
