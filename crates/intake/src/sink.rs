//! Where a parser's results go.

use model::{Batch, Fact, Problem, TableSchema, Value};

/// A piece of a parser's own work that may run on another thread. It owns its bytes, and what it
/// gives out stands, in the run's order, where it was deferred.
pub type Job = Box<dyn FnOnce(&mut dyn Sink) + Send>;

/// Takes what a parser finds, in the parser's order.
pub trait Sink {
    /// A fact.
    fn fact(&mut self, fact: Fact);
    /// A table that rows will follow for. Returns its number within this run, from 0 on. Not to be
    /// called inside a deferred job.
    fn table(&mut self, schema: TableSchema) -> u32;
    /// Rows of a table. A batch holds at most 65,536 rows and 32 MiB.
    fn rows(&mut self, batch: Batch);
    /// What could not be read.
    fn problem(&mut self, problem: Problem);
    /// Hands over work that needs nothing of the parser's state, to run at once, later, or on
    /// another core. Results are merged in the order of the calls, so views do not depend on it.
    /// The bytes of its lost problems are counted as read by the parser: who runs jobs sums them
    /// for [`crate::Coverage::lose`].
    fn defer(&mut self, job: Job);
    /// Told of each table that a mapping file was held against. Nothing of it enters a view.
    fn mapped(&mut self, _fit: MappingFit) {}
}

/// How a mapping file fits a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingFit {
    /// The table: a file's name, a sheet's.
    pub table: String,
    /// Columns that the mapping names and the table has not; none where it fits.
    pub missing: Vec<String>,
}

/// A sink that keeps everything, in order: for tests, fuzzers and `vigie parse`.
#[derive(Debug, Default)]
pub struct Collect {
    /// Facts.
    pub facts: Vec<Fact>,
    /// Tables by number.
    pub tables: Vec<TableSchema>,
    /// Rows.
    pub batches: Vec<Batch>,
    /// Problems.
    pub problems: Vec<Problem>,
    /// Bytes that deferred jobs found lost.
    pub lost: u64,
}

impl Sink for Collect {
    fn fact(&mut self, fact: Fact) {
        debug_assert!(model::kinds::allowed(&fact), "no such word in the registry: {fact:?}");
        self.facts.push(fact);
    }

    fn table(&mut self, schema: TableSchema) -> u32 {
        self.tables.push(schema);
        u32::try_from(self.tables.len() - 1).expect("fewer than 4 billion tables")
    }

    fn rows(&mut self, batch: Batch) {
        self.batches.push(batch);
    }

    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    fn defer(&mut self, job: Job) {
        let (before, lost) = (self.problems.len(), self.lost);
        job(self);
        let found = self.problems[before..].iter().filter(|p| p.lost).map(|p| p.end - p.start);
        self.lost = lost + found.sum::<u64>();
    }
}

impl Collect {
    /// The rows of table `number` as text, absent values as `None`: for tests and `vigie parse`.
    pub fn table_rows(&self, number: u32) -> Vec<Vec<Option<String>>> {
        let mut rows = Vec::new();
        for batch in self.batches.iter().filter(|b| b.table == number) {
            for i in 0..batch.len() {
                rows.push(
                    batch
                        .columns
                        .iter()
                        .map(|column| match column.get(i) {
                            model::Cell::Null => None,
                            model::Cell::Int(n) => Some(n.to_string()),
                            model::Cell::Real(n) => Some(n.to_string()),
                            model::Cell::Text(t) => Some(t.to_owned()),
                            model::Cell::Bytes(b) => Some(model::id::hex(b)),
                        })
                        .collect(),
                );
            }
        }
        rows
    }

    /// The facts of a subject's property, as text.
    pub fn values(&self, subject: &str, property: &str) -> Vec<String> {
        self.facts
            .iter()
            .filter(|f| f.subject.as_str() == subject && f.property == property)
            .map(|f| if f.value == Value::Secret { "•••".to_owned() } else { f.value.text() })
            .collect()
    }
}
