//! Makes instructions: each operand is read as the kind that the table of instructions says it is.
//! Knows the kinds, and no instruction.

use super::emit::Emitter;
use super::function::Making;
use super::outline::CodeDraft;
use super::tree::{Argument, At, Instruction};
use crate::bytecode::code::{Capture, Const, Name};
use crate::bytecode::disassemble::usual_flag;
use crate::bytecode::op::{
    Choice, ConstIx, Count, Count8, Far, Flag, FreeIx, GlobalIx, Imm, Imm32, ModuleIx, NamesIx,
    Near, Op, OpKind, Operand, OperandKind, Reg, Site,
};
use crate::diagnostic;
use crate::source::Span;
use num_bigint::BigInt;
use num_traits::ToPrimitive;
use std::fmt::Display;

impl Emitter<'_> {
    pub(super) fn instruction(
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

    pub(super) fn operand(
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

    pub(super) fn distance(
        &mut self,
        kind: OperandKind,
        distance: i64,
        span: Span,
    ) -> Option<Operand> {
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

    pub(super) fn fits<T: TryFrom<V>, V: Display + Clone>(
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

    pub(super) fn number<T: for<'b> TryFrom<&'b BigInt> + Default>(
        &mut self,
        number: &At<BigInt>,
    ) -> T {
        self.fits(number.span, &number.value, "a count or a line")
            .unwrap_or_default()
    }

    pub(super) fn register(&mut self, word: &At<String>) -> Option<Reg> {
        let found = register(&word.value);
        if found.is_none() {
            let message = format!("{} is no register (r0, r1, …)", word.value);
            self.report(diagnostic::Code::E0703, word.span, message);
        }
        found
    }

    pub(super) fn capture(&mut self, word: &At<String>) -> Option<Capture> {
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

    pub(super) fn label(&mut self, draft: &CodeDraft, label: &At<String>) -> Option<u32> {
        let found = draft.labels.get(&label.value).copied();
        if found.is_none() {
            let message = format!("there is no label {} in this function", label.value);
            self.report(diagnostic::Code::E0704, label.span, message);
        }
        found
    }

    /// A variable that the module does not list is added to it; a builtin of the name shows
    /// through, as in a script.
    pub(super) fn global(&mut self, module: ModuleIx, text: &str) -> GlobalIx {
        let name = self.name(text);
        if let Some(&global) = self.globals.get(&(module, name)) {
            return global;
        }
        let builtin = !text.starts_with('_') && (self.surroundings.is_builtin)(text);
        self.new_global((module, name), builtin)
    }

    /// Each instruction has a site of its own as long as there are numbers.
    pub(super) fn site(
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
    pub(super) fn constant(&mut self, argument: &At<Argument>) -> Option<ConstIx> {
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

pub(super) fn kind_of(mnemonic: &str) -> Option<OpKind> {
    let mut all = OpKind::ALL.iter();
    all.find(|kind| kind.mnemonic() == mnemonic).copied()
}

/// `r0`, `r1` …
pub(super) fn register(word: &str) -> Option<Reg> {
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

pub(super) fn name_list(argument: &Argument) -> Option<Vec<&str>> {
    let Argument::Group(items) = argument else {
        return None;
    };
    let names = items.iter().map(|item| match &item.value {
        Argument::Word(name) | Argument::Text(name) => Some(name.as_str()),
        _ => None,
    });
    names.collect()
}
