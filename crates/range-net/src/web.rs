//! The night's sites.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use range::night::{self, Content, Night, Site};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use shield_feed::Tls;

use crate::Error;

/// What answers at one address.
pub(crate) fn router(night: Arc<Night>, address: IpAddr) -> Router {
    Router::new().fallback(move |method: Method, uri: Uri, headers: HeaderMap| async move {
        if method != Method::GET && method != Method::HEAD {
            return StatusCode::METHOD_NOT_ALLOWED.into_response();
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let host = headers
            .get(HOST)
            .and_then(|value| value.to_str().ok())
            .or(uri.host())
            .unwrap_or_default();
        // A segment takes a few milliseconds to make: others are served meanwhile.
        let (night, host, path) = (Arc::clone(&night), host.to_owned(), uri.path().to_owned());
        let made = tokio::task::spawn_blocking(move || served(&night, address, &host, &path, now));
        made.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
    })
}

fn served(night: &Night, address: IpAddr, host: &str, path: &str, now_s: u64) -> Response {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let Some(site) = night.served(address, name) else {
        let text = format!("Practice range: no site called {name:?} stands at {address}.\n");
        return (StatusCode::NOT_FOUND, text).into_response();
    };
    let live = |kind, body: Bytes| {
        ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], body).into_response()
    };
    match (site.content, path) {
        (_, "/" | "/index.html") => page(night, site),
        (Content::Stream(_), "/live.m3u8") => {
            live("application/vnd.apple.mpegurl", night::playlist(now_s).into())
        }
        (Content::Stream(channel), path) => {
            match night::segment(channel, path.trim_start_matches('/'), now_s) {
                Some(bytes) => live("video/mp2t", bytes.into()),
                None => StatusCode::NOT_FOUND.into_response(),
            }
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn page(night: &Night, site: &Site) -> Response {
    let (name, event) = (&site.name, &night.event);
    let body = match site.content {
        Content::Stream(_) => {
            format!("<p>{event}, live: <a href=\"/live.m3u8\">a test picture</a>.</p>")
        }
        Content::Page => "<p>Nothing streams here.</p>".to_owned(),
    };
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{name}</title><h1>{name}</h1>{body}\
         <p>A page of Vigie’s practice range: nobody is behind it.</p></html>\n"
    );
    ([(CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response()
}

/// A certificate for names and addresses, made now and signed by itself; and its key. Both PEM.
pub(crate) fn certificate(names: Vec<String>) -> Result<(String, String), Error> {
    let made = rcgen::generate_simple_self_signed(names)?;
    Ok((made.cert.pem(), made.signing_key.serialize_pem()))
}

/// TLS for all that stands at an address.
pub(crate) fn tls(night: &Night, address: IpAddr) -> Result<Tls, Error> {
    let here = night.sites.iter().filter(|site| site.is_at(address)).map(|site| site.name.clone());
    let made =
        rcgen::generate_simple_self_signed(here.chain([address.to_string()]).collect::<Vec<_>>())?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    shield_feed::tls_config(vec![CertificateDer::from(made.cert)], key)
        .map_err(|e| Error::socket("TLS of a site")(std::io::Error::other(e)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_stream_pages_are_pages_and_a_stranger_is_told() {
        let night = Night::new(1, 1);
        let (stream, now) = (&night.sites[0], 1_790_000_000);
        let get = |site: &Site, host: &str, path: &str| {
            let answer = served(&night, site.address.into(), host, path, now);
            let kind = answer
                .headers()
                .get(CONTENT_TYPE)
                .and_then(|v| v.to_str().ok())
                .unwrap_or("")
                .to_owned();
            (answer.status().as_u16(), kind)
        };
        let playlist = (200, "application/vnd.apple.mpegurl".to_owned());
        assert_eq!(get(stream, &stream.name, "/live.m3u8"), playlist);
        assert_eq!(get(stream, &format!("{}:80", stream.name), "/live.m3u8"), playlist);
        assert_eq!(get(stream, "", "/live.m3u8"), playlist);
        let segment = format!("/{}.ts", now / 4 - 1);
        assert_eq!(get(stream, &stream.name, &segment), (200, "video/mp2t".to_owned()));
        assert_eq!(get(stream, &stream.name, "/0.ts").0, 404);
        let innocent =
            night.innocents().find(|site| site.address == night.sites[1].address).unwrap();
        assert_eq!(get(innocent, &innocent.name, "/").1, "text/html; charset=utf-8");
        assert_eq!(get(innocent, &innocent.name, "/live.m3u8").0, 404);
        assert_eq!(get(innocent, "stranger.example", "/").0, 404);
    }
}
