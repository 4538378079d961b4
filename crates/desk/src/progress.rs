//! What a writer is doing, for the command line's bar and the overview.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// How far the work has come. Totals grow while folders are walked and archives opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// What is being done: `walk`, `seal`, `parse`, `resolve`, `count`, `done`.
    pub stage: String,
    /// The file at hand. Hostile text.
    pub at: String,
    /// Files sealed, and seen in all.
    pub files: (u64, u64),
    /// Bytes sealed, and seen in all.
    pub sealed: (u64, u64),
    /// Bytes parsed, and to be parsed in all.
    pub parsed: (u64, u64),
    /// Facts so far.
    pub facts: u64,
    /// Rows so far.
    pub rows: u64,
    /// Problems so far.
    pub problems: u64,
    /// Milliseconds since the work began.
    pub elapsed_ms: u64,
}

impl Snapshot {
    pub(crate) fn to_json(&self) -> String {
        serde_json::json!({
            "stage": self.stage, "at": self.at,
            "files": [self.files.0, self.files.1],
            "sealed": [self.sealed.0, self.sealed.1],
            "parsed": [self.parsed.0, self.parsed.1],
            "facts": self.facts, "rows": self.rows, "problems": self.problems,
            "elapsed_ms": self.elapsed_ms,
        })
        .to_string()
    }

    pub(crate) fn from_json(text: &str) -> Option<Self> {
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let number = |name: &str| value[name].as_u64().unwrap_or(0);
        let pair = |name: &str| {
            (value[name][0].as_u64().unwrap_or(0), value[name][1].as_u64().unwrap_or(0))
        };
        Some(Self {
            stage: text("stage"),
            at: text("at"),
            files: pair("files"),
            sealed: pair("sealed"),
            parsed: pair("parsed"),
            facts: number("facts"),
            rows: number("rows"),
            problems: number("problems"),
            elapsed_ms: number("elapsed_ms"),
        })
    }
}

/// The stages of an opening, in their order.
pub const STAGES: [&str; 5] = ["seal", "parse", "resolve", "count", "done"];

/// Counters that the pipeline's threads add to. Share it in an `Arc`; read it with
/// [`Progress::snapshot`] as often as you like.
#[derive(Debug, Default)]
pub struct Progress {
    stage: Mutex<(String, String)>,
    pub(crate) files: AtomicU64,
    pub(crate) files_total: AtomicU64,
    pub(crate) sealed: AtomicU64,
    pub(crate) sealed_total: AtomicU64,
    pub(crate) parsed: AtomicU64,
    pub(crate) parsed_total: AtomicU64,
    pub(crate) facts: AtomicU64,
    pub(crate) rows: AtomicU64,
    pub(crate) problems: AtomicU64,
    pub(crate) elapsed_ms: AtomicU64,
}

impl Progress {
    /// The state now. Counters are read one by one: they may be of slightly different moments.
    pub fn snapshot(&self) -> Snapshot {
        let get = |a: &AtomicU64| a.load(Ordering::Relaxed);
        let (stage, at) = self.stage.lock().map(|s| s.clone()).unwrap_or_default();
        Snapshot {
            stage,
            at,
            files: (get(&self.files), get(&self.files_total)),
            sealed: (get(&self.sealed), get(&self.sealed_total)),
            parsed: (get(&self.parsed), get(&self.parsed_total)),
            facts: get(&self.facts),
            rows: get(&self.rows),
            problems: get(&self.problems),
            elapsed_ms: get(&self.elapsed_ms),
        }
    }

    pub(crate) fn stage(&self, stage: &str, at: &str) {
        debug_assert!(STAGES.contains(&stage), "{stage} is not among the stages");
        if let Ok(mut now) = self.stage.lock() {
            *now = (stage.to_owned(), at.to_owned());
        }
    }

    pub(crate) fn add(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Ordering::Relaxed);
    }
}
