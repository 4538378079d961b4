//! What pages show of the clearing house: plain structs, each made in one look of a bounded length, so that
//! the thread that has the house is never held up by who reads.
//!
//! Lists are the newest first and paged by key. A look passes over at most [`MAX_SCAN`] items or tickets;
//! where it ends before a page is full, the page says from where to go on.

mod records;

use shield::item::Kind;
use shield::order::budget::{Count, Standing};
use shield::order::machine::Machine;
use shield::order::state::{Announced, Live, Stop};
use shield::order::turn::{End, Notice};
use shield::order::words::{EventId, OrderId, Organisation, Person, Right};
use shield::order::{
    Audience, Event, Halt, ItemId, Moment, Order, Outcome, Scope, Stage, Ticket, TicketId,
    TicketStage, Value,
};

pub use records::{MAX_RECORDS, Recorded, evidence, recorded};

use super::house::House;

/// The most items or tickets that one look passes over.
pub const MAX_SCAN: usize = 50_000;
/// The most rows of one page.
pub const MAX_ROWS: usize = 200;
/// The most events, stops, objections or reporters of one page.
pub const MAX_NAMED: usize = 200;

/// Whose tickets somebody sees: all, or one reporter's.
pub type Whose = Option<Organisation>;

/// An item that lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemView {
    /// Which.
    pub id: ItemId,
    /// What is to be blocked.
    pub value: Value,
    /// What was written, where that is another text.
    pub written: Option<String>,
    /// Where it stands.
    pub stage: Stage,
    /// For whom it was reported.
    pub reporter: Organisation,
    /// By whom.
    pub person: Person,
    /// When.
    pub at: Moment,
    /// Since when it is at this stage, of what is held, in force or suspended.
    pub since: Option<Moment>,
    /// In force or suspended: when it expires. Else: when its window ends and it is refused.
    pub until: Option<Moment>,
    /// What the check found, once it ran.
    pub outcome: Option<Outcome>,
    /// What holds it, by word.
    pub holds: Vec<&'static str>,
    /// The capture it rests on.
    pub capture: Option<model::ExhibitId>,
    /// When that was taken.
    pub captured: Option<Moment>,
    /// Blocks of the value that were lifted for harm.
    pub faults: u32,
    /// True where an objection waits for a reviewer.
    pub objected: bool,
    /// True where the host of an address answered: an approval then needs grounds.
    pub answered: bool,
}

impl ItemView {
    fn of(house: &House, id: ItemId, live: &Live) -> Option<Self> {
        let state = house.state();
        let ticket = state.ticket(id.ticket())?;
        let machine = &live.machine;
        let outcome = match machine {
            Machine::Checked(checked) => Some(&checked.outcome),
            Machine::Held(held) => held.outcome.as_ref(),
            Machine::InForce(in_force) => Some(&in_force.outcome),
            Machine::Suspended(suspended) => {
                suspended.found.as_ref().or(Some(&suspended.was.outcome))
            }
            Machine::Submitted(_) | Machine::Captured(_) | Machine::Ended(_) => None,
        };
        let since = match machine {
            Machine::Held(held) => Some(held.since),
            Machine::InForce(in_force) => Some(in_force.since),
            Machine::Suspended(suspended) => Some(suspended.since),
            _ => None,
        };
        let in_force = machine.in_force();
        let evidence = in_force.map(|block| &block.evidence).or_else(|| machine.evidence());
        let pending = machine.pending();
        let until = in_force.map(|block| block.expires);
        Some(Self {
            id,
            value: live.value.clone(),
            written: live.written.as_deref().map(str::to_owned),
            stage: machine.stage(),
            reporter: ticket.reporter.clone(),
            person: ticket.person.clone(),
            at: ticket.at,
            since,
            until: until.or_else(|| state.term(id.ticket()).map(|term| term.closes)),
            outcome: outcome.cloned(),
            holds: pending.map(|pending| pending.holds.words().collect()).unwrap_or_default(),
            capture: evidence.map(|evidence| evidence.exhibit),
            captured: evidence.map(|evidence| evidence.taken),
            faults: state.value(&live.value).map_or(0, |wanted| wanted.history.faults),
            objected: state.is_objected(id),
            answered: pending.is_some_and(|pending| pending.notice == Notice::Answered),
        })
    }

    /// True where a person who is no second person to the reporter would be refused as one.
    pub fn needs_another_than(&self, person: &str, organisation: &str) -> bool {
        self.person.as_str() == person || self.reporter.as_str() == organisation
    }

    /// True of an address: an approval of one may give grounds not to wait for its host.
    pub fn is_address(&self) -> bool {
        self.value.kind() != Kind::Fqdn
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, K> {
    /// The rows, the newest first.
    pub rows: Vec<T>,
    /// After which to go on; `None`: nothing older was left.
    pub next: Option<K>,
}

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
    /// The order's works.
    pub works: Vec<Right>,
    /// Tickets.
    pub tickets: u64,
    /// True while its window is open.
    pub on: bool,
}

/// A stop that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopView {
    /// Of what.
    pub scope: Scope,
    /// How, why, since when, and who would resume.
    pub stop: Stop,
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
    /// Stops.
    pub stops: Vec<StopView>,
    /// Items that wait for a second person, the longest first: of the first of them since when.
    pub longest_held: Option<Moment>,
    /// Items, the newest first.
    pub items: Page<ItemView, ItemId>,
    /// Orders and events that somebody may report under now.
    pub under: Vec<(Order, Vec<EventId>)>,
    /// Objections that wait for a reviewer.
    pub objections: u64,
}

fn sees(whose: &Whose, reporter: &Organisation) -> bool {
    whose.as_ref().is_none_or(|of| of == reporter)
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
        stops: stops(house),
        longest_held,
        objections: theirs.count() as u64,
        items: items(house, whose, after, most),
        under: under(house, whose, now),
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
    let (mut passed, mut id) = (0, state.tickets());
    while let Some(before) = id.checked_sub(1).filter(|_| passed < MAX_SCAN) {
        (id, passed) = (before, passed + 1);
        let Some(ticket) = state.ticket(TicketId(id)) else { continue };
        if ticket.reporter == *reporter {
            let of = |stage| u64::from(ticket.count(stage));
            sum.in_force += of(Stage::InForce);
            sum.held += of(Stage::Held);
            sum.captured += of(Stage::Captured) + of(Stage::Checked);
            sum.submitted += of(Stage::Submitted);
            sum.suspended += of(Stage::Suspended);
        }
    }
    sum.cut = id > 0;
    sum
}

/// Items that live, the newest first.
fn items(
    house: &House,
    whose: &Whose,
    after: Option<ItemId>,
    most: usize,
) -> Page<ItemView, ItemId> {
    let most = most.clamp(1, MAX_ROWS);
    let (mut rows, mut last) = (Vec::new(), None);
    let older = house.state().items().rev().skip_while(|(id, _)| after.is_some_and(|of| *id >= of));
    for (passed, (id, live)) in older.enumerate() {
        if rows.len() >= most || passed >= MAX_SCAN {
            return Page { rows, next: last };
        }
        last = Some(id);
        let view = ItemView::of(house, id, live).filter(|view| sees(whose, &view.reporter));
        rows.extend(view);
    }
    Page { rows, next: None }
}

fn event_view(house: &House, announced: &Announced, now: Moment) -> EventView {
    let event = announced.event.clone();
    let order = house.state().order(&event.order);
    EventView {
        reporter: order.map(|order| order.reporter.clone()),
        works: order.map(|order| order.rights.to_vec()).unwrap_or_default(),
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

fn stops(house: &House) -> Vec<StopView> {
    let all = house.state().stops().take(MAX_NAMED);
    all.map(|(scope, stop)| StopView { scope: scope.clone(), stop: stop.clone() }).collect()
}

/// The orders of one reporter that hold at a moment, each with its events that are not over; nothing of
/// `None`, who reports for nobody.
pub fn under(house: &House, whose: &Whose, now: Moment) -> Vec<(Order, Vec<EventId>)> {
    let Some(reporter) = whose else { return Vec::new() };
    let state = house.state();
    let holds =
        |order: &&Order| order.reporter == *reporter && order.from <= now && now < order.until;
    let orders = state.orders().filter(holds).take(MAX_NAMED);
    let with = |order: &Order| {
        let of = state.events().map(|announced| &announced.event);
        let open = of.filter(|event| event.order == order.id && now < event.until);
        (order.clone(), open.take(MAX_NAMED).map(|event| event.id.clone()).collect())
    };
    orders.map(with).collect()
}

/// A ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketView {
    /// Which.
    pub id: TicketId,
    /// The legal basis.
    pub order: OrderId,
    /// The event.
    pub event: Option<EventId>,
    /// For whom it was reported.
    pub reporter: Organisation,
    /// By whom.
    pub person: Person,
    /// When.
    pub at: Moment,
    /// By whom it is to be blocked.
    pub audience: Audience,
    /// How it stands.
    pub stage: TicketStage,
    /// How many items it has.
    pub items: usize,
    /// How many are at each stage, in the order of [`Stage::ALL`].
    pub stages: [u16; Stage::ALL.len()],
    /// True where a stop is on it, its event, its reporter or everything.
    pub halted: bool,
}

impl TicketView {
    fn of(house: &House, id: TicketId, ticket: &Ticket) -> Self {
        let mut stages = [0; Stage::ALL.len()];
        for (place, stage) in stages.iter_mut().zip(Stage::ALL) {
            *place = ticket.count(*stage);
        }
        Self {
            id,
            order: ticket.order.clone(),
            event: ticket.event.clone(),
            reporter: ticket.reporter.clone(),
            person: ticket.person.clone(),
            at: ticket.at,
            audience: ticket.audience.clone(),
            stage: ticket.stage(),
            items: ticket.len(),
            stages,
            halted: house.state().is_halted(id),
        }
    }
}

/// Which tickets.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// That stand so.
    pub stage: Option<TicketStage>,
    /// Of this reporter.
    pub reporter: Option<Organisation>,
    /// Of this event.
    pub event: Option<EventId>,
    /// Older than this one.
    pub after: Option<TicketId>,
}

/// Tickets, the newest first, at most so many.
pub fn tickets(house: &House, filter: &Filter, most: usize) -> Page<TicketView, TicketId> {
    let (state, most) = (house.state(), most.clamp(1, MAX_ROWS));
    let mut rows = Vec::new();
    let mut id = filter.after.map_or(state.tickets(), |after| after.0.min(state.tickets()));
    let mut passed = 0;
    while let Some(before) = id.checked_sub(1) {
        if rows.len() >= most || passed >= MAX_SCAN {
            return Page { rows, next: Some(TicketId(id)) };
        }
        (id, passed) = (before, passed + 1);
        let Some(ticket) = state.ticket(TicketId(id)) else { continue };
        let fits = filter.stage.is_none_or(|stage| ticket.stage() == stage)
            && sees(&filter.reporter, &ticket.reporter)
            && (filter.event.is_none() || filter.event == ticket.event);
        if fits {
            rows.push(TicketView::of(house, TicketId(id), ticket));
        }
    }
    Page { rows, next: None }
}

/// Tickets of which an item that lives wants a value, the newest first.
pub fn wanting(house: &House, value: &shield::Item, whose: &Whose) -> Vec<TicketView> {
    let state = house.state();
    let live = state.value(value).map(|wanted| wanted.live.clone()).unwrap_or_default();
    let mut ids: Vec<TicketId> = live.iter().map(|item| item.ticket()).collect();
    ids.dedup();
    let views = ids.into_iter().rev().filter_map(|id| {
        let ticket = state.ticket(id).filter(|ticket| sees(whose, &ticket.reporter))?;
        Some(TicketView::of(house, id, ticket))
    });
    views.take(MAX_ROWS).collect()
}

/// An item of a ticket: as it lives, or how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TicketItem {
    /// It lives.
    Live(Box<ItemView>),
    /// It ended; its value stands in the ticket's first record.
    Ended(ItemId, Option<End>),
}

/// A ticket's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketPage {
    /// Now.
    pub now: Moment,
    /// The ticket.
    pub ticket: TicketView,
    /// Its items from a place on, at most [`MAX_ROWS`].
    pub items: Vec<TicketItem>,
    /// Its reporter's releases and errors over the days that count.
    pub count: Count,
    /// How the reporter stands by them.
    pub standing: Standing,
    /// The newest records about it, the oldest first, at most [`MAX_RECORDS`].
    pub records: Vec<u64>,
    /// True where there are older ones.
    pub older: bool,
    /// A stop on this very ticket.
    pub stop: Option<Stop>,
}

/// A ticket with its items from `first` on; `None`: there is none, or it is another reporter's.
pub fn ticket(
    house: &House,
    id: TicketId,
    whose: &Whose,
    first: u16,
    most: usize,
) -> Option<TicketPage> {
    let (state, now) = (house.state(), house.now());
    let found = state.ticket(id).filter(|ticket| sees(whose, &ticket.reporter))?;
    let last = u16::try_from(found.len()).unwrap_or(u16::MAX);
    let places = (first..last).take(most.clamp(1, MAX_ROWS));
    let item = |place| {
        let item = ItemId::new(id, place);
        let view = state.item(item).and_then(|live| ItemView::of(house, item, live));
        view.map_or_else(
            || TicketItem::Ended(item, found.end(place)),
            |view| TicketItem::Live(Box::new(view)),
        )
    };
    let (records, older) = house.trail().of(id, MAX_RECORDS);
    let (count, standing) = state.standing(&found.reporter, now, house.policy());
    Some(TicketPage {
        now,
        items: places.map(item).collect(),
        ticket: TicketView::of(house, id, found),
        count,
        standing,
        records,
        older,
        stop: state.stop(&Scope::Ticket(id)).cloned(),
    })
}

/// What anybody may know of a value: never who reported it, nor that it is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocked {
    /// It is in force.
    Yes {
        /// Since when.
        since: Moment,
        /// Until when, unless it is renewed.
        until: Moment,
        /// Under which orders, sorted, each once.
        orders: Vec<OrderId>,
        /// True where all of them are addressed to some ISPs alone.
        some: bool,
        /// True where a stop has taken it out meanwhile.
        stopped: bool,
    },
    /// It is out until a reviewer decided.
    Suspended,
    /// It is not. When a block of it last ended, if one ever did.
    No(Option<(Moment, End)>),
}

/// Whether a value is blocked.
pub fn blocked(house: &House, value: &shield::Item) -> Blocked {
    let state = house.state();
    let Some(wanted) = state.value(value) else { return Blocked::No(None) };
    let (mut since, mut until, mut orders) = (None, None, Vec::new());
    let (mut some, mut stopped, mut suspended) = (true, true, false);
    let everything = state.stop(&Scope::All).is_some_and(|stop| stop.halt == Halt::Lifts);
    for id in &wanted.live {
        let Some(live) = state.item(*id) else { continue };
        let Some(ticket) = state.ticket(id.ticket()) else { continue };
        match &live.machine {
            Machine::InForce(block) => {
                since = Some(since.map_or(block.since, |before: Moment| before.min(block.since)));
                until = until.max(Some(block.expires));
                orders.push(ticket.order.clone());
                some &= ticket.audience != Audience::All;
                stopped &= everything || state.is_lifted(id.ticket());
            }
            Machine::Suspended(_) => suspended = true,
            _ => {}
        }
    }
    orders.sort();
    orders.dedup();
    match since.zip(until) {
        Some((since, until)) => Blocked::Yes { since, until, orders, some, stopped },
        None if suspended => Blocked::Suspended,
        // What was refused was never blocked: that it was asked for is nobody's business.
        None => Blocked::No(
            wanted.history.last.and_then(|(at, _, how)| (how != End::Refused).then_some((at, how))),
        ),
    }
}

/// An objection that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectionView {
    /// The item.
    pub item: ItemId,
    /// What is, or was, blocked.
    pub value: Value,
    /// What was shown: the sealed statement's hash.
    pub proof: model::Sha256Hex,
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
    pub counts: super::tally::Counts,
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

#[cfg(test)]
mod tests;
