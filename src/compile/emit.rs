//! The emitter: the state that all parts of code generation share, and reading, writing and
//! deleting names.

use crate::bytecode::code::{Capture, Const, Name};
use crate::bytecode::op::{CodeIx, Flag, FreeIx, GlobalIx, Imm32, Op, Reg, Site};
use crate::compile::Environment;
use crate::compile::derived::Derived;
use crate::compile::modules::{ModuleText, Modules, Origin};
use crate::compile::pool::Pool;
use crate::compile::scope::{Place, ScopeId, Scopes, VariableId};
use crate::compile::unit::{FAR, Flow, RegionId, Unit};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::{Block, Interner, Symbol};
use num_bigint::BigInt;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Makes the code of one module.
pub(super) struct Emitter<'a> {
    pub(super) modules: &'a Modules,
    pub(super) module: u32,
    pub(super) text: &'a ModuleText,
    pub(super) scopes: &'a Scopes,
    pub(super) environment: &'a Environment,
    pub(super) interner: &'a mut Interner,
    pub(super) derived: &'a mut Derived,
    pub(super) pool: &'a mut Pool,
    pub(super) diagnostics: &'a mut Vec<Diagnostic>,
    /// The code object being made.
    pub(super) unit: Unit,
    /// What must be done on the way out of the present place, outermost first.
    pub(super) blocks: Vec<Exit<'a>>,
    /// The code objects around it, with their blocks.
    pub(super) outer: Vec<(Unit, Vec<Exit<'a>>)>,
    /// The scope of the present place.
    pub(super) scope: ScopeId,
    /// Code that was made before: the copies of a `finally` block share their functions.
    pub(super) made: FxHashMap<ScopeId, CodeIx>,
}

/// What surrounds a place within its code object.
#[derive(Clone, Copy)]
pub(super) enum Exit<'a> {
    /// A loop: where `break` and `continue` go.
    Loop {
        end: crate::compile::unit::Label,
        next: crate::compile::unit::Label,
    },
    /// A `try` with a `finally` block, which runs on the way out.
    Finally { region: RegionId, body: &'a Block },
    /// A `try` body with `except` clauses.
    Try { region: RegionId },
    /// A `with` block, whose manager must be told.
    With {
        region: RegionId,
        exit: Reg,
        span: Span,
    },
    /// Code that handles an exception.
    Handling {
        region: RegionId,
        saved: Reg,
        span: Span,
    },
    /// An `except … as name` clause.
    Named {
        region: RegionId,
        name: Symbol,
        span: Span,
    },
}

/// Where a name lives, as seen from the present place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Location {
    Register(Reg),
    Cell(Reg),
    Free(FreeIx),
    Global(GlobalIx),
    /// A builtin that nothing rebinds.
    Builtin(crate::bytecode::op::ConstIx),
    /// `__debug__`.
    Debug,
    /// A name of the class body that is being run.
    Class(Symbol),
}

/// The register of the class in the code of its body.
pub(super) const CLASS: Reg = Reg(1);

impl Emitter<'_> {
    pub(super) fn op(&mut self, op: Op, span: Span) {
        self.unit.emit(op, span);
    }

    pub(super) fn is_live(&self) -> bool {
        self.unit.flow.live
    }

    pub(super) fn flow(&self) -> Flow {
        self.unit.flow.clone()
    }

    /// A name with the class's prefix where it is private.
    pub(super) fn mangled(&mut self, name: Symbol) -> Symbol {
        let private = self.scopes.get(self.scope).private;
        self.derived.mangle(self.interner, private, name)
    }

    /// The program-wide index of an attribute name.
    pub(super) fn name(&mut self, name: Symbol) -> Name {
        let name = self.mangled(name);
        self.pool.name(name, self.interner)
    }

    /// A new site for an attribute name.
    pub(super) fn site(&mut self, name: Symbol, span: Span) -> Site {
        let name = self.name(name);
        self.unit.site(name, span)
    }

    // Constants.

    pub(super) fn load_integer(&mut self, value: &BigInt, dst: Reg, span: Span) {
        let op = match i32::try_from(value) {
            Ok(small) => Op::LoadInt {
                dst,
                integer: Imm32(small),
            },
            Err(_) => Op::LoadConst {
                dst,
                constant: self.pool.integer(value),
            },
        };
        self.op(op, span);
    }

    pub(super) fn load(&mut self, value: Const, dst: Reg, span: Span) {
        let op = match value {
            Const::None => Op::LoadNone { dst },
            Const::Bool(value) => Op::LoadBool {
                value: Flag(value),
                dst,
            },
            other => Op::LoadConst {
                dst,
                constant: self.pool.constant(other),
            },
        };
        self.op(op, span);
    }

    pub(super) fn load_text(&mut self, text: &Arc<str>, dst: Reg, span: Span) {
        self.load(Const::Str(text.clone()), dst, span);
    }

    pub(super) fn move_to(&mut self, dst: Reg, src: Reg, span: Span) {
        if dst != src {
            self.op(Op::Move { dst, src }, span);
        }
    }

    // Names.

    /// Where a name lives, for reading.
    pub(super) fn find(&mut self, name: Symbol, span: Span) -> Location {
        let name = self.mangled(name);
        match self.scopes.get(self.scope).places[&name] {
            Place::Variable(id) => self.variable(id, span),
            Place::Global => self.global(name),
            Place::ClassBody => Location::Class(name),
        }
    }

    pub(super) fn variable(&mut self, id: VariableId, span: Span) -> Location {
        let variable = self.scopes.variable(id);
        if variable.unit != self.unit.scope {
            Location::Free(self.free(id, span))
        } else if variable.captured {
            Location::Cell(variable.register)
        } else {
            Location::Register(variable.register)
        }
    }

    /// The builtin of this name, if code of this module may use it.
    pub(super) fn is_builtin(&self, name: Symbol) -> bool {
        let text = self.interner.text(name);
        (self.environment.is_builtin)(text)
            && (self.text.origin == Origin::Embedded || !text.starts_with('_'))
    }

    fn global(&mut self, name: Symbol) -> Location {
        let builtin = self.is_builtin(name);
        if builtin && !self.scopes.module_bound.contains_key(&name) {
            let text = self.interner.texts()[name.0 as usize].clone();
            return Location::Builtin(self.pool.constant(Const::Builtin(text)));
        }
        if self.interner.text(name) == "__debug__" {
            return Location::Debug;
        }
        Location::Global(self.pool.global(self.module, name, builtin, self.interner))
    }

    /// The module's variable of this name, made at need.
    pub(super) fn own_global(&mut self, name: Symbol) -> GlobalIx {
        let builtin = self.is_builtin(name);
        self.pool.global(self.module, name, builtin, self.interner)
    }

    /// The register of a name that is a plain local of this code.
    pub(super) fn local(&mut self, name: Symbol) -> Option<Reg> {
        let name = self.mangled(name);
        match self.scopes.get(self.scope).places[&name] {
            Place::Variable(id) => {
                let variable = self.scopes.variable(id);
                (variable.unit == self.unit.scope && !variable.captured)
                    .then_some(variable.register)
            }
            Place::Global | Place::ClassBody => None,
        }
    }

    /// The index of a captured variable in this code, captured at need by all code in between.
    fn free(&mut self, id: VariableId, span: Span) -> FreeIx {
        if let Some(&found) = self.unit.free.get(&id) {
            return found;
        }
        let variable = self.scopes.variable(id);
        let home = self
            .outer
            .iter()
            .rposition(|(unit, _)| unit.scope == variable.unit)
            .expect("a variable is used inside the code that owns it");
        let mut capture = Capture::Local(variable.register);
        let mut last = FreeIx(0);
        for level in home + 1..=self.outer.len() {
            let unit = match self.outer.get_mut(level) {
                Some((unit, _)) => unit,
                None => &mut self.unit,
            };
            last = if let Some(&found) = unit.free.get(&id) {
                found
            } else {
                let Ok(next) = u16::try_from(unit.captures.len()) else {
                    unit.limit(span, "more than 65,536 captured variables in one function");
                    return last;
                };
                unit.captures.push(capture);
                unit.free.insert(id, FreeIx(next));
                FreeIx(next)
            };
            capture = Capture::Free(last);
        }
        last
    }

    /// Reads a name into a register.
    pub(super) fn read(&mut self, name: Symbol, dst: Reg, span: Span) {
        self.keep_class_for(name, span);
        match self.find(name, span) {
            Location::Register(src) => {
                self.check_bound(src, span);
                self.move_to(dst, src, span);
            }
            Location::Cell(cell) => self.op(Op::GetCell { dst, cell }, span),
            Location::Free(free) => self.op(Op::GetFree { dst, free }, span),
            Location::Global(global) => self.op(Op::GetGlobal { dst, global }, span),
            Location::Builtin(constant) => self.op(Op::LoadConst { dst, constant }, span),
            Location::Debug => self.load(Const::Bool(true), dst, span),
            Location::Class(name) => self.read_class_name(name, dst, span),
        }
    }

    /// A name that the class body binds: the class's own, else the module's, else the builtin.
    fn read_class_name(&mut self, name: Symbol, dst: Reg, span: Span) {
        let site = self.site(name, span);
        let (missing, end) = (self.unit.label(), self.unit.label());
        self.op(
            Op::GetClassVar {
                dst,
                class: CLASS,
                site,
            },
            span,
        );
        self.unit
            .jump(Op::JumpIfUnbound { src: dst, to: FAR }, missing, span);
        self.unit.go(end, span);
        self.unit.place(missing);
        match self.global(name) {
            Location::Builtin(constant) => self.op(Op::LoadConst { dst, constant }, span),
            Location::Global(global) => self.op(Op::GetGlobal { dst, global }, span),
            Location::Debug
            | Location::Register(_)
            | Location::Cell(_)
            | Location::Free(_)
            | Location::Class(_) => self.load(Const::Bool(true), dst, span),
        }
        self.unit.place(end);
    }

    /// Raises at run time if a local may be unbound here.
    pub(super) fn check_bound(&mut self, register: Reg, span: Span) {
        if !self.unit.is_bound(register) {
            self.op(Op::CheckBound { src: register }, span);
            self.unit.flow.set(register);
        }
    }

    /// Binds a name to the value of a register.
    pub(super) fn write(&mut self, name: Symbol, src: Reg, span: Span) {
        match self.find_for_writing(name, span) {
            Location::Register(dst) => {
                self.move_to(dst, src, span);
                self.unit.flow.set(dst);
            }
            Location::Cell(cell) => self.op(Op::SetCell { cell, src }, span),
            Location::Free(free) => self.op(Op::SetFree { src, free }, span),
            Location::Global(global) => self.op(Op::SetGlobal { src, global }, span),
            Location::Class(name) => {
                let site = self.site(name, span);
                self.op(
                    Op::SetClassVar {
                        class: CLASS,
                        src,
                        site,
                    },
                    span,
                );
            }
            Location::Builtin(_) | Location::Debug => {
                unreachable!("a name that is written is a variable of its module")
            }
        }
    }

    fn find_for_writing(&mut self, name: Symbol, span: Span) -> Location {
        let name = self.mangled(name);
        match self.scopes.get(self.scope).places[&name] {
            Place::Variable(id) => self.variable(id, span),
            Place::Global => Location::Global(self.own_global(name)),
            Place::ClassBody => Location::Class(name),
        }
    }

    /// `del name`.
    pub(super) fn delete(&mut self, name: Symbol, span: Span) {
        match self.find_for_writing(name, span) {
            Location::Register(register) => {
                self.check_bound(register, span);
                self.op(Op::Unbind { dst: register }, span);
                self.unit.flow.clear(register);
            }
            Location::Cell(cell) => self.op(Op::DelCell { cell }, span),
            Location::Free(free) => self.op(Op::DelFree { free }, span),
            Location::Global(global) => self.op(Op::DelGlobal { global }, span),
            Location::Class(name) => {
                let site = self.site(name, span);
                self.op(Op::DelClassVar { class: CLASS, site }, span);
            }
            Location::Builtin(_) | Location::Debug => {
                unreachable!("a name that is deleted is a variable of its module")
            }
        }
    }

    /// The end of `except … as name`: `name = None; del name`, which works also where the clause
    /// deleted the name itself.
    pub(super) fn forget(&mut self, name: Symbol, span: Span) {
        if let Some(register) = self.local(name) {
            self.op(Op::Unbind { dst: register }, span);
            self.unit.flow.clear(register);
            return;
        }
        let mark = self.unit.mark();
        let none = self.unit.temporary();
        self.op(Op::LoadNone { dst: none }, span);
        self.write(name, none, span);
        self.delete(name, span);
        self.unit.release(mark);
    }
}
