//! One round of questions to one resolver, as a stub asks.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use collect::dns::{Answer, Ask, answer, question};
use shield::measure::said::Said;
use shield::measure::wire::MAX_ROUND;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// A round's questions leave within this: no burst, and all within a second of their control.
const SPREAD: Duration = Duration::from_millis(400);
/// The longest UDP answer that is read.
const MAX_UDP: usize = 4_096;

/// What is asked, and how.
#[derive(Debug, Clone)]
pub struct Resolver {
    /// Where.
    pub address: SocketAddr,
    /// How long one question may take, both of its address families together.
    pub patience: Duration,
    /// Addresses of the ISP's block page.
    pub pages: Arc<[IpAddr]>,
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The name.
    pub name: String,
    /// What was said.
    pub said: Said,
    /// The first address, where it is open.
    pub address: Option<IpAddr>,
    /// When.
    pub at: Instant,
}

impl Resolver {
    /// Asks each name once, by TCP alone or as stubs do; what came, in the order it came. At most
    /// [`MAX_ROUND`] names.
    pub async fn round(&self, names: &[String], tcp: bool) -> Vec<Heard> {
        let mut asked = JoinSet::new();
        let many = u32::try_from(names.len().clamp(1, MAX_ROUND)).unwrap_or(1);
        for (n, name) in (0_u32..).zip(names.iter().take(MAX_ROUND)) {
            let (resolver, name) = (self.clone(), name.clone());
            asked.spawn(async move {
                tokio::time::sleep(SPREAD * n / many).await;
                let said = timeout(resolver.patience, resolver.said(&name, tcp)).await;
                let (said, address) = match said {
                    Ok(Ok(said)) => said,
                    Ok(Err(_)) | Err(_) => (Said::Nothing, None),
                };
                Heard { name, said, address, at: Instant::now() }
            });
        }
        let mut heard = Vec::with_capacity(names.len());
        while let Some(one) = asked.join_next().await {
            heard.extend(one);
        }
        heard
    }

    /// IPv4 first; IPv6 where the name has none.
    async fn said(&self, name: &str, tcp: bool) -> io::Result<(Said, Option<IpAddr>)> {
        let first = self.read(&self.asked(name, Ask::A, tcp).await?);
        if first.0 != Said::Empty {
            return Ok(first);
        }
        Ok(self.read(&self.asked(name, Ask::Aaaa, tcp).await?))
    }

    async fn asked(&self, name: &str, ask: Ask, tcp: bool) -> io::Result<Answer> {
        let mut id = [0; 2];
        getrandom::fill(&mut id).map_err(|e| io::Error::other(e.to_string()))?;
        let question = question(u16::from_be_bytes(id), name, ask).map_err(io::Error::other)?;
        if !tcp {
            let answer = self.by_udp(&question).await?;
            if !answer.cut {
                return Ok(answer);
            }
        }
        self.by_tcp(&question).await
    }

    async fn by_udp(&self, question: &[u8]) -> io::Result<Answer> {
        let any: IpAddr = match self.address {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        // A port of its own each time: whoever wants to answer instead has to guess it.
        let socket = UdpSocket::bind((any, 0)).await?;
        socket.connect(self.address).await?;
        socket.send(question).await?;
        let mut buffer = vec![0; MAX_UDP];
        loop {
            let n = socket.recv(&mut buffer).await?;
            // What answers another question is no answer: the right one may come yet.
            if let Ok(found) = answer(question, buffer.get(..n).unwrap_or_default()) {
                return Ok(found);
            }
        }
    }

    async fn by_tcp(&self, question: &[u8]) -> io::Result<Answer> {
        let mut stream = TcpStream::connect(self.address).await?;
        let length = u16::try_from(question.len()).map_err(io::Error::other)?;
        stream.write_all(&[&length.to_be_bytes()[..], question].concat()).await?;
        let length = stream.read_u16().await?;
        let mut bytes = vec![0; usize::from(length)];
        stream.read_exact(&mut bytes).await?;
        answer(question, &bytes).map_err(io::Error::other)
    }

    /// What an answer says, in a word.
    fn read(&self, answer: &Answer) -> (Said, Option<IpAddr>) {
        let said = match answer.code.as_str() {
            "NXDOMAIN" => Said::NoSuchName,
            "REFUSED" => Said::Refused,
            "NOERROR" => match answer.addresses.first() {
                None => Said::Empty,
                Some(_) if answer.addresses.iter().any(|ip| self.pages.contains(ip)) => Said::Page,
                Some(_) if answer.addresses.iter().all(IpAddr::is_unspecified) => Said::Sinkhole,
                Some(first) => return (Said::Open, Some(*first)),
            },
            _ => Said::Failed,
        };
        (said, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolver(address: SocketAddr) -> Resolver {
        let pages = ["192.0.2.99".parse().unwrap()].into();
        Resolver { address, patience: Duration::from_millis(300), pages }
    }

    fn said(code: &str, addresses: &[&str]) -> Said {
        let addresses = addresses.iter().map(|ip| ip.parse().unwrap()).collect();
        let answer = Answer { code: code.into(), addresses, ..Answer::default() };
        resolver("127.0.0.1:9".parse().unwrap()).read(&answer).0
    }

    #[test]
    fn every_answer_has_its_word() {
        assert_eq!(said("NXDOMAIN", &[]), Said::NoSuchName);
        assert_eq!(said("REFUSED", &[]), Said::Refused);
        assert_eq!(said("SERVFAIL", &[]), Said::Failed);
        assert_eq!(said("NOERROR", &[]), Said::Empty);
        assert_eq!(said("NOERROR", &["0.0.0.0"]), Said::Sinkhole);
        assert_eq!(said("NOERROR", &["::"]), Said::Sinkhole);
        assert_eq!(said("NOERROR", &["192.0.2.99"]), Said::Page);
        assert_eq!(said("NOERROR", &["0.0.0.0", "192.0.2.1"]), Said::Open);
    }

    /// Answers A with NXDOMAIN for names that begin with `x`, nothing for `s`, else an address.
    async fn upstream() -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut buffer = [0; 512];
            while let Ok((n, from)) = socket.recv_from(&mut buffer).await {
                let query = &buffer[..n];
                let end = query.windows(5).position(|w| w == [0, 0, 1, 0, 1]).map(|at| at + 5);
                let (first, Some(end)) = (query[13], end) else { continue };
                if first == b's' {
                    continue;
                }
                let (code, many) = if first == b'x' { (3, 0) } else { (0, 1) };
                let head = [0x81, 0x80 | code, 0, 1, 0, many, 0, 0, 0, 0];
                let mut reply = [&query[..2], &head[..], &query[12..end]].concat();
                if many == 1 {
                    reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 192, 0, 2, 80]);
                }
                let _ = socket.send_to(&reply, from).await;
            }
        });
        address
    }

    #[tokio::test]
    async fn a_round_asks_each_name_and_silence_delays_no_other() {
        let resolver = resolver(upstream().await);
        let names = ["x.example.net", "silent.example.net", "open.example.net"];
        let begun = Instant::now();
        let mut heard = resolver.round(&names.map(str::to_owned), false).await;
        assert!(begun.elapsed() < Duration::from_secs(2));
        heard.sort_by(|a, b| a.name.cmp(&b.name));
        let said: Vec<_> = heard.iter().map(|one| (one.said, one.address)).collect();
        let address = "192.0.2.80".parse().ok();
        assert_eq!(said, [(Said::Open, address), (Said::Nothing, None), (Said::NoSuchName, None)]);
        // Nobody is there by TCP.
        let by_tcp = resolver.round(&["open.example.net".to_owned()], true).await;
        assert_eq!(by_tcp[0].said, Said::Nothing);
    }
}
