//! Text encodings of tables: told by the first bytes, decoded field by field, so that spans stay in
//! the exhibit's own bytes.

/// How a text file's bytes stand for characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8; a field that is not valid UTF-8 is read as windows-1252.
    Utf8,
    /// UTF-16, least byte first.
    Utf16Le,
    /// UTF-16, greatest byte first.
    Utf16Be,
}

impl Encoding {
    /// Bytes of a code unit.
    pub fn width(self) -> usize {
        if self == Self::Utf8 { 1 } else { 2 }
    }

    /// The encoding, and the length of the byte order mark. Without a mark, UTF-16 is told by zero
    /// bytes that stand in every other place of an otherwise plain text.
    pub fn detect(head: &[u8]) -> (Self, usize) {
        match head {
            [0xef, 0xbb, 0xbf, ..] => return (Self::Utf8, 3),
            [0xff, 0xfe, ..] => return (Self::Utf16Le, 2),
            [0xfe, 0xff, ..] => return (Self::Utf16Be, 2),
            _ => {}
        }
        let sample = &head[..head.len().min(512) & !1];
        let zeros =
            |offset: usize| sample.iter().skip(offset).step_by(2).filter(|b| **b == 0).count() * 2;
        if sample.len() >= 8 {
            let (even, odd) = (zeros(0), zeros(1));
            if odd * 10 >= sample.len() * 7 && even == 0 {
                return (Self::Utf16Le, 0);
            }
            if even * 10 >= sample.len() * 7 && odd == 0 {
                return (Self::Utf16Be, 0);
            }
        }
        (Self::Utf8, 0)
    }

    /// The code unit that begins at byte `at`; `None` where the bytes end before it is whole.
    pub fn unit(self, bytes: &[u8], at: usize) -> Option<u16> {
        match self {
            Self::Utf8 => bytes.get(at).map(|b| u16::from(*b)),
            Self::Utf16Le => Some(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?])),
            Self::Utf16Be => Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?])),
        }
    }

    /// Appends the text of `bytes` to `to`. `Doubt` says where the bytes were not what the encoding
    /// allows.
    pub fn decode(self, bytes: &[u8], to: &mut String) -> Doubt {
        if self == Self::Utf8 {
            return match std::str::from_utf8(bytes) {
                Ok(text) => {
                    to.push_str(text);
                    Doubt::None
                }
                Err(_) => {
                    to.extend(bytes.iter().map(|b| windows_1252(*b)));
                    Doubt::Windows1252
                }
            };
        }
        let units = (0..bytes.len() / 2).filter_map(|i| self.unit(bytes, i * 2));
        let mut doubt = if bytes.len() % 2 == 1 { Doubt::Broken } else { Doubt::None };
        for c in char::decode_utf16(units) {
            to.push(c.unwrap_or_else(|_| {
                doubt = Doubt::Broken;
                char::REPLACEMENT_CHARACTER
            }));
        }
        doubt
    }
}

/// What had to be supposed to decode a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Nothing.
    None,
    /// Bytes that are not UTF-8 were read as windows-1252.
    Windows1252,
    /// What could not be decoded is U+FFFD.
    Broken,
}

/// The character of a byte in windows-1252 (the five unassigned bytes are U+FFFD). Latin-1 differs
/// only in 0x80–0x9F, which no text uses there.
pub fn windows_1252(byte: u8) -> char {
    const HIGH: [u16; 32] = [
        0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
        0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd, 0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
        0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178,
    ];
    match byte {
        0x80..=0x9f => char::from_u32(u32::from(HIGH[usize::from(byte - 0x80)]))
            .unwrap_or(char::REPLACEMENT_CHARACTER),
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_told_and_decoded() {
        assert_eq!(Encoding::detect(b"\xef\xbb\xbfDate"), (Encoding::Utf8, 3));
        assert_eq!(Encoding::detect(b"\xff\xfeD\0a\0"), (Encoding::Utf16Le, 2));
        assert_eq!(Encoding::detect(b"D\0a\0t\0e\0;\0"), (Encoding::Utf16Le, 0));
        assert_eq!(Encoding::detect(b"\0D\0a\0t\0e\0;"), (Encoding::Utf16Be, 0));
        assert_eq!(Encoding::detect(b"Date,\0\0\0\0"), (Encoding::Utf8, 0));
        let mut text = String::new();
        assert_eq!(Encoding::Utf8.decode(b"Geb\xfchr \x80", &mut text), Doubt::Windows1252);
        assert_eq!(text, "Gebühr €");
        text.clear();
        assert_eq!(Encoding::Utf16Le.decode(b"\x3d\xd8\x42", &mut text), Doubt::Broken);
        assert_eq!(text, "\u{fffd}");
    }
}
