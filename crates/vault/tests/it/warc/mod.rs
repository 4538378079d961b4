//! Web archives: whole, faulty and damaged.

mod damage;
mod faults;
mod files;

use std::fmt::Write as _;
use std::io::{Cursor, Read, Write as _};

use model::record::Name;
use sha1::{Digest, Sha1};
use vault::unpack::{Bounds, Budget, Codec, unpack};
use vault::warc::{Fault, Limits, Mode, Reader, Record};

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn sha1(bytes: &[u8]) -> String {
    model::id::hex(&Sha1::digest(bytes))
}

/// A record with its fields and block.
fn record(kind: &str, uri: &str, more: &str, block: &[u8]) -> Vec<u8> {
    let mut head = format!(
        "WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:7>\r\n\
         WARC-Date: 2025-11-24T16:00:00Z\r\nContent-Length: {}\r\n",
        block.len()
    );
    if !uri.is_empty() {
        let _ = write!(head, "WARC-Target-URI: {uri}\r\n");
    }
    let _ = write!(head, "{more}\r\n");
    [head.as_bytes(), block, b"\r\n\r\n"].concat()
}

fn http(uri: &str, head: &str, body: &[u8]) -> Vec<u8> {
    let block = [format!("HTTP/1.1 200 OK\r\n{head}\r\n").as_bytes(), body].concat();
    record("response", uri, "Content-Type: application/http; msgtype=response\r\n", &block)
}

/// All records with their payloads, and all faults; in strict mode at most one.
fn read(bytes: &[u8], mode: Mode, limits: Limits) -> (Vec<(Record, Vec<u8>)>, Vec<Fault>) {
    let mut reader = Reader::new(bytes, mode, limits);
    let mut out = Vec::new();
    loop {
        match reader.next_record() {
            Ok(None) => return (out, reader.take_faults()),
            Err(fault) => return (out, vec![fault]),
            Ok(Some(record)) => {
                let mut payload = Vec::new();
                let _ = reader.payload().read_to_end(&mut payload);
                out.push((record, payload));
            }
        }
    }
}

fn lenient(bytes: &[u8]) -> (Vec<(Record, Vec<u8>)>, Vec<Fault>) {
    read(bytes, Mode::Lenient, Limits::default())
}

fn strict(bytes: &[u8]) -> Result<usize, Fault> {
    let (records, mut faults) = read(bytes, Mode::Strict, Limits::default());
    faults.pop().map_or(Ok(records.len()), Err)
}

type Members = Vec<(String, Vec<u8>, Option<u64>)>;

fn members(bytes: &[u8], bounds: Bounds) -> (Members, Vec<model::Problem>) {
    let codec = Codec::sniff(bytes).expect("a web archive");
    let mut budget = Budget::new(bounds, bytes.len() as u64);
    let (mut out, mut source) = (Vec::new(), Cursor::new(bytes));
    let problems =
        unpack::<()>(codec, &mut source, &Name::from("x"), 0, &mut budget, &mut |member| {
            let mut content = Vec::new();
            let _ = member.reader.read_to_end(&mut content);
            out.push((member.name.shown(), content, member.offset));
            Ok(())
        })
        .unwrap();
    (out, problems)
}
