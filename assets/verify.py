#!/usr/bin/env python3
"""Checks a package of exhibits. Python 3.9 or later and `openssl` 3 or later; nothing else.

    python3 verify.py [FOLDER] [--trust FILE]

FOLDER is the unpacked package (the one this script is in, where none is named). FILE names keys that
you got from elsewhere, a line each: `log KEY`, `authority KEY`, `witness KEY`, `quorum NUMBER` and
`time NAME CERTIFICATE` (base64 of DER). Exit codes: 0 it holds, 1 something does not, 2 misuse.

What it follows: RFC 8493 (the bag), RFC 6962 (the log's tree), c2sp.org/signed-note,
tlog-checkpoint, tlog-cosignature and tlog-proof (signatures and proofs), RFC 3161 (time stamps),
and docs/record-format.md and docs/package-format.md of the program that made the package."""
import base64, hashlib, json, os, re, subprocess, sys, tempfile, time

wrong = []
DIR = ""

def fail(place, what): wrong.append(f"{place}: {what}")

def sha(*parts): return hashlib.sha256(b"".join(parts)).digest()

def load(name):
    with open(os.path.join(DIR, name), "rb") as file: return file.read()

def digest(name):
    total = hashlib.sha256()
    with open(os.path.join(DIR, name), "rb") as file:
        while block := file.read(1 << 20): total.update(block)
    return total.hexdigest()

def unbase64(text):
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw).decode() != text: raise ValueError("base64 in another writing")
    return raw

def openssl(*words, stdin=b""):
    return subprocess.run(["openssl", *words], input=stdin, capture_output=True)

def scratch(data):
    file = tempfile.NamedTemporaryFile(delete=False)
    file.write(data); file.close()
    return file.name

# --- the bag -------------------------------------------------------------------------------------

OUTSIDE = {"tagmanifest-sha256.txt", "package.note", "package.tlog-proof", "package.consistency"}

def bag():
    there = set()
    for folder, _, files in os.walk(DIR):
        for file in files:
            path = os.path.join(folder, file)
            name = os.path.relpath(path, DIR).replace(os.sep, "/")
            there.add(name)
            if os.path.islink(path): fail(name, "it is a link")
    for manifest, payload in (("manifest-sha256.txt", True), ("tagmanifest-sha256.txt", False)):
        named = {}
        for line in load(manifest).decode().split("\n")[:-1]:
            value, _, name = line.partition("  ")
            named[name] = value
        text = "".join(f"{named[name]}  {name}\n" for name in sorted(named))
        if text.encode() != load(manifest): fail(manifest, "it is not in its one writing")
        wanted = {n for n in there if n.startswith("data/") == payload and n not in OUTSIDE}
        for name in sorted(wanted | set(named)):
            if name not in wanted: fail(name, f"it is missing; {manifest} names it")
            elif name not in named: fail(name, f"it was added; {manifest} does not name it")
            elif digest(name) != named[name]: fail(name, f"changed: not the bytes that {manifest} names")
    return hashlib.sha256(load("tagmanifest-sha256.txt")).hexdigest()

# --- keys and signed notes -----------------------------------------------------------------------

def key_id(name, kind, key): return sha(name.encode(), b"\n", bytes([kind]), key)[:4]

class Keys:
    """The statements of a file of keys."""
    def __init__(self, text):
        self.logs, self.authorities, self.witnesses, self.times, self.quorum = [], [], [], [], 0
        for line in text.splitlines():
            words = line.split("#")[0].split()
            if not words: continue
            if words[0] == "quorum": self.quorum = int(words[1])
            elif words[0] == "time": self.times.append((words[1], unbase64(words[2])))
            else:
                kinds = {"log": (1, self.logs), "authority": (1, self.authorities), "witness": (4, self.witnesses)}
                kind, where = kinds[words[0]]
                name, number, raw = words[1].split("+", 2)
                raw = unbase64(raw)
                if raw[0] != kind or len(raw) != 33 or key_id(name, kind, raw[1:]).hex() != number:
                    raise ValueError(f"the key of {name} is none")
                where.append((name, raw[1:]))

    def of_log(self, origin):
        own = [key for name, key in self.logs if name == origin]
        return own + [k for n, k in self.authorities if origin == n or origin.startswith(n + "/")]

def is_signed(key, message, signature):
    public = scratch(b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00" + key)
    text, mark = scratch(message), scratch(signature)
    done = openssl("pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", public, "-rawin",
                   "-in", text, "-sigfile", mark)
    for file in (public, text, mark): os.unlink(file)
    return done.returncode == 0

def note(raw):
    """A signed note: its text, and of each signature the name, the key's id and the bytes."""
    text, _, marks = raw.decode().rpartition("\n\n")
    if not text or not marks.endswith("\n"): raise ValueError("no signed note")
    signatures = []
    for line in marks[:-1].split("\n"):
        dash, name, value = line.split(" ")
        value = unbase64(value)
        if dash != "\u2014" or len(value) < 5: raise ValueError("no signature line")
        signatures.append((name, value[:4], value[4:]))
    return text + "\n", signatures

def signers(raw, keys, name, strict):
    """Who signed a note: whether the log did, and the witnesses with their times."""
    text, signatures = note(raw)
    origin = name or text.split("\n")[0]
    by_log, witnesses = False, []
    for signer, number, mark in signatures:
        for key in keys.of_log(origin):
            if signer == origin and number == key_id(origin, 1, key):
                if not is_signed(key, text.encode(), mark): raise ValueError("the log's signature does not fit")
                if by_log: raise ValueError("the log signed twice")
                by_log = True; break
        else:
            for who, key in keys.witnesses:
                if signer == who and number == key_id(who, 4, key) and len(mark) == 72:
                    when = int.from_bytes(mark[:8], "big")
                    if not is_signed(key, f"cosignature/v1\ntime {when}\n{text}".encode(), mark[8:]):
                        raise ValueError(f"the cosignature of {who} does not fit")
                    if any(who == w for w, _ in witnesses): raise ValueError(f"{who} signed twice")
                    witnesses.append((who, when)); break
            else:
                if strict: raise ValueError(f"a signature of {signer}, whose key data/keys.txt does not name")
    if not by_log: raise ValueError("the log's key has not signed it")
    return text, witnesses

def checkpoint(text):
    lines = text.split("\n")
    root = unbase64(lines[2])
    if str(int(lines[1])) != lines[1] or len(root) != 32 or len(lines) != 4: raise ValueError("no checkpoint")
    return lines[0], int(lines[1]), root

# --- the log's tree (RFC 6962) -------------------------------------------------------------------

def node(left, right): return sha(b"\1", left, right)

def included(leaf, index, size, proof):
    """The root that a proof leads to from a leaf."""
    if not 0 <= index < size: raise ValueError("the index is beyond the tree")
    here, last = index, size - 1
    for step in proof:
        if last == 0: raise ValueError("the proof is too long")
        if here & 1 or here == last:
            leaf = node(step, leaf)
            while not here & 1 and here: here >>= 1; last >>= 1
        else: leaf = node(leaf, step)
        here >>= 1; last >>= 1
    if last: raise ValueError("the proof is too short")
    return leaf

def goes_on(old, new, before, after, proof):
    """True where the tree of `new` entries begins with that of `old`."""
    if old == new: return not proof and before == after
    if not 0 < old < new: return False
    path = list(proof)
    here, last = old - 1, new - 1
    while here & 1: here >>= 1; last >>= 1
    if here and not path: return False
    first = second = path.pop(0) if here else before
    for step in path:
        if last == 0: return False
        if here & 1 or here == last:
            first, second = node(step, first), node(step, second)
            while not here & 1 and here: here >>= 1; last >>= 1
        else: second = node(second, step)
        here >>= 1; last >>= 1
    return last == 0 and first == before and second == after

# --- records (docs/record-format.md) -------------------------------------------------------------

def canonical(value):
    if value is None or isinstance(value, float): raise ValueError("null or float")
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{canonical(value[k])}" for k in sorted(value)) + "}"
    if isinstance(value, list): return "[" + ",".join(map(canonical, value)) + "]"
    return json.dumps(value, ensure_ascii=False)

def parse(raw):
    value = json.loads(raw)
    if canonical(value).encode() != raw: raise ValueError("not in its one writing")
    return value

def opened(entry, opening):
    """The record, and the values of the fields that are disclosed."""
    record = parse(entry)
    if opening["record"] != sha(b"\0", entry).hex(): raise ValueError("it opens another record")
    values = {}
    for field, pair in opening["fields"].items():
        tag = b"vigie/field/v1\0" + record["kind"].encode() + b"\0" + field.encode() + b"\0"
        found = sha(tag, bytes.fromhex(pair["salt"]), canonical(pair["value"]).encode()).hex()
        if record["committed"].get(field) != found: raise ValueError(f"its field {field} was changed")
        values[field] = pair["value"]
    return record, values

# --- exhibits ------------------------------------------------------------------------------------

LEAF = 4096

def salts(nodes):
    """Gives the salt of a leaf from the nodes `depth/index/secret` above it; none where it is hidden."""
    nodes = [(int(d), int(i), bytes.fromhex(s)) for d, i, s in (n.split("/") for n in nodes)]
    kept = {}
    def child(depth, index, key, leaf):
        while depth < 40:
            depth, index = depth + 1, leaf >> (39 - depth)
            if (depth, index) not in kept:
                if len(kept) > 200: kept.clear()
                kept[depth, index] = sha(b"vigie/ggm/v1", bytes([index & 1]), key)
            key = kept[depth, index]
        return key
    def salt(leaf):
        for depth, index, key in nodes:
            if leaf >> (40 - depth) == index: return child(depth, index, key, leaf)
        return None
    return salt

def subtree(first, end, shown, hidden, leaf):
    """The root over leaves `first` to `end`; hidden parts by their hashes, from the left."""
    if not any(a < end and first < b for a, b in shown): return next(hidden)
    if end - first == 1: return leaf(first)
    middle = first + (1 << (end - first - 1).bit_length() - 1)
    return node(subtree(first, middle, shown, hidden, leaf), subtree(middle, end, shown, hidden, leaf))

def exhibit(line, record, values):
    part, files = line.get("part"), line["files"]
    size = int(values["size"])
    if part:
        runs, nodes, hidden = part["runs"], part["nodes"], [bytes.fromhex(h) for h in part["hidden"]]
        if part["size"] != values["size"] or len(files) != len(runs): raise ValueError("a part that does not fit")
    else:
        runs, nodes, hidden = [[0, max(1, -(-size // LEAF))]], line["opening"]["leaf_secrets"], []
        if len(files) != 1 or digest(files[0]) != values["exhibit"]:
            raise ValueError(f"{files[0]} is not the exhibit {values['exhibit']}")
    for (first, end), file in zip(runs, files):
        if os.path.getsize(os.path.join(DIR, file)) != min(end * LEAF, size) - first * LEAF:
            raise ValueError(f"{file} has another length")
    salt, handles = salts(nodes), [open(os.path.join(DIR, file), "rb") for file in files]
    def leaf(number):
        at = next(i for i, (first, end) in enumerate(runs) if first <= number < end)
        return sha(b"\0", salt(number), handles[at].read(min(LEAF, size - number * LEAF)))
    rest = iter(hidden)
    root = subtree(0, max(1, -(-size // LEAF)), runs, rest, leaf)
    for handle in handles: handle.close()
    if next(rest, None) is not None: raise ValueError("a hash too many")
    if root.hex() != record["public"]["root"]: raise ValueError("its bytes do not lead to the root in the log")

# --- time stamps (RFC 3161, by openssl) ----------------------------------------------------------

def stamp(covered, token, certificates, anchors):
    """The moment in a token over those bytes, once it is verified."""
    data, mark = scratch(covered), scratch(token)
    inside = openssl("pkcs7", "-inform", "DER", "-in", mark, "-print_certs").stdout
    pems = [openssl("x509", "-inform", "DER", stdin=c).stdout for c in certificates]
    chain = scratch(inside + b"".join(pems))
    roots = [openssl("x509", "-inform", "DER", stdin=c).stdout for _, c in anchors]
    trusted = scratch(b"".join(roots) if anchors else inside + b"".join(pems))
    done = openssl("ts", "-verify", "-data", data, "-in", mark, "-token_in", "-CAfile", trusted,
                   "-untrusted", chain, "-partial_chain", "-no_check_time")
    text = openssl("ts", "-reply", "-in", mark, "-token_in", "-text").stdout.decode(errors="replace")
    for file in (data, mark, chain, trusted): os.unlink(file)
    if done.returncode: raise ValueError("its time stamp does not hold, or is of no authority you trust")
    return re.search("Time stamp: (.*)", text)[1]

# --- all of it -----------------------------------------------------------------------------------

def main(words):
    global DIR
    trust = None
    if "--trust" in words:
        at = words.index("--trust")
        if at + 1 == len(words): print(__doc__); return 2
        with open(words[at + 1], encoding="utf-8") as file: trust = Keys(file.read())
        del words[at:at + 2]
    if len(words) > 1 or any(word.startswith("-") for word in words): print(__doc__); return 2
    DIR = words[0] if words else os.path.dirname(os.path.abspath(__file__))
    place, known, stamps, counts = "the bag", {}, [], {"records": 0, "hidden": 0, "whole": 0, "parts": 0}
    try:
        if load("bagit.txt") != b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n":
            fail("bagit.txt", "it is not what a bag has there")
        manifest = bag()
        info = dict(l.split(": ", 1) for l in load("bag-info.txt").decode().split("\n") if ": " in l)
        origin = info["External-Identifier"]
        place = "data/keys.txt"
        keys = Keys(load(place).decode())
        place = "data/checkpoint"
        text, witnesses = signers(load(place), keys, None, True)
        name, size, root = checkpoint(text)
        if name != origin: fail(place, "it is of another log")
        if trust:
            _, known = signers(load(place), trust, None, False)
            if len(known) < trust.quorum: fail(place, f"{len(known)} of the {trust.quorum} cosignatures you want")
        place = "package.note"
        text, _ = signers(load(place), keys, origin, True)
        first, log, number, named = text.split("\n")[:4]
        if text != f"vigie package v1\n{origin}\n{number}\n{manifest}\n":
            fail("tagmanifest-sha256.txt", "it is not the one that package.note signs")
        place = "package.tlog-proof"
        head, _, end = load(place).decode().partition("\n\n")
        first, extra, index, *path = head.split("\n")
        entry = unbase64(extra.removeprefix("extra "))
        text, _ = signers(end.encode(), keys, None, True)
        name, last, top = checkpoint(text)
        record = parse(entry)
        if (first, index, name) != ("c2sp.org/tlog-proof@v1", "index " + number, origin) \
                or head.split("\n")[1] != "extra " + base64.b64encode(entry).decode() \
                or included(sha(b"\0", entry), int(number), last, [unbase64(h) for h in path]) != top \
                or (record["kind"], record["public"]["manifest"]) != ("package.made", manifest):
            fail(place, "it does not prove that the record of this package is in the log")
        place = "package.consistency"
        head, _, end2 = load(place).decode().partition("\n\n")
        first, *path = head.split("\n")
        signers(end2.encode(), keys, None, True)
        if first != f"old {size}" or note(end2.encode())[0] != text \
                or not goes_on(size, last, root, top, [unbase64(h) for h in path]):
            fail(place, "it does not prove that the log goes on from data/checkpoint")
        before, used = -1, set()
        for at, raw in enumerate(load("data/records.jsonl").split(b"\n")[:-1], 1):
            place = f"data/records.jsonl line {at}"
            try:
                line = parse(raw)
                index, entry = line["index"], line["entry"].encode()
                place = f"record {index} ({place})"
                if index <= before: raise ValueError("not in the order of the log")
                before = index
                path = [bytes.fromhex(h) for h in line["proof"]]
                if included(sha(b"\0", entry), index, size, path) != root:
                    raise ValueError("its proof does not lead to data/checkpoint: it is not in the log so")
                record, values = opened(entry, line["opening"])
                counts["records"] += 1
                counts["hidden"] += len(record["committed"]) - len(values)
                used.update(line.get("files", []))
                if line.get("files"):
                    if record["kind"] != "exhibit.sealed": raise ValueError("it seals no exhibit")
                    exhibit(line, record, values)
                    counts["parts" if "part" in line else "whole"] += 1
                if record["kind"] == "checkpoint.stamped": stamps.append((place, line, record, values))
            except Exception as error: fail(place, str(error) or type(error).__name__)
        for folder, _, files in os.walk(os.path.join(DIR, "data", "exhibits")):
            for file in files:
                file = os.path.relpath(os.path.join(folder, file), DIR).replace(os.sep, "/")
                if file not in used: fail(file, "no record leads to it")
        blob = lambda v: bytes.fromhex(v["hex"]) if isinstance(v, dict) else v.encode()
        pool = [blob(c) for *_, values in stamps for c in values.get("certificates", [])]
        for place, line, record, values in stamps:
            over, token = record["public"]["checkpoint"], blob(record["public"]["token"])
            text, _ = signers(over.encode(), keys, None, False)
            name, old, was = checkpoint(text)
            if name != origin or not goes_on(old, size, was, root, [bytes.fromhex(h) for h in line["consistency"]]):
                fail(place, "its stamp is over a checkpoint that this log does not go on from")
            try: print(f"Stamped {stamp(over.encode(), token, pool, trust.times if trust else [])}: records below {old}")
            except ValueError as error: fail(place, str(error))
    except Exception as error: fail(place, str(error) or type(error).__name__)
    for line in wrong: print("WRONG ", line)
    if wrong: print(f"This package does not hold: {len(wrong)} finding(s)."); return 1
    print("This package of {} holds: {records} records, {hidden} fields hidden; {whole} exhibits whole, {parts} in part.".format(origin, **counts))
    print(f"For {info.get('Vigie-Recipient')}, handling {info.get('Vigie-Handling')}.")
    print("Signed by the key that your trust file names." if trust else
          "Consistent, signer not confirmed: whose keys data/keys.txt holds, only your own --trust FILE can say.")
    for who, when in known or witnesses:
        print(f"Witnessed by {who} at {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(when))}: the first {size} records.")
    if not witnesses: print("Unwitnessed: the log's operator could have rebuilt it before this package was made.")
    if not stamps: print("No trusted time.")
    print("NOT proven: that what the records say is true; when anything happened (time stamps bound the entry into"
          "\nthe log); what is in what is hidden; that nothing was left out; whether certificates were revoked.")
    return 0

if __name__ == "__main__": sys.exit(main(sys.argv[1:]))
