//! Where everything is, for people and for machines.

use std::fmt::Write as _;
use std::path::Path;

use range::night::{HOUSE, HOUSE_NAME, NAMES, Night, Site};
use serde_json::{Value, json};

use crate::claim;
use crate::isp::feed_url;

/// In words.
pub(crate) fn text(night: &Night, id: u32, out: &Path, cleared: usize) -> String {
    let mut text = String::new();
    let isps = if night.isps.len() == 1 {
        "1 ISP".to_owned()
    } else {
        format!("{} ISPs", night.isps.len())
    };
    if cleared > 0 {
        let _ = writeln!(text, "Cleared what {cleared} dead practice ranges had left.");
    }
    let _ = writeln!(
        text,
        "A match night runs on the practice range: {}, seed {}, {isps}.",
        night.event, night.seed
    );
    let _ = writeln!(
        text,
        "Nothing of it leaves this machine. Settings for all who play: {}",
        out.display()
    );
    let site = |text: &mut String, site: &Site| {
        let _ =
            writeln!(text, "  {:<44} {:<12} {}", site.url(), site.address.to_string(), site.about);
    };
    let _ = writeln!(text, "\nStreams of test pictures:");
    night.streams().for_each(|stream| site(&mut text, stream));
    let _ = writeln!(text, "Innocents beside them:");
    night.innocents().for_each(|innocent| site(&mut text, innocent));
    let _ = writeln!(text, "\nISPs, each with a subscriber who asks it:");
    for isp in &night.isps {
        let (resolver, home) = (isp.resolver.name(), &isp.home);
        let _ =
            writeln!(text, "  {}  {resolver:<8} vigie range run {home} dig +short NAME", isp.name);
    }
    let _ = writeln!(
        text,
        "The clearing house:\n  vigie range run house COMMAND; --resolver {NAMES}:53"
    );
    let space = claim::space(id, "PLACE");
    let _ =
        writeln!(text, "\nWithout vigie: ip netns exec {space} COMMAND. Ctrl-C ends all of it.");
    text
}

/// For machines.
pub(crate) fn documents(night: &Night, id: u32, out: &Path, cleared: usize) -> Vec<Value> {
    let space = |place: &str| claim::space(id, place);
    let mut all = vec![json!({
        "kind": "range", "scenario": "match-night", "id": id, "seed": night.seed, "event": night.event,
        "out": out.display().to_string(), "names": format!("{NAMES}:53"), "cleared": cleared,
    })];
    let site = |site: &Site| {
        let kind = if site.url().ends_with("m3u8") { "stream" } else { "innocent" };
        json!({
            "kind": kind, "name": site.name, "address": site.address.to_string(),
            "address6": site.address6.map(|six| six.to_string()), "url": site.url(),
            "about": site.about, "popular": site.popular,
        })
    };
    all.extend(night.sites.iter().map(site));
    all.extend(night.isps.iter().map(|isp| {
        json!({
            "kind": "isp", "name": isp.name, "space": space(&isp.name), "resolver": isp.resolver.name(),
            "address": isp.address.to_string(), "answers": format!("{}:53", isp.inside),
            "settings": out.join(&isp.name).display().to_string(),
            "home": isp.home, "home_space": space(&isp.home), "subscriber": isp.subscriber.to_string(),
        })
    }));
    all.push(json!({
        "kind": "house", "name": HOUSE_NAME, "space": space("house"), "address": HOUSE.to_string(), "feed": feed_url(),
    }));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_who_play_are_shown() {
        let night = Night::new(1, 2);
        let text = text(&night, 7, Path::new("/out"), 0);
        for site in &night.sites {
            assert!(text.contains(&site.url()), "{text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 96), "{text}");
        let documents = documents(&night, 7, Path::new("/out"), 1);
        assert_eq!(documents.len(), 1 + night.sites.len() + 2 + 1);
        assert_eq!(documents[0]["cleared"], 1);
        assert_eq!(documents.iter().filter(|d| d["kind"] == "stream").count(), 4);
    }
}
