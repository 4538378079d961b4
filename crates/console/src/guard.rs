//! What every request passes before its gate, in this order: the headers every answer carries, the host it
//! was asked of, and where it was asked from.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::app::{App, Site};
use crate::html::error_page;
use crate::i18n::Lang;

/// Nothing from elsewhere, nothing inline, nobody may frame it.
pub(crate) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; \
     base-uri 'none'";

/// The headers of every answer. Pages hold seized material: no cache keeps them, and no other site
/// learns where a reader came from.
pub(crate) async fn headers(State(app): State<App>, request: Request, next: Next) -> Response {
    let (lang, posts) = (lang_of(request.headers()), request.method() == Method::POST);
    let mut response = next.run(request).await;
    if posts && is_unread(&response) {
        response = error_page(lang, response.status(), "error.form");
    }
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Not `no-referrer`: under it a form of our own would post with the origin `null`.
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    for (name, value) in [
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if app.secure {
        // A year of TLS alone: nobody is led back to the clear.
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// True where a form was refused before anybody read it: too long, broken off, or no form. What says so then is a
/// line in English, and no page.
fn is_unread(response: &Response) -> bool {
    let plain = |value: &HeaderValue| value.as_bytes().starts_with(b"text/plain");
    response.status().is_client_error()
        && response.headers().get(header::CONTENT_TYPE).is_some_and(plain)
}

/// Host and origin. A page of another site that has its name point at loopback (DNS rebinding)
/// sends its own name as host; one that posts here sends its own origin.
pub(crate) async fn origin(State(app): State<App>, mut request: Request, next: Next) -> Response {
    // Whatever the request says of it: the server says which console it is.
    let site = HeaderValue::from_static(match app.site() {
        Site::Case => "case",
        Site::House => "house",
    });
    request.headers_mut().insert(SITE, site);
    // The gate says it, once it is known who asks.
    request.headers_mut().remove(OPENS);
    let lang = lang_of(request.headers());
    let host = request.headers().get(header::HOST).and_then(|h| h.to_str().ok());
    let Some(host) = host.filter(|host| app.answers_for(host)) else {
        return error_page(lang, StatusCode::MISDIRECTED_REQUEST, "error.host");
    };
    let scheme = if app.secure { "https://" } else { "http://" };
    if !same_origin(request.method(), request.headers(), (scheme, host)) {
        app.access.refuse("public", "another site", desk::access::Refusal::Forbidden);
        return error_page(lang, StatusCode::FORBIDDEN, "error.origin");
    }
    next.run(request).await
}

/// Whether a request may come from where it says it does. Reading by navigation is free; reading
/// by another site's script is not; changing needs our own origin.
fn same_origin(method: &Method, headers: &HeaderMap, (scheme, host): (&str, &str)) -> bool {
    let get = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    // A service's own key: no page of another site can have a browser send one.
    if headers.contains_key(header::AUTHORIZATION)
        && !headers.contains_key(header::COOKIE)
        && !headers.contains_key(header::ORIGIN)
        && get("sec-fetch-site").is_none()
    {
        return true;
    }
    let site = get("sec-fetch-site");
    if matches!(*method, Method::GET | Method::HEAD) {
        return match site {
            None | Some("same-origin" | "none") => true,
            Some(_) => get("sec-fetch-mode") == Some("navigate"),
        };
    }
    match get("origin") {
        Some(origin) => origin.strip_prefix(scheme) == Some(host),
        None => site == Some("same-origin"),
    }
}

/// The value of a cookie.
pub(crate) fn cookie_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// The session's token, if the request carries one.
pub(crate) fn session_of<'a>(headers: &'a HeaderMap, cookie: &str) -> Option<&'a str> {
    cookie_of(headers, cookie).filter(|token| token.len() == 64)
}

/// The reader's language: what they chose, else what their browser asks for.
pub(crate) fn lang_of(headers: &HeaderMap) -> Lang {
    if let Some(lang) = cookie_of(headers, LANG_COOKIE).and_then(Lang::of_tag) {
        return lang;
    }
    headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|h| h.to_str().ok())
        .map_or(Lang::En, Lang::of_header)
}

/// The name under which a request is told which console it is asked of: set here, never believed.
const SITE: &str = "x-vigie-site";

/// Which console a request is asked of.
pub(crate) fn site_of(headers: &HeaderMap) -> Site {
    match headers.get(SITE).map(HeaderValue::as_bytes) {
        Some(b"house") => Site::House,
        _ => Site::Case,
    }
}

/// The name under which a request is told which of the frame's addresses its asker may open, one after the other: set
/// by the gate, never believed.
const OPENS: &str = "x-vigie-opens";

/// Tells a request which of the frame's addresses its asker may open.
pub(crate) fn set_opens(headers: &mut HeaderMap, opens: &[&'static str]) {
    // Addresses of our own table: each is a header's text.
    if let Ok(value) = HeaderValue::from_str(&opens.join(" ")) {
        headers.insert(OPENS, value);
    }
}

/// Which of the frame's addresses who asks may open; none where no gate was passed.
pub(crate) fn opens_of(headers: &HeaderMap) -> Vec<String> {
    let text = headers.get(OPENS).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(' ').filter(|path| !path.is_empty()).map(str::to_owned).collect()
}

/// The cookie that holds a chosen language.
pub(crate) const LANG_COOKIE: &str = "vigie_lang";

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (n.parse().unwrap(), HeaderValue::from_static(v))).collect()
    }

    #[test]
    fn only_our_own_pages_may_change_anything() {
        let host = "127.0.0.1:8484";
        let ok = |method: &Method, pairs: &[(&'static str, &'static str)]| {
            same_origin(method, &headers(pairs), ("http://", host))
        };
        assert!(ok(&Method::POST, &[("origin", "http://127.0.0.1:8484")]));
        assert!(ok(&Method::POST, &[("sec-fetch-site", "same-origin")]));
        assert!(!ok(&Method::POST, &[]));
        assert!(!ok(&Method::POST, &[("origin", "null")]));
        assert!(!ok(&Method::POST, &[("origin", "http://127.0.0.1:8485")]));
        assert!(!ok(
            &Method::POST,
            &[("origin", "http://evil.example"), ("sec-fetch-site", "same-origin")]
        ));
        // A program with a key, and no browser.
        assert!(ok(&Method::POST, &[("authorization", "Bearer x")]));
        for beside in [("cookie", "a=b"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
            assert!(!ok(&Method::POST, &[("authorization", "Bearer x"), beside]), "{beside:?}");
        }
        // By TLS only what came by TLS is our own.
        let secure = |origin| {
            same_origin(
                &Method::POST,
                &headers(&[("origin", origin)]),
                ("https://", "vigie.example"),
            )
        };
        assert!(secure("https://vigie.example"));
        for other in
            ["http://vigie.example", "https://vigie.example:444", "https://a.vigie.example"]
        {
            assert!(!secure(other), "{other}");
        }
        assert!(ok(&Method::GET, &[]));
        assert!(ok(
            &Method::GET,
            &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")]
        ));
        assert!(!ok(
            &Method::GET,
            &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")]
        ));
    }

    #[test]
    fn cookies_and_languages_are_read() {
        let h = headers(&[("cookie", "a=1; vigie_lang=it;b=2"), ("accept-language", "fr")]);
        assert_eq!(cookie_of(&h, "b"), Some("2"));
        assert_eq!(lang_of(&h), Lang::It);
        assert_eq!(lang_of(&headers(&[("accept-language", "de, fr;q=0.8, en;q=0.9")])), Lang::En);
        assert_eq!(lang_of(&headers(&[("accept-language", "fr-CH, en;q=0.9")])), Lang::Fr);
        assert_eq!(lang_of(&HeaderMap::new()), Lang::En);
    }
}
