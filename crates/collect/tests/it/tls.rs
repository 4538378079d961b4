//! TLS: what is shown is recorded, and stops nothing.

use collect::capture::Step;
use collect::probe::Roots;
use collect::tls::Validity;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use time::{Duration, OffsetDateTime};

use crate::world::{
    Identity, asked, authorisation, capture, capture_with, ok, quick, read, resolver, server,
    tls_server, zone,
};

fn params(names: &[&str], from_days: i64, days: i64) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    let called = names.first().cloned().unwrap_or_else(|| "authority".to_owned());
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, called);
    // The clock of certificates is the machine's.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = OffsetDateTime::from_unix_timestamp(now.as_secs() as i64).unwrap();
    params.not_before = now + Duration::days(from_days) - Duration::hours(1);
    params.not_after = now + Duration::days(from_days + days);
    params
}

/// A certificate that signed itself.
pub(crate) fn identity(names: &[&str], from_days: i64, days: i64) -> Identity {
    let key = KeyPair::generate().unwrap();
    let certificate = params(names, from_days, days).self_signed(&key).unwrap();
    Identity { chain: vec![certificate.der().clone()], key: key.serialize_der() }
}

/// A certificate that an authority signed, and the authority's.
fn signed(names: &[&str], from_days: i64, days: i64) -> Identity {
    let (of_authority, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut authority = params(&[], 0, 3650);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = authority.self_signed(&of_authority).unwrap();
    let issuer = Issuer::new(authority, of_authority);
    let own = params(names, from_days, days).signed_by(&key, &issuer).unwrap();
    Identity { chain: vec![own.der().clone(), root.der().clone()], key: key.serialize_der() }
}

#[test]
fn whatever_is_wrong_with_a_certificate_is_recorded_and_stops_nothing() {
    for (identity, known, validity) in [
        (signed(&["tv.example"], 0, 90), true, Validity::Valid),
        (signed(&["tv.example"], -100, 90), true, Validity::Invalid("expired")),
        (signed(&["tv.example"], 10, 90), true, Validity::Invalid("not-yet-valid")),
        (signed(&["other.example"], 0, 90), true, Validity::Invalid("wrong-name")),
        (signed(&["tv.example"], 0, 90), false, Validity::Unchecked),
    ] {
        let (port, seen) = tls_server(&identity, |_, out| ok(out, "text/html", b"hello"));
        let (dns, _) = resolver(zone(&[("tv.example", &["127.0.0.1"])]), false);
        let roots = if known { vec![identity.chain[1].clone()] } else { Vec::new() };
        let of = authorisation(&["tv.example:*", "127.0.0.0/8:*"]);
        let item = format!("https://tv.example:{port}/");
        let capture = capture_with(&item, of, dns, quick(), Roots::of(roots));
        assert_eq!(capture.outcome().words(), "answered 200", "{validity:?}");
        let Some(Step::Asked { tls: Some(tls), .. }) = capture.steps.last() else { panic!() };
        assert_eq!(tls.validity, validity);
        assert!(tls.proven);
        assert_eq!((tls.version.as_str(), tls.alpn.as_deref()), ("TLSv1.3", Some("http/1.1")));
        assert_eq!(tls.sni.as_deref(), Some("tv.example"));
        assert_eq!(tls.chain, identity.chain.iter().map(|c| c.to_vec()).collect::<Vec<_>>());
        assert!(seen.lock().unwrap()[0].starts_with("tv.example GET"));
        let records = read(&capture.warc);
        let pem = records.iter().find(|r| r.2.starts_with(b"-----BEGIN")).unwrap();
        assert_eq!(String::from_utf8_lossy(&pem.2).matches("BEGIN").count(), 2);
        let facts = records.iter().find(|r| r.2.starts_with(b"address: ")).unwrap();
        let facts = String::from_utf8_lossy(&facts.2).into_owned();
        assert!(facts.contains(&format!("tls-validity: {}\r\n", validity.word())), "{facts}");
    }
}

#[test]
fn a_certificate_that_signed_itself_is_of_no_issuer() {
    let (own, other) = (identity(&["tv.example"], 0, 90), signed(&["x.example"], 0, 90));
    let (port, _) = tls_server(&own, |_, out| ok(out, "text/html", b"hello"));
    let (dns, _) = resolver(zone(&[("tv.example", &["127.0.0.1"])]), false);
    let of = authorisation(&["tv.example:*", "127.0.0.0/8:*"]);
    let roots = Roots::of(vec![other.chain[1].clone()]);
    let capture = capture_with(&format!("https://tv.example:{port}/"), of, dns, quick(), roots);
    let Some(Step::Asked { tls: Some(tls), .. }) = capture.steps.last() else { panic!() };
    assert_eq!(tls.validity, Validity::Invalid("unknown-issuer"));
}

#[test]
fn who_speaks_no_tls_is_told() {
    let (port, _) = server(|_, out| ok(out, "text/html", b"plain"));
    let (dns, _) = resolver(zone(&[("tv.example", &["127.0.0.1"])]), false);
    let of = authorisation(&["tv.example:*", "127.0.0.0/8:*"]);
    let capture = capture(&format!("https://tv.example:{port}/"), of, dns);
    assert_eq!(asked(&capture), [format!("- no-tls https://tv.example:{port}/")]);
    assert_eq!(capture.outcome().words(), "no-tls");
}
