//! Views that another publishes into the folder: taken up, and ended.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};
use std::time::Instant;

use ledger::disk;
use ledger::note::Note;
use model::Sha256Hex;
use shield::wire::Manifest;

use super::{Announced, MAX_MANIFEST, Store, ViewName};
use crate::error::StoreError;

impl Store {
    /// Takes up the manifest that another put into a view's folder (`vigie serve --feed`, into the folder
    /// `VIEW` of this one), and tells it to who waits; true where it is another than before. Nobody's signature
    /// is looked at: that is for who follows. Call it after each heartbeat.
    ///
    /// # Errors
    /// There is none, or none of this view; it goes back; a file is missing.
    pub fn take_up(&self, view: &ViewName, now: Instant) -> Result<bool, StoreError> {
        let unread = |why: &dyn fmt::Display| StoreError::Unread(view.clone(), why.to_string());
        self.view(view)?;
        let _writing = self.writing();
        let mut text = String::new();
        let file = ledger::plain::open(&self.dir.join(&*view.0).join("manifest"));
        let file = file.map_err(|e| unread(&e))?.take(MAX_MANIFEST as u64 + 1);
        io::BufReader::new(file).read_to_string(&mut text).map_err(|e| unread(&e))?;
        if text.len() > MAX_MANIFEST {
            return Err(StoreError::Manifest(text.len()));
        }
        let note = Note::parse(&text).map_err(|e| unread(&e))?;
        let manifest = Manifest::read(&note.text).map_err(|e| unread(&e))?;
        if manifest.view != *view.0 {
            return Err(unread(&format!("it is of the view {:?}", manifest.view)));
        }
        let hash = Sha256Hex::of(text.as_bytes());
        let place = (manifest.place.epoch, manifest.place.serial);
        let named: Vec<Sha256Hex> =
            manifest.snapshot.iter().chain(&manifest.deltas).map(|file| file.hash).collect();
        let missing = named.iter().find(|hash| !self.folder(view).join(hash.to_string()).is_file());
        if let Some(missing) = missing {
            return Err(StoreError::Missing(view.clone(), *missing));
        }
        let mut views = self.views();
        let Some(state) = views.get_mut(view) else { return Ok(false) };
        let out = state.announced.borrow().as_ref().map(|out| (out.place, out.hash));
        match out {
            Some((_, before)) if before == hash => return Ok(false),
            Some((at, _)) if place < at => {
                return Err(StoreError::Backwards { view: view.clone(), at, to: place });
            }
            _ => {}
        }
        for (hash, since) in &mut state.files {
            *since = if named.contains(hash) { None } else { Some(since.unwrap_or(now)) };
        }
        state.files.extend(named.into_iter().map(|hash| (hash, None)));
        state.announced.send_replace(Some(Announced { place, manifest: text.into(), hash }));
        state.ended = false;
        Ok(true)
    }

    /// Ends a view: nothing of it is served any more but files, for the grace, and whoever waits for its next
    /// manifest is told. The publisher takes its manifest out of the folder.
    ///
    /// # Errors
    /// The disk: a list that stays is served to nobody.
    pub fn end(&self, view: &ViewName, now: Instant) -> Result<(), StoreError> {
        let _writing = self.writing();
        let lists: Vec<String> = match self.views().get_mut(view) {
            None => return Ok(()),
            Some(state) => {
                for since in state.files.values_mut() {
                    *since = Some(since.unwrap_or(now));
                }
                state.announced.send_replace(None);
                state.ended = true;
                state.lists = BTreeMap::new();
                std::mem::take(&mut state.listed).into_iter().collect()
            }
        };
        lists.iter().try_for_each(|list| Ok(disk::remove(&self.dir.join(&*view.0).join(list))?))
    }

    /// The views that have a manifest out, in the order of their names.
    pub fn standing(&self) -> Vec<ViewName> {
        let views = self.views();
        let out = views.iter().filter(|(_, state)| state.announced.borrow().is_some());
        out.map(|(name, _)| name.clone()).collect()
    }

    /// True where a view has a manifest out.
    pub(crate) fn stands(&self, view: &ViewName) -> bool {
        self.views().get(view).is_some_and(|state| state.announced.borrow().is_some())
    }
}
