//! Decisions as the log keeps them: one writing each, frozen.

use model::{Reference, Sha256Hex};
use proptest::prelude::*;
use shield::Item;
use shield::harm::Verdict;
use shield::item::Bad;
use shield::order::command::{Event, Order};
use shield::order::step::{Asked, LeftOut, NoItem, StopCause, Ticket};
use shield::order::turn::{Cause, Charge, Denial, Evidence, Holds, Miss, Outcome, Turn, Worry};
use shield::order::words::{Channel, EventId, OrderId, Probe, Right};
use shield::order::written::{MAX_PART, MAX_PARTS, parts};
use shield::order::{
    Audience, Decision, Deed, Halt, ItemId, Moment, Scope, Seen, Step, TicketId, Unread,
};

use crate::world::{grounds, item, org, proof, reviewer};

pub(super) const AT: Moment = Moment(1_780_000_000_000);

fn evidence() -> Evidence {
    Evidence {
        exhibit: model::ExhibitId([3; 32]),
        taken: AT,
        lapses: AT.plus(600_000),
        page: false,
    }
}

fn outcome() -> Outcome {
    Outcome { verdict: Verdict::TwoPersons, code: Some("popular"), grave: true, system: None }
}

/// Each turn there is.
fn turns() -> Vec<Turn> {
    let exhibit = model::ExhibitId([4; 32]);
    let (expires, probe) = (AT.plus(900_000), Probe::new("probe-1").unwrap());
    vec![
        Turn::Captured(evidence()),
        Turn::Captured(Evidence { page: true, ..evidence() }),
        Turn::Uploaded { exhibit },
        Turn::Checked { outcome: outcome(), holds: Holds::CHECK.with(Holds::PAGE) },
        Turn::Lapsed,
        Turn::Approved { exhibit, waives: true, grounds: Some(grounds()) },
        Turn::Refused { denial: Denial::Person, grounds: None },
        Turn::NoticeAsked,
        Turn::NoticeSent { silent_at: AT.plus(600_000) },
        Turn::HostAnswered { acts: false },
        Turn::Released { expires },
        Turn::Renewed { evidence: evidence(), expires },
        Turn::Missed(Miss { taken: AT, probe, seen: Seen::Nothing }),
        Turn::Found,
        Turn::Suspended { worry: Worry::CheckAgain, outcome: Some(outcome()) },
        Turn::Reinstated { grounds: grounds() },
        Turn::Lifted {
            cause: Cause::Objection,
            charge: Charge::Grave,
            grounds: Some(grounds()),
            proof: Some(proof(1)),
        },
        Turn::Expired,
    ]
}

/// Each deed there is.
pub(super) fn deeds() -> Vec<Deed> {
    let (order, event) = (OrderId::new("7/26").unwrap(), EventId::new("final").unwrap());
    let (from, until, right) = (AT, AT.plus(7_200_000), Right::new("serie-a").unwrap());
    let id = ItemId::new(TicketId(2), 5);
    let value = item("stream.example");
    let ticket = Ticket {
        id: TicketId(2),
        order: order.clone(),
        event: Some(event.clone()),
        reporter: org("league"),
        works: [right.clone()].into(),
        items: vec![
            Asked { value: value.clone(), as_written: Some("https://Stream.example/live".into()) },
            Asked { value: item("198.51.100.7"), as_written: None },
            Asked { value: item("[2001:db8::7]:8080"), as_written: None },
        ],
        left_out: vec![
            LeftOut { line: 3, why: NoItem::Bad(Bad::Wildcard) },
            LeftOut { line: 4, why: NoItem::Bad(Bad::Character('\u{1}')) },
            LeftOut { line: 5, why: NoItem::Duplicate { of: 0 } },
            LeftOut { line: 6, why: NoItem::Excepted },
            LeftOut { line: 7, why: NoItem::WantedEnough },
        ],
        audience: Audience::Only([org("isp-1"), org("isp-2")].into()),
        until: Some(until),
        case: None,
    };
    let led = Ticket {
        case: Reference::new("police.example/case/7", 41, Sha256Hex::of(b"record")),
        ..ticket.clone()
    };
    let given =
        Order { id: order.clone(), reporter: org("league"), rights: [right].into(), from, until };
    let why = grounds();
    let scopes = [
        Scope::All,
        Scope::Reporter(org("league")),
        Scope::Event(event.clone()),
        Scope::Ticket(TicketId(2)),
        Scope::Isp(org("isp-1")),
    ];
    let causes = [StopCause::Person(why.clone()), StopCause::Measured, StopCause::Budget];
    let stops = scopes.iter().zip(causes.iter().cycle()).map(|(scope, why)| Deed::Stopped {
        scope: scope.clone(),
        halt: Halt::Lifts,
        why: why.clone(),
    });
    let covers =
        ["stream.example", "*.stream.example", "198.51.100.0/24", "2001:db8::/32", "AS64500"];
    let mut deeds = vec![
        Deed::OrderGiven(given),
        Deed::Announced(Event::new(event.clone(), order, from, until)),
        Deed::Extended { event, until },
        Deed::Submitted(Box::new(ticket.clone())),
        Deed::Submitted(Box::new(Ticket { audience: Audience::All, event: None, ..ticket })),
        Deed::Submitted(Box::new(led)),
        Deed::RenewalAsked { ticket: TicketId(2), until },
        Deed::Objected { item: id, proof: proof(1), due: until },
        Deed::ObjectionOverdue { item: id, proof: proof(1) },
        Deed::ObjectionUpheld {
            item: id,
            proof: proof(1),
            charge: Charge::Error,
            grounds: why.clone(),
        },
        Deed::ObjectionDismissed { item: id, proof: proof(1), grounds: why.clone() },
        Deed::HarmReported { value: value.clone(), network: 64_496, first: true },
        Deed::HarmGrouped { value: value.clone() },
        Deed::ControlSeen {
            control: value.clone(),
            probe: Probe::new("probe-1").unwrap(),
            network: None,
        },
        Deed::ControlSeen {
            control: value.clone(),
            probe: Probe::new("probe-1").unwrap(),
            network: Some(org("fibre")),
        },
        Deed::ControlLost { control: value.clone(), explained_by: Some(value.clone()) },
        Deed::ControlLost { control: value, explained_by: None },
        Deed::ResumeAsked { scope: Scope::All, grounds: why.clone() },
        Deed::Resumed { scope: Scope::All, grounds: why.clone() },
    ];
    deeds.extend(turns().into_iter().map(|turn| Deed::Turned { item: id, turn }));
    deeds.extend(stops);
    for (n, cover) in covers.into_iter().enumerate() {
        let cover: shield::order::exceptions::Cover = cover.parse().unwrap();
        let until = (n > 0).then_some(until);
        deeds.push(Deed::ExceptionProposed { cover: cover.clone(), until, grounds: why.clone() });
        deeds.push(Deed::ExceptionApproved { cover });
    }
    let cover = "stream.example".parse().unwrap();
    deeds.push(Deed::ExceptionRevoked { cover, grounds: why.clone() });
    let order = OrderId::new("1/26").unwrap();
    deeds.push(Deed::OrderEnded { order: order.clone(), grounds: why.clone() });
    let event = Event {
        works: ["coppa", "serie-a"].into_iter().filter_map(Right::new).collect(),
        channels: ["Sport 1", "Sport 2"].into_iter().filter_map(Channel::new).collect(),
        ..Event::new(EventId::new("final").unwrap(), order, from, until)
    };
    deeds.push(Deed::EventEnded { event: event.id.clone(), grounds: why });
    deeds.push(Deed::Announced(event));
    deeds
}

#[test]
fn every_deed_is_written_as_it_was_frozen() {
    // A variant that is added has to be added above: each word there is stands in the file.
    let mut text = String::new();
    for deed in deeds() {
        let decision = Decision { at: AT, by: reviewer(), deeds: vec![deed] };
        let line = decision.write().unwrap();
        assert_eq!(Decision::read(&line), Ok(decision), "{line}");
        text.push_str(&line);
        text.push('\n');
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/order/written.jsonl");
    if std::env::var_os("VIGIE_WRITE_FORMAT").is_some() {
        ledger::disk::write(file.as_ref(), text.as_bytes()).unwrap();
    }
    let frozen = std::fs::read_to_string(file).unwrap();
    for (now, then) in text.lines().zip(frozen.lines()) {
        assert_eq!(now, then);
    }
    assert_eq!(text.lines().count(), frozen.lines().count());
    for word in Deed::WORDS.iter().chain(Turn::WORDS) {
        assert!(frozen.contains(&format!("\"{word}\"")), "no line shows {word}");
    }
}

#[test]
fn what_is_not_the_one_writing_is_not_read() {
    let decision = Decision { at: AT, by: reviewer(), deeds: vec![deeds().remove(0)] };
    let good = decision.write().unwrap();
    let bad = |from: &str, to: &str| {
        assert!(good.contains(from), "{good}");
        Decision::read(&good.replace(from, to)).unwrap_err()
    };
    assert!(matches!(bad("{\"at\":", "{ \"at\":"), Unread::Json(_)));
    assert!(matches!(bad("order_given", "order_taken"), Unread::Shape(_)));
    assert!(matches!(bad("\"deed\":", "\"act\":1,\"deed\":"), Unread::Shape(_)));
    assert!(matches!(bad("\"role\":\"reviewer\"", "\"role\":\"king\""), Unread::Shape(_)));
    assert!(matches!(bad("\"7/26\"", "\" 7/26\""), Unread::Shape(_)));
    assert_eq!(Decision::of(&[]), None);
    let empty = Decision { deeds: Vec::new(), ..decision.clone() };
    assert_eq!(Decision::read(&empty.write().unwrap()), Err(Unread::Nothing));
    let mut steps: Vec<Step> = decision.steps().chain(decision.steps()).collect();
    steps[1].at = AT.plus(1);
    assert_eq!(Decision::of(&steps), None);
}

#[test]
fn the_greatest_ticket_has_room_in_a_decision() {
    let Some(Deed::Submitted(ticket)) = deeds().into_iter().find(|d| d.word() == "submitted")
    else {
        panic!("none")
    };
    let url = |n: usize| format!("https://s{n}.example/{}", "\"".repeat(2_000));
    let asked =
        |n: usize| Asked { value: Item::parse(&url(n)).unwrap(), as_written: Some(url(n).into()) };
    let name = |n: usize| format!("{n:04}{}", "n".repeat(196));
    let ticket = Ticket {
        items: (0..1_000).map(asked).collect(),
        works: (0..1_000).map(|n| Right::new(&name(n)).unwrap()).collect(),
        audience: Audience::Only((0..1_000).map(|n| org(&name(n))).collect()),
        ..*ticket
    };
    let deeds = vec![Deed::Submitted(Box::new(ticket))];
    let decision = Decision { at: AT, by: reviewer(), deeds };
    let text = decision.write().unwrap();
    let all: Vec<&str> = parts(&text).collect();
    assert!((100..MAX_PARTS).contains(&all.len()), "{}", all.len());
    assert_eq!(all.concat(), text);
}

proptest! {
    #[test]
    fn parts_are_the_text_again(text in "[aé𝄞\"]{0,20}", times in 0..9_000_usize) {
        let text = text.repeat(times);
        let all: Vec<&str> = parts(&text).collect();
        prop_assert_eq!(&all.concat(), &text);
        prop_assert!(all.iter().all(|part| part.len() <= MAX_PART && !part.is_empty()));
    }
}
