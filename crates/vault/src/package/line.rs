//! A record as a package discloses it: the entry, what is opened of it, the proof that it stands in
//! the log, and where its exhibit's bytes are.

use std::collections::BTreeMap;
use std::ops::Range;

use ledger::tree::Hash;
use model::Canon;
use model::record::{Opening, Record, RecordError, leaf_hash};

use crate::disclose::{MAX_RUNS, Part};
use crate::ggm::Node;

/// The longest line, in bytes.
pub const MAX_LINE: usize = 64 << 20;
/// The most hashes of a proof.
const MAX_HASHES: usize = 64;

/// Why a line is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Not canonical JSON, no record, no opening.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A member that is not what it must be.
    #[error("its member {0:?} is not as the format says")]
    Member(&'static str),
}

/// A record as it is disclosed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosed {
    /// Its index in the log.
    pub index: u64,
    /// Its bytes.
    pub entry: Vec<u8>,
    /// What is opened of it. Leaf secrets are there where the whole exhibit is disclosed.
    pub opening: Opening,
    /// From its leaf to the root of the package's checkpoint.
    pub proof: Vec<Hash>,
    /// The files that hold the exhibit's bytes: one where it is whole, one a run where it is a part.
    pub files: Vec<String>,
    /// What proves the parts of an exhibit that is not whole.
    pub part: Option<Part>,
    /// Of a stamped checkpoint: from its root to that of the package's checkpoint.
    pub consistency: Option<Vec<Hash>>,
}

fn hashes(list: &[Hash]) -> Canon {
    Canon::List(list.iter().map(|hash| Canon::text(model::id::hex(hash))).collect())
}

fn read_hashes(value: Option<Canon>, most: usize) -> Option<Vec<Hash>> {
    let Canon::List(list) = value? else { return None };
    let hash = |item: &Canon| model::id::unhex(item.as_text()?)?.try_into().ok();
    if list.len() <= most { list.iter().map(hash).collect() } else { None }
}

fn write_part(part: &Part) -> Canon {
    let runs = part.runs.iter().map(|r| Canon::List(vec![Canon::int(r.start), Canon::int(r.end)]));
    Canon::Map(BTreeMap::from([
        ("hidden".to_owned(), hashes(&part.hidden)),
        (
            "nodes".to_owned(),
            Canon::List(part.nodes.iter().map(|node| Canon::text(node.to_text())).collect()),
        ),
        ("runs".to_owned(), Canon::List(runs.collect())),
        ("size".to_owned(), Canon::int(part.size)),
    ]))
}

fn number(value: &Canon) -> Option<u64> {
    value.as_int()?.try_into().ok()
}

fn read_part(value: Canon) -> Option<Part> {
    let Canon::Map(mut map) = value else { return None };
    let hidden = read_hashes(map.remove("hidden"), MAX_RUNS * 64)?;
    let (Canon::List(nodes), Canon::List(runs)) = (map.remove("nodes")?, map.remove("runs")?)
    else {
        return None;
    };
    if runs.len() > MAX_RUNS {
        return None;
    }
    let nodes = nodes.iter().map(|node| Node::parse(node.as_text()?)).collect::<Option<_>>()?;
    let run = |run: &Canon| match run {
        Canon::List(ends) if ends.len() == 2 => {
            Some(Range { start: number(&ends[0])?, end: number(&ends[1])? })
        }
        _ => None,
    };
    let runs = runs.iter().map(run).collect::<Option<_>>()?;
    let size = number(&map.remove("size")?)?;
    map.is_empty().then_some(Part { size, runs, nodes, hidden })
}

impl Disclosed {
    /// One canonical line, without the line end.
    ///
    /// # Errors
    /// Bytes that are no text, or a value without a canonical writing.
    pub fn to_line(&self) -> Result<Vec<u8>, LineError> {
        let entry = std::str::from_utf8(&self.entry).map_err(|_| LineError::Member("entry"))?;
        let opening = self.opening.to_line().map_err(RecordError::from)?;
        let opening = Canon::parse_unbounded(&opening).map_err(RecordError::from)?;
        let mut map = BTreeMap::from([
            ("entry".to_owned(), Canon::text(entry)),
            ("index".to_owned(), Canon::int(self.index)),
            ("opening".to_owned(), opening),
            ("proof".to_owned(), hashes(&self.proof)),
        ]);
        if !self.files.is_empty() {
            let files = self.files.iter().map(|file| Canon::text(file.as_str())).collect();
            map.insert("files".to_owned(), Canon::List(files));
        }
        if let Some(part) = &self.part {
            map.insert("part".to_owned(), write_part(part));
        }
        if let Some(list) = &self.consistency {
            map.insert("consistency".to_owned(), hashes(list));
        }
        let line = Canon::Map(map).to_bytes_unbounded().map_err(RecordError::from)?;
        if line.len() < MAX_LINE { Ok(line) } else { Err(LineError::Member("opening")) }
    }

    /// Reads one line. What is read is written again the same.
    ///
    /// # Errors
    /// Whatever is not exactly a disclosed record.
    pub fn parse(line: &[u8]) -> Result<Self, LineError> {
        let bad = LineError::Member;
        let map = Canon::parse_unbounded(line).map_err(RecordError::from)?;
        let Canon::Map(mut map) = map else { return Err(bad("entry")) };
        let index = map.remove("index").as_ref().and_then(number).ok_or(bad("index"))?;
        let Some(Canon::Text(entry)) = map.remove("entry") else { return Err(bad("entry")) };
        let opening = map.remove("opening").ok_or(bad("opening"))?;
        let opening =
            Opening::parse_line(&opening.to_bytes_unbounded().map_err(RecordError::from)?)?;
        let proof = read_hashes(map.remove("proof"), MAX_HASHES).ok_or(bad("proof"))?;
        let files = match map.remove("files") {
            None => Vec::new(),
            Some(Canon::List(list)) if !list.is_empty() && list.len() <= MAX_RUNS => list
                .iter()
                .map(|file| file.as_text().map(str::to_owned))
                .collect::<Option<_>>()
                .ok_or(bad("files"))?,
            Some(_) => return Err(bad("files")),
        };
        let part = match map.remove("part") {
            None => None,
            Some(part) => Some(read_part(part).ok_or(bad("part"))?),
        };
        let consistency = match map.remove("consistency") {
            None => None,
            list => Some(read_hashes(list, MAX_HASHES).ok_or(bad("consistency"))?),
        };
        if !map.is_empty() {
            return Err(bad("another"));
        }
        let entry = entry.into_bytes();
        Ok(Self { index, entry, opening, proof, files, part, consistency })
    }

    /// The record, with what is opened checked against its commitments.
    ///
    /// # Errors
    /// No record; an opening of another one, or that does not fit.
    pub fn record(&self) -> Result<Record, RecordError> {
        let record = Record::parse(&self.entry)?;
        if self.opening.record != leaf_hash(&self.entry) {
            return Err(RecordError::OtherRecord);
        }
        record.check_opening(&self.opening)?;
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use model::record::{Envelope, PrivilegeMarked, write};
    use proptest::prelude::*;

    use super::*;

    fn made() -> Disclosed {
        let body = PrivilegeMarked { exhibit: model::ExhibitId([7; 32]), reason: "é".to_owned() };
        let envelope = Envelope {
            time_ms: 1_700_000_000_000,
            authority: "a.example".into(),
            actor: "x".into(),
        };
        let mut n = 0;
        let (entry, opening) = write(&body.into(), &envelope, &mut || {
            n += 1;
            [n; 32]
        })
        .unwrap();
        Disclosed {
            index: 7,
            entry,
            opening,
            proof: vec![[1; 32], [2; 32]],
            files: vec!["data/exhibits/000000000007/a".to_owned()],
            part: Some(Part {
                size: 9000,
                runs: vec![0..1, 2..3],
                nodes: vec![Node { depth: 40, index: 0, secret: [3; 32] }],
                hidden: vec![[4; 32]],
            }),
            consistency: Some(Vec::new()),
        }
    }

    #[test]
    fn a_line_reads_back_and_its_opening_is_bound_to_it() {
        let whole = made();
        let line = whole.to_line().unwrap();
        assert_eq!(Disclosed::parse(&line).unwrap(), whole);
        assert_eq!(whole.record().unwrap().kind, "privilege.marked");
        let mut less = whole.clone();
        less.opening.fields.remove("reason");
        less.part = None;
        less.files.clear();
        less.consistency = None;
        assert_eq!(Disclosed::parse(&less.to_line().unwrap()).unwrap(), less);
        assert!(less.record().is_ok(), "a hidden field leaves its commitment");
        let mut other = whole.clone();
        other.opening.fields.get_mut("reason").unwrap().value = Canon::text("e");
        assert_eq!(other.record(), Err(RecordError::Mismatch("reason".to_owned())));
    }

    proptest! {
        #[test]
        fn no_changed_byte_reads_as_the_same(at in any::<prop::sample::Index>(), to in any::<u8>()) {
            let mut line = made().to_line().unwrap();
            let at = at.index(line.len());
            prop_assume!(line[at] != to);
            line[at] = to;
            if let Ok(read) = Disclosed::parse(&line) {
                prop_assert_ne!(&read, &made());
                prop_assert_eq!(read.to_line().unwrap(), line);
            }
        }
    }
}
