//! One value of a document as a small tree with the span of each part: an element of a long list,
//! say, that a reader wants to look at whole.

use std::ops::Range;

use model::Problem;

use crate::m3u::lines::Line;

use super::{Fault, Json, Kind, Token};

/// A value with its span (of a string: without quotes).
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
    /// The value.
    pub kind: NodeKind,
    /// A string's bytes, where its text is not those bytes themselves.
    raw: Option<Box<[u8]>>,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as written.
    Number(Box<str>),
    /// A string's text; the flag is true where it could not be decoded as it should.
    String(Box<str>, bool),
    /// An array.
    Array(Vec<Node>),
    /// An object's members, in their order; a key may come twice.
    Object(Vec<(Box<str>, Node)>),
}

impl Node {
    /// Where a range of a string's text stood in the exhibit: escapes make it longer there.
    pub fn span_of(&self, range: &Range<usize>) -> (u64, u64) {
        let Some(raw) = &self.raw else {
            return (self.start + range.start as u64, self.start + range.end as u64);
        };
        let places = super::places(raw);
        let place = |i: usize| u64::from(places.get(i).or(places.last()).copied().unwrap_or(0));
        (self.start + place(range.start), self.start + place(range.end))
    }

    /// A string as a line of text whose ranges lead back to the exhibit.
    pub(crate) fn line(&self) -> Option<Line<'_>> {
        let text = self.text()?;
        let map = self.raw.as_deref().map(super::places);
        Some(Line::mapped(text, self.start, map))
    }

    /// An object's first member of that name.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.members().iter().find(|(key, _)| &**key == name).map(|(_, node)| node)
    }

    /// An object's members; none for another value.
    pub fn members(&self) -> &[(Box<str>, Node)] {
        match &self.kind {
            NodeKind::Object(members) => members,
            _ => &[],
        }
    }

    /// An array's elements, or an object's values (PHP writes a list with gaps as an object); none
    /// for another value.
    pub fn elements(&self) -> Vec<&Node> {
        match &self.kind {
            NodeKind::Array(nodes) => nodes.iter().collect(),
            NodeKind::Object(members) => members.iter().map(|(_, node)| node).collect(),
            _ => Vec::new(),
        }
    }

    /// The nodes just below.
    pub(crate) fn children(&self) -> Box<dyn Iterator<Item = &Node> + '_> {
        match &self.kind {
            NodeKind::Array(nodes) => Box::new(nodes.iter()),
            NodeKind::Object(members) => Box::new(members.iter().map(|(_, node)| node)),
            _ => Box::new(std::iter::empty()),
        }
    }

    /// True for a string that could not be decoded whole.
    pub(crate) fn lossy(&self) -> bool {
        matches!(self.kind, NodeKind::String(_, true))
    }

    /// Members as an object that spans them.
    pub(crate) fn object(members: Vec<(Box<str>, Node)>) -> Self {
        let start = members.first().map_or(0, |(_, n)| n.start);
        let end = members.last().map_or(start, |(_, n)| n.end);
        Self { start, end, kind: NodeKind::Object(members), raw: None }
    }

    /// A string's or number's text; `None` for another value, `null` included.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::String(text, _) | NodeKind::Number(text) => Some(text),
            _ => None,
        }
    }

    /// An integer, written as a number or as a string of digits.
    pub fn int(&self) -> Option<i64> {
        self.text()?.trim().parse().ok()
    }

    /// Yes or no, written as a word, a number, or a string of either.
    pub fn bool(&self) -> Option<bool> {
        match &self.kind {
            NodeKind::Bool(b) => Some(*b),
            _ => match self.text()?.trim() {
                "0" | "false" => Some(false),
                "1" | "true" => Some(true),
                _ => None,
            },
        }
    }

    /// True for `null`, an empty string, `[]` and `{}`: what panels write for "nothing".
    pub fn is_empty(&self) -> bool {
        match &self.kind {
            NodeKind::Null => true,
            NodeKind::String(text, _) => text.is_empty(),
            NodeKind::Array(nodes) => nodes.is_empty(),
            NodeKind::Object(members) => members.is_empty(),
            _ => false,
        }
    }
}

impl Json<'_, '_> {
    /// The whole value that `token`, just given, begins. `None` where the document ends inside it,
    /// or where it holds more than `limit` bytes of text (16 bytes reckoned a value): then it is
    /// passed over. Problems go to `report`; for a value over the limit, a `Bound` problem with
    /// the bytes passed over, which are reckoned as read, not as lost, since the grammar was.
    pub fn node(
        &mut self,
        token: &Held,
        limit: usize,
        report: &mut dyn FnMut(Problem),
    ) -> Option<Node> {
        let object = match token.kind {
            Kind::ObjectStart => true,
            Kind::ArrayStart => false,
            _ => return token.node.clone(),
        };
        let base = self.depth();
        let mut open = vec![Building::new(token.start, object)];
        let mut held = 0usize;
        while let Some(token) = self.next() {
            if let Some(problem) = token.problem() {
                report(problem);
                continue;
            }
            held += 16 + token.raw.len();
            if held > limit {
                let (kind, depth) = (token.kind, token.depth);
                let start = open[0].start;
                drop(open);
                return self.over_limit(start, kind, depth, base, report);
            }
            match token.kind {
                Kind::Key => {
                    if let Some(last) = open.last_mut() {
                        last.key = Some(token.text().0.into());
                    }
                }
                Kind::ObjectStart | Kind::ArrayStart => {
                    open.push(Building::new(token.start, token.kind == Kind::ObjectStart));
                }
                Kind::ObjectEnd | Kind::ArrayEnd => {
                    let node = open.pop()?.done(token.end);
                    match open.last_mut() {
                        Some(outer) => outer.add(node),
                        None => return Some(node),
                    }
                }
                _ => {
                    if let (Some(last), Some(node)) = (open.last_mut(), scalar(&token)) {
                        last.add(node);
                    }
                }
            }
        }
        None
    }

    fn over_limit(
        &mut self,
        start: u64,
        kind: Kind,
        depth: usize,
        base: usize,
        report: &mut dyn FnMut(Problem),
    ) -> Option<Node> {
        let closed =
            |kind, depth| matches!(kind, Kind::ObjectEnd | Kind::ArrayEnd) && depth == base;
        let mut done = closed(kind, depth);
        while !done {
            let Some(token) = self.next() else { break };
            done = closed(token.kind, token.depth);
            if let Some(problem) = token.problem() {
                report(problem);
            }
        }
        let (kind, _, _) = Fault::TooLong.about();
        report(Problem {
            start,
            end: self.offset(),
            kind,
            message: "a value larger than is looked into".to_owned(),
            lost: false,
        });
        None
    }
}

/// What [`Json::node`] needs of a token, without its loan.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    kind: Kind,
    start: u64,
    node: Option<Node>,
}

impl Token<'_> {
    /// The token without its loan, to be handed to [`Json::node`].
    pub fn held(&self) -> Held {
        Held { kind: self.kind, start: self.start, node: scalar(self) }
    }
}

struct Building {
    start: u64,
    object: bool,
    key: Option<Box<str>>,
    members: Vec<(Box<str>, Node)>,
    elements: Vec<Node>,
}

impl Building {
    fn new(start: u64, object: bool) -> Self {
        Self { start, object, key: None, members: Vec::new(), elements: Vec::new() }
    }

    fn add(&mut self, node: Node) {
        if !self.object {
            self.elements.push(node);
        } else if let Some(key) = self.key.take() {
            self.members.push((key, node));
        }
    }

    fn done(self, end: u64) -> Node {
        let kind = if self.object {
            NodeKind::Object(self.members)
        } else {
            NodeKind::Array(self.elements)
        };
        Node { start: self.start, end, kind, raw: None }
    }
}

fn scalar(token: &Token<'_>) -> Option<Node> {
    let mut raw = None;
    let kind = match token.kind {
        Kind::String => {
            let (text, lossy) = token.text();
            if lossy || text.len() != token.raw.len() {
                raw = Some(token.raw.into());
            }
            NodeKind::String(text.into(), lossy)
        }
        Kind::Number => NodeKind::Number(token.text().0.into()),
        Kind::True => NodeKind::Bool(true),
        Kind::False => NodeKind::Bool(false),
        Kind::Null => NodeKind::Null,
        _ => return None,
    };
    Some(Node { start: token.start, end: token.end, kind, raw })
}
