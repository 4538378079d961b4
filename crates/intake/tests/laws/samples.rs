//! A sample of each format: small, with dirt, all of it made up. `(parser, file name, bytes)`.

/// Properties that a parser states only when a database or a file has ended, and that may
/// therefore differ where it ends early.
pub(crate) const DECIDED_AT_THE_END: &[&str] = &["role", "dumped_at", "same_as"];

/// The samples.
#[rustfmt::skip] // one line a sample
pub(crate) const SAMPLES: &[(&str, &str, &[u8])] = &[
    ("reseller-list", "reseller.lst", b"#LST1\nbob=tv.bob.example\n\nbroken\neve=cdn-1.eve.test\n"),
    ("mysql-dump", "panel.sql", include_bytes!("samples/panel.sql")),
    ("m3u", "list.m3u", include_bytes!("samples/list.m3u")),
    ("hls", "media.m3u8", include_bytes!("samples/media.m3u8")),
    ("xtream-api", "player_api.json", include_bytes!("samples/player_api.json")),
    ("xmltv", "guide.xml", include_bytes!("samples/guide.xml")),
    ("paypal", "Download.csv", include_bytes!("samples/paypal-fr.csv")),
    ("camt", "statement.xml", include_bytes!("samples/statement.xml")),
    ("csv", "table.csv", include_bytes!("samples/table.csv")),
    ("xlsx", "payments.xlsx", include_bytes!("samples/payments.xlsx")),
    ("telegram", "result.json", include_bytes!("samples/result.json")),
    ("whatsapp", "WhatsApp Chat with TV cobalt 1.txt", include_bytes!("samples/whatsapp.txt")),
    ("torrent", "silent.torrent", include_bytes!("samples/silent.torrent")),
    ("release-list", "pre.txt", include_bytes!("samples/pre.txt")),
    ("host-list", "domains.txt", include_bytes!("samples/domains.txt")),
    ("scan", "notes.txt", include_bytes!("samples/notes.txt")),
];
