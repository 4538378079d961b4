//! Which of two views is asked for: this ISP's own, or everybody's while there is no other.
//!
//! An own view that begins, or ends, is gone over to within the round in which that is seen. It is pure: what was
//! heard comes in, what is asked next comes out.

use std::time::Duration;

use shield::feed::ALL;
use shield::wire::Alarm;

use super::fetch::Fault;

/// How often, and after how long each time, an own view is looked for that everybody's says is there, and the other
/// view that is behind.
const LOOKS: usize = 8;
/// See [`LOOKS`].
const LOOK: Duration = Duration::from_millis(250);
/// The longest that all looks of a round take after its first answer, whatever each of them takes: other mirrors wait.
/// Half of it is for the view that was asked for, the rest for the other one.
pub(super) const LOOKING: Duration = Duration::from_secs(10);

/// Which view is asked for.
#[derive(Debug)]
pub(super) struct Which {
    /// This ISP's own, by the settings.
    own: String,
    /// The own one, or everybody's while there is no other.
    reads: String,
    /// The other one is asked for, in the place of one that was not to be had.
    instead: Option<Instead>,
    /// How often this one was behind in a row.
    behind: usize,
}

#[derive(Debug)]
struct Instead {
    /// The view that was not to be had, and why.
    before: String,
    fault: Fault,
    /// How often the other one is looked for yet.
    looks: usize,
}

/// What follows from a view that is not to be had, or not to be believed.
#[derive(Debug)]
pub(super) enum Next {
    /// The view that [`Which::reads`] is asked for after so long.
    Ask(Duration),
    /// Neither is: what is wrong.
    Fault(Fault),
}

impl Which {
    pub(super) fn new(own: &str) -> Self {
        Self { own: own.to_owned(), reads: own.to_owned(), instead: None, behind: 0 }
    }

    /// The view that is asked for.
    pub(super) fn reads(&self) -> &str {
        &self.reads
    }

    /// Another mirror is asked from here on: what one had, and had not, says nothing of it.
    pub(super) fn left(&mut self) {
        if let Some(instead) = self.instead.take() {
            self.reads = instead.before;
        }
        self.behind = 0;
    }

    /// What was asked for was believed: it is gone on with.
    pub(super) fn believed(&mut self) {
        (self.instead, self.behind) = (None, 0);
    }

    /// What was asked for is not to be had, or not to be believed: the other one is asked for, once; or more often,
    /// where everybody's says that it is there, or where it is behind. So long was `spent` since the round's first
    /// answer.
    pub(super) fn failed(&mut self, fault: Fault, spent: Duration) -> Next {
        let Some(mut instead) = self.instead.take() else {
            // Its cache comes up.
            if matches!(fault, Fault::Behind(..)) && self.behind < LOOKS && spent < LOOKING / 2 {
                self.behind += 1;
                return Next::Ask(LOOK);
            }
            self.behind = 0;
            if self.own == ALL
                || fault.is_others()
                || matches!(fault, Fault::Call(_) | Fault::Slow(..))
            {
                return Next::Fault(fault);
            }
            let other = if self.reads == self.own { ALL.to_owned() } else { self.own.clone() };
            let before = std::mem::replace(&mut self.reads, other);
            self.instead = Some(Instead { before, fault, looks: LOOKS });
            return Next::Ask(Duration::ZERO);
        };
        // Everybody's manifest may come through another cache than the own one, which it speaks of.
        let comes =
            matches!(fault, Fault::Behind(..)) || (fault.is_absent() && is_apart(&instead.fault));
        if comes && instead.looks > 1 && spent < LOOKING {
            instead.looks -= 1;
            self.instead = Some(instead);
            return Next::Ask(LOOK);
        }
        // Which of the two is the one to have, and so what is wrong: an own view that is said to be there, and is
        // not, is kept from this ISP.
        let (first, other) = (instead.fault, fault);
        let (is_own, fault) = match (is_apart(&first), is_apart(&other)) {
            (true, _) => (true, if other.is_absent() { first } else { other }),
            (_, true) => (true, if first.is_absent() { other } else { first }),
            // That the other one is behind explains nothing of what was wrong with this one.
            _ if matches!(other, Fault::Behind(..)) && !first.is_absent() => {
                (instead.before == self.own, first)
            }
            _ => (instead.before == self.own, if first.is_absent() { other } else { first }),
        };
        self.reads = if is_own { self.own.clone() } else { ALL.to_owned() };
        Next::Fault(fault)
    }
}

/// True where everybody's view says that there is an own one.
fn is_apart(fault: &Fault) -> bool {
    matches!(fault, Fault::Feed(Alarm::Apart(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GONE: Fault = Fault::Status { code: 404 };
    const SOON: Duration = Duration::ZERO;

    fn apart() -> Fault {
        Alarm::Apart("isp-1".to_owned()).into()
    }

    #[test]
    fn the_other_view_is_asked_for_once_and_gone_on_with_where_it_is_believed() {
        let mut which = Which::new("isp-1");
        assert_eq!(which.reads(), "isp-1");
        assert!(matches!(which.failed(GONE, SOON), Next::Ask(Duration::ZERO)));
        assert_eq!(which.reads(), ALL);
        which.believed();
        // An own view began.
        assert!(matches!(which.failed(apart(), SOON), Next::Ask(Duration::ZERO)));
        assert_eq!(which.reads(), "isp-1");
        which.believed();
        assert_eq!(which.reads(), "isp-1");
    }

    #[test]
    fn one_that_is_said_to_be_there_is_looked_for_some_times_and_then_kept_from_this_isp() {
        let mut which = Which::new("isp-1");
        which.failed(GONE, SOON);
        which.believed();
        which.failed(apart(), SOON);
        let asked =
            (0..100).take_while(|_| matches!(which.failed(GONE, SOON), Next::Ask(LOOK))).count();
        // The last of them is the fault.
        assert_eq!(asked, LOOKS - 1);
        assert_eq!(which.reads(), "isp-1");
    }

    #[test]
    fn one_that_is_behind_is_looked_for_until_it_comes_up() {
        let mut which = Which::new("isp-1");
        which.failed(GONE, SOON);
        let behind = || Fault::Behind(ALL.to_owned(), 1_000);
        let asked = (0..100)
            .take_while(|_| matches!(which.failed(behind(), SOON), Next::Ask(LOOK)))
            .count();
        assert_eq!((asked, which.reads()), (LOOKS - 1, "isp-1"));
        which.failed(GONE, SOON);
        assert!(matches!(which.failed(behind(), SOON), Next::Ask(LOOK)));
        which.believed();
        assert_eq!(which.reads(), ALL);
    }

    #[test]
    fn one_that_is_behind_hides_nothing_that_is_wrong_and_is_waited_for_by_itself() {
        let behind = || Fault::Behind(ALL.to_owned(), 1_000);
        let mut which = Which::new("isp-1");
        which.failed(Alarm::Back(1, 5).into(), SOON);
        let last = (0..100).find_map(|_| match which.failed(behind(), SOON) {
            Next::Ask(_) => None,
            Next::Fault(fault) => Some(fault.word()),
        });
        assert_eq!(last, Some("back"));
        // The one that is asked for is itself behind: it is asked again, and the other one after a while.
        let mut which = Which::new("isp-1");
        let asked = (0..100).take_while(|_| {
            matches!(which.failed(behind(), SOON), Next::Ask(LOOK)) && which.reads() == "isp-1"
        });
        assert_eq!(asked.count(), LOOKS);
        assert_eq!(which.reads(), ALL);
    }

    #[test]
    fn a_mirror_that_is_left_half_way_says_nothing_of_the_next_one() {
        let mut which = Which::new("isp-1");
        which.failed(GONE, SOON);
        assert_eq!(which.reads(), ALL);
        which.left();
        assert_eq!(which.reads(), "isp-1");
        // The next one has no own view either: everybody's is asked for, and nothing is wrong yet.
        assert!(matches!(which.failed(GONE, SOON), Next::Ask(Duration::ZERO)));
        which.believed();
        which.left();
        assert_eq!(which.reads(), ALL);
    }

    #[test]
    fn what_is_wrong_is_said_of_the_view_that_is_to_be_had() {
        let mut which = Which::new("isp-1");
        which.failed(GONE, SOON);
        let Next::Fault(fault) = which.failed(apart(), SOON) else { panic!() };
        assert_eq!((fault.word(), which.reads()), ("apart", "isp-1"));
        // Neither is there: the own one is asked for again.
        which.failed(GONE, SOON);
        let Next::Fault(fault) = which.failed(Fault::Status { code: 500 }, SOON) else { panic!() };
        assert_eq!((fault.word(), which.reads()), ("status", "isp-1"));
    }

    #[test]
    fn who_has_no_other_view_or_no_answer_asks_for_no_other() {
        let mut all = Which::new(ALL);
        assert!(matches!(all.failed(GONE, SOON), Next::Fault(_)));
        let mut own = Which::new("isp-1");
        assert!(matches!(own.failed(Fault::Slow(1, 1), SOON), Next::Fault(_)));
        assert!(matches!(own.failed(Fault::Status { code: 403 }, SOON), Next::Fault(_)));
        assert_eq!(own.reads(), "isp-1");
    }

    /// A mirror that takes its time over each look does not hold up the others for all of them.
    #[test]
    fn all_looks_together_have_one_bound() {
        let behind = || Fault::Behind(ALL.to_owned(), 1_000);
        // Each look takes two seconds.
        let looks = |which: &mut Which, fault: &dyn Fn() -> Fault| {
            let spent = |n: u32| Duration::from_secs(2) * n;
            (0..100)
                .take_while(|n| matches!(which.failed(fault(), spent(*n)), Next::Ask(_)))
                .count()
        };
        // Three of the view that was asked for within half of the time, and the other one until all of it is over.
        assert_eq!(looks(&mut Which::new("isp-1"), &behind), 5);
        let mut which = Which::new("isp-1");
        which.failed(GONE, SOON);
        which.believed();
        which.failed(apart(), SOON);
        assert_eq!(looks(&mut which, &|| GONE), 5);
        assert_eq!(which.reads(), "isp-1");
    }
}
