//! The same over TLS, asked by curl.

use std::process::Command;

use shield_feed::{Bounds, tls_config};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::bed::Bed;

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_knows_the_certificate_is_served() {
    let dir = tempfile::tempdir().unwrap();
    let (cert, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", "2", "-subj", "/CN=feed.test", "-addext"])
        .args(["subjectAltName=IP:127.0.0.1", "-out"])
        .arg(&cert)
        .arg("-keyout")
        .arg(&key)
        .output()
        .expect("openssl (apt install openssl)");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let chain = vec![CertificateDer::from_pem_file(&cert).unwrap()];
    let tls = tls_config(chain, PrivateKeyDer::from_pem_file(&key).unwrap()).unwrap();
    let bed = Bed::new(Bounds::default(), Some(tls)).await;
    bed.publish("all", 1, "one");
    let address = bed.address;
    let ask = move |trusted: bool| {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail", "--noproxy", "*", "--max-time", "5"]);
        if trusted {
            curl.arg("--cacert").arg(&cert);
        }
        curl.arg(format!("https://{address}/feed/all/manifest"));
        let out = curl.output().expect("curl (apt install curl)");
        (out.status.success(), String::from_utf8_lossy(&out.stdout).into_owned())
    };
    let asked = tokio::task::spawn_blocking(move || (ask(true), ask(false))).await.unwrap();
    let ((served, text), (unknown, _)) = asked;
    assert!(served && text.starts_with("serial 1\n"), "{text}");
    assert!(!unknown, "a certificate that curl does not know");
}
