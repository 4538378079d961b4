//! The bytes of an exhibit, or of parts of one, against its sealing record.

use std::io::{self, BufReader, Read};

use model::record::Record;
use model::{Canon, ExhibitId, Sha256Hex};

use super::super::line::Disclosed;
use super::super::source::Opened;
use super::Checked;
use crate::disclose::leaf_len;
use crate::ggm::Node;
use crate::salted::{LEAF, SaltedTree};

fn opened<'a>(line: &'a Disclosed, field: &str) -> Option<&'a Canon> {
    line.opening.fields.get(field).map(|opening| &opening.value)
}

/// The bytes of an exhibit against its sealing record.
pub(super) fn exhibit(
    package: &Opened,
    line: &Disclosed,
    record: &Record,
    place: &str,
    progress: &dyn Fn(u64),
    out: &mut Checked,
) -> io::Result<()> {
    let root = record.public.get("root").and_then(Canon::as_text);
    let Some(root) = root.and_then(|root| root.parse::<Sha256Hex>().ok()) else {
        out.find(place, "its root is no hash");
        return Ok(());
    };
    let size = opened(line, "size").and_then(Canon::as_int).and_then(|n| u64::try_from(n).ok());
    if let Some(part) = &line.part {
        if size != Some(part.size) {
            out.find(place, "the size of the exhibit is not opened, or another than its part's");
            return Ok(());
        }
        if !line.opening.leaf_secrets.is_empty() {
            out.find(place, "it gives the salts of leaves that are not shown");
            return Ok(());
        }
        // A reader takes a part's place in the exhibit from its name.
        let ends = |(run, file): (&std::ops::Range<u64>, &String)| {
            let (from, to) = (run.start * LEAF as u64, (run.end * LEAF as u64).min(part.size));
            file.ends_with(&format!(".{from}-{to}"))
        };
        if !part.runs.iter().zip(&line.files).all(ends) {
            out.find(place, "a file of a part is not named by the bytes that it holds");
            return Ok(());
        }
        if part.runs.len() != line.files.len() {
            out.find(place, "a part has one file a run of leaves");
            return Ok(());
        }
        // Leaves are asked for in order, run by run: each file is read once, and one is open.
        let mut open = None;
        let mut read = |leaf: u64| -> io::Result<Vec<u8>> {
            let at = part.runs.iter().position(|run| run.contains(&leaf)).unwrap_or(0);
            let mut bytes = Vec::new();
            let want = leaf_len(part.size, leaf) as u64;
            let mut reader = match open.take() {
                Some((of, reader)) if of == at => reader,
                _ => BufReader::with_capacity(1 << 16, package.reader(&line.files[at])?),
            };
            reader.by_ref().take(want).read_to_end(&mut bytes)?;
            open = Some((at, reader));
            progress(bytes.len() as u64);
            out.bytes += bytes.len() as u64;
            Ok(bytes)
        };
        let verdict = part.check(&root, &mut read)?;
        let longer = part.runs.iter().zip(&line.files).any(|(run, file)| {
            let end = run.end.saturating_mul(LEAF as u64).min(part.size);
            package.files.get(file).is_some_and(|item| {
                item.size > end.saturating_sub(run.start.saturating_mul(LEAF as u64))
            })
        });
        match verdict {
            Err(e) => out.find(place, e.to_string()),
            Ok(()) if longer => out.find(place, "a file is longer than its run of leaves"),
            Ok(()) => out.parts.push(line.index),
        }
        return Ok(());
    }
    let [file] = line.files.as_slice() else {
        if !line.files.is_empty() {
            out.find(place, "a whole exhibit has one file");
        }
        return Ok(());
    };
    let id = opened(line, "exhibit").and_then(Canon::as_text).and_then(|id| id.parse().ok());
    let Some(id) = id else {
        out.find(place, "the exhibit is disclosed, but its id is not opened");
        return Ok(());
    };
    let Some(item) = package.files.get(file) else { return Ok(()) };
    if ExhibitId(item.sha256) != id || Some(item.size) != size {
        out.find(file, format!("it is not the exhibit that record {} seals", line.index));
        return Ok(());
    }
    let secret = match line.opening.leaf_secrets.as_slice() {
        [one] => Node::parse(one).filter(|node| node.depth == 0).map(|node| node.secret),
        _ => None,
    };
    let Some(secret) = secret else {
        out.find(place, "the salts of the exhibit's leaves are missing");
        return Ok(());
    };
    let mut tree = SaltedTree::new(secret);
    let mut from = package.reader(file)?;
    let mut buffer = vec![0; 1 << 18];
    loop {
        let n = from.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        tree.update(&buffer[..n]);
        out.bytes += n as u64;
        progress(n as u64);
    }
    if tree.finish() == root {
        out.whole.push((line.index, id));
    } else {
        out.find(file, format!("it does not lead to the root in record {}", line.index));
    }
    Ok(())
}
