//! Makes the code object of a function from its directives and instructions.

use super::emit::Emitter;
use super::operand::register;
use super::outline::CodeDraft;
use super::tree::{At, Instruction, Parameter, SourceName};
use crate::bytecode::code::{Code, Const, Guard, Inlined, Name, Parameters};
use crate::bytecode::disassemble::{last_part, parameter_locals};
use crate::bytecode::op::{ModuleIx, NamesIx, OpKind, Operand, Reg, Site};
use crate::diagnostic;
use crate::source::{SourceId, Span};
use rustc_hash::FxHashMap;

/// The function that is being made, as its instructions see it.
pub(super) struct Making<'a> {
    pub(super) draft: &'a CodeDraft,
    pub(super) module: ModuleIx,
    pub(super) sites: Vec<Name>,
    /// A site to fall back on when there are more than can be numbered: one of the same instruction
    /// and name.
    pub(super) site_of: FxHashMap<(OpKind, Name), Site>,
}

impl Emitter<'_> {
    pub(super) fn code(&mut self, index: usize) {
        let draft = &self.outline.codes[index];
        let mut making = Making {
            draft,
            module: self.module_of(draft),
            sites: Vec::new(),
            site_of: FxHashMap::default(),
        };
        let source = self.source_of(draft);
        let qualname = draft.qualname.as_ref().unwrap_or(&draft.symbol.value);
        let params = self.parameters(&draft.parameters);
        let locals = match &draft.locals {
            Some(locals) => locals
                .iter()
                .filter_map(|(register, name)| {
                    Some((self.register(register)?, self.name(&name.value)))
                })
                .collect(),
            None => parameter_locals(&params),
        };
        let masm_line = self.program.sources[0].line(draft.symbol.span.start);
        let mut code = Code {
            name: draft.name.as_deref().unwrap_or(last_part(qualname)).into(),
            qualname: qualname.as_str().into(),
            docstring: draft.doc.as_deref().map(Into::into),
            source,
            module: making.module.0,
            first_line: draft
                .line
                .as_ref()
                .map_or(masm_line, |line| self.number(line)),
            params,
            handlers: draft
                .guards
                .iter()
                .filter_map(|guard| {
                    Some(Guard {
                        start: self.label(draft, &guard.start)?,
                        end: self.label(draft, &guard.end)?,
                        target: self.label(draft, &guard.target)?,
                        exception: self.register(&guard.exception)?,
                    })
                })
                .collect(),
            comprehensions: draft
                .comprehensions
                .iter()
                .filter_map(|(start, end)| {
                    Some(Inlined {
                        start: self.label(draft, start)?,
                        end: self.label(draft, end)?,
                    })
                })
                .collect(),
            captures: draft
                .captures
                .iter()
                .filter_map(|capture| self.capture(capture))
                .collect(),
            locals,
            generator: draft.generator,
            internal: draft.internal,
            ..Code::default()
        };
        let mut span = Span::default();
        for (at, instruction) in draft.instructions.iter().enumerate() {
            span = self.span(source, instruction, span);
            if let Some(op) = self.instruction(&mut making, at, instruction) {
                code.ops.push(op);
                code.spans.push(span);
            }
        }
        code.sites = making.sites;
        code.registers = match &draft.registers {
            Some(registers) => self.number(registers),
            None => self.registers_used(&code, draft.symbol.span),
        };
        let at = self.codes[index].0 as usize;
        self.program.codes[at] = code;
    }

    /// Where the places of a code's instructions are; the assembly text if it does not say.
    pub(super) fn source_of(&mut self, draft: &CodeDraft) -> SourceId {
        let Some(SourceName { name, number }) = &draft.source else {
            return SourceId(0);
        };
        let wanted: u32 = number.as_ref().map_or(1, |number| self.number(number));
        let texts = self.outline.texts.iter().enumerate();
        let mut same = texts.filter(|(_, text)| text.name.name.value == name.value);
        let first = self.program.sources.len() - self.outline.texts.len();
        if let Some((index, _)) = same.nth((wanted as usize).saturating_sub(1)) {
            SourceId((first + index) as u16)
        } else {
            let message = format!("there is no `.text {:?}` with these lines", name.value);
            self.report(diagnostic::Code::E0704, name.span, message);
            SourceId(0)
        }
    }

    /// An instruction without a place has that of the one before; without a source text, its own
    /// line is its place.
    pub(super) fn span(&mut self, source: SourceId, instruction: &Instruction, last: Span) -> Span {
        if source == SourceId(0) {
            if let Some(place) = &instruction.place {
                self.report(
                    diagnostic::Code::E0707,
                    place.span,
                    "a place without a `.source` that it is in",
                );
            }
            return instruction.span;
        }
        let Some(place) = &instruction.place else {
            return last;
        };
        let text = &self.program.sources[usize::from(source.0)];
        let offset = |line, column: u32| text.line_start(line)?.checked_add(column.checked_sub(1)?);
        let [line, column, end_line, end_column] = place.value;
        if let (Some(start), Some(end)) = (offset(line, column), offset(end_line, end_column))
            && text.text.get(start as usize..end as usize).is_some()
        {
            Span { start, end }
        } else {
            self.report(
                diagnostic::Code::E0704,
                place.span,
                "the source text has no such place",
            );
            last
        }
    }

    /// The registers are put in order: positional, keyword-only, then the two with stars.
    pub(super) fn parameters(&mut self, list: &[At<Parameter>]) -> Parameters {
        let mut params = Parameters::default();
        let (mut positional, mut keyword_only) = (Vec::new(), Vec::new());
        let (mut star, mut double_star) = (None, None);
        let mut starred = false;
        for parameter in list {
            let misplaced = double_star.is_some()
                || match &parameter.value {
                    Parameter::Named(name) if starred => {
                        keyword_only.push(self.name(name));
                        false
                    }
                    Parameter::Named(name) => {
                        positional.push(self.name(name));
                        false
                    }
                    Parameter::Slash => {
                        let again = params.positional_only > 0;
                        params.positional_only = positional.len() as u16;
                        again || starred || positional.is_empty()
                    }
                    Parameter::Star(name) => {
                        star = name.as_ref().map(|name| self.name(name));
                        std::mem::replace(&mut starred, true)
                    }
                    Parameter::DoubleStar(name) => {
                        double_star = Some(self.name(name));
                        false
                    }
                };
            if misplaced {
                self.report(
                    diagnostic::Code::E0701,
                    parameter.span,
                    "this cannot stand here among the parameters",
                );
            }
        }
        params.positional = positional.len() as u16;
        params.keyword_only = keyword_only.len() as u16;
        params.star = star.is_some();
        params.double_star = double_star.is_some();
        params.names = [positional, keyword_only].concat();
        params.names.extend(star);
        params.names.extend(double_star);
        if params.names.len() > usize::from(u16::MAX)
            && let Some(last) = list.last()
        {
            self.report(
                diagnostic::Code::E0706,
                last.span,
                "more than 65,535 parameters",
            );
        }
        params
    }

    /// One more than the highest register that the code uses.
    pub(super) fn registers_used(&mut self, code: &Code, span: Span) -> u16 {
        let consts = &self.program.consts;
        let names = |index: NamesIx| match consts.get(usize::from(index.0)) {
            Some(Const::Names(names)) => names.len() as u32,
            _ => 0,
        };
        let mut used = code.params.names.len() as u32;
        let mut uses = |reg: Reg, count: u32| used = used.max(u32::from(reg.0) + count);
        for op in &code.ops {
            for operand in op.operands() {
                match operand {
                    Operand::Reg(reg) => uses(reg, 1),
                    Operand::Code(made) => {
                        let made = self.codes.iter().position(|&code| code == made);
                        let captures = made.map(|made| &self.outline.codes[made].captures);
                        for capture in captures.into_iter().flatten() {
                            if let Some(reg) = register(&capture.value) {
                                uses(reg, 1);
                            }
                        }
                    }
                    _ => {}
                }
            }
            if let Some(window) = op.window(&names) {
                uses(window.base, window.length);
            }
        }
        for guard in &code.handlers {
            uses(guard.exception, 1);
        }
        for &(reg, _) in &code.locals {
            uses(reg, 1);
        }
        u16::try_from(used).unwrap_or_else(|_| {
            self.report(diagnostic::Code::E0706, span, "more than 65,535 registers");
            u16::MAX
        })
    }
}
