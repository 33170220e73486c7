//! `print` and `input`. Knows no stream: text goes to the engine.

use crate::vm::heap::class::Type;
use crate::vm::heap::value::Value;
use crate::vm::state::native::{Abrupt, Ctx, Native, native};
use crate::vm::state::slice::{Stream, SysCall};

pub(super) const NATIVES: &[Native] = &[
    native("print", "*args, sep=, end=, file=, flush=", print),
    native("input", "prompt=, /", input),
];

fn print(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (sep, end, file, flush) = (ctx.arg(0), ctx.arg(1), ctx.arg(2), ctx.arg(3));
    let between = separator(ctx, sep, "sep", " ")?;
    let end = separator(ctx, end, "end", "\n")?;
    let flush = flush.is_bound() && ctx.truth(flush)?;
    let args = ctx.rest();
    let file = match file {
        Value::Unbound | Value::None => standard_output(ctx),
        file => file,
    };
    let stream = match file {
        Value::Unbound => Stream::Out,
        Value::None => return Ok(Value::None),
        _ => match standard_stream(ctx, file) {
            Some(stream) => stream,
            None => return print_to(ctx, file, &args, &between, &end, flush),
        },
    };
    let text = ctx.str_all(&args, &between, &end)?;
    reserve_written(ctx, text.len())?;
    ctx.sys(SysCall::Write {
        stream,
        text: text.into(),
        flush,
    })
}

/// Sees that there is room for a text that is written: the call has a copy of it, and both layers
/// of the stream have one until it is written out.
pub(super) fn reserve_written(ctx: &mut Ctx<'_>, bytes: usize) -> Result<(), Abrupt> {
    ctx.reserve(bytes.saturating_mul(3))
}

/// `sep` or `end`.
fn separator(
    ctx: &mut Ctx<'_>,
    value: Value,
    name: &str,
    otherwise: &str,
) -> Result<String, Abrupt> {
    match value {
        Value::Unbound | Value::None => Ok(otherwise.to_owned()),
        Value::Str(text) => Ok(ctx.vm.heap.text(text).to_owned()),
        _ => {
            let message = format!(
                "{name} must be None or a string, not {}",
                ctx.vm.type_name(value)
            );
            Err(ctx.type_error(message))
        }
    }
}

/// What `sys.stdout` is just now, which a script may bind anew; unbound where nothing imports
/// `sys`.
fn standard_output(ctx: &Ctx<'_>) -> Value {
    ctx.vm
        .image
        .standard_output
        .map_or(Value::Unbound, |global| ctx.vm.globals[global as usize])
}

/// The engine's stream behind `sys.stdout` and `sys.stderr`, whose class is in the module `sys` and
/// knows its number.
fn standard_stream(ctx: &mut Ctx<'_>, file: Value) -> Option<Stream> {
    let Value::Instance(instance) = file else {
        return None;
    };
    let class = &ctx.vm.heap.classes[ctx.vm.heap.instances[instance].class];
    if &*class.module != "sys" || &*class.name != "_Output" {
        return None;
    }
    let name = ctx.vm.intern("_number");
    match ctx.get_attr(file, name).ok()? {
        Value::Int(1) => Some(Stream::Out),
        Value::Int(2) => Some(Stream::Err),
        _ => None,
    }
}

/// Prints to an object of the script: its `write` gets each piece, as in CPython.
fn print_to(
    ctx: &mut Ctx<'_>,
    file: Value,
    args: &[Value],
    between: &str,
    end: &str,
    flush: bool,
) -> Result<Value, Abrupt> {
    let name = ctx.vm.intern("write");
    let write = ctx.get_attr(file, name)?;
    let write = ctx.once(|_| Ok(write))?;
    let mut pieces = Vec::new();
    for (at, &arg) in args.iter().enumerate() {
        if at > 0 {
            pieces.push(between.to_owned());
        }
        pieces.push(ctx.str(arg)?);
    }
    pieces.push(end.to_owned());
    let pieces = ctx.once(|ctx| {
        let pieces: Vec<Value> = pieces
            .into_iter()
            .map(|piece| ctx.vm.heap.new_string(piece))
            .collect();
        Ok(ctx.vm.heap.new_list(pieces))
    })?;
    let calls = ctx
        .collect(pieces)?
        .into_iter()
        .map(|piece| (write, vec![piece]))
        .collect();
    ctx.call_all(calls)?;
    if flush {
        let name = ctx.vm.intern("flush");
        let flush = ctx.get_attr(file, name)?;
        let flush = ctx.once(|_| Ok(flush))?;
        ctx.call(flush, &[])?;
    }
    Ok(Value::None)
}

fn input(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let prompt = ctx.arg(0);
    let prompt = if prompt.is_bound() {
        ctx.str(prompt)?
    } else {
        String::new()
    };
    if !prompt.is_empty() {
        reserve_written(ctx, prompt.len())?;
        ctx.sys(SysCall::Write {
            stream: Stream::Out,
            text: prompt.into(),
            // The engine does, before it reads; that it cannot is no error.
            flush: false,
        })?;
    }
    let line = ctx.sys(SysCall::ReadLine)?;
    let Value::Str(line) = line else {
        unreachable!("the engine answers with a text")
    };
    let line = ctx.vm.heap.text(line);
    match line.strip_suffix('\n') {
        None if line.is_empty() => Err(ctx.error(Type::EOFError, "EOF when reading a line")),
        None => {
            let line = line.to_owned();
            Ok(ctx.vm.heap.new_string(line))
        }
        Some(text) => {
            let text = text.strip_suffix('\r').unwrap_or(text).to_owned();
            Ok(ctx.vm.heap.new_string(text))
        }
    }
}
