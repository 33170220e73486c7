//! `range`, `slice` and their methods.

use crate::vm::heap::class::Type;
use crate::vm::heap::object::{Iter, Object, Range};
use crate::vm::heap::value::{Ref, Value};
use crate::vm::state::native::{Abrupt, Ctx, Native, method, native};

pub(super) const NATIVES: &[Native] = &[
    native("range", "start, stop=, step=, /", range),
    method(Type::Range, "count", "self, value, /", count),
    method(Type::Range, "index", "self, value, /", index),
    method(Type::Range, "__reversed__", "self, /", reversed),
    native("slice", "start, stop=, step=, /", slice),
    method(Type::Slice, "indices", "self, length, /", indices),
];

fn receiver(ctx: &Ctx<'_>) -> Ref<Range> {
    match ctx.arg(0) {
        Value::Range(range) => range,
        other => unreachable!("the receiver was checked, but is {other:?}"),
    }
}

fn range(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (first, second, third) = (ctx.arg(0), ctx.arg(1), ctx.arg(2));
    let first = ctx.index(first)?;
    let range = match (second, third) {
        (Value::Unbound, _) => Range {
            start: 0,
            stop: first,
            step: 1,
        },
        (stop, step) => Range {
            start: first,
            stop: ctx.index(stop)?,
            step: if step.is_bound() { ctx.index(step)? } else { 1 },
        },
    };
    if range.step == 0 {
        return Err(ctx.value_error("range() arg 3 must not be zero"));
    }
    Ok(ctx.vm.heap.new_range(range))
}

fn count(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (range, value) = (ctx.arg(0), ctx.arg(1));
    Ok(Value::Int(i64::from(ctx.contains(range, value)?)))
}

fn index(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (range, value) = (receiver(ctx), ctx.arg(1));
    let number = match value {
        Value::Int(number) => Some(number),
        Value::Bool(truth) => Some(i64::from(truth)),
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 9e18 => Some(number as i64),
        _ => None,
    };
    match number.and_then(|number| ctx.vm.heap.ranges[range].position(number)) {
        Some(at) => Ok(Value::Int(at as i64)),
        None if matches!(value, Value::Int(_) | Value::Bool(_) | Value::Big(_)) => {
            let value = ctx.repr(value)?;
            Err(ctx.value_error(format!("{value} is not in range")))
        }
        None => Err(ctx.value_error("sequence.index(x): x not in sequence")),
    }
}

pub(super) fn reversed(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let range = ctx.vm.heap.ranges[receiver(ctx)];
    let left = range.len();
    Ok(ctx.vm.heap.new_iter(Iter::Range {
        next: range.at(left.wrapping_sub(1)),
        left,
        step: range.step.wrapping_neg(),
    }))
}

fn slice(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (first, second, third) = (ctx.arg(0), ctx.arg(1), ctx.arg(2));
    let (lower, upper) = if second.is_bound() {
        (first, second)
    } else {
        (Value::None, first)
    };
    Ok(ctx.vm.heap.new_object(Object::Slice {
        lower,
        upper,
        step: third.or(Value::None),
    }))
}

fn indices(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (slice, length) = (ctx.arg(0), ctx.arg(1));
    let length = ctx.index(length)?;
    let Ok(length) = usize::try_from(length) else {
        return Err(ctx.value_error("length should not be negative"));
    };
    let Some(bounds) = ctx.bounds(slice)? else {
        unreachable!("the receiver was checked")
    };
    let (start, stop, step) = bounds.adjusted(length);
    Ok(ctx.vm.heap.new_tuple([start, stop, step].map(Value::Int)))
}
