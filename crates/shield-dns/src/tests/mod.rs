//! The cores without sockets: the store, messages, who may, what is told when.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod access;
mod messages;
mod notify;
mod own;
mod signatures;
mod store;

use std::net::IpAddr;

use crate::{Access, Asker, Client, Fqdn, Layout, Timers, Zones};

fn layout() -> Layout {
    Layout {
        suffix: "rpz.test".to_owned(),
        contact: "noc.vigie.test".to_owned(),
        timers: Timers::default(),
        catalog: true,
    }
}

fn zones(now: u64) -> Zones {
    Zones::new(&layout(), now).unwrap()
}

fn fqdns<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<Fqdn> {
    names.into_iter().map(|name| name.parse().unwrap()).collect()
}

fn asker() -> Asker {
    Asker { peer: IpAddr::from([127, 0, 0, 1]), tls: false, key: None }
}

/// Lets loopback in, unsigned.
fn loopback() -> Access {
    let addresses = vec!["127.0.0.0/8".parse().unwrap()];
    Access::new(vec![Client { addresses, ..Client::default() }]).unwrap()
}

/// Names as a list has them: `count` random labels under real domains, where these are at hand.
fn many(count: usize) -> Vec<Fqdn> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared =
        std::env::var_os("VIGIE_SHARED").map_or_else(|| root.join("../../../shared"), Into::into);
    let list = shared.join("data/blocking/piracy-shield/fqdns.txt");
    let text = std::fs::read_to_string(&list).unwrap_or_else(|_| {
        eprintln!("SKIPPED: real names ({} is not there); made-up ones instead", list.display());
        (0..30_000).map(|n| format!("site-{n}.example{}.test\n", n % 7_000)).collect()
    });
    let domains: Vec<_> = text
        .lines()
        .filter_map(|line| line.rsplitn(3, '.').take(2).collect::<Vec<_>>().try_into().ok())
        .map(|[top, second]: [&str; 2]| format!("{second}.{top}"))
        .collect();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut made = std::collections::BTreeSet::new();
    while made.len() < count {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let domain = &domains[(state >> 33) as usize % domains.len()];
        if let Ok(name) = format!("{:09x}.{domain}", (state >> 28) & 0xf_ffff_ffff).parse::<Fqdn>()
        {
            made.insert(name);
        }
    }
    made.into_iter().collect()
}
