//! The program's own standard streams, and the only place that touches them: what Mini says goes
//! out here, in the one type that may, and scripts are given theirs.

use crate::cli::Trouble;
use crate::cli::args::Color;
use crate::printable::Printable;
use std::fmt;
use std::io::{self, BufReader, IsTerminal, Read, Write};
use terminal_size::{Height, Width};

/// What was to be printed or saved is lost: the exit code is `exit::LOST`.
#[derive(Debug)]
pub(super) struct Lost {
    what: String,
    why: io::Error,
}

impl Lost {
    /// Something that could not be written, and why.
    pub(super) fn new(what: impl Into<String>, why: io::Error) -> Lost {
        Lost {
            what: what.into(),
            why,
        }
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "can't write {}: {}", self.what, self.why)
    }
}

impl std::error::Error for Lost {}

/// Writes to standard error.
pub(super) fn say(text: &Printable) -> Result<(), Trouble> {
    write(&mut error(), "to standard error", text)
}

/// Writes to standard output.
pub(super) fn print(text: &Printable) -> Result<(), Trouble> {
    write(&mut output(), "to standard output", text)
}

/// A reader that has gone away (`mini dis x | head`) is no error.
fn write(stream: &mut impl Write, where_to: &str, text: &Printable) -> Result<(), Trouble> {
    let written = stream
        .write_all(text.as_str().as_bytes())
        .and_then(|()| stream.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Lost::new(where_to, error).into()),
        Ok(()) => Ok(()),
    }
}

/// Standard input.
#[expect(clippy::disallowed_methods, reason = "the program's own stream")]
pub(super) fn input() -> BufReader<impl Read + Send> {
    BufReader::new(io::stdin())
}

/// Standard output, for a script.
#[expect(clippy::disallowed_methods, reason = "the program's own stream")]
pub(super) fn output() -> impl Write + Send {
    Raw(io::stdout())
}

/// Standard error, for a script.
#[expect(clippy::disallowed_methods, reason = "the program's own stream")]
pub(super) fn error() -> impl Write + Send {
    Raw(io::stderr())
}

/// A stream without the buffer of the standard library, and without its mercy: to it, a stream that
/// cannot be written to at all is one that takes everything.
struct Raw<T>(T);

#[cfg(unix)]
impl<T: std::os::fd::AsFd> Write for Raw<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(&self.0, bytes)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(not(unix))]
impl<T: Write> Write for Raw<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Is standard output a terminal?
#[expect(clippy::disallowed_methods, reason = "the program's own stream")]
pub(super) fn output_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Is standard error a terminal?
#[expect(clippy::disallowed_methods, reason = "the program's own stream")]
pub(super) fn error_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Is what goes to a stream to be coloured?
#[expect(clippy::disallowed_methods, reason = "the environment is read here")]
pub(super) fn wants_color(color: Color, is_terminal: bool) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        // <https://no-color.org>: set and not empty.
        Color::Auto => std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty()) && is_terminal,
    }
}

/// The window of standard output, if it is a terminal.
#[expect(clippy::disallowed_methods, reason = "the program's own stream")]
pub(super) fn output_window() -> Option<(Width, Height)> {
    terminal_size::terminal_size_of(io::stdout())
}

/// The window of standard error, if it is a terminal.
#[expect(clippy::disallowed_methods, reason = "the program's own stream")]
pub(super) fn error_window() -> Option<(Width, Height)> {
    terminal_size::terminal_size_of(io::stderr())
}
