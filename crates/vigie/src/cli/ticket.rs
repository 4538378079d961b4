//! The words of `vigie ticket`.

use std::path::PathBuf;

use clap::Subcommand;
use model::Reference;

use super::CaseDir;

#[derive(Debug, Subcommand)]
pub(crate) enum Ticket {
    /// Record that what the case holds led to a ticket at a clearing house.
    #[command(after_help = "Examples:
  vigie ticket add 12 --at authority.example/shield#87:HASH --exhibit HASH
  vigie ticket add 12 --at authority.example/shield#87:HASH --item tv.stream.example --named 41

REFERENCE is what `vigie shield report` printed, and the ticket's page shows. The ticket names the
case in turn where it was reported with `--case`, as `vigie log reference` prints the record.")]
    Add {
        #[command(flatten)]
        case: CaseDir,
        /// The ticket's number.
        #[arg(value_name = "TICKET")]
        ticket: u64,
        /// The record of the clearing house that took it.
        #[arg(long, value_name = "REFERENCE")]
        at: Reference,
        /// What of the ticket it led to: a name, an address, a URL.
        #[arg(long, value_name = "ITEM")]
        item: Option<String>,
        /// The exhibit that led to it.
        #[arg(long, value_name = "HASH")]
        exhibit: Option<String>,
        /// The record of this case that the ticket names.
        #[arg(long, value_name = "RECORD")]
        named: Option<u64>,
        /// What there is to say of it.
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
        /// One JSON document on stdout.
        #[arg(long)]
        json: bool,
    },
    /// List the tickets that the case led to, the newest first.
    #[command(after_help = "Examples:
  vigie ticket list
  vigie ticket list --exhibit HASH --json")]
    List {
        #[command(flatten)]
        case: CaseDir,
        /// Those that this exhibit led to alone.
        #[arg(long, value_name = "HASH")]
        exhibit: Option<String>,
        /// One JSON line a ticket.
        #[arg(long)]
        json: bool,
    },
    /// Hold each against the clearing house's log, and what it says of the case against the case's.
    #[command(after_help = "Example:
  vigie ticket check --shield shield

Where one does not hold the call ends with 1. Tickets of other clearing houses are counted.
Both logs are taken for what they say: `vigie verify` first says whether each holds.")]
    Check {
        #[command(flatten)]
        case: CaseDir,
        /// The clearing house's folder, or a copy of it.
        #[arg(long, value_name = "DIR")]
        shield: PathBuf,
        /// One JSON line a ticket.
        #[arg(long)]
        json: bool,
    },
}
