//! `mini timeline`: a saved trace as a picture.

use crate::cli::args::{LookArgs, TimelineArgs};
use crate::cli::stray::cannot_open;
use crate::cli::{Trouble, exit, print, say, terminal};
use crate::event::Sink;
use crate::event::trace::{Damage, MAGIC, Trace};
use crate::printable;
use crate::printable::Printable;
use crate::report::timeline::{DEFAULT_LANES, DEFAULT_WIDTH, Look, Timeline};
use anyhow::{Context, bail};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Draws a trace.
pub(super) fn timeline(args: &TimelineArgs, paint: bool) -> Result<i32, Trouble> {
    let (name, bytes) = read(&args.trace)?;
    let look = look(&args.look, terminal::output_window(), paint);
    let drawn = match draw(&bytes, look) {
        Ok(drawn) => drawn,
        Err(damage) => bail!("'{name}' {damage}"),
    };
    if drawn.is_cut {
        say(&printable!(
            "mini: warning: '",
            name,
            "' ",
            Damage::Truncated,
            "; what is there is drawn\n"
        ))?;
    }
    print(&drawn.text)?;
    Ok(exit::DONE)
}

/// A file's name for messages, and its bytes; no more of them than show that it is no trace, since
/// anything may be large, or without end.
#[expect(clippy::disallowed_methods, reason = "traces are files")]
fn read(path: &Path) -> Result<(String, Vec<u8>), Trouble> {
    let (name, mut input): (String, Box<dyn Read>) = if path.as_os_str() == "-" {
        ("<stdin>".into(), Box::new(terminal::input()))
    } else {
        let opened = File::open(path).map_err(|error| cannot_open(path, &error))?;
        (path.display().to_string(), Box::new(opened))
    };
    let mut bytes = Vec::new();
    let mut beginning = input.by_ref().take(MAGIC.len() as u64);
    beginning
        .read_to_end(&mut bytes)
        .and_then(|_| {
            if bytes == MAGIC {
                input.read_to_end(&mut bytes)
            } else {
                Ok(0)
            }
        })
        .with_context(|| format!("can't read file '{name}'"))?;
    Ok((name, bytes))
}

/// How a picture is to look in a window.
pub(super) fn look(
    args: &LookArgs,
    window: Option<(terminal_size::Width, terminal_size::Height)>,
    paint: bool,
) -> Look {
    let window = window.map(|(width, _)| usize::from(width.0));
    Look {
        width: args
            .width
            .map(usize::from)
            .or(window)
            .unwrap_or(DEFAULT_WIDTH),
        lanes: args.lanes.map_or(DEFAULT_LANES, usize::from),
        paint,
    }
}

/// What was drawn of a trace.
pub(super) struct Drawn {
    pub(super) text: Printable,
    /// The trace has no end.
    pub(super) is_cut: bool,
}

/// The picture of a trace, as far as it goes.
pub(super) fn draw(bytes: &[u8], look: Look) -> Result<Drawn, Damage> {
    let trace = Trace::read(bytes)?;
    let mut timeline = Timeline::new(trace.heading.clone(), trace.elapsed_ns()?, look);
    for event in trace.events() {
        timeline.take(event?);
    }
    Ok(Drawn {
        text: timeline.text(),
        is_cut: trace.ending.is_none(),
    })
}
