//! Functions over iterables: `map`, `filter`, `sorted`, `min`, `max`, `sum`, `any`, `all`.

use crate::operator::{BinaryOp, CompareOp};
use crate::vm::heap::list::List;
use crate::vm::heap::object::Iter;
use crate::vm::heap::value::Value;
use crate::vm::heap::work::Work;
use crate::vm::semantics::protocol::{Outcome, Turn};
use crate::vm::state::native::{Abrupt, Ctx, Native, native};

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

fn map(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (function, first) = (ctx.arg(0), ctx.arg(1));
    let mut inner = vec![ctx.iterator_of(first)?];
    for iterable in ctx.rest() {
        inner.push(ctx.iterator_of(iterable)?);
    }
    let inner = inner.into_boxed_slice();
    Ok(ctx.vm.heap.new_iter(Iter::Map { function, inner }))
}

fn filter(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (function, iterable) = (ctx.arg(0), ctx.arg(1));
    let inner = ctx.iterator_of(iterable)?;
    Ok(ctx.vm.heap.new_iter(Iter::Filter { function, inner }))
}

fn sorted(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (iterable, key, reverse) = (ctx.arg(0), ctx.arg(1), ctx.arg(2));
    let reverse = reverse.is_bound() && ctx.truth(reverse)?;
    let items = ctx.collect(iterable)?;
    let sorted = ctx.sorted(items, key, reverse)?;
    Ok(ctx.vm.heap.new_list(sorted.into_iter().collect::<List>()))
}

/// `min` (by `<`) and `max` (by `>`).
fn best(ctx: &mut Ctx<'_>, better: CompareOp) -> Result<Value, Abrupt> {
    let (key, otherwise) = (ctx.arg(0), ctx.arg(1));
    let name = ctx.shown_name();
    let iterable = match *ctx.rest() {
        [] => {
            let message = format!("{name} expected at least 1 argument, got 0");
            return Err(ctx.type_error(message));
        }
        [iterable] => iterable,
        _ if otherwise.is_bound() => {
            let message =
                format!("Cannot specify a default for {name}() with multiple positional arguments");
            return Err(ctx.type_error(message));
        }
        _ => {
            let args = ctx.rest();
            ctx.vm.heap.new_tuple(args)
        }
    };
    let best = if key.is_bound() && !matches!(key, Value::None) {
        let greatest = Value::Bool(better == CompareOp::Gt);
        let function = ctx.vm.library("best_by");
        Found::InTuple(ctx.call(function, &[key, greatest, iterable])?)
    } else {
        best_itself(ctx, better, iterable)?
    };
    let best = match best {
        Found::Here(best) => best,
        Found::InTuple(Value::Tuple(it)) => ctx.vm.heap.tuples[it].0.first().copied(),
        Found::InTuple(_) => None,
    };
    match best {
        Some(best) => Ok(best),
        None if otherwise.is_bound() => Ok(otherwise),
        None => Err(ctx.value_error(format!("{name}() arg is an empty sequence"))),
    }
}

/// An item, if there was any.
enum Found {
    Here(Option<Value>),
    /// As the library has it: in a tuple.
    InTuple(Value),
}

/// The item that no other beats.
fn best_itself(ctx: &mut Ctx<'_>, better: CompareOp, iterable: Value) -> Result<Found, Abrupt> {
    let outcome = ctx.begin(|ctx| {
        let mut best = None;
        let walked = ctx.walk(iterable, |ctx, item| {
            let Some(before) = best else {
                best = Some(item);
                return Ok(Turn::Done);
            };
            let beats = match (item, before) {
                (Value::Int(item), Value::Int(before)) => Some(match better {
                    CompareOp::Gt => item > before,
                    _ => item < before,
                }),
                _ => ctx.compare_here(better, item, before)?,
            };
            match beats {
                Some(true) => best = Some(item),
                Some(false) => {}
                None => return Ok(Turn::Ask),
            }
            Ok(Turn::Done)
        })?;
        ctx.took(iterable, walked.count);
        ctx.vm.heap.worked(Work::Compare, walked.count);
        Ok(match walked.rest {
            None => Outcome::Value(best.unwrap_or(Value::Unbound)),
            Some(rest) => {
                let best = ctx.vm.heap.new_tuple(best.into_iter().collect::<Vec<_>>());
                Outcome::Rest(vec![best, rest.pending, rest.items])
            }
        })
    })?;
    match outcome {
        Outcome::Value(best) => Ok(Found::Here(best.is_bound().then_some(best))),
        Outcome::Rest(args) => {
            let function = ctx.vm.library(match better {
                CompareOp::Gt => "greatest",
                _ => "least",
            });
            Ok(Found::InTuple(ctx.call(function, &args)?))
        }
    }
}

fn sum(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (iterable, start) = (ctx.arg(0), ctx.arg(1).or(Value::Int(0)));
    let kind = match start {
        Value::Str(_) => Some("strings [use ''.join(seq) instead]"),
        Value::Bytes(_) => Some("bytes [use b''.join(seq) instead]"),
        _ => None,
    };
    if let Some(kind) = kind {
        return Err(ctx.type_error(format!("sum() can't sum {kind}")));
    }
    ctx.or_by_library("total", |ctx| {
        let mut total = start;
        let walked = ctx.walk(iterable, |ctx, item| {
            total = match (total, item) {
                (Value::Int(a), Value::Int(b)) if a.checked_add(b).is_some() => Value::Int(a + b),
                (Value::Float(a), Value::Float(b)) => Value::Float(a + b),
                // Objects with an `__add__` of their own.
                (Value::Instance(_), _) | (_, Value::Instance(_)) => return Ok(Turn::Ask),
                _ if ctx.leaves_rest() => return Ok(Turn::Ask),
                _ => ctx.binary(BinaryOp::Add, total, item)?,
            };
            Ok(Turn::Done)
        })?;
        if let Value::Range(_) = iterable {
            ctx.vm.heap.worked(Work::Visit, walked.count * 3);
        } else {
            ctx.took(iterable, walked.count);
        }
        Ok(match walked.rest {
            None => Outcome::Value(total),
            Some(rest) => Outcome::Rest(vec![total, rest.pending, rest.items]),
        })
    })
}

/// `any` looks for a true item, `all` for a false one.
fn search(ctx: &mut Ctx<'_>, wanted: bool) -> Result<Value, Abrupt> {
    let iterable = ctx.arg(0);
    ctx.or_by_library(if wanted { "any_true" } else { "all_true" }, |ctx| {
        let mut found = false;
        let walked = ctx.walk(iterable, |ctx, item| match ctx.truth_here(item) {
            None => Ok(Turn::Ask),
            Some(truth) if truth == wanted => {
                found = true;
                Ok(Turn::Enough)
            }
            Some(_) => Ok(Turn::Done),
        })?;
        ctx.vm.heap.worked(Work::Visit, walked.count);
        Ok(match walked.rest {
            None => Outcome::Value(Value::Bool(found == wanted)),
            Some(rest) => Outcome::Rest(vec![rest.pending, rest.items]),
        })
    })
}
