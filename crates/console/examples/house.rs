//! Serves a clearing house on a match night, for the browser tests: `cargo run -p console --example house --
//! DIR [ADDR]`. DIR is made, and must not be there. Prints the sign-in link; lea (reporter), vera (regulator)
//! and ray (reviewer) sign in with [`PASSWORD`]. `vigie serve --shield` is the real command.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use desk::clearing::known::Knowledge;
use desk::clearing::{Ask, House, Keeper, statement};
use desk::parties::{Act, PartyRole, Sector, act};
use model::ExhibitId;
use shield::item::Name;
use shield::measure::Setting;
use shield::measure::said::Said;
use shield::measure::wire::{Answer, Report};
use shield::order::command::{Event, Order, Submission};
use shield::order::turn::Outcome;
use shield::order::words::{
    Channel, EventId, Grounds, OrderId, Organisation, Person, Probe, Right,
};
use shield::order::{
    Actor, Audience, Capture, Command, Halt, ItemId, Moment, Role, Scope, Seen, TicketId,
};

/// What everybody here signs in with.
const PASSWORD: &str = "four plain words chosen";
const HOUR: u64 = 3_600_000;

type Came<T> = Result<T, Box<dyn Error>>;

fn actor(person: &str, organisation: &str, role: Role) -> Came<Actor> {
    let person = Person::new(person).ok_or("a person")?;
    let organisation = Organisation::new(organisation).ok_or("an organisation")?;
    Ok(Actor { person, organisation, role })
}

/// Who there is.
fn register(home: &Path) -> Came<()> {
    let people = [
        ("authority", Sector::Authority, "vera", PartyRole::Operator),
        ("authority", Sector::Authority, "rex", PartyRole::Regulator),
        ("league", Sector::RightsHolder, "lea", PartyRole::Reporter),
        ("jury", Sector::Other, "ray", PartyRole::Reviewer),
    ];
    let run = |what: Act| act(home, "vera", "example", &what);
    for (organisation, sector, person, role) in people {
        let (organisation, person) = (organisation.to_owned(), person.to_owned());
        let name = organisation.clone();
        if person != "rex" {
            run(Act::Organisation { organisation: organisation.clone(), name, sector })?;
        }
        run(Act::Person { person: person.clone(), name: person.clone(), organisation })?;
        run(Act::Give { person, role, from: None, until: None })?;
    }
    let accounts = desk::account::Accounts::open(home)?;
    let access = desk::access::Access::open(home)?;
    for person in ["vera", "rex", "lea", "ray"] {
        let link = desk::account::invite(home, "vera", person)?;
        accounts.accept(&access, &link, PASSWORD, "example")?.ok_or("an invitation")?;
    }
    Ok(())
}

/// Has something done.
fn does(keeper: &Keeper, actor: Actor, command: Command) -> Came<()> {
    keeper.act(Ask { actor, command })?.map(drop).map_err(Into::into)
}

fn event(name: &str, order: &OrderId, from: Moment, until: Moment) -> Came<Command> {
    let id = EventId::new(name).ok_or("an event")?;
    let channels = ["Sport 1", "Sport 2 HD"].into_iter().filter_map(Channel::new).collect();
    Ok(Command::Announce(Event { channels, ..Event::new(id, order.clone(), from, until) }))
}

fn ticket(order: &OrderId, event: Option<&str>, items: &[&str]) -> Command {
    Command::Submit(Submission {
        order: order.clone(),
        event: event.and_then(EventId::new),
        works: Right::new("serie-a").into_iter().collect(),
        items: items.iter().map(|item| (*item).to_owned()).collect(),
        audience: Audience::All,
        until: None,
        case: None,
    })
}

/// A capture of an item, and its check by what is known.
fn captured(keeper: &Keeper, known: &Knowledge, ticket: u64, place: u16) -> Came<()> {
    let item = ItemId::new(TicketId(ticket), place);
    let (value, taken, itself) = keeper.look(move |house| {
        let value = house.state().item(item).map(|live| (*live.value).clone());
        (value, house.now(), house.itself().clone())
    })?;
    let value = value.ok_or("the item lives")?;
    let outcome = known.check(|check| Outcome::of(&check.item(&value, Default::default())))?;
    // What such a capture would hold, sealed, so that its link opens.
    let bytes = format!("WARC/1.1\nWARC-Target-URI: {value}\n\n(an example)\n");
    let exhibit = ExhibitId(statement::sealed(keeper, &bytes)?.0);
    let capture = Capture { value, exhibit, taken, seen: Seen::Works };
    does(keeper, actor("probe-1", "authority", Role::Probe)?, Command::Capture { item, capture })?;
    does(keeper, itself, Command::Check { item, outcome })
}

fn night(keeper: &Keeper, known: &Knowledge) -> Came<()> {
    let now = keeper.look(|house| house.now())?;
    let authority = || actor("vera", "authority", Role::Authority);
    let league = || actor("lea", "league", Role::Reporter);
    let order = OrderId::new("7/26").ok_or("an order")?;
    does(
        keeper,
        authority()?,
        Command::GiveOrder(Order {
            id: order.clone(),
            reporter: Organisation::new("league").ok_or("a reporter")?,
            rights: ["coppa", "serie-a"].into_iter().filter_map(Right::new).collect(),
            from: now.minus(HOUR),
            until: now.plus(2_000 * HOUR),
        }),
    )?;
    does(keeper, authority()?, event("final", &order, now, now.plus(3 * HOUR))?)?;
    does(
        keeper,
        authority()?,
        event("matchday-12", &order, now.plus(40 * HOUR), now.plus(43 * HOUR))?,
    )?;
    let streams = [
        "https://tv1.stream-cup.example/live/7.m3u8",
        "hd.rojatv.example",
        "edge-3.4kgoals.example",
        "WWW.Goal-Channel.example",
        "198.51.100.7:8080",
        "goal-channel.example",
        "xn--rjatv-fya.example",
        "*.stream-cup.example",
        "10.0.0.1",
        "hd.rojatv.example",
    ];
    does(keeper, league()?, ticket(&order, Some("final"), &streams))?;
    does(
        keeper,
        league()?,
        ticket(&order, None, &["archive.free-matches.example", "mirror.free-matches.example"]),
    )?;
    for place in 0..7 {
        captured(keeper, known, 0, place)?;
    }
    // Without lists of popular names everything is held: a second person agrees to some.
    for place in 0..3 {
        let item = ItemId::new(TicketId(0), place);
        let capture = keeper.look(move |house| {
            house.state().item(item).and_then(|live| Some(live.machine.evidence()?.exhibit))
        })?;
        let Some(exhibit) = capture else { continue };
        does(
            keeper,
            actor("ray", "jury", Role::Reviewer)?,
            Command::Approve { item, exhibit, grounds: None },
        )?;
    }
    let grounds = Grounds::new("the stream is gone").ok_or("grounds")?;
    let item = ItemId::new(TicketId(0), 1);
    does(keeper, league()?, Command::Lift { item, collateral: None, grounds })?;
    let value = shield::Item::parse("tv1.stream-cup.example").map_err(|bad| bad.word())?;
    let proof =
        statement::sealed(keeper, "This name is our club’s own television. Call +00 555 0100.")?;
    does(keeper, actor("the public", "the public", Role::Party)?, Command::Object { value, proof })
}

/// An exception that holds, one that waits for a second person, and a ticket that is stopped.
fn decided(keeper: &Keeper) -> Came<()> {
    let grounds = |text: &str| Grounds::new(text).ok_or("grounds");
    let (league, jury) =
        (|| actor("lea", "league", Role::Reporter), || actor("ray", "jury", Role::Reviewer));
    for (cover, why) in [
        ("*.league.example", "the league’s own site and shop"),
        ("203.0.113.0/24", "a host of hospitals"),
    ] {
        let (cover, until, grounds) = (cover.parse()?, None, grounds(why)?);
        does(keeper, league()?, Command::ProposeException { cover, until, grounds })?;
    }
    let cover = "*.league.example".parse()?;
    does(keeper, jury()?, Command::ApproveException { cover })?;
    let (scope, grounds) =
        (Scope::Ticket(TicketId(1)), grounds("two of its names are a library’s")?);
    does(keeper, jury()?, Command::Stop { scope, halt: Halt::Lifts, grounds })
}

/// Three ISPs: one blocks everything, one but half of it, of one nothing is known.
fn measured(keeper: &Keeper) -> Came<()> {
    let isps = ["fibre", "tower", "cable"];
    let of = |isp: &str| {
        let probe = Probe::new(&format!("{isp}-probe"))?;
        Some(Setting { probe, isp: Organisation::new(isp), rate: 100 })
    };
    let probes: Option<Vec<Setting>> = isps.into_iter().map(of).collect();
    let (probes, controls) = (probes.ok_or("a probe")?, vec![Name::parse("news.example")?]);
    keeper.look(move |house| house.settle(&probes, &controls))?;
    let names = keeper.look(|house| {
        let names = house.state().items().filter_map(|(_, live)| live.value.name().cloned());
        names.collect::<Vec<_>>()
    })?;
    for (isp, each) in [("fibre", 1), ("tower", 2)] {
        let answer = |(n, name): (usize, &Name)| {
            let said = if n.is_multiple_of(each) { Said::NoSuchName } else { Said::Open };
            Answer { name: name.as_str().to_owned(), said, age_ms: 0, address: None }
        };
        let mut answers: Vec<Answer> = names.iter().enumerate().map(answer).collect();
        let name = "news.example".to_owned();
        answers.push(Answer { name, said: Said::Open, age_ms: 0, address: None });
        let probe = actor(&format!("{isp}-probe"), "lab", Role::Probe)?;
        for _ in 0..3 {
            let report = Report { answers: answers.clone(), ..Report::default() };
            desk::clearing::measured::report(keeper, &probe, report)?;
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Came<()> {
    let mut args = std::env::args().skip(1);
    let Some(dir) = args.next().map(PathBuf::from) else {
        eprintln!("usage: house DIR [ADDR]");
        std::process::exit(2);
    };
    let address = args.next().unwrap_or_else(|| "127.0.0.1:0".to_owned()).parse()?;
    let home = dir.join("home");
    let place = desk::Place {
        case: dir.join("shield"),
        home: home.clone(),
        actor: "example".into(),
        holder: "example".into(),
        wait: desk::Wait::Fail,
    };
    House::create(&place)?;
    register(&home)?;
    let known = Knowledge::read(&home, true)?;
    let (keeper, _thread) = Keeper::start(House::open(&place)?, Box::new(|_: &House| {}))?;
    night(&keeper, &known)?;
    decided(&keeper)?;
    measured(&keeper)?;
    let options = console::Options::local(address);
    let challenges =
        desk::clearing::challenge::Challenges::open(&dir.join("shield"), None, Default::default())?;
    let house = console::ClearingHouse { keeper, known, challenges: Arc::new(challenges) };
    let console = console::Console::bind_house(house, &home, options).await?;
    println!("{}", console.sign_in_link()?.unwrap_or_default());
    console::serve(console, std::future::pending()).await?;
    Ok(())
}
