use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

pub(crate) fn build(dir: &std::path::Path, runs: &[Vec<(Vec<u8>, u64)>]) -> IndexFile {
    let mut builder = IndexBuilder::new(dir);
    for run in runs {
        let mut maker = RunMaker::default();
        for (key, row) in run {
            maker.push(key, *row);
        }
        builder.add(maker.finish()).unwrap();
    }
    let built = builder.finish().unwrap();
    let path = dir.join("x.index");
    built.file.persist(&path, ledger::disk::Overwrite::Replace).unwrap();
    IndexFile::open(&path).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_index_is_a_sorted_map(
        keys in prop::collection::vec(prop::collection::vec(0u8..4, 0..6), 1..400),
        cut in 1usize..60,
    ) {
        let dir = folder();
        let rows: Vec<(Vec<u8>, u64)> = keys.into_iter().zip(0u64..).collect();
        let runs: Vec<_> = rows.chunks(cut).map(<[_]>::to_vec).collect();
        let index = build(dir.path(), &runs);
        let mut expected: BTreeMap<Vec<u8>, Vec<u64>> = BTreeMap::new();
        for (key, row) in &rows {
            expected.entry(key.clone()).or_default().push(*row);
        }
        prop_assert_eq!(index.keys(), expected.len() as u64);
        prop_assert_eq!(index.rows(), rows.len() as u64);
        let mut found: BTreeMap<Vec<u8>, Vec<u64>> = BTreeMap::new();
        let mut cursor = index.all();
        while cursor.next().unwrap() {
            found.entry(cursor.key.clone()).or_default().extend(&cursor.rows);
        }
        prop_assert_eq!(&found, &expected);
        for (key, rows) in &expected {
            prop_assert_eq!(&index.rows_of(key, usize::MAX).unwrap(), rows);
            prop_assert_eq!(index.count_of(key).unwrap(), rows.len() as u64);
        }
        let mut cursor = index.back(&[], None);
        let mut down = Vec::new();
        while cursor.next().unwrap() {
            down.extend(cursor.rows.iter().rev().map(|row| (cursor.key.clone(), *row)));
        }
        down.reverse();
        let up: Vec<_> =
            expected.iter().flat_map(|(k, rows)| rows.iter().map(|r| (k.clone(), *r))).collect();
        prop_assert_eq!(down, up);
        let (prefix, from) = (vec![1u8], vec![1u8, 2]);
        let mut cursor = index.back(&prefix, None);
        let last = cursor.next().unwrap().then(|| cursor.key.clone());
        prop_assert_eq!(last, expected.range(..vec![2u8]).next_back().map(|(k, _)| k.clone()));
        let mut cursor = index.back(&prefix, Some(&from));
        let last = cursor.next().unwrap().then(|| cursor.key.clone());
        prop_assert_eq!(last, expected.range(..=from).next_back().map(|(k, _)| k.clone()));
        let from = vec![2u8, 1];
        let mut cursor = index.seek(&from);
        let next = cursor.next().unwrap().then(|| cursor.key.clone());
        prop_assert_eq!(next, expected.range(from..).next().map(|(k, _)| k.clone()));
    }

    #[test]
    fn forwards_and_merged_the_answers_are_those_of_single_look_ups(
        // Long keys of few letters: several blocks, many neighbours.
        keys in prop::collection::vec(prop::collection::vec(0u8..3, 0..300), 1..300),
        asked in prop::collection::vec(prop::collection::vec(0u8..3, 0..4), 0..60),
        parts in 1usize..6,
    ) {
        let dir = folder();
        let rows: Vec<(Vec<u8>, u64)> = keys.into_iter().zip(0u64..).collect();
        let indexes: Vec<IndexFile> = (0..parts)
            .map(|part| {
                let own: Vec<_> =
                    rows.iter().filter(|(_, row)| *row as usize % parts == part).cloned().collect();
                let folder = dir.path().join(part.to_string());
                ledger::disk::create_dir(&folder).unwrap();
                build(&folder, &[own])
            })
            .collect();
        let mut asked: Vec<Vec<u8>> =
            asked.into_iter().chain(rows.iter().step_by(3).map(|(key, _)| key.clone())).collect();
        asked.sort_unstable();
        for index in &indexes {
            let mut forward = Forward::new(index);
            for key in &asked {
                prop_assert_eq!(forward.count_of(key).unwrap(), index.count_of(key).unwrap());
            }
        }
        let mut expected: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
        for (key, row) in &rows {
            let holders = expected.entry(key).or_default();
            holders.push(*row as usize % parts);
            holders.sort_unstable();
            holders.dedup();
        }
        let sources = indexes.iter().map(|i| Box::new(i.all()) as Box<dyn Keys>).collect();
        let mut merge = Merge::new(sources).unwrap();
        for (key, holders) in expected {
            prop_assert!(merge.next().unwrap());
            prop_assert_eq!((merge.key.as_slice(), &merge.holders), (key, &holders));
        }
        prop_assert!(!merge.next().unwrap());
    }
}

#[test]
fn many_rows_of_one_key_and_spilled_runs() {
    let dir = folder();
    let runs: Vec<Vec<(Vec<u8>, u64)>> = (0..40u64)
        .map(|r| {
            (0..20_000u64)
                .map(|i| {
                    let row = r * 20_000 + i;
                    let key = if i % 2 == 0 {
                        b"same".to_vec()
                    } else {
                        format!("k{:07}", (row * 7919) % 800_000).into_bytes()
                    };
                    (key, row)
                })
                .collect()
        })
        .collect();
    let index = build(dir.path(), &runs);
    assert_eq!(index.rows(), 800_000);
    assert_eq!(index.count_of(b"same").unwrap(), 400_000);
    let rows = index.rows_of(b"same", 3).unwrap();
    assert_eq!(rows, [0, 2, 4]);
    assert_eq!(index.count_of(b"sam").unwrap(), 0);
    let mut merged = Merge::new(vec![Box::new(index.all()), Box::new(index.all())]).unwrap();
    let mut distinct = 0;
    while merged.next().unwrap() {
        assert_eq!(merged.holders, [0, 1]);
        distinct += 1;
    }
    assert_eq!(distinct, index.keys());
}

#[test]
fn damage_is_an_error_never_a_panic() {
    let dir = folder();
    let rows: Vec<_> = (0..500u64).map(|i| (format!("key{i}").into_bytes(), i)).collect();
    build(dir.path(), &[rows]);
    let path = dir.path().join("x.index");
    let bytes = std::fs::read(&path).unwrap();
    for at in 0..bytes.len() {
        let mut other = bytes.clone();
        other[at] ^= 0x55;
        ledger::disk::write(&path, &other).unwrap();
        if let Ok(index) = IndexFile::open(&path) {
            let mut cursor = index.all();
            while let Ok(true) = cursor.next() {}
            let _ = index.rows_of(b"key77", 10);
        }
    }
    for len in [0, 5, 45, bytes.len() / 2] {
        ledger::disk::write(&path, &bytes[..len]).unwrap();
        assert!(IndexFile::open(&path).is_err());
    }
}

#[test]
fn values_have_one_form() {
    use model::Meaning;
    let form = |m, v: &str| {
        normal_form(m, v.as_bytes()).map(|b| String::from_utf8(b.into_owned()).unwrap())
    };
    assert_eq!(form(Meaning::Mac, "00-1A-79-00-00-0F").as_deref(), Some("00:1a:79:00:00:0f"));
    assert_eq!(form(Meaning::Mac, "00:1a:79:00:00:0f").as_deref(), Some("00:1a:79:00:00:0f"));
    assert_eq!(form(Meaning::Mac, "00:00:00:00:00:00"), None);
    assert_eq!(form(Meaning::Email, " A@Mail.Example").as_deref(), Some("a@mail.example"));
    assert_eq!(form(Meaning::Address, "::ffff:198.18.0.1").as_deref(), Some("198.18.0.1"));
    assert_eq!(form(Meaning::Address, "3FFF:0::1").as_deref(), Some("3fff::1"));
    assert_eq!(form(Meaning::UserName, "Abc").as_deref(), Some("Abc"));
    assert_eq!(form(Meaning::UserName, ""), None);
    assert!(form(Meaning::Token, &"é".repeat(500)).unwrap().len() <= 400);
    assert_eq!(split_pair(&pair_key(b"17", b"user")), (&b"17"[..], &b"user"[..]));
}

#[test]
fn an_index_that_is_made_again_is_not_read_by_the_old_list() {
    let dir = folder();
    let rows = |n: u64| (0..n).map(|i| (format!("{i:06}").into_bytes(), i)).collect::<Vec<_>>();
    let old = build(dir.path(), &[rows(5000)]);
    let mut reading = old.all();
    assert!(reading.next().unwrap());
    let new = build(dir.path(), &[rows(7000)]);
    // A cursor that has begun goes on in the file it began with; none begins in the new one.
    while reading.next().unwrap() {}
    assert_eq!(reading.key, b"004999");
    assert!(matches!(old.count_of(b"000000"), Err(crate::Error::Remade)));
    assert_eq!(new.count_of(b"006999").unwrap(), 1);
}
