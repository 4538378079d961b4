//! BIND: RPZ with TSIG, plain or over TLS.

use std::net::SocketAddr;
use std::time::Duration;

use shield_dns::{Bounds, Place};

use super::blocks;
use crate::bed::{
    Bed, Daemon, PORT, SECRET, SUFFIX, TLS_PORT, Upstream, isp, key, place_on_interface, until,
    write,
};
use crate::client::{blocked, open};

pub(super) fn bind(
    bed: &Bed,
    at: SocketAddr,
    dir: &std::path::Path,
    tls: bool,
    secret: &str,
) -> Daemon {
    let upstream = Upstream::new().0;
    let (port, by) = if tls { (TLS_PORT, " tls feed") } else { (PORT, "") };
    let mut policy = String::new();
    let mut secondaries = String::new();
    for zone in super::zones() {
        policy += &format!("zone \"{zone}.{SUFFIX}\"; ");
        secondaries += &format!(
            "zone \"{zone}.{SUFFIX}\" {{ type secondary; file \"{zone}.db\"; \
             primaries {{ {} port {port} key \"isp.key\"{by}; }}; min-refresh-time 1; min-retry-time 1; }};\n",
            bed.ip
        );
    }
    let text = format!(
        "key \"isp.key\" {{ algorithm hmac-sha256; secret \"{secret}\"; }};\n\
         tls feed {{ ca-file \"{}\"; remote-hostname \"feed.test\"; }};\n\
         options {{ directory {dir:?}; pid-file none; session-keyfile none; listen-on-v6 {{ none; }};\n\
         listen-on port {} {{ {}; }};\n\
         serial-query-rate 1000; recursion yes; allow-recursion {{ any; }}; allow-query {{ any; }}; dnssec-validation no;\n\
         forward only; forwarders {{ {} port {}; }};\n\
         response-policy {{ {policy} }} break-dnssec yes qname-wait-recurse no min-update-interval 0;\n\
         }};\ncontrols {{ }};\n{secondaries}",
        bed.dir.path().join("cert.pem").display(),
        at.port(),
        at.ip(),
        upstream.ip(),
        upstream.port(),
    );
    let config = write(dir, "named.conf", &text);
    Daemon::new(dir, "named", "bind9", &["-g", "-c", &config])
}

fn run(tls: bool) {
    let at = place_on_interface();
    let dir = tempfile::tempdir().unwrap();
    let client = shield_dns::Client { tls_only: tls, ..isp(at, Some(key())) };
    let mut bed = Bed::new(vec![client], Bounds::default());
    bed.change(Place::Hot, &["first.pirate.example"], &[]);
    let _named = bind(&bed, at, dir.path(), tls, SECRET);
    let [on, off] = blocks(&mut bed, at, Duration::from_secs(5));
    eprintln!("measured: bind tls={tls}: on {on:?} off {off:?}");
    assert!(bed.told("step, 1 names") >= 6, "by steps:\n{}", bed.log());
}

#[test]
fn bind_blocks_and_lifts_by_signed_steps() {
    run(false);
}

#[test]
fn bind_takes_it_over_tls() {
    run(true);
}

#[test]
fn bind_with_a_wrong_secret_gets_nothing() {
    let at = place_on_interface();
    let dir = tempfile::tempdir().unwrap();
    let mut bed = Bed::new(vec![isp(at, Some(key()))], Bounds::default());
    bed.change(Place::Hot, &["first.pirate.example"], &[]);
    let named = bind(&bed, at, dir.path(), false, "ODEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
    // BIND says what it was told (RFC 8945, 5.2.2).
    until("the refusal", Duration::from_secs(20), || named.log().contains("BADSIG"));
    assert_eq!(bed.told("names"), 0, "{}", bed.log());
}

#[test]
fn bind_that_is_told_to_retry_comes_back() {
    let at = place_on_interface();
    let dir = tempfile::tempdir().unwrap();
    // Even the smallest zone needs a place, and there is one, which another holds.
    let bounds = Bounds {
        transfers: 1,
        small: 0,
        wait: Duration::from_millis(50),
        write: Duration::from_secs(4),
        ..Bounds::default()
    };
    let mut bed = Bed::new(vec![isp(at, Some(key())), isp(at, None)], bounds);
    crate::wire::fill(&mut bed);
    bed.change(Place::Hot, &["first.pirate.example"], &[]);
    let _holder = crate::wire::axfr(&bed, "cold-0.rpz.test");
    let _named = bind(&bed, at, dir.path(), false, SECRET);
    until("BIND is told", Duration::from_secs(5), || bed.told("told to retry") > 0);
    assert!(!blocked(at, "first.pirate.example"));
    let back =
        until("BIND is back", Duration::from_secs(20), || blocked(at, "first.pirate.example"));
    eprintln!("measured: bind, told to retry: back after {back:?}");
}

#[test]
fn bind_opens_what_it_cannot_ask_about_past_the_expiry() {
    let at = place_on_interface();
    let dir = tempfile::tempdir().unwrap();
    let timers = shield_dns::Timers { refresh: 1, retry: 1, expire: 3, ttl: 1 };
    let mut bed = Bed::with(vec![isp(at, Some(key()))], Bounds::default(), timers);
    bed.change(Place::Hot, &["first.pirate.example"], &[]);
    let _named = bind(&bed, at, dir.path(), false, SECRET);
    let most = Duration::from_secs(20);
    until("the name is blocked", most, || blocked(at, "first.pirate.example"));
    bed.cut();
    until("the name is open", most, || open(at, "first.pirate.example"));
}
