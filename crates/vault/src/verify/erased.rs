//! What is missing is missing by an order in the log, or it is a finding; and what an order names is
//! gone.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;
use std::path::Path;

use model::Sha256Hex;
use model::record::{ErasureOrdered, Places};

use super::Report;
use super::walk::{Named, Walk};
use crate::bytes::Bytes;
use crate::case::exhibit_path;
use crate::disclose::{Part, complement, hidden_of, leaf_len, widen};
use crate::erase::{Ordered, hashes_of, nodes_of};
use crate::salted::{LEAF, leaves};

/// An erasure that the log orders, as verifying found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// The record that orders it.
    pub record: u64,
    /// When it was written.
    pub time: String,
    /// Who ordered it, where that is not withheld.
    pub actor: Option<String>,
    /// The legal basis.
    pub basis: String,
    /// The records that sealed exhibits of which nothing is left.
    pub exhibits: Places,
    /// The records that sealed an exhibit of which a part is erased.
    pub parts: Places,
    /// The leaves of that part.
    pub leaves: Places,
    /// The record that sealed what is left of it.
    pub rest: Option<u64>,
    /// Openings that were destroyed.
    pub openings: u64,
    /// Media outside the case that were said to hold the bytes still. Hostile text.
    pub media: Vec<String>,
}

impl Erasure {
    /// What was erased, when, by whom, by what right.
    pub fn said(&self) -> String {
        let mut what = Vec::new();
        if !self.exhibits.is_empty() {
            what.push(format!("the exhibits that {} sealed", self.exhibits.of_records()));
        }
        if !self.parts.is_empty() {
            let (leaves, parts) = (&self.leaves, self.parts.of_records());
            what.push(format!("leaves {leaves} of the exhibit that {parts} sealed"));
        }
        if what.is_empty() {
            what.push(format!("{} texts of records", self.openings));
        }
        let by = self.actor.as_deref().map(|actor| format!(" by {actor}")).unwrap_or_default();
        let media = match self.media.as_slice() {
            [] => String::new(),
            media => format!("; not erased, since it lies outside the case: {}", media.join(", ")),
        };
        format!(
            "erased under record {} at {}{by}, basis {}: {}{media}",
            self.record,
            self.time,
            self.basis,
            what.join("; ")
        )
    }
}

/// A sealing record, whatever is left of its opening.
pub(super) struct Seal {
    pub(super) index: u64,
    pub(super) root: Option<Sha256Hex>,
    pub(super) leaf_secrets: Vec<String>,
    pub(super) erased: Vec<String>,
}

/// Holds what is missing against what the log orders.
pub(super) fn judge(walk: &Walk, dir: &Path, report: &mut Report) {
    let missing: HashSet<(u64, &str)> =
        walk.missing.iter().map(|(index, field)| (*index, field.as_str())).collect();
    let mut ordered: BTreeMap<&str, Vec<(&Range<u64>, u64)>> = BTreeMap::new();
    for order in &walk.orders {
        if !order.is_of_earlier() {
            let place = format!("ledger entry {}", order.record);
            report.find(place, "it erases what does not come before it");
            continue;
        }
        for (range, field) in &order.body.fields.0 {
            ordered.entry(field).or_default().push((range, order.record));
            let still = range.clone().filter(|n| !missing.contains(&(*n, field.as_str())));
            for index in still.filter(|index| !walk.unread.contains(index)) {
                report.erasing = true;
                report.find(
                    format!("opening of entry {index}"),
                    format!("field {field:?} is still there, {}", though(order, dir)),
                );
            }
        }
    }
    for (index, field) in &walk.missing {
        let of = ordered.get(field.as_str()).into_iter().flatten();
        if !of.into_iter().any(|(range, _)| range.contains(index)) {
            report.find(
                format!("opening of entry {index}"),
                format!("field {field:?} is missing, and no record orders its erasure"),
            );
        }
    }
    for seal in &walk.seals {
        judge_seal(seal, walk, dir, report);
    }
    for order in &walk.orders {
        let erasure = erasure(order);
        report.notes.push(erasure.said());
        report.erased.push(erasure);
    }
}

fn though(order: &Ordered, dir: &Path) -> String {
    let next = if super::beside::at_work(dir) {
        "a command writes to the case now, and may be completing it: verify again when it has ended"
    } else {
        "the next command that writes to the case completes it"
    };
    format!("though record {} orders its erasure: {next}", order.record)
}

fn erasure(order: &Ordered) -> Erasure {
    let ErasureOrdered { basis, exhibits, parts, leaves, rest, fields, media, .. } = &order.body;
    Erasure {
        record: order.record,
        time: order.time.clone(),
        actor: order.actor.clone(),
        basis: basis.clone(),
        exhibits: exhibits.clone(),
        parts: parts.clone(),
        leaves: leaves.clone(),
        rest: *rest,
        openings: fields.count(),
        media: media.iter().map(model::record::Name::shown).collect(),
    }
}

fn judge_seal(seal: &Seal, walk: &Walk, dir: &Path, report: &mut Report) {
    let place = format!("opening of entry {}", seal.index);
    let holds = !seal.leaf_secrets.is_empty() || !seal.erased.is_empty();
    if let Some(order) = walk.orders.iter().find(|o| o.body.exhibits.contains(seal.index)) {
        if holds {
            report.erasing = true;
            report.find(place, format!("leaf salts are still there, {}", though(order, dir)));
        }
        return;
    }
    let orders: Vec<&Ordered> =
        walk.orders.iter().filter(|o| o.body.parts.contains(seal.index)).collect();
    let Some(last) = orders.last() else {
        if !seal.erased.is_empty() {
            report.find(place, "parts are said to be erased, and no record orders it");
        }
        return;
    };
    let rest = last.body.rest.and_then(|rest| walk.exhibits.iter().find(|e| e.index == rest));
    let Some(rest) = rest else {
        return report.find(place, "what is left of its exhibit is not known");
    };
    // The newest part first: as long as its bytes are there, it was not carried out.
    let ranges = orders.iter().flat_map(|order| &order.body.leaves.0);
    let ranges = ranges.map(|run| run.start * LEAF as u64..run.end * LEAF as u64);
    let gone = widen(&ranges.collect::<Vec<_>>(), leaves(rest.size) * LEAF as u64);
    match check_part(seal, rest, &gone, dir) {
        Ok(()) => {}
        Err(_) if seal.erased.is_empty() => {
            report.erasing = true;
            report.find(place, format!("leaf salts are still there, {}", though(last, dir)));
        }
        Err(what) => report.find(place, what),
    }
}

/// Shows that what is left is what the older root spoke of, but for the leaves that are gone.
fn check_part(seal: &Seal, rest: &Named, gone: &[Range<u64>], dir: &Path) -> Result<(), String> {
    let odd = || "its leaf secrets or hashes are none".to_owned();
    let (nodes, erased) =
        (nodes_of(&seal.leaf_secrets).ok_or_else(odd)?, hashes_of(&seal.erased).ok_or_else(odd)?);
    let root = seal.root.ok_or_else(odd)?;
    let runs = complement(gone.iter().cloned(), leaves(rest.size));
    let told: Vec<Range<u64>> = erased.iter().map(|e| e.leaves.clone()).collect();
    if told != hidden_of(&runs, rest.size) {
        return Err("the leaves that it says are erased are not those that the log orders".into());
    }
    let hidden = erased.iter().map(|e| e.hash).collect();
    let part = Part { size: rest.size, runs, nodes, hidden };
    let path = rest.in_place.clone().unwrap_or_else(|| exhibit_path(dir, &rest.id));
    if rest.in_place.is_none() {
        ledger::plain::open(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    let bytes = Bytes::open(dir, &rest.id, rest.in_place.as_deref());
    let bytes = bytes.map_err(|e| e.found())?;
    let mut read = |leaf: u64| {
        let mut buffer = vec![0; leaf_len(rest.size, leaf)];
        let got = bytes.read_at(&mut buffer, leaf * LEAF as u64)?;
        buffer.truncate(got);
        Ok::<_, std::io::Error>(buffer)
    };
    match part.check(&root, &mut read) {
        Ok(checked) => checked.map_err(|e| format!("what is left does not prove: {e}")),
        Err(e) => Err(format!("what is left cannot be read: {e}")),
    }
}

/// The committed fields of a record of which the opening says nothing.
pub(super) fn missing<'a>(
    record: &'a model::record::Record,
    opening: &'a model::record::Opening,
) -> impl Iterator<Item = String> + 'a {
    record.committed.keys().filter(|name| !opening.fields.contains_key(*name)).cloned()
}

/// Records whose opening could not be read at all: they were told of already.
pub(super) type Unread = BTreeSet<u64>;
