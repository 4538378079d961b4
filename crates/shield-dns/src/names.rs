//! A packed, sorted, persistent set of names.
//!
//! Names stand in chunks of at most [`CHUNK`] bytes. In a chunk each name is written as the count of
//! bytes that it shares with the one before, the count of its own, and these. A change writes the few
//! chunks anew that it touches and shares the rest with the version before: so a version is cheap to
//! keep, no change needs more than a chunk for each name and one list of pointers (8 bytes for some
//! 250 names), and there is nothing to compact.

use std::sync::Arc;

use crate::fqdn::Fqdn;

/// Bytes of a chunk at most. Small enough to be written anew in microseconds, large enough that its
/// pointer and its first name, which is whole, weigh little.
const CHUNK: usize = 4096;
/// A chunk with less is joined to the one before.
const SMALL: usize = CHUNK / 4;

/// A set of names; see the module's text.
#[derive(Clone, Default)]
pub(crate) struct Names {
    chunks: Vec<Arc<[u8]>>,
    len: usize,
}

/// What a change does to a set: sorted, without doubles; removed names are in it, added ones are not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Delta {
    pub(crate) removed: Vec<Fqdn>,
    pub(crate) added: Vec<Fqdn>,
}

impl Delta {
    /// How many names it moves.
    pub(crate) fn len(&self) -> usize {
        self.removed.len() + self.added.len()
    }
}

impl Names {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Bytes that the set holds, those shared with other versions included.
    pub(crate) fn bytes(&self) -> usize {
        let heads = self.chunks.capacity() * size_of::<Arc<[u8]>>();
        // Each chunk stands behind two counters of references.
        heads + self.chunks.iter().map(|chunk| chunk.len() + 16).sum::<usize>()
    }

    /// The chunk in which a name stands if it is there: the last that begins at or before it.
    fn place(&self, name: &[u8]) -> usize {
        self.chunks.partition_point(|chunk| first(chunk) <= name).saturating_sub(1)
    }

    pub(crate) fn contains(&self, name: &Fqdn) -> bool {
        let name = name.turned();
        let Some(chunk) = self.chunks.get(self.place(name)) else { return false };
        let mut scan = Scan::default();
        while scan.advance(chunk) {
            if scan.name.as_slice() >= name {
                return scan.name == name;
            }
        }
        false
    }

    /// The change that removes and adds these, as far as they are there and are not. A name in both
    /// lists is added.
    pub(crate) fn delta(&self, remove: &[Fqdn], add: &[Fqdn]) -> Delta {
        let mut added = add.to_vec();
        added.sort_unstable();
        added.dedup();
        let mut removed: Vec<_> =
            remove.iter().filter(|name| self.contains(name)).cloned().collect();
        removed.sort_unstable();
        removed.dedup();
        removed.retain(|name| added.binary_search(name).is_err());
        added.retain(|name| !self.contains(name));
        Delta { removed, added }
    }

    /// The set after a change that [`delta`](Self::delta) made for it.
    pub(crate) fn apply(&self, delta: &Delta) -> Self {
        let len = (self.len + delta.added.len()).saturating_sub(delta.removed.len());
        let mut out = Self { chunks: Vec::with_capacity(self.chunks.len() + 2), len };
        let (mut removed, mut added) = (delta.removed.as_slice(), delta.added.as_slice());
        let mut at = 0;
        loop {
            let next = [removed.first(), added.first()].into_iter().flatten().min();
            let Some(next) = next else { break };
            let here = self.place(next.turned());
            // What lies between is shared.
            out.chunks.extend(self.chunks.get(at..here).into_iter().flatten().cloned());
            let end = self.chunks.get(here + 1).map(|chunk| first(chunk));
            let mine = |names: &[Fqdn]| {
                end.map_or(names.len(), |end| names.partition_point(|name| name.turned() < end))
            };
            let (gone, rest) = removed.split_at(mine(removed));
            removed = rest;
            let (new, rest) = added.split_at(mine(added));
            added = rest;
            out.rewrite(self.chunks.get(here), gone, new);
            at = here + 1;
        }
        out.chunks.extend(self.chunks.get(at..).into_iter().flatten().cloned());
        // A rare reallocation left room for as many again.
        out.chunks.shrink_to(out.chunks.len() + out.chunks.len() / 8);
        out
    }

    /// Writes a chunk anew behind what is there.
    fn rewrite(&mut self, chunk: Option<&Arc<[u8]>>, gone: &[Fqdn], new: &[Fqdn]) {
        let mut writer = Writer::default();
        if chunk.is_some_and(|chunk| chunk.len() < SMALL + CHUNK / 16)
            && let Some(before) = self.chunks.pop()
        {
            let mut scan = Scan::default();
            while scan.advance(&before) {
                writer.push(&scan.name);
            }
        }
        let (mut gone, mut new) = (gone.iter().peekable(), new.iter().peekable());
        let mut scan = Scan::default();
        while chunk.is_some_and(|chunk| scan.advance(chunk)) {
            while let Some(name) = new.next_if(|name| name.turned() < scan.name.as_slice()) {
                writer.push(name.turned());
            }
            if gone.next_if(|name| name.turned() == scan.name).is_none() {
                writer.push(&scan.name);
            }
        }
        new.for_each(|name| writer.push(name.turned()));
        self.chunks.extend(writer.finish());
    }

    /// A reader from the first name on.
    pub(crate) fn cursor(&self) -> Cursor {
        let mut cursor = Cursor::default();
        cursor.advance(self);
        cursor
    }

    /// All names, in the order of the store.
    pub(crate) fn fqdns(&self) -> Vec<Fqdn> {
        let mut cursor = self.cursor();
        let mut all = Vec::with_capacity(self.len);
        while let Some(name) = cursor.current() {
            all.extend(Fqdn::of_turned(name));
            cursor.advance(self);
        }
        all
    }

    /// All names in order.
    #[cfg(test)]
    pub(crate) fn all(&self) -> Vec<String> {
        let turned = |name: Fqdn| String::from_utf8(name.turned().to_vec()).unwrap();
        self.fqdns().into_iter().map(turned).collect()
    }
}

/// The first name of a chunk, which is whole.
fn first(chunk: &[u8]) -> &[u8] {
    match chunk {
        [_, len, rest @ ..] => rest.get(..usize::from(*len)).unwrap_or(rest),
        _ => &[],
    }
}

/// Reads the names of one chunk in turn.
#[derive(Default, Clone)]
struct Scan {
    at: usize,
    name: Vec<u8>,
}

impl Scan {
    fn advance(&mut self, chunk: &[u8]) -> bool {
        let Some([shared, own, rest @ ..]) = chunk.get(self.at..) else { return false };
        let own = usize::from(*own);
        let Some(own_bytes) = rest.get(..own) else { return false };
        self.name.truncate(usize::from(*shared));
        self.name.extend_from_slice(own_bytes);
        self.at += 2 + own;
        true
    }
}

/// Where a reader of a whole set stands. It belongs to the set that it was made from.
#[derive(Default, Clone)]
pub(crate) struct Cursor {
    chunk: usize,
    scan: Scan,
    done: bool,
}

impl Cursor {
    pub(crate) fn current(&self) -> Option<&[u8]> {
        (!self.done).then_some(self.scan.name.as_slice())
    }

    pub(crate) fn advance(&mut self, names: &Names) {
        while let Some(chunk) = names.chunks.get(self.chunk) {
            if self.scan.advance(chunk) {
                return;
            }
            self.chunk += 1;
            self.scan.at = 0;
        }
        self.done = true;
    }
}

/// Writes sorted names into chunks.
#[derive(Default)]
struct Writer {
    done: Vec<Arc<[u8]>>,
    chunk: Vec<u8>,
    last: Vec<u8>,
}

impl Writer {
    fn push(&mut self, name: &[u8]) {
        let shared = self.last.iter().zip(name).take_while(|(a, b)| a == b).count();
        let mut own = name.get(shared..).unwrap_or_default();
        let mut shared = u8::try_from(shared).unwrap_or(0);
        if self.chunk.len() + 2 + own.len() > CHUNK {
            self.done.push(self.chunk.as_slice().into());
            self.chunk.clear();
        }
        if self.chunk.is_empty() {
            (own, shared) = (name, 0);
        }
        // A name has at most 253 bytes (`MAX_NAME`), so both counts fit.
        self.chunk.extend([shared, u8::try_from(own.len()).unwrap_or(u8::MAX)]);
        self.chunk.extend_from_slice(own);
        self.last.clear();
        self.last.extend_from_slice(name);
    }

    fn finish(mut self) -> Vec<Arc<[u8]>> {
        if !self.chunk.is_empty() {
            self.done.push(self.chunk.as_slice().into());
        }
        self.done
    }
}
