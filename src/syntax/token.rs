//! The tokens. A token says only what it is; its text is the source between its two places, so a
//! token is one byte.
//!
//! Most are recognised by logos; those at the end are made by hand: strings and f-strings
//! (`lexer.rs`), layout (`layout.rs`).

use logos::Logos;

/// What a piece of text is.
#[derive(Logos, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[logos(skip(r"[ \t\x0c]+"))]
#[logos(skip("#[^\r\n]*", allow_greedy = true))]
#[logos(skip("\\\\(\r\n|\n|\r)"))]
pub(crate) enum Token {
    #[regex("[A-Za-z_][A-Za-z0-9_]*", priority = 1)]
    Name,

    #[regex(r"0[xX](_?[0-9a-fA-F])+|0[oO](_?[0-7])+|0[bB](_?[01])+|0(_?0)*|[1-9](_?[0-9])*")]
    Int,
    #[regex(
        r"([0-9](_?[0-9])*)?\.[0-9](_?[0-9])*([eE][+-]?[0-9](_?[0-9])*)?|[0-9](_?[0-9])*\.([eE][+-]?[0-9](_?[0-9])*)?|[0-9](_?[0-9])*[eE][+-]?[0-9](_?[0-9])*"
    )]
    Float,
    /// `2j`: refused.
    #[regex(
        r"(([0-9](_?[0-9])*)?\.[0-9](_?[0-9])*|[0-9](_?[0-9])*\.|[0-9](_?[0-9])*)([eE][+-]?[0-9](_?[0-9])*)?[jJ]",
        priority = 10
    )]
    Imaginary,

    /// A prefix and the quotes that open a string; the lexer finds its end and makes it `Str`,
    /// `Bytes` or an f-string.
    #[regex("([rR]|[bB]|[uU]|[fF]|[rR][bB]|[bB][rR]|[fF][rR]|[rR][fF])?('|\"|'''|\"\"\")")]
    Quote,

    #[token("False")]
    False,
    #[token("None")]
    None,
    #[token("True")]
    True,
    #[token("and")]
    And,
    #[token("as")]
    As,
    #[token("assert")]
    Assert,
    #[token("async")]
    Async,
    #[token("await")]
    Await,
    #[token("break")]
    Break,
    #[token("class")]
    Class,
    #[token("continue")]
    Continue,
    #[token("def")]
    Def,
    #[token("del")]
    Del,
    #[token("elif")]
    Elif,
    #[token("else")]
    Else,
    #[token("except")]
    Except,
    #[token("finally")]
    Finally,
    #[token("for")]
    For,
    #[token("from")]
    From,
    #[token("global")]
    Global,
    #[token("if")]
    If,
    #[token("import")]
    Import,
    #[token("in")]
    In,
    #[token("is")]
    Is,
    #[token("lambda")]
    Lambda,
    #[token("nonlocal")]
    Nonlocal,
    #[token("not")]
    Not,
    #[token("or")]
    Or,
    #[token("pass")]
    Pass,
    #[token("raise")]
    Raise,
    #[token("return")]
    Return,
    #[token("try")]
    Try,
    #[token("while")]
    While,
    #[token("with")]
    With,
    #[token("yield")]
    Yield,

    #[token("(")]
    LeftParen,
    #[token(")")]
    RightParen,
    #[token("[")]
    LeftBracket,
    #[token("]")]
    RightBracket,
    #[token("{")]
    LeftBrace,
    #[token("}")]
    RightBrace,

    #[token(",")]
    Comma,
    #[token(":")]
    Colon,
    #[token(":=")]
    ColonEqual,
    #[token(".")]
    Dot,
    #[token("...")]
    Ellipsis,
    #[token(";")]
    Semicolon,
    #[token("->")]
    Arrow,
    #[token("=")]
    Equal,

    #[token("+")]
    Plus,
    #[token("-")]
    Minus,
    #[token("*")]
    Star,
    #[token("**")]
    DoubleStar,
    #[token("/")]
    Slash,
    #[token("//")]
    DoubleSlash,
    #[token("%")]
    Percent,
    #[token("@")]
    At,
    #[token("&")]
    Ampersand,
    #[token("|")]
    Bar,
    #[token("^")]
    Caret,
    #[token("~")]
    Tilde,
    #[token("<<")]
    LeftShift,
    #[token(">>")]
    RightShift,
    #[token("<")]
    Less,
    #[token(">")]
    Greater,
    #[token("<=")]
    LessEqual,
    #[token(">=")]
    GreaterEqual,
    #[token("==")]
    EqualEqual,
    #[token("!=")]
    NotEqual,

    #[token("+=")]
    PlusEqual,
    #[token("-=")]
    MinusEqual,
    #[token("*=")]
    StarEqual,
    #[token("**=")]
    DoubleStarEqual,
    #[token("/=")]
    SlashEqual,
    #[token("//=")]
    DoubleSlashEqual,
    #[token("%=")]
    PercentEqual,
    #[token("@=")]
    AtEqual,
    #[token("&=")]
    AmpersandEqual,
    #[token("|=")]
    BarEqual,
    #[token("^=")]
    CaretEqual,
    #[token("<<=")]
    LeftShiftEqual,
    #[token(">>=")]
    RightShiftEqual,

    /// The end of a physical line; after the layout pass, of a logical one.
    #[regex("\r\n|\n|\r")]
    Newline,

    /// A character that begins nothing: the lexer looks closer.
    #[regex("(?s).", priority = 0)]
    Other,

    /// A whole string literal, prefix and quotes included.
    Str,
    /// A whole bytes literal.
    Bytes,
    /// The opening of an f-string, prefix included.
    FStart,
    /// Text between holes, as written.
    FText,
    /// The same in a raw f-string.
    FRawText,
    /// `{`.
    HoleOpen,
    /// The `=` of `{x=}`, with the blanks after it.
    HoleEcho,
    /// `!r`.
    HoleConversion,
    /// The `:` before a format spec.
    HoleColon,
    /// `}`.
    HoleClose,
    /// The closing quotes of an f-string.
    FEnd,

    /// The `:` after the head of a compound statement.
    BlockColon,
    /// The start of an indented block.
    Indent,
    /// Its end.
    Dedent,
    /// Text that is no token, or that stands for missing text; a diagnostic was given. An
    /// expression or a statement to the grammar.
    Bad,
}

/// A token with its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lexeme {
    pub(crate) token: Token,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Token {
    /// Whether a statement can begin with it and an expression cannot hold it: where a bracket was
    /// left open, this ends it.
    pub(crate) fn only_starts_statement(self) -> bool {
        matches!(
            self,
            Token::Assert
                | Token::Break
                | Token::Class
                | Token::Continue
                | Token::Def
                | Token::Del
                | Token::Elif
                | Token::Except
                | Token::Finally
                | Token::Global
                | Token::Import
                | Token::Nonlocal
                | Token::Pass
                | Token::Raise
                | Token::Return
                | Token::Try
                | Token::While
                | Token::With
        )
    }

    /// Whether it heads a compound statement or one of its clauses.
    pub(crate) fn heads_block(self) -> bool {
        matches!(
            self,
            Token::If
                | Token::Elif
                | Token::Else
                | Token::While
                | Token::For
                | Token::Def
                | Token::Class
                | Token::Try
                | Token::Except
                | Token::Finally
                | Token::With
        )
    }

    /// Whether an expression can end with it.
    pub(crate) fn ends_expression(self) -> bool {
        matches!(
            self,
            Token::Name
                | Token::Int
                | Token::Float
                | Token::Imaginary
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
                | Token::Bad
        )
    }

    /// Whether an operand can begin with it (signs and brackets, which may also continue one, left
    /// aside).
    pub(crate) fn starts_operand(self) -> bool {
        matches!(
            self,
            Token::Name
                | Token::Int
                | Token::Float
                | Token::Imaginary
                | Token::Str
                | Token::Bytes
                | Token::FStart
                | Token::True
                | Token::False
                | Token::None
                | Token::Ellipsis
                | Token::Lambda
                | Token::Tilde
                | Token::Bad
        )
    }

    /// The closer that belongs to an opener.
    pub(crate) fn closer(self) -> Option<Token> {
        match self {
            Token::LeftParen => Some(Token::RightParen),
            Token::LeftBracket => Some(Token::RightBracket),
            Token::LeftBrace => Some(Token::RightBrace),
            _ => None,
        }
    }

    /// Whether it closes a bracket.
    pub(crate) fn is_closer(self) -> bool {
        matches!(
            self,
            Token::RightParen | Token::RightBracket | Token::RightBrace
        )
    }

    /// Whether it opens a bracket or a hole.
    pub(crate) fn opens(self) -> bool {
        self.closer().is_some() || self == Token::HoleOpen
    }

    /// Whether it closes a bracket or a hole.
    pub(crate) fn closes(self) -> bool {
        self.is_closer() || self == Token::HoleClose
    }

    /// Whether it binds less tightly than `|`, so that it cannot follow what a star spreads in a
    /// display.
    pub(crate) fn is_loose(self) -> bool {
        matches!(
            self,
            Token::And
                | Token::Or
                | Token::Not
                | Token::If
                | Token::Lambda
                | Token::In
                | Token::Is
                | Token::Less
                | Token::Greater
                | Token::LessEqual
                | Token::GreaterEqual
                | Token::EqualEqual
                | Token::NotEqual
        )
    }

    /// Whether it is a word of the language that cannot be a name.
    pub(crate) fn is_keyword(self) -> bool {
        (Token::False as u8..=Token::Yield as u8).contains(&(self as u8))
    }
}
