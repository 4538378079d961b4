//! A row group in Parquet's encoding, made in memory on any thread.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use model::{ColumnType, TableSchema};
use parquet::basic::{Compression, Encoding, LogicalType, Repetition, Type as Physical};
use parquet::column::writer::{ColumnCloseResult, ColumnWriter, get_column_writer};
use parquet::data_type::ByteArray;
use parquet::errors::Result;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::{ColumnDescPtr, SchemaDescriptor, Type, TypePtr};

use super::PAGE_ROWS;
use super::shared::{Part, SharedColumn};

/// An encoded row group: each column's bytes and metadata.
pub(crate) struct EncodedGroup {
    pub(crate) rows: u64,
    pub(crate) columns: Vec<(Bytes, ColumnCloseResult)>,
}

/// The Parquet schema of a bulk table: `_start`, `_end`, then the source's columns by number, since
/// their names are hostile and may repeat.
pub(crate) fn parquet_schema(schema: &TableSchema) -> Result<TypePtr> {
    let field = |name: &str, physical, repetition, logical| {
        Type::primitive_type_builder(name, physical)
            .with_repetition(repetition)
            .with_logical_type(logical)
            .build()
            .map(Arc::new)
    };
    let mut fields = vec![
        field("_start", Physical::INT64, Repetition::REQUIRED, None)?,
        field("_end", Physical::INT64, Repetition::REQUIRED, None)?,
    ];
    for (i, column) in schema.columns.iter().enumerate() {
        let name = format!("c{i}");
        fields.push(if column.secret {
            field(&name, Physical::BOOLEAN, Repetition::REQUIRED, None)?
        } else {
            match column.ty {
                ColumnType::Int => field(&name, Physical::INT64, Repetition::OPTIONAL, None)?,
                ColumnType::Real => field(&name, Physical::DOUBLE, Repetition::OPTIONAL, None)?,
                ColumnType::Text => {
                    let text = Some(LogicalType::String);
                    field(&name, Physical::BYTE_ARRAY, Repetition::OPTIONAL, text)?
                }
                ColumnType::Bytes => {
                    field(&name, Physical::BYTE_ARRAY, Repetition::OPTIONAL, None)?
                }
            }
        });
    }
    Ok(Arc::new(Type::group_type_builder("rows").with_fields(fields).build()?))
}

/// The file's properties. `created_by` is ours alone, so that the bytes depend on nothing else.
pub(crate) fn writer_properties() -> WriterPropertiesPtr {
    Arc::new(base().build())
}

fn base() -> parquet::file::properties::WriterPropertiesBuilder {
    WriterProperties::builder()
        .set_created_by("vigie".to_owned())
        .set_compression(Compression::SNAPPY)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_statistics_truncate_length(Some(64))
        .set_offset_index_disabled(true)
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(PAGE_ROWS)
        .set_dictionary_page_size_limit(256 << 10)
}

/// Encodes the rows of `parts`.
pub(crate) fn encode(schema: &TypePtr, parts: &[Part]) -> Result<EncodedGroup> {
    let descriptor = SchemaDescriptor::new(schema.clone());
    let rows: usize = parts.iter().map(Part::len).sum();
    let spans = |which: fn(&Part) -> &[u64]| -> Vec<i64> {
        parts.iter().flat_map(|p| which(p)[p.rows.clone()].iter().map(|n| *n as i64)).collect()
    };
    let mut columns = Vec::with_capacity(descriptor.num_columns());
    for (c, which) in [(0, (|p| &p.batch.starts) as fn(&Part) -> &[u64]), (1, |p| &p.batch.ends)] {
        columns.push(write_column(descriptor.column(c), &delta(), |writer| {
            if let ColumnWriter::Int64ColumnWriter(w) = writer {
                w.write_batch(&spans(which), None, None)?;
            }
            Ok(())
        })?);
    }
    for c in 2..descriptor.num_columns() {
        columns.push(encode_column(descriptor.column(c), parts, c - 2)?);
    }
    Ok(EncodedGroup { rows: rows as u64, columns })
}

fn delta() -> WriterPropertiesPtr {
    let properties = base().set_dictionary_enabled(false);
    Arc::new(properties.set_encoding(Encoding::DELTA_BINARY_PACKED).build())
}

fn plain() -> WriterPropertiesPtr {
    Arc::new(base().set_dictionary_enabled(false).build())
}

fn dictionary() -> WriterPropertiesPtr {
    Arc::new(base().build())
}

fn write_column(
    column: ColumnDescPtr,
    properties: &WriterPropertiesPtr,
    write: impl FnOnce(&mut ColumnWriter<'_>) -> Result<()>,
) -> Result<(Bytes, ColumnCloseResult)> {
    let mut out = TrackedWrite::new(Vec::new());
    let close = {
        let pages = Box::new(SerializedPageWriter::new(&mut out));
        let mut writer = get_column_writer(column, properties.clone(), pages);
        write(&mut writer)?;
        match writer {
            ColumnWriter::BoolColumnWriter(w) => w.close()?,
            ColumnWriter::Int64ColumnWriter(w) => w.close()?,
            ColumnWriter::DoubleColumnWriter(w) => w.close()?,
            ColumnWriter::ByteArrayColumnWriter(w) => w.close()?,
            _ => return Err(parquet::errors::ParquetError::NYI("no such column".to_owned())),
        }
    };
    Ok((Bytes::from(out.into_inner()?), close))
}

fn encode_column(
    descriptor: ColumnDescPtr,
    parts: &[Part],
    c: usize,
) -> Result<(Bytes, ColumnCloseResult)> {
    let columns = || parts.iter().map(|p| (&p.batch.columns[c], p.rows.clone()));
    match descriptor.physical_type() {
        Physical::BOOLEAN => write_column(descriptor, &plain(), |writer| {
            if let ColumnWriter::BoolColumnWriter(w) = writer {
                for (column, rows) in columns() {
                    if let SharedColumn::Withheld(v) = column {
                        w.write_batch(&v[rows], None, None)?;
                    }
                }
            }
            Ok(())
        }),
        Physical::INT64 => {
            let properties = int_properties(parts, c);
            write_column(descriptor, &properties, |writer| {
                if let ColumnWriter::Int64ColumnWriter(w) = writer {
                    for (column, rows) in columns() {
                        if let SharedColumn::Int(v) = column {
                            let (values, levels) = split(&v[rows]);
                            w.write_batch(&values, Some(&levels), None)?;
                        }
                    }
                }
                Ok(())
            })
        }
        Physical::DOUBLE => write_column(descriptor, &dictionary(), |writer| {
            if let ColumnWriter::DoubleColumnWriter(w) = writer {
                for (column, rows) in columns() {
                    if let SharedColumn::Real(v) = column {
                        let (values, levels) = split(&v[rows]);
                        w.write_batch(&values, Some(&levels), None)?;
                    }
                }
            }
            Ok(())
        }),
        _ => {
            let properties = text_properties(parts, c);
            write_column(descriptor, &properties, |writer| {
                if let ColumnWriter::ByteArrayColumnWriter(w) = writer {
                    let mut values = Vec::new();
                    let mut levels = Vec::new();
                    for (column, rows) in columns() {
                        if let SharedColumn::Bytes { bytes, ends, valid, .. } = column {
                            values.clear();
                            levels.clear();
                            for i in rows {
                                levels.push(i16::from(valid[i]));
                                if valid[i] {
                                    let range = SharedColumn::slice(bytes, ends, i);
                                    values.push(ByteArray::from(bytes.slice(range)));
                                }
                            }
                            w.write_batch(&values, Some(&levels), None)?;
                        }
                    }
                }
                Ok(())
            })
        }
    }
}

fn split<T: Copy>(values: &[Option<T>]) -> (Vec<T>, Vec<i16>) {
    let levels = values.iter().map(|v| i16::from(v.is_some())).collect();
    (values.iter().flatten().copied().collect(), levels)
}

/// Values looked at to choose an encoding: from the group's start, since choice must depend on the
/// rows alone.
const SAMPLE: usize = 512;

fn int_properties(parts: &[Part], c: usize) -> WriterPropertiesPtr {
    let mut seen = HashSet::new();
    let mut taken = 0;
    'all: for part in parts {
        if let SharedColumn::Int(v) = &part.batch.columns[c] {
            for value in v[part.rows.clone()].iter().flatten() {
                seen.insert(*value);
                taken += 1;
                if taken == SAMPLE {
                    break 'all;
                }
            }
        }
    }
    if seen.len() * 8 <= taken { dictionary() } else { delta() }
}

fn text_properties(parts: &[Part], c: usize) -> WriterPropertiesPtr {
    let mut seen: HashSet<&[u8]> = HashSet::new();
    let mut taken = 0;
    'all: for part in parts {
        if let SharedColumn::Bytes { bytes, ends, valid, .. } = &part.batch.columns[c] {
            for i in part.rows.clone().filter(|i| valid[*i]) {
                seen.insert(&bytes[SharedColumn::slice(bytes, ends, i)]);
                taken += 1;
                if taken == SAMPLE {
                    break 'all;
                }
            }
        }
    }
    if seen.len() * 4 <= taken { dictionary() } else { plain() }
}
