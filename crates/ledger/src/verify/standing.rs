//! Batches in the journals whose tiles stand already: a run was stopped before it cut the journal, or
//! somebody put them there. They must be what stands; a signed checkpoint among them that is not is
//! proof of another history, which the next run would cut away.

use std::collections::VecDeque;

use super::{Earlier, Report, Still, name_of, open};
use crate::journal::together;
use crate::keys::Keys;
use crate::tree::{Hash, leaf};

/// The leaves of such batches, in the order of their entries.
#[derive(Default)]
pub(super) struct Standing {
    leaves: VecDeque<(u64, Hash, String)>,
}

impl Standing {
    /// Reads what lies below the published `size`. Checkpoints there are held against the log with the
    /// others that it must go through.
    pub(super) fn of(
        still: &Still,
        key: Option<&Keys>,
        size: u64,
        earlier: &mut Earlier,
        report: &mut Report,
    ) -> Self {
        let mut standing = Self::default();
        // What cannot be read is told where the others are taken in.
        let Ok(journals) = &still.journals else { return standing };
        for (path, frame) in together(journals) {
            let end = frame.first.saturating_add(frame.entries.len() as u64);
            let name = name_of(path);
            // One beyond is looked at with those that wait.
            match open(key, &frame.checkpoint) {
                _ if end > size => {}
                Ok(c) if c.size == end => earlier.add(&c, format!("the {name}")),
                Ok(_) => report.find(&name, "a batch does not have its checkpoint's size"),
                Err(e) => report.find(&name, e.to_string()),
            }
            for (index, bytes) in (frame.first..size.min(end)).zip(&frame.entries) {
                standing.leaves.push_back((index, leaf(bytes), name.clone()));
            }
        }
        standing.leaves.make_contiguous().sort_by_key(|(index, ..)| *index);
        standing
    }

    /// Looks at each entry of the tiles as it comes.
    pub(super) fn reached(&mut self, index: u64, hash: &Hash, report: &mut Report) {
        while let Some((at, leaf, name)) = self.leaves.front()
            && *at <= index
        {
            if *at == index && leaf != hash {
                report.find(
                    format!("{name} entry {index}"),
                    "the journal holds another entry here than the tiles",
                );
            }
            self.leaves.pop_front();
        }
    }
}
