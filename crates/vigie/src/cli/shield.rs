//! The words of `vigie shield`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Shield {
    /// Ask of names and addresses whether a block would harm others, and why.
    Check(Check),
    /// What the check knows: each set with its class, source and date.
    #[command(after_help = "Examples:
  vigie shield sets
  vigie shield sets --json | jq -r 'select(.stale).name'")]
    Sets {
        /// One JSON line a set on stdout.
        #[arg(long)]
        json: bool,
    },
    /// Take a file of names, addresses or networks among the authority's own sets.
    Add(Add),
    /// Take one of the authority's own sets away.
    #[command(after_help = "Example:
  vigie shield remove clinics")]
    Remove {
        /// The set's name.
        #[arg(value_name = "NAME")]
        name: String,
    },
    #[command(flatten)]
    Clearing(Box<super::clearing::Clearing>),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  vigie shield check drive.usercontent.google.com 188.114.97.7
  vigie shield check --lang fr https://stream.example/live.m3u8
  vigie shield check --json - < items.txt | jq -r 'select(.verdict != \"allow\").item'

An item is an exact name, an address, an address with its port, or a URL, of which the name
alone counts. Exit code 1: an item is not to be blocked on one person's word.
Nothing is asked of the network, and no server is needed.")]
pub(crate) struct Check {
    /// Items; `-` reads them from stdin, one a line.
    #[arg(required = true, value_name = "ITEM")]
    pub(crate) items: Vec<String>,
    /// One JSON line an item on stdout.
    #[arg(long)]
    pub(crate) json: bool,
    /// The language of the reasons: en, fr or it.
    #[arg(long, value_name = "LANG", default_value = "en")]
    pub(crate) lang: String,
    /// On the practice range: names under .example and .test stand for the internet's.
    #[arg(long)]
    pub(crate) practice: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  vigie shield add clinics.txt --class health --source 'the ministry' --date 2026-09-01
  vigie shield add pages.txt --class blockers --source 'our ISPs' --date 2026-11-02
  vigie shield add sources_data.json --source projectdiscovery/cdncheck --date 2026-11-01

A file holds a name, an address, a network or an AS number a line, `#` before a comment; or it
is a list of MISP's, cdncheck's ranges, or a set that Vigie wrote. docs/shield.md lists the
classes.")]
pub(crate) struct Add {
    /// The file.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// What its members are: health, emergency, bank, popular, exception, …
    #[arg(long, value_name = "CLASS")]
    pub(crate) class: Option<String>,
    /// Where it comes from: a reason that rests on it names this.
    #[arg(long, value_name = "SOURCE")]
    pub(crate) source: Option<String>,
    /// Of when it is.
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Option<String>,
    /// The set's name [default: the file's].
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// How far its names reach: exact, subtree or registrable [default: subtree for exceptions,
    /// else registrable].
    #[arg(long = "match", value_name = "HOW")]
    pub(crate) matches: Option<String>,
    /// One JSON line a set on stdout.
    #[arg(long)]
    pub(crate) json: bool,
}
