//! The one place where an error becomes what a user reads: what happened, where, what to do next.

use std::fmt;
use std::process::ExitCode;

use desk::shell::here;

/// Why a command ends other than well.
#[derive(Debug)]
pub(crate) enum Told {
    /// A check found something; it has been printed.
    Finding,
    /// The call's words are off.
    Misuse(String),
    /// The work could not be done.
    Failure {
        /// What happened, and where.
        what: String,
        /// What to do next.
        next: Option<String>,
    },
    /// The reader of our output went away (a closed pipe): no error.
    Hangup,
}

impl Told {
    /// Says it on stderr and gives the exit code.
    #[allow(clippy::print_stderr)]
    pub(crate) fn tell(self) -> ExitCode {
        match self {
            Self::Hangup => ExitCode::SUCCESS,
            Self::Finding => ExitCode::from(1),
            Self::Misuse(what) => {
                eprintln!("vigie: {}", here(&what));
                ExitCode::from(2)
            }
            Self::Failure { what, next } => {
                eprintln!("vigie: {}", here(&what));
                if let Some(next) = next {
                    eprintln!("       {}", here(&next));
                }
                ExitCode::from(3)
            }
        }
    }

    /// A failure with its chain of sources.
    pub(crate) fn failure(error: &(dyn std::error::Error + 'static), next: Option<&str>) -> Self {
        // A full disk is no fault of what was being written: it is said first, with its own remedy.
        if next.is_none()
            && let Some(what) = desk::full_disk(error)
        {
            return Self::Failure { what, next: None };
        }
        let mut what = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            let text = error.to_string();
            if !what.contains(&text) {
                what.push_str(": ");
                what.push_str(&text);
            }
            source = error.source();
        }
        Self::Failure { what, next: next.map(str::to_owned) }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finding => f.write_str("a check found something"),
            Self::Misuse(what) | Self::Failure { what, .. } => f.write_str(what),
            Self::Hangup => f.write_str("the reader went away"),
        }
    }
}

impl From<std::io::Error> for Told {
    fn from(error: std::io::Error) -> Self {
        // Writers of formats wrap what the writer below them said.
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(error) = cause {
            let io = error.downcast_ref::<std::io::Error>();
            if io.is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe) {
                return Self::Hangup;
            }
            cause = error.source();
        }
        Self::failure(&error, None)
    }
}
