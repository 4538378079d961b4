//! What of a decision may be told once the event is over: who reported what under which order, what a probe saw
//! and when, what the check found, what became of it.
//!
//! A record of the clearing house commits to all it decided in one field, in which names of people, their
//! words, and URLs with somebody's password stand beside the rest. So that field is never opened. Beside it the
//! record shows the root of a second tree (RFC 6962, 2.1), over one statement for each thing that may be told.
//! Each leaf has a salt of its own: a statement is shown without the others, and a root tells nothing.
//!
//! Leaf: SHA-256(0x00 ‖ "vigie/told/v1" ‖ 0x00 ‖ salt, 32 bytes ‖ statement). The *n*-th salt is
//! SHA-256("vigie/told-salt/v1" ‖ 0x00 ‖ seed ‖ n, u32); the seed is that of the record's blocks, and stays closed.
//!
//! A statement is canonical JSON. Its fields are listed here one by one and not taken over from a deed, so that
//! what is added to a deed is closed until somebody decides that it may be told. Never there: a person, grounds,
//! a URL as it was written, a probe, another ISP, who objects, a case. The writing is frozen, since roots over it
//! stand in logs: what is to be told besides is another root beside this one.

use std::collections::BTreeMap;

use model::Sha256Hex;
use model::canonical::Canon;

use crate::order::turn::Evidence;
use crate::order::{Decision, Deed, ItemId, Moment, Outcome, Role, TicketId, Turn};
use crate::proof::{self, Hash};

/// The longest statement, in bytes: four names and some numbers.
pub const MAX_STATEMENT: usize = 16 << 10;

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Of which ticket.
    pub ticket: TicketId,
    /// Of which item, where it is of one.
    pub item: Option<ItemId>,
    /// Canonical JSON.
    pub text: String,
}

impl Statement {
    /// Its leaf.
    pub fn leaf(&self, salt: &[u8; 32]) -> Hash {
        leaf(&self.text, salt)
    }
}

/// The leaf of a statement's text.
pub fn leaf(text: &str, salt: &[u8; 32]) -> Hash {
    let mut bytes = Vec::with_capacity(48 + text.len());
    bytes.extend_from_slice(b"vigie/told/v1\0");
    bytes.extend_from_slice(salt);
    bytes.extend_from_slice(text.as_bytes());
    ledger::tree::leaf(&bytes)
}

/// The salt of the n-th statement under a seed.
pub fn salt(seed: &[u8; 32], n: u32) -> [u8; 32] {
    let mut bytes = Vec::with_capacity(64);
    bytes.extend_from_slice(b"vigie/told-salt/v1\0");
    bytes.extend_from_slice(seed);
    bytes.extend_from_slice(&n.to_be_bytes());
    Sha256Hex::of(&bytes).0
}

/// The leaves of statements, in their order.
pub fn leaves(statements: &[Statement], seed: &[u8; 32]) -> Vec<Hash> {
    (0..).zip(statements).map(|(n, statement)| statement.leaf(&salt(seed, n))).collect()
}

/// The root over what may be told of a decision, and how many statements are under it; `None`: it speaks of no
/// ticket.
pub fn root(decision: &Decision, seed: &[u8; 32]) -> Option<(Sha256Hex, u64)> {
    let leaves = leaves(&statements(decision), seed);
    (!leaves.is_empty()).then(|| (Sha256Hex(proof::root(&leaves)), leaves.len() as u64))
}

/// What may be told of a decision, in the order of its deeds.
pub fn statements(decision: &Decision) -> Vec<Statement> {
    let mut all = Vec::new();
    for deed in &decision.deeds {
        match deed {
            Deed::Submitted(ticket) => {
                let mut fields = Fields::of(decision, deed.word());
                fields.int("ticket", ticket.id.0);
                fields.text("order", ticket.order.as_str());
                if let Some(event) = &ticket.event {
                    fields.text("event", event.as_str());
                }
                fields.text("reporter", ticket.reporter.as_str());
                fields.int("works", ticket.works.len() as u64);
                fields.int("items", ticket.items.len() as u64);
                all.extend(fields.end(ticket.id, None));
                for work in &ticket.works {
                    let mut fields = Fields::of(decision, "work");
                    fields.int("ticket", ticket.id.0);
                    fields.text("work", work.as_str());
                    all.extend(fields.end(ticket.id, None));
                }
                for (place, asked) in (0..).zip(&ticket.items) {
                    let item = ItemId::new(ticket.id, place);
                    let mut fields = Fields::of(decision, "asked");
                    fields.text("item", &item.to_string());
                    fields.text("value", &asked.value.to_string());
                    all.extend(fields.end(ticket.id, Some(item)));
                }
            }
            Deed::RenewalAsked { ticket, until } => {
                let mut fields = Fields::of(decision, deed.word());
                fields.int("ticket", ticket.0);
                fields.moment("until", *until);
                all.extend(fields.end(*ticket, None));
            }
            Deed::Turned { item, turn } => {
                let mut fields = Fields::of(decision, turn.word());
                fields.text("item", &item.to_string());
                fields.turn(turn);
                all.extend(fields.end(item.ticket(), Some(*item)));
            }
            _ => {}
        }
    }
    all
}

/// The fields of a statement.
struct Fields(BTreeMap<String, Canon>);

impl Fields {
    /// What every statement says: what happened, when, in whose organisation's name, in what office. Whose a probe is
    /// stays closed: that may be another ISP.
    fn of(decision: &Decision, deed: &str) -> Self {
        let mut fields = Self(BTreeMap::new());
        fields.text("deed", deed);
        fields.moment("at", decision.at);
        if decision.by.role != Role::Probe {
            fields.text("organisation", decision.by.organisation.as_str());
        }
        fields.text("role", decision.by.role.word());
        fields
    }

    fn put(&mut self, name: &str, value: Canon) {
        self.0.insert(name.to_owned(), value);
    }

    fn text(&mut self, name: &str, text: &str) {
        self.put(name, Canon::text(text));
    }

    fn int(&mut self, name: &str, n: u64) {
        self.put(name, Canon::int(n));
    }

    fn moment(&mut self, name: &str, moment: Moment) {
        self.put(name, Canon::int(moment.0));
    }

    fn evidence(&mut self, evidence: &Evidence) {
        self.text("exhibit", &evidence.exhibit.to_string());
        self.moment("taken", evidence.taken);
        self.text("seen", if evidence.page { "page" } else { "works" });
    }

    fn outcome(&mut self, outcome: &Outcome) {
        self.text("verdict", outcome.verdict.word());
        if let Some(code) = outcome.code {
            self.text("code", code);
        }
    }

    fn turn(&mut self, turn: &Turn) {
        match turn {
            Turn::Captured(evidence) => self.evidence(evidence),
            Turn::Renewed { evidence, expires } => {
                self.evidence(evidence);
                self.moment("expires", *expires);
            }
            Turn::Uploaded { exhibit } | Turn::Approved { exhibit, .. } => {
                self.text("exhibit", &exhibit.to_string());
            }
            Turn::Checked { outcome, .. } => self.outcome(outcome),
            Turn::Released { expires } => self.moment("expires", *expires),
            Turn::Refused { denial, .. } => self.text("cause", denial.word()),
            Turn::Lifted { cause, .. } => self.text("cause", cause.word()),
            Turn::Missed(miss) => {
                self.moment("taken", miss.taken);
                self.text("seen", miss.seen.word());
            }
            Turn::Suspended { worry, outcome } => {
                self.text("cause", worry.word());
                if let Some(outcome) = outcome {
                    self.outcome(outcome);
                }
            }
            Turn::Lapsed
            | Turn::NoticeAsked
            | Turn::NoticeSent { .. }
            | Turn::HostAnswered { .. }
            | Turn::Found
            | Turn::Reinstated { .. }
            | Turn::Expired => {}
        }
    }

    /// The statement; `None` of one that is too long for canonical JSON, which no name's bounds let come about.
    fn end(self, ticket: TicketId, item: Option<ItemId>) -> Option<Statement> {
        let text = String::from_utf8(Canon::Map(self.0).to_bytes().ok()?).ok()?;
        Some(Statement { ticket, item, text })
    }
}
