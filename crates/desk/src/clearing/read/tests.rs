//! What pages are given, after a night and after a restart.

use model::ExhibitId;
use shield::harm::Verdict;
use shield::order::command::{Order, Submission};
use shield::order::state::Past;
use shield::order::turn::{Cause, End, Outcome};
use shield::order::words::{Grounds, OrderId, Organisation, Right};
use shield::order::{
    Actor, Audience, Capture, Command, Halt, ItemId, Role, Scope, Seen, Stage, TicketId,
    TicketStage,
};

use super::super::tally::Part;
use super::super::tests::{actor, place};
use super::super::{Ask, HandedIn, House};
use super::*;

fn does(house: &mut House, actor: Actor, command: Command) {
    house.act(&[Ask { actor, command }]).unwrap().remove(0).unwrap();
}

fn order(house: &mut House, reporter: &str) {
    let now = house.now();
    let given = Order {
        id: OrderId::new(reporter).unwrap(),
        reporter: Organisation::new(reporter).unwrap(),
        rights: [Right::new("football").unwrap()].into(),
        from: now.minus(3_600_000),
        until: now.plus(86_400_000),
    };
    does(house, actor("vera", "authority", Role::Authority), Command::GiveOrder(given));
}

fn report(house: &mut House, reporter: &str, items: Vec<String>) {
    let submission = Submission {
        order: OrderId::new(reporter).unwrap(),
        event: None,
        works: vec![Right::new("football").unwrap()],
        items,
        audience: Audience::All,
        until: None,
        case: None,
    };
    does(house, actor("lea", reporter, Role::Reporter), Command::Submit(submission));
}

fn released(house: &mut House, item: ItemId) {
    released_on(house, item, ExhibitId([1; 32]));
}

fn released_on(house: &mut House, item: ItemId, exhibit: ExhibitId) {
    let value = (*house.state().item(item).unwrap().value).clone();
    let capture = Capture { value, exhibit, taken: house.now(), seen: Seen::Works };
    does(house, actor("probe", "authority", Role::Probe), Command::Capture { item, capture });
    let outcome = Outcome { verdict: Verdict::Allow, code: None, grave: false, system: None };
    let itself = house.itself().clone();
    does(house, itself, Command::Check { item, outcome });
}

fn item(ticket: u64, place: u16) -> ItemId {
    ItemId::new(TicketId(ticket), place)
}

#[test]
fn figures_and_trails_are_the_same_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    House::create(&place).unwrap();
    let mut house = House::open(&place).unwrap();
    house.begin().unwrap();
    order(&mut house, "league");
    report(&mut house, "league", vec!["a.stream.example".into(), "b.stream.example".into()]);
    released(&mut house, item(0, 0));
    let grounds = Grounds::new("it hit a school").unwrap();
    let lift = Command::Lift { item: item(0, 0), collateral: Some(false), grounds };
    does(&mut house, actor("ray", "jury", Role::Reviewer), lift);
    let seen = |house: &House| {
        let tally = house.tally();
        let league = Organisation::new("league").unwrap();
        let page = ticket(house, TicketId(0), &None, 0, 10).unwrap();
        let log = Log::open(house.case().dir()).unwrap();
        let words: Vec<&str> = page
            .records
            .iter()
            .map(|index| log.recorded(*index).unwrap().unwrap().decision.unwrap())
            .map(|decision| decision.deeds.last().unwrap().word())
            .collect();
        let whole = tally.times(Part::Whole);
        (
            (tally.all, tally.reporter(&league), tally.lifted.clone(), whole.all),
            tally.months.clone(),
            (page.records, page.older, words, page.count, page.standing),
        )
    };
    let before = seen(&house);
    assert_eq!(before.0.0.reported, 2);
    assert_eq!((before.0.0.released, before.0.0.lifted, before.0.0.collateral), (1, 1, 1));
    assert_eq!((before.0.0.errors, before.0.1), (1, before.0.0));
    assert_eq!(before.0.2.get(&Cause::Collateral), Some(&1));
    // What is published is of the same steps.
    let month = before.1.iter().next_back().unwrap().1;
    assert_eq!((month.tickets, month.reported, month.released), (1, 2, 1));
    assert_eq!((month.lifted, month.collateral, month.to_lift.all), (1, 1, 0));
    assert_eq!(before.2.0.len(), 4);
    assert_eq!(before.2.2[0], "submitted");
    house.close().unwrap();
    assert_eq!(seen(&House::open(&place).unwrap()), before);
}

#[test]
fn pages_follow_one_another_and_a_reporter_sees_its_own_alone() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    House::create(&place).unwrap();
    let mut house = House::open(&place).unwrap();
    house.begin().unwrap();
    for reporter in ["league", "cup"] {
        order(&mut house, reporter);
    }
    for n in 0..7 {
        let reporter = if n % 2 == 0 { "league" } else { "cup" };
        let names = (0..3).map(|place| format!("n{place}.stream{n}.example")).collect();
        report(&mut house, reporter, names);
    }
    let cup = Organisation::new("cup");
    // Items by two a page: each once, the newest first.
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = live(&house, &cup, after, 2).items;
        all.extend(page.rows.iter().map(|row| row.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let wanted: Vec<ItemId> =
        [5, 3, 1].into_iter().flat_map(|n| (0..3).rev().map(move |at| item(n, at))).collect();
    assert_eq!(all, wanted);
    let shown = live(&house, &cup, None, 2);
    assert_eq!((shown.stages.submitted, shown.stages.cut), (9, false));
    assert_eq!(live(&house, &None, None, 2).stages.submitted, 21);
    assert_eq!(live(&house, &None, None, usize::MAX).items.rows.len(), 21);
    // Tickets.
    let filter = Filter { reporter: cup.clone(), ..Filter::default() };
    let first = tickets(&house, &filter, 2);
    assert_eq!(first.rows.iter().map(|row| row.id.0).collect::<Vec<_>>(), [5, 3]);
    let rest = tickets(&house, &Filter { after: first.next, ..filter }, 2);
    assert_eq!((rest.rows.len(), rest.rows[0].id.0, rest.next), (1, 1, None));
    let held = Filter { stage: Some(TicketStage::Held), ..Filter::default() };
    assert!(tickets(&house, &held, 9).rows.is_empty());
    assert!(ticket(&house, TicketId(0), &cup, 0, 9).is_none(), "another reporter's");
    assert!(ticket(&house, TicketId(99), &None, 0, 9).is_none());
    assert_eq!(ticket(&house, TicketId(1), &cup, 2, 9).unwrap().items.len(), 1);
    // Who reports for nobody reports under nothing.
    let now = house.now();
    assert!(under(&house, &None, now).is_empty());
    assert_eq!(under(&house, &cup, now).len(), 1);
}

/// A monitor finds its items whatever others reported since: no look passes over those.
#[test]
fn what_others_report_is_not_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    House::create(&place).unwrap();
    let mut house = House::open(&place).unwrap();
    house.begin().unwrap();
    order(&mut house, "cup");
    order(&mut house, "league");
    report(&mut house, "cup", vec!["a.stream.example".into(), "b.stream.example".into()]);
    for n in 0..=MAX_SCAN / 1_000 {
        let names = (0..1_000).map(|place| format!("n{place}.stream{n}.example")).collect();
        report(&mut house, "league", names);
    }
    let cup = Organisation::new("cup");
    let first = live(&house, &cup, None, 1).items;
    assert_eq!(first.rows.iter().map(|row| row.id).collect::<Vec<_>>(), [item(0, 1)]);
    let rest = live(&house, &cup, first.next, 1).items;
    assert_eq!(rest.rows.iter().map(|row| row.id).collect::<Vec<_>>(), [item(0, 0)]);
    assert_eq!(rest.next, None);
    // From wherever on, a page of all begins there at once.
    let begun = std::time::Instant::now();
    let page = live(&house, &None, Some(item(0, 1)), 9).items;
    assert_eq!(page.rows.iter().map(|row| row.id).collect::<Vec<_>>(), [item(0, 0)]);
    assert!(begun.elapsed() < std::time::Duration::from_millis(500), "{:?}", begun.elapsed());
}

/// That another was stopped, why, and what it rests on, is nobody's business who reports for somebody else.
#[test]
fn nothing_of_another_reporter_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    House::create(&place).unwrap();
    let mut house = House::open(&place).unwrap();
    house.begin().unwrap();
    for (n, reporter) in (0..).zip(["league", "cup"]) {
        order(&mut house, reporter);
        report(&mut house, reporter, vec![format!("stream{n}.example")]);
    }
    let (league, cup) = (Organisation::new("league").unwrap(), Organisation::new("cup").unwrap());
    let scopes = [
        (Scope::Reporter(league.clone()), Halt::Releases),
        (Scope::Ticket(TicketId(0)), Halt::Lifts),
        (Scope::Isp(Organisation::new("fibre").unwrap()), Halt::Lifts),
        (Scope::Ticket(TicketId(1)), Halt::Lifts),
        (Scope::All, Halt::Releases),
    ];
    let staged = house.case().stager().reader(&mut &b"what the probe saw"[..]).unwrap();
    let (name, of) = ("capture.warc".to_owned(), "ticket 0".to_owned());
    let by = actor("probe", "authority", Role::Probe);
    let exhibit = house.receive(&by, HandedIn { staged, name, of }).unwrap();
    released_on(&mut house, item(0, 0), exhibit);
    for (scope, halt) in scopes {
        let grounds = Grounds::new("it errs too often").unwrap();
        let stop = Command::Stop { scope, halt, grounds };
        does(&mut house, actor("vera", "authority", Role::Authority), stop);
    }
    let stops = |whose: &Whose| {
        live(&house, whose, None, 9).stops.into_iter().map(|view| view.scope).collect::<Vec<_>>()
    };
    assert_eq!(stops(&None).len(), 5);
    assert_eq!(stops(&Some(cup.clone())), [Scope::All, Scope::Ticket(TicketId(1))]);
    assert_eq!(stops(&Some(league.clone())).len(), 3);
    // Evidence: in one's own ticket alone, while its item lives and after it.
    let open = |house: &House, whose: Option<&Organisation>, ticket: Option<u64>| {
        evidence(house, &exhibit, &whose.cloned(), ticket.map(TicketId)).unwrap().is_some()
    };
    for lives in [true, false] {
        assert_eq!(house.state().item(item(0, 0)).is_some(), lives);
        assert!(open(&house, None, None) && open(&house, Some(&league), Some(0)));
        for (whose, ticket) in
            [(&cup, None), (&cup, Some(0)), (&cup, Some(1)), (&cup, Some(9)), (&league, None)]
        {
            assert!(!open(&house, Some(whose), ticket), "{whose:?} {ticket:?}");
        }
        if lives {
            let grounds = Grounds::new("it ended").unwrap();
            let lift = Command::Lift { item: item(0, 0), collateral: None, grounds };
            does(&mut house, actor("ray", "jury", Role::Reviewer), lift);
        }
    }
}

#[test]
fn the_public_is_told_of_what_is_blocked_and_of_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    House::create(&place).unwrap();
    let mut house = House::open(&place).unwrap();
    house.begin().unwrap();
    order(&mut house, "league");
    report(&mut house, "league", vec!["a.stream.example".into()]);
    let value = shield::Item::parse("a.stream.example").unwrap();
    assert_eq!(blocked(&house, &value), Blocked::No(None), "what is looked at is not told of");
    released(&mut house, item(0, 0));
    let Blocked::Yes { orders, some: false, stopped: false, .. } = blocked(&house, &value) else {
        panic!("{:?}", blocked(&house, &value));
    };
    assert_eq!(orders, [OrderId::new("league").unwrap()]);
    for other in ["stream.example", "b.a.stream.example", "a.stream.example.test"] {
        let other = shield::Item::parse(other).unwrap();
        assert_eq!(blocked(&house, &other), Blocked::No(None), "{other}");
    }
    // What is refused was never blocked: that it was asked for is told nobody.
    report(&mut house, "league", vec!["b.stream.example".into()]);
    let grounds = Grounds::new("no").unwrap();
    let refuse = Command::Refuse { item: item(1, 0), grounds: grounds.clone() };
    does(&mut house, actor("ray", "jury", Role::Reviewer), refuse);
    let refused = shield::Item::parse("b.stream.example").unwrap();
    assert_eq!(blocked(&house, &refused), Blocked::No(None));
    let since = house.state().item(item(0, 0)).unwrap().machine.in_force().unwrap().since;
    let lift = Command::Lift { item: item(0, 0), collateral: None, grounds: grounds.clone() };
    does(&mut house, actor("lea", "league", Role::Reporter), lift);
    let told = blocked(&house, &value);
    let Blocked::No(Some(Past { since: from, until, how: End::Lifted })) = told else {
        panic!("{told:?}");
    };
    assert!(from == since && since <= until, "{told:?}");
    assert_eq!(house.state().count(Stage::InForce), 0);
    // Asked for again, and refused: the block that ended is told all the same, and nothing of the refusal.
    report(&mut house, "league", vec!["a.stream.example".into()]);
    assert_eq!(blocked(&house, &value), told, "what is looked at is told of");
    let refuse = Command::Refuse { item: item(2, 0), grounds };
    does(&mut house, actor("ray", "jury", Role::Reviewer), refuse);
    assert_eq!(blocked(&house, &value), told, "a refusal took the block away");
    drop(house);
    let (standing, _) = House::read(&place.case, None).unwrap();
    assert_eq!(standing.state.history(&value).unwrap().last.map(|past| past.since), Some(since));
}
