//! Programs of the suite with small changes, as scripts and as assembly text, compiled and run on
//! the simulated engine within narrow bounds. Most of them go wrong; none of them may make Mini go
//! wrong: no panic, no hang, no message whose place is not in the text.
//!
//! `MINI_CASES=10000 cargo test --test it mutants` runs so many of each.

use crate::front::ENVIRONMENT;
use crate::sim::machine::Machine;
use crate::{cases, lang, mutation, properties};
use arbtest::arbitrary::{Result, Unstructured};
use mini::bytecode::disassemble::{Options, disassemble};
use mini::bytecode::verify::verify;
use mini::compile::{Compiled, assemble, compile};
use mini::engine::outcome::{End, RunLimits};
use mini::source::Source;
use mini::vm::Limits;
use mini::vm::builtins;
use mini::vm::link::Image;
use mini::vm::tuning::Tuning;
use std::cell::Cell;
use std::sync::Arc;

/// Longer programs would be changed where they never come to.
const MAX_BYTES: usize = 8_000;

/// Instructions of a run; most programs of the suite end before. Checking the heap all the time
/// takes a hundred times as long.
const INSTRUCTIONS: u64 = 60_000;
const CHECKED_INSTRUCTIONS: u64 = 4_000;

const LOCKS: &[&str] = &[
    "every=1",
    "every=1000",
    "cpython-2.7",
    "cpython-3.9",
    "cpython-3.12",
    "cpython-3.13t",
    "cruby-3.3",
];

fn programs() -> Vec<String> {
    lang::programs()
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .filter(|text| text.len() < MAX_BYTES)
        .collect()
}

/// Counts the cases that ran, so that a mutation which spoils everything is seen.
#[derive(Default)]
struct Tally {
    all: Cell<u64>,
    ran: Cell<u64>,
}

impl Tally {
    fn count(&self, ran: bool) {
        self.all.set(self.all.get() + 1);
        self.ran.set(self.ran.get() + u64::from(ran));
    }

    /// About a fifth of the assembly programs and two thirds of the scripts survive a change. The
    /// bound lies far below, since each program added to the suite draws other changes.
    fn assert_some_ran(&self) {
        let (ran, all) = (self.ran.get(), self.all.get());
        println!("{ran} of {all} mutants ran");
        assert!(all < 100 || ran * 20 >= all, "{ran} of {all}");
    }
}

#[test]
fn mutated_scripts_end_within_their_bounds() {
    let programs = programs();
    let tally = Tally::default();
    cases::run("mutated_scripts_end_within_their_bounds", 150, 400, |u| {
        let mut text = u.choose(&programs)?.clone();
        if u.ratio(1, 4)? {
            mutation::characters(&mut text, properties::PIECES, u)?;
        } else {
            mutation::tokens(&mut text, u.choose(&programs)?, u)?;
        }
        let compiled = compile(Source::new("mutant.mini", &text), &ENVIRONMENT);
        tally.count(compiled.diagnostics.is_empty());
        ends(compiled, true, u)
    });
    tally.assert_some_ran();
}

#[test]
fn mutated_assembly_ends_within_its_bounds() {
    let programs = programs();
    let tally = Tally::default();
    cases::run("mutated_assembly_ends_within_its_bounds", 150, 400, |u| {
        let script = u.choose(&programs)?;
        let compiled = compile(Source::new("mutant.mini", script), &ENVIRONMENT);
        if !compiled.diagnostics.is_empty() {
            return Ok(());
        }
        let own = Options {
            source_lines: false,
            leave_out: &|name| mini::stdlib::embedded(name).is_some(),
            ..Options::default()
        };
        let mut text = disassemble(&compiled.program, own);
        let from = text.clone();
        if u.ratio(1, 8)? {
            mutation::characters(&mut text, properties::PIECES, u)?;
        } else {
            mutation::tokens(&mut text, &from, u)?;
        }
        let assembled = assemble(Source::new("mutant.masm", &text), &ENVIRONMENT);
        let passes = assembled.diagnostics.is_empty() && verify(assembled.program.clone()).is_ok();
        tally.count(passes);
        ends(assembled, false, u)
    });
    tally.assert_some_ran();
}

/// Looks at the messages, and runs the program where there are none. Code from the compiler is
/// `promised` to pass the verifier.
fn ends(compiled: Compiled, promised: bool, u: &mut Unstructured<'_>) -> Result<()> {
    properties::messages_are_sound(&compiled);
    if !compiled.diagnostics.is_empty() {
        return Ok(());
    }
    let image = match verify(compiled.program) {
        Ok(verified) => Arc::new(Image::new(&verified, builtins::table())),
        Err(faults) => {
            assert!(!promised, "{}", faults[0]);
            return Ok(());
        }
    };
    let checked = u.ratio(1, 8)?;
    let instructions = if checked {
        CHECKED_INSTRUCTIONS
    } else {
        INSTRUCTIONS
    };
    let machine = Machine {
        cores: u.int_in_range(1..=4)?,
        limits: Limits {
            memory_bytes: 16 << 20,
            recursion: 150,
            threads: 50,
            tuning: if checked {
                Tuning::STRESS
            } else {
                Tuning::USUAL
            },
        },
        run_limits: RunLimits {
            processes: 8,
            instructions: Some(instructions),
            output_bytes: Some(256 << 10),
            ..RunLimits::default()
        },
        ..Machine::under(u.choose(LOCKS)?).random(u.arbitrary()?)
    };
    let end = machine.run(&image).outcome.end;
    assert!(!matches!(end, End::Bug(_)), "{end:?}");
    Ok(())
}
