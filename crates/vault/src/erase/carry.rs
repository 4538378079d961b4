//! Carrying out what the log orders. Each step can be done again: a crash between two of them costs
//! nothing, and the next opening for writing goes on.
//!
//! 1. Of a part: the salts of its leaves are replaced by the hashes of the erased subtrees, while
//!    the bytes are there to make them from.
//! 2. The bytes are overwritten and removed, while an opening still says which file they are in.
//! 3. The openings are destroyed.

use std::collections::BTreeMap;
use std::io;

use ledger::disk::shred;
use model::ExhibitId;
use model::record::{ErasureOrdered, Opening};

use super::{hashes_of, nodes_of, odd};
use crate::bytes::Bytes;
use crate::case::{Case, exhibit_path};
use crate::disclose::{Erased, complement, erase, leaf_len};
use crate::error::{Error, Result};
use crate::ggm::{inside, salt};
use crate::openings::Lines;
use crate::salted::{LEAF, leaves};

/// What an opening becomes.
type Change<'a> = dyn Fn(u64, &mut Opening) + 'a;

impl Case {
    /// Carries out every order that is not carried out.
    pub(crate) fn carry_out(&mut self) -> Result<()> {
        let mut done = false;
        for at in 0..self.orders.len() {
            let body = self.orders[at].body.clone();
            if self.is_due(&body)? {
                self.carry(&body)?;
                done = true;
            }
        }
        if done { self.reload() } else { Ok(()) }
    }

    /// True where something that the order names is still there.
    fn is_due(&self, order: &ErasureOrdered) -> Result<bool> {
        for (range, field) in &order.fields.0 {
            for index in range.clone() {
                if self.record(index)?.1.fields.contains_key(field) {
                    return Ok(true);
                }
            }
        }
        for index in order.exhibits.0.iter().cloned().flatten() {
            let opening = self.record(index)?.1;
            if !opening.leaf_secrets.is_empty() || !opening.erased.is_empty() {
                return Ok(true);
            }
        }
        for index in order.parts.0.iter().cloned().flatten() {
            if self.holds_salts(index, order)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// True where the opening still gives the salt of a leaf that the order erases.
    fn holds_salts(&self, index: u64, order: &ErasureOrdered) -> Result<bool> {
        let nodes = nodes_of(&self.record(index)?.1.leaf_secrets).ok_or_else(|| odd(index))?;
        Ok(order.leaves.0.iter().any(|run| !inside(&nodes, run.start, run.end).is_empty()))
    }

    fn carry(&mut self, order: &ErasureOrdered) -> Result<()> {
        self.forget_leaves(order)?;
        for index in order.exhibits.0.iter().chain(&order.parts.0).cloned().flatten() {
            let opening = self.record(index)?.1;
            let text = |field: &str| opening.fields.get(field).map(|f| &f.value);
            let id = text("exhibit").and_then(|id| id.as_text()?.parse::<ExhibitId>().ok());
            // What stays where it was sealed is not ours to destroy: the order names it.
            if let (Some(id), None) = (id, text("in_place")) {
                shred::shred(&exhibit_path(self.dir(), &id))?;
            }
        }
        let mut records: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
        for (range, field) in &order.fields.0 {
            for index in range.clone() {
                records.entry(index).or_default().push(field);
            }
        }
        let whole: Vec<u64> = order.exhibits.0.iter().cloned().flatten().collect();
        for index in &whole {
            records.entry(*index).or_default();
        }
        let touched: Vec<u64> = records.keys().copied().collect();
        self.rewrite(&touched, &|index, opening| {
            for field in records.get(&index).into_iter().flatten() {
                opening.fields.remove(*field);
            }
            if order.exhibits.contains(index) {
                opening.leaf_secrets.clear();
                opening.erased.clear();
            }
        })
    }

    /// Replaces the salts of an order's leaves by hashes.
    fn forget_leaves(&mut self, order: &ErasureOrdered) -> Result<()> {
        let seals: Vec<u64> = order.parts.0.iter().cloned().flatten().collect();
        let mut left: BTreeMap<u64, (Vec<String>, Vec<String>)> = BTreeMap::new();
        let mut source = None;
        for index in &seals {
            if !self.holds_salts(*index, order)? {
                continue;
            }
            let opening = self.record(*index)?.1;
            let nodes = nodes_of(&opening.leaf_secrets).ok_or_else(|| odd(*index))?;
            let gone = hashes_of(&opening.erased).ok_or_else(|| odd(*index))?;
            let bytes = match &mut source {
                Some(bytes) => bytes,
                none => none.insert(self.bytes_of_part(&seals)?),
            };
            let size = bytes.size();
            let runs = order.leaves.0.clone();
            let made = erase(size, &runs, &nodes, &gone, &mut |leaf| leaf_of(bytes, leaf))
                .map_err(|source| Error::Unreadable {
                    id: ExhibitId([0; 32]),
                    path: self.dir().join("vault/exhibits"),
                    source,
                })?
                .map_err(|e| Error::NotErasable(format!("record {index}: {e}")))?;
            let shown = complement(made.iter().map(|e| e.leaves.clone()), leaves(size));
            let kept = shown.iter().flat_map(|run| inside(&nodes, run.start, run.end));
            let kept: Vec<_> = kept.collect();
            debug_assert!(
                order.leaves.0.iter().all(|run| salt(&kept, run.start).is_none()),
                "salts of leaves that were to go"
            );
            left.insert(
                *index,
                (
                    kept.iter().map(crate::ggm::Node::to_text).collect(),
                    made.iter().map(Erased::to_text).collect(),
                ),
            );
        }
        let touched: Vec<u64> = left.keys().copied().collect();
        self.rewrite(&touched, &|index, opening| {
            if let Some((nodes, hashes)) = left.get(&index) {
                opening.leaf_secrets.clone_from(nodes);
                opening.erased.clone_from(hashes);
            }
        })
    }

    /// The bytes that an order's sealing records speak of: one of them says still which file they are
    /// in, since those before it lost their ids to earlier orders.
    fn bytes_of_part(&self, seals: &[u64]) -> Result<Bytes> {
        for index in seals.iter().rev() {
            let opening = self.record(*index)?.1;
            let id = opening.fields.get("exhibit").and_then(|f| f.value.as_text()?.parse().ok());
            if let Some(id) = id {
                return Bytes::open(self.dir(), &id, None);
            }
        }
        Err(odd(seals.last().copied().unwrap_or_default()))
    }

    /// Changes openings, file by file, and overwrites what they were.
    fn rewrite(&mut self, records: &[u64], change: &Change<'_>) -> Result<()> {
        let mut by_file: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for index in records {
            by_file.entry(self.openings.first_of_record(*index)?).or_default().push(*index);
        }
        for (first, indices) in by_file {
            let path = self.openings.path(first);
            let lines = Lines::read(&path)?;
            let mut bytes = Vec::new();
            let mut changed = false;
            for at in 0..lines.len() {
                let (index, line) = (first + at, lines.get(at).unwrap_or_default());
                if indices.binary_search(&index).is_ok() {
                    let of = |source| Error::Record { index, source };
                    let mut opening = Opening::parse_line(line).map_err(of)?;
                    change(index, &mut opening);
                    let new = opening.to_line().map_err(|e| of(e.into()))?;
                    changed |= new != line;
                    bytes.extend_from_slice(&new);
                } else {
                    bytes.extend_from_slice(line);
                }
                bytes.push(b'\n');
            }
            if changed {
                shred::replace(&path, &bytes)?;
                self.openings.forget();
            }
        }
        Ok(())
    }
}

fn leaf_of(bytes: &Bytes, leaf: u64) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; leaf_len(bytes.size(), leaf)];
    let got = bytes.read_at(&mut buffer, leaf * LEAF as u64)?;
    buffer.truncate(got);
    Ok(buffer)
}
