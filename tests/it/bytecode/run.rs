//! Arbitrary verified programs on the VM: no panic, no hang, no more memory than allowed, and no
//! instruction more than the budget. The engine is a small one that answers every call at once and
//! runs whichever thread is drawn.

use super::arbitrary;
use crate::cases;
use arbtest::arbitrary::{Result, Unstructured};
use mini::bytecode::assemble::{Surroundings, assemble};
use mini::bytecode::code::Program;
use mini::bytecode::disassemble::{Options, disassemble};
use mini::bytecode::verify::verify;
use mini::compile::{Environment, compile};
use mini::source::Source;
use mini::vm::builtins::{is_builtin, table};
use mini::vm::class::Type;
use mini::vm::fault::Fault;
use mini::vm::link::Image;
use mini::vm::slice::{Budget, Reply, Stop, SysCall};
use mini::vm::thread::Status;
use mini::vm::tuning::Tuning;
use mini::vm::value::ThreadId;
use mini::vm::{Limits, Vm};
use std::fmt::Write as _;
use std::sync::Arc;

const LIMITS: Limits = Limits {
    memory_bytes: 1 << 20,
    recursion: 100,
    threads: 8,
    tuning: Tuning::USUAL,
};

/// Instructions of all threads together.
const BUDGET: u64 = 5_000;

/// The library that builtins need, compiled.
fn library() -> Program {
    let environment = Environment {
        is_builtin,
        embedded: mini::stdlib::embedded,
        frozen: Some(&mini::stdlib::BUILTINS),
    };
    compile(Source::new("<none>", ""), &environment).program
}

/// A VM that is about to run this text.
fn loaded(text: &str, library: &Program) -> Vm {
    let surroundings = Surroundings {
        is_builtin: &is_builtin,
        is_embedded: &|_| false,
        link: &|_| Some(library.clone()),
    };
    let assembled = assemble(Source::new("arbitrary.masm", text), &surroundings);
    let diagnostics = assembled.diagnostics;
    assert!(diagnostics.is_empty(), "{diagnostics:?}\n{text}");
    let verified =
        verify(assembled.program).unwrap_or_else(|faults| panic!("{}\n{text}", faults[0]));
    Vm::new(Arc::new(Image::new(&verified, table())), LIMITS)
}

/// Natives that a program can name, those of the library included.
fn natives() -> impl Iterator<Item = &'static str> {
    table()
        .iter()
        .filter(|(_, native)| native.owner.is_none())
        .map(|(_, native)| native.name)
        .filter(|name| is_builtin(name))
}

#[test]
fn arbitrary_verified_programs_run_within_their_bounds() {
    let library = library();
    let types = Type::ALL
        .iter()
        .map(|it| it.name())
        .filter(|name| is_builtin(name));
    let builtins: Vec<&str> = natives().chain(types).collect();
    let name = "arbitrary_verified_programs_run_within_their_bounds";
    cases::run(name, 1_000, 6_000, |u| {
        let program = arbitrary::program(u, &builtins)?;
        if verify(program.clone()).is_err() {
            return Ok(());
        }
        let text = disassemble(&program, Options::default());
        drive(loaded(&text, &library), u)
    });
}

/// The library keeps the state of some natives, and checks what it passes them; a text need do
/// neither.
#[test]
fn natives_refuse_what_they_cannot_take() {
    const CALLS: u32 = 5;
    let library = library();
    let natives: Vec<&str> = natives().collect();
    cases::run("natives_refuse_what_they_cannot_take", 1_500, 1_000, |u| {
        let (mut guards, mut text) = (String::new(), String::new());
        for call in 0..CALLS {
            let native = *u.choose(&natives)?;
            let wanted = table().iter().find(|(_, it)| it.name == native);
            let wanted = wanted.map_or("", |(_, it)| it.signature).split(", ");
            let wanted = wanted.filter(|it| !matches!(*it, "" | "/" | "*")).count() as u32;
            let count = if u.ratio(1, 8)? { wanted + 1 } else { wanted };
            writeln!(guards, ".guard L{call} .. E{call} -> E{call}, r0").expect(FITS);
            writeln!(text, "L{call}: const r1, {native}").expect(FITS);
            for at in 0..count {
                argument(u, &mut text, 2 + at, 20, 0)?;
            }
            // What it leaves behind in its arguments must do for the next call, too.
            for first in [10, 20] {
                for at in 0..=count {
                    writeln!(text, "move r{}, r{}", first + at, 1 + at).expect(FITS);
                }
            }
            for first in [1, 10, 20] {
                writeln!(text, "call r0, r{first}, {count}").expect(FITS);
            }
            writeln!(text, "E{call}: none r0").expect(FITS);
        }
        let text = format!(".module __main__\n.registers 40\n{guards}{text}ret r0\n");
        drive(loaded(&text, &library), u)
    });
}

const FITS: &str = "a string takes all";

/// Puts a value into a register: mostly small numbers and lists of them, which is what natives of
/// the library are given.
fn argument(
    u: &mut Unstructured<'_>,
    text: &mut String,
    register: u32,
    free: u32,
    depth: u32,
) -> Result<()> {
    let kind = u.int_in_range(if depth > 1 { 7 } else { 0 }..=15)?;
    let value = match kind {
        0..=6 => {
            let items = u.int_in_range(0..=3)?;
            let places = u.ratio(1, 2)?;
            for at in 0..items {
                if places {
                    let place = u.int_in_range(0..=5)?;
                    writeln!(text, "int r{}, {place}", free + at).expect(FITS);
                } else {
                    argument(u, text, free + at, free + 4, depth + 1)?;
                }
            }
            let make = if kind > 4 { "tuple" } else { "list" };
            writeln!(text, "{make} r{register}, r{free}, {items}").expect(FITS);
            return Ok(());
        }
        7 => "none".to_owned(),
        8 => format!("const {:?}", u.choose(&["", "a", "x%d", "größe"])?),
        9 => "const 1.5".to_owned(),
        10 => format!("const {}", u.choose(&["int", "len", "dict", "ValueError"])?),
        11 => format!("const {}", u.choose(&[i64::MAX, i64::MIN + 1])?),
        _ => format!("int {}", u.int_in_range(-2..=5)?),
    };
    let (op, operand) = value.split_once(' ').unwrap_or((&value, ""));
    let comma = if operand.is_empty() { "" } else { ", " };
    writeln!(text, "{op} r{register}{comma}{operand}").expect(FITS);
    Ok(())
}

/// Runs until the main thread ends or the budget is spent.
fn drive(mut vm: Vm, u: &mut Unstructured<'_>) -> Result<()> {
    let mut started = vec![ThreadId(0)];
    let mut left = BUDGET;
    while left > 0 {
        let ready: Vec<ThreadId> = started
            .iter()
            .copied()
            .filter(|thread| vm.threads[thread.0 as usize].status == Status::Ready)
            .collect();
        if ready.is_empty() {
            left -= 1;
            let mut alive = false;
            for &thread in &started {
                alive |= vm.threads[thread.0 as usize].status != Status::Finished;
                vm.time_out(thread);
            }
            if !alive {
                return Ok(());
            }
            continue;
        }
        let thread = if u.is_empty() {
            ready[0]
        } else {
            *u.choose(&ready)?
        };
        let share = u.int_in_range(1..=300)?.min(left);
        let slice = vm.run(thread, Budget::Instructions(share));
        assert!(slice.ran <= share, "{} of {share} instructions", slice.ran);
        left -= slice.ran.max(1);
        match slice.stop {
            Stop::Budget => assert_eq!(slice.ran, share),
            Stop::Call(call) => {
                if let SysCall::StartThread(thread) = call {
                    started.push(thread);
                }
                vm.answer(thread, answer(&call));
            }
            Stop::Finished { .. } if thread == ThreadId(0) => return Ok(()),
            Stop::Finished { .. } | Stop::Woke | Stop::Waiting | Stop::Flagged => {}
            Stop::Exit(_) | Stop::Abort => return Ok(()),
        }
        let used = vm.heap.live.max(vm.heap.allocated);
        // What an instruction makes is measured when it is made, and `repr` may make ten bytes of
        // one.
        assert!(used <= LIMITS.memory_bytes * 16, "{used} bytes");
    }
    Ok(())
}

pub(super) fn answer(call: &SysCall) -> Reply {
    match call {
        SysCall::Sleep { .. }
        | SysCall::Write { .. }
        | SysCall::StartThread(_)
        | SysCall::Yield
        | SysCall::SetSwitchInterval { .. }
        | SysCall::SetCheckInterval { .. } => Reply::None,
        SysCall::Now(_) | SysCall::SwitchInterval | SysCall::CheckInterval => Reply::Int(1_000_000),
        SysCall::Pid | SysCall::ParentPid | SysCall::CpuCount | SysCall::Entropy => Reply::Int(4),
        SysCall::ReadLine => Reply::Text("a line\n".into()),
        SysCall::GilEnabled => Reply::Bool(true),
        SysCall::SharedGet { .. }
        | SysCall::SharedNew { .. }
        | SysCall::SharedSet { .. }
        | SysCall::Fork { .. }
        | SysCall::WaitProcess { .. }
        | SysCall::ExitCode { .. }
        | SysCall::ProcessResult { .. }
        | SysCall::Kill { .. }
        | SysCall::KillPid { .. }
        | SysCall::ChannelNew { .. }
        | SysCall::Send { .. }
        | SysCall::Receive { .. }
        | SysCall::ChannelLen { .. }
        | SysCall::ChannelClose { .. } => {
            Reply::Error(Fault::new(Type::OSError, "there is one process"))
        }
    }
}
