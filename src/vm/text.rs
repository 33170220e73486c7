//! Strings: immutable texts with a cached hash and length, and buffers that let `s += piece` take time in proportion to the piece.
//!
//! A long string made by concatenation is a *prefix* of a growable buffer. Appending to the string that is the whole buffer extends the buffer in
//! place: all older prefixes stay what they were. (The same idea as Go's slices; CPython gets the effect from a reference count of one.)

pub mod character;
pub mod codec;
mod quote;
pub mod search;

pub use quote::{ascii_str, escape_non_ascii, repr_bytes, repr_str};

use crate::vm::value::Ref;
use std::cell::Cell;
use std::sync::Arc;

/// A growable text that strings are prefixes of.
#[derive(Clone, Debug, Default)]
pub struct Buffer(pub String);

/// A string object. Its text is `heap.text(…)`.
#[derive(Clone, Debug)]
pub struct Str {
    pub(super) form: Form,
    /// Length in characters.
    pub(super) chars: u32,
    /// Length in bytes; equal to `chars` exactly for ASCII.
    pub(super) bytes: u32,
    /// The hash, or 0 before it is first asked for.
    pub(super) hash: Cell<u64>,
}

/// Where the text is.
#[derive(Clone, Debug)]
pub(super) enum Form {
    Whole(Arc<str>),
    /// The first `bytes` bytes of a buffer.
    Prefix(Ref<Buffer>),
}

impl Default for Str {
    fn default() -> Str {
        Str {
            form: Form::Whole("".into()),
            chars: 0,
            bytes: 0,
            hash: Cell::new(0),
        }
    }
}

impl Str {
    /// A string with a text of its own.
    #[must_use]
    pub fn new(text: Arc<str>) -> Str {
        Str {
            chars: if text.is_ascii() {
                text.len() as u32
            } else {
                text.chars().count() as u32
            },
            bytes: text.len() as u32,
            form: Form::Whole(text),
            hash: Cell::new(0),
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

    /// Does each character take one byte, so that indices are offsets?
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.chars == self.bytes
    }
}
