//! The reader: searches the bytes as they lie.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use super::{AsnError, Country, Place};

pub(super) const MAGIC: &[u8; 8] = b"VIGIEAS1";
/// Magic, digest, eight lengths.
pub(super) const HEAD: usize = 8 + 32 + 32;
/// Ranges a block.
pub(super) const BLOCK: usize = 16;
/// Bytes a record.
pub(super) const RECORD: usize = 8;

/// Bits that number `records` records; at least 1.
pub(super) fn width(records: usize) -> usize {
    (usize::BITS - records.saturating_sub(1).leading_zeros()).max(1) as usize
}

/// Bytes that `ranges` packed record numbers take: whole bytes, and 8 more so that a reader may
/// always take 8 at once.
pub(super) fn packed_len(ranges: usize, width: usize) -> usize {
    (ranges * width).div_ceil(8) + 8
}

/// Leading bits of an address by which the search begins: 2^14 steps of an index made at opening.
const TOP: u32 = 14;

/// A table over bytes that somebody else holds.
#[derive(Debug, Clone)]
pub struct Table<'a> {
    records: &'a [u8],
    countries: &'a [u8],
    names: &'a [u8],
    width: usize,
    four: Family<'a>,
    six: Family<'a>,
}

#[derive(Debug, Clone)]
struct Family<'a> {
    blocks: &'a [u8],
    deltas: &'a [u8],
    packed: &'a [u8],
    ranges: usize,
    /// For each value of an address's leading bits, how many blocks begin below it.
    top: Box<[u32]>,
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

impl<'a> Table<'a> {
    /// Checks the bytes against their digest and the parts against each other. Costs one pass.
    pub fn read(bytes: &'a [u8]) -> Result<Self, AsnError> {
        if bytes.len() < HEAD || &bytes[..8] != MAGIC {
            return Err(AsnError::NotATable);
        }
        let number = |i: usize| u32_at(bytes, 40 + i * 4).map_or(0, |n| n as usize);
        let [records, names, blocks4, deltas4, ranges4, blocks6, deltas6, ranges6] =
            std::array::from_fn(number);
        if !(1..1 << 24).contains(&records) {
            return Err(AsnError::Malformed("the number of records"));
        }
        let width = width(records);
        let countries =
            1 + 2 * usize::from(bytes.get(HEAD + records * RECORD).copied().unwrap_or(0));
        let parts = [
            records * RECORD,
            countries,
            blocks4 * 8,
            deltas4,
            packed_len(ranges4, width),
            blocks6 * 20,
            deltas6,
            packed_len(ranges6, width),
            names,
        ];
        let expected = HEAD as u64 + parts.iter().map(|n| *n as u64).sum::<u64>();
        if expected != bytes.len() as u64 {
            return Err(AsnError::Length { expected, found: bytes.len() as u64 });
        }
        if Sha256::digest(&bytes[40..])[..] != bytes[8..40] {
            return Err(AsnError::Digest);
        }
        if ranges4.div_ceil(BLOCK) != blocks4 || ranges6.div_ceil(BLOCK) != blocks6 {
            return Err(AsnError::Malformed("the number of blocks"));
        }
        let mut rest = &bytes[HEAD..];
        let [records, countries, b4, d4, p4, b6, d6, p6, names] = parts.map(|len| {
            let (part, tail) = rest.split_at(len);
            rest = tail;
            part
        });
        let mut table = Self {
            records,
            countries: &countries[1..],
            names,
            width,
            four: Family {
                blocks: b4,
                deltas: d4,
                packed: p4,
                ranges: ranges4,
                top: Box::default(),
            },
            six: Family {
                blocks: b6,
                deltas: d6,
                packed: p6,
                ranges: ranges6,
                top: Box::default(),
            },
        };
        table.check()?;
        table.four.top = index(b4.chunks_exact(8).map(|b| u32_at(b, 0).unwrap_or(0) >> (32 - TOP)));
        table.six.top = index(
            b6.chunks_exact(20)
                .map(|b| u128_at(b, 0).map_or(0, |start| (start >> (128 - TOP)) as u32)),
        );
        Ok(table)
    }

    /// Every record leads to a whole name and a country that is there; blocks are in order.
    fn check(&self) -> Result<(), AsnError> {
        for at in (0..self.records.len()).step_by(RECORD) {
            let whole = self.record(at / RECORD).filter(|p| std::str::from_utf8(p.name).is_ok());
            if whole.is_none() {
                return Err(AsnError::Malformed("a record"));
            }
        }
        let ordered = |bytes: &[u8], step: usize, of: fn(&[u8]) -> u128| {
            bytes
                .chunks_exact(step)
                .zip(bytes.chunks_exact(step).skip(1))
                .all(|(a, b)| of(a) < of(b))
        };
        if !ordered(self.four.blocks, 8, |b| u32_at(b, 0).unwrap_or(0).into()) {
            return Err(AsnError::Malformed("IPv4 blocks out of order"));
        }
        if !ordered(self.six.blocks, 20, |b| u128_at(b, 0).unwrap_or(0)) {
            return Err(AsnError::Malformed("IPv6 blocks out of order"));
        }
        Ok(())
    }

    /// Where an address belongs; `None` where the table does not know it. An IPv4 address mapped
    /// into IPv6 is looked up as IPv4.
    pub fn look_up(&self, ip: IpAddr) -> Option<Place<'a>> {
        let record = match ip.to_canonical() {
            IpAddr::V4(v4) => self.four.find4(v4.to_bits(), self.width)?,
            IpAddr::V6(v6) => self.six.find6(v6.to_bits(), self.width)?,
        };
        if record == 0 { None } else { self.record(record) }
    }

    /// How many ranges the table tells apart, IPv4 and IPv6.
    pub fn ranges(&self) -> (usize, usize) {
        (self.four.ranges, self.six.ranges)
    }

    fn record(&self, number: usize) -> Option<Place<'a>> {
        let at = number.checked_mul(RECORD)?;
        let bytes: [u8; RECORD] = self.records.get(at..at + RECORD)?.try_into().ok()?;
        let [a, b, c, d, n0, n1, n2, country] = bytes;
        let asn = u32::from_le_bytes([a, b, c, d]);
        let name_at = u32::from_le_bytes([n0, n1, n2, 0]) as usize;
        let len = usize::from(*self.names.get(name_at)?);
        let name = self.names.get(name_at + 1..name_at + 1 + len)?;
        let country = match usize::from(country).checked_sub(1) {
            None => None,
            Some(i) => {
                let letters = self.countries.get(i * 2..i * 2 + 2)?;
                Some(Country(letters.try_into().ok()?))
            }
        };
        Some(Place { asn: (asn != 0).then_some(asn), name, country })
    }
}

fn u128_at(bytes: &[u8], at: usize) -> Option<u128> {
    Some(u128::from_le_bytes(bytes.get(at..at.checked_add(16)?)?.try_into().ok()?))
}

/// For each value of the leading bits, how many of the ascending values are below it; and how many
/// there are.
fn index(starts: impl Iterator<Item = u32>) -> Box<[u32]> {
    let mut below = vec![0u32; (1 << TOP) + 1];
    for start in starts {
        below[start as usize + 1] += 1;
    }
    let mut sum = 0;
    for count in &mut below {
        sum += *count;
        *count = sum;
    }
    below.into_boxed_slice()
}

/// The last block that begins at or before an address with these leading bits.
fn last(top: &[u32], bits: usize, before: impl Fn(usize) -> bool) -> Option<usize> {
    let (low, high) = (*top.get(bits)? as usize, *top.get(bits + 1)? as usize);
    // Block `low - 1` begins below these bits; what lies between is searched.
    let mut low = low;
    let mut size = high - low;
    while size > 0 {
        let half = size.div_ceil(2);
        // Compiles to a conditional move: the branch could not be predicted.
        low = if before(low + half - 1) { low + half } else { low };
        size -= half;
    }
    low.checked_sub(1)
}

/// A varint of at most 19 bytes: the value, and where the next begins.
fn varint(bytes: &[u8], at: usize) -> Option<(u128, usize)> {
    let first = *bytes.get(at)?;
    if first < 0x80 {
        return Some((first.into(), at + 1));
    }
    let mut value = u128::from(first & 0x7f);
    let mut shift = 7;
    for (i, byte) in bytes.get(at + 1..)?.iter().take(18).enumerate() {
        value |= u128::from(byte & 0x7f).checked_shl(shift)?;
        if *byte < 0x80 {
            return Some((value, at + 2 + i));
        }
        shift += 7;
    }
    None
}

impl Family<'_> {
    fn find4(&self, ip: u32, width: usize) -> Option<usize> {
        let start = |i: usize| u32_at(self.blocks, i * 8).unwrap_or(u32::MAX);
        let block = last(&self.top, (ip >> (32 - TOP)) as usize, |i| start(i) <= ip)?;
        let mut at = u32_at(self.blocks, block * 8 + 4)? as usize;
        let mut left = ip - start(block);
        let first = block * BLOCK;
        let mut range = first;
        for _ in 1..BLOCK.min(self.ranges - first) {
            let (value, next) = varint(self.deltas, at)?;
            let value = u64::try_from(value).ok()?;
            let distance = if value & 1 == 0 { value << 7 } else { value >> 1 };
            if distance > u64::from(left) {
                break;
            }
            left -= distance as u32;
            at = next;
            range += 1;
        }
        self.record(range, width)
    }

    fn find6(&self, ip: u128, width: usize) -> Option<usize> {
        let start = |i: usize| u128_at(self.blocks, i * 20).unwrap_or(u128::MAX);
        let block = last(&self.top, (ip >> (128 - TOP)) as usize, |i| start(i) <= ip)?;
        let mut at = u32_at(self.blocks, block * 20 + 16)? as usize;
        let mut left = ip - start(block);
        let first = block * BLOCK;
        let mut range = first;
        for _ in 1..BLOCK.min(self.ranges - first) {
            let (value, next) = varint(self.deltas, at)?;
            let count = value >> 2;
            let shift = UNITS[(value & 3) as usize];
            if count > left >> shift {
                break;
            }
            left -= count << shift;
            at = next;
            range += 1;
        }
        self.record(range, width)
    }

    fn record(&self, range: usize, width: usize) -> Option<usize> {
        let bit = range * width;
        let word = self.packed.get(bit / 8..bit / 8 + 8)?;
        let word = u64::from_le_bytes(word.try_into().ok()?);
        Some((word >> (bit % 8)) as usize & ((1 << width) - 1))
    }
}

/// The units of IPv6 distances, as shifts.
pub(super) const UNITS: [u32; 4] = [80, 96, 64, 0];
