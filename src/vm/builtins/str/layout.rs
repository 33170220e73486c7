//! Strings: putting them at a width.

use crate::vm::builtins::str::this;
use crate::vm::heap::class::Type;
use crate::vm::heap::text::search::center;
use crate::vm::heap::value::Value;
use crate::vm::state::native::{Abrupt, Ctx, Native, method};

pub(in crate::vm::builtins) const NATIVES: &[Native] = &[
    method(Type::Str, "center", "self, width, fillchar=, /", |ctx| {
        justify(ctx, center)
    }),
    method(Type::Str, "ljust", "self, width, fillchar=, /", |ctx| {
        justify(ctx, |missing, _| (0, missing))
    }),
    method(Type::Str, "rjust", "self, width, fillchar=, /", |ctx| {
        justify(ctx, |missing, _| (missing, 0))
    }),
    method(Type::Str, "zfill", "self, width, /", zfill),
    method(Type::Str, "expandtabs", "self, /, tabsize=", expandtabs),
];

/// Fills up to a width; `sides` says how many go to the left and right.
fn justify(ctx: &mut Ctx<'_>, sides: fn(usize, usize) -> (usize, usize)) -> Result<Value, Abrupt> {
    let (width, fill) = (ctx.arg(1), ctx.arg(2));
    let width = ctx.size(width)?;
    let fill = match fill {
        Value::Unbound => ' ',
        Value::Str(fill) => {
            let mut chars = ctx.vm.heap.text(fill).chars();
            match (chars.next(), chars.next()) {
                (Some(fill), None) => fill,
                _ => {
                    return Err(
                        ctx.type_error("The fill character must be exactly one character long")
                    );
                }
            }
        }
        _ => {
            let message = format!(
                "The fill character must be a unicode character, not {}",
                ctx.vm.type_name(fill)
            );
            return Err(ctx.type_error(message));
        }
    };
    let missing = width.saturating_sub(ctx.vm.heap.strs[this(ctx)].len());
    if missing == 0 {
        return Ok(ctx.arg(0));
    }
    ctx.reserve_text(width.saturating_mul(fill.len_utf8()))?;
    let (left, right) = sides(missing, width);
    let mut out = String::new();
    out.extend(std::iter::repeat_n(fill, left));
    out.push_str(ctx.vm.heap.text(this(ctx)));
    out.extend(std::iter::repeat_n(fill, right));
    Ok(ctx.vm.heap.new_string(out))
}

fn zfill(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let width = ctx.arg(1);
    let width = ctx.size(width)?;
    let missing = width.saturating_sub(ctx.vm.heap.strs[this(ctx)].len());
    if missing == 0 {
        return Ok(ctx.arg(0));
    }
    ctx.reserve_text(width)?;
    let text = ctx.vm.heap.text(this(ctx));
    let sign = usize::from(text.starts_with(['+', '-']));
    let (sign, digits) = text.split_at(sign);
    let filled = format!("{sign}{}{digits}", "0".repeat(missing));
    Ok(ctx.vm.heap.new_string(filled))
}

fn expandtabs(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let size = match ctx.arg(1) {
        Value::Unbound => 8,
        size => ctx.size(size)?,
    };
    let tabs = ctx.vm.heap.text(this(ctx)).matches('\t').count();
    let length = ctx.vm.heap.text(this(ctx)).len();
    ctx.reserve_text(length.saturating_add(tabs.saturating_mul(size)))?;
    let text = ctx.vm.heap.text(this(ctx));
    let mut out = String::with_capacity(text.len());
    let mut column = 0;
    for character in text.chars() {
        match character {
            '\t' => {
                let spaces = if size == 0 { 0 } else { size - column % size };
                out.extend(std::iter::repeat_n(' ', spaces));
                column += spaces;
            }
            '\n' | '\r' => {
                out.push(character);
                column = 0;
            }
            _ => {
                out.push(character);
                column += 1;
            }
        }
    }
    Ok(ctx.vm.heap.new_string(out))
}
