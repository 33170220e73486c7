//! What parses and is wrong all the same, as far as one can tell without resolving names:
//! statements out of place, and names that are used before `global` claims them. The words are
//! CPython's (`Python/symtable.c`, `Python/compile.c`).

use super::ast::{
    Block, Clause, ComprehensionKind, Expr, ExprKind, FunctionDef, Ident, Params, Stmt, StmtKind,
    Symbol, Try,
};
use super::build::Builder;
use super::walk::children;
use crate::diagnostic::Code;
use crate::source::Span;
use rustc_hash::FxHashMap;

/// What a block of code belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Module,
    Class,
    Function,
    /// With what CPython calls it.
    Comprehension(&'static str),
}

/// How a name was met first in a scope.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Parameter,
    Assigned,
    Annotated,
    Read,
    Declared,
}

/// Most loops, `with` items, `try` blocks and handlers that may stand in one another within a
/// function, as in CPython (`CO_MAXBLOCKS`).
const MAX_STATIC_BLOCKS: usize = 20;

struct Scope {
    owner: Owner,
    in_loop: bool,
    /// How many static blocks the present place is in.
    blocks: usize,
    uses: FxHashMap<Symbol, Use>,
}

struct Checker<'b, 's> {
    builder: &'b mut Builder<'s>,
    scopes: Vec<Scope>,
}

/// Where the word stands that a statement begins with.
fn first_word(stmt: &Stmt, word: &str) -> Span {
    Span {
        start: stmt.span.start,
        end: stmt.span.start + word.len() as u32,
    }
}

/// Reports statements out of place.
pub(crate) fn check(builder: &mut Builder<'_>, body: &Block) {
    let mut checker = Checker {
        builder,
        scopes: Vec::new(),
    };
    checker.enter(Owner::Module);
    checker.block(body);
}

impl Checker<'_, '_> {
    fn enter(&mut self, owner: Owner) {
        self.scopes.push(Scope {
            owner,
            in_loop: false,
            blocks: 0,
            uses: FxHashMap::default(),
        });
    }

    fn scope(&mut self) -> &mut Scope {
        self.scopes.last_mut().expect("the module's scope stays")
    }

    fn report(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.builder.report(code, span, message);
    }

    /// Takes note of a use; an assignment weighs more than a look, and a parameter most.
    fn uses(&mut self, name: Symbol, how: Use) {
        let uses = &mut self.scope().uses;
        let before = uses.entry(name).or_insert(how);
        if *before == Use::Read && how != Use::Declared {
            *before = how;
        }
    }

    fn block(&mut self, block: &Block) {
        for stmt in block {
            self.statement(stmt);
        }
    }

    fn loop_body(&mut self, word: Span, body: &Block) {
        let before = std::mem::replace(&mut self.scope().in_loop, true);
        self.in_blocks(1, word, |checker| checker.block(body));
        self.scope().in_loop = before;
    }

    /// What stands so many static blocks further in; `word` begins the outermost.
    fn in_blocks(&mut self, count: usize, word: Span, check: impl FnOnce(&mut Self)) {
        let before = self.scope().blocks;
        self.scope().blocks += count;
        if before <= MAX_STATIC_BLOCKS && before + count > MAX_STATIC_BLOCKS {
            let report =
                self.builder
                    .report(Code::E0509, word, "too many statically nested blocks");
            report.label = format!("more than {MAX_STATIC_BLOCKS} in one another");
            report.help = Some("move the inner ones into a function".into());
        }
        check(self);
        self.scope().blocks = before;
    }

    fn statement(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            // An import counts as no use here, as in CPython.
            StmtKind::Pass | StmtKind::Import(_) | StmtKind::Error => {}
            StmtKind::Expr(value) => self.expression(value),
            StmtKind::Assign { targets, value } => {
                for target in targets {
                    self.target(target);
                }
                self.expression(value);
            }
            StmtKind::AugAssign { target, value, .. } => {
                self.target(target);
                self.expression(value);
            }
            StmtKind::AnnAssign {
                target,
                annotation,
                value,
            } => {
                if let ExprKind::Name(name) = target.kind {
                    if self.scope().uses.get(&name) == Some(&Use::Declared) {
                        let message = format!(
                            "annotated name '{}' can't be global",
                            self.builder.names.text(name)
                        );
                        self.report(Code::E0410, stmt.span, message);
                    }
                    self.uses(name, Use::Annotated);
                } else {
                    self.target(target);
                }
                self.expression(annotation);
                if let Some(value) = value {
                    self.expression(value);
                }
            }
            StmtKind::If { branches, orelse } => {
                for (test, body) in branches {
                    self.expression(test);
                    self.block(body);
                }
                self.block(orelse);
            }
            StmtKind::While { test, body, orelse } => {
                self.expression(test);
                self.loop_body(first_word(stmt, "while"), body);
                self.block(orelse);
            }
            StmtKind::For {
                target,
                iter,
                body,
                orelse,
            } => {
                self.target(target);
                self.expression(iter);
                self.loop_body(first_word(stmt, "for"), body);
                self.block(orelse);
            }
            StmtKind::Break => {
                if !self.scope().in_loop {
                    self.report(Code::E0408, stmt.span, "'break' outside loop");
                }
            }
            StmtKind::Continue => {
                if !self.scope().in_loop {
                    self.report(Code::E0408, stmt.span, "'continue' not properly in loop");
                }
            }
            StmtKind::Return(value) => {
                if self.scope().owner != Owner::Function {
                    self.report(Code::E0407, stmt.span, "'return' outside function");
                }
                if let Some(value) = value {
                    self.expression(value);
                }
            }
            StmtKind::FunctionDef(def) => self.function(def),
            StmtKind::ClassDef(class) => {
                for decorator in &class.decorators {
                    self.expression(decorator);
                }
                for argument in &class.arguments {
                    self.argument(argument);
                }
                self.uses(class.name.name, Use::Assigned);
                self.enter(Owner::Class);
                self.block(&class.body);
                self.scopes.pop();
            }
            StmtKind::Global(names) => {
                for name in names {
                    self.declare(*name, stmt.span, "global");
                }
            }
            StmtKind::Nonlocal(names) => {
                if self.scope().owner == Owner::Module {
                    self.report(
                        Code::E0411,
                        stmt.span,
                        "nonlocal declaration not allowed at module level",
                    );
                } else {
                    for name in names {
                        self.declare(*name, stmt.span, "nonlocal");
                    }
                }
            }
            StmtKind::Try(it) => {
                let word = first_word(stmt, "try");
                if it.finally.is_empty() {
                    self.try_except(it, word);
                } else {
                    self.in_blocks(1, word, |checker| {
                        if it.handlers.is_empty() {
                            checker.block(&it.body);
                        } else {
                            checker.try_except(it, word);
                        }
                    });
                    self.in_blocks(1, word, |checker| checker.block(&it.finally));
                }
            }
            StmtKind::Raise { exception, cause } => {
                let values = [exception, cause].into_iter().flatten();
                values.for_each(|value| self.expression(value));
            }
            StmtKind::With { items, body } => {
                for item in items {
                    self.expression(&item.context);
                    if let Some(target) = &item.target {
                        self.target(target);
                    }
                }
                let word = first_word(stmt, "with");
                self.in_blocks(items.len(), word, |checker| checker.block(body));
            }
            StmtKind::Assert { test, message } => {
                self.expression(test);
                if let Some(message) = message {
                    self.expression(message);
                }
            }
            StmtKind::Delete(targets) => targets.iter().for_each(|target| self.target(target)),
            StmtKind::ImportFrom { names, .. } => {
                if names.is_empty() && self.scope().owner != Owner::Module {
                    self.report(
                        Code::E0415,
                        stmt.span,
                        "import * only allowed at module level",
                    );
                }
            }
        }
    }

    /// A `try` statement without its `finally`.
    fn try_except(&mut self, it: &Try, word: Span) {
        self.in_blocks(1, word, |checker| checker.block(&it.body));
        for handler in &it.handlers {
            handler
                .class
                .iter()
                .for_each(|class| self.expression(class));
            if let Some(name) = handler.name {
                self.uses(name.name, Use::Assigned);
            }
            let start = handler.span.start;
            let word = Span {
                start,
                end: start + "except".len() as u32,
            };
            // One for what is being handled, one for the clause.
            self.in_blocks(2, word, |checker| checker.block(&handler.body));
        }
        self.block(&it.orelse);
    }

    /// `global` or `nonlocal` for one name.
    fn declare(&mut self, ident: Ident, span: Span, word: &str) {
        let name = ident.name;
        let text = self.builder.names.text(name).to_owned();
        let message = match self.scope().uses.get(&name) {
            None | Some(Use::Declared) => None,
            Some(Use::Parameter) => Some(format!("name '{text}' is parameter and {word}")),
            Some(Use::Assigned) => Some(format!(
                "name '{text}' is assigned to before {word} declaration"
            )),
            Some(Use::Annotated) => Some(format!("annotated name '{text}' can't be {word}")),
            Some(Use::Read) => Some(format!("name '{text}' is used prior to {word} declaration")),
        };
        if let Some(message) = message {
            self.report(Code::E0410, span, message);
        }
        self.scope().uses.insert(name, Use::Declared);
    }

    fn function(&mut self, def: &FunctionDef) {
        for decorator in &def.decorators {
            self.expression(decorator);
        }
        self.defaults(&def.params);
        def.returns
            .iter()
            .for_each(|returns| self.expression(returns));
        self.uses(def.name.name, Use::Assigned);
        self.enter(Owner::Function);
        self.parameters(&def.params);
        self.block(&def.body);
        self.scopes.pop();
    }

    /// What is evaluated where the function is defined.
    fn defaults(&mut self, params: &Params) {
        let all = params.positional.iter().chain(&params.star);
        for param in all.chain(&params.keyword_only).chain(&params.double_star) {
            let values = [&param.default, &param.annotation].into_iter().flatten();
            values.for_each(|value| self.expression(value));
        }
    }

    fn parameters(&mut self, params: &Params) {
        let all = params.positional.iter().chain(&params.star);
        for param in all.chain(&params.keyword_only).chain(&params.double_star) {
            self.uses(param.name.name, Use::Parameter);
        }
    }

    fn argument(&mut self, argument: &super::ast::Argument) {
        use super::ast::Argument;
        match argument {
            Argument::Positional(value)
            | Argument::Star(value)
            | Argument::Keyword(_, value)
            | Argument::DoubleStar(value) => self.expression(value),
        }
    }

    fn target(&mut self, target: &Expr) {
        match &target.kind {
            ExprKind::Name(name) => self.uses(*name, Use::Assigned),
            ExprKind::Tuple(elements) | ExprKind::List(elements) => {
                for element in elements {
                    self.target(element.value());
                }
            }
            _ => self.expression(target),
        }
    }

    fn expression(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Name(name) => self.uses(*name, Use::Read),
            ExprKind::Lambda { params, body } => {
                self.defaults(params);
                self.enter(Owner::Function);
                self.parameters(params);
                self.expression(body);
                self.scopes.pop();
            }
            ExprKind::Comprehension { kind, clauses } => self.comprehension(kind, clauses),
            ExprKind::Yield(_) | ExprKind::YieldFrom(_) => {
                match self.scope().owner {
                    Owner::Function => {}
                    Owner::Module | Owner::Class => {
                        self.report(Code::E0409, expr.span, "'yield' outside function");
                    }
                    Owner::Comprehension(what) => {
                        self.report(Code::E0409, expr.span, format!("'yield' inside {what}"));
                    }
                }
                self.subexpressions(expr);
            }
            _ => self.subexpressions(expr),
        }
    }

    fn subexpressions(&mut self, expr: &Expr) {
        children(&expr.kind, &mut |child| self.expression(child));
    }

    /// The first `in` belongs to the scope around, all else to one of its own.
    fn comprehension(&mut self, kind: &ComprehensionKind, clauses: &[Clause]) {
        let (first, rest) = clauses
            .split_first()
            .expect("the grammar gives at least one");
        self.expression(&first.iter);
        self.enter(Owner::Comprehension(match kind {
            ComprehensionKind::List(_) => "list comprehension",
            ComprehensionKind::Set(_) => "set comprehension",
            ComprehensionKind::Dict(..) => "dict comprehension",
            ComprehensionKind::Generator(_) => "generator expression",
        }));
        self.target(&first.target);
        for test in &first.tests {
            self.expression(test);
        }
        for clause in rest {
            self.target(&clause.target);
            self.expression(&clause.iter);
            for test in &clause.tests {
                self.expression(test);
            }
        }
        match kind {
            ComprehensionKind::List(element)
            | ComprehensionKind::Set(element)
            | ComprehensionKind::Generator(element) => self.expression(element),
            ComprehensionKind::Dict(key, value) => {
                self.expression(key);
                self.expression(value);
            }
        }
        self.scopes.pop();
    }
}
