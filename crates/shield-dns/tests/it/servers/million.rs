//! Resolvers beside a million names. For the figures of docs/dns-feed.md; it takes minutes:
//! `cargo nextest run --release -p shield-dns --run-ignored only`

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use shield_dns::{Bounds, Fqdn, Place};

use crate::bed::{Bed, Daemon, SECRET, isp, key, place, place_on_interface, unix, until};
use crate::client::{blocked, open};

const NAMES: usize = 1_000_000;

fn name(n: usize) -> Fqdn {
    // An odd factor permutes the 64 bits: no label twice, none in order.
    let label = (n as u64).wrapping_mul(0x5851_f42d_4c95_7f2d);
    format!("{label:x}.site{}.example", n % 7_000).parse().unwrap()
}

fn measure(what: &str, mut bed: Bed, at: SocketAddr, start: impl FnOnce(&Bed) -> Daemon) {
    let names: Vec<_> = (0..NAMES).map(name).collect();
    bed.zones.change(Place::Cold, &names, &[], unix()).unwrap();
    drop(names);
    bed.change(Place::Hot, &["first.pirate.example"], &[]);
    let begun = Instant::now();
    let daemon = start(&bed);
    let most = Duration::from_secs(300);
    for n in [0, 1, NAMES / 2, NAMES - 1] {
        let name = name(n).to_string();
        until("all is loaded", most, || blocked(at, &name));
    }
    until("all zones are there", most, || bed.told(": whole, ") >= 17);
    let loaded = begun.elapsed();
    std::thread::sleep(Duration::from_secs(5));
    for place in [Place::Hot, Place::Cold] {
        let mut times = Vec::new();
        for n in 0..7 {
            let name = format!("tv{n}.pirate.example");
            assert!(open(at, &name));
            bed.change(place, &[&name], &[]);
            let on = until("the name is blocked", most, || blocked(at, &name));
            std::thread::sleep(Duration::from_secs(2));
            bed.change(place, &[], &[&name]);
            times.push([on, until("the name is open", most, || open(at, &name))]);
            std::thread::sleep(Duration::from_secs(2));
        }
        let (mb, medians) = (daemon.megabytes(), super::medians(&times));
        let most = [0, 1].map(|which| times.iter().map(|pair| pair[which]).max().unwrap());
        eprintln!(
            "measured: {what}: loaded {loaded:?}, {mb} MB; {place:?} {medians:?}, most {most:?}"
        );
    }
}

#[test]
#[ignore = "minutes, for figures"]
fn bind_beside_a_million() {
    let at = place_on_interface();
    let dir = tempfile::tempdir().unwrap();
    let bed = Bed::new(vec![isp(at, Some(key()))], Bounds::default());
    measure("bind", bed, at, |bed| super::bind::bind(bed, at, dir.path(), false, SECRET));
}

#[test]
#[ignore = "minutes, for figures"]
fn unbound_beside_a_million() {
    let at = place();
    let dir = tempfile::tempdir().unwrap();
    let bed = Bed::new(vec![isp(at, None)], Bounds::default());
    measure("unbound", bed, at, |bed| super::unbound::unbound(bed, at, dir.path(), false));
}
