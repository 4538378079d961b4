//! The words of `vigie stamp`.

use std::path::PathBuf;

use clap::Args;

use super::CaseDir;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  vigie stamp --tsa http://tsa.example/tsr
  vigie stamp --tsa http://tsa.example/tsr --trust trust.txt --case nl-04
  vigie stamp --tsa http://tsa.example/tsr --exhibit HASH

A stamp shows that what the log holds was in it by then; it stands in the log itself, so that
what follows was not there before. It says nothing of when anything happened. Only a digest is
sent. In a trust file `time NAME CERTIFICATE` (base64 of DER) names an authority's certificate,
or one above it.")]
pub(crate) struct Stamp {
    #[command(flatten)]
    pub(crate) case: CaseDir,
    /// The time-stamping authority (RFC 3161): an http:// address. What comes back is signed.
    #[arg(long, value_name = "URL")]
    pub(crate) tsa: String,
    /// Stamp this exhibit's bytes instead of the log.
    #[arg(long, value_name = "HASH")]
    pub(crate) exhibit: Option<String>,
    /// Take only a time authority that this file names.
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    /// Certificates of the authority's chain (PEM or DER), where it does not hand them out.
    #[arg(long, value_name = "FILE")]
    pub(crate) chain: Option<PathBuf>,
    /// One JSON document on stdout.
    #[arg(long)]
    pub(crate) json: bool,
}
