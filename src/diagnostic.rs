//! Diagnostics as data: what is wrong with a text, where, and what to do. The one table of codes. Prints nothing.

use crate::source::{SourceId, Span};

macro_rules! codes {
    ($($code:ident $title:literal $explanation:literal)*) => {
        /// A diagnostic's code: stable, greppable, explained by `mini explain`.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        pub enum Code { $(#[doc = $title] $code,)* }

        impl Code {
            /// All codes, in order.
            pub const ALL: &'static [Code] = &[$(Code::$code),*];

            /// The code as users see and type it.
            #[must_use]
            pub fn name(self) -> &'static str { match self { $(Code::$code => stringify!($code)),* } }

            /// One line: what the code stands for.
            #[must_use]
            pub fn title(self) -> &'static str { match self { $(Code::$code => $title),* } }

            /// The long explanation, with an example.
            #[must_use]
            pub fn explanation(self) -> &'static str { match self { $(Code::$code => $explanation),* } }
        }
    };
}

// E01xx: characters and tokens. E02xx: layout. E03xx: grammar. E04xx: names and places of statements. E05xx: limits. E06xx: left out of Mini.
codes! {
    E0101 "a character that no token begins with" "…"
}

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
