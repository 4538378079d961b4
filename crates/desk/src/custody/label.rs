//! Labels for items: what a scanner reads leads back to the log.

use std::fmt::Write as _;

use ledger::Checkpoint;
use model::Sha256Hex;
use qrcode::{Color, EcLevel, QrCode};

use crate::read::Snapshot;
use crate::{Error, Result};

/// What a label says. It names no person: labels are seen by many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The item.
    pub item: String,
    /// The seal on it.
    pub seal: Option<String>,
    /// The origin of the case's log.
    pub case: String,
    /// The last record of its chain.
    pub record: u64,
    /// That record's leaf hash.
    pub hash: Sha256Hex,
    /// The published checkpoint that holds the record: its size, and its root in hexadecimal.
    pub checkpoint: (u64, String),
}

impl Snapshot {
    /// The label of an item as it stands now.
    ///
    /// # Errors
    /// No such item; nothing published yet.
    pub fn label(&self, item: &str) -> Result<Label> {
        let missing = || Error::NotFound { what: format!("the item {item:?}") };
        let custody = self.custody()?;
        let held = custody.held(item).ok_or_else(missing)?;
        let step = held.chain.steps.last().ok_or_else(missing)?;
        let hash = match custody.book.hand_over(step.record) {
            Some(hand_over) => Some(hand_over.taken.hash),
            None => held.item.map(|item| item.taken.hash),
        };
        let records = vault::Records::open(self.dir())?;
        let checkpoint = records
            .log()
            .checkpoint()
            .and_then(|note| Checkpoint::parse_unverified(note).ok())
            .filter(|checkpoint| checkpoint.size > step.record)
            .ok_or_else(|| Error::Asked("the record is not published yet: ask again".to_owned()))?;
        Ok(Label {
            item: item.to_owned(),
            seal: step.seal_after.clone(),
            case: custody.origin.clone(),
            record: step.record,
            hash: hash.ok_or_else(missing)?,
            checkpoint: (checkpoint.size, model::id::hex(&checkpoint.root)),
        })
    }
}

impl Label {
    /// The label as text: what its code holds too.
    pub fn text(&self) -> String {
        let mut out = format!("vigie item v1\ncase {}\nitem {}\n", self.case, self.item);
        if let Some(seal) = &self.seal {
            let _ = writeln!(out, "seal {seal}");
        }
        let (size, root) = &self.checkpoint;
        let _ =
            write!(out, "record {}\nhash {}\ncheckpoint {size} {root}\n", self.record, self.hash);
        out
    }
}

/// A text as a QR code: an SVG picture in the colour of the text around it, with its quiet zone.
///
/// # Errors
/// A text too long for one.
pub fn qr(text: &str) -> Result<String> {
    const QUIET: usize = 4;
    let code = QrCode::with_error_correction_level(text, EcLevel::M)
        .map_err(|_| Error::Bound("the text is too long for a QR code".to_owned()))?;
    let (width, colors) = (code.width(), code.to_colors());
    let mut path = String::new();
    for (y, row) in colors.chunks(width).enumerate() {
        let mut x = 0;
        while x < width {
            let run = row[x..].iter().take_while(|color| **color == Color::Dark).count();
            if run > 0 {
                let _ = write!(path, "M{} {}h{run}v1h-{run}z", x + QUIET, y + QUIET);
            }
            x += run + 1;
        }
    }
    let side = width + 2 * QUIET;
    // White below black whatever the page's colours are: scanners want it so.
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"qr\" viewBox=\"0 0 {side} {side}\" \
         role=\"img\" aria-label=\"QR\" shape-rendering=\"crispEdges\"><rect width=\"{side}\" \
         height=\"{side}\" fill=\"#fff\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
    ))
}

/// A sheet of labels as one HTML file that needs nothing else, to be printed.
///
/// # Errors
/// A label too long for a QR code.
pub fn sheet(labels: &[Label]) -> Result<String> {
    let mut out =
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Labels</title>\
        <style>body{font:9pt sans-serif;margin:8mm;color:#000;background:#fff}\
        .label{display:flex;gap:4mm;border:.3mm solid #000;padding:3mm;margin:0 0 4mm;width:120mm;\
        break-inside:avoid}.qr{width:38mm;height:38mm;flex:none}h1{font-size:14pt;margin:0 0 1mm}\
        p{margin:0 0 1mm}.mono{font:7pt monospace;overflow-wrap:anywhere}</style></head><body>\n"
            .to_owned();
    for label in labels {
        let (size, root) = &label.checkpoint;
        let seal = label.seal.as_ref().map(|seal| format!("<p>Seal {}</p>", escape(seal)));
        let _ = writeln!(
            out,
            "<div class=\"label\">{}<div><h1>{}</h1>{}<p class=\"mono\">{}</p>\
             <p>Record {}</p><p class=\"mono\">{}</p><p>Checkpoint {size}</p>\
             <p class=\"mono\">{root}</p></div></div>",
            qr(&label.text())?,
            escape(&label.item),
            seal.unwrap_or_default(),
            escape(&label.case),
            label.record,
            label.hash,
        );
    }
    Ok(out + "</body></html>\n")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
