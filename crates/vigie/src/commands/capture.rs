//! `vigie authorise` and `vigie capture`.

use std::io::Write;
use std::path::Path;

use desk::capture::{Act, Ask, Bounds, Came, Done, Granted, Item, Step};
use serde_json::{Value, json};

use super::open::watched;
use super::{counted, home_dir, place, plain, told};
use crate::cli::{Authorise, Capture, Grant, OfAuthorisation};
use crate::error::Told;
use crate::progress::bytes;

/// Grants, lists, ends.
pub(crate) fn authorise(home: Option<&Path>, args: &Authorise) -> Result<(), Told> {
    match (&args.other, &args.grant) {
        (Some(OfAuthorisation::List { case, json }), _) => list(home, &case.case, *json),
        (Some(OfAuthorisation::End { case, record, reason }), _) => {
            end(home, &case.case, *record, reason)
        }
        (Some(OfAuthorisation::Probe), _) => {
            let place = place(home, Path::new("."), "vigie authorise probe")?;
            let key = desk::capture::probe_key(&place).map_err(told(&place.case))?;
            // The key alone on stdout: it is handed to whoever grants.
            writeln!(std::io::stdout(), "{key}")?;
            Ok(())
        }
        (None, Some(grant)) => granted(home, &args.case.case, grant),
        // Clap asks for what is missing.
        (None, None) => {
            let what = "say what is authorised: `vigie authorise --help`".to_owned();
            Err(Told::Misuse(what))
        }
    }
}

fn granted(home: Option<&Path>, case: &Path, args: &Grant) -> Result<(), Told> {
    let place = place(home, case, "vigie authorise")?;
    let probe = match &args.probe {
        Some(probe) => probe.clone(),
        None => desk::capture::probe_key(&place).map_err(told(case))?,
    };
    let act = Act::Grant(Box::new(desk::capture::Grant {
        basis: args.basis.clone(),
        hosts: args.hosts.clone(),
        methods: args.methods.clone(),
        rate: args.rate,
        from: args.from.clone(),
        until: args.until.clone(),
        most_bytes: args.bytes,
        signer: args.signer.clone(),
        probe,
    }));
    let records = watched(case, |work| desk::capture::authorise(&place, &act, work))?;
    let record = records.end.saturating_sub(1);
    let all = desk::capture::list(case, &place.home).map_err(told(case))?;
    let Some(granted) = all.iter().find(|g| g.record == record) else { return Ok(()) };
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", granted.to_json(now()))?;
        return Ok(out.flush()?);
    }
    print(granted, &mut out)?;
    let quoted = desk::shell::quoted_path(case);
    say!(out, "Next: `vigie capture --case {quoted} --authorisation {record} ITEM`")?;
    Ok(out.flush()?)
}

fn end(home: Option<&Path>, case: &Path, record: u64, reason: &str) -> Result<(), Told> {
    let place = place(home, case, "vigie authorise end")?;
    let act = Act::End { granted: record, reason: reason.to_owned() };
    let records = watched(case, |work| desk::capture::authorise(&place, &act, work))?;
    super::custody::said(records, &format!("authorisation {record} holds no longer"))
}

fn list(home: Option<&Path>, case: &Path, as_json: bool) -> Result<(), Told> {
    let all = desk::capture::list(case, &home_dir(home)?).map_err(told(case))?;
    let mut out = std::io::stdout().lock();
    for granted in &all {
        if as_json {
            writeln!(out, "{}", granted.to_json(now()))?;
        } else {
            print(granted, &mut out)?;
        }
    }
    if all.is_empty() && !as_json {
        say!(out, "Nothing is authorised: `vigie authorise` grants.")?;
    }
    Ok(out.flush()?)
}

fn print(granted: &Granted, out: &mut dyn Write) -> std::io::Result<()> {
    let body = &granted.body;
    writeln!(
        out,
        "authorisation {}  {}  {} to {}",
        granted.record,
        granted.state(now()),
        body.from,
        body.until
    )?;
    writeln!(out, "    {}; signed by {}", plain(&body.basis), plain(&body.signer))?;
    writeln!(out, "    {}", body.hosts.iter().map(|h| plain(h)).collect::<Vec<_>>().join(" "))?;
    let most = bytes(body.most_bytes);
    writeln!(
        out,
        "    {}; {} a minute to one host; {most} a capture",
        body.methods.join(" "),
        body.rate
    )?;
    writeln!(out, "    {}", body.probe)?;
    let captures = counted(granted.captures, "capture");
    let refused = counted(granted.refused + granted.waiting, "refusal");
    writeln!(out, "    {captures}, {refused}")
}

/// Milliseconds since 1970 in UTC.
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}

/// Captures.
pub(crate) fn capture(home: Option<&Path>, args: &Capture) -> Result<(), Told> {
    let case = &args.case.case;
    let item = |text: &String| {
        text.parse::<Item>().map_err(|e| Told::Misuse(format!("{:?}: {e}", plain(text))))
    };
    let items = args.items.iter().map(item).collect::<Result<Vec<_>, _>>()?;
    let resolver = match args.resolver {
        Some(resolver) => resolver,
        None => desk::capture::resolver().map_err(told(case))?,
    };
    let place = place(home, case, "vigie capture")?;
    let total = std::time::Duration::from_secs(args.time);
    let bounds = Bounds { total, ..Bounds::default() };
    let ask = Ask { granted: args.authorisation, items: &items, resolver, bounds };
    let mut refused = Vec::new();
    watched(case, |work| {
        let mut out = std::io::stdout().lock();
        desk::capture::capture(&place, &ask, work, &mut progress, &mut |done| {
            if done.came == Came::Refused {
                refused.push(done.capture.item.clone());
            }
            let said = if args.json {
                writeln!(out, "{}", document(done))
            } else {
                told_of(done, &mut out)
            };
            said.and_then(|()| out.flush()).map_err(desk::Error::Output)
        })
    })?;
    match refused.as_slice() {
        [] => Ok(()),
        [first, ..] => Err(Told::Failure {
            what: format!(
                "{} outside the authorisation {}, the first being {}; refusals are counted",
                counted(refused.len() as u64, "item"),
                args.authorisation,
                plain(first)
            ),
            next: Some(
                "`vigie authorise list` shows what it allows; `vigie authorise` grants another."
                    .to_owned(),
            ),
        }),
    }
}

/// Says on stderr what goes on.
#[allow(clippy::print_stderr)]
fn progress(item: &Item, step: Option<&Step>) {
    match step {
        None => eprintln!("vigie: capturing {}", plain(&item.to_string())),
        Some(step) => eprintln!("vigie:   {}", plain(&line(step))),
    }
}

fn line(step: &Step) -> String {
    match step {
        Step::Looked { name, ask, code, addresses, problem, .. } => {
            let found: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            let code = code.clone().or_else(|| problem.clone()).unwrap_or_default();
            format!("{name} {}: {code} {}", ask.word(), found.join(" "))
        }
        Step::Asked { uri, address, status, bytes: n, end, tls, .. } => {
            let status = status.map_or("no answer".to_owned(), |s| s.to_string());
            let tls = tls
                .as_ref()
                .map_or(String::new(), |t| format!(", certificate {}", t.validity.word()));
            format!("{uri} at {address}: {status}, {} ({}){tls}", bytes(*n), end.word())
        }
        Step::Refused { uri, refusal, .. } => format!("{uri}: not asked: {refusal}"),
        Step::Stopped { bound, .. } => format!("stopped at its bound on {bound}"),
    }
}

fn told_of(done: &Done, out: &mut dyn Write) -> std::io::Result<()> {
    let capture = &done.capture;
    let refusals: u64 = capture.refused.values().sum();
    let refusals = match refusals {
        0 => String::new(),
        n => format!("; {} refused", counted(n, "request")),
    };
    let item = plain(&capture.item);
    let words = capture.outcome().words();
    match done.came {
        Came::Recorded { record, exhibit } => {
            writeln!(out, "{item}: {words} (record {record}){refusals}")?;
            writeln!(out, "    {exhibit}")
        }
        Came::Unchanged { since, .. } => {
            writeln!(out, "{item}: {words}, unchanged since record {since}{refusals}")
        }
        Came::Refused => {
            let why: Vec<String> = capture.refused.keys().map(ToString::to_string).collect();
            writeln!(out, "{item}: refused: {}", why.join("; "))
        }
    }
}

fn document(done: &Done) -> Value {
    let mut document = done.capture.to_json();
    let refused: serde_json::Map<String, Value> =
        done.capture.refused.iter().map(|(r, n)| (r.word().to_owned(), (*n).into())).collect();
    document["refused"] = refused.into();
    document["requests"] = done.capture.requests().into();
    document["media_bytes"] = done.capture.media_bytes().into();
    document["content"] = done.capture.content().to_string().into();
    let (came, more) = match done.came {
        Came::Recorded { record, exhibit } => {
            ("recorded", json!({"record": record, "exhibit": exhibit.to_string()}))
        }
        Came::Unchanged { since, exhibit } => {
            ("unchanged", json!({"record": since, "exhibit": exhibit.to_string()}))
        }
        Came::Refused => ("refused", json!({"record": null, "exhibit": null})),
    };
    document["came"] = came.into();
    document["record"] = more["record"].clone();
    document["exhibit"] = more["exhibit"].clone();
    document
}
