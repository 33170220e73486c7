//! `float`: the constructor and the methods.

use crate::vm::builtins::int::ascii;
use crate::vm::heap::class::Type;
use crate::vm::heap::fault::Fault;
use crate::vm::heap::number::float::{from_hex, ratio, to_hex};
use crate::vm::heap::number::read::read_float;
use crate::vm::heap::text::repr_bytes;
use crate::vm::heap::value::Value;
use crate::vm::state::native::{Abrupt, Ctx, Native, class_method, getter, method, native};

pub(super) const NATIVES: &[Native] = &[
    native("float", "x=, /", float),
    method(Type::Float, "is_integer", "self, /", is_integer),
    method(Type::Float, "as_integer_ratio", "self, /", as_ratio),
    method(Type::Float, "conjugate", "self, /", |ctx| Ok(ctx.arg(0))),
    getter(Type::Float, "real", |ctx| Ok(ctx.arg(0))),
    getter(Type::Float, "imag", |_| Ok(Value::Float(0.0))),
    method(Type::Float, "hex", "self, /", hex),
    class_method(Type::Float, "fromhex", "cls, string, /", fromhex),
];

fn float(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let x = ctx.arg(0);
    let read = match x {
        Value::Unbound => return Ok(Value::Float(0.0)),
        Value::Str(text) => read_float(ctx.vm.heap.text(text)),
        Value::Bytes(bytes) => {
            let bytes = &ctx.vm.heap.bytes[bytes].0;
            read_float(&ascii(bytes)).map_err(|_| {
                Fault::value(format!(
                    "could not convert string to float: {}",
                    repr_bytes(bytes)
                ))
            })
        }
        _ => {
            if let Some(float) = ctx.try_float(x)? {
                return Ok(Value::Float(float));
            }
            let message = format!(
                "float() argument must be a string or a real number, not '{}'",
                ctx.vm.type_name(x)
            );
            return Err(ctx.type_error(message));
        }
    };
    Ok(Value::Float(ctx.ok(read)?))
}

/// The receiver.
pub(super) fn this(ctx: &Ctx<'_>) -> f64 {
    match ctx.arg(0) {
        Value::Float(float) => float,
        _ => unreachable!("the method's owner is float"),
    }
}

fn is_integer(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let float = this(ctx);
    Ok(Value::Bool(float.is_finite() && float == float.floor()))
}

fn as_ratio(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let float = this(ctx);
    if float.is_nan() {
        return Err(ctx.value_error("cannot convert NaN to integer ratio"));
    }
    if float.is_infinite() {
        return Err(ctx.raise(Fault::overflow("cannot convert Infinity to integer ratio")));
    }
    let (numerator, denominator) = ratio(float);
    let pair = [
        ctx.vm.heap.new_int(numerator),
        ctx.vm.heap.new_int(denominator),
    ];
    Ok(ctx.vm.heap.new_tuple(pair))
}

fn hex(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let text = to_hex(this(ctx));
    Ok(ctx.vm.heap.new_string(text))
}

fn fromhex(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let Value::Str(text) = ctx.arg(1) else {
        return Err(ctx.type_error("bad argument type for built-in operation"));
    };
    let float = from_hex(ctx.vm.heap.text(text));
    Ok(Value::Float(ctx.ok(float)?))
}
