//! The table of addresses: what is built is what is found; what is broken is refused.
#![allow(clippy::print_stderr)] // A skipped test says so aloud.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::Command;

use model::asn::{AsnError, Builder, Country, Rows, Table, Tables};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn shown(table: &Table<'_>, address: &str) -> String {
    table.look_up(ip(address)).map_or("-".to_owned(), |place| {
        let asn = place.asn.map_or("-".to_owned(), |n| n.to_string());
        format!(
            "{asn} {} {}",
            place.country.map_or("-".to_owned(), |c| c.to_string()),
            place.name()
        )
    })
}

#[test]
fn rows_of_each_sort_are_found_again() {
    let mut builder = Builder::default();
    let asn = "198.18.0.0,198.18.255.255,64500,\"Stream \"\"Plus\"\", Ltd\"\n3fff::,3fff::ffff,64501,Six\n";
    builder.csv(Rows::Asn, asn).unwrap();
    builder.csv(Rows::Country, "198.18.4.0,198.19.0.3,RO\r\n3fff::1,3fff::1,nl\n").unwrap();
    let bytes = builder.finish().unwrap();
    let table = Table::read(&bytes).unwrap();
    for (address, expected) in [
        ("198.17.255.255", "-"),
        ("198.18.0.0", "64500 - Stream \"Plus\", Ltd"),
        ("198.18.4.0", "64500 RO Stream \"Plus\", Ltd"),
        ("198.19.0.0", "- RO "),
        ("198.19.0.3", "- RO "),
        ("198.19.0.4", "-"),
        ("::ffff:198.18.4.1", "64500 RO Stream \"Plus\", Ltd"),
        ("3fff::", "64501 - Six"),
        ("3fff::1", "64501 NL Six"),
        ("3fff::ffff", "64501 - Six"),
        ("3fff::1:0", "-"),
        ("::", "-"),
        ("ffff::", "-"),
        ("0.0.0.0", "-"),
        ("255.255.255.255", "-"),
    ] {
        assert_eq!(shown(&table, address), expected, "{address}");
    }
}

#[test]
fn the_overlay_answers_first() {
    let mut base = Builder::default();
    base.csv(Rows::Both, "1.0.0.0,1.0.255.255,1,One,FR\n").unwrap();
    let mut over = Builder::default();
    over.csv(Rows::Both, "first,last,asn,name,country\n1.0.4.0,1.0.4.255,64500,Practice,NL\n")
        .unwrap();
    let (base, over) = (base.finish().unwrap(), over.finish().unwrap());
    let tables = Tables {
        base: Some(Table::read(&base).unwrap()),
        overlay: Some(Table::read(&over).unwrap()),
    };
    assert_eq!(tables.look_up(ip("1.0.4.9")).unwrap().name(), "Practice");
    assert_eq!(tables.look_up(ip("1.0.5.0")).unwrap().name(), "One");
    assert_eq!(tables.look_up(ip("2.0.0.0")), None);
}

#[test]
fn bad_rows_name_their_line() {
    for (text, why) in [
        ("1.0.0.0,1.0.0.1,13335", "fields"),
        ("1.0.0.0,1.0.0.1,x,Name", "AS number"),
        ("1.0.0.0,::1,1,Name", "families"),
        ("1.0.0.1,1.0.0.0,1,Name", "before it begins"),
        ("1.0.0,1.0.0.0,1,Name", "not an address"),
        ("1.0.0.0,1.0.0.1,1,\"Name", "no end"),
        ("1.0.0.0,1.0.0.1,1,\"Name\"x", "behind"),
    ] {
        let text = format!("9.0.0.0,9.0.0.1,9,Good\n{text}\n");
        match Builder::default().csv(Rows::Asn, &text) {
            Err(AsnError::Row { line: 2, why: told }) => assert!(told.contains(why), "{told}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn an_empty_table_knows_nothing() {
    let bytes = Builder::default().finish().unwrap();
    assert_eq!(Table::read(&bytes).unwrap().look_up(ip("1.1.1.1")), None);
}

fn small() -> Vec<u8> {
    let mut builder = Builder::default();
    for i in 0..60u8 {
        let row = format!(
            "10.{i}.0.0,10.{i}.0.{i},{i},Net {i},FR\n2001:{i}::,2001:{i}::{i},{i},Net {i},DE\n"
        );
        builder.csv(Rows::Both, &row).unwrap();
    }
    builder.finish().unwrap()
}

#[test]
fn every_changed_byte_is_noticed() {
    let good = small();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x41;
        assert!(Table::read(&bad).is_err(), "byte {at}");
        assert!(Table::read(&good[..at]).is_err(), "cut at {at}");
    }
    assert!(matches!(Table::read(b"nothing"), Err(AsnError::NotATable)));
}

/// A table whose digest was made to fit again: whatever it holds, nothing panics.
fn probe(mut bytes: Vec<u8>) {
    if bytes.len() >= 40 {
        let digest = Sha256::digest(&bytes[40..]);
        bytes[8..40].copy_from_slice(&digest);
    }
    if let Ok(table) = Table::read(&bytes) {
        for i in 0..=255u32 {
            table.look_up(IpAddr::V4(Ipv4Addr::from_bits(i << 24 | i)));
            table.look_up(IpAddr::V4(Ipv4Addr::from_bits(10 << 24 | i << 16 | i)));
            table.look_up(IpAddr::V6(Ipv6Addr::from_bits(u128::from(i) << 120 | 7)));
            table.look_up(IpAddr::V6(Ipv6Addr::from_bits(0x2001 << 112 | u128::from(i) << 96)));
        }
    }
}

proptest! {
    #[test]
    fn a_forged_table_never_panics(at in 40usize..2000, byte: u8, at2 in 0usize..2000, byte2: u8) {
        let mut bytes = small();
        let len = bytes.len();
        bytes[at % len] = byte;
        bytes[at2 % len] = byte2;
        bytes[..8].copy_from_slice(b"VIGIEAS1");
        probe(bytes);
    }

    #[test]
    fn any_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let head = bytes.len().min(8);
        bytes[..head].copy_from_slice(&b"VIGIEAS1"[..head]);
        probe(bytes);
    }

    /// Ranges that do not overlap are found at their ends and not beyond, at any scale.
    #[test]
    fn what_is_built_is_found(
        cuts in prop::collection::btree_set(prop_oneof![
            any::<u128>(), any::<u64>().prop_map(u128::from),
            any::<u64>().prop_map(|n| u128::from(n) << 64), any::<u16>().prop_map(|n| u128::from(n) << 112),
        ], 2..80),
        four: bool,
    ) {
        let cuts: Vec<u128> = if four {
            let set: std::collections::BTreeSet<u128> = cuts.iter().map(|c| c >> 96).collect();
            set.into_iter().collect()
        } else {
            cuts.into_iter().collect()
        };
        let at = |n: u128| if four {
            IpAddr::V4(Ipv4Addr::from_bits(n as u32))
        } else {
            IpAddr::V6(Ipv6Addr::from_bits(n))
        };
        let mut builder = Builder::default();
        let mut rows = Vec::new();
        for (i, pair) in cuts.windows(2).enumerate().filter(|(i, _)| i % 3 != 2) {
            rows.push((pair[0], pair[1] - 1, i as u32 + 1));
        }
        for (first, last, asn) in rows.iter().rev() {
            builder.owner(at(*first), at(*last), *asn, &format!("net {asn}")).unwrap();
        }
        let bytes = builder.finish().unwrap();
        let table = Table::read(&bytes).unwrap();
        let naive = |n: u128| rows.iter().find(|r| r.0 <= n && n <= r.1).map(|r| r.2);
        for n in cuts.iter().flat_map(|c| [*c, c.saturating_sub(1), c.saturating_add(1)]) {
            let mapped = !four && matches!(at(n).to_canonical(), IpAddr::V4(_));
            let outside = four && n > u128::from(u32::MAX);
            if !mapped && !outside {
                prop_assert_eq!(table.look_up(at(n)).and_then(|p| p.asn), naive(n), "{}", at(n));
            }
        }
    }

    /// Where ranges overlap, the later beginning holds, then the narrower.
    #[test]
    fn overlaps_are_resolved(rows in prop::collection::vec((0u32..64, 0u32..20), 1..20)) {
        let mut builder = Builder::default();
        for (i, (first, len)) in rows.iter().enumerate() {
            let (a, b) = (Ipv4Addr::from_bits(*first), Ipv4Addr::from_bits(first + len));
            builder.owner(a.into(), b.into(), i as u32 + 1, "").unwrap();
        }
        let bytes = builder.finish().unwrap();
        let table = Table::read(&bytes).unwrap();
        for n in 0..100u32 {
            let best = rows.iter().filter(|(f, l)| *f <= n && n <= f + l).max_by_key(|(f, l)| (*f, std::cmp::Reverse(*l)));
            let found = table.look_up(Ipv4Addr::from_bits(n).into()).and_then(|p| p.asn);
            prop_assert_eq!(found.map(|i| rows[i as usize - 1]), best.copied());
        }
    }
}

#[test]
fn the_committed_table_is_the_sources() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(root.join("../../assets/addresses.bin")).unwrap();
    assert!(bytes.len() <= 6_000_000, "{} bytes", bytes.len());
    let table = Table::read(&bytes).unwrap();
    assert_eq!(shown(&table, "1.1.1.1"), "13335 AU Cloudflare, Inc.");
    let shared =
        std::env::var("VIGIE_SHARED").map_or_else(|_| root.join("../../../shared"), Into::into);
    let folder = shared.join("data/asn");
    if !folder.is_dir() {
        eprintln!("SKIPPED: the rows of {} are not here", folder.display());
        return;
    }
    let mut checked = 0u64;
    for name in ["asn-ipv4", "asn-ipv6", "asn-country-ipv4", "asn-country-ipv6"] {
        let out = Command::new("xz").arg("-dc").arg(folder.join(format!("{name}.csv.xz"))).output();
        let Ok(out) = out else {
            eprintln!("SKIPPED: no xz to read {name} with");
            return;
        };
        let text = String::from_utf8(out.stdout).unwrap();
        let mut wrong = 0;
        for line in text.lines() {
            let mut parts = line.splitn(4, ',');
            let (first, last) = (ip(parts.next().unwrap()), ip(parts.next().unwrap()));
            let value = parts.next().unwrap();
            for address in [first, last] {
                let place = table.look_up(address);
                let holds = if name.contains("country") {
                    place.and_then(|p| p.country) == Country::new(value)
                } else {
                    place.and_then(|p| p.asn) == value.parse().ok()
                        && parts.clone().next().is_none_or(|name| {
                            let name = name.trim_matches(['"', ' ']);
                            place.is_some_and(|p| p.name() == name) || line.contains("\"\"")
                        })
                };
                wrong += u32::from(!holds);
                checked += 1;
            }
        }
        // One row of the source overlaps its neighbour.
        assert!(wrong <= 2, "{name}: {wrong} rows are not found again");
    }
    assert!(checked > 1_000_000);
}
