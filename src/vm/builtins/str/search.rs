//! Strings: finding, replacing and taking away.

use crate::vm::builtins::str::{reserve_copies, string, text, this};
use crate::vm::heap::class::Type;
use crate::vm::heap::text::character::is_space;
use crate::vm::heap::text::search;
use crate::vm::heap::value::{Ref, Value};
use crate::vm::heap::work::Work;
use crate::vm::state::native::{Abrupt, Ctx, Native, method};
use std::ops::Range;

pub(in crate::vm::builtins) const NATIVES: &[Native] = &[
    method(Type::Str, "find", "self, sub, start=, end=, /", |ctx| {
        position(ctx, true)
    }),
    method(Type::Str, "rfind", "self, sub, start=, end=, /", |ctx| {
        position(ctx, false)
    }),
    method(Type::Str, "index", "self, sub, start=, end=, /", |ctx| {
        index(ctx, true)
    }),
    method(Type::Str, "rindex", "self, sub, start=, end=, /", |ctx| {
        index(ctx, false)
    }),
    method(Type::Str, "count", "self, sub, start=, end=, /", count),
    method(
        Type::Str,
        "startswith",
        "self, prefix, start=, end=, /",
        |ctx| matches(ctx, |text, start| text.starts_with(start)),
    ),
    method(
        Type::Str,
        "endswith",
        "self, suffix, start=, end=, /",
        |ctx| matches(ctx, |text, end| text.ends_with(end)),
    ),
    method(Type::Str, "replace", "self, old, new, count=, /", replace),
    method(Type::Str, "removeprefix", "self, prefix, /", |ctx| {
        remove(ctx, |text, start| text.strip_prefix(start))
    }),
    method(Type::Str, "removesuffix", "self, suffix, /", |ctx| {
        remove(ctx, |text, end| text.strip_suffix(end))
    }),
    method(Type::Str, "strip", "self, chars=, /", |ctx| {
        strip(ctx, true, true)
    }),
    method(Type::Str, "lstrip", "self, chars=, /", |ctx| {
        strip(ctx, true, false)
    }),
    method(Type::Str, "rstrip", "self, chars=, /", |ctx| {
        strip(ctx, false, true)
    }),
];

/// Where a search looks, from two optional arguments: none if it begins behind the end, so that not
/// even an empty text is found.
pub(in crate::vm::builtins) fn span(
    ctx: &mut Ctx<'_>,
    start: usize,
    length: usize,
) -> Result<Option<Range<usize>>, Abrupt> {
    let (first, end) = (
        ctx.arg(start).or(Value::None),
        ctx.arg(start + 1).or(Value::None),
    );
    let first = ctx.slice_number(first)?.unwrap_or(0);
    let end = ctx.slice_number(end)?.unwrap_or(i64::MAX);
    let length = length as i64;
    let from_either_end = |at: i64| {
        if at < 0 {
            at.saturating_add(length).max(0)
        } else {
            at
        }
    };
    let (first, end) = (from_either_end(first), from_either_end(end).min(length));
    Ok((first <= end).then_some(first as usize..end as usize))
}

/// A range of characters as one of bytes.
fn bytes(text: &str, span: Range<usize>, ascii: bool) -> Range<usize> {
    if ascii {
        return span;
    }
    let mut offsets = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let start = offsets.nth(span.start).unwrap_or(text.len());
    let more = span.end - span.start;
    let end = if more == 0 {
        start
    } else {
        offsets.nth(more - 1).unwrap_or(text.len())
    };
    start..end
}

/// The part of the receiver that a search looks at, as bytes.
fn searched(ctx: &mut Ctx<'_>, start: usize) -> Result<Option<Range<usize>>, Abrupt> {
    let this = this(ctx);
    let length = ctx.vm.heap.strs[this].len();
    let Some(span) = span(ctx, start, length)? else {
        return Ok(None);
    };
    let ascii = ctx.vm.heap.strs[this].is_ascii();
    Ok(Some(bytes(ctx.vm.heap.text(this), span, ascii)))
}

fn sought(ctx: &mut Ctx<'_>) -> Result<Ref<crate::vm::heap::text::Str>, Abrupt> {
    let sub = ctx.arg(1);
    if let Value::Str(sub) = sub {
        return Ok(sub);
    }
    let message = format!("must be str, not {}", ctx.vm.type_name(sub));
    Err(ctx.type_error(message))
}

/// The character at which the text begins that is looked for.
fn found(ctx: &mut Ctx<'_>, first: bool) -> Result<Option<usize>, Abrupt> {
    let sub = sought(ctx)?;
    let Some(range) = searched(ctx, 2)? else {
        return Ok(None);
    };
    let (text, sub) = (ctx.vm.heap.text(this(ctx)), ctx.vm.heap.text(sub));
    ctx.vm.heap.worked(Work::Byte, range.len());
    let at = search::find(text[range.clone()].as_bytes(), sub.as_bytes(), first);
    Ok(at.map(|at| {
        let before = &text[..range.start + at];
        if ctx.vm.heap.strs[this(ctx)].is_ascii() {
            before.len()
        } else {
            before.chars().count()
        }
    }))
}

fn position(ctx: &mut Ctx<'_>, first: bool) -> Result<Value, Abrupt> {
    Ok(Value::Int(found(ctx, first)?.map_or(-1, |at| at as i64)))
}

fn index(ctx: &mut Ctx<'_>, first: bool) -> Result<Value, Abrupt> {
    match found(ctx, first)? {
        Some(at) => Ok(Value::Int(at as i64)),
        None => Err(ctx.value_error("substring not found")),
    }
}

fn count(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let sub = sought(ctx)?;
    let Some(range) = searched(ctx, 2)? else {
        return Ok(Value::Int(0));
    };
    ctx.vm.heap.worked(Work::Byte, range.len());
    let text = &ctx.vm.heap.text(this(ctx))[range];
    let sub = ctx.vm.heap.text(sub);
    let count = if sub.is_empty() {
        text.chars().count() + 1
    } else {
        search::count(text.as_bytes(), sub.as_bytes())
    };
    Ok(Value::Int(count as i64))
}

/// `startswith` and `endswith`, with one text or a tuple of them.
fn matches(ctx: &mut Ctx<'_>, test: fn(&str, &str) -> bool) -> Result<Value, Abrupt> {
    let wanted = ctx.arg(1);
    let candidates = match wanted {
        Value::Str(_) => vec![wanted],
        Value::Tuple(items) => ctx.vm.heap.tuples[items].0.to_vec(),
        _ => {
            let message = format!(
                "{} first arg must be str or a tuple of str, not {}",
                ctx.shown_name(),
                ctx.vm.type_name(wanted)
            );
            return Err(ctx.type_error(message));
        }
    };
    let range = searched(ctx, 2)?;
    for candidate in candidates {
        let Value::Str(candidate) = candidate else {
            let message = format!(
                "tuple for {} must only contain str, not {}",
                ctx.shown_name(),
                ctx.vm.type_name(candidate)
            );
            return Err(ctx.type_error(message));
        };
        let text = ctx.vm.heap.text(this(ctx));
        let candidate = ctx.vm.heap.text(candidate);
        if range
            .clone()
            .is_some_and(|range| test(&text[range], candidate))
        {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn replace(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (old, new, most) = (ctx.arg(1), ctx.arg(2), ctx.arg(3));
    let old = string(ctx, old, "replace() argument 1")?;
    let new = string(ctx, new, "replace() argument 2")?;
    let most = most_times(ctx, most)?;
    let text = ctx.vm.heap.text(this(ctx));
    let (old, new) = (ctx.vm.heap.text(old), ctx.vm.heap.text(new));
    let times = if old.is_empty() {
        text.chars().count() + 1
    } else {
        search::count(text.as_bytes(), old.as_bytes())
    };
    let times = times.min(most);
    ctx.vm.heap.worked(Work::Visit, times * 4);
    ctx.vm.heap.worked(Work::Byte, text.len() * 2);
    if times == 0 {
        return Ok(ctx.arg(0));
    }
    let growth = new.len().saturating_sub(old.len()).saturating_mul(times);
    let bytes = text.len().saturating_add(growth);
    ctx.reserve_text(bytes)?;
    let text = ctx.vm.heap.text(this(ctx));
    let (Value::Str(old), Value::Str(new)) = (ctx.arg(1), ctx.arg(2)) else {
        unreachable!("checked above");
    };
    let (old, new) = (ctx.vm.heap.text(old), ctx.vm.heap.text(new));
    let replaced = if old.is_empty() {
        interleaved(text, new, times)
    } else {
        replaced(text, old, new, times)
    };
    Ok(ctx.vm.heap.new_string(replaced))
}

/// A text with the first so many of `old`, which is not empty, replaced.
fn replaced(text: &str, old: &str, new: &str, times: usize) -> String {
    let most = text.len() + times * new.len().saturating_sub(old.len());
    let mut out = String::with_capacity(most);
    let mut start = 0;
    for at in search::places(text.as_bytes(), old.as_bytes()).take(times) {
        out.push_str(&text[start..at]);
        out.push_str(new);
        start = at + old.len();
    }
    out.push_str(&text[start..]);
    out
}

/// An optional count; everything negative is no bound.
pub(in crate::vm::builtins) fn most_times(ctx: &mut Ctx<'_>, most: Value) -> Result<usize, Abrupt> {
    if !most.is_bound() {
        return Ok(usize::MAX);
    }
    Ok(usize::try_from(ctx.index(most)?).unwrap_or(usize::MAX))
}

/// A text before each of the first so many characters, and at the end if there are so many.
fn interleaved(text: &str, between: &str, times: usize) -> String {
    let mut out = String::with_capacity(text.len() + between.len() * times);
    let mut left = times;
    for character in text.chars() {
        if left > 0 {
            out.push_str(between);
            left -= 1;
        }
        out.push(character);
    }
    if left > 0 {
        out.push_str(between);
    }
    out
}

fn remove(
    ctx: &mut Ctx<'_>,
    remove: for<'t> fn(&'t str, &str) -> Option<&'t str>,
) -> Result<Value, Abrupt> {
    let what = format!("{}() argument", ctx.shown_name());
    let affix = ctx.arg(1);
    let affix = string(ctx, affix, &what)?;
    reserve_copies(ctx, 1)?;
    let kept = remove(ctx.vm.heap.text(this(ctx)), ctx.vm.heap.text(affix)).map(str::to_owned);
    Ok(match kept {
        Some(kept) => ctx.vm.heap.new_string(kept),
        None => ctx.arg(0),
    })
}

fn strip(ctx: &mut Ctx<'_>, left: bool, right: bool) -> Result<Value, Abrupt> {
    let chars = match ctx.arg(1) {
        Value::Unbound | Value::None => None,
        Value::Str(chars) => Some(text(ctx, chars)),
        _ => {
            let message = format!("{} arg must be None or str", ctx.shown_name());
            return Err(ctx.type_error(message));
        }
    };
    let is_stripped = |it: char| match &chars {
        Some(chars) => chars.contains(it),
        None => is_space(it),
    };
    reserve_copies(ctx, 1)?;
    let whole = ctx.vm.heap.text(this(ctx));
    let mut kept = whole;
    if left {
        kept = kept.trim_start_matches(is_stripped);
    }
    let start = whole.len() - kept.len();
    if right {
        kept = kept.trim_end_matches(is_stripped);
    }
    if kept.len() == whole.len() {
        return Ok(ctx.arg(0));
    }
    let end = start + kept.len();
    let this = this(ctx);
    Ok(ctx.vm.heap.new_part(this, start..end))
}

#[cfg(test)]
mod tests {
    use super::{bytes, interleaved};

    #[test]
    fn characters_are_not_bytes() {
        assert_eq!(bytes("aéb", 1..2, false), 1..3);
        assert_eq!(bytes("aéb", 0..3, false), 0..4);
        assert_eq!(bytes("aéb", 3..3, false), 4..4);
        assert_eq!(bytes("aéb", 2..2, false), 3..3);
    }

    #[test]
    fn nothing_is_replaced_between_characters() {
        assert_eq!(interleaved("ab", "-", 5), "-a-b-");
        assert_eq!(interleaved("ab", "-", 2), "-a-b");
        assert_eq!(interleaved("", "-", 1), "-");
    }
}
