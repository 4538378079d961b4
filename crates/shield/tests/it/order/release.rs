//! From a report into force: evidence, the second person, the ladder of least harm, windows.

use model::ExhibitId;
use shield::harm::Verdict;
use shield::order::command::Command;
use shield::order::schedule::{Need, Schedule};
use shield::order::step::NoItem;
use shield::order::words::{EventId, Right};
use shield::order::{Deed, ItemId, Machine, Role, Seen, Stage, TicketStage, Turn};

use crate::world::*;

#[test]
fn a_name_goes_into_force_on_a_capture_and_a_check_and_its_host_is_told() {
    let mut world = World::new();
    let id = world.reported(&league(), "tv.stream.example.org");
    assert_eq!(world.stage(id), Stage::Submitted);
    assert_eq!(words(&world.captured(id, Seen::Works)), ["captured"]);
    assert_eq!(words(&world.checked(id, Verdict::Allow)), ["checked", "released", "notice_asked"]);
    let event = world.state.event(&EventId::new("final").unwrap()).unwrap().until;
    let row = world.out("tv.stream.example.org").expect("it is out");
    let entry = row.of(&org("any isp")).expect("for every isp");
    assert_eq!((entry.item, entry.expires), (id, event.plus(15 * MINUTE)));
    assert_eq!(world.state.ticket(id.ticket()).unwrap().stage(), TicketStage::InForce);
    assert_eq!(words(&world.does(&house(), Command::NoticeSent { item: id })), ["notice_sent"]);
}

#[test]
fn evidence_is_ten_minutes_old_at_most() {
    let mut world = World::new();
    let id = world.reported(&league(), "a.com");
    let old = world.shot(id, Seen::Works);
    world.now = world.now.plus(10 * MINUTE);
    let capture = Command::Capture { item: id, capture: old };
    assert_eq!(world.refuses(&probe(1), capture), "stale_capture");
    let mut ahead = world.shot(id, Seen::Works);
    ahead.taken = world.now.plus(MINUTE);
    let capture = Command::Capture { item: id, capture: ahead };
    assert_eq!(world.refuses(&probe(1), capture), "future_capture");
    // What was captured in time and checked too late is captured again.
    world.captured(id, Seen::Works);
    world.wait(10 * MINUTE);
    assert_eq!(world.stage(id), Stage::Submitted);
    let check = Command::Check { item: id, outcome: outcome(Verdict::Allow) };
    assert_eq!(world.refuses(&house(), check), "no_evidence");
}

#[test]
fn a_capture_that_contradicts_the_one_before_takes_its_place() {
    let mut world = World::new();
    let id = world.reported(&league(), "a.com");
    assert!(world.captured(id, Seen::Nothing).is_empty());
    world.captured(id, Seen::Works);
    world.now = world.now.plus(SECOND);
    assert_eq!(words(&world.captured(id, Seen::Unrelated)), ["lapsed"]);
    assert_eq!(world.stage(id), Stage::Submitted);
}

#[test]
fn only_a_probe_captures_and_only_the_house_checks() {
    let mut world = World::new();
    let id = world.reported(&league(), "a.com");
    for who in [league(), reviewer(), authority(), owner(), isp("i"), house()] {
        let capture = world.shot(id, Seen::Works);
        let command = Command::Capture { item: id, capture };
        assert_eq!(world.refuses(&who, command), "not_your_office");
    }
    world.captured(id, Seen::Works);
    for who in [league(), reviewer(), authority(), owner(), isp("i"), probe(1)] {
        let command = Command::Check { item: id, outcome: outcome(Verdict::Allow) };
        assert_eq!(world.refuses(&who, command), "not_your_office");
    }
}

#[test]
fn a_held_item_waits_for_another_person_of_another_organisation_and_shows_its_age() {
    let mut world = World::new();
    let id = world.reported(&league(), "popular.com");
    world.captured(id, Seen::Works);
    assert_eq!(words(&world.checked(id, Verdict::TwoPersons)), ["checked"]);
    let since = world.now;
    world.now = world.now.plus(5 * MINUTE);
    assert_eq!(world.state.held().collect::<Vec<_>>(), [(since, id)]);
    let approve = world.approve(id, false);
    for (who, refusal) in [
        (league(), "not_your_office"),
        (isp("i"), "not_your_office"),
        (actor("lena", "league", Role::Reviewer), "not_a_second_person"),
        (actor("rita", "authority", Role::Reviewer), "not_a_second_person"),
    ] {
        assert_eq!(world.refuses(&who, approve.clone()), refusal);
    }
    let steps = world.does(&reviewer(), approve);
    assert_eq!(words(&steps), ["approved", "released", "notice_asked"]);
    assert_eq!(world.state.held().count(), 0);
}

#[test]
fn who_agrees_agrees_to_the_capture_they_saw() {
    let mut world = World::new();
    let id = world.reported(&league(), "popular.com");
    world.captured(id, Seen::Works);
    world.checked(id, Verdict::TwoPersons);
    let seen = world.approve(id, false);
    world.now = world.now.plus(MINUTE);
    world.captured(id, Seen::Works);
    assert_eq!(world.refuses(&reviewer(), seen.clone()), "no_evidence");
    world.checked(id, Verdict::TwoPersons);
    assert_eq!(world.refuses(&reviewer(), seen), "other_evidence");
    let seen = world.approve(id, false);
    world.does(&reviewer(), seen);
    assert_eq!(world.stage(id), Stage::InForce);
}

#[test]
fn a_word_given_after_the_capture_lapsed_counts_for_the_next_one() {
    let mut world = World::new();
    let id = world.reported(&league(), "popular.com");
    world.captured(id, Seen::Works);
    world.checked(id, Verdict::TwoPersons);
    world.wait(11 * MINUTE);
    assert_eq!(world.stage(id), Stage::Held);
    let approve = world.approve(id, false);
    assert_eq!(words(&world.does(&reviewer(), approve)), ["approved", "lapsed"]);
    world.captured(id, Seen::Works);
    let steps = world.checked(id, Verdict::TwoPersons);
    assert_eq!(words(&steps), ["checked", "released", "notice_asked"]);
}

#[test]
fn a_word_given_for_a_picture_counts_for_no_page() {
    let mut world = World::new();
    let id = world.reported(&league(), "popular.com");
    world.captured(id, Seen::Works);
    world.checked(id, Verdict::TwoPersons);
    world.wait(11 * MINUTE);
    let approve = world.approve(id, false);
    assert_eq!(words(&world.does(&reviewer(), approve)), ["approved", "lapsed"]);
    // By now no picture is shown there: nobody agreed to that.
    world.captured(id, Seen::Page);
    assert_eq!(words(&world.checked(id, Verdict::TwoPersons)), ["checked"]);
    assert_eq!(world.stage(id), Stage::Held);
    // Somebody looks, and agrees; and to another page as well, since a page holds it already.
    world.wait(11 * MINUTE);
    let approve = world.approve(id, false);
    assert_eq!(words(&world.does(&reviewer(), approve)), ["approved", "lapsed"]);
    world.captured(id, Seen::Page);
    let steps = world.checked(id, Verdict::TwoPersons);
    assert_eq!(words(&steps), ["checked", "released", "notice_asked"]);
}

#[test]
fn a_held_item_is_refused_when_its_window_ends() {
    let mut world = World::new();
    let id = world.reported(&league(), "popular.com");
    world.captured(id, Seen::Works);
    world.checked(id, Verdict::TwoPersons);
    world.wait(2 * HOUR - 1);
    assert_eq!(world.stage(id), Stage::Held);
    world.wait(1);
    assert_eq!(world.stage(id), Stage::Ended);
    let ticket = world.state.ticket(id.ticket()).unwrap();
    assert_eq!((ticket.stage(), ticket.end(0).unwrap().word()), (TicketStage::Closed, "refused"));
}

#[test]
fn an_upload_holds_the_item_and_is_no_evidence() {
    let mut world = World::new();
    let id = world.reported(&league(), "a.com");
    let upload = Command::Upload { item: id, exhibit: ExhibitId([9; 32]) };
    assert_eq!(world.refuses(&cinema(), upload.clone()), "not_yours");
    world.does(&league(), upload);
    assert_eq!(world.stage(id), Stage::Held);
    let approve = world.approve(id, true);
    assert_eq!(world.refuses(&reviewer(), approve), "no_evidence");
    // With a probe's capture it still takes a second person, though the check allows it.
    world.captured(id, Seen::Works);
    world.checked(id, Verdict::Allow);
    assert_eq!(world.stage(id), Stage::Held);
    let approve = world.approve(id, false);
    world.does(&reviewer(), approve);
    assert_eq!(world.stage(id), Stage::InForce);
}

#[test]
fn what_the_check_refuses_nobody_releases() {
    let mut world = World::new();
    let id = world.reported(&league(), "bank.com");
    world.captured(id, Seen::Works);
    assert_eq!(words(&world.checked(id, Verdict::Refuse)), ["refused"]);
    let approve = world.approve(id, true);
    assert_eq!(world.refuses(&reviewer(), approve), "ended");
}

/// An address, captured, and checked as the check always finds addresses.
fn address(world: &mut World) -> ItemId {
    let id = world.reported(&league(), "198.18.4.7:8080");
    world.captured(id, Seen::Works);
    let steps = world.checked(id, Verdict::TwoPersons);
    assert_eq!(words(&steps), ["checked", "notice_asked"]);
    id
}

#[test]
fn an_address_waits_for_ten_minutes_of_its_hosts_silence() {
    let mut world = World::new();
    let id = address(&mut world);
    world.now = world.now.plus(MINUTE);
    world.does(&house(), Command::NoticeSent { item: id });
    let approve = world.approve(id, false);
    assert_eq!(words(&world.does(&reviewer(), approve)), ["approved"]);
    world.wait(9 * MINUTE);
    // The capture lapsed meanwhile; the second person's word did not.
    assert_eq!(world.stage(id), Stage::Submitted);
    world.captured(id, Seen::Works);
    assert_eq!(words(&world.checked(id, Verdict::TwoPersons)), ["checked"]);
    world.wait(MINUTE - 1);
    assert_eq!(world.stage(id), Stage::Checked);
    world.wait(1);
    assert_eq!(world.stage(id), Stage::InForce);
}

#[test]
fn an_address_without_an_event_waits_a_day() {
    let mut world = World::new();
    let id = world.reported(&cinema(), "198.18.4.7");
    world.captured(id, Seen::Works);
    world.checked(id, Verdict::TwoPersons);
    world.does(&house(), Command::NoticeSent { item: id });
    let approve = world.approve(id, false);
    world.does(&reviewer(), approve);
    world.wait(DAY - 1);
    world.captured(id, Seen::Works);
    world.checked(id, Verdict::TwoPersons);
    assert_eq!(world.stage(id), Stage::Checked);
    world.wait(1);
    assert_eq!(world.stage(id), Stage::InForce);
}

#[test]
fn two_persons_with_a_reason_do_not_wait_for_the_host() {
    let mut world = World::new();
    let id = address(&mut world);
    let approve = world.approve(id, true);
    assert_eq!(words(&world.does(&reviewer(), approve)), ["approved", "released"]);
}

#[test]
fn an_address_is_held_even_where_a_check_would_allow_it() {
    let mut world = World::new();
    let id = world.reported(&league(), "198.18.4.7");
    world.captured(id, Seen::Works);
    world.checked(id, Verdict::Allow);
    assert_eq!(world.stage(id), Stage::Held);
    world.wait(30 * MINUTE);
    assert_eq!(world.stage(id), Stage::Held);
}

#[test]
fn a_host_that_answers_is_not_silent_and_not_believed() {
    let mut world = World::new();
    let id = address(&mut world);
    world.does(&house(), Command::NoticeSent { item: id });
    let steps = world.does(&house(), Command::HostAnswered { item: id, acts: true });
    assert_eq!(words(&steps), ["host_answered", "lapsed"]);
    world.captured(id, Seen::Works);
    world.checked(id, Verdict::TwoPersons);
    let approve = world.approve(id, false);
    assert_eq!(world.refuses(&reviewer(), approve), "grounds_needed");
    let approve = world.approve(id, true);
    world.does(&reviewer(), approve);
    assert_eq!(world.stage(id), Stage::InForce);
}

#[test]
fn a_word_given_to_wait_is_void_once_the_host_answers() {
    let mut world = World::new();
    let id = address(&mut world);
    world.does(&house(), Command::NoticeSent { item: id });
    let approve = world.approve(id, false);
    world.does(&reviewer(), approve);
    world.does(&reviewer(), Command::HostAnswered { item: id, acts: false });
    assert_eq!(world.stage(id), Stage::Held);
}

#[test]
fn an_address_never_inherits_guilt_from_a_name() {
    let mut world = World::new();
    world.blocked(&league(), "tv.pirate.org");
    let id = world.reported(&league(), "198.18.4.7");
    let mut capture = world.shot(id, Seen::Works);
    capture.value = item("tv.pirate.org");
    let command = Command::Capture { item: id, capture };
    assert_eq!(world.refuses(&probe(1), command), "other_value");
    // Nor one port from another, nor all ports from one.
    let mut capture = world.shot(id, Seen::Works);
    capture.value = item("198.18.4.7:8080");
    let command = Command::Capture { item: id, capture };
    assert_eq!(world.refuses(&probe(1), command), "other_value");
}

#[test]
fn nothing_is_in_force_before_its_window() {
    let mut world = World::new();
    world.event("second leg", HOUR, 2 * HOUR);
    let asked = world.asked(&league(), Some("second leg"), &["a.com"]);
    world.does(&league(), Command::Submit(asked));
    let id = ItemId::new(shield::order::TicketId(0), 0);
    // A probe is not sent an hour early, for a capture that would only lapse.
    let schedule = Schedule::new(&world.state, &world.policy, world.now);
    assert_eq!(schedule.next_due(), Some(world.now.plus(HOUR - 5 * MINUTE)));
    world.wait(HOUR - 5 * MINUTE);
    world.captured(id, Seen::Works);
    assert_eq!(words(&world.checked(id, Verdict::Allow)), ["checked"]);
    world.wait(5 * MINUTE - 1);
    assert_eq!(world.stage(id), Stage::Checked);
    world.wait(1);
    assert_eq!(world.stage(id), Stage::InForce);
}

#[test]
fn an_item_expires_fifteen_minutes_after_its_window() {
    let mut world = World::new();
    let id = world.blocked(&league(), "a.com");
    world.wait(2 * HOUR + 15 * MINUTE - 1);
    assert_eq!(world.stage(id), Stage::InForce);
    world.wait(1);
    assert_eq!(world.stage(id), Stage::Ended);
    assert_eq!(world.out("a.com"), None);
    let history = world.state.history(&item("a.com")).unwrap();
    assert_eq!((history.released, history.ended), (1, [0, 0, 1]));
}

#[test]
fn overtime_carries_on_what_is_captured_again_and_nothing_else() {
    let mut world = World::new();
    let (seen, unseen) = (world.blocked(&league(), "a.com"), world.blocked(&league(), "b.com"));
    world.wait(2 * HOUR);
    let event = EventId::new("final").unwrap();
    let until = world.now.plus(30 * MINUTE);
    let extend = Command::Extend { event: event.clone(), until };
    assert_eq!(world.refuses(&cinema(), extend.clone()), "order_not_yours");
    world.does(&league(), extend);
    assert!(matches!(turns(&world.captured(seen, Seen::Works))[..], [Turn::Renewed { .. }]));
    // The second time it changes nothing, and is no step.
    assert!(world.captured(seen, Seen::Works).is_empty());
    world.wait(15 * MINUTE);
    assert_eq!((world.stage(seen), world.stage(unseen)), (Stage::InForce, Stage::Ended));
    world.wait(30 * MINUTE);
    assert_eq!(world.stage(seen), Stage::Ended);
    let extend = Command::Extend { event, until: world.now.plus(HOUR) };
    assert_eq!(world.refuses(&league(), extend), "event_over");
}

#[test]
fn a_site_is_blocked_ninety_days_at_most_and_renewed_only_by_fresh_evidence() {
    let mut world = World::new();
    let mut asked = world.asked(&cinema(), None, &["films.com"]);
    asked.until = Some(world.now.plus(91 * DAY));
    assert_eq!(world.refuses(&cinema(), Command::Submit(asked)), "bad_span");
    let id = world.blocked(&cinema(), "films.com");
    let begun = world.now;
    world.wait(80 * DAY);
    let until = world.now.plus(90 * DAY);
    let renew = Command::Renew { ticket: id.ticket(), until };
    assert_eq!(world.refuses(&league(), renew.clone()), "not_yours");
    world.does(&cinema(), renew);
    let expires = |world: &World| {
        world.state.item(id).and_then(|live| Some(live.machine.in_force()?.expires))
    };
    assert_eq!(expires(&world), Some(begun.plus(90 * DAY)));
    world.captured(id, Seen::Works);
    assert_eq!(expires(&world), Some(until));
    world.wait(90 * DAY);
    assert_eq!(world.stage(id), Stage::Ended);
}

#[test]
fn a_ticket_is_bound_to_an_order_its_reporter_its_rights_and_its_event() {
    let mut world = World::new();
    let good = world.asked(&league(), Some("final"), &["a.com"]);
    let mut foreign = good.clone();
    foreign.works = vec![Right::new("films").unwrap()];
    let mut none = good.clone();
    none.works.clear();
    let mut event = good.clone();
    event.event = Some(EventId::new("no such").unwrap());
    for (who, asked, refusal) in [
        (cinema(), good.clone(), "order_not_yours"),
        (reviewer(), good.clone(), "not_your_office"),
        (league(), foreign, "not_in_order"),
        (league(), none, "no_work"),
        (league(), event, "no_event"),
    ] {
        assert_eq!(world.refuses(&who, Command::Submit(asked)), refusal);
    }
    world.wait(2 * HOUR);
    assert_eq!(world.refuses(&league(), Command::Submit(good)), "event_over");
    world.wait(300 * DAY);
    let late = world.asked(&cinema(), None, &["a.com"]);
    assert_eq!(world.refuses(&cinema(), Command::Submit(late)), "order_not_now");
}

#[test]
fn a_ticket_has_a_thousand_items_and_names_what_it_leaves_out() {
    let mut world = World::new();
    let names: Vec<String> = (0..1_001).map(|n| format!("n{n}.com")).collect();
    let lines: Vec<&str> = names.iter().map(String::as_str).collect();
    let many = world.asked(&league(), Some("final"), &lines);
    assert_eq!(world.refuses(&league(), Command::Submit(many)), "too_many_items");
    let ticket = world.ticket(&league(), &lines[..1_000]);
    assert_eq!(world.state.items_of(ticket).count(), 1_000);

    let lines = ["B.com", "*.c.com", "https://b.com/live?x=1", "10.0.0.0/8", "d.com"];
    let asked = world.asked(&league(), Some("final"), &lines);
    let steps = world.does(&league(), Command::Submit(asked));
    let Deed::Submitted(ticket) = &steps[0].deed else { panic!("no ticket") };
    let items: Vec<_> = ticket.items.iter().map(|asked| asked.value.to_string()).collect();
    assert_eq!(items, ["b.com", "d.com"]);
    assert_eq!(ticket.items[0].as_written.as_deref(), Some("B.com"));
    assert_eq!(ticket.items[1].as_written, None);
    let left: Vec<_> = ticket.left_out.iter().map(|left| (left.line, left.why.word())).collect();
    assert_eq!(left, [(1, "wildcard"), (2, "duplicate"), (3, "cidr")]);
    assert_eq!(ticket.left_out[1].why, NoItem::Duplicate { of: 0 });
    let nothing = world.asked(&league(), Some("final"), &["*", ""]);
    assert_eq!(world.refuses(&league(), Command::Submit(nothing)), "no_items");
}

#[test]
fn a_url_is_recorded_and_blocked_as_its_name_alone() {
    let mut world = World::new();
    let asked = world.asked(&league(), Some("final"), &["https://tv.a.com:8443/hd/1.m3u8"]);
    let steps = world.does(&league(), Command::Submit(asked));
    let Deed::Submitted(ticket) = &steps[0].deed else { panic!("no ticket") };
    assert_eq!(ticket.items[0].value, item("tv.a.com"));
    assert_eq!(ticket.items[0].as_written.as_deref(), Some("https://tv.a.com:8443/hd/1.m3u8"));
}

#[test]
fn captures_fall_due_at_once_then_every_five_minutes_and_again_after_a_miss() {
    let mut world = World::new();
    let id = world.reported(&league(), "a.com");
    let policy = world.policy.clone();
    let mut schedule = Schedule::new(&world.state, &policy, world.now);
    assert_eq!(
        schedule.take_due(&world.state, &policy, world.now, Need::Evidence, 10),
        [(world.now, id)]
    );
    // Nothing came: asked again after a minute, not before.
    world.now = world.now.plus(59 * SECOND);
    assert_eq!(schedule.take_due(&world.state, &policy, world.now, Need::Evidence, 10), []);
    world.now = world.now.plus(SECOND);
    assert_eq!(
        schedule.take_due(&world.state, &policy, world.now, Need::Evidence, 10),
        [(world.now, id)]
    );
    let mut follow = |world: &World, steps: Vec<shield::order::Step>| {
        for step in &steps {
            schedule.follow(&world.state, &policy, step);
        }
        schedule.next_due()
    };
    let steps = world.captured(id, Seen::Works);
    assert_eq!(follow(&world, steps), None, "captured, it waits for the check");
    let steps = world.checked(id, Verdict::Allow);
    let since = world.now;
    assert_eq!(follow(&world, steps), Some(since.plus(5 * MINUTE)));
    world.now = since.plus(5 * MINUTE);
    let steps = world.captured(id, Seen::Works);
    assert_eq!(follow(&world, steps), Some(since.plus(5 * MINUTE)), "no step");
    // It is due as a renewal: what was reported just now waits in another queue.
    let mut due = schedule.clone();
    assert_eq!(due.take_due(&world.state, &policy, world.now, Need::Evidence, 10), []);
    let now = [(world.now, id)];
    assert_eq!(due.take_due(&world.state, &policy, world.now, Need::Renewal, 10), now);
    schedule.captured(&world.state, &policy, id, world.now);
    assert_eq!(schedule.next_due(), Some(since.plus(10 * MINUTE)));
    // After a start the grid is the same.
    world.now = world.now.plus(MINUTE);
    let again = Schedule::new(&world.state, &policy, world.now);
    assert_eq!(again, schedule);
}

#[test]
fn what_is_in_force_and_is_not_looked_at_again_is_told_of() {
    let mut world = World::new();
    let (id, since) = (world.blocked(&league(), "a.com"), world.now);
    let policy = world.policy.clone();
    let mut schedule = Schedule::new(&world.state, &policy, world.now);
    let due = since.plus(5 * MINUTE);
    assert_eq!(schedule.overdue(due), None);
    // Nobody captures, and nobody even asks what is due.
    assert_eq!(schedule.overdue(due.plus(1)), Some((1, due)));
    // It is asked for, again and again, and nothing comes: late since it was due first.
    for round in 0..4 {
        let now = due.plus(round * MINUTE);
        assert_eq!(
            schedule.take_due(&world.state, &policy, now, Need::Renewal, 9).len(),
            1,
            "{round}"
        );
        assert_eq!(schedule.overdue(now.plus(1)), Some((1, due)));
    }
    world.now = due.plus(4 * MINUTE);
    schedule.captured(&world.state, &policy, id, world.now);
    assert_eq!(schedule.overdue(world.now), None);
    // What ended is owed to nobody.
    let now = since.plus(10 * MINUTE);
    schedule.take_due(&world.state, &policy, now, Need::Renewal, 9);
    assert!(schedule.overdue(now.plus(1)).is_some());
    world.now = now;
    let lift = Command::Lift { item: id, collateral: None, grounds: grounds() };
    for step in world.does(&league(), lift) {
        schedule.follow(&world.state, &policy, &step);
    }
    assert_eq!(schedule.overdue(now.plus(HOUR)), None);
}

#[test]
fn only_a_checked_machine_is_ever_released() {
    let mut world = World::new();
    let id = world.blocked(&league(), "a.com");
    let Some(Machine::InForce(in_force)) = world.state.item(id).map(|live| live.machine.clone())
    else {
        panic!("not in force")
    };
    assert_eq!(in_force.since, world.now);
    let approve = world.approve(id, false);
    assert_eq!(world.refuses(&reviewer(), approve), "not_now");
}

#[test]
fn a_page_alone_waits_for_a_second_person() {
    let mut world = World::new();
    let id = world.reported(&league(), "portal.example");
    assert_eq!(words(&world.captured(id, Seen::Page)), ["captured"]);
    let steps = world.checked(id, Verdict::Allow);
    assert_eq!(words(&steps), ["checked"]);
    assert_eq!(world.stage(id), Stage::Held);
    let approve = world.approve(id, false);
    assert_eq!(words(&world.does(&reviewer(), approve)), ["approved", "released", "notice_asked"]);
    // Where a page is what it was released upon, a page is what a capture can show.
    assert!(world.captured(id, Seen::Page).is_empty());
    assert_eq!(words(&world.captured(id, Seen::Nothing)), ["missed"]);
    // Where a picture was, a page is none.
    let other = world.blocked(&league(), "stream.example");
    assert_eq!(words(&world.captured(other, Seen::Page)), ["missed"]);
}

#[test]
fn what_shows_nothing_is_captured_again_after_a_while_and_not_at_once() {
    let mut world = World::new();
    let id = world.reported(&league(), "down.stream.example");
    let mut schedule = Schedule::new(&world.state, &world.policy, world.now);
    assert_eq!(
        schedule.take_due(&world.state, &world.policy, world.now, Need::Evidence, 9).len(),
        1
    );
    assert!(world.captured(id, Seen::Nothing).is_empty());
    schedule.captured(&world.state, &world.policy, id, world.now);
    assert_eq!(schedule.next_due(), Some(world.now.plus(world.policy.capture_retry_ms)));
}
