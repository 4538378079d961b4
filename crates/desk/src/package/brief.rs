//! What the choice of a package's records looks at: of each record what it is about.

use std::collections::{HashMap, HashSet};

use model::record::{Body, Name, Opening, Record};
use model::{Canon, ExhibitId};
use vault::Case;

use super::handling::{Demand, Handling};
use crate::{Error, Result};

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
    /// What packages in the case demand, each of its own exhibits and of what was found in them.
    pub(crate) demands: Vec<(HashSet<ExhibitId>, Demand)>,
    /// What packages demand that were erased as containers since: of which exhibits is not known.
    pub(crate) lost: Vec<Demand>,
    /// Exhibits that came out of a container that was erased, or are left of one of which a part was.
    pub(crate) orphans: HashSet<ExhibitId>,
    /// Exhibits in which a digest of something that was erased stands, as the orders name them.
    pub(crate) telling: HashSet<ExhibitId>,
    /// Records that sealed what is left of an exhibit.
    rests: HashSet<u64>,
    /// How exhibits came in that were found in no other: by their paths.
    paths: Vec<(Name, ExhibitId)>,
    /// Files named as that which holds a package's code.
    infos: Vec<Info>,
}

/// A file named `bag-info.txt`.
#[derive(Debug)]
struct Info {
    exhibit: ExhibitId,
    name: Name,
    container: Option<ExhibitId>,
    /// True where the container was erased.
    lost: bool,
}

/// The longest `bag-info.txt` that is read, in bytes.
pub(super) const MAX_INFO: u64 = 64 << 10;

fn ids(field: &str, value: &Canon, out: &mut Vec<(String, ExhibitId)>) {
    match value {
        // Anywhere in a text: what a command was asked holds ids among other words.
        Canon::Text(text) => {
            let words = text.split(|c: char| !c.is_ascii_hexdigit()).filter(|w| w.len() == 64);
            out.extend(words.filter_map(|word| Some((field.to_owned(), word.parse().ok()?))));
        }
        Canon::List(items) => items.iter().for_each(|item| ids(field, item, out)),
        Canon::Map(map) => map.values().for_each(|item| ids(field, item, out)),
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
        let rests = briefs.records.iter().filter(|brief| briefs.rests.contains(&brief.index));
        let rests: Vec<ExhibitId> = rests.filter_map(|brief| Some(brief.sealed?.0)).collect();
        briefs.orphans.extend(rests);
        for record in
            case.orders().iter().flat_map(|order| order.body.digests.0.iter().cloned().flatten())
        {
            let sealed = briefs.records.iter().find(|brief| brief.index == record);
            briefs.telling.extend(sealed.and_then(|brief| Some(brief.sealed?.0)));
        }
        briefs.packages(case)?;
        Ok(briefs)
    }

    /// A package keeps its code though it was opened as any archive or folder is, and not taken in
    /// as a package.
    fn packages(&mut self, case: &Case) -> Result<()> {
        for info in std::mem::take(&mut self.infos) {
            if case.exhibit(&info.exhibit)?.is_none_or(|exhibit| exhibit.size > MAX_INFO) {
                continue;
            }
            let read = |source| Error::Read { path: info.exhibit.to_string().into(), source };
            let bytes = case.bytes(&info.exhibit)?.range(0, MAX_INFO).map_err(read)?;
            let Some(demand) = Demand::in_info(&String::from_utf8_lossy(&bytes)) else { continue };
            let folder = info.name.0.iter().rposition(|b| *b == b'/').map_or(0, |at| at + 1);
            let folder = &info.name.0[..folder];
            let of = match info.container {
                None if info.lost => {
                    self.lost.push(demand);
                    continue;
                }
                None => {
                    let beside = self.paths.iter().filter(|(path, _)| path.0.starts_with(folder));
                    beside.map(|(_, id)| *id).collect()
                }
                Some(container) => HashSet::from([container]),
            };
            self.demands.push((of, demand));
        }
        Ok(())
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
        let id = |field: &str| opening.fields.get(field)?.value.as_text()?.parse().ok();
        let mut came = None;
        // Fields may have been erased: what is left says what it says.
        match Body::read_left(record, opening) {
            Ok(Body::ExhibitSealed(body)) => {
                let lost = record.committed.contains_key("container") && id("container").is_none();
                came = Some((body.exhibit, body.member.or(body.source), id("container"), lost));
                brief.sealed = Some((body.exhibit, body.size));
                inside(body.exhibit, id("container"));
                self.sealed.insert(body.exhibit, self.records.len());
                if lost {
                    self.orphans.insert(body.exhibit);
                }
            }
            Ok(Body::ExhibitReceived(body)) => {
                inside(body.exhibit, id("container"));
                came = Some((body.exhibit, body.member.or(body.source), id("container"), false));
            }
            Ok(Body::ErasureOrdered(body)) => self.rests.extend(body.rest),
            _ => {}
        }
        if let Some((exhibit, Some(name), container, lost)) = came {
            if name.0.rsplit(|b| *b == b'/').next() == Some(b"bag-info.txt") {
                self.infos.push(Info { exhibit, name: name.clone(), container, lost });
            }
            if container.is_none() {
                self.paths.push((name, exhibit));
            }
        }
        if record.kind == "package.imported" {
            let text = |field: &str| opening.fields.get(field)?.value.as_text();
            let demand = Demand {
                provider: vault::authority_of(text("origin").unwrap_or_default()).to_owned(),
                // What cannot be read is restricted most.
                handling: text("handling").and_then(|h| h.parse().ok()).unwrap_or(Handling::H2),
                restriction: text("restriction").map(str::to_owned),
            };
            match id("exhibit") {
                Some(exhibit) => self.demands.push((HashSet::from([exhibit]), demand)),
                None => self.lost.push(demand),
            }
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
