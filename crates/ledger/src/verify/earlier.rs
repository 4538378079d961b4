//! Checkpoints of a log that are known from elsewhere, and that it must go through.

use super::{Report, Still};
use crate::contradicting::Unfit;
use crate::keys::Keys;
use crate::note::{Checkpoint, Note, NoteError};
use crate::tree::{Edge, Hash};

/// A checkpoint, and who knows it.
struct One {
    size: u64,
    root: Hash,
    by: Vec<String>,
    /// True where the log has another root at that size.
    differs: bool,
}

/// All of them: one for each size and root.
pub(super) struct Earlier {
    all: Vec<One>,
}

impl Earlier {
    /// Those that the caller knows, and those that are kept beside the log as far as the log itself
    /// signed them. Whose the cosignatures are is for who has the witnesses' keys.
    pub(super) fn of(
        still: &Still,
        known: &[Checkpoint],
        key: Option<&Keys>,
        report: &mut Report,
    ) -> Self {
        let mut earlier = Self { all: Vec::new() };
        for checkpoint in known {
            earlier.add(checkpoint, "its authority, which has seen it".to_owned());
        }
        let folder = crate::witnessed::FOLDER;
        match &still.witnessed {
            Err(e) => report.find(folder, e),
            Ok((notes, unfit)) => {
                tell(unfit, report);
                for note in notes {
                    match opened(key, note) {
                        Err(e) => report.find(folder, e.to_string()),
                        Ok(c) => earlier
                            .add(&c, format!("{folder}/{}, which witnesses cosigned", c.size)),
                    }
                }
            }
        }
        match &still.contradicting {
            Err(e) => report.find(crate::contradicting::FOLDER, e),
            Ok((notes, unfit)) => {
                tell(unfit, report);
                for (name, note) in notes {
                    match opened(key, note) {
                        Err(e) => report.find(name, e.to_string()),
                        Ok(c) => earlier.add(&c, format!("{name}, which a witness keeps")),
                    }
                }
            }
        }
        earlier
    }

    pub(super) fn add(&mut self, checkpoint: &Checkpoint, by: String) {
        let Checkpoint { size, root, .. } = *checkpoint;
        match self.all.iter_mut().find(|one| (one.size, one.root) == (size, root)) {
            Some(one) => one.by.push(by),
            None => self.all.push(One { size, root, by: vec![by], differs: false }),
        }
    }

    /// Looks at the tree as it grows.
    pub(super) fn reached(&mut self, edge: &Edge) {
        for one in self.all.iter_mut().filter(|one| one.size == edge.size()) {
            one.differs = one.root != edge.root();
        }
    }

    /// Tells of those that a log of so many entries does not go through; true where there are none.
    pub(super) fn tell(&self, entries: u64, report: &mut Report) -> bool {
        for one in &self.all {
            let (size, by) = (one.size, one.by.join(", and by "));
            if size > entries {
                let message =
                    format!("it is known with {size} entries, here are {entries} (by {by})");
                report.find("checkpoint", message);
            } else if one.differs {
                let message = format!(
                    "the log signed another history: its first {size} entries are not these (by {by})"
                );
                report.find(format!("entries up to {}", size.saturating_sub(1)), message);
            }
        }
        self.all.iter().all(|one| one.size <= entries && !one.differs)
    }
}

fn tell(unfit: &[Unfit], report: &mut Report) {
    for (name, what) in unfit {
        report.find(name, what);
    }
}

fn opened(key: Option<&Keys>, note: &Note) -> Result<Checkpoint, NoteError> {
    match key {
        Some(key) => key.open_among(note),
        None => Checkpoint::of_text(&note.text),
    }
}
