//! Verifying a case while another process writes to it.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use vault::erase::What;
use vault::{Case, Home, Origin, Stamp, Wait, verify};

fn stamp() -> Stamp {
    Stamp { actor: "writer".into(), now_ms: 1_700_000_000_000 }
}

/// Seals something new and records it, `parts` times.
fn write(case: &mut Case, round: usize, parts: usize) {
    let stager = case.stager();
    for part in 0..parts {
        let bytes = format!("{round} {part}").repeat(200);
        let staged = stager.reader(&mut bytes.as_bytes()).unwrap();
        let mut batch = case.batch();
        batch.seal(staged, &Origin::default()).unwrap();
        batch.commit(&stamp()).unwrap();
    }
}

/// Verifies a case again and again until the writer has ended: nothing is wrong at any moment, but what
/// may be told of the work under way.
fn holds_while(at: &Path, home: &Home, told: Option<&str>, writer: impl FnOnce() + Send) {
    let done = AtomicBool::new(false);
    let (mut runs, mut wrong) = (0, Vec::new());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // However it ends, so that a writer that fails is told, and nobody waits for it.
            let end = std::panic::catch_unwind(std::panic::AssertUnwindSafe(writer));
            done.store(true, Ordering::Release);
            end.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        });
        while !done.load(Ordering::Acquire) {
            runs += 1;
            match verify(at, Some(home), &|_| {}) {
                Ok(report) => wrong.extend(
                    report
                        .findings
                        .into_iter()
                        .filter(|f| told.is_none_or(|told| !f.message.contains(told)))
                        .map(|f| format!("{}: {}", f.place, f.message)),
                ),
                Err(e) => wrong.push(e.to_string()),
            }
        }
    });
    assert!(wrong.is_empty(), "{runs} runs, {} findings: {wrong:#?}", wrong.len());
    assert!(runs > 1, "the writer had ended before it was looked at");
}

#[test]
fn a_case_holds_while_another_writes_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::new(&dir.path().join("home"));
    home.init("police.example", &[7; 32]).unwrap();
    let at = dir.path().join("case");
    Case::create(&at, &home, "a case", &stamp(), "test", Wait::Fail).unwrap().finish().unwrap();
    holds_while(&at, &home, None, || {
        for round in 0..40 {
            // A run of its own, as every command is; and a longer one, now and then.
            let mut case = Case::open(&at, &home, "test", Wait::Fail, 0).unwrap();
            for more in 0..if round % 4 == 0 { 6 } else { 1 } {
                write(&mut case, round * 100 + more, 3);
                case.publish().unwrap();
            }
            case.finish().unwrap();
        }
    });
}

/// What is erased by law while the case is verified is no damage.
#[test]
fn a_case_holds_while_something_is_erased_from_it() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::new(&dir.path().join("home"));
    home.init("police.example", &[7; 32]).unwrap();
    let at = dir.path().join("case");
    let mut case = Case::create(&at, &home, "a case", &stamp(), "test", Wait::Fail).unwrap();
    write(&mut case, 0, 200);
    case.finish().unwrap();
    // It may say that an order is being carried out, since it is.
    holds_while(&at, &home, Some("a command writes to the case now"), || {
        for round in 1..25 {
            let mut case = Case::open(&at, &home, "test", Wait::Fail, 0).unwrap();
            write(&mut case, round, 2);
            let id = case.exhibits()[round * 3].id;
            let plan = case.plan_erasure(&What::Exhibit(id), &|_| {}).unwrap();
            case.erase(&plan, ("a law", "a reason"), &|_| Vec::new(), &stamp()).unwrap();
            case.finish().unwrap();
        }
    });
    let report = verify(&at, Some(&home), &|_| {}).unwrap();
    assert!(report.is_sound() && report.erased.len() == 24, "{:?}", report.findings);
}
