//! What can be blocked: an exact name, one address, one address with one port.
//!
//! Whatever else is given is a named refusal ([`Bad`]) that says what to give instead: nothing wider
//! than one value can be written down, so nothing wider can be blocked.

mod address;
mod name;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::{IpAddr, SocketAddr};

pub use address::{Special, special};
pub(crate) use name::ancestors;
pub use name::{LONGEST_ORIGIN, Name};

/// The most bytes of text that are looked at: longer is no item, and no URL either.
pub const MAX_TEXT: usize = 2048;

/// One value that can be blocked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Item {
    /// An exact name: neither its parents, nor its children, nor its siblings.
    Name(Name),
    /// One address, all its ports.
    Address(IpAddr),
    /// One port of one address.
    Endpoint(SocketAddr),
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A fully qualified domain name.
    Fqdn,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// An address with a port.
    IpPort,
}

impl Kind {
    /// The kind as it stands in records, feeds and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fqdn => "fqdn",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::IpPort => "ip_port",
        }
    }

    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Fqdn, Self::Ipv4, Self::Ipv6, Self::IpPort];
}

/// Why a text is no item. Each says what was given; [`Bad::word`] is its name in JSON and catalogues.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bad {
    /// Nothing.
    #[error("nothing was given")]
    Empty,
    /// More than [`MAX_TEXT`] bytes.
    #[error("longer than {MAX_TEXT} bytes")]
    TextTooLong,
    /// A character that no name, address or URL holds.
    #[error("the character {0:?} stands in no name")]
    Character(char),
    /// `a..b`, or a dot in front.
    #[error("two dots with nothing between them, or one in front")]
    EmptyLabel,
    /// A label of more than 63 octets (RFC 1035, 2.3.4).
    #[error("a label is longer than 63 octets")]
    LabelTooLong,
    /// A name that, with the origin of a zone behind it, is longer than 255 octets.
    #[error("with a zone's origin behind it the name is longer than 255 octets")]
    TooLong,
    /// A label that begins or ends in a hyphen.
    #[error("a label begins or ends with a hyphen")]
    Hyphen,
    /// A name without a dot.
    #[error("a single label is no host's full name")]
    SingleLabel,
    /// A name with an underscore: of a service record, never of a host.
    #[error("a name with an underscore is no host's")]
    Underscore,
    /// `*.stream.example`.
    #[error("a wildcard would block what nobody has looked at")]
    Wildcard,
    /// `1.2.3`, `0x7f.1`, `010.0.0.1`: what some programs take for an address.
    #[error("an address in a form that is not its usual one")]
    AddressAsName,
    /// A network.
    #[error("a network is many addresses")]
    Cidr,
    /// A URL whose host is an address.
    #[error("a URL is blocked as its name alone, and this one has an address for a host")]
    AddressInUrl,
    /// No port between 1 and 65535.
    #[error("no port between 1 and 65535")]
    Port,
    /// Unicode that has no ASCII form (UTS 46).
    #[error("the name has no ASCII form")]
    NoAscii,
}

impl Bad {
    /// The refusal's name, for JSON and catalogues.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TextTooLong => "text_too_long",
            Self::Character(_) => "character",
            Self::EmptyLabel => "empty_label",
            Self::LabelTooLong => "label_too_long",
            Self::TooLong => "too_long",
            Self::Hyphen => "hyphen",
            Self::SingleLabel => "single_label",
            Self::Underscore => "underscore",
            Self::Wildcard => "wildcard",
            Self::AddressAsName => "address_as_name",
            Self::Cidr => "cidr",
            Self::AddressInUrl => "address_in_url",
            Self::Port => "port",
            Self::NoAscii => "no_ascii",
        }
    }

    /// What a catalogue's sentence needs beside the name: the character.
    pub fn about(&self) -> String {
        match self {
            Self::Character(c) => c.escape_debug().to_string(),
            _ => String::new(),
        }
    }
}

impl Item {
    /// Reads an item as people paste it: a name, an address, an address with a port, or a URL, of
    /// which the host's name alone is taken. `hxxp` and `[.]`, as investigators write what must not
    /// be clicked, are understood.
    ///
    /// # Errors
    /// What is wrong with the text. Whether the value may be blocked is not asked here: see
    /// [`crate::harm`].
    pub fn parse(text: &str) -> Result<Self, Bad> {
        if text.len() > MAX_TEXT {
            return Err(Bad::TextTooLong);
        }
        let text = text.trim();
        if text.is_empty() {
            return Err(Bad::Empty);
        }
        if let Some(c) = text.chars().find(|c| c.is_whitespace() || c.is_control()) {
            return Err(Bad::Character(c));
        }
        if text.contains("[.]") || text.contains("[:]") {
            return Self::read(&text.replace("[.]", ".").replace("[:]", ":"));
        }
        Self::read(text)
    }

    fn read(text: &str) -> Result<Self, Bad> {
        // A scheme stands before everything else (RFC 3986, 3.1): `a.shop/?u=http://b.shop` is of a.shop.
        if let Some((scheme, rest)) = text.split_once("://")
            && is_scheme(scheme)
        {
            return host_of(rest);
        }
        if let Some(rest) = text.strip_prefix("//") {
            return host_of(rest);
        }
        if let Ok(ip) = text.parse() {
            return Ok(Self::Address(ip));
        }
        if let Ok(endpoint) = text.parse::<SocketAddr>() {
            return if endpoint.port() == 0 {
                Err(Bad::Port)
            } else {
                Ok(Self::Endpoint(endpoint))
            };
        }
        if let Some(inner) = text.strip_prefix('[') {
            let (inside, port) = inner.split_once(']').ok_or(Bad::Character('['))?;
            let ip: std::net::Ipv6Addr = inside.parse().map_err(|_| Bad::Character('['))?;
            return if port.is_empty() { Ok(Self::Address(ip.into())) } else { Err(Bad::Port) };
        }
        if let Some((head, prefix)) = text.split_once('/') {
            let digits = !prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_digit());
            if head.parse::<IpAddr>().is_ok() {
                return Err(if digits { Bad::Cidr } else { Bad::AddressInUrl });
            }
            return host_of(text);
        }
        if let Some((ip, _)) = text.split_once('%')
            && ip.parse::<IpAddr>().is_ok()
        {
            return Err(Bad::Character('%'));
        }
        match text.split_once(':') {
            Some((host, _)) if host.parse::<IpAddr>().is_ok() => Err(Bad::Port),
            Some(_) => host_of(text),
            None => Name::parse(text).map(Self::Name),
        }
    }

    /// What the item is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Name(_) => Kind::Fqdn,
            Self::Address(IpAddr::V4(_)) => Kind::Ipv4,
            Self::Address(IpAddr::V6(_)) => Kind::Ipv6,
            Self::Endpoint(_) => Kind::IpPort,
        }
    }

    /// The item's address, where it is not a name.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Name(_) => None,
            Self::Address(ip) => Some(*ip),
            Self::Endpoint(endpoint) => Some(endpoint.ip()),
        }
    }

    /// The item's name, where it is one.
    pub fn name(&self) -> Option<&Name> {
        match self {
            Self::Name(name) => Some(name),
            _ => None,
        }
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

/// The name in what follows a URL's scheme (RFC 3986, 3.2).
fn host_of(rest: &str) -> Result<Item, Bad> {
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or("");
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if host.starts_with('[') || host.parse::<IpAddr>().is_ok() {
        return Err(Bad::AddressInUrl);
    }
    let (name, port) = host.split_once(':').map_or((host, None), |(name, p)| (name, Some(p)));
    if name.parse::<IpAddr>().is_ok() {
        return Err(Bad::AddressInUrl);
    }
    match port {
        // A URL may end in `:`, without a port (RFC 3986, 3.2.3).
        None | Some("") => {}
        Some(port) if port.parse().is_ok_and(|port: u16| port != 0) => {}
        Some(_) => return Err(Bad::Port),
    }
    Name::parse(name).map(Item::Name)
}

impl fmt::Display for Item {
    /// The normalised form: what is compared, recorded and blocked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name.as_str()),
            Self::Address(ip) => ip.fmt(f),
            Self::Endpoint(endpoint) => endpoint.fmt(f),
        }
    }
}

impl serde::Serialize for Item {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Item {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(from)?;
        // Only the writing that `Display` makes: a URL is no item by then.
        let item = Self::parse(&text).ok().filter(|item| item.to_string() == text);
        item.ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no item")))
    }
}
