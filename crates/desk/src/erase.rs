//! Erasure by law: what it would reach, doing it, and where copies remain (docs/erasure.md).
//!
//! The vault destroys openings, salts and bytes; here the views are thrown away, overwritten, and
//! built again from what is left. A crash between the two is made good by whoever next opens the
//! case for writing: views that are older than an order of erasure are not kept.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use model::ExhibitId;
use model::record::{Body, CustodyImaged, Name, PackageMade, Places, PrivilegeMarked};
use rusqlite::{Connection, OptionalExtension};
use vault::Case;
use vault::erase::{Ordered, Plan};

pub use vault::erase::What;

use crate::backup::Known;
use crate::desk::{Desk, Place};
use crate::open::{Opened, Work};
use crate::progress::Progress;
use crate::views::Views;
use crate::{Error, Result};

/// An erasure that somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What.
    pub what: What,
    /// By what right; it is public for ever.
    pub basis: String,
    /// Why; it is committed.
    pub reason: String,
}

/// What an erasure reaches, in the words that it was known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// The names of the exhibits that go, in the plan's order; then of the one of which a part goes.
    /// Hostile text.
    pub names: Vec<String>,
    /// Of a part: its bytes, widened to whole leaves.
    pub bytes: Vec<Range<u64>>,
    /// Containers that go though something in them could not be unpacked, which goes with them: the
    /// record that sealed each, and how many problems it has. Unknown without views.
    pub unopened: Vec<(u64, u64)>,
}

/// What an erasure did.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// What it reached.
    pub planned: Planned,
    /// Its records: the last ones are the order.
    pub records: Range<u64>,
    /// What is left of the exhibit of which a part was erased.
    pub rest: Option<ExhibitId>,
    /// The case afterwards.
    pub opened: Opened,
}

/// Says what an erasure would reach. Nothing is written, no lock is taken. What stays is searched for
/// digests of what goes: `progress` is told the bytes that are read.
///
/// # Errors
/// Nothing of that name, or not to be erased so; the case cannot be read.
pub fn plan(dir: &Path, what: &What, progress: &dyn Fn(u64)) -> Result<Planned> {
    let mut planned = planned(&Case::read(dir)?, what, progress)?;
    if let Ok(snapshot) = crate::read::Reader::open(dir).and_then(|reader| reader.snapshot()) {
        planned.unopened = unopened(snapshot.db()?, &planned.plan)?;
    }
    Ok(planned)
}

/// Containers that go and have problems.
fn unopened(db: &Connection, plan: &Plan) -> Result<Vec<(u64, u64)>> {
    let mut query = db.prepare_cached("SELECT problems FROM loaded WHERE exhibit = ?")?;
    let mut found = Vec::new();
    for carrier in plan.exhibits.iter().filter(|e| e.carrier) {
        let problems: Option<i64> =
            query.query_row([carrier.record as i64], |row| row.get(0)).optional()?;
        found.extend(problems.filter(|n| *n > 0).map(|n| (carrier.record, n as u64)));
    }
    Ok(found)
}

fn planned(case: &Case, what: &What, progress: &dyn Fn(u64)) -> Result<Planned> {
    let plan = case.plan_erasure(what, progress).map_err(|error| match error {
        vault::Error::NotErasable(why) => Error::Asked(format!("it cannot be erased: {why}")),
        vault::Error::Erased(said) => Error::Erased(format!("{said}: nothing is left to erase")),
        vault::Error::NoExhibit(id) if !case.orders().is_empty() => Error::Erased(format!(
            "the exhibit {id} is not in this case. Of what was erased nothing tells the hash any \
             more, since it would let what is guessable be guessed: an erased exhibit is called by \
             the record that sealed it, and `vigie erase --report` lists these"
        )),
        vault::Error::NoExhibit(id) => Error::NotFound { what: format!("the exhibit {id}") },
        other => other.into(),
    })?;
    let seals = plan.exhibits.iter().map(|e| e.record);
    let seals = seals.chain(plan.part.iter().filter_map(|part| part.seals.last().copied()));
    let names = seals.map(|record| name_of(case, record)).collect::<Result<_>>()?;
    let leaf = vault::salted::LEAF as u64;
    let bytes = plan.part.iter().flat_map(|part| {
        part.leaves.iter().map(|run| run.start * leaf..(run.end * leaf).min(part.size))
    });
    Ok(Planned { bytes: bytes.collect(), names, plan, unopened: Vec::new() })
}

/// What the record that sealed an exhibit called it.
fn name_of(case: &Case, record: u64) -> Result<String> {
    let (record, opening) = case.record(record)?;
    Ok(match Body::read_left(&record, &opening) {
        Ok(Body::ExhibitSealed(body)) => {
            body.member.or(body.source).map(|name| name.shown()).unwrap_or_default()
        }
        _ => String::new(),
    })
}

/// Erases: the order first, durably, then what it names, then the views anew.
///
/// # Errors
/// As [`plan`]; who may not; the disk. Where the order is in the log, the next command that writes
/// to the case goes on with it.
pub fn erase(place: &Place, request: &Request, work: &Work) -> Result<Done> {
    crate::permit::may_erase(&place.actor, &request.basis, &request.reason)?;
    let mut desk = Desk::open(place)?;
    let done = carry_out(&mut desk, request, work);
    let closed = desk.close();
    let done = done?;
    closed?;
    Ok(done)
}

fn carry_out(desk: &mut Desk, request: &Request, work: &Work) -> Result<Done> {
    if !matches!(request.what, What::Field(..) | What::Names(..)) {
        let size = desk.case.exhibits().iter().map(|exhibit| exhibit.size).sum();
        Progress::add(&work.progress.parsed_total, size);
    }
    let read = |n| Progress::add(&work.progress.parsed, n);
    let mut planned = planned(&desk.case, &request.what, &read)?;
    planned.unopened = unopened(&desk.views()?.db, &planned.plan)?;
    let inherited = Inherited::of(desk, &planned.plan)?;
    let stamp = desk.stamp();
    let why = (request.basis.as_str(), request.reason.as_str());
    let with = |rest| inherited.records(&planned.plan, rest);
    let records = desk.case.erase(&planned.plan, why, &with, &stamp).map_err(|e| match e {
        vault::Error::NotErasable(why) => Error::Asked(format!("it cannot be erased: {why}")),
        other => other.into(),
    })?;
    // What a clearing house's log came to was made of what stood there before.
    crate::clearing::destroy(&desk.place.case)?;
    // An order that names much is several records, the first of which speaks of the part.
    let rest = desk.case.orders().iter().filter(|order| records.contains(&order.record));
    let rest = rest.filter_map(|order| order.body.rest).next();
    let rest = desk.case.exhibits().iter().find(|e| Some(e.record) == rest).map(|e| e.id);
    // The last connection closes the journal, which is then overwritten with the rest.
    drop(desk.views.take());
    Views::shred(&desk.place.case)?;
    desk.open_views()?;
    let opened = crate::open::refresh(desk, work)?;
    Ok(Done { planned, records, rest, opened })
}

/// What was said of exhibits that go, and must go on being said of what stays.
struct Inherited {
    /// Exhibits that stay and were hidden only by a container that goes.
    hidden: Vec<ExhibitId>,
    /// True where that of which a part goes was hidden.
    rest_hidden: bool,
}

impl Inherited {
    fn of(desk: &mut Desk, plan: &Plan) -> Result<Self> {
        let db = &desk.views()?.db;
        let mut query = db.prepare_cached(
            "SELECT ord IN (SELECT ord FROM hidden), privileged FROM exhibit WHERE id = ?",
        )?;
        let mut look = |id: &ExhibitId| -> Result<(bool, bool)> {
            let mut found = query.query([id.0.as_slice()])?;
            Ok(match found.next()? {
                Some(row) => (row.get(0)?, row.get(1)?),
                None => (false, false),
            })
        };
        let mut hidden = Vec::new();
        for id in &plan.kept {
            if look(id)? == (true, false) {
                hidden.push(*id);
            }
        }
        let rest_hidden = match &plan.part {
            Some(part) => look(&part.id)?.0,
            None => false,
        };
        Ok(Self { hidden, rest_hidden })
    }

    fn records(&self, plan: &Plan, rest: Option<ExhibitId>) -> Vec<Body> {
        let reason = "what it was in was privileged when that was erased";
        let hidden = self.hidden.iter().copied().chain(rest.filter(|_| self.rest_hidden));
        let marks =
            hidden.map(|exhibit| PrivilegeMarked { exhibit, reason: reason.to_owned() }.into());
        let imaged = plan.imaged.iter().filter_map(|(item, left)| {
            let exhibits: Vec<ExhibitId> = left.iter().copied().chain(rest).collect();
            let body = CustodyImaged { item: item.clone(), exhibits };
            (!body.exhibits.is_empty()).then(|| body.into())
        });
        marks.chain(imaged).collect()
    }
}

/// A package that was made before an erasure, with something of what it erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedOut {
    /// The record of it.
    pub record: u64,
    /// When that was written.
    pub time: String,
    /// For whom it was made; hostile text.
    pub recipient: String,
    /// True where bytes of an erased exhibit are in it; else only what records said.
    pub bytes: bool,
}

/// An erasure, and where copies of what it erased remain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// The order.
    pub order: Ordered,
    /// What is left of an exhibit of which a part was erased.
    pub rest: Option<ExhibitId>,
    /// Media outside the case that kept the bytes, and whether something is there now.
    pub media: Vec<(PathBuf, bool)>,
    /// Packages made before the order, with something of it in them.
    pub handed_out: Vec<HandedOut>,
    /// Exhibits that stay and in which a digest of what is erased stands, as the order names them.
    pub telling: Vec<ExhibitId>,
    /// Backups that were not brought up to the case since the order: they hold it still.
    pub backups: Vec<Known>,
    /// The records of what stayed whose `source` is still the name of a container that went.
    pub named: Places,
}

/// Every erasure of the case, and where copies remain as far as the log knows.
///
/// # Errors
/// The case cannot be read.
pub fn report(dir: &Path) -> Result<Vec<Reported>> {
    let case = Case::read(dir)?;
    let mut handed_out = Vec::new();
    let backups = crate::backup::known_of(&case)?;
    for entry in case.records(0) {
        let (index, record, opening) = entry?;
        // Whose words were erased since, it still names the records in it.
        if let Ok(Body::PackageMade(body)) = Body::read_left(&record, &opening) {
            handed_out.push((index, record.time, body));
        }
    }
    let by_record: HashMap<u64, ExhibitId> =
        case.exhibits().iter().map(|e| (e.record, e.id)).collect();
    let telling = |order: &Ordered| {
        let records = order.body.digests.0.iter().cloned().flatten();
        records.filter_map(|record| by_record.get(&record).copied()).collect()
    };
    let reported = |order: &Ordered| -> Result<Reported> {
        let rest = order.body.rest.and_then(|r| case.exhibits().iter().find(|e| e.record == r));
        let before = handed_out.iter().filter(|(index, _, _)| *index < order.record);
        let holding = before.filter_map(|(index, time, body)| held(order, *index, time, body));
        Ok(Reported {
            rest: rest.map(|exhibit| exhibit.id),
            media: order.body.media.iter().map(medium).collect(),
            handed_out: holding.collect(),
            telling: telling(order),
            // A run holds what stood before its own record.
            backups: backups.iter().filter(|b| b.held <= order.record).cloned().collect(),
            named: Places::of(case.names_left(order)?),
            order: order.clone(),
        })
    };
    case.orders().iter().map(reported).collect()
}

/// What a package holds of what an order erases, if anything.
fn held(order: &Ordered, record: u64, time: &str, body: &PackageMade) -> Option<HandedOut> {
    let among =
        |places: &Places, of: &Places| places.0.iter().cloned().flatten().any(|n| of.contains(n));
    let bytes =
        among(&order.body.exhibits, &body.exhibits) || among(&order.body.parts, &body.exhibits);
    let words = || {
        let mut ranges = order.body.fields.0.iter().map(|(range, _)| range.clone());
        ranges.any(|mut range| range.any(|n| body.records.contains(n)))
    };
    (bytes || words()).then(|| HandedOut {
        record,
        time: time.to_owned(),
        recipient: body.recipient.clone(),
        bytes,
    })
}

fn medium(name: &Name) -> (PathBuf, bool) {
    use std::os::unix::ffi::OsStrExt;
    let path = PathBuf::from(std::ffi::OsStr::from_bytes(&name.0));
    let there = path.exists();
    (path, there)
}
