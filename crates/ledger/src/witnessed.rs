//! Cosigned checkpoints of a log, kept beside it: `witnessed/SIZE`, signed notes.
//!
//! The log's own `checkpoint` stays as the log wrote it. Of the cosigned ones those are kept that say
//! more than the others: a note goes when another of the same size or more has all its cosigners. So
//! there are never more than there are witnesses.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::contradicting::{Unfit, checkpoint, files};
use crate::disk;
use crate::error::{Error, Result};
use crate::note::{Checkpoint, Note, Signature};

/// The folder's name.
pub(crate) const FOLDER: &str = "witnessed";

/// The cosigned checkpoints of the log in `dir`, the greatest first; and what is wrong with files there
/// that are none, so that they hide no other. Signatures are not verified.
///
/// # Errors
/// A folder that cannot be listed.
pub fn witnessed(dir: &Path) -> Result<(Vec<Note>, Vec<Unfit>)> {
    let (mut found, unfit) = kept(dir)?;
    found.sort_by_key(|(size, ..)| std::cmp::Reverse(*size));
    Ok((found.into_iter().map(|(_, _, note)| note).collect(), unfit))
}

/// Keeps a cosigned checkpoint: the log's signature, which comes first, and those of witnesses, all
/// verified by the caller. What is there of the same size is joined with it.
///
/// # Errors
/// A checkpoint of another root than the one of that size that is there; the disk.
pub fn keep_witnessed(dir: &Path, note: &Note) -> Result<()> {
    let folder = dir.join(FOLDER);
    let path_of = |size: u64| folder.join(size.to_string());
    let size = Checkpoint::of_text(&note.text).map_err(|e| Error::note(&folder, e))?.size;
    let (mut notes, _) = kept(dir)?;
    let mut joined = note.clone();
    if let Some((_, path, there)) = notes.iter().find(|(n, ..)| *n == size) {
        if there.text != note.text {
            return Err(Error::damaged(path, "it is a checkpoint of another history"));
        }
        for signature in &there.signatures {
            let same = |s: &&mut Signature| s.name == signature.name && s.id == signature.id;
            match joined.signatures.iter_mut().find(same) {
                // Of two by one witness the later counts; their times come first in their bytes.
                Some(s) if s.bytes.get(..8) < signature.bytes.get(..8) => *s = signature.clone(),
                Some(_) => {}
                None => joined.signatures.push(signature.clone()),
            }
        }
    }
    disk::create_dir(&folder)?;
    disk::write(&path_of(size), joined.to_string().as_bytes())?;
    notes.retain(|(n, ..)| *n != size);
    notes.push((size, path_of(size), joined));
    for (n, path, note) in &notes {
        let by = cosigners(note);
        let more = |(m, _, other): &&(u64, PathBuf, Note)| m > n && by.is_subset(&cosigners(other));
        if notes.iter().any(|other| more(&other)) {
            disk::remove(path)?;
        }
    }
    Ok(())
}

/// Who signed besides the log itself.
fn cosigners(note: &Note) -> BTreeSet<(&str, [u8; 4])> {
    let log = note.text.lines().next().unwrap_or("");
    let others = note.signatures.iter().filter(|s| s.name != log);
    others.map(|s| (s.name.as_str(), s.id)).collect()
}

/// Each size, path and note.
type Kept = Vec<(u64, PathBuf, Note)>;

fn kept(dir: &Path) -> Result<(Kept, Vec<Unfit>)> {
    let folder = dir.join(FOLDER);
    let (names, mut unfit) = files(&folder, FOLDER, |name| size_of(name).is_some())?;
    // Other names than sizes are told of as any stray file.
    unfit.retain(|(name, _)| name == FOLDER);
    let mut out = Vec::new();
    for name in names {
        let (path, size) = (folder.join(&name), size_of(&name));
        match checkpoint(&path) {
            // Another process replaced it by one that says more.
            Ok(None) => {}
            Ok(Some((of, note))) if Some(of.size) == size => out.push((of.size, path, note)),
            Ok(Some(_)) => {
                unfit
                    .push((format!("{FOLDER}/{name}"), "its checkpoint is of another size".into()));
            }
            Err(what) => unfit.push((format!("{FOLDER}/{name}"), what)),
        }
    }
    unfit.sort();
    Ok((out, unfit))
}

/// The size that a file's name gives, in its one writing.
pub(crate) fn size_of(name: &str) -> Option<u64> {
    name.parse::<u64>().ok().filter(|size| size.to_string() == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::{CosignerKey, SigningKey};
    use crate::tree::root;

    fn note(size: u64, by: &[(u8, u64)]) -> Note {
        let log = SigningKey::new("police.example", &[1; 32]).unwrap();
        let mut note = Note::parse(&log.sign(size, &root(&[[size as u8; 32]]))).unwrap();
        for (who, time) in by {
            let key = CosignerKey::new(&format!("w{who}.example"), &[*who; 32]).unwrap();
            note.signatures.push(key.cosign(&note.text, *time));
        }
        note
    }

    #[test]
    fn what_says_more_stays() {
        let dir = tempfile::tempdir().unwrap();
        let sizes = || -> Vec<(usize, usize)> {
            let notes = witnessed(dir.path()).unwrap().0;
            let size = |n: &Note| Checkpoint::of_text(&n.text).unwrap().size as usize;
            notes.iter().map(|n| (size(n), n.signatures.len() - 1)).collect()
        };
        assert_eq!(sizes(), []);
        keep_witnessed(dir.path(), &note(5, &[(2, 10)])).unwrap();
        keep_witnessed(dir.path(), &note(5, &[(3, 10)])).unwrap();
        assert_eq!(sizes(), [(5, 2)]);
        // Fewer cosigners of a greater tree say something else, not more.
        keep_witnessed(dir.path(), &note(8, &[(2, 20)])).unwrap();
        assert_eq!(sizes(), [(8, 1), (5, 2)]);
        keep_witnessed(dir.path(), &note(9, &[(2, 30), (3, 30)])).unwrap();
        assert_eq!(sizes(), [(9, 2)]);
        // The later of two by one witness is kept, whichever came first.
        keep_witnessed(dir.path(), &note(9, &[(2, 40)])).unwrap();
        keep_witnessed(dir.path(), &note(9, &[(2, 35)])).unwrap();
        let kept = witnessed(dir.path()).unwrap().0;
        let times: Vec<u64> = (kept[0].signatures[1..].iter())
            .map(|s| u64::from_be_bytes(s.bytes[..8].try_into().unwrap()))
            .collect();
        assert!(times.contains(&40) && times.contains(&30), "{times:?}");
        // Another history of one size is not laid over the first.
        let mut other = note(9, &[(2, 50)]);
        other.text = note(7, &[]).text.replace("\n7\n", "\n9\n");
        assert!(keep_witnessed(dir.path(), &other).is_err());
    }

    #[test]
    #[allow(clippy::disallowed_methods)] // Changes files, as an intruder does.
    fn what_is_none_hides_no_other() {
        let dir = tempfile::tempdir().unwrap();
        keep_witnessed(dir.path(), &note(5, &[(2, 10)])).unwrap();
        let folder = dir.path().join(FOLDER);
        std::fs::write(folder.join("7"), note(8, &[]).to_string()).unwrap();
        std::fs::write(folder.join("9"), "no note").unwrap();
        let (kept, unfit) = witnessed(dir.path()).unwrap();
        assert_eq!((kept.len(), unfit.len()), (1, 2), "{unfit:?}");
        assert_eq!((&*unfit[0].0, &*unfit[1].0), ("witnessed/7", "witnessed/9"));
        // It is replaced where one is kept of that size.
        keep_witnessed(dir.path(), &note(9, &[(3, 10)])).unwrap();
        assert_eq!(witnessed(dir.path()).unwrap().0.len(), 2);
    }
}
