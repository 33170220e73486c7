//! The table of natives: every builtin function and method written in Rust, by file.

use crate::vm::class::Type;
use crate::vm::native::{Native, NativeId};
use rustc_hash::FxHashMap;
use std::sync::OnceLock;

/// All natives; `NativeId` counts in it.
pub fn table() -> &'static [Native] {
    &index().natives
}

/// The builtin function of this name.
#[must_use]
pub fn find(name: &str) -> Option<NativeId> {
    index().functions.get(name).copied()
}

/// Is there a builtin function, class or constant of this name?
#[must_use]
pub fn is_builtin(name: &str) -> bool {
    find(name).is_some()
        || public_type(name).is_some()
        || matches!(name, "NotImplemented" | "Ellipsis")
}

/// The builtin class that scripts know by this name.
#[must_use]
pub fn public_type(name: &str) -> Option<Type> {
    index().types.get(name).copied()
}

struct Index {
    natives: Vec<Native>,
    functions: FxHashMap<&'static str, NativeId>,
    types: FxHashMap<&'static str, Type>,
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

fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| {
        let natives: Vec<Native> = FILES.iter().flat_map(|file| file.iter().copied()).collect();
        let functions = natives
            .iter()
            .enumerate()
            .filter(|(_, native)| native.owner.is_none())
            .map(|(at, native)| (native.name, NativeId(at as u16)))
            .collect();
        let mut types: FxHashMap<&'static str, Type> =
            NAMED.iter().map(|&it| (it.name(), it)).collect();
        for &it in &Type::ALL[Type::BaseException as usize..] {
            types.insert(it.name(), it);
        }
        types.insert("EnvironmentError", Type::OSError);
        types.insert("IOError", Type::OSError);
        Index {
            natives,
            functions,
            types,
        }
    })
}

/// The tables of all files; add a file's `NATIVES` here.
const FILES: &[&[Native]] = &[];
