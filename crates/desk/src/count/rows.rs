//! Rows that name what is stored: keys of rows that become entities, and the links between them.

use std::collections::{BTreeMap, BTreeSet};

use model::kinds::kind_of_scheme;
use model::{EntityKind, Key, LinkKind, Meaning, TableRole};
use rusqlite::params;

use super::bulk::Case;
use super::distinct::{Group, Held};
use super::entities;
use crate::Result;
use crate::index::split_pair;
use crate::views::{self, KeyBook};

impl Case<'_> {
    /// Accounts that an e-mail address names which stands elsewhere too, with that address.
    pub(super) fn accounts(&self) -> Result<Vec<(Key, Key)>> {
        // An account's own payments do not make its address stand elsewhere.
        let elsewhere = Group::new(self.tables.iter().enumerate().flat_map(|(t, table)| {
            table.columns.iter().filter_map(move |(n, meaning, index)| match meaning {
                Meaning::Email => Some(Held { table: t, column: *n, index, prefix: b"" }),
                Meaning::From | Meaning::To => {
                    Some(Held { table: t, column: *n, index, prefix: b"email:" })
                }
                _ => None,
            })
        }));
        // Accounts by the address that names them.
        let mut accounts: BTreeMap<Key, BTreeSet<Key>> = BTreeMap::new();
        let mut look = |account: &str| {
            let Some(account) = Key::parse(account) else { return };
            let mail = account.rest().split_once(':').and_then(|(_, id)| Key::email(id));
            if let Some(mail) = mail {
                accounts.entry(mail).or_default().insert(account);
            }
        };
        let group = self.holders("account");
        let mut merge = group.merge()?;
        while merge.next()? {
            if let Ok(text) = std::str::from_utf8(&merge.key) {
                look(&format!("account:{text}"));
            }
        }
        let mut query = self.db.prepare("SELECT key FROM entity WHERE kind = ?")?;
        let mut rows = query.query([EntityKind::UserAccount as i64])?;
        while let Some(row) = rows.next()? {
            look(row.get_ref(0)?.as_str().unwrap_or_default());
        }
        let mut stands = vec![false; accounts.len()];
        let mut known = self.db.prepare("SELECT entity IS NOT NULL FROM key WHERE id = ?")?;
        for (stands, mail) in stands.iter_mut().zip(accounts.keys()) {
            if let Some(id) = views::find(self.db, mail.as_str())? {
                *stands = known.query_row([id], |row| row.get(0))?;
            }
        }
        // Keys of one scheme sort as what stands behind it does.
        let mails: Vec<&[u8]> = accounts.keys().map(|mail| mail.rest().as_bytes()).collect();
        elsewhere.find(&mails, &mut |at, _, _| {
            stands[at] = true;
            Ok(())
        })?;
        let mut found: Vec<(Key, Key)> = Vec::new();
        for (stands, (mail, accounts)) in stands.into_iter().zip(accounts) {
            if stands {
                found.extend(accounts.into_iter().map(|account| (account, mail.clone())));
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Stores keys that rows name as entities, with the rows.
    pub(super) fn make(&self, keys: &mut KeyBook, made: &[Key]) -> Result<()> {
        let mut query = self.db.prepare("SELECT entity FROM key WHERE id = ?")?;
        let mut set = self.db.prepare("UPDATE key SET entity = id WHERE id = ?")?;
        let mut named: BTreeMap<&str, Vec<(String, i64)>> = BTreeMap::new();
        for key in made {
            let id = keys.id(self.db, key.as_str())?;
            if query.query_row([id], |row| row.get::<_, Option<i64>>(0))?.is_some() {
                continue;
            }
            set.execute([id])?;
            entities::add(self.db, id, key, self.resolved)?;
            if kind_of_scheme(key.scheme()).is_some() {
                named.entry(key.scheme()).or_default().push((key.rest().to_owned(), id));
            }
        }
        for (scheme, named) in named {
            self.refer(&self.holders(scheme), named, &|_| true)?;
        }
        Ok(())
    }

    /// Links that rows state between things that are stored.
    pub(super) fn link_rows(&self, accounts: &[(Key, Key)]) -> Result<()> {
        let entity = |text: &str| -> Result<Option<i64>> {
            let Some(id) = views::find(self.db, text)? else { return Ok(None) };
            let mut query = self.db.prepare_cached("SELECT entity FROM key WHERE id = ?")?;
            Ok(query.query_row([id], |row| row.get(0))?)
        };
        let mut add = self.db.prepare(
            "INSERT INTO link (kind, src, dst, count, first_ms, last_ms, bulk)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (kind, src, dst) DO UPDATE SET
               count = count + excluded.count, bulk = coalesce(bulk, excluded.bulk),
               first_ms = min(coalesce(first_ms, excluded.first_ms), excluded.first_ms),
               last_ms = max(coalesce(last_ms, excluded.last_ms), excluded.last_ms)",
        )?;
        for (account, mail) in accounts {
            if let (Some(from), Some(to)) = (entity(account.as_str())?, entity(mail.as_str())?) {
                let none: Option<i64> = None;
                let kind = LinkKind::AccountOf as i64;
                add.execute(params![kind, from, to, 1, none, none, none])?;
            }
        }
        let mut paid = self.db.prepare(
            "SELECT \"from\", \"to\", COUNT(*), MIN(time_utc), MAX(time_utc), MIN(bulk)
             FROM payment WHERE class = 'completed' AND \"from\" <> '' AND \"to\" <> ''
             GROUP BY 1, 2 ORDER BY 1, 2",
        )?;
        let mut rows = paid.query([])?;
        while let Some(row) = rows.next()? {
            let (from, to): (String, String) = (row.get(0)?, row.get(1)?);
            if let (Some(from), Some(to)) = (entity(&from)?, entity(&to)?)
                && from != to
            {
                let ms = |n: Option<i64>| n.map(|s| s.saturating_mul(1000));
                add.execute(params![
                    LinkKind::Paid as i64,
                    from,
                    to,
                    row.get::<_, i64>(2)?,
                    ms(row.get(3)?),
                    ms(row.get(4)?),
                    row.get::<_, i64>(5)?,
                ])?;
            }
        }
        for table in self.tables.iter().filter(|t| t.role == TableRole::Messages) {
            let Some(index) = &table.pair else { continue };
            let mut cursor = index.all();
            while cursor.next()? {
                let (from, to) = split_pair(&cursor.key);
                let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
                if let (Some(from), Some(to)) = (entity(&text(from))?, entity(&text(to))?) {
                    let (count, none) = (cursor.rows.len() as i64, None::<i64>);
                    let kind = LinkKind::MemberOf as i64;
                    add.execute(params![kind, from, to, count, none, none, table.id])?;
                }
            }
        }
        super::links::own_lines(self, &mut add)
    }
}
