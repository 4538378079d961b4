//! The real schemas are accepted by a real server: every dump of `small` is restored.
#![allow(clippy::disallowed_methods, clippy::print_stderr)]

#[path = "reading/mod.rs"]
#[allow(dead_code)]
mod reading;

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use range::Scenario;

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn client(socket: &Path, db: &str, sql: &[u8]) -> Result<String, String> {
    let mut child = Command::new("mariadb")
        .args(["--no-defaults", "-N", "-uroot", "-S"])
        .arg(socket)
        .arg(db)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| e.to_string())?;
    let mut stdin = child.stdin.take().ok_or("no stdin")?;
    let sql = sql.to_vec();
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&sql);
    });
    let done = child.wait_with_output().map_err(|e| e.to_string())?;
    let _ = writer.join();
    if done.status.success() {
        Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned())
    } else {
        Err(String::from_utf8_lossy(&done.stderr).into_owned())
    }
}

#[test]
fn dumps_are_restored() {
    let data = tempfile::tempdir().expect("a folder");
    let user = std::env::var("USER").unwrap_or_else(|_| "root".to_owned());
    let installed = Command::new("mariadb-install-db")
        .args(["--no-defaults", "--auth-root-authentication-method=normal"])
        .arg(format!("--datadir={}", data.path().display()))
        .arg(format!("--user={user}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !installed.is_ok_and(|s| s.success()) {
        eprintln!(
            "SKIPPED: dumps_are_restored: no mariadb-install-db (apt install mariadb-server)"
        );
        return;
    }
    let socket = data.path().join("s");
    let server = Command::new("mariadbd")
        .args(["--no-defaults", "--skip-networking"])
        .arg(format!("--datadir={}", data.path().display()))
        .arg(format!("--socket={}", socket.display()))
        .arg(format!("--user={user}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(server) = server else {
        eprintln!("SKIPPED: dumps_are_restored: no mariadbd (apt install mariadb-server)");
        return;
    };
    let _server = Server(server);
    let start = Instant::now();
    while client(&socket, "", b"select 1").is_err() {
        assert!(start.elapsed() < Duration::from_secs(60), "the server does not start");
        std::thread::sleep(Duration::from_millis(200));
    }
    let out = tempfile::tempdir().expect("a folder");
    range::make(Scenario::Small, 1.0, 9, out.path(), &mut |_| {}).expect("made");
    let mut restored = 0;
    for (name, bytes) in reading::unpacked(&reading::every_file(out.path())) {
        if !name.ends_with(".sql") || name.contains("/old/") {
            continue;
        }
        let db = format!("d{restored}");
        client(&socket, "", format!("create database {db}").as_bytes()).expect("created");
        client(&socket, &db, &bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        let text = String::from_utf8_lossy(&bytes);
        let table = if text.contains("CREATE TABLE `lines`") { "lines" } else { "users" };
        let rows = client(&socket, &db, format!("select count(*) from `{table}`").as_bytes());
        assert_eq!(rows.as_deref(), Ok(reading::tuples(&text, table).len().to_string().as_str()));
        restored += 1;
    }
    assert_eq!(restored, 3);
}
