//! The builder: from rows of ranges to a table's bytes.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use sha2::{Digest, Sha256};

use super::read::{BLOCK, HEAD, MAGIC, RECORD, UNITS, width};
use super::{AsnError, Country};

/// What the columns of a CSV of ranges are. No header; first and last address are included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// `first,last,asn,name`
    Asn,
    /// `first,last,country`
    Country,
    /// `first,last,asn,name,country`; a first line that begins with `first,` is a header.
    Both,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    first: u128,
    last: u128,
    /// Into `Builder::owners`, or the country.
    value: u32,
}

/// Takes ranges and makes a table of them. Where ranges of one sort overlap, the one that begins
/// later holds, and where two begin together the narrower.
#[derive(Debug, Default)]
pub struct Builder {
    owners: Vec<(u32, String)>,
    by_owner: HashMap<(u32, String), u32>,
    countries: Vec<Country>,
    /// Ranges by [IPv4, IPv6] and [owner, country].
    ranges: [[Vec<Range>; 2]; 2],
}

impl Builder {
    /// Adds a range and who announces it. AS 0 is nobody.
    pub fn owner(
        &mut self,
        first: IpAddr,
        last: IpAddr,
        asn: u32,
        name: &str,
    ) -> Result<(), &'static str> {
        let (family, first, last) = bounds(first, last)?;
        let owner = (asn, cut(name).to_owned());
        let next = u32::try_from(self.owners.len()).map_err(|_| "too many owners")?;
        let value = *self.by_owner.entry(owner.clone()).or_insert(next);
        if value == next {
            self.owners.push(owner);
        }
        self.ranges[family][0].push(Range { first, last, value });
        Ok(())
    }

    /// Adds a range and its country.
    pub fn country(
        &mut self,
        first: IpAddr,
        last: IpAddr,
        country: Country,
    ) -> Result<(), &'static str> {
        let (family, first, last) = bounds(first, last)?;
        let value = match self.countries.iter().position(|c| *c == country) {
            Some(at) => at,
            None => {
                self.countries.push(country);
                self.countries.len() - 1
            }
        };
        self.ranges[family][1].push(Range { first, last, value: value as u32 });
        Ok(())
    }

    /// Adds every row of a CSV. The first bad row ends it.
    pub fn csv(&mut self, rows: Rows, text: &str) -> Result<(), AsnError> {
        for (i, line) in text.lines().enumerate() {
            let line = line.strip_suffix('\r').unwrap_or(line);
            if line.is_empty() || (i == 0 && rows == Rows::Both && line.starts_with("first,")) {
                continue;
            }
            self.row(rows, line).map_err(|why| AsnError::Row { line: i as u64 + 1, why })?;
        }
        Ok(())
    }

    fn row(&mut self, rows: Rows, line: &str) -> Result<(), &'static str> {
        let fields = fields(line)?;
        let want = match rows {
            Rows::Asn => 4,
            Rows::Country => 3,
            Rows::Both => 5,
        };
        if fields.len() != want {
            return Err("another number of fields than the format has");
        }
        let address = |text: &str| text.trim().parse::<IpAddr>().map_err(|_| "not an address");
        let (first, last) = (address(&fields[0])?, address(&fields[1])?);
        if rows != Rows::Country {
            let digits = fields[2].trim();
            let asn = digits.strip_prefix("AS").unwrap_or(digits);
            self.owner(
                first,
                last,
                asn.parse().map_err(|_| "not an AS number")?,
                fields[3].trim(),
            )?;
        }
        if rows != Rows::Asn {
            let text = fields[want - 1].trim();
            self.country(first, last, Country::new(text).ok_or("not a country of two letters")?)?;
        }
        Ok(())
    }

    /// The table's bytes. The same ranges give the same bytes, whatever the order they came in.
    pub fn finish(self) -> Result<Vec<u8>, AsnError> {
        let mut counts: BTreeMap<(u32, &str, Option<Country>), u32> = BTreeMap::new();
        let families = [0, 1].map(|f| {
            let [owners, countries] = &self.ranges[f];
            bridge(merge(&flatten(owners), &flatten(countries)))
        });
        let place = |owner: Option<u32>, country: Option<u32>| {
            let (asn, name) = owner.map_or((0, ""), |i| {
                let (asn, name) = &self.owners[i as usize];
                (*asn, name.as_str())
            });
            (asn, name, country.map(|i| self.countries[i as usize]))
        };
        for (_, owner, country) in families.iter().flatten() {
            *counts.entry(place(*owner, *country)).or_default() += 1;
        }
        counts.remove(&(0, "", None));
        let records: Vec<_> = std::iter::once((0, "", None)).chain(counts.into_keys()).collect();
        if records.len() >= 1 << 24 {
            return Err(AsnError::TooLarge("more than 16,777,215 records"));
        }
        let number: HashMap<_, _> = records.iter().enumerate().map(|(i, r)| (*r, i)).collect();
        let mut used: Vec<Country> = records.iter().filter_map(|r| r.2).collect();
        used.sort_unstable();
        used.dedup();
        if used.len() > 254 {
            return Err(AsnError::TooLarge("more than 254 countries"));
        }
        let (pool, offsets) = pool(records.iter().map(|r| r.1));
        if pool.len() > 1 << 24 {
            return Err(AsnError::TooLarge("more than 16 MiB of names"));
        }

        let mut body = Vec::new();
        for (asn, name, country) in &records {
            body.extend(asn.to_le_bytes());
            body.extend(&offsets[name].to_le_bytes()[..3]);
            let at = country.and_then(|c| used.binary_search(&c).ok()).map_or(0, |i| i + 1);
            body.push(at as u8);
        }
        debug_assert_eq!(body.len(), records.len() * RECORD);
        body.push(used.len() as u8);
        used.iter().for_each(|c| body.extend(c.0));
        let bits = width(records.len());
        let mut lengths = vec![records.len(), pool.len()];
        for (f, ranges) in families.iter().enumerate() {
            let numbered = ranges.iter().map(|(first, o, c)| (*first, number[&place(*o, *c)]));
            let family = Family::encode(numbered, f == 1, bits)?;
            lengths.extend([family.blocks_len, family.deltas.len(), ranges.len()]);
            body.extend(family.blocks);
            body.extend(family.deltas);
            body.extend(family.packed);
        }
        body.extend(pool);

        let mut head = Vec::with_capacity(HEAD + body.len());
        for length in lengths {
            let length = u32::try_from(length).map_err(|_| AsnError::TooLarge("4 GiB"))?;
            head.extend(length.to_le_bytes());
        }
        head.extend(body);
        let mut out = MAGIC.to_vec();
        out.extend(Sha256::digest(&head));
        out.extend(head);
        Ok(out)
    }
}

fn bounds(first: IpAddr, last: IpAddr) -> Result<(usize, u128, u128), &'static str> {
    let (family, first, last) = match (first, last) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (0, a.to_bits().into(), b.to_bits().into()),
        (IpAddr::V6(a), IpAddr::V6(b)) => (1, a.to_bits(), b.to_bits()),
        _ => return Err("first and last address are of two families"),
    };
    if first > last { Err("the range ends before it begins") } else { Ok((family, first, last)) }
}

/// A name of at most 255 bytes.
fn cut(name: &str) -> &str {
    let mut end = name.len().min(255);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

/// The fields of one line of CSV (RFC 4180 without line breaks in fields).
fn fields(line: &str) -> Result<Vec<String>, &'static str> {
    let mut out = Vec::new();
    let mut rest = line;
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut field = String::new();
            let mut tail = quoted;
            loop {
                let end = tail.find('"').ok_or("a quoted field has no end")?;
                field.push_str(&tail[..end]);
                tail = &tail[end + 1..];
                match tail.strip_prefix('"') {
                    Some(more) => {
                        field.push('"');
                        tail = more;
                    }
                    None => break,
                }
            }
            out.push(field);
            rest = tail;
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            out.push(rest[..end].to_owned());
            rest = &rest[end..];
        }
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None if rest.is_empty() => return Ok(out),
            None => return Err("text behind a quoted field"),
        }
    }
}

/// Points at which the value changes: `(first address, value)`, in order, the value `None` between
/// ranges. Overlaps are resolved as [`Builder`] says.
fn flatten(ranges: &[Range]) -> Vec<(u128, Option<u32>)> {
    let mut sorted = ranges.to_vec();
    sorted.sort_by_key(|r| (r.first, std::cmp::Reverse(r.last)));
    let mut out: Vec<(u128, Option<u32>)> = Vec::with_capacity(sorted.len() * 2);
    let mut push = |at: u128, value: Option<u32>| {
        if let Some(end) = out.last_mut().filter(|(last, _)| *last == at) {
            end.1 = value;
        } else {
            out.push((at, value));
        }
    };
    let mut open: Vec<Range> = Vec::new();
    let close =
        |open: &mut Vec<Range>, before: Option<u128>, push: &mut dyn FnMut(u128, Option<u32>)| {
            // Ranges that end before the next begins; what lies under them comes back.
            while let Some(top) = open.last().copied() {
                if before.is_some_and(|at| top.last >= at) {
                    break;
                }
                open.pop();
                while open.last().is_some_and(|under| under.last <= top.last) {
                    open.pop();
                }
                if let Some(next) = top.last.checked_add(1) {
                    push(next, open.last().map(|under| under.value));
                }
            }
        };
    for range in sorted {
        close(&mut open, Some(range.first), &mut push);
        push(range.first, Some(range.value));
        open.push(range);
    }
    close(&mut open, None, &mut push);
    out
}

/// Both sorts of value together, runs of the same joined.
fn merge(owners: &[(u128, Option<u32>)], countries: &[(u128, Option<u32>)]) -> Vec<Point> {
    let mut out: Vec<Point> = Vec::new();
    let (mut i, mut j) = (0, 0);
    let (mut owner, mut country) = (None, None);
    while i < owners.len() || j < countries.len() {
        let next =
            |list: &[(u128, Option<u32>)], at: usize| list.get(at).map_or(u128::MAX, |p| p.0);
        let at = next(owners, i).min(next(countries, j));
        while i < owners.len() && owners[i].0 == at {
            owner = owners[i].1;
            i += 1;
        }
        while j < countries.len() && countries[j].0 == at {
            country = countries[j].1;
            j += 1;
        }
        if out.last().is_none_or(|last| (last.1, last.2) != (owner, country)) {
            out.push((at, owner, country));
        }
    }
    out
}

/// Where owner or country changes.
type Point = (u128, Option<u32>, Option<u32>);

/// Divides distances of 2^126 and more, which a varint with its unit cannot hold unless they are
/// multiples of 2^64: points that change nothing, at multiples of 2^64.
fn bridge(points: Vec<Point>) -> Vec<Point> {
    const LOW: u128 = (1 << 64) - 1;
    let mut out: Vec<Point> = Vec::with_capacity(points.len());
    for point in points {
        if let Some(&(before, owner, country)) = out.last()
            && point.0 - before >= 1 << 126
        {
            let up = before.div_ceil(LOW + 1) << 64;
            out.extend((up > before).then_some((up, owner, country)));
            let down = point.0 & !LOW;
            out.extend((down > up && down < point.0).then_some((down, owner, country)));
        }
        out.push(point);
    }
    out
}

/// Names once each, in order, and where each stands.
fn pool<'a>(names: impl Iterator<Item = &'a str>) -> (Vec<u8>, HashMap<&'a str, u32>) {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.dedup();
    let mut bytes = Vec::new();
    let mut offsets = HashMap::new();
    for name in names {
        offsets.insert(name, u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        bytes.push(name.len() as u8);
        bytes.extend(name.as_bytes());
    }
    (bytes, offsets)
}

struct Family {
    blocks: Vec<u8>,
    blocks_len: usize,
    deltas: Vec<u8>,
    packed: Vec<u8>,
}

impl Family {
    fn encode(
        ranges: impl Iterator<Item = (u128, usize)>,
        six: bool,
        bits: usize,
    ) -> Result<Self, AsnError> {
        let mut out =
            Self { blocks: Vec::new(), blocks_len: 0, deltas: Vec::new(), packed: Vec::new() };
        let (mut held, mut have) = (0u64, 0);
        let mut before = 0;
        for (i, (first, record)) in ranges.enumerate() {
            if i % BLOCK == 0 {
                let size = if six { 16 } else { 4 };
                out.blocks.extend(&first.to_le_bytes()[..size]);
                let at =
                    u32::try_from(out.deltas.len()).map_err(|_| AsnError::TooLarge("4 GiB"))?;
                out.blocks.extend(at.to_le_bytes());
                out.blocks_len += 1;
            } else {
                let distance = first - before;
                varint(
                    &mut out.deltas,
                    if six { six_distance(distance) } else { four_distance(distance) },
                );
            }
            before = first;
            held |= (record as u64) << have;
            have += bits;
            while have >= 8 {
                out.packed.push(held as u8);
                held >>= 8;
                have -= 8;
            }
        }
        if have > 0 {
            out.packed.push(held as u8);
        }
        out.packed.extend([0; 8]);
        Ok(out)
    }
}

fn four_distance(distance: u128) -> u128 {
    if distance.is_multiple_of(256) { distance >> 7 } else { distance << 1 | 1 }
}

fn six_distance(distance: u128) -> u128 {
    // The coarsest unit that fits; a distance in single addresses is below 2^126 or a multiple.
    let order = [1usize, 0, 2, 3];
    let unit = order.into_iter().find(|u| distance.trailing_zeros() >= UNITS[*u]).unwrap_or(3);
    (distance >> UNITS[unit]) << 2 | unit as u128
}

fn varint(out: &mut Vec<u8>, mut value: u128) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
