//! The feed as files in a folder: of each view `VIEW/manifest`, signed anew with each heartbeat, and
//! `VIEW/files/<SHA-256>`, which never change. Any web server and any cache may hand them on; who follows verifies
//! (`shield::wire`).
//!
//! `all` is everybody's view. An ISP has one of its own while a ticket names it, or a stop: all that everybody gets
//! and what is addressed to it, so that who follows it follows one view (`view`). Each costs its own signature and
//! file with each change; an ISP that none names costs nothing.
//!
//! Invariants: all views are at one place, and one beat is one number in all of them, so that who goes over from one
//! to another goes nowhere back. A view that begins stands before `all` says so; one that ends stands until `all`
//! says so no more.
//!
//! A snapshot of many values takes long, and the house waits for it only where nothing else leads on: at the start,
//! and when a stop of everything ends. Else it is made beside its work (`draft`), and until it stands one delta over
//! all steps since the last one keeps the way from that short.

mod draft;
mod elsewhere;
mod keys;
pub(super) mod paper;
mod view;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ledger::{OwnKey, SigningKey, VerifierKey, disk};
use shield::feed::Whose;
use shield::order::Moment;
use shield::order::words::Organisation;
use shield::wire::{Apart, MAX_APART};

use self::draft::Draft;
pub use self::elsewhere::{Behind, Elsewhere};
use self::keys::KeysTold;
pub use self::keys::{KEYS, forget_next, forget_unrecorded, next_feed_key, replacing, settled};
use self::view::{Round, View};
use super::house::House;
use crate::{Error, Result};

/// How long the way from a snapshot may grow, and what is made at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The most steps that lead on from a snapshot, or from the delta over all before them: then that is made anew.
    pub steps: usize,
    /// So many steps stay for who is a few behind.
    pub kept: usize,
    /// With so many steps everything waits for a new snapshot. Two more files are the most that a manifest names.
    pub most: usize,
    /// After so many serials a snapshot is made anew: well before the history reaches back to it no more.
    pub age: u64,
    /// What leads on from a snapshot may be so large, in bytes, or a thirty-second of it: then it is made anew.
    pub lead: u64,
    /// A snapshot of no more values than this is written at once, a greater one beside the house's work.
    pub at_once: usize,
}

impl Default for Bounds {
    /// 64 steps, of which 32 stay, at most 192; 1,024 serials; 1 MiB; 4,096 values, some hundredths of a second.
    fn default() -> Self {
        Self { steps: 64, kept: 32, most: 192, age: 1_024, lead: 1 << 20, at_once: 4_096 }
    }
}

/// A file that no manifest names any more stays for so long: somebody may be reading it.
pub const GRACE: Duration = Duration::from_secs(600);

/// So long views of ISPs' own that begin may hold up everybody's; then they begin with the next beats.
pub const BEGINNING: Duration = Duration::from_millis(200);

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

/// What a publisher did to a view, as soon as it did it: whoever serves the folder hears of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put<'a> {
    /// The manifest of this view is another one.
    Stands(&'a str),
    /// This view is no more: `all` is that ISP's from here on.
    Ended(&'a str),
    /// What is addressed to this ISP stands in no view: it gets what all get, and no more than that.
    LeftOut(&'a Organisation, LeftOut),
    /// This ISP was left out, and is no more.
    LetIn(&'a Organisation),
}

/// So many of the views that may be go to ISPs that tickets name: the others are for stops.
pub const MAX_BY_TICKETS: usize = MAX_APART - 64;

/// Why an ISP has no view of its own, though a ticket names it, or a stop is on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LeftOut {
    /// Its name can name no view.
    #[error("its name can name no view: address it by the short name it is registered under")]
    Name,
    /// As many ISPs have one as may by tickets, or stops had their places.
    #[error(
        "as many ISPs as may have a view of their own by tickets ({MAX_BY_TICKETS}, and fewer where stops need their \
         places): address this ticket to all, or end others"
    )]
    Many,
    /// As many ISPs are stopped, each by itself, as have a view.
    #[error(
        "{MAX_APART} ISPs are stopped each by itself, which is the most that can be told: stop everything, or resume \
         others"
    )]
    Stops,
}

impl LeftOut {
    /// Its name, for catalogues of texts.
    pub fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Many => "many",
            Self::Stops => "stops",
        }
    }
}

/// Who is left out, as the publisher notes it in the house that it publishes: pages show it for as long as it lasts.
#[derive(Debug, Default)]
pub(super) struct Noted(Mutex<BTreeMap<Organisation, LeftOut>>);

impl Noted {
    fn note(&self, left_out: &BTreeMap<Organisation, LeftOut>) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *noted != *left_out {
            noted.clone_from(left_out);
        }
    }

    /// How many there are, and so many of them, those on which a stop is first.
    pub(super) fn some(&self, most: usize) -> (u64, Vec<(Organisation, LeftOut)>) {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = noted.iter().collect();
        all.sort_by_key(|(_, why)| **why != LeftOut::Stops);
        let some = all.into_iter().take(most).map(|(isp, why)| (isp.clone(), *why));
        (noted.len() as u64, some.collect())
    }
}

/// Who is told what a publisher does.
pub type Told<'a> = dyn FnMut(Put<'_>) + 'a;

/// Publishes everybody's view, and those of the ISPs that have one of their own.
#[derive(Debug)]
pub struct Publisher {
    folder: PathBuf,
    key: SigningKey,
    all: View,
    own: BTreeMap<Organisation, View>,
    left_out: BTreeMap<Organisation, LeftOut>,
    /// Views that another run left in the folder, until it is known which of them go on.
    stood: BTreeSet<String>,
    /// Files that no manifest names any more, and since when.
    retired: VecDeque<(Instant, PathBuf)>,
    beat: u64,
    bounds: Bounds,
    /// The snapshot that is being made: one at a time, since each holds all it shows.
    draft: Option<Draft>,
    /// What is told of replacements of the key.
    keys: Option<KeysTold>,
}

impl Publisher {
    /// Publishes into a folder. What another run left there is taken away with time.
    ///
    /// # Errors
    /// The disk.
    pub fn new(folder: &Path, key: SigningKey) -> Result<Self> {
        disk::create_dir(folder)?;
        let all = View::new(folder, &Whose::All);
        let mut stood = BTreeSet::new();
        let mut retired = VecDeque::new();
        disk::create_dir(&all.files())?;
        for name in names(folder)? {
            let files = folder.join(&name).join("files");
            if !files.is_dir() {
                continue;
            }
            disk::sweep(&files)?;
            let hashes = names(&files)?.into_iter().filter(|name| name.len() == 64);
            retired.extend(hashes.map(|hash| (Instant::now(), files.join(hash))));
            if folder.join(&name).join("manifest").is_file() {
                stood.insert(name);
            }
        }
        let (own, left_out) = (BTreeMap::new(), BTreeMap::new());
        let folder = folder.to_owned();
        let (bounds, draft, keys) = (Bounds::default(), None, None);
        Ok(Self { folder, key, all, own, left_out, stood, retired, beat: 0, bounds, draft, keys })
    }

    /// The same with other bounds.
    #[must_use]
    pub fn with(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// Follows the feed to where it is, and says so.
    ///
    /// # Errors
    /// The disk. What was published before stands; the other views go on, and this one with the next beat.
    pub fn publish(&mut self, house: &House, now: Moment, told: &mut Told<'_>) -> Result<()> {
        self.round(house, now, told)
    }

    /// Says that nothing changed, later: a heartbeat.
    ///
    /// # Errors
    /// As of [`publish`](Self::publish).
    pub fn beat(&mut self, house: &House, now: Moment, told: &mut Told<'_>) -> Result<()> {
        self.round(house, now, told)
    }

    /// True while a snapshot is being made: [`go_on`](Self::go_on) is to be called again, soon.
    pub fn is_drafting(&self) -> bool {
        self.draft.is_some()
    }

    /// Goes on with the snapshot that is being made, for 20 ms at the most; once it stands, a heartbeat names it.
    ///
    /// # Errors
    /// The disk. It is begun anew with a later heartbeat.
    pub fn go_on(&mut self, house: &House, now: Moment, told: &mut Told<'_>) -> Result<()> {
        let Some(draft) = &mut self.draft else { return Ok(()) };
        let view = match &draft.whose {
            Whose::All => Some(&mut self.all),
            Whose::Isp(isp) => self.own.get_mut(isp),
        };
        // Whose view ended meanwhile needs none.
        let Some(view) = view else {
            self.draft = None;
            return Ok(());
        };
        match draft.go_on(house, &view.files()) {
            Ok(None) => Ok(()),
            Ok(Some(drafted)) => {
                view.take(drafted);
                self.draft = None;
                self.round(house, now, told)
            }
            Err(error) => {
                self.draft = None;
                Err(error)
            }
        }
    }

    /// How many ISPs have a view of their own.
    pub fn apart(&self) -> usize {
        self.own.len()
    }

    fn round(&mut self, house: &House, now: Moment, told: &mut Told<'_>) -> Result<()> {
        let Some(feed) = house.feed() else { return Ok(()) };
        let history = feed.history();
        let place = history.place();
        self.beat += 1;
        // Before the manifest that a new key signs.
        let keys = self.tell_keys(house);
        let (beat, key, apart) = (self.beat, &self.key, Vec::new());
        let mut round = Round { house, now, place, beat, key, apart, bounds: self.bounds };
        let mut done = Ok(());
        let mut note = |outcome: Result<()>| {
            if done.is_ok() {
                done = outcome;
            }
        };
        note(keys);
        let current = history.current();
        let stopped = |isp: &Organisation| current.gates().shuts_alone(isp);
        let wanted = wanted(current.apart(), stopped, &self.own, &mut self.left_out, told);
        house.left_out.note(&self.left_out);
        let begun = Instant::now();
        // A stop goes before what tickets say.
        let (stops, tickets): (Vec<_>, Vec<_>) = wanted.iter().partition(|isp| stopped(isp));
        for isp in stops.into_iter().chain(tickets) {
            if self.own.get(isp).is_some_and(View::stands) {
                continue;
            }
            // What everybody gets does not wait for all of them: the others begin with the next beats.
            if begun.elapsed() > BEGINNING {
                break;
            }
            let view = View::new(&self.folder, &Whose::Isp((*isp).clone()));
            let view = self.own.entry((*isp).clone()).or_insert(view);
            note(view.publish(&round, &mut self.retired, told));
        }
        // One that could not be written is not said to be there: its ISP goes on with what all get.
        let standing = self.own.iter().filter(|(isp, view)| view.stands() && wanted.contains(isp));
        let said: BTreeSet<String> = standing.map(|(_, view)| view.name().to_owned()).collect();
        round.apart = said.iter().map(|name| Apart::of(place, name)).collect();
        round.apart.sort_unstable();
        note(self.all.publish(&round, &mut self.retired, told));
        round.apart = Vec::new();
        for (isp, view) in &mut self.own {
            if wanted.contains(isp) && !view.is_at(&round) {
                note(view.publish(&round, &mut self.retired, told));
            }
        }
        let over: Vec<Organisation> =
            self.own.keys().filter(|isp| !wanted.contains(isp)).cloned().collect();
        // While `all` names it, it has to stand.
        if self.all.is_at(&round) {
            for view in over.iter().filter_map(|isp| self.own.remove(isp)) {
                self.stood.insert(view.end(&mut self.retired));
            }
            // One that waits for its snapshot: whoever still found the manifest of before would go by that.
            let waits = |view: &&View| !view.stands() && !said.contains(view.name());
            let waiting = self.own.values().filter(waits).map(|view| view.name().to_owned());
            let there = |name: &String| self.folder.join(name).join("manifest").is_file();
            let old: Vec<String> = waiting.filter(there).collect();
            self.stood.extend(old);
            for name in std::mem::take(&mut self.stood) {
                let goes_on =
                    |view: &View| view.name() == name && (view.stands() || said.contains(&name));
                if name != self.all.name() && !self.own.values().any(goes_on) {
                    let ended = view::end(&self.folder, &name, told);
                    // With the next beat again.
                    if ended.is_err() {
                        self.stood.insert(name);
                    }
                    note(ended);
                }
            }
        }
        note(self.clear());
        if self.draft.is_none() {
            let mut views = std::iter::once(&self.all).chain(self.own.values());
            self.draft = views.find_map(|view| view.draft(history));
        }
        done
    }

    /// Takes away what no manifest has named for a while.
    fn clear(&mut self) -> Result<()> {
        while let Some((since, path)) = self.retired.front() {
            if since.elapsed() < GRACE {
                break;
            }
            let named =
                std::iter::once(&self.all).chain(self.own.values()).any(|view| view.names(path));
            if !named {
                disk::remove(path)?;
            }
            self.retired.pop_front();
        }
        Ok(())
    }
}

/// The ISPs that are to have a view of their own, of those that the feed sets apart: those on which a stop is, then
/// those that tickets name. Of each kind whoever has one comes first, then the others in the order of their names; by
/// tickets one begins only while they have fewer than [`MAX_BY_TICKETS`], and ends where stops need all there are.
fn wanted<'a>(
    apart: BTreeSet<&'a Organisation>,
    stopped: impl Fn(&Organisation) -> bool,
    own: &BTreeMap<Organisation, View>,
    left_out: &mut BTreeMap<Organisation, LeftOut>,
    told: &mut Told<'_>,
) -> BTreeSet<&'a Organisation> {
    let (mut wanted, mut left, mut by_tickets) = (BTreeSet::new(), BTreeMap::new(), 0);
    let mut ranked: Vec<_> =
        apart.into_iter().map(|isp| (!stopped(isp), !own.contains_key(isp), isp)).collect();
    ranked.sort_unstable();
    for (by_ticket, begins, isp) in ranked {
        let full =
            wanted.len() >= MAX_APART || (by_ticket && begins && by_tickets >= MAX_BY_TICKETS);
        let why = match Whose::Isp(isp.clone()).name() {
            None => LeftOut::Name,
            Some(_) if full && by_ticket => LeftOut::Many,
            Some(_) if full => LeftOut::Stops,
            Some(_) => {
                by_tickets += usize::from(by_ticket);
                wanted.insert(isp);
                continue;
            }
        };
        left.insert(isp.clone(), why);
    }
    let news = left.iter().filter(|(isp, why)| left_out.get(*isp) != Some(*why));
    news.for_each(|(isp, why)| told(Put::LeftOut(isp, *why)));
    left_out.keys().filter(|isp| !left.contains_key(*isp)).for_each(|isp| told(Put::LetIn(isp)));
    *left_out = left;
    wanted
}

/// The names in a folder that are text.
fn names(folder: &Path) -> Result<Vec<String>> {
    let failed = |source| Error::Read { path: folder.to_owned(), source };
    let mut names = Vec::new();
    for entry in folder.read_dir().map_err(failed)? {
        names.extend(entry.map_err(failed)?.file_name().into_string().ok());
    }
    Ok(names)
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

#[cfg(test)]
pub(super) mod tests;
