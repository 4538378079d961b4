//! `vigie shield`: the harm check, and what it knows.

use std::io::{BufRead, LineWriter, Write};
use std::path::Path;

use console::{Lang, harm_innocents, harm_reason, harm_verdict};
use desk::shield::{Given, Loaded, today};
use jiff::civil::Date;
use serde_json::{Value, json};
use shield::harm::Finding;
use shield::sets::{Class, Head, Match};
use shield::{Item, Verdict};

use super::open::grouped;
use super::{home_dir, plain, told};
use crate::cli::shield::{Add, Check, Shield};
use crate::error::Told;

/// The bytes of a line of stdin that are read: more than an item may have, so that a longer line is told
/// as too long, and shown cut.
const MAX_LINE: u64 = 4096;

/// Runs `vigie shield …`.
pub(crate) fn run(named: Option<&Path>, words: &Shield) -> Result<(), Told> {
    let home = home_dir(named)?;
    match words {
        Shield::Clearing(words) => super::clearing::run(named, words),
        Shield::Check(args) => check(&home, args),
        Shield::Sets { json } => sets(&home, *json),
        Shield::Add(args) => add(&home, args),
        Shield::Remove { name } => {
            let path = desk::shield::remove(&home, name).map_err(told(&home))?;
            say!(std::io::stdout(), "{} is gone.", path.display())?;
            Ok(())
        }
    }
}

#[allow(clippy::print_stderr)] // What the check does not know belongs beside its answers.
fn notes(loaded: &Loaded) {
    for note in loaded.notes(today()) {
        eprintln!("vigie: {}", desk::shell::here(&note.to_string()));
    }
}

fn check(home: &Path, args: &Check) -> Result<(), Told> {
    let lang = Lang::of_tag(&args.lang)
        .ok_or_else(|| Told::Misuse(format!("{:?} is no language: en, fr or it", args.lang)))?;
    let loaded = desk::shield::load(home).map_err(told(home))?;
    notes(&loaded);
    // A line at a time, so that whoever asks one by one is answered one by one.
    let mut out = LineWriter::new(std::io::stdout().lock());
    let mut all_allowed = true;
    let mut one = |check: &shield::Check<'_>, text: &str| -> Result<(), Told> {
        let (item, finding) = check.text(text);
        all_allowed &= finding.verdict == Verdict::Allow;
        if args.json {
            writeln!(out, "{}", document(lang, text, item.as_ref(), &finding))?;
        } else {
            show(&mut out, lang, text, item.as_ref(), &finding)?;
        }
        Ok(())
    };
    let asked = |check: &shield::Check<'_>| -> Result<(), Told> {
        for item in &args.items {
            if item == "-" {
                each_line(&mut |text| one(check, text))?;
            } else {
                one(check, item)?;
            }
        }
        Ok(())
    };
    loaded.check(args.practice, asked).map_err(told(home))??;
    out.flush()?;
    if all_allowed { Ok(()) } else { Err(Told::Finding) }
}

/// Each line of stdin that holds something. A line is read up to its bound, and never kept whole.
fn each_line(one: &mut dyn FnMut(&str) -> Result<(), Told>) -> Result<(), Told> {
    let mut input = std::io::stdin().lock();
    let mut line = Vec::new();
    let mut items = 0_u64;
    loop {
        line.clear();
        let read = std::io::Read::take(&mut input, MAX_LINE).read_until(b'\n', &mut line)?;
        if read == 0 {
            break;
        }
        let cut = read as u64 == MAX_LINE && line.last() != Some(&b'\n');
        let text = String::from_utf8_lossy(&line);
        // As some editors begin a file.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        if cut {
            // Not trimmed: blanks may hide what stands behind them.
            one(text)?;
            skip_line(&mut input)?;
        } else if !text.trim().is_empty() {
            one(text.trim())?;
        } else {
            continue;
        }
        items += 1;
    }
    if items == 0 {
        return Err(Told::Misuse("stdin held no item: nothing was checked".to_owned()));
    }
    Ok(())
}

fn skip_line(input: &mut impl BufRead) -> std::io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let end = buffer.iter().position(|b| *b == b'\n');
        let used = end.map_or(buffer.len(), |at| at + 1);
        input.consume(used);
        if end.is_some() || used == 0 {
            return Ok(());
        }
    }
}

/// `{item, kind, verdict, reasons: [{code, message, source}], innocents, normalised}`.
fn document(lang: Lang, text: &str, item: Option<&Item>, finding: &Finding) -> Value {
    let reasons: Vec<_> = finding
        .reasons
        .iter()
        .map(|reason| {
            json!({
                "code": reason.code.word(), "message": harm_reason(lang, reason),
                "source": reason.source,
            })
        })
        .collect();
    let innocents = finding.innocents;
    json!({
        "item": text,
        "kind": item.map(|item| item.kind().word()),
        "verdict": finding.verdict.word(),
        "reasons": reasons,
        "innocents": {
            "at_least": innocents.at_least, "at_most": innocents.at_most,
            "unknown": innocents.at_most.is_none(), "method": innocents.method.word(),
        },
        "normalised": item.map(ToString::to_string),
    })
}

fn show(
    out: &mut impl Write,
    lang: Lang,
    text: &str,
    item: Option<&Item>,
    finding: &Finding,
) -> Result<(), Told> {
    let normal = item.map(ToString::to_string);
    let shown = normal.as_deref().unwrap_or(text);
    let unicode = item.and_then(Item::name).and_then(shield::item::Name::unicode);
    let unicode = unicode.map(|name| format!(" ({})", plain(&name))).unwrap_or_default();
    let verdict = harm_verdict(lang, finding.verdict);
    writeln!(out, "{}{unicode}: {verdict}", plain(shown))?;
    if normal.as_deref().is_some_and(|normal| normal != text) {
        writeln!(out, "  ← {}", plain(text))?;
    }
    // Several sets may say the same: it is said once, with each.
    for same in finding.reasons.chunk_by(|a, b| (&a.code, &a.about) == (&b.code, &b.about)) {
        let [first, ..] = same else { continue };
        let sources: Vec<_> = same.iter().map(|reason| plain(&reason.source)).collect();
        writeln!(out, "  {}", plain(&harm_reason(lang, first)))?;
        writeln!(out, "      {}: {}", first.code.word(), sources.join("; "))?;
    }
    if item.is_some() {
        writeln!(out, "  {}", harm_innocents(lang, &finding.innocents))?;
    }
    Ok(())
}

fn sets(home: &Path, as_json: bool) -> Result<(), Told> {
    let loaded = desk::shield::load(home).map_err(told(home))?;
    let mut out = std::io::stdout().lock();
    if !as_json {
        notes(&loaded);
        let [set, class, entries, date, age] = ["set", "class", "members", "date", "age"];
        writeln!(out, "{set:<38} {class:<12} {entries:>9}  {date:<10}  {age:<5}  source")?;
    }
    for set in loaded.sets.iter() {
        let head = &set.head;
        if as_json {
            let mut document = set_document(head, set.entries);
            document["effect"] = verdict_of(set).into();
            document["stale"] = desk::shield::is_stale(head.date, today()).into();
            writeln!(out, "{document}")?;
        } else {
            let entries = grouped(set.entries as u64);
            let class = head.class.word();
            let source = plain(&head.source);
            let age = if desk::shield::is_stale(head.date, today()) { "stale" } else { "" };
            let (name, date) = (&head.name, head.date);
            writeln!(out, "{name:<38} {class:<12} {entries:>9}  {date}  {age:<5}  {source}")?;
        }
    }
    if !as_json {
        say!(out, "Public suffixes: {}.", loaded.suffixes_source())?;
        say!(out, "Autonomous systems: RouteViews, DB-IP.")?;
    }
    Ok(())
}

fn verdict_of(set: &shield::Set) -> &'static str {
    Verdict::from(set.effect()).word()
}

fn set_document(head: &Head, entries: usize) -> Value {
    json!({
        "name": head.name, "class": head.class.word(), "entries": entries,
        "date": head.date.to_string(), "source": head.source, "match": head.matches.word(),
    })
}

fn add(home: &Path, args: &Add) -> Result<(), Told> {
    let words = |words: Vec<&str>| words.join(", ");
    let class = args.class.as_deref().map(|word| {
        Class::of_word(word).ok_or_else(|| {
            let all = words(Class::ALL.iter().map(|class| class.word()).collect());
            Told::Misuse(format!("--class {word:?} is none of {all}"))
        })
    });
    let matches = args.matches.as_deref().map(|word| {
        Match::ALL.into_iter().find(|m| m.word() == word).ok_or_else(|| {
            Told::Misuse(format!("--match {word:?} is none of exact, subtree, registrable"))
        })
    });
    let date = args.date.as_deref().map(|text| {
        text.parse::<Date>()
            .map_err(|e| Told::Misuse(format!("--date {text:?}: write it as 2026-09-01 ({e})")))
    });
    let given = Given {
        file: &args.file,
        name: args.name.as_deref(),
        class: class.transpose()?,
        source: args.source.as_deref(),
        date: date.transpose()?,
        matches: matches.transpose()?,
    };
    let added = desk::shield::add(home, &given).map_err(told(home))?;
    let mut out = std::io::stdout().lock();
    for set in added {
        if args.json {
            let mut document = set_document(&set.head, set.entries);
            document["left_out"] = set.left_out.into();
            document["path"] = set.path.display().to_string().into();
            writeln!(out, "{document}")?;
            continue;
        }
        let entries = grouped(set.entries as u64);
        let left_out = match set.left_out {
            0 => String::new(),
            n => format!(
                "; {} that are no name, address or network were left out",
                grouped(n as u64)
            ),
        };
        let class = set.head.class.word();
        writeln!(out, "{}: {class}, {entries} members{left_out}", set.path.display())?;
    }
    Ok(())
}
