//! Times look-ups in a table of addresses: `address_speed assets/addresses.bin`.
#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;

use model::asn::Table;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: address_speed TABLE")?;
    let bytes = std::fs::read(path)?;
    let start = Instant::now();
    let table = Table::read(&bytes)?;
    println!(
        "opened in {:.1} ms, ranges {:?}",
        start.elapsed().as_secs_f64() * 1e3,
        table.ranges()
    );
    // A fixed multiplicative generator: every run asks for the same addresses.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state
    };
    let four: Vec<IpAddr> =
        (0..1 << 16).map(|_| Ipv4Addr::from_bits((next() >> 32) as u32).into()).collect();
    let six: Vec<IpAddr> = (0..1 << 16)
        .map(|_| {
            // Where the registries give out: 2400::/8 to 2a0f::, by /32.
            let high = (0x2400 + (next() >> 32) % 0x0610) << 48 | next() >> 32 & 0xffff_0000_0000;
            Ipv6Addr::from_bits(u128::from(high) << 64 | u128::from(next())).into()
        })
        .collect();
    for (name, addresses) in [("IPv4", four), ("IPv6", six)] {
        let mut known = 0u64;
        let start = Instant::now();
        for _ in 0..32 {
            for ip in &addresses {
                known += u64::from(black_box(table.look_up(black_box(*ip))).is_some());
            }
        }
        let count = 32.0 * addresses.len() as f64;
        let ns = start.elapsed().as_secs_f64() * 1e9 / count;
        println!("{name}: {ns:.1} ns a look-up, {:.0}% known", 100.0 * known as f64 / count);
    }
    Ok(())
}
