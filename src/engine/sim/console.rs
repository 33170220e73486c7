//! The script's input and output. Text goes to writers that the engine is given; nothing depends on what they are, so that a run prints the same bytes anywhere.

use crate::engine::sim::Options;
use crate::vm::slice::Stream;
use std::io::{self, BufRead, Write};

/// The buffer is written out when it has grown to this.
const BUFFER_BYTES: usize = 1 << 16;

/// All three streams.
pub(super) struct Console {
    input: Box<dyn BufRead + Send>,
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    pending: Vec<u8>,
    limit_bytes: Option<u64>,
    printed_bytes: u64,
}

/// What became of a text.
#[derive(Debug)]
pub(super) enum Printed {
    /// It is in the buffer, and may stay there.
    Kept,
    /// It was given to the operating system.
    Written,
    /// It goes beyond what the run may print.
    TooMuch,
    Failed(io::Error),
}

impl Console {
    /// Takes the streams out of the options.
    pub(super) fn new(options: &mut Options) -> Console {
        Console {
            input: std::mem::replace(&mut options.input, Box::new(io::empty())),
            out: std::mem::replace(&mut options.output, Box::new(io::sink())),
            err: std::mem::replace(&mut options.error, Box::new(io::sink())),
            pending: Vec::new(),
            limit_bytes: options.limits.output_bytes,
            printed_bytes: 0,
        }
    }

    /// Prints; what goes to standard error is written at once, after what was printed before it.
    pub(super) fn print(&mut self, stream: Stream, text: &str, flush: bool) -> Printed {
        if let Some(limit) = self.limit_bytes {
            let room = limit.saturating_sub(self.printed_bytes);
            if text.len() as u64 > room {
                let end = text.floor_char_boundary(room as usize);
                if stream == Stream::Out {
                    self.pending.extend_from_slice(&text.as_bytes()[..end]);
                }
                return Printed::TooMuch;
            }
        }
        self.printed_bytes += text.len() as u64;
        let written = match stream {
            Stream::Out => {
                self.pending.extend_from_slice(text.as_bytes());
                if !flush && self.pending.len() < BUFFER_BYTES {
                    return Printed::Kept;
                }
                self.flush()
            }
            Stream::Err => {
                // A reader that has gone away is told when it is written to next.
                let _ = self.flush();
                self.err
                    .write_all(text.as_bytes())
                    .and_then(|()| self.err.flush())
            }
        };
        match written {
            Ok(()) => Printed::Written,
            Err(error) => Printed::Failed(error),
        }
    }

    /// Writes out the buffer.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let pending = std::mem::take(&mut self.pending);
        self.out.write_all(&pending)?;
        self.out.flush()
    }

    /// A line of input with its newline; empty at the end. What was printed is written out first, a prompt above all.
    pub(super) fn read_line(&mut self) -> io::Result<Vec<u8>> {
        self.flush()?;
        let mut line = Vec::new();
        self.input.read_until(b'\n', &mut line)?;
        Ok(line)
    }
}
