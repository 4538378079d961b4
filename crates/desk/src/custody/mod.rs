//! People and custody: who takes part in the case, who held what, and whether hand-overs hold.
//!
//! Records of these kinds are few, since people write them by hand: they stand whole in one table of
//! the views, and chains are followed anew at each look.

mod acts;
mod check;
mod label;
mod offer;

use std::collections::BTreeSet;

use ledger::note::Signature;
use ledger::{Note, VerifierKey};
use model::commitment::{Commitment, FieldOpening, Salt};
use model::custody::{Book, Chain, Fault, HandOver, Offer, Proof, Side, chain};
use model::record::{Opening, Record, VERSION};
use model::{Canon, ExhibitId, Sha256Hex};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::read::Snapshot;
use crate::{Error, Result};

pub use acts::Act;
pub(crate) use acts::{Known, decide};
pub(crate) use check::{check, check_views};
pub use label::{Label, qr, sheet};
pub use offer::{NewOffer, merge, new_key, read_key, sign};

/// People, items and hand-overs of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Custody {
    /// The origin of the case's log: hand-overs are signed under it.
    pub origin: String,
    /// What the records say.
    pub book: Book,
    /// The exhibits that are withheld as privileged: what describes them is not shown.
    pub hidden: BTreeSet<ExhibitId>,
}

/// An item and its chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held<'a> {
    /// What it is called.
    pub name: &'a str,
    /// As it was registered; `None` where no record that counts does.
    pub item: Option<&'a model::custody::Item>,
    /// True where it is an exhibit that is withheld: then its description is not shown.
    pub hidden: bool,
    /// From hand to hand.
    pub chain: Chain,
}

impl Held<'_> {
    /// What it is, where that may be shown and was not erased.
    pub fn description(&self) -> Option<&str> {
        let body = &self.item.filter(|_| !self.hidden)?.body;
        Some(body.description.as_str()).filter(|text| !text.is_empty())
    }

    /// The item as data.
    pub fn to_json(&self) -> Value {
        let stints = self.chain.stints.iter().map(|s| {
            json!({
                "holder": s.holder, "place": s.place, "seal": s.seal, "record": s.record,
                "since": s.since.to_string(), "until": s.until.map(|until| until.to_string()),
                "in_doubt": s.lost,
            })
        });
        let steps = self.chain.steps.iter().map(|s| {
            json!({
                "record": s.record, "at": s.at.map(|at| at.to_string()), "from": s.from, "to": s.to,
                "place": s.place, "seal_before": s.seal_before, "seal_after": s.seal_after,
                "reason": s.reason, "proofs": s.proofs.map(|sides| sides.map(proof_word)),
            })
        });
        let faults = self.chain.faults.iter();
        let faults = faults.map(|(at, f)| json!({ "record": at, "fault": fault_word(f) }));
        let imaged = self.item.into_iter().flat_map(|item| &item.imaged);
        json!({
            "item": self.name, "description": self.description(),
            "exhibit": self.item.and_then(|i| i.body.exhibit).map(|id| id.to_string()),
            "imaged": imaged.map(|(id, _)| id.to_string()).collect::<Vec<_>>(),
            "holders": self.chain.now().iter().map(|s| &s.holder).collect::<Vec<_>>(),
            "steps": steps.collect::<Vec<_>>(), "stints": stints.collect::<Vec<_>>(),
            "faults": faults.collect::<Vec<_>>(),
        })
    }
}

impl Custody {
    /// What the log itself says.
    pub(crate) fn of_log(case: &vault::Case) -> Result<Self> {
        let mut book = Book::default();
        for entry in case.records(0) {
            let (index, record, opening) = entry?;
            if Book::takes(&record.kind) {
                book.take(index, &record, &opening);
            }
        }
        Ok(Self { origin: case.origin().to_owned(), book, hidden: BTreeSet::new() })
    }

    /// What the views say.
    pub(crate) fn of_views(db: &Connection) -> Result<Self> {
        let origin = crate::views::meta(db, "origin")?.unwrap_or_default();
        let mut hidden =
            db.prepare_cached("SELECT id FROM exhibit WHERE ord IN (SELECT ord FROM hidden)")?;
        let hidden = hidden.query_map([], |row| Ok(ExhibitId(row.get(0)?)))?;
        let hidden = hidden.collect::<std::result::Result<_, _>>()?;
        Ok(Self { origin, book: load(db)?, hidden })
    }

    /// What of a hand-over's sides holds.
    pub fn proofs(&self, hand_over: &HandOver) -> [Proof; 2] {
        Side::BOTH.map(|side| self.proof(hand_over, side))
    }

    fn proof(&self, hand_over: &HandOver, side: Side) -> Proof {
        let Some(line) = hand_over.signature(side) else { return hand_over.read_back(side) };
        if !hand_over.taken.whole {
            return Proof::Withheld;
        }
        let text = Offer::of(&hand_over.body, &self.origin).to_string();
        let key = self.book.key(hand_over.person(side), hand_over.taken.record);
        let holds = key.is_some_and(|key| {
            let (Ok(key), Ok(signature)) = (VerifierKey::parse(key), Signature::parse(line)) else {
                return false;
            };
            key.open_note(&Note { text, signatures: vec![signature] }).is_ok()
        });
        if holds { Proof::Signed } else { Proof::Broken }
    }

    /// An item's chain.
    pub fn chain(&self, item: &str) -> Chain {
        chain(self.book.steps(item, &|hand_over| self.proofs(hand_over)))
    }

    /// An item, where any record names it.
    pub fn held<'a>(&'a self, name: &str) -> Option<Held<'a>> {
        let name = self.book.item_names().into_iter().find(|known| *known == name)?;
        let item = self.book.item(name);
        let exhibit = item.and_then(|item| item.body.exhibit);
        let hidden = exhibit.is_some_and(|id| self.hidden.contains(&id));
        Some(Held { name, item, hidden, chain: self.chain(name) })
    }

    /// Every item, by name.
    pub fn all(&self) -> Vec<Held<'_>> {
        self.book.item_names().into_iter().filter_map(|name| self.held(name)).collect()
    }

    /// The items that are this exhibit, or that it was imaged from.
    pub fn of_exhibit(&self, exhibit: &ExhibitId) -> Vec<&str> {
        let of = |item: &&model::custody::Item| {
            self.book.counts(item.taken.record)
                && (item.body.exhibit.as_ref() == Some(exhibit)
                    || item.imaged.iter().any(|(id, _)| id == exhibit))
        };
        self.book.items.iter().filter(of).map(|item| item.body.item.as_str()).collect()
    }

    /// Faults of all chains.
    pub fn faults(&self) -> usize {
        self.all().iter().map(|held| held.chain.faults.len()).sum()
    }
}

/// The word of a fault: in data, and in catalogues.
pub fn fault_word(fault: &Fault) -> &'static str {
    match fault {
        Fault::Gap { .. } => "gap",
        Fault::Overlap { .. } => "overlap",
        Fault::Early { .. } => "early",
        Fault::Undated => "undated",
        Fault::Seal { .. } => "seal",
        Fault::Unproved { proof, .. } => proof_word(*proof),
    }
}

/// The word of a proof.
pub fn proof_word(proof: Proof) -> &'static str {
    match proof {
        Proof::Signed => "signed",
        Proof::Acknowledged => "acknowledged",
        Proof::Waiting => "waiting",
        Proof::Missing => "missing",
        Proof::Broken => "broken",
        Proof::Withheld => "withheld",
    }
}

/// Every word of [`fault_word`].
pub const FAULTS: [&str; 9] =
    ["gap", "overlap", "early", "undated", "seal", "waiting", "missing", "broken", "withheld"];

/// Every word of [`proof_word`].
pub const PROOFS: [&str; 6] =
    ["signed", "acknowledged", "waiting", "missing", "broken", "withheld"];

impl Snapshot {
    /// People, items and hand-overs.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn custody(&self) -> Result<Custody> {
        Custody::of_views(self.db()?)
    }

    /// Exhibits that came in by themselves and are in nobody's custody yet: no item is one of them,
    /// or was imaged into one of them.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn uncovered(&self, custody: &Custody) -> Result<u64> {
        let standing = custody.book.items.iter().filter(|i| custody.book.counts(i.taken.record));
        let covered: BTreeSet<ExhibitId> = standing
            .flat_map(|i| i.imaged.iter().map(|(id, _)| *id).chain(i.body.exhibit))
            .collect();
        let mut query = self.db()?.prepare_cached(
            "SELECT id FROM exhibit WHERE container IS NULL AND container_erased IS NULL
             AND ord NOT IN (SELECT ord FROM hidden)
             AND id NOT IN (SELECT exhibit FROM laid)",
        )?;
        let mut found = query.query([])?;
        let mut count = 0;
        while let Some(row) = found.next()? {
            count += u64::from(!covered.contains(&ExhibitId(row.get(0)?)));
        }
        Ok(count)
    }
}

/// A record enters the views: its values as they are opened, and which of its fields are not.
pub(crate) fn keep(db: &Connection, at: i64, record: &Record, opening: &Opening) -> Result<()> {
    let values = opening.fields.iter().map(|(name, field)| (name.clone(), field.value.clone()));
    let gone = record.committed.keys().filter(|name| !opening.fields.contains_key(*name));
    db.prepare_cached(
        "INSERT OR IGNORE INTO custody (record, kind, time, hash, fields, withheld)
         VALUES (?, ?, ?, ?, ?, ?)",
    )?
    .execute((
        at,
        &record.kind,
        &record.time,
        opening.record.0.as_slice(),
        Canon::Map(values.collect()).to_string(),
        gone.map(String::as_str).collect::<Vec<_>>().join(" "),
    ))?;
    Ok(())
}

/// What [`keep`] kept, read as the log's own records are.
fn load(db: &Connection) -> Result<Book> {
    let odd = || Error::Table("the views hold a record on custody that is none".to_owned());
    let mut book = Book::default();
    let mut query = db.prepare_cached(
        "SELECT record, kind, time, hash, fields, withheld FROM custody ORDER BY record",
    )?;
    let mut found = query.query([])?;
    while let Some(row) = found.next()? {
        let (fields, withheld): (String, String) = (row.get(4)?, row.get(5)?);
        let Ok(Canon::Map(values)) = Canon::parse_unbounded(fields.as_bytes()) else {
            return Err(odd());
        };
        let gone = withheld.split(' ').filter(|name| !name.is_empty()).map(str::to_owned);
        let names = values.keys().cloned().chain(gone);
        // Commitments were checked when the record was read from the log; nothing looks at them here.
        let record = Record {
            v: VERSION,
            kind: row.get(1)?,
            time: row.get(2)?,
            authority: String::new(),
            public: Default::default(),
            committed: names.map(|name| (name, Commitment([0; 32]))).collect(),
        };
        let open = |value| FieldOpening { salt: Salt([0; 32]), value };
        let opening = Opening {
            record: Sha256Hex(row.get(3)?),
            fields: values.into_iter().map(|(name, value)| (name, open(value))).collect(),
            leaf_secrets: Vec::new(),
            erased: Vec::new(),
        };
        book.take(row.get::<_, i64>(0)? as u64, &record, &opening);
    }
    Ok(book)
}

#[cfg(test)]
mod tests;
