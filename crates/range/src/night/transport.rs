//! An MPEG transport stream (ITU-T H.222.0) of test pictures: one programme with video and no sound.
//!
//! Segments are made each for itself, in any order, and yet play on from one another: each holds so many
//! packets of each kind that their counters begin at nought again.

use super::picture;

/// Octets of a packet.
const PACKET: usize = 188;
/// Seconds of a segment.
pub(super) const SECONDS: u64 = 4;
/// Of the clock that pictures are shown by, a second.
const CLOCK: u64 = 90_000;
/// The clock has 33 bits.
const WRAP: u64 = 1 << 33;

const PROGRAMME_MAP: u16 = 0x1000;
const VIDEO: u16 = 0x0100;

/// The `n`-th segment of a channel since the epoch: four seconds, about 200 kB.
pub(super) fn segment(channel: u64, n: u64) -> Vec<u8> {
    let pictures = SECONDS * picture::RATE;
    let mut out = Out { bytes: Vec::with_capacity(256 << 10), video: 0 };
    let (mut tables, first) = (0_u8, n.wrapping_mul(pictures));
    for nth in 0..pictures {
        // Sixteen times a segment, as its counters go: a quarter of a second from one to the next.
        while u64::from(tables) * pictures < (nth + 1) * 16 {
            out.table(0, tables, &programmes());
            out.table(PROGRAMME_MAP, tables, &streams());
            tables += 1;
        }
        let at = first.wrapping_add(nth) % WRAP * (CLOCK / picture::RATE) % WRAP;
        let body = picture::encode(channel, first.wrapping_add(nth), nth as u32);
        out.picture(at, &body, nth + 1 == pictures);
    }
    out.bytes
}

struct Out {
    bytes: Vec<u8>,
    /// Packets of video so far.
    video: u64,
}

impl Out {
    /// A table in one packet (2.4.4): its own length is short of a packet by far.
    fn table(&mut self, pid: u16, count: u8, section: &[u8]) {
        let [high, low] = pid.to_be_bytes();
        self.bytes.extend([0x47, 0x40 | high, low, 0x10 | count & 15, 0]);
        self.bytes.extend(section);
        let crc = crc(section);
        self.bytes.extend(crc.to_be_bytes());
        self.fill();
    }

    /// Ones up to the packet's end.
    fn fill(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(PACKET), 0xff);
    }

    /// A picture as one packet of the elementary stream (2.4.3.6), in packets that it is spread over evenly.
    /// The last one takes so many that their number is a multiple of sixteen.
    fn picture(&mut self, at: u64, body: &[u8], last: bool) {
        // Without a length, as video may have; shown at, half a second after the clock stands there.
        let shown = (at + CLOCK / 2) % WRAP;
        let mut whole = vec![0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5];
        whole.extend([
            0x21 | (shown >> 29 & 0x0e) as u8,
            (shown >> 22) as u8,
            (shown >> 14 & 0xfe) as u8 | 1,
            (shown >> 7) as u8,
            (shown << 1 & 0xfe) as u8 | 1,
        ]);
        whole.extend(body);
        // The first packet has the clock, in eight octets; each has four of its own head.
        let mut packets = (whole.len() as u64 + 8).div_ceil(PACKET as u64 - 4);
        if last {
            packets = (self.video + packets).next_multiple_of(16) - self.video;
        }
        let (mut rest, mut left) = (whole.as_slice(), packets);
        while left > 0 {
            let clock = (left == packets).then_some(at);
            let room = PACKET - 4 - if clock.is_some() { 8 } else { 0 };
            let take = rest.len().div_ceil(left as usize).min(room);
            let (now, later) = rest.split_at_checked(take).unwrap_or((rest, &[]));
            self.packet(clock, now);
            (rest, left) = (later, left - 1);
        }
    }

    fn packet(&mut self, clock: Option<u64>, payload: &[u8]) {
        let start = if clock.is_some() { 0x40 } else { 0 };
        let [high, low] = VIDEO.to_be_bytes();
        let count = (self.video & 15) as u8;
        self.video += 1;
        // What is not payload is the adaptation field: its length, its flags, the clock, and filling.
        let field = PACKET - 4 - payload.len();
        let kinds = if field == 0 { 0x10 } else { 0x30 };
        self.bytes.extend([0x47, start | high, low, kinds | count]);
        if field > 0 {
            let end = self.bytes.len() + field;
            self.bytes.push((field - 1) as u8);
            if field > 1 {
                self.bytes.push(if clock.is_some() { 0x10 } else { 0 });
            }
            if let Some(at) = clock {
                let clock = at << 15 | 0x7e00;
                self.bytes.extend(clock.to_be_bytes().into_iter().skip(2));
            }
            self.bytes.resize(end, 0xff);
        }
        self.bytes.extend(payload);
    }
}

/// Which programmes there are: the first, and where its map is (2.4.4.3).
fn programmes() -> Vec<u8> {
    let [high, low] = PROGRAMME_MAP.to_be_bytes();
    vec![0x00, 0xb0, 13, 0, 1, 0xc1, 0, 0, 0, 1, 0xe0 | high, low]
}

/// Of what it is made: MPEG-2 video, which carries the clock (2.4.4.8).
fn streams() -> Vec<u8> {
    let [high, low] = VIDEO.to_be_bytes();
    vec![
        0x02,
        0xb0,
        18,
        0,
        1,
        0xc1,
        0,
        0,
        0xe0 | high,
        low,
        0xf0,
        0,
        0x02,
        0xe0 | high,
        low,
        0xf0,
        0,
    ]
}

/// The check of a table (annex A).
fn crc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte) << 24, |crc, _| {
            let carried = crc >> 31 == 1;
            (crc << 1) ^ if carried { 0x04c1_1db7 } else { 0 }
        })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_check_is_the_standards() {
        // The table of RFC-like fame: a CRC over a section with its own check is nought.
        for section in [programmes(), streams()] {
            let mut whole = section.clone();
            whole.extend(crc(&section).to_be_bytes());
            assert_eq!(crc(&whole), 0);
            assert_eq!(usize::from(section[2]), whole.len() - 3, "the length that it says");
        }
        assert_eq!(crc(b"123456789"), 0x0376_e6e7);
    }

    #[test]
    fn packets_are_whole_and_their_counters_go_on_from_segment_to_segment() {
        let two = [segment(3, 400_000_000), segment(3, 400_000_001)].concat();
        assert_eq!(two.len() % PACKET, 0);
        assert!(two.len() < 2 * (400 << 10), "{}", two.len());
        let mut counts: BTreeMap<u16, u8> = BTreeMap::new();
        for packet in two.chunks(PACKET) {
            assert_eq!(packet[0], 0x47);
            let pid = u16::from_be_bytes([packet[1] & 0x1f, packet[2]]);
            let count = packet[3] & 15;
            let before = counts.insert(pid, count).unwrap_or(15);
            assert_eq!(count, (before + 1) & 15, "pid {pid}");
        }
        assert_eq!(counts.into_keys().collect::<Vec<_>>(), [0, VIDEO, PROGRAMME_MAP]);
    }

    #[test]
    fn the_clock_goes_on_and_survives_its_end() {
        let clocks = |n: u64| -> Vec<u64> {
            let bytes = segment(1, n);
            let with_clock =
                bytes.chunks(PACKET).filter(|p| p[3] & 0x20 != 0 && p[4] > 0 && p[5] & 0x10 != 0);
            let clock =
                |p: &[u8]| u64::from_be_bytes([0, 0, p[6], p[7], p[8], p[9], p[10], p[11]]) >> 15;
            with_clock.map(clock).collect()
        };
        let both = [clocks(10), clocks(11)].concat();
        assert_eq!(both.len() as u64, 2 * SECONDS * picture::RATE);
        assert!(both.windows(2).all(|two| two[1] - two[0] == CLOCK / picture::RATE), "{both:?}");
        assert!(clocks(u64::MAX / 1_000).iter().all(|clock| *clock < WRAP));
    }
}
