//! Bank statements in ISO 20022: camt.053 (statements), camt.052 (reports of the day) and camt.054
//! (notifications), versions 02 to 13.
//!
//! Elements are known by their local names; versions differ in three places only, all read: `Sts` is
//! a word or holds `Cd`; a party's name stands in `Nm` or `Pty/Nm`; a bank is `BIC` or `BICFI`.
//!
//! A row is a transaction where an entry states the amount of each, else the entry. An amount's sign
//! is its own credit or debit mark; where the reversal mark is set that mark already is the booked
//! direction. An entry that the document's end cuts yields nothing.

mod entry;

#[cfg(test)]
mod tests;

use model::{Currency, Fact, Key, Money, Problem, ProblemKind, Value};

use crate::amounts::{DecimalSign, parse_amount};
use crate::chunks::Chunks;
use crate::parser::{Confidence, Coverage, Input, Parser};
use crate::rows::Rows;
use crate::sink::Sink;
use crate::xml::{Kind, Xml};
use entry::{Entry, Text};

/// ISO 20022 account statements.
pub const PARSER: Parser = Parser {
    name: "camt",
    version: 2,
    about: "bank statements in ISO 20022 (camt.052, camt.053, camt.054)",
    sniff,
    parse,
};

/// The deepest nesting that is followed.
const MAX_DEPTH: usize = 64;

fn sniff(head: &[u8], _name: &str) -> Confidence {
    let begins = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let has = |what: &[u8]| memchr::memmem::find(head, what).is_some();
    let root = has(b"BkToCstmrStmt") || has(b"BkToCstmrAcctRpt") || has(b"BkToCstmrDbtCdtNtfctn");
    match begins.first() {
        Some(b'<') if has(b"xsd:camt.05") && root => Confidence(95),
        Some(b'<') if root => Confidence(90),
        _ => Confidence::NO,
    }
}

/// The account whose statement is being read.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub(crate) key: Option<Key>,
    pub(crate) bic: Option<String>,
    pub(crate) statement: String,
    pub(crate) entries: usize,
    /// Stated before the account's number is known (they stand in this order in the schema, but
    /// an other number may come without IBAN).
    waiting: Vec<(&'static str, Text)>,
    other: Option<Text>,
    balance: Balance,
}

#[derive(Debug, Default)]
struct Balance {
    code: String,
    amount: Option<Text>,
    currency: String,
    credit: bool,
}

/// An amount of a camt document in minor units of its currency.
pub(crate) fn minor(amount: &Text, currency: &str) -> Option<i64> {
    let digits = currency.parse::<Currency>().map_or(2, |c| c.minor_digits());
    parse_amount(&amount.text, Some(DecimalSign::Point), digits).ok()
}

fn parse(_input: &Input<'_>, chunks: &mut Chunks<'_>, out: &mut dyn Sink) -> Coverage {
    let mut rows = Rows::new(out, model::bulk::payments());
    let mut xml = Xml::new(chunks);
    let mut reader = Reader::default();
    let mut doubted = false;
    while let Some(token) = xml.next() {
        let token = match token {
            Ok(token) => token,
            Err(problem) => {
                out.problem(problem);
                continue;
            }
        };
        match token.kind {
            Kind::Start => {
                let currency = token.attribute("Ccy");
                reader.open(token.name(), token.start, currency);
                if reader.path.len() > MAX_DEPTH {
                    let problem = Problem {
                        start: token.start,
                        end: token.end,
                        kind: ProblemKind::Bound,
                        message: "nested deeper than 64 elements: not followed".to_owned(),
                        lost: false,
                    };
                    out.problem(problem);
                    reader.path.pop();
                }
            }
            Kind::Empty => {}
            Kind::End => reader.close(token.name(), token.start, token.end, &mut rows, out),
            Kind::Text | Kind::CData => {
                if !doubted && std::str::from_utf8(token.raw).is_err() {
                    doubted = true;
                    out.problem(Problem {
                        start: token.start,
                        end: token.end,
                        kind: ProblemKind::Encoding,
                        message: "not valid UTF-8: such values are read as windows-1252".to_owned(),
                        lost: false,
                    });
                }
                let text = Text { text: token.text(), start: token.start, end: token.end };
                reader.text(text, out);
            }
        }
    }
    let mut coverage = xml.coverage;
    let end = xml.offset();
    if let Some(entry) = &reader.entry {
        let start = entry.start.max(reader.closed);
        coverage.read -= (end - start).min(coverage.read);
        coverage.lost = end - coverage.read - coverage.filler;
        out.problem(Problem {
            start,
            end,
            kind: ProblemKind::Truncated,
            message: "the document ends inside an entry".to_owned(),
            lost: true,
        });
    } else if !reader.path.is_empty() {
        out.problem(Problem {
            start: end,
            end,
            kind: ProblemKind::Truncated,
            message: "the document ends before its last element is closed".to_owned(),
            lost: false,
        });
    }
    rows.flush(out);
    coverage
}

#[derive(Default)]
struct Reader {
    path: Vec<Box<[u8]>>,
    account: Account,
    entry: Option<Entry>,
    /// The `Ccy` of the innermost element that has one.
    currency: String,
    /// End of the last entry.
    closed: u64,
}

impl Reader {
    fn open(&mut self, name: &[u8], start: u64, currency: Option<String>) {
        self.path.push(name.into());
        if let Some(currency) = currency {
            self.currency = currency;
        }
        match name {
            b"Stmt" | b"Rpt" | b"Ntfctn" if self.entry.is_none() => {
                self.account = Account::default();
            }
            b"Bal" if self.entry.is_none() => self.account.balance = Balance::default(),
            b"Ntry" if self.entry.is_none() && !self.within(b"TxsSummry") => {
                self.entry = Some(Entry::new(start, self.path.len()));
            }
            b"TxDtls" => {
                if let Some(entry) = &mut self.entry {
                    entry.open_details(start);
                }
            }
            _ => {}
        }
    }

    fn within(&self, name: &[u8]) -> bool {
        self.path.iter().any(|open| **open == *name)
    }

    fn close(&mut self, name: &[u8], start: u64, end: u64, rows: &mut Rows, out: &mut dyn Sink) {
        let Some(at) = self.path.iter().rposition(|open| **open == *name) else {
            out.problem(Problem {
                start,
                end,
                kind: ProblemKind::Syntax,
                message: "a closing tag that closes nothing".to_owned(),
                lost: false,
            });
            return;
        };
        if at + 1 < self.path.len() {
            out.problem(Problem {
                start,
                end,
                kind: ProblemKind::Syntax,
                message: "elements inside this one are not closed".to_owned(),
                lost: false,
            });
        }
        self.path.truncate(at);
        match name {
            b"TxDtls" => {
                if let Some(entry) = &mut self.entry {
                    entry.close_details(end);
                }
            }
            b"Acct" if self.entry.is_none() => self.name_account(out),
            b"Bal" if self.entry.is_none() => self.balance(out),
            _ => {}
        }
        if self.entry.as_ref().is_some_and(|entry| at < entry.depth)
            && let Some(entry) = self.entry.take()
        {
            self.closed = end;
            if at + 1 == entry.depth {
                self.account.entries += 1;
                entry.emit(end, &self.account, rows, out);
            } else {
                let message = "an entry that is not closed".to_owned();
                out.problem(Problem {
                    start: entry.start,
                    end: start,
                    kind: ProblemKind::Syntax,
                    message,
                    lost: false,
                });
            }
        }
    }

    fn text(&mut self, text: Text, out: &mut dyn Sink) {
        let path: Vec<&[u8]> = self.path.iter().map(|name| &**name).collect();
        if let Some(entry) = &mut self.entry {
            let inside = path.get(entry.depth..).unwrap_or_default();
            entry.text(inside, text, &self.currency, out);
            return;
        }
        let account = &mut self.account;
        let inside =
            match path.iter().position(|name| matches!(*name, b"Stmt" | b"Rpt" | b"Ntfctn")) {
                Some(at) => &path[at + 1..],
                None => return,
            };
        match inside {
            [b"Id"] => account.statement = text.text,
            [b"Acct", b"Id", b"IBAN"] => match Key::iban(&text.text) {
                Some(key) => {
                    account.key = Some(key);
                    account.waiting.push(("as_written", text));
                }
                None => {
                    out.problem(Problem {
                        start: text.start,
                        end: text.end,
                        kind: ProblemKind::Integrity,
                        message: "an IBAN whose check digits do not hold".to_owned(),
                        lost: false,
                    });
                    account.other = Some(text);
                }
            },
            [b"Acct", b"Id", b"Othr", b"Id"] => account.other = Some(text),
            [b"Acct", b"Ccy"] => account.waiting.push(("currency", text)),
            [b"Acct", b"Nm"] => account.waiting.push(("name", text)),
            [b"Acct", b"Ownr", b"Nm"] | [b"Acct", b"Ownr", b"Pty", b"Nm"] => {
                account.waiting.push(("holder", text));
            }
            [b"Acct", b"Svcr", b"FinInstnId", b"BIC" | b"BICFI"] => {
                account.bic = Some(text.text.trim().to_ascii_uppercase());
                account.waiting.push(("bic", text));
            }
            [b"Bal", b"Tp", b"CdOrPrtry", b"Cd"] => account.balance.code = text.text,
            [b"Bal", b"Amt"] => {
                account.balance.currency.clone_from(&self.currency);
                account.balance.amount = Some(text);
            }
            [b"Bal", b"CdtDbtInd"] => account.balance.credit = text.text.trim() == "CRDT",
            _ => {}
        }
    }

    /// The account's number is known, or never will be.
    fn name_account(&mut self, out: &mut dyn Sink) {
        let account = &mut self.account;
        if account.key.is_none()
            && let Some(other) = account.other.take()
        {
            let bank = account.bic.as_deref().unwrap_or("bank");
            account.key = Some(Key::account(bank, &other.text));
            account.waiting.push(("as_written", other));
        }
        let Some(key) = &account.key else { return };
        let iban = key.scheme() == "iban";
        for (property, text) in account.waiting.drain(..) {
            let property = match property {
                "holder" if !iban => "name",
                "bic" if !iban => continue,
                property => property,
            };
            out.fact(Fact {
                subject: key.clone(),
                property,
                value: Value::Text(text.text.trim().to_owned()),
                start: text.start,
                end: text.end,
            });
        }
    }

    /// The closing balance is a fact of the account.
    fn balance(&mut self, out: &mut dyn Sink) {
        let balance = std::mem::take(&mut self.account.balance);
        let (Some(key), Some(amount)) = (&self.account.key, balance.amount) else { return };
        if balance.code.trim() != "CLBD" {
            return;
        }
        let (Ok(currency), Some(minor)) =
            (balance.currency.parse(), minor(&amount, &balance.currency))
        else {
            out.problem(Problem {
                start: amount.start,
                end: amount.end,
                kind: ProblemKind::Type,
                message: "no balance in a known currency".to_owned(),
                lost: false,
            });
            return;
        };
        let minor = if balance.credit { minor } else { -minor };
        out.fact(Fact {
            subject: key.clone(),
            property: "balance",
            value: Value::Money(Money { minor, currency }),
            start: amount.start,
            end: amount.end,
        });
    }
}
