//! Authorisations and captures, as an investigator uses them; the world is a resolver and a server of the
//! test's own on loopback.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use crate::bench::Bench;

/// A resolver that says of every name below `.example` that it stands for 127.0.0.1, and has no IPv6.
fn resolver() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 1500];
        while let Ok((_, from)) = socket.recv_from(&mut buffer) {
            // The header, then the question: labels up to an empty one, type and class.
            let mut end = 12;
            while buffer[end] != 0 {
                end += usize::from(buffer[end]) + 1;
            }
            let (is_a, question) = (buffer[end + 2] == 1, &buffer[12..end + 5]);
            let mut answer =
                vec![buffer[0], buffer[1], 0x81, 0x80, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0];
            answer.extend_from_slice(question);
            if is_a {
                answer.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1]);
            }
            let _ = socket.send_to(&answer, from);
        }
    });
    address
}

/// A server of one page, which the test may change.
fn server(page: &str) -> (u16, Arc<Mutex<String>>) {
    let page = Arc::new(Mutex::new(page.to_owned()));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let shown = Arc::clone(&page);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let body = shown.lock().unwrap().clone();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(&[head.as_bytes(), body.as_bytes()].concat());
        }
    });
    (port, page)
}

/// In that many days.
fn in_days(days: u64) -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let ms = i64::try_from(since.as_millis()).unwrap() + i64::try_from(days).unwrap() * 86_400_000;
    model::record::time_text(ms)
}

/// A case, and an authorisation in it for these hosts.
#[allow(clippy::disallowed_methods)] // Material for the test.
fn begun(hosts: &[&str], more: &[&str]) -> (Bench, String) {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("pile")).unwrap();
    std::fs::write(bench.path("pile/hosts.txt"), "198.18.0.7\n").unwrap();
    bench.ok(&["open", "--case", "case", "pile"]);
    let until = in_days(30);
    let mut words = vec!["authorise", "--case", "case", "--json", "--basis", "order 2026/117"];
    words.extend(["--signer", "Judge Example", "--method", "capture-page", "--until", &until]);
    words.extend(["--method", "capture-address", "--method", "capture-playlist"]);
    hosts.iter().for_each(|host| words.extend(["--host", host]));
    if !more.contains(&"--rate") {
        words.extend(["--rate", "60"]);
    }
    words.extend(more);
    let granted = bench.json(&words);
    let record = granted["authorisation"].to_string();
    (bench, record)
}

/// Captures, and gives one document an item.
fn captured(bench: &Bench, record: &str, resolver: SocketAddr, items: &[&str]) -> Vec<Value> {
    let resolver = resolver.to_string();
    let mut words = vec!["capture", "--case", "case", "--json", "--authorisation", record];
    words.extend(["--resolver", &resolver]);
    words.extend(items);
    let out = bench.run(&words);
    let text = String::from_utf8(out.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A record as whoever has the log alone sees it.
#[allow(clippy::disallowed_methods)] // A proof for the test.
fn public(bench: &Bench, record: u64) -> Value {
    let proof = bench.ok(&["log", "prove", "--case", "case", &record.to_string()]);
    std::fs::write(bench.path("proof"), proof).unwrap();
    bench.json(&["log", "check", "--json", "proof"])["record"].clone()
}

#[test]
fn a_capture_is_sealed_recorded_and_proven_and_the_same_again_is_not() {
    let (port, page) = server("<html>one</html>");
    let (bench, record) = begun(&["tv.example:*", "127.0.0.0/8:*"], &[]);
    let (dns, url) = (resolver(), format!("http://tv.example:{port}/"));
    let first = &captured(&bench, &record, dns, &[&url])[0];
    assert_eq!((&first["came"], &first["outcome"]), (&"recorded".into(), &"answered 200".into()));
    let seen = public(&bench, first["record"].as_u64().unwrap());
    assert_eq!(seen["kind"], "capture.made");
    assert_eq!(seen["public"]["granted"].to_string(), record);
    assert!(!seen.to_string().contains("tv.example"), "{seen}");
    // It is an exhibit like any other, and was read.
    let exhibit = first["exhibit"].as_str().unwrap();
    assert!(bench.ok(&["show", "--case", "case", exhibit]).contains("warc"));
    // Seen again: nothing new. Seen otherwise: a new record.
    let again = &captured(&bench, &record, dns, &[&url])[0];
    assert_eq!((&again["came"], &again["record"]), (&"unchanged".into(), &first["record"]));
    *page.lock().unwrap() = "<html>two</html>".to_owned();
    let other = &captured(&bench, &record, dns, &[&url, &format!("127.0.0.1:{port}")]);
    assert_eq!((&other[0]["came"], &other[1]["came"]), (&"recorded".into(), &"recorded".into()));
    assert_ne!(other[0]["exhibit"], first["exhibit"]);
    let hosts: Vec<&Value> =
        other[1]["steps"].as_array().unwrap().iter().map(|step| &step["host"]).collect();
    assert_eq!(hosts, [&Value::Null, &Value::Null, &"vigie-control.invalid".into()]);
    bench.ok(&["verify", "case"]);
    let listed = bench.json(&["authorise", "list", "--case", "case", "--json"]);
    assert_eq!((&listed["captures"], &listed["state"]), (&3.into(), &"in force".into()));
    // The key is the probe's own, and its owner's alone.
    let key = bench.path("home/probe/key");
    assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let probe = bench.ok(&["authorise", "probe"]);
    assert_eq!(listed["probe"], probe.trim_end());
    let opened = public(&bench, 0)["public"]["key"].as_str().unwrap().to_owned();
    assert_ne!(opened.rsplit('+').next(), probe.trim_end().rsplit('+').next());
}

#[test]
#[allow(clippy::disallowed_methods)] // The probe's folder is taken away.
fn another_probe_may_not_work_under_it() {
    let (port, _) = server("x");
    let (bench, record) = begun(&["127.0.0.0/8:*"], &[]);
    captured(&bench, &record, resolver(), &[&format!("http://127.0.0.1:{port}/")]);
    bench.ok(&["verify", "case"]);
    // Whoever holds the case: the key is another.
    let moved = bench.path("home/probe");
    std::fs::rename(&moved, bench.path("elsewhere")).unwrap();
    let words =
        ["capture", "--case", "case", "--authorisation", &record, "--resolver", "127.0.0.1:9"];
    let out = bench.run(&[&words[..], &["127.0.0.1"]].concat());
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("is for the probe"));
}

#[test]
fn what_is_refused_is_told_and_counted_by_one_record() {
    let (port, _) = server("x");
    let (bench, record) = begun(&["tv.example:*", "127.0.0.0/8:*"], &[]);
    let words =
        ["capture", "--case", "case", "--authorisation", &record, "--resolver", "127.0.0.1:9"];
    // A name is asked once, an address without a name and with the control name.
    for _ in 0..3 {
        let out = bench.run(&[&words[..], &["other.example", "10.0.0.1"]].concat());
        assert_eq!(out.status.code(), Some(3));
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(said.contains("2 items outside the authorisation"), "{said}");
        assert!(said.contains("`vigie authorise list`"), "{said}");
        let told = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(told.contains("other.example: refused: the authorisation does not name"), "{told}");
    }
    let good = &captured(&bench, &record, resolver(), &[&format!("http://tv.example:{port}/")])[0];
    assert_eq!(good["came"], "recorded");
    let list = || bench.json(&["authorise", "list", "--case", "case", "--json"]);
    assert_eq!((&list()["refused"], &list()["refused_this_hour"]), (&0.into(), &9.into()));
    let said = bench.ok(&["authorise", "end", "--case", "case", &record, "--reason", "lifted"]);
    let ended: u64 =
        said.split("(record ").nth(1).unwrap().split(')').next().unwrap().parse().unwrap();
    let counted = public(&bench, ended - 1);
    assert_eq!(counted["kind"], "capture.refused");
    assert_eq!(
        (&counted["public"]["refused"], &counted["public"]["refusal"]),
        (&9.into(), &"host".into())
    );
    assert_eq!((&list()["refused"], &list()["state"]), (&9.into(), &"ended".into()));
    // After the end nothing leaves, whatever it named.
    let after = captured(&bench, &record, resolver(), &[&format!("http://tv.example:{port}/")]);
    assert_eq!((&after[0]["came"], &after[0]["refused"]["ended"]), (&"refused".into(), &1.into()));
    assert_eq!(after[0]["requests"], 0);
    bench.ok(&["verify", "case"]);
}

#[test]
fn the_rate_holds_from_call_to_call() {
    let (port, _) = server("x");
    let (bench, record) = begun(&["127.0.0.0/8:*"], &["--rate", "2"]);
    let look = |path: &str| {
        let url = format!("http://127.0.0.1:{port}/{path}");
        captured(&bench, &record, resolver(), &["--time", "5", &url]).remove(0)
    };
    assert_eq!(look("a")["came"], "recorded");
    assert_eq!(look("b")["came"], "recorded");
    let third = look("c");
    assert_eq!((&third["came"], &third["refused"]["rate"]), (&"refused".into(), &1.into()));
}

#[test]
fn what_is_off_ends_with_two_and_says_what_is_wanted() {
    let (bench, record) = begun(&["tv.example"], &["--from", &in_days(1)]);
    let misused = |words: &[&str], part: &str| {
        let out = bench.run(words);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(2), "{words:?}: {said}");
        assert!(said.contains(part), "{said}");
    };
    let capture = ["capture", "--case", "case", "--resolver", "127.0.0.1:9", "--authorisation"];
    misused(&[&capture[..], &[&record, "a b"]].concat(), "neither a URL");
    misused(&[&capture[..], &["0", "tv.example"]].concat(), "`vigie authorise list`");
    misused(&["capture", "--case", "case", "tv.example"], "--authorisation");
    misused(&["authorise", "--case", "case"], "--basis");
    misused(&["authorise", "--basis", "x"], "--host");
    let until = in_days(1);
    let grant = |host: &str, basis: &str| -> Vec<String> {
        let words = ["authorise", "--case", "case", "--signer", "x", "--method", "capture-page"];
        let more = ["--rate", "1", "--until", &until, "--host", host, "--basis", basis];
        words.into_iter().chain(more).map(str::to_owned).collect()
    };
    let refs = |words: &[String]| -> Vec<String> { words.to_vec() };
    for (words, part) in [
        (refs(&grant("*.com", "x")), "public suffix"),
        (refs(&grant("tv.example", " ")), "legal basis"),
    ] {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        misused(&words, part);
    }
    // Not in force yet: nothing is off with the call.
    let out = bench.run(&[&capture[..], &[&record, "tv.example"]].concat());
    assert_eq!(out.status.code(), Some(3));
    let out = bench.run(&["authorise", "list", "--case", "nothing"]);
    assert_eq!(out.status.code(), Some(3));
}

/// What `--help` shows is typed word for word. The examples' names are nobody's: they are looked up with a
/// resolver of the test's.
#[test]
fn every_example_works() {
    let bench = Bench::new();
    let seizure = bench.seizure("seizure", "small", 1.0, 2);
    let material = seizure.join("material/office/domains.txt");
    bench.ok(&["open", "--case", "case", material.to_str().unwrap()]);
    let vigie = std::path::Path::new(env!("CARGO_BIN_EXE_vigie"));
    let path = format!(
        "{}:{}",
        vigie.parent().unwrap().display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let run = |example: &str| {
        let out = std::process::Command::new("sh")
            .args(["-c", example])
            .current_dir(bench.path("."))
            .env("PATH", &path)
            .env("VIGIE_HOME", bench.path("home"))
            .env_remove("VIGIE_CASE")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(out.status.success(), "{example}: {}", String::from_utf8_lossy(&out.stderr));
        assert!(!said.is_empty(), "{example} prints nothing");
        said
    };
    let examples = |words: &[&str]| -> Vec<String> {
        let help = bench.ok(&[words, &["--help"]].concat()).replace("\\\n", "");
        let behind = help.split_once("\nExample").unwrap().1;
        let lines = behind.lines().map(str::trim).filter(|line| line.starts_with("vigie "));
        lines.map(str::to_owned).collect()
    };
    let granted = run(&examples(&["authorise"])[0]);
    let record = granted.split_whitespace().nth(1).unwrap();
    run(&examples(&["authorise"])[1]);
    // What the examples capture has to be authorised: nobody listens there, and that is recorded.
    let until = in_days(1);
    let words = ["authorise", "--basis", "b", "--signer", "s", "--rate", "60", "--until", &until];
    let hosts = ["--host", "tv.example", "--host", "127.0.0.0/8:*"];
    let methods = ["--method", "capture-page", "--method", "capture-address", "--json"];
    let wide = bench.json(&[&words[..], &hosts, &methods].concat())["authorisation"].to_string();
    for example in examples(&["capture"]) {
        let with = format!("--authorisation {wide} --resolver {}", resolver());
        run(&example.replace("--authorisation 1", &with));
    }
    for of in ["list", "end", "probe"] {
        for example in examples(&["authorise", of]) {
            run(&example.replace("end 1", &format!("end {record}")));
        }
    }
}
