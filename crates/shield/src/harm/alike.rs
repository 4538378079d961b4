//! Names that look like others: by Unicode's table of confusable characters (UTS 39).

use unicode_security::{MixedScript as _, skeleton};

/// How a reason cites this.
pub(super) const SOURCE: &str = "Unicode, UTS 39 and UTS 46";

/// The ASCII name that a reader would take this one for: each character that is not ASCII replaced by
/// the ASCII one it looks like. `None` where one looks like none, or where nothing was replaced.
pub(super) fn ascii_twin(unicode: &str) -> Option<String> {
    let mut twin = String::with_capacity(unicode.len());
    let mut replaced = false;
    for c in unicode.chars() {
        if c.is_ascii() {
            twin.push(c);
            continue;
        }
        replaced = true;
        let mut buffer = [0; 4];
        for like in skeleton(c.encode_utf8(&mut buffer)) {
            // An accent alone is what makes the letter another; a reader who hurries does not see it.
            match like {
                '\u{300}'..='\u{36f}' => {}
                like if like.is_ascii_alphanumeric() || like == '-' => {
                    twin.push(like.to_ascii_lowercase());
                }
                _ => return None,
            }
        }
    }
    (replaced && twin != unicode).then_some(twin)
}

/// The first label whose letters are of more than one script.
pub(super) fn mixed(unicode: &str) -> Option<&str> {
    unicode.split('.').find(|label| !label.is_single_script())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twins() {
        for (name, twin) in [
            ("аррӏе.com", Some("apple.com")),
            ("gооgle.com", Some("google.com")),
            ("bücher.example", Some("bucher.example")),
            ("例え.テスト", None),
            ("stream.example", None),
        ] {
            assert_eq!(ascii_twin(name).as_deref(), twin, "{name}");
        }
        assert_eq!(mixed("gооgle.com"), Some("gооgle"));
        assert_eq!(mixed("аррӏе.com"), None);
    }
}
