//! The panels' schemas as data: the columns, types, defaults and keys of the real panels, from
//! which each dump tool's `CREATE TABLE` is made.
//!
//! The text (`schema/*.txt`) has a line `table NAME [charset=…] [engine=…]`, then a line a column
//! (`name type [NN] [AI] [BIN] [=default [ONUPDATE]]`; without NN it is nullable) and a line a key
//! (`@pk columns`, `@key name columns`, `@unique …`, `@fulltext …`).

/// A panel's schema family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Family {
    XcVm,
    XtreamUi,
    StreamCreed,
}

impl Family {
    /// The word in keys.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::XcVm => "xc_vm",
            Self::XtreamUi => "xtream_ui",
            Self::StreamCreed => "streamcreed",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::XcVm => include_str!("../schema/xc_vm.txt"),
            Self::XtreamUi => include_str!("../schema/xtream_ui.txt"),
            Self::StreamCreed => include_str!("../schema/streamcreed.txt"),
        }
    }

    /// Its tables in alphabetical order.
    pub(crate) fn tables(self) -> Vec<Table> {
        let mut tables: Vec<Table> = Vec::new();
        for line in self.text().lines() {
            if let Some(rest) = line.strip_prefix("table ") {
                tables.push(Table::new(rest));
            } else if let (Some(table), false) = (tables.last_mut(), line.trim().is_empty()) {
                table.line(line.trim());
            }
        }
        for table in &mut tables {
            // StreamCreed's list does not say which number themselves: single-column keys do.
            if self == Self::StreamCreed
                && table.name != "settings"
                && let Some(Index { kind: IndexKind::Primary, columns, .. }) = table.keys.first()
            {
                let name = columns.clone();
                if let Some(column) = table.columns.iter_mut().find(|c| c.name == name) {
                    column.auto = true;
                }
            }
        }
        tables
    }
}

/// A table.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) engine: String,
    pub(crate) charset: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) keys: Vec<Index>,
}

/// A column.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) ty: String,
    pub(crate) not_null: bool,
    pub(crate) auto: bool,
    pub(crate) binary_collation: bool,
    pub(crate) default: Option<String>,
    pub(crate) on_update: bool,
}

/// What a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IndexKind {
    Primary,
    Plain,
    Unique,
    FullText,
}

/// A key.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    pub(crate) kind: IndexKind,
    pub(crate) name: String,
    /// Comma-separated.
    pub(crate) columns: String,
}

impl Table {
    fn new(header: &str) -> Self {
        let mut words = header.split(' ');
        let name = words.next().unwrap_or_default().to_owned();
        let mut table = Self {
            name,
            engine: "InnoDB".to_owned(),
            charset: "utf8".to_owned(),
            columns: Vec::new(),
            keys: Vec::new(),
        };
        for word in words {
            match word.split_once('=') {
                Some(("engine", engine)) => table.engine = engine.to_owned(),
                Some(("charset", charset)) => table.charset = charset.to_owned(),
                _ => {}
            }
        }
        table
    }

    fn line(&mut self, line: &str) {
        if let Some(key) = line.strip_prefix('@') {
            let mut words = key.split(' ');
            let kind = words.next().unwrap_or_default();
            let first = words.next().unwrap_or_default().to_owned();
            let second = words.next().map(str::to_owned);
            let (kind, name, columns) = match (kind, second) {
                ("unique", Some(columns)) => (IndexKind::Unique, first, columns),
                ("fulltext", Some(columns)) => (IndexKind::FullText, first, columns),
                ("key", Some(columns)) => (IndexKind::Plain, first, columns),
                _ => (IndexKind::Primary, String::new(), first),
            };
            self.keys.push(Index { kind, name, columns });
            return;
        }
        let (head, default) = match line.split_once(" =") {
            Some((head, default)) => (head, Some(default)),
            None => (line.strip_suffix(" =").unwrap_or(line), None),
        };
        let (default, on_update) = match default {
            Some(text) => match text.strip_suffix(" ONUPDATE") {
                Some(text) => (Some(text.to_owned()), true),
                None => (Some(text.to_owned()), false),
            },
            None => (None, false),
        };
        let mut words: Vec<&str> = head.split(' ').collect();
        let mut take = |word: &str| match words.iter().position(|w| *w == word) {
            Some(at) => {
                words.remove(at);
                true
            }
            None => false,
        };
        let (not_null, auto, binary_collation) = (take("NN"), take("AI"), take("BIN"));
        take("NULL");
        self.columns.push(Column {
            name: words[0].to_owned(),
            ty: words.get(1).copied().unwrap_or("int(11)").to_owned(),
            not_null: not_null || auto,
            auto,
            binary_collation,
            default,
            on_update,
        });
    }

    /// The position of a column.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == name)
    }
}

impl Column {
    /// True for numbers: their defaults and values stand without quotes in rows.
    pub(crate) fn numeric(&self) -> bool {
        ["int", "tinyint", "smallint", "bigint", "float"].iter().any(|t| self.ty.starts_with(t))
    }

    /// The literal that an untouched row holds.
    pub(crate) fn untouched(&self) -> String {
        match &self.default {
            Some(now) if now == "NOW" => "'2026-03-01 02:00:00'".to_owned(),
            Some(value) if self.numeric() => value.clone(),
            Some(value) => format!("'{value}'"),
            None if !self.not_null => "NULL".to_owned(),
            None if self.numeric() => "0".to_owned(),
            None if self.ty.starts_with("datetime") => "'2026-03-01 02:00:00'".to_owned(),
            None if self.ty.starts_with("enum") => "'BAD_UA'".to_owned(),
            None => "''".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_schemas_are_whole() {
        let xc = Family::XcVm.tables();
        let lines = xc.iter().find(|t| t.name == "lines").expect("lines");
        assert_eq!(lines.columns.len(), 36);
        let secondary = |t: &Table| {
            let all = t.keys.iter().filter(|k| k.kind != IndexKind::Primary);
            (all.clone().count(), all.filter(|k| k.kind == IndexKind::FullText).count())
        };
        assert_eq!(secondary(lines), (14, 1));
        let activity = xc.iter().find(|t| t.name == "lines_activity").expect("activity");
        assert_eq!(secondary(activity), (12, 0));
        assert_eq!(xc.iter().find(|t| t.name == "servers").expect("servers").columns.len(), 58);
        assert_eq!(xc.iter().find(|t| t.name == "mag_devices").expect("mag").columns.len(), 76);
        for (family, table, columns, keys) in
            [(Family::XtreamUi, "users", 28, 13), (Family::StreamCreed, "users", 28, 13)]
        {
            let tables = family.tables();
            let users = tables.iter().find(|t| t.name == table).expect("users");
            assert_eq!(users.columns.len(), columns);
            assert_eq!(secondary(users).0, keys);
        }
        for family in [Family::XcVm, Family::XtreamUi, Family::StreamCreed] {
            for table in family.tables() {
                for key in &table.keys {
                    for column in key.columns.split(',') {
                        assert!(table.column(column).is_some(), "{}.{column}", table.name);
                    }
                }
            }
        }
    }
}
