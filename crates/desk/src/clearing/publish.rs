//! The feed as files in a folder: `manifest`, signed anew with each heartbeat, and `files/<SHA-256>`, which
//! never change. Any web server and any cache may hand them on; who follows verifies (`shield::wire`).

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ledger::{OwnKey, SigningKey, VerifierKey, disk};
use model::Sha256Hex;
use shield::feed::{Entry, Place};
use shield::item::Item;
use shield::order::{ItemId, Moment};
use shield::proof::Block;
use shield::wire::file::{Group, Head, Writer};
use shield::wire::{Beat, FileName, Manifest};

use super::house::House;
use crate::{Error, Result};

/// The most deltas before a new snapshot; at most what a manifest may name.
pub const MAX_CHAIN: usize = 64;
/// A file that no manifest names any more stays for so long: somebody may be reading it.
pub const GRACE: Duration = Duration::from_secs(600);

/// Where the feed's key lies in the authority's folder.
const FEED_KEY: &str = "shield/feed-key";

/// The feed's name under an authority, which is the name of its key.
pub fn feed_origin(authority: &str) -> String {
    format!("{}/feed", vault::shield_origin(authority))
}

/// The feed's own key, kept in the authority's folder and made where there is none: it signs manifests and
/// nothing else, and the log's key signs none.
///
/// # Errors
/// The disk; a key that others can read; no passphrase, or a wrong one.
pub fn feed_key(home: &Path, authority: &str) -> Result<SigningKey> {
    let path = home.join(FEED_KEY);
    match OwnKey::read(&path) {
        Ok(key) => Ok(key.unlock()?),
        Err(error) if error.is_missing() => {
            disk::create_dir(&home.join("shield"))?;
            let key = SigningKey::new(&feed_origin(authority), &vault::random()?)
                .map_err(|source| ledger::Error::Note { path: path.clone(), source })?;
            Ok(OwnKey::create(&path, key)?.unlock()?)
        }
        Err(error) => Err(error.into()),
    }
}

/// The public keys that who follows trusts: the feed's, and the log's.
///
/// # Errors
/// No authority, or no feed of it yet; the disk.
pub fn public_keys(home: &Path) -> Result<(VerifierKey, VerifierKey)> {
    let odd = |source| ledger::Error::Note { path: home.to_owned(), source };
    let authority = VerifierKey::parse(&crate::authority::public(home)?).map_err(odd)?;
    let log = authority.renamed(&vault::shield_origin(authority.name())).map_err(odd)?;
    match OwnKey::read(&home.join(FEED_KEY)) {
        Ok(feed) => Ok((feed.verifier(), log)),
        Err(error) if error.is_missing() => Err(Error::Asked(format!(
            "{} has no feed yet: `vigie serve --shield DIR --feed FOLDER` makes its key",
            authority.name()
        ))),
        Err(error) => Err(error.into()),
    }
}

/// Publishes the view for every ISP.
#[derive(Debug)]
pub struct Publisher {
    dir: PathBuf,
    key: SigningKey,
    place: Option<Place>,
    snapshot: Option<FileName>,
    deltas: Vec<FileName>,
    /// Files that no manifest names any more, and since when.
    retired: VecDeque<(Instant, Sha256Hex)>,
    beat: u64,
    count: u64,
    /// The last record of a file that is proven by the log's own checkpoint, though witnesses are asked for.
    bare: Option<u64>,
}

impl Publisher {
    /// Publishes into a folder. What another run left there is taken away with time.
    ///
    /// # Errors
    /// The disk.
    pub fn new(dir: &Path, key: SigningKey) -> Result<Self> {
        let files = dir.join("files");
        disk::create_dir(&files)?;
        disk::sweep(&files)?;
        let failed = |source| Error::Read { path: files.clone(), source };
        let mut retired = VecDeque::new();
        for entry in files.read_dir().map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let hash = name.to_str().and_then(|name| name.parse().ok());
            retired.extend(hash.map(|hash: Sha256Hex| (Instant::now(), hash)));
        }
        let (dir, deltas) = (dir.to_owned(), Vec::new());
        let (place, snapshot, bare) = (None, None, None);
        Ok(Self { dir, key, place, snapshot, deltas, retired, beat: 0, count: 0, bare })
    }

    /// Follows the feed to where it is, and says so.
    ///
    /// # Errors
    /// The disk. What was published before stands.
    pub fn publish(&mut self, house: &House, now: Moment) -> Result<()> {
        let done = self.follow(house, now);
        if done.is_err() {
            // Whatever stands there is not gone on with: the next is a snapshot, in a folder made anew.
            self.place = None;
        }
        done
    }

    fn follow(&mut self, house: &House, now: Moment) -> Result<()> {
        disk::create_dir(&self.dir.join("files"))?;
        let Some(feed) = house.feed() else { return Ok(()) };
        self.renew(house);
        let history = feed.history();
        let at = history.place();
        if self.place == Some(at) {
            return self.sign(house, now);
        }
        let steps = |delta: &&shield::feed::Delta| {
            let from = Place { serial: delta.from(), ..at };
            self.place == Some(from) && delta.to() == at.serial && !delta.changes().is_empty()
        };
        let bytes = |files: &[FileName]| files.iter().map(|file| file.bytes).sum::<u64>();
        let short = self.deltas.len() < MAX_CHAIN
            && self
                .snapshot
                .as_ref()
                .is_some_and(|all| bytes(&self.deltas) <= all.bytes.max(1 << 20));
        let file = match history.last().filter(|delta| short && steps(delta)) {
            Some(delta) => {
                let all =
                    |row: &Option<shield::feed::Row>| row.as_ref().and_then(|row| row.for_all());
                let (mut added, mut gone) = (Vec::new(), Vec::new());
                for change in delta.changes() {
                    match (all(&change.before), all(&change.after)) {
                        (before, Some(entry)) if before != Some(entry) => {
                            added.push(entry);
                            self.count += u64::from(before.is_none());
                        }
                        (Some(_), None) => {
                            gone.push((*change.value).clone());
                            self.count = self.count.saturating_sub(1);
                        }
                        _ => {}
                    }
                }
                self.write(house, at, Some(delta.from()), &added, &gone)?
            }
            None => {
                let open = !history.current().gates().is_shut();
                let rows = history.current().rows().filter(|_| open);
                let all: Vec<Entry> = rows.filter_map(|row| row.for_all()).collect();
                self.count = all.len() as u64;
                self.write(house, at, None, &all, &[])?
            }
        };
        if file.from.is_none() {
            let old = self.snapshot.take().into_iter().chain(std::mem::take(&mut self.deltas));
            self.retired.extend(old.map(|file| (Instant::now(), file.hash)));
            self.snapshot = Some(file);
        } else {
            self.deltas.push(file);
        }
        self.place = Some(at);
        self.sign(house, now)?;
        self.clear()
    }

    /// Says that nothing changed, later: a heartbeat.
    ///
    /// # Errors
    /// The disk.
    pub fn beat(&mut self, house: &House, now: Moment) -> Result<()> {
        self.renew(house);
        if self.place.is_none() {
            return self.publish(house, now);
        }
        let done = self.sign(house, now);
        if done.is_err() {
            self.place = None;
        }
        done
    }

    /// Who asks for witnesses refuses a file without them: once they have come up with it, all is written anew.
    fn renew(&mut self, house: &House) {
        let cosigned = house.cosigned.note(house.policy().witnesses);
        if self.bare.is_some_and(|last| cosigned.is_some_and(|(size, _)| last < *size)) {
            self.bare = None;
            self.place = None;
        }
    }

    fn sign(&mut self, house: &House, now: Moment) -> Result<()> {
        let Some(place) = self.place else { return Ok(()) };
        self.beat += 1;
        let manifest = Manifest {
            origin: self.key.name().to_owned(),
            view: "all".to_owned(),
            place,
            beat: Beat { number: self.beat, made: now },
            every_ms: every_ms(house, now),
            silence_ms: house.policy().silence_limit_ms,
            count: self.count,
            snapshot: self.snapshot.clone(),
            deltas: self.deltas.clone(),
        };
        let text = manifest.sign(&self.key).to_string();
        Ok(disk::write(&self.dir.join("manifest"), text.as_bytes())?)
    }

    /// Writes a file of these entries and of what is gone.
    fn write(
        &mut self,
        house: &House,
        at: Place,
        from: Option<u64>,
        entries: &[Entry],
        gone: &[Item],
    ) -> Result<FileName> {
        let case = house.case();
        let blocks = house.all_blocks();
        let mut groups: BTreeMap<u64, Vec<(u32, Block)>> = BTreeMap::new();
        for entry in entries {
            let (record, place, block) =
                blocks.block_of(entry).ok_or_else(|| unproven(entry.item))?;
            groups.entry(record).or_default().push((place, block));
        }
        let last = groups.last_key_value().map(|(record, _)| *record);
        let (size, checkpoint) = match last {
            None => (0, String::new()),
            Some(last) => match cosigned(house, last) {
                Some(cosigned) => cosigned,
                None => {
                    self.bare = self.bare.max((house.policy().witnesses > 0).then_some(last));
                    let own = case.log().published().unwrap_or_default();
                    let size = ledger::Checkpoint::parse_unverified(own).map_or(0, |of| of.size);
                    (size, own.to_owned())
                }
            },
        };
        let head = Head { view: "all".to_owned(), place: at, from, checkpoint };
        let odd = |e: shield::wire::file::WriteError| Error::Beside(format!("the feed: {e}"));
        let mut writer = Writer::new(Vec::new(), &head).map_err(odd)?;
        for (index, mut blocks) in groups {
            blocks.sort_unstable_by_key(|(place, _)| *place);
            let record = String::from_utf8(case.log().entry(index)?)
                .map_err(|_| Error::Beside(format!("record {index} is no text")))?;
            let path = case.log().inclusion_in(index, size)?;
            let leaves = house.all_blocks().leaves(index).unwrap_or_default();
            writer.group(&Group { index, record: &record, path, leaves, blocks }).map_err(odd)?;
        }
        for value in gone {
            writer.gone(value).map_err(odd)?;
        }
        let bytes = writer.end().map_err(odd)?;
        let hash = Sha256Hex::of(&bytes);
        disk::write(&self.dir.join("files").join(hash.to_string()), &bytes)?;
        Ok(FileName { from, to: at.serial, bytes: bytes.len() as u64, hash })
    }

    /// Takes away what no manifest has named for a while.
    fn clear(&mut self) -> Result<()> {
        while let Some((since, hash)) = self.retired.front().copied() {
            if since.elapsed() < GRACE {
                break;
            }
            self.retired.pop_front();
            let named = self.snapshot.iter().chain(&self.deltas).any(|file| file.hash == hash);
            if !named {
                disk::remove(&self.dir.join("files").join(hash.to_string()))?;
            }
        }
        Ok(())
    }
}

/// The greatest checkpoint that as many witnesses have cosigned as the policy asks for, with what they signed,
/// and its entries. `None` where it does not cover a record, which went out when the figure was less.
fn cosigned(house: &House, record: u64) -> Option<(u64, String)> {
    let (size, note) = house.cosigned.note(house.policy().witnesses)?;
    (record < *size).then(|| (*size, note.to_string()))
}

fn unproven(item: ItemId) -> Error {
    Error::Beside(format!("item {item} is in force and no record shows its block"))
}

/// How soon the next heartbeat is due: often while an event runs.
pub fn every_ms(house: &House, now: Moment) -> u64 {
    let policy = house.policy();
    if house.state().is_event_on(now, policy.after_event_ms) {
        policy.heartbeat_event_ms
    } else {
        policy.heartbeat_idle_ms
    }
}
