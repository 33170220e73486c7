//! Diagnostics as data: what is wrong with a text, where, and what to do. The table of codes is in
//! `codes`. Prints nothing.

mod codes;

pub use codes::Code;

use crate::source::{SourceId, Span};

/// A message about a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of problem.
    pub code: Code,
    /// Which text.
    pub source: SourceId,
    /// The place the caret points to.
    pub span: Span,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What stands at the caret (may be empty).
    pub label: String,
    /// Other places that matter, each with its text.
    pub related: Vec<(Span, String)>,
    /// The way out, if there is one.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A diagnostic with a message and nothing more yet.
    #[must_use]
    pub fn new(code: Code, source: SourceId, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            source,
            span,
            message: message.into(),
            label: String::new(),
            related: Vec::new(),
            help: None,
        }
    }
}
