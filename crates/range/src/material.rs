//! What lies where in the pile.

use std::io::Write;

use serde_json::json;

use crate::archive::{self, Zip};
use crate::dump;
use crate::lists;
use crate::out::Out;
use crate::plan::Pack;
use crate::playlist;
use crate::truth::Truth;
use crate::world::World;
use crate::{Error, answers, calendar, camt, chats, identities, paypal, torrents, xlsx};

/// Writes everything.
pub(crate) fn write(world: &World, truth: &mut Truth, out: &mut Out<'_>) -> Result<(), Error> {
    let mut panels = Vec::new();
    for panel in &world.panels {
        let (name, tally) = dumps(world, panel.index, truth, out)?;
        panels.push(json!({
            "key": panel.key(), "brand": panel.brand, "family": panel.plan.family.word(),
            "file": name, "dumped_at": calendar::iso(panel.dumped_at),
            "lines": panel.lines, "active_lines": tally.active, "devices": tally.devices,
            "activity": tally.activity, "servers": panel.servers.len(),
            "operators": panel.operators.len(), "streams": panel.streams.len(),
            "fed_by_panel": panel.above.map(|p| world.panels[p].key()),
        }));
    }
    playlist::write(world, truth, out)?;
    answers::write(world, truth, out)?;
    let folder = "material/office/payments";
    let mut sums = paypal::write(world, folder, truth, out)?;
    sums.extend(camt::write(world, folder, truth, out)?);
    sums.push(xlsx::write(world, folder, truth, out)?);
    lists::sums(folder, &sums, truth, out)?;
    chats::write(world, truth, out)?;
    torrents::write(world, truth, out)?;
    lists::write(world, truth, out)?;
    identities::tell(world, truth);
    truth.more.insert("panels".to_owned(), panels.into());
    Ok(())
}

type Written = (String, dump::Tally);

fn dumps(
    world: &World,
    index: usize,
    truth: &mut Truth,
    out: &mut Out<'_>,
) -> Result<Written, Error> {
    let panel = &world.panels[index];
    let name = format!("{}-{}", panel.brand, calendar::date(panel.dumped_at));
    let folder = format!("material/servers/{:02}-{}", index + 1, panel.brand);
    let sql = format!("{name}.sql");
    let (file, tally) = match panel.plan.pack {
        Pack::Plain => {
            let path = format!("{folder}/{sql}");
            let mut file = out.file(&path)?;
            let tally = dump::write(&mut file, world, panel, truth)?;
            file.finish()?;
            (path, tally)
        }
        Pack::Gzip => {
            let path = format!("{folder}/{sql}.gz");
            let mut gz = archive::gzip(out.file(&path)?);
            let tally = dump::write(&mut gz, world, panel, truth)?;
            gz.finish().map_err(Error::from_io)?.finish()?;
            (path, tally)
        }
        Pack::Zip => {
            let path = format!("{folder}/{name}.zip");
            let mut zip = Zip::new(out.file(&path)?);
            let mut tally = dump::Tally::default();
            zip.member(&format!("{}/{sql}", panel.brand), |member| {
                tally = dump::write(member, world, panel, truth).map_err(Fill)?;
                Ok::<(), Fill>(())
            })
            .map_err(|e| e.0)?;
            zip.finish().map_err(Error::from_io)?.finish()?;
            (path, tally)
        }
        Pack::Nested => {
            // A tar's header holds its member's size, so the dump is made first; these are small.
            let path = format!("{folder}/{name}.zip");
            let mut bytes = Vec::new();
            let tally = dump::write(&mut bytes, world, panel, truth)?;
            let tar = archive::tar(&[
                (format!("backup/{sql}"), bytes),
                ("backup/version".to_owned(), b"22f\n".to_vec()),
            ]);
            let mut zip = Zip::new(out.file(&path)?);
            zip.member("backup.tar.gz", |member| {
                let mut gz = archive::gzip(member);
                gz.write_all(&tar)?;
                gz.finish().map(|_| ())
            })
            .map_err(Error::from_io)?;
            zip.finish().map_err(Error::from_io)?.finish()?;
            (path, tally)
        }
    };
    if panel.plan.older {
        let date = calendar::date(panel.dumped_at - 20 * 86_400);
        let mut file = out.file(&format!("{folder}/old/{}-{date}.sql", panel.brand))?;
        dump::write_older(&mut file, world, panel)?;
        file.finish()?;
    }
    Ok((file, tally))
}

/// Carries this crate's error through a zip member.
struct Fill(Error);

impl From<std::io::Error> for Fill {
    fn from(error: std::io::Error) -> Self {
        Self(Error::from_io(error))
    }
}
