//! Which modules a program consists of: the script, then every embedded module that something
//! imports, each parsed once. Reads no file; the texts come from the environment.

use crate::bytecode::frozen::Frozen;
use crate::compile::Environment;
use crate::diagnostic::Diagnostic;
use crate::source::{Source, SourceId};
use crate::syntax;
use crate::syntax::ast::{Block, Expr, ExprKind, Interner, StmtKind, Symbol};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// The module that Mini's own builtins call into; scripts cannot import it.
pub(super) const BUILTINS: &str = "_builtins";

/// Modules of Python's library that Mini may have; which of them it has is the environment's to
/// say.
pub(super) const LIBRARY: &[&str] = &[
    "__future__",
    "abc",
    "atexit",
    "bisect",
    "collections",
    "collections.abc",
    "concurrent.futures",
    "concurrent.futures.process",
    "concurrent.futures.thread",
    "contextlib",
    "copy",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "faulthandler",
    "fractions",
    "functools",
    "gc",
    "heapq",
    "inspect",
    "io",
    "itertools",
    "json",
    "logging",
    "logging.handlers",
    "math",
    "multiprocessing",
    "multiprocessing.connection",
    "multiprocessing.dummy",
    "multiprocessing.managers",
    "multiprocessing.pool",
    "multiprocessing.queues",
    "multiprocessing.shared_memory",
    "multiprocessing.sharedctypes",
    "multiprocessing.synchronize",
    "operator",
    "os",
    "os.path",
    "platform",
    "pprint",
    "queue",
    "random",
    "re",
    "sched",
    "statistics",
    "string",
    "struct",
    "sys",
    "textwrap",
    "_thread",
    "threading",
    "time",
    "timeit",
    "traceback",
    "types",
    "typing",
    "uuid",
    "warnings",
];

/// What kind of module.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Origin {
    /// The user's script.
    Script,
    /// A text of Mini's own library.
    Embedded,
}

/// One module of the program.
pub(super) struct ModuleText {
    pub(super) name: Arc<str>,
    pub(super) origin: Origin,
    pub(super) source: SourceId,
    pub(super) body: Block,
    /// The names that it defines, in order.
    pub(super) exports: Vec<Symbol>,
    /// The names that `from … import *` takes.
    pub(super) public: Vec<Symbol>,
    /// The modules inside this package that the program needs, by the last part of their names.
    pub(super) inner: Vec<(Symbol, u32)>,
    /// What it compiles to, if that is known; it has no body then.
    pub(super) frozen: Option<&'static Frozen>,
    exported: FxHashSet<Symbol>,
}

impl ModuleText {
    /// Does it define this name?
    pub(super) fn defines(&self, name: Symbol) -> bool {
        self.exported.contains(&name)
    }

    fn export(&mut self, name: Symbol) {
        if self.exported.insert(name) {
            self.exports.push(name);
        }
    }
}

/// All modules of the program.
pub(super) struct Modules {
    pub(super) all: Vec<ModuleText>,
    pub(super) sources: Vec<Source>,
    by_name: FxHashMap<Arc<str>, u32>,
}

impl Modules {
    /// Parses the script and everything it needs.
    pub(super) fn gather(
        script: Source,
        environment: &Environment,
        interner: &mut Interner,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Modules {
        let mut modules = Modules {
            all: Vec::new(),
            sources: Vec::new(),
            by_name: FxHashMap::default(),
        };
        modules.add("__main__", Origin::Script, script, interner, diagnostics);
        if let Some(text) = (environment.embedded)(BUILTINS) {
            let source = Source::new(&format!("<{BUILTINS}>"), text);
            match environment.frozen {
                Some(frozen) => modules.add_frozen(BUILTINS, source, frozen),
                None => modules.add(BUILTINS, Origin::Embedded, source, interner, diagnostics),
            }
        }
        let mut next = 0;
        while next < modules.all.len() {
            let mut wanted = Vec::new();
            imports(&modules.all[next].body, &mut |path, names| {
                wanted.push((path, names));
            });
            for (path, names) in wanted {
                let path: Arc<str> = interner.texts()[path.0 as usize].clone();
                modules.require(&path, environment, interner, diagnostics);
                for name in names {
                    let path = format!("{path}.{}", interner.text(name));
                    if (environment.embedded)(&path).is_some() {
                        modules.require(&path, environment, interner, diagnostics);
                    }
                }
            }
            next += 1;
        }
        modules
    }

    /// The module of this name, for the code of module `from`.
    pub(super) fn find(&self, name: &str, from: Origin) -> Option<u32> {
        let visible = match from {
            Origin::Script => {
                name != "__main__" && (!name.starts_with('_') || LIBRARY.contains(&name))
            }
            Origin::Embedded => true,
        };
        visible.then(|| self.by_name.get(name).copied()).flatten()
    }

    /// Adds a module and the packages around it (`concurrent` of `concurrent.futures`). A package
    /// without a text of its own has an empty one.
    fn require(
        &mut self,
        path: &str,
        environment: &Environment,
        interner: &mut Interner,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let text = match (environment.embedded)(path) {
            Some(text) => text,
            None if is_package(path, environment) => "",
            None => return,
        };
        let parent = path.rsplit_once('.');
        if let Some((parent, _)) = parent {
            self.require(parent, environment, interner, diagnostics);
        }
        if !self.by_name.contains_key(path) {
            let source = Source::new(&format!("<{path}>"), text);
            self.add(path, Origin::Embedded, source, interner, diagnostics);
        }
        if let Some((parent, last)) = parent
            && let Some(&parent) = self.by_name.get(parent)
        {
            let last = interner.intern(last);
            let inner = (last, self.by_name[path]);
            let parent = &mut self.all[parent as usize];
            parent.export(last);
            if !parent.inner.contains(&inner) {
                parent.inner.push(inner);
            }
        }
    }

    fn add(
        &mut self,
        name: &str,
        origin: Origin,
        source: Source,
        interner: &mut Interner,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let mut parsed = syntax::parse(&source, self.next_source(), interner);
        diagnostics.append(&mut parsed.diagnostics);
        let module = self.push(name, origin, source);
        module.body = parsed.body;
        let mut names = Vec::new();
        definitions(&module.body, interner, &mut names);
        for name in names {
            module.export(name);
        }
        module.public = match declared_public(&module.body, interner) {
            Some(names) => names,
            None => module.exports.clone(),
        };
        module
            .public
            .retain(|&name| !interner.text(name).starts_with('_'));
    }

    /// Adds a module that is compiled already. No other imports it, so what it defines is nobody's
    /// business.
    fn add_frozen(&mut self, name: &str, source: Source, frozen: &'static Frozen) {
        self.push(name, Origin::Embedded, source).frozen = Some(frozen);
    }

    fn next_source(&self) -> SourceId {
        SourceId(u16::try_from(self.sources.len()).expect("few modules are embedded"))
    }

    fn push(&mut self, name: &str, origin: Origin, source: Source) -> &mut ModuleText {
        let name: Arc<str> = name.into();
        let at = u32::try_from(self.all.len()).expect("few modules are embedded");
        self.by_name.insert(name.clone(), at);
        let id = self.next_source();
        self.sources.push(source);
        self.all.push(ModuleText {
            name,
            origin,
            source: id,
            public: Vec::new(),
            inner: Vec::new(),
            frozen: None,
            body: Block::default(),
            exports: Vec::new(),
            exported: FxHashSet::default(),
        });
        &mut self.all[at as usize]
    }
}

/// Is there an embedded module inside this package?
pub(super) fn is_package(path: &str, environment: &Environment) -> bool {
    LIBRARY.iter().any(|name| {
        name.strip_prefix(path)
            .is_some_and(|rest| rest.starts_with('.'))
            && (environment.embedded)(name).is_some()
    })
}

/// The blocks directly inside a statement.
fn blocks(kind: &StmtKind) -> Vec<&Block> {
    match kind {
        StmtKind::If { branches, orelse } => branches
            .iter()
            .map(|(_, block)| block)
            .chain([orelse])
            .collect(),
        StmtKind::While { body, orelse, .. } | StmtKind::For { body, orelse, .. } => {
            vec![body, orelse]
        }
        StmtKind::Try(it) => [&it.body]
            .into_iter()
            .chain(it.handlers.iter().map(|handler| &handler.body))
            .chain([&it.orelse, &it.finally])
            .collect(),
        StmtKind::With { body, .. } => vec![body],
        StmtKind::FunctionDef(it) => vec![&it.body],
        StmtKind::ClassDef(it) => vec![&it.body],
        StmtKind::Expr(_)
        | StmtKind::Assign { .. }
        | StmtKind::AugAssign { .. }
        | StmtKind::AnnAssign { .. }
        | StmtKind::Break
        | StmtKind::Continue
        | StmtKind::Pass
        | StmtKind::Return(_)
        | StmtKind::Global(_)
        | StmtKind::Nonlocal(_)
        | StmtKind::Raise { .. }
        | StmtKind::Assert { .. }
        | StmtKind::Delete(_)
        | StmtKind::Import(_)
        | StmtKind::ImportFrom { .. }
        | StmtKind::Error => Vec::new(),
    }
}

/// Calls `found` with each module path that a block imports at any depth, and the names that are
/// taken from it.
fn imports(block: &Block, found: &mut dyn FnMut(Symbol, Vec<Symbol>)) {
    for statement in block {
        match &statement.kind {
            StmtKind::Import(names) => {
                for name in names {
                    found(name.path.name, Vec::new());
                }
            }
            StmtKind::ImportFrom { module, names } => {
                let names = names.iter().map(|name| name.path.name).collect();
                found(module.name, names);
            }
            other => {
                for block in blocks(other) {
                    imports(block, found);
                }
            }
        }
    }
}

/// Collects the names that a module's own statements bind.
fn definitions(block: &Block, interner: &mut Interner, into: &mut Vec<Symbol>) {
    for statement in block {
        match &statement.kind {
            StmtKind::Assign { targets, .. } => {
                for target in targets {
                    target_names(target, into);
                }
            }
            StmtKind::AnnAssign { target, .. } | StmtKind::AugAssign { target, .. } => {
                target_names(target, into);
            }
            StmtKind::For { target, .. } => target_names(target, into),
            StmtKind::With { items, .. } => {
                for item in items {
                    item.target
                        .iter()
                        .for_each(|target| target_names(target, into));
                }
            }
            StmtKind::FunctionDef(it) => into.push(it.name.name),
            StmtKind::ClassDef(it) => into.push(it.name.name),
            StmtKind::Import(names) => {
                for name in names {
                    into.push(import_binds(name.path.name, interner, name.alias));
                }
            }
            StmtKind::ImportFrom { module, names }
                if interner.text(module.name) != "__future__" =>
            {
                into.extend(
                    names
                        .iter()
                        .map(|name| name.alias.unwrap_or(name.path).name),
                );
            }
            StmtKind::ImportFrom { .. }
            | StmtKind::If { .. }
            | StmtKind::While { .. }
            | StmtKind::Try(_)
            | StmtKind::Expr(_)
            | StmtKind::Break
            | StmtKind::Continue
            | StmtKind::Pass
            | StmtKind::Return(_)
            | StmtKind::Global(_)
            | StmtKind::Nonlocal(_)
            | StmtKind::Raise { .. }
            | StmtKind::Assert { .. }
            | StmtKind::Delete(_)
            | StmtKind::Error => {}
        }
        if !matches!(
            statement.kind,
            StmtKind::FunctionDef(_) | StmtKind::ClassDef(_)
        ) {
            for block in blocks(&statement.kind) {
                definitions(block, interner, into);
            }
        }
    }
}

/// What the module says itself: `__all__ = [...]`.
fn declared_public(body: &Block, interner: &mut Interner) -> Option<Vec<Symbol>> {
    let value = body.iter().find_map(|statement| match &statement.kind {
        StmtKind::Assign { targets, value } => match &targets[..] {
            [
                Expr {
                    kind: ExprKind::Name(name),
                    ..
                },
            ] if interner.text(*name) == "__all__" => Some(value),
            _ => None,
        },
        _ => None,
    })?;
    let (ExprKind::List(items) | ExprKind::Tuple(items)) = &value.kind else {
        return None;
    };
    let names = items.iter().filter_map(|item| match &item.value().kind {
        ExprKind::Str(text) => Some(interner.intern(text)),
        _ => None,
    });
    Some(names.collect())
}

/// The name that `import path as alias` binds: the alias, or the first part of the path.
pub(super) fn import_binds(
    path: Symbol,
    interner: &mut Interner,
    alias: Option<syntax::ast::Ident>,
) -> Symbol {
    if let Some(alias) = alias {
        return alias.name;
    }
    let text: Arc<str> = interner.texts()[path.0 as usize].clone();
    match text.split_once('.') {
        Some((first, _)) => interner.intern(first),
        None => path,
    }
}

fn target_names(target: &Expr, into: &mut Vec<Symbol>) {
    match &target.kind {
        ExprKind::Name(name) => into.push(*name),
        ExprKind::Tuple(items) | ExprKind::List(items) => {
            for item in items {
                target_names(item.value(), into);
            }
        }
        _ => {}
    }
}
