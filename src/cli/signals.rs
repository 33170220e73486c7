//! What the operating system tells the program: Ctrl-C, and that it is to end. Knows no run.

use crate::cli::Trouble;
use anyhow::Context;

/// What was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM: there is time for what is to be saved, and no more.
    Terminate,
}

#[cfg(unix)]
mod unix {
    use super::Signal;
    use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;
    use std::io;
    use std::time::Duration;

    /// A run that has not ended so long after SIGTERM is in the middle of something that does not
    /// look, or waits for a reader of its output; it ends at once then.
    const PATIENCE: Duration = Duration::from_secs(5);

    #[expect(clippy::disallowed_methods, reason = "signals come at any time")]
    pub(super) fn watch(act: impl Fn(Signal) + Send + 'static) -> io::Result<()> {
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        let watch = move || {
            let mut terminated = false;
            for signal in signals.forever() {
                if signal == SIGINT {
                    act(Signal::Interrupt);
                } else if terminated {
                    end();
                } else {
                    terminated = true;
                    std::thread::spawn(|| {
                        std::thread::sleep(PATIENCE);
                        end();
                    });
                    act(Signal::Terminate);
                }
            }
        };
        let named = std::thread::Builder::new().name("signals".into());
        named.spawn(watch).map(|_| ())
    }

    fn end() {
        // It does not come back.
        let _ = emulate_default_handler(SIGTERM);
    }

    pub(super) fn survive_limits() -> io::Result<()> {
        signal_hook::flag::register(SIGXFSZ, std::sync::Arc::default()).map(|_| ())
    }
}

#[cfg(not(unix))]
mod other {
    use super::Signal;

    pub(super) fn watch(act: impl Fn(Signal) + Send + 'static) -> Result<(), ctrlc::Error> {
        ctrlc::set_handler(move || act(Signal::Interrupt))
    }

    pub(super) fn survive_limits() -> Result<(), ctrlc::Error> {
        Ok(())
    }
}

#[cfg(not(unix))]
use other as system;
#[cfg(unix)]
use unix as system;

/// Does this whenever something is told, on a thread of its own.
pub(super) fn watch(act: impl Fn(Signal) + Send + 'static) -> Result<(), Trouble> {
    system::watch(act).context("Ctrl-C cannot be caught")
}

/// A file that has become too large is an error of whoever writes (as in CPython), not the end of
/// the program.
pub(super) fn survive_limits() -> Result<(), Trouble> {
    system::survive_limits().context("SIGXFSZ cannot be caught")
}
