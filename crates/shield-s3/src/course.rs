//! What of the folder is to be put, and what goes: without a clock and without a network of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ledger::note::Note;
use model::Sha256Hex;
use sha2::{Digest, Sha256};
use shield::feed::ALL;
use shield::wire::keys::MAX_KEYS;
use shield::wire::{Beat, FileName, MAX_MANIFEST, Manifest};

/// A file that no manifest names any more stays for so long: somebody may be reading it.
pub const GRACE: Duration = Duration::from_secs(600);
/// The most files that are looked at when it begins. What lies beyond them is left where it is, and told.
pub const MAX_LISTED: usize = 65_536;
/// The most files that go in one round.
pub const MAX_GONE: usize = 16;
/// Where one does not go, none is tried for so long: manifests are not to wait for it.
const UNTIDY: Duration = Duration::from_secs(60);
/// The longest that is told of what a store says, in bytes.
const MAX_SAID: usize = 300;

/// What caches are told of an object, as the feed's own server tells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It is another one each time: ask.
    Manifest,
    /// It never changes.
    File,
    /// A stop, or the word that ends it, or which keys were replaced: keep none.
    Stop,
}

/// By which a store tells that an object is still what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag(pub String);

/// What may happen to a put that has a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// It stands.
    There(Tag),
    /// What stood was another than the condition says: nothing was put.
    Changed,
}

/// A prefix of a bucket that is one feed's alone. A put is whole or is not.
pub trait Shelf {
    /// What a person knows it by.
    fn shown(&self) -> String;
    /// The objects below a name with their bytes, at most so many.
    ///
    /// # Errors
    /// No answer.
    fn list(&self, below: &str, most: usize) -> Result<Vec<(String, u64)>, Fault>;
    /// A small object and its tag; of one that is longer than `most` the first bytes, one more than that.
    ///
    /// # Errors
    /// No answer.
    fn read(&self, name: &str, most: u64) -> Result<Option<(Vec<u8>, Tag)>, Fault>;
    /// Puts a small object where the one that stands has this tag, or where none stands.
    ///
    /// # Errors
    /// No answer: whether it was put is not known.
    fn put_if(
        &self,
        name: &str,
        kind: Kind,
        bytes: Vec<u8>,
        tag: Option<&Tag>,
    ) -> Result<Stored, Fault>;
    /// Puts a file, read to its end.
    ///
    /// # Errors
    /// No answer; what is read is not what it has to be, and nothing is put.
    fn put_file(&self, name: &str, bytes: &mut dyn Read) -> Result<(), Fault>;
    /// Takes an object away, if it is there.
    ///
    /// # Errors
    /// No answer.
    fn remove(&self, name: &str) -> Result<(), Fault>;
}

/// Why nothing was put, or not all.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The store does not do it.
    #[error("cannot {action} {name}: {}", short(source.as_ref()))]
    Store {
        /// What was asked for.
        action: &'static str,
        /// Of which object.
        name: String,
        /// What the store, or the way to it, says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The folder is not what the publisher writes.
    #[error("{}: {why}", path.display())]
    Folder {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Another clearing house goes on there.
    #[error(
        "a later manifest stands there than this clearing house has (epoch {there}, here {here}): another one publishes \
         into it, and this one puts nothing. See which of the two is to run; give one of them another prefix"
    )]
    Later {
        /// The epoch that stands there.
        there: u64,
        /// The one of this house.
        here: u64,
    },
    /// A stop that stands there is later than the one in the folder.
    #[error("a later word stands there as {0} than lies in the folder, which is not put over it")]
    LaterStop(String),
}

impl Fault {
    /// What tells one fault from another: the same each time, whatever times, addresses and names the store's answer
    /// has.
    pub fn kind(&self) -> String {
        let text = self.to_string();
        let words =
            text.split_whitespace().filter(|word| !word.bytes().any(|b| b.is_ascii_digit()));
        words.collect::<Vec<_>>().join(" ")
    }
}

/// What a store says, without the document that came with it: that may hold whatever was sent there, a session's token
/// included. Of it the code alone is told.
fn short(source: &(dyn std::error::Error + Send + Sync)) -> String {
    let text = source.to_string();
    let at = text.find("<?xml").or_else(|| text.find("<Error")).unwrap_or(text.len());
    let (said, document) = text.split_at(at);
    let code = document.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    let code = code.map(|(code, _)| code).unwrap_or_default();
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let mut out: String = said.chars().chain(code.chars()).map(plain).collect();
    let end = (0..=MAX_SAID.min(out.len())).rev().find(|at| out.is_char_boundary(*at));
    out.truncate(end.unwrap_or(0));
    out.trim_end_matches([' ', ':']).to_owned()
}

/// What a round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// Files that were put.
    pub files: u64,
    /// True where a manifest was put.
    pub manifest: bool,
    /// Files that went.
    pub gone: u64,
}

/// Which manifest, in the order in which they are made.
type Order = (u64, u64, Beat);

/// A manifest that stands there.
struct Out {
    hash: Sha256Hex,
    tag: Tag,
    /// `None` where what stands cannot be read: it is put over.
    order: Option<Order>,
    /// The files that it names: none of them goes, whoever put it.
    names: BTreeSet<Sha256Hex>,
}

impl Out {
    fn new(text: &[u8], tag: Tag, manifest: Option<&Manifest>) -> Self {
        let files = manifest.into_iter().flat_map(|of| of.snapshot.iter().chain(&of.deltas));
        let names = files.map(|file| file.hash).collect();
        Self { hash: Sha256Hex::of(text), tag, order: manifest.map(order_of), names }
    }
}

/// Mirrors everybody's view out of a folder.
pub struct Course<S> {
    shelf: S,
    folder: PathBuf,
    /// The files that are there, their bytes, and since when no manifest names them; `None` before it began.
    files: Option<BTreeMap<Sha256Hex, (u64, Option<Instant>)>>,
    out: Option<Out>,
    keys: Option<Sha256Hex>,
    left: bool,
    /// What did not go, and when that was tried.
    untidy: Option<(Instant, Fault)>,
    /// All that did not go.
    stuck: BTreeSet<Sha256Hex>,
}

impl<S: Shelf> Course<S> {
    /// Out of the folder that the publisher writes into.
    pub fn new(shelf: S, folder: &Path) -> Self {
        let folder = folder.join(ALL);
        Self {
            shelf,
            folder,
            files: None,
            out: None,
            keys: None,
            left: false,
            untidy: None,
            stuck: BTreeSet::new(),
        }
    }

    /// Where it puts.
    pub fn shelf(&self) -> &S {
        &self.shelf
    }

    /// True where more files lay there at the start than it looks at.
    pub fn leaves_some(&self) -> bool {
        self.left
    }

    /// Brings what is there to where the folder is. What fails is tried again by the next round.
    ///
    /// # Errors
    /// See [`Fault`]. What was put before it stays. That a file does not go which is named no more is no fault of the
    /// round: [`Course::untidy`].
    pub fn round(&mut self, now: Instant) -> Result<Done, Fault> {
        let mut done = Done::default();
        self.go_on(now, &mut done)?;
        Ok(done)
    }

    /// Why what is named no more does not go, where it does not.
    pub fn untidy(&self) -> Option<&Fault> {
        self.untidy.as_ref().map(|(_, fault)| fault)
    }

    fn go_on(&mut self, now: Instant, done: &mut Done) -> Result<(), Fault> {
        let begun = Instant::now();
        let Some(text) = local(&self.folder.join("manifest"), MAX_MANIFEST)? else { return Ok(()) };
        self.begin(now)?;
        let hash = Sha256Hex::of(text.as_bytes());
        if self.out.as_ref().is_some_and(|out| out.hash == hash) {
            self.tidy(now, done);
            return Ok(());
        }
        let path = self.folder.join("manifest");
        let manifest = manifest(&text).map_err(|why| Fault::Folder { path, why })?;
        self.check(&manifest)?;
        self.put_keys()?;
        let named: Vec<&FileName> = manifest.snapshot.iter().chain(&manifest.deltas).collect();
        for file in &named {
            self.put_file(file, now, done)?;
        }
        self.put_manifest(&text, &manifest)?;
        done.manifest = true;
        // What the manifest before it named is named no more from now on, however long files took.
        self.tidy(now + begun.elapsed(), done);
        Ok(())
    }

    /// What stands there, once.
    fn begin(&mut self, now: Instant) -> Result<(), Fault> {
        if self.files.is_some() {
            return Ok(());
        }
        self.look()?;
        let below = format!("{ALL}/files");
        let found = self.shelf.list(&below, MAX_LISTED + 1)?;
        self.left = found.len() > MAX_LISTED;
        let hashes = found.into_iter().take(MAX_LISTED).filter_map(|(name, bytes)| {
            let hash = name.strip_prefix(&below)?.strip_prefix('/')?.parse().ok()?;
            Some((hash, (bytes, Some(now))))
        });
        self.files = Some(hashes.collect());
        Ok(())
    }

    /// Reads the manifest that stands there.
    fn look(&mut self) -> Result<(), Fault> {
        let found = self.shelf.read(&object("manifest"), MAX_MANIFEST as u64)?;
        self.out = found.map(|(bytes, tag)| {
            let read = std::str::from_utf8(&bytes).ok().and_then(|text| manifest(text).ok());
            Out::new(&bytes, tag, read.as_ref())
        });
        Ok(())
    }

    /// Refuses to go on where a later manifest stands than ours.
    fn check(&self, manifest: &Manifest) -> Result<(), Fault> {
        let there = self.out.as_ref().and_then(|out| out.order);
        match there.filter(|there| *there > order_of(manifest)) {
            Some((epoch, ..)) => Err(Fault::Later { there: epoch, here: manifest.place.epoch }),
            None => Ok(()),
        }
    }

    fn put_file(&mut self, file: &FileName, now: Instant, done: &mut Done) -> Result<(), Fault> {
        let Some(files) = &mut self.files else { return Ok(()) };
        if files.get(&file.hash).is_some_and(|(bytes, _)| *bytes == file.bytes) {
            return Ok(());
        }
        let name = format!("files/{}", file.hash);
        let path = self.folder.join(&name);
        let odd = |e: io::Error| Fault::Folder { path: path.clone(), why: e.to_string() };
        let mut whole = Whole::new(ledger::plain::open(&path).map_err(odd)?, file);
        self.shelf.put_file(&object(&name), &mut whole)?;
        // Until a manifest names it: one that was put and is named by none that goes out has its grace, too.
        files.insert(file.hash, (file.bytes, Some(now)));
        done.files += 1;
        Ok(())
    }

    /// Which keys of the feed were replaced: before the first manifest that the new one signs.
    fn put_keys(&mut self) -> Result<(), Fault> {
        let Some(text) = local(&self.folder.join("keys"), MAX_KEYS)? else { return Ok(()) };
        let hash = Sha256Hex::of(text.as_bytes());
        if self.keys == Some(hash) {
            return Ok(());
        }
        let name = object("keys");
        let tag = self.shelf.read(&name, MAX_KEYS as u64)?.map(|(_, tag)| tag);
        match self.shelf.put_if(&name, Kind::Stop, text.into_bytes(), tag.as_ref())? {
            Stored::There(_) => self.keys = Some(hash),
            Stored::Changed => {
                let source = "another writes there at the same time".into();
                return Err(Fault::Store { action: "write", name, source });
            }
        }
        Ok(())
    }

    fn put_manifest(&mut self, text: &str, manifest: &Manifest) -> Result<(), Fault> {
        // Where a put of ours was answered by nobody, and came all the same, what stands is ours, or another's.
        for _ in 0..2 {
            let tag = self.out.as_ref().map(|out| out.tag.clone());
            let bytes = text.as_bytes().to_vec();
            let name = object("manifest");
            match self.shelf.put_if(&name, Kind::Manifest, bytes, tag.as_ref())? {
                Stored::There(tag) => {
                    self.out = Some(Out::new(text.as_bytes(), tag, Some(manifest)));
                    return Ok(());
                }
                Stored::Changed => {
                    self.look()?;
                    self.check(manifest)?;
                }
            }
        }
        let source = "another writes there at the same time".into();
        Err(Fault::Store { action: "write", name: object("manifest"), source })
    }

    /// Takes away what the manifest that stands there has not named for the grace: at most [`MAX_GONE`] a round, so
    /// that the next manifest waits for few.
    fn tidy(&mut self, now: Instant, done: &mut Done) {
        let Some(files) = &mut self.files else { return };
        let named = self.out.as_ref().map(|out| &out.names);
        let (mut old, mut stuck) = (Vec::new(), Vec::new());
        for (hash, (bytes, since)) in files.iter_mut() {
            if named.is_some_and(|named| named.contains(hash)) {
                *since = None;
            } else if now.saturating_duration_since(*since.get_or_insert(now)) >= GRACE {
                // From here on it may be gone, whatever is answered.
                *bytes = 0;
                if self.stuck.contains(hash) { stuck.push(*hash) } else { old.push(*hash) }
            }
        }
        if self.untidy.as_ref().is_some_and(|(at, _)| now.saturating_duration_since(*at) < UNTIDY) {
            return;
        }
        self.untidy = None;
        // What did not go before holds up none of the others.
        for hash in old.into_iter().chain(stuck).take(MAX_GONE) {
            if let Err(fault) = self.shelf.remove(&object(&format!("files/{hash}"))) {
                self.stuck.insert(hash);
                self.untidy = Some((now, fault));
                return;
            }
            files.remove(&hash);
            self.stuck.remove(&hash);
            done.gone += 1;
        }
    }
}

/// A small file of the folder, if it is there.
pub(crate) fn local(path: &Path, most: usize) -> Result<Option<String>, Fault> {
    let read = || -> io::Result<Option<String>> {
        let file = match ledger::plain::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let mut text = String::new();
        file.take(most as u64 + 1).read_to_string(&mut text)?;
        Ok(Some(text))
    };
    let odd = |why: String| Fault::Folder { path: path.to_owned(), why };
    let text = read().map_err(|e| odd(e.to_string()))?;
    match text {
        Some(text) if text.len() > most => Err(odd(format!("longer than {most} bytes"))),
        text => Ok(text),
    }
}

pub(crate) fn object(name: &str) -> String {
    format!("{ALL}/{name}")
}

/// Nobody's signature is looked at: that is for who follows.
fn manifest(text: &str) -> Result<Manifest, String> {
    let note = Note::parse(text).map_err(|e| e.to_string())?;
    let manifest = Manifest::read(&note.text).map_err(|e| e.to_string())?;
    if manifest.view == ALL {
        Ok(manifest)
    } else {
        Err(format!("it is of the view {:?}", manifest.view))
    }
}

fn order_of(manifest: &Manifest) -> Order {
    (manifest.place.epoch, manifest.place.serial, manifest.beat)
}

/// A file of the folder, read to its end. It fails before that end is told where it is not what it is named after: a
/// disk that errs puts nothing under a name that it has not.
struct Whole<R> {
    from: R,
    name: FileName,
    hash: Sha256,
    at: u64,
}

impl<R: Read> Whole<R> {
    fn new(from: R, name: &FileName) -> Self {
        Self { from, name: name.clone(), hash: Sha256::new(), at: 0 }
    }
}

impl<R: Read> Read for Whole<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(into)?;
        let piece = into.get(..read).unwrap_or_default();
        self.hash.update(piece);
        self.at += read as u64;
        let ends = read == 0 && !into.is_empty();
        let is_it = || Sha256Hex(self.hash.clone().finalize().into()) == self.name.hash;
        if self.at > self.name.bytes || ends && !(self.at == self.name.bytes && is_it()) {
            return Err(io::Error::other("it does not hold what its name and its manifest say"));
        }
        Ok(read)
    }
}
