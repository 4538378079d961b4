//! Rows of bulk tables, gathered into batches that keep the sink's bounds.

use model::{Batch, Cell, TableSchema};

use crate::sink::Sink;

/// Rows of one table on their way to the sink, at most 65,536 rows or 16 MiB of text a batch.
#[derive(Debug)]
pub struct Rows {
    schema: TableSchema,
    batch: Batch,
    bytes: usize,
}

const MAX_ROWS: usize = 65_536;
const MAX_BYTES: usize = 16 << 20;

impl Rows {
    /// Announces the table to the sink.
    pub fn new(out: &mut dyn Sink, schema: TableSchema) -> Self {
        let number = out.table(schema.clone());
        let batch = Batch::new(number, &schema);
        Self { schema, batch, bytes: 0 }
    }

    /// Adds a row that stands in bytes `start..end`. Cells beyond the columns are ignored, missing
    /// ones are absent. False where a cell does not fit its column's type (it is absent then).
    pub fn push(&mut self, out: &mut dyn Sink, start: u64, end: u64, cells: &[Cell<'_>]) -> bool {
        let mut fits = true;
        for (i, column) in self.batch.columns.iter_mut().enumerate() {
            let cell = cells.get(i).copied().unwrap_or(Cell::Null);
            self.bytes += match cell {
                Cell::Text(t) => t.len(),
                Cell::Bytes(b) => b.len(),
                _ => 8,
            };
            fits &= column.push(cell);
        }
        self.batch.starts.push(start);
        self.batch.ends.push(end);
        if self.batch.len() >= MAX_ROWS || self.bytes >= MAX_BYTES {
            self.flush(out);
        }
        fits
    }

    /// Hands over what is gathered.
    pub fn flush(&mut self, out: &mut dyn Sink) {
        if !self.batch.is_empty() {
            let next = Batch::new(self.batch.table, &self.schema);
            out.rows(std::mem::replace(&mut self.batch, next));
            self.bytes = 0;
        }
    }
}
