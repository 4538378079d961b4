//! PayPal's words in English, French, Italian, German and Spanish: column names, states, types.
//!
//! Column names were read off exports that their owners' import scripts describe (business
//! "Activity download" and "Statements" of 2016 to 2026).

use crate::payments::{Class, Nature};

/// A column this reader uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Col {
    Date,
    Time,
    Zone,
    Name,
    Type,
    Status,
    Currency,
    Gross,
    Fee,
    Net,
    From,
    To,
    Txid,
    Reference,
    Invoice,
    Item,
    Subject,
    Note,
    Impact,
    /// Of PayPal's own, and not used.
    Balance,
}

/// Number of [`Col`]s.
pub(crate) const COLS: usize = Col::Balance as usize + 1;

/// A language of exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lang {
    En,
    Fr,
    It,
    De,
    Es,
}

/// What a language calls a column.
type Names = (Col, &'static [&'static str]);

/// Names as [`fold`] leaves them.
const NAMES: &[(Lang, &[Names])] = &[
    (
        Lang::En,
        &[
            (Col::Date, &["date"]),
            (Col::Time, &["time"]),
            (Col::Zone, &["timezone", "time zone"]),
            (Col::Name, &["name"]),
            (Col::Type, &["type", "description", "transaction type"]),
            (Col::Status, &["status"]),
            (Col::Currency, &["currency"]),
            (Col::Gross, &["gross", "amount"]),
            (Col::Fee, &["fee", "fees"]),
            (Col::Net, &["net"]),
            (Col::From, &["from email address", "from e-mail address", "sender email"]),
            (Col::To, &["to email address", "to e-mail address", "recipient email"]),
            (Col::Txid, &["transaction id"]),
            (Col::Reference, &["reference txn id", "reference transaction id"]),
            (Col::Invoice, &["invoice number", "invoice id"]),
            (Col::Item, &["item title"]),
            (Col::Subject, &["subject"]),
            (Col::Note, &["note", "notes"]),
            (Col::Impact, &["balance impact"]),
            (Col::Balance, &["balance"]),
        ],
    ),
    (
        Lang::Fr,
        &[
            (Col::Date, &["date"]),
            (Col::Time, &["heure"]),
            (Col::Zone, &["fuseau horaire"]),
            (Col::Name, &["nom"]),
            (Col::Type, &["type", "description"]),
            (Col::Status, &["etat", "statut"]),
            (Col::Currency, &["devise"]),
            (Col::Gross, &["avant commission", "brut", "montant brut"]),
            (Col::Fee, &["commission", "frais"]),
            (Col::Net, &["net"]),
            (
                Col::From,
                &[
                    "de l'adresse email",
                    "de l'adresse e-mail",
                    "adresse email de l'expediteur",
                    "adresse e-mail de l'expediteur",
                ],
            ),
            (
                Col::To,
                &[
                    "a l'adresse email",
                    "a l'adresse e-mail",
                    "adresse email du destinataire",
                    "adresse e-mail du destinataire",
                ],
            ),
            (Col::Txid, &["numero de transaction", "n° de transaction", "code de la transaction"]),
            (
                Col::Reference,
                &["numero de la transaction de reference", "n° de transaction de reference"],
            ),
            (Col::Invoice, &["numero de facture"]),
            (Col::Item, &["titre de l'objet"]),
            (Col::Subject, &["objet"]),
            (Col::Note, &["remarque"]),
            (Col::Impact, &["impact sur le solde"]),
            (Col::Balance, &["solde"]),
        ],
    ),
    (
        Lang::It,
        &[
            (Col::Date, &["data"]),
            (Col::Time, &["orario", "ora"]),
            (Col::Zone, &["fuso orario"]),
            (Col::Name, &["nome"]),
            (Col::Type, &["tipo", "descrizione"]),
            (Col::Status, &["stato"]),
            (Col::Currency, &["valuta"]),
            (Col::Gross, &["lordo"]),
            (Col::Fee, &["tariffa", "commissione"]),
            (Col::Net, &["netto"]),
            (
                Col::From,
                &["indirizzo email mittente", "indirizzo e-mail mittente", "dall'indirizzo email"],
            ),
            (
                Col::To,
                &[
                    "indirizzo email destinatario",
                    "indirizzo e-mail destinatario",
                    "all'indirizzo email",
                ],
            ),
            (Col::Txid, &["codice transazione", "id transazione"]),
            (
                Col::Reference,
                &["codice transazione di riferimento", "id transazione di riferimento"],
            ),
            (Col::Invoice, &["n° ordine commerciante", "numero fattura"]),
            (Col::Item, &["titolo oggetto"]),
            (Col::Subject, &["oggetto"]),
            (Col::Note, &["messaggio", "nota"]),
            (Col::Impact, &["impatto sul saldo"]),
            (Col::Balance, &["saldo"]),
        ],
    ),
    (
        Lang::De,
        &[
            (Col::Date, &["datum"]),
            (Col::Time, &["uhrzeit"]),
            (Col::Zone, &["zeitzone"]),
            (Col::Name, &["name"]),
            (Col::Type, &["typ", "art", "beschreibung"]),
            (Col::Status, &["status"]),
            (Col::Currency, &["wahrung"]),
            (Col::Gross, &["brutto"]),
            (Col::Fee, &["gebuhr", "entgelt"]),
            (Col::Net, &["netto"]),
            (Col::From, &["absender e-mail-adresse", "von e-mail-adresse"]),
            (Col::To, &["empfanger e-mail-adresse", "an e-mail-adresse"]),
            (Col::Txid, &["transaktionscode"]),
            (Col::Reference, &["zugehoriger transaktionscode", "txn-referenzkennung"]),
            (Col::Invoice, &["rechnungsnummer"]),
            (Col::Item, &["artikelbezeichnung"]),
            (Col::Subject, &["betreff"]),
            (Col::Note, &["hinweis"]),
            (Col::Impact, &["auswirkung auf guthaben"]),
            (Col::Balance, &["guthaben"]),
        ],
    ),
    (
        Lang::Es,
        &[
            (Col::Date, &["fecha"]),
            (Col::Time, &["hora"]),
            (Col::Zone, &["zona horaria", "huso horario"]),
            (Col::Name, &["nombre"]),
            (Col::Type, &["tipo", "descripcion"]),
            (Col::Status, &["estado"]),
            (Col::Currency, &["divisa", "moneda"]),
            (Col::Gross, &["bruto"]),
            (Col::Fee, &["comision", "tarifa"]),
            (Col::Net, &["neto"]),
            (
                Col::From,
                &[
                    "correo electronico del remitente",
                    "direccion de correo electronico del remitente",
                    "remitente",
                    "de la direccion de correo electronico",
                    "del correo electronico",
                ],
            ),
            (
                Col::To,
                &[
                    "correo electronico del destinatario",
                    "direccion de correo electronico del destinatario",
                    "destinatario",
                    "a la direccion de correo electronico",
                    "al correo electronico",
                ],
            ),
            (
                Col::Txid,
                &["id. de transaccion", "id de transaccion", "identificador de transaccion"],
            ),
            (
                Col::Reference,
                &[
                    "id. de transaccion de referencia",
                    "id de transaccion de referencia",
                    "id. de referencia de trans.",
                ],
            ),
            (Col::Invoice, &["numero de factura"]),
            (Col::Item, &["titulo del articulo", "nombre del articulo"]),
            (Col::Subject, &["asunto"]),
            (Col::Note, &["nota"]),
            (
                Col::Impact,
                &["impacto sobre el saldo", "impacto en el saldo", "repercusion en el saldo"],
            ),
            (Col::Balance, &["saldo"]),
        ],
    ),
];

/// Lower case, without accents, one space between words, `'` for `’`: so that `État`, `ETAT` and
/// a windows-1252 `État` are one name.
pub(crate) fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.trim().chars().flat_map(char::to_lowercase) {
        let plain = match c {
            'à' | 'á' | 'â' | 'ä' | 'ã' => "a",
            'è' | 'é' | 'ê' | 'ë' => "e",
            'ì' | 'í' | 'î' | 'ï' => "i",
            'ò' | 'ó' | 'ô' | 'ö' => "o",
            'ù' | 'ú' | 'û' | 'ü' => "u",
            'ç' => "c",
            'ñ' => "n",
            'ß' => "ss",
            '\u{2019}' | '\u{2018}' | '`' | '´' => "'",
            '\u{300}'..='\u{36f}' | '\u{feff}' | '\u{200e}' | '\u{200f}' => "",
            _ if c.is_whitespace() => {
                if out.ends_with(' ') {
                    ""
                } else {
                    " "
                }
            }
            _ => {
                out.push(c);
                ""
            }
        };
        out.push_str(plain);
    }
    out
}

/// The columns of a header, and its language: the one that knows most of its names. `None` where
/// it is no header of PayPal's.
pub(crate) fn header<'a>(
    names: impl Iterator<Item = &'a str>,
) -> Option<(Lang, [Option<usize>; COLS])> {
    let names: Vec<String> = names.map(fold).collect();
    let mut best: Option<(usize, Lang, [Option<usize>; COLS])> = None;
    for (lang, cols) in NAMES {
        let mut at = [None; COLS];
        for (col, known) in *cols {
            at[*col as usize] =
                known.iter().find_map(|known| names.iter().position(|name| name == known));
        }
        let score = at.iter().flatten().count();
        if best.is_none_or(|(so_far, ..)| score > so_far) {
            best = Some((score, *lang, at));
        }
    }
    let (score, lang, at) = best?;
    let has = |col: Col| at[col as usize].is_some();
    let named = has(Col::Date) && has(Col::Gross) && has(Col::Currency);
    // What no bank's export has together: net beside gross, and PayPal's own number or mails.
    let own = has(Col::Txid) && (has(Col::Net) || has(Col::From) || has(Col::Impact));
    (named && own && score >= 7).then_some((lang, at))
}

fn any(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// What became of a payment, by its state, its type and what it did to the balance.
pub(crate) fn class(status: &str, kind: &str, impact: &str) -> Class {
    let (status, kind, impact) = (fold(status), fold(kind), fold(impact));
    if any(
        &kind,
        &[
            "currency conversion",
            "conversion de devise",
            "conversion de la devise",
            "conversione di valuta",
            "conversione valuta",
            "wahrungsumrechnung",
            "conversion de divisa",
            "conversion de moneda",
            "cambio de divisa",
        ],
    ) {
        return if denied(&status) { Class::Denied } else { Class::Conversion };
    }
    if any(
        &kind,
        &[
            "hold",
            "reserve",
            "payment release",
            "authorization",
            "authorisation",
            "autorisation",
            "einbehalt",
            "rucklage",
            "kontosperre",
            "autorisierung",
            "sicherheitseinbehalt",
            "freigabe",
            "blocage",
            "retenue",
            "suspension",
            "mise en attente",
            "fonds bloques",
            "deblocage",
            "mise en reserve",
            "blocco",
            "trattenut",
            "sospensione",
            "riserva",
            "sblocco",
            "autorizzazione",
            "retencion",
            "bloqueo",
            "reserva",
            "autorizacion",
            "liberacion",
        ],
    ) && !any(
        &kind,
        &["preapproved", "preautoris", "preautorizzat", "preautorizad", "pre-autoris"],
    ) {
        return if denied(&status) { Class::Denied } else { Class::Hold };
    }
    if any(
        &status,
        &["held", "einbehalten", "bloque", "bloccat", "trattenut", "retenid", "bloquead", "hold"],
    ) {
        return Class::Hold;
    }
    if denied(&status) {
        return Class::Denied;
    }
    if any(
        &status,
        &[
            "incomplet",
            "pending",
            "processing",
            "unclaimed",
            "uncleared",
            "ausstehend",
            "offen",
            "in bearbeitung",
            "nicht eingelost",
            "nicht abgeholt",
            "en attente",
            "en cours",
            "non reclame",
            "in sospeso",
            "in attesa",
            "in corso",
            "non riscoss",
            "non reclamat",
            "pendiente",
            "en curso",
            "en proceso",
            "no reclamad",
        ],
    ) {
        return Class::Pending;
    }
    // A memo row is a note: no money moves.
    if any(&impact, &["memo"]) {
        return Class::Other;
    }
    // An original that was paid back stays: the row that pays it back stands for itself.
    let done = any(
        &status,
        &[
            "complet",
            "complete",
            "refund",
            "reversed",
            "cleared",
            "paid",
            "abgeschlossen",
            "erstattet",
            "ruckzahlung",
            "zuruckgezahlt",
            "ruckgangig",
            "gutgeschrieben",
            "bezahlt",
            "termine",
            "effectue",
            "rembours",
            "paye",
            "compense",
            "contre-passe",
            "rimborsat",
            "stornat",
            "pagat",
            "effettuat",
            "eseguit",
            "terminad",
            "reembolsad",
            "revertid",
            "pagad",
            "devuelt",
            "finalizad",
        ],
    );
    if done || (status.is_empty() && !kind.is_empty()) { Class::Completed } else { Class::Other }
}

fn denied(status: &str) -> bool {
    any(
        status,
        &[
            "denied",
            "failed",
            "cancel",
            "expired",
            "removed",
            "declined",
            "rejected",
            "voided",
            "abgelehnt",
            "fehlgeschlagen",
            "storniert",
            "abgebrochen",
            "abgelaufen",
            "entfernt",
            "zuruckgewiesen",
            "refuse",
            "echou",
            "echec",
            "annul",
            "expire",
            "supprime",
            "rifiutat",
            "non riuscit",
            "fallit",
            "annullat",
            "scadut",
            "rimoss",
            "negat",
            "denegad",
            "rechazad",
            "fallid",
            "cancelad",
            "anulad",
            "caducad",
            "vencid",
            "eliminad",
        ],
    )
}

/// What sort of payment, by its type.
pub(crate) fn nature(kind: &str) -> Nature {
    let kind = fold(kind);
    if any(
        &kind,
        &[
            "refund",
            "chargeback",
            "payment reversal",
            "ruckzahlung",
            "ruckerstattung",
            "erstattung",
            "ruckbuchung",
            "zahlungsstornierung",
            "rembours",
            "impaye",
            "rimborso",
            "storno",
            "riaccredito",
            "reembolso",
            "devolucion",
            "contracargo",
        ],
    ) {
        Nature::Refund
    } else if any(
        &kind,
        &[
            "withdraw",
            "transfer to bank",
            "bank transfer to",
            "auszahlung",
            "abbuchung",
            "uberweisung auf bankkonto",
            "von paypal auf bankkonto",
            "auf ihr bankkonto",
            "abhebung",
            "retrait",
            "virement vers",
            "transfert vers un compte bancaire",
            "virement sur compte bancaire",
            "virement sur le compte bancaire",
            "prelievo",
            "trasferimento su conto bancario",
            "trasferimento sul conto bancario",
            "trasferimento al conto bancario",
            "verso conto bancario",
            "bonifico su conto bancario",
            "bonifico sul conto bancario",
            "retirada",
            "retiro",
            "transferencia a cuenta bancaria",
            "transferencia a la cuenta bancaria",
            "transferencia al banco",
        ],
    ) {
        Nature::Withdrawal
    } else if any(
        &kind,
        &[
            "deposit",
            "add funds",
            "funds added",
            "bankgutschrift",
            "einzahlung",
            "aufladung",
            "geld hinzugefugt",
            "depot",
            "approvisionnement",
            "virement bancaire",
            "virement depuis",
            "ajout de fonds",
            "bonifico bancario",
            "versamento",
            "ricarica",
            "aggiunta di fondi",
            "ingreso",
            "transferencia bancaria",
            "anadir fondos",
            "fondos anadidos",
        ],
    ) {
        Nature::Deposit
    } else if any(
        &kind,
        &[
            "fee",
            "gebuhr",
            "entgelt",
            "commission",
            "frais",
            "tariffa",
            "commissione",
            "comision",
            "tarifa",
        ],
    ) {
        Nature::Fee
    } else if any(
        &kind,
        &[
            "pay",
            "zahlung",
            "paiement",
            "pagament",
            "pago",
            "purchase",
            "checkout",
            "donation",
            "spende",
            "kauf",
            "don ",
            "don recu",
            "achat",
            "donazione",
            "acquisto",
            "compra",
            "donacion",
            "subscription",
            "invoice",
            "money",
            "geld",
            "argent",
            "denaro",
            "dinero",
            "abonnement",
            "abbonamento",
            "suscripcion",
            "ebay",
            "website",
        ],
    ) {
        Nature::Payment
    } else {
        Nature::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_in_five_languages() {
        for (status, kind, impact, class_) in [
            ("Completed", "General Payment", "Credit", Class::Completed),
            ("Completed", "Mobile Payment", "", Class::Completed),
            ("Abgeschlossen", "Handyzahlung", "Haben", Class::Completed),
            ("Terminé", "Paiement Express Checkout", "Crédit", Class::Completed),
            ("Completata", "Pagamento preautorizzato utenza", "Addebito", Class::Completed),
            ("Completado", "Pago general", "Abono", Class::Completed),
            ("Refunded", "Website Payment", "", Class::Completed),
            ("Pending", "General Payment", "Memo", Class::Pending),
            ("Ausstehend", "Handyzahlung", "", Class::Pending),
            ("En attente", "Paiement", "", Class::Pending),
            ("In sospeso", "Pagamento", "", Class::Pending),
            ("Pendiente", "Pago", "", Class::Pending),
            ("Denied", "General Payment", "", Class::Denied),
            ("Abgelehnt", "Zahlung", "", Class::Denied),
            ("Refusé", "Paiement", "", Class::Denied),
            ("Annullata", "Pagamento", "", Class::Denied),
            ("Rechazado", "Pago", "", Class::Denied),
            ("Completed", "Payment Hold", "Debit", Class::Hold),
            ("Completed", "Reversal of General Account Hold", "Credit", Class::Hold),
            ("Abgeschlossen", "Einbehaltung für offene Autorisierung", "Soll", Class::Hold),
            ("Terminé", "Blocage de fonds", "", Class::Hold),
            ("Completata", "Blocco conto per autorizzazione aperta", "", Class::Hold),
            ("Completado", "Retención de cuenta para autorización abierta", "", Class::Hold),
            ("Completed", "General Currency Conversion", "", Class::Conversion),
            ("Abgeschlossen", "Allgemeine Währungsumrechnung", "", Class::Conversion),
            ("Terminé", "Conversion de devise standard", "", Class::Conversion),
            ("Completata", "Conversione di valuta generica", "", Class::Conversion),
            ("Completado", "Conversión de divisas general", "", Class::Conversion),
            ("Active", "Preapproved Payment Bill User Payment", "", Class::Other),
        ] {
            assert_eq!(class(status, kind, impact), class_, "{status} / {kind}");
        }
    }

    #[test]
    fn natures_in_five_languages() {
        for (kind, expected) in [
            ("Payment Refund", Nature::Refund),
            ("Rückzahlung", Nature::Refund),
            ("Remboursement de paiement", Nature::Refund),
            ("Rimborso", Nature::Refund),
            ("Reembolso del pago", Nature::Refund),
            ("General Withdrawal", Nature::Withdrawal),
            ("Von PayPal auf Bankkonto überwiesen", Nature::Withdrawal),
            ("Virement vers un compte bancaire", Nature::Withdrawal),
            ("Prelievo", Nature::Withdrawal),
            ("Transferencia a cuenta bancaria", Nature::Withdrawal),
            ("Bank Deposit to PP Account", Nature::Deposit),
            ("Bankgutschrift auf PayPal-Konto", Nature::Deposit),
            ("Bonifico bancario sul conto PayPal", Nature::Deposit),
            ("Partner Fee", Nature::Fee),
            ("Comisión", Nature::Fee),
            ("Express Checkout Payment", Nature::Payment),
            ("Handyzahlung", Nature::Payment),
            ("Pago mediante suscripción", Nature::Payment),
            ("Hold on Balance", Nature::Other),
        ] {
            assert_eq!(nature(kind), expected, "{kind}");
        }
    }
}
