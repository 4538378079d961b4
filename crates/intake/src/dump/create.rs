//! `CREATE TABLE`: the columns and their types.

use model::ColumnType;

use super::token::{Cursor, Name};
use super::value::Mode;

/// The most columns a table may have: MySQL's own bound.
pub(crate) const MAX_COLUMNS: usize = 4096;

/// A table's definition, offsets within the statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Definition {
    pub(crate) db: Option<Name>,
    pub(crate) name: Name,
    pub(crate) columns: Vec<(Name, ColumnType)>,
}

/// Reads a `CREATE TABLE` statement. `None` where it is none, or has no column list (`LIKE`, `AS`).
pub(crate) fn read(statement: &[u8], mode: Mode) -> Option<Definition> {
    let mut c = Cursor::new(statement, mode);
    if !c.keyword("create") {
        return None;
    }
    if c.keyword("or") && !c.keyword("replace") {
        return None;
    }
    c.keyword("temporary");
    if !c.keyword("table") {
        return None;
    }
    if c.keyword("if") && !(c.keyword("not") && c.keyword("exists")) {
        return None;
    }
    let (db, name) = c.qualified()?;
    if !c.symbol(b'(') {
        return None;
    }
    let mut columns = Vec::new();
    while c.peek().is_some_and(|b| b != b')') && columns.len() < MAX_COLUMNS {
        let bare = c.peek().is_some_and(|b| b != b'`' && b != b'"');
        let Some(column) = c.name() else { break };
        if !(bare && is_key(&column.text)) {
            columns.push((column, column_type(&mut c)));
        }
        c.item();
        if !c.symbol(b',') {
            break;
        }
    }
    (!columns.is_empty()).then_some(Definition { db, name, columns })
}

/// True for what starts a key or a constraint.
fn is_key(word: &str) -> bool {
    const KEYS: [&str; 9] = [
        "primary",
        "unique",
        "key",
        "index",
        "fulltext",
        "spatial",
        "constraint",
        "foreign",
        "check",
    ];
    KEYS.iter().any(|k| word.eq_ignore_ascii_case(k)) || word.eq_ignore_ascii_case("period")
}

/// The type behind a column's name.
fn column_type(c: &mut Cursor<'_>) -> ColumnType {
    let word = c.word().to_ascii_lowercase();
    match word.as_slice() {
        b"tinyint" | b"smallint" | b"mediumint" | b"int" | b"integer" | b"bigint" | b"int1"
        | b"int2" | b"int3" | b"int4" | b"int8" | b"bool" | b"boolean" | b"serial" | b"year"
        | b"bit" => ColumnType::Int,
        b"float" | b"double" | b"real" | b"float4" | b"float8" => ColumnType::Real,
        b"binary"
        | b"varbinary"
        | b"tinyblob"
        | b"blob"
        | b"mediumblob"
        | b"longblob"
        | b"geometry"
        | b"point"
        | b"linestring"
        | b"polygon"
        | b"multipoint"
        | b"multilinestring"
        | b"multipolygon"
        | b"geometrycollection"
        | b"geomcollection" => ColumnType::Bytes,
        _ => ColumnType::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_columns_past_keys_defaults_and_comments() {
        let sql = b"CREATE TABLE IF NOT EXISTS `d`.`a``b` (\n  `id` int(11) unsigned NOT NULL AUTO_INCREMENT,\n \
            key_name varchar(10) DEFAULT 'x,)\\'y' COMMENT 'a, b', `key` enum('a','b)') ,\n\
            `f` double(10,2) DEFAULT 0.00, d decimal(10,2), b mediumblob, \
            `g` int GENERATED ALWAYS AS ((`id` + 1)) /*!50606 VIRTUAL */, -- it's\n\
            PRIMARY KEY (`id`,`f`), KEY `x` (`key`(10)), CONSTRAINT c FOREIGN KEY (`id`) REFERENCES y (`id`))\
            ENGINE=InnoDB";
        let def = read(sql, Mode::default()).unwrap();
        assert_eq!((def.db.unwrap().text.as_str(), def.name.text.as_str()), ("d", "a`b"));
        let columns: Vec<(&str, ColumnType)> =
            def.columns.iter().map(|(n, t)| (n.text.as_str(), *t)).collect();
        use ColumnType::{Bytes, Int, Real, Text};
        assert_eq!(
            columns,
            [
                ("id", Int),
                ("key_name", Text),
                ("key", Text),
                ("f", Real),
                ("d", Text),
                ("b", Bytes),
                ("g", Int)
            ]
        );
        assert_eq!(read(b"CREATE TABLE a LIKE b", Mode::default()), None);
        assert_eq!(read(b"CREATE VIEW a AS SELECT 1", Mode::default()), None);
    }
}
