//! Which records speak of which exception: who proposed it and why, who approved it, and what was lifted by that
//! stand there.
//!
//! Two numbers for each exception that stands, so at most [`MAX_EXCEPTIONS`] of them; of those that were revoked the
//! newest [`MAX_REVOKED`].
//!
//! [`MAX_EXCEPTIONS`]: shield::order::exceptions::MAX_EXCEPTIONS

use std::collections::{BTreeMap, VecDeque};

use shield::order::exceptions::Cover;
use shield::order::{Decision, Deed};

/// The most revocations that are remembered; the log has all of them.
pub(super) const MAX_REVOKED: usize = 200;

/// The records of an exception that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Of {
    /// In which it was proposed.
    pub(super) proposed: u64,
    /// In which it was approved, with what that lifted.
    pub(super) approved: Option<u64>,
}

/// The records of all of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Excepted {
    pub(super) standing: BTreeMap<Cover, Of>,
    /// In which exceptions were revoked or taken back, the newest last.
    pub(super) revoked: VecDeque<u64>,
}

impl Excepted {
    /// Follows a decision that a record holds or ends.
    pub(super) fn keep(&mut self, decision: &Decision, record: u64) {
        for deed in &decision.deeds {
            match deed {
                Deed::ExceptionProposed { cover, .. } => {
                    let of = Of { proposed: record, approved: None };
                    self.standing.insert(cover.clone(), of);
                }
                Deed::ExceptionApproved { cover } => {
                    if let Some(of) = self.standing.get_mut(cover) {
                        of.approved = Some(record);
                    }
                }
                Deed::ExceptionRevoked { cover, .. } => {
                    self.standing.remove(cover);
                    self.revoke(record);
                }
                _ => {}
            }
        }
    }

    fn revoke(&mut self, record: u64) {
        if self.revoked.len() >= MAX_REVOKED {
            self.revoked.pop_front();
        }
        self.revoked.push_back(record);
    }
}

#[cfg(test)]
mod tests {
    use shield::order::words::{Grounds, Organisation, Person};
    use shield::order::{Actor, Moment, Role};

    use super::*;

    fn decision(deed: Deed) -> Decision {
        let by = Actor {
            person: Person::new("ivo").unwrap(),
            organisation: Organisation::new("isp").unwrap(),
            role: Role::Isp,
        };
        Decision { at: Moment(1), by, deeds: vec![deed] }
    }

    #[test]
    fn an_exception_is_followed_to_its_records_and_the_oldest_revocations_go() {
        let cover: Cover = "*.shop.example".parse().unwrap();
        let grounds = Grounds::new("theirs").unwrap();
        let proposed = || Deed::ExceptionProposed {
            cover: cover.clone(),
            until: None,
            grounds: grounds.clone(),
        };
        let mut kept = Excepted::default();
        kept.keep(&decision(proposed()), 3);
        assert_eq!(kept.standing[&cover], Of { proposed: 3, approved: None });
        kept.keep(&decision(Deed::ExceptionApproved { cover: cover.clone() }), 5);
        assert_eq!(kept.standing[&cover], Of { proposed: 3, approved: Some(5) });
        // Proposed anew, once its time is over: nobody approved that one.
        kept.keep(&decision(proposed()), 6);
        assert_eq!(kept.standing[&cover], Of { proposed: 6, approved: None });
        for record in 7..=7 + MAX_REVOKED as u64 {
            let (cover, grounds) = (cover.clone(), grounds.clone());
            kept.keep(&decision(Deed::ExceptionRevoked { cover, grounds }), record);
        }
        assert!(kept.standing.is_empty());
        assert_eq!((kept.revoked.len(), kept.revoked[0]), (MAX_REVOKED, 8));
    }
}
