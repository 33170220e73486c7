//! Makes the program of a sorted assembly text: numbers its constants, names and variables, and turns operands into what the table of instructions
//! says they are. Knows the kinds of operands, and no instruction by name but `import`, whose modules may have to be linked.

use super::outline::{CodeDraft, Outline};
use super::tree::{Argument, At, Instruction, Parameter, SourceName};
use super::{Surroundings, report};
use crate::bytecode::code::{
    Capture, Code, Const, Global, Guard, Module, Name, Parameters, Program,
};
use crate::bytecode::disassemble::{last_part, parameter_locals, usual_flag};
use crate::bytecode::op::{
    Choice, CodeIx, ConstIx, Count, Count8, Far, Flag, FreeIx, GlobalIx, Imm, Imm32, ModuleIx,
    NamesIx, Near, Op, OpKind, Operand, OperandKind, Reg, Site,
};
use crate::diagnostic::{self, Diagnostic};
use crate::source::{Source, SourceId, Span};
use num_bigint::BigInt;
use num_traits::ToPrimitive;
use rustc_hash::FxHashMap;
use std::fmt::Display;
use std::sync::Arc;

/// Makes the program; where an operand is wrong, the instruction is left out and a diagnostic given.
pub(super) fn emit(
    source: Source,
    outline: &Outline,
    surroundings: &Surroundings<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Program {
    let mut emitter = Emitter {
        outline,
        surroundings,
        diagnostics,
        program: Program::default(),
        consts: FxHashMap::default(),
        names: FxHashMap::default(),
        globals: FxHashMap::default(),
        modules: FxHashMap::default(),
        codes: Vec::new(),
        functions: FxHashMap::default(),
    };
    emitter.link(source);
    emitter.texts();
    emitter.declare();
    emitter.name_lists();
    for draft in 0..outline.codes.len() {
        emitter.code(draft);
    }
    emitter.program
}

struct Emitter<'a> {
    outline: &'a Outline,
    surroundings: &'a Surroundings<'a>,
    diagnostics: &'a mut Vec<Diagnostic>,
    program: Program,
    consts: FxHashMap<Const, ConstIx>,
    names: FxHashMap<Arc<str>, Name>,
    /// By module of the program and name.
    globals: FxHashMap<(ModuleIx, Name), GlobalIx>,
    modules: FxHashMap<String, ModuleIx>,
    /// The place in the program of each code of the outline.
    codes: Vec<CodeIx>,
    /// By module of the outline and symbol.
    functions: FxHashMap<(usize, &'a str), CodeIx>,
}

/// The function that is being made, as its instructions see it.
struct Making<'a> {
    draft: &'a CodeDraft,
    module: ModuleIx,
    sites: Vec<Name>,
    /// A site to fall back on when there are more than can be numbered: one of the same instruction and name.
    site_of: FxHashMap<(OpKind, Name), Site>,
}

impl Emitter<'_> {
    fn report(&mut self, code: diagnostic::Code, span: Span, message: impl Into<String>) {
        report(self.diagnostics, code, span, message.into());
    }

    /// Begins with the embedded modules that the text imports and does not hold itself.
    fn link(&mut self, source: Source) {
        let outline = self.outline;
        let instructions = outline.codes.iter().flat_map(|code| &code.instructions);
        let mut missing: Vec<&str> = Vec::new();
        for instruction in instructions {
            if instruction.mnemonic.value != OpKind::Import.mnemonic() {
                continue;
            }
            for operand in &instruction.operands {
                if let Argument::Word(name) | Argument::Text(name) = &operand.value
                    && !outline
                        .modules
                        .iter()
                        .any(|module| module.name.value == *name)
                    && !missing.contains(&name.as_str())
                    && (self.surroundings.is_embedded)(name)
                {
                    missing.push(name);
                }
            }
        }
        if !missing.is_empty() {
            self.program = (self.surroundings.link)(&missing);
            forget_globals(&mut self.program, 0);
        }
        let program = &mut self.program;
        match program.sources.first_mut() {
            Some(first) => *first = source,
            None => program.sources.push(source),
        }
        for (index, constant) in program.consts.iter().enumerate() {
            self.consts.insert(constant.clone(), ConstIx(index as u32));
        }
        for (index, name) in program.names.iter().enumerate() {
            self.names.insert(name.clone(), Name(index as u32));
        }
    }

    fn texts(&mut self) {
        for draft in &self.outline.texts {
            if self.program.sources.len() > usize::from(u16::MAX) {
                self.report(
                    diagnostic::Code::E0706,
                    draft.name.name.span,
                    "more than 65,535 source texts",
                );
                return;
            }
            let text = Source::new(&draft.name.name.value, &draft.text);
            self.program.sources.push(text);
        }
    }

    /// Gives each module, code and declared variable its place, so that all can be referred to.
    fn declare(&mut self) {
        let outline = self.outline;
        let linked = self.program.modules.len();
        for (index, draft) in outline.modules.iter().enumerate() {
            let library = self.program.modules.get(1..linked).unwrap_or_default();
            if library
                .iter()
                .any(|module| *module.name == *draft.name.value)
            {
                let message = format!(
                    "{} is also a module of Mini's own that another one here imports",
                    draft.name.value
                );
                self.report(diagnostic::Code::E0705, draft.name.span, message);
            }
            let module = Module {
                name: draft.name.value.as_str().into(),
                code: CodeIx(0),
                globals: Vec::new(),
            };
            match self.program.modules.first_mut() {
                Some(script) if index == 0 => {
                    *script = Module {
                        code: script.code,
                        ..module
                    }
                }
                _ => self.program.modules.push(module),
            }
            let at = if index == 0 {
                0
            } else {
                self.program.modules.len() - 1
            };
            self.modules
                .insert(draft.name.value.clone(), ModuleIx(at as u32));
        }
        for index in 0..linked {
            let name = self.program.modules[index].name.to_string();
            self.modules.entry(name).or_insert(ModuleIx(index as u32));
        }
        for (index, draft) in outline.codes.iter().enumerate() {
            let at = if index == 0 && linked > 0 {
                self.program.modules[0].code
            } else {
                self.program.codes.push(Code::default());
                CodeIx(self.program.codes.len() as u32 - 1)
            };
            self.codes.push(at);
            if outline.modules[draft.module].code == index {
                let module = self.module_of(draft);
                self.program.modules[module.0 as usize].code = at;
            } else if self
                .functions
                .insert((draft.module, &draft.symbol.value), at)
                .is_some()
            {
                let message = format!(
                    "the function {} stands twice in this module",
                    draft.symbol.value
                );
                self.report(diagnostic::Code::E0705, draft.symbol.span, message);
            }
        }
        for draft in &outline.modules {
            let module = self.modules[&draft.name.value];
            for (builtin, name) in &draft.globals {
                let entry = (module, self.name(&name.value));
                if self.globals.contains_key(&entry) {
                    let message = format!("the variable {} stands twice", name.value);
                    self.report(diagnostic::Code::E0705, name.span, message);
                } else {
                    self.new_global(entry, *builtin);
                }
            }
        }
    }

    fn module_of(&self, draft: &CodeDraft) -> ModuleIx {
        self.modules[&self.outline.modules[draft.module].name.value]
    }

    fn name(&mut self, text: &str) -> Name {
        if let Some(&name) = self.names.get(text) {
            return name;
        }
        let name = Name(self.program.names.len() as u32);
        let text: Arc<str> = text.into();
        self.program.names.push(text.clone());
        self.names.insert(text, name);
        name
    }

    fn new_global(&mut self, (module, name): (ModuleIx, Name), builtin: bool) -> GlobalIx {
        let global = GlobalIx(self.program.globals.len() as u32);
        self.program.globals.push(Global { name, builtin });
        self.program.modules[module.0 as usize]
            .globals
            .push((name, global));
        self.globals.insert((module, name), global);
        global
    }

    fn add_const(&mut self, constant: Const) -> ConstIx {
        if let Some(&index) = self.consts.get(&constant) {
            return index;
        }
        let index = ConstIx(self.program.consts.len() as u32);
        self.program.consts.push(constant.clone());
        self.consts.insert(constant, index);
        index
    }

    /// Lists of names come before all other constants, since their indices are short.
    fn name_lists(&mut self) {
        let outline = self.outline;
        for instruction in outline.codes.iter().flat_map(|code| &code.instructions) {
            let Some(kind) = kind_of(&instruction.mnemonic.value) else {
                continue;
            };
            let fields = kind.operands();
            if fields.len() == instruction.operands.len() {
                for ((_, field), operand) in fields.iter().zip(&instruction.operands) {
                    if *field == OperandKind::Names
                        && let Some(names) = name_list(&operand.value)
                    {
                        let names = names.iter().map(|name| self.name(name)).collect();
                        self.add_const(Const::Names(names));
                    }
                }
            }
        }
    }

    fn code(&mut self, index: usize) {
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
    fn source_of(&mut self, draft: &CodeDraft) -> SourceId {
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

    /// An instruction without a place has that of the one before; without a source text, its own line is its place.
    fn span(&mut self, source: SourceId, instruction: &Instruction, last: Span) -> Span {
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
    fn parameters(&mut self, list: &[At<Parameter>]) -> Parameters {
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
    fn registers_used(&mut self, code: &Code, span: Span) -> u16 {
        let consts = &self.program.consts;
        let names = |index: NamesIx| match consts.get(usize::from(index.0)) {
            Some(Const::Names(names)) => names.len() as u32,
            _ => 0,
        };
        let mut used = code.params.names.len() as u32;
        let mut uses = |reg: Reg, count: u32| used = used.max(u32::from(reg.0) + count);
        for op in &code.ops {
            for operand in op.operands() {
                if let Operand::Reg(reg) = operand {
                    uses(reg, 1);
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

    fn instruction(
        &mut self,
        making: &mut Making<'_>,
        at: usize,
        instruction: &Instruction,
    ) -> Option<Op> {
        let mnemonic = &instruction.mnemonic;
        let Some(kind) = kind_of(&mnemonic.value) else {
            let message = format!("there is no instruction {}", mnemonic.value);
            self.report(diagnostic::Code::E0702, mnemonic.span, message);
            return None;
        };
        let fields = kind.operands();
        let given = &instruction.operands;
        let mut operands = Vec::with_capacity(fields.len());
        let mut rest = fields;
        if let [(field, OperandKind::Flag), ..] = fields
            && let Some(usual) = usual_flag(field)
            && given.len() + 1 == fields.len()
        {
            operands.push(Operand::Flag(Flag(usual)));
            rest = &fields[1..];
        }
        if given.len() != rest.len() {
            let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
            let takes = if names.is_empty() {
                "no operands".to_owned()
            } else {
                names.join(", ")
            };
            let message = format!(
                "{} takes {takes}; here are {} operands",
                mnemonic.value,
                given.len()
            );
            self.report(diagnostic::Code::E0703, instruction.span, message);
            return None;
        }
        for (&(field, wanted), argument) in rest.iter().zip(given) {
            operands.push(self.operand(making, at, kind, (field, wanted), argument)?);
        }
        kind.build(&operands)
    }

    fn operand(
        &mut self,
        making: &mut Making<'_>,
        at: usize,
        kind: OpKind,
        (field, wanted): (&str, OperandKind),
        argument: &At<Argument>,
    ) -> Option<Operand> {
        let found = match (wanted, &argument.value) {
            (OperandKind::Const, _) => self.constant(argument).map(Operand::Const),
            (OperandKind::Reg, Argument::Word(word)) => register(word).map(Operand::Reg),
            (OperandKind::Free, Argument::Word(word)) => free(word).map(Operand::Free),
            (OperandKind::Names, value) => match name_list(value) {
                Some(names) => {
                    let names = names.iter().map(|name| self.name(name)).collect();
                    let ConstIx(index) = self.add_const(Const::Names(names));
                    let index: u16 = self.fits(argument.span, index, "lists of names")?;
                    return Some(Operand::Names(NamesIx(index)));
                }
                None => None,
            },
            (OperandKind::Global, Argument::Word(name) | Argument::Text(name)) => {
                Some(Operand::Global(self.global(making.module, name)))
            }
            (OperandKind::Code, Argument::Word(name) | Argument::Text(name)) => {
                let function = self.functions.get(&(making.draft.module, name.as_str()));
                let Some(&function) = function else {
                    let message = format!("there is no `.func {name}` in this module");
                    self.report(diagnostic::Code::E0704, argument.span, message);
                    return None;
                };
                Some(Operand::Code(function))
            }
            (OperandKind::Module, Argument::Word(name) | Argument::Text(name)) => {
                let Some(&module) = self.modules.get(name) else {
                    let message = format!("there is no module {name}");
                    self.report(diagnostic::Code::E0704, argument.span, message);
                    return None;
                };
                Some(Operand::Module(module))
            }
            (OperandKind::Site, Argument::Attribute(name)) => {
                let name = self.name(name);
                Some(Operand::Site(self.site(
                    making,
                    kind,
                    name,
                    argument.span,
                )?))
            }
            (OperandKind::Far | OperandKind::Near, Argument::Word(label)) => {
                let label = At {
                    span: argument.span,
                    value: label.clone(),
                };
                let distance = i64::from(self.label(making.draft, &label)?) - at as i64 - 1;
                return self.distance(wanted, distance, argument.span);
            }
            (OperandKind::Flag, Argument::Word(word)) => match word.as_str() {
                "true" => Some(Operand::Flag(Flag(true))),
                "false" => Some(Operand::Flag(Flag(false))),
                word => (word == field).then_some(Operand::Flag(Flag(true))),
            },
            (OperandKind::Convert, Argument::Word(word)) => {
                Choice::from_word(word).map(Operand::Convert)
            }
            (OperandKind::Binary, Argument::Word(word)) => {
                Choice::from_word(word).map(Operand::Binary)
            }
            (OperandKind::Compare, Argument::Word(word)) => {
                Choice::from_word(word).map(Operand::Compare)
            }
            (OperandKind::Count, Argument::Integer(value)) => {
                return Some(Operand::Count(Count(self.fits(
                    argument.span,
                    value,
                    field,
                )?)));
            }
            (OperandKind::Count8, Argument::Integer(value)) => {
                return Some(Operand::Count8(Count8(self.fits(
                    argument.span,
                    value,
                    field,
                )?)));
            }
            (OperandKind::Imm, Argument::Integer(value)) => {
                return Some(Operand::Imm(Imm(self.fits(argument.span, value, field)?)));
            }
            (OperandKind::Imm32, Argument::Integer(value)) => {
                return Some(Operand::Imm32(Imm32(self.fits(
                    argument.span,
                    value,
                    field,
                )?)));
            }
            _ => None,
        };
        if found.is_none() {
            let message = format!(
                "the operand `{field}` of {} must be {}",
                kind.mnemonic(),
                wanted.describe()
            );
            self.report(diagnostic::Code::E0703, argument.span, message);
        }
        found
    }

    fn distance(&mut self, kind: OperandKind, distance: i64, span: Span) -> Option<Operand> {
        Some(if kind == OperandKind::Near {
            Operand::Near(Near(self.fits(
                span,
                distance,
                "instructions between it and this jump",
            )?))
        } else {
            Operand::Far(Far(self.fits(
                span,
                distance,
                "instructions between it and this jump",
            )?))
        })
    }

    fn fits<T: TryFrom<V>, V: Display + Clone>(
        &mut self,
        span: Span,
        value: V,
        of: &str,
    ) -> Option<T> {
        if let Ok(value) = T::try_from(value.clone()) {
            return Some(value);
        }
        self.report(
            diagnostic::Code::E0706,
            span,
            format!("{value} does not fit here ({of})"),
        );
        None
    }

    fn number<T: for<'b> TryFrom<&'b BigInt> + Default>(&mut self, number: &At<BigInt>) -> T {
        self.fits(number.span, &number.value, "a count or a line")
            .unwrap_or_default()
    }

    fn register(&mut self, word: &At<String>) -> Option<Reg> {
        let found = register(&word.value);
        if found.is_none() {
            let message = format!("{} is no register (r0, r1, …)", word.value);
            self.report(diagnostic::Code::E0703, word.span, message);
        }
        found
    }

    fn capture(&mut self, word: &At<String>) -> Option<Capture> {
        let register = register(&word.value).map(Capture::Local);
        let found = register.or_else(|| free(&word.value).map(Capture::Free));
        if found.is_none() {
            let message = format!(
                "{} is neither a register (r0) nor a captured cell (free0) of the function's maker",
                word.value
            );
            self.report(diagnostic::Code::E0703, word.span, message);
        }
        found
    }

    fn label(&mut self, draft: &CodeDraft, label: &At<String>) -> Option<u32> {
        let found = draft.labels.get(&label.value).copied();
        if found.is_none() {
            let message = format!("there is no label {} in this function", label.value);
            self.report(diagnostic::Code::E0704, label.span, message);
        }
        found
    }

    /// A variable that the module does not list is added to it; a builtin of the name shows through, as in a script.
    fn global(&mut self, module: ModuleIx, text: &str) -> GlobalIx {
        let name = self.name(text);
        if let Some(&global) = self.globals.get(&(module, name)) {
            return global;
        }
        let builtin = !text.starts_with('_') && (self.surroundings.is_builtin)(text);
        self.new_global((module, name), builtin)
    }

    /// Each instruction has a site of its own as long as there are numbers.
    fn site(
        &mut self,
        making: &mut Making<'_>,
        kind: OpKind,
        name: Name,
        span: Span,
    ) -> Option<Site> {
        if let Ok(index) = u16::try_from(making.sites.len()) {
            making.sites.push(name);
            making.site_of.insert((kind, name), Site(index));
            return Some(Site(index));
        }
        let shared = making.site_of.get(&(kind, name)).copied();
        if shared.is_none() {
            self.report(
                diagnostic::Code::E0706,
                span,
                "more than 65,536 sites in one function",
            );
        }
        shared
    }

    /// `None` if no constant can be written so. The lexer bounds the depth.
    fn constant(&mut self, argument: &At<Argument>) -> Option<ConstIx> {
        let constant = match &argument.value {
            Argument::Word(word) => match word.as_str() {
                "None" => Const::None,
                "True" => Const::Bool(true),
                "False" => Const::Bool(false),
                "inf" => Const::Float(f64::INFINITY),
                "nan" => Const::Float(f64::NAN),
                name => {
                    if !(self.surroundings.is_builtin)(name) {
                        let message = format!("there is no builtin {name}");
                        self.report(diagnostic::Code::E0704, argument.span, message);
                    }
                    Const::Builtin(name.into())
                }
            },
            Argument::Integer(value) => match value.to_i64() {
                Some(small) => Const::Int(small),
                None => Const::BigInt(value.clone()),
            },
            Argument::Float(value) => Const::Float(*value),
            Argument::Text(text) => Const::Str(text.as_str().into()),
            Argument::Bytes(bytes) => Const::Bytes(bytes.as_slice().into()),
            Argument::Ellipsis => Const::Ellipsis,
            Argument::Group(items) => {
                let items: Option<Vec<_>> = items.iter().map(|item| self.constant(item)).collect();
                Const::Tuple(items?)
            }
            Argument::Attribute(_) => return None,
        };
        Some(self.add_const(constant))
    }
}

fn kind_of(mnemonic: &str) -> Option<OpKind> {
    let mut all = OpKind::ALL.iter();
    all.find(|kind| kind.mnemonic() == mnemonic).copied()
}

/// `r0`, `r1` …
fn register(word: &str) -> Option<Reg> {
    numbered(word, "r").map(Reg)
}

/// `free0`, `free1` …
fn free(word: &str) -> Option<FreeIx> {
    numbered(word, "free").map(FreeIx)
}

fn numbered(word: &str, prefix: &str) -> Option<u16> {
    let digits = word.strip_prefix(prefix)?;
    let all = digits.bytes().all(|digit| digit.is_ascii_digit());
    all.then(|| digits.parse().ok()).flatten()
}

fn name_list(argument: &Argument) -> Option<Vec<&str>> {
    let Argument::Group(items) = argument else {
        return None;
    };
    let names = items.iter().map(|item| match &item.value {
        Argument::Word(name) | Argument::Text(name) => Some(name.as_str()),
        _ => None,
    });
    names.collect()
}

/// Takes the variables of a module out of a program. Its own code, the only one to use them, is about to be replaced.
fn forget_globals(program: &mut Program, module: usize) {
    let gone = std::mem::take(&mut program.modules[module].globals);
    let mut keep = vec![true; program.globals.len()];
    for (_, global) in gone {
        keep[global.0 as usize] = false;
    }
    let mut moved = Vec::with_capacity(keep.len());
    let mut next = 0;
    for &kept in &keep {
        moved.push(GlobalIx(next));
        next += u32::from(kept);
    }
    let mut kept = keep.iter();
    program.globals.retain(|_| kept.next() == Some(&true));
    for (_, global) in program
        .modules
        .iter_mut()
        .flat_map(|module| &mut module.globals)
    {
        *global = moved[global.0 as usize];
    }
    for code in &mut program.codes {
        if code.module as usize == module {
            code.ops.clear();
            code.spans.clear();
        }
        for op in &mut code.ops {
            *op = op.map_globals(|global| moved[global.0 as usize]);
        }
    }
}
