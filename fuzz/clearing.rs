//! The clearing house driven by bytes: its machine, held after each command against what it promises,
//! and its feed, whose deltas merged in steps have to be the delta made directly. The first byte says
//! which. Both are what the laws' tests of `shield` run, with bytes that a fuzzer finds.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../crates/shield/tests/it/feed/driven.rs"]
mod feed;
#[path = "../crates/shield/tests/it/order/driven.rs"]
mod order;

fuzz_target!(|bytes: &[u8]| {
    let Some((which, bytes)) = bytes.split_first() else { return };
    match which {
        b'm' => drop(order::drive(bytes)),
        b'd' => drop(feed::merge(&bytes[..bytes.len().min(600)])),
        _ => {}
    }
});
