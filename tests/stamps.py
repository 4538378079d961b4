"""Others verify our time stamps: OpenSSL is the authority, over HTTP on loopback; OpenSSL and PyPI's
rfc3161-client take the tokens out of the log, and refuse them over anything else.
Run by `./test stamps`, with VIGIE_BIN set."""

import base64
import hashlib
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import zipfile
from pathlib import Path

from cryptography.x509 import load_pem_x509_certificate
from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

vigie = os.environ["VIGIE_BIN"]

CONFIG = """
[req]
distinguished_name = dn
[dn]
[root]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[signer]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa]
default_tsa = one
[one]
serial = number
default_policy = 1.2.3.4.1
digests = sha256
signer_digest = sha256
ess_cert_id_alg = sha256
"""


def run(*words, **more):
    return subprocess.run(list(map(str, words)), check=True, stdout=subprocess.PIPE, **more).stdout


def authority(folder, sort):
    """A root and a signer below it; the address where it answers."""
    folder.mkdir()
    (folder / "openssl.cnf").write_text(CONFIG)
    (folder / "number").write_text("01\n")

    def openssl(*words):
        return run("openssl", *words, cwd=folder, stderr=subprocess.DEVNULL)

    for name in ("root", "signer"):
        openssl("genpkey", *sort, "-out", f"{name}.key")
    openssl("req", "-x509", "-new", "-key", "root.key", "-out", "root.crt", "-days", "3650", "-subj",
            "/O=Practice/CN=Root", "-config", "openssl.cnf", "-extensions", "root")
    openssl("req", "-new", "-key", "signer.key", "-out", "signer.csr", "-subj", "/O=Practice/CN=Clock",
            "-config", "openssl.cnf")
    openssl("x509", "-req", "-in", "signer.csr", "-CA", "root.crt", "-CAkey", "root.key", "-CAcreateserial",
            "-out", "signer.crt", "-days", "30", "-extfile", "openssl.cnf", "-extensions", "signer")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            (folder / "query").write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            answer = openssl("ts", "-reply", "-config", "openssl.cnf", "-queryfile", "query", "-signer",
                             "signer.crt", "-inkey", "signer.key")
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/tsr", openssl


def refused(call):
    try:
        call()
    except (VerificationError, subprocess.CalledProcessError):
        return
    raise AssertionError("it was taken")


def check(folder, sort):
    url, openssl = authority(folder / "tsa", sort)
    (folder / "seizure").mkdir()
    (folder / "seizure" / "notes.txt").write_text("tv.one.example 198.18.0.7\n")
    (folder / "later").mkdir()
    (folder / "later" / "more.txt").write_text("198.18.0.8\n")
    case = folder / "case"
    run(vigie, "open", "--json", "--case", case, folder / "seizure")
    ask = [vigie, "stamp", "--json", "--case", case, "--tsa", url, "--chain", folder / "tsa" / "root.crt"]
    stamped = json.loads(run(*ask))
    proof = folder / "proof"
    proof.write_bytes(run(vigie, "log", "prove", "--case", case, stamped["record"]))
    public = json.loads(run(vigie, "log", "check", "--json", proof))["record"]["public"]
    token = bytes.fromhex(public["token"]["hex"])
    message = public["checkpoint"].encode()

    (folder / "tsa" / "token").write_bytes(token)
    (folder / "tsa" / "message").write_bytes(message)
    verify = ["ts", "-verify", "-in", "token", "-token_in", "-data", "message", "-CAfile", "root.crt"]
    openssl(*verify)

    # A token alone, as the answer that it came in: granted.
    body = bytes.fromhex("3003020100") + token
    answer = decode_timestamp_response(b"\x30\x82" + len(body).to_bytes(2, "big") + body)
    root = load_pem_x509_certificate((folder / "tsa" / "root.crt").read_bytes())
    verifier = VerifierBuilder().add_root_certificate(root).build()
    assert verifier.verify_message(answer, message)
    refused(lambda: verifier.verify_message(answer, message + b"\n"))
    (folder / "tsa" / "message").write_bytes(message + b"\n")
    refused(lambda: openssl(*verify))

    # The reader's own file says whose authority it is.
    der = openssl("x509", "-in", "root.crt", "-outform", "DER")
    (folder / "trust").write_text(f"time practice {base64.b64encode(der).decode()}\n")
    exhibit = hashlib.sha256((folder / "seizure" / "notes.txt").read_bytes()).hexdigest()
    shown = run(vigie, "show", "--case", case, "--trust", folder / "trust", exhibit).decode()
    assert "Time by practice, which your trust file names." in shown, shown

    # What is sealed is stamped at once where it is asked for.
    opened = json.loads(run(vigie, "open", "--json", "--case", case, "--tsa", url, folder / "later"))
    later = hashlib.sha256((folder / "later" / "more.txt").read_bytes()).hexdigest()
    assert [stamp["exhibit"] for stamp in opened["stamps"]] == [later, None], opened["stamps"]
    assert opened["stamps"][1]["covers"] == opened["stamps"][0]["record"] + 1, opened["stamps"]
    # An authority that is not there: what was asked for is sealed all the same, and that is said.
    (folder / "later" / "third.txt").write_text("198.18.0.9\n")
    words = [vigie, "open", "--json", "--case", case, "--tsa", "http://127.0.0.1:9/", folder / "later"]
    failed = subprocess.run(words, capture_output=True, text=True)
    assert failed.returncode == 3 and "everything is sealed" in failed.stderr, failed
    assert json.loads(failed.stdout)["exhibits"] == opened["exhibits"] + 1, failed.stdout

    # A package carries the stamps and the chain: the script in it has OpenSSL verify them.
    run(*ask, "--exhibit", exhibit)
    file = folder / "package.zip"
    run(vigie, "package", "make", "--case", case, "--for", "Court", "--handling", "H0", "--out", file)
    with zipfile.ZipFile(file) as zipped:
        zipped.extractall(folder)
    key = next(l for l in (folder / "package/data/keys.txt").read_text().splitlines() if l.startswith("log"))
    with open(folder / "trust", "a") as trust:
        trust.write(key + "\n")
    for words in ([], ["--trust", folder / "trust"]):
        said = run(sys.executable, folder / "package/verify.py", *words).decode()
        assert ("authority: yours)" if words else "not confirmed by you)") in said, said
        assert "No trusted time" not in said and ": the exhibit of record " in said, said
        said = run(vigie, "package", "verify", *words, file).decode()
        assert ("(practice)" if words else "not confirmed") in said, said
    # One that the reader does not trust is said to be so.
    _, elsewhere = authority(folder / "other", sort)
    der = elsewhere("x509", "-in", "root.crt", "-outform", "DER")
    (folder / "others").write_text(f"{key}\ntime other {base64.b64encode(der).decode()}\n")
    said = run(sys.executable, folder / "package/verify.py", "--trust", folder / "others").decode()
    assert "not confirmed by you)" in said, said
    said = run(vigie, "package", "verify", "--trust", folder / "others", file).decode()
    assert "No trusted time" in said and "names no time authority" in said, said
    return stamped["time"]


with tempfile.TemporaryDirectory() as work:
    os.environ["VIGIE_HOME"] = str(Path(work) / "home")
    for name, sort in (
        ("rsa", ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
        ("ec", ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]),
    ):
        (Path(work) / name).mkdir()
        print(f"{name}: stamped at {check(Path(work) / name, sort)}; OpenSSL and rfc3161-client agree")
