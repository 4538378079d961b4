//! What docs/time.md says of an authority for a trial is typed word for word: it must work.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::bench::Bench;
use crate::package::unpacked;

/// The server, until it is dropped.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A shell in a folder of the bench, with our own command first on its path.
fn shell(bench: &Bench, folder: &str, script: &str) -> Command {
    let vigie = std::path::Path::new(env!("CARGO_BIN_EXE_vigie")).parent().expect("a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("sh");
    command
        .args(["-e", "-c", script])
        .current_dir(bench.path(folder))
        .env("PATH", format!("{}:{path}", vigie.display()))
        .env("VIGIE_HOME", bench.path("home"))
        .env_remove("VIGIE_CASE")
        .stdin(Stdio::null());
    command
}

#[test]
fn an_authority_for_a_trial_works_as_documented() {
    let bench = Bench::new();
    bench.open("case", &bench.seizure("seizure", "small", 1.0, 4));
    let doc = include_str!("../../../../docs/time.md");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let blocks: Vec<String> = doc
        .split(": run by the test suite -->\n```sh\n")
        .skip(1)
        .map(|block| block.split("```").next().unwrap().replace("3180", &port.to_string()))
        .collect();
    let [made, served, stamped] = &blocks[..] else { panic!("three blocks: {blocks:?}") };

    let out = shell(&bench, ".", made).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    // The shell becomes the server, so that ending the one ends the other.
    let served = served.replace("\npython3 ", "\nexec python3 ");
    let child = shell(&bench, "tsa", &served).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let _serving = Serving(child.unwrap());
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the authority does not answer");
        std::thread::sleep(Duration::from_millis(50));
    }
    let out = shell(&bench, ".", stamped).output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(out.status.success(), "{said}{}", String::from_utf8_lossy(&out.stderr));
    assert!(said.contains("Time by trial, which your trust file names."), "{said}");
    assert!(said.contains("Signed by a key that your trust file names"), "{said}");

    // Who opens a package reads at its top what stands behind it, and what does not.
    bench.ok(&["package", "make", "--for", "Court", "--handling", "H0", "--out", "court.zip"]);
    let page = String::from_utf8(unpacked(&bench, "court.zip")).unwrap();
    let top = page.split("class=\"check\"").next().unwrap();
    assert!(top.contains("by the clock of CN=Clock,O=Trial."), "{top}");
    assert!(top.contains("practice.invalid, which signed the "), "{top}");
    assert!(top.contains("Unwitnessed") && !top.contains("No trusted time"), "{top}");
}
