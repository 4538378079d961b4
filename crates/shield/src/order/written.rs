//! Steps as the log keeps them: one decision, which is the steps of one command, as canonical JSON.
//!
//! ```text
//! {"at":1780000000000,"by":{"organisation":…,"person":…,"role":…},"deeds":[{"deed":"turned","item":5,"turn":{…}},…]}
//! ```
//!
//! The writing is frozen, as that of records is (`docs/record-format.md`): each deed and turn has the name
//! that its `word` gives, each field the name it has here; what is absent is left out. A decision has one
//! writing, and [`Decision::read`] takes no other. A record's field holds [`MAX_PART`] bytes of it at most,
//! so that a ticket of a thousand long lines is several records, of one commit.

use std::collections::BTreeMap;

use model::canonical::{Canon, CanonError};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::step::{Deed, Step};
use super::words::{Actor, Moment};

/// The most bytes of a decision that one record holds. As a text within JSON it can take twice as many, and
/// a field has 65,535.
pub const MAX_PART: usize = 30_000;
/// The most records of one decision: a ticket of the greatest size takes 160, a tick of the most steps 120.
pub const MAX_PARTS: usize = 1_024;

/// The steps of one command: decided at once, upon one actor's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// When.
    pub at: Moment,
    /// Upon whose command.
    pub by: Actor,
    /// What, in order; never nothing.
    pub deeds: Vec<Deed>,
}

/// Why a text is no decision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// Not canonical JSON.
    #[error(transparent)]
    Json(#[from] CanonError),
    /// JSON, but of another shape.
    #[error("no decision of the clearing house: {0}")]
    Shape(String),
    /// Another text is the writing of what it says.
    #[error("a decision, but not in its one writing")]
    Otherwise,
    /// It says nothing.
    #[error("a decision without a deed")]
    Nothing,
}

impl Decision {
    /// The decision that steps are; `None` where there are none, or they are not of one command.
    pub fn of(steps: &[Step]) -> Option<Self> {
        let first = steps.first()?;
        let one = steps.iter().all(|step| step.at == first.at && step.by == first.by);
        let deeds = steps.iter().map(|step| step.deed.clone()).collect();
        one.then(|| Self { at: first.at, by: first.by.clone(), deeds })
    }

    /// Its steps.
    pub fn steps(&self) -> impl Iterator<Item = Step> + '_ {
        let step = |deed: &Deed| Step { at: self.at, by: self.by.clone(), deed: deed.clone() };
        self.deeds.iter().map(step)
    }

    /// Its one writing.
    ///
    /// # Errors
    /// A number beyond 2^53, which no clock and no counter comes to.
    pub fn write(&self) -> Result<String, Unread> {
        let json = serde_json::to_value(self).map_err(|e| Unread::Shape(e.to_string()))?;
        let bytes = canon(json)?.to_bytes_unbounded()?;
        String::from_utf8(bytes).map_err(|e| Unread::Shape(e.to_string()))
    }

    /// Reads one back.
    ///
    /// # Errors
    /// Whatever [`Decision::write`] would not have written.
    pub fn read(text: &str) -> Result<Self, Unread> {
        let json = json(Canon::parse_unbounded(text.as_bytes())?);
        let read: Self = serde_json::from_value(json).map_err(|e| Unread::Shape(e.to_string()))?;
        if read.deeds.is_empty() {
            return Err(Unread::Nothing);
        }
        if read.write()? == text { Ok(read) } else { Err(Unread::Otherwise) }
    }
}

/// A text cut into parts of at most [`MAX_PART`] bytes, each whole characters.
pub fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (part, after) = rest.split_at(rest.floor_char_boundary(MAX_PART));
        rest = after;
        Some(part)
    })
}

pub(crate) fn canon(json: Json) -> Result<Canon, Unread> {
    Ok(match json {
        Json::Bool(bool) => Canon::Bool(bool),
        Json::Number(number) => match number.as_i64() {
            Some(n) => Canon::Int(n),
            None => return Err(Unread::Shape(format!("the number {number}"))),
        },
        Json::String(text) => Canon::Text(text),
        Json::Array(list) => Canon::List(list.into_iter().map(canon).collect::<Result<_, _>>()?),
        Json::Object(map) => {
            let map = map.into_iter().map(|(key, value)| Ok((key, canon(value)?)));
            Canon::Map(map.collect::<Result<BTreeMap<_, _>, Unread>>()?)
        }
        Json::Null => return Err(Unread::Shape("a null".to_owned())),
    })
}

pub(crate) fn json(canon: Canon) -> Json {
    match canon {
        Canon::Bool(bool) => Json::Bool(bool),
        Canon::Int(n) => n.into(),
        Canon::Text(text) => Json::String(text),
        Canon::List(list) => Json::Array(list.into_iter().map(json).collect()),
        Canon::Map(map) => Json::Object(map.into_iter().map(|(k, v)| (k, json(v))).collect()),
    }
}
