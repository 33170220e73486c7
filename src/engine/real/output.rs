//! What scripts print. One buffer for standard output, so that lines of all processes stand in the order in which they were printed; standard error
//! goes out at once, after what was printed before it.

use crate::vm::slice::Stream;
use parking_lot::Mutex;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// The buffer is written out when it has grown to this.
const BUFFER_BYTES: usize = 1 << 16;

/// Both streams.
pub(super) struct Output {
    streams: Mutex<Streams>,
    line_buffered: bool,
    limit_bytes: Option<u64>,
}

struct Streams {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    pending: Vec<u8>,
    printed_bytes: u64,
}

/// What became of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Printed {
    /// It is in the buffer, and may stay there.
    Kept,
    /// It is in the buffer, which is to be written out now.
    Due,
    /// It goes beyond what the run may print.
    TooMuch,
    /// Its process is no more; it is forgotten.
    TooLate,
}

impl Output {
    pub(super) fn new(
        out: Box<dyn Write + Send>,
        err: Box<dyn Write + Send>,
        line_buffered: bool,
        limit_bytes: Option<u64>,
    ) -> Output {
        Output {
            streams: Mutex::new(Streams {
                out,
                err,
                pending: Vec::new(),
                printed_bytes: 0,
            }),
            line_buffered,
            limit_bytes,
        }
    }

    /// Puts a text into the buffer; never blocks on the world outside. Text for standard error is due at once.
    pub(super) fn print(&self, text: &str, flush: bool, ended: &AtomicBool) -> Printed {
        let mut streams = self.streams.lock();
        // Under the same lock as the writing: what a process prints after its end is known to others never stands after what they print then.
        if ended.load(Ordering::SeqCst) {
            return Printed::TooLate;
        }
        match self.room(&mut streams, text) {
            Ok(()) => {}
            Err(room) => {
                let mut end = room as usize;
                while !text.is_char_boundary(end) {
                    end -= 1;
                }
                streams.pending.extend_from_slice(&text.as_bytes()[..end]);
                return Printed::TooMuch;
            }
        }
        streams.pending.extend_from_slice(text.as_bytes());
        let due = flush
            || streams.pending.len() >= BUFFER_BYTES
            || (self.line_buffered && text.contains('\n'));
        if due { Printed::Due } else { Printed::Kept }
    }

    /// Writes a text to standard error, after what is in the buffer.
    pub(super) fn print_error(&self, text: &str, ended: &AtomicBool) -> io::Result<Printed> {
        let mut streams = self.streams.lock();
        if ended.load(Ordering::SeqCst) {
            return Ok(Printed::TooLate);
        }
        if self.room(&mut streams, text).is_err() {
            return Ok(Printed::TooMuch);
        }
        let _ = streams.flush();
        streams.err.write_all(text.as_bytes())?;
        streams.err.flush()?;
        Ok(Printed::Kept)
    }

    /// Writes out the buffer. May block.
    pub(super) fn flush(&self) -> io::Result<()> {
        self.streams.lock().flush()
    }

    /// Writes out the buffer at the run's end; a reader that has gone away is no error any more.
    pub(super) fn finish(&self) {
        let _ = self.flush();
    }

    fn room(&self, streams: &mut Streams, text: &str) -> Result<(), u64> {
        if let Some(limit) = self.limit_bytes {
            let room = limit.saturating_sub(streams.printed_bytes);
            if text.len() as u64 > room {
                streams.printed_bytes = limit;
                return Err(room);
            }
        }
        streams.printed_bytes += text.len() as u64;
        Ok(())
    }
}

impl Streams {
    fn flush(&mut self) -> io::Result<()> {
        let pending = std::mem::take(&mut self.pending);
        self.out.write_all(&pending)?;
        self.out.flush()
    }
}

/// Is it standard error?
pub(super) fn is_error(stream: Stream) -> bool {
    match stream {
        Stream::Out => false,
        Stream::Err => true,
    }
}
