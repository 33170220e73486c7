//! `tuple` and its methods, and what `index` of sequences has in common.

use crate::vm::heap::class::Type;
use crate::vm::heap::value::Value;
use crate::vm::state::native::{Abrupt, Ctx, Native, method, native};

pub(super) const NATIVES: &[Native] = &[
    native("tuple", "iterable=, /", tuple),
    method(Type::Tuple, "count", "self, value, /", count),
    method(Type::Tuple, "index", "self, value, start=, stop=, /", index),
];

fn tuple(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let iterable = ctx.arg(0);
    let items = match iterable {
        Value::Unbound => Vec::new(),
        Value::Tuple(_) => return Ok(iterable),
        _ => ctx.take_all(iterable)?,
    };
    Ok(ctx.vm.heap.new_tuple(items))
}

fn count(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (tuple, value) = (ctx.arg(0), ctx.arg(1));
    Ok(Value::Int(ctx.occurrences(tuple, value)? as i64))
}

fn index(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    match place(ctx)? {
        Some(at) => Ok(Value::Int(at as i64)),
        None => Err(ctx.value_error("tuple.index(x): x not in tuple")),
    }
}

/// `sequence.index(value, start, stop)` of a list or tuple.
pub(super) fn place(ctx: &mut Ctx<'_>) -> Result<Option<usize>, Abrupt> {
    let (sequence, value) = (ctx.arg(0), ctx.arg(1));
    let mut bounds = [None; 2];
    for (at, bound) in bounds.iter_mut().enumerate() {
        *bound = ctx.search_bound(ctx.arg(2 + at))?;
    }
    ctx.position(sequence, value, bounds)
}
