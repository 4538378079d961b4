//! `/tickets`: what was reported, filtered by its URL.

use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use desk::clearing::read::{self, Filter, TicketView};
use maud::{Markup, html};
use serde_json::json;
use shield::Item;
use shield::order::words::{EventId, Organisation};
use shield::order::{Stage, TicketId, TicketStage};

use super::parts::moment;
use super::{asked, framed, look, whose};
use crate::app::{App, Ctx, axum_json, fail};
use crate::fmt;
use crate::gate::Who;
use crate::html::hostile::{plain, text};
use crate::html::parts::{Col, choice, empty, field, filters, pager, table};
use crate::html::{Page, Place};
use crate::i18n::Lang;
use crate::params::Param;

const ROWS: usize = 100;
const STAGES: [TicketStage; 5] = [
    TicketStage::InForce,
    TicketStage::Suspended,
    TicketStage::Held,
    TicketStage::Pending,
    TicketStage::Closed,
];

fn stage_of(word: &str) -> Option<TicketStage> {
    STAGES.into_iter().find(|stage| stage.word() == word)
}

const KNOWN: &[Param] = &[
    ("state", |text| stage_of(text).is_some()),
    ("reporter", |text| Organisation::new(text).is_some()),
    ("event", |text| EventId::new(text).is_some()),
    ("q", |text| Item::parse(text).is_ok()),
    ("after", |text| text.parse::<u64>().is_ok()),
];

/// A ticket's stage by shape and word.
pub(super) fn stage(lang: Lang, stage: TicketStage) -> Markup {
    let class = match stage {
        TicketStage::InForce => "state is-blocked",
        TicketStage::Held => "state is-held",
        TicketStage::Suspended => "state is-wrong",
        TicketStage::Pending => "state is-waiting",
        TicketStage::Closed => "state is-unread",
    };
    html! { span class=(class) { (lang.t(&format!("ticket_stage.{}", stage.word()))) } }
}

/// `GET /tickets`.
pub(crate) async fn page(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    request: Request,
) -> Response {
    let (ctx, notes) = asked(&request, KNOWN);
    let lang = ctx.lang;
    let whose = whose(&app, &who);
    let sees_all = whose.is_none();
    let filter = Filter {
        stage: ctx.query.get("state").and_then(stage_of),
        reporter: whose.clone().or_else(|| ctx.query.get("reporter").and_then(Organisation::new)),
        event: ctx.query.get("event").and_then(EventId::new),
        after: ctx.query.read("after").map(TicketId),
    };
    let value = ctx.query.get("q").and_then(|text| Item::parse(text).ok());
    let found = look(&app, move |house| {
        let page = match &value {
            Some(value) => read::Page { rows: read::wanting(house, value, &whose), next: None },
            None => read::tickets(house, &filter, ROWS),
        };
        (page, house.state().tickets())
    });
    let (page, all) = match found.await {
        Ok(found) => found,
        Err(error) => return fail(&ctx, &error),
    };
    if ctx.json() {
        let items: Vec<_> = page.rows.iter().map(data).collect();
        return axum_json(&json!({ "items": items, "next": page.next.map(|next| next.0) }));
    }
    let next = page.next.map(|next| next.0.to_string());
    let filtered = ["state", "reporter", "event", "q", "after"]
        .iter()
        .any(|name| ctx.query.get(name).is_some());
    let title = match (sees_all && !filtered, &page.next) {
        (true, _) => lang.n("tickets.title", all, &[]),
        (false, Some(_)) => lang.n("tickets.shown_more", page.rows.len() as u64, &[]),
        (false, None) => lang.n("tickets.shown", page.rows.len() as u64, &[]),
    };
    let body = html! {
        (search(&ctx, sees_all))
        div #results {
            @if page.rows.is_empty() && page.next.is_none() { (empty(lang.t("part.none"), lang.t("tickets.none_why"))) }
            @else { (list(lang, &page.rows)) }
            @if page.next.is_some() { p.quiet { (lang.n("tickets.scan", read::MAX_SCAN as u64, &[])) } }
            (pager(&ctx, next.as_deref()))
        }
    };
    let mut page = Page::new(&ctx, Place::Tickets, title, body);
    page.notes = notes;
    framed(&app, &ctx, StatusCode::OK, page).await
}

fn search(ctx: &Ctx, sees_all: bool) -> Markup {
    let lang = ctx.lang;
    let given = |name| ctx.query.get(name).unwrap_or_default();
    let states = STAGES
        .iter()
        .map(|stage| (stage.word(), lang.t_owned(&format!("ticket_stage.{}", stage.word()))));
    filters(
        ctx,
        html! {
            (choice(lang.t("items.state"), "state", ctx.query.get("state"), lang.t("tickets.any"), states))
            @if sees_all { (field(lang.t("items.reporter"), "reporter", given("reporter"), "text")) }
            (field(lang.t("event.name"), "event", given("event"), "text"))
            (field(lang.t("tickets.value"), "q", given("q"), "search"))
        },
    )
}

fn list(lang: Lang, rows: &[TicketView]) -> Markup {
    let cols = [
        Col::number(lang.t("tickets.ticket")),
        Col::text(lang.t("items.state")),
        Col::text(lang.t("items.reporter")),
        Col::text(lang.t("tickets.under")),
        Col::text(lang.t("tickets.reported")),
        Col::number(lang.t("tickets.items")),
        Col::number(lang.t("item_stage.held")),
        Col::number(lang.t("item_stage.in_force")),
    ];
    let count = |view: &TicketView, stage: Stage| {
        let n = view.stages.get(stage as usize).copied().unwrap_or_default();
        html! { (fmt::number(u64::from(n))) }
    };
    let row = |view: &TicketView| {
        vec![
            html! { a.n href={ "/tickets/" (view.id) } { (view.id) } },
            html! {
                (stage(lang, view.stage))
                @if view.halted { br; span.quiet { (lang.t("tickets.halted")) } }
            },
            html! { (text(view.reporter.as_str())) br; span.quiet { (text(view.person.as_str())) } },
            html! {
                (text(view.order.as_str()))
                @if let Some(event) = &view.event { br; span.quiet { (text(event.as_str())) } }
            },
            moment(view.at),
            html! { (fmt::number(view.items as u64)) },
            count(view, Stage::Held),
            count(view, Stage::InForce),
        ]
    };
    table(lang.t("place.tickets"), &cols, rows.iter().map(row))
}

fn data(view: &TicketView) -> serde_json::Value {
    let stages = Stage::ALL.iter().zip(view.stages);
    let stages: serde_json::Map<_, _> =
        stages.map(|(stage, n)| (stage.word().to_owned(), json!(n))).collect();
    json!({
        "ticket": view.id.0, "state": view.stage.word(), "reporter": view.reporter.as_str(),
        "person": view.person.as_str(), "order": view.order.as_str(),
        "event": view.event.as_ref().map(EventId::as_str), "at": plain(&fmt::moment_ms(view.at.0)),
        "items": view.items, "stages": stages, "halted": view.halted,
    })
}
