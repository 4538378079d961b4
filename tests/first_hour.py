"""The first hours of a regulator and of an ISP's engineer: docs/first-hour-regulator.md and docs/first-hour-isp.md are
walked as they stand, commands by a shell, pages by their forms; and what docs/edge.md installs is all that its units
name. Run by `./test shield`, with VIGIE_BIN set. All of it on loopback; as root in a network of its own, so that nothing
else's ports are in the way."""

import os
import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import spaces
from documents import DOCS, Walk, blocks

VIGIE = os.environ.get("VIGIE_BIN", "vigie")
REGULATOR, ISP = "first-hour-regulator.md", "first-hour-isp.md"
# Those that the documents name.
PORTS = (5354, 8053, 8054, 8090, 8485, 8486, 8490)


def free():
    for port in PORTS:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
            except OSError as why:
                raise AssertionError(f"the first hours speak of port {port}, which somebody has: {why}") from why


# What a machine of an ISP has beside the files: whoever would change this one does nothing.
STUBS = """set -euo pipefail
useradd() { :; }
systemctl() { :; }
sudo() { :; }
install() {
  local words=()
  while [ $# -gt 0 ]; do
    if [ "$1" = -o ]; then shift 2; else words+=("$1"); shift; fi
  done
  command install "${words[@]}"
}
"""


def installed():
    """The commands of docs/edge.md that set an ISP's machine up, below another root: what units name is there then."""
    commands = [text for kind, text, _ in blocks("edge.md", "Setting it up") if kind == "sh"]
    assert len(commands) >= 3, "docs/edge.md sets a machine up in blocks of ```sh"
    with tempfile.TemporaryDirectory() as root:
        for folder in ("etc/systemd/system", "usr/local/lib"):
            (Path(root) / folder).mkdir(parents=True)
        (Path(root) / "fibre-1.secret").write_text("vsk_0")
        script = STUBS + "".join(commands)
        script = script.replace("/etc/", f"{root}/etc/").replace("/usr/local/", f"{root}/usr/local/")
        script = script.replace(" fibre-1.secret", f" {root}/fibre-1.secret")
        done = subprocess.run(["bash", "-c", script], cwd=DOCS.parent, capture_output=True, text=True)
        assert done.returncode == 0, done
        units = sorted(Path(root, "etc/systemd/system").rglob("*.service"))
        units += sorted(Path(root, "etc/systemd/system").rglob("*.conf"))
        assert {unit.name for unit in units} >= {"vigie-keep.service", "vigie-follow.service"}, units
        named = {word for unit in units for line in unit.read_text().splitlines() if line.startswith("Exec")
                 for word in re.findall(r"/(?:etc|usr/local)/\S+", line)} - {"/usr/local/bin/vigie"}
        missing = [path for path in named if not Path(root + path).is_file()]
        assert named and not missing, f"docs/edge.md installs no {missing}, which a unit names"


def walk(what, found, aloud):
    with tempfile.TemporaryDirectory() as work:
        Walk(what, found, work, VIGIE, aloud=aloud).run()


def main(which, aloud):
    if os.geteuid() == 0:
        spaces.own_network()
    free()
    if "regulator" in which:
        found = blocks(REGULATOR)
        kinds = [kind for kind, *_ in found]
        assert kinds.count("page") > 8 and kinds.count("sh") > 10, "commands stand in ```sh, pages in ```page"
        walk(f"docs/{REGULATOR}", found, aloud)
    if "isp" in which:
        installed()
        # It begins with the regulator's house.
        house = blocks(REGULATOR, "Something to block", "Your house, and who deals with it")
        walk(f"docs/{ISP}", house + blocks(ISP), aloud)


if __name__ == "__main__":
    main(sys.argv[1:] or ["regulator", "isp"], len(sys.argv) > 1)
