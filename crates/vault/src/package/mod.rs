//! Exhibit packages: what leaves a case, with the proof of each part of it.
//!
//! `docs/package-format.md` specifies them. In short: a bag (RFC 8493) whose payload is
//! `data/records.jsonl` (records, their openings cut down to what is disclosed, their inclusion
//! proofs), `data/checkpoint` (to whose root the proofs lead), `data/keys.txt` and
//! `data/exhibits/`. The digest of the tag manifest stands in a record of the log; that record's
//! proof, and a note signed by the log's key, stand beside the bag's manifests.

mod check;
mod draft;
mod line;
mod manifest;
mod note;
mod source;
mod stamped;
pub mod zip;

pub use check::{Checked, check};
pub use draft::{Choice, Draft, DraftError, Info, Sealed, Shown};
pub use line::{Disclosed, LineError, MAX_LINE};
pub use note::{PackageNote, PackageNoteError};
pub use source::{Opened, SourceError};
pub use stamped::Timed;

/// The folder that a packed package unpacks to.
pub const TOP: &str = "package/";
/// The script that checks a package with Python's standard library and `openssl`.
pub const VERIFY_PY: &str = include_str!("../../../../assets/verify.py");

/// The parts by their names.
pub mod name {
    /// What makes it a bag.
    pub const BAGIT: &str = "bagit.txt";
    /// What it is, for whom.
    pub const INFO: &str = "bag-info.txt";
    /// Digests of the payload.
    pub const MANIFEST: &str = "manifest-sha256.txt";
    /// Digests of everything else but the three below and itself.
    pub const TAGS: &str = "tagmanifest-sha256.txt";
    /// The signed note over the tag manifest's digest.
    pub const NOTE: &str = "package.note";
    /// The proof that the record of this package stands in the log.
    pub const PROOF: &str = "package.tlog-proof";
    /// The proof that its checkpoint goes on from `data/checkpoint`.
    pub const CONSISTENCY: &str = "package.consistency";
    /// What is outside the tag manifest, since it is made from its digest.
    pub const OUTSIDE: [&str; 4] = [TAGS, NOTE, PROOF, CONSISTENCY];
    /// Records, openings, proofs.
    pub const RECORDS: &str = "data/records.jsonl";
    /// The checkpoint that the proofs lead to.
    pub const CHECKPOINT: &str = "data/checkpoint";
    /// The keys of log and witnesses, in the words of a trust file.
    pub const KEYS: &str = "data/keys.txt";
    /// Bytes of exhibits: a folder a sealing record.
    pub const EXHIBITS: &str = "data/exhibits/";
    /// The page to read.
    pub const PAGE: &str = "index.html";
    /// CASE/UCO.
    pub const CASE: &str = "case.jsonld";
    /// The script.
    pub const SCRIPT: &str = "verify.py";
}

/// The bytes of `bagit.txt` (RFC 8493, 2.1.1).
pub(crate) const BAGIT: &str = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";

/// A name for an exhibit's file from the name that it had: letters, digits, `.`, `-` and `_`; at most
/// 80 of them.
pub fn safe_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let fits = |c: char| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '_' };
    let mut safe: String = last.chars().map(fits).collect();
    if safe.len() > 80 {
        safe = safe[safe.len() - 80..].to_owned();
    }
    let safe = safe.trim_start_matches('.');
    if safe.is_empty() { "exhibit".to_owned() } else { safe.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader compares the script with what the documentation publishes.
    #[test]
    fn the_script_is_short_and_its_digest_is_published() {
        let docs = include_str!("../../../../docs/packages.md");
        let digest = model::Sha256Hex::of(VERIFY_PY.as_bytes()).to_string();
        assert!(docs.contains(&digest), "docs/packages.md must say {digest}");
        assert!(VERIFY_PY.lines().count() <= 300);
    }

    #[test]
    fn names_are_made_safe() {
        for (name, safe) in [
            ("dumps/panel.sql.gz", "panel.sql.gz"),
            ("C:\\x\\été 1.csv", "_t__1.csv"),
            ("../..", "exhibit"),
            ("", "exhibit"),
            ("a/", "exhibit"),
            (".htaccess", "htaccess"),
        ] {
            assert_eq!(safe_name(name), safe);
            assert!(zip::is_name(&safe_name(name)));
        }
        assert_eq!(safe_name(&"x".repeat(300)).len(), 80);
    }
}
