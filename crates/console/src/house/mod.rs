//! The console of the clearing house. Pages show what `desk::clearing::read` gives; what somebody does goes
//! through `desk::access` and the house's own queue, and is a record before the next page says so.
//!
//! - [`live`], [`stream`], [`report`]: the wall of a match night, and what is reported there.
//! - [`events`]: their forms on Live.
//! - [`tickets`], [`ticket`], [`record`]: what became of each item, down to the log.
//! - [`opened`]: what is told of a ticket once its event is over.
//! - [`api`]: the same for a rights holder's programs, as JSON: report, look, lift.
//! - [`acts`]: what changes anything: approve, refuse, lift, decide, stop, resume.
//! - [`orders`], [`exceptions`], [`stops`]: what may be reported under, what is never blocked, what is stopped; each
//!   with its forms.
//! - [`check`]: what the harm check says of anything; writes nothing.
//! - [`open`]: for anybody, without an account.
//! - [`objections`], [`statistics`]; [`transparency`]: what of these is for anybody.

pub(crate) mod acts;
pub(crate) mod api;
pub(crate) mod check;
pub(crate) mod events;
pub(crate) mod exceptions;
mod figures;
mod limits;
pub(crate) mod live;
mod measured;
pub(crate) mod objections;
pub(crate) mod open;
pub(crate) mod opened;
pub(crate) mod orders;
mod parts;
pub(crate) mod record;
pub(crate) mod report;
pub(crate) mod reporters;
mod rows;
pub(crate) mod statistics;
pub(crate) mod stops;
pub(crate) mod stream;
pub(crate) mod ticket;
pub(crate) mod tickets;
pub(crate) mod transparency;

use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use desk::access::{Action, Principal};
use desk::clearing::challenge::Challenges;
use desk::clearing::known::Knowledge;
use desk::clearing::read::Whose;
use desk::clearing::{House, Keeper};
use desk::read::Standing;
use maud::html;
use shield::order::words::Organisation;

use crate::app::{App, Ctx, PageError, fail};
use crate::gate::Who;
use crate::html::{CaseLine, Page, Place, open_places, send};
use crate::params::{Param, sift};
use limits::Limits;

/// The clearing house that a console shows.
#[derive(Debug, Clone)]
pub struct ClearingHouse {
    /// Who has it.
    pub keeper: Keeper,
    /// What the harm check knows.
    pub known: Knowledge,
    /// Who looks whether somebody who objects controls what is blocked.
    pub challenges: Arc<Challenges>,
}

/// The same with what its pages keep: how often strangers wrote in the hour that runs.
#[derive(Debug)]
pub(crate) struct Clearing {
    pub(crate) keeper: Keeper,
    pub(crate) known: Knowledge,
    pub(crate) challenges: Arc<Challenges>,
    pub(crate) limits: Limits,
    published: transparency::Kept,
}

impl Clearing {
    pub(crate) fn new(house: ClearingHouse) -> Self {
        let ClearingHouse { keeper, known, challenges } = house;
        let (limits, published) = (Limits::default(), transparency::Kept::default());
        Self { keeper, known, challenges, limits, published }
    }

    #[cfg(test)]
    pub(crate) fn asked_for_published(&self) -> u64 {
        self.published.asked()
    }
}

/// Does something with the clearing house on a thread that may block.
pub(crate) async fn with<T: Send + 'static>(
    app: &App,
    run: impl FnOnce(&Clearing) -> Result<T, PageError> + Send + 'static,
) -> Result<T, PageError> {
    let app = app.clone();
    let task = tokio::task::spawn_blocking(move || match app.clearing() {
        Some(clearing) => run(clearing),
        None => Err(PageError::NotFound),
    });
    task.await.unwrap_or(Err(PageError::Broken))
}

/// Asks the house something, in one look.
pub(crate) async fn look<T: Send + 'static>(
    app: &App,
    look: impl FnOnce(&mut House) -> T + Send + 'static,
) -> Result<T, PageError> {
    with(app, move |clearing| Ok(clearing.keeper.look(look)?)).await
}

/// What the frame says of the house.
async fn line(app: &App) -> Result<CaseLine, PageError> {
    with(app, |clearing| {
        let (name, authority, records) = clearing.keeper.look(|house| {
            let case = house.case();
            (case.origin().to_owned(), case.authority().to_owned(), case.len())
        })?;
        let standing = match clearing.known.is_practice() {
            true => Standing::Practice,
            false => Standing::Real { authority },
        };
        Ok(CaseLine { name, standing, records })
    })
    .await
}

/// A page in the house's frame; what of its address meant nothing is said above it.
pub(crate) async fn framed(app: &App, ctx: &Ctx, status: StatusCode, page: Page) -> Response {
    match line(app).await {
        Ok(line) => send(status, page.render_house(ctx, &line)),
        Err(error) => fail(ctx, &error),
    }
}

/// What a request asks, without the parameters that the page does not have; and what is said of those.
pub(crate) fn asked(request: &Request, known: &[Param]) -> (Ctx, Vec<String>) {
    let uri = request.uri();
    let mut ctx =
        Ctx::of(request.headers(), uri.path(), uri.query().unwrap_or_default(), Vec::new());
    let (query, notes) = sift(ctx.lang, known, &ctx.query);
    ctx.query = query;
    (ctx, notes)
}

/// Whose tickets somebody sees.
pub(crate) fn whose(app: &App, who: &Who) -> Whose {
    if app.access.would(&who.principal, Action::TicketsRead, who.source) {
        return None;
    }
    // Who is of no organisation saw nothing at the gate.
    who.principal.organisation().and_then(Organisation::new)
}

/// The organisation whose items somebody may report.
pub(crate) fn reports_for(app: &App, who: &Who) -> Whose {
    let may = app.access.would(&who.principal, Action::ItemReport, who.source);
    let person = matches!(who.principal, Principal::Person { .. });
    who.principal.organisation().filter(|_| may && person).and_then(Organisation::new)
}

/// `GET /`.
pub(crate) async fn home() -> Response {
    Redirect::to("/live").into_response()
}

/// `GET /keys`.
pub(crate) async fn keys(
    State(app): State<App>,
    Extension(_): Extension<Who>,
    request: Request,
) -> Response {
    let (ctx, notes) = asked(&request, &[]);
    let lang = ctx.lang;
    let keys = [
        ("/", "keys.search"),
        ("?", "keys.help"),
        ("j", "keys.down"),
        ("k", "keys.up"),
        ("l", "keys.lift"),
        ("a", "keys.approve"),
        ("r", "keys.refuse"),
        ("d", "keys.decide"),
        ("Enter", "keys.open"),
        ("Esc", "keys.close"),
    ];
    let body = html! {
        div.columns {
            section aria-labelledby="h-keys" {
                h2 #h-keys { (lang.t("keys.moving")) }
                dl.keys { @for (key, meaning) in keys { dt { kbd { (key) } } dd { (lang.t(meaning)) } } }
            }
            section aria-labelledby="h-go" {
                h2 #h-go { (lang.t("keys.going")) }
                dl.keys {
                    @for (_, path, name, letter) in open_places(&ctx) {
                        dt { kbd { "g" } " " kbd { (letter) } } dd { a href=(path) { (lang.t(&format!("place.{name}"))) } }
                    }
                }
            }
        }
    };
    let mut page = Page::new(&ctx, Place::Keys, lang.t("keys.title"), body);
    page.eyebrow = html! { "Vigie" };
    page.notes = notes;
    framed(&app, &ctx, StatusCode::OK, page).await
}
