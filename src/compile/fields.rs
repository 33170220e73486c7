//! The annotated names of a decorated class, in order, for `dataclasses`: the one use that Mini
//! makes of annotations.

use crate::bytecode::code::Const;
use crate::bytecode::op::Op;
use crate::compile::emit::{CLASS, Emitter};
use crate::syntax::ast::{ClassDef, Expr, ExprKind, Interner, StmtKind};

/// The class attribute that holds them.
const FIELDS: &str = "__annotated__";

impl Emitter<'_> {
    /// Sets the attribute, if the class is decorated and has any.
    pub(super) fn annotated_names(&mut self, it: &ClassDef) {
        if it.decorators.is_empty() {
            return;
        }
        let mut names = Vec::new();
        for statement in &it.body {
            if let StmtKind::AnnAssign {
                target, annotation, ..
            } = &statement.kind
                && let ExprKind::Name(name) = target.kind
                && !is_class_variable(annotation, self.interner)
            {
                let text = self.interner.texts()[name.0 as usize].clone();
                let text = self.pool.constant(Const::Str(text));
                if !names.contains(&text) {
                    names.push(text);
                }
            }
        }
        if names.is_empty() {
            return;
        }
        let span = it.name.span;
        let fields = self.interner.intern(FIELDS);
        let mark = self.unit.mark();
        let src = self.unit.temporary();
        self.load(Const::Tuple(names), src, span);
        let site = self.site(fields, span);
        let class = CLASS;
        self.op(Op::SetClassVar { class, src, site }, span);
        self.unit.release(mark);
    }
}

/// `ClassVar`, `ClassVar[int]`, `typing.ClassVar[int]`.
fn is_class_variable(annotation: &Expr, interner: &Interner) -> bool {
    match &annotation.kind {
        ExprKind::Name(name) => interner.text(*name) == "ClassVar",
        ExprKind::Attribute { name, .. } => interner.text(name.name) == "ClassVar",
        ExprKind::Subscript { value, .. } => is_class_variable(value, interner),
        _ => false,
    }
}
