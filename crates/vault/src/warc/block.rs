//! A record's block: how far it goes, its bytes, its payload, and the digests of both.

use std::io::{self, Read};

use model::ProblemKind;

use super::chunked::{Chunked, Failure};
use super::digest::{Check, Digest, Stated, Verify};
use super::http::{self, Http};
use super::{Fault, Flaw, Format, Kind, Reader, Record, arc, fields};

/// How much is handed on at once.
const STEP: usize = 32 << 10;

/// How far a block goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Extent {
    /// So many bytes are left.
    Known(u64),
    /// To where the next record begins: its length is not stated so that it can be used.
    ToNext,
}

/// The record whose block is being read.
pub(super) struct Open {
    /// Where it begins in the file.
    pub(super) place: u64,
    /// Where it begins in the stream.
    pub(super) start: u64,
    extent: Extent,
    /// How long its block is stated to be.
    pub(super) stated: Option<u64>,
    /// Whether it describes an ARC file.
    pub(super) describes: bool,
    seen: u64,
    block: Digest,
    payload: Digest,
    /// Beside `payload`: of what its chunks hold, since tools digest either.
    decoded: Option<Verify>,
    chunked: Option<Chunked>,
    /// Whether the record says itself that its block was cut: then chunks may end early.
    truncated: bool,
    pub(super) crossed: u64,
}

/// What a record was when it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// The file's bytes that it took, its line ends included.
    pub span: (u64, u64),
    /// Bytes of its block that there were.
    pub block: u64,
    /// `WARC-Block-Digest`.
    pub block_digest: Check,
    /// `WARC-Payload-Digest`: of the payload, with its transfer coding or without.
    pub payload_digest: Check,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As it stands in the block.
    Stored,
    /// HTTP's chunks undone.
    Decoded,
}

/// Reads the payload of the record at hand.
pub struct Payload<'a, R> {
    reader: &'a mut Reader<R>,
    form: Form,
    buffer: Vec<u8>,
    at: usize,
}

impl<R: Read> Read for Payload<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.buffer.len() {
            self.at = 0;
            self.buffer.clear();
            if let Err(fault) = self.reader.pump(self.form, &mut self.buffer) {
                // Whoever passes over this error is told again when the record ends.
                self.reader.failed = Some(fault.clone());
                return Err(io::Error::other(fault));
            }
        }
        let n = out.len().min(self.buffer.len() - self.at);
        out[..n].copy_from_slice(&self.buffer[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

impl<R: Read> Reader<R> {
    /// What the record brought: its block without HTTP's header and transfer coding. It ends where the
    /// block does, or where its bytes are damaged: then a fault says so.
    pub fn payload(&mut self) -> Payload<'_, R> {
        Payload { reader: self, form: Form::Decoded, buffer: Vec::new(), at: 0 }
    }

    /// The same with its transfer coding, as it stands in the block.
    pub fn stored(&mut self) -> Payload<'_, R> {
        Payload { reader: self, form: Form::Stored, buffer: Vec::new(), at: 0 }
    }

    /// Begins the block of a record whose header was read.
    pub(super) fn begin(
        &mut self,
        record: &mut Record,
        extent: Extent,
        crossed: u64,
    ) -> Result<(), Fault> {
        // Writers of revisits copy both digests from the record that is revisited.
        let revisit = record.kind == Kind::Revisit;
        let elsewhere = revisit || record.field("WARC-Segment-Number").is_some();
        self.open = Some(Open {
            place: record.offset,
            start: record.start,
            extent,
            stated: record.length,
            describes: record.kind == Kind::ArcHeader,
            seen: 0,
            block: Digest::new(record, "WARC-Block-Digest", revisit),
            payload: Digest::new(record, "WARC-Payload-Digest", elsewhere),
            decoded: None,
            chunked: None,
            truncated: record.field("WARC-Truncated").is_some(),
            crossed,
        });
        let stated_http = record.content_type.as_deref().is_some_and(|t| {
            let t = t.trim_start().to_ascii_lowercase();
            t.starts_with("application/http") || t.starts_with("message/http")
        });
        let web = record.uri.as_deref().is_some_and(|u| {
            u.split_once(':').is_some_and(|(s, _)| {
                s.eq_ignore_ascii_case("http") || s.eq_ignore_ascii_case("https")
            })
        });
        let asks = record.kind == Kind::Request;
        if (stated_http || web) && (asks || matches!(record.kind, Kind::Response | Kind::Revisit)) {
            let n = self.block_ahead(64);
            if http::begins(&self.input.window()[..n], asks) {
                record.http = self.head()?;
            } else if stated_http && n > 0 {
                let message = "the block is no HTTP message, though its type says so";
                let at = self.input.pos;
                self.flaw(Flaw::new(at, at, ProblemKind::Syntax, message))?;
            }
        }
        if let (Some(http), Some(open)) = (&record.http, &mut self.open)
            && http.chunked
        {
            open.chunked = Some(Chunked::new());
            open.decoded = record
                .payload_digest
                .as_deref()
                .filter(|_| open.payload.verify.is_some())
                .and_then(|d| Verify::new(&Stated::parse(d)));
        }
        Ok(())
    }

    /// The HTTP head that the block begins with.
    fn head(&mut self) -> Result<Option<Http>, Fault> {
        let at = self.input.pos;
        let (mut want, mut checked) = (4096, 0);
        let len = loop {
            want = want.min(self.limits.header);
            let n = self.block_ahead(want).min(self.limits.header);
            if let Some(len) = fields::header_len(&self.input.window()[..n], checked) {
                break len;
            }
            if n < want {
                let message = "the HTTP header does not end: there is no payload";
                self.flaw(Flaw::new(at, at, ProblemKind::Truncated, message))?;
                break n;
            }
            if want == self.limits.header {
                let message = format!("an HTTP header of more than {want} bytes: not read");
                self.flaw(Flaw::new(at, at, ProblemKind::Bound, message))?;
                return Ok(None);
            }
            (checked, want) = (n, want * 4);
        };
        let head = &self.input.window()[..len];
        let http = Http::parse(head, &self.limits);
        if let Some(open) = &mut self.open {
            open.block.update(head);
        }
        self.advance(len);
        if !http.transfer.is_empty() {
            let message = "a transfer coding besides chunks, which is not undone";
            self.flaw(Flaw::new(at, at, ProblemKind::Unsupported, message))?;
        }
        Ok(Some(http))
    }

    fn advance(&mut self, n: usize) {
        self.input.consume(n);
        if let Some(open) = &mut self.open {
            open.seen += n as u64;
            if let Extent::Known(left) = &mut open.extent {
                *left -= n as u64;
            }
        }
    }

    /// How many bytes of the window belong to the block: `want` or more, unless it ends before.
    fn block_ahead(&mut self, want: usize) -> usize {
        // What follows a member's beginning must be seen to tell whether a record begins there.
        let more = if self.input.gzip { arc::MAX_LINE } else { 0 };
        match self.open.as_ref().map(|o| o.extent) {
            None | Some(Extent::Known(0)) => 0,
            Some(Extent::Known(left)) => {
                let left = usize::try_from(left).unwrap_or(usize::MAX);
                let have = self.input.fill(want.min(left) + more).len();
                if self.input.at_edge() && self.record_at(0) {
                    return 0;
                }
                self.until_edge(have.min(left))
            }
            Some(Extent::ToNext) => {
                let want = want.max(2 * arc::MAX_LINE);
                let have = self.input.fill(want).len();
                let end = match self.find_record() {
                    Some(at) => at,
                    None if have < want => have,
                    None => return have - arc::MAX_LINE,
                };
                let block = &self.input.window()[..end];
                let ends = block.iter().rev().take(4).take_while(|b| matches!(b, b'\r' | b'\n'));
                let end = end - ends.count();
                if let Some(open) = &mut self.open {
                    open.extent = Extent::Known(end as u64);
                }
                end
            }
        }
    }

    /// Appends the next bytes of the payload. Nothing is appended where it ends.
    fn pump(&mut self, form: Form, out: &mut Vec<u8>) -> Result<(), Fault> {
        let mut decoded = Vec::new();
        loop {
            let n = self.block_ahead(STEP).min(STEP);
            let Some(open) = &mut self.open else { return Ok(()) };
            let bytes = &self.input.window()[..n];
            open.block.update(bytes);
            open.payload.update(bytes);
            decoded.clear();
            let mut failure = None;
            if let Some(chunked) = &mut open.chunked {
                if n > 0 {
                    chunked.push(bytes, &mut decoded);
                } else {
                    let whole = matches!(open.extent, Extent::Known(0));
                    failure = chunked.finish(whole, &mut decoded);
                    let early = matches!(failure, Some(Failure::Cut | Failure::NotChunked));
                    failure = failure.filter(|_| !(early && open.truncated));
                    open.chunked = None;
                }
                if let Some(verify) = &mut open.decoded {
                    verify.update(&decoded);
                }
                out.extend_from_slice(if form == Form::Decoded { &decoded } else { bytes });
            } else {
                out.extend_from_slice(bytes);
            }
            self.advance(n);
            if let Some(failure) = failure {
                self.chunks_failed(failure)?;
            }
            if n == 0 || !out.is_empty() {
                return Ok(());
            }
        }
    }

    fn chunks_failed(&mut self, failure: Failure) -> Result<(), Fault> {
        let (kind, message, lost) = match failure {
            Failure::NotChunked => {
                (ProblemKind::Conflict, "no chunks, though HTTP's header states them".into(), false)
            }
            Failure::Broken => (
                ProblemKind::Syntax,
                "its chunks break off: the rest is given as it is".into(),
                false,
            ),
            Failure::Cut => (ProblemKind::Truncated, "it ends before its last chunk".into(), true),
            Failure::Behind(n) => (
                ProblemKind::Syntax,
                format!("{n} bytes behind its last chunk are not given"),
                true,
            ),
        };
        let start = self.open.as_ref().map_or(0, |o| o.start);
        let mut fault = self.locate(Flaw::new(start, self.input.pos, kind, message));
        fault.field = Some("Transfer-Encoding".to_owned());
        fault.lost = lost;
        self.fault(fault)
    }

    /// Goes to the end of the record at hand, checks what it states, and says what it was.
    ///
    /// # Errors
    /// In strict mode: the first fault.
    pub fn finish(&mut self) -> Result<Option<End>, Fault> {
        let ended = match self.failed.take() {
            Some(fault) => Err(fault),
            None if self.stopped => Ok(None),
            None => self.end_record(),
        };
        self.stopped |= ended.is_err();
        ended
    }

    fn end_record(&mut self) -> Result<Option<End>, Fault> {
        let mut rest = Vec::new();
        while self.open.is_some() {
            rest.clear();
            self.pump(Form::Stored, &mut rest)?;
            if rest.is_empty() {
                break;
            }
        }
        let Some(mut open) = self.open.take() else { return Ok(None) };
        let whole = matches!(open.extent, Extent::Known(0));
        if whole {
            self.gap(&open)?;
        }
        let span = (open.place, self.input.end_place().max(open.place));
        let at = |kind, message: String, lost| Fault {
            start: span.0,
            end: span.1,
            unpacked: None,
            field: None,
            kind,
            message,
            lost,
        };
        let unpacked = self.input.gzip.then_some(open.start);
        if let (false, Some(stated)) = (whole, open.stated) {
            let arc = self.format == Some(Format::Arc);
            let field = if arc { "length" } else { "Content-Length" };
            let message = format!("its block has {} bytes, where {stated} are stated", open.seen);
            let fault = at(ProblemKind::Truncated, message, true);
            self.fault(Fault { unpacked, field: Some(field.to_owned()), ..fault })?;
        }
        if self.input.crossed > open.crossed {
            let message = "the record is split over gzip members".to_owned();
            self.fault(Fault { unpacked, ..at(ProblemKind::Syntax, message, false) })?;
        }
        open.block.settle(None);
        open.payload.settle(open.decoded.take());
        for digest in [&open.block, &open.payload] {
            if digest.check == Check::Differs {
                let what = if digest.field.contains("Block") { "block" } else { "payload" };
                let message = format!("it is not the digest of the {what} that is here");
                let fault = at(ProblemKind::Integrity, message, false);
                let unpacked = self.input.gzip.then_some(digest.at);
                self.fault(Fault { unpacked, field: Some(digest.field.to_owned()), ..fault })?;
            }
        }
        Ok(Some(End {
            span,
            block: open.seen,
            block_digest: open.block.check,
            payload_digest: open.payload.check,
        }))
    }
}
