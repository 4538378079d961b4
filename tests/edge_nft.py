"""`vigie edge keep` and `follow` on a router with nftables, with the settings of docs/edge: what a client behind the
router reaches, and what happens when keep, follow, both or the firewall's rules are gone. Run by `./test shield`, as
root, with VIGIE_BIN set, in network namespaces of its own."""

import json
import signal
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import edge_follow
import edge_keep
from clearing_house import logs, until, world
from edge_keep import DOCS, Follower, until_log, vigie
from spaces import World, own_network

# Of the kernel's elements, and of the feed.
LEASE, SILENCE = 6, 6
ALL = [("198.51.100.7", 80), ("198.51.100.8", 80), ("198.51.100.8", 443), ("2001:db8:b::7", 80),
       ("2001:db8:b::8", 80), ("2001:db8:b::8", 443)]
BLOCKS = ["198.51.100.7", "198.51.100.8:443", "2001:db8:b::7", "[2001:db8:b::8]:443"]
OTHERS = "table inet theirs {\n\tset v4 {\n\t\ttype ipv4_addr\n\t\telements = { 198.51.100.77 }\n\t}\n}\n"


def nft(line, check=True):
    done = subprocess.run(["nft", line], capture_output=True, text=True)
    assert done.returncode == 0 or not check, (line, done)
    return done.stdout


class Router(edge_follow.Follows, edge_keep.Bench):
    """keep and follow beside this namespace's firewall; no resolver."""

    name = "nftables"
    dropins = ("vigie-keep-nft.conf", "vigie-keep-no-unbound.conf")

    def __init__(self, work, silence=SILENCE, mode="enforce"):
        super().__init__(work, 0, silence)
        text = (self.work / "keep.toml").read_text()
        more = (DOCS / "keep-nft.toml.example").read_text()
        for old, new in (('mode = "observe"', f'mode = "{mode}"'), ("lease_s = 30", f"lease_s = {LEASE}")):
            assert more.count(old) == 1, old
            more = more.replace(old, new)
        at = text.index("resolvers = ")
        text = text[:at] + "resolvers = []\n" + text[text.index("\n", at) + 1 :]
        own = 'protected = ["*.isp.example # our portal and help desk"]'
        assert text.count(own) == 1, text
        text = text.replace(own, 'protected = ["*.isp.example", "203.0.113.0/24"]\npractice = true')
        (self.work / "keep.toml").write_text(text + more)

    def driver(self):
        return json.loads(vigie(self, "status", "--json"))["drivers"][0]


def wrong(world):
    """What is not as it should be while exactly `BLOCKS` are blocked."""
    return [(address, port) for address, port in ALL
            if world.open(address, port) == (address.endswith("7") or port == 443)]


def shut(world):
    """Exactly what is blocked, and nothing beside it."""
    return not wrong(world)


def all_open(world):
    return all(world.open(*one) for one in ALL)


def begin(bench, world, seconds=600):
    follower = Follower(bench.run)
    for value in BLOCKS:
        follower.block(value, seconds)
    follower.say("whole")
    until("all four are blocked", lambda: shut(world), 3)
    return follower


def course(bench, world):
    nft(OTHERS)
    theirs = nft("list table inet theirs")
    bench.keep()
    assert all_open(world)
    follower = begin(bench, world)

    # One by one, and what lies beside it stays open; a lift opens.
    for value in BLOCKS:
        follower.lift(value)
    until("all are open", lambda: all_open(world), 3)
    times = {"blocked": [], "open": []}
    for _ in range(5):
        follower.block("198.51.100.7")
        times["blocked"].append(until("it is blocked", lambda: not world.open("198.51.100.7"), 2.0))
        assert world.open("198.51.100.8") and world.open("2001:db8:b::7")
        follower.lift("198.51.100.7")
        times["open"].append(until("it is open", lambda: world.open("198.51.100.7"), 2.0))
    for what, all_ in times.items():
        print(f"measured: nftables: {what}: {statistics.median(all_) * 1000:.0f} ms")

    # What may not be blocked is not.
    for value, word in (("198.51.100.0/24", "cidr"), ("2001:db8:b::/64", "cidr"), ("198.51.100.7/32", "cidr"),
                        ("203.0.113.9", "protected"), ("203.0.113.9:80", "protected"), ("127.0.0.1", "special"),
                        ("10.0.0.1", "special"), ("198.51.100.7:0", "port")):
        assert follower.block(value, answer="refused")["word"] == word, value
    assert world.open("203.0.113.9")

    # Its own deadline, the follower gone; and the silence for the rest. Past a lease it is renewed meanwhile.
    for value in BLOCKS:
        follower.block(value)
    time.sleep(LEASE + 1)
    assert not wrong(world), wrong(world)
    assert bench.driver()["holds"] == 4, bench.driver()
    begun = time.monotonic()
    follower.block("198.51.100.8", 3)
    until("it is blocked, too", lambda: not world.open("198.51.100.8"), 2.0)
    follower.close()
    until("its own deadline", lambda: world.open("198.51.100.8"), 5)
    took = time.monotonic() - begun
    # Where keep wrote it anew in its last moments, the kernel holds it that much longer.
    until("the rest is blocked, and it is not", lambda: shut(world), 0.5)
    assert 2.8 <= took <= 4, took
    until("silence opens all", lambda: all_open(world), SILENCE + 3)

    # Somebody removes our table, or a rule of it, or sets another in its place.
    follower = begin(bench, world)
    for harm, says in (("flush ruleset", "is gone"), ("flush chain inet vigie forward", "somebody changed"),
                       ("flush chain inet vigie forward; flush set inet vigie v4", "somebody changed")):
        nft(harm)
        took = until(f"{harm}: its blocks are back", lambda: shut(world), 5)
        assert "ALARM: nft:" in until_log(bench, says)
        print(f"measured: nftables: {harm}: back after {took:.1f} s")
    until_log(bench, "nft: well again")
    nft("delete table inet vigie; add table inet vigie; add chain inet vigie theirs")
    until("the alarm stands", lambda: "not made by vigie" in (bench.driver()["alarm"] or ""), 5)
    assert "ALARM: nft" in vigie(bench, "status")
    time.sleep(2)
    assert "chain theirs" in nft("list table inet vigie") and all_open(world)
    nft("delete table inet vigie")
    until("its blocks are back", lambda: shut(world), 5)
    until("and the alarm is over", lambda: bench.driver()["alarm"] is None, 5)

    # keep is killed and back at once: it begins empty, in a table of its own; then it is told anew.
    nft(OTHERS)
    bench.kill("keep")
    assert shut(world), "the kernel holds it for its lease"
    bench.keep()
    until("it begins empty", lambda: all_open(world), 3)
    follower = begin(bench, world)

    # keep is killed, and not back: the kernel's clocks open.
    bench.kill("keep")
    begun = time.monotonic()
    assert shut(world)
    until("the kernel's clocks open", lambda: all_open(world), LEASE + 2)
    print(f"measured: nftables: keep killed: open after {time.monotonic() - begun:.1f} s, with a lease of {LEASE} s")

    # The flush opens at once, and leaves nothing of ours behind.
    bench.keep()
    begin(bench, world)
    bench.kill("keep")
    assert bench.unit.run("ExecStopPost")
    assert all_open(world) and nft("list tables") == "table inet theirs\n"
    assert bench.unit.run("ExecStopPost")

    # An orderly end opens all, and leaves nothing behind either.
    bench.keep()
    begin(bench, world)
    assert bench.kill("keep", signal.SIGTERM) == 0
    assert all_open(world) and nft("list tables") == "table inet theirs\n"
    assert nft("list table inet theirs") == theirs


def observing(bench, world):
    """It counts, and touches no rule."""
    before = nft("list ruleset")
    bench.keep()
    follower = Follower(bench.run)
    follower.block("198.51.100.7")
    time.sleep(1.5)
    assert nft("list ruleset") == before and world.open("198.51.100.7")
    status = json.loads(vigie(bench, "status", "--json"))
    assert status["addresses"] == 1 and status["drivers"][0]["observe"], status
    assert "nft: observes" in vigie(bench, "status")
    assert bench.kill("keep", signal.SIGTERM) == 0


def followed(house, bench, world):
    """A real clearing house, follow and keep: whoever dies, all is open in time."""
    seven = "198.51.100.7"
    # One port of it, and no other.
    blocked = lambda: not world.open(seven, 8080) and world.open(seven, 80)
    bench.settle(house, ["real"])
    bench.keep()
    bench.follow()
    report(house, seven)
    until("it is blocked", blocked, 10)
    assert world.open("198.51.100.8")
    until("follow says so", lambda: bench.status().get("addresses") == 1 and bench.status()["keep"]["takes_addresses"])
    assert not bench.status()["alarms"], bench.status()

    # keep killed, and back: told all anew.
    bench.kill("keep")
    bench.keep()
    until("it is blocked again", blocked, 10)

    # The rules are flushed: follow has the alarm, too, while they cannot be made anew.
    nft("add table inet vigie; delete table inet vigie; add table inet vigie")
    until("follow has the alarm", lambda: "driver" in bench.alarms(), 20)
    nft("delete table inet vigie")
    until("it is blocked again", blocked, 5)
    until("the alarm is over", lambda: not bench.alarms(), 20)

    # keep alone, then both, then follow alone.
    for dead, most in ((["keep"], LEASE + 2), (["keep", "follow"], LEASE + 2), (["follow"], edge_follow.SILENCE + 5)):
        for name in dead:
            bench.kill(name)
        begun = time.monotonic()
        assert blocked()
        until(f"{dead} dead: open", lambda: world.open(seven, 8080), most)
        print(f"measured: nftables: {' and '.join(dead)} killed: open after {time.monotonic() - begun:.1f} s")
        if "keep" in dead:
            bench.keep()
        if "follow" in dead:
            bench.follow()
        until("it is blocked again", blocked, 20)
    for name in ("follow", "keep"):
        assert bench.kill(name, signal.SIGTERM) == 0
    assert world.open(seven, 8080)


def report(house, address):
    house.shield("report", "--order", "7/26", "--event", "final", "--work", "serie-a", "--as", "lea",
                 f"{address}:8080")
    ticket, house.tickets = house.tickets, house.tickets + 1
    # An address is never let in by who reported it alone; at once, its host unheard, only with grounds.
    until(f"{address} is held", lambda: house.stage(ticket) == "held", 20)
    house.shield("approve", f"{ticket}/0", "--capture", house.items(ticket)[0]["capture"], "--grounds", "a test",
                 "--as", "vera")
    until(f"{address} is in force", lambda: house.stage(ticket) == "in_force", 20)


def main():
    own_network()
    between, upstream = World(), world()
    with tempfile.TemporaryDirectory() as work:
        for folder in ("plain", "observing", "house", "isp"):
            (Path(work) / folder).mkdir()
        house = edge_follow.House(f"{work}/house")
        house.hosts = ("--host", "198.51.100.0/24:*", "--method", "capture-address")
        benches = [Router(f"{work}/plain"), Router(f"{work}/observing", mode="observe"),
                   Router(f"{work}/isp", edge_follow.SILENCE)]
        try:
            with logs(work):
                course(benches[0], between)
                observing(benches[1], between)
                house.begin(8080, upstream)
                followed(house, benches[2], between)
        finally:
            house.end()
            for bench in benches:
                bench.end()
            between.end()
    print("edge: nftables holds what keep says, and the kernel lets go of it by itself")


if __name__ == "__main__":
    main()
