//! A log that was cut, laid back, or changed while batches waited: verifying finds it, and whoever would
//! write on refuses before he touches anything. A run that went on would take the traces away.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ledger::{
    CosignerKey, Known, Log, Note, Reader, SigningKey, keep_contradicting, keep_witnessed,
};

fn key() -> SigningKey {
    SigningKey::new("practice.invalid/case/1", &[7; 32]).unwrap()
}

fn entries(of: &str, range: std::ops::Range<u64>) -> Vec<Vec<u8>> {
    range.map(|n| format!("{{\"record\":{n},\"of\":\"{of}\"}}").into_bytes()).collect()
}

/// A log of 300 entries in tiles, and three batches that wait: up to 310, 320 and 330.
fn waiting(of: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(dir.path(), key()).unwrap();
    log.append(&entries("all", 0..300)).unwrap();
    log.finish().unwrap();
    let mut log = Log::open(dir.path(), key()).unwrap();
    for at in [300, 310, 320] {
        log.append(&entries(of, at..at + 10)).unwrap();
    }
    drop(log); // as a crash leaves it
    dir
}

/// Every file and its bytes.
fn all(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut out = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for item in folder.read_dir().unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                out.insert(path.strip_prefix(dir).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    out
}

fn lay(files: &BTreeMap<PathBuf, Vec<u8>>, dir: &Path) {
    fs::remove_dir_all(dir).unwrap();
    for (path, bytes) in files {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn verify(dir: &Path) -> ledger::Report {
    let verifier = key().verifier();
    let known = Known { key: Some(&verifier), ..Known::default() };
    ledger::verify(dir, known, &mut |_, _, _| None).unwrap()
}

/// It is found, nobody writes on, and nothing is changed.
fn is_refused(dir: &Path, what: &str, finding: &str, refusal: &str) {
    let before = all(dir);
    let report = verify(dir);
    let told: Vec<String> =
        report.findings.iter().map(|f| format!("{}: {}", f.place, f.message)).collect();
    assert!(told.iter().any(|told| told.contains(finding)), "{what}: {told:?}");
    let error = Log::open(dir, key()).unwrap_err().to_string();
    assert!(error.contains(refusal), "{what}: {error}");
    assert!(all(dir) == before, "{what}: it was written to");
}

fn journal(dir: &Path) -> PathBuf {
    let journals = ["journal", "journal-2"].map(|name| dir.join(name));
    journals.into_iter().find(|path| path.metadata().is_ok_and(|m| m.len() > 0)).unwrap()
}

#[test]
fn a_byte_that_changed_in_a_committed_batch_is_damage_and_a_torn_one_is_not() {
    let dir = waiting("these");
    let path = journal(dir.path());
    let whole = fs::read(&path).unwrap();
    for at in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x20;
        fs::write(&path, bytes).unwrap();
        let what = format!("byte {at}");
        is_refused(dir.path(), &what, "records were lost here", "Nothing was written");
        assert!(!verify(dir.path()).signed);
    }
    for len in [whole.len() - 1, whole.len() - 100, whole.len() - 400] {
        fs::write(&path, &whole[..len]).unwrap();
        let report = verify(dir.path());
        assert!(report.findings.is_empty() && report.entries == 320, "{len}");
        assert!(report.notes.iter().any(|note| note.contains("never committed")));
    }
    let mut log = Log::open(dir.path(), key()).unwrap();
    assert_eq!(log.append(&entries("these", 320..330)).unwrap(), 320);
    log.finish().unwrap();
    assert_eq!(verify(dir.path()).entries, 330);
}

#[test]
fn an_older_checkpoint_or_none_shows_by_what_stands_beyond_it() {
    let dir = waiting("these");
    let older = fs::read(dir.path().join("checkpoint")).unwrap();
    Log::open(dir.path(), key()).unwrap().finish().unwrap();
    let newer = fs::read(dir.path().join("checkpoint")).unwrap();
    fs::write(dir.path().join("checkpoint"), older).unwrap();
    is_refused(dir.path(), "older", "beyond the log's end", "beyond the log's end");
    fs::remove_file(dir.path().join("checkpoint")).unwrap();
    is_refused(dir.path(), "none", "it is missing", "it is missing, and entries are there");
    fs::write(dir.path().join("checkpoint"), newer).unwrap();
    assert_eq!(Log::open(dir.path(), key()).unwrap().size(), 330);
    // The end of a full tile: the next one is what stands beyond.
    for (from, to) in [(330, 512), (512, 513), (513, 768)] {
        let before = fs::read(dir.path().join("checkpoint")).unwrap();
        let mut log = Log::open(dir.path(), key()).unwrap();
        log.append(&entries("these", from..to)).unwrap();
        log.finish().unwrap();
        let after = fs::read(dir.path().join("checkpoint")).unwrap();
        fs::write(dir.path().join("checkpoint"), before).unwrap();
        let error = Log::open(dir.path(), key()).unwrap_err().to_string();
        assert!(error.contains("is damaged"), "{from} to {to}: {error}");
        fs::write(dir.path().join("checkpoint"), after).unwrap();
    }
}

#[test]
fn a_checkpoint_that_is_kept_beside_it_is_held_against_it() {
    let dir = waiting("these");
    let before = all(dir.path());
    Log::open(dir.path(), key()).unwrap().finish().unwrap();
    let note = Note::parse(Reader::open(dir.path()).unwrap().published().unwrap()).unwrap();
    let cosigned = |note: &Note| {
        let mut note = note.clone();
        note.signatures
            .push(CosignerKey::new("w.example", &[3; 32]).unwrap().cosign(&note.text, 9));
        note
    };
    // What waits counts: with it the log has all that was cosigned.
    lay(&before, dir.path());
    keep_witnessed(dir.path(), &cosigned(&note)).unwrap();
    assert_eq!(Log::open(dir.path(), key()).unwrap().size(), 330);
    type Keep<'a> = &'a dyn Fn(&Path, &Note);
    let keeps: [(&str, Keep<'_>); 2] = [
        ("cosigned", &|dir, note| keep_witnessed(dir, &cosigned(note)).unwrap()),
        ("contradicting", &|dir, note| keep_contradicting(dir, note).unwrap()),
    ];
    for (what, keep) in keeps {
        // Laid back whole: nothing else tells.
        lay(&before, dir.path());
        fs::remove_file(journal(dir.path())).unwrap();
        keep(dir.path(), &note);
        is_refused(dir.path(), what, "known with 330 entries", "older or cut copy");
    }
    // Nobody cosigned what was signed here instead.
    let other = waiting("those");
    keep_witnessed(other.path(), &cosigned(&note)).unwrap();
    is_refused(other.path(), "another", "signed another history", "that others cosigned");
}

#[test]
fn a_batch_of_another_history_is_never_cut_away() {
    // Beside tiles.
    let (dir, other) = (waiting("these"), waiting("those"));
    Log::open(dir.path(), key()).unwrap().finish().unwrap();
    fs::copy(journal(other.path()), dir.path().join("journal")).unwrap();
    is_refused(dir.path(), "tiles", "holds another entry", "of another history");
    // Beside batches that wait and cover it.
    let dir = waiting("these");
    fs::rename(journal(dir.path()), dir.path().join("journal")).unwrap();
    fs::copy(journal(other.path()), dir.path().join("journal-2")).unwrap();
    is_refused(dir.path(), "waiting", "signed another history", "is damaged");
    assert!(!verify(dir.path()).signed);
    // One that nobody signed.
    let stranger = SigningKey::new(key().name(), &[8; 32]).unwrap();
    let third = tempfile::tempdir().unwrap();
    Log::open(third.path(), stranger.clone()).unwrap().finish().unwrap();
    let mut log = Log::open(third.path(), stranger).unwrap();
    log.append(&entries("all", 0..4)).unwrap();
    drop(log);
    fs::copy(journal(third.path()), dir.path().join("journal-2")).unwrap();
    let error = Log::open(dir.path(), key()).unwrap_err().to_string();
    assert!(error.contains("journal-2"), "{error}");
    assert!(verify(dir.path()).findings.iter().any(|f| f.place.starts_with("journal-2")));
}

#[test]
fn tiles_of_batches_that_wait_must_be_theirs() {
    let dir = waiting("these");
    let waits = all(dir.path());
    Log::open(dir.path(), key()).unwrap().finish().unwrap();
    let published = all(dir.path());
    let made: Vec<&PathBuf> = published
        .keys()
        .filter(|path| path.starts_with("tile") && !waits.contains_key(*path))
        .collect();
    assert_eq!(made.len(), 2, "{made:?}");
    lay(&waits, dir.path());
    for path in made {
        // As a crash leaves them: written, and the checkpoint not yet.
        let place = dir.path().join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(&place, &published[path]).unwrap();
        let report = verify(dir.path());
        assert!(report.findings.is_empty(), "{:?}", report.findings);
        let name = path.display().to_string();
        assert!(report.notes.iter().any(|note| note.starts_with(&name)), "{:?}", report.notes);
        let mut bytes = published[path].clone();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&place, bytes).unwrap();
        let told = verify(dir.path()).findings;
        assert!(told.len() == 1 && told[0].place.starts_with(&name), "{told:?}");
        fs::remove_file(&place).unwrap();
    }
    assert_eq!(Log::open(dir.path(), key()).unwrap().size(), 330);
    assert!(verify(dir.path()).findings.is_empty());
}
