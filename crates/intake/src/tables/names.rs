//! What banks, shops and processors call the columns of payments, in five languages.

use crate::csv::fold;

/// What a column of payments holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Date,
    Time,
    Amount,
    Debit,
    Credit,
    Currency,
    Fee,
    Net,
    Id,
    Payer,
    Payee,
    PayerName,
    PayeeName,
    Counterparty,
    CounterpartyName,
    Account,
    Status,
    Type,
    Reference,
    Note,
}

pub(crate) const ROLES: usize = Role::Note as usize + 1;

/// Folded names; what stands in brackets at a name's end (`Amount (EUR)`) is taken off before.
const NAMES: &[(Role, &[&str])] = &[
    (
        Role::Date,
        &[
            "date",
            "transaction date",
            "booking date",
            "posting date",
            "payment date",
            "date posted",
            "created",
            "created at",
            "created (utc)",
            "paid at",
            "timestamp",
            "datetime",
            "date time",
            "date/time",
            "completed date",
            "datum",
            "buchungstag",
            "buchungsdatum",
            "buchung",
            "zahlungsdatum",
            "date operation",
            "date de l'operation",
            "date de comptabilisation",
            "date comptable",
            "date d'operation",
            "date de paiement",
            "data",
            "data operazione",
            "data contabile",
            "data pagamento",
            "data registrazione",
            "fecha",
            "fecha operacion",
            "fecha de operacion",
            "fecha contable",
            "fecha de pago",
            "f. operacion",
            "value date",
            "valuta date",
            "wertstellung",
            "valutadatum",
            "date valeur",
            "date de valeur",
            "data valuta",
            "fecha valor",
        ],
    ),
    (Role::Time, &["time", "uhrzeit", "heure", "ora", "orario", "hora"]),
    (
        Role::Amount,
        &[
            "amount",
            "gross",
            "gross amount",
            "paid amount",
            "payment amount",
            "transaction amount",
            "total",
            "sum",
            "betrag",
            "umsatz",
            "brutto",
            "summe",
            "montant",
            "montant brut",
            "brut",
            "somme",
            "importo",
            "lordo",
            "somma",
            "importe",
            "monto",
            "cantidad",
            "bruto",
        ],
    ),
    (
        Role::Debit,
        &[
            "debit",
            "debit amount",
            "money out",
            "paid out",
            "withdrawal",
            "withdrawals",
            "soll",
            "belastung",
            "lastschrift",
            "montant debit",
            "dare",
            "addebiti",
            "addebito",
            "uscite",
            "debe",
            "cargo",
            "cargos",
        ],
    ),
    (
        Role::Credit,
        &[
            "credit",
            "credit amount",
            "money in",
            "paid in",
            "deposit",
            "deposits",
            "haben",
            "gutschrift",
            "montant credit",
            "avere",
            "accrediti",
            "accredito",
            "entrate",
            "haber",
            "abono",
            "abonos",
        ],
    ),
    (
        Role::Currency,
        &[
            "currency",
            "currency code",
            "ccy",
            "wahrung",
            "devise",
            "monnaie",
            "valuta",
            "divisa",
            "moneda",
        ],
    ),
    (
        Role::Fee,
        &[
            "fee",
            "fees",
            "gebuhr",
            "gebuhren",
            "entgelt",
            "commission",
            "frais",
            "commissione",
            "commissioni",
            "comision",
            "tarifa",
        ],
    ),
    (
        Role::Net,
        &[
            "net",
            "net amount",
            "netto",
            "nettobetrag",
            "montant net",
            "netto importo",
            "neto",
            "importe neto",
        ],
    ),
    (
        Role::Id,
        &[
            "id",
            "transaction id",
            "transaction number",
            "payment id",
            "txid",
            "tx id",
            "tx hash",
            "txhash",
            "transaction hash",
            "hash",
            "charge id",
            "order id",
            "balance transaction id",
            "transaction reference",
            "transaktionscode",
            "transaktionsnummer",
            "transaktions-id",
            "umsatz-id",
            "numero de transaction",
            "n° de transaction",
            "id transaction",
            "identifiant",
            "codice transazione",
            "id transazione",
            "numero operazione",
            "id de transaccion",
            "id. de transaccion",
            "numero de operacion",
            "numero de transaccion",
            "n° operacion",
        ],
    ),
    (
        Role::Payer,
        &[
            "payer",
            "from",
            "sender",
            "from address",
            "from email",
            "from email address",
            "customer email",
            "customer",
            "debtor",
            "debtor iban",
            "payer email",
            "zahler",
            "zahlungspflichtiger",
            "absender",
            "von",
            "payeur",
            "expediteur",
            "emetteur",
            "donneur d'ordre",
            "pagatore",
            "mittente",
            "ordinante",
            "pagador",
            "remitente",
            "ordenante",
        ],
    ),
    (
        Role::Payee,
        &[
            "payee",
            "to",
            "recipient",
            "to address",
            "to email",
            "to email address",
            "beneficiary",
            "creditor",
            "creditor iban",
            "receiver",
            "zahlungsempfanger",
            "empfanger",
            "begunstigter",
            "an",
            "beneficiaire",
            "destinataire",
            "beneficiario",
            "destinatario",
            "receptor",
        ],
    ),
    (
        Role::PayerName,
        &[
            "payer name",
            "sender name",
            "customer name",
            "debtor name",
            "name des zahlers",
            "nom du payeur",
            "nome pagatore",
            "nombre del pagador",
        ],
    ),
    (
        Role::PayeeName,
        &[
            "payee name",
            "recipient name",
            "beneficiary name",
            "creditor name",
            "name des empfangers",
            "nom du beneficiaire",
            "nome beneficiario",
            "nombre del beneficiario",
        ],
    ),
    (
        Role::Counterparty,
        &[
            "counterparty account",
            "counterparty iban",
            "iban",
            "account number/iban",
            "kontonummer/iban",
            "iban/kontonummer",
            "iban zahlungsbeteiligter",
            "gegenkonto",
            "iban contrepartie",
            "compte contrepartie",
            "iban controparte",
            "iban contraparte",
            "cuenta contraparte",
        ],
    ),
    (
        Role::CounterpartyName,
        &[
            "counterparty",
            "counterparty name",
            "name",
            "payee or payer",
            "partner",
            "partner name",
            "merchant",
            "beguenstigter/zahlungspflichtiger",
            "begunstigter/zahlungspflichtiger",
            "auftraggeber/empfanger",
            "auftraggeber / begunstigter",
            "name zahlungsbeteiligter",
            "gegenpartei",
            "contrepartie",
            "nom",
            "tiers",
            "controparte",
            "nome",
            "contraparte",
            "nombre",
        ],
    ),
    (
        Role::Account,
        &[
            "account",
            "own account",
            "account iban",
            "auftragskonto",
            "iban auftragskonto",
            "konto",
            "compte",
            "numero de compte",
            "conto",
            "numero conto",
            "cuenta",
            "numero de cuenta",
        ],
    ),
    (
        Role::Status,
        &["status", "state", "payment status", "etat", "statut", "stato", "estado", "zustand"],
    ),
    (
        Role::Type,
        &[
            "type",
            "transaction type",
            "category",
            "buchungstext",
            "typ",
            "vorgang",
            "art",
            "type d'operation",
            "nature",
            "tipo",
            "tipo operazione",
            "tipo de operacion",
        ],
    ),
    (
        Role::Reference,
        &[
            "reference",
            "end-to-end id",
            "end to end id",
            "invoice",
            "invoice number",
            "kundenreferenz",
            "kundenreferenz (end-to-end)",
            "referenz",
            "rechnungsnummer",
            "mandatsreferenz",
            "numero de facture",
            "riferimento",
            "numero fattura",
            "referencia",
            "numero de factura",
        ],
    ),
    (
        Role::Note,
        &[
            "description",
            "note",
            "notes",
            "memo",
            "details",
            "narrative",
            "payment details",
            "remittance information",
            "message",
            "purpose",
            "verwendungszweck",
            "notiz",
            "bemerkung",
            "beschreibung",
            "libelle",
            "libelle operation",
            "motif",
            "communication",
            "descrizione",
            "causale",
            "descrizione operazione",
            "note movimento",
            "concepto",
            "descripcion",
            "observaciones",
            "asunto",
        ],
    ),
];

/// A header's name without a bracketed or trailing currency, and that currency.
pub(crate) fn bare(name: &str) -> (String, Option<String>) {
    let name = name.trim();
    let code = |inside: &str| {
        let inside = inside.trim();
        match inside {
            "€" => Some("EUR".to_owned()),
            "$" => Some("USD".to_owned()),
            "£" => Some("GBP".to_owned()),
            _ => (inside.len() == 3 && inside.bytes().all(|b| b.is_ascii_uppercase()))
                .then(|| inside.to_owned()),
        }
    };
    for (open, close) in [('(', ')'), ('[', ']')] {
        if let Some((front, inside)) = name.strip_suffix(close).and_then(|n| n.rsplit_once(open))
            && let Some(currency) = code(inside)
        {
            return (fold(front), Some(currency));
        }
    }
    if let Some((front, inside)) = name.rsplit_once(' ')
        && let Some(currency) = code(inside)
    {
        return (fold(front), Some(currency));
    }
    (fold(name), None)
}

/// The columns of a header, and the currency it names for its amounts. `None` where it is no header
/// of payments: a date, an amount, and a currency, a number or a party.
pub(crate) fn recognise(names: &[&str]) -> Option<([Option<usize>; ROLES], Option<String>)> {
    let bare: Vec<(String, Option<String>)> = names.iter().map(|name| bare(name)).collect();
    let mut at = [None; ROLES];
    for (role, known) in NAMES {
        // The first known name that stands anywhere wins: names are listed by how well they tell.
        at[*role as usize] = known.iter().find_map(|k| bare.iter().position(|(name, _)| name == k));
    }
    // `Valuta` is a currency, or the value date's column beside a currency.
    let has = |role: Role| at[role as usize].is_some();
    let amount = has(Role::Amount) || (has(Role::Debit) && has(Role::Credit));
    let amount_column = at[Role::Amount as usize].or(at[Role::Credit as usize]);
    let currency = amount_column.and_then(|i| bare[i].1.clone());
    let more = has(Role::Currency)
        || currency.is_some()
        || has(Role::Id)
        || has(Role::Payer)
        || has(Role::Payee)
        || has(Role::Counterparty);
    (has(Role::Date) && amount && more).then_some((at, currency))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_five_languages() {
        for header in [
            &["Date", "Amount", "Currency", "Description"][..],
            &["Buchungstag", "Verwendungszweck", "Betrag (€)", "IBAN"],
            &["Date opération", "Libellé", "Débit", "Crédit", "Devise"],
            &["Data contabile", "Causale", "Importo EUR", "Valuta"],
            &["Fecha operación", "Concepto", "Importe", "Divisa"],
            &["created_at", "Created (UTC)", "Amount", "Customer Email", "id"],
        ] {
            assert!(recognise(header).is_some(), "{header:?}");
        }
        for header in [
            &["Date", "Temperature"][..],
            &["Name", "Amount"],
            &["date", "amount"],
            &["user", "mac", "expiry"],
        ] {
            assert!(recognise(header).is_none(), "{header:?}");
        }
        assert_eq!(bare("Amount (EUR)"), ("amount".to_owned(), Some("EUR".to_owned())));
    }
}
