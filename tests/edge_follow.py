"""`vigie edge follow` between a real clearing house and `vigie edge keep` with a real Unbound and a real BIND (and, where
somebody dies, a real PowerDNS recursor and Knot Resolver), with the settings of docs/edge: what is released is blocked, what is lifted open; whoever dies, names open in time; a mirror that
tampers, cuts off, plays back or stands still is refused with an alarm, and what stood stands. Run by `./test shield`,
with VIGIE_BIN set. All of it on loopback, as root on that of a network namespace of its own."""

import json
import os
import re
import signal
import statistics
import subprocess
import tempfile
import threading
import time
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import clearing_house
import edge_keep
from clearing_house import Stream, free_port, logs, until, world
from edge_keep import DOCS, blocked, opened
from spaces import own_network
from units import Supervisor, Unit

# Of the feed, before all is let go of. While an event runs a heartbeat comes each second.
SILENCE = 20


class Mirror(BaseHTTPRequestHandler):
    """The feed's folder, as a plain web server would have it, and what such a server may do to it."""

    folder, mode, kept = None, "pass", {}

    def do_GET(self):
        path = Mirror.folder / self.path.removeprefix("/feed/")
        try:
            body = path.read_bytes()
        except OSError:
            return self.send_error(404)
        mode = Mirror.mode
        if path.name == "manifest":
            if mode == "rollback":
                body = Mirror.kept["manifest"]
            elif mode == "freeze":
                body = Mirror.kept.setdefault("frozen", body)
            elif mode == "tamper":
                body = body.replace(b"\ncount ", b"\ncount 1", 1)
        elif mode == "file":
            # One digit of one block's salt, or of a hash.
            at = body.rindex(b'"}\n') - 3
            body = body[:at] + (b"0" if body[at : at + 1] != b"0" else b"1") + body[at + 1 :]
        elif mode == "truncate":
            body = body[: len(body) // 2]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class House(clearing_house.Bench):
    """A clearing house with one reporter, two ISPs and an event that runs; `more` is what it serves besides."""

    more, patience = (), 30
    # Beside its own names and loopback: what its probe may ask, and how.
    hosts = ()

    def begin(self, stream, upstream):
        vigie, shield = self.vigie, self.shield
        self.stream, self.upstream, self.web = stream, upstream, free_port()
        # A certificate of its own, which only who was given it takes.
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", "tls.key", "-out", "tls.pem", "-days", "2", "-subj", "/CN=clearing", "-addext",
                        "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"],
                       cwd=self.work, check=True, capture_output=True)
        vigie("authority", "init", "authority.example")
        for short, sector in (("authority", "authority"), ("league", "rights_holder"), ("tower", "isp"), ("cable", "isp"),
                              ("jury", "other")):
            vigie("party", "add", short, "--name", short.title(), "--sector", sector, "--by", "root")
        for person, of, role, by in (("vera", "authority", "operator", "root"), ("lea", "league", "reporter", "vera"),
                                     ("ray", "jury", "reviewer", "vera")):
            vigie("party", "person", person, "--name", person.title(), "--organisation", of, "--by", by)
            vigie("party", "role", person, role, "--by", by)
        shield("init", "shield")
        day, hours = self.later(days=1), self.later(hours=2)
        vigie("authorise", "--case", "shield", "--basis", "order 7/26", "--host", "*.stream.example:*", "--host",
              "127.0.0.0/8:*", *self.hosts, "--method", "capture-page", "--method", "capture-playlist", "--rate", "600", "--until",
              day, "--signer", "Judge Example")
        (self.work / "popular.txt").write_text("news.example\nmail.example\n")
        shield("add", "popular.txt", "--class", "popular", "--source", "test", "--date", "2026-11-01")
        assert "no feed yet" in vigie("edge", "trust", code=2)
        self.serving = None
        self.serve()
        shield("order", "7/26", "--reporter", "league", "--right", "serie-a", "--until", day, "--as", "vera")
        shield("event", "final", "--order", "7/26", "--until", hours, "--as", "lea")
        self.key = vigie("party", "key", "tower-1", "--organisation", "tower", "--role", "isp", "--by", "vera")
        self.keys = {"all": self.key, "tower": self.key}
        self.keys["cable"] = vigie("party", "key", "cable-1", "--organisation", "cable", "--role", "isp", "--by", "vera")
        self.trust = vigie("edge", "trust")
        self.tickets = 0

    @staticmethod
    def later(**much):
        return (datetime.now(timezone.utc) + timedelta(**much)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def shield(self, *words, code=0):
        return self.vigie("shield", *words, code=code)

    def serve(self):
        log = self.work / "serve.log"
        before = log.read_text().count("The feed at") if log.exists() else 0
        self.serving = self.start("serve", os.environ["VIGIE_BIN"], "serve", "--shield", "shield", "--practice", "--feed",
                                  "feed", "--feed-listen", f"127.0.0.1:{self.web}", "--tls-cert", "tls.pem", "--tls-key",
                                  "tls.key", "--resolver", f"127.0.0.1:{self.upstream}", *self.more)
        until("the clearing house runs", lambda: log.read_text().count("The feed at") > before, self.patience)

    def release(self, name, *more):
        """Reports a stream, and waits until it is in force; its ticket."""
        how = more or ("--event", "final")
        self.shield("report", "--order", "7/26", *how, "--work", "serie-a", "--as", "lea",
                    f"http://{name}:{self.stream}/live.m3u8")
        ticket, self.tickets = self.tickets, self.tickets + 1
        until(f"{name} is in force", lambda: self.stage(ticket) == "in_force", 20)
        return ticket

    def lift(self, ticket):
        self.shield("lift", f"{ticket}/0", "--grounds", "a test", "--as", "vera")


class Follows:
    """What a bench of `edge_keep` has beside its keep; `view` is what it follows."""

    view = "all"

    def settle(self, house, mirrors):
        text = (DOCS / "follow.toml.example").read_text()
        head, rest = text.split("# Where the feed is to be had", 1)
        for old, new in (('view = "all"', f'view = "{self.view}"'), ("/run/vigie-keep", str(self.run)), ("/var/lib/vigie-follow", str(self.work / "state")),
                         ("silence_s = 900", f"silence_s = {SILENCE}")):
            assert head.count(old) == 1, old
            head = head.replace(old, new)
        (self.work / "follow.key").write_text(house.keys[self.view])
        (self.work / "follow.key").chmod(0o600)
        url = 'url = "https://clearing.authority.example:8485/feed"\nkey_file = "follow.key"'
        assert rest.count(url) == 1
        real = (f'url = "https://127.0.0.1:{house.web}/feed"\nkey_file = "follow.key"\n'
                f'ca_file = "{house.work}/tls.pem"')
        named = "\n[[mirror]]\n".join(real if mirror == "real" else f'url = "{mirror}"' for mirror in mirrors)
        rest = rest.replace(url, named).split("[trust]")[0]
        (self.work / "follow.toml").write_text(f"{head}#{rest}{house.trust}")

    def follow(self):
        self.start("follow", *Unit(self.work, "vigie-follow.service").start())

    def status(self):
        done = subprocess.run([os.environ["VIGIE_BIN"], "edge", "follow", "--config", "follow.toml", "--status", "--json"],
                              cwd=self.work, capture_output=True, text=True)
        return json.loads(done.stdout) if done.returncode == 0 else {"alarms": [], "serial": -1, "at": 0}

    def alarms(self):
        return {alarm["word"] for alarm in self.status()["alarms"]}

    def says(self, what):
        return what in (self.work / "follow.log").read_text()


class UnboundIsp(Follows, edge_keep.Unbound):
    pass


class BindIsp(Follows, edge_keep.Bind):
    pass


class RecursorIsp(Follows, edge_keep.PowerDns):
    pass


class KnotIsp(Follows, edge_keep.Knot):
    pass


class Tower(UnboundIsp):
    view = "tower"


class Cable(BindIsp):
    view = "cable"


def edge_status(isp):
    """How its keep stands."""
    return json.loads(edge_keep.vigie(isp, "status", "--json"))


def everywhere(isps, what, check, most):
    """How long it takes at each, from now."""
    begun, left, took = time.monotonic(), set(isps), {}
    while left:
        for isp in list(left):
            if check(isp):
                took[isp.name] = time.monotonic() - begun
                left.discard(isp)
        assert time.monotonic() - begun < most, f"not within {most} s: {what} at {[isp.name for isp in left]}"
        time.sleep(0.005)
    return took


def measured(what, times):
    for name in times[0]:
        middle = statistics.median(one[name] for one in times)
        print(f"measured: {name}: {what}: {middle * 1000:.0f} ms")


def course(house, isps, others, mirror):
    for isp in isps:
        isp.settle(house, ["real"])
        isp.keep()
        isp.resolver()
        isp.follow()
    # What is in force is blocked, what is lifted open.
    first = house.release("first.stream.example")
    everywhere(isps, "the first is blocked", lambda isp: blocked(isp, "first.stream.example"), 30)
    times = {"released, blocked": [], "lifted, open": []}
    for n in range(3):
        name = f"tv{n}.stream.example"
        ticket = house.release(name)
        times["released, blocked"].append(everywhere(isps, name, lambda isp: blocked(isp, name), 5))
        assert all(opened(isp, f"x.{name}") and opened(isp, "stream.example") for isp in isps)
        house.lift(ticket)
        times["lifted, open"].append(everywhere(isps, name, lambda isp: opened(isp, name), 5))
    for what, all_ in times.items():
        measured(what, all_)
    for isp in isps:
        until("all is told", lambda: isp.status().get("names") == 1 and isp.status()["keep"]["all_told"])
        status = isp.status()
        assert status["whole"] and status["names"] == 1 and not status["alarms"] and status["epoch"] == 1, status
        assert not isp.says("ALARM")
    wrong_ways(house, isps[0])
    own_views(house, isps)

    for isp in others:
        isp.settle(house, ["real"])
        isp.keep()
        isp.resolver()
        isp.follow()
    deaths(house, [*isps, *others])
    for isp in others:
        for name in ("follow", "keep", "resolver"):
            isp.kill(name)

    # The resolver is killed: its blocks are back.
    for isp in isps:
        isp.kill("resolver")
        isp.resolver()
    everywhere(isps, "the resolver is back", lambda isp: blocked(isp, "first.stream.example"), 30)

    bad_mirrors(house, isps, mirror)

    # The clearing house is killed: a new epoch is taken, and what it lifts opens.
    house.serving.send_signal(signal.SIGKILL)
    house.serving.wait()
    house.serve()
    everywhere(isps, "the new epoch is taken", lambda isp: isp.status().get("epoch") == 3, 40)
    assert all(blocked(isp, "first.stream.example") for isp in isps)
    stopped(house, isps)
    house.lift(first)
    everywhere(isps, "it is lifted in the new epoch", lambda isp: opened(isp, "first.stream.example"), 10)
    # An orderly end of both says so.
    for isp in isps:
        assert isp.kill("follow", signal.SIGTERM) == 0
        assert isp.kill("keep", signal.SIGTERM) == 0


def deaths(house, isps):
    """At each sort of resolver: keep, follow or both by `kill -9`, under keep's own unit. All is open in time, and blocked
    again when they are back."""
    first, sorts = "first.stream.example", len(isps)
    everywhere(isps, "it is blocked", lambda isp: blocked(isp, first), 30)
    # keep is killed and back at once: it is told all anew.
    for isp in isps:
        isp.kill("keep")
        isp.keep()
    again = everywhere(isps, "keep is told anew", lambda isp: edge_status(isp)["out"] == 1, 30)
    measured("keep killed, told anew", [again])
    everywhere(isps, "it is blocked again", lambda isp: blocked(isp, first), 30)

    # follow is killed: what it told ends by its own clocks; its name's own end comes before the feed's silence.
    house.release("brief.stream.example", "--until", house.later(seconds=16))
    begun = time.monotonic()
    everywhere(isps, "the brief one is blocked", lambda isp: blocked(isp, "brief.stream.example"), 7)
    for isp in isps:
        isp.kill("follow")
    killed = time.monotonic()
    everywhere(isps, "the brief one is open", lambda isp: opened(isp, "brief.stream.example"), 16 + 30)
    print(f"measured: all {sorts}: open {time.monotonic() - begun:.1f} s after a release of 16 s, follow dead")
    assert all(blocked(isp, first) for isp in isps) or time.monotonic() - killed >= SILENCE - 2
    everywhere(isps, "silence opens the rest", lambda isp: opened(isp, first), SILENCE + 5)
    assert SILENCE - 4 <= time.monotonic() - killed, "it opened too early"
    for isp in isps:
        isp.follow()
    everywhere(isps, "follow is back", lambda isp: blocked(isp, first), 10)

    # keep alone, then both, and neither is back: the unit's own lines open Unbound and PowerDNS, the zones' expiry BIND,
    # its profile Knot.
    supervisors = []
    for isp in isps:
        isp.kill("keep")
        supervisors.append(Supervisor(isp))
    try:
        for dead in (["keep"], ["keep", "follow"]):
            for supervisor in supervisors:
                supervisor.up()
            everywhere(isps, "keep is back", lambda isp: blocked(isp, first), 30)
            for isp, supervisor in zip(isps, supervisors):
                if "follow" in dead:
                    isp.kill("follow")
                supervisor.down()
            gone = everywhere(isps, f"{dead} dead: all is open", lambda isp: opened(isp, first), 60)
            measured(f"{' and '.join(dead)} killed, open", [gone])
            assert all(supervisor.stopped.wait(10) for supervisor in supervisors)
            if "follow" in dead:
                for isp in isps:
                    isp.follow()
        for supervisor in supervisors:
            supervisor.up()
    finally:
        for supervisor in supervisors:
            supervisor.end()
    everywhere(isps, "both are back", lambda isp: blocked(isp, first), 30)


def bring(isp, file, code=0):
    """Brings a stop file by hand; what is said of it."""
    done = subprocess.run([os.environ["VIGIE_BIN"], "edge", "stop", "--config", "follow.toml", "--file", str(file)],
                          cwd=isp.work, capture_output=True, text=True, timeout=30)
    assert done.returncode == code, (file, done)
    return done.stdout if code == 0 else done.stderr


def stopped(house, isps):
    """The desk is down, and a stop that was signed beforehand works all the same: beside the manifest of a mirror, and
    by hand; over restarts, until a later word; and never twice."""
    name, beside = "first.stream.example", Mirror.folder / "all/stop"
    made = ["stop-file", "make", "--grounds", "the desk is down", "--as", "vera"]
    for out in ("stop-1", "stop-2"):
        house.shield(*made, "--out", out)
    assert "is there already" in house.shield(*made, "--out", "stop-1", code=2)
    house.serving.send_signal(signal.SIGKILL)
    house.serving.wait()
    assert all(blocked(isp, name) for isp in isps)
    first = (house.work / "stop-1").read_bytes()
    beside.write_bytes(first)
    measured("a stop file beside the manifest, the desk down: open",
             [everywhere(isps, "the stop is obeyed", lambda isp: opened(isp, name), 15)])
    for isp in isps:
        until("it says so", lambda: isp.status().get("stopped") == "lifts" and "stopped" in isp.alarms(), 10)
    # Both begin anew, and so does the desk: what was stopped is stopped.
    beside.unlink()
    for isp in isps:
        isp.kill("follow")
        isp.kill("keep")
        isp.keep()
        isp.follow()
    house.serve()
    everywhere(isps, "the feed is heard", lambda isp: isp.status().get("stopped") == "lifts" and isp.status()["beat"], 30)
    time.sleep(3)
    assert all(opened(isp, name) and edge_status(isp)["out"] == 0 for isp in isps)
    # Two persons resume; and what was signed before is void.
    resume = ["stop-file", "resume", "--out", "resume-1", "--grounds", "mended", "--as", "vera"]
    assert "two persons resume" in house.shield(*resume, "--second", "lea", code=2)
    house.shield(*resume, "--second", "ray")
    beside.write_bytes((house.work / "resume-1").read_bytes())
    measured("the word that ends it: blocked again",
             [everywhere(isps, "it goes on", lambda isp: blocked(isp, name), 30)])
    everywhere(isps, "it says so", lambda isp: isp.status()["stopped"] is None, 10)
    for isp in isps:
        assert "played back" in bring(isp, house.work / "stop-2", 3)
        (isp.work / "tampered").write_bytes(first.replace(b"lifts", b"LIFTS"))
        assert "no stop file" in bring(isp, isp.work / "tampered", 3)
        (isp.work / "cut").write_bytes(first[:-20])
        assert "no stop file" in bring(isp, isp.work / "cut", 3)
    beside.write_bytes(first)
    everywhere(isps, "played back: an alarm", lambda isp: "stop_back" in isp.alarms(), 20)
    assert all(blocked(isp, name) for isp in isps)
    beside.unlink()
    everywhere(isps, "it is over", lambda isp: not isp.alarms(), 20)
    # By hand, at one ISP alone, and there with follow dead too.
    house.shield(*made, "--out", "stop-3")
    assert "Obeyed" in bring(isps[0], house.work / "stop-3")
    everywhere(isps[:1], "by hand", lambda isp: opened(isp, name), 5)
    assert blocked(isps[1], name)
    isps[1].kill("follow")
    assert "No follow runs" in bring(isps[1], house.work / "stop-3")
    everywhere(isps[1:], "by hand, follow dead", lambda isp: opened(isp, name), 5)
    isps[1].follow()
    house.shield(*resume[:3], "resume-2", *resume[4:], "--second", "ray")
    beside.write_bytes((house.work / "resume-2").read_bytes())
    everywhere(isps, "it goes on at both", lambda isp: blocked(isp, name), 30)
    # One that halts lets what is out stand, and adds nothing.
    house.shield(*made, "--releases", "--out", "stop-4")
    for isp in isps:
        bring(isp, house.work / "stop-4")
    house.release("halted.stream.example")
    time.sleep(2)
    assert all(blocked(isp, name) and opened(isp, "halted.stream.example") for isp in isps)
    house.shield(*resume[:3], "resume-3", *resume[4:], "--second", "ray")
    beside.write_bytes((house.work / "resume-3").read_bytes())
    everywhere(isps, "what waited is let in", lambda isp: blocked(isp, "halted.stream.example"), 20)


def own_views(house, isps):
    """What is for one ISP alone is blocked there and open at the other; what is for all is never open meanwhile, by the
    clearing house itself or by a folder of files; and nobody reads another's view."""
    (tower, cable), first = isps, "first.stream.example"

    def get(path, whose):
        return subprocess.run(["curl", "-s", "-w", "%{http_code}", "--cacert", "tls.pem", "-H",
                               f"Authorization: Bearer {house.keys[whose].strip()}", f"https://127.0.0.1:{house.web}{path}"],
                              cwd=house.work, capture_output=True, text=True, check=True, timeout=20).stdout

    def reads(*views):
        everywhere(isps, f"they read {views}", lambda isp: isp.status().get("reads") == views[isps.index(isp)], 10)

    reads("all", "all")
    assert get("/feed/tower/manifest", "tower").endswith("404")
    watched = threading.Event()
    open_at = []

    def watch():
        while not watched.is_set():
            open_at.extend(isp.name for isp in isps if opened(isp, first))
            time.sleep(0.02)

    watching = threading.Thread(target=watch)
    watching.start()
    name = "alone.stream.example"
    ticket = house.release(name, "--event", "final", "--isp", "tower")
    measured("for one ISP alone: released, blocked", [everywhere([tower], name, lambda isp: blocked(isp, name), 5)])
    assert opened(cable, name)
    reads("tower", "all")
    # To who has no view of their own, and to who asks for another's.
    assert get("/feed/tower/manifest", "tower").endswith("200")
    for path in ("/feed/tower/manifest", "/feed/tower/list.txt", "/feed/tower/wait?epoch=0&serial=0"):
        assert get(path, "cable").endswith("403"), path
    assert get("/feed/cable/manifest", "cable").endswith("404")
    everything = b"".join(file.read_bytes() for file in (Mirror.folder / "all").rglob("*") if file.is_file())
    assert name.encode() not in everything and b"\napart " in everything
    until("lists are written", lambda: name in get("/feed/tower/list.txt", "tower"), 15)
    assert name not in get("/feed/cable/list.txt", "cable") and first in get("/feed/cable/list.txt", "cable")
    # What is for all goes to both by one release; a killed follow comes back to its own view.
    tower.kill("follow")
    tower.follow()
    both = house.release("both.stream.example")
    everywhere(isps, "both", lambda isp: blocked(isp, "both.stream.example"), 10)
    reads("tower", "all")
    # A new epoch states it all, own views too.
    house.serving.send_signal(signal.SIGKILL)
    house.serving.wait()
    house.serve()
    everywhere(isps, "the new epoch is taken", lambda isp: isp.status().get("epoch") == 2, 40)
    assert blocked(tower, name) and opened(cable, name)
    house.lift(both)
    everywhere(isps, "both lifted", lambda isp: opened(isp, "both.stream.example"), 5)
    house.lift(ticket)
    measured("for one ISP alone: lifted, open", [everywhere([tower], name, lambda isp: opened(isp, name), 5)])
    reads("all", "all")
    assert not (Mirror.folder / "tower/manifest").exists() and get("/feed/tower/list.txt", "tower").endswith("200")
    # By its own end, and at the other ISP.
    house.release("short.stream.example", "--until", house.later(seconds=12), "--isp", "cable")
    everywhere([cable], "short", lambda isp: blocked(isp, "short.stream.example"), 10)
    assert opened(tower, "short.stream.example")
    reads("all", "cable")
    everywhere([cable], "its end", lambda isp: opened(isp, "short.stream.example"), 20)
    everywhere([cable], "and its view's", lambda isp: isp.status().get("reads") == "all", 40)
    watched.set()
    watching.join()
    assert not open_at, f"what is for all was open at {open_at[:5]}"


def wrong_ways(house, isp):
    """Who is nobody's key, whom nobody vouches for: said, and nothing taken."""
    text = (isp.work / "follow.toml").read_text()
    for old, new, says in (("ca_file", "# ca_file", "certificate"), ("key_file", "# key_file", "status 401"),
                           ('/feed"', '/food"', "status 404")):
        assert old in text, old
        other = text.replace(old, new).replace(f'{isp.work}/state', f"{isp.work}/state-{says.split()[-1]}")
        other = other.replace("observe = false", "observe = true")
        (isp.work / "other.toml").write_text(other)
        log = isp.work / f"other-{says.split()[-1]}.log"
        with open(log, "w") as out:
            child = subprocess.Popen([os.environ["VIGIE_BIN"], "edge", "follow", "--config", "other.toml"], cwd=isp.work,
                                     stdout=out, stderr=out)
        try:
            until(f"it says {says}", lambda: says in log.read_text(), 10)
            assert "in force" not in log.read_text()
        finally:
            child.kill()
            child.wait()
    (isp.work / "follow.key").chmod(0o644)
    done = subprocess.run([os.environ["VIGIE_BIN"], "edge", "follow", "--config", "follow.toml"], cwd=isp.work,
                          capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and "chmod 600" in done.stderr, done
    (isp.work / "follow.key").chmod(0o600)


def bad_mirrors(house, isps, mirror):
    """One mirror that does what it can, to whoever has no other; then beside the real one."""
    url = f"http://127.0.0.1:{mirror.server_port}/feed"
    Mirror.kept["manifest"] = (Mirror.folder / "all/manifest").read_bytes()
    for isp in isps:
        isp.settle(house, [url])
        isp.kill("follow", signal.SIGTERM)
        isp.follow()
    serial = lambda: min(isp.status()["serial"] for isp in isps)
    until("a folder of files is followed", lambda: all(isp.status().get("mirror") == url and isp.status()["whole"] for isp in isps), 20)
    tried = house.release("tried.stream.example")
    everywhere(isps, "by a folder of files", lambda isp: blocked(isp, "tried.stream.example"), 10)

    for mode, words in (("tamper", {"manifest"}), ("rollback", {"back"}), ("file", {"file"}), ("truncate", {"file"})):
        ticket = tried
        before = int(re.search(r"^serial (\d+)$", (Mirror.folder / "all/manifest").read_text(), re.M)[1])
        until("all is taken", lambda: serial() == before, 10)
        Mirror.mode = mode
        # It lifts a name, or blocks one: neither is believed.
        house.lift(ticket)
        everywhere(isps, f"{mode}: an alarm", lambda isp: words & isp.alarms(), 15)
        assert serial() == before, mode
        assert all(blocked(isp, "first.stream.example") and blocked(isp, "tried.stream.example") for isp in isps), mode
        assert all(isp.says("ALARM: http://127.0.0.1") for isp in isps)
        Mirror.mode = "pass"
        everywhere(isps, f"{mode}: it is over", lambda isp: opened(isp, "tried.stream.example") and not isp.alarms(), 40)
        # Lifted before, it waits for a person.
        tried = house.tickets
        house.shield("report", "--order", "7/26", "--event", "final", "--work", "serie-a", "--as", "lea",
                     f"http://tried.stream.example:{house.stream}/live.m3u8")
        house.tickets += 1
        until("it is held", lambda: house.stage(tried) in ("held", "in_force"), 20)
        if house.stage(tried) == "held":
            house.shield("approve", f"{tried}/0", "--capture", house.items(tried)[0]["capture"], "--as", "vera")
        everywhere(isps, f"{mode}: and blocked again", lambda isp: blocked(isp, "tried.stream.example"), 10)

    # A restart with a feed that was rolled back: it takes nothing.
    for isp in isps:
        isp.kill("follow")
    Mirror.mode = "rollback"
    for isp in isps:
        isp.follow()
    everywhere(isps, "rolled back at the start: an alarm", lambda isp: "back" in isp.alarms(), 15)
    assert all(not isp.status()["whole"] for isp in isps)
    # It stands still: past the silence all is open, however often it is handed on.
    Mirror.mode = "pass"
    everywhere(isps, "it is blocked", lambda isp: blocked(isp, "tried.stream.example") and not isp.alarms(), 60)
    Mirror.mode = "freeze"
    frozen = everywhere(isps, "a feed that stands still opens all", lambda isp: opened(isp, "tried.stream.example"), SILENCE + 15)
    assert min(frozen.values()) >= SILENCE - 5, frozen
    # The state is damaged: it says so, and does not guess.
    for isp in isps:
        isp.kill("follow")
        seen = isp.work / "state/seen"
        text = seen.read_text()
        seen.write_text(text.replace("serial ", "serial 1"))
        done = subprocess.run([os.environ["VIGIE_BIN"], "edge", "follow", "--config", "follow.toml"], cwd=isp.work,
                              capture_output=True, text=True, timeout=20)
        assert done.returncode == 3 and "seen is damaged" in done.stderr, done
        seen.write_text(text)

    # Beside the real one, a bad mirror delays nothing.
    for mode in ("tamper", "file"):
        Mirror.mode = mode
        for isp in isps:
            if "follow" in isp.children:
                isp.kill("follow")
            isp.settle(house, [url, "real"])
            isp.follow()
        everywhere(isps, "the real one is asked", lambda isp: blocked(isp, "first.stream.example"), 20)
        name = f"beside-{mode}.stream.example"
        house.release(name)
        everywhere(isps, name, lambda isp: blocked(isp, name), 5)
    Mirror.mode = "pass"


def main():
    if os.geteuid() == 0:
        own_network()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stream)
    mirror = ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    for serving in (server, mirror):
        threading.Thread(target=serving.serve_forever, daemon=True).start()
    upstream = world()
    with tempfile.TemporaryDirectory() as work:
        for folder in ("house", "unbound", "bind", "recursor", "knot"):
            (Path(work) / folder).mkdir()
        house = House(f"{work}/house")
        isps = [Tower(f"{work}/unbound", upstream, SILENCE), Cable(f"{work}/bind", upstream, SILENCE)]
        others = [RecursorIsp(f"{work}/recursor", upstream, SILENCE), KnotIsp(f"{work}/knot", upstream, SILENCE)]
        try:
            with logs(work):
                house.begin(server.server_port, upstream)
                Mirror.folder = house.work / "feed"
                course(house, isps, others, mirror)
        finally:
            house.end()
            for isp in [*isps, *others]:
                isp.end()
    print("edge: follow believes what is signed, and tells keep; whoever dies, names open")


if __name__ == "__main__":
    main()
