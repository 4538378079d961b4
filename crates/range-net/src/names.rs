//! The night's names, as the internet's servers would answer for them: one server for the root and all below it.

use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::base::iana::{Class, Rcode, Rtype};
use domain::base::{Message, MessageBuilder, Name, Serial, ToName, Ttl};
use domain::rdata::{A, Aaaa, Soa, Txt};
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

/// The longest text of a record, as DNS has it.
const MAX_TEXT: u64 = 255;

/// What the names' server knows.
#[derive(Debug, Clone)]
pub(crate) struct Zone {
    pub(crate) night: Arc<Night>,
    /// Where holders of names put their own texts: a file `NAME`, whose first line is the TXT record of that
    /// name. So whoever plays a name's holder can show that they control it.
    pub(crate) texts: PathBuf,
}

impl Zone {
    /// The TXT record of a name, read anew each time.
    fn text(&self, name: &str) -> Option<String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
            return None;
        }
        let mut text = String::new();
        let file = File::open(self.texts.join(name)).ok()?;
        file.take(MAX_TEXT + 1).read_to_string(&mut text).ok()?;
        let line = text.lines().next()?.trim();
        (!line.is_empty() && line.len() as u64 <= MAX_TEXT).then(|| line.to_owned())
    }
}

/// The answer to one message; `None` where it is no question.
pub(crate) fn answer(zone: &Zone, bytes: &[u8]) -> Option<Vec<u8>> {
    let night = &zone.night;
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
            let shown = zone.text(&text);
            let known =
                address.is_some() || shown.is_some() || night.is_above(text.trim_end_matches('.'));
            let rcode = if known { Rcode::NOERROR } else { Rcode::NXDOMAIN };
            (Some((name, asked.qtype(), address, shown)), rcode)
        }
    };
    let mut builder = MessageBuilder::new_vec().start_answer(&message, rcode).ok()?;
    builder.header_mut().set_aa(true);
    // Resolvers that forward here want to hear it.
    builder.header_mut().set_ra(true);
    let Some((name, kind, address, shown)) = asked else { return Some(builder.finish()) };
    let ttl = Ttl::from_secs(TTL);
    if let (Rtype::TXT, Some(text)) = (kind, shown) {
        builder.push((&name, ttl, Txt::<Vec<u8>>::build_from_slice(text.as_bytes()).ok()?)).ok()?;
        return Some(builder.finish());
    }
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
pub(crate) async fn datagrams(socket: UdpSocket, zone: Zone) {
    let mut buffer = [0; MAX_QUESTION];
    loop {
        let (length, from): (usize, SocketAddr) = match socket.recv_from(&mut buffer).await {
            Ok(came) => came,
            // Somebody before went away; the next one is answered.
            Err(_) => continue,
        };
        if let Some(answer) = buffer.get(..length).and_then(|bytes| answer(&zone, bytes)) {
            let _ = socket.send_to(&answer, from).await;
        }
    }
}

/// Answers over TCP, for ever.
pub(crate) async fn streams(listener: TcpListener, zone: Zone) {
    let room = Arc::new(Semaphore::new(STREAMS));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let zone = zone.clone();
        tokio::spawn(async move {
            let _ = tokio::time::timeout(LIFE, conversation(stream, &zone)).await;
            drop(permit);
        });
    }
}

async fn conversation(mut stream: TcpStream, zone: &Zone) -> std::io::Result<()> {
    loop {
        let length = usize::from(stream.read_u16().await?);
        if length > MAX_QUESTION {
            return Ok(());
        }
        let mut question = vec![0; length];
        stream.read_exact(&mut question).await?;
        let Some(answer) = answer(zone, &question) else { return Ok(()) };
        let Ok(length) = u16::try_from(answer.len()) else { return Ok(()) };
        stream.write_all(&[&length.to_be_bytes(), answer.as_slice()].concat()).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone() -> Zone {
        Zone { night: Arc::new(Night::new(1, 1)), texts: "/nonexistent".into() }
    }

    fn asked(name: &str, kind: Rtype) -> Vec<u8> {
        let mut question = MessageBuilder::new_vec().question();
        question.push((name.parse::<Name<Vec<u8>>>().unwrap(), kind)).unwrap();
        question.finish()
    }

    fn answered(name: &str, kind: Rtype) -> (Rcode, u16, u16) {
        let bytes = answer(&zone(), &asked(name, kind)).unwrap();
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
    fn whoever_holds_a_name_shows_a_text_at_it() {
        let work = tempfile::tempdir().unwrap();
        let zone = Zone { texts: work.path().join("txt"), ..zone() };
        let shown = |name: &str| {
            let bytes = answer(&zone, &asked(name, Rtype::TXT)).unwrap();
            let message = Message::from_octets(bytes).unwrap();
            let mut answers = message.answer().unwrap().limit_to::<Txt<_>>();
            answers.next().map(|txt| txt.unwrap().data().text::<Vec<u8>>())
        };
        let name = "_vigie-challenge.news.example";
        assert_eq!(shown(name), None);
        ledger::disk::create_dir(&zone.texts).unwrap();
        ledger::disk::write(&zone.texts.join(name), b"abc\nmore\n").unwrap();
        ledger::disk::write(&work.path().join("secret"), b"not of a zone\n").unwrap();
        assert_eq!(shown(name), Some(b"abc".to_vec()));
        assert_eq!(shown(&name.to_uppercase()), Some(b"abc".to_vec()));
        ledger::disk::write(&zone.texts.join(name), &[b'x'; 400]).unwrap();
        assert_eq!(shown(name), None, "longer than a text may be");
        for other in ["a/../../secret", "..\\/secret"] {
            assert_eq!(zone.text(other), None);
        }
    }

    #[test]
    fn what_is_no_question_is_not_answered() {
        let night = zone();
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
