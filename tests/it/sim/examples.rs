//! The examples in the simulation: what each prints, its statistics and its timeline, as snapshots;
//! and the classics under every lock.

use crate::examples::{RULES, classics, folder, promised};
use crate::oracle;
use crate::process::{finish, in_parallel};
use mini::gil::preset::PRESETS;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_mins(2);

#[test]
fn each_example_prints_and_looks_as_it_did() {
    let entries = fs::read_dir(folder()).expect("examples/ is there");
    let mut examples: Vec<PathBuf> = entries
        .map(|entry| entry.expect("examples/ can be listed").path())
        .filter(|path| path.extension().is_some_and(|it| it == "mini"))
        .collect();
    examples.sort();
    assert_eq!(examples.len(), 25);
    let shown = in_parallel(&examples, |example| {
        let mut mini = Command::new(env!("CARGO_BIN_EXE_mini"));
        mini.args(["sim", "--gil", "cpython-3.12", "--cores", "4"])
            .args(["--stats", "--timeline", "--width", "100"])
            .arg(example.file_name().expect("it has a name"))
            .current_dir(folder());
        let ran = finish(&mut mini, b"", PATIENCE);
        format!(
            "{}--- exit code {}\n{}",
            String::from_utf8_lossy(&ran.stdout),
            ran.code.expect("it ended by itself"),
            String::from_utf8_lossy(&ran.stderr)
        )
    });
    for (example, shown) in examples.iter().zip(shown) {
        let name = example.file_stem().expect("it has a name");
        insta::with_settings!({
            snapshot_path => "../../snapshots/examples", prepend_module_to_snapshot => false, omit_expression => true,
        }, {
            insta::assert_snapshot!(name.to_string_lossy().into_owned(), shown);
        });
    }
}

/// Ten programs without races print what the tour says, whatever the lock: each preset, and the
/// rules under which they are run on real threads.
#[test]
fn the_classics_print_the_same_under_every_lock() {
    let tour = fs::read_to_string(folder().join("README.md")).expect("the tour is there");
    let mut cases = Vec::new();
    for (at, example) in classics().into_iter().enumerate() {
        let presets = PRESETS.iter().map(|it| it.name);
        for (of, gil) in presets.chain(RULES.iter().copied()).enumerate() {
            // CRuby's end of main kills the threads that are left; the classics join theirs.
            if oracle::asked_for_more() || (at + of) % 3 == 0 {
                cases.push((example.clone(), gil));
            }
        }
    }
    let wrong: Vec<String> = in_parallel(&cases, |(example, gil)| {
        let mut mini = Command::new(env!("CARGO_BIN_EXE_mini"));
        mini.args(["sim", "--gil", gil, "--schedule", "random", "--seed", "3"])
            .arg(example);
        let ran = finish(&mut mini, b"", PATIENCE);
        let printed = String::from_utf8_lossy(&ran.stdout);
        (printed != promised(&tour, example) || ran.code != Some(0))
            .then(|| format!("{} under {gil}: {printed}", example.display()))
    })
    .into_iter()
    .flatten()
    .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
