//! Entity tags (RFC 9110, 8.8.3): the SHA-256 of what is sent, so that one that fits is never wrong.

use axum::http::{HeaderMap, HeaderValue, header};
use model::Sha256Hex;

/// The tag of a content.
pub(crate) fn tag(hash: &Sha256Hex) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{hash}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// True where the client has this content already (RFC 9110, 13.1.2: compared weakly).
pub(crate) fn has(headers: &HeaderMap, hash: &Sha256Hex) -> bool {
    let own = format!("\"{hash}\"");
    let shown = headers.get_all(header::IF_NONE_MATCH).iter();
    shown.filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == own)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_known_alone_in_a_list_and_weak() {
        let hash = Sha256Hex::of(b"x");
        for (shown, known) in [
            (format!("\"{hash}\""), true),
            (format!("\"a\", W/\"{hash}\""), true),
            ("*".to_owned(), true),
            (hash.to_string(), false),
            ("\"\"".to_owned(), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, shown.parse().unwrap());
            assert_eq!(has(&headers, &hash), known, "{shown}");
        }
        assert!(!has(&HeaderMap::new(), &hash));
    }
}
