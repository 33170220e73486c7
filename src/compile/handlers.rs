//! `try`, `with`, and leaving them early. The text of a `finally` block is compiled once for each
//! way through it, as in CPython.

use crate::bytecode::op::{Flag, Op, Reg};
use crate::compile::emit::{Emitter, Exit};
use crate::compile::unit::{FAR, Flow, Label, NEAR, RegionId};
use crate::source::Span;
use crate::syntax::ast::{Block, ExceptHandler, ExprKind, Try, WithItem};

/// The registers of a handler: the exception, and the one that was being handled before.
#[derive(Clone, Copy)]
struct Handler {
    exception: Reg,
    saved: Reg,
}

impl<'a> Emitter<'a> {
    #[inline(never)]
    pub(super) fn try_statement(&mut self, it: &'a Try, span: Span) {
        if it.finally.is_empty() {
            self.try_except(it, span);
            return;
        }
        let handler = self.unit.label();
        let end = self.unit.label();
        let entry = self.flow();
        let region = self.guard(handler);
        self.blocks.push(Exit::Finally {
            region,
            body: &it.finally,
        });
        if it.handlers.is_empty() {
            self.block(&it.body);
        } else {
            self.try_except(it, span);
        }
        self.pop_guarded(region);
        self.block(&it.finally);
        self.unit.go(end, span);
        if self.unit.is_used(region) {
            let mark = self.unit.mark();
            let registers = self.begin_handler(handler, &entry, span);
            let (inner, inner_region) = self.begin_handling(registers, span);
            self.block(&it.finally);
            self.end_handling(registers, inner, inner_region, &entry, span);
            self.unit.release(mark);
        }
        self.unit.place(end);
    }

    /// `try … except … else`, without the `finally` block.
    #[inline(never)]
    fn try_except(&mut self, it: &'a Try, span: Span) {
        let handler = self.unit.label();
        let end = self.unit.label();
        let entry = self.flow();
        let region = self.guard(handler);
        self.blocks.push(Exit::Try { region });
        self.block(&it.body);
        self.pop_guarded(region);
        self.block(&it.orelse);
        self.unit.go(end, span);
        if self.unit.is_used(region) {
            let mark = self.unit.mark();
            let registers = self.begin_handler(handler, &entry, span);
            let (inner, inner_region) = self.begin_handling(registers, span);
            for clause in &it.handlers {
                self.except_clause(clause, registers, inner_region, end);
            }
            self.end_handling(registers, inner, inner_region, &entry, span);
            self.unit.release(mark);
        }
        self.unit.place(end);
    }

    #[inline(never)]
    fn except_clause(
        &mut self,
        clause: &'a ExceptHandler,
        registers: Handler,
        handling: RegionId,
        end: Label,
    ) {
        let next = self.unit.label();
        if let Some(class) = &clause.class {
            let mark = self.unit.mark();
            let register = self.value(class);
            let test = Op::JumpUnlessMatch {
                exception: registers.exception,
                class: register,
                to: NEAR,
            };
            self.unit.jump(test, next, class.span);
            self.unit.release(mark);
        }
        if let Some(name) = clause.name {
            self.write(name.name, registers.exception, name.span);
            let entry = self.flow();
            let inner = self.unit.label();
            let region = self.guard(inner);
            self.blocks.push(Exit::Named {
                region,
                name: name.name,
                span: name.span,
            });
            self.block(&clause.body);
            self.pop_guarded(region);
            self.end_clause(registers, handling, clause.span);
            self.forget(name.name, name.span);
            self.unit.go(end, clause.span);
            self.unit.resume(handling);
            if self.unit.is_used(region) {
                let entry = self.unit.without_unbindable(&entry);
                self.unit.place_with(inner, entry);
                let mark = self.unit.mark();
                let exception = self.unit.temporary();
                self.forget(name.name, name.span);
                self.op(Op::Reraise { exception }, clause.span);
                self.unit.release(mark);
            }
        } else {
            self.block(&clause.body);
            self.end_clause(registers, handling, clause.span);
            self.unit.go(end, clause.span);
            self.unit.resume(handling);
        }
        self.unit.place(next);
    }

    /// The normal end of a clause: the exception is dealt with.
    fn end_clause(&mut self, registers: Handler, handling: RegionId, span: Span) {
        self.unit.suspend(handling);
        let saved = registers.saved;
        self.op(Op::EndHandler { saved }, span);
    }

    /// `with item, item:`. `span`: of the whole statement, which is where CPython has the errors of
    /// entering and leaving.
    #[inline(never)]
    pub(super) fn with_statement(&mut self, items: &'a [WithItem], body: &'a Block, span: Span) {
        let Some((item, rest)) = items.split_first() else {
            self.block(body);
            return;
        };
        let mark = self.unit.mark();
        let exit = self.unit.temporary();
        let inside = self.unit.mark();
        let manager = self.value(&item.context);
        let direct = match item.target.as_ref().map(|target| &target.kind) {
            Some(ExprKind::Name(name)) => self.local(*name),
            _ => None,
        };
        let dst = match direct {
            Some(register) => register,
            None => self.unit.temporary(),
        };
        self.op(Op::WithEnter { dst, exit, manager }, span);
        let entry = self.flow();
        let handler = self.unit.label();
        let end = self.unit.label();
        let top = self.unit.mark();
        self.unit.release(inside);
        let region = self.guard(handler);
        self.blocks.push(Exit::With { region, exit, span });
        if direct.is_some() {
            self.unit.flow.set(dst);
        } else if let Some(target) = &item.target {
            self.unit.release(top);
            self.assign(target, dst);
            self.unit.release(inside);
        }
        self.with_statement(rest, body, span);
        self.pop_guarded(region);
        self.exit_with(exit, span);
        self.unit.go(end, span);
        if self.unit.is_used(region) {
            let registers = self.begin_handler(handler, &entry, span);
            let (inner, inner_region) = self.begin_handling(registers, span);
            let suppressed = self.unit.label();
            let answer = self.unit.temporary();
            let exception = registers.exception;
            self.op(
                Op::WithExit {
                    dst: answer,
                    exit,
                    exception,
                },
                span,
            );
            let jump = Op::JumpIf {
                expect: Flag(true),
                src: answer,
                to: FAR,
            };
            self.unit.jump(jump, suppressed, span);
            self.end_handling(registers, inner, inner_region, &entry, span);
            self.unit.place(suppressed);
            let saved = registers.saved;
            self.op(Op::EndHandler { saved }, span);
        }
        self.unit.place(end);
        self.unit.release(mark);
    }

    /// Tells a manager that its block ended without an exception.
    fn exit_with(&mut self, exit: Reg, span: Span) {
        let mark = self.unit.mark();
        let exception = self.unit.temporary();
        self.op(Op::LoadNone { dst: exception }, span);
        let dst = exception;
        self.op(
            Op::WithExit {
                dst,
                exit,
                exception,
            },
            span,
        );
        self.unit.release(mark);
    }

    /// Opens a region whose exceptions arrive in the first free register; what the region itself
    /// keeps there is dead by then.
    fn guard(&mut self, target: Label) -> RegionId {
        let mark = self.unit.mark();
        let exception = self.unit.temporary();
        self.unit.release(mark);
        self.unit.guard(target, exception)
    }

    fn pop_guarded(&mut self, region: RegionId) {
        self.unit.suspend(region);
        self.blocks.pop();
    }

    /// The start of a handler that is entered with what was known at the start of its region.
    fn begin_handler(&mut self, at: Label, entry: &Flow, span: Span) -> Handler {
        let entry = self.unit.without_unbindable(entry);
        self.unit.place_with(at, entry);
        let exception = self.unit.temporary();
        let saved = self.unit.temporary();
        self.op(Op::BeginHandler { saved, exception }, span);
        Handler { exception, saved }
    }

    /// Guards the code of a handler, so that an exception inside restores the one that was being
    /// handled before.
    fn begin_handling(&mut self, registers: Handler, span: Span) -> (Label, RegionId) {
        let inner = self.unit.label();
        let region = self.guard(inner);
        let saved = registers.saved;
        self.blocks.push(Exit::Handling {
            region,
            saved,
            span,
        });
        (inner, region)
    }

    /// The end of a handler that did not deal with the exception.
    fn end_handling(
        &mut self,
        registers: Handler,
        inner: Label,
        region: RegionId,
        entry: &Flow,
        span: Span,
    ) {
        self.pop_guarded(region);
        let Handler { exception, saved } = registers;
        self.op(Op::EndHandler { saved }, span);
        self.op(Op::Reraise { exception }, span);
        if self.unit.is_used(region) {
            let entry = self.unit.without_unbindable(entry);
            self.unit.place_with(inner, entry);
            let exception = self.unit.exception_of(region);
            self.op(Op::EndHandler { saved }, span);
            self.op(Op::Reraise { exception }, span);
        }
    }

    // Leaving early.

    /// Would leaving to `depth` run any code?
    pub(super) fn has_cleanup(&self, depth: usize) -> bool {
        self.blocks[depth..].iter().any(|block| match block {
            Exit::Loop { .. } | Exit::Try { .. } => false,
            Exit::Finally { .. }
            | Exit::With { .. }
            | Exit::Handling { .. }
            | Exit::Named { .. } => true,
        })
    }

    /// Emits what must be done on the way out of all blocks from `depth` on, innermost first, each
    /// outside of its own guard. The jump itself comes next, then `resume`.
    pub(super) fn leave(&mut self, depth: usize) {
        for at in (depth..self.blocks.len()).rev() {
            let inner = self.blocks.split_off(at);
            match inner[0] {
                Exit::Loop { .. } => {}
                Exit::Try { region } => self.unit.suspend(region),
                Exit::Finally { region, body } => {
                    self.unit.suspend(region);
                    self.block(body);
                }
                Exit::With { region, exit, span } => {
                    self.unit.suspend(region);
                    self.exit_with(exit, span);
                }
                Exit::Handling {
                    region,
                    saved,
                    span,
                } => {
                    self.unit.suspend(region);
                    self.op(Op::EndHandler { saved }, span);
                }
                Exit::Named { region, name, span } => {
                    self.unit.suspend(region);
                    self.forget(name, span);
                }
            }
            self.blocks.extend(inner);
        }
    }

    /// Guards what follows a jump out of all blocks from `depth` on.
    pub(super) fn resume(&mut self, depth: usize) {
        for at in depth..self.blocks.len() {
            match self.blocks[at] {
                Exit::Loop { .. } => {}
                Exit::Try { region }
                | Exit::Finally { region, .. }
                | Exit::With { region, .. }
                | Exit::Handling { region, .. }
                | Exit::Named { region, .. } => self.unit.resume(region),
            }
        }
    }
}
