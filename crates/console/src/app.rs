//! One request to one page: what a page is given, what it gives back, and how failures are told.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{RawPathParams, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use desk::access::Access;
use desk::account::Accounts;
use desk::read::{Reader, Snapshot};
use maud::Markup;

use crate::guard::{lang_of, opens_of, site_of};
use crate::house::{Clearing, ClearingHouse};
use crate::html::{self, Page};
use crate::i18n::Lang;
use crate::params::{Param, sift};
use crate::query::Query;
use crate::session::Sessions;

/// What the server holds. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct App(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    /// What is served.
    pub(crate) served: Served,
    /// Who may do what.
    pub(crate) access: Access,
    /// Who is signed in, of the people who are registered.
    pub(crate) accounts: Accounts,
    /// Who is signed in by the link on the terminal.
    pub(crate) links: Sessions,
    /// The session cookie's name.
    pub(crate) cookie: String,
    /// True where all of it goes by TLS.
    pub(crate) secure: bool,
    /// True where it listens on loopback, where the link on the terminal works.
    pub(crate) local: bool,
    /// The hosts this server answers for, with port, those that people call it by first.
    hosts: Vec<String>,
    /// How many of them are such names.
    named: usize,
}

/// What a console shows: a case, or the clearing house.
#[derive(Debug)]
pub(crate) enum Served {
    /// A case.
    Case(Reader),
    /// The clearing house.
    House(Box<Clearing>),
}

/// Which of both a page belongs to: its places differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Site {
    /// A case.
    Case,
    /// The clearing house.
    House,
}

/// Where a server is found.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// Its address.
    pub(crate) address: SocketAddr,
    /// What people call it, without a port.
    pub(crate) hosts: Vec<String>,
    /// By TLS.
    pub(crate) secure: bool,
}

impl std::ops::Deref for App {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    /// For a case, served at a place, by the parties of a home.
    ///
    /// # Errors
    /// The home cannot be used: its log, its policies, its accounts.
    pub(crate) fn new(reader: Reader, home: &Path, place: &Place) -> desk::Result<Self> {
        Self::of(Served::Case(reader), home, place)
    }

    /// For the clearing house, as [`App::new`].
    ///
    /// # Errors
    /// As [`App::new`].
    pub(crate) fn house(house: ClearingHouse, home: &Path, place: &Place) -> desk::Result<Self> {
        Self::of(Served::House(Box::new(Clearing::new(house))), home, place)
    }

    fn of(served: Served, home: &Path, place: &Place) -> desk::Result<Self> {
        let port = place.address.port();
        let usual = if place.secure { 443 } else { 80 };
        let mut hosts = Vec::new();
        for host in &place.hosts {
            let bare = host.parse::<std::net::Ipv6Addr>().map(|of| format!("[{of}]"));
            let host = bare.unwrap_or_else(|_| host.clone());
            // A browser leaves the usual port out.
            if port == usual {
                hosts.push(host.clone());
            }
            hosts.push(format!("{host}:{port}"));
        }
        let named = hosts.len();
        // Beyond loopback those names would be anybody's.
        if place.address.ip().is_loopback() {
            hosts.extend(["127.0.0.1", "localhost", "[::1]"].map(|host| format!("{host}:{port}")));
            hosts.push(place.address.to_string());
        }
        // The prefix binds it to this very host, and to TLS (RFC 6265bis). In the clear it holds the
        // port, since cookies do not tell ports apart.
        let cookie = if place.secure { "__Host-vigie".to_owned() } else { format!("vigie_{port}") };
        Ok(Self(Arc::new(Inner {
            served,
            access: Access::open(home)?,
            accounts: Accounts::open(home)?,
            links: Sessions::default(),
            cookie,
            secure: place.secure,
            local: place.address.ip().is_loopback(),
            hosts,
            named,
        })))
    }

    /// True for our own names.
    pub(crate) fn answers_for(&self, host: &str) -> bool {
        self.hosts.iter().any(|h| h.eq_ignore_ascii_case(host))
    }

    /// The clearing house, where this is its console.
    pub(crate) fn clearing(&self) -> Option<&Clearing> {
        match &self.served {
            Served::House(house) => Some(house),
            Served::Case(_) => None,
        }
    }

    /// Which console this is.
    pub(crate) fn site(&self) -> Site {
        match &self.served {
            Served::House(_) => Site::House,
            Served::Case(_) => Site::Case,
        }
    }

    /// What people call this server, with its port where that is not the usual one.
    pub(crate) fn hosts(&self) -> &[String] {
        self.hosts.get(..self.named).unwrap_or_default()
    }

    /// True while a session goes on, of whoever it is; asking is no use of it.
    pub(crate) fn goes_on(&self, token: Option<&str>) -> bool {
        token.is_some_and(|token| {
            self.links.holds(token, Instant::now())
                || self.accounts.goes_on(&self.access, token).unwrap_or(false)
        })
    }

    /// A cookie of ours: no script reads it, and no other site's request carries it.
    pub(crate) fn set_cookie(&self, name: &str, value: &str, seconds: u64) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        format!("{name}={value}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}{secure}")
    }

    /// Asks the case on a thread that may block.
    pub(crate) async fn read<T, F>(&self, ask: F) -> Result<T, PageError>
    where
        T: Send + 'static,
        F: FnOnce(&Snapshot) -> Result<T, PageError> + Send + 'static,
    {
        let app = self.clone();
        let task = tokio::task::spawn_blocking(move || {
            let Served::Case(reader) = &app.served else { return Err(PageError::NotFound) };
            let snapshot = reader.snapshot()?;
            ask(&snapshot)
        });
        task.await.unwrap_or(Err(PageError::Broken))
    }
}

/// What a page is given.
#[derive(Debug, Clone)]
pub(crate) struct Ctx {
    /// The reader's language.
    pub(crate) lang: Lang,
    /// Which console it is.
    pub(crate) site: Site,
    /// The request's path.
    pub(crate) path: String,
    /// Its parameters.
    pub(crate) query: Query,
    /// The variable parts of the path, in order.
    pub(crate) params: Vec<String>,
    /// A part of a page is wanted, by htmx: its target's id.
    pub(crate) part: Option<String>,
    /// Which of the frame's addresses who asks may open.
    opens: Vec<String>,
}

impl Ctx {
    /// Of a request that `routes` has matched.
    pub(crate) fn of(headers: &HeaderMap, path: &str, query: &str, params: Vec<String>) -> Self {
        let get = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
        // htmx names its target `tag#id`.
        let part = get("hx-request")
            .and(get("hx-target"))
            .map(|t| t.rsplit('#').next().unwrap_or(t).to_owned());
        Self {
            lang: lang_of(headers),
            site: site_of(headers),
            path: path.to_owned(),
            query: Query::parse(query),
            params,
            part,
            opens: opens_of(headers),
        }
    }

    /// True where who asks may open that address of the frame: no way is shown to one that says no.
    pub(crate) fn opens(&self, path: &str) -> bool {
        self.opens.iter().any(|open| open == path)
    }

    /// Part `i` of the path.
    pub(crate) fn param(&self, i: usize) -> &str {
        self.params.get(i).map_or("", String::as_str)
    }

    /// Data is wanted, not a page.
    pub(crate) fn json(&self) -> bool {
        self.query.get("format") == Some("json")
    }

    /// This view's URL, some parameters changed.
    pub(crate) fn url(&self, drop: &[&str], add: &[(&str, &str)]) -> String {
        self.query.url(&self.path, drop, add)
    }

    /// This view's URL as it is.
    pub(crate) fn here(&self) -> String {
        self.url(&["format"], &[])
    }
}

/// What a page gives back.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A whole page.
    Page(Box<Page>),
    /// A part, for htmx to put in its place.
    Part(Markup),
    /// Data.
    Json(serde_json::Value),
    /// The thing is elsewhere.
    Moved(String),
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PageError {
    /// The desk says no.
    #[error(transparent)]
    Desk(#[from] desk::Error),
    /// There is no such thing.
    #[error("not found")]
    NotFound,
    /// The address does not say what is wanted.
    #[error("not understood: {0}")]
    Asked(&'static str),
    /// A bound of the console's.
    #[error("beyond a bound: {0}")]
    Bound(&'static str),
    /// The reading thread died.
    #[error("broken")]
    Broken,
}

/// A page: reads one snapshot, decides nothing.
pub(crate) type PageFn = fn(&Ctx, &Snapshot) -> Result<Answer, PageError>;

/// Runs a page for a request.
pub(crate) async fn run(
    State(app): State<App>,
    params: RawPathParams,
    request: Request,
    page: PageFn,
    known: &'static [Param],
) -> Response {
    let begun = Instant::now();
    let params = params.iter().map(|(_, value)| value.to_owned()).collect();
    let uri = request.uri();
    let mut ctx = Ctx::of(request.headers(), uri.path(), uri.query().unwrap_or(""), params);
    let (query, notes) = sift(ctx.lang, known, &ctx.query);
    ctx.query = query;
    if ctx.json() && !notes.is_empty() {
        // A program reads no notes: it must not take a whole list for the part that it asked for.
        return fail(&ctx, &PageError::Desk(desk::Error::Asked(notes.join(" "))));
    }
    let asked = ctx.clone();
    let outcome = app
        .read(move |snapshot| {
            let answer = page(&asked, snapshot)?;
            Ok(match answer {
                Answer::Page(mut page) => {
                    page.notes.splice(0..0, notes);
                    html::send(StatusCode::OK, page.render(&asked, snapshot))
                }
                Answer::Part(part) => html::send(StatusCode::OK, part),
                Answer::Json(value) => axum_json(&value),
                Answer::Moved(to) => Redirect::to(&to).into_response(),
            })
        })
        .await;
    let mut response = outcome.unwrap_or_else(|error| fail(&ctx, &error));
    let timing = format!("render;dur={:.1}", begun.elapsed().as_secs_f64() * 1000.0);
    if let Ok(value) = HeaderValue::from_str(&timing) {
        response.headers_mut().insert("server-timing", value);
    }
    response
        .headers_mut()
        .insert(header::VARY, HeaderValue::from_static("Accept-Language, Cookie, HX-Request"));
    response
}

pub(crate) fn axum_json(value: &serde_json::Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

/// The one place where failures become what readers see: what happened, what is safe, what to do.
pub(crate) fn fail(ctx: &Ctx, error: &PageError) -> Response {
    use desk::Error as E;
    let (status, key) = match error {
        PageError::NotFound | PageError::Desk(E::NotFound { .. }) => {
            (StatusCode::NOT_FOUND, "error.not_found")
        }
        PageError::Asked(key) => (StatusCode::BAD_REQUEST, *key),
        PageError::Desk(E::Asked(_)) => (StatusCode::BAD_REQUEST, "error.asked"),
        PageError::Bound(key) => (StatusCode::PAYLOAD_TOO_LARGE, *key),
        PageError::Desk(E::Bound(_)) => (StatusCode::PAYLOAD_TOO_LARGE, "error.bound"),
        PageError::Desk(E::Privileged(_)) => (StatusCode::FORBIDDEN, "error.privileged"),
        PageError::Desk(E::NoCase(_)) => (StatusCode::SERVICE_UNAVAILABLE, "error.no_case"),
        // A case that was replaced under the console is read again once its views are there.
        PageError::Desk(E::NoViews(_)) => (StatusCode::SERVICE_UNAVAILABLE, "error.no_views"),
        PageError::Desk(_) | PageError::Broken => {
            (StatusCode::INTERNAL_SERVER_ERROR, "error.views")
        }
    };
    // The clearing house has neither exhibits that are withheld nor views, and tells strangers no path of its disk.
    let house = ctx.site == Site::House;
    let (status, key) = match key {
        "error.not_found" if house => (status, "error.no_such"),
        "error.views" if house => (StatusCode::SERVICE_UNAVAILABLE, "error.house"),
        _ => (status, key),
    };
    let detail = match error {
        PageError::Desk(E::Views(_) | E::Read { .. }) if house => None,
        PageError::Desk(E::Asked(text) | E::Bound(text)) => Some(text.clone()),
        // Of what is inside a marked exhibit the mark is to be released, not itself.
        PageError::Desk(E::Privileged(_)) => {
            Some("vigie privilege list; vigie privilege release HASH --reason …".to_owned())
        }
        PageError::Desk(E::NoViews(dir)) => {
            Some(format!("vigie views rebuild --case {}", desk::shell::quoted_path(dir)))
        }
        PageError::Desk(error @ (E::Views(_) | E::Read { .. })) => {
            let source =
                std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            Some(format!("{error}: {source}"))
        }
        _ => None,
    };
    let detail = detail.map(|text| desk::shell::here(&text).into_owned());
    if ctx.json() {
        let body =
            serde_json::json!({ "error": key.trim_start_matches("error."), "detail": detail });
        let mut response = axum_json(&body);
        *response.status_mut() = status;
        return response;
    }
    html::error_in_place(ctx, status, key, detail.as_deref())
}
