"""What systemd does with a unit of docs/edge, where there is none: the very lines of its file and drop-ins are run, as
systemd.service(5) says, and nothing beside them."""

import os
import re
import shlex
import shutil
import subprocess
import threading
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs/edge"
# Where docs/edge.md has them installed.
LIB, ETC, BIN = "/usr/local/lib/vigie/", "/etc/vigie/", "/usr/local/bin/vigie"


class Unit:
    """A unit with drop-ins, its commands run in a folder; `env` is all that they have of an environment, beside PATH."""

    def __init__(self, work, name, dropins=(), env=None):
        self.work, self.env = Path(work), {"PATH": os.environ["PATH"], **(env or {})}
        self.lib = self.work / "lib"
        self.lib.mkdir(exist_ok=True)
        for script in DOCS.glob("*-flush"):
            shutil.copy(script, self.lib)
        # systemd reads drop-ins in the order of the names under which they are installed.
        texts = {(DOCS / one).read_text().split(":")[0]: (DOCS / one).read_text() for one in dropins}
        for place in texts:
            assert place.startswith(f"# /etc/systemd/system/{name}.d/"), place
        self.text = (DOCS / name).read_text() + "".join(text for _, text in sorted(texts.items()))

    def values(self, key):
        """All that stands for a key; an empty one forgets those before it."""
        found = []
        for value in re.findall(rf"^{key}=(.*)$", self.text, re.M):
            found = [*found, value] if value else []
        return found

    def command(self, value):
        """The marks before a command, and its words with this test's places in the place of the machine's."""
        marks, line = re.fullmatch(r"([-+@:!]*)(/.*)", value).groups()
        words = shlex.split(line)
        if words[0] == BIN:
            words[0] = os.environ["VIGIE_BIN"]
        else:
            assert words[0].startswith(LIB), words
            words[0] = str(self.lib / words[0].removeprefix(LIB))
        return marks, [word.removeprefix(ETC) for word in words]

    def start(self):
        (one,) = self.values("ExecStart")
        return self.command(one)[1]

    def run(self, key):
        """Its lines in their order, and whether all of them did what they are for. One that fails ends them, but where
        `-` stands before it."""
        well = True
        for value in self.values(key):
            marks, words = self.command(value)
            # keep's own user may neither speak to a resolver's control socket nor change a firewall.
            assert "+" in marks, value
            done = subprocess.run(words, cwd=self.work, env=self.env, capture_output=True, text=True, timeout=60)
            with open(self.work / "unit.log", "a") as log:
                log.write(f"{value}: {done.returncode} {done.stdout}{done.stderr}\n")
            well = well and done.returncode == 0
            if not well and "-" not in marks:
                break
        return well


class Supervisor:
    """Begins a bench's keep, runs its ExecStartPost= when it says that it runs, its ExecStopPost= however it ends, and
    begins it again (Restart=always) - but not while it is held down: as where nothing can begin it any more."""

    def __init__(self, bench):
        self.bench, self.error = bench, None
        self.over, self.again, self.runs, self.stopped = (threading.Event() for _ in range(4))
        self.again.set()
        self.thread = threading.Thread(target=self.supervise, daemon=True)
        self.thread.start()

    def supervise(self):
        try:
            assert self.bench.unit.values("Restart") == ["always"], self.bench.unit.text
            while not self.over.is_set():
                self.bench.keep()
                child = self.bench.children["keep"]
                assert self.bench.unit.run("ExecStartPost"), "its ExecStartPost= fails"
                self.runs.set()
                child.wait()
                if self.over.is_set():
                    return
                self.runs.clear()
                self.bench.unit.run("ExecStopPost")
                self.stopped.set()
                self.over.wait(float(self.bench.unit.values("RestartSec")[0]))
                self.again.wait()
        except BaseException as error:
            self.error = error
            self.runs.set()

    def up(self):
        """Lets it begin, and waits until it runs."""
        self.stopped.clear()
        self.again.set()
        assert self.runs.wait(30) and self.error is None, self.error

    def down(self):
        """Its keep by `kill -9`, and not back. Its lines are run meanwhile."""
        assert self.error is None, self.error
        self.stopped.clear()
        self.again.clear()
        self.bench.kill("keep")

    def end(self):
        """From here on nobody looks after it: it runs on, and its end is whoever's who ends it."""
        assert self.error is None, self.error
        self.over.set()
        self.again.set()
