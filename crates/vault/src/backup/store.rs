//! What a backup asks of the place that it is kept in.

use super::error::{Error, Result};

/// The most objects that one listing gives: as many exhibits a case may have.
pub const MAX_ITEMS: usize = 16_000_000;

/// Something that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its name: parts with `/` between them, none at the start.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
}

/// A place for one backup. A name shows a whole object or none; what is put is durable once
/// [`Store::put`] or [`Store::flush`] has come back.
pub trait Store {
    /// The place as users write it, without any credential.
    fn shown(&self) -> String;

    /// Takes the lock of who writes here; it is let go of when dropped. What an earlier writer left
    /// unfinished is removed.
    ///
    /// # Errors
    /// [`Error::Held`]; the store.
    fn lock(&self, holder: &str) -> Result<Box<dyn Held + '_>>;

    /// Everything below a folder (`""`: all), in any order, without the lock.
    ///
    /// # Errors
    /// More than [`MAX_ITEMS`]; what is no plain object; the store.
    fn list(&self, below: &str) -> Result<Vec<Item>>;

    /// Hands an object's bytes to `take`, in pieces; false where there is none.
    ///
    /// # Errors
    /// Those of `take`; the store.
    fn read(&self, name: &str, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool>;

    /// Begins an object that is written piece by piece.
    ///
    /// # Errors
    /// The store.
    fn begin(&self, name: &str) -> Result<Box<dyn Upload + '_>>;

    /// Makes durable, under their names, all objects that were finished.
    ///
    /// # Errors
    /// The store.
    fn flush(&self) -> Result<()>;

    /// Puts a small object at once, in the place of an older one, which is destroyed.
    ///
    /// # Errors
    /// The store.
    fn put(&self, name: &str, bytes: &[u8]) -> Result<()>;

    /// Removes an object so that nothing can be read back, as far as the store reaches; one that is
    /// gone already is no error.
    ///
    /// # Errors
    /// The store.
    fn destroy(&self, name: &str) -> Result<()>;

    /// What [`Store::destroy`] does not reach, in words; empty where it is only what any disk keeps of
    /// its own.
    fn remains(&self) -> Option<String> {
        None
    }
}

/// A lock that is held until dropped.
pub trait Held {
    /// Exhibits, and files of openings in an older form, that a writer that was cut off had taken from
    /// their places, and that were destroyed when the lock was taken.
    fn destroyed(&self) -> (u64, u64) {
        (0, 0)
    }
}

/// An object being written. Dropped before it is finished, it never was.
pub trait Upload {
    /// Writes at the end.
    ///
    /// # Errors
    /// The store.
    fn append(&mut self, bytes: &[u8]) -> Result<()>;

    /// The object is whole; it stands, durably, after [`Store::flush`].
    ///
    /// # Errors
    /// The store.
    fn finish(self: Box<Self>) -> Result<()>;
}

/// An object of at most `most` bytes; `None` where there is none.
pub(crate) fn get(store: &dyn Store, name: &str, most: u64) -> Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let found = store.read(name, &mut |piece| {
        bytes.extend_from_slice(piece);
        if bytes.len() as u64 > most {
            let what = format!("is longer than the {most} bytes that it can have");
            let (destination, name) = (store.shown(), name.to_owned());
            return Err(Error::Damaged { destination, name, what });
        }
        Ok(())
    })?;
    Ok(found.then_some(bytes))
}
