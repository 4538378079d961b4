//! What a capture is of: a URL, a name, an address.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use url::Url;

use crate::host::Host;

/// Longest text of an item.
pub const MAX_ITEM: usize = 2000;

/// An item, as it stands on a list to be blocked or in an investigator's notes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A document or a playlist.
    Url(Url),
    /// A name, and a port where one is stated: what stands at its root.
    Name(String, Option<u16>),
    /// An address, and a port where one is stated: what it shows to whom names nobody.
    Address(IpAddr, Option<u16>),
}

/// What is no item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ItemError {
    /// Neither form.
    #[error(
        "neither a URL (http:// or https://) nor a name or an address, with or without a port \
         (`tv.example`, `198.18.0.7:8080`, `[2001:db8::7]:443`)"
    )]
    Shape,
    /// Too long.
    #[error("more than {MAX_ITEM} bytes")]
    Long,
}

impl FromStr for Item {
    type Err = ItemError;

    fn from_str(text: &str) -> Result<Self, ItemError> {
        if text.len() > MAX_ITEM {
            return Err(ItemError::Long);
        }
        if text.contains("://") {
            let mut url = Url::parse(text).map_err(|_| ItemError::Shape)?;
            url.set_fragment(None);
            Host::of_url(&url).ok_or(ItemError::Shape)?;
            // Encoding may have made it longer: what is recorded has a bound.
            return if url.as_str().len() <= MAX_ITEM {
                Ok(Self::Url(url))
            } else {
                Err(ItemError::Long)
            };
        }
        let (host, port) = match text.parse::<IpAddr>() {
            Ok(address) => (Host::Address(address.to_canonical()), None),
            Err(_) => match text.rsplit_once(':') {
                Some((host, port)) if !host.is_empty() && !port.ends_with(']') => {
                    let digits = port.bytes().all(|b| b.is_ascii_digit());
                    let port = port.parse().ok().filter(|p: &u16| digits && *p > 0);
                    (
                        Host::parse(host).map_err(|_| ItemError::Shape)?,
                        Some(port.ok_or(ItemError::Shape)?),
                    )
                }
                _ => (Host::parse(text).map_err(|_| ItemError::Shape)?, None),
            },
        };
        Ok(match host {
            Host::Name(name) => Self::Name(name, port),
            Host::Address(address) => Self::Address(address, port),
        })
    }
}

/// As it is recorded, and read again.
impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = match self {
            Self::Url(url) => return f.write_str(url.as_str()),
            Self::Name(name, port) => (name.clone(), port),
            Self::Address(address, None) => return write!(f, "{address}"),
            Self::Address(address, port) => (Host::Address(*address).in_url(), port),
        };
        match port {
            Some(port) => write!(f, "{host}:{port}"),
            None => f.write_str(&host),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn items_are_read() {
        for (text, written) in [
            ("http://TV.example/a b.m3u8#x", "http://tv.example/a%20b.m3u8"),
            ("https://198.18.0.7:8443/x?y", "https://198.18.0.7:8443/x?y"),
            ("TV.example.", "tv.example"),
            ("tv.example:8080", "tv.example:8080"),
            ("198.18.0.7", "198.18.0.7"),
            ("::ffff:198.18.0.7", "198.18.0.7"),
            ("198.18.0.7:80", "198.18.0.7:80"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]:443", "[2001:db8::7]:443"),
            ("ftp://tv.example/x", "ftp://tv.example/x"),
        ] {
            let item: Item = text.parse().unwrap();
            assert_eq!(item.to_string(), written);
            assert_eq!(written.parse(), Ok(item));
        }
        for text in
            ["", "a b", "http://", "tv.example:0", "tv.example:x", ":80", "a:b:c", "http:///x"]
        {
            assert!(text.parse::<Item>().is_err() || text == "http:///x", "{text}");
        }
        assert_eq!("x".repeat(MAX_ITEM + 1).parse::<Item>(), Err(ItemError::Long));
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "\\PC{0,60}") {
            if let Ok(item) = text.parse::<Item>() {
                let written = item.to_string();
                prop_assert!(!written.contains(|c: char| c.is_control()));
                prop_assert_eq!(written.parse(), Ok(item));
            }
        }
    }
}
