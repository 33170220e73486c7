//! Time and memory of the front end are in proportion to the text: every construct of the language
//! (`growth::shapes`), sixteen times as often, takes about sixteen times as many bytes of memory,
//! and as many instructions of the processor.
//!
//! Memory is counted for each thread by the allocator of the tests (`allocation_counter`), and
//! comes out the same every time. What takes time takes memory as a rule, and where it does not,
//! counted instructions show it: with `MINI_CASES` set, and where `valgrind` is on the machine,
//! `mini check` runs under it (in release, half an hour).

mod shapes;

use crate::process::{finish, in_parallel};
use crate::{front, oracle};
use allocation_counter::{AllocationInfo, measure};
use mini::bytecode::verify::verify;
use mini::compile::compile;
use mini::source::Source;
use shapes::{SHAPES, Shape};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Repetitions of the text that shows what a run takes in any case, of the short one, and how many
/// times as many the long one has.
const NONE: usize = 24;
const COUNT: usize = 64;
const FACTOR: usize = 16;

/// The long text may take so much more than in proportion: sorting is part of the work, and buffers
/// double.
const LEEWAY: f64 = 2.0;

/// Most bytes of memory at a time for each byte of text.
const BYTES_PER_BYTE: u64 = 1_000;

/// The numbers of one shape that are compared: for the short and the long text.
struct Growth {
    name: &'static str,
    what: &'static str,
    short: u64,
    long: u64,
    /// How many times as long the long text is.
    text: f64,
}

impl Growth {
    /// Has it grown faster than the text? `free` is what may be neglected.
    fn is_too_fast(&self, free: u64) -> bool {
        let allowed = self.short.max(free) as f64 * self.text * LEEWAY;
        self.long as f64 > allowed
    }

    fn line(&self) -> String {
        let Growth {
            name,
            what,
            short,
            long,
            text,
        } = self;
        let times = *long as f64 / (*short).max(1) as f64;
        format!(
            "{name}: {short} {what} became {long}, {times:.0} times as many for a text {text:.0} times as long"
        )
    }
}

fn counts() -> [usize; 3] {
    [NONE, COUNT, COUNT * FACTOR]
}

/// How many times as long the long text is as the short one, what all have left aside.
fn times(none: &str, short: &str, long: &str) -> f64 {
    (long.len() - none.len()) as f64 / (short.len() - none.len()) as f64
}

/// What the whole front end allocates for a text.
fn allocations(text: &str) -> AllocationInfo {
    measure(|| {
        let compiled = compile(Source::new("growth.mini", text), &front::ENVIRONMENT);
        if compiled.diagnostics.is_empty() {
            verify(compiled.program).expect("what the compiler makes is sound");
        }
    })
}

#[test]
fn memory_grows_with_the_text() {
    let found = in_parallel(SHAPES, |shape| {
        let [none, short, long] = counts().map(|count| shape.text(count));
        // What is made once and kept belongs to no text.
        allocations(&none);
        let [nothing, before, after] = [&none, &short, &long].map(|text| allocations(text));
        let growth = |what, number: fn(&AllocationInfo) -> u64| Growth {
            name: shape.name,
            what,
            short: number(&before).saturating_sub(number(&nothing)),
            long: number(&after).saturating_sub(number(&nothing)),
            text: times(&none, &short, &long),
        };
        let total = growth("bytes allocated", |info| info.bytes_total);
        let peak = growth("bytes at a time", |info| info.bytes_max);
        let mut wrong = Vec::new();
        for growth in [&total, &peak] {
            if growth.is_too_fast(50 * short.len() as u64) {
                wrong.push(growth.line());
            }
        }
        if peak.long > BYTES_PER_BYTE * long.len() as u64 {
            let bytes = peak.long / long.len() as u64;
            wrong.push(format!("{}: {bytes} bytes for each of text", shape.name));
        }
        wrong
    });
    let found: Vec<String> = found.into_iter().flatten().collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn instructions_grow_with_the_text() {
    if !oracle::asked_for_more() {
        return;
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("not counted: no valgrind on this machine");
        return;
    }
    let found = in_parallel(SHAPES, grown);
    let found: Vec<String> = found.into_iter().flatten().collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// What is wrong with the instructions that a shape takes.
fn grown(shape: &Shape) -> Option<String> {
    let texts = counts().map(|count| shape.text(count));
    let [none, short, long] = &texts;
    let text = times(none, short, long);
    let [nothing, short, long] = [none, short, long].map(|text| {
        let file = format!("{}_{}", shape.name.replace(' ', "_"), text.len());
        instructions(&file, text)
    });
    let growth = Growth {
        name: shape.name,
        what: "instructions",
        short: short.saturating_sub(nothing),
        long: long.saturating_sub(nothing),
        text,
    };
    // What a run takes in any case differs a little from run to run, by where memory happens to be.
    growth
        .is_too_fast(100_000 + nothing / 50)
        .then(|| growth.line())
}

/// The instructions of the processor that `mini check` takes for a text.
fn instructions(name: &str, text: &str) -> u64 {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("growth_{name}.mini"));
    fs::write(&file, text).expect("the tests' own directory can be written to");
    let ran = finish(
        Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(env!("CARGO_BIN_EXE_mini"))
            .arg("check")
            .arg(&file),
        b"",
        Duration::from_mins(10),
    );
    fs::remove_file(&file).expect("the file is still there");
    let said = String::from_utf8_lossy(&ran.stderr);
    let collected = said
        .lines()
        .find_map(|line| line.split_once("Collected : "))
        .unwrap_or_else(|| panic!("{name}: valgrind counts: {said}"));
    collected.1.trim().parse().expect("a number")
}
