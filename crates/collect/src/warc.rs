//! WARC/1.1 (ISO 28500), written: one gzip member a record, each block with its SHA-256. Pure: time, ids
//! and bytes are handed in.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::IpAddr;

use flate2::Compression;
use flate2::write::GzEncoder;
use model::Sha256Hex;
use sha2::{Digest, Sha256};

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What was sent.
    Request,
    /// What came back, being an answer of the protocol.
    Response,
    /// What came back without a protocol that could be told, and DNS answers.
    Resource,
    /// Words about another record.
    Metadata,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
            Self::Resource => "resource",
            Self::Metadata => "metadata",
        }
    }
}

/// Why a block ends before what it holds does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truncated {
    /// The bound on its length was reached.
    Length,
    /// The bound on its time was.
    Time,
    /// The connection ended.
    Disconnect,
}

impl Truncated {
    /// Its word in `WARC-Truncated`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Time => "time",
            Self::Disconnect => "disconnect",
        }
    }
}

/// A record to be written.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// What it is.
    pub kind: Kind,
    /// What it is of. Metadata may do without.
    pub uri: Option<&'a str>,
    /// When, in milliseconds since 1970.
    pub date_ms: i64,
    /// The block's media type.
    pub content_type: &'a str,
    /// Who was asked.
    pub ip: Option<IpAddr>,
    /// Ids of the records of the same exchange.
    pub concurrent: &'a [&'a str],
    /// Whether it was cut.
    pub truncated: Option<Truncated>,
    /// Where in the block its payload begins, where its digest is to be stated.
    pub payload: Option<usize>,
    /// The block.
    pub block: &'a [u8],
}

/// A file being written.
#[derive(Debug)]
pub struct Writer {
    out: Vec<u8>,
    seed: [u8; 32],
    count: u64,
    info: String,
}

/// The media type of `name: value` lines.
pub const FIELDS: &str = "application/warc-fields";

impl Writer {
    /// Begins a file with its `warcinfo`. `seed` is random, and makes its ids.
    pub fn new(seed: [u8; 32], date_ms: i64, info: &[(&str, &str)]) -> Self {
        let mut writer = Self { out: Vec::new(), seed, count: 0, info: String::new() };
        let id = writer.next_id(date_ms);
        let block = fields(info);
        writer.put("warcinfo", &id, date_ms, &[("Content-Type", FIELDS)], block.as_bytes());
        writer.info = id;
        writer
    }

    fn next_id(&mut self, date_ms: i64) -> String {
        let mut hash = Sha256::new();
        hash.update(b"vigie/warc-id/v1");
        hash.update(self.seed);
        hash.update(self.count.to_be_bytes());
        self.count += 1;
        let digest: [u8; 32] = hash.finalize().into();
        let random: [u8; 10] = std::array::from_fn(|i| digest[i]);
        format!("<urn:uuid:{}>", model::record::uuid_v7(date_ms, random))
    }

    /// Names a record before it is written, so that those of one exchange can name one another.
    pub fn id(&mut self, date_ms: i64) -> String {
        self.next_id(date_ms)
    }

    /// Writes a record under an id of [`Writer::id`].
    pub fn record(&mut self, id: &str, record: &Record<'_>) {
        let (ip, info) = (record.ip.map(|ip| ip.to_string()), self.info.clone());
        let payload =
            record.payload.map(|from| digest(record.block.get(from..).unwrap_or_default()));
        let mut fields = Vec::new();
        fields.extend(record.uri.map(|uri| ("WARC-Target-URI", uri)));
        fields.push(("Content-Type", record.content_type));
        fields.extend(ip.as_deref().map(|ip| ("WARC-IP-Address", ip)));
        fields.extend(record.concurrent.iter().map(|id| ("WARC-Concurrent-To", *id)));
        fields.extend(record.truncated.map(|t| ("WARC-Truncated", t.word())));
        fields.extend(payload.as_deref().map(|digest| ("WARC-Payload-Digest", digest)));
        fields.push(("WARC-Warcinfo-ID", &info));
        self.put(record.kind.word(), id, record.date_ms, &fields, record.block);
    }

    fn put(&mut self, kind: &str, id: &str, date_ms: i64, fields: &[(&str, &str)], block: &[u8]) {
        let mut head = format!(
            "WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Record-ID: {id}\r\nWARC-Date: {}\r\n",
            model::record::time_text(date_ms)
        );
        for (name, value) in fields {
            let _ = write!(head, "{name}: {}\r\n", line(value));
        }
        let _ = write!(
            head,
            "WARC-Block-Digest: {}\r\nContent-Length: {}\r\n\r\n",
            digest(block),
            block.len()
        );
        // Memory takes every write.
        let mut member = GzEncoder::new(std::mem::take(&mut self.out), Compression::default());
        for part in [head.as_bytes(), block, b"\r\n\r\n"] {
            let _ = member.write_all(part);
        }
        self.out = member.finish().unwrap_or_default();
    }

    /// The bytes so far.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Never: a file begins with its `warcinfo`.
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// The file.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }
}

/// A digest as WARC states it.
fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", Sha256Hex::of(bytes))
}

/// One line, whatever the other side sent.
fn line(value: &str) -> String {
    value.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A block of [`FIELDS`].
pub fn fields(pairs: &[(&str, &str)]) -> String {
    pairs.iter().fold(String::new(), |mut out, (name, value)| {
        let _ = write!(out, "{name}: {}\r\n", line(value));
        out
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use proptest::prelude::*;
    use vault::warc::{Check, Limits, Mode, Reader};

    use super::*;

    fn read(bytes: &[u8]) -> Vec<(String, Option<String>, Vec<u8>, Check)> {
        let mut reader = Reader::new(bytes, Mode::Strict, Limits::default());
        let mut out = Vec::new();
        while let Some(record) = reader.next_record().unwrap() {
            let mut block = Vec::new();
            reader.payload().read_to_end(&mut block).unwrap();
            assert!(record.alone);
            let end = reader.finish().unwrap().unwrap();
            assert_eq!(end.block_digest, Check::Agrees);
            out.push((record.kind.as_str().to_owned(), record.uri, block, end.payload_digest));
        }
        out
    }

    #[test]
    fn a_file_begins_with_what_it_is() {
        let writer =
            Writer::new([7; 32], 0, &[("software", "vigie/0\r\nevil: yes"), ("format", "x")]);
        let found = read(&writer.finish());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, "warcinfo");
        assert_eq!(
            found[0].2,
            "software: vigie/0\u{fffd}\u{fffd}evil: yes\r\nformat: x\r\n".as_bytes()
        );
    }

    proptest! {
        /// Whatever was seen, the house's own strict reader finds no fault with how it is written.
        #[test]
        fn what_is_written_is_read_without_a_flaw(
            seed in any::<[u8; 32]>(),
            blocks in prop::collection::vec(
                (prop::collection::vec(any::<u8>(), 0..300), 0usize..5, any::<bool>(), "[a-z/?%]{0,20}"),
                0..6,
            ),
            date in 0i64..4_000_000_000_000,
        ) {
            let mut writer = Writer::new(seed, date, &[("software", "vigie")]);
            let mut last = String::new();
            for (block, kind, cut, path) in &blocks {
                let kind = [Kind::Request, Kind::Response, Kind::Resource, Kind::Metadata][kind % 4];
                let uri = format!("https://tv.example/{path}");
                // Requests are always whole, as the probe writes them; what is behind the head is read.
                let whole = [&b"GET / HTTP/1.1\r\n\r\n"[..], block].concat();
                let block = if kind == Kind::Request { &whole } else { block };
                let id = writer.id(date);
                let before = [last.as_str()];
                writer.record(&id, &Record {
                    kind,
                    uri: Some(&uri),
                    date_ms: date,
                    content_type: "application/octet-stream",
                    ip: Some("2001:db8::7".parse().unwrap()),
                    concurrent: if last.is_empty() { &[] } else { &before },
                    truncated: cut.then_some(Truncated::Length),
                    payload: Some(0).filter(|_| kind == Kind::Resource),
                    block,
                });
                last = id;
            }
            let bytes = writer.finish();
            // A resource's payload is its block; what begins as an HTTP message is read as one.
            prop_assume!(blocks.iter().all(|(b, ..)| !b.starts_with(b"HTTP/")));
            let found = read(&bytes);
            prop_assert_eq!(found.len(), blocks.len() + 1);
            for ((block, ..), (_, _, read, _)) in blocks.iter().zip(&found[1..]) {
                prop_assert_eq!(block, read);
            }
        }
    }
}
