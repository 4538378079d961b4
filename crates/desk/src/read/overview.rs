//! The case in numbers.

use std::collections::BTreeMap;

use model::kinds::{entity, link};
use model::{EntityKind, ExhibitId, LinkKind, ProblemKind};
use rusqlite::OptionalExtension;

use super::entity::Figure;
use super::{EntityHead, Snapshot, rows};
use crate::Result;

/// A count of one kind, with the rule by which it was counted (from the registry).
#[derive(Debug, Clone, PartialEq)]
pub struct KindCount<K> {
    /// The kind.
    pub kind: K,
    /// How many.
    pub count: u64,
    /// The counting rule, in words.
    pub rule: &'static str,
}

/// Completed payments in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrencySum {
    /// ISO 4217 code or a crypto-currency's.
    pub currency: String,
    /// How many payments.
    pub count: u64,
    /// Signed sum in minor units, refunds included.
    pub sum_minor: i128,
}

/// Problems of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProblemCount {
    /// The kind.
    pub kind: ProblemKind,
    /// How many.
    pub count: u64,
    /// Bytes that yielded nothing for it.
    pub lost_bytes: u64,
}

/// Whether figures rest on a practice case or a real one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// No authority is named: everything is practice.
    Practice,
    /// A real case of the authority.
    Real {
        /// The authority's name.
        authority: String,
    },
}

/// What the overview shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    /// The case's id.
    pub case: String,
    /// Practice or real.
    pub standing: Standing,
    /// Exhibits, and their bytes (a member and its container both count).
    pub exhibits: u64,
    /// Bytes of all exhibits.
    pub bytes: u64,
    /// Facts.
    pub facts: u64,
    /// Present values in rows of bulk tables.
    pub bulk_values: u64,
    /// Rows of bulk tables.
    pub rows: u64,
    /// Bulk tables.
    pub tables: u64,
    /// Distinct entities by kind, bulk tables included; kinds without any left out; in the
    /// registry's order.
    pub entities: Vec<KindCount<EntityKind>>,
    /// Distinct links by kind, likewise.
    pub links: Vec<KindCount<LinkKind>>,
    /// Completed payments by currency.
    pub payments: Vec<CurrencySum>,
    /// Servers by country of their address (ISO 3166-1 alpha-2, `ZZ` unknown), most first.
    pub countries: Vec<(String, u64)>,
    /// Problems by kind.
    pub problems: Vec<ProblemCount>,
    /// Exhibits that no parser has read yet.
    pub waiting: u64,
    /// Exhibits withheld as privileged.
    pub privileged: u64,
    /// The panels, each with its figures: when dumped, active lines at that date, operators, …
    pub panels: Vec<PanelFigures>,
    /// Other figures, each with its rule.
    pub figures: Vec<Figure>,
    /// The address table laid over the built-in one, if any: its name and its exhibit.
    pub address_table: Option<(String, ExhibitId)>,
    /// The refreshed table that holds in the built-in one's place, if any.
    pub addresses: Option<(String, ExhibitId)>,
    /// What goes on now, if a writer is at work on the case.
    pub progress: Option<crate::progress::Snapshot>,
}

/// A panel in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelFigures {
    /// The panel.
    pub panel: EntityHead,
    /// Schema family (`xc_vm`, …).
    pub family: String,
    /// Moments of its dumps, as stated.
    pub dumped_at: Vec<String>,
    /// `active_lines`, `lines`, `operators`, `servers`, …
    pub figures: Vec<Figure>,
}

impl Snapshot {
    /// The case's id, and whether it is practice or real: what every page says.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn standing(&self) -> Result<(String, Standing)> {
        let case: String = crate::views::meta(self.db()?, "origin")?.unwrap_or_default();
        let authority = vault::authority_of(&case);
        let standing = if authority == crate::desk::PRACTICE {
            Standing::Practice
        } else {
            Standing::Real { authority: authority.to_owned() }
        };
        Ok((case, standing))
    }

    /// The overview. Reads figures that were computed when the views were: milliseconds, whatever
    /// the size of the case.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn overview(&self) -> Result<Overview> {
        let db = self.db()?;
        let (case, standing) = self.standing()?;
        let (exhibits, bytes, waiting): (i64, i64, i64) = db.query_row(
            "SELECT COUNT(*), coalesce(SUM(size), 0),
                    (SELECT COUNT(*) FROM exhibit WHERE ord NOT IN (SELECT exhibit FROM loaded)
                       AND ord NOT IN (SELECT ord FROM hidden)
                       AND id NOT IN (SELECT exhibit FROM laid))
             FROM exhibit WHERE ord NOT IN (SELECT ord FROM hidden)",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        let (facts, present, rows): (i64, i64, i64) = db.query_row(
            "SELECT coalesce(SUM(facts), 0), coalesce(SUM(present), 0), coalesce(SUM(rows), 0)
             FROM loaded",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        let count = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0));
        let mut countries: Vec<(String, u64)> = crate::count::countries(db)?.into_iter().collect();
        countries.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let progress: Option<String> = crate::views::meta(db, "progress")?;
        Ok(Overview {
            standing,
            exhibits: exhibits as u64,
            bytes: bytes as u64,
            facts: facts as u64,
            bulk_values: present as u64,
            rows: rows as u64,
            tables: count("SELECT COUNT(*) FROM bulk")? as u64,
            entities: crate::count::entities(db)?
                .into_iter()
                .map(|(kind, count)| KindCount { kind, count, rule: entity(kind).counting_rule })
                .collect(),
            links: crate::count::links(db)?
                .into_iter()
                .map(|(kind, count)| KindCount { kind, count, rule: link(kind).counting_rule })
                .collect(),
            payments: crate::count::payments(db)?,
            countries,
            problems: self.problem_counts()?,
            waiting: waiting as u64,
            privileged: count("SELECT COUNT(*) FROM hidden")? as u64,
            panels: self.panel_figures()?,
            figures: self.figures_of(0)?,
            address_table: self.laid("address_table")?,
            addresses: self.laid("addresses")?,
            progress: progress.and_then(|p| crate::progress::Snapshot::from_json(&p)),
            case,
        })
    }

    fn problem_counts(&self) -> Result<Vec<ProblemCount>> {
        let db = self.db()?;
        let mut query = db.prepare_cached(
            "SELECT kind, COUNT(*), SUM(CASE WHEN lost THEN end - start ELSE 0 END)
             FROM problem GROUP BY kind ORDER BY 2 DESC, 1",
        )?;
        let mut found = query.query([])?;
        let mut counts: BTreeMap<ProblemKind, ProblemCount> = BTreeMap::new();
        while let Some(row) = found.next()? {
            let word: String = row.get(0)?;
            let kind = super::exhibits::problem_kind(&word);
            let entry =
                counts.entry(kind).or_insert(ProblemCount { kind, count: 0, lost_bytes: 0 });
            entry.count += row.get::<_, i64>(1)? as u64;
            entry.lost_bytes += row.get::<_, Option<i64>>(2)?.unwrap_or(0) as u64;
        }
        let unread: i64 = db.query_row("SELECT COUNT(*) FROM unread", [], |row| row.get(0))?;
        if unread > 0 {
            let kind = ProblemKind::Medium;
            let entry =
                counts.entry(kind).or_insert(ProblemCount { kind, count: 0, lost_bytes: 0 });
            entry.count += unread as u64;
        }
        Ok(counts.into_values().collect())
    }

    fn panel_figures(&self) -> Result<Vec<PanelFigures>> {
        let db = self.db()?;
        let mut query = db.prepare_cached(&format!(
            "SELECT {} FROM entity e WHERE e.kind = ? ORDER BY e.key LIMIT 500",
            rows::HEAD
        ))?;
        let mut text = db.prepare_cached(
            "SELECT DISTINCT f.text FROM fact f
             WHERE f.subject IN (SELECT id FROM key WHERE id = ?1 OR (entity = ?1 AND entity <> id))
               AND f.property = (SELECT id FROM word WHERE text = ?2) AND f.text IS NOT NULL
             ORDER BY f.text",
        )?;
        let mut found = query.query([EntityKind::Panel as i64])?;
        let mut panels = Vec::new();
        while let Some(row) = found.next()? {
            let (number, panel) = rows::head(row, 0)?;
            let family: Option<String> =
                text.query_row((number, "family"), |row| row.get(0)).optional()?;
            let dumped_at = text
                .query_map((number, "dumped_at"), |row| row.get(0))?
                .collect::<std::result::Result<_, _>>()?;
            panels.push(PanelFigures {
                panel,
                family: family.unwrap_or_default(),
                dumped_at,
                figures: self.figures_of(number)?,
            });
        }
        Ok(panels)
    }

    /// The table of a sort that was laid down last.
    fn laid(&self, sort: &str) -> Result<Option<(String, ExhibitId)>> {
        let mut query = self.db()?.prepare_cached(
            "SELECT name, exhibit FROM laid WHERE sort = ?
             ORDER BY record DESC LIMIT 1",
        )?;
        let mut found = query.query([sort])?;
        match found.next()? {
            Some(row) => Ok(Some((row.get(0)?, rows::exhibit(row, 1)?))),
            None => Ok(None),
        }
    }
}
