"""A world whose names are signed: a real authoritative server (BIND's) with a root of its own and `example.` below it, each
with a key of its own, and what stands below `example.` the same for all names. Whoever has `anchor` can prove each
answer."""

import socket
import subprocess
import time
from pathlib import Path

from clearing_house import free_port

# Short lives, so that what a resolver remembers never stands in the way of what is measured.
ROOT = """\
$TTL 1
. SOA ns.example. nobody.example. 1 3600 600 86400 1
. NS ns.example.
example. NS ns.example.
ns.example. A 127.0.0.1
"""
EXAMPLE = """\
$TTL 1
@ SOA ns nobody 1 3600 600 86400 1
@ NS ns
ns A 127.0.0.1
@ A 127.0.0.1
* A 127.0.0.1
* AAAA ::1
* HTTPS 1 . alpn=h2
page.isp A 192.0.2.99
page.isp AAAA 2001:db8:7::99
"""
FILES = {".": "root", "example.": "example"}


class Signed:
    """`port` on loopback answers; `anchor` is the root's key as a DNSKEY record, `ds` the same as a DS record."""

    def __init__(self, work):
        self.work = Path(work)
        self.work.mkdir(exist_ok=True)
        below = self.sign("example.", EXAMPLE)
        root = self.sign(".", ROOT + below["ds"] + "\n")
        self.anchor, self.ds = root["key"], root["ds"]
        self.port = free_port()
        (self.work / "named.conf").write_text(
            f'options {{ directory "{self.work}"; listen-on port {self.port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};'
            " recursion no; pid-file none; session-keyfile none; notify no; };\ncontrols { };\n"
            + "".join(f'zone "{zone}" {{ type primary; file "{file}.signed"; }};\n' for zone, file in FILES.items()))
        self.log = self.work / "named.log"
        with open(self.log, "a") as log:
            self.child = subprocess.Popen(["named", "-g", "-n", "1", "-c", "named.conf"], cwd=self.work, stdout=log, stderr=log)
        begun = time.monotonic()
        while not self.answers():
            assert self.child.poll() is None and time.monotonic() - begun < 20, self.log.read_text()
            time.sleep(0.05)

    def answers(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.settimeout(0.5)
            try:
                udp.sendto(b"\0\1\1\0\0\1\0\0\0\0\0\0\0\0\2\0\1", ("127.0.0.1", self.port))
                return udp.recv(1500)[3] & 15 == 0
            except OSError:
                return False

    def sign(self, zone, text):
        """One key for all of the zone, and its file signed by it."""
        file = FILES[zone]
        (self.work / file).write_text(text)
        run = lambda *words: subprocess.run(words, cwd=self.work, check=True, capture_output=True, text=True).stdout
        key = run("dnssec-keygen", "-q", "-a", "ECDSAP256SHA256", "-f", "KSK", zone).strip()
        run("dnssec-signzone", "-S", "-z", "-o", zone, "-f", f"{file}.signed", file)
        record = next(line for line in (self.work / f"{key}.key").read_text().splitlines() if not line.startswith(";"))
        return {"key": record, "ds": run("dnssec-dsfromkey", "-2", f"{key}.key").strip()}

    def end(self):
        self.child.kill()
        self.child.wait()
