//! `set`, `frozenset` and their methods.

use crate::vm::heap::class::Type;
use crate::vm::heap::set::Set;
use crate::vm::heap::value::{Ref, Value};
use crate::vm::semantics::protocol::Algebra;
use crate::vm::state::native::{Abrupt, Ctx, Native, method, native};

/// The methods that both kinds have.
macro_rules! shared {
    ($($name:literal $signature:literal $function:expr;)*) => {
        &[
            $(
                method(Type::Set, $name, $signature, $function),
                method(Type::FrozenSet, $name, $signature, $function),
            )*
            native("set", "iterable=, /", |ctx| make(ctx, false)),
            native("frozenset", "iterable=, /", |ctx| make(ctx, true)),
            method(Type::Set, "add", "self, element, /", add),
            method(Type::Set, "remove", "self, element, /", remove),
            method(Type::Set, "discard", "self, element, /", discard),
            method(Type::Set, "pop", "self, /", pop),
            method(Type::Set, "clear", "self, /", clear),
            method(Type::Set, "update", "self, /, *others", |ctx| change(ctx, Algebra::Union)),
            method(Type::Set, "intersection_update", "self, /, *others", |ctx| change(ctx, Algebra::Intersection)),
            method(Type::Set, "difference_update", "self, /, *others", |ctx| change(ctx, Algebra::Difference)),
            method(Type::Set, "symmetric_difference_update", "self, other, /", |ctx| {
                let (set, other) = (receiver(ctx), ctx.arg(1));
                ctx.combine_in_place(Algebra::SymmetricDifference, set, other)?;
                Ok(Value::None)
            }),
        ]
    };
}

pub(super) const NATIVES: &[Native] = shared! {
    "copy" "self, /" copy;
    "union" "self, /, *others" |ctx| combine(ctx, Algebra::Union);
    "intersection" "self, /, *others" |ctx| combine(ctx, Algebra::Intersection);
    "difference" "self, /, *others" |ctx| combine(ctx, Algebra::Difference);
    "symmetric_difference" "self, other, /" |ctx| {
        let (set, other) = (receiver(ctx), ctx.arg(1));
        let result = ctx.combine(Algebra::SymmetricDifference, set, other)?;
        Ok(ctx.vm.heap.new_set(result))
    };
    "issubset" "self, other, /" |ctx| {
        let (left, right) = (receiver(ctx), other(ctx)?);
        Ok(Value::Bool(ctx.is_subset(left, right)?))
    };
    "issuperset" "self, other, /" |ctx| {
        let (left, right) = (receiver(ctx), ctx.arg(1));
        Ok(Value::Bool(match right {
            Value::Set(right) => ctx.is_subset(right, left)?,
            _ => ctx.is_superset(left, right)?,
        }))
    };
    "isdisjoint" "self, other, /" |ctx| {
        let (left, right) = (receiver(ctx), ctx.arg(1));
        Ok(Value::Bool(ctx.is_disjoint(left, right)?))
    };
};

fn receiver(ctx: &Ctx<'_>) -> Ref<Set> {
    match ctx.arg(0) {
        Value::Set(set) => set,
        other => unreachable!("the receiver was checked, but is {other:?}"),
    }
}

/// The second argument as a set.
fn other(ctx: &mut Ctx<'_>) -> Result<Ref<Set>, Abrupt> {
    let other = ctx.arg(1);
    if let Value::Set(set) = other {
        return Ok(set);
    }
    let made = ctx.set_from(other, false)?;
    match ctx.once(|_| Ok(made))? {
        Value::Set(set) => Ok(set),
        other => unreachable!("it was made a set, not {other:?}"),
    }
}

fn make(ctx: &mut Ctx<'_>, frozen: bool) -> Result<Value, Abrupt> {
    let iterable = ctx.arg(0);
    match iterable {
        Value::Unbound => Ok(ctx.vm.heap.new_set(Set::new(frozen))),
        Value::Set(it) if frozen && ctx.vm.heap.sets[it].frozen => Ok(iterable),
        _ => ctx.set_from(iterable, frozen),
    }
}

fn copy(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let set = receiver(ctx);
    if ctx.vm.heap.sets[set].frozen {
        return Ok(Value::Set(set));
    }
    ctx.reserve(ctx.vm.heap.sets[set].bytes())?;
    let copy = ctx.vm.heap.sets[set].copy(false);
    Ok(ctx.vm.heap.new_set(copy))
}

fn add(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (set, element) = (receiver(ctx), ctx.arg(1));
    ctx.set_add(set, element)?;
    Ok(Value::None)
}

fn remove(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (set, element) = (receiver(ctx), ctx.arg(1));
    if ctx.set_remove(set, element)? {
        return Ok(Value::None);
    }
    Err(ctx.key_error(element))
}

fn discard(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (set, element) = (receiver(ctx), ctx.arg(1));
    ctx.set_remove(set, element)?;
    Ok(Value::None)
}

fn pop(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let set = receiver(ctx);
    match ctx.vm.heap.sets[set].pop() {
        Some(element) => Ok(element),
        None => Err(ctx.error(Type::KeyError, "pop from an empty set")),
    }
}

fn clear(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let set = receiver(ctx);
    ctx.vm.heap.sets[set].clear();
    Ok(Value::None)
}

/// `set.union(*others)` and its like.
fn combine(ctx: &mut Ctx<'_>, algebra: Algebra) -> Result<Value, Abrupt> {
    let set = receiver(ctx);
    let others = ctx.rest();
    let Some((&first, rest)) = others.split_first() else {
        let copy = ctx.vm.heap.sets[set].copy(ctx.vm.heap.sets[set].frozen);
        return Ok(ctx.vm.heap.new_set(copy));
    };
    let result = ctx.combine(algebra, set, first)?;
    if rest.is_empty() {
        return Ok(ctx.vm.heap.new_set(result));
    }
    // The result so far is changed by the others, so it must be the same set each time.
    let Value::Set(made) = ctx.once(|ctx| Ok(ctx.vm.heap.new_set(result)))? else {
        unreachable!("just made")
    };
    for &other in rest {
        if algebra == Algebra::Union && matches!(other, Value::Set(it) if it == set) {
            continue;
        }
        ctx.combine_in_place(algebra, made, other)?;
    }
    Ok(Value::Set(made))
}

/// `set.update(*others)` and its like.
fn change(ctx: &mut Ctx<'_>, algebra: Algebra) -> Result<Value, Abrupt> {
    let set = receiver(ctx);
    for other in ctx.rest() {
        ctx.combine_in_place(algebra, set, other)?;
    }
    Ok(Value::None)
}
