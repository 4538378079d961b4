//! The laws, whatever frames come at whatever times; and each rule by itself.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::*;

fn kept(limits: Limits) -> Kept {
    let protected = Protected::new(&["isp.example", "*.bank.example", "203.0.113.0/24"]).unwrap();
    let mut kept = Kept::new(limits, protected);
    done(&mut kept, Frame::Hello { epoch: 1, serial: 1 }, 0);
    done(&mut kept, Frame::Alive { silence_ms: 600_000 }, 0);
    kept
}

fn block(value: &str, for_ms: u64) -> Frame {
    Frame::Block { value: value.to_owned(), for_ms }
}

fn lift(value: &str) -> Frame {
    Frame::Lift { value: value.to_owned() }
}

fn name(text: &str) -> Value {
    Value::Name(text.parse().unwrap())
}

fn done(kept: &mut Kept, frame: Frame, now: u64) -> Vec<Change> {
    let taken = kept.take(frame, now);
    assert_eq!(taken.outcome, Outcome::Done);
    taken.changes
}

fn refusal(kept: &mut Kept, frame: Frame, now: u64) -> &'static str {
    let taken = kept.take(frame, now);
    assert_eq!(taken.changes, []);
    match taken.outcome {
        Outcome::Refused(refused) => refused.word(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_value_ends_at_its_deadline_and_not_before() {
    let mut kept = kept(Limits::default());
    let tv = name("tv.example");
    assert_eq!(done(&mut kept, block("tv.example", 500), 100), [Change::Block(tv.clone())]);
    assert_eq!(kept.next_due(), Some(600));
    assert_eq!(kept.due(599), []);
    assert_eq!(kept.due(600), [Change::Open(tv.clone())]);
    // Said again, it lives as long as was said last: longer, or less long.
    done(&mut kept, block("tv.example", 500), 1000);
    assert_eq!(done(&mut kept, block("tv.example", 900), 1000), []);
    assert_eq!(kept.due(1600), []);
    assert_eq!(done(&mut kept, block("tv.example", 10), 1600), []);
    assert_eq!(kept.due(1610), [Change::Open(tv.clone())]);
    // No word before the last one ends it either.
    for life in [900, 500, 800] {
        done(&mut kept, block("tv.example", life), 2000);
    }
    assert_eq!((kept.due(2799), kept.next_due()), (vec![], Some(2800)));
    assert_eq!(done(&mut kept, block("tv.example", 0), 2799), [Change::Open(tv)]);
}

#[test]
fn silence_opens_all_and_only_alive_ends_it() {
    let mut kept = kept(Limits { silence_ms: 1000, ..Limits::default() });
    // The settings' limit holds, not the ten minutes that were said before anything was out.
    assert_eq!(kept.status(0).silence_in_ms, Some(1000));
    done(&mut kept, block("tv.example", MAX_LIFE), 0);
    done(&mut kept, Frame::Hello { epoch: 1, serial: 2 }, 900);
    done(&mut kept, block("b.example", MAX_LIFE), 999);
    assert_eq!(kept.due(1000).len(), 2);
    assert_eq!(kept.status(1000).silences, 1);
    assert_eq!(refusal(&mut kept, block("tv.example", 5), 1001), "silent");
    assert_eq!(refusal(&mut kept, Frame::Whole {}, 1001), "silent");
    done(&mut kept, Frame::Alive { silence_ms: 300 }, 1002);
    done(&mut kept, block("tv.example", 5000), 1002);
    assert_eq!(kept.due(1302).len(), 1, "a shorter silence than the settings' is heeded");
}

#[test]
fn what_may_not_be_blocked_is_not() {
    let mut kept = kept(Limits::default());
    for (value, word) in [
        ("*.tv.example", "wildcard"),
        ("198.51.100.0/24", "cidr"),
        ("198.51.100.7", "address"),
        ("198.51.100.7:443", "address"),
        ("2001:db8::/32", "cidr"),
        ("example", "single_label"),
        ("", "empty"),
        ("_dmarc.tv.example", "underscore"),
        ("TV.example", "writing"),
        ("tv.example.", "writing"),
        ("https://tv.example/x", "writing"),
        ("32.7.100.51.198.rpz-ip", "zone"),
        ("tv.example.rpz-nsdname", "zone"),
        ("isp.example", "protected"),
        ("bank.example", "protected"),
        ("www.bank.example", "protected"),
        ("tv.example\n", "writing"),
    ] {
        assert_eq!(refusal(&mut kept, block(value, 60_000), 0), word, "{value}");
    }
    assert_eq!(refusal(&mut kept, block("tv.example", MAX_LIFE + 1), 0), "long");
    assert_eq!(kept.status(0).refused, 18);
    assert_eq!(kept.due(u64::MAX), []);
}

#[test]
fn an_address_is_kept_where_something_holds_it_and_only_a_hosts_own() {
    let limits = |addresses| Limits { addresses, ..Limits::default() };
    let mut kept = kept(limits(Addresses::Public));
    for (value, word) in [
        ("198.51.100.7", "special"),
        ("10.0.0.1", "special"),
        ("127.0.0.1:80", "special"),
        ("::ffff:1.1.1.1", "special"),
        ("fe80::1", "special"),
        ("198.51.100.7/32", "cidr"),
        ("1.1.1.0/24", "cidr"),
        ("2606:4700::/32", "cidr"),
        ("2606:4700:0::7", "writing"),
        ("1.1.1.1:0", "port"),
    ] {
        assert_eq!(refusal(&mut kept, block(value, 60_000), 0), word, "{value}");
    }
    for value in ["1.1.1.1", "1.1.1.1:443", "2606:4700::7", "[2606:4700::7]:443"] {
        assert_eq!(done(&mut kept, block(value, 60_000), 0).len(), 1, "{value}");
    }
    let status = kept.status(0);
    assert!(status.takes_addresses && (status.out, status.addresses) == (4, 4), "{status:?}");
    assert_eq!(kept.left(&Value::Address([1, 1, 1, 1].into())), Some(60_000));
    assert_eq!(done(&mut kept, lift("1.1.1.1"), 1).len(), 1);
    assert_eq!(kept.due(60_000).len(), 3);
    let mut practice = self::kept(limits(Addresses::Practice));
    done(&mut practice, block("198.51.100.7", 60_000), 0);
    assert_eq!(refusal(&mut practice, block("203.0.113.7:80", 60_000), 0), "protected");
}

#[test]
fn an_older_feed_is_refused() {
    let mut kept = kept(Limits::default());
    done(&mut kept, Frame::Hello { epoch: 7, serial: 5 }, 0);
    assert_eq!(refusal(&mut kept, Frame::Hello { epoch: 6, serial: 9 }, 0), "older");
    assert_eq!(refusal(&mut kept, Frame::Hello { epoch: 7, serial: 4 }, 0), "older");
    done(&mut kept, Frame::Hello { epoch: 7, serial: 5 }, 0);
    done(&mut kept, Frame::Hello { epoch: 8, serial: 0 }, 0);
    let mut fresh = Kept::new(Limits::default(), Protected::default());
    assert_eq!(refusal(&mut fresh, block("tv.example", 5), 0), "no_hello");
    assert_eq!(refusal(&mut fresh, Frame::Alive { silence_ms: 5 }, 0), "no_hello");
}

#[test]
fn what_a_new_follower_does_not_send_again_is_opened_when_it_has_sent_all() {
    let mut kept = kept(Limits::default());
    done(&mut kept, block("stays.example", 90_000), 0);
    done(&mut kept, block("goes.example", 90_000), 0);
    done(&mut kept, Frame::Whole {}, 0);
    assert!(!kept.status(0).filling);
    assert_eq!(done(&mut kept, Frame::Hello { epoch: 1, serial: 2 }, 1), []);
    assert_eq!(done(&mut kept, block("stays.example", 80_000), 2), []);
    assert_eq!(done(&mut kept, Frame::Whole {}, 3), [Change::Open(name("goes.example"))]);
}

#[test]
fn a_flood_is_held_until_an_operator_lets_it_in() {
    let limits = Limits { additions_a_minute: 3, fill: 2, ..Limits::default() };
    let mut kept = kept(limits);
    let fate = |kept: &mut Kept, n: u64, now| {
        kept.take(block(&format!("n{n}.example"), 300_000), now).outcome
    };
    // The first list, then the minute's bound.
    let fates: Vec<_> = (0..7).map(|n| fate(&mut kept, n, 500)).collect();
    assert!(fates[..5].iter().all(|fate| *fate == Outcome::Done), "{fates:?}");
    assert_eq!(fates[5..], [Outcome::Held, Outcome::Held]);
    assert_eq!(fate(&mut kept, 6, 501), Outcome::Held, "said again, it goes on waiting");
    done(&mut kept, Frame::Whole {}, 502);
    assert_eq!((kept.status(502).out, kept.status(502).held), (5, 2));
    assert_eq!(fate(&mut kept, 8, 60_999), Outcome::Held);
    assert_eq!(fate(&mut kept, 9, 61_000), Outcome::Done, "a minute later");
    // What waits can be lifted, and expires; what is let in is out for the rest of its life.
    assert_eq!(done(&mut kept, lift("n5.example"), 61_001), []);
    let let_in: HashSet<_> = done(&mut kept, Frame::Release {}, 61_002).into_iter().collect();
    let both = ["n6.example", "n8.example"].map(|text| Change::Block(name(text)));
    assert_eq!(let_in, HashSet::from(both));
    assert_eq!(kept.status(61_002).held, 0);
}

#[test]
fn what_was_out_comes_back_at_once_after_a_stop_a_silence_or_a_lift_that_was_taken_back() {
    let again = |open: fn(&mut Kept)| {
        let mut kept = kept(Limits { additions_a_minute: 2, fill: 5, ..Limits::default() });
        for n in 0..5 {
            done(&mut kept, block(&format!("n{n}.example"), 900_000), 0);
        }
        done(&mut kept, Frame::Whole {}, 0);
        open(&mut kept);
        assert_eq!(kept.status(700_000).out, 0);
        done(&mut kept, Frame::Hello { epoch: 1, serial: 9 }, 700_000);
        done(&mut kept, Frame::Alive { silence_ms: 600_000 }, 700_000);
        let fates = (0..8).map(|n| {
            let taken = kept.take(block(&format!("n{n}.example"), 200_000), 700_000);
            (taken.outcome, taken.changes.len())
        });
        let fates: Vec<_> = fates.collect();
        // Those five, and of the new ones as many as a minute takes.
        let (out, held) = ((Outcome::Done, 1), (Outcome::Held, 0));
        assert_eq!(fates, [vec![out.clone(); 7], vec![held]].concat());
        kept
    };
    again(|kept| assert_eq!(done(kept, Frame::Clear {}, 1).len(), 5));
    again(|kept| assert_eq!(kept.due(700_000).len(), 5));
    again(|kept| {
        done(kept, Frame::Hello { epoch: 1, serial: 8 }, 1);
        assert_eq!(done(kept, Frame::Whole {}, 1).len(), 5);
    });
    let mut kept = again(|kept| {
        for n in 0..5 {
            done(kept, lift(&format!("n{n}.example")), 1);
        }
    });
    // Past the end that it was let in with it is an addition like any other; so is what came back once already.
    assert_eq!(kept.due(900_000).len(), 7);
    done(&mut kept, Frame::Alive { silence_ms: 600_000 }, 900_000);
    for (n, fate) in [(0, Outcome::Done), (1, Outcome::Done), (2, Outcome::Held)] {
        assert_eq!(kept.take(block(&format!("n{n}.example"), 9_000), 900_000).outcome, fate);
    }
}

#[test]
fn a_list_that_is_read_anew_opens_what_it_protects_and_no_more() {
    let mut kept = kept(Limits { additions_a_minute: 0, ..Limits::default() });
    for name in ["www.shop.example", "tv.example"] {
        done(&mut kept, block(name, 90_000), 0);
    }
    done(&mut kept, Frame::Whole {}, 0);
    let list = |rules: &[&str]| Protected::new(rules).unwrap();
    let wide =
        ["isp.example", "*.bank.example", "203.0.113.0/24", "*.shop.example # a customer called"];
    let opened = vec![Change::Open(name("www.shop.example"))];
    assert_eq!(kept.protect(list(&wide), 1), (opened, false));
    let refused = refusal(&mut kept, block("www.shop.example", 90_000), 1);
    assert_eq!((refused, kept.status(1).protected), ("protected", 4));
    // Taken out of it again, it may be blocked: so that is to be asked of whoever follows. It comes as any other.
    assert_eq!(kept.protect(list(&wide[..3]), 2), (vec![], true));
    assert_eq!(kept.take(block("www.shop.example", 90_000), 2).outcome, Outcome::Held);
    assert!(kept.is_out(&name("tv.example")));
    // What waits for an operator is gone with it, too.
    assert_eq!(kept.protect(list(&wide), 3), (vec![], false));
    assert_eq!(kept.status(3).held, 0);
}

#[test]
fn there_is_a_most() {
    let mut kept = kept(Limits { values: 2, ..Limits::default() });
    done(&mut kept, block("a.example", 100), 0);
    done(&mut kept, block("b.example", 200), 0);
    assert_eq!(refusal(&mut kept, block("c.example", 100), 0), "full");
    done(&mut kept, block("b.example", 300), 0);
    // What is over makes room.
    assert_eq!(kept.take(block("c.example", 100), 100).changes.len(), 2);
}

/// A frame of any kind about few values, and how long after the one before it comes.
fn frames() -> impl Strategy<Value = Vec<(Frame, u64)>> {
    let value = prop_oneof![
        (0..6u8).prop_map(|n| format!("n{n}.example")),
        Just("198.51.100.7".to_owned()),
        Just("[2001:db8::7]:443".to_owned()),
        Just("203.0.113.9:80".to_owned()),
        Just("isp.example".to_owned()),
        Just("a.bank.example".to_owned()),
        Just("*.n1.example".to_owned()),
        ".{0,12}",
    ];
    let life = prop_oneof![0..90_000u64, Just(MAX_LIFE), Just(u64::MAX)];
    let frame = prop_oneof![
        1 => (0..3u64, 0..3u64).prop_map(|(epoch, serial)| Frame::Hello { epoch, serial }),
        2 => (0..120_000u64).prop_map(|silence_ms| Frame::Alive { silence_ms }),
        8 => (value.clone(), life).prop_map(|(value, for_ms)| Frame::Block { value, for_ms }),
        2 => value.prop_map(|value| Frame::Lift { value }),
        1 => Just(Frame::Whole {}),
        1 => Just(Frame::Clear {}),
        1 => Just(Frame::Release {}),
    ];
    prop::collection::vec((frame, prop_oneof![Just(0), 0..40_000u64]), 0..80)
}

proptest! {
    /// Beside a model that remembers only what was said last of each value and of the feed.
    #[test]
    fn nothing_is_out_past_its_word(frames in frames(), most in 0..5u64, fill in 0..4u64, values in 1..6usize) {
        const SILENCE: u64 = 100_000;
        let limits = Limits { silence_ms: SILENCE, additions_a_minute: most, fill, values, addresses: Addresses::Practice };
        let mut kept = kept(limits);
        let (mut said, mut silent_at) = (HashMap::<String, u64>::new(), SILENCE);
        let (mut out, mut were, mut ever) = (HashSet::new(), HashMap::new(), HashSet::new());
        let (mut now, mut added, mut releases) = (0, Vec::new(), 0);
        for (frame, later) in frames {
            now += later;
            // The clock alone, on the way: what it ends is what the values' words end.
            for change in kept.due(now) {
                let Change::Open(name) = change else { panic!("the clock blocks nothing") };
                prop_assert!(out.remove(&name));
                were.insert(name.to_string(), said[&name.to_string()]);
            }
            let taken = kept.take(frame.clone(), now);
            for change in taken.changes {
                match change {
                    Change::Block(name) => {
                        ever.insert(name.to_string());
                        prop_assert!(out.insert(name));
                    }
                    Change::Open(name) => {
                        prop_assert!(out.remove(&name));
                        were.insert(name.to_string(), said[&name.to_string()]);
                    }
                }
            }
            let fine = !matches!(taken.outcome, Outcome::Refused(_));
            match frame {
                Frame::Block { value, for_ms } if fine => {
                    if !said.contains_key(&value) && for_ms > 0 {
                        // Who was out, and would be yet, is let in whatever else came.
                        let again = were.remove(&value).is_some_and(|ends| ends > now);
                        let is_out = taken.outcome == Outcome::Done;
                        prop_assert!(is_out || !again || ever.len() > values, "{value} waits");
                        if is_out && !again {
                            added.push(now);
                        }
                    }
                    said.insert(value, now + for_ms);
                }
                Frame::Lift { value } if fine => {
                    said.remove(&value);
                    prop_assert!(!out.iter().any(|name| name.to_string() == value), "a lift wins");
                }
                Frame::Alive { silence_ms } if fine => silent_at = now + silence_ms.min(SILENCE),
                Frame::Clear {} => said.clear(),
                Frame::Release {} => releases += 1,
                _ => {}
            }
            said.retain(|_, deadline| *deadline > now);
            if silent_at <= now {
                said.clear();
            }
            prop_assert!(silent_at > now || out.is_empty(), "out in silence");
            for name in &out {
                let text = name.to_string();
                prop_assert!(said.get(&text).is_some_and(|deadline| *deadline > now), "{text} is out at {now}");
                prop_assert!(text != "isp.example" && !text.ends_with("bank.example"));
                prop_assert!(!text.starts_with("203.0.113."));
                prop_assert!(kept.left(name).is_some_and(|left| left > 0 && now + left <= said[&text].min(silent_at)));
                prop_assert!(kept.is_out(name));
            }
            let status = kept.status(now);
            prop_assert_eq!(status.out, out.len() as u64);
            let addresses = out.iter().filter(|value| value.address().is_some()).count() as u64;
            prop_assert_eq!(status.addresses, addresses);
            prop_assert_eq!(kept.all_out().cloned().collect::<HashSet<_>>(), out.clone());
            prop_assert!(status.out + status.held <= values as u64);
            if let Some(at) = kept.next_due() {
                prop_assert!(at > now);
            }
            let lately = added.iter().filter(|at| **at + MINUTE > now).count() as u64;
            prop_assert!(releases > 0 || lately <= most + fill);
        }
        prop_assert!(kept.due(u64::MAX).into_iter().all(|change| matches!(change, Change::Open(name) if out.remove(&name))));
        prop_assert!(out.is_empty());
    }
}
