//! Ten million values that ended, as a start reads them (`VIGIE_VALUES`, thousands): what they take, and what a
//! look-up costs.
//!
//! `cargo test -p shield --release --test it order::scale -- --ignored --nocapture` prints the figures.

use std::convert::Infallible;
use std::time::Instant;

use model::Sha256Hex;
use shield::order::Moment;
use shield::order::kept::Reading;
use shield::order::state::{History, Past};
use shield::order::turn::End;
use shield::order::values::key;
use shield::order::values::table::{Table, Writer};

use crate::world::item;

/// Names that nothing relates but their suffix, as who streams makes them up.
fn name(n: u64) -> String {
    format!("x{:06x}.tv{:010x}.live", n >> 40, n & 0xff_ffff_ffff)
}

#[test]
#[ignore = "a minute, and a gigabyte"]
fn ten_million_values_that_ended() {
    let thousands = std::env::var("VIGIE_VALUES").ok().and_then(|n| n.parse().ok());
    let count = thousands.unwrap_or(10_000_u64) * 1_000;
    let mut numbers: Vec<u64> =
        (1..=count).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
    numbers.sort_unstable();
    let (mut bytes, mut writer) = (Vec::new(), Writer::default());
    let mut out = |piece: &[u8]| -> Result<(), Infallible> {
        bytes.extend_from_slice(piece);
        Ok(())
    };
    let begun = Instant::now();
    for n in &numbers {
        let (since, until) = (Moment(1_789_990_000_000), Moment(1_790_000_000_000));
        let last = Some(Past { since, until, how: End::Expired });
        let history = History { released: 1, faults: 0, ended: [0, 0, 1], last };
        writer.row(&key::of(&item(&name(*n))), &history, &mut out).unwrap();
    }
    writer.end(&mut out).unwrap();
    let written = begun.elapsed();
    let file = tempfile();
    ledger::disk::write(&file, &bytes).unwrap();
    let size = bytes.len();
    drop(bytes);
    // What a start does with it: it is read whole, its digest is held against what was signed, and it is opened.
    let begun = Instant::now();
    let bytes = std::fs::read(&file).unwrap();
    let read = begun.elapsed();
    let digest = Sha256Hex::of(&bytes);
    let hashed = begun.elapsed();
    let state = Reading::new(Table::open(bytes).unwrap()).end().unwrap();
    let opened = begun.elapsed();
    ledger::disk::remove(&file).unwrap();
    let asked: Vec<u64> = numbers.iter().step_by(numbers.len() / 100_000).copied().collect();
    let begun = Instant::now();
    for n in &asked {
        assert_eq!(state.history(&item(&name(*n))).unwrap().released, 1);
        assert_eq!(state.history(&item(&name(n ^ 1))), None);
    }
    let look = begun.elapsed().as_secs_f64() * 1e6 / (2 * asked.len()) as f64;
    println!(
        "values={count} bytes={size} each={:.1} write_s={:.2} read_s={:.2} hash_s={:.2} open_s={:.4} \
         look_us={look:.2} digest={digest}",
        size as f64 / count as f64,
        written.as_secs_f64(),
        read.as_secs_f64(),
        (hashed - read).as_secs_f64(),
        (opened - hashed).as_secs_f64(),
    );
}

fn tempfile() -> std::path::PathBuf {
    std::env::temp_dir().join(format!("vigie-values-{}", std::process::id()))
}
