//! Functions about iteration: `len`, `iter`, `next`, `enumerate`, `zip`, `reversed`, and the
//! methods of iterators.

use crate::vm::heap::class::{Type, name};
use crate::vm::heap::object::Iter;
use crate::vm::heap::value::Value;
use crate::vm::state::native::{Abrupt, Ctx, Native, method, native};
use crate::vm::state::natives::NEXT;

/// The methods that all builtin iterators have, and those that know how much is left.
macro_rules! iterators {
    ($($of:ident)*; $($container:ident)*) => {
        &[
            $(
                method(Type::$of, "__iter__", "self, /", |ctx| Ok(ctx.arg(0))),
                method(Type::$of, "__next__", "self, /", next),
            )*
            $(
                method(Type::$container, "__iter__", "self, /", |ctx| Ok(ctx.arg(0))),
                method(Type::$container, "__next__", "self, /", next),
                method(Type::$container, "__length_hint__", "self, /", length_hint),
            )*
            native("len", "obj, /", len),
            native("iter", "object, sentinel=, /", iter),
            native("next", "iterator, default=, /", next),
            native("enumerate", "iterable, start=", enumerate),
            native("zip", "*iterables, strict=", zip),
            native("reversed", "sequence, /", reversed),
            native("_length_hint", "obj, /", |ctx| ctx.ask_length_hint().map(|()| Value::None)),
        ]
    };
}

pub(super) const NATIVES: &[Native] = iterators! {
    CallableIterator SequenceIterator Enumerate Zip Map Filter;
    ListIterator TupleIterator StrIterator StrAsciiIterator BytesIterator RangeIterator DictKeyIterator DictValueIterator
    DictItemIterator DictReverseKeyIterator DictReverseValueIterator DictReverseItemIterator SetIterator
    ReversedIterator Reversed
};

fn len(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let value = ctx.arg(0);
    let length = ctx.len(value)?;
    match i64::try_from(length) {
        Ok(length) => Ok(Value::Int(length)),
        Err(_) => Err(ctx.error(
            Type::OverflowError,
            "Python int too large to convert to C ssize_t",
        )),
    }
}

fn iter(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (object, sentinel) = (ctx.arg(0), ctx.arg(1));
    if !sentinel.is_bound() {
        return ctx.iterator_of(object);
    }
    if !ctx.is_callable(object) {
        return Err(ctx.type_error("iter(v, w): v must be callable"));
    }
    Ok(ctx.vm.heap.new_iter(Iter::Call {
        function: object,
        sentinel,
    }))
}

fn next(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (iterator, otherwise) = (ctx.arg(0), ctx.arg(1));
    if !otherwise.is_bound()
        && let Value::Generator(_) = iterator
    {
        // Its own `StopIteration` carries its value.
        return ctx.call(Value::Native(NEXT), &[iterator]);
    }
    match ctx.next(iterator)? {
        Some(item) => Ok(item),
        None if otherwise.is_bound() => Ok(otherwise),
        None => Err(Abrupt::Throw(
            ctx.vm.new_exception(Type::StopIteration, Vec::new()),
        )),
    }
}

fn length_hint(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let Value::Iter(iter) = ctx.arg(0) else {
        unreachable!("the receiver was checked")
    };
    Ok(Value::Int(
        i64::try_from(ctx.vm.heap.iter_left(iter)).unwrap_or(i64::MAX),
    ))
}

fn enumerate(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (iterable, start) = (ctx.arg(0), ctx.arg(1));
    let next = if start.is_bound() {
        ctx.index(start)?
    } else {
        0
    };
    let inner = ctx.iterator_of(iterable)?;
    Ok(ctx.vm.heap.new_iter(Iter::Enumerate { inner, next }))
}

fn zip(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let strict = ctx.arg(0);
    let strict = strict.is_bound() && ctx.truth(strict)?;
    let mut inner = Vec::new();
    for iterable in ctx.rest() {
        inner.push(ctx.iterator_of(iterable)?);
    }
    let inner = inner.into_boxed_slice();
    Ok(ctx.vm.heap.new_iter(Iter::Zip { inner, strict }))
}

fn reversed(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let sequence = ctx.arg(0);
    match sequence {
        Value::List(_) | Value::Tuple(_) => {
            let left = ctx.vm.heap.len_fast(sequence).unwrap_or(0);
            Ok(ctx.vm.heap.new_iter(Iter::Reversed { sequence, left }))
        }
        Value::Range(_) => super::range::reversed(ctx),
        Value::Dict(_) => super::dict::reversed(ctx),
        Value::Str(_) | Value::Bytes(_) => {
            let mut items = ctx.collect(sequence)?;
            items.reverse();
            Ok(ctx.vm.heap.new_iter_over(items))
        }
        Value::Object(_) if ctx.vm.heap.viewed(sequence).is_some() => super::dict::reversed(ctx),
        _ => {
            let method = ctx.vm.special(sequence, name::REVERSED);
            if let Some(method) = method.filter(|method| !matches!(method, Value::None)) {
                return ctx.call(method, &[sequence]);
            }
            if method.is_none()
                && ctx.vm.special(sequence, name::GETITEM).is_some()
                && ctx.vm.special(sequence, name::LEN).is_some()
            {
                let left = ctx.len(sequence)?;
                return Ok(ctx.vm.heap.new_iter(Iter::Reversed { sequence, left }));
            }
            let message = format!("'{}' object is not reversible", ctx.vm.type_name(sequence));
            Err(ctx.type_error(message))
        }
    }
}
