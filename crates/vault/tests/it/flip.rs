//! Whatever byte is changed under `ledger/` or `vault/`, `verify` finds it.

use std::fs;
use std::path::{Path, PathBuf};

use model::record::PrivilegeMarked;
use vault::{Home, Origin, Stamp, verify};

use crate::life::{create, from, stamp};

/// A small case with everything in it: files, a member, a receipt, judgements.
pub(crate) fn small_case(dir: &Path) -> Home {
    let (mut case, home) = create(dir);
    let stager = case.stager();
    let first = stager.reader(&mut &b"#EXTM3U\n#EXTINF:-1,One\nhttp://a.example/1\n"[..]).unwrap();
    let id = first.id();
    let second = stager.reader(&mut &[7u8; 4200][..]).unwrap();
    let empty = stager.reader(&mut &b""[..]).unwrap();
    let again = stager.reader(&mut &[7u8; 4200][..]).unwrap();
    let mut batch = case.batch();
    batch.seal(first, &from("/a")).unwrap();
    batch.seal(second, &from("/b")).unwrap();
    batch.seal(empty, &from("/c")).unwrap();
    batch.seal(again, &Origin::default()).unwrap();
    batch.commit(&stamp()).unwrap();
    let mut batch = case.batch();
    batch.record(PrivilegeMarked { exhibit: id, reason: "a lawyer's".into() });
    batch.commit(&Stamp { actor: "Bo".into(), now_ms: 1_764_000_001_000 }).unwrap();
    case.finish().unwrap();
    home
}

pub(crate) fn files(dir: &Path, out: &mut Vec<PathBuf>) {
    for item in fs::read_dir(dir).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() { files(&path, out) } else { out.push(path) }
    }
}

#[test]
fn every_flipped_byte_is_found() {
    let temp = crate::life::quick_dir();
    let home = small_case(temp.path());
    let case = temp.path().join("case");
    let sound = |home| verify(&case, home, &|_| {}).unwrap();
    let report = sound(Some(&home));
    assert!(report.is_sound() && report.key_from_home, "{report:?}");
    assert_eq!((report.records, report.exhibits, report.bytes), (6, 3, 4242));
    assert!(report.notes.is_empty(), "{:?}", report.notes);
    assert!(sound(None).is_sound());

    let mut all = Vec::new();
    files(&case.join("ledger"), &mut all);
    files(&case.join("vault"), &mut all);
    let mut flipped = 0;
    for path in all {
        let bytes = fs::read(&path).unwrap();
        let mut permissions = fs::metadata(&path).unwrap().permissions();
        #[allow(clippy::permissions_set_readonly_false)]
        permissions.set_readonly(false);
        fs::set_permissions(&path, permissions).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            // Another bit at each byte: over a file all eight have their turn.
            changed[at] ^= 1 << (at % 8);
            fs::write(&path, &changed).unwrap();
            for home in [Some(&home), None] {
                // Without a home the key is the case's own; still every byte counts.
                if home.is_none() && at % 5 != 0 {
                    continue;
                }
                let found = verify(&case, home, &|_| {});
                assert!(
                    found.is_err() || !found.unwrap().is_sound(),
                    "byte {at} of {} (home: {})",
                    path.display(),
                    home.is_some()
                );
            }
            flipped += 1;
        }
        // And what is cut, longer, or gone.
        for changed in [&bytes[..bytes.len().saturating_sub(1)], &[&bytes[..], b"\n"].concat()] {
            if changed != bytes && !path.ends_with("journal") {
                fs::write(&path, changed).unwrap();
                assert!(
                    !verify(&case, Some(&home), &|_| {}).is_ok_and(|r| r.is_sound()),
                    "{path:?}"
                );
            }
        }
        fs::remove_file(&path).unwrap();
        let gone = verify(&case, Some(&home), &|_| {});
        assert!(path.ends_with("journal") || !gone.is_ok_and(|r| r.is_sound()), "{path:?}");
        fs::write(&path, &bytes).unwrap();
    }
    assert!((8_000..65_536).contains(&flipped), "{flipped} bytes");
    assert!(sound(Some(&home)).is_sound());

    // What does not belong is found too.
    for stray in
        ["ledger/x", "ledger/tile/0/001", "vault/x", "vault/exhibits/00/x", "vault/openings/7"]
    {
        let path = case.join(stray);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, b"x").unwrap();
        assert!(!sound(Some(&home)).is_sound(), "{stray}");
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn an_older_copy_is_told_by_the_authority() {
    let temp = crate::life::quick_dir();
    let home = small_case(temp.path());
    let (old, case) = (temp.path().join("old"), temp.path().join("case"));
    let copied = std::process::Command::new("cp").args(["-r"]).arg(&case).arg(&old).status();
    assert!(copied.unwrap().success());
    let mut open = crate::life::open(temp.path(), &home);
    let mut batch = open.batch();
    batch.record(model::record::ViewsRebuilt { exhibits: 3, differing: 0, difference: "".into() });
    batch.commit(&stamp()).unwrap();
    open.finish().unwrap();
    fs::remove_dir_all(&case).unwrap();
    fs::rename(&old, &case).unwrap();
    let report = verify(&case, Some(&home), &|_| {}).unwrap();
    assert!(!report.is_sound());
    assert!(verify(&case, None, &|_| {}).unwrap().is_sound());
    let refused = vault::Case::open(&case, &home, "test", vault::Wait::Fail, 0).unwrap_err();
    assert!(refused.to_string().contains("older or"), "{refused}");
}
