//! The last backup, and the last time that one was tried: a line of the overview.

use desk::read::Backups;
use maud::{Markup, html};

use crate::fmt;
use crate::html::hostile;
use crate::i18n::Lang;

/// The line.
pub(crate) fn line(lang: Lang, backups: &Backups) -> Markup {
    let day = |time: &str| time.get(..10).unwrap_or(time).to_owned();
    html! {
        dt { (lang.t("provable.backup")) }
        dd {
            @match &backups.made {
                None => { (lang.t("provable.no_backup")) }
                Some(made) => {
                    (lang.n("provable.backup_made", made.held, &[
                        ("when", &day(&made.time)),
                        ("records", &fmt::number(backups.records)),
                    ]))
                    " " span.quiet { (hostile::short(&made.destination, 60)) }
                    @if made.findings > 0 {
                        " · " strong { (lang.n("provable.backup_findings", made.findings, &[])) }
                    }
                    br;
                    @match &backups.drilled {
                        None => { (lang.t("provable.no_drill")) }
                        Some(drill) => {
                            @if drill.holds() { (lang.f("provable.drilled", &[("when", &day(&drill.time))])) }
                            @else {
                                strong { (lang.n("provable.drill_failed", drill.findings, &[("when", &day(&drill.time))])) }
                            }
                            @if drill.behind > 0 { " · " (lang.n("provable.drill_behind", drill.behind, &[])) }
                            " " span.quiet { (hostile::short(&drill.destination, 60)) }
                        }
                    }
                }
            }
        }
    }
}
