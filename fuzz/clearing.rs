//! The clearing house driven by bytes: its machine, held after each command against what it promises,
//! and its feed, whose deltas merged in steps have to be the delta made directly. The first byte says
//! which. Both are what the laws' tests of `shield` run, with bytes that a fuzzer finds. The third is what a
//! start reads: a state's table and lines, of which none may contradict itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shield::measure::Measure;
use shield::order::kept::Reading;
use shield::order::values::table::Table;

#[path = "../crates/shield/tests/it/feed/driven.rs"]
mod feed;
#[path = "../crates/shield/tests/it/order/driven.rs"]
mod order;

fuzz_target!(|bytes: &[u8]| {
    let Some((which, bytes)) = bytes.split_first() else { return };
    match which {
        b'm' => drop(order::drive(bytes)),
        b'k' => read(bytes),
        b'd' => drop(feed::merge(&bytes[..bytes.len().min(600)])),
        _ => {}
    }
});

/// Two bytes say how long the table is; the lines follow it.
fn read(bytes: &[u8]) {
    let Some((length, bytes)) = bytes.split_first_chunk::<2>() else { return };
    let length = usize::from(u16::from_le_bytes(*length)).min(bytes.len());
    let (table, lines) = bytes.split_at(length);
    let Some(table) = Table::open(table.to_vec()) else { return };
    let sound = table.is_sound();
    let (mut reading, mut measure) = (Reading::new(table), Measure::default());
    for line in lines.split(|byte| *byte == b'\n') {
        if reading.line(line).is_err() {
            return; // A state that was not read to its end is none.
        }
        let _ = measure.line(reading.state(), line);
    }
    // A table whose keys do not grow is written otherwise than it was read.
    let Some(state) = reading.end().ok().filter(|_| sound) else { return };
    // What can be read can be written, and is the same when it is read again.
    let (lines, table) = order::kept(&state);
    let mut again = Reading::new(Table::open(table).expect("a table"));
    lines.iter().for_each(|line| again.line(line).expect("a line"));
    assert_eq!(again.end().expect("a state"), state);
}
