//! Search: captions, keys, property values and message text by words; user names, MACs, e-mails,
//! addresses and tokens of bulk tables by exact value and prefix.

use std::net::IpAddr;

use model::{Key, Meaning};
use rusqlite::Row as Found;

use super::entity::{EntityHead, FactRow, ShownValue};
use super::rows::{self, HEAD};
use super::table::{Filter, Op, Row, TableColumn, TableHead, TableQuery, Term};
use super::walk::Place;
use super::{ExhibitHead, Paging, Snapshot};
use crate::Result;
use crate::index::normal_form;
use crate::tables::table_id;

/// An entity that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityHit {
    /// The entity.
    pub entity: EntityHead,
    /// What matched: `caption`, `key`, or a property's name.
    pub matched: String,
    /// The text that matched, cut to 200 characters. Hostile.
    pub excerpt: String,
}

/// A row that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct RowHit {
    /// Its table.
    pub table: TableHead,
    /// The column whose value matched.
    pub column: String,
    /// The row's columns as they stand in `row.cells`: of a wide table those that tell most.
    pub columns: Vec<TableColumn>,
    /// The row.
    pub row: Row,
    /// How many rows of this table matched in this column in all.
    pub count: u64,
}

/// A fact that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactHit {
    /// The entity it is about.
    pub entity: EntityHead,
    /// The fact.
    pub fact: FactRow,
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SearchResult {
    /// Entities, best first.
    pub entities: Vec<EntityHit>,
    /// Rows of bulk tables.
    pub rows: Vec<RowHit>,
    /// Messages by their words, in the order they stand; `count` is one.
    pub messages: Vec<RowHit>,
    /// Facts.
    pub facts: Vec<FactHit>,
    /// Exhibits by name or id.
    pub exhibits: Vec<ExhibitHead>,
    /// True where more would be found with a higher limit.
    pub more: bool,
}

/// Longest query that is looked at.
const MAX_QUERY: usize = 500;

/// Longest text shown of a match.
const EXCERPT: usize = 200;

/// Entities looked at to find those whose names fit best: of a word that nearly all hold, the first
/// by their numbers.
const LOOKED_AT: usize = 1000;

/// A query in FTS5's language: every word must stand there; the last may go on, unless the query is
/// a whole address or hash as it is (where the last word, such as `com`, goes on everywhere). `None`
/// where there is no word in it.
pub(super) fn words_query(text: &str) -> Option<String> {
    // What is written together stands together: `198.18` is not `198.19.18.7`.
    let words: Vec<String> = text
        .split_whitespace()
        .map(|part| {
            let words = part.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
            words.take(32).collect::<Vec<_>>().join(" ")
        })
        .filter(|part| !part.is_empty())
        .take(16)
        .map(|part| format!("\"{part}\""))
        .collect();
    let whole = Key::mac(text).is_some()
        || text.parse::<IpAddr>().is_ok()
        || text.rsplit('@').next().is_some_and(|host| {
            !text.contains(char::is_whitespace)
                && model::suffix::names_host(&host.to_ascii_lowercase())
        });
    if words.is_empty() {
        None
    } else {
        Some(format!("{}{}", words.join(" "), if whole { "" } else { "*" }))
    }
}

/// The keys that a query may be, whatever the way it is written.
fn keys_of(query: &str) -> Vec<Key> {
    let mut keys = Vec::new();
    keys.extend(Key::parse(query));
    keys.extend(Key::mac(query));
    keys.extend(Key::email(query));
    keys.extend(Key::iban(query));
    keys.extend(Key::phone(query));
    if let Ok(ip) = query.parse::<IpAddr>()
        && model::key::is_global(ip)
    {
        keys.push(Key::new("ip", &ip.to_canonical().to_string()));
    }
    keys.extend(Key::server(query));
    keys.extend(Key::domain(query));
    keys.extend(Key::email(query).map(|mail| Key::account("paypal", mail.rest())));
    keys.dedup();
    keys
}

fn cut(text: &str) -> String {
    text.chars().take(EXCERPT).collect()
}

impl Snapshot {
    /// Searches for `query`, at most `limit` of each sort: by exact key first, then by the words of
    /// captions, keys and texts, then by exact value and prefix in the indexed columns of bulk
    /// tables.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn search(&self, query: &str, limit: usize) -> Result<SearchResult> {
        let query: String = query.trim().chars().take(MAX_QUERY).collect();
        let limit = limit.clamp(1, 200);
        let mut result = SearchResult::default();
        if query.is_empty() {
            return Ok(result);
        }
        self.search_entities(&query, limit, &mut result)?;
        self.search_facts(&query, limit, &mut result)?;
        self.search_messages(&query, limit, &mut result)?;
        self.search_exhibits(&query, limit, &mut result)?;
        self.search_rows(&query, limit, &mut result)?;
        Ok(result)
    }

    fn search_entities(&self, query: &str, limit: usize, out: &mut SearchResult) -> Result<()> {
        let mut seen = Vec::new();
        let mut push = |number: i64, entity: EntityHead, matched: &str, excerpt: String| {
            if !seen.contains(&number) && seen.len() < limit {
                seen.push(number);
                out.entities.push(EntityHit { entity, matched: matched.to_owned(), excerpt });
            }
        };
        let ids = model::id::unhex(query).filter(|b| b.len() == 32).map(|_| query.to_owned());
        let exact =
            ids.into_iter().chain(keys_of(query).into_iter().map(|k| k.as_str().to_owned()));
        for called in exact {
            if let Some(number) = self.entity_called(&called)?
                && let Some((_, head)) = self.head_of(number)?
            {
                push(number, head, "key", cut(&called));
            }
        }
        let Some(words) = words_query(query) else { return Ok(()) };
        let mut find = self.db()?.prepare_cached(&format!(
            "SELECT {HEAD} FROM (SELECT rowid FROM names WHERE names MATCH ? LIMIT ?) n
             JOIN entity e ON e.id = n.rowid ORDER BY length(e.caption), e.caption, e.id LIMIT ?"
        ))?;
        // The shortest name that holds the words is nearest to them.
        let mut found = find.query((words, LOOKED_AT as i64, limit as i64 + 1))?;
        let mut count = 0;
        while let Some(row) = found.next()? {
            count += 1;
            let (number, head) = rows::head(row, 0)?;
            let lower = query.to_lowercase();
            let in_caption = head.caption.to_lowercase().contains(&lower);
            let (matched, excerpt) = if in_caption {
                ("caption", cut(&head.caption))
            } else {
                ("key", cut(head.key.as_str()))
            };
            push(number, head, matched, excerpt);
        }
        out.more |= count > limit;
        Ok(())
    }

    fn search_facts(&self, query: &str, limit: usize, out: &mut SearchResult) -> Result<()> {
        let Some(words) = words_query(query) else { return Ok(()) };
        let mut find = self
            .db()?
            .prepare_cached("SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid LIMIT ?")?;
        let numbers: Vec<i64> = find
            .query_map((words, limit as i64 + 1), |row: &Found<'_>| row.get(0))?
            .collect::<std::result::Result<_, _>>()?;
        out.more |= numbers.len() > limit;
        for number in numbers.into_iter().take(limit) {
            let Some(fact) = self.fact_by_number(number)? else { continue };
            let Some(called) = self.entity_called(fact.subject.as_str())? else { continue };
            let Some((_, entity)) = self.head_of(called)? else { continue };
            // Names were found above already.
            let known = out.entities.iter().any(|hit| hit.entity.id == entity.id);
            let text = match &fact.value {
                ShownValue::Text(text) => text.clone(),
                _ => String::new(),
            };
            if !(known && text == entity.caption) {
                out.facts.push(FactHit { entity, fact });
            }
        }
        Ok(())
    }

    fn search_messages(&self, query: &str, limit: usize, out: &mut SearchResult) -> Result<()> {
        let Some(words) = words_query(query) else { return Ok(()) };
        let db = self.db()?;
        let mut find =
            db.prepare_cached("SELECT rowid FROM said WHERE said MATCH ? ORDER BY rowid LIMIT ?")?;
        let numbers: Vec<i64> = find
            .query_map((words, limit as i64 + 1), |row: &Found<'_>| row.get(0))?
            .collect::<std::result::Result<_, _>>()?;
        out.more |= numbers.len() > limit;
        for number in numbers.into_iter().take(limit) {
            let Some((table, row)) = crate::views::place_of(db, number)? else { continue };
            let exhibit: [u8; 32] = db
                .prepare_cached("SELECT id FROM exhibit WHERE ord = ?")?
                .query_row([number >> 32], |row| row.get(0))?;
            let number = u32::try_from(table)?;
            let asked = TableQuery {
                table: table_id(&model::ExhibitId(exhibit), number),
                ..TableQuery::default()
            };
            let after = row.checked_sub(1).map(|before| Place::row(before).text());
            let rows = self.rows(&asked, &Paging { after, limit: 1 })?;
            let said = rows.columns.iter().find(|c| c.meaning == Some(Meaning::Note));
            let column = said.map_or(String::new(), |c| c.name.clone());
            if let Some(row) = rows.page.items.into_iter().next() {
                let (table, columns) = (rows.table, rows.columns);
                out.messages.push(RowHit { table, column, columns, row, count: 1 });
            }
        }
        Ok(())
    }

    fn search_exhibits(&self, query: &str, limit: usize, out: &mut SearchResult) -> Result<()> {
        let filter = super::ExhibitFilter {
            text: Some(query.to_owned()),
            ..super::ExhibitFilter::default()
        };
        if let Ok(id) = query.parse::<model::ExhibitId>() {
            let found = self.exhibit_head(id)?;
            out.exhibits.extend(found.filter(|e| e.state != super::ExhibitState::Privileged));
            return Ok(());
        }
        let page = self.exhibits(&filter, &Paging { after: None, limit })?;
        out.more |= page.next.is_some();
        out.exhibits = page.items;
        Ok(())
    }

    /// Rows by exact value, then by prefix, in every indexed column that the query fits.
    fn search_rows(&self, query: &str, limit: usize, out: &mut SearchResult) -> Result<()> {
        let columns = self.indexed_columns()?;
        for op in [Op::Eq, Op::Prefix] {
            for (bulk, n, meaning, file) in &columns {
                let Some(key) = fits(*meaning, op, query) else { continue };
                if out.rows.len() >= limit {
                    out.more = true;
                    return Ok(());
                }
                let index = self.index_file(file)?;
                let mut cursor = index.seek(&key);
                let there = cursor.next()?
                    && if op == Op::Eq {
                        cursor.key == key
                    } else {
                        cursor.key.starts_with(&key) && cursor.key != key
                    };
                if !there {
                    continue;
                }
                let Some(table) = self.table_by_number(*bulk)? else { continue };
                let Some(column) = table.columns.get(*n).cloned() else { continue };
                let value = String::from_utf8_lossy(&cursor.key).into_owned();
                let count = index.count_of(&cursor.key)?;
                let term = Term { column: column.name.clone(), op: Op::Eq, value };
                let asked = TableQuery {
                    table: table.id.clone(),
                    filter: Filter { terms: vec![term] },
                    columns: telling(&table, *n),
                    ..TableQuery::default()
                };
                let rows = self.rows(&asked, &Paging { after: None, limit: 1 })?;
                if let Some(row) = rows.page.items.into_iter().next() {
                    let (column, columns) = (column.name, rows.columns);
                    out.rows.push(RowHit { table, column, columns, row, count });
                }
            }
        }
        Ok(())
    }

    /// Every indexed column: its table, its number there, its meaning, its index's file.
    fn indexed_columns(&self) -> Result<Vec<(i64, usize, Meaning, String)>> {
        let mut query = self.db()?.prepare_cached(
            "SELECT bulk, n, meaning, file FROM bulk_index WHERE what <> 'pair' ORDER BY bulk, n",
        )?;
        let mut found = query.query([])?;
        let mut columns = Vec::new();
        while let Some(row) = found.next()? {
            let word: Option<String> = row.get(2)?;
            if let Some(meaning) = word.as_deref().and_then(crate::views::meaning_of_word) {
                columns.push((row.get(0)?, row.get::<_, i64>(1)? as usize, meaning, row.get(3)?));
            }
        }
        Ok(columns)
    }
}

/// Columns shown of a row that was found. Each costs a page of its column to be decoded.
const SHOWN: usize = 8;

/// The names of the columns that tell most of a row: the one that matched, then those whose meaning
/// is known, then the first.
fn telling(table: &TableHead, matched: usize) -> Vec<String> {
    let known = (0..table.columns.len()).filter(|n| table.columns[*n].meaning.is_some());
    let mut shown = vec![matched];
    for n in known.chain(0..table.columns.len()) {
        if shown.len() < SHOWN && !shown.contains(&n) {
            shown.push(n);
        }
    }
    shown.sort_unstable();
    shown.into_iter().map(|n| table.columns[n].name.clone()).collect()
}

/// The index's key to look for, where the query may be a value of this meaning.
fn fits(meaning: Meaning, op: Op, query: &str) -> Option<Vec<u8>> {
    if op == Op::Eq {
        let keys = match meaning {
            Meaning::From | Meaning::To => {
                // A key's text, or an account's address by itself.
                let mail = Key::email(query).map(|mail| Key::account("paypal", mail.rest()));
                return Key::parse(query)
                    .or(mail)
                    .or_else(|| Key::iban(query))
                    .map(|key| key.as_str().as_bytes().to_vec());
            }
            _ => normal_form(meaning, query.as_bytes()),
        };
        return keys.map(std::borrow::Cow::into_owned);
    }
    let lower = query.to_lowercase();
    let bytes = lower.len();
    match meaning {
        Meaning::Mac => {
            let text = lower.replace('-', ":");
            let good = text.bytes().all(|b| b.is_ascii_hexdigit() || b == b':');
            (good && bytes >= 5).then(|| text.into_bytes())
        }
        Meaning::Address => {
            let good = lower.bytes().all(|b| b.is_ascii_hexdigit() || matches!(b, b'.' | b':'));
            (good && bytes >= 3).then(|| lower.into_bytes())
        }
        Meaning::Email => (bytes >= 3).then(|| lower.into_bytes()),
        Meaning::From | Meaning::To => None,
        _ => (bytes >= 3).then(|| query.as_bytes().to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_never_speaks_the_search_language() {
        let asks = |text: &str, query: &str| {
            assert_eq!(words_query(text).as_deref(), Some(query), "{text}");
        };
        asks("stream exam", "\"stream\" \"exam\"*");
        asks("stream.exam", "\"stream exam\"*");
        asks("198.18", "\"198 18\"*");
        // What is whole does not go on: `example` stands in every name.
        asks("stream.example", "\"stream example\"");
        asks("a@b.example", "\"a b example\"");
        asks("198.18.4.7", "\"198 18 4 7\"");
        asks("a OR \"b\" NEAR(", "\"a\" \"OR\" \"b\" \"NEAR\"*");
        assert_eq!(words_query(" .:\"* "), None);
    }

    #[test]
    fn a_query_is_every_key_it_may_be() {
        let keys: Vec<String> =
            keys_of("00-1A-79-00-00-01").iter().map(|k| k.as_str().to_owned()).collect();
        assert!(keys.contains(&"mac:00:1a:79:00:00:01".to_owned()));
        let keys: Vec<String> = keys_of("A@b.example").iter().map(|k| k.to_string()).collect();
        assert!(keys.contains(&"email:a@b.example".to_owned()));
        assert!(keys.contains(&"account:paypal:a@b.example".to_owned()));
    }
}
