//! Text to tree. Reads no file, prints nothing, and never fails: it gives a tree and a list of diagnostics.

pub mod ast;
