//! HTTP/1.1 answers as they stand on the wire: where the head ends, where the body does, and what is
//! wrong. Pure: bytes are pushed in as they come, and all of them are kept.
//!
//! Strict, where a client would forgive: what is kept for a court must be read in one way only. An
//! answer that can be read in two ways (two lengths, a length beside chunks, a bad chunk) is kept as
//! bytes, and called malformed.

mod chunked;

pub use chunked::{Chunked, State as ChunkedState};

/// Most bytes of a head.
pub const MAX_HEAD: usize = 64 << 10;
/// Most fields of a head.
pub const MAX_FIELDS: usize = 128;

/// The head of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The status.
    pub status: u16,
    /// The fields in their order, names as written; values that are not UTF-8 have marks instead.
    pub fields: Vec<(String, String)>,
    /// Bytes of it, the empty line included.
    pub len: usize,
    framing: Framing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Length(u64),
    Chunked,
    Close,
}

impl Head {
    /// The first field of a name.
    pub fn field(&self, name: &str) -> Option<&str> {
        let named = |(n, _): &&(String, String)| n.eq_ignore_ascii_case(name);
        self.fields.iter().find(named).map(|(_, value)| value.as_str())
    }

    /// True where the body comes in chunks.
    pub fn is_chunked(&self) -> bool {
        self.framing == Framing::Chunked
    }
}

/// Why bytes are no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// It does not begin as one.
    #[error("it does not begin as an HTTP answer")]
    Start,
    /// The head is longer than the bound.
    #[error("the head has more than {MAX_HEAD} bytes")]
    LongHead,
    /// More fields than the bound.
    #[error("the head has more than {MAX_FIELDS} fields")]
    Fields,
    /// A field that is none.
    #[error("the head holds what is no field")]
    Field,
    /// Two ways to say where the body ends.
    #[error("the head says in two ways where the body ends, or in one that is not known")]
    Framing,
    /// A chunk that is none.
    #[error("the body holds what is no chunk")]
    Chunk,
    /// Bytes behind the end.
    #[error("bytes follow behind the end of the answer")]
    Behind,
}

/// Reads the head that bytes begin with; `None` where it goes on.
///
/// # Errors
/// What is no head.
pub fn head(bytes: &[u8]) -> Result<Option<Head>, HttpError> {
    // httparse passes over empty lines before the first; a reader of what is kept would not.
    if !b"HTTP/".starts_with(&bytes[..bytes.len().min(5)]) {
        return Err(HttpError::Start);
    }
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut parsed = httparse::Response::new(&mut fields);
    let len = match parsed.parse(&bytes[..bytes.len().min(MAX_HEAD)]) {
        Ok(httparse::Status::Complete(len)) => len,
        Ok(httparse::Status::Partial) if bytes.len() >= MAX_HEAD => {
            return Err(HttpError::LongHead);
        }
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(HttpError::Fields),
        Err(httparse::Error::HeaderName | httparse::Error::HeaderValue) => {
            return Err(HttpError::Field);
        }
        Err(_) => return Err(HttpError::Start),
    };
    let status = parsed.code.ok_or(HttpError::Start)?;
    let fields: Vec<(String, String)> = parsed
        .headers
        .iter()
        .map(|f| (f.name.to_owned(), String::from_utf8_lossy(f.value).into_owned()))
        .collect();
    let framing = framing(status, &fields)?;
    Ok(Some(Head { status, fields, len, framing }))
}

/// Where the body of an answer to GET ends (RFC 9112, 6.3).
fn framing(status: u16, fields: &[(String, String)]) -> Result<Framing, HttpError> {
    let codings = values(fields, "Transfer-Encoding");
    let mut lengths = values(fields, "Content-Length");
    lengths.dedup();
    if (100..200).contains(&status) || matches!(status, 204 | 304) {
        return Ok(Framing::Length(0));
    }
    match (codings.as_slice(), lengths.as_slice()) {
        ([], []) => Ok(Framing::Close),
        ([coding], []) if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
        ([], [length]) if !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit()) => {
            length.parse().map(Framing::Length).map_err(|_| HttpError::Framing)
        }
        _ => Err(HttpError::Framing),
    }
}

/// The values of all fields of a name, lists taken apart.
fn values<'a>(fields: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    let named = fields.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
    named.flat_map(|(_, value)| value.split(',').map(str::trim)).collect()
}

/// How far an answer was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It goes on.
    More,
    /// It ended as it said it would.
    Whole,
    /// The bound on its body was reached.
    Full,
    /// It is none.
    Malformed(HttpError),
}

/// An answer being read.
#[derive(Debug, Clone)]
pub struct Reading {
    wire: Vec<u8>,
    head: Option<Head>,
    /// Heads of status 1xx before it end here.
    informed: usize,
    /// How many they were.
    informs: usize,
    chunked: Chunked,
    body: Vec<u8>,
    most: usize,
    progress: Progress,
}

/// Most answers of status 1xx before the one that counts.
const MAX_INFORMED: usize = 8;

impl Reading {
    /// Reads an answer with a body of at most so many bytes.
    pub fn new(most: usize) -> Self {
        Self {
            wire: Vec::new(),
            head: None,
            informed: 0,
            informs: 0,
            chunked: Chunked::default(),
            body: Vec::new(),
            most,
            progress: Progress::More,
        }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) -> Progress {
        if self.progress != Progress::More {
            return self.progress;
        }
        let mut from = self.wire.len();
        self.wire.extend_from_slice(bytes);
        while self.head.is_none() {
            match head(&self.wire[self.informed..]) {
                Ok(Some(found)) if (100..200).contains(&found.status) => {
                    self.informed += found.len;
                    self.informs += 1;
                    if self.informs > MAX_INFORMED || found.status == 101 {
                        return self.end(Progress::Malformed(HttpError::Start));
                    }
                }
                Ok(Some(found)) => {
                    from = self.informed + found.len;
                    self.head = Some(found);
                }
                Ok(None) => return Progress::More,
                Err(error) => return self.end(Progress::Malformed(error)),
            }
        }
        let progress = self.take(from);
        self.end(progress)
    }

    fn take(&mut self, from: usize) -> Progress {
        let Some(head) = &self.head else { return Progress::More };
        let room = self.most.saturating_sub(self.body.len());
        let fresh = &self.wire[from..];
        let framing = head.framing;
        let (progress, used) = match framing {
            Framing::Close => {
                let n = fresh.len().min(room);
                self.body.extend_from_slice(&fresh[..n]);
                (if n < fresh.len() { Progress::Full } else { Progress::More }, n)
            }
            Framing::Length(length) => {
                let left = length.saturating_sub(self.body.len() as u64);
                let n = fresh.len().min(room).min(usize::try_from(left).unwrap_or(usize::MAX));
                self.body.extend_from_slice(&fresh[..n]);
                let progress = if n as u64 == left {
                    if n < fresh.len() {
                        Progress::Malformed(HttpError::Behind)
                    } else {
                        Progress::Whole
                    }
                } else if n == room {
                    Progress::Full
                } else {
                    Progress::More
                };
                (progress, if progress == Progress::Full { n } else { fresh.len() })
            }
            Framing::Chunked => {
                let (state, used) = self.chunked.push(fresh, room, &mut self.body);
                let progress = match state {
                    ChunkedState::More => Progress::More,
                    ChunkedState::Full => Progress::Full,
                    ChunkedState::Whole if used < fresh.len() => {
                        Progress::Malformed(HttpError::Behind)
                    }
                    ChunkedState::Whole => Progress::Whole,
                    ChunkedState::Broken => Progress::Malformed(HttpError::Chunk),
                };
                (progress, if progress == Progress::Full { used } else { fresh.len() })
            }
        };
        // What was taken off the wire beyond the bound is let go: it is no part of the capture.
        self.wire.truncate(from + used);
        progress
    }

    fn end(&mut self, progress: Progress) -> Progress {
        self.progress = progress;
        progress
    }

    /// The other side sends no more; `clean` where it said so itself.
    pub fn close(&mut self, clean: bool) -> Progress {
        let by_closing = self.head.as_ref().is_some_and(|h| h.framing == Framing::Close);
        if self.progress == Progress::More && by_closing && clean {
            self.progress = Progress::Whole;
        }
        self.progress
    }

    /// Every byte that came.
    pub fn wire(&self) -> &[u8] {
        &self.wire
    }

    /// The head, once it ended.
    pub fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// Heads of status 1xx that came before it, in bytes.
    pub fn informed(&self) -> usize {
        self.informed
    }

    /// The body so far, its chunks undone.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// How far it was read.
    pub fn progress(&self) -> Progress {
        self.progress
    }
}

#[cfg(test)]
mod tests;
