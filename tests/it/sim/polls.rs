//! Where the holder looks at the lock, construct by construct and version by version: each cell is
//! measured by a program that counts what another thread sees in the window. What CPython 3.8 to
//! 3.13 print was seen on the real interpreters (60,000 turns each); 3.14's cells are read in its
//! source (`LOAD_SPECIAL` and `CALL` in `Python/bytecodes.c`).

use crate::process::{finish, in_parallel};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_mins(2);

/// What is entered, and the versions that look between its `__enter__` and the body.
const ENTERS: &[(&str, &[&str])] = &[
    ("Lock", &["3.8", "3.9", "3.14"]),
    ("RLock", &["3.8", "3.9", "3.14"]),
    ("Condition", VERSIONS),
    ("Semaphore", VERSIONS),
];

const VERSIONS: &[&str] = &["3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14"];

fn program(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/sim/polls");
    folder.join(name).to_string_lossy().into_owned()
}

fn printed(args: &[&str]) -> String {
    let mut mini = Command::new(env!("CARGO_BIN_EXE_mini"));
    let ran = finish(mini.args(args), b"", PATIENCE);
    let said = String::from_utf8_lossy(&ran.stderr);
    String::from_utf8_lossy(&ran.stdout).trim().to_owned() + &said
}

#[test]
fn whether_the_holder_looks_after_enter_depends_on_what_and_when() {
    let mut cells = Vec::new();
    for (kind, looking) in ENTERS {
        for version in VERSIONS {
            cells.push((*kind, *version, looking.contains(version)));
        }
    }
    let script = program("enter.mini");
    let wrong: Vec<String> = in_parallel(&cells, |&(kind, version, looks)| {
        let gil = format!("cpython-{version}");
        let seen = printed(&["sim", "--gil", &gil, &script, kind, "30000"]);
        let expected = if looks { "seen" } else { "never seen" };
        (seen != expected).then(|| format!("{kind} under {version}: {seen}"))
    })
    .into_iter()
    .flatten()
    .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Real threads under the rules of 3.11.
#[test]
fn real_threads_look_after_builtins_and_not_after_the_enter_of_a_lock() {
    let run = |script: &str, args: &[&str]| {
        let script = program(script);
        printed(&[&["run", "--gil", "interval=1us", script.as_str()], args].concat())
    };
    for kind in ["Lock", "RLock"] {
        assert_eq!(run("enter.mini", &[kind, "20000"]), "never seen", "{kind}");
    }
    assert_eq!(run("builtins.mini", &["50000"]), "seen");
}
