//! Images that stand in several files: E01, E02, …; 001, 002, …. Each file is an exhibit of its own, and
//! the disk is read once, from the first, when all the others are sealed.

use std::collections::{BTreeMap, HashMap};

use model::ExhibitId;
use model::record::{Body, Name};
use vault::unpack::{Codec, HEAD};
use vault::{Bytes, Origin};

use super::worker::Part;
use crate::Result;
use crate::desk::Desk;

/// The most files of one set: as many as have a name.
const MAX_FILES: usize = 14_971;

/// How the files of a set are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Style {
    Ewf,
    Raw,
}

/// What files of one set have in common: container, name without the suffix, style.
type Key = (Option<ExhibitId>, Vec<u8>, Style);

/// The sets of a case, by what their files are called.
#[derive(Default)]
pub(super) struct Sets {
    files: HashMap<Key, BTreeMap<usize, File>>,
}

/// Style, name without suffix, and number in the set from 1.
fn numbered(name: &[u8]) -> Option<(Style, &[u8], usize)> {
    let (stem, suffix) = name.split_at(name.len().checked_sub(4)?);
    let [b'.', suffix @ ..] = suffix else { return None };
    let upper = suffix.to_ascii_uppercase();
    let digit = |b: u8| b.is_ascii_digit().then(|| usize::from(b - b'0'));
    let letter = |b: u8| b.is_ascii_uppercase().then(|| usize::from(b - b'A'));
    let (style, n) = match upper[..] {
        [b'E', a, b] if a.is_ascii_digit() => (Style::Ewf, digit(a)? * 10 + digit(b)?),
        [a @ b'E'..=b'Z', b, c] => {
            (Style::Ewf, 100 + (letter(a)? - 4) * 676 + letter(b)? * 26 + letter(c)?)
        }
        [a, b, c] => (Style::Raw, digit(a)? * 100 + digit(b)? * 10 + digit(c)?),
        _ => return None,
    };
    (n > 0 && !stem.is_empty() && stem.last() != Some(&b'/')).then_some((style, stem, n))
}

/// A file of a set.
struct File {
    id: ExhibitId,
    ord: i64,
    name: Name,
}

/// True where an exhibit may be a file of a set, by its name and its first bytes: it waits until all
/// others are sealed.
pub(super) fn may_be_of_set(name: &Name, bytes: &Bytes) -> bool {
    match numbered(&name.0) {
        None => false,
        Some((Style::Raw, ..)) => true,
        Some((Style::Ewf, ..)) => sniff(bytes) == Some(Codec::Ewf),
    }
}

fn sniff(bytes: &Bytes) -> Option<Codec> {
    let mut head = vec![0; HEAD];
    let got = bytes.read_at(&mut head, 0).ok()?;
    Codec::sniff(&head[..got])
}

fn name_of(origin: &Origin) -> Option<&Name> {
    origin.member.as_ref().map(|m| &m.name).or(origin.source.as_ref())
}

fn key(origin: &Origin) -> Option<(Key, usize)> {
    let (style, stem, n) = numbered(&name_of(origin)?.0)?;
    let container = origin.member.as_ref().map(|m| m.container);
    Some(((container, stem.to_vec(), style), n))
}

impl Sets {
    /// Looks at what every exhibit of a case is called.
    pub(super) fn of(desk: &Desk) -> Result<Self> {
        let mut sets = Self::default();
        for exhibit in desk.case.exhibits() {
            let (record, opening) = desk.case.record(exhibit.record)?;
            let Ok(Body::ExhibitSealed(body)) = Body::read_left(&record, &opening) else {
                continue;
            };
            let origin = Origin::of_sealed(&body);
            if let (Some((key, n)), Some(name)) = (key(&origin), name_of(&origin)) {
                let file = File { id: exhibit.id, ord: exhibit.record as i64, name: name.clone() };
                sets.files.entry(key).or_default().entry(n).or_insert(file);
            }
        }
        Ok(sets)
    }

    /// The first file of the set that something is a further file of: where that comes later, the first
    /// is to be read again.
    pub(super) fn first(&self, origin: &Origin) -> Option<(ExhibitId, i64)> {
        let (key, n) = key(origin)?;
        let first = self.files.get(&key)?.get(&1).filter(|_| n > 1)?;
        Some((first.id, first.ord))
    }

    /// What an exhibit is in its set.
    pub(super) fn part(&self, desk: &Desk, exhibit: ExhibitId, origin: &Origin) -> Result<Part> {
        let Some((key, n)) = key(origin) else { return Ok(Part::Whole) };
        let Some(files) = self.files.get(&key) else { return Ok(Part::Whole) };
        let Some(first) = files.get(&1) else { return Ok(Part::Whole) };
        // A file in two sets is read in each name's own. The files of an E01 set say where they belong;
        // raw ones do not, so that a gap ends a set of those.
        let last = match key.2 {
            Style::Ewf => files.keys().next_back().copied().unwrap_or(0),
            Style::Raw => (1..=MAX_FILES).take_while(|n| files.contains_key(n)).count(),
        };
        let is_this = files.get(&n).is_some_and(|file| file.id == exhibit);
        if !is_this || n > last || last < 2 {
            return Ok(Part::Whole);
        }
        if key.2 == Style::Raw && sniff(&desk.case.bytes(&first.id)?) != Some(Codec::Image) {
            return Ok(Part::Whole);
        }
        if n > 1 {
            return Ok(Part::Later(first.name.clone()));
        }
        let mut rest = Vec::new();
        for (_, File { id, name, .. }) in files.range(2..=last) {
            rest.push((name.clone(), desk.case.bytes(id)?));
        }
        Ok(Part::First(rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_numbered_as_the_field_does() {
        for (name, number) in [
            ("a/disk.E01", Some((Style::Ewf, 1))),
            ("disk.e99", Some((Style::Ewf, 99))),
            ("disk.EAA", Some((Style::Ewf, 100))),
            ("disk.FAA", Some((Style::Ewf, 776))),
            ("disk.001", Some((Style::Raw, 1))),
            ("disk.000", None),
            ("disk.E00", None),
            (".E01", None),
            ("a/.001", None),
            ("disk.A01", None),
            ("E01", None),
            ("", None),
        ] {
            let found = numbered(name.as_bytes());
            assert_eq!(found.map(|(style, _, n)| (style, n)), number, "{name}");
        }
    }
}
