//! The methods of generators. The first natives run a generator's frame and so are done by the VM
//! itself (`vm::interpreter::generator`); their numbers are fixed in `vm::state::natives`.

use crate::vm::heap::class::{Name, Type, name};
use crate::vm::heap::object::{Generator, GeneratorState, Object};
use crate::vm::heap::value::{Ref, Value};
use crate::vm::state::native::{Abrupt, Ctx, Native, method, native};
use crate::vm::state::natives::{PASS, THROW};

pub const NATIVES: &[Native] = &[
    method(Type::Generator, "__next__", "self, /", done_by_the_vm),
    method(Type::Generator, "send", "self, value, /", done_by_the_vm),
    native("_throw", "generator, exception, /", done_by_the_vm),
    native("_pass", "generator, value, /", done_by_the_vm),
    method(
        Type::Generator,
        "throw",
        "self, type, value=, traceback=, /",
        throw,
    ),
    method(Type::Generator, "close", "self, /", close),
    method(Type::Generator, "__iter__", "self, /", iter),
];

fn done_by_the_vm(_: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    unreachable!("the VM runs generators itself")
}

fn iter(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    Ok(ctx.arg(0))
}

fn receiver(ctx: &Ctx<'_>) -> Ref<Generator> {
    match ctx.arg(0) {
        Value::Generator(it) => it,
        other => unreachable!("the receiver was checked, but is {other:?}"),
    }
}

/// Raises an exception inside (`_gen_throw` in `Objects/genobject.c`): a sub-iterator gets it
/// first, as it was given.
fn throw(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let generator = ctx.arg(0);
    let Some(sub) = delegate(ctx)? else {
        let exception = exception_given(ctx)?;
        return ctx.call(Value::Native(THROW), &[generator, exception]);
    };
    if exits(ctx, ctx.arg(1)) {
        let closed = close_sub_iterator(ctx, sub)?;
        take_back(ctx)?;
        let exception = match closed {
            Ok(()) => exception_given(ctx)?,
            Err(raised) => raised,
        };
        return ctx.call(Value::Native(THROW), &[generator, exception]);
    }
    let given: Vec<Value> = (1..4)
        .map(|at| ctx.arg(at))
        .take_while(|arg| arg.is_bound())
        .collect();
    let Some(method) = method_of(ctx, sub, name::THROW)? else {
        take_back(ctx)?;
        let exception = exception_given(ctx)?;
        return ctx.call(Value::Native(THROW), &[generator, exception]);
    };
    let thrown = ctx.try_call(method, &given)?;
    take_back(ctx)?;
    match thrown {
        Ok(value) => Ok(value),
        Err(raised) if is_a(ctx, raised, Type::StopIteration) => {
            let value = ctx.vm.stop_value(raised);
            ctx.call(Value::Native(PASS), &[generator, value])
        }
        Err(raised) => ctx.call(Value::Native(THROW), &[generator, raised]),
    }
}

/// Raises `GeneratorExit` inside, after a sub-iterator has been closed; a generator that then
/// yields is at fault.
fn close(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let generator = ctx.arg(0);
    let it = receiver(ctx);
    if ctx.is_first_run() {
        match ctx.vm.heap.generators[it].state {
            GeneratorState::Finished => return Ok(Value::None),
            GeneratorState::Fresh => {
                ctx.vm.heap.generators[it].state = GeneratorState::Finished;
                ctx.vm.heap.generators[it].registers = Box::default();
                return Ok(Value::None);
            }
            GeneratorState::Suspended { .. }
            | GeneratorState::Running
            | GeneratorState::Delegating { .. } => {}
        }
    }
    let mut raised = None;
    if let Some(sub) = delegate(ctx)? {
        raised = close_sub_iterator(ctx, sub)?.err();
        take_back(ctx)?;
    }
    let exit = match raised {
        Some(raised) => raised,
        None => ctx.once(|ctx| Ok(ctx.vm.new_exception(Type::GeneratorExit, Vec::new())))?,
    };
    match ctx.try_call(Value::Native(THROW), &[generator, exit])? {
        Ok(_) => Err(ctx.error(Type::RuntimeError, "generator ignored GeneratorExit")),
        Err(exception) => {
            let ended = [Type::GeneratorExit, Type::StopIteration]
                .iter()
                .any(|&of| is_a(ctx, exception, of));
            if ended {
                Ok(Value::None)
            } else {
                Err(Abrupt::Throw(exception))
            }
        }
    }
}

/// The sub-iterator that the generator is delegating to. As long as that has its turn, the
/// generator counts as running.
fn delegate(ctx: &mut Ctx<'_>) -> Result<Option<Value>, Abrupt> {
    let it = receiver(ctx);
    let sub = ctx.once(|ctx| {
        let sub = ctx.vm.sub_iterator(it);
        if sub.is_some() {
            // The register that the `yield from` puts its value into is wanted again afterwards.
            let GeneratorState::Suspended { into } = ctx.vm.heap.generators[it].state else {
                unreachable!("it delegates, so it is suspended")
            };
            ctx.vm.heap.generators[it].state = GeneratorState::Delegating { into };
        }
        Ok(sub.unwrap_or(Value::Unbound))
    })?;
    Ok(sub.is_bound().then_some(sub))
}

/// The sub-iterator has had its turn.
fn take_back(ctx: &mut Ctx<'_>) -> Result<(), Abrupt> {
    let it = receiver(ctx);
    ctx.once(|ctx| {
        if let GeneratorState::Delegating { into } = ctx.vm.heap.generators[it].state {
            ctx.vm.heap.generators[it].state = GeneratorState::Suspended { into };
        }
        Ok(Value::None)
    })?;
    Ok(())
}

/// Closes a sub-iterator, if it can be closed; what that raises is the inner `Err`.
fn close_sub_iterator(ctx: &mut Ctx<'_>, sub: Value) -> Result<Result<(), Value>, Abrupt> {
    match method_of(ctx, sub, name::CLOSE)? {
        Some(method) => Ok(ctx.try_call(method, &[])?.map(|_| ())),
        None => Ok(Ok(())),
    }
}

fn method_of(ctx: &mut Ctx<'_>, of: Value, wanted: Name) -> Result<Option<Value>, Abrupt> {
    match ctx.get_attr(of, wanted) {
        Ok(method) => Ok(Some(method)),
        Err(Abrupt::Throw(error)) if is_a(ctx, error, Type::AttributeError) => Ok(None),
        Err(interrupt) => Err(interrupt),
    }
}

fn is_a(ctx: &Ctx<'_>, value: Value, of: Type) -> bool {
    ctx.vm.is_instance(value, of.class())
}

/// Is it `GeneratorExit`, the class or an instance?
fn exits(ctx: &Ctx<'_>, thrown: Value) -> bool {
    match thrown {
        Value::Class(class) => ctx.vm.is_subclass(class, Type::GeneratorExit.class()),
        _ => is_a(ctx, thrown, Type::GeneratorExit),
    }
}

/// The exception that the arguments of `throw` mean.
fn exception_given(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (thrown, value, traceback) = (ctx.arg(1), ctx.arg(2), ctx.arg(3));
    let value = value.or(Value::None);
    let traceback = traceback.or(Value::None);
    let is_traceback = match traceback {
        Value::None => true,
        Value::Object(it) => matches!(ctx.vm.heap.objects[it], Object::Traceback(_)),
        _ => false,
    };
    if !is_traceback {
        return Err(ctx.type_error("throw() third argument must be a traceback object"));
    }
    let exception = match thrown {
        Value::Class(class) if ctx.vm.heap.classes[class].exception => match value {
            Value::Instance(_) if ctx.vm.is_instance(value, class) => value,
            _ => {
                let args = match value {
                    Value::None => Vec::new(),
                    Value::Tuple(args) => ctx.vm.heap.tuples[args].0.to_vec(),
                    other => vec![other],
                };
                // What the class itself raises is thrown in its place.
                ctx.try_call(thrown, &args)?.unwrap_or_else(|raised| raised)
            }
        },
        Value::Instance(_) if is_a(ctx, thrown, Type::BaseException) => {
            if !matches!(value, Value::None) {
                let message = "instance exception may not have a separate value";
                return Err(ctx.type_error(message));
            }
            thrown
        }
        _ => {
            let of = ctx.vm.type_name(thrown);
            let message = format!(
                "exceptions must be classes or instances deriving from BaseException, not {of}"
            );
            return Err(ctx.type_error(message));
        }
    };
    if !matches!(traceback, Value::None) {
        ctx.once(|ctx| {
            ctx.set_attr(exception, name::TRACEBACK, traceback)?;
            Ok(Value::None)
        })?;
    }
    Ok(exception)
}
