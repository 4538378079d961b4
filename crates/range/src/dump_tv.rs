//! Rows about servers, streams and where they come from.

use crate::Error;
use crate::dump::Writer;
use crate::row::V;
use crate::schema::{Family, Table};
use crate::words;
use crate::world::{Kind, Source};

const DAY: i64 = 86_400;

/// A JSON array of texts, slashes escaped as PHP does.
fn json_list(items: &[String]) -> String {
    let quoted: Vec<String> =
        items.iter().map(|t| format!("\"{}\"", t.replace('/', "\\/"))).collect();
    format!("[{}]", quoted.join(","))
}

impl Writer<'_> {
    /// The table of servers.
    pub(crate) fn server_rows(&mut self, table: &Table) -> Result<(), Error> {
        let panel = self.panel;
        let panel_key = panel.key();
        for server in &panel.servers {
            let key = server.key();
            self.tell(|t| {
                t.server(&key, server.ip);
                t.link("part_of", &key, &panel_key);
                t.link("has_address", &key, &format!("ip:{}", server.ip));
                for name in &server.names {
                    t.link("has_name", &key, &format!("domain:{name}"));
                }
            });
            let (ip, names) = (server.ip.to_string(), server.names.join(","));
            let parent = server
                .parent
                .filter(|_| server.id % 3 == 0)
                .map_or("0".to_owned(), |p| format!("[{p}]"));
            let hardware = format!(
                r#"{{"total_ram":{},"cores":{},"kernel":"5.4.0","cpu_name":"Practice CPU"}}"#,
                32_000_000 + server.id * 1000,
                8
            );
            let ssh = format!("fake{}", self.rng.chars(crate::rng::PASSWORD, 10));
            let xc = panel.plan.family == Family::XcVm;
            self.cold(
                table,
                &[
                    ("id", server.id.into()),
                    ("server_type", 0.into()),
                    ("xc_vm_version", "2.0.0".into()),
                    ("server_name", (&server.name).into()),
                    ("domain_name", (&names).into()),
                    ("server_ip", (&ip).into()),
                    ("is_main", server.main.into()),
                    ("parent_id", (&parent).into()),
                    ("ssh_password", if server.id % 4 == 2 { (&ssh).into() } else { V::Null }),
                    ("ssh_port", 22.into()),
                    ("http_broadcast_port", i64::from(panel.port()).into()),
                    ("https_broadcast_port", if xc { 8443 } else { 25463 }.into()),
                    ("rtmp_port", if xc { 8880 } else { 25462 }.into()),
                    ("total_clients", 1000.into()),
                    ("network_interface", "eth0".into()),
                    ("status", 1.into()),
                    ("can_delete", i64::from(!server.main).into()),
                    ("server_hardware", (&hardware).into()),
                    ("geoip_countries", "[]".into()),
                    ("isp_names", "[]".into()),
                    ("whitelist_ips", r#"["127.0.0.1"]"#.into()),
                    ("last_check_ago", (panel.dumped_at - 40).into()),
                    ("interfaces", r#"["eth0"]"#.into()),
                    ("order", server.id.into()),
                ],
            )?;
        }
        Ok(())
    }

    /// Measurements, thirty a server.
    pub(crate) fn stats_rows(&mut self, table: &Table) -> Result<(), Error> {
        let mut id = 0u64;
        for place in 0..self.panel.servers.len() {
            let samples = if self.lines > 1000 { 30 } else { 4 };
            for k in 0..samples {
                id += 1;
                let connections = self.rng.range(0, 900);
                let time = self.panel.dumped_at - k * DAY / 4;
                let sent = connections * 3_100_000 + self.rng.range(0, 99_999);
                self.cold(
                    table,
                    &[
                        ("id", id.into()),
                        ("server_id", self.panel.servers[place].id.into()),
                        ("connections", connections.into()),
                        ("users", (connections * 9 / 10).into()),
                        ("cpu", V::Raw("12.5")),
                        ("cpu_cores", 8.into()),
                        ("total_mem", 32_000_000.into()),
                        ("uptime", "12d 3h 4m 5s".into()),
                        ("bytes_sent", sent.into()),
                        ("bytes_received", (sent / 9).into()),
                        ("sent", sent.into()),
                        ("received", (sent / 9 % 2_000_000_000).into()),
                        ("date", time.into()),
                        ("time", time.into()),
                        ("total_users", connections.into()),
                    ],
                )?;
            }
        }
        Ok(())
    }

    fn source_text(&self, source: &Source) -> String {
        match source {
            Source::Provider(p, number) => {
                let p = &self.world.providers[*p];
                format!("http://{}:{}/live/{}/{}/{number}.ts", p.host, p.port, p.user, p.password)
            }
            Source::Url(url, _) => url.clone(),
            Source::File(path) => path.clone(),
        }
    }

    /// The table of streams.
    pub(crate) fn stream_rows(&mut self, table: &Table) -> Result<(), Error> {
        let panel = self.panel;
        for stream in &panel.streams {
            let key = panel.stream_key(stream.id);
            self.tell(|t| t.link("shows", &key, &stream.shows));
            for source in &stream.sources {
                match source {
                    Source::Provider(p, _) => {
                        let provider = &self.world.providers[*p];
                        let to = provider.key();
                        let (kind, host) = provider.host_link();
                        self.tell(|t| {
                            t.link("taken_from", &key, &to);
                            t.link(kind, &to, &host);
                        });
                    }
                    Source::Url(_, host) => {
                        let (_, to) = crate::world::host_link(host);
                        self.tell(|t| t.link("taken_from", &key, &to));
                    }
                    Source::File(_) => {}
                }
            }
            let sources: Vec<String> = stream.sources.iter().map(|s| self.source_text(s)).collect();
            let sources = json_list(&sources);
            let xc = panel.plan.family == Family::XcVm;
            let category =
                if xc { format!("[{}]", stream.category) } else { stream.category.to_string() };
            let icon = if stream.kind == Kind::Live && stream.id % 3 == 0 {
                format!("http://{}/{}.png", self.world.logos, stream.id)
            } else {
                String::new()
            };
            let movie = matches!(stream.kind, Kind::Movie | Kind::Episode);
            let properties = format!(
                r#"{{"kinopoisk_url":"","tmdb_id":"{}","plot":"Nobody expected a second winter.","genre":"Drama","duration":"01:{:02}:00"}}"#,
                90_000 + stream.id,
                stream.id % 60
            );
            let uuid = self.rng.chars(crate::rng::HEX, 32);
            self.cold(
                table,
                &[
                    ("id", stream.id.into()),
                    ("type", stream.kind.number().into()),
                    ("category_id", V::Text(&category)),
                    ("stream_display_name", (&stream.name).into()),
                    ("stream_source", (&sources).into()),
                    ("stream_icon", (&icon).into()),
                    ("movie_properties", if movie { (&properties).into() } else { V::Null }),
                    ("movie_propeties", if movie { (&properties).into() } else { V::Null }),
                    ("target_container", if movie { r#"["mkv"]"# } else { r#"["ts"]"# }.into()),
                    ("channel_id", stream.epg.as_ref().map_or(V::Null, |e| e.into())),
                    ("epg_id", if stream.epg.is_some() { 1.into() } else { V::Null }),
                    ("epg_lang", if stream.epg.is_some() { "en".into() } else { V::Null }),
                    ("order", stream.id.into()),
                    ("added", (panel.dumped_at - i64::from(stream.id % 700 + 1) * DAY).into()),
                    ("year", stream.year.into()),
                    ("uuid", (&uuid).into()),
                    ("auto_restart", "[]".into()),
                    ("number", stream.id.into()),
                ],
            )?;
        }
        Ok(())
    }

    /// Which server carries which stream, and from which other.
    pub(crate) fn carrier_rows(&mut self, table: &Table) -> Result<(), Error> {
        let panel = self.panel;
        let mut id = 0u64;
        for stream in &panel.streams {
            let key = panel.stream_key(stream.id);
            for &place in &stream.on {
                let server = &panel.servers[place];
                let server_key = server.key();
                self.tell(|t| t.link("carries", &server_key, &key));
                id += 1;
                let live = !matches!(stream.kind, Kind::Movie | Kind::Episode);
                let parent = match server.parent {
                    Some(parent) if live => {
                        let from = panel.servers[parent as usize - 1].key();
                        self.tell(|t| t.link("relays_from", &server_key, &from));
                        V::Int(i64::from(parent))
                    }
                    // Its own parent, as some panels write it.
                    None if id.is_multiple_of(17) => V::Int(1),
                    _ if id.is_multiple_of(2) => V::Int(0),
                    _ => V::Null,
                };
                let current = match stream.sources.first() {
                    Some(source @ Source::Provider(..)) if server.main => {
                        Some(self.source_text(source))
                    }
                    _ => None,
                };
                self.cold(
                    table,
                    &[
                        ("server_stream_id", id.into()),
                        ("stream_id", stream.id.into()),
                        ("server_id", server.id.into()),
                        ("parent_id", parent),
                        ("pid", (1000 + id as i64 % 30_000).into()),
                        ("stream_status", 0.into()),
                        ("stream_started", (panel.dumped_at - 7200).into()),
                        ("stream_info", r#"{"codecs":{"video":{"codec_name":"h264"}}}"#.into()),
                        ("current_source", current.as_ref().map_or(V::Null, |c| c.into())),
                        ("bitrate", (3000 + id as i64 % 2000).into()),
                        ("progress_info", r#"{"speed":"1x"}"#.into()),
                        ("on_demand", (id as i64 % 2).into()),
                    ],
                )?;
            }
        }
        Ok(())
    }

    /// Kinds of stream.
    pub(crate) fn type_rows(&mut self, table: &Table) -> Result<(), Error> {
        for (id, name, key, output, live) in [
            (1, "Live Streams", "live", "live", 1),
            (2, "Movies", "movie", "movie", 0),
            (3, "Created Channels", "created_live", "live", 1),
            (4, "Radio Stations", "radio_streams", "live", 1),
            (5, "TV Series", "series", "series", 0),
        ] {
            self.cold(
                table,
                &[
                    ("type_id", id.into()),
                    ("type_name", name.into()),
                    ("type_key", key.into()),
                    ("type_output", output.into()),
                    ("live", live.into()),
                ],
            )?;
        }
        Ok(())
    }

    /// Categories.
    pub(crate) fn category_rows(&mut self, table: &Table) -> Result<(), Error> {
        let mut rows: Vec<(i64, &str, String)> = words::MARKETS
            .iter()
            .enumerate()
            .map(|(i, (_, tag))| (i as i64 + 1, "live", format!("{tag} | Général")))
            .collect();
        for (i, name) in ["Drama", "Comédie", "Family", "Action"].iter().enumerate() {
            rows.push((20 + i as i64, "movie", (*name).to_owned()));
        }
        rows.push((30, "series", "Series".to_owned()));
        for (id, kind, name) in &rows {
            // One panel's data holds a byte that is no UTF-8.
            let mut bytes = self.text(name).into_owned();
            if self.panel.index % 3 == 1 && *id == 1 {
                bytes.extend_from_slice(b" \xE9t\xE9");
            }
            self.cold(
                table,
                &[
                    ("id", (*id).into()),
                    ("category_type", (*kind).into()),
                    ("category_name", V::Bytes(&bytes)),
                    ("cat_order", (*id).into()),
                ],
            )?;
        }
        Ok(())
    }

    /// Series.
    pub(crate) fn series_rows(&mut self, table: &Table) -> Result<(), Error> {
        let mut last = 0;
        for stream in &self.panel.streams {
            let Some((series, ..)) = stream.episode else { continue };
            if series == last {
                continue;
            }
            last = series;
            let title = words::episode(u64::from(series) - 1, 1, 1).title;
            self.cold(
                table,
                &[
                    ("id", series.into()),
                    ("title", (&title).into()),
                    (
                        "category_id",
                        if self.panel.plan.family == Family::XcVm { "[30]" } else { "30" }.into(),
                    ),
                    ("genre", "Drama".into()),
                    ("plot", "L'été revient toujours.".into()),
                    ("last_modified", (self.panel.dumped_at - DAY).into()),
                    ("seasons", "[]".into()),
                ],
            )?;
        }
        Ok(())
    }

    /// Their episodes.
    pub(crate) fn episode_rows(&mut self, table: &Table) -> Result<(), Error> {
        let mut id = 0u64;
        for stream in &self.panel.streams {
            let Some((series, season, episode)) = stream.episode else { continue };
            id += 1;
            self.cold(
                table,
                &[
                    ("id", id.into()),
                    ("season_num", season.into()),
                    ("episode_num", episode.into()),
                    ("sort", episode.into()),
                    ("series_id", series.into()),
                    ("stream_id", stream.id.into()),
                ],
            )?;
        }
        Ok(())
    }

    /// Bouquets: lists of streams.
    pub(crate) fn bouquet_rows(&mut self, table: &Table) -> Result<(), Error> {
        let ids = |wanted: &dyn Fn(Kind) -> bool| {
            let ids: Vec<String> = self
                .panel
                .streams
                .iter()
                .filter(|s| wanted(s.kind))
                .take(2000)
                .map(|s| s.id.to_string())
                .collect();
            format!("[{}]", ids.join(","))
        };
        let live = ids(&|k| matches!(k, Kind::Live | Kind::Created));
        let movies = ids(&|k| k == Kind::Movie);
        let radios = ids(&|k| k == Kind::Radio);
        for (id, name) in [(1, "Full"), (2, "Sport"), (3, "Für Familien")] {
            self.cold(
                table,
                &[
                    ("id", id.into()),
                    ("bouquet_name", name.into()),
                    ("bouquet_channels", (&live).into()),
                    ("bouquet_movies", (&movies).into()),
                    ("bouquet_radios", (&radios).into()),
                    ("bouquet_series", "[]".into()),
                ],
            )?;
        }
        Ok(())
    }

    /// What is sold.
    pub(crate) fn package_rows(&mut self, table: &Table) -> Result<(), Error> {
        for (id, name, months, credits) in [
            (1, "1 Month", 1, 1),
            (2, "3 Months", 3, 3),
            (3, "6 Months", 6, 5),
            (4, "12 Months", 12, 10),
        ] {
            self.cold(
                table,
                &[
                    ("id", id.into()),
                    ("package_name", name.into()),
                    ("is_official", 1.into()),
                    ("official_credits", credits.into()),
                    ("official_duration", months.into()),
                    ("official_duration_in", "months".into()),
                    ("trial_duration_in", "hours".into()),
                    ("groups", "[2]".into()),
                    ("bouquets", "[1,2,3]".into()),
                    ("output_formats", "[1,2,3]".into()),
                    ("is_line", 1.into()),
                    ("max_connections", 1.into()),
                ],
            )?;
        }
        Ok(())
    }

    /// Output formats.
    pub(crate) fn output_rows(&mut self, table: &Table) -> Result<(), Error> {
        for (id, name, key) in [(1, "HLS", "m3u8"), (2, "MPEGTS", "ts"), (3, "RTMP", "rtmp")] {
            self.cold(
                table,
                &[
                    ("access_output_id", id.into()),
                    ("output_name", name.into()),
                    ("output_key", key.into()),
                    ("output_ext", if id == 3 { "" } else { key }.into()),
                ],
            )?;
        }
        Ok(())
    }

    /// Upstream accounts, as the newer panels keep them.
    pub(crate) fn provider_rows(&mut self, table: &Table) -> Result<(), Error> {
        let panel = self.panel;
        let panel_key = panel.key();
        for (i, &place) in panel.providers.iter().enumerate() {
            let provider = &self.world.providers[place];
            let key = provider.key();
            let (kind, host) = provider.host_link();
            self.tell(|t| {
                t.link("fed_by", &panel_key, &key);
                t.link(kind, &key, &host);
            });
            self.cold(
                table,
                &[
                    ("id", (i as u64 + 1).into()),
                    ("name", (&provider.name).into()),
                    ("ip", (&provider.host).into()),
                    ("port", i64::from(provider.port).into()),
                    ("username", (&provider.user).into()),
                    ("password", (&provider.password).into()),
                    ("data", r#"{"user_info":{"status":"Active","max_connections":"50"}}"#.into()),
                    ("enabled", (i as i64 % 3 != 2).into()),
                    ("status", 1.into()),
                ],
            )?;
        }
        Ok(())
    }

    /// Networks that the panel knows.
    pub(crate) fn asn_rows(&mut self, table: &Table) -> Result<(), Error> {
        for (i, network) in crate::net::HOSTING.iter().chain(crate::net::HOMES).enumerate() {
            self.cold(
                table,
                &[
                    ("id", (i as u64 + 1).into()),
                    ("asn", network.asn.into()),
                    ("isp", network.name.into()),
                    ("country", network.country.into()),
                    ("num_ips", network.v4_count().into()),
                    ("type", if i < crate::net::HOSTING.len() { "hosting" } else { "isp" }.into()),
                ],
            )?;
        }
        Ok(())
    }

    /// Where the guide comes from.
    pub(crate) fn epg_rows(&mut self, table: &Table) -> Result<(), Error> {
        let url = format!("http://{}/guide.xml", self.world.logos);
        self.cold(
            table,
            &[
                ("id", 1.into()),
                ("epg_name", "Guide".into()),
                ("epg_file", (&url).into()),
                ("last_updated", (self.panel.dumped_at - DAY).into()),
                ("data", "[]".into()),
            ],
        )
    }
}
