//! Both files of settings: the probe's own, and the clearing house's.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::Deserialize;
use shield::item::Name;
use shield::measure::{MAX_CONTROLS, MAX_PROBES, MAX_RATE, Setting, USUAL_RATE};
use shield::order::words::{Organisation, Probe};
use shield::sets::{Class, Effect};

/// The longest file of either kind, and of controls.
pub const MAX_FILE: usize = 1 << 20;
/// The most addresses of block pages.
const MAX_PAGES: usize = 64;

/// What is wrong with a file, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Wrong(String);

/// The probe's own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeFile {
    /// The clearing house: `https://HOST[:PORT]`.
    pub url: String,
    /// A file with the secret of the probe's service key.
    pub key_file: PathBuf,
    /// PEM of who signs the clearing house's certificate; without it, whom this machine trusts.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// The resolver that the ISP gives its subscribers.
    pub resolver: SocketAddr,
    /// Addresses of the ISP's block page.
    #[serde(default)]
    pub block_pages: Vec<IpAddr>,
    /// How long a question may take, in milliseconds, 50 to 1,000.
    #[serde(default = "patience")]
    pub timeout_ms: u64,
}

fn patience() -> u64 {
    800
}

impl ProbeFile {
    /// Reads it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Self, Wrong> {
        let file: Self =
            toml::from_str(text).map_err(|e| Wrong(e.to_string().trim_end().to_owned()))?;
        if !(50..=1_000).contains(&file.timeout_ms) {
            return Err(Wrong(
                "timeout_ms is 50 to 1000: an answer counts beside a control's of the same second"
                    .into(),
            ));
        }
        if file.block_pages.len() > MAX_PAGES {
            return Err(Wrong(format!("block_pages: {MAX_PAGES} addresses at most")));
        }
        Ok(file)
    }
}

/// The clearing house's: which probes there are, and where they report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HouseFile {
    /// Where reports come in.
    pub listen: SocketAddr,
    /// A file of controls, a name a line; `#` begins a comment.
    pub controls: Option<PathBuf>,
    /// So many names of the popular lists that the harm check knows are controls besides.
    pub popular: usize,
    /// The probes.
    pub probes: Vec<Setting>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct House {
    listen: SocketAddr,
    #[serde(default)]
    controls: Option<PathBuf>,
    #[serde(default)]
    popular: usize,
    #[serde(default, rename = "probe")]
    probes: Vec<OneProbe>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OneProbe {
    key: String,
    #[serde(default)]
    isp: Option<String>,
    #[serde(default)]
    unblocked: bool,
    #[serde(default)]
    rate: Option<usize>,
}

impl HouseFile {
    /// Reads it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Self, Wrong> {
        let file: House =
            toml::from_str(text).map_err(|e| Wrong(e.to_string().trim_end().to_owned()))?;
        if file.popular > MAX_CONTROLS {
            return Err(Wrong(format!("popular: {MAX_CONTROLS} controls at most")));
        }
        if file.probes.len() > MAX_PROBES {
            return Err(Wrong(format!("{MAX_PROBES} probes at most")));
        }
        let mut probes: Vec<Setting> = Vec::new();
        for one in file.probes {
            let odd = |why: &str| Wrong(format!("probe {:?}: {why}", one.key));
            let probe = Probe::new(&one.key).ok_or_else(|| odd("no name of a key"))?;
            if probes.iter().any(|known| known.probe == probe) {
                return Err(odd("it stands there twice"));
            }
            let isp = match (&one.isp, one.unblocked) {
                (Some(isp), false) => {
                    Some(Organisation::new(isp).ok_or_else(|| odd("no name of an ISP"))?)
                }
                (None, true) => None,
                _ => {
                    return Err(odd(
                        "say whose resolver it asks (`isp = \"…\"`), or `unblocked = true`",
                    ));
                }
            };
            let rate = one.rate.unwrap_or(USUAL_RATE);
            if !(1..=MAX_RATE).contains(&rate) {
                return Err(odd(&format!("rate is 1 to {MAX_RATE} questions a second")));
            }
            probes.push(Setting { probe, isp, rate });
        }
        let House { listen, controls, popular, .. } = file;
        Ok(Self { listen, controls, popular, probes })
    }
}

/// Reads a file of controls.
///
/// # Errors
/// A line that is no full host name; more than [`MAX_CONTROLS`].
pub fn controls(text: &str) -> Result<Vec<Name>, Wrong> {
    let mut names = Vec::new();
    for (n, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let name = Name::parse(line).map_err(|e| Wrong(format!("line {}: {e}", n + 1)))?;
        if !names.contains(&name) {
            names.push(name);
        }
        if names.len() > MAX_CONTROLS {
            return Err(Wrong(format!("{MAX_CONTROLS} controls at most")));
        }
    }
    Ok(names)
}

/// So many names of the popular lists that change verdicts, spread over each; fewer where the lists hold
/// fewer. Those that do not answer at an unblocked vantage are never taken for controls.
pub fn popular(sets: &shield::Sets, many: usize) -> Vec<Name> {
    let lists = || {
        let popular = sets.iter().filter(|set| set.head.class == Class::Popular);
        popular.filter(|set| set.effect() != Effect::Show)
    };
    let each = many.div_ceil(lists().count().max(1));
    let of = |set: &'_ shield::Set| -> Vec<Name> {
        let step = (set.entries / each.max(1)).max(1);
        let names = set.names().step_by(step).filter_map(|name| Name::parse(name).ok());
        names.take(each).collect()
    };
    let mut names: Vec<Name> = lists().flat_map(of).collect();
    names.sort_unstable();
    names.dedup();
    names.truncate(many);
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_is_at_an_isp_or_unblocked() {
        let of = |probe: &str| HouseFile::read(&format!("listen = \"127.0.0.1:1\"\n{probe}"));
        let read = of(
            "[[probe]]\nkey = \"a\"\nisp = \"fibre\"\n[[probe]]\nkey = \"b\"\nunblocked = true\nrate = 5\n",
        );
        let probes = read.unwrap().probes;
        assert_eq!(
            (probes[0].rate, probes[1].isp.is_none(), probes[1].rate),
            (USUAL_RATE, true, 5)
        );
        for wrong in [
            "[[probe]]\nkey = \"a\"\n",
            "[[probe]]\nkey = \"a\"\nisp = \"x\"\nunblocked = true\n",
            "[[probe]]\nkey = \"a\"\nisp = \"x\"\nrate = 0\n",
            "[[probe]]\nkey = \"a\"\nisp = \"x\"\n[[probe]]\nkey = \"a\"\nisp = \"x\"\n",
            "[[probe]]\nkey = \"a\"\nisp = \"x\"\nclient = 1\n",
        ] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn popular_names_are_spread_over_the_lists() {
        let head = |name: &str| shield::sets::Head {
            name: name.into(),
            class: Class::Popular,
            source: "test".into(),
            date: "2026-11-01".parse().unwrap(),
            matches: shield::sets::Match::Registrable,
        };
        let set = |name: &str, letter: char| {
            let names: String = (0..100).map(|n| format!("{letter}{n}.com\n")).collect();
            let text = format!("{}{names}", shield::sets::text::head(&head(name)));
            shield::sets::text::read(&text, &shield::Suffixes::default()).unwrap()
        };
        let sets = shield::Sets::new([set("one", 'a'), set("two", 'b')]);
        let names = popular(&sets, 20);
        let of = |letter| names.iter().filter(|name| name.as_str().starts_with(letter)).count();
        assert_eq!((names.len(), of('a'), of('b')), (20, 10, 10), "{names:?}");
        assert!(popular(&shield::Sets::new([]), 20).is_empty());
        assert!(popular(&sets, 0).is_empty());
    }

    #[test]
    fn controls_are_names_a_line() {
        let names = controls("# popular\nnews.example\n\nNews.Example # again\n").unwrap();
        assert_eq!(names.len(), 1);
        assert!(controls("192.0.2.1\n").unwrap_err().to_string().starts_with("line 1"));
        let many: String = (0..=MAX_CONTROLS).map(|n| format!("c{n}.example\n")).collect();
        assert!(controls(&many).is_err());
    }
}
