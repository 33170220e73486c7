//! Names of attributes and keywords, each text once. Those that a script made up while it ran
//! (`setattr(x, "a" + str(n), …)`) are forgotten when nothing has them any more.

use crate::vm::Vm;
use crate::vm::heap::class::Name;
use crate::vm::heap::memory::{Counted, block, counted};
use crate::vm::heap::value::Value;
use rustc_hash::FxHashMap;
use std::ops::Index;
use std::sync::Arc;

/// The names of a VM.
#[derive(Clone, Debug)]
pub struct Names {
    texts: Vec<Arc<str>>,
    index: FxHashMap<Arc<str>, Name>,
    /// Places of names that were forgotten.
    free: Vec<u32>,
    /// Which ones are never forgotten.
    lasting: Vec<bool>,
    /// With so many it pays to look for some to forget.
    crowded_at: usize,
}

counted! { Arc<str>: 16, (Arc<str>, Name): 24 }

impl Names {
    /// The names of a program, which it refers to by their numbers; and room for some more.
    #[must_use]
    pub(in crate::vm) fn new(texts: &[Arc<str>], more: usize) -> Names {
        let mut index = FxHashMap::default();
        index.reserve(texts.len() + more);
        let numbered = texts.iter().enumerate();
        index.extend(numbered.map(|(at, text)| (text.clone(), Name(at as u32))));
        Names {
            texts: texts.to_vec(),
            index,
            free: Vec::new(),
            lasting: Vec::new(),
            crowded_at: 0,
        }
    }

    /// The name for a text, if there is one.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<Name> {
        self.index.get(text).copied()
    }

    /// The name for a text, and the bytes that it took if it was made for it.
    pub(in crate::vm) fn intern(&mut self, text: &str) -> (Name, usize) {
        if let Some(name) = self.find(text) {
            return (name, 0);
        }
        let text: Arc<str> = text.into();
        let name = if let Some(at) = self.free.pop() {
            self.texts[at as usize] = text.clone();
            Name(at)
        } else {
            self.texts.push(text.clone());
            Name(self.texts.len() as u32 - 1)
        };
        let bytes = bytes_of(&text);
        self.index.insert(text, name);
        (name, bytes)
    }

    /// Keeps the names that there are for good.
    pub(in crate::vm) fn keep_all(&mut self) {
        self.lasting = vec![true; self.texts.len()];
    }

    /// Keeps a name for good.
    pub(in crate::vm) fn keep(&mut self, name: Name) {
        let at = name.0 as usize;
        if self.lasting.len() <= at {
            self.lasting.resize(at + 1, false);
        }
        self.lasting[at] = true;
    }

    /// How many numbers have been given out.
    #[must_use]
    pub(in crate::vm) fn numbers(&self) -> usize {
        self.texts.len()
    }

    /// May it pay to forget some?
    #[must_use]
    pub(in crate::vm) fn are_crowded(&self) -> bool {
        self.index.len() >= self.crowded_at
    }

    /// Forgets the names that nobody has.
    pub(in crate::vm) fn retain(&mut self, is_used: impl Fn(Name) -> bool) {
        const SOME: usize = 1 << 10;
        let Names {
            texts,
            index,
            free,
            lasting,
            crowded_at,
        } = self;
        for (at, text) in texts.iter_mut().enumerate() {
            let stays = lasting.get(at).is_some_and(|it| *it) || is_used(Name(at as u32));
            // What is free has no entry.
            if !stays && index.get(&**text) == Some(&Name(at as u32)) {
                index.remove(&**text);
                *text = Arc::default();
                free.push(at as u32);
            }
        }
        *crowded_at = 2 * index.len() + SOME;
    }

    /// Bytes that they take.
    #[must_use]
    pub(in crate::vm) fn bytes(&self) -> usize {
        self.index.keys().map(bytes_of).sum::<usize>() + self.free.len() * <Arc<str>>::BYTES
    }
}

/// A text with its two counts, its place, its entry in the index with a byte of the table's.
fn bytes_of(text: &Arc<str>) -> usize {
    /// The two counts of its owners.
    const COUNTS: usize = 16;
    let entry = <(Arc<str>, Name)>::BYTES + 1;
    block(text.len() + COUNTS) + <Arc<str>>::BYTES + 2 * entry
}

impl Index<Name> for Names {
    type Output = Arc<str>;

    fn index(&self, name: Name) -> &Arc<str> {
        &self.texts[name.0 as usize]
    }
}

impl Vm {
    /// The variable of a module.
    #[must_use]
    pub(in crate::vm) fn module_global(&self, module: u32, wanted: Name) -> Option<u32> {
        self.module_names.get(&(module, wanted)).copied()
    }

    /// The name for a text, made at need.
    pub fn intern(&mut self, text: &str) -> Name {
        let (name, bytes) = self.names.intern(text);
        self.heap.allocated += bytes;
        name
    }

    /// The text of a name.
    #[must_use]
    pub fn name_text(&self, name: Name) -> &Arc<str> {
        &self.names[name]
    }

    /// The text of a name as a string object.
    pub fn name_value(&mut self, name: Name) -> Value {
        let text = self.names[name].clone();
        self.heap.new_str(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_has_is_forgotten_and_its_number_given_out_again() {
        let mut names = Names::new(&["a".into(), "b".into()], 0);
        names.keep_all();
        let numbers: Vec<Name> = ["c", "d", "e"].map(|it| names.intern(it).0).into();
        names.keep(numbers[2]);
        names.retain(|it| it == numbers[0]);
        assert_eq!(names.find("d"), None);
        assert_eq!(names.intern("f").0, numbers[1]);
        for (text, number) in [("a", 0), ("b", 1), ("c", 2), ("f", 3), ("e", 4)] {
            assert_eq!(names.find(text), Some(Name(number)));
            assert_eq!(&*names[Name(number)], text);
        }
        // The empty text is a name like others.
        let empty = names.intern("").0;
        names.retain(|_| false);
        assert_eq!((names.find(""), names.find("c")), (None, None));
        assert_eq!(names.intern("g").0, empty);
    }
}
