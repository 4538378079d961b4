//! `vigie export`.

use std::io::{BufWriter, Write};

use desk::export::{Format, export};
use desk::read::Reader;

use super::told;
use crate::cli::{Export, ExportFormat};
use crate::error::Told;

/// Runs the command.
pub(crate) fn run(args: &Export) -> Result<(), Told> {
    let snapshot =
        Reader::open(&args.case.case).and_then(|r| r.snapshot()).map_err(told(&args.case.case))?;
    let format = match args.format {
        ExportFormat::Csv => Format::Csv,
        ExportFormat::Jsonl => Format::JsonLines,
        ExportFormat::Ftm => Format::FollowTheMoney,
        ExportFormat::Graphml => Format::GraphMl,
    };
    match &args.output {
        Some(path) => desk::export::to_file(&snapshot, format, path).map_err(told(&args.case.case)),
        None => {
            let mut out = BufWriter::new(std::io::stdout().lock());
            export(&snapshot, format, &mut out).map_err(told(&args.case.case))?;
            Ok(out.flush()?)
        }
    }
}
