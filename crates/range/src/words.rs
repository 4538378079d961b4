//! Invented names: people, brands, channels, titles. None is a real channel, film or service.

use crate::rng::{Rng, mix};

pub(crate) const FIRST: &[&str] = &[
    "Mihai",
    "Ioana",
    "Luca",
    "Chiara",
    "Étienne",
    "Zoé",
    "Jürgen",
    "Anke",
    "Íñigo",
    "Nuria",
    "Wouter",
    "Fenna",
    "Georgi",
    "Desislava",
    "Oleh",
    "Callum",
    "Niamh",
    "Björn",
    "Tomáš",
    "Karin",
    "Davide",
    "Élodie",
    "Raúl",
    "Vasile",
    "Renzo",
    "Marek",
    "Lucía",
    "Piet",
    "Sorin",
    "Agnès",
];
pub(crate) const LAST: &[&str] = &[
    "Practescu",
    "Provani",
    "Essaieur",
    "Übungsmann",
    "Ensayo",
    "Oefening",
    "Uchebnik",
    "Testarov",
    "Drillson",
    "Övningsson",
    "Zkouška",
    "Esempio",
    "Exemplaire",
    "Beispielmann",
    "Ejemplo",
    "Voorbeeld",
    "Primerov",
    "Samplewick",
    "Prubescu",
    "Allenamenti",
    "Répétier",
    "Modelescu",
];
const ASCII: &[(char, &str)] = &[
    ('é', "e"),
    ('É', "e"),
    ('è', "e"),
    ('ü', "ue"),
    ('Ü', "ue"),
    ('ö', "oe"),
    ('Ö', "oe"),
    ('í', "i"),
    ('Í', "i"),
    ('ñ', "n"),
    ('á', "a"),
    ('š', "s"),
    ('ú', "u"),
];
pub(crate) const BRANDS: &[&str] = &[
    "lumen", "orbit", "tide", "ember", "kestrel", "nimbus", "vireo", "solace", "quill", "harbour",
    "mistral", "cobalt", "juniper", "saffron", "tundra", "zephyr", "basalt", "cinder", "fathom",
    "gannet",
];
pub(crate) const MAIL_HOSTS: &[&str] =
    &["post.example", "mailbox.example", "inbox.test", "courier.example", "letter.test"];
pub(crate) const SUBSCRIBER_MAIL: &[&str] =
    &["webmail.example", "freemail.test", "netpost.example", "familymail.test"];

/// Countries that channels are made for, with the tag that names carry.
pub(crate) const MARKETS: &[(&str, &str)] = &[
    ("it", "IT"),
    ("fr", "FR"),
    ("de", "DE"),
    ("es", "ES"),
    ("uk", "UK"),
    ("nl", "NL"),
    ("ro", "RO"),
    ("pt", "PT"),
    ("gr", "GR"),
    ("be", "BE"),
    ("ch", "CH"),
    ("bg", "BG"),
];
const HOUSES: &[&str] = &[
    "Vesta", "Kalora", "Brimo", "Zentra", "Olvia", "Tarsk", "Mirell", "Quanta", "Pelago", "Sonda",
];
const TOPICS: &[&str] = &[
    "Sport", "Cinema", "Kids", "News", "Docu", "Music", "Series", "Action", "Calcio", "Moto",
    "Tennis", "Nature", "History", "Comedy",
];
const QUALITY: &[&str] = &["FHD", "HD", "SD", "UHD", "4K", "HEVC", "50FPS", "RAW"];
const ADJECTIVES: &[&str] = &[
    "Silver",
    "Iron",
    "Silent",
    "Crimson",
    "Hollow",
    "Amber",
    "Distant",
    "Broken",
    "Gentle",
    "Hidden",
    "Burning",
    "Frozen",
    "Restless",
    "Velvet",
    "Wandering",
    "Golden",
    "Quiet",
    "Bitter",
    "Scarlet",
    "Shallow",
    "Northern",
    "Painted",
    "Crooked",
    "Drifting",
    "Patient",
    "Stolen",
    "Winding",
    "Faithful",
    "Marble",
    "Thirsty",
    "Copper",
    "Pale",
];
const NOUNS: &[&str] = &[
    "Lantern", "Meadow", "Orchard", "Compass", "Sparrow", "Letter", "Mirror", "Anchor", "Garden",
    "Thunder", "Bridge", "Feather", "Kingdom", "Shepherd", "Carousel", "Harvest", "Whisper",
    "Voyage", "Chimney", "Ladder", "Violin", "Bakery", "Tailor", "Ferry", "Candle", "Pilgrim",
    "Balcony", "Glacier", "Saddle", "Tunnel", "Almanac", "Pelican",
];
const PLACES: &[&str] = &[
    "",
    "Valdora",
    "Esterholm",
    "Brennick",
    "Corvane",
    "Pelmira",
    "Ostrava Bay",
    "Quillhaven",
    "Marisol",
    "Tarnley",
    "Ivorne",
    "Lasquith",
    "Dunmarrow",
    "Feldspire",
    "Gallowmere",
    "Hartensea",
    "Jorvane",
    "Kessarine",
    "Lomontane",
    "Mirrowick",
    "Nevarra",
    "Orlindor",
    "Pravina",
    "Rosselind",
    "Salvatera",
    "Thornwick",
    "Umbria Nova",
    "Verlaine",
    "Westmarch",
    "Yarrowdale",
    "Zindara",
    "Ashgrove",
    "Bellafonte",
    "Cardomir",
    "Dravenna",
    "Elmsworth",
    "Fontanel",
    "Grimaldane",
    "Hollowell",
    "Isenfeld",
    "Jasperton",
    "Kirkwynd",
    "Lorraway",
    "Montclere",
    "Norhaven",
    "Oakmantle",
    "Pinecastle",
    "Quenby",
    "Ravenna Sur",
    "Stillwater",
    "Tamarind",
    "Ulvedal",
    "Vinterby",
    "Willowmere",
    "Yelverton",
    "Zaffron",
    "Arvendale",
    "Brightling",
    "Castellane",
    "Dorwinion",
    "Eastmere",
    "Farrowgate",
    "Glenarvon",
    "Hazelden",
    "Inverloch",
    "Juniperra",
    "Kingsbourne",
    "Larkhaven",
    "Merrowdown",
    "Nightingale",
    "Oxmoor",
    "Penhallow",
    "Quarrendon",
    "Rivenhall",
    "Silverdale",
    "Trevanion",
    "Underhill",
    "Varenholm",
    "Wolverstone",
    "Yewbarrow",
    "Bramblecourt",
];

/// How many titles there are at most.
pub(crate) const TITLES: u64 = 32 * 32 * 81;

/// A name in ASCII lower case: for user names and mail.
pub(crate) fn ascii(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        match ASCII.iter().find(|(from, _)| *from == c) {
            Some((_, to)) => out.push_str(to),
            None => out.push(c.to_ascii_lowercase()),
        }
    }
    out
}

/// A channel: base name, its key and its EPG id.
#[derive(Debug, Clone)]
pub(crate) struct Channel {
    /// `Vesta Sport 3`.
    pub(crate) name: String,
    /// `vestasport3.it`; some have none.
    pub(crate) epg: Option<String>,
    /// What it is counted by: `channel:…`.
    pub(crate) key: String,
    /// Index into [`MARKETS`].
    pub(crate) market: usize,
    pub(crate) radio: bool,
}

/// Channel `i` of a world.
pub(crate) fn channel(i: u64, radio: bool) -> Channel {
    let h = mix(i ^ if radio { 0x7ad1 } else { 0xc4a9 });
    let house = HOUSES[(h % 10) as usize];
    let topic = if radio { "Radio" } else { TOPICS[(h >> 8) as usize % TOPICS.len()] };
    let market = (h >> 24) as usize % MARKETS.len();
    // The number makes it one of its kind.
    let name = format!("{house} {topic} {}", i + 1);
    let plain = name.to_lowercase().replace(' ', "");
    let epg = (!radio && (h >> 40) % 10 < 8).then(|| format!("{plain}.{}", MARKETS[market].0));
    let key = match &epg {
        Some(epg) => format!("channel:epg:{epg}"),
        None => format!("channel:name:{plain}"),
    };
    Channel { name, epg, key, market, radio }
}

impl Channel {
    /// How a panel's list shows variant `v` of it.
    pub(crate) fn shown(&self, v: u64) -> String {
        let tag = MARKETS[self.market].1;
        let h = mix(v ^ 0x5a0e);
        if self.radio {
            return format!("{tag}: {}", self.name);
        }
        let quality = QUALITY[(h >> 8) as usize % QUALITY.len()];
        match h % 8 {
            0 => format!("{tag} | {} {quality}", self.name),
            1 => format!("{tag} - {} {quality}", self.name),
            2 => format!("{tag}: {} {quality} [VIP]", self.name),
            3 => format!("{tag}: {} (Backup)", self.name),
            4 => self.name.clone(),
            _ => format!("{tag}: {} {quality}", self.name),
        }
    }
}

/// A film or an episode.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(crate) title: String,
    pub(crate) year: Option<i64>,
    /// Season and episode.
    pub(crate) episode: Option<(u32, u32)>,
    /// What it is counted by: `work:…`.
    pub(crate) key: String,
}

/// Title `i`, one of its kind below [`TITLES`].
pub(crate) fn title(i: u64) -> String {
    // A bijection of 0..TITLES scatters neighbours.
    let i = (i * 48_271 + 11) % TITLES;
    let (adjective, noun) = (ADJECTIVES[(i % 32) as usize], NOUNS[(i / 32 % 32) as usize]);
    match PLACES[(i / 1024) as usize % PLACES.len()] {
        "" => format!("The {adjective} {noun}"),
        place => format!("{adjective} {noun} of {place}"),
    }
}

fn work_key(title: &str, year: Option<i64>, episode: Option<(u32, u32)>) -> String {
    let mut key = format!("work:{}", title.to_lowercase().replace(' ', "-"));
    if let Some(year) = year {
        key.push_str(&format!("/{year}"));
    }
    if let Some((season, episode)) = episode {
        key.push_str(&format!("/s{season:02}e{episode:02}"));
    }
    key
}

/// Film `i`.
pub(crate) fn film(i: u64) -> Work {
    let title = title(i);
    let year = (!mix(i ^ 0xf11a).is_multiple_of(20)).then(|| 1990 + (mix(i) % 37) as i64);
    let key = work_key(&title, year, None);
    Work { title, year, episode: None, key }
}

/// Episode of series `i`; series have titles that films have not.
pub(crate) fn episode(i: u64, season: u32, number: u32) -> Work {
    let title = title(TITLES - 1 - i);
    let key = work_key(&title, None, Some((season, number)));
    Work { title, year: None, episode: Some((season, number)), key }
}

impl Work {
    /// How a panel's list shows it.
    pub(crate) fn shown(&self, v: u64) -> String {
        let h = mix(v ^ 0x90b1);
        let tag = match h % 4 {
            0 => "EN: ",
            1 => "IT | ",
            2 => "FR - ",
            _ => "",
        };
        match (self.episode, self.year) {
            (Some((s, e)), _) => format!("{tag}{} S{s:02}E{e:02}", self.title),
            (None, Some(year)) => format!("{tag}{} ({year})", self.title),
            (None, None) => format!("{tag}{}", self.title),
        }
    }
}

/// A telephone number of those kept for fiction: +44 7700 900xxx or +33 6 39 98 xx xx.
/// Digits alone, with the country's prefix.
pub(crate) fn phone(n: u64) -> String {
    if n.is_multiple_of(2) {
        format!("447700900{:03}", n / 2 % 1000)
    } else {
        format!("33639980{:03}", 100 + n / 2 % 900)
    }
}

/// A number as people write it.
pub(crate) fn phone_written(digits: &str) -> String {
    if let Some(rest) = digits.strip_prefix("44") {
        format!("+44 {} {}", &rest[..4], &rest[4..])
    } else {
        let r = &digits[2..];
        format!("+33 {} {} {} {} {}", &r[..1], &r[1..3], &r[3..5], &r[5..7], &r[7..9])
    }
}

/// A password: it says that it is none.
pub(crate) fn password(rng: &mut Rng) -> String {
    format!("fake{}", rng.chars(crate::rng::PASSWORD, 8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn titles_are_one_of_their_kind() {
        assert_eq!(PLACES.len(), 81);
        assert_eq!((ADJECTIVES.len(), NOUNS.len()), (32, 32));
        let all: BTreeSet<String> = (0..TITLES).map(title).collect();
        assert_eq!(all.len() as u64, TITLES);
        let places: BTreeSet<&&str> = PLACES.iter().collect();
        assert_eq!(places.len(), 81);
    }

    #[test]
    fn phones_are_written_in_international_form() {
        for n in 0..3000 {
            let digits = phone(n);
            let key = model::Key::phone(&phone_written(&digits)).expect("a number");
            assert_eq!(key.rest(), format!("+{digits}"));
        }
    }
}
