use model::{ExhibitId, Sha256Hex};
use proptest::prelude::*;

use super::*;
use crate::Collect;

fn read(bytes: &[u8]) -> (Collect, Coverage) {
    let exhibit = ExhibitId(Sha256Hex::of(bytes).0);
    let input = Input { exhibit, name: "Download.CSV", mapping: None };
    let mut source = bytes;
    let mut out = Collect::default();
    let coverage = parse(&input, &mut Chunks::new(&mut source), &mut out);
    assert_eq!(coverage.total(), bytes.len() as u64, "every byte is accounted for");
    (out, coverage)
}

const EN: &str = "\u{feff}\"Date\",\"Time\",\"TimeZone\",\"Name\",\"Type\",\"Status\",\"Currency\",\"Gross\",\"Fee\",\"Net\",\"From Email Address\",\"To Email Address\",\"Transaction ID\",\"Reference Txn ID\",\"Subject\",\"Note\",\"Balance Impact\"\r\n\
\"11/02/2024\",\"09:15:00\",\"PST\",\"John Doe\",\"General Payment\",\"Completed\",\"USD\",\"1,250.00\",\"-36.55\",\"1,213.45\",\"john@mail.example\",\"Shop@Iptv.example\",\"1AB23456CD789012E\",\"\",\"12 months\",\"user \"\"jd\"\"\",\"Credit\"\r\n\
\"11/26/2024\",\"09:16:00\",\"PST\",\"John Doe\",\"Payment Refund\",\"Completed\",\"USD\",\"-15.00\",\"0.45\",\"-14.55\",\"shop@iptv.example\",\"john@mail.example\",\"2AB23456CD789012E\",\"1AB23456CD789012E\",\"\",\"\",\"Debit\"\r\n\
\"11/27/2024\",\"09:16:00\",\"PST\",\"\",\"General Withdrawal\",\"Completed\",\"USD\",\"-1,000.00\",\"0.00\",\"-1,000.00\",\"shop@iptv.example\",\"\",\"3AB23456CD789012E\",\"\",\"\",\"\",\"Debit\"\r\n\
\"11/27/2024\",\"09:17:00\",\"PST\",\"\",\"Payment Hold\",\"Completed\",\"USD\",\"-100.00\",\"0.00\",\"-100.00\",\"shop@iptv.example\",\"\",\"4AB23456CD789012E\",\"\",\"\",\"\",\"Debit\"\r\n";

const FR: &str = "\"Date\",\"Heure\",\"Fuseau horaire\",\"Nom\",\"Type\",\"État\",\"Devise\",\"Avant commission\",\"Commission\",\"Net\",\"De l'adresse email\",\"À l'adresse email\",\"Numéro de transaction\",\"Numéro de la transaction de référence\",\"Objet\",\"Remarque\",\"Impact sur le solde\"\n\
\"02/11/2024\",\"09:15:00\",\"CET\",\"Zoé Müller\",\"Paiement Express Checkout\",\"Terminé\",\"EUR\",\"1\u{202f}250,00\",\"-36,55\",\"1\u{202f}213,45\",\"zoe@mail.example\",\"boutique@iptv.example\",\"FR1\",\"\",\"\",\"\",\"Crédit\"\n\
\"03/11/2024\",\"09:15:00\",\"CET\",\"Zoé Müller\",\"Remboursement de paiement\",\"Terminé\",\"EUR\",\"\u{2212}15,00\",\"0,00\",\"-15,00\",\"boutique@iptv.example\",\"zoe@mail.example\",\"FR2\",\"FR1\",\"\",\"\",\"Débit\"\n";

const IT: &str = "\"Data\",\"Orario\",\"Fuso orario\",\"Nome\",\"Tipo\",\"Stato\",\"Valuta\",\"Lordo \",\"Tariffa \",\"Netto\",\"Indirizzo email mittente\",\"Indirizzo email destinatario\",\"Codice transazione\",\"Codice transazione di riferimento\",\"Oggetto\",\"Messaggio\",\"Impatto sul saldo\"\n\
\"04/01/2019\",\"10:09:43\",\"CET\",\"Un Cliente\",\"Pagamento\",\"Completata\",\"EUR\",\"1.025,00\",\"-0,35\",\"1.024,65\",\"cliente@mail.example\",\"negozio@iptv.example\",\"IT1\",\"\",\"\",\"\",\"Accredito\"\n\
\"24/01/2019\",\"10:09:43\",\"CET\",\"\",\"Conversione di valuta generica\",\"Completata\",\"EUR\",\"-25,00\",\"0,00\",\"-25,00\",\"negozio@iptv.example\",\"\",\"IT2\",\"IT1\",\"\",\"\",\"Addebito\"\n";

const DE: &str = "\"Datum\";Uhrzeit;Zeitzone;Name;Typ;Status;Währung;Brutto;Gebühr;Netto;Absender E-Mail-Adresse;Empfänger E-Mail-Adresse;Transaktionscode;Zugehöriger Transaktionscode;Betreff;Hinweis;Auswirkung auf Guthaben\n\
02.11.2024;09:15:00;Europe/Berlin;Jörg Groß;Handyzahlung;Abgeschlossen;EUR;12,50;-0,35;12,15;joerg@mail.example;laden@iptv.example;DE1;;;;Haben\n\
03.07.2024;09:15:00;Europe/Berlin;Jörg Groß;Handyzahlung;Ausstehend;EUR;12,50;-0,35;12,15;joerg@mail.example;laden@iptv.example;DE2;;;;Memo\n";

const ES: &str = "Fecha\tHora\tZona horaria\tNombre\tTipo\tEstado\tDivisa\tBruto\tComisión\tNeto\tCorreo electrónico del remitente\tCorreo electrónico del destinatario\tId. de transacción\tId. de transacción de referencia\tAsunto\tNota\tImpacto sobre el saldo\n\
2/11/2024\t09:15:00\tCET\tJosé Núñez\tPago general\tCompletado\tEUR\t12,50\t-0,35\t12,15\tjose@mail.example\ttienda@iptv.example\tES1\t\t\t\tAbono\n\
13/11/2024\t09:15:00\tCET\tJosé Núñez\tPago general\tRechazado\tEUR\t12,50\t-0,35\t12,15\tjose@mail.example\ttienda@iptv.example\tES2\t\t\t\tAbono\n";

fn row(out: &Collect, i: usize) -> Vec<String> {
    out.table_rows(0)[i].iter().map(|v| v.clone().unwrap_or_default()).collect()
}

#[test]
fn reads_an_english_export() {
    let (out, _) = read(EN.as_bytes());
    assert_eq!(out.problems, []);
    assert_eq!(
        row(&out, 0),
        [
            "paypal",
            "account:paypal:shop@iptv.example",
            "1AB23456CD789012E",
            "completed",
            "payment",
            "Completed",
            "General Payment",
            "2024-11-02T09:15:00-08:00",
            "1730567700",
            "USD",
            "125000",
            "-3655",
            "121345",
            "account:paypal:john@mail.example",
            "account:paypal:shop@iptv.example",
            "John Doe",
            "",
            "",
            "user \"jd\"\n12 months",
        ]
    );
    let second = row(&out, 1);
    assert_eq!(second[3..5], ["completed", "refund"]);
    assert_eq!(second[10], "-1500");
    assert_eq!(
        second[13..18],
        [
            "account:paypal:shop@iptv.example",
            "account:paypal:john@mail.example",
            "",
            "John Doe",
            "1AB23456CD789012E"
        ]
    );
    assert_eq!(row(&out, 2)[3..5], ["completed", "withdrawal"]);
    assert_eq!(row(&out, 3)[3], "hold");
    assert_eq!(out.facts.len(), 1);
    let fact = &out.facts[0];
    assert_eq!(fact.value, Value::Text("Shop@Iptv.example".to_owned()));
    assert_eq!(&EN.as_bytes()[fact.start as usize..fact.end as usize], b"Shop@Iptv.example");
    let batch = &out.batches[0];
    assert!(EN[batch.starts[0] as usize..batch.ends[0] as usize].starts_with("\"11/02/2024\""));
    assert!(EN[batch.starts[0] as usize..batch.ends[0] as usize].ends_with("\"Credit\""));
}

#[test]
fn reads_the_other_languages() {
    let (out, _) = read(FR.as_bytes());
    assert_eq!(out.problems, []);
    assert_eq!(
        row(&out, 0)[7..13],
        ["2024-11-02T09:15:00+01:00", "1730535300", "EUR", "125000", "-3655", "121345"]
    );
    assert_eq!(row(&out, 1)[3..5], ["completed", "refund"]);
    assert_eq!(row(&out, 1)[10], "-1500");
    assert_eq!(row(&out, 1)[1], "account:paypal:boutique@iptv.example");

    let (out, _) = read(IT.as_bytes());
    assert_eq!(out.problems, []);
    assert_eq!(row(&out, 0)[7], "2019-01-04T10:09:43+01:00");
    assert_eq!(row(&out, 0)[10], "102500");
    assert_eq!(row(&out, 1)[3], "conversion");

    let (out, _) = read(DE.as_bytes());
    assert_eq!(out.problems, []);
    assert_eq!(row(&out, 0)[7], "2024-11-02T09:15:00+01:00");
    assert_eq!(row(&out, 0)[15], "Jörg Groß");
    assert_eq!(row(&out, 1)[3], "pending");
    assert_eq!(row(&out, 1)[7], "2024-07-03T09:15:00+02:00");

    let (out, _) = read(ES.as_bytes());
    assert_eq!(out.problems, []);
    assert_eq!(row(&out, 0)[7], "2024-11-02T09:15:00+01:00");
    assert_eq!(row(&out, 1)[3], "denied");
}

#[test]
fn reads_other_encodings_with_spans_in_raw_bytes() {
    let latin: Vec<u8> = DE.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let (out, _) = read(&latin);
    assert_eq!(row(&out, 0)[15], "Jörg Groß");
    assert_eq!(out.problems.len(), 1);
    assert_eq!(out.problems[0].kind, ProblemKind::Encoding);
    assert!(!out.problems[0].lost);

    let mut wide = vec![0xff, 0xfe];
    wide.extend(DE.encode_utf16().flat_map(u16::to_le_bytes));
    let (out, coverage) = read(&wide);
    assert_eq!(coverage.filler, 2);
    assert_eq!(out.problems, []);
    assert_eq!(row(&out, 0)[10], "1250");
    let fact = &out.facts[0];
    let raw: Vec<u8> = "laden@iptv.example".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(&wide[fact.start as usize..fact.end as usize], raw);
}

#[test]
fn dirt_costs_its_own_record() {
    let dirty = DE.to_owned()
        + "04.11.2024;10:00:00;CET;Kurz;Handyzahlung;Abgeschlossen;EUR;1,00\n"
        + "05.11.2024;10:00:00;CET;\"Offen;Handyzahlung;Abgeschlossen;EUR;1,00;0;1,00;a@b.example;laden@iptv.example;DE4;;;;\n"
        + "45.11.2024;10:00:00;Mars;Datum;Handyzahlung;Abgeschlossen;EUR;1,00;0;1,00;a@b.example;laden@iptv.example;DE5;;;;\n"
        + "06.11.2024;10:00:00;CET;Betrag;Handyzahlung;Abgeschlossen;EUR;viel;0;1,00;a@b.example;laden@iptv.example;DE6;;;;\n";
    let (out, coverage) = read(dirty.as_bytes());
    assert!(coverage.lost > 0);
    let txids: Vec<_> = (0..4).map(|i| row(&out, i)[2].clone()).collect();
    assert_eq!(txids, ["DE1", "DE2", "DE5", "DE6"]);
    assert_eq!(row(&out, 2)[7], "");
    assert_eq!(row(&out, 3)[3], "other");
    let said: Vec<_> = out.problems.iter().map(|p| (p.kind, p.lost)).collect();
    assert_eq!(
        said,
        [
            (ProblemKind::Syntax, true),
            (ProblemKind::Syntax, true),
            (ProblemKind::Type, false),
            (ProblemKind::Type, false)
        ]
    );
}

#[test]
fn is_told_from_other_tables() {
    for text in [EN, FR, IT, DE, ES] {
        assert!(sniff(text.as_bytes(), "x") > Confidence(80));
    }
    assert_eq!(
        sniff(b"Date,Amount,Currency,Description\n2024-01-01,1,EUR,x\n", "x.csv"),
        Confidence::NO
    );
    assert_eq!(sniff(b"", ""), Confidence::NO);
    assert_eq!(sniff(b"#EXTM3U\n#EXTINF:-1,a\nhttp://a.example/1\n", ""), Confidence::NO);
}

#[test]
fn the_laws_hold_and_the_parser_is_chosen() {
    for (text, name) in [(EN, "a.csv"), (FR, "b.CSV"), (IT, "c"), (DE, "d.txt"), (ES, "e.csv")] {
        crate::laws::hold(&PARSER, text.as_ref());
        for seed in 0..150 {
            crate::laws::hold(&PARSER, &crate::laws::damaged(text.as_ref(), seed));
        }
        assert_eq!(crate::choose(text.as_ref(), name).map(|p| p.name), Some("paypal"));
    }
}

proptest! {
    #[test]
    fn a_prefix_never_invents(which in 0usize..5, cut in 0usize..2000) {
        let whole = [EN, FR, IT, DE, ES][which].as_bytes();
        let cut = cut.min(whole.len());
        let rows = |out: &Collect| -> Vec<(u64, u64, String)> {
            out.batches.iter().flat_map(|b| {
                (0..b.len()).map(|i| (b.starts[i], b.ends[i], match b.columns[10].get(i) { model::Cell::Int(n) => n.to_string(), _ => String::new() }))
            }).collect()
        };
        let all = rows(&read(whole).0);
        let (out, _) = read(&whole[..cut]);
        let some = rows(&out);
        for (i, r) in some.iter().enumerate() {
            let said = out.problems.iter().any(|p| p.kind == ProblemKind::Truncated && p.end >= r.1);
            prop_assert!(all.contains(r) || (i + 1 == some.len() && said), "{r:?} of {all:?}");
        }
    }

    #[test]
    fn mutated_bytes_never_panic(which in 0usize..5, edits in proptest::collection::vec((0usize..2000, any::<u8>()), 1..20)) {
        let mut bytes = [EN, FR, IT, DE, ES][which].as_bytes().to_vec();
        for (at, byte) in edits {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let size = bytes.len() as u64;
        let (out, _) = read(&bytes);
        for batch in &out.batches {
            for i in 0..batch.len() {
                prop_assert!(batch.starts[i] <= batch.ends[i] && batch.ends[i] <= size);
            }
        }
        for problem in &out.problems {
            prop_assert!(problem.start <= problem.end && problem.end <= size);
        }
    }
}
