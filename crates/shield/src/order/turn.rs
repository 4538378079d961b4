//! What can happen to an item, and what it carries.

use model::{ExhibitId, Sha256Hex};
use serde::{Deserialize, Serialize};

use super::words::{Grounds, Moment, Probe, words};
use crate::harm::{Code, Finding, Verdict};
use crate::item::Item;
use crate::sets::{Class, Effect};

/// A capture by a probe of ours, as it arrives. Its signature was verified before; whether it is of
/// this item, and fresh, is decided here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    /// What was captured: the very value, not one that it resolves to or came from.
    pub value: Item,
    /// The capture's bytes.
    pub exhibit: ExhibitId,
    /// When, by the probe's clock.
    pub taken: Moment,
    /// What it shows.
    pub seen: Seen,
}

words! {
    /// What a capture shows.
    Seen {
        /// The works that the ticket names.
        Works "works",
        /// A page and no picture: a person has to say whether the works are behind it.
        Page "page",
        /// Nothing: no answer, no picture.
        Nothing "nothing",
        /// Something, and not the works.
        Unrelated "unrelated",
    }
}

/// The capture an item rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The capture's bytes.
    pub exhibit: ExhibitId,
    /// When it was taken.
    pub taken: Moment,
    /// From when on it is no evidence for a release.
    pub lapses: Moment,
    /// True where it shows a page and no picture.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub page: bool,
}

/// A reason's word, which stands in this program. (Spelt `&'static str` in a field, a decision could be
/// read of texts alone that live for ever.)
pub type Word = &'static str;

/// What the check found, as far as the machine needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// The verdict.
    pub verdict: Verdict,
    /// The gravest reason's word; `None` where nothing speaks against a block.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "known_word")]
    pub code: Option<Word>,
    /// True where a wrong block would be grave: popular, protected, or shared by thousands.
    pub grave: bool,
    /// The autonomous system that an address lies in, as the check placed it: what an exception of one covers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<u32>,
}

/// A reason's word, as this program knows it.
fn known_word<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<&'static str>, D::Error> {
    let word = String::deserialize(from)?;
    let known = Code::known(&word);
    known.map(Some).ok_or_else(|| serde::de::Error::custom(format!("no reason is {word:?}")))
}

impl Outcome {
    /// What a finding comes to.
    pub fn of(finding: &Finding) -> Self {
        let grave = |code: &Code| match code {
            Code::Member(Class::Popular) | Code::GovernmentSuffix => true,
            Code::Member(class) => class.effect() == Effect::Refuse,
            _ => false,
        };
        Self {
            verdict: finding.verdict,
            code: finding.reasons.first().map(|reason| reason.code.word()),
            grave: finding.reasons.iter().any(|reason| grave(&reason.code)),
            system: finding.system,
        }
    }

    /// What the verdict alone holds.
    pub fn holds(&self) -> Holds {
        if self.verdict == Verdict::Allow { Holds::NONE } else { Holds::CHECK }
    }
}

/// What holds an item for a second person: any of some reasons.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holds(u8);

impl Holds {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// The check says two persons.
    pub const CHECK: Self = Self(1);
    /// There is an upload, which is the reporter's word.
    pub const UPLOAD: Self = Self(2);
    /// The reporter's errors are above the budget.
    pub const BUDGET: Self = Self(4);
    /// It is an address, which nobody has blocked alone.
    pub const ADDRESS: Self = Self(8);
    /// The capture shows a page, and no program can tell what is behind it.
    pub const PAGE: Self = Self(16);

    const NAMES: [(Self, &'static str); 5] = [
        (Self::CHECK, "check"),
        (Self::UPLOAD, "upload"),
        (Self::BUDGET, "budget"),
        (Self::ADDRESS, "address"),
        (Self::PAGE, "page"),
    ];

    /// Both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// True where nothing holds.
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    /// True where each of `other` holds.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Each reason's word.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(one, _)| self.has(*one)).map(|(_, word)| word)
    }

    /// The reason of that word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(_, name)| *name == word).map(|(one, _)| one)
    }
}

impl Serialize for Holds {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.words())
    }
}

impl<'de> Deserialize<'de> for Holds {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Vec::<String>::deserialize(from)?.iter().try_fold(Self::NONE, |all, word| {
            let one = Self::of_word(word).filter(|one| !all.has(*one));
            let bad = || serde::de::Error::custom(format!("nothing more holds for {word:?}"));
            one.map(|one| all.with(one)).ok_or_else(bad)
        })
    }
}

/// A second person's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// True where it was given with grounds not to wait for the host of an address.
    pub waives: bool,
}

/// The notice to the host and the CDN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// None was asked for yet.
    None,
    /// To be sent.
    Asked,
    /// Sent; silence is silence from this moment on.
    Sent(Moment),
    /// The host answered: there will be no silence. What the answer is worth, a capture shows.
    Answered,
}

impl Notice {
    /// What becomes of it; `None` where the turn is none of a notice, or not the next one.
    pub(super) fn turn(self, turn: &Turn) -> Option<Self> {
        match (turn, self) {
            (Turn::NoticeAsked, Self::None) => Some(Self::Asked),
            (Turn::NoticeSent { silent_at }, Self::Asked) => Some(Self::Sent(*silent_at)),
            (Turn::HostAnswered { .. }, Self::Asked | Self::Sent(_)) => Some(Self::Answered),
            _ => None,
        }
    }
}

/// A capture that does not show the works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Miss {
    /// When it was taken.
    pub taken: Moment,
    /// By which probe.
    pub probe: Probe,
    /// What it shows.
    pub seen: Seen,
}

words! {
    /// Why an item is suspended.
    Worry {
        /// The check, run again, is graver than what the item was released upon.
        CheckAgain "check_again",
        /// An objection, and two probes found content unrelated to the works.
        Unrelated "unrelated",
    }
}

words! {
    /// Why an item that is not in force is refused.
    Denial {
        /// The check refuses it.
        Check "check",
        /// A reviewer does.
        Person "person",
        /// Its reporter took it back.
        Withdrawn "withdrawn",
        /// Its window, or its ticket's term, ended before it was released.
        WindowOver "window_over",
        /// An approved exception covers it.
        Excepted "excepted",
        /// The value was lifted for harm while the item waited.
        Harm "harm",
    }
}

words! {
    /// Why an item in force is lifted.
    Cause {
        /// Its reporter, or a reviewer, found it wrong or done with. This item alone.
        Withdrawn "withdrawn",
        /// It hit others. All on the value.
        Collateral "collateral",
        /// An objection was upheld. This item alone, unless upheld for collateral.
        Objection "objection",
        /// The check, run again, refuses the value. All on the value.
        FailedCheck "failed_check",
        /// Two captures in a row missed. This item alone.
        Missed "missed",
        /// A control failed that it explains. All on the value.
        Control "control",
        /// An exception was approved that covers it. All on the value.
        Excepted "excepted",
    }
}

impl Cause {
    /// True where a lift for this is the reporter's error.
    pub fn is_error(self) -> bool {
        matches!(self, Self::Collateral | Self::Objection | Self::FailedCheck | Self::Control)
    }

    /// True where measurement lifts, and no person.
    pub fn is_measured(self) -> bool {
        matches!(self, Self::Missed | Self::Control)
    }
}

words! {
    /// What a lift costs its reporter.
    Charge {
        /// Nothing: no error, or one that is charged already with another item on the value.
        None "none",
        /// An error.
        Error "error",
        /// An error on what is popular, protected or a CDN's.
        Grave "grave",
    }
}

words! {
    /// How an item ended.
    End {
        /// It never went into force.
        Refused "refused",
        /// Somebody or something ended it.
        Lifted "lifted",
        /// Its time was over.
        Expired "expired",
    }
}

/// What happens to an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "turn", rename_all = "snake_case", deny_unknown_fields)]
pub enum Turn {
    /// A probe's capture shows the works.
    Captured(Evidence),
    /// The reporter's own file.
    Uploaded {
        /// Its bytes.
        exhibit: ExhibitId,
    },
    /// The check ran.
    Checked {
        /// What it found.
        outcome: Outcome,
        /// What else holds the item.
        holds: Holds,
    },
    /// Its evidence is too old, or a capture contradicts it.
    Lapsed,
    /// A second person agrees.
    Approved {
        /// The capture they looked at.
        exhibit: ExhibitId,
        /// True where an address does not wait for its host.
        waives: bool,
        /// Why, which a waiver needs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grounds: Option<Grounds>,
    },
    /// It will not be blocked.
    Refused {
        /// Why.
        denial: Denial,
        /// In whose words, where a person refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grounds: Option<Grounds>,
    },
    /// A notice to the host and the CDN is to be sent now.
    NoticeAsked,
    /// It was sent.
    NoticeSent {
        /// From when on silence is silence.
        silent_at: Moment,
    },
    /// The host answered.
    HostAnswered {
        /// True where it says that it acts by itself.
        acts: bool,
    },
    /// It goes into force.
    Released {
        /// Until when.
        expires: Moment,
    },
    /// Fresh evidence carries it on.
    Renewed {
        /// The capture.
        evidence: Evidence,
        /// Until when.
        expires: Moment,
    },
    /// A capture did not show the works.
    Missed(Miss),
    /// One did again.
    Found,
    /// Out of the feed until a reviewer decides.
    Suspended {
        /// Why.
        worry: Worry,
        /// What the check found when it ran again, where that is why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outcome: Option<Outcome>,
    },
    /// Back into it.
    Reinstated {
        /// Why.
        grounds: Grounds,
    },
    /// It ends before its time.
    Lifted {
        /// Why.
        cause: Cause,
        /// What it costs the reporter.
        charge: Charge,
        /// In whose words, where a person lifted it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grounds: Option<Grounds>,
        /// The proof of the objection that was upheld.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proof: Option<Sha256Hex>,
    },
    /// Its time is over.
    Expired,
}

impl Turn {
    /// Every word.
    pub const WORDS: &[&str] = &[
        "captured",
        "uploaded",
        "checked",
        "lapsed",
        "approved",
        "refused",
        "notice_asked",
        "notice_sent",
        "host_answered",
        "released",
        "renewed",
        "missed",
        "found",
        "suspended",
        "reinstated",
        "lifted",
        "expired",
    ];

    /// As it stands in records and JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Captured(_) => "captured",
            Self::Uploaded { .. } => "uploaded",
            Self::Checked { .. } => "checked",
            Self::Lapsed => "lapsed",
            Self::Approved { .. } => "approved",
            Self::Refused { .. } => "refused",
            Self::NoticeAsked => "notice_asked",
            Self::NoticeSent { .. } => "notice_sent",
            Self::HostAnswered { .. } => "host_answered",
            Self::Released { .. } => "released",
            Self::Renewed { .. } => "renewed",
            Self::Missed(_) => "missed",
            Self::Found => "found",
            Self::Suspended { .. } => "suspended",
            Self::Reinstated { .. } => "reinstated",
            Self::Lifted { .. } => "lifted",
            Self::Expired => "expired",
        }
    }
}
