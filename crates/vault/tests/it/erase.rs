//! Erasure: what is gone is gone, what is left proves, and nothing goes without a record.
#![allow(clippy::single_range_in_vec_init)] // One run of bytes is what most of them erase.

use std::fs;
use std::path::{Path, PathBuf};

use ledger::disk::faults::{Last, crash_after, heal};
use model::ExhibitId;
use model::record::{Body, Name, ParseRun, PrivilegeMarked, ViewsRebuilt};
use proptest::prelude::*;
use vault::erase::{Plan, What};
use vault::{Case, Home, MemberOf, Origin, Report, Wait, verify};

use crate::life::{create, from, open, stamp};

const WHY: (&str, &str) = ("Directive (EU) 2016/680 art. 16", "request 7 of the data subject");

fn no_more(_: Option<ExhibitId>) -> Vec<Body> {
    Vec::new()
}

fn erase(case: &mut Case, what: &What) -> (Plan, std::ops::Range<u64>) {
    let plan = case.plan_erasure(what, &|_| {}).unwrap();
    let range = case.erase(&plan, WHY, &no_more, &stamp()).unwrap();
    (plan, range)
}

fn sound(dir: &Path, home: &Home) -> Report {
    let report = verify(&dir.join("case"), Some(home), &|_| {}).unwrap();
    assert!(report.is_sound(), "{:#?}", report.findings);
    report
}

fn findings(dir: &Path, home: &Home) -> String {
    let report = verify(&dir.join("case"), Some(home), &|_| {}).unwrap();
    assert!(!report.is_sound(), "all is well");
    report.findings.iter().map(|f| format!("{}: {}\n", f.place, f.message)).collect()
}

fn files(dir: &Path, out: &mut Vec<PathBuf>) {
    for item in fs::read_dir(dir).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() { files(&path, out) } else { out.push(path) }
    }
}

/// Files of the case that hold the bytes.
fn holding(dir: &Path, wanted: &[u8]) -> Vec<PathBuf> {
    let mut all = Vec::new();
    files(&dir.join("case"), &mut all);
    all.retain(|path| {
        let bytes = fs::read(path).unwrap();
        path.to_string_lossy().as_bytes().windows(wanted.len()).any(|w| w == wanted)
            || bytes.windows(wanted.len()).any(|w| w == wanted)
    });
    all
}

fn seal(case: &mut Case, bytes: &[u8], origin: &Origin) -> ExhibitId {
    let staged = case.stager().reader(&mut &*bytes).unwrap();
    let id = staged.id();
    let mut batch = case.batch();
    batch.seal(staged, origin).unwrap();
    batch.record(run_of(id));
    batch.commit(&stamp()).unwrap();
    id
}

pub(crate) fn run_of(exhibit: ExhibitId) -> ParseRun {
    ParseRun {
        exhibit,
        parser: "m3u".into(),
        version: 1,
        facts: 2,
        rows: 0,
        values: 0,
        problems: 0,
        digest: model::Sha256Hex::of(&exhibit.0),
    }
}

fn member(container: ExhibitId, name: &str) -> Origin {
    let member =
        MemberOf { container, name: Name::from(name), codec: "zip".into(), offset: Some(30) };
    Origin { member: Some(member), ..from("/m/a.zip") }
}

#[test]
fn an_exhibit_goes_with_all_that_tells_of_it() {
    let temp = crate::life::quick_dir();
    let (mut case, home) = create(temp.path());
    let gone = seal(&mut case, b"the secret of Villa Aurelia", &from("/m/letter.txt"));
    let kept = seal(&mut case, b"something else", &from("/m/other.txt"));
    let mut batch = case.batch();
    batch.record(PrivilegeMarked { exhibit: gone, reason: "counsel".into() });
    let text = format!("{gone}: m3u/1 → m3u/2; ");
    batch.record(ViewsRebuilt { exhibits: 2, differing: 1, difference: text });
    batch.commit(&stamp()).unwrap();
    let (plan, range) = erase(&mut case, &What::Exhibit(gone));
    assert_eq!((range.end - range.start, plan.exhibits.len(), plan.leaves()), (1, 1, 1));
    assert!(case.exhibit(&gone).unwrap().is_none() && case.exhibit(&kept).unwrap().is_some());
    let again = case.plan_erasure(&What::Exhibit(gone), &|_| {}).unwrap_err();
    assert!(again.to_string().contains("no exhibit"), "{again}");
    case.finish().unwrap();
    for text in [&b"Villa Aurelia"[..], gone.to_string().as_bytes(), b"letter.txt"] {
        assert_eq!(holding(temp.path(), text), Vec::<PathBuf>::new());
    }
    let report = sound(temp.path(), &home);
    assert_eq!((report.exhibits, report.erased.len()), (1, 1));
    let said = report.erased[0].said();
    for word in ["record 7", "by Ana", "2016/680", "record 1 sealed", "2025-11-24"] {
        assert!(said.contains(word), "{word} is not in {said}");
    }
    // Who took it in, and by what right, stays.
    let case = Case::read(&temp.path().join("case")).unwrap();
    let (record, opening) = case.record(1).unwrap();
    assert_eq!(opening.fields.keys().collect::<Vec<_>>(), ["actor", "item"]);
    assert!(record.public.contains_key("root"));
    let (_, mark) = case.record(5).unwrap();
    assert_eq!(mark.fields.keys().collect::<Vec<_>>(), ["actor", "reason"]);
}

#[test]
fn what_is_missing_without_an_order_is_a_finding_and_so_is_what_came_back() {
    let temp = crate::life::quick_dir();
    let (mut case, home) = create(temp.path());
    let gone = seal(&mut case, b"Villa Aurelia", &from("/m/letter.txt"));
    seal(&mut case, b"something else", &from("/m/other.txt"));
    case.finish().unwrap();
    let openings = temp.path().join("case/vault/openings");
    let before = fs::read(openings.join("000000000001.jsonl")).unwrap();
    let rewrite = |name: &str, change: &dyn Fn(&mut model::record::Opening)| {
        let path = openings.join(name);
        let old = fs::read(&path).unwrap();
        let mut lines = old.split(|b| *b == b'\n');
        let mut opening = model::record::Opening::parse_line(lines.next().unwrap()).unwrap();
        change(&mut opening);
        let rest: Vec<_> = lines.collect();
        let new = [&opening.to_line().unwrap()[..], &rest.join(&b'\n')].join(&b'\n');
        fs::write(&path, new).unwrap();
        (path, old)
    };
    let (path, old) = rewrite("000000000001.jsonl", &|o| {
        o.fields.remove("source");
    });
    assert!(findings(temp.path(), &home).contains("\"source\" is missing, and no record orders"));
    fs::write(&path, &old).unwrap();
    let (path, old) =
        rewrite("000000000003.jsonl", &|o| o.erased = vec!["0/1/".to_owned() + &"ab".repeat(32)]);
    assert!(findings(temp.path(), &home).contains("no record orders it"));
    fs::write(&path, &old).unwrap();

    let mut case = open(temp.path(), &home);
    erase(&mut case, &What::Exhibit(gone));
    case.finish().unwrap();
    sound(temp.path(), &home);
    // A backup was laid over it.
    let path = openings.join("000000000001.jsonl");
    let after = fs::read(&path).unwrap();
    fs::write(&path, &before).unwrap();
    let said = findings(temp.path(), &home);
    for field in ["\"exhibit\" is still there", "\"digest\" is still", "leaf salts are still there"]
    {
        assert!(said.contains(field), "{field} is not in {said}");
    }
    fs::write(&path, after).unwrap();
    let hex = gone.to_string();
    let folder = temp.path().join("case/vault/exhibits").join(&hex[..2]);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(&hex), b"Villa Aurelia").unwrap();
    assert!(findings(temp.path(), &home).contains("it may be what was erased"));
    // The next command that writes removes both.
    fs::write(&path, &before).unwrap();
    open(temp.path(), &home).finish().unwrap();
    sound(temp.path(), &home);
    assert_eq!(holding(temp.path(), b"Villa Aurelia"), Vec::<PathBuf>::new());
    // A tombstone that says more, less or something else.
    for change in [
        &(|o: &mut model::record::Opening| {
            o.leaf_secrets = vec!["0/0/".to_owned() + &"ab".repeat(32)]
        }) as &dyn Fn(&mut model::record::Opening),
        &|o| {
            o.fields.remove("item");
        },
        &|o| {
            if let Some(item) = o.fields.get_mut("item") {
                item.value = model::Canon::text("8");
            }
        },
    ] {
        let (path, old) = rewrite("000000000001.jsonl", change);
        findings(temp.path(), &home);
        fs::write(&path, &old).unwrap();
    }
    sound(temp.path(), &home);
}

#[test]
fn a_member_takes_its_containers_along_and_leaves_the_other_members() {
    let temp = crate::life::quick_dir();
    let (mut case, home) = create(temp.path());
    let outer = seal(&mut case, b"OUTER holds INNER holds aurelia and others", &from("/m/o.zip"));
    let inner = seal(&mut case, b"INNER holds aurelia and another", &member(outer, "i.zip"));
    let gone = seal(&mut case, b"aurelia", &member(inner, "a.txt"));
    let beside = seal(&mut case, b"another", &member(inner, "b.txt"));
    let apart = seal(&mut case, b"apart", &member(outer, "c.txt"));
    let plan = case.plan_erasure(&What::Exhibit(gone), &|_| {}).unwrap();
    let carriers: Vec<_> = plan.exhibits.iter().filter(|e| e.carrier).map(|e| e.id).collect();
    assert_eq!(carriers, [outer, inner]);
    assert_eq!(
        plan.kept.iter().copied().collect::<std::collections::HashSet<_>>(),
        [beside, apart].into()
    );
    erase(&mut case, &What::Exhibit(gone));
    case.finish().unwrap();
    sound(temp.path(), &home);
    let case = Case::read(&temp.path().join("case")).unwrap();
    let left: Vec<_> = case.exhibits().iter().map(|e| e.id).collect();
    assert_eq!(left, [beside, apart]);
    assert_eq!(case.bytes(&beside).unwrap().range(0, 99).unwrap(), b"another");
    let record = case.exhibit(&beside).unwrap().unwrap().record;
    assert_eq!(case.erased_under(record, "container").map(|o| o.record), Some(11));
    for text in [outer, inner, gone]
        .map(|id| id.to_string())
        .iter()
        .map(String::as_bytes)
        .chain([&b"aurelia"[..]])
    {
        assert_eq!(holding(temp.path(), text), Vec::<PathBuf>::new());
    }
    drop(case);
    // A container takes all along that is inside it.
    let mut case = open(temp.path(), &home);
    let zip = seal(&mut case, &[b'Z'; 5000], &from("/m/z.zip"));
    let in_it = seal(&mut case, b"in it", &member(zip, "x"));
    let refused = case.plan_erasure(&What::Bytes(zip, vec![0..1]), &|_| {}).unwrap_err();
    assert!(refused.to_string().contains("a container of 1 exhibits"), "{refused}");
    erase(&mut case, &What::Exhibit(zip));
    assert!(case.exhibit(&in_it).unwrap().is_none() && case.exhibit(&beside).unwrap().is_some());
    case.finish().unwrap();
    sound(temp.path(), &home);
}

/// What is left of one exhibit may be another that the case has: it is sealed once, and goes on
/// proving both.
#[test]
fn what_is_left_may_be_known_already() {
    let temp = crate::life::quick_dir();
    let (mut case, home) = create(temp.path());
    let long = |first: u8| [vec![first; 4096], vec![b'x'; 4096], vec![b'y'; 100]].concat();
    let known = seal(&mut case, &long(0), &from("/m/known"));
    let other = seal(&mut case, &long(b'a'), &from("/m/other"));
    erase(&mut case, &What::Bytes(other, vec![0..1]));
    assert_eq!(case.exhibits().iter().map(|e| e.id).collect::<Vec<_>>(), [known]);
    erase(&mut case, &What::Bytes(known, vec![5000..5001]));
    case.finish().unwrap();
    sound(temp.path(), &home);
    assert_eq!(holding(temp.path(), &[b'x'; 100]), Vec::<PathBuf>::new());
    let mut case = open(temp.path(), &home);
    let last = case.exhibits()[0].id;
    // Bytes that are not those that were sealed make no hashes.
    let hex = last.to_string();
    let path = temp.path().join("case/vault/exhibits").join(&hex[..2]).join(&hex);
    let mut bytes = fs::read(&path).unwrap();
    bytes[8192] ^= 1;
    fs::remove_file(&path).unwrap();
    fs::write(&path, &bytes).unwrap();
    let plan = case.plan_erasure(&What::Bytes(last, vec![0..1]), &|_| {}).unwrap();
    let refused = case.erase(&plan, WHY, &no_more, &stamp()).unwrap_err();
    assert!(refused.to_string().contains("not those that were sealed"), "{refused}");
}

/// An entry of the log holds so much and no more.
#[test]
fn an_order_that_names_too_much_for_a_record_is_several() {
    let temp = crate::life::quick_dir();
    let (mut case, home) = create(temp.path());
    let zip = seal(&mut case, b"ZIP", &from("/m/z.zip"));
    let stager = case.stager();
    let mut batch = case.batch();
    let mut ids = Vec::new();
    for n in 0..1300 {
        let staged = stager.reader(&mut format!("member {n}").as_bytes()).unwrap();
        ids.push(staged.id());
        batch.seal(staged, &member(zip, &format!("{n}"))).unwrap();
        batch.record(run_of(ids[n]));
    }
    batch.commit(&stamp()).unwrap();
    let (plan, range) = erase(&mut case, &What::Exhibit(ids[7]));
    assert!(range.end - range.start > 1, "{range:?}");
    assert_eq!((plan.exhibits.len(), plan.kept.len(), case.exhibits().len()), (2, 1299, 1299));
    erase(&mut case, &What::Exhibit(ids[8]));
    case.finish().unwrap();
    let report = sound(temp.path(), &home);
    let named: u64 = report.erased.iter().map(|e| e.openings).sum();
    assert!(named > 1299 && report.erased.iter().map(|e| e.exhibits.count()).sum::<u64>() == 3);
    assert_eq!(holding(temp.path(), zip.to_string().as_bytes()), Vec::<PathBuf>::new());
}

#[test]
fn a_medium_sealed_in_place_is_named_and_not_touched() {
    let temp = crate::life::quick_dir();
    let medium = temp.path().join("medium.img");
    fs::write(&medium, b"aurelia on a disk").unwrap();
    let (mut case, home) = create(temp.path());
    let staged = case.stager().file_in_place(&medium).unwrap();
    let id = staged.id();
    let mut batch = case.batch();
    batch.seal(staged, &from("/m/medium.img")).unwrap();
    batch.commit(&stamp()).unwrap();
    erase(&mut case, &What::Exhibit(id));
    case.finish().unwrap();
    assert_eq!(fs::read(&medium).unwrap(), b"aurelia on a disk");
    let said = sound(temp.path(), &home).erased[0].said();
    assert!(said.contains("not erased") && said.contains("medium.img"), "{said}");
}

#[test]
fn a_text_of_a_record_goes_by_itself_and_what_holds_the_case_together_does_not() {
    let temp = crate::life::quick_dir();
    let (mut case, home) = create(temp.path());
    let id = seal(&mut case, b"bytes", &from("/m/Jane Roe.txt"));
    let field = |record, name: &str| What::Field(record, name.to_owned());
    for (record, name) in
        [(1, "exhibit"), (1, "size"), (1, "root"), (1, "none"), (2, "digest"), (99, "x")]
    {
        let refused = case.plan_erasure(&field(record, name), &|_| {}).unwrap_err();
        assert!(matches!(refused, vault::Error::NotErasable(_)), "{record} {name}: {refused}");
    }
    let (_, range) = erase(&mut case, &field(1, "source"));
    let refused = case.plan_erasure(&field(range.start, "reason"), &|_| {}).unwrap_err();
    assert!(matches!(refused, vault::Error::NotErasable(_)), "{refused}");
    let again = case.plan_erasure(&field(1, "source"), &|_| {}).unwrap_err();
    assert!(again.to_string().contains("erased under record 3 on 2025-11-24"), "{again}");
    assert!(case.exhibit(&id).unwrap().is_some());
    case.finish().unwrap();
    assert_eq!(holding(temp.path(), b"Jane Roe"), Vec::<PathBuf>::new());
    assert_eq!(sound(temp.path(), &home).exhibits, 1);
}

/// A holder of all that is left of a case tries every year.
#[test]
fn an_erased_birth_year_cannot_be_confirmed() {
    let temp = crate::life::quick_dir();
    let (mut case, home) = create(temp.path());
    let text = |year: u32| [vec![b'.'; 5000], format!("born {year}\n").into_bytes()].concat();
    let part = seal(&mut case, &text(1984), &from("/m/a"));
    let whole = seal(&mut case, b"born 1984", &from("/m/b"));
    let years = |year: u32| Name::from(format!("born {year}").as_str());
    let mut batch = case.batch();
    batch.record(model::record::MaterialUnread { path: years(1984), message: "gone".into() });
    batch.commit(&stamp()).unwrap();
    erase(&mut case, &What::Bytes(part, vec![5000..5009]));
    erase(&mut case, &What::Exhibit(whole));
    erase(&mut case, &What::Field(5, "path".into()));
    case.finish().unwrap();
    sound(temp.path(), &home);
    assert_eq!(holding(temp.path(), b"born 1984"), Vec::<PathBuf>::new());
    let case = Case::read(&temp.path().join("case")).unwrap();
    let mut digests = Vec::new();
    for year in 1900..2030 {
        for bytes in [text(year), format!("born {year}").into_bytes()] {
            let id = model::Sha256Hex::of(&bytes);
            digests.push(id.to_string());
            digests.push(model::Sha256Hex::of(&id.0).to_string()); // the digest of its facts, here
        }
    }
    // Nothing that can be computed from a guess alone stands anywhere, in text or in bytes.
    let mut all = Vec::new();
    files(&temp.path().join("case"), &mut all);
    for path in all {
        let bytes = fs::read(&path).unwrap();
        let shown = format!("{} {}", path.display(), String::from_utf8_lossy(&bytes));
        assert!(!digests.iter().any(|digest| shown.contains(digest)), "{}", path.display());
    }
    // Nor does a salt that is left turn a guess into a hash that is left.
    let (_, opening) = case.record(1).unwrap();
    let nodes: Vec<_> =
        opening.leaf_secrets.iter().map(|n| vault::ggm::Node::parse(n).unwrap()).collect();
    assert_eq!(vault::ggm::salt(&nodes, 1), None);
    assert!(vault::ggm::salt(&nodes, 0).is_some());
    let (record, _) = case.record(5).unwrap();
    for year in 1900..2030 {
        let leaf = &text(year)[4096..];
        let salts = (0..2).filter_map(|leaf| vault::ggm::salt(&nodes, leaf)).chain([[0; 32]]);
        for salt in salts {
            let hash = model::id::hex(&vault::salted::leaf_hash(&salt, leaf));
            assert!(!opening.erased.iter().any(|line| line.ends_with(&hash)));
        }
        let value = model::record::FieldType::to_canon(&years(year)).unwrap();
        for (_, _, other) in case.records(0).map(Result::unwrap) {
            for salt in other.fields.values().map(|f| f.salt) {
                let guess = model::commitment::FieldOpening { salt, value: value.clone() };
                let guess = guess.commitment(1, "material.unread", "path").unwrap();
                assert_ne!(record.committed["path"], guess);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Any parts, one after the other: the bytes are gone, the others stand, and everything proves.
    #[test]
    fn any_parts_go_and_the_rest_proves(
        len in prop_oneof![1usize..9000, 8190usize..8195, 1usize..60_000],
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 1u64..9000), 1..4),
    ) {
        let temp = crate::life::quick_dir();
        let (mut case, home) = create(temp.path());
        // Each leaf says which it is, so that no two are alike and none is zeros.
        let bytes: Vec<u8> = (0..len).map(|i| (1 + i / 4096 * 7 % 100 + i % 89) as u8).collect();
        let mut id = seal(&mut case, &bytes, &from("/m/a"));
        let mut expected = bytes.clone();
        let mut gone = vec![false; len.div_ceil(4096)];
        for (at, width) in cuts {
            let start = at.index(len) as u64;
            let end = (start + width).min(len as u64);
            let leaves = start as usize / 4096..(end as usize).div_ceil(4096);
            let all_gone = leaves.clone().all(|leaf| gone[leaf]);
            leaves.clone().for_each(|leaf| gone[leaf] = true);
            let (from, to) = (leaves.start * 4096, (leaves.end * 4096).min(len));
            expected[from..to].fill(0);
            let plan = case.plan_erasure(&What::Bytes(id, vec![start..end]), &|_| {}).unwrap();
            let whole = plan.part.is_none();
            prop_assert_eq!(whole, leaves == (0..gone.len()));
            let done = case.erase(&plan, WHY, &no_more, &stamp());
            if all_gone && !whole {
                prop_assert!(done.unwrap_err().to_string().contains("are zeros"));
                continue;
            }
            done.unwrap();
            if whole {
                prop_assert!(case.exhibits().is_empty());
                break;
            }
            let left: Vec<_> = case.exhibits().iter().map(|e| e.id).collect();
            prop_assert_eq!(left.len(), 1);
            id = left[0];
            let found = case.bytes(&id).unwrap().range(0, u64::MAX).unwrap();
            prop_assert!(found == expected);
        }
        case.finish().unwrap();
        sound(temp.path(), &home);
        for (leaf, gone) in gone.iter().enumerate() {
            let part = &bytes[leaf * 4096..(leaf * 4096 + 4096).min(len)];
            // Shorter ones are the same in other leaves: what tells these apart comes every 89 bytes.
            if *gone && part.len() > 200 {
                prop_assert_eq!(holding(temp.path(), part), Vec::<PathBuf>::new());
            }
        }
        // A case that is opened again says the same, and is left alone.
        open(temp.path(), &home).finish().unwrap();
        sound(temp.path(), &home);
    }
}

/// Whatever byte is changed in the openings of a case of which a part was erased, it is found.
#[test]
fn every_flipped_byte_of_a_tombstone_is_found() {
    let temp = crate::life::quick_dir();
    let (mut case, home) = create(temp.path());
    let bytes: Vec<u8> = (0..9000).map(|i| (i % 251) as u8 + 1).collect();
    let part = seal(&mut case, &bytes, &from("/m/a"));
    let whole = seal(&mut case, b"born 1984", &from("/m/b"));
    erase(&mut case, &What::Bytes(part, vec![0..10]));
    erase(&mut case, &What::Exhibit(whole));
    case.finish().unwrap();
    sound(temp.path(), &home);
    let mut all = Vec::new();
    files(&temp.path().join("case/vault/openings"), &mut all);
    for path in all {
        let bytes = fs::read(&path).unwrap();
        for at in (0..bytes.len()).step_by(3) {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            fs::write(&path, &changed).unwrap();
            let found = verify(&temp.path().join("case"), Some(&home), &|_| {});
            assert!(!found.is_ok_and(|r| r.is_sound()), "byte {at} of {}", path.display());
        }
        fs::write(&path, &bytes).unwrap();
    }
    sound(temp.path(), &home);
}

/// The case that the crash test erases in: a part of one exhibit, and a member with its container.
fn prepared(dir: &Path) -> (Home, ExhibitId, ExhibitId) {
    let (mut case, home) = create(dir);
    let long = [vec![b'a'; 5000], b"aurelia one".to_vec()].concat();
    let part = seal(&mut case, &long, &from("/m/a"));
    let zip = seal(&mut case, b"ZIP: aurelia two, other", &from("/m/z.zip"));
    let gone = seal(&mut case, b"aurelia two", &member(zip, "two"));
    seal(&mut case, b"other", &member(zip, "other"));
    case.finish().unwrap();
    (home, part, gone)
}

fn both(dir: &Path, home: &Home, part: ExhibitId, gone: ExhibitId) -> vault::Result<()> {
    let mut case = Case::open(&dir.join("case"), home, "run", Wait::Fail, 5)?;
    for what in [What::Bytes(part, vec![5000..5007]), What::Exhibit(gone)] {
        match case.plan_erasure(&what, &|_| {}) {
            Ok(plan) => {
                case.erase(&plan, WHY, &no_more, &stamp())?;
            }
            Err(vault::Error::NoExhibit(_)) => {} // done before the crash
            Err(other) => return Err(other),
        }
    }
    case.finish()
}

#[test]
fn a_crash_at_any_step_of_an_erasure_is_made_good() {
    let mut steps = 0;
    for last in [Last::Undone, Last::Done, Last::Torn] {
        for n in 0.. {
            let temp = crate::life::quick_dir();
            let (home, part, gone) = prepared(temp.path());
            crash_after(n, last);
            let done = both(temp.path(), &home, part, gone);
            let crashed = heal();
            let what = format!("step {n}, {last:?}");
            if !crashed {
                done.unwrap();
                steps = n;
                break;
            }
            // Whoever opens the case for writing completes what the log orders.
            let records = match Case::open(&temp.path().join("case"), &home, "run", Wait::Fail, 5) {
                Ok(case) => {
                    let records = case.len();
                    case.finish().unwrap();
                    records
                }
                Err(e) => panic!("{what}: {e}"),
            };
            let report = sound(temp.path(), &home);
            let ordered = report.erased.len();
            let held = |text: &[u8]| holding(temp.path(), text).len();
            let (one, two) = (held(b"aurelia one"), held(b"aurelia two"));
            match ordered {
                0 => assert_eq!((records, one, two), (9, 1, 2), "{what}: gone before the record"),
                1 => assert_eq!((one, two), (0, 2), "{what}"),
                _ => assert_eq!((one, two), (0, 0), "{what}"),
            }
            both(temp.path(), &home, part, gone).unwrap_or_else(|e| panic!("{what}: {e}"));
            assert_eq!(sound(temp.path(), &home).erased.len(), 2, "{what}");
            assert_eq!(held(b"aurelia"), 0, "{what}");
        }
    }
    assert!(steps > 30, "only {steps} steps were tried");
}
