//! The records of web archives as lines, for comparison with other readers: `warc [--strict] FILE…`.
//!
//! A record: `type URI date stated-payload-digest sha1-of-stored-payload offset`, tabs between and `-`
//! for what is not there. A fault: `! start end kind message`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::io::{Read, Write};

use sha1::{Digest, Sha1};
use vault::warc::{Limits, Mode, Reader};

fn main() -> std::io::Result<()> {
    let (flags, files): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|a| a.starts_with("--"));
    let mode = if flags.is_empty() { Mode::Lenient } else { Mode::Strict };
    let mut out = std::io::stdout().lock();
    for file in files {
        writeln!(out, "= {file}")?;
        let mut reader = Reader::new(std::fs::File::open(&file)?, mode, Limits::default());
        let failed = loop {
            let record = match reader.next_record() {
                Ok(Some(record)) => record,
                Ok(None) => break None,
                Err(fault) => break Some(fault),
            };
            let (mut hash, mut buffer) = (Sha1::new(), vec![0; 64 << 10]);
            let mut payload = reader.stored();
            while let Ok(n @ 1..) = payload.read(&mut buffer) {
                hash.update(&buffer[..n]);
            }
            let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
            writeln!(
                out,
                "{}\t{}\t{}\t{}\t{}\t{}",
                record.kind.as_str(),
                or(&record.uri),
                or(&record.date),
                or(&record.payload_digest),
                model::id::hex(&hash.finalize()),
                record.offset
            )?;
        };
        for fault in reader.take_faults().into_iter().chain(failed) {
            writeln!(out, "!\t{}\t{}\t{}\t{fault}", fault.start, fault.end, fault.kind)?;
        }
    }
    Ok(())
}
