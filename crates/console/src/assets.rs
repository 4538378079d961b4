//! Scripts, styles and pictures, inside the binary. Each is served under a URL that holds a digest
//! of its bytes, so that a browser may keep it for ever.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::Sha256Hex;

/// An asset.
struct Asset {
    name: &'static str,
    mime: &'static str,
    bytes: &'static [u8],
}

macro_rules! asset {
    ($name:literal, $mime:literal) => {
        Asset {
            name: $name,
            mime: $mime,
            bytes: include_bytes!(concat!("../../../assets/web/", $name)),
        }
    };
}

static ASSETS: &[Asset] = &[
    asset!("app.css", "text/css; charset=utf-8"),
    asset!("app.js", "text/javascript; charset=utf-8"),
    asset!("network.js", "text/javascript; charset=utf-8"),
    asset!("world.svg", "image/svg+xml"),
    asset!("mark.svg", "image/svg+xml"),
];

static DIGESTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    ASSETS.iter().map(|a| Sha256Hex::of(a.bytes).to_string()[..16].to_owned()).collect()
});

/// Where an asset is: `/assets/<digest>/<name>`.
pub(crate) fn url(name: &str) -> String {
    let digest = ASSETS.iter().position(|a| a.name == name).map_or("none", |i| &DIGESTS[i]);
    format!("/assets/{digest}/{name}")
}

/// Serves an asset under its digest. A page of an older build asks for an older digest: it gets
/// what there is, uncached.
pub(crate) async fn serve(
    Path((digest, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let Some(i) = ASSETS.iter().position(|a| a.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let tag = format!("\"{}\"", DIGESTS[i]);
    let cache =
        if digest == DIGESTS[i] { "public, max-age=31536000, immutable" } else { "no-store" };
    let head = [(header::CACHE_CONTROL, cache.to_owned()), (header::ETAG, tag.clone())];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|t| t.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, head).into_response();
    }
    (head, [(header::CONTENT_TYPE, ASSETS[i].mime)], ASSETS[i].bytes).into_response()
}
