//! The servers that ISPs run, as Debian has them.

mod bind;
mod knot;
mod million;
mod nsd;
mod pdns;
mod pdns_auth;
mod unbound;

use std::net::SocketAddr;
use std::time::Duration;

use domain::base::iana::Rtype;
use shield_dns::Place;

use crate::bed::{Bed, SUFFIX, names, unix, until};
use crate::client::{ask, blocked, open, question};

/// The first labels of the zones, the hot one first.
fn zones() -> impl Iterator<Item = String> {
    std::iter::once("hot".to_owned()).chain((0..16).map(|n| format!("cold-{n:x}")))
}

/// The medians of the first and of the second times.
fn medians(times: &[[Duration; 2]]) -> [Duration; 2] {
    [0, 1].map(|which| {
        let mut times: Vec<_> = times.iter().map(|pair| pair[which]).collect();
        times.sort();
        times[times.len() / 2]
    })
}

/// A name goes in and out while nobody looks: the step between is empty, and no reason to take the
/// whole zone, nor to miss what comes after.
fn empty_step(bed: &mut Bed, most: Duration, holds: impl Fn(&str) -> bool) {
    let whole = bed.told("whole");
    let brief = names(&["brief.pirate.example"]);
    bed.zones.change(Place::Hot, &brief, &[], unix()).unwrap();
    bed.change(Place::Hot, &[], &["brief.pirate.example"]);
    until("the empty step is taken", most, || bed.told("step, 0 names") > 0);
    bed.change(Place::Hot, &["after.pirate.example"], &[]);
    until("the name after it is there", most, || holds("after.pirate.example"));
    assert!(!holds("brief.pirate.example"));
    assert_eq!(bed.told("whole"), whole, "{}", bed.log());
}

/// What every resolver must do with the feed, from an empty zone on: block the exact name and open
/// all around it; take a change by NOTIFY; lift it again. Tells how long block and lift took.
fn blocks(bed: &mut Bed, resolver: SocketAddr, most: Duration) -> [Duration; 2] {
    // Loaded: the first transfer is there, and the resolver answers.
    until("the resolver blocks", Duration::from_secs(10), || {
        blocked(resolver, "first.pirate.example")
    });
    assert!(open(resolver, "innocent.example"));
    let mut times = Vec::new();
    for n in 0..3 {
        let name = format!("tv{n}.pirate.example");
        assert!(open(resolver, &name), "open before");
        bed.change(Place::Hot, &[&name], &[]);
        let on = until("the name is blocked", most, || blocked(resolver, &name));
        for other in ["child.NAME", "pirate.example", "sibling.pirate.example", "xNAME"] {
            assert!(open(resolver, &other.replace("NAME", &name)), "{other} of {name}");
        }
        bed.change(Place::Hot, &[], &[&name]);
        let off = until("the name is open", most, || open(resolver, &name));
        times.push([on, off]);
    }
    assert!(blocked(resolver, "first.pirate.example"), "what was not changed stays");
    empty_step(bed, most, |name| blocked(resolver, name));
    medians(&times)
}

/// Whether a secondary has the record of a name in the hot zone.
fn holds(secondary: SocketAddr, name: &str) -> bool {
    let owner = format!("{name}.hot.{SUFFIX}");
    let message = ask(secondary, &question(&owner, Rtype::CNAME, None));
    message.is_some_and(|message| message.header_counts().ancount() == 1)
}

/// What every secondary must do: hold the zone, take a change by NOTIFY as a step, and drop the name
/// again. It answers from the zone, so the record itself is asked for.
fn follows(bed: &mut Bed, secondary: SocketAddr, most: Duration) -> Duration {
    let holds = |name: &str| holds(secondary, name);
    let all = Duration::from_secs(20);
    until("the zone is there", all, || holds("first.pirate.example"));
    let mut times = Vec::new();
    for n in 0..3 {
        let name = format!("tv{n}.pirate.example");
        bed.change(Place::Hot, &[&name], &[]);
        times.push(until("the name is there", most, || holds(&name)));
        assert!(!holds(&format!("child.{name}")) && !holds("pirate.example"));
        bed.change(Place::Hot, &[], &[&name]);
        until("the name is gone", most, || !holds(&name));
    }
    assert!(holds("first.pirate.example"), "what was not changed stays");
    // Six changes; NSD asks once more, and for all, where it was told of one while it reloaded.
    assert!(bed.told("step, 1 names") >= 4, "by steps:\n{}", bed.log());
    times.sort();
    times[1]
}
