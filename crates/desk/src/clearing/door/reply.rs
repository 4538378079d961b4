//! What came of what was asked at the door, as it is answered.

use collect::challenge::Way;
use serde::{Deserialize, Serialize};
use shield::order::step::Deed;
use shield::order::{Moment, Refusal};

use crate::Error;
use crate::clearing::challenge::{Came, Issued, Unmet};
use crate::clearing::house::Done;

/// A place where a token has to stand, or was looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// `dns`, `file` or `reverse`.
    pub way: String,
    /// The very name or URL; of what was looked for, what was found, by its word.
    pub at: String,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer", deny_unknown_fields)]
pub enum Reply {
    /// It was done, and is durable.
    Done {
        /// When.
        at: Moment,
        /// The record; none where nothing had to be done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        record: Option<u64>,
        /// What was decided.
        deeds: Vec<Deed>,
        /// True where the standby does not have it: it is durable on one machine alone.
        #[serde(default, skip_serializing_if = "is_false")]
        alone: bool,
        /// Of the end of an order or an event: how many items live under it yet. The house lifts them by itself.
        #[serde(default, skip_serializing_if = "is_none")]
        left: u64,
    },
    /// It was recorded, and is durable: an act on the house itself.
    Recorded {
        /// True where the standby does not have it: it is durable on one machine alone.
        #[serde(default, skip_serializing_if = "is_false")]
        alone: bool,
    },
    /// It was refused, and changed nothing.
    Refused {
        /// The refusal's name.
        word: String,
        /// What to do instead.
        message: String,
    },
    /// An objection without proof of control: this text is to be put in any one of these places, and the objection
    /// made again with it.
    Challenge {
        /// The text.
        token: String,
        /// Until when.
        until: Moment,
        /// Where.
        places: Vec<Place>,
    },
    /// The text does not stand there: nothing was decided, and nothing kept.
    Unmet {
        /// Why, by its word.
        word: String,
        /// What to do instead.
        message: String,
        /// What was found, where it was looked for.
        found: Vec<Place>,
    },
    /// It could not be asked so.
    Misuse {
        /// Why.
        message: String,
    },
    /// It could not be done; whether it was, the log says.
    Failed {
        /// Why.
        message: String,
    },
}

// The shape that serde asks for.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_false(what: &bool) -> bool {
    !what
}

// As above.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_none(how_many: &u64) -> bool {
    *how_many == 0
}

impl From<std::result::Result<Done, Refusal>> for Reply {
    fn from(answer: std::result::Result<Done, Refusal>) -> Self {
        match answer {
            Ok(Done { at, steps, record, alone, left }) => {
                let deeds = steps.into_iter().map(|step| step.deed).collect();
                Self::Done { at, record, deeds, alone, left }
            }
            Err(refusal) => {
                Self::Refused { word: refusal.word().to_owned(), message: refusal.to_string() }
            }
        }
    }
}

impl From<Came> for Reply {
    fn from(came: Came) -> Self {
        let place =
            |(way, at): &(Way, String)| Place { way: way.word().to_owned(), at: at.clone() };
        match came {
            Came::Issued(Issued { token, until, places }) => {
                Self::Challenge { token, until, places: places.iter().map(place).collect() }
            }
            Came::Unmet(unmet) => {
                let found = match &unmet {
                    Unmet::Not(not) => not.as_slice(),
                    _ => &[],
                };
                let found = found.iter().map(|(way, found)| (*way, found.word().to_owned()));
                let found = found.map(|found| place(&found)).collect();
                let (word, message) = (unmet.word().to_owned(), unmet.to_string());
                Self::Unmet { word, message, found }
            }
            Came::Done(done) => Self::from(Ok(done)),
            Came::Refused(refusal) => Self::from(Err(refusal)),
        }
    }
}

impl From<Error> for Reply {
    fn from(error: Error) -> Self {
        match error {
            Error::Asked(message) => Self::Misuse { message },
            other => Self::Failed { message: other.to_string() },
        }
    }
}
