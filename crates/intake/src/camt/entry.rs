//! One entry of a statement, and the transactions inside it.

use model::{Key, Problem, ProblemKind, Stamp};

use super::{Account, minor};
use crate::payments::{Class, Nature, Payment};
use crate::rows::Rows;
use crate::sink::Sink;

/// A text with its span.
#[derive(Debug, Clone, Default)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

/// The most transactions of one entry that are kept apart; a longer batch is one row.
const MAX_DETAILS: usize = 100_000;

/// The most text of people's notes kept of one transaction.
const MAX_NOTE: usize = 64 << 10;

#[derive(Debug, Default)]
struct Party {
    name: String,
    account: Option<Key>,
}

/// What an entry and each of its transactions may state alike.
#[derive(Debug, Default)]
struct Parts {
    start: u64,
    end: u64,
    amount: Option<Text>,
    currency: String,
    credit: Option<bool>,
    reversal: bool,
    /// The bank's own number, then others by how well they tell payments apart.
    servicer_ref: String,
    tx_id: String,
    end_to_end: String,
    instruction: String,
    message: String,
    structured_ref: String,
    domain: String,
    family: String,
    sub_family: String,
    proprietary: String,
    debtor: Party,
    creditor: Party,
    note: String,
    charges: i64,
    charge_amount: Option<i64>,
    total_charges: Option<i64>,
}

/// An entry that is being read.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) start: u64,
    /// How many elements are open with it, itself included.
    pub(crate) depth: usize,
    own: Parts,
    details: Vec<Parts>,
    in_details: bool,
    overflowing: bool,
    entry_ref: String,
    status: String,
    booked: String,
    valued: String,
}

impl Entry {
    pub(crate) fn new(start: u64, depth: usize) -> Self {
        Self {
            start,
            depth,
            own: Parts::default(),
            details: Vec::new(),
            in_details: false,
            overflowing: false,
            entry_ref: String::new(),
            status: String::new(),
            booked: String::new(),
            valued: String::new(),
        }
    }

    pub(crate) fn open_details(&mut self, start: u64) {
        if self.details.len() >= MAX_DETAILS {
            self.overflowing = true;
            self.details.pop();
        }
        self.details.push(Parts { start, ..Parts::default() });
        self.in_details = true;
    }

    pub(crate) fn close_details(&mut self, end: u64) {
        if let Some(last) = self.details.last_mut() {
            last.end = end;
        }
        self.in_details = false;
    }

    /// A text inside the entry; `path` begins below `Ntry`.
    pub(crate) fn text(&mut self, path: &[&[u8]], text: Text, currency: &str, out: &mut dyn Sink) {
        match path {
            [b"NtryRef"] => self.entry_ref = text.text,
            [b"Sts"] | [b"Sts", b"Cd" | b"Prtry"] => self.status = text.text,
            [b"BookgDt", b"Dt" | b"DtTm"] => self.booked = text.text,
            [b"ValDt", b"Dt" | b"DtTm"] => self.valued = text.text,
            [b"NtryDtls", b"TxDtls", rest @ ..] => {
                if let Some(details) = self.details.last_mut().filter(|_| self.in_details) {
                    details.text(rest, text, currency, out);
                }
            }
            [b"NtryDtls", b"Btch", b"PmtInfId" | b"MsgId"] => self.own.message = text.text,
            _ => self.own.text(path, text, currency, out),
        }
    }

    /// The entry is whole: its rows.
    pub(crate) fn emit(mut self, end: u64, account: &Account, rows: &mut Rows, out: &mut dyn Sink) {
        self.own.start = self.start;
        self.own.end = end;
        // A transaction whose closing tag is missing ends with its entry.
        for part in &mut self.details {
            part.end = if part.end == 0 { end } else { part.end };
        }
        let apart = self.details.len() > 1
            && !self.overflowing
            && self.details.iter().all(|d| d.amount.is_some());
        if !apart {
            let details = std::mem::take(&mut self.details);
            if details.len() == 1 {
                self.own.complete(details.into_iter().next().unwrap_or_default());
            }
            let own = std::mem::take(&mut self.own);
            self.row(&own, None, account, rows, out);
            return;
        }
        self.check_sum(out);
        let details = std::mem::take(&mut self.details);
        for (i, mut part) in details.into_iter().enumerate() {
            part.credit = part.credit.or(self.own.credit);
            part.reversal |= self.own.reversal;
            for (to, from) in [
                (&mut part.domain, &self.own.domain),
                (&mut part.family, &self.own.family),
                (&mut part.sub_family, &self.own.sub_family),
                (&mut part.proprietary, &self.own.proprietary),
            ] {
                if to.is_empty() {
                    to.clone_from(from);
                }
            }
            self.row(&part, Some(i), account, rows, out);
        }
    }

    fn check_sum(&self, out: &mut dyn Sink) {
        let Some(amount) = &self.own.amount else { return };
        let same = |d: &Parts| {
            d.currency == self.own.currency && d.credit.or(self.own.credit) == self.own.credit
        };
        if !self.details.iter().all(same) {
            return;
        }
        let sum: Option<i64> = self.details.iter().try_fold(0i64, |sum, d| {
            sum.checked_add(d.amount.as_ref().and_then(|a| minor(a, &d.currency))?)
        });
        let whole = minor(amount, &self.own.currency);
        if let (Some(sum), Some(whole)) = (sum, whole)
            && sum != whole
        {
            out.problem(Problem {
                start: amount.start,
                end: amount.end,
                kind: ProblemKind::Conflict,
                message: "the entry's amount is not the sum of its transactions".to_owned(),
                lost: false,
            });
        }
    }

    fn row(
        &self,
        part: &Parts,
        index: Option<usize>,
        account: &Account,
        rows: &mut Rows,
        out: &mut dyn Sink,
    ) {
        let mut complain = |at: Option<&Text>, message: &str| {
            let (start, end) = at.map_or((part.start, part.end), |t| (t.start, t.end));
            let message = message.to_owned();
            out.problem(Problem { start, end, kind: ProblemKind::Type, message, lost: false });
        };
        let gross = match (&part.amount, part.credit) {
            (Some(amount), Some(credit)) => {
                let read = minor(amount, &part.currency);
                if read.is_none() {
                    complain(Some(amount), "no amount");
                }
                read.map(|n| if credit { n } else { -n })
            }
            (amount, _) => {
                complain(amount.as_ref(), "no amount with its direction");
                None
            }
        };
        let date = if self.booked.is_empty() { &self.valued } else { &self.booked };
        let time = Stamp::parse_iso(date.trim());
        if time.is_none() && !date.is_empty() {
            complain(None, "no date");
        }
        let class = match (gross, self.status.trim()) {
            (None, _) => Class::Other,
            (_, "BOOK" | "") => Class::Completed,
            (_, "PDNG") => Class::Pending,
            _ => Class::Other,
        };
        let incoming = gross.is_none_or(|n| n >= 0);
        // In a returned payment the parties keep the parts they had in the original.
        let (first, second) = match incoming {
            true => (&part.debtor, &part.creditor),
            false => (&part.creditor, &part.debtor),
        };
        let own = |party: &Party| party.account.is_some() && party.account == account.key;
        let empty = first.account.is_none() && first.name.is_empty();
        let other = if own(first) || (empty && !own(second)) { second } else { first };
        let txid = self.txid(part, index, account);
        let code = [&part.domain, &part.family, &part.sub_family];
        let kind = if part.domain.is_empty() {
            part.proprietary.clone()
        } else {
            code.map(String::as_str).join("/").trim_end_matches('/').to_owned()
        };
        let reference = [&part.end_to_end, &part.structured_ref, &part.message]
            .into_iter()
            .find(|r| !r.is_empty() && *r != "NOTPROVIDED");
        let payment = Payment {
            processor: account.bic.as_deref().unwrap_or("bank"),
            account: account.key.as_ref(),
            txid: &txid,
            class,
            nature: part.nature(),
            status: self.status.trim(),
            kind: &kind,
            time,
            currency: part.currency.trim(),
            gross,
            fee: match part.charges {
                0 => part.total_charges,
                charges => Some(charges),
            },
            net: None,
            from: if incoming { other.account.clone() } else { account.key.clone() },
            to: if incoming { account.key.clone() } else { other.account.clone() },
            from_name: if incoming { &other.name } else { "" },
            to_name: if incoming { "" } else { &other.name },
            reference: reference.map_or("", |r| r),
            note: &part.note,
        };
        payment.push(rows, out, part.start, part.end);
    }

    /// The bank's own number of the transaction; else the best that tells it apart, so that the
    /// same statement read twice gives the same, and another statement another.
    fn txid(&self, part: &Parts, index: Option<usize>, account: &Account) -> String {
        let good = |text: &String| !text.is_empty() && text != "NOTPROVIDED";
        if index.is_none() || part.servicer_ref != self.own.servicer_ref {
            for known in [&part.servicer_ref, &part.tx_id, &part.end_to_end] {
                if good(known) {
                    return known.clone();
                }
            }
        }
        let entry = match [&self.own.servicer_ref, &part.servicer_ref].into_iter().find(|r| good(r))
        {
            Some(reference) => reference.clone(),
            None if good(&self.entry_ref) => format!("{}/{}", account.statement, self.entry_ref),
            None => format!("{}#{}", account.statement, account.entries),
        };
        match index {
            Some(i) => format!("{entry}/{}", i + 1),
            None => entry,
        }
    }
}

impl Parts {
    fn text(&mut self, path: &[&[u8]], text: Text, currency: &str, out: &mut dyn Sink) {
        match path {
            [b"Amt"] => {
                currency.clone_into(&mut self.currency);
                self.amount = Some(text);
            }
            // Version 02 states a transaction's amount here only.
            [b"AmtDtls", b"TxAmt", b"Amt"] if self.amount.is_none() => {
                currency.clone_into(&mut self.currency);
                self.amount = Some(text);
            }
            [b"CdtDbtInd"] => {
                self.credit = match text.text.trim() {
                    "CRDT" => Some(true),
                    "DBIT" => Some(false),
                    _ => None,
                }
            }
            [b"RvslInd"] => self.reversal = matches!(text.text.trim(), "true" | "1"),
            [b"RtrInf", ..] => self.reversal = true,
            [b"AcctSvcrRef"] | [b"Refs", b"AcctSvcrRef"] => self.servicer_ref = text.text,
            [b"Refs", b"TxId"] => self.tx_id = text.text,
            [b"Refs", b"EndToEndId"] => self.end_to_end = text.text,
            [b"Refs", b"InstrId"] => self.instruction = text.text,
            [b"Refs", b"MsgId" | b"PmtInfId"] => self.message = text.text,
            [b"RmtInf", b"Strd", b"CdtrRefInf", b"Ref"] => self.structured_ref = text.text,
            [b"BkTxCd", b"Domn", b"Cd"] => self.domain = text.text,
            [b"BkTxCd", b"Domn", b"Fmly", b"Cd"] => self.family = text.text,
            [b"BkTxCd", b"Domn", b"Fmly", b"SubFmlyCd"] => self.sub_family = text.text,
            [b"BkTxCd", b"Prtry", b"Cd"] => self.proprietary = text.text,
            [b"RltdPties", party, b"Nm"] | [b"RltdPties", party, b"Pty", b"Nm"] => match *party {
                b"Dbtr" => self.debtor.name = text.text,
                b"Cdtr" => self.creditor.name = text.text,
                _ => {}
            },
            [b"RltdPties", party, b"Id", b"IBAN"] => self.account(party, text, out),
            [b"RltdPties", party, b"Id", b"Othr", b"Id"] => {
                let key = Key::account("bank", &text.text);
                match *party {
                    b"DbtrAcct" if self.debtor.account.is_none() => self.debtor.account = Some(key),
                    b"CdtrAcct" if self.creditor.account.is_none() => {
                        self.creditor.account = Some(key)
                    }
                    _ => {}
                }
            }
            [b"RmtInf", b"Ustrd"] | [b"AddtlTxInf"] | [b"AddtlNtryInf"]
                if self.note.len() + text.text.len() < MAX_NOTE && self.note != text.text =>
            {
                if !self.note.is_empty() {
                    self.note.push('\n');
                }
                self.note.push_str(&text.text);
            }
            [b"Chrgs", b"TtlChrgsAndTaxAmt"] => {
                self.total_charges = minor(&text, currency).map(|n| -n);
            }
            [b"Chrgs", b"Rcrd", b"Amt"] | [b"Chrgs", b"Amt"] => {
                self.charge_amount = minor(&text, currency);
                self.charges = self.charges.saturating_sub(self.charge_amount.unwrap_or(0));
            }
            // A charge that is given back.
            [b"Chrgs", b"Rcrd", b"CdtDbtInd"] | [b"Chrgs", b"CdtDbtInd"]
                if text.text.trim() == "CRDT" =>
            {
                let back = self.charge_amount.take().unwrap_or(0).saturating_mul(2);
                self.charges = self.charges.saturating_add(back);
            }
            _ => {}
        }
    }

    fn account(&mut self, party: &[u8], text: Text, out: &mut dyn Sink) {
        let key = Key::iban(&text.text);
        if key.is_none() {
            out.problem(Problem {
                start: text.start,
                end: text.end,
                kind: ProblemKind::Integrity,
                message: "an IBAN whose check digits do not hold".to_owned(),
                lost: false,
            });
        }
        match party {
            b"DbtrAcct" => self.debtor.account = key,
            b"CdtrAcct" => self.creditor.account = key,
            _ => {}
        }
    }

    /// An entry's only transaction tells what the entry itself does not. The entry's amount, which
    /// is in the account's currency, stays.
    fn complete(&mut self, tx: Parts) {
        if self.amount.is_none() {
            self.amount = tx.amount;
            self.currency = tx.currency;
        }
        self.credit = self.credit.or(tx.credit);
        self.reversal |= tx.reversal;
        for (own, tx) in [
            (&mut self.tx_id, tx.tx_id),
            (&mut self.end_to_end, tx.end_to_end),
            (&mut self.instruction, tx.instruction),
            (&mut self.message, tx.message),
            (&mut self.structured_ref, tx.structured_ref),
            (&mut self.servicer_ref, tx.servicer_ref),
            (&mut self.domain, tx.domain),
            (&mut self.family, tx.family),
            (&mut self.sub_family, tx.sub_family),
            (&mut self.proprietary, tx.proprietary),
        ] {
            if own.is_empty() {
                *own = tx;
            }
        }
        if !tx.note.is_empty() {
            let own = std::mem::replace(&mut self.note, tx.note);
            if !own.is_empty() && own != self.note {
                self.note.push('\n');
                self.note.push_str(&own);
            }
        }
        self.debtor = tx.debtor;
        self.creditor = tx.creditor;
        if self.charges == 0 {
            self.charges = tx.charges;
        }
        self.total_charges = self.total_charges.or(tx.total_charges);
    }

    fn nature(&self) -> Nature {
        if self.reversal {
            return Nature::Refund;
        }
        match (self.family.as_str(), self.sub_family.as_str()) {
            (_, "CHRG" | "FEES" | "COMM" | "COME") => Nature::Fee,
            ("CCRD" | "CNTR", "CWDL" | "XBCW") => Nature::Withdrawal,
            ("CCRD" | "CNTR", "CDPT") => Nature::Deposit,
            _ => Nature::Payment,
        }
    }
}
