//! A file's type told by its bytes: the word that pages and records use for what no parser reads.
//!
//! Signatures as the formats' own specifications state them.
//! What has no signature is told as text of an encoding, or as `binary`.

/// A signature: where it stands, its bytes, the word.
type Signature = (usize, &'static [u8], &'static str);

/// Ordered: the earlier holds. Long and rare ones first.
const SIGNATURES: &[Signature] = &[
    (0, b"%PDF-", "pdf"),
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"\xff\xd8\xff", "jpeg"),
    (0, b"GIF87a", "gif"),
    (0, b"GIF89a", "gif"),
    (0, b"SQLite format 3\0", "sqlite"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"\xfd7zXZ\0", "xz"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
    (0, b"BZh", "bzip2"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"LZIP", "lzip"),
    (0, b"\x04\x22\x4d\x18", "lz4"),
    (0, b"Rar!\x1a\x07", "rar"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (0, b"MSCF", "cab"),
    (257, b"ustar", "tar"),
    (0, b"\x7fELF", "elf"),
    (0, b"\xca\xfe\xba\xbe", "class"),
    (0, b"\xcf\xfa\xed\xfe", "macho"),
    (0, b"\xce\xfa\xed\xfe", "macho"),
    (0, b"\0asm", "wasm"),
    (0, b"dex\n", "dex"),
    (0, b"\x1aE\xdf\xa3", "matroska"),
    (0, b"OggS", "ogg"),
    (0, b"fLaC", "flac"),
    (0, b"ID3", "mp3"),
    (0, b"FLV\x01", "flv"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (0, b"\0\0\x01\xba", "mpeg-ps"),
    (0, b"\0\0\x01\xb3", "mpeg-video"),
    (0, b"II*\0", "tiff"),
    (0, b"MM\0*", "tiff"),
    (0, b"8BPS", "psd"),
    (0, b"\0\0\x01\0", "ico"),
    (0, b"wOFF", "woff"),
    (0, b"wOF2", "woff"),
    (0, b"\xd4\xc3\xb2\xa1", "pcap"),
    (0, b"\xa1\xb2\xc3\xd4", "pcap"),
    (0, b"\x0a\x0d\x0d\x0a", "pcapng"),
    (0, b"EVF\x09\x0d\x0a\xff\0", "e01"),
    (0, b"LVF\x09\x0d\x0a\xff\0", "e01"),
    (0, b"AFF10\r\n\0", "aff"),
    (0, b"KDMV", "vmdk"),
    (0, b"QFI\xfb", "qcow2"),
    (0, b"conectix", "vhd"),
    (0, b"vhdxfile", "vhdx"),
    (0x8001, b"CD001", "iso9660"),
    (0, b"LUKS\xba\xbe", "luks"),
    (0, b"PAR1", "parquet"),
    (0, b"ARROW1", "arrow"),
    (0, b"REDIS0", "redis"),
    (0, b"regf", "registry"),
    (0, b"ElfFile\0", "evtx"),
    (0, b"!BDN", "pst"),
    (0, b"\xfe\xed\xfe\xed", "jks"),
    (0, b"-----BEGIN PGP", "pgp"),
    (0, b"-----BEGIN OPENSSH", "openssh-key"),
    (0, b"-----BEGIN ", "pem"),
    (0, b"WARC/", "warc"),
    (0, b"filedesc://", "arc"),
    (0, b"bplist00", "plist"),
    (0, b"{\\rtf", "rtf"),
    (0, b"#!", "script"),
    (0, b"<?php", "php"),
];

/// The word for a file, by its first bytes (64 KiB are enough, 36 KiB tell a disc image).
pub fn of(head: &[u8]) -> &'static str {
    if head.is_empty() {
        return "empty";
    }
    let fits =
        |(at, magic, _): &&Signature| head.get(*at..).is_some_and(|rest| rest.starts_with(magic));
    if let Some((_, _, word)) = SIGNATURES.iter().find(fits) {
        return word;
    }
    container(head).unwrap_or_else(|| textual(head))
}

/// Formats whose first bytes lead to a second sign.
fn container(head: &[u8]) -> Option<&'static str> {
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Some(zip(head));
    }
    if head.starts_with(b"RIFF") {
        return match head.get(8..12)? {
            b"WEBP" => Some("webp"),
            b"AVI " => Some("avi"),
            b"WAVE" => Some("wav"),
            _ => Some("riff"),
        };
    }
    if head.get(4..8) == Some(b"ftyp") {
        return match head.get(8..12)? {
            b"heic" | b"heix" | b"mif1" => Some("heif"),
            b"avif" => Some("avif"),
            b"qt  " => Some("quicktime"),
            b"M4A " => Some("m4a"),
            _ => Some("mp4"),
        };
    }
    if head.starts_with(b"MZ") {
        let at = u32::from_le_bytes(head.get(0x3c..0x40)?.try_into().ok()?) as usize;
        let pe = head.get(at..).is_some_and(|rest| rest.starts_with(b"PE\0\0"));
        return Some(if pe { "exe" } else { "dos-exe" });
    }
    // Transport stream: the sync byte every 188, or every 192 behind a time stamp.
    for (first, step) in [(0, 188), (4, 192)] {
        if head.len() > first + step * 2 && (0..3).all(|i| head[first + step * i] == 0x47) {
            return Some("mpeg-ts");
        }
    }
    let mp3 = head[0] == 0xff && head.get(1).is_some_and(|b| b & 0xe6 == 0xe2);
    mp3.then_some("mp3")
}

/// A zip by the name of its first members.
fn zip(head: &[u8]) -> &'static str {
    let has = |name: &[u8]| memchr::memmem::find(head, name).is_some();
    let word = |mime: &[u8]| head.get(30..).is_some_and(|rest| rest.starts_with(mime));
    if word(b"mimetypeapplication/epub") {
        "epub"
    } else if word(b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet") {
        "ods"
    } else if word(b"mimetypeapplication/vnd.oasis.opendocument.text") {
        "odt"
    } else if has(b"xl/workbook") || has(b"xl/worksheets") {
        "xlsx"
    } else if has(b"word/document") {
        "docx"
    } else if has(b"ppt/presentation") {
        "pptx"
    } else if has(b"AndroidManifest.xml") {
        "apk"
    } else if has(b"META-INF/MANIFEST.MF") {
        "jar"
    } else {
        "zip"
    }
}

/// Text by its encoding and its first words; `binary` otherwise.
fn textual(head: &[u8]) -> &'static str {
    match head {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return "text-utf16",
        _ => {}
    }
    let body = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let control = |b: &&u8| matches!(b, 0..=8 | 11 | 14..=26 | 28..=31 | 0x7f);
    if body.contains(&0) {
        let pairs = body.len() / 2;
        let even = body.iter().step_by(2).filter(|b| **b == 0).count();
        let odd = body.iter().skip(1).step_by(2).filter(|b| **b == 0).count();
        let wide = pairs >= 4
            && (even * 10 > pairs * 7 && odd * 10 < pairs
                || odd * 10 > pairs * 7 && even * 10 < pairs);
        return if wide { "text-utf16" } else { "binary" };
    }
    if body.iter().filter(control).count() * 100 > body.len() {
        return "binary";
    }
    let start = body.trim_ascii_start();
    let lower: Vec<u8> = start.iter().take(64).map(u8::to_ascii_lowercase).collect();
    if lower.starts_with(b"<!doctype html") || lower.starts_with(b"<html") {
        "html"
    } else if lower.starts_with(b"<?xml") {
        "xml"
    } else if lower.starts_with(b"<svg") {
        "svg"
    } else if matches!(start.first(), Some(b'{' | b'['))
        && start.iter().take(200).any(|b| *b == b'"')
    {
        "json"
    } else if valid_utf8(body) {
        "text"
    } else {
        "text-latin1"
    }
}

/// True for UTF-8, a sequence cut at the end aside.
fn valid_utf8(body: &[u8]) -> bool {
    match std::str::from_utf8(body) {
        Ok(_) => true,
        Err(e) => e.error_len().is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn types_by_their_bytes() {
        let mut tar = vec![b'a'; 300];
        tar[257..262].copy_from_slice(b"ustar");
        let mut ts = vec![0u8; 600];
        (0..4).for_each(|i| ts[i * 188] = 0x47);
        for (head, word) in [
            (&b"%PDF-1.7"[..], "pdf"),
            (b"\x89PNG\r\n\x1a\n....", "png"),
            (b"SQLite format 3\0...", "sqlite"),
            (b"PK\x03\x04..............................xl/workbook.xml", "xlsx"),
            (b"PK\x03\x04", "zip"),
            (b"RIFF....WEBPVP8", "webp"),
            (b"....ftypisom", "mp4"),
            (b"\x1aE\xdf\xa3", "matroska"),
            (&tar, "tar"),
            (&ts, "mpeg-ts"),
            (b"  <!DOCTYPE HTML>", "html"),
            (b"\xef\xbb\xbf<?xml version=\"1.0\"?>", "xml"),
            (b"{\"a\":1}", "json"),
            ("un café".as_bytes(), "text"),
            (b"un caf\xe9 noir", "text-latin1"),
            (b"\xff\xfea\0b\0", "text-utf16"),
            (b"a\0b\0c\0d\0e\0", "text-utf16"),
            (b"\x01\x02\x03\x04", "binary"),
            (b"MZ", "text"),
            (b"", "empty"),
        ] {
            assert_eq!(of(head), word, "{:?}", &head[..head.len().min(20)]);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_have_a_type(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(!of(&bytes).is_empty());
        }
    }
}
