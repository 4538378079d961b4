//! Tables of chunks, as they stand and held against the rest.

use model::ProblemKind::{self, Conflict, Integrity, Note, Syntax, Truncated};

use super::chunks::Table;
use super::sections::{Read, Section, Volume, part};
use super::{MAX_CHUNKS, adler32};
use crate::image::{u32_at, u64_at};
use crate::unpack::Source;

/// A table as it stands, before what it says is held against the rest.
pub(super) struct Listed {
    segment: usize,
    span: (u64, u64),
    base: u64,
    entries: Vec<u32>,
    /// Its checksums are those stored.
    whole: bool,
}

impl Read {
    /// Reads a `table`, or compares a `table2` with the one before it.
    pub(super) fn table(&mut self, n: usize, source: &mut dyn Source, section: &Section) {
        let (at, kind) = (section.data, section.kind.as_str());
        let head = part(source, at, 24.min(section.end - at));
        let before = self.findings.len() as u64 + self.more;
        if !self.summed(n, (at, section.end), &format!("{kind}\", header of \"{kind}"), &head, 20) {
            return;
        }
        let count = u64::from(u32_at(&head, 0));
        let room = (section.end - at - 24) / 4;
        let entries = count.min(room);
        if count > room {
            let message = format!(
                "section \"{kind}\", number of entries: {count}, where it has room for {room}"
            );
            self.say(n, (at, at + 4), Syntax, false, message);
        }
        self.entries = self.entries.saturating_add(entries);
        // The second table says the same again.
        if self.entries > 2 * MAX_CHUNKS {
            let message =
                format!("section \"{kind}\": more than {MAX_CHUNKS} chunks in all: it is not read");
            return self.say(n, (at, section.end), ProblemKind::Bound, true, message);
        }
        let bytes = part(source, at + 24, entries * 4);
        let listed: Vec<u32> = bytes.chunks_exact(4).map(|b| u32_at(b, 0)).collect();
        let foot = part(source, at + 24 + entries * 4, 4.min((room - entries) * 4));
        if foot.len() == 4 {
            let (stored, computed) = (u32_at(&foot, 0), adler32(&bytes));
            if stored != computed {
                let message = format!(
                    "section \"{kind}\", entries: their Adler-32 is {computed:08x} where {stored:08x} is stored"
                );
                self.say(n, (at + 24, at + 28 + entries * 4), Integrity, false, message);
            }
        } else {
            self.say(
                n,
                (at, at + 24),
                Note,
                false,
                format!("section \"{kind}\": its entries have no checksum"),
            );
        }
        let whole = self.findings.len() as u64 + self.more == before;
        let base = u64_at(&head, 8);
        if kind == "table2"
            && let Some(first) =
                self.listed.last_mut().filter(|l| l.segment == n && l.span.1 == section.at)
        {
            if first.base == base && first.entries == listed {
                return;
            }
            let (span, used) = ((first.span.0, section.end), !first.whole && whole);
            if used {
                (first.base, first.entries, first.whole) = (base, listed, true);
            }
            let which = if used { "table2, whose checksums are right" } else { "table" };
            let message =
                format!("table and table2 do not list the same: chunks are read by {which}");
            return self.say(n, span, Conflict, false, message);
        }
        self.untold = false;
        self.listed.push(Listed {
            segment: n,
            span: (section.at, section.end),
            base,
            entries: listed,
            whole,
        });
    }

    /// Where tables are missing, which chunks those behind them list is not said. Where they are missing
    /// in one place alone, it follows from the disk's size: that place is given. Otherwise what stands
    /// behind the first is not used.
    fn place_behind(&mut self, count: u64, want: u64) -> Option<usize> {
        let first = *self.gaps.first().filter(|gap| count < want && **gap < self.listed.len())?;
        let (segment, span) = (self.listed[first].segment, self.listed[first].span);
        let before: u64 = self.listed[..first].iter().map(|l| l.entries.len() as u64).sum();
        if self.gaps.len() == 1 {
            let message = format!(
                "table: chunks {before} to {} are missing; those behind them are counted from the disk's end",
                before + want - count - 1
            );
            self.say(segment, span, Note, false, message);
            return Some(first);
        }
        let message = format!(
            "table: chunks are missing in {} places, so that where those belong that follow chunk {before} is not known: {} of them are not read",
            self.gaps.len(),
            count - before
        );
        self.say(segment, span, Truncated, true, message);
        self.listed.truncate(first);
        None
    }

    /// The tables, held against volume and sectors.
    pub(super) fn tables(&mut self, volume: &Volume) -> Vec<Table> {
        let want = volume.size.div_ceil(volume.chunk_size);
        let count: u64 = self.listed.iter().map(|listed| listed.entries.len() as u64).sum();
        self.jumps(count >= want);
        let gap = self.place_behind(count, want);
        let (mut tables, mut first) = (Vec::new(), 0u64);
        for (n, listed) in std::mem::take(&mut self.listed).into_iter().enumerate() {
            if gap == Some(n) {
                first += want.saturating_sub(count);
            }
            let Listed { segment, span, base, entries, .. } = listed;
            let last =
                entries.last().map_or(0, |e| base.saturating_add(u64::from(e & 0x7fff_ffff)));
            let sectors = self.sectors.iter().find(|s| s.0 == segment && s.1 <= last && last < s.2);
            let end = sectors.map_or(span.0, |s| s.2);
            let begins = entries.first().map(|e| base.saturating_add(u64::from(e & 0x7fff_ffff)));
            if let (Some(sectors), Some(begins)) = (sectors, begins)
                && begins != sectors.1
            {
                let message = format!(
                    "table: its first chunk is at {begins}, where the sectors begin at {}",
                    sectors.1
                );
                self.say(segment, span, Conflict, false, message);
            }
            let count = entries.len() as u64;
            tables.push(Table { segment, first, base, entries, end });
            first += count;
        }
        if count != want {
            let message = format!("table: {count} chunks are listed, where the disk has {want}");
            let lost = count < want;
            self.say(0, (0, 0), if lost { Truncated } else { Conflict }, lost, message);
        }
        tables
    }
}
