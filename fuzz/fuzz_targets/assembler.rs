//! Any text through assembler, verifier and disassembler; what passes is run.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mini::bytecode::disassemble::{Options, disassemble};
use mini::compile::{assemble, is_always_linked};
use mini::source::Source;
use mini::vm::tuning::Tuning;
use mini_fuzz::{ENVIRONMENT, run, sound};

fuzz_target!(|text: &str| {
    let assembled = assemble(Source::new("fuzz.masm", text), &ENVIRONMENT);
    let Some(image) = sound(assembled, false) else {
        return;
    };
    let options = Options {
        source_lines: true,
        leave_out: &is_always_linked,
        ..Options::default()
    };
    let printed = disassemble(&image.program, options);
    let again = assemble(Source::new("again.masm", &printed), &ENVIRONMENT);
    assert!(again.diagnostics.is_empty(), "{:?}\n{printed}", again.diagnostics);
    assert_eq!(disassemble(&again.program, options), printed);
    run(&image, Tuning::USUAL);
});
