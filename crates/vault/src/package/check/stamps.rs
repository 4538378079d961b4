//! The time stamps that a package's records keep.

use ledger::{Checkpoint, Trust};
use model::record::{Body, Record};

use super::super::line::Disclosed;
use super::super::stamped::Stamped;
use super::Checked;
use crate::times::{OfLog, Roots, Stamps, Void, anchors};

/// The stamp that a record keeps. One whose token is hidden proves nothing, and is said to.
pub(super) fn stamp(
    line: &Disclosed,
    record: &Record,
    place: &str,
    checkpoint: &Checkpoint,
    stamped: &mut Stamped,
    out: &mut Checked,
) {
    let hidden = record.committed.keys().any(|field| !line.opening.fields.contains_key(field));
    match Body::read(record, &line.opening) {
        Ok(body) => {
            if let Err(e) = stamped.take(line, body, checkpoint) {
                out.find(place, e);
            }
        }
        Err(_) if hidden => {
            out.notes.push(format!("{place}: of its time stamp something is hidden: not checked"));
        }
        Err(e) => out.find(place, e.to_string()),
    }
}

/// What the stamps say together.
pub(super) fn times(
    stamped: Stamped,
    key: Option<&ledger::Keys>,
    trust: Option<&Trust>,
    now_ms: i64,
    out: &mut Checked,
) {
    let anchors = match anchors(trust) {
        Ok(anchors) => anchors,
        Err(e) => return out.find("the trust file", e.to_string()),
    };
    let named = anchors.is_some();
    let log = OfLog { roots: Roots::Proven(&stamped.roots), key };
    let stamps = Stamps::new(stamped.kept, log, anchors, now_ms);
    for (at, kept) in stamps.kept().iter().enumerate() {
        match stamps.verdict(at) {
            Ok(found) if named && found.confirmed.is_none() => out.notes.push(format!(
                "record {}: its time stamp does not count: the trust file names no time authority \
                 that {} could rest on",
                kept.record, found.signer
            )),
            Ok(_) => {}
            Err(Void::Broken(why)) => {
                out.find(
                    format!("record {}", kept.record),
                    format!("its time stamp does not hold: {why}"),
                );
            }
            Err(Void::Unborne(why)) => {
                let place = kept.record;
                out.notes.push(format!("record {place}: its time stamp does not count: {why}"));
            }
        }
    }
    out.time = stamps.covered();
}
