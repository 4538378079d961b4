//! The words of `vigie witness`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::CaseDir;

#[derive(Debug, Subcommand)]
pub(crate) enum Witness {
    /// Make the key of a witness in this home, to cosign the logs of others.
    #[command(after_help = "Example:
  vigie witness init witness.police.example

The key that is printed is what others name: `vigie witness add`, or `witness KEY` in a trust
file.")]
    Init {
        /// A DNS-like name, under which it cosigns for ever.
        name: String,
    },
    /// Cosign what others' logs hand in, as long as each goes on from what was cosigned before.
    #[command(after_help = "Examples:
  vigie witness serve --logs partners.txt
  vigie witness serve --logs partners.txt --listen 0.0.0.0:8485

partners.txt has an `authority KEY` or a `log KEY` a line. The witness may listen beyond
loopback, and without TLS: who asks is known by his signature, the answer is a signature, and
nothing else is served.")]
    Serve(Serve),
    /// Ask a witness of another authority to cosign this authority's logs. Recorded in its log.
    #[command(after_help = "Example:
  vigie witness add --url http://witness.polizia.example:8485 \\
        witness.polizia.example+1f2e3d4c+BAcDGi9Z…")]
    Add {
        /// Where it is asked.
        #[arg(long, value_name = "URL")]
        url: String,
        /// Its key, as `vigie witness init` printed it there.
        key: String,
    },
    /// Ask a witness no more. Recorded in the authority's log.
    #[command(after_help = "Example:\n  vigie witness drop witness.polizia.example")]
    Drop {
        /// The witness's name.
        name: String,
    },
    /// Say how many of the named witnesses have to cosign. Recorded in the authority's log.
    #[command(after_help = "Examples:
  vigie witness require 2
  vigie witness require 0              # no policy

`vigie verify`, `vigie witness list` and the console then say how far so many have cosigned one
checkpoint. It binds the authority alone: a reader's own trust file says `quorum N` for himself.")]
    Require {
        /// How many, of those that are named.
        quorum: u64,
    },
    /// The witnesses that are asked, and what they have cosigned of a log.
    #[command(
        after_help = "Examples:\n  vigie witness list\n  vigie witness list --authority --json"
    )]
    List(WhichLog),
    /// Ask every witness to cosign now: the authority's own log, and the case's.
    #[command(after_help = "Examples:
  vigie witness ask
  vigie witness ask --authority        # the births of cases alone, before any case

Where none answers, or fewer than are required (`vigie witness require`), it ends with 3.")]
    Ask(WhichLog),
    /// Hold what every witness keeps of a log against this copy; exit 1 where they contradict.
    #[command(after_help = "Example:
  vigie witness compare --evidence split.txt; vigie log check --trust trust.txt split.txt")]
    Compare {
        #[command(flatten)]
        which: WhichLog,
        /// Write what shows the contradiction to this file, for anybody to check.
        #[arg(long, value_name = "FILE")]
        evidence: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Whose logs are cosigned: a trust file.
    #[arg(long, value_name = "FILE")]
    pub(crate) logs: PathBuf,
    /// Where to listen. Port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8485")]
    pub(crate) listen: SocketAddr,
}

#[derive(Debug, Args)]
pub(crate) struct WhichLog {
    #[command(flatten)]
    pub(crate) case: CaseDir,
    /// The authority's own log alone.
    #[arg(long)]
    pub(crate) authority: bool,
    /// One JSON line a witness and log.
    #[arg(long)]
    pub(crate) json: bool,
}
