//! Rows about operators: accounts, groups, sign-ins, tickets, credits, logs.

use crate::Error;
use crate::checks;
use crate::dump::Writer;
use crate::row::V;
use crate::schema::{Family, Table};
use crate::words;

const DAY: i64 = 86_400;

impl Writer<'_> {
    /// The table of operators.
    pub(crate) fn operator_rows(&mut self, table: &Table) -> Result<(), Error> {
        let panel = self.panel;
        let salt = if panel.plan.family == Family::XcVm { "xc_vm" } else { "xtreamcodes" };
        for (place, operator) in panel.operators.iter().enumerate() {
            let (key, person) = self.operator(place);
            let panel_key = panel.key();
            self.tell(|t| t.link("part_of", &key, &panel_key));
            if operator.owner != 0 && operator.owner != operator.id {
                let above = panel.operator_key(operator.owner);
                self.tell(|t| t.link("sub_reseller_of", &key, &above));
            }
            if let Some(mail) = &operator.mail {
                let to = format!("email:{mail}");
                self.tell(|t| t.link("contact", &key, &to));
            }
            let ip = person.home(&mut self.rng);
            let to = format!("ip:{ip}");
            self.tell(|t| t.link("signed_in_from", &key, &to));
            let note = self.note(&key, place);
            let hash =
                format!("$6$rounds=20000${salt}$FAKE{}", self.rng.chars(crate::rng::PASSWORD, 82));
            let registered = panel.dumped_at - self.rng.range(100, 1400) * DAY;
            let last = panel.dumped_at - self.rng.range(1, 90) * DAY;
            let credits = if operator.admin { 0 } else { self.rng.range(0, 900) };
            let (ip, upper) = (
                ip.to_string(),
                operator.mail.as_ref().map(|m| {
                    // People write their own address in many ways.
                    if operator.id % 11 == 0 { m.to_uppercase() } else { m.clone() }
                }),
            );
            self.cold(
                table,
                &[
                    ("id", operator.id.into()),
                    ("username", (&operator.user).into()),
                    ("password", (&hash).into()),
                    ("email", upper.as_ref().map_or(V::Text(""), |m| m.into())),
                    ("ip", (&ip).into()),
                    ("date_registered", if operator.id == 1 { 0 } else { registered }.into()),
                    ("last_login", last.into()),
                    ("member_group_id", operator.group.into()),
                    ("credits", credits.into()),
                    ("notes", (&note).into()),
                    ("owner_id", operator.owner.into()),
                    ("verified", 1.into()),
                    ("default_lang", "English".into()),
                    ("timezone", "Europe/London".into()),
                    ("override_packages", "[]".into()),
                ],
            )?;
        }
        Ok(())
    }

    /// What an administrator wrote beside an account; what it names is a mention.
    fn note(&mut self, key: &str, place: usize) -> String {
        let (_, person) = self.operator(place);
        let face = &person.faces[self.panel.operators[place].face];
        let (to, text) = match self.rng.below(9) {
            0 => (
                format!("phone:+{}", face.phone),
                format!("call {}", words::phone_written(&face.phone)),
            ),
            1 => match person.wallets.first() {
                Some(w) => (
                    format!("wallet:{}:{}", w.chain, w.address),
                    format!("pays with {}", w.address),
                ),
                None => return format!("{}, pays late", face.name),
            },
            2 => {
                let domain = format!("shop-{}.example", face.handle.replace('_', "-"));
                (format!("domain:{domain}"), format!("sells at https://{domain}/ since spring"))
            }
            3 => {
                let mail = &person.faces[0].mail;
                (format!("email:{mail}"), format!("write to {mail}"))
            }
            4 => return format!("{}, pays late", face.name),
            5 => return "Réduction accordée, à revoir".to_owned(),
            _ => return String::new(),
        };
        self.tell(|t| t.link("mentions", key, &to));
        text
    }

    /// The table of groups.
    pub(crate) fn group_rows(&mut self, table: &Table) -> Result<(), Error> {
        let rows: &[(i64, &str, i64, i64)] = if self.panel.plan.family == Family::XcVm {
            &[(1, "Administrators", 1, 0), (2, "Resellers", 0, 1), (5, "Staff", 1, 0)]
        } else {
            &[
                (1, "Administrators", 1, 0),
                (2, "Registered Users", 0, 0),
                (3, "Banned", 0, 0),
                (4, "Resellers", 0, 1),
                (5, "Staff", 1, 0),
            ]
        };
        for (id, name, admin, reseller) in rows {
            self.cold(
                table,
                &[
                    ("group_id", (*id).into()),
                    ("group_name", (*name).into()),
                    ("is_admin", (*admin).into()),
                    ("is_reseller", (*reseller).into()),
                    ("total_allowed_gen_in", "day".into()),
                    ("allowed_pages", "[]".into()),
                    ("can_delete", i64::from(*id > 4).into()),
                    ("create_sub_resellers", (*reseller).into()),
                ],
            )?;
        }
        Ok(())
    }

    /// Who signed in. Failures name nobody's place.
    pub(crate) fn login_rows(&mut self, table: &Table) -> Result<(), Error> {
        let xc = self.panel.plan.family == Family::XcVm;
        let count = self.panel.operators.len() * 4 + 6;
        for i in 0..count {
            let place = if i < self.panel.operators.len() {
                i
            } else {
                self.rng.index(self.panel.operators.len())
            };
            let (key, person) = self.operator(place);
            let fails = xc && self.rng.per_mille(150);
            let stranger = fails && self.rng.per_mille(400);
            let ip = if stranger {
                let line = 1 + self.rng.below(self.panel.lines);
                let home = self.line(line).home;
                self.tell(|t| t.home(&home));
                home.ip
            } else {
                person.home(&mut self.rng)
            };
            let to = format!("ip:{ip}");
            if fails {
                // The address column counts all the same.
                if !stranger {
                    self.tell(|t| t.entity(&to));
                }
            } else {
                self.tell(|t| t.link("signed_in_from", &key, &to));
            }
            let operator = &self.panel.operators[place];
            let date =
                self.panel.dumped_at - self.rng.range(1, 200) * DAY + self.rng.range(0, 80_000);
            let ip = ip.to_string();
            self.cold(
                table,
                &[
                    ("id", (i as u64 + 1).into()),
                    ("type", if operator.admin { "ADMIN" } else { "RESELLER" }.into()),
                    ("access_code", 1.into()),
                    ("user_id", if stranger { V::Null } else { operator.id.into() }),
                    ("status", if fails { "INVALID_LOGIN" } else { "SUCCESS" }.into()),
                    ("data", r#"{"agent":"Mozilla"}"#.into()),
                    ("login_ip", (&ip).into()),
                    ("date", date.into()),
                ],
            )?;
        }
        Ok(())
    }

    fn tickets(&self) -> usize {
        (self.panel.operators.len() / 2).max(3)
    }

    /// Tickets of resellers. Titles name nothing.
    pub(crate) fn ticket_rows(&mut self, table: &Table) -> Result<(), Error> {
        const TITLES: [&str; 5] = [
            "Credits not added",
            "Channels down",
            "New domain please",
            "Payment sent",
            "EPG missing",
        ];
        for i in 0..self.tickets() {
            let operator = &self.panel.operators[(i * 2 + 1) % self.panel.operators.len()];
            self.cold(
                table,
                &[
                    ("id", (i as u64 + 1).into()),
                    ("member_id", operator.id.into()),
                    ("title", TITLES[i % 5].into()),
                    ("status", (i as i64 % 2).into()),
                    ("admin_read", 1.into()),
                    ("user_read", 1.into()),
                ],
            )?;
        }
        Ok(())
    }

    /// What was written in them: the member's words may name something, the admin's never.
    pub(crate) fn reply_rows(&mut self, table: &Table) -> Result<(), Error> {
        let mut id = 0;
        for i in 0..self.tickets() {
            let place = (i * 2 + 1) % self.panel.operators.len();
            let (key, person) = self.operator(place);
            let face = &person.faces[self.panel.operators[place].face];
            let mut named: Vec<String> = Vec::new();
            let text = match (i % 4, person.wallets.last()) {
                (0, Some(w)) => {
                    named.push(format!("wallet:{}:{}", w.chain, w.address));
                    format!(
                        "Hello, I've sent 250 for credits, from {} as always.\nThanks",
                        w.address
                    )
                }
                (1, _) => {
                    named.push(format!("phone:+{}", face.phone));
                    format!(
                        "Nothing plays since yesterday. \"Black screen\", call me: {}",
                        words::phone_written(&face.phone)
                    )
                }
                (2, _) => {
                    let domain = format!("tv-{}.example", face.handle.replace('_', "-"));
                    named.push(format!("domain:{domain}"));
                    format!("Please point http://{domain}/ to the panel")
                }
                _ => {
                    let mut rng = self.rng.item(person.homes.len() as u64 + place as u64);
                    let iban = checks::iban(&mut rng, person.country);
                    named.push(format!("iban:{iban}"));
                    format!("Refund me to {}, it's urgent", checks::grouped(&iban))
                }
            };
            for to in &named {
                self.tell(|t| t.link("mentions", &key, to));
            }
            let date = self.panel.dumped_at - (i as i64 % 60 + 2) * DAY;
            for (admin, message, date) in
                [(0, text.as_str(), date), (1, "Done, look again now.", date + 4000)]
            {
                id += 1;
                self.cold(
                    table,
                    &[
                        ("id", (id as u64).into()),
                        ("ticket_id", (i as u64 + 1).into()),
                        ("admin_reply", admin.into()),
                        ("message", message.into()),
                        ("date", date.into()),
                    ],
                )?;
            }
        }
        Ok(())
    }

    /// Credits given.
    pub(crate) fn credit_rows(&mut self, table: &Table) -> Result<(), Error> {
        let count = self.panel.operators.len() as u64 * 6 + self.lines / 200;
        for i in 0..count {
            let place = self.rng.index(self.panel.operators.len());
            let operator = &self.panel.operators[place];
            let amount = self.rng.range(1, 40) * 25;
            self.cold(
                table,
                &[
                    ("id", (i + 1).into()),
                    ("target_id", operator.id.into()),
                    ("admin_id", operator.owner.max(1).into()),
                    ("amount", amount.into()),
                    ("date", (self.panel.dumped_at - (i as i64 * 37 % 500 + 1) * DAY).into()),
                    ("reason", "Credits".into()),
                ],
            )?;
        }
        Ok(())
    }

    /// What operators did.
    pub(crate) fn operator_log_rows(&mut self, table: &Table) -> Result<(), Error> {
        let count = 10 + self.lines / 100;
        for i in 0..count {
            let id = 1 + self.rng.below(self.panel.lines);
            let line = self.line(id);
            let owner = line.owner.unwrap_or(1);
            let date = line.created;
            self.cold(
                table,
                &[
                    ("id", (i + 1).into()),
                    ("owner", owner.into()),
                    ("username", (&line.user).into()),
                    ("password", (&line.password).into()),
                    (
                        "type",
                        if self.panel.plan.family == Family::XcVm {
                            "line"
                        } else {
                            "[<b>UserPanel</b> -> <u>New Line</u>] with Package [12 Months]"
                        }
                        .into(),
                    ),
                    ("action", "new".into()),
                    ("log_id", line.id.into()),
                    ("package_id", i64::from(line.package).into()),
                    ("cost", 10.into()),
                    ("credits_after", 90.into()),
                    ("date", date.into()),
                ],
            )?;
        }
        Ok(())
    }

    /// Errors of the panel.
    pub(crate) fn panel_log_rows(&mut self, table: &Table) -> Result<(), Error> {
        for i in 0..8u64 {
            self.cold(
                table,
                &[
                    ("id", (i + 1).into()),
                    (
                        "log_message",
                        "SQLSTATE[HY000]: General error: 2006 MySQL server has gone away".into(),
                    ),
                    ("log_extra", "".into()),
                    ("line", 118.into()),
                    ("server_id", 1.into()),
                    ("date", (self.panel.dumped_at - i as i64 * 9000).into()),
                ],
            )?;
        }
        Ok(())
    }

    /// Codes that open the panel.
    pub(crate) fn access_rows(&mut self, table: &Table) -> Result<(), Error> {
        for (id, kind) in [(1u64, 0i64), (2, 1)] {
            let code = format!("fake{}", self.rng.chars(crate::rng::BASE36, 6));
            self.cold(
                table,
                &[
                    ("id", id.into()),
                    ("code", (&code).into()),
                    ("type", kind.into()),
                    ("enabled", 1.into()),
                    ("groups", "[1]".into()),
                    ("whitelist", "[]".into()),
                ],
            )?;
        }
        Ok(())
    }

    /// The panel's settings.
    pub(crate) fn setting_rows(&mut self, table: &Table) -> Result<(), Error> {
        if table.name == "admin_settings" {
            for (name, value) in
                [("release_parser", "python"), ("cc_time", "1"), ("automatic_backups", "daily")]
            {
                self.cold(table, &[("type", name.into()), ("value", value.into())])?;
            }
            return Ok(());
        }
        let brand = format!("{} TV", self.panel.brand.to_uppercase());
        let pass = format!("fake{}", self.rng.chars(crate::rng::BASE36, 20));
        self.cold(
            table,
            &[
                ("id", 1.into()),
                ("server_name", (&brand).into()),
                ("bouquet_name", (&brand).into()),
                ("live_streaming_pass", (&pass).into()),
                ("api_pass", (&pass).into()),
                ("default_timezone", "Europe/London".into()),
                ("message_of_day", "Welcome!".into()),
                ("smtp_port", 465.into()),
            ],
        )
    }
}
