//! For anybody, without an account: is this blocked, I object, this page does not open.
//!
//! Answers are of one exact name or address; no page lists what is blocked, says who reported it, or that
//! something is looked at. Nothing of who asks is kept: a harm report counts by autonomous system, as
//! networks do, and the counts of the hour are in memory alone.

use axum::extract::{Extension, Form, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use desk::clearing::challenge::{Hand, Issued, Objection, Unmet};
use desk::clearing::read::{self, Blocked};
use desk::clearing::{Ask, challenge, statement};
use maud::{Markup, html};
use serde::Deserialize;
use shield::Item;
use shield::order::words::{Organisation, Person};
use shield::order::{Actor, Command, Moment, Policy, Refusal, Role};

use super::acts::{alone, refusal};
use super::limits::What;
use super::parts::moment;
use super::{Clearing, asked, look, with};
use crate::app::{App, Ctx, PageError, fail};
use crate::fmt;
use crate::gate::Who;
use crate::html::hostile::{mono, text};
use crate::html::{open, send};
use crate::i18n::Lang;
use crate::params::Param;
use crate::query::url;

const KNOWN: &[Param] = &[("q", |_| true)];

/// As whom everybody acts here, whoever they are.
fn public() -> Option<Actor> {
    let person = Person::new("the public")?;
    Some(Actor { person, organisation: Organisation::new("the public")?, role: Role::Party })
}

fn value_form(
    lang: Lang,
    action: &str,
    q: &str,
    rest: &Markup,
    button: &str,
    post: bool,
) -> Markup {
    html! {
        form.stack method=(if post { "post" } else { "get" }) action=(action) {
            label.field { span { (lang.t("open.value")) }
                input type="text" name="q" value=(q) required autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="2000";
            }
            (rest)
            button type="submit" { (button) }
        }
    }
}

/// A clock of the policy's: whole hours as such.
fn hours(ms: u64) -> String {
    const HOUR: u64 = 3_600_000;
    if ms > 0 && ms.is_multiple_of(HOUR) {
        return format!("{}\u{a0}h", ms / HOUR);
    }
    fmt::duration(ms / 1_000)
}

/// Who decides, by when, and where to go next: on each of these pages.
fn who_decides(lang: Lang, policy: &Policy, authority: &str) -> Markup {
    let (in_event, else_) = (hours(policy.objection_event_ms), hours(policy.objection_site_ms));
    html! {
        section aria-labelledby="h-who" {
            h2 #h-who { (lang.t("open.who")) }
            p { (lang.f("open.who_decides", &[("authority", authority)])) }
            p { (lang.f("open.by_when", &[("event", &in_event), ("else", &else_)])) }
            p { (lang.t("open.next")) }
        }
    }
}

/// What every page of these says: the policy's clocks, and whose the house is.
async fn frame(app: &App) -> Result<(Policy, String), PageError> {
    look(app, |house| (house.policy().clone(), house.case().authority().to_owned())).await
}

fn bad(lang: Lang, why: &shield::item::Bad) -> Markup {
    let text_of = lang.f(&format!("harm.{}", why.word()), &[("about", &why.about())]);
    html! { div.notice.is-error role="alert" { p { (text(&text_of)) } } }
}

/// `GET /blocked`.
pub(crate) async fn blocked(
    State(app): State<App>,
    Extension(_): Extension<Who>,
    request: Request,
) -> Response {
    let (ctx, _) = asked(&request, KNOWN);
    let lang = ctx.lang;
    let (policy, authority) = match frame(&app).await {
        Ok(found) => found,
        Err(error) => return fail(&ctx, &error),
    };
    let q = ctx.query.get("q").unwrap_or_default().to_owned();
    let (title, answer) = match (q.is_empty(), Item::parse(&q)) {
        (true, _) => (lang.t_owned("open.look_up"), html! {}),
        (false, Err(why)) => (lang.t_owned("open.look_up"), bad(lang, &why)),
        (false, Ok(item)) => {
            let asked = item.clone();
            let found = match look(&app, move |house| read::blocked(house, &asked)).await {
                Ok(found) => found,
                Err(error) => return fail(&ctx, &error),
            };
            answer(lang, &item, &found)
        }
    };
    let body = html! {
        (answer)
        (value_form(lang, "/blocked", &q, &html! {}, lang.t("open.look"), false))
        p.quiet { (lang.t("open.exact")) }
        (who_decides(lang, &policy, &authority))
    };
    send(StatusCode::OK, open(&ctx, &title, body))
}

fn answer(lang: Lang, item: &Item, found: &Blocked) -> (String, Markup) {
    let name = item.to_string();
    let named = |key| lang.f(key, &[("value", &name)]);
    match found {
        Blocked::Yes { since, until, orders, some, stopped } => {
            let title = named(if *stopped { "open.is_stopped" } else { "open.is_blocked" });
            let ways = [("/objection", "open.object"), ("/harm", "open.report_harm")];
            let body = html! {
                dl.facts.wide {
                    dt { (lang.t("open.since")) } dd { (moment(*since)) }
                    dt { (lang.t("items.until")) } dd { (moment(*until)) " " span.quiet { (lang.t("open.renewed")) } }
                    dt { (lang.t("open.order")) } dd { @for (n, order) in orders.iter().enumerate() { @if n > 0 { ", " } (text(order.as_str())) } }
                    @if *some { dt { (lang.t("tickets.audience")) } dd { (lang.t("open.some_isps")) } }
                }
                div.moves { @for (path, key) in ways { a.button href=(url(path, [("q", name.as_str())])) { (lang.t(key)) } } }
            };
            (title, body)
        }
        Blocked::Suspended => {
            (named("open.is_suspended"), html! { p { (lang.t("open.suspended_why")) } })
        }
        Blocked::No(last) => {
            let body = html! {
                @if let Some(past) = last {
                    p { (lang.t(&format!("open_end.{}", past.how.word()))) " " (moment(past.since)) " – " (moment(past.until)) }
                }
                p { (lang.t("open.not_here")) }
            };
            (named("open.not_blocked"), body)
        }
    }
}

/// The page of a form: what was written stays in it.
async fn form_page(
    app: &App,
    ctx: &Ctx,
    (status, said): (StatusCode, Markup),
    (kind, written): (What, &Written),
) -> Response {
    let lang = ctx.lang;
    let (policy, authority) = match frame(app).await {
        Ok(found) => found,
        Err(error) => return fail(ctx, &error),
    };
    let resolver = app.clearing().and_then(|clearing| clearing.challenges.resolver());
    let (title, how, form) = match kind {
        What::Objection => {
            let most = statement::MAX_STATEMENT.to_string();
            let rest = html! {
                label.field { span { (lang.t("open.statement")) }
                    textarea name="statement" rows="6" required maxlength=(most) { (written.statement) }
                }
                p.quiet { (lang.t("open.statement_how")) }
                label.field { span { (lang.t("open.token")) }
                    input.mono type="text" name="token" value=(written.token) autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="63";
                }
                p.quiet { (lang.t("open.token_how")) }
            };
            let form =
                value_form(lang, "/objection", &written.q, &rest, lang.t("open.object"), true);
            ("open.objection", "open.objection_how", form)
        }
        What::Harm => {
            let form =
                value_form(lang, "/harm", &written.q, &html! {}, lang.t("open.report_harm"), true);
            ("open.harm", "open.harm_how", form)
        }
    };
    let body = html! {
        (said)
        p { (lang.t(how)) }
        (form)
        @if let (What::Objection, Some(resolver)) = (kind, resolver) {
            p.quiet { (lang.t("open.vantage")) " " (mono(&resolver.to_string())) }
        }
        p.quiet { (lang.t("open.kept")) }
        (who_decides(lang, &policy, &authority))
    };
    send(status, open(ctx, lang.t(title), body))
}

/// What somebody writes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Written {
    q: String,
    statement: String,
    token: String,
}

async fn empty_form(app: &App, ctx: Ctx, kind: What) -> Response {
    let q = ctx.query.get("q").unwrap_or_default().to_owned();
    let written = Written { q, ..Written::default() };
    form_page(app, &ctx, (StatusCode::OK, html! {}), (kind, &written)).await
}

/// `GET /objection`.
pub(crate) async fn objection(
    State(app): State<App>,
    Extension(_): Extension<Who>,
    request: Request,
) -> Response {
    empty_form(&app, asked(&request, KNOWN).0, What::Objection).await
}

/// `GET /harm`.
pub(crate) async fn harm(
    State(app): State<App>,
    Extension(_): Extension<Who>,
    request: Request,
) -> Response {
    empty_form(&app, asked(&request, KNOWN).0, What::Harm).await
}

/// What somebody who objects puts where.
fn steps(lang: Lang, name: &str, issued: &Issued) -> Markup {
    html! {
        section.notice aria-labelledby="h-show" {
            h2 #h-show { (lang.f("open.show_title", &[("value", name)])) }
            p { (lang.t("open.show_put")) }
            p { (mono(&issued.token)) }
            ul { @for (way, place) in &issued.places {
                li { (lang.t(&format!("proof_way.{}", way.word()))) " " (mono(place)) }
            } }
            p { (lang.t("open.show_until")) " " (moment(issued.until)) }
            p { (lang.t("open.show_then")) }
            p { (lang.t("open.show_else")) " " a href=(url("/harm", [("q", name)])) { (lang.t("open.report_harm")) } }
        }
    }
}

/// Why it is not shown.
fn unmet(lang: Lang, why: &Unmet) -> Markup {
    let found = match why {
        Unmet::Not(found) => found.as_slice(),
        _ => &[],
    };
    html! {
        div.notice.is-error role="alert" {
            p { (lang.t(&format!("proof_unmet.{}", why.word()))) }
            @if !found.is_empty() {
                ul { @for (way, found) in found {
                    li { (lang.t(&format!("proof_by.{}", way.word()))) " " (lang.t(&format!("proof_found.{}", found.word()))) }
                } }
            }
        }
    }
}

/// What came of a form.
enum Came {
    /// Taken; of an objection until when it is decided; and whether it is durable on one machine alone.
    Taken(Option<Moment>, bool),
    /// Control is to be shown first: what has to stand where.
    Issued(challenge::Issued),
    /// It is not shown: why, and what has to stand where if that is known.
    Unmet(challenge::Unmet, Option<challenge::Issued>),
    /// This network wrote as often as it may.
    TooMany,
    /// Refused, by name.
    Refused(Refusal),
}

/// What was done of it.
fn taken(done: &desk::clearing::Done) -> Came {
    use shield::order::Deed;
    let due = done.steps.iter().find_map(|step| match &step.deed {
        Deed::Objected { due, .. } => Some(*due),
        _ => None,
    });
    Came::Taken(due, done.alone)
}

/// Asks the house as the public.
fn ask(clearing: &Clearing, command: Command) -> Result<Came, PageError> {
    let actor = public().ok_or(PageError::Broken)?;
    Ok(match clearing.keeper.act(Ask { actor, command })? {
        Ok(done) => taken(&done),
        Err(why) => Came::Refused(why),
    })
}

async fn sent(
    app: &App,
    headers: &HeaderMap,
    (kind, written): (What, Written),
    run: impl FnOnce(&Clearing, Item, &Written) -> Result<Came, PageError> + Send + 'static,
) -> Response {
    let path = if kind == What::Objection { "/objection" } else { "/harm" };
    let ctx = Ctx::of(headers, path, "", Vec::new());
    let lang = ctx.lang;
    let item = match Item::parse(&written.q) {
        Ok(item) => item,
        Err(why) => {
            let said = (StatusCode::UNPROCESSABLE_ENTITY, bad(lang, &why));
            return form_page(app, &ctx, said, (kind, &written)).await;
        }
    };
    let (asked, name) = (item.clone(), item.to_string());
    let taken = written.clone();
    let came = with(app, move |clearing| run(clearing, asked, &taken)).await;
    let error =
        |text_of: &str| html! { div.notice.is-error role="alert" { p { (text(text_of)) } } };
    match came {
        Ok(Came::Taken(due, one_machine)) => {
            let key = if kind == What::Objection { "open.objected" } else { "open.harm_taken" };
            let body = html! {
                p { (lang.t("open.of")) " " (mono(&name)) }
                @if let Some(due) = due { p { (lang.t("open.due")) " " (moment(due)) } }
                @if kind == What::Harm { p { (lang.t("open.harm_then")) } }
                @if one_machine { (alone(lang)) }
                p { a.button href=(url("/blocked", [("q", name.as_str())])) { (lang.t("open.look_up")) } }
            };
            send(StatusCode::OK, open(&ctx, lang.t(key), body))
        }
        Ok(Came::Issued(issued)) => {
            let written = Written { token: issued.token.clone(), ..written };
            let said = (StatusCode::OK, steps(lang, &name, &issued));
            form_page(app, &ctx, said, (kind, &written)).await
        }
        Ok(Came::Unmet(why, issued)) => {
            let token = issued.as_ref().map(|issued| issued.token.clone()).unwrap_or_default();
            let written = Written { token, ..written };
            let said = html! {
                (unmet(lang, &why))
                @if let Some(issued) = &issued { (steps(lang, &name, issued)) }
            };
            form_page(app, &ctx, (StatusCode::CONFLICT, said), (kind, &written)).await
        }
        Ok(Came::Refused(why)) => {
            let said = (StatusCode::CONFLICT, error(&refusal(lang, &why)));
            form_page(app, &ctx, said, (kind, &written)).await
        }
        Ok(Came::TooMany) => {
            let said = (StatusCode::TOO_MANY_REQUESTS, error(lang.t("open.too_many")));
            let mut response = form_page(app, &ctx, said, (kind, &written)).await;
            let hour = axum::http::HeaderValue::from_static("3600");
            response.headers_mut().insert(header::RETRY_AFTER, hour);
            response
        }
        Err(PageError::Desk(desk::Error::Asked(_))) => {
            let said = (StatusCode::UNPROCESSABLE_ENTITY, error(lang.t("open.statement_length")));
            form_page(app, &ctx, said, (kind, &written)).await
        }
        Err(error) => fail(&ctx, &error),
    }
}

/// `POST /objection`.
pub(crate) async fn object(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Form(written): Form<Written>,
) -> Response {
    let source = who.source;
    let run = move |clearing: &Clearing, value: Item, written: &Written| {
        let token = Some(written.token.trim()).filter(|token| !token.is_empty());
        if token.is_some() {
            let now = clearing.keeper.look(|house| house.now())?;
            if !clearing.limits.take(What::Objection, source, now.0) {
                return Ok(Came::TooMany);
            }
        }
        let objection = Objection {
            actor: public().ok_or(PageError::Broken)?,
            value: value.clone(),
            statement: written.statement.clone(),
            token: token.map(str::to_owned),
        };
        let mut hand = Hand::Keeper(&clearing.keeper);
        Ok(match clearing.challenges.object(&mut hand, objection)? {
            challenge::Came::Issued(issued) => Came::Issued(issued),
            challenge::Came::Unmet(why) => {
                let proof = statement::proof(&written.statement)?;
                let again = token.and_then(|token| clearing.challenges.again(&value, proof, token));
                Came::Unmet(why.clone(), again.filter(|_| why != Unmet::Expired))
            }
            challenge::Came::Done(done) => taken(&done),
            challenge::Came::Refused(why) => Came::Refused(why),
        })
    };
    sent(&app, &headers, (What::Objection, written), run).await
}

/// `POST /harm`.
pub(crate) async fn report_harm(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Form(written): Form<Written>,
) -> Response {
    let source = who.source;
    let run = move |clearing: &Clearing, value: Item, _: &Written| {
        let now = clearing.keeper.look(|house| house.now())?;
        if !clearing.limits.take(What::Harm, source, now.0) {
            return Ok(Came::TooMany);
        }
        // All that is kept of where somebody asked from. AS 0 is nobody's (RFC 7607): networks that no
        // table knows count as one.
        let network = clearing.known.check(|check| {
            let place = check.places.and_then(|places| places.look_up(source.to_canonical()));
            place.and_then(|place| place.asn).unwrap_or(0)
        })?;
        ask(clearing, Command::ReportHarm { value, network })
    };
    sent(&app, &headers, (What::Harm, written), run).await
}
