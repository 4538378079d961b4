use super::*;
use proptest::prelude::*;

const DAY: i64 = 86_400_000;

fn stamp(minute: i64) -> Stamp {
    Stamp {
        local_ms: 20_000 * DAY + minute * 60_000,
        offset_min: Some(60),
        precision: crate::time::Precision::Minute,
    }
}

fn step(record: u64, minute: i64, from: Option<&str>, to: &str) -> Step {
    Step {
        record,
        at: Some(stamp(minute)),
        recorded: stamp(minute + 1),
        from: from.map(str::to_owned),
        to: to.to_owned(),
        place: "safe".into(),
        seal_before: Some("S".into()),
        seal_after: Some("S".into()),
        reason: None,
        proofs: from.map(|_| [Proof::Signed; 2]),
    }
}

fn holders(chain: &Chain, minute: i64) -> Vec<&str> {
    chain.at(&Asked(stamp(minute))).iter().map(|s| s.holder.as_str()).collect()
}

#[test]
fn who_had_it_is_answered_for_each_moment() {
    let chain = chain(vec![
        step(1, 0, None, "a"),
        step(2, 10, Some("a"), "b"),
        step(3, 20, Some("b"), "a"),
    ]);
    assert_eq!(chain.faults, []);
    assert_eq!(holders(&chain, -1), Vec::<&str>::new());
    assert_eq!(holders(&chain, 0), ["a"]);
    assert_eq!(holders(&chain, 9), ["a"]);
    assert_eq!(holders(&chain, 10), ["b"]);
    assert_eq!(holders(&chain, 500), ["a"]);
    assert_eq!(chain.now().len(), 1);
    // Without a zone: by the clock that the hand-overs were written by.
    let wall = Stamp { offset_min: None, ..stamp(15) };
    assert_eq!(chain.at(&Asked(wall))[0].holder, "b");
    let utc = Stamp { offset_min: Some(0), ..stamp(15) };
    assert_eq!(chain.at(&Asked(utc))[0].holder, "a", "an hour later by that clock");
}

#[test]
fn a_receipt_that_is_recorded_late_breaks_nothing() {
    let chain = chain(vec![
        step(1, 0, None, "a"),
        step(2, 20, Some("b"), "c"),
        step(3, 10, Some("a"), "b"),
    ]);
    assert_eq!(chain.faults, []);
    assert_eq!(holders(&chain, 15), ["b"]);
    assert_eq!(holders(&chain, 25), ["c"]);
}

#[test]
fn each_fault_has_its_name() {
    let of = |steps: Vec<Step>| chain(steps).faults;
    let from = |who: &str| (vec![who.to_owned()], "x".to_owned());
    let (held_by, x) = from("b");
    let start = || vec![step(1, 0, None, "a"), step(2, 10, Some("a"), "b")];
    let with = |extra: Step| [start(), vec![extra]].concat();

    let gap = with(step(3, 20, Some("x"), "c"));
    assert_eq!(of(gap.clone()), [(3, Fault::Gap { held_by: held_by.clone(), from: x })]);
    let found = chain(gap);
    assert!(found.stints[1].lost, "when b let go is not known");
    assert_eq!(holders(&found, 15), ["b"]);
    assert_eq!(holders(&found, 25), ["c"]);

    let twice = with(step(3, 20, Some("a"), "c"));
    assert_eq!(of(twice.clone()), [(3, Fault::Overlap { held_by, from: "a".into() })]);
    assert_eq!(holders(&chain(twice), 25), ["b", "c"]);

    let early = with(step(3, 5, Some("b"), "c"));
    assert_eq!(of(early), [(3, Fault::Early { received: stamp(10) })]);

    let again = with(step(3, 20, None, "c"));
    assert!(matches!(of(again)[..], [(3, Fault::Overlap { .. })]));
    let nobody = of(vec![step(1, 0, Some("a"), "b")]);
    assert_eq!(nobody, [(1, Fault::Gap { held_by: vec![], from: "a".into() })]);

    let undated = Step { at: None, ..step(3, 20, Some("b"), "c") };
    assert_eq!(of(with(undated)), [(3, Fault::Undated)]);
    let broken =
        Step { proofs: Some([Proof::Broken, Proof::Acknowledged]), ..step(3, 20, Some("b"), "c") };
    let unproved = Fault::Unproved { side: Side::From, proof: Proof::Broken };
    assert_eq!(of(with(broken)), [(3, unproved)]);
}

#[test]
fn a_seal_changes_with_a_reason_or_as_a_fault() {
    let base = || step(2, 10, Some("a"), "b");
    let of = |second: Step| chain(vec![step(1, 0, None, "a"), second]).faults;
    let other = Step { seal_before: Some("T".into()), seal_after: Some("T".into()), ..base() };
    let fault = Fault::Seal { was: Some("S".into()), is: Some("T".into()) };
    assert_eq!(of(other.clone()), [(2, fault)]);
    assert_eq!(of(Step { reason: Some("torn".into()), ..other }), []);
    let off = Step { seal_after: None, ..base() };
    assert_eq!(of(off), [(2, Fault::Seal { was: Some("S".into()), is: None })]);
}

/// A sound chain: people hand it on, also back, minutes apart; some steps change the seal with a
/// reason.
fn sound() -> impl Strategy<Value = Vec<Step>> {
    let hop = (0usize..5, 2i64..2000, any::<bool>());
    prop::collection::vec(hop, 1..14).prop_map(|hops| {
        let mut steps = vec![step(10, 0, None, "p0")];
        let (mut minute, mut seal) = (0, Some("S".to_owned()));
        for (n, (to, wait, reseal)) in hops.into_iter().enumerate() {
            let from = steps[n].to.clone();
            // Nobody hands on to himself: two such steps could change places unseen.
            let to = if format!("p{to}") == from { to + 5 } else { to };
            minute += wait;
            let mut next = step(20 + 10 * n as u64, minute, Some(&from), &format!("p{to}"));
            next.seal_before.clone_from(&seal);
            if reseal {
                seal = Some(format!("S{n}"));
                next.reason = Some("opened".into());
            }
            next.seal_after.clone_from(&seal);
            steps.push(next);
        }
        steps
    })
}

proptest! {
    #[test]
    fn no_fault_is_invented(steps in sound(), turn in any::<prop::sample::Index>()) {
        let straight = chain(steps.clone());
        prop_assert_eq!(&straight.faults, &[]);
        prop_assert_eq!(straight.now().len(), 1);
        // In whatever order they come, and one of them recorded late.
        let at = turn.index(steps.len());
        let mut mixed = steps.clone();
        mixed.rotate_left(at);
        prop_assert_eq!(&chain(mixed), &straight);
        let mut late = steps;
        let n = late.len();
        if at > 0 {
            late[at].record = 10 + 10 * n as u64;
        }
        prop_assert_eq!(chain(late).faults, []);
        let whole = straight.stints.windows(2).all(|pair| pair[0].until == Some(pair[1].since));
        prop_assert!(whole, "one holder at every moment");
    }

    #[test]
    fn what_is_broken_is_found(steps in sound(), at in any::<prop::sample::Index>(), how in 0..6) {
        let mut steps = steps;
        let at = 1 + at.index(steps.len() - 1);
        let (record, minute) = (steps[at].record, steps[at].ms());
        let mut expected = record;
        match how {
            0 => steps[at].from = Some("stranger".into()),
            1 => {
                let proofs = [Proof::Signed, Proof::Missing];
                steps[at].proofs = Some(proofs);
            }
            2 => {
                steps[at].seal_before = Some("another".into());
                steps[at].reason = None;
            }
            3 => steps[at].at = None,
            4 => {
                // A second hand-over by the one who has just given it away.
                let mut second = steps[at].clone();
                prop_assume!(second.from.as_ref() != Some(&second.to));
                second.record = record + 5;
                second.to = "stranger".into();
                second.at = Some(Stamp { local_ms: minute + 3_600_000 + 60_000, ..stamp(0) });
                expected = second.record;
                steps.insert(at + 1, second);
            }
            _ => {
                // Handed on before it was received.
                let before = steps[at - 1].ms();
                steps[at].at = Some(Stamp { local_ms: before + 3_600_000 - 60_000, ..stamp(0) });
            }
        }
        let found = chain(steps);
        let first = found.faults.first().map(|(record, _)| *record);
        // An early step may be told by its neighbour, where both orders explain as much.
        if how == 5 {
            prop_assert!(first.is_some());
        } else {
            prop_assert!(found.of(expected).next().is_some(), "{:?}", found.faults);
        }
        if [1, 2].contains(&how) {
            prop_assert_eq!(first, Some(expected));
        }
    }
}
