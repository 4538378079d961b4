//! HTTP's chunked transfer coding (RFC 9112, 7.1) undone, bytes in, bytes out.
//!
//! Crawlers often store a body without its chunks and leave the header that speaks of them: bytes
//! that are no chunk are passed on as they are, and said.

/// The longest line of a chunk's size with its extensions, or of a trailer.
const MAX_LINE: usize = 4096;

enum State {
    /// In the line that states a chunk's size.
    Size,
    /// So many bytes of a chunk are left.
    Data(u64),
    /// At the line end behind a chunk.
    DataEnd,
    /// In the fields behind the last chunk.
    Trailer,
    Done,
    /// No chunks: all is passed on.
    Plain,
}

/// Why the bytes are not what the coding wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// Not one chunk was found.
    NotChunked,
    /// What follows a chunk is none.
    Broken,
    /// It ends before the last chunk.
    Cut,
    /// So many bytes follow the last chunk.
    Behind(u64),
}

pub(super) struct Chunked {
    state: State,
    line: Vec<u8>,
    chunks: u64,
    failure: Option<Failure>,
    behind: u64,
}

impl Chunked {
    pub(super) fn new() -> Self {
        Self { state: State::Size, line: Vec::new(), chunks: 0, failure: None, behind: 0 }
    }

    /// Takes some bytes, appends what they hold.
    pub(super) fn push(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while let Some(first) = bytes.first() {
            match &mut self.state {
                State::Plain => {
                    out.extend_from_slice(bytes);
                    return;
                }
                State::Done => {
                    self.behind += bytes.len() as u64;
                    return;
                }
                State::Data(left) => {
                    let n = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    out.extend_from_slice(&bytes[..n]);
                    bytes = &bytes[n..];
                    *left -= n as u64;
                    if *left == 0 {
                        self.state = State::DataEnd;
                    }
                }
                State::Size | State::DataEnd | State::Trailer => {
                    self.line.push(*first);
                    bytes = &bytes[1..];
                    if *first == b'\n' {
                        self.line_ended(out);
                    } else if self.line.len() > MAX_LINE {
                        self.give_up(out);
                    }
                }
            }
        }
    }

    fn line_ended(&mut self, out: &mut Vec<u8>) {
        let blank = matches!(self.line.as_slice(), b"\n" | b"\r\n");
        match self.state {
            State::Size => match size(&self.line) {
                None => return self.give_up(out),
                Some(0) => self.state = State::Trailer,
                Some(n) => {
                    self.chunks += 1;
                    self.state = State::Data(n);
                }
            },
            State::DataEnd if blank => self.state = State::Size,
            State::DataEnd => return self.give_up(out),
            _ if blank => self.state = State::Done,
            _ => {}
        }
        self.line.clear();
    }

    fn give_up(&mut self, out: &mut Vec<u8>) {
        self.failure = Some(if self.chunks == 0 { Failure::NotChunked } else { Failure::Broken });
        out.append(&mut self.line);
        self.state = State::Plain;
    }

    /// No more bytes come: appends what is left, says what was wrong. Where the body is not `whole`, the
    /// beginning of a chunk's line is not taken for content.
    pub(super) fn finish(&mut self, whole: bool, out: &mut Vec<u8>) -> Option<Failure> {
        match self.state {
            State::Done if self.behind > 0 => Some(Failure::Behind(self.behind)),
            State::Done | State::Plain => self.failure,
            // An empty body has no chunks, and a crawler that undid them leaves nothing else.
            State::Size if self.chunks == 0 && self.line.is_empty() && whole => None,
            State::Size if self.chunks == 0 && whole => {
                self.give_up(out);
                self.failure
            }
            _ => Some(Failure::Cut),
        }
    }
}

/// The size in a chunk's first line: hexadecimal digits, then extensions, which are ignored.
fn size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|b| *b == b';').next()?.trim_ascii();
    if digits.is_empty() || digits.len() > 16 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8], step: usize) -> (Vec<u8>, Option<Failure>) {
        let (mut chunked, mut out) = (Chunked::new(), Vec::new());
        for piece in bytes.chunks(step) {
            chunked.push(piece, &mut out);
        }
        let failure = chunked.finish(true, &mut out);
        (out, failure)
    }

    #[test]
    fn chunks_are_undone_and_what_is_none_passes() {
        let cases: &[(&[u8], &[u8], Option<Failure>)] = &[
            (b"4\r\nWiki\r\n5;x=y\r\npedia\r\n0\r\n\r\n", b"Wikipedia", None),
            (b"4\nWiki\n0\n\n", b"Wiki", None),
            (b"A\r\n0123456789\r\n0\r\nX: y\r\n\r\n", b"0123456789", None),
            (b"", b"", None),
            (b"<html>\n", b"<html>\n", Some(Failure::NotChunked)),
            (b"<html>", b"<html>", Some(Failure::NotChunked)),
            (b"4\r\nWikiX\r\n", b"WikiX\r\n", Some(Failure::Broken)),
            (b"4\r\nWiki\r\nzz\r\nrest", b"Wikizz\r\nrest", Some(Failure::Broken)),
            (b"4\r\nWi", b"Wi", Some(Failure::Cut)),
            (b"4\r\nWiki\r\n", b"Wiki", Some(Failure::Cut)),
            (b"0\r\n\r\nmore", b"", Some(Failure::Behind(4))),
            (b"fffffffffffffffff\r\n", b"fffffffffffffffff\r\n", Some(Failure::NotChunked)),
            (b"ffffffffffffffff\r\nab", b"ab", Some(Failure::Cut)),
        ];
        for (bytes, out, failure) in cases {
            for step in [1, 2, 3, 64] {
                let text = String::from_utf8_lossy(bytes);
                assert_eq!(decode(bytes, step), (out.to_vec(), *failure), "{text} by {step}");
            }
        }
    }

    #[test]
    fn of_a_cut_line_nothing_is_given() {
        let (mut chunked, mut out) = (Chunked::new(), Vec::new());
        chunked.push(b"4\r", &mut out);
        assert_eq!((chunked.finish(false, &mut out), out), (Some(Failure::Cut), Vec::new()));
    }

    #[test]
    fn a_line_has_its_bound() {
        let long = [b"4;", vec![b'x'; MAX_LINE].as_slice(), b"\r\nWiki\r\n0\r\n\r\n"].concat();
        assert_eq!(decode(&long, 64), (long.clone(), Some(Failure::NotChunked)));
    }
}
