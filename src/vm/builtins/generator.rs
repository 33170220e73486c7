//! The methods of generators. The first three run a generator's frame and so are done by the VM itself (`vm::generator`); their numbers are known there.

use crate::vm::class::Type;
use crate::vm::native::{Ctx, Interrupt, Native, NativeId, method};
use crate::vm::object::GeneratorState;
use crate::vm::value::Value;

pub const NEXT: NativeId = NativeId(0);
pub const SEND: NativeId = NativeId(1);
pub const THROW: NativeId = NativeId(2);
/// How many natives the VM does itself.
pub const COUNT: u16 = 3;

pub const NATIVES: &[Native] = &[
    method(Type::Generator, "__next__", "self, /", done_by_the_vm),
    method(Type::Generator, "send", "self, value, /", done_by_the_vm),
    method(
        Type::Generator,
        "throw",
        "self, type, value=, traceback=, /",
        done_by_the_vm,
    ),
    method(Type::Generator, "close", "self, /", close),
    method(Type::Generator, "__iter__", "self, /", iter),
];

fn done_by_the_vm(_: &mut Ctx<'_>) -> Result<Value, Interrupt> {
    unreachable!("the VM runs generators itself")
}

fn iter(ctx: &mut Ctx<'_>) -> Result<Value, Interrupt> {
    Ok(ctx.arg(0))
}

/// Raises `GeneratorExit` inside; a generator that then yields is at fault.
fn close(ctx: &mut Ctx<'_>) -> Result<Value, Interrupt> {
    let generator = ctx.arg(0);
    let Value::Generator(it) = generator else {
        unreachable!("the receiver was checked")
    };
    if ctx.is_first_run() {
        match ctx.vm.heap.generators[it].state {
            GeneratorState::Finished => return Ok(Value::None),
            GeneratorState::Fresh => {
                ctx.vm.heap.generators[it].state = GeneratorState::Finished;
                ctx.vm.heap.generators[it].registers = Box::default();
                return Ok(Value::None);
            }
            GeneratorState::Suspended { .. } | GeneratorState::Running => {}
        }
    }
    let exit = ctx.once(|ctx| Ok(ctx.vm.new_exception(Type::GeneratorExit, Vec::new())))?;
    match ctx.try_call(Value::Native(THROW), &[generator, exit])? {
        Ok(_) => Err(ctx.error(Type::RuntimeError, "generator ignored GeneratorExit")),
        Err(exception) => {
            let ended = [Type::GeneratorExit, Type::StopIteration]
                .iter()
                .any(|of| ctx.vm.is_instance(exception, of.class()));
            if ended {
                Ok(Value::None)
            } else {
                Err(Interrupt::Throw(exception))
            }
        }
    }
}
