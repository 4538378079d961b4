//! A workbench: a folder of its own, an authority of its own, and the command.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A folder that is removed at the end, and runs of the command in it.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command<I: AsRef<std::ffi::OsStr>>(&self, words: &[I]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vigie"));
        command
            .args(words)
            .current_dir(self.folder.path())
            .env("VIGIE_HOME", self.path("home"))
            .env_remove("VIGIE_CASE")
            .stdin(Stdio::null());
        command
    }

    /// Runs the command to its end.
    pub(crate) fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().expect("the command runs")
    }

    /// Runs it, expecting success; stdout as text.
    #[track_caller]
    pub(crate) fn ok(&self, words: &[&str]) -> String {
        let out = self.run(words);
        assert!(
            out.status.success(),
            "vigie {words:?} ended with {}:\n{}{}",
            out.status,
            String::from_utf8_lossy(&out.stdout),
            String::from_utf8_lossy(&out.stderr)
        );
        String::from_utf8(out.stdout).expect("stdout is UTF-8")
    }

    /// Runs it with `--json`, expecting success; the last line of stdout as JSON.
    #[track_caller]
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        let text = self.ok(words);
        let last = text.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|e| panic!("{e}: {last}"))
    }

    /// Makes a practice seizure under `name`.
    pub(crate) fn seizure(&self, name: &str, scenario: &str, scale: f64, seed: u64) -> PathBuf {
        self.ok(&[
            "range",
            "make",
            "--scenario",
            scenario,
            "--scale",
            &scale.to_string(),
            "--seed",
            &seed.to_string(),
            name,
        ]);
        self.path(name)
    }

    /// Opens a seizure into the case `case` and gives the summary.
    #[track_caller]
    pub(crate) fn open(&self, case: &str, seizure: &Path) -> Value {
        let (net, material) = (seizure.join("practice-net.csv"), seizure.join("material"));
        self.json(&[
            "open",
            "--json",
            "--case",
            case,
            "--address-table",
            net.to_str().expect("UTF-8"),
            material.to_str().expect("UTF-8"),
        ])
    }
}

/// The parts of a summary that must not depend on the run.
pub(crate) fn lasting(summary: &Value) -> Value {
    let mut summary = summary.clone();
    if let Some(map) = summary.as_object_mut() {
        map.remove("elapsed_ms");
    }
    summary
}

/// A seed that differs from run to run and is printed, so that a failure can be repeated:
/// `VIGIE_SEED=N` sets it.
#[allow(clippy::print_stderr)]
pub(crate) fn seed(test: &str) -> u64 {
    let seed = std::env::var("VIGIE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(|| {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(1, |d| u64::from(d.subsec_nanos()) % 1_000_000)
    });
    eprintln!("{test}: VIGIE_SEED={seed}");
    seed
}
