//! Going along a log's entries with their openings.

use std::path::{Path, PathBuf};

use ledger::Finding;
use ledger::tree::Hash;
use model::record::{Body, Opening, Record, RecordError};
use model::{Canon, ExhibitId};

use super::erased;
use crate::case::authority_of;
use crate::erase::Ordered;
use crate::error::Result;
use crate::openings::{Lines, first_of, lacking};
use crate::times::Kept;

/// An exhibit that the records name.
pub(super) struct Named {
    pub(super) index: u64,
    pub(super) id: ExhibitId,
    pub(super) size: u64,
    pub(super) root: model::Sha256Hex,
    pub(super) leaf_secrets: Vec<String>,
    pub(super) in_place: Option<PathBuf>,
}

/// Goes along the entries with their openings.
pub(super) struct Walk {
    dir: PathBuf,
    origin: String,
    files: Vec<u64>,
    lines: Option<(u64, std::result::Result<Lines, String>)>,
    pub(super) exhibits: Vec<Named>,
    pub(super) seals: Vec<erased::Seal>,
    pub(super) orders: Vec<Ordered>,
    /// Committed fields without an opening.
    pub(super) missing: Vec<(u64, String)>,
    pub(super) unread: erased::Unread,
    /// True where a record is of a version that is not known here.
    unknown: bool,
    pub(super) findings: Vec<Finding>,
    pub(super) notes: Vec<String>,
    pub(super) stamps: Vec<Kept>,
}

impl Walk {
    pub(super) fn new(dir: &Path, origin: &str) -> Result<Self> {
        let names = crate::openings::names(&dir.join("vault/openings"))?;
        let mut files: Vec<u64> = names.iter().filter_map(|name| first_of(name)).collect();
        files.sort_unstable();
        Ok(Self {
            dir: dir.to_owned(),
            origin: origin.to_owned(),
            files,
            lines: None,
            exhibits: Vec::new(),
            seals: Vec::new(),
            orders: Vec::new(),
            missing: Vec::new(),
            unread: erased::Unread::new(),
            unknown: false,
            findings: Vec::new(),
            notes: Vec::new(),
            stamps: Vec::new(),
        })
    }

    fn find(&mut self, place: String, message: impl Into<String>) {
        self.findings.push(Finding { place, message: message.into() });
    }

    pub(super) fn entry(&mut self, index: u64, entry: &[u8], leaf: &Hash) {
        let place = format!("ledger entry {index}");
        let record = match Record::parse(entry) {
            Ok(record) => record,
            Err(RecordError::Version(v)) => {
                self.notes.push(format!("{place} has version {v}, which is not known here"));
                self.unknown = true;
                return;
            }
            Err(e) => return self.find(place, e.to_string()),
        };
        match record.check_fields() {
            Ok(()) => {}
            Err(e @ RecordError::Kind(_)) => self.notes.push(format!("{place}: {e}")),
            Err(e) => self.find(place.clone(), e.to_string()),
        }
        if record.authority != authority_of(&self.origin) {
            self.find(place.clone(), "it names another authority than the log's");
        }
        let opened_origin = record.public.get("origin").and_then(Canon::as_text);
        if (index == 0) != (record.kind == "case.opened")
            || (index == 0 && opened_origin != Some(&self.origin))
        {
            self.find(place.clone(), "the log must begin with the opening of the case, once");
        }
        let Some(opening) = self.opening(index, leaf) else {
            self.unread.insert(index);
            return;
        };
        if let Err(e) = record.check_opening(&opening) {
            self.unread.insert(index);
            let first = self.lines.as_ref().map_or(index, |(first, _)| *first);
            let file = crate::openings::file_name(first);
            let line = index - first + 1;
            return self.find(place, format!("{e} (vault/openings/{file} line {line})"));
        }
        self.missing.extend(erased::missing(&record, &opening).map(|field| (index, field)));
        if record.kind == "exhibit.sealed" {
            let root = record.public.get("root").and_then(Canon::as_text);
            self.seals.push(erased::Seal {
                index,
                root: root.and_then(|root| root.parse().ok()),
                leaf_secrets: opening.leaf_secrets.clone(),
                erased: opening.erased.clone(),
            });
        } else if !opening.leaf_secrets.is_empty() || !opening.erased.is_empty() {
            self.find(place.clone(), "its opening holds leaf secrets, but it seals no exhibit");
        }
        match Body::read_left(&record, &opening) {
            Ok(Body::ErasureOrdered(body)) => {
                let (time, actor) = (record.time.clone(), record.actor(&opening));
                self.orders.push(Ordered { record: index, time, actor, body });
            }
            Ok(Body::ExhibitSealed(body)) => {
                use std::os::unix::ffi::OsStrExt;
                self.exhibits.push(Named {
                    index,
                    id: body.exhibit,
                    size: body.size,
                    root: body.root,
                    leaf_secrets: opening.leaf_secrets,
                    in_place: body
                        .in_place
                        .map(|p| PathBuf::from(std::ffi::OsStr::from_bytes(&p.0))),
                });
            }
            Ok(body @ (Body::CheckpointStamped(_) | Body::ExhibitStamped(_))) => {
                self.stamps.extend(Kept::of(index, body));
            }
            Ok(_) | Err(RecordError::Kind(_) | RecordError::Withheld(_)) => {}
            Err(e) => self.find(place, e.to_string()),
        }
    }

    fn opening(&mut self, index: u64, leaf: &Hash) -> Option<Opening> {
        let at = self.files.partition_point(|first| *first <= index);
        let Some(first) = at.checked_sub(1).and_then(|at| self.files.get(at)).copied() else {
            let (missing, why) = lacking(index, 0, 0);
            self.find(format!("vault/openings/{missing}"), why);
            return None;
        };
        let place = format!("vault/openings/{}", crate::openings::file_name(first));
        if self.lines.as_ref().is_none_or(|(number, _)| *number != first) {
            let lines = Lines::read(&self.dir.join(&place)).map_err(|e| e.found());
            if let Err(e) = &lines {
                let next =
                    self.files.get(at).map_or_else(String::new, |n| format!(" to {}", n - 1));
                self.find(place.clone(), format!("{e} (openings of the entries {first}{next})"));
            }
            if let (Ok(lines), Some(next)) = (&lines, self.files.get(at))
                && first + lines.len() > *next
            {
                self.find(place.clone(), "it has more lines than records");
            }
            self.lines = Some((first, lines));
        }
        let Some((_, Ok(lines))) = &self.lines else { return None };
        let Some(line) = lines.get(index - first) else {
            let (missing, why) = lacking(index, first, lines.len());
            self.find(format!("vault/openings/{missing}"), why);
            return None;
        };
        let line_place = format!("{place} line {}", index - first + 1);
        let result = match Opening::parse_line(line) {
            Err(e) => Err(e.to_string()),
            Ok(opening) if opening.record.0 != *leaf => {
                Err(format!("it opens another record than entry {index}"))
            }
            Ok(opening) => Ok(opening),
        };
        result.map_err(|e| self.find(line_place, e)).ok()
    }

    /// True where every record that came by could be read, with its opening.
    pub(super) fn read_whole(&self) -> bool {
        self.findings.is_empty() && self.unread.is_empty() && !self.unknown
    }

    /// After the last entry; `holds` where the log is known to be sound and to end there.
    pub(super) fn end(&mut self, entries: u64, holds: bool) {
        if let Some((first, Ok(lines))) = &self.lines
            && first + lines.len() > entries
        {
            let place = format!("vault/openings/{}", crate::openings::file_name(*first));
            self.find(place, "it has more lines than records");
        }
        let mut beyond = self.files.iter().filter(|first| **first >= entries);
        if !holds {
            if let Some(first) = beyond.next() {
                let more = match beyond.count() {
                    0 => String::new(),
                    n => format!(" and {n} more files"),
                };
                self.notes.push(format!(
                    "vault/openings/{}{more}: the log is damaged, so that it cannot be known whether \
                     records go with them: remove nothing, and restore the log from a copy",
                    crate::openings::file_name(*first)
                ));
            }
            return;
        }
        for first in beyond {
            self.notes.push(format!(
                "vault/openings/{} is of no record yet: a run is under way or was interrupted; the next \
                 run drops what was never committed",
                crate::openings::file_name(*first)
            ));
        }
    }
}
