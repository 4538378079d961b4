//! The overview's live part, as server-sent events: sent when something changed, and not otherwise.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use maud::html;

use crate::app::App;
use crate::guard::{lang_of, session_of};
use crate::i18n::Lang;
use crate::pages::overview;
use crate::query::Query;

/// While something is going on, and while nothing is.
const BUSY: Duration = Duration::from_millis(500);
const IDLE: Duration = Duration::from_secs(2);

struct Watch {
    app: App,
    /// The session that watches: when it ends, so does this.
    token: Option<String>,
    lang: Lang,
    /// The mark of what the page showed when it was made: it may have changed before we looked.
    seen: String,
    last: Option<desk::read::Overview>,
    wait: Duration,
}

/// `GET /live`.
pub(crate) async fn stream(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let query = Query::parse(query.as_deref().unwrap_or(""));
    let seen = query.get("seen").unwrap_or("").to_owned();
    let token = session_of(&headers, &app.cookie).map(str::to_owned);
    let watch = Watch { app, token, lang: lang_of(&headers), seen, last: None, wait: BUSY };
    let events = stream::unfold(watch, |mut watch| async move {
        loop {
            tokio::time::sleep(watch.wait).await;
            if !watch.app.goes_on(watch.token.as_deref()) {
                return None;
            }
            // A case that cannot be read now is asked again: the page says that it is not live.
            let Ok(now) = watch.app.read(|snapshot| Ok(snapshot.overview()?)).await else {
                watch.wait = IDLE;
                continue;
            };
            watch.wait = if now.progress.is_some() { BUSY } else { IDLE };
            let same = match &watch.last {
                Some(last) => *last == now,
                None => overview::mark(watch.lang, &now) == watch.seen,
            };
            if same {
                watch.last = Some(now);
                continue;
            }
            let event = Event::default().data(part(watch.lang, watch.last.as_ref(), &now));
            watch.last = Some(now);
            return Some((Ok(event), watch));
        }
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}

/// The figures, and a sentence for whoever listens: each time the stage changes or a tenth is done,
/// not with every number.
fn part(lang: Lang, before: Option<&desk::read::Overview>, now: &desk::read::Overview) -> String {
    let tenth = |o: &desk::read::Overview| {
        o.progress.as_ref().map(|p| {
            let (done, total) = if p.stage == "parse" { p.parsed } else { p.sealed };
            (p.stage.clone(), crate::fmt::percent(done, total) / 10)
        })
    };
    let heard = before.is_none_or(|before| tenth(before) != tenth(now));
    let title = overview::title(lang, now);
    html! {
        (overview::figures(lang, now))
        h1 #answer hx-swap-oob="true" { (crate::html::hostile::text(&title)) }
        @if heard {
            div #heard .sr role="status" aria-live="polite" hx-swap-oob="true" {
                @match &now.progress {
                    Some(p) => { (lang.find(&format!("stage.{}", p.stage)).unwrap_or(&p.stage)) " · " (title) },
                    None => (title),
                }
            }
        }
    }
    .into_string()
}
