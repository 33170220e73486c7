//! A run as a picture for the terminal: a lane for each thread of each VM, time from left to right.
//! Events may come in any order of threads, as long as those of one thread come in theirs; each is
//! looked at once, so that long traces need no more room than the picture.
//!
//! A column is a stretch of time, and shows what the thread did for most of it; a run shorter than
//! half of it shows as half a block, so that none is lost because it is short.

mod draw;
mod lane;
mod waits;

use crate::event::trace::Heading;
use crate::event::{Event, Sink, VmId, What};
use lane::Lane;
use std::collections::BTreeMap;
use std::sync::Arc;
use waits::Waits;

/// Columns of a picture where nobody knows how wide the window is.
pub const DEFAULT_WIDTH: usize = 100;

/// Most lanes of one VM, and most VMs, where nobody says.
pub const DEFAULT_LANES: usize = 16;

/// Least columns for the lanes themselves, whatever the window.
const MIN_COLUMNS: usize = 10;

/// How a picture is to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Columns of the window.
    pub width: usize,
    /// Most lanes of one VM, and most VMs; the rest share one.
    pub lanes: usize,
    /// With colours.
    pub paint: bool,
}

impl Default for Look {
    fn default() -> Look {
        Look {
            width: DEFAULT_WIDTH,
            lanes: DEFAULT_LANES,
            paint: false,
        }
    }
}

/// Time as columns.
#[derive(Clone, Copy, Debug)]
struct Scale {
    span_ns: u64,
    columns: usize,
}

impl Scale {
    /// The column that a moment is in.
    fn column(self, at_ns: u64) -> usize {
        let column = u128::from(at_ns) * self.columns as u128 / u128::from(self.span_ns);
        (column as usize).min(self.columns - 1)
    }

    /// When a column ends.
    fn end_ns(self, column: usize) -> u64 {
        (u128::from(self.span_ns) * (column as u128 + 1) / self.columns as u128) as u64
    }

    /// How long a column is.
    fn column_ns(self, column: usize) -> u64 {
        self.end_ns(column) - column.checked_sub(1).map_or(0, |it| self.end_ns(it))
    }
}

/// A picture in the making: give it all events, then `text`.
pub struct Timeline {
    heading: Heading,
    look: Look,
    label_columns: usize,
    scale: Scale,
    lanes: BTreeMap<(VmId, u32), Lane>,
    vms: BTreeMap<VmId, VmRow>,
    /// How long cores were busy in each column.
    busy_ns: Vec<u64>,
    waits: Waits,
    events: u64,
}

/// What there is to show of a VM besides its threads.
struct VmRow {
    name: Arc<str>,
    /// How often the lock went from one thread to another, in each column.
    switches: Vec<u32>,
    /// Its threads need a lock to run.
    locked: bool,
}

impl Timeline {
    /// A picture of a run that took so long.
    #[must_use]
    pub fn new(heading: Heading, elapsed_ns: u64, look: Look) -> Timeline {
        let label_columns = (look.width / 4).clamp(12, 28);
        let columns = look.width.saturating_sub(label_columns + 1);
        // Each column has a nanosecond at least.
        let columns = columns.max(MIN_COLUMNS);
        let span_ns = elapsed_ns.max(columns as u64);
        Timeline {
            heading,
            look,
            label_columns,
            scale: Scale { span_ns, columns },
            lanes: BTreeMap::new(),
            vms: BTreeMap::new(),
            busy_ns: vec![0; columns],
            waits: Waits::default(),
            events: 0,
        }
    }

    fn vm(&mut self, vm: VmId) -> &mut VmRow {
        let columns = self.scale.columns;
        self.vms.entry(vm).or_insert_with(|| VmRow {
            name: "".into(),
            switches: vec![0; columns],
            locked: false,
        })
    }
}

impl Sink for Timeline {
    fn take(&mut self, event: Event) {
        self.events += 1;
        let scale = self.scale;
        self.waits.take(&event);
        let vm = self.vm(event.vm);
        match &event.what {
            What::VmBorn { name, .. } => vm.name = name.clone(),
            What::LockAcquired { switched } => {
                vm.locked = true;
                let switches = &mut vm.switches[scale.column(event.at_ns)];
                *switches = switches.saturating_add(u32::from(*switched));
            }
            What::VmEnded { .. }
            | What::ThreadBorn { .. }
            | What::ThreadEnded
            | What::LockRequested
            | What::DropRequested { .. }
            | What::LockReleased(_)
            | What::Ran { .. }
            | What::Blocked { .. }
            | What::Named(_)
            | What::Woken { .. }
            | What::Dispatched
            | What::Preempted
            | What::Forked { .. }
            | What::Sent { .. }
            | What::Received { .. } => {}
        }
        let lane = self
            .lanes
            .entry((event.vm, event.thread.0))
            .or_insert_with(|| Lane::new(scale));
        lane.take(&event, &mut self.busy_ns);
    }
}
