//! Checkpoints that contradict a log, kept beside it: `contradicting/SIZE-ROOT`, signed notes.
//!
//! A witness may keep a checkpoint that the log signed and that this copy does not go through. Once
//! seen it must not be forgotten: verifying the log holds it against every one that is kept here. The
//! proof of it, for others, is a [`crate::witness::Split`], which is made of the log and such a note.

use std::path::Path;

use crate::disk;
use crate::error::{Error, Result};
use crate::note::{Checkpoint, MAX_NOTE, Note};
use crate::store::read;

/// The folder's name.
pub(crate) const FOLDER: &str = "contradicting";
/// The most notes that are kept of one log: one is enough to show it, and an hourly question must not
/// fill the disk.
pub const MAX_CONTRADICTING: usize = 16;

/// The most files that are looked at, so that no heap of them holds up whoever verifies.
const MAX_FILES: usize = 100;

/// A file beside a log that is not what it should be: its name below the log's folder, and what is
/// wrong with it.
pub type Unfit = (String, String);

/// Checkpoints that were kept, each with its name below the log's folder, and what lies beside them and
/// is none.
pub type Contradicting = (Vec<(String, Note)>, Vec<Unfit>);

/// The checkpoints that were kept, the greatest first, each with its name below the log's folder; and
/// of what else lies there what is wrong with it, so that it hides none of them. Signatures are not
/// verified.
///
/// # Errors
/// A folder that cannot be listed.
pub fn contradicting(dir: &Path) -> Result<Contradicting> {
    let folder = dir.join(FOLDER);
    let (names, mut unfit) = files(&folder, FOLDER, is_name)?;
    let mut out = Vec::new();
    for name in names {
        let found = match checkpoint(&folder.join(&name)) {
            Ok(None) => continue,
            Ok(Some((checkpoint, _))) if name_of(&checkpoint) != name => {
                Err("its checkpoint is another than its name says".to_owned())
            }
            Ok(Some(found)) => Ok(found),
            Err(e) => Err(e),
        };
        let name = format!("{FOLDER}/{name}");
        match found {
            Ok((checkpoint, note)) => out.push((checkpoint.size, name, note)),
            Err(what) => unfit.push((name, what)),
        }
    }
    out.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    unfit.sort();
    Ok((out.into_iter().map(|(_, name, note)| (name, note)).collect(), unfit))
}

/// The names in a folder beside a log which `is_own` takes, at most [`MAX_FILES`], and one line where
/// there are more. Other names come after them, as what is none.
pub(crate) fn files(
    folder: &Path,
    shown: &str,
    is_own: impl Fn(&str) -> bool,
) -> Result<(Vec<String>, Vec<Unfit>)> {
    let items = match folder.read_dir() {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok((Vec::new(), Vec::new())),
        other => other.map_err(|e| Error::disk("list", folder, e))?,
    };
    let (mut own, mut others) = (Vec::new(), Vec::new());
    for item in items {
        let item = item.map_err(|e| Error::disk("list", folder, e))?;
        let name = item.file_name().to_string_lossy().into_owned();
        if name.starts_with(disk::TEMP_PREFIX) {
            continue;
        }
        if is_own(&name) { &mut own } else { &mut others }.push(name);
    }
    own.sort_unstable();
    others.sort_unstable();
    let more = (own.len() + others.len()).saturating_sub(MAX_FILES);
    own.truncate(MAX_FILES);
    others.truncate(MAX_FILES - own.len());
    let mut unfit: Vec<Unfit> = (others.into_iter())
        .map(|name| (format!("{shown}/{name}"), "it is no checkpoint that was kept".to_owned()))
        .collect();
    if more > 0 {
        let what = format!("it holds {more} more files than are looked at ({MAX_FILES})");
        unfit.push((shown.to_owned(), what));
    }
    Ok((own, unfit))
}

/// The checkpoint in a file; `None` where another process took the file away.
pub(crate) fn checkpoint(path: &Path) -> std::result::Result<Option<(Checkpoint, Note)>, String> {
    let bytes = match read(path, MAX_NOTE as u64 + 1) {
        Err(e) if e.is_missing() => return Ok(None),
        other => other.map_err(|e| e.to_string())?,
    };
    let note = Note::parse(&String::from_utf8_lossy(&bytes)).map_err(|e| e.to_string())?;
    let checkpoint = Checkpoint::of_text(&note.text).map_err(|e| e.to_string())?;
    Ok(Some((checkpoint, note)))
}

/// Keeps a checkpoint that contradicts the log, whose signature by the log was verified by the caller.
/// One that is there stays as it is; beyond [`MAX_CONTRADICTING`] none is added.
///
/// # Errors
/// The disk.
pub fn keep_contradicting(dir: &Path, note: &Note) -> Result<()> {
    let folder = dir.join(FOLDER);
    let checkpoint = Checkpoint::of_text(&note.text).map_err(|e| Error::note(&folder, e))?;
    let name = name_of(&checkpoint);
    let (kept, _) = contradicting(dir)?;
    let is_there = kept.iter().any(|(there, _)| *there == format!("{FOLDER}/{name}"));
    if is_there || kept.len() >= MAX_CONTRADICTING {
        return Ok(());
    }
    disk::create_dir(&folder)?;
    disk::write(&folder.join(name), note.to_string().as_bytes())
}

/// Brings what is kept beside one copy of a log along to another copy of it, a restored one: laying a
/// log back must not make anybody forget. Checkpoints of other logs stay behind.
///
/// # Errors
/// The disk.
pub fn carry_contradicting(from: &Path, to: &Path, origin: &str) -> Result<()> {
    for (_, note) in contradicting(from)?.0 {
        if Checkpoint::of_text(&note.text).is_ok_and(|checkpoint| checkpoint.origin == origin) {
            keep_contradicting(to, &note)?;
        }
    }
    Ok(())
}

/// Size and the beginning of the root: two histories of one size have two names.
fn name_of(checkpoint: &Checkpoint) -> String {
    let root: String = checkpoint.root.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{root}", checkpoint.size)
}

/// True for a name that a checkpoint could have.
fn is_name(name: &str) -> bool {
    let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    name.split_once('-').is_some_and(|(size, root)| {
        crate::witnessed::size_of(size).is_some() && root.len() == 16 && root.bytes().all(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::SigningKey;
    use crate::tree::root;

    fn note(size: u64, history: u8) -> Note {
        let log = SigningKey::new("police.example", &[1; 32]).unwrap();
        Note::parse(&log.sign(size, &root(&[[history; 32]]))).unwrap()
    }

    #[test]
    fn each_is_kept_once_and_never_more_than_the_bound() {
        let dir = tempfile::tempdir().unwrap();
        assert!(contradicting(dir.path()).unwrap().0.is_empty());
        for (size, history) in [(5, 1), (5, 2), (5, 1), (9, 1)] {
            keep_contradicting(dir.path(), &note(size, history)).unwrap();
        }
        let kept = contradicting(dir.path()).unwrap().0;
        let sizes = kept.iter().map(|(_, n)| Checkpoint::of_text(&n.text).unwrap().size);
        assert_eq!(sizes.collect::<Vec<_>>(), [9, 5, 5]);
        for size in 100..150 {
            keep_contradicting(dir.path(), &note(size, 3)).unwrap();
        }
        let (kept, unfit) = contradicting(dir.path()).unwrap();
        assert_eq!((kept.len(), unfit.len()), (MAX_CONTRADICTING, 0));
    }

    #[test]
    #[allow(clippy::disallowed_methods)] // Changes files, as an intruder does.
    fn what_is_none_is_named_and_hides_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join(FOLDER);
        let sizes = || -> (Vec<u64>, Vec<Unfit>) {
            let (kept, unfit) = contradicting(dir.path()).unwrap();
            let size = |(_, n): &(String, Note)| Checkpoint::of_text(&n.text).unwrap().size;
            (kept.iter().map(size).collect(), unfit)
        };
        keep_contradicting(dir.path(), &note(5, 1)).unwrap();
        keep_contradicting(dir.path(), &note(7, 1)).unwrap();
        let (_, first) = contradicting(dir.path()).unwrap().0.remove(1);
        let own = folder.join(name_of(&Checkpoint::of_text(&first.text).unwrap()));
        let other = folder.join("6-0000000000000000");
        std::fs::rename(&own, &other).unwrap();
        let (kept, unfit) = sizes();
        assert_eq!(kept, [7]);
        assert!(unfit[0].0.ends_with("6-0000000000000000") && unfit[0].1.contains("another"));
        assert_eq!(unfit.len(), 1);
        for what in [&b"no note"[..], &[0xff; 9]] {
            std::fs::write(&other, what).unwrap();
            let (kept, unfit) = sizes();
            assert!(kept == [7] && unfit.len() == 1, "{unfit:?}");
        }
        std::fs::create_dir(folder.join("8-0000000000000000")).unwrap();
        std::fs::write(folder.join("junk"), "junk").unwrap();
        let (kept, unfit) = sizes();
        assert!(kept == [7] && unfit.len() == 3, "{unfit:?}");
        // What stands in the place of one is no reason not to keep it.
        std::fs::write(&own, "no note").unwrap();
        keep_contradicting(dir.path(), &note(5, 1)).unwrap();
        assert_eq!(sizes().0, [7, 5]);
        // A heap is looked at up to a bound, names of checkpoints first.
        for n in 0..500 {
            std::fs::write(folder.join(format!("{n:04}")), "junk").unwrap();
        }
        let (kept, unfit) = sizes();
        assert_eq!(kept, [7, 5]);
        assert!(unfit.len() < MAX_FILES, "{}", unfit.len());
        assert!(unfit.iter().any(|(name, what)| name == FOLDER && what.contains(" more files")));
    }
}
