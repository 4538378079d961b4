//! What a run copies of a case's vault, and what it takes away there.

use std::collections::{BTreeSet, HashMap};
use std::io::Read;

use model::ExhibitId;
use sha2::{Digest, Sha256};

use super::copy::{Run, name_of, read, sizes, with_cause};
use super::error::Result;
use super::store::get;
use super::{EXHIBITS, MAX_OPENINGS, OPENINGS, staged};
use crate::case::Case;
use crate::openings::{file_name, first_of, names};

impl Run<'_> {
    /// Openings: those that are new at once, and the names of those that an order wrote anew.
    pub(super) fn openings(&mut self, case: &Case) -> Result<Vec<String>> {
        let there = sizes(self.store.list(OPENINGS)?);
        let dir = case.dir().join(OPENINGS);
        let touched = self.touched(case)?;
        let mut firsts: Vec<u64> = names(&dir)?.iter().filter_map(|name| first_of(name)).collect();
        firsts.retain(|first| *first < self.made.size);
        firsts.sort_unstable();
        let mut rewritten = Vec::new();
        for first in &firsts {
            let file = file_name(*first);
            let name = format!("{OPENINGS}/{file}");
            let path = dir.join(&file);
            let found = there.get(&name).copied();
            let ours = path.metadata().map_err(|e| crate::Error::material("look at", &path, e))?;
            let old = *first < self.made.before;
            self.made.completed |= found.is_some() && !old;
            let look = self.made.checked || !old || touched.contains(first);
            if found == Some(ours.len()) && !look {
                continue;
            }
            let bytes = read(&path, MAX_OPENINGS)?;
            // A longer one is not what it should be.
            let most = MAX_OPENINGS.max(found.unwrap_or(0));
            if found.is_some() && get(self.store, &name, most)?.as_deref() == Some(&bytes[..]) {
                continue;
            }
            match found {
                Some(_) if old && touched.contains(first) => rewritten.push(file),
                None if !old => self.put(&name, &bytes)?,
                _ => {
                    // What a run that was cut off left is no damage.
                    if old {
                        self.made.repaired.push(name.clone());
                    }
                    self.store.put(&name, &bytes)?;
                    self.put_down(&name, Sha256::digest(&bytes).into(), bytes.len() as u64)?;
                }
            }
        }
        let ours: BTreeSet<String> =
            firsts.iter().map(|first| format!("{OPENINGS}/{}", file_name(*first))).collect();
        for name in there.keys().filter(|name| !ours.contains(*name)) {
            if name.rsplit('/').next().and_then(first_of).is_none() {
                self.alien(name);
                continue;
            }
            self.store.destroy(name)?;
            self.made.repaired.push(name.clone());
        }
        Ok(rewritten)
    }

    /// Files of openings that orders which the backup does not hold yet had written anew.
    fn touched(&self, case: &Case) -> Result<BTreeSet<u64>> {
        let mut out = BTreeSet::new();
        for order in case.orders().iter().filter(|order| order.record >= self.made.before) {
            let body = &order.body;
            let fields = body.fields.0.iter().map(|(range, _)| range);
            for range in body.exhibits.0.iter().chain(&body.parts.0).chain(fields) {
                for record in range.clone() {
                    out.insert(case.openings.first_of_record(record)?);
                }
            }
        }
        Ok(out)
    }

    /// Exhibits' bytes; gives what is there.
    pub(super) fn exhibits(&mut self, case: &Case) -> Result<HashMap<String, u64>> {
        let there = sizes(self.store.list(EXHIBITS)?);
        for exhibit in case.exhibits() {
            if let Some(path) = &exhibit.in_place {
                self.made.outside.push((exhibit.record, path.clone()));
                continue;
            }
            let name = name_of(&exhibit.id);
            let found = there.get(&name).copied();
            self.made.completed |= found.is_some() && exhibit.record >= self.made.before;
            let mut good = found == Some(exhibit.size);
            if good && self.made.checked {
                good = self.hash_of(&name)? == Some(exhibit.id.0);
                (self.progress)(exhibit.size);
            }
            if !good {
                good = self.copy(case, &exhibit.id, &name, exhibit.size)?;
                match (found, good) {
                    // New, or gone from there.
                    (None, true) if exhibit.record < self.made.before => {
                        self.made.repaired.push(name);
                    }
                    (None, _) => {}
                    (Some(_), true) => self.made.repaired.push(name),
                    (Some(_), false) => {
                        let place = format!("{} of {}", name, self.store.shown());
                        self.find(place, "it is damaged, and so is the case's own");
                    }
                }
            }
            if good {
                self.made.exhibits += 1;
                self.made.bytes += exhibit.size;
            }
        }
        Ok(there)
    }

    /// Copies an exhibit, whose hash is its name; false where its bytes are other ones by now.
    fn copy(&mut self, case: &Case, id: &ExhibitId, name: &str, size: u64) -> Result<bool> {
        let mut bytes = match case.bytes(id) {
            Ok(bytes) => bytes,
            Err(e) => {
                self.find(name, with_cause(&e));
                return Ok(false);
            }
        };
        let mut upload = self.store.begin(name)?;
        let (mut hash, mut buffer, mut read) = (Sha256::new(), vec![0; 256 << 10], 0u64);
        loop {
            match bytes.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) if read + n as u64 <= size => {
                    hash.update(&buffer[..n]);
                    upload.append(&buffer[..n])?;
                    (self.progress)(n as u64);
                    read += n as u64;
                }
                Ok(_) => {
                    self.find(name, format!("it is longer than the {size} bytes that were sealed"));
                    return Ok(false);
                }
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => {
                    self.find(name, format!("byte {read}: it cannot be read: {e}"));
                    return Ok(false);
                }
            }
        }
        let hash: [u8; 32] = hash.finalize().into();
        if hash != id.0 {
            self.find(name, "its bytes are not those that were sealed: they were not copied");
            return Ok(false);
        }
        upload.finish()?;
        self.put_down(name, hash, size)?;
        Ok(true)
    }

    pub(super) fn stage(&mut self, case: &Case, rewritten: &[String]) -> Result<()> {
        for file in rewritten {
            let bytes = read(&case.dir().join(OPENINGS).join(file), MAX_OPENINGS)?;
            self.put(&staged(self.made.size, file), &bytes)?;
            self.made.rewritten += 1;
        }
        Ok(())
    }

    /// What the log that stands there now says is gone goes, and what it has no use for.
    pub(super) fn take_away(
        &mut self,
        case: &Case,
        rewritten: &[String],
        there: &HashMap<String, u64>,
    ) -> Result<()> {
        for file in rewritten {
            let from = staged(self.made.size, file);
            let bytes = get(self.store, &from, MAX_OPENINGS)?.unwrap_or_default();
            self.store.put(&format!("{OPENINGS}/{file}"), &bytes)?;
            self.store.destroy(&from)?;
        }
        let kept: BTreeSet<String> = (case.exhibits().iter())
            .filter(|exhibit| exhibit.in_place.is_none())
            .map(|exhibit| name_of(&exhibit.id))
            .collect();
        for name in there.keys().filter(|name| !kept.contains(*name)) {
            // Only an order takes anything away, and only what a backup put there.
            let id = name.rsplit('/').next().and_then(|id| id.parse::<ExhibitId>().ok());
            if case.orders().is_empty() || id.is_none_or(|id| name_of(&id) != *name) {
                self.alien(name);
                continue;
            }
            self.store.destroy(name)?;
            self.made.erased += 1;
            // The run that brought the orders here should have.
            let before = self.made.before;
            self.made.completed |= case.orders().iter().all(|order| order.record < before);
        }
        Ok(())
    }
}
