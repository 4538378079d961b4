//! Compressed files of one member: gzip, bzip2, xz, Zstandard; several streams in a row count as one.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, SeekFrom};

use model::record::Name;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::{Codec, Context, Given, Source};

/// The most memory that a decoder's dictionary or window may take, in bytes.
pub(super) const MAX_WINDOW: u64 = 256 << 20;

pub(super) fn unpack<E>(
    source: &mut dyn Source,
    name: &Name,
    cx: &mut Context<'_, E>,
) -> Result<(), E> {
    let mut head = vec![0; 4096];
    let _ = source.seek(SeekFrom::Start(0));
    let got = source.read(&mut head).unwrap_or(0);
    head.truncate(got);
    let _ = source.seek(SeekFrom::Start(0));
    let stored = if cx.codec == Codec::Gz { gz_name(&head) } else { None };
    let given = Given {
        name: stored.unwrap_or_else(|| without_suffix(&name.0)),
        offset: Some(0),
        stated_size: None,
        span: (0, cx.size),
    };
    let input = BufReader::with_capacity(256 << 10, source);
    match cx.codec {
        Codec::Gz => cx.give(given, &mut flate2::bufread::MultiGzDecoder::new(input))?,
        Codec::Bz2 => cx.give(given, &mut bzip2::bufread::MultiBzDecoder::new(input))?,
        Codec::Xz => {
            let limit_kb = (MAX_WINDOW >> 10) as u32;
            cx.give(given, &mut lzma_rust2::XzReader::new_mem_limit(input, true, limit_kb))?
        }
        _ => cx.give(given, &mut ZstFrames::new(input))?,
    };
    Ok(())
}

/// The name in a gzip header (RFC 1952), if there is one.
fn gz_name(head: &[u8]) -> Option<Vec<u8>> {
    let flags = *head.get(3)?;
    let mut at = 10;
    if flags & 4 != 0 {
        at += 2 + usize::from(u16::from_le_bytes([*head.get(at)?, *head.get(at + 1)?]));
    }
    let rest = head.get(at..)?;
    let len = rest.iter().position(|b| *b == 0)?;
    (flags & 8 != 0 && len > 0).then(|| rest[..len].to_vec())
}

/// The last part of a container's name without `.gz` and the like; `.tgz` becomes `.tar`.
fn without_suffix(name: &[u8]) -> Vec<u8> {
    let last = name.rsplit(|b| *b == b'/').next().unwrap_or(name);
    let lower = last.to_ascii_lowercase();
    for (suffix, instead) in [
        (&b".gz"[..], &b""[..]),
        (b".bz2", b""),
        (b".xz", b""),
        (b".zst", b""),
        (b".zstd", b""),
        (b".tgz", b".tar"),
        (b".tbz2", b".tar"),
        (b".txz", b".tar"),
        (b".tzst", b".tar"),
    ] {
        if lower.ends_with(suffix) && lower.len() > suffix.len() {
            return [&last[..last.len() - suffix.len()], instead].concat();
        }
    }
    if last.is_empty() { b"content".to_vec() } else { last.to_vec() }
}

/// Zstandard frames one after another, skippable ones skipped.
pub(super) struct ZstFrames<R: BufRead> {
    input: R,
    decoder: FrameDecoder,
    within: bool,
}

impl<R: BufRead> ZstFrames<R> {
    pub(super) fn new(input: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW);
        Self { input, decoder, within: false }
    }

    /// Begins the next frame. False at the end of the input.
    fn begin(&mut self) -> io::Result<bool> {
        loop {
            if self.input.fill_buf()?.is_empty() {
                return Ok(false);
            }
            match self.decoder.init(&mut self.input) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let mut skipped = (&mut self.input).take(u64::from(length));
                    io::copy(&mut skipped, &mut io::sink())?;
                }
                Err(e) => return Err(io::Error::new(ErrorKind::InvalidData, e.to_string())),
            }
        }
    }
}

impl<R: BufRead> Read for ZstFrames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.within {
                self.within = self.begin()?;
                if !self.within {
                    return Ok(0);
                }
            }
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                self.decoder
                    .decode_blocks(&mut self.input, BlockDecodingStrategy::UptoBlocks(1))
                    .map_err(|e| io::Error::new(ErrorKind::InvalidData, e.to_string()))?;
            }
            let n = self.decoder.read(buffer)?;
            if n > 0 || buffer.is_empty() {
                return Ok(n);
            }
            let stated = self.decoder.get_checksum_from_data();
            if stated.is_some() && stated != self.decoder.get_calculated_checksum() {
                return Err(io::Error::new(ErrorKind::InvalidData, "the checksum differs"));
            }
            self.within = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_suffix() {
        for (name, without) in [
            ("a/b/panel.sql.gz", "panel.sql"),
            ("x.TGZ", "x.tar"),
            ("noext", "noext"),
            (".gz", ".gz"),
            ("", "content"),
        ] {
            assert_eq!(without_suffix(name.as_bytes()), without.as_bytes());
        }
    }
}
