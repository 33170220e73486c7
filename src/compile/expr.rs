//! Expressions. An expression is compiled into a wished-for register; a local is used where it
//! lives.
//!
//! A register of a named local is written only by the last instruction of an expression: what is
//! half done would be seen by a handler.

use crate::bytecode::code::Const;
use crate::bytecode::op::{ConstIx, Convert, Count, Flag, Op, Reg};
use crate::compile::display::{CHUNK, are_constant};
use crate::compile::emit::{Emitter, Location};
use crate::compile::fold;
use crate::compile::unit::{FAR, immediate};
use crate::operator::{BinaryOp, CompareOp, UnaryOp};
use crate::source::Span;
use crate::syntax::ast::{BoolOp, Conversion, Expr, ExprKind, FPart, Symbol};
use std::sync::Arc;

/// Tuples of literals nested deeper than this are built at run time.
const MAX_CONSTANT_DEPTH: u16 = 16;

impl<'a> Emitter<'a> {
    /// The value of an expression in some register: a local's own, or a fresh temporary.
    pub(super) fn value(&mut self, expr: &'a Expr) -> Reg {
        if let ExprKind::Name(name) = expr.kind
            && let Some(register) = self.local(name)
        {
            self.check_bound(register, expr.span);
            return register;
        }
        let register = self.unit.temporary();
        self.into(expr, register);
        register
    }

    /// The value of an expression in a fresh temporary.
    pub(super) fn fresh(&mut self, expr: &'a Expr) -> Reg {
        let register = self.unit.temporary();
        self.into(expr, register);
        register
    }

    /// An expression for its effect.
    pub(super) fn effect(&mut self, expr: &'a Expr) {
        if fold::truth(expr).is_some() {
            return;
        }
        let mark = self.unit.mark();
        self.value(expr);
        self.unit.release(mark);
    }

    /// A register to build a value in step by step: `dst`, unless a local lives there.
    pub(super) fn workplace(&mut self, dst: Reg) -> Reg {
        if self.unit.is_temporary(dst) {
            dst
        } else {
            self.unit.temporary()
        }
    }

    /// Compiles an expression into a register.
    pub(super) fn into(&mut self, expr: &'a Expr, dst: Reg) {
        let span = expr.span;
        let mark = self.unit.mark();
        match &expr.kind {
            ExprKind::None => self.load(Const::None, dst, span),
            ExprKind::True => self.load(Const::Bool(true), dst, span),
            ExprKind::False => self.load(Const::Bool(false), dst, span),
            ExprKind::Ellipsis => self.load(Const::Ellipsis, dst, span),
            ExprKind::Int(value) => self.load_integer(value, dst, span),
            ExprKind::Float(value) => self.load(Const::Float(*value), dst, span),
            ExprKind::Str(text) => self.load_text(text, dst, span),
            ExprKind::Bytes(bytes) => self.load(Const::Bytes(bytes.clone()), dst, span),
            ExprKind::FString(parts) => self.fstring(parts, dst, span),
            ExprKind::Name(name) => self.read(*name, dst, span),
            ExprKind::List(items) => self.list(items, dst, span),
            ExprKind::Tuple(items) => self.tuple(expr, items, dst),
            ExprKind::Set(items) => self.set(items, dst, span),
            ExprKind::Dict(items) => self.dict(items, dst, span),
            ExprKind::Unary { op, operand } => self.unary(*op, operand, dst, span),
            ExprKind::Binary { .. } => self.binary(expr, dst),
            ExprKind::Bool { op, operands } => self.bool_value(*op, operands, dst, span),
            ExprKind::Compare { first, rest } => self.compare(first, rest, dst, span),
            ExprKind::Conditional { test, body, orelse } => {
                self.conditional(test, body, orelse, dst, span);
            }
            ExprKind::Lambda { params, body } => self.lambda(params, body, dst, span),
            ExprKind::Call {
                function,
                arguments,
            } => self.call(function, arguments, dst, span),
            ExprKind::Attribute { value, name } => {
                let object = self.value(value);
                self.get_attribute(dst, object, name.name, span);
            }
            ExprKind::Subscript { value, index } => self.subscript(value, index, dst, span),
            ExprKind::Slice { lower, upper, step } => {
                let bounds = [lower.as_deref(), upper.as_deref(), step.as_deref()];
                self.slice(bounds, dst, span);
            }
            ExprKind::Comprehension { kind, clauses } => {
                self.comprehension(kind, clauses, dst, span);
            }
            ExprKind::Yield(value) => {
                let src = if let Some(value) = value {
                    self.value(value)
                } else {
                    let none = self.unit.temporary();
                    self.load(Const::None, none, span);
                    none
                };
                self.op(Op::Yield { dst, src }, span);
            }
            ExprKind::YieldFrom(value) => {
                let src = self.value(value);
                let iter = self.unit.temporary();
                self.op(Op::GetIter { dst: iter, src }, value.span);
                self.op(Op::YieldFrom { dst, iter }, span);
            }
            ExprKind::Error => unreachable!("the front end reported it, and nothing is emitted"),
        }
        self.unit.release(mark);
    }

    /// The constant that an expression is, if it is one.
    pub(super) fn constant(&mut self, expr: &Expr) -> Option<ConstIx> {
        let value = match &expr.kind {
            ExprKind::None => Const::None,
            ExprKind::True => Const::Bool(true),
            ExprKind::False => Const::Bool(false),
            ExprKind::Ellipsis => Const::Ellipsis,
            ExprKind::Int(value) => return Some(self.pool.integer(value)),
            ExprKind::Float(value) => Const::Float(*value),
            ExprKind::Str(text) => Const::Str(text.clone()),
            ExprKind::Bytes(bytes) => Const::Bytes(bytes.clone()),
            ExprKind::Tuple(items) if is_constant(expr) => {
                let items = items.iter().map(|item| self.constant(item.value()));
                let items: Option<Vec<ConstIx>> = items.collect();
                Const::Tuple(items?)
            }
            _ => return None,
        };
        Some(self.pool.constant(value))
    }

    #[inline(never)]
    fn unary(&mut self, op: UnaryOp, operand: &'a Expr, dst: Reg, span: Span) {
        let src = self.value(operand);
        self.op(
            match op {
                UnaryOp::Not => Op::Not { dst, src },
                UnaryOp::Neg => Op::Neg { dst, src },
                UnaryOp::Pos => Op::Pos { dst, src },
                UnaryOp::Invert => Op::Invert { dst, src },
            },
            span,
        );
    }

    /// A chain of operators, from its innermost left end outwards, without recursion.
    #[inline(never)]
    fn binary(&mut self, expr: &'a Expr, dst: Reg) {
        let mut chain = Vec::new();
        let mut left = expr;
        while let ExprKind::Binary {
            op,
            left: inner,
            right,
        } = &left.kind
        {
            chain.push((*op, &**right, left.span));
            left = inner;
        }
        let mut result = self.value(left);
        let mut between = self.unit.is_temporary(result).then_some(result);
        while let Some((op, right, span)) = chain.pop() {
            let to = if chain.is_empty() {
                dst
            } else if let Some(register) = between {
                register
            } else {
                let register = self.unit.temporary();
                between = Some(register);
                register
            };
            let mark = self.unit.mark();
            self.operate(op, to, result, right, span);
            self.unit.release(mark);
            result = to;
        }
    }

    fn operate(&mut self, op: BinaryOp, dst: Reg, lhs: Reg, right: &'a Expr, span: Span) {
        if let Some(op) = with_immediate(op, false, dst, lhs, right) {
            self.op(op, span);
            return;
        }
        let rhs = self.value(right);
        self.op(with_registers(op, false, dst, lhs, rhs), span);
    }

    /// `R[dst] = R[lhs] op right`, in place.
    pub(super) fn operate_in_place(
        &mut self,
        op: BinaryOp,
        dst: Reg,
        lhs: Reg,
        right: &'a Expr,
        span: Span,
    ) {
        let mark = self.unit.mark();
        if let Some(op) = with_immediate(op, true, dst, lhs, right) {
            self.op(op, span);
        } else {
            let rhs = self.value(right);
            self.op(with_registers(op, true, dst, lhs, rhs), span);
        }
        self.unit.release(mark);
    }

    /// `a and b`, `a or b` as a value: that of the operand which decides.
    #[inline(never)]
    fn bool_value(&mut self, op: BoolOp, operands: &'a [Expr], dst: Reg, span: Span) {
        let end = self.unit.label();
        let work = self.workplace(dst);
        let (last, others) = operands.split_last().expect("two operands or more");
        for operand in others {
            self.into(operand, work);
            let jump = Op::JumpIf {
                expect: Flag(op == BoolOp::Or),
                src: work,
                to: FAR,
            };
            self.unit.jump(jump, end, operand.span);
        }
        self.into(last, work);
        self.unit.place(end);
        self.move_to(dst, work, span);
    }

    #[inline(never)]
    fn compare(&mut self, first: &'a Expr, rest: &'a [(CompareOp, Expr)], dst: Reg, span: Span) {
        let mut lhs = self.value(first);
        let ((last_op, last), others) = rest.split_last().expect("one operator or more");
        if others.is_empty() {
            let rhs = self.value(last);
            let op = *last_op;
            self.op(Op::Compare { op, dst, lhs, rhs }, span);
            return;
        }
        let end = self.unit.label();
        let work = self.workplace(dst);
        for (op, operand) in others {
            let rhs = self.value(operand);
            self.op(
                Op::Compare {
                    op: *op,
                    dst: work,
                    lhs,
                    rhs,
                },
                span,
            );
            let jump = Op::JumpIf {
                expect: Flag(false),
                src: work,
                to: FAR,
            };
            self.unit.jump(jump, end, span);
            lhs = rhs;
        }
        let rhs = self.value(last);
        self.op(
            Op::Compare {
                op: *last_op,
                dst: work,
                lhs,
                rhs,
            },
            span,
        );
        self.unit.place(end);
        self.move_to(dst, work, span);
    }

    #[inline(never)]
    fn conditional(
        &mut self,
        test: &'a Expr,
        body: &'a Expr,
        orelse: &'a Expr,
        dst: Reg,
        span: Span,
    ) {
        let (otherwise, end) = (self.unit.label(), self.unit.label());
        self.jump_if(test, false, otherwise);
        self.into(body, dst);
        self.unit.go(end, span);
        self.unit.place(otherwise);
        self.into(orelse, dst);
        self.unit.place(end);
    }

    pub(super) fn get_attribute(&mut self, dst: Reg, object: Reg, name: Symbol, span: Span) {
        let site = self.site(name, span);
        self.op(Op::GetAttr { dst, object, site }, span);
    }

    #[inline(never)]
    fn subscript(&mut self, value: &'a Expr, index: &'a Expr, dst: Reg, span: Span) {
        let object = self.value(value);
        let key = self.value(index);
        self.op(Op::GetItem { dst, object, key }, span);
    }

    fn slice(&mut self, bounds: [Option<&'a Expr>; 3], dst: Reg, span: Span) {
        let base = self.unit.temporaries(3);
        for (bound, register) in bounds.into_iter().zip(base.0..) {
            match bound {
                Some(bound) => self.into(bound, Reg(register)),
                None => self.load(Const::None, Reg(register), span),
            }
        }
        self.op(Op::BuildSlice { dst, base }, span);
    }

    #[inline(never)]
    fn fstring(&mut self, parts: &'a [FPart], dst: Reg, span: Span) {
        if let [
            FPart::Hole {
                value,
                echo: None,
                conversion,
                spec,
            },
        ] = parts
        {
            self.hole(value, convert(*conversion, false), spec, dst, span);
            return;
        }
        if let [FPart::Text(text)] = parts {
            self.load_text(text, dst, span);
            return;
        }
        let mut pieces = 0;
        let base = Reg(self.unit.mark() as u16);
        for part in parts {
            if pieces == CHUNK {
                let count = Count(pieces as u16);
                self.op(
                    Op::BuildString {
                        dst: base,
                        base,
                        count,
                    },
                    span,
                );
                self.unit.release(u32::from(base.0) + 1);
                pieces = 1;
            }
            match part {
                FPart::Text(text) => {
                    let register = self.unit.temporary();
                    self.load_text(text, register, span);
                }
                FPart::Hole {
                    value,
                    echo,
                    conversion,
                    spec,
                } => {
                    if let Some(echo) = echo {
                        let register = self.unit.temporary();
                        self.load_text(echo, register, span);
                        pieces += 1;
                    }
                    let plain = echo.is_some() && spec.is_empty();
                    let register = self.unit.temporary();
                    self.hole(value, convert(*conversion, plain), spec, register, span);
                }
            }
            pieces += 1;
        }
        if parts.is_empty() {
            self.load_text(&Arc::from(""), dst, span);
            return;
        }
        let count = Count(pieces as u16);
        self.op(Op::BuildString { dst, base, count }, span);
    }

    /// One hole of an f-string, formatted into `dst`. `span`: of the whole string, which is where
    /// CPython has the errors of formatting.
    fn hole(&mut self, value: &'a Expr, convert: Convert, spec: &'a [FPart], dst: Reg, span: Span) {
        let mark = self.unit.mark();
        let src = self.value(value);
        let spec_register = self.unit.temporary();
        self.fstring(spec, spec_register, span);
        self.op(
            Op::FormatValue {
                convert,
                dst,
                src,
                spec: spec_register,
            },
            span,
        );
        self.unit.release(mark);
    }

    /// Is this the name of a builtin that nothing rebinds?
    pub(super) fn is_untouched(&mut self, expr: &Expr, builtin: &str) -> bool {
        match expr.kind {
            ExprKind::Name(name) if self.interner.text(name) == builtin => {
                matches!(self.find(name, expr.span), Location::Builtin(_))
            }
            _ => false,
        }
    }
}

fn convert(conversion: Option<Conversion>, repr_by_default: bool) -> Convert {
    match conversion {
        Some(Conversion::Repr) => Convert::Repr,
        Some(Conversion::Str) => Convert::Str,
        Some(Conversion::Ascii) => Convert::Ascii,
        None if repr_by_default => Convert::Repr,
        None => Convert::Format,
    }
}

/// Is this a literal, or a tuple of such?
pub(super) fn is_constant(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::None
        | ExprKind::True
        | ExprKind::False
        | ExprKind::Ellipsis
        | ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Str(_)
        | ExprKind::Bytes(_) => true,
        ExprKind::Tuple(items) => expr.depth <= MAX_CONSTANT_DEPTH && are_constant(items),
        _ => false,
    }
}

/// The form of an instruction whose right operand is a small integer in the instruction itself.
fn with_registers(op: BinaryOp, in_place: bool, dst: Reg, lhs: Reg, rhs: Reg) -> Op {
    let in_place = Flag(in_place);
    macro_rules! with {
        ($op:ident) => {
            Op::$op {
                in_place,
                dst,
                lhs,
                rhs,
            }
        };
    }
    match op {
        BinaryOp::Add => with!(Add),
        BinaryOp::Sub => with!(Sub),
        BinaryOp::Mul => with!(Mul),
        BinaryOp::Div => with!(Div),
        BinaryOp::FloorDiv => with!(FloorDiv),
        BinaryOp::Mod => with!(Mod),
        BinaryOp::Pow => with!(Pow),
        BinaryOp::BitAnd => with!(BitAnd),
        BinaryOp::BitOr => with!(BitOr),
        BinaryOp::BitXor => with!(BitXor),
        BinaryOp::Shl => with!(Shl),
        BinaryOp::Shr => with!(Shr),
    }
}

fn with_immediate(op: BinaryOp, in_place: bool, dst: Reg, lhs: Reg, right: &Expr) -> Option<Op> {
    let ExprKind::Int(value) = &right.kind else {
        return None;
    };
    let imm = immediate(value)?;
    let in_place = Flag(in_place);
    match op {
        BinaryOp::Add => Some(Op::AddImm {
            in_place,
            dst,
            lhs,
            imm,
        }),
        BinaryOp::Sub => Some(Op::SubImm {
            in_place,
            dst,
            lhs,
            imm,
        }),
        BinaryOp::Mul => Some(Op::MulImm {
            in_place,
            dst,
            lhs,
            imm,
        }),
        BinaryOp::FloorDiv => Some(Op::FloorDivImm {
            in_place,
            dst,
            lhs,
            imm,
        }),
        BinaryOp::Mod => Some(Op::ModImm {
            in_place,
            dst,
            lhs,
            imm,
        }),
        BinaryOp::Div
        | BinaryOp::Pow
        | BinaryOp::BitAnd
        | BinaryOp::BitOr
        | BinaryOp::BitXor
        | BinaryOp::Shl
        | BinaryOp::Shr => None,
    }
}
