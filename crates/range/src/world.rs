//! The network behind the material: panels with servers, operators and streams, upstream accounts.

use std::net::IpAddr;

use crate::accounts::Accounts;
use crate::calendar;
use crate::lines::{Line, restreamer};
use crate::net;
use crate::people::{self, Person};
use crate::plan::{PanelPlan, Plan};
use crate::rng::Rng;
use crate::schema::Family;
use crate::words::{self, Channel};

/// A server of a panel.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) ip: IpAddr,
    pub(crate) names: Vec<String>,
    pub(crate) main: bool,
    /// The server it takes streams from; `None` for the main one.
    pub(crate) parent: Option<u32>,
}

impl Server {
    /// The entity's key.
    pub(crate) fn key(&self) -> String {
        format!("server:{}", self.ip)
    }
}

/// An operator's account.
#[derive(Debug, Clone)]
pub(crate) struct Operator {
    pub(crate) id: u32,
    pub(crate) user: String,
    pub(crate) mail: Option<String>,
    pub(crate) group: u32,
    pub(crate) admin: bool,
    pub(crate) owner: u32,
    pub(crate) person: usize,
    pub(crate) face: usize,
}

/// What a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Live,
    Movie,
    Created,
    Radio,
    Episode,
}

impl Kind {
    /// The panels' number of it.
    pub(crate) fn number(self) -> i64 {
        match self {
            Self::Live => 1,
            Self::Movie => 2,
            Self::Created => 3,
            Self::Radio => 4,
            Self::Episode => 5,
        }
    }

    /// The folder in URLs.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Movie => "movie",
            Self::Episode => "series",
            _ => "live",
        }
    }
}

/// Where a stream comes from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// Stream `.1` of an upstream account.
    Provider(usize, u32),
    /// A URL without account, its host a name or an address.
    Url(String, String),
    /// A file of a server.
    File(String),
}

/// A stream of a panel.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    pub(crate) id: u32,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) epg: Option<String>,
    /// The key of what it shows.
    pub(crate) shows: String,
    pub(crate) year: Option<i64>,
    pub(crate) category: u32,
    pub(crate) sources: Vec<Source>,
    /// Indices of the servers that carry it.
    pub(crate) on: Vec<usize>,
    /// Series number, season, episode.
    pub(crate) episode: Option<(u32, u32, u32)>,
}

/// An account at an upstream panel.
#[derive(Debug, Clone)]
pub(crate) struct Provider {
    pub(crate) name: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: String,
}

impl Provider {
    pub(crate) fn key(&self) -> String {
        format!("provider:{}:{}/{}", self.host, self.port, self.user)
    }

    /// `(has_name | has_address, key of the host)`.
    pub(crate) fn host_link(&self) -> (&'static str, String) {
        host_link(&self.host)
    }
}

/// How a host is linked, and its key.
pub(crate) fn host_link(host: &str) -> (&'static str, String) {
    match host.parse::<IpAddr>() {
        Ok(ip) => ("has_address", format!("ip:{ip}")),
        Err(_) => ("has_name", format!("domain:{host}")),
    }
}

/// A panel.
#[derive(Debug, Clone)]
pub(crate) struct Panel {
    pub(crate) index: usize,
    pub(crate) plan: PanelPlan,
    pub(crate) brand: String,
    /// `lumen.example`.
    pub(crate) domain: String,
    pub(crate) db: String,
    pub(crate) dumped_at: i64,
    pub(crate) servers: Vec<Server>,
    pub(crate) operators: Vec<Operator>,
    pub(crate) streams: Vec<Stream>,
    /// Providers it uses.
    pub(crate) providers: Vec<usize>,
    pub(crate) lines: u64,
    /// Number of the first MAC address of its devices.
    pub(crate) mac_base: u64,
    /// The panel that feeds it, by its own lines.
    pub(crate) above: Option<usize>,
}

impl Panel {
    /// `xc_vm~198.18.0.1`.
    pub(crate) fn locator(&self) -> String {
        format!("{}~{}", self.plan.family.word(), self.servers[0].ip)
    }

    pub(crate) fn key(&self) -> String {
        format!("panel:{}", self.locator())
    }

    pub(crate) fn operator_key(&self, id: u32) -> String {
        format!("operator:{}/{id}", self.locator())
    }

    pub(crate) fn stream_key(&self, id: u32) -> String {
        format!("stream:{}/{id}", self.locator())
    }

    pub(crate) fn line_key(&self, user: &str) -> String {
        format!("line:{}/{user}", self.locator())
    }

    /// The port that viewers use.
    pub(crate) fn port(&self) -> u16 {
        if self.plan.family == Family::XcVm { 8080 } else { 25461 }
    }

    /// Names of its servers.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = &str> {
        self.servers.iter().flat_map(|s| s.names.iter().map(String::as_str))
    }
}

/// Everything that the material will speak of.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) seed: u64,
    pub(crate) people: Vec<Person>,
    pub(crate) providers: Vec<Provider>,
    pub(crate) panels: Vec<Panel>,
    pub(crate) channels: Vec<Channel>,
    pub(crate) accounts: Accounts,
    /// A name whose host serves logos and guides; it stands in the host lists.
    pub(crate) logos: String,
}

fn share(total: u64, parts: &[PanelPlan], i: usize, floor: u64) -> u64 {
    let n = if i == 0 {
        let rest: u64 = (1..parts.len()).map(|j| share(total, parts, j, floor)).sum();
        total.saturating_sub(rest)
    } else {
        total * parts[i].share / 1000
    };
    n.max(floor)
}

/// Spreads structure more evenly than lines: half by share, half alike.
fn spread(total: u64, parts: &[PanelPlan], i: usize, floor: u64) -> u64 {
    let even = total / 2 / parts.len() as u64;
    let n = if i == 0 {
        let rest: u64 = (1..parts.len()).map(|j| spread(total, parts, j, floor)).sum();
        total.saturating_sub(rest)
    } else {
        total / 2 * parts[i].share / 1000 + even
    };
    n.max(floor)
}

impl World {
    pub(crate) fn new(plan: Plan, seed: u64) -> Self {
        let people = people::people(&plan, seed);
        let radios = (plan.channels / 20).max(2);
        let mut channels: Vec<Channel> =
            (0..plan.channels - radios).map(|i| words::channel(i, false)).collect();
        channels.extend((0..radios).map(|i| words::channel(i, true)));
        let mut world = Self {
            logos: "logos.pictures.example".to_owned(),
            accounts: Accounts::new(&plan, &people, seed),
            people,
            providers: Vec::new(),
            panels: Vec::new(),
            channels,
            plan,
            seed,
        };
        world.make_providers();
        let mut next_server = 0;
        let mut taken = vec![0; net::HOSTING.len()];
        let mut mac_base = 0;
        for index in 0..world.plan.panels.len() {
            let panel = world.panel(index, &mut next_server, &mut taken, mac_base);
            mac_base += panel.lines / 10 + 1000;
            world.panels.push(panel);
        }
        world.share_a_server();
        for account in &world.accounts.paypal {
            world.people[account.person].owns(&account.key());
        }
        for bank in &world.accounts.banks {
            world.people[bank.person].owns(&bank.key());
        }
        for panel in &world.panels {
            for operator in &panel.operators {
                let key = panel.operator_key(operator.id);
                world.people[operator.person].owns(&key);
            }
        }
        world
    }

    fn make_providers(&mut self) {
        let base = Rng::named(self.seed, "providers");
        for i in 0..self.plan.providers {
            let mut rng = base.item(i);
            let brand = words::BRANDS[(i as usize + 9) % words::BRANDS.len()];
            let host = if i % 4 == 3 {
                // An upstream that is known by its address alone.
                {
                    let network = &net::HOSTING[i as usize % self.plan.networks];
                    network.v4(network.v4_count() - 500 + i as u32 % 250).to_string()
                }
            } else {
                format!("up-{}.{brand}-feed.example", i + 1)
            };
            self.providers.push(Provider {
                name: format!("Feed {}", i + 1),
                host,
                port: *rng.pick(&[80, 8080, 25461, 8880]),
                user: format!("restream{}", 100 + i),
                password: words::password(&mut rng),
            });
        }
    }

    fn panel(
        &mut self,
        index: usize,
        next_server: &mut u32,
        taken: &mut [u32],
        mac_base: u64,
    ) -> Panel {
        let plans = &self.plan.panels;
        let plan = plans[index];
        let mut rng = Rng::named(self.seed, &format!("panel {index}"));
        let turn = index / words::BRANDS.len();
        let mut brand = words::BRANDS[(index * 7 + rng.index(3)) % words::BRANDS.len()].to_owned();
        if turn > 0 || self.panels.iter().any(|p| p.brand == brand) {
            brand = format!("{brand}{}", index + 1);
        }
        let domain = format!("{brand}.{}", if index % 3 == 1 { "test" } else { "example" });
        let day = 1 + rng.range(0, 20);
        let dumped_at = calendar::at(2026, 3, day) + 3 * 3600 + rng.range(0, 3 * 3600);
        let servers = self.servers(&mut rng, index, &domain, next_server, taken);
        let operators = self.operators(&mut rng, index);
        let mut panel = Panel {
            index,
            plan,
            brand,
            domain,
            db: match plan.family {
                Family::XcVm => "xc_vm".to_owned(),
                Family::XtreamUi => "xtream_iptvpro".to_owned(),
                Family::StreamCreed => "streamcreed_db".to_owned(),
            },
            dumped_at,
            servers,
            operators,
            streams: Vec::new(),
            providers: Vec::new(),
            lines: share(self.plan.lines, plans, index, 20),
            mac_base,
            above: (index > 0).then(|| rng.index(index)),
        };
        let count = self.plan.providers as usize;
        let used = if index == 0 { count.div_ceil(2) } else { 1 + rng.index(2) };
        for k in 0..used {
            panel.providers.push((index * 3 + k) % count);
        }
        if let Some(above) = panel.above {
            // It also takes from the panel above, by an account there.
            let up = &self.panels[above];
            let line = Line::of(self.seed, up, restreamer(index));
            let host = up.hosts().next().map_or(up.servers[0].ip.to_string(), str::to_owned);
            panel.providers.push(self.providers.len());
            let port = up.port();
            self.providers.push(Provider {
                name: format!("{} main", up.brand),
                host,
                port,
                user: line.user.clone(),
                password: line.password.clone(),
            });
        }
        panel.providers.sort_unstable();
        panel.providers.dedup();
        panel.streams = self.streams(&mut rng, &panel);
        panel
    }

    fn servers(
        &self,
        rng: &mut Rng,
        index: usize,
        domain: &str,
        next: &mut u32,
        taken: &mut [u32],
    ) -> Vec<Server> {
        let count = spread(self.plan.servers, &self.plan.panels, index, 2) as u32;
        let family = self.plan.panels[index].family;
        (0..count)
            .map(|i| {
                let number = *next;
                *next += 1;
                // RO, NL and HK take most; every network has some.
                let place = match number as usize {
                    n if n < self.plan.networks => n,
                    n if n % 5 < 3 => n % 3,
                    n => n % self.plan.networks,
                };
                let network = &net::HOSTING[place];
                let nth = taken[place];
                taken[place] += 1;
                let ip: IpAddr = if i > 0 && number % 29 == 17 {
                    network.v6(number).into()
                } else {
                    // Neighbours by number stand apart; 101 shares no factor with any count.
                    network.v4(nth * 101 % (network.v4_count() - 500)).into()
                };
                let country = network.country.to_lowercase();
                let mut names = Vec::new();
                match family {
                    Family::XcVm => {
                        if i == 0 {
                            names.push(format!("panel.{domain}"));
                            names.push(format!("tv.{domain}"));
                        } else if rng.per_mille(800) {
                            names.push(format!("cdn-{country}-{}.{domain}", i + 1));
                        }
                    }
                    Family::XtreamUi => {
                        if i == 0 {
                            names.push(format!("portal.{domain}"));
                        } else if rng.per_mille(600) {
                            names.push(format!("lb-{country}-{}.{domain}", i + 1));
                        }
                    }
                    Family::StreamCreed => {}
                }
                let parent = match i {
                    0 => None,
                    1..=3 => Some(1),
                    _ => Some(1 + rng.below(u64::from(i).div_ceil(3)) as u32),
                };
                Server {
                    id: i + 1,
                    name: if i == 0 {
                        "Main Server".to_owned()
                    } else {
                        format!("LB {} {}", network.country, i + 1)
                    },
                    ip,
                    names,
                    main: i == 0,
                    parent,
                }
            })
            .collect()
    }

    /// One load balancer serves two panels: it is one server.
    fn share_a_server(&mut self) {
        if self.panels.len() < 2 {
            return;
        }
        let (one, other) = self.panels.split_at_mut(1);
        if let (Some(a), Some(b)) = (one[0].servers.last(), other[0].servers.last_mut())
            && !a.main
            && !b.main
        {
            b.ip = a.ip;
            b.names.clear();
        }
    }

    fn operators(&self, rng: &mut Rng, index: usize) -> Vec<Operator> {
        let plan = &self.plan.panels[index];
        let count = spread(self.plan.operators, &self.plan.panels, index, 4) as u32;
        let reseller = if plan.family == Family::XcVm { 2 } else { 4 };
        // The panel's admin is one of the first few people: those who run the network.
        let leaders = (self.people.len() / 20).clamp(2, 12);
        (0..count)
            .map(|i| {
                let admin = i == 0 || (i == 2 && count > 8);
                let person = if admin { rng.index(leaders) } else { rng.index(self.people.len()) };
                let face = rng.index(self.people[person].faces.len());
                let presented = &self.people[person].faces[face];
                let group = match i {
                    _ if admin && i > 0 && !plan.no_groups => 5,
                    _ if admin => 1,
                    _ => reseller,
                };
                let owner = match i {
                    0 => 0,
                    1..=4 => 1,
                    // Itself, as panels do for those at the top.
                    5 => 6,
                    _ => 1 + rng.below(u64::from(i).min(5 + u64::from(i) / 2)) as u32,
                };
                Operator {
                    id: i + 1,
                    user: if i == 0 {
                        "admin".to_owned()
                    } else {
                        format!("{}_{}", presented.user, i + 1)
                    },
                    mail: (!rng.per_mille(100)).then(|| presented.mail.clone()),
                    group,
                    admin,
                    owner,
                    person,
                    face,
                }
            })
            .collect()
    }

    fn sources(&self, rng: &mut Rng, panel: &Panel, id: u32, kind: Kind) -> Vec<Source> {
        let extra = format!("origin-{}.{}", 1 + id % 5, panel.domain);
        let one = |rng: &mut Rng| match rng.below(10) {
            0..=6 => Source::Provider(*rng.pick(&panel.providers), 1000 + rng.below(90_000) as u32),
            7 => {
                let network = &net::HOSTING[rng.index(self.plan.networks)];
                let ip = network.v4(network.v4_count() - 250 + rng.below(250) as u32);
                Source::Url(format!("http://{ip}:8081/hls/feed/{id}/index.m3u8"), ip.to_string())
            }
            8 => Source::Url(format!("https://{extra}/hls/feed/{id}/index.m3u8"), extra.clone()),
            // An account that is in no table of providers.
            _ => Source::Provider(
                (panel.index * 3 + 1 + id as usize % 3) % self.plan.providers as usize,
                1000 + rng.below(90_000) as u32,
            ),
        };
        match kind {
            Kind::Live => (0..1 + usize::from(rng.per_mille(300))).map(|_| one(rng)).collect(),
            Kind::Created => vec![Source::File(format!("/media/created/{id}.mp4"))],
            Kind::Radio => vec![Source::Url(format!("http://{extra}:8000/radio"), extra)],
            Kind::Movie | Kind::Episode if rng.per_mille(250) => {
                vec![Source::Provider(*rng.pick(&panel.providers), 200_000 + id)]
            }
            Kind::Movie | Kind::Episode => vec![Source::File(format!("s:1:/media/vod/{id}.mkv"))],
        }
    }

    fn streams(&self, rng: &mut Rng, panel: &Panel) -> Vec<Stream> {
        let mut streams: Vec<Stream> = Vec::new();
        let big = panel.index == 0;
        let mut add = |kind, name: String, epg, shows, year, episode, category| {
            let id = 1 + streams.len() as u32 + (streams.len() / 40) as u32;
            streams.push(Stream {
                id,
                kind,
                name,
                epg,
                shows,
                year,
                category,
                sources: Vec::new(),
                on: Vec::new(),
                episode,
            });
        };
        for (i, channel) in self.channels.iter().enumerate() {
            // The main panel has all; the others about half, each its own.
            if !big
                && crate::rng::mix((panel.index * 100_003 + i) as u64).is_multiple_of(2)
                && i > 3
            {
                continue;
            }
            let variants = if channel.radio { 1 } else { 1 + rng.below(3) };
            for v in 0..variants {
                let kind = match (channel.radio, i % 40) {
                    (true, _) => Kind::Radio,
                    (false, 7) => Kind::Created,
                    _ => Kind::Live,
                };
                let name = channel.shown((i as u64) << 8 | v << 4 | panel.index as u64);
                let category = 1 + channel.market as u32;
                add(kind, name, channel.epg.clone(), channel.key.clone(), None, None, category);
            }
        }
        let films = if big { self.plan.films } else { self.plan.films / 4 + 2 };
        for i in 0..films {
            let number = if big { i } else { (i * 3 + panel.index as u64) % self.plan.films };
            let work = words::film(number);
            add(
                Kind::Movie,
                work.shown(number ^ panel.index as u64),
                None,
                work.key.clone(),
                work.year,
                None,
                20 + (number % 4) as u32,
            );
        }
        for series in 0..if big { self.plan.series } else { self.plan.series / 3 } {
            for number in 1..=2 + (series % 6) as u32 {
                let work = words::episode(series, 1, number);
                add(
                    Kind::Episode,
                    work.shown(series),
                    None,
                    work.key.clone(),
                    None,
                    Some((series as u32 + 1, 1, number)),
                    30,
                );
            }
        }
        let balancers = panel.servers.len() - 1;
        let carriers = streams.len();
        for (i, stream) in streams.iter_mut().enumerate() {
            stream.sources = self.sources(rng, panel, stream.id, stream.kind);
            stream.on.push(0);
            let each = match stream.kind {
                Kind::Movie | Kind::Episode => 1,
                _ => 2,
            }
            .max(balancers.div_ceil(carriers))
            .min(balancers);
            for k in 0..each {
                stream.on.push(1 + (i * each + k) % balancers);
            }
            stream.on.sort_unstable();
            stream.on.dedup();
        }
        streams
    }
}
