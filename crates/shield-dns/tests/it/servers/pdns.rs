//! The PowerDNS recursor: RPZ with TSIG; it asks for the serial and takes no NOTIFY for RPZ.

use std::time::Duration;

use shield_dns::{Bounds, Place};

use super::blocks;
use crate::bed::{Bed, Daemon, PORT, SECRET, SUFFIX, Upstream, isp, key, place, write};

#[test]
fn the_powerdns_recursor_blocks_and_lifts_by_signed_steps() {
    let at = place();
    let dir = tempfile::tempdir().unwrap();
    let mut bed = Bed::new(vec![isp(at, Some(key()))], Bounds::default());
    bed.change(Place::Hot, &["first.pirate.example"], &[]);
    let upstream = Upstream::new().0;
    let lua = format!(
        "rpzPrimary(\"{}:{PORT}\", \"hot.{SUFFIX}\", {{refresh=1, tsigname=\"isp.key\", \
         tsigalgo=\"hmac-sha256\", tsigsecret=\"{SECRET}\"}})\n",
        bed.ip
    );
    let lua = write(dir.path(), "rpz.lua", &lua);
    let config = format!(
        "local-address={}\nlocal-port={}\nlua-config-file={lua}\nforward-zones-recurse=.={upstream}\n\
         disable-packetcache=yes\ndnssec=off\ndaemon=no\nsocket-dir={}\ndont-query=\n\
         allow-from=127.0.0.0/8\nquery-local-address=0.0.0.0\n",
        at.ip(),
        at.port(),
        dir.path().display(),
    );
    write(dir.path(), "recursor.conf", &config);
    let config = format!("--config-dir={}", dir.path().display());
    let _recursor = Daemon::new(dir.path(), "pdns_recursor", "pdns-recursor", &[&config]);
    let [on, off] = blocks(&mut bed, at, Duration::from_secs(8));
    eprintln!("measured: pdns: on {on:?} off {off:?}");
    assert!(bed.told("step, 1 names") >= 6, "by steps:\n{}", bed.log());
}
