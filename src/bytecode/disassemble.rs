//! A program as text that loses nothing: what `mini dis` prints and `assemble` reads. Knows no VM.
//!
//! Pools are not printed: a constant, a name or a variable stands where it is used, and the
//! assembler numbers them anew. So two programs that differ in the order of a pool alone have the
//! same text, and the text is what identity is measured by. The form of an instruction comes from
//! the table (`op`): its mnemonic, then its operands in order, each written according to its kind.

use crate::bytecode::code::{Capture, Code, Const, Inlined, Parameters, Program};
use crate::bytecode::op::{Choice, CodeIx, ConstIx, Flag, GlobalIx, NamesIx, Op, Operand, Reg};
use crate::source::{Source, SourceId, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The column where mnemonics begin, and the least one where places begin.
const INDENT: usize = 8;
const PLACE_COLUMN: usize = 48;

/// Longest source line shown in a comment, in characters.
const COMMENT_WIDTH: usize = 200;

/// What to print.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Each source line as a comment above its instructions.
    pub source_lines: bool,
    /// Where each instruction comes from, and the source texts themselves: without them, tracebacks
    /// of the assembled program show the assembly text.
    pub places: bool,
    /// Modules to leave out, by name: the assembler will link them again. The script is always
    /// printed.
    pub leave_out: &'a dyn Fn(&str) -> bool,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Options {
            source_lines: false,
            places: true,
            leave_out: &|_| false,
        }
    }
}

/// The text of a program. It need not be verified: an index out of range is shown as `?` and its
/// number.
#[must_use]
pub fn disassemble(program: &Program, options: Options<'_>) -> String {
    let mut listing = Listing {
        program,
        options,
        symbols: symbols(program),
        printed: BTreeSet::new(),
        out: String::new(),
    };
    let all = 0..program.modules.len();
    let modules: Vec<usize> = all
        .filter(|&index| index == 0 || !(options.leave_out)(&program.modules[index].name))
        .collect();
    if options.places {
        let codes = modules.iter().flat_map(|&module| listing.codes_of(module));
        listing.printed = codes.map(|code| program.codes[code].source).collect();
    }
    for &module in &modules {
        listing.module(module);
    }
    for source in listing.printed.clone() {
        listing.text(source);
    }
    listing.out
}

/// What `func` calls each code: its qualified name, made unique within its module by a number.
fn symbols(program: &Program) -> Vec<String> {
    let mut taken: BTreeMap<(u32, String), u32> = BTreeMap::new();
    let mut symbols = Vec::with_capacity(program.codes.len());
    for (index, code) in program.codes.iter().enumerate() {
        let module = program.modules.get(code.module as usize);
        if module.is_some_and(|module| module.code.0 as usize == index) {
            symbols.push("<module>".to_owned());
            continue;
        }
        let base = code.qualname.to_string();
        let mut symbol = base.clone();
        while taken.contains_key(&(code.module, symbol.clone())) {
            let number = taken
                .entry((code.module, base.clone()))
                .and_modify(|number| *number += 1)
                .or_insert(1);
            symbol = format!("{base}.{number}");
        }
        taken.insert((code.module, symbol.clone()), 1);
        symbols.push(symbol);
    }
    symbols
}

struct Listing<'a> {
    program: &'a Program,
    options: Options<'a>,
    symbols: Vec<String>,
    /// The sources whose text is printed.
    printed: BTreeSet<SourceId>,
    out: String,
}

impl Listing<'_> {
    fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    /// The codes of a module but for its own, in order.
    fn codes_of(&self, module: usize) -> impl Iterator<Item = usize> + use<'_> {
        let program = self.program;
        (0..program.codes.len()).filter(move |&code| program.codes[code].module as usize == module)
    }

    fn module(&mut self, index: usize) {
        let program = self.program;
        let module = &program.modules[index];
        if index > 0 {
            self.line("");
        }
        self.line(&format!(".module {}", word(&module.name)));
        let top = module.code.0 as usize;
        let source = program.codes.get(top).map(|code| code.source);
        if let Some(source) = source
            && self.options.places
        {
            self.line(&format!(".source {}", self.source_name(source)));
        }
        if !module.globals.is_empty() {
            let globals = module.globals.iter().map(|&(_, global)| {
                let flagged = program.globals.get(global.0 as usize);
                let mark = if flagged.is_some_and(|global| global.builtin) {
                    "builtin "
                } else {
                    ""
                };
                format!("{mark}{}", self.global(global))
            });
            let globals = globals.collect::<Vec<_>>().join(", ");
            self.line(&format!(".globals {globals}"));
        }
        if let Some(code) = program.codes.get(top) {
            self.code(code, "<module>");
        }
        let others: Vec<_> = self.codes_of(index).filter(|&code| code != top).collect();
        for code in others {
            let symbol = self.symbols[code].clone();
            let code = &program.codes[code];
            self.line("");
            let params = self.parameters(&code.params);
            self.line(&format!(".func {}{params}", word(&symbol)));
            if self.options.places && Some(code.source) != source {
                self.line(&format!(".source {}", self.source_name(code.source)));
            }
            self.code(code, &symbol);
        }
    }

    fn code(&mut self, code: &Code, symbol: &str) {
        if *code.qualname != *symbol {
            self.line(&format!(".qualname {:?}", code.qualname));
        }
        if *code.name != *last_part(&code.qualname) {
            self.line(&format!(".name {:?}", code.name));
        }
        if let Some(docstring) = &code.docstring {
            self.line(&format!(".doc {docstring:?}"));
        }
        if self.options.places {
            self.line(&format!(".line {}", code.first_line));
        }
        if code.generator {
            self.line(".generator");
        }
        if code.internal {
            self.line(".internal");
        }
        self.line(&format!(".registers {}", code.registers));
        if !code.captures.is_empty() {
            let captures: Vec<_> = code.captures.iter().map(|&it| capture(it)).collect();
            self.line(&format!(".captures {}", captures.join(", ")));
        }
        if code.locals != parameter_locals(&code.params) {
            let locals = code.locals.iter();
            let locals =
                locals.map(|&(Reg(reg), name)| format!("r{reg} {}", word(self.name(name.0))));
            let locals = locals.collect::<Vec<_>>().join(", ");
            self.line(&format!(".locals {locals}"));
        }
        let labels = labels(code);
        for guard in &code.handlers {
            let [start, end, target] =
                [guard.start, guard.end, guard.target].map(|at| label(&labels, i64::from(at)));
            self.line(&format!(
                ".guard {start} .. {end} -> {target}, r{}",
                guard.exception.0
            ));
        }
        for &Inlined { start, end } in &code.comprehensions {
            let [start, end] = [start, end].map(|at| label(&labels, i64::from(at)));
            self.line(&format!(".comprehension {start} .. {end}"));
        }
        self.instructions(code, &labels);
    }

    fn instructions(&mut self, code: &Code, labels: &BTreeMap<u32, usize>) {
        let source = self.program.sources.get(usize::from(code.source.0));
        let mut last_line = None;
        let mut last_place = None;
        for (at, &op) in code.ops.iter().enumerate() {
            let span = code.spans.get(at).copied().unwrap_or_default();
            let line = source.map(|source| source.line(span.start));
            if self.options.source_lines && line != last_line {
                last_line = line;
                self.comment(source, line.unwrap_or(0));
            }
            let label = labels.get(&(at as u32));
            let label = label.map_or_else(String::new, |number| format!("L{number}: "));
            let mut text = format!("{label:INDENT$}{}", self.instruction(code, at, op, labels));
            if self.options.places && last_place != Some(span) {
                last_place = Some(span);
                let place = source.map_or_else(String::new, |source| place(source, span));
                text = format!("{text:PLACE_COLUMN$} {place}");
            }
            self.line(&text);
        }
        if let Some(number) = labels.get(&(code.ops.len() as u32)) {
            self.line(&format!("L{number}:"));
        }
    }

    fn comment(&mut self, source: Option<&Source>, line: u32) {
        let text = source.map_or("", |source| source.line_text(line));
        let text = text.split(char::is_control).collect::<Vec<_>>().join(" ");
        let shown: String = text.chars().take(COMMENT_WIDTH).collect();
        let rest = if shown.len() < text.len() { "…" } else { "" };
        self.line(&format!("; {line} | {shown}{rest}"));
    }

    fn instruction(&self, code: &Code, at: usize, op: Op, labels: &BTreeMap<u32, usize>) -> String {
        let kind = op.kind();
        let fields = kind.operands().iter();
        let operands: Vec<_> = fields
            .zip(op.operands())
            .filter_map(|(&(field, _), operand)| self.operand(code, at, field, operand, labels))
            .collect();
        let mnemonic = kind.mnemonic();
        format!("{mnemonic:10} {}", operands.join(", "))
    }

    /// `None` for a flag with its usual value, which is left away.
    fn operand(
        &self,
        code: &Code,
        at: usize,
        field: &str,
        operand: Operand,
        labels: &BTreeMap<u32, usize>,
    ) -> Option<String> {
        let target = |distance: i32| label(labels, at as i64 + 1 + i64::from(distance));
        Some(match operand {
            Operand::Reg(it) => format!("r{}", it.0),
            Operand::Const(it) => self.constant(it),
            Operand::Names(it) => self.names(it),
            Operand::Global(it) => self.global(it),
            Operand::Code(CodeIx(it)) => match self.symbols.get(it as usize) {
                Some(symbol) => word(symbol),
                None => format!("?{it}"),
            },
            Operand::Module(it) => match self.program.modules.get(it.0 as usize) {
                Some(module) => word(&module.name),
                None => format!("?{}", it.0),
            },
            Operand::Site(it) => match code.sites.get(usize::from(it.0)) {
                Some(name) => match self.name(name.0) {
                    name if name.contains('.') => format!(".{name:?}"),
                    name => format!(".{}", word(name)),
                },
                None => format!(".?{}", it.0),
            },
            Operand::Free(it) => capture(Capture::Free(it)),
            Operand::Far(it) => target(it.0),
            Operand::Near(it) => target(i32::from(it.0)),
            Operand::Count(it) => it.0.to_string(),
            Operand::Count8(it) => it.0.to_string(),
            Operand::Imm(it) => it.0.to_string(),
            Operand::Imm32(it) => it.0.to_string(),
            Operand::Flag(it) if usual_flag(field) == Some(it.0) => return None,
            Operand::Flag(Flag(true)) if usual_flag(field).is_some() => field.to_owned(),
            Operand::Flag(it) => it.0.to_string(),
            Operand::Convert(it) => it.word().to_owned(),
            Operand::Compare(it) => it.word().to_owned(),
        })
    }

    fn name(&self, index: u32) -> &str {
        self.program
            .names
            .get(index as usize)
            .map_or("?", |name| name)
    }

    fn global(&self, GlobalIx(index): GlobalIx) -> String {
        match self.program.globals.get(index as usize) {
            Some(global) => word(self.name(global.name.0)),
            None => format!("?{index}"),
        }
    }

    fn names(&self, NamesIx(index): NamesIx) -> String {
        match self.program.consts.get(usize::from(index)) {
            Some(Const::Names(names)) => {
                let names: Vec<_> = names.iter().map(|name| word(self.name(name.0))).collect();
                format!("({})", names.join(", "))
            }
            _ => format!("?{index}"),
        }
    }

    /// Recursion is bounded because only items that stand before their tuple are followed, and by
    /// the depth of the text that made them.
    fn constant(&self, ConstIx(index): ConstIx) -> String {
        match self.program.consts.get(index as usize) {
            Some(Const::None) => "None".to_owned(),
            Some(Const::Ellipsis) => "...".to_owned(),
            Some(Const::Bool(true)) => "True".to_owned(),
            Some(Const::Bool(false)) => "False".to_owned(),
            Some(Const::Int(value)) => value.to_string(),
            Some(Const::BigInt(value)) => value.to_string(),
            Some(Const::Float(value)) => float(*value),
            Some(Const::Str(value)) => format!("{value:?}"),
            Some(Const::Bytes(value)) => format!("b\"{}\"", value.escape_ascii()),
            Some(Const::Tuple(items)) => {
                let mut items: Vec<_> = items
                    .iter()
                    .map(|&item| {
                        if item.0 < index {
                            self.constant(item)
                        } else {
                            format!("?{}", item.0)
                        }
                    })
                    .collect();
                if items.len() == 1 {
                    items.push(String::new());
                }
                format!("({})", items.join(", ").trim_end())
            }
            Some(Const::Builtin(name)) => word(name),
            Some(Const::Names(_)) | None => format!("?{index}"),
        }
    }

    /// As in a `def`: `(a, /, b, *args, key, **rest)`; nothing if there are none.
    fn parameters(&self, params: &Parameters) -> String {
        let mut names = params.names.iter().map(|name| word(self.name(name.0)));
        let mut parts: Vec<String> = Vec::new();
        for index in 1..=params.positional {
            parts.extend(names.next());
            if index == params.positional_only {
                parts.push("/".to_owned());
            }
        }
        let keyword_only: Vec<_> = names
            .by_ref()
            .take(usize::from(params.keyword_only))
            .collect();
        if params.star {
            parts.extend(names.next().map(|name| format!("*{name}")));
        } else if !keyword_only.is_empty() {
            parts.push("*".to_owned());
        }
        parts.extend(keyword_only);
        if params.double_star {
            parts.extend(names.next().map(|name| format!("**{name}")));
        }
        if parts.is_empty() {
            String::new()
        } else {
            format!("({})", parts.join(", "))
        }
    }

    /// The name of a source, with a number if an earlier one has the same.
    fn source_name(&self, id: SourceId) -> String {
        let sources = &self.program.sources;
        let Some(source) = sources.get(usize::from(id.0)) else {
            return format!("\"?{}\"", id.0);
        };
        let earlier = self.printed.range(..id);
        let same = earlier.filter(|other| sources[usize::from(other.0)].name == source.name);
        match same.count() {
            0 => format!("{:?}", source.name),
            same => format!("{:?} {}", source.name, same + 1),
        }
    }

    /// The text of a source, a line for each of its own.
    fn text(&mut self, id: SourceId) {
        let Some(source) = self.program.sources.get(usize::from(id.0)) else {
            return;
        };
        self.line("");
        self.line(&format!(".text {}", self.source_name(id)));
        for piece in source.text.split_inclusive('\n') {
            match piece.strip_suffix('\n') {
                Some("") => self.out.push_str("|\n"),
                Some(line) if line.chars().all(|it| it == '\t' || !it.is_control()) => {
                    let _ = writeln!(self.out, "| {line}");
                }
                _ => {
                    let _ = writeln!(self.out, "{piece:?}");
                }
            }
        }
    }
}

/// The labels that a code needs, numbered in order of their places.
fn labels(code: &Code) -> BTreeMap<u32, usize> {
    let mut places = BTreeSet::new();
    for (at, op) in code.ops.iter().enumerate() {
        for operand in op.operands() {
            let distance = match operand {
                Operand::Far(far) => far.0,
                Operand::Near(near) => i32::from(near.0),
                _ => continue,
            };
            places.insert(at as i64 + 1 + i64::from(distance));
        }
    }
    for guard in &code.handlers {
        places.extend([guard.start, guard.end, guard.target].map(i64::from));
    }
    for it in &code.comprehensions {
        places.extend([it.start, it.end].map(i64::from));
    }
    let inside = places
        .into_iter()
        .filter(|&at| 0 <= at && at <= code.ops.len() as i64);
    inside
        .zip(1..)
        .map(|(at, number)| (at as u32, number))
        .collect()
}

fn label(labels: &BTreeMap<u32, usize>, at: i64) -> String {
    let number = u32::try_from(at).ok().and_then(|at| labels.get(&at));
    number.map_or_else(|| format!("?{at}"), |number| format!("L{number}"))
}

fn capture(capture: Capture) -> String {
    match capture {
        Capture::Local(reg) => format!("r{}", reg.0),
        Capture::Free(free) => format!("free{}", free.0),
    }
}

/// The locals of a code that has none but its parameters.
pub(super) fn parameter_locals(params: &Parameters) -> Vec<(Reg, crate::bytecode::code::Name)> {
    (0..).map(Reg).zip(params.names.iter().copied()).collect()
}

/// What stands after the last point: the name of a function whose qualified name this is.
pub(super) fn last_part(qualname: &str) -> &str {
    qualname.rsplit('.').next().unwrap_or(qualname)
}

/// The value that a flag has when the text leaves it away.
pub(super) fn usual_flag(field: &str) -> Option<bool> {
    match field {
        "expect" => Some(true),
        "in_place" | "once" => Some(false),
        _ => None,
    }
}

/// `@line:column-column`, or `@line:column-line:column` if it ends on another line; columns in
/// bytes, from 1.
fn place(source: &Source, span: Span) -> String {
    let split = |offset: u32| {
        let line = source.line(offset);
        (line, offset - source.line_start(line).unwrap_or(0) + 1)
    };
    let ((line, column), (end_line, end_column)) = (split(span.start), split(span.end));
    if line == end_line {
        format!("@{line}:{column}-{end_column}")
    } else {
        format!("@{line}:{column}-{end_line}:{end_column}")
    }
}

/// A name as it stands if it looks like one, else in quotes.
fn word(text: &str) -> String {
    if is_word(text) {
        text.to_owned()
    } else {
        format!("{text:?}")
    }
}

/// Parts with points between; a part is letters, digits and underscores, or such in `<…>`; the
/// first part begins with no digit.
fn is_word(text: &str) -> bool {
    let plain =
        |part: &str| !part.is_empty() && part.chars().all(|it| it == '_' || it.is_alphanumeric());
    let part = |part: &str| match part.strip_prefix('<') {
        Some(inner) => inner.strip_suffix('>').is_some_and(plain),
        None => plain(part),
    };
    text.split('.').all(part) && !text.starts_with(|it: char| it.is_numeric())
}

/// So that it reads back to the same bits: the shortest digits, with a point or an exponent.
fn float(value: f64) -> String {
    if value.is_nan() {
        let sign = if value.is_sign_negative() { "-" } else { "" };
        return format!("{sign}nan");
    }
    format!("{value:?}")
}
