//! Rows by the million: lines, devices, activity.

use std::io::Write as _;

use crate::Error;
use crate::dump::Writer;
use crate::lines::{Box_, Line, mac};
use crate::net::HOMES;
use crate::row::{Template, V};
use crate::schema::{Family, Table};
use crate::world::Kind;

const AGENTS: &[&str] = &[
    "VLC/3.0.18 LibVLC/3.0.18",
    "IPTVSmartersPlayer",
    "TiviMate/4.7.0",
    "okhttp/4.9.3",
    "Lavf/58.76.100",
    "Mozilla/5.0 (QtEmbedded; U; Linux; C) AppleWebKit/533.3 (KHTML, like Gecko) MAG200 stbapp ver: 2 rev: 250 Safari/533.3",
];

fn write_ip(out: &mut Vec<u8>, ip: std::net::IpAddr) {
    let _ = write!(out, "{ip}");
}

impl Writer<'_> {
    /// The table of subscribers.
    pub(crate) fn lines_rows(&mut self, table: &Table) -> Result<(), Error> {
        let xc = self.panel.plan.family == Family::XcVm;
        let separator = self.sql.tool().separator();
        let cut = self.truth.is_none() && !xc;
        let last = if cut { self.lines / 2 } else { self.lines };
        let fixed = [
            ("allowed_ips", "'[]'"),
            ("allowed_ua", "'[]'"),
            ("bouquet", "'[1,2,3]'"),
            ("allowed_outputs", "'[1,2,3]'"),
            ("admin_notes", "''"),
            ("forced_country", "''"),
            ("created_by", "1"),
            ("play_token", "''"),
        ];
        let template = if xc {
            Template::new(
                table,
                separator,
                &[
                    "id",
                    "member_id",
                    "username",
                    "password",
                    "last_ip",
                    "exp_date",
                    "admin_enabled",
                    "enabled",
                    "reseller_notes",
                    "max_connections",
                    "is_restreamer",
                    "is_trial",
                    "is_mag",
                    "is_e2",
                    "created_at",
                    "as_number",
                    "isp_desc",
                    "package_id",
                    "access_token",
                    "contact",
                    "last_activity",
                    "last_activity_array",
                    "updated",
                ],
                &fixed,
            )
        } else {
            Template::new(
                table,
                separator,
                &[
                    "id",
                    "member_id",
                    "username",
                    "password",
                    "exp_date",
                    "admin_enabled",
                    "enabled",
                    "reseller_notes",
                    "max_connections",
                    "is_restreamer",
                    "is_trial",
                    "created_at",
                    "is_mag",
                    "is_e2",
                    "as_number",
                    "isp_desc",
                ],
                &fixed,
            )
        };
        let (mut mails, mut owned) = (0, 0);
        let mut buffer = std::mem::take(&mut self.buffer);
        let (mut ip, mut seen) = (Vec::with_capacity(40), Vec::with_capacity(120));
        for id in 1..=last {
            let line = self.line(id);
            let network = &HOMES[line.home.network];
            self.tally.active += u64::from(line.active(self.panel.dumped_at));
            owned += u64::from(line.owner.is_some());
            let note = if id % 37 == 0 { "paid until summer" } else { "" };
            let mut row = template.row(&mut buffer);
            row.put(line.id)
                .put(line.owner)
                .plain(line.user.as_bytes())
                .plain(line.password.as_bytes());
            if xc {
                if line.used {
                    ip.clear();
                    write_ip(&mut ip, line.home.ip);
                    row.plain(&ip);
                } else {
                    row.put(V::Null);
                }
            }
            row.put(line.expires).put(line.admin_enabled).put(line.enabled).put(note);
            row.put(i64::from(line.connections)).put(line.restreamer).put(line.trial);
            let (is_mag, is_e2) = (line.device == Box_::Mag, line.device == Box_::Enigma);
            if xc {
                row.put(is_mag).put(is_e2).put(line.created);
            } else {
                row.put(line.created).put(is_mag).put(is_e2);
            }
            if line.used {
                ip.clear();
                let _ = write!(ip, "{}", network.asn);
                row.plain(&ip).plain(network.name.as_bytes());
            } else {
                row.put(V::Null).put(V::Null);
            }
            if xc {
                row.put(i64::from(line.package)).plain(line.token().as_bytes());
                match &line.contact {
                    Some(mail) => {
                        mails += 1;
                        row.plain(mail.as_bytes());
                    }
                    None => {
                        row.put(V::Null);
                    }
                }
                let at = line.last_used(self.panel.dumped_at);
                if line.used {
                    seen.clear();
                    let server = 1 + id as usize % self.panel.servers.len();
                    let stream = self.panel.streams[id as usize % self.panel.streams.len()].id;
                    let _ = write!(
                        seen,
                        "{{\\\"stream_id\\\":{stream},\\\"server_id\\\":{server},\\\"date_end\\\":{at}}}"
                    );
                    row.put(at).plain(&seen);
                } else {
                    row.put(V::Null).put(V::Null);
                }
                row.plain(crate::calendar::sql(at).as_bytes());
            }
            row.end();
            if xc && line.used {
                self.tell(|t| t.home(&line.home));
            }
            self.sql.row(table, &buffer)?;
        }
        self.buffer = buffer;
        let lines = last;
        self.tell(|t| {
            t.count("Line", lines);
            t.count_links("owned_by", owned);
            t.count("EmailAddress", mails);
        });
        Ok(())
    }

    /// MAG boxes.
    pub(crate) fn mag_rows(&mut self, table: &Table) -> Result<(), Error> {
        let panel = self.panel;
        let clear = panel.plan.family == Family::XcVm;
        let with_ip = table.column("ip").is_some();
        let separator = self.sql.tool().separator();
        let mut varying = vec!["mag_id", "user_id", "mac"];
        if with_ip {
            varying.push("ip");
        }
        varying.extend(["last_active", "stb_type", "sn", "created", "token"]);
        if clear {
            varying.push("mac_filter");
        }
        let fixed = [
            ("aspect", "''"),
            ("image_version", "'218'"),
            ("hw_version", "'1.7-BD-00'"),
            ("ver", "'ImageDescription: 0.2.18-r14-pub-250'"),
            ("watchdog_timeout", "120"),
            ("fav_channels", "'[]'"),
            ("tv_archive_continued", "'[]'"),
            ("country", "''"),
        ];
        let template = Template::new(table, separator, &varying, &fixed);
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut k = 0;
        for id in 1..=self.lines {
            let line = self.line(id);
            if line.device != Box_::Mag {
                continue;
            }
            // Some boxes moved here from the first panel: they are the same devices.
            let moved = panel.index > 0 && k % 40 == 9;
            let number = if moved { k } else { panel.mac_base + k };
            k += 1;
            let plain = mac(false, number);
            let shown = if clear { plain.clone() } else { base64(plain.as_bytes()) };
            if moved {
                let key = format!("mac:{}", plain.to_lowercase());
                self.tell(|t| t.moved_device(&key, number));
            } else {
                self.tally.devices += 1;
                self.tell(|t| t.count("Device", 1));
            }
            self.tell(|t| t.count_links("uses_device", 1));
            let serial = format!("fake{:09}", number * 7);
            let mut row = template.row(&mut buffer);
            row.put(k).put(id).plain(shown.as_bytes());
            if with_ip {
                // The column holds 20 characters.
                if line.home.ip.is_ipv4() {
                    let ip = line.home.ip.to_string();
                    row.put(&ip);
                    if let Some(truth) = &mut self.truth {
                        truth.home(&line.home);
                    }
                } else {
                    row.put(V::Null);
                }
            }
            row.put(line.last_used(panel.dumped_at)).put("MAG254").put(&serial).put(line.created);
            row.put(&line.token());
            if clear {
                row.put(&plain);
            }
            row.end();
            self.sql.row(table, &buffer)?;
        }
        self.buffer = buffer;
        if panel.index == 0 {
            self.tell(|t| t.first_panels_devices(k));
        }
        Ok(())
    }

    /// Enigma2 boxes.
    pub(crate) fn enigma_rows(&mut self, table: &Table) -> Result<(), Error> {
        let panel = self.panel;
        let mut k = 0;
        for id in 1..=self.lines {
            let line = self.line(id);
            if line.device != Box_::Enigma {
                continue;
            }
            let plain = mac(true, panel.mac_base + k);
            k += 1;
            self.tally.devices += 1;
            self.tell(|t| {
                t.count("Device", 1);
                t.count_links("uses_device", 1);
                t.home(&line.home);
            });
            let (ip, local) = (line.home.ip.to_string(), Self::private(id).to_string());
            let token = line.token();
            self.cold(
                table,
                &[
                    ("device_id", k.into()),
                    ("mac", (&plain).into()),
                    ("user_id", id.into()),
                    ("modem_mac", "".into()),
                    ("local_ip", (&local).into()),
                    ("public_ip", (&ip).into()),
                    ("enigma_version", "2023-11-04".into()),
                    ("cpu", "bcm7362".into()),
                    ("version", "OpenPLi".into()),
                    ("token", (&token).into()),
                    ("last_updated", line.created.into()),
                    ("original_mac", (&plain).into()),
                    ("mac_filter", (&plain).into()),
                ],
            )?;
        }
        Ok(())
    }

    /// Who watched, or watches: three of ten lines have a row of the past, one of a hundred one of
    /// the present.
    pub(crate) fn activity_rows(&mut self, table: &Table, live: bool) -> Result<(), Error> {
        let panel = self.panel;
        let count = if live { self.lines / 100 + 2 } else { self.lines * 3 / 10 + 5 };
        let watched: Vec<_> =
            panel.streams.iter().filter(|s| matches!(s.kind, Kind::Live | Kind::Movie)).collect();
        let separator = self.sql.tool().separator();
        // StreamCreed keeps a token for what is open.
        let token = table.column("token").is_some();
        let mut varying = vec!["activity_id"];
        if token {
            varying.push("token");
        }
        varying.extend([
            "user_id",
            "stream_id",
            "server_id",
            "user_agent",
            "user_ip",
            "container",
            "date_start",
        ]);
        if table.column("date_end").is_some() {
            varying.push("date_end");
        }
        varying.extend(["geoip_country_code", "isp"]);
        let fixed = [("external_device", "''"), ("city", "''"), ("pid", "4711")];
        let template = Template::new(table, separator, &varying, &fixed);
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut ip = Vec::with_capacity(40);
        for i in 0..count {
            let id = 1 + self.rng.below(self.panel.lines);
            let line: Line = self.line(id);
            let stream = *self.rng.pick(&watched);
            let server = panel.servers[*self.rng.pick(&stream.on)].id;
            let start = panel.dumped_at - self.rng.range(3600, 90 * 86_400);
            let network = &HOMES[line.home.network];
            ip.clear();
            // Somebody watches from behind the panel's own router.
            let inside = i % 211 == 3;
            if inside {
                write_ip(&mut ip, Self::private(i));
            } else {
                write_ip(&mut ip, line.home.ip);
                if let Some(truth) = &mut self.truth {
                    truth.home(&line.home);
                }
            }
            let mut row = template.row(&mut buffer);
            row.put(i + 1);
            if token {
                row.plain(line.token().as_bytes());
            }
            row.put(line.id).put(stream.id).put(server);
            row.plain(AGENTS[line.id as usize % AGENTS.len()].as_bytes()).plain(&ip);
            row.plain(if stream.kind == Kind::Movie { b"mkv" } else { b"ts" }).put(start);
            if varying.contains(&"date_end") {
                if live {
                    row.put(V::Null);
                } else {
                    row.put(start + 60 + (line.id as i64 * 37 + i as i64) % 9000);
                }
            }
            row.plain(if inside { b"" } else { network.country.as_bytes() });
            row.plain(network.name.as_bytes());
            row.end();
            self.sql.row(table, &buffer)?;
        }
        self.tally.activity += count;
        self.buffer = buffer;
        Ok(())
    }

    /// What clients were refused: the request stands in it, password and all.
    pub(crate) fn client_log_rows(&mut self, table: &Table) -> Result<(), Error> {
        const STATUS: [&str; 4] =
            ["USER_EXPIRED", "AUTH_FAILED", "NOT_IN_BOUQUET", "USER_DISABLED"];
        let count = self.lines / 50 + 3;
        for i in 0..count {
            let id = 1 + self.rng.below(self.panel.lines);
            let line = self.line(id);
            let query =
                format!("username={}&amp;password={}&amp;type=m3u_plus", line.user, line.password);
            let ip = line.home.ip.to_string();
            self.tell(|t| t.home(&line.home));
            self.cold(
                table,
                &[
                    ("id", (i + 1).into()),
                    ("stream_id", 1.into()),
                    ("user_id", line.id.into()),
                    ("client_status", STATUS[i as usize % 4].into()),
                    ("query_string", (&query).into()),
                    ("user_agent", AGENTS[i as usize % AGENTS.len()].into()),
                    ("ip", (&ip).into()),
                    ("extra_data", "[]".into()),
                    ("date", line.last_used(self.panel.dumped_at).into()),
                ],
            )?;
        }
        Ok(())
    }
}

/// Standard base64 with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let n = chunk.iter().fold(0u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let digit = ALPHABET[(n >> (18 - 6 * i) & 63) as usize];
            text.push(if i <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_of_a_mac() {
        assert_eq!(super::base64(b"00:1A:79:00:00:01"), "MDA6MUE6Nzk6MDA6MDA6MDE=");
    }
}
