//! Test pictures as MPEG-2 video (ITU-T H.262): seven bars, a word, and a clock that runs.
//!
//! Each picture stands for itself (an I picture), and each block of it is of one colour: of its transform
//! only the first coefficient is written, so that an encoder of a page is enough. Every player shows it.

/// Width and height, in macroblocks of 16 × 16.
const WIDE: usize = 22;
const HIGH: usize = 18;
/// Pictures a second.
pub(super) const RATE: u64 = 25;

/// Y, Cb, Cr (ITU-R BT.601, 75% bars).
type Colour = [u8; 3];

const BARS: [Colour; 7] = [
    [180, 128, 128],
    [162, 44, 142],
    [131, 156, 44],
    [112, 72, 58],
    [84, 184, 198],
    [65, 100, 212],
    [35, 212, 114],
];
const BLACK: Colour = [16, 128, 128];
const WHITE: Colour = [235, 128, 128];
const GREY: Colour = [90, 128, 128];

/// Three columns by five rows, a row three bits: what the words of a test picture need.
const GLYPHS: &[(char, [u8; 5])] = &[
    ('0', [7, 5, 5, 5, 7]),
    ('1', [2, 6, 2, 2, 7]),
    ('2', [7, 1, 7, 4, 7]),
    ('3', [7, 1, 7, 1, 7]),
    ('4', [5, 5, 7, 1, 1]),
    ('5', [7, 4, 7, 1, 7]),
    ('6', [7, 4, 7, 5, 7]),
    ('7', [7, 1, 2, 2, 2]),
    ('8', [7, 5, 7, 5, 7]),
    ('9', [7, 5, 7, 1, 7]),
    ('T', [7, 2, 2, 2, 2]),
    ('E', [7, 4, 6, 4, 7]),
    ('S', [7, 4, 7, 1, 7]),
];

/// The colours of a picture: `TEST`, below it the number of the channel and the second of the minute, and a
/// mark that goes from left to right once a second.
fn colour(x: usize, y: usize, channel: u64, picture: u64) -> Colour {
    let second = picture / RATE % 60;
    if word("TEST", x, y, 3, 1) {
        return BLACK;
    }
    if y < 11 {
        return BARS.get(x * BARS.len() / WIDE).copied().unwrap_or(GREY);
    }
    let channel = format!("{:02}", channel % 100);
    if word(&channel, x, y, 2, 12) || word(&format!("{second:02}"), x, y, 13, 12) {
        return WHITE;
    }
    let mark = usize::try_from(picture % RATE).unwrap_or(0) * WIDE / RATE as usize;
    if y + 1 == HIGH && x == mark { WHITE } else { BLACK }
}

/// True where a word that begins at a place covers this one.
fn word(text: &str, x: usize, y: usize, from_x: usize, from_y: usize) -> bool {
    let (Some(x), Some(y)) = (x.checked_sub(from_x), y.checked_sub(from_y)) else { return false };
    let glyph = text.chars().nth(x / 4).and_then(|c| GLYPHS.iter().find(|(g, _)| *g == c));
    let row = glyph.and_then(|(_, rows)| rows.get(y)).copied().unwrap_or(0);
    x % 4 < 3 && row >> (2 - x % 4) & 1 == 1
}

/// Bits, the first one highest.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    kept: u64,
    count: u32,
}

impl Bits {
    /// The lowest `count` bits of `value`; 32 at the most.
    fn put(&mut self, value: u32, count: u32) {
        let mask = (1_u64 << count) - 1;
        self.kept = self.kept << count | (u64::from(value) & mask);
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            self.bytes.push((self.kept >> self.count) as u8);
        }
    }

    /// Zeros up to a whole byte, and a start code (6.2.1).
    fn start(&mut self, code: u8) {
        self.put(0, (8 - self.count) % 8);
        self.put(0x0000_0100 | u32::from(code), 32);
    }
}

/// One picture, with the headers that a decoder needs to begin at it. `nth` is its place in its segment.
pub(super) fn encode(channel: u64, picture: u64, nth: u32) -> Vec<u8> {
    let mut bits = Bits::default();
    if nth == 0 {
        sequence(&mut bits);
    }
    // Picture header: an I picture, its delay unsaid (6.3.9).
    bits.start(0x00);
    for (value, count) in [(nth, 10), (1, 3), (0xffff, 16), (0, 1)] {
        bits.put(value, count);
    }
    // Its extension: no motion, DC of 8 bits, a whole progressive frame (6.3.10).
    bits.start(0xb5);
    bits.put(8, 4);
    bits.put(0xffff, 16);
    for (value, count) in [(0, 2), (3, 2), (0, 1), (1, 1), (0, 5), (1, 1), (1, 1), (0, 1)] {
        bits.put(value, count);
    }
    for y in 0..HIGH {
        bits.start((y + 1) as u8);
        bits.put(8, 5);
        bits.put(0, 1);
        let mut before: Colour = [128; 3];
        for x in 0..WIDE {
            let now = colour(x, y, channel, picture);
            // The next macroblock, intra.
            bits.put(0b11, 2);
            block(&mut bits, before[0], now[0], &LUMINANCE);
            for _ in 0..3 {
                block(&mut bits, now[0], now[0], &LUMINANCE);
            }
            block(&mut bits, before[1], now[1], &CHROMINANCE);
            block(&mut bits, before[2], now[2], &CHROMINANCE);
            before = now;
        }
    }
    bits.put(0, (8 - bits.count) % 8);
    bits.bytes
}

/// The sequence's header and extension, and a group that nothing before it is needed for (6.2.2).
fn sequence(bits: &mut Bits) {
    bits.start(0xb3);
    // Size, 4:3, 25 a second, 1 Mbit/s in units of 400, the decoder's buffer; the usual matrices.
    let header = [(WIDE as u32 * 16, 12), (HIGH as u32 * 16, 12), (2, 4), (3, 4), (2500, 18)];
    for (value, count) in header.into_iter().chain([(1, 1), (112, 10), (0, 3)]) {
        bits.put(value, count);
    }
    // Main profile at main level, progressive, 4:2:0.
    bits.start(0xb5);
    for (value, count) in
        [(1, 4), (0x48, 8), (1, 1), (1, 2), (0, 4), (0, 12), (1, 1), (0, 8), (1, 1), (0, 7)]
    {
        bits.put(value, count);
    }
    // A closed group; its time code with the marker in the midst.
    bits.start(0xb8);
    for (value, count) in [(0, 12), (1, 1), (0, 12), (1, 1), (0, 6)] {
        bits.put(value, count);
    }
}

/// Codes of a difference's size in bits (tables B.12, B.13): the code, how long it is.
const LUMINANCE: [(u32, u32); 9] =
    [(4, 3), (0, 2), (1, 2), (5, 3), (6, 3), (14, 4), (30, 5), (62, 6), (126, 7)];
const CHROMINANCE: [(u32, u32); 9] =
    [(0, 2), (1, 2), (2, 2), (6, 3), (14, 4), (30, 5), (62, 6), (126, 7), (254, 8)];

/// A block of one colour: how far it is from the one before, and that no more follows.
fn block(bits: &mut Bits, before: u8, now: u8, sizes: &[(u32, u32); 9]) {
    let by = i32::from(now) - i32::from(before);
    let size = 32 - by.unsigned_abs().leading_zeros();
    let (code, length) = sizes.get(size as usize).copied().unwrap_or((0, 0));
    bits.put(code, length);
    let written = if by < 0 { by + (1 << size) - 1 } else { by };
    bits.put(written.unsigned_abs(), size);
    bits.put(0b10, 2);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_where_they_are_put() {
        let row = |y: usize| -> String {
            (0..WIDE).map(|x| if word("TEST", x, y, 3, 1) { '#' } else { '.' }).collect()
        };
        assert_eq!(row(0), ".".repeat(WIDE));
        assert_eq!(row(1), "...###.###.###.###....");
        assert_eq!(row(2), "....#..#...#....#.....");
    }

    #[test]
    fn each_picture_differs_from_the_next_and_is_small() {
        let pictures: Vec<_> = (0..RATE).map(|n| encode(7, n, n as u32)).collect();
        assert!(pictures.windows(2).all(|two| two[0] != two[1]));
        assert!(pictures.iter().all(|picture| picture.len() < 3_000), "{}", pictures[0].len());
        assert_eq!(pictures[0][..4], [0, 0, 1, 0xb3]);
        assert_ne!(encode(7, 0, 0), encode(8, 0, 0), "channels differ");
    }
}
