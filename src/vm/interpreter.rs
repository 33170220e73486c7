//! What runs bytecode: the instruction loop, calls and returns, generators, exceptions on their way
//! up.

pub(super) mod call;
mod engine;
pub(super) mod generator;
pub(super) mod instruct;
pub mod run;
pub(super) mod slow;
mod start;
pub(super) mod throw;
