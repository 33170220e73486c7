//! Small changes to texts that are right: characters and tokens taken out, put in, said twice, or
//! put in the place of others.

use arbtest::arbitrary::{Result, Unstructured};

/// Changes some characters; `pieces` is what may come in.
pub(crate) fn characters(
    text: &mut String,
    pieces: &[&str],
    input: &mut Unstructured<'_>,
) -> Result<()> {
    let mut place = || -> Result<usize> {
        let at = input.int_in_range(0..=text.len())?;
        Ok(text.floor_char_boundary(at))
    };
    let (a, b) = (place()?, place()?);
    let (from, to) = (
        a.min(b),
        a.max(b).min(text.ceil_char_boundary(a.min(b) + 40)),
    );
    match input.int_in_range(0..=5)? {
        0 => text.replace_range(from..to, ""),
        1 => text.insert_str(from, input.choose(pieces)?),
        2 => {
            let piece = text[from..to].to_owned();
            text.insert_str(b, &piece);
        }
        3 => text.truncate(from),
        4 => {
            if let Some(c) = text[from..].chars().next() {
                text.replace_range(from..from + c.len_utf8(), input.choose(pieces)?);
            }
        }
        _ => {
            if let Some(line) = text[from..].find('\n') {
                text.insert_str(from + line + 1, input.choose(&[" ", "    ", "\t"])?);
            }
        }
    }
    Ok(())
}

/// Changes some tokens for others of `from`, which may be another text: what comes of it is mostly
/// still a program.
pub(crate) fn tokens(text: &mut String, from: &str, input: &mut Unstructured<'_>) -> Result<()> {
    let mut own = split(text);
    let foreign = split(from);
    // To change what stands between them would mostly be a mistake of layout.
    let solid = |tokens: &[&str]| -> Vec<usize> {
        let solid = tokens.iter().enumerate();
        solid
            .filter(|(_, it)| !matches!(kind(it), Kind::Blank | Kind::Joint) && !is_keyword(it))
            .map(|(at, _)| at)
            .collect()
    };
    let (own_solid, foreign_solid) = (solid(&own), solid(&foreign));
    if own_solid.is_empty() || foreign_solid.is_empty() {
        return Ok(());
    }
    for _ in 0..input.int_in_range(1..=3)? {
        let at = *input.choose(&own_solid)?;
        let other = *input.choose(&own_solid)?;
        let piece = foreign[*input.choose(&foreign_solid)?];
        match input.int_in_range(0..=15)? {
            0 => own[at] = own[other],
            1 => own.swap(at, other),
            2 => own[at] = "",
            3 => own[at] = piece,
            // Of the same kind and from the same text, mostly: names for names, numbers for
            // numbers.
            _ => {
                let alike = if input.ratio(1, 4)? {
                    foreign_solid.iter().map(|&at| foreign[at]).collect()
                } else {
                    own_solid.iter().map(|&at| own[at]).collect::<Vec<_>>()
                };
                let alike = alike.into_iter();
                let alike: Vec<&str> = alike.filter(|it| kind(it) == kind(own[at])).collect();
                own[at] = if alike.is_empty() {
                    piece
                } else {
                    *input.choose(&alike)?
                };
            }
        }
    }
    *text = own.concat();
    Ok(())
}

/// Words, numbers, runs of blanks, and every other character by itself.
fn split(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let of = kind(rest);
        let length = match of {
            Kind::Operator | Kind::Joint => first.len_utf8(),
            _ => rest
                .find(|it: char| !kind_of(it).goes_on(of))
                .unwrap_or(rest.len()),
        };
        let (token, others) = rest.split_at(length);
        tokens.push(token);
        rest = others;
    }
    tokens
}

fn is_keyword(word: &str) -> bool {
    const KEYWORDS: &[&str] = &[
        "and", "as", "assert", "break", "class", "continue", "def", "del", "elif", "else",
        "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda",
        "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
    ];
    KEYWORDS.contains(&word)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Number,
    Blank,
    /// An operator, or a part of one.
    Operator,
    /// A bracket, a quote, a comma or the like: what holds a text together.
    Joint,
}

impl Kind {
    /// May a character of this kind go on what began as the other?
    fn goes_on(self, begun: Kind) -> bool {
        self == begun || (begun == Kind::Word && self == Kind::Number)
    }
}

fn kind(token: &str) -> Kind {
    token.chars().next().map_or(Kind::Blank, kind_of)
}

fn kind_of(first: char) -> Kind {
    match first {
        '0'..='9' => Kind::Number,
        it if it.is_alphanumeric() || it == '_' => Kind::Word,
        it if it.is_whitespace() => Kind::Blank,
        '+' | '-' | '*' | '/' | '%' | '<' | '>' | '&' | '|' | '^' => Kind::Operator,
        _ => Kind::Joint,
    }
}
