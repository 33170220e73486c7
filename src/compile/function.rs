//! Functions, lambdas, generator expressions, classes and modules: everything that has a code
//! object of its own.

use crate::bytecode::code::{Code, Name, Parameters};
use crate::bytecode::op::{CodeIx, Count, ModuleIx, Op, Reg};
use crate::compile::emit::{CLASS, Emitter};
use crate::compile::jumps::lay_out;
use crate::compile::scope::{MODULE, Place, ScopeId, ScopeKind, address};
use crate::compile::unit::Unit;
use crate::diagnostic::{self, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{
    Argument, Block, ClassDef, Expr, ExprKind, FunctionDef, Param, Params, StmtKind, Symbol,
};
use std::sync::Arc;

/// The embedded module whose functions stand for C functions of CPython.
const INTERNAL: &str = crate::compile::modules::BUILTINS;

/// What a code object is called and where it stands.
struct Head {
    scope: ScopeId,
    name: Arc<str>,
    /// The surroundings do not belong to its qualified name.
    top_level: bool,
    span: Span,
    docstring: Option<Arc<str>>,
    params: Parameters,
}

impl<'a> Emitter<'a> {
    /// The code of the whole module.
    pub(super) fn module_code(&mut self, body: &'a Block) -> CodeIx {
        let docstring = match body.first().map(|statement| &statement.kind) {
            Some(StmtKind::Expr(Expr {
                kind: ExprKind::Str(text),
                ..
            })) => Some(text.clone()),
            _ => None,
        };
        let at = self.pool.reserve_code();
        self.unit.qualname = "<module>".into();
        self.block(body);
        let span = body.last().map_or(Span::default(), |last| last.span);
        for &(name, module) in &self.text.inner {
            let dst = self.unit.temporary();
            let module = ModuleIx(module);
            self.op(Op::Import { dst, module }, span);
            let global = self.own_global(name);
            self.op(Op::SetGlobal { src: dst, global }, span);
        }
        self.return_none(span);
        let head = Head {
            scope: MODULE,
            name: "<module>".into(),
            top_level: true,
            span: Span::default(),
            docstring,
            params: Parameters::default(),
        };
        let unit = std::mem::replace(&mut self.unit, Unit::new(MODULE, 0, &[], 0));
        self.finish(at, unit, head);
        at
    }

    /// Makes a code object, or finds the one made before from the same text.
    fn code(&mut self, head: Head, body: impl FnOnce(&mut Self)) -> CodeIx {
        if let Some(&made) = self.made.get(&head.scope) {
            return made;
        }
        let at = self.pool.reserve_code();
        self.made.insert(head.scope, at);
        let it = self.scopes.get(head.scope);
        let room = std::mem::take(&mut self.unit.room);
        let unit = Unit::new(head.scope, it.registers, &it.unbindable, room);
        let outer = std::mem::replace(&mut self.unit, unit);
        self.unit.takes_positional = head.params.positional > 0;
        let outer_kind = self.scopes.get(outer.scope).kind;
        self.unit.qualname = match outer_kind {
            _ if head.top_level => head.name.clone(),
            ScopeKind::Module => head.name.clone(),
            ScopeKind::Class => self.derived.qualified(&outer.qualname, ".", &head.name),
            ScopeKind::Function | ScopeKind::Generator | ScopeKind::Comprehension => self
                .derived
                .qualified(&outer.qualname, ".<locals>.", &head.name),
        };
        self.outer.push((outer, std::mem::take(&mut self.blocks)));
        let outer_scope = std::mem::replace(&mut self.scope, head.scope);
        self.enter(head.params.names.len(), head.span);
        body(self);
        self.scope = outer_scope;
        let (outer, blocks) = self.outer.pop().expect("pushed above");
        self.blocks = blocks;
        let unit = std::mem::replace(&mut self.unit, outer);
        self.unit.room = unit.room;
        self.finish(at, unit, head);
        at
    }

    /// The start of a code object: parameters are bound, captured variables get their cells.
    fn enter(&mut self, parameters: usize, span: Span) {
        let unit = self.unit.scope;
        let it = self.scopes.get(unit);
        if it.kind != ScopeKind::Class {
            for register in 0..parameters {
                self.unit.flow.set(Reg(register as u16));
            }
        }
        for id in &it.variables {
            let variable = self.scopes.variable(*id);
            let own = it.class_cell == Some(*id)
                || it.places.get(&variable.name) == Some(&Place::Variable(*id));
            if own && variable.captured {
                let reg = variable.register;
                self.op(Op::MakeCell { reg }, span);
            }
        }
    }

    fn finish(&mut self, at: CodeIx, mut unit: Unit, head: Head) {
        if let Some((span, which)) = unit.overflow {
            self.diagnostics.push(Diagnostic {
                help: Some("split the text into several functions".to_owned()),
                ..Diagnostic::new(diagnostic::Code::E0508, self.text.source, span, which)
            });
            return;
        }
        let laid = lay_out(&unit);
        let it = self.scopes.get(unit.scope);
        let mut locals: Vec<(Reg, Name)> = Vec::new();
        for id in &it.variables {
            let variable = self.scopes.variable(*id);
            let entry = (
                variable.register,
                self.pool.name(variable.name, self.interner),
            );
            locals.push(entry);
        }
        locals.sort_unstable();
        locals.dedup();
        let source = &self.modules.sources[usize::from(self.text.source.0)];
        self.pool.codes[at.0 as usize] = Code {
            name: head.name,
            qualname: std::mem::take(&mut unit.qualname),
            docstring: head.docstring,
            source: self.text.source,
            module: self.module,
            first_line: source.line(head.span.start),
            ops: laid.ops,
            spans: laid.spans,
            registers: unit.registers as u16,
            params: head.params,
            handlers: laid.handlers,
            comprehensions: laid.comprehensions,
            sites: unit.sites,
            captures: unit.captures,
            locals,
            generator: it.yields || it.kind == ScopeKind::Generator,
            internal: self.is_internal(),
        };
    }

    /// Is this the module whose functions stand for C functions of CPython?
    pub(super) fn is_internal(&self) -> bool {
        &*self.text.name == INTERNAL
    }

    pub(super) fn return_none(&mut self, span: Span) {
        if self.is_live() {
            let src = self.unit.temporary();
            self.op(Op::LoadNone { dst: src }, span);
            self.op(Op::Return { src }, span);
        }
    }

    fn parameters(&mut self, scope: ScopeId, params: &Params) -> Parameters {
        let outside = std::mem::replace(&mut self.scope, scope);
        let all = params
            .positional
            .iter()
            .chain(&params.keyword_only)
            .chain(&params.star)
            .chain(&params.double_star);
        let names = all.map(|param| self.name(param.name.name)).collect();
        self.scope = outside;
        Parameters {
            names,
            positional_only: params.positional_only as u16,
            positional: params.positional.len() as u16,
            keyword_only: params.keyword_only.len() as u16,
            star: params.star.is_some(),
            double_star: params.double_star.is_some(),
        }
    }

    /// Evaluates defaults and attaches them to the function in `func`, a temporary.
    fn defaults(&mut self, params: &'a Params, func: Reg, span: Span) {
        let mark = self.unit.mark();
        let default = |param: &'a Param| param.default.as_ref();
        let positional: Vec<&'a Expr> = params.positional.iter().filter_map(default).collect();
        let base = Reg(mark as u16);
        for value in &positional {
            self.fresh(value);
        }
        if !positional.is_empty() {
            let count = Count(positional.len() as u16);
            self.op(Op::SetDefaults { func, base, count }, span);
        }
        self.unit.release(mark);
        let mut names = Vec::new();
        for param in &params.keyword_only {
            if let Some(value) = &param.default {
                names.push(self.name(param.name.name));
                self.fresh(value);
            }
        }
        if !names.is_empty() {
            match self.pool.name_tuple(names) {
                Some(names) => self.op(Op::SetKwDefaults { func, base, names }, span),
                None => self.unit.limit(
                    span,
                    "more than 65,536 constants before keyword-only defaults",
                ),
            }
        }
        self.unit.release(mark);
    }

    fn has_defaults(params: &Params) -> bool {
        let mut all = params.positional.iter().chain(&params.keyword_only);
        all.any(|param| param.default.is_some())
    }

    #[inline(never)]
    pub(super) fn lambda(&mut self, params: &'a Params, body: &'a Expr, dst: Reg, span: Span) {
        let scope = self.scopes.of_node[&address(params)];
        let head = Head {
            scope,
            name: "<lambda>".into(),
            top_level: false,
            span,
            docstring: None,
            params: self.parameters(scope, params),
        };
        let code = self.code(head, |emitter| {
            let src = emitter.value(body);
            emitter.op(Op::Return { src }, body.span);
        });
        let func = if Self::has_defaults(params) {
            self.workplace(dst)
        } else {
            dst
        };
        self.op(Op::MakeFunction { dst: func, code }, span);
        self.defaults(params, func, span);
        self.move_to(dst, func, span);
    }

    /// The function of a generator expression.
    pub(super) fn generator_function(
        &mut self,
        scope: ScopeId,
        dst: Reg,
        span: Span,
        body: impl FnOnce(&mut Self),
    ) {
        let iterator = self.interner.intern(".0");
        let head = Head {
            scope,
            name: "<genexpr>".into(),
            top_level: false,
            span,
            docstring: None,
            params: Parameters {
                names: vec![self.name(iterator)],
                positional: 1,
                ..Parameters::default()
            },
        };
        let code = self.code(head, |emitter| {
            body(emitter);
            emitter.return_none(span);
        });
        self.op(Op::MakeFunction { dst, code }, span);
    }

    /// Is the name declared `global` in the present scope? Then what it names is qualified by
    /// nothing.
    fn is_top_level(&mut self, name: Symbol) -> bool {
        let name = self.mangled(name);
        let mention = self.scopes.get(self.scope).mentions.get(&name);
        mention.is_some_and(|mention| mention.global.is_some())
    }

    #[inline(never)]
    pub(super) fn function_statement(&mut self, it: &'a FunctionDef, span: Span) {
        let mark = self.unit.mark();
        let scope = self.scopes.of_node[&address(it)];
        let first = it.decorators.first().map_or(span, |first| first.span);
        let name_span = it.name.span;
        for decorator in &it.decorators {
            self.fresh(decorator);
        }
        let head = Head {
            scope,
            name: self.interner.texts()[it.name.name.0 as usize].clone(),
            top_level: self.is_top_level(it.name.name),
            span: first,
            docstring: it.docstring.clone(),
            params: self.parameters(scope, &it.params),
        };
        let direct = (it.decorators.is_empty() && !Self::has_defaults(&it.params))
            .then(|| self.local(it.name.name))
            .flatten();
        let func = match direct {
            Some(register) => register,
            None => self.unit.temporary(),
        };
        let code = self.code(head, |emitter| {
            emitter.block(&it.body);
            emitter.return_none(it.body.last().map_or(name_span, |last| last.span));
        });
        self.op(Op::MakeFunction { dst: func, code }, name_span);
        self.defaults(&it.params, func, name_span);
        self.decorate(&it.decorators, func);
        let made = if it.decorators.is_empty() {
            func
        } else {
            Reg(mark as u16)
        };
        self.write(it.name.name, made, name_span);
        self.unit.release(mark);
    }

    /// Calls the decorators, which stand in the registers before `value`, inside out.
    fn decorate(&mut self, decorators: &'a [Expr], value: Reg) {
        let mut base = value.0;
        for decorator in decorators.iter().rev() {
            base -= 1;
            let base = Reg(base);
            let count = Count(1);
            self.op(
                Op::Call {
                    dst: base,
                    base,
                    count,
                },
                decorator.span,
            );
        }
    }

    #[inline(never)]
    pub(super) fn class_statement(&mut self, it: &'a ClassDef, span: Span) {
        let mark = self.unit.mark();
        let scope = self.scopes.of_node[&address(it)];
        let name_span = it.name.span;
        for decorator in &it.decorators {
            self.fresh(decorator);
        }
        let base_name = self.interner.intern(".base");
        let head = Head {
            scope,
            name: self.interner.texts()[it.name.name.0 as usize].clone(),
            top_level: self.is_top_level(it.name.name),
            span: it.decorators.first().map_or(span, |first| first.span),
            docstring: it.docstring.clone(),
            params: Parameters {
                names: vec![self.name(base_name)],
                positional: 1,
                ..Parameters::default()
            },
        };
        let code = self.code(head, |emitter| emitter.class_body(it, scope));
        let func = self.unit.temporary();
        self.op(Op::MakeFunction { dst: func, code }, span);
        if let [Argument::Positional(base)] = &it.arguments[..] {
            self.fresh(base);
        } else {
            let none = self.unit.temporary();
            self.op(Op::Unbind { dst: none }, span);
        }
        let count = Count(1);
        self.op(
            Op::Call {
                dst: func,
                base: func,
                count,
            },
            span,
        );
        self.decorate(&it.decorators, func);
        self.write(it.name.name, Reg(mark as u16), name_span);
        self.unit.release(mark);
    }

    fn class_body(&mut self, it: &'a ClassDef, scope: ScopeId) {
        let span = it.name.span;
        self.op(
            Op::NewClass {
                dst: CLASS,
                base: Reg(0),
            },
            span,
        );
        if let Some(text) = &it.docstring {
            let doc = self.interner.intern("__doc__");
            let mark = self.unit.mark();
            let src = self.unit.temporary();
            self.load_text(text, src, span);
            let site = self.site(doc, span);
            self.op(
                Op::SetClassVar {
                    class: CLASS,
                    src,
                    site,
                },
                span,
            );
            self.unit.release(mark);
        }
        self.block(&it.body);
        self.annotated_names(it);
        self.unhashable(scope, span);
        if let Some(id) = self.scopes.get(scope).class_cell {
            let cell = self.scopes.variable(id).register;
            self.op(Op::SetCell { cell, src: CLASS }, span);
        }
        self.op(Op::Return { src: CLASS }, span);
    }

    /// A class that defines `__eq__` alone has `__hash__ = None` (`Objects/typeobject.c`,
    /// `type_dict_set_hash`).
    fn unhashable(&mut self, class: ScopeId, span: Span) {
        let binds = |name: &str| {
            let mentions = &self.scopes.get(class).mentions;
            let mention = self.interner.find(name).and_then(|it| mentions.get(&it));
            mention.is_some_and(|mention| mention.bound.is_some())
        };
        if !binds("__eq__") || binds("__hash__") {
            return;
        }
        let hash = self.interner.intern("__hash__");
        let src = self.unit.temporary();
        self.op(Op::LoadNone { dst: src }, span);
        let site = self.site(hash, span);
        let class = CLASS;
        self.op(Op::SetClassVar { class, src, site }, span);
    }
}
