//! Who deals with the authority, and what was refused to whom.

use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use desk::parties::{Held, Register, Sector};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::account::ctx_of;
use crate::app::{App, Ctx, Site, axum_json, fail};
use crate::fmt;
use crate::gate::Who;
use crate::house::reporters;
use crate::html::hostile::text;
use crate::html::parts::{Col, command, empty, table};
use crate::html::{apart, send};
use crate::i18n::Lang;

/// `GET /parties`.
pub(crate) async fn page(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    request: Request,
) -> Response {
    let ctx = ctx_of(&request);
    let reports = match app.site() {
        Site::Case => None,
        Site::House => match reporters::Reports::of(&app, &who).await {
            Ok(reports) => Some(reports),
            Err(error) => return fail(&ctx, &error),
        },
    };
    shown(&app, &ctx, reports.as_ref())
}

/// The page; `reports` is what the clearing house says of reporters, where this is its console.
fn shown(app: &App, ctx: &Ctx, reports: Option<&reporters::Reports>) -> Response {
    let lang = ctx.lang;
    app.access.register(|register| {
        if ctx.json() {
            return axum_json(&document(register));
        }
        let of = |n: usize, key: &str| lang.n(key, n as u64, &[]);
        let title = lang.f(
            "parties.title",
            &[
                ("organisations", &of(register.organisations().len(), "parties.n_organisations")),
                ("people", &of(register.people().len(), "parties.n_people")),
                ("keys", &of(register.keys().len(), "parties.n_keys")),
            ],
        );
        let body = if register.is_empty() {
            html! {
                (empty(lang.t("parties.none"), lang.t("parties.none_why")))
                (command(lang, "vigie party add agency --name 'The agency' --sector authority"))
            }
        } else {
            html! { (organisations(lang, register, reports)) (people(lang, register)) (keys(lang, register)) }
        };
        send(StatusCode::OK, apart(ctx, "parties.parties", &title, body))
    })
}

fn state(lang: Lang, suspended: bool) -> Markup {
    html! {
        @if suspended { span.state.is-wrong { (lang.t("parties.suspended")) } }
        @else { (lang.t("parties.in_force")) }
    }
}

fn organisations(lang: Lang, register: &Register, reports: Option<&reporters::Reports>) -> Markup {
    let mut cols = vec![
        Col::text(lang.t("parties.organisation")),
        Col::text(lang.t("parties.name")).wide(),
        Col::text(lang.t("parties.sector")),
        Col::number(lang.t("parties.quota")),
        Col::text(lang.t("parties.state")),
    ];
    if reports.is_some() {
        cols.push(Col::text(lang.t("parties.reports")));
    }
    let rows = register.organisations().map(|(short, of)| {
        let mut row = vec![
            text(short),
            text(&of.name),
            html! { (lang.t(&format!("sector.{}", of.sector.word()))) },
            html! { (fmt::number(register.quota(short))) },
            state(lang, of.suspended),
        ];
        if let Some(reports) = reports {
            let reporter = of.sector == Sector::RightsHolder;
            row.push(if reporter {
                reports.cell(lang, short)
            } else {
                html! {}
            });
        }
        row
    });
    html! {
        section aria-labelledby="h-organisations" {
            h2 #h-organisations { (lang.t("parties.organisations")) }
            (table(lang.t("parties.organisations"), &cols, rows))
        }
    }
}

fn role(lang: Lang, held: &Held) -> Markup {
    html! {
        (lang.t(&format!("party_role.{}", held.role.word())))
        @if let Some(until) = held.until_ms {
            " " span.quiet { (lang.f("parties.until", &[("time", &fmt::moment_ms(until))])) }
        }
    }
}

fn people(lang: Lang, register: &Register) -> Markup {
    let cols = [
        Col::text(lang.t("parties.person")),
        Col::text(lang.t("parties.name")).wide(),
        Col::text(lang.t("parties.organisation")),
        Col::text(lang.t("parties.roles")),
        Col::text(lang.t("parties.state")),
    ];
    let rows = register.people().map(|(short, of)| {
        vec![
            text(short),
            text(&of.name),
            text(&of.organisation),
            html! {
                @for (n, held) in of.roles.iter().enumerate() { @if n > 0 { br; } (role(lang, held)) }
                @if of.roles.is_empty() { span.quiet { (lang.t("parties.no_role")) } }
            },
            state(lang, of.suspended),
        ]
    });
    html! {
        section aria-labelledby="h-people" {
            h2 #h-people { (lang.t("parties.people")) }
            (table(lang.t("parties.people"), &cols, rows))
        }
    }
}

fn keys(lang: Lang, register: &Register) -> Markup {
    if register.keys().len() == 0 {
        return html! {};
    }
    let cols = [
        Col::text(lang.t("parties.key")),
        Col::text(lang.t("parties.organisation")),
        Col::text(lang.t("parties.roles")),
        Col::text(lang.t("parties.state")),
    ];
    let rows = register.keys().map(|(short, of)| {
        vec![
            text(short),
            text(&of.organisation),
            html! { (lang.t(&format!("party_role.{}", of.role.word()))) },
            html! {
                @if of.revoked { span.state.is-wrong { (lang.t("parties.revoked")) } }
                @else if let Some(until) = of.until_ms {
                    (lang.f("parties.until", &[("time", &fmt::moment_ms(until))]))
                } @else { (lang.t("parties.in_force")) }
            },
        ]
    });
    html! {
        section aria-labelledby="h-keys" {
            h2 #h-keys { (lang.t("parties.keys")) }
            (table(lang.t("parties.keys"), &cols, rows))
        }
    }
}

fn document(register: &Register) -> Value {
    let organisations = register.organisations().map(|(short, of)| {
        json!({
            "organisation": short, "name": of.name, "sector": of.sector.word(),
            "per_minute": register.quota(short), "suspended": of.suspended, "record": of.record,
        })
    });
    let people = register.people().map(|(short, of)| {
        let roles = of.roles.iter().map(|held| {
            json!({
                "role": held.role.word(), "from": fmt::moment_ms(held.from_ms),
                "until": held.until_ms.map(fmt::moment_ms), "record": held.record,
            })
        });
        json!({
            "person": short, "name": of.name, "organisation": of.organisation,
            "roles": roles.collect::<Vec<_>>(), "suspended": of.suspended, "record": of.record,
        })
    });
    let keys = register.keys().map(|(short, of)| {
        json!({
            "key": short, "organisation": of.organisation, "role": of.role.word(),
            "until": of.until_ms.map(fmt::moment_ms), "revoked": of.revoked, "record": of.record,
        })
    });
    json!({
        "organisations": organisations.collect::<Vec<_>>(),
        "people": people.collect::<Vec<_>>(),
        "keys": keys.collect::<Vec<_>>(),
    })
}

/// `GET /refusals`: of hours that are not over, or whose record is not written yet. The others stand in
/// the authority's log.
pub(crate) async fn refusals(State(app): State<App>, request: Request) -> Response {
    let ctx = ctx_of(&request);
    let lang = ctx.lang;
    let rows = app.access.refused();
    let all: u64 = rows.iter().map(|row| row.times.all()).sum();
    let cols = [
        Col::text(lang.t("field.hour")),
        Col::text(lang.t("field.party")),
        Col::text(lang.t("field.route")),
        Col::number(lang.t("field.sign_in")),
        Col::number(lang.t("field.forbidden")),
        Col::number(lang.t("field.too_many")),
    ];
    let shown = rows.iter().rev().map(|row| {
        vec![
            html! { time { (fmt::moment_ms(row.hour_ms)) } },
            text(&row.party),
            html! { span.mono { (text(&row.route)) } },
            html! { (fmt::number(row.times.sign_in)) },
            html! { (fmt::number(row.times.forbidden)) },
            html! { (fmt::number(row.times.too_many)) },
        ]
    });
    let body = html! {
        p { (lang.t("parties.refusals_how")) }
        @if rows.is_empty() { (empty(lang.t("parties.refused_none"), lang.t("parties.refused_none_why"))) }
        @else { (table(lang.t("parties.refusals"), &cols, shown)) }
    };
    let title = lang.n("parties.refused", all, &[]);
    send(StatusCode::OK, apart(&ctx, "parties.refusals", &title, body))
}
