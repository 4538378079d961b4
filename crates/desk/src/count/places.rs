//! Country and autonomous system of what has an address.

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::asn::{Builder, Rows, Table, Tables as Laid};
use model::{EntityKind, ExhibitId, LinkKind};
use rusqlite::Connection;

use crate::desk::Desk;
use crate::{Error, Result};

/// The built-in table: see `assets/addresses.md` for its sources and licences.
pub(crate) static BUILT_IN: &[u8] = include_bytes!("../../../../assets/addresses.bin");

/// Largest table that is read: it is sealed and refused beyond.
pub(crate) const MAX_TABLE: u64 = 256 << 20;

/// The tables' bytes.
pub(crate) struct Tables {
    base: Vec<u8>,
    overlay: Option<Vec<u8>>,
}

impl Tables {
    /// The tables that hold for the case.
    pub(crate) fn of(desk: &mut Desk) -> Result<Self> {
        let base = match desk.views()?.meta::<[u8; 32]>("addresses")? {
            Some(id) => sealed(desk, ExhibitId(id))?,
            None => BUILT_IN.to_vec(),
        };
        let laid: Option<[u8; 32]> = desk.views()?.meta("address_table")?;
        let overlay = match laid {
            None => None,
            Some(id) => Some(overlay_of(&read_overlay(desk, ExhibitId(id))?)?),
        };
        Ok(Self { base, overlay })
    }
}

/// The text of a sealed overlay.
fn read_overlay(desk: &Desk, id: ExhibitId) -> Result<String> {
    String::from_utf8(sealed(desk, id)?)
        .map_err(|_| Error::Asked("the address table is not UTF-8 text".to_owned()))
}

/// A sealed table's bytes.
fn sealed(desk: &Desk, id: ExhibitId) -> Result<Vec<u8>> {
    let bytes = desk.case.bytes(&id)?;
    if bytes.size() > MAX_TABLE {
        return Err(Error::Bound("the address table is larger than 256 MiB".to_owned()));
    }
    bytes
        .range(0, bytes.size())
        .map_err(|source| Error::Read { path: id.to_string().into(), source })
}

/// An overlay's table, from its CSV.
pub(crate) fn overlay_of(text: &str) -> Result<Vec<u8>> {
    let said = |e: model::asn::AsnError| Error::Asked(format!("the address table: {e}"));
    let mut builder = Builder::default();
    builder.csv(Rows::Both, text).map_err(said)?;
    builder.finish().map_err(said)
}

/// Ranges of an overlay.
pub(crate) fn ranges_of(table: &[u8]) -> Result<u64> {
    let table = Table::read(table).map_err(|e| Error::Asked(format!("the address table: {e}")))?;
    let (v4, v6) = table.ranges();
    Ok((v4 + v6) as u64)
}

/// Fills `entity.country` and `entity.asn`: of an address its own; of a server the address it is
/// called by, else the least it has; of a provider and a domain likewise.
pub(super) fn fill(db: &Connection, tables: &Tables) -> Result<()> {
    let read = |bytes| Table::read(bytes).map_err(|e| Error::Asked(format!("address table: {e}")));
    let laid = Laid {
        base: Some(read(tables.base.as_slice())?),
        overlay: tables.overlay.as_deref().map(read).transpose()?,
    };
    let mut names: BTreeMap<u32, String> = BTreeMap::new();
    {
        let mut set = db.prepare("UPDATE entity SET country = ?2, asn = ?3 WHERE id = ?1")?;
        let mut put = |id: i64, text: &str| -> Result<()> {
            let place = text.parse::<IpAddr>().ok().and_then(|ip| laid.look_up(ip));
            let country = place.and_then(|p| p.country);
            let country = country.as_ref().map_or("ZZ", |c| c.as_str());
            let asn = place.and_then(|p| p.asn);
            set.execute((id, country, asn))?;
            if let (Some(asn), Some(place)) = (asn, place) {
                names.entry(asn).or_insert_with(|| place.name().to_owned());
            }
            Ok(())
        };
        let mut query = db.prepare("SELECT id, key FROM entity WHERE kind = ?")?;
        let mut rows = query.query([EntityKind::IpAddress as i64])?;
        while let Some(row) = rows.next()? {
            let key = row.get_ref(1)?.as_str().unwrap_or_default();
            put(row.get(0)?, key.strip_prefix("ip:").unwrap_or(key))?;
        }
        drop(rows);
        // A server called by its address needs no link.
        let mut rows = query.query([EntityKind::Server as i64])?;
        let mut rest = Vec::new();
        while let Some(row) = rows.next()? {
            let key = row.get_ref(1)?.as_str().unwrap_or_default();
            let host = key.strip_prefix("server:").unwrap_or(key);
            if host.parse::<IpAddr>().is_ok() {
                put(row.get(0)?, host)?;
            } else {
                rest.push(row.get::<_, i64>(0)?);
            }
        }
        drop(rows);
        for kind in [EntityKind::Provider, EntityKind::Domain] {
            let ids = query.query_map([kind as i64], |row| row.get(0))?;
            rest.extend(ids.collect::<std::result::Result<Vec<i64>, _>>()?);
        }
        let mut address = db.prepare(
            "SELECT e.key FROM link l JOIN entity e ON e.id = l.dst
             WHERE l.src = ? AND l.kind = ? ORDER BY e.key LIMIT 1",
        )?;
        for id in rest {
            let mut rows = address.query((id, LinkKind::HasAddress as i64))?;
            if let Some(row) = rows.next()? {
                let key = row.get_ref(0)?.as_str().unwrap_or_default();
                put(id, key.strip_prefix("ip:").unwrap_or(key))?;
            }
        }
    }
    let mut add = db.prepare("INSERT INTO autonomous_system (asn, name) VALUES (?, ?)")?;
    for (asn, name) in names {
        add.execute((asn, name))?;
    }
    Ok(())
}
