//! A client of the tests' own, on the `domain` library's reading side, which shares no code with the
//! writing side here.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::str::FromStr;
use std::time::Duration;

use domain::base::iana::{Rcode, Rtype};
use domain::base::{Message, MessageBuilder, Name};

/// A question with a serial in its authority section for IXFR.
pub(crate) fn question(name: &str, kind: Rtype, serial: Option<u32>) -> Vec<u8> {
    let name = Name::<Vec<u8>>::from_str(name).unwrap();
    let mut builder = MessageBuilder::new_vec();
    builder.header_mut().set_id(4711);
    builder.header_mut().set_rd(true);
    let mut question = builder.question();
    question.push((&name, kind)).unwrap();
    let mut authority = question.authority();
    if let Some(serial) = serial {
        let root = Name::<Vec<u8>>::root_vec();
        let t = domain::base::Ttl::from_secs(0);
        let soa = domain::rdata::Soa::new(root.clone(), root, serial.into(), t, t, t, t);
        authority.push((&name, t, soa)).unwrap();
    }
    authority.finish()
}

/// Asks over UDP.
pub(crate) fn ask(server: SocketAddr, request: &[u8]) -> Option<Message<Vec<u8>>> {
    let any = if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    socket.send_to(request, server).unwrap();
    let mut buffer = vec![0; 65_535];
    let (length, _) = socket.recv_from(&mut buffer).ok()?;
    buffer.truncate(length);
    Message::from_octets(buffer).ok()
}

/// What a user of a resolver gets for a name: the rcode, and whether an address came.
pub(crate) fn look_up(resolver: SocketAddr, name: &str) -> Option<(Rcode, bool)> {
    let message = ask(resolver, &question(name, Rtype::A, None))?;
    Some((message.header().rcode(), message.header_counts().ancount() > 0))
}

/// Whether a resolver answers that a name does not exist.
pub(crate) fn blocked(resolver: SocketAddr, name: &str) -> bool {
    look_up(resolver, name) == Some((Rcode::NXDOMAIN, false))
}

/// Whether a resolver gives an address.
pub(crate) fn open(resolver: SocketAddr, name: &str) -> bool {
    look_up(resolver, name) == Some((Rcode::NOERROR, true))
}

/// A serial as a server's SOA has it.
pub(crate) fn serial(server: SocketAddr, zone: &str) -> Option<u32> {
    use domain::base::ParsedName;
    let message = ask(server, &question(zone, Rtype::SOA, None))?;
    let mut answer = message.answer().ok()?.limit_to::<domain::rdata::Soa<ParsedName<_>>>();
    Some(answer.next()?.ok()?.data().serial().into_int())
}

/// One message over TCP.
pub(crate) fn send(stream: &mut TcpStream, message: &[u8]) {
    let length = u16::try_from(message.len()).unwrap().to_be_bytes();
    stream.write_all(&[&length, message].concat()).unwrap();
}

/// The next message over TCP.
pub(crate) fn receive(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message).ok()?;
    Some(message)
}
