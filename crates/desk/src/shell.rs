//! Words of a command that is shown for a reader to copy.

use std::path::Path;

/// A word for a shell: as it is where nothing in it could mean anything there, else in quotes.
pub fn quoted(word: &str) -> String {
    // No shell can be given a NUL, and no path or argument holds one.
    shlex::try_quote(word).unwrap_or_default().into_owned()
}

/// A path for a shell.
pub fn quoted_path(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::{quoted, quoted_path};

    #[test]
    fn what_means_something_to_a_shell_means_itself() {
        for word in ["", "/cases/nl-04", "two words", "$HOME", "l'aquila; $(x)", "a\nb", "-x", "!é"]
        {
            let words = shlex::split(&format!("vigie {}", quoted(word)));
            assert_eq!(words, Some(vec!["vigie".to_owned(), word.to_owned()]));
        }
        assert_eq!(quoted("exhibit:0-4"), "exhibit:0-4");
        assert_eq!(quoted_path("/a b".as_ref()), "'/a b'");
    }
}
