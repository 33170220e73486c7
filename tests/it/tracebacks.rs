//! How runs end that an exception ends: each program of `tests/lang/tracebacks.txt` has its whole
//! traceback in a snapshot, and is held against CPython's, frame by frame and caret by caret.
//! Frames of the standard library are left out: they are different code.

use crate::process::{finish, in_parallel};
use crate::{front, oracle};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_mins(2);

/// One in so many is asked of CPython in an ordinary run.
const SHARE: usize = 12;

/// The first line of a program whose traceback is known to be another one in CPython.
const DIFFERENT: &str = "# Not as in CPython: ";

const FILE: &str = "case.mini";

#[test]
fn every_runtime_error_has_its_traceback() {
    let cases = cases();
    let told = in_parallel(&cases, |(at, text)| {
        let (report, code) = mini(*at, text);
        format!("{text}\n=> {code:?}\n{report}")
    });
    front::settings().bind(|| insta::assert_snapshot!("tracebacks", told.join("\n")));
}

#[test]
fn tracebacks_are_those_of_cpython() {
    let python = match oracle::python() {
        Ok(python) => python,
        Err(reason) => {
            println!("not compared: {reason}");
            return;
        }
    };
    let cases: Vec<_> = cases()
        .into_iter()
        .filter(|(at, _)| oracle::asked_for_more() || at % SHARE == 0)
        .collect();
    let wrong: Vec<String> = in_parallel(&cases, |(at, text)| {
        let mut command = Command::new(python);
        command.args(["-W", "ignore"]);
        let theirs = end(command, &folder(&format!("python_{at}"), text));
        let ours = mini(*at, text);
        ((ours == theirs) == text.starts_with(DIFFERENT))
            .then(|| format!("{text}\n--- python3: {theirs:?}\n--- mini:    {ours:?}"))
    })
    .into_iter()
    .flatten()
    .collect();
    println!("{} tracebacks compared", cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn cases() -> Vec<(usize, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lang/tracebacks.txt");
    let text = fs::read_to_string(path).expect("the programs are there");
    let cases: Vec<_> = text
        .trim_end()
        .split("\n---\n")
        .map(str::to_owned)
        .enumerate()
        .collect();
    assert!(cases.len() > 300, "{}", cases.len());
    cases
}

/// A folder with the program in it.
fn folder(name: &str, text: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("tracebacks")
        .join(name);
    fs::create_dir_all(&folder).expect("the folder for tests can be written to");
    fs::write(folder.join(FILE), format!("{text}\n")).expect("the folder can be written to");
    folder
}

fn mini(at: usize, text: &str) -> (String, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mini"));
    command.args(["run", "--color", "never"]);
    end(command, &folder(&format!("mini_{at}"), text))
}

/// What a run of the program in this folder says at its end, and its exit code.
fn end(mut command: Command, folder: &Path) -> (String, Option<i32>) {
    let done = finish(command.arg(FILE).current_dir(folder), b"", PATIENCE);
    assert!(!done.timed_out, "{} does not end", folder.display());
    let told = String::from_utf8_lossy(&done.stderr).replace(&format!("{}/", folder.display()), "");
    (own_frames(&told, FILE), done.code)
}

/// A traceback without the frames that are not of this file.
pub(crate) fn own_frames(told: &str, file: &str) -> String {
    let mut report = String::new();
    let mut foreign = false;
    for line in told.lines() {
        if let Some(frame) = line.strip_prefix("  File \"") {
            foreign = !frame.starts_with(file);
        } else if !line.starts_with("    ") {
            foreign = false;
        }
        if !foreign {
            report.push_str(line);
            report.push('\n');
        }
    }
    report
}
