//! The files of a torrent, v1 and v2, and whether they are ones that a client may take.
//!
//! The checks are those of BEP 3, 47 and 52, with the bounds that clients share: pieces of at most
//! 32,767 × 16 KiB, files below 2^44 bytes, 2,097,152 pieces, folders 100 deep.

use std::collections::HashMap;
use std::ops::Range;

use super::bencode::Tree;
use super::names;
use super::verdict::{Refusal, refuse};

/// The smallest piece of a v2 torrent, and the size of a leaf (BEP 52).
pub(super) const BLOCK: u64 = 16 * 1024;
const MAX_PIECE: u64 = 32_767 * BLOCK;
const MAX_FILE: u64 = ((1 << 30) - 1) * BLOCK;
const MAX_PIECES: u64 = 0x20_0000;
const MAX_DEPTH: usize = 100;
const MAX_TRIALS: u64 = 500;

/// A file.
#[derive(Debug, Clone)]
pub(super) struct File {
    /// The parts of its name below the torrent's own, as they stand.
    pub parts: Vec<Range<usize>>,
    /// Where the name stands as a whole.
    pub at: Range<usize>,
    /// Bytes.
    pub size: u64,
    /// Padding (BEP 47).
    pub pad: bool,
    /// A symbolic link's target.
    pub link: Option<Vec<Range<usize>>>,
    /// v2: the root of its hash tree.
    pub root: Option<Range<usize>>,
}

/// What an info dict says of the content.
#[derive(Debug)]
pub(super) struct Layout {
    /// 1, or 2 for v2 and hybrid.
    pub version: i64,
    /// True where v1 clients can take it too.
    pub v1: bool,
    /// Bytes a piece.
    pub piece_length: u64,
    /// Where the digits of `piece length` stand.
    pub piece_length_at: Range<usize>,
    /// The torrent's name, where it stands.
    pub name: Range<usize>,
    /// The files, padding included.
    pub files: Vec<File>,
    /// Where the list of files stands.
    pub files_at: Range<usize>,
    /// The sum of all but padding.
    pub size: u64,
    /// v2: roots of hash trees, and their files' sizes.
    pub roots: Vec<([u8; 32], u64)>,
}

/// Reads and judges an info dict.
pub(super) fn layout(tree: &Tree<'_>, info: usize) -> Result<Layout, Refusal> {
    let whole = tree.node(info).whole.clone();
    let version = tree.int_of(info, "meta version").map_or(-1, |v| v.0);
    if version > 0 {
        let inside = |at: &Range<usize>| whole.start <= at.start && at.end <= whole.end;
        if let Some(blemish) = tree.blemishes.iter().find(|b| inside(&b.at)) {
            return refuse(blemish.what, &blemish.at);
        }
        if version > 2 {
            return refuse("a meta version that nobody has defined", &whole);
        }
    }
    let Some((length, at)) = tree.int_of(info, "piece length") else {
        return refuse("no piece length", &whole);
    };
    let piece_length_at = tree.node(at).body.clone();
    let piece_length = u64::try_from(length).unwrap_or(0);
    if piece_length == 0 || piece_length > MAX_PIECE {
        return refuse("a piece length out of bounds", &piece_length_at);
    }
    if version > 1 && (piece_length < BLOCK || !piece_length.is_power_of_two()) {
        return refuse("a piece length that is no power of two from 16 KiB on", &piece_length_at);
    }
    let Some(name) = tree.bytes_of(info, "name.utf-8").or_else(|| tree.bytes_of(info, "name"))
    else {
        return refuse("no name", &whole);
    };

    let list = tree.list_of(info, "files");
    let file_tree = tree.dict_of(info, "file tree");
    let has_length = tree.get(info, "length").is_some();
    let v2 = match (version >= 2, file_tree) {
        (true, Some(node)) => Some(v2_files(tree, node)?),
        (true, None) => return refuse("version 2 without a file tree", &whole),
        (false, Some(node)) => {
            return refuse("a file tree without version 2", &tree.node(node).whole);
        }
        (false, None) => None,
    };
    let v1 = match list {
        Some(node) => {
            Some(tree.list(node).iter().map(|n| v1_file(tree, *n)).collect::<Result<Vec<_>, _>>()?)
        }
        None if v2.is_none() || has_length => Some(vec![single_file(tree, info, &name)?]),
        None => None,
    };
    let both = v2.is_some() && v1.is_some();
    if let (Some(new), Some(old)) = (&v2, &v1)
        && !same_files(tree, new, old, piece_length, list.is_none(), &name)
    {
        return refuse("its v1 and its v2 files are not the same", &whole);
    }
    let files_at = list.or(file_tree).map_or(name.clone(), |n| tree.node(n).whole.clone());
    let has_v1 = v1.is_some();
    let roots = v2.iter().flatten().filter_map(|file| {
        let root = tree.slice(file.root.as_ref()?);
        Some((root.try_into().ok()?, file.size))
    });
    let roots = roots.collect();
    let files = if both { v1.or(v2) } else { v2.or(v1) }.unwrap_or_default();
    if files.is_empty() {
        return refuse("no files", &files_at);
    }
    let pieces = check_sizes(tree, info, &files, &files_at, version, piece_length)?;
    check_twins(tree, &files, &files_at)?;
    let size = files.iter().filter(|f| !f.pad).map(|f| f.size).sum();
    debug_assert!(pieces <= MAX_PIECES);
    Ok(Layout {
        version: version.max(1),
        v1: has_v1,
        piece_length,
        piece_length_at,
        name,
        files,
        files_at,
        size,
        roots,
    })
}

/// Sums, the number of pieces, and the hashes of v1.
fn check_sizes(
    tree: &Tree<'_>,
    info: usize,
    files: &[File],
    at: &Range<usize>,
    version: i64,
    piece_length: u64,
) -> Result<u64, Refusal> {
    let aligned = version >= 2;
    let mut total = 0u64;
    for file in files {
        if aligned && !file.pad && file.size > 0 {
            // Every v2 file begins a piece.
            total = total.div_ceil(piece_length) * piece_length;
        }
        total = total.saturating_add(file.size);
        if total >= 1 << 48 {
            return refuse("more than 2^48 bytes", at);
        }
    }
    let pieces = total.div_ceil(piece_length);
    if pieces > MAX_PIECES {
        return refuse("more than 2,097,152 pieces", at);
    }
    match tree.get(info, "pieces").map(|n| (tree.string_at(n), n)) {
        Some((Some(hashes), _)) if hashes.len() as u64 != pieces * 20 => {
            return refuse("another number of piece hashes than of pieces", &hashes);
        }
        Some((Some(_), _)) => {}
        other if version < 2 => {
            let at = other.map_or(at.clone(), |(_, n)| tree.node(n).whole.clone());
            return refuse("no piece hashes", &at);
        }
        _ => {}
    }
    if total == 0 {
        return refuse("no bytes in any file", at);
    }
    Ok(pieces)
}

/// Names that stand twice can be told apart by a number, tried from 1 on; a torrent that takes more
/// than 500 failed trials is made to waste time.
fn check_twins(tree: &Tree<'_>, files: &[File], at: &Range<usize>) -> Result<(), Refusal> {
    let mut seen: HashMap<String, u64> = HashMap::new();
    for file in files.iter().filter(|f| !f.pad && !f.parts.is_empty()) {
        *seen.entry(shown(tree, file).to_lowercase()).or_default() += 1;
    }
    let trials: u64 = seen.values().map(|n| (n - 1) * n.saturating_sub(2) / 2).sum();
    if trials > MAX_TRIALS { refuse("names that stand too often", at) } else { Ok(()) }
}

/// A file's name below the torrent's, made harmless.
pub(super) fn shown(tree: &Tree<'_>, file: &File) -> String {
    let parts: Vec<String> = file.parts.iter().map(|p| names::harmless(tree.slice(p)).0).collect();
    parts.join("/")
}

struct Attributes {
    pad: bool,
    link: bool,
}

fn attributes(tree: &Tree<'_>, dict: usize) -> Attributes {
    let attr = tree.bytes_of(dict, "attr").map_or(&[][..], |at| tree.slice(&at));
    Attributes { pad: attr.contains(&b'p'), link: attr.contains(&b'l') }
}

fn size_of(tree: &Tree<'_>, dict: usize, link: bool) -> Result<u64, Refusal> {
    if link {
        return Ok(0);
    }
    let at = tree.node(dict).whole.clone();
    match tree.int_of(dict, "length") {
        None => refuse("a file without a length", &at),
        Some((length, node)) => match u64::try_from(length) {
            Ok(size) if size < MAX_FILE => Ok(size),
            _ => refuse("a file's length out of bounds", &tree.node(node).body),
        },
    }
}

/// The parts of a path that is a list of strings.
fn parts(tree: &Tree<'_>, list: usize) -> Result<Vec<Range<usize>>, Refusal> {
    let items = tree.list(list);
    if items.len() > MAX_DEPTH {
        return refuse("folders more than 100 deep", &tree.node(list).whole);
    }
    let part = |n: &usize| match tree.string_at(*n) {
        Some(at) => Ok(at),
        None => refuse("a name that is no string", &tree.node(*n).whole),
    };
    items.iter().map(part).collect()
}

fn link_of(tree: &Tree<'_>, dict: usize, link: bool) -> Result<Option<Vec<Range<usize>>>, Refusal> {
    match tree.list_of(dict, "symlink path") {
        Some(list) if link => parts(tree, list).map(Some),
        _ => Ok(None),
    }
}

fn v1_file(tree: &Tree<'_>, dict: usize) -> Result<File, Refusal> {
    let whole = tree.node(dict).whole.clone();
    if !tree.is_dict(dict) {
        return refuse("a file that is no dict", &whole);
    }
    let Attributes { pad, link } = attributes(tree, dict);
    let size = size_of(tree, dict, link)?;
    let path = tree.list_of(dict, "path.utf-8").or_else(|| tree.list_of(dict, "path"));
    let (parts, at) = match path {
        Some(list) if !tree.list(list).is_empty() => {
            (parts(tree, list)?, tree.node(list).body.clone())
        }
        _ if pad => (Vec::new(), whole.clone()),
        _ => return refuse("a file without a name", &whole),
    };
    let pad =
        pad || parts.iter().any(|p| tree.slice(p).windows(17).any(|w| w == b"_____padding_file"));
    Ok(File { parts, at, size, pad, link: link_of(tree, dict, link)?, root: None })
}

fn single_file(tree: &Tree<'_>, info: usize, name: &Range<usize>) -> Result<File, Refusal> {
    let Attributes { pad, link } = attributes(tree, info);
    let size = size_of(tree, info, link)?;
    if names::says_nothing(tree.slice(name)) {
        return refuse("a single file without a name", name);
    }
    let link = link_of(tree, info, link)?;
    Ok(File { parts: Vec::new(), at: name.clone(), size, pad, link, root: None })
}

/// The files of a v2 tree, in its order; not recursive, the depth is the file's own.
fn v2_files(tree: &Tree<'_>, root: usize) -> Result<Vec<File>, Refusal> {
    let mut files = Vec::new();
    let mut stack: Vec<(usize, usize, Vec<Range<usize>>)> = vec![(root, 0, Vec::new())];
    while let Some((dict, next, path)) = stack.pop() {
        let Some((key, node)) = tree.items(dict).get(next).cloned() else { continue };
        stack.push((dict, next + 1, path.clone()));
        let whole = tree.node(node).whole.clone();
        if !tree.is_dict(node) {
            return refuse("an entry of the file tree that is no dict", &whole);
        }
        if key.is_empty() {
            return refuse("a file tree's name that is empty", &whole);
        }
        let mut parts = path;
        parts.push(key.clone());
        match tree.items(node) {
            [(empty, leaf)] if empty.is_empty() => files.push(v2_file(tree, *leaf, parts, key)?),
            _ if parts.len() > MAX_DEPTH => return refuse("folders more than 100 deep", &whole),
            _ => stack.push((node, 0, parts)),
        }
    }
    Ok(files)
}

fn v2_file(
    tree: &Tree<'_>,
    leaf: usize,
    parts: Vec<Range<usize>>,
    at: Range<usize>,
) -> Result<File, Refusal> {
    let whole = tree.node(leaf).whole.clone();
    if !tree.is_dict(leaf) {
        return refuse("a file that is no dict", &whole);
    }
    let Attributes { pad, link } = attributes(tree, leaf);
    if pad {
        return refuse("a padding file in a v2 tree", &whole);
    }
    let size = size_of(tree, leaf, link)?;
    let target = link_of(tree, leaf, link)?;
    let root = tree.bytes_of(leaf, "pieces root");
    let is_link = target.as_ref().is_some_and(|t| !t.is_empty());
    if size > 0 && !is_link {
        match &root {
            Some(at) if at.len() == 32 && tree.slice(at).iter().any(|b| *b != 0) => {}
            Some(at) => return refuse("a pieces root that is none", at),
            None => return refuse("a file without a pieces root", &whole),
        }
    }
    Ok(File { parts, at, size, pad, link: target, root })
}

/// Whether a hybrid's two lists hold the same files at the same offsets. Padding and empty files
/// may differ.
fn same_files(
    tree: &Tree<'_>,
    new: &[File],
    old: &[File],
    piece_length: u64,
    single: bool,
    name: &Range<usize>,
) -> bool {
    let text = |file: &File| -> Vec<String> {
        file.parts.iter().map(|p| names::harmless(tree.slice(p)).0).collect()
    };
    let mut a = Vec::new();
    let mut offset = 0u64;
    for file in new.iter().filter(|f| f.size > 0) {
        offset = offset.div_ceil(piece_length) * piece_length;
        a.push((text(file), file.size, offset));
        offset = offset.saturating_add(file.size);
    }
    let mut b = Vec::new();
    let mut offset = 0u64;
    for file in old {
        if !file.pad && file.size > 0 {
            let path = if single { vec![names::harmless(tree.slice(name)).0] } else { text(file) };
            b.push((path, file.size, offset));
        }
        offset = offset.saturating_add(file.size);
    }
    a == b
}
