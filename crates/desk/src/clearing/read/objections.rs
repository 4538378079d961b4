//! Objections that wait, and how reporters stand.

use shield::order::budget::{Count, Standing};
use shield::order::words::Organisation;
use shield::order::{ItemId, Moment, Stage, Value};

use super::{House, MAX_NAMED, MAX_SCAN, Page};

/// An objection that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectionView {
    /// The item.
    pub item: ItemId,
    /// What is, or was, blocked.
    pub value: Value,
    /// What was shown: the sealed statement's hash.
    pub proof: model::Sha256Hex,
    /// True where who objects showed control; else it is a reviewer's word.
    pub proven: bool,
    /// When it was taken.
    pub at: Moment,
    /// Until when a reviewer decides.
    pub due: Moment,
    /// Who reported the item.
    pub reporter: Organisation,
    /// Where the item stands; `None`: it ended.
    pub stage: Option<Stage>,
}

/// Objections that wait, the most pressing first; and how many there are in all.
pub fn objections(house: &House) -> (Moment, Vec<ObjectionView>, u64) {
    let state = house.state();
    let mut open = Vec::new();
    let mut all = 0;
    for (item, proof, objection) in state.open_objections().take(MAX_SCAN) {
        all += 1;
        let Some(ticket) = state.ticket(item.ticket()) else { continue };
        open.push(ObjectionView {
            item,
            value: objection.value.clone(),
            proof: *proof,
            proven: objection.proven,
            at: objection.at,
            due: objection.due,
            reporter: ticket.reporter.clone(),
            stage: state.item(item).map(|live| live.machine.stage()),
        });
    }
    open.sort_by_key(|view| view.due);
    open.truncate(MAX_NAMED);
    (house.now(), open, all)
}

/// A reporter's figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReporterView {
    /// Who.
    pub reporter: Organisation,
    /// What became of its items since the log began.
    pub counts: crate::clearing::tally::Counts,
    /// Releases and errors over the days that count.
    pub budget: Count,
    /// How it stands by them.
    pub standing: Standing,
}

/// Reporters with their figures, by name; at most [`MAX_NAMED`], from after a name on.
pub fn reporters(house: &House, after: Option<&Organisation>) -> Page<ReporterView, Organisation> {
    let (state, now) = (house.state(), house.now());
    let named = state.reporters().map(|(name, _)| name);
    let mut later = named.filter(|name| after.is_none_or(|after| *name > after));
    let mut rows = Vec::new();
    for name in later.by_ref().take(MAX_NAMED) {
        let (budget, standing) = state.standing(name, now, house.policy());
        let counts = house.tally().reporter(name);
        rows.push(ReporterView { reporter: name.clone(), counts, budget, standing });
    }
    let next = later.next().and_then(|_| rows.last()).map(|row| row.reporter.clone());
    Page { rows, next }
}
