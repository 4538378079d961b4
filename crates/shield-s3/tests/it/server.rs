//! Against moto's server, and followed from there by who follows.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use edge::follow::{Config, Status};
use shield_s3::{Bucket, Copying, Course, Shelf, begin};

use crate::feed::{feed_key, lift, log_key, snapshot};
use crate::folder::{Folder, place};
use crate::moto::Moto;

const NAMES: [&str; 3] = ["a.stream.example", "b.stream.example", "c.stream.example"];

/// What anybody may do, as docs/feed-http.md has it: read the files, and hear that one is not there.
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[
{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::logs/feed/all/*"},
{"Effect":"Allow","Principal":"*","Action":"s3:ListBucket","Resource":"arn:aws:s3:::logs"}]}"#;

fn bucket(moto: &Moto) -> Bucket {
    let endpoint = moto.endpoint();
    Bucket::with("s3://logs/feed", &Moto::settings(&endpoint)).unwrap()
}

type Said = Arc<Mutex<Vec<String>>>;

fn mirrored(shelves: [Bucket; 2], folder: &Folder) -> (Copying, Said) {
    let said = Said::default();
    let of = Arc::clone(&said);
    let told = move |course: &Course<Bucket>, outcome: shield_s3::Outcome<'_>| {
        let line = match outcome {
            Ok(done) => format!("{done:?}"),
            Err(fault) => format!("{}: {fault}", course.shelf().shown()),
        };
        of.lock().unwrap().push(line);
    };
    let of = Arc::clone(&said);
    let of_stop = move |outcome: Result<bool, &shield_s3::Fault>| {
        if !matches!(outcome, Ok(false)) {
            of.lock().unwrap().push(format!("stop: {outcome:?}"));
        }
    };
    (begin(shelves, folder.path(), told, of_stop).unwrap(), said)
}

fn until(what: &str, said: &Said, check: impl Fn() -> bool) {
    let begun = Instant::now();
    while !check() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}: {:?}", said.lock().unwrap());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The head of what anybody gets who asks without a key.
fn head(moto: &Moto, path: &str) -> String {
    let host = moto.endpoint().replace("http://", "");
    let mut stream = TcpStream::connect(&host).unwrap();
    write!(stream, "GET /logs/feed/{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    answer.split("\r\n\r\n").next().unwrap().to_lowercase()
}

fn follow(dir: &Path, moto: &Moto) -> tokio::sync::oneshot::Sender<()> {
    let text = format!(
        "state = 'state'\nobserve = true\n[[mirror]]\nurl = '{}/logs/feed'\n[trust]\nfeed = ['{}']\nlog = ['{}']\n",
        moto.endpoint(),
        feed_key().verifier().text(),
        log_key().verifier().text()
    );
    let path = dir.join("follow.toml");
    ledger::disk::write(&path, text.as_bytes()).unwrap();
    let config = Config::read(&path).unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        edge::follow::run(&config, Arc::new(|_: &str| {}), async { drop(stopped.await) })
    });
    stop
}

#[test]
fn an_isp_follows_the_feed_out_of_a_bucket() {
    let Some(moto) = Moto::start() else { return };
    let answer = moto.plain("PUT /logs?policy HTTP/1.1", "", POLICY);
    assert!(answer.contains(" 20"), "{answer}");
    let (folder, dir) = (Folder::new(), tempfile::tempdir().unwrap());
    let first = snapshot(place(1, 5), &NAMES);
    folder.publish(place(1, 5), 1, &[&first]);
    let (copying, said) = mirrored([bucket(&moto), bucket(&moto)], &folder);
    let _end = follow(dir.path(), &moto);
    let status = || Status::read(&dir.path().join("state")).unwrap_or_default();
    until("it follows", &said, || status().names == 3);
    assert!(status().alarms.is_empty(), "{:?}", status().alarms);
    // A lift is a file and a manifest more.
    let gone = lift(place(1, 6), 5, &["a.stream.example"]);
    folder.publish(place(1, 6), 2, &[&first, &gone]);
    copying.wake();
    until("it lifts", &said, || (status().serial, status().names) == (6, 2));
    assert!(status().alarms.is_empty(), "{:?}", status().alarms);

    // Caches are told what the feed's own server tells them.
    let manifest = head(&moto, "all/manifest");
    assert!(manifest.contains("cache-control: public, no-cache"), "{manifest}");
    assert!(manifest.contains("content-type: text/plain; charset=utf-8"), "{manifest}");
    let file = head(&moto, &format!("all/files/{}", first.0.hash));
    assert!(file.contains("cache-control: public, max-age=31536000, immutable"), "{file}");
    assert!(file.contains("content-type: application/octet-stream"), "{file}");
    assert!(head(&moto, "all/stop").starts_with("http/1.1 404"), "{}", head(&moto, "all/stop"));
}

#[test]
fn a_file_of_many_parts_goes_and_a_cut_one_does_not() {
    let Some(moto) = Moto::start() else { return };
    let shelf = bucket(&moto);
    let great: Vec<u8> = (0..(33 << 20) + 7).map(|n: u32| (n % 251) as u8).collect();
    for (name, bytes) in
        [("all/files/a", &great[..]), ("all/files/b", &great[..16 << 20]), ("all/files/c", b"")]
    {
        shelf.put_file(name, &mut &bytes[..]).unwrap();
    }
    struct Cut<'a>(&'a [u8]);
    impl Read for Cut<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let read = self.0.read(into)?;
            if read == 0 { Err(std::io::Error::other("cut off")) } else { Ok(read) }
        }
    }
    for bytes in [&great[..9], &great[..]] {
        let error = shelf.put_file("all/files/d", &mut Cut(bytes)).unwrap_err();
        assert!(error.to_string().contains("cannot write all/files/d: cut off"), "{error}");
    }
    let sizes: Vec<_> = shelf.list("all/files", 9).unwrap();
    let of = |name: &str, bytes: usize| (format!("all/files/{name}"), bytes as u64);
    assert_eq!(sizes, [of("a", great.len()), of("b", 16 << 20), of("c", 0)]);
    assert_eq!(shelf.list("all/files", 2).unwrap().len(), 2);
    let (found, _) = shelf.read("all/files/a", great.len() as u64).unwrap().unwrap();
    assert!(found == great);
    assert_eq!(shelf.read("all/files/d", 9).unwrap(), None);
}

#[test]
fn a_bucket_that_is_gone_is_said_and_holds_up_nobody() {
    let Some(moto) = Moto::start() else { return };
    let folder = Folder::new();
    let first = snapshot(place(1, 5), &NAMES);
    folder.publish(place(1, 5), 1, &[&first]);
    let endpoint = moto.endpoint();
    let none = || Bucket::with("s3://none/feed", &Moto::settings(&endpoint)).unwrap();
    let (copying, said) = mirrored([none(), none()], &folder);
    until("it is said", &said, || {
        said.lock().unwrap().iter().any(|line| line.starts_with("s3://none/feed: cannot "))
    });
    // Whoever publishes waits for none of it.
    let begun = Instant::now();
    (0..1_000).for_each(|_| copying.wake());
    assert!(begun.elapsed() < Duration::from_millis(200), "{:?}", begun.elapsed());
    assert!(!said.lock().unwrap().iter().any(|line| line.contains("practice")));
    // Once there is one it goes on by itself.
    let answer = moto.plain("PUT /none HTTP/1.1", "", "");
    assert!(answer.contains(" 200 "), "{answer}");
    until("it goes on", &said, || {
        said.lock().unwrap().iter().any(|line| line.contains("manifest: true"))
    });
}
