//! Numbers as values of their own: arithmetic, text and hashes of `int` and `float`, exactly as
//! CPython has them. Pure functions; knows no heap and no thread, and reports a refusal as a
//! `Fault` that its caller raises.

pub mod decimal;
pub mod float;
pub mod hash;
pub mod integer;
pub mod read;
pub mod special;

pub use decimal::repr_float;
