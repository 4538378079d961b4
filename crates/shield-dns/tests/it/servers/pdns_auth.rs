//! PowerDNS's authoritative server as a secondary, with SQLite beneath. By whole zones alone: version 4.7.3 can
//! take a step (`set-meta ZONE IXFR 1`), but then answers nothing for the names in it until it is rectified.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use shield_dns::{Bounds, Place};

use super::holds;
use crate::bed::{Bed, Daemon, PORT, SECRET, SUFFIX, isp, key, place, until, write};

/// Where Debian has the tables that the backend needs.
const SCHEMA: &str = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql";

fn run(dir: &Path, program: &str, args: &[&str]) {
    let out = Command::new(program).args(args).current_dir(dir).output().unwrap_or_else(|e| {
        panic!("{program}: {e}: apt install pdns-server pdns-backend-sqlite3 sqlite3")
    });
    let said = String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned();
    assert!(out.status.success(), "{program} {args:?}: {said}");
}

#[test]
fn powerdns_follows_by_signed_whole_zones() {
    let at = place();
    let dir = tempfile::tempdir().unwrap();
    let mut bed = Bed::new(vec![isp(at, Some(key()))], Bounds::default());
    bed.change(Place::Hot, &["first.pirate.example"], &[]);
    let (zone, folder) = (format!("hot.{SUFFIX}"), dir.path().display());
    let config = format!(
        "local-address={}\nlocal-port={}\nlaunch=gsqlite3\ngsqlite3-database={folder}/pdns.db\n\
         gsqlite3-dnssec=yes\nsecondary=yes\nxfr-cycle-interval=1\nsocket-dir={folder}\ndaemon=no\n\
         guardian=no\nallow-notify-from=127.0.0.0/8\nquery-local-address=0.0.0.0\n\
         cache-ttl=0\nquery-cache-ttl=0\nnegquery-cache-ttl=0\nzone-cache-refresh-interval=0\n\
         security-poll-suffix=\n",
        at.ip(),
        at.port(),
    );
    write(dir.path(), "pdns.conf", &config);
    let config = format!("--config-dir={folder}");
    run(dir.path(), "sqlite3", &["pdns.db", &format!(".read {SCHEMA}")]);
    let primary = format!("{}:{PORT}", bed.ip);
    for words in [
        ["create-secondary-zone", &zone, &primary].as_slice(),
        &["import-tsig-key", "isp.key", "hmac-sha256", SECRET],
        &["activate-tsig-key", &zone, "isp.key", "secondary"],
    ] {
        run(dir.path(), "pdnsutil", &[[config.as_str()].as_slice(), words].concat());
    }
    let _pdns = Daemon::new(dir.path(), "pdns_server", "pdns-server", &[&config]);
    let all = Duration::from_secs(20);
    until("the zone is there", all, || holds(at, "first.pirate.example"));
    let mut times = Vec::new();
    for n in 0..3 {
        let name = format!("tv{n}.pirate.example");
        let (whole, most) = (bed.told("whole"), Duration::from_secs(8));
        bed.change(Place::Hot, &[&name], &[]);
        times.push(until("the name is there", most, || holds(at, &name)));
        assert!(!holds(at, &format!("child.{name}")) && !holds(at, "pirate.example"));
        bed.change(Place::Hot, &[], &[&name]);
        until("the name is gone", most, || !holds(at, &name));
        assert!(holds(at, "first.pirate.example"), "what was not changed stays");
        assert!(bed.told("whole") >= whole + 2, "by whole zones:\n{}", bed.log());
    }
    times.sort();
    eprintln!("measured: pdns_server: {:?}", times[1]);
}
