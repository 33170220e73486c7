//! An exception put into words, in the form of CPython's report (`Lib/traceback.py`), and what
//! `__exit__` is told of it.

use crate::bytecode::op::Op;
use crate::operator::BinaryOp;
use crate::source::{Source, Span};
use crate::syntax::operator::{Operation, operator};
use crate::vm::Vm;
use crate::vm::heap::class::name;
use crate::vm::heap::object::{Object, TraceEntry};
use crate::vm::heap::value::Value;
use std::fmt::Write;

impl Vm {
    /// An exception and what led to it, outermost first, each with the sentence that links it to
    /// the one after it.
    pub(in crate::vm) fn chain(&self, exception: Value) -> Vec<(Value, &'static str)> {
        let mut chain = vec![(exception, "")];
        let mut at = exception;
        while let Value::Instance(it) = at {
            let Some(object) = self.heap.instances[it].exception.as_deref() else {
                break;
            };
            let (next, link) = match (object.cause, object.context) {
                (Some(cause), _) => (
                    cause,
                    "\nThe above exception was the direct cause of the following exception:\n\n",
                ),
                (None, Some(context)) if !object.suppress_context => (
                    context,
                    "\nDuring handling of the above exception, another exception occurred:\n\n",
                ),
                _ => break,
            };
            if chain.iter().any(|&(seen, _)| seen.same(next)) {
                break;
            }
            chain.last_mut().expect("begins with one").1 = link;
            chain.push((next, ""));
            at = next;
        }
        chain
    }

    /// The lines that report an exception: its traceback, with the exceptions that led to it.
    /// `texts`: what `str` gives for each exception of the chain, if it had to be asked of the
    /// script.
    pub(in crate::vm) fn report(&mut self, exception: Value, texts: &[String]) -> String {
        let chain = self.chain(exception);
        let mut report = String::new();
        for at in (0..chain.len()).rev() {
            let (exception, link) = chain[at];
            if at + 1 < chain.len() {
                report.push_str(link);
            }
            let text = match texts.get(at) {
                Some(text) => text.clone(),
                None => self.describe(exception),
            };
            self.one_traceback(exception, &text, &mut report);
        }
        report
    }

    fn one_traceback(&mut self, exception: Value, text: &str, report: &mut String) {
        let Value::Instance(instance) = exception else {
            return;
        };
        let entries = self.heap.instances[instance]
            .exception
            .as_ref()
            .map_or_else(Vec::new, |exception| exception.traceback.clone());
        if !entries.is_empty() {
            report.push_str("Traceback (most recent call last):\n");
            let mut repeats = 0;
            let mut last: Option<String> = None;
            let lines = entries
                .iter()
                .rev()
                .flat_map(|&entry| self.traceback_lines(entry));
            for line in lines {
                if last.as_ref() == Some(&line) {
                    repeats += 1;
                    if repeats >= 3 {
                        continue;
                    }
                } else {
                    repeated(report, repeats);
                    repeats = 0;
                }
                report.push_str(&line);
                last = Some(line);
            }
            repeated(report, repeats);
        }
        let class = self.heap.instances[instance].class;
        let object = &self.heap.classes[class];
        let name = if matches!(&*object.module, "builtins" | "__main__") {
            object.qualname.to_string()
        } else {
            format!("{}.{}", object.module, object.qualname)
        };
        if text.is_empty() {
            let _ = writeln!(report, "{name}");
        } else {
            let _ = writeln!(report, "{name}: {text}");
        }
        if let Some(Value::List(notes)) = self.instance_attribute(instance, name::NOTES) {
            for note in self.heap.lists[notes].to_vec() {
                let _ = writeln!(report, "{}", self.describe(note));
            }
        }
    }

    /// The frames that an entry stands for, outermost first, each with the line that was running.
    fn traceback_lines(&self, entry: TraceEntry) -> Vec<String> {
        let program = &self.image.program;
        let code = &program.codes[entry.code.0 as usize];
        let source = &program.sources[code.source.0 as usize];
        code.frames_at(entry.pc)
            .map(|(name, at)| {
                let running = code.ops.get(at as usize).and_then(|&op| operation(op));
                traceback_line(source, name, code.span_at(at), running)
            })
            .collect()
    }

    /// `str(value)` for a report, where no function of the script can be called any more.
    pub(in crate::vm) fn describe(&mut self, value: Value) -> String {
        crate::vm::semantics::protocol::plain_str(self, value)
    }

    pub(in crate::vm) fn exit_arguments(&mut self, exception: Value) -> [Value; 3] {
        let Value::Instance(it) = exception else {
            return [Value::None; 3];
        };
        let class = Value::Class(self.heap.instances[it].class);
        let entries = self.heap.instances[it]
            .exception
            .as_ref()
            .map_or_else(Vec::new, |exception| exception.traceback.clone());
        let traceback = self.heap.new_object(Object::Traceback(entries));
        [class, exception, traceback]
    }
}

/// A frame in a report: its place, the text of its line, and marks under what was running of it.
/// `running`: the operation that the marked text is, if it is one.
fn traceback_line(source: &Source, name: &str, span: Span, running: Option<Operation>) -> String {
    let line = source.line(span.start);
    let mut text = format!("  File \"{}\", line {line}, in {name}\n", source.name);
    let whole = source.line_text(line);
    let shown = whole.trim();
    if shown.is_empty() {
        return text;
    }
    let _ = writeln!(text, "    {shown}");
    // Carets under the part of the line that was running, unless it is the whole line; tildes under
    // the operands of an operator or a subscript (`tb_displayline` in CPython 3.11's
    // `Python/traceback.c`).
    let (end_line, _) = source.line_column(span.end);
    let indent = whole.chars().take_while(|it| it.is_whitespace()).count() as u32;
    let shown_width = shown.chars().count() as u32;
    let column = |place: u32| match source.line_column(place) {
        (on, column) if on == line => (column - 1).saturating_sub(indent).min(shown_width),
        _ => shown_width,
    };
    let (from, to) = (column(span.start), column(span.end));
    let operator = running
        .filter(|_| end_line == line)
        .and_then(|it| operator(source.text.get(span.start as usize..span.end as usize)?, it))
        .map(|it| column(span.start + it.start as u32)..column(span.start + it.end as u32));
    if from < to && (to - from < shown_width || operator.is_some()) {
        let marks: String = (from..to)
            .map(|at| match &operator {
                Some(operator) if !operator.contains(&at) => '~',
                _ => '^',
            })
            .collect();
        let _ = writeln!(text, "    {}{marks}", " ".repeat(from as usize));
    }
    text
}

fn repeated(report: &mut String, repeats: usize) {
    if repeats >= 3 {
        let more = repeats - 2;
        let _ = writeln!(
            report,
            "  [Previous line repeated {more} more time{}]",
            if more == 1 { "" } else { "s" }
        );
    }
}

/// The operation of the expression that an instruction stands for.
fn operation(op: Op) -> Option<Operation> {
    let op = match op {
        Op::GetItem { .. } | Op::SetItem { .. } | Op::DelItem { .. } => {
            return Some(Operation::Subscript);
        }
        Op::Add { .. } | Op::AddImm { .. } => BinaryOp::Add,
        Op::Sub { .. } | Op::SubImm { .. } => BinaryOp::Sub,
        Op::Mul { .. } | Op::MulImm { .. } => BinaryOp::Mul,
        Op::Div { .. } => BinaryOp::Div,
        Op::FloorDiv { .. } | Op::FloorDivImm { .. } => BinaryOp::FloorDiv,
        Op::Mod { .. } | Op::ModImm { .. } => BinaryOp::Mod,
        Op::Pow { .. } => BinaryOp::Pow,
        Op::BitAnd { .. } => BinaryOp::BitAnd,
        Op::BitOr { .. } => BinaryOp::BitOr,
        Op::BitXor { .. } => BinaryOp::BitXor,
        Op::Shl { .. } => BinaryOp::Shl,
        Op::Shr { .. } => BinaryOp::Shr,
        _ => return None,
    };
    Some(Operation::Binary(op))
}
