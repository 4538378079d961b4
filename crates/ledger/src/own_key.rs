//! A private key in a file of its own, in the clear or under a passphrase: an authority's, a
//! person's.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::disk::{self, Overwrite};
use crate::error::{Error, Result};
use crate::keyfile::{Cost, Fresh, KeyFile, MAX_KEY_FILE, Sealed};
use crate::note::{SigningKey, VerifierKey};
use crate::passphrase::{self, Passphrase};
use crate::store::read;

/// What a passphrase puts around a key: itself, what opening costs, and what is random.
pub type Under<'a> = (&'a Passphrase, Cost, Fresh);

/// A key at its place; where it is under a passphrase, closed until it signs.
#[derive(Debug, Clone)]
pub struct OwnKey {
    path: PathBuf,
    file: KeyFile,
}

impl OwnKey {
    /// Reads a key's file.
    ///
    /// # Errors
    /// No file; what holds no key.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = Zeroizing::new(read(path, MAX_KEY_FILE as u64 + 1)?);
        let text = std::str::from_utf8(&bytes).unwrap_or_default();
        let file = KeyFile::parse(text).map_err(|e| Error::key_file(path, e))?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Writes a new key, in the clear, into a file that is not there yet and that only its owner may
    /// read.
    ///
    /// # Errors
    /// A file that is there; the disk.
    pub fn create(path: &Path, key: SigningKey) -> Result<Self> {
        let file = KeyFile::Plain(key);
        disk::write_with(path, file.text().as_bytes(), Overwrite::Never, 0o600)?;
        Ok(Self { path: path.to_owned(), file })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The same, after its file was moved.
    pub(crate) fn at(self, path: PathBuf) -> Self {
        Self { path, ..self }
    }

    /// What verifies. No passphrase is needed.
    pub fn verifier(&self) -> VerifierKey {
        self.file.verifier()
    }

    /// Whose it is.
    pub fn name(&self) -> &str {
        match &self.file {
            KeyFile::Plain(key) => key.name(),
            KeyFile::Sealed(sealed) => sealed.verifier().name(),
        }
    }

    /// True where it is under a passphrase.
    pub fn is_sealed(&self) -> bool {
        matches!(self.file, KeyFile::Sealed(_))
    }

    /// The key. Where it is under a passphrase, that is come by as the process said
    /// ([`crate::passphrases_from`]), once.
    ///
    /// # Errors
    /// A file that others than its owner can read; no passphrase, or another.
    pub fn unlock(&self) -> Result<SigningKey> {
        let path = &self.path;
        let found = path.metadata().map_err(|e| Error::disk("look at", path, e))?;
        let mode = found.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(Error::Exposed { path: path.clone(), mode });
        }
        match &self.file {
            KeyFile::Plain(key) => Ok(key.clone()),
            KeyFile::Sealed(sealed) => passphrase::open(path, sealed),
        }
    }

    /// Puts the key under a passphrase, or another one, or none.
    ///
    /// # Errors
    /// As [`OwnKey::unlock`]; the disk, the old file being whole then.
    pub fn protect(&self, under: Option<Under<'_>>) -> Result<()> {
        let key = self.unlock()?;
        let file = match under {
            None => KeyFile::Plain(key),
            Some((passphrase, cost, fresh)) => {
                let sealed = Sealed::new(&key, passphrase, cost, fresh);
                KeyFile::Sealed(sealed.map_err(|e| Error::key_file(&self.path, e))?)
            }
        };
        disk::write_with(&self.path, file.text().as_bytes(), Overwrite::Replace, 0o600)
    }

    /// Another key in this one's stead, under the same passphrase where there is one.
    ///
    /// # Errors
    /// As [`OwnKey::unlock`].
    pub(crate) fn alike(&self, key: &SigningKey, fresh: Fresh) -> Result<KeyFile> {
        Ok(match &self.file {
            KeyFile::Plain(_) => KeyFile::Plain(key.clone()),
            KeyFile::Sealed(sealed) => {
                KeyFile::Sealed(passphrase::alike(&self.path, sealed, key, fresh)?)
            }
        })
    }
}
