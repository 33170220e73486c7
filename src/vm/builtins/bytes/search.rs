//! Bytes: finding, replacing and taking away.

use crate::vm::builtins::bytes::case::is_space;
use crate::vm::builtins::bytes::{byte, new, required, this};
use crate::vm::builtins::str::search::{most_times, span};
use crate::vm::heap::class::{Type, name};
use crate::vm::heap::text::search;
use crate::vm::heap::value::Value;
use crate::vm::state::native::{Abrupt, Ctx, Native, method, static_method};
use std::ops::Range;
use std::sync::Arc;

pub(in crate::vm::builtins) const NATIVES: &[Native] = &[
    method(Type::Bytes, "find", "self, sub, start=, end=, /", |ctx| {
        position(ctx, true)
    }),
    method(Type::Bytes, "rfind", "self, sub, start=, end=, /", |ctx| {
        position(ctx, false)
    }),
    method(Type::Bytes, "index", "self, sub, start=, end=, /", |ctx| {
        index(ctx, true)
    }),
    method(Type::Bytes, "rindex", "self, sub, start=, end=, /", |ctx| {
        index(ctx, false)
    }),
    method(Type::Bytes, "count", "self, sub, start=, end=, /", count),
    method(
        Type::Bytes,
        "startswith",
        "self, prefix, start=, end=, /",
        |ctx| matches(ctx, <[u8]>::starts_with),
    ),
    method(
        Type::Bytes,
        "endswith",
        "self, suffix, start=, end=, /",
        |ctx| matches(ctx, <[u8]>::ends_with),
    ),
    method(Type::Bytes, "replace", "self, old, new, count=, /", replace),
    method(Type::Bytes, "removeprefix", "self, prefix, /", removeprefix),
    method(Type::Bytes, "removesuffix", "self, suffix, /", removesuffix),
    method(Type::Bytes, "strip", "self, bytes=, /", |ctx| {
        strip(ctx, true, true)
    }),
    method(Type::Bytes, "lstrip", "self, bytes=, /", |ctx| {
        strip(ctx, true, false)
    }),
    method(Type::Bytes, "rstrip", "self, bytes=, /", |ctx| {
        strip(ctx, false, true)
    }),
    static_method(Type::Bytes, "maketrans", "frm, to, /", maketrans),
    method(
        Type::Bytes,
        "translate",
        "self, table, /, delete=",
        translate,
    ),
];

/// What is looked for: bytes, or one as a number.
fn sought(ctx: &mut Ctx<'_>) -> Result<Arc<[u8]>, Abrupt> {
    let sub = ctx.arg(1);
    match sub {
        Value::Bytes(bytes) => Ok(ctx.vm.heap.bytes[bytes].0.clone()),
        Value::Int(_) | Value::Bool(_) | Value::Big(_) => Ok([byte(ctx, sub, "byte")?].into()),
        _ if ctx.vm.special(sub, name::INDEX).is_some() => Ok([byte(ctx, sub, "byte")?].into()),
        _ => {
            let message = format!(
                "argument should be integer or bytes-like object, not '{}'",
                ctx.vm.type_name(sub)
            );
            Err(ctx.type_error(message))
        }
    }
}

fn searched(ctx: &mut Ctx<'_>) -> Result<Option<Range<usize>>, Abrupt> {
    let length = this(ctx).len();
    span(ctx, 2, length)
}

fn found(ctx: &mut Ctx<'_>, first: bool) -> Result<Option<usize>, Abrupt> {
    let sub = sought(ctx)?;
    let Some(range) = searched(ctx)? else {
        return Ok(None);
    };
    let start = range.start;
    Ok(search::find(&this(ctx)[range], &sub, first).map(|at| start + at))
}

fn position(ctx: &mut Ctx<'_>, first: bool) -> Result<Value, Abrupt> {
    Ok(Value::Int(found(ctx, first)?.map_or(-1, |at| at as i64)))
}

fn index(ctx: &mut Ctx<'_>, first: bool) -> Result<Value, Abrupt> {
    match found(ctx, first)? {
        Some(at) => Ok(Value::Int(at as i64)),
        None => Err(ctx.value_error("subsection not found")),
    }
}

fn count(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let sub = sought(ctx)?;
    let Some(range) = searched(ctx)? else {
        return Ok(Value::Int(0));
    };
    let count = if sub.is_empty() {
        range.len() + 1
    } else {
        search::count(&this(ctx)[range], &sub)
    };
    Ok(Value::Int(count as i64))
}

fn matches(ctx: &mut Ctx<'_>, test: fn(&[u8], &[u8]) -> bool) -> Result<Value, Abrupt> {
    let wanted = ctx.arg(1);
    let candidates = match wanted {
        Value::Bytes(_) => vec![wanted],
        Value::Tuple(items) => ctx.vm.heap.tuples[items].0.to_vec(),
        _ => {
            let message = format!(
                "{} first arg must be bytes or a tuple of bytes, not {}",
                ctx.shown_name(),
                ctx.vm.type_name(wanted)
            );
            return Err(ctx.type_error(message));
        }
    };
    let range = searched(ctx)?;
    for candidate in candidates {
        let candidate = required(ctx, candidate)?;
        if range
            .clone()
            .is_some_and(|range| test(&this(ctx)[range], &candidate))
        {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn replace(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (old, fresh, most) = (ctx.arg(1), ctx.arg(2), ctx.arg(3));
    let (old, fresh) = (required(ctx, old)?, required(ctx, fresh)?);
    let most = most_times(ctx, most)?;
    let bytes = this(ctx);
    let times = if old.is_empty() {
        bytes.len() + 1
    } else {
        search::count(&bytes, &old)
    };
    let times = times.min(most);
    let growth = fresh.len().saturating_sub(old.len()).saturating_mul(times);
    ctx.reserve_bytes(bytes.len().saturating_add(growth))?;
    let replaced = if old.is_empty() {
        let mut out = Vec::new();
        for at in 0..=bytes.len() {
            if at < times {
                out.extend_from_slice(&fresh);
            }
            out.extend(bytes.get(at));
        }
        out
    } else {
        search::replace(&bytes, &old, &fresh, times)
    };
    Ok(new(ctx, replaced))
}

fn removeprefix(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let prefix = ctx.arg(1);
    let prefix = required(ctx, prefix)?;
    Ok(match this(ctx).strip_prefix(&prefix[..]) {
        Some(kept) => new(ctx, kept),
        None => ctx.arg(0),
    })
}

fn removesuffix(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let suffix = ctx.arg(1);
    let suffix = required(ctx, suffix)?;
    Ok(match this(ctx).strip_suffix(&suffix[..]) {
        Some(kept) => new(ctx, kept),
        None => ctx.arg(0),
    })
}

fn strip(ctx: &mut Ctx<'_>, left: bool, right: bool) -> Result<Value, Abrupt> {
    let stripped = match ctx.arg(1) {
        Value::Unbound | Value::None => None,
        stripped => Some(required(ctx, stripped)?),
    };
    let is_stripped = |it: &u8| match &stripped {
        Some(stripped) => stripped.contains(it),
        None => is_space(*it),
    };
    let bytes = this(ctx);
    ctx.reserve(bytes.len())?;
    let mut kept = &bytes[..];
    if left {
        let start = kept.iter().take_while(|it| is_stripped(it)).count();
        kept = &kept[start..];
    }
    if right {
        let behind = kept.iter().rev().take_while(|it| is_stripped(it)).count();
        kept = &kept[..kept.len() - behind];
    }
    Ok(new(ctx, kept))
}

fn maketrans(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (from, to) = (ctx.arg(0), ctx.arg(1));
    let (from, to) = (required(ctx, from)?, required(ctx, to)?);
    if from.len() != to.len() {
        return Err(ctx.value_error("maketrans arguments must have same length"));
    }
    let mut table: Vec<u8> = (0..=255).collect();
    for (&from, &to) in from.iter().zip(&to[..]) {
        table[usize::from(from)] = to;
    }
    Ok(new(ctx, table))
}

fn translate(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (table, removed) = (ctx.arg(1), ctx.arg(2));
    let table = match table {
        Value::None => None,
        table => Some(required(ctx, table)?),
    };
    if table.as_ref().is_some_and(|it| it.len() != 256) {
        return Err(ctx.value_error("translation table must be 256 characters long"));
    }
    let removed = match removed {
        Value::Unbound => [].into(),
        removed => required(ctx, removed)?,
    };
    let bytes = this(ctx);
    ctx.reserve(3 * bytes.len())?;
    let kept = bytes.iter().filter(|it| !removed.contains(it));
    let translated: Vec<u8> = match &table {
        Some(table) => kept.map(|&it| table[usize::from(it)]).collect(),
        None => kept.copied().collect(),
    };
    Ok(new(ctx, translated))
}
