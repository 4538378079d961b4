//! A shelf in memory. Each request is a step, and one of them may go wrong.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Read;
use std::rc::Rc;

use shield::wire::Manifest;
use shield_s3::{Fault, Kind, Shelf, Stored, Tag};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// Nothing is done, and nobody answers.
    Lost,
    /// It is done, and nobody answers.
    Unanswered,
}

#[derive(Debug, Default)]
pub(crate) struct Inner {
    pub(crate) objects: BTreeMap<String, (Vec<u8>, u64)>,
    tags: u64,
    pub(crate) steps: u64,
    /// At this step, and at so many more.
    pub(crate) wrong: Option<(u64, u64, Wrong)>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Memory(pub(crate) Rc<RefCell<Inner>>);

fn gone(name: &str) -> Fault {
    Fault::Store { action: "ask for", name: name.to_owned(), source: "no answer".into() }
}

impl Memory {
    fn step<T>(&self, name: &str, act: impl FnOnce(&mut Inner) -> T) -> Result<T, Fault> {
        let mut inner = self.0.borrow_mut();
        inner.steps += 1;
        let at = inner.steps;
        let wrong = inner.wrong.filter(|(from, more, _)| (*from..=from + more).contains(&at));
        match wrong.map(|(.., wrong)| wrong) {
            Some(Wrong::Lost) => Err(gone(name)),
            Some(Wrong::Unanswered) => {
                act(&mut inner);
                inner.is_whole();
                Err(gone(name))
            }
            None => {
                let done = act(&mut inner);
                inner.is_whole();
                Ok(done)
            }
        }
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.0.borrow().objects.keys().cloned().collect()
    }

    pub(crate) fn of(&self, name: &str) -> Option<Vec<u8>> {
        self.0.borrow().objects.get(name).map(|(bytes, _)| bytes.clone())
    }

    pub(crate) fn set(&self, name: &str, bytes: &[u8]) {
        self.0.borrow_mut().put(name, bytes.to_vec());
    }
}

impl Inner {
    fn put(&mut self, name: &str, bytes: Vec<u8>) -> Tag {
        self.tags += 1;
        self.objects.insert(name.to_owned(), (bytes, self.tags));
        Tag(self.tags.to_string())
    }

    /// After each step: all that the manifest names is there, whole.
    fn is_whole(&self) {
        let Some((text, _)) = self.objects.get("all/manifest") else { return };
        let text = std::str::from_utf8(text).unwrap();
        let Ok(note) = ledger::note::Note::parse(text) else { return };
        let manifest = Manifest::read(&note.text).unwrap();
        for file in manifest.snapshot.iter().chain(&manifest.deltas) {
            let found = self.objects.get(&format!("all/files/{}", file.hash));
            assert_eq!(found.map(|(bytes, _)| bytes.len() as u64), Some(file.bytes));
        }
    }
}

impl Shelf for Memory {
    fn shown(&self) -> String {
        "memory".to_owned()
    }

    fn list(&self, below: &str, most: usize) -> Result<Vec<(String, u64)>, Fault> {
        self.step(below, |inner| {
            let found = inner.objects.iter().filter(|(name, _)| name.starts_with(below));
            let found = found.map(|(name, (bytes, _))| (name.clone(), bytes.len() as u64));
            found.take(most).collect()
        })
    }

    fn read(&self, name: &str, _: u64) -> Result<Option<(Vec<u8>, Tag)>, Fault> {
        self.step(name, |inner| {
            let (bytes, tag) = inner.objects.get(name)?;
            Some((bytes.clone(), Tag(tag.to_string())))
        })
    }

    fn put_if(
        &self,
        name: &str,
        _: Kind,
        bytes: Vec<u8>,
        tag: Option<&Tag>,
    ) -> Result<Stored, Fault> {
        self.step(name, |inner| {
            let stands = inner.objects.get(name).map(|(_, tag)| Tag(tag.to_string()));
            if stands.as_ref() != tag {
                return Stored::Changed;
            }
            Stored::There(inner.put(name, bytes))
        })
    }

    fn put_file(&self, name: &str, bytes: &mut dyn Read) -> Result<(), Fault> {
        let mut all = Vec::new();
        let failed = |source: std::io::Error| Fault::Store {
            action: "write",
            name: name.to_owned(),
            source: source.into(),
        };
        bytes.read_to_end(&mut all).map_err(failed)?;
        self.step(name, |inner| drop(inner.put(name, all)))
    }

    fn remove(&self, name: &str) -> Result<(), Fault> {
        self.step(name, |inner| drop(inner.objects.remove(name)))
    }
}
