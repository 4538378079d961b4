//! FollowTheMoney 4 statements (followthemoney.tech, `statement/serialize.py`: the CSV columns).
//!
//! A kind that FollowTheMoney has is exported as it: `Reseller` as `UserAccount`. A kind that it
//! lacks is exported under our name; its schema is [`schema`], which stands as
//! `assets/ftm/vigie.yaml` to be laid beside FollowTheMoney's own model.

use std::fmt::Write as _;
use std::io::Write;

use model::kinds::{ENTITY_KINDS, entity, property};
use model::{EntityKind, Sha256Hex};

use super::{cell, each_entity, each_link, written};
use crate::Result;
use crate::read::{FactFilter, MAX_PAGE, Paging, ShownValue, Snapshot};

const COLUMNS: [&str; 14] = [
    "canonical_id",
    "entity_id",
    "prop",
    "prop_type",
    "schema",
    "value",
    "dataset",
    "origin",
    "lang",
    "original_value",
    "external",
    "first_seen",
    "last_seen",
    "id",
];

/// The FollowTheMoney schema that a kind is exported as.
fn schema_of(kind: EntityKind) -> &'static str {
    let def = entity(kind);
    def.ftm.unwrap_or(def.name)
}

/// `expires_at` → `expiresAt`, as FollowTheMoney spells properties.
fn camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut up = false;
    for c in name.chars() {
        if c == '_' {
            up = true;
        } else if up {
            out.push(c.to_ascii_uppercase());
            up = false;
        } else {
            out.push(c);
        }
    }
    out
}

/// The name under which a property is exported, with its FollowTheMoney type; `None` where the
/// kind is FollowTheMoney's own and has no such property.
fn exported(kind: EntityKind, name: &str) -> Option<(String, &'static str)> {
    let def = property(kind, name)?;
    if def.secret {
        return None;
    }
    match (entity(kind).ftm, def.ftm) {
        (_, Some(ftm)) => Some((
            ftm.to_owned(),
            if ftm == "email" {
                "email"
            } else if ftm == "name" {
                "name"
            } else {
                "string"
            },
        )),
        (Some(_), None) => None,
        (None, None) => Some((camel(name), "string")),
    }
}

/// Schemata for the kinds that FollowTheMoney lacks, as YAML.
pub fn schema() -> String {
    let mut out = String::from(
        "# Made from the registry of kinds; do not edit. Lay it beside FollowTheMoney's own model.\n",
    );
    for def in ENTITY_KINDS.iter().filter(|def| def.ftm.is_none()) {
        let name = def.name;
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "{name}:\n  extends:\n    - Thing\n  label: \"{name}\"\n  plural: \"{name}\"\n  description: \"Counted: {}\"\n  featured:\n    - name\n  caption:\n    - name\n  properties:\n    key:\n      label: \"key\"\n      type: string\n",
            def.counting_rule
        );
        for p in def.properties.iter().filter(|p| !p.secret && p.ftm.is_none()) {
            let _ = write!(
                out,
                "    {}:\n      label: \"{}\"\n",
                camel(p.name),
                p.name.replace('_', " ")
            );
        }
    }
    out
}

struct Statements<'a> {
    writer: csv::Writer<&'a mut dyn Write>,
    dataset: String,
}

impl Statements<'_> {
    fn put(
        &mut self,
        id: &str,
        schema: &str,
        prop: &str,
        kind: &str,
        value: &str,
        origin: &str,
    ) -> Result<()> {
        if value.is_empty() {
            return Ok(());
        }
        self.writer
            .write_record([
                id,
                id,
                prop,
                kind,
                schema,
                value,
                &self.dataset,
                origin,
                "",
                "",
                "f",
                "",
                "",
                "",
            ])
            .map_err(cell::written)
    }
}

pub(super) fn statements(snapshot: &Snapshot, out: &mut dyn Write) -> Result<()> {
    let dataset = snapshot.overview()?.case;
    let mut writer =
        csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(out);
    writer.write_record(COLUMNS).map_err(cell::written)?;
    let mut out = Statements { writer, dataset };
    each_entity(snapshot, |e| {
        let (id, schema) = (e.id.to_string(), schema_of(e.kind));
        out.put(&id, schema, "name", "name", &e.caption, "")?;
        if entity(e.kind).ftm.is_none() {
            out.put(&id, schema, "key", "string", e.key.as_str(), "")?;
        }
        if schema == "UserAccount" {
            // FollowTheMoney requires it; the account's own number or name is all there may be.
            let local = e.key.rest().rsplit(['/', ':']).next().unwrap_or(e.key.rest());
            out.put(&id, schema, "username", "string", local, "")?;
        }
        if schema == "CryptoWallet" {
            let local = e.key.rest().split_once(':').map_or(e.key.rest(), |(_, address)| address);
            out.put(&id, schema, "publicKey", "identifier", local, "")?;
        }
        if schema == "BankAccount" {
            out.put(&id, schema, "iban", "identifier", e.key.rest(), "")?;
        }
        if let Some(country) = e.country.as_deref().filter(|c| *c != "ZZ") {
            out.put(&id, schema, "country", "country", &country.to_ascii_lowercase(), "")?;
        }
        let filter = FactFilter { entity: Some(e.id), ..FactFilter::default() };
        let mut paging = Paging { after: None, limit: MAX_PAGE };
        loop {
            let page = snapshot.facts(&filter, &paging)?;
            for fact in page.items {
                let Some((prop, kind)) = exported(e.kind, &fact.property) else { continue };
                let value = match &fact.value {
                    ShownValue::Text(text) => text.clone(),
                    ShownValue::Int(n) => n.to_string(),
                    ShownValue::Bool(b) => b.to_string(),
                    ShownValue::Time { text, .. } => text.clone(),
                    ShownValue::Money(m) => m.to_string(),
                    ShownValue::Entity { .. } | ShownValue::Masked => continue,
                };
                out.put(&id, schema, &prop, kind, &value, &fact.source.parser)?;
            }
            match page.next {
                Some(after) => paging.after = Some(after),
                None => return Ok(()),
            }
        }
    })?;
    each_link(snapshot, |l| {
        let name = format!("{}\0{}\0{}", l.kind.name(), l.from.id, l.to.id);
        let id = Sha256Hex::of(name.as_bytes()).to_string();
        let origin = l.source.as_ref().map_or("", |s| s.parser.as_str()).to_owned();
        out.put(&id, "UnknownLink", "subject", "entity", &l.from.id.to_string(), &origin)?;
        out.put(&id, "UnknownLink", "object", "entity", &l.to.id.to_string(), &origin)?;
        out.put(&id, "UnknownLink", "role", "string", l.kind.name(), &origin)
    })?;
    out.writer.flush().map_err(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_schema_is_the_registrys() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/ftm/vigie.yaml");
        if std::env::var_os("VIGIE_WRITE").is_some() {
            ledger::disk::write(std::path::Path::new(path), schema().as_bytes()).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(path).unwrap_or_default(),
            schema(),
            "write it anew: VIGIE_WRITE=1 cargo test -p desk ftm"
        );
    }

    #[test]
    fn property_names_are_spelt_as_followthemoney_spells_them() {
        assert_eq!(camel("max_connections"), "maxConnections");
        assert_eq!(
            exported(EntityKind::Reseller, "user_name"),
            Some(("username".into(), "string"))
        );
        assert_eq!(exported(EntityKind::Reseller, "password"), None);
        assert_eq!(exported(EntityKind::Server, "host_name"), Some(("hostName".into(), "string")));
    }
}
