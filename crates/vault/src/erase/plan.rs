//! What an erasure reaches: found from the records alone, before anything is written.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use model::record::{Opening, Record, Side, def};
use model::{Canon, ExhibitId};

use super::What;
use crate::case::Case;
use crate::digests::Digests;
use crate::disclose::{MAX_RUNS, widen};
use crate::error::{Error, Result};
use crate::salted::leaves;

/// An exhibit that goes whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doomed {
    /// Which.
    pub id: ExhibitId,
    /// The record that sealed it.
    pub record: u64,
    /// Bytes.
    pub size: u64,
    /// Where the bytes stay, where it was sealed by reference.
    pub in_place: Option<PathBuf>,
    /// True where it goes only since it holds what is to be erased: its other members are kept.
    pub carrier: bool,
}

/// A part of an exhibit that goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartPlan {
    /// Of which exhibit.
    pub id: ExhibitId,
    /// Bytes of the exhibit.
    pub size: u64,
    /// The leaves.
    pub leaves: Vec<Range<u64>>,
    /// The records whose roots cover them: of what the exhibit is itself the rest, and its own, last.
    pub seals: Vec<u64>,
}

/// What an erasure reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Exhibits that go whole.
    pub exhibits: Vec<Doomed>,
    /// A part of one.
    pub part: Option<PartPlan>,
    /// Sealing records of which such exhibits are the rest: their salts go too.
    pub earlier: BTreeSet<u64>,
    /// Openings that go: record and field.
    pub fields: BTreeSet<(u64, String)>,
    /// Members of containers that go; they are exhibits of their own, and stay.
    pub kept: BTreeSet<ExhibitId>,
    /// Digests of what is erased that stand in other exhibits: exhibit, first byte, one past the last.
    /// With them it could be guessed.
    pub sums: Vec<(ExhibitId, u64, u64)>,
    /// The records that sealed these exhibits.
    pub telling: BTreeSet<u64>,
    /// Exhibits that could not be searched for digests: their bytes are not at hand.
    pub unsearched: Vec<ExhibitId>,
    /// Other openings that hold the very text that goes; of an exhibit, its name or a container's.
    pub same: Vec<(u64, String)>,
    /// Items of custody that were imaged into what goes, with the exhibits of the same record that
    /// stay.
    pub imaged: Vec<(String, Vec<ExhibitId>)>,
}

impl Plan {
    /// Leaves that are erased.
    pub fn leaves(&self) -> u64 {
        let whole: u64 = self.exhibits.iter().map(|e| leaves(e.size)).sum();
        let part: u64 =
            self.part.iter().flat_map(|part| &part.leaves).map(|run| run.end - run.start).sum();
        whole + part
    }

    /// Media outside the case, which keep the bytes.
    pub fn media(&self) -> impl Iterator<Item = &Path> {
        self.exhibits.iter().filter_map(|e| e.in_place.as_deref())
    }
}

/// Fields of a sealing or a receipt that tell nothing of the content: who took it in, and by what
/// right it was taken.
const KEPT: [&str; 5] = ["actor", "item", "authorisation", "seized_by", "at"];

/// The value of a field that names an exhibit.
pub(crate) fn id_in(opening: &Opening, field: &str) -> Option<ExhibitId> {
    opening.fields.get(field)?.value.as_text()?.parse().ok()
}

impl Case {
    /// What an erasure would reach. Nothing is written. What stays is searched for digests of what
    /// goes: `progress` is told the bytes that are read.
    ///
    /// # Errors
    /// No such exhibit, bytes, record or field; one that was erased before; one that cannot be erased
    /// so ([`Error::NotErasable`], which says what can be done).
    pub fn plan_erasure(&self, what: &What, progress: &dyn Fn(u64)) -> Result<Plan> {
        match what {
            What::Field(record, field) => self.plan_field(*record, field),
            What::Names(order) => self.plan_names(*order),
            What::Exhibit(id) => self.plan_exhibit(id, None, progress),
            What::Bytes(id, ranges) => {
                let exhibit = self.exhibit(id)?.ok_or(Error::NoExhibit(*id))?;
                let inside = |r: &Range<u64>| r.start < r.end && r.end <= exhibit.size;
                if ranges.is_empty() || !ranges.iter().all(inside) {
                    return Err(Error::NotErasable(format!(
                        "the exhibit has {} bytes: name bytes A..B with A < B within it",
                        exhibit.size
                    )));
                }
                let runs = widen(ranges, exhibit.size);
                if runs.len() > MAX_RUNS {
                    let most = format!("at most {MAX_RUNS} runs of leaves are erased at once");
                    return Err(Error::NotErasable(most));
                }
                if runs.first() == Some(&(0..leaves(exhibit.size))) {
                    return self.plan_exhibit(id, None, progress);
                }
                if exhibit.in_place.is_some() {
                    return Err(Error::NotErasable(
                        "its bytes are on a medium outside the case (sealed in place): name the \
                         exhibit without --bytes, and the order says where they remain"
                            .to_owned(),
                    ));
                }
                self.plan_exhibit(id, Some(runs), progress)
            }
        }
    }

    fn plan_exhibit(
        &self,
        id: &ExhibitId,
        runs: Option<Vec<Range<u64>>>,
        progress: &dyn Fn(u64),
    ) -> Result<Plan> {
        let exhibit = self.exhibit(id)?.ok_or(Error::NoExhibit(*id))?;
        let nesting = self.nesting()?;
        let inside = nesting.reach(*id, &nesting.members);
        if runs.is_some() && !inside.is_empty() {
            return Err(Error::NotErasable(format!(
                "it is a container of {} exhibits: name those that are to go, and the container goes \
                 with them while the others stay",
                inside.len()
            )));
        }
        let mut whole = BTreeSet::new();
        if runs.is_none() {
            whole.extend(inside);
            whole.insert(*id);
        }
        let mut carriers = BTreeSet::new();
        for target in whole.iter().chain([id]) {
            carriers.extend(nesting.reach(*target, &nesting.containers));
        }
        carriers.retain(|carrier| !whole.contains(carrier) && carrier != id);
        let mut plan = Plan::default();
        for (of, carrier) in [(&whole, false), (&carriers, true)] {
            for id in of {
                // A member whose container is not known any more has lost it to an erasure.
                let Some(e) = self.exhibit(id)? else { continue };
                let (record, size, in_place) = (e.record, e.size, e.in_place.clone());
                plan.exhibits.push(Doomed { id: *id, record, size, in_place, carrier });
                plan.earlier.extend(self.earlier(record));
            }
        }
        plan.exhibits.sort_by_key(|doomed| (doomed.carrier, doomed.record));
        plan.part = runs.map(|leaves| {
            let mut seals: Vec<u64> = self.earlier(exhibit.record).into_iter().collect();
            seals.push(exhibit.record);
            PartPlan { id: *id, size: exhibit.size, leaves, seals }
        });
        let gone: BTreeSet<ExhibitId> = whole.into_iter().chain(carriers).chain([*id]).collect();
        let mut digests = Digests::default();
        digests.learn(self, gone.iter().copied(), progress);
        self.reach_records(&gone, &digests, &mut plan)?;
        let stay = self.exhibits().iter().map(|e| e.id).filter(|id| !gone.contains(id));
        let (found, unsearched) = digests.search(self, stay, progress);
        plan.sums = found.iter().map(|(id, found)| (*id, found.start, found.end)).collect();
        for (id, _) in &found {
            plan.telling.extend(self.exhibit(id)?.map(|e| e.record));
        }
        plan.unsearched = unsearched;
        plan.same = self.still_named(&plan)?;
        Ok(plan)
    }

    /// The sealing records of which the exhibit that `record` sealed is the rest.
    fn earlier(&self, record: u64) -> BTreeSet<u64> {
        let of = self.orders.iter().filter(|order| order.body.rest == Some(record));
        of.flat_map(|order| order.body.parts.0.iter().cloned().flatten()).collect()
    }

    fn nesting(&self) -> Result<Nesting> {
        let mut nesting = Nesting::default();
        for entry in self.records(0) {
            let (_, record, opening) = entry?;
            if !matches!(record.kind.as_str(), "exhibit.sealed" | "exhibit.received") {
                continue;
            }
            if let (Some(member), Some(container)) =
                (id_in(&opening, "exhibit"), id_in(&opening, "container"))
            {
                nesting.members.entry(container).or_default().push(member);
                nesting.containers.entry(member).or_default().push(container);
            }
        }
        Ok(nesting)
    }

    /// Every opening that names one of the exhibits, or tells what was in it.
    fn reach_records(
        &self,
        gone: &BTreeSet<ExhibitId>,
        digests: &Digests,
        plan: &mut Plan,
    ) -> Result<()> {
        for entry in self.records(0) {
            let (index, record, opening) = entry?;
            let named = |field: &str| id_in(&opening, field).filter(|id| gone.contains(id));
            let (exhibit, container) = (named("exhibit"), named("container"));
            let sums = named("sums_exhibit");
            let mut fields: BTreeSet<&str> = BTreeSet::new();
            let all_but = |kept: &[&str]| -> Vec<&str> {
                let names = opening.fields.keys().map(String::as_str);
                names.filter(|name| !kept.contains(name)).collect()
            };
            match record.kind.as_str() {
                "exhibit.sealed" | "exhibit.received" if exhibit.is_some() => {
                    fields.extend(all_but(&KEPT));
                }
                "exhibit.sealed" | "exhibit.received" if container.is_some() => {
                    plan.kept.extend(id_in(&opening, "exhibit"));
                    fields.insert("container");
                }
                "parse.run" if exhibit.is_some() => {
                    fields.extend(all_but(&["actor", "parser", "version"]));
                }
                "sums.compared" if exhibit.is_some() && sums.is_none() => {
                    fields.extend(["exhibit", "claimed", "found", "name"]);
                }
                "sums.compared" if exhibit.is_some() || sums.is_some() => {
                    fields.extend(all_but(&["actor", "algorithm", "agrees"]));
                }
                // What led to a ticket was read there.
                "ticket.reported" if exhibit.is_some() => {
                    fields.extend(["exhibit", "item", "named", "note"]);
                }
                "exhibit.stamped" if exhibit.is_some() => fields.extend(["exhibit", "token"]),
                "table.laid" | "addresses.taken" | "mapping.laid" if exhibit.is_some() => {
                    return Err(Error::NotErasable(format!(
                        "record {index} lays it over the case: it is a table of yours, and no \
                         material"
                    )));
                }
                _ => {}
            }
            // Wherever else an id stands: a list, a text of differences, a token over it.
            for (name, field) in &opening.fields {
                if digests.stand_in(&field.value.to_string()) {
                    if is_kept(&record.kind, name) {
                        plan.same.push((index, name.clone()));
                    } else {
                        fields.insert(name);
                    }
                }
            }
            // A sum of which it was not known that it is of this: its name is that of what goes.
            if record.kind == "sums.compared" && fields.contains("claimed") {
                fields.insert("name");
            }
            if fields.contains("exhibits") {
                plan.imaged.extend(stays(&opening, gone));
            }
            let there = fields.into_iter().filter(|name| opening.fields.contains_key(*name));
            plan.fields.extend(there.map(|name| (index, name.to_owned())));
        }
        plan.kept.retain(|id| !gone.contains(id));
        Ok(())
    }

    fn plan_field(&self, index: u64, field: &str) -> Result<Plan> {
        if index >= self.len() {
            let end = self.len();
            return Err(Error::NotErasable(format!(
                "there is no record {index}: the log has {end}"
            )));
        }
        let (record, opening) = self.record(index)?;
        if !record.committed.contains_key(field) {
            let mut has: Vec<&str> = record.committed.keys().map(String::as_str).collect();
            has.retain(|name| is_text(&record, name));
            return Err(Error::NotErasable(format!(
                "record {index} ({}) has no committed field {field:?}; those that can be erased by \
                 themselves: {}",
                record.kind,
                if has.is_empty() { "none".to_owned() } else { has.join(", ") }
            )));
        }
        let Some(opened) = opening.fields.get(field) else {
            return Err(Error::Erased(match self.erased_under(index, field) {
                Some(order) => format!("field {field:?} of record {index} was {}", order.said()),
                None => format!("field {field:?} of record {index} is withheld here"),
            }));
        };
        if record.kind == "erasure.ordered" {
            return Err(Error::NotErasable("who erased what, and why, stays".to_owned()));
        }
        if !is_text(&record, field) {
            return Err(Error::NotErasable(format!(
                "field {field:?} of record {index} is no text: it goes with the exhibit it is about \
                 (--exhibit)"
            )));
        }
        if is_kept(&record.kind, field) {
            return Err(Error::NotErasable(format!(
                "what is blocked follows from every record since the clearing house began: without field {field:?} of \
                 record {index} it could not start, and nobody could check it. The names that stand there are short \
                 ones: who is behind one is said in the authority's register"
            )));
        }
        let value = opened.value.to_string();
        let mut plan = Plan::default();
        plan.fields.insert((index, field.to_owned()));
        for entry in self.records(0) {
            let (at, _, opening) = entry?;
            for (name, other) in &opening.fields {
                if (at, name.as_str()) != (index, field) && other.value.to_string() == value {
                    plan.same.push((at, name.clone()));
                }
            }
        }
        Ok(plan)
    }
}

/// True where an order may name the field by itself: what reads as empty once it is gone.
pub(super) fn is_text(record: &Record, field: &str) -> bool {
    field == "actor"
        || (field != "in_place"
            && def(&record.kind).is_some_and(|def| {
                def.fields.iter().any(|f| f.name == field && f.text && f.side == Side::Committed)
            }))
}

/// True of what a clearing house's state follows from: without it the house could not start, and nobody could check it.
fn is_kept(kind: &str, field: &str) -> bool {
    matches!((kind, field), ("shield.decided", _) | ("shield.standby", "name"))
}

/// The item of a record that names many exhibits, and those of them that stay.
fn stays(opening: &Opening, gone: &BTreeSet<ExhibitId>) -> Option<(String, Vec<ExhibitId>)> {
    let item = opening.fields.get("item")?.value.as_text()?.to_owned();
    let Canon::List(list) = &opening.fields.get("exhibits")?.value else { return None };
    let ids = list.iter().filter_map(|id| id.as_text()?.parse().ok());
    let left: Vec<ExhibitId> = ids.filter(|id| !gone.contains(id)).collect();
    (!left.is_empty()).then_some((item, left))
}

/// What is inside what.
#[derive(Default)]
struct Nesting {
    members: BTreeMap<ExhibitId, Vec<ExhibitId>>,
    containers: BTreeMap<ExhibitId, Vec<ExhibitId>>,
}

impl Nesting {
    /// All that is reached from an exhibit in one direction, without itself.
    fn reach(
        &self,
        from: ExhibitId,
        along: &BTreeMap<ExhibitId, Vec<ExhibitId>>,
    ) -> BTreeSet<ExhibitId> {
        let (mut found, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(at) = next.pop() {
            for to in along.get(&at).into_iter().flatten() {
                if *to != from && found.insert(*to) {
                    next.push(*to);
                }
            }
        }
        found
    }
}
