//! A promotion, as an ISP sees it that has a view of its own.

use std::sync::{Arc, Mutex};

use shield::feed::ALL;
use shield::wire::{Alarm, Bounds, Follower, Manifest};

use super::*;
use crate::clearing::publish::tests::{addressed, bytes_below, followed};
use crate::clearing::publish::{Publisher, feed_key};

fn manifest(folder: &Path, view: &str, key: &VerifierKey) -> Manifest {
    let text = std::fs::read_to_string(folder.join(view).join("manifest")).unwrap();
    Manifest::open(&text, key).unwrap()
}

#[test]
fn an_own_view_goes_on_over_a_promotion_and_nothing_is_opened_or_seen_of_anothers() {
    let [a, b, c] = ["a", "b", "c"].map(|name| format!("{name}.stream-cup.example"));
    let bench = Bench::new();
    bench.named();
    let following = bench.follow(SECRET);
    bench.waits(true);
    let first = place(bench.temp.path());
    let (authority, log) = bench
        .keeper
        .look(|house| {
            let case = house.case();
            (case.authority().to_owned(), case.signer().unwrap().verifier())
        })
        .unwrap();
    let key = feed_key(&first.home, &authority).unwrap();
    let policy = ledger::Policy { log, witnesses: Vec::new(), quorum: 0 };
    let mut asks = reported(&[&a]);
    asks.extend([addressed(&b, &["fibre"]), addressed(&c, &["cable"])]);
    assert!(bench.act(asks).iter().all(|done| done.is_ok()));
    for ticket in 0..3 {
        let item = ItemId::new(TicketId(ticket), 0);
        let asks = bench.keeper.look(move |house| released(house, item)).unwrap();
        assert!(bench.act(asks).iter().all(|done| done.is_ok()));
    }
    let folder = bench.temp.path().join("feed");
    let publisher = Arc::new(Mutex::new(Publisher::new(&folder, key.clone()).unwrap()));
    let beat = || {
        let publisher = Arc::clone(&publisher);
        let beat = move |house: &mut House| {
            let now = house.now();
            publisher.lock().unwrap().beat(house, now, &mut |_| ()).unwrap();
            now
        };
        bench.keeper.look(beat).unwrap()
    };
    let mut now = beat();
    let own = ["fibre", "cable"];
    let mut isps = own.map(|view| Follower::new(view, Bounds::default(), Vec::new()));
    let whole = [[a.clone(), b.clone()], [a.clone(), c.clone()]];
    for ((isp, view), all) in isps.iter_mut().zip(own).zip(&whole) {
        let said = manifest(&folder, view, &key.verifier());
        assert_eq!(followed((&folder, &policy), &said, isp, now).0, *all);
    }

    // The house dies after a last beat; its standby has all of it, and the authority's folder by a backup.
    let _ = following.end();
    bench.waits(false);
    now = now.max(beat());
    let old = own.map(|view| manifest(&folder, view, &key.verifier()));
    let mut at = place(bench.temp.path());
    (at.case, at.home) = (bench.copy(), bench.second_home());
    House::promote(&at, &vera(), &grounds()).unwrap().close().unwrap();
    let mut second = House::open(&at).unwrap();
    second.begin().unwrap();
    second.show().unwrap();
    let there = bench.temp.path().join("feed-2");
    let key = feed_key(&at.home, &authority).unwrap();
    let mut publisher = Publisher::new(&there, key.clone()).unwrap();
    let mut puts = Vec::new();
    let mut put = |put: crate::clearing::publish::Put<'_>| puts.push(format!("{put:?}"));
    publisher.beat(&second, second.now(), &mut put).unwrap();
    let stands = |view: &str| format!("Stands({view:?})");
    // Own views stand before everybody's is there, and says so.
    assert_eq!(puts, [stands("cable"), stands("fibre"), stands(ALL)]);
    now = now.max(second.now());
    for (((isp, view), all), old) in isps.iter_mut().zip(own).zip(&whole).zip(&old) {
        // Whoever hands on everybody's first is not believed, and nothing is let go of for it.
        let everybody = manifest(&there, ALL, &key.verifier());
        assert_eq!(isp.hear(&everybody, now, 0), Err(Alarm::Apart(view.to_owned())));
        let said = manifest(&there, view, &key.verifier());
        assert!(said.place.epoch >= GENERATION && old.place.epoch < GENERATION);
        assert_eq!(followed((&there, &policy), &said, isp, now), (all.to_vec(), Vec::new()));
        assert_eq!(isp.reads(), view);
        // The machine before goes on to say its own: that is over.
        assert!(matches!(isp.hear(old, now, 0), Err(Alarm::Back(..))));
    }
    for (view, others) in [("fibre", &c), ("cable", &b)] {
        let bytes = bytes_below(&there.join(view));
        assert!(!bytes.windows(others.len()).any(|piece| piece == others.as_bytes()), "{view}");
    }
    second.close().unwrap();
    bench.close();
}
