//! Bounds on what comes out of a container.

use std::io::{self, ErrorKind, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use model::ProblemKind;

/// What stops bombs. All count the members of one file of the material and of those nested in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Containers in containers.
    pub depth: u32,
    /// Members in all.
    pub members: u64,
    /// Bytes in all.
    pub total: u64,
    /// Bytes of one member.
    pub member: u64,
    /// Bytes out for each byte of the file in, beyond `ratio_from` bytes out.
    pub ratio: u64,
    /// Below this many bytes out no ratio is too great.
    pub ratio_from: u64,
}

impl Default for Bounds {
    /// Dumps of panels reach 30 to 1; what exceeds 300 to 1 beyond a gibibyte is no dump.
    fn default() -> Self {
        Self {
            depth: 8,
            members: 1_000_000,
            total: 4 << 40,
            member: 1 << 40,
            ratio: 300,
            ratio_from: 1 << 30,
        }
    }
}

/// What is left of the bounds for one file of the material.
#[derive(Debug, Clone)]
pub struct Budget {
    pub(super) bounds: Bounds,
    input: u64,
    members: u64,
    bytes: u64,
    spent: bool,
}

impl Budget {
    /// For a file of `size` bytes.
    pub fn new(bounds: Bounds, size: u64) -> Self {
        Self { bounds, input: size.max(1), members: 0, bytes: 0, spent: false }
    }

    pub(super) fn member(&mut self) -> Result<(), String> {
        if self.spent || self.members >= self.bounds.members {
            self.spent = true;
            return Err(format!(
                "more than {} members: the rest is not opened",
                self.bounds.members
            ));
        }
        self.members += 1;
        Ok(())
    }

    /// How large the next member may be.
    pub(super) fn most(&self) -> u64 {
        self.left().0.min(self.bounds.member)
    }

    /// True once a bound on the whole was reached.
    pub fn is_spent(&self) -> bool {
        self.spent
    }

    /// Counts bytes that were unpacked to get at members, and are none.
    pub(super) fn spend(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// How many bytes may still come out in all, and why not more.
    pub(super) fn left(&self) -> (u64, String) {
        let by_ratio = self.input.saturating_mul(self.bounds.ratio).max(self.bounds.ratio_from);
        let (most, why) = if by_ratio < self.bounds.total {
            (by_ratio, format!("more than {} bytes out for each byte in", self.bounds.ratio))
        } else {
            (self.bounds.total, format!("more than {} bytes in all", self.bounds.total))
        };
        (most.saturating_sub(self.bytes), why)
    }
}

/// A member's reader that keeps the bounds and survives its decoder.
pub(super) struct Bounded<'a> {
    inner: &'a mut dyn Read,
    budget: &'a mut Budget,
    pub(super) read: u64,
    pub(super) ended: bool,
    pub(super) failure: Option<(ProblemKind, String)>,
}

impl<'a> Bounded<'a> {
    pub(super) fn new(inner: &'a mut dyn Read, budget: &'a mut Budget) -> Self {
        Self { inner, budget, read: 0, ended: false, failure: None }
    }

    fn fail(&mut self, kind: ProblemKind, message: String) -> io::Error {
        let error = io::Error::other(message.clone());
        self.failure = Some((kind, message));
        error
    }
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some((_, message)) = &self.failure {
            return Err(io::Error::other(message.clone()));
        }
        if self.ended || buffer.is_empty() {
            return Ok(0);
        }
        let (left, why) = self.budget.left();
        let of_member = self.budget.bounds.member - self.read;
        let most = left.min(of_member);
        // At the bound one byte more is tried: a member that just fits is no problem.
        let room = usize::try_from(most.max(1)).unwrap_or(usize::MAX).min(buffer.len());
        match guard(|| self.inner.read(&mut buffer[..room])) {
            Ok(0) => {
                self.ended = true;
                Ok(0)
            }
            Ok(_) if most == 0 && left == 0 => {
                self.budget.spent = true;
                Err(self.fail(ProblemKind::Bound, format!("{why}: the rest is not opened")))
            }
            Ok(_) if most == 0 => {
                let most = self.budget.bounds.member;
                Err(self.fail(ProblemKind::Bound, format!("a member of more than {most} bytes")))
            }
            Ok(n) => {
                self.read += n as u64;
                self.budget.bytes += n as u64;
                Ok(n)
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => Err(e),
            Err(e) => {
                let kind = match e.kind() {
                    ErrorKind::UnexpectedEof => ProblemKind::Truncated,
                    ErrorKind::Unsupported => ProblemKind::Unsupported,
                    _ => ProblemKind::Integrity,
                };
                Err(self.fail(kind, format!("it cannot be unpacked further: {e}")))
            }
        }
    }
}

/// Runs a decoder of others: a panic in it is an error.
pub(crate) fn guard<T>(run: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|_| Err(io::Error::new(ErrorKind::InvalidData, "the decoder gave up")))
}
