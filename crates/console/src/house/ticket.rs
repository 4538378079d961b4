//! `/tickets/{id}`: each item with what may be done, and every record about the ticket.

use axum::extract::{Extension, Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use desk::clearing::opened::{self, NotYet};
use desk::clearing::read::{self, ItemView, Log, Recorded, TicketItem, TicketPage};
use maud::{Markup, html};
use model::Reference;
use shield::Item;
use shield::harm::Finding;
use shield::measure::Stand;
use shield::order::step::{NoItem, Ticket};
use shield::order::{Audience, Deed, ItemId, TicketId};

use super::parts::{self, moment};
use super::rows::{self, May};
use super::{asked, framed, record, whose, with};
use crate::app::{App, Ctx, PageError, fail};
use crate::fmt;
use crate::gate::Who;
use crate::html::hostile::{mono, text};
use crate::html::parts::{Col, copy, notice, table};
use crate::html::{Page, Place};
use crate::i18n::Lang;
use crate::params::Param;
use crate::query::url;

/// Items on a page.
const ROWS: usize = 50;
const KNOWN: &[Param] =
    &[("from", |text| text.parse::<u16>().is_ok()), ("taken", |text| text == "1")];

struct Seen {
    page: TicketPage,
    rows: Vec<(ItemView, Finding)>,
    /// How the others ended, with their values where the report is at hand.
    ended: Vec<(ItemId, Option<shield::order::turn::End>)>,
    records: Vec<Recorded>,
    /// The record that took it, where it is among these.
    taken: Option<Reference>,
    /// Why nothing is told of it yet; `None`: it is.
    opens: Option<NotYet>,
    /// True of who reads the tickets of all reporters.
    all: bool,
    /// What ISPs are measured to do with its values: whether each is to be blocked, and what was found.
    measured: Vec<(Item, bool, Vec<Stand>)>,
}

async fn read_ticket(app: &App, who: &Who, id: TicketId, from: u16) -> Result<Seen, PageError> {
    let whose = whose(app, who);
    let all = whose.is_none();
    with(app, move |clearing| {
        let found = clearing.keeper.look(move |house| {
            let page = read::ticket(house, id, &whose, from, ROWS)?;
            Some((page, house.case().dir().to_owned(), opened::opens(house, id)))
        })?;
        let (mut page, dir, opens) = found.ok_or(PageError::NotFound)?;
        let log = Log::open(&dir)?;
        let records: desk::Result<Vec<_>> =
            page.records.iter().map(|index| log.recorded(*index)).collect();
        let (mut live, mut ended) = (Vec::new(), Vec::new());
        for item in std::mem::take(&mut page.items) {
            match item {
                TicketItem::Live(view) => live.push(*view),
                TicketItem::Ended(id, how) => ended.push((id, how)),
            }
        }
        let values = live.iter().map(|item| (&*item.value, item.faults));
        let found = parts::findings(&clearing.known, values)?;
        let rows = live.into_iter().zip(found).collect();
        let records: Vec<Recorded> = records?.into_iter().flatten().collect();
        let taken = records.iter().find_map(|found| found.taken(id, log.origin()));
        let taken = taken.map(|taken| taken.at);
        let rows: Vec<(ItemView, Finding)> = rows;
        let report = submitted(&records);
        let gone = ended.iter().filter_map(|(id, _): &(ItemId, _)| {
            let items = &report?.items;
            Some(items.get(usize::from(id.place()))?.value.clone())
        });
        let values: Vec<Item> =
            rows.iter().map(|(item, _)| (*item.value).clone()).chain(gone).collect();
        let measured = clearing.keeper.look(move |house| {
            let stands = values.into_iter().filter_map(|value| {
                let (blocks, stands) = house.measure().stands(&value)?;
                Some((value, blocks, stands))
            });
            stands.filter(|(_, _, stands)| !stands.is_empty()).collect()
        })?;
        Ok(Seen { page, rows, ended, records, taken, opens: opens?.err(), all, measured })
    })
    .await
}

/// What it was reported with, where its first record is among these.
fn submitted(records: &[Recorded]) -> Option<&Ticket> {
    let deeds = records.iter().filter_map(|record| record.decision.as_ref());
    deeds.flat_map(|decision| &decision.deeds).find_map(|deed| match deed {
        Deed::Submitted(ticket) => Some(&**ticket),
        _ => None,
    })
}

/// `GET /tickets/{id}`.
pub(crate) async fn page(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let (ctx, notes) = asked(&request, KNOWN);
    let lang = ctx.lang;
    let Ok(id) = id.parse().map(TicketId) else { return fail(&ctx, &PageError::NotFound) };
    let from = ctx.query.read("from").unwrap_or_default();
    let seen = match read_ticket(&app, &who, id, from).await {
        Ok(seen) => seen,
        Err(error) => return fail(&ctx, &error),
    };
    let may = May::of(&app, &who);
    let report = submitted(&seen.records);
    let back = ctx.here();
    let place = (seen.page.now, back.as_str(), false);
    let body = html! {
        @if ctx.query.get("taken").is_some() { (notice(lang.t("tickets.taken"))) }
        @if let Some(report) = report { (left_out(lang, report)) }
        (head(lang, &seen, report))
        section aria-labelledby="h-items" {
            h2 #h-items { (lang.t("tickets.items")) }
            @if !seen.rows.is_empty() { (rows::items(lang, lang.t("tickets.items"), &seen.rows, &may, place)) }
            @if !seen.ended.is_empty() { (ended(lang, &seen.ended, report)) }
            (more(&ctx, &seen.page, from))
        }
        (super::measured::stands(lang, &seen.measured))
        (history(lang, &seen))
        (super::opened::section(lang, id, seen.opens))
    };
    let stage = lang.t_owned(&format!("ticket_stage.{}", seen.page.ticket.stage.word()));
    let title = lang.f("tickets.one", &[("id", &id.to_string()), ("state", &stage)]);
    let mut page = Page::new(&ctx, Place::Tickets, title, body);
    page.notes = notes;
    if may.stop && seen.page.stop.is_none() {
        page.actions = stop_form(lang, id);
    }
    framed(&app, &ctx, StatusCode::OK, page).await
}

fn stop_form(lang: Lang, id: TicketId) -> Markup {
    parts::fold(
        None,
        lang.t("act.stop_ticket"),
        html! {
            form.stack method="post" action="/stop" {
                input type="hidden" name="scope" value={ "ticket:" (id) };
                input type="hidden" name="halt" value="lifts";
                input type="hidden" name="back" value={ "/tickets/" (id) };
                p { (lang.t("act.stop_ticket_how")) }
                (parts::grounds(lang, true))
                button.danger type="submit" { (lang.t("act.stop_ticket")) }
            }
        },
    )
}

fn head(lang: Lang, seen: &Seen, report: Option<&Ticket>) -> Markup {
    let (page, ticket) = (&seen.page, &seen.page.ticket);
    html! {
        dl.facts.wide {
            dt { (lang.t("items.reporter")) } dd { (text(ticket.reporter.as_str())) " · " (text(ticket.person.as_str())) }
            dt { (lang.t("tickets.reported")) } dd { (moment(ticket.at)) }
            dt { (lang.t("tickets.under")) } dd {
                (text(ticket.order.as_str()))
                @if let Some(event) = &ticket.event { " · " a href=(url("/tickets", [("event", event.as_str())])) { (text(event.as_str())) } }
            }
            @if let Some(report) = report {
                dt { (lang.t("event.works")) } dd { @for (n, work) in report.works.iter().take(50).enumerate() { @if n > 0 { ", " } (text(work.as_str())) } }
            }
            dt { (lang.t("tickets.audience")) } dd {
                @match &ticket.audience {
                    Audience::All => { (lang.t("tickets.all_isps")) },
                    Audience::Only(isps) => { @for (n, isp) in isps.iter().take(50).enumerate() { @if n > 0 { ", " } (text(isp.as_str())) } },
                }
            }
            @if let Some(case) = report.and_then(|report| report.case.as_ref()) {
                dt { (lang.t("tickets.case")) } dd { (reference(lang, case)) }
            }
            @if let Some(at) = &seen.taken {
                dt { (lang.t("tickets.taken_by")) } dd { (reference(lang, at)) }
            }
            dt { (lang.t("budget.title")) } dd { (parts::budget(lang, &page.count, page.standing)) }
        }
    }
}

/// A record of a log, to be named elsewhere.
fn reference(lang: Lang, at: &Reference) -> Markup {
    let record = fmt::number(at.record());
    let whole = at.to_string();
    html! {
        (text(at.log())) " · " (lang.f("tickets.record", &[("n", &record)])) " "
        span.mono.break.quiet { (whole) } " " (copy(lang, &whole))
    }
}

/// Lines of the report that are no items, each with its reason.
fn left_out(lang: Lang, report: &Ticket) -> Markup {
    let why = |why: &NoItem| match why {
        NoItem::Bad(bad) => lang.f(&format!("harm.{}", bad.word()), &[("about", &bad.about())]),
        NoItem::Duplicate { of } => {
            lang.f("left_out.duplicate", &[("n", &fmt::number(u64::from(*of) + 1))])
        }
        NoItem::Excepted => lang.t_owned("left_out.excepted"),
        NoItem::WantedEnough => lang.t_owned("left_out.wanted_enough"),
    };
    html! {
        @if !report.left_out.is_empty() {
            details.left-out open {
                summary { (lang.n("left_out.title", report.left_out.len() as u64, &[])) }
                ul { @for line in &report.left_out {
                    li { (lang.f("left_out.line", &[("n", &fmt::number(u64::from(line.line) + 1))])) " " (text(&why(&line.why))) }
                } }
            }
        }
    }
}

fn ended(
    lang: Lang,
    items: &[(ItemId, Option<shield::order::turn::End>)],
    report: Option<&Ticket>,
) -> Markup {
    let cols = [Col::text(lang.t("items.item")).wide(), Col::text(lang.t("items.state"))];
    let row = |(id, how): &(ItemId, Option<shield::order::turn::End>)| {
        let asked = report.and_then(|report| report.items.get(usize::from(id.place())));
        vec![
            html! {
                span #(format!("i-{}-{}", id.ticket(), id.place())) {
                    @if let Some(asked) = asked { (mono(&asked.value.to_string())) " " (parts::kind(lang, &asked.value)) }
                    @else { (lang.f("items.place", &[("n", &fmt::number(u64::from(id.place()) + 1))])) }
                }
            },
            html! {
                @if let Some(how) = how { span.state.is-unread { (lang.t(&format!("item_end.{}", how.word()))) } }
                @else { span.quiet { (lang.t("part.unknown")) } }
            },
        ]
    };
    table(lang.t("items.ended"), &cols, items.iter().map(row))
}

fn more(ctx: &Ctx, page: &TicketPage, from: u16) -> Markup {
    let lang = ctx.lang;
    let next = usize::from(from) + ROWS;
    html! {
        @if from > 0 || next < page.ticket.items {
            nav.pager aria-label=(lang.t("part.pages")) {
                @if from > 0 { a.button href=(ctx.url(&["from", "taken"], &[])) { (lang.t("part.first")) } }
                @if next < page.ticket.items {
                    a.button rel="next" href=(ctx.url(&["from", "taken"], &[("from", &next.to_string())])) { (lang.t("part.next")) }
                }
            }
        }
    }
}

/// Every record about the ticket, the newest first: when, who, what, why.
fn history(lang: Lang, seen: &Seen) -> Markup {
    let cols = [
        Col::number(lang.t("history.record")),
        Col::text(lang.t("history.when")),
        Col::text(lang.t("history.who")),
        Col::text(lang.t("history.what")).wide(),
    ];
    let id = seen.page.ticket.id;
    // The log is read by who reads all tickets: a reporter's way there would be refused.
    let number = |index: u64| {
        html! {
            @if seen.all { a.n href={ "/log/" (index) } { (fmt::number(index)) } }
            @else { (fmt::number(index)) }
        }
    };
    let rows = seen.records.iter().rev().filter_map(|found| {
        if let Some(notice) = &found.notice {
            return Some(vec![
                number(found.index),
                html! { time { (found.time) } },
                text(found.actor.as_deref().unwrap_or_default()),
                record::not_sent(lang, notice, seen.all),
            ]);
        }
        let decision = found.decision.as_ref()?;
        let deeds = decision.deeds.iter().filter(|deed| record::is_of(deed, id));
        Some(vec![
            number(found.index),
            moment(decision.at),
            html! {
                (text(decision.by.person.as_str()))
                @if decision.by.person.as_str() != decision.by.organisation.as_str() {
                    br; span.quiet { (text(decision.by.organisation.as_str())) }
                }
            },
            record::deeds(lang, deeds),
        ])
    });
    html! {
        section aria-labelledby="h-history" {
            h2 #h-history { (lang.t("history.title")) }
            @if seen.page.older { (notice(lang.t("history.older"))) }
            (table(lang.t("history.title"), &cols, rows))
        }
    }
}
