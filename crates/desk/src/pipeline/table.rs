//! One bulk table in the making: rows gathered into groups, groups encoded on the pool and written
//! in order, indexes beside.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ledger::disk::Pending;
use model::{Cell, Meaning, TableRole, TableSchema};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::TypePtr;
use sha2::{Digest, Sha256};

use super::spill::{put, put_text};
use crate::index::{BuiltIndex, IndexBuilder, RunMaker, normal_form, pair_key};
use crate::tables::{
    EncodedGroup, GROUP_ROWS, GROUP_SPAN, Part, SharedBatch, digest_columns, encode,
    parquet_schema, writer_properties,
};
use crate::{Error, Result};

/// What an index of a table is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IndexOf {
    /// A column's values.
    Column(usize, Meaning),
    /// Two columns' values: `first 0x00 second`.
    Pair(usize, usize),
}

impl IndexOf {
    /// Its word in file names and views: `c<column>`, `pair`.
    pub(crate) fn word(self) -> String {
        match self {
            Self::Column(c, _) => format!("c{c}"),
            Self::Pair(..) => "pair".to_owned(),
        }
    }
}

/// The indexes a table gets: one for each indexed column, and for some roles one of pairs, whose
/// distinct keys are links.
pub(crate) fn indexes_of(schema: &TableSchema) -> Vec<IndexOf> {
    let mut out: Vec<IndexOf> = schema
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| !column.secret)
        .filter_map(|(i, column)| {
            column.meaning.filter(|m| m.indexed()).map(|m| IndexOf::Column(i, m))
        })
        .collect();
    let pair = match schema.role {
        TableRole::Lines => Some((Meaning::OperatorId, Meaning::UserName)),
        TableRole::Devices => Some((Meaning::LineId, Meaning::Mac)),
        TableRole::Payments | TableRole::Messages => Some((Meaning::From, Meaning::To)),
        _ => None,
    };
    if let Some((first, second)) = pair
        && let (Some(first), Some(second)) = (schema.with(first), schema.with(second))
        && !schema.columns[first].secret
        && !schema.columns[second].secret
    {
        out.push(IndexOf::Pair(first, second));
    }
    out
}

/// The pair a row stands for, if it stands for one: an operator or a line of number 0 is none; a
/// payment counts when completed; a message when it went to a group.
fn pair_of(
    schema: &TableSchema,
    class: Option<usize>,
    batch: &SharedBatch,
    (first, second): (usize, usize),
    row: usize,
) -> Option<Vec<u8>> {
    let form = |c: usize| -> Option<Vec<u8>> {
        let meaning = schema.columns[c].meaning?;
        let text = cell_text(batch.columns[c].get(row))?;
        match meaning {
            Meaning::OperatorId | Meaning::LineId => (text != b"0").then_some(text),
            _ => normal_form(meaning, &text).map(std::borrow::Cow::into_owned),
        }
    };
    match schema.role {
        TableRole::Payments => {
            let completed = batch.columns[class?].get(row) == Cell::Text("completed");
            completed.then_some(())?;
        }
        TableRole::Messages => {
            cell_text(batch.columns[second].get(row))?.starts_with(b"group:").then_some(())?;
        }
        _ => {}
    }
    Some(pair_key(&form(first)?, &form(second)?))
}

fn cell_text(cell: Cell<'_>) -> Option<Vec<u8>> {
    match cell {
        Cell::Null => None,
        Cell::Int(n) => Some(n.to_string().into_bytes()),
        Cell::Real(n) => Some(n.to_string().into_bytes()),
        Cell::Text(t) => Some(t.trim().as_bytes().to_vec()),
        Cell::Bytes(b) => Some(b.to_vec()),
    }
    .filter(|t| !t.is_empty())
}

/// A group on its way through the pool.
pub(crate) struct GroupDone {
    group: EncodedGroup,
    digest: [u8; 32],
    values: u64,
    runs: Vec<Vec<u8>>,
}

/// What the pool does with a group.
pub(crate) struct GroupTask {
    schema: Arc<TableSchema>,
    parquet: TypePtr,
    indexes: Arc<[IndexOf]>,
    parts: Vec<Part>,
    first_row: u64,
}

impl GroupTask {
    /// Encodes the rows, digests them, and sorts each index's run.
    pub(crate) fn run(self) -> Result<GroupDone> {
        let digest = digest_columns(&self.parts);
        let runs = self.indexes.iter().map(|index| self.index_run(*index)).collect();
        let values = self
            .parts
            .iter()
            .flat_map(|p| p.batch.columns.iter().map(|c| c.present(p.rows.clone())))
            .sum();
        let group = encode(&self.parquet, &self.parts).map_err(|e| Error::Table(e.to_string()))?;
        Ok(GroupDone { group, digest, values, runs })
    }

    fn index_run(&self, index: IndexOf) -> Vec<u8> {
        let mut maker = RunMaker::default();
        let mut number = self.first_row;
        let class = self.schema.columns.iter().position(|c| c.name == "class");
        for part in &self.parts {
            for row in part.rows.clone() {
                match index {
                    IndexOf::Column(c, meaning) => match part.batch.columns[c].get(row) {
                        Cell::Text(t) => {
                            if let Some(key) = normal_form(meaning, t.as_bytes()) {
                                maker.push(&key, number);
                            }
                        }
                        cell => {
                            if let Some(text) = cell_text(cell)
                                && let Some(key) = normal_form(meaning, &text)
                            {
                                maker.push(&key, number);
                            }
                        }
                    },
                    IndexOf::Pair(first, second) => {
                        let pair = (first, second);
                        if let Some(key) = pair_of(&self.schema, class, &part.batch, pair, row) {
                            maker.push(&key, number);
                        }
                    }
                }
                number += 1;
            }
        }
        maker.finish()
    }
}

/// A table being written.
pub(crate) struct TableMaker {
    folder: PathBuf,
    pub(crate) schema: Arc<TableSchema>,
    parquet: TypePtr,
    indexes: Arc<[IndexOf]>,
    builders: Vec<IndexBuilder>,
    pending: Vec<Part>,
    pending_rows: usize,
    pending_span: u64,
    given: u64,
    rows: u64,
    values: u64,
    writer: Option<SerializedFileWriter<HashingFile>>,
    hash: Sha256,
    said: Said,
}

/// A finished table: its file and indexes still without their names.
pub(crate) struct TableDone {
    pub(crate) schema: Arc<TableSchema>,
    pub(crate) rows: u64,
    pub(crate) values: u64,
    /// The Parquet file with its digest; `None` for a table without rows.
    pub(crate) file: Option<(Pending, [u8; 32])>,
    pub(crate) indexes: Vec<(IndexOf, BuiltIndex)>,
    pub(crate) digest: [u8; 32],
}

impl TableMaker {
    /// A table whose files are made in `folder`.
    pub(crate) fn new(folder: &Path, schema: TableSchema) -> Result<Self> {
        let parquet = parquet_schema(&schema).map_err(|e| Error::Table(e.to_string()))?;
        let indexes: Arc<[IndexOf]> = indexes_of(&schema).into();
        let builders = indexes.iter().map(|_| IndexBuilder::new(folder)).collect();
        let hash = digest_of_schema(&schema);
        Ok(Self {
            folder: folder.to_owned(),
            schema: Arc::new(schema),
            parquet,
            indexes,
            builders,
            pending: Vec::new(),
            pending_rows: 0,
            pending_span: 0,
            given: 0,
            rows: 0,
            values: 0,
            writer: None,
            hash,
            said: Said::default(),
        })
    }

    /// Adds rows; hands each group that is full to `full`.
    pub(crate) fn add(
        &mut self,
        batch: SharedBatch,
        full: &mut dyn FnMut(&mut Self, GroupTask) -> Result<()>,
    ) -> Result<()> {
        let batch = Arc::new(batch);
        let total = batch.starts.len();
        let mut from = 0;
        for row in 0..total {
            self.pending_rows += 1;
            self.pending_span += batch.ends[row].saturating_sub(batch.starts[row]);
            if self.pending_rows == GROUP_ROWS || self.pending_span >= GROUP_SPAN {
                self.pending.push(Part { batch: batch.clone(), rows: from..row + 1 });
                from = row + 1;
                if let Some(task) = self.take_group() {
                    full(self, task)?;
                }
            }
        }
        if from < total {
            self.pending.push(Part { batch, rows: from..total });
        }
        Ok(())
    }

    /// Rows that wait for their group to be full.
    pub(crate) fn take_group(&mut self) -> Option<GroupTask> {
        if self.pending_rows == 0 {
            return None;
        }
        let first_row = self.given;
        self.given += self.pending_rows as u64;
        self.pending_rows = 0;
        self.pending_span = 0;
        Some(GroupTask {
            schema: self.schema.clone(),
            parquet: self.parquet.clone(),
            indexes: self.indexes.clone(),
            parts: std::mem::take(&mut self.pending),
            first_row,
        })
    }

    /// Bytes of the exhibit whose rows wait in memory.
    pub(crate) fn waiting(&self) -> u64 {
        self.pending_span
    }

    /// Writes a group that came back from the pool; groups come in the order they were handed out.
    pub(crate) fn write(&mut self, done: GroupDone) -> Result<()> {
        let (folder, said) = (self.folder.clone(), self.said.clone());
        let table = |e: parquet::errors::ParquetError| disk_or_table(e, &folder, &said);
        self.rows += done.group.rows;
        self.values += done.values;
        digest_group(&mut self.hash, done.group.rows, &done.digest);
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => {
                let file = HashingFile {
                    file: Pending::new(&self.folder)?,
                    hash: Sha256::new(),
                    said: self.said.clone(),
                };
                let writer =
                    SerializedFileWriter::new(file, self.parquet.clone(), writer_properties())
                        .map_err(table)?;
                self.writer.insert(writer)
            }
        };
        let mut group = writer.next_row_group().map_err(table)?;
        for (bytes, close) in done.group.columns {
            group.append_column(&bytes, close).map_err(table)?;
        }
        group.close().map_err(table)?;
        for (builder, run) in self.builders.iter_mut().zip(done.runs) {
            builder.add(run)?;
        }
        Ok(())
    }

    /// Closes the file. The indexes' builders are handed out to be finished on the pool.
    pub(crate) fn close(self) -> Result<(TableDone, Vec<(IndexOf, IndexBuilder)>)> {
        let file = match self.writer {
            None => None,
            Some(writer) => {
                let out =
                    writer.into_inner().map_err(|e| disk_or_table(e, &self.folder, &self.said))?;
                Some((out.file, out.hash.finalize().into()))
            }
        };
        let builders = if file.is_some() {
            self.indexes.iter().copied().zip(self.builders).collect()
        } else {
            Vec::new()
        };
        let done = TableDone {
            schema: self.schema,
            rows: self.rows,
            values: self.values,
            file,
            indexes: Vec::new(),
            digest: self.hash.finalize().into(),
        };
        Ok((done, builders))
    }
}

/// What the disk said while a file was written: Parquet's writers tell it on as a text, in which a
/// full disk cannot be told from a fault of the table.
type Said = Arc<Mutex<Option<std::io::Error>>>;

fn disk_or_table(error: parquet::errors::ParquetError, folder: &Path, said: &Said) -> Error {
    let said = said.lock().ok().and_then(|mut said| said.take());
    match said {
        Some(source) => Error::Disk(ledger::Error::Disk {
            action: "write a table in",
            path: folder.to_owned(),
            source,
        }),
        None => Error::Table(error.to_string()),
    }
}

/// The digest of a table begins with its definition.
pub(crate) fn digest_of_schema(schema: &TableSchema) -> Sha256 {
    Sha256::new().chain_update(schema_bytes(schema))
}

/// It goes on with each group's rows and digest.
pub(crate) fn digest_group(hash: &mut Sha256, rows: u64, digest: &[u8; 32]) {
    hash.update(rows.to_le_bytes());
    hash.update(digest);
}

fn schema_bytes(schema: &TableSchema) -> Vec<u8> {
    let mut out = Vec::new();
    put_text(&mut out, &schema.name);
    put_text(&mut out, &schema.db);
    put_text(&mut out, schema.role.as_str());
    put_text(&mut out, schema.panel.as_deref().unwrap_or(""));
    put(&mut out, schema.columns.len() as u64);
    for column in &schema.columns {
        put_text(&mut out, &column.name);
        put_text(&mut out, crate::views::type_word(column.ty));
        put_text(&mut out, column.meaning.map_or("", Meaning::as_str));
        out.push(u8::from(column.secret));
    }
    out
}

/// A pending file that digests what is written.
struct HashingFile {
    file: Pending,
    hash: Sha256,
    said: Said,
}

impl Write for HashingFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.hash.update(bytes);
        self.file.writer().write_all(bytes).inspect_err(|error| {
            let again = match error.raw_os_error() {
                Some(code) => std::io::Error::from_raw_os_error(code),
                None => std::io::Error::from(error.kind()),
            };
            if let Ok(mut said) = self.said.lock() {
                said.get_or_insert(again);
            }
        })?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
