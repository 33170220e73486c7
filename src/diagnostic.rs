//! Diagnostics as data: what is wrong with a text, where, and what to do. The one table of codes. Prints nothing.

use crate::source::{SourceId, Span};

macro_rules! codes {
    ($($code:ident $title:literal $explanation:literal)*) => {
        /// A diagnostic's code: stable, greppable, explained by `mini explain`.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        pub enum Code { $(#[doc = $title] $code,)* }

        impl Code {
            /// All codes, in order.
            pub const ALL: &'static [Code] = &[$(Code::$code),*];

            /// The code as users see and type it.
            #[must_use]
            pub fn name(self) -> &'static str { match self { $(Code::$code => stringify!($code)),* } }

            /// One line: what the code stands for.
            #[must_use]
            pub fn title(self) -> &'static str { match self { $(Code::$code => $title),* } }

            /// The long explanation, with an example.
            #[must_use]
            pub fn explanation(self) -> &'static str { match self { $(Code::$code => $explanation),* } }
        }
    };
}

// E01xx: characters and tokens. E02xx: layout. E03xx: grammar. E04xx: names and places of statements. E05xx: limits. E06xx: left out of Mini.
// E07xx: assembly text.
codes! {
    E0101 "a character that no token begins with" "a character that no token begins with"
    E0102 "a string that does not end on its line" "a string that does not end on its line"
    E0103 "a triple-quoted string that does not end" "a triple-quoted string that does not end"
    E0104 "a malformed number" "a malformed number"
    E0105 "a malformed escape in a string" "a malformed escape in a string"
    E0106 "a character outside ASCII in a bytes literal" "a character outside ASCII in a bytes literal"
    E0107 "a malformed f-string" "a malformed f-string"
    E0108 "an f-string that holds its own quotes" "an f-string that holds its own quotes"
    E0109 "a backslash out of place" "a backslash out of place"
    E0110 "a null byte in the text" "a null byte in the text"
    E0111 "a text that is not UTF-8" "a text that is not UTF-8"
    E0112 "string and bytes literals side by side" "string and bytes literals side by side"
    E0113 "a name with characters that Python would replace" "a name with characters that Python would replace"
    E0201 "a line indented for no reason" "a line indented for no reason"
    E0202 "a line that lines up with no earlier one" "a line that lines up with no earlier one"
    E0203 "tabs and spaces mixed in indentation" "tabs and spaces mixed in indentation"
    E0204 "a missing block" "a missing block"
    E0205 "a bracket that is never closed" "a bracket that is never closed"
    E0206 "a closing bracket without an opening one" "a closing bracket without an opening one"
    E0207 "brackets that do not match" "brackets that do not match"
    E0301 "invalid syntax" "invalid syntax"
    E0302 "a missing colon" "a missing colon"
    E0303 "a missing comma" "a missing comma"
    E0304 "`=` where `==` was meant" "`=` where `==` was meant"
    E0305 "`else if` for `elif`" "`else if` for `elif`"
    E0306 "`print` as a statement" "`print` as a statement"
    E0307 "a sign or word of another language" "a sign or word of another language"
    E0308 "`try` without `except` or `finally`" "`try` without `except` or `finally`"
    E0309 "a decorator with nothing to decorate" "a decorator with nothing to decorate"
    E0310 "a generator expression without parentheses" "a generator expression without parentheses"
    E0311 "arguments in the wrong order" "arguments in the wrong order"
    E0312 "a conditional expression without `else`" "a conditional expression without `else`"
    E0313 "exception types without parentheses" "exception types without parentheses"
    E0401 "an assignment to something that is no target" "an assignment to something that is no target"
    E0402 "a deletion of something that is no target" "a deletion of something that is no target"
    E0403 "a star out of place" "a star out of place"
    E0404 "a parameter that stands twice" "a parameter that stands twice"
    E0405 "parameters in the wrong order" "parameters in the wrong order"
    E0406 "a keyword argument that stands twice" "a keyword argument that stands twice"
    E0407 "`return` outside a function" "`return` outside a function"
    E0408 "`break` or `continue` outside a loop" "`break` or `continue` outside a loop"
    E0409 "`yield` outside a function" "`yield` outside a function"
    E0410 "a name used before its `global` or `nonlocal` declaration" "a name used before its `global` or `nonlocal` declaration"
    E0411 "`nonlocal` at module level" "`nonlocal` at module level"
    E0412 "`nonlocal` for a name that no outer function has" "`nonlocal` for a name that no outer function has"
    E0413 "a name both `global` and `nonlocal`" "a name both `global` and `nonlocal`"
    E0414 "a bare `except` that is not the last" "a bare `except` that is not the last"
    E0415 "`import *` inside a function or class" "`import *` inside a function or class"
    E0501 "brackets nested too deeply" "brackets nested too deeply"
    E0502 "blocks nested too deeply" "blocks nested too deeply"
    E0503 "an expression nested too deeply" "an expression nested too deeply"
    E0504 "an integer with too many digits" "an integer with too many digits"
    E0505 "a name that is too long" "a name that is too long"
    E0506 "a line that is too long" "a line that is too long"
    E0507 "a text that is too long" "a text that is too long"
    E0508 "a function too large to compile" "a function too large to compile"
    E0601 "`async` and `await`" "`async` and `await`"
    E0602 "the `match` statement" "the `match` statement"
    E0603 "the walrus operator" "the walrus operator"
    E0604 "matrix multiplication" "matrix multiplication"
    E0605 "complex numbers" "complex numbers"
    E0606 "exception groups" "exception groups"
    E0607 "type aliases and type parameters" "type aliases and type parameters"
    E0608 "multiple inheritance" "multiple inheritance"
    E0609 "metaclasses and other class keywords" "metaclasses and other class keywords"
    E0610 "running text as code" "running text as code"
    E0611 "the namespaces as dicts" "the namespaces as dicts"
    E0612 "a module that Mini does not have" "a module that Mini does not have"
    E0613 "a subclass of a built-in type" "a subclass of a built-in type"
    E0614 "characters by name" "characters by name"
    E0615 "lone surrogates" "lone surrogates"
    E0616 "relative imports" "relative imports"
    E0617 "a name that a module of Mini does not have" "a name that a module of Mini does not have"
    E0618 "a built-in function or class that Mini does not have" "a built-in function or class that Mini does not have"
    E0619 "a special method or attribute that Mini does not have" "a special method or attribute that Mini does not have"
    E0620 "a rare form that Mini does not have" "a rare form that Mini does not have"
    E0701 "a line of assembly text that does not read" "A line of a `.masm` file is a label (`loop:`), a directive (`.func worker(x)`), or an instruction with its operands, separated by commas:

    loop:
        addi    r0, r0, 1
        jlti    r0, 10, loop

`mini dis FILE` prints any program in this form; docs/bytecode.md describes it."
    E0702 "no such instruction or directive" "The words that may begin a line of a `.masm` file are the instructions of the table in docs/bytecode.md and the directives, which begin with a point."
    E0703 "the wrong operands" "Each instruction takes the operands that docs/bytecode.md lists for it, in that order:

    add     r0, r1, r2      ; three registers
    gget    r0, counter     ; a register and a module-level variable
    aget    r0, r1, .name   ; two registers and an attribute
    callkw  1, r0, r0, (sep)

A flag that is usually one way may be left away: `jif r0, loop` is `jif true, r0, loop`."
    E0704 "a name that nothing in the text defines" "A label must stand in the same function as the jump to it; a function that `func` makes must begin with `.func` in the same module; a module that `import` names must stand in the text or be one of Mini's own."
    E0705 "defined twice" "A label may stand once in a function, a function or a variable once in a module, a module once in the text."
    E0706 "too large" "A number, a distance or a text does not fit into the place that the instruction has for it. A conditional jump reaches 32,767 instructions; place a `jump`, which reaches further, where it can."
    E0707 "a directive out of its place" "`.globals` and `.module` describe a module, `.func` begins a function, and the other directives describe the function (or the module) they stand in. Lines of a source text stand below `.text` alone."
    E0708 "a program that may not run" "The text was read, but the program breaks a rule that every program must keep before Mini runs it: that registers exist, that jumps stay inside, that a function ends in `ret`, `jump` or `raise`. docs/bytecode.md lists them."
}

/// A message about a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of problem.
    pub code: Code,
    /// Which text.
    pub source: SourceId,
    /// The place the caret points to.
    pub span: Span,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What stands at the caret (may be empty).
    pub label: String,
    /// Other places that matter, each with its text.
    pub related: Vec<(Span, String)>,
    /// The way out, if there is one.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A diagnostic with a message and nothing more yet.
    #[must_use]
    pub fn new(code: Code, source: SourceId, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            source,
            span,
            message: message.into(),
            label: String::new(),
            related: Vec::new(),
            help: None,
        }
    }
}
