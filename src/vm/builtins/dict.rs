//! `dict`, its methods, and its views.

use crate::vm::heap::class::Type;
use crate::vm::heap::dict::Dict;
use crate::vm::heap::object::{DictView, Iter};
use crate::vm::heap::value::{Ref, Value};
use crate::vm::state::native::{Abrupt, Ctx, Native, class_method, method, native};

pub(super) const NATIVES: &[Native] = &[
    native("dict", "iterable=, /, **kwargs", dict),
    class_method(Type::Dict, "fromkeys", "cls, iterable, value=, /", fromkeys),
    native("_pair", "item, at, /", pair),
    method(Type::Dict, "get", "self, key, default=, /", get),
    method(
        Type::Dict,
        "setdefault",
        "self, key, default=, /",
        setdefault,
    ),
    method(Type::Dict, "pop", "self, key, default=, /", pop),
    method(Type::Dict, "popitem", "self, /", popitem),
    method(Type::Dict, "update", "self, iterable=, /, **kwargs", update),
    method(Type::Dict, "clear", "self, /", clear),
    method(Type::Dict, "copy", "self, /", copy),
    method(Type::Dict, "keys", "self, /", |ctx| {
        view(ctx, DictView::Keys)
    }),
    method(Type::Dict, "values", "self, /", |ctx| {
        view(ctx, DictView::Values)
    }),
    method(Type::Dict, "items", "self, /", |ctx| {
        view(ctx, DictView::Items)
    }),
    method(Type::Dict, "__reversed__", "self, /", reversed),
    method(Type::DictKeys, "__reversed__", "self, /", reversed),
    method(Type::DictValues, "__reversed__", "self, /", reversed),
    method(Type::DictItems, "__reversed__", "self, /", reversed),
    method(Type::DictKeys, "isdisjoint", "self, other, /", isdisjoint),
    method(Type::DictItems, "isdisjoint", "self, other, /", isdisjoint),
];

fn receiver(ctx: &Ctx<'_>) -> Ref<Dict> {
    match ctx.arg(0) {
        Value::Dict(dict) => dict,
        other => unreachable!("the receiver was checked, but is {other:?}"),
    }
}

fn dict(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let source = ctx.arg(0);
    if let Value::Dict(from) = source {
        ctx.reserve(ctx.vm.heap.dicts[from].bytes())?;
        let copy = ctx.vm.heap.dicts[from].merged();
        let Value::Dict(made) = ctx.vm.heap.new_dict(copy) else {
            unreachable!("just made")
        };
        put_keywords(ctx, made);
        return Ok(Value::Dict(made));
    }
    let made = ctx.once(|ctx| Ok(ctx.vm.heap.new_dict(Dict::default())))?;
    let Value::Dict(target) = made else {
        unreachable!("just made")
    };
    fill(ctx, target, source)?;
    Ok(made)
}

fn update(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (target, source) = (receiver(ctx), ctx.arg(1));
    fill(ctx, target, source)?;
    Ok(Value::None)
}

/// Puts a mapping's or an iterable's pairs and the keyword arguments into a dict.
fn fill(ctx: &mut Ctx<'_>, target: Ref<Dict>, source: Value) -> Result<(), Abrupt> {
    if source.is_bound() {
        ctx.dict_update(target, source)?;
    }
    put_keywords(ctx, target);
    Ok(())
}

fn put_keywords(ctx: &mut Ctx<'_>, target: Ref<Dict>) {
    for at in 0..ctx.keywords().len() {
        let (name, value) = ctx.keywords()[at];
        let text = ctx.vm.names[name].clone();
        ctx.vm.dict_set_str(target, &text, value);
    }
}

fn fromkeys(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (iterable, value) = (ctx.arg(1), ctx.arg(2).or(Value::None));
    let made = ctx.once(|ctx| Ok(ctx.vm.heap.new_dict(Dict::default())))?;
    let Value::Dict(target) = made else {
        unreachable!("just made")
    };
    ctx.dict_put_keys(target, iterable, value)?;
    Ok(made)
}

/// An item of an iterable of pairs as a tuple of two.
fn pair(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let item = ctx.arg(0);
    let at = match ctx.arg(1) {
        Value::Int(at) => at,
        _ => 0,
    };
    let (key, value) = ctx.pair(item, at)?;
    Ok(ctx.vm.heap.new_tuple([key, value]))
}

fn get(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (dict, key, otherwise) = (receiver(ctx), ctx.arg(1), ctx.arg(2));
    Ok(ctx
        .dict_get(dict, key)?
        .unwrap_or(otherwise.or(Value::None)))
}

fn setdefault(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (dict, key, value) = (receiver(ctx), ctx.arg(1), ctx.arg(2).or(Value::None));
    let (hash, position) = ctx.find_key(dict, key)?;
    if let Some(entry) = position.and_then(|at| ctx.vm.heap.dicts[dict].entry(at)) {
        return Ok(entry.value);
    }
    ctx.vm.heap.dict_put(dict, hash, None, key, value);
    Ok(value)
}

fn pop(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (dict, key, otherwise) = (receiver(ctx), ctx.arg(1), ctx.arg(2));
    match ctx.dict_remove(dict, key)? {
        Some(value) => Ok(value),
        None if otherwise.is_bound() => Ok(otherwise),
        None => Err(ctx.key_error(key)),
    }
}

fn popitem(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let dict = receiver(ctx);
    let Some(entry) = ctx.vm.heap.dicts[dict].pop() else {
        return Err(ctx.error(Type::KeyError, "popitem(): dictionary is empty"));
    };
    Ok(ctx.vm.heap.new_tuple([entry.key, entry.value]))
}

fn clear(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let dict = receiver(ctx);
    ctx.vm.heap.dicts[dict].clear();
    Ok(Value::None)
}

fn copy(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    ctx.reserve(ctx.vm.heap.dicts[receiver(ctx)].bytes())?;
    let copy = ctx.vm.heap.dicts[receiver(ctx)].copied();
    Ok(ctx.vm.heap.new_dict(copy))
}

fn view(ctx: &mut Ctx<'_>, view: DictView) -> Result<Value, Abrupt> {
    let dict = receiver(ctx);
    Ok(ctx.vm.heap.new_view(dict, view))
}

/// `reversed` of a dict or a view.
pub(super) fn reversed(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let this = ctx.arg(0);
    let (dict, view) = match this {
        Value::Dict(dict) => (dict, DictView::Keys),
        _ => match ctx.vm.heap.viewed(this) {
            Some(viewed) => viewed,
            None => unreachable!("the receiver was checked, but is {this:?}"),
        },
    };
    Ok(ctx.vm.heap.new_iter(Iter::DictReversed {
        dict,
        end: usize::MAX,
        size: ctx.vm.heap.dicts[dict].len(),
        view,
    }))
}

fn isdisjoint(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (this, other) = (ctx.arg(0), ctx.arg(1));
    let made = ctx.set_from(this, false)?;
    let Value::Set(set) = ctx.once(|_| Ok(made))? else {
        unreachable!("it was made a set")
    };
    Ok(Value::Bool(ctx.is_disjoint(set, other)?))
}
