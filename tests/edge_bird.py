"""`vigie edge keep`, and `follow`, beside a BIRD, with the settings of docs/edge: what a router with a BIRD of its own
hears by BGP, and what it hears when keep, follow, both, BIRD or the feed is gone. Run by `./test shield`, as root, with
VIGIE_BIN set, in network namespaces of its own."""

import json
import os
import re
import signal
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import edge_follow
import edge_keep
import edge_nft
from clearing_house import until, world
from edge_keep import DOCS, Follower, until_log, vigie
from spaces import World, own_network
from units import Supervisor, Unit

SILENCE = 8
RTBH = {"198.51.100.7/32", "2001:db8:b::7/128"}
FLOW = {"dst 198.51.100.8/32; proto 6,17; dport 443;", "dst 2001:db8:b::8/128; next header 6,17; dport 443;"}
BLOCKS = ["198.51.100.7", "2001:db8:b::7", "198.51.100.8:443", "[2001:db8:b::8]:443"]


class Bird(edge_follow.Follows, edge_keep.Bench):
    """keep, BIRD beside it, and a BIRD that is a router in another namespace."""

    name = "BIRD"
    dropins = ("vigie-keep-bird.conf", "vigie-keep-no-unbound.conf")

    def __init__(self, work, space, silence=SILENCE):
        super().__init__(work, 0, silence)
        self.space, self.folder = space, self.work / "blocks"
        self.folder.mkdir()
        text = (self.work / "keep.toml").read_text()
        at = text.index("resolvers = ")
        text = text[:at] + "resolvers = []\npractice = true\n" + text[text.index("\n", at) + 1 :]
        more = (DOCS / "keep-bird.toml.example").read_text()
        for old, new in (('mode = "observe"', 'mode = "enforce"'), ("/run/vigie-bird", str(self.folder)),
                         ("/run/bird/bird.ctl", str(self.work / "bird.ctl")), ("flowspec = false", "flowspec = true")):
            assert more.count(old) == 1, old
            more = more.replace(old, new)
        (self.work / "keep.toml").write_text(text + more)

    def bird(self):
        text = (DOCS / "bird.conf.example").read_text().replace("/run/vigie-bird", str(self.folder))
        # A peer that is heard at once.
        (self.work / "bird.conf").write_text("router id 198.18.1.1;\nprotocol device {}\n" + text.replace(
            "multihop;", "multihop; connect delay time 1; error wait time 1, 2; connect retry time 1;"))
        self.start("bird", "bird", "-f", "-c", "bird.conf", "-s", "bird.ctl", "-P", "bird.pid")

    def router(self):
        """What an ISP's router does: takes what carries the community, and nothing wider than one address."""
        (self.work / "router.conf").write_text(
            "router id 198.18.1.2;\nprotocol device {}\nflow4 table f4;\nflow6 table f6;\nprotocol bgp shield {\n"
            "local 198.18.1.2 as 64512; neighbor 198.18.1.1 as 64512; multihop; connect delay time 1;"
            " error wait time 1, 2; connect retry time 1;\n"
            "ipv4 { import where (65535, 666) ~ bgp_community && net.len = 32; export none; };\n"
            "ipv6 { import where (65535, 666) ~ bgp_community && net.len = 128; export none; };\n"
            "flow4 { table f4; import all; export none; };\nflow6 { table f6; import all; export none; };\n}\n")
        log = open(self.work / "router.log", "a")
        self.space.start("bird", "-f", "-c", "router.conf", "-s", "router.ctl", "-P", "router.pid", cwd=self.work,
                         stdout=log, stderr=log)
        until("the router runs", lambda: (self.work / "router.ctl").exists(), 10)

    def heard(self):
        """What the router has from keep's BIRD, and whether all of it carries what it has to."""
        said = subprocess.run(["birdc", "-s", "router.ctl", "show route all"], cwd=self.work, capture_output=True,
                              text=True).stdout
        parts = re.split(r"^(?=\S+/\d+ |flow)", said, flags=re.M)[1:]
        got = set()
        for part in parts:
            rule = re.match(r"flow\d \{ (.*?) \}", part)
            if rule:
                assert "(generic, 0x80060000, 0x0)" in part, part
            else:
                assert "(65535,666)" in part and "(65535,65281)" in part, part
            got.add(rule[1] if rule else part.split()[0])
        return got

    def settings(self):
        # No Unbound of this machine's is touched: there is none.
        return {"UNBOUND_CONTROL": "false", "FILE": f"{self.work}/blocks/blocks.conf",
                "BIRDC": f"birdc -s {self.work}/bird.ctl"}

    def alarm(self):
        return json.loads(vigie(self, "status", "--json"))["drivers"][0]["alarm"]


def begin(bench):
    follower = Follower(bench.run)
    for value in BLOCKS:
        follower.block(value)
    follower.say("whole")
    until("the router hears all four", lambda: bench.heard() == RTBH | FLOW, 15)
    return follower


def gone(bench, what, most):
    took = until(what, lambda: bench.heard() == set(), most)
    print(f"measured: BIRD: {what}: {took * 1000:.0f} ms")


def course(bench):
    bench.router()
    # BIRD begins without keep's file, too.
    bench.bird()
    bench.keep()
    follower = begin(bench)
    for value in BLOCKS:
        follower.lift(value)
    gone(bench, "lifted, withdrawn", 3)
    times = {"blocked": [], "open": []}
    for _ in range(5):
        follower.block("198.51.100.7")
        times["blocked"].append(until("it is announced", lambda: bench.heard() == {"198.51.100.7/32"}, 3))
        follower.lift("198.51.100.7")
        times["open"].append(until("it is withdrawn", lambda: bench.heard() == set(), 3))
    for what, all_ in times.items():
        print(f"measured: BIRD: {what}: {statistics.median(all_) * 1000:.0f} ms")

    # Its own deadline, the follower gone; the silence for the rest.
    for value in BLOCKS:
        follower.block(value, 600 if value != "198.51.100.7" else 4)
    until("all four", lambda: bench.heard() == RTBH | FLOW, 3)
    follower.close()
    until("its own deadline", lambda: bench.heard() == (RTBH | FLOW) - {"198.51.100.7/32"}, 6)
    gone(bench, "the feed silent, withdrawn", SILENCE + 3)

    # BIRD is killed: the router lets go, and it is told anew when BIRD is back, by its file alone.
    follower = begin(bench)
    bench.kill("bird")
    gone(bench, "BIRD killed, withdrawn", 35)
    until("keep has the alarm", lambda: "does not answer" in (bench.alarm() or ""), 5)
    bench.bird()
    until("its blocks are back", lambda: bench.heard() == RTBH | FLOW, 20)
    until("the alarm is over", lambda: bench.alarm() is None, 5)

    # Somebody takes its file away, or the settings break: back, or the alarm is.
    (bench.folder / "blocks.conf").unlink()
    subprocess.run(["birdc", "-s", "bird.ctl", "configure"], cwd=bench.work, check=True, capture_output=True)
    until_log(bench, "ALARM: bird: BIRD has 0 of 4 routes")
    until("its blocks are back", lambda: bench.heard() == RTBH | FLOW, 5)
    with open(bench.work / "bird.conf", "a") as settings:
        settings.write("nonsense\n")
    follower.block("203.0.113.9")
    until("the alarm is there", lambda: "does not take its settings" in (bench.alarm() or ""), 5)
    assert bench.heard() == RTBH | FLOW
    text = (bench.work / "bird.conf").read_text()
    (bench.work / "bird.conf").write_text(text.replace("nonsense\n", ""))
    until("it is taken", lambda: "203.0.113.9/32" in bench.heard(), 5)
    until("the alarm is over", lambda: bench.alarm() is None, 5)

    # keep is killed, and not back: a route has no clock; the unit's flush withdraws all.
    bench.kill("keep")
    time.sleep(2)
    assert len(bench.heard()) == 5, "BIRD ends routes by itself now: mend docs/edge.md"
    assert bench.unit.run("ExecStopPost")
    gone(bench, "keep killed, the flush, withdrawn", 3)
    # Where a resolver's flush before it fails, as without an Unbound, it is run all the same.
    bench.keep()
    begin(bench)
    bench.kill("keep")
    both = Unit(bench.work, "vigie-keep.service", ("vigie-keep-bird.conf",), bench.settings())
    assert not both.run("ExecStopPost")
    gone(bench, "keep killed, another flush failing, withdrawn", 3)
    # keep is killed and back at once: it begins empty.
    bench.keep()
    begin(bench)
    bench.kill("keep")
    bench.keep()
    gone(bench, "keep killed and back, withdrawn", 5)
    # An orderly end.
    begin(bench)
    assert bench.kill("keep", signal.SIGTERM) == 0
    gone(bench, "keep's end, withdrawn", 2)
    assert "route" not in (bench.folder / "blocks.conf").read_text()


def followed(house, bench):
    """A real clearing house and follow: whoever dies, keep under its own unit, the router lets go in time."""
    rule = {"dst 198.51.100.7/32; proto 6,17; dport 8080;"}
    bench.settle(house, ["real"])
    bench.follow()
    supervisor = Supervisor(bench)
    try:
        supervisor.up()
        edge_nft.report(house, "198.51.100.7")
        for dead, most in ((["keep"], 10), (["keep", "follow"], 10), (["follow"], edge_follow.SILENCE + 5)):
            until("it is announced", lambda: bench.heard() == rule, 20)
            if "follow" in dead:
                bench.kill("follow")
            if "keep" in dead:
                supervisor.down()
            gone(bench, f"{' and '.join(dead)} killed, withdrawn", most)
            if "keep" in dead:
                assert supervisor.stopped.wait(10)
                supervisor.up()
            if "follow" in dead:
                bench.follow()
        until("it is announced again", lambda: bench.heard() == rule, 20)
    finally:
        supervisor.end()
    assert bench.kill("follow", signal.SIGTERM) == 0


def main():
    own_network()
    between, upstream = World(), world()
    with tempfile.TemporaryDirectory() as work:
        (Path(work) / "house").mkdir()
        house = edge_follow.House(f"{work}/house")
        house.hosts = ("--host", "198.51.100.0/24:*", "--method", "capture-address")
        bench = Bird(Path(work), between.server)
        try:
            course(bench)
            house.begin(8080, upstream)
            followed(house, bench)
        except BaseException:
            for log in sorted(Path(work).rglob("*.log")):
                print(f"--- {log.name}\n" + log.read_text()[-4000:])
            print(subprocess.run(["birdc", "-s", "router.ctl", "show protocols all"], cwd=work, capture_output=True,
                                 text=True).stdout[-3000:])
            raise
        finally:
            house.end()
            bench.end()
            between.end()
    print("edge: BIRD announces what keep says, and no longer")


if __name__ == "__main__":
    main()
