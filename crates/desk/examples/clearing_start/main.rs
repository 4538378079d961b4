//! How long a clearing house takes to start with a long history. Commands, each a process of its own, so that
//! memory is that of a start alone; `bench/shield-start` gives them and prints a table.
//!
//! - `clearing_start make DIR ITEMS LIVE`: makes a house whose log holds so many items that were reported, captured,
//!   checked, released and expired, and then so many that are in force, in tickets of a thousand. The log's own writer
//!   writes it; only the decisions are larger than acts make them (one for a thousand items), so that ten million fit
//!   on a disk. Prints seconds, records, bytes.
//! - `clearing_start real DIR ITEMS LIVE`: the same with each act as a house makes it: a commit with its file of openings
//!   for a report of ten items, and for each of these one for its capture with a WARC, one for what that came to, one
//!   for its check and release. Three files and some 6 KB of records an item.
//! - `clearing_start open DIR`: opens it as `vigie serve` does. Prints records whose outcome was kept, records that were
//!   applied, seconds to open the folder, seconds to start (that included), memory in MB: now, and the most.
//! - `clearing_start read DIR`: what an offline command (`vigie shield tickets`) does first. Prints records whose outcome
//!   was kept, records that were applied, seconds, the most memory in MB.
//! - `clearing_start acts DIR WORTH`: runs it, reports so many items more, and then one after another while what that
//!   comes to is kept. Prints of the acts until then, and as long after: how many, p50, p99 and the most in ms; seconds
//!   until it was kept.
//! - `clearing_start keep DIR`: runs it and closes it, which keeps what its log comes to. Prints seconds, bytes kept,
//!   the most memory in MB.
//! - `clearing_start reset DIR LIST`: publishes all that is in force, makes the same snapshot again beside the house's
//!   work, and has a follower take all of it; writes its values into LIST. Prints: values; bytes of the snapshot; seconds
//!   until it stood, until it was verified and held, until the second one stood; the longest that the house's thread was
//!   held up by that at once, and altogether, in ms; memory for what is held in MB.
//! - `clearing_start fill SHIELD HOME ORDER REPORTER RIGHT LIVE`: puts so many items more into force in a house that
//!   there is and that nobody runs, under an order that it has. Prints as `make` does.

#![allow(clippy::print_stdout)]

mod acts;
#[path = "../measured/mod.rs"]
mod measured;
mod reset;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use desk::Place;
use desk::clearing::{Ask, House, Keeper};
use model::record::{Body, ShieldDecided};
use model::{ExhibitId, Sha256Hex};
use shield::Item;
use shield::harm::Verdict;
use shield::order::command::Order;
use shield::order::step::{Asked, Ticket};
use shield::order::turn::{Evidence, Holds, Outcome, Turn};
use shield::order::words::{OrderId, Right};
use shield::order::written::parts;
use shield::order::{Actor, Audience, Command, Decision, Deed, ItemId, Moment, Role, TicketId};
use shield::proof::{Block, root, salt};
use vault::{Case, Home, Stamp};

use measured::{Failed, actor, bytes_in, memory_mb};

const DAY: u64 = 86_400_000;
/// Items in a ticket.
const ITEMS: u64 = 1_000;
/// Tickets that are made durable together.
const TOGETHER: u64 = 10;

fn place(dir: &Path) -> Place {
    Place {
        case: dir.join("shield"),
        home: dir.join("home"),
        actor: "bench".to_owned(),
        holder: "bench".to_owned(),
        wait: desk::Wait::Fail,
    }
}

struct Maker {
    epoch: u64,
    house: Actor,
    lea: Actor,
    probe: Actor,
    order: OrderId,
    right: Right,
}

impl Maker {
    /// A decision as the house writes it.
    fn records(
        &self,
        by: &Actor,
        at: Moment,
        deeds: Vec<Deed>,
    ) -> Result<Vec<(String, Body)>, Failed> {
        let seed = Sha256Hex::of(&at.0.to_be_bytes()).0;
        let mut leaves = Vec::new();
        for deed in &deeds {
            let Deed::Turned { item, turn: Turn::Released { expires } } = deed else { continue };
            let value = value(item.ticket(), item.place())?;
            let salt = salt(&seed, u32::try_from(leaves.len())?);
            leaves.push(Block { value, item: *item, expires: *expires, code: None, salt }.leaf());
        }
        let shown = (!leaves.is_empty()).then(|| (Sha256Hex(root(&leaves)), leaves.len() as u64));
        let decision = Decision { at, by: by.clone(), deeds };
        let told = shield::told::root(&decision, &seed);
        let decision = decision.write()?;
        let texts: Vec<&str> = parts(&decision).collect();
        let count = texts.len() as u64;
        let record = |(part, text): (u64, &str)| {
            let shown = shown.filter(|_| part + 1 == count);
            let told = told.filter(|_| part + 1 == count);
            let body = ShieldDecided {
                epoch: self.epoch,
                part,
                parts: count,
                blocks: shown.map(|(root, _)| root),
                blocks_under: shown.map(|(_, under)| under),
                told: told.map(|(root, _)| root),
                told_under: told.map(|(_, under)| under),
                decision: text.to_owned(),
                seed: shown.or(told).map(|_| Sha256Hex(seed)),
            };
            (by.person.as_str().to_owned(), body.into())
        };
        Ok((0..).zip(texts).map(record).collect())
    }

    /// A report of so many items.
    fn reported(
        &self,
        id: TicketId,
        items: u64,
        at: Moment,
        expires: Moment,
    ) -> Result<Deed, Failed> {
        let item = |place| Ok(Asked { value: value(id, place)?, as_written: None });
        let items: Result<Vec<Asked>, Failed> = (0..items as u16).map(item).collect();
        Ok(Deed::Submitted(Box::new(Ticket {
            id,
            order: self.order.clone(),
            event: None,
            reporter: self.lea.organisation.clone(),
            works: [self.right.clone()].into(),
            items: items?,
            left_out: Vec::new(),
            audience: Audience::All,
            until: Some(at.max(expires).plus(DAY)),
            case: None,
        })))
    }

    /// A ticket's whole life, or its life so far.
    fn ticket(
        &self,
        id: TicketId,
        at: Moment,
        expires: Moment,
        ends: bool,
    ) -> Result<Vec<(String, Body)>, Failed> {
        let each = |turn: &dyn Fn(ItemId) -> Vec<Turn>| -> Vec<Deed> {
            let items = (0..ITEMS as u16).map(|place| ItemId::new(id, place));
            items
                .flat_map(|item| {
                    turn(item).into_iter().map(move |turn| Deed::Turned { item, turn })
                })
                .collect()
        };
        let captured = each(&|item| {
            let exhibit = ExhibitId(Sha256Hex::of(&item.0.to_be_bytes()).0);
            vec![Turn::Captured(Evidence {
                exhibit,
                taken: at,
                lapses: at.plus(600_000),
                page: false,
            })]
        });
        let released = each(&|_| vec![checked(), Turn::Released { expires }]);
        let reported = self.reported(id, ITEMS, at, expires)?;
        let mut records = self.records(&self.lea, at, vec![reported])?;
        records.extend(self.records(&self.probe, at.plus(1), captured)?);
        records.extend(self.records(&self.house, at.plus(2), released)?);
        if ends {
            records.extend(self.records(
                &self.house,
                at.plus(3),
                each(&|_| vec![Turn::Expired]),
            )?);
        }
        Ok(records)
    }
}

fn checked() -> Turn {
    let outcome = Outcome { verdict: Verdict::Allow, code: None, grave: false, system: None };
    Turn::Checked { outcome, holds: Holds::NONE }
}

/// What is blocked: names as they are made up by who streams, each once.
fn value(ticket: TicketId, place: u16) -> Result<Item, Failed> {
    let hash = Sha256Hex::of(&ItemId::new(ticket, place).0.to_be_bytes()).to_string();
    let (host, domain) = (hash.get(..6).unwrap_or(""), hash.get(6..16).unwrap_or(""));
    let suffix = ["com", "live", "stream", "xyz", "to", "cc"];
    let suffix = suffix.get(usize::from(place) % suffix.len()).unwrap_or(&"com");
    Item::parse(&format!("x{host}.tv{domain}.{suffix}")).map_err(|bad| bad.to_string().into())
}

/// A house with an order, closed, and who acts in it.
fn founded(place: &Place) -> Result<(Maker, Moment), Failed> {
    House::create(place)?;
    let mut house = House::open(place)?;
    house.begin()?;
    let now = house.now();
    let lea = actor("lea", "league", Role::Reporter)?;
    let (order, right) = under()?;
    let given = Order {
        id: order.clone(),
        reporter: lea.organisation.clone(),
        rights: [right.clone()].into(),
        from: now.minus(1_000),
        until: now.plus(300 * DAY),
    };
    let vera = actor("vera", "authority", Role::Authority)?;
    let given = Ask { actor: vera, command: Command::GiveOrder(given) };
    for done in house.act(std::slice::from_ref(&given))? {
        done?;
    }
    let maker = Maker::of(&house)?;
    house.close()?;
    Ok((maker, now))
}

fn under() -> Result<(OrderId, Right), Failed> {
    Ok((OrderId::new("1/26").ok_or("an order")?, Right::new("football").ok_or("a right")?))
}

impl Maker {
    fn of(house: &House) -> Result<Self, Failed> {
        let (order, right) = under()?;
        let lea = actor("lea", "league", Role::Reporter)?;
        let probe = actor("probe-1", "authority", Role::Probe)?;
        Ok(Self { epoch: house.epoch(), house: house.itself().clone(), lea, probe, order, right })
    }
}

fn make(dir: &Path, items: u64, live: u64) -> Result<(), Failed> {
    let begun = Instant::now();
    let place = place(dir);
    let (maker, now) = founded(&place)?;
    written(&place, &maker, (0, items / ITEMS, (items + live) / ITEMS), now, begun)
}

fn real(dir: &Path, items: u64, live: u64) -> Result<(), Failed> {
    let place = place(dir);
    let (maker, now) = founded(&place)?;
    acts::written(&place, &maker, (items, items + live), now)
}

fn read(dir: &Path) -> Result<(), Failed> {
    let place = place(dir);
    let begun = Instant::now();
    let (standing, started) = House::read(&place.case, Some(&place.home))?;
    let took = begun.elapsed().as_secs_f64();
    if let Some(why) = started.refused {
        return Err(why.into());
    }
    println!("{} {} {took:.2} {:.0}", started.kept, started.applied, memory_mb("VmHWM:"));
    drop(standing);
    Ok(())
}

fn acts(dir: &Path, worth: u64) -> Result<(), Failed> {
    let place = place(dir);
    let house = House::open(&place)?;
    let maker = Maker::of(&house)?;
    house.close()?;
    acts::acts(&place, &maker, worth)
}

/// Writes tickets from `first` on: those before `ended` have ended, the others are in force. Says what that came to.
fn written(
    place: &Place,
    maker: &Maker,
    (first, ended, all): (u64, u64, u64),
    now: Moment,
    begun: Instant,
) -> Result<(), Failed> {
    let home = Home::new(&place.home);
    let mut case = Case::open(&place.case, &home, "bench", desk::Wait::Fail, now.0)?;
    for some in (first..all).step_by(TOGETHER as usize) {
        let mut batch = case.batch();
        for n in some..all.min(some + TOGETHER) {
            // One after the other, as a log is.
            let at = now.plus(1 + (n - first) * 4);
            for (person, body) in maker.ticket(TicketId(n), at, now.plus(30 * DAY), n < ended)? {
                batch.record_by(&person, body);
            }
        }
        batch.commit(&Stamp { actor: "bench".to_owned(), now_ms: now.0 })?;
    }
    let records = case.len();
    case.finish()?;
    println!("{:.1} {records} {}", begun.elapsed().as_secs_f64(), bytes_in(&place.case));
    Ok(())
}

fn fill(
    (shield, home): (&str, &str),
    order: &str,
    reporter: &str,
    right: &str,
    live: u64,
) -> Result<(), Failed> {
    let begun = Instant::now();
    let place = Place { case: shield.into(), home: home.into(), ..place(Path::new(".")) };
    let house = House::open(&place)?;
    let (first, now) = (house.state().tickets(), house.now());
    let maker = Maker {
        epoch: house.epoch(),
        house: house.itself().clone(),
        lea: actor("lea", reporter, Role::Reporter)?,
        probe: actor("probe-1", "authority", Role::Probe)?,
        order: OrderId::new(order).ok_or("an order")?,
        right: Right::new(right).ok_or("a right")?,
    };
    house.close()?;
    written(&place, &maker, (first, first, first + live.div_ceil(ITEMS)), now, begun)
}

fn open(dir: &Path) -> Result<(), Failed> {
    let place = place(dir);
    let begun = Instant::now();
    let house = House::open(&place)?;
    let all = begun.elapsed().as_secs_f64();
    let started = house.started().clone();
    let folder = started.folder.as_secs_f64();
    if let Some(why) = started.refused {
        return Err(why.into());
    }
    let (now, most) = (memory_mb("VmRSS:"), memory_mb("VmHWM:"));
    println!("{} {} {folder:.2} {all:.2} {now:.0} {most:.0}", started.kept, started.applied);
    house.close()?;
    Ok(())
}

fn keep(dir: &Path) -> Result<(), Failed> {
    let place = place(dir);
    let mut house = House::open(&place)?;
    house.tell_of_kept(|line| println!("{line}"));
    let begun = Instant::now();
    let (keeper, thread) = Keeper::start(house, Box::new(|_: &House| {}))?;
    keeper.close();
    thread.join().map_err(|_| "the house's thread")??;
    let took = begun.elapsed().as_secs_f64();
    println!("{took:.2} {} {:.0}", bytes_in(&place.case.join("kept")), memory_mb("VmHWM:"));
    Ok(())
}

fn run() -> Result<(), Failed> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["make", dir, items, live] => make(Path::new(dir), items.parse()?, live.parse()?),
        ["real", dir, items, live] => real(Path::new(dir), items.parse()?, live.parse()?),
        ["open", dir] => open(Path::new(dir)),
        ["read", dir] => read(Path::new(dir)),
        ["acts", dir, worth] => acts(Path::new(dir), worth.parse()?),
        ["keep", dir] => keep(Path::new(dir)),
        ["reset", dir, list] => reset::reset(Path::new(dir), Path::new(list)),
        ["fill", shield, home, order, reporter, right, live] => {
            fill((shield, home), order, reporter, right, live.parse()?)
        }
        _ => Err("make DIR ITEMS LIVE, real DIR ITEMS LIVE, read DIR, acts DIR WORTH, fill SHIELD HOME ORDER REPORTER RIGHT LIVE, open DIR, reset DIR LIST, or keep DIR".into()),
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        #[allow(clippy::print_stderr)]
        Err(error) => {
            eprintln!("clearing_start: {error}");
            ExitCode::FAILURE
        }
    }
}
