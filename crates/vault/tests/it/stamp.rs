//! Time stamps by OpenSSL's authority.

use std::path::Path;

use proptest::prelude::*;
use vault::stamp::{Anchor, Certificate, Crl, Pool, Request, StampError, Token, response};

use crate::tsa::{Signer, Tsa};

const DIGEST: [u8; 32] = [0x5a; 32];

fn request() -> Request {
    Request::new(DIGEST, [7; 16])
}

fn token(tsa: &Tsa, signer: &str) -> Vec<u8> {
    response(&tsa.reply(signer, &request().to_der())).expect("granted")
}

fn pool(tsa: &Tsa) -> Pool {
    let mut pool = Pool::default();
    for name in ["issuer", "root"] {
        pool.add_certificate(Certificate::parse(&tsa.certificate(name)).unwrap());
    }
    pool
}

fn anchor(tsa: &Tsa, name: &str) -> Vec<Anchor> {
    let certificate = Certificate::parse(&tsa.certificate(name)).unwrap();
    vec![Anchor { name: "practice".to_owned(), certificate }]
}

/// An authority of that sort of keys with one signer of it, and its token.
fn made(dir: &Path, key: &str) -> (Tsa, Vec<u8>) {
    let tsa = Tsa::new(dir, key, None);
    tsa.signer("signer", &Signer { key, ..Signer::default() });
    let token = token(&tsa, "signer");
    (tsa, token)
}

fn why(result: Result<vault::stamp::Verified, StampError>) -> String {
    result.expect_err("it is refused").to_string()
}

#[test]
fn a_token_of_each_sort_of_key_holds() {
    let dir = tempfile::tempdir().unwrap();
    for key in ["RSA:2048", "RSA:3072", "EC:P-256", "EC:P-384"] {
        let (tsa, der) = made(&dir.path().join(key.replace(':', "-")), key);
        let token = Token::parse(&der).unwrap();
        let nonce = *request().nonce();
        let found = token.verify(&DIGEST, Some(&nonce), &pool(&tsa), &[]).unwrap();
        assert_eq!((found.confirmed, found.chain.len()), (None, 3), "{key}");
        assert!(found.signer.contains("CN=signer"), "{}", found.signer);
        assert_eq!(found.info.latest_ms - found.info.time_ms, 1500, "by its accuracy");
        for end in ["root", "issuer", "signer"] {
            let found =
                token.verify(&DIGEST, Some(&nonce), &pool(&tsa), &anchor(&tsa, end)).unwrap();
            assert_eq!(found.confirmed.as_deref(), Some("practice"), "{key} {end}");
        }
        for (with, scheme) in [
            (&["-md", "sha384"][..], "sha384"),
            (&["-md", "sha512", "-keyid"], "sha512, by key's id"),
            (&["-keyopt", "rsa_padding_mode:pss", "-md", "sha256"], "pss"),
            (&["-keyopt", "rsa_padding_mode:pss", "-md", "sha512"], "pss sha512"),
        ] {
            if scheme.starts_with("pss") && !key.starts_with("RSA") {
                continue;
            }
            let again = tsa.signed_anew("signer", &der, with);
            let again = Token::parse(&again).unwrap();
            let found = again.verify(&DIGEST, None, &pool(&tsa), &anchor(&tsa, "root"));
            assert!(found.is_ok(), "{key} {scheme}: {found:?}");
        }
    }
}

#[test]
fn what_was_not_asked_for_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (tsa, der) = made(dir.path(), "EC:P-256");
    let token = Token::parse(&der).unwrap();
    let pool = pool(&tsa);
    let other = why(token.verify(&[1; 32], None, &pool, &[]));
    assert!(other.starts_with("messageImprint"), "{other}");
    let other = why(token.verify(&DIGEST, Some(&[1; 16]), &pool, &[]));
    assert!(other.starts_with("nonce"), "{other}");
    let alone = why(token.verify(&DIGEST, None, &Pool::default(), &[]));
    assert!(alone.starts_with("no chain from") && alone.contains("CN=issuer"), "{alone}");
    // Somebody else's root confirms nothing.
    let others = Tsa::new(&dir.path().join("others"), "EC:P-256", None);
    let found = token.verify(&DIGEST, None, &pool, &anchor(&others, "root")).unwrap();
    assert_eq!(found.confirmed, None);
}

#[test]
fn a_refusal_is_told_in_the_authoritys_words() {
    let dir = tempfile::tempdir().unwrap();
    let tsa = Tsa::new(dir.path(), "EC:P-256", None);
    tsa.signer("signer", &Signer::default());
    // A request for a digest that it does not take.
    let mut sha1 = request().to_der();
    let at = sha1.windows(2).position(|w| w == [0x02, 0x01] && w[0] == 2).unwrap();
    assert_eq!(at, 2);
    let oid = sha1.windows(3).position(|w| w == [0x03, 0x04, 0x02]).unwrap();
    sha1[oid + 3] = 9;
    let refused = response(&tsa.reply("signer", &sha1)).unwrap_err();
    assert!(matches!(refused, StampError::Refused { status: "rejection", .. }), "{refused}");
    assert!(refused.to_string().contains("unsupported algorithm"), "{refused}");
}

#[test]
fn a_certificate_for_something_else_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (tsa, der) = made(dir.path(), "EC:P-256");
    for (usage, part) in [
        ("critical,codeSigning", "timeStamping alone"),
        ("timeStamping", "timeStamping alone"),
        ("critical,timeStamping,codeSigning", "timeStamping alone"),
        ("", "not for time stamping"),
    ] {
        tsa.signer("other", &Signer { usage, ..Signer::default() });
        let token = Token::parse(&tsa.signed_anew("other", &der, &[])).unwrap();
        let refused = why(token.verify(&DIGEST, None, &pool(&tsa), &anchor(&tsa, "root")));
        assert!(refused.contains(part), "{usage}: {refused}");
    }
}

#[test]
fn a_certificate_counts_while_it_is_valid() {
    let dir = tempfile::tempdir().unwrap();
    let tsa = Tsa::new(dir.path(), "EC:P-256", None);
    for (valid, part) in [((-7200, -3600), "expired on"), ((3600, 7200), "not valid before")] {
        tsa.signer("signer", &Signer { valid, ..Signer::default() });
        let token = Token::parse(&token(&tsa, "signer")).unwrap();
        let refused = why(token.verify(&DIGEST, None, &pool(&tsa), &anchor(&tsa, "root")));
        assert!(refused.contains(part), "{refused}");
    }
}

#[test]
fn a_revoked_certificate_counts_as_its_reason_allows() {
    let dir = tempfile::tempdir().unwrap();
    let (tsa, der) = made(dir.path(), "EC:P-256");
    let token = Token::parse(&der).unwrap();
    let anchors = anchor(&tsa, "root");
    let mut kept = pool(&tsa);
    assert_eq!(token.verify(&DIGEST, None, &kept, &anchors).unwrap().revocation_ms, None);
    kept.add_crl(Crl::parse(&tsa.crl("issuer")).unwrap());
    assert_eq!(token.verify(&DIGEST, None, &kept, &anchors).unwrap().revocation_ms, None);
    kept.add_crl(Crl::parse(&tsa.crl("root")).unwrap());
    assert!(token.verify(&DIGEST, None, &kept, &anchors).unwrap().revocation_ms.is_some());
    // Superseded after the token: it stays. Its key in other hands: no token of it does.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    tsa.revoke("signer", "superseded");
    let mut later = kept.clone();
    later.add_crl(Crl::parse(&tsa.crl("issuer")).unwrap());
    assert!(token.verify(&DIGEST, None, &later, &anchors).is_ok());
    let (other, der) = made(&dir.path().join("other"), "EC:P-256");
    other.revoke("signer", "keyCompromise");
    let mut kept = pool(&other);
    kept.add_crl(Crl::parse(&other.crl("issuer")).unwrap());
    let refused = Token::parse(&der).unwrap().verify(&DIGEST, None, &kept, &[]);
    assert!(why(refused).contains("KeyCompromise"));
}

#[test]
fn weak_keys_and_digests_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (tsa, der) = made(dir.path(), "EC:P-256");
    tsa.signer("short", &Signer { key: "RSA:1024", ..Signer::default() });
    let short = Token::parse(&tsa.signed_anew("short", &der, &[])).unwrap();
    let refused = why(short.verify(&DIGEST, None, &pool(&tsa), &[]));
    assert!(refused.contains("1024 bits"), "{refused}");
    let sha1 = tsa.signed_anew("signer", &der, &["-md", "sha1"]);
    let refused = Token::parse(&sha1).unwrap_err().to_string();
    assert!(refused.starts_with("SignerInfo.digestAlgorithm"), "{refused}");
}

#[test]
fn no_flipped_bit_of_a_token_passes() {
    let dir = tempfile::tempdir().unwrap();
    for key in ["EC:P-256", "RSA:2048"] {
        let (tsa, der) = made(&dir.path().join(&key[..2]), key);
        let (pool, anchors, nonce) = (pool(&tsa), anchor(&tsa, "root"), *request().nonce());
        for at in 0..der.len() {
            for bit in 0..8 {
                let mut bad = der.clone();
                bad[at] ^= 1 << bit;
                let found = Token::parse(&bad)
                    .and_then(|token| token.verify(&DIGEST, Some(&nonce), &pool, &anchors));
                assert!(found.is_err(), "{key}: byte {at}, bit {bit} of {}", der.len());
            }
        }
    }
}

#[test]
fn no_cut_or_longer_answer_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let (tsa, _) = made(dir.path(), "EC:P-256");
    let answer = tsa.reply("signer", &request().to_der());
    for end in 0..answer.len() {
        assert!(response(&answer[..end]).is_err(), "cut at {end}");
    }
    let longer = [answer.as_slice(), &[0]].concat();
    assert!(response(&longer).is_err());
    let huge = vec![0x30; vault::stamp::MAX_RESPONSE + 1];
    assert!(response(&huge).unwrap_err().to_string().contains("at most"));
    let huge = vec![0x30; vault::stamp::MAX_TOKEN + 1];
    assert!(Token::parse(&huge).unwrap_err().to_string().contains("at most"));
    let huge = vec![0x30; vault::stamp::MAX_CERTIFICATE + 1];
    assert!(Certificate::parse(&huge).unwrap_err().to_string().contains("at most"));
    let huge = vec![0x30; vault::stamp::MAX_CRL + 1];
    assert!(Crl::parse(&huge).unwrap_err().to_string().contains("at most"));
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = (response(&bytes), Token::parse(&bytes).is_ok());
        let _ = (Certificate::parse(&bytes), Crl::parse(&bytes));
        let _ = vault::stamp::certificates_in(&bytes);
    }
}

/// A token and its answer that are kept for the fuzzer: nothing needs to be installed for them.
const SAMPLE: &[u8] = include_bytes!("../../../../fuzz/corpus/wires/token");

proptest! {
    /// Whatever is put into a token, it is another one, or none.
    #[test]
    fn no_changed_token_passes(
        at in any::<prop::sample::Index>(),
        cut in 0usize..40,
        put in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let der = &SAMPLE[1..];
        let token = Token::parse(der).unwrap();
        let (digest, nonce) = (token.info().digest, token.info().nonce.clone());
        prop_assert!(token.verify(&digest, nonce.as_deref(), &Pool::default(), &[]).is_ok());
        let at = at.index(der.len());
        let mut bad = der.to_vec();
        bad.splice(at..(at + cut).min(der.len()), put);
        prop_assume!(bad != der);
        if let Ok(token) = Token::parse(&bad) {
            let found = token.verify(&digest, nonce.as_deref(), &Pool::default(), &[]);
            prop_assert!(found.is_err(), "{found:?}");
        }
    }
}

#[test]
fn a_stamp_that_covers_something_else_is_void() {
    use ledger::{Reader, SigningKey};
    use model::Sha256Hex;
    use vault::times::{Covers, Kept, OfLog, Roots, Stamps, Void};

    let dir = tempfile::tempdir().unwrap();
    let (tsa, _) = made(&dir.path().join("tsa"), "EC:P-256");
    crate::flip::small_case(dir.path());
    let reader = Reader::open(&dir.path().join("case/ledger")).unwrap();
    let (note, size) = (reader.checkpoint().unwrap().to_owned(), reader.size());
    let key = ledger::Checkpoint::parse_unverified(&note).unwrap();
    let stranger = SigningKey::new(&key.origin, &[9; 32]).unwrap();
    let stamp = |record: u64, note: &str| {
        let request = Request::new(Sha256Hex::of(note.as_bytes()).0, [7; 16]);
        let token = response(&tsa.reply("signer", &request.to_der())).unwrap();
        Kept {
            record,
            covers: Covers::Checkpoint(note.to_owned()),
            token,
            certificates: ["issuer", "root"]
                .map(|n| model::record::Blob(tsa.certificate(n)))
                .into(),
            crls: Vec::new(),
        }
    };
    let good = stamp(size, &note);
    let other_root = stamp(size, &stranger.sign(size, &[3; 32]));
    let early = stamp(size - 1, &note);
    let mut swapped = good.clone();
    swapped.token = other_root.token.clone();
    let mut cut = good.clone();
    cut.token.pop();
    let kept = vec![good, other_root, early, swapped, cut];
    let now = 4_000_000_000_000; // long after the signer's certificate expired
    let log = OfLog { roots: Roots::Log(&reader), key: None };
    let stamps = Stamps::new(kept.clone(), log, None, now);
    assert!(stamps.verdict(0).is_ok(), "{:?}", stamps.verdict(0));
    for (at, part) in
        [(1, "another log"), (2, "came after it"), (3, "messageImprint"), (4, "Token")]
    {
        match stamps.verdict(at) {
            Err(Void::Broken(why)) => assert!(why.contains(part), "{at}: {why}"),
            other => panic!("{at}: {other:?}"),
        }
    }
    assert!(!stamps.stands(0) && stamps.bounds(0).by.is_none(), "it expired uncovered");
    assert_eq!(stamps.lapsed().len(), 1);
    // While it lasts it bounds what it covers, and nothing that came after it.
    let before = Stamps::new(kept.clone(), log, None, 1_000_000_000_000);
    assert!(before.stands(0));
    assert!(before.bounds(0).by.is_some() && before.bounds(0).after.is_none());
    let later = before.bounds(size + 1);
    assert!(later.by.is_none() && later.after.is_some());
    // A key that did not sign the checkpoint; authorities of which the reader names none.
    let verifier = stranger.verifier().into();
    let log = OfLog { roots: Roots::Log(&reader), key: Some(&verifier) };
    assert!(matches!(Stamps::new(kept.clone(), log, None, 0).verdict(0), Err(Void::Broken(_))));
    let log = OfLog { roots: Roots::Log(&reader), key: None };
    let nobody = Stamps::new(kept, log, Some(Vec::new()), 0);
    assert!(nobody.verdict(0).is_ok() && !nobody.stands(0));
}
