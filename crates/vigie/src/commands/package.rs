//! `vigie package`: what leaves a case, and what comes in from another.

use std::cell::{Cell, RefCell};
use std::io::{BufWriter, Write};
use std::path::Path;

use console::Lang;
use desk::package::{Ask, Checked, Make, Selection};
use serde_json::{Value, json};

use super::log::moment;
use super::open::watched;
use super::times::trust_file;
use super::verify::unwitnessed;
use super::{counted, place, plain, told};
use crate::cli::package as cli;
use crate::error::Told;
use crate::progress::{Progress, bytes};

/// Runs one of them.
pub(crate) fn run(home: Option<&Path>, args: &cli::Package) -> Result<(), Told> {
    match args {
        cli::Package::Make(args) => make(home, args),
        cli::Package::Verify { trust, json, package } => verify(trust.as_deref(), *json, package),
        cli::Package::Import { case, trust, json, package } => {
            import(home, &case.case, trust.as_deref(), *json, package)
        }
    }
}

/// Shows the bytes that are hashed and written.
pub(crate) fn shown<T>(what: &str, work: impl FnOnce(&dyn Fn(u64)) -> T) -> T {
    let (bar, done) = (RefCell::new(Progress::new()), Cell::new(0));
    let out = work(&|n| {
        done.set(done.get() + n);
        bar.borrow_mut().show(what, done.get(), None);
    });
    bar.borrow_mut().clear();
    out
}

fn make(home: Option<&Path>, args: &cli::Make) -> Result<(), Told> {
    let selection = Selection::parse(&args.select, &args.redact).map_err(Told::Misuse)?;
    let lang = Lang::of_tag(&args.lang)
        .ok_or_else(|| Told::Misuse(format!("{:?} is no language: en, fr or it", args.lang)))?;
    let case = args.case.case.as_path();
    let place = place(home, case, "vigie package make")?;
    let words: Vec<String> = (args.select.iter().map(|w| format!("select {w}")))
        .chain(args.redact.iter().map(|w| format!("redact {w}")))
        .collect();
    let words = if args.select.is_empty() { vec!["select all".to_owned()] } else { Vec::new() }
        .into_iter()
        .chain(words)
        .collect::<Vec<_>>()
        .join("; ");
    let wanted = Make {
        ask: Ask {
            recipient: &args.recipient,
            handling: args.handling,
            restriction: args.restriction.as_deref(),
            selection: &selection,
        },
        words: &words,
        out: &args.out,
        encrypt_to: &args.encrypt_to,
    };
    let page = |preview: &desk::package::Preview| console::package_page(preview, lang);
    let made = shown("packed", |progress| desk::package::make(&place, &wanted, &page, progress))
        .map_err(told(case))?;
    let mut out = std::io::stdout().lock();
    if args.json {
        let document = json!({
            "file": args.out.display().to_string(), "record": made.record,
            "manifest": made.manifest, "records": made.records, "whole": made.whole,
            "parts": made.parts, "bytes": made.bytes, "for": args.recipient,
            "handling": args.handling.text(), "encrypted": !args.encrypt_to.is_empty(),
            "notes": made.notes,
        });
        writeln!(out, "{document}")?;
        return Ok(out.flush()?);
    }
    for note in &made.notes {
        say!(out, "note   {}", plain(note))?;
    }
    writeln!(
        out,
        "{}: {} ({}), {} whole and {} in part, for {}, {}.",
        args.out.display(),
        counted(made.records, "record"),
        bytes(made.bytes),
        counted(made.whole, "exhibit"),
        made.parts,
        plain(&args.recipient),
        args.handling.text()
    )?;
    writeln!(out, "Recorded as record {}; its manifest is {}.", made.record, made.manifest)?;
    Ok(out.flush()?)
}

fn document(checked: &Checked, path: &Path) -> Value {
    let findings: Vec<Value> = (checked.findings.iter())
        .map(|f| json!({ "place": f.place, "message": f.message }))
        .collect();
    let witnesses: Vec<Value> = (checked.witnesses.iter())
        .map(|(name, time)| json!({ "name": name, "time": moment(*time) }))
        .collect();
    let time = checked.time.as_ref().map(|(covered, bound)| {
        json!({ "records": covered, "by": super::times::moment(bound.ms),
                "authority": bound.authority, "confirmed": bound.confirmed })
    });
    json!({
        "package": path.display().to_string(), "holds": findings.is_empty(),
        "origin": checked.origin, "record": checked.record,
        "manifest": checked.manifest.map(|m| m.to_string()),
        "for": checked.field("Vigie-Recipient"), "handling": checked.field("Vigie-Handling"),
        "restriction": checked.field("Vigie-Restriction"), "made": checked.field("Vigie-Made"),
        "records": checked.records, "hidden_fields": checked.hidden,
        "whole": checked.whole.len(), "parts": checked.parts.len(), "bytes": checked.bytes,
        "log_size": checked.log_size, "signer_confirmed": checked.signer_confirmed,
        "witnesses": witnesses, "witnesses_confirmed": checked.witnesses_confirmed, "time": time,
        "findings": findings, "notes": checked.notes,
    })
}

fn verify(trust: Option<&Path>, json: bool, path: &Path) -> Result<(), Told> {
    let trusted = trust_file(trust)?;
    let found = shown("checked", |progress| desk::package::check(path, trusted.as_ref(), progress))
        .map_err(told(path))?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    let checked = match found {
        Ok(checked) => checked,
        Err(
            e @ (desk::package::SourceError::Zip(..) | desk::package::SourceError::Shape { .. }),
        ) => {
            let why = std::error::Error::source(&e).map(|s| format!(": {s}")).unwrap_or_default();
            let message = format!("{e}{why}");
            let said = if json {
                let finding = json!({ "place": path.display().to_string(), "message": message });
                writeln!(out, "{}", json!({ "holds": false, "findings": [finding] }))
            } else {
                say!(out, "WRONG  {}", plain(&message)).and_then(|()| {
                    writeln!(out, "It is no package as packages are written, or it was changed.")
                })
            };
            said.and_then(|()| out.flush())?;
            return Err(Told::Finding);
        }
        Err(other) => return Err(Told::failure(&other, None)),
    };
    let said = if json {
        writeln!(out, "{}", document(&checked, path))
    } else {
        lines(&checked, trust.is_some(), path).iter().try_for_each(|l| say!(out, "{l}"))
    };
    said.and_then(|()| out.flush())?;
    if checked.findings.is_empty() { Ok(()) } else { Err(Told::Finding) }
}

/// What was found, in lines; the last ones say what is not proven.
fn lines(checked: &Checked, trusting: bool, path: &Path) -> Vec<String> {
    let mut out: Vec<String> = (checked.findings.iter())
        .map(|f| format!("WRONG  {}: {}", plain(&f.place), plain(&f.message)))
        .collect();
    out.extend(checked.notes.iter().map(|note| format!("note   {}", plain(note))));
    if !checked.findings.is_empty() {
        let n = counted(checked.findings.len() as u64, "finding");
        out.push(format!("{} does not hold: {n}.", path.display()));
        return out;
    }
    out.push(format!(
        "{} of {} holds: {}, {} hidden; {} whole, {} in part ({}).",
        path.display(),
        plain(&checked.origin),
        counted(checked.records, "record"),
        counted(checked.hidden, "field"),
        counted(checked.whole.len() as u64, "exhibit"),
        checked.parts.len(),
        bytes(checked.bytes),
    ));
    let field = |name| plain(checked.field(name).unwrap_or("nobody"));
    let mut whom =
        format!("For {}, handling {}", field("Vigie-Recipient"), field("Vigie-Handling"));
    if let Some(words) = checked.field("Vigie-Restriction") {
        whom.push_str(&format!(": {}", plain(words)));
    }
    out.push(whom + ".");
    out.push(if checked.signer_confirmed {
        "Signed by a key that your trust file names for this log.".to_owned()
    } else if trusting {
        "Signer not confirmed by your trust file.".to_owned()
    } else {
        "Consistent, signer not confirmed: no key of yours was named (--trust FILE).".to_owned()
    });
    for (name, time) in &checked.witnesses {
        let (name, time, size) = (plain(name), moment(*time), checked.log_size);
        out.push(format!("Witnessed by {name} at {time}: the log's first {size} records."));
    }
    if checked.witnesses.is_empty() {
        let unwitnessed = unwitnessed(trusting);
        out.push(format!("{unwitnessed}: the log's operator could have rebuilt it before."));
    } else if !checked.witnesses_confirmed {
        out.push("The witnesses' keys are those that the package itself names.".to_owned());
    }
    out.push(match &checked.time {
        None => "No trusted time.".to_owned(),
        Some((covered, bound)) => format!(
            "Its log's first {covered} records were in it by {} ({}{}).",
            super::times::moment(bound.ms),
            plain(&bound.authority),
            if bound.confirmed { "" } else { ", not confirmed" }
        ),
    });
    out.push(
        "NOT proven: that what the records say is true; when anything happened; what is in what is \
         hidden; that nothing was left out."
            .to_owned(),
    );
    out
}

fn import(
    home: Option<&Path>,
    case: &Path,
    trust: Option<&Path>,
    json: bool,
    path: &Path,
) -> Result<(), Told> {
    let trust = trust_file(trust)?;
    let place = place(home, case, "vigie package import")?;
    let imported = watched(case, |work| desk::package::import(&place, path, trust.as_ref(), work))?;
    let mut out = std::io::stdout().lock();
    if json {
        let mut said = document(&imported.checked, path);
        said["imported"] = json!({
            "record": imported.record, "exhibit": imported.exhibit.to_string(),
            "sealed": imported.opened.sealed,
        });
        writeln!(out, "{said}")?;
        return Ok(out.flush()?);
    }
    for line in lines(&imported.checked, trust.is_some(), path) {
        say!(out, "{line}")?;
    }
    let how = match imported.record {
        Some(record) => format!("record {record}"),
        None => "the log had it already".to_owned(),
    };
    let sealed = counted(imported.opened.sealed, "new exhibit");
    writeln!(out, "Taken in as exhibit {} ({how}), {sealed}.", imported.exhibit)?;
    Ok(out.flush()?)
}
