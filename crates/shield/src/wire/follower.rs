//! What an ISP holds of the feed. It is told manifests and files that were verified, and the time, by two
//! clocks: the wall's, since an expiry is a moment, and one that nobody can set, by which it lets go.

use std::collections::BTreeMap;

use ledger::Policy;
use model::Sha256Hex;
use sha2::{Digest, Sha256};

use super::file::Head;
use super::manifest::{Beat, FileName, Manifest};
use super::reader::{Event, FileError, Reader};
use super::skew::Skew;
use crate::feed::{ALL, Place};
use crate::item::Item;
use crate::order::exceptions::Cover;
use crate::order::{ItemId, Moment};

/// The longest that the next heartbeat is waited for, whatever a manifest says, in milliseconds.
const MAX_EVERY: u64 = 60_000;

/// How much it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// The most values.
    pub values: usize,
    /// The most that are added within a minute, once it holds anything: more wait for a person.
    pub per_minute: u64,
    /// How far the wall's clock may be from the manifest's, in milliseconds, beside what it waits for the next.
    pub skew_ms: u64,
    /// The longest that a manifest may have it hold on in silence, in milliseconds.
    pub silence_ms: u64,
}

impl Default for Bounds {
    /// Two million values; 2,000 a minute, two tickets of the greatest size; 5 s; 15 min.
    fn default() -> Self {
        Self { values: 2_000_000, per_minute: 2_000, skew_ms: 5_000, silence_ms: 900_000 }
    }
}

/// A value that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The item.
    pub item: ItemId,
    /// Until when, by the wall.
    pub expires: Moment,
    /// When it ends by the clock that nobody can set, in milliseconds.
    pub ends: u64,
    /// The reason's word.
    pub code: Option<String>,
}

/// What somebody has to be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Alarm {
    /// The manifest is of another view.
    #[error("the manifest is for {0:?}: this is another's feed")]
    View(String),
    /// The manifest is everybody's, and says that this ISP has a view of its own.
    #[error(
        "the manifest is everybody's, and says that {0:?} has a view of its own: that one is to be asked for"
    )]
    Apart(String),
    /// The manifest is older than what is held, or of an epoch that is over.
    #[error("the manifest goes back, from epoch {0} serial {1}: an old one was played back")]
    Back(u64, u64),
    /// It is older than the silence limit.
    #[error("the manifest is {0} ms old: an old one was played back, or a clock is off")]
    Old(u64),
    /// The clocks differ.
    #[error(
        "the clock differs by {0} ms or more from the clearing house's, or all that comes is so \
         old: blocks may end early or late"
    )]
    Clock(u64),
    /// It names no files that lead on from what is held.
    #[error("no file leads to serial {0}")]
    Gap(u64),
    /// A file is not what the manifest names.
    #[error("the file {0} is another than the manifest names")]
    OtherFile(Sha256Hex),
    /// A file is not believed.
    #[error("the file {0}, {1}")]
    File(Sha256Hex, FileError),
    /// A file says what cannot be: of another place, a value twice.
    #[error("the file {0} does not fit what is held")]
    Unfit(Sha256Hex),
    /// Values on the list of what is never blocked here were left out.
    #[error("{0} values that are protected here were left out, {1} first")]
    Protected(usize, Item),
    /// More than may be added within a minute: they wait.
    #[error("{0} values wait for a person: more than {1} within a minute")]
    Flood(usize, u64),
    /// More than are held.
    #[error("more than {0} values: the rest was left out")]
    Full(usize),
    /// Nothing was heard for too long: all was let go.
    #[error("nothing was heard of the feed for {0} ms: all {1} values were let go")]
    Silent(u64, usize),
}

/// What is to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Want {
    /// Nothing: it has all.
    Nothing,
    /// These files, in order.
    Files(Vec<FileName>),
}

/// What changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// Values that are held now, and were not, or with another end.
    pub added: Vec<(Item, Held)>,
    /// Values that are held no more.
    pub removed: Vec<Item>,
    /// What somebody has to be told.
    pub alarms: Vec<Alarm>,
}

/// What is held.
#[derive(Debug)]
pub struct Follower {
    /// The view that is this ISP's, where it has one: while it has none, everybody's is.
    view: String,
    /// The view of which something is held.
    reads: String,
    /// The view of the last manifest heard.
    hears: String,
    bounds: Bounds,
    protected: Vec<Cover>,
    place: Option<Place>,
    /// The last manifest heard: its epoch, since beats count within one, and its beat.
    beat: Option<(u64, Beat)>,
    /// When that very beat was made at the latest, by the clock that nobody can set.
    fresh: u64,
    skew: Skew,
    /// True where what is held is all that was out at its place: else only a snapshot leads on.
    whole: bool,
    /// When a manifest came last of which all is held, by the clock that nobody can set, and how long it lets
    /// hold on.
    heard: Option<(u64, u64)>,
    /// The same of one whose files are still to come: who hands on manifests and holds back what is lifted keeps
    /// nothing alive.
    coming: Option<(Place, (u64, u64))>,
    held: BTreeMap<Item, Held>,
    /// Nothing that is held ends before.
    next_end: u64,
    waiting: BTreeMap<Item, Held>,
    /// True where nothing more is added: what comes waits.
    halted: bool,
    /// The minute that runs, and how many were added in it.
    minute: (u64, u64),
}

/// A file on its way in: nothing of it counts before its end, and its hash.
#[derive(Debug)]
pub struct Staged<'a> {
    name: FileName,
    reader: Reader<'a>,
    hash: Sha256,
    bytes: u64,
    head: Option<Head>,
    blocks: Vec<(Item, ItemId, Moment, Option<String>)>,
    gone: Vec<Item>,
}

impl<'a> Staged<'a> {
    /// Begins with a file that the manifest names.
    pub fn new(name: FileName, policy: &'a Policy) -> Self {
        let (reader, hash) = (Reader::new(policy), Sha256::new());
        Self { name, reader, hash, bytes: 0, head: None, blocks: Vec::new(), gone: Vec::new() }
    }

    /// Whether it came whole, and is the file that the manifest names.
    ///
    /// # Errors
    /// It is not.
    pub fn holds(&self) -> Result<(), Alarm> {
        let whole = self.reader.is_whole() && self.bytes == self.name.bytes;
        if whole && Sha256Hex(self.hash.clone().finalize().into()) == self.name.hash {
            return Ok(());
        }
        Err(Alarm::OtherFile(self.name.hash))
    }

    /// Takes the next line, without its end.
    ///
    /// # Errors
    /// What does not hold; the file is worth nothing then.
    pub fn line(&mut self, line: &[u8]) -> Result<(), Alarm> {
        self.hash.update(line);
        self.hash.update(b"\n");
        self.bytes = self.bytes.saturating_add(line.len() as u64 + 1);
        if self.bytes > self.name.bytes {
            return Err(Alarm::OtherFile(self.name.hash));
        }
        match self.reader.line(line).map_err(|e| Alarm::File(self.name.hash, e))? {
            Event::Head(head) => self.head = Some(head),
            Event::Block(block) => {
                self.blocks.push((block.value, block.item, block.expires, block.code));
            }
            Event::Gone(item) => self.gone.push(item),
            Event::Record(_) | Event::Cut | Event::End { .. } => {}
        }
        Ok(())
    }
}

impl Follower {
    /// One that holds nothing. `view` is this ISP's own: everybody's is believed in its place for as long as it
    /// says that there is no such view. `protected` is never blocked here, whatever the feed says.
    pub fn new(view: &str, bounds: Bounds, protected: Vec<Cover>) -> Self {
        Self {
            view: view.to_owned(),
            reads: view.to_owned(),
            hears: view.to_owned(),
            bounds,
            protected,
            place: None,
            beat: None,
            fresh: u64::MAX,
            skew: Skew::default(),
            whole: false,
            heard: None,
            coming: None,
            held: BTreeMap::new(),
            next_end: u64::MAX,
            waiting: BTreeMap::new(),
            halted: false,
            minute: (0, 0),
        }
    }

    /// Goes on from where it stood before a restart: it takes nothing older, and holds nothing yet.
    pub fn resume(&mut self, place: Place, beat: Beat) {
        (self.place, self.beat, self.whole) = (Some(place), Some((place.epoch, beat)), false);
    }

    /// Where it stands.
    pub fn place(&self) -> Option<(Place, Beat)> {
        self.place.zip(self.beat.map(|(_, beat)| beat))
    }

    /// The latest epoch of which a manifest was heard; its files may be still to come.
    pub fn epoch(&self) -> Option<u64> {
        self.beat.map(|(epoch, _)| epoch)
    }

    /// The view that is followed: this ISP's own, or everybody's while it has none.
    pub fn reads(&self) -> &str {
        &self.reads
    }

    /// True where all is held that was out where it stands: else what is held is no whole list.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// When it lets go of all, if nothing more is heard, in milliseconds of the clock that nobody can set.
    pub fn silent_at(&self) -> Option<u64> {
        self.heard.map(|(heard, silence)| heard.saturating_add(silence))
    }

    /// What is held.
    pub fn held(&self) -> &BTreeMap<Item, Held> {
        &self.held
    }

    /// What waits for a person.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Hears a manifest that the feed's key signed: `wall` and `now` are the two clocks. Gives what is to
    /// be fetched, and what else has to be told.
    ///
    /// # Errors
    /// It is not believed, and changes nothing.
    pub fn hear(
        &mut self,
        manifest: &Manifest,
        wall: Moment,
        now: u64,
    ) -> Result<(Want, Option<Alarm>), Alarm> {
        if manifest.view != self.view && manifest.view != ALL {
            return Err(Alarm::View(manifest.view.clone()));
        }
        // Places and beats are those of the feed, whichever view: none of them goes back where the view changes.
        let (place, beat) = (manifest.place, manifest.beat);
        let back = || Alarm::Back(place.epoch, place.serial);
        // What was heard last may be further than what is held: its files are still to come.
        let later = self.beat.is_none_or(|(epoch, heard)| {
            place.epoch > epoch || (place.epoch == epoch && beat.number >= heard.number)
        });
        if !later || self.place.is_some_and(|mine| !mine.may_go_to(place)) {
            return Err(back());
        }
        let silence = manifest.silence_ms.min(self.bounds.silence_ms);
        let age = wall.since(beat.made);
        if age > silence {
            return Err(Alarm::Old(age));
        }
        // The same again grows no younger where the wall's clock went back, or is behind: whoever plays it back
        // for ever keeps nothing alive.
        let mut heard = now.saturating_sub(age);
        if self.beat == Some((place.epoch, beat)) {
            heard = heard.min(self.fresh);
        }
        if now.saturating_sub(heard) > silence {
            return Err(Alarm::Old(now.saturating_sub(heard)));
        }
        if manifest.view != self.view && manifest.sets_apart(&self.view) {
            return Err(Alarm::Apart(self.view.clone()));
        }
        let want = self.wants(manifest)?;
        let again = self.beat == Some((place.epoch, beat));
        let ahead = self.skew.ahead(age, again, manifest.every_ms.min(MAX_EVERY));
        let skew = ahead.max(beat.made.since(wall));
        let told = (skew > self.bounds.skew_ms).then_some(Alarm::Clock(skew));
        (self.beat, self.fresh) = (Some((place.epoch, beat)), heard);
        self.hears.clone_from(&manifest.view);
        // Silence counts from when it was made, as far as the clocks agree: a cache that hands on an old
        // one keeps nothing alive.
        let heard = (heard, silence);
        match want {
            Want::Nothing => (self.heard, self.coming) = (Some(heard), None),
            Want::Files(_) => self.coming = Some((place, heard)),
        }
        Ok((want, told))
    }

    fn wants(&self, manifest: &Manifest) -> Result<Want, Alarm> {
        let to = manifest.place;
        let same = |mine: &Place| (mine.session, mine.epoch) == (to.session, to.epoch);
        // What is held of one view is no beginning of another.
        let whole = self.whole && manifest.view == self.reads;
        if let Some(mine) = self.place.filter(same).filter(|_| whole) {
            if mine.serial == to.serial {
                return Ok(Want::Nothing);
            }
            if let Some(path) = manifest.path_from(mine.serial) {
                return Ok(Want::Files(path.into_iter().cloned().collect()));
            }
        }
        let gap = || Alarm::Gap(to.serial);
        let snapshot = manifest.snapshot.as_ref().ok_or_else(gap)?;
        let path = manifest.path_from(snapshot.to).ok_or_else(gap)?;
        Ok(Want::Files(std::iter::once(snapshot).chain(path).cloned().collect()))
    }

    /// Takes a file that came whole. What it adds is held until its own end, whatever comes after: of a chain of
    /// files each has to hold ([`Staged::holds`]) before the first is taken.
    ///
    /// # Errors
    /// It is not what the manifest names, or does not fit: nothing is changed.
    pub fn take(&mut self, staged: Staged<'_>, wall: Moment, now: u64) -> Result<Taken, Alarm> {
        let hash = staged.name.hash;
        staged.holds()?;
        let unfit = || Alarm::Unfit(hash);
        let head = staged.head.ok_or_else(unfit)?;
        let to = head.place;
        let follows = match (head.from, self.place) {
            (None, mine) => mine.is_none_or(|mine| to.epoch >= mine.epoch),
            (Some(from), Some(mine)) => {
                self.whole
                    && head.view == self.reads
                    && (mine.session, mine.epoch, mine.serial) == (to.session, to.epoch, from)
            }
            (Some(_), None) => false,
        };
        let named = (head.from, head.place.serial) == (staged.name.from, staged.name.to);
        if !follows || !named || head.view != self.hears {
            return Err(unfit());
        }
        let mut news = BTreeMap::new();
        for (value, item, expires, code) in staged.blocks {
            let ends = now.saturating_add(expires.since(wall));
            if news.insert(value, Held { item, expires, ends, code }).is_some() {
                return Err(unfit());
            }
        }
        if staged.gone.iter().any(|gone| news.contains_key(gone)) {
            return Err(unfit());
        }
        let mut taken = Taken::default();
        // Who begins takes all there is; from then on a flood waits.
        let first = !self.whole;
        if head.from.is_none() {
            let gone: Vec<Item> =
                self.held.keys().filter(|v| !news.contains_key(*v)).cloned().collect();
            gone.into_iter().for_each(|value| self.drop(value, &mut taken));
            self.waiting.clear();
        }
        for value in staged.gone {
            self.waiting.remove(&value);
            self.drop(value, &mut taken);
        }
        (self.place, self.whole) = (Some(to), true);
        self.reads = head.view;
        if let Some((place, heard)) = self.coming {
            // Nothing is held without a clock, not even what a chain of files begins with.
            if place == to || self.heard.is_none() {
                self.heard = Some(heard);
            }
            self.coming = self.coming.filter(|_| place != to);
        }
        self.add(news, first, wall, now, &mut taken);
        Ok(taken)
    }

    fn add(
        &mut self,
        news: BTreeMap<Item, Held>,
        first: bool,
        wall: Moment,
        now: u64,
        taken: &mut Taken,
    ) {
        let (mut protected, mut waited, mut full) = (Vec::new(), 0, false);
        for (value, held) in news {
            if held.expires <= wall {
                self.drop(value, taken);
                continue;
            }
            if self.protected.iter().any(|cover| cover.covers(&value, None)) {
                protected.push(value);
                continue;
            }
            if !self.held.contains_key(&value) {
                if self.held.len() >= self.bounds.values {
                    full = true;
                    continue;
                }
                if self.halted || (!first && !self.has_room(now)) {
                    waited += usize::from(!self.halted);
                    self.waiting.insert(value, held);
                    continue;
                }
            }
            if self.held.get(&value) != Some(&held) {
                self.next_end = self.next_end.min(held.ends);
                self.held.insert(value.clone(), held.clone());
                taken.added.push((value, held));
            }
        }
        if let Some(value) = protected.first() {
            taken.alarms.push(Alarm::Protected(protected.len(), value.clone()));
        }
        if waited > 0 {
            taken.alarms.push(Alarm::Flood(waited, self.bounds.per_minute));
        }
        if full {
            taken.alarms.push(Alarm::Full(self.bounds.values));
        }
    }

    /// True where one more may be added in the minute that runs.
    fn has_room(&mut self, now: u64) -> bool {
        let minute = now / 60_000;
        if self.minute.0 != minute {
            self.minute = (minute, 0);
        }
        let room = self.minute.1 < self.bounds.per_minute;
        self.minute.1 += u64::from(room);
        room
    }

    fn drop(&mut self, value: Item, taken: &mut Taken) {
        if self.held.remove(&value).is_some() {
            taken.removed.push(value);
        }
    }

    /// Lets go of all, and holds nothing until a snapshot is taken again.
    pub fn let_go(&mut self) -> Taken {
        let removed = std::mem::take(&mut self.held).into_keys().collect();
        self.waiting.clear();
        (self.heard, self.coming, self.whole) = (None, None, false);
        Taken { removed, ..Taken::default() }
    }

    /// From here on nothing more is added, or all that waits meanwhile is, and what comes.
    pub fn halt(&mut self, halted: bool, wall: Moment, now: u64) -> Taken {
        self.halted = halted;
        if halted { Taken::default() } else { self.let_in(wall, now) }
    }

    /// A person lets in what waits.
    pub fn let_in(&mut self, wall: Moment, now: u64) -> Taken {
        let mut taken = Taken::default();
        let waiting = std::mem::take(&mut self.waiting);
        self.add(waiting, true, wall, now, &mut taken);
        taken
    }

    /// Lets go of what is due: each value by its own end, all of them where nothing was heard for too long.
    pub fn due(&mut self, now: u64) -> Taken {
        let mut taken = Taken::default();
        if let Some((heard, silence)) = self.heard
            && now.saturating_sub(heard) >= silence
        {
            let count = self.held.len();
            taken.removed = std::mem::take(&mut self.held).into_keys().collect();
            self.waiting.clear();
            // Once, and then it begins anew: with a snapshot.
            (self.heard, self.whole) = (None, false);
            taken.alarms.push(Alarm::Silent(now.saturating_sub(heard), count));
            return taken;
        }
        if now >= self.next_end {
            let over = self.held.iter().filter(|(_, held)| held.ends <= now);
            let over: Vec<Item> = over.map(|(value, _)| value.clone()).collect();
            over.into_iter().for_each(|value| self.drop(value, &mut taken));
            self.next_end = self.held.values().map(|held| held.ends).min().unwrap_or(u64::MAX);
        }
        self.waiting.retain(|_, held| held.ends > now);
        taken
    }
}
