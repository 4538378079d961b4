//! Accounts that money goes through.

use crate::checks;
use crate::people::Person;
use crate::plan::Plan;
use crate::rng::{Rng, UPPER};
use crate::words;

/// A PayPal account.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) number: u64,
    pub(crate) mail: String,
    pub(crate) holder: String,
    pub(crate) currency: &'static str,
    pub(crate) person: usize,
    /// When its last export was made.
    pub(crate) until: i64,
}

impl Account {
    pub(crate) fn key(&self) -> String {
        format!("account:paypal:{}", self.mail)
    }
}

/// A bank account.
#[derive(Debug, Clone)]
pub(crate) struct Bank {
    pub(crate) number: u64,
    pub(crate) iban: String,
    pub(crate) bic: String,
    pub(crate) holder: String,
    pub(crate) currency: &'static str,
    pub(crate) person: usize,
    pub(crate) until: i64,
}

impl Bank {
    pub(crate) fn key(&self) -> String {
        format!("iban:{}", self.iban)
    }
}

/// All of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Accounts {
    pub(crate) paypal: Vec<Account>,
    pub(crate) banks: Vec<Bank>,
}

/// A PayPal transaction's number.
pub(crate) fn txid(rng: &mut Rng) -> String {
    rng.chars(UPPER, 17)
}

fn currency(country: &str) -> &'static str {
    match country {
        "RO" => "RON",
        "GB" => "GBP",
        "CH" => "CHF",
        "BG" => "BGN",
        _ => "EUR",
    }
}

impl Accounts {
    pub(crate) fn new(plan: &Plan, people: &[Person], seed: u64) -> Self {
        let base = Rng::named(seed, "accounts");
        let until = crate::calendar::at(2026, 3, 15);
        let paypal = (0..plan.paypal)
            .map(|number| {
                let mut rng = base.item(number);
                let person = (number as usize * 3) % people.len();
                let face = rng.pick(&people[person].faces);
                // Some accounts bear their holder's own address, others one made for it.
                let mail = if number % 3 == 0 {
                    format!(
                        "billing-{}{number}@{}",
                        rng.pick(words::BRANDS),
                        rng.pick(words::MAIL_HOSTS)
                    )
                } else {
                    // Two accounts never share an address.
                    let own = &face.mail;
                    let (local, host) = own.split_once('@').unwrap_or((own, "post.example"));
                    if number as usize >= people.len() {
                        format!("{local}.{number}@{host}")
                    } else {
                        own.clone()
                    }
                };
                let currency = if number % 9 == 4 { "GBP" } else { "EUR" };
                Account { number, mail, holder: face.name.clone(), currency, person, until }
            })
            .collect();
        let banks = (0..plan.banks)
            .map(|number| {
                let mut rng = base.item(1 << 32 | number);
                let country =
                    ["LT", "RO", "IT", "FR", "DE", "BG", "MT", "ES", "CH", "NL", "GB", "CY"]
                        [number as usize % 12];
                let person = (number as usize * 5 + 1) % people.len();
                let holder = match number % 2 {
                    0 => {
                        let brand = words::BRANDS[rng.index(words::BRANDS.len())];
                        format!("{} Media Ltd", capital(brand))
                    }
                    _ => people[person].faces[0].name.clone(),
                };
                Bank {
                    number,
                    iban: checks::iban(&mut rng, country),
                    bic: checks::bic(&mut rng, country),
                    holder,
                    currency: currency(country),
                    person,
                    until,
                }
            })
            .collect();
        Self { paypal, banks }
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |c| c.to_uppercase().chain(chars).collect())
}
