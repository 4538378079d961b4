//! Who is behind what: the part of the truth that no summary counts.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::plan::Scenario;
use crate::torrents::GROUPS;
use crate::truth::Truth;
use crate::world::World;

/// People with everything that is theirs; those behind several names are the false identities.
pub(crate) fn tell(world: &World, truth: &mut Truth) {
    let identities: Vec<Value> = world
        .people
        .iter()
        .enumerate()
        .map(|(i, person)| {
            let faces: Vec<Value> = person
                .faces
                .iter()
                .map(|f| {
                    json!({
                        "name": f.name, "email": f.mail, "phone": format!("+{}", f.phone),
                        "telegram": format!("user{}", f.telegram), "handle": format!("@{}", f.handle),
                    })
                })
                .collect();
            let wallets: Vec<String> =
                person.wallets.iter().map(|w| format!("wallet:{}:{}", w.chain, w.address)).collect();
            json!({
                "person": i, "name": person.name, "country": person.country,
                "presented": faces, "wallets": wallets,
                "addresses": person.homes.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "keys": person.keys,
            })
        })
        .collect();
    truth.more.insert("identities".to_owned(), identities.into());
    truth.more.insert("servers".to_owned(), servers(world));
    truth.more.insert("resellers".to_owned(), resellers(world));
    truth.more.insert("providers".to_owned(), providers(world));
    truth.more.insert("kin".to_owned(), kin(world));
    let countries: BTreeMap<&str, u64> = world.people.iter().fold(BTreeMap::new(), |mut c, p| {
        *c.entry(p.country).or_default() += 1;
        c
    });
    truth.more.insert("people_by_country".to_owned(), json!(countries));
}

fn servers(world: &World) -> Value {
    let mut list = Vec::new();
    for panel in &world.panels {
        for server in &panel.servers {
            list.push(json!({
                "key": server.key(), "panel": panel.key(), "number": server.id, "main": server.main,
                "names": server.names, "country": crate::net::country(server.ip),
                "relays_from": server.parent.map(|p| panel.servers[p as usize - 1].key()),
            }));
        }
    }
    list.into()
}

/// The tree of each panel: how many operators, how deep.
fn resellers(world: &World) -> Value {
    let trees: Vec<Value> = world
        .panels
        .iter()
        .map(|panel| {
            let mut deepest = 0;
            for operator in &panel.operators {
                let (mut at, mut depth) = (operator, 0);
                while at.owner != 0 && at.owner != at.id && depth < 1000 {
                    at = &panel.operators[at.owner as usize - 1];
                    depth += 1;
                }
                deepest = deepest.max(depth);
            }
            let administrators = panel.operators.iter().filter(|o| o.admin).count();
            json!({
                "panel": panel.key(), "operators": panel.operators.len(),
                "administrators": administrators, "depth": deepest,
            })
        })
        .collect();
    trees.into()
}

fn providers(world: &World) -> Value {
    let list: Vec<Value> = world
        .providers
        .iter()
        .enumerate()
        .map(|(i, provider)| {
            let used: Vec<String> =
                world.panels.iter().filter(|p| p.providers.contains(&i)).map(|p| p.key()).collect();
            json!({"key": provider.key(), "used_by": used})
        })
        .collect();
    list.into()
}

/// Groups that are the same people under two names.
fn kin(world: &World) -> Value {
    if world.plan.scenario != Scenario::Sparks {
        return json!([]);
    }
    let people = |number: u32| -> Vec<usize> {
        world.people.iter().enumerate().filter(|(_, p)| p.kin == number).map(|(i, _)| i).collect()
    };
    json!([
        {"groups": [GROUPS[0], GROUPS[1]], "people": people(1)},
        {"groups": [GROUPS[2], GROUPS[3]], "people": people(2)},
    ])
}
