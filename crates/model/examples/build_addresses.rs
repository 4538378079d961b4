//! Builds the table of addresses from CSV rows on standard input, and writes it to standard output.
//!
//! The input is sections, each a line `#asn`, `#country` or `#both` and then rows:
//!
//! ```sh
//! { echo '#asn'; cat asn-ipv4.csv asn-ipv6.csv
//!   echo '#country'; cat asn-country-ipv4.csv asn-country-ipv6.csv; } |
//!   cargo run --release -p model --example build_addresses > assets/addresses.bin
//! ```

use std::io::{Read, Write};

use model::asn::{Builder, Rows};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let mut builder = Builder::default();
    let mut rows = None;
    let mut from = 0;
    let mut sections = Vec::new();
    for (at, line) in text.split_inclusive('\n').scan(0, |at, line| {
        let here = *at;
        *at += line.len();
        Some((here, line))
    }) {
        let next = match line.trim_end() {
            "#asn" => Rows::Asn,
            "#country" => Rows::Country,
            "#both" => Rows::Both,
            _ => continue,
        };
        sections.extend(rows.map(|rows| (rows, from..at)));
        (rows, from) = (Some(next), at + line.len());
    }
    sections.extend(rows.map(|rows| (rows, from..text.len())));
    if sections.is_empty() {
        return Err("no section: a line #asn, #country or #both comes before the rows".into());
    }
    for (rows, range) in sections {
        builder.csv(rows, &text[range])?;
    }
    std::io::stdout().write_all(&builder.finish()?)?;
    Ok(())
}
