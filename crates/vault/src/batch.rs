//! A commit: exhibits and openings durable first, then their records by one flush of the log.

use std::collections::HashSet;
use std::ops::Range;

use ledger::disk;
use model::record::{Body, Envelope, ExhibitReceived, ExhibitSealed, Name, Record, write};
use model::{ExhibitId, Sha256Hex};
use sha2::{Digest, Sha256};

use crate::case::Case;
use crate::error::{Error, Result};
use crate::ggm::Node;
use crate::origin::{Origin, Stamp};
use crate::stage::{How, Staged};

/// What became of an exhibit that was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// New to the case.
    Sealed,
    /// The case has it; that it came from this source too is recorded.
    Received,
    /// The case has it from this very source: nothing to record.
    Known,
}

#[derive(Debug)]
struct Item {
    body: Body,
    secret: Option<[u8; 32]>,
    /// Who acts, where that is another than the commit's.
    actor: Option<String>,
}

/// Records in the making. Nothing of it is seen, or durable, before [`Batch::commit`]; dropped, it
/// never was.
#[derive(Debug)]
pub struct Batch<'a> {
    case: &'a mut Case,
    items: Vec<Item>,
    files: disk::Batch,
    sealed: HashSet<ExhibitId>,
    sources: HashSet<[u8; 32]>,
}

impl Case {
    /// Begins a batch.
    pub fn batch(&mut self) -> Batch<'_> {
        Batch {
            case: self,
            items: Vec::new(),
            files: disk::Batch::new(),
            sealed: HashSet::new(),
            sources: HashSet::new(),
        }
    }
}

impl Batch<'_> {
    /// Adds staged material with its origin.
    ///
    /// # Errors
    /// The disk.
    pub fn seal(&mut self, staged: Staged, origin: &Origin) -> Result<Added> {
        let Staged { id, size, how, note } = staged;
        let source = origin.key(&id);
        let first_time =
            self.sources.insert(source) && !self.case.knows_source(&source, &id, origin)?;
        let member = origin.member.clone();
        let (container, name, codec, offset) = match member {
            Some(m) => (Some(m.container), Some(m.name), Some(m.codec), m.offset),
            None => (None, None, None, None),
        };
        let known = self.case.exhibit(&id)?.is_some() || self.sealed.contains(&id);
        let (root, secret, in_place) = match how {
            _ if known && !first_time => return Ok(Added::Known),
            How::Copied { file, root, secret } if !known => {
                self.case.add_exhibit_file(&mut self.files, file, &id)?;
                (root, secret, None)
            }
            How::InPlace { path, root, secret } if !known => {
                use std::os::unix::ffi::OsStrExt;
                (root, secret, Some(Name(path.as_os_str().as_bytes().to_vec())))
            }
            How::Known if !known => return Err(Error::NoExhibit(id)),
            _ => {
                let body = ExhibitReceived {
                    exhibit: id,
                    source: origin.source.clone(),
                    item: origin.item.clone(),
                    authorisation: origin.authorisation.clone(),
                    seized_by: origin.seized_by.clone(),
                    at: origin.at.clone(),
                    container,
                    member: name,
                    codec,
                    offset,
                    note,
                };
                self.items.push(Item { body: body.into(), secret: None, actor: None });
                return Ok(Added::Received);
            }
        };
        let body = ExhibitSealed {
            root,
            exhibit: id,
            size,
            source: origin.source.clone(),
            item: origin.item.clone(),
            authorisation: origin.authorisation.clone(),
            seized_by: origin.seized_by.clone(),
            at: origin.at.clone(),
            container,
            member: name,
            codec,
            offset,
            in_place,
            note,
        };
        self.items.push(Item { body: body.into(), secret: Some(secret), actor: None });
        self.sealed.insert(id);
        Ok(Added::Sealed)
    }

    /// Adds what is left of an exhibit of which a part is to be erased: `body` says how it came in.
    /// Where the case has these very bytes already, there is nothing to add.
    pub(crate) fn seal_rest(&mut self, staged: Staged, body: ExhibitSealed) -> Result<()> {
        let Staged { id, size, how, .. } = staged;
        if let How::Copied { file, root, secret } = how {
            self.case.add_exhibit_file(&mut self.files, file, &id)?;
            let body = ExhibitSealed { exhibit: id, size, root, in_place: None, ..body };
            self.items.push(Item { body: body.into(), secret: Some(secret), actor: None });
            self.sealed.insert(id);
        }
        Ok(())
    }

    /// Adds a record.
    pub fn record(&mut self, body: impl Into<Body>) {
        self.items.push(Item { body: body.into(), secret: None, actor: None });
    }

    /// Adds a record of another person's act: what several people asked for is made durable at once.
    pub fn record_by(&mut self, actor: &str, body: impl Into<Body>) {
        let actor = Some(actor.to_owned());
        self.items.push(Item { body: body.into(), secret: None, actor });
    }

    /// Records added so far.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// True where nothing was added.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Makes it so: exhibits and openings durable, then the records in the log by one flush. Returns
    /// the new records' indices, in the order of adding.
    ///
    /// # Errors
    /// A body too large for a record (nothing was written, the case goes on); the disk (open the
    /// case again: all of the batch is then in it, or nothing).
    pub fn commit(mut self, stamp: &Stamp) -> Result<Range<u64>> {
        let first = self.case.len();
        self.case.writer()?;
        if self.items.is_empty() {
            return Ok(first..first);
        }
        let mut envelope = Envelope {
            time_ms: stamp.now_ms,
            authority: self.case.authority().to_owned(),
            actor: String::new(),
        };
        let mut salts = Salter::new()?;
        let (mut entries, mut openings, mut lines) = (Vec::new(), Vec::new(), Vec::new());
        for (index, item) in (first..).zip(&self.items) {
            let of = |source| Error::Record { index, source };
            envelope.actor.clone_from(item.actor.as_ref().unwrap_or(&stamp.actor));
            let (bytes, mut opening) =
                write(&item.body, &envelope, &mut || salts.next()).map_err(of)?;
            opening.leaf_secrets = item.secret.iter().map(|s| Node::root(*s).to_text()).collect();
            lines.extend_from_slice(&opening.to_line().map_err(|e| of(e.into()))?);
            lines.push(b'\n');
            entries.push(bytes);
            openings.push(opening);
        }
        if lines.len() as u64 > crate::openings::MAX_LINES {
            return Err(ledger::Error::TooLarge(lines.len()).into());
        }
        self.case.broken = true; // until the disk has answered
        let (file, path) = self.case.openings_file(&lines)?;
        let mut files = std::mem::take(&mut self.files);
        files.add(file, path, disk::Overwrite::Replace)?;
        files.commit()?;
        self.case.broken = false;
        if let Err(e) = self.case.writer()?.log.append(&entries) {
            self.case.broken = true;
            return Err(e.into());
        }
        self.case.openings_added(first);
        for ((index, entry), opening) in (first..).zip(&entries).zip(&openings) {
            let record = Record::parse(entry).map_err(|source| Error::Record { index, source })?;
            self.case.take_in(index, &record, opening)?;
        }
        // It is committed: who hears of an error must not take it for not.
        self.case.be_seen().inspect_err(|_| self.case.broken = true)?;
        Ok(first..self.case.len())
    }
}

/// Salts of one commit: SHA-256 of a fresh secret, which is then forgotten, and a counter.
struct Salter {
    secret: [u8; 32],
    count: u64,
}

impl Salter {
    fn new() -> Result<Self> {
        Ok(Self { secret: crate::random()?, count: 0 })
    }

    fn next(&mut self) -> [u8; 32] {
        self.count += 1;
        let mut hash = Sha256::new();
        hash.update(b"vigie/salt/v1");
        hash.update(self.secret);
        hash.update(self.count.to_be_bytes());
        Sha256Hex(hash.finalize().into()).0
    }
}
