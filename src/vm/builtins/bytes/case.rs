//! Bytes: upper and lower case of what is ASCII, tests, and putting them at a width.

use crate::vm::builtins::bytes::{new, this};
use crate::vm::heap::class::Type;
use crate::vm::heap::text::search::center;
use crate::vm::heap::value::Value;
use crate::vm::state::native::{Abrupt, Ctx, Native, method};

pub(in crate::vm::builtins) const NATIVES: &[Native] = &[
    method(Type::Bytes, "upper", "self, /", |ctx| {
        changed(ctx, <[u8]>::to_ascii_uppercase)
    }),
    method(Type::Bytes, "lower", "self, /", |ctx| {
        changed(ctx, <[u8]>::to_ascii_lowercase)
    }),
    method(Type::Bytes, "capitalize", "self, /", |ctx| {
        changed(ctx, capitalized)
    }),
    method(Type::Bytes, "title", "self, /", |ctx| changed(ctx, titled)),
    method(Type::Bytes, "swapcase", "self, /", |ctx| {
        changed(ctx, swapped)
    }),
    method(Type::Bytes, "isalnum", "self, /", |ctx| {
        all(ctx, u8::is_ascii_alphanumeric)
    }),
    method(Type::Bytes, "isalpha", "self, /", |ctx| {
        all(ctx, u8::is_ascii_alphabetic)
    }),
    method(Type::Bytes, "isdigit", "self, /", |ctx| {
        all(ctx, u8::is_ascii_digit)
    }),
    method(Type::Bytes, "isspace", "self, /", |ctx| {
        all(ctx, |&it| is_space(it))
    }),
    method(Type::Bytes, "isascii", "self, /", |ctx| {
        Ok(Value::Bool(this(ctx).is_ascii()))
    }),
    method(Type::Bytes, "isupper", "self, /", |ctx| {
        Ok(Value::Bool(one_case(&this(ctx), u8::is_ascii_uppercase)))
    }),
    method(Type::Bytes, "islower", "self, /", |ctx| {
        Ok(Value::Bool(one_case(&this(ctx), u8::is_ascii_lowercase)))
    }),
    method(Type::Bytes, "istitle", "self, /", |ctx| {
        Ok(Value::Bool(has_title_case(&this(ctx))))
    }),
    method(Type::Bytes, "center", "self, width, fillchar=, /", |ctx| {
        justify(ctx, center)
    }),
    method(Type::Bytes, "ljust", "self, width, fillchar=, /", |ctx| {
        justify(ctx, |missing, _| (0, missing))
    }),
    method(Type::Bytes, "rjust", "self, width, fillchar=, /", |ctx| {
        justify(ctx, |missing, _| (missing, 0))
    }),
    method(Type::Bytes, "zfill", "self, width, /", zfill),
    method(Type::Bytes, "expandtabs", "self, /, tabsize=", expandtabs),
];

/// White space as bytes have it: ASCII's, the vertical tab included.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn changed(ctx: &mut Ctx<'_>, change: fn(&[u8]) -> Vec<u8>) -> Result<Value, Abrupt> {
    ctx.reserve(2 * this(ctx).len())?;
    let changed = change(&this(ctx));
    Ok(new(ctx, changed))
}

fn all(ctx: &mut Ctx<'_>, kind: fn(&u8) -> bool) -> Result<Value, Abrupt> {
    let bytes = this(ctx);
    Ok(Value::Bool(!bytes.is_empty() && bytes.iter().all(kind)))
}

fn capitalized(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_ascii_lowercase();
    if let Some(first) = out.first_mut() {
        first.make_ascii_uppercase();
    }
    out
}

fn titled(bytes: &[u8]) -> Vec<u8> {
    let mut inside = false;
    let change = |byte: &u8| {
        let changed = if inside {
            byte.to_ascii_lowercase()
        } else {
            byte.to_ascii_uppercase()
        };
        inside = byte.is_ascii_alphabetic();
        changed
    };
    bytes.iter().map(change).collect()
}

fn swapped(bytes: &[u8]) -> Vec<u8> {
    let swap = |byte: &u8| {
        if byte.is_ascii_alphabetic() {
            byte ^ 0x20
        } else {
            *byte
        }
    };
    bytes.iter().map(swap).collect()
}

fn one_case(bytes: &[u8], case: fn(&u8) -> bool) -> bool {
    let mut letters = bytes
        .iter()
        .filter(|it| it.is_ascii_alphabetic())
        .peekable();
    letters.peek().is_some() && letters.all(case)
}

fn has_title_case(bytes: &[u8]) -> bool {
    bytes.iter().any(u8::is_ascii_alphabetic) && titled(bytes) == bytes
}

/// Fills up to a width; `sides` says how many go to the left and right.
fn justify(ctx: &mut Ctx<'_>, sides: fn(usize, usize) -> (usize, usize)) -> Result<Value, Abrupt> {
    let (width, fill) = (ctx.arg(1), ctx.arg(2));
    let width = ctx.size(width)?;
    let single = match fill {
        Value::Unbound => Some(b' '),
        Value::Bytes(fill) => match ctx.vm.heap.bytes[fill].0[..] {
            [fill] => Some(fill),
            _ => None,
        },
        _ => None,
    };
    let Some(single) = single else {
        let message = format!(
            "{}() argument 2 must be a byte string of length 1, not {}",
            ctx.shown_name(),
            ctx.vm.type_name(fill)
        );
        return Err(ctx.type_error(message));
    };
    let bytes = this(ctx);
    let missing = width.saturating_sub(bytes.len());
    if missing == 0 {
        return Ok(ctx.arg(0));
    }
    ctx.reserve_bytes(width)?;
    let (left, right) = sides(missing, width);
    let filled = [&vec![single; left][..], &bytes, &vec![single; right]].concat();
    Ok(new(ctx, filled))
}

fn zfill(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let width = ctx.arg(1);
    let width = ctx.size(width)?;
    let bytes = this(ctx);
    let missing = width.saturating_sub(bytes.len());
    if missing == 0 {
        return Ok(ctx.arg(0));
    }
    ctx.reserve_bytes(width)?;
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let (sign, digits) = bytes.split_at(sign);
    let filled = [sign, &vec![b'0'; missing], digits].concat();
    Ok(new(ctx, filled))
}

fn expandtabs(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let size = match ctx.arg(1) {
        Value::Unbound => 8,
        size => ctx.size(size)?,
    };
    let bytes = this(ctx);
    let tabs = memchr::memchr_iter(b'\t', &bytes).count();
    ctx.reserve_bytes(bytes.len().saturating_add(tabs.saturating_mul(size)))?;
    let mut out = Vec::with_capacity(bytes.len());
    let mut column = 0;
    for &byte in &bytes[..] {
        match byte {
            b'\t' => {
                let spaces = if size == 0 { 0 } else { size - column % size };
                out.resize(out.len() + spaces, b' ');
                column += spaces;
            }
            b'\n' | b'\r' => {
                out.push(byte);
                column = 0;
            }
            _ => {
                out.push(byte);
                column += 1;
            }
        }
    }
    Ok(new(ctx, out))
}

#[cfg(test)]
mod tests {
    use super::{capitalized, has_title_case, one_case, swapped, titled};

    #[test]
    fn only_ascii_has_case() {
        assert_eq!(titled(b"they're \xe9a"), b"They'Re \xe9A");
        assert_eq!(capitalized(b"aBC"), b"Abc");
        assert_eq!(swapped(b"aB1\xe9"), b"Ab1\xe9");
        assert!(one_case(b"A1", u8::is_ascii_uppercase) && !one_case(b"1", u8::is_ascii_uppercase));
        assert!(has_title_case(b"A Title") && !has_title_case(b"1") && !has_title_case(b"AB"));
    }
}
