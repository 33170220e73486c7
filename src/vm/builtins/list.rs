//! `list` and its methods.

use crate::vm::heap::class::Type;
use crate::vm::heap::list::List;
use crate::vm::heap::object::Iter;
use crate::vm::heap::value::{Ref, Value};
use crate::vm::heap::work::Work;
use crate::vm::semantics::protocol::within;
use crate::vm::state::native::{Abrupt, Ctx, Native, method, native};

pub(super) const NATIVES: &[Native] = &[
    native("list", "iterable=, /", list),
    method(Type::List, "append", "self, object, /", append),
    method(Type::List, "extend", "self, iterable, /", extend),
    method(Type::List, "insert", "self, index, object, /", insert),
    method(Type::List, "pop", "self, index=, /", pop),
    method(Type::List, "remove", "self, value, /", remove),
    method(Type::List, "clear", "self, /", clear),
    method(Type::List, "copy", "self, /", copy),
    method(Type::List, "count", "self, value, /", count),
    method(Type::List, "index", "self, value, start=, stop=, /", index),
    method(Type::List, "reverse", "self, /", reverse),
    method(Type::List, "sort", "self, /, *, key=, reverse=", sort),
    method(Type::List, "__reversed__", "self, /", reversed),
];

fn receiver(ctx: &Ctx<'_>) -> Ref<List> {
    match ctx.arg(0) {
        Value::List(list) => list,
        other => unreachable!("the receiver was checked, but is {other:?}"),
    }
}

fn list(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let iterable = ctx.arg(0);
    let items = match iterable {
        Value::Unbound => Vec::new(),
        _ => ctx.take_all(iterable)?,
    };
    Ok(ctx.vm.heap.new_list(items.into_iter().collect::<List>()))
}

fn append(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (list, item) = (receiver(ctx), ctx.arg(1));
    ctx.vm.heap.change_list(list, |items| items.push(item));
    Ok(Value::None)
}

fn extend(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (list, iterable) = (receiver(ctx), ctx.arg(1));
    ctx.extend_list(list, iterable)?;
    Ok(Value::None)
}

fn insert(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (list, item) = (receiver(ctx), ctx.arg(2));
    let index = ctx.arg(1);
    let index = ctx.index(index)?;
    let length = ctx.vm.heap.lists[list].len();
    let at = if index < 0 {
        length.saturating_sub(usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX))
    } else {
        usize::try_from(index).unwrap_or(usize::MAX).min(length)
    };
    let moved = (length - at) * size_of::<Value>();
    ctx.vm.heap.worked(Work::Byte, moved);
    ctx.vm
        .heap
        .change_list(list, |items| items.insert(at, item));
    Ok(Value::None)
}

fn pop(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let list = receiver(ctx);
    let index = match ctx.arg(1) {
        Value::Unbound => -1,
        index => ctx.index(index)?,
    };
    let items = &mut ctx.vm.heap.lists[list];
    if items.is_empty() {
        return Err(ctx.error(Type::IndexError, "pop from empty list"));
    }
    if index == -1 {
        return Ok(items.pop().unwrap_or(Value::None));
    }
    match within(index, items.len()) {
        Some(at) => {
            let moved = (items.len() - at) * size_of::<Value>();
            let item = items.remove(at);
            ctx.vm.heap.worked(Work::Byte, moved);
            Ok(item)
        }
        None => Err(ctx.error(Type::IndexError, "pop index out of range")),
    }
}

fn remove(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (list, value) = (receiver(ctx), ctx.arg(1));
    let Some(at) = ctx.position(Value::List(list), value, [None; 2])? else {
        return Err(ctx.value_error("list.remove(x): x not in list"));
    };
    // Whoever compared may have changed the list.
    if at < ctx.vm.heap.lists[list].len() {
        ctx.vm.heap.lists[list].remove(at);
    }
    Ok(Value::None)
}

fn clear(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let list = receiver(ctx);
    ctx.vm.heap.lists[list].clear();
    Ok(Value::None)
}

fn copy(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    ctx.reserve(ctx.vm.heap.lists[receiver(ctx)].bytes())?;
    let copied = ctx.vm.heap.lists[receiver(ctx)].clone();
    Ok(ctx.vm.heap.new_list(copied))
}

fn count(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (list, value) = (ctx.arg(0), ctx.arg(1));
    Ok(Value::Int(ctx.occurrences(list, value)? as i64))
}

fn index(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    if let Some(at) = super::tuple::place(ctx)? {
        return Ok(Value::Int(at as i64));
    }
    let value = ctx.arg(1);
    let value = ctx.repr(value)?;
    Err(ctx.value_error(format!("{value} is not in list")))
}

fn reverse(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let list = receiver(ctx);
    ctx.vm.heap.lists[list].reverse();
    let bytes = ctx.vm.heap.lists[list].bytes();
    ctx.vm.heap.worked(Work::Byte, bytes);
    Ok(Value::None)
}

fn sort(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let list = receiver(ctx);
    let (key, reverse) = (ctx.arg(1), ctx.arg(2));
    let reverse = reverse.is_bound() && ctx.truth(reverse)?;
    ctx.sort_list(list, key, reverse)?;
    Ok(Value::None)
}

fn reversed(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let list = receiver(ctx);
    let left = ctx.vm.heap.lists[list].len();
    Ok(ctx.vm.heap.new_iter(Iter::Reversed {
        sequence: Value::List(list),
        left,
    }))
}
