//! Bulk tables in the counts: distinct values by merging sorted indexes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use model::kinds::{ENTITY_KINDS, LINK_KINDS};
use model::{EntityKind, Key, LinkKind, Meaning, TableRole};
use network::Resolved;
use rusqlite::{Connection, params};

use super::distinct::{Group, Held, KeyFilter};
use super::go_on;
use super::naming::{prefix_of, stated_by};
use crate::Result;
use crate::index::{IndexFile, split_pair};
use crate::views::{KeyBook, meaning_of_word, role_of_word};

/// A bulk table and its open indexes.
pub(super) struct Table {
    pub(super) id: i64,
    pub(super) role: TableRole,
    /// Its panel's locator, as far as it is known; a table without one is of a panel of its own.
    pub(super) panel: String,
    /// The locator as the exhibit gives it.
    pub(super) locator: Option<String>,
    pub(super) file: Option<PathBuf>,
    /// Column number and meaning of each column that has one.
    pub(super) meanings: Vec<(usize, Meaning)>,
    /// Indexes of single columns.
    pub(super) columns: Vec<(usize, Meaning, IndexFile)>,
    pub(super) pair: Option<IndexFile>,
}

impl Table {
    /// The first column with this meaning.
    pub(super) fn with(&self, meaning: Meaning) -> Option<usize> {
        self.meanings.iter().find(|(_, m)| *m == meaning).map(|(n, _)| *n)
    }
}

/// All bulk tables that may be seen.
pub(super) struct Case<'a> {
    pub(super) db: &'a Connection,
    pub(super) resolved: &'a Resolved,
    pub(super) tables: Vec<Table>,
    entities: BTreeMap<EntityKind, u64>,
    links: BTreeMap<LinkKind, u64>,
    /// Lines an operator owns, by panel locator and operator's number.
    pub(super) owned: BTreeMap<(String, String), u64>,
    /// Lines by panel locator, from tables.
    pub(super) lines: BTreeMap<String, u64>,
}

impl<'a> Case<'a> {
    /// Opens the tables' indexes; writes each table's panel down.
    pub(super) fn open(db: &'a Connection, folder: &Path, resolved: &'a Resolved) -> Result<Self> {
        let mut query = db.prepare(
            "SELECT b.id, b.role, b.locator, b.db, b.rows, b.file, e.id FROM bulk b
             JOIN exhibit e ON e.ord = b.exhibit
             ORDER BY b.id",
        )?;
        let mut rows = query.query([])?;
        let mut tables = Vec::new();
        while let Some(row) = rows.next()? {
            let locator: Option<String> = row.get(2)?;
            let own = || -> rusqlite::Result<String> {
                let exhibit: [u8; 32] = row.get(6)?;
                let (hex, db): (String, String) = (model::id::hex(&exhibit[..16]), row.get(3)?);
                Ok(format!("x{hex}/{db}"))
            };
            let panel = match &locator {
                Some(locator) => resolved.locator(locator).to_owned(),
                None => own()?,
            };
            let role: String = row.get(1)?;
            let file: Option<String> = row.get(5)?;
            tables.push(Table {
                id: row.get(0)?,
                role: role_of_word(&role),
                panel,
                locator,
                file: file.map(|f| folder.join(f)),
                meanings: Vec::new(),
                columns: Vec::new(),
                pair: None,
            });
        }
        super::names::fill(db)?;
        let mut columns =
            db.prepare("SELECT n, meaning FROM bulk_column WHERE bulk = ? AND meaning <> ''")?;
        let mut indexes =
            db.prepare("SELECT what, n, meaning, file FROM bulk_index WHERE bulk = ? ORDER BY n")?;
        let mut set = db.prepare("UPDATE bulk SET panel = ? WHERE id = ?")?;
        for table in &mut tables {
            if table.locator.is_some() {
                set.execute((format!("panel:{}", table.panel), table.id))?;
            }
            let mut rows = columns.query([table.id])?;
            while let Some(row) = rows.next()? {
                let word: String = row.get(1)?;
                if let Some(meaning) = meaning_of_word(&word) {
                    table.meanings.push((row.get::<_, i64>(0)? as usize, meaning));
                }
            }
            let mut rows = indexes.query([table.id])?;
            while let Some(row) = rows.next()? {
                let (what, file): (String, String) = (row.get(0)?, row.get(3)?);
                let index = IndexFile::open(&folder.join(file))?;
                if what == "pair" {
                    table.pair = Some(index);
                } else if let Some(meaning) =
                    row.get::<_, Option<String>>(2)?.as_deref().and_then(meaning_of_word)
                {
                    table.columns.push((row.get::<_, i64>(1)? as usize, meaning, index));
                }
            }
        }
        Ok(Self {
            db,
            resolved,
            tables,
            entities: BTreeMap::new(),
            links: BTreeMap::new(),
            owned: BTreeMap::new(),
            lines: BTreeMap::new(),
        })
    }

    /// Counts, writes `tally`, and stores rows that something else names as entities.
    pub(super) fn count(&mut self, keys: &mut KeyBook, cancel: &AtomicBool) -> Result<()> {
        self.count_facts()?;
        self.count_lines()?;
        go_on(cancel)?;
        let mut made = Vec::new();
        for def in ENTITY_KINDS {
            for scheme in def.schemes {
                self.count_scheme(def.kind, scheme, &mut made)?;
                go_on(cancel)?;
            }
        }
        for def in LINK_KINDS {
            if let Some(role) = stated_by(def.kind) {
                self.count_pairs(def.kind, role)?;
            }
        }
        go_on(cancel)?;
        let accounts = self.accounts()?;
        self.links.insert(LinkKind::AccountOf, accounts.len() as u64);
        self.write()?;
        // Counted first, stored now: what is stored changes no count.
        made.extend(accounts.iter().flat_map(|(a, b)| [a.clone(), b.clone()]));
        self.make(keys, &made)?;
        self.link_rows(&accounts)
    }

    fn count_facts(&mut self) -> Result<()> {
        let mut query = self.db.prepare("SELECT kind, COUNT(*) FROM entity GROUP BY kind")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            if let Some(def) = ENTITY_KINDS.get(row.get::<_, i64>(0)? as usize) {
                self.entities.insert(def.kind, row.get::<_, i64>(1)? as u64);
            }
        }
        let mut query = self.db.prepare("SELECT kind, COUNT(*) FROM link GROUP BY kind")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            if let Some(def) = LINK_KINDS.get(row.get::<_, i64>(0)? as usize) {
                self.links.insert(def.kind, row.get::<_, i64>(1)? as u64);
            }
        }
        Ok(())
    }

    /// Tables of a role by their panel.
    fn panels(&self, role: TableRole) -> BTreeMap<String, Vec<usize>> {
        let mut panels: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (i, table) in self.tables.iter().enumerate().filter(|(_, t)| t.role == role) {
            panels.entry(table.panel.clone()).or_default().push(i);
        }
        panels
    }

    /// Lines: distinct user names of each panel, with what playlists and answers name.
    fn count_lines(&mut self) -> Result<()> {
        let panels = self.panels(TableRole::Lines);
        let mut rows_only = 0;
        let mut named: BTreeMap<&str, Vec<(i64, String)>> = BTreeMap::new();
        let mut query = self.db.prepare("SELECT id, key FROM entity WHERE kind = ?")?;
        let mut rows = query.query([EntityKind::Line as i64])?;
        while let Some(row) = rows.next()? {
            let key: String = row.get(1)?;
            if let Some((locator, local)) = split_local(key.strip_prefix("line:").unwrap_or(&key))
                && let Some((panel, _)) = panels.get_key_value(locator)
            {
                named.entry(panel).or_default().push((row.get(0)?, local.to_owned()));
            }
        }
        for (panel, tables) in &panels {
            let group = Group::new(tables.iter().flat_map(|t| {
                let columns = self.tables[*t].columns.iter();
                columns
                    .filter(|(_, m, _)| *m == Meaning::UserName)
                    .take(1)
                    .map(|(n, _, index)| Held { table: *t, column: *n, index, prefix: b"" })
            }));
            let mut distinct = group.distinct(None)?;
            self.lines.insert(panel.clone(), distinct);
            let mut users: Vec<(String, i64)> = Vec::new();
            for (entity, user) in named.remove(panel.as_str()).into_iter().flatten() {
                users.push((user, entity));
            }
            let found = self.refer(&group, users, &|_| true)?;
            distinct = distinct.saturating_sub(found);
            rows_only += distinct;
        }
        drop(rows);
        drop(query);
        *self.entities.entry(EntityKind::Line).or_default() += rows_only;
        Ok(())
    }

    /// Writes down which rows name which entities, by the value that stands in the rows. Gives how
    /// many values, of those that count, stand there.
    pub(super) fn refer(
        &self,
        group: &Group<'_>,
        mut named: Vec<(String, i64)>,
        counts: &dyn Fn(&[u8]) -> bool,
    ) -> Result<u64> {
        named.sort_unstable();
        let values: Vec<&[u8]> = named.iter().map(|(value, _)| value.as_bytes()).collect();
        let mut found = vec![false; named.len()];
        let mut add = self.db.prepare_cached(
            "INSERT OR IGNORE INTO entity_row (entity, bulk, n, value, count)
             VALUES (?, ?, ?, ?, ?)",
        )?;
        group.find(&values, &mut |at, held, count| {
            found[at] = true;
            let key = [held.prefix, values[at]].concat();
            let value = String::from_utf8_lossy(&key);
            let table = self.tables[held.table].id;
            add.execute((named[at].1, table, held.column as i64, value, count as i64))?;
            Ok(())
        })?;
        let counted = found.iter().zip(&values).filter(|(found, value)| **found && counts(value));
        Ok(counted.count() as u64)
    }

    /// The columns whose values are keys of a scheme.
    pub(super) fn holders<'s>(&'s self, scheme: &'s str) -> Group<'s> {
        Group::new(self.tables.iter().enumerate().flat_map(move |(t, table)| {
            table.columns.iter().filter_map(move |(n, meaning, index)| {
                let prefix = prefix_of(scheme, table.role, *meaning)?.as_bytes();
                Some(Held { table: t, column: *n, index, prefix })
            })
        }))
    }

    /// Adds the distinct keys of a scheme that only rows name; refers from entities to rows; puts
    /// keys that rows of two exhibits name into `made`.
    fn count_scheme(&mut self, kind: EntityKind, scheme: &str, made: &mut Vec<Key>) -> Result<()> {
        let group = self.holders(scheme);
        if group.is_empty() {
            return Ok(());
        }
        let global = |key: &[u8]| {
            std::str::from_utf8(key)
                .ok()
                .and_then(|t| t.parse().ok())
                .is_some_and(model::key::is_global)
        };
        let filter: Option<&KeyFilter<'_>> = if scheme == "ip" { Some(&global) } else { None };
        let mut distinct = group.distinct(filter)?;
        // Keys that facts name.
        let (low, high) = (format!("{scheme}:"), format!("{scheme};"));
        let mut query = self.db.prepare(
            "SELECT text, entity FROM key
             WHERE entity IS NOT NULL AND text >= ? AND text < ?",
        )?;
        let mut rows = query.query([&low, &high])?;
        let mut named = Vec::new();
        while let Some(row) = rows.next()? {
            let text: String = row.get(0)?;
            let value = text.strip_prefix(&low).unwrap_or(&text);
            named.push((value.to_owned(), row.get(1)?));
        }
        drop(rows);
        drop(query);
        let found = self.refer(&group, named, &|value| filter.is_none_or(|f| f(value)))?;
        distinct = distinct.saturating_sub(found);
        if matches!(scheme, "account" | "iban" | "wallet" | "messaging" | "email") {
            self.shared(&group, scheme, made)?;
        }
        drop(group);
        if distinct > 0 {
            *self.entities.entry(kind).or_default() += distinct;
        }
        Ok(())
    }

    /// Keys that rows of two exhibits name, where the exhibits are not two dumps of one panel.
    fn shared(&self, group: &Group<'_>, scheme: &str, made: &mut Vec<Key>) -> Result<()> {
        let mut merge = group.merge()?;
        while made.len() < MAX_MADE && merge.next()? {
            let Some((first, rest)) = merge.holders.split_first() else { continue };
            let of = |i: &usize| {
                let table = &self.tables[group.table(*i)];
                (table.id >> 16, table.panel.as_str())
            };
            let (exhibit, panel) = of(first);
            let apart = rest.iter().map(of).any(|(e, p)| e != exhibit && p != panel);
            if apart && let Ok(text) = std::str::from_utf8(&merge.key) {
                made.extend(Key::parse(&format!("{scheme}:{text}")));
            }
        }
        Ok(())
    }

    /// Distinct pairs of rows, with the links that facts state.
    fn count_pairs(&mut self, kind: LinkKind, role: TableRole) -> Result<()> {
        // Numbers of lines and operators count within their panel; keys count everywhere.
        let groups: Vec<(String, Vec<usize>)> = match role {
            TableRole::Lines | TableRole::Devices => self.panels(role).into_iter().collect(),
            _ => {
                let all = (0..self.tables.len()).filter(|t| self.tables[*t].role == role);
                vec![(String::new(), all.collect())]
            }
        };
        let mut total = 0;
        for (panel, tables) in groups {
            let group = Group::new(tables.iter().filter_map(|t| {
                let index = self.tables[*t].pair.as_ref()?;
                Some(Held { table: *t, column: 0, index, prefix: b"" })
            }));
            if kind == LinkKind::OwnedBy {
                let mut merge = group.merge()?;
                let mut operator: Vec<u8> = Vec::new();
                let mut count = 0;
                let mut owned = Vec::new();
                while merge.next()? {
                    let (first, _) = split_pair(&merge.key);
                    if first != operator {
                        owned.push((std::mem::replace(&mut operator, first.to_vec()), count));
                        count = 0;
                    }
                    count += 1;
                    total += 1;
                }
                owned.push((operator, count));
                for (operator, count) in owned.into_iter().filter(|(_, count)| *count > 0) {
                    let operator = String::from_utf8_lossy(&operator).into_owned();
                    self.owned.insert((panel.clone(), operator), count);
                }
            } else {
                total += group.distinct(None)?;
            }
            total = total.saturating_sub(self.pairs_in_facts(kind, &panel, &group)?);
        }
        if total > 0 {
            *self.links.entry(kind).or_default() += total;
        }
        Ok(())
    }

    /// How many links that facts state stand in rows too.
    fn pairs_in_facts(&self, kind: LinkKind, panel: &str, group: &Group<'_>) -> Result<u64> {
        if group.is_empty() || kind == LinkKind::UsesDevice {
            return Ok(0); // rows give a line's number, facts its user name: no source states both
        }
        let mut query = self.db.prepare(
            "SELECT s.key, d.key FROM link l JOIN entity s ON s.id = l.src
             JOIN entity d ON d.id = l.dst WHERE l.kind = ?",
        )?;
        let mut rows = query.query([kind as i64])?;
        let mut pairs = Vec::new();
        while let Some(row) = rows.next()? {
            let (from, to): (String, String) = (row.get(0)?, row.get(1)?);
            let pair = if kind == LinkKind::OwnedBy {
                match (local_in(&from, "line:", panel), local_in(&to, "operator:", panel)) {
                    (Some(user), Some(operator)) => {
                        crate::index::pair_key(operator.as_bytes(), user.as_bytes())
                    }
                    _ => continue,
                }
            } else {
                crate::index::pair_key(from.as_bytes(), to.as_bytes())
            };
            pairs.push(pair);
        }
        pairs.sort_unstable();
        let values: Vec<&[u8]> = pairs.iter().map(Vec::as_slice).collect();
        let mut found = vec![false; values.len()];
        group.find(&values, &mut |at, _, _| {
            found[at] = true;
            Ok(())
        })?;
        Ok(found.into_iter().filter(|found| *found).count() as u64)
    }

    fn write(&self) -> Result<()> {
        let mut add = self.db.prepare("INSERT INTO tally (sort, kind, count) VALUES (?, ?, ?)")?;
        for (kind, count) in self.entities.iter().filter(|(_, count)| **count > 0) {
            add.execute(params!["entity", *kind as i64, *count as i64])?;
        }
        for (kind, count) in self.links.iter().filter(|(_, count)| **count > 0) {
            add.execute(params!["link", *kind as i64, *count as i64])?;
        }
        Ok(())
    }
}

/// Most keys that are stored because rows of two exhibits name them.
const MAX_MADE: usize = 200_000;

/// Locator and local part of what stands behind a scoped key's scheme.
pub(super) fn split_local(rest: &str) -> Option<(&str, &str)> {
    let mut at = rest.find('/')?;
    let database = rest.len() > 34
        && rest.starts_with('x')
        && at == 33
        && rest[1..33].bytes().all(|b| b.is_ascii_hexdigit());
    if database {
        at = 34 + rest[34..].find('/')?;
    }
    Some((&rest[..at], &rest[at + 1..]))
}

/// The local part of a scoped key of this panel.
fn local_in<'k>(key: &'k str, scheme: &str, panel: &str) -> Option<&'k str> {
    let (locator, local) = split_local(key.strip_prefix(scheme)?)?;
    (locator == panel).then_some(local)
}
