//! Values as text in a form that the script asks for: format specifications, `%` formatting and
//! `str.format`.

pub mod percent;
mod plain;
pub mod spec;
pub mod template;
