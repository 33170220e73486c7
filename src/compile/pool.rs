//! The tables that all code of a program shares: constants, names, module-level variables, code
//! objects. Each entry stands once.

use crate::bytecode::code::{Code, Const, Global, Name};
use crate::bytecode::frozen::Frozen;
use crate::bytecode::op::{CodeIx, ConstIx, GlobalIx, NamesIx};
use crate::source::SourceId;
use crate::syntax::ast::{Interner, Symbol};
use num_bigint::BigInt;
use num_traits::ToPrimitive;
use rustc_hash::FxHashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The tables.
#[derive(Default)]
pub(super) struct Pool {
    pub(super) codes: Vec<Code>,
    pub(super) consts: Vec<Const>,
    pub(super) names: Vec<Arc<str>>,
    pub(super) globals: Vec<Global>,
    /// For each module, its variables in order of first appearance.
    pub(super) module_globals: Vec<Vec<(Name, GlobalIx)>>,
    by_const: FxHashMap<Key, ConstIx>,
    by_symbol: FxHashMap<Symbol, Name>,
    by_global: FxHashMap<(u32, Symbol), GlobalIx>,
}

/// A constant that can be looked up. `1`, `1.0` and `True` are three, `0.0` and `-0.0` two.
#[derive(PartialEq)]
struct Key(Const);

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(&self.0).hash(state);
        match &self.0 {
            Const::None | Const::Ellipsis => {}
            Const::Bool(value) => value.hash(state),
            Const::Int(value) => value.hash(state),
            Const::BigInt(value) => value.hash(state),
            Const::Float(value) => value.to_bits().hash(state),
            Const::Str(text) | Const::Builtin(text) => text.hash(state),
            Const::Bytes(bytes) => bytes.hash(state),
            Const::Tuple(items) => items.hash(state),
            Const::Names(names) => names.hash(state),
        }
    }
}

impl Pool {
    /// The index of a constant.
    pub(super) fn constant(&mut self, value: Const) -> ConstIx {
        let next = ConstIx(index(self.consts.len()));
        let key = Key(value);
        if let Some(&found) = self.by_const.get(&key) {
            return found;
        }
        self.consts.push(key.0.clone());
        self.by_const.insert(key, next);
        next
    }

    /// The index of an integer constant.
    pub(super) fn integer(&mut self, value: &BigInt) -> ConstIx {
        let value = match value.to_i64() {
            Some(small) => Const::Int(small),
            None => Const::BigInt(value.clone()),
        };
        self.constant(value)
    }

    /// The index of a tuple of names; `None` if there are too many constants for its short index.
    pub(super) fn name_tuple(&mut self, names: Vec<Name>) -> Option<NamesIx> {
        let at = self.constant(Const::Names(names));
        u16::try_from(at.0).ok().map(NamesIx)
    }

    /// The index of a name.
    pub(super) fn name(&mut self, symbol: Symbol, interner: &Interner) -> Name {
        let names = &mut self.names;
        *self.by_symbol.entry(symbol).or_insert_with(|| {
            let name = Name(index(names.len()));
            names.push(interner.texts()[symbol.0 as usize].clone());
            name
        })
    }

    /// The index of a module's variable.
    pub(super) fn global(
        &mut self,
        module: u32,
        symbol: Symbol,
        builtin: bool,
        interner: &Interner,
    ) -> GlobalIx {
        if let Some(&found) = self.by_global.get(&(module, symbol)) {
            return found;
        }
        let name = self.name(symbol, interner);
        let at = GlobalIx(index(self.globals.len()));
        self.globals.push(Global { name, builtin });
        self.by_global.insert((module, symbol), at);
        let module = module as usize;
        if self.module_globals.len() <= module {
            self.module_globals.resize_with(module + 1, Vec::new);
        }
        self.module_globals[module].push((name, at));
        at
    }

    /// Takes over the tables of a frozen module, which must be the first to fill these.
    ///
    /// # Panics
    /// If another was.
    pub(super) fn thaw(
        &mut self,
        frozen: &Frozen,
        module: u32,
        source: SourceId,
        interner: &mut Interner,
    ) {
        assert!(
            self.names.is_empty() && self.consts.is_empty() && self.codes.is_empty(),
            "a frozen module comes first"
        );
        for text in frozen.names {
            let symbol = interner.intern(text);
            self.name(symbol, interner);
        }
        for constant in frozen.consts {
            self.constant(constant.thaw());
        }
        for (at, global) in (0..).zip(frozen.globals) {
            self.globals.push(global.clone());
            self.module_globals
                .resize_with(module as usize + 1, Vec::new);
            self.module_globals[module as usize].push((global.name, GlobalIx(at)));
        }
        let codes = frozen.codes.iter();
        self.codes.extend(codes.map(|it| it.thaw(module, source)));
    }

    /// Sets a place aside for a code object, so that outer ones stand before inner ones.
    pub(super) fn reserve_code(&mut self) -> CodeIx {
        let at = CodeIx(index(self.codes.len()));
        self.codes.push(Code::default());
        at
    }
}

fn index(length: usize) -> u32 {
    u32::try_from(length).expect("a table of a program holds under 2^32 entries")
}
