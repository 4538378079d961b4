//! Proof of control: whoever can put a text that we chose where only a name's or an address's own holder can,
//! controls it. Which text is the house's to say; here is where it is looked for, and what was found.
//!
//! | of | where |
//! |---|---|
//! | a name | TXT at `_vigie-challenge.NAME`; else the file `/.well-known/vigie-challenge/TOKEN` at NAME |
//! | an address | TXT at `_vigie-challenge.` and its name under `in-addr.arpa` or `ip6.arpa` |
//!
//! The model is RFC 8555 (ACME), sections 8.3 and 8.4, read more strictly: no alias that leads elsewhere and no
//! redirect to another host is followed, and a wildcard shows nothing, since whoever hosts many names could
//! answer for all of them. Nothing but the one file of the one host is asked for: the plan is held to an
//! authorisation that names it alone, and an address that is none of the public Internet's is not connected to
//! unless its range is named.

use std::net::IpAddr;
use std::time::Duration;

use model::Sha256Hex;

use crate::authorisation::{Authorisation, Method, Refusal};
use crate::bounds::Bounds;
use crate::capture::{Capture, End, Step};
use crate::dns::Ask;
use crate::host::{Host, HostRule, Ports};
use crate::item::Item;
use crate::plan::Plan;

/// The label that a TXT record stands at.
pub const LABEL: &str = "_vigie-challenge";
/// The folder of the file.
pub const FOLDER: &str = "/.well-known/vigie-challenge/";
/// The longest token, in bytes: that of a label of DNS.
pub const MAX_TOKEN: usize = 63;

/// Where something was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// TXT at the name.
    Dns,
    /// A file at the name.
    File,
    /// TXT at the address's reverse name.
    Reverse,
}

impl Way {
    /// Its word, in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::File => "file",
            Self::Reverse => "reverse",
        }
    }
}

macro_rules! found {
    ($( $(#[doc = $about:literal])+ $name:ident $word:literal, )*) => {
        /// What was found where the token should stand.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Found { $( $(#[doc = $about])+ $name, )* }

        impl Found {
            /// Its word, for JSON and catalogues.
            pub fn word(self) -> &'static str {
                match self { $( Self::$name => $word, )* }
            }

            /// All of them.
            pub const ALL: &[Self] = &[$( Self::$name, )*];
        }
    };
}

found! {
    /// The token, as it was given.
    Token "token",
    /// Something else: another token, or more than it.
    Other "other",
    /// Nothing: no such name, no such text, no such file.
    Nothing "nothing",
    /// No answer: the resolver or the host did not answer, or in words that cannot be read.
    NoAnswer "no_answer",
    /// The token, but a name that nobody gave out shows it too: a wildcard.
    Wildcard "wildcard",
    /// An alias that leads to another's name.
    Alias "alias",
    /// A redirect to another host, port or scheme.
    Elsewhere "elsewhere",
    /// More, or longer, than is read.
    TooMuch "too_much",
    /// The host is at an address that is none of the public Internet's.
    Inside "inside",
}

/// By which ports a host is asked for the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// HTTP.
    pub http: u16,
    /// HTTPS: what certificate it shows is written down and refuses nothing, since the token is the proof.
    pub https: u16,
}

impl Default for At {
    fn default() -> Self {
        Self { http: 80, https: 443 }
    }
}

/// What is looked for.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// Of whom.
    pub host: Host,
    /// The token: letters, digits and hyphens, [`MAX_TOKEN`] at the most.
    pub token: String,
    /// By which ports.
    pub at: At,
    /// Ranges of special addresses that may be connected to: those that an authorisation in force names.
    pub special: Vec<HostRule>,
}

/// What one look may take at most.
pub fn bounds() -> Bounds {
    Bounds {
        total: Duration::from_secs(15),
        connect: Duration::from_secs(5),
        handshake: Duration::from_secs(5),
        answer: Duration::from_secs(5),
        document: 4 << 10,
        redirects: 2,
        addresses: 2,
        requests: 6,
        ..Bounds::default()
    }
}

/// The name under which an address stands in DNS (RFC 1035, 3.5; RFC 3596, 2.5).
pub fn reverse(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let digits = address.octets().into_iter().rev();
            let text: String =
                digits.map(|byte| format!("{:x}.{:x}.", byte & 15, byte >> 4)).collect();
            format!("{text}ip6.arpa")
        }
    }
}

impl Challenge {
    /// The ways in which it can be met, in the order in which they are tried.
    pub fn ways(&self) -> &'static [Way] {
        match self.host {
            Host::Name(_) => &[Way::Dns, Way::File],
            Host::Address(_) => &[Way::Reverse],
        }
    }

    /// Where the token has to stand, as people are told: a name for TXT, a URL for the file.
    pub fn place(&self, way: Way) -> String {
        match way {
            Way::Dns | Way::Reverse => format!("{LABEL}.{}", self.holder()),
            Way::File => self.url("http", self.at.http),
        }
    }

    /// The name whose texts its holder writes.
    fn holder(&self) -> String {
        match &self.host {
            Host::Name(name) => name.clone(),
            Host::Address(address) => reverse(*address),
        }
    }

    fn url(&self, scheme: &str, port: u16) -> String {
        let usual = matches!((scheme, port), ("http", 80) | ("https", 443));
        let port = if usual { String::new() } else { format!(":{port}") };
        format!("{scheme}://{}{port}{FOLDER}{}", self.host.in_url(), self.token)
    }

    /// The looks that a way takes, one after another; the first that finds the token is enough. `seed` is
    /// random: ids of records, and a name that nobody gave out.
    #[cfg_attr(not(feature = "probe"), allow(dead_code))] // The probe alone asks for it.
    fn plans(&self, way: Way, seed: [u8; 32], now_ms: i64) -> Vec<Plan> {
        let item = |text: &str| text.parse::<Item>().ok();
        match way {
            Way::Dns | Way::Reverse => {
                let place = self.place(way);
                let nobody = format!(
                    "_{}.{}",
                    Sha256Hex::of(&seed).to_string().get(..20).unwrap_or("0"),
                    self.holder()
                );
                let plan = |of| Plan::of_texts(of, [place, nobody], bounds(), seed, now_ms);
                item(&self.host.in_url()).map(plan).into_iter().collect()
            }
            Way::File => {
                let urls = [("http", self.at.http), ("https", self.at.https)];
                let urls =
                    urls.into_iter().filter_map(|(scheme, port)| item(&self.url(scheme, port)));
                let plan = |of| {
                    let plan = Plan::new(of, self.authorisation(now_ms), bounds(), seed, now_ms);
                    plan.of_one(self.host.clone())
                };
                urls.map(plan).collect()
            }
        }
    }

    /// What holds the probe to this one host.
    #[cfg_attr(not(feature = "probe"), allow(dead_code))] // The probe alone asks for it.
    fn authorisation(&self, now_ms: i64) -> Authorisation {
        let rule = |port: u16| match &self.host {
            Host::Name(name) => {
                let hosts = crate::host::Hosts::Name(name.clone());
                Some(HostRule { hosts, ports: Ports::Range(port..=port) })
            }
            Host::Address(_) => None,
        };
        let own = [self.at.http, self.at.https].into_iter().filter_map(rule);
        let special = self.special.iter().cloned();
        Authorisation {
            hosts: own.chain(special).collect(),
            methods: [Method::Page].into(),
            rate: 20,
            from_ms: now_ms,
            until_ms: i64::MAX,
            most_bytes: 64 << 10,
        }
    }

    /// What a look found.
    pub fn found(&self, way: Way, capture: &Capture) -> Found {
        match way {
            Way::Dns | Way::Reverse => self.in_texts(way, capture),
            Way::File => self.in_file(capture),
        }
    }

    fn in_texts(&self, way: Way, capture: &Capture) -> Found {
        let place = self.place(way);
        let holder = self.holder();
        let own = |alias: &String| {
            let alias = alias.strip_suffix('.').unwrap_or(alias);
            alias == holder || alias.strip_suffix(&holder).is_some_and(|rest| rest.ends_with('.'))
        };
        let (mut found, mut wild) = (Found::NoAnswer, None);
        for step in &capture.steps {
            let Step::Looked {
                name, ask: Ask::Txt, code, aliases, texts, too_much, problem, ..
            } = step
            else {
                continue;
            };
            let shows = texts.contains(&self.token);
            if *name != place {
                // Without an answer nobody knows whether a wildcard stands there.
                let answered = matches!(code.as_deref(), Some("NOERROR" | "NXDOMAIN"));
                wild = answered.then_some(shows);
                continue;
            }
            found = match code.as_deref() {
                _ if problem.is_some() => Found::NoAnswer,
                Some("NXDOMAIN") => Found::Nothing,
                Some("NOERROR") if !aliases.iter().all(own) => Found::Alias,
                Some("NOERROR") if shows => Found::Token,
                Some("NOERROR") if *too_much => Found::TooMuch,
                Some("NOERROR") if texts.is_empty() => Found::Nothing,
                Some("NOERROR") => Found::Other,
                _ => Found::NoAnswer,
            };
        }
        match (found, wild) {
            (Found::Token, Some(true)) => Found::Wildcard,
            (Found::Token, None) => Found::NoAnswer,
            (found, _) => found,
        }
    }

    fn in_file(&self, capture: &Capture) -> Found {
        let line_ends = ["", "\n", "\r\n"];
        let right = line_ends.map(|end| Sha256Hex::of(format!("{}{end}", self.token).as_bytes()));
        let mut found = Found::NoAnswer;
        for step in &capture.steps {
            found = match step {
                Step::Looked { code, addresses, .. } if addresses.is_empty() => {
                    // Of two questions that found nothing an earlier answer stands.
                    match code.as_deref() {
                        Some("NXDOMAIN") => Found::Nothing,
                        _ => found,
                    }
                }
                Step::Looked { .. } | Step::Stopped { .. } => found,
                Step::Refused { refusal: Refusal::Address, .. } => Found::Inside,
                Step::Refused { refusal: Refusal::Rate, .. } => Found::NoAnswer,
                Step::Refused { .. } => Found::Elsewhere,
                Step::Asked { status: Some(200), end: End::Whole, body, .. } => {
                    if body.is_some_and(|body| right.contains(&body)) {
                        return Found::Token;
                    }
                    Found::Other
                }
                Step::Asked { end: End::Cut, .. } => Found::TooMuch,
                Step::Asked { status: Some(404 | 410), .. } => Found::Nothing,
                Step::Asked { status: Some(200..=499), .. } => Found::Other,
                Step::Asked { .. } => Found::NoAnswer,
            };
        }
        found
    }
}

#[cfg(feature = "probe")]
mod look {
    use super::{Challenge, Found, Way};
    use crate::capture::Capture;
    use crate::pacing::Pacing;
    use crate::probe::{Probe, ProbeError, now_ms};

    /// What looking came to.
    #[derive(Debug)]
    pub enum Looked {
        /// It is met: by which way, and what was seen there.
        Met(Way, Box<Capture>),
        /// It is not: what was found by each way.
        Not(Vec<(Way, Found)>),
    }

    impl Challenge {
        /// Looks for the token in each way, until one shows it. It takes 45 seconds at the most.
        ///
        /// # Errors
        /// The system; what the outside world does is no error.
        pub fn look(
            &self,
            probe: &Probe,
            pacing: &Pacing,
            seed: [u8; 32],
        ) -> Result<Looked, ProbeError> {
            let mut not = Vec::new();
            for way in self.ways() {
                let mut best = Found::NoAnswer;
                for plan in self.plans(*way, seed, now_ms()) {
                    let capture = probe.run(plan, pacing, &mut |_| {})?;
                    match self.found(*way, &capture) {
                        Found::Token => return Ok(Looked::Met(*way, Box::new(capture))),
                        // What one of two ports said says more than the other's silence.
                        Found::NoAnswer => {}
                        found => best = found,
                    }
                }
                not.push((*way, best));
            }
            Ok(Looked::Not(not))
        }
    }
}

#[cfg(feature = "probe")]
pub use look::Looked;
