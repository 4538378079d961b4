use std::convert::Infallible;

use proptest::prelude::*;

use model::Sha256Hex;

use super::*;
use crate::Error;
use crate::note::{MAX_NOTE, SigningKey};
use crate::tree::{Hash, consistency, leaf};
use crate::{Policy, WitnessKey};

const ORIGIN: &str = "police.example/case/1";

fn log() -> SigningKey {
    SigningKey::new(ORIGIN, &[1; 32]).unwrap()
}

fn cosigner() -> CosignerKey {
    CosignerKey::new("w.example", &[2; 32]).unwrap()
}

fn trust() -> Trust {
    let authority = log().verifier().renamed("police.example").unwrap();
    Trust::parse(&format!("authority {}\n", authority.text())).unwrap()
}

fn leaves(fork: u8, size: u64) -> Vec<Hash> {
    // Forks differ from their fifth entry on.
    (0..size).map(|i| leaf(&[i as u8, if i < 4 { 0 } else { fork }])).collect()
}

fn note(fork: u8, size: u64) -> Note {
    Note::parse(&log().sign(size, &root(&leaves(fork, size)))).unwrap()
}

fn hashes(fork: u8, old: u64, new: u64) -> Vec<Hash> {
    let leaves = leaves(fork, new);
    let of = &mut |height: u32, i: u64| {
        Ok::<_, ()>(root(&leaves[(i << height) as usize..((i + 1) << height) as usize]))
    };
    if old == 0 { Vec::new() } else { consistency(old, new, of).unwrap() }
}

fn body(fork: u8, old: u64, new: u64) -> String {
    let (hashes, checkpoint) = (hashes(fork, old, new), note(fork, new));
    Consistency { old, hashes, checkpoint }.to_string()
}

fn ask(latest: Option<&Note>, body: &str) -> Result<Cosigned, Refusal> {
    let witness = Witness::new(cosigner(), trust());
    witness.add_checkpoint(body, 1_700_000_000, |_| Ok::<_, Infallible>(latest.cloned())).unwrap()
}

#[test]
fn what_goes_on_is_cosigned_and_nothing_else() {
    let first = ask(None, &body(0, 0, 3)).unwrap();
    let policy = Policy { log: log().verifier(), witnesses: vec![cosigner().witness()], quorum: 1 };
    let found = policy.open(&first.latest).unwrap();
    assert_eq!((found.checkpoint.size, found.by[0].1), (3, 1_700_000_000));
    let second = ask(Some(&first.latest), &body(0, 3, 9)).unwrap();
    // Once more the same, at a later time.
    assert!(ask(Some(&second.latest), &body(0, 9, 9)).is_ok());

    let status = |latest: Option<&Note>, body: &str| ask(latest, body).unwrap_err().status();
    assert_eq!(status(None, "old 0\n"), 400);
    assert_eq!(status(None, &body(0, 0, 3).replace("old 0", "old 4")), 400);
    assert_eq!(status(None, &body(0, 0, 3).replace("police", "polite")), 404);
    assert_eq!(
        status(
            None,
            &body(0, 0, 3).replace("police.example/case/1\n3\n", "police.example/case/1\n4\n")
        ),
        403
    );
    let other = SigningKey::new(ORIGIN, &[9; 32]).unwrap();
    let strange = Note::parse(&other.sign(3, &[1; 32])).unwrap();
    let strange = Consistency { old: 0, hashes: Vec::new(), checkpoint: strange }.to_string();
    assert_eq!(status(None, &strange), 403);
    assert_eq!(ask(Some(&first.latest), &body(0, 0, 9)), Err(Refusal::Conflict(3)));
    assert_eq!(ask(None, &body(0, 3, 9)), Err(Refusal::Conflict(0)));
    // A proof where none can be, none where one must be, and a root of nothing that is none.
    let mut proof = Consistency::parse(&body(0, 3, 9)).unwrap();
    proof.old = 0;
    assert_eq!(status(None, &proof.to_string()), 422);
    proof.old = 3;
    proof.hashes.pop();
    assert_eq!(status(Some(&first.latest), &proof.to_string()), 422);
    let nothing = Note::parse(&log().sign(0, &[1; 32])).unwrap();
    let nothing = Consistency { old: 0, hashes: Vec::new(), checkpoint: nothing }.to_string();
    assert_eq!(status(None, &nothing), 422);
}

/// The file names a log's keys, the newest last: the log goes over to it, and never back.
#[test]
fn a_key_that_was_replaced_signs_nothing_newer() {
    let new = SigningKey::new(ORIGIN, &[5; 32]).unwrap();
    let of = |key: &SigningKey| key.verifier().text();
    let ask = |file: &str, latest: Option<&Note>, by: &SigningKey, old, size| {
        let signed = by.sign(size, &root(&leaves(0, size)));
        let checkpoint = Note::parse(&signed).unwrap();
        let body = Consistency { old, hashes: hashes(0, old, size), checkpoint }.to_string();
        let witness = Witness::new(cosigner(), Trust::parse(file).unwrap());
        let latest = |_: &str| Ok::<_, Infallible>(latest.cloned());
        witness.add_checkpoint(&body, 1_700_000_000, latest).unwrap()
    };
    let both = format!("log {}\nlog {}\n", of(&log()), of(&new));
    let first = ask(&both, None, &log(), 0, 3).unwrap().latest;
    let second = ask(&both, Some(&first), &new, 3, 5).unwrap().latest;
    let refused = ask(&both, Some(&second), &log(), 5, 9).unwrap_err();
    assert_eq!(refused, Refusal::Signature(NoteError::Replaced { until: 5 }));
    assert_eq!(refused.status(), 403);
    assert!(ask(&both, Some(&second), &new, 5, 9).is_ok());
    // Before the log has gone over the old key still counts, but no further than the file says.
    assert!(ask(&both, Some(&first), &log(), 3, 5).is_ok());
    let until = format!("log {} until 4\nlog {}\n", of(&log()), of(&new));
    assert!(ask(&until, Some(&first), &log(), 3, 4).is_ok());
    let refused = ask(&until, Some(&first), &log(), 3, 5).unwrap_err();
    assert_eq!(refused, Refusal::Signature(NoteError::Replaced { until: 4 }));
    // Without the new key in the file nothing of it is taken.
    let refused = ask(&format!("log {}\n", of(&log())), Some(&first), &new, 3, 5).unwrap_err();
    assert_eq!(refused, Refusal::Signature(NoteError::OtherKey));
}

#[test]
fn a_log_that_tells_two_stories_is_caught_and_the_file_shows_it() {
    let kept = ask(None, &body(0, 0, 9)).unwrap().latest;
    // Another tree of the same size: the two signatures are the proof.
    let Err(Refusal::Inconsistent { accusation: Some(split), .. }) =
        ask(Some(&kept), &body(1, 9, 9))
    else {
        panic!("it must be refused, with both checkpoints")
    };
    let text = split.to_string();
    assert_eq!(Split::parse(&text).unwrap(), *split);
    assert!(!text.contains("w.example"), "the witness's own word is not what accuses");
    assert!(
        matches!(split.check(&trust()).unwrap(), Shown::Split(a, b) if (a.size, b.size) == (9, 9))
    );
    // A greater tree: the witness cannot show what it began with, and says so.
    let refused = ask(Some(&kept), &body(1, 9, 14)).unwrap_err();
    let Refusal::Inconsistent { accusation: Some(split), .. } = refused else { panic!("refused") };
    assert!(matches!(split.check(&trust()), Ok(Shown::Unexplained(_, _))));
    // Who has that tree can.
    let (was, proof) = (root(&leaves(1, 9)), hashes(1, 9, 14));
    let split = Split::proving(kept.clone(), note(1, 14), was, proof.clone());
    assert_eq!(Split::parse(&split.to_string()).unwrap(), split);
    assert!(
        matches!(split.check(&trust()).unwrap(), Shown::Split(a, b) if (a.size, b.size) == (9, 14))
    );
    // Nobody accuses an honest log: neither with its own beginning, nor with one made up.
    let (was, proof) = (root(&leaves(0, 9)), hashes(0, 9, 14));
    assert!(Split::proving(kept.clone(), note(0, 14), was, proof.clone()).check(&trust()).is_err());
    assert!(Split::proving(kept.clone(), note(0, 14), [7; 32], proof).check(&trust()).is_err());
    assert!(Split::accusing(kept.clone(), kept.clone()).check(&trust()).is_err());
    // Signatures must be the log's.
    let other = SigningKey::new(ORIGIN, &[9; 32]).unwrap();
    let forged = Note::parse(&other.sign(9, &[1; 32])).unwrap();
    assert!(Split::accusing(kept, forged).check(&trust()).is_err());
}

#[test]
fn an_answer_is_taken_only_from_the_witness_asked() {
    let cosigned = ask(None, &body(0, 0, 3)).unwrap();
    let asking = |key: WitnessKey, old| Asking::new(key, note(0, 3), 3, old);
    let mut asked = asking(cosigner().witness(), 0);
    assert_eq!(asked.first(), Next::Send(0));
    let line = format!("{}\n", cosigned.signature);
    assert!(matches!(asked.answer(200, &line), Next::Cosigned(_, 1_700_000_000)));
    let other = CosignerKey::new("w.example", &[3; 32]).unwrap().witness();
    assert!(matches!(asking(other, 0).answer(200, &line), Next::Refused(_)));
    for junk in ["", "\n", "junk\n", &line[..line.len() - 1]] {
        assert!(matches!(asked.answer(200, junk), Next::Refused(_)), "{junk:?}");
    }
    // Another size than expected is tried again, so often.
    let mut asked = asking(cosigner().witness(), 0);
    assert_eq!(asked.answer(409, "2\n"), Next::Send(2));
    assert_eq!(asked.answer(409, "3\n"), Next::Send(3));
    assert_eq!(asked.answer(409, "4\n"), Next::Ahead(4));
    assert_eq!(asked.answer(422, ""), Next::Inconsistent);
    let mut asked = asking(cosigner().witness(), 0);
    let again: Vec<Next> = [1, 2, 1, 2, 1].map(|n| asked.answer(409, &format!("{n}\n"))).into();
    assert!(matches!(again.last(), Some(Next::Refused(_))), "{again:?}");
    for (status, body) in [(409, "many"), (409, "03\n"), (404, ""), (403, "no"), (500, "\u{1b}[2J")]
    {
        let mut asked = asking(cosigner().witness(), 0);
        let Next::Refused(why) = asked.answer(status, body) else { panic!("{status}") };
        assert!(!why.chars().any(char::is_control), "{why:?}");
    }
}

#[test]
fn what_is_kept_outlives_the_process_and_is_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let home = WitnessHome::new(dir.path());
    assert!(home.open(trust(), "test").unwrap_err().is_missing());
    home.init("w.example", &[2; 32]).unwrap();
    assert!(home.init("w.example", &[3; 32]).is_err(), "a key is never overwritten");
    let store = home.open(trust(), "test").unwrap();
    assert!(matches!(home.open(trust(), "test"), Err(Error::Held { .. })));
    let add = |store: &WitnessStore, body: &str| store.add_checkpoint(body, 7).unwrap();
    let first = add(&store, &body(0, 0, 3)).unwrap();
    drop(store);
    let store = home.open(trust(), "test").unwrap();
    let hash = Sha256Hex::of(ORIGIN.as_bytes()).to_string();
    assert_eq!(store.latest(&hash).unwrap(), Some(first.latest));
    for strange in ["../key", "", &hash.to_uppercase(), &"0".repeat(64)] {
        assert_eq!(store.latest(strange).unwrap(), None, "{strange}");
    }
    assert_eq!(add(&store, &body(0, 0, 9)), Err(Refusal::Conflict(3)));
    add(&store, &body(0, 3, 9)).unwrap();
    for fork in 1..40 {
        assert_eq!(add(&store, &body(fork, 9, 12)).unwrap_err().status(), 422);
        assert_eq!(add(&store, &body(fork, 9, 12)).unwrap_err().status(), 422);
    }
    let kept = dir.path().join("witness/splits").read_dir().unwrap().count();
    assert_eq!(kept, 16, "who signs nonsense fills no disk");
    add(&store, &body(0, 9, 12)).unwrap();
}

proptest! {
    #[test]
    fn any_bytes_are_survived(text in any::<String>(), lines in "[a-z 0-9=+/\n\u{2014}]{0,160}") {
        let _ = ask(None, &text);
        let _ = Split::parse(&text);
        let text = format!("vigie split-view v1\n{lines}");
        if let Ok(split) = Split::parse(&text) {
            prop_assert_eq!(split.to_string(), text);
        }
    }

    /// No changed byte of a file that shows a split view is read as another that shows one.
    #[test]
    fn no_changed_byte_accuses(at in any::<prop::sample::Index>(), flip in 1u8..128) {
        let split = Split::proving(note(0, 9), note(1, 14), root(&leaves(1, 9)), hashes(1, 9, 14));
        let text = split.to_string();
        let mut bytes = text.clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        if let Ok(changed) = String::from_utf8(bytes) {
            let shown = Split::parse(&changed).and_then(|split| split.check(&trust()));
            prop_assert!(!matches!(shown, Ok(Shown::Split(_, _))), "byte {}", at);
        }
    }
}

#[test]
fn longer_than_can_be_is_refused() {
    assert!(Split::parse(&"a".repeat(2 * MAX_NOTE + 10_000)).is_err());
    assert_eq!(ask(None, &"a".repeat(2 * MAX_NOTE)).unwrap_err().status(), 400);
}
