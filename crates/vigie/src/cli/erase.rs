//! The words of `vigie erase`.

use std::ops::Range;

use clap::Args;

use super::CaseDir;

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
#[command(after_help = "Examples:
  vigie erase --exhibit HASH --basis 'Directive 2016/680 art. 16' --reason 'request 7' --dry-run
  vigie erase --exhibit HASH --bytes 8192..8300 --basis '…' --reason 'order of 3 March, no. 12'
  vigie erase --record 41 --field source --basis '…' --reason 'name of a bystander'
  vigie erase --report

Nothing comes back. What was erased, when, by whom and by what right stays in the log
(docs/erasure.md).")]
pub(crate) struct Erase {
    #[command(flatten)]
    pub(crate) case: CaseDir,
    /// The exhibit, with what is inside it; containers that hold it go with it, their other members
    /// stay.
    #[arg(long, value_name = "HASH", group = "what")]
    pub(crate) exhibit: Option<String>,
    /// Only these bytes of it, widened to whole leaves of 4,096 bytes; may be given several times.
    #[arg(long, value_name = "A..B", requires = "exhibit", value_parser = bytes)]
    pub(crate) bytes: Vec<Range<u64>>,
    /// The record of which a text is to go.
    #[arg(long, value_name = "N", group = "what", requires = "field")]
    pub(crate) record: Option<u64>,
    /// Which of its fields.
    #[arg(long, value_name = "NAME", requires = "record")]
    pub(crate) field: Option<String>,
    /// The names of containers that this record erased, where records of what stayed hold them as their
    /// source (`--report` lists them).
    #[arg(long, value_name = "N", group = "what")]
    pub(crate) names: Option<u64>,
    /// By what right: a law, its article. Public in the log, for ever.
    #[arg(long, value_name = "TEXT", required_unless_present = "report")]
    pub(crate) basis: Option<String>,
    /// Why. Committed in the log.
    #[arg(long, value_name = "TEXT", required_unless_present = "report")]
    pub(crate) reason: Option<String>,
    /// Say what would be erased, and erase nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// List what was erased, and where copies remain.
    #[arg(long, group = "what", conflicts_with_all = ["basis", "reason", "dry_run"])]
    pub(crate) report: bool,
    /// One JSON document on stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `A..B`, the last byte not meant.
fn bytes(text: &str) -> Result<Range<u64>, String> {
    let ends = text.split_once("..").and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    match ends {
        Some((start, end)) if start < end => Ok(start..end),
        _ => {
            Err("bytes are written A..B, such as 8192..8300: B is the first that is not meant"
                .into())
        }
    }
}
