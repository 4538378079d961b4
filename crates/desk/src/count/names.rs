//! What bulk tables are called in SQL.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use crate::Result;

/// The name in the source, as far as SQL likes it.
fn plain(name: &str) -> String {
    let mut out: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
        .take(60)
        .collect();
    if out.is_empty() || out.starts_with(|c: char| c.is_ascii_digit()) {
        out.insert_str(0, "t_");
    }
    out
}

/// Gives each table a name that is its own: that of its source where no other table has it, else
/// with the first digits of its exhibit. It depends on the case's tables alone.
pub(super) fn fill(db: &Connection) -> Result<()> {
    let mut views = db.prepare("SELECT name FROM sqlite_schema")?;
    let mut taken: BTreeSet<String> = views
        .query_map([], |row| row.get::<_, String>(0))?
        .collect::<std::result::Result<_, _>>()?;
    taken.extend(crate::sql::SURFACE.map(str::to_owned));
    let mut query = db.prepare(
        "SELECT b.id, b.name, lower(hex(e.id)), b.number FROM bulk b
         JOIN exhibit e ON e.ord = b.exhibit ORDER BY 3, b.number",
    )?;
    let mut found = query.query([])?;
    let mut by_name: BTreeMap<String, Vec<(i64, String, i64)>> = BTreeMap::new();
    while let Some(row) = found.next()? {
        let name: String = row.get(1)?;
        by_name.entry(plain(&name)).or_default().push((row.get(0)?, row.get(2)?, row.get(3)?));
    }
    let mut set = db.prepare("UPDATE bulk SET sql_name = ? WHERE id = ?")?;
    let mut given = BTreeSet::new();
    for (name, tables) in by_name {
        let alone = tables.len() == 1 && !taken.contains(&name) && !name.starts_with("sqlite");
        for (id, exhibit, number) in tables {
            let mut full = if alone { name.clone() } else { format!("{name}_{}", &exhibit[..6]) };
            if !given.insert(full.clone()) {
                full = format!("{name}_{}_{number}", &exhibit[..12]);
                given.insert(full.clone());
            }
            set.execute((full, id))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_suit_sql() {
        assert_eq!(super::plain("12_Users é"), "t_12_users__");
        assert_eq!(super::plain(""), "t_");
    }
}
