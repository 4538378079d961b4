//! All that is in force, from a clearing house to who follows it and has nothing yet.

use std::path::Path;
use std::time::Instant;

use desk::clearing::House;
use desk::clearing::publish::{Bounds as Chain, Publisher, feed_key};
use shield::feed::ALL;
use shield::wire::{Bounds, FileName, Follower, Manifest, Staged, Want};

use crate::measured::{Failed, memory_mb};

/// Takes a file as `vigie edge follow` does; its values.
fn taken(
    follower: &mut Follower,
    name: FileName,
    bytes: &[u8],
    policy: &ledger::Policy,
    house: &House,
) -> Result<usize, Failed> {
    let mut staged = Staged::new(name, policy);
    for line in bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        staged.line(line).map_err(|alarm| alarm.to_string())?;
    }
    let taken = follower.take(staged, house.now(), 0).map_err(|alarm| alarm.to_string())?;
    Ok(taken.added.len())
}

/// See the top of `main`.
pub(crate) fn reset(dir: &Path, list: &Path) -> Result<(), Failed> {
    let place = crate::place(dir);
    let mut house = House::open(&place)?;
    house.begin()?;
    house.show()?;
    let (folder, key) = (dir.join("feed"), feed_key(&place.home, house.case().authority())?);
    let log = house.case().signer()?.verifier();
    let policy = ledger::Policy { log, witnesses: Vec::new(), quorum: 0 };
    // Whatever leads on from a snapshot, it is made anew each time: beside the work.
    let chain = Chain { age: 0, ..Chain::default() };
    let mut publisher = Publisher::new(&folder, key.clone())?.with(chain);
    let begun = Instant::now();
    publisher.publish(&house, house.now(), &mut |_| ())?;
    let made = begun.elapsed().as_secs_f64();
    let text = std::fs::read_to_string(folder.join(ALL).join("manifest"))?;
    let manifest = Manifest::open(&text, &key.verifier())?;
    let snapshot = manifest.snapshot.clone().ok_or("no snapshot")?;
    let (mut most, begun) = (0.0_f64, Instant::now());
    let mut held_up = 0.0;
    while publisher.is_drafting() {
        let slice = Instant::now();
        publisher.go_on(&house, house.now(), &mut |_| ())?;
        let took = slice.elapsed().as_secs_f64() * 1e3;
        most = most.max(took);
        held_up += took;
        if begun.elapsed().as_secs() > 600 {
            return Err("a snapshot beside the work never stood".into());
        }
        // One that stands asks for the next at once here.
        if held_up > 0.0 && manifest_of(&folder)? != text {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(40));
    }
    let beside = begun.elapsed().as_secs_f64();
    let mut follower = Follower::new(ALL, Bounds::default(), Vec::new());
    let (want, _) = follower.hear(&manifest, house.now(), 0).map_err(|alarm| alarm.to_string())?;
    let Want::Files(files) = want else { return Err("nothing to take".into()) };
    let before = memory_mb("VmRSS:");
    let begun = Instant::now();
    let mut values = 0;
    for name in files {
        let bytes = std::fs::read(folder.join(ALL).join("files").join(name.hash.to_string()))?;
        values += taken(&mut follower, name, &bytes, &policy, &house)?;
    }
    let verified = begun.elapsed().as_secs_f64();
    let memory = memory_mb("VmRSS:") - before;
    let names: String = follower.held().keys().map(|name| format!("{name}\n")).collect();
    ledger::disk::write(list, names.as_bytes())?;
    println!(
        "{values} {} {made:.2} {verified:.2} {beside:.2} {most:.1} {held_up:.0} {memory:.0}",
        snapshot.bytes
    );
    house.close()?;
    Ok(())
}

fn manifest_of(folder: &Path) -> Result<String, Failed> {
    Ok(std::fs::read_to_string(folder.join(ALL).join("manifest"))?)
}
