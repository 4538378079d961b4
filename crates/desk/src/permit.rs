//! What anybody may do, in one place.
//!
//! Accounts come later: today whoever can open the case's folder for writing may do all of it, but
//! nothing that shows or hides without saying why.

use crate::capture;
use crate::custody::Act;
use crate::decide::Command;
use crate::package::{Ask, Demand};
use crate::{Error, Result};

/// Longest reason that is recorded.
pub(crate) const MAX_REASON: usize = 4000;

/// Says whether `actor` may do what the command asks.
///
/// # Errors
/// [`Error::Asked`] with what is missing.
pub(crate) fn may(actor: &str, command: &Command) -> Result<()> {
    if actor.is_empty() {
        return Err(Error::Asked("somebody must say who they are".to_owned()));
    }
    let reason = match command {
        Command::MarkPrivileged { reason, .. }
        | Command::Release { reason, .. }
        | Command::Reveal { reason, .. }
        | Command::Custody(Act::Correct { reason, .. }) => reason,
        Command::Authorise(capture::Act::End { reason, .. }) => reason,
        Command::Authorise(capture::Act::Grant(grant)) => {
            return said("legal basis", &grant.basis, MAX_BASIS);
        }
        // It shows nothing and hides nothing.
        Command::KeepStamp { .. } => return Ok(()),
        // What adds to the log and takes nothing back says itself what it is about. Who may record
        // for whom is told by the signatures: whoever holds the folder can forge none.
        Command::Custody(_) | Command::Ticket(_) => return Ok(()),
    };
    if reason.trim().is_empty() {
        return Err(Error::Asked("a reason must be given: it is recorded".to_owned()));
    }
    if reason.len() > MAX_REASON {
        return Err(Error::Asked(format!("a reason has at most {MAX_REASON} bytes")));
    }
    Ok(())
}

/// Says whether `actor` may have a package made that holds what came in under `demands`.
///
/// # Errors
/// [`Error::Asked`] with what is missing or forbidden.
pub(crate) fn may_leave(actor: &str, ask: &Ask<'_>, demands: &[Demand]) -> Result<()> {
    if actor.is_empty() {
        return Err(Error::Asked("somebody must say who they are".to_owned()));
    }
    crate::package::may_leave(ask.recipient, ask.handling, ask.restriction, demands)
}

/// Longest legal basis that is recorded.
pub(crate) const MAX_BASIS: usize = 1000;

/// Says whether `actor` may have something erased: nothing comes back, so it must be said by what
/// right, and why.
///
/// # Errors
/// [`Error::Asked`] with what is missing.
pub(crate) fn may_erase(actor: &str, basis: &str, reason: &str) -> Result<()> {
    if actor.is_empty() {
        return Err(Error::Asked("somebody must say who they are".to_owned()));
    }
    said("legal basis", basis, MAX_BASIS)?;
    said("reason", reason, MAX_REASON)
}

/// Says whether something was said that must be.
pub(crate) fn said(what: &str, text: &str, most: usize) -> Result<()> {
    if text.trim().is_empty() {
        return Err(Error::Asked(format!("a {what} must be given: it is recorded")));
    }
    if text.len() > most {
        return Err(Error::Asked(format!("a {what} has at most {most} bytes")));
    }
    Ok(())
}

/// Says whether `actor` may have the probe ask somebody outside. Whom, and for what, is said by an
/// authorisation, which each request is held against.
///
/// # Errors
/// [`Error::Asked`] with what is missing.
pub(crate) fn may_capture(actor: &str) -> Result<()> {
    if actor.is_empty() {
        return Err(Error::Asked("somebody must say who they are".to_owned()));
    }
    Ok(())
}

/// Says whether `actor` may have the case copied to a backup, or a backup tried: it is recorded, and
/// whoever can read the case's folder could copy it unrecorded.
///
/// # Errors
/// [`Error::Asked`] with what is missing.
pub(crate) fn may_back_up(actor: &str) -> Result<()> {
    if actor.is_empty() {
        return Err(Error::Asked("somebody must say who they are".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_erased_without_a_basis_a_reason_and_a_name() {
        assert!(may_erase("a", "art. 16", "request 7").is_ok());
        assert!(may_erase("", "art. 16", "request 7").is_err());
        assert!(may_erase("a", " ", "request 7").is_err());
        assert!(may_erase("a", "art. 16", "").is_err());
        assert!(may_erase("a", &"x".repeat(MAX_BASIS + 1), "request 7").is_err());
    }

    #[test]
    fn nothing_is_backed_up_without_a_name() {
        assert!(may_back_up("a").is_ok());
        assert!(may_back_up("").is_err());
    }

    #[test]
    fn nothing_is_shown_without_a_reason_and_a_name() {
        let reveal = |reason: &str| Command::Reveal {
            reason: reason.to_owned(),
            query: "all".to_owned(),
            span: None,
        };
        assert!(may("a", &reveal("because")).is_ok());
        assert!(may("a", &reveal("  ")).is_err());
        assert!(may("", &reveal("because")).is_err());
        let correct =
            |reason: &str| Command::Custody(Act::Correct { record: 3, reason: reason.to_owned() });
        assert!(may("a", &correct("mistyped")).is_ok());
        assert!(may("a", &correct("")).is_err());
        let words = Command::Custody(Act::Acknowledge { record: 3, words: String::new() });
        assert!(may("a", &words).is_ok());
        assert!(may("", &words).is_err());
        assert!(may("a", &reveal(&"x".repeat(MAX_REASON + 1))).is_err());
    }
}
