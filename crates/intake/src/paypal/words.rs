//! PayPal's words for states and types in English, French, Italian, German and Spanish.

use crate::csv::fold;
use crate::payments::{Class, Nature};

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
            "sale",
            "charge",
            "verkauf",
            "vente",
            "vendita",
            "venta",
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
