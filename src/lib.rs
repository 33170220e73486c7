//! Mini: the laboratory for interpreter locks.

pub mod diagnostic;
pub mod source;
pub mod syntax;
