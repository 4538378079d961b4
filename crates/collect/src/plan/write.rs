//! The capture's WARC: what is written of each step.

use std::net::SocketAddr;

use super::visit::Visit;
use super::{CONTROL, Fetched, Looked, USER_AGENT};
use crate::capture::{End, Step, steps_json};
use crate::dns::Ask;
use crate::http::Reading;
use crate::warc::{FIELDS, Kind, Record, Truncated, Writer, fields};

/// A capture's WARC.
#[derive(Debug)]
pub(super) struct Archive(Writer);

impl Archive {
    pub(super) fn new(seed: [u8; 32], now_ms: i64) -> Self {
        let info = [
            ("software", USER_AGENT),
            ("format", "WARC File Format 1.1"),
            (
                "conformsTo",
                "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
            ),
            ("robots", "ignore"),
            ("http-header-user-agent", USER_AGENT),
            ("control-name", CONTROL),
        ];
        Self(Writer::new(seed, now_ms, &info))
    }

    /// An answer of the resolver, as it came.
    pub(super) fn looked(&mut self, name: &str, ask: Ask, looked: &Looked) {
        if looked.bytes.is_empty() {
            return;
        }
        let id = self.0.id(looked.at_ms);
        let uri = format!("dns:{name}?type={}", ask.word());
        let record = Record {
            kind: Kind::Resource,
            uri: Some(&uri),
            date_ms: looked.at_ms,
            content_type: "application/dns-message",
            ip: Some(looked.resolver.ip()),
            concurrent: &[],
            truncated: None,
            payload: None,
            block: &looked.bytes,
        };
        self.0.record(&id, &record);
    }

    /// A request, what came back, and what TLS showed.
    pub(super) fn fetched(
        &mut self,
        visit: &Visit,
        address: SocketAddr,
        request: &[u8],
        fetched: &Fetched,
        end: &End,
    ) {
        let uri = visit.shown();
        let date_ms = fetched.started_ms;
        let [answer, asked, chain, facts] = [(); 4].map(|()| self.0.id(date_ms));
        let base = Record {
            kind: Kind::Response,
            uri: Some(&uri),
            date_ms,
            content_type: "application/http; msgtype=response",
            ip: Some(address.ip()),
            concurrent: &[],
            truncated: None,
            payload: None,
            block: &[],
        };
        let reading = fetched.reading.as_ref();
        let wire = reading.map_or(&[][..], Reading::wire);
        if !wire.is_empty() {
            self.0.record(&answer, &answered(base, reading, end));
        }
        let of_answer: &[&str] = if wire.is_empty() { &[] } else { &[&answer] };
        if reading.is_some() {
            let record = Record {
                kind: Kind::Request,
                content_type: "application/http; msgtype=request",
                concurrent: of_answer,
                block: request,
                ..base
            };
            self.0.record(&asked, &record);
        }
        let mut pairs = vec![("address", address.to_string())];
        pairs.push(("named", visit.named().unwrap_or_else(|| "nobody".to_owned())));
        pairs.push(("end", end.word().to_owned()));
        pairs.push(("milliseconds", (fetched.ended_ms - fetched.started_ms).to_string()));
        if let End::Malformed(why) | End::NoTls(why) | End::NoConnection(why) = end {
            pairs.push(("why", why.clone()));
        }
        if let Some(tls) = &fetched.tls {
            let pem = tls.pem();
            let record = Record {
                kind: Kind::Metadata,
                content_type: "application/pem-certificate-chain",
                concurrent: of_answer,
                block: pem.as_bytes(),
                ..base
            };
            self.0.record(&chain, &record);
            pairs.push(("tls-version", tls.version.clone()));
            pairs.push(("tls-suite", tls.suite.clone()));
            pairs.push(("tls-alpn", tls.alpn.clone().unwrap_or_else(|| "none".to_owned())));
            pairs.push(("tls-sni", tls.sni.clone().unwrap_or_else(|| "none".to_owned())));
            pairs.push(("tls-validity", tls.validity.word().to_owned()));
            pairs.push(("tls-key-proven", tls.proven.to_string()));
        }
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let block = fields(&pairs);
        let record = Record {
            kind: Kind::Metadata,
            content_type: FIELDS,
            concurrent: of_answer,
            block: block.as_bytes(),
            ..base
        };
        self.0.record(&facts, &record);
    }

    /// The end: what was done, in order.
    pub(super) fn finish(
        mut self,
        item: &str,
        started_ms: i64,
        ended_ms: i64,
        steps: &[Step],
    ) -> Vec<u8> {
        let id = self.0.id(ended_ms);
        let block = steps_json(item, started_ms, ended_ms, steps).to_string();
        let record = Record {
            kind: Kind::Metadata,
            uri: None,
            date_ms: ended_ms,
            content_type: "application/json",
            ip: None,
            concurrent: &[],
            truncated: None,
            payload: None,
            block: block.as_bytes(),
        };
        self.0.record(&id, &record);
        self.0.finish()
    }
}

/// What came back. What is no HTTP is called none: the bytes are kept as a resource.
fn answered<'a>(base: Record<'a>, reading: Option<&'a Reading>, end: &End) -> Record<'a> {
    let block = reading.map_or(&[][..], Reading::wire);
    let head = reading.and_then(|r| r.head().map(|h| (r.informed(), h)));
    let truncated = match end {
        End::Cut => Some(Truncated::Length),
        End::Slow => Some(Truncated::Time),
        End::Gone => Some(Truncated::Disconnect),
        _ => None,
    };
    match head {
        // Readers find the payload behind the first head: heads of status 1xx make it another's.
        Some((0, head)) if !matches!(end, End::Malformed(_)) => Record {
            truncated,
            // Tools do not agree whether the digest of a chunked payload is of the chunks or of what is
            // in them: the block's digest, which is never left out, covers both.
            payload: Some(head.len).filter(|_| !head.is_chunked()),
            block,
            ..base
        },
        _ => Record {
            kind: Kind::Resource,
            content_type: "application/octet-stream",
            truncated,
            block,
            ..base
        },
    }
}
