//! Between which moments what is shown entered the log, as far as time stamps say.

use std::collections::BTreeMap;

use ledger::{Keys, Trust};
use model::ExhibitId;
use model::record::Body;
use rusqlite::OptionalExtension;
use vault::Records;
use vault::times::{Bound, Bounds, Kept, OfLog, Roots, Stamps, anchors};

use super::{EntityPage, Snapshot, Source};
use crate::{Error, Result};

/// When an exhibit entered the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The exhibit.
    pub exhibit: ExhibitId,
    /// Its name where it was found: hostile text.
    pub name: String,
    /// The record that sealed it.
    pub record: u64,
    /// Between which moments that record entered the log.
    pub bounds: Bounds,
    /// By when its bytes were there, where it was stamped itself.
    pub stamped: Option<Bound>,
}

/// The exhibits that a page's values, links and keys were read from, as far as it shows them.
pub fn entered_from(page: &EntityPage) -> Vec<ExhibitId> {
    let values = page.properties.iter().flat_map(|group| group.values.iter().map(|v| &v.2));
    let keys = page.keys.iter().filter_map(|(_, source)| source.as_ref());
    let links = page.links.iter().flat_map(|group| &group.links);
    let links = links.filter_map(|link| link.source.as_ref());
    let mut out: Vec<ExhibitId> = Vec::new();
    for Source { exhibit, .. } in values.chain(keys).chain(links) {
        if !out.contains(exhibit) {
            out.push(*exhibit);
        }
    }
    out
}

impl Snapshot {
    /// When these exhibits entered the log, in its order. Those that are unknown or withheld are
    /// left out. With a trust file, only the time authorities that it names count.
    ///
    /// # Errors
    /// The views or the log cannot be read; a certificate in the trust file is none.
    pub fn entries(&self, exhibits: &[ExhibitId], trust: Option<&Trust>) -> Result<Vec<Entry>> {
        let mut query = self.db()?.prepare_cached(
            "SELECT ord, name FROM exhibit WHERE id = ? AND ord NOT IN (SELECT ord FROM hidden)",
        )?;
        let mut found: BTreeMap<i64, (ExhibitId, String)> = BTreeMap::new();
        for id in exhibits {
            let row = query.query_row([id.0.as_slice()], |row| Ok((row.get(0)?, row.get(1)?)));
            if let Some((ord, name)) = row.optional()? {
                found.insert(ord, (*id, name));
            }
        }
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let records = Records::open(self.dir())?;
        let key = vault::named_keys(records.log())?;
        let stamps = self.stamps(&records, key.as_ref(), trust)?;
        Ok(found
            .into_iter()
            .map(|(ord, (exhibit, name))| Entry {
                exhibit,
                name,
                record: ord as u64,
                bounds: stamps.bounds(ord as u64),
                stamped: stamps.exhibit_by(&exhibit),
            })
            .collect())
    }

    /// The stamps that the log keeps, judged together.
    pub(super) fn stamps<'a>(
        &self,
        records: &'a Records,
        key: Option<&'a Keys>,
        trust: Option<&Trust>,
    ) -> Result<Stamps<'a>> {
        let anchors = anchors(trust).map_err(|e| Error::Asked(format!("the trust file: {e}")))?;
        let mut query = self.db()?.prepare_cached("SELECT record FROM stamp ORDER BY record")?;
        let stamped = query.query_map([], |row| row.get::<_, i64>(0))?;
        let mut kept = Vec::new();
        for index in stamped {
            let index = index? as u64;
            let (record, opening) = records.get(index)?;
            let body = Body::read_left(&record, &opening).ok();
            kept.extend(body.and_then(|body| Kept::of(index, body)));
        }
        let log = OfLog { roots: Roots::Log(records.log()), key };
        Ok(Stamps::new(kept, log, anchors, crate::desk::now_ms()))
    }
}
