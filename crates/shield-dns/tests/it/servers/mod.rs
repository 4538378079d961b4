//! The servers that ISPs run, as Debian has them.

mod bind;
mod unbound;

use std::net::SocketAddr;
use std::time::Duration;

use shield_dns::Place;

use crate::bed::{Bed, until};
use crate::client::{blocked, open};

/// What every resolver must do with the feed, from an empty zone on: block the exact name and open
/// all around it; take a change by NOTIFY; lift it again. Tells how long block and lift took.
fn blocks(bed: &mut Bed, resolver: SocketAddr, most: Duration) -> [Duration; 2] {
    // Loaded: the first transfer is there, and the resolver answers.
    until("the resolver blocks", Duration::from_secs(10), || blocked(resolver, "first.pirate.example"));
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
