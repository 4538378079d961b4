//! PayPal's activity and statement exports, in English, French, Italian, German and Spanish.
//!
//! One row a transaction, in [`model::bulk::payments`]. What one row cannot tell is told by the
//! file's first 8 MiB: the order of day and month, the decimal sign, and whose export it is: the
//! address that stands on the paying side of negative rows and on the receiving side of positive
//! ones.

mod columns;
mod words;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use model::{Currency, Fact, Key, Problem, ProblemKind, Stamp, Value};

use crate::amounts::{
    AmountError, DateOrder, DecimalSign, OrderVotes, SignVotes, civil, parse_amount, parse_clock,
    parse_date, zone_offset,
};
use crate::chunks::Chunks;
use crate::csv::{self, Event, Field, Reader, Record};
use crate::parser::{Confidence, Coverage, Input, Parser};
use crate::payments::{Class, Nature, Payment};
use crate::rows::Rows;
use crate::sink::Sink;
use columns::{COLS, Col, Lang, header};
pub(crate) use words::{class, nature};

/// PayPal activity exports.
pub const PARSER: Parser = Parser {
    name: "paypal",
    version: 1,
    about: "PayPal activity CSV in English, French, Italian, German and Spanish",
    sniff,
    parse,
};

/// How much of the file is looked at before the first row is read.
const SURVEYED: usize = 8 << 20;

/// Among how many first records the header is looked for.
const HEADER_WITHIN: usize = 20;

fn sniff(head: &[u8], _name: &str) -> Confidence {
    let mut source = head;
    let mut chunks = Chunks::new(&mut source);
    match find_header(&mut chunks) {
        Some(_) => Confidence(92),
        None => Confidence::NO,
    }
}

/// A file's reader, standing behind its header.
struct Open {
    reader: Reader,
    record: Record,
    lang: Lang,
    at: [Option<usize>; COLS],
    columns: usize,
}

fn find_header(chunks: &mut Chunks<'_>) -> Option<Open> {
    let head = chunks.fill(64 << 10);
    let dialect = csv::detect(&head[..head.len().min(64 << 10)])?;
    let mut reader = Reader::new(chunks, dialect);
    let mut record = Record::default();
    for _ in 0..HEADER_WITHIN {
        match reader.next(chunks, &mut record) {
            Event::Record => {
                if let Some((lang, at)) = header(record.fields().map(|f| f.text)) {
                    let columns = record.len();
                    reader.expect_columns(columns);
                    return Some(Open { reader, record, lang, at, columns });
                }
            }
            Event::Problem(_) => {}
            Event::End => return None,
        }
    }
    None
}

/// What the file tells as a whole.
#[derive(Debug)]
struct Survey {
    order: DateOrder,
    sign: DecimalSign,
    owner: Option<Key>,
}

fn survey(head: &[u8]) -> Option<Survey> {
    let mut source = head;
    let mut chunks = Chunks::with_bound(&mut source, SURVEYED + (1 << 20));
    let mut open = find_header(&mut chunks)?;
    let (mut dates, mut amounts, mut american) =
        (OrderVotes::default(), SignVotes::default(), true);
    // Address as written → rows in which it stood on the account's own side, and on the other.
    let mut written: HashMap<String, (usize, usize)> = HashMap::new();
    loop {
        match open.reader.next(&mut chunks, &mut open.record) {
            Event::End => break,
            Event::Problem(_) => continue,
            Event::Record => {}
        }
        let row = Row { record: &open.record, at: &open.at };
        dates.add(row.text(Col::Date));
        for col in [Col::Gross, Col::Fee, Col::Net] {
            amounts.add(row.text(col));
        }
        let zone = row.text(Col::Zone);
        american &= zone.is_empty()
            || zone.starts_with("America/")
            || matches!(zone, "PST" | "PDT" | "EST" | "EDT" | "CST" | "CDT" | "MST" | "MDT");
        let gross = row.text(Col::Gross);
        let negative = parse_amount(gross, None, 2)
            .or_else(|_| parse_amount(gross, None, 9))
            .map_or(gross.starts_with('-'), |n| n < 0);
        for (col, own) in [(Col::From, negative), (Col::To, !negative)] {
            let text = row.text(col);
            let sides = match written.get_mut(text) {
                Some(sides) => sides,
                None => written.entry(text.to_owned()).or_default(),
            };
            sides.0 += usize::from(own);
            sides.1 += usize::from(!own);
        }
    }
    let mut sides: BTreeMap<Key, (usize, usize)> = BTreeMap::new();
    for (text, (own, other)) in written {
        if let Some(mail) = mail(&text) {
            let sides = sides.entry(mail).or_default();
            *sides = (sides.0 + own, sides.1 + other);
        }
    }
    let owned: usize = sides.values().map(|(own, _)| own).sum();
    let owner = sides
        .into_iter()
        .max_by_key(|(_, (own, _))| *own)
        .filter(|(_, (own, other))| *own * 10 >= owned * 9 && *own > 0 && own > other)
        .map(|(mail, _)| mail);
    let usual = match open.lang {
        Lang::En if american => DateOrder::Mdy,
        _ => DateOrder::Dmy,
    };
    let usual_sign = if open.lang == Lang::En { DecimalSign::Point } else { DecimalSign::Comma };
    Some(Survey {
        order: dates.verdict().unwrap_or(usual),
        sign: amounts.verdict().unwrap_or(usual_sign),
        owner,
    })
}

/// The account that an e-mail address names.
fn mail(text: &str) -> Option<Key> {
    Key::email(text.trim()).map(|mail| Key::account("paypal", mail.rest()))
}

/// A record, read by the header's columns.
struct Row<'a> {
    record: &'a Record,
    at: &'a [Option<usize>; COLS],
}

impl<'a> Row<'a> {
    fn field(&self, col: Col) -> Field<'a> {
        self.record.get(self.at[col as usize].unwrap_or(usize::MAX))
    }

    fn text(&self, col: Col) -> &'a str {
        let text = self.field(col).text;
        match text.as_bytes() {
            [] => "",
            [one] if one.is_ascii_graphic() => text,
            [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
            _ => text.trim(),
        }
    }
}

fn parse(_input: &Input<'_>, chunks: &mut Chunks<'_>, out: &mut dyn Sink) -> Coverage {
    let head = chunks.fill(SURVEYED);
    let survey = survey(&head[..head.len().min(SURVEYED)]);
    let opened = find_header(chunks);
    let (Some(survey), Some(mut open)) = (survey, opened) else {
        chunks.drain();
        let size = chunks.offset();
        out.problem(Problem {
            start: 0,
            end: size,
            kind: ProblemKind::Unsupported,
            message: "no header of a PayPal export".to_owned(),
            lost: true,
        });
        return Coverage { lost: size, ..Coverage::default() };
    };
    let mut rows = Rows::new(out, model::bulk::payments());
    let mut named = false;
    let mut words = Words::default();
    loop {
        match open.reader.next(chunks, &mut open.record) {
            Event::End => break,
            Event::Problem(problem) => out.problem(problem),
            Event::Record => {
                if let Some((kind, message)) = misfit(&open.record, open.columns) {
                    out.problem(open.reader.lose(&open.record, kind, message));
                    continue;
                }
                if !open.record.whole {
                    out.problem(cut_problem(&open.record));
                }
                let row = Row { record: &open.record, at: &open.at };
                transaction(&row, &survey, &mut named, &mut words, &mut rows, out);
            }
        }
    }
    rows.flush(out);
    open.reader.coverage
}

/// Why a record with another number of fields than the header cannot be read. Empty fields behind
/// the last column do no harm.
pub(crate) fn misfit(record: &Record, columns: usize) -> Option<(ProblemKind, String)> {
    let surplus = (columns..record.len()).any(|i| !record.get(i).text.is_empty());
    if record.len() >= columns && !surplus {
        return None;
    }
    let kind = if record.len() < columns && !record.whole {
        ProblemKind::Truncated
    } else {
        ProblemKind::Syntax
    };
    Some((kind, format!("{} fields where the header has {columns}", record.len())))
}

/// The last value of a file without a final line end may be cut: said once, at that value.
pub(crate) fn cut_problem(record: &Record) -> Problem {
    let last = record.get(record.len().saturating_sub(1));
    Problem {
        start: last.start,
        end: last.end,
        kind: ProblemKind::Truncated,
        message: "the file ends without a line end: this last value may be cut".to_owned(),
        lost: false,
    }
}

/// What words mean, looked up once each: a file has few, in every row.
#[derive(Debug, Default)]
struct Words {
    known: HashMap<String, (Class, Nature)>,
    key: String,
    /// The last addresses of the two sides: one of them is the account's own in most rows.
    mails: [(String, Option<Key>); 2],
}

/// How many sets of words are kept; a file in which they are all different is not worth more.
const WORDS: usize = 1024;

impl Words {
    fn mail(&mut self, row: &Row<'_>, col: Col) -> Option<Key> {
        let (text, last) = (row.text(col), &mut self.mails[usize::from(col == Col::To)]);
        if last.0 != text {
            *last = (text.to_owned(), mail(text));
        }
        last.1.clone()
    }

    fn mean(&mut self, status: &str, kind: &str, impact: &str) -> (Class, Nature) {
        self.key.clear();
        for word in [status, kind, impact] {
            self.key.push_str(word);
            self.key.push('\0');
        }
        if let Some(known) = self.known.get(&self.key) {
            return *known;
        }
        let meant = (class(status, kind, impact), nature(kind));
        if self.known.len() < WORDS {
            self.known.insert(self.key.clone(), meant);
        }
        meant
    }
}

fn transaction(
    row: &Row<'_>,
    survey: &Survey,
    named: &mut bool,
    words: &mut Words,
    rows: &mut Rows,
    out: &mut dyn Sink,
) {
    let mut complain = |field: Field<'_>, message: String| {
        out.problem(Problem {
            start: field.start,
            end: field.end,
            kind: ProblemKind::Type,
            message,
            lost: false,
        });
    };
    let currency = row.text(Col::Currency).to_ascii_uppercase();
    let digits = match currency.parse::<Currency>() {
        Ok(currency) => currency.minor_digits(),
        Err(_) => {
            complain(row.field(Col::Currency), "no currency code".to_owned());
            2
        }
    };
    let mut amount = |col: Col| {
        let field = row.field(col);
        match parse_amount(field.text, Some(survey.sign), digits) {
            Ok(minor) => Some(minor),
            Err(AmountError::Empty) if col != Col::Gross => None,
            Err(why) => {
                complain(field, format!("no amount: {why}"));
                None
            }
        }
    };
    let (gross, fee, net) = (amount(Col::Gross), amount(Col::Fee), amount(Col::Net));
    let time = moment(row, survey.order);
    if time.is_none() {
        complain(row.field(Col::Date), "no date and time".to_owned());
    }
    let kind = row.text(Col::Type);
    let status = row.text(Col::Status);
    let (class, nature) = words.mean(status, kind, row.text(Col::Impact));
    let class = if gross.is_some() { class } else { Class::Other };
    let out_going = gross.is_some_and(|n| n < 0);
    let (mut from, mut to) = (words.mail(row, Col::From), words.mail(row, Col::To));
    let (own, own_col) = if out_going { (&mut from, Col::From) } else { (&mut to, Col::To) };
    if own.is_none() && gross.is_some() {
        own.clone_from(&survey.owner);
    }
    let field = row.field(own_col);
    if let Some(owner) = survey.owner.as_ref().filter(|_| !*named)
        && mail(field.text).as_ref() == Some(owner)
    {
        *named = true;
        let (start, end) = trimmed(field);
        out.fact(Fact {
            subject: owner.clone(),
            property: "as_written",
            value: Value::Text(field.text.trim().to_owned()),
            start,
            end,
        });
    }
    let name = row.text(Col::Name);
    let reference = match row.text(Col::Reference) {
        "" => row.text(Col::Invoice),
        reference => reference,
    };
    let mut notes: Vec<&str> = Vec::new();
    for col in [Col::Note, Col::Subject, Col::Item] {
        let text = row.text(col);
        if !text.is_empty() && !notes.contains(&text) {
            notes.push(text);
        }
    }
    let payment = Payment {
        processor: "paypal",
        account: survey.owner.as_ref(),
        txid: row.text(Col::Txid),
        class,
        nature,
        status,
        kind,
        time,
        currency: &currency,
        gross,
        fee,
        net,
        from,
        to,
        from_name: if out_going { "" } else { name },
        to_name: if out_going { name } else { "" },
        reference,
        note: &notes.join("\n"),
    };
    payment.push(rows, out, row.record.start, row.record.end);
}

/// The span of a field without the white space around its value, where it is plain ASCII.
fn trimmed(field: Field<'_>) -> (u64, u64) {
    let wide = (field.end - field.start) as usize != field.text.len();
    if wide {
        return (field.start, field.end);
    }
    let before = field.text.len() - field.text.trim_start().len();
    let behind = field.text.len() - field.text.trim_end().len();
    (field.start + before as u64, field.end - behind as u64)
}

fn moment(row: &Row<'_>, order: DateOrder) -> Option<Stamp> {
    let date = parse_date(row.text(Col::Date), order)?;
    let clock = match row.text(Col::Time) {
        "" => None,
        text => Some(parse_clock(text)?),
    };
    let local = civil(date, clock, None)?;
    civil(date, clock, zone_offset(row.text(Col::Zone), &local))
}
