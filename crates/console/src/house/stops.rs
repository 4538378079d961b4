//! `/stops`: what is stopped, why and since when; each scope stops by its own form, and two persons resume.

use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use desk::clearing::read;
use desk::parties::Sector;
use maud::{Markup, html};
use shield::order::Scope;
use shield::order::words::EventId;

use super::rows::May;
use super::{asked, framed, live, look, parts, whose};
use crate::app::{App, fail};
use crate::gate::Who;
use crate::html::parts::{empty, pager};
use crate::html::{Page, Place};
use crate::i18n::Lang;
use crate::params::Param;

/// Names that a field offers; others can be written.
const OFFERED: usize = 200;
const KNOWN: &[Param] = &[("after", |text| text.parse::<Scope>().is_ok())];

/// What can be named in a form.
#[derive(Debug, Default)]
struct Names {
    reporters: Vec<String>,
    isps: Vec<String>,
    events: Vec<EventId>,
}

impl Names {
    /// Of the register: organisations of a sector, or one's own alone.
    fn registered(app: &App, sector: Sector, own: Option<&str>) -> Vec<String> {
        app.access.register(|register| {
            let all = register.organisations().filter(|(_, of)| of.sector == sector);
            let names = all.map(|(short, _)| short.to_owned());
            names.filter(|name| own.is_none_or(|own| own == name)).take(OFFERED).collect()
        })
    }
}

/// `GET /stops`.
pub(crate) async fn page(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    request: Request,
) -> Response {
    let (ctx, notes) = asked(&request, KNOWN);
    let lang = ctx.lang;
    let may = May::of(&app, &who);
    let whose = whose(&app, &who);
    let (after, events_of) = (ctx.query.read::<Scope>("after"), whose.clone());
    let found = look(&app, move |house| {
        let (state, now) = (house.state(), house.now());
        let open = state.events().map(|announced| &announced.event);
        let open = open.filter(|event| now < event.until.plus(house.policy().after_event_ms));
        let theirs = open.filter(|event| {
            let reporter = state.order(&event.order).map(|order| &order.reporter);
            events_of.is_none() || reporter == events_of.as_ref()
        });
        let events = theirs.take(OFFERED).map(|event| event.id.clone()).collect::<Vec<_>>();
        (read::stops(house, &events_of, after.as_ref()), events)
    });
    let (page, events) = match found.await {
        Ok(found) => found,
        Err(error) => return fail(&ctx, &error),
    };
    let own = whose.as_ref().map(ToString::to_string);
    let names = Names {
        reporters: Names::registered(&app, Sector::RightsHolder, own.as_deref()),
        isps: Names::registered(&app, Sector::Isp, own.as_deref()),
        events,
    };
    let next = page.next.as_ref().map(ToString::to_string);
    let n = page.rows.len() as u64;
    let title = match (n, &next) {
        (0, None) => lang.t_owned("stops.none"),
        (_, None) => lang.n("stops.title", n, &[]),
        (_, Some(_)) => lang.n("stops.title_more", n, &[]),
    };
    let body = html! {
        @if n == 0 { (empty(lang.t("stops.none"), lang.t("stops.none_why"))) }
        @else { div.board { (live::stops_at(lang, &page.rows, &may, "/stops")) } }
        (pager(&ctx, next.as_deref()))
        @if may.stop || may.stop_own { (forms(lang, &may, &names)) }
    };
    let mut page = Page::new(&ctx, Place::Stops, title, body);
    page.notes = notes;
    framed(&app, &ctx, StatusCode::OK, page).await
}

/// A form for each scope that somebody may stop.
fn forms(lang: Lang, may: &May, names: &Names) -> Markup {
    let events: Vec<String> = names.events.iter().map(ToString::to_string).collect();
    let reports = may.stop || !names.reporters.is_empty();
    html! {
        section aria-labelledby="h-stop" {
            h2 #h-stop { (lang.t("stops.new")) }
            p.quiet { (lang.t("act.stop_how")) }
            @if may.stop { (one(lang, "all", &[])) }
            @if reports { (one(lang, "reporter", &names.reporters)) (one(lang, "event", &events)) (one(lang, "ticket", &[])) }
            @if may.stop || !names.isps.is_empty() { (one(lang, "isp", &names.isps)) }
        }
    }
}

fn one(lang: Lang, of: &'static str, names: &[String]) -> Markup {
    let list = format!("names-{of}");
    parts::fold(
        None,
        lang.t(&format!("stop_new.{of}")),
        html! {
            form.stack method="post" action="/stop" {
                input type="hidden" name="of" value=(of);
                input type="hidden" name="back" value="/stops";
                @if of != "all" {
                    label.field { span { (lang.t(&format!("stop_name.{of}"))) }
                        @if of == "ticket" { input type="text" name="name" required inputmode="numeric" autocomplete="off" maxlength="20"; }
                        @else { input type="text" name="name" required list=(list) autocomplete="off" spellcheck="false" maxlength="200"; }
                    }
                    @if !names.is_empty() { datalist id=(list) { @for name in names { option value=(name) {} } } }
                }
                // What one ISP gets is lifted, and never halted.
                @if of == "isp" { input type="hidden" name="halt" value="lifts"; p.quiet { (lang.t("stops.isp_how")) } }
                @else { (parts::halt(lang)) }
                (parts::grounds(lang, true))
                button.danger type="submit" { (lang.t(&format!("stop_new.{of}"))) }
            }
        },
    )
}
