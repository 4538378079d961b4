//! A record of the house's log in words, and the capture that an item rests on.

use axum::extract::{Extension, Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use desk::clearing::read::{self, Log};
use maud::{Markup, html};
use model::ExhibitId;
use model::record::ShieldNotice;
use shield::order::step::{Deed, StopCause};
use shield::order::{Scope, TicketId, Turn};

use super::parts::{self, moment};
use super::{asked, framed, look, whose, with};
use crate::app::{App, PageError, fail};
use crate::fmt;
use crate::gate::Who;
use crate::harm::harm_verdict;
use crate::html::hostile::{mono, text};
use crate::html::{Page, Place};
use crate::i18n::Lang;
use crate::params::Param;

/// The most deeds of one record that a page tells one by one.
const MOST: usize = 50;

/// True of a deed on a ticket or an item of it.
pub(super) fn is_of(deed: &Deed, id: TicketId) -> bool {
    match deed {
        Deed::Submitted(ticket) => ticket.id == id,
        Deed::RenewalAsked { ticket, .. } => *ticket == id,
        Deed::Turned { item, .. }
        | Deed::Objected { item, .. }
        | Deed::ObjectionOverdue { item, .. }
        | Deed::ObjectionUpheld { item, .. }
        | Deed::ObjectionDismissed { item, .. } => item.ticket() == id,
        Deed::Stopped { scope, .. }
        | Deed::ResumeAsked { scope, .. }
        | Deed::Resumed { scope, .. } => *scope == Scope::Ticket(id),
        _ => false,
    }
}

/// What was decided, a deed a line.
pub(super) fn deeds<'a>(lang: Lang, deeds: impl Iterator<Item = &'a Deed>) -> Markup {
    let all: Vec<&Deed> = deeds.collect();
    let more = all.len().saturating_sub(MOST);
    html! {
        ul.deeds { @for deed in all.iter().take(MOST) { li { (one(lang, deed)) } } }
        @if more > 0 { p.quiet { (lang.n("history.more", more as u64, &[])) } }
    }
}

/// A notice that did not go out. What the relay said is for who reads all tickets.
pub(super) fn not_sent(lang: Lang, notice: &ShieldNotice, all: bool) -> Markup {
    let key =
        if notice.turn == "given_up" { "history.notice_given_up" } else { "history.notice_failed" };
    let n = fmt::number(notice.tries);
    let names = [("to", notice.to.as_str()), ("n", n.as_str()), ("item", notice.item.as_str())];
    html! {
        (text(&lang.f(key, &names)))
        @if all && !notice.reason.is_empty() { " " q { (text(&notice.reason)) } }
    }
}

/// One deed: its word, on what, and why.
fn one(lang: Lang, deed: &Deed) -> Markup {
    html! {
        strong { (lang.t(&format!("deed.{}", deed.word()))) } " " (about(lang, deed)) (why(lang, deed))
    }
}

fn about(lang: Lang, deed: &Deed) -> Markup {
    match deed {
        Deed::OrderGiven(order) => html! { (text(order.id.as_str())) },
        Deed::Announced(event) => html! { (text(event.id.as_str())) },
        Deed::Extended { event, until } => html! { (text(event.as_str())) " · " (moment(*until)) },
        Deed::Submitted(ticket) => {
            html! { (lang.n("history.items", ticket.items.len() as u64, &[])) }
        }
        Deed::RenewalAsked { ticket, until } => html! { (ticket) " · " (moment(*until)) },
        Deed::Turned { item, turn } => html! {
            a href={ "/tickets/" (item.ticket()) "#i-" (item.ticket()) "-" (item.place()) } { (item) }
            @match turn {
                Turn::Captured(evidence) => { " · " (parts::capture(&evidence.exhibit, item.ticket())) },
                Turn::Uploaded { exhibit } | Turn::Approved { exhibit, .. } => { " · " (parts::capture(exhibit, item.ticket())) },
                Turn::Released { expires } | Turn::Renewed { expires, .. } => { " · " (lang.t("items.until")) " " (moment(*expires)) },
                Turn::Checked { outcome, .. } => {
                    " · " (harm_verdict(lang, outcome.verdict))
                    @if let Some(code) = outcome.code { " (" (code) ")" }
                },
                _ => {},
            }
        },
        Deed::Objected { item, due, .. } => {
            html! { (item) " · " (lang.t("objections.due")) " " (moment(*due)) }
        }
        Deed::ObjectionOverdue { item, .. }
        | Deed::ObjectionUpheld { item, .. }
        | Deed::ObjectionDismissed { item, .. } => html! { (item) },
        Deed::HarmReported { value, .. } | Deed::HarmGrouped { value } => mono(&value.to_string()),
        Deed::ControlSeen { control, .. } | Deed::ControlLost { control, .. } => {
            mono(&control.to_string())
        }
        Deed::EventEnded { event, .. } => html! { (text(event.as_str())) },
        Deed::OrderEnded { order, .. } => html! { (text(order.as_str())) },
        Deed::ExceptionProposed { cover, .. }
        | Deed::ExceptionApproved { cover }
        | Deed::ExceptionRevoked { cover, .. } => mono(&cover.to_string()),
        Deed::Stopped { scope, .. }
        | Deed::ResumeAsked { scope, .. }
        | Deed::Resumed { scope, .. } => parts::scope(lang, scope),
    }
}

fn why(lang: Lang, deed: &Deed) -> Markup {
    let (cause, grounds) = match deed {
        Deed::Turned { turn: Turn::Refused { denial, grounds }, .. } => {
            (Some(lang.t_owned(&format!("denial.{}", denial.word()))), grounds.as_ref())
        }
        Deed::Turned { turn: Turn::Lifted { cause, grounds, .. }, .. } => {
            (Some(lang.t_owned(&format!("lift_cause.{}", cause.word()))), grounds.as_ref())
        }
        Deed::Turned { turn: Turn::Approved { grounds, .. }, .. } => (None, grounds.as_ref()),
        Deed::Turned { turn: Turn::Suspended { worry, .. }, .. } => {
            (Some(lang.t_owned(&format!("worry.{}", worry.word()))), None)
        }
        Deed::Turned { turn: Turn::Reinstated { grounds }, .. }
        | Deed::ObjectionUpheld { grounds, .. }
        | Deed::ObjectionDismissed { grounds, .. }
        | Deed::ExceptionProposed { grounds, .. }
        | Deed::ExceptionRevoked { grounds, .. }
        | Deed::OrderEnded { grounds, .. }
        | Deed::EventEnded { grounds, .. }
        | Deed::ResumeAsked { grounds, .. }
        | Deed::Resumed { grounds, .. }
        | Deed::Stopped { why: StopCause::Person(grounds), .. } => (None, Some(grounds)),
        Deed::Stopped { why, .. } => {
            (Some(lang.t_owned(&format!("stop_cause.{}", why.word()))), None)
        }
        _ => (None, None),
    };
    html! {
        @if let Some(cause) = cause { " · " (cause) }
        @if let Some(grounds) = grounds { " · " q { (text(grounds.as_str())) } }
    }
}

/// `GET /log/{index}`.
pub(crate) async fn page(
    State(app): State<App>,
    Extension(_): Extension<Who>,
    Path(index): Path<String>,
    request: Request,
) -> Response {
    let (ctx, notes) = asked(&request, &[]);
    let lang = ctx.lang;
    let Ok(index) = index.parse::<u64>() else { return fail(&ctx, &PageError::NotFound) };
    let found = with(&app, move |clearing| {
        let dir = clearing.keeper.look(|house| house.case().dir().to_owned())?;
        let found = Log::open(&dir)?.recorded(index)?;
        Ok((found.ok_or(PageError::NotFound)?, desk::shell::quoted_path(&dir)))
    });
    let (found, folder) = match found.await {
        Ok(found) => found,
        Err(error) => return fail(&ctx, &error),
    };
    let kind =
        lang.find(&format!("record.{}", found.kind.replace('.', "_"))).unwrap_or(&found.kind);
    let body = html! {
        dl.facts.wide {
            dt { (lang.t("history.when")) } dd { time { (found.time) } }
            dt { (lang.t("history.who")) } dd {
                @match &found.decision {
                    Some(decision) => {
                        (text(decision.by.person.as_str())) " · " (text(decision.by.organisation.as_str()))
                        " · " (lang.t(&format!("actor_role.{}", decision.by.role.word())))
                    },
                    None => { (text(found.actor.as_deref().unwrap_or_default())) },
                }
            }
            dt { (lang.t("history.what")) } dd {
                @match (&found.decision, &found.notice) {
                    (Some(decision), _) => { (deeds(lang, decision.deeds.iter())) },
                    (None, Some(notice)) => { (not_sent(lang, notice, true)) },
                    (None, None) => { (lang.t("history.no_decision")) },
                }
            }
        }
        p.quiet { (lang.t("history.prove")) }
        (crate::html::parts::command(lang, &format!("vigie log prove --case {folder} {index}")))
        nav.pager aria-label=(lang.t("part.pages")) {
            @if index > 0 { a.button rel="prev" href={ "/log/" (index - 1) } { (lang.t("log.before")) } }
            a.button rel="next" href={ "/log/" (index + 1) } { (lang.t("log.after")) }
        }
    };
    let title = lang.f("history.one", &[("n", &fmt::number(index)), ("kind", kind)]);
    let mut page = Page::new(&ctx, Place::Tickets, title, body);
    page.notes = notes;
    framed(&app, &ctx, StatusCode::OK, page).await
}

/// The ticket in which it stands: a reporter is shown nothing that is not in one of its own.
const OF_TICKET: &[Param] = &[("ticket", |text| text.parse::<u64>().is_ok())];

/// `GET /evidence/{hash}`: the beginning of a capture's or an upload's bytes, as text in which nothing acts.
pub(crate) async fn evidence(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    Path(hash): Path<String>,
    request: Request,
) -> Response {
    let (ctx, notes) = asked(&request, OF_TICKET);
    let lang = ctx.lang;
    let Ok(id) = hash.parse::<ExhibitId>() else { return fail(&ctx, &PageError::NotFound) };
    let (whose, ticket) = (whose(&app, &who), ctx.query.read("ticket").map(TicketId));
    let found = look(&app, move |house| read::evidence(house, &id, &whose, ticket)).await;
    let (bytes, size) = match found {
        Ok(Ok(Some(found))) => found,
        Ok(Ok(None)) => return fail(&ctx, &PageError::NotFound),
        Ok(Err(error)) => return fail(&ctx, &error.into()),
        Err(error) => return fail(&ctx, &error),
    };
    let packed = bytes.starts_with(&[0x1f, 0x8b]);
    let whole = String::from_utf8_lossy(&bytes);
    let body = html! {
        dl.facts.wide {
            dt { "SHA-256" } dd { span.mono.break { (id) } }
            dt { (lang.t("evidence.size")) } dd { (fmt::bytes(lang, size)) }
        }
        @if packed { p { (lang.t("evidence.packed")) } }
        @else {
            @if (bytes.len() as u64) < size { p.quiet { (lang.t("evidence.begin")) } }
            pre.evidence tabindex="0" { @for line in whole.lines() { (text(line)) "\n" } }
        }
    };
    let mut page = Page::new(&ctx, Place::Tickets, lang.t("evidence.title"), body);
    page.notes = notes;
    framed(&app, &ctx, StatusCode::OK, page).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_relay_said_is_shown_to_who_reads_all_tickets() {
        let notice = ShieldNotice {
            turn: "given_up".into(),
            item: "12/0".into(),
            to: "abuse@host.example<b>".into(),
            tries: 32,
            reason: "451 not now".into(),
        };
        let all = not_sent(Lang::En, &notice, true).into_string();
        assert!(all.contains("in 32 tries") && all.contains("451 not now"), "{all}");
        assert!(all.contains("abuse@host.example") && !all.contains("<b>"), "{all}");
        let own = not_sent(Lang::En, &notice, false).into_string();
        assert!(own.contains("12/0") && !own.contains("451"), "{own}");
        let failed = ShieldNotice { turn: "failed".into(), ..notice };
        assert!(not_sent(Lang::En, &failed, true).into_string().contains("tried again"));
    }
}
