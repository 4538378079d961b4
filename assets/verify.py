#!/usr/bin/env python3
"""Checks a package of exhibits with Python 3.9 or later, `openssl` 3 or later, and nothing else:
    python3 verify.py [FOLDER] [--trust FILE]
FOLDER is the unpacked package: this script's own, where none is named. FILE holds keys that you got from
elsewhere, a line each: `log KEY`, `authority KEY`, `witness KEY`, `quorum NUMBER`, `time NAME CERTIFICATE`
(base64 of DER). Exit codes: 0 it holds, 1 something does not, 2 misuse.
It follows docs/package-format.md of the program that the package is from: RFC 8493 (the bag), RFC 6962 (the
log's tree), RFC 3161 (time stamps), and c2sp.org's signed-note, tlog-checkpoint, -cosignature, -proof."""
import base64, hashlib, json, os, re, subprocess, sys, tempfile, time

wrong, DIR = [], ""
def fail(place, what): wrong.append(f"{place}: {what}")
def sha(*parts): return hashlib.sha256(b"".join(parts)).digest()
def load(name):
    with open(os.path.join(DIR, name), "rb") as file: return file.read()
def digest(name):
    total = hashlib.sha256()
    with open(os.path.join(DIR, name), "rb") as file:
        while block := file.read(1 << 20): total.update(block)
    return total.hexdigest()
def below(folder):
    for at, _, files in os.walk(os.path.join(DIR, folder)):
        for file in files: yield os.path.relpath(os.path.join(at, file), DIR).replace(os.sep, "/")
def unbase64(text):
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw).decode() != text: raise ValueError("base64 in another writing")
    return raw
def openssl(words, **files):
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            with open(os.path.join(folder, name), "wb") as file: file.write(data)
        return subprocess.run(["openssl", *words.split()], cwd=folder, capture_output=True)
# --- the bag
OUTSIDE = {"tagmanifest-sha256.txt", "package.note", "package.tlog-proof", "package.consistency"}
def bag():
    there = set(below(""))
    for name in filter(lambda name: os.path.islink(os.path.join(DIR, name)), there): fail(name, "it is a link")
    for manifest, payload in (("manifest-sha256.txt", True), ("tagmanifest-sha256.txt", False)):
        named = {n: v for v, _, n in (l.partition("  ") for l in load(manifest).decode().split("\n")[:-1])}
        if "".join(f"{named[n]}  {n}\n" for n in sorted(named)).encode() != load(manifest):
            fail(manifest, "it is not in its one writing")
        wanted = {n for n in there if n.startswith("data/") == payload and n not in OUTSIDE}
        for name in sorted(wanted | set(named)):
            if name not in wanted: fail(name, f"it is missing; {manifest} names it")
            elif name not in named: fail(name, f"it was added; {manifest} does not name it")
            elif digest(name) != named[name]: fail(name, f"changed: not the bytes that {manifest} names")
    return digest("tagmanifest-sha256.txt")
# --- keys and signed notes
def key_id(name, kind, key): return sha(name.encode(), b"\n", bytes([kind]), key)[:4]
class Keys:
    """The statements of a file of keys."""
    def __init__(self, text):
        self.logs, self.authorities, self.witnesses, self.times, self.quorum = [], [], [], [], 0
        kinds = {"log": (1, self.logs), "authority": (1, self.authorities), "witness": (4, self.witnesses)}
        for words in (line.split("#")[0].split() for line in text.splitlines()):
            if words[:1] == ["quorum"]: self.quorum = int(words[1])
            elif words[:1] == ["time"]: self.times.append(unbase64(words[2]))
            elif words:
                kind, where = kinds[words[0]]
                name, number, raw = words[1].split("+", 2)
                raw = unbase64(raw)
                if raw[0] != kind or len(raw) != 33 or key_id(name, kind, raw[1:]).hex() != number:
                    raise ValueError(f"the key of {name} is none")
                where.append((name, raw[1:], int(words[3]) if words[2:3] == ["until"] else None))
    def of_log(self, origin, size):
        own = [key for name, key, end in self.logs if name == origin and (end is None or size and size <= end)]
        return own + [key for name, key, _ in self.authorities if (origin + "/").startswith(name + "/")]
def is_signed(key, text, mark):
    key = bytes.fromhex("302a300506032b6570032100") + key
    words = "pkeyutl -verify -pubin -keyform DER -inkey key -rawin -in text -sigfile mark"
    return openssl(words, key=key, text=text, mark=mark).returncode == 0
def note(raw):
    """A signed note: its text, and of each signature the name, the key's id and the bytes."""
    text, _, lines = raw.decode().rpartition("\n\n")
    signatures = []
    for line in lines[:-1].split("\n"):
        dash, name, value = line.split(" ")
        value = unbase64(value)
        if dash != "\u2014" or len(value) < 5 or lines[-1] != "\n": raise ValueError("no signed note")
        signatures.append((name, value[:4], value[4:]))
    return text + "\n", signatures
def signed(raw, keys, origin, strict):
    """The text that the log's key signed, and when which witnesses did; where it is strict, nobody else."""
    text, signatures = note(raw)
    size = None if origin else int(text.split("\n")[1])
    origin, by_log, witnesses = origin or text.split("\n")[0], 0, {}
    for name, number, mark in signatures:
        log = [k for k in keys.of_log(origin, size) if (name, number) == (origin, key_id(origin, 1, k))]
        other = [k for n, k, _ in keys.witnesses if (name, number) == (n, key_id(n, 4, k)) and len(mark) == 72]
        when = int.from_bytes(mark[:8], "big")
        if log and is_signed(log[0], text.encode(), mark): by_log += 1
        elif other and name not in witnesses and \
                is_signed(other[0], f"cosignature/v1\ntime {when}\n{text}".encode(), mark[8:]):
            witnesses[name] = when
        elif log or other: raise ValueError(f"the signature of {name} does not fit")
        elif strict: raise ValueError(f"a signature of {name}, whose key data/keys.txt does not name")
    if by_log != 1: raise ValueError("the log's key has not signed it, once")
    return text, witnesses
def checkpoint(text):
    origin, size, root, end = text.split("\n")
    if str(int(size)) != size or len(unbase64(root)) != 32 or end: raise ValueError("no checkpoint")
    return origin, int(size), unbase64(root)
# --- the log's tree (RFC 6962; the two proofs as in RFC 9162, 2.1.3.2 and 2.1.4.2)
def node(left, right): return sha(b"\1", left, right)
def included(leaf, index, size, proof):
    """The root that a proof leads to from a leaf."""
    here, last = index, size - 1
    if not 0 <= here <= last: raise ValueError("the index is beyond the tree")
    for step in proof:
        if last == 0: raise ValueError("the proof is too long")
        if here & 1 or here == last:
            leaf = node(step, leaf)
            while not here & 1 and here: here, last = here >> 1, last >> 1
        else: leaf = node(leaf, step)
        here, last = here >> 1, last >> 1
    if last: raise ValueError("the proof is too short")
    return leaf
def goes_on(old, new, before, after, proof):
    """True where the tree of `new` entries begins with that of `old`."""
    if old == new: return not proof and before == after
    if not 0 < old < new or not proof: return False
    if old & (old - 1) == 0: proof = [before] + proof
    here, last = old - 1, new - 1
    while here & 1: here, last = here >> 1, last >> 1
    first = second = proof[0]
    for step in proof[1:]:
        if last == 0: return False
        if here & 1 or here == last:
            first, second = node(step, first), node(step, second)
            while not here & 1 and here: here, last = here >> 1, last >> 1
        else: second = node(second, step)
        here, last = here >> 1, last >> 1
    return last == 0 and (first, second) == (before, after)
# --- records (docs/record-format.md)
def canonical(value):
    if value is None or isinstance(value, float): raise ValueError("null or float")
    if isinstance(value, list): return "[" + ",".join(map(canonical, value)) + "]"
    if not isinstance(value, dict): return json.dumps(value, ensure_ascii=False)
    return "{" + ",".join(f"{json.dumps(key)}:{canonical(value[key])}" for key in sorted(value)) + "}"
def parse(raw):
    value = json.loads(raw)
    if canonical(value).encode() != raw: raise ValueError("not in its one writing")
    return value
def opened(entry, opening):
    """The record, and the values of the fields that are disclosed."""
    record, values = parse(entry), {}
    if opening["record"] != sha(b"\0", entry).hex(): raise ValueError("it opens another record")
    for field, pair in opening["fields"].items():
        tag = b"vigie/field/v1\0" + record["kind"].encode() + b"\0" + field.encode() + b"\0"
        found = sha(tag, bytes.fromhex(pair["salt"]), canonical(pair["value"]).encode()).hex()
        if record["committed"].get(field) != found: raise ValueError(f"its field {field} was changed")
        values[field] = pair["value"]
    return record, values
# --- exhibits: a tree over leaves of 4,096 bytes, each with a salt of its own
LEAF = 4096
def salts(nodes):
    """Gives the salt of a leaf from the nodes `depth/index/secret` that are above it."""
    nodes = [(int(d), int(i), bytes.fromhex(s)) for d, i, s in (n.split("/") for n in nodes)]
    path = []  # the way down to the last leaf that was asked for
    def salt(leaf):
        while path and path[-1][1] != leaf >> (40 - path[-1][0]): path.pop()
        if not path: path.append(next(n for n in nodes if n[1] == leaf >> (40 - n[0])))
        while path[-1][0] < 40:
            depth, index = path[-1][0] + 1, leaf >> (39 - path[-1][0])
            path.append((depth, index, sha(b"vigie/ggm/v1", bytes([index & 1]), path[-1][2])))
        return path[-1][2]
    return salt
def subtree(first, end, runs, hidden, leaf):
    """The root over the leaves from `first` up to `end`; what is hidden by its hashes, from the left."""
    if not any(a < end and first < b for a, b in runs): return bytes.fromhex(next(hidden))
    if end - first == 1: return leaf(first)
    middle = first + (1 << (end - first - 1).bit_length() - 1)
    return node(subtree(first, middle, runs, hidden, leaf), subtree(middle, end, runs, hidden, leaf))
def exhibit(line, record, values):
    part, files, size = line.get("part"), line["files"], int(values["size"])
    leaves = max(1, -(-size // LEAF))
    if part: runs, nodes, hidden = part["runs"], part["nodes"], iter(part["hidden"])
    else: runs, nodes, hidden = [[0, leaves]], line["opening"]["leaf_secrets"], iter([])
    if len(files) != len(runs) or part and int(part["size"]) != size: raise ValueError("a part that does not fit")
    if not part and digest(files[0]) != values["exhibit"]:
        raise ValueError(f"{files[0]} is not the exhibit {values['exhibit']}")
    salt, handles = salts(nodes), [open(os.path.join(DIR, file), "rb") for file in files]
    def leaf(number):
        at = next(i for i, (first, end) in enumerate(runs) if first <= number < end)
        return sha(b"\0", salt(number), handles[at].read(min(LEAF, size - number * LEAF)))
    root = subtree(0, leaves, runs, hidden, leaf).hex()
    if next(hidden, None) or any(handle.read(1) for handle in handles) or root != record["public"]["root"]:
        raise ValueError("its bytes do not lead to the root in the log")
# --- time stamps (RFC 3161, by openssl)
def stamp(covered, token, certificates, anchors):
    """The moment in a token over those bytes, once it is verified."""
    pem = lambda ders: b"".join(openssl("x509 -inform DER -in der", der=der).stdout for der in ders)
    chain = openssl("pkcs7 -inform DER -in token -print_certs", token=token).stdout + pem(certificates)
    words = "ts -verify -data data -in token -token_in -CAfile roots -untrusted chain -partial_chain -no_check_time"
    holds = lambda roots: openssl(words, data=covered, token=token, chain=chain, roots=roots).returncode == 0
    if not holds(chain): raise ValueError("its time stamp does not hold")
    text = openssl("ts -reply -in token -token_in -text", token=token).stdout.decode(errors="replace")
    mine = "yours" if anchors and holds(pem(anchors)) else "not confirmed by you"
    return re.search("Time stamp: (.*)", text)[1] + f" (time authority: {mine})"
# --- all of it
def proofs(keys, origin, size, root, manifest, strict):
    """The note of the package, the proof that its record is in the log, and that the log goes on."""
    text, _ = signed(load("package.note"), keys, origin, strict)
    index = text.split("\n")[2]
    if text != f"vigie package v1\n{origin}\n{index}\n{manifest}\n":
        fail("tagmanifest-sha256.txt", "it is not the one that package.note signs")
    head, _, end = load("package.tlog-proof").decode().partition("\n\n")
    first, extra, number, *path = head.split("\n")
    entry, (text, _) = unbase64(extra[6:]), signed(end.encode(), keys, None, strict)
    name, last, top = checkpoint(text)
    record = parse(entry)
    if (first, extra[:6], number, name) != ("c2sp.org/tlog-proof@v1", "extra ", "index " + index, origin) \
            or included(sha(b"\0", entry), int(index), last, [unbase64(h) for h in path]) != top \
            or (record["kind"], record["public"]["manifest"]) != ("package.made", manifest):
        fail("package.tlog-proof", "it does not prove that the record of this package is in the log")
    head, _, end = load("package.consistency").decode().partition("\n\n")
    first, *path = head.split("\n")
    if first != f"old {size}" or signed(end.encode(), keys, None, strict)[0] != text \
            or not goes_on(size, last, root, top, [unbase64(h) for h in path]):
        fail("package.consistency", "it does not prove that the log goes on from data/checkpoint")
def records(keys, origin, size, root, anchors):
    """Each record, its exhibit and its stamp. How many records, hidden fields, whole exhibits, parts."""
    before, unused, stamps, counts = -1, set(below("data/exhibits")), [], [0, 0, 0, 0]
    for at, raw in enumerate(load("data/records.jsonl").split(b"\n")[:-1], 1):
        place = f"data/records.jsonl line {at}"
        try:
            line = parse(raw)
            index, entry = line["index"], line["entry"].encode()
            place = f"record {index} ({place})"
            if index <= before: raise ValueError("not in the order of the log")
            before = index
            if included(sha(b"\0", entry), index, size, [bytes.fromhex(h) for h in line["proof"]]) != root:
                raise ValueError("its proof does not lead to data/checkpoint: it is not in the log so")
            record, values = opened(entry, line["opening"])
            counts[0], counts[1] = counts[0] + 1, counts[1] + len(record["committed"]) - len(values)
            if line.get("files"):
                if record["kind"] != "exhibit.sealed": raise ValueError("it seals no exhibit")
                if not unused >= set(line["files"]): raise ValueError("its file is missing, or another record's")
                unused -= set(line["files"])
                exhibit(line, record, values)
                counts[3 if "part" in line else 2] += 1
            if record["kind"] == "checkpoint.stamped": stamps.append((place, line, record, values))
        except Exception as error: fail(place, str(error) or type(error).__name__)
    for file in sorted(unused): fail(file, "no record leads to it")
    blob = lambda value: bytes.fromhex(value["hex"]) if isinstance(value, dict) else value.encode()
    pool = [blob(der) for *_, values in stamps for der in values.get("certificates", [])]
    for place, line, record, _ in stamps:
        try:
            over = record["public"]["checkpoint"].encode()
            name, old, was = checkpoint(signed(over, keys, None, False)[0])
            if name != origin or not goes_on(old, size, was, root, [bytes.fromhex(h) for h in line["consistency"]]):
                raise ValueError("its stamp is over a checkpoint that this log does not go on from")
            print(f"Stamped {stamp(over, blob(record['public']['token']), pool, anchors)}: the first {old} records.")
        except Exception as error: fail(place, str(error) or type(error).__name__)
    return counts, len(stamps)
def main(words):
    global DIR
    trust, place = None, "the bag"
    if "--trust" in words[:-1]:
        at = words.index("--trust")
        with open(words[at + 1], encoding="utf-8") as file: trust = Keys(file.read())
        del words[at:at + 2]
    if len(words) > 1 or any(word.startswith("-") for word in words): print(__doc__); return 2
    DIR = words[0] if words else os.path.dirname(os.path.abspath(__file__))
    wrong.clear()
    try:
        if load("bagit.txt") != b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n":
            fail("bagit.txt", "it is not what a bag has there")
        manifest = bag()
        info = dict(l.split(": ", 1) for l in load("bag-info.txt").decode().split("\n") if ": " in l)
        place, origin = "data/keys.txt", info["External-Identifier"]
        keys = Keys(load(place).decode())
        place = "data/checkpoint"
        text, witnesses = signed(load(place), keys, None, True)
        name, size, root = checkpoint(text)
        if name != origin: fail(place, "it is of another log")
        if trust:
            _, witnesses = signed(load(place), trust, None, False)
            if len(witnesses) < trust.quorum:
                fail(place, f"{len(witnesses)} of the {trust.quorum} cosignatures that you want")
        place = "package.note and its proofs"
        proofs(keys, origin, size, root, manifest, True)
        if trust: proofs(trust, origin, size, root, manifest, False)
        place = "data/records.jsonl"
        counts, stamps = records(keys, origin, size, root, trust.times if trust else [])
    except Exception as error: fail(place, str(error) or type(error).__name__)
    for line in wrong: print("WRONG ", line)
    if wrong: print(f"This package does not hold: {len(wrong)} finding(s)."); return 1
    print("This package of {} holds: {} records, {} fields hidden; {} exhibits whole, {} in part.".format(origin, *counts))
    print(f"For {info.get('Vigie-Recipient')}, handling {info.get('Vigie-Handling')}.")
    print("Signed by a key that your trust file names." if trust else
          "Consistent, signer not confirmed: whose keys data/keys.txt holds, only your own --trust FILE can say.")
    for who, when in witnesses.items():
        print(f"Witnessed by {who} at {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(when))}: the first {size} records.")
    if not witnesses: print("Unwitnessed: the log's operator could have rebuilt it before.")
    if not stamps: print("No trusted time.")
    print("NOT proven: that what the records say is true; when anything happened (stamps bound when records\n"
          "entered the log); what is in what is hidden; that nothing was left out; whether certificates were revoked.")
    return 0
if __name__ == "__main__": sys.exit(main(sys.argv[1:]))
