//! Rows of bulk tables: found by an index where a condition names one, else by a scan that skips
//! row groups whose least and greatest values cannot match; in the order of a column by its index,
//! else by a sort of its own (see [`super::sort`]).

use std::sync::Arc;

use model::{ExhibitId, Meaning};
use rusqlite::OptionalExtension;

use super::check::Check;
use super::table::{Op, Row, Rows, TableColumn, TableHead, TableQuery, Term};
use super::walk::{By, Place, Plan, Stretch, Walked};
use super::{MAX_PAGE, Page, Paging, Snapshot, rows};
use crate::index::normal_form;
use crate::tables::{TableFile, file_name, index_name, table_id};
use crate::views::{meaning_of_word, role_of_word, type_of_word};
use crate::{Error, Result};

/// Rows that one call looks at before it gives back what it has.
const MAX_LOOKED: u64 = 2_000_000;

/// What an index is asked for by a condition; `None` where it cannot answer it.
fn key_of(term: &Term, meaning: Meaning) -> Option<Vec<u8>> {
    match term.op {
        Op::Eq => normal_form(meaning, term.value.as_bytes()).map(std::borrow::Cow::into_owned),
        // A prefix of a normal form: MAC and e-mail addresses are lower case.
        _ => Some(match meaning {
            Meaning::Mac | Meaning::Email | Meaning::Address => {
                term.value.to_lowercase().into_bytes()
            }
            _ => term.value.clone().into_bytes(),
        }),
    }
}

/// A table's number in its exhibit.
pub(super) fn number_of(table: &TableHead) -> u32 {
    table.id.rsplit_once('-').and_then(|(_, n)| n.parse().ok()).unwrap_or(0)
}

impl Snapshot {
    /// Bulk tables, by exhibit and number.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn tables(&self, exhibit: Option<ExhibitId>) -> Result<Vec<TableHead>> {
        match exhibit {
            None => self.table_heads(None, None),
            Some(id) => match crate::views::ord_of(self.db()?, &id)? {
                Some(ord) => self.table_heads(None, Some(ord)),
                None => Ok(Vec::new()),
            },
        }
    }

    pub(super) fn table_heads(
        &self,
        number: Option<i64>,
        exhibit: Option<i64>,
    ) -> Result<Vec<TableHead>> {
        let db = self.db()?;
        let (low, high) = match (number, exhibit) {
            (Some(n), _) => (n, n + 1),
            (None, Some(ord)) => (ord << 16, (ord + 1) << 16),
            (None, None) => (i64::MIN, i64::MAX),
        };
        let mut query = db.prepare_cached(
            "SELECT b.id, e.id, b.number, b.name, b.db, b.role, b.panel, b.rows, e.name,
                    coalesce(b.sql_name, ''), b.present
             FROM bulk b JOIN exhibit e ON e.ord = b.exhibit
             WHERE b.id >= ? AND b.id < ? ORDER BY b.id",
        )?;
        let mut columns = db.prepare_cached(
            "SELECT c.name, c.ty, c.meaning, c.secret,
                    EXISTS (SELECT 1 FROM bulk_index i
                            WHERE i.bulk = c.bulk AND i.n = c.n AND i.what <> 'pair')
             FROM bulk_column c WHERE c.bulk = ? ORDER BY c.n",
        )?;
        let mut found = query.query((low, high))?;
        let mut heads = Vec::new();
        while let Some(row) = found.next()? {
            let exhibit = rows::exhibit(row, 1)?;
            let number: u32 = row.get(2)?;
            let id = table_id(&exhibit, number);
            let role: String = row.get(5)?;
            let mut sql_name: String = row.get(9)?;
            if sql_name.is_empty() {
                sql_name.clone_from(&id);
            }
            let columns = columns
                .query_map([row.get::<_, i64>(0)?], |row| {
                    let (ty, meaning): (String, Option<String>) = (row.get(1)?, row.get(2)?);
                    Ok(TableColumn {
                        name: row.get(0)?,
                        ty: type_of_word(&ty),
                        meaning: meaning.as_deref().and_then(meaning_of_word),
                        secret: row.get(3)?,
                        indexed: row.get(4)?,
                    })
                })?
                .collect::<std::result::Result<_, _>>()?;
            heads.push(TableHead {
                id,
                sql_name,
                name: row.get(3)?,
                db: row.get(4)?,
                role: role_of_word(&role),
                exhibit,
                exhibit_name: row.get(8)?,
                panel: row.get(6)?,
                rows: row.get::<_, i64>(7)? as u64,
                present: row.get::<_, i64>(10)? as u64,
                columns,
            });
        }
        Ok(heads)
    }

    /// A table's open file; `None` where it has no rows.
    pub(super) fn file_of(&self, table: &TableHead) -> Result<Option<Arc<TableFile>>> {
        match table.rows {
            0 => Ok(None),
            _ => self.table_file(&file_name(&table.exhibit, number_of(table))).map(Some),
        }
    }

    /// The number in the views of a table's id.
    fn table_number(&self, id: &str) -> Result<Option<i64>> {
        let Some((hex, number)) = id.split_once('-') else { return Ok(None) };
        let (Some(prefix), Ok(number)) = (model::id::unhex(hex), number.parse::<i64>()) else {
            return Ok(None);
        };
        if prefix.len() != 8 || !(0..1 << 16).contains(&number) {
            return Ok(None);
        }
        let mut low = [0u8; 32];
        low[..8].copy_from_slice(&prefix);
        let mut high = [0xffu8; 32];
        high[..8].copy_from_slice(&prefix);
        let ord: Option<i64> = self
            .db()?
            .query_row(
                "SELECT ord FROM exhibit WHERE id BETWEEN ? AND ? ORDER BY id LIMIT 1",
                (low.as_slice(), high.as_slice()),
                |row| row.get(0),
            )
            .optional()?;
        Ok(ord.map(|ord| ord << 16 | number))
    }

    /// A table by its id.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn table(&self, id: &str) -> Result<Option<TableHead>> {
        match self.table_number(id)? {
            Some(number) => Ok(self.table_heads(Some(number), None)?.into_iter().next()),
            None => Ok(None),
        }
    }

    /// How a query is answered: by the sort that its order needs, if it is at hand.
    pub(super) fn plan(&self, query: &TableQuery) -> Result<Plan> {
        self.plan_by(query, true)
    }

    /// How a query is answered. Without `prefixes`, rows come in the order of their numbers.
    pub(super) fn plan_by(&self, query: &TableQuery, prefixes: bool) -> Result<Plan> {
        let table = self
            .table(&query.table)?
            .ok_or_else(|| Error::NotFound { what: format!("the table {:?}", query.table) })?;
        let place = |name: &str| {
            table.columns.iter().position(|c| c.name == name).ok_or_else(|| {
                Error::Asked(format!("the table {} has no column {name:?}", table.name))
            })
        };
        let shown: Vec<usize> = if query.columns.is_empty() {
            (0..table.columns.len()).collect()
        } else {
            query.columns.iter().map(|c| place(c)).collect::<Result<_>>()?
        };
        let mut checks = Vec::new();
        let mut terms = Vec::new();
        for term in &query.filter.terms {
            let n = place(&term.column)?;
            checks.push((n, Check::new(term, &table.columns[n])));
            terms.push((n, term));
        }
        let number = number_of(&table);
        let file = self.file_of(&table)?;
        let index =
            |n: usize| self.index_file(&index_name(&table.exhibit, number, &format!("c{n}")));
        let mut stretches = Vec::new();
        let mut sorted = None;
        match &query.order {
            Some(order) if !query.by_index(&table) => {
                let column = &table.columns[place(&order.column)?];
                if column.secret {
                    return Err(Error::Asked(format!(
                        "rows cannot be had in the order of {:?}: its values are kept secret",
                        column.name
                    )));
                }
                let index = self.sorted(query).ok_or_else(|| {
                    Error::Asked("the rows are not sorted yet: ask again in a while".to_owned())
                })?;
                sorted = Some(index.rows());
                stretches = By::sorted(&index, order.descending).map(Stretch::Index).into();
            }
            order => {
                let by = match order {
                    Some(order) => Some((place(&order.column)?, order.descending)),
                    None => None,
                };
                // An equality on an indexed column, else a prefix on one, else the order asked for.
                let ops = if prefixes { &[Op::Eq, Op::Prefix][..] } else { &[Op::Eq] };
                let keyed = ops.iter().find_map(|op| {
                    terms.iter().find_map(|(n, term)| {
                        let column = &table.columns[*n];
                        let fits = term.op == *op
                            && column.indexed
                            && by.is_none_or(|(ordered, _)| ordered == *n);
                        let key = if fits { key_of(term, column.meaning?) } else { None };
                        Some((*n, key?, *op == Op::Prefix))
                    })
                });
                let descending = by.is_some_and(|(_, descending)| descending);
                if let Some((n, key, prefix)) = keyed {
                    let by = By { index: index(n)?, key, prefix, descending };
                    stretches.push(Stretch::Index(by));
                } else if let Some((n, descending)) = by {
                    let index = index(n)?;
                    let rest = index.rows() < table.rows;
                    let by = By { index, key: Vec::new(), prefix: true, descending };
                    stretches.push(Stretch::Index(by));
                    // What the index leaves out stands last, in the source's order.
                    if let (true, Some(meaning)) = (rest, table.columns[n].meaning) {
                        stretches.push(Stretch::Rows(Some((n, Check::Unindexed(meaning)))));
                    }
                } else {
                    stretches.push(Stretch::Rows(None));
                }
            }
        }
        Ok(Plan { table, shown, checks, file, stretches, sorted, looked: None })
    }

    /// A page of rows.
    ///
    /// # Errors
    /// No such table, column or page; a damaged file.
    pub fn rows(&self, query: &TableQuery, paging: &Paging) -> Result<Rows> {
        let limit = paging.limit.clamp(1, MAX_PAGE);
        let plan = self.plan(query)?;
        let mut items = Vec::new();
        let mut last = None;
        let after = paging.after.as_deref().map(Place::parse).transpose()?;
        let more = plan.walk(after, MAX_LOOKED, &mut |place, row| {
            if items.len() == limit {
                return false;
            }
            items.push(row);
            last = Some(place);
            true
        })?;
        let (next, partial) = match more {
            Walked::All => (None, false),
            Walked::Stopped => (last.map(|p| p.text()), false),
            Walked::Bound(place) => (Some(place.text()), true),
        };
        let total = plan.total()?;
        let columns = plan.shown.iter().map(|n| plan.table.columns[*n].clone()).collect();
        Ok(Rows { columns, page: Page { items, next, total }, partial, table: plan.table })
    }

    /// Every row of a query in order, for exports: `each` is handed one row after the other and
    /// says whether to go on. Waits for a sort that the order needs.
    ///
    /// # Errors
    /// No such table or column; a damaged file; a sort that cannot be made.
    pub fn each_row(&self, query: &TableQuery, each: &mut dyn FnMut(&Row) -> bool) -> Result<()> {
        self.wait_for_order(query)?;
        let plan = self.plan(query)?;
        plan.walk(None, u64::MAX, &mut |_, row| each(&row))?;
        Ok(())
    }

    /// How many rows a query selects; `None` where counting would take a scan of more than
    /// `most` rows.
    ///
    /// # Errors
    /// No such table or column; a damaged file.
    pub fn count_rows(&self, query: &TableQuery, most: u64) -> Result<Option<u64>> {
        let columns: Vec<String> =
            query.filter.terms.first().map(|t| t.column.clone()).into_iter().collect();
        let counted = TableQuery { columns, order: None, ..query.clone() };
        let plan = self.plan(&counted)?;
        if let Some(total) = plan.total()? {
            return Ok(Some(total));
        }
        let mut count = 0;
        let walked = plan.walk(None, most, &mut |_, _| {
            count += 1;
            true
        })?;
        Ok(matches!(walked, Walked::All).then_some(count))
    }
}
