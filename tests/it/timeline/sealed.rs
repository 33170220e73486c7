//! A trace with a block that nobody wrote, sealed rightly: what a reader meets that trusts
//! checksums. The fuzz target has it from here, too.

use mini::event::trace::{self, Ending, Heading};
use sha2::{Digest, Sha256};

/// The trace whose only block of events is this.
pub(crate) fn sealed(payload: &[u8], elapsed_ns: u64) -> Vec<u8> {
    let mut bytes = trace::begin(&Heading {
        simulated: true,
        cores: Some(2),
        lock: "cpython-3.12".into(),
        script: "test.mini".into(),
    });
    bytes.push(b'E');
    let mut length = payload.len();
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend(payload);
    bytes.extend(&Sha256::digest(payload)[..4]);
    bytes.extend(trace::end(&Ending {
        events: 0,
        elapsed_ns,
    }));
    bytes
}
