//! Subscribers' accounts: each follows from the seed, its panel and its number alone.

use crate::net::{self, Home};
use crate::rng::{BASE36, HEX, PASSWORD, Rng, mix};
use crate::schema::Family;
use crate::words;
use crate::world::Panel;

const DAY: i64 = 86_400;

/// What a line is watched with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Box_ {
    /// A playlist.
    None,
    Mag,
    Enigma,
}

/// A line.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// Its number in the panel, from 1.
    pub(crate) id: u64,
    pub(crate) user: String,
    pub(crate) password: String,
    /// The operator it belongs to; a few belong to none.
    pub(crate) owner: Option<u32>,
    /// `None` is never.
    pub(crate) expires: Option<i64>,
    pub(crate) enabled: bool,
    pub(crate) admin_enabled: bool,
    pub(crate) trial: bool,
    pub(crate) restreamer: bool,
    pub(crate) device: Box_,
    pub(crate) created: i64,
    pub(crate) connections: u8,
    pub(crate) home: Home,
    /// Whether it was ever used.
    pub(crate) used: bool,
    /// An e-mail address, where the panel keeps one.
    pub(crate) contact: Option<String>,
    pub(crate) package: u8,
    rng: Rng,
}

/// The line that panel `index` takes streams by, at the panel above.
pub(crate) fn restreamer(index: usize) -> u64 {
    5 + index as u64
}

/// `n` in base 36, at least `width` digits.
fn base36(mut n: u64, width: usize, out: &mut String) {
    let mut digits = [b'0'; 13];
    let mut at = 13;
    while n > 0 || 13 - at < width {
        at -= 1;
        digits[at] = BASE36[(n % 36) as usize];
        n /= 36;
    }
    out.push_str(std::str::from_utf8(&digits[at..]).unwrap_or(""));
}

impl Line {
    /// Line `id` of a panel, from 1 on.
    pub(crate) fn of(seed: u64, panel: &Panel, id: u64) -> Self {
        let mut rng = Rng::named(seed, "line").item((panel.index as u64) << 40 | id);
        // 36^6 numbers, scattered by a factor that shares no divisor with them: one of its kind.
        const SPACE: u64 = 36 * 36 * 36 * 36 * 36 * 36;
        let scattered = (u128::from(id) * 1_181_783_497 % u128::from(SPACE)) as u64;
        let mut user = String::with_capacity(12);
        base36(scattered, 6, &mut user);
        let more = rng.next();
        for i in 0..3 + more % 3 {
            user.push(char::from(BASE36[(more >> (8 + 6 * i) & 63) as usize % 36]));
        }
        let mut password = String::with_capacity(14);
        password.push_str("fake");
        let more = rng.next();
        for i in 0..8 {
            password.push(char::from(PASSWORD[(more >> (7 * i) & 127) as usize % PASSWORD.len()]));
        }
        let dice = rng.next();
        let dumped = panel.dumped_at;
        let age = 1 + rng.below(900) as i64;
        let created = dumped - age * DAY - (dice & 0xffff) as i64;
        // Never within a day of the dump, so that clocks and zones do not matter.
        let left = 2 + rng.below(360) as i64;
        let gone = 2 + rng.below(age as u64 + 30) as i64;
        let expires = match dice >> 16 & 1023 {
            0..=20 => None,
            21..=520 => Some(dumped + left * DAY + (dice >> 26 & 0xffff) as i64 % DAY),
            _ => Some(dumped - gone * DAY - (dice >> 26 & 0xffff) as i64 % DAY),
        };
        let device = match dice >> 42 & 1023 {
            0..=61 => Box_::Mag,
            62..=71 => Box_::Enigma,
            _ => Box_::None,
        };
        let operators = panel.operators.len() as u64;
        // Few resellers have most lines.
        let rank = rng.below(operators) * rng.below(operators) / operators.max(1);
        let owner = (dice >> 52 & 511 != 0).then(|| 1 + rank as u32);
        let last = rng.next();
        let contact = (panel.plan.family == Family::XcVm && last % 10 < 3).then(|| {
            let first = words::FIRST[(last >> 8) as usize % words::FIRST.len()];
            let mut mail = words::ascii(first);
            mail.push('.');
            base36(id << 6 | panel.index as u64, 1, &mut mail);
            mail.push('@');
            mail.push_str(
                words::SUBSCRIBER_MAIL[(last >> 20) as usize % words::SUBSCRIBER_MAIL.len()],
            );
            mail
        });
        Self {
            id,
            user,
            password,
            owner,
            expires,
            enabled: last >> 30 & 63 != 0,
            admin_enabled: last >> 36 & 127 != 0,
            trial: last >> 43 & 15 == 0,
            restreamer: (5..40).contains(&id) && panel.lines > 100 || id == 5,
            device,
            created,
            connections: 1 + (last >> 47 & 7 == 0) as u8,
            home: net::home(mix(id ^ (panel.index as u64) << 48 ^ last)),
            used: last >> 51 & 7 != 0,
            contact,
            package: 1 + (last >> 54) as u8 % 4,
            rng,
        }
    }

    /// Whether it could be used on the day of the dump.
    pub(crate) fn active(&self, dumped_at: i64) -> bool {
        self.enabled && self.admin_enabled && self.expires.is_none_or(|e| e > dumped_at)
    }

    /// 32 hexadecimal digits: its token.
    pub(crate) fn token(&self) -> String {
        let mut rng = self.rng.clone();
        let mut text = String::with_capacity(32);
        for _ in 0..2 {
            let bits = rng.next();
            for i in 0..16 {
                text.push(char::from(HEX[(bits >> (4 * i) & 15) as usize]));
            }
        }
        text
    }

    /// When it was last used.
    pub(crate) fn last_used(&self, dumped_at: i64) -> i64 {
        let end = self.expires.unwrap_or(dumped_at).min(dumped_at) - 3600;
        end.max(self.created)
    }
}

/// MAC address number `n`, as text in capitals. MAG boxes' range for the first 2^24, a locally
/// administered one for Enigma2 boxes.
pub(crate) fn mac(enigma: bool, n: u64) -> String {
    let n = n.wrapping_mul(0x9e_3779) & 0xff_ffff;
    let (a, b, c) = if enigma { (0x02, 0xe2, 0x5e) } else { (0x00, 0x1a, 0x79) };
    format!("{a:02X}:{b:02X}:{c:02X}:{:02X}:{:02X}:{:02X}", n >> 16, n >> 8 & 255, n & 255)
}
