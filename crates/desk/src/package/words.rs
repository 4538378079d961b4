//! What is to go into a package, in the words of `--select` and `--redact`.

use std::collections::BTreeMap;
use std::ops::Range;

use model::ExhibitId;

/// Most words of one call.
pub const MAX_WORDS: usize = 10_000;

/// A field that stays hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HiddenField {
    /// Of the records of this kind alone.
    pub kind: Option<String>,
    /// Of this record alone.
    pub record: Option<u64>,
    /// The field.
    pub field: String,
}

/// What is selected, and what of it stays hidden.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Everything that is not withheld.
    pub all: bool,
    /// Exhibits; of these only the bytes in the ranges, where there are any.
    pub exhibits: BTreeMap<ExhibitId, Vec<Range<u64>>>,
    /// Records.
    pub records: Vec<Range<u64>>,
    /// Exhibits that are left out, or of which the bytes in the ranges are.
    pub out: BTreeMap<ExhibitId, Vec<Range<u64>>>,
    /// Fields that stay hidden.
    pub fields: Vec<HiddenField>,
}

fn exhibit(rest: &str) -> Result<(ExhibitId, Option<Range<u64>>), String> {
    let (id, bytes) = match rest.split_once(':') {
        Some((id, bytes)) => (id, Some(bytes)),
        None => (rest, None),
    };
    let id = id.parse().map_err(|e| format!("{id:?} is no exhibit's id ({e})"))?;
    let Some(bytes) = bytes else { return Ok((id, None)) };
    let range =
        bytes.split_once('-').and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    match range.filter(|range: &Range<u64>| range.start < range.end) {
        Some(range) => Ok((id, Some(range))),
        None => Err(format!("{bytes:?} is no range of bytes: FROM-TO, without the last")),
    }
}

fn add(map: &mut BTreeMap<ExhibitId, Vec<Range<u64>>>, id: ExhibitId, range: Option<Range<u64>>) {
    match range {
        // Whole is more than any part.
        None => {
            map.insert(id, Vec::new());
        }
        Some(range) => match map.get_mut(&id) {
            None => {
                map.insert(id, vec![range]);
            }
            Some(ranges) if ranges.is_empty() => {}
            Some(ranges) => ranges.push(range),
        },
    }
}

impl Selection {
    /// Reads the words; without any `select` it is `all`.
    ///
    /// # Errors
    /// The first word that is none, in a message for whoever wrote it.
    pub fn parse(select: &[String], redact: &[String]) -> Result<Self, String> {
        if select.len() + redact.len() > MAX_WORDS {
            return Err(format!("more than {MAX_WORDS} selections"));
        }
        let mut out = Self { all: select.is_empty(), ..Self::default() };
        for word in select {
            match word.split_once(':') {
                None if word == "all" => out.all = true,
                Some(("exhibit", rest)) => {
                    let (id, range) = exhibit(rest)?;
                    add(&mut out.exhibits, id, range);
                }
                Some(("record", rest)) => {
                    let (first, last) = rest.split_once('-').unwrap_or((rest, rest));
                    let range = first.parse().ok().zip(last.parse::<u64>().ok());
                    match range.filter(|(first, last)| first <= last && *last < u64::MAX) {
                        Some((first, last)) => out.records.push(first..last + 1),
                        None => return Err(format!("{rest:?} is no record: N, or N-M")),
                    }
                }
                _ => {
                    return Err(format!(
                        "{word:?} selects nothing: all, exhibit:HASH, exhibit:HASH:FROM-TO, record:N \
                         or record:N-M"
                    ));
                }
            }
        }
        for word in redact {
            if let Some(rest) = word.strip_prefix("exhibit:") {
                let (id, range) = exhibit(rest)?;
                add(&mut out.out, id, range);
                continue;
            }
            out.fields.push(field(word)?);
        }
        Ok(out)
    }
}

fn field(word: &str) -> Result<HiddenField, String> {
    let bad = || {
        format!(
            "{word:?} redacts nothing: FIELD, KIND.FIELD, record:N.FIELD, exhibit:HASH or \
             exhibit:HASH:FROM-TO"
        )
    };
    let is_field =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if let Some((number, field)) = word.strip_prefix("record:").and_then(|w| w.split_once('.')) {
        let record = number.parse().map_err(|_| bad())?;
        let hidden = HiddenField { kind: None, record: Some(record), field: field.to_owned() };
        return if is_field(field) { Ok(hidden) } else { Err(bad()) };
    }
    let (kind, field) = match word.rsplit_once('.') {
        Some((kind, field)) => (Some(kind), field),
        None => (None, word),
    };
    if !is_field(field) || kind.is_some_and(|kind| model::record::def(kind).is_none()) {
        return Err(bad());
    }
    Ok(HiddenField { kind: kind.map(str::to_owned), record: None, field: field.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(|w| (*w).to_owned()).collect()
    }

    #[test]
    fn words_are_read_and_wrong_ones_named() {
        let id = ExhibitId([7; 32]);
        let select =
            words(&[&format!("exhibit:{id}:10-20"), &format!("exhibit:{id}:5-6"), "record:3-4"]);
        let redact = words(&["actor", "exhibit.sealed.source", "record:7.reason"]);
        let read = Selection::parse(&select, &redact).unwrap();
        assert!(!read.all);
        assert_eq!(read.exhibits[&id], [10..20, 5..6]);
        assert_eq!(read.records, [Range { start: 3, end: 5 }]);
        assert_eq!(read.fields[1].kind.as_deref(), Some("exhibit.sealed"));
        assert_eq!((read.fields[2].record, read.fields[2].field.as_str()), (Some(7), "reason"));
        let whole = Selection::parse(&words(&[&format!("exhibit:{id}")]), &[]).unwrap();
        assert!(whole.exhibits[&id].is_empty());
        assert!(Selection::parse(&[], &[]).unwrap().all);
        for bad in ["some", "exhibit:7", "record:x", "record:4-3", &format!("exhibit:{id}:9-9")] {
            assert!(Selection::parse(&words(&[bad]), &[]).is_err(), "{bad}");
        }
        for bad in ["", "a.b", "record:7", "exhibit:7", "Actor", "exhibit.sealed."] {
            assert!(Selection::parse(&[], &words(&[bad])).is_err(), "{bad}");
        }
    }
}
