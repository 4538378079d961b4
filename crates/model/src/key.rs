//! Keys: what names a thing, in the world or inside its source.
//!
//! A key is `scheme:rest`, UTF-8 without control characters, at most [`MAX_LEN`] bytes. Each scheme
//! belongs to one kind of entity ([`crate::kinds`]).
//!
//! - **Natural keys** are global: `ip:198.18.4.7`, `domain:stream.example`, `mac:00:1a:79:00:00:01`,
//!   `iban:…`, `wallet:btc:…`. The same key in two exhibits is one thing.
//! - **Scoped keys** are `scheme:LOCATOR/local`: a thing numbered inside a panel. The locator says
//!   which panel, as far as the source knows: `x<32 hex>/<db>` a database in an exhibit (the first
//!   128 bits of its id), `@<host>` the host that a playlist or an API answer names,
//!   `<family>~<address>` the panel itself. `network` rewrites the first two to the third where the
//!   panel is known, so that two dumps of one panel name the same things.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::id::ExhibitId;

/// The longest key, in bytes. What is longer is cut by its maker and ends in the digest of the
/// whole, so that two long names never become one.
pub const MAX_LEN: usize = 512;

/// What names a thing. Ordered bytewise.
///
/// Clones share their text: a key is stated once a fact, and there are millions.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which panel a scoped key belongs to, as far as its source knows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Locator {
    /// A database inside an exhibit.
    Database {
        /// The exhibit.
        exhibit: ExhibitId,
        /// The database's name as the dump gives it; empty where it gives none.
        db: String,
    },
    /// The host (name or address, without port) that answers for the panel.
    Host(String),
}

impl fmt::Display for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database { exhibit, db } => {
                let hex = exhibit.to_string();
                write!(f, "x{}/{}", &hex[..32], clean(db).replace('/', "_"))
            }
            Self::Host(host) => {
                write!(f, "@{}", clean(host).to_ascii_lowercase().replace('/', "_"))
            }
        }
    }
}

fn clean(text: &str) -> Cow<'_, str> {
    // Control characters are C0, DEL, and C1, which UTF-8 begins with 0xc2.
    // No early exit: so the loop is done many bytes at a time.
    let special = |b: u8| b < 0x20 || b == 0x7f || b == 0xc2;
    if !text.bytes().fold(false, |found, b| found | special(b)) {
        return Cow::Borrowed(text);
    }
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Cuts a key that is too long; the digest of the whole stands at its end.
#[cold]
fn shorten(text: &mut String) {
    let digest = crate::id::Sha256Hex::of(text.as_bytes()).to_string();
    let mut cut = MAX_LEN - 66;
    while !text.is_char_boundary(cut) {
        cut -= 1;
    }
    text.truncate(cut);
    text.push('#');
    text.push_str(&digest);
}

impl Key {
    /// `scheme:rest`, with control characters replaced and the length bounded. Callers normalise
    /// `rest` first; the named constructors below do.
    pub fn new(scheme: &str, rest: &str) -> Self {
        Self::joined(scheme, &[rest])
    }

    /// As [`Key::new`], of a rest that stands in several parts.
    pub fn joined(scheme: &str, parts: &[&str]) -> Self {
        thread_local! {
            /// Where a key is put together: one allocation a key, not two.
            static TEXT: RefCell<String> = const { RefCell::new(String::new()) };
        }
        debug_assert!(
            !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
            "a scheme is lower-case ASCII"
        );
        TEXT.with_borrow_mut(|text| {
            text.clear();
            text.push_str(scheme);
            text.push(':');
            for part in parts {
                text.push_str(&clean(part));
            }
            if text.len() > MAX_LEN {
                shorten(text);
            }
            let key = Self(text.as_str().into());
            // A monstrous name is not kept at hand for ever.
            text.shrink_to(4 * MAX_LEN);
            key
        })
    }

    /// A key read back from a view or a user's words: `scheme:rest`.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once(':')?;
        let known = !scheme.is_empty()
            && scheme.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
            && crate::kinds::kind_of_scheme(scheme).is_some();
        (known && !rest.is_empty() && text.len() <= MAX_LEN && !text.chars().any(char::is_control))
            .then(|| Self(text.into()))
    }

    /// The whole key.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The scheme: what stands before the first colon.
    pub fn scheme(&self) -> &str {
        self.0.split_once(':').map_or("", |(scheme, _)| scheme)
    }

    /// What stands behind the first colon.
    pub fn rest(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, rest)| rest)
    }

    /// `scheme:LOCATOR/local`.
    pub fn scoped(scheme: &str, locator: &Locator, local: &str) -> Self {
        Self::new(scheme, &format!("{locator}/{local}"))
    }

    /// A panel as its source knows it: `panel:LOCATOR`.
    pub fn panel_source(locator: &Locator) -> Self {
        Self::new("panel", &locator.to_string())
    }

    /// A panel itself: its schema family and its main server's address or name.
    pub fn panel(family: &str, main_server: &str) -> Self {
        Self::new("panel", &format!("{family}~{}", main_server.to_ascii_lowercase()))
    }

    /// A server by its address or host name. Private, loopback and carrier addresses never join
    /// two exhibits: for those there is no global key.
    pub fn server(host: &str) -> Option<Self> {
        match host.parse::<IpAddr>() {
            Ok(ip) => is_global(ip).then(|| Self::new("server", &ip.to_string())),
            Err(_) => Self::domain(host).map(|d| Self::new("server", d.rest())),
        }
    }

    /// An address. Global ones are `ip:198.18.4.7`; a private, loopback or carrier address is
    /// bound to its exhibit: `ip:x<32 hex>/10.0.0.1`.
    pub fn ip(ip: IpAddr, exhibit: ExhibitId) -> Self {
        let ip = ip.to_canonical();
        if is_global(ip) {
            Self::new("ip", &ip.to_string())
        } else {
            let hex = exhibit.to_string();
            Self::new("ip", &format!("x{}/{ip}", &hex[..32]))
        }
    }

    /// A host name in ASCII form (UTS 46), lower case, without the final dot. `None` where it is
    /// none: fewer than two labels, a label over 63 bytes or the whole over 253, or an all-numeric
    /// last label.
    pub fn domain(name: &str) -> Option<Self> {
        let name = name.strip_suffix('.').unwrap_or(name);
        let ascii = if name.is_ascii() {
            name.to_ascii_lowercase()
        } else {
            idna::domain_to_ascii(name).ok()?
        };
        let (mut labels, mut numeric) = (0, false);
        for label in ascii.split('.') {
            let good = !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
            if !good {
                return None;
            }
            labels += 1;
            numeric = label.bytes().all(|b| b.is_ascii_digit());
        }
        (labels >= 2 && ascii.len() <= 253 && !numeric).then(|| Self::new("domain", &ascii))
    }

    /// A MAC address, any separator: `mac:00:1a:79:00:00:01`. All zeros and broadcast name nothing.
    pub fn mac(text: &str) -> Option<Self> {
        let digits: Vec<u8> = text.bytes().filter(|b| !matches!(b, b':' | b'-' | b'.')).collect();
        if digits.len() != 12 || !digits.iter().all(u8::is_ascii_hexdigit) || text.len() > 17 {
            return None;
        }
        let lower: String = digits.iter().map(|b| char::from(b.to_ascii_lowercase())).collect();
        if lower == "000000000000" || lower == "ffffffffffff" {
            return None;
        }
        let pairs: Vec<&str> = (0..6).map(|i| &lower[i * 2..i * 2 + 2]).collect();
        Some(Self::new("mac", &pairs.join(":")))
    }

    /// An e-mail address, lower case, the domain in ASCII. `None` where there is no local part or
    /// the domain is none.
    pub fn email(text: &str) -> Option<Self> {
        let (local, host) = text.rsplit_once('@')?;
        let host = Self::domain(host)?;
        let good = !local.is_empty()
            && local.len() <= 64
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..")
            && local
                .chars()
                .all(|c| !c.is_whitespace() && !c.is_control() && !"\"(),:;<>[\\]@".contains(c));
        good.then(|| Self::joined("email", &[&local.to_lowercase(), "@", host.rest()]))
    }

    /// A telephone number in international form: `phone:+33612345678` (E.164: 7 to 15 digits).
    /// A number without its country prefix names nothing by itself.
    pub fn phone(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let rest = text.trim_start();
        let international = rest.starts_with('+') || rest.starts_with("00");
        let digits =
            if rest.starts_with("00") { digits[2.min(digits.len())..].to_owned() } else { digits };
        let good = international
            && (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && text.chars().all(|c| c.is_ascii_digit() || "+-. ()/\u{a0}\u{202f}".contains(c));
        good.then(|| Self::new("phone", &format!("+{digits}")))
    }

    /// An account at a service: `account:paypal:mail@host.example`. Both lower case.
    pub fn account(service: &str, id: &str) -> Self {
        Self::joined("account", &[&service.to_lowercase(), ":", &id.trim().to_lowercase()])
    }

    /// An account of a messenger: `messaging:telegram:user12345` or `messaging:telegram:@handle`.
    pub fn messaging(service: &str, id: &str) -> Self {
        Self::new("messaging", &format!("{}:{}", service.to_lowercase(), id.trim().to_lowercase()))
    }

    /// A WhatsApp account known only by the name that the exporter's address book gives it. Two
    /// telephones may call two people Alice: the key is bound to its exhibit.
    pub fn whatsapp_name(exhibit: ExhibitId, name: &str) -> Self {
        let hex = exhibit.to_string();
        Self::messaging("whatsapp", &format!("x{}/{name}", &hex[..32]))
    }

    /// An international bank account number: of a country that has them, as long as its are, and with
    /// check digits (ISO 7064 MOD 97-10) that hold. The digits alone would take a wallet's address for one.
    pub fn iban(text: &str) -> Option<Self> {
        let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let bytes = compact.as_bytes();
        if !(15..=34).contains(&bytes.len())
            || !bytes.iter().all(u8::is_ascii_alphanumeric)
            || !bytes[..2].iter().all(u8::is_ascii_alphabetic)
            || !bytes[2..4].iter().all(u8::is_ascii_digit)
        {
            return None;
        }
        let upper = compact.to_ascii_uppercase();
        let country = upper.as_bytes().first_chunk::<2>()?;
        if crate::iban::length(*country) != Some(upper.len()) {
            return None;
        }
        let rotated = upper.bytes().skip(4).chain(upper.bytes().take(4));
        let remainder = rotated.fold(0u32, |acc, b| match b {
            b'0'..=b'9' => (acc * 10 + u32::from(b - b'0')) % 97,
            _ => (acc * 100 + u32::from(b - b'A') + 10) % 97,
        });
        (remainder == 1).then(|| Self::new("iban", &upper))
    }

    /// A wallet whose checksum its reader has verified: `wallet:btc:…`.
    pub fn wallet(chain: &str, address: &str) -> Self {
        Self::new("wallet", &format!("{chain}:{address}"))
    }

    /// A BitTorrent swarm by its info-hash: v1 (20 bytes) or v2 (32 bytes), in hexadecimal.
    pub fn swarm(info_hash: &[u8]) -> Self {
        Self::new("swarm", &crate::id::hex(info_hash))
    }
}

/// True for addresses that name one place for everybody. False for private, loopback, link-local,
/// carrier-grade (100.64.0.0/10), unspecified, multicast and broadcast ones (RFC 6890).
/// Ranges for documentation and benchmarks (198.18.0.0/15, 3fff::/20, …) count as global: the
/// practice range lives there.
pub fn is_global(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_multicast()
                || v4.is_broadcast()
                || a == 0
                || (a == 100 && (64..128).contains(&b))
                || a >= 240)
        }
        IpAddr::V6(v6) => {
            let first = v6.segments()[0];
            !(v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_multicast()
                || (first & 0xfe00) == 0xfc00
                || (first & 0xffc0) == 0xfe80)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(key: Option<Key>) -> Option<String> {
        key.map(|k| k.to_string())
    }

    #[test]
    fn natural_keys_are_normalised() {
        let exhibit = ExhibitId([7; 32]);
        assert_eq!(shown(Key::domain("Stream.Example.")).as_deref(), Some("domain:stream.example"));
        assert_eq!(
            shown(Key::domain("bücher.example")).as_deref(),
            Some("domain:xn--bcher-kva.example")
        );
        assert_eq!(shown(Key::domain("198.18.0.1")), None);
        assert_eq!(shown(Key::mac("00-1A-79-AB-CD-EF")).as_deref(), Some("mac:00:1a:79:ab:cd:ef"));
        assert_eq!(shown(Key::mac("00:00:00:00:00:00")), None);
        assert_eq!(
            shown(Key::email("A.B@Mail.Example")).as_deref(),
            Some("email:a.b@mail.example")
        );
        assert_eq!(shown(Key::email("a..b@mail.example")), None);
        assert_eq!(shown(Key::phone("+33 6 12 34 56 78")).as_deref(), Some("phone:+33612345678"));
        assert_eq!(shown(Key::phone("0033 612345678")).as_deref(), Some("phone:+33612345678"));
        assert_eq!(shown(Key::phone("0612345678")), None);
        assert_eq!(
            shown(Key::iban("GB82 WEST 1234 5698 7654 32")).as_deref(),
            Some("iban:GB82WEST12345698765432")
        );
        assert_eq!(shown(Key::iban("GB82 WEST 1234 5698 7654 33")), None);
        // A wallet's address whose check digits hold, in a country that there is not.
        assert_eq!(shown(Key::iban("LN25KAYH28JYYHLTSKA8M1EZZWB5ZVLPJW")), None);
        assert_eq!(
            Key::ip("::ffff:198.18.0.1".parse().unwrap(), exhibit).as_str(),
            "ip:198.18.0.1"
        );
        assert!(Key::ip("10.0.0.1".parse().unwrap(), exhibit).as_str().starts_with("ip:x0707"));
        assert_eq!(shown(Key::server("127.0.0.1")), None);
    }

    #[test]
    fn long_keys_are_cut_and_stay_apart() {
        let a = Key::new("domain", &format!("{}a", "é".repeat(400)));
        let b = Key::new("domain", &format!("{}b", "é".repeat(400)));
        assert!(a.as_str().len() <= MAX_LEN && b.as_str().len() <= MAX_LEN);
        assert_ne!(a, b);
    }
}
