//! What `bench/shield-zone` runs: `vigie-zone-bench WHAT NAMES [LIST]`.
//!
//! `ours` and `peer` hold as many blocked names in memory, ours and the zone tree of NLnet Labs'
//! `domain`: each prints the megabytes that the process grew by, the seconds to load, and ours the
//! median and the 99th percentile of a change of one name in milliseconds. `serve` takes all zones over
//! loopback, adds a name and takes the step; then 330 clients ask for all and never read: it prints
//! seconds, milliseconds, and the greatest memory of the process in megabytes.
//!
//! The names are random labels under the registrable domains of LIST, a name a line; without it, under
//! made-up ones.
#![allow(clippy::print_stdout)]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::base::iana::{Class, Rtype};
use domain::base::{Message, MessageBuilder, Name, Serial, Ttl};
use domain::rdata::{Cname, Soa};
use domain::zonetree::types::StoredName;
use domain::zonetree::{Rrset, SharedRrset, ZoneBuilder};
use shield_dns::{Access, Bounds, Client, Fqdn, Layout, Place, Sockets, Timers, Zones, feed, serve};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (what, count, list) = match arguments.as_slice() {
        [what, count] => (what, count.parse()?, None),
        [what, count, list] => (what, count.parse()?, Some(std::fs::read_to_string(list)?)),
        _ => return Err("use: vigie-zone-bench ours|peer|serve NAMES [LIST]".into()),
    };
    let domains = domains(list);
    match what.as_str() {
        "ours" => ours(&domains, count),
        "peer" => peer(&domains, count),
        "serve" => served(&domains, count),
        _ => Err("what?".into()),
    }
}

fn domains(list: Option<String>) -> Vec<String> {
    let Some(list) = list else {
        return (0..20_000).map(|n| format!("site{n}.example{}", n % 900)).collect();
    };
    let two = |name: &str| name.rmatch_indices('.').nth(1).map_or(0, |(at, _)| at + 1);
    let mut domains: Vec<_> = list.lines().map(|name| name[two(name)..].to_owned()).collect();
    domains.sort();
    domains.dedup();
    domains.retain(|domain| format!("x.{domain}").parse::<Fqdn>().is_ok());
    domains
}

/// Names without end, none twice: the count stands in them, scrambled.
fn names(domains: &[String], from: u64) -> impl Iterator<Item = Fqdn> {
    (from..).filter_map(move |n| {
        // An odd factor permutes the 48 bits.
        let label = n.wrapping_mul(0x5851_f42d_4c95_7f2d) & 0xffff_ffff_ffff;
        let domain = &domains[(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) as usize % domains.len()];
        format!("{}.{domain}", base36(label)).parse().ok()
    })
}

fn base36(mut n: u64) -> String {
    let mut text = String::new();
    for _ in 0..9 {
        text.push(char::from(b"0123456789abcdefghijklmnopqrstuvwxyz"[(n % 36) as usize]));
        n /= 36;
    }
    text
}

/// A line of the process's state, in megabytes.
fn memory(line: &str) -> Outcome<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let found = status.lines().find_map(|l| l.strip_prefix(line)).ok_or("no such line")?;
    let kib: f64 = found.trim_matches([':', ' ', '\t']).trim_end_matches(" kB").parse()?;
    Ok(kib * 1024.0 / 1e6)
}

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

/// The zones with so many names, loaded in lists of a hundred thousand.
fn load(domains: &[String], count: usize) -> Outcome<Zones> {
    let (suffix, contact) = ("rpz.bench".to_owned(), "noc.bench".to_owned());
    let layout = Layout { suffix, contact, timers: Timers::default(), catalog: true };
    let mut zones = Zones::new(&layout, now() - 1_000_000)?;
    let mut names = names(domains, 0).take(count);
    loop {
        let part: Vec<_> = names.by_ref().take(100_000).collect();
        if part.is_empty() {
            return Ok(zones);
        }
        zones.change(Place::Cold, &part, &[], 0)?;
    }
}

fn ours(domains: &[String], count: usize) -> Outcome<()> {
    let before = memory("VmRSS")?;
    let begun = Instant::now();
    let mut zones = load(domains, count)?;
    let seconds = begun.elapsed().as_secs_f64();
    let grown = memory("VmRSS")? - before;
    let mut times = Vec::new();
    for (n, name) in names(domains, 1 << 40).take(1000).enumerate() {
        let place = if n % 2 == 0 { Place::Cold } else { Place::Hot };
        let begun = Instant::now();
        zones.change(place, &[name], &[], 0)?;
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    println!("{grown:.1} {seconds:.2} {:.4} {:.4}", times[500], times[990]);
    Ok(())
}

fn peer(domains: &[String], count: usize) -> Outcome<()> {
    let before = memory("VmRSS")?;
    let begun = Instant::now();
    let mut builder = ZoneBuilder::new(Name::bytes_from_str("cold.rpz.bench")?, Class::IN);
    let target: StoredName = Name::root_bytes();
    for name in names(domains, 0).take(count) {
        let owner: StoredName = Name::bytes_from_str(&format!("{name}.cold.rpz.bench"))?;
        let mut set = Rrset::new(Rtype::CNAME, Ttl::from_secs(5));
        set.push_data(Cname::new(target.clone()).into());
        builder.insert_rrset(&owner, SharedRrset::new(set)).map_err(|_| "out of the zone")?;
    }
    let zone = builder.build();
    let seconds = begun.elapsed().as_secs_f64();
    println!("{:.1} {seconds:.2}", memory("VmRSS")? - before);
    drop(zone);
    Ok(())
}

fn request(zone: &str, kind: Rtype, serial: Option<Serial>) -> Outcome<Vec<u8>> {
    let zone = Name::<Vec<u8>>::vec_from_str(zone)?;
    let mut question = MessageBuilder::new_vec().question();
    question.push((&zone, kind))?;
    let mut authority = question.authority();
    if let Some(serial) = serial {
        let (root, t) = (Name::root_vec(), Ttl::from_secs(0));
        authority.push((&zone, t, Soa::new(root.clone(), root, serial, t, t, t, t)))?;
    }
    let message = authority.finish();
    Ok([u16::try_from(message.len())?.to_be_bytes().as_slice(), &message].concat())
}

/// Takes one answer: its records and bytes.
fn take(stream: &mut TcpStream, request: &[u8]) -> Outcome<(u64, u64)> {
    stream.write_all(request)?;
    let (mut records, mut bytes, mut soas) = (0, 0, 0);
    // The first and the last record are the SOA; a step has two more.
    let ends = if request.windows(2).any(|pair| pair == [0, 251]) { 4 } else { 2 };
    while soas < ends {
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut message)?;
        bytes += message.len() as u64;
        let message = Message::from_octets(message)?;
        records += u64::from(message.header_counts().ancount());
        for record in message.answer()? {
            soas += u32::from(record?.rtype() == Rtype::SOA);
        }
        if !message.no_error() {
            return Err(format!("{}", message.header().rcode()).into());
        }
    }
    Ok((records, bytes))
}

fn served(domains: &[String], count: usize) -> Outcome<()> {
    let mut zones = load(domains, count)?;
    let all = vec!["127.0.0.0/8".parse()?];
    let access = Access::new(vec![Client { addresses: all, ..Client::default() }])?;
    let (publisher, feed) = feed(zones.view(), access);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
    let server = listener.local_addr()?;
    let sockets = Sockets { tcp: vec![listener], ..Sockets::default() };
    let told = Arc::new(|_: &str| {});
    runtime.spawn(serve(sockets, feed, Bounds::default(), told, std::future::pending()));

    let mut stream = TcpStream::connect(server)?;
    stream.set_nodelay(true)?;
    let (mut records, mut bytes) = (0, 0);
    let begun = Instant::now();
    for n in 0..shield_dns::COLD_ZONES {
        let zone = request(&format!("cold-{n:x}.rpz.bench"), Rtype::AXFR, None)?;
        let (more, size) = take(&mut stream, &zone)?;
        (records, bytes) = (records + more, bytes + size);
    }
    let whole = begun.elapsed().as_secs_f64();
    if records != count as u64 + 3 * shield_dns::COLD_ZONES as u64 {
        return Err(format!("{records} records").into());
    }

    let mut steps = Vec::new();
    for name in names(domains, 1 << 41).take(100) {
        let zone = format!("cold-{:x}.rpz.bench", shield_dns::cold_zone(&name));
        let origin: Name<Vec<u8>> = Name::vec_from_str(&zone)?;
        let serial = zones.view().zone(&origin).ok_or("no zone")?.serial();
        let ask = request(&zone, Rtype::IXFR, Some(serial))?;
        let begun = Instant::now();
        zones.change(Place::Cold, &[name], &[], 0)?;
        publisher.zones(zones.view());
        let (records, _) = take(&mut stream, &ask)?;
        steps.push(begun.elapsed().as_secs_f64() * 1000.0);
        if records != 5 {
            return Err(format!("{records} records of a step").into());
        }
    }
    steps.sort_by(f64::total_cmp);

    // Each ISP from its own address; each asks for all sixteen at once and reads nothing.
    let mut deaf = Vec::new();
    runtime.block_on(async {
        for n in 0..330_u16 {
            let [high, low] = n.to_be_bytes();
            let socket = tokio::net::TcpSocket::new_v4()?;
            socket.bind(SocketAddr::from((Ipv4Addr::new(127, 9, high, low + 1 - low / 255), 0)))?;
            let stream = socket.connect(server).await?;
            for n in 0..shield_dns::COLD_ZONES {
                let ask = request(&format!("cold-{n:x}.rpz.bench"), Rtype::AXFR, None)?;
                stream.writable().await?;
                stream.try_write(&ask)?;
            }
            deaf.push(stream);
        }
        // Meanwhile the hot zone and steps are there at once for one who reads.
        tokio::time::sleep(Duration::from_secs(3)).await;
        Outcome::Ok(())
    })?;
    let mut reader = TcpStream::connect(server)?;
    take(&mut reader, &request("hot.rpz.bench", Rtype::AXFR, None)?)?;
    let origin: Name<Vec<u8>> = Name::vec_from_str("hot.rpz.bench")?;
    let mut waits = Vec::new();
    for name in names(domains, 1 << 42).take(100) {
        let serial = zones.view().zone(&origin).ok_or("no zone")?.serial();
        let ask = request("hot.rpz.bench", Rtype::IXFR, Some(serial))?;
        let begun = Instant::now();
        zones.change(Place::Hot, &[name], &[], 0)?;
        publisher.zones(zones.view());
        let (records, _) = take(&mut reader, &ask)?;
        waits.push(begun.elapsed().as_secs_f64() * 1000.0);
        if records != 5 {
            return Err(format!("{records} records of a step of the hot zone").into());
        }
    }
    waits.sort_by(f64::total_cmp);
    let hot = waits[98];
    std::thread::sleep(Duration::from_secs(10));
    let most = memory("VmHWM")?;
    drop(deaf);
    println!("{whole:.2} {:.1} {:.2} {hot:.3} {most:.1}", bytes as f64 / 1e6, steps[50]);
    Ok(())
}
