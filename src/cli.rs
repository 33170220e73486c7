//! The command line: the only place that reads files and prints.

pub mod render;
