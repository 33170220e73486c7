//! Bytes: cutting them into pieces.

use crate::vm::builtins::bytes::case::is_space;
use crate::vm::builtins::bytes::{new, required, this};
use crate::vm::builtins::str::search::most_times;
use crate::vm::builtins::str::split::reserve_ranges;
use crate::vm::heap::class::Type;
use crate::vm::heap::text::search;
use crate::vm::heap::text::search::Unit;
use crate::vm::heap::value::Value;
use crate::vm::state::native::{Abrupt, Ctx, Native, method};
use std::ops::Range;

pub(in crate::vm::builtins) const NATIVES: &[Native] = &[
    method(Type::Bytes, "split", "self, /, sep=, maxsplit=", |ctx| {
        split(ctx, true)
    }),
    method(Type::Bytes, "rsplit", "self, /, sep=, maxsplit=", |ctx| {
        split(ctx, false)
    }),
    method(Type::Bytes, "splitlines", "self, /, keepends=", splitlines),
    method(Type::Bytes, "partition", "self, sep, /", |ctx| {
        partition(ctx, true)
    }),
    method(Type::Bytes, "rpartition", "self, sep, /", |ctx| {
        partition(ctx, false)
    }),
];

fn units(bytes: &[u8], mark: fn(u8) -> bool) -> impl DoubleEndedIterator<Item = Unit> {
    bytes
        .iter()
        .enumerate()
        .map(move |(at, &it)| (at, at + 1, mark(it)))
}

fn pieces(ctx: &mut Ctx<'_>, ranges: Vec<Range<usize>>) -> Result<Value, Abrupt> {
    let outer: usize = ranges.iter().map(ExactSizeIterator::len).sum();
    // A small object takes about so much.
    let each = 4 * size_of::<Value>();
    ctx.reserve(ranges.len() * each + outer)?;
    let bytes = this(ctx);
    let pieces: Vec<Value> = ranges
        .into_iter()
        .map(|range| new(ctx, &bytes[range]))
        .collect();
    Ok(ctx.vm.heap.new_list(pieces))
}

fn split(ctx: &mut Ctx<'_>, from_left: bool) -> Result<Value, Abrupt> {
    let (separator, most) = (ctx.arg(1), ctx.arg(2));
    let most = most_times(ctx, most)?;
    let bytes = this(ctx);
    let count = |ctx: &Ctx<'_>| match separator {
        Value::Bytes(separator) if !ctx.vm.heap.bytes[separator].0.is_empty() => {
            search::count(&bytes, &ctx.vm.heap.bytes[separator].0).min(most)
        }
        _ => bytes.iter().filter(|it| it.is_ascii_whitespace()).count(),
    };
    reserve_ranges(ctx, count, bytes.len())?;
    let ranges = match separator {
        Value::Unbound | Value::None => {
            search::split_words(units(&bytes, is_space), bytes.len(), most, from_left)
        }
        _ => {
            let separator = required(ctx, separator)?;
            if separator.is_empty() {
                return Err(ctx.value_error("empty separator"));
            }
            search::split(&bytes, &separator, most, from_left)
        }
    };
    pieces(ctx, ranges)
}

fn splitlines(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let keep = ctx.arg(1);
    let keep = keep.is_bound() && ctx.truth(keep)?;
    let bytes = this(ctx);
    let count = |_: &Ctx<'_>| bytes.iter().filter(|it| it.is_ascii_control()).count();
    reserve_ranges(ctx, count, bytes.len())?;
    let ends = units(&bytes, |it| matches!(it, b'\n' | b'\r'));
    let lines = search::split_lines(ends, &bytes, keep);
    pieces(ctx, lines)
}

fn partition(ctx: &mut Ctx<'_>, first: bool) -> Result<Value, Abrupt> {
    let separator = ctx.arg(1);
    let cut = required(ctx, separator)?;
    if cut.is_empty() {
        return Err(ctx.value_error("empty separator"));
    }
    let bytes = this(ctx);
    ctx.reserve(bytes.len())?;
    let parts = if let Some(at) = search::find(&bytes, &cut, first) {
        [
            new(ctx, &bytes[..at]),
            separator,
            new(ctx, &bytes[at + cut.len()..]),
        ]
    } else {
        let nothing = new(ctx, Vec::new());
        if first {
            [ctx.arg(0), nothing, nothing]
        } else {
            [nothing, nothing, ctx.arg(0)]
        }
    };
    Ok(ctx.vm.heap.new_tuple(parts))
}
