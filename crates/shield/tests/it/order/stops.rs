//! Stop and resume.

use shield::feed::Answer;
use shield::harm::Verdict;
use shield::order::command::Command;
use shield::order::state::MAX_STOPS;
use shield::order::words::{EventId, Grounds, Scope};
use shield::order::{Halt, ItemId, Role, Seen, Stage, TicketId};

use crate::world::*;

fn stop(scope: Scope, halt: Halt) -> Command {
    Command::Stop { scope, halt, grounds: grounds() }
}

fn resume(scope: Scope) -> Command {
    Command::Resume { scope, grounds: grounds() }
}

#[test]
fn one_person_stops_and_two_of_two_organisations_resume() {
    let mut world = World::new();
    world.does(&reviewer(), stop(Scope::All, Halt::Releases));
    assert_eq!(world.refuses(&authority(), stop(Scope::All, Halt::Releases)), "known_stop");
    let id = world.reported(&league(), "a.com");
    world.captured(id, Seen::Works);
    assert_eq!(words(&world.checked(id, Verdict::Allow)), ["checked", "lapsed"]);

    world.does(&reviewer(), resume(Scope::All));
    for (who, word) in [
        (reviewer(), "not_a_second_person"),
        (authority(), "not_a_second_person"),
        (actor("vera", "court", Role::Reviewer), "not_a_second_person"),
        (league(), "not_your_office"),
        (isp("i"), "not_your_office"),
    ] {
        assert_eq!(world.refuses(&who, resume(Scope::All)), word);
    }
    world.does(&another_reviewer(), resume(Scope::All));
    assert_eq!(world.refuses(&reviewer(), resume(Scope::All)), "no_stop");
    world.captured(id, Seen::Works);
    world.checked(id, Verdict::Allow);
    assert_eq!(world.stage(id), Stage::InForce);
}

/// Who stops its own without end keeps nobody from stopping what is another's.
#[test]
fn a_reporters_stops_leave_room_for_those_of_all() {
    let mut world = World::new();
    for n in 0..=MAX_STOPS / 2 {
        let id = world.reported(&league(), &format!("n{n}.com"));
        let own = stop(Scope::Ticket(id.ticket()), Halt::Lifts);
        if n < MAX_STOPS / 2 {
            world.does(&league(), own);
        } else {
            assert_eq!(world.refuses(&league(), own), "too_many_stops");
        }
    }
    let isp = Scope::Isp(isp("i").organisation);
    world.does(&reviewer(), stop(isp, Halt::Lifts));
    world.does(&reviewer(), stop(Scope::All, Halt::Lifts));
}

#[test]
fn a_graver_stop_takes_back_the_first_word_to_resume() {
    let mut world = World::new();
    world.does(&reviewer(), stop(Scope::All, Halt::Releases));
    world.does(&another_reviewer(), resume(Scope::All));
    world.does(&reviewer(), stop(Scope::All, Halt::Lifts));
    assert_eq!(words(&world.does(&authority(), resume(Scope::All))), ["resume_asked"]);
}

#[test]
fn each_scope_takes_out_what_it_names_and_nothing_else() {
    let mut world = World::new();
    let one = world.blocked(&league(), "a.com");
    world.blocked(&league(), "b.com");
    world.blocked(&cinema(), "c.com");
    let event = Scope::Event(EventId::new("final").unwrap());
    let out = |world: &World, isp: &str| {
        let view = world.feed.history().current().view(&org(isp));
        let names: Vec<_> = view.entries().map(|(value, _)| value.to_string()).collect();
        names.join(" ")
    };
    for (scope, left, right) in [
        (Scope::All, "", ""),
        (Scope::Reporter(org("league")), "c.com", "c.com"),
        (event, "c.com", "c.com"),
        (Scope::Ticket(one.ticket()), "b.com c.com", "b.com c.com"),
        (Scope::Isp(org("left")), "", "a.com b.com c.com"),
    ] {
        world.does(&authority(), stop(scope.clone(), Halt::Lifts));
        assert_eq!((out(&world, "left"), out(&world, "right")), (left.into(), right.into()));
        world.does(&reviewer(), resume(scope.clone()));
        world.does(&another_reviewer(), resume(scope));
        assert_eq!(out(&world, "left"), "a.com b.com c.com");
    }
    assert_eq!(world.state.count(Stage::InForce), 3);
}

#[test]
fn a_value_stays_out_while_an_item_beyond_the_stop_wants_it() {
    let mut world = World::new();
    world.blocked(&league(), "a.com");
    let other = world.blocked(&cinema(), "a.com");
    world.does(&authority(), stop(Scope::Reporter(org("league")), Halt::Lifts));
    let entry = world.out("a.com").and_then(|row| row.of(&org("i")));
    assert_eq!(entry.map(|entry| entry.item), Some(other));
}

#[test]
fn what_expires_under_a_stop_does_not_come_back() {
    let mut world = World::new();
    let id = world.blocked(&league(), "a.com");
    world.does(&authority(), stop(Scope::All, Halt::Lifts));
    world.wait(3 * HOUR);
    assert_eq!(world.stage(id), Stage::Ended);
    world.does(&reviewer(), resume(Scope::All));
    world.does(&another_reviewer(), resume(Scope::All));
    assert_eq!(world.out("a.com"), None);
}

#[test]
fn who_answers_for_a_scope_stops_it_and_nobody_else_does() {
    let mut world = World::new();
    let id = world.blocked(&league(), "a.com");
    let ticket = Scope::Ticket(id.ticket());
    let lifts = |scope: &Scope| stop(scope.clone(), Halt::Lifts);
    for (who, scope) in [
        (cinema(), ticket.clone()),
        (cinema(), Scope::Reporter(org("league"))),
        (league(), Scope::All),
        (isp("i"), Scope::Isp(org("j"))),
        (isp("i"), Scope::All),
        (owner(), ticket.clone()),
        (probe(1), Scope::All),
        (house(), Scope::All),
    ] {
        assert_eq!(world.refuses(&who, lifts(&scope)), "not_your_office");
    }
    world.does(&league(), lifts(&ticket));
    world.does(&isp("i"), lifts(&Scope::Isp(org("i"))));
    let halt = stop(Scope::Isp(org("j")), Halt::Releases);
    assert_eq!(world.refuses(&authority(), halt), "isp_only_lifts");
    // What one ISP gets, it and a reviewer resume.
    world.does(&isp("i"), resume(Scope::Isp(org("i"))));
    world.does(&reviewer(), resume(Scope::Isp(org("i"))));
    let nowhere = Scope::Ticket(TicketId(99));
    assert_eq!(world.refuses(&reviewer(), lifts(&nowhere)), "no_ticket");
}

#[test]
fn a_stop_reaches_who_follows_as_a_whole_not_in_a_million_changes() {
    let mut world = World::new();
    world.blocked(&league(), "a.com");
    let shown = world.feed.history().place();
    world.does(&authority(), stop(Scope::All, Halt::Lifts));
    let Answer::Reset(view) = world.feed.history().answer(&org("i"), Some(shown)) else {
        panic!("no reset")
    };
    assert_eq!(view.entries().count(), 0);
    assert!(world.feed.history().place().serial > shown.serial);
}

#[test]
fn an_act_without_grounds_cannot_be_written() {
    assert!(Grounds::new(" ").is_none() && Grounds::new(&"x".repeat(4_001)).is_none());
}

#[test]
fn under_a_stop_what_waits_is_not_lost() {
    let mut world = World::new();
    let id = world.reported(&league(), "popular.com");
    world.captured(id, Seen::Works);
    world.checked(id, Verdict::TwoPersons);
    world.does(&authority(), stop(Scope::Ticket(id.ticket()), Halt::Releases));
    let approve = world.approve(id, false);
    assert_eq!(words(&world.does(&reviewer(), approve)), ["approved", "lapsed"]);
    let _: ItemId = id;
    world.does(&reviewer(), resume(Scope::Ticket(id.ticket())));
    world.does(&another_reviewer(), resume(Scope::Ticket(id.ticket())));
    world.captured(id, Seen::Works);
    world.checked(id, Verdict::TwoPersons);
    assert_eq!(world.stage(id), Stage::InForce);
}
