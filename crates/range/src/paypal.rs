//! PayPal's activity exports in five languages.

use model::Key;

use crate::Error;
use crate::accounts::{Account, txid};
use crate::calendar::civil;
use crate::lines::Line;
use crate::out::Out;
use crate::rng::{Rng, mix};
use crate::truth::{Paid, Truth};
use crate::words;
use crate::world::World;

/// A language's words.
struct Words {
    /// Date, time, zone, name, type, status, currency, gross, fee, net, from, to, number, item,
    /// reference, balance, impact.
    columns: [&'static str; 17],
    completed: &'static str,
    pending: &'static str,
    denied: &'static str,
    credit: &'static str,
    debit: &'static str,
    payment: &'static str,
    mobile: &'static str,
    refund: &'static str,
    withdrawal: &'static str,
    conversion: &'static str,
    hold: &'static str,
}

const LANGUAGES: [Words; 5] = [
    Words {
        columns: [
            "Date",
            "Time",
            "TimeZone",
            "Name",
            "Type",
            "Status",
            "Currency",
            "Gross",
            "Fee",
            "Net",
            "From Email Address",
            "To Email Address",
            "Transaction ID",
            "Item Title",
            "Reference Txn ID",
            "Balance",
            "Balance Impact",
        ],
        completed: "Completed",
        pending: "Pending",
        denied: "Denied",
        credit: "Credit",
        debit: "Debit",
        payment: "Express Checkout Payment",
        mobile: "Mobile Payment",
        refund: "Payment Refund",
        withdrawal: "General Withdrawal",
        conversion: "General Currency Conversion",
        hold: "Account Hold for Open Authorization",
    },
    Words {
        columns: [
            "Date",
            "Heure",
            "Fuseau horaire",
            "Nom",
            "Type",
            "État",
            "Devise",
            "Avant commission",
            "Commission",
            "Net",
            "De l'adresse email",
            "À l'adresse email",
            "Numéro de transaction",
            "Titre de l'objet",
            "Numéro de la transaction de référence",
            "Solde",
            "Impact sur le solde",
        ],
        completed: "Terminé",
        pending: "En attente",
        denied: "Refusé",
        credit: "Crédit",
        debit: "Débit",
        payment: "Paiement Express Checkout",
        mobile: "Paiement sur mobile",
        refund: "Remboursement de paiement",
        withdrawal: "Virement vers un compte bancaire",
        conversion: "Conversion de devise standard",
        hold: "Blocage de fonds",
    },
    Words {
        columns: [
            "Data",
            "Orario",
            "Fuso orario",
            "Nome",
            "Tipo",
            "Stato",
            "Valuta",
            "Lordo",
            "Tariffa",
            "Netto",
            "Indirizzo email mittente",
            "Indirizzo email destinatario",
            "Codice transazione",
            "Titolo oggetto",
            "Codice transazione di riferimento",
            "Saldo",
            "Impatto sul saldo",
        ],
        completed: "Completata",
        pending: "In sospeso",
        denied: "Rifiutata",
        credit: "A credito",
        debit: "A debito",
        payment: "Pagamento Express Checkout",
        mobile: "Pagamento su cellulare",
        refund: "Rimborso",
        withdrawal: "Prelievo generico",
        conversion: "Conversione di valuta generica",
        hold: "Blocco conto per autorizzazione aperta",
    },
    Words {
        columns: [
            "Datum",
            "Uhrzeit",
            "Zeitzone",
            "Name",
            "Typ",
            "Status",
            "Währung",
            "Brutto",
            "Gebühr",
            "Netto",
            "Absender E-Mail-Adresse",
            "Empfänger E-Mail-Adresse",
            "Transaktionscode",
            "Artikelbezeichnung",
            "Zugehöriger Transaktionscode",
            "Guthaben",
            "Auswirkung auf Guthaben",
        ],
        completed: "Abgeschlossen",
        pending: "Ausstehend",
        denied: "Abgelehnt",
        credit: "Haben",
        debit: "Soll",
        payment: "Express-Kaufabwicklung-Zahlung",
        mobile: "Handyzahlung",
        refund: "Rückzahlung",
        withdrawal: "Allgemeine Abbuchung",
        conversion: "Allgemeine Währungsumrechnung",
        hold: "Einbehaltung für offene Autorisierung",
    },
    Words {
        columns: [
            "Fecha",
            "Hora",
            "Zona horaria",
            "Nombre",
            "Tipo",
            "Estado",
            "Divisa",
            "Bruto",
            "Comisión",
            "Neto",
            "Correo electrónico del remitente",
            "Correo electrónico del destinatario",
            "Id. de transacción",
            "Título del artículo",
            "Id. de transacción de referencia",
            "Saldo",
            "Impacto en el saldo",
        ],
        completed: "Completado",
        pending: "Pendiente",
        denied: "Rechazado",
        credit: "Haber",
        debit: "Debe",
        payment: "Pago de Pago exprés",
        mobile: "Pago móvil",
        refund: "Reembolso del pago",
        withdrawal: "Transferencia a cuenta bancaria",
        conversion: "Conversión de divisas general",
        hold: "Retención de cuenta para autorización abierta",
    },
];

const CODES: [&str; 5] = ["en", "fr", "it", "de", "es"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Payment,
    Outgoing,
    Refund,
    Withdrawal,
    Conversion,
    Hold,
    Pending,
    Denied,
}

/// One row of an account's history.
struct Row {
    sort: Sort,
    time: i64,
    currency: &'static str,
    gross: i64,
    fee: i64,
    name: String,
    /// The other's address; none for the account's own movements.
    mail: Option<String>,
    txid: String,
    reference: String,
}

/// The rows of event `i` of `n` of an account.
fn event(world: &World, account: &Account, truth: &mut Truth, i: u64, n: u64) -> Vec<Row> {
    let mut rng = Rng::named(world.seed, "paypal").item(account.number << 32 | i);
    // A year and a half up to the last dump, evenly.
    let span = 540 * 86_400;
    let time = account.until - span + (i as i64 * span) / n as i64 + rng.range(0, 3600);
    let dice = rng.below(1000);
    let gross = *rng.pick(&[1000, 1200, 1500, 2999, 4900, 6900, 8000, 12_000]);
    let sort = match dice {
        0..=819 => Sort::Payment,
        820..=859 => Sort::Outgoing,
        860..=889 => Sort::Refund,
        890..=919 => Sort::Withdrawal,
        920..=939 => Sort::Conversion,
        940..=959 => Sort::Hold,
        960..=984 => Sort::Pending,
        _ => Sort::Denied,
    };
    let panel = &world.panels[0];
    let line = Line::of(world.seed, panel, 1 + rng.below(panel.lines));
    let (payer, mail) = match &line.contact {
        Some(mail) => {
            // It stands in the panel's own table; told where that table is XC_VM's.
            truth.mail_in_row(mail);
            (mail.split('.').next().unwrap_or("").to_owned(), mail.clone())
        }
        None => ("guest".to_owned(), format!("payer{}@quickmail.example", rng.below(1 << 40))),
    };
    let last = rng.pick(words::LAST);
    let name = format!("{} {last}", capital(&payer));
    let row = |sort, gross: i64, fee, name: &str, mail: Option<String>, txid: String| Row {
        sort,
        time,
        currency: account.currency,
        gross,
        fee,
        name: name.to_owned(),
        mail,
        txid,
        reference: String::new(),
    };
    let fee = -(gross * 34 / 1000 + 35);
    let id = txid(&mut rng);
    match sort {
        Sort::Payment => vec![row(sort, gross, fee, &name, Some(mail), id)],
        Sort::Pending | Sort::Denied => vec![row(sort, gross, 0, &name, Some(mail), id)],
        Sort::Refund => {
            let mut back = row(sort, -gross, 0, &name, Some(mail.clone()), txid(&mut rng));
            back.reference.clone_from(&id);
            back.time += 7200;
            vec![row(Sort::Payment, gross, fee, &name, Some(mail), id), back]
        }
        Sort::Outgoing => {
            let others = &world.accounts.paypal;
            let other = &others[rng.index(others.len())];
            let gross = -(gross * 5 + rng.range(0, 999));
            if other.number == account.number {
                return vec![row(sort, gross, 0, &name, Some(mail), id)];
            }
            vec![row(sort, gross, 0, &other.holder, Some(other.mail.clone()), id)]
        }
        Sort::Withdrawal => {
            vec![row(sort, -(gross * 12 + rng.range(0, 29_999)), 0, "", None, id)]
        }
        Sort::Conversion => {
            let mut out = row(sort, -gross, 0, "", None, id);
            let mut into = row(sort, gross * 108 / 100, 0, "", None, txid(&mut rng));
            out.reference.clone_from(&into.txid);
            into.currency = if account.currency == "USD" { "EUR" } else { "USD" };
            vec![out, into]
        }
        Sort::Hold => {
            // Set aside and released under one number: the sign tells them apart.
            let aside = row(sort, -gross, 0, "", None, id.clone());
            let mut released = row(sort, gross, 0, "", None, id);
            released.time += 86_400;
            vec![aside, released]
        }
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |c| c.to_uppercase().chain(chars).collect())
}

/// An amount as the language writes it.
fn amount(language: usize, minor: i64) -> String {
    let (decimal, thousand) = match language {
        0 => ('.', ","),
        1 => (',', "\u{a0}"),
        _ => (',', "."),
    };
    let whole = (minor.abs() / 100).to_string();
    let whole = match whole.len() {
        n if n > 3 => format!("{}{thousand}{}", &whole[..n - 3], &whole[n - 3..]),
        _ => whole,
    };
    format!("{}{whole}{decimal}{:02}", if minor < 0 { "-" } else { "" }, minor.abs() % 100)
}

/// Moment in the language's form and zone.
fn moment(language: usize, time: i64) -> (String, String, &'static str) {
    let (_, month, ..) = civil(time);
    let summer = (4..=9).contains(&month);
    let (zone, hours) = match (language, summer) {
        (0, false) => ("GMT", 0),
        (0, true) => ("BST", 1),
        (_, false) => ("CET", 1),
        (_, true) => ("CEST", 2),
    };
    let (y, m, d, h, min, s) = civil(time + hours * 3600);
    let date = match language {
        3 => format!("{d:02}.{m:02}.{y}"),
        _ => format!("{d:02}/{m:02}/{y}"),
    };
    (date, format!("{h:02}:{min:02}:{s:02}"), zone)
}

/// Tells what a row implies.
fn tell(truth: &mut Truth, account: &Account, row: &Row) {
    let own = account.key();
    truth.entity(&own);
    let other = row.mail.as_deref().map(|m| Key::account("paypal", m).to_string());
    if let Some(other) = &other {
        truth.entity(other);
    }
    let completed =
        matches!(row.sort, Sort::Payment | Sort::Outgoing | Sort::Refund | Sort::Withdrawal);
    if !completed {
        return;
    }
    truth.payment(&Paid {
        processor: "paypal",
        account: &own,
        txid: &row.txid,
        time: row.time,
        currency: row.currency,
        minor: row.gross,
    });
    if let Some(other) = other {
        let (from, to) = if row.gross < 0 { (&own, &other) } else { (&other, &own) };
        truth.link("paid", from, to);
    }
}

/// One export: events `from..n`.
fn export(
    world: &World,
    account: &Account,
    language: usize,
    (from, n): (u64, u64),
    truth: &mut Truth,
) -> Vec<u8> {
    let w = &LANGUAGES[language];
    let mut text = String::new();
    let mut line = |fields: &[&str]| {
        let quoted: Vec<String> =
            fields.iter().map(|f| format!("\"{}\"", f.replace('"', "\"\""))).collect();
        text.push_str(&quoted.join(","));
        text.push_str(if language.is_multiple_of(2) { "\r\n" } else { "\n" });
    };
    line(&w.columns);
    let mut balance = 10_000;
    for i in from..n {
        for row in event(world, account, truth, i, n) {
            tell(truth, account, &row);
            let (status, kind) = match row.sort {
                Sort::Payment => (w.completed, w.payment),
                Sort::Outgoing => (w.completed, w.mobile),
                Sort::Refund => (w.completed, w.refund),
                Sort::Withdrawal => (w.completed, w.withdrawal),
                Sort::Conversion => (w.completed, w.conversion),
                Sort::Hold => (w.completed, w.hold),
                Sort::Pending => (w.pending, w.payment),
                Sort::Denied => (w.denied, w.payment),
            };
            balance += row.gross + row.fee;
            let (date, clock, zone) = moment(language, row.time);
            let mail = row.mail.as_deref().unwrap_or_default();
            let own = if mail.is_empty() { "" } else { account.mail.as_str() };
            let (payer, payee) = if row.gross < 0 { (own, mail) } else { (mail, own) };
            let item = match (row.sort, mix(i) % 3) {
                (Sort::Payment, 0) => "12 months",
                (Sort::Payment, _) => "Consulting",
                _ => "",
            };
            line(&[
                &date,
                &clock,
                zone,
                &row.name,
                kind,
                status,
                row.currency,
                &amount(language, row.gross),
                &amount(language, row.fee),
                &amount(language, row.gross + row.fee),
                payer,
                payee,
                &row.txid,
                item,
                &row.reference,
                &amount(language, balance),
                if row.gross < 0 { w.debit } else { w.credit },
            ]);
        }
    }
    if account.number % 7 == 3 {
        // An old export: windows-1252, no mark.
        return text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect();
    }
    let mut bytes = "\u{feff}".as_bytes().to_vec();
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

/// Writes all exports. Returns their names below `folder`.
pub(crate) fn write(
    world: &World,
    folder: &str,
    truth: &mut Truth,
    out: &mut Out<'_>,
) -> Result<Vec<(String, String)>, Error> {
    let mut sums = Vec::new();
    let n = (world.plan.payments * 85 / 100 / world.plan.paypal.max(1)).max(12);
    for account in &world.accounts.paypal {
        let language = account.number as usize % 5;
        let name = format!("paypal-{:03}-{}.csv", account.number + 1, CODES[language]);
        let bytes = export(world, account, language, (0, n), truth);
        sums.push((name.clone(), model::Sha256Hex::of(&bytes).to_string()));
        out.write(&format!("{folder}/{name}"), &bytes)?;
        // Some accounts were exported twice, the second time from the middle on.
        if account.number % 4 == 0 {
            let language = (language + 1) % 5;
            let name = format!("paypal-{:03}-{}-again.csv", account.number + 1, CODES[language]);
            let bytes = export(world, account, language, (n / 2, n), truth);
            sums.push((name.clone(), model::Sha256Hex::of(&bytes).to_string()));
            out.write(&format!("{folder}/{name}"), &bytes)?;
        }
    }
    Ok(sums)
}
