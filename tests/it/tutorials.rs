//! The tutorials of `tests/lang/stdlib` in the simulated engine: under every preset they print what
//! CPython prints (`lang` compares the real engine), and a second run prints the same bytes.
//!
//! An ordinary run takes a few presets for each program, in turn; with `MINI_CASES` it takes all.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use mini::gil::preset::PRESETS;

use crate::oracle;
use crate::process::{finish, in_parallel};

/// Rules of Mini's own, beside the presets.
const RULES: &[&str] = &["every=1", "every=1000", "ticks=100", "interval=5ms", "off"];

/// How many of all rules an ordinary run tries on each program.
const SHARE: usize = 2;

/// The presets of all interpreters, and Mini's own rules.
fn rules() -> Vec<&'static str> {
    let presets = PRESETS.iter().map(|preset| preset.name);
    presets.chain(RULES.iter().copied()).collect()
}

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
    let rules = rules();
    let share = if oracle::asked_for_more() {
        rules.len()
    } else {
        SHARE
    };
    let cases: Vec<(PathBuf, &str)> = tutorials()
        .into_iter()
        .enumerate()
        .flat_map(|(at, program)| {
            let own = (0..share).map(move |turn| at * share + turn);
            own.map(move |turn| (program.clone(), turn))
        })
        .map(|(program, turn)| (program, rules[turn % rules.len()]))
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
