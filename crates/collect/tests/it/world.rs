//! A small world on loopback: a resolver, servers that misbehave as told, and a probe that knows both.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use collect::authorisation::{Authorisation, Method};
use collect::capture::{Capture, Step};
use collect::home::ProbeHome;
use collect::probe::{Probe, Roots, now_ms};
use collect::{Bounds, Plan};
use domain::base::iana::Rcode;
use domain::base::{Message, MessageBuilder, Name, Rtype, ToName, Ttl};
use domain::rdata::{A, Aaaa, Cname, Txt};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use vault::warc::{Limits, Mode, Reader};

/// What a resolver says of names: addresses, `=alias`, or `~text`; `*.name` is of all below it that are not named.
pub(crate) type Zone = BTreeMap<&'static str, Vec<String>>;

/// What was seen by whoever serves.
pub(crate) type Seen = Arc<Mutex<Vec<String>>>;

/// A zone of pairs.
pub(crate) fn zone(of: &[(&'static str, &[&str])]) -> Zone {
    of.iter().map(|(n, a)| (*n, a.iter().map(|a| (*a).to_owned()).collect())).collect()
}

/// A resolver for a zone; names that are not there are not there. `cuts` has UDP answers cut.
pub(crate) fn resolver(zone: Zone, cuts: bool) -> (SocketAddr, Seen) {
    let seen = Seen::default();
    // A port that is free for datagrams may be another's for connections: then the next one.
    let (udp, tcp) = (0..100)
        .find_map(|_| {
            let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
            let tcp = TcpListener::bind(udp.local_addr().unwrap()).ok()?;
            Some((udp, tcp))
        })
        .unwrap();
    let address = udp.local_addr().unwrap();
    let (by_udp, of_udp, of_tcp) = (Arc::clone(&seen), zone.clone(), zone);
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok((n, from)) = udp.recv_from(&mut buffer) {
            // What answers another question must be passed over.
            let mut other = buffer[..n].to_vec();
            (other[1], other[2]) = (other[1] ^ 1, other[2] | 0x80);
            udp.send_to(&other, from).unwrap();
            let answer = answered(&of_udp, &buffer[..n], cuts, Some(&by_udp));
            udp.send_to(&answer, from).unwrap();
        }
    });
    thread::spawn(move || {
        for stream in tcp.incoming().flatten() {
            let mut stream: TcpStream = stream;
            let mut length = [0; 2];
            stream.read_exact(&mut length).unwrap();
            let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut question).unwrap();
            let answer = answered(&of_tcp, &question, false, None);
            let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
            stream.write_all(&[&length[..], &answer].concat()).unwrap();
        }
    });
    (address, seen)
}

/// What a zone says of a name.
fn of_zone<'a>(zone: &'a Zone, name: &str) -> Option<&'a Vec<String>> {
    let wild = || zone.get(format!("*.{}", name.split_once('.')?.1).as_str());
    zone.get(name).or_else(wild)
}

fn answered(zone: &Zone, question: &[u8], cut: bool, seen: Option<&Seen>) -> Vec<u8> {
    let message = Message::from_octets(question).unwrap();
    let asked = message.sole_question().unwrap();
    let (mut at, ask): (Name<Vec<u8>>, _) = (asked.qname().to_name(), asked.qtype());
    if let Some(seen) = seen {
        seen.lock().unwrap().push(format!("{at} {ask}"));
    }
    let known = of_zone(zone, &at.to_string()).is_some();
    let rcode = if known { Rcode::NOERROR } else { Rcode::NXDOMAIN };
    let mut builder = MessageBuilder::new_vec().start_answer(&message, rcode).unwrap();
    if cut {
        builder.header_mut().set_tc(true);
        return builder.finish();
    }
    let ttl = Ttl::from_secs(1);
    while let Some(of) = of_zone(zone, &at.to_string()) {
        let mut next = None;
        for data in of {
            if let Some(alias) = data.strip_prefix('=') {
                let alias: Name<Vec<u8>> = alias.parse().unwrap();
                builder.push((at.clone(), ttl, Cname::new(alias.clone()))).unwrap();
                next = Some(alias);
                continue;
            }
            if let Some(text) = data.strip_prefix('~') {
                if ask == Rtype::TXT {
                    let text: Txt<Vec<u8>> = Txt::build_from_slice(text.as_bytes()).unwrap();
                    builder.push((at.clone(), ttl, text)).unwrap();
                }
                continue;
            }
            match data.parse().unwrap() {
                IpAddr::V4(a) if ask == Rtype::A => {
                    builder.push((at.clone(), ttl, A::new(a))).unwrap();
                }
                IpAddr::V6(a) if ask == Rtype::AAAA => {
                    builder.push((at.clone(), ttl, Aaaa::new(a))).unwrap();
                }
                _ => {}
            }
        }
        let Some(alias) = next else { break };
        at = alias;
    }
    builder.finish()
}

/// What a server does with a request that it read.
pub(crate) type Serve = dyn Fn(&str, &mut dyn Write) + Send + Sync;

/// A plain server on an address of loopback; gives its port, and what it was asked.
pub(crate) fn server(serve: impl Fn(&str, &mut dyn Write) + Send + Sync + 'static) -> (u16, Seen) {
    let (serve, seen) = (Arc::new(serve) as Arc<Serve>, Seen::default());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let told = Arc::clone(&seen);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (serve, told) = (Arc::clone(&serve), Arc::clone(&told));
            thread::spawn(move || {
                let request = request(&mut stream);
                told.lock().unwrap().push(request.clone());
                serve(&request, &mut stream);
            });
        }
    });
    (port, seen)
}

fn request(stream: &mut dyn Read) -> String {
    let (mut bytes, mut byte) = (Vec::new(), [0]);
    while !bytes.ends_with(b"\r\n\r\n") && bytes.len() < 8192 {
        match stream.read(&mut byte) {
            Ok(1) => bytes.push(byte[0]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A certificate and its key.
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: Vec<u8>,
}

/// A server of TLS with that identity; what it was asked begins with the SNI that it was told.
pub(crate) fn tls_server(
    identity: &Identity,
    serve: impl Fn(&str, &mut dyn Write) + Send + Sync + 'static,
) -> (u16, Seen) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(identity.key.clone()));
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(identity.chain.clone(), key)
        .unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let (config, seen) = (Arc::new(config), Seen::default());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (serve, told) = (Arc::new(serve) as Arc<Serve>, Arc::clone(&seen));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (serve, told, config) =
                (Arc::clone(&serve), Arc::clone(&told), Arc::clone(&config));
            thread::spawn(move || {
                let connection = rustls::ServerConnection::new(config).unwrap();
                let mut stream = rustls::StreamOwned::new(connection, stream);
                let request = request(&mut stream);
                let sni = stream.conn.server_name().unwrap_or("-").to_owned();
                told.lock().unwrap().push(format!("{sni} {request}"));
                serve(&request, &mut stream);
                stream.conn.send_close_notify();
                let _ = stream.flush();
            });
        }
    });
    (port, seen)
}

/// An answer of 200 with a length.
pub(crate) fn ok(out: &mut dyn Write, kind: &str, body: &[u8]) {
    let length = body.len();
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n");
    let _ = out.write_all(head.as_bytes());
    let _ = out.write_all(body);
}

/// A redirect.
pub(crate) fn redirect(out: &mut dyn Write, to: &str) {
    let head = format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
    let _ = out.write_all(head.as_bytes());
}

/// Packets of a transport stream.
pub(crate) fn packets(n: usize) -> Vec<u8> {
    let mut packet = [0xff; 188];
    packet[..4].copy_from_slice(&[0x47, 0x1f, 0xff, 0x10]);
    packet.repeat(n)
}

/// An authorisation of all methods, in force, that names loopback.
pub(crate) fn authorisation(hosts: &[&str]) -> Authorisation {
    Authorisation {
        hosts: hosts.iter().map(|h| h.parse().unwrap()).collect(),
        methods: Method::ALL.into_iter().collect(),
        rate: 600,
        from_ms: 0,
        until_ms: i64::MAX,
        most_bytes: 1 << 20,
    }
}

/// Bounds that a test can wait for.
pub(crate) fn quick() -> Bounds {
    Bounds {
        total: Duration::from_secs(8),
        lookup: Duration::from_millis(400),
        connect: Duration::from_secs(2),
        handshake: Duration::from_secs(2),
        answer: Duration::from_secs(1),
        ..Bounds::default()
    }
}

/// Captures an item, and has the WARC read by the house's strict reader.
pub(crate) fn capture(item: &str, of: Authorisation, resolver: SocketAddr) -> Capture {
    capture_with(item, of, resolver, quick(), Roots::of(Vec::new()))
}

pub(crate) fn capture_with(
    item: &str,
    of: Authorisation,
    resolver: SocketAddr,
    bounds: Bounds,
    roots: Roots,
) -> Capture {
    let probe = Probe::new(resolver, bounds.clone(), roots);
    let plan = Plan::new(item.parse().unwrap(), of, bounds, [7; 32], now_ms());
    let temp = tempfile::tempdir().unwrap();
    let home = ProbeHome::open(temp.path(), "test", ledger::Wait::Fail).unwrap();
    let mut told = 0;
    let capture = probe.run(plan, &home.pacing().unwrap(), &mut |_| told += 1).unwrap();
    assert_eq!(told, capture.steps.len());
    // Each request is kept by its address, and by its name where it has one.
    let kept = std::fs::read_to_string(temp.path().join("probe/pace")).unwrap_or_default();
    let kept = kept.lines().count() as u64;
    assert!((capture.requests()..=2 * capture.requests()).contains(&kept), "{kept}");
    read(&capture.warc);
    capture
}

/// A record of a WARC, read strictly: its kind, its URI, its block's payload.
pub(crate) type Read1 = (String, String, Vec<u8>);

/// Reads a WARC strictly.
#[track_caller]
pub(crate) fn read(warc: &[u8]) -> Vec<Read1> {
    let mut reader = Reader::new(warc, Mode::Strict, Limits::default());
    let mut out = Vec::new();
    loop {
        let record = match reader.next_record() {
            Ok(Some(record)) => record,
            Ok(None) => break,
            Err(fault) => panic!("{fault}"),
        };
        let mut body = Vec::new();
        reader.payload().read_to_end(&mut body).unwrap();
        let kind = record.kind.as_str().to_owned();
        let kind = match record.field("WARC-Truncated") {
            Some(why) => format!("{kind} cut by {}", why.value),
            None => kind,
        };
        out.push((kind, record.uri.unwrap_or_default(), body));
    }
    out
}

/// Nobody.
pub(crate) fn nobody() -> SocketAddr {
    SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 9)
}

/// What was refused, as `reason uri`.
pub(crate) fn refused(capture: &Capture) -> Vec<String> {
    let of = |step: &Step| match step {
        Step::Refused { refusal, uri, .. } => Some(format!("{} {uri}", refusal.word())),
        _ => None,
    };
    capture.steps.iter().filter_map(of).collect()
}

/// What was asked, as `status end uri`.
pub(crate) fn asked(capture: &Capture) -> Vec<String> {
    let of = |step: &Step| match step {
        Step::Asked { status, end, uri, .. } => {
            let status = status.map_or("-".to_owned(), |s| s.to_string());
            Some(format!("{status} {} {uri}", end.word()))
        }
        _ => None,
    };
    capture.steps.iter().filter_map(of).collect()
}
