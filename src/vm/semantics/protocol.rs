//! The protocols of the language as natives use them: truth, equality, order, hash, text, length,
//! iteration, items. Each does what the operator or the builtin of that name does, for every value,
//! and asks the script where a dunder method is defined there.
//!
//! Each protocol has two halves. The first, on `Heap`, answers at once where no function of the
//! script can have a say, and says so where one can. The second, on `Ctx`, asks. Where a loop would
//! ask once for each item (equality of two long lists of the script's objects, a search in one),
//! the loop itself is a function of the library module `_builtins`, so that its cost stays in
//! proportion to its length.

mod algebra;
mod equality;
mod field;
mod gather;
mod hash;
mod identity;
mod item;
mod iteration;
mod mapping;
mod members;
mod nested;
mod position;
mod representation;
mod sorting;
mod step;
mod tally;
mod walk;
mod writer;

pub(in crate::vm) use step::Stepped;
pub(in crate::vm) use walk::{Outcome, Turn};
pub(in crate::vm) use writer::module_text;

pub(in crate::vm) use algebra::Algebra;
pub(in crate::vm) use equality::Verdict;
pub(in crate::vm) use field::builtin_attribute;
pub(in crate::vm) use hash::hash_text;
pub(in crate::vm) use identity::address;
pub(in crate::vm) use position::within;
pub(in crate::vm) use representation::plain_str;
pub(in crate::vm) use tally::Tally;

use crate::vm::heap::Heap;
use crate::vm::heap::class::{Type, name};
use crate::vm::heap::object::{DictView, Object};
use crate::vm::heap::value::Value;
use crate::vm::state::native::{Abrupt, Ctx};
use crate::vm::state::thread::LogEntry;

/// How deep natives follow nested containers on the host's stack, at most; a script's own limit may
/// be lower.
const NESTING: usize = 1000;

impl Ctx<'_> {
    /// `bool(value)`.
    pub fn truth(&mut self, value: Value) -> Result<bool, Abrupt> {
        if let Some(truth) = self.vm.heap.truth_fast(value) {
            return Ok(truth);
        }
        if let Some(method) = self.vm.special(value, name::BOOL) {
            return match self.call_special(method, &[value])? {
                Value::Bool(truth) => Ok(truth),
                other => {
                    let message = format!(
                        "__bool__ should return bool, returned {}",
                        self.vm.type_name(other)
                    );
                    Err(self.type_error(message))
                }
            };
        }
        if self.vm.special(value, name::LEN).is_some() {
            return Ok(self.len(value)? > 0);
        }
        Ok(true)
    }

    /// The truth of a value, unless the script must be asked.
    pub(in crate::vm) fn truth_here(&self, value: Value) -> Option<bool> {
        let says = |method| self.vm.special(value, method).is_some();
        let truth = self.vm.heap.truth_fast(value);
        truth.or_else(|| (!says(name::BOOL) && !says(name::LEN)).then_some(true))
    }

    /// `len(value)`.
    pub fn len(&mut self, value: Value) -> Result<usize, Abrupt> {
        if let Some(length) = self.vm.heap.len_fast(value) {
            return Ok(length);
        }
        let Some(method) = self.vm.special(value, name::LEN) else {
            let message = format!("object of type '{}' has no len()", self.vm.type_name(value));
            return Err(self.type_error(message));
        };
        let length = self.call_special(method, &[value])?;
        if !matches!(
            length,
            Value::Int(_) | Value::Bool(_) | Value::Big(_) | Value::Instance(_)
        ) {
            let message = format!(
                "'{}' object cannot be interpreted as an integer",
                self.vm.type_name(length)
            );
            return Err(self.type_error(message));
        }
        let length = self.index(length)?;
        usize::try_from(length).map_err(|_| self.value_error("__len__() should return >= 0"))
    }

    /// Did an earlier run of the native ask for this function of the library at this place, or that
    /// many answers further on? Then what it did before it asked need not (and where it changed
    /// something, must not) be done again.
    fn has_asked(&self, ahead: usize, function: &str) -> bool {
        match self.log.get(self.replayed + ahead) {
            Some(LogEntry::Calls { calls, .. }) => calls
                .first()
                .is_some_and(|call| call.0.same(self.vm.library(function))),
            _ => false,
        }
    }

    /// How many more levels of nested containers a native may enter: what the recursion limit
    /// leaves, as in CPython, where both count together.
    pub(in crate::vm) fn nesting_left(&self) -> usize {
        let frames = self.vm.threads[self.thread.0 as usize].frames.len();
        self.vm
            .limits
            .recursion
            .saturating_sub(frames)
            .clamp(1, NESTING)
    }

    /// `RecursionError` of a native that follows nested containers.
    pub(in crate::vm) fn too_deep(&mut self, doing: &str) -> Abrupt {
        self.error(
            Type::RecursionError,
            format!("maximum recursion depth exceeded{doing}"),
        )
    }
}

impl Heap {
    /// `bool(value)`, unless it is an instance, which may have a say.
    #[must_use]
    pub fn truth_fast(&self, value: Value) -> Option<bool> {
        Some(match value {
            Value::Bool(truth) => truth,
            Value::None | Value::Unbound => false,
            Value::Int(number) => number != 0,
            Value::Float(number) => number != 0.0,
            Value::Instance(_) => return None,
            Value::Str(_)
            | Value::Bytes(_)
            | Value::Tuple(_)
            | Value::List(_)
            | Value::Dict(_)
            | Value::Set(_)
            | Value::Range(_)
            | Value::Object(_) => self.len_fast(value) != Some(0),
            Value::NotImplemented
            | Value::Ellipsis
            | Value::Big(_)
            | Value::Function(_)
            | Value::Native(_)
            | Value::Method(_)
            | Value::Class(_)
            | Value::Generator(_)
            | Value::Iter(_)
            | Value::Cell(_)
            | Value::Module(_) => true,
        })
    }

    /// The length of a builtin container.
    #[inline]
    #[must_use]
    pub fn len_fast(&self, value: Value) -> Option<usize> {
        Some(match value {
            Value::List(it) => self.lists[it].len(),
            Value::Tuple(it) => self.tuples[it].0.len(),
            Value::Str(it) => self.strs[it].len(),
            Value::Bytes(it) => self.bytes[it].0.len(),
            Value::Dict(it) => self.dicts[it].len(),
            Value::Set(it) => self.sets[it].len(),
            Value::Range(it) => usize::try_from(self.ranges[it].len()).unwrap_or(usize::MAX),
            Value::Object(it) => match &self.objects[it] {
                Object::View {
                    dict,
                    view: DictView::Keys | DictView::Values | DictView::Items,
                } => self.dicts[*dict].len(),
                _ => return None,
            },
            _ => return None,
        })
    }
}
