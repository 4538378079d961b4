//! A time-stamping authority of OpenSSL's, for tests: a root, an issuer below it, signers.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// An authority in a folder of its own.
pub(crate) struct Tsa {
    dir: PathBuf,
    /// Port of the loopback server that certificates name, where there is one.
    port: Option<u16>,
}

/// A signer to be made.
pub(crate) struct Signer<'a> {
    /// As `openssl genpkey` names it: `RSA`, `EC:P-256`, …
    pub(crate) key: &'a str,
    /// Value of `extendedKeyUsage`; none where empty.
    pub(crate) usage: &'a str,
    /// Seconds from now to its beginning and to its end.
    pub(crate) valid: (i64, i64),
}

impl Default for Signer<'_> {
    fn default() -> Self {
        Self { key: "EC:P-256", usage: "critical,timeStamping", valid: (-3600, 30 * 86_400) }
    }
}

/// Runs OpenSSL in a folder.
pub(crate) fn openssl(dir: &Path, args: &[&str]) -> Vec<u8> {
    let out = Command::new("openssl")
        .args(args)
        .current_dir(dir)
        .stdin(Stdio::null())
        .output()
        .expect("openssl is installed");
    assert!(out.status.success(), "openssl {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    out.stdout
}

/// A moment as `openssl ca` takes it.
fn moment(seconds_from_now: i64) -> String {
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let at = i64::try_from(now.as_secs()).expect("a time") + seconds_from_now;
    let text = model::Stamp::unix_seconds(at).to_string();
    let digits: String = text.chars().filter(char::is_ascii_digit).take(14).collect();
    format!("{digits}Z")
}

impl Tsa {
    /// A root and an issuer below it, with keys of the given sort.
    pub(crate) fn new(dir: &Path, key: &str, port: Option<u16>) -> Self {
        std::fs::create_dir_all(dir).expect("a folder");
        let tsa = Self { dir: dir.to_owned(), port };
        for name in ["root", "issuer"] {
            tsa.write(&format!("{name}.index"), "");
            tsa.write(&format!("{name}.number"), "01\n");
        }
        tsa.write("tsa.number", "01\n");
        tsa.write("openssl.cnf", &tsa.config("critical,timeStamping"));
        tsa.key("root", key);
        openssl(
            dir,
            &[
                "req",
                "-x509",
                "-new",
                "-key",
                "root.key",
                "-out",
                "root.crt",
                "-days",
                "3650",
                "-subj",
                "/O=Practice/CN=Root",
                "-config",
                "openssl.cnf",
                "-extensions",
                "root_ext",
            ],
        );
        tsa.certify("issuer", "root", key, "issuer_ext", (-86_400, 1000 * 86_400));
        tsa
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.dir.join(name), text).expect("written");
    }

    fn config(&self, usage: &str) -> String {
        let mut text = String::from("[req]\ndistinguished_name = dn\n[dn]\n");
        for name in ["root", "issuer"] {
            let _ = write!(
                text,
                "[{name}]\ndatabase = {name}.index\nserial = {name}.number\ncertificate = {name}.crt\n\
                 private_key = {name}.key\nnew_certs_dir = .\ndefault_md = sha256\npolicy = any\n\
                 default_crl_days = 30\nunique_subject = no\ncrl_extensions = crl_ext\n"
            );
        }
        text += "[crl_ext]\nauthorityKeyIdentifier = keyid\n[any]\norganizationName = optional\ncommonName = supplied\n";
        let at = |name: &str| match self.port {
            Some(port) => format!(
                "authorityInfoAccess = caIssuers;URI:http://127.0.0.1:{port}/{name}.der\n\
                 crlDistributionPoints = URI:http://127.0.0.1:{port}/{name}.crl\n"
            ),
            None => String::new(),
        };
        let _ = write!(
            text,
            "[root_ext]\nbasicConstraints = critical,CA:true\nkeyUsage = critical,keyCertSign,cRLSign\n\
             subjectKeyIdentifier = hash\n\
             [issuer_ext]\nbasicConstraints = critical,CA:true,pathlen:0\n\
             keyUsage = critical,keyCertSign,cRLSign\nsubjectKeyIdentifier = hash\n{}\
             [signer_ext]\nbasicConstraints = critical,CA:false\n\
             keyUsage = critical,digitalSignature\nsubjectKeyIdentifier = hash\n{}{}\n",
            at("root"),
            at("issuer"),
            if usage.is_empty() { String::new() } else { format!("extendedKeyUsage = {usage}\n") }
        );
        text += "[tsa]\ndefault_tsa = tsa1\n[tsa1]\nserial = tsa.number\ndefault_policy = 1.2.3.4.1\n\
                 digests = sha256, sha384, sha512\naccuracy = secs:1, millisecs:500\n\
                 signer_digest = sha256\ness_cert_id_chain = no\ness_cert_id_alg = sha256\n";
        text
    }

    fn key(&self, name: &str, sort: &str) {
        let file = format!("{name}.key");
        match sort.split_once(':') {
            Some(("EC", curve)) => {
                let curve = format!("ec_paramgen_curve:{curve}");
                openssl(
                    &self.dir,
                    &["genpkey", "-algorithm", "EC", "-pkeyopt", &curve, "-out", &file],
                );
            }
            Some((algorithm, bits)) => {
                let bits = format!("rsa_keygen_bits:{bits}");
                openssl(
                    &self.dir,
                    &["genpkey", "-algorithm", algorithm, "-pkeyopt", &bits, "-out", &file],
                );
            }
            None => panic!("no such sort of key: {sort}"),
        }
    }

    fn certify(&self, name: &str, by: &str, key: &str, section: &str, valid: (i64, i64)) {
        self.key(name, key);
        let (file, csr, out) =
            (format!("{name}.key"), format!("{name}.csr"), format!("{name}.crt"));
        let subject = format!("/O=Practice/CN={name}");
        openssl(
            &self.dir,
            &[
                "req",
                "-new",
                "-key",
                &file,
                "-out",
                &csr,
                "-subj",
                &subject,
                "-config",
                "openssl.cnf",
            ],
        );
        openssl(
            &self.dir,
            &[
                "ca",
                "-batch",
                "-notext",
                "-config",
                "openssl.cnf",
                "-name",
                by,
                "-in",
                &csr,
                "-out",
                &out,
                "-extensions",
                section,
                "-startdate",
                &moment(valid.0),
                "-enddate",
                &moment(valid.1),
            ],
        );
    }

    /// Makes a signer of that name below the issuer.
    pub(crate) fn signer(&self, name: &str, signer: &Signer<'_>) {
        self.write("openssl.cnf", &self.config(signer.usage));
        self.certify(name, "issuer", signer.key, "signer_ext", signer.valid);
    }

    /// Revokes a signer, for a reason as OpenSSL names it.
    pub(crate) fn revoke(&self, name: &str, reason: &str) {
        let file = format!("{name}.crt");
        openssl(
            &self.dir,
            &[
                "ca",
                "-config",
                "openssl.cnf",
                "-name",
                "issuer",
                "-revoke",
                &file,
                "-crl_reason",
                reason,
            ],
        );
    }

    /// The list of what `by` (`root` or `issuer`) revoked, DER.
    pub(crate) fn crl(&self, by: &str) -> Vec<u8> {
        let pem = format!("{by}.crl.pem");
        openssl(&self.dir, &["ca", "-config", "openssl.cnf", "-name", by, "-gencrl", "-out", &pem]);
        openssl(&self.dir, &["crl", "-in", &pem, "-outform", "DER"])
    }

    /// A certificate, DER.
    pub(crate) fn certificate(&self, name: &str) -> Vec<u8> {
        let file = format!("{name}.crt");
        openssl(&self.dir, &["x509", "-in", &file, "-outform", "DER"])
    }

    /// The answer to a request.
    pub(crate) fn reply(&self, signer: &str, request: &[u8]) -> Vec<u8> {
        let query = format!("{}.tsq", unique());
        std::fs::write(self.dir.join(&query), request).expect("written");
        let (certificate, key) = (format!("{signer}.crt"), format!("{signer}.key"));
        let reply = openssl(
            &self.dir,
            &[
                "ts",
                "-reply",
                "-config",
                "openssl.cnf",
                "-queryfile",
                &query,
                "-signer",
                &certificate,
                "-inkey",
                &key,
            ],
        );
        let _ = std::fs::remove_file(self.dir.join(&query));
        reply
    }

    /// The token's content signed anew as CMS, with whatever OpenSSL is told beside.
    pub(crate) fn signed_anew(&self, signer: &str, token: &[u8], with: &[&str]) -> Vec<u8> {
        let name = unique();
        let (token_file, content) = (format!("{name}.token"), format!("{name}.tst"));
        std::fs::write(self.dir.join(&token_file), token).expect("written");
        openssl(
            &self.dir,
            &[
                "cms",
                "-verify",
                "-noverify",
                "-inform",
                "DER",
                "-in",
                &token_file,
                "-out",
                &content,
            ],
        );
        let (certificate, key) = (format!("{signer}.crt"), format!("{signer}.key"));
        let args = [
            "cms",
            "-sign",
            "-binary",
            "-nodetach",
            "-cades",
            "-nosmimecap",
            "-econtent_type",
            "1.2.840.113549.1.9.16.1.4",
            "-outform",
            "DER",
            "-in",
            &content,
            "-signer",
            &certificate,
            "-inkey",
            &key,
        ];
        let args: Vec<&str> = args.iter().chain(with).copied().collect();
        openssl(&self.dir, &args)
    }
}

/// A name for a file that no other thread takes.
fn unique() -> String {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    format!("tmp{}", NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
}
