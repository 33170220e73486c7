//! Equality and order. The half on `Heap` decides everything that no method of the script can have
//! a say in; the half on `Ctx` asks, in the order of CPython's `do_richcompare`
//! (`Objects/object.c`): the reflected method of a derived class first, then the left one, then the
//! right one.

use super::NESTING;
use super::nested::RECURSION;
use super::walk::Outcome;
use crate::operator::CompareOp;
use crate::vm::heap::Heap;
use crate::vm::heap::class::{Name, Type, name};
use crate::vm::heap::number::float::{compare_big, compare_int};
use crate::vm::heap::object::{DictView, Object, Range};
use crate::vm::heap::value::Value;
use crate::vm::state::native::{Abrupt, Ctx};
use std::cmp::Ordering;

/// What can be said about a comparison without the script.
#[derive(Clone, Copy, Debug)]
pub(in crate::vm) enum Verdict {
    Known(bool),
    /// These two (the operands or items of theirs) have no order.
    Unordered(Value, Value),
    /// A method of the script must be asked.
    Ask,
    TooDeep,
    /// It was given up, since the engine wants something.
    Flagged,
}

use Verdict::{Ask, Flagged, Known, TooDeep, Unordered};

/// How deep a comparison goes that has no thread at hand to look at its recursion limit.
const SHALLOW: usize = 64;

/// What decides how two sequences compare.
enum Difference {
    /// How these two items compare.
    Items(Value, Value),
    /// This is how.
    Decided(bool),
}

impl Ctx<'_> {
    /// `a == b`, as a truth value; identical objects are equal, as containers have it
    /// (`PyObject_RichCompareBool`).
    pub fn equal(&mut self, a: Value, b: Value) -> Result<bool, Abrupt> {
        if a.same(b) {
            return Ok(true);
        }
        let equal = self.compare(CompareOp::Eq, a, b)?;
        self.truth(equal)
    }

    /// `a op b`, any comparison operator, `in` and `is` included.
    pub fn compare(&mut self, op: CompareOp, a: Value, b: Value) -> Result<Value, Abrupt> {
        match op {
            CompareOp::Is => Ok(Value::Bool(a.same(b))),
            CompareOp::IsNot => Ok(Value::Bool(!a.same(b))),
            CompareOp::In => Ok(Value::Bool(self.contains(b, a)?)),
            CompareOp::NotIn => Ok(Value::Bool(!self.contains(b, a)?)),
            CompareOp::Eq
            | CompareOp::Ne
            | CompareOp::Lt
            | CompareOp::Le
            | CompareOp::Gt
            | CompareOp::Ge => {
                let left = self.nesting_left();
                self.compare_within(op, a, b, left)
            }
        }
    }

    /// `a op b` for the operators of order, unless the script must be asked.
    pub(in crate::vm) fn compare_here(
        &mut self,
        op: CompareOp,
        a: Value,
        b: Value,
    ) -> Result<Option<bool>, Abrupt> {
        match self.vm.heap.try_compare(op, a, b, self.nesting_left()) {
            Known(truth) => Ok(Some(truth)),
            Unordered(a, b) => Err(self.unordered(op, a, b)),
            Flagged => Err(Abrupt::Flagged),
            TooDeep => Err(self.too_deep(" in comparison")),
            Ask => Ok(None),
        }
    }

    fn compare_within(
        &mut self,
        op: CompareOp,
        mut a: Value,
        mut b: Value,
        left: usize,
    ) -> Result<Value, Abrupt> {
        // A turn for each level of sequences that the script must compare.
        for left in (0..=left).rev() {
            // What the script was asked to compare may since have changed.
            let asked = ["first_difference", "equal_dicts"]
                .into_iter()
                .any(|function| self.has_asked(0, function));
            match self.vm.heap.try_compare(op, a, b, left) {
                _ if asked => {}
                Known(truth) => return Ok(Value::Bool(truth)),
                Unordered(a, b) => return Err(self.unordered(op, a, b)),
                Flagged => return Err(Abrupt::Flagged),
                TooDeep => break,
                Ask => {}
            }
            match (a, b) {
                (Value::List(_), Value::List(_)) | (Value::Tuple(_), Value::Tuple(_)) => {
                    match self.first_difference(op, a, b)? {
                        Difference::Items(x, y) => (a, b) = (x, y),
                        Difference::Decided(truth) => return Ok(Value::Bool(truth)),
                    }
                }
                (Value::Dict(_), Value::Dict(_)) => {
                    let function = self.vm.library("equal_dicts");
                    let equal = self.call(function, &[a, b])?;
                    let equal = self.truth(equal)?;
                    return Ok(Value::Bool(equal == (op == CompareOp::Eq)));
                }
                (Value::Instance(_), _) | (_, Value::Instance(_)) => {
                    return self.compare_by_methods(op, a, b);
                }
                _ => return self.compare_sets(op, a, b),
            }
        }
        Err(self.too_deep(" in comparison"))
    }

    /// Where two lists or two tuples with items that the script compares differ first.
    fn first_difference(
        &mut self,
        op: CompareOp,
        a: Value,
        b: Value,
    ) -> Result<Difference, Abrupt> {
        let lengths = |heap: &Heap| heap.len_fast(a).cmp(&heap.len_fast(b));
        let unequal = lengths(&self.vm.heap).is_ne() && !self.has_asked(0, "first_difference");
        match op {
            CompareOp::Eq | CompareOp::Ne if unequal && matches!(a, Value::List(_)) => {
                return Ok(Difference::Decided(op == CompareOp::Ne));
            }
            _ => {}
        }
        let function = self.vm.library("first_difference");
        let at = self.call(function, &[a, b])?;
        let at = usize::try_from(self.index(at)?).unwrap_or(usize::MAX);
        let pair = self.begin(|ctx| {
            let heap = &ctx.vm.heap;
            let pair = heap.sequence_item(a, at).zip(heap.sequence_item(b, at));
            Ok(match pair {
                Some((x, y)) => Outcome::Rest(vec![x, y]),
                None => Outcome::Value(Value::Bool(holds(op, lengths(heap)))),
            })
        })?;
        Ok(match (op, pair) {
            (_, Outcome::Value(truth)) => Difference::Decided(truth.same(Value::Bool(true))),
            (CompareOp::Eq, _) => Difference::Decided(false),
            (CompareOp::Ne, _) => Difference::Decided(true),
            (_, Outcome::Rest(pair)) => Difference::Items(pair[0], pair[1]),
        })
    }

    /// Sets and set-like views, where an element is compared by the script or must be made (the
    /// pairs of `items()`).
    fn compare_sets(&mut self, op: CompareOp, a: Value, b: Value) -> Result<Value, Abrupt> {
        let a = self.as_set(a)?;
        let b = self.as_set(b)?;
        if let Known(truth) = self.vm.heap.try_compare(op, a, b, NESTING) {
            return Ok(Value::Bool(truth));
        }
        let (a, b, op) = match op {
            CompareOp::Gt => (b, a, CompareOp::Lt),
            CompareOp::Ge => (b, a, CompareOp::Le),
            _ => (a, b, op),
        };
        let size = |value| self.vm.heap.len_fast(value).unwrap_or(0);
        let possible = match op {
            CompareOp::Eq | CompareOp::Ne => size(a) == size(b),
            CompareOp::Lt => size(a) < size(b),
            _ => size(a) <= size(b),
        };
        let mut within = false;
        if possible {
            let function = self.vm.library("is_subset");
            let answer = self.call(function, &[a, b])?;
            within = self.truth(answer)?;
        }
        Ok(Value::Bool(within != (op == CompareOp::Ne)))
    }

    /// A comparison in which an instance takes part.
    fn compare_by_methods(&mut self, op: CompareOp, a: Value, b: Value) -> Result<Value, Abrupt> {
        let (class_a, class_b) = (self.vm.class_of(a), self.vm.class_of(b));
        let derived = class_a != class_b && self.vm.is_subclass(class_b, class_a);
        let attempts = if derived {
            [(b, a, mirrored(op)), (a, b, op)]
        } else {
            [(a, b, op), (b, a, mirrored(op))]
        };
        for (receiver, other, op) in attempts {
            let answer = self.compare_by_method(op, receiver, other)?;
            if !matches!(answer, Value::NotImplemented) {
                return Ok(answer);
            }
        }
        match op {
            CompareOp::Eq => Ok(Value::Bool(a.same(b))),
            CompareOp::Ne => Ok(Value::Bool(!a.same(b))),
            _ => Err(self.unordered(op, a, b)),
        }
    }

    /// What one operand's method says; `!=` is the opposite of `==` where it has no method of its
    /// own.
    fn compare_by_method(
        &mut self,
        op: CompareOp,
        receiver: Value,
        other: Value,
    ) -> Result<Value, Abrupt> {
        if let Some(method) = self.vm.special(receiver, method_name(op)) {
            return self.call(method, &[receiver, other]);
        }
        if op == CompareOp::Ne
            && let Some(method) = self.vm.special(receiver, name::EQ)
        {
            let equal = self.call(method, &[receiver, other])?;
            if !matches!(equal, Value::NotImplemented) {
                return Ok(Value::Bool(!self.truth(equal)?));
            }
        }
        Ok(Value::NotImplemented)
    }

    pub(super) fn unordered(&mut self, op: CompareOp, a: Value, b: Value) -> Abrupt {
        let message = format!(
            "'{}' not supported between instances of '{}' and '{}'",
            symbol(op),
            self.vm.type_name(a),
            self.vm.type_name(b)
        );
        self.error(Type::TypeError, message)
    }
}

impl Heap {
    /// `a == b` with identical objects equal, unless the script must be asked.
    #[inline]
    #[must_use]
    pub fn equal_fast(&self, a: Value, b: Value) -> Option<bool> {
        match (a, b) {
            (Value::Int(a), Value::Int(b)) => Some(a == b),
            (Value::Str(a), Value::Str(b)) => Some(a == b || self.text(a) == self.text(b)),
            _ if a.same(b) => Some(true),
            _ => match self.try_compare(CompareOp::Eq, a, b, NESTING) {
                Known(equal) => Some(equal),
                Unordered(..) | Ask | TooDeep | Flagged => None,
            },
        }
    }

    /// `a op b` for any comparison operator, unless the script must be asked or something must be
    /// raised.
    #[must_use]
    pub fn compare_fast(&self, op: CompareOp, a: Value, b: Value) -> Option<bool> {
        match op {
            CompareOp::Is => Some(a.same(b)),
            CompareOp::IsNot => Some(!a.same(b)),
            CompareOp::In => self.contains_fast(b, a),
            CompareOp::NotIn => self.contains_fast(b, a).map(|within| !within),
            CompareOp::Eq
            | CompareOp::Ne
            | CompareOp::Lt
            | CompareOp::Le
            | CompareOp::Gt
            | CompareOp::Ge => match self.try_compare(op, a, b, SHALLOW) {
                Known(truth) => Some(truth),
                Unordered(..) | Ask | TooDeep | Flagged => None,
            },
        }
    }

    /// `a op b` for the six operators of equality and order, as far as it goes without the script.
    pub(in crate::vm) fn try_compare(
        &self,
        op: CompareOp,
        a: Value,
        b: Value,
        left: usize,
    ) -> Verdict {
        match (a, b) {
            (Value::Int(a), Value::Int(b)) => Known(holds(op, a.cmp(&b))),
            (Value::Str(a), Value::Str(b)) => Known(holds(
                op,
                self.text(a).as_bytes().cmp(self.text(b).as_bytes()),
            )),
            (
                Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Big(_),
                Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Big(_),
            ) => Known(match self.number_order(a, b) {
                Some(order) => holds(op, order),
                None => op == CompareOp::Ne,
            }),
            (Value::Bytes(a), Value::Bytes(b)) => {
                Known(holds(op, self.bytes[a].0.cmp(&self.bytes[b].0)))
            }
            _ if Heap::nest(a, b) => self.try_nested(op, a, b, left),
            (Value::Set(x), Value::Set(y)) => self.try_sets(op, x, y, left),
            (Value::Range(x), Value::Range(y)) => match op {
                CompareOp::Eq => Known(same_numbers(&self.ranges[x], &self.ranges[y])),
                CompareOp::Ne => Known(!same_numbers(&self.ranges[x], &self.ranges[y])),
                _ => Unordered(a, b),
            },
            (Value::Method(x), Value::Method(y)) => {
                let (x, y) = (&self.methods[x], &self.methods[y]);
                let equal = x.receiver.same(y.receiver) && x.function.same(y.function);
                match op {
                    CompareOp::Eq => Known(equal),
                    CompareOp::Ne => Known(!equal),
                    _ => Unordered(a, b),
                }
            }
            (Value::Instance(_), _) | (_, Value::Instance(_)) => {
                if self.has_comparison(a, op) || self.has_comparison(b, mirrored(op)) {
                    Ask
                } else {
                    apart(op, a, b)
                }
            }
            (Value::Object(x), Value::Object(y)) => match (&self.objects[x], &self.objects[y]) {
                (
                    Object::Slice { lower, upper, step },
                    Object::Slice {
                        lower: other_lower,
                        upper: other_upper,
                        step: other_step,
                    },
                ) => {
                    let pairs = [
                        (*lower, *other_lower),
                        (*upper, *other_upper),
                        (*step, *other_step),
                    ];
                    self.try_slices(op, pairs, left.saturating_sub(RECURSION))
                }
                _ if self.is_set_like(a) && self.is_set_like(b) => Ask,
                _ => apart(op, a, b),
            },
            (Value::Set(_), Value::Object(_)) | (Value::Object(_), Value::Set(_))
                if self.is_set_like(a) && self.is_set_like(b) =>
            {
                Ask
            }
            _ => apart(op, a, b),
        }
    }

    /// Compares two numbers exactly; none where one of them is not-a-number.
    fn number_order(&self, a: Value, b: Value) -> Option<Ordering> {
        match (a, b) {
            (Value::Bool(a), _) => self.number_order(Value::Int(i64::from(a)), b),
            (_, Value::Bool(b)) => self.number_order(a, Value::Int(i64::from(b))),
            (Value::Int(a), Value::Int(b)) => Some(a.cmp(&b)),
            (Value::Float(a), Value::Float(b)) => a.partial_cmp(&b),
            (Value::Int(a), Value::Float(b)) => compare_int(a, b),
            (Value::Float(a), Value::Int(b)) => compare_int(b, a).map(Ordering::reverse),
            (Value::Big(a), Value::Big(b)) => Some(self.bigs[a].cmp(&self.bigs[b])),
            (Value::Big(a), Value::Float(b)) => compare_big(&self.bigs[a], b),
            (Value::Float(a), Value::Big(b)) => {
                compare_big(&self.bigs[b], a).map(Ordering::reverse)
            }
            (Value::Int(_), Value::Big(b)) => Some(0.cmp(&sign(&self.bigs[b]))),
            (Value::Big(a), Value::Int(_)) => Some(sign(&self.bigs[a]).cmp(&0)),
            _ => None,
        }
    }

    /// Slices compare as tuples of their three parts.
    fn try_slices(&self, op: CompareOp, pairs: [(Value, Value); 3], left: usize) -> Verdict {
        if left == 0 {
            return TooDeep;
        }
        for (x, y) in pairs {
            match self.try_compare(CompareOp::Eq, x, y, left) {
                Known(true) => {}
                Known(false) if op == CompareOp::Eq => return Known(false),
                Known(false) if op == CompareOp::Ne => return Known(true),
                Known(false) => return self.try_compare(op, x, y, left),
                other => return other,
            }
        }
        Known(holds(op, Ordering::Equal))
    }

    /// Does the script have a say in how this value is compared?
    fn has_comparison(&self, value: Value, op: CompareOp) -> bool {
        let Value::Instance(it) = value else {
            return false;
        };
        let defined = |name: Name| {
            self.classes[self.instances[it].class]
                .mro
                .iter()
                .map(|&class| &self.classes[class])
                .take_while(|class| class.builtin.is_none())
                .any(|class| class.own(name).is_some())
        };
        defined(method_name(op)) || op == CompareOp::Ne && defined(name::EQ)
    }

    /// Is it a set, or a view of a dict that acts like one?
    pub(in crate::vm) fn is_set_like(&self, value: Value) -> bool {
        match value {
            Value::Set(_) => true,
            Value::Object(it) => matches!(
                self.objects[it],
                Object::View {
                    view: DictView::Keys | DictView::Items,
                    ..
                }
            ),
            _ => false,
        }
    }

    /// An item of a list or tuple.
    pub(super) fn sequence_item(&self, sequence: Value, at: usize) -> Option<Value> {
        match sequence {
            Value::List(it) => self.lists[it].get(at),
            Value::Tuple(it) => self.tuples[it].0.get(at).copied(),
            _ => None,
        }
    }
}

/// The verdict on two values that know nothing of each other.
fn apart(op: CompareOp, a: Value, b: Value) -> Verdict {
    match op {
        CompareOp::Eq => Known(a.same(b)),
        CompareOp::Ne => Known(!a.same(b)),
        _ => Unordered(a, b),
    }
}

fn same_numbers(a: &Range, b: &Range) -> bool {
    a.len() == b.len() && (a.is_empty() || a.start == b.start && (a.len() == 1 || a.step == b.step))
}

fn sign(integer: &num_bigint::BigInt) -> i32 {
    match integer.sign() {
        num_bigint::Sign::Minus => -1,
        num_bigint::Sign::NoSign => 0,
        num_bigint::Sign::Plus => 1,
    }
}

/// Does an operator of equality or order hold for this order of its operands?
pub(super) fn holds(op: CompareOp, order: Ordering) -> bool {
    match op {
        CompareOp::Eq | CompareOp::Is | CompareOp::In => order.is_eq(),
        CompareOp::Ne | CompareOp::IsNot | CompareOp::NotIn => order.is_ne(),
        CompareOp::Lt => order.is_lt(),
        CompareOp::Le => order.is_le(),
        CompareOp::Gt => order.is_gt(),
        CompareOp::Ge => order.is_ge(),
    }
}

/// The operator with its operands exchanged.
fn mirrored(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Lt => CompareOp::Gt,
        CompareOp::Le => CompareOp::Ge,
        CompareOp::Gt => CompareOp::Lt,
        CompareOp::Ge => CompareOp::Le,
        CompareOp::Eq
        | CompareOp::Ne
        | CompareOp::Is
        | CompareOp::IsNot
        | CompareOp::In
        | CompareOp::NotIn => op,
    }
}

fn method_name(op: CompareOp) -> Name {
    match op {
        CompareOp::Eq | CompareOp::Is => name::EQ,
        CompareOp::Ne | CompareOp::IsNot => name::NE,
        CompareOp::Lt => name::LT,
        CompareOp::Le => name::LE,
        CompareOp::Gt => name::GT,
        CompareOp::Ge => name::GE,
        CompareOp::In | CompareOp::NotIn => name::CONTAINS,
    }
}

fn symbol(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Eq => "==",
        CompareOp::Ne => "!=",
        CompareOp::Lt => "<",
        CompareOp::Le => "<=",
        CompareOp::Gt => ">",
        CompareOp::Ge => ">=",
        CompareOp::Is => "is",
        CompareOp::IsNot => "is not",
        CompareOp::In => "in",
        CompareOp::NotIn => "not in",
    }
}
