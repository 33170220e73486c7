//! Scopes and what each name means in them: data alone. `resolve` fills it, `bind` settles it, the
//! emitter reads it.

use crate::bytecode::op::Reg;
use crate::source::Span;
use crate::syntax::ast::Symbol;
use rustc_hash::FxHashMap;

/// A scope of one module, an index into `Scopes::all`. Outer scopes stand before inner ones; the
/// module's own is 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub(super) struct ScopeId(pub(super) u32);

/// The module's own scope.
pub(super) const MODULE: ScopeId = ScopeId(0);

/// A variable that lives in registers or a cell, an index into `Scopes::variables`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct VariableId(pub(super) u32);

/// What opens a scope.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ScopeKind {
    Module,
    /// `def` or `lambda`.
    Function,
    /// A generator expression, a function of its own.
    Generator,
    Class,
    /// A list, set or dict comprehension; its code stands inside the surrounding code.
    Comprehension,
}

/// One scope.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) kind: ScopeKind,
    /// The scope around it; the module's own scope is its own parent.
    pub(super) parent: ScopeId,
    /// The scope whose code object this one's instructions are part of: itself, but for
    /// comprehensions.
    pub(super) unit: ScopeId,
    /// The class whose private names (`__x`) are meant here.
    pub(super) private: Option<Symbol>,
    /// Every name that is mentioned, in order of first mention.
    pub(super) order: Vec<Symbol>,
    pub(super) mentions: FxHashMap<Symbol, Mention>,
    /// What each mentioned name means.
    pub(super) places: FxHashMap<Symbol, Place>,
    /// Of a comprehension: names that an earlier clause reads before a later one binds them.
    pub(super) early: Vec<Symbol>,
    /// Of a unit: it yields.
    pub(super) yields: bool,
    /// Of a class: the variable `__class__` of its body, if a method needs it.
    pub(super) class_cell: Option<VariableId>,
    /// Of a unit: how many registers its named locals take.
    pub(super) registers: u32,
    /// Of a unit: all variables that live in it.
    pub(super) variables: Vec<VariableId>,
    /// Of a unit: registers that may become unbound again (`del`, `except … as`).
    pub(super) unbindable: Vec<Reg>,
}

/// How a name is mentioned in one scope.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mention {
    /// The first place.
    pub(super) span: Span,
    pub(super) bound: Option<Binding>,
    pub(super) parameter: bool,
    pub(super) read: bool,
    /// `del x` or `except … as x`.
    pub(super) unbound: bool,
    pub(super) global: Option<Span>,
    pub(super) nonlocal: Option<Span>,
}

/// What binds a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Binding {
    /// Imports of this one module, and nothing else.
    Module(u32),
    Other,
}

/// What a name means in a scope.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    Variable(VariableId),
    /// A module-level variable or a builtin.
    Global,
    /// A name of the class body; the module's variable where the class has none.
    ClassBody,
}

/// A variable in a register or a cell.
#[derive(Clone, Debug)]
pub(super) struct Variable {
    pub(super) name: Symbol,
    /// The scope whose code owns the register.
    pub(super) unit: ScopeId,
    pub(super) register: Reg,
    /// Another code object uses it, so that it lives in a cell.
    pub(super) captured: bool,
}

/// All scopes of a module.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    pub(super) all: Vec<Scope>,
    pub(super) variables: Vec<Variable>,
    /// The scope that a node opens, by the node's address: the tree does not move while it is
    /// compiled.
    pub(super) of_node: FxHashMap<usize, ScopeId>,
    /// Names that are bound at module level, by the module's own code or through `global`.
    pub(super) module_bound: FxHashMap<Symbol, Binding>,
}

/// The key of a node in `Scopes::of_node`.
pub(super) fn address<T>(node: &T) -> usize {
    std::ptr::from_ref(node).addr()
}

impl Scopes {
    pub(super) fn get(&self, id: ScopeId) -> &Scope {
        &self.all[id.0 as usize]
    }

    pub(super) fn get_mut(&mut self, id: ScopeId) -> &mut Scope {
        &mut self.all[id.0 as usize]
    }

    pub(super) fn variable(&self, id: VariableId) -> &Variable {
        &self.variables[id.0 as usize]
    }

    /// Opens a scope inside `parent`.
    pub(super) fn open(
        &mut self,
        kind: ScopeKind,
        parent: ScopeId,
        private: Option<Symbol>,
    ) -> ScopeId {
        let id = ScopeId(u32::try_from(self.all.len()).expect("fewer scopes than bytes of text"));
        let unit = if kind == ScopeKind::Comprehension {
            self.get(parent).unit
        } else {
            id
        };
        self.all.push(Scope {
            kind,
            parent,
            unit,
            private,
            order: Vec::new(),
            mentions: FxHashMap::default(),
            places: FxHashMap::default(),
            early: Vec::new(),
            yields: false,
            class_cell: None,
            registers: 0,
            variables: Vec::new(),
            unbindable: Vec::new(),
        });
        id
    }
}

impl Scope {
    /// The record of a name, made at its first mention.
    pub(super) fn mention(&mut self, name: Symbol, span: Span) -> &mut Mention {
        let order = &mut self.order;
        self.mentions.entry(name).or_insert_with(|| {
            order.push(name);
            Mention {
                span,
                bound: None,
                parameter: false,
                read: false,
                unbound: false,
                global: None,
                nonlocal: None,
            }
        })
    }
}
