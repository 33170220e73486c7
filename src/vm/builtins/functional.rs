//! Functions over iterables: `map`, `filter`, `sorted`, `min`, `max`, `sum`, `any`, `all`.

use crate::syntax::ast::{BinaryOp, CompareOp};
use crate::vm::class::{Type, name};
use crate::vm::list::List;
use crate::vm::native::{Ctx, Interrupt, Native, native};
use crate::vm::object::{Iter, Range};
use crate::vm::value::Value;
use crate::vm::work::Work;

pub(super) const NATIVES: &[Native] = &[
    native("map", "function, iterable, /, *iterables", map),
    native("filter", "function, iterable, /", filter),
    native("sorted", "iterable, /, *, key=, reverse=", sorted),
    native("min", "*args, key=, default=", |ctx| {
        best(ctx, CompareOp::Lt)
    }),
    native("max", "*args, key=, default=", |ctx| {
        best(ctx, CompareOp::Gt)
    }),
    native("sum", "iterable, /, start=", sum),
    native("any", "iterable, /", |ctx| search(ctx, true)),
    native("all", "iterable, /", |ctx| search(ctx, false)),
];

fn map(ctx: &mut Ctx<'_>) -> Result<Value, Interrupt> {
    let (function, first) = (ctx.arg(0), ctx.arg(1));
    let mut inner = vec![ctx.iter(first)?];
    for iterable in ctx.rest() {
        inner.push(ctx.iter(iterable)?);
    }
    let inner = inner.into_boxed_slice();
    Ok(ctx.vm.heap.new_iter(Iter::Map { function, inner }))
}

fn filter(ctx: &mut Ctx<'_>) -> Result<Value, Interrupt> {
    let (function, iterable) = (ctx.arg(0), ctx.arg(1));
    let inner = ctx.iter(iterable)?;
    Ok(ctx.vm.heap.new_iter(Iter::Filter { function, inner }))
}

fn sorted(ctx: &mut Ctx<'_>) -> Result<Value, Interrupt> {
    let (iterable, key, reverse) = (ctx.arg(0), ctx.arg(1), ctx.arg(2));
    let reverse = reverse.is_bound() && ctx.truth(reverse)?;
    let items = ctx.collect(iterable)?;
    let sorted = ctx.sorted(items, key, reverse)?;
    Ok(ctx.vm.heap.new_list(sorted.into_iter().collect::<List>()))
}

/// `min` (by `<`) and `max` (by `>`).
fn best(ctx: &mut Ctx<'_>, better: CompareOp) -> Result<Value, Interrupt> {
    let (key, otherwise) = (ctx.arg(0), ctx.arg(1));
    let name = ctx.name();
    let args = ctx.rest();
    let items = match *args {
        [] => {
            let message = format!("{name} expected at least 1 argument, got 0");
            return Err(ctx.type_error(message));
        }
        [iterable] => ctx.collect(iterable)?,
        _ if otherwise.is_bound() => {
            let message =
                format!("Cannot specify a default for {name}() with multiple positional arguments");
            return Err(ctx.type_error(message));
        }
        _ => args,
    };
    if items.is_empty() {
        return match otherwise {
            Value::Unbound => Err(ctx.value_error(format!("{name}() arg is an empty sequence"))),
            otherwise => Ok(otherwise),
        };
    }
    let keys = if key.is_bound() && !matches!(key, Value::None) {
        let calls = items.iter().map(|&item| (key, vec![item])).collect();
        ctx.call_all(calls)?
    } else {
        items.clone()
    };
    Ok(items[ctx.place_of_best(keys, better)?])
}

fn sum(ctx: &mut Ctx<'_>) -> Result<Value, Interrupt> {
    let (iterable, start) = (ctx.arg(0), ctx.arg(1).or(Value::Int(0)));
    let kind = match start {
        Value::Str(_) => Some("strings [use ''.join(seq) instead]"),
        Value::Bytes(_) => Some("bytes [use b''.join(seq) instead]"),
        _ => None,
    };
    if let Some(kind) = kind {
        return Err(ctx.type_error(format!("sum() can't sum {kind}")));
    }
    let mut total = start;
    if let Value::Range(range) = iterable {
        return sum_of_range(ctx, ctx.vm.heap.ranges[range], total);
    }
    let items = ctx.take_all(iterable)?;
    // What was taken from an iterator is gone, so that this cannot be called again.
    let may_give_up = !matches!(iterable, Value::Iter(_));
    for (at, &item) in items.iter().enumerate() {
        total = match (total, item) {
            (Value::Int(a), Value::Int(b)) if a.checked_add(b).is_some() => Value::Int(a + b),
            (Value::Float(a), Value::Float(b)) => Value::Float(a + b),
            (Value::Instance(_), _) | (_, Value::Instance(_)) => {
                // Objects with an `__add__` of their own.
                let rest = items[at..].to_vec();
                let rest = ctx.once(|ctx| Ok(ctx.vm.heap.new_list(rest)))?;
                let total = ctx.once(|_| Ok(total))?;
                let function = ctx.vm.library("total");
                return ctx.call(function, &[rest, total]);
            }
            _ => {
                if may_give_up {
                    ctx.look()?;
                }
                ctx.binary(BinaryOp::Add, total, item)?
            }
        };
    }
    Ok(total)
}

/// So many simple steps take microseconds.
const LOOK_EVERY: u64 = 1 << 12;

/// The sum of a range, number by number, without a list of them.
fn sum_of_range(ctx: &mut Ctx<'_>, range: Range, mut total: Value) -> Result<Value, Interrupt> {
    ctx.vm.heap.worked(Work::Visit, range.len() as usize * 3);
    for at in 0..range.len() {
        if at % LOOK_EVERY == 0 {
            ctx.look()?;
        }
        let item = range.at(at);
        total = match total {
            Value::Int(sum) if sum.checked_add(item).is_some() => Value::Int(sum + item),
            _ => ctx.binary(BinaryOp::Add, total, Value::Int(item))?,
        };
    }
    Ok(total)
}

/// `any` looks for a true item, `all` for a false one.
fn search(ctx: &mut Ctx<'_>, wanted: bool) -> Result<Value, Interrupt> {
    let iterable = ctx.arg(0);
    if let Some(items) = ctx.items_now(iterable) {
        let mut unknown = false;
        for item in items {
            ctx.vm.heap.worked(Work::Visit, 1);
            match ctx.vm.heap.truth_fast(item) {
                Some(truth) if truth == wanted => return Ok(Value::Bool(wanted)),
                Some(_) => {}
                None if ctx.vm.special(item, name::BOOL).is_none()
                    && ctx.vm.special(item, name::LEN).is_none() =>
                {
                    if wanted {
                        return Ok(Value::Bool(true));
                    }
                }
                None => {
                    unknown = true;
                    break;
                }
            }
        }
        if !unknown {
            return Ok(Value::Bool(!wanted));
        }
    } else if !ctx.is_iterable(iterable) {
        let message = format!("'{}' object is not iterable", ctx.vm.type_name(iterable));
        return Err(ctx.error(Type::TypeError, message));
    }
    let function = ctx.vm.library(if wanted { "any_true" } else { "all_true" });
    ctx.call(function, &[iterable])
}
