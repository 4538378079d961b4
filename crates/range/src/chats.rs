//! Chats off seized telephones: Telegram Desktop's exports and WhatsApp's.

use std::fmt::Write as _;

use model::{ExhibitId, Key, Sha256Hex};
use serde_json::{Value, json};

use crate::Error;
use crate::calendar;
use crate::checks;
use crate::out::Out;
use crate::people::Face;
use crate::rng::Rng;
use crate::truth::Truth;
use crate::words;
use crate::world::World;

/// Somebody who writes: a person by one of their faces.
#[derive(Clone, Copy)]
struct Writer<'w> {
    person: usize,
    face: &'w Face,
}

/// What a message says: its text in pieces, a link apart, and what it names.
struct Said {
    before: String,
    link: Option<String>,
    after: String,
    names: Vec<String>,
}

fn plain(text: &str) -> Said {
    Said { before: text.to_owned(), link: None, after: String::new(), names: Vec::new() }
}

const SMALL_TALK: &[&str] = &[
    "ok",
    "who is online?",
    "the new list is up",
    "customers complain about freezing again",
    "renewals are slow this month",
    "ça marche maintenant, merci",
    "wait five minutes",
    "credits please",
    "the match starts at nine, be ready",
    "perfetto, grazie mille",
    "EPG is empty for the Spanish ones",
    "I will pay on Friday",
    "alles läuft wieder",
];

/// One message of a writer.
fn say(world: &World, rng: &mut Rng, writer: Writer<'_>, telegram: bool) -> Said {
    let person = &world.people[writer.person];
    let other = rng.pick(&world.people);
    let named = |before: &str, text: String, after: &str, key: String| Said {
        before: format!("{before}{text}{after}"),
        link: None,
        after: String::new(),
        names: vec![key],
    };
    match rng.below(24) {
        0 => {
            let host = format!("shop-{}.example", writer.face.handle.replace('_', "-"));
            let names = vec![format!("domain:{host}")];
            let link = Some(format!("https://{host}/"));
            Said {
                before: "new site: ".to_owned(),
                link,
                after: " tell everybody".to_owned(),
                names,
            }
        }
        1 => match person.wallets.first() {
            Some(w) => named("send it to ", w.address.clone(), " please", wallet_key(w)),
            None => plain("same wallet as last time"),
        },
        2 => {
            let digits = &writer.face.phone;
            named("call me: ", words::phone_written(digits), "", format!("phone:+{digits}"))
        }
        3 if telegram => {
            let handle = &other.faces[0].handle;
            let key = Key::messaging("telegram", &format!("@{handle}"));
            named("ask ", format!("@{handle}"), " about that", key.to_string())
        }
        4 => {
            let mail = writer.face.mail.clone();
            let key = format!("email:{mail}");
            named("paypal goes to ", mail, " as friends", key)
        }
        5 if !world.accounts.banks.is_empty() => {
            let bank = rng.pick(&world.accounts.banks);
            named("bank: ", checks::grouped(&bank.iban), ", name on the card", bank.key())
        }
        6 => {
            let panel = rng.pick(&world.panels);
            let server = rng.pick(&panel.servers);
            if server.ip.is_ipv4() {
                named("down again: ", server.ip.to_string(), "", format!("ip:{}", server.ip))
            } else {
                plain("the last one is down again")
            }
        }
        7 => {
            let panel = rng.pick(&world.panels);
            let host = format!("my.{}", panel.domain);
            named("log in at http://", host.clone(), "/ now", format!("domain:{host}"))
        }
        _ => plain(SMALL_TALK[rng.index(SMALL_TALK.len())]),
    }
}

fn wallet_key(wallet: &checks::Wallet) -> String {
    format!("wallet:{}:{}", wallet.chain, wallet.address)
}

/// Members of chat `i`: some people, leaders among them.
fn members<'w>(world: &'w World, rng: &mut Rng, count: usize) -> Vec<Writer<'w>> {
    let mut members: Vec<Writer<'w>> = Vec::new();
    for k in 0..count {
        let person = if k == 0 { rng.index(3) } else { rng.index(world.people.len()) };
        if members.iter().any(|m| m.person == person) {
            continue;
        }
        let face = rng.pick(&world.people[person].faces);
        members.push(Writer { person, face });
    }
    members
}

fn telegram_key(face: &Face) -> String {
    format!("messaging:telegram:user{}", face.telegram)
}

/// The date that message `i` of `n` was written.
fn written(i: u64, n: u64) -> i64 {
    let end = calendar::at(2026, 3, 20);
    end - 400 * 86_400 + (i as i64 * 400 * 86_400) / n.max(1) as i64 + (i as i64 % 7) * 60
}

fn telegram_message(
    world: &World,
    rng: &mut Rng,
    writer: Writer<'_>,
    (i, n): (u64, u64),
    group: Option<&str>,
    truth: &mut Truth,
) -> Value {
    let key = telegram_key(writer.face);
    truth.entity(&key);
    if let Some(group) = group {
        truth.link("member_of", &key, group);
    }
    let said = say(world, rng, writer, true);
    for name in &said.names {
        truth.link("mentions", &key, name);
    }
    let time = written(i, n);
    let text: Value = match &said.link {
        Some(link) => json!([said.before, {"type": "link", "text": link}, said.after]),
        None => said.before.clone().into(),
    };
    let entities = match &said.link {
        Some(link) => json!([
            {"type": "plain", "text": said.before}, {"type": "link", "text": link},
            {"type": "plain", "text": said.after}
        ]),
        None => json!([{"type": "plain", "text": said.before}]),
    };
    json!({
        "id": 100 + i, "type": "message", "date": calendar::iso(time),
        "date_unixtime": time.to_string(), "from": writer.face.name,
        "from_id": format!("user{}", writer.face.telegram), "text": text, "text_entities": entities,
    })
}

/// A group as one chat's export.
fn telegram_group(world: &World, rng: &mut Rng, i: u64, n: u64, truth: &mut Truth) -> Value {
    let id = 1_500_000_000 + i * 7919 + rng.below(7919);
    let group = format!("group:telegram:{id}");
    truth.entity(&group);
    let members = members(world, rng, 4 + (n / 40).min(30) as usize);
    let name = format!("{} resellers {}", rng.pick(words::BRANDS), i + 1);
    let owner = members[0];
    let start = written(0, n) - 3600;
    let mut messages = vec![json!({
        "id": 1, "type": "service", "date": calendar::iso(start), "date_unixtime": start.to_string(),
        "actor": owner.face.name, "actor_id": format!("user{}", owner.face.telegram),
        "action": "create_group", "title": name, "members": [owner.face.name], "text": "",
        "text_entities": [],
    })];
    for k in 0..n {
        // Everybody writes at least once; the first wrote the group's beginning.
        let writer = match members.get(k as usize) {
            Some(first) => *first,
            None => *rng.pick(&members),
        };
        messages.push(telegram_message(world, rng, writer, (k, n), Some(&group), truth));
    }
    json!({"name": name, "type": "private_supergroup", "id": id, "messages": messages})
}

/// A chat of two, off the first one's telephone.
fn telegram_private(world: &World, rng: &mut Rng, n: u64, truth: &mut Truth) -> Value {
    let members = members(world, rng, 12);
    let (own, other) = (members[0], members[1]);
    truth.entity(&telegram_key(other.face));
    let messages: Vec<Value> = (0..n)
        .map(|k| {
            let writer = if k % 2 == 0 { own } else { other };
            telegram_message(world, rng, writer, (k, n), None, truth)
        })
        .collect();
    json!({
        "name": other.face.name, "type": "personal_chat", "id": other.face.telegram,
        "messages": messages,
    })
}

/// A WhatsApp group's text: Android's form, or iOS's.
fn whatsapp(world: &World, rng: &mut Rng, i: u64, n: u64, truth: &mut Truth) -> (String, String) {
    let ios = i % 2 == 1;
    let name = format!("TV {} {}", rng.pick(words::BRANDS), i + 1);
    let group = Key::new("group", &format!("whatsapp:{}", name.to_lowercase())).to_string();
    let members = members(world, rng, 5 + (n / 60).min(12) as usize);
    let head = |time: i64| {
        let (y, m, d, h, min, s) = calendar::civil(time);
        if ios {
            format!("[{d:02}/{m:02}/{y}, {h:02}:{min:02}:{s:02}] ")
        } else {
            format!("{d:02}/{m:02}/{y}, {h:02}:{min:02} - ")
        }
    };
    // The exporter's telephone knows some by name, others by number alone.
    let shown = |k: usize, writer: &Writer<'_>| {
        if k % 2 == 1 { words::phone_written(&writer.face.phone) } else { writer.face.name.clone() }
    };
    let mut text = String::new();
    // Who wrote, by place, and what they named: an account known by name alone is its file's own,
    // whose id is known when it is written.
    let mut wrote: Vec<(usize, Vec<String>)> = Vec::new();
    truth.entity(&group);
    if !ios {
        let start = head(written(0, n) - 600);
        let _ = writeln!(
            text,
            "{start}Messages and calls are end-to-end encrypted. No one outside of this chat, not even WhatsApp, can read or listen to them. Tap to learn more.\n{start}{} created group \"{name}\"",
            shown(0, &members[0]),
        );
    }
    for k in 0..n.max(members.len() as u64) {
        let place =
            if (k as usize) < members.len() { k as usize } else { rng.index(members.len()) };
        let writer = members[place];
        let said = if k % 19 == 18 {
            Said { before: "<Media omitted>".to_owned(), ..plain("") }
        } else {
            say(world, rng, writer, false)
        };
        wrote.push((place, said.names));
        let mut body = said.before.clone();
        if let Some(link) = &said.link {
            body.push_str(link);
        }
        body.push_str(&said.after);
        if k % 13 == 7 {
            body.push_str("\nand a second line");
        }
        let _ = writeln!(text, "{}{}: {body}", head(written(k, n)), shown(place, &writer));
    }
    let exhibit = ExhibitId(Sha256Hex::of(text.as_bytes()).0);
    for (place, names) in wrote {
        let face = members[place].face;
        let from = if place % 2 == 1 {
            format!("messaging:whatsapp:+{}", face.phone)
        } else {
            Key::whatsapp_name(exhibit, &face.name).to_string()
        };
        truth.link("member_of", &from, &group);
        for named in &names {
            truth.link("mentions", &from, named);
        }
    }
    (name, text)
}

/// Writes all chats.
pub(crate) fn write(world: &World, truth: &mut Truth, out: &mut Out<'_>) -> Result<(), Error> {
    let groups = world.plan.groups.max(2);
    let each = (world.plan.messages / groups).max(12);
    let base = Rng::named(world.seed, "chats");
    let pretty = |value: &Value| {
        // Telegram Desktop indents by one blank.
        let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    };
    for i in 0..groups {
        let mut rng = base.item(i);
        if i % 3 == 1 {
            let (name, text) = whatsapp(world, &mut rng, i / 3, each, truth);
            let path = format!("material/phones/phone-{:02}/WhatsApp Chat with {name}.txt", i + 1);
            out.write(&path, text.as_bytes())?;
        } else {
            let chat = telegram_group(world, &mut rng, i, each, truth);
            let path =
                format!("material/phones/phone-{:02}/ChatExport_2026-03-20/result.json", i + 1);
            out.write(&path, &pretty(&chat))?;
        }
    }
    // A whole account's export: a list of chats.
    let mut rng = base.item(groups + 1);
    let few = each.min(60);
    let private = telegram_private(world, &mut rng, few, truth);
    let group = telegram_group(world, &mut rng, groups + 1, few, truth);
    let export = json!({
        "about": "Here is the data you requested.",
        "chats": {"about": "This page lists all chats from this export.", "list": [private, group]},
    });
    out.write("material/phones/laptop/DataExport_2026-03-21/result.json", &pretty(&export))
}
