//! Backup and restore: whole at any instant, without anything that was erased.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ledger::disk::faults::{Last, crash_after, heal};
use model::ExhibitId;
use model::record::Body;
use proptest::prelude::*;
use vault::backup::{Error, Folder, Made, copy_out, head, run};
use vault::erase::What;
use vault::{Case, Home, Wait, verify_copy};

use crate::life::{create, from, open, quick_dir, stamp};

const WHY: (&str, &str) = ("Directive (EU) 2016/680 art. 16", "request 7");
const FAULTS: [Last; 5] = [Last::Undone, Last::Done, Last::Torn, Last::Failed, Last::Full];

fn no_more(_: Option<ExhibitId>) -> Vec<Body> {
    Vec::new()
}

fn seal(case: &mut Case, bytes: &[u8], path: &str) -> ExhibitId {
    let staged = case.stager().reader(&mut &*bytes).unwrap();
    let id = staged.id();
    let mut batch = case.batch();
    batch.seal(staged, &from(path)).unwrap();
    batch.record(crate::erase::run_of(id));
    batch.commit(&stamp()).unwrap();
    id
}

fn erase(case: &mut Case, what: &What) {
    let plan = case.plan_erasure(what, &|_| {}).unwrap();
    case.erase(&plan, WHY, &no_more, &stamp()).unwrap();
}

fn to(dir: &Path) -> Folder {
    Folder::new(&dir.join("backup"))
}

fn backed_up(case: &mut Case, home: &Home, dir: &Path, check: bool) -> Result<Made, Error> {
    run(case, home, &to(dir), check, "test", &|_| {})
}

/// What the backup is restored to, proven; its records, exhibits and orders.
fn restored(dir: &Path, home: &Home) -> (u64, u64, usize) {
    let out = dir.join("restored");
    let _ = fs::remove_dir_all(&out);
    fs::create_dir(&out).unwrap();
    let copied = copy_out(&to(dir), &out, &|_| {}).unwrap();
    let report = verify_copy(&out, Some(home), &|_| {}).unwrap();
    assert!(report.is_sound(), "{:#?}", report.findings);
    assert_eq!((report.records, report.exhibits), (copied.size, copied.exhibits));
    (report.records, report.exhibits, report.erased.len())
}

fn files(dir: &Path, out: &mut Vec<PathBuf>) {
    for item in fs::read_dir(dir).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() { files(&path, out) } else { out.push(path) }
    }
}

/// Files of the backup whose name or bytes hold the text.
fn holding(dir: &Path, wanted: &str) -> Vec<PathBuf> {
    let mut all = Vec::new();
    files(&dir.join("backup"), &mut all);
    all.retain(|path| {
        let bytes = fs::read(path).unwrap();
        path.to_string_lossy().contains(wanted)
            || bytes.windows(wanted.len()).any(|w| w == wanted.as_bytes())
    });
    all
}

fn nothing_of(dir: &Path, texts: &[&str]) {
    for text in texts {
        assert_eq!(holding(dir, text), Vec::<PathBuf>::new(), "{text}");
    }
}

fn state(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = Vec::new();
    files(&dir.join("backup"), &mut all);
    all.into_iter().map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
}

fn copy_tree(source: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for item in fs::read_dir(source).unwrap() {
        let item = item.unwrap();
        let target = to.join(item.file_name());
        if item.path().is_dir() {
            copy_tree(&item.path(), &target);
        } else {
            fs::copy(item.path(), &target).unwrap();
        }
    }
}

#[test]
fn a_case_is_copied_once_and_then_what_is_new() {
    let temp = quick_dir();
    let dir = temp.path();
    let (mut case, home) = create(dir);
    let first = seal(&mut case, b"the first", "/m/1");
    let made = backed_up(&mut case, &home, dir, false).unwrap();
    assert_eq!((made.before, made.size, made.exhibits, made.bytes), (0, 3, 1, 9));
    assert!(made.changed() && made.findings.is_empty());
    assert_eq!(restored(dir, &home), (3, 1, 0));
    let again = backed_up(&mut case, &home, dir, false).unwrap();
    assert!(!again.changed(), "{again:?}");
    for n in 0..300 {
        seal(&mut case, format!("more {n}").as_bytes(), "/m/n");
    }
    let more = backed_up(&mut case, &home, dir, false).unwrap();
    assert_eq!((more.before, more.size, more.exhibits), (3, 603, 301));
    assert_eq!((more.erased, more.repaired.len()), (0, 0));
    assert_eq!(restored(dir, &home), (603, 301, 0));
    // A backup is laid out as a case is, and no more than one.
    case.finish().unwrap();
    let report = vault::verify(&dir.join("backup"), Some(&home), &|_| {}).unwrap();
    assert!(report.is_sound() && report.notes.is_empty(), "{report:#?}");
    let bytes = fs::read(
        dir.join("restored/vault/exhibits").join(&first.to_string()[..2]).join(first.to_string()),
    );
    assert_eq!(bytes.unwrap(), b"the first");
    // What was restored is a case that goes on.
    fs::remove_dir_all(dir.join("case")).unwrap();
    fs::rename(dir.join("restored"), dir.join("case")).unwrap();
    let mut case = open(dir, &home);
    seal(&mut case, b"after", "/m/after");
    assert_eq!(backed_up(&mut case, &home, dir, true).unwrap().size, 605);
    assert_eq!(restored(dir, &home).0, 605);
}

#[test]
fn what_is_damaged_is_found_and_never_takes_the_place_of_what_is_good() {
    let temp = quick_dir();
    let dir = temp.path();
    let (mut case, home) = create(dir);
    let good = seal(&mut case, b"a good one", "/m/1");
    backed_up(&mut case, &home, dir, false).unwrap();
    let path = |root: &str, id: &ExhibitId| {
        let hex = id.to_string();
        dir.join(root).join("vault/exhibits").join(&hex[..2]).join(hex)
    };
    let write = |path: &Path, bytes: &[u8]| {
        let _ = fs::remove_file(path);
        fs::write(path, bytes).unwrap();
    };
    // In the backup: found by a full check, and put right.
    write(&path("backup", &good), b"a bad one!");
    let made = backed_up(&mut case, &home, dir, false).unwrap();
    assert!(!made.changed());
    let made = backed_up(&mut case, &home, dir, true).unwrap();
    assert_eq!((made.repaired.len(), made.findings.len()), (1, 0), "{made:?}");
    assert_eq!(fs::read(path("backup", &good)).unwrap(), b"a good one");
    for file in [
        "ledger/tile/0/000.p/3",
        "ledger/tile/entries/000.p/3",
        "vault/openings/000000000001.jsonl",
    ] {
        let path = dir.join("backup").join(file);
        let mut bytes = fs::read(&path).unwrap();
        bytes[5] ^= 1;
        fs::write(&path, bytes).unwrap();
    }
    let made = backed_up(&mut case, &home, dir, true).unwrap();
    assert_eq!((made.repaired.len(), made.findings.len()), (3, 0), "{made:?}");
    restored(dir, &home);
    // At the source: told, the rest goes on, and the copy stays good.
    let bad = seal(&mut case, b"soon a bad one", "/m/2");
    seal(&mut case, b"another good one", "/m/3");
    write(&path("case", &bad), b"now  a bad one");
    write(&path("case", &good), b"a bad one!");
    let made = backed_up(&mut case, &home, dir, true).unwrap();
    assert_eq!((made.findings.len(), made.exhibits, made.refused), (1, 2, false), "{made:?}");
    assert!(made.findings[0].place.ends_with(&bad.to_string()));
    assert!(!path("backup", &bad).exists());
    assert_eq!(fs::read(path("backup", &good)).unwrap(), b"a good one");
    // An opening that lost a field with no order is a finding, and nothing moves.
    let before = state(dir);
    let opening = dir.join("case/vault/openings/000000000003.jsonl");
    let text = fs::read_to_string(&opening).unwrap();
    let cut = text.find("\"actor\"").unwrap();
    fs::write(&opening, text[..cut].to_owned() + &text[cut + 1..]).unwrap();
    let refused = backed_up(&mut case, &home, dir, true).unwrap();
    assert!(refused.refused && !refused.findings.is_empty(), "{refused:?}");
    assert_eq!(state(dir), before);
}

/// Whatever byte changes in a backup, a restore copies all the rest and says what does not hold.
#[test]
fn of_a_damaged_backup_everything_else_is_copied_and_the_damage_is_named() {
    let temp = quick_dir();
    let dir = temp.path();
    let (mut case, home) = create(dir);
    for n in 0..4 {
        seal(&mut case, format!("the exhibit {n}").repeat(50).as_bytes(), "/m/n");
    }
    backed_up(&mut case, &home, dir, false).unwrap();
    let mut all = Vec::new();
    files(&dir.join("backup"), &mut all);
    all.retain(|path| !path.ends_with("lock"));
    let exhibits = |root: &str| {
        let mut found = Vec::new();
        files(&dir.join(root).join("vault/exhibits"), &mut found);
        found.len()
    };
    for path in &all {
        let good = fs::read(path).unwrap();
        let place = path.strip_prefix(dir.join("backup")).unwrap().display().to_string();
        let cuts = [good[..good.len() / 2].to_vec(), [&good[..], b"x"].concat(), Vec::new()];
        let flips = (0..6).map(|part| {
            let mut bytes = good.clone();
            bytes[(good.len() - 1) * part / 5] ^= 1;
            bytes
        });
        for (n, bytes) in flips.chain(cuts).map(Some).chain([None]).enumerate() {
            fs::remove_file(path).unwrap();
            if let Some(bytes) = bytes {
                fs::write(path, bytes).unwrap();
            }
            let out = dir.join("restored");
            let _ = fs::remove_dir_all(&out);
            fs::create_dir(&out).unwrap();
            let what = format!("{place}, change {n}");
            match copy_out(&to(dir), &out, &|_| {}) {
                Ok(copied) => {
                    let report = verify_copy(&out, Some(&home), &|_| {}).unwrap();
                    let found: Vec<_> = copied.findings.iter().chain(&report.findings).collect();
                    assert!(!found.is_empty(), "{what}: {copied:?}");
                    let all_there = exhibits("restored") + usize::from(!path.exists()) >= 4;
                    assert!(all_there, "{what}: {copied:?}");
                    if place.starts_with("vault/exhibits") {
                        let word = if path.exists() { "damaged" } else { "missing" };
                        let named = found.iter().any(|f| {
                            f.place.starts_with(&place)
                                && (f.message.contains(word) || f.message.contains("longer"))
                        });
                        assert!(named, "{what}: {found:?}");
                    } else if path.exists() && place.contains("openings") || place == "backup" {
                        let named = found
                            .iter()
                            .any(|f| f.place.starts_with(&place) || f.message.contains(&place));
                        assert!(named, "{what}: {found:?}");
                    }
                }
                Err(error) => {
                    let told = matches!(error, Error::Damaged { .. } | Error::None(_));
                    assert!(told && place == "ledger/checkpoint", "{what}: {error}");
                }
            }
            let _ = fs::remove_file(path);
            fs::write(path, &good).unwrap();
        }
    }
    restored(dir, &home);
}

#[test]
fn a_mark_that_was_damaged_is_put_right_where_the_log_is_this_cases() {
    let temp = quick_dir();
    let dir = temp.path();
    let (mut case, home) = create(dir);
    backed_up(&mut case, &home, dir, false).unwrap();
    let mark = dir.join("backup/backup");
    let good = fs::read(&mark).unwrap();
    for at in [3, good.len() - 5] {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        fs::write(&mark, bytes).unwrap();
        let made = backed_up(&mut case, &home, dir, false).unwrap();
        assert_eq!(made.repaired, ["backup"], "{made:?}");
        assert_eq!(fs::read(&mark).unwrap(), good);
    }
}

#[test]
fn a_case_that_went_back_or_another_one_changes_nothing() {
    let temp = quick_dir();
    let dir = temp.path();
    let (mut case, home) = create(dir);
    seal(&mut case, b"one", "/m/1");
    case.finish().unwrap();
    copy_tree(&dir.join("case"), &dir.join("older"));
    copy_tree(&dir.join("home"), &dir.join("older-home"));
    let mut case = open(dir, &home);
    seal(&mut case, b"two", "/m/2");
    backed_up(&mut case, &home, dir, false).unwrap();
    case.finish().unwrap();
    let before = state(dir);
    // Laid back with its home: the authority cannot tell, the backup can.
    let old_home = Home::new(&dir.join("older-home"));
    let older = || Case::open(&dir.join("older"), &old_home, "test", Wait::Fail, 0).unwrap();
    let error = backed_up(&mut older(), &old_home, dir, false).unwrap_err();
    assert!(matches!(error, Error::NotBefore { held: 5, size: 3, .. }), "{error}");
    for n in 0..4 {
        seal(&mut older(), format!("a fork {n}").as_bytes(), "/m/f");
    }
    let error = backed_up(&mut older(), &old_home, dir, false).unwrap_err();
    assert!(matches!(error, Error::NotBefore { held: 5, size: 11, .. }), "{error}");
    // Another case, and a folder with something else in it.
    let elsewhere = dir.join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let (mut other, other_home) = create(&elsewhere);
    let error = backed_up(&mut other, &other_home, dir, false).unwrap_err();
    assert!(matches!(error, Error::Other { .. }), "{error}");
    let error =
        run(&mut other, &other_home, &Folder::new(dir), false, "test", &|_| {}).unwrap_err();
    assert!(matches!(error, Error::NotABackup(_)), "{error}");
    let mut after = state(dir);
    after.retain(|path, _| !path.ends_with("lock"));
    assert!(after.iter().all(|(path, bytes)| before.get(path) == Some(bytes)));
    // One writer at a time.
    let folder = to(dir);
    let held = vault::backup::Store::lock(&folder, "the first").unwrap();
    let mut case = open(dir, &home);
    let error = backed_up(&mut case, &home, dir, false).unwrap_err();
    assert!(error.to_string().contains("the first"), "{error}");
    drop(held);
    assert_eq!(head(&to(dir)).unwrap().unwrap().size(), 5);
}

/// A case with an exhibit that goes, one of which a part goes, and two that stay; then what erases.
fn before_erasure(dir: &Path) -> (Case, Home, ExhibitId, ExhibitId) {
    let (mut case, home) = create(dir);
    let whole = seal(&mut case, b"the secret of Villa Aurelia", "/m/letter.txt");
    seal(&mut case, b"something else", "/m/other.txt");
    let mut long = vec![b'x'; 20_000];
    long[5000..5011].copy_from_slice(b"Ponte Vella");
    let part = seal(&mut case, &long, "/m/long.txt");
    (case, home, whole, part)
}

#[test]
fn what_was_erased_is_gone_from_the_backup_with_its_next_run() {
    let temp = quick_dir();
    let dir = temp.path();
    let (mut case, home, whole, part) = before_erasure(dir);
    backed_up(&mut case, &home, dir, false).unwrap();
    let (whole_id, part_id) = (whole.to_string(), part.to_string());
    let texts = ["Villa Aurelia", "letter.txt", &whole_id, "Ponte Vella", "long.txt", &part_id];
    texts.iter().for_each(|text| assert!(!holding(dir, text).is_empty(), "{text}"));
    erase(&mut case, &What::Exhibit(whole));
    erase(&mut case, &What::Bytes(part, vec![5000..5011]));
    let made = backed_up(&mut case, &home, dir, false).unwrap();
    assert_eq!((made.erased, made.findings.len(), made.repaired.len()), (2, 0, 0), "{made:?}");
    assert!(made.rewritten >= 2);
    nothing_of(dir, &texts[..4]);
    nothing_of(dir, &[&part_id]);
    let (_, exhibits, orders) = restored(dir, &home);
    assert_eq!((exhibits, orders), (2, 2));
    assert!(!backed_up(&mut case, &home, dir, true).unwrap().changed());
}

/// Exhibits, and files of openings, that the backup still holds of what was erased.
fn left_of(dir: &Path, whole: &ExhibitId, part: &ExhibitId) -> [u64; 2] {
    use std::os::unix::fs::MetadataExt;
    let mut all = Vec::new();
    files(&dir.join("backup"), &mut all);
    let texts = [whole.to_string(), part.to_string(), "letter.txt".into()];
    let told: Vec<PathBuf> = texts.iter().flat_map(|text| holding(dir, text)).collect();
    let begins = |path: &Path, text: &str| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with(&format!("{}{text}", ledger::disk::TEMP_PREFIX))
    };
    let last = |path: &Path| fs::metadata(path).unwrap().nlink() == 1;
    let (exhibits, openings) =
        (dir.join("backup/vault/exhibits"), dir.join("backup/vault/openings"));
    let gone = |path: &&PathBuf| {
        (path.starts_with(&exhibits) && told.contains(path)) || begins(path, "gone-")
    };
    let old = |path: &&PathBuf| {
        let taken = begins(path, "old-") && last(path);
        path.starts_with(&openings) && (taken || (told.contains(path) && !begins(path, "")))
    };
    [all.iter().filter(gone).count() as u64, all.iter().filter(old).count() as u64]
}

#[test]
fn a_crash_at_any_step_leaves_the_state_before_or_after_and_the_next_run_completes_it() {
    let temp = quick_dir();
    let dir = temp.path();
    let (mut case, home, whole, part) = before_erasure(dir);
    // The two runs that matter: the first, and one that erases and adds.
    for erasing in [false, true] {
        if erasing {
            backed_up(&mut case, &home, dir, false).unwrap();
            erase(&mut case, &What::Exhibit(whole));
            erase(&mut case, &What::Bytes(part, vec![5000..5011]));
            seal(&mut case, b"something new", "/m/new.txt");
        }
        let before = erasing.then(|| restored(dir, &home));
        let start = dir.join("start");
        let _ = fs::remove_dir_all(&start);
        if erasing {
            copy_tree(&dir.join("backup"), &start);
        }
        let mut after = None;
        let mut reached = false;
        for last in FAULTS {
            for step in 0.. {
                let _ = fs::remove_dir_all(dir.join("backup"));
                if erasing {
                    copy_tree(&start, &dir.join("backup"));
                }
                crash_after(step, last);
                let result = backed_up(&mut case, &home, dir, false);
                if !heal() {
                    result.unwrap();
                    after.get_or_insert_with(|| restored(dir, &home));
                    break;
                }
                reached = true;
                // The case itself was not being written; its handle may have stopped with the disk.
                if case.publish().is_err() {
                    drop(case);
                    case = open(dir, &home);
                }
                let stands = head(&to(dir)).unwrap().is_some_and(|head| head.checkpoint.is_some());
                if stands {
                    let state = restored(dir, &home);
                    let whole = Some(state) == before || state.0 == case.len();
                    assert!(whole, "{last:?} at {step}: {state:?}");
                } else {
                    assert!(!erasing, "{last:?} at {step}: the older backup is gone");
                }
                let [bytes, words] = if erasing { left_of(dir, &whole, &part) } else { [0, 0] };
                let stands = head(&to(dir)).unwrap().is_some_and(|head| head.size() == case.len());
                let made = backed_up(&mut case, &home, dir, false).unwrap();
                assert!(made.findings.is_empty(), "{last:?} at {step}: {made:?}");
                // What was really destroyed by this run is what it counts.
                assert_eq!((made.erased, made.rewritten), (bytes, words), "{last:?} at {step}");
                let cut = stands && bytes + words > 0;
                assert!(made.completed || !cut, "{last:?} at {step}: {made:?}");
                let state = restored(dir, &home);
                assert_eq!(state.0, case.len());
                assert!(!backed_up(&mut case, &home, dir, true).unwrap().changed());
                if erasing {
                    nothing_of(dir, &["Villa Aurelia", "letter.txt", "Ponte Vella"]);
                    nothing_of(dir, &[&whole.to_string(), &part.to_string()]);
                }
            }
        }
        assert!(reached && after.is_some());
    }
}

#[derive(Debug, Clone)]
enum Move {
    Seal(u8),
    Erase(usize),
    EraseField(usize),
    Backup(bool),
    Crash(u64, usize),
    Damage(usize, usize),
    Restore,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        4 => any::<u8>().prop_map(Move::Seal),
        2 => any::<usize>().prop_map(Move::Erase),
        1 => any::<usize>().prop_map(Move::EraseField),
        2 => any::<bool>().prop_map(Move::Backup),
        3 => (0..60u64, 0..FAULTS.len()).prop_map(|(n, last)| Move::Crash(n, last)),
        1 => (any::<usize>(), any::<usize>()).prop_map(|(n, at)| Move::Damage(n, at)),
        1 => Just(Move::Restore),
    ];
    prop::collection::vec(one, 1..25)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_a_restored_case_verifies_and_holds_nothing_erased(moves in moves()) {
        let temp = quick_dir();
        let dir = temp.path();
        let (mut case, home) = create(dir);
        let mut there: Vec<(ExhibitId, String)> = Vec::new();
        let mut erased: Vec<String> = Vec::new();
        let (mut counter, mut damaged) = (0, false);
        for step in moves {
            match step {
                Move::Seal(n) => {
                    counter += 1;
                    let text = format!("<secret {n} of {counter}>");
                    let id = seal(&mut case, text.as_bytes(), &format!("/m/{text}"));
                    there.push((id, text));
                }
                Move::Erase(n) if !there.is_empty() => {
                    let (id, text) = there.remove(n % there.len());
                    erase(&mut case, &What::Exhibit(id));
                    erased.extend([text, id.to_string()]);
                }
                Move::EraseField(n) if !there.is_empty() => {
                    let (id, text) = there[n % there.len()].clone();
                    let record = case.exhibit(&id).unwrap().unwrap().record;
                    let what = What::Field(record, "source".into());
                    if let Ok(plan) = case.plan_erasure(&what, &|_| {}) {
                        case.erase(&plan, WHY, &no_more, &stamp()).unwrap();
                        erased.push(format!("/m/{text}"));
                    }
                }
                Move::Backup(check) => {
                    let made = backed_up(&mut case, &home, dir, check || damaged).unwrap();
                    damaged = false;
                    prop_assert!(made.findings.is_empty(), "{:?}", made);
                    let held: Vec<&str> = erased.iter().map(String::as_str).collect();
                    nothing_of(dir, &held);
                    prop_assert_eq!(restored(dir, &home).0, case.len());
                }
                Move::Crash(n, last) => {
                    crash_after(n, FAULTS[last]);
                    let result = backed_up(&mut case, &home, dir, damaged);
                    if !heal() {
                        result.unwrap();
                        damaged = false;
                    }
                    if case.publish().is_err() {
                        drop(case);
                        case = open(dir, &home);
                    }
                }
                Move::Damage(n, at) => {
                    let mut all = Vec::new();
                    let backup = dir.join("backup/vault");
                    if backup.is_dir() { files(&backup, &mut all); }
                    all.sort();
                    if let Some(path) = all.get(n.checked_rem(all.len()).unwrap_or(0)) {
                        let mut bytes = fs::read(path).unwrap();
                        if let Some(byte) = bytes.len().checked_sub(1).map(|last| at % (last + 1)) {
                            bytes[byte] ^= 1;
                            fs::remove_file(path).unwrap();
                            fs::write(path, bytes).unwrap();
                            damaged = true;
                        }
                    }
                }
                Move::Restore => {
                    let stands = to(dir);
                    let stands = head(&stands).unwrap().is_some_and(|h| h.checkpoint.is_some());
                    if stands && !damaged { restored(dir, &home); }
                }
                Move::Erase(_) | Move::EraseField(_) => {}
            }
        }
    }
}

/// A backup's folders may hold what no backup put there, or lead elsewhere: it is nobody's to destroy.
#[test]
fn what_is_not_the_backups_is_left_alone() {
    let temp = quick_dir();
    let dir = temp.path();
    let (mut case, home) = create(dir);
    seal(&mut case, b"#EXTM3U", "/m/a");
    backed_up(&mut case, &home, dir, false).unwrap();
    let aliens = [
        "vault/exhibits/precious.txt".to_owned(),
        // Called like an exhibit, though the case has none such and no order of erasure.
        format!("vault/exhibits/ab/ab{}", "0".repeat(62)),
        "vault/openings/README".to_owned(),
        "ledger/tile/notes.txt".to_owned(),
        "ledger/witnessed/notes.txt".to_owned(),
    ];
    for name in &aliens {
        let path = dir.join("backup").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "precious").unwrap();
    }
    let made = backed_up(&mut case, &home, dir, true).unwrap();
    assert_eq!((made.erased, made.repaired.len()), (0, 0));
    for name in &aliens {
        assert!(made.findings.iter().any(|f| f.place.starts_with(name.as_str())), "{name}");
        assert_eq!(fs::read(dir.join("backup").join(name)).unwrap(), b"precious", "{name}");
        fs::remove_file(dir.join("backup").join(name)).unwrap();
    }
    // Folders that lead elsewhere.
    for name in ["vault/exhibits", "vault/openings", "vault", "ledger/witnessed"] {
        let (there, away) = (dir.join("backup").join(name), dir.join("elsewhere"));
        fs::rename(&there, &away).unwrap();
        fs::write(away.join("precious.txt"), "precious").unwrap();
        std::os::unix::fs::symlink(&away, &there).unwrap();
        let listed = |folder: &Path| {
            let mut all = Vec::new();
            files(folder, &mut all);
            all.sort();
            all.into_iter().map(|path| (fs::read(&path).unwrap(), path)).collect::<Vec<_>>()
        };
        let before = listed(&away);
        let refused = backed_up(&mut case, &home, dir, true).unwrap_err();
        assert!(refused.to_string().contains("is a link"), "{name}: {refused}");
        assert!(before == listed(&away), "{name}");
        fs::remove_file(&there).unwrap();
        fs::remove_file(away.join("precious.txt")).unwrap();
        fs::rename(&away, &there).unwrap();
    }
    let made = backed_up(&mut case, &home, dir, true).unwrap();
    assert!(made.findings.is_empty(), "{:?}", made.findings);
    // What went missing there comes back, and that is said.
    let mut all = Vec::new();
    files(&dir.join("backup/vault/exhibits"), &mut all);
    fs::remove_file(&all[0]).unwrap();
    assert_eq!(backed_up(&mut case, &home, dir, false).unwrap().repaired.len(), 1);
    case.finish().unwrap();
}
