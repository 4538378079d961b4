//! `POST /measure`: a probe's report in, its next questions out.
//!
//! | status | what |
//! |---|---|
//! | 200 | the next round, as JSON |
//! | 400 | no report: its body says why |
//! | 401, 403, 429 | no key; a key of another office; more than its organisation's quota |
//! | 404 | the settings name no probe of that key |
//! | 413 | a longer body than a report has |
//! | 503 | the clearing house is closed, or full |

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use desk::access::{Access, Action, Asked, Decision, Principal};
use desk::clearing::rounds::Told;
use desk::clearing::{Keeper, measured};
use shield::measure::wire::{MAX_REPORT, Report};
use shield::order::words::{Organisation, Person};
use shield::order::{Actor, Role};
use shield_feed::Peer;

/// The route, as refusals are counted under it.
const ROUTE: &str = "/measure";

#[derive(Clone)]
struct Serving {
    keeper: Keeper,
    access: Arc<Access>,
    told: Told,
}

/// The route over a clearing house. What a person has to hear of is `told`.
pub fn router(keeper: Keeper, access: Arc<Access>, told: Told) -> Router {
    Router::new()
        .route(ROUTE, post(take))
        .layer(DefaultBodyLimit::max(MAX_REPORT))
        .with_state(Serving { keeper, access, told })
}

impl Serving {
    /// The probe, if its key counts and may report.
    fn probe(&self, headers: &HeaderMap, source: IpAddr) -> Result<Actor, Box<Response>> {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let key = given.and_then(|value| value.strip_prefix("Bearer "));
        let who = key.and_then(|key| self.access.key(key)).unwrap_or(Principal::Nobody);
        let asked = Asked { action: Action::MeasureReport, organisation: None, source };
        let refused = match self.access.may(&who, &asked, ROUTE) {
            Decision::Allowed => None,
            Decision::SignIn => Some(said(StatusCode::UNAUTHORIZED, KEY)),
            Decision::Forbidden => Some(said(StatusCode::FORBIDDEN, OFFICE)),
            Decision::TooMany { retry_s } => {
                let head = [(header::RETRY_AFTER, retry_s.to_string())];
                Some((StatusCode::TOO_MANY_REQUESTS, head).into_response())
            }
        };
        if let Some(refused) = refused {
            return Err(Box::new(refused));
        }
        let Principal::Key { key, organisation, .. } = who else {
            return Err(Box::new(said(StatusCode::FORBIDDEN, OFFICE)));
        };
        let named = Person::new(&key).zip(Organisation::new(&organisation));
        let (person, organisation) =
            named.ok_or_else(|| Box::new(said(StatusCode::FORBIDDEN, OFFICE)))?;
        Ok(Actor { person, organisation, role: Role::Probe })
    }
}

const KEY: &str = "a probe's key is wanted: Authorization: Bearer KEY";
const OFFICE: &str = "this key is no probe's: `vigie party key NAME --role probe` issues one";

fn said(status: StatusCode, what: &str) -> Response {
    let head = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    (status, head, format!("{what}\n")).into_response()
}

async fn take(
    State(serving): State<Serving>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    // Where a probe asks from pays its quota, and is kept nowhere.
    let source = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Extension(Peer(ip))| ip);
    let actor = match serving.probe(&headers, source) {
        Ok(actor) => actor,
        Err(refused) => return *refused,
    };
    let report = match Report::read(&body) {
        Ok(report) => report,
        Err(why) => return said(StatusCode::BAD_REQUEST, &format!("no report: {why}")),
    };
    let keeper = serving.keeper.clone();
    let taken = tokio::task::spawn_blocking(move || measured::report(&keeper, &actor, report));
    match taken.await {
        Ok(Ok(Some(answered))) => match serde_json::to_vec(&answered.questions) {
            Ok(json) => {
                for (control, explained_by) in answered.lost {
                    let why = explained_by.map_or_else(
                        || "nothing that is blocked explains it: look".to_owned(),
                        |value| format!("{value} explains it"),
                    );
                    (serving.told)(&format!("ALARM: two probes miss the control {control}; {why}"));
                }
                let head = [(header::CONTENT_TYPE, "application/json")];
                (StatusCode::OK, head, json).into_response()
            }
            Err(_) => said(StatusCode::SERVICE_UNAVAILABLE, "the questions have no writing"),
        },
        Ok(Ok(None)) => said(
            StatusCode::NOT_FOUND,
            "the clearing house's settings (serve --measure) name no probe of this key",
        ),
        Ok(Err(error)) => said(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
        Err(_) => said(StatusCode::SERVICE_UNAVAILABLE, "it broke off"),
    }
}
