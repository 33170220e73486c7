//! A source text, places in it, and lines and columns. Knows nothing of tokens or trees, and reads
//! no file.

use crate::printable::clean;
use std::sync::Arc;

/// A half-open range of bytes in one source text. Both ends lie on character boundaries.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The range from `start` to `end`.
    ///
    /// # Panics
    /// If one of them is 4 GiB or more: `syntax` refuses texts long before that.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Span {
        Span {
            start: u32::try_from(start).expect("a text is under 4 GiB"),
            end: u32::try_from(end).expect("a text is under 4 GiB"),
        }
    }

    /// The smallest range that holds both.
    #[must_use]
    pub fn to(self, other: Span) -> Span {
        Span {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }
}

/// Which source of a program: the script, or one of the embedded modules.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, PartialOrd, Ord)]
pub struct SourceId(pub u16);

/// A named text with an index of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What messages call it: a path as the user typed it, `<stdin>`, or `<threading>` for an
    /// embedded module. Nothing in it that a terminal would obey.
    pub name: Arc<str>,
    /// The whole text.
    pub text: Arc<str>,
    line_starts: Arc<[u32]>,
}

impl Source {
    /// Takes a text and indexes its lines (separated by `\n`, `\r\n` or `\r`).
    #[must_use]
    pub fn new(name: &str, text: &str) -> Source {
        let bytes = text.as_bytes();
        let mut line_starts = vec![0];
        for (at, byte) in bytes.iter().enumerate() {
            let ends = match byte {
                b'\n' => true,
                b'\r' => bytes.get(at + 1) != Some(&b'\n'),
                _ => false,
            };
            if ends {
                line_starts.push(Span::new(at + 1, at + 1).start);
            }
        }
        Source {
            name: clean(name).into(),
            text: text.into(),
            line_starts: line_starts.into(),
        }
    }

    /// Line (from 1) of a byte offset.
    #[must_use]
    pub fn line(&self, offset: u32) -> u32 {
        // There are fewer lines than bytes, whose offsets are 32 bits.
        self.line_starts.partition_point(|&start| start <= offset) as u32
    }

    /// Where each line starts, and where the next one does.
    pub fn lines(&self) -> impl Iterator<Item = (u32, u32)> {
        let ends = self.line_starts.iter().skip(1).copied();
        let last = Span::new(self.text.len(), self.text.len()).start;
        self.line_starts
            .iter()
            .copied()
            .zip(ends.chain(std::iter::once(last)))
    }

    /// Offset of the first byte of a line (from 1), if there is such a line.
    #[must_use]
    pub fn line_start(&self, line: u32) -> Option<u32> {
        let index = (line as usize).checked_sub(1)?;
        self.line_starts.get(index).copied()
    }

    /// Line and column (both from 1, columns in characters) of a byte offset.
    #[must_use]
    pub fn line_column(&self, offset: u32) -> (u32, u32) {
        let line = self.line(offset);
        let start = self.line_starts[line as usize - 1] as usize;
        let offset = (offset as usize).min(self.text.len());
        let column = self
            .text
            .get(start..offset)
            .map_or(0, |text| text.chars().count());
        (line, column as u32 + 1)
    }

    /// The text of a line (from 1) without its end, or `""` past the last.
    #[must_use]
    pub fn line_text(&self, line: u32) -> &str {
        let Some(&start) = self.line_starts.get(line as usize - 1) else {
            return "";
        };
        let end = self
            .line_starts
            .get(line as usize)
            .map_or(self.text.len(), |&end| end as usize);
        self.text[start as usize..end].trim_end_matches(['\n', '\r'])
    }
}
