//! What the operating system tells the program: Ctrl-C, and that it is to end. Whatever the program
//! is in the middle of, it ends soon after the second Ctrl-C, and after SIGTERM. Knows no run.

use crate::cli::{Trouble, say};
use crate::printable::Printable;
use anyhow::Context;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// What was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM: there is time for what is to be saved, and no more.
    Terminate,
}

/// Who has not seen the run end so long after Ctrl-C is told why.
const UNTIL_TOLD: Duration = Duration::from_secs(1);

/// The program ends so long after the second Ctrl-C, even in the middle of something that does not
/// look, or waiting for a reader of its output.
const AFTER_INTERRUPTS: Duration = Duration::from_millis(700);

/// The same after SIGTERM.
#[cfg(unix)]
const AFTER_TERMINATE: Duration = Duration::from_secs(5);

/// Does something a while later, on a thread of its own; if there can be none, then at once.
#[expect(clippy::disallowed_methods, reason = "signals come at any time")]
fn after(delay: Duration, act: impl Fn() + Send + Clone + 'static) {
    let late = act.clone();
    let named = std::thread::Builder::new().name("patience".into());
    let started = named.spawn(move || {
        std::thread::sleep(delay);
        late();
    });
    if started.is_err() {
        act();
    }
}

/// What is done about Ctrl-C.
struct Interrupts<Act, Still> {
    act: Act,
    still: Arc<Still>,
    count: Arc<AtomicU32>,
}

impl<Act: Fn(Signal), Still: Fn() -> Printable + Send + Sync + 'static> Interrupts<Act, Still> {
    fn new(act: Act, still: Still) -> Interrupts<Act, Still> {
        Interrupts {
            act,
            still: Arc::new(still),
            count: Arc::default(),
        }
    }

    /// Ctrl-C was pressed.
    fn come(&self) {
        let before = self.count.fetch_add(1, Ordering::Relaxed);
        if before == 0 {
            let (still, count) = (self.still.clone(), self.count.clone());
            after(UNTIL_TOLD, move || {
                if count.load(Ordering::Relaxed) == 1 {
                    // Nobody can be told if that fails.
                    let _ = say(&still());
                }
            });
        } else {
            after(AFTER_INTERRUPTS, system::end_interrupted);
        }
        (self.act)(Signal::Interrupt);
    }
}

#[cfg(unix)]
mod unix {
    use super::{AFTER_TERMINATE, Interrupts, Signal, after};
    use crate::cli::exit;
    use crate::printable::Printable;
    use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::{self, emulate_default_handler};
    use std::io;

    #[expect(clippy::disallowed_methods, reason = "signals come at any time")]
    pub(super) fn watch(
        act: impl Fn(Signal) + Send + 'static,
        still: impl Fn() -> Printable + Send + Sync + 'static,
    ) -> io::Result<()> {
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        let interrupts = Interrupts::new(act, still);
        let watch = move || {
            let mut terminated = false;
            for signal in signals.forever() {
                if signal == SIGINT {
                    interrupts.come();
                } else if terminated {
                    end_terminated();
                } else {
                    terminated = true;
                    after(AFTER_TERMINATE, end_terminated);
                    (interrupts.act)(Signal::Terminate);
                }
            }
        };
        let named = std::thread::Builder::new().name("signals".into());
        named.spawn(watch).map(|_| ())
    }

    fn end_terminated() {
        // It does not come back.
        let _ = emulate_default_handler(SIGTERM);
    }

    /// Without anything that somebody might be in the middle of.
    pub(super) fn end_interrupted() {
        low_level::exit(exit::INTERRUPTED);
    }

    pub(super) fn survive_limits() -> io::Result<()> {
        signal_hook::flag::register(SIGXFSZ, std::sync::Arc::default()).map(|_| ())
    }
}

#[cfg(not(unix))]
mod other {
    use super::{Interrupts, Signal};
    use crate::cli::exit;
    use crate::printable::Printable;

    pub(super) fn watch(
        act: impl Fn(Signal) + Send + 'static,
        still: impl Fn() -> Printable + Send + Sync + 'static,
    ) -> Result<(), ctrlc::Error> {
        let interrupts = Interrupts::new(act, still);
        ctrlc::set_handler(move || interrupts.come())
    }

    #[expect(clippy::disallowed_methods, reason = "nothing else ends it")]
    pub(super) fn end_interrupted() {
        std::process::exit(exit::INTERRUPTED);
    }

    pub(super) fn survive_limits() -> Result<(), ctrlc::Error> {
        Ok(())
    }
}

#[cfg(not(unix))]
use other as system;
#[cfg(unix)]
use unix as system;

/// Does this whenever something is told, on a thread of its own. If the program has not ended a
/// second after the first Ctrl-C, says what keeps it.
pub(super) fn watch(
    act: impl Fn(Signal) + Send + 'static,
    still: impl Fn() -> Printable + Send + Sync + 'static,
) -> Result<(), Trouble> {
    system::watch(act, still).context("Ctrl-C cannot be caught")
}

/// A file that has become too large is an error of whoever writes (as in CPython), not the end of
/// the program.
pub(super) fn survive_limits() -> Result<(), Trouble> {
    system::survive_limits().context("SIGXFSZ cannot be caught")
}
