//! The words of `vigie edge`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Edge {
    /// Keep what a resolver or router on this machine blocks, and open it in time, until
    /// interrupted.
    #[command(after_help = "Example:
  vigie edge keep --config /etc/vigie/keep.toml

It is told what to block at a socket (docs/edge.md), and serves that as response policy zones to
the resolver beside it; where its settings say so it holds addresses in the firewall of this
machine, or has routers told of them by BIRD (docs/edge-addresses.md). Each value ends by its own
deadline, and all when the feed is silent, with nobody's help. It begins empty, and an orderly end
opens everything.")]
    Keep(EdgeConfig),
    /// Follow the feed of a clearing house, verify it, and tell keep what is in force, until
    /// interrupted.
    #[command(after_help = "Examples:
  vigie edge follow --config /etc/vigie/follow.toml
  vigie edge follow --config /etc/vigie/follow.toml --status --json

It takes nothing that the keys in its settings did not sign, and nothing older than what it took
before. Where one mirror fails, or hands on what is not the feed, the next is asked; what stands
stays until its clocks end it. With --status it says how the follow that runs stands (and ends
with 3 where none does).")]
    Follow {
        /// The settings of follow: TOML, as docs/edge/follow.toml.example shows.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Say how the one that runs stands.
        #[arg(long)]
        status: bool,
        /// With --status: one JSON line.
        #[arg(long, requires = "status")]
        json: bool,
    },
    /// Bring a stop file, or the word that ends it, to the follow of this machine: by hand, when the
    /// clearing house cannot be reached.
    #[command(after_help = "Example:
  vigie edge stop --config /etc/vigie/follow.toml --file stop-1

It is obeyed for its signature, whoever brings it, and until the clearing house signs a later
word: over restarts, and past its own end. Where no follow runs keep is emptied at once, and
follow obeys as soon as it begins. `vigie shield stop-file` makes such files.")]
    Stop {
        /// The settings of follow.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// The stop file.
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
        /// One JSON line.
        #[arg(long)]
        json: bool,
    },
    /// Print, in the clearing house, the keys that an ISP's follow trusts.
    #[command(after_help = "Example:
  vigie edge trust > trust.toml

The lines go into follow's settings. Hand them over by a way on which nobody can change them: who
has other keys follows another feed.")]
    Trust,
    /// How it stands with the keep that runs: what is out, what is held, when all would be opened,
    /// what is wrong with whoever blocks for it.
    #[command(after_help = "Example:
  vigie edge status --config /etc/vigie/keep.toml --json

Ask as the user as whom keep runs: it hears no other.")]
    Status {
        #[command(flatten)]
        config: EdgeConfig,
        /// One JSON line.
        #[arg(long)]
        json: bool,
    },
    /// Let in what was held since too much came within a minute.
    #[command(after_help = "Example:
  vigie edge release --config /etc/vigie/keep.toml

Look first at why so many came. What is held expires in its time, too.")]
    Release(EdgeConfig),
    /// Open everything now. What the feed sends from then on is blocked again.
    #[command(after_help = "Example:
  vigie edge clear --config /etc/vigie/keep.toml

For good, end keep: `systemctl stop vigie-keep`.")]
    Clear(EdgeConfig),
}

#[derive(Debug, Args)]
pub(crate) struct EdgeConfig {
    /// The settings of keep: TOML, as docs/edge/keep.toml.example shows.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
}
