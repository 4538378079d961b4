//! Objections: who showed control is shut out by nobody's word, and by nothing that was decided.

use model::Sha256Hex;
use proptest::prelude::*;
use shield::order::command::{Command, Upheld};
use shield::order::{ItemId, MAX_BY_WORD, MAX_DECIDED, MAX_OBJECTIONS, Refusal, State};

use crate::world::*;

fn object(n: u16) -> Command {
    Command::Object { value: item("a.com"), proof: said(n) }
}

/// What a number says, in a hash that has no order of its own.
fn said(n: u16) -> Sha256Hex {
    Sha256Hex::of(&n.to_be_bytes())
}

fn decide(item: ItemId, n: u16) -> Command {
    Command::Decide { item, proof: said(n), upheld: Upheld::No, grounds: grounds() }
}

/// Open ones that were shown, open ones by word, decided ones.
fn counts(state: &State, id: ItemId) -> [usize; 3] {
    let all = || state.objections(id).map(|(_, objection)| objection);
    [
        all().filter(|objection| objection.open && objection.proven).count(),
        all().filter(|objection| objection.open && !objection.proven).count(),
        all().filter(|objection| !objection.open).count(),
    ]
}

#[test]
fn an_owner_is_shut_out_neither_by_what_was_decided_nor_by_anybodys_word() {
    let mut world = World::new();
    let id = world.blocked(&league(), "a.com");
    for n in 0..300 {
        world.now = world.now.plus(SECOND);
        world.does(&owner(), object(n));
        world.does(&another_reviewer(), decide(id, n));
    }
    let by_word = MAX_BY_WORD as u16;
    (1_000..1_000 + by_word).for_each(|n| drop(world.does(&reviewer(), object(n))));
    assert_eq!(world.refuses(&reviewer(), object(2_000)), "too_many_objections");
    assert_eq!(counts(&world.state, id), [0, MAX_BY_WORD, MAX_DECIDED]);
    assert_eq!(words(&world.does(&owner(), object(3_000))), ["objected"]);
    // What was decided of late is not taken again.
    assert_eq!(world.refuses(&owner(), object(299)), "same_objection");
    // Who shows control has a clock of their own, though a reviewer said the same before.
    assert_eq!(words(&world.does(&owner(), object(1_000))), ["objected"]);
    assert_eq!(counts(&world.state, id), [2, MAX_BY_WORD - 1, MAX_DECIDED]);
    assert_eq!(world.refuses(&reviewer(), object(1_000)), "same_objection");
    world.does(&another_reviewer(), decide(id, 1_001));
    assert_eq!(words(&world.does(&owner(), object(1_001))), ["objected"]);
    world.wait(DAY);
    let late = world.steps.iter().filter(|step| step.deed.word() == "objection_overdue").count();
    assert_eq!(late, MAX_BY_WORD + 1, "each open one has one clock");
}

proptest! {
    #[test]
    fn whatever_others_say_an_owner_is_heard_and_what_is_kept_is_bounded(
        acts in prop::collection::vec((0_u8..4, 0_u16..200), 0..600),
    ) {
        let mut world = World::new();
        let id = world.blocked(&league(), "a.com");
        let mut begun = world.clone();
        begun.steps.clear();
        world.steps.clear();
        for (what, n) in acts {
            world.now = world.now.plus(1);
            let _ = match what {
                0 => world.tries(&owner(), &object(n)),
                1 => world.tries(&reviewer(), &object(n)),
                2 => world.tries(&isp("i"), &object(n)),
                _ => world.tries(&another_reviewer(), &decide(id, n)),
            };
            let [shown, by_word, decided] = counts(&world.state, id);
            prop_assert!(shown <= MAX_OBJECTIONS && by_word <= MAX_BY_WORD && decided <= MAX_DECIDED);
            // An owner with words of their own: refused only while reviewers have as many proven ones to decide.
            let heard = world.clone().tries(&owner(), &object(60_000));
            match heard {
                Ok(_) => prop_assert!(shown < MAX_OBJECTIONS),
                Err(Refusal::TooManyObjections) => prop_assert_eq!(shown, MAX_OBJECTIONS),
                Err(other) => return Err(TestCaseError::fail(other.to_string())),
            }
        }
        // The steps alone make the same of it.
        for step in &world.steps {
            let _ = begun.state.apply(step);
        }
        prop_assert_eq!(&begun.state, &world.state);
    }
}
