//! Who only reads begins from what is kept, and believes no more of it than a start does.

use super::*;

/// What a reader finds with the authority's home and without it, which is what the log says, and that nothing
/// is written for it.
fn read(place: &Place) -> [super::super::Started; 2] {
    let files = || {
        let mut all: Vec<_> = std::fs::read_dir(place.case.join("kept"))
            .into_iter()
            .flatten()
            .map(|entry| {
                let path = entry.unwrap().path();
                let bytes = std::fs::read(&path).unwrap();
                (path, bytes)
            })
            .collect();
        all.sort();
        all
    };
    let before = files();
    let found = [Some(place.home.as_path()), None].map(|home| {
        let (standing, started) = House::read(&place.case, home).unwrap();
        same(&standing, &all(place));
        started
    });
    assert_eq!(files(), before);
    found
}

#[test]
fn who_reads_begins_from_what_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let (keys, signer) = house(&place);
    let whole = Case::read(&place.case).unwrap().len();
    for started in read(&place) {
        assert_eq!((started.kept, started.applied, started.refused), (0, whole, None));
    }
    let records = keep(&place.case, &keys, &signer, &Covered::default()).unwrap().unwrap();
    for started in read(&place) {
        assert_eq!((started.kept, started.applied, started.refused), (records, 0, None));
    }
    // While a house runs, and has not published all of it.
    let mut running = House::open(&place).unwrap();
    running.begin().unwrap();
    let asks = released(&running, item(1));
    does(&mut running, &asks);
    for started in read(&place) {
        assert_eq!((started.kept, started.refused), (records, None));
        assert!(started.applied > 0);
    }
    running.close().unwrap();
}

#[test]
fn who_reads_believes_no_other_file_than_a_start_does() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let (keys, signer) = house(&place);
    keep(&place.case, &keys, &signer, &Covered::default()).unwrap();
    let good = std::fs::read(path(&place.case)).unwrap();
    let now = keys.open(Case::read(&place.case).unwrap().checkpoint().unwrap()).unwrap();
    let refused = |what: &str, word: &str| {
        for started in read(&place) {
            let why = started.refused.unwrap_or_default();
            assert!(started.kept == 0 && why.contains(word), "{what}: {why}");
        }
    };
    let mut other = now.clone();
    other.root[0] ^= 1;
    write(&place.case, &all(&place), &other, &signer).unwrap();
    refused("another root", "other records");
    let stranger = SigningKey::new(signer.name(), &[9; 32]).unwrap();
    let mut forged = all(&place);
    forged.state = Default::default();
    forged.blocks = Default::default();
    write(&place.case, &forged, &now, &stranger).unwrap();
    refused("a stranger's", "did not sign it");
    for at in (0..good.len()).step_by(211) {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        ledger::disk::write(&path(&place.case), &bytes).unwrap();
        refused("another byte", "");
    }
    // Nor does it help a stranger to be named in the log's first record: another stands in the tree.
    write(&place.case, &forged, &now, &stranger).unwrap();
    let bundle = std::fs::read_dir(place.case.join("ledger/tile/entries/000.p")).unwrap();
    let bundle = bundle.map(|entry| entry.unwrap().path()).max().unwrap();
    let bytes = std::fs::read(&bundle).unwrap();
    let (ours, theirs) = (signer.verifier().text(), stranger.verifier().text());
    let at = bytes.windows(ours.len()).position(|part| part == ours.as_bytes()).unwrap();
    let changed = [&bytes[..at], theirs.as_bytes(), &bytes[at + ours.len()..]].concat();
    ledger::disk::write(&bundle, &changed).unwrap();
    let log = ledger::Reader::open(&place.case.join("ledger")).unwrap();
    let kept = super::super::reading::keys(&log, None);
    assert!(kept.unwrap_err().contains("first record"));
    ledger::disk::write(&bundle, &bytes).unwrap();
    ledger::disk::write(&path(&place.case), &good).unwrap();
    assert!(read(&place).iter().all(|started| started.kept == now.size));
}
