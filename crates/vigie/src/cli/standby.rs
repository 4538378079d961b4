//! The words of the clearing house's standby.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Subcommand;

use super::clearing::ShieldDir;

#[derive(Debug, Subcommand)]
pub(crate) enum Standby {
    /// Name the standby: from here on nothing is added to what is blocked before it has it too.
    #[command(after_help = "Example:
  vigie shield standby name second --secret second.secret --grounds 'one disk is none' --as vera

The file is made, readable by its owner alone: take it to the second machine, for `follow`.")]
    Name {
        /// What records call it.
        name: String,
        /// Where to write the secret by which it is known: a new file.
        #[arg(long, value_name = "FILE")]
        secret: PathBuf,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        grounds: String,
        /// Who acts: an operator's short name.
        #[arg(long = "as", value_name = "PERSON")]
        person: String,
        #[command(flatten)]
        of: ShieldDir,
    },
    /// Let the standby go: the house goes on alone.
    #[command(after_help = "Example:
  vigie shield standby dismiss --grounds 'its disk failed' --as vera")]
    Dismiss {
        /// Why.
        #[arg(long, value_name = "TEXT")]
        grounds: String,
        /// Who acts: an operator's short name.
        #[arg(long = "as", value_name = "PERSON")]
        person: String,
        #[command(flatten)]
        of: ShieldDir,
    },
    /// Be the standby: keep a copy of a clearing house's folder, each act as it is made. Until stopped.
    #[command(after_help = "Example:
  vigie shield standby follow copy --from house.example:8490 --secret second.secret \\
        --log-key 'authority.example/shield+9c1f…' --ca house-ca.pem

`vigie shield standby show` prints the key. Beyond loopback the connection is TLS.")]
    Follow {
        /// The copy's folder: empty at first.
        #[arg(value_name = "DIR")]
        dir: PathBuf,
        /// Where the house listens for its standby (`vigie serve --shield … --standby-listen`).
        #[arg(long, value_name = "HOST:PORT")]
        from: String,
        /// The file with the secret.
        #[arg(long, value_name = "FILE")]
        secret: PathBuf,
        /// The key that signs the house's log.
        #[arg(long, value_name = "KEY")]
        log_key: String,
        /// Who signs the house's certificate, in PEM; needed beyond this machine.
        #[arg(long, value_name = "FILE")]
        ca: Option<PathBuf>,
    },
    /// Make the copy the clearing house: from here on this machine writes.
    #[command(after_help = "Example:
  vigie shield standby promote copy --grounds 'the first machine burnt' --as vera

First be sure that the first machine does not write: take its network away. The authority's folder
(--home) has to be here, as `vigie backup --authority` keeps it. `vigie serve --shield copy` then
runs it; edges take its epoch and refuse the old ones.")]
    Promote {
        /// The copy's folder.
        #[arg(value_name = "DIR")]
        dir: PathBuf,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        grounds: String,
        /// Who acts: an operator's short name.
        #[arg(long = "as", value_name = "PERSON")]
        person: String,
    },
    /// Show who the standby is, whether it followed when the log was written last, and the log's key.
    #[command(after_help = "Example:
  vigie shield standby show")]
    Show {
        #[command(flatten)]
        of: ShieldDir,
        /// One JSON document on stdout.
        #[arg(long)]
        json: bool,
    },
}

/// Where the house listens for its standby, as an argument of `vigie serve`.
#[derive(Debug, clap::Args)]
pub(crate) struct ListenForStandby {
    /// Listen for the standby (docs/standby.md); beyond loopback with --tls-cert.
    #[arg(long, value_name = "ADDR", requires = "shield")]
    pub(crate) standby_listen: Option<SocketAddr>,
}
