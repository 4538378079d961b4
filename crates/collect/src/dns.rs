//! DNS questions and what came back: pure over bytes. The answer's own bytes are the evidence; what is
//! read out of them here only says where to connect.

use std::net::IpAddr;

use domain::base::iana::Rcode;
use domain::base::{Message, MessageBuilder, Name, Rtype, ToName};
use domain::rdata::{A, Aaaa, Cname, Txt};

/// Most addresses and aliases that are taken out of one answer.
pub const MAX_RECORDS: usize = 64;
/// Most bytes of one text.
pub const MAX_TEXT: usize = 1024;
/// The UDP payload that we say we take (as the DNS flag day 2020 has it).
const UDP: u16 = 1232;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ask {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// Texts.
    Txt,
}

impl Ask {
    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Txt => "TXT",
        }
    }

    fn rtype(self) -> Rtype {
        match self {
            Self::A => Rtype::A,
            Self::Aaaa => Rtype::AAAA,
            Self::Txt => Rtype::TXT,
        }
    }
}

/// What a resolver said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// The response code, such as `NOERROR` or `NXDOMAIN`.
    pub code: String,
    /// True where there is no such name.
    pub no_such_name: bool,
    /// True where it was cut for UDP: ask again by TCP.
    pub cut: bool,
    /// The aliases followed, in order; the name asked for is not one.
    pub aliases: Vec<String>,
    /// The addresses at the end of them, in the answer's order.
    pub addresses: Vec<IpAddr>,
    /// The texts there, each in one piece (RFC 7208, 3.3), with marks in place of what is not UTF-8.
    pub texts: Vec<String>,
    /// True where there were more texts than are taken, or longer ones.
    pub too_much: bool,
}

/// Why bytes are no answer to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DnsError {
    /// The name cannot be asked for.
    #[error("the name cannot be asked for by DNS")]
    Name,
    /// Not a DNS message.
    #[error("not a DNS message")]
    Shape,
    /// The answer to another question.
    #[error("the answer to another question")]
    Other,
}

/// The bytes of a question.
///
/// # Errors
/// A name that DNS cannot carry.
pub fn question(id: u16, name: &str, ask: Ask) -> Result<Vec<u8>, DnsError> {
    let name: Name<Vec<u8>> = name.parse().map_err(|_| DnsError::Name)?;
    let mut builder = MessageBuilder::new_vec();
    builder.header_mut().set_id(id);
    builder.header_mut().set_rd(true);
    let mut builder = builder.question();
    builder.push((name, ask.rtype())).map_err(|_| DnsError::Name)?;
    let mut builder = builder.additional();
    builder
        .opt(|opt| {
            opt.set_udp_payload_size(UDP);
            Ok(())
        })
        .map_err(|_| DnsError::Name)?;
    Ok(builder.finish())
}

/// Reads the answer to a question.
///
/// # Errors
/// What is none, or another's.
pub fn answer(question: &[u8], bytes: &[u8]) -> Result<Answer, DnsError> {
    let shape = |_| DnsError::Shape;
    let asked = Message::from_octets(question).map_err(shape)?;
    let found = Message::from_octets(bytes).map_err(shape)?;
    let header = found.header();
    if !header.qr() || header.id() != asked.header().id() {
        return Err(DnsError::Other);
    }
    let theirs = found.sole_question().map_err(|_| DnsError::Other)?;
    let own = asked.sole_question().map_err(|_| DnsError::Shape)?;
    if !theirs.qname().name_eq(own.qname()) || theirs.qtype() != own.qtype() {
        return Err(DnsError::Other);
    }
    let mut out = Answer {
        code: header.rcode().to_string(),
        no_such_name: header.rcode() == Rcode::NXDOMAIN,
        cut: header.tc(),
        ..Answer::default()
    };
    let section = found.answer().map_err(|_| DnsError::Shape)?;
    // Each alias is looked for anew, since answers may come in any order; the bound ends loops.
    let mut at: Name<Vec<u8>> = own.qname().to_name();
    'chain: for _ in 0..MAX_RECORDS {
        for record in section.limit_to::<Cname<_>>().take(4 * MAX_RECORDS) {
            let Ok(record) = record else { continue };
            if record.owner().name_eq(&at) {
                at = record.data().cname().to_name();
                out.aliases.push(at.to_string().to_ascii_lowercase());
                continue 'chain;
            }
        }
        break;
    }
    for record in section.limit_to::<A>().take(4 * MAX_RECORDS).flatten() {
        if record.owner().name_eq(&at) && out.addresses.len() < MAX_RECORDS {
            out.addresses.push(record.data().addr().into());
        }
    }
    for record in section.limit_to::<Aaaa>().take(4 * MAX_RECORDS).flatten() {
        if record.owner().name_eq(&at) && out.addresses.len() < MAX_RECORDS {
            out.addresses.push(record.data().addr().into());
        }
    }
    for record in section.limit_to::<Txt<_>>().take(4 * MAX_RECORDS).flatten() {
        if !record.owner().name_eq(&at) {
            continue;
        }
        // A record has 64 KiB at most, as its message has.
        let text: Vec<u8> = record.data().text();
        if text.len() > MAX_TEXT || out.texts.len() >= MAX_RECORDS {
            out.too_much = true;
        } else {
            out.texts.push(String::from_utf8_lossy(&text).into_owned());
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use domain::base::Ttl;
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> Name<Vec<u8>> {
        text.parse().unwrap()
    }

    fn answered(asked: &[u8], of: &[(&str, &str)], rcode: Rcode) -> Vec<u8> {
        let asked = Message::from_octets(asked).unwrap();
        let mut builder = MessageBuilder::new_vec().start_answer(&asked, rcode).unwrap();
        for (owner, data) in of {
            match data.parse::<Ipv4Addr>() {
                Ok(a) => builder.push((name(owner), Ttl::from_secs(5), A::new(a))).unwrap(),
                Err(_) => {
                    builder.push((name(owner), Ttl::from_secs(5), Cname::new(name(data)))).unwrap();
                }
            }
        }
        builder.finish()
    }

    #[test]
    fn aliases_are_followed_and_other_names_are_not() {
        let asked = question(7, "tv.example", Ask::A).unwrap();
        let of = [
            ("b.example", "198.18.0.2"),
            ("TV.example", "a.example"),
            ("other.example", "10.0.0.1"),
            ("a.example", "b.example"),
        ];
        let found = answer(&asked, &answered(&asked, &of, Rcode::NOERROR)).unwrap();
        assert_eq!(found.aliases, ["a.example", "b.example"]);
        assert_eq!(found.addresses, ["198.18.0.2".parse::<IpAddr>().unwrap()]);
        let turns = [("tv.example", "a.example"), ("a.example", "tv.example")];
        let found = answer(&asked, &answered(&asked, &turns, Rcode::NOERROR)).unwrap();
        assert_eq!((found.aliases.len(), found.addresses.len()), (MAX_RECORDS, 0));
        let none = answer(&asked, &answered(&asked, &[], Rcode::NXDOMAIN)).unwrap();
        assert!(none.no_such_name && none.code == "NXDOMAIN");
    }

    #[test]
    fn an_answer_to_something_else_is_none() {
        let asked = question(7, "tv.example", Ask::A).unwrap();
        for other in [
            question(8, "tv.example", Ask::A).unwrap(),
            question(7, "tw.example", Ask::A).unwrap(),
            question(7, "tv.example", Ask::Aaaa).unwrap(),
        ] {
            let bytes = answered(&other, &[], Rcode::NOERROR);
            assert_eq!(answer(&asked, &bytes), Err(DnsError::Other));
        }
        assert_eq!(answer(&asked, &asked), Err(DnsError::Other));
        assert_eq!(answer(&asked, b"abc"), Err(DnsError::Shape));
        assert_eq!(question(7, &"a".repeat(64), Ask::A), Err(DnsError::Name));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let asked = question(7, "tv.example", Ask::A).unwrap();
            let _ = answer(&asked, &bytes);
            let mut same = asked.clone();
            same[2] |= 0x80;
            same.extend(bytes);
            let _ = answer(&asked, &same);
        }
    }
}
