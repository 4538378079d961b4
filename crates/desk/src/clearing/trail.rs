//! Which record speaks of which ticket: what a ticket's page follows to the log.
//!
//! The newest [`MAX_MARKS`] are kept, 16 bytes each. Of a ticket whose first records are older the log
//! itself has the rest.

use std::collections::VecDeque;

use shield::order::{Decision, Deed, TicketId};

/// The most marks that are kept.
pub(super) const MAX_MARKS: usize = 1_000_000;

/// The marks, in the order of the log.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Trail {
    pub(super) marks: VecDeque<(u64, TicketId)>,
    /// True where older ones were let go.
    pub(super) cut: bool,
}

impl Trail {
    /// Marks the tickets that a decision speaks of.
    pub(super) fn keep(&mut self, decision: &Decision, record: u64) {
        let mut last = None;
        for ticket in decision.deeds.iter().filter_map(Deed::ticket) {
            // One decision on many items of one ticket is one mark.
            if last.replace(ticket) == Some(ticket) {
                continue;
            }
            self.mark(ticket, record);
        }
    }

    /// Marks a ticket that a record speaks of.
    pub(super) fn mark(&mut self, ticket: TicketId, record: u64) {
        if self.marks.len() >= MAX_MARKS {
            self.marks.pop_front();
            self.cut = true;
        }
        self.marks.push_back((record, ticket));
    }

    /// The newest records about a ticket, at most so many, the oldest first; and whether there are more.
    pub(super) fn of(&self, ticket: TicketId, most: usize) -> (Vec<u64>, bool) {
        let mut found: Vec<u64> = Vec::new();
        for (record, _) in self.marks.iter().rev().filter(|(_, of)| *of == ticket) {
            if found.last() == Some(record) {
                continue;
            }
            if found.len() >= most {
                found.reverse();
                return (found, true);
            }
            found.push(*record);
        }
        found.reverse();
        (found, self.cut)
    }

    /// All records about a ticket, the oldest first.
    pub(super) fn all(&self, ticket: TicketId) -> Vec<u64> {
        let of = self.marks.iter().filter(|(_, of)| *of == ticket);
        let mut found: Vec<u64> = of.map(|(record, _)| *record).collect();
        found.dedup();
        found
    }
}

#[cfg(test)]
mod tests {
    use shield::order::words::{Organisation, Person};
    use shield::order::{Actor, ItemId, Moment, Role, Turn};

    use super::*;

    fn decision(tickets: &[u64]) -> Decision {
        let by = Actor {
            person: Person::new("the clearing house").unwrap(),
            organisation: Organisation::new("authority").unwrap(),
            role: Role::House,
        };
        let deed = |ticket: &u64| Deed::Turned {
            item: ItemId::new(TicketId(*ticket), 0),
            turn: Turn::Expired,
        };
        Decision { at: Moment(1), by, deeds: tickets.iter().map(deed).collect() }
    }

    #[test]
    fn a_ticket_is_followed_by_its_records_alone() {
        let mut trail = Trail::default();
        trail.keep(&decision(&[1, 1, 2, 1]), 5);
        trail.keep(&decision(&[2]), 6);
        trail.keep(&decision(&[1]), 7);
        assert_eq!(trail.of(TicketId(1), 10), (vec![5, 7], false));
        assert_eq!(trail.of(TicketId(1), 1), (vec![7], true));
        assert_eq!(trail.of(TicketId(3), 1), (vec![], false));
        assert_eq!(trail.all(TicketId(1)), [5, 7]);
    }

    #[test]
    fn the_oldest_marks_go_and_that_is_told() {
        let mut trail = Trail::default();
        for record in 0..=MAX_MARKS as u64 {
            trail.keep(&decision(&[record]), record);
        }
        assert_eq!(trail.marks.len(), MAX_MARKS);
        assert_eq!(trail.of(TicketId(0), 9), (vec![], true));
        assert_eq!(trail.of(TicketId(MAX_MARKS as u64), 9).0, [MAX_MARKS as u64]);
    }
}
