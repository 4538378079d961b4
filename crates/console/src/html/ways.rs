//! How exhibits are called where they are named: by their file, behind the containers it lies in.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use desk::read::Snapshot;
use maud::{Markup, html};
use model::ExhibitId;

use super::hostile::{plain, text};
use crate::app::PageError;

/// The containers of a page's exhibits, by exhibit.
#[derive(Debug, Default)]
pub(crate) struct Ways(BTreeMap<ExhibitId, Vec<String>>);

impl Ways {
    /// Of these exhibits, each asked for once.
    pub(crate) fn of(
        snapshot: &Snapshot,
        ids: impl IntoIterator<Item = ExhibitId>,
    ) -> Result<Self, PageError> {
        let mut ways = BTreeMap::new();
        for id in ids {
            if let Entry::Vacant(way) = ways.entry(id) {
                way.insert(snapshot.containers(id)?);
            }
        }
        Ok(Self(ways))
    }

    fn names<'a>(&'a self, id: &ExhibitId, name: &'a str) -> impl Iterator<Item = &'a str> {
        let containers = self.0.get(id).map_or(&[][..], Vec::as_slice);
        containers.iter().map(String::as_str).chain([name])
    }

    /// `panel.sql.gz › panel.sql`; the whole paths on hover.
    pub(crate) fn name(&self, id: &ExhibitId, name: &str) -> Markup {
        let whole: Vec<String> = self.names(id, name).map(plain).collect();
        html! {
            span title=(whole.join(" › ")) {
                @for (i, name) in self.names(id, name).enumerate() {
                    @if i > 0 { " › " }
                    (text(file(name)))
                }
            }
        }
    }

    /// The same where no markup can stand.
    pub(crate) fn plain(&self, id: &ExhibitId, name: &str) -> String {
        let names: Vec<String> = self.names(id, name).map(|n| plain(file(n))).collect();
        names.join(" › ")
    }
}

/// A path by its file alone, whole on hover.
pub(crate) fn alone(path: &str) -> Markup {
    html! { span title=(plain(path)) { (text(file(path))) } }
}

/// The last part of a path; the path itself where it ends in none.
pub(crate) fn file(path: &str) -> &str {
    let path = path.trim_end_matches(['/', '\\']);
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// What stands before the last part of a path.
pub(crate) fn folder(path: &str) -> &str {
    let path = path.trim_end_matches(['/', '\\']);
    path.rfind(['/', '\\']).map_or("", |at| &path[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_a_folder_and_a_file() {
        for (path, of, last) in [
            ("/a/b/c.sql", "/a/b", "c.sql"),
            ("c.sql", "", "c.sql"),
            ("a\\b\\c.sql", "a\\b", "c.sql"),
            ("a/b/", "a", "b"),
            ("/", "", ""),
            ("", "", ""),
        ] {
            assert_eq!((folder(path), file(path)), (of, last), "{path}");
        }
    }

    #[test]
    fn a_member_is_named_behind_its_containers() {
        let id = ExhibitId([7; 32]);
        let ways = Ways([(id, vec!["/seized/x.tar.gz".to_owned(), "x.tar".to_owned()])].into());
        assert_eq!(ways.plain(&id, "backup/panel.sql"), "x.tar.gz › x.tar › panel.sql");
        assert_eq!(Ways::default().plain(&id, "/a/panel.sql"), "panel.sql");
        let shown = ways.name(&id, "backup/<i>.sql").into_string();
        assert!(
            shown.starts_with(r#"<span title="/seized/x.tar.gz › x.tar › backup/&lt;i&gt;.sql">"#)
        );
        assert!(shown.contains("x.tar.gz</bdi> › "), "{shown}");
    }
}
