mod delays;
mod passkeys;
mod sessions;

use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::access::Access;
use crate::parties::{Act, PartyRole, Sector, act};

pub(super) const AWAY: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 18, 0, 7));
pub(super) const PASSWORD: &str = "four plain words chosen";

pub(super) struct Bench {
    pub(super) dir: tempfile::TempDir,
    pub(super) access: Access,
    pub(super) accounts: Accounts,
}

pub(super) fn from(n: u8) -> From<'static> {
    From { source: IpAddr::V4(Ipv4Addr::new(198, 18, 1, n)), agent: "Browser 1" }
}

impl Bench {
    /// Two operators of an agency.
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let of = Act::Organisation {
            organisation: "agency".into(),
            name: "The agency".into(),
            sector: Sector::Authority,
        };
        act(dir.path(), "root", "test", &of).unwrap();
        for (who, by) in [("ana", "root"), ("ben", "ana")] {
            let organisation = "agency".to_owned();
            let of = Act::Person { person: who.into(), name: who.into(), organisation };
            act(dir.path(), by, "test", &of).unwrap();
            give(dir.path(), by, who, PartyRole::Operator);
        }
        let access = Access::open(dir.path()).unwrap();
        let accounts = Accounts::open(dir.path()).unwrap();
        Self { dir, access, accounts }
    }

    /// The same with a password for ana; the token of her first session.
    pub(super) fn with_password() -> (Self, String) {
        let bench = Self::new();
        let link = invite(bench.dir.path(), "ana", "ana").unwrap();
        let token = bench.accounts.accept(&bench.access, &link, PASSWORD, "x").unwrap().unwrap();
        (bench, token)
    }

    pub(super) fn sign_in(
        &self,
        name: &str,
        password: &str,
        n: u8,
    ) -> std::result::Result<String, NotSignedIn> {
        self.accounts.sign_in(&self.access, name, password, from(n)).unwrap()
    }

    pub(super) fn who(&self, token: &str) -> Option<String> {
        self.accounts.session(&self.access, token).unwrap().map(|(session, _)| session.person)
    }
}

pub(super) fn give(home: &Path, by: &str, person: &str, role: PartyRole) {
    let of = Act::Give { person: person.into(), role, from: None, until: None };
    act(home, by, "test", &of).unwrap();
}

#[test]
fn an_invitation_sets_a_password_once_and_looking_does_not_spend_it() {
    let bench = Bench::new();
    let home = bench.dir.path();
    assert!(!has_credentials(home).unwrap());
    let link = invite(home, "ana", "ben").unwrap();
    let (access, accounts) = (&bench.access, &bench.accounts);
    for _ in 0..3 {
        assert_eq!(accounts.invited(access, &link).unwrap().as_deref(), Some("ben"));
    }
    // A password that cannot be had does not spend it either.
    assert!(matches!(accounts.accept(access, &link, "short", "x"), Err(Error::Asked(_))));
    let token = accounts.accept(access, &link, PASSWORD, "x").unwrap().unwrap();
    assert_eq!(bench.who(&token).as_deref(), Some("ben"));
    assert!(accounts.accept(access, &link, "another long one", "x").unwrap().is_none());
    assert_eq!(accounts.invited(access, &link).unwrap(), None);
    assert!(bench.sign_in("ben", PASSWORD, 1).is_ok());
    assert!(has_credentials(home).unwrap());
    // Of another invitation the last counts; when it is taken up nothing from before does.
    let first = invite(home, "ana", "ben").unwrap();
    let second = invite(home, "ana", "ben").unwrap();
    assert_eq!(accounts.invited(access, &first).unwrap(), None);
    accounts.accept(access, &second, "quite another one", "x").unwrap().unwrap();
    assert_eq!(bench.who(&token), None);
    assert_eq!(bench.sign_in("ben", PASSWORD, 2), Err(NotSignedIn::Wrong));
    // Nobody but an operator invites, and nobody who is not there is invited.
    assert!(matches!(invite(home, "root", "ben"), Err(Error::Asked(_))));
    assert!(matches!(invite(home, "ana", "eve"), Err(Error::Asked(_))));
    assert_eq!(accounts.invited(access, "../people/ben").unwrap(), None);
}

#[test]
fn what_is_kept_is_the_owners_alone_and_holds_no_secret() {
    let (bench, token) = Bench::with_password();
    let link = invite(bench.dir.path(), "ana", "ben").unwrap();
    let mut files = Vec::new();
    let mut folders = vec![bench.dir.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for item in std::fs::read_dir(folder).unwrap().flatten() {
            if item.path().is_dir() { folders.push(item.path()) } else { files.push(item.path()) }
        }
    }
    for path in files {
        let bytes = std::fs::read(&path).unwrap();
        for secret in [PASSWORD, token.as_str(), link.as_str()] {
            let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "{} holds a secret", path.display());
        }
        let of = path.strip_prefix(bench.dir.path()).unwrap();
        let lock = of.to_string_lossy().ends_with("lock");
        if of.starts_with("access") && !lock {
            let mode = path.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", of.display());
        }
    }
    let kept = file::read(bench.dir.path(), "ana").unwrap().password.unwrap();
    assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
    assert!(password::verify(PASSWORD, &kept) && !password::verify("", &kept));
    assert_ne!(kept, password::hash(PASSWORD).unwrap(), "each has a salt of its own");
    for none in ["", "$argon2id$", "x", &"$".repeat(9_999)] {
        assert!(!password::verify(PASSWORD, none));
    }
}

#[test]
fn length_is_what_counts_and_the_commonest_are_refused() {
    for good in ["correct-horse-12", "äöüäöüäöüäöü", "two words too", &"ab".repeat(128)]
    {
        check_new("ana", good).unwrap();
    }
    let long = "ab".repeat(129);
    for bad in [
        "",
        "elevenchars",
        "aaaaaaaaaaaaaaaa",
        "Password1234",
        "123456789012",
        "anaexample12345",
        "motdepasse123",
        &long,
    ] {
        assert!(matches!(check_new("anaexample", bad), Err(Error::Asked(_))), "{bad}");
    }
}

/// Whoever guesses at names learns nothing from how long it takes: a name that nobody has costs a hash
/// like any other. Medians of both, within a wide margin.
#[test]
fn an_unknown_name_costs_as_much_as_a_known_one() {
    let (bench, _) = Bench::with_password();
    let median = |name: &str, first: u8| {
        let mut times: Vec<_> = (0..7)
            .map(|n| {
                let begun = Instant::now();
                // From elsewhere each time, and forgotten by name: no delay is part of it.
                assert_eq!(
                    bench.sign_in(name, "a wrong password", first + n),
                    Err(NotSignedIn::Wrong)
                );
                locked(&bench.accounts.delays).succeeded(name);
                begun.elapsed()
            })
            .collect();
        times.sort();
        times[3]
    };
    let (known, unknown, no_password) = (median("ana", 0), median("eve", 20), median("ben", 40));
    for other in [unknown, no_password] {
        let ratio = known.as_secs_f64() / other.as_secs_f64();
        assert!((0.5..2.0).contains(&ratio), "{known:?} and {other:?}");
    }
    assert!(known.as_micros() > 1_000, "{known:?}: it hashes nothing");
}

#[test]
fn who_guesses_waits_and_the_right_password_does_too() {
    let (bench, _) = Bench::with_password();
    for n in 0..=FREE_OF_NAME as u8 {
        assert_eq!(bench.sign_in("ana", "a wrong password", n), Err(NotSignedIn::Wrong));
    }
    assert_eq!(bench.sign_in("ana", PASSWORD, 99), Err(NotSignedIn::Wait { retry_s: 1 }));
    // Another name, from another network, is not held up.
    assert_eq!(bench.sign_in("ben", "a wrong password", 99), Err(NotSignedIn::Wrong));
}

#[test]
fn a_password_is_changed_by_who_knows_it_and_ends_the_other_sessions() {
    let (bench, first) = Bench::with_password();
    let second = bench.sign_in("ana", PASSWORD, 1).unwrap();
    let (session, _) = bench.accounts.session(&bench.access, &second).unwrap().unwrap();
    let change =
        |present: &str, new: &str| bench.accounts.change_password(&session, present, new, AWAY);
    assert_eq!(change("a wrong password", "quite another one").unwrap(), Err(NotSignedIn::Wrong));
    assert!(matches!(change(PASSWORD, "short"), Err(Error::Asked(_))));
    assert_eq!(change(PASSWORD, "quite another one").unwrap(), Ok(()));
    assert_eq!((bench.who(&first), bench.who(&second).as_deref()), (None, Some("ana")));
    assert_eq!(bench.sign_in("ana", PASSWORD, 2), Err(NotSignedIn::Wrong));
    assert!(bench.sign_in("ana", "quite another one", 2).is_ok());
}

#[test]
fn no_more_hash_at_once_than_there_are_slots() {
    let slots = slots::Slots::default();
    let (running, most, refused) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..MAX_RUNNING + MAX_WAITING + 20 {
            scope.spawn(|| {
                let done = slots.run(|| {
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::sleep(std::time::Duration::from_millis(60));
                    running.fetch_sub(1, Ordering::SeqCst);
                });
                if done.is_none() {
                    refused.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(most.load(Ordering::SeqCst), MAX_RUNNING);
    assert!(refused.load(Ordering::SeqCst) > 0);
    // Free again, and after work that panics too.
    let broken =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| slots.run(|| panic!("x"))));
    assert!(broken.is_err() && slots.run(|| 7) == Some(7));
}
