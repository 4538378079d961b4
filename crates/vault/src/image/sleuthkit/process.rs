//! One process, read within bounds.

use std::ffi::OsStr;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a process may be silent.
const SILENCE: Duration = Duration::from_secs(600);

/// Bounds that the kernel keeps: address space in bytes, processor time in seconds.
const MEMORY: u64 = 8 << 30;
const SECONDS: u64 = 12 * 3600;

/// The most that is kept of what a process says on its standard error, in bytes.
const MAX_WORDS: u64 = 4096;

/// A running program, whose output is read. Dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pieces: Option<Receiver<io::Result<Vec<u8>>>>,
    piece: Vec<u8>,
    at: usize,
    words: Option<JoinHandle<String>>,
    silence: Duration,
    ended: bool,
}

impl Process {
    pub(super) fn start<'a>(
        prlimit: &Path,
        program: &Path,
        arguments: impl IntoIterator<Item = &'a OsStr>,
    ) -> io::Result<Self> {
        let mut child = Command::new(prlimit)
            .arg(format!("--as={MEMORY}"))
            .arg(format!("--cpu={SECONDS}"))
            .args(["--fsize=0", "--core=0", "--"])
            .arg(program)
            .args(arguments)
            .env_clear()
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC")
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (send, pieces) = sync_channel(8);
        if let Some(mut out) = child.stdout.take() {
            std::thread::spawn(move || {
                loop {
                    let mut piece = vec![0; 128 << 10];
                    let got = match out.read(&mut piece) {
                        Ok(0) => return,
                        Ok(got) => Ok(got),
                        Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                        Err(e) => Err(e),
                    };
                    let failed = got.is_err();
                    let sent = send.send(got.map(|n| {
                        piece.truncate(n);
                        piece
                    }));
                    // Nobody listens any more: closing the pipe ends the process.
                    if failed || sent.is_err() {
                        return;
                    }
                }
            });
        }
        let words = child.stderr.take().map(|mut err| {
            std::thread::spawn(move || {
                let mut kept = Vec::new();
                let _ = (&mut err).take(MAX_WORDS).read_to_end(&mut kept);
                let _ = io::copy(&mut err, &mut io::sink());
                String::from_utf8_lossy(&kept).into_owned()
            })
        });
        Ok(Self {
            child,
            pieces: Some(pieces),
            piece: Vec::new(),
            at: 0,
            words,
            silence: SILENCE,
            ended: false,
        })
    }

    /// What became of it: `Ok` if all was read and it ended well, else why not.
    ///
    /// # Errors
    /// Its exit status and its own words.
    pub(crate) fn finish(mut self) -> Result<(), String> {
        let cut = !self.ended;
        self.end();
        let status = self.child.wait();
        let words = self.words.take().and_then(|words| words.join().ok()).unwrap_or_default();
        let words = crate::image::clean(&words.replace('\n', " "));
        match status {
            _ if cut => Err("it was stopped before its end".to_owned()),
            Ok(status) if status.success() => Ok(()),
            Ok(status) if words.is_empty() => Err(format!("it ended with {status}")),
            Ok(status) => Err(format!("it ended with {status}, and said: {words}")),
            Err(e) => Err(format!("it cannot be waited for: {e}")),
        }
    }

    fn end(&mut self) {
        self.pieces = None;
        if !self.ended {
            let _ = self.child.kill();
        }
    }
}

impl Read for Process {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() {
            let Some(pieces) = &self.pieces else { return Ok(0) };
            match pieces.recv_timeout(self.silence) {
                Ok(piece) => (self.piece, self.at) = (piece?, 0),
                Err(RecvTimeoutError::Disconnected) => {
                    self.ended = true;
                    self.pieces = None;
                    return Ok(0);
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.end();
                    let seconds = self.silence.as_secs();
                    let what = format!("the program was silent for {seconds} seconds: stopped");
                    return Err(io::Error::new(ErrorKind::TimedOut, what));
                }
            }
        }
        let n = buffer.len().min(self.piece.len() - self.at);
        buffer[..n].copy_from_slice(&self.piece[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Process {
        let (prlimit, sh) = (Path::new("/usr/bin/prlimit"), Path::new("/bin/sh"));
        Process::start(prlimit, sh, ["-c".as_ref(), script.as_ref()]).unwrap()
    }

    #[test]
    fn output_status_and_words_come_back() {
        let mut process = sh("echo out; echo words >&2; exit 3");
        let mut out = String::new();
        process.read_to_string(&mut out).unwrap();
        assert_eq!(out, "out\n");
        let why = process.finish().unwrap_err();
        assert!(why.contains("3") && why.contains("words"), "{why}");
        let mut fine = sh("env | sort; pwd");
        out.clear();
        fine.read_to_string(&mut out).unwrap();
        assert!(
            out.lines().all(|l| ["LC_ALL", "TZ", "PWD", "/", "_", "OLDPWD", "SHLVL"]
                .iter()
                .any(|k| l.starts_with(k))),
            "{out}"
        );
        assert_eq!(fine.finish(), Ok(()));
    }

    #[test]
    fn it_writes_no_file_and_is_stopped_when_silent() {
        let mut process = sh("echo x > /dev/shm/vigie-must-not-be; echo $?");
        let mut out = Vec::new();
        process.read_to_end(&mut out).unwrap();
        let grown = std::fs::metadata("/dev/shm/vigie-must-not-be").map_or(0, |m| m.len());
        assert_eq!(grown, 0);
        let mut process = sh("exec sleep 30");
        process.silence = Duration::from_millis(50);
        let begun = std::time::Instant::now();
        assert_eq!(process.read(&mut [0; 9]).unwrap_err().kind(), ErrorKind::TimedOut);
        assert!(process.finish().is_err());
        assert!(begun.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn what_is_not_read_to_its_end_is_stopped() {
        let mut process = sh("yes");
        process.read_exact(&mut [0; 1 << 20]).unwrap();
        assert!(process.finish().is_err());
    }
}
