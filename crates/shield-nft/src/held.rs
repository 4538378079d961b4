//! What the kernel holds, as `nft -j list table` tells it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde_json::Value;
use shield::Item;

/// Each element with the time it has left, whole seconds as nft gives them. What is none of ours, or has no
/// timeout, is counted: nothing of ours is without one.
pub(crate) fn read(json: &str) -> Option<(BTreeMap<Item, Duration>, usize)> {
    let listed: Value = serde_json::from_str(json).ok()?;
    let (mut held, mut strange) = (BTreeMap::new(), 0);
    for object in listed.get("nftables")?.as_array()? {
        let elements = object.get("set").and_then(|set| set.get("elem")).and_then(Value::as_array);
        for element in elements.into_iter().flatten() {
            match one(element) {
                Some((item, left)) => drop(held.insert(item, left)),
                None => strange += 1,
            }
        }
    }
    Some((held, strange))
}

fn one(element: &Value) -> Option<(Item, Duration)> {
    let element = element.get("elem")?;
    let left = Duration::from_secs(element.get("expires")?.as_u64()?);
    let value = element.get("val")?;
    let ip = |text: &Value| text.as_str()?.parse::<IpAddr>().ok();
    let item = match value.get("concat").and_then(Value::as_array).map(Vec::as_slice) {
        None => Item::Address(ip(value)?),
        Some([address, port]) => {
            let port = u16::try_from(port.as_u64()?).ok()?;
            Item::Endpoint(SocketAddr::new(ip(address)?, port))
        }
        Some(_) => return None,
    };
    Some((item, left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nft_lists_is_read_and_what_has_no_end_is_counted() {
        let json = r#"{"nftables": [{"metainfo": {"version": "1.0.6"}}, {"set": {"name": "v4", "elem": [
            {"elem": {"val": "198.51.100.7", "timeout": 3, "expires": 2}}, "198.51.100.8"]}},
            {"set": {"name": "v6_port", "elem": [
            {"elem": {"val": {"concat": ["2001:db8::7", 443]}, "timeout": 60, "expires": 59}}]}},
            {"chain": {"name": "forward"}}]}"#;
        let (held, strange) = read(json).unwrap();
        let wanted = [("198.51.100.7", 2), ("[2001:db8::7]:443", 59)];
        let wanted = wanted.map(|(t, s)| (Item::parse(t).unwrap(), Duration::from_secs(s)));
        assert_eq!((held, strange), (BTreeMap::from(wanted), 1));
        assert_eq!(read("nothing"), None);
        assert_eq!(read("{}"), None);
    }
}
