//! Sums found beside the material: `sha256sum` and its kin, BSD's form, the logs of imaging
//! programs (FTK Imager, ewfacquire, Guymager). Each with the place of its digest, so that the
//! comparison can be recorded.

use std::io::{self, Read};

use md5::Md5;
use model::record::Name;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The longest file that is searched for sums, in bytes.
pub const MAX_LEN: u64 = 64 << 20;

/// An algorithm that sums are found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// MD5: proves nothing against a forger, but tells a broken copy.
    Md5,
    /// SHA-1: likewise.
    Sha1,
    /// SHA-256: the exhibit's own id.
    Sha256,
}

impl Algorithm {
    /// Its name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }

    /// The one whose digests have that many hexadecimal digits.
    fn of_len(digits: usize) -> Option<Self> {
        match digits {
            32 => Some(Self::Md5),
            40 => Some(Self::Sha1),
            64 => Some(Self::Sha256),
            _ => None,
        }
    }

    /// The one that a word names: `SHA-256`, `sha256`, `MD5`, …
    fn of_word(word: &[u8]) -> Option<Self> {
        let word: Vec<u8> =
            word.iter().filter(|b| **b != b'-').map(u8::to_ascii_lowercase).collect();
        match word.as_slice() {
            b"md5" => Some(Self::Md5),
            b"sha1" => Some(Self::Sha1),
            b"sha256" | b"sha2256" => Some(Self::Sha256),
            _ => None,
        }
    }

    /// The digest of what a reader gives, in lower-case hexadecimal.
    ///
    /// # Errors
    /// Those of the reader.
    pub fn digest(self, reader: &mut dyn Read) -> io::Result<String> {
        match self {
            Self::Md5 => digest::<Md5>(reader),
            Self::Sha1 => digest::<Sha1>(reader),
            Self::Sha256 => digest::<Sha256>(reader),
        }
    }
}

fn digest<D: Digest>(reader: &mut dyn Read) -> io::Result<String> {
    let (mut hash, mut buffer) = (D::new(), vec![0; 256 << 10]);
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(model::id::hex(&hash.finalize())),
            Ok(n) => hash.update(&buffer[..n]),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

/// A sum as found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// Of which algorithm.
    pub algorithm: Algorithm,
    /// Lower-case hexadecimal.
    pub digest: String,
    /// Of what, as written there; empty where the file does not say.
    pub name: Name,
    /// First byte of the digest.
    pub start: u64,
    /// One past its last byte.
    pub end: u64,
}

impl Sum {
    /// True if the sum names the file at `path`: its parts are the path's last ones. Both may be of
    /// Windows.
    pub fn is_of(&self, path: &[u8]) -> bool {
        fn parts(path: &[u8]) -> impl Iterator<Item = &[u8]> {
            path.rsplit(|b| matches!(b, b'/' | b'\\')).filter(|p| !p.is_empty() && *p != b".")
        }
        // A drive or a root of another machine is no part of the path here: the name decides then.
        let absolute = self.name.0.first().is_some_and(|b| matches!(b, b'/' | b'\\'))
            || self.name.0.get(1) == Some(&b':');
        let wanted: Vec<_> =
            parts(&self.name.0).take(if absolute { 1 } else { usize::MAX }).collect();
        let have: Vec<_> = parts(path).take(wanted.len()).collect();
        !wanted.is_empty() && wanted == have
    }
}

/// True if a file may hold sums, by its name or its first bytes.
pub fn may_hold(name: &[u8], head: &[u8]) -> bool {
    let last = name.rsplit(|b| matches!(b, b'/' | b'\\')).next().unwrap_or(name);
    let lower = String::from_utf8_lossy(last).to_ascii_lowercase();
    let suffixes = [".sha256", ".sha256sum", ".sha1", ".sha1sum", ".md5", ".md5sum"];
    let names =
        ["sha256sums", "sha1sums", "md5sums", "sha256sum", "sha1sum", "md5sum", "checksums"];
    let stem = lower.strip_suffix(".txt").unwrap_or(&lower);
    if suffixes.iter().any(|s| stem.ends_with(s)) || names.contains(&stem) {
        return true;
    }
    let log = [".txt", ".log", ".info"].iter().any(|s| lower.ends_with(s));
    let head = String::from_utf8_lossy(&head[..head.len().min(4096)]).to_ascii_lowercase();
    log && ["ftk", "ewfacquire", "guymager", "computed hashes", "image verification"]
        .iter()
        .any(|word| head.contains(word))
}

/// The sums in a file, in its order. `file_name` gives the name of a lone digest: `x.bin.sha256`
/// holds that of `x.bin`.
pub fn parse(bytes: &[u8], file_name: &[u8]) -> Vec<Sum> {
    let mut out = Vec::new();
    let mut subject: Vec<u8> = Vec::new();
    let mut at = 0usize;
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        let text = line.trim_ascii_end();
        let sum = coreutils(text, at)
            .or_else(|| bsd(text, at))
            .or_else(|| labelled(text, at, &subject))
            .or_else(|| lone(text, at, file_name));
        match sum {
            Some(sum) => out.push(sum),
            None => {
                if let Some(name) = subject_of(text) {
                    subject = name;
                }
            }
        }
        at += line.len();
    }
    // An imaging log states a sum twice: as computed, and as verified.
    let mut seen = std::collections::HashSet::new();
    out.retain(|s| seen.insert((s.algorithm, s.digest.clone(), s.name.clone())));
    out
}

fn hex_run(text: &[u8]) -> usize {
    text.iter().take_while(|b| b.is_ascii_hexdigit()).count()
}

fn sum(algorithm: Algorithm, digits: &[u8], name: Vec<u8>, start: usize) -> Sum {
    Sum {
        algorithm,
        digest: String::from_utf8_lossy(digits).to_ascii_lowercase(),
        name: Name(name),
        start: start as u64,
        end: (start + digits.len()) as u64,
    }
}

/// `HEX  name`, `HEX *name`; a line that starts with a backslash has escapes in its name.
fn coreutils(text: &[u8], at: usize) -> Option<Sum> {
    let (escaped, from) = if text.starts_with(b"\\") { (true, 1) } else { (false, 0) };
    let digits = &text[from..from + hex_run(&text[from..])];
    let algorithm = Algorithm::of_len(digits.len())?;
    let rest = text[from + digits.len()..].strip_prefix(b" ")?;
    let name = rest.strip_prefix(b"*").or_else(|| rest.strip_prefix(b" ")).unwrap_or(rest);
    if name.is_empty() {
        return None;
    }
    let name = if escaped { unescape(name) } else { name.to_vec() };
    Some(sum(algorithm, digits, name, at + from))
}

fn unescape(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = name.iter();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(other) => *other,
                None => b'\\',
            },
            other => *other,
        });
    }
    out
}

/// `SHA256 (name) = hex`, and OpenSSL's `SHA256(name)= hex`.
fn bsd(text: &[u8], at: usize) -> Option<Sum> {
    let open = text.iter().position(|b| *b == b'(')?;
    let word = text[..open].trim_ascii();
    let algorithm = Algorithm::of_word(word.strip_prefix(b"SHA2-").map_or(word, |_| b"sha256"))?;
    let close = text.windows(2).rposition(|w| w == b")=").map(|p| (p, p + 2));
    let (close, after) =
        close.or_else(|| text.windows(3).rposition(|w| w == b") =").map(|p| (p, p + 3)))?;
    let spaces = text[after..].iter().take_while(|b| **b == b' ').count();
    let digits = &text[after + spaces..];
    if hex_run(digits) != digits.len() || Algorithm::of_len(digits.len()) != Some(algorithm) {
        return None;
    }
    Some(sum(algorithm, digits, text.get(open + 1..close)?.to_vec(), at + after + spaces))
}

/// `MD5 checksum:    hex`, `SHA1 hash calculated over data:  hex`, `MD5 hash   : hex`.
fn labelled(text: &[u8], at: usize, subject: &[u8]) -> Option<Sum> {
    let colon = text.iter().position(|b| matches!(b, b':' | b'='))?;
    let mut words = text[..colon].split(|b| b.is_ascii_whitespace()).filter(|w| !w.is_empty());
    let algorithm = words.find_map(Algorithm::of_word)?;
    let from = colon + 1 + text[colon + 1..].iter().take_while(|b| b.is_ascii_whitespace()).count();
    let digits = &text[from..from + hex_run(&text[from..])];
    (Algorithm::of_len(digits.len()) == Some(algorithm))
        .then(|| sum(algorithm, digits, subject.to_vec(), at + from))
}

/// A digest and nothing else, in a file named after what it is of.
fn lone(text: &[u8], at: usize, file_name: &[u8]) -> Option<Sum> {
    let indent = text.len() - text.trim_ascii_start().len();
    let digits = &text[indent..];
    let algorithm = Algorithm::of_len(digits.len()).filter(|_| hex_run(digits) == digits.len())?;
    let last = file_name.rsplit(|b| *b == b'/').next().unwrap_or(file_name);
    let lower = last.to_ascii_lowercase();
    let suffix = [&b".sha256sum"[..], b".sha256", b".sha1sum", b".sha1", b".md5sum", b".md5"]
        .into_iter()
        .find(|suffix| lower.ends_with(suffix))?;
    Some(sum(algorithm, digits, last[..last.len() - suffix.len()].to_vec(), at + indent))
}

/// What an imaging log says it is of.
fn subject_of(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.trim_ascii();
    if let Some(rest) = text.strip_prefix(b"Information for ") {
        return Some(rest.strip_suffix(b":").unwrap_or(rest).to_vec());
    }
    let colon = text.iter().position(|b| *b == b':')?;
    let label = text[..colon].to_ascii_lowercase();
    let names =
        [&b"file name"[..], b"filename", b"image path and filename", b"image path and file name"];
    let value = text[colon + 1..].trim_ascii();
    (names.iter().any(|n| label.starts_with(n)) && !value.is_empty()).then(|| value.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";
    const SHA1: &str = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
    const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn read(text: &str, name: &str) -> Vec<(&'static str, String)> {
        let sums = parse(text.as_bytes(), name.as_bytes());
        for s in &sums {
            let there = &text.as_bytes()[s.start as usize..s.end as usize];
            assert_eq!(String::from_utf8_lossy(there).to_ascii_lowercase(), s.digest);
        }
        sums.into_iter().map(|s| (s.algorithm.name(), s.name.shown())).collect()
    }

    #[test]
    fn each_form_is_read() {
        let text = format!(
            "# sums\r\n{SHA256}  a b.sql\r\n{MD5} *./dir/c.zip\n\\{SHA1}  x\\ny\\\\z\nSHA256 (d (1).gz) = {SHA256}\n\
             MD5(e.txt)= {}\n{MD5}x  no\nabc  no\n",
            MD5.to_uppercase()
        );
        assert_eq!(
            read(&text, "SHA256SUMS"),
            [
                ("sha256", "a b.sql".to_owned()),
                ("md5", "./dir/c.zip".into()),
                ("sha1", "x\ny\\z".into()),
                ("sha256", "d (1).gz".into()),
                ("md5", "e.txt".into()),
            ]
        );
        assert_eq!(read(SHA256, "m/dump.sql.sha256"), [("sha256", "dump.sql".to_owned())]);
        assert_eq!(read(SHA256, "notes.txt"), []);
    }

    #[test]
    fn imaging_logs_are_read() {
        let ftk = format!(
            "Created By AccessData\u{ae} FTK\u{ae} Imager\r\n\r\nInformation for E:\\seizure\\item7.001:\r\n\
             [Computed Hashes]\r\n MD5 checksum:    {MD5}\r\n SHA1 checksum:   {SHA1}\r\n\r\n\
             Image Verification Results:\r\n MD5 checksum:    {MD5} : verified\r\n"
        );
        assert!(may_hold(b"item7.001.txt", ftk.as_bytes()));
        let name = "E:\\seizure\\item7.001".to_owned();
        assert_eq!(read(&ftk, "item7.001.txt"), [("md5", name.clone()), ("sha1", name)]);
        let ewf = format!("ewfacquire 20140608\n\nSHA256 hash calculated over data:\t\t{SHA256}\n");
        assert!(may_hold(b"log.txt", ewf.as_bytes()));
        assert_eq!(read(&ewf, "log.txt"), [("sha256", String::new())]);
    }

    #[test]
    fn names_are_matched_by_their_parts() {
        let of = |name: &str, path: &str| {
            let sum = sum(Algorithm::Md5, b"", name.as_bytes().to_vec(), 0);
            sum.is_of(path.as_bytes())
        };
        assert!(of("./dir/c.zip", "/material/dir/c.zip"));
        assert!(of("dir\\c.zip", "/material/dir/c.zip"));
        assert!(!of("dir/c.zip", "/material/other/c.zip"));
        assert!(of("E:\\seizure\\item7.001", "/material/x/item7.001"));
        assert!(!of("", "/material"));
        assert!(!of("xc.zip", "/material/c.zip"));
    }

    #[test]
    fn digests_are_those_of_nothing() {
        for (algorithm, expected) in
            [(Algorithm::Md5, MD5), (Algorithm::Sha1, SHA1), (Algorithm::Sha256, SHA256)]
        {
            assert_eq!(algorithm.digest(&mut &b""[..]).unwrap(), expected);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "[a-f0-9 ()=:\\\\*\n]{0,200}") {
            for sample in [&bytes[..], text.as_bytes()] {
                for s in parse(sample, b"x.md5") {
                    prop_assert!(s.end as usize <= sample.len());
                }
                let _ = may_hold(sample, sample);
            }
        }
    }
}
