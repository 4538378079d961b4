//! Addresses as settings write them.

use std::net::IpAddr;

use hyper::Uri;

/// The longest address, in bytes.
pub const MAX_URL: usize = 2_000;

/// Why nothing can be asked there, ever.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No such address; what of it is shown is bounded.
    #[error("{0}: this is no address: write https://HOST[:PORT]/PATH, without user, `?` or `#`")]
    Unread(String),
    /// In the clear, over a network.
    #[error("{0}: write https:// (http:// goes to an address of this machine's loopback alone)")]
    Clear(String),
}

/// Where a line leads: `https://HOST[:PORT]/PATH`, or `http://` to an address of loopback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    url: String,
    secure: bool,
    host: String,
    port: u16,
    path: String,
}

impl Address {
    /// Reads one. A name is never taken for loopback: who answers for it, the machine's resolver says.
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn read(url: &str) -> Result<Self, AddressError> {
        let shown = || url.chars().filter(|c| !c.is_control()).take(200).collect();
        let bad = || AddressError::Unread(shown());
        let uri: Uri = url.parse().ok().filter(|_| url.len() <= MAX_URL).ok_or_else(bad)?;
        let (scheme, authority) = uri.scheme_str().zip(uri.authority()).ok_or_else(bad)?;
        let secure = match scheme {
            "https" => true,
            "http" => false,
            _ => return Err(AddressError::Clear(shown())),
        };
        // A `#` is dropped by the parser of addresses; a port that is none would be the usual one.
        let odd = authority.as_str().contains('@') || uri.query().is_some() || url.contains('#');
        let host = authority.host();
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let port = authority.as_str().get(host.len()..).unwrap_or_default();
        if odd || bare.is_empty() || port.is_empty() != authority.port_u16().is_none() {
            return Err(bad());
        }
        let loopback = bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if !secure && !loopback {
            return Err(AddressError::Clear(shown()));
        }
        Ok(Self {
            url: url.to_owned(),
            secure,
            host: bare.to_owned(),
            port: authority.port_u16().unwrap_or(if secure { 443 } else { 80 }),
            path: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// As it was written.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether by TLS.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The name or the address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; 443 or 80 where none is written.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What stands before every path, without a slash at its end; empty where there is none.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// `HOST:PORT`, as a request's Host says it.
    pub(crate) fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_goes_over_a_network_in_the_clear() {
        for (url, host, port, path) in [
            ("https://feed.example", "feed.example", 443, ""),
            ("https://feed.example:8443/a/b/", "feed.example", 8443, "/a/b"),
            ("http://127.0.0.1:8485/feed", "127.0.0.1", 8485, "/feed"),
            ("http://[::1]/", "::1", 80, ""),
            ("https://[2001:db8::1]:1/x", "2001:db8::1", 1, "/x"),
        ] {
            let address = Address::read(url).unwrap();
            assert_eq!(
                (address.host(), address.port(), address.path()),
                (host, port, path),
                "{url}"
            );
            assert_eq!(address.is_secure(), url.starts_with("https"));
        }
        assert_eq!(Address::read("http://[::1]/").unwrap().authority(), "[::1]:80");
        for url in [
            "http://192.0.2.1:1",
            "http://feed.example/feed",
            // A name is what a resolver says it is.
            "http://localhost/feed",
            "http://127.0.0.1.example",
            "http://[::ffff:192.0.2.1]/",
            "ftp://127.0.0.1",
        ] {
            assert!(matches!(Address::read(url), Err(AddressError::Clear(_))), "{url}");
        }
        let long = format!("https://feed.example/{}", "a".repeat(MAX_URL));
        for url in [
            "x",
            "",
            "/feed",
            "https://",
            "https://a@feed.example",
            "https://feed.example/?x=1",
            "https://feed.example/#x",
            "https://feed.example:99999/",
            "https://feed.example:/",
            "https://feed.example/a b",
            "https://[]/",
            &long,
        ] {
            let error = Address::read(url).unwrap_err();
            assert!(matches!(error, AddressError::Unread(_)), "{url}: {error}");
            assert!(error.to_string().len() < 300, "{url}");
        }
    }
}
