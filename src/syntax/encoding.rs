//! Bytes to text. Scripts are UTF-8; what is not, or says that it is not, is refused with a place.
//! Reads no file.

use super::MAX_SOURCE_BYTES;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Source, SourceId, Span};

/// How much of a text that is none is kept, to show where it went wrong.
const SHOWN_BYTES: usize = 200;

/// The source that the bytes of a file are; or, if they are no text, what can be shown of it and
/// the diagnostic to show.
pub fn read(name: &str, bytes: &[u8], id: SourceId) -> Result<Source, Box<(Source, Diagnostic)>> {
    if bytes.len() > MAX_SOURCE_BYTES {
        let message = format!("the text is longer than {MAX_SOURCE_BYTES} bytes");
        let diagnostic = Diagnostic::new(Code::E0507, id, Span::default(), message);
        return Err(Box::new((Source::new(name, ""), diagnostic)));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Source::new(name, text)),
        Err(error) => {
            let at = error.valid_up_to();
            let shown = &bytes[..bytes.len().min(at + SHOWN_BYTES)];
            let source = Source::new(name, &String::from_utf8_lossy(shown));
            let span = Span::new(at, at + char::REPLACEMENT_CHARACTER.len_utf8());
            let message = format!(
                "Non-UTF-8 code starting with '\\x{:02x}' on line {}",
                bytes[at],
                source.line(span.start)
            );
            let mut diagnostic = Diagnostic::new(Code::E0111, id, span, message);
            diagnostic.help = Some("save the file as UTF-8".into());
            Err(Box::new((source, diagnostic)))
        }
    }
}

/// Refuses a text whose first lines name another encoding (PEP 263): Python would read it
/// differently.
pub(super) fn foreign(source: &Source, id: SourceId) -> Option<Diagnostic> {
    for number in 1..=2 {
        let line = source.line_text(number);
        let Some(comment) = line
            .trim_start_matches(['\u{feff}', ' ', '\t', '\x0C'])
            .strip_prefix('#')
        else {
            // The second line counts only after a comment or an empty line.
            if line.trim().is_empty() {
                continue;
            }
            return None;
        };
        let Some((offset, named)) = encoding(comment) else {
            continue;
        };
        let plain = named.to_ascii_lowercase().replace('_', "-");
        let known = ["utf-8", "utf8", "utf-8-sig", "ascii", "us-ascii"];
        if known.contains(&plain.as_str()) || plain.starts_with("utf-8-") {
            return None;
        }
        let comment_start = line.len() - comment.len();
        let start = source.line_start(number)? as usize + comment_start + offset;
        let mut diagnostic = Diagnostic::new(
            Code::E0111,
            id,
            Span::new(start, start + named.len()),
            format!("the encoding '{named}' is left out of Mini"),
        );
        diagnostic.help = Some("save the file as UTF-8 and remove the comment".into());
        return Some(diagnostic);
    }
    None
}

/// The encoding that a comment names, and where: `coding[:=]\s*([-\w.]+)`.
fn encoding(comment: &str) -> Option<(usize, &str)> {
    comment.match_indices("coding").find_map(|(at, word)| {
        let rest = comment[at + word.len()..].strip_prefix([':', '='])?;
        let rest = rest.trim_start_matches([' ', '\t']);
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
            .unwrap_or(rest.len());
        (end > 0).then(|| (comment.len() - rest.len(), &rest[..end]))
    })
}
