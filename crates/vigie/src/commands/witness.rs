//! `vigie witness`.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use desk::Which;
use desk::shell::{here, quoted_path};
use desk::witness::{Named, Outcome};
use ledger::Trust;
use ledger::witness::{Shown, WitnessHome};
use serde_json::{Value, json};

use super::log::moment;
use super::verify::policy_text;
use super::{home_dir, plain, read_text, told};
use crate::cli::witness::{Serve, WhichLog, Witness};
use crate::error::Told;

/// Runs one of the words; [`Told::Finding`] where a witness contradicts this copy.
pub(crate) fn run(home: Option<&Path>, args: &Witness) -> Result<(), Told> {
    let home = home_dir(home)?;
    let mut out = std::io::stdout();
    match args {
        Witness::Init { name } => {
            let key = desk::witness::init(&home, name).map_err(told(&home))?;
            writeln!(out, "{}", key.text())?;
            Ok(())
        }
        Witness::Serve(args) => serve(&home, args),
        Witness::Add { url, key } => {
            let named = desk::witness::name(&home, key, url).map_err(told(&home))?;
            let (name, url) = (plain(named.key.name()), plain(&named.url));
            say!(out, "{name} is asked at {url}: `vigie witness ask` asks it now.")?;
            Ok(())
        }
        Witness::Drop { name } => {
            let named = desk::witness::drop(&home, name).map_err(told(&home))?;
            writeln!(out, "{} is asked no more.", plain(named.key.name()))?;
            Ok(())
        }
        Witness::Require { quorum } => {
            let changed = desk::witness::require(&home, *quorum).map_err(told(&home))?;
            let so = if changed { "" } else { " It was so already; nothing was recorded." };
            match quorum {
                0 => writeln!(out, "No number of witnesses is required.{so}")?,
                1 => writeln!(out, "1 witness is required to cosign a checkpoint.{so}")?,
                n => writeln!(out, "{n} witnesses are required to cosign a checkpoint.{so}")?,
            }
            Ok(())
        }
        Witness::List(args) => list(&home, args),
        Witness::Ask(args) => each(&home, args, None, "cosigned", desk::witness::ask),
        Witness::Compare { which, evidence } => {
            each(&home, which, evidence.as_deref(), "answered", desk::witness::compare)
        }
    }
}

/// The logs meant: the authority's own first, in which the births of its cases stand.
fn logs<'a>(home: &'a Path, args: &'a WhichLog) -> Vec<(&'static str, Which<'a>, PathBuf)> {
    let authority = ("authority", Which::Authority { home, name: None }, home.to_owned());
    if args.authority {
        return vec![authority];
    }
    let case = args.case.case.as_path();
    vec![authority, ("case", Which::Case(case), case.to_owned())]
}

fn list(home: &Path, args: &WhichLog) -> Result<(), Told> {
    let named = desk::witness::list(home, None).map_err(told(home))?;
    let mut standings = Vec::new();
    for (log, which, place) in logs(home, args) {
        match desk::witness::standing(home, which) {
            Ok(standing) => standings.push((log, which, standing)),
            // Who lists witnesses before the first case has none to show.
            Err(desk::Error::NoCase(_)) => {}
            Err(e) => return Err(told(&place)(e)),
        }
    }
    let mut out = std::io::stdout().lock();
    if named.is_empty() && !args.json {
        say!(out, "No witness is named: `vigie witness add` names one.")?;
    }
    for named in &named {
        let name = named.key.name();
        let of = |(log, _, standing): &(&'static str, Which<'_>, desk::witness::Standing)| {
            let by = standing.by.iter().find(|(by, ..)| by == name);
            (*log, by.map(|(_, size, time)| (*size, *time)))
        };
        let told: Vec<_> = standings.iter().map(of).collect();
        if args.json {
            let cosigned: serde_json::Map<String, Value> = told
                .iter()
                .map(|(log, by)| {
                    let by = by.map(|(size, time)| json!({"size": size, "time": moment(time)}));
                    ((*log).to_owned(), by.unwrap_or(Value::Null))
                })
                .collect();
            let contradicted: serde_json::Map<String, Value> = (standings.iter())
                .map(|(log, _, standing)| ((*log).to_owned(), json!(standing.contradicted)))
                .collect();
            let document = json!({
                "name": name, "key": named.key.text(), "url": named.url, "cosigned": cosigned,
                "contradicted": contradicted,
            });
            writeln!(out, "{document}")?;
            continue;
        }
        writeln!(out, "{} at {}", plain(name), plain(&named.url))?;
        for (log, by) in told {
            match by {
                Some((size, time)) => {
                    writeln!(out, "  {log}: {size} records cosigned at {}", moment(time))?;
                }
                None => writeln!(out, "  {log}: nothing cosigned yet")?,
            }
        }
    }
    if !args.json {
        for (log, which, standing) in &standings {
            let which = match which {
                Which::Case(dir) => format!("--case {}", quoted_path(dir)),
                Which::Authority { .. } => "--authority".to_owned(),
            };
            if let Some(p) = standing.required() {
                writeln!(out, "{log}: {}", policy_text(p, standing.records))?;
            }
            for (name, what) in &standing.unfit {
                writeln!(out, "{log}: {}: {}", plain(name), plain(what))?;
            }
            for size in &standing.contradicted {
                say!(
                    out,
                    "{log}: CONTRADICTED: a witness keeps a checkpoint of {size} records that this copy \
                     does not go through; `vigie witness compare --evidence FILE {which}` shows it"
                )?;
            }
        }
    }
    Ok(out.flush()?)
}

type Asked = desk::Result<Vec<(Named, Outcome)>>;

fn each(
    home: &Path,
    args: &WhichLog,
    evidence: Option<&Path>,
    wanted: &str,
    ask: impl Fn(&Path, Which<'_>) -> Asked,
) -> Result<(), Told> {
    let mut out = std::io::stdout().lock();
    let (mut none, mut found, mut silent) = (true, false, Vec::new());
    for (log, which, place) in logs(home, args) {
        let outcomes = ask(home, which).map_err(told(&place))?;
        let said = |(_, outcome): &&(Named, Outcome)| {
            !matches!(outcome, Outcome::NoAnswer(_) | Outcome::Refused(_))
        };
        let standing = desk::witness::standing(home, which).map_err(told(&place))?;
        let (of, n) = (outcomes.len(), outcomes.iter().filter(said).count());
        if of > 0 && (n as u64) < standing.quorum.max(1) {
            silent.push(format!("{log}: {n} of {of}"));
        }
        for (named, outcome) in outcomes {
            none = false;
            if let Outcome::Contradicts(split) = &outcome {
                found = true;
                if let Some(path) = evidence {
                    let text = split.to_string();
                    ledger::disk::write(path, text.as_bytes())
                        .map_err(|e| Told::failure(&e, None))?;
                }
            }
            let name = named.key.name();
            if args.json {
                let (word, text) = words(&outcome);
                let document = json!({"log": log, "witness": name, "outcome": word, "told": text});
                writeln!(out, "{document}")?;
            } else {
                writeln!(out, "{log}: {}: {}", plain(name), plain(&words(&outcome).1))?;
            }
        }
        if let Some(p) = standing.required()
            && !args.json
        {
            writeln!(out, "{log}: {}", policy_text(p, standing.records))?;
        }
    }
    if none && !args.json {
        let unwitnessed = "unwitnessed: its operator could have rebuilt it";
        say!(out, "No witness is named ({unwitnessed}): `vigie witness add` names one.")?;
    }
    out.flush()?;
    if found {
        return Err(Told::Finding);
    }
    if silent.is_empty() {
        return Ok(());
    }
    Err(Told::Failure {
        what: format!("too few witnesses {wanted} ({})", silent.join("; ")),
        next: Some("try again, or see with whoever runs them why".to_owned()),
    })
}

/// How often `vigie serve` asks witnesses.
const EACH: Duration = Duration::from_secs(3600);

/// Asks every witness each hour, for as long as the process lives. What it answers is said where it is
/// not what it said before; a split view each time.
#[allow(clippy::print_stderr)]
pub(crate) fn hourly(home: &Path, case: &Path) -> Result<(), Told> {
    let (home, case) = (home.to_owned(), case.to_owned());
    std::thread::Builder::new().name("witnesses".to_owned()).spawn(move || {
        let mut before = BTreeMap::new();
        loop {
            let logs = [
                ("case", Which::Case(&case)),
                ("authority", Which::Authority { home: &home, name: None }),
            ];
            for (log, which) in logs {
                match desk::witness::ask(&home, which) {
                    Ok(outcomes) => {
                        for (named, outcome) in outcomes {
                            let (word, text) = words(&outcome);
                            let name = named.key.name().to_owned();
                            let last = before.insert((log, name.clone()), text.clone());
                            if last.as_ref() != Some(&text) || word == "contradicts" {
                                eprintln!("vigie: {log}: {}: {}", plain(&name), plain(&text));
                            }
                        }
                    }
                    Err(error) => {
                        let what = plain(&told(&case)(error).to_string());
                        eprintln!("vigie: {log}: no witness could be asked: {}", here(&what));
                    }
                }
            }
            std::thread::sleep(EACH);
        }
    })?;
    Ok(())
}

fn words(outcome: &Outcome) -> (&'static str, String) {
    match outcome {
        Outcome::Cosigned { size, time } => {
            ("cosigned", format!("cosigned, {size} records, at {}", moment(*time)))
        }
        Outcome::GoesOn { size } => {
            ("goes_on", format!("it has cosigned {size} records, and this log goes on from them"))
        }
        Outcome::Never => ("never", "it has never cosigned this log".to_owned()),
        Outcome::Refused(why) => ("refused", why.clone()),
        Outcome::NoAnswer(why) => ("no_answer", why.clone()),
        Outcome::Contradicts(split) => {
            let what = match split.shown() {
                Ok(Shown::Split(a, b)) => format!(
                    "A SPLIT VIEW: this log has signed two histories, of {} and {} records",
                    a.size, b.size
                ),
                _ => "it keeps a checkpoint that this copy does not reach: this is an older copy, \
                      or another history"
                    .to_owned(),
            };
            ("contradicts", what)
        }
    }
}

#[allow(clippy::print_stderr)]
fn serve(home: &Path, args: &Serve) -> Result<(), Told> {
    let text = read_text(&args.logs, ledger::MAX_TRUST)?;
    let logs =
        Trust::parse(&text).map_err(|e| Told::Misuse(format!("{}: {e}", args.logs.display())))?;
    if !logs.names_logs() {
        // It would run, and refuse whoever asks.
        return Err(Told::Misuse(format!(
            "{} names no log, so nobody would be served: write an `authority KEY` or a `log KEY` a line, \
             as its owner has it printed (by vigie's `authority key`)",
            args.logs.display()
        )));
    }
    let store = WitnessHome::new(home).open(logs, "vigie witness serve").map_err(|e| {
        if e.is_missing() {
            let next = "`vigie witness init NAME` makes the witness's key";
            Told::failure(&e, Some(next))
        } else {
            Told::failure(&e, None)
        }
    })?;
    let store = Arc::new(store);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(args.listen)
            .await
            .map_err(|e| Told::failure(&e, Some("name another address with --listen")))?;
        let mut out = std::io::stdout();
        let address = listener.local_addr()?;
        writeln!(out, "{} cosigns at http://{address}", plain(store.key().name()))?;
        writeln!(out, "Its key: {}", store.key().text())?;
        out.flush()?;
        let told: ledger_witness::Told = Arc::new(|line: &str| eprintln!("vigie: {}", plain(line)));
        let router = ledger_witness::router(Arc::clone(&store), told);
        let stop = async {
            // Where signals cannot be had the witness simply goes on.
            let _ = tokio::signal::ctrl_c().await;
        };
        ledger_witness::serve(listener, router, ledger_witness::Bounds::default(), stop)
            .await
            .map_err(|e| Told::failure(&e, None))
    })
}
