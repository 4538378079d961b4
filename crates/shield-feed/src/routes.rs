//! The routes. Nothing is written through them.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use ledger::batch::Tile;
use ledger::note::MAX_NOTE;
use model::Sha256Hex;
use shield::wire::keys::MAX_KEYS;
use tokio::io::AsyncReadExt;
use tokio::sync::Semaphore;
use tokio_util::io::ReaderStream;

use crate::etag;
use crate::server::Bounds;
use crate::store::{Announced, Store, ViewName};
use crate::waiting;

/// What the bearer of a key may read; without a key, what anybody may. The view that is asked for is told with it, so
/// that whoever decides can count what is refused: it is, where [`Opens::has`] says that it is not among these.
pub type Who = Arc<dyn Fn(Option<&str>, &str) -> Result<Opens, Barred> + Send + Sync>;

/// Why the bearer of a key reads nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Barred {
    /// It is nobody's, or opens nothing.
    Nobody,
    /// Its organisation asks more often than it may: again after so many whole seconds.
    Later(u64),
}

/// The views that somebody may read. Any other is not there for them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opens {
    /// The one that is everybody's.
    pub everybody: Option<ViewName>,
    /// Their own, whether there is such a view now or not.
    pub own: Option<ViewName>,
}

impl Opens {
    /// The view of this name, where it may be read.
    pub fn has(&self, view: &str) -> Option<ViewName> {
        let asked = view.parse::<ViewName>().ok();
        asked.filter(|asked| [&self.everybody, &self.own].contains(&&Some(asked.clone())))
    }
}

/// Never changes: a cache need not ask again.
const FOR_EVER: &str = "max-age=31536000, immutable";
/// Changes: a cache asks each time, and mostly hears that it has it.
const ASK: &str = "no-cache";
/// The lists, as served.
const LISTS: [(&str, &str); 6] = [
    ("list.txt", "text/plain; charset=utf-8"),
    ("list.csv", "text/csv; charset=utf-8"),
    ("list.json", "application/json"),
    ("list.txt.sha256", "text/plain; charset=utf-8"),
    ("list.csv.sha256", "text/plain; charset=utf-8"),
    ("list.json.sha256", "text/plain; charset=utf-8"),
];
/// When a list is to be asked for again that is written first, in seconds: they are written every few.
const UNWRITTEN: &str = "5";
/// The most bytes of a stop file that are handed on: more than any has.
const MAX_STOP: u64 = 16 << 10;
const TEXT: &str = "text/plain; charset=utf-8";

#[derive(Clone)]
struct Serving {
    store: Arc<Store>,
    log: Option<Arc<PathBuf>>,
    who: Who,
    bounds: Bounds,
    waiters: Arc<Semaphore>,
}

/// The routes over a store, and over the folder of the log that the feed rests on:
///
/// | route | what |
/// |---|---|
/// | `GET /feed/VIEW/manifest` | the manifest |
/// | `GET /feed/VIEW/stop` | a stop file, or the word that ends it, where one was put beside the manifest |
/// | `GET /feed/VIEW/keys` | which keys of the feed were replaced, where any was |
/// | `GET /feed/VIEW/files/SHA-256` | a file that a manifest names, or named |
/// | `GET /feed/VIEW/wait?epoch=E&serial=S` | the manifest, once it is of another place |
/// | `GET /feed/VIEW/events` | each manifest, as `text/event-stream` |
/// | `GET /feed/VIEW/list.txt`, `.csv`, `.json`, and `.sha256` of each | the lists |
/// | `GET /log/checkpoint`, `/log/tile/…` | the log's public files (C2SP tlog-tiles) |
///
/// A key goes in `Authorization: Bearer KEY` (RFC 6750, 2.1).
pub fn router(store: Arc<Store>, log: Option<PathBuf>, who: Who, bounds: Bounds) -> Router {
    let waiters = Arc::new(Semaphore::new(bounds.waiters));
    let serving = Serving { store, log: log.map(Arc::new), who, bounds, waiters };
    Router::new()
        .route("/feed/{view}/manifest", get(manifest))
        .route("/feed/{view}/stop", get(stop))
        .route("/feed/{view}/keys", get(keys))
        .route("/feed/{view}/wait", get(wait))
        .route("/feed/{view}/events", get(events))
        .route("/feed/{view}/files/{hash}", get(file))
        .route("/feed/{view}/{list}", get(list))
        .route("/log/checkpoint", get(checkpoint))
        .route("/log/tile/{*tile}", get(tile))
        .with_state(serving)
}

/// Who asks, if he may read this view.
struct Reader {
    view: ViewName,
    /// The view that is everybody's, where he may read it.
    everybody: Option<ViewName>,
    /// Anybody may: a shared cache may keep it.
    anybody: bool,
}

/// Why somebody is given nothing.
enum Denied {
    /// No key, or one that is nobody's.
    Key,
    /// Not his view. It is not told from one that is not there.
    View,
    /// Neither everybody's nor his own, which is this one: whoever asks for it has a wrong setting.
    Other(ViewName),
    /// Not now: after so many seconds (RFC 6585, 4).
    Later(u64),
}

impl From<Barred> for Denied {
    fn from(why: Barred) -> Self {
        match why {
            Barred::Nobody => Self::Key,
            Barred::Later(seconds) => Self::Later(seconds),
        }
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        match self {
            Self::Key => {
                let head = [(header::WWW_AUTHENTICATE, "Bearer"), (header::CONTENT_TYPE, TEXT)];
                let why = "a key is wanted: Authorization: Bearer KEY, as the clearing house gave it to you\n";
                (StatusCode::UNAUTHORIZED, head, why).into_response()
            }
            Self::View => absent("view"),
            Self::Other(own) => {
                let why = format!(
                    "your key is for the view {own} (and for all), and not for another's\n"
                );
                (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, TEXT)], why).into_response()
            }
            Self::Later(seconds) => {
                let seconds = seconds.max(1).to_string();
                let why = format!(
                    "more requests than your organisation may make in a minute: again in {seconds} s, or ask the \
                     clearing house for more\n"
                );
                let head =
                    [(header::RETRY_AFTER, seconds), (header::CONTENT_TYPE, TEXT.to_owned())];
                (StatusCode::TOO_MANY_REQUESTS, head, why).into_response()
            }
        }
    }
}

impl Serving {
    fn reader(&self, headers: &HeaderMap, view: &str) -> Result<Reader, Denied> {
        let given = headers.get(header::AUTHORIZATION);
        // Of another scheme it is nobody's: asked all the same, since who is asked counts what is refused.
        let bearer = |value: &HeaderValue| -> Option<String> {
            Some(value.to_str().ok()?.strip_prefix("Bearer ")?.to_owned())
        };
        let key = given.map(|value| bearer(value).unwrap_or_default());
        let key = key.as_deref();
        let opens = (self.who)(key, view)?;
        let asked = opens.has(view);
        let Opens { everybody, own } = opens;
        // He knows his own name, and hears of no other's view whether it is there.
        let Some(asked) = asked else { return Err(own.map_or(Denied::View, Denied::Other)) };
        Ok(Reader { view: asked, everybody, anybody: key.is_none() })
    }
}

async fn manifest(
    State(serving): State<Serving>,
    Path(view): Path<String>,
    headers: HeaderMap,
) -> Response {
    match serving.reader(&headers, &view) {
        Err(denied) => denied.into_response(),
        Ok(reader) => {
            let now = serving.store.listen(&reader.view).and_then(|l| l.borrow().clone());
            told(&reader, &headers, now)
        }
    }
}

/// What somebody put beside the manifest: it is believed for its signature by who reads it.
async fn stop(
    State(serving): State<Serving>,
    Path(view): Path<String>,
    headers: HeaderMap,
) -> Response {
    beside(serving, view, headers, "stop", MAX_STOP).await
}

async fn keys(
    State(serving): State<Serving>,
    Path(view): Path<String>,
    headers: HeaderMap,
) -> Response {
    beside(serving, view, headers, "keys", MAX_KEYS as u64).await
}

/// A file that may lie beside a manifest, which no cache keeps.
async fn beside(
    serving: Serving,
    view: String,
    headers: HeaderMap,
    name: &'static str,
    most: u64,
) -> Response {
    let reader = match serving.reader(&headers, &view) {
        Ok(reader) => reader,
        Err(denied) => return denied.into_response(),
    };
    let path = serving.store.dir().join(reader.view.to_string()).join(name);
    let read = tokio::task::spawn_blocking(move || -> io::Result<Vec<u8>> {
        use std::io::Read;
        let mut text = Vec::new();
        ledger::plain::open(&path)?.take(most).read_to_end(&mut text)?;
        Ok(text)
    });
    match read.await {
        Ok(Ok(text)) => {
            let head = [(header::CONTENT_TYPE, TEXT), (header::CACHE_CONTROL, "no-store")];
            (StatusCode::OK, head, text).into_response()
        }
        _ => absent(name),
    }
}

/// Where a client stands.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Shown {
    epoch: u64,
    serial: u64,
}

async fn wait(
    State(serving): State<Serving>,
    Path(view): Path<String>,
    Query(shown): Query<Shown>,
    headers: HeaderMap,
) -> Response {
    let reader = match serving.reader(&headers, &view) {
        Ok(reader) => reader,
        Err(denied) => return denied.into_response(),
    };
    let Some(listening) = serving.store.listen(&reader.view) else { return absent("view") };
    let Ok(_place) = Arc::clone(&serving.waiters).try_acquire_owned() else { return busy() };
    let now = waiting::wait(listening, (shown.epoch, shown.serial), serving.bounds.wait).await;
    // His key may be nobody's by now.
    match serving.reader(&headers, &view) {
        Err(denied @ (Denied::Key | Denied::View | Denied::Other(_))) => denied.into_response(),
        // He is given it whole: he waited since he had the one before. That he asked was counted then.
        Ok(_) | Err(Denied::Later(_)) => told(&reader, &HeaderMap::new(), now),
    }
}

async fn events(
    State(serving): State<Serving>,
    Path(view): Path<String>,
    headers: HeaderMap,
) -> Response {
    let reader = match serving.reader(&headers, &view) {
        Ok(reader) => reader,
        Err(denied) => return denied.into_response(),
    };
    let Some(listening) = serving.store.listen(&reader.view) else { return absent("view") };
    let Ok(place) = Arc::clone(&serving.waiters).try_acquire_owned() else { return busy() };
    let until = tokio::time::Instant::now() + serving.bounds.events;
    // A key that is struck off ends what it opened with the next heartbeat.
    let again = serving.clone();
    let may = move || matches!(again.reader(&headers, &view), Ok(_) | Err(Denied::Later(_)));
    let body = waiting::events(listening, until, place, may);
    let head = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    (StatusCode::OK, head, body).into_response()
}

async fn file(
    State(serving): State<Serving>,
    Path((view, hash)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let reader = match serving.reader(&headers, &view) {
        Ok(reader) => reader,
        Err(denied) => return denied.into_response(),
    };
    let path = hash.parse::<Sha256Hex>().ok().filter(|parsed| parsed.to_string() == hash);
    let Some(hash) = path else { return absent("file") };
    let Some(path) = serving.store.path_of(&reader.view, &hash) else { return absent("file") };
    if etag::has(&headers, &hash) {
        return unchanged(&hash);
    }
    let kind = ("application/octet-stream", FOR_EVER);
    let mut answer = opened(path, kind, reader.anybody).await;
    if answer.status() == StatusCode::OK {
        answer.headers_mut().insert(header::ETAG, etag::tag(&hash));
    }
    answer
}

async fn list(
    State(serving): State<Serving>,
    Path((view, list)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let mut reader = match serving.reader(&headers, &view) {
        Ok(reader) => reader,
        Err(denied) => return denied.into_response(),
    };
    // A list names no view: under an ISP's own name stands what that ISP gets, whichever view that is now.
    let Some((name, media)) = LISTS.iter().find(|(name, _)| *name == list) else {
        return absent("list");
    };
    // One that just began has none yet: until then it is what all get, and never nothing.
    let has_own = serving.store.stands(&reader.view) && serving.store.is_listed(&reader.view, name);
    let is_all = !has_own && reader.everybody.is_some();
    if let Some(everybody) = reader.everybody.take().filter(|_| is_all) {
        reader.view = everybody;
    }
    // What lies in the folder may be of before the last start, and name what was lifted since.
    if !serving.store.is_listed(&reader.view, name) {
        let comes = is_all || serving.store.stands(&reader.view);
        return if comes { unwritten() } else { absent("list") };
    }
    let before = serving.store.list_of(&reader.view, name);
    if let Some(hash) = before.filter(|hash| etag::has(&headers, hash)) {
        return unchanged(&hash);
    }
    let path = serving.store.dir().join(reader.view.to_string()).join(name);
    let mut answer = opened(path, (media, ASK), reader.anybody).await;
    // Replaced meanwhile: which of the two it is cannot be told, so it has no tag.
    let after = before.filter(|hash| Some(*hash) == serving.store.list_of(&reader.view, name));
    if let Some(hash) = after.filter(|_| answer.status() == StatusCode::OK) {
        answer.headers_mut().insert(header::ETAG, etag::tag(&hash));
    }
    answer
}

/// The log is public: what is secret stands in it as commitments.
async fn checkpoint(State(serving): State<Serving>) -> Response {
    let Some(log) = &serving.log else { return absent("log") };
    let path = log.join("checkpoint");
    let read = tokio::task::spawn_blocking(move || -> io::Result<Vec<u8>> {
        use std::io::Read;
        let mut text = Vec::new();
        ledger::plain::open(&path)?.take(MAX_NOTE as u64).read_to_end(&mut text)?;
        Ok(text)
    });
    match read.await {
        Ok(Ok(text)) => {
            let head = [(header::CONTENT_TYPE, TEXT), (header::CACHE_CONTROL, ASK)];
            (StatusCode::OK, head, text).into_response()
        }
        _ => absent("checkpoint"),
    }
}

async fn tile(State(serving): State<Serving>, Path(tile): Path<String>) -> Response {
    let Some(log) = &serving.log else { return absent("log") };
    // A path is made from what was read as a tile, never from what was asked for.
    let asked = format!("tile/{tile}");
    let Some(tile) = Tile::of_path(std::path::Path::new(&asked)) else { return absent("tile") };
    opened(log.join(tile.path()), ("application/octet-stream", FOR_EVER), true).await
}

/// A plain file, sent piece by piece as the client reads.
async fn opened(path: PathBuf, (media, cache): (&'static str, &str), anybody: bool) -> Response {
    let open = tokio::task::spawn_blocking(move || {
        let file = ledger::plain::open(&path)?;
        let length = file.metadata()?.len();
        io::Result::Ok((file, length))
    });
    let Ok(Ok((file, length))) = open.await else { return absent("file") };
    // No more than was there when it was opened: the head has said how much.
    let file = tokio::fs::File::from_std(file).take(length);
    let body = Body::from_stream(ReaderStream::with_capacity(file, 64 << 10));
    let whose = if anybody { "public" } else { "private" };
    let cache = HeaderValue::from_str(&format!("{whose}, {cache}"));
    let mut answer = (StatusCode::OK, [(header::CONTENT_TYPE, media)], body).into_response();
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_LENGTH, length.into());
    headers.insert(header::CACHE_CONTROL, cache.unwrap_or(HeaderValue::from_static(ASK)));
    answer
}

/// A manifest, or that the client has it.
fn told(reader: &Reader, headers: &HeaderMap, now: Option<Announced>) -> Response {
    let Some(now) = now else { return absent("manifest") };
    if etag::has(headers, &now.hash) {
        return unchanged(&now.hash);
    }
    let cache = if reader.anybody { "public, no-cache" } else { "private, no-cache" };
    let head = [(header::CONTENT_TYPE, TEXT), (header::CACHE_CONTROL, cache)];
    let mut answer = (StatusCode::OK, head, now.manifest.to_string()).into_response();
    answer.headers_mut().insert(header::ETAG, etag::tag(&now.hash));
    answer
}

fn unchanged(hash: &Sha256Hex) -> Response {
    (StatusCode::NOT_MODIFIED, [(header::ETAG, etag::tag(hash))]).into_response()
}

fn absent(what: &str) -> Response {
    let why = format!("no such {what} here: the manifest names what there is\n");
    (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, TEXT)], why).into_response()
}

fn unwritten() -> Response {
    let head = [
        (header::RETRY_AFTER, UNWRITTEN),
        (header::CONTENT_TYPE, TEXT),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let why = "this list is not written yet since the last start: keep the one that you have, and come back in a \
               few seconds\n";
    (StatusCode::SERVICE_UNAVAILABLE, head, why).into_response()
}

fn busy() -> Response {
    let head = [(header::RETRY_AFTER, "1"), (header::CONTENT_TYPE, TEXT)];
    let why = "too many wait at once: ask for the manifest, or come back in a second\n";
    (StatusCode::SERVICE_UNAVAILABLE, head, why).into_response()
}
