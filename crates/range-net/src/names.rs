//! The night's names, as the internet's servers would answer for them: one server for the root and all below it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::base::iana::{Class, Rcode, Rtype};
use domain::base::{Message, MessageBuilder, Name, Serial, ToName, Ttl};
use domain::rdata::{A, Aaaa, Soa};
use range::night::Night;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::Semaphore;

/// How long an answer may be remembered, in seconds: what changes at an ISP is seen at once.
const TTL: u32 = 5;
/// Questions over TCP at once.
const STREAMS: usize = 64;
/// The longest that a connection lives.
const LIFE: Duration = Duration::from_secs(10);
/// The longest question.
const MAX_QUESTION: usize = 1_232;

/// The answer to one message; `None` where it is no question.
pub(crate) fn answer(night: &Night, bytes: &[u8]) -> Option<Vec<u8>> {
    let message = Message::from_octets(bytes).ok()?;
    if message.header().qr() {
        return None;
    }
    let question = message.sole_question().ok();
    let rcode = match &question {
        None => Rcode::FORMERR,
        Some(asked) if asked.qclass() != Class::IN => Rcode::REFUSED,
        Some(_) => Rcode::NOERROR,
    };
    let (asked, rcode) = match question.filter(|_| rcode == Rcode::NOERROR) {
        None => (None, rcode),
        Some(asked) => {
            let name = asked.qname().to_name::<Vec<u8>>();
            let text = name.to_string();
            let address = night.address(&text);
            let known = address.is_some() || night.is_above(text.trim_end_matches('.'));
            let rcode = if known { Rcode::NOERROR } else { Rcode::NXDOMAIN };
            (Some((name, asked.qtype(), address)), rcode)
        }
    };
    let mut builder = MessageBuilder::new_vec().start_answer(&message, rcode).ok()?;
    builder.header_mut().set_aa(true);
    // Resolvers that forward here want to hear it.
    builder.header_mut().set_ra(true);
    let Some((name, kind, address)) = asked else { return Some(builder.finish()) };
    let ttl = Ttl::from_secs(TTL);
    match (kind, address) {
        (Rtype::A, Some((four, _))) => {
            builder.push((&name, ttl, A::new(four))).ok()?;
            return Some(builder.finish());
        }
        (Rtype::AAAA, Some((_, Some(six)))) => {
            builder.push((&name, ttl, Aaaa::new(six))).ok()?;
            return Some(builder.finish());
        }
        _ => {}
    }
    let mut builder = builder.authority();
    let soa = Soa::new(
        Name::<Vec<u8>>::root_vec(),
        Name::<Vec<u8>>::root_vec(),
        Serial(1),
        Ttl::from_secs(3_600),
        Ttl::from_secs(600),
        Ttl::from_secs(86_400),
        ttl,
    );
    builder.push((Name::<Vec<u8>>::root_vec(), ttl, soa)).ok()?;
    Some(builder.finish())
}

/// A question for the address of a name, which is to be looked up for who asks; `None` where it is no name.
pub(crate) fn question(name: &str) -> Option<Vec<u8>> {
    let mut builder = MessageBuilder::new_vec().question();
    builder.header_mut().set_rd(true);
    builder.push((name.parse::<Name<Vec<u8>>>().ok()?, Rtype::A)).ok()?;
    Some(builder.finish())
}

/// Answers over UDP, for ever.
pub(crate) async fn datagrams(socket: UdpSocket, night: Arc<Night>) {
    let mut buffer = [0; MAX_QUESTION];
    loop {
        let (length, from): (usize, SocketAddr) = match socket.recv_from(&mut buffer).await {
            Ok(came) => came,
            // Somebody before went away; the next one is answered.
            Err(_) => continue,
        };
        if let Some(answer) = buffer.get(..length).and_then(|bytes| answer(&night, bytes)) {
            let _ = socket.send_to(&answer, from).await;
        }
    }
}

/// Answers over TCP, for ever.
pub(crate) async fn streams(listener: TcpListener, night: Arc<Night>) {
    let room = Arc::new(Semaphore::new(STREAMS));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let night = Arc::clone(&night);
        tokio::spawn(async move {
            let _ = tokio::time::timeout(LIFE, conversation(stream, &night)).await;
            drop(permit);
        });
    }
}

async fn conversation(mut stream: TcpStream, night: &Night) -> std::io::Result<()> {
    loop {
        let length = usize::from(stream.read_u16().await?);
        if length > MAX_QUESTION {
            return Ok(());
        }
        let mut question = vec![0; length];
        stream.read_exact(&mut question).await?;
        let Some(answer) = answer(night, &question) else { return Ok(()) };
        let Ok(length) = u16::try_from(answer.len()) else { return Ok(()) };
        stream.write_all(&[&length.to_be_bytes(), answer.as_slice()].concat()).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &str, kind: Rtype) -> Vec<u8> {
        let mut question = MessageBuilder::new_vec().question();
        question.push((name.parse::<Name<Vec<u8>>>().unwrap(), kind)).unwrap();
        question.finish()
    }

    fn answered(name: &str, kind: Rtype) -> (Rcode, u16, u16) {
        let bytes = answer(&Night::new(1, 1), &asked(name, kind)).unwrap();
        let message = Message::from_octets(bytes).unwrap();
        assert!(message.header().aa() && message.header().qr());
        let counts = message.header_counts();
        (message.header().rcode(), counts.ancount(), counts.nscount())
    }

    #[test]
    fn names_are_answered_for_and_others_are_not_there() {
        let stream = Night::new(1, 1).sites[0].name.clone();
        assert_eq!(answered(&stream, Rtype::A), (Rcode::NOERROR, 1, 0));
        assert_eq!(answered(&stream.to_uppercase(), Rtype::A), (Rcode::NOERROR, 1, 0));
        assert_eq!(answered(&stream, Rtype::AAAA), (Rcode::NOERROR, 1, 0));
        assert_eq!(answered(&stream, Rtype::MX), (Rcode::NOERROR, 0, 1));
        assert_eq!(answered("example", Rtype::NS), (Rcode::NOERROR, 0, 1));
        assert_eq!(answered(".", Rtype::NS), (Rcode::NOERROR, 0, 1));
        assert_eq!(answered(&format!("x.{stream}"), Rtype::A), (Rcode::NXDOMAIN, 0, 1));
        assert_eq!(answered("vigie.it", Rtype::A), (Rcode::NXDOMAIN, 0, 1));
    }

    #[test]
    fn what_is_no_question_is_not_answered() {
        let night = Night::new(1, 1);
        let mut question = asked("news.example", Rtype::A);
        for cut in 0..12 {
            assert_eq!(answer(&night, &question[..cut]), None);
        }
        assert_eq!(answer(&night, &question[..question.len() - 3]).map(|a| a[3] & 15), Some(1));
        // Whatever stands in it, an answer is no longer than a datagram may be.
        for at in 0..question.len() {
            for octet in 0..=u8::MAX {
                let mut other = question.clone();
                other[at] = octet;
                assert!(answer(&night, &other).is_none_or(|a| a.len() < 512), "{other:?}");
            }
        }
        question[2] |= 0x80;
        assert_eq!(answer(&night, &question), None, "an answer");
    }
}
