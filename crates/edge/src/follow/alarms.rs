//! What is wrong now, and since when. Each is told once when it begins and once when it is over, however
//! often it is found in between.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The most that stand at once; each place has few words, so that they are never reached but by a fault.
pub const MAX_ALARMS: usize = 256;
/// The longest message kept, in characters.
const MAX_MESSAGE: usize = 400;

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raised {
    /// Where: a mirror's address, `clock`, `keep`, `disk` or `feed`.
    pub place: String,
    /// Its name.
    pub word: String,
    /// What is wrong, as it was found last.
    pub message: String,
    /// Since when, in milliseconds since 1970.
    pub since: i64,
    /// How often it was found.
    pub times: u64,
}

/// All that stand.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    standing: BTreeMap<(String, &'static str), Raised>,
    /// How many were ever raised.
    ever: u64,
}

impl Alarms {
    /// Something is wrong; gives the line to tell, where it is news.
    pub(super) fn raise(
        &mut self,
        place: &str,
        word: &'static str,
        message: &dyn std::fmt::Display,
        since: i64,
    ) -> Option<String> {
        let message: String = message.to_string().chars().take(MAX_MESSAGE).collect();
        let full = self.standing.len() >= MAX_ALARMS;
        let key = (place.to_owned(), word);
        if let Some(raised) = self.standing.get_mut(&key) {
            raised.times = raised.times.saturating_add(1);
            raised.message = message;
            return None;
        }
        self.ever += 1;
        let line = format!("{place}: {message}");
        if !full {
            let (place, word_) = (place.to_owned(), word.to_owned());
            self.standing.insert(key, Raised { place, word: word_, message, since, times: 1 });
        }
        Some(line)
    }

    /// A place is well again; gives the line to tell, where that is news.
    pub(super) fn settle(&mut self, place: &str) -> Option<String> {
        let before = self.standing.len();
        self.standing.retain(|(at, _), _| at != place);
        (self.standing.len() < before).then(|| format!("{place}: well again"))
    }

    pub(super) fn standing(&self) -> Vec<Raised> {
        self.standing.values().cloned().collect()
    }

    pub(super) fn ever(&self) -> u64 {
        self.ever
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_once_and_its_end_once() {
        let mut alarms = Alarms::default();
        let line = alarms.raise("https://a", "back", &"an old one", 7).unwrap();
        assert_eq!(line, "https://a: an old one");
        assert_eq!(alarms.raise("https://a", "back", &"an older one", 9), None);
        assert!(alarms.raise("clock", "clock", &"off", 9).is_some());
        let standing = alarms.standing();
        assert_eq!((standing.len(), alarms.ever()), (2, 2));
        let back = standing.iter().find(|raised| raised.word == "back").unwrap();
        assert_eq!((back.since, back.times, back.message.as_str()), (7, 2, "an older one"));
        assert_eq!(alarms.settle("https://a").as_deref(), Some("https://a: well again"));
        assert_eq!(alarms.settle("https://a"), None);
        assert_eq!(alarms.standing().len(), 1);
    }

    #[test]
    fn they_are_bounded() {
        let mut alarms = Alarms::default();
        for n in 0..MAX_ALARMS + 9 {
            assert!(alarms.raise(&n.to_string(), "back", &"x".repeat(9_000), 0).is_some());
        }
        let standing = alarms.standing();
        assert_eq!(standing.len(), MAX_ALARMS);
        assert!(standing.iter().all(|raised| raised.message.len() == MAX_MESSAGE));
    }
}
