//! Requests and answers over sockets.

use std::net::SocketAddr;

use domain::base::iana::{Rcode, Rtype};
use shield_dns::Bounds;

use crate::bed::{Bed, PORT, isp, place};
use crate::client::{ask, question};

#[test]
fn a_client_gets_the_soa() {
    let bed = Bed::new(vec![isp(place(), None)], Bounds::default());
    let message =
        ask(SocketAddr::from((bed.ip, PORT)), &question("hot.rpz.test", Rtype::SOA, None));
    let message = message.unwrap();
    assert_eq!(message.header().rcode(), Rcode::NOERROR);
    assert_eq!(message.header_counts().ancount(), 1);
}
