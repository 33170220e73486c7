//! What both engines raise in a script where the operating system, or their own limits, refuse: the
//! classes and texts of CPython on Linux.

use crate::vm::class::Type;
use crate::vm::fault::Fault;
use std::io::{self, ErrorKind};
use std::str::Utf8Error;

/// `ESRCH`.
pub(crate) fn no_such_process() -> Fault {
    Fault::system(Type::ProcessLookupError, 3, "No such process")
}

/// `EAGAIN`, as `fork` reports a limit.
pub(crate) fn no_more_processes() -> Fault {
    let message = "Resource temporarily unavailable";
    Fault::system(Type::BlockingIOError, 11, message)
}

/// `ENOMEM`, as `fork` reports it.
pub(crate) fn no_memory_to_fork() -> Fault {
    Fault::system(Type::OSError, 12, "Cannot allocate memory")
}

/// As `_thread.start_new_thread` reports a limit.
pub(crate) fn no_more_threads() -> Fault {
    Fault::new(Type::RuntimeError, "can't start new thread")
}

/// `EPIPE`: nobody is left to receive.
pub(crate) fn broken_pipe() -> Fault {
    Fault::system(Type::BrokenPipeError, 32, "Broken pipe")
}

/// Nobody is left to send.
pub(crate) fn end_of_channel() -> Fault {
    Fault::new(Type::EOFError, "")
}

/// A line of standard input that is no text.
pub(crate) fn not_utf8(error: &Utf8Error) -> Fault {
    let message = format!("standard input is not UTF-8: {error}");
    Fault::new(Type::UnicodeDecodeError, message)
}

/// A failed system call.
pub(crate) fn of(error: &io::Error) -> Fault {
    let class = match error.kind() {
        ErrorKind::BrokenPipe => Type::BrokenPipeError,
        ErrorKind::WouldBlock => Type::BlockingIOError,
        ErrorKind::PermissionDenied => Type::PermissionError,
        ErrorKind::OutOfMemory => return Fault::memory(),
        _ => Type::OSError,
    };
    let text = error.to_string();
    let Some(number) = error.raw_os_error() else {
        return Fault::new(class, text);
    };
    let reason = match class {
        Type::BlockingIOError => "write could not complete without blocking",
        _ => text
            .strip_suffix(&format!(" (os error {number})"))
            .unwrap_or(&text),
    };
    Fault::system(class, number.into(), reason.to_owned())
}
