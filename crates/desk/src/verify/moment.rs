//! Verifying the views while a writer may change them.

use std::path::Path;
use std::time::{Duration, Instant};

use vault::Case;

use super::Report;
use crate::read::{Reader, known};
use crate::{Error, Result};

/// How often the views are looked at again where something is wrong with them and a writer went on
/// meanwhile: he may have replaced what was being read.
const LOOKS: usize = 3;

/// How long a writer is waited for where something is wrong with the views while he is at work.
const MOST: Duration = Duration::from_secs(10);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(200);

/// Verifies the views as they stood at one moment. What is wrong with them while a writer is at work is
/// no finding: files and tables are made and removed before the views say so, and he may be at that.
pub(super) fn views_of(
    mut case: Case,
    dir: &Path,
    progress: &(dyn Fn(u64) + Sync),
    report: &mut Report,
) -> Result<()> {
    let (findings, notes) = (report.findings.len(), report.notes.len());
    if let Some(what) = known::against(dir, true) {
        report.find_evidence("ledger", what);
        return Ok(());
    }
    let writer = || ledger::is_held(&dir.join("lock"));
    let begun = Instant::now();
    for look in 1.. {
        report.findings.truncate(findings);
        report.notes.truncate(notes);
        (report.facts, report.rows) = (0, 0);
        let reader = Reader::open_still(dir);
        let moment = match reader.as_ref().map(Reader::snapshot) {
            Ok(Ok(snapshot)) => {
                // They may be of more records than stood in the log when it was proved, never of more
                // than stand there now.
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
                Some(snapshot.moment())
            }
            Err(Error::NoViews(_)) | Ok(Err(Error::NoViews(_))) => {
                report.notes.push(unfinished(dir, writer()));
                return Ok(());
            }
            Ok(Err(error)) => {
                report.find("views.sqlite", super::of_views(error, dir));
                None
            }
            Err(error) => {
                report.find("views.sqlite", error.to_string());
                None
            }
        };
        if report.findings.len() == findings {
            break;
        }
        // Asked first: whoever ended since then has changed the views before he did.
        let working = writer();
        let now = || Some(reader.as_ref().ok()?.snapshot().ok()?.moment());
        if !working && (moment.is_none() || now() == moment) {
            break;
        }
        if look >= LOOKS && begun.elapsed() >= MOST {
            report.findings.truncate(findings);
            report.notes.truncate(notes);
            (report.facts, report.rows) = (0, 0);
            report.notes.push(unfinished(dir, true));
            break;
        }
        std::thread::sleep(PAUSE);
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
