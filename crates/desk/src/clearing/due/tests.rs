use model::Sha256Hex;
use shield::Item;
use shield::order::schedule::Need;
use shield::order::{Command, ItemId, Role};

use crate::clearing::House;
use crate::clearing::tests::{actor, ask, does, item, place, released, reported};

fn checks(house: &mut House) -> Vec<ItemId> {
    house.checks_due(10).into_iter().map(|due| due.item).collect()
}

fn captures(house: &mut House) -> Vec<ItemId> {
    house.captures_due(Need::Renewal, 10)
}

/// Who objects, or reports harm, is heard, whatever becomes of the process right after.
#[test]
fn what_was_objected_to_is_checked_and_captured_at_once_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    House::create(&place).unwrap();
    let mut house = House::open(&place).unwrap();
    house.begin().unwrap();
    let names = ["a.stream.example", "b.stream.example", "c.stream.example"];
    does(&mut house, &reported(&names));
    let asks: Vec<_> = (0..3).flat_map(|n| released(&house, item(n))).collect();
    does(&mut house, &asks);
    assert_eq!((checks(&mut house), captures(&mut house)), (vec![], vec![]));

    let owner = actor("olga", "shop", Role::Party);
    let value = |n: usize| Item::parse(names[n]).unwrap();
    let object = Command::Object { value: value(0), proof: Sha256Hex([7; 32]) };
    does(&mut house, &[ask(&owner, object)]);
    for network in 1..=3 {
        let report = Command::ReportHarm { value: value(1), network };
        does(&mut house, &[ask(&owner, report)]);
    }
    // Nothing of it was done yet, and the process is gone.
    drop(house);
    let mut house = House::open(&place).unwrap();
    assert_eq!(checks(&mut house), [item(0), item(1)]);
    assert_eq!(captures(&mut house), [item(0), item(1)]);
    house.close().unwrap();
}

/// All that was judged is drawn once, the newest first, and stays due until its check was asked for.
#[test]
fn what_was_judged_is_judged_again_bit_by_bit() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    House::create(&place).unwrap();
    let mut house = House::open(&place).unwrap();
    let names: Vec<String> = (0..7).map(|n| format!("n{n}.stream.example")).collect();
    does(&mut house, &reported(&names.iter().map(String::as_str).collect::<Vec<_>>()));
    let asks: Vec<_> = (0..6).flat_map(|n| released(&house, item(n))).collect();
    does(&mut house, &asks);
    assert!(house.draw_again(4, true).is_empty(), "nothing newer is known");
    house.check_all_again();
    assert!(house.draw_again(9, false).is_empty(), "no address");
    assert!(!house.is_checking_again());
    house.check_all_again();
    assert_eq!(house.draw_again(4, true), (2..6).map(item).collect());
    assert_eq!(checks(&mut house).len(), 4);
    let again = released(&house, item(5)).remove(1);
    does(&mut house, &[again]);
    assert_eq!(checks(&mut house), [item(2), item(3), item(4)]);
    assert_eq!(house.draw_again(4, true), [item(0), item(1)].into());
    // What waits for its capture was judged by nothing.
    assert!(house.draw_again(4, true).is_empty() && !house.is_checking_again());
    house.close().unwrap();
}

/// However often it begins anew, the oldest have their turn; and each has one after the last beginning.
#[test]
fn a_round_of_judging_again_that_begins_anew_goes_on_from_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    House::create(&place).unwrap();
    let mut house = House::open(&place).unwrap();
    let names: Vec<String> = (0..6).map(|n| format!("n{n}.stream.example")).collect();
    does(&mut house, &reported(&names.iter().map(String::as_str).collect::<Vec<_>>()));
    let asks: Vec<_> = (0..6).flat_map(|n| released(&house, item(n))).collect();
    does(&mut house, &asks);
    let mut draw = |anew: bool| -> Vec<ItemId> {
        if anew {
            house.check_all_again();
        }
        let drawn: Vec<ItemId> = house.draw_again(2, true).into_iter().collect();
        // They were checked: else they would not be drawn twice.
        drawn.iter().for_each(|item| house.stays(*item));
        drawn
    };
    let two = |n| vec![item(n), item(n + 1)];
    let each: Vec<_> = (0..3).map(|_| draw(true)).collect();
    assert_eq!(each, [two(4), two(2), two(0)]);
    // Of the last beginning, which came when four had been drawn: those two, and then around.
    let rest: Vec<_> = (0..4).map(|_| draw(false)).collect();
    assert_eq!(rest[..2], [two(4), two(2)]);
    assert!(rest[2].is_empty() && rest[3].is_empty());
    house.close().unwrap();
}
