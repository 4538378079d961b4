//! Bencode (BEP 3) with the place of everything.
//!
//! Strict in its grammar: what breaks it is an error at a byte. Loose where files in the world are:
//! leading zeros and keys out of order are read and noted, as a v1 torrent's readers do.

use std::ops::Range;

/// The deepest nesting that is read.
pub const MAX_DEPTH: usize = 100;
/// The most values that are read from one file.
pub const MAX_NODES: usize = 3_000_000;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// An integer.
    Int(i64),
    /// A string; its bytes stand at [`Node::body`].
    Bytes,
    /// The items' numbers.
    List(Vec<usize>),
    /// Keys' places (without length and colon) and values' numbers, in the file's order.
    Dict(Vec<(Range<usize>, usize)>),
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// From its first byte to one past its last.
    pub whole: Range<usize>,
    /// Without its delimiters: an integer's digits, a string's bytes, what a list or dict holds.
    pub body: Range<usize>,
}

/// What the grammar allows but BEP 3 forbids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blemish {
    /// What.
    pub what: &'static str,
    /// Where.
    pub at: Range<usize>,
}

/// Why bytes are not bencode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What.
    pub what: &'static str,
    /// The byte where it shows.
    pub at: usize,
}

/// A file read.
#[derive(Debug)]
pub struct Tree<'a> {
    bytes: &'a [u8],
    nodes: Vec<Node>,
    /// Leading zeros, keys out of order or twice.
    pub blemishes: Vec<Blemish>,
}

impl<'a> Tree<'a> {
    /// Reads the one value that `bytes` begins with; [`Tree::end`] tells where it ends.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Fault> {
        let mut tree = Self { bytes, nodes: Vec::new(), blemishes: Vec::new() };
        let mut at = 0;
        // Open lists and dicts, and the key that waits for its value.
        let mut open: Vec<(usize, Option<Range<usize>>)> = Vec::new();
        loop {
            let Some(first) = bytes.get(at) else {
                return Err(Fault { what: "it ends in the middle of a value", at });
            };
            if tree.nodes.len() >= MAX_NODES {
                return Err(Fault { what: "more than 3,000,000 values", at });
            }
            let wants_key = open.last().is_some_and(|(node, key)| {
                key.is_none() && matches!(tree.nodes[*node].kind, Kind::Dict(_))
            });
            match first {
                b'e' if !open.is_empty() => {
                    let Some((node, None)) = open.pop() else {
                        return Err(Fault { what: "a key without a value", at });
                    };
                    at += 1;
                    tree.nodes[node].whole.end = at;
                    tree.nodes[node].body.end = at - 1;
                    tree.check_order(node);
                    if tree.attach(&mut open, node) {
                        return Ok(tree);
                    }
                }
                b'0'..=b'9' if wants_key => {
                    let body = tree.string(at)?;
                    at = body.end;
                    if let Some(top) = open.last_mut() {
                        top.1 = Some(body);
                    }
                }
                _ if wants_key => return Err(Fault { what: "a key that is no string", at }),
                b'0'..=b'9' => {
                    let body = tree.string(at)?;
                    let node = Node { kind: Kind::Bytes, whole: at..body.end, body };
                    at = node.whole.end;
                    tree.nodes.push(node);
                    if tree.attach(&mut open, tree.nodes.len() - 1) {
                        return Ok(tree);
                    }
                }
                b'i' => {
                    at = tree.int(at)?;
                    if tree.attach(&mut open, tree.nodes.len() - 1) {
                        return Ok(tree);
                    }
                }
                b'l' | b'd' => {
                    if open.len() >= MAX_DEPTH {
                        return Err(Fault { what: "nested deeper than 100", at });
                    }
                    let kind = if *first == b'l' {
                        Kind::List(Vec::new())
                    } else {
                        Kind::Dict(Vec::new())
                    };
                    tree.nodes.push(Node { kind, whole: at..at, body: at + 1..at + 1 });
                    open.push((tree.nodes.len() - 1, None));
                    at += 1;
                }
                _ => return Err(Fault { what: "a byte that begins no value", at }),
            }
        }
    }

    /// Puts a finished value where it belongs; true if it is the root.
    fn attach(&mut self, open: &mut [(usize, Option<Range<usize>>)], node: usize) -> bool {
        let Some((parent, key)) = open.last_mut() else { return true };
        match (&mut self.nodes[*parent].kind, key.take()) {
            (Kind::Dict(items), Some(key)) => items.push((key, node)),
            (Kind::List(items), _) => items.push(node),
            _ => {}
        }
        false
    }

    fn string(&mut self, at: usize) -> Result<Range<usize>, Fault> {
        let digits = self.bytes[at..].iter().take(20).take_while(|b| b.is_ascii_digit()).count();
        let fault = Err(Fault { what: "a string longer than the file", at });
        match self.bytes.get(at + digits) {
            Some(b':') => {}
            None => return fault,
            Some(_) => return Err(Fault { what: "a string's length without a colon", at }),
        }
        let text = std::str::from_utf8(&self.bytes[at..at + digits]).unwrap_or("");
        let Ok(len) = text.parse::<usize>() else { return fault };
        if digits > 1 && text.starts_with('0') {
            self.blemishes
                .push(Blemish { what: "a leading zero in a length", at: at..at + digits });
        }
        let start = at + digits + 1;
        match start.checked_add(len) {
            Some(end) if end <= self.bytes.len() => Ok(start..end),
            _ => fault,
        }
    }

    fn int(&mut self, at: usize) -> Result<usize, Fault> {
        let rest = &self.bytes[at + 1..];
        let Some(len) = rest.iter().take(24).position(|b| *b == b'e') else {
            return Err(Fault { what: "an integer without an end", at });
        };
        let text = std::str::from_utf8(&rest[..len]).unwrap_or("");
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Fault { what: "an integer that is none", at });
        }
        let Ok(value) = text.parse() else {
            return Err(Fault { what: "an integer beyond 64 bits", at });
        };
        let body = at + 1..at + 1 + len;
        if (digits.len() > 1 && digits.starts_with('0')) || text == "-0" {
            self.blemishes.push(Blemish { what: "a leading zero in an integer", at: body.clone() });
        }
        let end = body.end + 1;
        self.nodes.push(Node { kind: Kind::Int(value), whole: at..end, body });
        Ok(end)
    }

    fn check_order(&mut self, node: usize) {
        let Kind::Dict(items) = &self.nodes[node].kind else { return };
        let bad = items.windows(2).find_map(|pair| {
            let (a, b) = (&self.bytes[pair[0].0.clone()], &self.bytes[pair[1].0.clone()]);
            match a.cmp(b) {
                std::cmp::Ordering::Less => None,
                std::cmp::Ordering::Equal => Some(("a key that stands twice", pair[1].0.clone())),
                std::cmp::Ordering::Greater => Some(("keys out of order", pair[1].0.clone())),
            }
        });
        if let Some((what, at)) = bad {
            self.blemishes.push(Blemish { what, at });
        }
    }

    /// The root's number.
    pub fn root(&self) -> usize {
        // The root is finished last and begun first; a root that is no list or dict is alone.
        0
    }

    /// One past the root's last byte.
    pub fn end(&self) -> usize {
        self.nodes.first().map_or(0, |n| n.whole.end)
    }

    /// A value.
    pub fn node(&self, node: usize) -> &Node {
        &self.nodes[node]
    }

    /// The bytes of a range.
    pub fn slice(&self, range: &Range<usize>) -> &'a [u8] {
        &self.bytes[range.clone()]
    }

    /// A dict's items.
    pub fn items(&self, node: usize) -> &[(Range<usize>, usize)] {
        match &self.nodes[node].kind {
            Kind::Dict(items) => items,
            _ => &[],
        }
    }

    /// A list's items.
    pub fn list(&self, node: usize) -> &[usize] {
        match &self.nodes[node].kind {
            Kind::List(items) => items,
            _ => &[],
        }
    }

    /// The value of a dict's key, the first where it stands twice.
    pub fn get(&self, dict: usize, key: &str) -> Option<usize> {
        self.items(dict).iter().find(|(k, _)| self.slice(k) == key.as_bytes()).map(|(_, v)| *v)
    }

    /// A key's value, if it is an integer.
    pub fn int_of(&self, dict: usize, key: &str) -> Option<(i64, usize)> {
        let node = self.get(dict, key)?;
        match self.nodes[node].kind {
            Kind::Int(value) => Some((value, node)),
            _ => None,
        }
    }

    /// A key's value, if it is a string: its bytes' place.
    pub fn bytes_of(&self, dict: usize, key: &str) -> Option<Range<usize>> {
        self.string_at(self.get(dict, key)?)
    }

    /// A value's bytes' place, if it is a string.
    pub fn string_at(&self, node: usize) -> Option<Range<usize>> {
        let node = &self.nodes[node];
        (node.kind == Kind::Bytes).then(|| node.body.clone())
    }

    /// A key's value, if it is a list.
    pub fn list_of(&self, dict: usize, key: &str) -> Option<usize> {
        self.get(dict, key).filter(|n| matches!(self.nodes[*n].kind, Kind::List(_)))
    }

    /// A key's value, if it is a dict.
    pub fn dict_of(&self, dict: usize, key: &str) -> Option<usize> {
        self.get(dict, key).filter(|n| self.is_dict(*n))
    }

    /// True for a dict.
    pub fn is_dict(&self, node: usize) -> bool {
        matches!(self.nodes[node].kind, Kind::Dict(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_their_places() {
        let bytes = b"d1:ai-7e1:bl2:xyi0eee rest";
        let tree = Tree::read(bytes).unwrap();
        assert_eq!(tree.end(), 21);
        let (value, node) = tree.int_of(tree.root(), "a").unwrap();
        assert_eq!((value, tree.slice(&tree.node(node).body.clone())), (-7, &b"-7"[..]));
        let list = tree.list_of(tree.root(), "b").unwrap();
        assert_eq!(tree.slice(&tree.string_at(tree.list(list)[0]).unwrap()), b"xy");
        assert!(tree.blemishes.is_empty());
    }

    #[test]
    fn what_is_no_bencode() {
        for bad in [
            "",
            "x",
            "i",
            "ie",
            "i-e",
            "i1",
            "i1x2e",
            "i99999999999999999999e",
            "5:abc",
            "5",
            "5x",
            "l",
            "li1e",
            "d",
            "d1:a",
            "d1:ae",
            "di1ei2ee",
            "dlei1ee",
            "e",
            "99999999999999999999:a",
        ] {
            assert!(Tree::read(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(Tree::read("l".repeat(101).as_bytes()).is_err());
        assert!(Tree::read(format!("{}{}", "l".repeat(100), "e".repeat(100)).as_bytes()).is_ok());
        for (loose, what) in [
            ("i007e", "a leading zero in an integer"),
            ("i-0e", "a leading zero in an integer"),
            ("02:ab", "a leading zero in a length"),
            ("d1:bi1e1:ai1ee", "keys out of order"),
            ("d1:ai1e1:ai1ee", "a key that stands twice"),
        ] {
            assert_eq!(Tree::read(loose.as_bytes()).unwrap().blemishes[0].what, what);
        }
    }
}
