//! What is done to the house itself, and is no step of the machine: a figure of its policy, a stop that is signed
//! for a safe.

use model::Sha256Hex;
use model::record::{Body, ShieldFeedKey, ShieldStopSigned, time_text};
use serde::{Deserialize, Serialize};
use shield::order::words::{Grounds, Person};
use shield::order::{ItemId, Refusal};
use shield::wire::keys::Turn;
use shield::wire::stop::{Act, StopFile};

use super::house::House;
use super::notice::{self, outbox};
use super::publish::feed_origin;
use crate::access::Action;
use crate::{Error, Result};

/// An act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub enum HouseAct {
    /// A figure of the policy is another from here on.
    Figure {
        /// Which.
        figure: String,
        /// What it is then.
        value: u64,
        /// Why.
        grounds: Grounds,
    },
    /// A stop was signed beforehand, or the word that ends one.
    SignStop {
        /// What it says, as it is signed.
        text: String,
        /// Of a resumption: the second person.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        second: Option<String>,
        /// SHA-256 of the file.
        digest: Sha256Hex,
    },
    /// The feed's key is another from here on.
    TurnFeedKey {
        /// The one that is replaced, as signed notes write it.
        old: String,
        /// The new one.
        new: String,
        /// What both signed.
        statement: String,
        /// Why.
        grounds: Grounds,
    },
    /// A notice went out by hand.
    NoticeSent {
        /// The item.
        item: ItemId,
        /// To whom, and how, in words: of who is in no file of contacts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<Grounds>,
    },
}

impl HouseAct {
    /// That a stop file was signed.
    pub fn signed_stop(file: &StopFile, note: &str, second: Option<&str>) -> Self {
        let digest = Sha256Hex::of(note.as_bytes());
        Self::SignStop { text: file.text(), second: second.map(str::to_owned), digest }
    }

    /// What it is, to the one place that decides who may.
    pub fn action(&self) -> Action {
        match self {
            // Figures are whose orders are, and so is the key.
            Self::Figure { .. } | Self::TurnFeedKey { .. } => Action::OrderGive,
            // Who may agree may say that somebody was told.
            Self::NoticeSent { .. } => Action::ItemApprove,
            Self::SignStop { text, .. } => match StopFile::read(text).map(|file| file.act) {
                Ok(Act::Resume) => Action::Resume,
                _ => Action::Stop,
            },
        }
    }
}

impl House {
    /// Does it, durably.
    ///
    /// # Errors
    /// [`Error::Asked`](Error::Asked): what makes no sense. The disk.
    pub fn do_act(&mut self, person: &Person, act: &HouseAct) -> Result<()> {
        // As with commands: what may add to what is blocked waits for the standby. A figure may, and silence
        // counts from a notice.
        if self.is_alone() && !matches!(act, HouseAct::SignStop { .. }) {
            return Err(Error::Asked(Refusal::StandbyGone.to_string()));
        }
        match act {
            HouseAct::Figure { figure, value, grounds } => {
                self.figure(person, figure, *value, grounds)
            }
            HouseAct::NoticeSent { item, to } => self.by_hand(person, *item, to.as_ref()),
            HouseAct::TurnFeedKey { old, new, statement, grounds } => {
                let odd = |why: String| Error::Asked(format!("this replaces no key: {why}"));
                let turn = Turn::read(self.case().len(), old, new, statement);
                let turn = turn.map_err(|e| odd(e.to_string()))?;
                if turn.old.name() != feed_origin(self.case().authority()) {
                    return Err(odd("it is of another feed".to_owned()));
                }
                // Where it cannot be, nothing of it is on record.
                self.standing.may_turn(&turn).map_err(odd)?;
                let (old, new, statement) = (old.clone(), new.clone(), statement.clone());
                let reason = Some(grounds.as_str().to_owned());
                let body = ShieldFeedKey { old, new, statement, reason };
                self.note(person, body.into())?;
                self.standing.turns.push(turn);
                Ok(())
            }
            HouseAct::SignStop { text, second, digest } => {
                let odd = |e| Error::Asked(format!("this is no stop file: {e}"));
                let file = StopFile::read(text).map_err(odd)?;
                let (halt, until) = match file.act {
                    Act::Stop { halt, until } => (Some(halt.word()), Some(until)),
                    Act::Resume => (None, None),
                };
                let body = ShieldStopSigned {
                    act: if halt.is_some() { "stop" } else { "resume" }.to_owned(),
                    view: file.view,
                    halt: halt.map(str::to_owned),
                    epoch: file.epoch,
                    made: time_text(file.made.0),
                    until: until.map(|until| time_text(until.0)),
                    second: second.clone(),
                    reason: file.why,
                    digest: *digest,
                };
                self.note(person, body.into())
            }
        }
    }

    /// What waits of an item in the outbox went out by hand; where nothing does, who says so says to whom.
    fn by_hand(&mut self, person: &Person, item: ItemId, to: Option<&Grounds>) -> Result<()> {
        if !self.notices_asked().contains(&item) {
            return Err(Error::Asked(format!("no notice of {item} is asked for now")));
        }
        let dir = self.case().dir().to_owned();
        let (waiting, _) = outbox::all(&dir)?;
        let letters: Vec<_> = waiting.into_iter().filter(|letter| letter.item == item).collect();
        if to.is_none() && letters.iter().all(|letter| letter.to.is_none()) {
            return Err(Error::Asked(
                "nobody is known who answers for it: say to whom it went, and how (--to)"
                    .to_owned(),
            ));
        }
        let value = self.state().item(item).map(|live| live.value.to_string()).unwrap_or_default();
        if let Some(to) = to {
            let text = format!(
                "Notice of {value} ({item}), sent by {}: {}\n",
                person.as_str(),
                to.as_str()
            );
            notice::seal(self, text.as_bytes(), "notice-by-hand.txt", &value)?;
        }
        for letter in &letters {
            notice::sent_one(self, &dir, letter)?;
        }
        notice::tell(self, item).map(drop)
    }

    fn note(&mut self, person: &Person, body: Body) -> Result<()> {
        self.record(|case, stamp| {
            let mut batch = case.batch();
            batch.record_by(person.as_str(), body);
            Ok(batch.commit(stamp).map(drop)?)
        })
    }
}
