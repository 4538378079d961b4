//! What gave a block its right, or kept it away, and does so no longer.

use shield::order::command::Command;
use shield::order::exceptions::Cover;
use shield::order::words::OrderId;
use shield::order::{MAX_LIFTED, Stage, Turn};

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
