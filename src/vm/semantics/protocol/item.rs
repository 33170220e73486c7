//! `object[key]`, `object[key] = value`, `del object[key]`.

use super::position::{Bounds, Cut, within};
use crate::vm::heap::Heap;
use crate::vm::heap::class::{Type, name};
use crate::vm::heap::list::List;
use crate::vm::heap::object::{Bytes, Object, Range};
use crate::vm::heap::text::Str;
use crate::vm::heap::value::{Ref, Value};
use crate::vm::state::native::{Abrupt, Ctx};

/// Slices of so many items are made without a look at how much memory is left.
const SMALL_CUT: usize = 1000;

impl Ctx<'_> {
    /// `object[key]`.
    pub fn get_item(&mut self, object: Value, key: Value) -> Result<Value, Abrupt> {
        match object {
            Value::Dict(dict) => match self.dict_get(dict, key)? {
                Some(value) => Ok(value),
                None => Err(self.key_error(key)),
            },
            Value::List(_)
            | Value::Tuple(_)
            | Value::Str(_)
            | Value::Bytes(_)
            | Value::Range(_) => self.get_from_sequence(object, key),
            Value::Instance(_) => match self.vm.special(object, name::GETITEM) {
                Some(method) => self.call_special(method, &[object, key]),
                None => Err(self.refuse(object, "is not subscriptable")),
            },
            Value::Class(class) => self.get_from_class(class, object, key),
            _ => Err(self.refuse(object, "is not subscriptable")),
        }
    }

    fn get_from_sequence(&mut self, object: Value, key: Value) -> Result<Value, Abrupt> {
        if let Some(bounds) = self.bounds(key)? {
            let length = self.vm.heap.len_fast(object).unwrap_or(0);
            if let Value::Range(it) = object {
                let (start, stop, step) = bounds.adjusted(length);
                return self.slice_of_range(it, start, stop, step);
            }
            let cut = bounds.cut(length);
            self.reserve(self.vm.heap.bytes_of_slice(object, &cut))?;
            return Ok(self.vm.heap.slice(object, cut));
        }
        let (of, outside) = match object {
            Value::List(_) => ("list", "list index out of range"),
            Value::Tuple(_) => ("tuple", "tuple index out of range"),
            Value::Str(_) => ("string", "string index out of range"),
            Value::Bytes(_) => ("byte", "index out of range"),
            _ => ("range", "range object index out of range"),
        };
        let length = self.vm.heap.len_fast(object).unwrap_or(0);
        match self.place(key, length, of)? {
            Some(at) => Ok(self.vm.heap.item_at(object, at)),
            None => Err(self.error(Type::IndexError, outside)),
        }
    }

    fn slice_of_range(
        &mut self,
        range: Ref<Range>,
        start: i64,
        stop: i64,
        step: i64,
    ) -> Result<Value, Abrupt> {
        let range = self.vm.heap.ranges[range];
        let at = |index: i64| i128::from(range.start) + i128::from(index) * i128::from(range.step);
        let fit = |number: i128| i64::try_from(number).ok();
        let (Some(start), Some(stop), Some(step)) = (
            fit(at(start)),
            fit(at(stop)),
            fit(i128::from(range.step) * i128::from(step)),
        ) else {
            return Err(self.error(Type::OverflowError, "range is limited to 64 bits here"));
        };
        Ok(self.vm.heap.new_range(Range { start, stop, step }))
    }

    /// `C[…]`: a class of the script by its `__class_getitem__`; a builtin container type,
    /// subscripted as in an annotation, is itself.
    fn get_from_class(
        &mut self,
        class: Ref<crate::vm::heap::class::Class>,
        object: Value,
        key: Value,
    ) -> Result<Value, Abrupt> {
        if self
            .vm
            .class_attribute(class, name::CLASS_GETITEM)
            .is_some()
        {
            let method = self.get_attr(object, name::CLASS_GETITEM)?;
            return self.call(method, &[key]);
        }
        if let Some(
            Type::List
            | Type::Dict
            | Type::Tuple
            | Type::Set
            | Type::FrozenSet
            | Type::Type
            | Type::Enumerate,
        ) = self.vm.heap.classes[class].builtin
        {
            return Ok(object);
        }
        let message = format!(
            "type '{}' is not subscriptable",
            self.vm.heap.classes[class].name
        );
        Err(self.type_error(message))
    }

    /// `object[key] = value`.
    pub fn set_item(&mut self, object: Value, key: Value, value: Value) -> Result<(), Abrupt> {
        match object {
            Value::Dict(dict) => self.dict_insert(dict, key, value),
            Value::List(list) => {
                if let Some(bounds) = self.bounds(key)? {
                    let values = self.assigned(value, bounds.step)?;
                    let cut = bounds.cut(self.vm.heap.lists[list].len());
                    return self.assign_slice(list, cut, values);
                }
                let length = self.vm.heap.lists[list].len();
                match self.place(key, length, "list")? {
                    Some(at) => {
                        self.vm.heap.lists[list].set(at, value);
                        Ok(())
                    }
                    None => Err(self.error(Type::IndexError, "list assignment index out of range")),
                }
            }
            _ => match self.vm.special(object, name::SETITEM) {
                Some(method) => self.call_special(method, &[object, key, value]).map(|_| ()),
                None => Err(self.refuse(object, "does not support item assignment")),
            },
        }
    }

    /// What is assigned to a slice.
    fn assigned(&mut self, value: Value, step: i64) -> Result<Vec<Value>, Abrupt> {
        if !self.is_iterable(value) {
            return Err(self.type_error(if step == 1 {
                "can only assign an iterable"
            } else {
                "must assign iterable to extended slice"
            }));
        }
        self.collect_sequence(value)
    }

    fn assign_slice(
        &mut self,
        list: Ref<List>,
        cut: Cut,
        values: Vec<Value>,
    ) -> Result<(), Abrupt> {
        if cut.step == 1 {
            let range = cut.start..cut.start + cut.length;
            self.vm
                .heap
                .change_list(list, |items| items.splice(range, values));
            return Ok(());
        }
        if values.len() != cut.length {
            let message = format!(
                "attempt to assign sequence of size {} to extended slice of size {}",
                values.len(),
                cut.length
            );
            return Err(self.value_error(message));
        }
        for (at, value) in cut.positions().zip(values) {
            self.vm.heap.lists[list].set(at, value);
        }
        Ok(())
    }

    /// `del object[key]`.
    pub fn del_item(&mut self, object: Value, key: Value) -> Result<(), Abrupt> {
        match object {
            Value::Dict(dict) => match self.dict_remove(dict, key)? {
                Some(_) => Ok(()),
                None => Err(self.key_error(key)),
            },
            Value::List(list) => {
                if let Some(bounds) = self.bounds(key)? {
                    let cut = bounds.cut(self.vm.heap.lists[list].len());
                    self.vm.heap.lists[list].remove_all(cut.ascending());
                    return Ok(());
                }
                let length = self.vm.heap.lists[list].len();
                match self.place(key, length, "list")? {
                    Some(at) => {
                        self.vm.heap.lists[list].remove(at);
                        Ok(())
                    }
                    None => Err(self.error(Type::IndexError, "list assignment index out of range")),
                }
            }
            _ => match self.vm.special(object, name::DELITEM) {
                Some(method) => self.call_special(method, &[object, key]).map(|_| ()),
                // CPython's words depend on whether the type has a slot for items at all.
                None if matches!(
                    object,
                    Value::Tuple(_)
                        | Value::Str(_)
                        | Value::Bytes(_)
                        | Value::Range(_)
                        | Value::Set(_)
                        | Value::Instance(_)
                ) || self.vm.heap.is_set_like(object) =>
                {
                    Err(self.refuse(object, "doesn't support item deletion"))
                }
                None => Err(self.refuse(object, "does not support item deletion")),
            },
        }
    }

    /// `TypeError: 'int' object is not …`.
    fn refuse(&mut self, object: Value, what: &str) -> Abrupt {
        let message = format!("'{}' object {what}", self.vm.type_name(object));
        self.type_error(message)
    }
}

impl Heap {
    /// `object[key]`, where the object is a string, list or tuple, the key an index inside it or a
    /// slice by integers, and the result, if it is a new object, small: what can neither fail nor
    /// ask.
    pub(in crate::vm) fn item_fast(&mut self, object: Value, key: Value) -> Option<Value> {
        let length = match object {
            Value::Str(_) | Value::List(_) | Value::Tuple(_) => self.len_fast(object)?,
            _ => return None,
        };
        match key {
            Value::Int(index) => Some(self.item_at(object, within(index, length)?)),
            Value::Object(it) => {
                let Object::Slice { lower, upper, step } = self.objects[it] else {
                    return None;
                };
                let number = |value| match value {
                    Value::None => Some(None),
                    Value::Int(number) => Some(Some(number)),
                    _ => None,
                };
                let bounds = Bounds {
                    lower: number(lower)?,
                    upper: number(upper)?,
                    step: number(step)?.unwrap_or(1),
                };
                if bounds.step == 0 || bounds.step == i64::MIN {
                    return None;
                }
                let cut = bounds.cut(length);
                (cut.length <= SMALL_CUT).then(|| self.slice(object, cut))
            }
            _ => None,
        }
    }

    /// The item of a list, tuple, string, bytes or range at a position that is inside.
    fn item_at(&mut self, object: Value, at: usize) -> Value {
        match object {
            Value::Str(text) => self.character(text, at),
            Value::Bytes(it) => Value::Int(i64::from(self.bytes[it].0[at])),
            Value::Range(it) => Value::Int(self.ranges[it].at(at as u64)),
            _ => self.sequence_item(object, at).unwrap_or(Value::None),
        }
    }

    /// Changes a list and counts what it grew.
    #[inline]
    pub(in crate::vm) fn change_list<T>(
        &mut self,
        list: Ref<List>,
        change: impl FnOnce(&mut List) -> T,
    ) -> T {
        let items = &mut self.lists[list];
        let before = items.bytes();
        let result = change(items);
        self.allocated += items.bytes().saturating_sub(before);
        result
    }

    /// The character of a string at a position that is inside.
    pub(in crate::vm) fn character(&mut self, string: Ref<Str>, at: usize) -> Value {
        let ascii = self.strs[string].is_ascii();
        let text = self.text(string);
        let character = if ascii {
            char::from(text.as_bytes()[at])
        } else {
            text.chars().nth(at).unwrap_or_default()
        };
        self.new_character(character)
    }

    /// How many bytes a slice takes while it is made, at most.
    fn bytes_of_slice(&self, object: Value, cut: &Cut) -> usize {
        match object {
            Value::Str(it) if self.strs[it].is_ascii() => cut.length,
            Value::Str(it) if cut.step == 1 => self.strs[it].bytes as usize,
            // All its characters, and those of the slice.
            Value::Str(it) => size_of::<char>() * (self.strs[it].len() + cut.length),
            // As they are gathered, and as they are kept.
            Value::Bytes(_) => 2 * cut.length,
            Value::Tuple(_) => 2 * cut.length * size_of::<Value>(),
            _ => cut.length * size_of::<Value>(),
        }
    }

    /// `object[lower:upper:step]` of a list, tuple, string or bytes.
    fn slice(&mut self, object: Value, cut: Cut) -> Value {
        match object {
            Value::List(it) => {
                let list = &self.lists[it];
                let items = if cut.step == 1 {
                    list.part(cut.start..cut.start + cut.length)
                } else {
                    cut.positions().filter_map(|at| list.get(at)).collect()
                };
                self.new_list(items)
            }
            Value::Tuple(it) => {
                let items = &self.tuples[it].0;
                if cut.step == 1 && cut.length == items.len() {
                    return object;
                }
                let items: Vec<Value> = if cut.step == 1 {
                    items[cut.start..cut.start + cut.length].to_vec()
                } else {
                    cut.positions().map(|at| items[at]).collect()
                };
                self.new_tuple(items)
            }
            Value::Bytes(it) => {
                let bytes = &self.bytes[it].0;
                if cut.step == 1 && cut.length == bytes.len() {
                    return object;
                }
                let bytes = cut.positions().map(|at| bytes[at]).collect();
                self.new_bytes(Bytes(bytes))
            }
            Value::Str(it) => {
                if cut.step == 1 && cut.length == self.strs[it].len() {
                    return object;
                }
                let text = self.text(it);
                if self.strs[it].is_ascii() {
                    if cut.step == 1 {
                        return self.new_part(it, cut.start..cut.start + cut.length);
                    }
                    let bytes = text.as_bytes();
                    let part: String = cut.positions().map(|at| char::from(bytes[at])).collect();
                    return self.new_text(part, cut.length);
                }
                let part: String = if cut.step == 1 {
                    text.chars().skip(cut.start).take(cut.length).collect()
                } else {
                    let characters: Vec<char> = text.chars().collect();
                    cut.positions().map(|at| characters[at]).collect()
                };
                self.new_string(part)
            }
            _ => Value::None,
        }
    }
}
