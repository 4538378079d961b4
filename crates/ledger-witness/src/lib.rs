//! A witness on the network (C2SP tlog-witness): two routes and nothing else.
//!
//! - `POST /add-checkpoint`: cosigns what goes on from all that was cosigned before.
//! - `GET /<SHA-256 of the origin>/checkpoint`: the latest one cosigned.
//!
//! It may listen beyond loopback, and without TLS: who asks is known by the log's signature, who
//! answers by the cosignature, and nothing that it serves is secret. What a stranger can make it do
//! is bounded: connections, their time, the size of what they send.

mod server;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use ledger::MAX_CONSISTENCY;
use ledger::witness::{Refusal, WitnessStore};

pub use server::{Bounds, serve};

/// Told what happened, a line each: for the operator's terminal.
pub type Told = Arc<dyn Fn(&str) + Send + Sync>;

#[derive(Clone)]
struct Serving {
    store: Arc<WitnessStore>,
    told: Told,
}

/// The witness's routes.
pub fn router(store: Arc<WitnessStore>, told: Told) -> Router {
    Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/{origin}/checkpoint", get(checkpoint))
        .layer(DefaultBodyLimit::max(MAX_CONSISTENCY))
        .with_state(Serving { store, told })
}

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    // A cosignature's time is never zero.
    since.unwrap_or_default().as_secs().max(1)
}

async fn add_checkpoint(State(serving): State<Serving>, body: String) -> Response {
    let told = Arc::clone(&serving.told);
    // The disk is waited for: elsewhere than where sockets are served.
    let judged = tokio::task::spawn_blocking(move || serving.store.add_checkpoint(&body, now()));
    match judged.await.map_err(|_| None).and_then(|judged| judged.map_err(Some)) {
        Ok(Ok(cosigned)) => {
            let mut lines = cosigned.latest.text.lines();
            let (origin, size) = (lines.next().unwrap_or(""), lines.next().unwrap_or(""));
            told(&format!("cosigned {origin}, {size} entries"));
            text(StatusCode::OK, "text/plain; charset=utf-8", format!("{}\n", cosigned.signature))
        }
        Ok(Err(Refusal::Conflict(size))) => {
            text(StatusCode::CONFLICT, "text/x.tlog.size", format!("{size}\n"))
        }
        Ok(Err(refusal)) => {
            if let Refusal::Inconsistent { accusation: Some(_), .. } = &refusal {
                told(&format!("NOT cosigned, and both checkpoints kept: {refusal}"));
            }
            let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
            text(status, "text/plain; charset=utf-8", format!("{refusal}\n"))
        }
        Err(error) => {
            let why = error.map_or("a thread ended".to_owned(), |e| e.to_string());
            told(&format!("could not answer: {why}"));
            let sorry = "the witness cannot keep it: nothing was cosigned\n".to_owned();
            text(StatusCode::INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8", sorry)
        }
    }
}

async fn checkpoint(State(serving): State<Serving>, Path(origin): Path<String>) -> Response {
    let told = Arc::clone(&serving.told);
    let latest = tokio::task::spawn_blocking(move || serving.store.latest(&origin)).await;
    match latest {
        Ok(Ok(Some(note))) => text(StatusCode::OK, "text/plain; charset=utf-8", note.to_string()),
        Ok(Ok(None)) => {
            let none = "no checkpoint of that log was cosigned here\n".to_owned();
            text(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", none)
        }
        failed => {
            if let Ok(Err(error)) = failed {
                told(&format!("could not answer: {error}"));
            }
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn text(status: StatusCode, media: &'static str, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, media)], body).into_response()
}
