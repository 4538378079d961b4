//! Text in UTF-16, anywhere in an exhibit.
//!
//! A run is six code units or more below 256 that are printable or blanks; each becomes a byte of
//! latin1, and the walk goes over those. Whether a run is little or big endian shows at its first
//! byte; where zero bytes stand on both sides it is taken for little endian if its letters stand at
//! even offsets, for big endian else.

use super::anchor::{AHEAD, Walker};
use super::text::Coding;
use super::{Hit, Rules};

/// The shortest run, in code units.
const RUN: usize = 6;
/// How many code units are walked over in one go.
const STEP: usize = 64 << 10;
/// Bytes behind a place that are looked at before it is decided on.
const MARGIN: usize = 64;

/// Where a hit's text stands: buffer and the way from its indices to the exhibit.
pub(crate) type Emit<'e> = dyn FnMut(Hit, &[u8], &dyn Fn(usize) -> u64) + 'e;

/// The state between windows.
pub(crate) struct Wide {
    rules: Rules,
    /// The first byte of the window not looked at.
    pos: usize,
    /// Bytes before this belong to a run already walked over.
    floor: usize,
    open: Option<Run>,
}

struct Run {
    little: bool,
    /// The exhibit's offset of the first unit in `text`.
    start: u64,
    text: Vec<u8>,
    walker: Walker,
}

fn is_unit(low: u8) -> bool {
    matches!(low, b' '..=b'~' | b'\t' | b'\n' | b'\r' | 0xa0..)
}

impl Run {
    /// Walks over what was gathered.
    fn walk(&mut self, rules: &Rules, ended: bool, emit: &mut Emit<'_>) {
        let Self { start, text, walker, .. } = self;
        let place = |at: usize| *start + 2 * at as u64;
        let done = walker.walk(rules, text, ended, &mut |hit| emit(hit, text, &place));
        if !ended {
            walker.shift(done);
            text.drain(..done);
            *start += 2 * done as u64;
        }
    }
}

impl Wide {
    pub(crate) fn new(rules: Rules) -> Self {
        let rules = Rules { coding: Coding::Latin1, ..rules };
        Self { rules, pos: 0, floor: 0, open: None }
    }

    /// Looks at a window that begins at `base`. Returns how many bytes at its front may be dropped.
    pub(crate) fn walk(
        &mut self,
        bytes: &[u8],
        base: u64,
        ended: bool,
        emit: &mut Emit<'_>,
    ) -> usize {
        let limit = if ended { bytes.len() } else { bytes.len().saturating_sub(MARGIN) };
        while self.pos < limit {
            match self.open.take() {
                Some(run) => self.extend(run, bytes, ended, emit),
                None => self.seek(bytes, base, limit),
            }
        }
        if ended && let Some(mut run) = self.open.take() {
            run.walk(&self.rules, true, emit);
        }
        self.pos.min(limit).saturating_sub(MARGIN)
    }

    pub(crate) fn shift(&mut self, n: usize) {
        self.pos -= n;
        self.floor = self.floor.saturating_sub(n);
    }

    /// Goes on with a run, to its end or the window's.
    fn extend(&mut self, mut run: Run, bytes: &[u8], ended: bool, emit: &mut Emit<'_>) {
        loop {
            let Some(pair) = bytes.get(self.pos..self.pos + 2) else {
                // The window's end; a last odd byte belongs to no unit.
                if ended {
                    run.walk(&self.rules, true, emit);
                    self.pos = bytes.len();
                } else {
                    self.open = Some(run);
                    // One byte may be left: the next window begins before it.
                    self.pos = self.pos.max(bytes.len() - 1);
                }
                return;
            };
            let (low, high) = if run.little { (pair[0], pair[1]) } else { (pair[1], pair[0]) };
            if high != 0 || !is_unit(low) {
                run.walk(&self.rules, true, emit);
                self.floor = self.pos;
                return;
            }
            run.text.push(low);
            self.pos += 2;
            if run.text.len() >= STEP + AHEAD {
                run.walk(&self.rules, false, emit);
            }
        }
    }

    /// Looks for the next run. Places at whole multiples of 8 in the exhibit are tried: a run of six
    /// units covers four bytes behind one of them.
    fn seek(&mut self, bytes: &[u8], base: u64, limit: usize) {
        let phase = ((base + self.pos as u64) % 8) as usize;
        let mut at = if phase == 0 { self.pos } else { self.pos + 8 - phase };
        while at < limit {
            let Some(four) = bytes.get(at..at + 4) else { break };
            let word = u32::from_le_bytes([four[0], four[1], four[2], four[3]]);
            if word & 0xff00_ff00 == 0 || word & 0x00ff_00ff == 0 {
                let letter = if word & 0xff00_ff00 == 0 { at } else { at + 1 };
                if let Some((first, little)) = self.begin(bytes, base, letter) {
                    self.open = Some(Run {
                        little,
                        start: base + first as u64,
                        text: Vec::new(),
                        walker: Walker::default(),
                    });
                    self.pos = first;
                    return;
                }
            }
            at += 8;
        }
        self.pos = limit.max(self.pos);
    }

    /// The run that holds the letter at `letter`, if it is long enough: its first byte, and whether
    /// it is little endian.
    fn begin(&self, bytes: &[u8], base: u64, letter: usize) -> Option<(usize, bool)> {
        let unit = |at: usize| is_unit(bytes[at]) && bytes.get(at + 1).is_none_or(|b| *b == 0);
        if !unit(letter) {
            return None;
        }
        let mut first = letter;
        while first >= self.floor + 2
            && letter - first < 32
            && is_unit(bytes[first - 2])
            && bytes[first - 1] == 0
        {
            first -= 2;
        }
        let mut units = 0;
        while units < RUN {
            let at = first + 2 * units;
            let low = bytes.get(at).is_some_and(|b| is_unit(*b));
            let zero = bytes.get(at + 1).is_none_or(|b| *b == 0);
            if !low || !zero {
                // A big endian run's last letter is followed by anything.
                units += usize::from(low);
                break;
            }
            units += 1;
        }
        if units < RUN {
            return None;
        }
        let zero_before = first > self.floor && bytes[first - 1] == 0;
        let even = (base + first as u64).is_multiple_of(2);
        let little = !zero_before || even;
        Some(if little { (first, true) } else { (first - 1, false) })
    }
}
