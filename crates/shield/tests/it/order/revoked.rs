//! What gave a block its right, or kept it away, and does so no longer.

use shield::order::command::{Command, Event, Order, Submission};
use shield::order::ending::Basis;
use shield::order::exceptions::Cover;
use shield::order::kept::Reading;
use shield::order::values::table::Table;
use shield::order::words::{Audience, Channel, EventId, OrderId, Right};
use shield::order::{Deed, ItemId, MAX_CHANNELS, MAX_LIFTED, Moment, Stage, Step, Turn};

use crate::world::*;

fn end(order: &str) -> Command {
    Command::EndOrder { order: OrderId::new(order).unwrap(), grounds: grounds() }
}

#[test]
fn the_end_of_an_order_ends_what_rests_on_it_and_nothing_else() {
    let mut world = World::new();
    let (a, other) = (world.blocked(&league(), "a.com"), world.blocked(&cinema(), "b.com"));
    let waits = world.reported(&league(), "c.com");
    for who in [league(), reviewer(), isp("i"), owner()] {
        assert_eq!(world.refuses(&who, end("1/26")), "not_your_office");
    }
    assert_eq!(world.refuses(&authority(), end("9/26")), "no_order");
    let steps = world.does(&authority(), end("1/26"));
    assert_eq!(words(&steps), ["order_ended", "lifted", "refused"]);
    assert_eq!((world.stage(a), world.stage(waits)), (Stage::Ended, Stage::Ended));
    assert_eq!((world.out("a.com"), world.stage(other)), (None, Stage::InForce));
    // Nobody erred, and nothing more rests on it.
    let erred = turns(&steps).into_iter().any(
        |turn| matches!(turn, Turn::Lifted { charge, .. } if *charge != shield::order::turn::Charge::None),
    );
    assert!(!erred);
    let asked = world.asked(&league(), Some("final"), &["d.com"]);
    assert_eq!(world.refuses(&league(), Command::Submit(asked)), "order_not_now");
    assert_eq!(words(&world.does(&authority(), end("1/26"))), Vec::<&str>::new());
}

#[test]
fn an_order_with_more_items_than_are_lifted_at_a_time_ends_in_several() {
    let mut world = World::new();
    let names: Vec<String> = (0..MAX_LIFTED).map(|n| format!("a{n}.com")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    world.ticket(&league(), &names);
    world.ticket(&league(), &["b.com", "c.com"]);
    assert_eq!(world.does(&authority(), end("1/26")).len(), MAX_LIFTED + 1);
    assert_eq!(words(&world.does(&authority(), end("1/26"))), ["refused", "refused"]);
    assert_eq!(world.does(&authority(), end("1/26")), []);
    assert_eq!(world.state.items().count(), 0);
}

/// Who asked for an end asks once. A restart in its midst changes nothing.
#[test]
fn the_house_carries_an_end_on_by_itself() {
    let mut world = World::new();
    let names: Vec<String> = (0..MAX_LIFTED).map(|n| format!("a{n}.com")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for _ in 0..2 {
        world.ticket(&league(), &names);
    }
    world.ticket(&league(), &["b.com", "c.com"]);
    let other = world.reported(&cinema(), "d.com");
    assert_eq!(world.does(&house(), Command::CarryOn), []);
    let of = Basis::Order(OrderId::new("1/26").unwrap());
    world.does(&authority(), end("1/26"));
    assert_eq!(world.state.left_under(&of), MAX_LIFTED as u64 + 2);
    for who in [league(), reviewer(), authority(), isp("i"), owner()] {
        assert_eq!(world.refuses(&who, Command::CarryOn), "not_your_office");
    }
    let steps = world.does(&house(), Command::CarryOn);
    assert_eq!(steps.len(), MAX_LIFTED);
    // By the reason that was given.
    let why = |step: &Step| match &step.deed {
        Deed::Turned { turn: Turn::Refused { grounds: why, .. }, .. } => *why == Some(grounds()),
        _ => false,
    };
    assert!(steps.iter().all(why));
    let (lines, table) = super::driven::kept(&world.state);
    let mut reading = Reading::new(Table::open(table).unwrap());
    lines.iter().for_each(|line| reading.line(line).unwrap());
    let again = reading.end().unwrap();
    assert_eq!((again.left_under(&of), &again), (2, &world.state));
    world.state = again;
    assert_eq!(words(&world.does(&house(), Command::CarryOn)), ["refused", "refused"]);
    assert_eq!(world.does(&house(), Command::CarryOn), []);
    assert_eq!((world.state.ending().count(), world.stage(other)), (0, Stage::Submitted));
}

/// An event that its authority carries on is not ended on by the house.
#[test]
fn an_event_that_is_carried_on_keeps_what_was_not_lifted_yet() {
    let mut world = World::new();
    let names: Vec<String> = (0..MAX_LIFTED).map(|n| format!("a{n}.com")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    world.ticket(&league(), &names);
    let kept = world.blocked(&league(), "b.com");
    let event = EventId::new("final").unwrap();
    let end = Command::EndEvent { event: event.clone(), grounds: grounds() };
    world.does(&league(), end.clone());
    assert_eq!(world.state.left_under(&Basis::Event(event.clone())), 1);
    world.wait(MINUTE);
    let until = world.now.plus(HOUR);
    world.does(&league(), Command::Extend { event, until });
    assert_eq!(world.does(&house(), Command::CarryOn), []);
    assert_eq!(world.stage(kept), Stage::InForce);
    assert_eq!(words(&world.does(&league(), end)), ["event_ended", "lifted"]);
    assert_eq!(world.state.ending().count(), 0);
}

#[test]
fn what_is_revoked_covers_nothing_and_is_blocked_again_upon_report() {
    let mut world = World::new();
    let cover: Cover = "shop.com".parse().unwrap();
    let propose =
        Command::ProposeException { cover: cover.clone(), until: None, grounds: grounds() };
    let revoke = Command::RevokeException { cover: cover.clone(), grounds: grounds() };
    assert_eq!(world.refuses(&reviewer(), revoke.clone()), "no_exception");
    // Who proposed it takes it back while nobody has approved; another reporter does not.
    world.does(&league(), propose.clone());
    assert_eq!(world.refuses(&cinema(), revoke.clone()), "not_your_office");
    assert_eq!(words(&world.does(&league(), revoke.clone())), ["exception_revoked"]);
    world.does(&league(), propose);
    world.does(&reviewer(), Command::ApproveException { cover });
    let asked = world.asked(&league(), Some("final"), &["shop.com"]);
    assert_eq!(world.refuses(&league(), Command::Submit(asked)), "no_items");
    assert_eq!(world.refuses(&league(), revoke.clone()), "not_your_office");
    world.does(&another_reviewer(), revoke);
    world.blocked(&league(), "shop.com");
}

#[test]
fn an_event_ends_before_its_time_and_with_it_what_rests_on_it_alone() {
    let mut world = World::new();
    world.event("other", 0, HOUR);
    let (a, waits) = (world.blocked(&league(), "a.com"), world.reported(&league(), "b.com"));
    let mut asked = world.asked(&league(), Some("other"), &["c.com"]);
    let steps = world.does(&league(), Command::Submit(asked.clone()));
    let other = steps.into_iter().find_map(|step| match step.deed {
        Deed::Submitted(ticket) => Some(ItemId::new(ticket.id, 0)),
        _ => None,
    });
    let end =
        |event: &str| Command::EndEvent { event: EventId::new(event).unwrap(), grounds: grounds() };
    for who in [reviewer(), isp("i"), owner()] {
        assert_eq!(world.refuses(&who, end("final")), "not_your_office");
    }
    assert_eq!(world.refuses(&cinema(), end("final")), "order_not_yours");
    assert_eq!(world.refuses(&league(), end("finale")), "no_event");
    let steps = world.does(&league(), end("final"));
    assert_eq!(words(&steps), ["event_ended", "lifted", "refused"]);
    assert_eq!((world.stage(a), world.stage(waits)), (Stage::Ended, Stage::Ended));
    assert_eq!((world.out("a.com"), world.stage(other.unwrap())), (None, Stage::Submitted));
    // Nothing more is reported of it; of the other event it is.
    asked.event = EventId::new("final");
    assert_eq!(world.refuses(&league(), Command::Submit(asked)), "event_over");
    assert_eq!(words(&world.does(&league(), end("final"))), Vec::<&str>::new());
    world.does(&authority(), end("other"));
    // One that is to come is over before it begins.
    world.event("late", 3 * HOUR, HOUR);
    assert_eq!(words(&world.does(&authority(), end("late"))), ["event_ended"]);
    assert!(world.state.event(&EventId::new("late").unwrap()).unwrap().until <= world.now);
}

#[test]
fn an_event_that_the_authority_ended_is_carried_on_by_the_authority_alone() {
    let mut world = World::new();
    let event = EventId::new("final").unwrap();
    let end = Command::EndEvent { event: event.clone(), grounds: grounds() };
    let extend =
        |world: &World| Command::Extend { event: event.clone(), until: world.now.plus(HOUR) };
    // What its reporter ended is the reporter's to carry on.
    world.does(&league(), end.clone());
    world.wait(MINUTE);
    world.does(&league(), extend(&world));
    // That the reporter ended it first changes nothing about the authority's word.
    world.does(&league(), end.clone());
    assert_eq!(words(&world.does(&authority(), end.clone())), ["event_ended"]);
    assert_eq!(world.does(&authority(), end.clone()), []);
    world.wait(MINUTE);
    assert_eq!(world.refuses(&league(), extend(&world)), "event_closed");
    // A start from what is kept knows it.
    let (lines, table) = super::driven::kept(&world.state);
    let mut reading = Reading::new(Table::open(table).unwrap());
    lines.iter().for_each(|line| reading.line(line).unwrap());
    world.state = reading.end().unwrap();
    assert_eq!(world.refuses(&league(), extend(&world)), "event_closed");
    world.does(&authority(), extend(&world));
    world.wait(MINUTE);
    let until = world.now.plus(2 * HOUR);
    world.does(&league(), Command::Extend { event: event.clone(), until });
    // Long over, there is nothing that could be carried on, and nothing to say of it.
    world.wait(DAY);
    assert_eq!(world.does(&authority(), end), []);
    assert_eq!(world.refuses(&league(), extend(&world)), "event_over");
}

#[test]
fn an_event_names_its_works_and_channels_each_once() {
    let mut world = World::new();
    let named = |works: &[&str], channels: &[&str]| Event {
        works: works.iter().filter_map(|work| Right::new(work)).collect(),
        channels: channels.iter().filter_map(|name| Channel::new(name)).collect(),
        ..Event::new(
            EventId::new("cup").unwrap(),
            OrderId::new("1/26").unwrap(),
            Moment(1_790_000_000_000),
            Moment(1_790_000_000_000).plus(HOUR),
        )
    };
    let announce = |event: Event| Command::Announce(event);
    let foreign = announce(named(&["films"], &[]));
    assert_eq!(world.refuses(&league(), foreign), "not_in_order");
    let names: Vec<String> = (0..=MAX_CHANNELS).map(|n| format!("Sport {n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(world.refuses(&league(), announce(named(&[], &names))), "too_many_names");
    let twice = named(&["football", "football"], &["Sport 2", "Sport 1", "Sport 2"]);
    world.does(&league(), announce(twice.clone()));
    let known = world.state.event(&EventId::new("cup").unwrap()).unwrap().clone();
    assert_eq!(known, named(&["football"], &["Sport 1", "Sport 2"]));
    // The same again changes nothing; with another channel it is another event.
    assert_eq!(world.does(&league(), announce(twice)), []);
    let other = named(&["football"], &["Sport 3"]);
    assert_eq!(world.refuses(&league(), announce(other)), "known_otherwise");
    // What is kept of the state has them too.
    let (mut lines, mut reading) = (Vec::new(), Reading::new(Table::default()));
    let taken = world.state.lines::<serde_json::Error>(&mut |line| {
        lines.push(line.to_vec());
        Ok(())
    });
    taken.unwrap();
    lines.iter().for_each(|line| reading.line(line).unwrap());
    assert_eq!(reading.end().unwrap().event(&known.id), Some(&known));
}

#[test]
fn a_ticket_of_an_event_is_of_works_that_the_event_names() {
    let mut world = World::new();
    let (work, order) = (|name: &str| Right::new(name).unwrap(), OrderId::new("3/26").unwrap());
    world.does(
        &authority(),
        Command::GiveOrder(Order {
            id: order.clone(),
            reporter: org("league"),
            rights: ["cup", "derby"].map(work).into(),
            from: world.now,
            until: world.now.plus(DAY),
        }),
    );
    let (from, until) = (world.now, world.now.plus(HOUR));
    let named = EventId::new("the cup's final").unwrap();
    let of = Event::new(named.clone(), order.clone(), from, until);
    world.does(&league(), Command::Announce(Event { works: [work("cup")].into(), ..of }));
    let all = EventId::new("the season's end").unwrap();
    world.does(&league(), Command::Announce(Event::new(all.clone(), order.clone(), from, until)));
    let asked = |event: Option<&EventId>, works: &[&str]| Submission {
        order: order.clone(),
        event: event.cloned(),
        works: works.iter().map(|name| work(name)).collect(),
        items: vec!["a.com".to_owned()],
        audience: Audience::All,
        until: None,
        case: None,
    };
    for works in [&["derby"][..], &["cup", "derby"]] {
        let asked = Command::Submit(asked(Some(&named), works));
        assert_eq!(world.refuses(&league(), asked), "not_in_event");
    }
    // An event that names none is of all of its order's; and without an event the order alone binds.
    for (event, works) in
        [(Some(&named), &["cup"][..]), (Some(&all), &["cup", "derby"]), (None, &["derby"])]
    {
        world.does(&league(), Command::Submit(asked(event, works)));
    }
}
