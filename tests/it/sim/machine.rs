//! A simulated run inside the test, with everything that came of it.

use mini::bytecode::verify::verify;
use mini::compile::{Environment, compile};
use mini::engine::outcome::RunLimits;
use mini::engine::sim::{self, Costs, Options, Outcome, Schedule};
use mini::event::{Event, Sink};
use mini::gil::Selection;
use mini::gil::lock::Lock;
use mini::source::Source;
use mini::stdlib;
use mini::vm::builtins;
use mini::vm::link::Image;
use mini::vm::{Limits, Vm};
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

/// What a run is to be like; a change away from the usual is a field.
#[derive(Clone)]
pub(crate) struct Machine {
    pub(crate) lock: Lock,
    pub(crate) cores: u16,
    pub(crate) costs: Costs,
    pub(crate) schedule: Schedule,
    pub(crate) seed: u64,
    pub(crate) recorded: bool,
    pub(crate) limits: Limits,
    pub(crate) run_limits: RunLimits,
}

/// What came of it.
pub(crate) struct Run {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) outcome: Outcome,
    pub(crate) events: Vec<Event>,
}

impl Machine {
    /// Two cores that cost what CPython 3.11's do.
    pub(crate) fn under(gil: &str) -> Machine {
        let selection: Selection = gil.parse().expect("the test names a lock");
        Machine {
            lock: selection.lock(),
            cores: 2,
            costs: sim::CPYTHON_3_11,
            schedule: Schedule::Fifo,
            seed: 0,
            recorded: false,
            limits: Limits::default(),
            run_limits: RunLimits::default(),
        }
    }

    pub(crate) fn cores(self, cores: u16) -> Machine {
        Machine { cores, ..self }
    }

    pub(crate) fn random(self, seed: u64) -> Machine {
        Machine {
            schedule: Schedule::Random,
            seed,
            ..self
        }
    }

    pub(crate) fn recorded(self) -> Machine {
        Machine {
            recorded: true,
            ..self
        }
    }

    pub(crate) fn run(&self, image: &Arc<Image>) -> Run {
        let (out, err) = (Kept::default(), Kept::default());
        let events = Events::default();
        let sink: Option<Box<dyn Sink>> = if self.recorded {
            Some(Box::new(events.clone()))
        } else {
            None
        };
        let mut vm = Vm::new(image.clone(), self.limits);
        vm.argv = vec!["test.mini".into()];
        let outcome = sim::run(
            vm,
            Options {
                lock: self.lock,
                cores: self.cores,
                costs: self.costs,
                schedule: self.schedule,
                seed: self.seed,
                limits: self.run_limits,
                input: Box::new(io::empty()),
                output: Box::new(out.clone()),
                error: Box::new(err.clone()),
                statistics: true,
                sink,
                flag: Arc::default(),
            },
        );
        Run {
            out: out.text(),
            err: err.text(),
            outcome,
            events: std::mem::take(&mut *events.0.lock().expect("nobody panicked with it")),
        }
    }
}

/// A program, compiled.
pub(crate) fn image(text: &str) -> Arc<Image> {
    let environment = Environment {
        is_builtin: builtins::is_builtin,
        embedded: stdlib::embedded,
        frozen: Some(&stdlib::BUILTINS),
    };
    let compiled = compile(Source::new("test.mini", text), &environment);
    assert_eq!(compiled.diagnostics, []);
    let verified = verify(compiled.program).expect("what the compiler makes is sound");
    Arc::new(Image::new(&verified, builtins::table()))
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn text(&self) -> String {
        let bytes = self.0.lock().expect("nobody panicked with it");
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut kept = self.0.lock().expect("nobody panicked with it");
        kept.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Clone, Default)]
struct Events(Arc<Mutex<Vec<Event>>>);

impl Sink for Events {
    fn take(&mut self, event: Event) {
        let mut events = self.0.lock().expect("nobody panicked with it");
        events.push(event);
    }
}
