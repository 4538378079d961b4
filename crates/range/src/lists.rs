//! Host lists and notes.

use crate::Error;
use crate::out::Out;
use crate::truth::Truth;
use crate::world::World;

/// Writes them all.
pub(crate) fn write(world: &World, truth: &mut Truth, out: &mut Out<'_>) -> Result<(), Error> {
    let mut text = String::from("# domains of the network\n");
    let mut put = |host: &str| {
        truth.entity(&format!("domain:{host}"));
        text.push_str(host);
        text.push('\n');
    };
    put(&world.logos);
    for panel in &world.panels {
        put(&panel.domain);
        put(&format!("my.{}", panel.domain));
        for name in panel.hosts().take(3) {
            put(name);
        }
    }
    out.write("material/office/domains.txt", text.as_bytes())
}
