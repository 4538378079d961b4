//! `/orders`: what may be reported under, by whom, for which rights, until when; registered and ended here.

use axum::extract::{Extension, Form, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use desk::clearing::read::{self, OrderView};
use desk::parties::Sector;
use maud::{Markup, html};
use serde::Deserialize;
use shield::order::words::{OrderId, Organisation, Right};
use shield::order::{Command, Moment, Order};

use super::acts::{self, No, act};
use super::parts::{self, moment};
use super::rows::May;
use super::{asked, framed, look, whose};
use crate::app::{App, fail};
use crate::fmt;
use crate::gate::Who;
use crate::html::hostile::text;
use crate::html::parts::{Col, empty, pager, table};
use crate::html::{Page, Place};
use crate::i18n::Lang;
use crate::params::Param;
use crate::query::url;

/// Orders on a page.
const ROWS: usize = 100;
/// Names that a field offers; others can be written.
const OFFERED: usize = 200;
const KNOWN: &[Param] = &[("after", |text| OrderId::new(text).is_some())];

/// `GET /orders`.
pub(crate) async fn page(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    request: Request,
) -> Response {
    let (ctx, notes) = asked(&request, KNOWN);
    let lang = ctx.lang;
    let (whose, after) = (whose(&app, &who), ctx.query.get("after").and_then(OrderId::new));
    let found =
        look(&app, move |house| (read::orders(house, &whose, after.as_ref(), ROWS), house.now()));
    let (page, now) = match found.await {
        Ok(found) => found,
        Err(error) => return fail(&ctx, &error),
    };
    let may = May::of(&app, &who);
    let next = page.next.as_ref().map(ToString::to_string);
    let hold = page.rows.iter().filter(|view| holds(&view.order, now)).count() as u64;
    let body = html! {
        @if page.rows.is_empty() { (empty(lang.t("orders.none"), lang.t("orders.none_why"))) }
        @else { (list(lang, &page.rows, &may, now)) }
        (pager(&ctx, next.as_deref()))
    };
    let mut shown = Page::new(&ctx, Place::Orders, lang.n("orders.title", hold, &[]), body);
    shown.notes = notes;
    if may.order {
        let reporters = app.access.register(|register| {
            let all = register.organisations().filter(|(_, of)| of.sector == Sector::RightsHolder);
            all.take(OFFERED).map(|(short, _)| short.to_owned()).collect::<Vec<_>>()
        });
        shown.actions = give_form(lang, &reporters);
    }
    framed(&app, &ctx, StatusCode::OK, shown).await
}

fn holds(order: &Order, now: Moment) -> bool {
    order.from <= now && now < order.until
}

fn list(lang: Lang, rows: &[OrderView], may: &May, now: Moment) -> Markup {
    let cols = [
        Col::text(lang.t("event.state")),
        Col::text(lang.t("orders.order")),
        Col::text(lang.t("items.reporter")),
        Col::text(lang.t("orders.rights")).wide(),
        Col::text(lang.t("orders.span")),
        Col::number(lang.t("event.events")),
        Col::number(lang.t("place.tickets")),
        Col::text(lang.t("items.acts")),
    ];
    let row = |view: &OrderView| {
        let order = &view.order;
        let reporter = order.reporter.as_str();
        vec![
            html! {
                @if holds(order, now) { span.state.is-read { (lang.t("orders.holds")) } }
                @else if order.until <= now { span.state.is-unread { (lang.t("orders.over")) } }
                @else { span.state.is-waiting { (lang.t("event.coming")) } }
            },
            text(order.id.as_str()),
            html! { a href=(url("/tickets", [("reporter", reporter)])) { (text(reporter)) } },
            html! { @for (n, right) in order.rights.iter().take(50).enumerate() { @if n > 0 { ", " } (text(right.as_str())) } },
            html! { (moment(order.from)) " – " (moment(order.until)) },
            html! { (fmt::number(view.events)) },
            html! {
                (fmt::number(view.tickets))
                @if view.left > 0 { br; span.quiet { (lang.n("orders.left", view.left, &[])) } }
                @else if view.live > 0 { br; span.quiet { (lang.n("orders.live", view.live, &[])) } }
            },
            // What is left of one that was ended the house lifts by itself; of one whose time is over it does not.
            html! {
                @if may.order && view.left == 0 && (order.until > now || view.live > 0 || view.cut) {
                    (end_form(lang, order))
                }
            },
        ]
    };
    html! {
        (table(lang.t("place.orders"), &cols, rows.iter().map(row)))
        @if rows.iter().any(|view| view.cut) { p.quiet { (lang.n("tickets.scan", read::MAX_SCAN as u64, &[])) } }
    }
}

fn end_form(lang: Lang, order: &Order) -> Markup {
    parts::fold(
        None,
        lang.t("act.end"),
        html! {
            form.stack method="post" action="/orders/end" {
                input type="hidden" name="order" value=(order.id.as_str());
                p.quiet { (lang.t("orders.end_how")) }
                (parts::grounds(lang, true))
                button.danger type="submit" { (lang.t("act.end")) }
            }
        },
    )
}

fn give_form(lang: Lang, reporters: &[String]) -> Markup {
    parts::fold(
        None,
        lang.t("orders.give"),
        html! {
            form.stack method="post" action="/orders/give" {
                div.row {
                    label.field { span { (lang.t("orders.number")) }
                        input type="text" name="order" required maxlength="200" autocomplete="off" spellcheck="false";
                    }
                    label.field { span { (lang.t("items.reporter")) }
                        input type="text" name="reporter" required list="reporters" maxlength="200" autocomplete="off" spellcheck="false";
                    }
                }
                datalist #reporters { @for name in reporters { option value=(name) {} } }
                label.field { span { (lang.t("orders.rights_field")) }
                    textarea name="rights" rows="3" required spellcheck="false" autocapitalize="none" {}
                }
                (parts::window(lang, "orders.from", "orders.until"))
                button type="submit" { (lang.t("orders.give")) }
            }
        },
    )
}

/// An order as a form gives it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Given {
    order: String,
    reporter: String,
    rights: String,
    from: String,
    until: String,
}

/// `POST /orders/give`.
pub(crate) async fn give(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Form(form): Form<Given>,
) -> Response {
    let written = [&form.order, &form.reporter, &form.rights, &form.from, &form.until];
    let written = written.map(|part| part.trim().replace(['\r', '\n'], " ")).join(" · ");
    let run = async {
        let rights: Option<Vec<Right>> = parts::lines(&form.rights).map(Right::new).collect();
        let from = acts::moment_or_now(&app, &form.from).await?;
        let order = Order {
            id: OrderId::new(&form.order).ok_or(No::Form("act.no_name"))?,
            reporter: Organisation::new(&form.reporter).ok_or(No::Form("act.no_name"))?,
            rights: rights.ok_or(No::Form("act.no_name"))?.into(),
            from,
            until: acts::moment(&form.until)?,
        };
        act(&app, &who, Command::GiveOrder(order)).await
    };
    acts::done(&app, &headers, ("/orders", &written), run).await
}

/// The end of an order.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Ended {
    order: String,
    grounds: String,
}

/// `POST /orders/end`.
pub(crate) async fn end(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Form(form): Form<Ended>,
) -> Response {
    let run = async {
        let order = OrderId::new(&form.order).ok_or(acts::unread())?;
        let grounds = acts::grounds(&form.grounds)?;
        act(&app, &who, Command::EndOrder { order, grounds }).await
    };
    acts::done(&app, &headers, ("/orders", &form.grounds), run).await
}
