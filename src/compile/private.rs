//! Private names: inside `class C`, `__x` means `_C__x` (`Python/compile.c`, `_Py_Mangle`).

use crate::syntax::ast::{Interner, Symbol};

/// The name that `name` stands for inside the class `private`.
pub(super) fn mangle(interner: &mut Interner, private: Option<Symbol>, name: Symbol) -> Symbol {
    let Some(class) = private else {
        return name;
    };
    let text = interner.text(name);
    if !text.starts_with("__") || text.ends_with("__") || text.contains('.') {
        return name;
    }
    let class = interner.text(class).trim_start_matches('_');
    if class.is_empty() {
        return name;
    }
    let mangled = format!("_{class}{text}");
    interner.intern(&mangled)
}
