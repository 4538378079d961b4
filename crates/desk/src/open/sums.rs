//! Sums found beside the material, compared with what was sealed.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use model::ExhibitId;
use model::record::{Body, Name, SumsCompared};
use vault::Origin;
use vault::sums::{Algorithm, MAX_LEN, Sum, may_hold, parse};

use crate::desk::Desk;
use crate::{Error, Result};

/// Records made at once.
const BATCH: usize = 256;

/// An exhibit by the name that a sum may give it.
struct Named {
    exhibit: ExhibitId,
    /// The container it is in; `None` for a file of the material.
    container: Option<ExhibitId>,
    name: Name,
}

/// Compares every sum that was not compared yet. A sum speaks of what stands in the same folder, or
/// below it, or in the same container.
pub(super) fn compare(desk: &mut Desk) -> Result<()> {
    let receipts = |desk: &mut Desk| -> Result<i64> {
        let db = &desk.views()?.db;
        Ok(db.query_row("SELECT COUNT(*) FROM receipt", [], |row| row.get(0))?)
    };
    let now = receipts(desk)?;
    if desk.views()?.meta::<i64>("sums")? == Some(now) {
        return Ok(());
    }
    let named = names(desk)?;
    let known = compared(desk)?;
    let mut digests: BTreeMap<(ExhibitId, Algorithm), String> = BTreeMap::new();
    let mut records: Vec<Body> = Vec::new();
    // Bytes that are gone state no sum, and none can be held against them.
    let there = |desk: &Desk, file: &Named| desk.case.bytes(&file.exhibit).is_ok();
    for file in &named {
        if !there(desk, file) {
            continue;
        }
        let Some(sums) = sums_in(desk, file)? else { continue };
        for sum in sums {
            let found = subject(file, &sum, &named);
            if found.is_some_and(|of| !there(desk, of)) {
                continue;
            }
            let key = (file.exhibit, sum.start, found.map(|f| f.exhibit));
            if known.contains(&key) {
                continue;
            }
            let digest = match found {
                None => None,
                Some(of) if sum.algorithm == Algorithm::Sha256 => Some(of.exhibit.to_string()),
                Some(of) => {
                    let place = (of.exhibit, sum.algorithm);
                    match digests.entry(place) {
                        Entry::Occupied(known) => Some(known.get().clone()),
                        Entry::Vacant(new) => {
                            Some(new.insert(digest_of(desk, of.exhibit, sum.algorithm)?).clone())
                        }
                    }
                }
            };
            let body = SumsCompared {
                exhibit: found.map(|f| f.exhibit),
                algorithm: sum.algorithm.name().to_owned(),
                agrees: digest.as_ref() == Some(&sum.digest),
                claimed: sum.digest,
                found: digest,
                name: sum.name,
                sums_exhibit: file.exhibit,
                start: sum.start,
                end: sum.end,
            };
            records.push(body.into());
            if records.len() == BATCH {
                desk.commit(std::mem::take(&mut records))?;
            }
        }
    }
    if !records.is_empty() {
        desk.commit(records)?;
    }
    desk.views()?.set_meta("sums", now)
}

/// Every name that exhibits came in under.
fn names(desk: &Desk) -> Result<Vec<Named>> {
    let mut named = Vec::new();
    for entry in desk.case.records(0) {
        let (index, record, opening) = entry?;
        // What is left of an exhibit is not what a sum beside it speaks of.
        if desk.case.orders().iter().any(|order| order.body.rest == Some(index)) {
            continue;
        }
        let (exhibit, origin) = match Body::read_left(&record, &opening) {
            Ok(Body::ExhibitSealed(b)) => (b.exhibit, Origin::of_sealed(&b)),
            Ok(Body::ExhibitReceived(b)) => (b.exhibit, Origin::of_received(&b)),
            _ => continue,
        };
        let (container, name) = match origin.member {
            Some(member) => (Some(member.container), Some(member.name)),
            // Of a container that was erased it is not known what stood beside it.
            None if record.committed.contains_key("member") => continue,
            None => (None, origin.source),
        };
        if let Some(name) = name {
            named.push(Named { exhibit, container, name });
        }
    }
    Ok(named)
}

/// Comparisons that the log holds: the file of sums, the place in it, the exhibit.
fn compared(
    desk: &mut Desk,
) -> Result<std::collections::BTreeSet<(ExhibitId, u64, Option<ExhibitId>)>> {
    let views = desk.views()?;
    let mut query = views.db.prepare("SELECT sums_exhibit, start, exhibit FROM sum")?;
    let rows = query.query_map([], |row| {
        Ok((
            ExhibitId(row.get(0)?),
            row.get::<_, i64>(1)? as u64,
            row.get::<_, Option<[u8; 32]>>(2)?.map(ExhibitId),
        ))
    })?;
    Ok(rows.collect::<std::result::Result<_, _>>()?)
}

/// The sums in a file, if it holds any.
fn sums_in(desk: &Desk, file: &Named) -> Result<Option<Vec<Sum>>> {
    let Some(exhibit) = desk.case.exhibit(&file.exhibit)? else { return Ok(None) };
    if exhibit.size == 0 || exhibit.size > MAX_LEN {
        return Ok(None);
    }
    let lower = file.name.0.to_ascii_lowercase();
    let by_head = [&b".txt"[..], b".log", b".info"].iter().any(|s| lower.ends_with(s));
    let read = |source| Error::Read { path: file.name.shown().into(), source };
    let head = if by_head {
        desk.case.bytes(&file.exhibit)?.range(0, 4096).map_err(read)?
    } else {
        Vec::new()
    };
    if !may_hold(&file.name.0, &head) {
        return Ok(None);
    }
    let bytes = desk.case.bytes(&file.exhibit)?.range(0, exhibit.size).map_err(read)?;
    Ok(Some(parse(&bytes, &file.name.0)))
}

/// What a sum is of: the exhibit of that name in the same place, or below it.
fn subject<'a>(file: &Named, sum: &Sum, named: &'a [Named]) -> Option<&'a Named> {
    let folder = match file.name.0.iter().rposition(|b| *b == b'/') {
        Some(at) => &file.name.0[..=at],
        None => &[],
    };
    named.iter().find(|n| {
        n.container == file.container
            && n.exhibit != file.exhibit
            && n.name.0.starts_with(folder)
            && sum.is_of(&n.name.0)
    })
}

fn digest_of(desk: &Desk, exhibit: ExhibitId, algorithm: Algorithm) -> Result<String> {
    let mut bytes = desk.case.bytes(&exhibit)?;
    algorithm
        .digest(&mut bytes)
        .map_err(|source| Error::Read { path: exhibit.to_string().into(), source })
}
