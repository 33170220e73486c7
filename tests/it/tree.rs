//! The tree in the words of CPython's `ast.dump`, so that the two can be compared; also good to
//! read in small snapshots.

use mini::operator::{BinaryOp, CompareOp, UnaryOp};
use mini::syntax::ast::{
    Argument, Block, BoolOp, Clause, ComprehensionKind, Conversion, DictItem, Element, Expr,
    ExprKind, FPart, Ident, ImportName, Interner, Param, Params, Stmt, StmtKind, Symbol,
};

/// The statements of a module, one on each line, blocks in brackets.
pub(crate) fn dump(body: &Block, names: &Interner) -> String {
    let dumper = Dumper { names };
    let lines: Vec<String> = body.iter().map(|stmt| dumper.stmt(stmt)).collect();
    lines.join("\n")
}

struct Dumper<'a> {
    names: &'a Interner,
}

/// `Name(field, field)`.
fn node(name: &str, fields: &[String]) -> String {
    format!("{name}({})", fields.join(", "))
}

fn list<T>(items: &[T], one: impl Fn(&T) -> String) -> String {
    let items: Vec<String> = items.iter().map(one).collect();
    format!("[{}]", items.join(", "))
}

fn option<T>(item: Option<&T>, one: impl Fn(&T) -> String) -> String {
    item.map_or("None".into(), one)
}

/// Text as a list of code points: no two languages agree on how to quote it.
fn text(text: &str) -> String {
    if text
        .chars()
        .all(|c| c.is_ascii_graphic() && !"'\\".contains(c) || c == ' ')
    {
        return format!("'{text}'");
    }
    let codes: Vec<String> = text.chars().map(|c| u32::from(c).to_string()).collect();
    format!("<{}>", codes.join(" "))
}

impl Dumper<'_> {
    fn name(&self, symbol: Symbol) -> String {
        self.names.text(symbol).to_owned()
    }

    fn ident(&self, ident: &Ident) -> String {
        self.name(ident.name)
    }

    fn block(&self, block: &Block) -> String {
        list(block, |stmt| self.stmt(stmt))
    }

    fn exprs(&self, exprs: &[Expr]) -> String {
        list(exprs, |expr| self.expr(expr))
    }

    fn elements(&self, elements: &[Element]) -> String {
        list(elements, |element| match element {
            Element::Plain(value) => self.expr(value),
            Element::Star { value, .. } => node("Starred", &[self.expr(value)]),
        })
    }

    fn maybe(&self, expr: Option<&Expr>) -> String {
        option(expr, |expr| self.expr(expr))
    }

    fn imports(&self, names: &[ImportName]) -> String {
        if names.is_empty() {
            return "[alias(*, None)]".into();
        }
        list(names, |name| {
            let alias = option(name.alias.as_ref(), |alias| self.ident(alias));
            node("alias", &[self.ident(&name.path), alias])
        })
    }

    fn stmt(&self, stmt: &Stmt) -> String {
        match &stmt.kind {
            StmtKind::Expr(value) => node("Expr", &[self.expr(value)]),
            StmtKind::Assign { targets, value } => {
                node("Assign", &[self.exprs(targets), self.expr(value)])
            }
            StmtKind::AugAssign { target, op, value } => node(
                "AugAssign",
                &[self.expr(target), binary(*op), self.expr(value)],
            ),
            StmtKind::AnnAssign {
                target,
                annotation,
                value,
            } => node(
                "AnnAssign",
                &[
                    self.expr(target),
                    self.expr(annotation),
                    self.maybe(value.as_ref()),
                ],
            ),
            StmtKind::If { branches, orelse } => {
                let mut rest = self.block(orelse);
                for (test, body) in branches.iter().rev() {
                    let one = node("If", &[self.expr(test), self.block(body), rest]);
                    rest = format!("[{one}]");
                }
                rest[1..rest.len() - 1].to_owned()
            }
            StmtKind::While { test, body, orelse } => node(
                "While",
                &[self.expr(test), self.block(body), self.block(orelse)],
            ),
            StmtKind::For {
                target,
                iter,
                body,
                orelse,
            } => node(
                "For",
                &[
                    self.expr(target),
                    self.expr(iter),
                    self.block(body),
                    self.block(orelse),
                ],
            ),
            StmtKind::Break => "Break()".into(),
            StmtKind::Continue => "Continue()".into(),
            StmtKind::Pass => "Pass()".into(),
            StmtKind::Return(value) => node("Return", &[self.maybe(value.as_ref())]),
            StmtKind::FunctionDef(def) => node(
                "FunctionDef",
                &[
                    self.ident(&def.name),
                    self.params(&def.params),
                    self.block(&def.body),
                    self.exprs(&def.decorators),
                    self.maybe(def.returns.as_ref()),
                    option(def.docstring.as_ref(), |docstring| text(docstring)),
                ],
            ),
            StmtKind::ClassDef(class) => node(
                "ClassDef",
                &[
                    self.ident(&class.name),
                    self.arguments(&class.arguments),
                    self.block(&class.body),
                    self.exprs(&class.decorators),
                    option(class.docstring.as_ref(), |docstring| text(docstring)),
                ],
            ),
            StmtKind::Global(names) => node("Global", &[list(names, |name| self.ident(name))]),
            StmtKind::Nonlocal(names) => node("Nonlocal", &[list(names, |name| self.ident(name))]),
            StmtKind::Try(parts) => node(
                "Try",
                &[
                    self.block(&parts.body),
                    list(&parts.handlers, |handler| {
                        node(
                            "ExceptHandler",
                            &[
                                self.maybe(handler.class.as_ref()),
                                option(handler.name.as_ref(), |name| self.ident(name)),
                                self.block(&handler.body),
                            ],
                        )
                    }),
                    self.block(&parts.orelse),
                    self.block(&parts.finally),
                ],
            ),
            StmtKind::Raise { exception, cause } => node(
                "Raise",
                &[self.maybe(exception.as_ref()), self.maybe(cause.as_ref())],
            ),
            StmtKind::With { items, body } => node(
                "With",
                &[
                    list(items, |item| {
                        let target = self.maybe(item.target.as_ref());
                        node("withitem", &[self.expr(&item.context), target])
                    }),
                    self.block(body),
                ],
            ),
            StmtKind::Assert { test, message } => {
                node("Assert", &[self.expr(test), self.maybe(message.as_ref())])
            }
            StmtKind::Delete(targets) => node("Delete", &[self.exprs(targets)]),
            StmtKind::Import(names) => node("Import", &[self.imports(names)]),
            StmtKind::ImportFrom { module, names } => {
                node("ImportFrom", &[self.ident(module), self.imports(names)])
            }
            StmtKind::Error => "ERROR".into(),
        }
    }

    fn param(&self, param: &Param) -> String {
        let annotation = self.maybe(param.annotation.as_ref());
        node("arg", &[self.ident(&param.name), annotation])
    }

    fn params(&self, params: &Params) -> String {
        let (before, after) = params.positional.split_at(params.positional_only);
        let defaults: Vec<String> = params
            .positional
            .iter()
            .filter_map(|param| param.default.as_ref().map(|default| self.expr(default)))
            .collect();
        node(
            "arguments",
            &[
                list(before, |param| self.param(param)),
                list(after, |param| self.param(param)),
                option(params.star.as_ref(), |param| self.param(param)),
                list(&params.keyword_only, |param| self.param(param)),
                list(&params.keyword_only, |param| {
                    self.maybe(param.default.as_ref())
                }),
                option(params.double_star.as_ref(), |param| self.param(param)),
                format!("[{}]", defaults.join(", ")),
            ],
        )
    }

    /// Positional arguments, then those with names, as CPython groups them.
    fn arguments(&self, arguments: &[Argument]) -> String {
        let mut positional: Vec<String> = Vec::new();
        let mut named: Vec<String> = Vec::new();
        for argument in arguments {
            match argument {
                Argument::Positional(value) => positional.push(self.expr(value)),
                Argument::Star(value) => positional.push(node("Starred", &[self.expr(value)])),
                Argument::Keyword(name, value) => {
                    named.push(node("keyword", &[self.ident(name), self.expr(value)]));
                }
                Argument::DoubleStar(value) => {
                    named.push(node("keyword", &["None".into(), self.expr(value)]));
                }
            }
        }
        format!("[{}], [{}]", positional.join(", "), named.join(", "))
    }

    fn expr(&self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::None => "Constant(None)".into(),
            ExprKind::True => "Constant(True)".into(),
            ExprKind::False => "Constant(False)".into(),
            ExprKind::Ellipsis => "Constant(Ellipsis)".into(),
            ExprKind::Int(value) => format!("Constant(int {value:#x})"),
            ExprKind::Float(value) => format!("Constant(float {})", value.to_bits()),
            ExprKind::Str(value) => node("Constant", &[text(value)]),
            ExprKind::Bytes(value) => {
                let bytes: Vec<String> = value.iter().map(u8::to_string).collect();
                format!("Constant(bytes {})", bytes.join(" "))
            }
            ExprKind::FString(parts) => self.parts(parts),
            ExprKind::Name(name) => node("Name", &[self.name(*name)]),
            ExprKind::List(elements) => node("List", &[self.elements(elements)]),
            ExprKind::Tuple(elements) => node("Tuple", &[self.elements(elements)]),
            ExprKind::Set(elements) => node("Set", &[self.elements(elements)]),
            ExprKind::Dict(items) => node(
                "Dict",
                &[list(items, |item| match item {
                    DictItem::Pair(key, value) => {
                        format!("{}: {}", self.expr(key), self.expr(value))
                    }
                    DictItem::DoubleStar(value) => format!("None: {}", self.expr(value)),
                })],
            ),
            ExprKind::Unary { op, operand } => {
                let op = match op {
                    UnaryOp::Not => "Not",
                    UnaryOp::Neg => "USub",
                    UnaryOp::Pos => "UAdd",
                    UnaryOp::Invert => "Invert",
                };
                node("UnaryOp", &[op.into(), self.expr(operand)])
            }
            ExprKind::Binary { op, left, right } => {
                node("BinOp", &[self.expr(left), binary(*op), self.expr(right)])
            }
            ExprKind::Bool { op, operands } => {
                let op = match op {
                    BoolOp::And => "And",
                    BoolOp::Or => "Or",
                };
                node("BoolOp", &[op.into(), self.exprs(operands)])
            }
            ExprKind::Compare { first, rest } => node(
                "Compare",
                &[
                    self.expr(first),
                    list(rest, |(op, _)| compare(*op)),
                    list(rest, |(_, operand)| self.expr(operand)),
                ],
            ),
            ExprKind::Conditional { test, body, orelse } => node(
                "IfExp",
                &[self.expr(test), self.expr(body), self.expr(orelse)],
            ),
            ExprKind::Lambda { params, body } => {
                node("Lambda", &[self.params(params), self.expr(body)])
            }
            ExprKind::Call {
                function,
                arguments,
            } => node("Call", &[self.expr(function), self.arguments(arguments)]),
            ExprKind::Attribute { value, name } => {
                node("Attribute", &[self.expr(value), self.ident(name)])
            }
            ExprKind::Subscript { value, index } => {
                node("Subscript", &[self.expr(value), self.expr(index)])
            }
            ExprKind::Slice { lower, upper, step } => node(
                "Slice",
                &[
                    self.maybe(lower.as_deref()),
                    self.maybe(upper.as_deref()),
                    self.maybe(step.as_deref()),
                ],
            ),
            ExprKind::Comprehension { kind, clauses } => {
                let clauses = list(clauses, |clause| self.clause(clause));
                match kind {
                    ComprehensionKind::List(element) => {
                        node("ListComp", &[self.expr(element), clauses])
                    }
                    ComprehensionKind::Set(element) => {
                        node("SetComp", &[self.expr(element), clauses])
                    }
                    ComprehensionKind::Dict(key, value) => {
                        node("DictComp", &[self.expr(key), self.expr(value), clauses])
                    }
                    ComprehensionKind::Generator(element) => {
                        node("GeneratorExp", &[self.expr(element), clauses])
                    }
                }
            }
            ExprKind::Yield(value) => node("Yield", &[self.maybe(value.as_deref())]),
            ExprKind::YieldFrom(value) => node("YieldFrom", &[self.expr(value)]),
            ExprKind::Error => "ERROR".into(),
        }
    }

    fn clause(&self, clause: &Clause) -> String {
        node(
            "comprehension",
            &[
                self.expr(&clause.target),
                self.expr(&clause.iter),
                self.exprs(&clause.tests),
            ],
        )
    }

    /// The echo of `{x=}` is text before the hole, as in CPython; neighbouring texts are one.
    fn parts(&self, parts: &[FPart]) -> String {
        let mut out: Vec<String> = Vec::new();
        let mut before = String::new();
        let flush = |before: &mut String, out: &mut Vec<String>| {
            if !before.is_empty() {
                out.push(node("Constant", &[text(before)]));
                before.clear();
            }
        };
        for part in parts {
            match part {
                FPart::Text(more) => before.push_str(more),
                FPart::Hole {
                    value,
                    echo,
                    conversion,
                    spec,
                } => {
                    before.push_str(echo.as_deref().unwrap_or(""));
                    flush(&mut before, &mut out);
                    let conversion = match conversion {
                        None => "-1",
                        Some(Conversion::Str) => "115",
                        Some(Conversion::Repr) => "114",
                        Some(Conversion::Ascii) => "97",
                    };
                    let spec = if spec.is_empty() {
                        "None".into()
                    } else {
                        self.parts(spec)
                    };
                    out.push(node(
                        "FormattedValue",
                        &[self.expr(value), conversion.into(), spec],
                    ));
                }
            }
        }
        flush(&mut before, &mut out);
        format!("JoinedStr([{}])", out.join(", "))
    }
}

fn binary(op: BinaryOp) -> String {
    match op {
        BinaryOp::Add => "Add",
        BinaryOp::Sub => "Sub",
        BinaryOp::Mul => "Mult",
        BinaryOp::Div => "Div",
        BinaryOp::FloorDiv => "FloorDiv",
        BinaryOp::Mod => "Mod",
        BinaryOp::Pow => "Pow",
        BinaryOp::BitAnd => "BitAnd",
        BinaryOp::BitOr => "BitOr",
        BinaryOp::BitXor => "BitXor",
        BinaryOp::Shl => "LShift",
        BinaryOp::Shr => "RShift",
    }
    .into()
}

fn compare(op: CompareOp) -> String {
    match op {
        CompareOp::Eq => "Eq",
        CompareOp::Ne => "NotEq",
        CompareOp::Lt => "Lt",
        CompareOp::Le => "LtE",
        CompareOp::Gt => "Gt",
        CompareOp::Ge => "GtE",
        CompareOp::Is => "Is",
        CompareOp::IsNot => "IsNot",
        CompareOp::In => "In",
        CompareOp::NotIn => "NotIn",
    }
    .into()
}
