//! Arbitrary programs from bytes: random instructions with operands drawn in range, so that most of
//! them pass the verifier. The instructions come from the table; nothing is known of any of them
//! but what the table says, and that only generators yield and captured variables live in cells.

use arbtest::arbitrary::{Result, Unstructured};
use mini::bytecode::code::{
    Capture, Code, Const, Global, Guard, Module, Name, Parameters, Program,
};
use mini::bytecode::op::{
    Choice, CodeIx, ConstIx, Convert, Count, Count8, Effect, Far, Flag, FreeIx, GlobalIx, Imm,
    Imm32, ModuleIx, NamesIx, Near, Op, OpKind, Operand, OperandKind, Reg, Site,
};
use mini::operator::CompareOp;
use mini::source::{Source, SourceId, Span};
use std::collections::BTreeSet;

const NAMES: &[&str] = &[
    "x",
    "append",
    "__add__",
    "__init__",
    "args",
    "key",
    "wait",
    "größe",
    "not a name",
    "pop",
    "sort",
    "format",
    "join",
    "keys",
    "update",
    "__class__",
    "__dict__",
    "__name__",
    "send",
    "throw",
    "close",
    "acquire",
    "release",
    "split",
    "encode",
    "__iter__",
    "__next__",
    "__eq__",
    "__hash__",
    "__enter__",
    "__exit__",
    "__getattr__",
    "__call__",
    "count",
    "index",
];
const TEXT: &str = "x = 1\ny = f(x)\r\nprint(y)  # größer\n\nlast";

/// Makes a program that may refer to these builtins. In one of sixteen, some operands are drawn
/// from all numbers.
pub(crate) fn program(u: &mut Unstructured<'_>, builtins: &[&str]) -> Result<Program> {
    let mut program = Program {
        names: NAMES.iter().map(|&name| name.into()).collect(),
        sources: vec![Source::new("one.mini", TEXT), Source::new("two.mini", TEXT)],
        ..Program::default()
    };
    constants(u, &mut program, builtins)?;
    let modules = u.int_in_range(1..=2)?;
    for module in 0..modules {
        let mut globals = Vec::new();
        for name in 0..u.int_in_range(1..=4)? {
            let builtin = u.ratio(1, 4)?;
            let name = Name(name);
            program.globals.push(Global { name, builtin });
            globals.push((name, GlobalIx(program.globals.len() as u32 - 1)));
        }
        let code = CodeIx(program.codes.len() as u32);
        program.modules.push(Module {
            name: ["__main__", "library"][module as usize].into(),
            code,
            globals,
        });
        // Two passes, since a function that is made is looked at by its maker.
        let functions = u.int_in_range(0..=3)?;
        for index in 0..=functions {
            let code = header(u, module, index == 0)?;
            program.codes.push(code);
        }
    }
    let wild = u.ratio(1, 16)?;
    for index in 0..program.codes.len() {
        let code = body(u, &program, index, wild)?;
        program.codes[index] = code;
    }
    Ok(program)
}

fn constants(u: &mut Unstructured<'_>, program: &mut Program, builtins: &[&str]) -> Result<()> {
    for length in 0..3 {
        program
            .consts
            .push(Const::Names((0..length).map(Name).collect()));
    }
    program
        .consts
        .extend([Const::None, Const::Bool(true), Const::Ellipsis]);
    for _ in 0..u.int_in_range(1..=12)? {
        let constant = match u.int_in_range(0..=8)? {
            0 => Const::Int(u.arbitrary()?),
            1 => Const::Float(match u.arbitrary::<f64>()? {
                value if value.is_nan() => f64::NAN,
                value => value,
            }),
            2 => Const::Str(
                u.arbitrary::<&str>()?
                    .chars()
                    .take(5)
                    .collect::<String>()
                    .into(),
            ),
            3 => Const::Bytes(u.arbitrary::<[u8; 3]>()?.to_vec().into()),
            4 => Const::BigInt(num_bigint::BigInt::from(1) << u.int_in_range(64..=200)?),
            5..=7 => Const::Builtin((*u.choose(builtins)?).into()),
            _ => {
                let values: Vec<u32> = (3..program.consts.len() as u32).collect();
                let mut items = Vec::new();
                for _ in 0..u.int_in_range(0..=3)? {
                    items.push(ConstIx(*u.choose(&values)?));
                }
                Const::Tuple(items)
            }
        };
        program.consts.push(constant);
    }
    Ok(())
}

fn header(u: &mut Unstructured<'_>, module: u32, top: bool) -> Result<Code> {
    let registers: u16 = u.int_in_range(4..=12)?;
    let mut code = Code {
        name: if top { "<module>" } else { "f" }.into(),
        qualname: if top { "<module>" } else { "C.f" }.into(),
        source: SourceId(module as u16),
        module,
        first_line: u.int_in_range(1..=3)?,
        registers,
        ..Code::default()
    };
    if !top {
        code.generator = u.ratio(1, 4)?;
        code.internal = u.ratio(1, 8)?;
        if u.ratio(1, 8)? {
            code.docstring = Some("says\n\"what\"".into());
        }
        let positional = u.int_in_range(0..=2)?;
        let params = Parameters {
            names: Vec::new(),
            positional_only: u.int_in_range(0..=positional)?,
            positional,
            keyword_only: u.int_in_range(0..=1)?,
            star: u.ratio(1, 4)?,
            double_star: u.ratio(1, 4)?,
        };
        let count = params.positional
            + params.keyword_only
            + u16::from(params.star)
            + u16::from(params.double_star);
        let names = (0..u32::from(count)).map(Name).collect();
        code.params = Parameters { names, ..params };
        code.registers = code.registers.max(count);
        for _ in 0..u.int_in_range(0..=2)? {
            // Every code has at least four registers, so any may make this one.
            code.captures
                .push(Capture::Local(Reg(u.int_in_range(0..=3)?)));
        }
    }
    for _ in 0..u.int_in_range(0..=2)? {
        let register = Reg(u.int_in_range(0..=registers - 1)?);
        code.locals.push((register, Name(u.int_in_range(0..=3)?)));
    }
    Ok(code)
}

fn body(u: &mut Unstructured<'_>, program: &Program, index: usize, wild: bool) -> Result<Code> {
    let mut code = program.codes[index].clone();
    let length: u32 = u.int_in_range(2..=40)?;
    let ends: Vec<OpKind> = OpKind::ALL
        .iter()
        .copied()
        .filter(|kind| !kind.falls_through())
        .collect();
    // Values of many kinds first, so that what follows finds something to work on.
    let values: Vec<OpKind> = OpKind::ALL
        .iter()
        .copied()
        .filter(|kind| is_value(*kind))
        .collect();
    let captured = program
        .codes
        .iter()
        .any(|other| other.module == code.module && !other.captures.is_empty());
    for at in 0..length {
        // Cells where functions look for them (`header`), or few could be made.
        if captured && at < 4 && at + 1 < length && u.ratio(7, 8)? {
            code.ops.push(Op::MakeCell {
                reg: Reg(at as u16),
            });
            code.spans.push(Span::default());
            continue;
        }
        let kinds = match at {
            at if at + 1 == length => &ends,
            at if at < length / 2 => &values,
            _ => OpKind::ALL,
        };
        let op = instruction(u, program, &mut code, (at, length), kinds, wild)?;
        code.ops.push(op);
        let boundaries: Vec<usize> = (0..=TEXT.len())
            .filter(|&at| TEXT.is_char_boundary(at))
            .collect();
        let (one, other) = (*u.choose(&boundaries)?, *u.choose(&boundaries)?);
        code.spans.push(Span::new(one.min(other), one.max(other)));
    }
    guards(u, &mut code)?;
    Ok(code)
}

/// Puts a value somewhere, needs no other, and cannot fail.
fn is_value(kind: OpKind) -> bool {
    let registers = kind
        .operands()
        .iter()
        .filter(|(_, kind)| *kind == OperandKind::Reg)
        .count();
    let sure = kind.effect() == Effect::Pure || kind == OpKind::SetGlobal;
    sure && kind.falls_through() && registers == 1 && kind.operands().len() == 2
}

fn instruction(
    u: &mut Unstructured<'_>,
    program: &Program,
    code: &mut Code,
    (at, length): (u32, u32),
    kinds: &[OpKind],
    wild: bool,
) -> Result<Op> {
    let names = |index: NamesIx| match program.consts.get(usize::from(index.0)) {
        Some(Const::Names(names)) => names.len() as u32,
        _ => 0,
    };
    loop {
        let kind = *u.choose(kinds)?;
        if matches!(kind, OpKind::Yield | OpKind::YieldFrom) && !code.generator {
            continue;
        }
        let sites = code.sites.len();
        let mut operands = Vec::new();
        for &(_, wanted) in kind.operands() {
            operands.extend(operand(u, program, code, (at, length), wanted)?);
        }
        if wild && u.ratio(1, 20)? {
            for operand in &mut operands {
                match operand {
                    Operand::Reg(it) => it.0 = u.arbitrary()?,
                    Operand::Const(it) => it.0 = u.arbitrary()?,
                    Operand::Names(it) => it.0 = u.arbitrary()?,
                    Operand::Code(it) => it.0 = u.arbitrary()?,
                    Operand::Site(it) => it.0 = u.arbitrary()?,
                    Operand::Far(it) => it.0 = u.arbitrary()?,
                    Operand::Near(it) => it.0 = u.arbitrary()?,
                    _ => {}
                }
            }
            if let Some(op) = kind.build(&operands) {
                return Ok(op);
            }
        }
        let fits = |op: &Op| {
            let window = op.window(&names);
            window.is_none_or(|window| {
                u32::from(window.base.0) + window.length <= u32::from(code.registers)
            })
        };
        match kind.build(&operands).filter(fits) {
            Some(op) => return Ok(op),
            // The kind does not fit here (no function to make, no room for a window): its sites go,
            // and another is drawn.
            None => code.sites.truncate(sites),
        }
    }
}

/// An operand in range; `None` if there is none, or if it would not pass.
fn operand(
    u: &mut Unstructured<'_>,
    program: &Program,
    code: &mut Code,
    (at, length): (u32, u32),
    kind: OperandKind,
) -> Result<Option<Operand>> {
    let distance = |target: u32| target as i32 - at as i32 - 1;
    Ok(Some(match kind {
        OperandKind::Reg => Operand::Reg(Reg(u.int_in_range(0..=code.registers - 1)?)),
        OperandKind::Const => Operand::Const(ConstIx(
            u.int_in_range(3..=program.consts.len() as u32 - 1)?,
        )),
        OperandKind::Names => Operand::Names(NamesIx(u.int_in_range(0..=2)?)),
        OperandKind::Global => {
            let globals = &program.modules[code.module as usize].globals;
            Operand::Global(u.choose(globals)?.1)
        }
        OperandKind::Code => {
            let functions: Vec<u32> = (0..program.codes.len() as u32)
                .filter(|&index| program.codes[index as usize].module == code.module)
                .filter(|&index| {
                    program
                        .modules
                        .iter()
                        .all(|module| module.code != CodeIx(index))
                })
                .collect();
            if functions.is_empty() {
                return Ok(None);
            }
            Operand::Code(CodeIx(*u.choose(&functions)?))
        }
        OperandKind::Module => Operand::Module(ModuleIx(
            u.int_in_range(0..=program.modules.len() as u32 - 1)?,
        )),
        OperandKind::Site => {
            code.sites
                .push(Name(u.int_in_range(0..=NAMES.len() as u32 - 1)?));
            Operand::Site(Site(code.sites.len() as u16 - 1))
        }
        OperandKind::Free if code.captures.is_empty() => return Ok(None),
        OperandKind::Free => {
            Operand::Free(FreeIx(u.int_in_range(0..=code.captures.len() as u16 - 1)?))
        }
        OperandKind::Far => Operand::Far(Far(distance(u.int_in_range(0..=length - 1)?))),
        OperandKind::Near => Operand::Near(Near(distance(u.int_in_range(0..=length - 1)?) as i16)),
        OperandKind::Count => Operand::Count(Count(u.int_in_range(0..=3)?)),
        OperandKind::Count8 => Operand::Count8(Count8(u.int_in_range(0..=2)?)),
        OperandKind::Imm => Operand::Imm(Imm(u.int_in_range(-3..=100)?)),
        OperandKind::Imm32 => Operand::Imm32(Imm32(u.int_in_range(-3..=100)?)),
        OperandKind::Flag => Operand::Flag(Flag(u.arbitrary()?)),
        OperandKind::Convert => Operand::Convert(u.choose(Convert::ALL)?.0),
        OperandKind::Compare => Operand::Compare(u.choose(CompareOp::ALL)?.0),
    }))
}

/// Nested ranges: each new one either lies within an earlier one (and goes before it) or apart from
/// all.
fn guards(u: &mut Unstructured<'_>, code: &mut Code) -> Result<()> {
    let length = code.ops.len() as u32;
    let mut seen = BTreeSet::new();
    // Most code goes on after an exception, or little of it would run.
    if u.ratio(7, 8)? {
        let target = u.int_in_range(0..=length - 1)?;
        let exception = Reg(u.int_in_range(0..=code.registers - 1)?);
        code.handlers.push(Guard {
            start: 0,
            end: length,
            target,
            exception,
        });
        seen.insert((0, length));
    }
    for _ in 0..u.int_in_range(0..=3)? {
        let start = u.int_in_range(0..=length - 1)?;
        let end = u.int_in_range(start + 1..=length)?;
        let crosses = |guard: &Guard| {
            let apart = end <= guard.start || guard.end <= start;
            let within = guard.start <= start && end <= guard.end;
            !apart && !within
        };
        if code.handlers.iter().any(crosses) || !seen.insert((start, end)) {
            continue;
        }
        let target = u.int_in_range(0..=length - 1)?;
        let exception = Reg(u.int_in_range(0..=code.registers - 1)?);
        code.handlers.insert(
            0,
            Guard {
                start,
                end,
                target,
                exception,
            },
        );
    }
    Ok(())
}
