//! Words of a command that is shown for a reader to copy.

use std::borrow::Cow;
use std::path::Path;
use std::sync::OnceLock;

/// What commands that are shown have to say of the authority's folder: `--home DIR`, where the user
/// named it in the call. It is the same for the whole process, and errors from any depth show commands.
static HOME: OnceLock<String> = OnceLock::new();

/// Commands that never look into the authority's folder. Any other is shown with it: one word too many
/// does no harm, and without it the command would act for another authority.
pub const WITHOUT_HOME: &[&str] = &[
    "actor key",
    "actor list",
    "actor passphrase",
    "custody label",
    "custody offer",
    "custody show",
    "custody sign",
    "export",
    "log check",
    "log reference",
    "package verify",
    "parse",
    "privilege list",
    "range",
    "search",
    "show",
    "sql",
    "ticket check",
    "ticket list",
];

/// A word for a shell: as it is where nothing in it could mean anything there, else in quotes.
pub fn quoted(word: &str) -> String {
    // No shell can be given a NUL, and no path or argument holds one.
    shlex::try_quote(word).unwrap_or_default().into_owned()
}

/// A path for a shell.
pub fn quoted_path(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}

/// Says that the user named the authority's folder in the call, and that whoever runs a command that
/// is shown must name it too. What the environment names it names for that command as well.
pub fn name_home(home: &Path) {
    // Whole: the command may be run in another folder.
    let home = std::path::absolute(home).unwrap_or_else(|_| home.to_owned());
    let _ = HOME.set(format!("--home {}", quoted_path(&home)));
}

/// A text with the commands in it as they work here. A command stands in backquotes, or begins a line
/// or what follows `; ` or `Next: `.
pub fn here(text: &str) -> Cow<'_, str> {
    match HOME.get() {
        Some(home) => with_home(text, home),
        None => text.into(),
    }
}

fn with_home<'a>(text: &'a str, home: &str) -> Cow<'a, str> {
    const NAME: &str = "vigie ";
    let mut out = String::new();
    let mut kept = 0;
    for (at, _) in text.match_indices(NAME) {
        let (before, words) = (&text[..at], &text[at + NAME.len()..]);
        let begins =
            before.is_empty() || ["`", "\n", "; ", "Next: "].iter().any(|b| before.ends_with(b));
        let needs = words.starts_with(|c: char| c.is_ascii_lowercase())
            && !WITHOUT_HOME.iter().any(|command| {
                let rest = words.strip_prefix(command);
                rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
            });
        if begins && needs {
            out.push_str(&text[kept..at + NAME.len()]);
            out.push_str(home);
            out.push(' ');
            kept = at + NAME.len();
        }
    }
    if kept == 0 {
        return text.into();
    }
    out.push_str(&text[kept..]);
    out.into()
}

#[cfg(test)]
mod tests {
    use super::{quoted, quoted_path, with_home};

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

    #[test]
    fn commands_that_are_shown_name_the_home() {
        let shown = |text| with_home(text, "--home '/a b'").into_owned();
        for (text, wanted) in [
            ("none: `vigie witness add` names", "none: `vigie --home '/a b' witness add` names"),
            ("vigie open x\nvigie serve", "vigie --home '/a b' open x\nvigie --home '/a b' serve"),
            ("Next: vigie open", "Next: vigie --home '/a b' open"),
            ("vigie show x; vigie erase x", "vigie show x; vigie --home '/a b' erase x"),
            ("`vigie log prove 3`", "`vigie --home '/a b' log prove 3`"),
            ("`vigie custody ack 3`", "`vigie --home '/a b' custody ack 3`"),
        ] {
            assert_eq!(shown(text), wanted);
        }
        for same in [
            "by another version of vigie than this",
            "`vigie search NAME` finds it; `vigie custody show`",
            "vigie --home /c open x",
            "vigie: it is so",
        ] {
            assert_eq!(shown(same), same);
        }
        // No command is taken for another that its name begins.
        assert!(shown("`vigie showing`").contains("--home"));
    }
}
