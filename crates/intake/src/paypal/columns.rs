//! PayPal's column names in English, French, Italian, German and Spanish.
//!
//! Column names were read off exports that their owners' import scripts describe (business
//! "Activity download" and "Statements" of 2016 to 2026).

use crate::csv::fold;

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
