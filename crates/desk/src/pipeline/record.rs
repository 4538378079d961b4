//! Facts and problems as bytes: for the work file and for the run's digest alike.
//!
//! A fact: subject, property, the value's tag (one byte), its text, its number (zig-zag), start,
//! length. A problem: start, length, kind, message, whether bytes were lost. Numbers are LEB128,
//! texts have their length before them.

use std::io::Read;

use model::{Fact, Problem, Value};

use super::spill::{Taker, put, put_text};
use crate::Result;

/// The tags of values in views and digests are numbers: text, int, bool, time, money, key, secret.
/// This is `text`.
pub(crate) const TAG_TEXT: u8 = 0;
/// The tag `int`.
pub(crate) const TAG_INT: u8 = 1;
/// The tag `bool`.
pub(crate) const TAG_BOOL: u8 = 2;
/// The tag `time`.
pub(crate) const TAG_TIME: u8 = 3;
/// The tag `money`.
pub(crate) const TAG_MONEY: u8 = 4;
/// The tag `key`.
pub(crate) const TAG_KEY: u8 = 5;
/// The tag `secret`.
pub(crate) const TAG_SECRET: u8 = 6;

/// A fact as views hold it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FactRecord {
    pub(crate) subject: String,
    pub(crate) property: String,
    pub(crate) tag: u8,
    /// The value's text; empty for integers, truth values and secrets.
    pub(crate) text: String,
    /// For sorting and arithmetic: the integer, 0 or 1, UTC milliseconds, minor units.
    pub(crate) number: i64,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

fn zigzag(n: i64) -> u64 {
    ((n << 1) ^ (n >> 63)) as u64
}

fn unzigzag(n: u64) -> i64 {
    (n >> 1) as i64 ^ -((n & 1) as i64)
}

/// Appends a fact.
pub(crate) fn put_fact(out: &mut Vec<u8>, fact: &Fact) {
    put_text(out, fact.subject.as_str());
    put_text(out, fact.property);
    match &fact.value {
        Value::Text(text) => put_value(out, TAG_TEXT, text, 0),
        Value::Int(n) => put_value(out, TAG_INT, "", *n),
        Value::Bool(b) => put_value(out, TAG_BOOL, "", i64::from(*b)),
        Value::Time(t) => put_value(out, TAG_TIME, &t.to_string(), t.utc_ms()),
        Value::Money(m) => put_value(out, TAG_MONEY, m.currency.as_str(), m.minor),
        Value::Key(k) => put_value(out, TAG_KEY, k.as_str(), 0),
        Value::Secret => put_value(out, TAG_SECRET, "", 0),
    }
    put(out, fact.start);
    put(out, fact.end.saturating_sub(fact.start));
}

fn put_value(out: &mut Vec<u8>, tag: u8, text: &str, number: i64) {
    out.push(tag);
    put_text(out, text);
    put(out, zigzag(number));
}

/// Appends a fact that was read back from views.
pub(crate) fn put_fact_record(out: &mut Vec<u8>, fact: &FactRecord) {
    put_text(out, &fact.subject);
    put_text(out, &fact.property);
    put_value(out, fact.tag, &fact.text, fact.number);
    put(out, fact.start);
    put(out, fact.end.saturating_sub(fact.start));
}

/// Reads the next fact into `fact`; false at the end.
pub(crate) fn take_fact<R: Read>(from: &mut Taker<R>, fact: &mut FactRecord) -> Result<bool> {
    if !from.text(&mut fact.subject)? || !from.text(&mut fact.property)? {
        return Ok(false);
    }
    fact.tag = from.byte()?.unwrap_or(0);
    from.text(&mut fact.text)?;
    fact.number = unzigzag(from.number()?.unwrap_or(0));
    fact.start = from.number()?.unwrap_or(0);
    fact.end = fact.start + from.number()?.unwrap_or(0);
    Ok(true)
}

/// Appends a problem.
pub(crate) fn put_problem(out: &mut Vec<u8>, problem: &Problem) {
    put_problem_parts(
        out,
        problem.start,
        problem.end,
        problem.kind.as_str(),
        &problem.message,
        problem.lost,
    );
}

/// Appends a problem that was read back from views.
pub(crate) fn put_problem_parts(
    out: &mut Vec<u8>,
    start: u64,
    end: u64,
    kind: &str,
    message: &str,
    lost: bool,
) {
    put(out, start);
    put(out, end.saturating_sub(start));
    put_text(out, kind);
    put_text(out, message);
    out.push(u8::from(lost));
}

/// A problem as views hold it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ProblemRecord {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) kind: String,
    pub(crate) message: String,
    pub(crate) lost: bool,
}

/// Reads the next problem; false at the end.
pub(crate) fn take_problem<R: Read>(
    from: &mut Taker<R>,
    problem: &mut ProblemRecord,
) -> Result<bool> {
    let Some(start) = from.number()? else { return Ok(false) };
    problem.start = start;
    problem.end = start + from.number()?.unwrap_or(0);
    from.text(&mut problem.kind)?;
    from.text(&mut problem.message)?;
    problem.lost = from.byte()? == Some(1);
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Key, ProblemKind, Stamp};

    #[test]
    fn facts_and_problems_read_back() {
        let subject = Key::domain("a.example").unwrap();
        let fact =
            |value| Fact { subject: subject.clone(), property: "note", value, start: 3, end: 900 };
        let mut bytes = Vec::new();
        let values = [
            Value::Text("é\u{0}".into()),
            Value::Int(-5),
            Value::Bool(true),
            Value::Time(Stamp::unix_seconds(-1)),
            Value::Money(model::Money { minor: i64::MIN, currency: "EUR".parse().unwrap() }),
            Value::Key(subject.clone()),
            Value::Secret,
        ];
        for value in &values {
            put_fact(&mut bytes, &fact(value.clone()));
        }
        let mut taker = Taker::new(bytes.as_slice());
        let mut again = Vec::new();
        let mut record = FactRecord::default();
        for value in &values {
            assert!(take_fact(&mut taker, &mut record).unwrap());
            let tags = ["text", "int", "bool", "time", "money", "key", "secret"];
            assert_eq!(tags[usize::from(record.tag)], value.tag());
            put_fact_record(&mut again, &record);
        }
        assert!(!take_fact(&mut taker, &mut record).unwrap());
        assert_eq!(again, bytes);

        let problem = Problem {
            start: 1,
            end: 1 << 40,
            kind: ProblemKind::Bound,
            message: "m".into(),
            lost: true,
        };
        let mut bytes = Vec::new();
        put_problem(&mut bytes, &problem);
        let mut taker = Taker::new(bytes.as_slice());
        let mut record = ProblemRecord::default();
        assert!(take_problem(&mut taker, &mut record).unwrap());
        assert_eq!((record.end, record.lost), (1 << 40, true));
        assert!(!take_problem(&mut taker, &mut record).unwrap());
    }
}
