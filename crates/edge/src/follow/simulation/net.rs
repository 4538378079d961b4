//! What stands between the clearing house and the edges: sites that hand the feed on, late, in part, or not at all.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use rand::RngExt;
use rand::rngs::SmallRng;
use shield::wire::Manifest;

/// What one writer ever published of each view: each manifest with its moment, each file by its hash.
#[derive(Debug, Default)]
pub(super) struct Origin {
    views: BTreeMap<String, Published>,
    /// A stop that somebody laid beside the manifest.
    pub(super) stop: Option<Rc<[u8]>>,
}

impl Origin {
    /// Looks at the folder that a publisher wrote into: everybody's view, and those of ISPs.
    pub(super) fn look(&mut self, folder: &Path, now: u64) {
        let of = |entry: std::io::Result<std::fs::DirEntry>| {
            entry.unwrap().file_name().into_string().unwrap()
        };
        let views: Vec<String> = folder.read_dir().into_iter().flatten().map(of).collect();
        for view in views {
            let published = self.views.entry(view.clone()).or_default();
            published.look(&folder.join(view), now);
        }
    }

    /// Hands on a manifest that did not come from a folder.
    pub(super) fn put(&mut self, view: &str, now: u64, text: String) {
        let published = self.views.entry(view.to_owned()).or_default();
        published.manifests.push((now, Some(text.into())));
    }

    /// Hands on a file that did not come from a folder.
    pub(super) fn put_file(&mut self, view: &str, bytes: Vec<u8>) {
        let name = model::Sha256Hex::of(&bytes).to_string();
        self.views.entry(view.to_owned()).or_default().files.insert(name, bytes.into());
    }

    /// The manifest that stood at a moment.
    pub(super) fn manifest(&self, view: &str, at: u64) -> Option<Rc<str>> {
        let manifests = &self.views.get(view)?.manifests;
        let upto = manifests.partition_point(|(made, _)| *made <= at);
        manifests.get(upto.checked_sub(1)?)?.1.clone()
    }

    /// Any of all manifests there ever were of a view.
    pub(super) fn any(&self, view: &str, dice: &mut SmallRng) -> Option<Rc<str>> {
        let manifests = &self.views.get(view)?.manifests;
        let n = dice.random_range(0..manifests.len().max(1));
        manifests.get(n)?.1.clone()
    }

    /// Any view there ever was.
    pub(super) fn any_view(&self, dice: &mut SmallRng) -> Option<String> {
        let n = dice.random_range(0..self.views.len().max(1));
        self.views.keys().nth(n).cloned()
    }

    pub(super) fn file(&self, view: &str, name: &str) -> Option<Rc<[u8]>> {
        self.views.get(view)?.files.get(name).cloned()
    }
}

/// Of one view.
#[derive(Debug, Default)]
struct Published {
    /// What stood from a moment on; none where it was gone.
    manifests: Vec<(u64, Option<Rc<str>>)>,
    files: BTreeMap<String, Rc<[u8]>>,
}

impl Published {
    fn look(&mut self, folder: &Path, now: u64) {
        let last = self.manifests.last().and_then(|(_, last)| last.clone());
        let Ok(text) = std::fs::read_to_string(folder.join("manifest")) else {
            if last.is_some() {
                self.manifests.push((now, None));
            }
            return;
        };
        if last.is_some_and(|last| *last == *text) {
            return;
        }
        let body = text.split("\n\n").next().unwrap_or_default();
        let manifest = Manifest::read(&format!("{body}\n")).expect("the house writes manifests");
        for file in manifest.snapshot.iter().chain(&manifest.deltas) {
            let name = file.hash.to_string();
            let path = folder.join("files").join(&name);
            self.files.entry(name).or_insert_with(|| std::fs::read(path).unwrap().into());
        }
        self.manifests.push((now, Some(text.into())));
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

    /// Its manifest of a view. One that lies hands on what is asked for, or any other view.
    pub(super) fn manifest(
        &self,
        origins: &[Origin],
        view: &str,
        now: u64,
        dice: &mut SmallRng,
    ) -> Option<Vec<u8>> {
        let origin = origins.get(self.origin)?;
        if self.lies && dice.random_bool(0.7) {
            let other = dice.random_bool(0.3).then(|| origin.any_view(dice)).flatten();
            let text = origin.any(other.as_deref().unwrap_or(view), dice)?;
            return Some(if dice.random_bool(0.5) {
                mangle(&text_bytes(&text), dice)
            } else {
                text_bytes(&text)
            });
        }
        let at = self.frozen.unwrap_or(now).min(now.saturating_sub(self.lag));
        origin.manifest(view, at).map(|text| text_bytes(&text))
    }

    /// A file of a view.
    pub(super) fn file(
        &self,
        origins: &[Origin],
        view: &str,
        name: &str,
        dice: &mut SmallRng,
    ) -> Option<Vec<u8>> {
        let bytes = origins.get(self.origin)?.file(view, name)?;
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
