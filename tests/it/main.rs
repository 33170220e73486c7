//! The integration tests, one binary, a module for each boundary.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "tests read files, the environment and the clock"
)]

mod against_python;
mod bombs;
mod bytecode;
mod cases;
mod cli;
mod collecting;
mod compile;
mod engine;
mod examples;
mod front;
mod frozen;
mod generator;
mod growth;
mod interrupts;
mod lang;
mod lost_output;
mod messages;
mod mini_test;
mod module_names;
mod mutants;
mod mutation;
mod oracle;
mod phrases;
mod process;
mod properties;
mod signals;
mod sim;
mod slices;
mod starts;
mod stdlib;
mod stress;
mod terminal;
mod tidy;
mod timeline;
mod timeouts;
mod tracebacks;
mod traces;
mod tree;
mod turns;
mod tutorials;
