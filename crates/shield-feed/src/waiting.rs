//! Who waits for the next manifest, within a bound of places.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;

use crate::store::Announced;

type Listening = watch::Receiver<Option<Announced>>;

/// The newest manifest as soon as it is of another place than the client's, or when `most` is over; none as soon
/// as the view ended.
pub(crate) async fn wait(
    mut listening: Listening,
    shown: (u64, u64),
    most: Duration,
) -> Option<Announced> {
    let stood = listening.borrow().is_some();
    let other = |now: &Option<Announced>| now.as_ref().map_or(stood, |now| now.place != shown);
    let _ = tokio::time::timeout(most, listening.wait_for(other)).await;
    listening.borrow().clone()
}

/// Each manifest as an event, until `until`. A client that reads slowly gets the newest of those it
/// missed: one event is made when the one before was taken. It ends where `may` says no more,
/// and where the view ends.
pub(crate) fn events(
    listening: Listening,
    until: Instant,
    place: OwnedSemaphorePermit,
    may: impl Fn() -> bool + Send + 'static,
) -> Body {
    let state = (listening, true, place, may);
    Body::from_stream(stream::unfold(state, move |(mut listening, first, place, may)| async move {
        if !first {
            let changed = tokio::time::timeout_at(until, listening.changed()).await;
            changed.ok()?.ok()?;
        }
        if !may() {
            return None;
        }
        let now = listening.borrow_and_update().clone();
        if now.is_none() && !first {
            return None;
        }
        let event = now.as_ref().map_or_else(|| ": nothing is out yet\n\n".to_owned(), event);
        Some((Ok::<_, Infallible>(Bytes::from(event)), (listening, false, place, may)))
    }))
}

/// A manifest as an event (WHATWG HTML, 9.2): its lines joined by line feeds are the manifest, the last line
/// feed included.
fn event(announced: &Announced) -> String {
    let (epoch, serial) = announced.place;
    let mut event = format!("event: manifest\nid: {epoch}.{serial}\n");
    for line in announced.manifest.split('\n') {
        event.push_str("data: ");
        event.push_str(line);
        event.push('\n');
    }
    event.push('\n');
    event
}
