//! The life of an item.
//!
//! ```text
//!                       approved, with evidence that was checked
//!            ┌──────────────────────────────────────────────────────────┐
//!        ┌───┴──┐ ◀───────────────────────────┐                         │
//!        │ Held │ ◀───────────────┐           │ something holds it      │
//!        └──────┘                 │ uploaded  │                         ▼
//!     uploaded ▲                  │           │                    ┌─────────┐
//!     ┌────────┴──┐ captured   ┌──┴───────┐   │ checked            │ Checked │
//!     │ Submitted ├───────────▶│ Captured ├───┴───────────────────▶│         │
//!     └───────────┘            └──────────┘      nothing holds it  └─┬─────┬─┘
//!           ▲                    │ lapsed                            │     │ released
//!           └────────────────────┴───────────────────────────────────┘     ▼
//!                                                  lapsed          ┌─────────┐ renewed,
//!     from each state above: refused ───────┐   ┌───────────┐ ◀────┤ InForce │ missed,
//!                                           │   │ Suspended │      └──┬──────┘ found
//!                                           ▼   └──┬────────┘ ───────▶│
//!                                       ┌───────┐  │ lifted, expired  │ lifted, expired
//!                                       │ Ended │ ◀┴──────────────────┘
//!                                       └───────┘
//! ```
//!
//! An item goes into force from *Checked* alone, and comes there only with a probe's capture and a
//! check of this very item; where anything holds it, a second person stood in between. Evidence ages:
//! *lapsed* sends an item back to be captured anew, its approval kept. Whether a turn is wise (the
//! window, the silence of a host, a stop) is decided before; whether it is possible, here.

use serde::{Deserialize, Serialize};

use super::turn::{Approval, Cause, End, Evidence, Holds, Miss, Notice, Outcome, Turn, Worry};
use super::words::{Moment, words};
use crate::harm::Verdict;

/// Where an item stands, with what it has so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Machine {
    /// Asked for; no evidence, or none that is fresh.
    Submitted(Pending),
    /// A probe captured it.
    Captured(Captured),
    /// Checked, and nothing holds it, or who may agreed: it waits for its window, its notice, or a
    /// stop's end.
    Checked(Checked),
    /// A second person has to look.
    Held(Held),
    /// Blocked.
    InForce(InForce),
    /// Out of the feed until a reviewer decides.
    Suspended(Suspended),
    /// Over. Nothing leads out of here: who wants the value blocked again reports it again.
    Ended(Ended),
}

words! {
    /// The state's name.
    Stage {
        /// See [`Machine::Submitted`].
        Submitted "submitted",
        /// See [`Machine::Captured`].
        Captured "captured",
        /// See [`Machine::Checked`].
        Checked "checked",
        /// See [`Machine::Held`].
        Held "held",
        /// See [`Machine::InForce`].
        InForce "in_force",
        /// See [`Machine::Suspended`].
        Suspended "suspended",
        /// See [`Machine::Ended`].
        Ended "ended",
    }
}

/// What an item carries until it is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pending {
    /// What holds it beyond the check: the reporter's own upload, the reporter's budget.
    pub holds: Holds,
    /// The second person's word, once given.
    pub approval: Option<Approval>,
    /// The notice to host and CDN: what an address waits for.
    pub notice: Notice,
}

/// Captured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Captured {
    /// What was before.
    pub pending: Pending,
    /// The capture.
    pub evidence: Evidence,
}

/// Checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checked {
    /// What was before.
    pub pending: Pending,
    /// The capture.
    pub evidence: Evidence,
    /// What the check found.
    pub outcome: Outcome,
}

/// Held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// What was before, with each thing that holds it.
    pub pending: Pending,
    /// The capture, if there is one: an upload is none.
    pub evidence: Option<Evidence>,
    /// What the check found, once it ran on that capture.
    pub outcome: Option<Outcome>,
    /// Since when it waits.
    pub since: Moment,
}

/// In force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InForce {
    /// The capture it was released upon.
    pub evidence: Evidence,
    /// The check it was released upon, or a graver one that a reviewer reinstated it under.
    pub outcome: Outcome,
    /// Since when.
    pub since: Moment,
    /// Until when.
    pub expires: Moment,
    /// What became of the notice to its host.
    pub notice: Notice,
    /// A capture that did not show the works, if the last one did not.
    pub miss: Option<Miss>,
}

/// Suspended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suspended {
    /// What it was, and will be if reinstated. Its expiry goes on.
    pub was: InForce,
    /// Why.
    pub worry: Worry,
    /// What the check found when it ran again, where that is why.
    pub found: Option<Outcome>,
    /// Since when.
    pub since: Moment,
}

/// Ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// How.
    pub how: End,
    /// When.
    pub at: Moment,
    /// Why, where it was lifted.
    pub cause: Option<Cause>,
}

impl Default for Machine {
    /// An item that was just asked for.
    fn default() -> Self {
        let notice = Notice::None;
        Self::Submitted(Pending { holds: Holds::NONE, approval: None, notice })
    }
}

impl Machine {
    /// The capture that an item rests on that is not in force yet.
    pub fn evidence(&self) -> Option<&Evidence> {
        match self {
            Self::Captured(captured) => Some(&captured.evidence),
            Self::Checked(checked) => Some(&checked.evidence),
            Self::Held(held) => held.evidence.as_ref(),
            Self::Submitted(_) | Self::InForce(_) | Self::Suspended(_) | Self::Ended(_) => None,
        }
    }

    /// The state's name.
    pub fn stage(&self) -> Stage {
        match self {
            Self::Submitted(_) => Stage::Submitted,
            Self::Captured(_) => Stage::Captured,
            Self::Checked(_) => Stage::Checked,
            Self::Held(_) => Stage::Held,
            Self::InForce(_) => Stage::InForce,
            Self::Suspended(_) => Stage::Suspended,
            Self::Ended(_) => Stage::Ended,
        }
    }

    /// The state after a turn at a moment; the state itself, unchanged, where the turn does not lead
    /// out of it. Total: each pair of state and turn is one or the other.
    ///
    /// # Errors
    /// The state as it was.
    pub fn turn(self, turn: &Turn, at: Moment) -> Result<Self, Box<Self>> {
        match self {
            Self::Submitted(pending) => pending.turn(turn, at).map_err(Self::Submitted),
            Self::Captured(captured) => captured.turn(turn, at).map_err(Self::Captured),
            Self::Checked(checked) => checked.turn(turn, at).map_err(Self::Checked),
            Self::Held(held) => held.turn(turn, at).map_err(Self::Held),
            Self::InForce(in_force) => in_force.turn(turn, at).map_err(|same| Self::InForce(*same)),
            Self::Suspended(suspended) => {
                suspended.turn(turn, at).map_err(|same| Self::Suspended(*same))
            }
            Self::Ended(_) => Err(self),
        }
        .map_err(Box::new)
    }

    /// What it carries before it is in force.
    pub fn pending(&self) -> Option<&Pending> {
        match self {
            Self::Submitted(pending) => Some(pending),
            Self::Captured(captured) => Some(&captured.pending),
            Self::Checked(checked) => Some(&checked.pending),
            Self::Held(held) => Some(&held.pending),
            _ => None,
        }
    }

    /// The autonomous system in which the last check placed it; `None` for a name, and where nobody knows.
    pub fn system(&self) -> Option<u32> {
        let outcome = match self {
            Self::Checked(checked) => Some(&checked.outcome),
            Self::Held(held) => held.outcome.as_ref(),
            Self::InForce(in_force) => Some(&in_force.outcome),
            Self::Suspended(suspended) => suspended.found.as_ref().or(Some(&suspended.was.outcome)),
            Self::Submitted(_) | Self::Captured(_) | Self::Ended(_) => None,
        };
        outcome?.system
    }

    /// What is or was in force of it.
    pub fn in_force(&self) -> Option<&InForce> {
        match self {
            Self::InForce(in_force) => Some(in_force),
            Self::Suspended(suspended) => Some(&suspended.was),
            _ => None,
        }
    }
}

fn refused(at: Moment) -> Machine {
    Machine::Ended(Ended { how: End::Refused, at, cause: None })
}

impl Pending {
    fn turn(self, turn: &Turn, at: Moment) -> Result<Machine, Self> {
        Ok(match turn {
            Turn::Captured(evidence) => {
                Machine::Captured(Captured { pending: self, evidence: evidence.clone() })
            }
            Turn::Uploaded { .. } => self.upload(None, None, at),
            Turn::Refused { .. } => refused(at),
            _ => Machine::Submitted(self.notice(turn)?),
        })
    }

    /// True where nothing holds it, or a second person agreed.
    pub fn is_free(&self) -> bool {
        self.holds.is_none() || self.approval.is_some()
    }

    /// An upload is the reporter's word. What was agreed to before was agreed to without it.
    fn upload(
        mut self,
        evidence: Option<Evidence>,
        outcome: Option<Outcome>,
        at: Moment,
    ) -> Machine {
        self.holds = self.holds.with(Holds::UPLOAD);
        self.approval = None;
        Machine::Held(Held { pending: self, evidence, outcome, since: at })
    }

    /// What becomes of the notice; `self` where the turn is none of a notice.
    fn notice(mut self, turn: &Turn) -> Result<Self, Self> {
        let Some(notice) = self.notice.turn(turn) else { return Err(self) };
        self.notice = notice;
        // Who agreed to wait for silence agreed to nothing where none can come.
        if self.notice == Notice::Answered {
            self.approval = self.approval.filter(|approval| approval.waives);
        }
        Ok(self)
    }
}

impl Captured {
    fn turn(self, turn: &Turn, at: Moment) -> Result<Machine, Self> {
        Ok(match turn {
            Turn::Captured(evidence) => {
                Machine::Captured(Self { evidence: evidence.clone(), ..self })
            }
            Turn::Uploaded { .. } => self.pending.upload(Some(self.evidence), None, at),
            Turn::Checked { outcome, holds } if outcome.verdict != Verdict::Refuse => {
                let mut pending = self.pending;
                let holds = pending.holds.with(*holds).with(outcome.holds());
                // Who agreed did so knowing what held it then: to what holds it beyond that nobody did.
                pending.approval = pending.approval.filter(|_| holds == pending.holds);
                pending.holds = holds;
                let (evidence, outcome) = (self.evidence, outcome.clone());
                if pending.is_free() {
                    Machine::Checked(Checked { pending, evidence, outcome })
                } else {
                    let (evidence, outcome) = (Some(evidence), Some(outcome));
                    Machine::Held(Held { pending, evidence, outcome, since: at })
                }
            }
            Turn::Lapsed => Machine::Submitted(self.pending),
            Turn::Refused { .. } => refused(at),
            _ => {
                let evidence = self.evidence;
                match self.pending.notice(turn) {
                    Ok(pending) => Machine::Captured(Self { pending, evidence }),
                    Err(pending) => return Err(Self { pending, evidence }),
                }
            }
        })
    }
}

impl Checked {
    fn turn(self, turn: &Turn, at: Moment) -> Result<Machine, Self> {
        Ok(match turn {
            Turn::Captured(evidence) => {
                Machine::Captured(Captured { pending: self.pending, evidence: evidence.clone() })
            }
            Turn::Uploaded { .. } => {
                self.pending.upload(Some(self.evidence), Some(self.outcome), at)
            }
            Turn::Lapsed => Machine::Submitted(self.pending),
            Turn::Released { expires } => Machine::InForce(InForce {
                evidence: self.evidence,
                outcome: self.outcome,
                since: at,
                expires: *expires,
                notice: self.pending.notice,
                miss: None,
            }),
            Turn::Refused { .. } => refused(at),
            _ => {
                let (evidence, outcome) = (self.evidence, self.outcome);
                match self.pending.notice(turn) {
                    Ok(pending) if pending.is_free() => {
                        Machine::Checked(Self { pending, evidence, outcome })
                    }
                    Ok(pending) => {
                        let (evidence, outcome) = (Some(evidence), Some(outcome));
                        Machine::Held(Held { pending, evidence, outcome, since: at })
                    }
                    Err(pending) => return Err(Self { pending, evidence, outcome }),
                }
            }
        })
    }
}

impl Held {
    fn turn(mut self, turn: &Turn, at: Moment) -> Result<Machine, Self> {
        match turn {
            // The check was of the capture before.
            Turn::Captured(evidence) => {
                (self.evidence, self.outcome) = (Some(evidence.clone()), None);
            }
            Turn::Uploaded { .. } => self.pending.holds = self.pending.holds.with(Holds::UPLOAD),
            Turn::Checked { outcome, holds }
                if self.evidence.is_some() && outcome.verdict != Verdict::Refuse =>
            {
                self.pending.holds = self.pending.holds.with(*holds).with(outcome.holds());
                self.outcome = Some(outcome.clone());
            }
            Turn::Lapsed if self.evidence.is_some() => (self.evidence, self.outcome) = (None, None),
            Turn::Approved { waives, .. } => {
                let (pending, since) = (self.pending, self.since);
                return match (self.evidence, self.outcome) {
                    (Some(evidence), Some(outcome)) => {
                        let approval = Some(Approval { waives: *waives });
                        let pending = Pending { approval, ..pending };
                        Ok(Machine::Checked(Checked { pending, evidence, outcome }))
                    }
                    (evidence, outcome) => Err(Self { pending, evidence, outcome, since }),
                };
            }
            Turn::Refused { .. } => return Ok(refused(at)),
            _ => match self.pending.clone().notice(turn) {
                Ok(pending) => self.pending = pending,
                Err(_) => return Err(self),
            },
        }
        Ok(Machine::Held(self))
    }
}

impl InForce {
    fn turn(mut self, turn: &Turn, at: Moment) -> Result<Machine, Box<Self>> {
        match turn {
            Turn::Renewed { evidence, expires } if *expires > self.expires => {
                (self.expires, self.evidence, self.miss) = (*expires, evidence.clone(), None);
            }
            Turn::Missed(miss) => self.miss = Some(miss.clone()),
            Turn::Found if self.miss.is_some() => self.miss = None,
            Turn::Suspended { worry, outcome } => {
                let (worry, found) = (*worry, outcome.clone());
                return Ok(Machine::Suspended(Suspended { was: self, worry, found, since: at }));
            }
            _ => match self.notice.turn(turn) {
                Some(notice) => self.notice = notice,
                None => return ended(turn, at).ok_or_else(|| Box::new(self)),
            },
        }
        Ok(Machine::InForce(self))
    }
}

impl Suspended {
    fn turn(self, turn: &Turn, at: Moment) -> Result<Machine, Box<Self>> {
        match turn {
            Turn::Reinstated { .. } => {
                let mut was = self.was;
                // The same finding again is no news: a reviewer has seen it.
                was.outcome = self.found.unwrap_or(was.outcome);
                Ok(Machine::InForce(InForce { miss: None, ..was }))
            }
            _ => ended(turn, at).ok_or_else(|| Box::new(self)),
        }
    }
}

fn ended(turn: &Turn, at: Moment) -> Option<Machine> {
    let (how, cause) = match turn {
        Turn::Lifted { cause, .. } => (End::Lifted, Some(*cause)),
        Turn::Expired => (End::Expired, None),
        _ => return None,
    };
    Some(Machine::Ended(Ended { how, at, cause }))
}
