//! What stands between the clearing house and the edges: sites that hand the feed on, late, in part, or not at all.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use rand::RngExt;
use rand::rngs::SmallRng;
use shield::wire::Manifest;

/// What one writer ever published: each manifest with its moment, each file by its hash.
#[derive(Debug, Default)]
pub(super) struct Origin {
    manifests: Vec<(u64, Rc<str>)>,
    files: BTreeMap<String, Rc<[u8]>>,
    /// A stop that somebody laid beside the manifest.
    pub(super) stop: Option<Rc<[u8]>>,
}

impl Origin {
    /// Looks at the folder that a publisher wrote into.
    pub(super) fn look(&mut self, folder: &Path, now: u64) {
        let Ok(text) = std::fs::read_to_string(folder.join("manifest")) else { return };
        if self.manifests.last().is_some_and(|(_, last)| **last == *text) {
            return;
        }
        let body = text.split("\n\n").next().unwrap_or_default();
        let manifest = Manifest::read(&format!("{body}\n")).expect("the house writes manifests");
        for file in manifest.snapshot.iter().chain(&manifest.deltas) {
            let name = file.hash.to_string();
            let path = folder.join("files").join(&name);
            self.files.entry(name).or_insert_with(|| std::fs::read(path).unwrap().into());
        }
        self.manifests.push((now, text.into()));
    }

    /// Hands on a manifest that did not come from a folder.
    pub(super) fn put(&mut self, now: u64, text: String) {
        self.manifests.push((now, text.into()));
    }

    /// Hands on a file that did not come from a folder.
    pub(super) fn put_file(&mut self, bytes: Vec<u8>) {
        let name = model::Sha256Hex::of(&bytes).to_string();
        self.files.insert(name, bytes.into());
    }

    pub(super) fn manifest(&self, at: u64) -> Option<Rc<str>> {
        let upto = self.manifests.partition_point(|(made, _)| *made <= at);
        Some(Rc::clone(&self.manifests.get(upto.checked_sub(1)?)?.1))
    }

    /// Any of all manifests there ever were.
    pub(super) fn any(&self, dice: &mut SmallRng) -> Option<Rc<str>> {
        let n = dice.random_range(0..self.manifests.len().max(1));
        self.manifests.get(n).map(|(_, text)| Rc::clone(text))
    }

    pub(super) fn file(&self, name: &str) -> Option<Rc<[u8]>> {
        self.files.get(name).cloned()
    }
}

/// Somebody who hands a writer's files on.
#[derive(Debug, Clone)]
pub(super) struct Site {
    /// Whose.
    pub(super) origin: usize,
    /// How old what it hands on is, in milliseconds: a cache.
    pub(super) lag: u64,
    /// It hands on what there was then, and nothing later.
    pub(super) frozen: Option<u64>,
    /// Nobody reaches it.
    pub(super) down: bool,
    /// It hands on what it likes of all that there ever was, changed and cut off.
    pub(super) lies: bool,
}

impl Site {
    pub(super) fn of(origin: usize) -> Self {
        Self { origin, lag: 0, frozen: None, down: false, lies: false }
    }

    /// Its manifest.
    pub(super) fn manifest(
        &self,
        origins: &[Origin],
        now: u64,
        dice: &mut SmallRng,
    ) -> Option<Vec<u8>> {
        let origin = origins.get(self.origin)?;
        if self.lies && dice.random_bool(0.7) {
            let text = origin.any(dice)?;
            return Some(if dice.random_bool(0.5) {
                mangle(&text_bytes(&text), dice)
            } else {
                text_bytes(&text)
            });
        }
        let at = self.frozen.unwrap_or(now).min(now.saturating_sub(self.lag));
        origin.manifest(at).map(|text| text_bytes(&text))
    }

    /// A file.
    pub(super) fn file(
        &self,
        origins: &[Origin],
        name: &str,
        dice: &mut SmallRng,
    ) -> Option<Vec<u8>> {
        let bytes = origins.get(self.origin)?.file(name)?;
        if self.lies && dice.random_bool(0.5) {
            Some(mangle(&bytes, dice))
        } else {
            Some(bytes.to_vec())
        }
    }
}

fn text_bytes(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

/// Cuts it off, or changes a byte.
pub(super) fn mangle(bytes: &[u8], dice: &mut SmallRng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if bytes.is_empty() {
        return bytes;
    }
    let at = dice.random_range(0..bytes.len());
    if dice.random_bool(0.3) {
        bytes.truncate(at);
    } else if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << dice.random_range(0..7_u32);
    }
    bytes
}
