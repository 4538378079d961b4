//! Bulk tables: filtered and paged rows.

use std::fmt;
use std::str::FromStr;

use model::{ColumnType, ExhibitId, Meaning, TableRole};

use super::Page;
use crate::{Error, Result};

/// A bulk table as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableHead {
    /// Its id in URLs and queries: 16 hexadecimal digits of the exhibit's id, `-`, the table's
    /// number in the exhibit. The same after any rebuild.
    pub id: String,
    /// The name it has in SQL: made of its source name, unique in the case.
    pub sql_name: String,
    /// Its name in the source. Hostile text.
    pub name: String,
    /// Its database; empty where there is none.
    pub db: String,
    /// What it is for.
    pub role: TableRole,
    /// Its exhibit.
    pub exhibit: ExhibitId,
    /// The exhibit's name.
    pub exhibit_name: String,
    /// The panel it belongs to (text of its canonical key), if any.
    pub panel: Option<String>,
    /// Rows.
    pub rows: u64,
    /// Values that are present in them.
    pub present: u64,
    /// Its columns.
    pub columns: Vec<TableColumn>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumn {
    /// Its name in the source. Hostile text.
    pub name: String,
    /// Its type.
    pub ty: ColumnType,
    /// What it holds.
    pub meaning: Option<Meaning>,
    /// Its values are masked.
    pub secret: bool,
    /// Single values are found at once.
    pub indexed: bool,
}

/// How a term compares. Text compares bytewise; an indexed MAC, e-mail or address compares in its
/// normal form, so that any way of writing it finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Text that starts so.
    Prefix,
    /// Text that holds this (a scan).
    Contains,
    /// At least.
    Ge,
    /// At most.
    Le,
    /// Not ended at that moment, in seconds since the epoch: greater, or absent or 0, which is how
    /// panels write that something never ends.
    Unexpired,
    /// Absent.
    Null,
    /// Present.
    Present,
}

impl Op {
    /// Every comparison.
    pub fn all() -> impl Iterator<Item = Self> {
        OPS.iter().map(|(op, _)| *op)
    }
}

/// One condition on one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The column's name.
    pub column: String,
    /// How it compares.
    pub op: Op,
    /// With what; empty for [`Op::Null`] and [`Op::Present`].
    pub value: String,
}

/// The URL form of an operator.
const OPS: &[(Op, &str)] = &[
    (Op::Eq, "eq"),
    (Op::Ne, "ne"),
    (Op::Prefix, "prefix"),
    (Op::Contains, "contains"),
    (Op::Ge, "ge"),
    (Op::Le, "le"),
    (Op::Unexpired, "unexpired"),
    (Op::Null, "null"),
    (Op::Present, "present"),
];

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(OPS.iter().find(|(op, _)| op == self).map_or("eq", |(_, name)| name))
    }
}

impl FromStr for Op {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        OPS.iter()
            .find(|(_, name)| *name == text)
            .map(|(op, _)| *op)
            .ok_or_else(|| Error::Asked(format!("no such comparison: {text:?}")))
    }
}

/// The URL form of a term is `op:column:value` (before percent-encoding), one parameter `f` a term:
/// `?f=eq:owner_id:17&f=prefix:username:ab`. A `:` in a column's name is written `::`.
impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.op, self.column.replace(':', "::"), self.value)
    }
}

impl FromStr for Term {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let bad = || Error::Asked(format!("a filter is op:column:value, not {text:?}"));
        let (op, rest) = text.split_once(':').ok_or_else(bad)?;
        let op = op.parse()?;
        let bytes = rest.as_bytes();
        let mut at = 0;
        loop {
            match bytes.get(at) {
                None => break,
                Some(b':') if bytes.get(at + 1) == Some(&b':') => at += 2,
                Some(b':') => break,
                Some(_) => at += 1,
            }
        }
        let column = rest[..at].replace("::", ":");
        let value = rest.get(at + 1..).unwrap_or("").to_owned();
        if column.is_empty() {
            return Err(bad());
        }
        Ok(Self { column, op, value })
    }
}

/// Conditions that must all hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The conditions.
    pub terms: Vec<Term>,
}

impl Filter {
    /// From the `f` parameters of a URL.
    pub fn parse<'a>(terms: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let terms = terms.into_iter().map(str::parse).collect::<Result<_>>()?;
        Ok(Self { terms })
    }
}

/// Which rows of which table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableQuery {
    /// [`TableHead::id`].
    pub table: String,
    /// Conditions.
    pub filter: Filter,
    /// Columns wanted, by name, in this order; empty for all.
    pub columns: Vec<String>,
    /// In the order of a column; `None` for the source's order.
    pub order: Option<Order>,
}

/// The order of a column's values. Text compares bytewise, an indexed MAC, e-mail or address in its
/// normal form. Rows without a value stand last either way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The column's name.
    pub column: String,
    /// The greatest first.
    pub descending: bool,
}

/// The URL form of an order is `asc:column` or `desc:column`.
impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", if self.descending { "desc" } else { "asc" }, self.column)
    }
}

impl FromStr for Order {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let (descending, column) = match text.split_once(':') {
            Some(("asc", column)) => (false, column),
            Some(("desc", column)) => (true, column),
            _ => {
                let why = format!("an order is asc:column or desc:column, not {text:?}");
                return Err(Error::Asked(why));
            }
        };
        Ok(Self { column: column.to_owned(), descending })
    }
}

impl TableColumn {
    /// True where an index holds its values in the order that they compare in: one of numbers holds
    /// them as they are written.
    pub fn in_order(&self) -> bool {
        self.indexed && !self.secret && self.ty == ColumnType::Text
    }
}

/// A cell as it may be shown.
#[derive(Debug, Clone, PartialEq)]
pub enum CellValue {
    /// Absent.
    Null,
    /// An integer.
    Int(i64),
    /// Floating point.
    Real(f64),
    /// Text. Hostile.
    Text(String),
    /// Bytes of no stated encoding.
    Bytes(Vec<u8>),
    /// A secret is there, and is not shown.
    Masked,
}

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its number in the table, from 0 on.
    pub number: u64,
    /// First byte in the exhibit.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
    /// Its cells, in the order of [`Rows::columns`].
    pub cells: Vec<CellValue>,
}

/// A page of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The table.
    pub table: TableHead,
    /// The columns shown.
    pub columns: Vec<TableColumn>,
    /// The rows.
    pub page: Page<Row>,
    /// True where a bound on rows looked at was reached before the page was full: `page.next`
    /// goes on from there.
    pub partial: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_reads_back() {
        for text in ["eq:owner:17", "prefix:user_name:a:b", "null:x:", "ge:a::b:1"] {
            let term: Term = text.parse().unwrap();
            assert_eq!(term.to_string(), text);
        }
        let term: Term = "ge:a::b:1".parse().unwrap();
        assert_eq!((term.column.as_str(), term.value.as_str()), ("a:b", "1"));
        assert!("bogus:a:b".parse::<Term>().is_err());
        assert!("eq".parse::<Term>().is_err());
    }
}
