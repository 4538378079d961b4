//! What is answered, in the API's envelope.

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::codes::Fault;

/// What a route answers.
#[derive(Debug)]
pub(crate) enum Answer {
    /// That it was done.
    Done,
    /// With `data`.
    Data(Value),
    /// With `data` and a `note`.
    Noted(Value, String),
    /// A text without an envelope.
    Text(Bytes),
    /// With `alone`: the clearing house's standby does not have it, so that it is durable on one machine alone.
    Alone(Box<Answer>),
}

impl Answer {
    fn value(self) -> Value {
        match self {
            Self::Done | Self::Text(_) => json!({"status": "success"}),
            Self::Data(data) => json!({"status": "success", "data": data}),
            Self::Noted(data, note) => json!({"status": "success", "data": data, "note": note}),
            Self::Alone(answer) => {
                let mut value = answer.value();
                if let Some(fields) = value.as_object_mut() {
                    fields.insert("alone".to_owned(), true.into());
                }
                value
            }
        }
    }
}

/// What came of a request.
pub(crate) type Outcome = Result<Answer, Fault>;

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        match self {
            Self::Text(text) => respond(StatusCode::OK, "text/plain; charset=UTF-8", text.into()),
            other => respond(StatusCode::OK, "application/json", other.value().to_string().into()),
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let value = json!({"status": "error", "code": self.code.number, "message": self.text()});
        let status = StatusCode::from_u16(self.code.status).unwrap_or(StatusCode::BAD_REQUEST);
        let mut answer = respond(status, "application/json", value.to_string().into());
        let headers = answer.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_s {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        answer
    }
}

fn respond(status: StatusCode, media: &'static str, body: Body) -> Response {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    // What one party is told is no other's, and of this moment.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}
