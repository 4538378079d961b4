"""Piracy Shield's API, of the real command: what the test suite of its own server asks over HTTP is asked here (the cases
are its, the words are ours), and what an ISP's program does all day. A reviewer releases mock-website.com,
mock-website-two.com and 9.8.7.6 once our probe captured them; 1.1.1.1 and 2001:db8:: are reported, and never leave: not
in its lists, nor in the feed, nor in the zones. Where VIGIE_PIRACY_SHIELD_SUITE names a checkout of that server
(`fuckpiracyshield/api`), and this Python has pytest and requests, the suite itself is run as it stands, on the same
fixture. Run by `./test shield`, with VIGIE_BIN set, in a network of its own that has these addresses and no others."""

import hashlib
import http.client
import importlib.util
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from clearing_house import free_port

NAMES = ["mock-website.com", "mock-website-two.com"]
V4, V6 = ["9.8.7.6", "1.1.1.1"], ["2001:db8:3333:4444:5555:6666:7777:8888"]
REVOKE_S = 75
# Of that suite what asks over HTTP, and how many cases these are. The others hold its own library's validation.
SUITE = ("tests/test_0001_health.py", "tests/test_0002_errors.py", "tests/test_0003_authentication.py",
         "tests/02_reporter", "tests/03_provider")
SUITE_CASES = 19
# The order that its tickets name.
SUITE_ORDER = "7b3d774097ca477687f29ad0968833ac"
SUFFIX = "rpz.vigie.example"


def own_network():
    """Begins again in a network of its own: the addresses that are reported are this machine's there."""
    if os.environ.get("VIGIE_OWN_NETWORK") != "1":
        words = ["unshare", "--user", "--map-root-user", "--net", sys.executable, *sys.argv]
        os.execvpe("unshare", words, dict(os.environ, VIGIE_OWN_NETWORK="1"))
    for words in (["link", "set", "lo", "up"], *(["addr", "add", f"{ip}/32", "dev", "lo"] for ip in V4),
                  ["addr", "add", f"{V6[0]}/128", "dev", "lo"]):
        subprocess.run(["ip", *words], check=True)


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"<html>a portal</html>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def pages():
    for ip in V4:
        server = ThreadingHTTPServer((ip, 80), Page)
        threading.Thread(target=server.serve_forever, daemon=True).start()


def world():
    """A resolver for which every name is 9.8.7.6."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))

    def run():
        while True:
            query, sender = udp.recvfrom(1500)
            end = 12
            while query[end]:
                end += query[end] + 1
            is_a, question = query[end + 2] == 1, query[12 : end + 5]
            answer = query[:2] + b"\x85\x80\0\1" + (b"\0\1" if is_a else b"\0\0") + b"\0\0\0\0" + question
            if is_a:
                answer += b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + socket.inet_aton(V4[0])
            udp.sendto(answer, sender)

    threading.Thread(target=run, daemon=True).start()
    return udp.getsockname()[1]


class Answer:
    def __init__(self, answer):
        self.status, self.media, self.text = answer.status, answer.headers["Content-Type"], answer.read().decode()

    @property
    def json(self):
        return json.loads(self.text)

    def data(self):
        assert self.status == 200 and self.json["status"] == "success", (self.status, self.text)
        return self.json.get("data")

    def is_error(self, status, code=None):
        assert self.status == status and self.json["status"] == "error", (self.status, self.text)
        assert code is None or self.json["code"] == code, self.text


class Bench:
    def __init__(self, work):
        self.work, self.started = Path(work), []
        self.env = dict(os.environ, VIGIE_HOME=f"{work}/home", VIGIE_SHIELD=f"{work}/shield")
        self.env.pop("VIGIE_CASE", None)
        self.port, self.dns, self.web = free_port(), free_port(), free_port()

    def vigie(self, *words):
        done = subprocess.run([os.environ["VIGIE_BIN"], *words], cwd=self.work, env=self.env, capture_output=True, text=True)
        assert done.returncode == 0, (words, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def ask(self, method, path, token=None, body=None, form=None):
        call = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        data = json.dumps(body) if body is not None else form
        if data is not None:
            headers["Content-Type"] = "application/json" if form is None else "application/x-www-form-urlencoded"
        call.request(method, path, data, headers)
        return Answer(call.getresponse())

    def get(self, path, token=None, body=None):
        return self.ask("GET", "/api/v1" + path, token, body)

    def post(self, path, token=None, body=None, form=None):
        return self.ask("POST", "/api/v1" + path, token, body, form)

    def login(self, email, password):
        data = self.post("/authentication/login", body={"email": email, "password": password}).data()
        return data["access_token"], data["refresh_token"]

    def items(self, ticket):
        return json.loads(self.vigie("shield", "ticket", str(ticket), "--json"))["items"]


def until(what, check, most=30.0):
    begun = time.monotonic()
    while not check():
        assert time.monotonic() - begun < most, f"not within {most} s: {what}"
        time.sleep(0.05)


def houses(bench, order):
    """An authority with its parties, its clearing house, and whom its probe may ask."""
    vigie, shield = bench.vigie, lambda *words: bench.vigie("shield", *words)
    vigie("authority", "init", "authority.example")
    by = "root"
    for short, sector in (("authority", "authority"), ("court", "reviewer"), ("league", "rights_holder"), ("tower", "isp")):
        vigie("party", "add", short, "--name", short.title(), "--sector", sector, "--by", by)
        if short == "authority":
            vigie("party", "person", "vera", "--name", "Vera", "--organisation", short, "--by", by)
            vigie("party", "role", "vera", "operator", "--by", by)
            by = "vera"
    vigie("party", "person", "carl", "--name", "Carl", "--organisation", "court", "--by", by)
    vigie("party", "role", "carl", "reviewer", "--by", by)
    keys = {}
    for key, of, role in (("league-1", "league", "reporter"), ("tower-1", "tower", "isp"), ("court-1", "court", "reviewer")):
        keys[key] = vigie("party", "key", key, "--organisation", of, "--role", role, "--by", by).strip()
    shield("init", "shield")
    day = (datetime.now(timezone.utc) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%MZ")
    hosts = [word for host in (*NAMES, *(f"{ip}/32" for ip in V4)) for word in ("--host", f"{host}:*")]
    vigie("authorise", "--case", "shield", "--basis", "order 1/26", *hosts, "--method", "capture-page", "--method", "capture-address", "--rate", "600",
          "--until", day, "--signer", "Judge Example")
    # What the check knows of resolvers: their addresses are refused, whoever agrees.
    (bench.work / "resolvers.txt").write_text("1.1.1.1\n")
    shield("add", "resolvers.txt", "--class", "resolver", "--source", "test", "--date", "2026-11-01")
    shield("order", order, "--reporter", "league", "--right", "serie-a", "--until", day, "--as", "vera")
    return keys


def release(bench, ticket, values):
    """The reviewer: what our probe captured and the check let pass is looked at, and agreed to."""

    def held():
        return {item["value"]: item for item in bench.items(ticket) if item.get("stage") == "held" and "capture" in item}

    until(f"{values} are held", lambda: set(values) <= set(held()), 60)
    for value in values:
        item = held()[value]
        bench.vigie("shield", "approve", item["item"], "--capture", item["capture"], "--grounds", "the stream alone is there",
                    "--as", "carl")


def general(bench, keys):
    """Health, errors, signing in: cases 0001 to 0003."""
    bench.get("/ping").data()
    bench.ask("GET", "/fake/route").is_error(404, "1003")
    bench.get("/account/guest/create").is_error(405, "1004")
    bench.post("/account/guest/create", form="name=test").is_error(401, "1006")
    bench.post("/authentication/login", form="email=test%40fake.com").is_error(400)
    bench.post("/authentication/login", form="email=test%40fake.com&password=very_fake").is_error(400)
    bench.post("/authentication/login", body={"email": "test@fake.com", "password": "very_fake"}).is_error(400, "2001")
    bench.post("/authentication/refresh", form="refresh_token=non+valid+token").is_error(400)
    bench.post("/authentication/refresh", body={"refresh_token": "non valid token"}).is_error(400, "2002")
    access, refresh = bench.login("court-1@court.example", keys["court-1"])
    access = bench.post("/authentication/refresh", body={"refresh_token": refresh}).data()["access_token"]
    bench.get("/authentication/logout", access).data()
    bench.get("/ticket/get/all", access).is_error(401)


def ticket():
    return {"dda_id": "1/26/DDA", "description": "__MOCK_TICKET__", "forensic_evidence": {"hash": {"sha256": secrets.token_hex(32)}},
            "fqdn": NAMES, "ipv4": V4, "ipv6": V6}


def lists(bench, token):
    """Everything that an ISP's program fetches, each form held against the others."""
    found = {}
    for kind in ("fqdn", "ipv4", "ipv6"):
        values = bench.get(f"/{kind}/get/all", token).data()
        text = bench.get(f"/{kind}/get/all/txt", token)
        assert text.status == 200 and text.media.lower() == "text/plain; charset=utf-8", text.media
        assert text.text == "\n".join(values)
        checksum = bench.get(f"/{kind}/get/all/txt/checksum", token)
        if values:
            assert checksum.text == hashlib.sha256(text.text.encode()).hexdigest()
        else:
            checksum.is_error(400, "5011")
        found[kind] = values
    return found


def tickets(bench, keys):
    """A ticket that is taken back; one that stays, is released, and is blocked: cases 0201, 0305, 0306."""
    reporter, _ = bench.login("league-1@league.example", keys["league-1"])
    provider, _ = bench.login("tower-1@tower.example", keys["tower-1"])
    made = bench.post("/ticket/create", reporter, ticket()).data()
    time.sleep(1)
    assert bench.post("/ticket/remove", reporter, {"ticket_id": made["ticket_id"]}).data() is None
    until("it ended", lambda: all(item["stage"] == "ended" for item in bench.items(0)))

    begun = time.monotonic()
    made = bench.post("/ticket/create", reporter, ticket()).data()
    asked = {"ticket_id": made["ticket_id"]}
    release(bench, 1, [*NAMES, V4[0]])
    # In force by now, and in no list of this API before it can no longer be taken back.
    assert time.monotonic() - begun < REVOKE_S - 5, "too slow a machine"
    assert lists(bench, provider) == {"fqdn": [], "ipv4": [], "ipv6": []}
    bench.post("/ticket/get", provider, asked).is_error(400, "4017")
    bench.post("/ticket/item/set/processed", provider, {"value": NAMES[0]}).is_error(400, "5001")
    time.sleep(max(0.0, REVOKE_S + 1 - (time.monotonic() - begun)))
    bench.post("/ticket/remove", reporter, asked).is_error(400, "4015")
    blocked = {"fqdn": sorted(NAMES), "ipv4": [V4[0]], "ipv6": []}
    found = lists(bench, provider)
    assert {kind: sorted(values) for kind, values in found.items()} == blocked, found
    shown = bench.get("/ticket/get", provider, asked).data()
    assert sorted(shown["fqdn"]) == blocked["fqdn"] and shown["ipv4"] == [V4[0]] and shown["ipv6"] == [], shown

    done = lambda what, **body: bench.post(f"/ticket/item/set/{what}", provider, body)
    done("processed", value="1.2.3.4").is_error(400, "5001")
    done("processed", value=V4[1]).is_error(400, "5001")
    assert done("processed", value=NAMES[0]).data() is None
    assert done("unprocessed", value=NAMES[1], reason="ALREADY_BLOCKED").data() is None
    assert done("processed", value=V4[0]).data() is None
    states = {item["value"]: item["status"] for item in bench.post("/ticket/item/get/all", provider, asked).data()}
    assert states == {NAMES[0]: "processed", NAMES[1]: "unprocessed", V4[0]: "processed"}, states

    # What never leaves: a resolver, which the check refused, and an address that documents, which no probe asks for.
    stages = {item.get("value"): item["stage"] for item in bench.items(1)}
    assert V4[1] not in stages and stages[V6[0]] == "submitted", stages
    # An error ends its item at once, in every list.
    error = bench.post("/ticket/error/create", reporter, {"ticket_id": made["ticket_id"], "fqdn": [NAMES[1]]}).data()
    assert len(error["ticket_error_id"]) == 32
    until("it is open", lambda: lists(bench, provider)["fqdn"] == [NAMES[0]])


def never_left(bench):
    """In the feed and in the zones stands what was released, and nothing of what never leaves, however it is written."""
    files = [file for file in (bench.work / "feed").rglob("*") if file.is_file()]
    feed = b"\n".join(file.read_bytes() for file in files)
    zones = ["hot", *(f"cold-{n:x}" for n in range(16))]
    taken = "".join(
        subprocess.run(["dig", "@127.0.0.1", "-p", str(bench.dns), "+onesoa", "AXFR", f"{zone}.{SUFFIX}"], check=True,
                       capture_output=True, text=True, timeout=20).stdout for zone in zones)
    assert taken.count("SOA") == len(zones), taken
    # They are there, to be searched: what is in force stands in both.
    assert NAMES[0].encode() in feed and V4[0].encode() in feed, files
    assert f"{NAMES[0]}.cold-" in taken or f"{NAMES[0]}.hot." in taken, taken
    packed = [socket.inet_pton(socket.AF_INET, V4[1]), socket.inet_pton(socket.AF_INET6, V6[0])]
    for secret in (V4[1].encode(), V6[0].encode(), b"2001:db8:", b"2001:0db8", b"2001_db8", *packed[1:],
                   *(one.hex().encode() for one in packed)):
        assert secret not in feed, secret
        assert secret.decode("latin-1") not in taken, secret
    # An RPZ would write addresses so: none of any kind stands in a zone.
    assert "rpz-" not in taken.replace(SUFFIX, ""), taken


def suite(bench, keys, checkout):
    """That server's own tests, as they stand in a checkout that is not ours, against our command."""
    # What they ask of its library: where the server is.
    stand_in = bench.work / "stand-in/piracyshield_component"
    stand_in.mkdir(parents=True)
    (stand_in / "__init__.py").write_text("")
    (stand_in / "config.py").write_text(
        "class Config:\n    def __init__(self, name):\n        pass\n\n    def get(self, key):\n"
        f"        return {{'domain': 'http://127.0.0.1', 'port': {bench.port}}}\n")
    env = dict(os.environ, PYTHONPATH=f"{stand_in.parent}:{checkout}/tests", PYTHONDONTWRITEBYTECODE="1")
    for account, key in (("INTERNAL", "court-1@court.example"), ("REPORTER", "league-1@league.example"),
                         ("PROVIDER", "tower-1@tower.example")):
        env[f"PIRACYSHIELD_MOCK_{account}_EMAIL"] = key
        env[f"PIRACYSHIELD_MOCK_{account}_PASSWORD"] = keys[key.split("@")[0]]
    # Its second ticket stays, and waits its 76 s: meanwhile the reviewer looks at it.
    released = []

    def review():
        until("its second ticket is there", lambda: len(bench.vigie("shield", "tickets", "--json").splitlines()) == 2, 60)
        release(bench, 1, [*NAMES, V4[0]])
        released.append(True)

    reviewer = threading.Thread(target=review, daemon=True)
    reviewer.start()
    words = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", *SUITE]
    done = subprocess.run(words, cwd=checkout, env=env, capture_output=True, text=True, timeout=300)
    reviewer.join(5)
    assert done.returncode == 0 and f"{SUITE_CASES} passed" in done.stdout, done.stdout + done.stderr
    assert released
    provider, _ = bench.login("tower-1@tower.example", keys["tower-1"])
    found = lists(bench, provider)
    assert {kind: sorted(values) for kind, values in found.items()} == {"fqdn": sorted(NAMES), "ipv4": [V4[0]], "ipv6": []}
    print(f"Piracy Shield's own suite, as it stands in {checkout}: {done.stdout.strip().splitlines()[-1].strip('= ')}")


def on_a_house(order, course):
    """A clearing house of its own, served with all that tells anybody what is blocked."""
    with tempfile.TemporaryDirectory() as work:
        bench = Bench(work)
        keys = houses(bench, order)
        (bench.work / "dns.toml").write_text(f'listen = "127.0.0.1:{bench.dns}"\nsuffix = "{SUFFIX}"\n[[client]]\n'
                                             'name = "tower"\naddresses = ["127.0.0.0/8"]\n')
        log = open(bench.work / "serve.log", "w")
        words = ["serve", "--shield", "shield", "--resolver", f"127.0.0.1:{world()}", "--piracy-shield-listen",
                 f"127.0.0.1:{bench.port}", "--feed", "feed", "--feed-listen", f"127.0.0.1:{bench.web}", "--dns", "dns.toml"]
        serving = subprocess.Popen([os.environ["VIGIE_BIN"], *words], cwd=bench.work, env=bench.env, stdout=log, stderr=log)
        said = lambda: (bench.work / "serve.log").read_text()
        try:
            until("it runs", lambda: f"Piracy Shield's API at http://127.0.0.1:{bench.port}/api/v1." in said()
                  and "Zones under" in said())
            course(bench, keys)
            never_left(bench)
            serving.terminate()
            assert serving.wait(20) == 0
            assert "authority.example/shield holds" in bench.vigie("verify", "shield")
        except BaseException:
            print("--- serve\n" + said()[-4000:])
            raise
        finally:
            if serving.poll() is None:
                serving.kill()
                serving.wait()


def ours(bench, keys):
    general(bench, keys)
    tickets(bench, keys)


def main():
    own_network()
    pages()
    checkout = os.environ.get("VIGIE_PIRACY_SHIELD_SUITE")
    if checkout:
        assert (Path(checkout) / "tests/base.py").exists(), f"{checkout} is no checkout of fuckpiracyshield/api"
        for need in ("pytest", "requests"):
            assert importlib.util.find_spec(need), f"{sys.executable} has no {need}: python3 -m pip install pytest requests"
        on_a_house(SUITE_ORDER, lambda bench, keys: suite(bench, keys, Path(checkout).resolve()))
    else:
        print("Piracy Shield's own suite is NOT run: VIGIE_PIRACY_SHIELD_SUITE names no checkout of it (docs/piracy-shield.md)")
    on_a_house("1/26/DDA", ours)
    print("Piracy Shield's own HTTP cases, in our words, pass; 1.1.1.1 and 2001:db8:: never left, by lists, feed or zones")


if __name__ == "__main__":
    main()
