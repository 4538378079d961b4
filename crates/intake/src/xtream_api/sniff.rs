//! Telling a panel's answers from any other JSON by their members.

use std::collections::BTreeSet;

use crate::json::{Json, Kind};
use crate::parser::Confidence;

/// How many tokens of a head are looked at.
const TOKENS: usize = 4000;

pub(super) fn sniff(head: &[u8], _name: &str) -> Confidence {
    let mut json = Json::slice(head, 0);
    // The members of the outermost object; of the first objects in it or in the outermost list.
    let mut outer = BTreeSet::new();
    let mut inner = BTreeSet::new();
    let mut list = None;
    for _ in 0..TOKENS {
        let Some(token) = json.next() else { break };
        match token.kind {
            Kind::Broken(_) if outer.is_empty() && inner.is_empty() => return Confidence::NO,
            Kind::ObjectStart | Kind::ArrayStart if list.is_none() => {
                list = Some(token.kind == Kind::ArrayStart);
            }
            Kind::Key => {
                let set = if token.depth == 1 { &mut outer } else { &mut inner };
                if token.depth <= 3 && set.len() < 256 {
                    set.insert(token.text().0.into_owned());
                }
            }
            // The first object of a list tells.
            Kind::ObjectEnd if list == Some(true) && token.depth == 2 => break,
            _ if list.is_none() => return Confidence::NO,
            _ => {}
        }
    }
    let outer = |names: &[&str]| names.iter().all(|n| outer.contains(*n));
    let inner = |names: &[&str]| names.iter().all(|n| inner.contains(*n));
    Confidence(match list {
        Some(false) if outer(&["user_info", "server_info"]) => 93,
        Some(false) if outer(&["user_info"]) && (inner(&["auth"]) || inner(&["username"])) => 88,
        Some(false) if outer(&["epg_listings"]) => 88,
        Some(false) if outer(&["movie_data"]) => 85,
        Some(false) if outer(&["episodes"]) && (outer(&["info"]) || outer(&["seasons"])) => 85,
        Some(false) if outer(&["username", "password", "exp_date"]) => 82,
        Some(false) if outer(&["url", "port", "server_protocol"]) => 82,
        Some(true) if inner(&["user_info", "server_info"]) => 88,
        Some(true) if inner(&["category_id", "category_name"]) => 85,
        Some(true)
            if inner(&["stream_id", "name"])
                && (inner(&["stream_type"]) || inner(&["category_id"])) =>
        {
            88
        }
        Some(true) if inner(&["series_id", "name", "category_id"]) => 85,
        _ => 0,
    })
}
