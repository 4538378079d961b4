//! Where authorities live, outside every case: signing keys, the authority's own log, and the last
//! checkpoint seen of each log.
//!
//! ```text
//! HOME/authority                       the name, once one was given
//! HOME/authorities/NAME/key            mode 0600, the private key: in the clear or under a passphrase
//! HOME/authorities/NAME/key-next       while the key is replaced: the new one, until its record stands
//! HOME/authorities/NAME/openings/N     of the records of its log that commit to something
//! HOME/authorities/NAME/ledger/        the authority's own log, origin NAME
//! HOME/authorities/NAME/lock
//! HOME/authorities/NAME/seen/HEX       the last checkpoint of the log whose origin has that SHA-256
//! ```

use std::path::{Path, PathBuf};
use std::time::Duration;

use model::Sha256Hex;

use crate::disk::{self, Overwrite};
use crate::error::{Error, Result};
use crate::keyfile::Fresh;
use crate::keys::Keys;
use crate::lock::{Lock, Quiet, Wait};
use crate::note::{Checkpoint, NoteError, SigningKey, VerifierKey};
use crate::own_key::{OwnKey, Under};
use crate::reader::Reader;
use crate::store::read;

/// The authority of who has named none: for practice only.
pub const PRACTICE: &str = "practice.invalid";

/// The key's file, and that of the one that is to replace it.
const KEY: &str = "key";
const NEXT: &str = "key-next";
/// The longest opening of a record, in bytes.
const MAX_OPENING: u64 = 1 << 20;

/// The folder of authorities.
#[derive(Debug, Clone)]
pub struct Home {
    dir: PathBuf,
}

/// An authority whose key is at hand; where it is under a passphrase, closed until it signs.
#[derive(Debug, Clone)]
pub struct Authority {
    dir: PathBuf,
    key: OwnKey,
}

impl Home {
    /// The home in `dir`, which is made when something is written.
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The name given by `init`, if one was.
    ///
    /// # Errors
    /// The disk.
    pub fn named(&self) -> Result<Option<String>> {
        let path = self.dir.join("authority");
        match read(&path, 200) {
            Ok(bytes) => {
                let name = String::from_utf8_lossy(&bytes).trim_end().to_owned();
                check_name(&name)?;
                Ok(Some(name))
            }
            Err(e) if e.is_missing() => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Names the authority of this home and makes its key from 32 random bytes.
    ///
    /// # Errors
    /// Named already; a name that none can have; the disk.
    pub fn init(&self, name: &str, seed: &[u8; 32]) -> Result<Authority> {
        check_name(name)?;
        if name == PRACTICE {
            return Err(Error::AuthorityReserved(name.to_owned()));
        }
        if let Some(named) = self.named()? {
            return Err(Error::AuthorityNamed(named));
        }
        let authority = self.obtain(name, seed)?;
        let text = format!("{name}\n");
        disk::write_with(&self.dir.join("authority"), text.as_bytes(), Overwrite::Never, 0o644)?;
        Ok(authority)
    }

    /// The named authority, else [`PRACTICE`], whose key is made from `seed` where there is none.
    ///
    /// # Errors
    /// A key that cannot be read; the disk.
    pub fn current(&self, seed: &[u8; 32]) -> Result<Authority> {
        match self.named()? {
            Some(name) => self.find(&name),
            None => self.obtain(PRACTICE, seed),
        }
    }

    /// The authority of that name, whose key must be there.
    ///
    /// # Errors
    /// No key of that name, or one that cannot be read.
    pub fn find(&self, name: &str) -> Result<Authority> {
        check_name(name)?;
        let dir = self.dir.join("authorities").join(name);
        Authority::of(dir, name).map_err(|error| match error {
            e if e.is_missing() => {
                Error::NoKey { authority: name.to_owned(), home: self.dir.clone() }
            }
            other => other,
        })
    }

    fn obtain(&self, name: &str, seed: &[u8; 32]) -> Result<Authority> {
        match self.find(name) {
            Err(e) if e.is_missing() => {}
            other => return other,
        }
        let dir = self.dir.join("authorities").join(name);
        disk::create_dir(&dir)?;
        let path = dir.join(KEY);
        let key = SigningKey::new(name, seed).map_err(|e| Error::note(&path, e))?;
        match OwnKey::create(&path, key) {
            Ok(key) => Ok(Authority { dir, key }),
            // Another process was first: its key is the one.
            Err(Error::Exists(_)) => self.find(name),
            Err(e) => Err(e),
        }
    }
}

/// The key in a file, which must be of that name.
fn key_in(path: &Path, name: &str) -> Result<OwnKey> {
    let key = OwnKey::read(path)?;
    let found = key.verifier().name().to_owned();
    if found != name {
        return Err(Error::note(path, NoteError::Origin { expected: name.to_owned(), found }));
    }
    Ok(key)
}

/// As a domain name, so that it can stand in origins and paths.
fn check_name(name: &str) -> Result<()> {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    let whole = name.split('.').all(|label| !label.is_empty());
    if (1..=64).contains(&name.len()) && name.bytes().all(fits) && whole {
        Ok(())
    } else {
        Err(Error::AuthorityName(name.chars().take(80).collect()))
    }
}

impl Authority {
    /// The authority of that name, in its own folder.
    fn of(dir: PathBuf, name: &str) -> Result<Self> {
        let path = dir.join(NEXT);
        if path.exists() {
            let key = key_in(&path, name)?;
            // Once its record stands, a checkpoint that it signed does.
            let log = Reader::open(&dir.join("ledger"));
            let signed =
                |log: Reader| log.checkpoint().map(|note| key.verifier().open(note).is_ok());
            if log.ok().and_then(signed) == Some(true) {
                return Ok(Self { dir, key });
            }
        }
        let path = dir.join(KEY);
        let key = key_in(&path, name)?;
        Ok(Self { dir, key })
    }

    /// The same authority as it stands now: another process may have changed it.
    ///
    /// # Errors
    /// As [`Home::find`].
    pub fn reread(&self) -> Result<Self> {
        Self::of(self.dir.clone(), self.name())
    }

    /// Takes the writer's lock of the authority's own log, and of its key.
    ///
    /// # Errors
    /// As [`Lock::acquire`].
    pub fn lock(&self, holder: &str, wait: Wait) -> Result<Lock> {
        Lock::acquire(&self.dir.join("lock"), holder, wait)
    }

    /// Holds writers of the authority's own log off while it is read whole; at most five seconds are
    /// waited for one that is at work.
    pub fn quiet(&self) -> Option<Quiet> {
        Quiet::hold(&self.dir.join("lock"), Duration::from_secs(5))
    }

    /// Completes the replacing of the key that a crash cut off: where the new one signs the log
    /// already its file gets its name, and true comes back; else it never was.
    ///
    /// # Errors
    /// The disk.
    pub fn settle(self, _lock: &Lock) -> Result<(Self, bool)> {
        let (next, path) = (self.dir.join(NEXT), self.dir.join(KEY));
        if self.key.path() == next {
            // Where it has the name, and only that is not durable, the next settling does it again.
            match disk::rename(&next, &path) {
                Err(e) if next.exists() => return Err(e),
                _ => return Ok((Self { key: self.key.at(path), ..self }, true)),
            }
        }
        if next.exists() {
            disk::remove(&next)?;
        }
        Ok((self, false))
    }

    /// Makes the key that is to replace this one, protected as this one is, and keeps it beside it.
    ///
    /// # Errors
    /// As [`Authority::unlock`]; the disk.
    pub fn put_next(&self, _lock: &Lock, seed: &[u8; 32], fresh: Fresh) -> Result<SigningKey> {
        let path = self.dir.join(NEXT);
        let key = SigningKey::new(self.name(), seed).map_err(|e| Error::note(&path, e))?;
        let file = self.key.alike(&key, fresh)?;
        disk::write_with(&path, file.text().as_bytes(), Overwrite::Replace, 0o600)?;
        Ok(key)
    }

    /// Keeps the opening of a record of the authority's own log, before the record stands there.
    ///
    /// # Errors
    /// The disk.
    pub fn put_opening(&self, _lock: &Lock, record: u64, line: &[u8]) -> Result<()> {
        let folder = self.dir.join("openings");
        disk::create_dir(&folder)?;
        disk::write_with(&folder.join(record.to_string()), line, Overwrite::Replace, 0o600)
    }

    /// The opening of a record of the authority's own log, where one was kept.
    ///
    /// # Errors
    /// The disk.
    pub fn opening(&self, record: u64) -> Result<Option<Vec<u8>>> {
        match read(&self.dir.join("openings").join(record.to_string()), MAX_OPENING) {
            Ok(line) => Ok(Some(line)),
            Err(e) if e.is_missing() => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Its name, the origin of its own log.
    pub fn name(&self) -> &str {
        self.key.name()
    }

    /// True where its key is under a passphrase.
    pub fn is_sealed(&self) -> bool {
        self.key.is_sealed()
    }

    /// Its key, under its own name. Where it is under a passphrase, that is come by as the process
    /// said ([`crate::passphrases_from`]), once.
    ///
    /// # Errors
    /// A key's file that others can read; no passphrase, or another.
    pub fn unlock(&self) -> Result<SigningKey> {
        self.key.unlock()
    }

    /// Puts the key under a passphrase, or another one, or none.
    ///
    /// # Errors
    /// As [`Authority::unlock`]; a lock held by another; the disk.
    pub fn protect(&self, under: Option<Under<'_>>, holder: &str, wait: Wait) -> Result<()> {
        let lock = self.lock(holder, wait)?;
        let (now, _) = self.reread()?.settle(&lock)?;
        now.key.protect(under)
    }

    /// Its key under the origin of one of its logs.
    ///
    /// # Errors
    /// As [`Authority::unlock`]; an origin that notes cannot carry.
    pub fn signer(&self, origin: &str) -> Result<SigningKey> {
        self.unlock()?.renamed(origin).map_err(|e| Error::note(&self.dir, e))
    }

    /// What verifies the log of that origin. No passphrase is needed.
    ///
    /// # Errors
    /// An origin that notes cannot carry.
    pub fn verifier(&self, origin: &str) -> Result<VerifierKey> {
        self.key.verifier().renamed(origin).map_err(|e| Error::note(&self.dir, e))
    }

    /// The folder of the authority's own log.
    pub fn log_dir(&self) -> PathBuf {
        self.dir.join("ledger")
    }

    /// Opens the authority's own log for reading. (For writing its keys must be known, which its
    /// records tell: `vault::open_log`.)
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn reader(&self) -> Result<Reader> {
        Reader::open(&self.log_dir())
    }

    /// True where the authority has seen logs of cases, whose births its own log holds.
    pub fn has_cases(&self) -> bool {
        let own = self.seen_path(self.name());
        let items = self.dir.join("seen").read_dir();
        items.into_iter().flatten().flatten().any(|item| {
            let unfinished =
                item.file_name().as_encoded_bytes().starts_with(disk::TEMP_PREFIX.as_bytes());
            item.path() != own && !unfinished
        })
    }

    /// Removes openings of records that its own log does not hold; the lock is held.
    ///
    /// # Errors
    /// The disk.
    pub fn drop_openings(&self, records: u64) -> Result<()> {
        for item in self.dir.join("openings").read_dir().into_iter().flatten().flatten() {
            let index = item.file_name().to_str().and_then(|name| name.parse::<u64>().ok());
            if index.is_some_and(|index| index >= records) {
                disk::remove(&item.path())?;
            }
        }
        Ok(())
    }

    /// True where its own log once held something: it has seen it, or keeps openings of its records, or
    /// a key that one of them names.
    pub fn has_history(&self) -> bool {
        let there = |name: &str| self.dir.join(name).symlink_metadata().is_ok();
        let opened =
            self.dir.join("openings").read_dir().is_ok_and(|mut items| items.next().is_some());
        let seen = self.seen_path(self.name()).symlink_metadata().is_ok();
        seen || opened || there(NEXT)
    }

    fn seen_path(&self, origin: &str) -> PathBuf {
        self.dir.join("seen").join(seen_name(origin))
    }

    /// The last checkpoint seen of a log, if any; its signature verified, by whichever of the log's keys:
    /// what was seen may be more than the log holds now, and beyond a rotation that this lacks.
    ///
    /// # Errors
    /// A checkpoint that does not verify; the disk.
    pub fn seen(&self, origin: &str, keys: &Keys) -> Result<Option<Checkpoint>> {
        let path = self.seen_path(origin);
        match read(&path, 4096) {
            Ok(bytes) => {
                let note = String::from_utf8_lossy(&bytes);
                let checkpoint = keys.open_kept(&note);
                checkpoint.map(Some).map_err(|e| Error::note(&path, e))
            }
            // A link to nothing is no file that never was.
            Err(e) if e.is_missing() && path.symlink_metadata().is_err() => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Keeps a log's checkpoint, against which a cut copy shows. What was seen is never replaced by
    /// less, or by another history of as much.
    ///
    /// # Errors
    /// A checkpoint that does not verify; [`Error::RolledBack`], [`Error::OtherHistory`]; the disk.
    pub fn see(&self, note: &str, origin: &str, keys: &Keys) -> Result<()> {
        let path = self.seen_path(origin);
        let now = keys.open(note).map_err(|e| Error::note(&path, e))?;
        if let Some(seen) = self.seen(origin, keys)? {
            let (origin, found) = (origin.to_owned(), now.size);
            if found < seen.size {
                return Err(Error::RolledBack { origin, found, seen: seen.size });
            }
            if found == seen.size && now.root != seen.root {
                return Err(Error::OtherHistory { origin, size: found });
            }
        }
        disk::create_dir(&self.dir.join("seen"))?;
        disk::write(&path, note.as_bytes())
    }
}

/// The name of the file in an authority's folder `seen/` that holds what it has seen of a log.
pub fn seen_name(origin: &str) -> String {
    Sha256Hex::of(origin.as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::keyfile::Cost;
    use crate::passphrase::Passphrase;

    #[test]
    fn practice_until_named_then_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::new(&dir.path().join("home"));
        let practice = home.current(&[1; 32]).unwrap();
        assert_eq!(practice.name(), PRACTICE);
        // The second seed is not used: the key is there.
        let again = home.current(&[2; 32]).unwrap();
        assert_eq!(again.verifier("x").unwrap(), practice.verifier("x").unwrap());
        assert_eq!(home.init("police.example", &[3; 32]).unwrap().name(), "police.example");
        assert_eq!(home.current(&[4; 32]).unwrap().name(), "police.example");
        assert!(matches!(home.init("other.example", &[5; 32]), Err(Error::AuthorityNamed(_))));
        assert!(matches!(
            Home::new(&dir.path().join("new")).init(PRACTICE, &[5; 32]),
            Err(Error::AuthorityReserved(_))
        ));
        for bad in ["", "..", "a/b", "A", "a b", "a..b", &"x".repeat(65)] {
            assert!(matches!(home.find(bad), Err(Error::AuthorityName(_))), "{bad}");
        }
        assert!(home.find(PRACTICE).is_ok());
    }

    #[test]
    fn a_key_under_a_passphrase_verifies_without_it_and_signs_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::new(dir.path());
        let plain = home.init("police.example", &[3; 32]).unwrap();
        let secret = plain.unlock().unwrap().secret_text();
        let path = dir.path().join("authorities/police.example/key");
        let mode = || path.metadata().unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(), 0o600);
        let word = Passphrase::new("correct horse".to_owned());
        let fresh = Fresh::of(&[1; 32], &[2; 32]);
        plain.protect(Some((&word, Cost::LEAST, fresh)), "test", Wait::Fail).unwrap();
        assert_eq!(mode(), 0o600);
        let sealed = home.find("police.example").unwrap();
        assert!(sealed.is_sealed() && !plain.is_sealed());
        assert_eq!(sealed.name(), "police.example");
        assert_eq!(sealed.verifier("o").unwrap(), plain.verifier("o").unwrap());
        // Nobody was asked, and nobody can be until the process says how.
        assert!(matches!(sealed.signer("o"), Err(Error::Locked { .. })));
        crate::passphrases_from(Box::new(|name| {
            assert_eq!(name, "police.example");
            Ok(Passphrase::new("correct horse".to_owned()))
        }));
        assert_eq!(sealed.unlock().unwrap().secret_text(), secret);
        // Back in the clear it is what it was; under another one it stays closed.
        sealed.protect(None, "test", Wait::Fail).unwrap();
        assert_eq!(mode(), 0o600);
        let plain = home.find("police.example").unwrap();
        assert_eq!(plain.unlock().unwrap().secret_text(), secret);
        let other = Passphrase::new("another horse".to_owned());
        let fresh = Fresh::of(&[3; 32], &[4; 32]);
        plain.protect(Some((&other, Cost::LEAST, fresh)), "test", Wait::Fail).unwrap();
        let other = home.find("police.example").unwrap();
        for refused in [other.signer("o").map(drop), other.protect(None, "test", Wait::Fail)] {
            let refused = refused.unwrap_err();
            assert!(refused.to_string().contains("the passphrase does not open it"), "{refused}");
        }
    }

    #[test]
    fn a_key_that_others_can_read_signs_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::new(dir.path());
        let authority = home.init("police.example", &[3; 32]).unwrap();
        let path = dir.path().join("authorities/police.example/key");
        for mode in [0o640, 0o604, 0o620, 0o601] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let refused = authority.signer("o").unwrap_err();
            assert!(refused.to_string().contains("chmod 600"), "{refused}");
            assert!(matches!(authority.protect(None, "t", Wait::Fail), Err(Error::Exposed { .. })));
            assert!(authority.verifier("o").is_ok(), "who verifies is not held up");
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
        assert!(authority.signer("o").is_ok());
    }

    #[test]
    fn a_seen_checkpoint_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let authority = Home::new(dir.path()).current(&[1; 32]).unwrap();
        let note = authority.signer("o").unwrap().sign(3, &[9; 32]);
        let keys = Keys::from(authority.verifier("o").unwrap());
        assert_eq!(authority.seen("o", &keys).unwrap(), None);
        authority.see(&note, "o", &keys).unwrap();
        assert_eq!(authority.seen("o", &keys).unwrap().map(|c| c.size), Some(3));
        assert!(authority.see(&note, "p", &authority.verifier("p").unwrap().into()).is_err());
    }
}
