//! Checks a program before it runs, so that the instruction loop may index registers, constants and
//! code without looking. Knows no VM.
//!
//! What is promised is listed at [`Verified`]; what is not, and so is checked by the loop as it
//! runs: that a register holds a cell, a function, a list or a range where an instruction wants
//! one, and that a builtin of the name exists. What the instructions use comes from the table
//! (`op`), window of registers included, so that a new instruction is checked without a line here.

use crate::bytecode::code::{Capture, Code, Const, Guard, Inlined, Program};
use crate::bytecode::frozen::{Frozen, FrozenCode};
use crate::bytecode::liveness::unset_at_entry;
use crate::bytecode::op::{
    CodeIx, ConstIx, Far, FreeIx, GlobalIx, ModuleIx, NamesIx, Near, Op, OpKind, Operand, Reg, Site,
};
use crate::diagnostic::{self, Diagnostic};
use crate::source::{SourceId, Span};
use num_traits::ToPrimitive;
use std::fmt;
use std::sync::Arc;

/// Most instructions in one code object; far more than any text makes, and far from overflowing a
/// jump.
pub const MAX_OPS: usize = 1 << 24;

/// Deepest nesting of tuple constants, and the most items one may have with those of its items
/// counted.
pub const MAX_TUPLE_DEPTH: u32 = 1_000;
const MAX_TUPLE_ITEMS: u64 = 1 << 24;

/// A program that may run. Only [`verify`] makes one, and it promises:
///
/// - every register, also in a window, is below `Code::registers`; so are those of guards, locals,
///   parameters and captures;
/// - every index of a constant, name, global, code, module, site, captured cell or source is in
///   range, and of the right kind: `Operand::Names` means `Const::Names` (each name once) and
///   `Operand::Const` anything else; a tuple's items stand before it, and its nesting is bounded;
/// - a jump or a guard's target is an instruction of the same code, and the last instruction does
///   not fall through;
/// - guards do not cross, and of two that cover an instruction the inner one stands first;
/// - comprehensions stand in the order of their first instructions, which make a list, set or dict;
/// - there is a span for each instruction, inside its source and on character boundaries;
/// - the counts of parameters add up to their names, and they have registers;
/// - where a function is made, the cells it captures exist in the maker, as registers or captured
///   cells, and both are of the same module;
/// - only generators yield; a module's code has no parameters, captures nothing, does not yield,
///   and is no function;
/// - each global belongs to one module, under its own name, and only the code of that module uses
///   it;
/// - a site is used by one kind of instruction, so that its cache holds one kind of entry.
#[derive(Clone, Debug)]
pub struct Verified {
    program: Arc<Program>,
    longest_runs: Arc<[u32]>,
    unset: Arc<[Box<[Reg]>]>,
}

impl Verified {
    /// The program.
    #[must_use]
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// The most instructions that this code can run without jumping back and without ending, calls
    /// counted as one. The bound holds for a loop that looks at its budget where a jump back is
    /// taken and where a frame begins, ends or goes on.
    #[must_use]
    pub fn longest_run(&self, code: CodeIx) -> u32 {
        self.longest_runs[code.0 as usize]
    }

    /// The registers, parameters left out, that this code may read before it has written them. They
    /// must be unbound when it begins; the others need not be touched, whatever they hold.
    #[must_use]
    pub fn unset_at_entry(&self, code: CodeIx) -> &[Reg] {
        &self.unset[code.0 as usize]
    }
}

/// Why a program may not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The code object, if it is in one.
    pub code: Option<CodeIx>,
    /// The instruction, if it is one.
    pub instruction: Option<u32>,
    /// Where its text is, if that is known; for a code as a whole, where its first instruction
    /// begins.
    pub place: Option<(SourceId, Span)>,
    /// `worker, instruction 3 (gget)` or the like; may be empty.
    pub context: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.context.is_empty() {
            write!(f, "{}", self.message)
        } else {
            write!(f, "{}: {}", self.context, self.message)
        }
    }
}

impl Fault {
    /// The same as a message about a text, if its place is known.
    #[must_use]
    pub fn diagnostic(&self) -> Option<Diagnostic> {
        let (source, span) = self.place?;
        Some(Diagnostic {
            code: diagnostic::Code::E0708,
            source,
            span,
            message: self.to_string(),
            label: String::new(),
            related: Vec::new(),
            help: None,
        })
    }
}

/// Checks a program.
///
/// # Errors
/// All that is wrong with it, in order.
pub fn verify(program: impl Into<Arc<Program>>) -> Result<Verified, Vec<Fault>> {
    verify_behind(program.into(), &[])
}

/// Checks a program that may begin with a frozen module. What does is not checked again.
///
/// # Errors
/// All that is wrong with it, in order.
pub fn verify_linked(
    program: impl Into<Arc<Program>>,
    frozen: &Frozen,
) -> Result<Verified, Vec<Fault>> {
    let program = program.into();
    let known = if frozen.begins(&program) {
        frozen.codes
    } else {
        &[]
    };
    verify_behind(program, known)
}

/// Checks what comes behind the codes that are known to be right.
fn verify_behind(program: Arc<Program>, known: &[FrozenCode]) -> Result<Verified, Vec<Fault>> {
    let mut check = Check {
        program: &program,
        code: None,
        instruction: None,
        owners: vec![None; program.globals.len()],
        faults: Vec::new(),
    };
    check.pools();
    check.modules();
    for index in known.len()..program.codes.len() {
        check.code(index);
    }
    if !check.faults.is_empty() {
        return Err(check.faults);
    }
    let others = &program.codes[known.len()..];
    let longest_runs = known.iter().map(|it| it.longest_run);
    let unset = known.iter().map(|it| it.unset.into());
    Ok(Verified {
        longest_runs: longest_runs.chain(others.iter().map(longest_run)).collect(),
        unset: unset
            .chain(others.iter().map(|code| unset_at_entry(&program, code)))
            .collect(),
        program,
    })
}

fn longest_run(code: &Code) -> u32 {
    let mut from = vec![0; code.ops.len() + 1];
    for (at, op) in code.ops.iter().enumerate().rev() {
        let on = if op.kind().falls_through() {
            from[at + 1]
        } else {
            0
        };
        let jumps = op
            .operands()
            .into_iter()
            .filter_map(|operand| match operand {
                Operand::Near(Near(by)) => Some(i32::from(by)),
                Operand::Far(Far(by)) => Some(by),
                _ => None,
            });
        from[at] = 1 + jumps
            .filter(|&by| by >= 0)
            .map(|by| from[at + 1 + by as usize])
            .fold(on, u32::max);
    }
    from.into_iter().max().unwrap_or(0)
}

struct Check<'a> {
    program: &'a Program,
    /// Where we are, for the messages.
    code: Option<usize>,
    instruction: Option<usize>,
    /// The module of each global.
    owners: Vec<Option<usize>>,
    faults: Vec<Fault>,
}

impl Check<'_> {
    fn fault(&mut self, message: String) {
        let code = self.code.map(|index| &self.program.codes[index]);
        let context = match (code, self.instruction) {
            (Some(code), Some(at)) => {
                let mnemonic = code.ops[at].kind().mnemonic();
                format!("{}, instruction {at} ({mnemonic})", code.qualname)
            }
            (Some(code), None) => code.qualname.to_string(),
            (None, _) => String::new(),
        };
        let place = code.and_then(|code| {
            let text = &self.program.sources.get(code.source.0 as usize)?.text;
            let span = match self.instruction {
                Some(at) => *code.spans.get(at)?,
                None => Span {
                    end: code.spans.first()?.start,
                    ..code.spans[0]
                },
            };
            text.get(span.start as usize..span.end as usize)?;
            Some((code.source, span))
        });
        self.faults.push(Fault {
            code: self.code.map(|index| CodeIx(index as u32)),
            instruction: self.instruction.map(|at| at as u32),
            place,
            context,
            message,
        });
    }

    fn pools(&mut self) {
        let program = self.program;
        let names = &program.names;
        for (index, constant) in program.consts.iter().enumerate() {
            match constant {
                Const::BigInt(value) if value.to_i64().is_some() => self.fault(format!(
                    "constant {index} is a big integer, but {value} is a small one"
                )),
                Const::Float(value) if value.is_nan() && !is_plain_nan(*value) => {
                    self.fault(format!("constant {index} is a NaN with a payload"));
                }
                Const::Names(list) => {
                    if let Some(name) = list.iter().find(|name| name.0 as usize >= names.len()) {
                        self.fault(format!("constant {index}: there is no name {}", name.0));
                    }
                    let mut sorted = list.clone();
                    sorted.sort_unstable();
                    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
                        self.fault(format!("constant {index} has a name twice"));
                    }
                }
                Const::None
                | Const::Ellipsis
                | Const::Bool(_)
                | Const::Int(_)
                | Const::BigInt(_)
                | Const::Float(_)
                | Const::Str(_)
                | Const::Bytes(_)
                | Const::Tuple(_)
                | Const::Builtin(_) => {}
            }
        }
        self.tuples();
        let mut sorted: Vec<_> = names.iter().collect();
        sorted.sort_unstable();
        if let Some([name, _]) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            self.fault(format!("the name {name:?} stands twice among the names"));
        }
        for (index, global) in program.globals.iter().enumerate() {
            if global.name.0 as usize >= names.len() {
                self.fault(format!(
                    "global {index}: there is no name {}",
                    global.name.0
                ));
            }
        }
    }

    /// Depth and size are summed from the items, which stand before their tuple, so that nothing
    /// here or later recurses without bound.
    fn tuples(&mut self) {
        let mut measures: Vec<(u32, u64)> = Vec::with_capacity(self.program.consts.len());
        for (index, constant) in self.program.consts.iter().enumerate() {
            let Const::Tuple(items) = constant else {
                measures.push((0, 1));
                continue;
            };
            let (mut depth, mut size) = (0, 1_u64);
            for item in items {
                let at = item.0 as usize;
                if at >= index {
                    self.fault(format!(
                        "constant {index} has the item {at}, which does not stand before it"
                    ));
                } else if matches!(self.program.consts[at], Const::Names(_)) {
                    self.fault(format!(
                        "constant {index} has the item {at}, which is a list of names"
                    ));
                } else {
                    depth = depth.max(measures[at].0);
                    size = size.saturating_add(measures[at].1);
                }
            }
            if depth >= MAX_TUPLE_DEPTH || size > MAX_TUPLE_ITEMS {
                self.fault(format!(
                    "constant {index} is a tuple nested too deep or too large"
                ));
                (depth, size) = (0, 1);
            }
            measures.push((depth + 1, size));
        }
    }

    fn modules(&mut self) {
        let program = self.program;
        if program.modules.is_empty() {
            self.fault("a program needs at least one module".to_owned());
        }
        let mut names: Vec<_> = program.modules.iter().map(|module| &module.name).collect();
        names.sort_unstable();
        if let Some([name, _]) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            self.fault(format!("two modules are called {name}"));
        }
        for (index, module) in program.modules.iter().enumerate() {
            let of = format!("module {}", module.name);
            match program.codes.get(module.code.0 as usize) {
                None => self.fault(format!("{of}: there is no code {}", module.code.0)),
                Some(code) if code.module as usize != index => {
                    self.fault(format!("{of}: its code belongs to another module"));
                }
                Some(_) => {}
            }
            for &(name, global) in &module.globals {
                let at = global.0 as usize;
                match program.globals.get(at) {
                    None => self.fault(format!("{of}: there is no global {at}")),
                    Some(global) if global.name != name => {
                        self.fault(format!("{of}: global {at} has another name"));
                    }
                    Some(_) if self.owners[at].is_some() => {
                        self.fault(format!("{of}: global {at} belongs to a module already"));
                    }
                    Some(_) => self.owners[at] = Some(index),
                }
            }
            let mut globals: Vec<_> = module.globals.iter().map(|&(name, _)| name).collect();
            globals.sort_unstable();
            if globals.windows(2).any(|pair| pair[0] == pair[1]) {
                self.fault(format!("{of}: two globals have the same name"));
            }
        }
        if let Some(at) = self.owners.iter().position(Option::is_none) {
            self.fault(format!("global {at} belongs to no module"));
        }
    }

    fn code(&mut self, index: usize) {
        let code = &self.program.codes[index];
        self.code = Some(index);
        self.instruction = None;
        self.header(code);
        self.guards(code);
        self.comprehensions(code);
        self.spans(code);
        if code.ops.len() > MAX_OPS {
            self.fault(format!("{} instructions are too many", code.ops.len()));
        }
        match code.ops.last() {
            None => self.fault("it has no instructions".to_owned()),
            Some(op) if op.kind().falls_through() => {
                self.instruction = Some(code.ops.len() - 1);
                self.fault("the last instruction runs on past the end".to_owned());
            }
            Some(_) => {}
        }
        let mut site_kinds: Vec<Option<OpKind>> = vec![None; code.sites.len()];
        for (at, &op) in code.ops.iter().enumerate() {
            self.instruction = Some(at);
            self.op(code, at, op, &mut site_kinds);
        }
        self.code = None;
        self.instruction = None;
    }

    fn header(&mut self, code: &Code) {
        let program = self.program;
        let params = &code.params;
        let counted = u32::from(params.positional)
            + u32::from(params.keyword_only)
            + u32::from(params.star)
            + u32::from(params.double_star);
        if counted as usize != params.names.len() {
            let names = params.names.len();
            self.fault(format!("{counted} parameters have {names} names"));
        }
        if params.positional_only > params.positional {
            self.fault("more parameters are positional-only than positional".to_owned());
        }
        if params.names.len() > usize::from(code.registers) {
            self.fault("its parameters do not fit into its registers".to_owned());
        }
        let locals = code.locals.iter().map(|(_, name)| name);
        for name in params.names.iter().chain(&code.sites).chain(locals) {
            if name.0 as usize >= program.names.len() {
                self.fault(format!("there is no name {}", name.0));
            }
        }
        for &(reg, _) in &code.locals {
            self.register(code, reg, "a local");
        }
        if program.sources.len() <= usize::from(code.source.0) {
            self.fault(format!("there is no source {}", code.source.0));
        }
        let Some(module) = program.modules.get(code.module as usize) else {
            self.fault(format!("there is no module {}", code.module));
            return;
        };
        let index = self.code.map(|index| CodeIx(index as u32));
        if index == Some(module.code) {
            if !params.names.is_empty() || !code.captures.is_empty() {
                self.fault("a module takes no parameters and captures nothing".to_owned());
            }
            if code.generator {
                self.fault("a module is no generator".to_owned());
            }
        }
    }

    fn register(&mut self, code: &Code, reg: Reg, of: &str) {
        if reg.0 >= code.registers {
            let registers = code.registers;
            self.fault(format!(
                "there is no r{} for {of}; registers: {registers}",
                reg.0
            ));
        }
    }

    fn comprehensions(&mut self, code: &Code) {
        for (index, &Inlined { start, end }) in code.comprehensions.iter().enumerate() {
            let begins = code.ops.get(start as usize);
            if !matches!(
                begins,
                Some(Op::BuildList { .. } | Op::BuildSet { .. } | Op::BuildDict { .. })
            ) {
                self.fault(format!(
                    "comprehension {index} does not begin with what it makes"
                ));
            }
            if start >= end || end as usize > code.ops.len() {
                self.fault(format!(
                    "comprehension {index} covers no instructions ({start} to {end} of {})",
                    code.ops.len()
                ));
            }
            let before = &code.comprehensions[..index];
            if before.last().is_some_and(|it| it.start >= start) {
                self.fault(format!(
                    "comprehension {index} begins before the one above it"
                ));
            }
        }
    }

    fn guards(&mut self, code: &Code) {
        let length = code.ops.len() as u32;
        let mut order: Vec<usize> = Vec::with_capacity(code.handlers.len());
        for (index, guard) in code.handlers.iter().enumerate() {
            if guard.start >= guard.end || guard.end > length {
                let Guard { start, end, .. } = guard;
                self.fault(format!(
                    "guard {index} covers no instructions ({start} to {end} of {length})"
                ));
            } else {
                order.push(index);
            }
            if guard.target >= length {
                self.fault(format!(
                    "guard {index} goes to instruction {}, which there is not",
                    guard.target
                ));
            }
            self.register(code, guard.exception, "the exception of a guard");
        }
        // From the left, wide ones first, of two equal ones the later (outer) first; then each must
        // lie within the nearest that is still open.
        order.sort_by_key(|&index| {
            let guard = code.handlers[index];
            (guard.start, std::cmp::Reverse((guard.end, index)))
        });
        let mut open: Vec<usize> = Vec::new();
        for index in order {
            let guard = code.handlers[index];
            while open
                .last()
                .is_some_and(|&outer| code.handlers[outer].end <= guard.start)
            {
                open.pop();
            }
            if let Some(&outer) = open.last() {
                if guard.end > code.handlers[outer].end {
                    self.fault(format!("guards {index} and {outer} cross"));
                } else if index > outer {
                    self.fault(format!(
                        "guard {index} lies within guard {outer} and must stand before it"
                    ));
                }
            }
            open.push(index);
        }
    }

    fn spans(&mut self, code: &Code) {
        if code.spans.len() != code.ops.len() {
            let (spans, ops) = (code.spans.len(), code.ops.len());
            self.fault(format!("{ops} instructions have {spans} spans"));
        }
        let Some(source) = self.program.sources.get(usize::from(code.source.0)) else {
            return;
        };
        let outside = |span: &Span| {
            let text = &source.text;
            text.get(span.start as usize..span.end as usize).is_none()
        };
        if let Some(at) = code.spans.iter().position(outside) {
            self.fault(format!(
                "the span of instruction {at} is not in the source {}",
                source.name
            ));
        }
    }

    fn op(&mut self, code: &Code, at: usize, op: Op, site_kinds: &mut [Option<OpKind>]) {
        let program = self.program;
        for operand in op.operands() {
            match operand {
                Operand::Reg(reg) => self.register(code, reg, "an operand"),
                Operand::Const(ConstIx(index)) => match program.consts.get(index as usize) {
                    None => self.fault(format!("there is no constant {index}")),
                    Some(Const::Names(_)) => self.fault("a list of names is no value".to_owned()),
                    Some(_) => {}
                },
                Operand::Names(NamesIx(index)) => match program.consts.get(usize::from(index)) {
                    Some(Const::Names(_)) => {}
                    Some(_) => self.fault(format!("constant {index} is no list of names")),
                    None => self.fault(format!("there is no constant {index}")),
                },
                Operand::Global(global) => self.global(code, global),
                Operand::Code(function) => self.function(code, function),
                Operand::Module(ModuleIx(index)) => {
                    if index as usize >= program.modules.len() {
                        self.fault(format!("there is no module {index}"));
                    }
                }
                Operand::Site(Site(index)) => match site_kinds.get_mut(usize::from(index)) {
                    None => self.fault(format!("there is no site {index}")),
                    Some(kind) => {
                        let first = *kind.get_or_insert(op.kind());
                        if first != op.kind() {
                            let first = first.mnemonic();
                            self.fault(format!("site {index} is used by {first} too"));
                        }
                    }
                },
                Operand::Free(free) => self.free(code, free, "an operand"),
                Operand::Far(far) => self.jump(code, at, far.0),
                Operand::Near(near) => self.jump(code, at, i32::from(near.0)),
                Operand::Count(_)
                | Operand::Count8(_)
                | Operand::Imm(_)
                | Operand::Imm32(_)
                | Operand::Flag(_)
                | Operand::Convert(_)
                | Operand::Compare(_) => {}
            }
        }
        let names = |index: NamesIx| match program.consts.get(usize::from(index.0)) {
            Some(Const::Names(names)) => names.len() as u32,
            _ => 0,
        };
        if let Some(window) = op.window(&names)
            && u32::from(window.base.0) + window.length > u32::from(code.registers)
        {
            let (base, registers) = (u32::from(window.base.0), code.registers);
            let last = base + window.length - 1;
            self.fault(format!(
                "it uses r{base} to r{last}; registers: {registers}"
            ));
        }
        if matches!(op, Op::Yield { .. } | Op::YieldFrom { .. }) && !code.generator {
            self.fault("only a generator yields".to_owned());
        }
    }

    fn jump(&mut self, code: &Code, at: usize, distance: i32) {
        let target = at as i64 + 1 + i64::from(distance);
        if !(0..code.ops.len() as i64).contains(&target) {
            self.fault(format!(
                "it goes to instruction {target}, which there is not"
            ));
        }
    }

    fn global(&mut self, code: &Code, GlobalIx(index): GlobalIx) {
        match self.owners.get(index as usize) {
            None => self.fault(format!("there is no global {index}")),
            Some(&owner) if owner.is_some_and(|owner| owner != code.module as usize) => {
                self.fault(format!("global {index} belongs to another module"));
            }
            Some(_) => {}
        }
    }

    fn free(&mut self, code: &Code, FreeIx(index): FreeIx, of: &str) {
        let captures = code.captures.len();
        if usize::from(index) >= captures {
            self.fault(format!(
                "{of} is captured cell {index}, but there are {captures}"
            ));
        }
    }

    /// `index` is made into a function by an instruction of `code`.
    fn function(&mut self, code: &Code, CodeIx(index): CodeIx) {
        let program = self.program;
        let Some(made) = program.codes.get(index as usize) else {
            self.fault(format!("there is no code {index}"));
            return;
        };
        if made.module != code.module {
            self.fault(format!("{} belongs to another module", made.qualname));
        }
        if program.modules.iter().any(|module| module.code.0 == index) {
            self.fault(format!("{} is a module, not a function", made.qualname));
        }
        for &capture in &made.captures {
            let of = format!("a capture of {}", made.qualname);
            match capture {
                Capture::Local(reg) => self.register(code, reg, &of),
                Capture::Free(free) => self.free(code, free, &of),
            }
        }
    }
}

/// The two NaNs that arithmetic makes, which the text form can write.
pub(crate) fn is_plain_nan(value: f64) -> bool {
    [f64::NAN.to_bits(), (-f64::NAN).to_bits()].contains(&value.to_bits())
}
