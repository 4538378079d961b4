//! The API over a clearing house: who asks is found, what they may is asked of `desk::access`, then the route runs.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use desk::access::{Access, Asked, Decision, Principal, Refusal};
use desk::account::Accounts;
use desk::clearing::{House, Keeper};
use shield_feed::Peer;
use tokio::sync::Semaphore;

use crate::answer::Outcome;
use crate::body::{Body, MAX_BODY};
use crate::call::{Call, Known, Times, failed};
use crate::codes::{
    Code, Fault, GENERIC, METHOD_NOT_ALLOWED, MISSING_TOKEN, NON_VALID_PARAMETERS, ROUTE_NOT_FOUND,
    TOKEN_FORMAT_NON_VALID, TOKEN_NON_VALID, TOO_MANY_REQUESTS,
};
use crate::ids::Ids;
use crate::kept::Shelf;
use crate::list::Lists;
use crate::route::{BASE, Caller, Method, ROUTES, Route, Run};
use crate::status::Waiting;
use crate::token::{Behind, Tokens, is_token};
use crate::upload::Uploads;

/// Requests that are worked on at once; others wait.
const WORKING: usize = 64;
/// The longest that one waits for that, and the longest that a body may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most bytes of a body of who has not signed in: anybody on the net can have us hold that.
const MAX_OPEN_BODY: usize = 8 << 10;
/// The most bytes of a token that are looked at.
const MAX_TOKEN: usize = 512;

/// The API.
#[derive(Debug)]
pub struct Api {
    pub(crate) keeper: Keeper,
    pub(crate) access: Arc<Access>,
    pub(crate) accounts: Accounts,
    pub(crate) dir: PathBuf,
    pub(crate) ids: Ids,
    pub(crate) times: Times,
    pub(crate) tokens: Tokens,
    pub(crate) shelf: Shelf,
    pub(crate) lists: Lists,
    pub(crate) waiting: Arc<Waiting>,
    pub(crate) uploads: Uploads,
    room: Semaphore,
}

impl Api {
    /// Over the clearing house in a folder, which a keeper has.
    ///
    /// # Errors
    /// The house is closed; accounts that cannot be read; the disk.
    pub fn open(
        dir: &Path,
        keeper: Keeper,
        access: Arc<Access>,
        times: Times,
    ) -> desk::Result<Self> {
        let (origin, stager) =
            keeper.look(|house| (house.case().origin().to_owned(), house.case().stager()))?;
        let waiting = Arc::new(Waiting::default());
        waiting
            .keep(keeper.clone())
            .map_err(|e| desk::Error::Beside(format!("no thread could be had: {e}")))?;
        Ok(Self {
            accounts: Accounts::open(access.home())?,
            keeper,
            access,
            ids: Ids::new(&origin),
            times,
            tokens: Tokens::default(),
            shelf: Shelf::new(dir)?,
            lists: Lists::default(),
            waiting,
            uploads: Uploads::new(stager),
            room: Semaphore::new(WORKING),
            dir: dir.to_owned(),
        })
    }

    /// With so many bytes that archives leave free on the disk, in the place of 4 GiB.
    #[must_use]
    pub fn leaving_free(mut self, bytes: u64) -> Self {
        self.uploads.left_free = bytes;
        self
    }

    /// Asks the house something.
    pub(crate) fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut House) -> T + Send + 'static,
    ) -> Result<T, Fault> {
        self.keeper.look(look).map_err(failed)
    }

    /// Who a token is of, as they stand now.
    pub(crate) fn of_token(&self, token: &str) -> Result<Option<Principal>, Fault> {
        // A service may show its key itself.
        if let Some(who) = self.access.key(token) {
            return Ok(Some(who));
        }
        if !is_token(token) {
            return Err(TOKEN_FORMAT_NON_VALID.into());
        }
        let Some(behind) = self.tokens.find(token, now_ms()) else { return Ok(None) };
        self.of(&behind)
    }

    /// Who is behind a token.
    pub(crate) fn of(&self, behind: &Behind) -> Result<Option<Principal>, Fault> {
        match behind {
            Behind::Key(secret) => Ok(self.access.key(secret)),
            Behind::Session(token) => {
                let session = self.accounts.session(&self.access, token).map_err(failed)?;
                Ok(session.map(|(_, who)| who))
            }
        }
    }

    /// Finds who asks, and whether they may. Every refusal is counted.
    fn admit(&self, route: &Route, shown: Shown) -> Result<Known, Fault> {
        let Shown { token, source, agent } = shown;
        let path = format!("{BASE}{}", route.path);
        let found = match &token {
            _ if !route.signed => Ok(None),
            None => Ok(None),
            Some(token) => token
                .as_deref()
                .map_or(Err(TOKEN_FORMAT_NON_VALID.into()), |token| self.of_token(token)),
        };
        let who = match found {
            Ok(who) => who.unwrap_or(Principal::Nobody),
            Err(fault) => {
                self.access.refuse(Principal::Nobody.party(), &path, Refusal::SignIn);
                return Err(fault);
            }
        };
        let caller = Caller::of(&who);
        if route.signed && who == Principal::Nobody {
            let missing = if token.is_none() { MISSING_TOKEN } else { TOKEN_NON_VALID };
            // It is asked all the same: who tries tokens is held to the quota of its network.
            return match self.access.may(
                &who,
                &Asked { action: route.action(caller), organisation: None, source },
                &path,
            ) {
                Decision::TooMany { retry_s } => Err(too_many(retry_s)),
                Decision::Allowed => {
                    self.access.refuse(who.party(), &path, Refusal::SignIn);
                    Err(missing.into())
                }
                Decision::SignIn | Decision::Forbidden => Err(missing.into()),
            };
        }
        let asked =
            Asked { action: route.action(caller), organisation: who.organisation(), source };
        match self.access.may(&who, &asked, &path) {
            Decision::Allowed => Ok(Known { who, caller, source, agent, token: token.flatten() }),
            Decision::SignIn => Err(MISSING_TOKEN.into()),
            Decision::Forbidden => Err(route.denied(caller).into()),
            Decision::TooMany { retry_s } => Err(too_many(retry_s)),
        }
    }

    fn run(&self, route: &'static Route, known: &Known, bytes: &[u8]) -> Outcome {
        let reads = route.required.is_empty() && route.optional.is_empty();
        let body = if reads {
            Body::default()
        } else {
            Body::parse(bytes, route.required, !route.optional.is_empty())?
        };
        let call = Call { raw: bytes, ..Call::bare(self, known, body) };
        let outcome = match route.run {
            Run::Do(run) => run(&call),
            Run::List(kind, form) => crate::list::all(&call, kind, form),
            Run::OfTicket(kind, form) => crate::list::of_ticket(&call, kind, form),
            Run::Upload => Err(GENERIC.into()),
        };
        call.answered(outcome)
    }
}

/// Milliseconds since 1970 in UTC.
pub(crate) fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

fn too_many(retry_s: u64) -> Fault {
    Fault { retry_s: Some(retry_s), ..TOO_MANY_REQUESTS.into() }
}

/// What a request shows of who asks. A token that is no text is `Some(None)`.
struct Shown {
    token: Option<Option<String>>,
    source: IpAddr,
    agent: String,
}

fn shown(request: &Request) -> Shown {
    let text = |headers: &HeaderMap, name| {
        headers.get(name).map(|value| value.to_str().ok().map(str::to_owned))
    };
    let given = text(request.headers(), header::AUTHORIZATION);
    let token = given.map(|given| {
        let token = given?.strip_prefix("Bearer ")?.trim().to_owned();
        (token.len() <= MAX_TOKEN).then_some(token)
    });
    let agent = text(request.headers(), header::USER_AGENT).flatten().unwrap_or_default();
    // The connection's own address: what a header says of it is anybody's word.
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
    Shown { token, source: peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), agent }
}

/// Does on a thread that may wait what may wait.
pub(crate) async fn work<T: Send + 'static>(
    api: &Arc<Api>,
    work: impl FnOnce(&Arc<Api>) -> T + Send + 'static,
) -> Result<T, Fault> {
    let busy = || Fault {
        code: Code { status: 503, ..GENERIC },
        text: Some("busy: come again".into()),
        retry_s: Some(1),
    };
    let place = tokio::time::timeout(PATIENCE, api.room.acquire()).await;
    let _place = place.map_err(|_| busy())?.map_err(|_| busy())?;
    let own = Arc::clone(api);
    tokio::task::spawn_blocking(move || work(&own)).await.map_err(|_| GENERIC.into())
}

async fn handle(api: Arc<Api>, route: &'static Route, request: Request) -> Response {
    match answer(&api, route, request).await {
        Ok(answer) => answer.into_response(),
        Err(fault) => fault.into_response(),
    }
}

async fn answer(api: &Arc<Api>, route: &'static Route, request: Request) -> Outcome {
    let shown = shown(&request);
    let known = work(api, move |api| api.admit(route, shown)).await??;
    if let Run::Upload = route.run {
        return crate::upload::take(api, known, request).await;
    }
    let most = if route.signed { MAX_BODY } else { MAX_OPEN_BODY };
    let body = axum::body::to_bytes(request.into_body(), most);
    let body = tokio::time::timeout(PATIENCE, body).await;
    let Ok(Ok(body)) = body else {
        let text = format!("a body of at most {most} bytes comes within 30 seconds");
        return Err(Fault::of(NON_VALID_PARAMETERS, text));
    };
    work(api, move |api| api.run(route, &known, &body)).await?
}

/// The routes.
pub fn router(api: Arc<Api>) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let filter = match route.method {
            Method::Get => MethodFilter::GET,
            Method::Post => MethodFilter::POST,
            Method::Both => MethodFilter::GET.or(MethodFilter::POST),
        };
        let api = Arc::clone(&api);
        let run = move |request: Request| handle(Arc::clone(&api), route, request);
        router = router.route(&format!("{BASE}{}", route.path), on(filter, run));
    }
    router
        .fallback(|| async { Fault::from(ROUTE_NOT_FOUND) })
        .method_not_allowed_fallback(|| async { Fault::from(METHOD_NOT_ALLOWED) })
        // Bodies are held to their own bounds: an archive's is another than a request's.
        .layer(DefaultBodyLimit::disable())
}
