"""What ISPs are measured to do: probes ask a real Unbound and a real BIND, which follow a real clearing house, and an
unblocked resolver beside them. An ISP that stands still is named; a
control that fails at one probe lifts nothing, at two the item that explains it and only that, and too many at once
stop everything; a subscriber who asks the same resolvers and the same house is afterwards found in no file and no
answer. Run by `./test shield`, with VIGIE_BIN set. All of it on loopback."""

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from http.server import ThreadingHTTPServer
from pathlib import Path

from clearing_house import Stream, free_port, until, world
from edge_follow import SILENCE, BindIsp, House, UnboundIsp, everywhere
from edge_keep import blocked, opened

HARMED = [f"tv{n}.stream.example" for n in range(6, 11)]
CONTROLS = ["news.example", "mail.example", "shop.example"] + [f"www.{name}" for name in HARMED]
# A subscriber: where he asks from, what for.
MARKER, SUBSCRIBER = "marker-4711-0815.subscriber.example", "127.66.77.88"


class Front:
    """An ISP's resolver as its subscribers reach it: hands on to the real one, and withholds what it is told to."""

    def __init__(self, behind):
        self.behind, self.withheld = behind, set()
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.port = self.udp.getsockname()[1]
        self.tcp = socket.create_server(("127.0.0.1", self.port), backlog=256)
        threading.Thread(target=self.datagrams, daemon=True).start()
        threading.Thread(target=self.streams, daemon=True).start()

    def answer(self, query, tcp):
        end, labels = 12, []
        while query[end]:
            labels.append(query[end + 1 : end + 1 + query[end]].decode())
            end += query[end] + 1
        if ".".join(labels) in self.withheld:
            return query[:2] + b"\x81\x83\0\1\0\0\0\0\0\0" + query[12 : end + 5]
        if tcp:
            with socket.create_connection(self.behind, 2) as stream:
                stream.sendall(len(query).to_bytes(2, "big") + query)
                got = stream.makefile("rb")
                return got.read(int.from_bytes(got.read(2), "big"))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.settimeout(2)
            udp.sendto(query, self.behind)
            return udp.recv(4096)

    def datagrams(self):
        def one(query, sender):
            try:
                self.udp.sendto(self.answer(query, False), sender)
            except OSError:
                pass

        while True:
            threading.Thread(target=one, args=self.udp.recvfrom(1500), daemon=True).start()

    def streams(self):
        def one(stream):
            try:
                with stream:
                    got = stream.makefile("rb")
                    reply = self.answer(got.read(int.from_bytes(got.read(2), "big")), True)
                    stream.sendall(len(reply).to_bytes(2, "big") + reply)
            except OSError:
                pass

        while True:
            threading.Thread(target=one, args=(self.tcp.accept()[0],), daemon=True).start()


def found(house, name):
    """By ISP, what the log says of a name."""
    try:
        lines = house.shield("measured", name, "--json").splitlines()
    except AssertionError:
        return {}
    return {line["isp"]: line["found"] for line in map(json.loads, lines)}


def figures(house):
    return {line["isp"]: line for line in map(json.loads, house.shield("measured", "--json").splitlines())}


def probes(house, fronts, upstream):
    """Their keys, the house's settings, and each probe's own."""
    house.vigie("party", "add", "fibre", "--name", "Fibre", "--sector", "isp", "--by", "vera")
    house.vigie("party", "add", "lab", "--name", "Lab", "--sector", "other", "--by", "vera")
    text = f'listen = "127.0.0.1:{house.measure}"\ncontrols = "controls.txt"\n'
    where = {name: f"127.0.0.1:{front.port}" for name, front in fronts.items()} | {"free": f"127.0.0.1:{upstream}"}
    for name in where:
        of = "unblocked = true" if name == "free" else f'isp = "{name}"'
        text += f'[[probe]]\nkey = "{name}-probe"\n{of}\n'
    (house.work / "measure.toml").write_text(text)
    (house.work / "controls.txt").write_text("# what nobody is to block\n" + "\n".join(CONTROLS) + "\n")
    for name, resolver in where.items():
        folder = house.work.parent / f"probe-{name}"
        folder.mkdir()
        (folder / "key").write_text(house.vigie("party", "key", f"{name}-probe", "--organisation", "lab", "--role", "probe", "--by", "vera"))
        (folder / "key").chmod(0o600)
        (folder / "probe.toml").write_text(f'url = "https://127.0.0.1:{house.measure}"\nkey_file = "key"\n'
                                           f'ca_file = "{house.work}/tls.pem"\nresolver = "{resolver}"\n')


def probe(house, name):
    folder = house.work.parent / f"probe-{name}"
    log = open(folder / "probe.log", "a")
    process = subprocess.Popen([os.environ["VIGIE_BIN"], "probe", "run", "--config", "probe.toml"], cwd=folder, stdout=log, stderr=log)
    house.started.append(process)
    return process


def serve_again(house, how):
    house.serving.send_signal(how)
    house.serving.wait()
    house.serve()


def measured_times(house, isps):
    """Three names are blocked and lifted: each is measured, and soon."""
    for n in range(3):
        name = f"tv{n}.stream.example"
        ticket = house.release(name)
        everywhere(isps, f"{name} is blocked", lambda isp: blocked(isp, name), 10)
        until(f"{name} is measured to be blocked", lambda: set(found(house, name).values()) == {"blocked"}, 15)
        time.sleep(2)
        house.lift(ticket)
        everywhere(isps, f"{name} is open", lambda isp: opened(isp, name), 10)
        until(f"{name} is measured to be open", lambda: set(found(house, name).values()) == {"unblocked"}, 15)
    for isp, of in figures(house).items():
        for what in ("blocked", "unblocked"):
            # The first name's block waited for the resolver's own first transfer.
            assert of[what]["measured"] == 4 and 0 <= of[what]["p50_ms"] < 5_000, (isp, of)
            print(f"measured: {isp}: {what} in p50 {of[what]['p50_ms']} ms, p99 {of[what]['p99_ms']} ms")


def stands_still(house, isps):
    """An ISP whose follow stands still is named, within a minute and some seconds; then it blocks."""
    still = isps[1]
    still.children["follow"].send_signal(signal.SIGSTOP)
    # Before its keep lets all go for the feed's silence, nothing new is blocked there.
    name = "late.stream.example"
    house.release(name)
    until("who blocks is measured", lambda: found(house, name).get("tower") == "blocked", 15)
    until("who does not is named", lambda: found(house, name).get("fibre") == "still_open", 90)
    assert figures(house)["fibre"]["behind"] == [{"value": name, "found": "still_open"}], figures(house)
    still.children["follow"].send_signal(signal.SIGCONT)
    until("it blocks at last", lambda: found(house, name).get("fibre") == "blocked", 60)
    late = figures(house)["fibre"]["blocked"]
    assert late["p99_ms"] > 60_000, late


def controls_fail(house, fronts, first):
    """What one probe sees lifts nothing; what two see lifts what explains it; too many stop all."""
    tickets = {name: house.release(name) for name in HARMED}
    until("all are measured", lambda: all(set(found(house, name).values()) == {"blocked"} for name in HARMED), 30)
    guilty = HARMED[0]
    fronts["tower"].withheld.add(f"www.{guilty}")
    time.sleep(12)
    assert all(house.stage(ticket) == "in_force" for ticket in tickets.values()), "one probe alone lifts nothing"
    fronts["fibre"].withheld.add(f"www.{guilty}")
    until("two probes lift it", lambda: house.stage(tickets[guilty]) == "ended", 40)
    assert house.items(tickets[guilty])[0]["ended"] == "lifted"
    others = [ticket for name, ticket in tickets.items() if name != guilty]
    assert all(house.stage(ticket) == "in_force" for ticket in [*others, first]), "only what explains it"
    alarm = f"ALARM: two probes miss the control www.{guilty}; {guilty} explains it"
    until("it is told", lambda: alarm in (house.work / "serve.log").read_text(), 5)
    # Three at the most within five minutes; more is for a person to see.
    for front in fronts.values():
        front.withheld.update(f"www.{name}" for name in HARMED)
    log = house.work / "serve.log"
    until("the rest stands, and all stops", lambda: sum(house.stage(t) == "in_force" for t in others) == 2, 60)
    time.sleep(8)
    assert sum(house.stage(ticket) == "in_force" for ticket in others) == 2, log.read_text()[-2000:]
    # The stop is there: one person's word is taken, and resumes nothing.
    house.shield("resume", "all", "--grounds", "looked at", "--as", "vera")


def no_subscriber(house, isps, fronts):
    """Asks the same resolvers, from an address of his own, and says at the house what he asks."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in MARKER.split("."))
    query = b"\x47\x11\1\0\0\1\0\0\0\0\0\0" + labels + b"\0\0\1\0\1"
    for port in [isp.port for isp in isps] + [front.port for front in fronts.values()]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind((SUBSCRIBER, 0))
            udp.settimeout(3)
            udp.sendto(query, ("127.0.0.1", port))
            assert udp.recv(2000)[3] & 15 == 0
    context = ssl.create_default_context(cafile=str(house.work / "tls.pem"))
    secret = (house.work.parent / "probe-tower/key").read_text().strip()
    report = json.dumps({"answers": [{"name": MARKER, "said": "open", "age_ms": 3, "address": SUBSCRIBER}]})
    odd = json.dumps({"answers": [], "client": SUBSCRIBER})
    said = b""
    for key, body, status in ((secret, report, 200), (secret, odd, 400), ("vsk_none", report, 401), (house.key.strip(), report, 403)):
        call = http.client.HTTPSConnection("127.0.0.1", house.measure, timeout=5, context=context, source_address=(SUBSCRIBER, 0))
        call.request("POST", "/measure", body, {"Authorization": f"Bearer {key}"})
        answer = call.getresponse()
        assert answer.status == status, (answer.status, answer.read())
        said += answer.read()
    time.sleep(3)
    said += house.shield("measured", "--json").encode()
    return said


def nowhere(root, said):
    """Neither he nor what he asked is in any file, as text or as bytes."""
    marks = [MARKER.encode(), b"marker-4711", SUBSCRIBER.encode(), socket.inet_aton(SUBSCRIBER)]
    assert not any(mark in said for mark in marks[:3]), said
    seen = 0
    for path in Path(root).rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            seen += 1
            for mark in marks:
                # Four bytes may stand anywhere by chance: of the address as bytes the small files count.
                if len(mark) > 4 or len(data) < 100_000:
                    assert mark not in data, (path, mark)
    assert seen > 20, seen


def course(house, isps, fronts, upstream, root):
    house.measure = free_port()
    (house.work / "measure.toml").write_text(f'listen = "127.0.0.1:{house.measure}"\n')
    house.more = ("--measure", "measure.toml")
    house.begin(house.stream, upstream)
    probes(house, fronts, upstream)
    serve_again(house, signal.SIGTERM)
    assert "Probes report at https://127.0.0.1" in (house.work / "serve.log").read_text()
    for isp in isps:
        isp.settle(house, ["real"])
        isp.keep()
        isp.resolver()
        isp.follow()
    assert house.shield("measured").startswith("No ISP was measured yet")
    running = {name: probe(house, name) for name in (*fronts, "free")}
    for name in running:
        log = house.work.parent / f"probe-{name}/probe.log"
        until(f"{name} reports", lambda: "reports go through" in log.read_text(), 15)
    first = house.release("first.stream.example")
    until("the first is measured", lambda: found(house, "first.stream.example") == {"fibre": "blocked", "tower": "blocked"}, 60)
    house.lift(first)
    until("and lifted", lambda: set(found(house, "first.stream.example").values()) == {"unblocked"}, 30)
    began = figures(house)
    # What was found is in the log: killed, and there again.
    serve_again(house, signal.SIGKILL)
    assert figures(house) == began
    house.vigie("verify", "shield")
    everywhere(isps, "the new epoch is followed", lambda isp: isp.status().get("epoch") == 3, 40)
    measured_times(house, isps)
    stands_still(house, isps)
    controls_fail(house, fronts, house.release("stays.stream.example"))
    said = no_subscriber(house, isps, fronts)
    for name, process in running.items():
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0, name
    house.serving.send_signal(signal.SIGTERM)
    house.serving.wait(20)
    house.vigie("verify", "shield")
    nowhere(root, said)



def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stream)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    upstream = world()
    with tempfile.TemporaryDirectory() as work:
        for folder in ("house", "unbound", "bind"):
            (Path(work) / folder).mkdir()
        house = House(f"{work}/house")
        house.stream = server.server_port
        isps = [UnboundIsp(f"{work}/unbound", upstream, SILENCE), BindIsp(f"{work}/bind", upstream, SILENCE)]
        fronts = {"tower": Front(isps[0].server), "fibre": Front(isps[1].server)}
        try:
            course(house, isps, fronts, upstream, work)
        except BaseException:
            for log in sorted(Path(work).glob("*/*.log")):
                print(f"--- {log.parent.name}: {log.name}\n" + log.read_text()[-3000:])
            raise
        finally:
            house.end()
            for isp in isps:
                isp.end()
    print("measured: who blocks, how soon, and who does not; controls lift what explains them, and nobody is watched")


if __name__ == "__main__":
    main()
