//! The one gate: every address of the table passes it, and so does every address that is none. It finds
//! out who asks, and `desk::access` decides; nothing else of the console does.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use desk::access::{Action, Asked, Decision, Principal};
use desk::account::Session;

use crate::app::App;
use crate::guard::{lang_of, session_of, set_opens};
use crate::html::{error_page, send};

/// The address at the other end of the connection. What a header says of it is never looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    /// As the policies know them.
    pub(crate) principal: Principal,
    /// A person's session.
    pub(crate) session: Option<Session>,
    /// From where.
    pub(crate) source: IpAddr,
}

impl Who {
    /// The person who is signed in.
    pub(crate) fn person(&self) -> Option<&str> {
        self.session.as_ref().map(|session| session.person.as_str())
    }
}

/// What a route is, as its own gate knows it.
#[derive(Debug, Clone)]
pub(crate) struct Gated {
    /// The server.
    pub(crate) app: App,
    /// The route's pattern: refusals are counted under it.
    pub(crate) path: &'static str,
    /// What is done there.
    pub(crate) action: Action,
    /// What may be done there instead: either opens it.
    pub(crate) or: Option<Action>,
    /// The addresses that the frame of a page leads to.
    pub(crate) ways: Arc<[Way]>,
}

/// An address that the frame of a page leads to, and what is done there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way {
    /// The route's pattern, which is its address.
    pub(crate) path: &'static str,
    /// What is done there.
    pub(crate) action: Action,
    /// What may be done there instead.
    pub(crate) or: Option<Action>,
}

/// Finds out who asks, and has it decided whether they may.
pub(crate) async fn gate(State(gated): State<Gated>, mut request: Request, next: Next) -> Response {
    let app = &gated.app;
    // Without a connection there is no address that could be this machine's.
    let peer = request.extensions().get::<Peer>().copied();
    let source = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0);
    let Ok((principal, session)) = identify(app, request.headers()).await else {
        let lang = lang_of(request.headers());
        return error_page(lang, StatusCode::INTERNAL_SERVER_ERROR, "error.access");
    };
    let would = |action| app.access.would(&principal, action, source);
    let other = gated.or.filter(|other| !would(gated.action) && would(*other));
    let action = other.unwrap_or(gated.action);
    // Of what is one organisation's: the asker's own. What a page shows of it is held to that again.
    let asked = Asked { action, organisation: principal.organisation(), source };
    match app.access.may(&principal, &asked, gated.path) {
        Decision::Allowed => {
            // A file of a page has no frame.
            if gated.action != Action::PageFile {
                let opens = opened(&gated.ways, would);
                set_opens(request.headers_mut(), &opens);
            }
            request.extensions_mut().insert(Who { principal, session, source });
            next.run(request).await
        }
        refused => refuse(app, request.headers(), refused),
    }
}

/// The ways that may be gone. Most share an action: each is asked about once.
fn opened(ways: &[Way], would: impl Fn(Action) -> bool) -> Vec<&'static str> {
    let mut known: Vec<(Action, bool)> = Vec::new();
    let mut may = |action: Action| {
        let before = known.iter().find(|(of, _)| *of == action).map(|(_, may)| *may);
        before.unwrap_or_else(|| {
            let may = would(action);
            known.push((action, may));
            may
        })
    };
    let open = ways.iter().filter(|way| may(way.action) || way.or.is_some_and(&mut may));
    open.map(|way| way.path).collect()
}

/// Who a request is of: the link's session, a person's, a service's key, or nobody.
///
/// # Errors
/// The files of accounts cannot be read: then nobody is let in.
pub(crate) async fn identify(
    app: &App,
    headers: &HeaderMap,
) -> desk::Result<(Principal, Option<Session>)> {
    if let Some(secret) = bearer(headers) {
        let key = app.access.key(secret);
        return Ok((key.unwrap_or(Principal::Nobody), None));
    }
    let Some(token) = session_of(headers, &app.cookie) else {
        return Ok((Principal::Nobody, None));
    };
    if app.links.holds(token, Instant::now()) {
        return Ok((Principal::Holder, None));
    }
    let (app, token) = (app.clone(), token.to_owned());
    // That it was used may be written down: not on a thread that serves sockets.
    let found =
        tokio::task::spawn_blocking(move || app.accounts.session(&app.access, &token)).await;
    let found = found.unwrap_or_else(|_| Err(desk::Error::Cancelled))?;
    Ok(match found {
        Some((session, principal)) => (principal, Some(session)),
        None => (Principal::Nobody, None),
    })
}

/// `Authorization: Bearer …` (RFC 6750).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

/// A refusal, as a page or, for a program, as JSON.
fn refuse(app: &App, headers: &HeaderMap, decision: Decision) -> Response {
    let lang = lang_of(headers);
    let (status, key) = match decision {
        Decision::SignIn => (StatusCode::UNAUTHORIZED, "sign_in"),
        Decision::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, "too_many"),
        _ => (StatusCode::FORBIDDEN, "forbidden"),
    };
    let mut response = if headers.contains_key(header::AUTHORIZATION) {
        let body = serde_json::json!({ "error": key }).to_string();
        (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
    } else if status == StatusCode::UNAUTHORIZED {
        send(status, crate::pages::sign_in::needed(app, headers, None))
    } else {
        error_page(lang, status, &format!("error.{key}"))
    };
    let headers = response.headers_mut();
    match decision {
        Decision::SignIn => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            // A part that htmx asked for cannot hold a page: the whole page goes to sign-in.
            headers.insert("hx-redirect", HeaderValue::from_static("/sign-in"));
        }
        Decision::TooMany { retry_s } => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_s));
        }
        _ => {}
    }
    response
}
