//! The register bytecode: the instruction table, compiled programs, and their text form. Knows no
//! source syntax, no VM, no engine.

pub mod assemble;
pub mod code;
pub mod disassemble;
pub mod frozen;
mod liveness;
pub mod op;
pub mod reference;
pub mod verify;
