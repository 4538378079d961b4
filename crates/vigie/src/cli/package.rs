//! The words of packages.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use desk::package::Handling;

use super::CaseDir;

#[derive(Debug, Subcommand)]
pub(crate) enum Package {
    /// Make a package: exhibits and records, whole or in part, with the proof of each.
    Make(Make),
    /// Check a package: its zip file, or the folder it was unpacked to.
    #[command(after_help = "Examples:
  vigie package verify package.zip
  vigie package verify --trust trust.txt package.zip

Without --trust the answer is at best: consistent, signer not confirmed. The keys in a package
show that it fits itself; whose they are only your own file says (docs/witnesses.md).")]
    Verify {
        /// Whose signatures count: keys that you got from elsewhere.
        #[arg(long, value_name = "FILE")]
        trust: Option<PathBuf>,
        /// One JSON document on stdout.
        #[arg(long)]
        json: bool,
        /// The package.
        #[arg(value_name = "PACKAGE")]
        package: PathBuf,
    },
    /// Take another case's package in, with its provenance and its proofs.
    #[command(after_help = "Example:
  vigie package import --trust trust.txt --case fr-04 package.zip

It becomes an exhibit, whole; what is in it is read as its members. Its handling code is theirs.")]
    Import {
        #[command(flatten)]
        case: CaseDir,
        /// Whose signatures count: keys that you got from elsewhere.
        #[arg(long, value_name = "FILE")]
        trust: Option<PathBuf>,
        /// One JSON document on stdout.
        #[arg(long)]
        json: bool,
        /// The package's zip file.
        #[arg(value_name = "PACKAGE")]
        package: PathBuf,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  vigie package make --for 'Court of Example' --handling H1 --out court.zip
  vigie package make --for lab.example --handling H0 --select exhibit:HASH --out lab.zip
  vigie package make --for 'Defence' --handling H0 --redact actor --redact exhibit:HASH:0-4096 \\
        --out defence.zip

Select: all (as without any), exhibit:HASH, exhibit:HASH:FROM-TO, record:N, record:N-M. Redact:
FIELD, KIND.FIELD, record:N.FIELD, exhibit:HASH, exhibit:HASH:FROM-TO. Bytes are shown and
redacted in whole leaves of 4,096; what was widened is said. Privileged exhibits never leave
(docs/packages.md).")]
pub(crate) struct Make {
    #[command(flatten)]
    pub(crate) case: CaseDir,
    /// Whom it is for.
    #[arg(long = "for", value_name = "PARTY")]
    pub(crate) recipient: String,
    /// Europol's handling code: H0, H1 (no judicial proceedings), H2 (not to be passed on), H3.
    #[arg(long, value_name = "CODE")]
    pub(crate) handling: Handling,
    /// What restricts its use, in words: wanted for H3.
    #[arg(long, value_name = "TEXT")]
    pub(crate) restriction: Option<String>,
    /// What goes in. May be given more than once.
    #[arg(long, value_name = "WHAT")]
    pub(crate) select: Vec<String>,
    /// What stays hidden. May be given more than once.
    #[arg(long, value_name = "WHAT")]
    pub(crate) redact: Vec<String>,
    /// Encrypt it to this age recipient. May be given more than once.
    #[arg(long, value_name = "AGE1…")]
    pub(crate) encrypt_to: Vec<String>,
    /// The language of its page: en, fr or it.
    #[arg(long, value_name = "LANG", default_value = "en")]
    pub(crate) lang: String,
    /// A new file.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// One JSON document on stdout.
    #[arg(long)]
    pub(crate) json: bool,
}
