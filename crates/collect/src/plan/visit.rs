//! One thing to be asked for, of whom, and in what words.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use url::Url;

use super::{CONTROL, USER_AGENT};
use crate::authorisation::Method;
use crate::capture::Role;
use crate::host::Host;
use crate::item::Item;

/// Which name the other side is told, in TLS and in HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// The URL's own host.
    Own,
    /// None: what an address shows to whom names nobody.
    Nobody,
    /// A name that is nobody's: what an address shows for any name.
    Control,
}

/// A visit that is due.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    pub(super) role: Role,
    pub(super) url: Url,
    pub(super) host: Host,
    pub(super) port: u16,
    pub(super) naming: Naming,
    /// Redirects that led here.
    pub(super) redirects: u32,
    /// How many of the host's addresses were tried or refused.
    pub(super) tried: usize,
    /// Of an address by a port that may speak either: plain HTTP where TLS comes to nothing.
    pub(super) either: bool,
}

/// What a capture of an item begins with. Where no port is stated, those of the usual two that the
/// authorisation names; both where it names neither, so that the refusal is told.
pub(super) fn begin(item: &Item, named: impl Fn(&Host, u16) -> bool) -> VecDeque<Visit> {
    let usual = |host: &Host| {
        let both = [80, 443].into_iter().filter(|port| named(host, *port)).collect::<Vec<u16>>();
        if both.is_empty() { vec![80] } else { both }
    };
    let url = |scheme: &str, host: &Host, port: u16| {
        Url::parse(&format!("{scheme}://{}:{port}/", host.in_url())).ok()
    };
    match item {
        Item::Url(url) => Visit::of_url(url.clone(), Role::Document).into_iter().collect(),
        Item::Name(name, port) => {
            let host = Host::Name(name.clone());
            let ports = port.map_or_else(|| usual(&host), |port| vec![port]);
            let scheme = |port| if port == 443 { "https" } else { "http" };
            let urls = ports.into_iter().filter_map(|port| url(scheme(port), &host, port));
            urls.filter_map(|url| Visit::of_url(url, Role::Document)).collect()
        }
        Item::Address(address, port) => {
            let host = Host::Address(*address);
            let ports = port.map_or_else(|| usual(&host), |port| vec![port]);
            ports.into_iter().flat_map(|port| Visit::of_address(*address, port)).collect()
        }
    }
}

impl Visit {
    /// A visit of a URL; `None` where it has no host.
    pub(super) fn of_url(mut url: Url, role: Role) -> Option<Self> {
        url.set_fragment(None);
        // Other schemes are refused, not passed over: they have no port that is known.
        let port = url.port_or_known_default().unwrap_or(0);
        let host = Host::of_url(&url)?;
        let naming = Naming::Own;
        Some(Self { role, host, port, url, naming, redirects: 0, tried: 0, either: false })
    }

    /// The visits of an address by one port. Who speaks TLS at another port than 443 is tried first, and
    /// what follows of it is said by [`Visit::after`].
    fn of_address(address: IpAddr, port: u16) -> Vec<Self> {
        let visit = |scheme: &str, naming| Self::address(address, port, scheme, naming);
        match port {
            80 => vec![visit("http", Naming::Nobody), visit("http", Naming::Control)],
            443 => vec![visit("https", Naming::Nobody), visit("https", Naming::Control)],
            _ => vec![visit("https", Naming::Nobody).map(|v| Self { either: true, ..v })],
        }
        .into_iter()
        .flatten()
        .collect()
    }

    fn address(address: IpAddr, port: u16, scheme: &str, naming: Naming) -> Option<Self> {
        let host = Host::Address(address);
        let url = Url::parse(&format!("{scheme}://{}:{port}/", host.in_url())).ok()?;
        let mut visit = Self::of_url(url, Role::Address)?;
        (visit.naming, visit.port) = (naming, port);
        Some(visit)
    }

    /// What follows the first visit of a port that may speak either.
    pub(super) fn after(&self, address: SocketAddr, no_tls: bool) -> Vec<Self> {
        if !self.either {
            return Vec::new();
        }
        let visit = |scheme: &str, naming| Self::address(address.ip(), self.port, scheme, naming);
        let next = if no_tls {
            vec![visit("http", Naming::Nobody), visit("http", Naming::Control)]
        } else {
            vec![visit("https", Naming::Control)]
        };
        next.into_iter().flatten().collect()
    }

    /// Where a redirect leads.
    pub(super) fn redirected(&self, url: Url) -> Option<Self> {
        let visit = Self::of_url(url, self.role)?;
        Some(Self { redirects: self.redirects + 1, ..visit })
    }

    /// The methods of which any covers it.
    pub(super) fn methods(&self) -> &'static [Method] {
        match self.role {
            Role::Document => &[Method::Page, Method::Playlist],
            Role::Variant | Role::Segment => &[Method::Playlist],
            Role::Address => &[Method::Address],
        }
    }

    /// The name that is told, where one is.
    pub(super) fn named(&self) -> Option<String> {
        match self.naming {
            Naming::Own => Some(self.host.to_string()),
            Naming::Nobody => None,
            Naming::Control => Some(CONTROL.to_owned()),
        }
    }

    /// The URI as it was asked for: with the control name where that was told.
    pub(super) fn shown(&self) -> String {
        let mut url = self.url.clone();
        if self.naming == Naming::Control {
            let _ = url.set_host(Some(CONTROL));
        }
        url.into()
    }

    /// How TLS is spoken, where it is: an address is no name, and is never told in it (RFC 6066, 3).
    pub(super) fn tls(&self) -> Option<Option<String>> {
        let name = match (&self.naming, &self.host) {
            (Naming::Own, Host::Name(name)) => Some(name.clone()),
            (Naming::Control, _) => Some(CONTROL.to_owned()),
            (Naming::Own | Naming::Nobody, _) => None,
        };
        (self.url.scheme() == "https").then_some(name)
    }

    /// The request, as it is sent. Without a name it is HTTP/1.0, which asks for none.
    pub(super) fn request(&self) -> Vec<u8> {
        let mut target = self.url.path().to_owned();
        if let Some(query) = self.url.query() {
            target.push('?');
            target.push_str(query);
        }
        let usual = self.url.port().is_none();
        let port = if usual { String::new() } else { format!(":{}", self.port) };
        let host = match self.naming {
            Naming::Own => Some(format!("{}{port}", self.host.in_url())),
            Naming::Control => Some(format!("{CONTROL}{port}")),
            Naming::Nobody => None,
        };
        let (version, host) = match host {
            Some(host) => ("1.1", format!("Host: {host}\r\n")),
            None => ("1.0", String::new()),
        };
        format!(
            "GET {target} HTTP/{version}\r\n{host}User-Agent: {USER_AGENT}\r\nAccept: */*\r\n\
             Accept-Encoding: identity\r\nConnection: close\r\n\r\n"
        )
        .into_bytes()
    }
}
