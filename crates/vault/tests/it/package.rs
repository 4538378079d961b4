//! Packages: what leaves a case proves alone; nothing hidden is in it; whatever byte is changed is
//! found, in the folder and in the file.

use std::fs;
use std::path::Path;

use ledger::Trust;
use model::record::{PackageMade, Places};
use vault::package::{Checked, Choice, Draft, Info, Opened, PackageNote, Shown, TOP, check};
use vault::{Case, Home, Wait};

use crate::flip::small_case;
use crate::life::stamp;

fn choice(index: u64, hide: &[&str], shown: Shown) -> Choice {
    Choice { index, hide: hide.iter().map(|f| (*f).to_owned()).collect(), shown }
}

/// A package of the small case: one exhibit whole, of one the second leaf, one by its record alone.
fn package(dir: &Path, home: &Home) -> (Vec<u8>, Trust) {
    let mut case = Case::open(&dir.join("case"), home, "test", Wait::Fail, 0).unwrap();
    let key = case.signer().unwrap();
    let keys = format!("log {}\n", key.verifier().text());
    let info = Info {
        recipient: "Court of Example".into(),
        handling: "H1".into(),
        restriction: Some("not in\nproceedings".into()),
        made_ms: 1_764_000_002_000,
        keys: keys.clone(),
    };
    let choices = [
        choice(0, &["actor"], Shown::Record),
        choice(1, &[], Shown::Whole),
        choice(2, &["exhibit", "source"], Shown::Parts(vec![1..2])),
        choice(3, &[], Shown::Record),
        choice(5, &["reason"], Shown::Record),
    ];
    let id = key.verifier().id();
    let draft = Draft::new(&case, &choices, info, &|s| s.id == id, &|_| {}).unwrap();
    let mut draft = draft;
    draft.add("index.html", b"<p>read me</p>".to_vec());
    let sealed = draft.seal().unwrap();
    let mut batch = case.batch();
    batch.record(PackageMade {
        manifest: sealed.manifest,
        recipient: "Court of Example".into(),
        handling: "H1".into(),
        restriction: None,
        records: Places::of([0, 1, 2, 3, 5]),
        exhibits: Places::of([1, 2]),
        selection: "all".into(),
    });
    let record = batch.commit(&stamp()).unwrap().start;
    case.publish().unwrap();
    let note = PackageNote { origin: case.origin().to_owned(), record, manifest: sealed.manifest };
    let proof = case.log().prove(record).unwrap();
    let consistency = case.log().prove_since(sealed.log_size).unwrap();
    let out = Path::new("package.zip");
    let zip =
        sealed.write(&note.sign(&key), &proof, &consistency, Vec::new(), out, &|_| {}).unwrap();
    case.finish().unwrap();
    (zip, Trust::parse(&keys).unwrap())
}

fn checked(path: &Path, trust: Option<&Trust>) -> Checked {
    let opened = Opened::open(path, &|_| {}).unwrap();
    check(&opened, trust, 1_764_000_003_000, &|_| {}).unwrap()
}

fn unpack(zip: &Path, to: &Path) {
    let mut names = Vec::new();
    let mut from = std::io::BufReader::new(fs::File::open(zip).unwrap());
    for (name, found) in vault::package::zip::read(&mut from, &|_| {}).unwrap() {
        let bytes = fs::read(zip).unwrap();
        let at = usize::try_from(found.offset).unwrap();
        let path = to.join(name.strip_prefix(TOP).unwrap());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &bytes[at..at + usize::try_from(found.size).unwrap()]).unwrap();
        names.push(path);
    }
}

#[test]
fn a_package_proves_alone_and_every_changed_byte_is_found() {
    let temp = crate::life::quick_dir();
    let home = small_case(temp.path());
    let (zip, trust) = package(temp.path(), &home);
    let path = temp.path().join("package.zip");
    fs::write(&path, &zip).unwrap();

    let found = checked(&path, None);
    assert_eq!(found.findings, [], "{found:?}");
    assert!(!found.signer_confirmed && found.time.is_none() && found.witnesses.is_empty());
    assert_eq!((found.records, found.hidden, found.log_size), (5, 4, 6));
    assert_eq!((found.whole.len(), found.parts.as_slice()), (1, &[2][..]));
    assert_eq!(found.field("Vigie-Restriction"), Some("not in proceedings"));
    let confirmed = checked(&path, Some(&trust));
    assert!(confirmed.signer_confirmed && confirmed.findings.is_empty());
    let stranger = ledger::SigningKey::new(&found.origin, &[9; 32]).unwrap().verifier().text();
    let stranger = Trust::parse(&format!("log {stranger}\n")).unwrap();
    let found_by_stranger = checked(&path, Some(&stranger)).findings;
    assert_eq!(found_by_stranger.len(), 3, "checkpoint, note and record: {found_by_stranger:?}");

    // The second exhibit's first leaf, its digest and its source are nowhere in it.
    let hidden = model::Sha256Hex::of(&[7; 4200]).to_string();
    let text = String::from_utf8_lossy(&zip);
    assert!(!text.contains(&hidden) && !text.contains("a lawyer's"));
    assert!(text.contains(&String::from_utf8_lossy(&[7; 104]).into_owned()));
    assert!(!text.contains(&String::from_utf8_lossy(&[7; 105]).into_owned()));

    let folder = temp.path().join("folder");
    unpack(&path, &folder);
    assert_eq!(checked(&folder, None).findings, []);

    let mut files = Vec::new();
    crate::flip::files(&folder, &mut files);
    assert_eq!(files.len(), 13, "{files:?}");
    for file in &files {
        let bytes = fs::read(file).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            fs::write(file, &changed).unwrap();
            let found = checked(&folder, None);
            assert!(!found.findings.is_empty(), "{} byte {at}", file.display());
        }
        fs::write(file, &bytes).unwrap();
        fs::rename(file, temp.path().join("away")).unwrap();
        assert!(!checked(&folder, None).findings.is_empty(), "{} is missing", file.display());
        fs::rename(temp.path().join("away"), file).unwrap();
    }
    fs::write(folder.join("data/exhibits/added"), b"x").unwrap();
    assert_eq!(checked(&folder, None).findings.len(), 2);

    for at in 0..zip.len() {
        let mut changed = zip.clone();
        changed[at] ^= 1 << (at % 8);
        fs::write(&path, &changed).unwrap();
        let sound = Opened::open(&path, &|_| {})
            .is_ok_and(|o| check(&o, None, 0, &|_| {}).unwrap().findings.is_empty());
        assert!(!sound, "byte {at} of the zip");
    }
}

#[test]
fn what_cannot_be_disclosed_is_refused() {
    let temp = crate::life::quick_dir();
    let home = small_case(temp.path());
    let case = Case::open(&temp.path().join("case"), &home, "test", Wait::Fail, 0).unwrap();
    let info = Info {
        recipient: String::new(),
        handling: "H0".into(),
        restriction: None,
        made_ms: 0,
        keys: String::new(),
    };
    for (choice, why) in [
        (choice(0, &[], Shown::Whole), "seals no exhibit"),
        (choice(1, &["exhibit"], Shown::Whole), "its id is hidden"),
        (choice(1, &["size"], Shown::Whole), "its size is hidden"),
        (choice(1, &[], Shown::Parts(vec![0..1])), "stays hidden"),
        (choice(2, &["exhibit"], Shown::Parts(vec![1..1])), "runs"),
        (choice(2, &["exhibit"], Shown::Parts(vec![0..3])), "runs"),
    ] {
        let made =
            Draft::new(&case, std::slice::from_ref(&choice), info.clone(), &|_| true, &|_| {});
        let Err(e) = made else { panic!("{choice:?}") };
        assert!(e.to_string().contains(why), "{e}");
    }
    // An exhibit that is no longer what was sealed goes into no package.
    let path = case.path(&case.exhibits()[1].id).unwrap();
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    #[allow(clippy::permissions_set_readonly_false)]
    permissions.set_readonly(false);
    fs::set_permissions(&path, permissions).unwrap();
    fs::write(&path, [8; 4200]).unwrap();
    for shown in [Shown::Whole, Shown::Parts(vec![1..2])] {
        let hide: &[&str] = if shown == Shown::Whole { &[] } else { &["exhibit"] };
        let made = Draft::new(&case, &[choice(2, hide, shown)], info.clone(), &|_| true, &|_| {});
        assert!(made.is_err_and(|e| e.to_string().contains("it changed")));
    }
}
