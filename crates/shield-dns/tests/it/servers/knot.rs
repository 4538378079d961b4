//! Knot DNS as a secondary that learns of the zones from the catalog.

use std::time::Duration;

use shield_dns::{Bounds, Place};

use super::{empty_step, follows, holds};
use crate::bed::{Bed, Daemon, PORT, SECRET, SUFFIX, isp, key, place, until, write};
use crate::client::serial;

#[test]
fn knot_follows_what_the_catalog_lists() {
    let at = place();
    let dir = tempfile::tempdir().unwrap();
    let mut bed = Bed::new(vec![isp(at, Some(key()))], Bounds::default());
    bed.change(Place::Hot, &["first.pirate.example"], &[]);
    let text = format!(
        "server:\n  listen: {}@{}\n  rundir: {dir:?}\n  pidfile: knot.pid\n\
         log:\n  - target: stdout\n    any: info\n\
         key:\n  - id: isp.key\n    algorithm: hmac-sha256\n    secret: {SECRET}\n\
         remote:\n  - id: feed\n    address: {}@{PORT}\n    key: isp.key\n\
         acl:\n  - id: told\n    address: {}\n    key: isp.key\n    action: notify\n\
         database:\n  storage: {dir:?}\n\
         template:\n  - id: default\n    storage: {dir:?}\n    journal-content: none\n    \
         zonefile-sync: -1\n    zonefile-load: none\n  - id: member\n    storage: {dir:?}\n    \
         master: feed\n    acl: told\n    zonefile-sync: -1\n    zonefile-load: none\n    \
         journal-content: none\n\
         zone:\n  - domain: catalog.{SUFFIX}\n    master: feed\n    acl: told\n    \
         catalog-role: interpret\n    catalog-template: member\n",
        at.ip(),
        at.port(),
        bed.ip,
        bed.ip,
        dir = dir.path(),
    );
    let config = write(dir.path(), "knot.conf", &text);
    let _knot = Daemon::new(dir.path(), "knotd", "knot", &["-c", &config]);
    let time = follows(&mut bed, at, Duration::from_secs(5));
    eprintln!("measured: knot: {time:?}");
    empty_step(&mut bed, Duration::from_secs(5), |name| holds(at, name));
    for zone in ["cold-0", "cold-f"] {
        until("the catalog's zones", Duration::from_secs(10), || {
            serial(at, &format!("{zone}.{SUFFIX}")).is_some()
        });
    }
}

/// kdig tells by itself whether the answer's signature holds: BADTIME is one that must be signed
/// (RFC 8945, 5.2.3).
#[test]
fn kdig_believes_that_its_clock_is_wrong() {
    let bed = Bed::new(vec![isp(place(), Some(key()))], Bounds::default());
    let kdig = |offset: &str| {
        let out = std::process::Command::new("timeout")
            .args(["10", "faketime", "-f", offset, "kdig", "-y"])
            .arg(format!("hmac-sha256:isp.key:{SECRET}"))
            .args([&format!("@{}", bed.ip), "-p", &PORT.to_string(), "hot.rpz.test", "SOA"])
            .output()
            .expect("timeout (apt install coreutils)");
        let both = [out.stdout, out.stderr].concat();
        let text = String::from_utf8_lossy(&both).into_owned();
        assert!(out.status.code() != Some(127), "apt install faketime knot-dnsutils: {text}");
        text
    };
    let right = kdig("+0s");
    assert!(right.contains("status: NOERROR") && !right.contains("verification"), "{right}");
    let wrong = kdig("-1h");
    assert!(wrong.contains("status: BADTIME"), "{wrong}");
    assert!(wrong.contains("TSIG out of time window"), "not that the MAC is wrong: {wrong}");
}
