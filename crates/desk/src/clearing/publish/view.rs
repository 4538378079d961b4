//! One view in its folder: the chain of files that leads to where the feed is, and the manifest that names them.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ledger::{SigningKey, disk};
use model::Sha256Hex;
use shield::feed::{Answer, Entry, History, Own, Place, Whose};
use shield::item::Item;
use shield::order::{ItemId, Moment};
use shield::wire::{Apart, Beat, FileName, Manifest};

use super::draft::{Draft, Drafted};
use super::paper::{Gathered, Paper};
use super::{Bounds, Put, Told, every_ms};
use crate::clearing::house::House;
use crate::{Error, Result};

/// What all views of one beat have in common.
pub(super) struct Round<'a> {
    pub(super) house: &'a House,
    pub(super) now: Moment,
    /// Where the feed is.
    pub(super) place: Place,
    pub(super) beat: u64,
    pub(super) key: &'a SigningKey,
    /// The ISPs that have a view of their own, in order: for everybody's.
    pub(super) apart: Vec<Apart>,
    pub(super) bounds: Bounds,
}

/// Files that no manifest names any more, and since when.
pub(super) type Retired = VecDeque<(Instant, PathBuf)>;

/// A view that is published.
#[derive(Debug)]
pub(super) struct View {
    whose: Whose,
    name: String,
    dir: PathBuf,
    /// Where it is; `None`: whatever stands there is not gone on with, the next is a snapshot.
    place: Option<Place>,
    /// The last beat that its manifest said.
    beat: u64,
    snapshot: Option<FileName>,
    /// One delta that leads from the snapshot on.
    over: Option<FileName>,
    /// A delta a step, each from where the one before ends: on from `over`, or else the snapshot, and the last ones
    /// before that, so that who is a few steps behind takes no more than these.
    steps: VecDeque<FileName>,
    count: u64,
    /// The last record of a file whose checkpoint fewer have cosigned than are asked for, or nobody has.
    bare: Option<u64>,
    /// How many witnesses were asked for when it was looked at last; more than there are, before that.
    asked: u64,
    /// A snapshot is to be made beside the house's work.
    asks: bool,
    /// It is to be of this serial or a later one, and all that leads on to it is to be let go of then.
    anew: Option<u64>,
    drafted: Option<Drafted>,
}

impl View {
    pub(super) fn new(folder: &Path, whose: &Whose) -> Self {
        // Who has no name for a view is never given one.
        let name = whose.name().unwrap_or_default().to_owned();
        let (whose, dir) = (whose.clone(), folder.join(&name));
        Self {
            whose,
            name,
            dir,
            place: None,
            beat: 0,
            snapshot: None,
            over: None,
            steps: VecDeque::new(),
            count: 0,
            bare: None,
            asked: u64::MAX,
            asks: false,
            anew: None,
            drafted: None,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn files(&self) -> PathBuf {
        self.dir.join("files")
    }

    /// True where its manifest leads to what its ISP gets, at this beat or an earlier one.
    pub(super) fn stands(&self) -> bool {
        self.place.is_some()
    }

    /// True where its manifest is of this beat.
    pub(super) fn is_at(&self, round: &Round<'_>) -> bool {
        self.stands() && self.beat == round.beat
    }

    /// True where its manifest names the file at this path.
    pub(super) fn names(&self, path: &Path) -> bool {
        let hash = path.file_name().and_then(|name| name.to_str()?.parse::<Sha256Hex>().ok());
        let mut files = self.snapshot.iter().chain(&self.over).chain(&self.steps);
        path.parent() == Some(&self.files()) && files.any(|file| Some(file.hash) == hash)
    }

    /// The snapshot that is to be made of it, where one is.
    pub(super) fn draft(&self, history: &History) -> Option<Draft> {
        let view = || history.current().view_of(&self.whose);
        let asks = self.asks && self.drafted.is_none();
        asks.then(|| Draft::new(self.whose.clone(), history.place(), view()))
    }

    /// That snapshot was made: the next manifest names it, if the feed still leads on from it.
    pub(super) fn take(&mut self, drafted: Drafted) {
        self.drafted = Some(drafted);
    }

    /// Follows the feed to where it is, and says so; where it is there already, says only that: a heartbeat.
    ///
    /// # Errors
    /// The disk. The manifest from before stands.
    pub(super) fn publish(
        &mut self,
        round: &Round<'_>,
        retired: &mut Retired,
        told: &mut Told<'_>,
    ) -> Result<()> {
        let done = self.follow(round, retired);
        match &done {
            Ok(_) if self.is_at(round) => told(Put::Stands(&self.name)),
            Ok(_) => {}
            // Whatever stands there is not gone on with: the next is a snapshot, in a folder made anew.
            Err(_) => self.place = None,
        }
        done.and_then(|beside| beside)
    }

    /// Fails where it does not stand; gives what failed beside: what only makes the way to it shorter.
    fn follow(&mut self, round: &Round<'_>, retired: &mut Retired) -> Result<Result<()>> {
        let Some(feed) = round.house.feed() else { return Ok(Ok(())) };
        let history = feed.history();
        disk::create_dir(&self.files())?;
        self.renew(round, history);
        let drafted = self.drafted.take();
        let drafted = if self.stands() { drafted } else { self.begin(drafted, history, retired) };
        if self.place != Some(round.place) && !self.step(round, history, retired)? {
            return Ok(Ok(()));
        }
        let mut beside = Ok(());
        if let Some(drafted) = drafted {
            beside = self.adopt(drafted, round, history, retired);
        }
        let beside = beside.and(self.shorten(round, history, retired));
        self.sign(round).map(|()| beside)
    }

    /// Goes to where the feed is. False where that has to wait for a snapshot of a view that begins.
    fn step(
        &mut self,
        round: &Round<'_>,
        history: &History,
        retired: &mut Retired,
    ) -> Result<bool> {
        // No delta leads across an epoch, nor across a stop that shuts this view or opens it.
        match history.answer_to(&self.whose, self.place) {
            Answer::Current => {}
            Answer::Delta(own) => {
                let step = self.delta(round, &own)?;
                self.count = (self.count + own.new as u64).saturating_sub(own.removed.len() as u64);
                self.steps.push_back(step);
            }
            // Who has none of its own yet goes on with everybody's.
            Answer::Reset(_)
                if self.whose != Whose::All && !self.stands() && self.is_great(round, history) =>
            {
                self.asks = true;
                return Ok(false);
            }
            Answer::Reset(_) => {
                self.all(round, history, retired)?;
                retire(retired, &self.files(), self.steps.drain(..));
            }
        }
        self.place = Some(round.place);
        Ok(true)
    }

    /// True where a snapshot of it takes long.
    fn is_great(&self, round: &Round<'_>, history: &History) -> bool {
        !self.whose.is_shut(history.current().gates())
            && history.current().len() > round.bounds.at_once
    }

    /// Writes all there is as it is now. What led to it by steps still does.
    fn all(&mut self, round: &Round<'_>, history: &History, retired: &mut Retired) -> Result<()> {
        let (mut gathered, mut count) = (Gathered::default(), 0);
        for (_, entry) in history.current().view_of(&self.whose).entries() {
            count += 1;
            self.gather(round, &entry, &mut gathered)?;
        }
        let file = self.write(round, None, gathered, &[])?;
        self.count = count;
        if self.anew.is_some() {
            retire(retired, &self.files(), self.steps.drain(..));
        }
        (self.asks, self.anew) = (false, None);
        let old = self.snapshot.replace(file).into_iter().chain(self.over.take());
        retire(retired, &self.files(), old);
        Ok(())
    }

    /// A view begins with a snapshot that was made, if the feed still leads on from it; else it asks again.
    fn begin(
        &mut self,
        drafted: Option<Drafted>,
        history: &History,
        retired: &mut Retired,
    ) -> Option<Drafted> {
        let drafted = drafted?;
        self.let_go(retired);
        match history.answer_to(&self.whose, Some(drafted.place)) {
            Answer::Reset(_) => retire(retired, &self.files(), [drafted.file]),
            _ => {
                let Drafted { place, file, count, bare } = drafted;
                (self.place, self.snapshot, self.count) = (Some(place), Some(file), count);
                self.bare = self.bare.max(bare);
                (self.asks, self.anew) = (false, None);
            }
        }
        None
    }

    /// Takes a snapshot that was made in the place of the one it has, if the feed leads on from it.
    fn adopt(
        &mut self,
        drafted: Drafted,
        round: &Round<'_>,
        history: &History,
        retired: &mut Retired,
    ) -> Result<()> {
        let serial = drafted.place.serial;
        // It was begun before witnesses were waited for, and what leads on from it may be bare.
        if self.anew.is_some_and(|since| serial < since) {
            retire(retired, &self.files(), [drafted.file]);
            return Ok(());
        }
        if self.anew.is_some() {
            let before = self.steps.iter().take_while(|step| step.from < Some(serial)).count();
            retire(retired, &self.files(), self.steps.drain(..before));
        }
        let leads = self.steps.iter().any(|step| step.from == Some(serial));
        let mut over = None;
        if !leads && drafted.place != round.place {
            over = match history.answer_to(&self.whose, Some(drafted.place)) {
                Answer::Delta(own) => match self.delta(round, &own) {
                    Ok(over) => Some(over),
                    Err(error) => {
                        retire(retired, &self.files(), [drafted.file]);
                        return Err(error);
                    }
                },
                _ => {
                    retire(retired, &self.files(), [drafted.file]);
                    return Ok(());
                }
            };
        }
        let old = self.snapshot.replace(drafted.file).into_iter();
        let old = old.chain(std::mem::replace(&mut self.over, over));
        retire(retired, &self.files(), old);
        self.bare = self.bare.max(drafted.bare);
        (self.asks, self.anew) = (false, None);
        Ok(())
    }

    /// Keeps what leads from the snapshot to here short, and lets go of the steps that nothing needs any more.
    fn shorten(
        &mut self,
        round: &Round<'_>,
        history: &History,
        retired: &mut Retired,
    ) -> Result<()> {
        let Some(snapshot) = self.snapshot.clone() else { return Ok(()) };
        let after = |view: &Self| {
            let lead = view.over.as_ref().map_or(snapshot.to, |over| over.to);
            view.steps.iter().filter(|step| step.from >= Some(lead)).count()
        };
        let mut is_due = round.place.serial.saturating_sub(snapshot.to) >= round.bounds.age;
        if after(self) > round.bounds.steps {
            let from = Place { serial: snapshot.to, ..round.place };
            match history.answer_to(&self.whose, Some(from)) {
                Answer::Delta(own) => {
                    let over = self.delta(round, &own)?;
                    retire(retired, &self.files(), self.over.replace(over));
                }
                _ => is_due = true,
            }
        }
        let lead = self.over.iter().chain(self.steps.iter().rev().take(after(self)));
        let lead: u64 = lead.map(|file| file.bytes).sum();
        is_due |= lead > round.bounds.lead.max(snapshot.bytes / 32);
        if is_due {
            // Where it could not be made in time all waits for it.
            if !self.is_great(round, history) || self.steps.len() >= round.bounds.most {
                self.all(round, history, retired)?;
            } else {
                self.asks = true;
            }
        }
        let needed = after(self).max(round.bounds.kept);
        let over = self.steps.len().saturating_sub(needed);
        retire(retired, &self.files(), self.steps.drain(..over));
        Ok(())
    }

    fn let_go(&mut self, retired: &mut Retired) {
        let old = self.snapshot.take().into_iter().chain(self.over.take());
        retire(retired, &self.dir.join("files"), old.chain(self.steps.drain(..)));
    }

    /// Who asks for witnesses refuses a file without them: once they have come up with it, all is written anew. The
    /// same once more of them are asked for: what stands here carries fewer.
    fn renew(&mut self, round: &Round<'_>, history: &History) {
        let asked = round.house.policy().witnesses;
        if asked > self.asked && self.stands() {
            self.bare = self.bare.max(round.house.case().len().checked_sub(1));
        }
        self.asked = asked;
        let cosigned = round.house.cosigned.note(asked);
        if self.bare.is_some_and(|last| cosigned.is_some_and(|(size, _)| last < *size)) {
            self.bare = None;
            if self.stands() && self.is_great(round, history) {
                (self.asks, self.anew) = (true, Some(history.place().serial));
            } else {
                self.place = None;
            }
        }
    }

    fn sign(&mut self, round: &Round<'_>) -> Result<()> {
        let manifest = Manifest {
            origin: round.key.name().to_owned(),
            view: self.name.clone(),
            place: round.place,
            beat: Beat { number: round.beat, made: round.now },
            every_ms: every_ms(round.house, round.now),
            silence_ms: round.house.policy().silence_limit_ms,
            count: self.count,
            apart: round.apart.clone(),
            snapshot: self.snapshot.clone(),
            deltas: self.deltas(),
        };
        let text = manifest.sign(round.key).to_string();
        disk::write(&self.dir.join("manifest"), text.as_bytes())?;
        self.beat = round.beat;
        Ok(())
    }

    /// In the order that a manifest has them.
    fn deltas(&self) -> Vec<FileName> {
        let mut deltas: Vec<FileName> = self.over.iter().chain(&self.steps).cloned().collect();
        deltas.sort_unstable_by_key(|file| (file.from, file.to));
        deltas
    }

    /// Writes what changed.
    fn delta(&mut self, round: &Round<'_>, own: &Own) -> Result<FileName> {
        let mut gathered = Gathered::default();
        own.added.iter().try_for_each(|(_, entry)| self.gather(round, entry, &mut gathered))?;
        let gone: Vec<&Item> = own.removed.iter().map(|value| &**value).collect();
        self.write(round, Some(own.from), gathered, &gone)
    }

    fn gather(&self, round: &Round<'_>, entry: &Entry, gathered: &mut Gathered) -> Result<()> {
        let is_shown = gathered.take(round.house.all_blocks(), entry);
        is_shown.then_some(()).ok_or_else(|| unproven(entry.item))
    }

    fn write(
        &mut self,
        round: &Round<'_>,
        from: Option<u64>,
        gathered: Gathered,
        gone: &[&Item],
    ) -> Result<FileName> {
        let paper = Paper::new(round.house, &self.name, round.place, from, gathered);
        self.bare = self.bare.max(paper.bare);
        paper.write(round.house.case().log(), &self.files(), gone, &|| true)
    }

    /// It is its ISP's no more. Files stay for whoever is fetching one; its name, for [`end`].
    pub(super) fn end(mut self, retired: &mut Retired) -> String {
        self.let_go(retired);
        let drafted = self.drafted.take().map(|drafted| drafted.file);
        retire(retired, &self.files(), drafted);
        self.name
    }
}

/// Ends a view that stands in the folder.
///
/// # Errors
/// The disk.
pub(super) fn end(folder: &Path, name: &str, told: &mut Told<'_>) -> Result<()> {
    disk::remove(&folder.join(name).join("manifest"))?;
    told(Put::Ended(name));
    Ok(())
}

fn retire(retired: &mut Retired, files: &Path, old: impl IntoIterator<Item = FileName>) {
    retired.extend(old.into_iter().map(|file| (Instant::now(), files.join(file.hash.to_string()))));
}

fn unproven(item: ItemId) -> Error {
    Error::Beside(format!("item {item} is in force and no record shows its block"))
}
