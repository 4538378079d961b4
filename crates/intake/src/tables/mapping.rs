//! The mapping file: what a user tells of a table's columns (`docs/mapping.md`).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::names::{ROLES, Role};
use crate::amounts::{DateOrder, DecimalSign};
use crate::csv::fold;
use crate::payments::{Class, Nature};

/// Why a mapping file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("mapping file, line {line}: {message}")]
pub struct MappingError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    files: Option<String>,
    sheet: Option<String>,
    processor: Option<String>,
    account: Option<String>,
    currency: Option<String>,
    date_format: Option<String>,
    timezone: Option<String>,
    decimal: Option<String>,
    sign: Option<String>,
    columns: toml::Spanned<BTreeMap<String, toml::Spanned<String>>>,
    #[serde(default)]
    status: BTreeMap<toml::Spanned<String>, Vec<String>>,
    #[serde(default)]
    nature: BTreeMap<toml::Spanned<String>, Vec<String>>,
}

/// How a table's dates are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateForm {
    /// Day, month and year in this order.
    Order(DateOrder),
    /// Seconds since 1970-01-01 UTC.
    UnixSeconds,
    /// Milliseconds since 1970-01-01 UTC.
    UnixMilliseconds,
}

/// What a mapping file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    files: Option<String>,
    /// The sheet of a workbook it is for.
    pub sheet: Option<String>,
    /// The word in the column `processor`.
    pub processor: Option<String>,
    /// Whose statement it is: an IBAN, an e-mail address, or an account's name.
    pub account: Option<String>,
    /// The currency where no column says.
    pub currency: Option<String>,
    /// How dates are written.
    pub date: Option<DateForm>,
    /// The zone of times without one.
    pub timezone: Option<String>,
    /// What stands before the fraction.
    pub decimal: Option<DecimalSign>,
    /// True where money out is written without, or money in with, a minus.
    pub inverted: bool,
    columns: [Option<String>; ROLES],
    status: BTreeMap<String, Class>,
    nature: BTreeMap<String, Nature>,
}

const WORDS: [(Role, &str); ROLES] = [
    (Role::Date, "date"),
    (Role::Time, "time"),
    (Role::Amount, "amount"),
    (Role::Debit, "debit"),
    (Role::Credit, "credit"),
    (Role::Currency, "currency"),
    (Role::Fee, "fee"),
    (Role::Net, "net"),
    (Role::Id, "id"),
    (Role::Payer, "payer"),
    (Role::Payee, "payee"),
    (Role::PayerName, "payer_name"),
    (Role::PayeeName, "payee_name"),
    (Role::Counterparty, "counterparty"),
    (Role::CounterpartyName, "counterparty_name"),
    (Role::Account, "account"),
    (Role::Status, "status"),
    (Role::Type, "type"),
    (Role::Reference, "reference"),
    (Role::Note, "note"),
];

impl Mapping {
    /// Reads a mapping file. Unknown settings are errors, so that a slip of the pen is not silence.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        let line = |at: usize| 1 + text.bytes().take(at).filter(|b| *b == b'\n').count();
        let file: File = toml::from_str(text).map_err(|error| MappingError {
            line: line(error.span().map_or(0, |span| span.start)),
            message: error.message().lines().next().unwrap_or("no TOML").to_owned(),
        })?;
        // Settings outside tables have no span of their own: the line is looked for.
        let setting = |name: &str, message: String| MappingError {
            line: text
                .lines()
                .position(|l| {
                    l.trim_start()
                        .strip_prefix(name)
                        .is_some_and(|r| r.trim_start().starts_with('='))
                })
                .map_or(1, |n| n + 1),
            message,
        };
        let mut columns: [Option<String>; ROLES] = std::array::from_fn(|_| None);
        let columns_line = line(file.columns.span().start);
        for (word, column) in file.columns.into_inner() {
            let Some((role, _)) = WORDS.iter().find(|(_, known)| *known == word) else {
                let known: Vec<&str> = WORDS.iter().map(|(_, w)| *w).collect();
                let message = format!("no column {word:?}; known are {}", known.join(", "));
                return Err(MappingError { line: line(column.span().start), message });
            };
            columns[*role as usize] = Some(column.into_inner());
        }
        let has = |role: Role| columns[role as usize].is_some();
        if !has(Role::Date) || !(has(Role::Amount) || (has(Role::Debit) && has(Role::Credit))) {
            let message = "columns need a date, and an amount or both debit and credit".to_owned();
            return Err(MappingError { line: columns_line, message });
        }
        let date = match &file.date_format {
            None => None,
            Some(form) => Some(date_form(form).ok_or_else(|| {
                setting(
                    "date_format",
                    format!(
                        "{form:?} is none of DD/MM/YYYY, MM/DD/YYYY, YYYY-MM-DD, unix, unix_ms"
                    ),
                )
            })?),
        };
        let decimal = match file.decimal.as_deref() {
            None => None,
            Some(".") => Some(DecimalSign::Point),
            Some(",") => Some(DecimalSign::Comma),
            Some(other) => {
                return Err(setting("decimal", format!("{other:?} is neither \".\" nor \",\"")));
            }
        };
        let inverted = match file.sign.as_deref() {
            None | Some("as_written") => false,
            Some("inverted") => true,
            Some(other) => {
                return Err(setting(
                    "sign",
                    format!("{other:?} is neither \"as_written\" nor \"inverted\""),
                ));
            }
        };
        if let Some(currency) = &file.currency
            && currency.parse::<model::Currency>().is_err()
        {
            return Err(setting("currency", format!("{currency:?} is no currency code")));
        }
        let mut status = BTreeMap::new();
        for (word, values) in file.status {
            let Some(class) = Class::from_word(word.as_ref()) else {
                let message = format!(
                    "no state {:?}; known are completed, pending, denied, hold, conversion, other",
                    word.as_ref()
                );
                return Err(MappingError { line: line(word.span().start), message });
            };
            status.extend(values.iter().map(|v| (fold(v), class)));
        }
        let mut nature = BTreeMap::new();
        for (word, values) in file.nature {
            let Some(found) = Nature::from_word(word.as_ref()) else {
                let message = format!(
                    "no nature {:?}; known are payment, refund, fee, withdrawal, deposit, other",
                    word.as_ref()
                );
                return Err(MappingError { line: line(word.span().start), message });
            };
            nature.extend(values.iter().map(|v| (fold(v), found)));
        }
        Ok(Self {
            files: file.files,
            sheet: file.sheet,
            processor: file.processor,
            account: file.account,
            currency: file.currency,
            date,
            timezone: file.timezone,
            decimal,
            inverted,
            columns,
            status,
            nature,
        })
    }

    /// Whether it is for a file of this name (`files = "*stripe*.csv"`; without, for any).
    pub fn is_for(&self, name: &str) -> bool {
        let base = name.rsplit('/').next().unwrap_or(name).to_lowercase();
        self.files.as_ref().is_none_or(|pattern| glob(&pattern.to_lowercase(), &base))
    }

    /// Whether it names the files it is for.
    pub fn names_files(&self) -> bool {
        self.files.is_some()
    }

    /// The places of its columns in a header; the first name that is missing otherwise.
    pub(crate) fn place(&self, header: &[&str]) -> Result<[Option<usize>; ROLES], &str> {
        let header: Vec<String> = header.iter().map(|name| fold(name)).collect();
        let mut at = [None; ROLES];
        for (place, name) in at.iter_mut().zip(&self.columns) {
            if let Some(name) = name {
                let wanted = fold(name);
                *place = Some(header.iter().position(|h| *h == wanted).ok_or(name.as_str())?);
            }
        }
        Ok(at)
    }

    /// Every column it names that a header has not.
    pub(crate) fn missing(&self, header: &[&str]) -> Vec<String> {
        let header: Vec<String> = header.iter().map(|name| fold(name)).collect();
        let named = self.columns.iter().flatten();
        named.filter(|name| !header.contains(&fold(name))).cloned().collect()
    }

    /// The class that its `[status]` gives a value.
    pub fn class(&self, status: &str) -> Option<Class> {
        self.status.get(&fold(status)).copied()
    }

    /// The nature that its `[nature]` gives a value of the type or the status column.
    pub fn nature(&self, kind: &str, status: &str) -> Option<Nature> {
        self.nature.get(&fold(kind)).or_else(|| self.nature.get(&fold(status))).copied()
    }
}

fn date_form(form: &str) -> Option<DateForm> {
    let letters: String =
        form.to_ascii_uppercase().chars().filter(|c| matches!(c, 'D' | 'M' | 'Y')).collect();
    match form {
        "unix" => return Some(DateForm::UnixSeconds),
        "unix_ms" => return Some(DateForm::UnixMilliseconds),
        _ => {}
    }
    let first = |c| letters.find(c);
    let (d, m, y) = (first('D')?, first('M')?, first('Y')?);
    match (d < m, m < y, y < m) {
        (true, true, _) => Some(DateForm::Order(DateOrder::Dmy)),
        (false, _, false) if d < y => Some(DateForm::Order(DateOrder::Mdy)),
        (false, _, true) if m < d => Some(DateForm::Order(DateOrder::Ymd)),
        _ => None,
    }
}

/// `*` stands for any run of characters, `?` for one.
fn glob(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "files = \"*stripe*.csv\"\nprocessor = \"stripe\"\ndate_format = \"YYYY-MM-DD\"\ndecimal = \".\"\n\n[columns]\ndate = \"Created (UTC)\"\namount = \"Amount\"\nid = \"id\"\n\n[status]\ncompleted = [\"Paid\"]\n\n[nature]\nrefund = [\"Refund\"]\n";

    #[test]
    fn reads_a_mapping() {
        let mapping = Mapping::parse(GOOD).unwrap();
        assert!(mapping.is_for("a/My-Stripe-2024.CSV") && !mapping.is_for("a/other.csv"));
        assert_eq!(mapping.class(" PAID "), Some(Class::Completed));
        assert_eq!(mapping.nature("refund", ""), Some(Nature::Refund));
        let at = mapping.place(&["id", "Created (UTC)", "Amount"]).unwrap();
        assert_eq!(at[Role::Date as usize], Some(1));
        assert_eq!(mapping.place(&["id", "Amount"]), Err("Created (UTC)"));
        assert_eq!(date_form("DD.MM.YYYY"), Some(DateForm::Order(DateOrder::Dmy)));
        assert_eq!(date_form("MM/DD/YY"), Some(DateForm::Order(DateOrder::Mdy)));
        assert_eq!(date_form("YYYY-MM-DD"), Some(DateForm::Order(DateOrder::Ymd)));
    }

    #[test]
    fn errors_say_the_line() {
        let line = |text: &str| Mapping::parse(text).map_err(|e| e.line);
        assert_eq!(line(&GOOD.replace("processor", "procesor")), Err(2));
        assert_eq!(line(&GOOD.replace("\namount =", "\namonut =")), Err(8));
        assert_eq!(line(&GOOD.replace("YYYY-MM-DD", "soon")), Err(3));
        assert_eq!(line(&GOOD.replace("decimal = \".\"", "decimal = \"x\"")), Err(4));
        assert_eq!(line(&GOOD.replace("completed =", "done =")), Err(12));
        assert_eq!(line(&GOOD.replace("id = \"id\"", "id = ")), Err(9));
        assert_eq!(line("processor = \"x\"\n[columns]\ndate = \"d\"\n"), Err(2));
    }
}
