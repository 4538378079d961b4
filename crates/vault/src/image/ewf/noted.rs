//! What acquirers note of a disk: sectors that they could not read, and sessions of optical media.

use model::ProblemKind::{self, Integrity, Syntax};

use super::adler32;
use super::sections::Read;
use crate::image::u32_at;

impl Read {
    pub(super) fn errors(&mut self, n: usize, span: (u64, u64), bytes: &[u8]) {
        if !self.summed(n, span, "error2", bytes, 516) {
            return;
        }
        let count = u32_at(bytes, 0) as usize;
        let Some(list) = bytes.get(520..).filter(|b| b.len() / 8 >= count) else {
            return self.say(
                n,
                span,
                Syntax,
                true,
                format!("section \"error2\", number of entries: {count} do not fit in"),
            );
        };
        let len = count * 8;
        let (stored, computed) = (u32_at(list, len), adler32(&list[..len]));
        if list.len() >= len + 4 && stored != computed {
            self.say(n, span, Integrity, false, format!("section \"error2\", entries: their Adler-32 is {computed:08x} where {stored:08x} is stored"));
        }
        for entry in list[..len].chunks_exact(8).take(1000) {
            let (first, sectors) = (u32_at(entry, 0), u32_at(entry, 4));
            let message = format!(
                "error2: whoever acquired it could not read {sectors} sectors from sector {first} on: what stands for them is not the disk's"
            );
            self.say(n, span, ProblemKind::Medium, false, message);
        }
    }

    pub(super) fn sessions(&mut self, n: usize, span: (u64, u64), bytes: &[u8]) {
        if !self.summed(n, span, "session", bytes, 32) {
            return;
        }
        let count = u32_at(bytes, 0) as usize;
        let list = bytes.get(36..).unwrap_or_default();
        let len = count.saturating_mul(32);
        let Some(entries) = list.get(..len).filter(|_| list.len() >= len + 4) else {
            return self.say(
                n,
                span,
                Syntax,
                true,
                format!("section \"session\", number of entries: {count} do not fit in"),
            );
        };
        if u32_at(list, len) != adler32(entries) {
            self.say(
                n,
                span,
                Integrity,
                false,
                "section \"session\", entries: their Adler-32 is not the one stored",
            );
        }
    }
}
