//! Canonical JSON: RFC 8785, cut down to what records need, so that one value has one writing.
//!
//! A value is a boolean, an integer within ±(2^53−1), a text, a list, or a map with ASCII keys.
//! There is no null (what is absent is left out) and no float. Larger integers are texts of decimal
//! digits. Bytes that are not UTF-8 are `{"hex":"…"}`. Nesting is at most [`MAX_DEPTH`], a whole
//! document at most [`MAX_LEN`] bytes. `docs/record-format.md` is the specification.

use std::collections::BTreeMap;
use std::fmt;

/// The longest document, in bytes: what an entry of the log can hold.
pub const MAX_LEN: usize = 65_535;
/// The deepest nesting: `[[1]]` has depth 2.
pub const MAX_DEPTH: usize = 16;
/// The greatest magnitude of a bare integer: 2^53−1.
pub const MAX_INT: i64 = (1 << 53) - 1;

/// A canonical value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Canon {
    /// `true` or `false`.
    Bool(bool),
    /// An integer within ±[`MAX_INT`]. Make it with [`Canon::int`], which keeps that.
    Int(i64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Canon>),
    /// A map; keys are ASCII without control characters, sorted bytewise.
    Map(BTreeMap<String, Canon>),
}

/// Why bytes are not canonical, or a value cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CanonError {
    /// Longer than [`MAX_LEN`].
    #[error("{0} bytes, where at most {MAX_LEN} are allowed")]
    TooLong(usize),
    /// Deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} at byte {0}")]
    TooDeep(usize),
    /// An integer beyond ±(2^53−1) without quotes.
    #[error("an integer beyond 2^53-1 without quotes at byte {0}")]
    BigInteger(usize),
    /// A key with other than printable ASCII.
    #[error("a key that is not printable ASCII at byte {0}")]
    Key(usize),
    /// No JSON of the kind allowed here.
    #[error("not canonical JSON at byte {0}: {1}")]
    Syntax(usize, &'static str),
    /// JSON, but not written in the one way.
    #[error("JSON, but not in its canonical writing, from byte {0} on")]
    NotCanonical(usize),
}

impl Canon {
    /// An integer: bare within ±(2^53−1), else a text of decimal digits.
    pub fn int(n: impl Into<i128>) -> Self {
        let n = n.into();
        match i64::try_from(n) {
            Ok(small) if small.unsigned_abs() <= MAX_INT.unsigned_abs() => Self::Int(small),
            _ => Self::Text(n.to_string()),
        }
    }

    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Bytes that are mostly UTF-8, such as a path: a text where they are, else `{"hex":"…"}`.
    pub fn bytes(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => {
                Self::Map(BTreeMap::from([("hex".to_owned(), Self::Text(crate::id::hex(bytes)))]))
            }
        }
    }

    /// The integer that [`Canon::int`] was given.
    pub fn as_int(&self) -> Option<i128> {
        match self {
            Self::Int(n) => Some(i128::from(*n)),
            Self::Text(text) => {
                let n: i128 = text.parse().ok()?;
                // Only the writing that `int` makes: no sign, zero or range of its own.
                (n.unsigned_abs() > MAX_INT.unsigned_abs().into() && n.to_string() == *text)
                    .then_some(n)
            }
            _ => None,
        }
    }

    /// The text, where it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The boolean, where it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// The map, where it is one.
    pub fn as_map(&self) -> Option<&BTreeMap<String, Canon>> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The bytes that [`Canon::bytes`] was given.
    pub fn as_bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Text(text) => Some(text.as_bytes().to_vec()),
            Self::Map(map) if map.len() == 1 => {
                let bytes = crate::id::unhex(map.get("hex")?.as_text()?)?;
                std::str::from_utf8(&bytes).is_err().then_some(bytes)
            }
            _ => None,
        }
    }

    /// The one writing of the value.
    ///
    /// # Errors
    /// Longer than [`MAX_LEN`], deeper than [`MAX_DEPTH`], a key that is not printable ASCII, or an
    /// integer beyond the range put into [`Canon::Int`] by hand.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CanonError> {
        let out = self.to_bytes_unbounded()?;
        if out.len() > MAX_LEN { Err(CanonError::TooLong(out.len())) } else { Ok(out) }
    }

    /// As [`Canon::to_bytes`], of any length: for openings, which stand outside the log.
    ///
    /// # Errors
    /// As [`Canon::to_bytes`], length aside.
    pub fn to_bytes_unbounded(&self) -> Result<Vec<u8>, CanonError> {
        let mut out = Vec::new();
        self.write(&mut out, 0)?;
        Ok(out)
    }

    /// Reads one canonical value, and nothing else, of at most [`MAX_LEN`] bytes.
    ///
    /// # Errors
    /// Any byte that the canonical writing of the value would not have.
    pub fn parse(bytes: &[u8]) -> Result<Self, CanonError> {
        if bytes.len() > MAX_LEN {
            return Err(CanonError::TooLong(bytes.len()));
        }
        Self::parse_unbounded(bytes)
    }

    /// As [`Canon::parse`], of any length: for openings, which stand outside the log.
    ///
    /// # Errors
    /// As [`Canon::parse`], length aside.
    pub fn parse_unbounded(bytes: &[u8]) -> Result<Self, CanonError> {
        let text = std::str::from_utf8(bytes)
            .map_err(|e| CanonError::Syntax(e.valid_up_to(), "not UTF-8"))?;
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(0)?;
        if reader.at < bytes.len() {
            return Err(CanonError::Syntax(reader.at, "something follows the value"));
        }
        // One law instead of many checks: what is read must write the same bytes again. It refuses
        // doubled and unsorted keys, needless escapes and zeros.
        let again = value.to_bytes_unbounded()?;
        if again != bytes {
            let at = again.iter().zip(bytes).take_while(|(a, b)| a == b).count();
            return Err(CanonError::NotCanonical(at));
        }
        Ok(value)
    }

    fn write(&self, out: &mut Vec<u8>, depth: usize) -> Result<(), CanonError> {
        if depth > MAX_DEPTH {
            return Err(CanonError::TooDeep(out.len()));
        }
        match self {
            Self::Bool(b) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
            Self::Int(n) => {
                if n.unsigned_abs() > MAX_INT.unsigned_abs() {
                    return Err(CanonError::BigInteger(out.len()));
                }
                out.extend_from_slice(n.to_string().as_bytes());
            }
            Self::Text(text) => write_text(text, out),
            Self::List(list) => {
                out.push(b'[');
                for (i, value) in list.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    value.write(out, depth + 1)?;
                }
                out.push(b']');
            }
            Self::Map(map) => {
                out.push(b'{');
                for (i, (key, value)) in map.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    if !is_key(key) {
                        return Err(CanonError::Key(out.len()));
                    }
                    write_text(key, out);
                    out.push(b':');
                    value.write(out, depth + 1)?;
                }
                out.push(b'}');
            }
        }
        Ok(())
    }
}

impl fmt::Display for Canon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_bytes_unbounded() {
            Ok(bytes) => f.write_str(&String::from_utf8_lossy(&bytes)),
            Err(_) => f.write_str("(a value that has no canonical writing)"),
        }
    }
}

fn is_key(key: &str) -> bool {
    key.bytes().all(|b| (0x20..0x7f).contains(&b))
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in text.as_bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x09 => out.extend_from_slice(b"\\t"),
            0x0a => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            0x0d => out.extend_from_slice(b"\\r"),
            0..=0x1f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn expect(&mut self, word: &'static str) -> Result<(), CanonError> {
        if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(())
        } else {
            Err(CanonError::Syntax(self.at, "another character was expected"))
        }
    }

    fn value(&mut self, depth: usize) -> Result<Canon, CanonError> {
        if depth > MAX_DEPTH {
            return Err(CanonError::TooDeep(self.at));
        }
        match self.peek() {
            Some(b't') => self.expect("true").map(|()| Canon::Bool(true)),
            Some(b'f') => self.expect("false").map(|()| Canon::Bool(false)),
            Some(b'-' | b'0'..=b'9') => self.integer(),
            Some(b'"') => self.string().map(Canon::Text),
            Some(b'[') => self.list(depth),
            Some(b'{') => self.map(depth),
            Some(_) => Err(CanonError::Syntax(self.at, "no value starts so")),
            None => Err(CanonError::Syntax(self.at, "a value is missing")),
        }
    }

    fn integer(&mut self) -> Result<Canon, CanonError> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        if matches!(self.peek(), Some(b'.' | b'e' | b'E')) {
            return Err(CanonError::Syntax(self.at, "a float"));
        }
        match self.text[start..self.at].parse::<i64>() {
            Ok(n) if n.unsigned_abs() <= MAX_INT.unsigned_abs() => Ok(Canon::Int(n)),
            Ok(_) => Err(CanonError::BigInteger(start)),
            Err(_) if self.at - start > 18 => Err(CanonError::BigInteger(start)),
            Err(_) => Err(CanonError::Syntax(start, "no integer")),
        }
    }

    fn string(&mut self) -> Result<String, CanonError> {
        self.expect("\"")?;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest
                .bytes()
                .position(|b| b == b'"' || b == b'\\' || b < 0x20)
                .ok_or(CanonError::Syntax(self.text.len(), "a text without end"))?;
            out.push_str(&rest[..plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    self.at += 1;
                    out.push(self.escape()?);
                }
                _ => return Err(CanonError::Syntax(self.at, "a bare control character")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, CanonError> {
        let bad = CanonError::Syntax(self.at, "an escape that canonical JSON does not use");
        let letter = self.peek().ok_or_else(|| bad.clone())?;
        self.at += 1;
        Ok(match letter {
            b'"' => '"',
            b'\\' => '\\',
            b'b' => '\u{8}',
            b't' => '\t',
            b'n' => '\n',
            b'f' => '\u{c}',
            b'r' => '\r',
            b'u' => {
                let digits = self.text.get(self.at..self.at + 4).ok_or_else(|| bad.clone())?;
                let code =
                    u8::from_str_radix(digits.strip_prefix("00").ok_or_else(|| bad.clone())?, 16)
                        .map_err(|_| bad)?;
                self.at += 4;
                char::from(code)
            }
            _ => return Err(bad),
        })
    }

    fn list(&mut self, depth: usize) -> Result<Canon, CanonError> {
        self.expect("[")?;
        let mut list = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Canon::List(list));
        }
        loop {
            list.push(self.value(depth + 1)?);
            if self.peek() == Some(b']') {
                self.at += 1;
                return Ok(Canon::List(list));
            }
            self.expect(",")?;
        }
    }

    fn map(&mut self, depth: usize) -> Result<Canon, CanonError> {
        self.expect("{")?;
        let mut map = BTreeMap::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Canon::Map(map));
        }
        loop {
            let start = self.at;
            let key = self.string()?;
            if !is_key(&key) {
                return Err(CanonError::Key(start));
            }
            self.expect(":")?;
            let value = self.value(depth + 1)?;
            if map.insert(key, value).is_some() {
                return Err(CanonError::NotCanonical(start));
            }
            if self.peek() == Some(b'}') {
                self.at += 1;
                return Ok(Canon::Map(map));
            }
            self.expect(",")?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_value_has_one_writing() {
        for text in [
            "true",
            "0",
            "-1",
            "9007199254740991",
            r#""""#,
            r#""\u0000\b\t\n\f\r\u001f\"\\/é €😀""#,
            "[]",
            "{}",
            r#"{"A":1,"a":[true,false,{"b":"c"}]}"#,
        ] {
            let value = Canon::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(value.to_bytes().unwrap(), text.as_bytes());
        }
    }

    #[test]
    fn every_other_writing_is_refused() {
        for text in [
            "",
            " 1",
            "1 ",
            "null",
            "1.0",
            "1e3",
            "-0",
            "01",
            "-",
            "+1",
            "9007199254740992",
            "-9007199254740992",
            "99999999999999999999",
            "nul",
            "tru",
            "\"",
            "\"\\/\"",
            "\"\\u0041\"",
            "\"\\u001F\"",
            "\"\\u0008\"",
            "\"\\ud83d\\ude00\"",
            "\"\\u00+1\"",
            "\"\t\"",
            "[1,]",
            "[1 ,2]",
            "[",
            "{",
            r#"{"a":1,"a":1}"#,
            r#"{"b":1,"a":1}"#,
            r#"{"é":1}"#,
            r#"{"a" :1}"#,
            r#"{a:1}"#,
            "'a'",
            "1 1",
            "[1]]",
            "\u{feff}1",
            "{\"a\\n\":1}",
            "\"\\u00é\"",
        ] {
            assert!(Canon::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Canon::parse(b"\"\xff\"").is_err());
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(Canon::parse(deep(MAX_DEPTH + 1).as_bytes()).is_ok());
        assert!(Canon::parse(deep(MAX_DEPTH + 2).as_bytes()).is_err());
        let long = format!("\"{}\"", "x".repeat(MAX_LEN - 2));
        assert!(Canon::parse(long.as_bytes()).is_ok());
        assert!(Canon::parse(format!("[{long}]").as_bytes()).is_err());
    }

    #[test]
    fn great_integers_and_odd_bytes_read_back() {
        for n in [0, 1, -1, i128::from(MAX_INT), i128::from(MAX_INT) + 1, i128::from(u64::MAX)] {
            let text = Canon::int(n).to_bytes().unwrap();
            assert_eq!(Canon::parse(&text).unwrap().as_int(), Some(n));
        }
        assert_eq!(Canon::text("12").as_int(), None);
        for bytes in [&b"a/b"[..], b"\xff\xfe", b""] {
            assert_eq!(Canon::bytes(bytes).as_bytes().as_deref(), Some(bytes));
        }
    }

    fn any_canon() -> impl Strategy<Value = Canon> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Canon::Bool),
            any::<i64>().prop_map(|n| Canon::int(i128::from(n))),
            any::<String>().prop_map(Canon::Text),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Canon::List),
                prop::collection::btree_map("[ -~]{0,8}", inner, 0..6).prop_map(Canon::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in any_canon()) {
            let bytes = value.to_bytes().unwrap();
            prop_assert_eq!(Canon::parse(&bytes), Ok(value));
        }

        /// Whatever is accepted is the one writing of what was read; nothing panics.
        #[test]
        fn mutations_are_refused_or_are_canonical(value in any_canon(), at in any::<prop::sample::Index>(), byte: u8, cut: bool) {
            let mut bytes = value.to_bytes().unwrap();
            let at = at.index(bytes.len());
            if cut { bytes.truncate(at) } else { bytes[at] = byte }
            if let Ok(read) = Canon::parse(&bytes) {
                prop_assert_eq!(read.to_bytes().unwrap(), bytes);
            }
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Canon::parse(&bytes);
        }
    }
}
