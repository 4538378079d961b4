//! Words of a command that is shown for a reader to copy.

use std::path::Path;

/// A word for a shell: as it is where nothing in it could mean anything there, else in quotes.
pub fn quoted(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:@+,%".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A path for a shell.
pub fn quoted_path(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn what_means_something_to_a_shell_is_quoted() {
        assert_eq!(quoted("/cases/nl-04"), "/cases/nl-04");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("two words"), "'two words'");
        assert_eq!(quoted("$HOME"), "'$HOME'");
        assert_eq!(quoted("exhibit:0-4"), "exhibit:0-4");
        assert_eq!(quoted("l'aquila; $(x)"), r"'l'\''aquila; $(x)'");
    }
}
