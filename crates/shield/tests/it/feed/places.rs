//! Sessions, epochs, serials: who shows where it stands, and what it gets.

use shield::feed::{Answer, Bounds, Feed, Gates, History, Place, Row, Snapshot};
use shield::order::command::Command;
use shield::order::{Audience, ItemId, Moment, Seen, Value};

use crate::world::*;

fn entry(n: u64, expires: i64) -> shield::feed::Entry {
    shield::feed::Entry { expires: Moment(expires), item: ItemId(n), code: None }
}

fn history(bounds: Bounds) -> History {
    History::new(7, 3, bounds, Snapshot::default())
}

fn put(history: &mut History, name: &str) -> Option<Place> {
    let value = Value::new(item(name));
    let row = Row::new(&value, [(entry(1, 9), &Audience::All)]);
    let gates = history.current().gates().clone();
    history.publish([(value, row)], gates)
}

fn kind(answer: &Answer) -> &'static str {
    match answer {
        Answer::Current => "current",
        Answer::Delta(_) => "delta",
        Answer::Reset(_) => "reset",
    }
}

#[test]
fn who_shows_where_it_stands_gets_nothing_a_delta_or_all() {
    let mut history = history(Bounds { deltas: 2, ..Bounds::default() });
    for name in ["a.com", "b.com", "c.com"] {
        assert!(put(&mut history, name).is_some());
    }
    assert_eq!(put(&mut history, "c.com"), None, "nothing differs");
    let now = history.place();
    let at = |serial| Place { serial, ..now };
    for (shown, word) in [
        (None, "reset"),
        (Some(at(3)), "current"),
        (Some(at(2)), "delta"),
        (Some(at(1)), "delta"),
        (Some(at(0)), "reset"),
        (Some(at(4)), "reset"),
        (Some(Place { session: 8, ..now }), "reset"),
        (Some(Place { epoch: 2, ..now }), "reset"),
        (Some(Place { epoch: 4, ..now }), "reset"),
    ] {
        assert_eq!(kind(&history.answer(&org("i"), shown)), word, "{shown:?}");
    }
    let Answer::Delta(own) = history.answer(&org("i"), Some(at(1))) else { panic!("a delta") };
    let names: Vec<_> = own.added.iter().map(|(value, _)| value.to_string()).collect();
    assert_eq!((own.from, own.to, names.join(" ")), (1, 3, "b.com c.com".into()));
}

#[test]
fn deltas_are_bounded_by_count_and_by_bytes() {
    let mut few = history(Bounds { deltas: 2, bytes: 1 << 20 });
    let mut small = history(Bounds { deltas: 1_000, bytes: 2_000 });
    for n in 0..100 {
        let name = format!("n{n}.com");
        assert!(put(&mut few, &name).is_some() && put(&mut small, &name).is_some());
        assert!(few.kept().0 <= 2 && small.kept().1 <= 2_000);
    }
    assert!(few.kept().0 == 2 && small.kept().0 > 0);
    assert_eq!(few.oldest(), 98);
    // One that is too large by itself is not kept: who follows begins anew.
    let mut none = history(Bounds { deltas: 8, bytes: 10 });
    let before = none.place();
    assert!(put(&mut none, "a.com").is_some());
    assert_eq!((none.kept(), kind(&none.answer(&org("i"), Some(before)))), ((0, 0), "reset"));
}

#[test]
fn nobody_goes_back_to_an_older_feed() {
    let now = Place { session: 7, epoch: 3, serial: 5 };
    for (next, may) in [
        (Place { serial: 6, ..now }, true),
        (now, true),
        (Place { serial: 4, ..now }, false),
        (Place { session: 9, epoch: 4, serial: 0 }, true),
        (Place { session: 9, epoch: 2, serial: 99 }, false),
        (Place { session: 9, ..now }, false),
    ] {
        assert_eq!(now.may_go_to(next), may, "{next:?}");
    }
}

#[test]
fn a_value_is_out_once_until_the_last_of_its_items_expires() {
    let value = Value::new(item("a.com"));
    let only = |isp: &str| Audience::Only([org(isp)].into());
    let (one, two) = (only("left"), only("right"));
    let row = Row::new(
        &value,
        [
            (entry(3, 20), &Audience::All),
            (entry(4, 30), &one),
            (entry(5, 10), &two),
            (entry(2, 30), &one),
        ],
    )
    .expect("a row");
    let of = |isp: &str| row.of(&org(isp)).map(|entry| (entry.item.0, entry.expires.0));
    // Left has one that expires later than everybody's; right's own is the shorter one.
    assert_eq!(
        (of("left"), of("right"), of("other")),
        (Some((2, 30)), Some((3, 20)), Some((3, 20)))
    );
    let row = Row::new(&value, [(entry(5, 10), &two)]).expect("a row");
    assert_eq!(row.of(&org("left")), None);
    assert!(Row::new(&value, []).is_none());
}

#[test]
fn an_items_end_leaves_the_value_to_the_next_one_in_one_delta() {
    let mut world = World::new();
    let site = world.blocked(&cinema(), "a.com");
    let live = world.blocked(&league(), "a.com");
    let shown = world.feed.history().place();
    let lift = Command::Lift { item: site, collateral: None, grounds: grounds() };
    world.does(&cinema(), lift);
    let answer = world.feed.history().answer(&org("i"), Some(shown));
    let Answer::Delta(own) = answer else { panic!("a delta") };
    assert!(own.removed.is_empty());
    assert_eq!(own.added.iter().map(|(_, entry)| entry.item).collect::<Vec<_>>(), [live]);
}

#[test]
fn a_view_stays_what_it_was() {
    let mut world = World::new();
    let id = world.blocked(&league(), "a.com");
    let view = world.feed.history().current().view(&org("i"));
    world.captured(id, Seen::Works);
    let lift = Command::Lift { item: id, collateral: None, grounds: grounds() };
    world.does(&league(), lift);
    assert_eq!((view.entries().count(), world.out("a.com")), (1, None));
}

#[test]
fn a_gate_that_shuts_and_opens_leads_across_by_no_delta() {
    let mut history = history(Bounds::default());
    assert!(put(&mut history, "a.com").is_some());
    let open = history.place();
    let mut world = World::new();
    let scope = shield::order::Scope::Isp(org("i"));
    let halt = shield::order::Halt::Lifts;
    world.does(&authority(), Command::Stop { scope, halt, grounds: grounds() });
    let shut = history.publish([], Gates::of(&world.state)).expect("a serial");
    for (isp, shown, word) in [("i", open, "reset"), ("i", shut, "current"), ("j", open, "delta")] {
        assert_eq!(kind(&history.answer(&org(isp), Some(shown))), word, "{isp}");
    }
    // While it is shut nothing of what goes on reaches the ISP, though its serial moves on.
    assert!(put(&mut history, "b.com").is_some());
    let Answer::Delta(own) = history.answer(&org("i"), Some(shut)) else { panic!("a delta") };
    assert!(own.added.is_empty() && own.to == history.place().serial);
    assert!(history.publish([], Gates::default()).is_some());
    let Answer::Reset(view) = history.answer(&org("i"), Some(shut)) else { panic!("a reset") };
    assert_eq!(view.entries().count(), 2);
}

#[test]
fn a_gate_is_remembered_when_no_delta_is_kept() {
    let mut history = history(Bounds { deltas: 1, bytes: 1 << 20 });
    let open = history.place();
    let mut world = World::new();
    let (scope, halt) = (shield::order::Scope::All, shield::order::Halt::Lifts);
    world.does(&authority(), Command::Stop { scope, halt, grounds: grounds() });
    assert!(history.publish([], Gates::of(&world.state)).is_some());
    assert_eq!(kind(&history.answer(&org("i"), Some(open))), "reset");
}

#[test]
fn a_ticket_of_a_thousand_items_is_one_serial_if_it_is_published_as_one() {
    let mut world = World::new();
    let names: Vec<String> = (0..1_000).map(|n| format!("n{n}.com")).collect();
    let lines: Vec<&str> = names.iter().map(String::as_str).collect();
    let ticket = world.ticket(&league(), &lines);
    let mut feed = Feed::new(&world.state, 7, 1, Bounds::default());
    for place in 0..1_000 {
        let id = ItemId::new(ticket, place);
        let before = world.steps.len();
        world.captured(id, Seen::Works);
        world.checked(id, shield::Verdict::Allow);
        assert!(world.steps.len() > before);
        let value = world.state.item(id).expect("it lives").value.clone();
        feed.touch(&world.state, shield::order::Touched::Value(value));
    }
    let place = feed.publish(&world.state).expect("a serial");
    assert_eq!((place.serial, feed.history().current().len()), (1, 1_000));
    assert_eq!(feed.history().current(), world.feed.history().current());
}
