//! Verifying the views while a writer may change them.

use std::path::Path;
use std::time::Duration;

use vault::Case;

use super::Report;
use crate::read::Reader;
use crate::{Error, Result};

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
    let (findings, notes) = (report.findings.len(), report.notes.len());
    let writer = || ledger::is_held(&dir.join("lock"));
    let reader = Reader::open(dir);
    for look in 1..=LOOKS {
        report.findings.truncate(findings);
        report.notes.truncate(notes);
        (report.facts, report.rows) = (0, 0);
        let snapshot = match reader.as_ref().map(Reader::snapshot) {
            Ok(Ok(snapshot)) => snapshot,
            Err(Error::NoViews(_)) | Ok(Err(Error::NoViews(_))) => {
                report.notes.push(unfinished(dir, writer()));
                return Ok(());
            }
            // He may be throwing them away.
            _ if look < LOOKS && writer() => {
                std::thread::sleep(Duration::from_millis(200));
                continue;
            }
            Ok(Err(error)) => {
                report.find("views.sqlite", super::of_views(error, dir));
                return Ok(());
            }
            Err(error) => {
                report.find("views.sqlite", error.to_string());
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
        let now = || reader.as_ref().ok()?.snapshot().ok().map(|now| now.moment());
        let past = || now() != Some(moment);
        if report.findings.len() == findings || look == LOOKS || !past() {
            break;
        }
    }
    Ok(())
}

/// What is told of views that are not built to the end.
fn unfinished(dir: &Path, writer: bool) -> String {
    if writer {
        return "the views are being written, and were not verified: verify again when the command that \
                does so has ended"
            .to_owned();
    }
    format!(
        "the views are not whole, since the command that made them was stopped: the next `vigie open`, or \
         `vigie views rebuild --case {}`, makes them",
        crate::shell::quoted_path(dir)
    )
}
