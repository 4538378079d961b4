//! Passkeys, by a device that is written out here: what it signs is what a browser would send.

use data_encoding::BASE64URL_NOPAD;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::*;

const HOST: &str = "vigie.example";
const AT: At<'_> = At { host: HOST, origin: "https://vigie.example" };
/// Present, seen to be the owner; of a device that makes no copies.
const SEEN: u8 = 0x01 | 0x04;

fn b64(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

/// A phone with one passkey.
struct Phone {
    key: SigningKey,
    id: [u8; 16],
    handle: String,
    count: u32,
    flags: u8,
}

impl Phone {
    fn new(n: u8) -> Self {
        let key = SigningKey::from_slice(&[n; 32]).unwrap();
        Self { key, id: [n; 16], handle: String::new(), count: 0, flags: SEEN }
    }

    fn said(kind: &str, options: &Value, origin: &str) -> Vec<u8> {
        let challenge = options["challenge"].as_str().unwrap();
        let said =
            json!({ "type": kind, "challenge": challenge, "origin": origin, "crossOrigin": false });
        said.to_string().into_bytes()
    }

    /// `navigator.credentials.create`.
    fn make(&mut self, options: &str, origin: &str) -> Vec<u8> {
        let options: Value = serde_json::from_str(options).unwrap();
        let of = &options;
        assert_eq!(of["authenticatorSelection"]["residentKey"], "required");
        assert_eq!(of["authenticatorSelection"]["userVerification"], "required");
        self.handle = of["user"]["id"].as_str().unwrap().to_owned();
        let mut data = Sha256::digest(of["rp"]["id"].as_str().unwrap()).to_vec();
        data.push(self.flags | 0x40);
        data.extend(self.count.to_be_bytes());
        data.extend([0; 16]);
        data.extend([0, 16]);
        data.extend(self.id);
        // COSE (RFC 9053): EC2, ES256, P-256, x, y.
        let point = self.key.verifying_key().to_sec1_point(false);
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(point.x().unwrap());
        data.extend([0x22, 0x58, 0x20]);
        data.extend(point.y().unwrap());
        let mut object = vec![0xa3, 0x63];
        object.extend(b"fmt\x64none\x67attStmt\xa0\x68authData\x58");
        object.push(u8::try_from(data.len()).unwrap());
        object.extend(data);
        let answer = json!({
            "attestationObject": b64(&object),
            "clientDataJSON": b64(&Self::said("webauthn.create", &options, origin)),
            "clientExtensionResults": {},
            "transports": ["internal"],
            "type": "public-key",
        });
        answer.to_string().into_bytes()
    }

    /// `navigator.credentials.get`.
    fn sign(&mut self, options: &str, origin: &str) -> Vec<u8> {
        let options: Value = serde_json::from_str(options).unwrap();
        assert_eq!(options["userVerification"], "required");
        assert!(options["allowCredentials"].as_array().is_none_or(Vec::is_empty));
        self.count += 1;
        let mut data = Sha256::digest(options["rpId"].as_str().unwrap()).to_vec();
        data.push(self.flags);
        data.extend(self.count.to_be_bytes());
        let said = Self::said("webauthn.get", &options, origin);
        let signed: Vec<u8> = [data.as_slice(), Sha256::digest(&said).as_slice()].concat();
        let signature: Signature = self.key.sign(&signed);
        let answer = json!({
            "authenticatorData": b64(&data),
            "clientDataJSON": b64(&said),
            "clientExtensionResults": {},
            "id": b64(&self.id),
            "signature": b64(signature.to_der().as_bytes()),
            "type": "public-key",
            "userHandle": self.handle,
        });
        answer.to_string().into_bytes()
    }
}

impl Bench {
    fn session(&self, token: &str) -> Session {
        self.accounts.session(&self.access, token).unwrap().unwrap().0
    }

    fn offered(&self, token: &str) -> String {
        let offer = self.accounts.offer_passkey(&self.session(token), PASSWORD, &AT, AWAY);
        offer.unwrap().unwrap()
    }

    fn added(&self, token: &str, n: u8) -> Phone {
        let mut phone = Phone::new(n);
        let answer = phone.make(&self.offered(token), AT.origin);
        let name = format!("Phone {n}");
        self.accounts.add_passkey(&self.session(token), &name, &answer, &AT).unwrap();
        phone
    }

    fn asked(&self, n: u8) -> String {
        self.accounts.ask_passkey(&AT, from(n).source).unwrap().unwrap()
    }

    fn answered(&self, answer: &[u8], n: u8) -> std::result::Result<String, NotSignedIn> {
        self.accounts.sign_in_by_passkey(&self.access, answer, &AT, from(n)).unwrap()
    }
}

/// How often a word stands in what is kept in a folder.
fn said(folder: &std::path::Path, word: &str) -> usize {
    let items = std::fs::read_dir(folder).unwrap().flatten();
    let of = |path: std::path::PathBuf| {
        if path.is_dir() {
            return said(&path, word);
        }
        let bytes = std::fs::read(&path).unwrap();
        bytes.windows(word.len()).filter(|part| *part == word.as_bytes()).count()
    };
    items.map(|item| of(item.path())).sum()
}

#[test]
fn a_passkey_signs_its_person_in_and_says_who_it_is() {
    let (bench, token) = Bench::with_password();
    let mut phone = bench.added(&token, 7);
    let shown = bench.accounts.passkeys("ana").unwrap();
    assert_eq!((shown[0].name.as_str(), shown[0].host.as_str()), ("Phone 7", HOST));
    for _ in 0..2 {
        let begun = bench.answered(&phone.sign(&bench.asked(1), AT.origin), 1).unwrap();
        let session = bench.session(&begun);
        assert_eq!((session.person.as_str(), session.by), ("ana", By::Passkey));
    }
    // What is kept opens nothing, and is read by its owner alone.
    let file = bench.dir.path().join("access/people/ana");
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_question_is_answered_once_and_where_it_was_asked() {
    let (bench, token) = Bench::with_password();
    let mut phone = bench.added(&token, 7);
    let question = bench.asked(1);
    let answer = phone.sign(&question, AT.origin);
    // Who has two ways out, as phones do, may answer by the other.
    bench.answered(&answer, 2).unwrap();
    assert_eq!(bench.answered(&answer, 1), Err(NotSignedIn::Wrong), "sent again");
    // A page of another site that hands the question on.
    let answer = phone.sign(&bench.asked(1), "https://vigie.example.evil.example");
    assert_eq!(bench.answered(&answer, 1), Err(NotSignedIn::Wrong));
    let elsewhere = At { host: "other.example", origin: "https://other.example" };
    let asked = bench.accounts.ask_passkey(&elsewhere, from(3).source).unwrap().unwrap();
    let answer = phone.sign(&asked, elsewhere.origin);
    let done = bench.accounts.sign_in_by_passkey(&bench.access, &answer, &elsewhere, from(3));
    assert_eq!(done.unwrap(), Err(NotSignedIn::Wrong), "a passkey of another name");
}

#[test]
fn what_nobody_looked_at_or_another_key_signed_opens_nothing() {
    let (bench, token) = Bench::with_password();
    let mut phone = bench.added(&token, 7);
    phone.flags = 0x01;
    assert_eq!(bench.answered(&phone.sign(&bench.asked(1), AT.origin), 1), Err(NotSignedIn::Wrong));
    let mut thief = Phone { handle: phone.handle.clone(), id: phone.id, ..Phone::new(9) };
    assert_eq!(bench.answered(&thief.sign(&bench.asked(2), AT.origin), 2), Err(NotSignedIn::Wrong));
    // A copy of the key: it counts less than what was seen.
    phone.flags = SEEN;
    let mut copy = Phone { handle: phone.handle.clone(), count: 0, ..Phone::new(7) };
    bench.answered(&phone.sign(&bench.asked(3), AT.origin), 3).unwrap();
    assert_eq!(bench.answered(&copy.sign(&bench.asked(4), AT.origin), 4), Err(NotSignedIn::Wrong));
    // Which of both is its person's nobody knows: neither opens anything more, and who asks is told, as the log is.
    let told = said(bench.dir.path(), "passkey_copied");
    assert!(told > 0, "it stands in no log");
    assert_eq!(bench.answered(&phone.sign(&bench.asked(3), AT.origin), 3), Err(NotSignedIn::Wrong));
    let copied = bench.accounts.copied_passkeys(&bench.access).unwrap();
    let [(person, shown)] = &copied[..] else { panic!("{copied:?}") };
    assert_eq!((person.as_str(), shown.name.as_str()), ("ana", "Phone 7"));
    assert!(shown.copied_ms.is_some_and(|at| at >= shown.added_ms));
    assert_eq!(said(bench.dir.path(), "passkey_copied"), told, "told again");
    assert!(bench.accounts.remove_passkey("ana", &shown.id).unwrap());
    assert!(bench.accounts.copied_passkeys(&bench.access).unwrap().is_empty());
    let mut thief = {
        let phone = bench.added(&token, 11);
        Phone { handle: phone.handle.clone(), id: phone.id, ..Phone::new(9) }
    };
    let long = "x".repeat(MAX_ANSWER + 1);
    let waits = |n| bench.accounts.ask_passkey(&AT, from(n).source).unwrap().is_err();
    // What cannot be a guess costs nobody anything: whoever sends nonsense shuts no network out.
    for nonsense in ["", "{}", "[1]", "\u{0}", &long, "1", "{\"id\":1}", "null", "\"", "[]", "", ""]
    {
        assert_eq!(bench.answered(nonsense.as_bytes(), 5), Err(NotSignedIn::Wrong));
    }
    assert!(!waits(5));
    // Who tries a passkey that is known, and cannot sign with it, waits in the end.
    for _ in 0..11 {
        assert_eq!(
            bench.answered(&thief.sign(&bench.asked(8), AT.origin), 6),
            Err(NotSignedIn::Wrong)
        );
    }
    assert!(waits(6) && !waits(7));
}

#[test]
fn a_passkey_is_added_by_the_password_of_its_person_and_under_a_name() {
    let (bench, token) = Bench::with_password();
    let session = bench.session(&token);
    let offer =
        |password: &str, at: &At<'_>| bench.accounts.offer_passkey(&session, password, at, AWAY);
    assert_eq!(offer("not this one at all", &AT).unwrap(), Err(NotSignedIn::Wrong));
    for host in ["", "127.0.0.1", "vigie.example ", "[::1]", "é.example"] {
        assert!(matches!(offer(PASSWORD, &At { host, ..AT }), Err(Error::Asked(_))), "{host:?}");
    }
    let mut phone = Phone::new(7);
    let add = |name: &str, answer: &[u8]| bench.accounts.add_passkey(&session, name, answer, &AT);
    for name in ["", "  ", "a\nb", &"n".repeat(MAX_PASSKEY_NAME + 1)] {
        let answer = phone.make(&bench.offered(&token), AT.origin);
        assert!(matches!(add(name, &answer), Err(Error::Asked(_))), "{name:?}");
    }
    let answer = phone.make(&bench.offered(&token), "https://elsewhere.example");
    assert!(add("Phone", &answer).is_err(), "made for another site");
    let answer = phone.make(&bench.offered(&token), AT.origin);
    let other = bench.session(&bench.sign_in("ana", PASSWORD, 1).unwrap());
    assert!(bench.accounts.add_passkey(&other, "Phone", &answer, &AT).is_err(), "another session");
    add(" Phone ", &answer).unwrap();
    assert!(add("Phone", &answer).is_err(), "sent again");
    let again = phone.make(&bench.offered(&token), AT.origin);
    assert!(add("The same", &again).is_err(), "one device, twice");
    assert_eq!(bench.accounts.passkeys("ana").unwrap()[0].name, "Phone");
}

#[test]
fn there_are_so_many_of_a_person_and_each_is_taken_away() {
    let (bench, token) = Bench::with_password();
    let mut phones: Vec<Phone> = (1..=10).map(|n| bench.added(&token, n)).collect();
    let full = bench.accounts.offer_passkey(&bench.session(&token), PASSWORD, &AT, AWAY);
    assert!(matches!(full, Err(Error::Asked(_))));
    let shown = bench.accounts.passkeys("ana").unwrap();
    assert_eq!(shown.len(), MAX_PASSKEYS);
    assert!(!bench.accounts.remove_passkey("ben", &shown[3].id).unwrap());
    assert!(bench.accounts.remove_passkey("ana", &shown[3].id).unwrap());
    assert!(!bench.accounts.remove_passkey("ana", &shown[3].id).unwrap());
    let answer = phones[3].sign(&bench.asked(1), AT.origin);
    assert_eq!(bench.answered(&answer, 1), Err(NotSignedIn::Wrong));
    bench.answered(&phones[4].sign(&bench.asked(1), AT.origin), 1).unwrap();
}

#[test]
fn an_invitation_takes_passkeys_away_and_a_suspension_stops_them() {
    let (bench, token) = Bench::with_password();
    let home = bench.dir.path();
    let mut phone = bench.added(&token, 7);
    let link = invite(home, "ben", "ana").unwrap();
    bench.accounts.accept(&bench.access, &link, PASSWORD, "x").unwrap().unwrap();
    assert_eq!(bench.answered(&phone.sign(&bench.asked(1), AT.origin), 1), Err(NotSignedIn::Wrong));
    assert_eq!(home.join("access/handles").read_dir().unwrap().count(), 0);
    let token = bench.sign_in("ana", PASSWORD, 2).unwrap();
    let mut phone = bench.added(&token, 8);
    let of = Act::Suspend { party: "person:ana".into(), reason: "test".into() };
    act(home, "ben", "test", &of).unwrap();
    bench.access.refresh().unwrap();
    assert_eq!(bench.answered(&phone.sign(&bench.asked(3), AT.origin), 3), Err(NotSignedIn::Wrong));
}

#[test]
fn so_many_ask_at_once_and_one_network_fills_only_its_own_room() {
    let bench = Bench::new();
    for _ in 0..64 {
        bench.asked(1);
    }
    let asked = |n| bench.accounts.ask_passkey(&AT, from(n).source).unwrap();
    assert_eq!(asked(1), Err(NotSignedIn::Busy));
    assert!(asked(2).is_ok());
    // Many who ask and never answer: the oldest give way, and all of it is bounded.
    for network in 0..200_u8 {
        let source = IpAddr::V4(Ipv4Addr::new(198, 18, 2, network));
        for _ in 0..64 {
            assert!(bench.accounts.ask_passkey(&AT, source).unwrap().is_ok());
        }
    }
    assert_eq!(bench.accounts.passkeys.signing_in(), (8_192, 128));
    assert!(asked(1).is_ok(), "its own gave way long ago");
}

#[test]
fn a_handle_whose_file_is_gone_is_written_again() {
    let (bench, token) = Bench::with_password();
    bench.added(&token, 7);
    ledger::disk::remove_dir_all(&bench.dir.path().join("access/handles")).unwrap();
    let mut phone = bench.added(&token, 8);
    bench.answered(&phone.sign(&bench.asked(1), AT.origin), 1).unwrap();
}
