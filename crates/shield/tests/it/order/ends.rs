//! What ends a block: misses, lifts, objections, harm, controls, exceptions; and what it costs.

use std::net::IpAddr;

use proptest::prelude::*;
use shield::harm::Verdict;
use shield::order::budget::Standing;
use shield::order::command::{Command, Upheld};
use shield::order::exceptions::{Cover, MAX_PROPOSED, Network};
use shield::order::turn::{Cause, Charge};
use shield::order::words::Scope;
use shield::order::{ItemId, Outcome, Seen, Stage, Turn};

use crate::world::*;

fn cause(world: &World) -> Option<Cause> {
    turns(&world.steps).iter().rev().find_map(|turn| match turn {
        Turn::Lifted { cause, .. } => Some(*cause),
        _ => None,
    })
}

#[test]
fn two_misses_in_a_row_lift_and_a_find_between_them_does_not() {
    let mut world = World::new();
    let id = world.blocked(&league(), "a.com");
    for (seen, word) in [
        (Seen::Works, &[][..]),
        (Seen::Nothing, &["missed"]),
        (Seen::Works, &["found"]),
        (Seen::Unrelated, &["missed"]),
        (Seen::Nothing, &["lifted"]),
    ] {
        world.wait(5 * MINUTE);
        assert_eq!(words(&world.captured(id, seen)), word);
    }
    assert_eq!(cause(&world), Some(Cause::Missed));
    assert_eq!(world.out("a.com"), None);
    let standing = world.state.standing(&org("league"), world.now, &world.policy);
    assert_eq!((standing.0.errors, standing.1), (0, Standing::Within), "a miss is no error");
}

#[test]
fn two_probes_in_one_blink_are_one_miss() {
    let mut world = World::new();
    let id = world.blocked(&league(), "a.com");
    world.captured_by(1, id, Seen::Nothing);
    world.now = world.now.plus(SECOND);
    assert!(world.captured_by(2, id, Seen::Nothing).is_empty());
    assert_eq!(world.stage(id), Stage::InForce);
}

#[test]
fn an_error_ends_its_own_item_and_collateral_ends_all_on_the_value() {
    let mut world = World::new();
    let one = world.blocked(&league(), "a.com");
    let two = world.blocked(&cinema(), "a.com");
    let waiting = world.reported(&cinema(), "a.com");
    let lift = |item, collateral| Command::Lift { item, collateral, grounds: grounds() };
    assert_eq!(world.refuses(&cinema(), lift(one, None)), "not_yours");
    assert_eq!(world.refuses(&isp("i"), lift(one, None)), "not_yours");
    world.does(&league(), lift(one, None));
    assert_eq!((world.stage(one), world.stage(two)), (Stage::Ended, Stage::InForce));
    assert!(world.out("a.com").is_some());

    let three = world.blocked(&league(), "a.com");
    world.does(&reviewer(), lift(three, Some(false)));
    for id in [two, three, waiting] {
        assert_eq!(world.stage(id), Stage::Ended, "{id}");
    }
    assert_eq!(world.out("a.com"), None);
    let faults = world.state.history(&item("a.com")).unwrap().faults;
    assert_eq!(faults, 2, "what the check is told");
}

#[test]
fn an_objection_suspends_only_on_a_graver_check() {
    let mut world = World::new();
    let id = world.blocked(&league(), "a.com");
    let object = Command::Object { value: item("a.com"), proof: proof(1) };
    assert_eq!(words(&world.does(&owner(), object)), ["objected"]);
    assert!(world.checked(id, Verdict::Allow).is_empty());
    assert!(world.out("a.com").is_some(), "an objection alone takes nothing away");
    assert_eq!(words(&world.checked(id, Verdict::TwoPersons)), ["suspended"]);
    assert!(world.out("a.com").is_none());

    let decide = |upheld| Command::Decide { item: id, proof: proof(1), upheld, grounds: grounds() };
    assert_eq!(world.refuses(&league(), decide(Upheld::No)), "not_your_office");
    let colleague = actor("lena", "league", shield::order::Role::Reviewer);
    assert_eq!(world.refuses(&colleague, decide(Upheld::No)), "not_a_second_person");
    let steps = world.does(&reviewer(), decide(Upheld::No));
    assert_eq!(words(&steps), ["objection_dismissed", "reinstated"]);
    // The reviewer has seen that finding: it suspends no second time.
    assert!(world.checked(id, Verdict::TwoPersons).is_empty());
}

#[test]
fn an_objection_suspends_on_two_probes_that_find_something_else() {
    let mut world = World::new();
    let id = world.blocked(&league(), "a.com");
    world.does(&owner(), Command::Object { value: item("a.com"), proof: proof(1) });
    world.captured_by(1, id, Seen::Unrelated);
    world.now = world.now.plus(SECOND);
    assert!(world.captured_by(1, id, Seen::Unrelated).is_empty(), "one probe twice is one");
    assert_eq!(words(&world.captured_by(2, id, Seen::Unrelated)), ["suspended"]);
    let upheld = Upheld::Item;
    let decide = Command::Decide { item: id, proof: proof(1), upheld, grounds: grounds() };
    world.does(&reviewer(), decide);
    assert_eq!(cause(&world), Some(Cause::Objection));
    assert_eq!(world.state.standing(&org("league"), world.now, &world.policy).0.errors, 1);
}

#[test]
fn there_is_no_second_clock_for_the_same_item_and_proof() {
    let mut world = World::new();
    let id = world.blocked(&league(), "a.com");
    let object = |n| Command::Object { value: item("a.com"), proof: proof(n) };
    world.does(&owner(), object(1));
    assert_eq!(world.refuses(&owner(), object(1)), "same_objection");
    let upheld = Upheld::No;
    let decide = Command::Decide { item: id, proof: proof(1), upheld, grounds: grounds() };
    world.does(&reviewer(), decide.clone());
    assert_eq!(world.refuses(&owner(), object(1)), "same_objection");
    assert_eq!(world.refuses(&reviewer(), decide), "no_objection");
    // Another proof is another objection; another item has a clock of its own.
    world.does(&owner(), object(2));
    world.blocked(&cinema(), "a.com");
    assert_eq!(words(&world.does(&owner(), object(1))), ["objected"]);
    assert_eq!(world.refuses(&owner(), object(1)), "same_objection");
    let nowhere = Command::Object { value: item("b.com"), proof: proof(1) };
    assert_eq!(world.refuses(&owner(), nowhere), "not_in_force");
}

#[test]
fn an_objection_has_an_hour_in_an_event_and_a_day_otherwise_and_then_alarms() {
    let mut world = World::new();
    world.blocked(&league(), "a.com");
    world.blocked(&cinema(), "b.com");
    for value in ["a.com", "b.com"] {
        world.does(&owner(), Command::Object { value: item(value), proof: proof(1) });
    }
    let overdue = |world: &World| {
        let late = world.steps.iter().filter(|step| step.deed.word() == "objection_overdue");
        late.inspect(|step| assert!(step.deed.alarms())).count()
    };
    world.wait(HOUR - 1);
    assert_eq!(overdue(&world), 0);
    world.wait(1);
    assert_eq!(overdue(&world), 1);
    assert!(world.out("a.com").is_some(), "late is no suspension");
    world.wait(23 * HOUR);
    assert_eq!(overdue(&world), 2);
}

#[test]
fn an_error_is_an_error_after_the_item_expired() {
    let mut world = World::new();
    let id = world.blocked(&league(), "a.com");
    world.wait(2 * HOUR);
    world.does(&owner(), Command::Object { value: item("a.com"), proof: proof(1) });
    world.wait(15 * MINUTE);
    assert_eq!(world.stage(id), Stage::Ended);
    let upheld = Upheld::Collateral;
    let decide = Command::Decide { item: id, proof: proof(1), upheld, grounds: grounds() };
    assert_eq!(words(&world.does(&reviewer(), decide.clone())), ["objection_upheld"]);
    assert_eq!(world.state.standing(&org("league"), world.now, &world.policy).0.errors, 1);
    assert_eq!(world.state.history(&item("a.com")).unwrap().faults, 1);
    assert_eq!(world.refuses(&reviewer(), decide), "no_objection");
}

#[test]
fn a_check_that_refuses_when_run_again_lifts_all_on_the_value() {
    let mut world = World::new();
    let one = world.blocked(&league(), "a.com");
    let two = world.blocked(&cinema(), "a.com");
    assert_eq!(words(&world.checked(one, Verdict::Refuse)), ["lifted", "lifted"]);
    assert_eq!(world.stage(two), Stage::Ended);
    for reporter in ["league", "cinema"] {
        assert_eq!(world.state.standing(&org(reporter), world.now, &world.policy).0.errors, 1);
    }
}

#[test]
fn three_networks_make_harm_and_one_network_makes_one_voice() {
    let mut world = World::new();
    world.blocked(&league(), "a.com");
    let report = |network| Command::ReportHarm { value: item("a.com"), network };
    assert_eq!(words(&world.does(&owner(), report(1))), ["harm_reported"]);
    assert!(world.does(&owner(), report(1)).is_empty());
    assert_eq!(words(&world.does(&owner(), report(2))), ["harm_reported"]);
    let steps = world.does(&owner(), report(3));
    assert_eq!(words(&steps), ["harm_reported", "harm_grouped"]);
    // What is an hour old counts no more with what comes.
    world.does(&owner(), report(1));
    world.does(&owner(), report(2));
    world.wait(HOUR);
    assert_eq!(words(&world.does(&owner(), report(3))), ["harm_reported"]);
    let other = Command::ReportHarm { value: item("b.com"), network: 1 };
    assert_eq!(world.refuses(&owner(), other), "not_in_force");
}

#[test]
fn a_network_is_heard_twenty_times_an_hour() {
    let mut world = World::new();
    let names: Vec<String> = (0..22).map(|n| format!("n{n}.com")).collect();
    for name in &names {
        world.blocked(&cinema(), name);
    }
    let report = |n: usize| Command::ReportHarm { value: item(&names[n]), network: 9 };
    for n in 0..20 {
        world.does(&owner(), report(n));
    }
    assert_eq!(world.refuses(&owner(), report(20)), "too_many_reports");
    world.wait(HOUR);
    world.does(&owner(), report(21));
}

#[test]
fn a_control_that_two_probes_see_failing_lifts_what_explains_it_alone() {
    let mut world = World::new();
    let guilty = world.blocked(&league(), "a.com");
    let other = world.blocked(&league(), "b.com");
    let at = |network: Option<&str>| Command::ControlFailed {
        control: item("www.shop.com"),
        explained_by: Some(item("a.com")),
        network: network.map(org),
    };
    assert_eq!(words(&world.does(&probe(1), at(Some("fibre")))), ["control_seen"]);
    assert!(world.does(&probe(1), at(Some("fibre"))).is_empty(), "one probe twice is one");
    // Two of one organisation in one network are one, and so are two of which one's network is not known.
    assert!(world.does(&probe(2), at(Some("fibre"))).is_empty());
    assert!(world.does(&probe(2), at(None)).is_empty());
    assert_eq!(world.stage(guilty), Stage::InForce);
    assert_eq!(words(&world.does(&probe(2), at(Some("tower")))), ["control_lost", "lifted"]);
    assert_eq!((world.stage(guilty), world.stage(other)), (Stage::Ended, Stage::InForce));
    // What nothing explains lifts nothing, and alarms. Another organisation's, in the same network, is a second one.
    world.does(&probe(1), at(Some("fibre")));
    let court = actor("court-probe", "court", shield::order::Role::Probe);
    let steps = world.does(&court, at(Some("fibre")));
    assert_eq!(words(&steps), ["control_lost"]);
    assert!(steps[0].deed.alarms());
}

/// So many names in force.
fn many(world: &mut World, count: usize) -> Vec<ItemId> {
    (0..count).map(|n| world.blocked(&league(), &format!("n{n}.com"))).collect()
}

#[test]
fn more_than_five_percent_in_five_minutes_stop_all_and_lift_no_more() {
    let mut world = World::new();
    let items = many(&mut world, 100);
    for id in &items {
        world.captured(*id, Seen::Nothing);
    }
    world.wait(3 * MINUTE);
    for id in &items[..5] {
        assert_eq!(words(&world.captured(*id, Seen::Nothing)), ["lifted"]);
    }
    let steps = world.captured(items[5], Seen::Nothing);
    assert_eq!(words(&steps), ["stopped"]);
    assert!(steps[0].deed.alarms());
    for id in &items[6..] {
        assert!(world.captured(*id, Seen::Nothing).is_empty());
    }
    assert_eq!(world.state.count(Stage::InForce), 95, "a person decides");
    // Two persons resume; then one more lifts, since five minutes are over.
    let resume = Command::Resume { scope: Scope::All, grounds: grounds() };
    world.does(&reviewer(), resume.clone());
    world.does(&another_reviewer(), resume);
    world.wait(6 * MINUTE);
    assert_eq!(words(&world.captured(items[6], Seen::Nothing)), ["lifted"]);
}

#[test]
fn an_exception_needs_two_persons_and_lifts_what_it_covers() {
    let mut world = World::new();
    let drive = world.blocked(&league(), "drive.content.google.com");
    let waiting = world.reported(&league(), "docs.google.com");
    let other = world.blocked(&league(), "notgoogle.com");
    let shield::Item::Name(name) = item("google.com") else { panic!("no name") };
    let cover = Cover::Below(name);
    let propose =
        Command::ProposeException { cover: cover.clone(), until: None, grounds: grounds() };
    let approve = Command::ApproveException { cover };
    assert_eq!(world.refuses(&reviewer(), approve.clone()), "no_exception");
    assert_eq!(world.refuses(&owner(), propose.clone()), "not_your_office");
    world.does(&isp("i"), propose.clone());
    assert_eq!(world.refuses(&reviewer(), propose), "known_exception");
    assert_eq!(world.stage(drive), Stage::InForce, "a proposal does nothing");
    assert_eq!(world.refuses(&isp("j"), approve.clone()), "not_your_office");
    let colleague = actor("ivo", "i", shield::order::Role::Reviewer);
    assert_eq!(world.refuses(&colleague, approve.clone()), "not_a_second_person");
    world.does(&reviewer(), approve);
    assert_eq!((world.stage(drive), world.stage(waiting)), (Stage::Ended, Stage::Ended));
    assert_eq!(world.stage(other), Stage::InForce);
    let again = world.asked(&league(), Some("final"), &["mail.google.com"]);
    assert_eq!(world.refuses(&league(), Command::Submit(again)), "no_items");
}

/// Of an autonomous system: what the check placed in it is lifted at once, what it had not placed when it is checked
/// again, and what is reported later is refused by its check.
#[test]
fn an_exception_of_a_system_covers_what_the_check_places_in_it() {
    let mut world = World::new();
    let placed = |verdict, system| Outcome { system, ..outcome(verdict) };
    let block = |world: &mut World, value: &str, system| {
        let id = world.reported(&league(), value);
        world.captured(id, Seen::Works);
        let outcome = placed(Verdict::TwoPersons, system);
        world.does(&house(), Command::Check { item: id, outcome });
        let approve = world.approve(id, true);
        world.does(&reviewer(), approve);
        assert_eq!(world.stage(id), Stage::InForce);
        id
    };
    let inside = block(&mut world, "198.18.4.7:80", Some(64_500));
    let other = block(&mut world, "198.19.0.1", Some(64_501));
    let unknown = block(&mut world, "198.18.4.8", None);
    let name = world.blocked(&league(), "a.com");
    let cover: Cover = "as64500".parse().unwrap();
    assert_eq!(cover.to_string(), "AS64500");
    for bad in ["AS", "AS0", "AS4294967295", "AS99999999999", "AS-1", "AS 1"] {
        assert!(bad.parse::<Cover>().is_err(), "{bad}");
    }
    let propose =
        Command::ProposeException { cover: cover.clone(), until: None, grounds: grounds() };
    world.does(&isp("i"), propose);
    assert_eq!(world.stage(inside), Stage::InForce, "a proposal does nothing");
    world.does(&reviewer(), Command::ApproveException { cover });
    let stages = [inside, other, unknown, name].map(|id| world.stage(id));
    assert_eq!(stages, [Stage::Ended, Stage::InForce, Stage::InForce, Stage::InForce]);
    let again =
        Command::Check { item: unknown, outcome: placed(Verdict::TwoPersons, Some(64_500)) };
    let steps = world.does(&house(), again);
    let charged = turns(&steps).into_iter().any(|turn| {
        matches!(turn, Turn::Lifted { cause: Cause::Excepted, charge: Charge::None, .. })
    });
    assert!(charged && world.stage(unknown) == Stage::Ended, "{steps:?}");
    let late = world.reported(&league(), "198.18.4.9");
    world.captured(late, Seen::Works);
    let outcome = placed(Verdict::TwoPersons, Some(64_500));
    world.does(&house(), Command::Check { item: late, outcome });
    assert_eq!(world.stage(late), Stage::Ended);
}

proptest! {
    /// A cover has one writing, and is read as what was written.
    #[test]
    fn any_cover_is_read_as_it_is_written(text in "(AS|as|[*]\\.)?[0-9a-z.:/]{0,16}", number in 1..u32::MAX) {
        for text in [text, format!("AS{number}")] {
            let Ok(cover) = text.parse::<Cover>() else { continue };
            prop_assert_eq!(cover.to_string().parse::<Cover>(), Ok(cover.clone()));
            let json = serde_json::to_string(&cover).unwrap();
            prop_assert_eq!(serde_json::from_str::<Cover>(&json).unwrap(), cover);
        }
        let small = format!("\"as{number}\"");
        prop_assert!(serde_json::from_str::<Cover>(&small).is_err());
    }
}

/// Whoever proposes without end takes no room that others need.
#[test]
fn what_one_organisation_proposes_is_bounded() {
    let mut world = World::new();
    let propose = |n: usize| {
        let shield::Item::Name(name) = item(&format!("n{n}.example.net")) else {
            panic!("no name")
        };
        let cover = Cover::Name(name);
        Command::ProposeException { cover, until: None, grounds: grounds() }
    };
    (0..MAX_PROPOSED).for_each(|n| drop(world.does(&league(), propose(n))));
    assert_eq!(world.refuses(&league(), propose(MAX_PROPOSED)), "too_many_exceptions");
    world.does(&isp("i"), propose(MAX_PROPOSED));
    // Room is made by a second person's word.
    let Command::ProposeException { cover, .. } = propose(0) else { panic!("no proposal") };
    world.does(&reviewer(), Command::ApproveException { cover });
    world.does(&league(), propose(MAX_PROPOSED + 1));
}

#[test]
fn an_exception_of_a_network_covers_each_address_and_port_while_it_lasts() {
    let mut world = World::new();
    let ids: Vec<_> = ["198.18.4.7", "198.18.4.8:80", "198.19.0.1", "2001:2::1"]
        .map(|value| {
            let id = world.reported(&league(), value);
            world.captured(id, Seen::Works);
            world.checked(id, Verdict::TwoPersons);
            let approve = world.approve(id, true);
            world.does(&reviewer(), approve);
            id
        })
        .to_vec();
    let network = |text: &str, length| {
        let ip: IpAddr = text.parse().unwrap();
        Cover::Network(Network::of(ip, length).unwrap())
    };
    let propose = |cover, until| Command::ProposeException { cover, until, grounds: grounds() };
    let wide = propose(network("0.0.0.0", 4), None);
    assert_eq!(world.refuses(&reviewer(), wide), "too_wide");
    let cover = network("198.18.77.1", 16);
    assert_eq!(cover.to_string(), "198.18.0.0/16");
    let until = Some(world.now.plus(HOUR));
    world.does(&reviewer(), propose(cover.clone(), until));
    world.does(&another_reviewer(), Command::ApproveException { cover });
    let stages: Vec<_> = ids.iter().map(|id| world.stage(*id)).collect();
    assert_eq!(stages, [Stage::Ended, Stage::Ended, Stage::InForce, Stage::InForce]);
    let again = |world: &World| world.asked(&league(), Some("final"), &["198.18.4.9"]);
    let asked = again(&world);
    assert_eq!(world.refuses(&league(), Command::Submit(asked)), "no_items");
    world.wait(HOUR);
    let asked = again(&world);
    world.does(&league(), Command::Submit(asked));
}

#[test]
fn above_the_budget_every_item_needs_two_persons_and_far_above_it_the_reporter_is_suspended() {
    let mut world = World::new();
    let (one, two) = (world.blocked(&league(), "a.com"), world.blocked(&league(), "b.com"));
    let fine = world.blocked(&league(), "c.com");
    // Waiting already, on one person's word.
    world.event("second leg", HOUR, HOUR);
    let asked = world.asked(&league(), Some("second leg"), &["d.com"]);
    world.does(&league(), Command::Submit(asked));
    let early = ItemId::new(shield::order::TicketId(world.state.tickets() - 1), 0);
    world.wait(55 * MINUTE);
    world.captured(early, Seen::Works);
    world.checked(early, Verdict::Allow);

    let lift = |item| Command::Lift { item, collateral: Some(false), grounds: grounds() };
    assert_eq!(words(&world.does(&reviewer(), lift(one))), ["lifted"]);
    let standing = |world: &World| world.state.standing(&org("league"), world.now, &world.policy).1;
    assert_eq!(standing(&world), Standing::Above);
    world.wait(5 * MINUTE);
    assert_eq!(world.stage(early), Stage::Submitted, "one person's word is no longer enough");
    world.captured(early, Seen::Works);
    world.checked(early, Verdict::Allow);
    assert_eq!(world.stage(early), Stage::Held);

    let steps = world.does(&reviewer(), lift(two));
    assert_eq!(words(&steps), ["lifted", "stopped"]);
    assert!(steps[1].deed.alarms());
    let asked = world.asked(&league(), Some("final"), &["e.com"]);
    assert_eq!(world.refuses(&league(), Command::Submit(asked.clone())), "reporter_stopped");
    assert_eq!(world.stage(fine), Stage::InForce, "what is in force stays until a person decides");
    // Others are not touched, and two persons resume.
    world.blocked(&cinema(), "f.com");
    let resume = Command::Resume { scope: Scope::Reporter(org("league")), grounds: grounds() };
    assert_eq!(world.refuses(&league(), resume.clone()), "not_your_office");
    world.does(&reviewer(), resume.clone());
    world.does(&another_reviewer(), resume);
    world.does(&league(), Command::Submit(asked));
}

#[test]
fn one_lift_is_one_error_to_a_reporter_however_many_items_it_ends() {
    let mut world = World::new();
    let id = world.blocked(&league(), "a.com");
    world.blocked(&league(), "a.com");
    world.blocked(&cinema(), "a.com");
    let lift = Command::Lift { item: id, collateral: Some(true), grounds: grounds() };
    world.does(&league(), lift);
    for reporter in ["league", "cinema"] {
        let count = world.state.standing(&org(reporter), world.now, &world.policy).0;
        assert_eq!((count.errors, count.grave), (1, 1), "{reporter}");
    }
}
