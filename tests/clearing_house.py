"""The clearing house from end to end, with real resolvers: a practice stream is reported, captured, checked, released,
blocked at a real Unbound and a real BIND, objected to, lifted; the server is killed and loses nothing; a stop empties
the lists and two persons resume. Run by `./test shield`, with VIGIE_BIN set. All of it on loopback."""

import hashlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import zlib
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

# BIND listens on what an interface has, and loopback has but one.
UNBOUND, BIND, OURS = "127.0.11.2", "127.0.0.1", "127.0.11.1"
SUFFIX = "rpz.vigie.example"
SOON = 12.0
# No secrets: they are keys of a clearing house that lives for a minute.
FIRST_KEY, SECOND_KEY = ("A" * 42 + "E=", "B" * 42 + "E=")


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Stream(BaseHTTPRequestHandler):
    """A playlist with one segment of a transport stream without a picture; or a page; or nothing any more."""

    gone = False

    def do_GET(self):
        page = b"<html>a portal</html>"
        playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\ns.ts\n"
        segment = (b"\x47\x40\x00\x10" + b"\0" * 184) * 50
        body = playlist if self.path.endswith(".m3u8") else segment if self.path.endswith(".ts") else page
        self.send_response(404 if Stream.gone else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


TEXTS = {}


def world(addresses=1, ttl=1):
    """A resolver for which every name is 127.0.0.1, or each has one of so many addresses of loopback, always the same, for
    so many seconds; at a free port of loopback. It shows `TEXTS`."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))

    def run():
        while True:
            query, sender = udp.recvfrom(1500)
            end = 12
            while query[end]:
                end += query[end] + 1
            is_a, question = query[end + 2] == 1, query[12 : end + 5]
            text = TEXTS.get(query[12:end]) if query[end + 2] == 16 else None
            answer = query[:2] + b"\x85\x80\0\1" + (b"\0\1" if is_a or text else b"\0\0") + b"\0\0\0\0" + question
            if text:
                answer += b"\xc0\x0c\0\x10\0\1\0\0\0\0" + bytes([0, len(text) + 1, len(text)]) + text
            if is_a:
                of = zlib.crc32(query[12:end]) % addresses
                answer += b"\xc0\x0c\0\1\0\1" + ttl.to_bytes(4, "big") + b"\0\4" + bytes([127, 0, of // 250, of % 250 + 1])
            udp.sendto(answer, sender)

    threading.Thread(target=run, daemon=True).start()
    return udp.getsockname()[1]


class Bench:
    def __init__(self, work):
        self.work = Path(work)
        self.started = []
        self.env = dict(os.environ, VIGIE_HOME=f"{work}/home", VIGIE_SHIELD=f"{work}/shield")
        self.env.pop("VIGIE_CASE", None)

    def vigie(self, *words, code=0):
        done = subprocess.run([os.environ["VIGIE_BIN"], *words], cwd=self.work, env=self.env, capture_output=True, text=True)
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done.stdout if code == 0 else done.stderr

    def start(self, name, *words):
        log = open(self.work / f"{name}.log", "a")
        process = subprocess.Popen(words, cwd=self.work, env=self.env, stdout=log, stderr=log)
        self.started.append(process)
        return process

    def end(self):
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.wait()

    def items(self, ticket):
        return json.loads(self.vigie("shield", "ticket", str(ticket), "--json"))["items"]

    def stage(self, ticket, place=0):
        return self.items(ticket)[place]["stage"]


@contextmanager
def logs(work):
    """What the programs said in folders of a place, where a test breaks off."""
    try:
        yield
    except BaseException:
        for log in sorted(Path(work).glob("*/*.log")):
            print(f"--- {log.parent.name}: {log.name}\n" + log.read_text()[-4000:])
        raise


def until(what, check, most=SOON):
    begun = time.monotonic()
    while not check():
        assert time.monotonic() - begun < most, f"not within {most} s: {what}"
        time.sleep(0.01)
    return time.monotonic() - begun


def rcode(server, port, name, kind=1):
    """The answer's code to one question over UDP; None where none comes in time."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    query = os.urandom(2) + b"\1\0\0\1\0\0\0\0\0\0" + labels + b"\0" + bytes([0, kind, 0, 1])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(2)
        udp.sendto(query, (server, port))
        try:
            return udp.recv(1500)[3] & 15
        except TimeoutError:
            return None


def fetched(port, path, key):
    call = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    call.request("GET", path, headers={"Authorization": f"Bearer {key}"} if key else {})
    answer = call.getresponse()
    return answer.status, answer.read()


def resolvers(bench, port, feed, upstream):
    zones = ["hot"] + [f"cold-{n:x}" for n in range(16)]
    rpz = "".join(f"rpz:\n name: {z}.{SUFFIX}\n primary: {OURS}@{feed}\n allow-notify: {OURS}\n" for z in zones)
    (bench.work / "unbound.conf").write_text(
        f'server:\n do-daemonize: no\n use-syslog: no\n directory: "{bench.work}"\n chroot: ""\n username: ""\n'
        f' pidfile: ""\n interface: {UNBOUND}@{port}\n access-control: 127.0.0.0/8 allow\n'
        ' do-not-query-localhost: no\n module-config: "respip iterator"\nremote-control:\n control-enable: no\n'
        f"forward-zone:\n name: .\n forward-addr: 127.0.0.1@{upstream}\n{rpz}"
    )
    bench.start("unbound", "unbound", "-d", "-c", "unbound.conf")
    slaves = "".join(
        f'zone "{z}.{SUFFIX}" {{ type secondary; primaries {{ {OURS} port {feed}; }}; allow-notify {{ {OURS}; }};'
        f' file "{z}.zone"; masterfile-format text; allow-query {{ none; }}; }};\n'
        for z in zones
    )
    policies = " ".join(f'zone "{z}.{SUFFIX}" policy given;' for z in zones)
    (bench.work / "named.conf").write_text(
        f'options {{ directory "{bench.work}"; listen-on port {port} {{ {BIND}; }}; listen-on-v6 {{ none; }};'
        f" query-source address {BIND}; transfer-source {BIND}; serial-query-rate 1000;"
        f" forwarders {{ 127.0.0.1 port {upstream}; }}; forward only; dnssec-validation no; recursion yes;"
        ' allow-query { any; }; pid-file none; session-keyfile none;'
        f" response-policy {{ {policies} }} break-dnssec yes qname-wait-recurse no min-update-interval 0; }};\n"
        f"controls {{ }};\n{slaves}"
    )
    bench.start("named", "named", "-g", "-c", "named.conf")
    for server in (UNBOUND, BIND):
        until(f"{server} answers", lambda: rcode(server, port, "open.example") == 0, 30)


def on_a_bench(course, logs):
    """Runs a course in a folder of its own, and shows the ends of these logs where it breaks off."""
    with tempfile.TemporaryDirectory() as work:
        bench = Bench(work)
        try:
            course(bench)
        except BaseException:
            for name in logs:
                log = bench.work / f"{name}.log"
                print(f"--- {name}\n" + (log.read_text()[-4000:] if log.exists() else "no log"))
            raise
        finally:
            bench.end()


def course(bench):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stream)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stream, upstream, port, feed, web = server.server_port, world(), free_port(), free_port(), free_port()
    vigie, shield = bench.vigie, lambda *words, code=0: bench.vigie("shield", *words, code=code)

    # Who deals with the authority.
    vigie("authority", "init", "authority.example")
    for short, sector in (("authority", "authority"), ("league", "rights_holder"), ("clinic", "other"), ("tower", "isp")):
        by = ["--by", "root"]
        vigie("party", "add", short, "--name", short.title(), "--sector", sector, *by)
    for person, of, role in (("vera", "authority", "operator"), ("lea", "league", "reporter"), ("ivo", "tower", "isp")):
        vigie("party", "person", person, "--name", person.title(), "--organisation", of, "--by", "root" if person == "vera" else "vera")
        vigie("party", "role", person, role, "--by", "root" if person == "vera" else "vera")
    vigie("party", "person", "olga", "--name", "Olga", "--organisation", "clinic", "--by", "vera")

    # The clearing house, whom its probe may ask, and what its check knows.
    shield("init", "shield")
    day = (datetime.now(timezone.utc) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%MZ")
    two_hours = (datetime.now(timezone.utc) + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%MZ")
    vigie("authorise", "--case", "shield", "--basis", "order 7/26", "--host", "*.stream.example:*", "--host", "127.0.0.0/8:*",
          "--method", "capture-page", "--method", "capture-playlist", "--rate", "600", "--until", day, "--signer", "Judge Example")
    (bench.work / "popular.txt").write_text("news.example\nmail.example\n")
    shield("add", "popular.txt", "--class", "popular", "--source", "test", "--date", "2026-11-01")
    (bench.work / "dns.toml").write_text(
        f'listen = "{OURS}:{feed}"\nsuffix = "{SUFFIX}"\n[[client]]\nname = "tower"\naddresses = ["127.0.0.0/8"]\n'
        f'notify = ["{UNBOUND}:{port}", "{BIND}:{port}"]\n'
        '[[client]]\nname = "keyed"\n[[client.key]]\nname = "keyed"\nsecret = "keyed.tsig"\n'
    )
    (bench.work / "keyed.tsig").write_text(FIRST_KEY)
    (bench.work / "notices.toml").write_text('from = "desk@authority.example"\ncontacts = "contacts.toml"\n')
    (bench.work / "contacts.toml").write_text('[[contact]]\nname = "Host"\nemail = "abuse@host.example"\n'
                                              'language = "it"\nfor = ["127.0.0.0/8"]\n')
    serve = [os.environ["VIGIE_BIN"], "serve", "--shield", "shield", "--dns", "dns.toml", "--practice", "--notices", "notices.toml",
             "--feed", "feed", "--feed-listen", f"127.0.0.1:{web}", "--resolver", f"127.0.0.1:{upstream}"]
    serving = bench.start("serve", *serve)
    log = bench.work / "serve.log"
    until("the clearing house runs", lambda: "Zones under" in log.read_text())
    resolvers(bench, port, feed, upstream)

    def codes(name):
        return [rcode(server, port, name) for server in (UNBOUND, BIND)]

    def times(name, code):
        return [until(f"{name} is {code} at {server}", lambda: rcode(server, port, name) == code) for server in (UNBOUND, BIND)]

    # From a report to a block: nobody but the probe has a say in what is evidence.
    shield("order", "7/26", "--reporter", "league", "--right", "serie-a", "--until", day, "--as", "vera")
    shield("event", "final", "--order", "7/26", "--until", two_hours, "--as", "lea")
    url = f"http://tv.stream.example:{stream}/live.m3u8"
    assert codes("tv.stream.example") == [0, 0]
    report = ["report", "--order", "7/26", "--event", "final", "--work", "serie-a", "--as", "lea"]
    said = shield(*report, url, "news.example", "*.wild.example", url)
    assert "0/0  tv.stream.example" in said and "line 3 is left out: a wildcard" in said and "the same as line 1" in said, said
    until("it is in force", lambda: bench.stage(0) == "in_force")
    blocked = times("tv.stream.example", 3)
    for open_name in ("stream.example", "x.tv.stream.example", "other.stream.example"):
        assert codes(open_name) == [0, 0], open_name
    looked = json.loads(shield("look", "--json", "tv.stream.example"))
    assert looked["blocked"] and looked["order"] == "7/26", looked
    # What is popular is refused once a probe saw it; nothing was captured of it here, so it waits.
    assert bench.stage(0, 1) == "submitted"

    # Its host is written to, found by where the probe saw it; by hand, as no relay is configured.
    until("a letter waits", lambda: shield("notice", "list", "--json"))
    letter = json.loads(shield("notice", "list", "--json"))
    assert (letter["item"], letter["to"]) == ("0/0", "abuse@host.example"), letter
    message = (bench.work / letter["file"]).read_text()
    assert "Subject: Avviso: tv.stream.example e ordine 7/26 [0/0]" in message, message
    assert "may not" in shield("notice", "sent", "0/0", "--as", "lea", code=2)
    shield("notice", "sent", "0/0", "--as", "vera")
    assert not shield("notice", "list", "--json") and "is asked for" in shield("notice", "sent", "0/0", "--as", "vera", code=2)

    # A figure of the policy.
    assert "may not" in shield("figure", "objection_event_ms", "1800000", "--grounds", "x", "--as", "lea", code=2)
    assert json.loads(shield("figure", "objection_event_ms", "1800000", "--grounds", "half an hour", "--as", "vera", "--json"))["objection_event_ms"] == 1800000
    assert "objection" in shield("figure", "objection", "5", "--grounds", "x", "--as", "vera", code=2)

    # Who may not, does not.
    assert "may not" in shield("lift", "0/0", "--grounds", "x", "--as", "ivo", code=2)
    assert "nobody is registered" in shield("lift", "0/0", "--grounds", "x", "--as", "mallory", code=2)
    assert "may not" in shield("order", "8/26", "--reporter", "league", "--right", "a", "--until", day, "--as", "lea", code=2)

    # A page alone waits for a second person, of another organisation.
    page = f"http://portal.stream.example:{stream}/"
    shield(*report, page)
    until("it is held", lambda: bench.stage(1) == "held")
    item = bench.items(1)[0]
    assert "page" in item["holds"], item
    assert "may not" in shield("approve", "1/0", "--capture", item["capture"], "--as", "lea", code=2)
    shield("approve", "1/0", "--capture", item["capture"][:12], "--as", "vera")
    times("portal.stream.example", 3)

    # Killed in the midst: what was acknowledged is there, the epoch is the next, and the lists go on.
    serving.send_signal(signal.SIGKILL)
    serving.wait()
    assert bench.stage(0) == "in_force"
    assert codes("tv.stream.example") == [3, 3]
    # Without a server the folder's holder acts by the log itself.
    shield("lift", "1/0", "--grounds", "a fan page", "--as", "vera")
    serving = bench.start("serve", *serve)
    until("it runs again", lambda: log.read_text().count("Zones under") == 2)
    assert "epoch 2, 1 block in force" in log.read_text(), log.read_text()
    times("portal.stream.example", 0)
    assert codes("tv.stream.example") == [3, 3]

    # Somebody who is hit objects; a reviewer decides.
    (bench.work / "proof.txt").write_text("we are a clinic")
    objection = ["object", "tv.stream.example", "--statement", "proof.txt", "--as", "olga"]
    given = json.loads(shield(*objection, "--json"))
    assert given["places"][0] == {"way": "dns", "at": "_vigie-challenge.tv.stream.example"}, given
    token = ["--token", given["token"]]
    assert "nothing stands there yet" in shield(*objection, *token, code=2)
    TEXTS[b"\x10_vigie-challenge\2tv\6stream\7example"] = given["token"].encode()
    said = shield(*objection, *token)
    proof = re.search(r"proof ([0-9a-f]{10})", said).group(1)
    assert "taken already" in shield(*objection, *token, code=2)
    shield("decide", "0/0", "--proof", proof, "--upheld", "item", "--grounds", "it is", "--as", "vera")
    lifted = times("tv.stream.example", 0)
    assert not json.loads(shield("look", "--json", "tv.stream.example"))["blocked"]

    # Reported again it is blocked again, once a person agreed: it was lifted for harm before.
    shield(*report, url)
    until("it is held", lambda: bench.stage(2) == "held")
    assert "lifted" in bench.items(2)[0]["holds"]
    shield("approve", "2/0", "--capture", bench.items(2)[0]["capture"], "--as", "vera")
    times("tv.stream.example", 3)

    # One act stops everything and opens it; two persons of two organisations resume.
    shield("stop", "all", "--lift", "--grounds", "a clinic is blocked", "--as", "vera")
    stopped = times("tv.stream.example", 0)
    assert bench.stage(2) == "in_force"
    shield("resume", "all", "--grounds", "mended", "--as", "vera")
    assert codes("tv.stream.example") == [0, 0]
    vigie("party", "add", "court", "--name", "Court", "--sector", "reviewer", "--by", "vera")
    vigie("party", "person", "carl", "--name", "Carl", "--organisation", "court", "--by", "vera")
    vigie("party", "role", "carl", "reviewer", "--by", "vera")
    shield("resume", "all", "--grounds", "looked at", "--as", "carl")
    times("tv.stream.example", 3)

    # An exception that is approved lifts what it covers, and nothing it covers is taken again.
    shield("except", "*.stream.example", "--grounds", "their own", "--as", "ivo")
    shield("except", "*.stream.example", "--approve", "--as", "vera")
    times("tv.stream.example", 0)
    assert "an approved exception covers it" in shield(*report, url, "else.example") and bench.stage(2) == "ended"

    # Revoked, what it covered is taken again; and the end of the order ends what rests on it. Harm is reported by
    # whoever is hit, without proof.
    shield("except", "*.stream.example", "--revoke", "--grounds", "sold", "--as", "vera")
    shield(*report, f"http://last.stream.example:{stream}/live.m3u8")
    last = json.loads(shield("tickets", "--json").splitlines()[-1])["ticket"]
    # Its reporter erred before: a second person looks.
    until("it is held", lambda: bench.stage(last) == "held")
    shield("approve", f"{last}/0", "--capture", bench.items(last)[0]["capture"], "--as", "vera")
    times("last.stream.example", 3)
    shield("harm", "last.stream.example", "--network", "64496", "--as", "olga")
    assert "may not" in shield("order-end", "7/26", "--grounds", "x", "--as", "lea", code=2)
    ended = json.loads(shield("order-end", "7/26", "--grounds", "set aside", "--as", "vera", "--json"))
    assert ended["ended"] and ended["items"] >= 1, ended
    times("last.stream.example", 0)
    assert json.loads(shield("order-end", "7/26", "--grounds", "again", "--as", "vera", "--json")) == {"ended": False, "items": 0, "left": 0}
    shield(*report, url, code=2)

    # The feed is there as files too, named by what they hold, under the feed's own key; nobody who asked is in them.
    manifest = (bench.work / "feed/all/manifest").read_text()
    assert manifest.startswith("authority.example/shield/feed\nview all\nepoch 2\n"), manifest
    for line in manifest.splitlines():
        if line.startswith(("snapshot ", "delta ")):
            size, name = line.split(" ")[-2:]
            body = (bench.work / "feed/all/files" / name).read_bytes()
            assert len(body) == int(size) and hashlib.sha256(body).hexdigest() == name, line
            assert b"league" not in body and b"lea" not in body.replace(b"leaves", b""), body
    # A key for transfers is replaced while all goes on: the old one is struck off, the others notice nothing.
    def transfers(key):
        asked = ["kdig", f"@{OURS}", "-p", str(feed), "-y", f"hmac-sha256:keyed:{key}", f"hot.{SUFFIX}", "AXFR"]
        return bool(re.search(r"\sSOA\s", subprocess.run(asked, capture_output=True, text=True).stdout))
    assert transfers(FIRST_KEY) and not transfers(SECOND_KEY)
    (bench.work / "keyed.tsig").write_text("no key at all")
    serving.send_signal(signal.SIGHUP)
    until("a file that is no key is said", lambda: "the zones' clients stay what they were: " in log.read_text())
    assert transfers(FIRST_KEY)
    (bench.work / "keyed.tsig").write_text(SECOND_KEY)
    serving.send_signal(signal.SIGHUP)
    until("the second key is good", lambda: transfers(SECOND_KEY))
    assert not transfers(FIRST_KEY) and "2 clients may take the zones from now on" in log.read_text()
    # Over HTTP it is read by whom an ISP's key was issued, and by nobody else.
    secret = vigie("party", "key", "tower-1", "--organisation", "tower", "--role", "isp", "--by", "vera").strip()
    other = vigie("party", "key", "league-1", "--organisation", "league", "--role", "reporter", "--by", "vera").strip()
    time.sleep(1.5)
    got = lambda path, key: fetched(web, path, key)
    assert got("/feed/all/manifest", secret)[0] == 200 and got("/feed/all/manifest", secret)[1].startswith(b"authority.example/shield/feed\n")
    for key in (None, "vsk_" + "0" * 64, other):
        assert got("/feed/all/manifest", key)[0] in (401, 403, 404), key
    until("the list is written", lambda: got("/feed/all/list.txt", secret)[0] == 200)
    vigie("party", "revoke", "tower-1", "--reason", "lost", "--by", "vera")
    until("the key is revoked", lambda: got("/feed/all/manifest", secret)[0] in (401, 403, 404))

    beat = re.search("beat ([0-9]+)", manifest).group(1)
    until("a heartbeat", lambda: f"\nbeat {beat}\n" not in (bench.work / "feed/all/manifest").read_text())

    serving.send_signal(signal.SIGTERM)
    assert serving.wait(20) == 0
    said = vigie("verify", "shield")
    assert "authority.example/shield holds" in said, said
    rows = vigie("shield", "tickets").splitlines()
    assert len(rows) == 5, rows
    seconds = lambda pair: "Unbound {:.3f} s, BIND {:.3f} s".format(*pair)
    print(f"blocked: {seconds(blocked)} after it was in force; opened: {seconds(lifted)} after the objection was upheld, "
          f"{seconds(stopped)} after the stop")


if __name__ == "__main__":
    on_a_bench(course, ("serve", "unbound", "named"))
