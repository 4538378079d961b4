//! The feed's key replaced: by an edge that follows, one that was away, and against whoever has the old one.

use edge::follow::{StopError, bring};
use ledger::note::Note;
use ledger::tree::{self, leaf, root};
use ledger::{Proof, SigningKey};
use model::record::{Envelope, ShieldFeedKey, write};
use shield::wire::FileName;
use shield::wire::keys;
use shield::wire::stop::{Act, StopFile};

use super::feed::{Mirror, feed_key, log_key, manifest, snapshot, snapshot_by};
use super::{Bed, NAMES, config, config_trusting, place, status};

fn key(seed: u8) -> SigningKey {
    SigningKey::new(feed_key().name(), &[seed; 32]).unwrap()
}

/// What lies beside the manifest, once these keys were replaced one by another, by a log that this key signs.
fn told(turns: &[(&SigningKey, &SigningKey)], log: &SigningKey) -> Vec<u8> {
    let entry = |(old, new): &(&SigningKey, &SigningKey)| {
        let statement = keys::statement(old, new);
        let (old, new) = (old.verifier().text(), new.verifier().text());
        let body = ShieldFeedKey { old, new, statement, reason: None };
        let (authority, actor) = ("authority.example".to_owned(), "vera".to_owned());
        write(&body.into(), &Envelope { time_ms: 1, authority, actor }, &mut || [7; 32]).unwrap().0
    };
    let entries: Vec<Vec<u8>> = turns.iter().map(entry).collect();
    let leaves: Vec<_> = entries.iter().map(|entry| leaf(entry)).collect();
    let (size, whole) = (entries.len() as u64, root(&leaves));
    let proof = |(index, entry): (u64, &Vec<u8>)| {
        let hashes = tree::inclusion::<()>(index, size, &mut |height, i| {
            Ok(root(&leaves[(i << height) as usize..((i + 1) << height) as usize]))
        });
        let checkpoint = Note::parse(&log.sign(size, &whole)).unwrap();
        Proof { extra: Some(entry.clone()), index, hashes: hashes.unwrap(), checkpoint }
    };
    let proofs: Vec<Proof> = (0..).zip(&entries).map(proof).collect();
    keys::write(&proofs).unwrap().into_bytes()
}

fn publish(mirror: &Mirror, at: (u64, u64), beat: u64, names: &[&str], by: &SigningKey) {
    let at = place(at.0, at.1);
    let (name, bytes) = snapshot(at, names);
    mirror.set(&format!("files/{}", name.hash), &bytes);
    let files: [FileName; 1] = [name];
    mirror.set("manifest", &manifest(at, beat, &files, by));
}

#[test]
fn an_edge_takes_a_new_key_over_and_the_old_one_is_worth_nothing_from_then_on() {
    let (dir, mirror) = (tempfile::tempdir().unwrap(), Mirror::new());
    let (new, newer) = (key(3), key(4));
    publish(&mirror, (1, 5), 1, &NAMES, &feed_key());
    let settings = config(dir.path(), &[&mirror], "observe = true");
    let bed = Bed::new(&settings);
    bed.until("it follows", || status(dir.path()).names == 3);
    // By a thief of the feed's key, who writes no record of the log: another key, and what it signs.
    let thief = key(9);
    let log = SigningKey::new(log_key().name(), &[9; 32]).unwrap();
    mirror.set("keys", &told(&[(&feed_key(), &thief)], &log));
    publish(&mirror, (1, 6), 2, &NAMES[..1], &thief);
    bed.until("refused", || status(dir.path()).alarms.iter().any(|of| of.word == "feed_keys"));
    assert_eq!(status(dir.path()).names, 3);
    assert!(!bed.said("replaced the feed's key"));
    // By the house.
    mirror.set("keys", &told(&[(&feed_key(), &new)], &log_key()));
    publish(&mirror, (1, 6), 3, &NAMES[..2], &new);
    bed.until("it goes on", || {
        status(dir.path()).names == 2 && status(dir.path()).alarms.is_empty()
    });
    assert!(bed.said("replaced the feed's key"));
    // Who still has the old one: nothing more, whatever epoch it says, and though no mirror tells of the turn.
    mirror.answers.lock().unwrap().remove("/feed/all/keys");
    publish(&mirror, (7, 0), 9, &NAMES[..1], &feed_key());
    let refused = || status(dir.path()).alarms.iter().any(|of| of.word == "manifest");
    bed.until("the old key is refused", refused);
    assert_eq!((status(dir.path()).epoch, status(dir.path()).names), (Some(1), 2));
    bed.end().unwrap();
    // Over a start, by settings that name the old key alone.
    let bed = Bed::new(&settings);
    bed.until("it is refused again", refused);
    assert_eq!(status(dir.path()).epoch, Some(1));
    bed.end().unwrap();

    // Away while the key was replaced once more.
    mirror.set("keys", &told(&[(&feed_key(), &new), (&new, &newer)], &log_key()));
    publish(&mirror, (2, 0), 1, &NAMES, &newer);
    let bed = Bed::new(&settings);
    bed.until("it goes on", || {
        status(dir.path()).names == 3 && status(dir.path()).alarms.is_empty()
    });
    bed.end().unwrap();
    // A stop that is brought by hand is read by the keys that count by now, whatever the settings name.
    let stop = |by: &SigningKey| {
        let (origin, view, why) =
            (by.name().to_owned(), "all".to_owned(), "the desk is down".to_owned());
        let made = shield::order::Moment(1_780_000_000_000);
        let stop = StopFile { origin, view, act: Act::Resume, epoch: 3, made, why };
        bring(&settings, stop.sign(by).to_string().as_bytes())
    };
    for replaced in [&feed_key(), &new] {
        assert!(matches!(stop(replaced), Err(StopError::File(_))));
    }
    assert!(!stop(&newer).unwrap().runs);
    // What was learnt is never guessed at.
    ledger::disk::write(&dir.path().join("state/feed-keys"), b"{}\n").unwrap();
    let error = Bed::new(&settings).end().unwrap_err().to_string();
    assert!(error.contains("feed-keys is damaged") && error.contains("trust.feed"), "{error}");
    // Nor is a key believed that the settings name and what was learnt leads on from no more.
    let others = told(&[(&key(5), &key(6))], &log_key());
    ledger::disk::write(&dir.path().join("state/feed-keys"), &others).unwrap();
    let error = Bed::new(&settings).end().unwrap_err().to_string();
    assert!(error.contains("other keys than the settings name"), "{error}");
}

#[test]
fn one_that_was_away_hears_of_it_from_any_mirror_before_it_believes_the_old_key() {
    let (dir, thiefs, honest) = (tempfile::tempdir().unwrap(), Mirror::new(), Mirror::new());
    // The first mirror is in the hands of whoever stole the old key, and tells of nothing.
    publish(&thiefs, (9, 0), 1, &NAMES[..1], &feed_key());
    honest.set("keys", &told(&[(&feed_key(), &key(3))], &log_key()));
    publish(&honest, (1, 5), 1, &NAMES, &key(3));
    let bed = Bed::new(&config(dir.path(), &[&thiefs, &honest], "observe = true"));
    bed.until("it follows the house", || status(dir.path()).names == 3);
    assert_eq!(status(dir.path()).epoch, Some(1));
    bed.end().unwrap();
}

/// The log's key replaced (docs/keys.md): an edge whose settings name both goes on, and one of a stranger's leads nowhere.
#[test]
fn a_new_key_of_the_log_is_followed_where_the_settings_name_it_and_no_other_is() {
    let (dir, mirror) = (tempfile::tempdir().unwrap(), Mirror::new());
    let another = |seed: u8| SigningKey::new(log_key().name(), &[seed; 32]).unwrap();
    let (new, stranger) = (another(21), another(22));
    let publish = |log: &SigningKey, epoch: u64, names: &[&str]| {
        let file = snapshot_by(log, "all", place(epoch, 1), names);
        mirror.publish(place(epoch, 1), 1, std::slice::from_ref(&file));
    };
    publish(&log_key(), 1, &NAMES);
    let settings =
        config_trusting(&[log_key(), new.clone()], dir.path(), &[&mirror], "observe = true");
    let bed = Bed::new(&settings);
    bed.until("it follows", || status(dir.path()).names == 3);
    publish(&new, 2, &NAMES[..2]);
    bed.until("it goes on", || status(dir.path()).names == 2);
    publish(&stranger, 3, &NAMES[..1]);
    let refused = || status(dir.path()).alarms.iter().any(|alarm| alarm.word == "file");
    bed.until("a stranger's is refused", refused);
    assert_eq!((status(dir.path()).names, status(dir.path()).epoch), (2, Some(2)));
    bed.end().unwrap();
}
