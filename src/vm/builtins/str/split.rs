//! Strings: cutting them into pieces.

use crate::vm::builtins::str::search::most_times;
use crate::vm::builtins::str::{reserve_copies, this};
use crate::vm::heap::class::Type;
use crate::vm::heap::memory::{Counted, counted};
use crate::vm::heap::text::character::{is_line_end, is_space};
use crate::vm::heap::text::search;
use crate::vm::heap::text::search::Unit;
use crate::vm::heap::value::Value;
use crate::vm::heap::work::Work;
use crate::vm::state::native::{Abrupt, Ctx, Native, method};
use std::ops::Range;

counted! { Range<usize>: 16 }

pub(in crate::vm::builtins) const NATIVES: &[Native] = &[
    method(Type::Str, "split", "self, /, sep=, maxsplit=", |ctx| {
        split(ctx, true)
    }),
    method(Type::Str, "rsplit", "self, /, sep=, maxsplit=", |ctx| {
        split(ctx, false)
    }),
    method(Type::Str, "splitlines", "self, /, keepends=", splitlines),
    method(Type::Str, "partition", "self, sep, /", |ctx| {
        partition(ctx, true)
    }),
    method(Type::Str, "rpartition", "self, sep, /", |ctx| {
        partition(ctx, false)
    }),
];

/// The characters of a text, marked.
fn units(text: &str, mark: fn(char) -> bool) -> impl DoubleEndedIterator<Item = Unit> {
    text.char_indices()
        .map(move |(at, it)| (at, at + it.len_utf8(), mark(it)))
}

/// The characters of a text that is ASCII, marked where they are white space.
fn ascii_units(text: &str) -> impl DoubleEndedIterator<Item = Unit> {
    let space = |it| matches!(it, b'\t'..=b'\r' | b'\x1c'..=b' ');
    text.bytes()
        .enumerate()
        .map(move |(at, it)| (at, at + 1, space(it)))
}

/// A list of parts of the receiver.
fn pieces(ctx: &mut Ctx<'_>, ranges: Vec<Range<usize>>) -> Result<Value, Abrupt> {
    let outer: usize = ranges.iter().map(ExactSizeIterator::len).sum();
    let each = size_of::<Value>() + crate::vm::heap::text::Str::BYTES;
    ctx.reserve(ranges.len() * each + outer)?;
    let this = this(ctx);
    let mut pieces = Vec::with_capacity(ranges.len());
    ctx.vm.heap.worked(Work::Cut, ranges.len());
    for range in ranges {
        pieces.push(ctx.vm.heap.new_part(this, range));
    }
    Ok(ctx.vm.heap.new_list(pieces))
}

/// Sees that there is room for the places of the pieces of a long text, of which there are no more
/// than the separators or white space in it.
pub(in crate::vm::builtins) fn reserve_ranges(
    ctx: &mut Ctx<'_>,
    count: impl FnOnce(&Ctx<'_>) -> usize,
    length: usize,
) -> Result<(), Abrupt> {
    const LONG: usize = 1 << 16;
    if length < LONG {
        return Ok(());
    }
    // They grow by doubling.
    let each = 2 * <Range<usize>>::BYTES;
    ctx.reserve(count(ctx).saturating_mul(each))
}

fn split(ctx: &mut Ctx<'_>, from_left: bool) -> Result<Value, Abrupt> {
    let (separator, most) = (ctx.arg(1), ctx.arg(2));
    let most = most_times(ctx, most)?;
    let count = |ctx: &Ctx<'_>| {
        let text = ctx.vm.heap.text(this(ctx)).as_bytes();
        match separator {
            Value::Str(separator) if ctx.vm.heap.strs[separator].bytes > 0 => {
                search::count(text, ctx.vm.heap.text(separator).as_bytes()).min(most)
            }
            _ => text.iter().filter(|it| it.is_ascii_whitespace()).count(),
        }
    };
    reserve_ranges(ctx, count, ctx.vm.heap.text(this(ctx)).len())?;
    let text = ctx.vm.heap.text(this(ctx));
    let ranges = match separator {
        Value::Unbound | Value::None if ctx.vm.heap.strs[this(ctx)].is_ascii() => {
            search::split_words(ascii_units(text), text.len(), most, from_left)
        }
        Value::Unbound | Value::None => {
            search::split_words(units(text, is_space), text.len(), most, from_left)
        }
        Value::Str(separator) => {
            let separator = ctx.vm.heap.text(separator);
            if separator.is_empty() {
                return Err(ctx.value_error("empty separator"));
            }
            search::split(text.as_bytes(), separator.as_bytes(), most, from_left)
        }
        _ => {
            let message = format!("must be str or None, not {}", ctx.vm.type_name(separator));
            return Err(ctx.type_error(message));
        }
    };
    pieces(ctx, ranges)
}

fn splitlines(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let keep = ctx.arg(1);
    let keep = keep.is_bound() && ctx.truth(keep)?;
    let count = |ctx: &Ctx<'_>| {
        let text = ctx.vm.heap.text(this(ctx)).bytes();
        text.filter(u8::is_ascii_control).count()
    };
    reserve_ranges(ctx, count, ctx.vm.heap.text(this(ctx)).len())?;
    let text = ctx.vm.heap.text(this(ctx));
    let lines = search::split_lines(units(text, is_line_end), text.as_bytes(), keep);
    pieces(ctx, lines)
}

fn partition(ctx: &mut Ctx<'_>, first: bool) -> Result<Value, Abrupt> {
    let separator = ctx.arg(1);
    let Value::Str(cut) = separator else {
        let message = format!("must be str, not {}", ctx.vm.type_name(separator));
        return Err(ctx.type_error(message));
    };
    reserve_copies(ctx, 1)?;
    let text = ctx.vm.heap.text(this(ctx));
    let cut = ctx.vm.heap.text(cut);
    if cut.is_empty() {
        return Err(ctx.value_error("empty separator"));
    }
    let found = search::find(text.as_bytes(), cut.as_bytes(), first);
    let parts = if let Some(at) = found {
        let (after, end) = (at + cut.len(), text.len());
        let this = this(ctx);
        [
            ctx.vm.heap.new_part(this, 0..at),
            separator,
            ctx.vm.heap.new_part(this, after..end),
        ]
    } else {
        let nothing = ctx.vm.heap.new_str("");
        if first {
            [ctx.arg(0), nothing, nothing]
        } else {
            [nothing, nothing, ctx.arg(0)]
        }
    };
    Ok(ctx.vm.heap.new_tuple(parts))
}
