//! The grammar's actions for strings: joins neighbours, reads what stands in them.

use super::{Builder, Enclosed};
use crate::diagnostic::Code;
use crate::source::Span;
use crate::syntax::ast::{Conversion, Expr, ExprKind, FPart};
use crate::syntax::literal;
use std::sync::Arc;

/// A string literal, not yet joined with its neighbours.
pub(crate) enum Piece {
    Str(Span),
    Bytes(Span),
    Formatted(Vec<FPart>),
}

impl Builder<'_> {
    pub(super) fn literal_fault(&mut self, base: u32, fault: literal::Fault) {
        let span = Span {
            start: base + fault.start as u32,
            end: base + fault.end as u32,
        };
        self.syntax_error(fault.code, span, fault.message).help = fault.help.map(str::to_owned);
    }

    /// Adjacent literals, joined.
    pub(crate) fn strings(&mut self, start: u32, pieces: Vec<Piece>, end: u32) -> Expr {
        let bytes = matches!(pieces[0], Piece::Bytes(_));
        if pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Bytes(_)) != bytes)
        {
            self.syntax_error(
                Code::E0112,
                Span { start, end },
                "cannot mix bytes and nonbytes literals",
            );
            return self.expr(start, ExprKind::Error, end);
        }
        let formatted = pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Formatted(_)));
        let mut raw_bytes: Vec<u8> = Vec::new();
        let mut text = String::new();
        let mut parts: Vec<FPart> = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Bytes(span) => {
                    let (raw, body_start, body) = literal::split(self.text(span));
                    match literal::bytes(body, raw) {
                        Ok(value) => raw_bytes.extend(value),
                        Err(fault) => self.literal_fault(span.start + body_start as u32, fault),
                    }
                }
                Piece::Str(span) => {
                    let (raw, body_start, body) = literal::split(self.text(span));
                    match literal::string(body, raw, false) {
                        Ok(value) => text.push_str(&value),
                        Err(fault) => self.literal_fault(span.start + body_start as u32, fault),
                    }
                }
                Piece::Formatted(more) => {
                    for part in more {
                        if let FPart::Text(more) = part {
                            text.push_str(&more);
                        } else {
                            flush(&mut text, &mut parts);
                            parts.push(part);
                        }
                    }
                }
            }
        }
        let kind = if bytes {
            ExprKind::Bytes(raw_bytes.into())
        } else if formatted {
            flush(&mut text, &mut parts);
            ExprKind::FString(parts)
        } else {
            ExprKind::Str(text.into())
        };
        self.expr(start, kind, end)
    }

    pub(crate) fn fstring_text(&mut self, start: u32, raw: bool, end: u32) -> FPart {
        match literal::string(self.text(Span { start, end }), raw, true) {
            Ok(text) => FPart::Text(text.into()),
            Err(fault) => {
                self.literal_fault(start, fault);
                FPart::Text("".into())
            }
        }
    }

    /// `{value=!conversion:spec}`: `echo` is where the `=` and its blanks end, `conversion` where
    /// the `!` stands.
    pub(crate) fn hole(
        &mut self,
        start: u32,
        value: Enclosed,
        end: u32,
        echo: Option<u32>,
        conversion: Option<u32>,
        spec: Option<Vec<FPart>>,
    ) -> FPart {
        let value = Box::new(self.enclosed(start, value, end));
        // The echo begins right after the brace, blanks included.
        let echo: Option<Arc<str>> = echo.map(|end| {
            let before = &self.source.text[..start as usize];
            let open = before.rfind('{').map_or(0, |brace| brace + 1);
            self.source.text[open..end as usize]
                .replace("\r\n", "\n")
                .into()
        });
        let conversion = match conversion.map(|at| self.source.text.as_bytes()[at as usize + 1]) {
            Some(b'r') => Some(Conversion::Repr),
            Some(b'a') => Some(Conversion::Ascii),
            Some(_) => Some(Conversion::Str),
            // `{x=}` shows the value as `repr` does, unless a format is given.
            None if echo.is_some() && spec.is_none() => Some(Conversion::Repr),
            None => None,
        };
        FPart::Hole {
            value,
            echo,
            conversion,
            spec: spec.unwrap_or_default(),
        }
    }
}

fn flush(text: &mut String, parts: &mut Vec<FPart>) {
    if !text.is_empty() {
        parts.push(FPart::Text(std::mem::take(text).into()));
    }
}
