//! Names of what is erased, where they stand in the records of what stays.
//!
//! A member's record names the outermost file that it came out of: its `source`. Where one member is
//! erased, its containers go with it, and with them the records of their own names; but the other members
//! stay, and go on saying where they came from. Whether that may be said is not for this code to judge: a
//! file's name can be personal data, and it can be all that is left of a provenance. So it stays, it is
//! told, and it can be erased by an order of its own.

use std::collections::BTreeSet;

use model::ExhibitId;
use model::commitment::FieldOpening;

use super::plan::{id_in, is_text};
use super::{Ordered, Plan};
use crate::case::Case;
use crate::error::{Error, Result};

/// What ends a name inside a longer text.
const ENDS: [u8; 10] = *b"/\\:;,\"'\t\n ";

impl Case {
    /// The records that still name, in their `source`, a container that this order erased: of its other
    /// members, and of what is inside those.
    ///
    /// # Errors
    /// The case cannot be read.
    pub fn names_left(&self, order: &Ordered) -> Result<BTreeSet<u64>> {
        if order.body.fields.0.iter().all(|(_, field)| field != "container") {
            return Ok(BTreeSet::new());
        }
        let (mut left, mut sources, mut inside) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::<ExhibitId>::new());
        let before = self.records(0).take(usize::try_from(order.record).unwrap_or(usize::MAX));
        let mut deeper = Vec::new();
        for entry in before {
            let (index, record, opening) = entry?;
            if !matches!(record.kind.as_str(), "exhibit.sealed" | "exhibit.received") {
                continue;
            }
            let source = opening.fields.get("source").map(|field| field.value.to_string());
            let exhibit = id_in(&opening, "exhibit");
            // Of what went itself, nothing is left that could name anything.
            if order.names(index, "container") && !order.names(index, "exhibit") {
                inside.extend(exhibit);
                if let Some(source) = source {
                    left.insert(index);
                    sources.insert(source);
                }
            } else if let (Some(exhibit), Some(container), Some(source)) =
                (exhibit, id_in(&opening, "container"), source)
            {
                deeper.push((index, exhibit, container, source));
            }
        }
        // A container's record comes before those of its members, but for bytes that came in again.
        let mut known = usize::MAX;
        while known != inside.len() {
            known = inside.len();
            for (_, exhibit, container, _) in &deeper {
                if inside.contains(container) {
                    inside.insert(*exhibit);
                }
            }
        }
        left.extend(
            deeper
                .iter()
                .filter(|(_, _, container, source)| {
                    inside.contains(container) && sources.contains(source)
                })
                .map(|(index, ..)| *index),
        );
        Ok(left)
    }

    /// The erasure of all these names.
    pub(super) fn plan_names(&self, order: u64) -> Result<Plan> {
        let Some(of) = self.orders().iter().find(|of| of.record == order) else {
            return Err(Error::NotErasable(format!(
                "record {order} orders no erasure: `vigie erase --report` lists those that do"
            )));
        };
        let left = self.names_left(of)?;
        if left.is_empty() {
            return Err(Error::Erased(format!(
                "no record names a container that record {order} erased"
            )));
        }
        let fields = left.into_iter().map(|record| (record, "source".to_owned())).collect();
        let mut plan = Plan { fields, ..Plan::default() };
        let mut names = BTreeSet::new();
        for (record, field) in &plan.fields {
            names.extend(self.record(*record)?.1.fields.get(field).and_then(name_of));
        }
        plan.same = self.naming(&names, &plan.fields)?;
        Ok(plan)
    }

    /// The openings that stay and hold the name of an exhibit that goes.
    pub(super) fn still_named(&self, plan: &Plan) -> Result<Vec<(u64, String)>> {
        let mut names = BTreeSet::new();
        for record in plan.exhibits.iter().map(|exhibit| exhibit.record) {
            let (_, opening) = self.record(record)?;
            // A member is called by its name in its container; what is no member, by its path.
            let field = opening.fields.get("member").or_else(|| opening.fields.get("source"));
            names.extend(field.and_then(name_of));
        }
        self.naming(&names, &plan.fields)
    }

    /// The texts that an order could erase by themselves and in which one of the names stands, but for
    /// those that go.
    fn naming(
        &self,
        names: &BTreeSet<Vec<u8>>,
        going: &BTreeSet<(u64, String)>,
    ) -> Result<Vec<(u64, String)>> {
        let mut found = Vec::new();
        for entry in self.records(0) {
            let (index, record, opening) = entry?;
            // Who ordered what, and why, stays.
            if record.kind == "erasure.ordered" {
                continue;
            }
            for (field, opened) in &opening.fields {
                if !is_text(&record, field) || going.contains(&(index, field.clone())) {
                    continue;
                }
                let Some(text) = name_of(opened) else { continue };
                if names.iter().any(|name| stands_in(name, &text)) {
                    found.push((index, field.clone()));
                }
            }
        }
        Ok(found)
    }
}

/// A field's text as the bytes that it stands for.
fn name_of(field: &FieldOpening) -> Option<Vec<u8>> {
    field.value.as_bytes().filter(|name| !name.is_empty())
}

/// True where the name stands in the text, from one end or separator to the next.
fn stands_in(name: &[u8], text: &[u8]) -> bool {
    let ends = |byte: Option<&u8>| byte.is_none_or(|byte| ENDS.contains(byte));
    text.windows(name.len()).enumerate().any(|(at, window)| {
        window == name
            && ends(at.checked_sub(1).and_then(|before| text.get(before)))
            && ends(text.get(at + name.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::stands_in;

    #[test]
    fn a_name_is_found_whole_and_not_within_another() {
        for text in
            ["dupont.pdf", "/x/dupont.pdf", "cannot read /x/dupont.pdf: gone", "dupont.pdf/1"]
        {
            assert!(stands_in(b"dupont.pdf", text.as_bytes()), "{text}");
        }
        for text in ["", "dupont.pdf2", "xdupont.pdf", "dupont", "/x/old-dupont.pdf.gz"] {
            assert!(!stands_in(b"dupont.pdf", text.as_bytes()), "{text}");
        }
        assert!(stands_in(b"/x/d.zip", b"/x/d.zip") && !stands_in(b"/x/d.zip", b"/x/d"));
    }
}
