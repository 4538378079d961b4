//! Each state with each turn: where it leads, or that it does not.

use model::{ExhibitId, Sha256Hex};
use shield::harm::Verdict;
use shield::order::machine::{
    Captured, Checked, Ended, Held, InForce, Machine, Pending, Suspended,
};
use shield::order::turn::{
    Approval, Cause, Charge, Denial, End, Evidence, Holds, Miss, Notice, Turn, Worry,
};
use shield::order::words::Probe;
use shield::order::{Moment, Refusal, Seen, Stage};

use crate::world::{grounds, outcome};

const AT: Moment = Moment(1_000);

fn evidence(n: u8) -> Evidence {
    let exhibit = ExhibitId(Sha256Hex([n; 32]).0);
    Evidence { exhibit, taken: Moment(900), lapses: Moment(2_000), page: false }
}

fn pending(holds: Holds, approved: bool) -> Pending {
    let approval = approved.then_some(Approval { waives: false });
    Pending { holds, approval, notice: Notice::None }
}

fn in_force() -> InForce {
    let (evidence, outcome) = (evidence(1), outcome(Verdict::Allow));
    let (since, expires) = (Moment(950), Moment(5_000));
    InForce { evidence, outcome, since, expires, notice: Notice::None, miss: None }
}

fn states() -> Vec<(&'static str, Machine)> {
    let free = || pending(Holds::NONE, false);
    let held = |evidence: Option<Evidence>, checked: bool| {
        let outcome = checked.then(|| outcome(Verdict::TwoPersons));
        let pending = pending(Holds::CHECK, false);
        Machine::Held(Held { pending, evidence, outcome, since: Moment(900) })
    };
    let miss =
        Miss { taken: Moment(990), probe: Probe::new("p").expect("a probe"), seen: Seen::Nothing };
    let suspended = Suspended { was: in_force(), worry: Worry::Unrelated, found: None, since: AT };
    vec![
        ("submitted", Machine::Submitted(free())),
        ("captured", Machine::Captured(Captured { pending: free(), evidence: evidence(1) })),
        (
            "checked",
            Machine::Checked(Checked {
                pending: free(),
                evidence: evidence(1),
                outcome: outcome(Verdict::Allow),
            }),
        ),
        ("held, no evidence", held(None, false)),
        ("held, captured", held(Some(evidence(1)), false)),
        ("held, checked", held(Some(evidence(1)), true)),
        ("in force", Machine::InForce(in_force())),
        ("in force, missed", Machine::InForce(InForce { miss: Some(miss), ..in_force() })),
        ("suspended", Machine::Suspended(suspended)),
        ("ended", Machine::Ended(Ended { how: End::Expired, at: AT, cause: None })),
    ]
}

fn turns() -> Vec<(&'static str, Turn)> {
    let lifted = Turn::Lifted {
        cause: Cause::Collateral,
        charge: Charge::Error,
        grounds: Some(grounds()),
        proof: None,
    };
    let miss = Miss { taken: AT, probe: Probe::new("q").expect("a probe"), seen: Seen::Nothing };
    let approved = Turn::Approved { exhibit: evidence(1).exhibit, waives: false, grounds: None };
    vec![
        ("captured", Turn::Captured(evidence(2))),
        ("uploaded", Turn::Uploaded { exhibit: evidence(3).exhibit }),
        ("checked", Turn::Checked { outcome: outcome(Verdict::Allow), holds: Holds::NONE }),
        (
            "checked, two",
            Turn::Checked { outcome: outcome(Verdict::TwoPersons), holds: Holds::NONE },
        ),
        ("checked, no", Turn::Checked { outcome: outcome(Verdict::Refuse), holds: Holds::NONE }),
        ("lapsed", Turn::Lapsed),
        ("approved", approved),
        ("refused", Turn::Refused { denial: Denial::Check, grounds: None }),
        ("notice asked", Turn::NoticeAsked),
        ("notice sent", Turn::NoticeSent { silent_at: Moment(1_500) }),
        ("host answered", Turn::HostAnswered { acts: false }),
        ("released", Turn::Released { expires: Moment(9_000) }),
        ("renewed", Turn::Renewed { evidence: evidence(4), expires: Moment(9_000) }),
        ("missed", Turn::Missed(miss)),
        ("found", Turn::Found),
        ("suspended", Turn::Suspended { worry: Worry::Unrelated, outcome: None }),
        ("reinstated", Turn::Reinstated { grounds: grounds() }),
        ("lifted", lifted),
        ("expired", Turn::Expired),
    ]
}

/// The whole table: a row a turn, a column a state, `-` where the state does not have the turn.
const TABLE: &str = "
                submitted  captured   checked    held,none  held,capt  held,chec  in force   missed     suspended  ended
captured        captured   captured   captured   held       held       held       -          -          -          -
uploaded        held       held       held       held       held       held       -          -          -          -
checked         -          checked    -          -          held       held       -          -          -          -
checked,two     -          held       -          -          held       held       -          -          -          -
checked,no      -          -          -          -          -          -          -          -          -          -
lapsed          -          submitted  submitted  -          held       held       -          -          -          -
approved        -          -          -          -          -          checked    -          -          -          -
refused         ended      ended      ended      ended      ended      ended      -          -          -          -
notice_asked    submitted  captured   checked    held       held       held       in_force   in_force   -          -
notice_sent     -          -          -          -          -          -          -          -          -          -
host_answered   -          -          -          -          -          -          -          -          -          -
released        -          -          in_force   -          -          -          -          -          -          -
renewed         -          -          -          -          -          -          in_force   in_force   -          -
missed          -          -          -          -          -          -          in_force   in_force   -          -
found           -          -          -          -          -          -          -          in_force   -          -
suspended       -          -          -          -          -          -          suspended  suspended  -          -
reinstated      -          -          -          -          -          -          -          -          in_force   -
lifted          -          -          -          -          -          -          ended      ended      ended      -
expired         -          -          -          -          -          -          ended      ended      ended      -
";

#[test]
fn each_state_has_the_turns_of_the_table_and_no_others() {
    let mut table = String::from("\n                ");
    let columns = ["held,none", "held,capt", "held,chec", "in force", "missed"];
    for (n, (name, _)) in states().iter().enumerate() {
        let name = n.checked_sub(3).and_then(|n| columns.get(n)).unwrap_or(name);
        table += &format!("{name:<11}");
    }
    table.truncate(table.trim_end().len());
    table.push('\n');
    for (name, turn) in turns() {
        let mut line = format!("{:<16}", name.replace(", ", ",").replace(' ', "_"));
        for (_, state) in states() {
            let word = match state.clone().turn(&turn, AT) {
                Ok(next) => next.stage().word(),
                Err(same) => {
                    assert_eq!(*same, state, "a turn that is not taken changes nothing");
                    "-"
                }
            };
            line += &format!("{word:<11}");
        }
        table += line.trim_end();
        table.push('\n');
    }
    assert_eq!(table, TABLE, "{table}");
}

#[test]
fn no_turn_is_left_out_of_the_table() {
    let mut words: Vec<_> = turns().iter().map(|(_, turn)| turn.word()).collect();
    words.dedup();
    let count = Stage::ALL.len();
    assert_eq!((words.len(), count), (17, 7), "{words:?}");
}

#[test]
fn a_notice_is_asked_for_then_sent_then_answered_in_each_state_that_has_one() {
    let sent = Turn::NoticeSent { silent_at: Moment(1_500) };
    let answered = Turn::HostAnswered { acts: true };
    for (name, state) in states() {
        let Ok(asked) = state.turn(&Turn::NoticeAsked, AT) else {
            assert!(["suspended", "ended"].contains(&name), "{name}");
            continue;
        };
        assert!(asked.clone().turn(&Turn::NoticeAsked, AT).is_err());
        assert!(asked.clone().turn(&answered, AT).is_ok(), "a host may know before it is told");
        let sent_once = asked.turn(&sent, AT).expect("asked for");
        assert!(sent_once.clone().turn(&sent, AT).is_err());
        let told = sent_once.turn(&answered, AT).expect("sent");
        assert!(told.clone().turn(&answered, AT).is_err() && told.turn(&sent, AT).is_err());
    }
}

#[test]
fn an_answer_ends_the_wait_for_silence_and_the_word_of_who_agreed_to_wait() {
    let of = |waives| {
        let approval = Some(Approval { waives });
        let pending = Pending { holds: Holds::ADDRESS, approval, notice: Notice::Asked };
        let (evidence, outcome) = (evidence(1), outcome(Verdict::Allow));
        let machine = Machine::Checked(Checked { pending, evidence, outcome });
        machine.turn(&Turn::HostAnswered { acts: false }, AT).expect("a turn").stage()
    };
    assert_eq!((of(false), of(true)), (Stage::Held, Stage::Checked));
}

#[test]
fn an_upload_takes_back_what_was_agreed_without_it() {
    let machine = Machine::Submitted(pending(Holds::CHECK, true));
    let held = machine.turn(&Turn::Uploaded { exhibit: evidence(1).exhibit }, AT).expect("a turn");
    let Machine::Held(held) = held else { panic!("not held") };
    assert!(held.pending.approval.is_none() && held.pending.holds.has(Holds::UPLOAD));
    assert_eq!(held.pending.holds.words().collect::<Vec<_>>(), ["check", "upload"]);
}

#[test]
fn no_two_refusals_share_a_name() {
    let mut words = Refusal::WORDS.to_vec();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), Refusal::WORDS.len());
}
