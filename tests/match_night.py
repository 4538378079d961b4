"""The practice range's match night: streams are taken by the probe as media and innocents as pages; two ranges stand
beside one another; what a killed one left is cleared by the next, and nothing else is; and the tour of docs/shield.md,
run out of the document. Run by `./test shield`, with VIGIE_BIN set. It takes root: network namespaces of this machine,
none with a way out."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

from clearing_house import until
from documents import Walk, blocks

VIGIE = os.environ.get("VIGIE_BIN", "vigie")
# From a busy machine too.
BEGINS = 90


def said(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, (words, done)
    return done.stdout


def spaces():
    """Our ranges' namespaces, by range."""
    found = {}
    for line in said("ip", "netns", "list").splitlines():
        name = line.split(" ")[0]
        if match := re.fullmatch(r"vigie-range-(\d+)-(.+)", name):
            found.setdefault(int(match[1]), set()).add(match[2])
    return found


class Night:
    """A range that runs."""

    def __init__(self, work, name, *words):
        self.log = Path(work) / f"{name}.jsonl"
        self.errors = Path(work) / f"{name}.err"
        self.process = subprocess.Popen([VIGIE, "range", "serve", "--json", "--out", name, *words], cwd=work,
                                        stdout=open(self.log, "w"), stderr=open(self.errors, "w"))
        self.id = self.process.pid

    def begun(self):
        until("the range runs", lambda: self.process.poll() is not None or '"house"' in self.log.read_text(), BEGINS)
        assert self.process.poll() is None, self.errors.read_text()
        self.documents = [json.loads(line) for line in self.log.read_text().splitlines()]
        return self

    def kind(self, kind):
        return [document for document in self.documents if document["kind"] == kind]

    def end(self, how=signal.SIGINT):
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(30)

    def at(self, place, *words, code=0):
        done = subprocess.run([VIGIE, "range", "run", "--range", str(self.id), place, *words], capture_output=True,
                              text=True, timeout=60)
        assert done.returncode == code, (place, words, done)
        return done.stdout if code == 0 else done.stderr

    def dig(self, home, name):
        return self.at(home, "dig", "+short", "+tries=1", "+time=3", name).strip()


def without_root(work):
    done = subprocess.run([VIGIE, "range", "serve", "--out", f"{work}/no"], capture_output=True, text=True, user=65534)
    assert done.returncode == 3 and "takes root" in done.stderr and "sudo" in done.stderr, done
    done = subprocess.run([VIGIE, "range", "run", "home-1", "true"], capture_output=True, text=True, user=65534)
    assert done.returncode == 3 and "takes root" in done.stderr, done
    assert not Path(work, "no").exists()


def misuse(work):
    for words in (["--isps", "0"], ["--isps", "9"], ["--scenario", "small"]):
        done = subprocess.run([VIGIE, "range", "serve", *words], cwd=work, capture_output=True, text=True)
        assert done.returncode == 2, done
    Path(work, "letter").mkdir()
    Path(work, "letter/dear").write_text("x")
    done = subprocess.run([VIGIE, "range", "serve", "--out", "letter"], cwd=work, capture_output=True, text=True)
    assert done.returncode == 2 and "something else" in done.stderr, done
    done = subprocess.run([VIGIE, "range", "run", "--range", "1", "home-1", "true"], capture_output=True, text=True)
    assert done.returncode == 2 and "no such practice range" in done.stderr, done


def seen_by_the_probe(work, night):
    """Every stream is media, every innocent a page, and nobody asks beyond the range."""
    env = dict(os.environ, VIGIE_HOME=f"{work}/probe-home")
    env.pop("VIGIE_CASE", None)
    Path(work, "hosts.txt").write_text("198.18.0.7\n")
    run = lambda *words: subprocess.run(words, cwd=work, env=env, capture_output=True, text=True, timeout=300)
    assert run(VIGIE, "open", "hosts.txt").returncode == 0
    sites = night.kind("stream") + night.kind("innocent")
    hosts = [word for site in sites for word in ("--host", site["name"])]
    day = (datetime.now(timezone.utc) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%MZ")
    granted = run(VIGIE, "authorise", "--basis", "practice", "--signer", "nobody", *hosts, "--host", "198.18.0.0/15", "--host", "2001:db8::/32",
                  "--method", "capture-page", "--method", "capture-playlist", "--method", "capture-address",
                  "--rate", "600", "--until", day)
    assert granted.returncode == 0, granted
    capture = [VIGIE, "range", "run", "--range", str(night.id), "house", VIGIE, "capture", "--json", "--authorisation",
               granted.stdout.split()[1], "--resolver", night.kind("range")[0]["names"]]
    secure = [site["url"].replace("http:", "https:") for site in night.kind("stream")]
    own, shared = night.kind("stream")[0]["address"], night.kind("stream")[1]["address"]
    done = run(*capture, *(site["url"] for site in sites), *secure, own, shared)
    assert done.returncode == 0, done.stderr
    took = {line["item"]: line["outcome"] for line in map(json.loads, done.stdout.splitlines())}
    for site in sites:
        assert took[site["url"]] == ("media" if site["kind"] == "stream" else "answered 200"), (site, took)
    assert {took[url] for url in secure} == {"media"}, took
    # Its own address shows a page to whom names nobody; a shared one shows nobody's site.
    assert took[own] == "answered 200" and took[shared] == "answered 404", took


def plays(work, night):
    """FFmpeg takes the stream for what it is."""
    if subprocess.run(["sh", "-c", "command -v ffprobe"], capture_output=True).returncode:
        print("SKIPPED: ffprobe is not installed, so no player was asked about the stream")
        return
    url = night.kind("stream")[0]["url"]
    shown = night.at("home-1", "ffprobe", "-v", "error", "-show_entries", "stream=codec_name,width,height", "-of",
                     "csv=p=0", url)
    assert {line.strip(",") for line in shown.split()} == {"mpeg2video,352,288"}, shown


def as_subscribers(night):
    for isp in night.kind("isp"):
        for site in night.kind("stream") + night.kind("innocent"):
            assert night.dig(isp["home"], site["name"]) == site["address"], (isp, site)
            if six := site["address6"]:
                assert night.at(isp["home"], "dig", "+short", site["name"], "AAAA").strip() == six, (isp, site)
        innocent = night.kind("innocent")[0]
        for way in ("-4", "-6") if innocent["address6"] else ("-4",):
            page = night.at(isp["home"], "curl", way, "-sS", "--max-time", "5", innocent["url"])
            assert "Nothing streams here" in page, page
        assert night.dig(isp["home"], "nobody.example") == ""
        # Nothing leads out: neither to the machine that this runs on, nor beyond it.
        for beyond in ("192.0.2.1", "203.0.113.1", "2001:db8:ffff::1"):
            night.at(isp["name"], "ip", "route", "get", beyond, code=2)
        assert "no place" in night.at("home-9", "true", code=2)
    assert night.at("home-1", "sh", "-c", "exit 7", code=7) == ""


def side_by_side(work):
    """Two at once, neither knows of the other; and the machine's own network is as it was."""
    before = said("ip", "-brief", "address")
    one, two = Night(work, "one"), Night(work, "two", "--isps", "1", "--seed", "2")
    try:
        one.begun(), two.begun()
        assert said("ip", "-brief", "address") == before
        assert one.kind("isp")[0]["resolver"] == "Unbound" and one.kind("isp")[1]["resolver"] == "BIND"
        assert len(two.kind("isp")) == 1 and one.kind("stream")[0]["name"] != two.kind("stream")[0]["name"]
        third = subprocess.run([VIGIE, "range", "serve", "--out", "one"], cwd=work, capture_output=True, text=True)
        assert third.returncode == 2 and "which runs" in third.stderr, third
        which = subprocess.run([VIGIE, "range", "run", "home-1", "true"], capture_output=True, text=True)
        assert which.returncode == 2 and "--range" in which.stderr, which
        assert spaces()[one.id] == {"world", "house", "isp-1", "home-1", "isp-2", "home-2"}, spaces()
        as_subscribers(one)
        assert one.dig("home-1", two.kind("stream")[0]["name"]) == ""
        seen_by_the_probe(work, one)
        plays(work, one)
        # A resolver that is killed is told of, and nothing else ends by it.
        pids = said("ip", "netns", "pids", two.kind("isp")[0]["space"]).split()
        os.kill(int(pids[0]), signal.SIGKILL)
        until("it is told", lambda: "Unbound of isp-1 has ended" in two.errors.read_text(), 10)
        assert "Nothing streams here" in two.at("house", "curl", "-sS", f"http://{two.kind('innocent')[-1]['address']}/")
        assert two.end(signal.SIGHUP) == 0
        assert two.id not in spaces() and one.id in spaces()
        assert one.dig("home-2", "news.example") != ""
    finally:
        codes = one.end(signal.SIGTERM), two.end()
    assert codes == (0, 0), codes
    assert not {one.id, two.id} & set(spaces())
    assert not [name for name in os.listdir("/etc/netns") if name.startswith((f"vigie-range-{one.id}", f"vigie-range-{two.id}"))]
    assert not Path("/run/vigie-range", str(one.id)).exists()


def killed(work):
    """What a killed range left is cleared by the next one; what is others' stays."""
    strange = f"vigie-range-{os.getpid()}-mine"
    said("ip", "netns", "add", strange)
    try:
        lives, dies = Night(work, "lives", "--isps", "1").begun(), Night(work, "dies", "--isps", "2").begun()
        left = [pid for isp in dies.kind("isp") for pid in said("ip", "netns", "pids", isp["space"]).split()]
        dies.end(signal.SIGKILL)
        assert dies.id in spaces() and left
        again = Night(work, "dies", "--isps", "1").begun()
        assert again.kind("range")[0]["cleared"] >= 1, again.documents[0]
        assert dies.id not in spaces() and {lives.id, again.id} <= set(spaces()), spaces()
        # One that ended is seen until the system's first process has taken note of it.
        until("its resolvers end", lambda: not [pid for pid in left if Path("/proc", pid).exists()], 15)
        assert not Path("/run/vigie-range", str(dies.id)).exists()
        assert strange in said("ip", "netns", "list") and lives.dig("home-1", "news.example") != ""
        assert (again.end(), lives.end()) == (0, 0)
        # Ended while it begins: nothing of it is left.
        brief = Night(work, "brief")
        until("it begins", lambda: brief.id in spaces() or brief.process.poll() is not None, BEGINS)
        assert brief.end() == 0 and brief.id not in spaces()
    finally:
        said("ip", "netns", "delete", strange)


def tour(aloud=False):
    assert not spaces(), f"the tour speaks of the one range that runs, and others do: {sorted(spaces())}; end them first"
    found = blocks("shield.md", "The tour: one match night")
    assert len(found) > 8, "the tour has its commands in ```sh, what they show in ```text"
    with tempfile.TemporaryDirectory() as work:
        Walk("the tour of docs/shield.md", found, work, VIGIE, patience=400, aloud=aloud).run()


def main():
    if os.geteuid() != 0:
        print("SKIPPED: the match night takes root; neither it nor the tour of docs/shield.md was run")
        return
    with tempfile.TemporaryDirectory() as work:
        os.chmod(work, 0o755)
        without_root(work)
        misuse(work)
        side_by_side(work)
        killed(work)
    print("the match night: streams and innocents, two at once, and what a killed one left is cleared")
    tour()


if __name__ == "__main__":
    if sys.argv[1:] == ["tour"]:
        tour(aloud=True)
    else:
        main()
