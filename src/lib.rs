//! Mini: the laboratory for interpreter locks.
//!
//! A script goes through the modules in this order:
//!
//! ```text
//! source ─▶ syntax ─▶ compile ─▶ bytecode ─▶ vm ◀─▶ engine::real ─▶ the operating system
//!                                               ◀─▶ engine::sim     virtual cores and time
//!                                                     │
//!                                                   event ─▶ report
//! ```
//!
//! The idea that the rest follows from: **a VM is a value.** `vm` is plain data with one verb,
//! `Vm::run`, which runs one thread for a number of instructions and says why it stopped. An engine
//! plays the operating system for it: it decides who runs, what time it is, and what a call is
//! answered.
//!
//! Each file says at its head what it is and what it must not know. `docs/architecture.md` has the
//! reasons, `docs/contributing.md` where a new instruction, builtin, preset or report goes, and
//! `tests/it/tidy.rs` holds which module may use which.

// The ground: knows nothing of the language.
pub mod allocator;
pub mod diagnostic;
pub mod operator;
pub mod printable;
pub mod source;
pub mod spelling;

// From text to instructions.
pub mod bytecode;
pub mod compile;
pub mod stdlib;
pub mod syntax;

// The machine, and the rules of its lock as data.
pub mod gil;
pub mod vm;

// Who runs it, what it says of that, and what people see.
pub mod cli;
pub mod engine;
pub mod event;
pub mod report;
