//! Base64 (RFC 4648, section 4) in its one writing.

use data_encoding::BASE64;

/// The text of bytes.
pub(crate) fn encode(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// The bytes of a text that [`encode`] would write. The library alone also takes several padded
/// texts after one another, and so would read two writings of one value.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let bytes = BASE64.decode(text.as_bytes()).ok()?;
    (encode(&bytes) == text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_value_has_one_writing(text in "[AQgw+/=]{0,24}") {
            if let Some(bytes) = decode(&text) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }
    }

    #[test]
    fn padded_texts_after_one_another_are_none() {
        assert_eq!(decode("AQ==").as_deref(), Some(&[1][..]));
        assert_eq!(decode("AQ==AQ=="), None);
        assert_eq!(decode("AR=="), None);
    }
}
