"""Runs what documents tell people to do. A block of ```sh is run, and what is shown under it in ```text is held to what
it printed; a block of ```page is what people do on the console's pages, in the words that stand there, and is done by
the forms that the pages have. Blocks of another name (```shell, ```toml) are for reading."""

import http.client
import os
import re
import signal
import subprocess
import time
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from clearing_house import until

DOCS = Path(__file__).resolve().parent.parent / "docs"
# How long a page may take to show what it is said to show.
PATIENCE = 20
VOID = {"input", "meta", "link", "br", "wbr", "hr", "img"}


def blocks(document, *chapters):
    """A document's blocks, as (kind, text, what is shown of it); of these chapters alone, where some are named."""
    text = (DOCS / document).read_text()
    for chapter in chapters:
        assert text.count(f"\n## {chapter}\n") == 1, f"{document} has no chapter `{chapter}`"
    parts = text.split("\n## ")
    if chapters:
        parts = [part for part in parts if part.split("\n", 1)[0] in chapters]
    found = []
    for kind, body in re.findall(r"^```(\w*)\n(.*?)^```$", "\n".join(parts), re.M | re.S):
        if kind in ("sh", "page"):
            found.append([kind, body, None])
        elif kind == "text":
            assert found and found[-1][0] == "sh" and found[-1][2] is None, f"shown after no command: {body}"
            found[-1][2] = body
    return [tuple(one) for one in found]


def shows(expected, got):
    """Whether that was shown: `…` stands for anything within a line, alone on a line for any lines."""
    pattern = ""
    for line in expected.rstrip("\n").split("\n"):
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(map(re.escape, line.split("…"))) + "\n"
    return re.fullmatch(pattern, got.rstrip("\n") + "\n")


class Node:
    def __init__(self, tag, attributes=(), parent=None):
        self.tag, self.at, self.parent, self.parts = tag, dict(attributes), parent, []

    def all(self, *tags):
        for part in self.parts:
            if isinstance(part, Node):
                if part.tag in tags:
                    yield part
                yield from part.all(*tags)

    def text(self):
        """As it is read: no line is broken where a long word may be."""
        whole = "".join(part if isinstance(part, str) else part.text() for part in self.parts)
        return whole if self.tag in ("bdi", "wbr", "time", "q", "strong", "a", "span") else f" {whole} "

    def words(self):
        return " ".join(self.text().split())

    def within(self, *tags):
        node = self.parent
        while node and node.tag not in tags:
            node = node.parent
        return node


class Page(HTMLParser):
    """A page as a tree; elements that the pages leave open end with what holds them."""

    def __init__(self, text):
        super().__init__()
        self.root = self.node = Node("page")
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        node = Node(tag, attributes, self.node)
        self.node.parts.append(node)
        if tag not in VOID:
            self.node = node

    def handle_endtag(self, tag):
        node = self.node
        while node and node.tag != tag:
            node = node.parent
        if node and node.parent:
            self.node = node.parent

    def handle_data(self, data):
        if self.node.tag not in ("script", "style"):
            self.node.parts.append(data)


class Person:
    """Somebody at a browser, with one page before them."""

    def __init__(self, name, work):
        self.name, self.work = name, Path(work)
        self.cookies, self.site, self.path, self.page = {}, None, None, None

    def ask(self, method, path, body=None):
        cookies = "; ".join(f"{key}={value}" for key, value in self.cookies.items())
        headers = {"Cookie": cookies, "Accept-Language": "en"}
        if body is not None:
            headers |= {"Origin": f"http://{self.site}", "Content-Type": "application/x-www-form-urlencoded"}
        call = http.client.HTTPConnection(self.site, timeout=30)
        call.request(method, path, body, headers)
        answer = call.getresponse()
        text = answer.read().decode()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.split(";")[0]
        if answer.status in (302, 303):
            return self.ask("GET", answer.getheader("location"))
        assert answer.status < 500 and answer.status not in (401, 403, 404), (self.name, method, path, answer.status)
        self.path, self.page = path, Page(text).root

    def opens(self, what):
        if what.startswith("the link in "):
            what = re.search(r"http://\S+", (self.work / what.removeprefix("the link in ")).read_text())[0]
        if "://" in what:
            url = urlsplit(what)
            self.site, what = url.netloc, (url.path or "/") + (f"?{url.query}" if url.query else "")
        self.ask("GET", what)

    def sees(self, words):
        """As a page that follows by itself, or is loaded again, shows it."""
        begun = time.monotonic()
        while words not in self.page.words():
            assert time.monotonic() - begun < PATIENCE, f"{self.name} sees at {self.path}:\n{self.page.words()}"
            time.sleep(0.2)
            self.ask("GET", self.path)

    def presses(self, button, row, fields):
        """The form with that button; in the row, or the notice, that shows these words, where they are said."""
        found = []
        for form in self.page.all("form"):
            presses = [one for one in form.all("button") if one.words() == button]
            place = form.within("tr", "div") if row else None
            while place and row not in place.words():
                place = place.within("tr", "div")
            if presses and (not row or place):
                found.append((len(place.words()) if place else 0, len(found), form, presses[0]))
        assert found, f"{self.name} finds no form `{button}` at {self.path} for {row}:\n{self.page.words()}"
        # Where one row holds another's words the smallest that does is meant; without a row there is one form.
        assert row or len(found) == 1, f"{self.name} finds `{button}` at {self.path} more than once: say in which row"
        _, _, form, pressed = min(found)
        sent = {one.at["name"]: one.at.get("value", "") for one in form.all("input") if "name" in one.at}
        sent |= {one.at["name"]: one.text().strip() for one in form.all("textarea")}
        sent |= {one.at["name"]: next(one.all("option")).at["value"] for one in form.all("select")}
        if "name" in pressed.at:
            sent[pressed.at["name"]] = pressed.at["value"]
        labels = {next(one.all("span")).words(): one for one in form.all("label")}
        for label, value in fields.items():
            assert label in labels, f"the form `{button}` at {self.path} has no field `{label}`: {list(labels)}"
            field = next(labels[label].all("input", "select", "textarea"))
            if field.tag == "select":
                options = {one.words(): one.at["value"] for one in field.all("option")}
                assert value in options, f"`{label}` has no `{value}`: {list(options)}"
                value = options[value]
            sent[field.at["name"]] = value
        wanted = [one.at["name"] for one in form.all("input", "textarea") if "required" in one.at]
        empty = [name for name in wanted if not sent[name]]
        assert not empty, f"the form `{button}` at {self.path} wants {empty} too"
        self.ask(form.at["method"].upper(), form.at.get("action", self.path), urlencode(sent))

    def looks(self, row):
        """At the capture that a row rests on."""
        rows = [one for one in self.page.all("tr") if row in one.words()]
        links = [link.at.get("href", "") for one in rows for link in one.all("a")]
        links = [link for link in links if link.startswith("/evidence/")]
        assert links, f"{self.name} finds no capture of {row} at {self.path}"
        self.ask("GET", links[0])


def on_pages(text, people, work):
    """Does what a block of ```page says: `NAME opens PLACE`, `NAME sees "WORDS"`, `NAME looks at the capture of "ROW"`,
    `NAME presses "BUTTON"` (at "ROW"), and below it each field, `  LABEL: VALUE`."""
    lines = text.splitlines()
    while lines:
        line, fields = lines.pop(0), {}
        while lines and lines[0].startswith("  "):
            label, _, value = lines.pop(0).strip().partition(": ")
            fields[label] = value
        name, deed, rest = line.split(" ", 2)
        person = people.setdefault(name, Person(name, work))
        quoted = re.findall(r'"([^"]*)"', rest)
        if deed == "opens":
            person.opens(rest)
        elif deed == "sees":
            for words in quoted:
                person.sees(words)
        elif deed == "looks":
            person.looks(quoted[0])
        elif deed == "presses":
            person.presses(quoted[0], quoted[1] if len(quoted) > 1 else None, fields)
        else:
            raise AssertionError(f"nobody knows what that is: {line}")


class Walk:
    """Blocks in their order, in one shell and an empty folder: where one fails, what it showed is told."""

    def __init__(self, what, found, work, vigie, patience=180, aloud=False):
        self.what, self.found, self.work, self.patience, self.aloud = what, found, Path(work), patience, aloud
        self.folder = self.work / "new"
        self.folder.mkdir()
        script = "set -euo pipefail\n"
        for n, (kind, text, _) in enumerate(found):
            script += f"exec >{work}/shown.{n} 2>&1\necho {n} >{work}/at\n"
            # Who walks by pages walks in the same order: the shell waits for them.
            script += text if kind == "sh" else f"until [ -e {work}/did.{n} ]; do sleep 0.05; done\n"
        (self.work / "walk.sh").write_text(script)
        self.env = {key: value for key, value in os.environ.items() if not key.startswith("VIGIE_")}
        self.env |= {"PATH": f"{Path(vigie).resolve().parent}:{os.environ['PATH']}", "VIGIE_DOCS": str(DOCS)}

    def at(self):
        try:
            return int((self.work / "at").read_text() or -1)
        except (OSError, ValueError):
            return -1

    def shown(self, n):
        return (self.work / f"shown.{n}").read_text()

    def hold(self, n):
        kind, text, expected = self.found[n]
        if kind == "sh" and self.aloud:
            print(f"```sh\n{text}```\n```text\n{self.shown(n)}```", flush=True)
        assert expected is None or shows(expected, self.shown(n)), f"of\n{text}\nwas shown\n{self.shown(n)}"

    def run(self):
        begun = time.monotonic()
        words = ["bash", f"{self.work}/walk.sh"]
        shell = subprocess.Popen(words, cwd=self.folder, env=self.env, start_new_session=True)
        try:
            self.follow(shell, begun)
        except BaseException:
            for log in sorted(self.folder.glob("*.log")):
                print(f"--- {log.name}\n" + log.read_text()[-3000:])
            raise
        finally:
            # All that it started and did not end: one group, this test's own.
            try:
                os.killpg(shell.pid, signal.SIGTERM)
                until("its processes end", lambda: shell.poll() is not None and not alive(shell.pid), 30)
            except ProcessLookupError:
                pass
        print(f"{self.what}: {len(self.found)} blocks in {time.monotonic() - begun:.0f} s")

    def follow(self, shell, begun):
        held, people = 0, {}
        while True:
            code, at = shell.poll(), self.at()
            late = time.monotonic() - begun > self.patience
            if code not in (None, 0) or late:
                how = "does not end" if late else f"broke off with {code}"
                raise AssertionError(f"{self.what} {how} at:\n{self.found[at][1]}\nwhich showed:\n{self.shown(at)}")
            # Held to what stands in the document as soon as it is over, since what follows may rest on it.
            while held < (len(self.found) if code == 0 else at):
                self.hold(held)
                held += 1
            if code == 0:
                return
            if at >= 0 and self.found[at][0] == "page" and not (self.work / f"did.{at}").exists():
                if self.aloud:
                    print(f"```page\n{self.found[at][1]}```", flush=True)
                on_pages(self.found[at][1], people, self.folder)
                (self.work / f"did.{at}").touch()
            time.sleep(0.02)


def alive(group):
    try:
        os.killpg(group, 0)
        return True
    except ProcessLookupError:
        return False
