//! Rows read back from a table's file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use model::ColumnType;
use parquet::column::reader::ColumnReader;
use parquet::data_type::ByteArray;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{FileReader, RowGroupReader};
use parquet::file::serialized_reader::SerializedFileReader;

use super::identity::Identity;
use super::positional::Positional;
use super::shared::{Part, SharedBatch, SharedColumn};
use crate::{Error, Result};

/// An open table file; shared between threads, its footer read once.
pub(crate) struct TableFile {
    path: PathBuf,
    reader: SerializedFileReader<Positional>,
    identity: Identity,
    /// The number of each row group's first row, and the number of all rows at the end.
    firsts: Vec<u64>,
    /// Type of each source column; `None` for a secret one.
    types: Vec<Option<ColumnType>>,
}

impl std::fmt::Debug for TableFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TableFile({} rows)", self.rows())
    }
}

fn bad(e: parquet::errors::ParquetError) -> Error {
    Error::Table(e.to_string())
}

impl TableFile {
    /// Opens the file and reads its footer.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Self::footer(path).map_err(|error| error.of_file(path))
    }

    fn footer(path: &Path) -> Result<Self> {
        let read = |source| Error::Read { path: path.to_owned(), source };
        let file = ledger::plain::open(path).map_err(read)?;
        let identity = Identity::of(&file.metadata().map_err(read)?);
        let reader =
            SerializedFileReader::new(Positional::new(file).map_err(read)?).map_err(bad)?;
        let metadata = reader.metadata();
        let mut firsts = vec![0];
        for group in metadata.row_groups() {
            let last = firsts.last().copied().unwrap_or(0);
            firsts.push(last + u64::try_from(group.num_rows()).unwrap_or(0));
        }
        let schema = metadata.file_metadata().schema_descr();
        let types = (2..schema.num_columns())
            .map(|c| {
                let column = schema.column(c);
                match column.physical_type() {
                    parquet::basic::Type::BOOLEAN => None,
                    parquet::basic::Type::INT64 => Some(ColumnType::Int),
                    parquet::basic::Type::DOUBLE => Some(ColumnType::Real),
                    _ if column.logical_type_ref().is_some() => Some(ColumnType::Text),
                    _ => Some(ColumnType::Bytes),
                }
            })
            .collect();
        Ok(Self { path: path.to_owned(), reader, identity, firsts, types })
    }

    /// The file it reads.
    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }

    /// Rows in all.
    pub(crate) fn rows(&self) -> u64 {
        self.firsts.last().copied().unwrap_or(0)
    }

    /// Number of source columns.
    pub(crate) fn columns(&self) -> usize {
        self.types.len()
    }

    /// Number of row groups.
    pub(crate) fn groups(&self) -> usize {
        self.firsts.len() - 1
    }

    /// The number of a group's first row.
    pub(crate) fn first(&self, group: usize) -> u64 {
        self.firsts[group]
    }

    /// Rows of a group.
    pub(crate) fn group_rows(&self, group: usize) -> usize {
        usize::try_from(self.firsts[group + 1] - self.firsts[group]).unwrap_or(usize::MAX)
    }

    /// The group that holds a row.
    pub(crate) fn group_of(&self, row: u64) -> Option<usize> {
        (row < self.rows()).then(|| self.firsts.partition_point(|first| *first <= row) - 1)
    }

    /// A group's footer.
    pub(crate) fn group(&self, group: usize) -> &RowGroupMetaData {
        self.reader.metadata().row_group(group)
    }

    /// Whether rows of a group may overlap bytes `start..end` of the exhibit.
    pub(crate) fn spans_may_overlap(&self, group: usize, start: u64, end: u64) -> bool {
        use parquet::file::statistics::Statistics;
        let bounds = |c: usize| match self.group(group).column(c).statistics() {
            Some(Statistics::Int64(s)) => s.min_opt().copied().zip(s.max_opt().copied()),
            _ => None,
        };
        let first = bounds(0).is_none_or(|(min, _)| (min as u64) < end);
        first && bounds(1).is_none_or(|(_, max)| max as u64 > start)
    }

    /// Reads `count` rows of a group from its row `skip` on: their spans, and the source columns
    /// named by number in `wanted`, in that order.
    pub(crate) fn read(
        &self,
        group: usize,
        wanted: &[usize],
        skip: usize,
        count: usize,
    ) -> Result<SharedBatch> {
        self.read_rows(group, wanted, skip, count).map_err(|error| error.of_file(&self.path))
    }

    fn read_rows(
        &self,
        group: usize,
        wanted: &[usize],
        skip: usize,
        count: usize,
    ) -> Result<SharedBatch> {
        let rows = self.group_rows(group);
        let skip = skip.min(rows);
        let count = count.min(rows - skip);
        let reader = self.reader.get_row_group(group).map_err(bad)?;
        let starts = read_spans(reader.as_ref(), 0, skip, count)?;
        let ends = read_spans(reader.as_ref(), 1, skip, count)?;
        let columns = wanted
            .iter()
            .map(|c| self.read_column(reader.as_ref(), *c, skip, count))
            .collect::<Result<_>>()?;
        Ok(SharedBatch { starts, ends, columns })
    }

    /// Reads whole groups' columns for a digest.
    pub(crate) fn read_group(&self, group: usize) -> Result<Part> {
        let wanted: Vec<usize> = (0..self.columns()).collect();
        let batch = self.read(group, &wanted, 0, usize::MAX)?;
        let rows = 0..batch.starts.len();
        Ok(Part { batch: Arc::new(batch), rows })
    }

    fn read_column(
        &self,
        reader: &dyn RowGroupReader,
        c: usize,
        skip: usize,
        count: usize,
    ) -> Result<SharedColumn> {
        let Some(ty) = self.types.get(c) else {
            return Err(Error::Table(format!("there is no column {c}")));
        };
        let column = reader.get_column_reader(c + 2).map_err(bad)?;
        Ok(match column {
            ColumnReader::BoolColumnReader(mut r) => {
                r.skip_records(skip).map_err(bad)?;
                let mut values = Vec::with_capacity(count);
                r.read_records(count, None, None, &mut values).map_err(bad)?;
                SharedColumn::Withheld(whole(values, count)?)
            }
            ColumnReader::Int64ColumnReader(mut r) => {
                r.skip_records(skip).map_err(bad)?;
                let (mut values, mut levels) = (Vec::with_capacity(count), Vec::new());
                r.read_records(count, Some(&mut levels), None, &mut values).map_err(bad)?;
                SharedColumn::Int(join(values, &levels, count)?)
            }
            ColumnReader::DoubleColumnReader(mut r) => {
                r.skip_records(skip).map_err(bad)?;
                let (mut values, mut levels) = (Vec::with_capacity(count), Vec::new());
                r.read_records(count, Some(&mut levels), None, &mut values).map_err(bad)?;
                SharedColumn::Real(join(values, &levels, count)?)
            }
            ColumnReader::ByteArrayColumnReader(mut r) => {
                r.skip_records(skip).map_err(bad)?;
                let (mut values, mut levels) = (Vec::new(), Vec::new());
                r.read_records(count, Some(&mut levels), None, &mut values).map_err(bad)?;
                join_bytes(&values, &levels, count, *ty == Some(ColumnType::Text))?
            }
            _ => return Err(Error::Table("a column of a type that is not ours".to_owned())),
        })
    }
}

fn read_spans(
    reader: &dyn RowGroupReader,
    c: usize,
    skip: usize,
    count: usize,
) -> Result<Vec<u64>> {
    match reader.get_column_reader(c).map_err(bad)? {
        ColumnReader::Int64ColumnReader(mut r) => {
            r.skip_records(skip).map_err(bad)?;
            let mut values = Vec::with_capacity(count);
            r.read_records(count, None, None, &mut values).map_err(bad)?;
            Ok(whole(values, count)?.into_iter().map(|n: i64| n as u64).collect())
        }
        _ => Err(Error::Table("a span that is no number".to_owned())),
    }
}

fn short() -> Error {
    Error::Table("a column is shorter than its row group".to_owned())
}

fn whole<T>(values: Vec<T>, count: usize) -> Result<Vec<T>> {
    if values.len() == count { Ok(values) } else { Err(short()) }
}

fn join<T: Copy>(values: Vec<T>, levels: &[i16], count: usize) -> Result<Vec<Option<T>>> {
    if levels.len() != count {
        return Err(short());
    }
    let mut next = values.into_iter();
    levels
        .iter()
        .map(|l| if *l == 0 { Ok(None) } else { next.next().map(Some).ok_or_else(short) })
        .collect()
}

fn join_bytes(
    values: &[ByteArray],
    levels: &[i16],
    count: usize,
    text: bool,
) -> Result<SharedColumn> {
    if levels.len() != count {
        return Err(short());
    }
    let total: usize = values.iter().map(ByteArray::len).sum();
    let mut bytes = Vec::with_capacity(total);
    let mut ends = Vec::with_capacity(count);
    let mut valid = Vec::with_capacity(count);
    let mut next = values.iter();
    for level in levels {
        if *level != 0 {
            bytes.extend_from_slice(next.next().ok_or_else(short)?.data());
        }
        valid.push(*level != 0);
        ends.push(u32::try_from(bytes.len()).map_err(|_| short())?);
    }
    Ok(SharedColumn::Bytes { text, bytes: Bytes::from(bytes), ends, valid })
}
