//! The table of natives, which whoever makes an image hands in: nothing below the builtins knows
//! which there are.

use crate::vm::heap::class::Type;
use crate::vm::heap::value::NativeId;
use crate::vm::state::native::Native;
use crate::vm::state::stack::{Arguments, Bound};
use rustc_hash::FxHashMap;
use std::ops::Index;
use std::sync::OnceLock;

pub const NEXT: NativeId = NativeId(0);
pub const SEND: NativeId = NativeId(1);
/// Raises an exception where a generator is suspended, itself and no sub-iterator.
pub const THROW: NativeId = NativeId(2);
/// Goes on behind a `yield from`, with what its sub-iterator came to.
pub const PASS: NativeId = NativeId(3);
/// How many natives the VM does itself.
pub const DONE_BY_THE_VM: u16 = 4;

/// All natives, by number and by name.
#[derive(Debug)]
pub struct Natives {
    all: Vec<Native>,
    /// Each read when it is first asked for: a program uses few.
    signatures: Vec<OnceLock<Signature>>,
    functions: FxHashMap<&'static str, NativeId>,
    types: FxHashMap<&'static str, Type>,
    /// For each type, the native that makes its instances.
    constructors: Vec<Option<NativeId>>,
    /// `len` and `isinstance`.
    with_instructions: [Option<NativeId>; 2],
}

impl Natives {
    /// Of these natives, the first `nameless` are parts of instructions, which pass them what no
    /// script could: nobody finds them by name. `types` are the classes that scripts name without
    /// import.
    #[must_use]
    pub fn new(
        natives: Vec<Native>,
        nameless: usize,
        types: impl IntoIterator<Item = (&'static str, Type)>,
    ) -> Natives {
        let functions: FxHashMap<&'static str, NativeId> = natives
            .iter()
            .enumerate()
            .skip(nameless)
            .filter(|(_, native)| native.owner.is_none())
            .map(|(at, native)| (native.name, NativeId(at as u16)))
            .collect();
        Natives {
            constructors: Type::ALL
                .iter()
                .map(|of| functions.get(of.name()).copied())
                .collect(),
            signatures: vec![OnceLock::new(); natives.len()],
            with_instructions: ["len", "isinstance"].map(|name| functions.get(name).copied()),
            all: natives,
            functions,
            types: types.into_iter().collect(),
        }
    }

    /// All, in order of their numbers.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (NativeId, &Native)> {
        let natives = self.all.iter().enumerate();
        natives.map(|(at, native)| (NativeId(at as u16), native))
    }

    /// The builtin function of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<NativeId> {
        self.functions.get(name).copied()
    }

    /// The builtin class that scripts know by this name.
    #[must_use]
    pub fn public_type(&self, name: &str) -> Option<Type> {
        self.types.get(name).copied()
    }

    /// A method of a builtin type.
    #[must_use]
    pub fn find_method(&self, owner: Type, name: &str) -> Option<NativeId> {
        let mut all = self.iter();
        all.find(|(_, native)| native.owner == Some(owner) && native.name == name)
            .map(|(id, _)| id)
    }

    /// The native that makes instances of a builtin class.
    #[must_use]
    pub fn constructor(&self, of: Type) -> Option<NativeId> {
        self.constructors[of as usize]
    }

    /// Does CPython (3.11 and later) have an instruction of its own for calls of this function,
    /// after which it does not look at its lock (`CALL_LEN`, `CALL_ISINSTANCE` in
    /// `Python/bytecodes.c`)?
    #[inline]
    #[must_use]
    pub fn has_own_instruction(&self, native: NativeId) -> bool {
        self.with_instructions.contains(&Some(native))
    }

    /// The parameters of a native.
    #[must_use]
    pub fn signature(&self, native: NativeId) -> &Signature {
        let at = native.0 as usize;
        self.signatures[at].get_or_init(|| Signature::read(self.all[at].signature))
    }
}

impl Index<NativeId> for Natives {
    type Output = Native;
    #[inline]
    fn index(&self, native: NativeId) -> &Native {
        &self.all[native.0 as usize]
    }
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
    pub(in crate::vm) fn fits(&self, arguments: Arguments<'_>) -> Option<Bound> {
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
