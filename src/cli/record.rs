//! `--trace` and `--timeline`: what is kept of a run's events. Each sink is a buffer of its own for
//! one thread of the operating system, which takes the lock of the file only when it is full.

use crate::cli::args::RecordArgs;
use crate::cli::terminal::Lost;
use crate::cli::timeline::draw;
use crate::cli::{Trouble, trace_file};
use crate::engine::real::Sinks;
use crate::event::trace::{self, Block, Ending, Heading};
use crate::event::{Event, Sink};
use crate::printable::Printable;
use crate::report::timeline::Look;
use anyhow::bail;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

/// A buffer is full at so many bytes: some ten thousand events.
const FULL_BYTES: usize = 1 << 16;

/// A run's events, on their way to where they are kept.
pub(super) struct Record {
    kept: Arc<Mutex<Kept>>,
    /// The name of the file, for messages.
    name: String,
    /// How to draw them, if they are to be drawn.
    look: Option<Look>,
}

/// Where events are kept.
struct Kept {
    file: Option<File>,
    /// For the timeline at the end of the run.
    memory: Option<Vec<u8>>,
    events: u64,
    /// What went wrong first.
    trouble: Option<io::Error>,
    /// The run is over: what comes later would stand behind the end.
    over: bool,
}

impl Kept {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(memory) = &mut self.memory {
            memory.extend_from_slice(bytes);
        }
        if let Some(file) = &mut self.file
            && self.trouble.is_none()
        {
            self.trouble = file.write_all(bytes).err();
        }
    }
}

impl Record {
    /// Where the events of a run are to be kept, if they are.
    pub(super) fn begin(
        args: &RecordArgs,
        script: &Path,
        heading: impl FnOnce() -> Heading,
        look: Look,
    ) -> Result<Option<Record>, Trouble> {
        if args.trace.is_none() && !args.timeline {
            return Ok(None);
        }
        let name = args
            .trace
            .as_ref()
            .map_or_else(String::new, |it| it.display().to_string());
        let file = match &args.trace {
            None => None,
            Some(path) => Some(trace_file::open(path, args.force, script)?),
        };
        let mut kept = Kept {
            file,
            memory: args.timeline.then(Vec::new),
            events: 0,
            trouble: None,
            over: false,
        };
        kept.write(&trace::begin(&heading()));
        Ok(Some(Record {
            kept: Arc::new(Mutex::new(kept)),
            name,
            look: args.timeline.then_some(look),
        }))
    }

    /// Takes the events of one thread of the operating system.
    pub(super) fn sink(&self) -> Box<dyn Sink> {
        Buffer::of(&self.kept)
    }

    /// Makes such sinks.
    pub(super) fn sinks(&self) -> Sinks {
        let kept = self.kept.clone();
        Box::new(move || Buffer::of(&kept))
    }

    /// The run is over and all sinks are gone. What there is to draw.
    pub(super) fn end(self, elapsed_ns: u64) -> Result<Printable, Trouble> {
        let mut kept = lock(&self.kept);
        let events = kept.events;
        kept.write(&trace::end(&Ending { events, elapsed_ns }));
        kept.over = true;
        if let Some(trouble) = kept.trouble.take() {
            return Err(Lost::new(format!("trace '{}'", self.name), trouble).into());
        }
        match (&kept.memory, self.look) {
            (Some(bytes), Some(look)) => match draw(bytes, look) {
                Ok(drawn) => Ok(drawn.text),
                Err(damage) => bail!("the trace of this run {damage}"),
            },
            _ => Ok(Printable::new()),
        }
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().expect("nobody panics while writing")
}

/// Events of one thread that are not written yet.
struct Buffer {
    block: Block,
    kept: Arc<Mutex<Kept>>,
}

impl Buffer {
    fn of(kept: &Arc<Mutex<Kept>>) -> Box<dyn Sink> {
        Box::new(Buffer {
            block: Block::default(),
            kept: kept.clone(),
        })
    }

    fn flush(&mut self) {
        if self.block.len_bytes() == 0 {
            return;
        }
        let (bytes, events) = self.block.take();
        let mut kept = lock(&self.kept);
        if !kept.over {
            kept.events += events;
            kept.write(&bytes);
        }
    }
}

impl Sink for Buffer {
    fn take(&mut self, event: Event) {
        self.block.push(&event);
        if self.block.len_bytes() >= FULL_BYTES {
            self.flush();
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.flush();
    }
}
