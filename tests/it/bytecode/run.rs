//! Arbitrary verified programs on the VM: no panic, no hang, no more memory than allowed, and no instruction more than the budget. The engine is a
//! small one that answers every call at once and runs whichever thread is drawn.

use super::arbitrary;
use crate::cases;
use arbtest::arbitrary::{Result, Unstructured};
use mini::bytecode::assemble::{Surroundings, assemble};
use mini::bytecode::disassemble::{Options, disassemble};
use mini::bytecode::verify::verify;
use mini::compile::{Environment, compile};
use mini::source::Source;
use mini::vm::builtins::{is_builtin, table};
use mini::vm::class::Type;
use mini::vm::link::Image;
use mini::vm::slice::{Answer, Budget, Stop, SysCall};
use mini::vm::thread::{Status, ThreadId};
use mini::vm::{Limits, Vm};
use std::sync::Arc;

const LIMITS: Limits = Limits {
    memory_bytes: 1 << 20,
    recursion: 100,
    threads: 8,
};

/// Instructions of all threads together.
const BUDGET: u64 = 5_000;

#[test]
fn arbitrary_verified_programs_run_within_their_bounds() {
    let environment = Environment {
        is_builtin,
        embedded: mini::stdlib::embedded,
        frozen: Some(&mini::stdlib::BUILTINS),
    };
    let library = compile(Source::new("<none>", ""), &environment).program;
    let natives = table()
        .iter()
        .filter(|native| native.owner.is_none())
        .map(|native| native.name)
        .filter(|name| is_builtin(name));
    let types = Type::ALL
        .iter()
        .map(|it| it.name())
        .filter(|name| is_builtin(name));
    let builtins: Vec<&str> = natives.chain(types).collect();
    let name = "arbitrary_verified_programs_run_within_their_bounds";
    cases::run(name, 2_000, 6_000, |u| {
        let program = arbitrary::program(u, &builtins)?;
        if verify(program.clone()).is_err() {
            return Ok(());
        }
        let text = disassemble(&program, Options::default());
        let surroundings = Surroundings {
            is_builtin: &is_builtin,
            is_embedded: &|_| false,
            link: &|_| Some(library.clone()),
        };
        let assembled = assemble(Source::new("arbitrary.masm", &text), &surroundings);
        assert!(
            assembled.diagnostics.is_empty(),
            "{:?}\n{text}",
            assembled.diagnostics
        );
        let verified =
            verify(assembled.program).unwrap_or_else(|faults| panic!("{}\n{text}", faults[0]));
        drive(Vm::new(Arc::new(Image::new(&verified)), LIMITS), u)
    });
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
            Stop::Woke | Stop::Waiting => {}
            Stop::Call(call) => {
                if let SysCall::StartThread(thread) = call {
                    started.push(thread);
                }
                vm.answer(thread, answer(&call));
            }
            Stop::Finished { .. } if thread == ThreadId(0) => return Ok(()),
            Stop::Finished { .. } => {}
            Stop::Exit(_) | Stop::Abort => return Ok(()),
        }
        let used = vm.heap.live.max(vm.heap.allocated);
        // What an instruction makes is measured when it is made, and `repr` may make ten bytes of one.
        assert!(used <= LIMITS.memory_bytes * 16, "{used} bytes");
    }
    Ok(())
}

fn answer(call: &SysCall) -> Answer {
    match call {
        SysCall::Sleep { .. }
        | SysCall::Write { .. }
        | SysCall::StartThread(_)
        | SysCall::Yield => Answer::None,
        SysCall::SetSwitchInterval { .. } | SysCall::SetCheckInterval { .. } => Answer::None,
        SysCall::Now(_) | SysCall::SwitchInterval | SysCall::CheckInterval => {
            Answer::Int(1_000_000)
        }
        SysCall::Pid | SysCall::ParentPid | SysCall::CpuCount | SysCall::Entropy => Answer::Int(4),
        SysCall::ReadLine => Answer::Text("a line\n".into()),
        SysCall::GilEnabled => Answer::Bool(true),
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
            Answer::Error(Type::OSError, "there is one process".to_owned())
        }
    }
}
