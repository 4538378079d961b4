//! A match night of the practice range, alive: network namespaces in which names, sites and ISPs with real resolvers
//! answer, and from which one asks as a subscriber would.
//!
//! [`Live::begin`] makes it, [`Live::serve`] runs it until it is told to end, and dropping it ends everything that
//! runs in its namespaces and removes them. What a killed range leaves is cleared by the next one to begin, where a
//! lock proves that nobody has it any more ([`claim`]). No namespace has a way out: nothing leaves this machine, and
//! the machine's own network is not touched. Linux, as root, with `ip`, `unbound` and `named`.

pub mod claim;
mod isp;
mod lay;
mod live;
mod names;
mod show;
mod tool;
mod web;

use std::path::PathBuf;

pub use live::{Live, Options};

/// Why there is no practice range.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not run as root.
    #[error(
        "the practice range makes network namespaces, which takes root: run the same with sudo"
    )]
    NotRoot,
    /// A program that it needs is not installed.
    #[error("{program} is not installed; on Debian: apt-get install {package}")]
    Missing {
        /// The program.
        program: &'static str,
        /// Who has it.
        package: &'static str,
    },
    /// A program did not do what it was to.
    #[error("{program} failed: {said}")]
    Program {
        /// How it was called.
        program: String,
        /// What it said.
        said: String,
    },
    /// A program took too long.
    #[error("{program} did not end within {seconds} s")]
    Slow {
        /// How it was called.
        program: String,
        /// The bound.
        seconds: u64,
    },
    /// A resolver that does not answer.
    #[error("{resolver} of {isp} does not answer; the last it said: {said}")]
    Silent {
        /// Which.
        resolver: &'static str,
        /// Whose.
        isp: String,
        /// The end of what it said.
        said: String,
    },
    /// The folder is another range's, which runs, or holds something else.
    #[error("{0} {1}: name another folder with --out")]
    Folder(PathBuf, &'static str),
    /// No such range runs, or more than one does.
    #[error("{0}")]
    Which(String),
    /// Ended while it began.
    #[error("ended before it ran")]
    Ended,
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] ledger::Error),
    /// A certificate.
    #[error("a certificate could not be made")]
    Certificate(#[from] rcgen::Error),
    /// A socket in a namespace.
    #[error("{what}: {source}")]
    Socket {
        /// What was to be done.
        what: String,
        /// Why not.
        source: std::io::Error,
    },
}

impl Error {
    fn socket(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Socket { what: what.into(), source }
    }

    /// What is there, but is not what it should be, and what could not be asked for.
    pub fn is_misuse(&self) -> bool {
        matches!(self, Self::Folder(..) | Self::Which(_))
    }
}
