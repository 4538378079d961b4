//! What a WhatsApp export tells as a whole.

use std::collections::BTreeSet;

use model::ExhibitId;

use crate::amounts::{DateOrder, guess_order};

use super::words::{Sort, Told, named_by_file, sort, told};
use super::{account, ascends, begins, clean, line, text_of};

/// Senders are only told from one another here.
const ANY: ExhibitId = ExhibitId([0; 32]);

/// How many senders are told apart; more are a group anyway.
const ENOUGH: usize = 3;

#[derive(Debug)]
pub(super) struct Survey {
    pub(super) order: DateOrder,
    pub(super) group: bool,
    /// The group's name, or the other's in a chat of two.
    pub(super) name: Option<String>,
}

pub(super) fn survey(head: &[u8], path: &str) -> Survey {
    let by_file = named_by_file(path).map(clean);
    let (mut group, mut by_line) = (false, None);
    let mut senders: BTreeSet<model::Key> = BTreeSet::new();
    let mut dates: Vec<String> = Vec::new();
    // Days that do not ascend under an order speak against it: an export is sorted by time.
    let (mut dmy, mut mdy) = (0usize, 0usize);
    let mut american = false;
    let mut last: Option<String> = None;
    for raw in head.split(|b| *b == b'\n') {
        if !begins(raw) {
            continue;
        }
        let text = text_of(raw.trim_ascii_end()).0;
        let Some(this) = line::head(&text) else { continue };
        dates.push(this.date.to_owned());
        if let Some(last) = last.as_deref().and_then(line::head) {
            dmy += usize::from(!ascends(&last, &this, DateOrder::Dmy));
            mdy += usize::from(!ascends(&last, &this, DateOrder::Mdy));
        }
        let upper = this.clock.ends_with("AM") || this.clock.ends_with("PM");
        american |= upper && this.date.contains('/');
        let rest = &text[this.behind..];
        match line::sender(rest) {
            Some((end, at)) => {
                if sort(&rest[at..]) == Sort::Service && rest[at..].starts_with(line::invisible) {
                    by_line = by_line.or_else(|| Some(clean(&rest[..end])));
                } else if senders.len() <= ENOUGH {
                    senders.insert(account(&rest[..end], ANY));
                }
            }
            None => match told(rest) {
                Told::Created(_, name) => {
                    group = true;
                    by_line = name.map(clean).or(by_line);
                }
                Told::Joined(_) | Told::Group => group = true,
                Told::Other => {}
            },
        }
        last = Some(text);
    }
    let order = guess_order(dates.iter().map(String::as_str)).unwrap_or(match dmy.cmp(&mdy) {
        std::cmp::Ordering::Less => DateOrder::Dmy,
        std::cmp::Ordering::Greater => DateOrder::Mdy,
        std::cmp::Ordering::Equal if american => DateOrder::Mdy,
        std::cmp::Ordering::Equal => DateOrder::Dmy,
    });
    group |= senders.len() >= ENOUGH;
    // In a chat of two the file is named after one of the two.
    if let Some(name) = &by_file {
        group |= senders.len() == 2 && !senders.contains(&account(name, ANY));
    }
    Survey { order, group, name: by_file.or(by_line).filter(|n| !n.is_empty()) }
}
