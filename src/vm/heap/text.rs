//! Strings: immutable texts with a cached hash and length, and buffers that let `s += piece` take
//! time in proportion to the piece.
//!
//! A long string made by concatenation is a *prefix* of a growable buffer. Appending to the string
//! that is the whole buffer extends the buffer in place: all older prefixes stay what they were.
//! (The same idea as Go's slices; CPython gets the effect from a reference count of one.)

pub mod character;
pub mod codec;
mod quote;
pub mod search;

pub use quote::{ascii_str, escape_non_ascii, repr_bytes, repr_str};

use crate::vm::heap::value::Ref;
use smol_str::SmolStr;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a shared text on the heap needs besides itself: two counts of its owners.
const ARC_BYTES: usize = 16;

/// A growable text that strings are prefixes of.
#[derive(Clone, Debug, Default)]
pub struct Buffer(pub String);

/// A string object. Its text is `heap.text(…)`.
#[derive(Clone, Debug)]
pub struct Str {
    pub(in crate::vm) form: Form,
    /// Length in characters.
    pub(in crate::vm) chars: u32,
    /// Length in bytes; equal to `chars` exactly for ASCII.
    pub(in crate::vm) bytes: u32,
    /// The hash, or 0 before it is first asked for.
    pub(in crate::vm) hash: CachedHash,
}

/// The hash of a string, once it is known. VMs may share a string: they find the same, whoever is
/// first.
#[derive(Debug, Default)]
pub(in crate::vm) struct CachedHash(AtomicU64);

impl CachedHash {
    pub(in crate::vm) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(in crate::vm) fn set(&self, hash: u64) {
        self.0.store(hash, Ordering::Relaxed);
    }
}

impl Clone for CachedHash {
    fn clone(&self) -> CachedHash {
        CachedHash(AtomicU64::new(self.get()))
    }
}

/// Where the text is.
#[derive(Clone, Debug)]
pub(in crate::vm) enum Form {
    /// A short one is in the object itself.
    Whole(SmolStr),
    /// The first `bytes` bytes of a buffer.
    Prefix(Ref<Buffer>),
}

impl Default for Str {
    fn default() -> Str {
        Str {
            form: Form::Whole(SmolStr::default()),
            chars: 0,
            bytes: 0,
            hash: CachedHash::default(),
        }
    }
}

impl Str {
    /// A string with a text of its own.
    #[must_use]
    pub fn new(text: SmolStr) -> Str {
        Str {
            chars: if text.is_ascii() {
                text.len() as u32
            } else {
                text.chars().count() as u32
            },
            bytes: text.len() as u32,
            form: Form::Whole(text),
            hash: CachedHash::default(),
        }
    }

    /// A string of ASCII characters alone.
    pub(in crate::vm) fn ascii(text: SmolStr) -> Str {
        Str {
            chars: text.len() as u32,
            bytes: text.len() as u32,
            form: Form::Whole(text),
            hash: CachedHash::default(),
        }
    }

    /// Length in characters.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chars as usize
    }

    /// Is it empty?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chars == 0
    }

    /// Bytes that the text takes outside of the object.
    #[must_use]
    pub fn outer_bytes(&self) -> usize {
        match &self.form {
            Form::Whole(text) if text.is_heap_allocated() => text.len() + ARC_BYTES,
            Form::Whole(_) | Form::Prefix(_) => 0,
        }
    }

    /// Does each character take one byte, so that indices are offsets?
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.chars == self.bytes
    }
}

const _: () = assert!(size_of::<Str>() == 40);
