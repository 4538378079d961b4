//! Programs of this machine, within bounds.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Error;

/// The longest that one call takes, in seconds.
const MOST_S: u64 = 20;
/// The most of what it says that is kept.
const SAID: u64 = 64 << 10;
/// Where Debian has what only root calls, though root's own path may not.
const PLACES: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A program, found in the places above too.
pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("PATH", path()).env("LC_ALL", "C");
    command
}

/// Where programs are looked for.
pub(crate) fn path() -> String {
    match std::env::var("PATH") {
        Ok(own) if !own.is_empty() => format!("{own}:{PLACES}"),
        _ => PLACES.to_owned(),
    }
}

/// Fails where a program is not there.
pub(crate) fn need(program: &'static str, package: &'static str) -> Result<(), Error> {
    let there =
        path().split(':').any(|folder| std::path::Path::new(folder).join(program).is_file());
    if there { Ok(()) } else { Err(Error::Missing { program, package }) }
}

/// Runs `ip` with such words, and such lines as its batch where there are any; what it printed.
pub(crate) fn ip(words: &[&str], batch: &str) -> Result<String, Error> {
    let mut command = command("ip");
    command.args(words);
    if !batch.is_empty() {
        command.args(["-batch", "-"]);
    }
    run(command, batch)
}

/// Runs a program to its end, with such words on its stdin.
pub(crate) fn run(mut command: Command, stdin: &str) -> Result<String, Error> {
    let program = command.get_program().display().to_string();
    let called = command.get_args().fold(program, |all, word| format!("{all} {}", word.display()));
    let unrun = |e: std::io::Error| Error::Program { program: called.clone(), said: e.to_string() };
    // Its own group: a Ctrl-C at the terminal is for the range, which removes what it made by these.
    command.process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(unrun)?;
    let (input, out, err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let ended = std::thread::scope(|scope| {
        // A program that ends early reads no more: what it said of that is told.
        scope.spawn(move || input.map(|mut input| input.write_all(stdin.as_bytes())));
        let out = scope.spawn(move || read(out));
        let err = scope.spawn(move || read(err));
        let until = Instant::now() + Duration::from_secs(MOST_S);
        let status = loop {
            match child.try_wait() {
                Ok(Some(status)) => break Ok(status),
                Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(2)),
                Ok(None) => {
                    let _ = child.kill();
                    let _ = child.wait();
                    break Err(Error::Slow { program: called.clone(), seconds: MOST_S });
                }
                Err(e) => break Err(unrun(e)),
            }
        };
        status
            .map(|status| (status, out.join().unwrap_or_default(), err.join().unwrap_or_default()))
    });
    let (status, out, err) = ended?;
    if status.success() {
        return Ok(out);
    }
    Err(Error::Program { program: called, said: err.trim().chars().take(600).collect() })
}

fn read(from: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    let _ = from.map(|from| from.take(SAID).read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_told_with_who_has_it() {
        let error = need("no-such-program", "no-such-package").unwrap_err().to_string();
        assert_eq!(
            error,
            "no-such-program is not installed; on Debian: apt-get install no-such-package"
        );
        need("sh", "dash").unwrap();
    }

    #[test]
    fn what_a_program_says_is_told_and_its_input_reaches_it() {
        let mut shell = command("sh");
        shell.args(["-c", "echo out; echo no room >&2; exit 3"]);
        let error = run(shell, "").unwrap_err().to_string();
        assert!(error.ends_with("failed: no room"), "{error}");
        assert_eq!(run(command("cat"), "through").unwrap(), "through");
        // A Ctrl-C at the terminal is not for it: its group is its own.
        let mut cat = command("cat");
        cat.arg("/proc/self/stat");
        let stat = run(cat, "").unwrap();
        let fields: Vec<_> = stat.split(' ').collect();
        assert_eq!(fields[0], fields[4], "process and group");
    }
}
