//! What the reader's own trust file and the log's time stamps add to a verification.

use std::path::Path;

use ledger::note::NoteError;
use ledger::{Keys, Note, Reader, Trust};
use vault::times::{Bound, Kept, OfLog, Roots, Stamps, Void, anchors};

use crate::desk::now_ms;
use crate::time::AHEAD_MS;
use crate::verify::Report;
use crate::{Error, Result};

/// What time stamps say of a whole log. They bound the entry of records into it, never the events
/// that records tell of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timed {
    /// Stamps that records keep.
    pub stamps: usize,
    /// Those that stand: verified, of an authority that is taken, and not expired uncovered.
    pub standing: usize,
    /// By when the first record was in the log.
    pub first: Option<Bound>,
    /// By when the records below [`Timed::covered`] were.
    pub by: Option<Bound>,
    /// How many records from the first on the newest standing stamp covers.
    pub covered: u64,
    /// After when the records beyond this one's entered.
    pub after: Option<Bound>,
    /// Authorities of standing stamps, and whether the reader's file names them.
    pub authorities: Vec<(String, bool)>,
}

/// What witnesses say of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Witnessing {
    /// Each that cosigned: its name, how many entries, and when, in seconds since the epoch.
    pub by: Vec<(String, u64, u64)>,
    /// True where the reader's own file names them, and not the authority alone.
    pub confirmed: bool,
    /// True where as many cosigned one checkpoint as the reader's file asks for.
    pub quorum: bool,
    /// The authority's own policy, where its folder is at hand.
    pub policy: Option<crate::witness::Required>,
}

/// Holds the log's last checkpoint, and those beside it that witnesses cosigned (`witnessed`), against
/// the reader's file; without one, against the witnesses that the authority names.
pub(crate) fn signer(
    dir: &Path,
    home: &Path,
    trust: Option<&Trust>,
    witnessed: &[Note],
    report: &mut Report,
) {
    // A home without the authority names nobody.
    let standing = crate::witness::standing(home, crate::Which::Case(dir));
    report.witnessing.policy = standing.as_ref().ok().and_then(|standing| standing.required());
    let Some(trust) = trust else {
        if let Ok(standing) = standing {
            report.witnessing.by = standing.by;
            for (size, why) in standing.broken {
                report.find_evidence(format!("ledger/witnessed/{size}"), why);
            }
        }
        return;
    };
    // A checkpoint whose signature did not hold was told already.
    let Some(note) = &report.checkpoint else { return };
    let policy = Note::parse(note).and_then(|note| trust.policy_of(&note));
    let policy = match policy {
        Ok(policy) => policy,
        Err(e) => {
            let more = match report.rotations.last() {
                Some(last) if e == NoteError::OtherKey => format!(
                    ": since record {} the key {} signs here, which it does not name. Where you have \
                     that key from the authority itself, add the line `log {1}`",
                    last.record,
                    last.new.text()
                ),
                _ => String::new(),
            };
            let what = format!("by the trust file: {e}{more}");
            return report.find_evidence("ledger/checkpoint", what);
        }
    };
    report.signer_confirmed = true;
    let (wanted, mut most) = (policy.quorum, 0);
    for note in witnessed {
        let size = ledger::Checkpoint::of_text(&note.text).map_or(0, |c| c.size);
        // Cosigned before a rotation, it is signed by a key of then. Who cosigned is told, whether
        // they are enough or not.
        let opened = match trust.policy_of(note) {
            Ok(policy) => ledger::Policy { quorum: 0, ..policy }.open(note),
            Err(NoteError::OtherKey) if !report.rotations.is_empty() => {
                report.notes.push(format!(
                    "ledger/witnessed/{size} does not count: it was signed by a key that was replaced \
                     since, and that the trust file does not name"
                ));
                continue;
            }
            Err(e) => Err(e.into()),
        };
        match opened {
            Ok(found) => {
                most = most.max(found.by.len());
                for (name, time) in found.by {
                    // The greatest comes first.
                    if report.witnessing.by.iter().all(|(by, ..)| *by != name) {
                        report.witnessing.by.push((name, size, time));
                    }
                }
            }
            Err(e) => report.find_evidence(format!("ledger/witnessed/{size}"), e.to_string()),
        }
    }
    report.witnessing.confirmed = !report.witnessing.by.is_empty();
    report.witnessing.quorum = wanted > 0 && most >= wanted;
    if most < wanted {
        let why = ledger::ProofError::Unwitnessed { found: most, wanted };
        report.find_evidence("ledger/witnessed", format!("by the trust file: {why}"));
    }
}

/// Verifies the stamps and says what follows from them.
///
/// # Errors
/// A certificate in the trust file is none.
pub(crate) fn times(
    dir: &Path,
    kept: Vec<Kept>,
    key: Option<&Keys>,
    trust: Option<&Trust>,
    report: &mut Report,
) -> Result<()> {
    let anchors = anchors(trust).map_err(|e| Error::Asked(format!("the trust file: {e}")))?;
    // A log that cannot be read was told already.
    let Ok(reader) = Reader::open(&dir.join("ledger")) else { return Ok(()) };
    let named = anchors.is_some();
    let stamps = Stamps::new(kept, OfLog { roots: Roots::Log(&reader), key }, anchors, now_ms());
    let mut timed = Timed { stamps: stamps.kept().len(), ..Timed::default() };
    for (at, kept) in stamps.kept().iter().enumerate() {
        let place = format!("ledger entry {}", kept.record);
        match stamps.verdict(at) {
            Ok(found) => {
                if named && found.confirmed.is_none() {
                    report.notes.push(format!(
                        "{place}: its time stamp does not count: the trust file names no time \
                         authority that {} could rest on",
                        found.signer
                    ));
                }
            }
            Err(Void::Broken(why)) => {
                report.find_evidence(&place, format!("its time stamp does not hold: {why}"));
            }
            Err(Void::Unborne(why)) => {
                report.notes.push(format!("{place}: its time stamp no longer counts: {why}"));
            }
        }
        if !stamps.stands(at) {
            continue;
        }
        timed.standing += 1;
        if let Ok(found) = stamps.verdict(at) {
            let name = found.confirmed.clone().unwrap_or_else(|| found.signer.clone());
            let authority = (name, found.confirmed.is_some());
            if !timed.authorities.contains(&authority) {
                timed.authorities.push(authority);
            }
        }
        timed.covered = timed.covered.max(kept.covered().unwrap_or(0));
    }
    for (record, expired_ms) in stamps.lapsed() {
        report.notes.push(format!(
            "ledger entry {record}: its time stamp no longer counts: the authority's certificates \
             expired on {}, before a later stamp covered it",
            moment(expired_ms)
        ));
    }
    for (record, expires_ms) in stamps.expiring(AHEAD_MS) {
        report.notes.push(format!(
            "ledger entry {record}: its time stamp expires on {}, and no later one carries it on: \
             stamp the case again before then (`vigie stamp`)",
            moment(expires_ms)
        ));
    }
    timed.first = stamps.bounds(0).by;
    if let Some(last) = timed.covered.checked_sub(1) {
        timed.by = stamps.bounds(last).by;
    }
    timed.after = stamps.bounds(u64::MAX).after;
    report.timed = timed;
    Ok(())
}

/// Milliseconds since 1970 as records write them.
fn moment(ms: i64) -> String {
    // Certificates may be said to last beyond what a record can write.
    if (0..253_402_300_800_000).contains(&ms) {
        model::record::time_text(ms)
    } else {
        "a day beyond the year 9999".to_owned()
    }
}
