//! Any bytes as a trace: as they are, and, since a checksum keeps out nearly all of those, as the
//! payload of a block that is sealed rightly. What is read is drawn.
#![no_main]

#[path = "../../tests/it/timeline/sealed.rs"]
mod sealed;

use libfuzzer_sys::fuzz_target;
use mini::event::Sink;
use mini::event::trace::Trace;
use mini::report::timeline::{Look, Timeline};
use sealed::sealed;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(trace) = Trace::read(bytes) {
        draw(&trace, bytes.len());
    }
    let sealed = sealed(bytes, bytes.len() as u64 * 1000);
    let trace = Trace::read(&sealed).expect("its parts are whole");
    draw(&trace, bytes.len());
});

/// The look depends on the length, for want of a better choice.
fn draw(trace: &Trace<'_>, length: usize) {
    let look = Look {
        width: length % 300,
        lanes: length % 5,
        paint: length % 2 == 1,
    };
    let elapsed_ns = trace.elapsed_ns().unwrap_or(0);
    let mut timeline = Timeline::new(trace.heading.clone(), elapsed_ns, look);
    for event in trace.events().map_while(Result::ok) {
        timeline.take(event);
    }
    assert!(timeline.text().as_str().contains("\ncor"));
}
