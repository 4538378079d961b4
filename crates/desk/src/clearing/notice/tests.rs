use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use shield::order::turn::Notice;
use shield::order::words::Grounds;

use shield::order::Command;

use super::*;
use crate::clearing::HouseAct;
use crate::clearing::tests::{actor, does, item, place, released, reported};
use shield::order::Role;

/// A house with one name in force, of which a notice is asked.
fn house(dir: &Path) -> House {
    let place = place(dir);
    House::create(&place).unwrap();
    let mut house = House::open(&place).unwrap();
    does(&mut house, &reported(&["tv.stream.example"]));
    let ready = released(&house, item(0));
    does(&mut house, &ready);
    assert_eq!(house.notices_asked(), [item(0)]);
    house
}

const CONTACT: &str = "[[contact]]\nname = \"Host\"\nemail = \"abuse@host.example\"\nlanguage = \"fr\"\n\
                       for = [\"*.stream.example\"]\n";

/// Notices by these contacts, by a relay at a port of loopback or by hand.
fn notices(dir: &Path, contacts: &str, relay: Option<u16>) -> Notices {
    ledger::disk::write(&dir.join("contacts.toml"), contacts.as_bytes()).unwrap();
    let relay = relay.map_or(String::new(), |port| {
        format!("[relay]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n")
    });
    let text = format!("from = \"desk@authority.example\"\ncontacts = \"contacts.toml\"\n{relay}");
    let file = dir.join("notices.toml");
    ledger::disk::write(&file, text.as_bytes()).unwrap();
    let known = Knowledge::read(&dir.join("home"), true).unwrap();
    Notices::open(&dir.join("shield"), Settings::read(&file).unwrap(), known).unwrap()
}

fn told() -> (Told, Arc<Mutex<Vec<String>>>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let of = Arc::clone(&lines);
    (Arc::new(move |line: &str| of.lock().unwrap().push(line.to_owned())), lines)
}

fn notice(house: &House) -> Notice {
    house.state().item(item(0)).unwrap().machine.in_force().unwrap().notice
}

/// A relay that answers RCPT so, and the letters that it took.
fn relay(answers: &'static [&'static str]) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let letters = Arc::new(Mutex::new(Vec::new()));
    let taken = Arc::clone(&letters);
    thread::spawn(move || {
        let mut answers = answers.iter();
        for mut stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(stream.try_clone().unwrap());
            stream.write_all(b"220 relay.example\r\n").unwrap();
            let (mut line, mut letter) = (String::new(), None::<String>);
            while lines.read_line(&mut line).unwrap_or(0) > 0 {
                let said = std::mem::take(&mut line);
                if let Some(text) = &mut letter {
                    if said == ".\r\n" {
                        taken.lock().unwrap().push(letter.take().unwrap());
                        stream.write_all(b"250 taken\r\n").unwrap();
                    } else {
                        text.push_str(&said);
                    }
                    continue;
                }
                let answer = match said.get(..4).unwrap_or_default() {
                    "RCPT" => answers.next().copied().unwrap_or("250 ok"),
                    "DATA" => {
                        letter = Some(String::new());
                        "354 go on"
                    }
                    "QUIT" => "221 bye",
                    _ => "250 ok",
                };
                if stream.write_all(format!("{answer}\r\n").as_bytes()).is_err() {
                    break;
                }
            }
        }
    });
    (port, letters)
}

#[test]
fn without_a_relay_a_letter_waits_for_a_hand_and_is_sealed_when_it_went() {
    let dir = tempfile::tempdir().unwrap();
    let house = house(dir.path());
    let (keeper, thread) = Keeper::start(house, Box::new(|_: &House| {})).unwrap();
    let mut notices = notices(dir.path(), CONTACT, None);
    let (told, lines) = told();
    assert!(notices.round(&keeper, &told).unwrap());
    assert!(lines.lock().unwrap()[0].contains("written to abuse@host.example"));
    // Asked once, it is written once: over restarts too.
    assert!(!notices.round(&keeper, &told).unwrap());
    let (waiting, _) = outbox::all(&dir.path().join("shield")).unwrap();
    let [letter] = waiting.try_into().unwrap();
    let text = String::from_utf8(letter.bytes(&dir.path().join("shield")).unwrap()).unwrap();
    assert!(text.contains("To: Host <abuse@host.example>") && text.contains("[0/0]"), "{text}");
    let exhibit = model::ExhibitId(model::Sha256Hex::of(text.as_bytes()).0);
    let (before, sealed) = keeper
        .look(move |house| (notice(house), house.case().exhibit(&exhibit).unwrap().is_some()))
        .unwrap();
    assert_eq!((before, sealed), (Notice::Asked, false));
    let act = HouseAct::NoticeSent { item: item(0), to: None };
    let vera = actor("vera", "authority", Role::Reviewer).person;
    let again = (act.clone(), vera.clone());
    keeper.look(move |house| house.do_act(&vera, &act)).unwrap().unwrap();
    let (after, sealed) = keeper
        .look(move |house| (notice(house), house.case().exhibit(&exhibit).unwrap().is_some()))
        .unwrap();
    assert!(matches!(after, Notice::Sent(_)) && sealed);
    assert_eq!(outbox::all(&dir.path().join("shield")).unwrap(), (Vec::new(), 0));
    assert!(!notices.round(&keeper, &told).unwrap());
    let twice = keeper.look(move |house| house.do_act(&again.1, &again.0)).unwrap();
    assert!(matches!(twice, Err(Error::Asked(_))));
    keeper.close();
    thread.join().unwrap().unwrap();
    // What the log says is what was.
    let mut house = House::open(&place(dir.path())).unwrap();
    assert!(matches!(notice(&house), Notice::Sent(_)) && house.notices_asked().is_empty());
    house.close().unwrap();
}

#[test]
fn who_is_not_known_is_said_aloud_and_nothing_counts_as_sent() {
    let dir = tempfile::tempdir().unwrap();
    let house = house(dir.path());
    let (keeper, _) = Keeper::start(house, Box::new(|_: &House| {})).unwrap();
    let mut notices = notices(dir.path(), "", None);
    let (told, lines) = told();
    assert!(notices.round(&keeper, &told).unwrap());
    assert!(!notices.round(&keeper, &told).unwrap());
    assert!(lines.lock().unwrap()[0].contains("nobody is known"), "{lines:?}");
    assert_eq!(lines.lock().unwrap().len(), 1);
    let vera = actor("vera", "authority", Role::Reviewer).person;
    let sent = |to: Option<&str>| {
        let to = to.map(|text| Grounds::new(text).unwrap());
        let (act, vera) = (HouseAct::NoticeSent { item: item(0), to }, vera.clone());
        keeper.look(move |house| house.do_act(&vera, &act)).unwrap()
    };
    assert!(matches!(sent(None), Err(Error::Asked(_))));
    assert_eq!(keeper.look(|house| notice(house)).unwrap(), Notice::Asked);
    sent(Some("Host, by telephone")).unwrap();
    assert!(matches!(keeper.look(|house| notice(house)).unwrap(), Notice::Sent(_)));
    keeper.close();
}

#[test]
fn a_relay_takes_the_very_letter_and_one_that_fails_is_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let house = house(dir.path());
    let (keeper, _) = Keeper::start(house, Box::new(|_: &House| {})).unwrap();
    let (port, letters) = relay(&["451 not now"]);
    let mut notices = notices(dir.path(), CONTACT, Some(port));
    let (told, lines) = told();
    assert!(notices.round(&keeper, &told).unwrap());
    assert!(lines.lock().unwrap()[1].contains("was not sent"), "{lines:?}");
    assert_eq!(keeper.look(|house| notice(house)).unwrap(), Notice::Asked);
    let shield = dir.path().join("shield");
    let (waiting, _) = outbox::all(&shield).unwrap();
    let [letter] = waiting.try_into().unwrap();
    assert_eq!(letter.tries, 1);
    assert!(letter.failed.as_deref().is_some_and(|why| why.contains("451")), "{letter:?}");
    // Not before its time.
    assert!(!notices.round(&keeper, &told).unwrap());
    Waiting { next: letter.written, ..letter.clone() }.put(&shield, None).unwrap();
    let text = letter.bytes(&shield).unwrap();
    assert!(notices.round(&keeper, &told).unwrap());
    let taken = letters.lock().unwrap().clone();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].trim_end(), String::from_utf8(text).unwrap().trim_end());
    assert!(matches!(keeper.look(|house| notice(house)).unwrap(), Notice::Sent(_)));
    assert_eq!(outbox::all(&shield).unwrap(), (Vec::new(), 0));
    keeper.close();
}

fn grounds() -> Grounds {
    Grounds::new("two are safer than one").unwrap()
}

/// Names a standby that never follows.
fn alone(house: &mut House) {
    let vera = actor("vera", "authority", Role::Reviewer).person;
    let key = model::Sha256Hex::of(b"secret");
    house.name_standby(&vera, "second", key, &grounds()).unwrap();
    assert!(house.is_alone());
}

fn goes_on(house: &mut House) {
    let vera = actor("vera", "authority", Role::Reviewer).person;
    house.dismiss_standby(&vera, &grounds()).unwrap();
}

/// What the log says of notices that did not go out, each with its record.
fn not_sent(house: &House) -> Vec<(u64, String, u64)> {
    let of = |index| match house.case().body(index) {
        Ok(model::record::Body::ShieldNotice(body)) => Some((index, body.turn, body.tries)),
        _ => None,
    };
    (0..house.case().len()).filter_map(of).collect()
}

#[test]
fn while_the_standby_is_gone_nobody_is_written_to_and_nothing_counts_as_sent() {
    let dir = tempfile::tempdir().unwrap();
    let mut house = house(dir.path());
    alone(&mut house);
    let (keeper, _) = Keeper::start(house, Box::new(|_: &House| {})).unwrap();
    let (port, letters) = relay(&[]);
    let mut notices = notices(dir.path(), CONTACT, Some(port));
    let (told, _) = told();
    for _ in 0..3 {
        notices.round(&keeper, &told).unwrap();
    }
    assert_eq!(letters.lock().unwrap().len(), 0, "the machine could not be told of it");
    let shield = dir.path().join("shield");
    let (waiting, _) = outbox::all(&shield).unwrap();
    assert_eq!(waiting.len(), 1);
    // Nor by hand: silence would not begin.
    let act = HouseAct::NoticeSent { item: item(0), to: Some(grounds()) };
    let vera = actor("vera", "authority", Role::Reviewer).person;
    let said = keeper.look(move |house| house.do_act(&vera, &act)).unwrap();
    assert!(said.unwrap_err().to_string().contains("standby"));
    assert_eq!(keeper.look(|house| notice(house)).unwrap(), Notice::Asked);
    // The standby went while the relay took it: it is sent once, and the machine hears of it later.
    Waiting { sent: Some(waiting[0].written), ..waiting[0].clone() }.put(&shield, None).unwrap();
    notices.round(&keeper, &told).unwrap();
    assert_eq!(outbox::all(&shield).unwrap().0.len(), 1, "it is kept until it can be told");
    keeper.look(goes_on).unwrap();
    assert!(notices.round(&keeper, &told).unwrap());
    assert!(matches!(keeper.look(|house| notice(house)).unwrap(), Notice::Sent(_)));
    assert_eq!(outbox::all(&shield).unwrap(), (Vec::new(), 0));
    assert!(!notices.round(&keeper, &told).unwrap());
    assert_eq!(letters.lock().unwrap().len(), 0, "the relay took it before");
    keeper.close();
}

#[test]
fn a_letter_of_an_item_that_ended_is_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let house = house(dir.path());
    let (keeper, _) = Keeper::start(house, Box::new(|_: &House| {})).unwrap();
    let (port, letters) = relay(&["451 not now"]);
    let mut notices = notices(dir.path(), CONTACT, Some(port));
    let (told, lines) = told();
    assert!(notices.round(&keeper, &told).unwrap());
    let shield = dir.path().join("shield");
    let (waiting, _) = outbox::all(&shield).unwrap();
    Waiting { next: waiting[0].written, ..waiting[0].clone() }.put(&shield, None).unwrap();
    let command = Command::Lift { item: item(0), collateral: Some(true), grounds: grounds() };
    let lift = super::super::Ask { actor: actor("lea", "league", Role::Reporter), command };
    keeper.act(lift).unwrap().unwrap();
    assert!(notices.round(&keeper, &told).unwrap());
    assert_eq!(letters.lock().unwrap().len(), 0, "what it says is no longer so");
    assert_eq!(outbox::all(&shield).unwrap(), (Vec::new(), 0));
    assert!(lines.lock().unwrap().iter().any(|line| line.contains("taken back")), "{lines:?}");
    keeper.close();
}

#[test]
fn the_first_failure_and_giving_up_are_on_record_and_on_the_ticket() {
    let dir = tempfile::tempdir().unwrap();
    let house = house(dir.path());
    let (keeper, thread) = Keeper::start(house, Box::new(|_: &House| {})).unwrap();
    let (port, letters) = relay(&["451 not now"; outbox::MAX_TRIES as usize]);
    let mut notices = notices(dir.path(), CONTACT, Some(port));
    let (told, lines) = told();
    let shield = dir.path().join("shield");
    for n in 1..=outbox::MAX_TRIES {
        assert!(notices.round(&keeper, &told).unwrap(), "try {n}");
        let (waiting, _) = outbox::all(&shield).unwrap();
        assert_eq!(waiting[0].tries, n);
        Waiting { next: waiting[0].written, ..waiting[0].clone() }.put(&shield, None).unwrap();
    }
    assert!(!notices.round(&keeper, &told).unwrap(), "no relay tries it any more");
    assert!(letters.lock().unwrap().is_empty());
    assert!(lines.lock().unwrap().iter().any(|line| line.starts_with("ALARM")), "{lines:?}");
    let said = keeper.look(|house| not_sent(house)).unwrap();
    let turns: Vec<_> = said.iter().map(|(_, turn, tries)| (turn.as_str(), *tries)).collect();
    assert_eq!(turns, [("failed", 1), ("given_up", outbox::MAX_TRIES.into())]);
    let shown = |house: &House| {
        let page = crate::clearing::read::ticket(house, item(0).ticket(), &None, 0, 9).unwrap();
        let said = not_sent(house);
        said.iter().all(|(record, ..)| page.records.contains(record)) && said.len() == 2
    };
    assert!(keeper.look(move |house| shown(house)).unwrap());
    // It waits for a hand.
    let act = HouseAct::NoticeSent { item: item(0), to: None };
    let vera = actor("vera", "authority", Role::Reviewer).person;
    keeper.look(move |house| house.do_act(&vera, &act)).unwrap().unwrap();
    keeper.close();
    thread.join().unwrap().unwrap();
    let house = House::open(&place(dir.path())).unwrap();
    assert!(shown(&house), "the log makes the same of it");
    house.close().unwrap();
}

#[test]
fn a_relay_in_the_clear_stands_on_loopback_alone() {
    let of = |host: &str, tls: &str, more: &str| {
        let text = format!("host = \"{host}\"\nport = 25\ntls = \"{tls}\"\n{more}");
        Relay::open(&toml::from_str(&text).unwrap()).map(drop)
    };
    assert!(of("127.0.0.1", "none", "").is_ok());
    assert!(of("mail.authority.example", "starttls", "").is_ok());
    for (host, tls, more) in [
        ("mail.authority.example", "none", ""),
        ("198.51.100.7", "none", ""),
        ("127.0.0.1", "none", "user = \"x\"\n"),
        ("127.0.0.1", "none", "password_file = \"x\"\n"),
    ] {
        assert!(of(host, tls, more).is_err(), "{host} {tls} {more}");
    }
}
