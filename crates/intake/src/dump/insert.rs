//! The head of an INSERT or REPLACE: which table, which columns, where the tuples begin.

use super::token::{Cursor, Name};
use super::value::Mode;

/// What stands before the first tuple.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) db: Option<Name>,
    pub(crate) table: Name,
    /// The column list, if there is one.
    pub(crate) columns: Option<Vec<String>>,
    /// Where the tuples begin, behind `VALUES`.
    pub(crate) body: usize,
}

/// What a statement that begins like an INSERT is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Insert {
    /// Tuples follow.
    Values(Head),
    /// `INSERT … SELECT`, `INSERT … SET`: its rows are not read.
    Other,
    /// Cut, or not an INSERT.
    No,
}

/// Reads the head of a statement.
pub(crate) fn read(statement: &[u8], mode: Mode) -> Insert {
    let mut c = Cursor::new(statement, mode);
    if !(c.keyword("insert") || c.keyword("replace")) {
        return Insert::No;
    }
    while ["low_priority", "delayed", "high_priority", "ignore", "into"]
        .iter()
        .any(|k| c.keyword(k))
    {}
    let Some((db, table)) = c.qualified() else { return Insert::No };
    let mut columns = None;
    if c.symbol(b'(') {
        let mut list = Vec::new();
        loop {
            let Some((_, name)) = c.qualified() else { return Insert::Other };
            list.push(name.text);
            if c.symbol(b')') {
                break;
            }
            if !c.symbol(b',') {
                return Insert::No;
            }
        }
        columns = Some(list);
    }
    if c.keyword("values") || c.keyword("value") {
        Insert::Values(Head { db, table, columns, body: c.i })
    } else {
        Insert::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_heads() {
        let head = |sql: &str| match read(sql.as_bytes(), Mode::default()) {
            Insert::Values(h) => (h.table.text, h.columns, sql[h.body..].to_owned()),
            other => panic!("{sql}: {other:?}"),
        };
        assert_eq!(head("INSERT INTO `t` VALUES (1)"), ("t".into(), None, " (1)".into()));
        assert_eq!(
            head("insert ignore into d.t(`a``b`, c)\nVALUES\n\t(1,2)"),
            ("t".into(), Some(vec!["a`b".into(), "c".into()]), "\n\t(1,2)".into())
        );
        assert_eq!(head("REPLACE `t` VALUE(1)"), ("t".into(), None, "(1)".into()));
        assert_eq!(read(b"INSERT INTO t SELECT 1", Mode::default()), Insert::Other);
        assert_eq!(read(b"INSERT INTO t SET a=1", Mode::default()), Insert::Other);
        assert_eq!(read(b"UPDATE t SET a=1", Mode::default()), Insert::No);
    }
}
