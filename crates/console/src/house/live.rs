//! `/live`: what is on, what waits, what is blocked; where a rights holder's monitor works on match night.

use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use desk::clearing::Witnessing;
use desk::clearing::publish::{Behind, LeftOut};
use desk::clearing::read::{self, EventView, ItemView, LiveView, StopView};
use desk::clearing::standby::Health;
use desk::shield::{Note, today};
use maud::{Markup, html};
use shield::harm::Finding;
use shield::order::ending::Basis;
use shield::order::step::StopCause;
use shield::order::words::Organisation;
use shield::order::{Halt, ItemId, Moment, TicketId};

use super::events::Forms;
use super::parts::{self, moment};
use super::report::Draft;
use super::rows::{self, May};
use super::{asked, check, framed, reports_for, with};
use crate::app::{App, Ctx, PageError, fail};
use crate::fmt;
use crate::gate::Who;
use crate::html::hostile::{mono, plain, text};
use crate::html::parts::{Col, empty, pager, table};
use crate::html::{Page, Place};
use crate::i18n::Lang;
use crate::params::Param;
use crate::query::url;

/// Items on a page.
const ROWS: usize = 50;
/// What the page answers.
pub(crate) const KNOWN: &[Param] = &[("after", |text| text.parse::<u64>().is_ok())];

/// What the page shows, ready to be written.
pub(crate) struct Wall {
    pub(crate) view: LiveView,
    rows: Vec<(ItemView, Finding)>,
    /// What the harm check knows that is old by now. A reporter is told of none.
    stale: Option<Note>,
}

/// Reads what the wall shows to who asks.
pub(crate) async fn wall(app: &App, who: &Who, after: Option<ItemId>) -> Result<Wall, PageError> {
    let whose = super::whose(app, who);
    let own = reports_for(app, who);
    let of_all = whose.is_none();
    with(app, move |clearing| {
        let mut view = clearing.keeper.look(move |house| {
            let mut view = read::live(house, &whose, after, ROWS);
            // Who sees all reports for one all the same, if for any.
            if own != whose {
                view.under = read::under(house, &own, view.now);
            }
            view
        })?;
        let items = std::mem::take(&mut view.items.rows);
        let values = items.iter().map(|item| (&*item.value, item.faults));
        let found = parts::findings(&clearing.known, values)?;
        let stale = of_all.then(|| clearing.known.loaded().notes(today()).into_iter());
        let stale = stale.and_then(|mut notes| notes.find(|note| matches!(note, Note::Stale(..))));
        Ok(Wall { view, rows: items.into_iter().zip(found).collect(), stale })
    })
    .await
}

/// `GET /live`.
pub(crate) async fn page(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    request: Request,
) -> Response {
    let (ctx, notes) = asked(&request, KNOWN);
    shown(&app, &who, &ctx, (StatusCode::OK, notes), Draft::default()).await
}

/// The page, with what somebody was writing.
pub(crate) async fn shown(
    app: &App,
    who: &Who,
    ctx: &Ctx,
    (status, notes): (StatusCode, Vec<String>),
    draft: Draft,
) -> Response {
    let wall = match wall(app, who, ctx.query.read("after").map(ItemId)).await {
        Ok(wall) => wall,
        Err(error) => return fail(ctx, &error),
    };
    let may = May::of(app, who);
    let forms = match Forms::of(app, who, &may).await {
        Ok(forms) => forms,
        Err(error) => return fail(ctx, &error),
    };
    let lang = ctx.lang;
    let seen = mark(&wall.view, &wall.rows);
    let after = ctx.query.get("after").unwrap_or_default();
    let stream = url("/live/stream", [("seen", seen.as_str()), ("after", after)]);
    let may_report = reports_for(app, who).is_some();
    let body = html! {
        div #live hx-sse:connect=(stream) hx-target="#board" hx-swap="innerHTML" {
            p.stale role="status" { (lang.t("live.not_live")) }
        }
        @if may_report { (draft.form(lang, &wall.view.under)) }
        @if let Some(forms) = &forms { (forms.shown(lang, wall.view.events.iter().map(|view| &view.event))) }
        div #board .board { (board(ctx, &wall, &may)) }
    };
    let mut page = Page::new(ctx, Place::Live, title(lang, &wall.view), body);
    page.notes = notes;
    if may.stop {
        page.actions = stop_form(lang);
    }
    framed(app, ctx, status, page).await
}

/// The answer: how much is blocked, and what waits.
pub(crate) fn title(lang: Lang, view: &LiveView) -> String {
    let (blocked, held) = (view.stages.in_force, view.stages.held);
    let blocked = lang.n("live.blocked", blocked, &[]);
    match held {
        0 => blocked,
        _ => format!("{blocked}, {}", lang.n("live.held", held, &[])),
    }
}

/// What can be seen to change: the page is made anew where this differs. Ages are not in it.
pub(crate) fn mark(view: &LiveView, rows: &[(ItemView, Finding)]) -> String {
    let events: Vec<_> = view.events.iter().map(|of| (&of.event, of.on, of.tickets)).collect();
    let items: Vec<_> = rows
        .iter()
        .map(|(item, found)| {
            (item.id, item.stage, item.until, item.objected, item.bar, item.said, found.verdict)
        })
        .collect();
    let waits = (view.witnesses.asked, view.witnesses.waiting, view.witnesses.fewer);
    let second = (view.standby.named.is_some(), view.standby.here, view.standby.alone);
    let LiveView { stages, stops, left_out, objections, ending, still, overdue, .. } = view;
    let behind = view.behind.as_ref().map(|(_, behind)| behind);
    let text = format!(
        "{stages:?}{events:?}{ending:?}{stops:?}{left_out:?}{behind:?}{:?}{still:?}{items:?}{objections}{waits:?}{second:?}",
        overdue.map(|(many, _)| many)
    );
    model::Sha256Hex::of(text.as_bytes()).to_string().get(..16).unwrap_or_default().to_owned()
}

impl Wall {
    /// See [`mark`].
    pub(crate) fn mark(&self) -> String {
        mark(&self.view, &self.rows)
    }
}

/// The part that is live.
pub(crate) fn board(ctx: &Ctx, wall: &Wall, may: &May) -> Markup {
    let (lang, view) = (ctx.lang, &wall.view);
    let next = view.items.next.map(|next| next.0.to_string());
    let place = (view.now, "/live", true);
    html! {
        (stops(lang, &view.stops, may))
        @if let Some(note) = &wall.stale { (check::said(lang, note)) }
        (overdue(lang, view.overdue, view.now))
        (still(lang, &view.still))
        (left_out(lang, &view.left_out))
        (elsewhere(lang, view.behind.as_ref(), view.now))
        (standby(lang, &view.standby, &view.witnesses))
        (witnesses(lang, &view.witnesses, view.now))
        (figures(ctx, view))
        (events(lang, &view.events, view.now))
        (ending(lang, &view.ending))
        section aria-labelledby="h-items" {
            h2 #h-items { (lang.t("items.newest")) }
            @if wall.rows.is_empty() { (empty(lang.t("items.none"), lang.t("items.none_why"))) }
            @else { (rows::items(lang, lang.t("items.newest"), &wall.rows, may, place)) }
            (pager(ctx, next.as_deref()))
        }
    }
}

fn figures(ctx: &Ctx, view: &LiveView) -> Markup {
    let (lang, stages) = (ctx.lang, &view.stages);
    let waits = view.longest_held.map(|since| parts::span(since, view.now));
    let all = [
        ("in_force", stages.in_force, "/tickets?state=in_force"),
        ("held", stages.held, "/tickets?state=held"),
        ("captured", stages.captured, "/tickets?state=pending"),
        ("submitted", stages.submitted, "/tickets?state=pending"),
        ("suspended", stages.suspended, "/tickets?state=suspended"),
        ("refused", stages.refused, "/tickets?state=closed"),
    ];
    html! {
        ul.figures {
            @for (word, n, href) in all {
                li { a href=(href) {
                    span.big { (fmt::number(n)) }
                    span.name { (lang.t(&format!("live_count.{word}"))) }
                    @if let Some(waits) = waits.as_ref().filter(|_| word == "held") {
                        span.quiet { (lang.f("live.longest", &[("time", waits)])) }
                    }
                } }
            }
            @if view.objections > 0 {
                li { a href=[ctx.opens("/objections").then_some("/objections")] {
                    span.big { (fmt::number(view.objections)) } span.name { (lang.t("live.objections")) }
                } }
            }
        }
        @if stages.cut { p.quiet { (lang.n("live.cut", read::MAX_SCAN as u64, &[])) } }
    }
}

fn events(lang: Lang, events: &[EventView], now: Moment) -> Markup {
    let cols = [
        Col::text(lang.t("event.state")),
        Col::text(lang.t("event.name")),
        Col::text(lang.t("event.window")).wide(),
        Col::text(lang.t("event.works")),
        Col::text(lang.t("event.channels")),
        Col::text(lang.t("items.reporter")),
        Col::number(lang.t("place.tickets")),
    ];
    let row = |view: &EventView| {
        let event = &view.event;
        let name = event.id.as_str();
        vec![
            html! {
                @if view.on {
                    span.state.is-read { (lang.t("event.on")) }
                    br; span.quiet { (lang.f("event.ends_in", &[("time", &parts::span(now, event.until))])) }
                } @else {
                    span.state.is-waiting { (lang.t("event.coming")) }
                    br; span.quiet { (lang.f("event.begins_in", &[("time", &parts::span(now, event.from))])) }
                }
            },
            html! { (text(name)) br; span.quiet { (text(event.order.as_str())) } },
            html! { (moment(event.from)) " – " (moment(event.until)) },
            html! { @for (n, work) in view.works.iter().take(20).enumerate() { @if n > 0 { ", " } (text(work.as_str())) } },
            html! { @for (n, channel) in event.channels.iter().take(20).enumerate() { @if n > 0 { ", " } (text(channel.as_str())) } },
            html! { @if let Some(reporter) = &view.reporter { (text(reporter.as_str())) } },
            html! { a.n href=(url("/tickets", [("event", name)])) { (fmt::number(view.tickets)) } },
        ]
    };
    html! {
        section aria-labelledby="h-events" {
            h2 #h-events { (lang.t("event.events")) }
            @if events.is_empty() { p.quiet { (lang.t("event.none")) } }
            @else { (table(lang.t("event.events"), &cols, events.iter().map(row))) }
        }
    }
}

/// What ended and is not yet lifted whole.
fn ending(lang: Lang, ending: &[(Basis, u64)]) -> Markup {
    let name = |basis: &Basis| match basis {
        Basis::Order(id) => text(id.as_str()),
        Basis::Event(id) => text(id.as_str()),
    };
    html! {
        @if !ending.is_empty() {
            div.notice role="status" {
                p { (lang.t("live.ending")) }
                ul { @for (basis, left) in ending {
                    li { (name(basis)) (lang.colon()) " " (lang.n("orders.left", *left, &[])) }
                } }
            }
        }
    }
}

pub(super) fn why(lang: Lang, cause: &StopCause) -> Markup {
    match cause {
        StopCause::Person(grounds) => html! { q { (text(grounds.as_str())) } },
        StopCause::Measured | StopCause::Budget => {
            html! { (lang.t(&format!("stop_cause.{}", cause.word()))) }
        }
    }
}

/// Whom nothing reaches that is for them alone.
fn left_out(lang: Lang, (many, first): &(u64, Vec<(Organisation, LeftOut)>)) -> Markup {
    html! {
        @if *many > 0 {
            div.notice.is-error {
                p { (lang.n("live.left_out", *many, &[])) }
                ul { @for (isp, why) in first {
                    li { (text(isp.as_str())) (lang.colon()) " " (lang.t(&format!("live_left_out.{}", why.word()))) }
                } }
                @let more = many.saturating_sub(first.len() as u64);
                @if more > 0 { p.quiet { (lang.n("live.left_out_more", more, &[])) } }
            }
        }
    }
}

/// What nobody looked at again.
fn overdue(lang: Lang, overdue: Option<(u64, Moment)>, now: Moment) -> Markup {
    html! {
        @if let Some((many, since)) = overdue {
            div.notice.is-error {
                p { (lang.n("live.overdue", many, &[("time", &parts::span(since, now))])) }
            }
        }
    }
}

/// What is open by now and blocked all the same, and by whom.
fn still(lang: Lang, (many, first): &(u64, Vec<(shield::Item, Organisation)>)) -> Markup {
    html! {
        @if *many > 0 {
            div.notice.is-error {
                p { (lang.n("live.still", *many, &[])) }
                ul { @for (value, isp) in first {
                    li { (mono(&value.to_string())) " · " (text(isp.as_str())) }
                } }
                @let more = many.saturating_sub(first.len() as u64);
                @if more > 0 { p.quiet { (lang.n("live.still_more", more, &[])) } }
            }
        }
    }
}

/// The feed's copy that is not brought to where the feed is.
fn elsewhere(lang: Lang, behind: Option<&(Moment, Behind)>, now: Moment) -> Markup {
    html! {
        @if let Some((since, Behind { place, failed, why, .. })) = behind {
            div.notice.is-error {
                @let (place, time) = (plain(place), parts::span(*since, now));
                p { (lang.n("live.elsewhere", *failed, &[("place", &place), ("time", &time)])) }
                p.quiet { (text(why)) }
            }
        }
    }
}

/// What the house cannot do until its standby is back.
fn standby(lang: Lang, health: &Health, of: &Witnessing) -> Markup {
    html! {
        @if let Some(named) = health.named.as_ref().filter(|_| !health.here) {
            div.notice.is-error {
                p { (lang.n("live.standby_gone", health.alone, &[("name", &named.name)])) }
                @if of.named > 0 { p { (lang.n("live.standby_unasked", of.named as u64, &[])) } }
            }
        }
    }
}

/// What is decided and does not go out before witnesses have cosigned it.
fn witnesses(lang: Lang, of: &Witnessing, now: Moment) -> Markup {
    html! {
        @if let Some(since) = of.since {
            div.notice {
                p { (lang.n("live.witnesses_wait", of.asked, &[("time", &parts::span(since, now))])) }
                @if !of.each.is_empty() {
                    p.quiet { (lang.n("live.witnesses_values", of.waiting as u64, &[])) }
                    ul { @for (name, records) in &of.each {
                        li { (text(name)) (lang.colon()) " " (lang.n("live.witness_records", *records, &[])) }
                    } }
                }
            }
        }
        @if of.fewer > 0 {
            div.notice { p {
                (lang.n("live.witnesses_fewer", of.fewer as u64, &[("all", &fmt::number(of.blocks as u64)), ("asked", &fmt::number(of.asked))]))
            } }
        }
    }
}

/// Stops that stand, above all else.
fn stops(lang: Lang, stops: &[StopView], may: &May) -> Markup {
    stops_at(lang, stops, may, "/live")
}

/// The same on a page that who acts goes back to.
pub(super) fn stops_at(lang: Lang, stops: &[StopView], may: &May, back: &str) -> Markup {
    html! {
        @for StopView { scope, stop } in stops {
            div.notice.is-error.stopped {
                p {
                    strong { (lang.t(match stop.halt { Halt::Lifts => "stop.lifts", Halt::Releases => "stop.releases" })) }
                    " " (parts::scope(lang, scope)) " · " (moment(stop.since)) " · " (why(lang, &stop.why))
                }
                @if let Some((person, of)) = &stop.resume {
                    p.quiet { (lang.f("stop.asked", &[("person", person.as_str()), ("organisation", of.as_str())])) }
                } @else { p.quiet { (lang.t("stop.two")) } }
                @if may.resumes(scope, stop.resume.as_ref()) {
                    (parts::fold(None, lang.t("act.resume"), html! {
                        form.stack method="post" action="/resume" {
                            input type="hidden" name="scope" value=(scope);
                            input type="hidden" name="back" value=(back);
                            (parts::grounds(lang, true))
                            button type="submit" { (lang.t("act.resume")) }
                        }
                    }))
                }
            }
        }
    }
}

fn stop_form(lang: Lang) -> Markup {
    parts::fold(
        None,
        lang.t("act.stop_all"),
        html! {
            form.stack method="post" action="/stop" {
                input type="hidden" name="scope" value="all";
                input type="hidden" name="back" value="/live";
                p { (lang.t("act.stop_how")) }
                (parts::halt(lang))
                (parts::grounds(lang, true))
                button.danger type="submit" { (lang.t("act.stop_all")) }
            }
        },
    )
}

/// The page of a ticket that was just taken.
pub(crate) fn of_ticket(id: TicketId) -> String {
    format!("/tickets/{id}?taken=1")
}
