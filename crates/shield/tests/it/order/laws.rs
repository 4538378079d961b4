//! What holds whatever is commanded, in whatever order, by whomever.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::driven::{Counts, drive};

#[test]
fn no_history_breaks_what_the_machine_promises() {
    let runs = std::env::var("VIGIE_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(600);
    let totals = std::cell::RefCell::new(Counts::default());
    let config = Config { cases: runs, max_shrink_iters: 20_000, ..Config::default() };
    let bytes = prop::collection::vec(any::<u8>(), 200..1_500);
    let ran = TestRunner::new(config).run(&bytes, |bytes| {
        let counts = drive(&bytes);
        totals.borrow_mut().add(&counts);
        Ok(())
    });
    if let Err(error) = ran {
        panic!("{error}");
    }
    let totals = totals.into_inner();
    println!("machine runs={runs} {totals:?}");
    // What the promises are about must have happened.
    if runs >= 100 {
        let runs = u64::from(runs);
        assert!(totals.released > runs && totals.lifted > runs / 4, "{totals:?}");
        assert!(totals.addresses > runs / 10 && totals.suspended > runs / 100, "{totals:?}");
        assert!(totals.renewed > runs / 100 && totals.resumed > runs / 10, "{totals:?}");
        assert!(totals.deltas > runs && totals.resets > runs, "{totals:?}");
    }
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.commands += other.commands;
        self.refused += other.refused;
        self.released += other.released;
        self.addresses += other.addresses;
        self.approved += other.approved;
        self.lifted += other.lifted;
        self.expired += other.expired;
        self.suspended += other.suspended;
        self.renewed += other.renewed;
        self.resumed += other.resumed;
        self.deltas += other.deltas;
        self.resets += other.resets;
    }
}
