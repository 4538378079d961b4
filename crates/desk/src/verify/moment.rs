//! Verifying the views while a writer may change them.

use std::path::Path;

use vault::Case;

use super::Report;
use crate::Result;
use crate::read::Reader;

/// How often the views are looked at again where something is wrong with them and a writer went on
/// meanwhile: he may have replaced what was being read.
const LOOKS: usize = 3;

/// Verifies the views as they stood at one moment.
pub(super) fn views_of(
    mut case: Case,
    dir: &Path,
    progress: &(dyn Fn(u64) + Sync),
    report: &mut Report,
) -> Result<()> {
    let unread = |error, report: &mut Report| {
        if ledger::is_held(&dir.join("lock")) {
            report.notes.push(
                "the views are being written anew, and were not verified: verify again when the command \
                 that does so has ended"
                    .to_owned(),
            );
        } else {
            report.find("views.sqlite", super::of_views(error, dir));
        }
    };
    let reader = match Reader::open(dir) {
        Ok(reader) => reader,
        Err(error) => {
            unread(error, report);
            return Ok(());
        }
    };
    let (findings, notes) = (report.findings.len(), report.notes.len());
    for look in 1..=LOOKS {
        report.findings.truncate(findings);
        report.notes.truncate(notes);
        (report.facts, report.rows) = (0, 0);
        let snapshot = match reader.snapshot() {
            Ok(snapshot) => snapshot,
            Err(error) => {
                unread(error, report);
                return Ok(());
            }
        };
        // They may be of more records than stood in the log when it was proved, never of more than
        // stand there now.
        let applied = crate::views::meta::<i64>(snapshot.db()?, "applied");
        if let Ok(Some(applied)) = applied
            && applied as u64 > case.len()
            && let Ok(later) = Case::read_up_to(dir, applied as u64)
        {
            case = later;
        }
        if let Err(error) = super::views(&case, snapshot.db()?, dir, progress, report) {
            report.find("views.sqlite", super::of_views(error, dir));
        }
        let moment = snapshot.moment();
        drop(snapshot);
        let past = || reader.snapshot().map_or(true, |now| now.moment() != moment);
        if report.findings.len() == findings || look == LOOKS || !past() {
            break;
        }
    }
    Ok(())
}
