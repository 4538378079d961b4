//! A table's rows as payments.

use std::collections::HashMap;

use model::{
    Cell, Column, ColumnType, Currency, Key, Precision, Problem, ProblemKind, Sha256Hex, Stamp,
    TableSchema,
};

use super::mapping::{DateForm, Mapping};
use super::names::{ROLES, Role};
use super::{TableCell, TableRow, secret_places};
use crate::amounts::{
    AmountError, DateOrder, DecimalSign, civil, guess_order, guess_sign, parse_amount, parse_clock,
    parse_date, zone_offset,
};
use crate::payments::{Class, Nature, Payment};
use crate::paypal::{class, nature};
use crate::rows::Rows;
use crate::scan;
use crate::sink::Sink;

/// How many rows' digests are remembered, to number rows that are alike.
const MAX_DIGESTS: usize = 1 << 20;

#[derive(Debug)]
pub(super) struct PaymentRows {
    rows: Rows,
    at: [Option<usize>; ROLES],
    pub(super) columns: usize,
    /// Places of the source's columns of passwords and keys.
    secret: Vec<usize>,
    /// The currency where no cell says.
    currency: Option<String>,
    mapping: Option<Mapping>,
    account: Option<Key>,
    date: DateForm,
    sign: Option<DecimalSign>,
    alike: HashMap<[u8; 16], u32>,
}

impl PaymentRows {
    /// `rows` begins with the header.
    pub(super) fn new(
        out: &mut dyn Sink,
        db: &str,
        at: [Option<usize>; ROLES],
        currency: Option<String>,
        mapping: Option<&Mapping>,
        rows: &[TableRow],
    ) -> Self {
        let body = rows.get(1..).unwrap_or_default();
        let cell = |row: &'_ TableRow, role: Role| -> String {
            at[role as usize]
                .and_then(|i| row.cells.get(i))
                .map_or(String::new(), |c| c.text.clone())
        };
        let dates: Vec<String> =
            body.iter().map(|row| date_part(&cell(row, Role::Date)).to_owned()).collect();
        let amounts: Vec<String> = body
            .iter()
            .flat_map(|row| {
                [Role::Amount, Role::Debit, Role::Credit, Role::Fee, Role::Net].map(|role| {
                    let numeric =
                        at[role as usize].and_then(|i| row.cells.get(i)).is_some_and(|c| c.numeric);
                    if numeric { String::new() } else { cell(row, role) }
                })
            })
            .collect();
        let order = guess_order(dates.iter().map(String::as_str)).unwrap_or(DateOrder::Dmy);
        let sign = guess_sign(amounts.iter().map(String::as_str));
        let header = rows.first().map_or(0, |row| {
            row.cells.iter().rposition(|c| !c.text.trim().is_empty()).map_or(0, |last| last + 1)
        });
        let account = mapping.and_then(|m| m.account.as_deref()).map(|account| {
            let processor = mapping.and_then(|m| m.processor.as_deref());
            party(account, processor)
                .unwrap_or_else(|| Key::account(processor.unwrap_or("bank"), account))
        });
        let head = rows.first().map(TableRow::texts).unwrap_or_default();
        let secret = secret_places(&head);
        let mut schema = TableSchema { db: db.to_owned(), ..model::bulk::payments() };
        // Withheld like any table's: of each value the views hold that it is there.
        schema.columns.extend(secret.iter().map(|i| Column {
            name: head[*i].trim().to_owned(),
            ty: ColumnType::Text,
            meaning: None,
            secret: true,
        }));
        Self {
            rows: Rows::new(out, schema),
            secret,
            at,
            columns: header,
            currency: mapping.and_then(|m| m.currency.clone()).or(currency),
            account,
            date: mapping.and_then(|m| m.date).unwrap_or(DateForm::Order(order)),
            sign: mapping.and_then(|m| m.decimal).or(sign),
            mapping: mapping.cloned(),
            alike: HashMap::new(),
        }
    }

    pub(super) fn flush(&mut self, out: &mut dyn Sink) {
        self.rows.flush(out);
    }

    fn cell<'r>(&self, row: &'r TableRow, role: Role) -> Option<&'r TableCell> {
        self.at[role as usize].and_then(|i| row.cells.get(i))
    }

    fn text<'r>(&self, row: &'r TableRow, role: Role) -> &'r str {
        self.cell(row, role).map_or("", |c| c.text.trim())
    }

    /// An amount of the row. Absent and empty cells are none; the rest is read or complained of.
    fn amount(&self, row: &TableRow, role: Role, digits: u32, out: &mut dyn Sink) -> Option<i64> {
        let cell = self.cell(row, role)?;
        let sign = if cell.numeric { Some(DecimalSign::Point) } else { self.sign };
        match parse_amount(&cell.text, sign, digits) {
            Ok(minor) => Some(minor),
            Err(AmountError::Empty) => None,
            Err(why) => {
                out.problem(Problem {
                    start: cell.start,
                    end: cell.end,
                    kind: ProblemKind::Type,
                    message: format!("no amount: {why}"),
                    lost: false,
                });
                None
            }
        }
    }

    pub(super) fn row(&mut self, row: &TableRow, out: &mut dyn Sink) {
        let txid = match self.text(row, Role::Id) {
            "" => self.number(row),
            id => id.to_owned(),
        };
        let mapping = self.mapping.as_ref();
        let currency = self.currency_of(row);
        let digits = currency.parse::<Currency>().map_or(2, |c| c.minor_digits());
        let gross = match self.amount(row, Role::Amount, digits, out) {
            Some(minor) => Some(minor),
            None => {
                let out_going = self.amount(row, Role::Debit, digits, out).map(i64::abs);
                let incoming = self.amount(row, Role::Credit, digits, out).map(i64::abs);
                match (out_going, incoming) {
                    (None, None) => None,
                    (a, b) => Some(b.unwrap_or(0).saturating_sub(a.unwrap_or(0))),
                }
            }
        };
        let gross =
            gross.map(|n| if mapping.is_some_and(|m| m.inverted) { n.saturating_neg() } else { n });
        let time = self.time(row);
        if time.is_none() && gross.is_none() {
            // A line of totals, or a title between rows: no payment.
            return;
        }
        if time.is_none() {
            let (start, end) =
                self.cell(row, Role::Date).map_or((row.start, row.end), |c| (c.start, c.end));
            let message = "no date".to_owned();
            out.problem(Problem { start, end, kind: ProblemKind::Type, message, lost: false });
        }
        let (status, kind) = (self.text(row, Role::Status), self.text(row, Role::Type));
        let told = mapping.and_then(|m| m.class(status));
        let class = match (gross, told) {
            // Without an amount or a date it is not counted: it may be a line of totals.
            (None, _) => Class::Other,
            _ if time.is_none() => Class::Other,
            (_, Some(class)) => class,
            (_, None) if status.is_empty() => Class::Completed,
            (_, None) => class(status, kind, ""),
        };
        let nature =
            mapping.and_then(|m| m.nature(kind, status)).unwrap_or_else(|| match nature(kind) {
                Nature::Other if kind.is_empty() => Nature::Payment,
                nature => nature,
            });
        let processor = mapping.and_then(|m| m.processor.as_deref());
        let account = match self.text(row, Role::Account) {
            "" => self.account.clone(),
            text => party(text, processor).or_else(|| self.account.clone()),
        };
        let incoming = gross.is_none_or(|n| n >= 0);
        // A payer or payee that is no account is a name.
        let side = |role: Role, name_role: Role| {
            let text = self.text(row, role);
            let key = party(text, processor);
            let name = match self.text(row, name_role) {
                "" if key.is_none() => text,
                name => name,
            };
            (key, name.to_owned())
        };
        let (mut from, mut from_name) = side(Role::Payer, Role::PayerName);
        let (mut to, mut to_name) = side(Role::Payee, Role::PayeeName);
        let (other, other_name) = side(Role::Counterparty, Role::CounterpartyName);
        let (other_side, other_side_name, own_side) = match incoming {
            true => (&mut from, &mut from_name, &mut to),
            false => (&mut to, &mut to_name, &mut from),
        };
        if other_side.is_none() {
            *other_side = other.filter(|key| Some(key) != account.as_ref());
        }
        if other_side_name.is_empty() {
            *other_side_name = other_name;
        }
        if own_side.is_none() {
            own_side.clone_from(&account);
        }
        let payment = Payment {
            processor: processor.unwrap_or("unknown"),
            account: account.as_ref(),
            txid: &txid,
            class,
            nature,
            status,
            kind,
            time,
            currency: &currency,
            gross,
            fee: self.amount(row, Role::Fee, digits, out),
            net: self.amount(row, Role::Net, digits, out),
            from,
            to,
            from_name: &from_name,
            to_name: &to_name,
            reference: self.text(row, Role::Reference),
            note: self.text(row, Role::Note),
        };
        let secret: Vec<Cell<'_>> = self
            .secret
            .iter()
            .map(|i| row.cells.get(*i).map_or("", |c| c.text.as_str()))
            .map(|text| if text.is_empty() { Cell::Null } else { Cell::Text(text) })
            .collect();
        payment.push_with(&secret, &mut self.rows, out, row.start, row.end);
    }

    /// The currency's code: of its cell, of the mapping or header, of the amount's own cell.
    fn currency_of(&self, row: &TableRow) -> String {
        let cell = self.text(row, Role::Currency).to_ascii_uppercase();
        if cell.parse::<Currency>().is_ok() {
            return cell;
        }
        if let Some(currency) = &self.currency {
            return currency.clone();
        }
        let amount =
            [Role::Amount, Role::Credit, Role::Debit].map(|role| self.text(row, role)).join(" ");
        for (sign, code) in [('€', "EUR"), ('£', "GBP"), ('$', "USD"), ('₿', "BTC")] {
            if amount.contains(sign) || cell.contains(sign) {
                return code.to_owned();
            }
        }
        amount
            .split(|c: char| !c.is_ascii_alphabetic())
            .find(|word| word.parse::<Currency>().is_ok())
            .unwrap_or("")
            .to_owned()
    }

    fn time(&self, row: &TableRow) -> Option<Stamp> {
        let text = self.text(row, Role::Date);
        let order = match self.date {
            DateForm::Order(order) => order,
            form => {
                let n: i64 = text.parse().ok()?;
                let ms = if form == DateForm::UnixSeconds { n.checked_mul(1000)? } else { n };
                let precision = if form == DateForm::UnixSeconds {
                    Precision::Second
                } else {
                    Precision::Millisecond
                };
                let year_9999 = 253_402_300_800_000;
                return (ms.abs() < year_9999).then_some(Stamp {
                    local_ms: ms,
                    offset_min: Some(0),
                    precision,
                });
            }
        };
        let clock_cell = self.text(row, Role::Time);
        let stamp = match Stamp::parse_iso(text).filter(|s| s.precision >= Precision::Day) {
            Some(stamp) if stamp.precision > Precision::Day || clock_cell.is_empty() => stamp,
            _ => {
                let date = parse_date(date_part(text), order)?;
                let rest = text[date_part(text).len()..]
                    .trim_start_matches([' ', ',', 'T', '\u{a0}', '\u{202f}']);
                let clock = if clock_cell.is_empty() { rest } else { clock_cell };
                let clock = match clock {
                    "" => None,
                    clock => Some(parse_clock(clock.trim_end_matches(" UTC"))?),
                };
                civil(date, clock, None)?
            }
        };
        let zone = self.mapping.as_ref().and_then(|m| m.timezone.as_deref());
        match zone.filter(|_| stamp.offset_min.is_none() && stamp.precision > Precision::Day) {
            Some(zone) => Some(Stamp { offset_min: zone_offset(zone, &stamp), ..stamp }),
            None => Some(stamp),
        }
    }

    /// A number for a row that has none: the digest of its cells, and which of the rows alike it is,
    /// so that the same row in two exports is one payment and two rows alike in one are two.
    fn number(&mut self, row: &TableRow) -> String {
        let mut bytes = Vec::new();
        for (i, cell) in row.cells.iter().enumerate() {
            // The number stands in views: nobody is to find a password by trying it out.
            if !self.secret.contains(&i) {
                bytes.extend_from_slice(cell.text.as_bytes());
            }
            bytes.push(0x1f);
        }
        let digest = Sha256Hex::of(&bytes);
        let mut short = [0u8; 16];
        short.copy_from_slice(&digest.0[..16]);
        let seen = match self.alike.get_mut(&short) {
            Some(seen) => {
                *seen += 1;
                *seen
            }
            None => {
                if self.alike.len() < MAX_DIGESTS {
                    self.alike.insert(short, 1);
                }
                1
            }
        };
        format!("row:{}/{seen}", model::id::hex(&short[..8]))
    }
}

/// The part of a moment's text that is its date: up to the time.
fn date_part(text: &str) -> &str {
    let text = text.trim();
    let Some(colon) = text.find(':') else { return text };
    let front = &text[..colon];
    let digits = front.len() - front.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    front[..front.len() - digits]
        .trim_end_matches(|c: char| c.is_whitespace() || matches!(c, ',' | 'T'))
}

/// The account, address or wallet that a cell is.
fn party(text: &str, processor: Option<&str>) -> Option<Key> {
    let text = text.trim();
    if text.is_empty() || text.len() > 200 {
        return None;
    }
    if let Some(iban) = Key::iban(text) {
        return Some(iban);
    }
    if let Some(mail) = Key::email(text) {
        return Some(match processor {
            Some(processor) => Key::account(processor, mail.rest()),
            None => mail,
        });
    }
    let mut wallet = None;
    scan::mentions(text.as_bytes(), 0, &mut |key, range, _| {
        if key.scheme() == "wallet" && range == (0..text.len() as u64) {
            wallet = Some(key);
        }
    });
    wallet
}
