//! Assignment: targets, unpacking, several targets at once, augmented assignment, deletion.

use crate::bytecode::op::{Count, Count8, Op, Reg};
use crate::compile::display::{CHUNK, has_star};
use crate::compile::emit::Emitter;
use crate::compile::expr::is_constant;
use crate::operator::BinaryOp;
use crate::source::Span;
use crate::syntax::ast::{Element, Expr, ExprKind};
use rustc_hash::FxHashSet;

impl<'a> Emitter<'a> {
    /// `target = target = value`.
    #[inline(never)]
    pub(super) fn assignment(&mut self, targets: &'a [Expr], value: &'a Expr) {
        let mark = self.unit.mark();
        if let [target] = targets {
            self.assign_value(target, value);
        } else if is_constant(value) {
            for target in targets {
                self.assign_value(target, value);
            }
        } else {
            let src = self.fresh(value);
            for target in targets {
                self.assign(target, src);
            }
        }
        self.unit.release(mark);
    }

    /// `target = value`, with the value computed where it is to be.
    pub(super) fn assign_value(&mut self, target: &'a Expr, value: &'a Expr) {
        let mark = self.unit.mark();
        match (&target.kind, &value.kind) {
            (ExprKind::Name(name), _) => {
                if let Some(register) = self.local(*name) {
                    self.into(value, register);
                    self.unit.flow.set(register);
                } else {
                    let src = self.value(value);
                    self.write(*name, src, target.span);
                }
            }
            (
                ExprKind::Tuple(targets) | ExprKind::List(targets),
                ExprKind::Tuple(values) | ExprKind::List(values),
            ) if targets.len() == values.len()
                && values.len() <= CHUNK
                && !has_star(targets)
                && !has_star(values) =>
            {
                self.assign_in_parallel(targets, values);
            }
            _ => {
                let src = self.value(value);
                self.assign(target, src);
            }
        }
        self.unit.release(mark);
    }

    /// `a, b = b, a` without a tuple: all values first, then all targets. A local is used where it
    /// lives unless an earlier target changes it.
    fn assign_in_parallel(&mut self, targets: &'a [Element], values: &'a [Element]) {
        let mut changed = FxHashSet::default();
        let mut sources = Vec::with_capacity(values.len());
        let pairs = || {
            targets
                .iter()
                .map(Element::value)
                .zip(values.iter().map(Element::value))
        };
        for (target, value) in pairs() {
            let local = match value.kind {
                ExprKind::Name(name) => self.local(name),
                _ => None,
            };
            sources.push(match local {
                _ if is_constant(value) => None,
                Some(register) if changed.contains(&register) => Some(self.fresh(value)),
                _ => Some(self.value(value)),
            });
            self.changed_by(target, &mut changed);
        }
        for ((target, value), source) in pairs().zip(sources) {
            match source {
                Some(src) => self.assign(target, src),
                None => self.assign_value(target, value),
            }
        }
    }

    /// Collects the locals that an assignment to `target` changes.
    fn changed_by(&mut self, target: &Expr, into: &mut FxHashSet<Reg>) {
        match &target.kind {
            ExprKind::Name(name) => into.extend(self.local(*name)),
            ExprKind::Tuple(items) | ExprKind::List(items) => {
                for item in items {
                    self.changed_by(item.value(), into);
                }
            }
            _ => {}
        }
    }

    /// Assigns the value of a register.
    pub(super) fn assign(&mut self, target: &'a Expr, src: Reg) {
        let mark = self.unit.mark();
        let span = target.span;
        match &target.kind {
            ExprKind::Name(name) => self.write(*name, src, span),
            ExprKind::Attribute { value, name } => {
                let object = self.value(value);
                let site = self.site(name.name, span);
                self.op(Op::SetAttr { object, src, site }, span);
            }
            ExprKind::Subscript { value, index } => {
                let object = self.value(value);
                let key = self.value(index);
                self.op(Op::SetItem { object, key, src }, span);
            }
            ExprKind::Tuple(items) | ExprKind::List(items) => self.unpack(items, src, span),
            _ => unreachable!("the front end reports other targets"),
        }
        self.unit.release(mark);
    }

    #[inline(never)]
    fn unpack(&mut self, items: &'a [Element], src: Reg, span: Span) {
        if let Some(before) = items.iter().position(Element::is_star) {
            let after = items.len() - before - 1;
            let Ok(after) = u8::try_from(after) else {
                self.unit
                    .limit(span, "more than 255 targets after a starred one");
                return;
            };
            let base = self.unit.temporaries(items.len());
            let before = Count(before as u16);
            self.op(
                Op::UnpackStar {
                    after: Count8(after),
                    src,
                    base,
                    before,
                },
                span,
            );
            self.assign_row(items, base);
            return;
        }
        let count = Count(items.len() as u16);
        if let Some(base) = self.row_of_locals(items, src) {
            self.op(Op::Unpack { src, base, count }, span);
            for register in base.0..base.0 + count.0 {
                self.unit.flow.set(Reg(register));
            }
            return;
        }
        let base = self.unit.temporaries(items.len().max(1));
        self.op(Op::Unpack { src, base, count }, span);
        self.assign_row(items, base);
    }

    fn assign_row(&mut self, items: &'a [Element], base: Reg) {
        for (item, register) in items.iter().zip(base.0..) {
            self.assign(item.value(), Reg(register));
        }
    }

    /// The first register, if the targets, none of which has a star, are locals that live in a row,
    /// and the value is none of them.
    fn row_of_locals(&mut self, items: &[Element], src: Reg) -> Option<Reg> {
        let mut first = None;
        for (item, offset) in items.iter().zip(0u16..) {
            let ExprKind::Name(name) = item.value().kind else {
                return None;
            };
            let register = self.local(name)?;
            let base = *first.get_or_insert(register);
            if register == src || register.0.checked_sub(base.0) != Some(offset) {
                return None;
            }
        }
        first
    }

    /// `target op= value`.
    #[inline(never)]
    pub(super) fn augmented(
        &mut self,
        target: &'a Expr,
        op: BinaryOp,
        value: &'a Expr,
        span: Span,
    ) {
        let mark = self.unit.mark();
        match &target.kind {
            ExprKind::Name(name) => {
                if let Some(register) = self.local(*name) {
                    self.check_bound(register, target.span);
                    self.operate_in_place(op, register, register, value, span);
                } else {
                    let register = self.unit.temporary();
                    self.read(*name, register, target.span);
                    self.operate_in_place(op, register, register, value, span);
                    self.write(*name, register, span);
                }
            }
            ExprKind::Attribute {
                value: object,
                name,
            } => {
                let object = self.value(object);
                let register = self.unit.temporary();
                self.get_attribute(register, object, name.name, target.span);
                self.operate_in_place(op, register, register, value, span);
                let site = self.site(name.name, target.span);
                let src = register;
                self.op(Op::SetAttr { object, src, site }, target.span);
            }
            ExprKind::Subscript {
                value: object,
                index,
            } => {
                let object = self.value(object);
                let key = self.value(index);
                let register = self.unit.temporary();
                self.op(
                    Op::GetItem {
                        dst: register,
                        object,
                        key,
                    },
                    target.span,
                );
                self.operate_in_place(op, register, register, value, span);
                let src = register;
                self.op(Op::SetItem { object, key, src }, target.span);
            }
            _ => unreachable!("the front end reports other targets"),
        }
        self.unit.release(mark);
    }

    /// `del target`.
    pub(super) fn delete_target(&mut self, target: &'a Expr) {
        let mark = self.unit.mark();
        let span = target.span;
        match &target.kind {
            ExprKind::Name(name) => self.delete(*name, span),
            ExprKind::Attribute { value, name } => {
                let object = self.value(value);
                let site = self.site(name.name, span);
                self.op(Op::DelAttr { object, site }, span);
            }
            ExprKind::Subscript { value, index } => {
                let object = self.value(value);
                let key = self.value(index);
                self.op(Op::DelItem { object, key }, span);
            }
            ExprKind::Tuple(items) | ExprKind::List(items) => {
                for item in items {
                    self.delete_target(item.value());
                }
            }
            _ => unreachable!("the front end reports other targets"),
        }
        self.unit.release(mark);
    }
}
