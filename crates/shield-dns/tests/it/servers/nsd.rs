//! NSD as a secondary: what many run before their resolvers.

use std::net::SocketAddr;
use std::time::Duration;

use shield_dns::{Bounds, Place};

use super::follows;
use crate::bed::{Bed, Daemon, PORT, SECRET, SUFFIX, TLS_PORT, isp, key, place, write};

fn nsd(bed: &Bed, at: SocketAddr, dir: &std::path::Path, tls: bool) -> Daemon {
    let (port, by) = if tls { (TLS_PORT, " feed") } else { (PORT, "") };
    let bundle = bed.dir.path().join("cert.pem");
    let text = format!(
        "server:\n ip-address: {}@{}\n zonesdir: {dir:?}\n database: \"\"\n xfrdir: {dir:?}\n \
         xfrdfile: \"{dir}/xfrd\"\n zonelistfile: \"{dir}/zones\"\n pidfile: \"\"\n \
         username: \"\"\n tls-cert-bundle: {bundle:?}\nremote-control:\n control-enable: no\n\
         key:\n name: isp.key\n algorithm: hmac-sha256\n secret: \"{SECRET}\"\n\
         tls-auth:\n name: feed\n auth-domain-name: feed.test\n\
         zone:\n name: hot.{SUFFIX}\n zonefile: hot\n min-retry-time: 1\n \
         request-xfr: {}@{port} isp.key{by}\n allow-notify: 127.0.0.0/8 isp.key\n",
        at.ip(),
        at.port(),
        bed.ip,
        dir = dir.display(),
    );
    let config = write(dir, "nsd.conf", &text);
    Daemon::new(dir, "nsd", "nsd", &["-d", "-c", &config])
}

fn run(tls: bool) {
    let at = place();
    let dir = tempfile::tempdir().unwrap();
    let client = shield_dns::Client { tls_only: tls, ..isp(at, Some(key())) };
    let mut bed = Bed::new(vec![client], Bounds::default());
    bed.change(Place::Hot, &["first.pirate.example"], &[]);
    let _nsd = nsd(&bed, at, dir.path(), tls);
    let time = follows(&mut bed, at, Duration::from_secs(8));
    eprintln!("measured: nsd tls={tls}: {time:?}");
}

#[test]
fn nsd_follows_by_signed_steps() {
    run(false);
}

#[test]
fn nsd_follows_over_tls() {
    run(true);
}
