//! `verify` looks at hand-overs again: signatures by the enrolled keys, words by the records' hashes.

use model::custody::{Proof, Side};

use super::Custody;
use crate::Result;
use crate::verify::Report;

/// Checks what the log says of people and custody. What is wrong is of the evidence.
pub(crate) fn check(case: &vault::Case, report: &mut Report) -> Result<()> {
    let custody = Custody::of_log(case)?;
    for hand_over in &custody.book.hand_overs {
        let record = hand_over.taken.record;
        let place = format!("record {record}, a hand-over of {}", hand_over.body.item);
        for (side, proof) in Side::BOTH.into_iter().zip(custody.proofs(hand_over)) {
            let person = hand_over.person(side);
            match proof {
                Proof::Signed | Proof::Acknowledged => {}
                Proof::Broken => report.find(
                    &place,
                    format!("what {person} signed or read back does not fit the record"),
                ),
                Proof::Missing => report.find(&place, format!("{person} has not signed it")),
                Proof::Waiting => {
                    report.notes.push(format!("{place}: {person} has not acknowledged it yet"));
                }
                Proof::Withheld => report.notes.push(format!(
                    "{place}: part of it is withheld or erased, so the signature of {person} cannot \
                     be checked"
                )),
            }
        }
    }
    for record in &custody.book.withheld {
        report.notes.push(format!("record {record} on custody is withheld or erased"));
    }
    let unproved =
        |fault: &model::custody::Fault| matches!(fault, model::custody::Fault::Unproved { .. });
    let all = custody.all();
    let broken = all.iter().filter(|held| held.chain.faults.iter().any(|(_, f)| !unproved(f)));
    for held in broken {
        report.notes.push(format!(
            "the custody of {} is not without a gap or a contradiction: `vigie custody show` lists it",
            held.name
        ));
    }
    Ok(())
}

/// Checks that the views say of custody what the log says.
pub(crate) fn check_views(
    case: &vault::Case,
    db: &rusqlite::Connection,
    applied: u64,
    report: &mut Report,
) -> Result<()> {
    let (mut log, views) = (Custody::of_log(case)?, Custody::of_views(db)?);
    if applied < case.len() {
        return Ok(()); // views that are behind were told above
    }
    log.hidden.clone_from(&views.hidden);
    if log != views {
        report.find("views.sqlite", "what it says of people and custody is not what the log says");
    }
    Ok(())
}
