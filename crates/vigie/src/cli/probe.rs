//! The words of `vigie probe`.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Probe {
    /// Ask a resolver for what the clearing house wants measured, until interrupted.
    #[command(after_help = "Example:
  vigie probe run --config /etc/vigie/probe.toml

It asks, from within an ISP's network, the resolver that the ISP gives its subscribers, by UDP
and TCP, for names that the clearing house chose, and for nothing else; what the resolver said
goes to the clearing house. It looks at nobody's traffic and writes nothing to disk
(docs/measurement.md).")]
    Run {
        /// The settings: TOML, as docs/measurement.md shows.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
}
