//! The words of `vigie shield stop-file`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Acting;

#[derive(Debug, Subcommand)]
pub(crate) enum StopFiles {
    /// Sign a stop: it can be brought out beside any mirror's manifest, or by an ISP's hand.
    #[command(after_help = "Examples:
  vigie shield stop-file make --out stop-1 --grounds 'the desk cannot be reached' --as vera
  vigie shield stop-file make --out halt-1 --releases --grounds 'no more tonight' --as vera

Make two, and keep them at two places, where nobody else can take them: whoever has one can
bring it out. A resumption voids all that were made before it (docs/feed.md).")]
    Make {
        #[command(flatten)]
        signing: Signing,
        /// What is in force stays, and nothing more is added.
        #[arg(long)]
        releases: bool,
        /// Until when it may be brought out [default: in 90 days].
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
    },
    /// Sign the word that ends a stop, and voids every one made before it.
    #[command(after_help = "Example:
  vigie shield stop-file resume --out resume-1 --second ray --grounds mended --as vera")]
    Resume {
        #[command(flatten)]
        signing: Signing,
        /// The second person, of another organisation, who may resume too.
        #[arg(long, value_name = "PERSON")]
        second: String,
    },
}

/// What is signed, and by whom.
#[derive(Debug, Args)]
pub(crate) struct Signing {
    /// The file that is made. It must not be there.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Whom it is for: everybody, or the view of one ISP.
    #[arg(long, value_name = "VIEW", default_value = "all")]
    pub(crate) view: String,
    /// Why, in one line of at most 1,000 bytes.
    #[arg(long, value_name = "TEXT")]
    pub(crate) grounds: String,
    #[command(flatten)]
    pub(crate) acting: Acting,
}
