//! Text that may be shown on a terminal: names, paths and texts that Mini did not write itself
//! cannot move the cursor, recolour the screen, set the window's title, or pass for a line of
//! Mini's own. All that Mini says goes through here, and the type says so: whoever prints takes a
//! `Printable`. What a *script* prints is its own affair and does not come this way. Knows no
//! terminal.
//!
//! Besides control characters (Unicode's `Cc`), what reorders or breaks a line is escaped: the
//! characters of "Trojan Source: Invisible Vulnerabilities" (Boucher, Anderson, USENIX Security
//! 2023), and the separators of lines and paragraphs.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use unicode_width::UnicodeWidthStr;

/// Text that may be shown on a terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Printable(String);

impl Printable {
    /// No text yet.
    #[must_use]
    pub const fn new() -> Printable {
        Printable(String::new())
    }

    /// Several lines of which some may be foreign: line ends and tabs stay.
    #[must_use]
    pub fn lines(text: &str) -> Printable {
        Printable(escape(text, |it| matches!(it, '\n' | '\t'), python).into_owned())
    }

    /// JSON as a serializer made it, which leaves the control characters past ASCII as they are.
    /// It still says the same.
    #[must_use]
    pub fn json(text: &str) -> Printable {
        Printable(escape(text, |it| it == '\n', json).into_owned())
    }

    /// Text with colours that a renderer of ours put between pieces that are clean. Everything but
    /// colours and line ends is escaped once more.
    #[must_use]
    pub fn painted(text: &str) -> Printable {
        let mut painted = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find("\x1b[") {
            let (before, sequence) = rest.split_at(at);
            painted += &escape(before, |it| it == '\n', python);
            let parameters = sequence[2..]
                .bytes()
                .take_while(|it| it.is_ascii_digit() || *it == b';')
                .count();
            let length = 2 + parameters + 1;
            // At most the first character, which has one byte, where it is no colour.
            let is_color = sequence[2 + parameters..].starts_with('m');
            let (taken, after) = sequence.split_at(if is_color { length } else { 1 });
            if is_color {
                painted += taken;
            } else {
                painted += &escape(taken, |_| false, python);
            }
            rest = after;
        }
        painted += &escape(rest, |it| it == '\n', python);
        Printable(painted)
    }

    /// Adds text of Mini's own.
    pub fn own(&mut self, text: &'static str) {
        self.0 += text;
    }

    /// Adds something that may have come from anywhere; it stays on its line.
    pub fn foreign(&mut self, it: impl Display) {
        let from = self.0.len();
        let _ = write!(self.0, "{it}");
        if let Cow::Owned(escaped) = clean(&self.0[from..]) {
            self.0.truncate(from);
            self.0 += &escaped;
        }
    }

    /// Adds what is printable already.
    pub fn append(&mut self, more: &Printable) {
        self.0 += &more.0;
    }

    /// Adds the same character several times.
    pub fn repeat(&mut self, character: char, times: usize) {
        self.0.extend(std::iter::repeat_n(character, times));
    }

    /// Without the spaces at the end.
    pub fn trim_end(&mut self) {
        self.0.truncate(self.0.trim_end_matches(' ').len());
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How many columns of a terminal it takes, if it is one line.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.0.width()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A piece of what `printable!` puts together. `Printable` has no `Display`, so that it is never
/// taken for something foreign, nor put into a text that is not looked at.
pub trait Piece {
    fn add_to(&self, text: &mut Printable);
}

impl<T: Display + ?Sized> Piece for T {
    fn add_to(&self, text: &mut Printable) {
        text.foreign(self);
    }
}

impl Piece for Printable {
    fn add_to(&self, text: &mut Printable) {
        text.append(self);
    }
}

/// Puts a `Printable` together: literals are Mini's own and stay as they are, everything else is
/// shown by its `Display` and cleaned, unless it is a `Printable` itself.
#[macro_export]
macro_rules! printable {
    (@ $text:ident) => {};
    (@ $text:ident, $own:literal $(, $($rest:tt)*)?) => {
        $text.own($own);
        $crate::printable!(@ $text $(, $($rest)*)?);
    };
    (@ $text:ident, $piece:expr $(, $($rest:tt)*)?) => {
        $crate::printable::Piece::add_to(&$piece, &mut $text);
        $crate::printable!(@ $text $(, $($rest)*)?);
    };
    ($($pieces:tt)+) => {{
        let mut text = $crate::printable::Printable::new();
        $crate::printable!(@ text, $($pieces)+);
        text
    }};
}

/// A text on one line, with `\x1b` for an escape character, `\n` for a line end, and so on.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    escape(text, |_| false, python)
}

/// Does a terminal do something with it other than show it?
fn is_harmful(it: char) -> bool {
    it.is_control()
        || matches!(it,
            '\u{061c}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}')
}

fn escape(text: &str, stays: impl Fn(char) -> bool, form: fn(char) -> String) -> Cow<'_, str> {
    let harmful = |it: char| is_harmful(it) && !stays(it);
    let Some(first) = text.find(harmful) else {
        return Cow::Borrowed(text);
    };
    let mut escaped = text[..first].to_owned();
    for it in text[first..].chars() {
        if harmful(it) {
            escaped += &form(it);
        } else {
            escaped.push(it);
        }
    }
    Cow::Owned(escaped)
}

/// As Python's `repr` shows it.
fn python(it: char) -> String {
    match it {
        '\n' => "\\n".into(),
        '\r' => "\\r".into(),
        '\t' => "\\t".into(),
        ..='\u{ff}' => format!("\\x{:02x}", u32::from(it)),
        _ => format!("\\u{:04x}", u32::from(it)),
    }
}

/// As JSON can have any character that is harmful, none of which is past U+FFFF.
fn json(it: char) -> String {
    format!("\\u{:04x}", u32::from(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_foreign_stays_on_its_line() {
        let name = "\x1b[31mred\x07\r\n\u{9b}1m\u{202e}\u{7f}";
        let text = printable!("thread ", name, " of ", 1 + 1, "\n");
        assert_eq!(
            text.as_str(),
            "thread \\x1b[31mred\\x07\\r\\n\\x9b1m\\u202e\\x7f of 2\n"
        );
        assert_eq!(printable!(text, text).as_str(), text.as_str().repeat(2));
    }

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(clean("線程 — ünï 👩‍👩‍👦"), Cow::Borrowed(_)));
    }

    #[test]
    fn only_colours_come_through_where_there_are_colours() {
        let text = "\x1b[1;31mred\x1b[0m\n\x1b[2J\x1b]0;title\x07\x1b[31\x1b[";
        assert_eq!(
            Printable::painted(text).as_str(),
            "\x1b[1;31mred\x1b[0m\n\\x1b[2J\\x1b]0;title\\x07\\x1b[31\\x1b["
        );
    }

    #[test]
    fn json_says_the_same() {
        let text = serde_json::to_string_pretty(&["\x1b\u{9b}\u{7f}\n\u{2028}"]).unwrap();
        let shown = Printable::json(&text);
        assert!(!shown.as_str().replace('\n', "").contains(is_harmful));
        let read: Vec<String> = serde_json::from_str(shown.as_str()).unwrap();
        assert_eq!(read, ["\x1b\u{9b}\u{7f}\n\u{2028}"]);
    }
}
