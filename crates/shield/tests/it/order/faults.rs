//! What Piracy Shield gets wrong, each a test. Where a fault shows elsewhere too, the test there has its number: of fault
//! 10 that each ISP of a list is looked up (`desk`, `piracy-shield`) and that no header says where somebody is
//! (`piracy-shield`, `console`, `probe`), of fault 11 push and publication (`shield-feed`) and the signature (`wire`), and
//! of 5, 6, 7 and 12 the API of its own (`piracy-shield`).

use shield::feed::Answer;
use shield::harm::Verdict;
use shield::order::command::{Command, Upheld};
use shield::order::exceptions::Cover;
use shield::order::step::Step;
use shield::order::words::EventId;
use shield::order::{Actor, Audience, Deed, ItemId, Seen, Stage, TicketId, Turn};

use crate::world::*;

#[test]
fn fault_1_nothing_is_released_unchecked_and_what_the_check_refuses_never_is() {
    let mut world = World::new();
    let unchecked = world.reported(&league(), "a.com");
    world.captured(unchecked, Seen::Works);
    let refused = world.reported(&league(), "b.com");
    world.captured(refused, Seen::Works);
    world.checked(refused, Verdict::Refuse);
    let held = world.reported(&league(), "c.com");
    world.captured(held, Seen::Works);
    world.checked(held, Verdict::TwoPersons);
    let stages = [unchecked, refused, held].map(|id| world.stage(id));
    assert_eq!(stages, [Stage::Captured, Stage::Ended, Stage::Held]);
    let approve = world.approve(unchecked, false);
    assert_eq!(world.refuses(&reviewer(), approve), "not_now");
    world.wait(DAY);
    assert_eq!(world.feed.history().current().len(), 0, "time releases nothing");
}

#[test]
fn fault_2_an_exception_covers_what_is_below_its_name() {
    let shield::Item::Name(google) = item("google.com") else { panic!("no name") };
    let (below, exact) = (Cover::Below(google.clone()), Cover::Name(google));
    assert!(
        below.covers(&item("drive.usercontent.google.com"), None)
            && below.covers(&item("google.com"), None)
    );
    assert!(
        !below.covers(&item("notgoogle.com"), None)
            && !exact.covers(&item("drive.google.com"), None)
    );

    // And so in the clearing house: what is below goes out of force, and is taken no more.
    let mut world = World::new();
    let drive = "drive.usercontent.google.com";
    world.blocked(&league(), drive);
    let shield::Item::Name(shop) = item("shop.com") else { panic!("no name") };
    for cover in [below, Cover::Name(shop)] {
        let propose =
            Command::ProposeException { cover: cover.clone(), until: None, grounds: grounds() };
        world.does(&league(), propose);
        world.does(&reviewer(), Command::ApproveException { cover });
    }
    assert_eq!(world.out(drive), None, "it holds for what was blocked before");
    for value in [drive, "google.com", "a.b.google.com", "shop.com"] {
        let asked = world.asked(&league(), Some("final"), &[value]);
        assert_eq!(world.refuses(&league(), Command::Submit(asked)), "no_items", "{value}");
    }
    // What is beside it, or below a name that was excepted alone, is not covered.
    for value in ["notgoogle.com", "www.shop.com"] {
        world.blocked(&league(), value);
        assert!(world.out(value).is_some(), "{value}");
    }
}

#[test]
fn fault_3_a_network_is_excepted_without_any_single_address() {
    let mut world = World::new();
    // An address needs a second person; with a reason he need not wait for its host.
    let id = world.reported(&league(), "198.51.99.7");
    world.captured(id, Seen::Works);
    world.checked(id, Verdict::TwoPersons);
    let approve = world.approve(id, true);
    world.does(&reviewer(), approve);
    assert_eq!(world.stage(id), Stage::InForce);
    let cover: Cover = "198.51.99.0/24".parse().expect("a network");
    let propose =
        Command::ProposeException { cover: cover.clone(), until: None, grounds: grounds() };
    world.does(&league(), propose);
    world.does(&reviewer(), Command::ApproveException { cover });
    assert_eq!(world.out("198.51.99.7"), None, "it holds for what was blocked before");
    for value in ["198.51.99.200", "198.51.99.7:443"] {
        let asked = world.asked(&league(), Some("final"), &[value]);
        assert_eq!(world.refuses(&league(), Command::Submit(asked)), "no_items", "{value}");
    }
}

#[test]
fn fault_4_an_item_already_ticketed_can_be_excepted_upon_review() {
    let mut world = World::new();
    let id = world.blocked(&league(), "shop.com");
    let shield::Item::Name(name) = item("shop.com") else { panic!("no name") };
    let cover = Cover::Name(name);
    let grounds = grounds();
    let propose = Command::ProposeException { cover: cover.clone(), until: None, grounds };
    world.does(&isp("i"), propose);
    let approve = Command::ApproveException { cover: cover.clone() };
    for who in [league(), isp("i"), isp("j")] {
        assert_eq!(world.refuses(&who, approve.clone()), "not_your_office");
    }
    assert_eq!(world.stage(id), Stage::InForce, "no reporter and no ISP excepts alone");
    let steps = world.does(&reviewer(), Command::ApproveException { cover });
    assert_eq!(words(&steps), ["exception_approved", "lifted"]);
    assert_eq!(world.out("shop.com"), None);
}

#[test]
fn fault_5_a_value_lifted_and_reported_again_is_blocked_again() {
    let mut world = World::new();
    for _ in 0..3 {
        let id = world.blocked(&league(), "tv.com");
        let lift = Command::Lift { item: id, collateral: None, grounds: grounds() };
        world.does(&league(), lift);
        assert_eq!(world.out("tv.com"), None);
    }
    world.blocked(&league(), "tv.com");
    assert!(world.out("tv.com").is_some());
    assert_eq!(world.state.history(&item("tv.com")).unwrap().released, 4);
}

#[test]
fn fault_5_an_error_in_one_ticket_does_not_drop_what_another_still_wants() {
    let mut world = World::new();
    let wrong = world.blocked(&league(), "tv.com");
    let right = world.blocked(&cinema(), "tv.com");
    let lift = Command::Lift { item: wrong, collateral: None, grounds: grounds() };
    world.does(&league(), lift);
    let entry = world.out("tv.com").and_then(|row| row.of(&org("i"))).expect("still out");
    assert_eq!(entry.item, right);
}

#[test]
fn fault_6_an_isp_that_joins_late_gets_all_in_force() {
    let mut world = World::new();
    for name in ["a.com", "b.com", "c.com"] {
        world.blocked(&league(), name);
        world.now = world.now.plus(MINUTE);
    }
    let Answer::Reset(view) = world.feed.history().answer(&org("accredited today"), None) else {
        panic!("no reset")
    };
    assert_eq!(view.entries().count(), 3);
}

#[test]
fn fault_7_nobody_ends_or_deletes_anothers_ticket() {
    let mut world = World::new();
    let waiting = world.reported(&league(), "a.com");
    let blocked = world.blocked(&league(), "b.com");
    let refuse = Command::Refuse { item: waiting, grounds: grounds() };
    assert_eq!(world.refuses(&cinema(), refuse.clone()), "not_yours");
    assert_eq!(world.refuses(&isp("i"), refuse.clone()), "not_yours");
    let lift = Command::Lift { item: blocked, collateral: Some(true), grounds: grounds() };
    assert_eq!(world.refuses(&cinema(), lift), "not_yours");
    // Who may end one ends it in the open: what was asked for stays asked for.
    let before = world.steps.len();
    world.does(&league(), refuse);
    assert_eq!(world.steps.len(), before + 1);
    let ticket = world.state.ticket(waiting.ticket()).expect("it stays");
    assert_eq!((ticket.len(), ticket.end(0).map(|end| end.word())), (1, Some("refused")));
}

fn lift(item: ItemId, collateral: Option<bool>) -> Command {
    Command::Lift { item, collateral, grounds: grounds() }
}

/// An item's end among steps: how, why, and by whom.
fn ends(steps: &[Step], id: ItemId) -> Vec<(&'static str, &'static str, Actor)> {
    let end = |step: &Step| match &step.deed {
        Deed::Turned { item, turn: Turn::Lifted { cause, .. } } if *item == id => {
            Some(("lifted", cause.word(), step.by.clone()))
        }
        Deed::Turned { item, turn: Turn::Expired } if *item == id => {
            Some(("expired", "", step.by.clone()))
        }
        _ => None,
    };
    steps.iter().filter_map(end).collect()
}

#[test]
fn fault_8_each_lift_is_a_step_with_its_cause_and_who() {
    type Way = fn(&mut World, ItemId) -> Vec<Step>;
    let ways: [(&str, &str, Actor, Way); 9] = [
        ("lifted", "withdrawn", league(), |world, id| world.does(&league(), lift(id, None))),
        ("lifted", "collateral", league(), |world, id| world.does(&league(), lift(id, Some(true)))),
        ("lifted", "collateral", reviewer(), |world, id| {
            world.does(&reviewer(), lift(id, Some(true)))
        }),
        ("lifted", "objection", reviewer(), |world, id| {
            world.does(&owner(), Command::Object { value: item("a.com"), proof: proof(1) });
            let (proof, upheld, grounds) = (proof(1), Upheld::Item, grounds());
            world.does(&reviewer(), Command::Decide { item: id, proof, upheld, grounds })
        }),
        ("lifted", "failed_check", house(), |world, id| world.checked(id, Verdict::Refuse)),
        ("lifted", "missed", probe(1), |world, id| {
            world.wait(5 * MINUTE);
            world.captured(id, Seen::Nothing);
            world.wait(5 * MINUTE);
            world.captured(id, Seen::Nothing)
        }),
        ("lifted", "excepted", reviewer(), |world, _| {
            let cover: Cover = "a.com".parse().expect("a name");
            let (until, grounds) = (None, grounds());
            let propose = Command::ProposeException { cover: cover.clone(), until, grounds };
            world.does(&league(), propose);
            world.does(&reviewer(), Command::ApproveException { cover })
        }),
        ("lifted", "withdrawn", authority(), |world, _| {
            let event = EventId::new("final").expect("an id");
            world.does(&authority(), Command::EndEvent { event, grounds: grounds() })
        }),
        ("expired", "", house(), |world, _| {
            let before = world.steps.len();
            world.wait(3 * HOUR);
            world.steps[before..].to_vec()
        }),
    ];
    for (how, cause, who, way) in ways {
        let mut world = World::new();
        let id = world.blocked(&league(), "a.com");
        let steps = way(&mut world, id);
        assert_eq!(ends(&steps, id), [(how, cause, who)], "{how} {cause}");
        assert!(steps.iter().all(|step| step.at == world.now), "{cause}");
        assert_eq!(world.out("a.com"), None, "{cause}");
        // It stays asked for, with how it ended.
        let ticket = world.state.ticket(id.ticket()).expect("it stays");
        assert_eq!(ticket.end(0).map(|end| end.word()), Some(how));
    }
}

#[test]
fn fault_9_nothing_is_released_without_verified_evidence_bound_to_the_item() {
    let mut world = World::new();
    let (one, two) = (world.reported(&league(), "a.com"), world.reported(&league(), "b.com"));
    // What a capture does not show is no evidence, whoever says that it is.
    let empty = world.reported(&league(), "c.com");
    world.captured(empty, Seen::Nothing);
    let check = Command::Check { item: empty, outcome: outcome(Verdict::Allow) };
    assert_eq!(world.refuses(&house(), check), "no_evidence");
    // One capture releases one item: another's is refused.
    let capture = world.shot(one, Seen::Works);
    let shared = Command::Capture { item: two, capture: capture.clone() };
    assert_eq!(world.refuses(&probe(1), shared), "other_value");
    let own = Command::Capture { item: one, capture };
    assert_eq!(world.refuses(&league(), own), "not_your_office");
    let check = Command::Check { item: one, outcome: outcome(Verdict::Allow) };
    assert_eq!(world.refuses(&house(), check), "no_evidence");
    let approve = world.approve(one, true);
    assert_eq!(world.refuses(&reviewer(), approve), "not_now");
    world.wait(HOUR);
    assert_eq!(world.state.count(Stage::InForce), 0);
}

#[test]
fn fault_10_each_isp_of_a_list_is_asked_about() {
    let mut world = World::new();
    let mut asked = world.asked(&league(), Some("final"), &["a.com"]);
    asked.audience = Audience::Only([org("b"), org("a"), org("b")].into());
    world.does(&league(), Command::Submit(asked));
    let id = ItemId::new(TicketId(0), 0);
    world.captured(id, Seen::Works);
    world.checked(id, Verdict::Allow);
    let row = world.out("a.com").expect("out");
    let of = |isp: &str| row.of(&org(isp)).is_some();
    assert_eq!((of("a"), of("b"), of("c")), (true, true, false));
}

#[test]
fn fault_11_there_are_steps_an_end_by_the_clock_and_an_appeal() {
    let mut world = World::new();
    let begun = world.now;
    for n in 0..50 {
        world.blocked(&league(), &format!("tv{n}.com"));
    }
    // Not the whole list: what changed since, and no more.
    let (isp, since) = (org("i"), world.feed.history().place());
    let lifted = world.blocked(&league(), "new.com");
    let Answer::Delta(delta) = world.feed.history().answer(&isp, Some(since)) else {
        panic!("no step")
    };
    assert_eq!(delta.added.len(), 1);
    // Nothing goes out before its event begins.
    world.event("second leg", HOUR, 2 * HOUR);
    let early = world.asked(&league(), Some("second leg"), &["early.com"]);
    world.does(&league(), Command::Submit(early));
    let early = ItemId::new(TicketId(world.state.tickets() - 1), 0);
    world.captured(early, Seen::Works);
    world.checked(early, Verdict::Allow);
    assert_eq!((world.stage(early), world.out("early.com")), (Stage::Checked, None));
    // Each ends by itself a quarter of an hour after its event, whatever anybody forgets.
    let entry = world.out("new.com").and_then(|row| row.of(&isp)).expect("out");
    assert_eq!(entry.expires, begun.plus(2 * HOUR + 15 * MINUTE));
    // Whoever is hit appeals, and the reviewer lifts it.
    world.does(&owner(), Command::Object { value: item("new.com"), proof: proof(1) });
    let uphold =
        Command::Decide { item: lifted, proof: proof(1), upheld: Upheld::Item, grounds: grounds() };
    world.does(&reviewer(), uphold);
    assert_eq!(world.out("new.com"), None);
    world.wait(3 * HOUR);
    assert_eq!(world.feed.history().current().len(), 0);
}

#[test]
fn fault_12_names_under_xn_are_taken() {
    let mut world = World::new();
    for name in ["tv.xn--p1ai", "bücher.example.xn--fiqs8s", "xn--tv.xn--bcher-kva.de"] {
        world.blocked(&league(), name);
    }
    assert!(world.out("tv.рф").is_some() && world.out("tv.xn--p1ai").is_some());
}
