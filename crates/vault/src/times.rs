//! What a case's time stamps say together: between which moments a record entered the log.
//!
//! A token over a checkpoint bounds from above what the checkpoint covers. The token stands in the
//! log itself, so that what follows it is bounded from below. Both are of entry into the log, never
//! of the event that a record tells of.
//!
//! A token whose chain has expired goes on counting where a later one, while the chain still held,
//! covered the record that keeps it (the idea of RFC 4998).

use std::cell::OnceCell;
use std::collections::BTreeMap;

use ledger::tree::Hash;
use ledger::{Checkpoint, Keys, Reader, TimeAuthority, Trust, TrustError};
use model::record::{Blob, Body};
use model::{ExhibitId, Sha256Hex};

use crate::stamp::{Anchor, Certificate, Crl, Pool, StampError, Token, Verified};

/// What a stamp is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Covers {
    /// A checkpoint of the log: the signed note, whole.
    Checkpoint(String),
    /// An exhibit's bytes.
    Exhibit(ExhibitId),
}

/// A stamp as a record keeps it; nothing of it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The record.
    pub record: u64,
    /// What it is over.
    pub covers: Covers,
    /// The token (DER).
    pub token: Vec<u8>,
    /// Certificates (DER) kept with it.
    pub certificates: Vec<Blob>,
    /// Lists of revoked certificates (DER) kept with it.
    pub crls: Vec<Blob>,
}

impl Kept {
    /// The stamp that the record keeps, where it keeps one.
    pub fn of(record: u64, body: Body) -> Option<Self> {
        match body {
            Body::CheckpointStamped(b) => Some(Self {
                record,
                covers: Covers::Checkpoint(b.checkpoint),
                token: b.token.0,
                certificates: b.certificates,
                crls: b.crls,
            }),
            Body::ExhibitStamped(b) => Some(Self {
                record,
                covers: Covers::Exhibit(b.exhibit),
                token: b.token.0,
                certificates: b.certificates,
                crls: b.crls,
            }),
            _ => None,
        }
    }

    /// How many records it covers, where it covers a checkpoint.
    pub fn covered(&self) -> Option<u64> {
        match &self.covers {
            Covers::Checkpoint(note) => {
                Checkpoint::parse_unverified(note).ok().map(|checkpoint| checkpoint.size)
            }
            Covers::Exhibit(_) => None,
        }
    }
}

/// The time authorities that a reader's file names; `None` where he has no file.
///
/// # Errors
/// A line whose certificate is none.
pub fn anchors(trust: Option<&Trust>) -> Result<Option<Vec<Anchor>>, TrustError> {
    let Some(trust) = trust else { return Ok(None) };
    let anchor = |time: &TimeAuthority| match Certificate::parse(&time.certificate) {
        Ok(certificate) => Ok(Anchor { name: time.name.clone(), certificate }),
        Err(e) => Err(TrustError { line: time.line, what: format!("time {}: {e}", time.name) }),
    };
    trust.times().iter().map(anchor).collect::<Result<_, _>>().map(Some)
}

/// Why a stamp says nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Void {
    /// The record or its token is not what was once verified and recorded.
    #[error("{0}")]
    Broken(String),
    /// Its authority's certificate does not bear it: revoked since, or not at hand.
    #[error("{0}")]
    Unborne(String),
}

/// A moment on one side of a record's entry into the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// Milliseconds since 1970.
    pub ms: i64,
    /// The record of the stamp that says so.
    pub record: u64,
    /// The authority: the reader's name for it where he confirms it, else its certificate's.
    pub authority: String,
    /// True where the reader's own file names the authority.
    pub confirmed: bool,
}

/// Between which moments a record entered the log, as far as stamps say. Of the event itself they
/// say only that it was not after the later one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Not before.
    pub after: Option<Bound>,
    /// Not later than.
    pub by: Option<Bound>,
}

/// Where the roots over a log's first entries come from.
#[derive(Debug, Clone, Copy)]
pub enum Roots<'a> {
    /// The log itself.
    Log(&'a Reader),
    /// Proofs that a checkpoint goes on from them: by number of entries.
    Proven(&'a BTreeMap<u64, Hash>),
}

impl Roots<'_> {
    fn at(&self, size: u64) -> Result<Hash, String> {
        match self {
            Self::Log(reader) => reader.root_at(size).map_err(|e| e.to_string()),
            Self::Proven(roots) => {
                roots.get(&size).copied().ok_or_else(|| "nothing proves it".to_owned())
            }
        }
    }
}

/// The log that stamps stand in.
#[derive(Debug, Clone, Copy)]
pub struct OfLog<'a> {
    /// Its roots.
    pub roots: Roots<'a>,
    /// Its keys.
    pub key: Option<&'a Keys>,
}

/// A case's stamps. Each is verified when it is first asked for.
#[derive(Debug)]
pub struct Stamps<'a> {
    kept: Vec<Kept>,
    verdicts: Vec<OnceCell<Result<Verified, Void>>>,
    standing: Vec<OnceCell<bool>>,
    pool: Pool,
    log: OfLog<'a>,
    /// `None` where the reader names nobody: then whoever signed counts, and is not confirmed.
    anchors: Option<Vec<Anchor>>,
    now_ms: i64,
}

impl<'a> Stamps<'a> {
    /// The stamps, in the order of their records.
    pub fn new(kept: Vec<Kept>, log: OfLog<'a>, anchors: Option<Vec<Anchor>>, now_ms: i64) -> Self {
        let pool = Self::pool_of(&kept);
        let verdicts = kept.iter().map(|_| OnceCell::new()).collect();
        let standing = kept.iter().map(|_| OnceCell::new()).collect();
        Self { kept, verdicts, standing, pool, log, anchors, now_ms }
    }

    /// Certificates and lists that stamps keep, all together: each proves itself.
    pub fn pool_of(kept: &[Kept]) -> Pool {
        let mut pool = Pool::default();
        for stamp in kept {
            // What does not read is missed where it is needed, and told there.
            for Blob(der) in &stamp.certificates {
                if let Ok(certificate) = Certificate::parse(der) {
                    pool.add_certificate(certificate);
                }
            }
            for Blob(der) in &stamp.crls {
                if let Ok(crl) = Crl::parse(der) {
                    pool.add_crl(crl);
                }
            }
        }
        pool
    }

    /// The stamps.
    pub fn kept(&self) -> &[Kept] {
        &self.kept
    }

    /// What verifying the stamp at that place found.
    pub fn verdict(&self, at: usize) -> &Result<Verified, Void> {
        static NONE: Result<Verified, Void> = Err(Void::Broken(String::new()));
        let (Some(cell), Some(kept)) = (self.verdicts.get(at), self.kept.get(at)) else {
            return &NONE;
        };
        cell.get_or_init(|| self.verify(kept))
    }

    fn verify(&self, kept: &Kept) -> Result<Verified, Void> {
        let digest = match &kept.covers {
            Covers::Exhibit(id) => id.0,
            Covers::Checkpoint(note) => {
                self.check_note(kept.record, note).map_err(Void::Broken)?;
                Sha256Hex::of(note.as_bytes()).0
            }
        };
        let anchors = self.anchors.as_deref().unwrap_or_default();
        let found = Token::parse(&kept.token)
            .and_then(|token| token.verify(&digest, None, &self.pool, anchors));
        found.map_err(|e| match e {
            StampError::Field { .. } | StampError::Refused { .. } => Void::Broken(e.to_string()),
            StampError::Certificate { .. } | StampError::Chain { .. } => {
                Void::Unborne(e.to_string())
            }
        })
    }

    /// The checkpoint is this log's own, signed by its key of then, of a tree that this one goes on from.
    fn check_note(&self, record: u64, note: &str) -> Result<(), String> {
        let checkpoint = match self.log.key {
            Some(key) => key.open(note),
            None => Checkpoint::parse_unverified(note),
        };
        let checkpoint = checkpoint.map_err(|e| format!("the checkpoint it is over: {e}"))?;
        if checkpoint.size > record {
            return Err("it is over a checkpoint that came after it".to_owned());
        }
        match self.log.roots.at(checkpoint.size) {
            Ok(root) if root == checkpoint.root => Ok(()),
            Ok(_) => Err("it is over a checkpoint of another log".to_owned()),
            Err(e) => Err(format!("the log's root over {} entries: {e}", checkpoint.size)),
        }
    }

    /// How many records the stamp at that place covers.
    fn size(&self, at: usize) -> u64 {
        self.kept.get(at).and_then(Kept::covered).unwrap_or(0)
    }

    /// True where the stamp's chain still holds, or a later stamp covered it while it did.
    pub fn stands(&self, at: usize) -> bool {
        let (Some(cell), Some(kept)) = (self.standing.get(at), self.kept.get(at)) else {
            return false;
        };
        if let Some(known) = cell.get() {
            return *known;
        }
        let stands = match self.verdict(at) {
            Err(_) => false,
            Ok(found) if !self.is_taken(found) => false,
            Ok(found) if found.expires_ms >= self.now_ms => true,
            Ok(found) => self.covering(at, kept.record, found.expires_ms).is_some(),
        };
        *cell.get_or_init(|| stands)
    }

    fn is_taken(&self, found: &Verified) -> bool {
        self.anchors.is_none() || found.confirmed.is_some()
    }

    /// A later stamp that stands, and covered a record before a moment. The newest is asked first:
    /// it is the likeliest to stand, and later ones never lean on earlier ones.
    fn covering(&self, at: usize, record: u64, before_ms: i64) -> Option<usize> {
        (at + 1..self.kept.len()).rev().find(|later| {
            self.size(*later) > record
                && self.verdict(*later).as_ref().is_ok_and(|v| v.info.latest_ms <= before_ms)
                && self.stands(*later)
        })
    }

    fn bound(&self, at: usize, ms: impl Fn(&Verified) -> i64) -> Option<Bound> {
        let found = self.verdict(at).as_ref().ok().filter(|_| self.stands(at))?;
        Some(Bound {
            ms: ms(found),
            record: self.kept.get(at)?.record,
            authority: found.confirmed.clone().unwrap_or_else(|| found.signer.clone()),
            confirmed: found.confirmed.is_some(),
        })
    }

    /// Between which moments the record at `index` entered the log.
    pub fn bounds(&self, index: u64) -> Bounds {
        let before = self.kept.partition_point(|kept| kept.record < index);
        let after = (0..before).rev().find_map(|at| self.bound(at, |v| v.info.earliest_ms));
        let by = (0..self.kept.len())
            .filter(|at| self.size(*at) > index)
            .find_map(|at| self.bound(at, |v| v.info.latest_ms));
        Bounds { after, by }
    }

    /// By when how many of the log's first records were in it, by the stamp that covers most of them.
    pub fn covered(&self) -> Option<(u64, Bound)> {
        let standing = (0..self.kept.len()).filter(|at| self.stands(*at));
        let covered = standing.map(|at| self.size(at)).max().filter(|covered| *covered > 0)?;
        Some((covered, self.bounds(covered - 1).by?))
    }

    /// By when an exhibit's bytes were there, where it was stamped itself.
    pub fn exhibit_by(&self, id: &ExhibitId) -> Option<Bound> {
        let of = Covers::Exhibit(*id);
        let stamps = self.kept.iter().enumerate().filter(|(_, kept)| kept.covers == of);
        stamps.filter_map(|(at, _)| self.bound(at, |v| v.info.latest_ms)).min_by_key(|b| b.ms)
    }

    /// Stamps that stand, whose chain expires within `ahead_ms` from now, and which no later stamp
    /// covers yet: the record and the moment. A fresh stamp carries them on.
    pub fn expiring(&self, ahead_ms: i64) -> Vec<(u64, i64)> {
        let soon = self.now_ms.saturating_add(ahead_ms);
        let stamps = self.kept.iter().enumerate().filter(|(at, _)| self.stands(*at));
        stamps
            .filter_map(|(at, kept)| {
                let expires = self.verdict(at).as_ref().ok()?.expires_ms;
                let lasting =
                    |later: usize| self.verdict(later).as_ref().is_ok_and(|v| v.expires_ms > soon);
                let carried = || {
                    (at + 1..self.kept.len())
                        .rev()
                        .any(|l| self.size(l) > kept.record && self.stands(l) && lasting(l))
                };
                (expires <= soon && !carried()).then_some((kept.record, expires))
            })
            .collect()
    }

    /// The stamps that hold and have expired uncovered: the record, and when.
    pub fn lapsed(&self) -> Vec<(u64, i64)> {
        let stamps = self.kept.iter().enumerate().filter(|(at, _)| !self.stands(*at));
        stamps
            .filter_map(|(at, kept)| {
                let found = self.verdict(at).as_ref().ok().filter(|v| self.is_taken(v))?;
                Some((kept.record, found.expires_ms))
            })
            .collect()
    }
}
