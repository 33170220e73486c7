//! Values made of the bytes (`builder.mini`), copied into another VM of the same program: there
//! they are the same, sharing and cycles included. Parcels come from Mini alone, so that no other
//! bytes reach the decoder.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mini::bytecode::op::GlobalIx;
use mini::compile::compile;
use mini::source::Source;
use mini::vm::parcel::{decode, encode};
use mini::vm::slice::{Reply, Budget, Stop, SysCall};
use mini::vm::value::ThreadId;
use mini::vm::tuning::Tuning;
use mini::vm::{Limits, Vm};
use mini_fuzz::{ENVIRONMENT, sound};

const MAIN: ThreadId = ThreadId(0);

/// Instructions until the value is there.
const INSTRUCTIONS: u64 = 1_000_000;

thread_local! {
    static READY: (Vm, usize) = ready();
}

/// A VM that waits for its line of input, and where it puts the value.
fn ready() -> (Vm, usize) {
    let script = Source::new("builder.mini", include_str!("builder.mini"));
    let image = sound(compile(script, &ENVIRONMENT), true).expect("the script is right");
    let program = &image.program;
    let own = program.modules[0].globals.iter();
    let mut named = own.filter(|(name, _)| &*program.names[name.0 as usize] == "value");
    let &(_, GlobalIx(value)) = named.next().expect("the script has it");
    let limits = Limits {
        tuning: Tuning {
            checks: true,
            ..Tuning::USUAL
        },
        ..Limits::default()
    };
    let mut vm = Vm::new(image.clone(), limits);
    loop {
        match vm.run(MAIN, Budget::Instructions(INSTRUCTIONS)).stop {
            Stop::Call(SysCall::ReadLine) => return (vm, value as usize),
            Stop::Call(_) => vm.answer(MAIN, Reply::None),
            other => panic!("the script reads a line: {other:?}"),
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    READY.with(|(ready, value)| survives(bytes, ready, *value));
});

/// Builds the value in a copy of this VM, and copies it into another.
fn survives(bytes: &[u8], ready: &Vm, value: usize) {
    let mut sender = ready.clone();
    // A character for each byte, none of which ends a line.
    let line: String = bytes
        .iter()
        .map(|&byte| char::from_u32(0x100 + u32::from(byte)).expect("a letter"))
        .collect();
    sender.answer(MAIN, Reply::Text((line + "\n").into()));
    match sender.run(MAIN, Budget::Instructions(INSTRUCTIONS)).stop {
        Stop::Finished { report: None, .. } => {}
        other => panic!("the script builds a value: {other:?}"),
    }
    let mut receiver = sender.clone();
    let built = sender.globals[value];
    match encode(&mut sender, built) {
        Ok(parcel) => {
            let copy = decode(&mut receiver, &parcel).expect("all classes are where they were");
            receiver.globals[value] = copy;
            receiver.collect();
            assert!(receiver == sender, "the copy differs");
        }
        Err(refused) => panic!("nothing in it is refused: {refused:?}"),
    }
}
