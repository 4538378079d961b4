//! Records of the authority's own log that commit to something: written with their openings, and read
//! back with them.

use std::path::Path;

use ledger::{Authority, Home};
use model::record::{Body, Envelope, Opening, Record, leaf_hash, write};

use crate::desk::now_ms;
use crate::{Error, Result};

/// The authority of a home, else that for practice; nothing is made.
pub(crate) fn authority(home: &Path) -> Result<Authority> {
    let home = Home::new(home);
    let name = home.named()?.unwrap_or_else(|| ledger::PRACTICE.to_owned());
    Ok(home.find(&name)?)
}

/// A record of the authority's own log with its opening, and when it was written.
///
/// # Errors
/// An opening that is lost or another's: what it says is not known then, and must not be passed over.
pub(crate) fn opened(authority: &Authority, index: u64, entry: &[u8]) -> Result<(Body, String)> {
    let lost = |why: String| Error::Authority {
        place: format!("record {index} of the authority's log"),
        message: format!("what it says of parties is lost: {why}"),
    };
    let record = Record::parse(entry).map_err(|e| lost(e.to_string()))?;
    let line = authority.opening(index)?;
    let line = line.ok_or_else(|| lost(format!("the file openings/{index} is missing")))?;
    let opening = Opening::parse_line(&line).map_err(|e| lost(format!("openings/{index}: {e}")))?;
    if opening.record != leaf_hash(entry) {
        return Err(lost(format!("openings/{index} opens another record")));
    }
    record.check_opening(&opening).map_err(|e| lost(format!("openings/{index}: {e}")))?;
    let body = Body::read(&record, &opening).map_err(|e| lost(e.to_string()))?;
    Ok((body, record.time))
}

/// Appends what `decide` makes of the log as it then stands, under the log's lock: nobody decides on what
/// is not so any more. Returns the index of the first record; `None` where there is nothing to record.
///
/// # Errors
/// Those of `decide`; the disk; no passphrase.
pub(crate) fn record(
    home: &Path,
    actor: &str,
    holder: &str,
    decide: impl FnOnce(&Authority) -> Result<Vec<Body>>,
) -> Result<Option<u64>> {
    let authority = Home::new(home).current(&vault::random()?)?;
    let (lock, mut log) = vault::open_log(&authority, holder, vault::Wait::Wait)?;
    let authority = authority.reread()?;
    let bodies = decide(&authority)?;
    if bodies.is_empty() {
        return Ok(None);
    }
    let envelope = Envelope {
        time_ms: now_ms(),
        authority: authority.name().to_owned(),
        actor: actor.to_owned(),
    };
    let first = log.size();
    let mut entries = Vec::with_capacity(bodies.len());
    for (index, body) in (first..).zip(&bodies) {
        let mut salts = Salts::new()?;
        let (bytes, opening) = write(body, &envelope, &mut || salts.next())
            .map_err(|e| Error::Asked(format!("it cannot be recorded: {e}")))?;
        if !opening.fields.is_empty() {
            let line = opening.to_line().map_err(|e| Error::Asked(e.to_string()))?;
            authority.put_opening(&lock, index, &line)?;
        }
        entries.push(bytes);
    }
    log.append(&entries)?;
    vault::finish_log(&authority, log)?;
    Ok(Some(first))
}

/// Fresh salts of one record: SHA-256 of a secret, which is then forgotten, and a counter.
struct Salts {
    secret: [u8; 32],
    count: u64,
}

impl Salts {
    fn new() -> Result<Self> {
        Ok(Self { secret: vault::random()?, count: 0 })
    }

    fn next(&mut self) -> [u8; 32] {
        self.count += 1;
        let mut bytes = b"vigie/salt/v1".to_vec();
        bytes.extend_from_slice(&self.secret);
        bytes.extend_from_slice(&self.count.to_be_bytes());
        model::Sha256Hex::of(&bytes).0
    }
}
