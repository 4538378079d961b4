//! Opening a case for reading.

use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::picture::Pictures;
use super::sort::Sorts;
use crate::index::IndexFile;
use crate::tables::{Identity, TableFile};
use crate::{Error, Result};

/// Connections kept open between snapshots.
const MAX_IDLE: usize = 8;

/// Table files kept open, their footers in memory.
const MAX_FILES: usize = 256;

/// Bytes of indexes' lists of blocks that are kept: those of 22 million lines take 10 MiB.
const MAX_LISTS: usize = 64 << 20;

/// A case to read from. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Reader {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    dir: PathBuf,
    /// Where the case's authority lives, where the reader was told.
    home: Option<PathBuf>,
    /// Nothing is written beside the views while nobody else does.
    still: bool,
    state: Mutex<State>,
    pictures: Mutex<Pictures>,
    sorts: Mutex<Sorts>,
}

#[derive(Debug, Default)]
struct State {
    /// The views' file that the connections and files belong to, by device and inode: a rebuild
    /// makes another.
    file: (u64, u64),
    /// What the file was where nothing of it is locked ([`still`]): another has been written since.
    fixed: Option<Fixed>,
    idle: Vec<Connection>,
    tables: HashMap<String, Arc<TableFile>>,
    indexes: HashMap<String, Arc<IndexFile>>,
    /// Reads nothing but the views' version, which SQLite tells by connection.
    watch: Option<Connection>,
}

impl State {
    /// A number that changes with each commit of a writer.
    fn version(&mut self, shared: &Shared, path: &Path) -> Result<i64> {
        let watch = match &mut self.watch {
            Some(watch) => watch,
            none => {
                let fixed = Fixed::of(path).ok();
                let (watch, is_still) = connect(path, shared.still())?;
                self.fixed = fixed.filter(|_| is_still);
                none.insert(watch)
            }
        };
        let version = watch.query_row("PRAGMA data_version", [], |row| row.get(0))?;
        Ok(self.fixed.as_ref().map_or(version, Fixed::version))
    }
}

impl Shared {
    /// True where this reader is to write nothing, and no writer is at work.
    fn still(&self) -> bool {
        self.still && !ledger::is_held(&self.dir.join("lock"))
    }
}

/// The views' file and its journal as they stand: when they were written last, and how long they are.
#[derive(Debug, PartialEq, Eq)]
struct Fixed([(i64, i64, u64); 2]);

impl Fixed {
    fn of(path: &Path) -> std::io::Result<Self> {
        let of = |path: &Path| path.metadata().map(|m| (m.mtime(), m.mtime_nsec(), m.len()));
        Ok(Self([of(path)?, of(&journal_of(path)).unwrap_or_default()]))
    }

    fn version(&self) -> i64 {
        use std::hash::{Hash, Hasher};
        let mut hash = std::hash::DefaultHasher::new();
        self.0.hash(&mut hash);
        hash.finish() as i64
    }
}

/// SQLite's write-ahead log of a database.
fn journal_of(path: &Path) -> PathBuf {
    let mut journal = path.as_os_str().to_owned();
    journal.push("-wal");
    journal.into()
}

/// One consistent moment of the views. Use it for one page and drop it: while it lives, the
/// writer's journal grows.
#[derive(Debug)]
pub struct Snapshot {
    reader: Reader,
    file: (u64, u64),
    /// Taken before the transaction began: what is kept under it is of this moment or younger, and
    /// a younger one is found under no version that is asked for later.
    version: i64,
    /// In a transaction as long as the snapshot lives. Taken out only by `drop`.
    connection: Option<Connection>,
}

impl Reader {
    /// Opens the case in `dir` for reading. Needs no lock, and never waits for a writer.
    ///
    /// # Errors
    /// [`Error::NoCase`] where the folder has none, [`Error::NoViews`] where its views are gone.
    pub fn open(dir: &Path) -> Result<Self> {
        Self::of(dir, None, false)
    }

    /// As [`Reader::open`], for who only proves: while no writer is at work no file is made, changed or
    /// removed, not even those beside the views in which SQLite's readers and writers meet.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub(crate) fn open_still(dir: &Path) -> Result<Self> {
        Self::of(dir, None, true)
    }

    /// Opens the case in `dir` for reading, knowing the home of authorities: whom the case's
    /// authority asks to witness it stands there.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn open_with(dir: &Path, home: &Path) -> Result<Self> {
        Self::of(dir, Some(home.to_owned()), false)
    }

    fn of(dir: &Path, home: Option<PathBuf>, still: bool) -> Result<Self> {
        if !crate::views::file(dir).is_file() {
            return Err(absent(dir));
        }
        let shared = Shared { dir: dir.to_owned(), home, still, ..Shared::default() };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The home of authorities, where the reader was told.
    pub(crate) fn home(&self) -> Option<&Path> {
        self.shared.home.as_deref()
    }

    /// The case's folder.
    pub fn dir(&self) -> &Path {
        &self.shared.dir
    }

    /// The views as they are now.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot> {
        self.take().map_err(|error| error.at(&self.shared.dir))
    }

    fn take(&self) -> Result<Snapshot> {
        let path = crate::views::file(&self.shared.dir);
        let metadata = path.metadata().map_err(|_| absent(&self.shared.dir))?;
        let file = (metadata.dev(), metadata.ino());
        let mut fresh = false;
        let (idle, version) = {
            let mut state = self.state();
            let written = |fixed: &Fixed| Fixed::of(&path).ok().as_ref() != Some(fixed);
            if state.file != file || state.fixed.as_ref().is_some_and(written) {
                *state = State { file, ..State::default() };
                fresh = true;
            }
            let version = state.version(&self.shared, &path)?;
            (state.idle.pop(), version)
        };
        if fresh {
            // What was sorted or drawn from views that are gone may hold what was erased since.
            self.shared.sorts.lock().unwrap_or_else(PoisonError::into_inner).forget();
            *self.shared.pictures.lock().unwrap_or_else(PoisonError::into_inner) =
                Pictures::default();
        }
        let connection = match idle {
            Some(connection) => connection,
            None => connect(&path, self.shared.still())?.0,
        };
        connection.execute_batch("BEGIN")?;
        // The transaction's moment is that of its first read.
        let layout: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        // Views are made by one transaction, and are of no layout before it.
        if layout == 0 {
            return Err(Error::NoViews(self.shared.dir.clone()));
        }
        if layout != crate::views::LAYOUT {
            return Err(Error::OtherLayout);
        }
        if crate::views::meta::<i64>(&connection, crate::views::UNREAD)?.is_some() {
            return Err(Error::NoViews(self.shared.dir.clone()));
        }
        Ok(Snapshot { reader: self.clone(), file, version, connection: Some(connection) })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a folder without views is.
fn absent(dir: &Path) -> Error {
    match vault::Case::exists(dir) {
        Ok(true) => Error::NoViews(dir.to_owned()),
        Ok(false) => Error::NoCase(dir.to_owned()),
        Err(error) => error.into(),
    }
}

/// Opens the views for reading, and says whether that was done without a lock ([`still`]): where that
/// is asked for, and where SQLite cannot write what its readers share, on read-only media and in the
/// folders of others.
pub(super) fn connect(path: &Path, asked: bool) -> Result<(Connection, bool)> {
    let shared = if asked { None } else { Some(shared(path)) };
    let (connection, is_still) = match shared {
        Some(Ok(connection)) => (connection, false),
        Some(Err(error)) if !cannot_write(&error) => return Err(error.into()),
        _ => (still(path)?, true),
    };
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.execute_batch(
        "PRAGMA query_only = ON; PRAGMA cache_size = -16384; PRAGMA mmap_size = 268435456;
         PRAGMA temp_store = MEMORY;",
    )?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok((connection, is_still))
}

/// A connection that meets writers in WAL's index.
fn shared(path: &Path) -> rusqlite::Result<Connection> {
    // Writable, since WAL's index is; nothing here writes, and SQLite holds us to it.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    leave_journal(&connection, path)?;
    connection.query_row("PRAGMA user_version", [], |_| Ok(()))?;
    Ok(connection)
}

/// What a writer that was killed left is his successor's to take in. An empty journal is nobody's, and
/// goes with its last reader.
fn leave_journal(connection: &Connection, path: &Path) -> rusqlite::Result<()> {
    if waits(path) {
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    }
    Ok(())
}

/// True where something waits in the database's write-ahead log.
fn waits(path: &Path) -> bool {
    journal_of(path).metadata().is_ok_and(|journal| journal.len() > 0)
}

/// Attaches the views' file to a connection under a name, as [`connect`] opens it. The connection takes
/// names as URIs.
pub(crate) fn attach(connection: &Connection, path: &Path, name: &str) -> Result<()> {
    let by = |uri: String| connection.execute(&format!("ATTACH ? AS {name}"), [uri]);
    leave_journal(connection, path)?;
    match by(uri(path, "mode=ro")) {
        Err(error) if cannot_write(&error) => {}
        other => return Ok(other.map(drop)?),
    }
    let (parameter, lock) = unlocked(path);
    // For what is attached from here on.
    connection.execute_batch(lock)?;
    Ok(by(uri(path, parameter)).map(drop)?)
}

/// True where SQLite may not write beside the views, which says nothing of them.
fn cannot_write(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly))
}

/// A connection that writes nothing and locks nothing: WAL's index is kept in memory. What a writer does
/// meanwhile it may see half done, so whoever uses it looks whether one came ([`Fixed`]). Not for a process
/// that has shared connections too: closing a file lets go of every lock that the process holds on it.
fn still(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let (parameter, lock) = unlocked(path);
    let connection = Connection::open_with_flags(uri(path, parameter), flags)?;
    leave_journal(&connection, path)?;
    connection.execute_batch(lock)?;
    Ok(connection)
}

/// How SQLite is told to open a database without a lock: a parameter of its URI, and a pragma. Without a
/// journal the file is all there is; SQLite would make one where it is not told so.
fn unlocked(path: &Path) -> (&'static str, &'static str) {
    if waits(path) {
        ("vfs=unix-none", "PRAGMA locking_mode = EXCLUSIVE")
    } else {
        ("immutable=1", "")
    }
}

/// The URI of a database, with a parameter for SQLite.
fn uri(path: &Path, parameter: &str) -> String {
    let mut uri = "file:".to_owned();
    for &byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                uri.push(char::from(byte));
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri.push('?');
    uri.push_str(parameter);
    uri
}

impl Snapshot {
    /// Which moment of which views this is: another where a writer has changed anything since.
    pub(crate) fn moment(&self) -> ((u64, u64), i64) {
        (self.file, self.version)
    }

    /// The connection.
    pub(crate) fn db(&self) -> Result<&Connection> {
        self.connection.as_ref().ok_or(Error::Cancelled)
    }

    /// The views' file and their version: equal for snapshots of one moment.
    pub(super) fn version(&self) -> ((u64, u64), i64) {
        (self.file, self.version)
    }

    /// The pictures kept.
    pub(super) fn pictures(&self) -> std::sync::MutexGuard<'_, Pictures> {
        self.reader.shared.pictures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sorts of rows, running and done.
    pub(super) fn sorts(&self) -> std::sync::MutexGuard<'_, Sorts> {
        self.reader.shared.sorts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it came from.
    pub(super) fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The case's folder.
    pub fn dir(&self) -> &Path {
        self.reader.dir()
    }

    /// An open table file.
    pub(crate) fn table_file(&self, name: &str) -> Result<Arc<TableFile>> {
        let path = self.dir().join("tables").join(name);
        let now = identity(&path)?;
        if let Some(file) = self.reader.state().tables.get(name)
            && file.identity() == now
        {
            return Ok(file.clone());
        }
        let file = Arc::new(TableFile::open(&path)?);
        let mut state = self.reader.state();
        if state.file == self.file {
            if state.tables.len() >= MAX_FILES {
                state.tables.clear();
            }
            state.tables.insert(name.to_owned(), file.clone());
        }
        Ok(file)
    }

    /// An open index.
    pub(crate) fn index_file(&self, name: &str) -> Result<Arc<IndexFile>> {
        let path = self.dir().join("tables").join(name);
        let now = identity(&path)?;
        if let Some(file) = self.reader.state().indexes.get(name)
            && file.identity() == now
        {
            return Ok(file.clone());
        }
        let file = Arc::new(IndexFile::open(&path)?);
        let mut state = self.reader.state();
        if state.file == self.file {
            let held: usize = state.indexes.values().map(|index| index.memory()).sum();
            if held + file.memory() > MAX_LISTS {
                state.indexes.clear();
            }
            state.indexes.insert(name.to_owned(), file.clone());
        }
        Ok(file)
    }
}

/// Which file stands there now: one that was made again is not the one that is kept open.
fn identity(path: &Path) -> Result<Identity> {
    path.metadata()
        .map(|metadata| Identity::of(&metadata))
        .map_err(|source| Error::Read { path: path.to_owned(), source }.of_file(path))
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take()
            && connection.execute_batch("ROLLBACK").is_ok()
        {
            let mut state = self.reader.state();
            if state.file == self.file && state.idle.len() < MAX_IDLE {
                state.idle.push(connection);
            }
        }
    }
}
