//! Who is who: `id`, the addresses that `repr` shows, and the hash of objects that are equal to
//! themselves alone. All come from the kind of a value and its slot, so that the same program shows
//! the same addresses in every run.

use crate::vm::heap::value::{NativeId, Value};

/// An address such as CPython would show; the same for the same object as long as it lives.
#[must_use]
pub(in crate::vm) fn address(value: Value) -> i64 {
    let (kind, slot) = match value {
        Value::Unbound | Value::None => (0, 0),
        Value::NotImplemented => (0, 1),
        Value::Ellipsis => (0, 2),
        Value::Bool(truth) => (0, 3 + u32::from(truth)),
        // Numbers have no slot: equal ones are the same object here.
        Value::Int(number) => return 0x5500_0000_0000_i64.wrapping_add(number.wrapping_mul(32)),
        Value::Float(number) => return (number.to_bits() >> 1) as i64,
        Value::Big(it) => (1, it.slot),
        Value::Str(it) => (2, it.slot),
        Value::Bytes(it) => (3, it.slot),
        Value::Tuple(it) => (4, it.slot),
        Value::List(it) => (5, it.slot),
        Value::Dict(it) => (6, it.slot),
        Value::Set(it) => (7, it.slot),
        Value::Range(it) => (8, it.slot),
        Value::Function(it) => (9, it.slot),
        Value::Native(NativeId(at)) => (10, u32::from(at)),
        Value::Method(it) => (11, it.slot),
        Value::Class(it) => (12, it.slot),
        Value::Instance(it) => (13, it.slot),
        Value::Generator(it) => (14, it.slot),
        Value::Iter(it) => (15, it.slot),
        Value::Cell(it) => (16, it.slot),
        Value::Module(at) => (17, at),
        Value::Object(it) => (18, it.slot),
    };
    0x7f00_0000_0000 + (kind << 35) + (i64::from(slot) << 6)
}

/// The hash of an object that is equal to itself alone.
pub(super) fn identity_hash(value: Value) -> i64 {
    address(value) >> 6
}
