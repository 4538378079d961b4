//! What a reporter asks for: a ticket as it is written in a request.

use std::collections::BTreeMap;

use shield::item::{Item, Kind};
use shield::order::words::MAX_ITEMS;

use crate::body::Body;
use crate::codes::{
    ASSIGNED_TO_NON_VALID, Code, DDA_ID_MISSING, DDA_ID_NON_VALID, DESCRIPTION_NON_VALID,
    FQDN_NON_VALID, Fault, HASH_EMPTY, HASH_NON_VALID, IPV4_NON_VALID, IPV6_NON_VALID,
    TICKET_NO_DATA, TOO_MANY_FQDN, TOO_MANY_IPV4, TOO_MANY_IPV6,
};
use crate::digest::Algorithm;

/// What a request for a ticket has to hold.
pub const REQUIRED: &[&str] = &["forensic_evidence"];
/// The most digests that are announced of one archive.
pub const MAX_HASHES: usize = 8;

/// A ticket as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The order's identifier.
    pub dda_id: String,
    /// What the reporter calls it.
    pub description: Option<String>,
    /// Names, IPv4 and IPv6 addresses, in this order, each as it was written.
    pub lines: Vec<Line>,
    /// By whom; all of them where the list is empty.
    pub assigned_to: Vec<String>,
    /// The digests of the archive that is to come: each in small letters.
    pub hashes: BTreeMap<Algorithm, String>,
}

/// One value of a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// As it was written.
    pub text: String,
    /// What it is.
    pub item: Item,
}

impl Asked {
    /// Reads a ticket. One value that is none refuses the ticket, with its name: whoever sends a list learns
    /// which of it is wrong.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(body: &Body) -> Result<Self, Fault> {
        let dda_id = match body.get("dda_id") {
            None => return Err(DDA_ID_MISSING.into()),
            Some(id) => id.as_str().ok_or(DDA_ID_NON_VALID)?.trim().to_owned(),
        };
        let description = description(body)?;
        let lists = [
            ("fqdn", Kind::Fqdn, FQDN_NON_VALID, TOO_MANY_FQDN),
            ("ipv4", Kind::Ipv4, IPV4_NON_VALID, TOO_MANY_IPV4),
            ("ipv6", Kind::Ipv6, IPV6_NON_VALID, TOO_MANY_IPV6),
        ];
        let mut lines = Vec::new();
        for (field, kind, bad, too_many) in lists {
            let texts = body.list(field, bad)?;
            if lines.len() + texts.len() > MAX_ITEMS {
                return Err(Fault::of(
                    too_many,
                    format!("a ticket holds {MAX_ITEMS} items in all: report the rest in another"),
                ));
            }
            for text in texts {
                lines.push(line(text, kind, bad)?);
            }
        }
        if lines.is_empty() {
            return Err(TICKET_NO_DATA.into());
        }
        let assigned_to = body.list("assigned_to", ASSIGNED_TO_NON_VALID)?;
        Ok(Self { dda_id, description, lines, assigned_to, hashes: hashes(body)? })
    }
}

/// A value of the kind that its list is of, exactly: no URL, no port, no network, no other kind.
pub fn line(text: String, kind: Kind, bad: Code) -> Result<Line, Fault> {
    match exact(&text) {
        Ok(item) if item.kind() == kind => Ok(Line { text, item }),
        Ok(_) => Err(Fault::of(bad, format!("{text:?}: {}", bad.text))),
        Err(why) => {
            Err(Fault::of(bad, format!("{text:?}: {}", why.unwrap_or_else(|| bad.text.to_owned()))))
        }
    }
}

/// A name or an address that is written as one; with a URL, of which the name alone would be blocked, it is
/// refused rather than understood.
///
/// # Errors
/// Why it is none, where more is known.
pub fn exact(text: &str) -> Result<Item, Option<String>> {
    if text.contains(['/', '[', ']']) {
        return Err(None);
    }
    match Item::parse(text) {
        // A port would be passed over.
        Ok(Item::Name(_)) if text.contains(':') => Err(None),
        Ok(item) => Ok(item),
        Err(bad) => Err(Some(bad.to_string())),
    }
}

fn description(body: &Body) -> Result<Option<String>, Fault> {
    let Some(value) = body.get("description") else { return Ok(None) };
    let text = value.as_str().ok_or(DESCRIPTION_NON_VALID)?.trim();
    let fits = (3..=255).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits { Ok(Some(text.to_owned())) } else { Err(DESCRIPTION_NON_VALID.into()) }
}

fn hashes(body: &Body) -> Result<BTreeMap<Algorithm, String>, Fault> {
    let given = body.get("forensic_evidence").and_then(|evidence| evidence.get("hash"));
    let given = given.and_then(|hash| hash.as_object()).ok_or(HASH_EMPTY)?;
    if given.is_empty() || given.len() > MAX_HASHES {
        return Err(HASH_EMPTY.into());
    }
    let mut hashes = BTreeMap::new();
    for (name, text) in given {
        let algorithm = Algorithm::of_name(name)?;
        let text = text.as_str().ok_or(HASH_NON_VALID)?.trim().to_ascii_lowercase();
        if text.is_empty() {
            return Err(HASH_EMPTY.into());
        }
        let hex = text.len() == algorithm.digits() && text.bytes().all(|b| b.is_ascii_hexdigit());
        if !hex {
            let want = algorithm.digits();
            return Err(Fault::of(
                HASH_NON_VALID,
                format!("a digest by {name:?} is {want} hexadecimal digits"),
            ));
        }
        hashes.insert(algorithm, text);
    }
    Ok(hashes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(change: impl FnOnce(&mut Value)) -> Result<Asked, Fault> {
        let mut ticket = json!({
            "dda_id": "7", "forensic_evidence": {"hash": {"sha256": "A".repeat(64)}},
            "fqdn": ["a.example"], "ipv4": [], "ipv6": null,
        });
        change(&mut ticket);
        Asked::read(&Body::parse(ticket.to_string().as_bytes(), REQUIRED, true).unwrap())
    }

    fn number(change: impl FnOnce(&mut Value)) -> &'static str {
        read(change).unwrap_err().code.number
    }

    #[test]
    fn a_ticket_is_read_and_each_fault_has_its_number() {
        let asked = read(|_| ()).unwrap();
        assert_eq!(asked.lines.len(), 1);
        assert_eq!(asked.hashes[&Algorithm::Sha256], "a".repeat(64));
        assert_eq!(number(|t| t["dda_id"] = Value::Null), "4003");
        assert_eq!(number(|t| t["dda_id"] = json!(7)), "4004");
        assert_eq!(number(|t| t["description"] = json!("x")), "4006");
        assert_eq!(number(|t| t["fqdn"] = json!([])), "4001");
        assert_eq!(number(|t| t["fqdn"] = json!("a.example")), "4008");
        assert_eq!(number(|t| t["assigned_to"] = json!("x")), "4013");
        assert_eq!(number(|t| t["forensic_evidence"] = json!({"hash": {}})), "9003");
        assert_eq!(number(|t| t["forensic_evidence"] = json!([])), "9003");
        assert_eq!(number(|t| t["forensic_evidence"]["hash"] = json!({"md5": "x"})), "9002");
        assert_eq!(number(|t| t["forensic_evidence"]["hash"] = json!({"sha256": "x"})), "9004");
    }

    /// What is wider than one value, or another kind than its list, is refused by name (fault 12: a name under an
    /// international suffix is none).
    #[test]
    fn one_value_is_one_value() {
        for bad in [
            "*.a.example",
            "https://a.example/x",
            "a",
            "1.2.3.4",
            "a.example:80",
            "a..example",
            "a_b.example",
        ] {
            assert_eq!(number(|t| t["fqdn"] = json!([bad])), "4008", "{bad}");
        }
        for bad in
            ["1.2.3.0/24", "1.2.3", "::1", "1.2.3.4:80", "a.example", "1.2.3.256", "010.0.0.1"]
        {
            assert_eq!(number(|t| t["ipv4"] = json!([bad])), "4010", "{bad}");
        }
        for bad in [
            "1.2.3.4",
            "2001:db8::/32",
            "[2001:db8::1]:80",
            "2001:0db8::85a3::7334",
            "1:2:3",
            "g::1",
        ] {
            assert_eq!(number(|t| t["ipv6"] = json!([bad])), "4012", "{bad}");
        }
        let good = read(|t| t["fqdn"] = json!(["a.xn--p1ai", "a.example", "a.example"])).unwrap();
        assert_eq!(good.lines.len(), 2);
        let good = read(|t| t["ipv6"] = json!(["2606:4700:4700:0:0:0:0:64"])).unwrap();
        assert_eq!(good.lines[1].item.to_string(), "2606:4700:4700::64");
    }

    #[test]
    fn a_ticket_holds_a_thousand_items_in_all() {
        let names = |n: usize| json!((0..n).map(|n| format!("s{n}.example")).collect::<Vec<_>>());
        assert_eq!(read(|t| t["fqdn"] = names(1_000)).unwrap().lines.len(), 1_000);
        assert_eq!(number(|t| t["fqdn"] = names(1_001)), "4018");
        assert_eq!(
            number(|t| {
                t["fqdn"] = names(1_000);
                t["ipv4"] = json!(["9.8.7.6"]);
            }),
            "4019"
        );
    }
}
