//! What each client's zones say.

use std::path::Path;

use desk::clearing::Ask;
use shield::harm::Verdict;
use shield::order::command::{Order, Submission};
use shield::order::turn::Outcome;
use shield::order::words::{Grounds, OrderId, Person, Right, Scope};
use shield::order::{
    Actor, Audience, Capture, Command, Halt, ItemId, Moment, Role, Seen, TicketId,
};
use shield_dns::{Layout, Timers};

use super::*;
use crate::commands::clearing::zones::contact;

struct Bench {
    house: House,
    followed: Followed,
    _dir: tempfile::TempDir,
}

fn actor(person: &str, organisation: &str, role: Role) -> Actor {
    let organisation = Organisation::new(organisation).unwrap();
    Actor { person: Person::new(person).unwrap(), organisation, role }
}

fn grounds() -> Grounds {
    Grounds::new("as each").unwrap()
}

fn isp(name: &str) -> Organisation {
    Organisation::new(name).unwrap()
}

fn place(dir: &Path) -> desk::Place {
    desk::Place {
        case: dir.join("shield"),
        home: dir.join("home"),
        actor: "test".into(),
        holder: "test".into(),
        wait: desk::Wait::Fail,
    }
}

impl Bench {
    /// A house with an order of the league's; of the ISPs that clients are `fibre` is one.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let place = place(dir.path());
        House::create(&place).unwrap();
        let mut house = House::open(&place).unwrap();
        house.begin().unwrap();
        let layout = Layout {
            suffix: "rpz.example".into(),
            contact: contact(),
            timers: Timers::default(),
            catalog: false,
        };
        let zones = Zones::new(&layout, serial(house.case().len())).unwrap();
        let followed = Followed::new(zones, [isp("fibre")].into());
        let mut bench = Self { house, followed, _dir: dir };
        let now = bench.house.now();
        let order = Order {
            id: OrderId::new("1/26").unwrap(),
            reporter: Organisation::new("league").unwrap(),
            rights: [Right::new("football").unwrap()].into(),
            from: now.minus(1),
            until: Moment(now.0 + 86_400_000),
        };
        bench.does(actor("vera", "authority", Role::Authority), Command::GiveOrder(order));
        bench
    }

    fn does(&mut self, actor: Actor, command: Command) {
        self.house.act(&[Ask { actor, command }]).unwrap().remove(0).unwrap();
    }

    /// Puts names into force for whom they are addressed to; gives what was told.
    fn blocked(&mut self, names: &[&str], audience: Audience) -> Vec<String> {
        let ticket = TicketId(self.house.state().tickets());
        let asked = Submission {
            order: OrderId::new("1/26").unwrap(),
            event: None,
            works: vec![Right::new("football").unwrap()],
            items: names.iter().map(|name| (*name).to_owned()).collect(),
            audience,
            until: None,
            case: None,
        };
        self.does(actor("lea", "league", Role::Reporter), Command::Submit(asked));
        for n in 0..u16::try_from(names.len()).unwrap() {
            let item = ItemId::new(ticket, n);
            let value = (*self.house.state().item(item).unwrap().value).clone();
            let exhibit = model::ExhibitId([u8::try_from(n).unwrap() + 1; 32]);
            let capture = Capture { value, exhibit, taken: self.house.now(), seen: Seen::Works };
            self.does(
                actor("probe-1", "authority", Role::Probe),
                Command::Capture { item, capture },
            );
            let outcome =
                Outcome { verdict: Verdict::Allow, code: None, grave: false, system: None };
            let itself = self.house.itself().clone();
            self.does(itself, Command::Check { item, outcome });
        }
        self.follow()
    }

    fn follow(&mut self) -> Vec<String> {
        self.house.publish();
        self.followed.follow(&self.house)
    }

    /// What stands in everybody's zones, and in the own ones of an ISP where it has such.
    fn says(&self) -> (Vec<String>, Option<Vec<String>>) {
        let names = |kept: &Kept| {
            let view = kept.zones.view();
            let all = view.zones().iter().flat_map(|zone| zone.names());
            let mut all: Vec<String> = all.map(|name| name.to_string()).collect();
            all.sort_unstable();
            all
        };
        (names(&self.followed.all), self.followed.own.get(&isp("fibre")).map(names))
    }

    fn stop(&mut self, scope: Scope) {
        let stop = Command::Stop { scope, halt: Halt::Lifts, grounds: grounds() };
        self.does(actor("vera", "authority", Role::Authority), stop);
        self.follow();
    }

    fn resume(&mut self, scope: &Scope) {
        for (person, organisation, role) in
            [("vera", "authority", Role::Authority), ("ray", "jury", Role::Reviewer)]
        {
            let resume = Command::Resume { scope: scope.clone(), grounds: grounds() };
            self.does(actor(person, organisation, role), resume);
        }
        self.follow();
    }
}

fn list(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn what_is_for_one_isp_alone_stands_in_its_zones_and_in_nobody_else_s() {
    let mut bench = Bench::new();
    assert_eq!(bench.blocked(&["a.example", "b.example"], Audience::All), [""; 0]);
    assert_eq!(bench.says(), (list(&["a.example", "b.example"]), None));
    let to = |names: &[&str]| Audience::Only(names.iter().map(|name| isp(name)).collect());
    assert_eq!(bench.blocked(&["own.example"], to(&["fibre"])), [""; 0]);
    let both = list(&["a.example", "b.example"]);
    let own = |more: &str| Some([both.clone(), list(&[more])].concat());
    assert_eq!(bench.says(), (both.clone(), own("own.example")));
    // Of an ISP that no client is, it is said that its zones have it not.
    let told = bench.blocked(&["other.example"], to(&["cable"]));
    assert!(told.len() == 1 && told[0].starts_with("other.example: in force for some"), "{told:?}");
    assert_eq!(bench.says(), (both.clone(), own("own.example")));
    // What is lifted goes from both; a step goes on, and all is never told twice.
    let lift = |n| Command::Lift { item: n, collateral: None, grounds: grounds() };
    let lea = || actor("lea", "league", Role::Reporter);
    bench.does(lea(), lift(ItemId::new(TicketId(0), 0)));
    bench.does(lea(), lift(ItemId::new(TicketId(1), 0)));
    assert_eq!(bench.follow(), [""; 0]);
    let left = list(&["b.example"]);
    assert_eq!(bench.says(), (left.clone(), Some(left)));
}

#[test]
fn a_stop_on_one_isp_empties_its_zones_alone_and_its_end_fills_them_again() {
    let mut bench = Bench::new();
    bench.blocked(&["a.example", "b.example"], Audience::All);
    let (both, own) = (list(&["a.example", "b.example"]), Scope::Isp(isp("fibre")));
    bench.stop(own.clone());
    assert_eq!(bench.says(), (both.clone(), Some(Vec::new())));
    // What comes meanwhile is there when it is over.
    bench.blocked(&["c.example"], Audience::All);
    bench.blocked(&["own.example"], Audience::Only([isp("fibre")].into()));
    let three = list(&["a.example", "b.example", "c.example"]);
    assert_eq!(bench.says(), (three.clone(), Some(Vec::new())));
    bench.resume(&own);
    let four = [three.clone(), list(&["own.example"])].concat();
    assert_eq!(bench.says(), (three.clone(), Some(four.clone())));
    // A stop of all empties both, and a stop on another ISP neither.
    bench.stop(Scope::Isp(isp("cable")));
    assert_eq!(bench.says(), (three.clone(), Some(four.clone())));
    bench.stop(Scope::All);
    assert_eq!(bench.says(), (Vec::new(), Some(Vec::new())));
    bench.resume(&Scope::All);
    assert_eq!(bench.says(), (three, Some(four)));
}

/// Serials of an ISP's own zones only grow, whatever becomes of them: a resolver takes what is newer alone.
#[test]
fn serials_only_grow() {
    let mut bench = Bench::new();
    bench.blocked(&["a.example"], Audience::All);
    let own = Scope::Isp(isp("fibre"));
    let serials = |bench: &Bench| -> Vec<_> {
        let kept = bench.followed.own.get(&isp("fibre")).unwrap_or(&bench.followed.all);
        kept.zones.view().zones().iter().map(|zone| zone.serial()).collect()
    };
    let mut before = serials(&bench);
    for n in 0..4 {
        match n {
            0 => bench.stop(own.clone()),
            1 => bench.resume(&own),
            2 => drop(bench.blocked(&["o.example"], Audience::Only([isp("fibre")].into()))),
            _ => drop(bench.blocked(&["b.example"], Audience::All)),
        }
        let now = serials(&bench);
        assert!(now.iter().zip(&before).all(|(now, before)| now >= before), "{n}");
        assert_ne!(now, before, "{n}");
        before = now;
    }
}
