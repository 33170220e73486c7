//! The storage of lists. Items that are all integers within 64 bits, all floats or all booleans are
//! kept as such, in a half or a sixteenth of the space and with nothing for the collector to look
//! at; the first item of another kind turns a list into one of values for good. Which form a list
//! has shows nowhere.
//!
//! Source: C. F. Bolz, L. Diekmann, L. Tratt, "Storage strategies for collections in dynamically
//! typed languages", OOPSLA 2013.

use crate::vm::heap::value::Value;

/// A `list`.
#[derive(Clone, Debug, Default)]
pub struct List {
    items: Items,
}

/// The forms of storage.
#[derive(Clone, Debug)]
pub(in crate::vm) enum Items {
    Values(Vec<Value>),
    Ints(Vec<i64>),
    Floats(Vec<f64>),
    Bools(Vec<bool>),
}

impl Default for Items {
    fn default() -> Items {
        Items::Values(Vec::new())
    }
}

/// The same for each form.
macro_rules! each {
    ($items:expr, $vector:ident => $body:expr) => {
        match $items {
            Items::Values($vector) => $body,
            Items::Ints($vector) => $body,
            Items::Floats($vector) => $body,
            Items::Bools($vector) => $body,
        }
    };
}

/// One thing for an item that fits the form, another for any other.
macro_rules! fitting {
    ($items:expr, $value:expr, $vector:ident, $item:ident => $body:expr, else $other:expr) => {
        match ($items, $value) {
            (Items::Values($vector), $item) => $body,
            (Items::Ints($vector), Value::Int($item)) => $body,
            (Items::Floats($vector), Value::Float($item)) => $body,
            (Items::Bools($vector), Value::Bool($item)) => $body,
            _ => $other,
        }
    };
}

impl List {
    pub(in crate::vm) fn items(&self) -> &Items {
        &self.items
    }
    pub(in crate::vm) fn items_mut(&mut self) -> &mut Items {
        &mut self.items
    }
    #[must_use]
    pub fn len(&self) -> usize {
        each!(&self.items, items => items.len())
    }
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The item at `index`, counted from 0, or none past the end.
    #[inline]
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Value> {
        match &self.items {
            Items::Values(items) => items.get(index).copied(),
            Items::Ints(items) => items.get(index).map(|&it| Value::Int(it)),
            Items::Floats(items) => items.get(index).map(|&it| Value::Float(it)),
            Items::Bools(items) => items.get(index).map(|&it| Value::Bool(it)),
        }
    }
    /// Replaces an item; false past the end.
    pub fn set(&mut self, index: usize, value: Value) -> bool {
        if index >= self.len() {
            return false;
        }
        fitting!(&mut self.items, value, items, item => items[index] = item, else {
            self.values()[index] = value;
        });
        true
    }
    #[inline]
    pub fn push(&mut self, value: Value) {
        fitting!(&mut self.items, value, items, item => {
            // An empty list takes the form of its first item.
            if items.is_empty() {
                self.push_first(value);
            } else {
                items.push(item);
            }
        }, else self.values().push(value));
    }
    /// Never inlined into `push`, whose usual way is short.
    #[cold]
    fn push_first(&mut self, value: Value) {
        self.items = match value {
            Value::Int(it) => Items::Ints(vec![it]),
            Value::Float(it) => Items::Floats(vec![it]),
            Value::Bool(it) => Items::Bools(vec![it]),
            other => {
                let values = self.values();
                values.push(other);
                return;
            }
        };
    }
    pub fn pop(&mut self) -> Option<Value> {
        match &mut self.items {
            Items::Values(items) => items.pop(),
            Items::Ints(items) => items.pop().map(Value::Int),
            Items::Floats(items) => items.pop().map(Value::Float),
            Items::Bools(items) => items.pop().map(Value::Bool),
        }
    }
    /// Panics past the end.
    pub fn insert(&mut self, index: usize, value: Value) {
        fitting!(&mut self.items, value, items, item => items.insert(index, item), else {
            self.values().insert(index, value);
        });
    }
    /// Panics past the end.
    pub fn remove(&mut self, index: usize) -> Value {
        match &mut self.items {
            Items::Values(items) => items.remove(index),
            Items::Ints(items) => Value::Int(items.remove(index)),
            Items::Floats(items) => Value::Float(items.remove(index)),
            Items::Bools(items) => Value::Bool(items.remove(index)),
        }
    }
    pub fn extend(&mut self, values: impl IntoIterator<Item = Value>) {
        let mut values = values.into_iter();
        if self.is_empty()
            && let Some(first) = values.next()
        {
            self.push_first(first);
        }
        let more = values.size_hint().0;
        each!(&mut self.items, items => items.reserve(more));
        for value in values {
            self.push(value);
        }
    }
    /// Removes the items at these positions, which ascend.
    pub fn remove_all(&mut self, mut positions: impl Iterator<Item = usize>) {
        let mut gone = positions.next();
        let mut at = 0;
        each!(&mut self.items, items => items.retain(|_| {
            let keep = gone != Some(at);
            if !keep {
                gone = positions.next();
            }
            at += 1;
            keep
        }));
    }
    /// Replaces a range of items by others, as `list[start:end] = values`.
    pub fn splice(&mut self, range: std::ops::Range<usize>, values: Vec<Value>) {
        if let Items::Values(items) = &mut self.items {
            items.splice(range, values);
            return;
        }
        let behind: Vec<Value> = self.iter().skip(range.end).collect();
        each!(&mut self.items, items => items.truncate(range.start));
        self.extend(values);
        self.extend(behind);
    }
    /// The items so many times over.
    #[must_use]
    pub fn repeat(&self, times: usize) -> List {
        let items = match &self.items {
            Items::Values(items) => Items::Values(items.repeat(times)),
            Items::Ints(items) => Items::Ints(items.repeat(times)),
            Items::Floats(items) => Items::Floats(items.repeat(times)),
            Items::Bools(items) => Items::Bools(items.repeat(times)),
        };
        List { items }
    }
    /// The items of a range, as a list. Panics past the end.
    #[must_use]
    pub fn part(&self, range: std::ops::Range<usize>) -> List {
        let items = match &self.items {
            Items::Values(items) => Items::Values(items[range].to_vec()),
            Items::Ints(items) => Items::Ints(items[range].to_vec()),
            Items::Floats(items) => Items::Floats(items[range].to_vec()),
            Items::Bools(items) => Items::Bools(items[range].to_vec()),
        };
        List { items }
    }
    pub fn reverse(&mut self) {
        each!(&mut self.items, items => items.reverse());
    }
    pub fn clear(&mut self) {
        if !self.is_lent() {
            *self = List::default();
        }
    }
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Value> + ExactSizeIterator + '_ {
        (0..self.len()).map(|index| self.get(index).expect("under the length"))
    }
    #[must_use]
    pub fn to_vec(&self) -> Vec<Value> {
        match &self.items {
            Items::Values(items) => items.clone(),
            _ => self.iter().collect(),
        }
    }
    /// Takes all items out for the time of a sort. What is left is an empty list that knows whether
    /// anything has been put into it since: no other is empty, has this form, and has never had
    /// room for an item.
    pub fn lend(&mut self) -> Vec<Value> {
        let items = Items::Bools(Vec::new());
        match std::mem::replace(self, List { items }).items {
            Items::Values(items) => items,
            items => List { items }.to_vec(),
        }
    }
    fn is_lent(&self) -> bool {
        matches!(&self.items, Items::Bools(items) if items.capacity() == 0)
    }
    /// Puts items that were lent in the place of all; false if anything was put there meanwhile.
    pub fn give_back(&mut self, items: Vec<Value>) -> bool {
        let untouched = self.is_lent();
        if !untouched || !items.is_empty() {
            *self = items.into_iter().collect();
        }
        untouched
    }
    /// Bytes that the storage takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        fn of<T>(items: &Vec<T>) -> usize {
            items.capacity() * size_of::<T>()
        }
        each!(&self.items, items => of(items))
    }

    /// The storage as one of values, which it is from here on.
    fn values(&mut self) -> &mut Vec<Value> {
        if !matches!(self.items, Items::Values(_)) {
            self.items = Items::Values(self.to_vec());
        }
        match &mut self.items {
            Items::Values(items) => items,
            _ => unreachable!("just made one of values"),
        }
    }
}

impl From<Vec<Value>> for List {
    /// A list of these items as they are: their memory is its memory.
    fn from(items: Vec<Value>) -> List {
        List {
            items: Items::Values(items),
        }
    }
}

impl From<&[Value]> for List {
    fn from(items: &[Value]) -> List {
        items.to_vec().into()
    }
}

/// Lists made of an iterator take the form of their items.
impl FromIterator<Value> for List {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> List {
        let mut list = List::default();
        list.extend(values);
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every change to a list, in each form and across forms, does what it does to a vector of
    /// values.
    #[test]
    fn forms_do_not_show() {
        let kinds = [
            Value::Int(7),
            Value::Float(0.5),
            Value::Bool(true),
            Value::None,
        ];
        let same = |list: &List, model: &[Value]| {
            assert_eq!(list.len(), model.len());
            let items: Vec<Value> = list.iter().collect();
            assert!(
                items.iter().zip(model).all(|(&a, &b)| a.same(b)),
                "{items:?} {model:?}"
            );
            assert!(list.to_vec().iter().zip(model).all(|(&a, &b)| a.same(b)));
        };
        for first in kinds {
            for other in kinds {
                let mut list = List::default();
                let mut model = Vec::new();
                for _ in 0..3 {
                    list.push(first);
                    model.push(first);
                }
                same(&list.repeat(2), &model.repeat(2));
                same(&list.part(1..3), &model[1..3]);
                list.insert(1, other);
                model.insert(1, other);
                same(&list, &model);
                assert!(list.set(2, other) && !list.set(9, other));
                model[2] = other;
                same(&list, &model);
                list.splice(1..3, vec![other, first, other]);
                model.splice(1..3, [other, first, other]);
                same(&list, &model);
                list.reverse();
                model.reverse();
                same(&list, &model);
                assert!(list.remove(0).same(model.remove(0)));
                list.remove_all([1, 2].into_iter());
                model.drain(1..3);
                same(&list, &model);
                list.extend(model.clone());
                model.extend(model.clone());
                same(&list, &model);
                assert!(
                    list.pop()
                        .expect("not empty")
                        .same(model.pop().expect("as long"))
                );
                let taken = list.lend();
                assert!(list.is_empty());
                assert!(list.give_back(taken));
                same(&list, &model);
                let taken = list.lend();
                list.push(Value::None);
                assert!(!list.give_back(taken));
                same(&list, &model);
            }
        }
    }
}
