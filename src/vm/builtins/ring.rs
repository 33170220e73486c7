//! The ring under `collections.deque`: what must be one step for other threads, as it is in CPython. The class itself is Mini code.

use crate::vm::class::Type;
use crate::vm::native::{Ctx, Interrupt, Native, method, native};
use crate::vm::object::Object;
use crate::vm::protocol::within;
use crate::vm::ring::{Ring, Side};
use crate::vm::value::Value;

pub(super) const NATIVES: &[Native] = &[
    native("_ring_new", "bound", ring_new),
    method(Type::Ring, "append", "self, item, /", append),
    method(Type::Ring, "appendleft", "self, item, /", append_left),
    method(Type::Ring, "pop", "self, /", pop),
    method(Type::Ring, "popleft", "self, /", pop_left),
    method(Type::Ring, "rotate", "self, steps, /", rotate),
    method(Type::Ring, "size", "self, /", size),
    method(Type::Ring, "bound", "self, /", bound),
    method(Type::Ring, "get", "self, index, /", get),
    method(Type::Ring, "set", "self, index, item, /", set),
    method(Type::Ring, "items", "self, /", items),
    method(Type::Ring, "replace", "self, items, /", replace),
    method(Type::Ring, "watch", "self, /", watch),
    method(Type::Ring, "unwatch", "self, /", unwatch),
    method(Type::Ring, "changes", "self, /", changes),
];

fn ring_new(ctx: &mut Ctx<'_>) -> Result<Value, Interrupt> {
    let bound = match ctx.arg(0) {
        Value::None => None,
        bound => Some(ctx.index(bound)?),
    };
    let bound = match bound.map(usize::try_from) {
        None => None,
        Some(Ok(bound)) => Some(bound),
        Some(Err(_)) => return Err(ctx.value_error("maxlen must be non-negative")),
    };
    let ring = Object::Ring(Box::new(Ring::new(bound)));
    Ok(ctx.vm.heap.new_object(ring))
}

fn ring<'a>(ctx: &'a mut Ctx<'_>) -> &'a mut Ring {
    let object = super::sync::this(ctx);
    match &mut ctx.vm.heap.objects[object] {
        Object::Ring(ring) => ring,
        _ => unreachable!("the call has checked the type of `self`"),
    }
}

/// Changes the ring and reports how much it grew.
fn change<T>(ctx: &mut Ctx<'_>, act: impl FnOnce(&mut Ring) -> T) -> T {
    let ring = ring(ctx);
    let before = ring.bytes();
    let result = act(ring);
    let grown = ring.bytes().saturating_sub(before);
    ctx.vm.heap.allocated += grown;
    result
}

fn append(ctx: &mut Ctx<'_>) -> Result<Value, Interrupt> {
    let item = ctx.arg(1);
    change(ctx, |ring| ring.push(Side::Right, item));
    Ok(Value::None)
}

fn append_left(ctx: &mut Ctx<'_>) -> Result<Value, Interrupt> {
    let item = ctx.arg(1);
    change(ctx, |ring| ring.push(Side::Left, item));
    Ok(Value::None)
}

fn pop(ctx: &mut Ctx<'_>) -> Result<Value, Interrupt> {
    take(ctx, Side::Right)
}

fn pop_left(ctx: &mut Ctx<'_>) -> Result<Value, Interrupt> {
    take(ctx, Side::Left)
}

fn take(ctx: &mut Ctx<'_>, side: Side) -> Result<Value, Interrupt> {
    match ring(ctx).pop(side) {
        Some(item) => Ok(item),
        None => Err(ctx.error(Type::IndexError, "pop from an empty deque")),
    }
}

fn rotate(ctx: &mut Ctx<'_>) -> Result<Value, Interrupt> {
    let steps = ctx.arg(1);
    let steps = ctx.index(steps)?;
    ring(ctx).rotate(steps);
    Ok(Value::None)
}

fn size(ctx: &mut Ctx<'_>) -> Result<Value, Interrupt> {
    Ok(Value::Int(ring(ctx).len() as i64))
}

fn bound(ctx: &mut Ctx<'_>) -> Result<Value, Interrupt> {
    let bound = ring(ctx).bound();
    Ok(bound.map_or(Value::None, |bound| Value::Int(bound as i64)))
}

/// The place that a script's index means.
fn place(ctx: &mut Ctx<'_>) -> Result<usize, Interrupt> {
    let index = ctx.arg(1);
    if !matches!(index, Value::Int(_) | Value::Bool(_) | Value::Instance(_)) {
        let of = ctx.vm.type_name(index).to_owned();
        return Err(ctx.type_error(format!("sequence index must be integer, not '{of}'")));
    }
    let index = ctx.index(index)?;
    match within(index, ring(ctx).len()) {
        Some(at) => Ok(at),
        None => Err(ctx.error(Type::IndexError, "deque index out of range")),
    }
}

fn get(ctx: &mut Ctx<'_>) -> Result<Value, Interrupt> {
    let at = place(ctx)?;
    Ok(ring(ctx).get(at).unwrap_or(Value::None))
}

fn set(ctx: &mut Ctx<'_>) -> Result<Value, Interrupt> {
    let at = place(ctx)?;
    let item = ctx.arg(2);
    ring(ctx).set(at, item);
    Ok(Value::None)
}

fn items(ctx: &mut Ctx<'_>) -> Result<Value, Interrupt> {
    let items: Vec<Value> = ring(ctx).iter().collect();
    Ok(ctx.vm.heap.new_list(items))
}

fn replace(ctx: &mut Ctx<'_>) -> Result<Value, Interrupt> {
    let items = ctx.arg(1);
    let items = ctx.collect(items)?;
    change(ctx, |ring| ring.replace(items));
    Ok(Value::None)
}

fn watch(ctx: &mut Ctx<'_>) -> Result<Value, Interrupt> {
    Ok(Value::Int(ring(ctx).watch() as i64))
}

fn unwatch(ctx: &mut Ctx<'_>) -> Result<Value, Interrupt> {
    ring(ctx).unwatch();
    Ok(Value::None)
}

fn changes(ctx: &mut Ctx<'_>) -> Result<Value, Interrupt> {
    Ok(Value::Int(ring(ctx).changes().0 as i64))
}
