//! The table in `docs/piracy-shield.md` says of every route what the router does, and of no other.

use std::path::Path;

use piracy_shield::{Caller, ROUTES, Route};

/// A row of the table.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: String,
    pub(crate) who: String,
    pub(crate) refused: String,
    pub(crate) here: String,
}

pub(crate) fn rows() -> Vec<Row> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/piracy-shield.md");
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| line.starts_with("| GET") || line.starts_with("| POST"));
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [method, path, body, who, refused, here] = cells[..] else { panic!("{line}") };
        let own = str::to_owned;
        Row {
            method: own(method),
            path: path.replace('`', ""),
            body: body.replace('`', ""),
            who: own(who),
            refused: own(refused),
            here: own(here),
        }
    };
    lines.map(row).collect()
}

/// A caller as the table calls it.
pub(crate) fn word(caller: Caller) -> &'static str {
    match caller {
        Caller::Internal => "internal",
        Caller::Reporter => "reporter",
        Caller::Provider => "provider",
        Caller::Guest => "guest",
    }
}

fn body(route: &Route) -> String {
    if route.path.starts_with("/forensic/upload") {
        return "form".to_owned();
    }
    let required = route.required.iter().map(|field| (*field).to_owned());
    let optional = route.optional.iter().map(|field| format!("{field}?"));
    let all: Vec<String> = required.chain(optional).collect();
    if all.is_empty() { "–".to_owned() } else { all.join(", ") }
}

#[test]
fn the_table_and_the_router_are_one() {
    let rows = rows();
    let path = |row: &Row| row.path.clone();
    let (said, done): (Vec<_>, Vec<_>) = (
        rows.iter().map(path).collect(),
        ROUTES.iter().map(|route| route.path.to_owned()).collect(),
    );
    assert_eq!(said, done, "the table's routes, in the router's order");
    for (row, route) in rows.iter().zip(ROUTES) {
        assert_eq!(row.method, route.method.words(), "{}", row.path);
        assert_eq!(row.body, body(route), "{}", row.path);
        let let_in: Vec<&str> = row.who.split(", ").collect();
        let known = |word: &&str| {
            Caller::ALL.iter().any(|caller| self::word(*caller) == *word) || *word == "anybody"
        };
        assert!(let_in.iter().all(known), "{row:?}");
        assert_eq!(
            row.who == "anybody",
            !route.signed || route.path == "/authentication/logout",
            "{row:?}"
        );
        let mut refused: Vec<String> = Vec::new();
        for caller in Caller::ALL
            .into_iter()
            .filter(|caller| row.who != "anybody" && !let_in.contains(&word(*caller)))
        {
            let code = route.denied(caller);
            let text = format!("{} {}", code.status, code.number);
            if !refused.contains(&text) {
                refused.push(text);
            }
        }
        refused.sort_unstable();
        let refused = if refused.is_empty() { "–".to_owned() } else { refused.join(", ") };
        assert_eq!(row.refused, refused, "{}", row.path);
        assert!(row.here.len() > 5, "{row:?}");
    }
    assert!(rows.len() >= 86, "{}", rows.len());
}

/// No route of the table's is a route twice.
#[test]
fn no_route_is_named_twice() {
    let mut all: Vec<_> = ROUTES.iter().map(|route| route.path).collect();
    all.sort_unstable();
    let count = all.len();
    all.dedup();
    assert_eq!(all.len(), count);
}
