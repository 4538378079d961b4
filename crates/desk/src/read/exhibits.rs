//! Exhibits, their bytes, and problems.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use model::{ExhibitId, ProblemKind};
use rusqlite::{OptionalExtension, Row, ToSql};
use vault::Bytes;

use super::exhibit::{
    Acquisition, Derivation, ExhibitFilter, ExhibitHead, ExhibitPage, ExhibitState, MAX_BYTES,
    MaskedBytes, MaskedSpan, ParserRun, ProblemFilter, ProblemRow, SumCheck,
};
use super::{MAX_PAGE, Page, Paging, Snapshot, rows};
use crate::tables::TableFile;
use crate::{Error, Result};

/// The parser's name of what is an archive.
pub(crate) const ARCHIVE: &str = "archive";

const EXHIBIT: &str = "x.ord, x.id, x.name, x.size, l.parser, l.version, coalesce(l.facts, 0),
  coalesce(l.rows, 0), coalesce(l.problems, 0), c.id, x.ord IN (SELECT ord FROM hidden),
  x.id IN (SELECT exhibit FROM laid)";

const FROM: &str = "exhibit x LEFT JOIN loaded l ON l.exhibit = x.ord
  LEFT JOIN exhibit c ON c.ord = x.container";

/// The kind of a word.
pub(super) fn problem_kind(word: &str) -> ProblemKind {
    [
        ProblemKind::Truncated,
        ProblemKind::Syntax,
        ProblemKind::Encoding,
        ProblemKind::Type,
        ProblemKind::Integrity,
        ProblemKind::Bound,
        ProblemKind::Unsupported,
        ProblemKind::Conflict,
        ProblemKind::Note,
    ]
    .into_iter()
    .find(|kind| kind.as_str() == word)
    .unwrap_or(ProblemKind::Medium)
}

fn head(row: &Row<'_>) -> Result<(i64, ExhibitHead)> {
    let parser: Option<String> = row.get(4)?;
    let version: Option<i64> = row.get(5)?;
    let (hidden, laid): (bool, bool) = (row.get(10)?, row.get(11)?);
    let state = match parser.as_deref() {
        _ if hidden => ExhibitState::Privileged,
        _ if laid => ExhibitState::Unread,
        None => ExhibitState::Waiting,
        Some("") => ExhibitState::Unread,
        Some(ARCHIVE) => ExhibitState::Unpacked,
        Some(_) => ExhibitState::Read,
    };
    let ord: i64 = row.get(0)?;
    let head = ExhibitHead {
        id: rows::exhibit(row, 1)?,
        name: row.get(2)?,
        size: row.get::<_, i64>(3)? as u64,
        state,
        parser: parser
            .filter(|p| !p.is_empty())
            .map(|p| format!("{p}/{}", version.unwrap_or_default())),
        facts: row.get::<_, i64>(6)? as u64,
        rows: row.get::<_, i64>(7)? as u64,
        problems: row.get::<_, i64>(8)? as u64,
        container: row.get::<_, Option<[u8; 32]>>(9)?.map(ExhibitId),
        record: ord as u64,
    };
    Ok((ord, head))
}

impl Snapshot {
    /// Exhibits in the order of their sealing.
    ///
    /// # Errors
    /// The views cannot be read; no such page.
    pub fn exhibits(&self, filter: &ExhibitFilter, paging: &Paging) -> Result<Page<ExhibitHead>> {
        let db = self.db()?;
        let limit = paging.limit.clamp(1, MAX_PAGE);
        let mut terms = vec!["1".to_owned()];
        let mut values: Vec<Box<dyn ToSql>> = Vec::new();
        if let Some(text) = &filter.text {
            terms.push("instr(lower(x.name), lower(?)) > 0".to_owned());
            values.push(Box::new(text.clone()));
        }
        if let Some(parser) = &filter.parser {
            terms.push("l.parser = ?".to_owned());
            values.push(Box::new(parser.clone()));
        }
        if let Some(container) = &filter.container {
            terms.push("c.id = ?".to_owned());
            values.push(Box::new(container.0.to_vec()));
        }
        match filter.state {
            // What is hidden is listed where it is asked for by that name, and nowhere else.
            None => terms.push("x.ord NOT IN (SELECT ord FROM hidden)".to_owned()),
            Some(ExhibitState::Privileged) => {
                terms.push("x.ord IN (SELECT ord FROM hidden)".to_owned());
            }
            Some(state) => {
                terms.push("x.ord NOT IN (SELECT ord FROM hidden)".to_owned());
                terms.push(
                    match state {
                        ExhibitState::Waiting => {
                            "l.parser IS NULL AND x.id NOT IN (SELECT exhibit FROM laid)"
                        }
                        ExhibitState::Unread => {
                            "(l.parser = '' OR x.id IN (SELECT exhibit FROM laid))"
                        }
                        ExhibitState::Unpacked => "l.parser = 'archive'",
                        _ => "l.parser NOT IN ('', 'archive')",
                    }
                    .to_owned(),
                );
            }
        }
        let total = {
            let sql = format!("SELECT COUNT(*) FROM {FROM} WHERE {}", terms.join(" AND "));
            let values: Vec<&dyn ToSql> = values.iter().map(AsRef::as_ref).collect();
            db.query_row(&sql, values.as_slice(), |row| row.get::<_, i64>(0))? as u64
        };
        if let Some(after) = &paging.after {
            terms.push(format!("x.ord > {}", rows::number(&rows::parts(after, 1)?[0])?));
        }
        let mut query = db.prepare_cached(&format!(
            "SELECT {EXHIBIT} FROM {FROM} WHERE {} ORDER BY x.ord LIMIT {}",
            terms.join(" AND "),
            limit + 1
        ))?;
        let values: Vec<&dyn ToSql> = values.iter().map(AsRef::as_ref).collect();
        let mut found = query.query(values.as_slice())?;
        let mut items = Vec::new();
        while let Some(row) = found.next()? {
            items.push(head(row)?);
        }
        let mut next = None;
        if items.len() > limit {
            items.truncate(limit);
            next = items.last().map(|(ord, _)| rows::cursor(&[&ord.to_string()]));
        }
        let items = items.into_iter().map(|(_, head)| head).collect();
        Ok(Page { items, next, total: Some(total) })
    }

    fn exhibit_by_ord(&self, ord: i64) -> Result<Option<ExhibitHead>> {
        let mut query =
            self.db()?.prepare_cached(&format!("SELECT {EXHIBIT} FROM {FROM} WHERE x.ord = ?"))?;
        let mut found = query.query([ord])?;
        found.next()?.map(|row| head(row).map(|(_, head)| head)).transpose()
    }

    pub(super) fn exhibit_head(&self, id: ExhibitId) -> Result<Option<ExhibitHead>> {
        match crate::views::ord_of(self.db()?, &id)? {
            Some(ord) => self.exhibit_by_ord(ord),
            None => Ok(None),
        }
    }

    /// An exhibit's page.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn exhibit(&self, id: ExhibitId) -> Result<Option<ExhibitPage>> {
        let Some(ord) = crate::views::ord_of(self.db()?, &id)? else { return Ok(None) };
        let Some(head) = self.exhibit_by_ord(ord)? else { return Ok(None) };
        let (chain, outermost) = self.chain(ord)?;
        let hidden = head.state == ExhibitState::Privileged;
        let filter = ExhibitFilter { container: Some(id), ..ExhibitFilter::default() };
        let paging = Paging { after: None, limit: ExhibitPage::SHOWN };
        let members = self.exhibits(&filter, &paging)?;
        Ok(Some(ExhibitPage {
            receipts: self.receipts(outermost)?,
            runs: self.runs(ord)?,
            tables: if hidden { Vec::new() } else { self.table_heads(None, Some(ord))? },
            member_count: members.total.unwrap_or_default(),
            members: members.items,
            chain,
            head,
        }))
    }

    /// Containers from the innermost to the outermost, and the outermost exhibit.
    pub(super) fn chain(&self, ord: i64) -> Result<(Vec<Derivation>, i64)> {
        let mut query = self.db()?.prepare_cached(
            "SELECT c.id, c.name, x.member, x.codec, x.ord, c.ord
             FROM exhibit x JOIN exhibit c ON c.ord = x.container WHERE x.ord = ?",
        )?;
        let (mut chain, mut at) = (Vec::new(), ord);
        // A container was sealed before its members: the places fall, so this ends.
        while let Some(next) = {
            let mut found = query.query([at])?;
            match found.next()? {
                Some(row) => {
                    chain.push(Derivation {
                        container: rows::exhibit(row, 0)?,
                        container_name: row.get(1)?,
                        member: row.get::<_, Option<String>>(2)?.unwrap_or_default(),
                        codec: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
                        record: row.get::<_, i64>(4)? as u64,
                    });
                    Some(row.get::<_, i64>(5)?).filter(|c| *c < at)
                }
                None => None,
            }
        } {
            at = next;
        }
        Ok((chain, at))
    }

    fn receipts(&self, ord: i64) -> Result<Vec<Acquisition>> {
        let db = self.db()?;
        let mut query = db.prepare_cached(
            "SELECT record, coalesce(path, member, ''), item, authorisation, seized_by, seized_at,
                    time, actor, note FROM receipt WHERE exhibit = ?
               -- What it is called inside something that is hidden is hidden too.
               AND (container IS NULL OR container NOT IN
                 (SELECT id FROM exhibit WHERE ord IN (SELECT ord FROM hidden)))
             ORDER BY record LIMIT 1000",
        )?;
        let mut sums = db.prepare_cached(
            "SELECT s.algorithm, s.claimed, coalesce(f.name, ''), s.agrees
             FROM sum s LEFT JOIN exhibit f ON f.id = s.sums_exhibit
               AND f.ord NOT IN (SELECT ord FROM hidden)
             WHERE s.exhibit = (SELECT id FROM exhibit WHERE ord = ?) ORDER BY s.record LIMIT 1000",
        )?;
        let mut found = query.query([ord])?;
        let mut receipts = Vec::new();
        while let Some(row) = found.next()? {
            receipts.push(Acquisition {
                record: row.get::<_, i64>(0)? as u64,
                path: row.get(1)?,
                item: row.get(2)?,
                authorisation: row.get(3)?,
                seized_by: row.get(4)?,
                seized_at: row.get(5)?,
                sealed_at: row.get(6)?,
                actor: row.get(7)?,
                note: row.get(8)?,
                sums: Vec::new(),
            });
        }
        if let Some(first) = receipts.first_mut() {
            first.sums = sums
                .query_map([ord], |row| {
                    Ok(SumCheck {
                        algorithm: row.get(0)?,
                        stated: row.get(1)?,
                        file: row.get(2)?,
                        agrees: row.get(3)?,
                    })
                })?
                .collect::<std::result::Result<_, _>>()?;
        }
        Ok(receipts)
    }

    fn runs(&self, ord: i64) -> Result<Vec<ParserRun>> {
        let mut query = self.db()?.prepare_cached(
            "SELECT r.record, r.parser || '/' || r.version, r.time, r.facts, r.rows, r.problems,
                    lower(hex(r.digest)), l.bytes_read, l.bytes_filler, l.bytes_lost
             FROM run r LEFT JOIN loaded l ON l.record = r.record
             WHERE r.exhibit = ? ORDER BY r.record",
        )?;
        let runs = query.query_map([ord], |row| {
            let number = |i| row.get::<_, Option<i64>>(i).map(|n| n.unwrap_or(0) as u64);
            Ok(ParserRun {
                record: number(0)?,
                parser: row.get(1)?,
                time: row.get(2)?,
                facts: number(3)?,
                rows: number(4)?,
                problems: number(5)?,
                digest: row.get(6)?,
                coverage: (number(7)?, number(8)?, number(9)?),
                current: row.get::<_, Option<i64>>(7)?.is_some(),
            })
        })?;
        Ok(runs.collect::<std::result::Result<_, _>>()?)
    }

    /// The bytes of an exhibit, unmasked: for what masks them itself.
    pub(crate) fn open_bytes(&self, id: &ExhibitId) -> Result<(Bytes, i64)> {
        let (place, ord) = self.place_of(id)?;
        Ok((Bytes::open(self.dir(), id, place.as_deref())?, ord))
    }

    /// The file that holds an exhibit's bytes, whole.
    ///
    /// # Errors
    /// No such exhibit; it is privileged.
    pub fn path_of(&self, id: &ExhibitId) -> Result<PathBuf> {
        let (place, _) = self.place_of(id)?;
        let path = place.unwrap_or_else(|| vault::exhibit_path(self.dir(), id));
        Ok(path.canonicalize().unwrap_or(path))
    }

    /// Where an exhibit's bytes stay, where it was sealed in place; and its number in the views.
    fn place_of(&self, id: &ExhibitId) -> Result<(Option<PathBuf>, i64)> {
        let missing = || Error::NotFound { what: format!("the exhibit {id}") };
        let db = self.db()?;
        let ord = crate::views::ord_of(db, id)?.ok_or_else(missing)?;
        let (place, hidden): (Option<Vec<u8>>, bool) = db.query_row(
            "SELECT in_place, ord IN (SELECT ord FROM hidden) FROM exhibit WHERE ord = ?",
            [ord],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        if hidden {
            return Err(Error::Privileged(*id));
        }
        Ok((place.map(|p| PathBuf::from(OsStr::from_bytes(&p))), ord))
    }

    /// Bytes of an exhibit from `start` on, at most `len` and [`MAX_BYTES`], secrets masked: the
    /// spans of secret facts; in tables with secret columns those fields, or the whole row where
    /// they cannot be told apart; beside such tables what could not be read; and all of a workbook
    /// with such a sheet, whose texts stand apart from its rows.
    ///
    /// # Errors
    /// No such exhibit; it is privileged; its bytes are gone.
    pub fn bytes(&self, id: ExhibitId, start: u64, len: usize) -> Result<MaskedBytes> {
        let (source, ord) = self.open_bytes(&id)?;
        let size = source.size();
        let start = start.min(size);
        let end = start.saturating_add(len.min(MAX_BYTES) as u64).min(size);
        let read = |source| Error::Read { path: id.to_string().into(), source };
        let mut bytes = source.range(start, end).map_err(read)?;
        let masked = self.masks(ord, &source, start, end)?;
        for span in &masked {
            let from = usize::try_from(span.start.max(start) - start)?;
            let to = usize::try_from(span.end.min(end).max(start) - start)?.min(bytes.len());
            if let Some(part) = bytes.get_mut(from..to) {
                part.fill(b'*');
            }
        }
        Ok(MaskedBytes { start, bytes, masked, size })
    }

    /// The spans of secrets that overlap `start..end`, joined where they touch.
    pub(crate) fn masks(
        &self,
        ord: i64,
        source: &Bytes,
        start: u64,
        end: u64,
    ) -> Result<Vec<MaskedSpan>> {
        let db = self.db()?;
        let mut spans = Vec::new();
        // A secret is a field: none is longer than what a parser's window holds.
        const LONGEST: u64 = 64 << 20;
        let mut query = db.prepare_cached(
            "SELECT start, end FROM secret WHERE exhibit = ? AND start >= ? AND start < ? AND end > ?",
        )?;
        let low = start.saturating_sub(LONGEST) as i64;
        let mut found = query.query((ord, low, end as i64, start as i64))?;
        while let Some(row) = found.next()? {
            spans.push(MaskedSpan {
                start: row.get::<_, i64>(0)? as u64,
                end: row.get::<_, i64>(1)? as u64,
            });
        }
        let parser: Option<String> = db
            .prepare_cached("SELECT parser FROM loaded WHERE exhibit = ?")?
            .query_row([ord], |row| row.get(0))
            .optional()?;
        let mut query = db.prepare_cached(
            "SELECT b.id, b.file, b.role = 'payments' FROM bulk b WHERE b.exhibit = ? AND EXISTS
               (SELECT 1 FROM bulk_column c WHERE c.bulk = b.id AND c.secret)",
        )?;
        let mut found = query.query([ord])?;
        let mut holds = false;
        while let Some(row) = found.next()? {
            holds = true;
            let (bulk, name): (i64, Option<String>) = (row.get(0)?, row.get(1)?);
            let payments: bool = row.get(2)?;
            let Some(name) = name else { continue };
            let file = self.table_file(&name)?;
            let mut secret = self.secret_columns(bulk)?;
            let mut form = match parser.as_deref() {
                Some(p) if p == intake::dump::PARSER.name => Form::Tuples,
                Some(p) if p == intake::tables::CSV.name => Form::separated(source),
                _ => Form::Other,
            };
            // Payments have columns of their own: where the source's stand, its header says.
            if payments && matches!(form, Form::Separated(_)) {
                match self.places_in_source(bulk, source)? {
                    Some(places) => secret = places,
                    None => form = Form::Other,
                }
            }
            let rows = Rows { source, secret, columns: file.columns(), form };
            row_masks(&file, &rows, start, end, &mut spans)?;
        }
        if holds && parser.as_deref() == Some(intake::xlsx::PARSER.name) {
            spans.push(MaskedSpan { start: 0, end: source.size() });
        }
        if holds {
            let mut query = db.prepare_cached(
                "SELECT start, end FROM problem
                 WHERE id >= ? AND id < ? AND lost AND start < ? AND end > ?",
            )?;
            let mut found = query.query((ord << 32, (ord + 1) << 32, end as i64, start as i64))?;
            while let Some(row) = found.next()? {
                spans.push(MaskedSpan {
                    start: row.get::<_, i64>(0)? as u64,
                    end: row.get::<_, i64>(1)? as u64,
                });
            }
        }
        spans.sort_by_key(|s| (s.start, s.end));
        let mut joined: Vec<MaskedSpan> = Vec::with_capacity(spans.len());
        for span in spans {
            match joined.last_mut() {
                Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
                _ => joined.push(span),
            }
        }
        Ok(joined)
    }

    /// Where the secret columns of a table of payments stand in the CSV file that it was read from.
    fn places_in_source(&self, bulk: i64, source: &Bytes) -> Result<Option<Vec<usize>>> {
        let mut query = self
            .db()?
            .prepare_cached("SELECT name FROM bulk_column WHERE bulk = ? AND secret ORDER BY n")?;
        let names = query.query_map([bulk], |row| row.get(0))?;
        let names = names.collect::<std::result::Result<Vec<String>, _>>()?;
        let Ok(head) = source.range(0, source.size().min(1 << 20)) else { return Ok(None) };
        Ok(intake::tables::places_of(&head, &names))
    }

    fn secret_columns(&self, bulk: i64) -> Result<Vec<usize>> {
        let mut query = self
            .db()?
            .prepare_cached("SELECT n FROM bulk_column WHERE bulk = ? AND secret ORDER BY n")?;
        let columns = query.query_map([bulk], |row| row.get::<_, i64>(0))?;
        Ok(columns
            .collect::<std::result::Result<Vec<_>, _>>()?
            .into_iter()
            .map(|n| n as usize)
            .collect())
    }

    /// Problems in the order of exhibits and places; material that could not be read at all first.
    ///
    /// # Errors
    /// The views cannot be read; no such page.
    pub fn problems(&self, filter: &ProblemFilter, paging: &Paging) -> Result<Page<ProblemRow>> {
        let db = self.db()?;
        let limit = paging.limit.clamp(1, MAX_PAGE);
        let after = match &paging.after {
            Some(after) => rows::number(&rows::parts(after, 1)?[0])?,
            None => i64::MIN,
        };
        let mut items = Vec::new();
        let unread_too =
            filter.exhibit.is_none() && filter.kind.is_none_or(|kind| kind == ProblemKind::Medium);
        if unread_too && after < 0 {
            // Their places are their records, below zero: before every exhibit's.
            let mut query = db.prepare_cached(
                "SELECT record + ?1, path, message FROM unread
                 WHERE record + ?1 > ?2 ORDER BY record LIMIT ?3",
            )?;
            let mut found = query.query((i64::MIN + 1, after, limit as i64 + 1))?;
            while let Some(row) = found.next()? {
                let problem = ProblemRow {
                    exhibit: None,
                    path: row.get(1)?,
                    start: 0,
                    end: 0,
                    kind: ProblemKind::Medium,
                    message: row.get(2)?,
                    lost: true,
                };
                items.push((row.get::<_, i64>(0)?, problem));
            }
        }
        let mut terms = vec![format!("p.id > {after}")];
        if let Some(kind) = filter.kind {
            terms.push(format!("p.kind = '{}'", kind.as_str()));
        }
        if let Some(exhibit) = &filter.exhibit {
            let ord = crate::views::ord_of(db, exhibit)?.unwrap_or(-1);
            terms.push(format!("p.id >= {} AND p.id < {}", ord << 32, (ord + 1) << 32));
        }
        let mut query = db.prepare_cached(&format!(
            "SELECT p.id, x.id, x.name, p.start, p.end, p.kind, p.message, p.lost
             FROM problem p JOIN exhibit x ON x.ord = p.id >> 32
             WHERE {} ORDER BY p.id LIMIT {}",
            terms.join(" AND "),
            (limit + 1).saturating_sub(items.len())
        ))?;
        let mut found = query.query([])?;
        while let Some(row) = found.next()? {
            let word: String = row.get(5)?;
            let problem = ProblemRow {
                exhibit: Some(rows::exhibit(row, 1)?),
                path: row.get(2)?,
                start: row.get::<_, i64>(3)? as u64,
                end: row.get::<_, i64>(4)? as u64,
                kind: problem_kind(&word),
                message: row.get(6)?,
                lost: row.get(7)?,
            };
            items.push((row.get(0)?, problem));
        }
        let mut next = None;
        if items.len() > limit {
            items.truncate(limit);
            next = items.last().map(|(id, _)| rows::cursor(&[&id.to_string()]));
        }
        let total: Option<i64> = match &filter.exhibit {
            Some(_) if filter.kind.is_some() => None,
            Some(id) => db
                .query_row(
                    "SELECT l.problems FROM loaded l JOIN exhibit x ON x.ord = l.exhibit
                     WHERE x.id = ?",
                    [id.0.as_slice()],
                    |row| row.get(0),
                )
                .optional()?,
            None => None,
        };
        let items = items.into_iter().map(|(_, problem)| problem).collect();
        Ok(Page { items, next, total: total.map(|n| n as u64) })
    }
}

/// How the rows of a table stand in their exhibit.
enum Form {
    /// A dump's tuples.
    Tuples,
    /// Lines of separated values.
    Separated(intake::csv::Dialect),
    Other,
}

impl Form {
    fn separated(source: &Bytes) -> Self {
        let head = source.range(0, source.size().min(64 << 10)).unwrap_or_default();
        intake::csv::detect(&head).map_or(Self::Other, Self::Separated)
    }
}

/// What is known of a table's rows when their secrets are sought.
struct Rows<'a> {
    source: &'a Bytes,
    secret: Vec<usize>,
    columns: usize,
    form: Form,
}

/// Longest row that is read again to find its fields.
const MAX_ROW: u64 = 1 << 20;

impl Rows<'_> {
    /// The spans of a row's secret fields; `None` where they cannot be told from its others.
    fn fields(&self, row: MaskedSpan) -> Option<Vec<MaskedSpan>> {
        if matches!(self.form, Form::Other) || row.end - row.start > MAX_ROW {
            return None;
        }
        let bytes = self.source.range(row.start, row.end).ok()?;
        match &self.form {
            Form::Tuples => {
                let values = intake::dump::reveal(&bytes)?;
                // Of another number of fields than the table has columns, a place says nothing.
                (values.len() == self.columns).then_some(())?;
                let place = |n: &usize| values.get(*n).map(|v| (v.start as u64, v.end as u64));
                self.secret.iter().map(|n| Some(row.within(place(n)?))).collect()
            }
            Form::Separated(dialect) => {
                let fields = intake::csv::fields(&bytes, *dialect)?;
                // A row may be short: what it does not have needs no mask.
                Some(
                    self.secret.iter().filter_map(|n| Some(row.within(*fields.get(*n)?))).collect(),
                )
            }
            Form::Other => None,
        }
    }
}

/// The secrets of a table's rows whose spans overlap `start..end`.
fn row_masks(
    file: &TableFile,
    rows: &Rows<'_>,
    start: u64,
    end: u64,
    spans: &mut Vec<MaskedSpan>,
) -> Result<()> {
    for group in 0..file.groups() {
        if !file.spans_may_overlap(group, start, end) {
            continue;
        }
        let batch = file.read(group, &[], 0, usize::MAX)?;
        for (from, to) in batch.starts.iter().zip(&batch.ends) {
            if *from >= end || *to <= start {
                continue;
            }
            let whole = MaskedSpan { start: *from, end: *to };
            match rows.fields(whole) {
                Some(fields) => spans.extend(fields),
                None => spans.push(whole),
            }
        }
    }
    Ok(())
}
