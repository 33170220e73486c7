//! What the language means: attributes, operators, the protocols behind `for`, `in`, `==` and
//! `hash`, formats, and what a value looks like on its way to another process. Runs no frames.

pub mod attribute;
pub mod format;
pub(super) mod generator;
pub mod operate;
pub mod parcel;
pub mod protocol;
pub(super) mod traceback;
