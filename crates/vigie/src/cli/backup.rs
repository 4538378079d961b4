//! The words of `vigie backup` and `vigie restore`.

use std::path::PathBuf;

use clap::Args;

use super::CaseDir;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  vigie backup --to /mnt/second/case
  vigie backup --case nl-04 --to s3://backups/nl-04
  vigie backup --to /mnt/second/case --check      # read everything there again
  vigie backup --authority --to /mnt/third/home   # the authority's own log, and its key if sealed

What was erased from the case is erased there as well. Views are not copied, nor is any key in
the clear (docs/backup.md). Credentials of S3 come from AWS_ACCESS_KEY_ID and the like.")]
pub(crate) struct Backup {
    #[command(flatten)]
    pub(crate) case: CaseDir,
    /// A folder on another disk, or s3://BUCKET/PREFIX: of this case alone.
    #[arg(long, value_name = "PLACE")]
    pub(crate) to: String,
    /// The authority's own folder, not a case: its log, and its key where that has a passphrase.
    #[arg(long)]
    pub(crate) authority: bool,
    /// Read and hash everything in the backup again; what is damaged is put right.
    #[arg(long)]
    pub(crate) check: bool,
    /// One JSON document on stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  vigie restore --from /mnt/second/case --case case-again
  vigie restore --from s3://backups/nl-04 --case nl-04 --replace
  vigie restore --from /mnt/second/case --case case-again --accept-damaged
  vigie restore --authority --from /mnt/third/home --case nl-04
  vigie restore --drill                   # the last backup, on trial: proven, then removed

The copy is proven beside the case before it has the case's name; what stood there is kept.
One that does not hold stays beside it, for reading.")]
pub(crate) struct Restore {
    #[command(flatten)]
    pub(crate) case: CaseDir,
    /// The backup: a folder, or s3://BUCKET/PREFIX [with --drill: where the last backup was made].
    #[arg(long, value_name = "PLACE", required_unless_present = "drill")]
    pub(crate) from: Option<String>,
    /// The authority's own folder, not a case; a case that is there is held against it.
    #[arg(long, conflicts_with_all = ["drill", "accept_damaged"])]
    pub(crate) authority: bool,
    /// Put it in the place of the case that stands there, which is kept under another name.
    #[arg(long, conflicts_with = "drill")]
    pub(crate) replace: bool,
    /// Where exhibits are damaged in it: restore what holds, and name what does not.
    #[arg(long, conflicts_with = "drill")]
    pub(crate) accept_damaged: bool,
    /// On trial: restore it beside the case, prove it, hold it against the case, remove it, record it.
    #[arg(long)]
    pub(crate) drill: bool,
    /// Whose keys and time authorities you trust.
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    /// One JSON document on stdout.
    #[arg(long)]
    pub(crate) json: bool,
}
