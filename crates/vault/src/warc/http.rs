//! The head of an HTTP message in a record's block.

use super::fields::{self, Field};
use super::{Flaw, Limits};

/// An HTTP message's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// Its first line.
    pub first_line: String,
    /// Its fields.
    pub fields: Vec<Field>,
    /// Whether its body is stated to come in chunks.
    pub chunked: bool,
    /// Transfer codings besides that, which are not undone here.
    pub transfer: Vec<String>,
    /// Content codings: they stay, being the payload's own.
    pub content: Vec<String>,
}

impl Http {
    /// Reads a head, which ends with an empty line. HTTP's own readers forgive much: so does this.
    pub(super) fn parse(head: &[u8], limits: &Limits) -> Self {
        let (first, ending) = fields::line(head);
        let rest = &head[first.len() + ending.len()..];
        let fields = fields::parse(rest, 0, limits, &mut Vec::<Flaw>::new());
        let codings = |name: &str| -> Vec<String> {
            let named = fields.iter().filter(|f| f.name.eq_ignore_ascii_case(name));
            let words = named.flat_map(|f| f.value.split(','));
            let words = words.map(|w| w.trim().to_ascii_lowercase());
            words.filter(|w| !w.is_empty() && w != "identity").collect()
        };
        let (mut transfer, content) = (codings("Transfer-Encoding"), codings("Content-Encoding"));
        let chunked = transfer.iter().any(|c| c == "chunked");
        transfer.retain(|c| c != "chunked");
        Self { first_line: fields::text(first).0, fields, chunked, transfer, content }
    }
}

/// Whether a block begins as an HTTP message does: a status line, or a request's.
pub(super) fn begins(block: &[u8], request: bool) -> bool {
    if !request {
        return block.len() > 5 && block[..5].eq_ignore_ascii_case(b"HTTP/");
    }
    let (line, _) = fields::line(&block[..block.len().min(64)]);
    let method = line.split(|b| *b == b' ').next().unwrap_or_default();
    method.len() < line.len() && !method.is_empty() && method.iter().all(u8::is_ascii_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codings_are_told() {
        let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, Chunked\r\nX: y\r\n\
            Content-Encoding: br\r\n\r\n";
        let http = Http::parse(head, &Limits::default());
        assert_eq!((http.first_line.as_str(), http.chunked), ("HTTP/1.1 200 OK", true));
        assert_eq!((http.transfer, http.content), (vec!["gzip".to_owned()], vec!["br".to_owned()]));
        assert!(begins(b"HTTP/1.0 200", false) && !begins(b"\n", false) && !begins(b"", true));
        assert!(begins(b"GET / HTTP/1.0\r\n", true) && !begins(b"<html> x", true));
    }
}
