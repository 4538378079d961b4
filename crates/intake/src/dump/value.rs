//! One value of a tuple: where it stands, and what it says.

use std::borrow::Cow;

use super::scan::find2;

/// The encoding of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charset {
    Utf8,
    /// MySQL's latin1: windows-1252, its five holes being C1 controls.
    Latin1,
    /// No text: bytes.
    Binary,
}

impl Charset {
    /// By MySQL's name. `None` for those that are not read.
    pub(crate) fn named(name: &[u8]) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        match lower.as_slice() {
            b"utf8" | b"utf8mb3" | b"utf8mb4" | b"ascii" => Some(Self::Utf8),
            b"latin1" => Some(Self::Latin1),
            b"binary" => Some(Self::Binary),
            _ => None,
        }
    }
}

/// How statements are to be read: what `SET` said so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mode {
    /// Backslashes escape inside quotes.
    pub(crate) backslash: bool,
    /// Double quotes hold names.
    pub(crate) ansi_quotes: bool,
    /// The connection's encoding.
    pub(crate) charset: Charset,
}

impl Default for Mode {
    fn default() -> Self {
        Self { backslash: true, ansi_quotes: false, charset: Charset::Utf8 }
    }
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Null,
    /// A number, `TRUE`, `FALSE`, `CURRENT_TIMESTAMP`.
    Bare,
    /// In quotes (this one), perhaps with escapes.
    Quoted(u8),
    /// `0x…`, the span includes the prefix.
    Hex,
    /// Digits of `x'…'`.
    HexDigits,
    /// Digits of `b'…'` or `0b…`.
    Bits,
    /// Anything else: an expression, kept as it is written.
    Expression,
}

/// A value of a tuple.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) form: Form,
    /// First byte of the value without its quotes.
    pub(crate) start: usize,
    /// One past its last byte.
    pub(crate) end: usize,
    /// The encoding its introducer states.
    pub(crate) charset: Option<Charset>,
    /// Where the `,` or `)` behind it stands.
    pub(crate) next: usize,
}

/// Skips white space, comments and the marks of conditional comments.
pub(crate) fn skip_space(b: &[u8], mut i: usize) -> usize {
    while i < b.len() {
        match b[i] {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => i += 1,
            b'-' if b[i..].starts_with(b"--") && b.get(i + 2).is_none_or(|c| *c <= b' ') => {
                i = line_end(b, i)
            }
            b'#' => i = line_end(b, i),
            b'*' if b[i..].starts_with(b"*/") => i += 2,
            b'/' if b[i..].starts_with(b"/*") => {
                let mark = if b[i..].starts_with(b"/*M!") { 4 } else { 3 };
                let code = mark == 4 || b.get(i + 2) == Some(&b'!');
                let digits = b[(i + mark).min(b.len())..]
                    .iter()
                    .take(7)
                    .take_while(|d| d.is_ascii_digit())
                    .count();
                if code && !b[i + mark..].starts_with(b"999999") {
                    i += mark + digits;
                } else {
                    i = memchr::memmem::find(&b[i + 2..], b"*/").map_or(b.len(), |k| i + 2 + k + 2);
                }
            }
            _ => break,
        }
    }
    i
}

fn line_end(b: &[u8], i: usize) -> usize {
    memchr::memchr(b'\n', &b[i..]).map_or(b.len(), |k| i + k + 1)
}

/// The closing quote of a text whose first byte stands at `i`.
pub(crate) fn closing(b: &[u8], mut i: usize, quote: u8, backslash: bool) -> Option<usize> {
    loop {
        let k = if backslash { find2(b, i, quote, b'\\')? } else { find2(b, i, quote, quote)? };
        // An escape, or a quote that is doubled.
        if b[k] != quote || b.get(k + 1) == Some(&quote) {
            i = k + 2;
        } else {
            return Some(k);
        }
        if i > b.len() {
            return None;
        }
    }
}

/// Reads the value at `at` (white space before it is skipped). `None` where it does not end.
pub(crate) fn field(b: &[u8], at: usize, mode: Mode) -> Option<Field> {
    let i = skip_space(b, at);
    let mut f = literal(b, i, mode).unwrap_or(Field {
        form: Form::Expression,
        start: i,
        end: i,
        charset: None,
        next: i,
    });
    let end = skip_space(b, f.next);
    if matches!(b.get(end), Some(b',' | b')')) && f.next > i {
        f.next = end;
        return Some(f);
    }
    // An expression: to the comma or bracket at its own depth.
    let mut depth = 0usize;
    let mut k = i;
    let mut last = i;
    while k < b.len() {
        match b[k] {
            b',' if depth == 0 => break,
            b')' if depth == 0 => break,
            b')' => depth -= 1,
            b'(' => depth += 1,
            q @ (b'\'' | b'"' | b'`') => k = closing(b, k + 1, q, mode.backslash && q != b'`')?,
            _ => {}
        }
        if !b[k].is_ascii_whitespace() {
            last = k + 1;
        }
        k += 1;
    }
    if k == b.len() {
        return None;
    }
    let whole = Field { form: Form::Expression, start: i, end: last, charset: None, next: k };
    Some(simple_call(b, whole, mode).unwrap_or(whole))
}

/// `UNHEX('…')`, `CONVERT('…' USING …)`, `CAST('…' AS …)`, `CONV('…', 2, 10) + 0` and calls for the
/// present time are as good as literals.
fn simple_call(b: &[u8], whole: Field, mode: Mode) -> Option<Field> {
    let text = &b[whole.start..whole.end];
    let open = memchr::memchr(b'(', text)?;
    let name = text[..open].trim_ascii().to_ascii_lowercase();
    if matches!(name.as_slice(), b"current_timestamp" | b"now" | b"curdate" | b"curtime") {
        return Some(Field { form: Form::Bare, ..whole });
    }
    let inner = literal(b, skip_space(b, whole.start + open + 1), mode)?;
    if inner.next > whole.end {
        return None;
    }
    let rest = b[inner.next..whole.end].trim_ascii();
    match name.as_slice() {
        b"unhex" if rest == b")" => {
            Some(Field { form: Form::HexDigits, next: whole.next, ..inner })
        }
        b"conv" => {
            let compact: Vec<u8> =
                rest.iter().copied().filter(|c| !c.is_ascii_whitespace()).collect();
            (compact == b",2,10)+0" || compact == b",2,10)").then_some(Field {
                form: Form::Bits,
                next: whole.next,
                ..inner
            })
        }
        b"convert" | b"cast" => (rest.last() == Some(&b')')
            && memchr::memchr(b'(', rest).is_none())
        .then_some(Field { next: whole.next, ..inner }),
        _ => None,
    }
}

/// A literal at `i`; `next` is one past it.
fn literal(b: &[u8], i: usize, mode: Mode) -> Option<Field> {
    let first = *b.get(i)?;
    let quoted = |at: usize, form: fn(u8) -> Form, charset| {
        let q = *b.get(at)?;
        if q != b'\'' && (q != b'"' || mode.ansi_quotes) {
            return None;
        }
        let end = closing(b, at + 1, q, mode.backslash)?;
        Some(Field { form: form(q), start: at + 1, end, charset, next: end + 1 })
    };
    match first {
        b'\'' | b'"' => quoted(i, Form::Quoted, None),
        b'0' if b.get(i + 1) == Some(&b'x') => {
            let end = run(b, i + 2, u8::is_ascii_hexdigit);
            Some(Field { form: Form::Hex, start: i, end, charset: None, next: end })
        }
        b'0' if b.get(i + 1) == Some(&b'b') => {
            let end = run(b, i + 2, |c| matches!(c, b'0' | b'1'));
            Some(Field { form: Form::Bits, start: i + 2, end, charset: None, next: end })
        }
        b'x' | b'X' if b.get(i + 1) == Some(&b'\'') => quoted(i + 1, |_| Form::HexDigits, None),
        b'b' | b'B' if b.get(i + 1) == Some(&b'\'') => quoted(i + 1, |_| Form::Bits, None),
        b'n' | b'N' if b.get(i + 1) == Some(&b'\'') => {
            quoted(i + 1, Form::Quoted, Some(Charset::Utf8))
        }
        b'_' => {
            let end = run(b, i + 1, |c| c.is_ascii_alphanumeric());
            let charset = Charset::named(&b[i + 1..end])?;
            let at = skip_space(b, end);
            let inner = literal(b, at, mode)?;
            let fits =
                matches!(inner.form, Form::Quoted(_) | Form::Hex | Form::HexDigits | Form::Bits);
            (fits && inner.charset.is_none()).then_some(Field { charset: Some(charset), ..inner })
        }
        b'0'..=b'9' | b'-' | b'+' | b'.' => {
            let digits = usize::from(matches!(first, b'-' | b'+'));
            let mut end = run(b, i + digits, |c| c.is_ascii_digit() || *c == b'.');
            if end == i + digits {
                return None;
            }
            if matches!(b.get(end), Some(b'e' | b'E')) {
                let sign = usize::from(matches!(b.get(end + 1), Some(b'-' | b'+')));
                let stop = run(b, end + 1 + sign, u8::is_ascii_digit);
                if stop > end + 1 + sign {
                    end = stop;
                }
            }
            Some(Field { form: Form::Bare, start: i, end, charset: None, next: end })
        }
        _ => {
            let end = run(b, i, |c| c.is_ascii_alphanumeric() || *c == b'_');
            let form = match b[i..end].to_ascii_uppercase().as_slice() {
                b"NULL" => Form::Null,
                b"TRUE" | b"FALSE" | b"CURRENT_TIMESTAMP" => Form::Bare,
                _ => return None,
            };
            Some(Field { form, start: i, end, charset: None, next: end })
        }
    }
}

fn run(b: &[u8], i: usize, good: impl Fn(&u8) -> bool) -> usize {
    let i = i.min(b.len());
    i + b[i..].iter().take_while(|c| good(c)).count()
}

/// What a backslash and this byte stand for.
#[inline]
pub(crate) fn escaped(c: u8) -> u8 {
    match c {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'0' => 0,
        b'b' => 8,
        b'Z' => 0x1a,
        other => other,
    }
}

/// Appends the bytes that stand between quotes, escapes undone. Calls `f` with the offset in `raw`
/// of each piece, if a map is wanted.
pub(crate) fn unescape(
    raw: &[u8],
    quote: u8,
    backslash: bool,
    out: &mut Vec<u8>,
    mut map: Option<&mut Vec<u32>>,
) {
    let mut i = 0;
    while i < raw.len() {
        let found =
            if backslash { find2(raw, i, quote, b'\\') } else { find2(raw, i, quote, quote) };
        let k = found.unwrap_or(raw.len());
        out.extend_from_slice(&raw[i..k]);
        if let Some(map) = map.as_deref_mut() {
            map.extend((i..k).map(|n| u32::try_from(n).unwrap_or(u32::MAX)));
        }
        if k == raw.len() {
            break;
        }
        let b = if raw[k] == quote {
            quote
        } else {
            match raw.get(k + 1) {
                Some(c) => {
                    // `\%` and `\_` keep their backslash.
                    if matches!(c, b'%' | b'_') {
                        out.push(b'\\');
                        if let Some(map) = map.as_deref_mut() {
                            map.push(u32::try_from(k).unwrap_or(u32::MAX));
                        }
                    }
                    escaped(*c)
                }
                None => b'\\',
            }
        };
        out.push(b);
        if let Some(map) = map.as_deref_mut() {
            map.push(u32::try_from(k).unwrap_or(u32::MAX));
        }
        i = k + 2;
    }
}

/// The bytes a value stands for, before any decoding of text.
pub(crate) fn bytes<'a>(b: &'a [u8], f: &Field, mode: Mode) -> Cow<'a, [u8]> {
    let raw = &b[f.start..f.end];
    match f.form {
        Form::Null => Cow::Borrowed(&[]),
        Form::Bare | Form::Expression => Cow::Borrowed(raw),
        Form::Quoted(q) => {
            if find2(raw, 0, q, if mode.backslash { b'\\' } else { q }).is_none() {
                return Cow::Borrowed(raw);
            }
            let mut out = Vec::with_capacity(raw.len());
            unescape(raw, q, mode.backslash, &mut out, None);
            Cow::Owned(out)
        }
        Form::Hex => Cow::Owned(unhex(raw.get(2..).unwrap_or_default())),
        Form::HexDigits => Cow::Owned(unhex(raw)),
        Form::Bits => {
            let n = bits(raw).unwrap_or(0);
            let bytes = n.to_be_bytes();
            Cow::Owned(bytes[8 - raw.len().div_ceil(8).clamp(1, 8)..].to_vec())
        }
    }
}

/// Hexadecimal digits; an odd count has a zero before it; what is no digit counts as 0.
fn unhex(digits: &[u8]) -> Vec<u8> {
    let value = |d: u8| char::from(d).to_digit(16).and_then(|v| u8::try_from(v).ok()).unwrap_or(0);
    let (head, rest) = digits.split_at(digits.len() % 2);
    head.iter()
        .map(|d| value(*d))
        .chain(rest.chunks_exact(2).map(|p| value(p[0]) << 4 | value(p[1])))
        .collect()
}

/// Binary digits as a number, if there are 1 to 64 of them.
pub(crate) fn bits(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 64 || !digits.iter().all(|d| matches!(d, b'0' | b'1')) {
        return None;
    }
    Some(digits.iter().fold(0, |n, d| n << 1 | u64::from(d - b'0')))
}

/// Reads a decimal integer that is the whole of `text`.
#[inline]
pub(crate) fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if digits.is_empty() || digits.len() > 20 {
        return None;
    }
    let mut n = 0i128;
    for d in digits {
        if !d.is_ascii_digit() {
            return None;
        }
        n = n * 10 + i128::from(d - b'0');
    }
    i64::try_from(if negative { -n } else { n }).ok()
}

/// The integer a value stands for, in a column of integers.
pub(crate) fn as_integer(b: &[u8], f: &Field, mode: Mode) -> Option<i64> {
    match f.form {
        Form::Null | Form::Expression => None,
        Form::Bits => i64::try_from(bits(&b[f.start..f.end])?).ok(),
        Form::Hex | Form::HexDigits => big_endian(&bytes(b, f, mode)),
        Form::Quoted(_) if f.charset == Some(Charset::Binary) => {
            let raw = bytes(b, f, mode);
            integer(raw.trim_ascii()).or_else(|| big_endian(&raw))
        }
        Form::Quoted(_) => number(bytes(b, f, mode).trim_ascii()),
        Form::Bare => match &b[f.start..f.end] {
            t if t.eq_ignore_ascii_case(b"true") => Some(1),
            t if t.eq_ignore_ascii_case(b"false") => Some(0),
            t => number(t),
        },
    }
}

fn big_endian(raw: &[u8]) -> Option<i64> {
    if raw.is_empty() || raw.len() > 8 {
        return None;
    }
    i64::try_from(raw.iter().fold(0u64, |n, b| n << 8 | u64::from(*b))).ok()
}

/// An integer, also as `1e3` or `5.0`.
fn number(text: &[u8]) -> Option<i64> {
    if let Some(n) = integer(text) {
        return Some(n);
    }
    if !text.iter().any(|c| matches!(c, b'.' | b'e' | b'E')) {
        return None;
    }
    let n = real(text)?;
    // 2^53: up to here every integer has its own floating-point value.
    #[allow(clippy::cast_possible_truncation)]
    (n.fract() == 0.0 && n.abs() <= 9_007_199_254_740_992.0).then_some(n as i64)
}

/// A floating-point number that is the whole of `text`.
pub(crate) fn real(text: &[u8]) -> Option<f64> {
    if text.is_empty() || !text.iter().all(|c| c.is_ascii_digit() || b"+-.eE".contains(c)) {
        return None;
    }
    // Beyond what a double holds, its text reads as infinity: that is another value.
    std::str::from_utf8(text).ok()?.parse().ok().filter(|n: &f64| n.is_finite())
}

/// The floating-point number a value stands for.
pub(crate) fn as_real(b: &[u8], f: &Field, mode: Mode) -> Option<f64> {
    match f.form {
        Form::Bare => match &b[f.start..f.end] {
            t if t.eq_ignore_ascii_case(b"true") => Some(1.0),
            t if t.eq_ignore_ascii_case(b"false") => Some(0.0),
            t => real(t),
        },
        Form::Quoted(_) => real(bytes(b, f, mode).trim_ascii()),
        _ => None,
    }
}

/// Appends bytes of an encoding as UTF-8. False where something could not be decoded and U+FFFD
/// stands for it.
pub(crate) fn decode(raw: &[u8], charset: Charset, out: &mut Vec<u8>) -> bool {
    match charset {
        Charset::Latin1 => {
            for &b in raw {
                push_latin1(b, out);
            }
            true
        }
        Charset::Utf8 | Charset::Binary => match std::str::from_utf8(raw) {
            Ok(_) => {
                out.extend_from_slice(raw);
                true
            }
            Err(_) => {
                out.extend_from_slice(String::from_utf8_lossy(raw).as_bytes());
                false
            }
        },
    }
}

/// Appends a byte of windows-1252 as UTF-8 (the table of the WHATWG Encoding Standard).
pub(crate) fn push_latin1(b: u8, out: &mut Vec<u8>) {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    match b {
        0..0x80 => out.push(b),
        _ => {
            let c = if b < 0xa0 { HIGH[usize::from(b - 0x80)] } else { char::from(b) };
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> (Form, String) {
        let b = text.as_bytes();
        let mode = Mode::default();
        let f = field(b, 0, mode).unwrap();
        assert!(matches!(b[f.next], b',' | b')'), "{text}");
        (f.form, String::from_utf8_lossy(&bytes(b, &f, mode)).into_owned())
    }

    #[test]
    fn reads_every_form_of_literal() {
        for (text, form, value) in [
            ("NULL)", Form::Null, ""),
            (" -12.5e-3 ,", Form::Bare, "-12.5e-3"),
            ("'it''s \\'so\\'\\n\\\\',", Form::Quoted(b'\''), "it's 'so'\n\\"),
            ("\"a\"\"b\",", Form::Quoted(b'"'), "a\"b"),
            ("0x414243)", Form::Hex, "ABC"),
            ("x'4142')", Form::HexDigits, "AB"),
            ("_binary 'ab\\0')", Form::Quoted(b'\''), "ab\0"),
            ("_utf8mb4'é',", Form::Quoted(b'\''), "é"),
            ("_binary 0x41,", Form::Hex, "A"),
            ("N'x')", Form::Quoted(b'\''), "x"),
            ("UNHEX('4142'))", Form::HexDigits, "AB"),
            ("CONVERT('a,b)' USING utf8mb4),", Form::Quoted(b'\''), "a,b)"),
            ("CAST('a' AS JSON),", Form::Quoted(b'\''), "a"),
            ("current_timestamp(),", Form::Bare, "current_timestamp()"),
            ("1+2,", Form::Expression, "1+2"),
            ("'a' 'b',", Form::Expression, "'a' 'b'"),
            ("f('a)',(1)) ,", Form::Expression, "f('a)',(1))"),
        ] {
            assert_eq!(one(text), (form, value.to_owned()), "{text}");
        }
        assert_eq!(field(b"'abc", 0, Mode::default()), None);
        let f = field(b"CONV('101', 2, 10) + 0)", 0, Mode::default()).unwrap();
        assert_eq!(as_integer(b"CONV('101', 2, 10) + 0)", &f, Mode::default()), Some(5));
    }

    #[test]
    fn integers_come_in_many_clothes() {
        for (text, n) in [
            ("1e3,", Some(1000)),
            ("b'101',", Some(5)),
            ("'42',", Some(42)),
            ("0x1F,", Some(31)),
            ("TRUE,", Some(1)),
            ("9223372036854775807,", Some(i64::MAX)),
            ("9223372036854775808,", None),
            ("-9223372036854775808,", Some(i64::MIN)),
            ("'',", None),
            ("1.5,", None),
            ("_binary '\\0',", Some(0)),
        ] {
            let f = field(text.as_bytes(), 0, Mode::default()).unwrap();
            assert_eq!(as_integer(text.as_bytes(), &f, Mode::default()), n, "{text}");
        }
    }
}
