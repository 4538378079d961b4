//! The servers that ISPs run, as Debian has them.

mod bind;
mod knot;
mod nsd;
mod pdns;
mod unbound;

use std::net::SocketAddr;
use std::time::Duration;

use domain::base::iana::Rtype;
use shield_dns::Place;

use crate::bed::{Bed, SUFFIX, until};
use crate::client::{ask, blocked, open, question};

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
    times.sort();
    times[1]
}

/// What every secondary must do: hold the zone, take a change by NOTIFY as a step, and drop the name
/// again. It answers from the zone, so the record itself is asked for.
fn follows(bed: &mut Bed, secondary: SocketAddr, most: Duration) -> Duration {
    let holds = |name: &str| {
        let owner = format!("{name}.hot.{SUFFIX}");
        let message = ask(secondary, &question(&owner, Rtype::CNAME, None));
        message.is_some_and(|message| message.header_counts().ancount() == 1)
    };
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
    assert!(bed.told("step, 1 names") >= 6, "by steps:\n{}", bed.log());
    times.sort();
    times[1]
}
