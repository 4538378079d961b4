//! `vigie open`: seal, read, resolve, count.

use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use desk::open::{Opened, Request, Work};
use desk::read::{Paging, ProblemFilter, Reader};
use desk::shell::{here, quoted_path};
use desk::time::AtSealing;
use intake::MappingFit;
use serde_json::json;

use super::times::moment;
use super::{counted, place, plain, told};
use crate::cli::Open;
use crate::error::Told;
use crate::progress::{Progress, bytes, span};

/// Runs the command.
#[allow(clippy::print_stderr)]
pub(crate) fn run(home: Option<&Path>, args: &Open) -> Result<(), Told> {
    for path in &args.paths {
        if let Err(error) = std::fs::symlink_metadata(path) {
            return Err(Told::Failure {
                what: format!("cannot open {}: {error}", path.display()),
                next: Some("nothing was sealed; name files and folders that are there".to_owned()),
            });
        }
    }
    if let Some(path) = &args.problems {
        desk::export::check_file(path).map_err(told(path))?;
    }
    let request = Request {
        paths: args.paths.clone(),
        item: args.source.clone(),
        authorisation: args.authorisation.clone(),
        seized_by: args.seized_by.clone(),
        at: args.at.clone(),
        address_table: args.address_table.clone(),
        mapping: args.mapping.clone(),
        in_place: args.in_place,
    };
    let place = place(home, &args.case.case, "vigie open")?;
    let since = desk::time::records(&place.case);
    desk::authority::ready(&place.home, &place.case).map_err(told(&place.case))?;
    let begun = Instant::now();
    let opened = watched(&place.case, |work| desk::open::open(&place, &request, work))?;
    let elapsed = begun.elapsed();
    if let Some(path) = &args.problems {
        problems(&args.case.case, path)?;
    }
    let unfit = args.mapping.as_deref().and_then(|path| unfit(path, opened.mapped.as_ref()));
    if let Some(unfit) = &unfit {
        eprintln!("vigie: {}", here(&plain(unfit)));
    }
    if args.json {
        let mut document = opened.summary.to_json();
        document["elapsed_ms"] = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).into();
        if let Some(unfit) = unfit {
            document["mapping_unfit"] = unfit.into();
        }
        let mut failed = None;
        let found = args
            .tsa
            .as_ref()
            .and_then(|url| stamped(&place, since, url).map_err(|told| failed = Some(told)).ok());
        if let Some(found) = found {
            let stamps = found.stamps.iter().map(|(exhibit, stamped)| {
                json!({
                    "exhibit": exhibit.map(|id| id.to_string()), "covers": stamped.size,
                    "record": stamped.record, "by": moment(stamped.verified.info.latest_ms),
                })
            });
            document["stamps"] = stamps.collect::<Vec<_>>().into();
            document["files_not_stamped"] = found.more.into();
        }
        writeln!(std::io::stdout(), "{document}")?;
        return failed.map_or(Ok(()), Err);
    }
    screen(&opened, elapsed, &args.case.case)?;
    let Some(url) = &args.tsa else { return Ok(()) };
    let found = stamped(&place, since, url)?;
    let mut out = std::io::stdout().lock();
    let files = found.stamps.iter().filter(|(exhibit, _)| exhibit.is_some()).count() as u64;
    if found.more > 0 {
        writeln!(
            out,
            "{} have no time stamp of their own, being more than {}: the log's covers them.",
            counted(found.more, "file"),
            desk::time::MAX_FILES
        )?;
    } else if files > 0 {
        writeln!(out, "{} stamped one by one.", counted(files, "file"))?;
    }
    if let Some((None, log)) = found.stamps.last() {
        let (size, by) = (log.size.unwrap_or(0), moment(log.verified.info.latest_ms));
        writeln!(
            out,
            "The log's first {size} records were in it by {by} (record {}).",
            log.record
        )?;
    }
    Ok(())
}

/// Has stamped what was sealed. The opening stands whatever comes of it.
fn stamped(place: &desk::Place, since: u64, url: &str) -> Result<AtSealing, Told> {
    desk::time::stamp_sealed(place, since, url).map_err(|error| {
        let what = told(&place.case)(error).to_string();
        let next = "everything is sealed and read; `vigie stamp` asks for a stamp again".to_owned();
        Told::Failure { what: format!("no trusted time: {what}"), next: Some(next) }
    })
}

/// Why a mapping file had no effect, if it had none.
pub(crate) fn unfit(mapping: &Path, best: Option<&MappingFit>) -> Option<String> {
    let mapping = mapping.display();
    let Some(best) = best else {
        return Some(format!(
            "the mapping {mapping} was held against no table: none was read now in a CSV or XLSX \
             file that it is for; tables read before stay as they are until `vigie views rebuild`"
        ));
    };
    let missing: Vec<_> = best.missing.iter().map(|name| format!("{name:?}")).collect();
    (!missing.is_empty()).then(|| {
        format!(
            "the mapping {mapping} fits no table that was read; the nearest is {}, which has no \
             column {}",
            best.table,
            missing.join(", ")
        )
    })
}

/// Does the work while its progress is shown.
pub(crate) fn watched<T>(
    case: &Path,
    work: impl FnOnce(&Work) -> desk::Result<T>,
) -> Result<T, Told> {
    let shared = Work::default();
    let over = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let progress = Arc::clone(&shared.progress);
        let over = &over;
        let bar = threads.spawn(move || {
            let mut bar = Progress::new();
            while !over.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(50));
                let now = progress.snapshot();
                let (done, total) = (now.sealed.0 + now.parsed.0, now.sealed.1 + now.parsed.1);
                bar.show(stage(&now.stage), done, Some(total));
            }
            bar.clear();
        });
        let result = work(&shared);
        over.store(true, Ordering::Relaxed);
        // The bar holds no state that could be lost.
        let _ = bar.join();
        result.map_err(told(case))
    })
}

fn stage(word: &str) -> &'static str {
    match word {
        "walk" | "seal" | "parse" => "sealing and reading",
        "resolve" => "resolving",
        "count" => "counting",
        _ => "working",
    }
}

/// Writes each problem as a JSON line.
fn problems(case: &Path, path: &Path) -> Result<(), Told> {
    let snapshot = Reader::open(case).and_then(|r| r.snapshot()).map_err(told(case))?;
    desk::export::to_file_with(path, &mut |out| {
        let mut paging = Paging { after: None, limit: desk::read::MAX_PAGE };
        loop {
            let page = snapshot.problems(&ProblemFilter::default(), &paging)?;
            for problem in page.items {
                let line = json!({
                    "exhibit": problem.exhibit.map(|e| e.to_string()), "path": problem.path,
                    "start": problem.start, "kind": problem.kind.as_str(), "message": problem.message,
                });
                writeln!(out, "{line}").map_err(desk::Error::Output)?;
            }
            match page.next {
                Some(after) => paging.after = Some(after),
                None => return Ok(()),
            }
        }
    })
    .map_err(told(case))
}

/// The summary on one screen.
fn screen(opened: &Opened, elapsed: Duration, case: &Path) -> Result<(), Told> {
    let summary = &opened.summary;
    let mut out = BufWriter::new(std::io::stdout().lock());
    writeln!(
        out,
        "{}: {}, {}; {}, {} in tables; {}",
        summary.case,
        counted(summary.exhibits, "exhibit"),
        bytes(summary.bytes),
        counted(summary.facts, "fact"),
        counted(summary.bulk_values, "value"),
        span(elapsed.as_secs_f64())
    )?;
    if summary.practice {
        writeln!(out, "A practice case: no authority is named yet (vigie authority init NAME).")?;
    }
    writeln!(out)?;
    columns(&mut out, summary.entities.iter().map(|(kind, n)| (kind.name(), *n)))?;
    if !summary.links.is_empty() {
        writeln!(out)?;
        columns(&mut out, summary.links.iter().map(|(kind, n)| (kind.name(), *n)))?;
    }
    if !summary.payments.is_empty() {
        writeln!(out)?;
        for p in &summary.payments {
            let sum = amount(p.sum_minor, &p.currency);
            let none = if p.currency.is_empty() { "(no currency stated)" } else { "" };
            writeln!(out, "  {}, in all {sum}{none}", counted(p.count, "completed payment"))?;
        }
    }
    if !summary.countries.is_empty() {
        let mut places: Vec<_> = summary.countries.iter().collect();
        places.sort_by_key(|(country, n)| (std::cmp::Reverse(**n), country.as_str()));
        let named: Vec<_> = places.iter().map(|(country, n)| format!("{country} {n}")).collect();
        writeln!(out, "\n  servers: {}", named.join(", "))?;
    }
    for unread in &opened.unread {
        writeln!(
            out,
            "  not read: {}: {}",
            plain(&unread.path.display().to_string()),
            unread.message
        )?;
    }
    if summary.problems > 0 {
        let notes = match summary.notes {
            0 => String::new(),
            n => format!(" ({} among them: nothing is wrong)", counted(n, "note")),
        };
        say!(
            out,
            "\n  {}{notes}, each located: the console's Problems, or `vigie sql --case {} 'SELECT * FROM problem'`",
            counted(summary.problems, "problem"),
            quoted_path(case)
        )?;
    }
    say!(out, "\nNext: vigie serve --case {0}; vigie verify {0}", quoted_path(case))?;
    Ok(out.flush()?)
}

/// Names and numbers in three columns.
fn columns<'a>(
    out: &mut dyn Write,
    items: impl Iterator<Item = (&'a str, u64)>,
) -> std::io::Result<()> {
    let cells: Vec<String> =
        items.map(|(name, n)| format!("  {name:<18}{:>12}", grouped(n))).collect();
    for row in cells.chunks(3) {
        writeln!(out, "{}", row.concat())?;
    }
    Ok(())
}

/// `22 000 000`, by thin spaces.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

fn amount(minor: i128, currency: &str) -> String {
    let digits = currency.parse::<model::Currency>().map_or(2, |c| c.minor_digits());
    let unit = 10i128.pow(digits);
    let whole = grouped(u64::try_from((minor / unit).unsigned_abs()).unwrap_or(u64::MAX));
    let sign = if minor < 0 { "-" } else { "" };
    if digits == 0 {
        return format!("{sign}{whole} {currency}");
    }
    let rest = (minor % unit).unsigned_abs();
    format!("{sign}{whole}.{rest:0width$} {currency}", width = digits as usize)
}
