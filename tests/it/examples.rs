//! The examples whose output does not depend on the schedule print what the tour
//! (`examples/README.md`) says, under every rule of the lock, and what CPython prints where there
//! is one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::oracle;
use crate::process::{finish, in_parallel};

const PATIENCE: Duration = Duration::from_mins(2);

pub(crate) const RULES: &[&str] = &["every=1000", "every=7", "interval=1ms", "ticks=100"];

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// The classics, in order: 16 to 25.
pub(crate) fn classics() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).expect("examples/ is there");
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.expect("examples/ can be listed").path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let number = name.get(..2).and_then(|it| it.parse::<u32>().ok());
            number.is_some_and(|it| (16..=25).contains(&it))
        })
        .collect();
    found.sort();
    assert_eq!(found.len(), 10);
    found
}

/// What the tour says that an example prints.
pub(crate) fn promised(tour: &str, example: &Path) -> String {
    let name = example.file_name().unwrap_or_default().to_string_lossy();
    let begin = format!("$ mini run examples/{name}\n");
    let (_, rest) = tour
        .split_once(&begin)
        .unwrap_or_else(|| panic!("the tour does not show {name}"));
    let (text, _) = rest.split_once("```").expect("what is shown has an end");
    text.to_owned()
}

fn output(command: &mut Command, example: &Path) -> String {
    let ran = finish(command.arg(example), b"", PATIENCE);
    assert_eq!(
        ran.code,
        Some(0),
        "{}: {}",
        example.display(),
        String::from_utf8_lossy(&ran.stderr)
    );
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

#[test]
fn the_classics_print_what_the_tour_says() {
    let tour = fs::read_to_string(folder().join("README.md")).expect("the tour is there");
    let cases: Vec<(PathBuf, &str)> = classics()
        .into_iter()
        .flat_map(|example| RULES.iter().map(move |rules| (example.clone(), *rules)))
        .collect();
    in_parallel(&cases, |(example, rules)| {
        let mut mini = Command::new(env!("CARGO_BIN_EXE_mini"));
        let printed = output(mini.args(["run", "--gil", rules]), example);
        assert_eq!(
            printed,
            promised(&tour, example),
            "{} under {rules}",
            example.display()
        );
    });
}

#[test]
fn the_classics_print_the_same_under_python3() {
    let Ok(python) = oracle::python() else {
        println!("not compared: no python3 3.11 on this machine");
        return;
    };
    let tour = fs::read_to_string(folder().join("README.md")).expect("the tour is there");
    in_parallel(&classics(), |example| {
        assert_eq!(
            output(&mut Command::new(python), example),
            promised(&tour, example)
        );
    });
}
