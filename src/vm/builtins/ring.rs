//! The ring under `collections.deque`: what must be one step for other threads, as it is in
//! CPython. The class itself is Mini code.

use crate::vm::heap::class::{Type, name};
use crate::vm::heap::fault::Fault;
use crate::vm::heap::object::{Instance, Object};
use crate::vm::heap::ring::{Ring, Side};
use crate::vm::heap::value::{Ref, Value};
use crate::vm::semantics::protocol::within;
use crate::vm::state::native::{Abrupt, Ctx, Native, library_method, method, native};

pub(super) const NATIVES: &[Native] = &[
    native("_ring_new", "bound", ring_new),
    method(Type::Ring, "append", "self, item, /", append),
    method(Type::Ring, "appendleft", "self, item, /", append_left),
    method(Type::Ring, "pop", "self, /", pop),
    method(Type::Ring, "popleft", "self, /", pop_left),
    method(Type::Ring, "extend", "self, items, /", extend),
    method(Type::Ring, "size", "self, /", size),
    method(Type::Ring, "bound", "self, /", bound),
    method(Type::Ring, "get", "self, index, /", get),
    method(Type::Ring, "set", "self, index, item, /", set),
    method(Type::Ring, "items", "self, /", items),
    method(Type::Ring, "replace", "self, items, /", replace),
    method(Type::Ring, "watch", "self, fresh, /", watch),
    method(Type::Ring, "state", "self, /", state),
    method(Type::Ring, "reverse", "self, /", reverse),
    library_method("_deque_next", "__next__", "self, /", next),
    library_method("_deque_next_reversed", "__next__", "self, /", next_reversed),
    library_method("_deque_append", "append", "self, x, /", append),
    library_method("_deque_appendleft", "appendleft", "self, x, /", append_left),
    library_method("_deque_pop", "pop", "self, /", pop),
    library_method("_deque_popleft", "popleft", "self, /", pop_left),
    library_method("_deque_rotate", "rotate", "self, n=, /", rotate),
    library_method("_deque_getitem", "__getitem__", "self, index, /", get),
    library_method(
        "_deque_setitem",
        "__setitem__",
        "self, index, value, /",
        set,
    ),
    library_method("_deque_len", "__len__", "self, /", size),
];

fn ring_new(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
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

/// The ring that is the native's first argument, or that the deque there has.
fn ring<'a>(ctx: &'a mut Ctx<'_>) -> Result<&'a mut Ring, Abrupt> {
    let this = ctx.arg(0);
    let held = match this {
        Value::Instance(it) => ctx.vm.instance_attribute(it, name::RING),
        _ => Some(this),
    };
    let object = match held {
        Some(Value::Object(it)) if matches!(ctx.vm.heap.objects[it], Object::Ring(_)) => it,
        _ => return Err(ctx.wrong_receiver("collections.deque")),
    };
    match &mut ctx.vm.heap.objects[object] {
        Object::Ring(ring) => Ok(ring),
        _ => unreachable!("just matched"),
    }
}

/// Changes the ring and reports how much it grew.
fn change<T>(ctx: &mut Ctx<'_>, act: impl FnOnce(&mut Ring) -> T) -> Result<T, Abrupt> {
    let ring = ring(ctx)?;
    let before = ring.bytes();
    let result = act(ring);
    let grown = ring.bytes().saturating_sub(before);
    ctx.vm.heap.allocated += grown;
    Ok(result)
}

fn append(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let item = ctx.arg(1);
    change(ctx, |ring| ring.push(Side::Right, item))?;
    Ok(Value::None)
}

fn append_left(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let item = ctx.arg(1);
    change(ctx, |ring| ring.push(Side::Left, item))?;
    Ok(Value::None)
}

fn pop(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    take(ctx, Side::Right)
}

fn pop_left(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    take(ctx, Side::Left)
}

fn take(ctx: &mut Ctx<'_>, side: Side) -> Result<Value, Abrupt> {
    match ring(ctx)?.pop(side) {
        Some(item) => Ok(item),
        None => Err(ctx.error(Type::IndexError, "pop from an empty deque")),
    }
}

fn rotate(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let steps = match ctx.arg(1) {
        Value::Unbound => 1,
        steps => ctx.index(steps)?,
    };
    ring(ctx)?.rotate(steps);
    Ok(Value::None)
}

fn size(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    Ok(Value::Int(ring(ctx)?.len() as i64))
}

fn bound(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let bound = ring(ctx)?.bound();
    Ok(bound.map_or(Value::None, |bound| Value::Int(bound as i64)))
}

/// The place that a script's index means.
fn place(ctx: &mut Ctx<'_>) -> Result<usize, Abrupt> {
    let index = ctx.arg(1);
    if !matches!(index, Value::Int(_) | Value::Bool(_) | Value::Instance(_)) {
        let of = ctx.vm.type_name(index).to_owned();
        return Err(ctx.type_error(format!("sequence index must be integer, not '{of}'")));
    }
    let index = ctx.index(index)?;
    match within(index, ring(ctx)?.len()) {
        Some(at) => Ok(at),
        None => Err(ctx.error(Type::IndexError, "deque index out of range")),
    }
}

fn get(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let at = place(ctx)?;
    Ok(ring(ctx)?.get(at).unwrap_or(Value::None))
}

fn set(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let at = place(ctx)?;
    let item = ctx.arg(2);
    ring(ctx)?.set(at, item);
    Ok(Value::None)
}

fn items(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let items: Vec<Value> = ring(ctx)?.iter().collect();
    Ok(ctx.vm.heap.new_list(items))
}

fn replace(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let items = ctx.arg(1);
    let items = ctx.collect(items)?;
    change(ctx, |ring| ring.replace(items))?;
    Ok(Value::None)
}

fn extend(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let items = ctx.arg(1);
    let items = ctx.collect(items)?;
    change(ctx, |ring| {
        for item in items {
            ring.push(Side::Right, item);
        }
    })?;
    Ok(Value::None)
}

fn watch(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let fresh = ctx.arg(1);
    Ok(ring(ctx)?.watch(fresh))
}

fn state(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    Ok(ring(ctx)?.state().unwrap_or(Value::None))
}

fn reverse(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    ring(ctx)?.reverse();
    Ok(Value::None)
}

/// An iterator's next item (`dequeiter_next` in `Modules/_collectionsmodule.c`).
fn next(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let left = items_left(ctx)?;
    if has_changed(ctx)? {
        return Err(changed(ctx)?);
    }
    let Some(less) = left.checked_sub(1) else {
        return Err(ctx.raise(Fault::new(Type::StopIteration, "")));
    };
    set_left(ctx, less)?;
    let ring = ring(ctx)?;
    Ok(ring.get(ring.len() - left).unwrap_or(Value::None))
}

/// The same from the other end, which looks first whether there is anything left.
fn next_reversed(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let Some(less) = items_left(ctx)?.checked_sub(1) else {
        return Err(ctx.raise(Fault::new(Type::StopIteration, "")));
    };
    if has_changed(ctx)? {
        return Err(changed(ctx)?);
    }
    set_left(ctx, less)?;
    Ok(ring(ctx)?.get(less).unwrap_or(Value::None))
}

/// The iterator that is the native's first argument.
fn iterator(ctx: &mut Ctx<'_>) -> Result<Ref<Instance>, Abrupt> {
    match ctx.arg(0) {
        Value::Instance(it) => Ok(it),
        _ => Err(ctx.wrong_receiver("_collections._deque_iterator")),
    }
}

fn items_left(ctx: &mut Ctx<'_>) -> Result<usize, Abrupt> {
    let iterator = iterator(ctx)?;
    Ok(match ctx.vm.instance_attribute(iterator, name::LEFT) {
        Some(Value::Int(left)) => usize::try_from(left).unwrap_or(0),
        _ => 0,
    })
}

fn set_left(ctx: &mut Ctx<'_>, left: usize) -> Result<(), Abrupt> {
    let iterator = iterator(ctx)?;
    let left = Value::Int(left as i64);
    ctx.vm.set_instance_attribute(iterator, name::LEFT, left);
    Ok(())
}

fn has_changed(ctx: &mut Ctx<'_>) -> Result<bool, Abrupt> {
    let iterator = iterator(ctx)?;
    let began = ctx.vm.instance_attribute(iterator, name::STATE);
    let state = ring(ctx)?.state();
    Ok(match (began, state) {
        (Some(began), Some(state)) => !began.same(state),
        _ => true,
    })
}

/// The iterator ends with an error, once and for all.
fn changed(ctx: &mut Ctx<'_>) -> Result<Abrupt, Abrupt> {
    set_left(ctx, 0)?;
    Ok(ctx.error(Type::RuntimeError, "deque mutated during iteration"))
}
