//! What changes anything. Each form is asked of `desk::access` again for who sent it, goes into the house's
//! queue, and is a durable record before its answer is shown.

use std::future::Future;

use axum::extract::{Extension, Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use desk::access::Principal;
use desk::clearing::door::{Request as Asks, Wanted, office, office_of_house};
use desk::clearing::{Done, HouseAct};
use maud::{Markup, html};
use model::{ExhibitId, Sha256Hex, Stamp};
use serde::Deserialize;
use shield::order::command::Upheld;
use shield::order::words::Grounds;
use shield::order::{Command, Halt, ItemId, Moment, Refusal, Scope};

use super::{framed, look, with};
use crate::app::{App, Ctx, PageError, fail};
use crate::gate::Who;
use crate::html::hostile::text;
use crate::html::{Page, Place};
use crate::i18n::Lang;
use crate::query::back;

/// Why something was not done, before or by the house.
#[derive(Debug)]
pub(crate) enum No {
    /// The house refuses.
    Refused(Refusal),
    /// It could not be asked so: a text of the catalogues.
    Form(&'static str),
    /// It could not be asked so, as the desk says in its own words.
    Asked(String),
    /// Whether it was done, the log says.
    Failed(PageError),
}

impl From<PageError> for No {
    fn from(error: PageError) -> Self {
        match error {
            PageError::Desk(desk::Error::Asked(why)) => Self::Asked(why),
            other => Self::Failed(other),
        }
    }
}

/// A refusal in a reader's language.
pub(crate) fn refusal(lang: Lang, refusal: &Refusal) -> String {
    lang.t(&format!("refusal.{}", refusal.word())).to_owned()
}

/// Has a command done for who is signed in, in the office of theirs that may.
pub(crate) async fn act(app: &App, who: &Who, command: Command) -> Result<Done, No> {
    let Principal::Person { person, .. } = &who.principal else {
        // A key in the hands of a program, or whoever holds the folder: neither is anybody of the register.
        return Err(No::Form("act.person"));
    };
    let role = office(&app.access, &who.principal, who.source, &command).word().to_owned();
    let asks = Asks::new(person.clone(), role, command);
    let (access, source) = (app.clone(), who.source);
    let done = with(app, move |clearing| {
        match asks.ask(&access.access, source)? {
            Wanted::Command(ask, ..) => Ok(clearing.keeper.act(ask)?),
            // Nobody asks for one here.
            Wanted::House(..) => Err(PageError::Broken),
        }
    });
    done.await?.map_err(No::Refused)
}

/// Has something done to the house itself for who is signed in, in the office of theirs that may.
pub(super) async fn act_on_house(app: &App, who: &Who, act: HouseAct) -> Result<Done, No> {
    let Principal::Person { person, .. } = &who.principal else {
        return Err(No::Form("act.person"));
    };
    let role = office_of_house(&app.access, &who.principal, who.source, &act).word().to_owned();
    let asks = Asks::of_house(person.clone(), role, act);
    let (access, source) = (app.clone(), who.source);
    let done = with(app, move |clearing| match asks.ask(&access.access, source)? {
        Wanted::House(actor, act) => Ok(clearing.keeper.look(move |house| {
            house.do_act(&actor.person, &act)?;
            let (at, alone) = (house.now(), house.is_alone());
            Ok::<_, desk::Error>(Done { at, steps: Vec::new(), record: None, alone, left: 0 })
        })??),
        // Nobody asks for one here.
        Wanted::Command(..) => Err(PageError::Broken),
    });
    Ok(done.await?)
}

/// A page that says why not, what is safe, and how to go on.
pub(crate) async fn said(app: &App, ctx: &Ctx, no: No, to: &str, written: &str) -> Response {
    let lang = ctx.lang;
    let (status, why, own) = match no {
        No::Refused(why) => (StatusCode::CONFLICT, refusal(lang, &why), true),
        No::Form(key) => (StatusCode::UNPROCESSABLE_ENTITY, lang.t(key).to_owned(), true),
        No::Asked(why) => (StatusCode::UNPROCESSABLE_ENTITY, why, false),
        No::Failed(error) => return fail(ctx, &error),
    };
    let body = html! {
        div.prose {
            div.notice.is-error role="alert" {
                @if !own { p { (lang.t("act.asked")) } }
                p lang=[(!own).then_some("en")] { (text(&why)) }
            }
            p { (lang.t("act.unchanged")) }
            @if !written.is_empty() { p { (lang.t("act.written")) " " q { (text(written)) } } }
            p { a.button href=(to) { (lang.t("act.back")) } }
        }
    };
    let page = Page::new(ctx, Place::Live, lang.t("act.refused"), body);
    framed(app, ctx, status, page).await
}

/// Goes on to where it shows. What is durable on one machine alone is said first, since the standby does not have it;
/// and so is what an end left, which the house lifts by itself.
pub(crate) async fn went(app: &App, ctx: &Ctx, done: &Done, to: &str) -> Response {
    if !done.alone && done.left == 0 {
        return Redirect::to(to).into_response();
    }
    let lang = ctx.lang;
    let body = html! {
        div.prose {
            @if done.alone { (alone(lang)) }
            @if done.left > 0 {
                div.notice role="status" { p { (lang.n("act.left", done.left, &[])) } }
            }
            p { a.button href=(to) { (lang.t("act.go_on")) } }
        }
    };
    framed(app, ctx, StatusCode::OK, Page::new(ctx, Place::Live, lang.t("act.done"), body)).await
}

/// That an act is durable on one machine alone.
pub(crate) fn alone(lang: Lang) -> Markup {
    html! { div.notice.is-error role="alert" { p { (lang.t("act.alone")) } } }
}

/// What a form that could not be understood is told.
pub(super) fn unread() -> No {
    No::Form("act.unread")
}

/// A reason as a form gives it.
pub(super) fn grounds(text: &str) -> Result<Grounds, No> {
    Grounds::new(text).ok_or(No::Form("act.no_grounds"))
}

/// A moment as a form gives it: ISO 8601, in UTC where it names no zone, as pages show it.
pub(super) fn moment(text: &str) -> Result<Moment, No> {
    let stamp = Stamp::parse_iso(text.trim());
    stamp.map(|stamp| Moment(stamp.utc_ms())).ok_or(No::Form("act.no_moment"))
}

/// The same; now, by the house's clock, where the field is empty.
pub(super) async fn moment_or_now(app: &App, text: &str) -> Result<Moment, No> {
    if text.trim().is_empty() {
        return Ok(look(app, |house| house.now()).await?);
    }
    moment(text)
}

/// Asks, and goes back to where the form stood.
pub(super) async fn done(
    app: &App,
    headers: &HeaderMap,
    (to, written): (&str, &str),
    act: impl Future<Output = Result<Done, No>>,
) -> Response {
    match act.await {
        Ok(done) => went(app, &Ctx::of(headers, to, "", Vec::new()), &done, to).await,
        Err(no) => said(app, &Ctx::of(headers, to, "", Vec::new()), no, to, written).await,
    }
}

/// A form on an item.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct OnItem {
    item: String,
    grounds: String,
    capture: String,
    collateral: String,
    proof: String,
    upheld: String,
    back: String,
}

impl OnItem {
    fn id(&self) -> Result<ItemId, No> {
        self.item.parse().map_err(|_| unread())
    }

    fn grounds(&self) -> Result<Grounds, No> {
        grounds(&self.grounds)
    }

    fn back(&self) -> &str {
        back(&self.back)
    }
}

/// `POST /items/approve`.
pub(crate) async fn approve(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Form(form): Form<OnItem>,
) -> Response {
    let run = async {
        let exhibit: ExhibitId = form.capture.parse().map_err(|_| unread())?;
        let blank = form.grounds.trim().is_empty();
        let grounds = if blank { None } else { Some(form.grounds()?) };
        act(&app, &who, Command::Approve { item: form.id()?, exhibit, grounds }).await
    };
    done(&app, &headers, (form.back(), &form.grounds), run).await
}

/// `POST /items/refuse`.
pub(crate) async fn refuse(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Form(form): Form<OnItem>,
) -> Response {
    let run = async {
        act(&app, &who, Command::Refuse { item: form.id()?, grounds: form.grounds()? }).await
    };
    done(&app, &headers, (form.back(), &form.grounds), run).await
}

/// What the record says where a reporter lifts its own item and gives no reason.
const TAKEN_BACK: &str = "taken back by its reporter";

/// True where an item was reported by who asks, who may take it back.
async fn is_own(app: &App, who: &Who, item: ItemId) -> Result<bool, PageError> {
    let Some(own) = super::reports_for(app, who) else { return Ok(false) };
    look(app, move |house| {
        house.state().ticket(item.ticket()).is_some_and(|ticket| ticket.reporter == own)
    })
    .await
}

/// `POST /items/lift`.
pub(crate) async fn lift(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Form(form): Form<OnItem>,
) -> Response {
    let run = async {
        let collateral = match form.collateral.as_str() {
            "" => None,
            "some" => Some(false),
            "grave" => Some(true),
            _ => return Err(unread()),
        };
        let item = form.id()?;
        let taken_back = collateral.is_none() && form.grounds.trim().is_empty();
        let grounds = match taken_back && is_own(&app, &who, item).await? {
            true => grounds(TAKEN_BACK)?,
            false => form.grounds()?,
        };
        act(&app, &who, Command::Lift { item, collateral, grounds }).await
    };
    done(&app, &headers, (form.back(), &form.grounds), run).await
}

/// `POST /objections/decide`.
pub(crate) async fn decide(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Form(form): Form<OnItem>,
) -> Response {
    let run = async {
        let proof: Sha256Hex = form.proof.parse().map_err(|_| unread())?;
        let upheld = match form.upheld.as_str() {
            "no" => Upheld::No,
            "item" => Upheld::Item,
            "collateral" => Upheld::Collateral,
            _ => return Err(unread()),
        };
        let (item, grounds) = (form.id()?, form.grounds()?);
        act(&app, &who, Command::Decide { item, proof, upheld, grounds }).await
    };
    done(&app, &headers, (form.back(), &form.grounds), run).await
}

/// A form on a scope.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct OnScope {
    scope: String,
    /// In place of a scope: its kind, and the name that somebody wrote.
    of: String,
    name: String,
    halt: String,
    grounds: String,
    back: String,
}

impl OnScope {
    fn scope(&self) -> Result<Scope, No> {
        let scope = match (self.scope.as_str(), self.of.as_str()) {
            ("", "all") => return Ok(Scope::All),
            ("", of) => format!("{of}:{}", self.name.trim()),
            (scope, _) => scope.to_owned(),
        };
        scope.parse().map_err(|_| No::Form("act.no_scope"))
    }
}

/// `POST /stop`.
pub(crate) async fn stop(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Form(form): Form<OnScope>,
) -> Response {
    let run = async {
        let scope = form.scope()?;
        let halt = match form.halt.as_str() {
            "lifts" => Halt::Lifts,
            "releases" => Halt::Releases,
            _ => return Err(unread()),
        };
        act(&app, &who, Command::Stop { scope, halt, grounds: grounds(&form.grounds)? }).await
    };
    done(&app, &headers, (back(&form.back), &form.grounds), run).await
}

/// `POST /resume`.
pub(crate) async fn resume(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Form(form): Form<OnScope>,
) -> Response {
    let run = async {
        let scope = form.scope()?;
        act(&app, &who, Command::Resume { scope, grounds: grounds(&form.grounds)? }).await
    };
    done(&app, &headers, (back(&form.back), &form.grounds), run).await
}
