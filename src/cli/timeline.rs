//! `mini timeline`: a saved trace as a picture.

use crate::cli::args::{LookArgs, TimelineArgs};
use crate::cli::{Trouble, print, terminal};
use crate::event::Sink;
use crate::event::trace::{Damage, Trace};
use crate::printable::Printable;
use crate::report::timeline::{DEFAULT_WIDTH, Look, Timeline};
use anyhow::Context;
use std::fs;
use std::io::Read;

/// Draws a trace.
#[expect(clippy::disallowed_methods, reason = "traces are files")]
pub(super) fn timeline(args: &TimelineArgs, paint: bool) -> Result<i32, Trouble> {
    let (name, bytes) = if args.trace.as_os_str() == "-" {
        let mut bytes = Vec::new();
        terminal::input()
            .read_to_end(&mut bytes)
            .context("can't read standard input")?;
        ("<stdin>".to_owned(), bytes)
    } else {
        let name = args.trace.display().to_string();
        let bytes = fs::read(&args.trace).with_context(|| format!("can't read file '{name}'"))?;
        (name, bytes)
    };
    let look = look(&args.look, terminal::output_window(), paint);
    match draw(&bytes, look) {
        Ok(text) => print(&text)?,
        Err(damage) => anyhow::bail!("'{name}' {damage}"),
    }
    Ok(0)
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
        lanes: usize::from(args.lanes),
        paint,
    }
}

/// The picture of a trace.
pub(super) fn draw(bytes: &[u8], look: Look) -> Result<Printable, Damage> {
    let trace = Trace::read(bytes)?;
    let mut timeline = Timeline::new(trace.heading.clone(), trace.ending.elapsed_ns, look);
    for event in trace.events() {
        timeline.take(event?);
    }
    Ok(timeline.text())
}
