"""`vigie edge keep` beside a real Unbound, BIND, PowerDNS recursor and Knot Resolver, with the settings of docs/edge: what a frame blocks, what
opens it again, and what happens when keep, the follower or a resolver dies. Run by `./test shield`, with VIGIE_BIN
set. All of it on loopback, as root on that of a network namespace of its own."""

import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import product
from pathlib import Path

from clearing_house import free_port, until
from dns_answers import A, AAAA, HTTPS, RRSIG, ask, kinds, min_ttl, rcode, records
from signed_world import Signed
from spaces import own_network
from units import DOCS, Unit

KEEP = "127.0.0.1"
# Where the ISP's customers look a block up: what stands in the profiles, and what this test has filled in.
LOOKUP = ("https://clearing.authority.example/blocked", "https://look.up.example/blocked")
WHY = b"blocked by order: " + LOOKUP[1].encode()
# Of the ISP's own page, in the profiles and in the world.
PAGE = {1: bytes([192, 0, 2, 99]), 28: bytes.fromhex("20010db8000700000000000000000099")}


class Follower:
    """What speaks to keep: a line, a reply."""

    def __init__(self, run, hello=True):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(str(run / "keep"))
        self.lines = self.socket.makefile("r")
        self.lock, self.closed = threading.Lock(), threading.Event()
        if hello:
            self.say("hello", epoch=1, serial=1)
            self.say("alive", silence_ms=600_000)
            threading.Thread(target=self.alive, daemon=True).start()

    def alive(self):
        """The feed is fresh, each second, until this follower is gone, or keep is."""
        while not self.closed.wait(1):
            try:
                self.hear("alive", silence_ms=600_000)
            except (OSError, ValueError):
                return

    def hear(self, frame, **fields):
        line = json.dumps({"frame": frame, **fields}, separators=(",", ":"))
        with self.lock:
            self.socket.sendall(line.encode() + b"\n")
            return json.loads(self.lines.readline())

    def say(self, frame, answer="taken", **fields):
        got = self.hear(frame, **fields)
        assert got["answer"] == answer, (frame, fields, got)
        return got

    def block(self, name, seconds=600, **more):
        return self.say("block", value=name, for_ms=int(seconds * 1000), **more)

    def lift(self, name):
        self.say("lift", value=name)

    def close(self):
        self.closed.set()
        with self.lock:
            self.socket.shutdown(socket.SHUT_RDWR)
        self.lines.close()
        self.socket.close()


class Bench:
    """One keep and one resolver beside it, in a folder of theirs; `soon` is when it has taken a change. `upstream` is the
    port of a world where nothing is signed, or a `Signed` one, of which the resolver proves what it answers."""

    soon = 1.0
    # What is installed beside keep's unit.
    dropins = ()
    # Whether it tells whoever asks with EDNS why (RFC 8914); its profile's lines of the ISP's own page, and whether they
    # are set.
    tells, page, paged = False, (), False

    def __init__(self, work, upstream, silence=None):
        self.work, self.world = Path(work), upstream if isinstance(upstream, Signed) else None
        self.upstream = upstream.port if self.world else upstream
        # Longer than the brief name's life, in which the resolver has to take it twice.
        self.silence = silence or round(4 * self.soon) + 2
        self.feed, self.port = free_port(), free_port()
        self.server = (KEEP, self.port)
        self.run = self.work / "run"
        self.children = {}
        text = (DOCS / "keep.toml.example").read_text()
        for old, new in (("/run/vigie-keep", str(self.run)), ("127.0.0.1:5354", f"{KEEP}:{self.feed}"),
                         ("127.0.0.1:53\"", f"{KEEP}:{self.port}\""), ('"observe" ', '"enforce" '),
                         ("silence_s = 900", f"silence_s = {self.silence}"),
                         ("additions_a_minute = 1000", "additions_a_minute = 40")):
            assert text.count(old) >= 1, old
            text = text.replace(old, new)
        (self.work / "keep.toml").write_text(text)
        self.unit = Unit(self.work, "vigie-keep.service", self.dropins, self.settings())

    def settings(self):
        """What the unit's commands are told of this test's resolver."""
        return {"UNBOUND_CONTROL": "unbound-control -c unbound.conf",
                "REC_CONTROL": f"rec_control --config-dir={self.work} --socket-dir={self.work}",
                "OFF": f"{self.work}/off"}

    @property
    def flush(self):
        """Whether keep's unit opens the resolver, where that does not do so by itself."""
        return bool(self.unit.values("ExecStopPost"))

    def profile(self, name, *edits):
        """A file of docs/edge with this test's places in it."""
        text = (DOCS / name).read_text()
        for old, new in (*edits, *(self.page if self.paged else ())):
            assert old in text, old
            text = text.replace(old, new)
        return text

    def start(self, name, *words):
        log = open(self.work / f"{name}.log", "a")
        self.children[name] = subprocess.Popen(words, cwd=self.work, stdout=log, stderr=log)

    def kill(self, name, how=signal.SIGKILL):
        child = self.children.pop(name)
        child.send_signal(how)
        return child.wait(20)

    def keep(self):
        """Starts it as its unit does: it says itself that it runs, and then that its clock goes."""
        path = self.work / "notify"
        path.unlink(missing_ok=True)
        self.watcher = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.watcher.bind(str(path))
        self.watcher.settimeout(5)
        self.start("keep", "env", f"NOTIFY_SOCKET={path}", *self.unit.start())
        assert self.watcher.recv(64) == b"READY=1"
        assert self.watcher.recv(64) == b"WATCHDOG=1"

    def end(self):
        for name in list(self.children):
            self.kill(name)

    def answers(self):
        until(f"{self.name} answers", lambda: rcode(self.server, "open.example") == 0, 30)


class Unbound(Bench):
    name = "Unbound"

    def resolver(self):
        profile = self.profile("unbound.conf.example", ("127.0.0.1@5354", f"{KEEP}@{self.feed}"),
                               ("/run/unbound.ctl", f"{self.work}/unbound.ctl"))
        anchor = f' trust-anchor: "{self.world.ds}"\n' if self.world else ""
        (self.work / "unbound.conf").write_text(
            f'server:\n do-daemonize: no\n use-syslog: no\n directory: "{self.work}"\n chroot: ""\n username: ""\n'
            f' pidfile: ""\n interface: {KEEP}@{self.port}\n access-control: 127.0.0.0/8 allow\n{anchor}'
            f"forward-zone:\n name: .\n forward-addr: 127.0.0.1@{self.upstream}\n{profile}"
        )
        self.start("resolver", "unbound", "-d", "-c", "unbound.conf")
        self.answers()


class Bind(Bench):
    name = "BIND"
    dropins = ("vigie-keep-no-unbound.conf",)
    page = (("policy nxdomain", "policy cname page.isp.example"),)

    def resolver(self):
        profile = self.profile(
            "named.conf.example", ("port 5354", f"port {self.feed}"),
            ("options {", f'options {{ directory "{self.work}"; listen-on port {self.port} {{ {KEEP}; }};'
             f" listen-on-v6 {{ none; }}; forwarders {{ 127.0.0.1 port {self.upstream}; }}; forward only;"
             f" dnssec-validation {'yes' if self.world else 'no'}; recursion yes; allow-query {{ any; }};"
             " pid-file none; session-keyfile none;"))
        if self.world:
            flags, protocol, algorithm, *key = self.world.anchor.split()[3:]
            profile += f'trust-anchors {{ . static-key {flags} {protocol} {algorithm} "{" ".join(key)}"; }};\n'
        (self.work / "named.conf").write_text(profile + "controls { };\n")
        self.start("resolver", "named", "-g", "-c", "named.conf")
        self.answers()


class PowerDns(Bench):
    name = "PowerDNS"
    dropins = ("vigie-keep-recursor.conf",)
    tells = True
    page = (("    defpol = Policy.NXDOMAIN,\n", ""), ("-- defpol = Policy.Custom", "defpol = Policy.Custom"))
    # It asks each second.
    soon = 2.5

    def resolver(self):
        profile = (DOCS / "recursor.conf.example").read_text()
        lua = self.profile("recursor.lua.example", ("127.0.0.1:5354", f"{KEEP}:{self.feed}"), LOOKUP,
                           ("/run/vigie-recursor-off", f"{self.work}/off"))
        assert "/etc/powerdns/vigie.lua" in profile
        # What else an ISP has there: it stays, with keep and without.
        others = f"clearTA('.')\naddTA('.', '{' '.join(self.world.ds.split()[3:])}')\n" if self.world else ""
        (self.work / "vigie.lua").write_text(lua + others)
        (self.work / "recursor.conf").write_text(
            profile.replace("/etc/powerdns/vigie.lua", f"{self.work}/vigie.lua")
            + f"local-address={KEEP}\nlocal-port={self.port}\nsocket-dir={self.work}\ndaemon=no\nthreads=2\n"
            f"forward-zones-recurse=.=127.0.0.1:{self.upstream}\ndont-query=\ndnssec={'validate' if self.world else 'off'}\nsecurity-poll-suffix=\n"
        )
        self.start("resolver", "pdns_recursor", f"--config-dir={self.work}")
        self.answers()


class Knot(Bench):
    name = "Knot"
    dropins = ("vigie-keep-knot.conf", "vigie-keep-no-unbound.conf")
    tells = True
    page = (("\tlocal page = {}\n", ""), ("-- local page = {", "local page = {"))
    # keep writes twice a second, and it reads the file again then.
    soon = 2.5

    def __init__(self, work, upstream, silence=None):
        super().__init__(work, upstream, silence)
        self.folder = self.work / "knot"
        self.folder.mkdir()
        (self.work / "cache").mkdir()
        more = (DOCS / "keep-knot.toml.example").read_text()
        for old, new in (("/run/vigie-kresd", str(self.folder)), ('mode = "observe"', 'mode = "enforce"')):
            assert more.count(old) == 1, old
            more = more.replace(old, new)
        with open(self.work / "keep.toml", "a") as settings:
            settings.write(more)

    def resolver(self):
        profile = self.profile("kresd.conf.example", ("'/run/vigie-kresd'", f"'{self.folder}'"), LOOKUP)
        # As the machine's start would have left them.
        for name in ("blocks.rpz", "alive"):
            if not (self.folder / name).exists():
                (self.folder / name).write_text((DOCS / "vigie-kresd.rpz").read_text() if name == "blocks.rpz" else "0\n")
        (self.work / "kresd.conf").write_text(
            f"net.listen('{KEEP}', {self.port}, {{ kind = 'dns' }})\n"
            + (f"trust_anchors.add('{self.world.ds}')\n" if self.world else "trust_anchors.remove('.')\n") +
            f"cache.open(10 * MB, 'lmdb://{self.work}/cache')\n"
            + profile
            # A stub proves nothing.
            + f"policy.add(policy.all(policy.{'FORWARD' if self.world else 'STUB'}({{ '127.0.0.1@{self.upstream}' }})))\n"
        )
        self.start("resolver", "kresd", "-n", "-c", str(self.work / "kresd.conf"), str(self.work / "cache"))
        self.answers()


def blocked(bench, name):
    return rcode(bench.server, name) == 3


def opened(bench, name):
    return rcode(bench.server, name) == 0


def course(bench):
    figures = {}
    bench.keep()
    bench.resolver()
    follower = Follower(bench.run)

    # The first transfer is there; the resolver may have begun before it could take one.
    follower.block("first.example")
    until("the first name is blocked", lambda: blocked(bench, "first.example"), 30)

    # A frame blocks soon, the exact name alone, of every kind and by both ways; a lift opens.
    times = {"blocked": [], "open": []}
    for n in range(5):
        name = f"tv{n}.stream.example"
        assert opened(bench, name)
        follower.block(name)
        times["blocked"].append(until(f"{name} is blocked", lambda: blocked(bench, name), bench.soon))
        for how in product((A, AAAA, HTTPS), (False, True), (False, True), (False, True)):
            exactly(bench, name, f"other{n}.stream.example", *how)
        follower.lift(name)
        times["open"].append(until(f"{name} is open", lambda: opened(bench, name), bench.soon))
    figures |= {what: statistics.median(all_) for what, all_ in times.items()}

    # What may not be blocked is not; too many in a minute wait.
    for value, word in (("*.stream.example", "wildcard"), ("198.51.100.0/24", "cidr"), ("198.51.100.7", "address"),
                        ("www.isp.example", "protected"), ("isp.example", "protected"), ("com", "single_label")):
        assert follower.block(value, answer="refused")["word"] == word, value

    # Its own deadline opens, though the follower is gone.
    follower.block("brief.example", 1 + 2 * bench.soon)
    until("the brief name is blocked", lambda: blocked(bench, "brief.example"), bench.soon)
    begun = time.monotonic()
    follower.close()
    until("the brief name is open", lambda: opened(bench, "brief.example"), 3 + 3 * bench.soon)
    took = time.monotonic() - begun
    assert took >= 1.5, took
    assert blocked(bench, "first.example")

    # And the feed's silence opens all.
    until("silence opens all", lambda: opened(bench, "first.example"), bench.silence + 2)
    assert "ALARM: the feed fell silent" in until_log(bench, "fell silent")

    # A flood is held, until an operator lets it in.
    follower = Follower(bench.run)
    follower.say("whole")
    answers = [follower.hear("block", value=f"flood{n}.example", for_ms=600_000)["answer"] for n in range(60)]
    assert answers == ["taken"] * 40 + ["held"] * 20, answers
    until("what was in time is blocked", lambda: blocked(bench, "flood39.example"), bench.soon)
    assert opened(bench, "flood40.example")
    status = json.loads(vigie(bench, "status", "--json"))
    assert status["out"] == 40 and status["held"] == 20 and not status["observe"], status
    assert "20" in vigie(bench, "release")
    until("it is let in", lambda: blocked(bench, "flood59.example"), bench.soon)
    follower.lift("flood59.example")
    until("it is open", lambda: opened(bench, "flood59.example"), bench.soon)

    # A customer calls: an exception with its reason, while all else goes on. It opens that name alone, and at once.
    settings = bench.work / "keep.toml"
    text = settings.read_text()
    settings.write_text(text.replace("protected = [", 'protected = ["flood1.example # a customer called", '))
    bench.children["keep"].send_signal(signal.SIGHUP)
    figures["open after its exception"] = until("it is open", lambda: opened(bench, "flood1.example"), bench.soon)
    assert blocked(bench, "flood0.example")
    refused = follower.block("flood1.example", answer="refused")
    assert refused["word"] == "protected" and "a customer called" in refused["message"], refused
    # What cannot be read changes nothing.
    settings.write_text("protected = ")
    bench.children["keep"].send_signal(signal.SIGHUP)
    assert "stays as it was" in until_log(bench, "stays as it was")
    assert opened(bench, "flood1.example") and blocked(bench, "flood0.example")
    # Taken back: whoever follows has to say all anew.
    settings.write_text(text)
    bench.children["keep"].send_signal(signal.SIGHUP)
    until("it says so", lambda: follower.hear("alive", silence_ms=600_000).get("word") == "no_hello", 5)
    follower.close()
    follower = Follower(bench.run)
    follower.block("flood1.example", answer="held")
    vigie(bench, "release")
    until("it is blocked", lambda: blocked(bench, "flood1.example"), bench.soon)

    # The resolver is killed: its blocks are back when it is.
    bench.kill("resolver")
    bench.resolver()
    figures["back after its restart"] = until("the block is back", lambda: blocked(bench, "flood0.example"), 10)

    # keep is killed: what then happens is in docs/edge.md.
    until("it is blocked", lambda: blocked(bench, "flood0.example"), bench.soon)
    bench.kill("keep")
    gone = time.monotonic()
    time.sleep(1)
    assert blocked(bench, "flood0.example"), "a resolver that opened at once: mend docs/edge.md"
    if bench.flush:
        # Past the SOA's expiry and well beyond: it blocks on.
        time.sleep(34)
        assert blocked(bench, "flood0.example"), "Unbound heeds the expiry now: mend docs/edge.md"
        begun = time.monotonic()
        assert bench.unit.run("ExecStopPost")
        until("the flush opens", lambda: opened(bench, "flood0.example"), 5)
        figures["open after the flush"] = time.monotonic() - begun
    else:
        until("the expiry opens", lambda: opened(bench, "flood0.example"), 60)
        figures["open after keep's death"] = time.monotonic() - gone
        assert time.monotonic() - gone <= 60

    # keep is back: empty, and heard again once a follower sends.
    bench.keep()
    if bench.flush:
        assert bench.unit.run("ExecStartPost")
    assert opened(bench, "flood0.example")
    follower = Follower(bench.run)
    follower.block("again.example")
    figures["blocked after keep's restart"] = until("it is blocked again", lambda: blocked(bench, "again.example"), 30)
    follower.say("whole")
    assert opened(bench, "flood0.example")

    # keep is killed and back at once, so that nobody flushed: its empty zones are taken.
    bench.kill("keep")
    bench.keep()
    figures["open after keep came back empty"] = until("its empty zones are taken", lambda: opened(bench, "again.example"), 10)

    # An orderly end opens by itself.
    follower = Follower(bench.run)
    follower.block("last.example")
    until("it is blocked", lambda: blocked(bench, "last.example"), 10)
    assert bench.kill("keep", signal.SIGTERM) == 0
    assert opened(bench, "last.example")
    for what, seconds in figures.items():
        print(f"measured: {bench.name}: {what}: {seconds * 1000:.0f} ms")


def exactly(bench, name, sibling, kind, tcp, do, cd):
    """The blocked name does not exist, and what is around it does: of one type and by one way, with DO and CD or not."""
    code, answer = ask(bench.server, name, kind, tcp, do, cd)
    asked = (name, kind, "TCP" if tcp else "UDP", "DO" * do, "CD" * cd)
    assert code == 3 and answer[6:8] == b"\0\0", (asked, code, answer)
    # Of the SOA beneath, and so of the answer: five seconds at the most.
    assert min_ttl(answer) <= 5, (asked, answer)
    told(bench, asked, answer, do)
    for other in (f"x.{name}", "stream.example", sibling, f"x{name}"):
        code, answer = ask(bench.server, other, kind, tcp, do, cd)
        assert code == 0 and answer[6:8] != b"\0\0", (other, asked, code, answer)
        # They are signed, and it hands the signatures on, proven where that is asked for.
        if bench.world and do:
            assert RRSIG in kinds(answer), (other, asked, answer)
            assert cd or answer[3] & 0x20, (other, asked, "not proven", answer)


def told(bench, asked, answer, edns):
    """Whoever asks with EDNS is told why, and where to look it up: Extended DNS Error 15, where the resolver can."""
    error = b"\0\x0f" + (2 + len(WHY)).to_bytes(2, "big") + b"\0\x0f" + WHY
    if edns and bench.tells:
        assert error in answer, (asked, answer)
    else:
        assert not edns or answer.endswith(b"\0\0"), (asked, "it says more now: mend docs/edge.md", answer)


def own_page(bench):
    """Off by default; where it is set, a blocked name leads to the ISP's own page, and for no longer than a block lasts."""
    bench.kill("resolver")
    bench.paged = True
    bench.keep()
    bench.resolver()
    follower = Follower(bench.run)
    name = "paged.stream.example"
    follower.block(name)

    def leads():
        got = ask(bench.server, name, AAAA)
        return got is not None and got[0] == 0 and PAGE[AAAA] in got[1]

    until("it leads to the page", leads, 30)
    for kind, tcp, do, cd in product((A, AAAA), (False, True), (False, True), (False, True)):
        code, answer = ask(bench.server, name, kind, tcp, do, cd)
        assert code == 0 and PAGE[kind] in answer and min_ttl(answer) <= 5, (name, kind, tcp, do, cd, answer)
        assert max(ttl for _, ttl in records(answer)) <= 5, (name, "outlives its block", answer)
        for other in (f"x.{name}", "stream.example", "other.stream.example"):
            code, answer = ask(bench.server, other, kind, tcp, do, cd)
            assert code == 0 and PAGE[kind] not in answer, (other, kind, answer)
    follower.lift(name)
    until("it is open", lambda: opened(bench, name) and not leads(), bench.soon)
    follower.close()
    assert bench.kill("keep", signal.SIGTERM) == 0


def until_log(bench, what):
    log = bench.work / "keep.log"
    until(f"keep says {what}", lambda: what in log.read_text())
    return log.read_text()


def vigie(bench, *words):
    done = subprocess.run([os.environ["VIGIE_BIN"], "edge", words[0], "--config", "keep.toml", *words[1:]],
                          cwd=bench.work, capture_output=True, text=True)
    assert done.returncode == 0, (words, done)
    return done.stdout


def one(kind, work, upstream):
    (Path(work) / kind.name).mkdir()
    bench = kind(f"{work}/{kind.name}", upstream)
    try:
        course(bench)
        if bench.page:
            own_page(bench)
    except BaseException:
        for log in sorted(bench.work.glob("*.log")):
            print(f"--- {kind.name}: {log.name}\n" + log.read_text()[-4000:])
        raise
    finally:
        bench.end()


def another_user():
    """keep's socket is for the user as whom keep runs: each frame that its source has is refused to root, before it is
    read, and nobody else reaches the socket."""
    if os.geteuid() != 0:
        print("SKIPPED: as another user keep is asked by root alone; who else may ask it was not tried")
        return
    nobody = 65534
    source = (DOCS.parent.parent / "crates/edge/src/frame.rs").read_text()
    source = source.split("pub enum Frame {\n", 1)[1].split("\n}", 1)[0]
    frames = [name.lower() for name in re.findall(r"^    ([A-Z][A-Za-z]*)", source, re.M)]
    assert {"hello", "block", "lift", "clear", "release", "status"} <= set(frames), frames
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        work, port = Path(folder), free_port()
        # Where the built one lies, that user may not come.
        vigie = shutil.copy(os.environ["VIGIE_BIN"], work / "vigie")
        (work / "run").mkdir(0o700)
        os.chown(work / "run", nobody, nobody)
        (work / "keep.toml").write_text((DOCS / "keep.toml.example").read_text()
                                        .replace("/run/vigie-keep", "run").replace("127.0.0.1:5354", f"{KEEP}:{port}"))
        as_nobody = {"cwd": work, "user": nobody, "group": nobody, "extra_groups": []}
        keep = subprocess.Popen([vigie, "edge", "keep", "--config", "keep.toml"], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL, **as_nobody)
        try:
            path = str(work / "run/keep")
            until("keep listens", lambda: os.path.exists(path))
            for frame in [*frames, "nothing that is one"]:
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as call:
                    call.settimeout(5)
                    call.connect(path)
                    # It is refused for who asks, and may be before the line is there.
                    with suppress(BrokenPipeError):
                        call.sendall(json.dumps({"frame": frame}).encode() + b"\n")
                    reply = json.loads(call.makefile().readline())
                    assert (reply["answer"], reply["word"]) == ("refused", "user"), (frame, reply)
            asks = [vigie, "edge", "status", "--config", "keep.toml"]
            done = subprocess.run(asks, capture_output=True, text=True, cwd=work)
            assert done.returncode != 0, done
            # Who is neither does not reach it; who is the one is answered.
            as_other = as_nobody | {"user": nobody - 1, "group": nobody - 1}
            done = subprocess.run(asks, capture_output=True, text=True, **as_other)
            assert done.returncode != 0 and "denied" in done.stderr, done
            done = subprocess.run(asks, capture_output=True, text=True, **as_nobody)
            assert done.returncode == 0, done
        finally:
            keep.kill()
            keep.wait()


def main():
    if os.geteuid() == 0:
        own_network()
    another_user()
    resolvers = (Unbound, Bind, PowerDns, Knot)
    # Side by side: most of the time each waits for a clock.
    with tempfile.TemporaryDirectory() as work, ThreadPoolExecutor(len(resolvers)) as side:
        upstream = Signed(f"{work}/world")
        try:
            for done in [side.submit(one, kind, work, upstream) for kind in resolvers]:
                done.result()
        finally:
            upstream.end()
    print("edge: keep blocks and opens at Unbound, BIND, PowerDNS and Knot, whoever dies")


if __name__ == "__main__":
    main()
