//! `/tickets/{id}/opened`: what is told of a ticket once its event is over, as a file that its reader checks; and
//! what the ticket's page says of it before.

use axum::extract::{Extension, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use desk::access::{Action, Principal};
use desk::clearing::opened::{self, NotYet, Whom};
use desk::parties::PartyRole;
use maud::{Markup, html};
use shield::order::TicketId;
use shield::order::words::Organisation;

use super::{asked, with};
use crate::app::{App, PageError, fail};
use crate::gate::Who;
use crate::html::parts::command;
use crate::i18n::Lang;
use crate::params::Param;

const KNOWN: &[Param] = &[("after", |text| text.parse::<u64>().is_ok())];

/// Who asks, as the desk tells how much they are told.
fn whom(app: &App, who: &Who) -> Whom {
    if app.access.would(&who.principal, Action::TicketsRead, who.source) {
        return Whom { organisation: None, isp: false };
    }
    let isp = match &who.principal {
        Principal::Person { roles, .. } => roles.contains(&PartyRole::Isp),
        Principal::Key { role, .. } => *role == PartyRole::Isp,
        Principal::Nobody | Principal::Holder => false,
    };
    // Who is of no organisation saw nothing at the gate.
    Whom { organisation: who.principal.organisation().and_then(Organisation::new), isp }
}

/// Why nothing is told yet, in words; the moment as records write it.
fn why(lang: Lang, not_yet: NotYet) -> String {
    match not_yet {
        NotYet::Until(from) => {
            let time = model::record::time_text(from.0);
            lang.f("opened.until", &[("time", &time)])
        }
        NotYet::Lives(after) => lang.n("opened.lives", after.div_ceil(3_600_000), &[]),
        NotYet::Untraced => lang.t_owned("opened.untraced"),
    }
}

/// `GET /tickets/{id}/opened`: the file; 409 and from when on, where it is too early.
pub(crate) async fn file(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let (ctx, _) = asked(&request, KNOWN);
    let Ok(id) = id.parse().map(TicketId) else { return fail(&ctx, &PageError::NotFound) };
    let (whom, after) = (whom(&app, &who), ctx.query.read("after"));
    let found = with(&app, move |clearing| {
        let opened = opened::opened(&clearing.keeper, id, whom, after)?;
        let opened = opened.ok_or(PageError::NotFound)?;
        let write = |opened: shield::wire::opened::Opened| opened.write();
        match opened.map(write) {
            Ok(Ok(text)) => Ok(Ok(text)),
            Ok(Err(_)) => Err(PageError::Bound("opened")),
            Err(not_yet) => Ok(Err(not_yet)),
        }
    });
    match found.await {
        Ok(Ok(text)) => {
            let name = format!("attachment; filename=\"ticket-{id}.opened.json\"");
            let headers = [
                (header::CONTENT_TYPE, "application/json".to_owned()),
                (header::CONTENT_DISPOSITION, name),
            ];
            (headers, text).into_response()
        }
        Ok(Err(not_yet)) => {
            let plain = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
            (StatusCode::CONFLICT, plain, why(ctx.lang, not_yet) + "\n").into_response()
        }
        Err(error) => fail(&ctx, &error),
    }
}

/// What the ticket's page says: the file, or from when on there is one.
pub(super) fn section(lang: Lang, id: TicketId, opens: Option<NotYet>) -> Markup {
    html! {
        section aria-labelledby="h-opened" {
            h2 #h-opened { (lang.t("opened.title")) }
            @match opens {
                None => {
                    p { (lang.t("opened.what")) }
                    p { a.button href={ "/tickets/" (id) "/opened" } download={ "ticket-" (id) ".opened.json" } { (lang.t("opened.take")) } }
                    (command(lang, &format!("vigie shield opened --trust trust.txt ticket-{id}.opened.json")))
                },
                Some(not_yet) => { p.quiet { (why(lang, not_yet)) } },
            }
        }
    }
}
