//! What is allowed, what is done, what is refused, and how it stands.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use shield::item::Special;
use shield_dns::FqdnError;

use super::value::{Addresses, Value};

/// The longest life that a frame may give a value, in milliseconds: 91 days.
pub const MAX_LIFE: u64 = 91 * 24 * 3_600_000;
/// The longest silence of the feed that settings may allow, in milliseconds: a day.
pub const MAX_SILENCE: u64 = 24 * 3_600_000;
/// The most values, those held included.
pub const MAX_VALUES: usize = 2_000_000;

/// What this ISP allows.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The longest silence, in milliseconds: an [`Frame::Alive`](crate::frame::Frame::Alive) may ask for less.
    pub silence_ms: u64,
    /// The values let in within a minute; what comes beyond is held for an operator.
    pub additions_a_minute: u64,
    /// The values let in before the first [`Frame::Whole`](crate::frame::Frame::Whole): who begins anew begins empty, and takes
    /// what has been in force for long. Beyond it the minute's bound holds.
    pub fill: u64,
    /// The most values; [`MAX_VALUES`] but in tests.
    pub values: usize,
    /// Whether addresses are kept beside names.
    pub addresses: Addresses,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            silence_ms: 900_000,
            additions_a_minute: 1_000,
            fill: 100_000,
            values: MAX_VALUES,
            addresses: Addresses::No,
        }
    }
}

/// What is to be done to what users get.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Change {
    /// This value, and no other, is blocked.
    Block(Value),
    /// It is open.
    Open(Value),
}

/// What came of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// In this order: what was due by then, and what the frame did.
    pub changes: Vec<Change>,
    /// The frame's own fate.
    pub outcome: Outcome,
}

/// The fate of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// Its value waits for an operator.
    Held,
    /// It was not done.
    Refused(Refused),
}

/// Why a frame is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// An older feed.
    #[error(
        "epoch {given} serial {serial} is older than epoch {epoch} serial {at}, which was followed here"
    )]
    Older {
        /// The epoch said.
        given: u64,
        /// The serial said.
        serial: u64,
        /// The epoch followed.
        epoch: u64,
        /// Its serial.
        at: u64,
    },
    /// Nobody began.
    #[error("no follower has begun: send hello first")]
    NoHello,
    /// The feed is silent.
    #[error("the feed is silent: send alive before what it blocks")]
    Silent,
    /// What is given is no value that can be blocked.
    #[error("{0}: give one exact value")]
    Value(shield::item::Bad),
    /// A value of another kind than names, where nothing takes it.
    #[error(
        "an address cannot be blocked here: resolvers answer for names; [nft] or [bird] hold addresses"
    )]
    Address,
    /// An address that is no host's own on the internet.
    #[error("{0} is no host's own address on the internet ({1:?})")]
    Special(IpAddr, Special),
    /// A name that means something else in a response policy zone.
    #[error("{0}")]
    Zone(FqdnError),
    /// Another writing of a value.
    #[error("the value is not written as it should be, which is {0}")]
    Writing(String),
    /// Longer than anything lives.
    #[error("{0} ms is longer than a block lives: {MAX_LIFE} are the most")]
    Long(u64),
    /// On this ISP's own list.
    #[error("{0} protects it on this ISP's own list")]
    Protected(String),
    /// No room.
    #[error("{0} values are kept, which is the most")]
    Full(usize),
}

impl Refused {
    /// The refusal's name, for JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Older { .. } => "older",
            Self::NoHello => "no_hello",
            Self::Silent => "silent",
            Self::Value(bad) => bad.word(),
            Self::Address => "address",
            Self::Special(..) => "special",
            Self::Zone(_) => "zone",
            Self::Writing(_) => "writing",
            Self::Long(_) => "long",
            Self::Protected(_) => "protected",
            Self::Full(_) => "full",
        }
    }
}

/// How it stands, in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Status {
    /// The epoch that is followed; none before the first hello.
    pub epoch: Option<u64>,
    /// Its serial, as the last hello said.
    pub serial: u64,
    /// The values out: names, and addresses with a port or without.
    pub out: u64,
    /// Of those, addresses.
    #[serde(default)]
    pub addresses: u64,
    /// Whether addresses are taken at all.
    #[serde(default)]
    pub takes_addresses: bool,
    /// The values that wait for an operator: the alarm, where it is not 0.
    pub held: u64,
    /// Milliseconds until all is opened, if the feed says nothing; none where it is silent.
    pub silence_in_ms: Option<u64>,
    /// Milliseconds until the next value ends.
    pub next_in_ms: Option<u64>,
    /// Whether the first whole list is still on its way.
    pub filling: bool,
    /// How often the feed fell silent while values were out.
    pub silences: u64,
    /// Frames refused.
    pub refused: u64,
    /// Rules of the protected list.
    pub protected: u64,
    /// Whether nothing is blocked, and all is only counted. Set by the shell.
    #[serde(default)]
    pub observe: bool,
    /// Whoever blocks beside the zones. Set by the shell.
    #[serde(default)]
    pub drivers: Vec<DriverStatus>,
}

/// How one of those stands that block beside the zones.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DriverStatus {
    /// Its name, as the settings have it.
    pub driver: String,
    /// Whether it is told nothing, and all is only counted.
    pub observe: bool,
    /// The values that it holds.
    pub holds: u64,
    /// What is wrong now.
    pub alarm: Option<String>,
    /// How often something began to be wrong.
    pub alarms: u64,
}
