//! `vigie custody show`.

use std::io::Write;
use std::path::Path;

use desk::custody::{Custody, Held};
use desk::read::Reader;
use model::custody::{Asked, Fault, Proof, Stint};
use serde_json::json;

use super::super::{counted, plain, told};
use crate::error::Told;

/// Shows one item, or all; [`Told::Finding`] where something is wrong with a chain.
pub(super) fn run(
    case: &Path,
    item: Option<&str>,
    at: Option<&str>,
    as_json: bool,
) -> Result<(), Told> {
    let snapshot = Reader::open(case).and_then(|r| r.snapshot()).map_err(told(case))?;
    let custody = snapshot.custody().map_err(told(case))?;
    let at = match at {
        None => None,
        Some(text) => Some(Asked::read(text).ok_or_else(|| {
            Told::Misuse(format!(
                "{text:?} is no time: write it as 2026-11-12T10:00, or with its zone"
            ))
        })?),
    };
    let all = match item {
        None => custody.all(),
        Some(name) => vec![custody.held(name).ok_or_else(|| Told::Failure {
            what: format!("no item {} is in custody", plain(name)),
            next: Some("`vigie custody show` lists all".to_owned()),
        })?],
    };
    let mut out = std::io::stdout().lock();
    let mut wrong = 0;
    for held in &all {
        wrong += held.chain.faults.len();
        if as_json {
            let mut line = held.to_json();
            if let Some(at) = &at {
                let had: Vec<_> = held.chain.at(at).iter().map(|stint| stint_json(stint)).collect();
                line["at"] = had.into();
            }
            writeln!(out, "{line}")?;
        } else if let Some(at) = &at {
            answer(&custody, held, at, &mut out)?;
        } else {
            chain(&custody, held, item.is_some(), &mut out)?;
        }
    }
    if !as_json && item.is_none() {
        if all.is_empty() {
            say!(out, "No item is in custody: `vigie custody register` takes one.")?;
        }
        let uncovered = snapshot.uncovered(&custody).map_err(told(case))?;
        if uncovered > 0 {
            let exhibits = counted(uncovered, "exhibit");
            say!(out, "{exhibits} came in and belong to no item: `vigie custody imaged`.")?;
        }
    }
    out.flush()?;
    if wrong > 0 && at.is_none() { Err(Told::Finding) } else { Ok(()) }
}

fn stint_json(stint: &Stint) -> serde_json::Value {
    json!({
        "holder": stint.holder, "place": stint.place, "seal": stint.seal, "record": stint.record,
        "since": stint.since.to_string(), "until": stint.until.map(|until| until.to_string()),
        "in_doubt": stint.lost,
    })
}

/// A person, with the name where the case knows it.
fn person(custody: &Custody, short: &str) -> String {
    let enrolled = custody.book.enrolled();
    let name = enrolled.get(short).map(|p| p.body.name.as_str()).filter(|name| !name.is_empty());
    name.map_or_else(|| plain(short), |name| format!("{} ({})", plain(name), plain(short)))
}

fn held_at(custody: &Custody, stint: &Stint) -> String {
    let seal = stint.seal.as_ref().map(|seal| format!(", seal {}", plain(seal)));
    let (who, place) = (person(custody, &stint.holder), plain(&stint.place));
    format!("{who}, {place}{}", seal.unwrap_or_default())
}

fn answer(
    custody: &Custody,
    held: &Held<'_>,
    at: &Asked,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let had = held.chain.at(at);
    let name = plain(held.name);
    if had.is_empty() {
        return writeln!(out, "{name}: nobody, by the records: it was not in custody then");
    }
    for stint in &had {
        writeln!(out, "{name}: {}", held_at(custody, stint))?;
        let until = stint.until.map_or("now".to_owned(), |until| until.to_string());
        writeln!(out, "    from {} until {until} (record {})", stint.since, stint.record)?;
        if stint.lost {
            writeln!(out, "    in doubt: the next hand-over came from somebody else")?;
        }
    }
    if had.len() > 1 {
        say!(out, "    the records contradict one another: `vigie custody show {name}`")?;
    }
    Ok(())
}

fn chain(
    custody: &Custody,
    held: &Held<'_>,
    whole: bool,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let chain = &held.chain;
    let what = held.description().map(|text| format!("  {}", plain(text)));
    writeln!(out, "{}{}", plain(held.name), what.unwrap_or_default())?;
    if !whole {
        for stint in chain.now() {
            writeln!(out, "    {}, since {}", held_at(custody, stint), stint.since)?;
        }
    } else {
        for step in &chain.steps {
            let at = step.at.unwrap_or(step.recorded);
            let from = step
                .from
                .as_ref()
                .map_or("registered".to_owned(), |from| format!("from {}", person(custody, from)));
            let to = person(custody, &step.to);
            let seal = step.seal_after.as_ref().map(|seal| format!(", seal {}", plain(seal)));
            let place = plain(&step.place);
            writeln!(
                out,
                "    {at}  {from} to {to}, {place}{}  (record {})",
                seal.unwrap_or_default(),
                step.record
            )?;
        }
        for (id, record) in held.item.into_iter().flat_map(|item| &item.imaged) {
            writeln!(out, "    imaged: {id}  (record {record})")?;
        }
    }
    for (record, fault) in &chain.faults {
        writeln!(out, "    WRONG  record {record}: {}", fault_text(fault))?;
    }
    Ok(())
}

/// What is wrong, in words.
pub(super) fn fault_text(fault: &Fault) -> String {
    let by = |held_by: &[String]| match held_by {
        [] => "nobody".to_owned(),
        some => some.iter().map(|who| plain(who)).collect::<Vec<_>>().join(" and "),
    };
    let seal = |seal: &Option<String>| {
        seal.as_ref().map_or("none".to_owned(), |seal| format!("{:?}", plain(seal)))
    };
    match fault {
        Fault::Gap { held_by, from } => {
            format!("a gap: {} had it, and it came from {}", by(held_by), plain(from))
        }
        Fault::Overlap { held_by, from } => format!(
            "two hold it at once: {} had it, and it came from {} again",
            by(held_by),
            plain(from)
        ),
        Fault::Early { received } => {
            format!("handed on before it was received, which was at {received}")
        }
        Fault::Undated => "it has no time with its zone".to_owned(),
        Fault::Seal { was, is } => {
            format!("the seal was {}, is {}, and no reason is given", seal(was), seal(is))
        }
        Fault::Unproved { side, proof } => {
            let what = match proof {
                Proof::Waiting => "has not acknowledged it yet",
                Proof::Missing => "has not signed it",
                Proof::Withheld => "signed what is withheld in part: it cannot be checked",
                _ => "signed or read back what does not fit the record",
            };
            let side = if *side == model::custody::Side::From { "who gave" } else { "who took" };
            format!("{side} it {what}")
        }
    }
}
