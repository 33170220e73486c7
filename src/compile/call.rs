//! Calls: plain, of methods, with keywords, with stars, and `super`.

use crate::bytecode::code::Const;
use crate::bytecode::op::{Count, Count8, Flag, Op, Reg};
use crate::compile::emit::{Emitter, Location};
use crate::compile::scope::{Place, ScopeKind, VariableId};
use crate::source::Span;
use crate::syntax::ast::{Argument, Expr, ExprKind, Ident, Symbol};

/// Most arguments of a call whose values stand in registers.
const MAX_ARGUMENTS: usize = 255;

impl<'a> Emitter<'a> {
    #[inline(never)]
    pub(super) fn call(
        &mut self,
        function: &'a Expr,
        arguments: &'a [Argument],
        dst: Reg,
        span: Span,
    ) {
        if let Some(base) = self.super_operands(function, arguments, span) {
            self.op(Op::GetSuper { dst, base }, span);
            return;
        }
        let spread = arguments.len() > MAX_ARGUMENTS
            || arguments
                .iter()
                .any(|it| matches!(it, Argument::Star(_) | Argument::DoubleStar(_)));
        let keywords = arguments
            .iter()
            .any(|it| matches!(it, Argument::Keyword(..)));
        if let ExprKind::Attribute { value, name } = &function.kind
            && !spread
            && !keywords
        {
            let base = self.method(value, name.name, function.span);
            self.positional(arguments);
            let count = Count(arguments.len() as u16);
            self.op(Op::CallMethod { dst, base, count }, span);
            return;
        }
        let base = self.fresh(function);
        if spread {
            self.spread_arguments(arguments, span);
            self.op(Op::CallSpread { dst, base }, span);
        } else if keywords {
            self.call_with_keywords(base, arguments, dst, span);
        } else {
            self.positional(arguments);
            let count = Count(arguments.len() as u16);
            self.op(Op::Call { dst, base, count }, span);
        }
    }

    /// The positional arguments, in registers in a row.
    fn positional(&mut self, arguments: &'a [Argument]) -> usize {
        let mut count = 0;
        for argument in arguments {
            if let Argument::Positional(value) = argument {
                self.fresh(value);
                count += 1;
            }
        }
        count
    }

    fn call_with_keywords(&mut self, base: Reg, arguments: &'a [Argument], dst: Reg, span: Span) {
        let mut names = Vec::new();
        for argument in arguments {
            if let Argument::Keyword(name, _) = argument {
                names.push(self.name(name.name));
            }
        }
        let Some(names) = self.pool.name_tuple(names) else {
            self.spread_arguments(arguments, span);
            self.op(Op::CallSpread { dst, base }, span);
            return;
        };
        let count = self.positional(arguments);
        for argument in arguments {
            if let Argument::Keyword(_, value) = argument {
                self.fresh(value);
            }
        }
        self.op(
            Op::CallKw {
                count: Count8(count as u8),
                dst,
                base,
                names,
            },
            span,
        );
    }

    /// All arguments in two registers: a list or tuple, and a dict or None.
    fn spread_arguments(&mut self, arguments: &'a [Argument], span: Span) {
        let list = self.unit.temporary();
        let dict = self.unit.temporary();
        self.empty_list(list, span);
        let mark = self.unit.mark();
        for argument in arguments {
            match argument {
                Argument::Positional(value) => {
                    let src = self.value(value);
                    self.op(Op::ListAppend { list, src }, value.span);
                }
                Argument::Star(value) => {
                    let src = self.value(value);
                    self.op(
                        Op::ListExtend {
                            call: Flag(true),
                            list,
                            src,
                        },
                        span,
                    );
                }
                Argument::Keyword(..) | Argument::DoubleStar(_) => {}
            }
            self.unit.release(mark);
        }
        let named: Vec<&'a Argument> = arguments
            .iter()
            .filter(|it| matches!(it, Argument::Keyword(..) | Argument::DoubleStar(_)))
            .collect();
        if named.is_empty() {
            self.load(Const::None, dict, span);
            return;
        }
        self.empty_dict(dict, span);
        let runs = named.chunk_by(|a, b| {
            matches!(a, Argument::Keyword(..)) && matches!(b, Argument::Keyword(..))
        });
        for (at, run) in runs.enumerate() {
            if let [Argument::DoubleStar(value)] = run {
                let src = self.value(value);
                self.merge(dict, src, span);
            } else if at == 0 {
                self.keywords_into(dict, run);
            } else {
                let src = self.unit.temporary();
                self.empty_dict(src, span);
                self.keywords_into(src, run);
                self.merge(dict, src, span);
            }
            self.unit.release(mark);
        }
    }

    fn empty_dict(&mut self, dst: Reg, span: Span) {
        let count = Count(0);
        self.op(
            Op::BuildDict {
                dst,
                base: dst,
                count,
            },
            span,
        );
    }

    fn merge(&mut self, dict: Reg, src: Reg, span: Span) {
        self.op(
            Op::DictMerge {
                once: Flag(true),
                dict,
                src,
            },
            span,
        );
    }

    fn keywords_into(&mut self, dict: Reg, run: &[&'a Argument]) {
        for argument in run {
            if let Argument::Keyword(Ident { name, span }, value) = argument {
                let mark = self.unit.mark();
                let name = self.mangled(*name);
                let text = self.interner.texts()[name.0 as usize].clone();
                let key = self.unit.temporary();
                self.load_text(&text, key, *span);
                let src = self.value(value);
                self.op(Op::DictInsert { dict, key, src }, value.span);
                self.unit.release(mark);
            }
        }
    }

    /// The method of a value and the value, in two fresh registers.
    fn method(&mut self, value: &'a Expr, name: Symbol, span: Span) -> Reg {
        let site = self.site(name, span);
        if let ExprKind::Call {
            function,
            arguments,
        } = &value.kind
            && let Some(base) = self.super_operands(function, arguments, value.span)
        {
            self.op(Op::LoadSuperMethod { base, site }, span);
            return base;
        }
        let dst = self.unit.temporary();
        let mark = self.unit.mark();
        let object = self.value(value);
        self.unit.release(mark);
        self.unit.temporary();
        self.op(Op::LoadMethod { dst, object, site }, span);
        dst
    }

    /// Of `super()` in a method and of `super(C, self)`, where `super` is the builtin: the class
    /// and the object, in two fresh registers. Elsewhere it is a call like others, which looks for
    /// them in the frame when it runs.
    fn super_operands(
        &mut self,
        function: &'a Expr,
        arguments: &'a [Argument],
        span: Span,
    ) -> Option<Reg> {
        if !self.is_untouched(function, "super") {
            return None;
        }
        match arguments {
            [] => {
                let object = self.first_parameter()?;
                let class = self.class_of_method(span)?;
                let register = self.unit.temporary();
                self.read_location(object, register, span);
                Some(class)
            }
            [Argument::Positional(class), Argument::Positional(object)] => {
                let class = self.fresh(class);
                self.fresh(object);
                Some(class)
            }
            _ => None,
        }
    }

    /// The class whose body holds the running function, if it is a method.
    fn class_of_method(&mut self, span: Span) -> Option<Reg> {
        let id = self.class_cell()?;
        let of = self.scopes.variable(id).unit;
        if self.scopes.get(of).class_cell != Some(id) || of == self.unit.scope {
            return None;
        }
        let register = self.unit.temporary();
        self.read_location(id, register, span);
        Some(register)
    }

    /// The variable that `__class__` means here.
    fn class_cell(&self) -> Option<VariableId> {
        let name = self.interner.find("__class__")?;
        match self.scopes.get(self.scope).places.get(&name)? {
            Place::Variable(id) => Some(*id),
            Place::Global | Place::ClassBody => None,
        }
    }

    /// A function that mentions `super` captures `__class__`, so that `super()` finds it there
    /// whoever calls it.
    pub(super) fn keep_class_for(&mut self, name: Symbol, span: Span) {
        if self.interner.text(name) == "super"
            && let Some(id) = self.class_cell()
        {
            self.variable(id, span);
        }
    }

    fn read_location(&mut self, id: VariableId, dst: Reg, span: Span) {
        match self.variable(id, span) {
            Location::Register(src) => {
                self.check_bound(src, span);
                self.move_to(dst, src, span);
            }
            Location::Cell(cell) => self.op(Op::GetCell { dst, cell }, span),
            Location::Free(free) => self.op(Op::GetFree { dst, free }, span),
            Location::Global(_) | Location::Builtin(_) | Location::Debug | Location::Class(_) => {
                unreachable!("a variable lives in a register or a cell")
            }
        }
    }

    /// The first parameter of the running function, if it is a positional one and keeps a value.
    fn first_parameter(&self) -> Option<VariableId> {
        let unit = self.scopes.get(self.scope);
        let name = *unit.order.first()?;
        if unit.kind != ScopeKind::Function
            || !self.unit.takes_positional
            || unit.mentions[&name].unbound
        {
            return None;
        }
        match unit.places[&name] {
            Place::Variable(id) => Some(id),
            Place::Global | Place::ClassBody => None,
        }
    }
}
