//! `bytes`: the constructor, conversions, and the methods, in files by kind.

pub(super) mod case;
pub(super) mod search;
pub(super) mod split;

use crate::vm::builtins::str::coding;
use crate::vm::heap::class::{Type, name};
use crate::vm::heap::fault::Fault;
use crate::vm::heap::object::Bytes;
use crate::vm::heap::text::character::is_space;
use crate::vm::heap::text::codec::{decode, encode};
use crate::vm::heap::value::Value;
use crate::vm::state::native::{Abrupt, Ctx, Native, class_method, method, native};
use std::sync::Arc;

pub(super) const NATIVES: &[Native] = &[
    native("bytes", "source=, encoding=, errors=", bytes),
    method(
        Type::Bytes,
        "decode",
        "self, /, encoding=, errors=",
        decode_method,
    ),
    method(Type::Bytes, "hex", "self, /, sep=, bytes_per_sep=", hex),
    class_method(Type::Bytes, "fromhex", "cls, string, /", fromhex),
    method(Type::Bytes, "join", "self, iterable_of_bytes, /", join),
    native("_byte", "value, /", |ctx| {
        let value = ctx.arg(0);
        Ok(Value::Int(byte(ctx, value, "bytes")?.into()))
    }),
];

/// The receiver of a method of bytes.
pub(super) fn this(ctx: &Ctx<'_>) -> Arc<[u8]> {
    match ctx.arg(0) {
        Value::Bytes(bytes) => ctx.vm.heap.bytes[bytes].0.clone(),
        _ => unreachable!("the method's owner is bytes"),
    }
}

/// A new bytes object.
pub(super) fn new(ctx: &mut Ctx<'_>, bytes: impl Into<Arc<[u8]>>) -> Value {
    ctx.vm.heap.new_bytes(Bytes(bytes.into()))
}

/// An argument that must be bytes.
pub(super) fn required(ctx: &mut Ctx<'_>, value: Value) -> Result<Arc<[u8]>, Abrupt> {
    if let Value::Bytes(bytes) = value {
        return Ok(ctx.vm.heap.bytes[bytes].0.clone());
    }
    let message = format!(
        "a bytes-like object is required, not '{}'",
        ctx.vm.type_name(value)
    );
    Err(ctx.type_error(message))
}

/// A value as one byte.
pub(super) fn byte(ctx: &mut Ctx<'_>, value: Value, what: &str) -> Result<u8, Abrupt> {
    match ctx.integer(value)? {
        Value::Int(byte @ 0..=255) => Ok(byte as u8),
        _ => Err(ctx.value_error(format!("{what} must be in range(0, 256)"))),
    }
}

/// The bytes that an iterable of integers gives.
pub(super) fn byte_values(ctx: &mut Ctx<'_>, source: Value) -> Result<Vec<u8>, Abrupt> {
    if !ctx.is_iterable(source) {
        let message = format!(
            "cannot convert '{}' object to bytes",
            ctx.vm.type_name(source)
        );
        return Err(ctx.type_error(message));
    }
    let convert = |ctx: &mut Ctx<'_>, item| Ok(Value::Int(byte(ctx, item, "bytes")?.into()));
    let values = ctx.collect_through("_byte", true, source, convert)?;
    let byte = |value| match value {
        Value::Int(byte) => byte as u8,
        _ => unreachable!("they were made bytes"),
    };
    Ok(values.into_iter().map(byte).collect())
}

fn bytes(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let source = ctx.arg(0);
    if ctx.arg(1).is_bound() || ctx.arg(2).is_bound() {
        let (encoding, errors) = coding(ctx, 1)?;
        let Value::Str(text) = source else {
            let what = if ctx.arg(1).is_bound() {
                "encoding"
            } else {
                "errors"
            };
            return Err(ctx.type_error(format!("{what} without a string argument")));
        };
        let encoded = encode(ctx.vm.heap.text(text), &encoding, &errors);
        let encoded = ctx.ok(encoded)?;
        return Ok(new(ctx, encoded));
    }
    if let Some(method) = ctx.vm.special(source, name::BYTES) {
        let made = ctx.call(method, &[source])?;
        if matches!(made, Value::Bytes(_)) {
            return Ok(made);
        }
        let message = format!(
            "__bytes__ returned non-bytes (type {})",
            ctx.vm.type_name(made)
        );
        return Err(ctx.type_error(message));
    }
    let counted = matches!(source, Value::Int(_) | Value::Bool(_) | Value::Big(_))
        || ctx.vm.special(source, name::INDEX).is_some();
    match source {
        Value::Unbound => Ok(new(ctx, Vec::new())),
        Value::Bytes(_) => Ok(source),
        Value::Str(_) => Err(ctx.type_error("string argument without an encoding")),
        _ if counted => {
            let count = ctx.index(source)?;
            if count < 0 {
                return Err(ctx.value_error("negative count"));
            }
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            ctx.reserve_bytes(count)?;
            Ok(new(ctx, vec![0; count]))
        }
        _ => {
            let values = byte_values(ctx, source)?;
            Ok(new(ctx, values))
        }
    }
}

fn decode_method(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (encoding, errors) = coding(ctx, 1)?;
    ctx.reserve(3 * this(ctx).len())?;
    let text = decode(&this(ctx), &encoding, &errors);
    let text = ctx.ok(text)?;
    Ok(ctx.vm.heap.new_string(text))
}

fn hex(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let bytes = this(ctx);
    let separator = match ctx.arg(1) {
        Value::Unbound => None,
        Value::Str(separator) => {
            let mut chars = ctx.vm.heap.text(separator).chars();
            match (chars.next(), chars.next()) {
                (Some(only), None) => Some(only),
                _ => return Err(ctx.value_error("sep must be length 1.")),
            }
        }
        Value::Bytes(separator) => match ctx.vm.heap.bytes[separator].0[..] {
            [only] => Some(char::from(only)),
            _ => return Err(ctx.value_error("sep must be length 1.")),
        },
        other => {
            ctx.len(other)?;
            return Err(ctx.type_error("sep must be str or bytes."));
        }
    };
    if separator.is_some_and(|it| !it.is_ascii()) {
        return Err(ctx.value_error("sep must be ASCII."));
    }
    let group = match ctx.arg(2) {
        Value::Unbound => 1,
        group => ctx.index(group)?,
    };
    ctx.reserve_text(bytes.len().saturating_mul(6))?;
    let text = hexadecimal(&bytes, separator, group);
    Ok(ctx.vm.heap.new_string(text))
}

/// Two digits for each byte, with a separator between groups, which are counted from the right, or
/// from the left if `group` is negative.
fn hexadecimal(bytes: &[u8], separator: Option<char>, group: i64) -> String {
    let size = usize::try_from(group.unsigned_abs()).unwrap_or(usize::MAX);
    let mut out = String::with_capacity(bytes.len() * 2);
    for (at, byte) in bytes.iter().enumerate() {
        let place = if group < 0 { at } else { bytes.len() - at };
        if let Some(separator) = separator
            && at > 0
            && size > 0
            && place % size == 0
        {
            out.push(separator);
        }
        out.extend(
            [byte >> 4, byte & 15]
                .map(|digit| char::from_digit(digit.into(), 16).expect("half a byte is a digit")),
        );
    }
    out
}

fn fromhex(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let source = ctx.arg(1);
    let Value::Str(text) = source else {
        let message = format!(
            "fromhex() argument must be str, not {}",
            ctx.vm.type_name(source)
        );
        return Err(ctx.type_error(message));
    };
    ctx.reserve_bytes(ctx.vm.heap.text(text).len() / 2)?;
    let bytes = from_hexadecimal(ctx.vm.heap.text(text));
    let bytes = ctx.ok(bytes)?;
    Ok(new(ctx, bytes))
}

fn from_hexadecimal(text: &str) -> Result<Vec<u8>, Fault> {
    let bad = |at: usize| {
        Err(Fault::value(format!(
            "non-hexadecimal number found in fromhex() arg at position {at}"
        )))
    };
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut chars = text.chars().enumerate();
    while let Some((at, character)) = chars.next() {
        if character.is_ascii() && is_space(character) {
            continue;
        }
        let Some(high) = character.to_digit(16) else {
            return bad(at);
        };
        let Some(low) = chars.next().and_then(|it| it.1.to_digit(16)) else {
            return bad(at + 1);
        };
        bytes.push((high << 4 | low) as u8);
    }
    Ok(bytes)
}

fn join(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let iterable = ctx.arg(1);
    if !ctx.is_iterable(iterable) || ctx.refuses_iteration(iterable) {
        return Err(ctx.type_error("can only join an iterable"));
    }
    let items = ctx.collect_sequence(iterable)?;
    let separator = this(ctx);
    let mut pieces = Vec::with_capacity(items.len());
    let mut length = separator.len().saturating_mul(items.len());
    for (at, item) in items.into_iter().enumerate() {
        let Value::Bytes(piece) = item else {
            let message = format!(
                "sequence item {at}: expected a bytes-like object, {} found",
                ctx.vm.type_name(item)
            );
            return Err(ctx.type_error(message));
        };
        let piece = ctx.vm.heap.bytes[piece].0.clone();
        length = length.saturating_add(piece.len());
        pieces.push(piece);
    }
    ctx.reserve_bytes(length)?;
    let joined = pieces.join(&separator[..]);
    Ok(new(ctx, joined))
}

#[cfg(test)]
mod tests {
    use super::{from_hexadecimal, hexadecimal};

    #[test]
    fn groups_are_counted_from_either_side() {
        assert_eq!(hexadecimal(b"abcde", Some(':'), 2), "61:6263:6465");
        assert_eq!(hexadecimal(b"abcde", Some(':'), -2), "6162:6364:65");
        assert_eq!(hexadecimal(b"abc", Some(':'), 0), "616263");
        assert_eq!(from_hexadecimal(" 61 6263 "), Ok(b"abc".to_vec()));
        assert!(from_hexadecimal("0 0").is_err() && from_hexadecimal("0").is_err());
    }
}
