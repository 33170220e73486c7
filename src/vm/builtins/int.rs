//! `int` and `bool`: the constructors and the methods.

use crate::vm::heap::class::Type;
use crate::vm::heap::fault::Fault;
use crate::vm::heap::number::integer::{bit_count, from_bytes, to_bytes};
use crate::vm::heap::number::read::read_int;
use crate::vm::heap::object::Bytes;
use crate::vm::heap::text::{repr_bytes, repr_str};
use crate::vm::heap::value::Value;
use crate::vm::semantics::operate::Number;
use crate::vm::state::native::{Abrupt, Ctx, Native, class_method, getter, method, native};

pub(super) const NATIVES: &[Native] = &[
    native("int", "x=, /, base=", int),
    native("bool", "x=, /", bool),
    method(Type::Int, "bit_length", "self, /", bit_length),
    method(Type::Int, "bit_count", "self, /", ones),
    method(Type::Int, "conjugate", "self, /", itself),
    getter(Type::Int, "real", itself),
    getter(Type::Int, "imag", |_| Ok(Value::Int(0))),
    getter(Type::Int, "numerator", itself),
    getter(Type::Int, "denominator", |_| Ok(Value::Int(1))),
    method(Type::Int, "as_integer_ratio", "self, /", ratio),
    method(
        Type::Int,
        "to_bytes",
        "self, /, length=, byteorder=, *, signed=",
        bytes_of,
    ),
    class_method(
        Type::Int,
        "from_bytes",
        "cls, /, bytes, byteorder=, *, signed=",
        of_bytes,
    ),
];

/// An integer argument whose type has been checked.
pub(super) fn number(ctx: &Ctx<'_>, index: usize) -> Number {
    Number::of(ctx.arg(index)).expect("the method's owner is a number")
}

fn int(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (x, base) = (ctx.arg(0), ctx.arg(1));
    if !base.is_bound() {
        return if x.is_bound() {
            int_of(ctx, x)
        } else {
            Ok(Value::Int(0))
        };
    }
    if !x.is_bound() {
        return Err(ctx.type_error("int() missing string argument"));
    }
    let base = match ctx.integer(base)? {
        Value::Int(base @ (0 | 2..=36)) => base as u32,
        _ => return Err(ctx.value_error("int() base must be >= 2 and <= 36, or 0")),
    };
    match read_text(ctx, x, base) {
        Some(integer) => integer,
        None => Err(ctx.type_error("int() can't convert non-string with explicit base")),
    }
}

/// `int(x)`.
fn int_of(ctx: &mut Ctx<'_>, x: Value) -> Result<Value, Abrupt> {
    if let Some(integer) = ctx.try_int(x)? {
        return Ok(integer);
    }
    if let Some(integer) = read_text(ctx, x, 10) {
        return integer;
    }
    let message = format!(
        "int() argument must be a string, a bytes-like object or a real number, not '{}'",
        ctx.vm.type_name(x)
    );
    Err(ctx.type_error(message))
}

/// The number that a string or bytes spell; none for other values.
fn read_text(ctx: &mut Ctx<'_>, x: Value, base: u32) -> Option<Result<Value, Abrupt>> {
    let integer = match x {
        Value::Str(text) => {
            let text = ctx.vm.heap.text(text);
            // What Rust reads as such a number Python reads so, too, and more.
            if base == 10
                && let Ok(small) = text.parse()
            {
                return Some(Ok(Value::Int(small)));
            }
            read_int(text, base, || repr_str(text))
        }
        Value::Bytes(bytes) => {
            let bytes = &ctx.vm.heap.bytes[bytes].0;
            read_int(&ascii(bytes), base, || repr_bytes(bytes))
        }
        _ => return None,
    };
    Some(ctx.new_integer(integer))
}

/// Bytes as text for reading a number: what is not ASCII belongs to none.
pub(super) fn ascii(bytes: &[u8]) -> String {
    let character = |&it: &u8| {
        if it.is_ascii() {
            char::from(it)
        } else {
            char::REPLACEMENT_CHARACTER
        }
    };
    bytes.iter().map(character).collect()
}

fn bool(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let x = ctx.arg(0);
    Ok(Value::Bool(x.is_bound() && ctx.truth(x)?))
}

fn bit_length(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let bits = number(ctx, 0).big(&ctx.vm.heap).bits();
    Ok(Value::Int(bits as i64))
}

fn ones(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let ones = bit_count(&number(ctx, 0).big(&ctx.vm.heap));
    Ok(Value::Int(ones))
}

fn itself(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    Ok(number(ctx, 0).value())
}

fn ratio(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let numerator = number(ctx, 0).value();
    Ok(ctx.vm.heap.new_tuple([numerator, Value::Int(1)]))
}

/// `byteorder`: is the most significant byte first?
fn big_endian(ctx: &mut Ctx<'_>, order: Value) -> Result<bool, Abrupt> {
    let big = match order {
        Value::Unbound => return Ok(true),
        Value::Str(text) => match ctx.vm.heap.text(text) {
            "big" => Some(true),
            "little" => Some(false),
            _ => None,
        },
        _ => {
            let message = format!(
                "{}() argument 'byteorder' must be str, not {}",
                ctx.shown_name(),
                ctx.vm.type_name(order)
            );
            return Err(ctx.type_error(message));
        }
    };
    big.ok_or_else(|| ctx.value_error("byteorder must be either 'little' or 'big'"))
}

fn bytes_of(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let length = match ctx.arg(1) {
        Value::Unbound => 1,
        length => ctx.index(length)?,
    };
    let order = ctx.arg(2);
    let big_endian = big_endian(ctx, order)?;
    let signed = ctx.arg(3);
    let signed = signed.is_bound() && ctx.truth(signed)?;
    let Ok(length) = usize::try_from(length) else {
        return Err(ctx.value_error("length argument must be non-negative"));
    };
    ctx.reserve(length)?;
    let bytes = to_bytes(&number(ctx, 0).big(&ctx.vm.heap), length, signed);
    let mut bytes = ctx.ok(bytes)?;
    if big_endian {
        bytes.reverse();
    }
    Ok(ctx.vm.heap.new_bytes(Bytes(bytes.into())))
}

fn of_bytes(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (source, order, signed) = (ctx.arg(1), ctx.arg(2), ctx.arg(3));
    let big_endian = big_endian(ctx, order)?;
    let signed = signed.is_bound() && ctx.truth(signed)?;
    let mut bytes = match source {
        Value::Bytes(bytes) => ctx.vm.heap.bytes[bytes].0.to_vec(),
        Value::Str(_) => {
            return Err(ctx.raise(Fault::new(
                Type::TypeError,
                "cannot convert 'str' object to bytes",
            )));
        }
        _ => super::bytes::byte_values(ctx, source)?,
    };
    if big_endian {
        bytes.reverse();
    }
    let integer = from_bytes(&bytes, signed);
    ctx.new_integer(Ok(integer))
}
