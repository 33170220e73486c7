//! Under the dict-like classes of `collections`: what is one step for other threads in CPython,
//! where these classes are dicts. The rest of them is Mini code.

use crate::vm::heap::class::name;
use crate::vm::heap::dict::Dict;
use crate::vm::heap::object::Instance;
use crate::vm::heap::value::{Ref, Value};
use crate::vm::semantics::protocol::Tally;
use crate::vm::state::native::{Abrupt, Ctx, Native, library_method, native};

pub(super) const NATIVES: &[Native] = &[
    library_method("_mapping_getitem", "__getitem__", "self, key, /", get_item),
    library_method(
        "_mapping_setitem",
        "__setitem__",
        "self, key, value, /",
        set_item,
    ),
    library_method("_mapping_len", "__len__", "self, /", length),
    library_method(
        "_mapping_contains",
        "__contains__",
        "self, key, /",
        contains,
    ),
    library_method("_mapping_get", "get", "self, key, default=, /", get),
    library_method(
        "_defaultdict_missing",
        "__missing__",
        "self, key, /",
        missing,
    ),
    native("_count_elements", "counts, iterable, /", count_elements),
];

/// The instance that is the native's first argument, and the dict in it.
fn mapping(ctx: &mut Ctx<'_>) -> Result<(Ref<Instance>, Ref<Dict>), Abrupt> {
    if let Value::Instance(this) = ctx.arg(0)
        && let Some(Value::Dict(dict)) = ctx.vm.instance_attribute(this, name::ENTRIES)
    {
        return Ok((this, dict));
    }
    Err(ctx.wrong_receiver("dict"))
}

/// `self[key]`, or what `__missing__` says. That may put the key there, so whether it was there is
/// not to be looked up again once it has been called.
fn get_item(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (this, dict) = mapping(ctx)?;
    let key = ctx.arg(1);
    let absent = ctx.marked(key);
    if !absent && let Some(value) = ctx.dict_get(dict, key)? {
        return Ok(value);
    }
    let Some(method) = ctx.vm.special(Value::Instance(this), name::MISSING) else {
        return Err(ctx.key_error(key));
    };
    if !absent {
        ctx.mark(key);
    }
    ctx.call_special(method, &[Value::Instance(this), key])
}

fn set_item(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (_, dict) = mapping(ctx)?;
    let (key, value) = (ctx.arg(1), ctx.arg(2));
    ctx.dict_insert(dict, key, value)?;
    Ok(Value::None)
}

fn length(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (_, dict) = mapping(ctx)?;
    Ok(Value::Int(ctx.vm.heap.dicts[dict].len() as i64))
}

fn contains(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (_, dict) = mapping(ctx)?;
    let key = ctx.arg(1);
    Ok(Value::Bool(ctx.dict_get(dict, key)?.is_some()))
}

fn get(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (_, dict) = mapping(ctx)?;
    let key = ctx.arg(1);
    let default = match ctx.arg(2) {
        Value::Unbound => Value::None,
        default => default,
    };
    Ok(ctx.dict_get(dict, key)?.unwrap_or(default))
}

/// Makes the value of a missing key.
fn missing(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (this, dict) = mapping(ctx)?;
    let key = ctx.arg(1);
    let factory = match ctx.vm.instance_attribute(this, name::DEFAULT_FACTORY) {
        Some(factory) if !matches!(factory, Value::None) => factory,
        _ => return Err(ctx.key_error(key)),
    };
    let value = ctx.call(factory, &[])?;
    ctx.dict_insert(dict, key, value)?;
    Ok(value)
}

/// Adds to the counts of things how often each is in a string, list or tuple. False, with nothing
/// changed, if a method of the script has a say in it.
fn count_elements(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let Value::Dict(counts) = ctx.arg(0) else {
        return Err(ctx.type_error("the counts are in a dict"));
    };
    let iterable = ctx.arg(1);
    let counted =
        Tally::of(ctx.vm, iterable).is_some_and(|tally| tally.add_to(&mut ctx.vm.heap, counts));
    Ok(Value::Bool(counted))
}
