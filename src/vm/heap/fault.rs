//! An exception that is yet to be made: how pure functions and engines, which have no heap to make
//! one in, refuse.

use crate::vm::heap::class::Type;
use std::borrow::Cow;
use std::fmt;

/// The class and the message of an exception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub class: Type,
    /// C's error number, if it is one of C's: the exception then has two arguments.
    pub errno: Option<i64>,
    pub message: Cow<'static, str>,
    /// What could not be encoded or decoded: the exception then has its five parts as arguments.
    pub coding: Option<Box<Coding>>,
}

/// The parts of a `UnicodeEncodeError` or `UnicodeDecodeError`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coding {
    pub encoding: String,
    pub object: Coded,
    pub start: usize,
    pub end: usize,
    pub reason: String,
}

/// What was to be encoded or decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coded {
    Text(String),
    Bytes(Vec<u8>),
}

impl Fault {
    /// A fault with a message.
    #[must_use]
    pub fn new(class: Type, message: impl Into<Cow<'static, str>>) -> Fault {
        Fault {
            class,
            errno: None,
            message: message.into(),
            coding: None,
        }
    }

    /// What C reports by an error number.
    #[must_use]
    pub fn system(class: Type, errno: i64, message: impl Into<Cow<'static, str>>) -> Fault {
        Fault {
            errno: Some(errno),
            ..Fault::new(class, message)
        }
    }

    /// `ValueError`.
    #[must_use]
    pub fn value(message: impl Into<Cow<'static, str>>) -> Fault {
        Fault::new(Type::ValueError, message)
    }

    /// `OverflowError`.
    #[must_use]
    pub fn overflow(message: impl Into<Cow<'static, str>>) -> Fault {
        Fault::new(Type::OverflowError, message)
    }

    /// `ZeroDivisionError`.
    #[must_use]
    pub fn zero_division(message: &'static str) -> Fault {
        Fault::new(Type::ZeroDivisionError, message)
    }

    /// `MemoryError`, for a result that is refused before it is computed. It has no message.
    #[must_use]
    pub fn memory() -> Fault {
        Fault::new(Type::MemoryError, "")
    }

    /// C's `EINVAL`, as an `OSError`.
    #[must_use]
    pub fn invalid_argument() -> Fault {
        Fault::system(Type::OSError, 22, "Invalid argument")
    }

    /// A text or bytes that an encoding cannot take.
    #[must_use]
    pub fn coding(coding: Coding) -> Fault {
        let class = match coding.object {
            Coded::Text(_) => Type::UnicodeEncodeError,
            Coded::Bytes(_) => Type::UnicodeDecodeError,
        };
        Fault {
            coding: Some(Box::new(coding)),
            ..Fault::new(class, "")
        }
    }

    /// C's `ERANGE`, as a float power reports it.
    #[must_use]
    pub fn out_of_range() -> Fault {
        Fault::system(Type::OverflowError, 34, "Numerical result out of range")
    }
}

impl fmt::Display for Fault {
    /// As the last line of a traceback has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.class.name())?;
        match self.errno {
            Some(number) => write!(f, ": [Errno {number}] {}", self.message),
            None if self.message.is_empty() => Ok(()),
            None => write!(f, ": {}", self.message),
        }
    }
}
