//! Random programs (`generator`) under CPython and under Mini: both must print the same, the
//! traceback included of those that die.
//!
//! `MINI_CASES=20000 cargo test --test it against_python` compares so many; with `MINI_CASE=7` it
//! is seed 7 alone. On a difference the program is shrunk by leaving out lines for as long as the
//! difference stays.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;

use crate::process::{finish, in_parallel};
use crate::tracebacks::own_frames;
use crate::{generator, oracle};

/// Programs for one CPython process.
const BATCH: usize = 250;

/// A generated program takes a few milliseconds.
const PATIENCE: Duration = Duration::from_mins(2);

/// A generated program that takes longer under CPython is the generator's mistake.
const MAX_MS: f64 = 1000.0;

/// So many differing programs are shrunk and shown.
const SHOWN: usize = 12;

/// What CPython made of a program.
#[derive(Debug, Deserialize)]
struct Outcome {
    output: String,
    /// A traceback.
    error: Option<String>,
    time_ms: f64,
}

#[test]
fn random_programs_print_the_same_under_mini_and_python3() {
    let name = "random_programs";
    Comparison {
        name,
        make: generator::program,
        dies: false,
        ordinary: 150,
    }
    .run();
}

#[test]
fn programs_whose_classes_change_print_the_same_under_mini_and_python3() {
    let name = "programs_whose_classes_change";
    Comparison {
        name,
        make: generator::program_of_changing_classes,
        dies: false,
        // Each takes as long as three others.
        ordinary: 50,
    }
    .run();
}

#[test]
fn programs_that_die_have_the_same_tracebacks_under_mini_and_python3() {
    let name = "programs_that_die";
    Comparison {
        name,
        make: generator::program_that_dies,
        dies: true,
        ordinary: 150,
    }
    .run();
}

/// What tracebacks call the program.
const FILE: &str = "program.mini";

impl Outcome {
    /// What it printed, and its traceback without the library's frames and addresses.
    fn told(&self) -> String {
        let error = self.error.as_deref().unwrap_or_default();
        without_addresses(&(self.output.clone() + &own_frames(error, FILE)))
    }
}

/// A text in which all addresses of objects are the same.
fn without_addresses(text: &str) -> String {
    const MARK: &str = " at 0x";
    let mut parts = text.split(MARK);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out += MARK;
        out += part.trim_start_matches(|digit: char| digit.is_ascii_hexdigit());
    }
    out
}

/// Programs of one kind, compared.
#[derive(Clone, Copy)]
struct Comparison {
    /// The beginning of the test's name.
    name: &'static str,
    /// The program of a seed.
    make: fn(u64) -> String,
    /// Do they end in an uncaught exception?
    dies: bool,
    /// So many are compared in an ordinary run.
    ordinary: u64,
}

impl Comparison {
    fn run(self) {
        let python = match oracle::python() {
            Ok(python) => python,
            Err(reason) => {
                println!("not compared: {reason}");
                return;
            }
        };
        let seeds: Vec<u64> = oracle::cases(self.ordinary).collect();
        let batches: Vec<_> = seeds.chunks(BATCH).collect();
        let compared = in_parallel(&batches, |batch| self.differences(python, batch));
        let differing: Vec<(u64, String)> = compared.into_iter().flatten().collect();
        println!(
            "{} programs compared, {} differ",
            seeds.len(),
            differing.len()
        );
        let reports: Vec<_> = differing
            .iter()
            .take(SHOWN)
            .map(|(seed, program)| self.report(python, *seed, program))
            .collect();
        assert!(
            differing.is_empty(),
            "{} of {} programs differ: seeds {:?}\n\n{}",
            differing.len(),
            seeds.len(),
            differing.iter().map(|(seed, _)| seed).collect::<Vec<_>>(),
            reports.join("\n\n")
        );
    }

    /// The programs of these seeds that do not print the same.
    fn differences(self, python: &str, seeds: &[u64]) -> Vec<(u64, String)> {
        let programs: Vec<String> = seeds.iter().map(|seed| (self.make)(*seed)).collect();
        let outcomes = under_python(python, &programs);
        let mut found = Vec::new();
        for ((seed, program), outcome) in seeds.iter().zip(programs).zip(outcomes) {
            assert_eq!(
                outcome.error.is_some(),
                self.dies,
                "seed {seed} under CPython: {:?}\n{program}",
                outcome.error
            );
            assert!(
                outcome.time_ms < MAX_MS,
                "seed {seed} takes {} ms under CPython:\n{program}",
                outcome.time_ms
            );
            if self.under_mini(&program, *seed) != outcome.told() {
                found.push((*seed, program));
            }
        }
        found
    }

    /// What Mini prints, followed by how it ended if that was not well. One seed in three runs in a
    /// VM that collects, shares and checks all the time.
    fn under_mini(self, program: &str, seed: u64) -> String {
        let file = self.scratch(seed);
        fs::write(&file, program).expect("a program can be written to the tests' own directory");
        let ran = finish(
            Command::new(env!("CARGO_BIN_EXE_mini"))
                .args(["run", "--color", "never"])
                .args(seed.is_multiple_of(3).then_some("--stress"))
                .arg(&file),
            b"",
            PATIENCE,
        );
        fs::remove_file(&file).expect("the program's file is still there");
        let text = String::from_utf8_lossy(&ran.stdout).into_owned();
        let stderr = String::from_utf8_lossy(&ran.stderr);
        if ran.code == Some(i32::from(self.dies)) {
            let stderr = stderr.replace(&*file.to_string_lossy(), FILE);
            return without_addresses(&(text + &own_frames(&stderr, FILE)));
        }
        let how = if ran.timed_out { "killed" } else { "ended" };
        format!("{text}{how} with {:?}\n{stderr}", ran.code)
    }

    fn scratch(self, seed: u64) -> PathBuf {
        let (name, process) = (self.name, std::process::id());
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{process}-{seed}.mini"))
    }

    /// Seed, shrunk program, and both outputs.
    fn report(self, python: &str, seed: u64, program: &str) -> String {
        let small = self.shrink(python, seed, program);
        let theirs = under_python(python, std::slice::from_ref(&small));
        format!(
            "seed {seed}, again with: MINI_CASE={seed} cargo test --test it {}\n\
             --- program, shrunk\n{small}--- python3 prints\n{}--- mini prints\n{}",
            self.name,
            theirs[0].told(),
            self.under_mini(&small, seed)
        )
    }

    /// The program without every run of lines that the difference does not need: long runs first,
    /// single lines at the end. What is left must still run to its end under CPython, or die there.
    fn shrink(self, python: &str, seed: u64, program: &str) -> String {
        let mut lines: Vec<&str> = program.lines().collect();
        let mut length = lines.len() / 2;
        while length > 0 {
            let shorter: Vec<Vec<&str>> = (0..=lines.len().saturating_sub(length))
                .map(|from| [&lines[..from], &lines[(from + length).min(lines.len())..]].concat())
                .collect();
            let texts: Vec<String> = shorter.iter().map(|l| l.join("\n") + "\n").collect();
            let outcomes = under_python(python, &texts);
            let differing = texts.iter().zip(outcomes).position(|(text, outcome)| {
                self.is_alike(&outcome) && self.under_mini(text, seed) != outcome.told()
            });
            match differing {
                Some(at) => lines.clone_from(&shorter[at]),
                None => length = length * 4 / 5,
            }
            length = length.min(lines.len());
        }
        lines.join("\n") + "\n"
    }
}

impl Comparison {
    /// Does a shrunk program end as these do? One that is no longer a program does not.
    fn is_alike(self, outcome: &Outcome) -> bool {
        let spoilt = ["SyntaxError", "IndentationError", "NameError"];
        match &outcome.error {
            None => !self.dies,
            Some(error) => self.dies && !spoilt.iter().any(|it| error.contains(it)),
        }
    }
}

fn under_python(python: &str, programs: &[String]) -> Vec<Outcome> {
    let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/against_python.py");
    let input = serde_json::to_vec(programs).expect("text becomes JSON");
    let ran = finish(
        Command::new(python)
            .arg(driver)
            .env("PYTHONIOENCODING", "utf-8"),
        &input,
        PATIENCE * 15,
    );
    serde_json::from_slice(&ran.stdout).unwrap_or_else(|error| {
        let stderr = String::from_utf8_lossy(&ran.stderr);
        panic!("the batch gives no list ({error}): {stderr}")
    })
}
