//! `vigie erase`: what goes, by what right, and where copies remain.

use std::io::Write;
use std::path::Path;

use desk::backup::{Leaving, Sort};
use desk::erase::{Done, Planned, Reported, Request, What};
use desk::shell::quoted_path;
use model::record::Places;
use serde_json::{Value, json};

use super::open::watched;
use super::{counted, no_exhibit, place, plain, told};
use crate::cli::Erase;
use crate::error::Told;
use crate::progress::bytes;

/// Runs the command.
pub(crate) fn run(home: Option<&Path>, args: &Erase) -> Result<(), Told> {
    let case = &args.case.case;
    if args.report {
        return report(case, args.json);
    }
    let what = what(args)?;
    let mut out = std::io::stdout().lock();
    if args.dry_run {
        let planned =
            super::package::shown("searched", |progress| desk::erase::plan(case, &what, progress))
                .map_err(told(case))?;
        if args.json {
            writeln!(out, "{}", json(&planned))?;
            return Ok(());
        }
        writeln!(out, "Would be erased:")?;
        print(&planned, &what, &mut out)?;
        writeln!(out, "Nothing was erased.")?;
        return Ok(());
    }
    let request = Request {
        what: what.clone(),
        basis: args.basis.clone().unwrap_or_default(),
        reason: args.reason.clone().unwrap_or_default(),
    };
    let place = place(home, case, "vigie erase")?;
    let done = watched(case, |work| desk::erase::erase(&place, &request, work))?;
    let Done { planned, records, rest, opened } = &done;
    if args.json {
        let mut document = json(planned);
        document["records"] = json!([records.start, records.end]);
        document["rest"] = rest.map(|id| id.to_string()).into();
        document["case"] = opened.summary.to_json();
        document["copies_beside"] = beside_json(&leavings(case)?);
        writeln!(out, "{document}")?;
        return Ok(());
    }
    writeln!(out, "Erased under record {}:", records.end.saturating_sub(1))?;
    print(planned, &what, &mut out)?;
    if let Some(rest) = rest {
        writeln!(out, "  what is left is exhibit {rest}: the erased bytes are zeros there")?;
    }
    say!(
        out,
        "Every view was built again: {}, {}. Copies outside the case (backups, packages, whoever \
         copied the folder) hold it still: `vigie erase --report --case {}`.",
        counted(opened.summary.exhibits, "exhibit"),
        counted(opened.summary.facts, "fact"),
        desk::shell::quoted_path(case)
    )?;
    beside(&leavings(case)?, &mut out)?;
    Ok(())
}

fn leavings(case: &Path) -> Result<Vec<Leaving>, Told> {
    desk::backup::leavings(case).map_err(told(case))
}

/// Copies of the case that restores and trials left beside it.
fn beside(leavings: &[Leaving], out: &mut dyn Write) -> std::io::Result<()> {
    for Leaving { path, sort, holder } in leavings {
        let why = match sort {
            Sort::Drill => "a trial of a backup that was cut off; the next one removes it",
            Sort::Restoring => {
                "a restore that was cut off or did not hold; the next one removes it"
            }
            Sort::Before => "the case that a restore replaced",
        };
        let shown = plain(&path.display().to_string());
        writeln!(out, "NOT erased in the copy {shown}: {why}")?;
        match holder {
            Some(holder) => writeln!(out, "  {} is at work on it: wait for it", plain(holder))?,
            None => {
                let remove = plain(&quoted_path(path));
                writeln!(out, "  once nobody needs it: rm -rf {remove}")?;
            }
        }
    }
    Ok(())
}

fn beside_json(leavings: &[Leaving]) -> Value {
    let one = |leaving: &Leaving| {
        let sort = match leaving.sort {
            Sort::Drill => "drill",
            Sort::Restoring => "restoring",
            Sort::Before => "before-restore",
        };
        json!({ "path": leaving.path.display().to_string(), "left_by": sort, "holder": leaving.holder })
    };
    leavings.iter().map(one).collect()
}

fn what(args: &Erase) -> Result<What, Told> {
    if let (Some(record), Some(field)) = (args.record, &args.field) {
        return Ok(What::Field(record, field.clone()));
    }
    if let Some(order) = args.names {
        return Ok(What::Names(order));
    }
    let Some(exhibit) = &args.exhibit else {
        let needed =
            "say what: --exhibit HASH, or --record N --field NAME, or --names N, or --report";
        return Err(Told::Misuse(needed.to_owned()));
    };
    let exhibit = exhibit.parse().map_err(no_exhibit)?;
    Ok(if args.bytes.is_empty() {
        What::Exhibit(exhibit)
    } else {
        What::Bytes(exhibit, args.bytes.clone())
    })
}

/// Most digests, and most openings of the same text, that are named.
const SHOWN: usize = 20;

fn print(planned: &Planned, what: &What, out: &mut dyn Write) -> std::io::Result<()> {
    let Planned { plan, names, bytes: spans, unopened } = planned;
    for (exhibit, name) in plan.exhibits.iter().zip(names) {
        let why = match (&exhibit.in_place, exhibit.carrier) {
            (Some(_), _) => " (its bytes stay on the medium: see below)",
            (None, true) => " (a container of what goes)",
            (None, false) => "",
        };
        let (name, size) = (plain(name), bytes(exhibit.size));
        writeln!(out, "  exhibit of record {}: {name}, {size}{why}", exhibit.record)?;
    }
    if let (Some(part), Some(name)) = (&plan.part, names.last()) {
        let record = part.seals.last().copied().unwrap_or_default();
        for span in spans {
            let (start, end, name) = (span.start, span.end, plain(name));
            writeln!(out, "  bytes {start}..{end} (whole leaves) of record {record}: {name}")?;
        }
    }
    let openings = plan.fields.len() as u64;
    match what {
        What::Field(record, field) => {
            writeln!(out, "  field {} of record {record}", plain(field))?;
        }
        What::Names(order) => {
            let sources = counted(openings, "source");
            let records = Places::of(plan.fields.iter().map(|(record, _)| *record)).of_records();
            writeln!(
                out,
                "  {sources} that name a container erased under record {order}: {records}"
            )?;
        }
        _ => writeln!(out, "  {} of records that name it", counted(openings, "opening"))?,
    }
    if !plan.kept.is_empty() {
        let kept = counted(plan.kept.len() as u64, "other member");
        writeln!(out, "  kept as exhibits of their own: {kept} of these containers")?;
    }
    for (record, problems) in unopened {
        let problems = counted(*problems, "problem");
        writeln!(
            out,
            "note: the container of record {record} has {problems}: what could not be unpacked goes \
             with it"
        )?;
    }
    for medium in plan.media() {
        let medium = plain(&medium.display().to_string());
        writeln!(out, "NOT erased, since it lies outside the case: {medium}")?;
    }
    for (exhibit, start, end) in plan.sums.iter().take(SHOWN) {
        writeln!(
            out,
            "note: exhibit {exhibit}, bytes {start}..{end}, states a digest of it: what is guessable \
             can be guessed by that; erase it too"
        )?;
    }
    if let Some(more) = plan.sums.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        writeln!(out, "note: {} more; --json names all", counted(more as u64, "such digest"))?;
    }
    for exhibit in &plan.unsearched {
        writeln!(
            out,
            "note: exhibit {exhibit} could not be searched for digests of it: its bytes are not at \
             hand"
        )?;
    }
    if !plan.same.is_empty() {
        let places = plan.same.iter().take(SHOWN).map(|(n, field)| format!("{n}/{field}"));
        let more = plan.same.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let places = places.collect::<Vec<_>>().join(", ");
        let said = match what {
            What::Field(..) => "the same text stands in other records, and stays there",
            What::Names(..) => "a name of these stands in other records, and stays there",
            _ => {
                "its name or hash, or a container's name, stands in other records, and stays there (decisions of a \
                 clearing house keep what they rest on)"
            }
        };
        writeln!(out, "note: {said}: {places}{more}")?;
        say!(
            out,
            "      (`vigie erase --record N --field NAME` erases one of these texts; `--report` says how \
             those that say where something came from go at once)"
        )?;
    }
    Ok(())
}

fn json(planned: &Planned) -> Value {
    let Planned { plan, names, bytes, unopened } = planned;
    let exhibits: Vec<_> = plan
        .exhibits
        .iter()
        .zip(names)
        .map(|(e, name)| {
            json!({
                "record": e.record, "name": name, "bytes": e.size, "container_of_it": e.carrier,
                "stays_at": e.in_place.as_ref().map(|path| path.display().to_string()),
            })
        })
        .collect();
    let part = plan.part.as_ref().map(|part| {
        let spans: Vec<_> = bytes.iter().map(|span| json!([span.start, span.end])).collect();
        json!({ "record": part.seals.last(), "name": names.last(), "bytes": spans })
    });
    let sums = plan.sums.iter().map(|(exhibit, start, end)| {
        json!({ "exhibit": exhibit.to_string(), "start": start, "end": end })
    });
    json!({
        "exhibits": exhibits, "part": part, "openings": plan.fields.len(), "leaves": plan.leaves(),
        "kept_members": plan.kept.len(),
        "containers_with_problems": unopened.iter()
            .map(|(record, problems)| json!({ "record": record, "problems": problems }))
            .collect::<Vec<_>>(),
        "digests_elsewhere": sums.collect::<Vec<_>>(),
        "not_searched": plan.unsearched.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "same_text": plan.same.iter().map(|(n, field)| format!("{n}/{field}")).collect::<Vec<_>>(),
    })
}

fn report(case: &Path, json: bool) -> Result<(), Told> {
    let reported = desk::erase::report(case).map_err(told(case))?;
    let left = leavings(case)?;
    let mut out = std::io::stdout().lock();
    if json {
        let list: Vec<_> = reported.iter().map(reported_json).collect();
        let document = json!({ "erasures": list, "copies_beside": beside_json(&left) });
        writeln!(out, "{document}")?;
        return Ok(());
    }
    if reported.is_empty() {
        writeln!(out, "Nothing was erased in this case.")?;
        beside(&left, &mut out)?;
        return Ok(());
    }
    for Reported { order, rest, media, handed_out, telling, backups, named } in &reported {
        let by = order.actor.as_deref().map_or_else(|| "withheld".to_owned(), plain);
        let (record, time, body) = (order.record, &order.time, &order.body);
        writeln!(out, "record {record}, {time}, by {by}")?;
        writeln!(out, "  basis   {}", plain(&body.basis))?;
        if !body.reason.is_empty() {
            writeln!(out, "  reason  {}", plain(&body.reason))?;
        }
        if !body.exhibits.is_empty() {
            writeln!(out, "  erased  the exhibits that {} sealed", body.exhibits.of_records())?;
        }
        if !body.parts.is_empty() {
            let (leaves, parts) = (&body.leaves, body.parts.of_records());
            writeln!(out, "  erased  leaves {leaves} of the exhibit that {parts} sealed")?;
        }
        if let Some(rest) = rest {
            writeln!(out, "  left    exhibit {rest}")?;
        }
        writeln!(out, "  erased  {}", counted(body.fields.count(), "opening"))?;
        for (path, there) in media {
            let path = plain(&path.display().to_string());
            let now = if *there { "something is there now" } else { "nothing is there now" };
            writeln!(out, "  remains on the medium {path} ({now})")?;
        }
        for exhibit in telling {
            writeln!(out, "  a digest of it stands in exhibit {exhibit}")?;
        }
        if !named.is_empty() {
            let (records, case) = (named.of_records(), plain(&quoted_path(case)));
            writeln!(
                out,
                "  the name of a container stands in the source of {records}, which says where these \
                 came from. To erase it there too: vigie erase --case {case} --names {record} --basis … \
                 --reason …"
            )?;
        }
        for backup in backups {
            let (to, time) = (plain(&backup.destination), &backup.time);
            say!(
                out,
                "  remains in the backup {to}, which last ran at {time}: run `vigie backup`"
            )?;
        }
        for package in handed_out {
            let what = if package.bytes { "bytes of it" } else { "what records said of it" };
            let (to, record, time) = (plain(&package.recipient), package.record, &package.time);
            writeln!(
                out,
                "  remains with {to}: {what}, in the package of record {record} ({time})"
            )?;
        }
    }
    if reported.iter().all(|r| r.handed_out.is_empty()) {
        writeln!(out, "The log knows of no package that holds what was erased.")?;
    }
    beside(&left, &mut out)?;
    Ok(())
}

fn reported_json(reported: &Reported) -> Value {
    let Reported { order, rest, media, handed_out, telling, backups, named } = reported;
    let body = &order.body;
    json!({
        "record": order.record, "time": order.time, "actor": order.actor, "basis": body.basis,
        "reason": body.reason, "exhibits": body.exhibits.to_string(), "parts": body.parts.to_string(),
        "leaves": body.leaves.to_string(), "rest": rest.map(|id| id.to_string()),
        "openings": body.fields.count(),
        "digests_elsewhere": telling.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "names_in_source_of": named.to_string(),
        "media": media.iter()
            .map(|(path, there)| json!({ "path": path.display().to_string(), "there": there }))
            .collect::<Vec<_>>(),
        "backups": backups.iter()
            .map(|b| json!({ "destination": b.destination, "last_run": b.time, "record": b.record }))
            .collect::<Vec<_>>(),
        "handed_out": handed_out.iter()
            .map(|p| json!({ "record": p.record, "time": p.time, "for": p.recipient, "bytes": p.bytes }))
            .collect::<Vec<_>>(),
    })
}
