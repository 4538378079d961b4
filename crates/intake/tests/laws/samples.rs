//! A sample of each format: small, with dirt. `(parser, file name, bytes)`.

/// Properties that a parser states only when a database or a file has ended, and that may
/// therefore differ where it ends early.
pub(crate) const DECIDED_AT_THE_END: &[&str] = &["role", "dumped_at", "same_as"];

/// The samples.
pub(crate) const SAMPLES: &[(&str, &str, &[u8])] = &[
    ("reseller-list", "reseller.lst", b"#LST1\nbob=tv.bob.example\n\nbroken\neve=cdn-1.eve.test\n"),
    ("mysql-dump", "panel.sql", include_bytes!("panel.sql")),
];
