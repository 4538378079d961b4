//! The pages, one a file: each asks one question, and its title is the answer.

pub(crate) mod account;
pub(crate) mod backups;
pub(crate) mod custody;
pub(crate) mod entities;
pub(crate) mod entity;
pub(crate) mod exhibit;
pub(crate) mod exhibits;
pub(crate) mod facts;
pub(crate) mod figure;
pub(crate) mod hex;
pub(crate) mod invite;
pub(crate) mod keys;
pub(crate) mod labels;
pub(crate) mod links;
pub(crate) mod log;
pub(crate) mod map;
pub(crate) mod network;
pub(crate) mod overview;
pub(crate) mod package;
pub(crate) mod parties;
pub(crate) mod passkey;
pub(crate) mod path;
pub(crate) mod payments;
pub(crate) mod places;
pub(crate) mod problems;
pub(crate) mod provable;
pub(crate) mod search;
pub(crate) mod sign_in;
pub(crate) mod table_list;
pub(crate) mod tables;
mod tickets;

use axum::extract::Request;
use axum::response::Response;
use desk::read::{EntityHead, Paging};

use crate::app::{Ctx, PageError, fail};

/// Rows on a page of a list.
const PAGE: usize = 100;

/// The case's folder, whole, for commands.
fn folder(snapshot: &desk::read::Snapshot) -> String {
    let dir = snapshot.dir();
    dir.canonicalize().unwrap_or_else(|_| dir.to_owned()).display().to_string()
}

/// The page of a list that the URL asks for.
fn paging(ctx: &Ctx) -> Paging {
    paging_of(ctx, PAGE)
}

fn paging_of(ctx: &Ctx, usual: usize) -> Paging {
    let limit = ctx.query.read::<usize>("limit").unwrap_or(usual).clamp(1, 500);
    Paging { after: ctx.query.get("after").map(str::to_owned), limit }
}

/// An address that is none of ours.
pub(crate) async fn missing(request: Request) -> Response {
    let uri = request.uri();
    let ctx = Ctx::of(request.headers(), uri.path(), uri.query().unwrap_or(""), Vec::new());
    fail(&ctx, &PageError::NotFound)
}

/// `start-end`, as in `?at=`; a start alone is its one byte.
pub(crate) fn span(text: &str) -> Option<(u64, u64)> {
    let Some((start, end)) = text.split_once('-') else {
        let start: u64 = text.parse().ok()?;
        return Some((start, start.checked_add(1)?));
    };
    let (start, end) = (start.parse().ok()?, end.parse().ok()?);
    (start <= end).then_some((start, end))
}

/// An entity as data.
fn head_json(head: &EntityHead) -> serde_json::Value {
    serde_json::json!({
        "id": head.id.to_string(), "kind": head.kind.name(), "caption": head.caption,
        "key": head.key.as_str(), "country": head.country, "asn": head.asn,
        "facts": head.facts, "links": head.links,
    })
}

/// Where a value was read, as data.
fn source_json(source: &desk::read::Source) -> serde_json::Value {
    serde_json::json!({
        "exhibit": source.exhibit.to_string(), "name": source.name,
        "start": source.start, "end": source.end, "parser": source.parser,
    })
}

/// A value, as data.
fn value_json(value: &desk::read::ShownValue) -> serde_json::Value {
    use desk::read::ShownValue as V;
    match value {
        V::Text(text) => serde_json::json!(text),
        V::Int(n) => serde_json::json!(n),
        V::Bool(b) => serde_json::json!(b),
        V::Time { text, .. } => serde_json::json!(text),
        V::Money(m) => serde_json::json!({ "minor": m.minor, "currency": m.currency.as_str() }),
        V::Entity { entity, written } => {
            serde_json::json!({ "entity": head_json(entity), "written": written.as_str() })
        }
        V::Masked => serde_json::json!({ "masked": true }),
    }
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn a_span_is_two_ends_or_one_byte() {
        assert_eq!(span("3-9"), Some((3, 9)));
        assert_eq!(span("3"), Some((3, 4)));
        assert_eq!(span("0-0"), Some((0, 0)));
        for bad in ["9-3", "", "-", "3-", "x", "-3", "18446744073709551615"] {
            assert_eq!(span(bad), None, "{bad}");
        }
    }
}
