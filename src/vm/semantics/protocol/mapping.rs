//! Dicts and sets with any keys: the hash and the equality of a key come from here. Keys of builtin
//! types never ask the script; `…_fast` and `…_str` need no context at all.

use crate::vm::Vm;
use crate::vm::heap::Heap;
use crate::vm::heap::class::Type;
use crate::vm::heap::dict::Dict;
use crate::vm::heap::object::{DictView, Object};
use crate::vm::heap::set::Set;
use crate::vm::heap::value::{Ref, Value};
use crate::vm::heap::work::Work;
use crate::vm::state::native::{Abrupt, Ctx};

/// Where a key is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::vm) enum Found {
    /// At this place of the table.
    At(usize),
    Absent,
    /// A method of the script must say whether it is equal to another.
    Ask,
}

impl Ctx<'_> {
    /// The value of a key.
    pub fn dict_get(&mut self, dict: Ref<Dict>, key: Value) -> Result<Option<Value>, Abrupt> {
        let (_, position) = self.find_key(dict, key)?;
        Ok(position.and_then(|at| self.vm.heap.dicts[dict].entry(at).map(|entry| entry.value)))
    }

    /// `dict[key] = value`; an equal key that is there already stays.
    pub fn dict_insert(&mut self, dict: Ref<Dict>, key: Value, value: Value) -> Result<(), Abrupt> {
        let (hash, position) = self.find_key(dict, key)?;
        self.vm.heap.dict_put(dict, hash, position, key, value);
        Ok(())
    }

    /// Takes a key out and gives its value.
    pub fn dict_remove(&mut self, dict: Ref<Dict>, key: Value) -> Result<Option<Value>, Abrupt> {
        let (_, position) = self.find_key(dict, key)?;
        Ok(position.map(|at| self.vm.heap.dicts[dict].remove(at).value))
    }

    /// A key's hash, and the position of the entry whose key equals it.
    pub(in crate::vm) fn find_key(
        &mut self,
        dict: Ref<Dict>,
        key: Value,
    ) -> Result<(u64, Option<usize>), Abrupt> {
        let hash = match self.vm.heap.hash_fast(key) {
            Some(hash) => hash,
            None => self.hash(key)? as u64,
        };
        match self.vm.heap.find_in_dict(dict, hash, key) {
            Found::At(position) => return Ok((hash, Some(position))),
            Found::Absent => return Ok((hash, None)),
            Found::Ask => {}
        }
        for (position, candidate) in self.vm.heap.dicts[dict].candidates(hash) {
            if self.equal(candidate, key)? {
                return Ok((hash, Some(position)));
            }
        }
        Ok((hash, None))
    }

    /// Is it in the set?
    pub fn set_contains(&mut self, set: Ref<Set>, element: Value) -> Result<bool, Abrupt> {
        Ok(self.find_element(set, element)?.1.is_some())
    }

    /// Adds an element; false if an equal one was there.
    pub fn set_add(&mut self, set: Ref<Set>, element: Value) -> Result<bool, Abrupt> {
        let hash = match self.vm.heap.hash_fast(element) {
            Some(hash) => hash,
            None => self.hash(element)? as u64,
        };
        let slot = self.find_hashed_element(set, hash, element)?;
        if slot.is_none() {
            self.reserve(self.vm.heap.sets[set].growth())?;
            self.vm.heap.set_put(set, hash, element);
        }
        Ok(slot.is_none())
    }

    /// Takes an element out; false if it was not there.
    pub fn set_remove(&mut self, set: Ref<Set>, element: Value) -> Result<bool, Abrupt> {
        let slot = self.find_element(set, element)?.1;
        if let Some(slot) = slot {
            self.vm.heap.sets[set].remove(slot);
        }
        Ok(slot.is_some())
    }

    /// The hash and the slot of an element that is looked for. A set, which has no hash, is looked
    /// for as the frozenset of its elements.
    fn find_element(
        &mut self,
        set: Ref<Set>,
        element: Value,
    ) -> Result<(u64, Option<usize>), Abrupt> {
        let hash = match (self.vm.heap.hash_fast(element), element) {
            (Some(hash), _) => hash,
            (None, Value::Set(it)) => super::hash::hash_set(&self.vm.heap.sets[it]) as u64,
            (None, _) => self.hash(element)? as u64,
        };
        Ok((hash, self.find_hashed_element(set, hash, element)?))
    }

    fn find_hashed_element(
        &mut self,
        set: Ref<Set>,
        hash: u64,
        element: Value,
    ) -> Result<Option<usize>, Abrupt> {
        match self
            .vm
            .heap
            .find_in_set(&self.vm.heap.sets[set], hash, element)
        {
            Found::At(slot) => return Ok(Some(slot)),
            Found::Absent => return Ok(None),
            Found::Ask => {}
        }
        for (slot, candidate) in self.vm.heap.sets[set].candidates(hash) {
            if self.equal(candidate, element)? {
                return Ok(Some(slot));
            }
        }
        Ok(None)
    }

    /// Puts all of another dict into a dict.
    pub fn dict_merge(&mut self, dict: Ref<Dict>, from: Ref<Dict>) -> Result<(), Abrupt> {
        if dict == from {
            return Ok(());
        }
        let heap = &mut self.vm.heap;
        heap.worked(Work::Insert, heap.dicts[from].len());
        self.reserve(self.vm.heap.dicts[from].bytes())?;
        if !self.has_asked(0, "put_mapping") && self.vm.heap.dict_merge_fast(dict, from) {
            return Ok(());
        }
        let function = self.vm.library("put_mapping");
        self.call(function, &[Value::Dict(dict), Value::Dict(from)])?;
        Ok(())
    }

    /// A set as it is; a view of a dict as the set of its keys or items.
    pub(super) fn as_set(&mut self, value: Value) -> Result<Value, Abrupt> {
        if let Value::Set(_) = value {
            return Ok(value);
        }
        let set = self.set_from(value, false)?;
        self.once(|_| Ok(set))
    }

    /// `KeyError(key)`.
    pub(in crate::vm) fn key_error(&mut self, key: Value) -> Abrupt {
        Abrupt::Throw(self.vm.new_exception(Type::KeyError, vec![key]))
    }
}

impl Heap {
    /// Where a key with this hash is in a dict.
    #[inline]
    pub(in crate::vm) fn find_in_dict(&self, dict: Ref<Dict>, hash: u64, key: Value) -> Found {
        self.found_in(&self.dicts[dict], hash, key)
    }

    #[inline]
    fn found_in(&self, dict: &Dict, hash: u64, key: Value) -> Found {
        match key {
            Value::Str(text) => {
                let wanted = self.text(text);
                self.found(|equal| {
                    dict.find(hash, |other| match other {
                        Value::Str(it) => it == text || self.text(it) == wanted,
                        other => equal(other, key),
                    })
                })
            }
            Value::Int(number) => self.found(|equal| {
                dict.find(hash, |other| match other {
                    Value::Int(it) => it == number,
                    other => equal(other, key),
                })
            }),
            _ => self.found(|equal| dict.find(hash, |other| equal(other, key))),
        }
    }

    /// Where an element with this hash is in a set.
    pub(in crate::vm) fn find_in_set(&self, set: &Set, hash: u64, element: Value) -> Found {
        match element {
            Value::Str(text) => {
                let wanted = self.text(text);
                self.found(|equal| {
                    set.find(hash, |other| match other {
                        Value::Str(it) => it == text || self.text(it) == wanted,
                        other => equal(other, element),
                    })
                })
            }
            Value::Int(number) => self.found(|equal| {
                set.find(hash, |other| match other {
                    Value::Int(it) => it == number,
                    other => equal(other, element),
                })
            }),
            _ => self.found(|equal| set.find(hash, |other| equal(other, element))),
        }
    }

    /// Runs a search, and notes whether it met a comparison that only the script can make.
    #[inline]
    fn found(
        &self,
        search: impl FnOnce(&mut dyn FnMut(Value, Value) -> bool) -> Option<usize>,
    ) -> Found {
        let mut ask = false;
        let found = search(&mut |a, b| {
            self.equal_fast(a, b).unwrap_or_else(|| {
                ask = true;
                false
            })
        });
        match found {
            _ if ask => Found::Ask,
            Some(at) => Found::At(at),
            None => Found::Absent,
        }
    }

    /// The value of a key; none if there is none, or if the script must be asked, or if the key has
    /// no hash.
    #[inline(never)]
    #[must_use]
    pub fn dict_get_fast(&self, dict: Ref<Dict>, key: Value) -> Option<&Value> {
        let hash = self.hash_fast(key)?;
        match self.find_in_dict(dict, hash, key) {
            Found::At(at) => self.dicts[dict].value(at),
            Found::Absent | Found::Ask => None,
        }
    }

    /// `dict[key] = value`; false if the script must be asked first, and nothing has changed.
    #[inline(never)]
    pub fn dict_set_fast(&mut self, dict: Ref<Dict>, key: Value, value: Value) -> bool {
        let Some(hash) = self.hash_fast(key) else {
            return false;
        };
        match self.find_in_dict(dict, hash, key) {
            Found::At(at) => self.dict_put(dict, hash, Some(at), key, value),
            Found::Absent => self.dict_put(dict, hash, None, key, value),
            Found::Ask => return false,
        }
        true
    }

    /// A dict of keys and values in turn; none if the script must be asked about a key.
    pub(in crate::vm) fn build_dict(&mut self, pairs: &[Value]) -> Option<Value> {
        let texts = pairs
            .chunks_exact(2)
            .all(|pair| matches!(pair[0], Value::Str(_)));
        let mut dict = Dict::with_capacity(pairs.len() / 2, texts);
        for pair in pairs.chunks_exact(2) {
            let (key, value) = (pair[0], pair[1]);
            let hash = self.hash_fast(key)?;
            match self.found_in(&dict, hash, key) {
                Found::At(at) => dict.set_value(at, value),
                Found::Absent => dict.push(hash, key, value),
                Found::Ask => return None,
            }
        }
        Some(self.new_dict(dict))
    }

    /// Puts all of another dict into a dict; false if the script must be asked on the way.
    fn dict_merge_fast(&mut self, dict: Ref<Dict>, from: Ref<Dict>) -> bool {
        let mut target = std::mem::take(&mut self.dicts[dict]);
        target.expect(&self.dicts[from]);
        self.dicts[dict] = target;
        let mut at = 0;
        while let Some((position, entry)) = self.dicts[from].next_entry(at) {
            at = position + 1;
            let found = match self.find_in_dict(dict, entry.hash, entry.key) {
                Found::At(found) => Some(found),
                Found::Absent => None,
                Found::Ask => return false,
            };
            self.dict_put(dict, entry.hash, found, entry.key, entry.value);
        }
        true
    }

    /// Puts a value where a search found the key, or adds the key.
    pub(in crate::vm) fn dict_put(
        &mut self,
        dict: Ref<Dict>,
        hash: u64,
        position: Option<usize>,
        key: Value,
        value: Value,
    ) {
        let object = &mut self.dicts[dict];
        if let Some(position) = position {
            object.set_value(position, value);
        } else {
            let before = object.bytes();
            object.push(hash, key, value);
            self.allocated += object.bytes().saturating_sub(before);
        }
    }

    /// Adds an element that a search did not find.
    pub(in crate::vm) fn set_put(&mut self, set: Ref<Set>, hash: u64, element: Value) {
        let object = &mut self.sets[set];
        let before = object.bytes();
        object.add_new(hash, element);
        self.allocated += object.bytes().saturating_sub(before);
    }

    /// A view of a dict.
    pub(in crate::vm) fn new_view(&mut self, dict: Ref<Dict>, view: DictView) -> Value {
        self.new_object(Object::View { dict, view })
    }
}

impl Vm {
    /// The value under a text.
    #[must_use]
    pub fn dict_get_str(&self, dict: Ref<Dict>, key: &str) -> Option<Value> {
        let position = self.find_str(dict, key)?;
        self.heap.dicts[dict]
            .entry(position)
            .map(|entry| entry.value)
    }

    /// Puts a value under a text.
    pub fn dict_set_str(&mut self, dict: Ref<Dict>, key: &str, value: Value) {
        let position = self.find_str(dict, key);
        let hash = super::hash_text(key.as_bytes());
        let key = match position {
            Some(_) => Value::None,
            None => self.heap.new_str(key),
        };
        self.heap.dict_put(dict, hash, position, key, value);
    }

    /// Takes a text out and gives its value.
    pub fn dict_remove_str(&mut self, dict: Ref<Dict>, key: &str) -> Option<Value> {
        let position = self.find_str(dict, key)?;
        Some(self.heap.dicts[dict].remove(position).value)
    }

    fn find_str(&self, dict: Ref<Dict>, key: &str) -> Option<usize> {
        self.heap.dicts[dict].find(
            super::hash_text(key.as_bytes()),
            |other| matches!(other, Value::Str(it) if self.heap.text(it) == key),
        )
    }
}
