//! A part of an unpacked package that is opened by itself: what its code forbids lies above it, in
//! `bag-info.txt`, and would not come along.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::brief::MAX_INFO;
use super::handling::{Demand, Handling};
use crate::shell::quoted_path;
use crate::{Error, Result};

/// Refuses paths inside a package that came under a code, where the package's own `bag-info.txt` is
/// not among what is opened. Above what was named that file alone is looked at, and not taken in.
///
/// # Errors
/// The path, the package, its code, and what to open instead.
pub(crate) fn check(paths: &[PathBuf]) -> Result<()> {
    // What is not there is told by whoever walks it.
    let roots: Vec<PathBuf> = paths.iter().filter_map(|path| path.canonicalize().ok()).collect();
    for root in &roots {
        for folder in root.ancestors().skip(1) {
            let info = folder.join("bag-info.txt");
            if roots.iter().any(|root| info.starts_with(root)) {
                continue;
            }
            let Some(demand) = demand_in(&info) else { continue };
            if demand.handling != Handling::H0 {
                return Err(Error::Asked(format!(
                    "{} is inside a package of {} under {}, and opened by itself it would lose that \
                     code. Take in the package's zip file (`vigie package import`), or open all of its \
                     folder: `vigie open {}`. Nothing was sealed",
                    root.display(),
                    demand.provider,
                    demand.handling.text(),
                    quoted_path(folder)
                )));
            }
        }
    }
    Ok(())
}

fn demand_in(info: &Path) -> Option<Demand> {
    if !info.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    std::fs::File::open(info).ok()?.take(MAX_INFO).read_to_end(&mut bytes).ok()?;
    Demand::in_info(&String::from_utf8_lossy(&bytes))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods)]
    use super::*;

    #[test]
    fn a_part_of_a_package_is_not_opened_without_its_code() {
        let temp = tempfile::tempdir().unwrap();
        let package = temp.path().join("package");
        let data = package.join("data/exhibits/000000000003");
        std::fs::create_dir_all(&data).unwrap();
        let file = data.join("notes.txt");
        std::fs::write(&file, "x").unwrap();
        let code = |code: &str| {
            let text = format!("External-Identifier: nl.example/case/1\nVigie-Handling: {code}\n");
            std::fs::write(package.join("bag-info.txt"), text).unwrap();
        };
        let open = |paths: &[&Path]| {
            let paths: Vec<PathBuf> = paths.iter().map(|path| (*path).to_owned()).collect();
            check(&paths).map_err(|e| e.to_string())
        };
        let payload = package.join("data");
        // No package's file, and none at all.
        assert_eq!(open(&[&payload]), Ok(()));
        for foreign in ["Bagging-Date: 2026-01-01\n", "External-Identifier: nl.example/case/1\n"] {
            std::fs::write(package.join("bag-info.txt"), foreign).unwrap();
            assert_eq!(open(&[&payload]), Ok(()));
        }
        // Labels are written as anybody likes, and the code alone is enough.
        for text in [
            "external-identifier: nl.example/case/1\nVIGIE-HANDLING: H2\n",
            "External-Identifier:\tnl.example/case/1\r\nVigie-handling :\tH2\r\n",
        ] {
            std::fs::write(package.join("bag-info.txt"), text).unwrap();
            let why = open(&[&payload]).unwrap_err();
            assert!(why.contains("nl.example under H2"), "{why}");
        }
        std::fs::write(package.join("bag-info.txt"), "vigie-handling: H1\n").unwrap();
        let why = open(&[&payload]).unwrap_err();
        assert!(why.contains("an unnamed authority under H1"), "{why}");
        code("H2");
        for part in [&payload, &file, &package.join("data/../data")] {
            let why = open(&[part]).unwrap_err();
            assert!(why.contains("nl.example under H2"), "{why}");
            assert!(why.contains(&format!("`vigie open {}`", package.display())), "{why}");
        }
        // Its code comes along.
        assert_eq!(open(&[&package]), Ok(()));
        assert_eq!(open(&[&payload, &package.join("bag-info.txt")]), Ok(()));
        assert_eq!(open(&[temp.path()]), Ok(()));
        assert_eq!(open(&[&temp.path().join("missing")]), Ok(()));
        // What cannot be read is restricted most; what restricts nothing loses nothing.
        code("H9");
        assert!(open(&[&payload]).unwrap_err().contains("under H2"));
        code("H0");
        assert_eq!(open(&[&payload]), Ok(()));
    }
}
