//! Whose signatures a reader takes for whose: his own file, never what the proof brings along.
//!
//! One statement a line; `#` begins a comment:
//!
//! ```text
//! authority police.example+id+key     signs its own log and those named below it
//! log example.com/log+id+key          signs the log of that origin alone
//! log example.com/log+id+key until 7  the same, where it was replaced after the seventh entry
//! witness witness.example+id+key      a witness whose cosignatures count
//! quorum 2                            how many of the witnesses must have cosigned; 0 unless said
//! time tsa.example MIIC…              a time authority's certificate, or one above it: base64 of DER
//! ```
//!
//! A log whose key was replaced has a line a key; of several that fit a log the last is the newest.

use crate::base64;
use crate::keys::{Former, Keys};
use crate::note::{Checkpoint, Note, NoteError, VerifierKey, WitnessKey};
use crate::proof::Policy;

/// The longest file, in bytes, and its most statements.
pub const MAX_TRUST: usize = 1 << 20;
/// See [`MAX_TRUST`].
const MAX_LINES: usize = 10_000;

/// A line that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct TrustError {
    /// The line, from 1 on.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

/// A certificate that time stamps may rest on. What is in it is not known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeAuthority {
    /// The reader's name for it.
    pub name: String,
    /// The certificate (DER).
    pub certificate: Vec<u8>,
    /// The line that names it.
    pub line: usize,
}

/// A key that may sign a log's checkpoints, and up to which size where that is said.
pub(crate) type Signer = (VerifierKey, Option<u64>);

/// Whose signatures count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    authorities: Vec<VerifierKey>,
    logs: Vec<Signer>,
    witnesses: Vec<WitnessKey>,
    quorum: usize,
    times: Vec<TimeAuthority>,
}

impl Trust {
    /// Reads a file of statements.
    ///
    /// # Errors
    /// The first line that is none; a quorum that the witnesses cannot reach.
    pub fn parse(text: &str) -> Result<Self, TrustError> {
        let mut trust = Self::default();
        let mut quorum = None;
        if text.len() > MAX_TRUST || text.lines().count() > MAX_LINES {
            return Err(TrustError {
                line: 0,
                what: format!("the file is longer than {MAX_LINES} lines"),
            });
        }
        for (at, line) in text.lines().enumerate() {
            let bad = |what: String| TrustError { line: at + 1, what };
            let line = line.split('#').next().unwrap_or("").trim();
            if line.is_empty() {
                continue;
            }
            let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            let rest = rest.trim();
            let key = |e: NoteError| bad(format!("{e}: {rest:?}"));
            match word {
                "authority" => trust.authorities.push(VerifierKey::parse(rest).map_err(key)?),
                "log" => {
                    let (text, until) = match rest.split_once(" until ") {
                        None => (rest, None),
                        Some((text, until)) => {
                            let until = until.trim().parse();
                            let no = || bad(format!("after `until` a number is wanted: {rest:?}"));
                            (text.trim(), Some(until.map_err(|_| no())?))
                        }
                    };
                    trust.logs.push((VerifierKey::parse(text).map_err(key)?, until));
                }
                "witness" => {
                    let witness = WitnessKey::parse(rest).map_err(key)?;
                    trust.take(witness).map_err(bad)?;
                }
                "quorum" => {
                    let number = rest.parse().map_err(|_| bad(format!("no number: {rest:?}")))?;
                    if quorum.replace((at + 1, number)).is_some() {
                        return Err(bad("a second quorum".to_owned()));
                    }
                }
                "time" => {
                    let (name, text) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                    let certificate = base64::decode(text.trim()).filter(|der| !der.is_empty());
                    let certificate = certificate.ok_or_else(|| {
                        bad(format!("after `time {name}` a certificate's DER in base64 is wanted"))
                    })?;
                    let name = name.to_owned();
                    trust.times.push(TimeAuthority { name, certificate, line: at + 1 });
                }
                _ => {
                    let words = "authority, log, witness, quorum or time";
                    return Err(bad(format!("{word:?} is not {words}")));
                }
            }
        }
        if let Some((line, number)) = quorum {
            if number > trust.witnesses.len() {
                let named = trust.witnesses.len();
                let what = format!("a quorum of {number}, where {named} witnesses are named");
                return Err(TrustError { line, what });
            }
            trust.quorum = number;
        }
        Ok(trust)
    }

    /// Takes a witness. A quorum counts independent parties: one is never counted twice, neither
    /// under two names nor by two keys.
    fn take(&mut self, witness: WitnessKey) -> Result<(), String> {
        let name = witness.name();
        if let Some(there) = self.witnesses.iter().find(|w| w.is_by_key_of(&witness)) {
            return Err(if there.name() == name {
                format!("the witness {name} stands twice")
            } else {
                format!("the witness {name} has the key of {}: it is one witness", there.name())
            });
        }
        if self.witnesses.iter().any(|w| w.name() == name) {
            return Err(format!("a second key of the witness {name}: name the one that counts"));
        }
        self.witnesses.push(witness);
        Ok(())
    }

    /// True where a log, or an authority's, is named.
    pub fn names_logs(&self) -> bool {
        !(self.authorities.is_empty() && self.logs.is_empty())
    }

    /// The time authorities that are named.
    pub fn times(&self) -> &[TimeAuthority] {
        &self.times
    }

    /// What a note of a log is judged by: the keys that may sign this origin's checkpoints. Empty
    /// where the reader trusts none for it.
    pub fn policies(&self, origin: &str) -> Vec<Policy> {
        let of = |(log, _): Signer| self.policy(log);
        self.signers(origin).into_iter().map(of).collect()
    }

    fn policy(&self, log: VerifierKey) -> Policy {
        Policy { log, witnesses: self.witnesses.clone(), quorum: self.quorum }
    }

    /// The keys that may sign this origin's checkpoints, and up to which size.
    pub(crate) fn signers(&self, origin: &str) -> Vec<Signer> {
        let own = self.logs.iter().filter(|(key, _)| key.name() == origin).cloned();
        let below = self.authorities.iter().filter(|key| {
            let rest = origin.strip_prefix(key.name());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        let below = below.filter_map(|key| Some((key.renamed(origin).ok()?, None)));
        own.chain(below).collect()
    }

    /// The keys of one log as its `log` lines say; `None` where they name none that signs now.
    pub fn keys_of(&self, origin: &str) -> Option<Keys> {
        let own = || self.logs.iter().filter(|(key, _)| key.name() == origin);
        let (now, _) = own().rfind(|(_, until)| until.is_none())?;
        let former =
            own().filter_map(|(key, until)| Some(Former { key: key.clone(), until: (*until)? }));
        Some(Keys::new(former.collect(), now.clone()))
    }

    /// The policy by which a note's checkpoint is signed by a key that the reader trusts.
    ///
    /// # Errors
    /// No such key: the last one's refusal, or that none is trusted for this log.
    pub fn policy_of(&self, note: &Note) -> Result<Policy, NoteError> {
        let origin = Checkpoint::of_text(&note.text)?.origin;
        let mut why = NoteError::Untrusted(origin.clone());
        for (key, until) in self.signers(&origin) {
            match key.open_among(note) {
                Ok(found) => match until.filter(|until| found.size > *until) {
                    None => return Ok(self.policy(key)),
                    Some(until) => why = NoteError::Replaced { until },
                },
                // Of several keys one is told that has signed, wrongly or too late.
                Err(NoteError::OtherKey) if !matches!(why, NoteError::Untrusted(_)) => {}
                Err(e) => why = e,
            }
        }
        Err(why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::{CosignerKey, SigningKey};
    use proptest::prelude::*;

    #[test]
    fn an_authority_signs_what_is_named_below_it_and_nothing_else() {
        let key = SigningKey::new("police.example", &[1; 32]).unwrap();
        let witness = CosignerKey::new("w.example", &[2; 32]).unwrap().witness();
        let text = format!(
            "# ours\nauthority {}\n\n  witness\t{} # the Dutch\nquorum 1\n",
            key.verifier().text(),
            witness.text()
        );
        let trust = Trust::parse(&text).unwrap();
        for (origin, trusted) in [
            ("police.example", true),
            ("police.example/case/7", true),
            ("police.example.net", false),
            ("police.examples/case/7", false),
            ("other.example", false),
        ] {
            assert_eq!(trust.policies(origin).len(), usize::from(trusted), "{origin}");
            let note = Note::parse(&key.renamed(origin).unwrap().sign(3, &[1; 32])).unwrap();
            let policy = trust.policy_of(&note);
            assert_eq!(policy.is_ok(), trusted, "{origin}");
            if let Ok(policy) = policy {
                assert_eq!((policy.quorum, policy.log.name()), (1, origin));
            }
        }
        let other = SigningKey::new("police.example", &[9; 32]).unwrap();
        let note = Note::parse(&other.sign(3, &[1; 32])).unwrap();
        assert_eq!(trust.policy_of(&note), Err(NoteError::OtherKey));
    }

    #[test]
    fn a_key_counts_until_where_the_file_says_it_was_replaced() {
        let keys = [1, 2].map(|n| SigningKey::new("police.example/case/7", &[n; 32]).unwrap());
        let [old, new] = keys.each_ref().map(|key| key.verifier().text());
        let trust = Trust::parse(&format!("log {old} until 7\nlog  {new}\n")).unwrap();
        let told = |key: &SigningKey, size| {
            let note = Note::parse(&key.sign(size, &[1; 32])).unwrap();
            trust.policy_of(&note).map(|policy| policy.log)
        };
        assert_eq!(told(&keys[0], 7), Ok(keys[0].verifier()));
        assert_eq!(told(&keys[0], 8), Err(NoteError::Replaced { until: 7 }));
        for size in [3, 8] {
            assert_eq!(told(&keys[1], size), Ok(keys[1].verifier()), "{size}");
        }
        for line in
            [format!("log {old} until"), format!("log {old} until x"), format!("log {old} 7")]
        {
            assert_eq!(Trust::parse(&line).unwrap_err().line, 1, "{line}");
        }
    }

    #[test]
    fn a_wrong_line_is_named() {
        let witness = |name, seed| CosignerKey::new(name, &[seed; 32]).unwrap().witness().text();
        let (key, alias) = (witness("w.example", 2), witness("v.example", 2));
        let second = witness("w.example", 3);
        for (text, line) in [
            ("log nothing".to_owned(), 1),
            ("\n\nfoo bar".to_owned(), 3),
            (format!("witness {key}\nwitness {key}"), 2),
            (format!("quorum 2\nwitness {key}\nwitness {alias}"), 3),
            (format!("quorum 2\nwitness {key}\nwitness {second}"), 3),
            (format!("log {key}"), 1),
            (format!("witness {key}\nquorum 2"), 2),
            ("quorum 0\nquorum 0".to_owned(), 2),
            ("quorum many".to_owned(), 1),
            ("time tsa.example".to_owned(), 1),
            ("time tsa.example MII".to_owned(), 1),
        ] {
            assert_eq!(Trust::parse(&text).unwrap_err().line, line, "{text}");
        }
    }

    #[test]
    fn a_time_authority_has_a_name_and_a_certificate() {
        let trust = Trust::parse("\n time tsa.example\tMAA= # theirs").unwrap();
        let [time] = trust.times() else { panic!("{trust:?}") };
        assert_eq!((time.name.as_str(), time.line), ("tsa.example", 2));
        assert_eq!(time.certificate, [0x30, 0]);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>()) {
            let _ = Trust::parse(&text);
        }
    }
}
