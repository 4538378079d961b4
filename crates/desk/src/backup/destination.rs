//! Where a backup is, as a user writes it.

use std::path::PathBuf;

use crate::shell::quoted;
use crate::{Error, Result};

/// The kind of place that was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A folder.
    Folder(PathBuf),
    /// `s3://BUCKET/PREFIX`, the scheme in small letters.
    S3(String),
}

/// Reads it. What looks like an address of another kind would make a folder of an odd name, so it is
/// refused; a folder that is called so can be named with `./` before it.
///
/// # Errors
/// [`Error::Asked`], with what to write.
pub fn destination(text: &str) -> Result<Destination> {
    let refused = |why: String| Err(Error::Asked(why));
    if text.trim().is_empty() {
        return refused("no place is named: name a folder, or s3://BUCKET/PREFIX".to_owned());
    }
    if text.chars().any(char::is_control) {
        return refused(format!("{text:?} holds a control character: no place is called so"));
    }
    if text == "~" || text.starts_with("~/") {
        return refused(format!(
            "{text}: the shell did not put your home in the place of ~: write the path"
        ));
    }
    let Some((scheme, rest)) = address(text) else {
        return Ok(Destination::Folder(PathBuf::from(text)));
    };
    let bucket = rest.strip_prefix("//").filter(|rest| !rest.is_empty() && !rest.starts_with('/'));
    match (scheme.to_ascii_lowercase().as_str(), bucket) {
        ("s3", Some(bucket)) => Ok(Destination::S3(format!("s3://{bucket}"))),
        ("s3", None) => refused(format!(
            "{text} is no place on S3: write s3://BUCKET/PREFIX (a folder of that name: ./{text})"
        )),
        ("file", _) => {
            let path = rest.trim_start_matches('/');
            let path = quoted(&format!("/{path}"));
            refused(format!("{text} is an address: write the folder's path itself, such as {path}"))
        }
        (scheme, _) => refused(format!(
            "{text}: a backup is kept in a folder or on s3://, not on {scheme}: mount it and name the \
             folder (one of that name: ./{text})"
        )),
    }
}

/// The scheme before the colon, and what comes after: only where a slash follows, or nothing.
fn address(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let mut letters = scheme.bytes();
    let begins = letters.next().is_some_and(|b| b.is_ascii_alphabetic());
    let named = begins && letters.all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    let known = ["s3", "file"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    (named && (rest.starts_with('/') || known)).then_some((scheme, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_or_s3_and_nothing_that_looks_like_something_else() {
        let folder = |text: &str| Ok(Destination::Folder(PathBuf::from(text)));
        for text in ["/mnt/second", "second", "./s3:/x", "a:b", "/x/http://y", "two words", "é"] {
            assert_eq!(destination(text).map_err(|e| e.to_string()), folder(text), "{text}");
        }
        for text in ["s3://b", "S3://b", "s3://b/p/q"] {
            let wanted = format!("s3{}", &text[2..]);
            assert_eq!(destination(text).unwrap(), Destination::S3(wanted));
        }
        for (text, word) in [
            ("", "no place is named"),
            (" ", "no place is named"),
            ("s3:/x", "s3://BUCKET/PREFIX"),
            ("s3:x", "s3://BUCKET/PREFIX"),
            ("s3://", "s3://BUCKET/PREFIX"),
            ("S3:///x", "s3://BUCKET/PREFIX"),
            ("file:///x", "such as /x"),
            ("FILE:/x", "such as /x"),
            ("file:x", "such as /x"),
            ("http://x", "not on http"),
            ("gs://x", "not on gs"),
            ("sftp:/x", "not on sftp"),
            ("~/x", "the shell"),
            ("a\nb", "control character"),
        ] {
            let refused = destination(text).unwrap_err();
            assert!(matches!(refused, Error::Asked(_)), "{text}");
            assert!(refused.to_string().contains(word), "{text}: {refused}");
        }
    }
}
