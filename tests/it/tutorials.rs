//! The tutorials of `tests/lang/stdlib` in the simulated engine: under every preset they print what CPython prints (`lang` compares the real engine), and a second run
//! prints the same bytes.
//!
//! An ordinary run takes one preset for each program, in turn; with `MINI_CASES` it takes all.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::oracle;
use crate::process::{finish, in_parallel};

/// An interpreter of each kind.
const PRESETS: &[&str] = &[
    "cpython-2.7",
    "cpython-3.9",
    "cpython-3.10",
    "cpython-3.12",
    "cpython-3.13",
    "cpython-3.13t",
    "cruby-3.2",
    "cruby-3.3",
];

const PATIENCE: Duration = Duration::from_mins(2);

fn tutorials() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lang/stdlib");
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .expect("tests/lang/stdlib is there")
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.extension().is_some_and(|it| it == "mini"))
        .collect();
    found.sort();
    assert!(found.len() >= 60, "only {} tutorials found", found.len());
    found
}

fn simulate(program: &Path, preset: &str) -> Vec<u8> {
    let mut mini = Command::new(env!("CARGO_BIN_EXE_mini"));
    mini.args(["sim", "--gil", preset]).arg(program);
    let ran = finish(&mut mini, b"", PATIENCE);
    assert_eq!(
        ran.code,
        Some(0),
        "{} under {preset}{}\n{}",
        program.display(),
        if ran.timed_out { ": stuck" } else { "" },
        String::from_utf8_lossy(&ran.stderr)
    );
    ran.stdout
}

/// The lines in order of the alphabet, where their own order is the scheduler's.
fn comparable(program: &Path, text: &[u8]) -> Vec<u8> {
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    if !name.starts_with("unordered_") {
        return text.to_vec();
    }
    let mut lines: Vec<_> = text.split_inclusive(|&byte| byte == b'\n').collect();
    lines.sort_unstable();
    lines.concat()
}

#[test]
fn tutorials_print_the_same_in_the_simulation() {
    let cases: Vec<(PathBuf, &str)> = tutorials()
        .into_iter()
        .enumerate()
        .flat_map(|(at, program)| {
            let presets = if oracle::asked_for_more() {
                PRESETS
            } else {
                let own = at % PRESETS.len();
                &PRESETS[own..=own]
            };
            presets.iter().map(move |&preset| (program.clone(), preset))
        })
        .collect();
    in_parallel(&cases, |(program, preset)| {
        let expected = fs::read(program.with_extension("out")).expect("each has its .out");
        let first = simulate(program, preset);
        assert_eq!(
            String::from_utf8_lossy(&comparable(program, &first)),
            String::from_utf8_lossy(&expected),
            "{} under {preset}",
            program.display()
        );
        assert!(
            simulate(program, preset) == first,
            "{} under {preset}: another run, another output",
            program.display()
        );
    });
}
