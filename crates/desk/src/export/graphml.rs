//! GraphML 1.0 (graphml.graphdrawing.org), for Gephi, yEd, igraph.

use std::io::Write;

use super::{each_entity, each_link, written};
use crate::Result;
use crate::read::Snapshot;

/// Text inside XML: markup escaped, characters that XML 1.0 forbids replaced.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

pub(super) fn graph(snapshot: &Snapshot, out: &mut dyn Write) -> Result<()> {
    write!(
        out,
        r#"<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="label" for="node" attr.name="label" attr.type="string"/>
<key id="kind" for="node" attr.name="kind" attr.type="string"/>
<key id="key" for="node" attr.name="key" attr.type="string"/>
<key id="country" for="node" attr.name="country" attr.type="string"/>
<key id="link" for="edge" attr.name="kind" attr.type="string"/>
<key id="weight" for="edge" attr.name="weight" attr.type="double"/>
<graph edgedefault="directed">
"#
    )
    .map_err(written)?;
    each_entity(snapshot, |e| {
        writeln!(
            out,
            r#"<node id="{}"><data key="label">{}</data><data key="kind">{}</data><data key="key">{}</data><data key="country">{}</data></node>"#,
            e.id,
            xml(&e.caption),
            e.kind.name(),
            xml(e.key.as_str()),
            xml(e.country.as_deref().unwrap_or("")),
        )
        .map_err(written)
    })?;
    each_link(snapshot, |l| {
        writeln!(
            out,
            r#"<edge source="{}" target="{}"><data key="link">{}</data><data key="weight">{}</data></edge>"#,
            l.from.id,
            l.to.id,
            l.kind.name(),
            l.count,
        )
        .map_err(written)
    })?;
    writeln!(out, "</graph>\n</graphml>").map_err(written)?;
    out.flush().map_err(written)
}

#[cfg(test)]
mod tests {
    #[test]
    fn markup_and_forbidden_characters_are_text() {
        assert_eq!(
            super::xml("<a b=\"c\">\u{0}&\u{202e}"),
            "&lt;a b=&quot;c&quot;&gt;\u{fffd}&amp;\u{202e}"
        );
    }
}
