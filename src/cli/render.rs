//! Diagnostics as text, in the look of the Rust compiler: code, place, the source line with a
//! caret, help. The only place that knows `annotate-snippets`. Prints nothing.

use crate::diagnostic::Diagnostic;
use crate::printable::Printable;
use crate::source::{Source, Span};
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Element, Group, Level, Renderer, Snippet};
use std::borrow::Cow;
use std::ops::Range;

/// Most diagnostics that are shown in one go; the rest is counted.
const MAX_SHOWN: usize = 50;
/// Furthest that two places of one diagnostic may be apart to be shown in one picture, in bytes.
const MAX_WINDOW_BYTES: u32 = 1 << 16;

/// All diagnostics, sorted by their places, each followed by an empty line. `sources` are indexed
/// by `SourceId`.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], sources: &[Source], color: bool) -> Printable {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by_key(|diagnostic| (diagnostic.source, diagnostic.span, diagnostic.code));
    let mut text = String::new();
    for diagnostic in sorted.iter().take(MAX_SHOWN) {
        let diagnostic = &cleaned(diagnostic);
        let group = group(diagnostic, sources.get(usize::from(diagnostic.source.0)));
        text.push_str(&renderer.render(&[group]));
        text.push_str("\n\n");
    }
    if let Some(more) = sorted.len().checked_sub(MAX_SHOWN).filter(|&more| more > 0) {
        let title = Level::ERROR.primary_title(format!("and {more} more"));
        text.push_str(&renderer.render(&[Group::with_title(title)]));
        text.push_str("\n\n");
    }
    if color {
        Printable::painted(&text)
    } else {
        Printable::lines(&text)
    }
}

/// The same without what colours of its own could hide behind. The renderer does so with the lines
/// of the source.
fn cleaned(diagnostic: &Diagnostic) -> Diagnostic {
    let clean = |text: &str| Printable::lines(text).as_str().to_owned();
    Diagnostic {
        message: clean(&diagnostic.message),
        label: clean(&diagnostic.label),
        related: diagnostic
            .related
            .iter()
            .map(|(span, text)| (*span, clean(text)))
            .collect(),
        help: diagnostic.help.as_deref().map(clean),
        ..diagnostic.clone()
    }
}

fn group<'a>(diagnostic: &'a Diagnostic, source: Option<&'a Source>) -> Group<'a> {
    let title = Level::ERROR
        .primary_title(&diagnostic.message)
        .id(diagnostic.code.name());
    let picture = source.map(|source| Element::from(snippet(diagnostic, source)));
    let help = diagnostic
        .help
        .as_deref()
        .map(|help| Element::from(Level::HELP.message(help)));
    title.elements(picture.into_iter().chain(help))
}

/// The lines that the diagnostic is about. Only they are handed over, since the renderer looks at
/// all that it is given.
fn snippet<'a>(
    diagnostic: &'a Diagnostic,
    source: &'a Source,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let main = diagnostic.span;
    let related = diagnostic.related.iter().filter(|(span, _)| {
        span.start.abs_diff(main.start) <= MAX_WINDOW_BYTES
            && span.end.abs_diff(main.end) <= MAX_WINDOW_BYTES
    });
    let whole = related
        .clone()
        .fold(main, |whole, (span, _)| whole.to(*span));
    let length = source.text.len();
    let whole = clamp(&source.text, whole.start as usize, whole.end as usize);
    let first_line = source.line(whole.start as u32);
    let last_line = source.line(whole.end as u32);
    let from = source.line_start(first_line).unwrap_or(0) as usize;
    let to = source
        .line_start(last_line + 1)
        .map_or(length, |start| start as usize);
    let inside = |span: Span| -> Range<usize> {
        let span = clamp(&source.text, span.start as usize, span.end as usize);
        let start = span.start.clamp(from, to);
        start - from..span.end.clamp(start, to) - from
    };
    let label = Some(diagnostic.label.as_str()).filter(|label| !label.is_empty());
    Snippet::source(lines(&source.text[from..to]))
        .line_start(first_line as usize)
        .path(&*source.name)
        .annotation(
            AnnotationKind::Primary
                .span(inside(main))
                .label(label.map(Cow::Borrowed)),
        )
        .annotations(related.map(|(span, text)| {
            AnnotationKind::Context
                .span(inside(*span))
                .label(text.as_str())
        }))
}

/// The text with line ends that the renderer knows: it takes a lone carriage return for a character
/// of its line. Places stay.
fn lines(text: &str) -> Cow<'_, str> {
    let lone = |at: usize| !text[at + 1..].starts_with('\n');
    if !text.match_indices('\r').any(|(at, _)| lone(at)) {
        return Cow::Borrowed(text);
    }
    let unified = text.char_indices().map(|(at, c)| match c {
        '\r' if lone(at) => '\n',
        c => c,
    });
    Cow::Owned(unified.collect())
}

/// The range, moved to character boundaries within the text.
fn clamp(text: &str, start: usize, end: usize) -> Range<usize> {
    let start = text.floor_char_boundary(start);
    start..text.ceil_char_boundary(end.max(start))
}
