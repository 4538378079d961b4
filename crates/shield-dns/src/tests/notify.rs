//! What is told when.

use std::net::SocketAddr;

use domain::base::iana::{Opcode, Rcode, Rtype};
use domain::base::{Message, MessageBuilder};
use domain::rdata::tsig::Time48;
use domain::tsig::ServerTransaction;

use super::{fqdns, zones};
use crate::notify::{FIRST_WAIT, Heard, MAX_ROUND, MAX_TRIES, Notice, Outbox, SPACING};
use crate::{Access, Algorithm, Client, Key, Place, Zones};

fn client(count: usize, key: Option<Key>) -> Access {
    let notify = (0..count).map(|n| SocketAddr::from(([127, 0, 0, 1], 1000 + n as u16))).collect();
    let addresses = vec!["127.0.0.0/8".parse().unwrap()];
    let zones = Some(vec!["hot.rpz.test".parse().unwrap()]);
    let keys = key.into_iter().collect();
    Access::new(vec![Client { keys, addresses, zones, notify, ..Client::default() }]).unwrap()
}

struct Telling {
    zones: Zones,
    access: Access,
    outbox: Outbox,
    ids: u16,
}

impl Telling {
    fn new(count: usize, key: Option<Key>) -> Self {
        Self { zones: zones(1000), access: client(count, key), outbox: Outbox::default(), ids: 0 }
    }

    fn update(&mut self, now: u64) {
        let ids = &mut self.ids;
        let mut id = || {
            *ids += 1;
            *ids
        };
        self.outbox.update(&self.zones.view(), &self.access, now, &mut id);
    }

    fn change(&mut self, name: &str, now: u64) {
        self.zones.change(Place::Hot, &fqdns([name]), &[], 1000).unwrap();
        // Both ways come to the same.
        if self.access.clients()[0].notify.len() == 1 && now.is_multiple_of(2) {
            let ids = &mut self.ids;
            let mut id = || {
                *ids += 1;
                *ids
            };
            self.outbox.changed(None, &self.zones.view().zones()[0], now, &mut id);
        } else {
            self.update(now);
        }
    }
}

fn acknowledge(notice: &Notice, rcode: Rcode) -> Vec<u8> {
    let notice = Message::from_octets(notice.bytes.clone()).unwrap();
    assert_eq!((notice.header().opcode(), notice.header().aa()), (Opcode::NOTIFY, true));
    let question = notice.sole_question().unwrap();
    assert_eq!(
        (question.qname().to_string().as_str(), question.qtype()),
        ("hot.rpz.test", Rtype::SOA)
    );
    assert_eq!(notice.header_counts().ancount(), 1);
    MessageBuilder::new_vec().start_answer(&notice, rcode).unwrap().finish()
}

#[test]
fn it_is_sent_again_by_longer_waits_and_given_up() {
    let mut telling = Telling::new(1, None);
    telling.update(0);
    let mut at = Vec::new();
    while let Some(due) = telling.outbox.next_due() {
        assert!(telling.outbox.due(due.saturating_sub(1), 0).is_empty() || due == 0);
        if !telling.outbox.due(due, 0).is_empty() || due == 0 {
            at.push(due);
        }
    }
    assert_eq!(at.len(), MAX_TRIES as usize);
    assert_eq!(&at[..4], [0, FIRST_WAIT, 3 * FIRST_WAIT, 7 * FIRST_WAIT]);
    assert_eq!(telling.outbox.unheard, 1);
    // The next change is told anew.
    telling.change("a.example", 10_000_000);
    assert_eq!(telling.outbox.due(10_000_000, 0).len(), 1);
}

#[test]
fn changes_are_told_together_and_the_newest_counts() {
    let mut telling = Telling::new(1, None);
    telling.update(0);
    let first = telling.outbox.due(0, 0).pop().unwrap();
    telling.change("a.example", 1);
    telling.change("b.example", 2);
    // The acknowledgement of what is superseded does not count for the newest.
    assert_eq!(
        telling.outbox.answered(first.to, &acknowledge(&first, Rcode::NOERROR), 0),
        Heard::Not
    );
    assert!(telling.outbox.due(SPACING - 1, 0).is_empty());
    let [second] = telling.outbox.due(SPACING, 0).try_into().ok().unwrap();
    let answer = acknowledge(&second, Rcode::NOERROR);
    let other = SocketAddr::from(([127, 0, 0, 2], 1000));
    assert_eq!(telling.outbox.answered(other, &answer, 0), Heard::Not);
    assert_eq!(telling.outbox.answered(second.to, &second.bytes, 0), Heard::Not, "no answer");
    assert_eq!(telling.outbox.answered(second.to, &answer, 0), Heard::Yes);
    assert_eq!(telling.outbox.answered(second.to, &answer, 0), Heard::Not, "once");
    assert_eq!(telling.outbox.next_due(), None);
    telling.update(50);
    assert_eq!(telling.outbox.next_due(), None, "nothing new");
    telling.change("c.example", 100);
    let third = telling.outbox.due(100, 0).pop().unwrap();
    let refused = telling.outbox.answered(third.to, &acknowledge(&third, Rcode::REFUSED), 0);
    assert!(matches!(refused, Heard::Refused(_, Rcode::REFUSED)));
    assert_eq!(telling.outbox.next_due(), None, "who wants none is left alone");
    // Who is no longer a client is no longer told.
    telling.access = client(0, None);
    telling.change("d.example", 200);
    assert_eq!(telling.outbox.next_due(), None);
}

#[test]
fn a_flood_goes_out_in_rounds() {
    let mut telling = Telling::new(MAX_ROUND + 10, None);
    telling.update(0);
    assert_eq!(telling.outbox.due(0, 0).len(), MAX_ROUND);
    assert_eq!(telling.outbox.next_due(), Some(0));
    assert_eq!(telling.outbox.due(0, 0).len(), 10);
}

#[test]
fn a_signed_notice_wants_a_signed_answer() {
    let key = Key::new("k", Algorithm::Sha512, &[7; 32]).unwrap();
    let mut telling = Telling::new(1, Some(key.clone()));
    telling.update(0);
    let notice = telling.outbox.due(0, 1000).pop().unwrap();
    let unsigned = acknowledge(&notice, Rcode::NOERROR);
    assert_eq!(telling.outbox.answered(notice.to, &unsigned, 1000), Heard::Not);
    let mut message = Message::from_octets(notice.bytes.clone()).unwrap();
    let now = Time48::from_u64(1001);
    let transaction = ServerTransaction::request(&key, &mut message, now).unwrap().unwrap();
    let builder = MessageBuilder::new_vec().start_answer(&message, Rcode::NOERROR).unwrap();
    let mut answer = builder.additional();
    transaction.answer(&mut answer, now).unwrap();
    assert_eq!(telling.outbox.answered(notice.to, &answer.finish(), 1002), Heard::Yes);
}
