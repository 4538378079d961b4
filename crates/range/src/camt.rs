//! Bank statements in camt.053.

use std::fmt::Write as _;

use crate::Error;
use crate::accounts::Bank;
use crate::calendar;
use crate::checks;
use crate::out::Out;
use crate::rng::{DIGITS, Rng};
use crate::truth::{Paid, Truth};
use crate::words;
use crate::world::World;

const DAY: i64 = 86_400;

fn money(minor: i64) -> String {
    format!("{}.{:02}", minor.abs() / 100, minor.abs() % 100)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Entry `i` of `n` of an account.
fn entry(world: &World, bank: &Bank, truth: &mut Truth, i: u64, n: u64, text: &mut String) {
    let mut rng = Rng::named(world.seed, "bank").item(bank.number << 32 | i);
    let span = 540;
    let day = bank.until - (span - (i * span as u64 / n) as i64) * DAY;
    let dice = rng.below(1000);
    let incoming = dice < 620;
    let fee = dice >= 950;
    let pending = (930..950).contains(&dice);
    let minor = match dice {
        _ if fee => -(rng.range(100, 2500)),
        _ if incoming => rng.range(5_000, 900_000),
        _ => -rng.range(10_000, 1_500_000),
    };
    let reference = format!("PRX{}{:08}", rng.chars(DIGITS, 6), i);
    // The other side: another of the network's accounts, a customer, or a shop without a number.
    let banks = &world.accounts.banks;
    let other = match rng.below(10) {
        0..=2 if banks.len() > 1 => {
            let other =
                &banks[(bank.number as usize + 1 + rng.index(banks.len() - 1)) % banks.len()];
            Some((other.holder.clone(), Some(other.iban.clone())))
        }
        3..=8 => {
            let country = *rng.pick(&["IT", "FR", "DE", "ES", "NL", "RO"]);
            let iban = checks::iban(&mut rng, country);
            Some((format!("{} {}", rng.pick(words::FIRST), rng.pick(words::LAST)), Some(iban)))
        }
        _ => Some(("Card payment".to_owned(), None)),
    };
    let other = if fee { None } else { other };
    let own = bank.key();
    let other_key = other.as_ref().and_then(|(_, iban)| iban.as_ref()).map(|i| format!("iban:{i}"));
    if let Some(other) = &other_key {
        truth.entity(other);
    }
    if !pending {
        truth.payment(&Paid {
            processor: &bank.bic,
            account: &own,
            txid: &reference,
            time: day,
            currency: bank.currency,
            minor,
        });
        if let Some(other) = &other_key {
            let (from, to) = if minor < 0 { (&own, other) } else { (other, &own) };
            truth.link("paid", from, to);
        }
    }
    let mark = if minor < 0 { "DBIT" } else { "CRDT" };
    let state = if pending { "PDNG" } else { "BOOK" };
    let date = calendar::date(day);
    let _ = write!(
        text,
        "      <Ntry>\n        <Amt Ccy=\"{}\">{}</Amt>\n        <CdtDbtInd>{mark}</CdtDbtInd>\n        <Sts>{state}</Sts>\n        <BookgDt><Dt>{date}</Dt></BookgDt>\n        <ValDt><Dt>{date}</Dt></ValDt>\n        <AcctSvcrRef>{reference}</AcctSvcrRef>\n        <BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>{}</Cd><SubFmlyCd>{}</SubFmlyCd></Fmly></Domn></BkTxCd>\n",
        bank.currency,
        money(minor),
        if minor < 0 { "ICDT" } else { "RCDT" },
        if fee { "CHRG" } else { "ESCT" },
    );
    if let Some((name, iban)) = &other {
        let (role, account) = if minor < 0 { ("Cdtr", "CdtrAcct") } else { ("Dbtr", "DbtrAcct") };
        let number = iban.as_ref().map_or(String::new(), |iban| {
            format!("<{account}><Id><IBAN>{iban}</IBAN></Id></{account}>")
        });
        let note =
            ["Abonnement", "Consulting & hosting", "Facture", "Servizio", "Miete"][rng.index(5)];
        let _ = write!(
            text,
            "        <NtryDtls><TxDtls>\n          <Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>\n          <RltdPties><{role}><Nm>{}</Nm></{role}>{number}</RltdPties>\n          <RmtInf><Ustrd>{}</Ustrd></RmtInf>\n        </TxDtls></NtryDtls>\n",
            escape(name),
            escape(note),
        );
    }
    text.push_str("      </Ntry>\n");
}

fn statement(
    world: &World,
    bank: &Bank,
    number: u32,
    (from, n): (u64, u64),
    truth: &mut Truth,
) -> String {
    truth.entity(&bank.key());
    let made = calendar::iso(bank.until);
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.02\">\n  <BkToCstmrStmt>\n    <GrpHdr><MsgId>PRX-{}-{number}</MsgId><CreDtTm>{made}</CreDtTm></GrpHdr>\n    <Stmt>\n      <Id>{}-{number}</Id>\n      <CreDtTm>{made}</CreDtTm>\n      <Acct><Id><IBAN>{}</IBAN></Id><Ccy>{}</Ccy><Ownr><Nm>{}</Nm></Ownr><Svcr><FinInstnId><BIC>{}</BIC></FinInstnId></Svcr></Acct>\n      <Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy=\"{}\">48210.55</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{}</Dt></Dt></Bal>\n",
        bank.number,
        bank.number,
        bank.iban,
        bank.currency,
        escape(&bank.holder),
        bank.bic,
        bank.currency,
        calendar::date(bank.until),
    );
    for i in from..n {
        entry(world, bank, truth, i, n, &mut text);
    }
    text.push_str("    </Stmt>\n  </BkToCstmrStmt>\n</Document>\n");
    text
}

/// Writes all statements; of the first account two that overlap.
pub(crate) fn write(
    world: &World,
    folder: &str,
    truth: &mut Truth,
    out: &mut Out<'_>,
) -> Result<Vec<(String, String)>, Error> {
    let mut sums = Vec::new();
    let n = (world.plan.payments * 15 / 100 / world.plan.banks.max(1)).max(8);
    for bank in &world.accounts.banks {
        let mut put = |name: String, text: &str| {
            sums.push((name.clone(), model::Sha256Hex::of(text.as_bytes()).to_string()));
            out.write(&format!("{folder}/{name}"), text.as_bytes())
        };
        let text = statement(world, bank, 1, (0, n), truth);
        put(format!("camt053-{:02}.xml", bank.number + 1), &text)?;
        if bank.number == 0 {
            let text = statement(world, bank, 2, (n * 2 / 3, n), truth);
            put(format!("camt053-{:02}-spring.xml", bank.number + 1), &text)?;
        }
    }
    Ok(sums)
}
