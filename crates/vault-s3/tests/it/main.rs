//! Backups against a server that speaks S3: moto's, which `./test` installs.
#![allow(clippy::unwrap_used)]

#[path = "../../../../tests/moto.rs"]
mod moto;

use std::path::Path;

use moto::Moto;
use vault::backup::{Error, Store, copy_out, head, run};
use vault::erase::What;
use vault::{Case, Home, Origin, Stamp, Wait, verify_copy};
use vault_s3::{Bucket, PART};

fn bucket_of(moto: &Moto, prefix: &str) -> Bucket {
    let endpoint = moto.endpoint();
    Bucket::with(&format!("s3://logs/{prefix}"), &Moto::settings(&endpoint)).unwrap()
}

fn stamp() -> Stamp {
    Stamp { actor: "Ana".into(), now_ms: 1_764_000_000_000 }
}

fn seal(case: &mut Case, bytes: &[u8]) -> model::ExhibitId {
    let staged = case.stager().reader(&mut &*bytes).unwrap();
    let id = staged.id();
    let mut batch = case.batch();
    batch.seal(staged, &Origin::default()).unwrap();
    batch.commit(&stamp()).unwrap();
    id
}

fn restored(bucket: &Bucket, dir: &Path, home: &Home) -> (u64, u64) {
    let out = tempfile::tempdir_in(dir).unwrap();
    copy_out(bucket, out.path(), &|_| {}).unwrap();
    let report = verify_copy(out.path(), Some(home), &|_| {}).unwrap();
    assert!(report.is_sound(), "{:#?}", report.findings);
    (report.records, report.exhibits)
}

/// Everything under the prefix, names and bytes.
fn whole(bucket: &Bucket) -> Vec<u8> {
    let mut out = Vec::new();
    for item in bucket.list("").unwrap() {
        out.extend_from_slice(item.name.as_bytes());
        bucket
            .read(&item.name, &mut |piece| {
                out.extend_from_slice(piece);
                Ok(())
            })
            .unwrap();
    }
    out
}

#[test]
fn a_case_goes_to_a_bucket_and_comes_back_without_what_was_erased() {
    let Some(moto) = Moto::start() else { return };
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let home = Home::new(&dir.join("home"));
    let mut case =
        Case::create(&dir.join("case"), &home, "Test", &stamp(), "test", Wait::Fail).unwrap();
    let gone = seal(&mut case, b"the secret of Villa Aurelia");
    seal(&mut case, b"");
    let great: Vec<u8> = (0..2 * PART + 12_345).map(|n| (n % 251) as u8).collect();
    seal(&mut case, &great);
    let bucket = bucket_of(&moto, "case/1");
    assert_eq!(head(&bucket).unwrap(), None);
    let made = run(&mut case, &home, &bucket, false, "test", &|_| {}).unwrap();
    assert_eq!((made.size, made.exhibits, made.findings.len()), (4, 3, 0));
    assert_eq!(restored(&bucket, dir, &home), (4, 3));
    let again = run(&mut case, &home, &bucket, true, "test", &|_| {}).unwrap();
    assert!(!again.changed(), "{again:?}");

    let held = |text: &str| whole(&bucket).windows(text.len()).any(|w| w == text.as_bytes());
    assert!(held("Villa Aurelia") && held(&gone.to_string()));
    let plan = case.plan_erasure(&What::Exhibit(gone), &|_| {}).unwrap();
    case.erase(&plan, ("art. 16", "request 7"), &|_| Vec::new(), &stamp()).unwrap();
    let made = run(&mut case, &home, &bucket, false, "test", &|_| {}).unwrap();
    assert_eq!((made.erased, made.rewritten), (1, 1));
    assert!(!held("Villa Aurelia") && !held(&gone.to_string()));
    assert_eq!(bucket.remains(), None);
    assert_eq!(restored(&bucket, dir, &home), (5, 2));

    // One writer at a time, also where its process is gone.
    let lock = bucket.lock("vigie backup").unwrap();
    let other = bucket_of(&moto, "case/1");
    let error = run(&mut case, &home, &other, false, "test", &|_| {}).unwrap_err();
    assert!(matches!(&error, Error::Held { .. }), "{error}");
    assert!(error.to_string().contains("delete the object s3://logs/case/1/lock"), "{error}");
    drop(lock);
    run(&mut case, &home, &other, false, "test", &|_| {}).unwrap();
    // What is damaged there is found, and put right.
    let (name, _) = (bucket.list("vault/exhibits").unwrap().into_iter())
        .map(|item| (item.name, item.size))
        .find(|(_, size)| *size > 1000)
        .unwrap();
    bucket.put(&name, &vec![7; great.len()]).unwrap();
    let made = run(&mut case, &home, &bucket, true, "test", &|_| {}).unwrap();
    assert_eq!((made.repaired, made.findings.len()), (vec![name], 0));
    assert_eq!(restored(&bucket, dir, &home), (5, 2));
}

#[test]
fn a_bucket_that_keeps_versions_is_said_to_keep_them() {
    let Some(moto) = Moto::start() else { return };
    let body = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    let answer = moto.plain("PUT /logs?versioning HTTP/1.1", "", body);
    assert!(answer.contains(" 200 "), "{answer}");
    let bucket = bucket_of(&moto, "case/2");
    bucket.put("a", b"one").unwrap();
    bucket.destroy("a").unwrap();
    assert!(bucket.remains().unwrap().contains("keeps versions"));
    assert_eq!(bucket.list("").unwrap(), []);
}

#[test]
fn a_store_that_does_not_answer_is_named() {
    let settings = [
        ("aws_endpoint", "http://127.0.0.1:9"),
        ("aws_allow_http", "true"),
        ("aws_region", "us-east-1"),
        ("aws_access_key_id", "practice"),
        ("aws_secret_access_key", "practice"),
    ];
    let bucket = Bucket::with("s3://logs/none", &settings).unwrap();
    let error = head(&bucket).unwrap_err().to_string();
    assert!(error.contains("s3://logs/none: cannot read backup"), "{error}");
    assert!(!error.contains("practice"), "{error}");
    assert!(Bucket::with("logs/none", &settings).is_err());
}
