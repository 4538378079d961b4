//! What gave a block its right, or kept it away, and does so no longer.

use shield::order::command::{Command, Event};
use shield::order::exceptions::Cover;
use shield::order::kept::Reading;
use shield::order::values::table::Table;
use shield::order::words::{Channel, EventId, OrderId, Right};
use shield::order::{Deed, ItemId, MAX_CHANNELS, MAX_LIFTED, Moment, Stage, Turn};

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
