//! A thread through time: what it does after each event, and what each column shows of it.

use super::Scale;
use crate::event::{Blockage, Event, Release, What};
use std::sync::Arc;

/// What a thread does. In the order of what matters more where several threads share a lane.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum State {
    /// It has the lock, and runs.
    Running,
    /// It is on a core without the lock: to get it, or for something that needs none.
    Outside,
    /// It was born, and has not been on a core yet.
    Starting,
    /// It could run, and has no core.
    Ready,
    /// It waits for the lock.
    Waiting,
    Blocked,
    Asleep,
    Done,
    /// It is yet to be born.
    Unborn,
}

const STATES: [State; 9] = [
    State::Running,
    State::Outside,
    State::Starting,
    State::Ready,
    State::Waiting,
    State::Blocked,
    State::Asleep,
    State::Done,
    State::Unborn,
];

/// What a column shows of a thread.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Cell {
    /// What it did for most of the time.
    pub(super) most: State,
    /// It ran as well, for less than that.
    pub(super) ran: bool,
    /// It was outside as well, for less than that; without a lock, that is where threads run.
    pub(super) outside: bool,
}

/// A thread through time.
pub(super) struct Lane {
    pub(super) name: Arc<str>,
    /// What each column shows that is over.
    pub(super) cells: Vec<Cell>,
    scale: Scale,
    state: State,
    since_ns: u64,
    has_lock: bool,
    /// How long it did what in the column under way.
    spent_ns: [u64; STATES.len()],
}

impl Lane {
    pub(super) fn new(scale: Scale) -> Lane {
        Lane {
            name: "".into(),
            cells: Vec::new(),
            scale,
            state: State::Unborn,
            since_ns: 0,
            has_lock: false,
            spent_ns: [0; STATES.len()],
        }
    }

    /// Something happened to the thread.
    pub(super) fn take(&mut self, event: &Event, busy_ns: &mut [u64]) {
        let state = match &event.what {
            What::ThreadBorn { name, .. } => {
                self.name = name.clone();
                State::Starting
            }
            What::ThreadEnded => State::Done,
            What::LockRequested => State::Waiting,
            What::LockAcquired { .. } => {
                self.has_lock = true;
                State::Running
            }
            What::LockReleased(why) => {
                self.has_lock = false;
                match why {
                    // It leaves its core until another has taken the lock.
                    Release::Asked => State::Waiting,
                    // It keeps its core until it finds that it has to wait.
                    Release::Budget | Release::Blocking | Release::End => State::Outside,
                }
            }
            What::Blocked { on, .. } => match on {
                Blockage::Sleep => State::Asleep,
                Blockage::Object { .. }
                | Blockage::Thread(_)
                | Blockage::Begin(_)
                | Blockage::Threads
                | Blockage::Process(_)
                | Blockage::Children
                | Blockage::Room { .. }
                | Blockage::Message { .. }
                | Blockage::Input
                | Blockage::System => State::Blocked,
            },
            What::Woken { .. } | What::Preempted => State::Ready,
            What::Dispatched if self.has_lock => State::Running,
            What::Dispatched => State::Outside,
            What::VmBorn { .. }
            | What::VmEnded { .. }
            | What::DropRequested { .. }
            | What::Ran { .. }
            | What::Named(_)
            | What::Forked { .. }
            | What::Sent { .. }
            | What::Received { .. } => return,
        };
        if self.state != State::Done {
            self.go_on(event.at_ns, busy_ns);
            self.state = state;
        }
    }

    /// It does what it does until the end of the picture.
    pub(super) fn finish(&mut self, busy_ns: &mut [u64]) {
        self.go_on(self.scale.span_ns, busy_ns);
        while self.cells.len() < self.scale.columns {
            self.next_column();
        }
    }

    /// It has done what it does until then.
    fn go_on(&mut self, until_ns: u64, busy_ns: &mut [u64]) {
        let until_ns = until_ns.min(self.scale.span_ns);
        while self.since_ns < until_ns {
            let column = self.cells.len();
            let end_ns = self.scale.end_ns(column);
            let spent_ns = until_ns.min(end_ns) - self.since_ns;
            self.spent_ns[self.state as usize] += spent_ns;
            if matches!(self.state, State::Running | State::Outside) {
                busy_ns[column] = busy_ns[column].saturating_add(spent_ns);
            }
            self.since_ns += spent_ns;
            if self.since_ns == end_ns {
                self.next_column();
            }
        }
    }

    fn next_column(&mut self) {
        let column_ns = self.scale.column_ns(self.cells.len());
        let spent_ns = std::mem::take(&mut self.spent_ns);
        let of = |state: State| spent_ns[state as usize];
        let most = if of(State::Running) >= column_ns.div_ceil(2) {
            State::Running
        } else {
            // The first of the longest.
            let mut most = State::Unborn;
            for state in STATES.into_iter().rev() {
                let runs = state == State::Running;
                if !runs && of(state) >= of(most) && of(state) > 0 {
                    most = state;
                }
            }
            // It did nothing else, not even for as long as it is told in nanoseconds.
            if of(most) == 0 && of(State::Running) > 0 {
                most = State::Running;
            }
            most
        };
        self.cells.push(Cell {
            most,
            ran: most != State::Running && of(State::Running) > 0,
            outside: most != State::Outside && of(State::Outside) > 0,
        });
    }
}
