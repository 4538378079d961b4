//! The words of `vigie authorise` and `vigie capture`.

use std::net::SocketAddr;

use clap::{Args, Subcommand};

use super::CaseDir;

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:
  vigie authorise --basis 'order 2026/117' --signer 'Judge Example' --host tv.example \\
        --host '*.cdn.example:8080' --method capture-playlist --rate 30 \\
        --until \"$(date -u -d '30 days' +%FT%RZ)\"
  vigie authorise list --json

A host is a name, `*.name` (every name below it), an address or a range, with `:port`,
`:first-last` or `:*` behind it; without, ports 80 and 443. Private, loopback and other
special addresses are asked only where a range of theirs is named itself.
Methods: capture-page (the document at a URL), capture-playlist (and what it leads to),
capture-address (an address without a name, and with a control name)."
)]
pub(crate) struct Authorise {
    #[command(subcommand)]
    pub(crate) other: Option<OfAuthorisation>,
    #[command(flatten)]
    pub(crate) case: CaseDir,
    #[command(flatten)]
    pub(crate) grant: Option<Grant>,
}

#[derive(Debug, Args)]
pub(crate) struct Grant {
    /// The legal basis.
    #[arg(long)]
    pub(crate) basis: String,
    /// A host that may be asked; may be given more than once.
    #[arg(long = "host", value_name = "HOST", required = true)]
    pub(crate) hosts: Vec<String>,
    /// What may be done there; may be given more than once.
    #[arg(long = "method", value_name = "METHOD", required = true)]
    pub(crate) methods: Vec<String>,
    /// Requests a minute to one host.
    #[arg(long, value_name = "N")]
    pub(crate) rate: u32,
    /// From when on: ISO 8601, with its zone [default: now].
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// Until when.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: String,
    /// Most bytes of one capture.
    #[arg(long, value_name = "N", default_value_t = 32 << 20)]
    pub(crate) bytes: u64,
    /// Who signed it.
    #[arg(long, value_name = "WHO")]
    pub(crate) signer: String,
    /// The key of the probe that works under it [default: this home's own].
    #[arg(long, value_name = "KEY")]
    pub(crate) probe: Option<String>,
    /// One JSON document on stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OfAuthorisation {
    /// List authorisations: what they allow, whether they hold, what was done under them.
    #[command(after_help = "Examples:
  vigie authorise list
  vigie authorise list --json")]
    List {
        #[command(flatten)]
        case: CaseDir,
        /// One JSON line an authorisation.
        #[arg(long)]
        json: bool,
    },
    /// End one before its time.
    #[command(after_help = "Example:
  vigie authorise end 1 --reason 'the order was lifted'")]
    End {
        #[command(flatten)]
        case: CaseDir,
        /// The record that granted it.
        #[arg(value_name = "RECORD")]
        record: u64,
        /// Why; it is recorded in the log.
        #[arg(long, value_name = "REASON")]
        reason: String,
    },
    /// Print the key of this home's probe; it is made where there is none.
    #[command(after_help = "Example:
  vigie authorise probe      # for `vigie authorise --probe KEY` on another machine")]
    Probe,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  vigie capture --authorisation 1 https://tv.example/live.m3u8
  vigie capture --authorisation 1 --json tv.example 127.0.0.7:8080

A name is fetched at its root; an address is asked what it shows without a name, and with a
control name. What comes back is sealed as a WARC; the probe signs the record. Progress is on
stderr. Where an item is refused whole, the call ends with 3.")]
pub(crate) struct Capture {
    #[command(flatten)]
    pub(crate) case: CaseDir,
    /// The record that granted the authorisation.
    #[arg(long, value_name = "RECORD")]
    pub(crate) authorisation: u64,
    /// Who is asked for addresses [default: the first of /etc/resolv.conf].
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) resolver: Option<SocketAddr>,
    /// At most so many seconds an item, waiting for the rate included.
    #[arg(long, default_value_t = 60, value_name = "SECONDS",
          value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) time: u64,
    /// One JSON line an item.
    #[arg(long)]
    pub(crate) json: bool,
    /// URLs, names, addresses.
    #[arg(required = true, value_name = "ITEM")]
    pub(crate) items: Vec<String>,
}
