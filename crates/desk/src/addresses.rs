//! Newer address tables: made in the authority's folder, taken into a case when material is opened.
//!
//! A case never reads the authority's folder for its answers: the table that holds is sealed into it
//! as an exhibit and named by a record, so that the same log gives the same countries anywhere.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use model::asn::{Builder, Rows, Table};

use crate::{Error, Result};

/// The refreshed table's name in the authority's folder.
pub(crate) const REFRESHED: &str = "addresses.bin";

/// The packages that hold the rows: their licences and sources stand in `assets/addresses.md`.
const PACKAGES: [&str; 2] = ["@ip-location-db/asn", "@ip-location-db/asn-country"];

/// Each package's files of rows.
const FILES: [(&str, &[&str], Rows); 2] = [
    ("asn", &["asn-ipv4.csv", "asn-ipv6.csv"], Rows::Asn),
    ("asn-country", &["asn-country-ipv4.csv", "asn-country-ipv6.csv"], Rows::Country),
];

/// Largest file of rows that is read: today's largest has 24 MB.
const MAX_ROWS_FILE: u64 = 256 << 20;

/// Fewer ranges than this are no table of the whole internet: a download cut short.
const LEAST_RANGES: usize = 100_000;

/// A table that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refreshed {
    /// Where it is.
    pub path: PathBuf,
    /// Its bytes.
    pub bytes: u64,
    /// IPv4 ranges.
    pub ipv4: usize,
    /// IPv6 ranges.
    pub ipv6: usize,
    /// False where it is the one that was there.
    pub changed: bool,
}

/// Makes a new table in the authority's folder, from rows in `from`, or from the packages that npm
/// fetches where that is `None`. `from` holds the four CSV files, or the packages' folders.
///
/// # Errors
/// npm is missing or failed; a file is missing; a bad row, with its file and line; the disk. The
/// table that was there stays.
pub fn update(home: &Path, from: Option<&Path>) -> Result<Refreshed> {
    ledger::disk::create_dir(home)?;
    let table = match from {
        Some(folder) => build(folder)?,
        None => {
            let work = home.join(".addresses");
            ledger::disk::remove_dir_all(&work)?;
            ledger::disk::create_dir(&work)?;
            let built =
                fetch(&work).and_then(|()| build(&work.join("node_modules/@ip-location-db")));
            ledger::disk::remove_dir_all(&work)?;
            built?
        }
    };
    let (ipv4, ipv6) = read(&table)?.ranges();
    if ipv4 < LEAST_RANGES || ipv6 < LEAST_RANGES {
        return Err(Error::Beside(format!(
            "the rows make {ipv4} IPv4 and {ipv6} IPv6 ranges: too few for the whole internet, so \
             the table that was there stays; a table of some addresses is laid over it by `vigie \
             open --address-table`"
        )));
    }
    let path = home.join(REFRESHED);
    let changed = std::fs::read(&path).ok().as_deref() != Some(table.as_slice());
    if changed {
        ledger::disk::write(&path, &table)?;
    }
    Ok(Refreshed { path, bytes: table.len() as u64, ipv4, ipv6, changed })
}

fn read(table: &[u8]) -> Result<Table<'_>> {
    Table::read(table).map_err(|e| Error::Beside(format!("the address table: {e}")))
}

/// Has npm fetch the packages. Their scripts do not run.
fn fetch(work: &Path) -> Result<()> {
    let mut npm = Command::new("npm");
    npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--silent"]);
    npm.arg("--prefix").arg(work).args(PACKAGES.map(|p| format!("{p}@latest")));
    let advice = "where there is no npm or no network, fetch the packages elsewhere and name their \
                  folder with --from";
    let done = npm.stdin(Stdio::null()).output().map_err(|e| {
        Error::Beside(format!("npm could not be started: {e}; install Debian's npm; {advice}"))
    })?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        let said = said.lines().find(|l| !l.trim().is_empty()).unwrap_or("nothing").to_owned();
        return Err(Error::Beside(format!(
            "npm ended with {}, saying: {said}; {advice}",
            done.status
        )));
    }
    Ok(())
}

/// Builds the table from a folder of rows.
fn build(folder: &Path) -> Result<Vec<u8>> {
    let mut builder = Builder::default();
    for (package, files, rows) in FILES {
        for file in files {
            let there = [folder.join(file), folder.join(package).join(file)];
            let Some(path) = there.iter().find(|p| p.is_file()) else {
                let path = folder.join(package).join(file);
                let source = std::io::ErrorKind::NotFound.into();
                return Err(Error::Read { path, source });
            };
            let failed = |source| Error::Read { path: path.clone(), source };
            if std::fs::metadata(path).map_err(failed)?.len() > MAX_ROWS_FILE {
                return Err(Error::Bound(format!("{} is larger than 256 MiB", path.display())));
            }
            let text = std::fs::read_to_string(path).map_err(failed)?;
            builder
                .csv(rows, &text)
                .map_err(|e| Error::Beside(format!("{}: {e}", path.display())))?;
        }
    }
    builder.finish().map_err(|e| Error::Beside(format!("the address table: {e}")))
}

/// The refreshed table of an authority's folder, if it has one; checked.
pub(crate) fn refreshed(home: &Path) -> Result<Option<(PathBuf, usize)>> {
    let path = home.join(REFRESHED);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::Read { path, source }),
    };
    let table = Table::read(&bytes).map_err(|e| {
        Error::Beside(format!(
            "{}: {e}; make it anew with `vigie data update`, or remove it",
            path.display()
        ))
    })?;
    let (v4, v6) = table.ranges();
    Ok(Some((path, v4 + v6)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods)] // Material for the test.
    fn rows_that_are_cut_or_bad_leave_the_old_table_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let (home, rows) = (folder.path().join("home"), folder.path().join("rows"));
        std::fs::create_dir_all(&rows).expect("a folder");
        let error = update(&home, Some(&rows)).expect_err("no rows");
        assert!(error.to_string().contains("asn-ipv4.csv"), "{error}");
        let put = |name: &str, text: &str| std::fs::write(rows.join(name), text).expect("written");
        put("asn-ipv4.csv", "1.0.0.0,1.0.0.255,13335,\"Cloudflare, Inc.\"\n");
        put("asn-ipv6.csv", "2001:200::,2001:200::ffff,2500,WIDE\n");
        put("asn-country-ipv4.csv", "1.0.0.0,1.0.0.255,AU\nnonsense\n");
        put("asn-country-ipv6.csv", "2001:200::,2001:200::ffff,JP\n");
        let error = update(&home, Some(&rows)).expect_err("a bad row").to_string();
        assert!(error.contains("asn-country-ipv4.csv") && error.contains("line 2"), "{error}");
        put("asn-country-ipv4.csv", "1.0.0.0,1.0.0.255,AU\n");
        let error = update(&home, Some(&rows)).expect_err("a cut table").to_string();
        assert!(error.contains("too few"), "{error}");
        assert!(!home.join(REFRESHED).exists());
    }

    #[test]
    #[allow(clippy::disallowed_methods)] // Material for the test.
    fn whole_rows_make_the_table_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let (home, rows) = (folder.path().join("home"), folder.path().join("rows/asn-country"));
        std::fs::create_dir_all(&rows).expect("a folder");
        std::fs::create_dir_all(folder.path().join("rows/asn")).expect("a folder");
        let mut files = [const { String::new() }; 4];
        for n in 0..LEAST_RANGES as u32 + 5 {
            // Neighbours of different owners, so that no two are joined.
            let owner = 1 + n % 2;
            let (a, b, c) = (1 + (n >> 16), n >> 8 & 255, n & 255);
            let (high, low) = (n >> 16, n & 0xffff);
            files[0].push_str(&format!("{a}.{b}.{c}.0,{a}.{b}.{c}.255,{owner},n\n"));
            files[1].push_str(&format!("{a}.{b}.{c}.0,{a}.{b}.{c}.255,NL\n"));
            let net = format!("2a00:{high:x}:{low:x}:");
            files[2].push_str(&format!("{net}:,{net}:ffff,{owner},n\n"));
            files[3].push_str(&format!("{net}:,{net}:ffff,NL\n"));
        }
        let [asn4, c4, asn6, c6] = files;
        let top = folder.path().join("rows");
        std::fs::write(top.join("asn/asn-ipv4.csv"), asn4).expect("written");
        std::fs::write(top.join("asn/asn-ipv6.csv"), asn6).expect("written");
        std::fs::write(rows.join("asn-country-ipv4.csv"), c4).expect("written");
        std::fs::write(rows.join("asn-country-ipv6.csv"), c6).expect("written");
        let made = update(&home, Some(&top)).expect("made");
        assert!(made.changed && made.ipv4 >= LEAST_RANGES && made.ipv6 >= LEAST_RANGES);
        assert!(!update(&home, Some(&top)).expect("made").changed);
        let (path, ranges) = refreshed(&home).expect("read").expect("there");
        assert_eq!((path, ranges), (made.path, made.ipv4 + made.ipv6));
    }
}
