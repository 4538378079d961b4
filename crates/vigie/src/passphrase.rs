//! Where passphrases come from: a file that the environment names, else the terminal. Never the
//! command line, which other users of the machine can read.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use ledger::{MAX_PASSPHRASE, Passphrase};
use zeroize::Zeroizing;

use crate::commands::read_bytes;

/// The variable that names the file.
const VARIABLE: &str = "VIGIE_PASSPHRASE_FILE";

/// True while the terminal waits for a passphrase: nothing else may write there.
static ASKING: AtomicBool = AtomicBool::new(false);

/// True while the terminal waits for a passphrase.
pub(crate) fn asking() -> bool {
    ASKING.load(Ordering::Relaxed)
}

/// Lets keys be opened in this process.
pub(crate) fn begin() {
    ledger::passphrases_from(Box::new(|authority| {
        match std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) {
            Some(path) => of_file(Path::new(&path)).map_err(|why| format!("{VARIABLE}: {why}")),
            None => ask(&format!("Passphrase of the key of {authority}: ")),
        }
    }));
}

/// The file that the environment names, where it names one.
pub(crate) fn named() -> Option<std::path::PathBuf> {
    std::env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(Into::into)
}

/// The one line of a file.
pub(crate) fn of_file(path: &Path) -> Result<Passphrase, String> {
    let bytes = read_bytes(path, MAX_PASSPHRASE + 2).map_err(|told| told.to_string())?;
    let bytes = Zeroizing::new(bytes);
    let bad = |why: &str| format!("{} {why}", path.display());
    let text = std::str::from_utf8(&bytes).map_err(|_| bad("is not text"))?;
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err(bad("holds no passphrase: its first line is empty"));
    }
    if line.contains('\n') || line.len() > MAX_PASSPHRASE {
        return Err(bad("holds more than the one line of a passphrase"));
    }
    Ok(Passphrase::new(line.to_owned()))
}

/// Asks on the terminal, wherever the input comes from.
pub(crate) fn ask(prompt: &str) -> Result<Passphrase, String> {
    ASKING.store(true, Ordering::Relaxed);
    let answer = rpassword::prompt_password(prompt);
    ASKING.store(false, Ordering::Relaxed);
    match answer {
        Ok(text) if text.is_empty() => Err("none was typed".to_owned()),
        Ok(text) if text.len() > MAX_PASSPHRASE => {
            Err(format!("it is longer than {MAX_PASSPHRASE} bytes"))
        }
        Ok(text) => Ok(Passphrase::new(text)),
        Err(_) => Err(format!(
            "there is no terminal to ask on; put it into a file that you alone can read and name the \
             file in {VARIABLE}"
        )),
    }
}

/// Asks for a new one, twice.
pub(crate) fn ask_new(authority: &str) -> Result<Passphrase, String> {
    let first = ask(&format!("New passphrase of the key of {authority}: "))?;
    let second = ask("The same once more: ")?;
    if first == second { Ok(first) } else { Err("the two are not the same".to_owned()) }
}
