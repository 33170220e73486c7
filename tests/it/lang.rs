//! Runs every program under `tests/lang` (but `refused` and `syntax_errors`, which have their own
//! tests) and compares what it prints with `name.out` (of programs named `unordered_*` the lines
//! are sorted first), and how a program named `err_*` ends with `name.err`. The expectations are
//! CPython's (`tests/lang/regenerate.py`); a share of them is asked of CPython again, all of them
//! with `MINI_CASES` set.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::oracle;
use crate::process::{Finished, finish, in_parallel};

/// No program of the suite takes a tenth of it.
const PATIENCE: Duration = Duration::from_mins(2);

/// One in so many expectations is asked of CPython in an ordinary run.
const SHARE: usize = 12;

#[test]
fn every_program_prints_what_cpython_prints() {
    let programs = programs();
    let failures: Vec<String> = in_parallel(&programs, |program| failure(program, &["run"]))
        .into_iter()
        .flatten()
        .collect();
    println!("{} programs ran, {} failed", programs.len(), failures.len());
    assert!(
        failures.is_empty(),
        "{} of {} programs failed\n\n{}",
        failures.len(),
        programs.len(),
        failures.join("\n\n")
    );
}

#[test]
fn expectations_are_what_python3_prints_today() {
    let python = match oracle::python() {
        Ok(python) => python,
        Err(reason) => {
            println!("not compared: {reason}");
            return;
        }
    };
    let share: Vec<_> = programs()
        .into_iter()
        .enumerate()
        .filter(|(at, _)| oracle::asked_for_more() || at % SHARE == 0)
        .map(|(_, program)| program)
        .collect();
    let mut command = Command::new(python);
    command
        .arg(root().join("regenerate.py"))
        .arg("--check")
        .args(&share);
    let told = finish(&mut command, b"", PATIENCE * 15);
    println!("{} expectations asked of python3", share.len());
    assert_eq!(
        told.code,
        Some(0),
        "{}",
        String::from_utf8_lossy(&told.stderr)
    );
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lang")
}

/// Every program that has an expectation, in a fixed order.
pub(crate) fn programs() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let themes = fs::read_dir(root()).expect("tests/lang is there");
    for theme in themes.map(|entry| entry.expect("tests/lang can be listed").path()) {
        if !theme.is_dir() || theme.ends_with("refused") || theme.ends_with("syntax_errors") {
            continue;
        }
        let files = fs::read_dir(&theme).expect("a theme can be listed");
        found.extend(
            files
                .map(|entry| entry.expect("a theme can be listed").path())
                .filter(|path| path.extension().is_some_and(|e| e == "mini")),
        );
    }
    found.sort();
    assert!(found.len() >= 250, "only {} programs found", found.len());
    found
}

/// What is wrong with how this program ran as these arguments say, or None.
pub(crate) fn failure(program: &Path, arguments: &[&str]) -> Option<String> {
    let input = fs::read(program.with_extension("in")).unwrap_or_default();
    let expected = fs::read(program.with_extension("out")).expect("each program has its .out");
    let mut mini = Command::new(env!("CARGO_BIN_EXE_mini"));
    mini.args(arguments).args(["--color", "never"]).arg(program);
    let mut ran = finish(&mut mini, &input, PATIENCE);
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    if name.starts_with("unordered_") {
        let mut lines: Vec<_> = ran.stdout.split_inclusive(|&byte| byte == b'\n').collect();
        lines.sort_unstable();
        ran.stdout = lines.concat();
    }
    let wrong = complaint(program, &expected, &ran)?;
    let name = program.strip_prefix(root()).unwrap_or(program).display();
    Some(format!("{name}: {wrong}"))
}

fn complaint(program: &Path, expected: &[u8], ran: &Finished) -> Option<String> {
    if ran.timed_out {
        return Some(format!("killed after {} s", PATIENCE.as_secs()));
    }
    if ran.stdout != expected {
        return Some(first_difference(expected, ran));
    }
    let error = program.with_extension("err");
    let code = i32::from(error.exists());
    if ran.code != Some(code) {
        return Some(format!(
            "exit code {:?} instead of {code}\n{}",
            ran.code,
            ending(&ran.stderr)
        ));
    }
    if error.exists() {
        let expected = fs::read_to_string(error).expect("an .err file is text");
        let last = ran.last_line_of_stderr();
        if last != expected.trim_end_matches('\n') {
            return Some(format!("ends in {last:?} instead of {expected:?}"));
        }
    }
    None
}

fn first_difference(expected: &[u8], ran: &Finished) -> String {
    let expected = String::from_utf8_lossy(expected);
    let printed = String::from_utf8_lossy(&ran.stdout);
    let (mut theirs, mut ours) = (expected.split('\n'), printed.split('\n'));
    let mut number = 0;
    loop {
        number += 1;
        let (python, mini) = (theirs.next(), ours.next());
        if python != mini || python.is_none() {
            return format!(
                "line {number} of the output differs\n  python: {}\n  mini:   {}\n{}",
                python.unwrap_or("(nothing)"),
                mini.unwrap_or("(nothing)"),
                ending(&ran.stderr)
            );
        }
    }
}

/// The last lines of what a program said on its standard error.
fn ending(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<_> = text.trim_end().lines().collect();
    let from = lines.len().saturating_sub(6);
    lines[from..]
        .iter()
        .map(|line| format!("  | {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}
