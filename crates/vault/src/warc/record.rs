//! A record, and what WARC 1.0 and 1.1 ask of its header.

use model::ProblemKind;

use super::fields::{Field, get};
use super::{Flaw, Format, Http};

/// What a record is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// What describes a WARC file.
    Warcinfo,
    /// What describes an ARC file.
    ArcHeader,
    /// What a server answered.
    Response,
    /// Something that was fetched without a protocol's header.
    Resource,
    /// What was asked.
    Request,
    /// Words about another record.
    Metadata,
    /// An answer that another record holds already.
    Revisit,
    /// Another record's content in another form.
    Conversion,
    /// A further segment of another record.
    Continuation,
    /// A type that the standard does not name; empty where none is stated.
    Other(String),
}

impl Kind {
    pub(super) fn of(text: &str) -> Self {
        match text {
            "warcinfo" => Self::Warcinfo,
            "response" => Self::Response,
            "resource" => Self::Resource,
            "request" => Self::Request,
            "metadata" => Self::Metadata,
            "revisit" => Self::Revisit,
            "conversion" => Self::Conversion,
            "continuation" => Self::Continuation,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Its name, as `WARC-Type` has it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Warcinfo => "warcinfo",
            Self::ArcHeader => "arc_header",
            Self::Response => "response",
            Self::Resource => "resource",
            Self::Request => "request",
            Self::Metadata => "metadata",
            Self::Revisit => "revisit",
            Self::Conversion => "conversion",
            Self::Continuation => "continuation",
            Self::Other(text) => text,
        }
    }
}

/// A record's header, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Of which family.
    pub format: Format,
    /// As stated: `1.0`, `1.1`; of ARC `1` or `2`.
    pub version: String,
    /// The file's byte where it begins; in gzip, where its member does.
    pub offset: u64,
    /// False where it stands inside a gzip member, so that `offset` alone does not lead to it.
    pub alone: bool,
    /// Where it begins in the stream of records: the file itself, or what comes out of gzip.
    pub start: u64,
    /// Where its block begins in that stream.
    pub block: u64,
    /// What it is.
    pub kind: Kind,
    /// `WARC-Target-URI`: without angle brackets, a space as `%20`. Of ARC: the URL.
    pub uri: Option<String>,
    /// When it was made, as written.
    pub date: Option<String>,
    /// `WARC-Record-ID`, as written.
    pub id: Option<String>,
    /// The block's media type.
    pub content_type: Option<String>,
    /// How long its block is, where that is stated so that it can be used.
    pub length: Option<u64>,
    /// `WARC-Payload-Digest`, as written.
    pub payload_digest: Option<String>,
    /// `WARC-Block-Digest`, as written.
    pub block_digest: Option<String>,
    /// All fields.
    pub fields: Vec<Field>,
    /// The HTTP message that its block is.
    pub http: Option<Http>,
}

impl Record {
    /// The first field of a name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        get(&self.fields, name)
    }
}

/// What the standard asks of a header, in the order of its bytes; what is missing comes first.
pub(super) fn check(version: &str, start: u64, fields: &[Field], flaws: &mut Vec<Flaw>) {
    let missing = |name: &str| Flaw {
        field: Some(name.to_owned()),
        ..Flaw::new(start, start, ProblemKind::Syntax, "the record does not state it")
    };
    for name in ["WARC-Type", "WARC-Record-ID", "WARC-Date", "Content-Length"] {
        if get(fields, name).is_none() {
            flaws.push(missing(name));
        }
    }
    let kind = get(fields, "WARC-Type").map(|f| Kind::of(&f.value));
    let uri = get(fields, "WARC-Target-URI");
    match kind {
        Some(
            Kind::Response
            | Kind::Resource
            | Kind::Request
            | Kind::Revisit
            | Kind::Conversion
            | Kind::Continuation,
        ) if uri.is_none() => flaws.push(missing("WARC-Target-URI")),
        Some(Kind::Warcinfo) => flaws.extend(
            uri.map(|f| Flaw::of(f, ProblemKind::Conflict, "a warcinfo record must not have it")),
        ),
        _ => {}
    }
    for (i, field) in fields.iter().enumerate() {
        if let Some(flaw) = fault_of(version, field) {
            flaws.push(flaw);
        }
        let same = |f: &Field| f.name.eq_ignore_ascii_case(&field.name);
        if !field.name.eq_ignore_ascii_case("WARC-Concurrent-To") && fields[..i].iter().any(same) {
            let message = "stated twice: the first holds";
            flaws.push(Flaw::of(field, ProblemKind::Conflict, message));
        }
    }
}

fn fault_of(version: &str, field: &Field) -> Option<Flaw> {
    let value = field.value.as_str();
    let (kind, message) = match field.name.to_ascii_lowercase().as_str() {
        "warc-date" if !is_date(value, version) => (ProblemKind::Type, "not a date of WARC's form"),
        "warc-record-id" if !is_bracketed_uri(value) => {
            (ProblemKind::Syntax, "not a URI in angle brackets")
        }
        "warc-target-uri" => {
            // WARC 1.0's grammar has the brackets, though its examples do not; 1.1 took them away.
            let bare = bare(value);
            if version == "1.1" && bare.len() < value.len() {
                (ProblemKind::Syntax, "a URI in angle brackets")
            } else if bare.contains(' ') {
                (ProblemKind::Syntax, "a space in a URI")
            } else if !is_uri(bare) {
                (ProblemKind::Syntax, "not a URI")
            } else {
                return None;
            }
        }
        _ => return None,
    };
    Some(Flaw::of(field, kind, message))
}

fn bare(uri: &str) -> &str {
    uri.strip_prefix('<').and_then(|u| u.strip_suffix('>')).unwrap_or(uri)
}

/// A target URI as it is meant.
pub(super) fn target(value: &str) -> String {
    bare(value).replace(' ', "%20")
}

fn is_bracketed_uri(value: &str) -> bool {
    bare(value).len() < value.len() && is_uri(bare(value)) && !value.contains(' ')
}

/// A scheme and a colon, and no control character. What servers accept goes far beyond RFC 3986.
fn is_uri(value: &str) -> bool {
    let Some((scheme, _)) = value.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        && !value.contains(|c: char| c.is_control())
}

/// `2017-03-06T04:02:06Z`; in 1.1 also shorter, or with up to nine digits behind the second.
fn is_date(text: &str, version: &str) -> bool {
    let bytes = text.as_bytes();
    let form: Vec<u8> = bytes.iter().map(|b| if b.is_ascii_digit() { b'd' } else { *b }).collect();
    let whole: &[u8] = b"dddd-dd-ddTdd:dd:dd";
    let fits = match form.strip_suffix(b"Z") {
        Some(rest) if rest == whole => true,
        Some(rest) if version == "1.1" => {
            let fraction = rest.strip_prefix(whole).and_then(|f| f.strip_prefix(b"."));
            rest == &whole[..16]
                || fraction
                    .is_some_and(|f| (1..=9).contains(&f.len()) && f.iter().all(|b| *b == b'd'))
        }
        Some(_) => false,
        None => version == "1.1" && [4, 7, 10].iter().any(|n| form == whole[..*n]),
    };
    let digits: String = text.chars().take(19).filter(char::is_ascii_digit).collect();
    fits && in_calendar(&digits)
}

/// `20170306040206`.
pub(super) fn is_stamp(text: &str) -> bool {
    text.len() == 14 && text.bytes().all(|b| b.is_ascii_digit()) && in_calendar(text)
}

/// Digits of a year, and of what follows it as far as it is there.
fn in_calendar(digits: &str) -> bool {
    let part = |from: usize, len: usize, least: u32| -> u32 {
        digits.get(from..from + len).map_or(Some(least), |d| d.parse().ok()).unwrap_or(u32::MAX)
    };
    let (year, month, day) = (part(0, 4, 0), part(4, 2, 1), part(6, 2, 1));
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    // 60 is a leap second.
    (1..=days).contains(&day) && part(8, 2, 0) < 24 && part(10, 2, 0) < 60 && part(12, 2, 0) <= 60
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (text, in_1_0, in_1_1) in [
            ("2017-03-06T04:02:06Z", true, true),
            ("2016-02-29T23:59:60Z", true, true),
            ("2017-02-29T04:02:06Z", false, false),
            ("2017-03-06T24:02:06Z", false, false),
            ("2017-03-06T04:02:06.123456789Z", false, true),
            ("2017-03-06T04:02:06.Z", false, false),
            ("2017-03-06T04:02:06.1234567890Z", false, false),
            ("2017-03-06T04:02Z", false, true),
            ("2017-13", false, false),
            ("2017-12", false, true),
            ("2017", false, true),
            ("", false, false),
            ("2017-03-06 04:02:06", false, false),
        ] {
            assert_eq!((is_date(text, "1.0"), is_date(text, "1.1")), (in_1_0, in_1_1), "{text}");
        }
        assert!(is_stamp("20140216050221") && !is_stamp("201404010000000000"));
        assert!(!is_stamp("20141316050221"));
    }

    #[test]
    fn uris() {
        assert_eq!(target("<http://a.example/x y>"), "http://a.example/x%20y");
        assert_eq!((target("<"), target("<>")), ("<".to_owned(), String::new()));
        assert!(is_uri("urn:x") && is_uri("http://é.example/") && !is_uri("x") && !is_uri(":x"));
        assert!(is_bracketed_uri("<urn:uuid:1>") && !is_bracketed_uri("urn:uuid:1"));
    }
}
