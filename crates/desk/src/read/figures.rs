//! Figures, and rows of bulk tables that name an entity.

use model::EntityId;
use rusqlite::OptionalExtension;
use serde_json::Value;

use super::entity::{EntityFilter, EntityHead, Figure, FigureInput, RowReference};
use super::table::{Filter, Op, TableQuery, Term};
use super::{Snapshot, TableHead};
use crate::Result;

impl Snapshot {
    /// Figures of a scope: an entity's number, or 0 for the case.
    pub(super) fn figures_of(&self, scope: i64) -> Result<Vec<Figure>> {
        let mut query = self.db()?.prepare_cached(
            "SELECT name, value, rule, inputs FROM figure WHERE scope = ? ORDER BY place",
        )?;
        let mut found = query.query([scope])?;
        let mut figures = Vec::new();
        while let Some(row) = found.next()? {
            let inputs: String = row.get(3)?;
            let inputs: Vec<Value> = serde_json::from_str(&inputs).unwrap_or_default();
            figures.push(Figure {
                name: row.get(0)?,
                value: row.get(1)?,
                rule: row.get(2)?,
                inputs: inputs
                    .iter()
                    .filter_map(|v| self.input(v).transpose())
                    .collect::<Result<_>>()?,
            });
        }
        Ok(figures)
    }

    /// A figure of an entity, by its name.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn figure(&self, entity: EntityId, name: &str) -> Result<Option<(EntityHead, Figure)>> {
        let Some(number) = self.entity_number(&entity)? else { return Ok(None) };
        let Some((_, head)) = self.head_of(number)? else { return Ok(None) };
        let figure = self.figures_of(number)?.into_iter().find(|figure| figure.name == name);
        Ok(figure.map(|figure| (head, figure)))
    }

    fn input(&self, value: &Value) -> Result<Option<FigureInput>> {
        if let Some(kind) = value["kind"].as_str() {
            let kind = model::kinds::kind_of_name(kind);
            return Ok(Some(FigureInput::Entities(EntityFilter {
                kind,
                ..EntityFilter::default()
            })));
        }
        let Some(bulk) = value["bulk"].as_i64() else { return Ok(None) };
        let Some(table) = self.table_by_number(bulk)? else { return Ok(None) };
        let term = |parts: &Value| {
            let column = table.columns.get(usize::try_from(parts[1].as_u64()?).ok()?)?;
            let op = parts[0].as_str()?.parse().ok()?;
            let value = parts[2].as_str()?.to_owned();
            Some(Term { column: column.name.clone(), op, value })
        };
        let terms = value["terms"].as_array().into_iter().flatten().filter_map(term).collect();
        Ok(Some(FigureInput::Rows(TableQuery {
            table: table.id,
            filter: Filter { terms },
            ..TableQuery::default()
        })))
    }

    /// Rows of bulk tables that name an entity, by table and column.
    pub(super) fn rows_naming(&self, number: i64) -> Result<Vec<RowReference>> {
        let mut query = self.db()?.prepare_cached(
            "SELECT bulk, n, value, count FROM entity_row WHERE entity = ? ORDER BY bulk, n LIMIT 200",
        )?;
        let mut found = query.query([number])?;
        let mut references = Vec::new();
        while let Some(row) = found.next()? {
            let Some(table) = self.table_by_number(row.get(0)?)? else { continue };
            let n = row.get::<_, i64>(1)? as usize;
            let Some(column) = table.columns.get(n).map(|c| c.name.clone()) else { continue };
            let value: String = row.get(2)?;
            let term = Term { column: column.clone(), op: Op::Eq, value };
            references.push(RowReference {
                query: TableQuery {
                    table: table.id.clone(),
                    filter: Filter { terms: vec![term] },
                    ..TableQuery::default()
                },
                table: table.name,
                exhibit_name: table.exhibit_name,
                column,
                count: row.get::<_, i64>(3)? as u64,
            });
        }
        Ok(references)
    }

    /// A table by its number in the views.
    pub(super) fn table_by_number(&self, bulk: i64) -> Result<Option<TableHead>> {
        let number: Option<i64> = self
            .db()?
            .query_row("SELECT id FROM bulk WHERE id = ?", [bulk], |row| row.get(0))
            .optional()?;
        match number {
            Some(number) => Ok(self.table_heads(Some(number), None)?.into_iter().next()),
            None => Ok(None),
        }
    }
}
