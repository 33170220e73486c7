//! Mini: the laboratory for interpreter locks.

pub mod allocator;
pub mod bytecode;
pub mod cli;
pub mod compile;
pub mod diagnostic;
pub mod engine;
pub mod event;
pub mod gil;
pub mod operator;
pub mod printable;
pub mod report;
pub mod source;
pub mod spelling;
pub mod stdlib;
pub mod syntax;
pub mod vm;
