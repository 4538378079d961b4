//! Whatever the world answers, a capture keeps within its authorisation and its bounds, and ends. No socket is
//! opened here: the plan is asked, and told.

use std::collections::BTreeMap;
use std::net::IpAddr;

use collect::authorisation::{Authorisation, Method};
use collect::dns::Answer;
use collect::http::Reading;
use collect::pace::{Pace, WINDOW_MS};
use collect::plan::{Fetched, Looked, Next, Stop};
use collect::special::special;
use collect::{Bounds, Plan};
use proptest::prelude::*;

use crate::world::read;

const URLS: [&str; 10] = [
    "/next",
    "http://tv.example/a",
    "https://tv.example:8443/b",
    "http://a.cdn.example/c",
    "http://other.example/d",
    "http://127.0.0.1/e",
    "http://192.168.0.1/f",
    "http://[::ffff:10.0.0.1]/g",
    "http://user@tv.example/",
    "gopher://tv.example/",
];
const ADDRESSES: [&str; 7] =
    ["1.1.1.1", "9.9.9.9", "127.0.0.1", "10.0.0.1", "198.18.0.7", "::1", "2606:4700::1111"];
const ITEMS: [&str; 6] = [
    "http://tv.example/",
    "tv.example",
    "a.cdn.example:80",
    "198.18.0.7",
    "198.18.0.7:8080",
    "1.1.1.1",
];

/// A world that does what its bytes say.
struct World<'a>(std::slice::Iter<'a, u8>);

impl World<'_> {
    fn byte(&mut self) -> usize {
        self.0.next().copied().unwrap_or(0).into()
    }

    fn url(&mut self) -> &'static str {
        URLS[self.byte() % URLS.len()]
    }

    fn answer(&mut self) -> Vec<u8> {
        match self.byte() % 7 {
            0 => b"not http".to_vec(),
            1 => format!("HTTP/1.1 302 F\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", self.url())
                .into(),
            2 => {
                let (a, b) = (self.url(), self.url());
                let body =
                    format!("#EXTM3U\n#EXT-X-STREAM-INF:B=1\n{a}\n#EXT-X-STREAM-INF:B=2\n{b}\n");
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into()
            }
            3 => {
                let (a, b) = (self.url(), self.url());
                let body =
                    format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MAP:URI=\"{a}\"\n{b}\n");
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into()
            }
            4 => [&b"HTTP/1.1 200 OK\r\n\r\n"[..], &vec![0x47; self.byte() * 20]].concat(),
            5 => b"HTTP/1.1 404 No\r\nContent-Length: 50\r\n\r\ncut".to_vec(),
            _ => Vec::new(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]
    #[test]
    fn no_world_leads_a_capture_astray(
        bytes in prop::collection::vec(any::<u8>(), 0..120),
        item in prop::sample::select(&ITEMS[..]),
        rate in 1u32..5,
        most_bytes in 0u64..3000,
        methods in prop::collection::btree_set(prop::sample::select(&Method::ALL[..]), 1..=3),
        lasts in 0i64..100_000,
    ) {
        let hosts = ["tv.example", "*.cdn.example", "198.18.0.0/15:8000-8099", "198.18.0.7", "1.1.1.0/24"];
        let hosts = hosts.iter().map(|h| h.parse().unwrap()).collect();
        let of = Authorisation { hosts, methods, rate, from_ms: 0, until_ms: lasts, most_bytes };
        let bounds = Bounds { requests: 9, document: 2000, ..Bounds::default() };
        let mut world = World(bytes.iter());
        let mut now = 0;
        let mut pace = Pace::default();
        let mut plan = Plan::new(item.parse().unwrap(), of.clone(), bounds, [7; 32], now);
        let mut left: BTreeMap<IpAddr, Vec<i64>> = BTreeMap::new();
        let (mut turns, mut requests) = (0, 0);
        loop {
            turns += 1;
            prop_assert!(turns < 500, "it does not end");
            now += world.byte() as i64 * 20;
            match plan.next(now, &mut pace) {
                Next::Done => break,
                Next::Wait(until) => {
                    prop_assert!(until > now && until < 60_000);
                    now = until;
                }
                Next::Look(lookup) => {
                    prop_assert!(now < lasts);
                    prop_assert!(lookup.name == "tv.example" || lookup.name.ends_with(".cdn.example"));
                    let n = world.byte() % 4;
                    let addresses = (0..n).map(|_| ADDRESSES[world.byte() % 7].parse().unwrap());
                    let code = "NOERROR".to_owned();
                    let answer = Answer { code, addresses: addresses.collect(), ..Answer::default() };
                    let resolver = "192.0.2.1:53".parse().unwrap();
                    plan.resolved(Looked { at_ms: now, resolver, bytes: vec![1], answer: Ok(answer) });
                }
                Next::Fetch(fetch) => {
                    let (ip, port) = (fetch.address.ip(), fetch.address.port());
                    requests += 1;
                    prop_assert!(now < lasts && requests <= 9);
                    let named = of.hosts.iter().any(|r| r.names_special(ip, port));
                    prop_assert!(special(ip).is_none() || named, "{ip}");
                    prop_assert!([80, 443].contains(&port) || (8000..=8099).contains(&port));
                    prop_assert!(fetch.most as u64 <= most_bytes && most_bytes > 0);
                    let times = left.entry(ip).or_default();
                    times.push(now);
                    let recent = times.iter().filter(|at| **at > now - WINDOW_MS).count();
                    prop_assert!(recent <= rate as usize);
                    let (stop, reading) = match world.byte() % 5 {
                        0 => (Some(Stop::NoConnection("refused".into())), None),
                        1 => (Some(Stop::TimedOut), None),
                        2 => (Some(Stop::NoTls("none".into())), None),
                        _ => {
                            let mut reading = Reading::new(fetch.most);
                            reading.push(&world.answer());
                            reading.close(true);
                            (Some(Stop::Gone), Some(reading))
                        }
                    };
                    plan.fetched(Fetched { started_ms: now, ended_ms: now, tls: None, reading, stop });
                }
            }
        }
        let capture = plan.finish(now);
        prop_assert_eq!(capture.requests(), requests);
        read(&capture.warc);
        prop_assert_eq!(capture.is_empty(), capture.addresses().is_empty() && left.is_empty()
            && !capture.steps.iter().any(|s| matches!(s, collect::capture::Step::Looked { .. })));
    }
}
