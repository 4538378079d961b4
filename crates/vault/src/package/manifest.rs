//! Manifests of a bag (RFC 8493, 2.1.3 and 2.2.1), with one writing: a line a file, `digest`, two
//! spaces, name; in the order of the names. Names hold no byte that would be escaped.

use std::collections::BTreeMap;

use model::Sha256Hex;

/// A digest a name.
pub(crate) type Digests = BTreeMap<String, Sha256Hex>;

/// Writes one.
pub(crate) fn write(digests: &Digests) -> String {
    digests.iter().map(|(name, digest)| format!("{digest}  {name}\n")).collect()
}

/// Reads one; the number of the first line that is none.
pub(crate) fn read(text: &str) -> Result<Digests, usize> {
    let mut out = Digests::new();
    for (at, line) in text.split_inclusive('\n').enumerate() {
        let parts = line.strip_suffix('\n').and_then(|line| line.split_once("  "));
        let read = parts.and_then(|(digest, name)| Some((digest.parse().ok()?, name)));
        let (digest, name): (Sha256Hex, &str) = read.ok_or(at + 1)?;
        let in_order = out.last_key_value().is_none_or(|(last, _)| last.as_str() < name);
        if !in_order || !super::zip::is_name(name) {
            return Err(at + 1);
        }
        out.insert(name.to_owned(), digest);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_reads_back_in_one_writing() {
        let digests = Digests::from([
            ("data/a".to_owned(), Sha256Hex([1; 32])),
            ("data/b".to_owned(), Sha256Hex([2; 32])),
        ]);
        let text = write(&digests);
        assert_eq!(read(&text), Ok(digests));
        for (bad, line) in [
            (text.trim_end().to_owned(), 2),
            (text.replace("  data/b", " data/b"), 2),
            (text.replace("data/a", "data/c"), 2),
            (text.replace("data/a", "data/../a"), 1),
            (text.replace("0101", "01G1"), 1),
        ] {
            assert_eq!(read(&bad), Err(line), "{bad}");
        }
    }
}
