//! The first walk over a module's tree: opens scopes, notes how each name is mentioned, folds
//! constants, and reports what stands in the wrong place or is left out of Mini. What the names
//! mean is settled afterwards (`bind`), when every mention is known.

use crate::compile::derived::Derived;
use crate::compile::modules::{ModuleText, Modules, Origin, import_binds};
use crate::compile::scope::{Binding, MODULE, Mention, ScopeId, ScopeKind, Scopes, address};
use crate::compile::{Environment, fold, refuse};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{SourceId, Span};
use crate::syntax::ast::{
    Argument, Block, ClassDef, Clause, ComprehensionKind, DictItem, Expr, ExprKind, FPart,
    FunctionDef, Ident, ImportName, Interner, Params, Stmt, StmtKind, Symbol, Try,
};

/// Longest chain of attributes (`a.b.c`) that may name something in a module.
const MAX_PATH: usize = 3;

/// The walk.
pub(super) struct Resolver<'a> {
    pub(super) modules: &'a Modules,
    pub(super) origin: Origin,
    pub(super) source: SourceId,
    pub(super) interner: &'a mut Interner,
    derived: &'a mut Derived,
    pub(super) diagnostics: &'a mut Vec<Diagnostic>,
    pub(super) scopes: Scopes,
    /// Attributes of plain names, which may be modules.
    pub(super) paths: Vec<Path>,
    /// Bases of classes that are plain names.
    pub(super) bases: Vec<(ScopeId, Symbol, Span)>,
    /// Calls of a name `type` with three arguments.
    pub(super) made_classes: Vec<(ScopeId, Symbol, Span)>,
    pub(super) environment: &'a Environment,
    scope: ScopeId,
}

/// `root.a.b`, as mentioned in a scope.
pub(super) struct Path {
    pub(super) scope: ScopeId,
    pub(super) root: Symbol,
    pub(super) rest: Vec<Ident>,
}

impl<'a> Resolver<'a> {
    /// Walks a whole module; `body` is the tree of `module`.
    pub(super) fn walk(
        modules: &'a Modules,
        module: &ModuleText,
        body: &mut Block,
        environment: &'a Environment,
        interner: &'a mut Interner,
        derived: &'a mut Derived,
        diagnostics: &'a mut Vec<Diagnostic>,
    ) -> Resolver<'a> {
        let mut scopes = Scopes::default();
        scopes.open(ScopeKind::Module, MODULE, None);
        let mut resolver = Resolver {
            modules,
            origin: module.origin,
            source: module.source,
            interner,
            derived,
            diagnostics,
            scopes,
            paths: Vec::new(),
            bases: Vec::new(),
            made_classes: Vec::new(),
            environment,
            scope: MODULE,
        };
        resolver.block(body);
        resolver
    }

    pub(super) fn report(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
        help: Option<&str>,
    ) {
        self.diagnostics.push(Diagnostic {
            help: help.map(str::to_owned),
            ..Diagnostic::new(code, self.source, span, message)
        });
    }

    fn text(&self, name: Symbol) -> &str {
        self.interner.text(name)
    }

    /// A name with the class's prefix where it is private.
    fn mangled(&mut self, name: Symbol) -> Symbol {
        let private = self.scopes.get(self.scope).private;
        self.derived.mangle(self.interner, private, name)
    }

    fn mention(&mut self, name: Symbol, span: Span) -> &mut Mention {
        let name = self.mangled(name);
        self.scopes.get_mut(self.scope).mention(name, span)
    }

    fn bind(&mut self, name: Symbol, span: Span, binding: Binding) {
        let mention = self.mention(name, span);
        mention.bound = Some(match mention.bound {
            Some(before) if before != binding => Binding::Other,
            _ => binding,
        });
    }

    fn read(&mut self, name: Symbol, span: Span) {
        self.mention(name, span).read = true;
        let in_function = matches!(
            self.scopes.get(self.scope).kind,
            ScopeKind::Function | ScopeKind::Generator | ScopeKind::Comprehension
        );
        if in_function && self.text(name) == "super" {
            let class = self.interner.intern("__class__");
            self.mention(class, span).read = true;
        }
    }

    // Statements.

    fn block(&mut self, block: &mut Block) {
        for statement in block {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &mut Stmt) {
        let span = statement.span;
        match &mut statement.kind {
            StmtKind::Expr(value) => self.expr(value),
            StmtKind::Assign { targets, value } => {
                self.expr(value);
                for target in targets {
                    self.target(target);
                }
            }
            StmtKind::AugAssign { target, value, .. } => {
                if let ExprKind::Name(name) = target.kind {
                    self.read(name, target.span);
                }
                self.target(target);
                self.expr(value);
            }
            StmtKind::AnnAssign { target, value, .. } => {
                if let Some(value) = value {
                    self.expr(value);
                }
                self.target(target);
            }
            StmtKind::If { branches, orelse } => {
                for (test, body) in branches {
                    self.expr(test);
                    self.block(body);
                }
                self.block(orelse);
            }
            StmtKind::While { test, body, orelse } => {
                self.expr(test);
                self.block(body);
                self.block(orelse);
            }
            StmtKind::For {
                target,
                iter,
                body,
                orelse,
            } => {
                self.expr(iter);
                self.target(target);
                self.block(body);
                self.block(orelse);
            }
            StmtKind::Break | StmtKind::Continue | StmtKind::Pass | StmtKind::Error => {}
            StmtKind::Return(value) => {
                if let Some(value) = value {
                    self.expr(value);
                }
            }
            StmtKind::FunctionDef(it) => self.function(it),
            StmtKind::ClassDef(it) => self.class(it),
            StmtKind::Global(names) => {
                for name in names.iter() {
                    self.declare_global(*name);
                }
            }
            StmtKind::Nonlocal(names) => {
                for name in names.iter() {
                    self.declare_nonlocal(*name);
                }
            }
            StmtKind::Try(it) => self.try_statement(it),
            StmtKind::Raise { exception, cause } => {
                for value in [exception, cause].into_iter().flatten() {
                    self.expr(value);
                }
            }
            StmtKind::With { items, body } => {
                for item in items {
                    self.expr(&mut item.context);
                    if let Some(target) = &mut item.target {
                        self.target(target);
                    }
                }
                self.block(body);
            }
            StmtKind::Assert { test, message } => {
                self.expr(test);
                if let Some(message) = message {
                    self.expr(message);
                }
            }
            StmtKind::Delete(targets) => {
                for target in targets {
                    self.delete(target);
                }
            }
            StmtKind::Import(names) => {
                for name in names.iter() {
                    self.import(name);
                }
            }
            StmtKind::ImportFrom { module, names } => self.import_from(span, *module, names),
        }
    }

    fn try_statement(&mut self, it: &mut Try) {
        self.block(&mut it.body);
        for handler in &mut it.handlers {
            if let Some(class) = &mut handler.class {
                self.expr(class);
            }
            if let Some(name) = handler.name {
                self.bind(name.name, name.span, Binding::Other);
                self.mention(name.name, name.span).unbound = true;
            }
            self.block(&mut handler.body);
        }
        self.block(&mut it.orelse);
        self.block(&mut it.finally);
    }

    fn declare_global(&mut self, name: Ident) {
        self.mention(name.name, name.span).global = Some(name.span);
        self.check_declarations(name);
    }

    fn declare_nonlocal(&mut self, name: Ident) {
        self.mention(name.name, name.span).nonlocal = Some(name.span);
        self.check_declarations(name);
    }

    fn check_declarations(&mut self, name: Ident) {
        let mention = self.mention(name.name, name.span);
        if mention.global.is_some() && mention.nonlocal.is_some() {
            let message = format!("name '{}' is nonlocal and global", self.text(name.name));
            self.report(Code::E0413, name.span, message, None);
        }
    }

    // Functions and classes.

    fn function(&mut self, it: &mut FunctionDef) {
        for decorator in &mut it.decorators {
            self.expr(decorator);
        }
        self.defaults(&mut it.params);
        refuse::method(self, self.scope, it.name);
        self.bind(it.name.name, it.name.span, Binding::Other);
        let node = address(it);
        let before = self.enter(ScopeKind::Function, node, None);
        self.parameters(&it.params);
        self.block(&mut it.body);
        self.scope = before;
    }

    fn class(&mut self, it: &mut ClassDef) {
        for decorator in &mut it.decorators {
            self.expr(decorator);
        }
        for argument in &mut it.arguments {
            self.argument(argument);
        }
        refuse::class(self, it);
        if let [Argument::Positional(base)] = &it.arguments[..]
            && let ExprKind::Name(name) = base.kind
        {
            let name = self.mangled(name);
            self.bases.push((self.scope, name, base.span));
        }
        self.bind(it.name.name, it.name.span, Binding::Other);
        let node = address(it);
        let before = self.enter(ScopeKind::Class, node, Some(it.name.name));
        self.block(&mut it.body);
        self.scope = before;
    }

    /// Opens a scope; gives the one around it.
    fn enter(&mut self, kind: ScopeKind, node: usize, private: Option<Symbol>) -> ScopeId {
        let before = self.scope;
        let private = private.or(self.scopes.get(before).private);
        self.scope = self.scopes.open(kind, before, private);
        self.scopes.of_node.insert(node, self.scope);
        before
    }

    fn defaults(&mut self, params: &mut Params) {
        for param in params.positional.iter_mut().chain(&mut params.keyword_only) {
            if let Some(default) = &mut param.default {
                self.expr(default);
            }
        }
    }

    fn parameters(&mut self, params: &Params) {
        let all = params
            .positional
            .iter()
            .chain(&params.keyword_only)
            .chain(&params.star)
            .chain(&params.double_star);
        for param in all {
            let name = param.name;
            let mention = self.mention(name.name, name.span);
            mention.parameter = true;
            mention.bound = Some(Binding::Other);
        }
    }

    // Imports.

    fn import(&mut self, name: &ImportName) {
        let path = self.text(name.path.name).to_owned();
        let target = name.alias.unwrap_or(name.path);
        let bound = import_binds(name.path.name, self.interner, name.alias);
        let whole = self.modules.find(&path, self.origin);
        if whole.is_none() {
            refuse::module(self, &path, name.path.span);
        }
        let first = path.split('.').next().unwrap_or_default();
        let module = match name.alias {
            Some(_) => whole,
            None => self.modules.find(first, self.origin),
        };
        self.bind(
            bound,
            target.span,
            module.map_or(Binding::Other, Binding::Module),
        );
    }

    fn import_from(&mut self, span: Span, module: Ident, names: &[ImportName]) {
        let path = self.text(module.name).to_owned();
        if path == "__future__" {
            refuse::future(self, names);
            return;
        }
        let Some(at) = self.modules.find(&path, self.origin) else {
            refuse::module(self, &path, module.span);
            for name in names {
                let target = name.alias.unwrap_or(name.path);
                self.bind(target.name, target.span, Binding::Other);
            }
            return;
        };
        let modules = self.modules;
        let text = &modules.all[at as usize];
        if names.is_empty() {
            for &name in &text.public {
                self.bind(name, span, Binding::Other);
            }
        }
        for name in names {
            let target = name.alias.unwrap_or(name.path);
            let inner = format!("{path}.{}", self.text(name.path.name));
            let inner = modules.find(&inner, self.origin);
            if !text.defines(name.path.name) && inner.is_none() {
                refuse::imported_name(self, text, name.path);
            }
            self.bind(
                target.name,
                target.span,
                inner.map_or(Binding::Other, Binding::Module),
            );
        }
    }

    // Targets.

    fn target(&mut self, target: &mut Expr) {
        match &mut target.kind {
            ExprKind::Name(name) => {
                let name = *name;
                refuse::class_variable(self, self.scope, name, target.span);
                self.bind(name, target.span, Binding::Other);
            }
            ExprKind::Tuple(items) | ExprKind::List(items) => {
                for item in items {
                    self.target(item.value_mut());
                }
            }
            _ => self.expr(target),
        }
    }

    fn delete(&mut self, target: &mut Expr) {
        match &mut target.kind {
            ExprKind::Name(name) => {
                let name = *name;
                self.bind(name, target.span, Binding::Other);
                let mention = self.mention(name, target.span);
                mention.read = true;
                mention.unbound = true;
            }
            ExprKind::Tuple(items) | ExprKind::List(items) => {
                for item in items {
                    self.delete(item.value_mut());
                }
            }
            _ => self.expr(target),
        }
    }

    // Expressions.

    fn exprs(&mut self, all: &mut [Expr]) {
        for one in all {
            self.expr(one);
        }
    }

    fn expr(&mut self, expr: &mut Expr) {
        let span = expr.span;
        match &mut expr.kind {
            ExprKind::None
            | ExprKind::True
            | ExprKind::False
            | ExprKind::Ellipsis
            | ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Str(_)
            | ExprKind::Bytes(_)
            | ExprKind::Error => {}
            ExprKind::FString(parts) => self.parts(parts),
            ExprKind::Name(name) => {
                let name = *name;
                self.read(name, span);
            }
            ExprKind::List(items) | ExprKind::Tuple(items) | ExprKind::Set(items) => {
                for item in items {
                    self.expr(item.value_mut());
                }
            }
            ExprKind::Dict(items) => self.dict(items),
            ExprKind::Unary { operand, .. } => {
                self.expr(operand);
                fold::fold(expr, self.derived);
            }
            ExprKind::Binary { left, right, .. } => {
                self.expr(left);
                self.expr(right);
                fold::fold(expr, self.derived);
            }
            ExprKind::Bool { operands, .. } => self.exprs(operands),
            ExprKind::Compare { first, rest } => {
                self.expr(first);
                for (_, operand) in rest {
                    self.expr(operand);
                }
            }
            ExprKind::Conditional { test, body, orelse } => {
                self.expr(test);
                self.expr(body);
                self.expr(orelse);
            }
            ExprKind::Lambda { params, body } => self.lambda(params, body),
            ExprKind::Call {
                function,
                arguments,
            } => {
                self.expr(function);
                refuse::call(self, self.scope, function, arguments.len(), span);
                for argument in arguments {
                    self.argument(argument);
                }
            }
            ExprKind::Attribute { value, name } => {
                let name = *name;
                self.path(value, name);
                self.expr(value);
            }
            ExprKind::Subscript { value, index } => {
                self.expr(value);
                self.expr(index);
            }
            ExprKind::Slice { lower, upper, step } => {
                for bound in [lower, upper, step].into_iter().flatten() {
                    self.expr(bound);
                }
            }
            ExprKind::Comprehension { kind, clauses } => self.comprehension(kind, clauses),
            ExprKind::Yield(value) => {
                self.scopes.get_mut(self.scope).yields = true;
                if let Some(value) = value {
                    self.expr(value);
                }
            }
            ExprKind::YieldFrom(value) => {
                self.scopes.get_mut(self.scope).yields = true;
                self.expr(value);
            }
        }
    }

    fn parts(&mut self, parts: &mut [FPart]) {
        for part in parts {
            if let FPart::Hole { value, spec, .. } = part {
                self.expr(value);
                self.parts(spec);
            }
        }
    }

    fn dict(&mut self, items: &mut [DictItem]) {
        for item in items {
            match item {
                DictItem::Pair(key, value) => {
                    self.expr(key);
                    self.expr(value);
                }
                DictItem::DoubleStar(value) => self.expr(value),
            }
        }
    }

    fn argument(&mut self, argument: &mut Argument) {
        match argument {
            Argument::Positional(value)
            | Argument::Star(value)
            | Argument::Keyword(_, value)
            | Argument::DoubleStar(value) => self.expr(value),
        }
    }

    fn lambda(&mut self, params: &mut Params, body: &mut Expr) {
        self.defaults(params);
        let node = address(params);
        let before = self.enter(ScopeKind::Function, node, None);
        self.parameters(params);
        self.expr(body);
        self.scope = before;
    }

    fn comprehension(&mut self, kind: &mut ComprehensionKind, clauses: &mut [Clause]) {
        let scope_kind = match kind {
            ComprehensionKind::Generator(_) => ScopeKind::Generator,
            ComprehensionKind::List(_)
            | ComprehensionKind::Set(_)
            | ComprehensionKind::Dict(..) => ScopeKind::Comprehension,
        };
        let node = address(&clauses[0]);
        self.expr(&mut clauses[0].iter);
        let before = self.enter(scope_kind, node, None);
        let mut early = Vec::new();
        let mut looked_at = 0;
        for (at, clause) in clauses.iter_mut().enumerate() {
            if at > 0 {
                self.expr(&mut clause.iter);
            }
            let scope = self.scopes.get(self.scope);
            let fresh = scope.order[looked_at..].iter();
            early.extend(fresh.filter(|name| scope.mentions[name].bound.is_none()));
            looked_at = scope.order.len();
            self.target(&mut clause.target);
            self.exprs(&mut clause.tests);
        }
        match kind {
            ComprehensionKind::List(element)
            | ComprehensionKind::Set(element)
            | ComprehensionKind::Generator(element) => self.expr(element),
            ComprehensionKind::Dict(key, value) => {
                self.expr(key);
                self.expr(value);
            }
        }
        let scope = self.scopes.get_mut(self.scope);
        early.retain(|name| scope.mentions[name].bound.is_some());
        scope.early = early;
        self.scope = before;
    }

    /// Notes `value.name` if it may reach into a module.
    fn path(&mut self, value: &Expr, name: Ident) {
        let mut rest = vec![name];
        let mut value = value;
        loop {
            match &value.kind {
                ExprKind::Attribute { value: inner, name } if rest.len() < MAX_PATH => {
                    rest.push(*name);
                    value = inner;
                }
                ExprKind::Name(root) => {
                    rest.reverse();
                    let root = self.mangled(*root);
                    let scope = self.scope;
                    self.paths.push(Path { scope, root, rest });
                    return;
                }
                _ => return,
            }
        }
    }
}
