//! What was out here and may come again: after a stop that is resumed, a feed that fell silent, a lift that was taken
//! back. It was let in once, so that it is no flood when all of it comes back at once.

use std::collections::HashMap;

use super::MINUTE;
use super::value::Value;

/// Values that were opened before their end, and when that is.
#[derive(Debug, Clone, Default)]
pub(super) struct Again {
    ends: HashMap<Value, u64>,
    pruned: u64,
}

impl Again {
    /// Remembers a value that is opened before its end; `most` of them in all.
    pub(super) fn remember(&mut self, value: Value, ends: u64, now: u64, most: usize) {
        // All of them are looked at for room once a minute at most.
        if self.ends.len() >= most && now.saturating_sub(self.pruned) >= MINUTE {
            self.pruned = now;
            self.ends.retain(|_, ends| *ends > now);
        }
        if ends > now && self.ends.len() < most {
            self.ends.insert(value, ends);
        }
    }

    /// Whether a value was out here, and its end then is still to come. It is out again by that, and forgotten.
    pub(super) fn take(&mut self, value: &Value, now: u64) -> bool {
        self.ends.remove(value).is_some_and(|ends| ends > now)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_most_and_what_is_over_makes_room() {
        let mut again = Again::default();
        let value = |n: u8| Value::Address([192, 0, 2, n].into());
        for n in 0..3 {
            again.remember(value(n), 50_000, 0, 2);
        }
        assert_eq!(again.len(), 2);
        assert!(again.take(&value(0), 49_999) && !again.take(&value(0), 49_999));
        assert!(!again.take(&value(1), 50_000), "over");
        again.remember(value(4), 70_000, 50_000, 2);
        again.remember(value(5), 200_000, 50_000, 2);
        again.remember(value(6), 200_000, 69_999, 2);
        assert!(!again.take(&value(6), 69_999), "no room yet");
        again.remember(value(6), 200_000, 130_000, 2);
        assert!(again.take(&value(6), 130_000), "what was over made room");
    }
}
