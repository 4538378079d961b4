//! What the choice of a package's records looks at: of each record what it is about.

use std::collections::{HashMap, HashSet};

use model::record::{Body, Opening, Record};
use model::{Canon, ExhibitId};
use vault::Case;

use super::handling::Demand;
use crate::Result;

/// A record, as far as a choice needs it.
#[derive(Debug, Clone)]
pub(crate) struct Brief {
    pub(crate) index: u64,
    pub(crate) kind: String,
    /// Committed fields that are open here.
    pub(crate) fields: Vec<String>,
    /// Digests that stand in its fields, as ids of exhibits do.
    pub(crate) ids: Vec<(String, ExhibitId)>,
    /// What it seals: the exhibit and its size.
    pub(crate) sealed: Option<(ExhibitId, u64)>,
    /// The item of custody that it is about.
    pub(crate) item: Option<String>,
    /// The people it names.
    pub(crate) persons: Vec<String>,
    /// The record that it is about.
    pub(crate) of: Option<u64>,
}

/// All records of a case, and how its exhibits hang together.
#[derive(Debug, Default)]
pub(crate) struct Briefs {
    pub(crate) records: Vec<Brief>,
    /// The sealing record of an exhibit: its place in `records`.
    pub(crate) sealed: HashMap<ExhibitId, usize>,
    /// The exhibits that an exhibit was found in.
    pub(crate) containers: HashMap<ExhibitId, Vec<ExhibitId>>,
    /// What the packages that were taken in demand: by the package's own exhibit.
    pub(crate) demands: HashMap<ExhibitId, Demand>,
}

fn ids(field: &str, value: &Canon, out: &mut Vec<(String, ExhibitId)>) {
    match value {
        Canon::Text(text) if text.len() == 64 => {
            out.extend(text.parse().ok().map(|id| (field.to_owned(), id)));
        }
        Canon::List(items) => items.iter().for_each(|item| ids(field, item, out)),
        _ => {}
    }
}

impl Briefs {
    pub(crate) fn of(case: &Case) -> Result<Self> {
        let mut briefs = Self::default();
        for item in case.records(0) {
            let (index, record, opening) = item?;
            briefs.take(index, &record, &opening);
        }
        Ok(briefs)
    }

    fn take(&mut self, index: u64, record: &Record, opening: &Opening) {
        let mut brief = Brief {
            index,
            kind: record.kind.clone(),
            fields: opening.fields.keys().cloned().collect(),
            ids: Vec::new(),
            sealed: None,
            item: None,
            persons: Vec::new(),
            of: None,
        };
        for (field, opened) in &opening.fields {
            ids(field, &opened.value, &mut brief.ids);
            let text = || opened.value.as_text().map(str::to_owned);
            match field.as_str() {
                "item" if record.kind.starts_with("custody.") => brief.item = text(),
                "person" | "holder" | "from" | "to" => brief.persons.extend(text()),
                "record" => brief.of = opened.value.as_int().and_then(|n| n.try_into().ok()),
                _ => {}
            }
        }
        let mut inside = |exhibit: ExhibitId, container: Option<ExhibitId>| {
            self.containers.entry(exhibit).or_default().extend(container);
        };
        match Body::read(record, opening) {
            Ok(Body::ExhibitSealed(body)) => {
                brief.sealed = Some((body.exhibit, body.size));
                inside(body.exhibit, body.container);
                self.sealed.insert(body.exhibit, self.records.len());
            }
            Ok(Body::ExhibitReceived(body)) => inside(body.exhibit, body.container),
            Ok(Body::PackageImported(body)) => {
                if let Ok(handling) = body.handling.parse() {
                    let provider = vault::authority_of(&body.origin).to_owned();
                    let demand = Demand { provider, handling, restriction: body.restriction };
                    self.demands.insert(body.exhibit, demand);
                }
            }
            _ => {}
        }
        self.records.push(brief);
    }

    /// The exhibits that contain one of `of`, at any depth; not these themselves.
    pub(crate) fn around(&self, of: &HashSet<ExhibitId>) -> HashSet<ExhibitId> {
        let (mut out, mut todo) = (HashSet::new(), of.iter().copied().collect::<Vec<_>>());
        while let Some(id) = todo.pop() {
            for container in self.containers.get(&id).into_iter().flatten() {
                if out.insert(*container) {
                    todo.push(*container);
                }
            }
        }
        out
    }

    /// True where `id` was found in one of `of`, at any depth.
    pub(crate) fn is_within(&self, id: ExhibitId, of: &HashSet<ExhibitId>) -> bool {
        !of.is_empty() && self.around(&HashSet::from([id])).iter().any(|c| of.contains(c))
    }
}
