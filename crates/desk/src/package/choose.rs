//! Which records and bytes go into a package: what was asked for, what belongs to it, and nothing
//! from which what stays hidden could be guessed.
//!
//! A digest of hidden bytes betrays them where they are few or common: whoever has the digest can
//! try. So an exhibit that stays hidden, or is shown in part, is named by no record that leaves; a
//! container that holds it does not leave whole; a list of sums in which it stands does not either.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;

use model::ExhibitId;
use vault::digests::Found;
use vault::disclose::widen;
use vault::package::{Choice, Shown};
use vault::salted::{LEAF, leaves};

use super::brief::{Brief, Briefs};
use super::words::{HiddenField, Selection};
use crate::{Error, Result};

/// Kinds that tell of the exhibits they name.
const ABOUT: [&str; 4] = ["exhibit.received", "sums.compared", "parse.run", "exhibit.stamped"];
/// Kinds that whoever checks the log must have.
const ALWAYS: [&str; 4] = ["case.opened", "checkpoint.stamped", "key.rotated", "erasure.ordered"];
/// Kinds that tell of the case as a whole.
const WHOLE: [&str; 5] =
    ["material.unread", "table.laid", "addresses.taken", "mapping.laid", "package.imported"];

/// What was chosen.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    pub(crate) choices: Vec<Choice>,
    /// Exhibits of which bytes go along.
    pub(crate) exhibits: HashSet<ExhibitId>,
    /// What whoever asked should know.
    pub(crate) notes: Vec<String>,
}

/// Says where digests of some exhibits stand in the bytes of others.
pub(crate) type Tells<'a> =
    &'a mut dyn FnMut(&HashSet<ExhibitId>, &BTreeSet<ExhibitId>) -> Vec<(ExhibitId, Found)>;

/// Chooses. `hidden` are the exhibits that are withheld as privileged.
pub(crate) fn choose(
    briefs: &Briefs,
    asked: &Selection,
    hidden: &HashSet<ExhibitId>,
    tells: Tells<'_>,
) -> Result<Chosen> {
    let mut notes = Vec::new();
    let mut shown = exhibits(briefs, asked, hidden, &mut notes)?;
    let secret = secrets(briefs, asked, hidden, &mut shown, &mut notes, tells)?;
    let mut records = about(briefs, asked, &shown, &secret)?;
    let out: HashSet<ExhibitId> = shown.keys().copied().collect();
    for (id, what) in shown {
        let Some(brief) = briefs.sealed.get(&id).and_then(|at| briefs.records.get(*at)) else {
            continue;
        };
        let mut hide = betraying(brief, &secret);
        if let Shown::Parts(_) = what {
            hide.insert("exhibit".to_owned());
        }
        records.insert(brief.index, (hide, what));
    }
    let mut used = vec![false; asked.fields.len()];
    let mut choices = Vec::with_capacity(records.len());
    for (index, (mut hide, shown)) in records {
        let Some(brief) = usize::try_from(index).ok().and_then(|at| briefs.records.get(at)) else {
            continue;
        };
        for (at, redacted) in asked.fields.iter().enumerate() {
            if is_of(redacted, brief) {
                used[at] = true;
                hide.insert(redacted.field.clone());
            }
        }
        hide.retain(|field| brief.fields.contains(field));
        choices.push(Choice { index, hide, shown });
    }
    if let Some(at) = used.iter().position(|used| !used) {
        let field = &asked.fields[at].field;
        return Err(Error::Asked(format!("no record that is disclosed has the field {field:?}")));
    }
    Ok(Chosen { choices, exhibits: out, notes })
}

fn is_of(redacted: &HiddenField, brief: &Brief) -> bool {
    redacted.kind.as_ref().is_none_or(|kind| *kind == brief.kind)
        && redacted.record.is_none_or(|record| record == brief.index)
        && brief.fields.contains(&redacted.field)
}

/// Fields of a record that name an exhibit that stays hidden.
fn betraying(brief: &Brief, secret: &HashSet<ExhibitId>) -> BTreeSet<String> {
    let fields = brief.ids.iter().filter(|(_, id)| secret.contains(id));
    fields.map(|(field, _)| field.clone()).collect()
}

/// The exhibits that are asked for, and what of each.
fn exhibits(
    briefs: &Briefs,
    asked: &Selection,
    hidden: &HashSet<ExhibitId>,
    notes: &mut Vec<String>,
) -> Result<BTreeMap<ExhibitId, Shown>> {
    let mut shown = BTreeMap::new();
    for id in asked.exhibits.keys().chain(asked.out.keys()) {
        if !briefs.sealed.contains_key(id) {
            return Err(Error::NotFound { what: format!("the exhibit {id}") });
        }
        if asked.exhibits.contains_key(id) && hidden.contains(id) {
            return Err(Error::Privileged(*id));
        }
    }
    let all = briefs.sealed.keys().filter(|id| asked.all && !hidden.contains(id));
    for id in all.chain(asked.exhibits.keys()) {
        let brief = briefs.sealed.get(id).and_then(|at| briefs.records.get(*at));
        let Some((_, size)) = brief.and_then(|brief| brief.sealed) else { continue };
        let wanted = asked.exhibits.get(id).filter(|ranges| !ranges.is_empty());
        let without = asked.out.get(id);
        if without.is_some_and(Vec::is_empty) {
            continue;
        }
        if wanted.is_none() && without.is_none() {
            shown.insert(*id, Shown::Whole);
            continue;
        }
        let whole = || std::iter::once(0..leaves(size)).collect();
        let runs: Vec<_> = wanted.map_or_else(whole, |ranges| widen(ranges, size));
        let runs = minus(&runs, &widen(without.map_or(&[][..], Vec::as_slice), size));
        if runs.is_empty() {
            return Err(Error::Asked(format!(
                "nothing is left to show of the exhibit {id}: bytes are shown and redacted in leaves \
                 of {LEAF}; leave it out instead (`--redact exhibit:{id}`)"
            )));
        }
        let bytes: Vec<String> = runs
            .iter()
            .map(|r| format!("{}-{}", r.start * LEAF as u64, (r.end * LEAF as u64).min(size)))
            .collect();
        notes.push(format!(
            "of the exhibit {id} the bytes {} are shown: widened to whole leaves of {LEAF}",
            bytes.join(", ")
        ));
        shown.insert(*id, Shown::Parts(runs));
    }
    Ok(shown)
}

/// Runs without what is in others; both in order.
fn minus(runs: &[Range<u64>], out: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut left = Vec::new();
    for run in runs {
        let mut start = run.start;
        for gone in out.iter().filter(|gone| gone.start < run.end && run.start < gone.end) {
            if start < gone.start {
                left.push(start..gone.start);
            }
            start = start.max(gone.end);
        }
        if start < run.end {
            left.push(start..run.end);
        }
    }
    left
}

/// The exhibits that no record may name: hidden, left out or shown in part, and what contains them.
/// Takes out of `shown` what would show them all the same.
fn secrets(
    briefs: &Briefs,
    asked: &Selection,
    hidden: &HashSet<ExhibitId>,
    shown: &mut BTreeMap<ExhibitId, Shown>,
    notes: &mut Vec<String>,
    tells: Tells<'_>,
) -> Result<HashSet<ExhibitId>> {
    let parts = shown.iter().filter(|(_, what)| matches!(what, Shown::Parts(_)));
    let chosen: HashSet<ExhibitId> = asked.out.keys().copied().chain(parts.map(|p| *p.0)).collect();
    let mut secret: HashSet<ExhibitId> = hidden.union(&chosen).copied().collect();
    // Members of what was redacted hold what was redacted, and are redacted with it.
    let mut inside: Vec<ExhibitId> =
        briefs.sealed.keys().copied().filter(|id| briefs.is_within(*id, &chosen)).collect();
    inside.retain(|id| !chosen.contains(id));
    secret.extend(inside.iter().copied());
    // A list of sums tells what stays hidden, what contains the list contains that, and so on.
    // Of what was erased nothing is left to search for: the orders name what tells of it.
    let mut sums = briefs.telling.clone();
    let mut around = briefs.around(&secret.union(&sums).copied().collect());
    for id in shown.iter().filter(|(_, what)| matches!(what, Shown::Parts(_))).map(|part| part.0) {
        if sums.contains(id) {
            notes.push(format!(
                "somewhere in the exhibit {id}, of which a part goes, stands the digest of an exhibit \
                 that was erased: see that it is not in that part"
            ));
        }
    }
    loop {
        let before = sums.len();
        for brief in briefs.records.iter().filter(|brief| brief.kind == "sums.compared") {
            let of =
                |name: &str| brief.ids.iter().find(|(field, _)| field == name).map(|(_, id)| *id);
            let tells = |id: ExhibitId| secret.contains(&id) || around.contains(&id);
            let named = of("exhibit").is_some_and(tells) || of("claimed").is_some_and(tells);
            if named || of("exhibit").is_some_and(|id| sums.contains(&id)) {
                sums.extend(of("sums_exhibit"));
            }
        }
        around = briefs.around(&secret.union(&sums).copied().collect());
        if sums.len() > before {
            continue;
        }
        // Nothing more by records: what leaves is searched itself.
        let told: HashSet<ExhibitId> = secret.iter().chain(&around).chain(&sums).copied().collect();
        let is_part = |id: &ExhibitId| matches!(shown.get(id), Some(Shown::Parts(_)));
        let among = shown.keys().filter(|id| is_part(id) || !told.contains(id)).copied().collect();
        for (id, found) in if told.is_empty() { Vec::new() } else { tells(&told, &among) } {
            match shown.get(&id) {
                Some(Shown::Parts(runs)) if is_in(&found, runs) => {
                    return Err(Error::Asked(format!(
                        "what is shown of the exhibit {id} holds, in bytes {}..{}, a digest of an \
                         exhibit that stays hidden: redact these bytes too",
                        found.start, found.end
                    )));
                }
                Some(Shown::Whole) => {
                    sums.insert(id);
                }
                _ => {}
            }
        }
        if sums.len() == before {
            break;
        }
        around = briefs.around(&secret.union(&sums).copied().collect());
    }
    let whole = |id: &ExhibitId, shown: &BTreeMap<_, _>| shown.get(id) == Some(&Shown::Whole);
    let reasons = [
        (inside, "was found in an exhibit that is redacted"),
        (
            around.iter().copied().collect(),
            "contains an exhibit that stays hidden, or the digest of one that does or was erased",
        ),
        (
            briefs.telling.iter().copied().collect(),
            "holds the digest of an exhibit that was erased",
        ),
        (sums.iter().copied().collect(), "lists the digest of an exhibit that stays hidden"),
    ];
    for (ids, why) in reasons {
        for id in ids.into_iter().filter(|id| whole(id, shown)).collect::<BTreeSet<_>>() {
            if asked.exhibits.contains_key(&id) {
                let how = "show a part of it instead, or redact less";
                return Err(Error::Asked(format!("the exhibit {id} {why}: {how}")));
            }
            shown.remove(&id);
            secret.insert(id);
            notes.push(format!("the exhibit {id} is left out: it {why}"));
        }
    }
    secret.extend(around);
    Ok(secret)
}

/// True where a digest reaches into the leaves that are shown.
fn is_in(found: &Found, runs: &[Range<u64>]) -> bool {
    let leaf = LEAF as u64;
    runs.iter().any(|run| found.start < run.end * leaf && run.start * leaf < found.end)
}

type Records = BTreeMap<u64, (BTreeSet<String>, Shown)>;

/// The records that go along with the exhibits, and those that were asked for.
fn about(
    briefs: &Briefs,
    asked: &Selection,
    shown: &BTreeMap<ExhibitId, Shown>,
    secret: &HashSet<ExhibitId>,
) -> Result<Records> {
    let mut out = Records::new();
    let silent = |brief: &Brief| brief.ids.iter().all(|(_, id)| !secret.contains(id));
    let names = |brief: &Brief| brief.ids.iter().any(|(_, id)| shown.contains_key(id));
    let mut add = |brief: &Brief| {
        out.insert(brief.index, (BTreeSet::new(), Shown::Record));
    };
    let mut items = HashSet::new();
    for brief in &briefs.records {
        let kind = brief.kind.as_str();
        let told = ALWAYS.contains(&kind)
            || (ABOUT.contains(&kind) && names(brief))
            || (WHOLE.contains(&kind) && asked.all);
        if told && silent(brief) {
            add(brief);
        }
        // An item is an exhibit's where one of its records names the exhibit.
        if kind.starts_with("custody.") && (names(brief) || asked.all) && silent(brief) {
            items.extend(brief.item.as_ref());
        }
    }
    let (mut persons, mut custody) = (HashSet::new(), HashSet::new());
    for brief in &briefs.records {
        let of_item = brief.item.as_ref().is_some_and(|item| items.contains(item));
        let of_record = brief.of.is_some_and(|of| custody.contains(&of));
        if brief.kind.starts_with("custody.") && (of_item || of_record) && silent(brief) {
            custody.insert(brief.index);
            persons.extend(brief.persons.iter());
            add(brief);
        }
    }
    for brief in briefs.records.iter().filter(|brief| brief.kind == "actor.enrolled") {
        if brief.persons.iter().any(|person| persons.contains(person)) {
            add(brief);
        }
    }
    for range in &asked.records {
        for index in range.clone() {
            let brief = usize::try_from(index).ok().and_then(|at| briefs.records.get(at));
            let Some(brief) = brief else {
                return Err(Error::NotFound { what: format!("the record {index}") });
            };
            if !silent(brief) && brief.sealed.is_none_or(|(id, _)| secret.contains(&id)) {
                return Err(Error::Asked(format!(
                    "the record {index} names an exhibit that stays hidden, or is shown in part: \
                     its digest could betray it"
                )));
            }
            out.entry(index).or_insert((betraying(brief, secret), Shown::Record));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::single_range_in_vec_init)] // Lists of one range are meant.
    fn runs_are_taken_out_of_runs() {
        let minus = |a: &[Range<u64>], b: &[Range<u64>]| super::minus(a, b);
        assert_eq!(minus(&[0..10], &[2..3, 5..7]), [0..2, 3..5, 7..10]);
        assert_eq!(minus(&[0..4, 6..9], &[3..7]), [0..3, 7..9]);
        assert_eq!(minus(&[0..4], &[0..4]), []);
        assert_eq!(minus(&[2..4], &[]), [2..4]);
    }
}
