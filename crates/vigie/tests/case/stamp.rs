//! Trusted time, by OpenSSL's authority over HTTP on loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use serde_json::Value;

use crate::bench::Bench;
use crate::tsa::{Signer, Tsa, openssl};

/// What the authority does with a request.
#[derive(Clone)]
enum Does {
    /// Stamps by the signer of that name.
    Stamp(&'static str),
    /// Sends these bytes, whatever is asked.
    Send(Vec<u8>),
}

/// An authority that answers on loopback.
struct Served {
    tsa: Arc<Tsa>,
    does: Arc<Mutex<Does>>,
    last: Arc<Mutex<Vec<u8>>>,
    url: String,
}

impl Served {
    fn new(bench: &Bench) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let tsa = Arc::new(Tsa::new(&bench.path("tsa"), "EC:P-256", Some(port)));
        tsa.signer("signer", &Signer::default());
        let does = Arc::new(Mutex::new(Does::Stamp("signer")));
        let last = Arc::new(Mutex::new(Vec::new()));
        let (for_tsa, for_does, for_last) =
            (Arc::clone(&tsa), Arc::clone(&does), Arc::clone(&last));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let does = for_does.lock().unwrap().clone();
                if let Some(sent) = answer(stream, &for_tsa, &does) {
                    *for_last.lock().unwrap() = sent;
                }
            }
        });
        Self { tsa, does, last, url: format!("http://127.0.0.1:{port}/tsr") }
    }

    fn now_does(&self, does: Does) {
        *self.does.lock().unwrap() = does;
    }

    /// A trust file's line that names a certificate of it.
    fn line(&self, name: &str) -> String {
        format!("time practice-tsa {}\n", BASE64.encode(&self.tsa.certificate(name)))
    }
}

/// Answers one request; what was sent, where it was asked for a stamp.
fn answer(mut stream: TcpStream, tsa: &Tsa, does: &Does) -> Option<Vec<u8>> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).ok()?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim().to_ascii_lowercase();
        if let Some(n) = line.strip_prefix("content-length:") {
            length = n.trim().parse().ok()?;
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let path = first.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
    let asked = path == "tsr";
    let sent = match path.rsplit_once('.') {
        Some((name, "der")) => tsa.certificate(name),
        Some((name, "crl")) => tsa.crl(name),
        _ => match does {
            Does::Stamp(signer) => tsa.reply(signer, &body),
            Does::Send(bytes) => bytes.clone(),
        },
    };
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", sent.len());
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(&sent).ok()?;
    asked.then_some(sent)
}

fn said(out: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

/// A practice case with one seizure in it.
fn case(bench: &Bench) {
    bench.ok(&["authority", "init", "police.example"]);
    bench.open("case", &bench.seizure("seizure", "small", 1.0, 4));
}

#[track_caller]
fn stamped(bench: &Bench, served: &Served) -> Value {
    bench.json(&["stamp", "--json", "--case", "case", "--tsa", &served.url])
}

/// The record at `index`, out of a proof.
#[allow(clippy::disallowed_methods)]
fn record(bench: &Bench, index: u64) -> Value {
    let proof = bench.ok(&["log", "prove", "--case", "case", &index.to_string()]);
    std::fs::write(bench.path("proof"), proof).unwrap();
    bench.json(&["log", "check", "--json", "proof"])["record"].clone()
}

fn unhex(value: &Value) -> Vec<u8> {
    let text = value["hex"].as_str().unwrap_or_else(|| panic!("{value}"));
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

#[test]
#[allow(clippy::disallowed_methods)]
fn the_log_and_what_follows_are_bounded_and_others_agree() {
    let bench = Bench::new();
    case(&bench);
    let served = Served::new(&bench);
    let before = bench.ok(&["verify", "case"]);
    assert!(before.contains("No trusted time"), "{before}");
    let key = "domain:panel.example";
    let found = bench.ok(&["search", "--case", "case", "--json", "--limit", "1", "198.18"]);
    let entity: Value = serde_json::from_str(found.lines().next().unwrap()).unwrap();
    let entity = entity["id"].as_str().unwrap_or(key).to_owned();
    let shown = bench.ok(&["show", "--case", "case", &entity]);
    assert!(shown.contains("no trusted time"), "{shown}");

    let first = stamped(&bench, &served);
    assert_eq!(first["notes"].as_array().map(Vec::len), Some(0), "{first}");
    assert!(first["revocation"].is_string() && first["confirmed"].is_null(), "{first}");
    let index = first["record"].as_u64().unwrap();
    assert_eq!(first["covers"], index, "all that was in the log before");

    // OpenSSL takes the token, over the checkpoint that the record repeats.
    let kept = record(&bench, index);
    let token = unhex(&kept["public"]["token"]);
    let checkpoint = kept["public"]["checkpoint"].as_str().unwrap();
    std::fs::write(bench.path("tsa/token.der"), &token).unwrap();
    std::fs::write(bench.path("tsa/checkpoint"), checkpoint).unwrap();
    let verified = [
        "ts",
        "-verify",
        "-in",
        "token.der",
        "-token_in",
        "-data",
        "checkpoint",
        "-CAfile",
        "root.crt",
        "-untrusted",
        "issuer.crt",
    ];
    openssl(&bench.path("tsa"), &verified);

    // More comes in: it is bounded from below, and by the next stamp from above.
    let more = bench.open("case", &bench.seizure("more", "small", 1.0, 5));
    assert!(more["exhibits"].as_u64() > Some(0), "{more}");
    let second = stamped(&bench, &served);
    assert_eq!(second["covers"], second["record"]);
    // What was kept before is not kept again.
    let again = record(&bench, second["record"].as_u64().unwrap());
    assert!(kept["committed"]["certificates"].is_string(), "{kept}");
    assert!(again["committed"]["certificates"].is_null(), "{again}");

    // From here on nobody answers: it proves offline.
    served.now_does(Does::Send(Vec::new()));
    let verified = bench.json(&["verify", "--json", "case"]);
    assert_eq!(verified["sound"], true, "{verified}");
    assert_eq!(verified["time"]["standing"], 2, "{verified}");
    let text = bench.ok(&["verify", "case"]);
    for part in [
        "Trusted time: record 0 was in the log by",
        "of entry into the log, not of the event",
        "consistent, signer not confirmed",
    ] {
        assert!(text.contains(part), "{text}");
    }
    let shown = bench.json(&["show", "--case", "case", "--json", &entity]);
    let entry = &shown["entry"][0];
    assert!(entry["by"]["time"].is_string() && entry["after"].is_null(), "{shown}");
    let late = bench.ok(&[
        "sql",
        "--case",
        "case",
        "--format",
        "csv",
        "SELECT id FROM exhibit ORDER BY record DESC LIMIT 1",
    ]);
    let late = late.lines().nth(1).unwrap_or_default().to_owned();
    let shown = bench.json(&["show", "--case", "case", "--json", &late]);
    let entry = &shown["entry"][0];
    assert!(entry["after"]["time"].as_str() < entry["by"]["time"].as_str(), "{shown}");
    let text = bench.ok(&["show", "--case", "case", &late]);
    assert!(text.contains("after") && text.contains("not of the event"), "{text}");

    // Whose authority it is the reader's file says.
    let birth = record_of_authority(&bench);
    let log = birth["public"]["key"].as_str().unwrap();
    std::fs::write(bench.path("trust"), format!("log {log}\n{}", served.line("root"))).unwrap();
    let text = bench.ok(&["verify", "--trust", "trust", "case"]);
    assert!(text.contains("Time by practice-tsa, which your trust file names."), "{text}");
    assert!(text.contains("Signed by a key that your trust file names"), "{text}");
    let shown = bench.ok(&["show", "--case", "case", "--trust", "trust", &late]);
    assert!(shown.contains("which your trust file names"), "{shown}");
    std::fs::write(bench.path("nobody"), format!("log {log}\n")).unwrap();
    let text = bench.ok(&["verify", "--trust", "nobody", "case"]);
    assert!(text.contains("No trusted time: of 2 stamps none counts."), "{text}");
    std::fs::write(bench.path("bad"), "time x MAA=\n").unwrap();
    assert_eq!(bench.run(&["verify", "--trust", "bad", "case"]).status.code(), Some(2));

    // A rebuild of the views loses none of it.
    bench.ok(&["views", "rebuild", "--case", "case"]);
    let shown = bench.json(&["show", "--case", "case", "--json", &late]);
    assert!(shown["entry"][0]["by"]["time"].is_string(), "{shown}");
}

#[allow(clippy::disallowed_methods)]
fn record_of_authority(bench: &Bench) -> Value {
    let proof = bench.ok(&["log", "prove", "--authority", "0"]);
    std::fs::write(bench.path("birth"), proof).unwrap();
    bench.json(&["log", "check", "--json", "birth"])["record"].clone()
}

#[test]
#[allow(clippy::disallowed_methods)]
fn what_does_not_hold_is_never_recorded() {
    let bench = Bench::new();
    case(&bench);
    let served = Served::new(&bench);
    stamped(&bench, &served);
    let records = || bench.json(&["verify", "--json", "case"])["records"].as_u64();
    let before = records();
    let old = served.last.lock().unwrap().clone();
    let ask = |with: &[&str]| {
        let words = [&["stamp", "--case", "case", "--tsa", &served.url], with].concat();
        let out = bench.run(&words);
        (out.status.code(), said(&out))
    };
    // An answer to another request; one cut; none; one without end.
    served.now_does(Does::Send(old.clone()));
    let (code, text) = ask(&[]);
    assert!(code == Some(3) && text.contains("messageImprint"), "{text}");
    served.now_does(Does::Send(old[..old.len() - 1].to_vec()));
    assert!(ask(&[]).1.contains("TimeStampResp"));
    served.now_does(Does::Send(Vec::new()));
    assert!(ask(&[]).1.contains("TimeStampResp"));
    served.now_does(Does::Send(vec![0x30; 1 << 20]));
    let (code, text) = ask(&[]);
    assert!(code == Some(3) && text.contains("bytes came back"), "{text}");
    // Somebody whom the file does not name; whom it names, by an issuer in between.
    served.now_does(Does::Stamp("signer"));
    std::fs::write(bench.path("nobody"), "# nobody\n").unwrap();
    let (code, text) = ask(&["--trust", "nobody"]);
    assert!(code == Some(2) && text.contains("is no time authority"), "{text}");
    // A certificate that was revoked by now.
    served.tsa.signer("revoked", &Signer::default());
    served.tsa.revoke("revoked", "keyCompromise");
    served.now_does(Does::Stamp("revoked"));
    let (code, text) = ask(&[]);
    assert!(code == Some(3) && text.contains("revoked on"), "{text}");
    // An address that is none; nobody there; an exhibit that is not in the case.
    assert_eq!(
        bench.run(&["stamp", "--case", "case", "--tsa", "https://x.example/"]).status.code(),
        Some(2)
    );
    assert_eq!(
        bench.run(&["stamp", "--case", "case", "--tsa", "http://127.0.0.1:1/"]).status.code(),
        Some(3)
    );
    let none = "00".repeat(32);
    assert_eq!(ask(&["--exhibit", &none]).0, Some(3));
    assert_eq!(records(), before, "nothing of it is in the log");

    served.now_does(Does::Stamp("signer"));
    std::fs::write(bench.path("trust"), served.line("issuer")).unwrap();
    let (code, text) = ask(&["--trust", "trust"]);
    assert!(code == Some(0) && text.contains("practice-tsa"), "{text}");
}

#[test]
#[allow(clippy::disallowed_methods)]
fn an_exhibit_is_stamped_and_openssl_takes_it_over_its_bytes() {
    let bench = Bench::new();
    case(&bench);
    let served = Served::new(&bench);
    let id = bench.ok(&[
        "sql",
        "--case",
        "case",
        "--format",
        "csv",
        "SELECT id FROM exhibit ORDER BY record LIMIT 1",
    ]);
    let id = id.lines().nth(1).unwrap().to_owned();
    let words = ["stamp", "--case", "case", "--tsa", &served.url, "--exhibit", &id];
    let text = bench.ok(&words);
    assert!(text.contains("The exhibit's bytes were there by"), "{text}");
    let shown = bench.ok(&["show", "--case", "case", &id]);
    assert!(shown.contains("its bytes were there by"), "{shown}");
    let exhibit = bench.path(&format!("case/vault/exhibits/{}/{id}", &id[..2]));
    let answer = served.last.lock().unwrap().clone();
    std::fs::write(bench.path("tsa/answer"), answer).unwrap();
    openssl(
        &bench.path("tsa"),
        &[
            "ts",
            "-verify",
            "-in",
            "answer",
            "-data",
            exhibit.to_str().unwrap(),
            "-CAfile",
            "root.crt",
            "-untrusted",
            "issuer.crt",
        ],
    );
    let text = bench.ok(&["verify", "case"]);
    assert!(text.contains("exhibits are stamped, the log is not"), "{text}");
}

/// The chain of the first stamp lasts seconds.
#[test]
fn a_short_lived_stamp_counts_on_where_a_later_one_covered_it_in_time() {
    let bench = Bench::new();
    case(&bench);
    let served = Served::new(&bench);
    const LASTS: i64 = 20;
    served.tsa.signer("short", &Signer { valid: (-60, LASTS), ..Signer::default() });
    let begun = Instant::now();
    served.now_does(Does::Stamp("short"));
    stamped(&bench, &served);
    let alone = Bench::new();
    let copied = std::process::Command::new("cp")
        .args(["-r", "case", "home"])
        .arg(alone.path(""))
        .current_dir(bench.path(""))
        .status();
    assert!(copied.unwrap().success());
    let text = bench.ok(&["verify", "case"]);
    assert!(text.contains("no later one carries it on"), "{text}");
    served.now_does(Does::Stamp("signer"));
    let second = stamped(&bench, &served);
    let soon = bench.json(&["verify", "--json", "case"]);
    assert_eq!(soon["time"]["standing"], 2, "{soon}");
    let spent = begun.elapsed();
    assert!(spent < Duration::from_secs(LASTS as u64 - 1), "too slow a machine: {spent:?}");
    std::thread::sleep(Duration::from_secs(LASTS as u64 + 2) - spent);

    let late = bench.json(&["verify", "--json", "case"]);
    assert_eq!((&late["time"]["standing"], &late["sound"]), (&2.into(), &true.into()), "{late}");
    assert_ne!(late["time"]["first_by"]["record"], second["record"], "the first still bounds");
    let lapsed = alone.json(&["verify", "--json", "case"]);
    assert_eq!(lapsed["time"]["time"], "no trusted time", "{lapsed}");
    let text = alone.ok(&["verify", "case"]);
    assert!(text.contains("before a later stamp covered it"), "{text}");
}

#[test]
fn the_console_asks_by_itself() {
    let bench = Bench::new();
    case(&bench);
    let served = Served::new(&bench);
    let words = ["serve", "--case", "case", "--listen", "127.0.0.1:0", "--tsa", &served.url];
    let mut child = bench
        .command(&words)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut line = String::new();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    stderr.read_line(&mut line).unwrap();
    let _ = child.kill();
    let _ = child.wait();
    assert!(line.contains("vigie: trusted time:"), "{line}");
    let found = bench.json(&["verify", "--json", "case"]);
    assert_eq!(found["time"]["standing"], 1, "{found}");
}
