//! The table of natives: every builtin function and method written in Rust, by file.

mod bytes;
mod dict;
pub mod exceptions;
mod float;
mod functional;
pub mod generator;
mod int;
mod iteration;
mod itertools;
mod list;
mod mapping;
mod math;
mod number;
mod object;
pub mod operators;
mod output;
mod process;
mod random;
mod range;
mod record;
mod ring;
mod set;
mod special;
mod str;
mod sync;
mod system;
mod tuple;

use crate::vm::heap::class::Type;
use crate::vm::state::native::Native;
use crate::vm::state::natives::Natives;
use std::sync::OnceLock;

/// All natives and the classes that scripts can name.
pub fn table() -> &'static Natives {
    static TABLE: OnceLock<Natives> = OnceLock::new();
    TABLE.get_or_init(|| {
        let named = NAMED
            .iter()
            .chain(&Type::ALL[Type::BaseException as usize..]);
        let aliases = [
            ("EnvironmentError", Type::OSError),
            ("IOError", Type::OSError),
        ];
        Natives::new(
            FILES.iter().flat_map(|file| file.iter().copied()).collect(),
            generator::NATIVES.len() + operators::NATIVES.len(),
            named.map(|&it| (it.name(), it)).chain(aliases),
        )
    })
}

/// Is there a builtin function, class or constant of this name?
#[must_use]
pub fn is_builtin(name: &str) -> bool {
    table().find(name).is_some()
        || table().public_type(name).is_some()
        || matches!(name, "NotImplemented" | "Ellipsis")
}

/// Builtin classes that a script can name without import; the others are met only as `type(x)`.
const NAMED: &[Type] = &[
    Type::Object,
    Type::Type,
    Type::Int,
    Type::Bool,
    Type::Float,
    Type::Str,
    Type::Bytes,
    Type::Tuple,
    Type::List,
    Type::Dict,
    Type::Set,
    Type::FrozenSet,
    Type::Range,
    Type::Slice,
    Type::Property,
    Type::StaticMethod,
    Type::ClassMethod,
    Type::Super,
    Type::Enumerate,
    Type::Zip,
    Type::Map,
    Type::Filter,
    Type::Reversed,
];

/// The tables of all files; add a file's `NATIVES` here. The first two have fixed numbers.
const FILES: &[&[Native]] = &[
    generator::NATIVES,
    operators::NATIVES,
    exceptions::NATIVES,
    dict::NATIVES,
    functional::NATIVES,
    iteration::NATIVES,
    itertools::NATIVES,
    list::NATIVES,
    object::NATIVES,
    output::NATIVES,
    range::NATIVES,
    set::NATIVES,
    special::NATIVES,
    tuple::NATIVES,
    number::NATIVES,
    int::NATIVES,
    float::NATIVES,
    str::NATIVES,
    str::case::NATIVES,
    str::layout::NATIVES,
    str::search::NATIVES,
    str::split::NATIVES,
    str::translate::NATIVES,
    bytes::NATIVES,
    bytes::case::NATIVES,
    bytes::search::NATIVES,
    bytes::split::NATIVES,
    math::NATIVES,
    math::integer::NATIVES,
    random::NATIVES,
    record::NATIVES,
    ring::NATIVES,
    mapping::NATIVES,
    sync::NATIVES,
    process::NATIVES,
    system::NATIVES,
];
