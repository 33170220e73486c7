//! Strings: replacing characters by a table.

use crate::vm::builtins::str::{reserve_copies, string, text, this};
use crate::vm::heap::class::{Type, name};
use crate::vm::heap::dict::Dict;
use crate::vm::heap::fault::Fault;
use crate::vm::heap::value::Value;
use crate::vm::state::native::{Abrupt, Ctx, Native, method, static_method};
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;

pub(in crate::vm::builtins) const NATIVES: &[Native] = &[
    static_method(Type::Str, "maketrans", "x, y=, z=, /", maketrans),
    method(Type::Str, "translate", "self, table, /", translate),
];

fn maketrans(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (x, y, z) = (ctx.arg(0), ctx.arg(1), ctx.arg(2));
    let pairs = if y.is_bound() {
        pairs_of_texts(ctx, x, y, z)?
    } else {
        pairs_of_dict(ctx, x)?
    };
    let Value::Dict(table) = ctx.vm.heap.new_dict(Dict::default()) else {
        unreachable!("a new dict is a dict");
    };
    for (key, value) in pairs {
        ctx.dict_insert(table, key, value)?;
    }
    Ok(Value::Dict(table))
}

fn code(character: char) -> Value {
    Value::Int(u32::from(character).into())
}

fn pairs_of_texts(
    ctx: &mut Ctx<'_>,
    x: Value,
    y: Value,
    z: Value,
) -> Result<Vec<(Value, Value)>, Abrupt> {
    let Value::Str(x) = x else {
        return Err(ctx.type_error(
            "first maketrans argument must be a string if there is a second argument",
        ));
    };
    let y = string(ctx, y, "maketrans() argument 2")?;
    if ctx.vm.heap.strs[x].len() != ctx.vm.heap.strs[y].len() {
        return Err(ctx.value_error("the first two maketrans arguments must have equal length"));
    }
    let removed = if z.is_bound() {
        let z = string(ctx, z, "maketrans() argument 3")?;
        text(ctx, z)
    } else {
        String::new()
    };
    let (x, y) = (ctx.vm.heap.text(x), ctx.vm.heap.text(y));
    let replaced = x.chars().zip(y.chars()).map(|(x, y)| (code(x), code(y)));
    let removed = removed.chars().map(|it| (code(it), Value::None));
    Ok(replaced.chain(removed).collect())
}

fn pairs_of_dict(ctx: &mut Ctx<'_>, x: Value) -> Result<Vec<(Value, Value)>, Abrupt> {
    let Value::Dict(dict) = x else {
        return Err(ctx.type_error("if you give only one argument to maketrans it must be a dict"));
    };
    let entries: Vec<_> = ctx.vm.heap.dicts[dict].iter().collect();
    let mut pairs = Vec::with_capacity(entries.len());
    for entry in entries {
        let key = match entry.key {
            Value::Str(key) => {
                let mut chars = ctx.vm.heap.text(key).chars();
                match (chars.next(), chars.next()) {
                    (Some(only), None) => code(only),
                    _ => {
                        return Err(
                            ctx.value_error("string keys in translate table must be of length 1")
                        );
                    }
                }
            }
            Value::Int(_) | Value::Bool(_) | Value::Big(_) => entry.key,
            _ => {
                return Err(ctx.type_error("keys in translate table must be strings or integers"));
            }
        };
        pairs.push((key, entry.value));
    }
    Ok(pairs)
}

fn translate(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let table = ctx.arg(1);
    reserve_copies(ctx, 2)?;
    let source = text(ctx, this(ctx));
    let mut out = String::with_capacity(source.len());
    // Each character is looked up once.
    let mut known: FxHashMap<char, Option<String>> = FxHashMap::default();
    for character in source.chars() {
        if let Entry::Vacant(unknown) = known.entry(character) {
            unknown.insert(match looked_up(ctx, table, character)? {
                Some(value) => Some(replacement(ctx, value)?),
                None => None,
            });
        }
        match &known[&character] {
            Some(replaced) => {
                if out.len() + replaced.len() > out.capacity() {
                    ctx.held = source.len() + out.len();
                    ctx.reserve_text(2 * (out.len() + replaced.len()))?;
                }
                out.push_str(replaced);
            }
            None => out.push(character),
        }
    }
    Ok(ctx.vm.heap.new_string(out))
}

/// What a table has for a character; a `LookupError` means that it has nothing.
fn looked_up(ctx: &mut Ctx<'_>, table: Value, character: char) -> Result<Option<Value>, Abrupt> {
    let key = code(character);
    let result = match (table, ctx.vm.special(table, name::GETITEM)) {
        (Value::Dict(dict), _) => return ctx.dict_get(dict, key),
        (_, Some(method)) => ctx.try_call(method, &[table, key])?,
        (_, None) => match ctx.get_item(table, key) {
            Err(Abrupt::Throw(exception)) => Err(exception),
            other => Ok(other?),
        },
    };
    match result {
        Ok(value) => Ok(Some(value)),
        Err(exception) => {
            let class = ctx.vm.class_of(exception);
            if ctx.vm.is_subclass(class, Type::LookupError.class()) {
                Ok(None)
            } else {
                Err(Abrupt::Throw(exception))
            }
        }
    }
}

/// The text that an entry of a table stands for.
fn replacement(ctx: &mut Ctx<'_>, value: Value) -> Result<String, Abrupt> {
    match value {
        Value::None => Ok(String::new()),
        Value::Str(replaced) => Ok(text(ctx, replaced)),
        Value::Bool(_) | Value::Int(_) | Value::Big(_) => {
            let code = match value {
                Value::Int(code) => u32::try_from(code).ok(),
                Value::Bool(truth) => Some(u32::from(truth)),
                _ => None,
            };
            match code.and_then(char::from_u32) {
                Some(character) => Ok(character.to_string()),
                None => {
                    Err(ctx.raise(Fault::value("character mapping must be in range(0x110000)")))
                }
            }
        }
        _ => Err(ctx.type_error("character mapping must return integer, None or str")),
    }
}
