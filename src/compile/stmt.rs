//! Statements that need little: the dispatch, `if`, `return`, `break`, `continue`, `raise`,
//! imports.

use crate::bytecode::op::{ModuleIx, Op, Reg};
use crate::compile::emit::{Emitter, Exit};
use crate::source::Span;
use crate::syntax::ast::{Block, Expr, ExprKind, Ident, ImportName, Stmt, StmtKind, Symbol};
use std::sync::Arc;

impl<'a> Emitter<'a> {
    /// Compiles statements in a row; those that cannot be reached are left out.
    pub(super) fn block(&mut self, block: &'a Block) {
        for statement in block {
            if !self.is_live() || self.unit.overflow.is_some() {
                return;
            }
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &'a Stmt) {
        let span = statement.span;
        match &statement.kind {
            StmtKind::Expr(value) => self.effect(value),
            StmtKind::Assign { targets, value } => self.assignment(targets, value),
            StmtKind::AugAssign { target, op, value } => {
                self.augmented(target, *op, value, span);
            }
            StmtKind::AnnAssign { target, value, .. } => {
                if let Some(value) = value {
                    self.assign_value(target, value);
                } else {
                    self.look_at_target(target);
                }
            }
            StmtKind::If { branches, orelse } => self.if_statement(branches, orelse, span),
            StmtKind::While { test, body, orelse } => self.while_statement(test, body, orelse),
            StmtKind::For {
                target,
                iter,
                body,
                orelse,
            } => self.for_statement(target, iter, body, orelse, span),
            StmtKind::Break => self.leave_loop(true, span),
            StmtKind::Continue => self.leave_loop(false, span),
            StmtKind::Pass | StmtKind::Global(_) | StmtKind::Nonlocal(_) => {}
            StmtKind::Return(value) => self.return_statement(value.as_ref(), span),
            StmtKind::FunctionDef(it) => self.function_statement(it, span),
            StmtKind::ClassDef(it) => self.class_statement(it, span),
            StmtKind::Try(it) => self.try_statement(it, span),
            StmtKind::Raise { exception, cause } => {
                self.raise_statement(exception.as_ref(), cause.as_ref(), span);
            }
            StmtKind::With { items, body } => self.with_statement(items, body, span),
            StmtKind::Assert { test, message } => self.assert(test, message.as_ref(), span),
            StmtKind::Delete(targets) => {
                for target in targets {
                    self.delete_target(target);
                }
            }
            StmtKind::Import(names) => self.import(names, span),
            StmtKind::ImportFrom { module, names } => self.import_from(*module, names, span),
            StmtKind::Error => unreachable!("the front end reported it, and nothing is emitted"),
        }
    }

    #[inline(never)]
    fn if_statement(&mut self, branches: &'a [(Expr, Block)], orelse: &'a Block, span: Span) {
        let end = self.unit.label();
        for (at, (test, body)) in branches.iter().enumerate() {
            if !self.is_live() {
                break;
            }
            let next = self.unit.label();
            self.jump_if(test, false, next);
            self.block(body);
            if at + 1 < branches.len() || !orelse.is_empty() {
                self.unit.go(end, span);
            }
            self.unit.place(next);
        }
        self.block(orelse);
        self.unit.place(end);
    }

    /// `a.b: int`, `a[b]: int`: nothing is assigned, and all but the last step is evaluated.
    fn look_at_target(&mut self, target: &'a Expr) {
        match &target.kind {
            ExprKind::Attribute { value, .. } => self.effect(value),
            ExprKind::Subscript { value, index } => {
                self.effect(value);
                self.look_at_index(index);
            }
            _ => {}
        }
    }

    fn look_at_index(&mut self, index: &'a Expr) {
        match &index.kind {
            ExprKind::Tuple(elements) => {
                for element in elements {
                    self.look_at_index(element.value());
                }
            }
            ExprKind::Slice { lower, upper, step } => {
                for bound in [lower, upper, step].into_iter().flatten() {
                    self.effect(bound);
                }
            }
            _ => self.effect(index),
        }
    }

    fn return_statement(&mut self, value: Option<&'a Expr>, span: Span) {
        let mark = self.unit.mark();
        let cleanup = self.has_cleanup(0);
        let src = match value {
            // What runs on the way out may change a local.
            Some(value) if cleanup => self.fresh(value),
            Some(value) => self.value(value),
            None => {
                let none = self.unit.temporary();
                self.op(Op::LoadNone { dst: none }, span);
                none
            }
        };
        if cleanup {
            self.leave(0);
        }
        self.op(Op::Return { src }, span);
        if cleanup {
            self.resume(0);
        }
        self.unit.release(mark);
    }

    /// `break`, or else `continue`.
    fn leave_loop(&mut self, is_break: bool, span: Span) {
        let mut blocks = self.blocks.iter().enumerate().rev();
        let (depth, to) = blocks
            .find_map(|(at, block)| match block {
                Exit::Loop { end, .. } if is_break => Some((at + 1, *end)),
                Exit::Loop { next, .. } => Some((at + 1, *next)),
                Exit::Finally { .. }
                | Exit::Try { .. }
                | Exit::With { .. }
                | Exit::Handling { .. }
                | Exit::Named { .. } => None,
            })
            .expect("the front end reports `break` and `continue` outside of loops");
        self.leave(depth);
        self.unit.go(to, span);
        self.resume(depth);
    }

    fn raise_statement(
        &mut self,
        exception: Option<&'a Expr>,
        cause: Option<&'a Expr>,
        span: Span,
    ) {
        let Some(exception) = exception else {
            self.op(Op::RaiseCurrent {}, span);
            return;
        };
        let mark = self.unit.mark();
        let exception = self.value(exception);
        let cause = cause.map(|cause| self.value(cause));
        self.raise(exception, cause, span);
        self.unit.release(mark);
    }

    /// Raises the value of a register.
    pub(super) fn raise(&mut self, exception: Reg, cause: Option<Reg>, span: Span) {
        let cause = if let Some(cause) = cause {
            cause
        } else {
            let unbound = self.unit.temporary();
            self.op(Op::Unbind { dst: unbound }, span);
            unbound
        };
        self.op(Op::Raise { exception, cause }, span);
    }

    fn import(&mut self, names: &'a [ImportName], span: Span) {
        for name in names {
            let mark = self.unit.mark();
            let dst = self.unit.temporary();
            let path: Arc<str> = self.interner.texts()[name.path.name.0 as usize].clone();
            self.import_path(&path, dst, span);
            if let Some(alias) = name.alias {
                self.write(alias.name, dst, alias.span);
            } else {
                let mut bound = name.path.name;
                if let Some((first, _)) = path.split_once('.') {
                    bound = self.interner.intern(first);
                    self.import_path(first, dst, span);
                }
                self.write(bound, dst, name.path.span);
            }
            self.unit.release(mark);
        }
    }

    /// Imports a module and the packages around it; the module stays in `dst`.
    fn import_path(&mut self, path: &str, dst: Reg, span: Span) {
        let ends = path.match_indices('.').map(|(at, _)| at);
        for end in ends.chain([path.len()]) {
            let found = self.modules.find(&path[..end], self.text.origin);
            let module = ModuleIx(found.expect("the resolver reports unknown modules"));
            self.op(Op::Import { dst, module }, span);
        }
    }

    #[inline(never)]
    fn import_from(&mut self, module: Ident, names: &'a [ImportName], span: Span) {
        let path: Arc<str> = self.interner.texts()[module.name.0 as usize].clone();
        if &*path == "__future__" {
            return;
        }
        let mark = self.unit.mark();
        let from = self.unit.temporary();
        self.import_path(&path, from, span);
        let dst = self.unit.temporary();
        let modules = self.modules;
        let at = modules.find(&path, self.text.origin);
        let text = &modules.all[at.expect("the resolver reports unknown modules") as usize];
        if names.is_empty() {
            for &name in &text.public {
                self.import_name(from, name, name, dst, span);
            }
        }
        for name in names {
            let target = name.alias.unwrap_or(name.path);
            let inner = format!("{path}.{}", self.interner.text(name.path.name));
            if let Some(inner) = modules.find(&inner, self.text.origin) {
                let module = ModuleIx(inner);
                self.op(Op::Import { dst, module }, span);
                self.write(target.name, dst, target.span);
            } else {
                self.import_name(from, name.path.name, target.name, dst, name.path.span);
            }
        }
        self.unit.release(mark);
    }

    fn import_name(&mut self, module: Reg, name: Symbol, target: Symbol, dst: Reg, span: Span) {
        let name = self.pool.name(name, self.interner);
        let site = self.unit.site(name, span);
        self.op(Op::ImportFrom { dst, module, site }, span);
        self.write(target, dst, span);
    }
}
