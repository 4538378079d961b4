//! Proving a case whole: log and vault by themselves, then every view against the log.
//!
//! Of each exhibit that was read, facts, rows and problems are digested again from the views and
//! must give what the log's `parse.run` says; every span must lie in its exhibit, every file under
//! `tables/` must be what was written, and whatever is derived must rest on something.

mod moment;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ledger::Trust;
use model::record::Body;
use model::{Column, LinkKind, TableSchema};
use rusqlite::Connection;
use sha2::{Digest, Sha256};
use vault::{Case, Finding, Home, Rotation};

use crate::judge::{self, Timed, Witnessing};
use crate::pipeline::record::{FactRecord, put_fact_record, put_problem_parts};
use crate::pipeline::run::run_digest;
use crate::pipeline::table::{digest_group, digest_of_schema};
use crate::tables::{TableFile, digest_columns};
use crate::views::{meaning_of_word, role_of_word, type_of_word};
use crate::{Error, Result};

/// What verifying found. All is well where `findings` is empty.
#[derive(Debug, Default)]
pub struct Report {
    /// `<authority>/case/<id>`.
    pub origin: String,
    /// Records in the log.
    pub records: u64,
    /// Exhibits hashed again.
    pub exhibits: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Facts in the views.
    pub facts: u64,
    /// Rows of bulk tables in the views.
    pub rows: u64,
    /// The last checkpoint, where its signature held.
    pub checkpoint: Option<String>,
    /// True where the key came from the home, and not from the case itself.
    pub key_from_home: bool,
    /// What is wrong, and where: first of the evidence (log and vault), then of the views.
    pub findings: Vec<Finding>,
    /// How many of the findings are of the evidence. Where there are none, a rebuild mends the rest.
    pub of_evidence: usize,
    /// What is worth knowing, and harmless.
    pub notes: Vec<String>,
    /// What was erased by law.
    pub erased: Vec<vault::Erasure>,
    /// True where a key that the reader's file names for this log signed its last checkpoint.
    pub signer_confirmed: bool,
    /// Who cosigned it.
    pub witnessing: Witnessing,
    /// What time stamps say of the log.
    pub timed: Timed,
    /// Where the log's key was replaced.
    pub rotations: Vec<Rotation>,
    /// True where the log's entries are those that were signed. Who signed, cosigned and stamped others
    /// is not told: they spoke of another log.
    pub log_holds: bool,
}

impl Report {
    /// True where log and exhibits are what was sealed, whatever the views are.
    pub fn evidence_holds(&self) -> bool {
        self.of_evidence == 0
    }

    /// Something wrong with log or exhibits: told before what is wrong with the views.
    pub(crate) fn find_evidence(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.find(place, message);
        self.of_evidence = self.findings.len();
    }

    pub(crate) fn find(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.findings.push(Finding { place: place.into(), message: message.into() });
    }
}

/// Verifies the case in `dir`. `home` is where the authority's key lies; `trust` is the reader's own
/// word on whose keys and time authorities count; `progress` is told bytes as they are hashed, from
/// any thread. Nothing is written, no lock is taken: the verdict on the evidence is of the records that
/// stood in the log when it began ([`Report::records`]), that on the views of one moment after the
/// exhibits were hashed, whoever writes to the case meanwhile.
///
/// # Errors
/// What keeps it from looking at all.
pub fn verify(
    dir: &Path,
    home: &Path,
    trust: Option<&Trust>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Report> {
    let home = Home::new(home);
    let vault = vault::verify(dir, Some(&home), progress)?;
    of_vault(vault, dir, &home, trust, progress)
}

/// The same for a copy, of which the authority may have seen more: how many records it has seen.
pub(crate) fn verify_copy(
    dir: &Path,
    home: &Path,
    trust: Option<&Trust>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<(Report, Option<u64>)> {
    let home = Home::new(home);
    let vault = vault::verify_copy(dir, Some(&home), progress)?;
    let seen = vault.seen;
    let mut report = of_vault(vault, dir, &home, trust, progress)?;
    // No backup has any.
    report.notes.retain(|note| !note.starts_with("there are no views"));
    Ok((report, seen))
}

fn of_vault(
    vault: vault::Report,
    dir: &Path,
    home: &Home,
    trust: Option<&Trust>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Report> {
    let mut report = Report {
        origin: vault.origin,
        records: vault.records,
        exhibits: vault.exhibits,
        bytes: vault.bytes,
        checkpoint: vault.checkpoint,
        key_from_home: vault.key_from_home,
        of_evidence: vault.findings.len(),
        findings: vault.findings,
        notes: vault.notes,
        rotations: vault.rotations,
        erased: vault.erased,
        log_holds: vault.log_holds,
        ..Report::default()
    };
    judge::signer(dir, home.dir(), trust, &vault.witnessed, &mut report);
    if !report.key_from_home && !report.signer_confirmed && !report.origin.is_empty() {
        report.notes.push(format!(
            "the key comes from the case itself: this proves that the case fits itself, not that {} wrote \
             it; verify with the home of that authority, or with a file of keys that you had from it \
             (--trust FILE)",
            vault::authority_of(&report.origin)
        ));
    }
    judge::times(dir, vault.stamps, vault.keys.as_ref(), trust, &mut report)?;
    if !report.log_holds {
        report.signer_confirmed = false;
        report.witnessing = Witnessing::default();
        report.timed = Timed::default();
    }
    // A log that cannot be read was told above; then there is nothing to hold anything against.
    let proved = if report.evidence_holds() { report.records } else { u64::MAX };
    let case = Case::read_up_to(dir, proved).ok();
    if let Some(case) = &case {
        if crate::clearing::check(case, &mut report) {
            crate::custody::check(case, &mut report)?;
            crate::capture::check(case, &mut report)?;
        }
        report.of_evidence = report.findings.len();
    }
    if !crate::views::file(dir).is_file() {
        report.notes.push(format!(
            "there are no views: `vigie views rebuild --case {}` makes them",
            crate::shell::quoted_path(dir)
        ));
        return Ok(report);
    }
    let Some(case) = case else { return Ok(report) };
    moment::views_of(case, dir, progress, &mut report)?;
    Ok(report)
}

/// What is wrong with views that cannot be read; what mends them is said once, at the end.
fn of_views(error: Error, dir: &Path) -> String {
    match error.at(dir) {
        Error::OtherLayout => "it was made by another version of vigie".to_owned(),
        other => of_table(&other),
    }
}

/// Findings name their place themselves.
fn of_table(error: &Error) -> String {
    match error {
        Error::Damaged { how, .. } => format!("it {how}"),
        Error::Vault(error) => error.found(),
        Error::Disk(error) => error.found(),
        other => told(other),
    }
}

/// An error with what caused it.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn views(
    case: &Case,
    db: &Connection,
    dir: &Path,
    progress: &(dyn Fn(u64) + Sync),
    report: &mut Report,
) -> Result<()> {
    let damage: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if damage != "ok" {
        report.find("views.sqlite", format!("it is damaged ({})", damage.replace('\n', " ")));
        return Ok(());
    }
    let applied = crate::views::meta::<i64>(db, "applied")?.unwrap_or(0) as u64;
    if applied > case.len() {
        report.find("views.sqlite", format!("it knows {applied} records, the log {}", case.len()));
        return Ok(());
    }
    if applied < case.len() {
        report.notes.push(format!(
            "the views are {} records behind the log: the next `vigie open` brings them up",
            case.len() - applied
        ));
    }
    crate::custody::check_views(case, db, applied, report)?;
    let tables = tables(db, dir)?;
    let digests = digest_tables(&tables, progress);
    let mut by_exhibit: BTreeMap<i64, Vec<([u8; 32], u64)>> = BTreeMap::new();
    for (table, digest) in tables.iter().zip(digests) {
        match digest {
            Ok(digest) => by_exhibit.entry(table.exhibit).or_default().push(digest),
            Err((place, message)) => report.find(place, message),
        }
    }
    let mut query = db.prepare(
        "SELECT l.exhibit, l.record, l.parser, l.version, l.facts, l.rows, l.problems, lower(hex(x.id)),
                (SELECT COUNT(*) FROM bulk b WHERE b.exhibit = l.exhibit)
         FROM loaded l JOIN exhibit x ON x.ord = l.exhibit ORDER BY l.exhibit",
    )?;
    let mut found = query.query([])?;
    while let Some(row) = found.next()? {
        let (ord, exhibit): (i64, String) = (row.get(0)?, row.get(7)?);
        let place = format!("views.sqlite, exhibit {exhibit}");
        let record = u64::try_from(row.get::<_, Option<i64>>(1)?.unwrap_or(-1));
        let body = match record {
            Ok(record) if record < case.len() => case.body(record),
            _ => {
                report.find(place, "it was read, and no record says so");
                continue;
            }
        };
        let Ok(Body::ParseRun(said)) = body else {
            report.find(place, "the record it rests on is no parser's run, or is withheld");
            continue;
        };
        let empty = Vec::new();
        let of_tables = by_exhibit.get(&ord).unwrap_or(&empty);
        if of_tables.len() as i64 != row.get::<_, i64>(8)? {
            continue; // a table that cannot be read was told above
        }
        let (facts, fact_count) = digest_facts(db, ord)?;
        let (problems, problem_count) = digest_problems(db, ord)?;
        let rows: u64 = of_tables.iter().map(|(_, rows)| rows).sum();
        report.facts += fact_count;
        report.rows += rows;
        let counts = (fact_count, rows, problem_count);
        if counts != (said.facts, said.rows, said.problems) {
            report.find(
                place,
                format!(
                    "{fact_count} facts, {rows} rows, {problem_count} problems, where the log says \
                     {}, {}, {}",
                    said.facts, said.rows, said.problems
                ),
            );
            continue;
        }
        let digest = run_digest(facts, problems, of_tables.iter().map(|(digest, _)| *digest));
        if digest != said.digest.0 {
            report.find(place, "its facts, rows or problems are not those that the log speaks of");
        }
    }
    derived(db, report)
}

/// What must hold of rows without looking at the log.
fn derived(db: &Connection, report: &mut Report) -> Result<()> {
    for (what, sql) in [
        (
            "facts whose span is not in their exhibit",
            "SELECT COUNT(*) FROM fact f JOIN exhibit x ON x.ord = f.id >> 32
             WHERE f.start < 0 OR f.end < f.start OR f.end > x.size",
        ),
        (
            "facts of an exhibit that the log does not hold",
            "SELECT COUNT(*) FROM fact f LEFT JOIN exhibit x ON x.ord = f.id >> 32
             WHERE x.ord IS NULL",
        ),
        (
            "facts of something without a key",
            "SELECT COUNT(*) FROM fact f LEFT JOIN key k ON k.id = f.subject WHERE k.id IS NULL",
        ),
        (
            "of the links rest on no fact and no table",
            // An account is linked to its address by its own key.
            "SELECT COUNT(*) FROM link l WHERE
               (l.fact IS NULL AND l.bulk IS NULL AND l.kind <> ?1)
               OR (l.fact IS NOT NULL AND l.fact NOT IN (SELECT id FROM fact))",
        ),
        (
            "links of entities that are not there",
            "SELECT COUNT(*) FROM link l WHERE l.src NOT IN (SELECT id FROM entity)
               OR l.dst NOT IN (SELECT id FROM entity)",
        ),
        (
            "entities that rest on no fact and no row",
            "SELECT COUNT(*) FROM entity e WHERE e.facts = 0 AND e.links = 0
               AND e.id NOT IN (SELECT entity FROM entity_row)",
        ),
    ] {
        let mut query = db.prepare(sql)?;
        if query.parameter_count() > 0 {
            query.raw_bind_parameter(1, LinkKind::AccountOf as i64)?;
        }
        let mut found = query.raw_query();
        let n: i64 = found.next()?.map_or(Ok(0), |row| row.get(0))?;
        if n > 0 {
            report.find("views.sqlite", format!("{n} {what}"));
        }
    }
    Ok(())
}

fn digest_facts(db: &Connection, ord: i64) -> Result<([u8; 32], u64)> {
    let mut query = db.prepare_cached(
        "SELECT s.text, w.text, f.tag, coalesce(o.text, f.text, ''), f.num, f.start, f.end
         FROM fact f JOIN key s ON s.id = f.subject JOIN word w ON w.id = f.property
         LEFT JOIN key o ON f.tag = 5 AND o.id = f.num
         WHERE f.id >= ? AND f.id < ? ORDER BY f.id",
    )?;
    let mut found = query.query((ord << 32, (ord + 1) << 32))?;
    let (mut hash, mut bytes, mut count) = (Sha256::new(), Vec::new(), 0);
    while let Some(row) = found.next()? {
        let tag: u8 = row.get(2)?;
        let key = tag == crate::pipeline::record::TAG_KEY;
        let fact = FactRecord {
            subject: row.get(0)?,
            property: row.get(1)?,
            tag,
            text: row.get(3)?,
            number: if key { 0 } else { row.get::<_, Option<i64>>(4)?.unwrap_or(0) },
            start: row.get::<_, i64>(5)? as u64,
            end: row.get::<_, i64>(6)? as u64,
        };
        bytes.clear();
        put_fact_record(&mut bytes, &fact);
        hash.update(&bytes);
        count += 1;
    }
    Ok((hash.finalize().into(), count))
}

fn digest_problems(db: &Connection, ord: i64) -> Result<([u8; 32], u64)> {
    let mut query = db.prepare_cached(
        "SELECT start, end, kind, message, lost FROM problem
         WHERE id >= ? AND id < ? ORDER BY id",
    )?;
    let mut found = query.query((ord << 32, (ord + 1) << 32))?;
    let (mut hash, mut bytes, mut count) = (Sha256::new(), Vec::new(), 0);
    while let Some(row) = found.next()? {
        let (kind, message): (String, String) = (row.get(2)?, row.get(3)?);
        let (start, end): (i64, i64) = (row.get(0)?, row.get(1)?);
        bytes.clear();
        put_problem_parts(&mut bytes, start as u64, end as u64, &kind, &message, row.get(4)?);
        hash.update(&bytes);
        count += 1;
    }
    Ok((hash.finalize().into(), count))
}

/// A table as the views have it.
struct Table {
    exhibit: i64,
    schema: TableSchema,
    rows: u64,
    file: Option<(PathBuf, Vec<u8>)>,
    indexes: Vec<(PathBuf, Vec<u8>)>,
}

fn tables(db: &Connection, dir: &Path) -> Result<Vec<Table>> {
    let mut query = db.prepare(
        "SELECT id, exhibit, name, db, role, locator, rows, file, sha256 FROM bulk ORDER BY id",
    )?;
    let mut columns =
        db.prepare("SELECT name, ty, meaning, secret FROM bulk_column WHERE bulk = ? ORDER BY n")?;
    let mut indexes = db.prepare("SELECT file, sha256 FROM bulk_index WHERE bulk = ?")?;
    let folder = dir.join("tables");
    let mut found = query.query([])?;
    let mut tables = Vec::new();
    while let Some(row) = found.next()? {
        let id: i64 = row.get(0)?;
        let role: String = row.get(4)?;
        let columns = columns
            .query_map([id], |row| {
                let (ty, meaning): (String, Option<String>) = (row.get(1)?, row.get(2)?);
                Ok(Column {
                    name: row.get(0)?,
                    ty: type_of_word(&ty),
                    meaning: meaning.as_deref().and_then(meaning_of_word),
                    secret: row.get(3)?,
                })
            })?
            .collect::<std::result::Result<_, _>>()?;
        let file: Option<String> = row.get(7)?;
        tables.push(Table {
            exhibit: row.get(1)?,
            schema: TableSchema {
                name: row.get(2)?,
                db: row.get(3)?,
                role: role_of_word(&role),
                panel: row.get(5)?,
                columns,
            },
            rows: row.get::<_, i64>(6)? as u64,
            file: match file {
                Some(file) => Some((folder.join(file), row.get(8)?)),
                None => None,
            },
            indexes: indexes
                .query_map([id], |row| {
                    Ok((folder.join(row.get::<_, String>(0)?), row.get::<_, Vec<u8>>(1)?))
                })?
                .collect::<std::result::Result<_, _>>()?,
        });
    }
    Ok(tables)
}

/// A table's digest and rows; else the place and what is wrong there.
type Digested = std::result::Result<([u8; 32], u64), (String, String)>;

/// Digests every table, on all cores.
fn digest_tables(tables: &[Table], progress: &(dyn Fn(u64) + Sync)) -> Vec<Digested> {
    let next = AtomicUsize::new(0);
    let results: Mutex<BTreeMap<usize, Digested>> = Mutex::new(BTreeMap::new());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads.min(tables.len()) {
            scope.spawn(|| {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    let Some(table) = tables.get(i) else { return };
                    let digest = digest_table(table, progress);
                    if let Ok(mut results) = results.lock() {
                        results.insert(i, digest);
                    }
                }
            });
        }
    });
    let results = results.into_inner().unwrap_or_default();
    (0..tables.len())
        .map(|i| {
            results.get(&i).cloned().unwrap_or_else(|| {
                Err(("tables".to_owned(), "a thread that looked at a table stopped".to_owned()))
            })
        })
        .collect()
}

fn digest_table(table: &Table, progress: &(dyn Fn(u64) + Sync)) -> Digested {
    let place = |path: &Path| {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        format!("tables/{name}")
    };
    for (path, digest) in table.indexes.iter().chain(&table.file) {
        match hash_file(path, progress) {
            Ok(found) if found.as_slice() == digest.as_slice() => {}
            Ok(_) => return Err((place(path), "it is not the file that was written".to_owned())),
            Err(error) => return Err((place(path), of_table(&error))),
        }
    }
    let mut hash = digest_of_schema(&table.schema);
    let mut rows = 0;
    if let Some((path, _)) = &table.file {
        let read = || -> Result<u64> {
            let file = TableFile::open(path)?;
            for group in 0..file.groups() {
                let part = file.read_group(group)?;
                digest_group(&mut hash, part.len() as u64, &digest_columns(&[part]));
            }
            Ok(file.rows())
        };
        let mut read = read;
        rows = read().map_err(|error| (place(path), of_table(&error)))?;
    }
    if rows != table.rows {
        let message = format!("{rows} rows, where the views say {}", table.rows);
        return Err((format!("the table {}", table.schema.name), message));
    }
    Ok((hash.finalize().into(), rows))
}

fn hash_file(path: &Path, progress: &(dyn Fn(u64) + Sync)) -> Result<[u8; 32]> {
    let failed = |source| Error::Read { path: path.to_owned(), source }.of_file(path);
    let mut file = ledger::plain::open(path).map_err(failed)?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 256 << 10]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hash.finalize().into()),
            Ok(n) => {
                hash.update(&buffer[..n]);
                progress(n as u64);
            }
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(source) => return Err(failed(source)),
        }
    }
}
