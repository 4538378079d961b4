//! The same against a server that speaks S3: moto's, which `./test` installs.

use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use ledger_s3::{Error, Fault, Log, Objects, Options, Place, Reader, S3, Writer, verify};

use crate::moto::Moto;
use crate::steps::{batch, key};

fn s3_of(moto: &Moto, prefix: &str) -> S3 {
    let place = Place::parse(&format!("s3://logs/{prefix}")).unwrap();
    S3::with(&place, &Moto::settings(&moto.endpoint())).unwrap()
}

async fn open(moto: &Moto, prefix: &str) -> Result<Log<S3>, Error> {
    Log::open(s3_of(moto, prefix), key(), Writer::random().unwrap(), Options::default()).await
}

#[tokio::test]
async fn the_server_itself_refuses_a_put_whose_condition_does_not_hold() {
    let Some(moto) = Moto::start() else { return };
    // Seen without our client: the refusal is the server's.
    assert!(moto.plain("PUT /logs/a HTTP/1.1", "If-None-Match: *\r\n", "").contains(" 200 "));
    assert!(moto.plain("PUT /logs/a HTTP/1.1", "If-None-Match: *\r\n", "").contains(" 412 "));
    assert!(moto.plain("PUT /logs/a HTTP/1.1", "If-Match: \"another\"\r\n", "").contains(" 412 "));

    let s3 = s3_of(&moto, "objects");
    let first = s3.put_if_absent("x", b"one".to_vec()).await.unwrap();
    assert!(matches!(s3.put_if_absent("x", b"two".to_vec()).await, Err(Fault::Changed)));
    let second = s3.put_if_match("x", b"two".to_vec(), &first).await.unwrap();
    assert!(matches!(s3.put_if_match("x", b"three".to_vec(), &first).await, Err(Fault::Changed)));
    assert!(matches!(s3.put_if_match("y", b"three".to_vec(), &first).await, Err(Fault::Changed)));
    let found = s3.get("x", 3).await.unwrap().unwrap();
    assert_eq!((found.bytes, found.version), (b"two".to_vec(), second));
    assert!(matches!(s3.get("x", 2).await, Err(Fault::TooLong(2))));
    assert_eq!(s3.get("y", 3).await.unwrap(), None);
    for name in ["b/1", "b/2", "b/c/3", "c"] {
        s3.put(name, Vec::new()).await.unwrap();
    }
    assert_eq!(s3.list("", None, 9).await.unwrap(), ["b/1", "b/2", "b/c/3", "c", "x"]);
    assert_eq!(s3.list("b", Some("b/1"), 9).await.unwrap(), ["b/2", "b/c/3"]);
    assert_eq!(s3.list("b", None, 1).await.unwrap(), ["b/1"]);
    s3.delete("c").await.unwrap();
    s3.delete("c").await.unwrap();
    assert_eq!(s3.get("c", 3).await.unwrap(), None);
}

#[tokio::test]
async fn a_log_on_the_server_is_committed_read_verified_and_never_forked() {
    let Some(moto) = Moto::start() else { return };
    let mut one = open(&moto, "case/1").await.unwrap();
    assert_eq!(one.append(&batch("first", 300)).await.unwrap(), 0);
    let mut other = open(&moto, "case/1").await.unwrap();
    assert_eq!(other.append(&batch("second", 5)).await.unwrap(), 300);
    let lost = one.append(&batch("third", 5)).await.unwrap_err();
    assert!(matches!(lost, Error::AnotherWriter { held: 300, found: 305, .. }), "{lost}");
    assert!(matches!(one.append(&batch("third", 5)).await, Err(Error::Broken)));
    let mut one = open(&moto, "case/1").await.unwrap();
    assert_eq!(one.append(&batch("third", 500)).await.unwrap(), 305);

    let (verifier, options) = (key().verifier(), Options::default());
    let reader = Reader::open(s3_of(&moto, "case/1"), &verifier, &options).await.unwrap();
    assert_eq!(reader.size(), 805);
    assert_eq!(reader.entry(301).await.unwrap(), b"second 1");
    assert_eq!(reader.root_at(805).await.unwrap(), one.root());
    let checkpoint = verifier.open(&reader.checkpoint().to_string()).unwrap();
    let proof = reader.prove(301).await.unwrap();
    let leaf = ledger::tree::leaf(b"second 1");
    assert!(ledger::tree::is_included(&leaf, 301, 805, &proof.hashes, &checkpoint.root));
    let mut entries = 0;
    let report = verify(s3_of(&moto, "case/1"), &verifier, &options, &mut |_, _, _| {
        entries += 1;
        None
    })
    .await
    .unwrap();
    assert_eq!((report.findings, report.notes, entries), (Vec::new(), Vec::new(), 805));

    // Another log beside it is not seen, and a tile of it here is.
    let mut beside = open(&moto, "case/2").await.unwrap();
    beside.append(&batch("beside", 805)).await.unwrap();
    let foreign = s3_of(&moto, "case/2").get("tile/0/003.p/37", 9000).await.unwrap().unwrap();
    s3_of(&moto, "case/1").put("tile/0/003.p/37", foreign.bytes).await.unwrap();
    let error = open(&moto, "case/1").await.unwrap_err().to_string();
    assert!(error.contains("003.p/37") && error.contains("another log's"), "{error}");
}

/// Nothing listens: an error that names the object, in bounded time.
#[tokio::test]
async fn no_server_is_an_error_in_time() {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let endpoint = format!("http://127.0.0.1:{port}");
    let place = Place::parse("s3://logs/case").unwrap();
    let s3 = S3::with(&place, &Moto::settings(&endpoint)).unwrap();
    let begun = Instant::now();
    let options = Options { request: Duration::from_secs(2), ..Options::default() };
    let error = Reader::open(s3, &key().verifier(), &options).await.unwrap_err();
    assert!(error.to_string().contains("cannot get checkpoint"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(20));
}
