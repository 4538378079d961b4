//! A payment on its way to the one table of payments, whatever its source.

use model::{Cell, Key, Stamp};

use crate::rows::Rows;
use crate::sink::Sink;

/// What became of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The money moved.
    Completed,
    /// It may yet move.
    Pending,
    /// It was refused, failed or was cancelled.
    Denied,
    /// Money set aside or released on one's own account.
    Hold,
    /// From one of one's own currencies into another.
    Conversion,
    /// None of these, or not told.
    Other,
}

impl Class {
    /// The word in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Pending => "pending",
            Self::Denied => "denied",
            Self::Hold => "hold",
            Self::Conversion => "conversion",
            Self::Other => "other",
        }
    }

    /// The class of a word as tables and mapping files write it.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == word)
    }

    /// In the order of [`model::bulk::PAYMENT_CLASSES`].
    const ALL: [Self; 6] =
        [Self::Completed, Self::Pending, Self::Denied, Self::Hold, Self::Conversion, Self::Other];
}

/// What sort of payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Nature {
    /// From one party to another.
    Payment,
    /// Back to who paid.
    Refund,
    /// For the processor's service.
    Fee,
    /// Out of the account to the holder's own bank or card.
    Withdrawal,
    /// Into the account from the holder's own bank or card.
    Deposit,
    /// None of these, or not told.
    Other,
}

impl Nature {
    /// The word in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Refund => "refund",
            Self::Fee => "fee",
            Self::Withdrawal => "withdrawal",
            Self::Deposit => "deposit",
            Self::Other => "other",
        }
    }

    /// The nature of a word as tables and mapping files write it.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Payment, Self::Refund, Self::Fee, Self::Withdrawal, Self::Deposit, Self::Other]
            .into_iter()
            .find(|nature| nature.as_str() == word)
    }
}

/// A payment, in the columns of [`model::bulk::payments`].
#[derive(Debug, Clone)]
pub struct Payment<'a> {
    /// `paypal`, a BIC, or the mapping file's word.
    pub processor: &'a str,
    /// The account whose statement it is.
    pub account: Option<&'a Key>,
    /// The processor's own number of it.
    pub txid: &'a str,
    /// What became of it.
    pub class: Class,
    /// What sort.
    pub nature: Nature,
    /// The source's words for the two.
    pub status: &'a str,
    /// The source's words for the two.
    pub kind: &'a str,
    /// When.
    pub time: Option<Stamp>,
    /// ISO 4217, as far as the source says.
    pub currency: &'a str,
    /// Signed minor units, positive into the account.
    pub gross: Option<i64>,
    /// The same of the processor's fee.
    pub fee: Option<i64>,
    /// The same of what is left.
    pub net: Option<i64>,
    /// Payer.
    pub from: Option<Key>,
    /// Payee.
    pub to: Option<Key>,
    /// Payer's name.
    pub from_name: &'a str,
    /// Payee's name.
    pub to_name: &'a str,
    /// A reference to another payment, an invoice, an end-to-end id.
    pub reference: &'a str,
    /// What people wrote.
    pub note: &'a str,
}

impl Payment<'_> {
    /// Adds it to the table, as standing in bytes `start..end`. Empty texts are absent.
    pub fn push(&self, rows: &mut Rows, out: &mut dyn Sink, start: u64, end: u64) {
        self.push_with(&[], rows, out, start, end);
    }

    /// The same, with cells of columns that the table has besides.
    pub(crate) fn push_with(
        &self,
        besides: &[Cell<'_>],
        rows: &mut Rows,
        out: &mut dyn Sink,
        start: u64,
        end: u64,
    ) {
        fn text(text: &str) -> Cell<'_> {
            if text.is_empty() { Cell::Null } else { Cell::Text(text) }
        }
        fn key(key: Option<&Key>) -> Cell<'_> {
            key.map_or(Cell::Null, |k| Cell::Text(k.as_str()))
        }
        fn int(n: Option<i64>) -> Cell<'static> {
            n.map_or(Cell::Null, Cell::Int)
        }
        let time = self.time.map(|t| t.to_string()).unwrap_or_default();
        let cells = [
            Cell::Text(self.processor),
            Cell::Text(self.account.map_or("", Key::as_str)),
            text(self.txid),
            Cell::Text(self.class.as_str()),
            Cell::Text(self.nature.as_str()),
            text(self.status),
            text(self.kind),
            text(&time),
            int(self.time.map(|t| t.utc_ms().div_euclid(1000))),
            text(self.currency),
            int(self.gross),
            int(self.fee),
            int(self.net),
            key(self.from.as_ref()),
            key(self.to.as_ref()),
            text(self.from_name),
            text(self.to_name),
            text(self.reference),
            text(self.note),
        ];
        if besides.is_empty() {
            rows.push(out, start, end, &cells);
        } else {
            rows.push(out, start, end, &[&cells, besides].concat());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_of_the_vocabulary() {
        assert_eq!(Class::ALL.map(Class::as_str), model::bulk::PAYMENT_CLASSES);
    }
}
