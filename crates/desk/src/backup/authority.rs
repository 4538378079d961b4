//! The authority's own folder: backed up, restored.
//!
//! Nothing is recorded of it: a record in the authority's log would be one that the backup lacks.

use std::path::{Path, PathBuf};

use ledger::disk::{self, Overwrite};
use ledger::{Lock, Reader, Trust, VerifierKey, Wait};
use vault::backup::{Copied, KeyKept, Made, copy_home_out, run_home};
use vault::{Case, Home};

use super::Store;
use super::beside::{BEFORE, Beside, RESTORING, free_name};
use crate::desk::Place;
use crate::{Error, Result};

/// What a run came to.
#[derive(Debug)]
pub struct HomeDone {
    /// The authority's name.
    pub name: String,
    /// What it did.
    pub made: Made,
    /// True where the private key is in the backup, under its passphrase.
    pub with_key: bool,
    /// What the place does not destroy of a key that was replaced there.
    pub remains: Option<String>,
}

/// Brings the backup of the home's own authority up to it.
///
/// # Errors
/// Who may not; no key, or no passphrase; the store; a destination of another authority, or of which
/// this one's log is no continuation.
pub fn back_up_home(place: &Place, store: &dyn Store, check: bool) -> Result<HomeDone> {
    crate::permit::may_back_up(&place.actor)?;
    let home = Home::new(&place.home);
    let name = home.named()?.unwrap_or_else(|| ledger::PRACTICE.to_owned());
    let (made, kept) = run_home(&home, &name, store, check, &place.holder)?;
    let remains = store.remains();
    Ok(HomeDone { name, made, with_key: kept == KeyKept::Sealed, remains })
}

/// An authority's folder that was restored, or not.
#[derive(Debug)]
pub struct HomeProven {
    /// What was copied, and what does not hold of it.
    pub copied: Copied,
    /// Where it is.
    pub dir: PathBuf,
    /// Where the folder that stood there before is now.
    pub kept: Option<PathBuf>,
    /// Where the copy is, if it did not hold.
    pub left: Option<PathBuf>,
    /// True where the key can sign: it came along, or it stood there.
    pub signs: bool,
    /// Cases that the backup knows, in which nothing more was seen.
    pub cases: usize,
}

/// Restores an authority's folder into `home`. It is proven beside that before it takes its place. What
/// stands there is kept, and only replaced where `replace` is true and its log is the beginning of the
/// one that is restored. `cases` are held against it: one that knows more shows that the backup is older
/// than what the authority has done.
///
/// # Errors
/// Another authority's home; a log there that is longer, or another; the store; the disk.
pub fn restore_home(
    home: &Path,
    cases: &[PathBuf],
    store: &dyn Store,
    (replace, trust): (bool, Option<&Trust>),
    holder: &str,
) -> Result<HomeProven> {
    let beside = Beside::make(home, RESTORING, holder)?;
    let restored = restored(home, cases, store, (replace, trust), holder, &beside);
    // A copy that did not hold stays, for reading.
    if restored.as_ref().is_ok_and(|proven| proven.left.is_some()) {
        return restored;
    }
    beside.remove();
    restored
}

fn restored(
    home: &Path,
    cases: &[PathBuf],
    store: &dyn Store,
    (replace, trust): (bool, Option<&Trust>),
    holder: &str,
    beside: &Beside,
) -> Result<HomeProven> {
    let copied = copy_home_out(store, &beside.dir)?;
    let name = copied.name.clone();
    let dir = home.join("authorities").join(&name);
    let mut proven =
        HomeProven { copied, dir, kept: None, left: None, signs: false, cases: cases.len() };
    let held = in_its_place(home, &proven, replace, holder)?;
    let log = beside.dir.join("authorities").join(&name).join("ledger");
    proven.carry_contradicting(&log)?;
    proven.carry_seen(&log)?;
    if let Some(trust) = trust {
        proven.hold_against(trust);
    }
    let copy = beside.dir.join("authorities").join(&name);
    for case in cases {
        proven.hold_case(case, &copy)?;
    }
    if !proven.copied.findings.is_empty() {
        proven.left = Some(beside.dir.clone());
        return Ok(proven);
    }
    proven.signs = proven.copied.with_key || carry_key(&proven.dir, &copy, &proven.copied.key)?;
    if proven.dir.exists() {
        let kept = free_name(&home.join(&name), BEFORE)?;
        disk::rename(&proven.dir, &kept)?;
        proven.kept = Some(kept);
    }
    disk::create_dir(&home.join("authorities"))?;
    if let Err(error) = disk::rename(&copy, &proven.dir) {
        // As it was.
        if let Some(kept) = proven.kept.as_ref().filter(|_| !proven.dir.exists()) {
            disk::rename(kept, &proven.dir)?;
        }
        return Err(error.into());
    }
    if name != ledger::PRACTICE && Home::new(home).named()?.is_none() {
        let text = format!("{name}\n");
        disk::write_with(&home.join("authority"), text.as_bytes(), Overwrite::Never, 0o644)?;
    }
    drop(held);
    Ok(proven)
}

/// Whether the folder may take its place: the lock of what stands there.
fn in_its_place(
    home: &Path,
    proven: &HomeProven,
    replace: bool,
    holder: &str,
) -> Result<Option<Lock>> {
    let (name, size) = (&proven.copied.name, proven.copied.size);
    if let Some(other) = Home::new(home).named()?.filter(|other| other != name) {
        return Err(Error::Asked(format!(
            "{} is the home of {other}, and the backup is of {name}: name another with --home",
            home.display()
        )));
    }
    if proven.dir.symlink_metadata().is_err() {
        return Ok(None);
    }
    let shown = proven.dir.display();
    let log = proven.dir.join("ledger");
    let here = Reader::open(&log).map_or(0, |log| log.size());
    if here > size {
        return Err(Error::Asked(format!(
            "{shown} holds {here} records of the authority's log, the backup {size}: the longer one \
             stays. To use the backup all the same, move that folder away yourself; what it recorded \
             since is lost then, and nothing may be signed beyond the {size} records"
        )));
    }
    if !replace {
        return Err(Error::Asked(format!(
            "{shown} is there: say --replace, which keeps it under another name"
        )));
    }
    if here > 0 {
        let copy = Beside::path(home)?.join("authorities").join(name).join("ledger");
        let same = Reader::open(&copy).and_then(|copy| copy.root_at(here)).ok()
            == Reader::open(&log).and_then(|log| log.root_at(here)).ok();
        if !same && proven.copied.findings.is_empty() {
            return Err(Error::Asked(format!(
                "{shown} holds another history of the authority's log: of the first {here} records the \
                 roots differ. Nothing was changed; find out which of them its witnesses have seen \
                 (`vigie witness compare`)"
            )));
        }
    }
    Ok(Some(Lock::acquire(&proven.dir.join("lock"), holder, Wait::Fail)?))
}

/// Brings the key that stands there along, where it signs the restored log.
fn carry_key(old: &Path, copy: &Path, key: &str) -> Result<bool> {
    let Some(home) = old.parent().and_then(Path::parent) else { return Ok(false) };
    let name = old.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let Ok(authority) = Home::new(home).find(&name) else { return Ok(false) };
    if authority.verifier(&name)?.text() != key {
        return Ok(false);
    }
    let told = |source| Error::Read { path: old.join("key"), source };
    let bytes = std::fs::read(old.join("key")).map_err(told)?;
    disk::write_with(&copy.join("key"), &bytes, Overwrite::Replace, 0o600)?;
    Ok(Home::new(copy.parent().and_then(Path::parent).unwrap_or(copy)).find(&name).is_ok())
}

impl HomeProven {
    fn find(&mut self, place: String, message: String) {
        self.copied.findings.push(vault::Finding { place, message });
    }

    /// What contradicts the log that stands there contradicts the copy of it at `to`, unless that goes
    /// through it.
    fn carry_contradicting(&mut self, to: &Path) -> Result<()> {
        ledger::carry_contradicting(&self.dir.join("ledger"), to, &self.copied.name)?;
        let Ok(log) = Reader::open(to) else { return Ok(()) };
        for (name, note) in ledger::contradicting(to)?.0 {
            let size = ledger::Checkpoint::of_text(&note.text).map_or(0, |c| c.size);
            if size > log.size() || log.compare(&note)?.is_some() {
                let what = "a witness keeps this checkpoint, which the log signed, and the restored \
                            log does not go through it";
                self.find(format!("ledger/{name}"), what.to_owned());
            }
        }
        Ok(())
    }

    /// What the authority has seen of its own log, which stands beside that, holds of the copy at `to`
    /// too. Its signature is not looked at: at worst something is refused.
    fn carry_seen(&mut self, to: &Path) -> Result<()> {
        let own = ledger::seen_name(&self.copied.name);
        let path = self.dir.join("seen").join(&own);
        let note = match std::fs::read_to_string(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(Error::Read { path, source }),
            Ok(note) => note,
        };
        let Ok(seen) = ledger::Checkpoint::parse_unverified(&note) else { return Ok(()) };
        let what = match Reader::open(to)?.goes_through(&[seen]) {
            Ok(()) => {
                let folder = to.with_file_name("seen");
                disk::create_dir(&folder)?;
                return Ok(disk::write(&folder.join(own), note.as_bytes())?);
            }
            Err(ledger::Error::RolledBack { found, seen, .. }) => format!(
                "the authority has seen {seen} records of its own log, and the backup has {found}: it is \
                 older. Nothing may be signed beyond it: what was recorded since is lost then. To use it \
                 all the same, move {} away yourself",
                path.display()
            ),
            Err(ledger::Error::OtherHistory { size, .. }) => {
                format!("the authority has seen another history of its own log ({size} records)")
            }
            Err(e) => return Err(e.into()),
        };
        self.find("ledger/checkpoint".to_owned(), what);
        Ok(())
    }

    /// The reader's own file on whose keys count.
    fn hold_against(&mut self, trust: &Trust) {
        let named = trust.keys_of(&self.copied.name);
        if named.is_none_or(|keys| keys.now().text() != self.copied.key) {
            let what = "the file of --trust does not name the key that signs it now".to_owned();
            self.find("ledger/checkpoint".to_owned(), what);
        }
    }

    /// A case whose birth the authority's log must hold, and whose key it must know.
    fn hold_case(&mut self, case: &Path, copy: &Path) -> Result<()> {
        let origin = Case::origin_in(case)?;
        let place = case.display().to_string();
        if vault::authority_of(&origin) != self.copied.name {
            let of = vault::authority_of(&origin);
            self.copied.notes.push(format!("{place} is a case of {of}: it says nothing of this"));
            self.cases -= 1;
            return Ok(());
        }
        let lost = "this backup is older than that, and whoever went on from it would fork the \
                    authority's log: look for a newer one";
        let log = Reader::open(&copy.join("ledger"));
        let born = log.ok().and_then(|log| vault::birth_in(&log, &origin).ok().flatten());
        if born.is_none() {
            self.find(place, format!("the authority recorded the birth of this case: {lost}"));
            return Ok(());
        }
        let log = Reader::open(&case.join("ledger"))?;
        let signed = |key: &str| {
            let key = VerifierKey::parse(key).ok().and_then(|key| key.renamed(&origin).ok());
            key.zip(log.checkpoint()).is_some_and(|(key, note)| key.open(note).is_ok())
        };
        // A case that was not opened since a rotation has the former key yet.
        let keys = vault::named_keys(&log)?.map(|keys| keys.now().clone());
        let known = signed(&self.copied.key)
            || keys.is_some_and(|key| knows(copy, &self.copied.first, &key));
        if !known {
            self.find(
                place,
                format!("it is signed by a key that the backup does not know: {lost}"),
            );
        }
        Ok(())
    }
}

/// True where the authority's log tells of that key, in whichever log.
fn knows(copy: &Path, first: &str, key: &VerifierKey) -> bool {
    let Ok(log) = Reader::open(&copy.join("ledger")) else { return false };
    let mut texts: Vec<VerifierKey> = VerifierKey::parse(first).into_iter().collect();
    for rotation in vault::rotations(&log).unwrap_or_default() {
        texts.extend([rotation.old, rotation.new]);
    }
    texts.iter().any(|known| known.renamed(key.name()).as_ref() == Ok(key))
}
