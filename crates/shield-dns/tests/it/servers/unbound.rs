//! Unbound: RPZ over plain TCP, or over TLS.

use std::net::SocketAddr;
use std::time::Duration;

use shield_dns::{Bounds, Place};

use super::blocks;
use crate::bed::{Bed, Daemon, PORT, SUFFIX, TLS_PORT, Upstream, isp, place, until, write};
use crate::client::blocked;

pub(super) fn unbound(bed: &Bed, at: SocketAddr, dir: &std::path::Path, tls: bool) -> Daemon {
    let upstream = Upstream::new().0;
    let (primary, bundle) = if tls {
        (format!("{}@{TLS_PORT}#feed.test", bed.ip), bed.dir.path().join("cert.pem"))
    } else {
        (format!("{}@{PORT}", bed.ip), "/dev/null".into())
    };
    let bundle = if tls { format!("tls-cert-bundle: {}", bundle.display()) } else { String::new() };
    let mut text = format!(
        "server:\n do-daemonize: no\n use-syslog: no\n verbosity: 1\n directory: {dir:?}\n \
         chroot: \"\"\n username: \"\"\n pidfile: \"\"\n interface: {}@{PORT}\n \
         access-control: 127.0.0.0/8 allow\n \
         do-not-query-localhost: no\n module-config: \"respip iterator\"\n {bundle}\n\
         remote-control:\n control-enable: no\n\
         forward-zone:\n name: .\n forward-addr: {}@{}\n",
        at.ip(),
        upstream.ip(),
        upstream.port(),
    );
    for zone in super::zones() {
        text += &format!(
            "rpz:\n name: {zone}.{SUFFIX}\n primary: {primary}\n allow-notify: {}\n",
            bed.ip
        );
    }
    let config = write(dir, "unbound.conf", &text);
    Daemon::new(dir, "unbound", "unbound", &["-d", "-c", &config])
}

fn run(tls: bool) {
    let at = place();
    let dir = tempfile::tempdir().unwrap();
    let client = shield_dns::Client { tls_only: tls, ..isp(at, None) };
    let mut bed = Bed::new(vec![client], Bounds::default());
    bed.change(Place::Hot, &["first.pirate.example"], &[]);
    let _unbound = unbound(&bed, at, dir.path(), tls);
    let [on, off] = blocks(&mut bed, at, Duration::from_secs(5));
    eprintln!("measured: unbound tls={tls}: on {on:?} off {off:?}");
    assert!(bed.told("step, 1 names") >= 6, "by steps:\n{}", bed.log());
}

#[test]
fn unbound_blocks_and_lifts_by_steps() {
    run(false);
}

#[test]
fn unbound_takes_it_over_tls_without_alpn() {
    run(true);
}

#[test]
fn unbound_blocks_on_past_the_expiry() {
    let at = place();
    let dir = tempfile::tempdir().unwrap();
    let timers = shield_dns::Timers { refresh: 1, retry: 1, expire: 2, ttl: 1 };
    let mut bed = Bed::with(vec![isp(at, None)], Bounds::default(), timers);
    bed.change(Place::Hot, &["first.pirate.example"], &[]);
    let _unbound = unbound(&bed, at, dir.path(), false);
    let most = Duration::from_secs(10);
    until("the name is blocked", most, || blocked(at, "first.pirate.example"));
    bed.cut();
    std::thread::sleep(Duration::from_secs(5));
    assert!(blocked(at, "first.pirate.example"), "docs/dns-feed.md says otherwise: mend it");
}
