//! Finding and cutting, for strings and bytes alike: UTF-8 lets a text be searched as bytes, and a
//! match never begins or ends inside a character. Pieces are ranges of bytes, so that nothing is
//! copied before it is wanted.

use memchr::memchr;
use memchr::memmem::{self, Finder};
use std::ops::Range;

/// A character or byte of what is being cut: where it begins, where it ends, and whether it is
/// white space.
pub type Unit = (usize, usize, bool);

/// Up to this many bytes are searched one after the other: what prepares a faster search would be
/// most of the work.
const FEW: usize = 32;

/// Where something occurs, from the left and without overlap.
pub struct Places<'t> {
    hay: &'t [u8],
    needle: &'t [u8],
    next: usize,
    /// For a long text and more than one byte.
    finder: Option<Finder<'t>>,
}

impl Iterator for Places<'_> {
    type Item = usize;
    fn next(&mut self) -> Option<usize> {
        let rest = &self.hay[self.next..];
        let found = match (&self.finder, self.needle) {
            (Some(finder), _) => finder.find(rest),
            (None, &[byte]) if rest.len() > FEW => memchr(byte, rest),
            (None, &[byte]) => rest.iter().position(|&it| it == byte),
            (None, needle) => rest.windows(needle.len()).position(|it| it == needle),
        };
        let at = self.next + found?;
        self.next = at + self.needle.len();
        Some(at)
    }
}

/// Where `needle`, which is not empty, occurs.
#[must_use]
pub fn places<'t>(hay: &'t [u8], needle: &'t [u8]) -> Places<'t> {
    let finder = (hay.len() > FEW && needle.len() > 1).then(|| Finder::new(needle));
    Places {
        hay,
        needle,
        next: 0,
        finder,
    }
}

/// How often `needle`, which is not empty, occurs without overlap.
#[must_use]
pub fn count(hay: &[u8], needle: &[u8]) -> usize {
    places(hay, needle).count()
}

/// Where `needle` first (or last, if not `first`) occurs.
#[must_use]
pub fn find(hay: &[u8], needle: &[u8], first: bool) -> Option<usize> {
    if first {
        memmem::find(hay, needle)
    } else {
        memmem::rfind(hay, needle)
    }
}

/// Room for as many pieces as most texts have, as in CPython.
const USUAL: usize = 12;

/// The pieces between separators, of which at most `most` are looked at, from the left or from the
/// right.
#[must_use]
pub fn split(hay: &[u8], separator: &[u8], most: usize, from_left: bool) -> Vec<Range<usize>> {
    let mut pieces = Vec::with_capacity(USUAL);
    if from_left {
        let mut start = 0;
        for at in places(hay, separator).take(most) {
            pieces.push(start..at);
            start = at + separator.len();
        }
        pieces.push(start..hay.len());
        return pieces;
    }
    let mut end = hay.len();
    for at in memmem::rfind_iter(hay, separator).take(most) {
        pieces.push(at + separator.len()..end);
        end = at;
    }
    pieces.push(0..end);
    pieces.reverse();
    pieces
}

/// The pieces between runs of white space; after `most` cuts the rest is one piece, without the
/// white space on the side where the cutting stopped.
pub fn split_words(
    units: impl DoubleEndedIterator<Item = Unit>,
    length: usize,
    most: usize,
    from_left: bool,
) -> Vec<Range<usize>> {
    let mut pieces: Vec<Range<usize>> = Vec::with_capacity(USUAL);
    let mut word = None;
    if from_left {
        for (start, _, space) in units {
            match (word, space) {
                (None, false) if pieces.len() == most => {
                    pieces.push(start..length);
                    return pieces;
                }
                (None, false) => word = Some(start),
                (Some(from), true) => {
                    pieces.push(from..start);
                    word = None;
                }
                (None, true) | (Some(_), false) => {}
            }
        }
        pieces.extend(word.map(|from| from..length));
        return pieces;
    }
    for (_, end, space) in units.rev() {
        match (word, space) {
            (None, false) if pieces.len() == most => {
                pieces.push(0..end);
                pieces.reverse();
                return pieces;
            }
            (None, false) => word = Some(end),
            (Some(to), true) => {
                pieces.push(end..to);
                word = None;
            }
            (None, true) | (Some(_), false) => {}
        }
    }
    pieces.extend(word.map(|to| 0..to));
    pieces.reverse();
    pieces
}

/// The lines of a text; a unit is marked if it ends a line. `\r\n` is one end.
pub fn split_lines(
    units: impl Iterator<Item = Unit>,
    hay: &[u8],
    keep_ends: bool,
) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut start = 0;
    for (at, end, ends) in units {
        // The second half of a `\r\n` has been taken with the first.
        if !ends || at < start {
            continue;
        }
        let end = if hay[at..].starts_with(b"\r\n") {
            at + 2
        } else {
            end
        };
        lines.push(start..if keep_ends { end } else { at });
        start = end;
    }
    if start < hay.len() {
        lines.push(start..hay.len());
    }
    lines
}

/// `replace` with a needle that is not empty: at most `most` times.
#[must_use]
pub fn replace(hay: &[u8], needle: &[u8], with: &[u8], most: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(hay.len());
    let mut start = 0;
    for at in places(hay, needle).take(most) {
        out.extend_from_slice(&hay[start..at]);
        out.extend_from_slice(with);
        start = at + needle.len();
    }
    out.extend_from_slice(&hay[start..]);
    out
}

/// How many fill characters go to the left and to the right of so many, `center`ed in this width.
#[must_use]
pub fn center(missing: usize, width: usize) -> (usize, usize) {
    let left = missing / 2 + (missing & width & 1);
    (left, missing - left)
}

#[cfg(test)]
mod tests {
    use super::{center, replace, split, split_lines, split_words};

    fn texts(hay: &str, ranges: Vec<std::ops::Range<usize>>) -> Vec<&str> {
        ranges.into_iter().map(|range| &hay[range]).collect()
    }
    fn units(hay: &str) -> impl DoubleEndedIterator<Item = super::Unit> {
        hay.char_indices()
            .map(|(at, it)| (at, at + it.len_utf8(), it.is_whitespace()))
    }

    #[test]
    fn separators_cut_from_either_side() {
        let cut = |most, left| texts("a,b,c", split(b"a,b,c", b",", most, left));
        assert_eq!(cut(usize::MAX, true), ["a", "b", "c"]);
        assert_eq!(cut(1, true), ["a", "b,c"]);
        assert_eq!(cut(1, false), ["a,b", "c"]);
        assert_eq!(cut(0, false), ["a,b,c"]);
    }

    #[test]
    fn words_leave_the_rest_as_it_is() {
        let text = " a b  c ";
        let cut = |most, left| texts(text, split_words(units(text), text.len(), most, left));
        assert_eq!(cut(usize::MAX, true), ["a", "b", "c"]);
        assert_eq!(cut(1, true), ["a", "b  c "]);
        assert_eq!(cut(1, false), [" a b", "c"]);
        assert_eq!(cut(0, true), ["a b  c "]);
        assert_eq!(cut(usize::MAX, false), ["a", "b", "c"]);
    }

    #[test]
    fn lines_end_in_several_ways() {
        let text = "a\r\nb\rc\n\nd";
        let units = || {
            text.char_indices()
                .map(|(at, it)| (at, at + 1, matches!(it, '\r' | '\n')))
        };
        assert_eq!(
            texts(text, split_lines(units(), text.as_bytes(), false)),
            ["a", "b", "c", "", "d"]
        );
        assert_eq!(
            texts(text, split_lines(units(), text.as_bytes(), true)),
            ["a\r\n", "b\r", "c\n", "\n", "d"]
        );
    }

    #[test]
    fn replacing_and_centering() {
        assert_eq!(replace(b"aaa", b"aa", b"b", usize::MAX), b"ba");
        assert_eq!(replace(b"a-a-a", b"-", b"", 1), b"aa-a");
        assert_eq!(center(3, 5), (2, 1));
        assert_eq!(center(3, 4), (1, 2));
    }
}
