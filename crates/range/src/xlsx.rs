//! A workbook in which somebody kept payments in crypto-currency by hand.

use std::fmt::Write as _;

use model::Sha256Hex;

use crate::Error;
use crate::archive::Zip;
use crate::calendar;
use crate::checks::{self, Wallet};
use crate::out::Out;
use crate::rng::{HEX, Rng};
use crate::truth::{Paid, Truth};
use crate::world::World;

const HEADER: [&str; 7] =
    ["Date", "Transaction ID", "From", "To", "Amount", "Currency", "Description"];

const PARTS: [(&str, &str); 5] = [
    (
        "[Content_Types].xml",
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/><Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>"#,
    ),
    (
        "_rels/.rels",
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#,
    ),
    (
        "xl/workbook.xml",
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="2026" sheetId="1" r:id="rId1"/></sheets></workbook>"#,
    ),
    (
        "xl/_rels/workbook.xml.rels",
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/><Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>"#,
    ),
    (
        "xl/styles.xml",
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>"#,
    ),
];

/// Texts that cells share, by their numbers.
#[derive(Default)]
struct Shared(Vec<String>);

impl Shared {
    fn cell(&mut self, place: &str, text: &str) -> String {
        let number = self.0.iter().position(|t| t == text).unwrap_or_else(|| {
            self.0.push(text.to_owned());
            self.0.len() - 1
        });
        format!("<c r=\"{place}\" t=\"s\"><v>{number}</v></c>")
    }
}

/// Writes the workbook. Returns its name and sum.
pub(crate) fn write(
    world: &World,
    folder: &str,
    truth: &mut Truth,
    out: &mut Out<'_>,
) -> Result<(String, String), Error> {
    let mut rng = Rng::named(world.seed, "workbook");
    let own: Vec<Wallet> = world.people.iter().flat_map(|p| p.wallets.iter().cloned()).collect();
    let mut shared = Shared::default();
    let mut rows = String::from("<row r=\"1\">");
    for (i, name) in HEADER.iter().enumerate() {
        rows.push_str(&shared.cell(&format!("{}1", char::from(b'A' + i as u8)), name));
    }
    rows.push_str("</row>");
    let count = (world.plan.payments / 500).clamp(12, 400);
    for i in 0..count {
        let stranger = checks::wallet(&mut rng);
        let to = if own.is_empty() { checks::wallet(&mut rng) } else { rng.pick(&own).clone() };
        // Days since 1899-12-30, as workbooks count them.
        let day = calendar::at(2025, 6, 1) + i as i64 * 86_400 * 270 / count as i64;
        let serial = day.div_euclid(86_400) + 25_569;
        let whole = rng.range(1, 90) * 25;
        let currency = if i % 3 == 0 { "USDT" } else { "EUR" };
        let id = format!("0x{}", rng.chars(HEX, 40));
        let keys = [&stranger, &to].map(|w| format!("wallet:{}:{}", w.chain, w.address));
        truth.link("paid", &keys[0], &keys[1]);
        truth.payment(&Paid {
            processor: "unknown",
            account: "",
            txid: &id,
            time: day.div_euclid(86_400) * 86_400,
            currency,
            minor: whole * if currency == "USDT" { 1_000_000 } else { 100 },
        });
        let r = i + 2;
        let _ = write!(rows, "<row r=\"{r}\"><c r=\"A{r}\" s=\"1\"><v>{serial}</v></c>");
        for (place, text) in [("B", id.as_str()), ("C", &stranger.address), ("D", &to.address)] {
            rows.push_str(&shared.cell(&format!("{place}{r}"), text));
        }
        let _ = write!(rows, "<c r=\"E{r}\"><v>{whole}</v></c>");
        rows.push_str(&shared.cell(&format!("F{r}"), currency));
        rows.push_str(&shared.cell(&format!("G{r}"), "credits"));
        rows.push_str("</row>");
    }
    let sheet = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><dimension ref=\"A1:G{}\"/><sheetData>{rows}</sheetData></worksheet>",
        count + 1
    );
    let mut strings = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><sst xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" uniqueCount=\"{}\">",
        shared.0.len()
    );
    for text in &shared.0 {
        let _ = write!(strings, "<si><t>{text}</t></si>");
    }
    strings.push_str("</sst>");
    let mut zip = Zip::new(Vec::new());
    let own_parts =
        [("xl/sharedStrings.xml", strings.as_str()), ("xl/worksheets/sheet1.xml", &sheet)];
    for (name, text) in PARTS.into_iter().chain(own_parts) {
        zip.member(name, |member| member.write_all(text.as_bytes())).map_err(Error::from_io)?;
    }
    let bytes = zip.finish().map_err(Error::from_io)?;
    let name = "crypto-2026.xlsx".to_owned();
    out.write(&format!("{folder}/{name}"), &bytes)?;
    Ok((name, Sha256Hex::of(&bytes).to_string()))
}
