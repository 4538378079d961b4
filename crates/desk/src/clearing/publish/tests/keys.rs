//! The feed's key replaced: by a record, once, and told to who follows.

use shield::wire::keys::{FeedKeys, open};

use super::*;
use crate::clearing::{HouseAct, kept};

fn grounds() -> Grounds {
    Grounds::new("yearly").unwrap()
}

fn act(bed: &mut Bed, act: &HouseAct) -> Result<()> {
    let vera = shield::order::words::Person::new("vera").unwrap();
    let done = bed.house.do_act(&vera, act);
    bed.house.show().unwrap();
    done
}

fn told(bed: &Bed) -> Option<Vec<u8>> {
    std::fs::read(bed.folder.join("all").join(KEYS)).ok()
}

#[test]
fn a_new_key_signs_once_it_is_on_record_and_whoever_follows_is_shown_why() {
    let mut bed = Bed::new();
    bed.out();
    let (home, authority) = (bed.place.home.clone(), bed.house.case().authority().to_owned());
    let pinned = FeedKeys::new(vec![bed.key.verifier()]);
    // A crash before the record: the old key signs on, and the same command begins anew.
    next_feed_key(&home, &authority, grounds()).unwrap();
    let same = settled(&home, &authority, &bed.house.standing).unwrap();
    assert_eq!(same.verifier(), bed.key.verifier());
    let turn = next_feed_key(&home, &authority, grounds()).unwrap();
    let HouseAct::TurnFeedKey { new, statement, old, .. } = &turn else { panic!() };
    act(&mut bed, &turn).unwrap();
    // Neither twice, nor back, nor of another feed, nor by one key alone.
    assert!(act(&mut bed, &turn).is_err());
    let records = bed.house.case().len();
    let thief = SigningKey::new("b.example/shield/feed", &[1; 32]).unwrap();
    let other = SigningKey::new("b.example/shield/feed", &[2; 32]).unwrap();
    for (old, new, statement) in [
        (new.clone(), old.clone(), statement.clone()),
        (
            thief.verifier().text(),
            other.verifier().text(),
            shield::wire::keys::statement(&thief, &other),
        ),
    ] {
        let wrong = HouseAct::TurnFeedKey { old, new, statement, grounds: grounds() };
        assert!(act(&mut bed, &wrong).is_err());
    }
    assert_eq!(bed.house.case().len(), records);
    // Until the new one signs nobody is told of it: they would believe neither.
    bed.beat();
    assert_eq!(told(&bed), None);
    assert!(bed.publisher.is_void(&bed.house));
    let key = settled(&home, &authority, &bed.house.standing).unwrap();
    assert_eq!(&key.verifier().text(), new);
    bed.publisher.sign_by(key.clone());
    assert!(!bed.publisher.is_void(&bed.house));
    bed.beat();
    let bytes = told(&bed).unwrap();
    let turns = open(&bytes, std::slice::from_ref(&bed.policy)).unwrap();
    let mut keys = pinned;
    assert!(keys.follow(&turns));
    assert_eq!(keys.now(), [key.verifier()]);
    let manifest = std::fs::read_to_string(bed.folder.join("all/manifest")).unwrap();
    assert!(Manifest::open(&manifest, &key.verifier()).is_ok());
    assert!(Manifest::open(&manifest, &bed.key.verifier()).is_err());

    // After a start, from what is kept and of the whole log, it is known, and told by who signs with it.
    let place = bed.place.clone();
    let keys = (bed.house.case().keys().unwrap().clone(), bed.house.case().signer().unwrap());
    bed.house.close().unwrap();
    for is_kept in [true, false] {
        if is_kept {
            let covered = kept::Covered::default();
            kept::keep(&place.case, &keys.0, &keys.1, &covered, None).unwrap();
        } else {
            disk::remove(&kept::path(&place.case)).unwrap();
        }
        let mut house = House::open(&place).unwrap();
        assert_eq!(house.started().kept > 0, is_kept);
        assert_eq!(house.standing.turns, turns);
        house.begin().unwrap();
        house.show().unwrap();
        let key = settled(&home, &authority, &house.standing).unwrap();
        let folder = place.home.join(format!("feed-{is_kept}"));
        let mut publisher = Publisher::new(&folder, key).unwrap();
        publisher.beat(&house, house.now(), &mut |_: Put<'_>| {}).unwrap();
        assert_eq!(
            open(&std::fs::read(folder.join("all/keys")).unwrap(), &[bed.policy.clone()]).unwrap(),
            turns
        );
        house.close().unwrap();
    }
    // An old copy of the key's file signs nothing.
    let path = home.join(FEED_KEY);
    disk::remove(&path).unwrap();
    ledger::OwnKey::create(&path, bed.key.clone()).unwrap();
    let house = House::open(&place).unwrap();
    let error = settled(&home, &authority, &house.standing).unwrap_err().to_string();
    assert!(error.contains("was replaced"), "{error}");
}
