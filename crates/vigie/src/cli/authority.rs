//! The words of `vigie authority`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Authority {
    /// Name the authority, before the first real case.
    #[command(after_help = "Example:\n  vigie authority init cybercrime.police.example")]
    Init {
        /// A DNS-like name, for ever: it stands in the origin of every log.
        name: String,
    },
    /// Print the authority's public key, as a line of others' trust files. Hand it over in person.
    #[command(after_help = "Example:\n  vigie authority key > our-key.txt")]
    Key,
    /// Put the authority's key under a passphrase, change it, or take it away.
    #[command(after_help = "Examples:
  vigie authority passphrase                       # asks on the terminal
  vigie authority passphrase --new /run/secrets/vigie
  VIGIE_PASSPHRASE_FILE=/run/secrets/vigie vigie authority passphrase --remove

Whatever signs (open, stamp, custody, …) then asks for it once, on the terminal, or reads it
from the file that VIGIE_PASSPHRASE_FILE names. What only verifies never asks. docs/keys.md says
how it is kept.")]
    Passphrase(Protect),
    /// Replace the authority's key. Recorded in its log, and in each case's at its next opening.
    #[command(after_help = "Examples:
  vigie authority rotate --reason 'yearly'
  vigie authority rotate --reason 'the laptop was lost on 3 March' --json

The former key counts for what it signed before, and for nothing newer. Readers and witnesses
need the new one, which is printed: they add it below the former one. Run again after a crash it
completes what was begun. docs/keys.md says what to do where a key was stolen.")]
    Rotate(Rotate),
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// Why; it is recorded.
    #[arg(long, value_name = "REASON")]
    pub(crate) reason: Option<String>,
    /// One JSON document on stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Protect {
    /// The new passphrase is the line of this file, instead of what is typed.
    #[arg(long, value_name = "FILE", conflicts_with = "remove")]
    pub(crate) new: Option<PathBuf>,
    /// Keep the key in the clear, readable by you alone.
    #[arg(long)]
    pub(crate) remove: bool,
    /// One JSON document on stdout.
    #[arg(long)]
    pub(crate) json: bool,
}
