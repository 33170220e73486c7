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
use crate::vm::heap::value::NativeId;
use crate::vm::interpreter::call::Arguments;
use crate::vm::state::native::{Bound, Native};
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

/// The parameters of a native.
#[must_use]
pub fn signature(native: NativeId) -> &'static Signature {
    let index = index();
    let at = native.0 as usize;
    index.signatures[at].get_or_init(|| Signature::read(index.natives[at].signature))
}

/// A method of a builtin type, by its name.
#[must_use]
pub fn find_method(owner: Type, name: &str) -> NativeId {
    let found = table()
        .iter()
        .position(|native| native.owner == Some(owner) && native.name == name);
    NativeId(found.map_or(u16::MAX, |at| at as u16))
}

/// The native that makes instances of a builtin class.
#[must_use]
pub fn constructor(of: Type) -> Option<NativeId> {
    index().constructors[of as usize]
}

/// The parameters of a native, read from its table entry.
#[derive(Clone, Debug, Default)]
pub struct Signature {
    /// Parameters that may be given by position.
    pub positional: Vec<&'static str>,
    /// How many of them may not be given by keyword.
    pub positional_only: usize,
    /// How many of them must be given.
    pub required: usize,
    pub keyword_only: Vec<&'static str>,
    /// There is a `*name`.
    pub rest: bool,
    /// There is a `**name`.
    pub keywords: bool,
}

impl Signature {
    /// How positional arguments alone are bound, if there are neither too few of them nor too many.
    #[inline]
    pub(super) fn fits(&self, arguments: Arguments<'_>) -> Option<Bound> {
        let (count, declared) = (arguments.count, self.positional.len());
        let named = count.min(declared);
        let fits = arguments.names.is_empty()
            && count >= self.required
            && (count <= declared || self.rest);
        fits.then(|| Bound {
            args_at: arguments.at as u32,
            args: named as u32,
            rest_at: (arguments.at + named) as u32,
            rest: (count - named) as u32,
        })
    }

    fn read(text: &'static str) -> Signature {
        let mut signature = Signature::default();
        let mut keyword_only = false;
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            if part == "/" {
                signature.positional_only = signature.positional.len();
            } else if part == "*" {
                keyword_only = true;
            } else if part.starts_with("**") {
                signature.keywords = true;
            } else if part.starts_with('*') {
                signature.rest = true;
                keyword_only = true;
            } else {
                let name = part.split('=').next().unwrap_or(part);
                if keyword_only {
                    signature.keyword_only.push(name);
                } else {
                    signature.positional.push(name);
                    if !part.contains('=') {
                        signature.required += 1;
                    }
                }
            }
        }
        signature
    }
}

struct Index {
    natives: Vec<Native>,
    /// Each read when it is first asked for: a program uses few.
    signatures: Vec<OnceLock<Signature>>,
    functions: FxHashMap<&'static str, NativeId>,
    types: FxHashMap<&'static str, Type>,
    /// For each type, the native that makes its instances.
    constructors: Vec<Option<NativeId>>,
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
        // The operators are parts of instructions, which pass them what no script could: they have no names there.
        let named = generator::NATIVES.len() + operators::NATIVES.len();
        let functions: FxHashMap<&'static str, NativeId> = natives
            .iter()
            .enumerate()
            .skip(named)
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
            constructors: Type::ALL
                .iter()
                .map(|of| functions.get(of.name()).copied())
                .collect(),
            signatures: vec![OnceLock::new(); natives.len()],
            natives,
            functions,
            types,
        }
    })
}

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
