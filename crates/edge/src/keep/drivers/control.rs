//! BIRD's control socket: a command is a line, a reply ends in a line with a code and a space (BIRD's
//! `doc/reply_codes`: 0 to 0999 done, 8000 and above refused).

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long BIRD may take for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most that is read of one answer, in bytes.
const MAX_ANSWER: u64 = 64 << 10;

/// A connection to BIRD.
pub(super) struct Control(BufReader<UnixStream>);

impl Control {
    /// Connects, and hears its greeting.
    pub(super) fn connect(path: &Path) -> Result<Self, String> {
        let failed = |e: std::io::Error| {
            let path = path.display();
            format!(
                "BIRD does not answer at {path} ({e}): is it running, and may keep's user ask it?"
            )
        };
        let stream = UnixStream::connect(path).map_err(failed)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(failed)?;
        let mut control = Self(BufReader::new(stream));
        control.hear()?;
        Ok(control)
    }

    /// Says a command, and gives the codes and the words of its answer.
    fn say(&mut self, command: &str) -> Result<Vec<(u16, String)>, String> {
        let line = format!("{command}\n");
        self.0.get_mut().write_all(line.as_bytes()).map_err(|e| format!("BIRD: {e}"))?;
        self.hear()
    }

    fn hear(&mut self) -> Result<Vec<(u16, String)>, String> {
        answer(&mut self.0)
    }

    /// Has it read its settings again.
    pub(super) fn configure(&mut self) -> Result<(), String> {
        let said = self.say("configure")?;
        match said.last() {
            // 3: done. 4: under way; 5: queued behind another.
            Some((3..=5, _)) => Ok(()),
            other => {
                let (code, text) = other.cloned().unwrap_or_default();
                Err(format!("BIRD does not take its settings: {text} ({code})"))
            }
        }
    }

    /// How many routes a protocol has; 0 where there is no such protocol.
    pub(super) fn routes(&mut self, protocol: &str) -> Result<usize, String> {
        let said = self.say(&format!("show route protocol {protocol} count"))?;
        if said.iter().any(|(code, _)| *code >= 8000) {
            return Ok(0);
        }
        let counted = said.iter().find(|(code, _)| *code == 1007);
        let count = counted.and_then(|(_, text)| text.split(' ').next()?.parse().ok());
        count.ok_or_else(|| format!("BIRD does not count the routes of {protocol}: {said:?}"))
    }
}

/// The codes and words of an answer.
fn answer(from: &mut impl BufRead) -> Result<Vec<(u16, String)>, String> {
    let (mut said, mut lines) = (from.take(MAX_ANSWER), Vec::new());
    loop {
        let mut line = Vec::new();
        let read = said.read_until(b'\n', &mut line).map_err(|e| format!("BIRD: {e}"))?;
        if read == 0 {
            return Err("BIRD ended in the middle of an answer".to_owned());
        }
        let line = String::from_utf8_lossy(&line);
        // A line that begins with a space goes on with the code before it: nothing that is asked here.
        let Some((code, rest)) = line.split_at_checked(4) else { continue };
        let Ok(code) = code.parse() else { continue };
        lines.push((code, rest.get(1..).unwrap_or_default().trim().to_owned()));
        if rest.starts_with(' ') {
            return Ok(lines);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use proptest::prelude::*;

    use super::*;

    /// One that greets, reads a line, and says this.
    fn bird(says: &'static str) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ctl");
        let listener = UnixListener::bind(&path).unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"0001 BIRD 2.0.12 ready.\n").unwrap();
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            stream.write_all(says.as_bytes()).unwrap();
        });
        (dir, path)
    }

    proptest! {
        /// Whatever comes is an answer within its bound, or none.
        #[test]
        fn no_bytes_are_more_than_an_answer(
            pieces in prop::collection::vec(
                prop_oneof![
                    "[0-9]{0,5}[ -]?[a-z]{0,9}\n?".prop_map(String::into_bytes),
                    prop::collection::vec(any::<u8>(), 0..40),
                ],
                0..40,
            ),
            end in "[0-9]{4} [a-z]{0,9}\n",
        ) {
            let bytes = pieces.concat();
            let heard = answer(&mut bytes.as_slice());
            if let Ok(lines) = &heard {
                let words: usize = lines.iter().map(|(_, text)| text.len()).sum();
                // A byte that is no text is written as three.
                prop_assert!(!lines.is_empty() && words <= 3 * bytes.len());
            }
            // What broke off in a line of its own ends with the next one that ends an answer.
            if heard.is_err() {
                let whole = [bytes.as_slice(), b"\n", end.as_bytes()].concat();
                let (code, text) = answer(&mut whole.as_slice()).unwrap().pop().unwrap();
                let last = format!("{code:04} {text}");
                prop_assert_eq!(last.trim(), end.trim());
            }
        }
    }

    #[test]
    fn one_without_end_is_not_read_for_ever() {
        let mut endless = std::io::Cursor::new(b"1007-x\n".repeat(20_000));
        assert!(answer(&mut endless).unwrap_err().contains("ended"));
        assert_eq!(endless.position(), MAX_ANSWER);
    }

    #[test]
    fn what_bird_says_is_read_and_what_breaks_off_is_an_error() {
        let ask = |says| {
            let (_dir, path) = bird(says);
            Control::connect(&path).and_then(|mut control| control.configure())
        };
        assert_eq!(ask("0002-Reading configuration from bird.conf\n0003 Reconfigured\n"), Ok(()));
        assert_eq!(ask("0002-Reading\n more of it\n\n0004 Reconfiguration in progress\n"), Ok(()));
        let told = ask("0002-Reading\n8002 b.conf:1:1 syntax error\n").unwrap_err();
        assert!(told.contains("b.conf:1:1 syntax error"), "{told}");
        for broken in ["", "0002-Reading\n", "0003"] {
            assert!(ask(broken).unwrap_err().contains("ended"), "{broken:?}");
        }
        let count = |says| {
            let (_dir, path) = bird(says);
            Control::connect(&path).and_then(|mut control| control.routes("vigie_rtbh4"))
        };
        let seven = "1007-7 of 9 routes for 7 networks in table vigie4\n0000 \n";
        assert_eq!(count(seven), Ok(7));
        assert_eq!(count("9001 syntax error\n"), Ok(0));
        assert!(count("0000 nothing\n").is_err());
        assert!(Control::connect(Path::new("/nowhere/ctl")).is_err());
    }
}
