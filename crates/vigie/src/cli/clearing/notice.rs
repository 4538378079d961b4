//! The words of `vigie shield notice`.

use clap::Subcommand;

use super::{Acting, ShieldDir};

#[derive(Debug, Subcommand)]
pub(crate) enum NoticeWords {
    /// List the letters that wait: to whom, how often they were tried, and where they stand.
    #[command(after_help = "Example:
  vigie shield notice list

What was sent is in the log: `vigie shield ticket` and the pages show it.")]
    List {
        #[command(flatten)]
        of: ShieldDir,
        /// One JSON line a letter on stdout.
        #[arg(long)]
        json: bool,
    },
    /// Say that the notice of an item went out by hand: what waits is sealed as it is, and silence
    /// counts from now.
    #[command(after_help = "Examples:
  vigie shield notice sent 12/0 --as vera
  vigie shield notice sent 12/1 --to 'Example Host, by telephone' --as vera")]
    Sent {
        /// The item.
        item: String,
        /// To whom, and how: where nobody is known who answers for it.
        #[arg(long, value_name = "TEXT")]
        to: Option<String>,
        #[command(flatten)]
        acting: Acting,
    },
    /// Say that the host of an item answered: from then on it is not silent.
    #[command(after_help = "Examples:
  vigie shield notice answered 12/1 --acts --as vera
  vigie shield notice answered 12/1 --as vera")]
    Answered {
        /// The item.
        item: String,
        /// It says that it acts by itself: the item is captured again to see.
        #[arg(long)]
        acts: bool,
        #[command(flatten)]
        acting: Acting,
    },
}
