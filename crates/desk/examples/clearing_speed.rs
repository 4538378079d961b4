//! How fast the clearing house is: `clearing_speed ITEMS` makes one in a new folder, puts so many items into force in
//! tickets of a thousand, then one by one, and opens it again. Prints: items a second; the median and the 99th
//! percentile of one act until it is durable, and from there until the feed's folder has its delta, with the proofs, and
//! the manifest that names it, in ms; seconds to open it again; bytes of its log and openings an item; memory in MB. `bench/shield-house` prints them as a table.

#![allow(clippy::print_stdout)]

mod measured;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use desk::Place;
use desk::clearing::publish::{Publisher, feed_key};
use desk::clearing::{Ask, House, MAX_TOGETHER};
use model::ExhibitId;
use shield::harm::Verdict;
use shield::order::command::{Order, Submission};
use shield::order::turn::Outcome;
use shield::order::words::{OrderId, Organisation, Right};
use shield::order::{Audience, Capture, Command, ItemId, Role, Seen, TicketId};

use measured::{Failed, actor, bytes_in, memory_mb};

fn does(house: &mut House, asks: &[Ask]) -> Result<(), Failed> {
    for answer in
        asks.chunks(MAX_TOGETHER).map(|asks| house.act(asks)).collect::<Result<Vec<_>, _>>()?
    {
        for done in answer {
            done?;
        }
    }
    Ok(())
}

/// A ticket of a thousand items, reported.
fn ticket(house: &mut House, n: usize) -> Result<TicketId, Failed> {
    let items = (0..1_000).map(|k| format!("s{k}.t{n}.stream-of-a-usual-length.com")).collect();
    let asked = Submission {
        order: OrderId::new("1/26").ok_or("an order")?,
        event: None,
        works: vec![Right::new("football").ok_or("a right")?],
        items,
        audience: Audience::All,
        until: None,
        case: None,
    };
    let lea = actor("lea", "league", Role::Reporter)?;
    does(house, &[Ask { actor: lea, command: Command::Submit(asked) }])?;
    Ok(TicketId(house.state().tickets() - 1))
}

/// What puts an item into force.
fn release(house: &House, item: ItemId) -> Result<[Ask; 2], Failed> {
    let live = house.state().item(item).ok_or("an item")?;
    let exhibit = ExhibitId([item.place() as u8; 32]);
    let value = (*live.value).clone();
    let capture = Capture { value, exhibit, taken: house.now(), seen: Seen::Works };
    let outcome = Outcome { verdict: Verdict::Allow, code: None, grave: false, system: None };
    let probe = actor("probe-1", "authority", Role::Probe)?;
    Ok([
        Ask { actor: probe, command: Command::Capture { item, capture } },
        Ask { actor: house.itself().clone(), command: Command::Check { item, outcome } },
    ])
}

fn of(sorted: &[Duration], per_cent: usize) -> f64 {
    let at = sorted.len() * per_cent / 100;
    sorted.get(at.min(sorted.len().saturating_sub(1))).map_or(0.0, |d| d.as_secs_f64() * 1e3)
}

fn run() -> Result<(), Failed> {
    let items: usize = std::env::args().nth(1).map_or(Ok(100_000), |n| n.parse())?;
    let dir = tempfile::tempdir()?;
    let place = Place {
        case: dir.path().join("shield"),
        home: dir.path().join("home"),
        actor: "bench".to_owned(),
        holder: "bench".to_owned(),
        wait: desk::Wait::Fail,
    };
    House::create(&place)?;
    let mut house = House::open(&place)?;
    house.begin()?;
    let now = house.now();
    let order = Order {
        id: OrderId::new("1/26").ok_or("an order")?,
        reporter: Organisation::new("league").ok_or("a name")?,
        rights: [Right::new("football").ok_or("a right")?].into(),
        from: now.minus(1_000),
        until: now.plus(300 * 86_400_000),
    };
    let vera = actor("vera", "authority", Role::Authority)?;
    does(&mut house, &[Ask { actor: vera, command: Command::GiveOrder(order) }])?;
    let key = feed_key(&place.home, house.case().authority())?;
    let mut publisher = Publisher::new(&dir.path().join("feed"), key)?;
    let begun = Instant::now();
    for n in 0..items / 1_000 {
        let ticket = ticket(&mut house, n)?;
        let asks: Result<Vec<_>, Failed> =
            (0..1_000).map(|place| release(&house, ItemId::new(ticket, place))).collect();
        let asks: Vec<Ask> = asks?.into_iter().flatten().collect();
        does(&mut house, &asks)?;
        let _ = house.publish();
        house.show()?;
    }
    publisher.publish(&house, house.now(), &mut |_| ())?;
    let rate = items as f64 / begun.elapsed().as_secs_f64();
    let last = ticket(&mut house, items)?;
    let (mut durable, mut out) = (Vec::new(), Vec::new());
    for place in 0..500 {
        let asks = release(&house, ItemId::new(last, place))?;
        let begun = Instant::now();
        does(&mut house, &asks)?;
        durable.push(begun.elapsed());
        // As the keeper does it.
        let begun = Instant::now();
        let _ = house.publish();
        house.show()?;
        publisher.publish(&house, house.now(), &mut |_| ())?;
        out.push(begun.elapsed());
        publisher.go_on(&house, house.now(), &mut |_| ())?;
    }
    durable.sort_unstable();
    out.sort_unstable();
    house.close()?;
    let bytes = bytes_in(&place.case) as f64 / (items + 1_000) as f64;
    let begun = Instant::now();
    let house = House::open(&place)?;
    let opened = begun.elapsed().as_secs_f64();
    let memory = memory_mb("VmRSS:");
    println!(
        "{rate:.0} {:.2} {:.2} {:.2} {:.2} {opened:.2} {bytes:.0} {memory:.0}",
        of(&durable, 50),
        of(&durable, 99),
        of(&out, 50),
        of(&out, 99)
    );
    house.close()?;
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        #[allow(clippy::print_stderr)]
        Err(error) => {
            eprintln!("clearing_speed: {error}");
            ExitCode::FAILURE
        }
    }
}
