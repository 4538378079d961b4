//! The steps of a capture: each lookup, each request, each refusal.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use model::Sha256Hex;
use serde_json::{Value, json};

use crate::authorisation::Refusal;
use crate::dns::Ask;
use crate::tls::Shown;

/// What a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The item itself.
    Document,
    /// A variant that a master playlist names.
    Variant,
    /// A segment of a media playlist.
    Segment,
    /// An address, without a name or with the control name.
    Address,
}

impl Role {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Variant => "variant",
            Self::Segment => "segment",
            Self::Address => "address",
        }
    }
}

/// Of which form a body is, by its first bytes. What it shows is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// An M3U playlist.
    Playlist,
    /// An MPEG transport stream, or the boxes of MP4.
    Media,
    /// Anything else.
    Other,
}

impl Form {
    /// Tells it.
    pub fn of(body: &[u8]) -> Self {
        let sync = |at: usize| body.get(at) == Some(&0x47);
        let mp4 = |kind: &[u8]| body.get(4..8) == Some(kind);
        if crate::playlist::read(body, 0).is_some() {
            Self::Playlist
        } else if (sync(0) && sync(188) && sync(376))
            || [b"ftyp", b"styp", b"moof", b"moov"].iter().any(|kind| mp4(*kind))
        {
            Self::Media
        } else {
            Self::Other
        }
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Playlist => "playlist",
            Self::Media => "media",
            Self::Other => "other",
        }
    }
}

/// How an exchange ended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// The answer is whole.
    Whole,
    /// It was cut at the bound on its length.
    Cut,
    /// The time was up while it came.
    Slow,
    /// The other side went away within it.
    Gone,
    /// What came is no HTTP answer; what is wrong with it.
    Malformed(String),
    /// TLS came to nothing; why.
    NoTls(String),
    /// There was no connection; why.
    NoConnection(String),
    /// Nothing answered in time.
    TimedOut,
}

impl End {
    /// Its word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Cut => "cut",
            Self::Slow => "slow",
            Self::Gone => "gone",
            Self::Malformed(_) => "malformed",
            Self::NoTls(_) => "no-tls",
            Self::NoConnection(_) => "no-connection",
            Self::TimedOut => "timed-out",
        }
    }

    fn why(&self) -> Option<&str> {
        match self {
            Self::Malformed(why) | Self::NoTls(why) | Self::NoConnection(why) => Some(why),
            _ => None,
        }
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A name was looked up.
    Looked {
        /// When.
        at_ms: i64,
        /// The name.
        name: String,
        /// What of it.
        ask: Ask,
        /// Who was asked.
        resolver: SocketAddr,
        /// The response code; `None` where none came.
        code: Option<String>,
        /// The aliases followed.
        aliases: Vec<String>,
        /// The addresses.
        addresses: Vec<IpAddr>,
        /// The texts, where these were asked for.
        texts: Vec<String>,
        /// True where there was more than is taken.
        too_much: bool,
        /// What was wrong.
        problem: Option<String>,
    },
    /// Something was asked for.
    Asked {
        /// When.
        at_ms: i64,
        /// How long it took.
        took_ms: i64,
        /// What for.
        role: Role,
        /// What.
        uri: String,
        /// Of whom.
        address: SocketAddr,
        /// The `Host` that was named, where one was.
        host: Option<String>,
        /// What TLS showed, where it came to an end.
        tls: Option<Box<Shown>>,
        /// The status, where an answer began.
        status: Option<u16>,
        /// Where it leads on to.
        location: Option<String>,
        /// Bytes that came.
        bytes: u64,
        /// The digest of its body, chunks undone.
        body: Option<Sha256Hex>,
        /// The form of that.
        form: Form,
        /// How it ended.
        end: End,
    },
    /// Something was not asked for.
    Refused {
        /// When.
        at_ms: i64,
        /// What.
        uri: String,
        /// The address that it would have gone to, where one was known.
        address: Option<SocketAddr>,
        /// Why.
        refusal: Refusal,
    },
    /// The capture stops here.
    Stopped {
        /// When.
        at_ms: i64,
        /// At which bound.
        bound: &'static str,
    },
}

pub(super) fn time(ms: i64) -> String {
    model::record::time_text(ms)
}

impl Step {
    /// The step as data.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Looked {
                at_ms,
                name,
                ask,
                resolver,
                code,
                aliases,
                addresses,
                texts,
                too_much,
                problem,
            } => {
                let mut step = json!({
                    "step": "looked-up", "at": time(*at_ms), "name": name, "type": ask.word(),
                    "resolver": resolver.to_string(), "code": code, "aliases": aliases,
                    "addresses": addresses.iter().map(ToString::to_string).collect::<Vec<_>>(),
                    "problem": problem,
                });
                // A capture asks for no texts, and its steps do not speak of them.
                if let (Ask::Txt, Some(step)) = (ask, step.as_object_mut()) {
                    step.insert("texts".to_owned(), json!(texts));
                    step.insert("too_much".to_owned(), json!(too_much));
                }
                step
            }
            Self::Asked {
                at_ms,
                took_ms,
                role,
                uri,
                address,
                host,
                tls,
                status,
                location,
                bytes,
                body,
                form,
                end,
            } => json!({
                "step": "asked", "at": time(*at_ms), "took_ms": took_ms, "role": role.word(),
                "uri": uri, "address": address.to_string(), "host": host,
                "tls": tls.as_ref().map(|t| json!({
                    "version": t.version, "suite": t.suite, "alpn": t.alpn, "sni": t.sni,
                    "chain": t.chain.iter().map(|c| Sha256Hex::of(c).to_string()).collect::<Vec<_>>(),
                    "validity": t.validity.word(), "key_proven": t.proven,
                })),
                "status": status, "location": location, "bytes": bytes,
                "body": body.map(|b| b.to_string()), "form": form.word(), "end": end.word(),
                "why": end.why(),
            }),
            Self::Refused { at_ms, uri, address, refusal } => json!({
                "step": "refused", "at": time(*at_ms), "uri": uri,
                "address": address.map(|a| a.to_string()), "refusal": refusal.word(),
            }),
            Self::Stopped { at_ms, bound } => {
                json!({"step": "stopped", "at": time(*at_ms), "bound": bound})
            }
        }
    }

    /// What was asked for, where an answer came.
    pub(super) fn answered(&self) -> Option<&str> {
        match self {
            Self::Asked { uri, status: Some(_), .. } => Some(uri),
            _ => None,
        }
    }

    /// What was asked for, where nobody was there to answer.
    pub(super) fn unanswered(&self) -> Option<&str> {
        match self {
            Self::Asked { uri, end: End::NoConnection(_) | End::TimedOut, .. } => Some(uri),
            _ => None,
        }
    }

    /// What of the step counts when two captures are compared: neither times nor the order of
    /// addresses, nor which of a name's addresses answered.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Looked { name, ask, code, aliases, addresses, .. } => {
                let addresses: BTreeSet<_> = addresses.iter().collect();
                format!("looked-up {name} {ask:?} {code:?} {aliases:?} {addresses:?}")
            }
            Self::Asked { role, uri, host, tls, status, location, body, end, .. } => {
                let tls = tls.as_ref().map(|t| {
                    (t.digest().to_string(), t.validity.word(), t.proven, &t.version, &t.alpn)
                });
                let body = body.map(|b| b.to_string());
                let end = end.word();
                format!(
                    "asked {role:?} {uri} {host:?} {tls:?} {status:?} {location:?} {body:?} {end}"
                )
            }
            Self::Refused { uri, refusal, .. } => format!("refused {uri} {refusal:?}"),
            Self::Stopped { bound, .. } => format!("stopped {bound}"),
        }
    }
}
