//! Zones of some clients' own, under everybody's origins.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use domain::base::Serial;
use domain::base::iana::Rtype;

use super::messages::{messages, read, request};
use super::{fqdns, zones};
use crate::notify::Outbox;
use crate::{Access, Asker, Client, Place, View, Zones, answer};

const FIBRE: [u8; 4] = [127, 0, 0, 1];
const OTHER: [u8; 4] = [127, 0, 0, 2];

/// Two clients, of whom one has zones of its own once there are any under its name.
fn access() -> Access {
    let client = |ip: [u8; 4], own: Option<&str>| Client {
        addresses: vec![IpAddr::from(ip).into()],
        notify: vec![SocketAddr::from((ip, 53))],
        own: own.map(ToOwned::to_owned),
        ..Client::default()
    };
    Access::new(vec![client(FIBRE, Some("fibre")), client(OTHER, None)]).unwrap()
}

/// The hot zone as who asks from there takes it, whole or from a serial on.
fn taken(view: &View, from: [u8; 4], serial: Option<u32>) -> Vec<String> {
    let kind = if serial.is_some() { Rtype::IXFR } else { Rtype::AXFR };
    let request = request("hot.rpz.test", kind, serial.map(Serial));
    let asker = Asker { peer: from.into(), tls: false, key: None };
    read(&messages(answer(&request, asker, false, view, &access(), 1000)), "hot.rpz.test")
}

fn served(all: &Zones, own: &Zones) -> Arc<View> {
    all.view().with_own(BTreeMap::from([("fibre".to_owned(), own.view())]))
}

fn hot(zones: &mut Zones, add: &[&str], remove: &[&str], now: u64) {
    let list = |names: &[&str]| fqdns(names.iter().copied());
    zones.change(Place::Hot, &list(add), &list(remove), now).unwrap();
}

#[test]
fn who_has_zones_of_its_own_gets_these_and_everybody_else_everybody_s() {
    let mut all = zones(1000);
    hot(&mut all, &["a.example", "b.example"], &[], 1000);
    // While there are none under its name it is everybody.
    let everybody = ["soa 1001", "NS", "a.example", "b.example", "soa 1001"];
    for ip in [FIBRE, OTHER] {
        assert_eq!(taken(&all.view(), ip, None), everybody);
    }
    // They begin as everybody's are: who was there goes on by a step.
    let mut own = all.fork();
    hot(&mut own, &["own.example"], &[], 1010);
    let view = served(&all, &own);
    assert_eq!(taken(&view, OTHER, None), everybody);
    assert_eq!(
        taken(&view, FIBRE, Some(1001)),
        ["soa 1010", "soa 1001", "soa 1010", "own.example", "soa 1010"]
    );
    // And go their own way from there.
    hot(&mut all, &["c.example"], &["a.example"], 1020);
    hot(&mut own, &["c.example"], &["a.example"], 1020);
    let view = served(&all, &own);
    assert_eq!(taken(&view, OTHER, None), ["soa 1020", "NS", "b.example", "c.example", "soa 1020"]);
    let mut names = taken(&view, FIBRE, None);
    names.sort_unstable();
    assert_eq!(names, ["NS", "b.example", "c.example", "own.example", "soa 1020", "soa 1020"]);
}

#[test]
fn own_zones_are_emptied_and_filled_again_at_once_and_then_taken_whole() {
    let mut all = zones(1000);
    hot(&mut all, &["a.example"], &[], 1000);
    let mut own = all.fork();
    hot(&mut own, &["own.example"], &[], 1010);
    own.clear(1020);
    assert!(own.is_empty() && own.place(&"a.example".parse().unwrap()).is_none());
    let view = served(&all, &own);
    assert_eq!(taken(&view, FIBRE, Some(1010)), ["soa 1020", "NS", "soa 1020"]);
    assert_eq!(taken(&view, OTHER, None), ["soa 1001", "NS", "a.example", "soa 1001"]);
    // Emptied once more they are as they were.
    own.clear(1030);
    assert_eq!(taken(&served(&all, &own), FIBRE, None), ["soa 1020", "NS", "soa 1020"]);
    // Everybody's serial of then says something else: no step leads from it.
    hot(&mut all, &["b.example"], &[], 1040);
    own.become_as(&all, 1040);
    let view = served(&all, &own);
    let whole = ["soa 1041", "NS", "a.example", "b.example", "soa 1041"];
    for serial in [1020, 1040] {
        assert_eq!(taken(&view, FIBRE, Some(serial)), whole, "{serial}");
    }
    assert_eq!(own.place(&"b.example".parse().unwrap()), Some(Place::Hot));
    assert_eq!((own.len(), own.hot()), (2, 2));
}

/// A change of one's own zones is told to those who take them, and to nobody else.
#[test]
fn each_is_told_of_its_own() {
    let mut all = zones(1000);
    let mut own = all.fork();
    let (mut outbox, mut ids) = (Outbox::default(), 0);
    let mut id = || {
        ids += 1;
        ids
    };
    let told = |outbox: &mut Outbox, now: u64| {
        let mut told: Vec<_> = outbox.due(now, 1000).iter().map(|notice| notice.to.ip()).collect();
        told.dedup();
        told
    };
    outbox.update(&served(&all, &own), &access(), 0, &mut id);
    assert_eq!(told(&mut outbox, 0), [IpAddr::from(FIBRE), IpAddr::from(OTHER)]);
    let mut now = 1_000_000;
    while outbox.next_due().is_some() {
        outbox.due(now, 1000);
        now += 1_000_000;
    }
    hot(&mut own, &["own.example"], &[], 1010);
    outbox.changed(Some("fibre"), &own.view().zones()[0], now, &mut id);
    assert_eq!(told(&mut outbox, now), [IpAddr::from(FIBRE)]);
    hot(&mut all, &["a.example"], &[], 1010);
    outbox.changed(None, &all.view().zones()[0], now, &mut id);
    assert_eq!(told(&mut outbox, now), [IpAddr::from(OTHER)]);
}
