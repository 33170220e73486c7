//! Which part of an expression's text is its operator: tracebacks mark it. Looks at tokens only.

use crate::operator::BinaryOp;
use crate::source::{Source, SourceId};
use crate::syntax::lexer;
use crate::syntax::token::Token;
use std::ops::Range;

/// The outermost operation of an expression.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    Binary(BinaryOp),
    Subscript,
}

/// Where the operator lies in the text of an expression whose outermost operation this is; of a
/// subscript, its brackets with all that is in them.
#[must_use]
pub fn operator(text: &str, operation: Operation) -> Option<Range<usize>> {
    let (lexemes, _) = lexer::lex(&Source::new("", text), SourceId(0));
    let wanted = match operation {
        Operation::Binary(op) => sign(op),
        Operation::Subscript => Token::LeftBracket,
    };
    let mut depth = 0_u32;
    let mut after_operand = false;
    let mut found = None;
    for lexeme in &lexemes {
        if depth == 0 && lexeme.token == wanted && after_operand {
            found = Some(lexeme.start as usize..lexeme.end as usize);
            // Powers group to the right, all others to the left.
            if wanted == Token::DoubleStar {
                break;
            }
        }
        match lexeme.token {
            Token::LeftParen
            | Token::LeftBracket
            | Token::LeftBrace
            | Token::FStart
            | Token::HoleOpen => depth += 1,
            Token::RightParen
            | Token::RightBracket
            | Token::RightBrace
            | Token::FEnd
            | Token::HoleClose => depth = depth.saturating_sub(1),
            _ => {}
        }
        after_operand = ends_operand(lexeme.token);
    }
    let found = found?;
    Some(match operation {
        Operation::Binary(_) => found,
        Operation::Subscript => found.start..text.len(),
    })
}

fn ends_operand(token: Token) -> bool {
    matches!(
        token,
        Token::Name
            | Token::Int
            | Token::Float
            | Token::Str
            | Token::Bytes
            | Token::FEnd
            | Token::True
            | Token::False
            | Token::None
            | Token::Ellipsis
            | Token::RightParen
            | Token::RightBracket
            | Token::RightBrace
    )
}

fn sign(op: BinaryOp) -> Token {
    match op {
        BinaryOp::Add => Token::Plus,
        BinaryOp::Sub => Token::Minus,
        BinaryOp::Mul => Token::Star,
        BinaryOp::Div => Token::Slash,
        BinaryOp::FloorDiv => Token::DoubleSlash,
        BinaryOp::Mod => Token::Percent,
        BinaryOp::Pow => Token::DoubleStar,
        BinaryOp::BitAnd => Token::Ampersand,
        BinaryOp::BitOr => Token::Bar,
        BinaryOp::BitXor => Token::Caret,
        BinaryOp::Shl => Token::LeftShift,
        BinaryOp::Shr => Token::RightShift,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outermost_operator_is_found() {
        let marked = |text: &str, operation| {
            let range = operator(text, operation).unwrap_or(0..0);
            format!(
                "{}[{}]{}",
                &text[..range.start],
                &text[range.clone()],
                &text[range.end..]
            )
        };
        let binary = |text, op| marked(text, Operation::Binary(op));
        assert_eq!(binary("a - b - -c", BinaryOp::Sub), "a - b [-] -c");
        assert_eq!(binary("-a ** b ** c", BinaryOp::Pow), "-a [**] b ** c");
        assert_eq!(
            binary("(a + 'x+y') + f(b + c)", BinaryOp::Add),
            "(a + 'x+y') [+] f(b + c)"
        );
        assert_eq!(binary("f'{a + b}'+c", BinaryOp::Add), "f'{a + b}'[+]c");
        let subscript = |text| marked(text, Operation::Subscript);
        assert_eq!(subscript("a[b[0]][c[1]]"), "a[b[0]][[c[1]]]");
        assert_eq!(subscript("[1, 2][5]"), "[1, 2][[5]]");
        assert_eq!(subscript("f()"), "[]f()");
    }
}
