//! Where those of a kind stand that are not stored: rows of bulk tables that nothing else names.

use model::{EntityKind, LinkKind, TableRole};

use super::Snapshot;
use super::entity::{EntityHead, LinkRow};
use super::table::{Filter, Op, TableHead, TableQuery, Term};
use super::tables::number_of;
use crate::Result;
use crate::count;
use crate::tables::index_name;

/// How many of a kind there are by its counting rule, and where they are found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KindTotal {
    /// All of them.
    pub count: u64,
    /// Those that are stored, and so listed.
    pub stored: u64,
    /// Tables whose rows name some, stored or not, by exhibit and number; empty where all are
    /// stored.
    pub holders: Vec<Holder>,
    /// True where more tables than [`KindTotal::MOST`] do.
    pub more: bool,
}

impl KindTotal {
    /// Most holders given.
    pub const MOST: usize = 50;

    /// Those that stand in rows only.
    pub fn rest(&self) -> u64 {
        self.count.saturating_sub(self.stored)
    }
}

/// A table whose rows name things of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The table.
    pub table: TableHead,
    /// The rows that do.
    pub rows: TableQuery,
    /// The columns that name them.
    pub columns: Vec<String>,
}

impl Snapshot {
    /// All entities by the kinds' counting rules, rows of bulk tables included.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn entity_total(&self, kind: EntityKind) -> Result<KindTotal> {
        let mut total = self.counted("entity", kind as i64)?;
        if total.rest() == 0 {
            return Ok(total);
        }
        for table in self.table_heads(None, None)? {
            let mut columns = Vec::new();
            for (n, column) in table.columns.iter().enumerate().filter(|(_, c)| c.indexed) {
                let Some(meaning) = column.meaning else { continue };
                let Some(prefix) = count::names(kind, table.role, meaning) else { continue };
                if self.any_with(&table, n, prefix)? {
                    columns.push((column.name.clone(), prefix));
                }
            }
            if columns.is_empty() {
                continue;
            }
            if total.holders.len() == KindTotal::MOST {
                total.more = true;
                break;
            }
            // Conditions must all hold: where two columns name some, no condition selects both.
            let terms = match columns.as_slice() {
                [(column, "")] => vec![term(column, Op::Present, "")],
                [(column, prefix)] => vec![term(column, Op::Prefix, prefix)],
                _ => Vec::new(),
            };
            total.holders.push(Holder {
                rows: query(&table, terms),
                table,
                columns: columns.into_iter().map(|(column, _)| column).collect(),
            });
        }
        Ok(total)
    }

    /// All links of a kind by its counting rule, rows of bulk tables included.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn link_total(&self, kind: LinkKind) -> Result<KindTotal> {
        let mut total = self.counted("link", kind as i64)?;
        let Some(role) = count::stated_by(kind).filter(|_| total.rest() > 0) else {
            return Ok(total);
        };
        let mut pair = self.db()?.prepare_cached(
            "SELECT c.name FROM bulk_index i
             JOIN bulk_column c ON c.bulk = i.bulk AND c.n IN (i.n, i.second)
             JOIN bulk b ON b.id = i.bulk JOIN exhibit e ON e.ord = b.exhibit
             WHERE i.what = 'pair' AND i.keys > 0 AND e.id = ? AND b.number = ? ORDER BY c.n",
        )?;
        for table in self.table_heads(None, None)?.into_iter().filter(|t| t.role == role) {
            let columns: Vec<String> = pair
                .query_map((table.exhibit.0.as_slice(), number_of(&table)), |r| r.get(0))?
                .collect::<std::result::Result<_, _>>()?;
            if columns.is_empty() {
                continue;
            }
            if total.holders.len() == KindTotal::MOST {
                total.more = true;
                break;
            }
            let terms = columns.iter().map(|column| term(column, Op::Present, "")).collect();
            total.holders.push(Holder { rows: query(&table, terms), table, columns });
        }
        Ok(total)
    }

    /// The tables whose rows state one link, each with how many of its rows do.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn link_holders(&self, link: &LinkRow) -> Result<Vec<(Holder, u64)>> {
        let role = count::stated_by(link.kind).filter(|role| *role != TableRole::Payments);
        let mut holders = Vec::new();
        let mut numbers = self.db()?.prepare_cached(
            "SELECT b.id FROM bulk b WHERE b.role = ? AND EXISTS
               (SELECT 1 FROM bulk_index i WHERE i.bulk = b.id AND i.what = 'pair')
             ORDER BY b.id LIMIT 10000",
        )?;
        let Some(role) = role else { return Ok(holders) };
        let numbers: Vec<i64> = numbers
            .query_map([role.as_str()], |row| row.get(0))?
            .collect::<std::result::Result<_, _>>()?;
        for number in numbers {
            let rows = self.rows_of_link(number, link.kind, &link.from, &link.to)?;
            let (Some(rows), Some(table)) = (rows, self.table_by_number(number)?) else { continue };
            // Numbers of lines and operators mean something within their panel alone.
            if role == TableRole::Lines && panel_of_table(&table) != panel_of_line(&link.from) {
                continue;
            }
            let stating = self.stating(&rows, link.kind, &link.from, &link.to)?;
            if stating > 0 {
                let columns = rows.filter.terms.iter().map(|term| term.column.clone()).collect();
                holders.push((Holder { table, rows, columns }, stating));
                if holders.len() == KindTotal::MOST {
                    break;
                }
            }
        }
        Ok(holders)
    }

    fn counted(&self, sort: &str, kind: i64) -> Result<KindTotal> {
        let table = if sort == "link" { "link" } else { "entity" };
        let sql = format!(
            "SELECT (SELECT coalesce(SUM(count), 0) FROM tally WHERE sort = ?1 AND kind = ?2),
                    (SELECT COUNT(*) FROM {table} WHERE kind = ?2)"
        );
        let (count, stored): (i64, i64) = self
            .db()?
            .prepare_cached(&sql)?
            .query_row((sort, kind), |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(KindTotal { count: count as u64, stored: stored as u64, ..KindTotal::default() })
    }

    /// True where a column's index holds a key that begins so.
    fn any_with(&self, table: &TableHead, n: usize, prefix: &str) -> Result<bool> {
        if table.rows == 0 {
            return Ok(false);
        }
        let name = index_name(&table.exhibit, number_of(table), &format!("c{n}"));
        let index = self.index_file(&name)?;
        let mut cursor = index.seek(prefix.as_bytes());
        Ok(cursor.next()? && cursor.key.starts_with(prefix.as_bytes()))
    }
}

/// The locator of the panel that a line belongs to.
fn panel_of_line(line: &EntityHead) -> &str {
    line.key.rest().rsplit_once('/').map_or("", |(locator, _)| locator)
}

/// The locator of a table's panel; one whose panel is not known is of a panel of its own.
fn panel_of_table(table: &TableHead) -> String {
    match &table.panel {
        Some(panel) => panel.strip_prefix("panel:").unwrap_or(panel).to_owned(),
        None => format!("x{}/{}", &table.exhibit.to_string()[..32], table.db),
    }
}

fn term(column: &str, op: Op, value: &str) -> Term {
    Term { column: column.to_owned(), op, value: value.to_owned() }
}

fn query(table: &TableHead, terms: Vec<Term>) -> TableQuery {
    TableQuery { table: table.id.clone(), filter: Filter { terms }, ..TableQuery::default() }
}
