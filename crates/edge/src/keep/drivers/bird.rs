//! Addresses as routes of a BIRD beside keep, which tells the ISP's routers by BGP: an address as a black
//! hole with the community of RFC 7999, a port of one as a FlowSpec rule that drops (RFC 8955, RFC 8956).
//!
//! A route has no clock of its own: keep ends it, and where keep is gone its unit's flush does. So the file
//! lies where a restart of the machine empties it, and is written empty before anything else.

use std::fmt::Write as _;
use std::io::Read as _;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::super::{Mode, Told};
use super::control::Control;
use super::{BirdSettings, Driver, Held, Made, Out, soonest};
use crate::keeping::Value;

/// The most routes: routers' own tables for such rules are small, those for FlowSpec above all.
pub const MAX_ROUTES: usize = 10_000;
/// How often all is said anew.
const EVERY: Duration = Duration::from_secs(60);

/// What the file begins with.
const HEAD: &str = "# Written by `vigie edge keep`: changed here, it is written over.\n";
/// How often it is looked whether BIRD has taken its settings, and how long is waited in between.
const TRIES: usize = 5;
const PAUSE: Duration = Duration::from_millis(100);

/// Told by RFC 7999 and RFC 1997: drop what goes there; keep it within this network.
const DROP: &str = "bgp_community.add((65535, 666)); bgp_community.add((65535, 65281));";
/// Traffic-rate 0 (RFC 8955, 7.3): type 0x8006, no autonomous system, 0 bytes a second.
const RATE_0: &str = "bgp_ext_community.add((generic, 0x80060000, 0x0));";
/// Protocol, the table of the profile, and the channel's kind.
const PROTOCOLS: [(&str, &str, &str); 4] = [
    ("vigie_rtbh4", "ipv4", "vigie4"),
    ("vigie_rtbh6", "ipv6", "vigie6"),
    ("vigie_flow4", "flow4", "vigieflow4"),
    ("vigie_flow6", "flow6", "vigieflow6"),
];

struct Bird {
    file: PathBuf,
    socket: PathBuf,
    /// How many routes each protocol has to have, once the file was taken.
    counts: [usize; 4],
}

/// By its settings.
pub(in super::super) fn made(settings: &BirdSettings, mode: Mode, told: Told) -> Made {
    let takes = if settings.flowspec {
        |value: &Value| value.address().is_some()
    } else {
        |value: &Value| matches!(value, Value::Address(_))
    };
    let (file, socket) = (settings.file.clone(), settings.socket.clone());
    Made::new("bird", mode, takes, EVERY, Bird { file, socket, counts: [0; 4] }, told)
}

/// A value's protocol by its place in [`PROTOCOLS`], and its route.
fn route(value: &Value) -> Option<(usize, String)> {
    // Tcp and udp (6, 17), as the other drivers hold a port.
    Some(match value {
        Value::Name(_) => return None,
        Value::Address(IpAddr::V4(ip)) => (0, format!("route {ip}/32 blackhole {{ {DROP} }};")),
        Value::Address(IpAddr::V6(ip)) => (1, format!("route {ip}/128 blackhole {{ {DROP} }};")),
        Value::Endpoint(SocketAddr::V4(at)) => {
            let rule = format!("dst {}/32; proto 6, 17; dport {};", at.ip(), at.port());
            (2, format!("route flow4 {{ {rule} }} {{ {RATE_0} }};"))
        }
        Value::Endpoint(SocketAddr::V6(at)) => {
            let rule = format!("dst {}/128; next header 6, 17; dport {};", at.ip(), at.port());
            (3, format!("route flow6 {{ {rule} }} {{ {RATE_0} }};"))
        }
    })
}

/// The file that BIRD includes, and how many routes each protocol has in it. Nothing of it is anybody's text:
/// addresses and numbers alone.
fn write<'a>(values: impl Iterator<Item = &'a Value>) -> (String, [usize; 4]) {
    let mut routes: [Vec<String>; 4] = Default::default();
    for (at, route) in values.filter_map(route).take(MAX_ROUTES) {
        if let Some(list) = routes.get_mut(at) {
            list.push(route);
        }
    }
    let mut text = HEAD.to_owned();
    for ((protocol, kind, table), list) in PROTOCOLS.iter().zip(&routes) {
        if list.is_empty() {
            continue;
        }
        let _ = writeln!(text, "protocol static {protocol} {{\n  {kind} {{ table {table}; }};");
        for route in list {
            let _ = writeln!(text, "  {route}");
        }
        text.push_str("}\n");
    }
    (text, routes.map(|list| list.len()))
}

impl Bird {
    fn put<'a>(&mut self, values: impl Iterator<Item = &'a Value>) -> Result<(), String> {
        let (text, counts) = write(values);
        ledger::disk::write(&self.file, text.as_bytes()).map_err(|e| e.to_string())?;
        self.counts = counts;
        Control::connect(&self.socket)?.configure()
    }

    fn found(&self) -> Result<[usize; 4], String> {
        let mut control = Control::connect(&self.socket)?;
        let mut found = [0; 4];
        for ((protocol, ..), count) in PROTOCOLS.iter().zip(&mut found) {
            *count = control.routes(protocol)?;
        }
        Ok(found)
    }
}

impl Driver for Bird {
    fn all(&mut self, out: &[Out]) -> Result<(), String> {
        let values = soonest(out.iter().map(|one| (&one.value, one.ends)), MAX_ROUTES);
        self.put(values.into_iter())?;
        self.look()
    }

    fn change(&mut self, _: &[Out], _: &[Value], all: &Held) -> Result<(), String> {
        self.put(soonest(all.iter().map(|(value, ends)| (value, *ends)), MAX_ROUTES).into_iter())
    }

    fn look(&mut self) -> Result<(), String> {
        let mut found = self.found()?;
        let mut tries = TRIES;
        // It may still be at what it was told last.
        while tries > 0 && found != self.counts {
            std::thread::sleep(PAUSE);
            found = self.found()?;
            tries -= 1;
        }
        if found == self.counts {
            return Ok(());
        }
        let sum = |counts: [usize; 4]| counts.iter().sum::<usize>();
        Err(format!(
            "BIRD has {} of {} routes: does its file include {}, and has it the tables of the profile?",
            sum(found),
            sum(self.counts),
            self.file.display()
        ))
    }

    fn clear(&mut self) -> Result<(), String> {
        self.put(std::iter::empty())
    }

    fn most(&self) -> usize {
        MAX_ROUTES
    }

    fn leftover(&mut self) -> Result<(), String> {
        // Where nobody flushed after an earlier keep, its routes are announced still. Another's file stays.
        let mut head = Vec::new();
        if let Ok(file) = std::fs::File::open(&self.file) {
            let most = HEAD.len() as u64 + 1;
            file.take(most).read_to_end(&mut head).map_err(|e| e.to_string())?;
        }
        let left = head.len() > HEAD.len() && head.starts_with(HEAD.as_bytes());
        if left { self.clear() } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_one_route_to_itself_alone() {
        let values = ["198.51.100.8:443", "2001:db8::7", "198.51.100.7", "[2001:db8::8]:443"];
        let value = |text: &&str| match shield::Item::parse(text).unwrap() {
            shield::Item::Address(ip) => Value::Address(ip),
            shield::Item::Endpoint(at) => Value::Endpoint(at),
            shield::Item::Name(_) => unreachable!(),
        };
        let values: std::collections::BTreeSet<Value> = values.iter().map(value).collect();
        let (text, counts) = write(values.iter());
        assert_eq!(counts, [1; 4]);
        for line in [
            "protocol static vigie_rtbh4 {\n  ipv4 { table vigie4; };\n  route 198.51.100.7/32 blackhole {",
            "  route 2001:db8::7/128 blackhole { bgp_community.add((65535, 666));",
            "  route flow4 { dst 198.51.100.8/32; proto 6, 17; dport 443; } {",
            "  route flow6 { dst 2001:db8::8/128; next header 6, 17; dport 443; } {",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
        let (empty, counts) = write(std::iter::empty());
        assert_eq!((empty.lines().count(), counts), (1, [0; 4]));
        let name = Value::Name("tv.example".parse().unwrap());
        assert_eq!(write(std::iter::once(&name)).1, [0; 4]);
    }

    #[test]
    fn there_is_a_most() {
        let many: Vec<Value> = (0..MAX_ROUTES as u32 + 5)
            .map(|n| Value::Address(std::net::Ipv4Addr::from(0x0100_0000 + n).into()))
            .collect();
        assert_eq!(write(many.iter()).1.iter().sum::<usize>(), MAX_ROUTES);
    }
}
