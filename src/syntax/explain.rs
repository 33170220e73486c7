//! From the place where the grammar failed to words: CPython's where it has some, the construct's
//! name where Mini leaves it out, a hint where the mistake is a common one, and else what was
//! expected, in the reader's terms.

use super::build::Builder;
use super::token::{Lexeme, Token};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use lalrpop_util::ParseError;

/// Words that begin a statement, for misspelled ones.
const FIRST_WORDS: [&str; 21] = [
    "if", "elif", "else", "for", "while", "def", "class", "return", "import", "from", "try",
    "except", "finally", "with", "raise", "pass", "del", "global", "nonlocal", "assert", "yield",
];

/// The logical line of an error, and where in it the error is.
struct Place<'a> {
    /// The line's tokens, its `Newline` included.
    line: &'a [Lexeme],
    at: usize,
    text: &'a str,
    expected: &'a [String],
}

/// What to say; the place is the failing token's unless `span` says otherwise.
struct Finding {
    code: Code,
    message: String,
    label: String,
    help: Option<String>,
    span: Option<Span>,
}

impl Finding {
    fn new(code: Code, message: impl Into<String>) -> Finding {
        Finding {
            code,
            message: message.into(),
            label: String::new(),
            help: None,
            span: None,
        }
    }

    fn label(self, label: impl Into<String>) -> Finding {
        Finding {
            label: label.into(),
            ..self
        }
    }

    fn help(self, help: impl Into<String>) -> Finding {
        Finding {
            help: Some(help.into()),
            ..self
        }
    }

    fn span(self, start: Lexeme, end: Lexeme) -> Finding {
        Finding {
            span: Some(Span {
                start: start.start,
                end: end.end,
            }),
            ..self
        }
    }
}

/// The diagnostic for an error of the grammar; none where the lexer or the layout pass has spoken.
pub(crate) fn explain(
    builder: &Builder<'_>,
    error: ParseError<u32, Token, ()>,
) -> Option<Diagnostic> {
    let ((start, token, end), expected) = match error {
        ParseError::UnrecognizedToken { token, expected } => (token, expected),
        ParseError::UnrecognizedEof { location, expected } => {
            ((location, Token::Newline, location), expected)
        }
        ParseError::ExtraToken { token } => (token, Vec::new()),
        ParseError::InvalidToken { location } => ((location, Token::Bad, location), Vec::new()),
        ParseError::User { error: () } => return None,
    };
    if token == Token::Bad {
        return None;
    }
    let failing = Lexeme { token, start, end };
    let lexemes = builder.lexemes;
    let from = lexemes.partition_point(|lexeme| lexeme.start < start);
    let at = from
        + lexemes[from..]
            .iter()
            .position(|&lexeme| lexeme == failing)?;
    let first = lexemes[..at]
        .iter()
        .rposition(|lexeme| matches!(lexeme.token, Token::Newline | Token::Indent | Token::Dedent))
        .map_or(0, |before| before + 1);
    let last = lexemes[at..]
        .iter()
        .position(|lexeme| lexeme.token == Token::Newline)
        .map_or(lexemes.len() - 1, |length| at + length);
    let place = Place {
        line: &lexemes[first..=last],
        at: at - first,
        text: &builder.source.text,
        expected: &expected,
    };
    if place.line.iter().any(|lexeme| lexeme.token == Token::Bad) {
        return None;
    }
    let finding = place.left_out().unwrap_or_else(|| {
        let mut finding = place.finding();
        if place.in_fstring() {
            finding.message.insert_str(0, "f-string: ");
        }
        finding
    });
    Some(Diagnostic {
        label: finding.label,
        help: finding.help,
        ..Diagnostic::new(
            finding.code,
            builder.id,
            finding.span.unwrap_or(Span { start, end }),
            finding.message,
        )
    })
}

impl<'a> Place<'a> {
    fn token(&self) -> Lexeme {
        self.line[self.at]
    }

    /// The token `back` places before the failing one.
    fn before(&self, back: usize) -> Option<Lexeme> {
        self.at.checked_sub(back).map(|at| self.line[at])
    }

    fn before_is(&self, back: usize, token: Token) -> bool {
        self.before(back)
            .is_some_and(|lexeme| lexeme.token == token)
    }

    fn text(&self, lexeme: Lexeme) -> &'a str {
        &self.text[lexeme.start as usize..lexeme.end as usize]
    }

    fn expects(&self, name: &str) -> bool {
        self.expected
            .iter()
            .any(|expected| expected.trim_matches('"') == name)
    }

    /// Where the innermost open bracket stands.
    fn bracket(&self) -> Option<usize> {
        let mut depth = 0_usize;
        for (at, lexeme) in self.line[..self.at].iter().enumerate().rev() {
            match lexeme.token {
                token if token.closes() => depth += 1,
                token if token.opens() => {
                    if depth == 0 {
                        return Some(at);
                    }
                    depth -= 1;
                }
                _ => {}
            }
        }
        None
    }

    fn in_fstring(&self) -> bool {
        let mut depth = 0_usize;
        for lexeme in &self.line[..self.at] {
            match lexeme.token {
                Token::FStart => depth += 1,
                Token::FEnd => depth -= 1,
                _ => {}
            }
        }
        depth > 0
    }

    /// Whether a statement begins at this token of the line.
    fn begins_statement(&self, at: usize) -> bool {
        at == 0
            || matches!(
                self.line[at - 1].token,
                Token::Semicolon | Token::BlockColon
            )
    }

    fn finding(&self) -> Finding {
        self.foreign()
            .or_else(|| self.statement())
            .or_else(|| self.misspelled())
            .or_else(|| self.in_brackets())
            .or_else(|| self.expression())
            .unwrap_or_else(|| {
                Finding::new(Code::E0301, "invalid syntax").label(self.expectation())
            })
    }

    /// Python that Mini does not have.
    fn left_out(&self) -> Option<Finding> {
        let after_value = self
            .before(1)
            .is_some_and(|before| before.token.ends_expression());
        match self.token().token {
            Token::ColonEqual => Some(
                Finding::new(Code::E0603, "the walrus operator ':=' is left out of Mini")
                    .help("assign in a statement of its own, then use the name"),
            ),
            Token::At if after_value => Some(
                Finding::new(
                    Code::E0604,
                    "matrix multiplication with '@' is left out of Mini",
                )
                .help("call a method or a function instead"),
            ),
            Token::AtEqual => Some(
                Finding::new(
                    Code::E0604,
                    "matrix multiplication with '@=' is left out of Mini",
                )
                .help("call a method or a function instead"),
            ),
            Token::Star if self.before_is(1, Token::Except) => Some(
                Finding::new(
                    Code::E0606,
                    "exception groups ('except*') are left out of Mini",
                )
                .help("catch with `except`, and look at the exception's attributes"),
            ),
            Token::Star
                if self.before_is(1, Token::Colon)
                    && self.before_is(2, Token::Name)
                    && self.before_is(3, Token::Star)
                    && self.line[0].token == Token::Def =>
            {
                Some(
                    Finding::new(Code::E0607, "annotations with a star are left out of Mini")
                        .help("leave it out: annotations are not checked"),
                )
            }
            Token::LeftBracket
                if self.before_is(1, Token::Name)
                    && (self.before_is(2, Token::Def) || self.before_is(2, Token::Class)) =>
            {
                Some(
                    Finding::new(Code::E0607, "type parameters are left out of Mini")
                        .help("leave them out: annotations are not checked"),
                )
            }
            _ => None,
        }
    }

    /// Words and signs of other languages, and of Python 2.
    fn foreign(&self) -> Option<Finding> {
        let token = self.token();
        let before = self.before(1)?;
        let adjacent = before.end == token.start;
        let syntax = |code| Finding::new(code, "invalid syntax");
        match (before.token, token.token) {
            (Token::Name, starts)
                if (starts.starts_operand() || starts == Token::Not)
                    && matches!(self.text(before), "print" | "exec")
                    && self.begins_statement(self.at - 1) =>
            {
                let name = self.text(before);
                let end = self.statement_end();
                Some(
                    Finding::new(
                        Code::E0306,
                        format!(
                            "Missing parentheses in call to '{name}'. Did you mean {name}(...)?"
                        ),
                    )
                    .span(before, end),
                )
            }
            (Token::Ampersand, Token::Ampersand) if adjacent => {
                Some(syntax(Code::E0307).span(before, token).help("write `and`"))
            }
            (Token::Bar, Token::Bar) if adjacent => {
                Some(syntax(Code::E0307).span(before, token).help("write `or`"))
            }
            (Token::Plus | Token::Minus, _)
                if !token.token.starts_operand()
                    && self.before(2).is_some_and(|first| {
                        first.token == before.token && first.end == before.start
                    })
                    && self
                        .before(3)
                        .is_some_and(|value| value.token.ends_expression()) =>
            {
                let sign = self.text(before);
                let value = self.before(3).map_or("x", |value| self.text(value));
                Some(
                    syntax(Code::E0307)
                        .span(self.before(2).unwrap_or(before), before)
                        .label(format!("there is no `{sign}{sign}`"))
                        .help(format!("write `{value} {sign}= 1`")),
                )
            }
            (Token::Less, Token::Greater) if adjacent => Some(
                syntax(Code::E0307)
                    .span(before, token)
                    .help("write `!=` for \"is not equal\""),
            ),
            (Token::Equal, Token::Greater) if adjacent => Some(
                syntax(Code::E0307)
                    .span(before, token)
                    .help("a function in an expression is written `lambda x: …`"),
            ),
            (_, Token::LeftBrace)
                if self.line[0].token.heads_block() && before.token.ends_expression() =>
            {
                Some(
                    syntax(Code::E0307)
                        .label("a block is not put in braces")
                        .help("end the line with ':' and indent the block"),
                )
            }
            (Token::Equal, Token::Equal) => Some(
                syntax(Code::E0304)
                    .label("a second `=`")
                    .help("`==` compares, and is written without a blank"),
            ),
            (Token::Name, Token::Name)
                if matches!(
                    self.text(before),
                    "function" | "func" | "fn" | "fun" | "void" | "define"
                ) && self.begins_statement(self.at - 1) =>
            {
                Some(
                    syntax(Code::E0307)
                        .span(before, before)
                        .help("a function is defined with `def`"),
                )
            }
            (Token::Name, Token::Name)
                if matches!(
                    self.text(before),
                    "let" | "var" | "const" | "int" | "float" | "str" | "string"
                ) && self.begins_statement(self.at - 1) =>
            {
                Some(syntax(Code::E0307).span(before, before).help(format!(
                    "a name needs no declaration: write `{} = …`",
                    self.text(token)
                )))
            }
            _ => None,
        }
    }

    /// A line that may have been meant to begin with another word.
    fn misspelled(&self) -> Option<Finding> {
        let first = self.line[0];
        let early = self.at == 1 || self.at == 2 && self.line[1].token == Token::Colon;
        if first.token != Token::Name || !early {
            return None;
        }
        let found = self.text(first);
        let word = match found {
            "elseif" | "elsif" => "elif",
            "catch" => "except",
            "foreach" => "for",
            "throw" => "raise",
            _ => FIRST_WORDS.iter().find(|word| {
                found.eq_ignore_ascii_case(word) || found.len() > 2 && nearly(found, word)
            })?,
        };
        let finding = Finding::new(Code::E0307, "invalid syntax").span(first, first);
        Some(finding.help(format!("did you mean `{word}`?")))
    }

    /// The last token of the simple statement that the error is in.
    fn statement_end(&self) -> Lexeme {
        let end = self.line[self.at..]
            .iter()
            .position(|lexeme| matches!(lexeme.token, Token::Semicolon | Token::Newline))
            .map_or(self.line.len() - 1, |length| self.at + length);
        self.line[end.saturating_sub(1).max(self.at)]
    }

    /// Mistakes that belong to a kind of statement.
    fn statement(&self) -> Option<Finding> {
        let token = self.token();
        let first = self.line[0];
        let syntax = || Finding::new(Code::E0301, "invalid syntax");
        let bracket = self.bracket();
        let before_comma = self.before_is(1, Token::Comma);
        match (first.token, token.token) {
            (Token::If | Token::While | Token::Elif, Token::Equal) if bracket.is_none() => Some(
                Finding::new(
                    Code::E0304,
                    "invalid syntax. Maybe you meant '==' or ':=' instead of '='?",
                )
                .help("`==` compares; `=` assigns, and only as a statement"),
            ),
            (Token::Except, Token::Comma) if bracket.is_none() => Some(
                Finding::new(
                    Code::E0313,
                    "multiple exception types must be parenthesized",
                )
                .help("write `except (A, B):`, or `except A as name:`"),
            ),
            (Token::Import, Token::From) => Some(syntax().help("write `from module import name`")),
            (Token::From, Token::Newline) if before_comma && bracket.is_none() => {
                Some(Finding::new(
                    Code::E0301,
                    "trailing comma not allowed without surrounding parentheses",
                ))
            }
            (Token::Def, Token::LeftParen) if bracket.is_some() && self.expects("name") => Some(
                Finding::new(Code::E0301, "Function parameters cannot be parenthesized"),
            ),
            (Token::Def, _) if self.expected.iter().all(|name| name == "\"(\"") => Some(
                Finding::new(Code::E0301, "expected '('")
                    .help("a function without parameters is defined as `def name():`"),
            ),
            (_, clause @ (Token::Else | Token::Elif | Token::Except | Token::Finally))
                if self.at == 0 =>
            {
                let owner = match clause {
                    Token::Elif => "`if`",
                    Token::Else => "`if`, loop or `try`",
                    _ => "`try`",
                };
                Some(syntax().label(format!("no {owner} with this indentation comes before it")))
            }
            (_, keyword)
                if keyword.is_keyword()
                    && !matches!(keyword, Token::True | Token::False | Token::None)
                    && self.expects("name")
                    && !self.expects("integer") =>
            {
                Some(syntax().label(format!(
                    "`{}` is a word of the language and cannot be a name",
                    self.text(token)
                )))
            }
            (_, keyword)
                if keyword.only_starts_statement()
                    && self.at > 0
                    && !self.begins_statement(self.at) =>
            {
                let word = self.text(token);
                Some(if self.expects("integer") {
                    syntax().label(format!(
                        "expected an expression; `{word}` begins a statement"
                    ))
                } else {
                    syntax().label(format!(
                        "`{word}` begins a statement, and needs a line of its own"
                    ))
                })
            }
            (keyword, Token::Equal) if keyword.is_keyword() && self.at == 1 => {
                Some(syntax().span(first, first).label(format!(
                    "`{}` is a word of the language and cannot be a name",
                    self.text(first)
                )))
            }
            _ => None,
        }
    }

    /// Mistakes in lists, calls, displays and comprehensions.
    fn in_brackets(&self) -> Option<Finding> {
        let bracket = self.bracket()?;
        let opener = self.line[bracket].token;
        let token = self.token();
        let before = self.before(1)?;
        let brace = opener == Token::LeftBrace;
        let separates = |token| matches!(token, Token::Comma | Token::RightBrace | Token::For);
        if brace && before.token == Token::Colon && self.expects("integer") {
            if separates(token.token) {
                return Some(
                    Finding::new(
                        Code::E0301,
                        "expression expected after dictionary key and ':'",
                    )
                    .span(before, before),
                );
            }
            let next = self.line.get(self.at + 1).map(|lexeme| lexeme.token);
            if token.token == Token::Star
                && !matches!(
                    next,
                    Some(Token::Lambda | Token::Not | Token::Star | Token::DoubleStar)
                )
                && !self.after_lambda(bracket)
            {
                return Some(Finding::new(
                    Code::E0403,
                    "cannot use a starred expression in a dictionary value",
                ));
            }
        }
        if let Some(finding) = self.starred_in_brackets(bracket) {
            return Some(finding);
        }
        if brace && separates(token.token) && self.expects(":") && before.token.ends_expression() {
            return Some(Finding::new(
                Code::E0301,
                "':' expected after dictionary key",
            ));
        }
        if token.token == Token::For && before.token.ends_expression() {
            if self.line[bracket + 1].token == Token::DoubleStar && brace {
                return Some(
                    Finding::new(
                        Code::E0403,
                        "dict unpacking cannot be used in dict comprehension",
                    )
                    .span(self.line[bracket + 1], before),
                );
            }
            let first = self.line[bracket + 1];
            let alone = !self.has_comma(bracket);
            if first.token == Token::Star && alone {
                return Some(
                    Finding::new(
                        Code::E0403,
                        "iterable unpacking cannot be used in comprehension",
                    )
                    .span(first, before),
                );
            }
            if matches!(
                opener,
                Token::LeftBracket | Token::LeftBrace | Token::LeftParen
            ) {
                return Some(
                    Finding::new(
                        Code::E0301,
                        "did you forget parentheses around the comprehension target?",
                    )
                    .span(self.line[bracket + 1], before),
                );
            }
        }
        let juxtaposed = before.token.ends_expression()
            && (token.token.starts_operand()
                || matches!(token.token, Token::LeftBrace | Token::Not));
        if juxtaposed {
            let finding = Finding::new(Code::E0303, "invalid syntax. Perhaps you forgot a comma?");
            return Some(finding.span(before, token));
        }
        if token.token == Token::Equal && !self.expects("=") {
            return Some(
                Finding::new(
                    Code::E0304,
                    "invalid syntax. Maybe you meant '==' or ':=' instead of '='?",
                )
                .help("`==` compares; `=` assigns, and only as a statement"),
            );
        }
        None
    }

    /// Does a comma stand before the error within the brackets that open at `bracket`?
    fn has_comma(&self, bracket: usize) -> bool {
        let mut depth = 0_usize;
        self.line[bracket + 1..self.at].iter().any(|lexeme| {
            match lexeme.token {
                token if token.opens() => depth += 1,
                token if token.closes() => depth -= 1,
                _ => {}
            }
            depth == 0 && lexeme.token == Token::Comma
        })
    }

    /// Does the colon before the error belong to a lambda within the brackets that open at
    /// `bracket`?
    fn after_lambda(&self, bracket: usize) -> bool {
        let (mut depth, mut lambdas, mut found) = (0_usize, 0_usize, false);
        for lexeme in &self.line[bracket + 1..self.at] {
            match lexeme.token {
                token if token.opens() => depth += 1,
                token if token.closes() => depth -= 1,
                Token::Lambda if depth == 0 => lambdas += 1,
                Token::Colon if depth == 0 => {
                    found = lambdas > 0;
                    lambdas = lambdas.saturating_sub(1);
                }
                _ => {}
            }
        }
        found
    }

    /// `(*a or b)`, `[*a if b else c for …]`: after the star there stands more than one may spread,
    /// which CPython reads all the same to say that no star may stand there.
    fn starred_in_brackets(&self, bracket: usize) -> Option<Finding> {
        let first = self.line[bracket + 1];
        let doubled = first.token == Token::DoubleStar && self.at == bracket + 1;
        if !(doubled || first.token == Token::Star && self.token().token.is_loose()) {
            return None;
        }
        let (mut depth, mut lambdas) = (0_usize, 0_usize);
        let end = self.line[self.at..].iter().position(|lexeme| {
            match lexeme.token {
                token if token.opens() => depth += 1,
                token if token.closes() && depth > 0 => depth -= 1,
                _ if depth > 0 => {}
                Token::Lambda => lambdas += 1,
                Token::Colon if lambdas > 0 => lambdas -= 1,
                Token::Comma => return lambdas == 0,
                Token::Colon | Token::For => return true,
                Token::As | Token::HoleEcho | Token::HoleConversion | Token::HoleColon => {
                    return true;
                }
                token => return token.closes(),
            }
            false
        })?;
        let message = match self.line[self.at + end].token {
            Token::For if !doubled => "iterable unpacking cannot be used in comprehension",
            // What a lambda begins in a hole ends at its colon.
            Token::HoleColon if lambdas > 0 => return None,
            Token::For
            | Token::As
            | Token::Comma
            | Token::Colon
            | Token::RightBracket
            | Token::RightBrace => {
                return None;
            }
            _ if doubled => "cannot use double starred expression here",
            _ => "cannot use starred expression here",
        };
        let last = self.line[self.at + end - 1];
        Some(Finding::new(Code::E0403, message).span(first, last))
    }

    /// Mistakes inside an expression.
    fn expression(&self) -> Option<Finding> {
        let token = self.token();
        if self.expects("else") && self.at > 0 {
            let bracket = self.bracket().map_or(0, |at| at + 1);
            let question = self.line[bracket..self.at]
                .iter()
                .rposition(|lexeme| lexeme.token == Token::If)
                .filter(|&at| bracket + at > 0);
            if question.is_some() && !matches!(token.token, Token::BlockColon | Token::Colon) {
                return Some(
                    Finding::new(Code::E0312, "expected 'else' after 'if' expression").help(
                        "`a if test else b` needs both values; for one, use an `if` statement",
                    ),
                );
            }
        }
        None
    }

    /// What could have stood here, folded into few words.
    fn expectation(&self) -> String {
        let names: Vec<&str> = self
            .expected
            .iter()
            .map(|name| name.trim_matches('"'))
            .collect();
        let has = |name: &str| names.contains(&name);
        let mut parts: Vec<String> = Vec::new();
        if has("integer") && has("name") {
            parts.push("an expression".into());
        } else {
            if has("name") {
                parts.push("a name".into());
            }
            if has("*") && has("and") && has("+") {
                parts.push("an operator".into());
            }
            for name in [
                ":", ",", "=", "in", "import", "else", "as", "from", ")", "]", "}", "(", ".",
            ] {
                if has(name) && parts.len() < 3 && (name != "." || parts.is_empty()) {
                    let plain = name != "in" || !has("and");
                    if plain && !(name == "(" && has("and")) {
                        parts.push(format!("'{name}'"));
                    }
                }
            }
            if has(":block") {
                parts.push("':'".into());
            }
            if has("end of line") && !self.line[..self.at].is_empty() {
                parts.push("the end of the line".into());
            }
        }
        let Some(last) = parts.pop() else {
            return "this cannot stand here".into();
        };
        if parts.is_empty() {
            format!("expected {last}")
        } else {
            format!("expected {} or {last}", parts.join(", "))
        }
    }
}

/// Whether one letter was forgotten, added or changed, or two neighbours were swapped.
fn nearly(found: &str, word: &str) -> bool {
    let (a, b) = (found.as_bytes(), word.as_bytes());
    let start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[start..], &b[start..]);
    match (a, b) {
        ([], [_]) | ([_], []) => true,
        ([a0, a1, a @ ..], [b0, b1, b @ ..]) if a0 == b1 && a1 == b0 && a == b => true,
        ([_, a @ ..], [_, b @ ..]) if a == b => true,
        ([_, a @ ..], b) if a == b => true,
        (a, [_, b @ ..]) if a == b => true,
        _ => false,
    }
}
