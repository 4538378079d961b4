//! What Live shows.

use std::collections::BTreeMap;

use shield::Item;
use shield::order::ending::Basis;
use shield::order::state::Announced;
use shield::order::words::{EventId, OrderId, Organisation, Right};
use shield::order::{Event, ItemId, Moment, Order, Stage};

use super::super::publish::{Behind, LeftOut};
use super::super::standby::Health;
use super::super::witnessed::Witnessing;
use super::stops::{StopView, stops};
use super::{House, ItemView, MAX_NAMED, MAX_ROWS, MAX_SCAN, Page, Whose, sees};

/// How many items there are at a stage, and ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stages {
    /// In force.
    pub in_force: u64,
    /// Held for a second person.
    pub held: u64,
    /// Captured or checked, and not in force.
    pub captured: u64,
    /// Waiting for a capture.
    pub submitted: u64,
    /// Suspended.
    pub suspended: u64,
    /// Refused, since the log began.
    pub refused: u64,
    /// Of a reporter with more tickets than one look passes over: of the newest of them alone.
    pub cut: bool,
}

/// An event with what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventView {
    /// The event, with its window.
    pub event: Event,
    /// Who reports under its order.
    pub reporter: Option<Organisation>,
    /// Its works: those that it names, else the order's.
    pub works: Vec<Right>,
    /// Tickets.
    pub tickets: u64,
    /// True while its window is open.
    pub on: bool,
}

/// What Live shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveView {
    /// Now, by the house's clock.
    pub now: Moment,
    /// Counts.
    pub stages: Stages,
    /// Events that run, then those that come, by their begin.
    pub events: Vec<EventView>,
    /// Orders and events that were ended, and how many items the house has to lift of each yet; at most
    /// [`MAX_NAMED`].
    pub ending: Vec<(Basis, u64)>,
    /// Stops.
    pub stops: Vec<StopView>,
    /// ISPs that get neither what tickets address to them alone nor a stop on them alone, and why: how many, and the
    /// first of them. A reporter is told of none.
    pub left_out: (u64, Vec<(Organisation, LeftOut)>),
    /// What is out and was to be looked at again, and was not: how many, and since when the first. A reporter is told
    /// of none.
    pub overdue: Option<(u64, Moment)>,
    /// What was lifted and is measured to be blocked still, and where: how many, and the first of them. A reporter is
    /// told of none.
    pub still: (u64, Vec<(Item, Organisation)>),
    /// The feed's copy in another place, while it is behind, and since when. A reporter is told of none.
    pub behind: Option<(Moment, Behind)>,
    /// How the standby is.
    pub standby: Health,
    /// What waits for witnesses; of a reporter's how much does is not said, since it is everybody's.
    pub witnesses: Witnessing,
    /// Items that wait for a second person, the longest first: of the first of them since when.
    pub longest_held: Option<Moment>,
    /// Items, the newest first.
    pub items: Page<ItemView, ItemId>,
    /// Orders and events that somebody may report under now.
    pub under: Vec<(Order, Vec<EventId>)>,
    /// Objections that wait for a reviewer.
    pub objections: u64,
}

/// What Live shows to who sees `whose` tickets: items before `after`, at most so many.
pub fn live(house: &House, whose: &Whose, after: Option<ItemId>, most: usize) -> LiveView {
    let (state, now) = (house.state(), house.now());
    let longest_held = state.held().take(MAX_SCAN).find_map(|(since, id)| {
        let ticket = state.ticket(id.ticket())?;
        sees(whose, &ticket.reporter).then_some(since)
    });
    let objections = state.open_objections().take(MAX_SCAN);
    let theirs = objections.filter(|(id, _, _)| {
        state.ticket(id.ticket()).is_some_and(|ticket| sees(whose, &ticket.reporter))
    });
    LiveView {
        now,
        stages: stages(house, whose),
        events: events(house, whose, now),
        ending: ending(house, whose),
        stops: stops(house, whose, None).rows,
        left_out: if whose.is_none() { house.left_out.some(MAX_NAMED) } else { Default::default() },
        overdue: if whose.is_none() { house.overdue() } else { None },
        still: if whose.is_none() {
            house.measure().still_blocked(now, MAX_NAMED)
        } else {
            Default::default()
        },
        behind: if whose.is_none() { behind(house, now) } else { None },
        standby: house.standby(),
        witnesses: witnesses(house, whose),
        longest_held,
        objections: theirs.count() as u64,
        items: items(house, whose, after, most),
        under: under(house, whose, now),
    }
}

fn behind(house: &House, now: Moment) -> Option<(Moment, Behind)> {
    let behind = house.elsewhere.behind(std::time::Instant::now())?;
    let ms = i64::try_from(behind.since.elapsed().as_millis()).unwrap_or(i64::MAX);
    Some((Moment(now.0.saturating_sub(ms)), behind))
}

fn witnesses(house: &House, whose: &Whose) -> Witnessing {
    let all = house.witnessing();
    match whose {
        None => all,
        Some(_) => {
            let (waiting, each) = (all.waiting.min(1), Vec::new());
            Witnessing { waiting, each, blocks: 0, fewer: 0, ..all }
        }
    }
}

fn stages(house: &House, whose: &Whose) -> Stages {
    let state = house.state();
    let Some(reporter) = whose else {
        let of = |stage| state.count(stage);
        return Stages {
            in_force: of(Stage::InForce),
            held: of(Stage::Held),
            captured: of(Stage::Captured) + of(Stage::Checked),
            submitted: of(Stage::Submitted),
            suspended: of(Stage::Suspended),
            refused: house.tally().all.refused,
            cut: false,
        };
    };
    let refused = house.tally().reporter(reporter).refused;
    let mut sum = Stages { refused, ..Stages::default() };
    let own = state.tickets_of(reporter);
    for ticket in own.iter().rev().take(MAX_SCAN).filter_map(|id| state.ticket(*id)) {
        let of = |stage| u64::from(ticket.count(stage));
        sum.in_force += of(Stage::InForce);
        sum.held += of(Stage::Held);
        sum.captured += of(Stage::Captured) + of(Stage::Checked);
        sum.submitted += of(Stage::Submitted);
        sum.suspended += of(Stage::Suspended);
    }
    sum.cut = own.len() > MAX_SCAN;
    sum
}

/// Items that live, the newest first. Of one reporter they are found by its tickets: what others report, and
/// however much of it, costs nothing.
fn items(
    house: &House,
    whose: &Whose,
    after: Option<ItemId>,
    most: usize,
) -> Page<ItemView, ItemId> {
    let most = most.clamp(1, MAX_ROWS);
    let Some(reporter) = whose else {
        let (mut rows, mut last) = (Vec::new(), None);
        for (passed, (id, live)) in house.state().items_before(after).enumerate() {
            if rows.len() >= most || passed >= MAX_SCAN {
                return Page { rows, next: last };
            }
            last = Some(id);
            rows.extend(ItemView::of(house, id, live));
        }
        return Page { rows, next: None };
    };
    let own = house.state().tickets_of(reporter);
    let older = own.partition_point(|id| after.is_none_or(|after| *id <= after.ticket()));
    let (mut rows, mut last, mut passed) = (Vec::new(), None, 0);
    for ticket in own.get(..older).unwrap_or_default().iter().rev() {
        let items: Vec<_> = house.state().items_of(*ticket).collect();
        for (id, live) in items.into_iter().rev().filter(|(id, _)| after.is_none_or(|of| *id < of))
        {
            if rows.len() >= most {
                return Page { rows, next: last };
            }
            last = Some(id);
            rows.extend(ItemView::of(house, id, live));
        }
        passed += 1;
        if passed >= MAX_SCAN {
            return Page { rows, next: Some(ItemId::new(*ticket, 0)) };
        }
    }
    Page { rows, next: None }
}

fn event_view(house: &House, announced: &Announced, now: Moment) -> EventView {
    let event = announced.event.clone();
    let order = house.state().order(&event.order);
    EventView {
        reporter: order.map(|order| order.reporter.clone()),
        works: match (event.works.as_ref(), order) {
            ([], Some(order)) => order.rights.to_vec(),
            (works, _) => works.to_vec(),
        },
        tickets: announced.tickets.len() as u64,
        on: event.from <= now && now < event.until,
        event,
    }
}

/// Events that run or come, those that run first, each by its begin; at most [`MAX_NAMED`].
fn events(house: &House, whose: &Whose, now: Moment) -> Vec<EventView> {
    let coming = house.state().events().filter(|announced| now < announced.event.until);
    let views = coming.take(MAX_SCAN).map(|announced| event_view(house, announced, now));
    let mut views: Vec<EventView> = views
        .filter(|view| view.reporter.as_ref().is_some_and(|reporter| sees(whose, reporter)))
        .collect();
    views.sort_by_key(|view| (!view.on, view.event.from));
    views.truncate(MAX_NAMED);
    views
}

fn ending(house: &House, whose: &Whose) -> Vec<(Basis, u64)> {
    let state = house.state();
    let order_of = |basis: &Basis| match basis {
        Basis::Order(id) => state.order(id),
        Basis::Event(id) => state.event(id).and_then(|event| state.order(&event.order)),
    };
    let theirs = |(basis, _): &(&Basis, _)| {
        order_of(basis).is_some_and(|order| sees(whose, &order.reporter))
    };
    let some = state.ending().take(MAX_SCAN).filter(theirs).take(MAX_NAMED);
    some.map(|(basis, ending)| (basis.clone(), ending.left)).collect()
}

/// The orders of one reporter that hold at a moment, each with its events that are not over; nothing of
/// `None`, who reports for nobody.
pub fn under(house: &House, whose: &Whose, now: Moment) -> Vec<(Order, Vec<EventId>)> {
    let Some(reporter) = whose else { return Vec::new() };
    let state = house.state();
    let holds =
        |order: &&Order| order.reporter == *reporter && order.from <= now && now < order.until;
    let orders = state.orders().filter(holds).take(MAX_NAMED);
    // Events are passed over once, however many orders there are.
    let mut open: BTreeMap<&OrderId, Vec<EventId>> = BTreeMap::new();
    for event in state.events().map(|announced| &announced.event).filter(|event| now < event.until)
    {
        let of = open.entry(&event.order).or_default();
        if of.len() < MAX_NAMED {
            of.push(event.id.clone());
        }
    }
    orders.map(|order| (order.clone(), open.remove(&order.id).unwrap_or_default())).collect()
}
