//! Makes the program of a sorted assembly text: links the modules it imports, and numbers
//! constants, names and variables. Knows no instruction by name but `import`, whose modules may
//! have to be linked.

use super::operand::{kind_of, name_list};
use super::outline::{CodeDraft, Outline};
use super::tree::Argument;
use super::{Surroundings, report};
use crate::bytecode::code::{Code, Const, Global, Module, Name, Program};
use crate::bytecode::op::{CodeIx, ConstIx, GlobalIx, ModuleIx, OpKind, OperandKind};
use crate::diagnostic::{self, Diagnostic};
use crate::source::{Source, Span};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Makes the program; where an operand is wrong, the instruction is left out and a diagnostic
/// given.
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

pub(super) struct Emitter<'a> {
    pub(super) outline: &'a Outline,
    pub(super) surroundings: &'a Surroundings<'a>,
    pub(super) diagnostics: &'a mut Vec<Diagnostic>,
    pub(super) program: Program,
    pub(super) consts: FxHashMap<Const, ConstIx>,
    pub(super) names: FxHashMap<Arc<str>, Name>,
    /// By module of the program and name.
    pub(super) globals: FxHashMap<(ModuleIx, Name), GlobalIx>,
    pub(super) modules: FxHashMap<String, ModuleIx>,
    /// The place in the program of each code of the outline.
    pub(super) codes: Vec<CodeIx>,
    /// By module of the outline and symbol.
    pub(super) functions: FxHashMap<(usize, &'a str), CodeIx>,
}

impl Emitter<'_> {
    pub(super) fn report(
        &mut self,
        code: diagnostic::Code,
        span: Span,
        message: impl Into<String>,
    ) {
        report(self.diagnostics, code, span, message.into());
    }

    /// Begins with the embedded modules that the text imports and does not hold itself.
    pub(super) fn link(&mut self, source: Source) {
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
        if let Some(linked) = (self.surroundings.link)(&missing) {
            self.program = linked;
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

    pub(super) fn texts(&mut self) {
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
    pub(super) fn declare(&mut self) {
        let outline = self.outline;
        let linked = self.program.modules.len();
        for (index, draft) in outline.modules.iter().enumerate() {
            let library = self.program.modules.get(1..linked).unwrap_or_default();
            if library
                .iter()
                .any(|module| *module.name == *draft.name.value)
            {
                let message = format!(
                    "{} is a module of Mini's own that is needed here as it is",
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

    pub(super) fn module_of(&self, draft: &CodeDraft) -> ModuleIx {
        self.modules[&self.outline.modules[draft.module].name.value]
    }

    pub(super) fn name(&mut self, text: &str) -> Name {
        if let Some(&name) = self.names.get(text) {
            return name;
        }
        let name = Name(self.program.names.len() as u32);
        let text: Arc<str> = text.into();
        self.program.names.push(text.clone());
        self.names.insert(text, name);
        name
    }

    pub(super) fn new_global(
        &mut self,
        (module, name): (ModuleIx, Name),
        builtin: bool,
    ) -> GlobalIx {
        let global = GlobalIx(self.program.globals.len() as u32);
        self.program.globals.push(Global { name, builtin });
        self.program.modules[module.0 as usize]
            .globals
            .push((name, global));
        self.globals.insert((module, name), global);
        global
    }

    pub(super) fn add_const(&mut self, constant: Const) -> ConstIx {
        if let Some(&index) = self.consts.get(&constant) {
            return index;
        }
        let index = ConstIx(self.program.consts.len() as u32);
        self.program.consts.push(constant.clone());
        self.consts.insert(constant, index);
        index
    }

    /// Lists of names come before all other constants, since their indices are short.
    pub(super) fn name_lists(&mut self) {
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
}

/// Takes the variables of a module out of a program. Its own code, the only one to use them, is
/// about to be replaced.
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
