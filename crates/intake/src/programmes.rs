//! The one shape of programme guides, whatever the source: XMLTV or an Xtream panel's answers.

use model::{
    Batch, Cell, Column, ColumnData, ColumnType, Meaning, Problem, ProblemKind, Stamp, TableRole,
    TableSchema,
};

use crate::sink::Sink;

/// Rows in a batch, and bytes of text after which one is handed over early.
const BATCH_ROWS: usize = 16 << 10;
const BATCH_BYTES: usize = 8 << 20;

/// The table of programmes: one row a broadcast.
pub fn programmes() -> TableSchema {
    use ColumnType::{Int, Text};
    let column =
        |name: &str, ty, meaning| Column { name: name.to_owned(), ty, meaning, secret: false };
    TableSchema {
        name: "programmes".to_owned(),
        db: String::new(),
        role: TableRole::Programmes,
        panel: None,
        columns: vec![
            // The EPG id of the channel, as written.
            column("channel", Text, None),
            // Begin and end as written, and in UTC seconds.
            column("start", Text, None),
            column("time_utc", Int, Some(Meaning::Time)),
            column("stop", Text, None),
            column("stop_utc", Int, Some(Meaning::TimeEnd)),
            column("title", Text, None),
            column("subtitle", Text, None),
            column("description", Text, Some(Meaning::Note)),
            column("category", Text, None),
            column("language", Text, None),
            column("episode", Text, None),
            column("icon", Text, None),
        ],
    }
}

/// A programme, before it becomes a row.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Programme {
    pub(crate) channel: String,
    pub(crate) start: String,
    pub(crate) start_utc: Option<i64>,
    pub(crate) stop: String,
    pub(crate) stop_utc: Option<i64>,
    pub(crate) title: String,
    pub(crate) subtitle: String,
    pub(crate) description: String,
    pub(crate) category: String,
    pub(crate) language: String,
    pub(crate) episode: String,
    pub(crate) icon: String,
}

/// Gathers rows into batches.
#[derive(Default)]
pub(crate) struct Rows {
    batch: Option<Batch>,
    bytes: usize,
}

impl Rows {
    /// Adds a programme that stood at `start..end`.
    pub(crate) fn push(&mut self, row: &Programme, start: u64, end: u64, out: &mut dyn Sink) {
        let batch = self.batch.get_or_insert_with(|| {
            let schema = programmes();
            Batch::new(out.table(schema.clone()), &schema)
        });
        fn text(t: &str) -> Cell<'_> {
            if t.is_empty() { Cell::Null } else { Cell::Text(t) }
        }
        let int = |n: Option<i64>| n.map_or(Cell::Null, Cell::Int);
        let cells = [
            text(&row.channel),
            text(&row.start),
            int(row.start_utc),
            text(&row.stop),
            int(row.stop_utc),
            text(&row.title),
            text(&row.subtitle),
            text(&row.description),
            text(&row.category),
            text(&row.language),
            text(&row.episode),
            text(&row.icon),
        ];
        for (column, cell) in batch.columns.iter_mut().zip(cells) {
            if let Cell::Text(t) = cell {
                self.bytes += t.len();
            }
            column.push(cell);
        }
        batch.starts.push(start);
        batch.ends.push(end);
        if batch.len() >= BATCH_ROWS || self.bytes >= BATCH_BYTES {
            self.hand_over(out);
        }
    }

    fn hand_over(&mut self, out: &mut dyn Sink) {
        if let Some(batch) = &mut self.batch
            && !batch.is_empty()
        {
            let columns = programmes().columns.iter().map(ColumnData::new).collect();
            let next = Batch { table: batch.table, starts: Vec::new(), ends: Vec::new(), columns };
            out.rows(std::mem::replace(batch, next));
            self.bytes = 0;
        }
    }

    /// Hands over what is left.
    pub(crate) fn finish(mut self, out: &mut dyn Sink) {
        self.hand_over(out);
    }
}

/// A moment of XMLTV: `20240101183000 +0100`, fewer digits allowed, or ISO 8601; in UTC seconds.
/// Without a zone it is UTC.
pub(crate) fn xmltv_time(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if !matches!(digits, 8 | 10 | 12 | 14) {
        return Stamp::parse_iso(text).map(|s| s.utc_ms().div_euclid(1000));
    }
    let part = |r: std::ops::Range<usize>| text.get(r).filter(|_| digits >= 8).unwrap_or("00");
    let at = |from: usize| if digits >= from + 2 { part(from..from + 2) } else { "00" };
    let zone = text[digits..].trim();
    let iso = format!("{}-{}-{}T{}:{}:{}{zone}", part(0..4), at(4), at(6), at(8), at(10), at(12));
    Stamp::parse_iso(&iso).map(|s| s.utc_ms().div_euclid(1000))
}

/// The problem of a time that could not be read.
pub(crate) fn bad_time(start: u64, end: u64) -> Problem {
    Problem {
        start,
        end,
        kind: ProblemKind::Type,
        message: "a programme's time that could not be read".to_owned(),
        lost: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times() {
        for (text, seconds) in [
            ("20240101183000 +0100", Some(1_704_130_200)),
            ("20240101173000", Some(1_704_130_200)),
            ("202401011730 +0000", Some(1_704_130_200)),
            ("2024-01-01 17:30:00", Some(1_704_130_200)),
            ("20240101", Some(1_704_067_200)),
            ("20241301000000", None),
            ("x", None),
            ("é0240101", None),
        ] {
            assert_eq!(xmltv_time(text), seconds, "{text}");
        }
    }
}
