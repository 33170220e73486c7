//! Sorts the lines of an assembly text into modules, functions and source texts. Looks into no
//! instruction.

use super::report;
use super::tree::{At, Detail, Directive, Instruction, Item, Parameter, SourceName};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use num_bigint::BigInt;
use rustc_hash::FxHashMap;

/// The text, sorted.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    /// At least one; the first is the script.
    pub(crate) modules: Vec<ModuleDraft>,
    pub(crate) codes: Vec<CodeDraft>,
    pub(crate) texts: Vec<TextDraft>,
}

#[derive(Debug)]
pub(crate) struct ModuleDraft {
    pub(crate) name: At<String>,
    /// Whether each is a builtin while unbound, with its name.
    pub(crate) globals: Vec<(bool, At<String>)>,
    /// Its own code, an index into `Outline::codes`.
    pub(crate) code: usize,
}

#[derive(Debug)]
pub(crate) struct TextDraft {
    pub(crate) name: SourceName,
    pub(crate) text: String,
}

#[derive(Debug)]
pub(crate) struct GuardDraft {
    pub(crate) start: At<String>,
    pub(crate) end: At<String>,
    pub(crate) target: At<String>,
    pub(crate) exception: At<String>,
}

/// A function, or the instructions of a module outside of functions.
#[derive(Debug)]
pub(crate) struct CodeDraft {
    /// An index into `Outline::modules`.
    pub(crate) module: usize,
    /// What `func` calls it.
    pub(crate) symbol: At<String>,
    pub(crate) parameters: Vec<At<Parameter>>,
    pub(crate) source: Option<SourceName>,
    pub(crate) name: Option<String>,
    pub(crate) qualname: Option<String>,
    pub(crate) doc: Option<String>,
    pub(crate) line: Option<At<BigInt>>,
    pub(crate) registers: Option<At<BigInt>>,
    pub(crate) generator: bool,
    pub(crate) internal: bool,
    pub(crate) captures: Vec<At<String>>,
    /// Absent: the parameters.
    pub(crate) locals: Option<Vec<(At<String>, At<String>)>>,
    pub(crate) guards: Vec<GuardDraft>,
    /// The first and the last label of each.
    pub(crate) comprehensions: Vec<(At<String>, At<String>)>,
    /// The instruction that each label stands before.
    pub(crate) labels: FxHashMap<String, u32>,
    pub(crate) instructions: Vec<Instruction>,
}

/// Where a line belongs.
#[derive(Clone, Copy)]
enum Current {
    Code(usize),
    Text(usize),
}

/// Sorts the lines.
pub(crate) fn outline(items: Vec<Item>, diagnostics: &mut Vec<Diagnostic>) -> Outline {
    let mut sorter = Sorter {
        outline: Outline::default(),
        current: Current::Code(0),
        diagnostics,
    };
    let named = matches!(items.first(), Some(Item::Directive(first)) if matches!(first.value, Directive::Module(_)));
    if !named {
        sorter.module(At::new(0, 0, "__main__".to_owned()));
    }
    for item in items {
        sorter.item(item);
    }
    sorter.outline
}

struct Sorter<'a> {
    outline: Outline,
    current: Current,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Sorter<'_> {
    fn report(&mut self, code: Code, span: Span, message: impl Into<String>) {
        report(self.diagnostics, code, span, message.into());
    }

    fn item(&mut self, item: Item) {
        match item {
            Item::Directive(At { span, value }) => self.directive(span, value),
            Item::Label(label) => {
                let Some(code) = self.code(label.span) else {
                    return;
                };
                let at = code.instructions.len() as u32;
                if code.labels.insert(label.value.clone(), at).is_some() {
                    let message =
                        format!("the label {} stands twice in this function", label.value);
                    self.report(Code::E0705, label.span, message);
                }
            }
            Item::Instruction(instruction) => {
                if let Some(code) = self.code(instruction.span) {
                    code.instructions.push(instruction);
                }
            }
            Item::SourceLine(line) => match self.current {
                Current::Text(text) => self.outline.texts[text].text.push_str(&line.value),
                Current::Code(_) => {
                    self.report(
                        Code::E0707,
                        line.span,
                        "a line of a source text must stand below its `.text`",
                    );
                }
            },
        }
    }

    /// The code that this line belongs to.
    fn code(&mut self, span: Span) -> Option<&mut CodeDraft> {
        match self.current {
            Current::Code(code) => Some(&mut self.outline.codes[code]),
            Current::Text(_) => {
                self.report(Code::E0707, span, "nothing but its lines can stand below a `.text`; begin with `.func` or `.module`");
                None
            }
        }
    }

    fn module(&mut self, name: At<String>) {
        let mut modules = self.outline.modules.iter();
        if modules.any(|module| module.name.value == name.value) {
            let message = format!("the module {} stands twice in the text", name.value);
            self.report(Code::E0705, name.span, message);
        }
        let code = self.outline.codes.len();
        let span = name.span;
        self.outline.modules.push(ModuleDraft {
            name,
            globals: Vec::new(),
            code,
        });
        self.function(
            At {
                span,
                value: "<module>".to_owned(),
            },
            Vec::new(),
        );
    }

    fn function(&mut self, symbol: At<String>, parameters: Vec<At<Parameter>>) {
        let module = self.outline.modules.len() - 1;
        // The functions of a module have its source unless they say otherwise.
        let top = self.outline.codes.get(self.outline.modules[module].code);
        let source = top.and_then(|top| top.source.clone());
        self.current = Current::Code(self.outline.codes.len());
        self.outline.codes.push(CodeDraft {
            module,
            symbol,
            parameters,
            source,
            name: None,
            qualname: None,
            doc: None,
            line: None,
            registers: None,
            generator: false,
            internal: false,
            captures: Vec::new(),
            locals: None,
            guards: Vec::new(),
            comprehensions: Vec::new(),
            labels: FxHashMap::default(),
            instructions: Vec::new(),
        });
    }

    fn directive(&mut self, span: Span, directive: Directive) {
        match directive {
            Directive::Module(name) => self.module(name),
            Directive::Func(symbol, parameters) => self.function(symbol, parameters),
            Directive::Text(name) => {
                self.current = Current::Text(self.outline.texts.len());
                let text = String::new();
                self.outline.texts.push(TextDraft { name, text });
            }
            Directive::Globals(globals) => self.globals(span, globals),
            Directive::Detail(detail) => self.detail(span, detail),
        }
    }

    fn detail(&mut self, span: Span, detail: Detail) {
        let Some(code) = self.code(span) else {
            return;
        };
        let again = match detail {
            Detail::Source(name) => {
                code.source = Some(name);
                false
            }
            Detail::Name(text) => code.name.replace(text).is_some(),
            Detail::Qualname(text) => code.qualname.replace(text).is_some(),
            Detail::Doc(text) => code.doc.replace(text).is_some(),
            Detail::Line(line) => code.line.replace(line).is_some(),
            Detail::Registers(number) => code.registers.replace(number).is_some(),
            Detail::Generator => std::mem::replace(&mut code.generator, true),
            Detail::Internal => std::mem::replace(&mut code.internal, true),
            Detail::Captures(captures) => {
                let again = !code.captures.is_empty();
                code.captures.extend(captures);
                again
            }
            Detail::Locals(locals) => code.locals.replace(locals).is_some(),
            Detail::Guard {
                start,
                end,
                target,
                exception,
            } => {
                code.guards.push(GuardDraft {
                    start,
                    end,
                    target,
                    exception,
                });
                false
            }
            Detail::Comprehension { start, end } => {
                code.comprehensions.push((start, end));
                false
            }
        };
        if again {
            self.report(
                Code::E0705,
                span,
                "this directive stands twice in the function",
            );
        }
    }

    fn globals(&mut self, span: Span, globals: Vec<(Option<At<String>>, At<String>)>) {
        let module = self.outline.modules.len() - 1;
        let top = self.outline.modules[module].code;
        if !matches!(self.current, Current::Code(code) if code == top) {
            self.report(
                Code::E0707,
                span,
                "`.globals` belongs to a module and must stand before its functions",
            );
            return;
        }
        for (mark, name) in globals {
            if let Some(mark) = &mark
                && mark.value != "builtin"
            {
                let message = format!(
                    "{} before a name; only `builtin` can stand there",
                    mark.value
                );
                self.report(Code::E0701, mark.span, message);
            }
            self.outline.modules[module]
                .globals
                .push((mark.is_some(), name));
        }
    }
}
