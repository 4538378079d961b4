//! The chunked transfer coding (RFC 9112, 7.1), strictly, over bytes as they come.

/// Longest size line, extensions included.
const MAX_LINE: usize = 256;
/// Most bytes of trailers.
const MAX_TRAILERS: usize = 8 << 10;

/// How far the chunks were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// They go on.
    More,
    /// The last chunk and its trailers ended.
    Whole,
    /// The bound was reached.
    Full,
    /// What stands there is no chunk.
    Broken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Size,
    Data(u64),
    /// The line end behind a chunk's data: how many of its two bytes came.
    DataEnd(u8),
    Trailer,
    End,
}

/// Chunks being read.
#[derive(Debug, Clone)]
pub struct Chunked {
    part: Part,
    line: Vec<u8>,
    trailers: usize,
}

impl Default for Chunked {
    fn default() -> Self {
        Self { part: Part::Size, line: Vec::new(), trailers: 0 }
    }
}

impl Chunked {
    /// Takes the next bytes and appends what they hold, at most `room` bytes of it. Gives how far it is,
    /// and how many bytes belong to it.
    pub fn push(&mut self, bytes: &[u8], mut room: usize, out: &mut Vec<u8>) -> (State, usize) {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            match self.part {
                Part::Data(left) => {
                    let n = (bytes.len() - at).min(usize::try_from(left).unwrap_or(usize::MAX));
                    if n > room {
                        out.extend_from_slice(&bytes[at..at + room]);
                        self.part = Part::Data(left - room as u64);
                        return (State::Full, at + room);
                    }
                    out.extend_from_slice(&bytes[at..at + n]);
                    (at, room) = (at + n, room - n);
                    let left = left - n as u64;
                    self.part = if left == 0 { Part::DataEnd(0) } else { Part::Data(left) };
                    continue;
                }
                Part::DataEnd(n) => {
                    if *byte != b"\r\n"[usize::from(n)] {
                        return (State::Broken, at);
                    }
                    self.part = if n == 0 { Part::DataEnd(1) } else { Part::Size };
                }
                Part::Size | Part::Trailer => {
                    self.line.push(*byte);
                    if self.line.len() > MAX_LINE && self.part == Part::Size {
                        return (State::Broken, at);
                    }
                    self.trailers += usize::from(self.part == Part::Trailer);
                    if self.trailers > MAX_TRAILERS {
                        return (State::Broken, at);
                    }
                    if *byte == b'\n' {
                        match self.line_ended() {
                            Some(part) => self.part = part,
                            None => return (State::Broken, at),
                        }
                    }
                }
                Part::End => break,
            }
            at += 1;
        }
        (if self.part == Part::End { State::Whole } else { State::More }, at)
    }

    fn line_ended(&mut self) -> Option<Part> {
        let line = std::mem::take(&mut self.line);
        let line = line.strip_suffix(b"\r\n")?;
        if self.part == Part::Trailer {
            let field =
                line.is_empty() || line.iter().position(|b| *b == b':').is_some_and(|n| n > 0);
            return field.then_some(if line.is_empty() { Part::End } else { Part::Trailer });
        }
        let size = line.split(|b| *b == b';').next().unwrap_or_default();
        // White space before an extension is bad, but common; RFC 9112 has readers take it.
        let size = size.trim_ascii_end();
        if size.is_empty() || size.len() > 16 || !size.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let size = u64::from_str_radix(std::str::from_utf8(size).ok()?, 16).ok()?;
        Some(if size == 0 { Part::Trailer } else { Part::Data(size) })
    }
}
