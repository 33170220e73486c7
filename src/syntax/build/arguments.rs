//! The grammar's actions for the arguments of calls and the parameters of functions, with CPython's
//! rules of order.

use super::Builder;
use crate::diagnostic::Code;
use crate::source::Span;
use crate::syntax::ast::{Argument, Expr, ExprKind, Ident, Param, Params};

/// An argument as the grammar sees it.
pub(crate) enum Arg {
    Plain(Argument),
    /// A generator expression without parentheses of its own.
    Generator(Expr),
}

/// A parameter as the grammar sees it.
pub(crate) enum ParamItem {
    Plain(Box<Param>),
    Slash(Span),
    BareStar(Span),
    Star(Box<Param>),
    DoubleStar(Box<Param>),
}

impl Builder<'_> {
    pub(crate) fn keyword(&mut self, start: u32, name: &Expr, end: u32, value: Expr) -> Argument {
        let span = Span { start, end };
        match name.kind {
            ExprKind::Name(symbol) if name.span == span => {
                Argument::Keyword(Ident { name: symbol, span }, value)
            }
            ExprKind::True | ExprKind::False | ExprKind::None => {
                let message = format!("cannot assign to {}", self.text(name.span));
                self.syntax_error(Code::E0401, name.span, message);
                Argument::Positional(value)
            }
            _ => {
                self.syntax_error(
                    Code::E0304,
                    span,
                    "expression cannot contain assignment, perhaps you meant \"==\"?",
                );
                Argument::Positional(value)
            }
        }
    }

    /// A generator expression that is all the arguments of a call has the call's parentheses for
    /// its own.
    fn with_parentheses(&self, span: Span) -> Span {
        let text = &self.source.text;
        let before = text[..span.start as usize].trim_ascii_end();
        let after = text[span.end as usize..].trim_ascii_start();
        if before.ends_with('(') && after.starts_with(')') {
            Span::new(before.len() - 1, text.len() - after.len() + 1)
        } else {
            span
        }
    }

    /// The arguments of a call, with CPython's rules of order.
    pub(crate) fn arguments(&mut self, list: Vec<Arg>, comma: bool) -> Vec<Argument> {
        let alone = list.len() == 1 && !comma;
        let mut arguments = Vec::with_capacity(list.len());
        let mut keywords: Vec<Ident> = Vec::new();
        let mut unpacked = false;
        for arg in list {
            let argument = match arg {
                Arg::Plain(argument) => argument,
                Arg::Generator(mut value) => {
                    if alone {
                        value.span = self.with_parentheses(value.span);
                    } else {
                        self.syntax_error(
                            Code::E0310,
                            value.span,
                            "Generator expression must be parenthesized",
                        );
                    }
                    Argument::Positional(value)
                }
            };
            match &argument {
                Argument::Positional(value) => {
                    if unpacked {
                        self.syntax_error(
                            Code::E0311,
                            value.span,
                            "positional argument follows keyword argument unpacking",
                        );
                    } else if !keywords.is_empty() {
                        self.syntax_error(
                            Code::E0311,
                            value.span,
                            "positional argument follows keyword argument",
                        );
                    }
                }
                Argument::Star(value) => {
                    if unpacked {
                        self.syntax_error(
                            Code::E0311,
                            value.span,
                            "iterable argument unpacking follows keyword argument unpacking",
                        );
                    }
                }
                Argument::Keyword(name, _) => keywords.push(*name),
                Argument::DoubleStar(_) => unpacked = true,
            }
            arguments.push(argument);
        }
        self.no_repeats(keywords, |name| {
            (Code::E0406, format!("keyword argument repeated: {name}"))
        });
        arguments
    }

    /// Reports each name that stands twice in the list.
    fn no_repeats(&mut self, mut names: Vec<Ident>, report: impl Fn(&str) -> (Code, String)) {
        names.sort_by_key(|ident| (ident.name, ident.span));
        for pair in names.windows(2) {
            if pair[0].name == pair[1].name {
                let (code, message) = report(self.names.text(pair[1].name));
                self.report(code, pair[1].span, message)
                    .related
                    .push((pair[0].span, "first here".into()));
            }
        }
    }

    pub(crate) fn params(&mut self, items: Vec<ParamItem>) -> Box<Params> {
        let mut params = Box::<Params>::default();
        let mut slash = false;
        let mut star: Option<Span> = None;
        let mut bare: Option<Span> = None;
        for item in items {
            let span = item.span();
            if params.double_star.is_some() {
                self.syntax_error(
                    Code::E0405,
                    span,
                    "arguments cannot follow var-keyword argument",
                );
                break;
            }
            match item {
                ParamItem::Plain(param) if star.is_some() => params.keyword_only.push(*param),
                ParamItem::Plain(param) => {
                    let defaults = params
                        .positional
                        .last()
                        .is_some_and(|last| last.default.is_some());
                    if defaults && param.default.is_none() {
                        self.syntax_error(
                            Code::E0405,
                            span,
                            "non-default argument follows default argument",
                        );
                    }
                    params.positional.push(*param);
                }
                ParamItem::Slash(_) => {
                    if slash {
                        self.syntax_error(Code::E0405, span, "/ may appear only once");
                    } else if star.is_some() {
                        self.syntax_error(Code::E0405, span, "/ must be ahead of *");
                        bare = None;
                    } else if params.positional.is_empty() {
                        self.syntax_error(
                            Code::E0405,
                            span,
                            "at least one argument must precede /",
                        );
                    }
                    slash = true;
                    params.positional_only = params.positional.len();
                }
                ParamItem::BareStar(_) | ParamItem::Star(_) => {
                    if star.is_some() {
                        self.syntax_error(Code::E0405, span, "* argument may appear only once");
                    }
                    star = Some(span);
                    if let ParamItem::Star(param) = item {
                        self.no_default(&param, "var-positional");
                        params.star = Some(*param);
                    } else {
                        bare = Some(span);
                    }
                }
                ParamItem::DoubleStar(param) => {
                    self.no_default(&param, "var-keyword");
                    params.double_star = Some(*param);
                }
            }
        }
        if let (Some(span), true) = (bare, params.keyword_only.is_empty()) {
            self.syntax_error(Code::E0405, span, "named arguments must follow bare *");
        }
        let all = params.positional.iter().chain(&params.star);
        let all = all.chain(&params.keyword_only).chain(&params.double_star);
        let names = all.map(|param| param.name).collect();
        self.no_repeats(names, |name| {
            (
                Code::E0404,
                format!("duplicate argument '{name}' in function definition"),
            )
        });
        params
    }

    fn no_default(&mut self, param: &Param, kind: &str) {
        if let Some(default) = &param.default {
            let message = format!("{kind} argument cannot have default value");
            self.syntax_error(Code::E0405, default.span, message);
        }
    }
}

impl ParamItem {
    fn span(&self) -> Span {
        match self {
            ParamItem::Plain(param) | ParamItem::Star(param) | ParamItem::DoubleStar(param) => {
                param.name.span
            }
            ParamItem::Slash(span) | ParamItem::BareStar(span) => *span,
        }
    }
}
