//! Progress of long work, on stderr: one line redrawn on a terminal, a line every ten seconds
//! elsewhere, nothing with `--json` on a terminal's stdout changed.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Shows how far a piece of work is.
pub(crate) struct Progress {
    terminal: bool,
    started: Instant,
    shown: Option<Instant>,
    width: usize,
}

impl Progress {
    /// Begins.
    pub(crate) fn new() -> Self {
        Self {
            terminal: std::io::stderr().is_terminal(),
            started: Instant::now(),
            shown: None,
            width: 0,
        }
    }

    /// Says what is going on and how much of it is done (`done` of `total` bytes, if known).
    pub(crate) fn show(&mut self, what: &str, done: u64, total: Option<u64>) {
        let pause =
            if self.terminal { Duration::from_millis(100) } else { Duration::from_secs(10) };
        if crate::passphrase::asking() || self.shown.unwrap_or(self.started).elapsed() < pause {
            return;
        }
        self.shown = Some(Instant::now());
        let seconds = self.started.elapsed().as_secs_f64();
        let rate = if seconds > 0.0 { done as f64 / seconds } else { 0.0 };
        let mut line = format!("{what} {}", bytes(done));
        if let Some(total) = total.filter(|t| *t > 0) {
            let part = (done as f64 / total as f64).min(1.0);
            line.push_str(&format!(" of {} ({:.0}%)", bytes(total), part * 100.0));
            if self.terminal {
                let filled = (part * 24.0) as usize;
                line = format!("[{}{}] {line}", "█".repeat(filled), "·".repeat(24 - filled));
            }
            if rate > 0.0 && part > 0.02 && part < 1.0 {
                let left = (total.saturating_sub(done)) as f64 / rate;
                line.push_str(&format!(", about {} left", span(left)));
            }
        }
        let mut out = std::io::stderr().lock();
        let fill = self.width.saturating_sub(line.chars().count());
        self.width = line.chars().count();
        // A terminal that is gone is no reason to stop the work.
        let _ = if self.terminal {
            write!(out, "\r{line}{}", " ".repeat(fill)).and_then(|()| out.flush())
        } else {
            writeln!(out, "{line}")
        };
    }

    /// Takes the line away.
    pub(crate) fn clear(&mut self) {
        if self.terminal && self.width > 0 {
            let _ = write!(std::io::stderr(), "\r{}\r", " ".repeat(self.width));
            self.width = 0;
        }
    }
}

/// `1.2 GB`, in powers of ten as disks are sold and transfers stated.
pub(crate) fn bytes(n: u64) -> String {
    let mut value = n as f64;
    let mut unit = "B";
    for next in ["kB", "MB", "GB", "TB"] {
        if value < 1000.0 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    if unit == "B" { format!("{n} B") } else { format!("{value:.1} {unit}") }
}

/// `3 s`, `2 min 10 s`.
pub(crate) fn span(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    if whole < 60 { format!("{whole} s") } else { format!("{} min {} s", whole / 60, whole % 60) }
}
