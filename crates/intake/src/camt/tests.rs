use model::{ExhibitId, Sha256Hex};
use proptest::prelude::*;

use super::*;
use crate::Collect;

fn read(bytes: &[u8]) -> (Collect, Coverage) {
    let input = Input { exhibit: ExhibitId(Sha256Hex::of(bytes).0), name: "s.xml", mapping: None };
    let mut source = bytes;
    let mut out = Collect::default();
    let coverage = parse(&input, &mut Chunks::new(&mut source), &mut out);
    assert_eq!(coverage.total(), bytes.len() as u64, "every byte is accounted for");
    for fact in &out.facts {
        let raw = &bytes[fact.start as usize..fact.end as usize];
        if let Value::Text(text) = &fact.value {
            assert_eq!(crate::xml::decode(raw).trim(), text);
        }
    }
    (out, coverage)
}

const V02: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId></GrpHdr>
<Stmt><Id>S-2024-11</Id><Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy><Ownr><Nm>M&#252;ller &amp; Co</Nm></Ownr><Svcr><FinInstnId><BIC>COBADEFFXXX</BIC></FinInstnId></Svcr></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">10.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">1250.5</Amt><CdtDbtInd>DBIT</CdtDbtInd></Bal>
<Ntry><Amt Ccy="EUR">12.50</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2024-11-02</Dt></BookgDt><AcctSvcrRef>REF1</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd><NtryDtls><TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs><RltdPties><Dbtr><Nm>Zoé</Nm></Dbtr><DbtrAcct><Id><IBAN>GB82WEST12345698765432</IBAN></Id></DbtrAcct></RltdPties><RmtInf><Ustrd>12 mois</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="EUR">12.50</Amt><CdtDbtInd>DBIT</CdtDbtInd><RvslInd>true</RvslInd><Sts>BOOK</Sts><BookgDt><Dt>2024-11-03</Dt></BookgDt><AcctSvcrRef>REF2</AcctSvcrRef><NtryDtls><TxDtls><RltdPties><Dbtr><Nm>Zoé</Nm></Dbtr><DbtrAcct><Id><IBAN>GB82WEST12345698765432</IBAN></Id></DbtrAcct><CdtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></CdtrAcct></RltdPties></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="EUR">30.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>PDNG</Sts><ValDt><DtTm>2024-11-04T10:00:00+01:00</DtTm></ValDt><NtryDtls><Btch><PmtInfId>P1</PmtInfId></Btch><TxDtls><AmtDtls><TxAmt><Amt Ccy="EUR">10.00</Amt></TxAmt></AmtDtls></TxDtls><TxDtls><AmtDtls><TxAmt><Amt Ccy="EUR">19.99</Amt></TxAmt></AmtDtls><RltdPties><CdtrAcct><Id><IBAN>GB82WEST12345698765433</IBAN></Id></CdtrAcct></RltdPties></TxDtls></NtryDtls></Ntry>
</Stmt></BkToCstmrStmt></Document>"#;

const V08: &str = r#"<c:Document xmlns:c="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><c:BkToCstmrStmt><c:Stmt><c:Id>S</c:Id><c:Acct><c:Id><c:Othr><c:Id>12-345</c:Id></c:Othr></c:Id><c:Svcr><c:FinInstnId><c:BICFI>ABCDGB2L</c:BICFI></c:FinInstnId></c:Svcr></c:Acct>
<c:Ntry><c:NtryRef>7</c:NtryRef><c:Amt Ccy="GBP">100</c:Amt><c:CdtDbtInd>DBIT</c:CdtDbtInd><c:Sts><c:Cd>BOOK</c:Cd></c:Sts><c:BookgDt><c:DtTm>2024-11-02T10:00:00Z</c:DtTm></c:BookgDt><c:Chrgs><c:Rcrd><c:Amt Ccy="GBP">1.25</c:Amt><c:CdtDbtInd>DBIT</c:CdtDbtInd></c:Rcrd></c:Chrgs><c:NtryDtls><c:TxDtls><c:Refs><c:EndToEndId>E2E</c:EndToEndId></c:Refs><c:RltdPties><c:Cdtr><c:Pty><c:Nm>Host Ltd</c:Nm></c:Pty></c:Cdtr></c:RltdPties></c:TxDtls></c:NtryDtls></c:Ntry>
</c:Stmt></c:BkToCstmrStmt></c:Document>"#;

fn row(out: &Collect, i: usize) -> Vec<String> {
    out.table_rows(0)[i].iter().map(|v| v.clone().unwrap_or_default()).collect()
}

#[test]
fn reads_version_02() {
    let (out, _) = read(V02.as_bytes());
    let own = "iban:DE89370400440532013000";
    assert_eq!(
        row(&out, 0),
        [
            "COBADEFFXXX",
            own,
            "REF1",
            "completed",
            "payment",
            "BOOK",
            "PMNT/RCDT/ESCT",
            "2024-11-02",
            "1730505600",
            "EUR",
            "1250",
            "",
            "",
            "iban:GB82WEST12345698765432",
            own,
            "Zoé",
            "",
            "",
            "12 mois",
        ]
    );
    let back = row(&out, 1);
    assert_eq!(back[2..5], ["REF2", "completed", "refund"]);
    assert_eq!(back[10], "-1250");
    assert_eq!(back[13..17], [own, "iban:GB82WEST12345698765432", "", "Zoé"]);
    let (a, b) = (row(&out, 2), row(&out, 3));
    assert_eq!(
        (a[2].as_str(), a[3].as_str(), a[10].as_str()),
        ("S-2024-11#3/1", "pending", "-1000")
    );
    assert_eq!((b[2].as_str(), b[10].as_str(), b[14].as_str()), ("S-2024-11#3/2", "-1999", ""));
    let kinds: Vec<_> = out.problems.iter().map(|p| p.kind).collect();
    assert_eq!(kinds, [ProblemKind::Integrity, ProblemKind::Conflict]);
    assert_eq!(out.values(own, "holder"), ["Müller & Co"]);
    assert_eq!(out.values(own, "balance"), ["-1250.50 EUR"]);
    assert_eq!(out.values(own, "as_written"), ["DE89370400440532013000"]);
    let batch = &out.batches[0];
    let raw = &V02[batch.starts[0] as usize..batch.ends[0] as usize];
    assert!(raw.starts_with("<Ntry>") && raw.ends_with("</Ntry>"));
    let raw = &V02[batch.starts[3] as usize..batch.ends[3] as usize];
    assert!(raw.starts_with("<TxDtls>") && raw.ends_with("</TxDtls>") && raw.contains("19.99"));
}

#[test]
fn reads_version_08_and_accounts_without_iban() {
    let (out, _) = read(V08.as_bytes());
    assert_eq!(out.problems, []);
    let own = "account:abcdgb2l:12-345";
    let row = row(&out, 0);
    assert_eq!(row[..5], ["ABCDGB2L", own, "E2E", "completed", "payment"]);
    assert_eq!(row[7..12], ["2024-11-02T10:00:00Z", "1730541600", "GBP", "-10000", "-125"]);
    assert_eq!(row[13..18], [own, "", "", "Host Ltd", "E2E"]);
    assert_eq!(sniff(V08.as_bytes(), ""), Confidence(95));
    assert_eq!(sniff(b"<html>", ""), Confidence::NO);
}

#[test]
fn the_laws_hold_and_the_parser_is_chosen() {
    for (text, name) in [(V02, "a.xml"), (V08, "b")] {
        crate::laws::hold(&PARSER, text.as_ref());
        for seed in 0..300 {
            crate::laws::hold(&PARSER, &crate::laws::damaged(text.as_ref(), seed));
        }
        assert_eq!(crate::choose(text.as_ref(), name).map(|p| p.name), Some("camt"));
    }
}

proptest! {
    #[test]
    fn a_prefix_never_invents(cut in 0usize..4000) {
        let cut = (0..=cut.min(V02.len())).rev().find(|n| V02.is_char_boundary(*n)).unwrap_or(0);
        let all = read(V02.as_bytes()).0;
        let (out, _) = read(&V02.as_bytes()[..cut]);
        let rows = if out.tables.is_empty() { vec![] } else { out.table_rows(0) };
        prop_assert!(all.table_rows(0).starts_with(&rows));
        prop_assert!(out.facts.iter().all(|f| all.facts.contains(f)));
        prop_assert!(cut == V02.len() || cut == 0 || !out.problems.is_empty() || rows.is_empty());
    }

    #[test]
    fn mutated_bytes_never_panic(edits in proptest::collection::vec((0usize..4000, any::<u8>()), 1..20)) {
        let mut bytes = V02.as_bytes().to_vec();
        for (at, byte) in edits {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let (out, _) = read(&bytes);
        for problem in &out.problems {
            prop_assert!(problem.start <= problem.end && problem.end <= bytes.len() as u64);
        }
    }
}
