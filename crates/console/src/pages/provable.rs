//! Whether the case can be proven, and to whom: at a glance on the overview, in full above the log.

use desk::read::{Backups, Provable, Stamped};
use desk::witness::Required;
use maud::{Markup, html};

use crate::fmt;
use crate::html::hostile;
use crate::html::parts::{Col, command, table};
use crate::i18n::Lang;

/// The glance: of the overview. Not live: it changes when somebody asks for it.
pub(crate) fn glance(lang: Lang, p: &Provable, backups: &Backups) -> Markup {
    html! {
        section aria-labelledby="h-provable" {
            h2 #h-provable { (lang.t("provable.title")) }
            dl.facts.wide {
                dt { (lang.t("provable.checkpoint")) }
                dd { a href="/log" { (lang.n("provable.records", p.records, &[])) } }
                dt { (lang.t("provable.witnesses")) }
                dd { (witnessed(lang, p)) }
                dt { (lang.t("provable.time")) }
                dd { (time(lang, p)) }
                (super::backups::line(lang, backups))
                dt { (lang.t("provable.custody")) }
                dd { (custody(lang, p)) }
            }
            p.quiet { (lang.t("provable.how")) " " code { (desk::shell::here("vigie verify --trust FILE")) } }
        }
    }
}

/// Above the log: its checkpoint whole, who cosigned it, and its time stamps.
pub(crate) fn of_log(lang: Lang, p: &Provable) -> Markup {
    html! {
        section aria-labelledby="h-checkpoint" {
            h2 #h-checkpoint { (lang.t("provable.checkpoint")) }
            dl.facts.wide {
                dt { (lang.t("provable.covers")) } dd { (lang.n("provable.records", p.records, &[])) }
                dt { (lang.t("provable.witnesses")) } dd { (witnessed(lang, p)) }
                dt { (lang.t("provable.time")) } dd { (time(lang, p)) }
            }
            @if !p.stamps.is_empty() { (stamps(lang, &p.stamps)) }
            details {
                summary { (lang.t("provable.note")) }
                p.quiet { (lang.t("provable.note_why")) }
                (command(lang, &p.checkpoint))
            }
        }
    }
}

/// Who cosigned, or that nobody did; what contradicts the log stands first.
fn witnessed(lang: Lang, p: &Provable) -> Markup {
    let Some(standing) = &p.witnesses else { return html! { (lang.t("provable.no_home")) } };
    let case = desk::shell::quoted_path(&p.case);
    let compare = format!("vigie witness compare --evidence FILE --case {case}");
    html! {
        @for size in &standing.contradicted {
            div { span.state.is-wrong { (lang.n("provable.contradicted", *size, &[])) } " "
                code { (desk::shell::here(&compare)) } }
        }
        @if standing.by.is_empty() { (lang.t("provable.unwitnessed")) }
        @else {
            ul.plain {
                @for (name, size, time) in &standing.by {
                    li {
                        (hostile::short(name, 60)) (lang.colon()) " "
                        (lang.n("provable.cosigned", *size, &[("time", &fmt::moment(i64::try_from(*time).unwrap_or(i64::MAX)))]))
                    }
                }
            }
        }
        @if let Some(required) = standing.required() {
            div { (required_text(lang, required)) }
        }
    }
}

/// How far the authority's own policy was reached.
fn required_text(lang: Lang, required: Required) -> Markup {
    let Required { quorum, named, reached } = required;
    let (quorum, named) = (fmt::number(quorum), fmt::number(named as u64));
    let with: &[(&str, &str)] = &[("quorum", &quorum), ("named", &named)];
    html! {
        @if reached == 0 { span.state.is-wrong { (lang.f("provable.required_none", with)) } }
        @else { (lang.n("provable.required", reached, with)) }
    }
}

fn time(lang: Lang, p: &Provable) -> Markup {
    match &p.time {
        None => html! { (lang.t("provable.no_time")) },
        Some((by, covered)) => html! {
            (lang.n("provable.by", *covered, &[("time", &fmt::moment_ms(by.ms))]))
            " " span.quiet { (hostile::short(&by.authority, 60)) }
        },
    }
}

/// Items, and what is wrong with their chains.
fn custody(lang: Lang, p: &Provable) -> Markup {
    let chains = &p.custody;
    html! {
        a href="/custody" {
            @if chains.items == 0 { (lang.t("provable.no_items")) }
            @else if chains.faults == 0 { (lang.n("provable.chains_whole", chains.items, &[])) }
            @else {
                span.state.is-wrong {
                    (lang.n("provable.chains_wrong", chains.faults, &[("items", &lang.n("custody.items", chains.items, &[]))]))
                }
            }
        }
        @if chains.uncovered > 0 { "; " (lang.n("provable.uncovered", chains.uncovered, &[])) }
    }
}

fn stamps(lang: Lang, stamps: &[Stamped]) -> Markup {
    let cols = [
        Col::number(lang.t("log.record")),
        Col::text(lang.t("provable.stamp_over")),
        Col::text(lang.t("provable.stamp_says")),
        Col::text(lang.t("provable.stamp_until")),
        Col::text(lang.t("provable.stamp_by")).wide(),
    ];
    let rows = stamps.iter().map(|stamp| {
        let (says, until) = match &stamp.verdict {
            Ok((says, until)) => (
                html! { time { (fmt::moment_ms(*says)) } },
                html! {
                    time { (fmt::moment_ms(*until)) }
                    @if !stamp.stands { " " span.state.is-wrong { (lang.t("provable.stamp_lapsed")) } }
                },
            ),
            Err(why) => (
                html! {
                    span.state.is-wrong { (lang.t("provable.stamp_broken")) }
                    " " span.quiet lang="en" { (hostile::text(why)) }
                },
                html! {},
            ),
        };
        vec![
            html! { a.n href={ "/log/" (stamp.record) } { (fmt::number(stamp.record)) } },
            match stamp.covers {
                Some(n) => html! { (lang.n("provable.records", n, &[])) },
                None => html! { (lang.t("provable.stamp_exhibit")) },
            },
            says,
            until,
            hostile::text(&stamp.authority),
        ]
    });
    table(lang.t("provable.stamps"), &cols, rows)
}
