//! Tickets that the case, or one exhibit of it, led to at a clearing house.

use desk::read::Snapshot;
use desk::tickets::Reported;
use maud::{Markup, html};
use model::ExhibitId;

use crate::app::PageError;
use crate::fmt;
use crate::html::hostile::text;
use crate::html::icon::icon;
use crate::html::parts::{Col, copy, table};
use crate::i18n::Lang;
use crate::query::url;

/// Tickets on a page; the log has the rest.
const ROWS: usize = 20;

/// Those that an exhibit led to; nothing where there are none.
pub(crate) fn of_exhibit(
    lang: Lang,
    snapshot: &Snapshot,
    id: &ExhibitId,
) -> Result<Markup, PageError> {
    Ok(section(lang, &snapshot.tickets(Some(id), None, ROWS + 1)?, false))
}

/// Those that the case led to; nothing where there are none.
pub(crate) fn of_case(lang: Lang, snapshot: &Snapshot) -> Result<Markup, PageError> {
    Ok(section(lang, &snapshot.tickets(None, None, ROWS + 1)?, true))
}

fn section(lang: Lang, all: &[Reported], whole: bool) -> Markup {
    if all.is_empty() {
        return html! {};
    }
    let mut cols = vec![
        Col::text(lang.t("led.ticket")).wide(),
        Col::text(lang.t("led.item")),
        Col::number(lang.t("log.record")),
        Col::text(lang.t("history.when")),
    ];
    if whole {
        cols.push(Col::text(lang.t("led.exhibit")));
    }
    let rows = all.iter().take(ROWS).map(|reported| {
        let body = &reported.body;
        let (n, record) = (fmt::number(body.ticket), fmt::number(body.house.record()));
        let at = body.house.to_string();
        let mut row = vec![
            html! {
                (text(&lang.f("led.of", &[("n", &n), ("house", body.house.log()), ("record", &record)])))
                " " (copy(lang, &at))
                @if let Some(note) = &body.note { br; q { (text(note)) } }
            },
            html! {
                @if reported.hidden { span.quiet { (icon("lock")) " " (lang.t("led.withheld")) } }
                @else if let Some(item) = &body.item { (text(item)) }
            },
            html! { a.n href={ "/log/" (reported.record) } { (fmt::number(reported.record)) } },
            html! { time { (reported.time) } },
        ];
        if whole {
            row.push(html! {
                @if let Some(id) = &body.exhibit {
                    a.mono.cut href={ "/exhibit/" (id) } { (id.to_string().chars().take(12).collect::<String>()) }
                }
            });
        }
        row
    });
    html! {
        section aria-labelledby="h-led" {
            h2 #h-led { (lang.t("led.title")) }
            (table(lang.t("led.ticket"), &cols, rows))
            @if all.len() > ROWS {
                p { a href=(url("/log", [("kind", "ticket.reported")])) { (lang.t("led.all")) } }
            }
        }
    }
}
