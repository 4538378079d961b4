//! Acts as a house makes them: a commit, with its file of openings, for each; a WARC for each capture. And how long
//! an act takes while what the log comes to is being kept.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use desk::Place;
use desk::clearing::{Ask, House, Keeper, MAX_TOGETHER};
use model::record::{Body, CaptureMade, Name, time_text};
use model::{ExhibitId, Sha256Hex};
use shield::order::command::Submission;
use shield::order::turn::{Evidence, Turn};
use shield::order::{Audience, Command, Deed, ItemId, Moment, TicketId};
use vault::{Case, Home, Origin, Stamp};

use crate::measured::{Failed, bytes_in};
use crate::{DAY, Maker, checked, value};

/// Items of a ticket.
const ITEMS: u16 = 10;
/// Bytes of a WARC: what a page of a player and its playlist come to, compressed.
const WARC: usize = 2_000;

/// Writes so many items, each with its own acts: reported in tickets of ten, captured, checked, released; those before
/// `ended` expire, a ticket at a time.
pub(crate) fn written(
    place: &Place,
    maker: &Maker,
    (ended, all): (u64, u64),
    now: Moment,
) -> Result<(), Failed> {
    let begun = Instant::now();
    let home = Home::new(&place.home);
    let mut case = Case::open(&place.case, &home, "bench", desk::Wait::Fail, now.0)?;
    let stamp = Stamp { actor: "bench".to_owned(), now_ms: now.0 };
    for n in 0..all.div_ceil(u64::from(ITEMS)) {
        let (id, at) = (TicketId(n), now.plus(1 + n * 4));
        let expires = now.plus(30 * DAY);
        let commit = |case: &mut Case, records: Vec<(String, Body)>| -> Result<(), Failed> {
            let mut batch = case.batch();
            for (person, body) in records {
                batch.record_by(&person, body);
            }
            batch.commit(&stamp)?;
            Ok(())
        };
        let reported = maker.reported(id, ITEMS.into(), at, expires)?;
        commit(&mut case, maker.records(&maker.lea, at, vec![reported])?)?;
        for place in 0..ITEMS {
            let item = ItemId::new(id, place);
            let exhibit = captured(&mut case, item, at, &stamp)?;
            let evidence = Evidence { exhibit, taken: at, lapses: at.plus(600_000), page: false };
            let turned = vec![Deed::Turned { item, turn: Turn::Captured(evidence) }];
            commit(&mut case, maker.records(&maker.probe, at.plus(1), turned)?)?;
            let turns = [checked(), Turn::Released { expires }];
            let turned = turns.map(|turn| Deed::Turned { item, turn }).to_vec();
            commit(&mut case, maker.records(&maker.house, at.plus(2), turned)?)?;
        }
        if n * u64::from(ITEMS) < ended {
            let ends = (0..ITEMS).map(|place| ItemId::new(id, place));
            let ends = ends.map(|item| Deed::Turned { item, turn: Turn::Expired }).collect();
            commit(&mut case, maker.records(&maker.house, at.plus(3), ends)?)?;
        }
    }
    let records = case.len();
    case.finish()?;
    println!("{:.1} {records} {}", begun.elapsed().as_secs_f64(), bytes_in(&place.case));
    Ok(())
}

/// Seals what a probe saw and records it, in one commit.
fn captured(case: &mut Case, item: ItemId, at: Moment, stamp: &Stamp) -> Result<ExhibitId, Failed> {
    let seed = Sha256Hex::of(&item.0.to_be_bytes());
    let warc: Vec<u8> = seed.0.iter().copied().cycle().take(WARC).collect();
    let staged = case.stager().reader(&mut warc.as_slice())?;
    let (exhibit, time) = (staged.id(), time_text(at.0));
    let asked = value(item.ticket(), item.place())?.to_string();
    let origin = Origin {
        source: Some(Name(format!("capture-{time}.warc.gz").into_bytes())),
        item: Some(asked.clone()),
        authorisation: Some("record 2".to_owned()),
        seized_by: Some("the clearing house".to_owned()),
        at: Some(time.clone()),
        member: None,
    };
    let body = CaptureMade {
        granted: 2,
        started: time.clone(),
        ended: time,
        item: asked,
        exhibit,
        outcome: "media".to_owned(),
        addresses: vec!["192.0.2.7".to_owned()],
        chains: vec![seed],
        requests: 2,
        media_bytes: 1_500,
        content: seed,
        // As long as one: nobody verifies it here.
        signature: seed.to_string().repeat(3),
    };
    let mut batch = case.batch();
    batch.seal(staged, &origin)?;
    batch.record(body);
    batch.commit(stamp)?;
    Ok(exhibit)
}

/// Reports so many more items that what the log comes to is worth keeping, and then one after another until it is
/// kept, and as long again. Prints of both: acts, p50, p99 and the most, in ms.
pub(crate) fn acts(place: &Place, maker: &Maker, worth: u64) -> Result<(), Failed> {
    let house = House::open(place)?;
    let (keeper, thread) = Keeper::start(house, Box::new(|_: &House| {}))?;
    let ask = |n: u64| Ask {
        actor: maker.lea.clone(),
        command: Command::Submit(Submission {
            order: maker.order.clone(),
            event: None,
            works: vec![maker.right.clone()],
            items: vec![format!("n{n}.reported-while-it-is-kept.com")],
            audience: Audience::All,
            until: None,
            case: None,
        }),
    };
    let mut next = 0;
    while next < worth {
        let asks: Vec<Ask> = (next..next + MAX_TOGETHER as u64).map(ask).collect();
        next += asks.len() as u64;
        for done in keeper.look(move |house| house.act(&asks))?? {
            done?;
        }
    }
    keeper.look(|house| house.show())??;
    let state = place.case.join("kept/state");
    let before = changed(&state);
    let begun = Instant::now();
    let until =
        |done: &dyn Fn(Duration) -> bool, next: &mut u64| -> Result<Vec<Duration>, Failed> {
            let mut took = Vec::new();
            while !done(begun.elapsed()) {
                let at = Instant::now();
                *next += 1;
                keeper.act(ask(*next))??;
                took.push(at.elapsed());
                std::thread::sleep(Duration::from_millis(2));
            }
            took.sort_unstable();
            Ok(took)
        };
    let most = Duration::from_secs(600);
    let during = until(&|since| changed(&state) != before || since > most, &mut next)?;
    let end = begun.elapsed();
    let after = until(&|since| since > end * 2 || since > end + most / 10, &mut next)?;
    keeper.close();
    thread.join().map_err(|_| "the house's thread")??;
    let ms = |took: &[Duration], part: usize| {
        let at = (took.len() * part / 1_000).min(took.len().saturating_sub(1));
        took.get(at).map_or(0.0, |took| took.as_secs_f64() * 1e3)
    };
    let mut out = std::io::stdout();
    for took in [&during, &after] {
        let (n, most) = (took.len(), ms(took, 1_000));
        write!(out, "{n} {:.1} {:.1} {most:.1} ", ms(took, 500), ms(took, 990))?;
    }
    writeln!(out, "{:.1}", end.as_secs_f64())?;
    Ok(())
}

fn changed(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|meta| meta.modified()).ok()
}
