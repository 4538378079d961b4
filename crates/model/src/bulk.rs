//! Bulk tables: rows by the million (dump tables, payments, messages), kept beside the facts with
//! the span of each row. A row becomes an entity only when something else points at it.
//!
//! A column's [`Meaning`] says what it holds in the field's words, whatever the source calls it.
//! Meanings decide what is indexed, counted and shown.

/// What a table is for, in the field's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TableRole {
    /// Subscribers' accounts of a panel: one row a Line.
    Lines,
    /// Devices bound to lines (MAG, Enigma2): one row a binding.
    Devices,
    /// Who watched what, from where, when.
    Activity,
    /// Who signed in to the panel.
    Logins,
    /// What operators did on the panel.
    OperatorLog,
    /// Measurements of servers over time.
    ServerStats,
    /// Credits given and spent.
    Credits,
    /// Payments, in the columns of [`crate::bulk::payments`].
    Payments,
    /// Messages, in the columns of [`crate::bulk::messages`].
    Messages,
    /// Programme guide entries.
    Programmes,
    /// Any other table.
    Plain,
}

impl TableRole {
    /// Every role, in the order that lists show them.
    pub const ALL: [Self; 11] = [
        Self::Lines,
        Self::Devices,
        Self::Activity,
        Self::Logins,
        Self::OperatorLog,
        Self::ServerStats,
        Self::Credits,
        Self::Payments,
        Self::Messages,
        Self::Programmes,
        Self::Plain,
    ];

    /// The word in views and URLs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Devices => "devices",
            Self::Activity => "activity",
            Self::Logins => "logins",
            Self::OperatorLog => "operator_log",
            Self::ServerStats => "server_stats",
            Self::Credits => "credits",
            Self::Payments => "payments",
            Self::Messages => "messages",
            Self::Programmes => "programmes",
            Self::Plain => "plain",
        }
    }
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Meaning {
    /// The row's own number in its source.
    Id,
    /// A line's user name. Indexed; in a [`TableRole::Lines`] table it counts Lines.
    UserName,
    /// The line a row belongs to (its [`Meaning::Id`]).
    LineId,
    /// The operator that owns a line, or that acted.
    OperatorId,
    /// The stream concerned.
    StreamId,
    /// The server concerned.
    ServerId,
    /// A MAC address in any form (`Key::mac` reads it; Xtream UI's base64 is decoded by the
    /// parser). Indexed; counts Devices.
    Mac,
    /// An e-mail address. Indexed; counts EmailAddresses.
    Email,
    /// An IPv4 or IPv6 address. Indexed; counts IpAddresses (global ones).
    Address,
    /// A two-letter country code.
    Country,
    /// An internet provider's name.
    Isp,
    /// What the viewer used.
    UserAgent,
    /// Seconds since the epoch, UTC, at which the row begins (or happened).
    Time,
    /// Seconds since the epoch at which it ended.
    TimeEnd,
    /// Seconds since the epoch at which a line expires; null or 0 is never.
    Expiry,
    /// Nonzero where the operator allows the line.
    Enabled,
    /// Nonzero where the administrator allows the line.
    AdminEnabled,
    /// Nonzero for a trial.
    Trial,
    /// Seconds since the epoch at which the row was created.
    Created,
    /// How many may watch at once.
    MaxConnections,
    /// Free text people wrote.
    Note,
    /// A token that names its holder (not a password). Indexed.
    Token,
    /// Who sent a payment or a message: a key's text.
    From,
    /// Who got it: a key's text.
    To,
}

impl Meaning {
    /// The word in views.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::UserName => "user_name",
            Self::LineId => "line_id",
            Self::OperatorId => "operator_id",
            Self::StreamId => "stream_id",
            Self::ServerId => "server_id",
            Self::Mac => "mac",
            Self::Email => "email",
            Self::Address => "address",
            Self::Country => "country",
            Self::Isp => "isp",
            Self::UserAgent => "user_agent",
            Self::Time => "time",
            Self::TimeEnd => "time_end",
            Self::Expiry => "expiry",
            Self::Enabled => "enabled",
            Self::AdminEnabled => "admin_enabled",
            Self::Trial => "trial",
            Self::Created => "created",
            Self::MaxConnections => "max_connections",
            Self::Note => "note",
            Self::Token => "token",
            Self::From => "from",
            Self::To => "to",
        }
    }

    /// True where people ask for single values: the desk keeps a sorted index.
    pub fn indexed(self) -> bool {
        matches!(
            self,
            Self::UserName
                | Self::Mac
                | Self::Email
                | Self::Address
                | Self::Token
                | Self::From
                | Self::To
        )
    }
}

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ColumnType {
    /// 64-bit signed integers.
    Int,
    /// 64-bit floating point, only where the source's column is floating point.
    Real,
    /// UTF-8 text. Decimals, dates and enums stay the text they are.
    Text,
    /// Bytes of no stated encoding (BLOB, BINARY).
    Bytes,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The source's name, or ours for made-up tables.
    pub name: String,
    /// Its type.
    pub ty: ColumnType,
    /// What it holds, where known.
    pub meaning: Option<Meaning>,
    /// True for passwords and keys: the values are read and never kept; [`ColumnData::Withheld`].
    pub secret: bool,
}

/// A table of one exhibit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSchema {
    /// Its name in the source; unique within the exhibit together with `db`.
    pub name: String,
    /// The database it stood in; empty where there is none.
    pub db: String,
    /// What it is for.
    pub role: TableRole,
    /// The locator's text of the panel it belongs to (see [`crate::key::Locator`]), if any.
    pub panel: Option<String>,
    /// Its columns, in the source's order.
    pub columns: Vec<Column>,
}

impl TableSchema {
    /// The position of the first column with this meaning.
    pub fn with(&self, meaning: Meaning) -> Option<usize> {
        self.columns.iter().position(|c| c.meaning == Some(meaning))
    }
}

/// Values of variable length, one after the other in one buffer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Strings {
    /// All values' bytes.
    pub bytes: Vec<u8>,
    /// The end of each value in `bytes`. An absent value is empty.
    pub ends: Vec<u32>,
    /// Whether each value is present.
    pub valid: Vec<bool>,
}

impl Strings {
    /// Adds a value. The buffer of one batch stays below 4 GiB: batches are cut long before.
    pub fn push(&mut self, value: Option<&[u8]>) {
        if let Some(value) = value {
            self.bytes.extend_from_slice(value);
        }
        self.valid.push(value.is_some());
        self.ends.push(u32::try_from(self.bytes.len()).expect("a batch is under 4 GiB"));
    }

    /// Value `i`, `None` where absent.
    pub fn get(&self, i: usize) -> Option<&[u8]> {
        let start = if i == 0 { 0 } else { self.ends[i - 1] as usize };
        self.valid[i].then(|| &self.bytes[start..self.ends[i] as usize])
    }
}

/// The values of one column in a batch.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnData {
    /// Integers; `None` where absent.
    Int(Vec<Option<i64>>),
    /// Floating point.
    Real(Vec<Option<f64>>),
    /// Text; each value is valid UTF-8.
    Text(Strings),
    /// Bytes.
    Bytes(Strings),
    /// A secret column: only whether each value was present.
    Withheld(Vec<bool>),
}

/// One value of a row, for makers that go row by row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// Absent (NULL).
    Null,
    /// An integer.
    Int(i64),
    /// Floating point.
    Real(f64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl ColumnData {
    /// An empty column of the type.
    pub fn new(column: &Column) -> Self {
        if column.secret {
            return Self::Withheld(Vec::new());
        }
        match column.ty {
            ColumnType::Int => Self::Int(Vec::new()),
            ColumnType::Real => Self::Real(Vec::new()),
            ColumnType::Text => Self::Text(Strings::default()),
            ColumnType::Bytes => Self::Bytes(Strings::default()),
        }
    }

    /// Adds a cell. False where the cell is not of the column's type: then an absent value was
    /// added, and the caller reports a problem of kind `Type`.
    pub fn push(&mut self, cell: Cell<'_>) -> bool {
        match (&mut *self, cell) {
            (Self::Withheld(present), cell) => present.push(cell != Cell::Null),
            (Self::Int(v), Cell::Null) => v.push(None),
            (Self::Int(v), Cell::Int(n)) => v.push(Some(n)),
            (Self::Real(v), Cell::Null) => v.push(None),
            (Self::Real(v), Cell::Real(n)) => v.push(Some(n)),
            (Self::Text(s) | Self::Bytes(s), Cell::Null) => s.push(None),
            (Self::Text(s) | Self::Bytes(s), Cell::Text(t)) => s.push(Some(t.as_bytes())),
            (Self::Bytes(s), Cell::Bytes(b)) => s.push(Some(b)),
            _ => {
                self.push(Cell::Null);
                return false;
            }
        }
        true
    }

    /// Value `i`.
    pub fn get(&self, i: usize) -> Cell<'_> {
        match self {
            Self::Int(v) => v[i].map_or(Cell::Null, Cell::Int),
            Self::Real(v) => v[i].map_or(Cell::Null, Cell::Real),
            Self::Text(s) => s
                .get(i)
                .map_or(Cell::Null, |b| std::str::from_utf8(b).map_or(Cell::Bytes(b), Cell::Text)),
            Self::Bytes(s) => s.get(i).map_or(Cell::Null, Cell::Bytes),
            Self::Withheld(_) => Cell::Null,
        }
    }
}

/// Rows of one table, column by column.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The number that `Sink::table` gave.
    pub table: u32,
    /// First byte of each row (a dump's row: its tuple, from `(` to `)` included).
    pub starts: Vec<u64>,
    /// One past the last byte of each row.
    pub ends: Vec<u64>,
    /// The columns, in the schema's order, all as long as `starts`.
    pub columns: Vec<ColumnData>,
}

impl Batch {
    /// An empty batch for the table.
    pub fn new(table: u32, schema: &TableSchema) -> Self {
        Self {
            table,
            starts: Vec::new(),
            ends: Vec::new(),
            columns: schema.columns.iter().map(ColumnData::new).collect(),
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }
}

fn column(name: &str, ty: ColumnType, meaning: Option<Meaning>) -> Column {
    Column { name: name.to_owned(), ty, meaning, secret: false }
}

/// The classes of payments, as tables write them.
pub const PAYMENT_CLASSES: [&str; 6] =
    ["completed", "pending", "denied", "hold", "conversion", "other"];

/// The one shape of payments, whatever the source: PayPal, camt.053, any CSV or XLSX.
///
/// A payment is counted once by `(processor, account, txid, sign)` whatever the number of exports it stands in,
/// and only with `class = "completed"`; holds, conversions between one's own balances, and pending
/// or denied ones stand apart under their class.
pub fn payments() -> TableSchema {
    use ColumnType::{Int, Text};
    TableSchema {
        name: "payments".to_owned(),
        db: String::new(),
        role: TableRole::Payments,
        panel: None,
        columns: vec![
            // "paypal", an IBAN's bank (BIC), or the mapping file's word.
            column("processor", Text, None),
            // The key of the account whose statement this is ("" where the export does not say).
            column("account", Text, None),
            column("txid", Text, Some(Meaning::Token)),
            // One of PAYMENT_CLASSES.
            column("class", Text, None),
            // payment | refund | fee | withdrawal | deposit | other
            column("nature", Text, None),
            column("status", Text, None),
            column("type", Text, None),
            // ISO 8601 text with the source's zone and precision; and the same in UTC seconds.
            column("time", Text, None),
            column("time_utc", Int, Some(Meaning::Time)),
            column("currency", Text, None),
            // Signed minor units; positive = into the account whose statement it is.
            column("gross_minor", Int, None),
            column("fee_minor", Int, None),
            column("net_minor", Int, None),
            // Keys of payer and payee: account:paypal:…, iban:…, wallet:…, email:…
            column("from", Text, Some(Meaning::From)),
            column("to", Text, Some(Meaning::To)),
            column("from_name", Text, None),
            column("to_name", Text, None),
            column("reference", Text, None),
            column("note", Text, Some(Meaning::Note)),
        ],
    }
}

/// The one shape of messages.
pub fn messages() -> TableSchema {
    use ColumnType::{Int, Text};
    TableSchema {
        name: "messages".to_owned(),
        db: String::new(),
        role: TableRole::Messages,
        panel: None,
        columns: vec![
            column("service", Text, None),
            // Key of the group or of the other account.
            column("chat", Text, Some(Meaning::To)),
            column("message_id", Text, None),
            // Key of the sender.
            column("from", Text, Some(Meaning::From)),
            column("from_name", Text, None),
            column("time", Text, None),
            column("time_utc", Int, Some(Meaning::Time)),
            // message | service | deleted | media
            column("type", Text, None),
            column("text", Text, Some(Meaning::Note)),
            column("reply_to", Text, None),
            column("forwarded_from", Text, None),
            column("file", Text, None),
        ],
    }
}
