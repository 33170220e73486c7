//! What Mini leaves out, and how it says so: the construct by its name, its place, and the way out.
//! Only the user's script is refused anything.

use crate::compile::left_out;
use crate::compile::modules::{LIBRARY, ModuleText, Origin};
use crate::compile::resolve::Resolver;
use crate::compile::scope::{ScopeId, ScopeKind};
use crate::compile::standard::{self, Instead};
use crate::diagnostic::Code;
use crate::source::Span;
use crate::syntax::ast::{Argument, ClassDef, Expr, ExprKind, Ident, ImportName, Symbol};

/// Builtins of CPython that Mini leaves out, each with the way out; nothing is said where there is
/// none. Which of them the program does have is asked first.
const BUILTINS: &[(&str, &str)] = &[
    (
        "BaseExceptionGroup",
        "raise one exception, and keep the others in a list of it",
    ),
    ("BytesWarning", ""),
    ("ConnectionAbortedError", ""),
    ("ConnectionRefusedError", ""),
    ("ConnectionResetError", ""),
    ("EncodingWarning", ""),
    ("EnvironmentError", "use `OSError`"),
    (
        "ExceptionGroup",
        "raise one exception, and keep the others in a list of it",
    ),
    ("FileExistsError", ""),
    ("FileNotFoundError", ""),
    ("IOError", "use `OSError`"),
    ("ImportWarning", ""),
    ("InterruptedError", ""),
    ("IsADirectoryError", ""),
    ("NotADirectoryError", ""),
    ("PendingDeprecationWarning", ""),
    ("TabError", ""),
    ("UnicodeTranslateError", ""),
    ("UnicodeWarning", ""),
    ("__build_class__", "write a `class` statement"),
    ("__builtins__", "the built-in names need no prefix"),
    ("__import__", "write an `import` statement"),
    ("__loader__", "Mini has no import machinery to look into"),
    ("__package__", "a script belongs to no package"),
    ("__spec__", "Mini has no import machinery to look into"),
    ("__annotations__", "Mini does not keep annotations"),
    ("aiter", "Mini has no `async`; use threads"),
    ("anext", "Mini has no `async`; use threads"),
    (
        "breakpoint",
        "use `print`, or look at the run with `mini run --timeline`",
    ),
    ("bytearray", "use `bytes`, or a list of integers"),
    ("compile", "Mini compiles a script once, before it starts"),
    ("complex", "Mini has no complex numbers; keep two floats"),
    ("copyright", "see the file LICENSE"),
    ("credits", "see the file README"),
    ("dir", "Mini does not list the names of an object"),
    ("eval", "Mini compiles a script once, before it starts"),
    ("exec", "Mini compiles a script once, before it starts"),
    ("exit", "write `import sys` and `sys.exit()`"),
    ("globals", "name the variable, or keep a dict of your own"),
    ("help", "`mini explain` has the help"),
    ("license", "see the file LICENSE"),
    ("locals", "name the variable, or keep a dict of your own"),
    ("memoryview", "use `bytes` and slices"),
    (
        "open",
        "a script cannot touch the machine it runs on; keep the data in the script or read it with `input()`",
    ),
    ("quit", "write `import sys` and `sys.exit()`"),
    ("vars", "name the attributes, or keep a dict of your own"),
];

/// Special methods that Mini does not call, so that defining them would be silently different.
const METHODS: &[(&str, &str)] = &[
    ("__aenter__", "Mini has no `async`; use threads"),
    ("__aexit__", "Mini has no `async`; use threads"),
    ("__aiter__", "Mini has no `async`; use threads"),
    ("__anext__", "Mini has no `async`; use threads"),
    ("__await__", "Mini has no `async`; use threads"),
    ("__buffer__", "Mini's bytes come from `bytes` alone"),
    ("__class_getitem__", "Mini's classes take no type arguments"),
    (
        "__del__",
        "Mini does not say when an object goes; use `with` or `try … finally`",
    ),
    (
        "__delete__",
        "Mini's only descriptors are methods, `property`, `staticmethod` and `classmethod`",
    ),
    (
        "__get__",
        "Mini's only descriptors are methods, `property`, `staticmethod` and `classmethod`",
    ),
    (
        "__getattribute__",
        "`__getattr__` is called for names that are not found",
    ),
    (
        "__getnewargs__",
        "values that cross to another process are copied attribute by attribute",
    ),
    (
        "__getstate__",
        "values that cross to another process are copied attribute by attribute",
    ),
    ("__init_subclass__", "use a decorator on the class"),
    (
        "__instancecheck__",
        "`isinstance` follows the classes' own tree",
    ),
    (
        "__imatmul__",
        "Mini has no operator `@`; write a method with a name",
    ),
    (
        "__matmul__",
        "Mini has no operator `@`; write a method with a name",
    ),
    ("__mro_entries__", "a class has one base, which is a class"),
    (
        "__new__",
        "use `__init__`, or a function that makes the object",
    ),
    ("__prepare__", "Mini has no metaclasses"),
    (
        "__reduce__",
        "values that cross to another process are copied attribute by attribute",
    ),
    (
        "__reduce_ex__",
        "values that cross to another process are copied attribute by attribute",
    ),
    (
        "__set__",
        "Mini's only descriptors are methods, `property`, `staticmethod` and `classmethod`",
    ),
    (
        "__set_name__",
        "Mini's only descriptors are methods, `property`, `staticmethod` and `classmethod`",
    ),
    (
        "__setstate__",
        "values that cross to another process are copied attribute by attribute",
    ),
    (
        "__subclasscheck__",
        "`issubclass` follows the classes' own tree",
    ),
];

fn entry(table: &'static [(&'static str, &'static str)], name: &str) -> Option<&'static str> {
    let mut entries = table.iter();
    entries
        .find(|(known, _)| *known == name)
        .map(|(_, help)| *help)
}

/// A name that is no variable of the program.
pub(super) fn global_name(resolver: &mut Resolver, scope: ScopeId, name: Symbol) {
    if resolver.origin != Origin::Script || resolver.scopes.module_bound.contains_key(&name) {
        return;
    }
    let text = resolver.interner.text(name).to_owned();
    let text = &text[..];
    if (resolver.environment.is_builtin)(text) && !text.starts_with('_') {
        return;
    }
    if let Some(help) = entry(BUILTINS, text) {
        let message = format!("`{text}` is left out of Mini");
        let span = resolver.scopes.get(scope).mentions[&name].span;
        let code = match text {
            "eval" | "exec" | "compile" => Code::E0610,
            "globals" | "locals" | "vars" | "dir" => Code::E0611,
            _ => Code::E0618,
        };
        resolver.report(code, span, message, (!help.is_empty()).then_some(help));
    }
}

/// A function that is defined in a class body.
pub(super) fn method(resolver: &mut Resolver, scope: ScopeId, name: Ident) {
    if resolver.origin != Origin::Script || resolver.scopes.get(scope).kind != ScopeKind::Class {
        return;
    }
    let text = resolver.interner.text(name.name);
    if let Some(help) = entry(METHODS, text) {
        let message = format!("the special method `{text}` is left out of Mini");
        resolver.report(Code::E0619, name.span, message, Some(help));
    }
}

/// A name that is assigned in a class body.
pub(super) fn class_variable(resolver: &mut Resolver, scope: ScopeId, name: Symbol, span: Span) {
    if resolver.origin != Origin::Script || resolver.scopes.get(scope).kind != ScopeKind::Class {
        return;
    }
    if resolver.interner.text(name) == "__slots__" {
        let message = "`__slots__` is left out of Mini";
        let help = "leave the line out: Mini's objects are small without it";
        resolver.report(Code::E0619, span, message, Some(help));
        return;
    }
    method(resolver, scope, Ident { name, span });
}

/// The head of a class statement.
pub(super) fn class(resolver: &mut Resolver, it: &ClassDef) {
    let mut bases = 0;
    for argument in &it.arguments {
        match argument {
            Argument::Positional(base) => {
                bases += 1;
                if bases == 2 {
                    let message = "a class with more than one base is left out of Mini";
                    let help =
                        "keep one base, and hold an object of the other class in an attribute";
                    resolver.report(Code::E0608, base.span, message, Some(help));
                }
            }
            Argument::Star(value) | Argument::DoubleStar(value) => {
                let message = "star-arguments of a class are left out of Mini";
                resolver.report(Code::E0609, value.span, message, Some("name the one base"));
            }
            Argument::Keyword(name, _) => {
                let (message, help) = if resolver.interner.text(name.name) == "metaclass" {
                    (
                        "metaclasses are left out of Mini".to_owned(),
                        "use a decorator on the class; for abstract methods, raise `NotImplementedError`",
                    )
                } else {
                    let text = resolver.interner.text(name.name);
                    (
                        format!("the class keyword `{text}` is left out of Mini"),
                        "use a decorator on the class",
                    )
                };
                resolver.report(Code::E0609, name.span, message, Some(help));
            }
        }
    }
}

/// A class whose base is a builtin name: only `object` and the exceptions can be extended.
pub(super) fn base(resolver: &mut Resolver, span: Span, name: Symbol) {
    let name = resolver.interner.text(name).to_owned();
    if resolver.origin == Origin::Script && !is_extensible(&name) {
        let message = format!("a class that extends `{name}` is left out of Mini");
        let help = format!("keep a `{name}` in an attribute of the object");
        resolver.report(Code::E0613, span, message, Some(&help));
    }
}

fn is_extensible(name: &str) -> bool {
    matches!(
        name,
        "object"
            | "BaseException"
            | "Exception"
            | "GeneratorExit"
            | "KeyboardInterrupt"
            | "StopAsyncIteration"
            | "StopIteration"
            | "SystemExit"
            | "Warning"
    ) || name.ends_with("Error")
        || name.ends_with("Warning")
}

/// A call: `type(name, bases, namespace)` makes a class.
pub(super) fn call(
    resolver: &mut Resolver,
    scope: ScopeId,
    function: &Expr,
    count: usize,
    span: Span,
) {
    if let ExprKind::Name(name) = function.kind
        && count == 3
        && resolver.origin == Origin::Script
        && resolver.interner.text(name) == "type"
    {
        resolver.made_classes.push((scope, name, span));
    }
}

/// `type(name, bases, namespace)`, where `type` is the builtin.
pub(super) fn made_class(resolver: &mut Resolver, span: Span) {
    let message = "`type` with three arguments is left out of Mini";
    resolver.report(
        Code::E0620,
        span,
        message,
        Some("write a `class` statement"),
    );
}

/// An import of a module that Mini does not have.
pub(super) fn module(resolver: &mut Resolver, path: &str, span: Span) {
    if path == "__future__" {
        let message = "`import __future__` is left out of Mini";
        let help = "write `from __future__ import annotations`, or leave the line out";
        resolver.report(Code::E0612, span, message, Some(help));
        return;
    }
    let instead = standard::instead(path);
    let message = match instead {
        Some(_) => format!("the module `{path}` is left out of Mini"),
        None => format!("there is no module `{path}` in Mini"),
    };
    let help = match instead {
        Some(Instead::Use(help)) => help.to_owned(),
        Some(Instead::Nothing) => {
            let has = available(resolver);
            format!("Mini is a laboratory for threads, processes and locks; for them {has}")
        }
        None => {
            let own = format!("modules of your own are left out; {}", available(resolver));
            let candidates = LIBRARY.iter().copied().filter(|it| known(resolver, it));
            match closest(path, candidates) {
                Some(near) => format!("did you mean `{near}`? {own}"),
                None => own,
            }
        }
    };
    resolver.report(Code::E0612, span, message, Some(&help));
}

fn known(resolver: &Resolver, name: &str) -> bool {
    (resolver.environment.embedded)(name).is_some()
}

fn available(resolver: &Resolver) -> String {
    let names: Vec<&str> = LIBRARY
        .iter()
        .copied()
        .filter(|name| known(resolver, name) && !name.starts_with('_'))
        .collect();
    if names.is_empty() {
        return "and no module is built in".to_owned();
    }
    format!("Mini has {}", names.join(", "))
}

/// `from module import name`, where the module does not define it.
pub(super) fn imported_name(resolver: &mut Resolver, module: &ModuleText, name: Ident) {
    missing(resolver, module, name, "cannot import name");
}

/// `module.name`, where the module does not define it.
pub(super) fn module_attribute(resolver: &mut Resolver, module: &ModuleText, name: Ident) {
    if matches!(
        resolver.interner.text(name.name),
        "__name__" | "__doc__" | "__file__"
    ) {
        return;
    }
    missing(resolver, module, name, "no name");
}

fn missing(resolver: &mut Resolver, module: &ModuleText, name: Ident, what: &str) {
    let text = resolver.interner.text(name.name).to_owned();
    let names = module.public.iter().map(|&it| resolver.interner.text(it));
    let help = left_out::reason(&module.name, &text)
        .map(str::to_owned)
        .or_else(|| {
            let near = closest(&text, names).map(|near| format!("did you mean `{near}`?"));
            match (near, left_out::purpose(&module.name)) {
                (Some(near), Some(purpose)) => Some(format!("{near} {purpose}")),
                (near, purpose) => near.or(purpose.map(str::to_owned)),
            }
        });
    let joint = if what == "no name" { "in" } else { "from" };
    let message = format!("{what} `{text}` {joint} Mini's `{}`", module.name);
    resolver.report(Code::E0617, name.span, message, help.as_deref());
}

/// `from __future__ import …`.
pub(super) fn future(resolver: &mut Resolver, names: &[ImportName]) {
    for name in names {
        let text = resolver.interner.text(name.path.name).to_owned();
        let accepted = matches!(
            &text[..],
            "annotations"
                | "absolute_import"
                | "division"
                | "generator_stop"
                | "generators"
                | "nested_scopes"
                | "print_function"
                | "unicode_literals"
                | "with_statement"
        );
        if !accepted {
            let message = format!("future feature {text} is not defined");
            resolver.report(Code::E0617, name.path.span, message, None);
        }
    }
}

/// The candidate that looks most like `name`, if one is near enough to be meant.
fn closest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    let length = name.chars().count();
    let limit = (length / 3).clamp(1, 3);
    candidates
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= limit)
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}

/// Edit distance, upper and lower case counted as the same letter.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.to_lowercase().chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
