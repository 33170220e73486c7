//! Texts that the compiler makes out of a script's own: private names (inside `class C`, `__x`
//! means `_C__x`; `Python/compile.c`, `_Py_Mangle`), qualified names, folded strings. They are made
//! of short parts that may be repeated often, so that a script of a few kilobytes could ask for
//! gigabytes; hence there is a limit to all of them together.

use crate::syntax::ast::{Interner, Symbol};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// What has been made, and how much more may be.
pub(super) struct Derived {
    /// Bytes.
    left: usize,
    /// A name was wanted that there was no room for.
    pub(super) exhausted: bool,
    private: FxHashMap<(Symbol, Symbol), Symbol>,
}

impl Derived {
    /// For texts of so many bytes together; none by people comes near the limit.
    pub(super) fn of_texts(bytes: usize) -> Derived {
        Derived {
            left: 64 * bytes + (1 << 20),
            exhausted: false,
            private: FxHashMap::default(),
        }
    }

    /// Is there room for so many bytes? Then they are taken.
    pub(super) fn take(&mut self, bytes: usize) -> bool {
        let enough = bytes <= self.left;
        if enough {
            self.left -= bytes;
        }
        enough
    }

    /// The name of something within something else.
    pub(super) fn qualified(&mut self, outer: &str, joint: &str, name: &Arc<str>) -> Arc<str> {
        if self.take(outer.len() + joint.len() + name.len()) {
            format!("{outer}{joint}{name}").into()
        } else {
            self.exhausted = true;
            name.clone()
        }
    }

    /// The name that `name` stands for inside the class `private`.
    pub(super) fn mangle(
        &mut self,
        interner: &mut Interner,
        private: Option<Symbol>,
        name: Symbol,
    ) -> Symbol {
        let Some(class) = private else {
            return name;
        };
        let text = interner.text(name);
        if !text.starts_with("__") || text.ends_with("__") || text.contains('.') {
            return name;
        }
        if let Some(&found) = self.private.get(&(class, name)) {
            return found;
        }
        let prefix = interner.text(class).trim_start_matches('_');
        let found = if prefix.is_empty() {
            name
        } else if self.take(1 + prefix.len() + text.len()) {
            {
                let mangled = format!("_{prefix}{text}");
                interner.intern(&mangled)
            }
        } else {
            self.exhausted = true;
            name
        };
        self.private.insert((class, name), found);
        found
    }
}
