//! The plain course of things.

use std::fs;
use std::path::Path;

use model::record::{Body, Name, ParseRun};
use model::{ExhibitId, Sha256Hex};
use vault::{Added, Case, Home, MemberOf, Origin, Stamp, Wait};

/// A folder in memory, where there is one: these tests write thousands of small files.
pub(crate) fn quick_dir() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Copies a folder over another.
pub(crate) fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    let done = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(done.success());
}

pub(crate) fn stamp() -> Stamp {
    Stamp { actor: "Ana".into(), now_ms: 1_764_000_000_000 }
}

pub(crate) fn create(dir: &Path) -> (Case, Home) {
    let home = Home::new(&dir.join("home"));
    let case =
        Case::create(&dir.join("case"), &home, "Test", &stamp(), "test", Wait::Fail).unwrap();
    (case, home)
}

pub(crate) fn open(dir: &Path, home: &Home) -> Case {
    Case::open(&dir.join("case"), home, "test", Wait::Fail, 0).unwrap()
}

pub(crate) fn from(path: &str) -> Origin {
    Origin { source: Some(Name::from(path)), item: Some("7".into()), ..Origin::default() }
}

#[test]
fn seal_read_reopen() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let big: Vec<u8> = (0..3_000_000u32).map(|i| (u64::from(i).pow(2) % 253) as u8).collect();
    fs::write(dir.join("big"), &big).unwrap();
    fs::write(dir.join("small"), b"#EXTM3U\n").unwrap();
    let (mut case, home) = create(dir);
    assert_eq!(case.len(), 1);
    let stager = case.stager();
    let big_staged = stager.file(&dir.join("big")).unwrap();
    let small = stager.file(&dir.join("small")).unwrap();
    let (big_id, small_id) = (big_staged.id(), small.id());
    assert_eq!(big_id, ExhibitId(Sha256Hex::of(&big).0));
    let mut batch = case.batch();
    assert_eq!(batch.seal(big_staged, &from("/x/big")).unwrap(), Added::Sealed);
    assert_eq!(batch.seal(small, &from("/x/small")).unwrap(), Added::Sealed);
    // The same bytes twice in one batch, from two sources.
    let again = stager.file(&dir.join("small")).unwrap();
    assert_eq!(batch.seal(again, &from("/x/copy")).unwrap(), Added::Received);
    assert_eq!(batch.commit(&stamp()).unwrap(), 1..4);

    let again = stager.file(&dir.join("big")).unwrap();
    let mut batch = case.batch();
    assert_eq!(batch.seal(again, &from("/x/big")).unwrap(), Added::Known);
    let member = MemberOf {
        container: big_id,
        name: Name(b"../../etc/\xffpasswd".to_vec()),
        codec: "tar".into(),
        offset: Some(512),
    };
    let origin = Origin { member: Some(member.clone()), ..from("/x/big") };
    let staged = stager.reader(&mut &b"root"[..]).unwrap();
    let root_id = staged.id();
    assert_eq!(batch.seal(staged, &origin).unwrap(), Added::Sealed);
    batch.record(ParseRun {
        exhibit: small_id,
        parser: "m3u".into(),
        version: 1,
        facts: 2,
        rows: 0,
        values: 0,
        problems: u64::MAX,
        digest: Sha256Hex([1; 32]),
    });
    assert_eq!(batch.commit(&stamp()).unwrap(), 4..6);
    assert_eq!(case.bytes(&big_id).unwrap().range(2_999_990, u64::MAX).unwrap(), big[2_999_990..]);
    case.finish().unwrap();

    let case = Case::read(&dir.join("case")).unwrap();
    assert_eq!(case.exhibits().len(), 3);
    assert_eq!(case.exhibit(&root_id).unwrap().unwrap().size, 4);
    let Body::ExhibitSealed(body) = case.body(4).unwrap() else { panic!() };
    assert_eq!(Origin::of_sealed(&body).member, Some(member));
    let Body::ParseRun(run) = case.body(5).unwrap() else { panic!() };
    assert_eq!(run.problems, u64::MAX);
    let (record, opening) = case.record(5).unwrap();
    assert_eq!(record.actor(&opening).as_deref(), Some("Ana"));
    assert_eq!(record.public.len(), 0);
    assert_eq!(case.records(0).count(), 6);
    assert!(case.inclusion_proof(5).is_ok());
    // One by one, without the rest, records are the same.
    let records = vault::Records::open(&dir.join("case")).unwrap();
    assert_eq!((records.len(), records.is_empty()), (6, false));
    for index in (0..6).rev() {
        assert_eq!(records.get(index).unwrap(), case.record(index).unwrap());
    }
    assert!(records.get(6).is_err());
    assert!(vault::Records::open(&dir.join("none")).is_err());

    // One writer at a time; a reader beside it.
    let writer = open(dir, &home);
    let second = Case::open(&dir.join("case"), &home, "second", Wait::Fail, 0).unwrap_err();
    assert!(second.to_string().contains("test"), "{second}");
    assert_eq!(Case::read(&dir.join("case")).unwrap().len(), 6);
    drop(writer);
    let mut case = open(dir, &home);
    let stager = case.stager();
    let mut batch = case.batch();
    let staged = stager.file(&dir.join("big")).unwrap();
    assert_eq!(batch.seal(staged, &from("/x/big")).unwrap(), Added::Known);
    let staged = stager.file(&dir.join("big")).unwrap();
    assert_eq!(batch.seal(staged, &from("/y/big")).unwrap(), Added::Received);
    batch.commit(&stamp()).unwrap();
}

#[test]
fn what_is_committed_is_read_before_it_is_published() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let (mut case, _home) = create(dir);
    let staged = case.stager().reader(&mut &b"x"[..]).unwrap();
    let id = staged.id();
    let mut batch = case.batch();
    batch.seal(staged, &from("x")).unwrap();
    batch.commit(&stamp()).unwrap();
    assert!(fs::metadata(dir.join("case/ledger/journal")).unwrap().len() > 0);
    let reader = Case::read(&dir.join("case")).unwrap();
    assert!(reader.exhibit(&id).unwrap().is_some());
    assert_eq!(vault::Records::open(&dir.join("case")).unwrap().len(), reader.len());
    std::mem::forget(case); // as a kill would leave it, but for the lock
    assert!(Case::read(&dir.join("case")).unwrap().exhibit(&id).unwrap().is_some());
}

/// Whoever has a copy of it lays that file back: it is named, and not the one before it.
#[test]
fn a_file_of_openings_that_is_missing_is_named() {
    let temp = quick_dir();
    let home = crate::flip::small_case(temp.path());
    let case = temp.path().join("case");
    for (name, entries) in [("000000000000", 0..1), ("000000000001", 1..5), ("000000000005", 5..6)]
    {
        let path = case.join(format!("vault/openings/{name}.jsonl"));
        let bytes = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let told = Case::read(&case).unwrap_err().to_string();
        assert!(told.starts_with(&format!("{}: it is missing", path.display())), "{told}");
        let found = vault::verify(&case, Some(&home), &|_| {}).unwrap().findings;
        let place = format!("vault/openings/{name}.jsonl");
        let named: Vec<_> = found.iter().filter(|f| f.message.contains("it is missing")).collect();
        assert_eq!(named.len(), entries.count(), "{found:?}");
        assert!(named.iter().all(|finding| finding.place == place), "{found:?}");
        fs::write(&path, bytes).unwrap();
    }
    assert!(vault::verify(&case, Some(&home), &|_| {}).unwrap().is_sound());
}

#[test]
fn what_stays_in_place_is_checked_there() {
    let temp = quick_dir();
    let dir = temp.path();
    let media = dir.join("media.dd");
    fs::write(&media, [5; 10_000]).unwrap();
    let (mut case, home) = create(dir);
    let staged = case.stager().file_in_place(&media).unwrap();
    let id = staged.id();
    let mut batch = case.batch();
    batch.seal(staged, &from("/media.dd")).unwrap();
    batch.commit(&stamp()).unwrap();
    assert_eq!(case.exhibit(&id).unwrap().unwrap().in_place.as_deref(), Some(media.as_path()));
    assert_eq!(case.bytes(&id).unwrap().range(9_999, 20_000).unwrap(), [5]);
    case.finish().unwrap();
    assert_eq!(fs::read_dir(dir.join("case/vault/exhibits")).unwrap().count(), 0);
    let check = || vault::verify(&dir.join("case"), Some(&home), &|_| {}).unwrap();
    assert!(check().is_sound());
    fs::write(&media, [6; 10_000]).unwrap();
    let report = check();
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].place, media.display().to_string());
}

#[test]
fn a_file_that_is_not_what_it_was_is_sealed_as_read() {
    let temp = quick_dir();
    let (mut case, _home) = create(temp.path());
    let stager = case.stager();
    // Its size is stated as 0, and it has bytes: as if it had grown meanwhile.
    let staged = stager.file(Path::new("/proc/version")).unwrap();
    assert!(staged.note().unwrap().contains("changed while it was read"));
    let mut batch = case.batch();
    batch.seal(staged, &from("/proc/version")).unwrap();
    let range = batch.commit(&stamp()).unwrap();
    let Body::ExhibitSealed(body) = case.body(range.start).unwrap() else { panic!() };
    assert!(body.note.is_some() && body.size > 0);
    assert!(matches!(stager.file(temp.path()), Err(vault::Error::NotAFile(_))));
    assert!(stager.file(&temp.path().join("none")).is_err());
}
