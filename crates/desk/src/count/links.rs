//! Facts whose value is a key become links between entities.

use model::kinds::LINK_KINDS;
use rusqlite::Connection;

use super::word_id;
use crate::Result;

/// Fills `link` from facts. A link's kind is its place in the registry.
pub(super) fn fill(db: &Connection) -> Result<()> {
    let first = LINK_KINDS.first().map_or(1, |def| word_id(def.name));
    let last = first + LINK_KINDS.len() as i64 - 1;
    db.execute_batch(&format!(
        "INSERT INTO link (kind, src, dst, count, fact)
         SELECT f.property - {first}, s.entity, o.entity, COUNT(*), MIN(f.id)
         FROM fact f JOIN key s ON s.id = f.subject JOIN key o ON o.id = f.num
         WHERE f.tag = 5 AND f.property BETWEEN {first} AND {last}
           AND s.entity IS NOT NULL AND o.entity IS NOT NULL AND s.entity <> o.entity
         GROUP BY 1, 2, 3;"
    ))?;
    Ok(())
}

/// Lines that a playlist or an answer names and a panel's table holds: the operator they belong to.
pub(super) fn own_lines(
    case: &super::bulk::Case<'_>,
    add: &mut rusqlite::Statement<'_>,
) -> Result<()> {
    use model::{Cell, LinkKind, Meaning, TableRole};
    for table in case.tables.iter().filter(|t| t.role == TableRole::Lines) {
        let (Some(operator), Some(file)) = (table.with(Meaning::OperatorId), &table.file) else {
            continue;
        };
        let mut query = case.db.prepare_cached(
            "SELECT r.entity, r.n, r.value FROM entity_row r WHERE r.bulk = ? ORDER BY r.entity",
        )?;
        let named: Vec<(i64, i64, String)> = query
            .query_map([table.id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<std::result::Result<_, _>>()?;
        if named.is_empty() {
            continue;
        }
        let rows = crate::tables::TableFile::open(file)?;
        for (line, n, value) in named {
            let index =
                table.columns.iter().find(|(c, m, _)| *c as i64 == n && *m == Meaning::UserName);
            let Some((_, _, index)) = index else { continue };
            for row in index.rows_of(value.as_bytes(), 16)? {
                let Some(group) = rows.group_of(row) else { continue };
                let skip = usize::try_from(row - rows.first(group)).unwrap_or(0);
                let batch = rows.read(group, &[operator], skip, 1)?;
                let number = match batch.columns.first().map(|c| c.get(0)) {
                    Some(Cell::Int(n)) => n.to_string(),
                    Some(Cell::Text(t)) => t.to_owned(),
                    _ => continue,
                };
                let key = format!("operator:{}/{number}", table.panel);
                if let Some(id) = crate::views::find(case.db, &key)? {
                    let mut query =
                        case.db.prepare_cached("SELECT entity FROM key WHERE id = ?")?;
                    if let Some(owner) = query.query_row([id], |r| r.get::<_, Option<i64>>(0))? {
                        let none: Option<i64> = None;
                        let kind = LinkKind::OwnedBy as i64;
                        add.execute((kind, line, owner, 1, none, none, table.id))?;
                    }
                }
            }
        }
    }
    Ok(())
}
