//! One question to one resolver: by UDP, then by TCP where the answer was cut.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout_at};

use super::now_ms;
use crate::bounds::Bounds;
use crate::dns::{Answer, answer, question};
use crate::plan::{Looked, Lookup};

/// The resolver that a machine uses, by its `/etc/resolv.conf`: the first one named there.
pub fn resolver_of(conf: &str) -> Option<SocketAddr> {
    conf.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let named = words.next() == Some("nameserver");
        let address: IpAddr = words.next().filter(|_| named)?.parse().ok()?;
        Some(SocketAddr::new(address, 53))
    })
}

/// Asks, and gives what came: its bytes, and what they say or what is wrong.
pub(super) async fn look(
    resolver: SocketAddr,
    lookup: &Lookup,
    bounds: &Bounds,
    deadline: Instant,
) -> Looked {
    let at_ms = now_ms();
    let (bytes, answer) = match asked(resolver, lookup, bounds, deadline).await {
        Ok((bytes, answer)) => (bytes, Ok(answer)),
        Err(problem) => (Vec::new(), Err(problem)),
    };
    Looked { at_ms, resolver, bytes, answer }
}

async fn asked(
    resolver: SocketAddr,
    lookup: &Lookup,
    bounds: &Bounds,
    deadline: Instant,
) -> Result<(Vec<u8>, Answer), String> {
    let mut last = "no answer in time".to_owned();
    for _ in 0..bounds.lookups.max(1) {
        // A fresh id and a fresh port each time: whoever wants to answer instead must guess both.
        let id = random_id().map_err(|e| e.to_string())?;
        let question = question(id, &lookup.name, lookup.ask).map_err(|e| e.to_string())?;
        let until = deadline.min(Instant::now() + bounds.lookup);
        match timeout_at(until, by_udp(resolver, &question)).await {
            Ok(Ok((_, answer))) if answer.cut => {
                let until = deadline.min(Instant::now() + bounds.lookup);
                match timeout_at(until, by_tcp(resolver, &question)).await {
                    Ok(Ok(found)) => return Ok(found),
                    Ok(Err(error)) => last = error.to_string(),
                    Err(_) => last = "no answer by TCP in time".to_owned(),
                }
            }
            Ok(Ok(found)) => return Ok(found),
            Ok(Err(error)) => last = error.kind().to_string(),
            Err(_) => last = "no answer in time".to_owned(),
        }
    }
    Err(last)
}

fn random_id() -> io::Result<u16> {
    let mut bytes = [0; 2];
    getrandom::fill(&mut bytes).map_err(|e| io::Error::other(e.to_string()))?;
    Ok(u16::from_be_bytes(bytes))
}

async fn by_udp(resolver: SocketAddr, question: &[u8]) -> io::Result<(Vec<u8>, Answer)> {
    let any: IpAddr = match resolver {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(resolver).await?;
    socket.send(question).await?;
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        let n = socket.recv(&mut buffer).await?;
        // What answers another question is no answer: the right one may come yet.
        if let Ok(found) = answer(question, &buffer[..n]) {
            return Ok((buffer[..n].to_vec(), found));
        }
    }
}

async fn by_tcp(resolver: SocketAddr, question: &[u8]) -> io::Result<(Vec<u8>, Answer)> {
    let mut stream = TcpStream::connect(resolver).await?;
    let length = u16::try_from(question.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes()[..], question].concat()).await?;
    let length = stream.read_u16().await?;
    let mut bytes = vec![0; usize::from(length)];
    stream.read_exact(&mut bytes).await?;
    let found = answer(question, &bytes).map_err(io::Error::other)?;
    Ok((bytes, found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_resolver_named_is_taken() {
        let conf = "# nameserver 192.0.2.9\nsearch example\nnameserver x\nnameserver 192.0.2.1\nnameserver ::1\n";
        assert_eq!(resolver_of(conf), Some("192.0.2.1:53".parse().unwrap()));
        assert_eq!(resolver_of("nameserver ::1"), Some("[::1]:53".parse().unwrap()));
        assert_eq!(resolver_of(""), None);
    }
}
