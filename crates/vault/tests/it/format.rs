//! `docs/record-format.md` says what the code does, and a second implementation agrees.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use model::record::{
    Blob, Body, CaseOpened, CheckpointStamped, CustodyHandedOver, Envelope, ErasureOrdered,
    ExhibitSealed, FieldPlaces, KeyRotated, Name, Places, PrivilegeMarked, RECORD_KINDS, Side,
    write,
};
use model::{Canon, ExhibitId, Sha256Hex};
use vault::ggm::{Node, inside, puncture, salt};
use vault::salted::SaltedTree;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn kinds() -> String {
    let mut out = String::new();
    for def in RECORD_KINDS {
        let _ = write!(
            out,
            "\n### `{}`\n\n{}\n\n| field | side | |\n|---|---|---|\n",
            def.kind,
            def.about.trim()
        );
        for field in def.fields {
            let side = match field.side {
                Side::Public => "public",
                Side::Committed => "committed",
            };
            let side = if field.optional { format!("{side}, optional") } else { side.to_owned() };
            let _ = writeln!(out, "| `{}` | {side} | {} |", field.name, field.about.trim());
        }
    }
    out + "\n"
}

fn map(pairs: &[(&str, Canon)]) -> Canon {
    Canon::Map(pairs.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect())
}

fn hex(bytes: &[u8]) -> Canon {
    Canon::text(model::id::hex(bytes))
}

fn vectors() -> String {
    let text = |t: &&str| Canon::text(*t);
    let accepted = [
        "true",
        "0",
        "-1",
        "9007199254740991",
        "\"\"",
        "\"9007199254740992\"",
        "[]",
        "{}",
        r#""\u0000\b\t\n\f\r\u001f\"\\/é€😀""#,
        r#"{"A":1,"a":[true,{"b":"c"}]}"#,
        r#"{"hex":"ff2f"}"#,
    ];
    let refused = [
        "",
        " 1",
        "null",
        "1.0",
        "1e3",
        "-0",
        "01",
        "9007199254740992",
        r#""\u0041""#,
        r#""\/""#,
        r#""\u001F""#,
        r#"{"b":1,"a":1}"#,
        r#"{"a":1,"a":1}"#,
        r#"{"a": 1}"#,
        r#"{"é":1}"#,
        "[1,]",
        "1 1",
        "\"\t\"",
    ];
    let mut n = 0u8;
    let mut salts = || {
        n += 1;
        [n; 32]
    };
    let envelope = Envelope {
        time_ms: 1_764_000_000_123,
        authority: "practice.invalid".into(),
        actor: "Ana \u{1F30D}".into(),
    };
    let secret = [7; 32];
    let origin = "practice.invalid/case/019ab697-e87b-7fff-bfff-ffffffffffff";
    let key = ledger::SigningKey::new(origin, &[1; 32]).unwrap();
    let bodies: Vec<(Body, bool)> = vec![
        (
            CaseOpened { origin: origin.into(), key: key.verifier().text(), name: "Test".into() }
                .into(),
            false,
        ),
        (
            ExhibitSealed {
                root: SaltedTree::new(secret).finish(),
                exhibit: ExhibitId(Sha256Hex::of(b"").0),
                size: u64::MAX,
                source: Some(Name(b"/seized/\xff.sql".to_vec())),
                item: Some("7".into()),
                authorisation: None,
                seized_by: None,
                at: Some("2025-11".into()),
                container: None,
                member: Some(Name::from("../../etc/passwd")),
                codec: Some("tar".into()),
                offset: Some(512),
                in_place: None,
                note: None,
            }
            .into(),
            true,
        ),
        (
            PrivilegeMarked { exhibit: ExhibitId([0xab; 32]), reason: "\u{202e}\n\"".into() }
                .into(),
            false,
        ),
    ];
    let mut leaves = Vec::new();
    let mut records = Vec::new();
    // Bytes of other formats stand in no text; an empty list is left out.
    let stamped = CheckpointStamped {
        checkpoint: key.sign(3, &[3; 32]),
        token: Blob(vec![0x30, 0x03, 0x02, 0x01, 0xff]),
        certificates: vec![Blob(vec![0x30, 0x80]), Blob(vec![0xfe])],
        crls: Vec::new(),
        asked: "http://tsa.invalid/".into(),
    };
    let bodies = bodies.into_iter().chain([(stamped.into(), false)]);
    for (body, sealed) in bodies {
        let (bytes, mut opening) = write(&body, &envelope, &mut salts).unwrap();
        if sealed {
            opening.leaf_secrets = vec![Node::root(secret).to_text()];
        }
        leaves.push(ledger::tree::leaf(&bytes));
        records.push(map(&[
            ("entry", Canon::text(String::from_utf8(bytes).unwrap())),
            ("leaf", Canon::text(opening.record.to_string())),
            ("opening", Canon::text(String::from_utf8(opening.to_line().unwrap()).unwrap())),
        ]));
    }
    let hand_over = hand_over(&envelope, origin, &mut salts);
    let erased = erased(&envelope, secret, &mut salts);
    let rotation = rotation(&envelope, origin, &mut salts);
    let trees = [0usize, 1, 4096, 4097, 12_288, 20_000].map(|size| {
        let mut tree = SaltedTree::new(secret);
        let bytes: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
        tree.update(&bytes);
        map(&[
            ("root", Canon::text(tree.finish().to_string())),
            ("secret", hex(&secret)),
            ("size", Canon::int(size as u64)),
        ])
    });
    let whole = [Node::root(secret)];
    let salted = [0u64, 1, 2, 1000, (1 << 40) - 1].map(|leaf| {
        map(&[("leaf", Canon::int(leaf)), ("salt", hex(&salt(&whole, leaf).unwrap()))])
    });
    let punctured = puncture(&whole, 1, 3).iter().map(|n| Canon::text(n.to_text())).collect();
    let sections = [
        ("accepted", Canon::List(accepted.iter().map(text).collect())),
        ("checkpoint", Canon::text(key.sign(records.len() as u64, &ledger::tree::root(&leaves)))),
        ("erased", erased),
        ("hand_over", hand_over),
        ("punctured_1_to_3", Canon::List(punctured)),
        ("records", Canon::List(records)),
        ("refused", Canon::List(refused.iter().map(text).collect())),
        ("rotation", rotation),
        ("salts", Canon::List(salted.to_vec())),
        ("trees", Canon::List(trees.to_vec())),
    ];
    for good in accepted {
        Canon::parse(good.as_bytes()).unwrap();
    }
    for bad in refused {
        assert!(Canon::parse(bad.as_bytes()).is_err(), "{bad}");
    }
    let mut out =
        "\nThe bytes of `trees` are 0, 1, …, 250, 0, 1, … of the given size.\n\n```json\n{\n"
            .to_owned();
    for (i, (name, section)) in sections.iter().enumerate() {
        let end = if i + 1 < sections.len() { "," } else { "" };
        let _ = writeln!(out, "\"{name}\":{section}{end}");
    }
    out + "}\n```\n\n"
}

/// A hand-over that both sides signed, the text that they signed, and the words of its record.
fn hand_over(envelope: &Envelope, origin: &str, salts: &mut dyn FnMut() -> [u8; 32]) -> Canon {
    let mut body = CustodyHandedOver {
        item: "disk 3".into(),
        description: Some("2 TB disk".into()),
        from: "ana".into(),
        to: "bob@lab.example".into(),
        place: "Évidence 2".into(),
        happened: "2025-11-24T16:00+01:00".into(),
        seal_before: Some("S-1".into()),
        seal_after: None,
        reason: Some("opened".into()),
        nonce: "00112233445566778899aabbccddeeff".into(),
        from_signature: None,
        to_signature: None,
        without_device: None,
    };
    let text = model::custody::Offer::of(&body, origin).to_string();
    let sign = |person: &str, seed| {
        let key = ledger::SigningKey::new(person, &[seed; 32]).unwrap();
        key.note(text.clone()).signatures.first().map(ToString::to_string)
    };
    (body.from_signature, body.to_signature) = (sign("ana", 2), sign("bob@lab.example", 3));
    let (bytes, opening) = write(&body.into(), envelope, salts).unwrap();
    map(&[
        ("entry", Canon::text(String::from_utf8(bytes).unwrap())),
        ("opening", Canon::text(String::from_utf8(opening.to_line().unwrap()).unwrap())),
        ("text", Canon::text(text)),
        ("words", Canon::text(model::spoken::words(&opening.record))),
    ])
}

/// An order of erasure, and what is left of the tree whose leaves 1 and 2 it erases.
fn erased(envelope: &Envelope, secret: [u8; 32], salts: &mut dyn FnMut() -> [u8; 32]) -> Canon {
    let body = ErasureOrdered {
        basis: "Directive (EU) 2016/680, art. 16".into(),
        exhibits: Places::of([9]),
        parts: Places::of([1]),
        leaves: Places::of([1, 2]),
        rest: Some(11),
        fields: FieldPlaces::of(
            [1, 9]
                .map(|n| (n, "exhibit".into()))
                .into_iter()
                .chain([(2, "digest".into()), (3, "digest".into())]),
        ),
        count: 3,
        reason: "request 7".into(),
        media: vec![Name::from("/media/disk.img")],
        digests: Places::of([4]),
    };
    let (bytes, opening) = write(&body.into(), envelope, salts).unwrap();
    let whole = [Node::root(secret)];
    let data: Vec<u8> = (0..20_000).map(|i| (i % 251) as u8).collect();
    let mut tree = SaltedTree::new(secret);
    tree.update(&data);
    let gone: Vec<vault::disclose::Erased> =
        vault::disclose::erase(20_000, std::slice::from_ref(&(1..3)), &whole, &[], &mut |leaf| {
            let from = leaf as usize * 4096;
            Ok::<_, std::convert::Infallible>(data[from..data.len().min(from + 4096)].to_vec())
        })
        .unwrap()
        .unwrap();
    let nodes = [inside(&whole, 0, 1), inside(&whole, 3, 5)].concat();
    let texts = |texts: Vec<String>| Canon::List(texts.into_iter().map(Canon::text).collect());
    map(&[
        ("entry", Canon::text(String::from_utf8(bytes).unwrap())),
        ("erased", texts(gone.iter().map(vault::disclose::Erased::to_text).collect())),
        ("leaf_secrets", texts(nodes.iter().map(Node::to_text).collect())),
        ("opening", Canon::text(String::from_utf8(opening.to_line().unwrap()).unwrap())),
        ("root", Canon::text(tree.finish().to_string())),
        ("size", Canon::int(20_000)),
    ])
}

/// A key that was replaced, and the text that both keys signed.
fn rotation(envelope: &Envelope, origin: &str, salts: &mut dyn FnMut() -> [u8; 32]) -> Canon {
    let key = |seed, name| ledger::SigningKey::new(name, &[seed; 32]).unwrap();
    let verifier = |seed, name| key(seed, name).verifier().text();
    let own = "practice.invalid";
    let text = format!("vigie key-rotation v1\n{}\n{}\n", verifier(1, own), verifier(2, own));
    let mut note = key(1, own).note(text.clone());
    note.signatures.append(&mut key(2, own).note(text.clone()).signatures);
    let body = KeyRotated {
        old: verifier(1, origin),
        new: verifier(2, origin),
        statement: note.to_string(),
        reason: Some("yearly".into()),
    };
    let (bytes, opening) = write(&body.into(), envelope, salts).unwrap();
    map(&[
        ("entry", Canon::text(String::from_utf8(bytes).unwrap())),
        ("opening", Canon::text(String::from_utf8(opening.to_line().unwrap()).unwrap())),
        ("text", Canon::text(text)),
    ])
}

fn between<'a>(document: &'a str, name: &str) -> (usize, usize, &'a str) {
    let open = format!("<!-- {name}: made by the test suite -->\n");
    let start = document.find(&open).unwrap() + open.len();
    let end = document.find(&format!("<!-- end of {name} -->")).unwrap();
    (start, end, &document[start..end])
}

#[test]
fn the_document_says_what_the_code_does() {
    let path = repository().join("docs/record-format.md");
    let mut document = std::fs::read_to_string(&path).unwrap();
    for (name, expected) in [("kinds", kinds()), ("vectors", vectors())] {
        let (start, end, found) = between(&document, name);
        if found != expected {
            // The format is frozen: only additions are made so, by hand and with thought.
            assert!(
                std::env::var_os("VIGIE_WRITE_FORMAT").is_some(),
                "docs/record-format.md has other {name} than the code; a change of existing ones breaks every \
                 case. For additions run with VIGIE_WRITE_FORMAT=1.\n{expected}"
            );
            document.replace_range(start..end, &expected);
            std::fs::write(&path, &document).unwrap();
        }
    }
}

#[test]
fn a_second_implementation_agrees() {
    let script = repository().join("tests/record_format.py");
    let lines = std::fs::read_to_string(&script).unwrap().lines().count();
    assert!(lines <= 165, "{lines} lines");
    let temp = crate::life::quick_dir();
    crate::flip::small_case(temp.path());
    let case = temp.path().join("case");
    let check = |case: &Path| Command::new("python3").arg(&script).arg(case).output();
    let Ok(good) = check(&case) else {
        let _ = writeln!(std::io::stderr(), "SKIPPED: python3 is not at hand");
        return;
    };
    assert!(good.status.success(), "{}", String::from_utf8_lossy(&good.stderr));
    assert!(String::from_utf8_lossy(&good.stdout).contains("6 records, 3 exhibits"));
    // What was erased by an order is accepted, and nothing else.
    let home = vault::Home::new(&temp.path().join("home"));
    let mut open = crate::life::open(temp.path(), &home);
    let ids: Vec<_> = open.exhibits().iter().map(|e| e.id).collect();
    let part = vault::erase::What::Bytes(ids[1], std::iter::once(4100..4101).collect());
    for what in [part, vault::erase::What::Exhibit(ids[0])] {
        let plan = open.plan_erasure(&what, &|_| {}).unwrap();
        open.erase(&plan, ("law", "request 7"), &|_| Vec::new(), &crate::life::stamp()).unwrap();
    }
    open.finish().unwrap();
    let good = check(&case).unwrap();
    assert!(good.status.success(), "{}", String::from_utf8_lossy(&good.stderr));
    assert!(String::from_utf8_lossy(&good.stdout).contains("9 records, 2 exhibits"));
    let openings = case.join("vault/openings/000000000001.jsonl");
    let changed = std::fs::read_to_string(&openings).unwrap().replacen("\"/c\"", "\"/C\"", 1);
    std::fs::write(&openings, changed).unwrap();
    assert!(!check(&case).unwrap().status.success());
}
