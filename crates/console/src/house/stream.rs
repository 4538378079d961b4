//! Live as server-sent events: the board is sent when something of it changed, and its ages twice a minute.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use axum::extract::{Extension, Request, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use maud::html;
use shield::order::ItemId;

use super::asked;
use super::live::{KNOWN, Wall, board, title, wall};
use super::rows::May;
use crate::app::{App, Ctx};
use crate::gate::{Who, identify};
use crate::guard::session_of;
use crate::html::hostile::text;
use crate::params::Param;

/// How often the house is asked.
const EACH: Duration = Duration::from_secs(1);
/// Ages on the board are of now at least this often.
const AGES: Duration = Duration::from_secs(30);
const SEEN: &[Param] = &[KNOWN[0], ("seen", |_| true)];

struct Watch {
    app: App,
    who: Who,
    headers: axum::http::HeaderMap,
    ctx: Ctx,
    seen: String,
    said: String,
    sent: Instant,
}

/// `GET /live/stream`.
pub(crate) async fn stream(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    request: Request,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let (mut ctx, _) = asked(&request, SEEN);
    let seen = ctx.query.get("seen").unwrap_or_default().to_owned();
    // The ways on that the board shows are those of the page.
    ctx.path = "/live".to_owned();
    ctx.query = ctx.query.keep(|name, _| name == "after");
    let headers = request.headers().clone();
    let watch = Watch { app, who, headers, ctx, seen, said: String::new(), sent: Instant::now() };
    let events = stream::unfold(watch, |mut watch| async move {
        loop {
            tokio::time::sleep(EACH).await;
            // Who is asked each time: a session that ended, a role that was taken, see nothing more.
            let token = session_of(&watch.headers, &watch.app.cookie);
            if !watch.app.goes_on(token) {
                return None;
            }
            let (principal, session) = identify(&watch.app, &watch.headers).await.ok()?;
            watch.who = Who { principal, session, source: watch.who.source };
            let sees = [desk::access::Action::TicketsRead, desk::access::Action::OwnTicketsRead];
            let may =
                |action| watch.app.access.would(&watch.who.principal, action, watch.who.source);
            if !sees.into_iter().any(may) {
                return None;
            }
            let after = watch.ctx.query.read("after").map(ItemId);
            // A house that cannot be asked now is asked again: the page says that it is not live.
            let Ok(wall) = wall(&watch.app, &watch.who, after).await else { continue };
            let mark = wall.mark();
            if mark == watch.seen && watch.sent.elapsed() < AGES {
                continue;
            }
            let event = Event::default().data(part(&mut watch, &wall));
            (watch.seen, watch.sent) = (mark, Instant::now());
            return Some((Ok(event), watch));
        }
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}

/// The board, and a sentence for whoever listens: only where the answer is another.
fn part(watch: &mut Watch, wall: &Wall) -> String {
    let may = May::of(&watch.app, &watch.who);
    let answer = title(watch.ctx.lang, &wall.view);
    let heard = answer != watch.said;
    watch.said.clone_from(&answer);
    html! {
        (board(&watch.ctx, wall, &may))
        h1 #answer hx-swap-oob="true" { (text(&answer)) }
        @if heard {
            div #heard .sr role="status" aria-live="polite" hx-swap-oob="true" { (answer) }
        }
    }
    .into_string()
}
