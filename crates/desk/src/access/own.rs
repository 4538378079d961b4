//! An authority's own policies: `HOME/policies/*.cedar`, which may only forbid.

use std::io::Read;
use std::path::Path;

use super::policies::Policies;
use crate::{Error, Result};

/// The most files.
const MAX_FILES: usize = 64;
/// The most bytes of one.
const MAX_BYTES: u64 = 64 * 1024;

/// Adds the files of a home, in the order of their names. One that is wrong is an error: a rule that does
/// not count would be missed by nobody.
///
/// # Errors
/// [`Error::Beside`] with the file, the line and what is wrong.
pub(super) fn add(policies: &mut Policies, home: &Path) -> Result<usize> {
    let folder = home.join("policies");
    let read = |source| Error::Read { path: folder.clone(), source };
    let items = match folder.read_dir() {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        other => other.map_err(read)?,
    };
    let mut files = Vec::new();
    for item in items {
        let path = item.map_err(read)?.path();
        if path.extension().is_some_and(|e| e == "cedar") {
            files.push(path);
        }
        if files.len() > MAX_FILES {
            return Err(Error::Beside(format!(
                "{} holds more than {MAX_FILES} files of policies",
                folder.display()
            )));
        }
    }
    files.sort();
    for path in &files {
        let wrong = |what: String| Error::Beside(format!("{}: {what}", path.display()));
        let text = text_of(path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        policies.forbid(&name, &text).map_err(wrong)?;
    }
    Ok(files.len())
}

/// A file's text, of at most [`MAX_BYTES`].
fn text_of(path: &Path) -> Result<String> {
    let read = |source| Error::Read { path: path.to_owned(), source };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(read)?;
    file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(read)?;
    if text.len() as u64 > MAX_BYTES {
        let what = format!("{} is longer than {MAX_BYTES} bytes", path.display());
        return Err(Error::Beside(what));
    }
    Ok(text)
}

/// The line, from 1, on which the first policy begins that permits. Comments and texts are passed over.
pub(super) fn first_permit(text: &str) -> Option<usize> {
    let (mut line, mut depth) = (1, 0usize);
    let mut chars = text.chars().peekable();
    let mut word = String::new();
    while let Some(c) = chars.next() {
        if c.is_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        if depth == 0 && word == "permit" {
            return Some(line);
        }
        word.clear();
        match c {
            '\n' => line += 1,
            '/' if chars.peek() == Some(&'/') => while chars.next_if(|c| *c != '\n').is_some() {},
            '"' => {
                while let Some(c) = chars.next() {
                    match c {
                        '\\' => drop(chars.next()),
                        '\n' => line += 1,
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}
