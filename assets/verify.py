#!/usr/bin/env python3
"""Checks a package of exhibits with Python 3.11 or later, `openssl` 3 or later, and nothing else:
    python3 verify.py [FOLDER] [--trust FILE]
FOLDER is the unpacked package: this script's own, where none is named. FILE holds keys that you got from
elsewhere, a line each: `log KEY`, `authority KEY`, `witness KEY`, `quorum NUMBER`, `time NAME CERTIFICATE`
(base64 of DER). Exit codes: 0 it holds, 1 something does not, 2 misuse, 3 failure. Formats: docs/package-format.md"""
import base64, calendar, hashlib, json, os, pathlib, re, subprocess, sys, tempfile, time
wrong, DIR = [], ""
def say(text): print("".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text))
def fail(place, what): wrong.append(f"{place}: {what}")
def sha(*parts): return hashlib.sha256(b"".join(parts)).digest()
def load(name): return pathlib.Path(DIR, name).read_bytes()
def digest(name):
    with open(os.path.join(DIR, name), "rb") as file: return hashlib.file_digest(file, "sha256").hexdigest()
def below(folder):
    for path in sorted(pathlib.Path(DIR, folder).rglob("*")):
        if path.is_symlink() or not (path.is_dir() or path.is_file()): raise ValueError(f"{path} is no plain file")
        if path.is_file(): yield path.relative_to(DIR).as_posix()
def unbase64(text):
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw).decode() == text: return raw
    raise ValueError("base64 in another writing")
def unhex(text):
    if not re.fullmatch("[0-9a-f]{64}", text): raise ValueError("no salt or hash of 32 bytes")  # of one length each
    return bytes.fromhex(text)
def openssl(words, **files):
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items(): pathlib.Path(folder, name).write_bytes(data)
        return subprocess.run(["openssl", *words.split()], cwd=folder, capture_output=True)
OUTSIDE = {"tagmanifest-sha256.txt", "package.note", "package.tlog-proof", "package.consistency"}  # --- the bag
def bag():
    there = set(below(""))
    for manifest, payload in (("manifest-sha256.txt", True), ("tagmanifest-sha256.txt", False)):
        named = {n: v for v, _, n in (l.partition("  ") for l in load(manifest).decode().split("\n")[:-1])}
        if "".join(f"{named[n]}  {n}\n" for n in sorted(named)).encode() != load(manifest): fail(manifest, "not in its one writing")
        wanted = {n for n in there if n.startswith("data/") == payload and n not in OUTSIDE}
        for name in sorted(wanted ^ set(named)): fail(name, f"it was added, or is missing: see {manifest}")
        for name in sorted(wanted & set(named)):
            if digest(name) != named[name]: fail(name, f"changed: not the bytes that {manifest} names")
    return digest("tagmanifest-sha256.txt")
# --- keys and signed notes
def key_id(name, kind, key): return sha(name.encode(), b"\n", bytes([kind]), key)[:4]
class Keys:
    def __init__(self, text):
        self.logs, self.authorities, self.witnesses, self.times, self.quorum = [], [], [], [], 0
        kinds = {"log": (1, self.logs), "authority": (1, self.authorities), "witness": (4, self.witnesses)}
        for at, words in enumerate((line.split("#")[0].split() for line in text.splitlines()), 1):
            try:
                if words[:1] == ["quorum"]: self.quorum = int(words[1])
                elif words[:1] == ["time"]: self.times.append(unbase64(words[2]))
                elif words:
                    (kind, where), (name, number, raw) = kinds[words[0]], words[1].split("+", 2)
                    if (raw := unbase64(raw))[0] != kind or len(raw) != 33 or key_id(name, kind, raw[1:]).hex() != number: raise ValueError
                    where.append((name, raw[1:], int(words[3]) if words[2:3] == ["until"] else None))
            except Exception: raise ValueError(f"line {at} is no log KEY, authority KEY, witness KEY, quorum N or time NAME CERTIFICATE")
        if any(len(set(part)) < len(part) for part in list(zip(*self.witnesses))[:2]): raise ValueError("one witness as two")
        if not 0 <= self.quorum <= len(self.witnesses): raise ValueError("a quorum out of bounds")
    def of_log(self, origin, size):
        own = [key for name, key, end in self.logs if name == origin and (end is None or size <= end)]
        return own + [key for name, key, _ in self.authorities if (origin + "/").startswith(name + "/")]
def is_signed(key, text, mark):
    words = "pkeyutl -verify -pubin -keyform DER -inkey key -rawin -in text -sigfile mark"
    return openssl(words, key=bytes.fromhex("302a300506032b6570032100") + key, text=text, mark=mark).returncode == 0
def note(raw):
    (text, _, lines), signatures = raw.decode().rpartition("\n\n"), []
    for line in lines[:-1].split("\n"):
        dash, name, value = line.split(" ")
        value = unbase64(value)
        if dash != "\u2014" or len(value) < 5 or lines[-1] != "\n": raise ValueError("no signed note")
        signatures.append((name, value[:4], value[4:]))
    return text + "\n", signatures
def signed(raw, keys, origin, strict, size=None):
    """The text that the log's key signed, and when which witnesses did; where it is strict, nobody else."""
    text, signatures = note(raw)
    size = size or int(text.split("\n")[1])
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
    if by_log != 1: raise ValueError("the log's key has not signed it, once" if keys.of_log(origin, size) else f"no key of {origin} is named")
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
    if canonical(value := json.loads(raw)).encode() == raw: return value
    raise ValueError("not in its one writing")
def opened(entry, opening):
    """The record, and the values of the fields that are disclosed."""
    record, values = parse(entry), {}
    if opening["record"] != sha(b"\0", entry).hex(): raise ValueError("it opens another record")
    for field, pair in opening["fields"].items():
        tag = f"vigie/field/v1\0{record['kind']}\0{field}\0".encode()
        found = sha(tag, unhex(pair["salt"]), canonical(pair["value"]).encode()).hex()
        if record["committed"].get(field) != found: raise ValueError(f"its field {field} was changed")
        values[field] = pair["value"]
    return record, values
LEAF = 4096  # --- exhibits: a tree over leaves of so many bytes, each with a salt of its own
def salts(nodes):
    """Gives the salt of a leaf from the nodes `depth/index/secret` that are above it."""
    nodes = [(int(d), int(i), unhex(s)) for d, i, s in (n.split("/") for n in nodes)]
    if not all(0 <= d <= 40 and 0 <= i < 1 << d for d, i, _ in nodes): raise ValueError("a node that is none")
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
    if not any(a < end and first < b for a, b in runs): return unhex(next(hidden))
    if end - first == 1: return leaf(first)
    middle = first + (1 << (end - first - 1).bit_length() - 1)
    return node(subtree(first, middle, runs, hidden, leaf), subtree(middle, end, runs, hidden, leaf))
def exhibit(line, record, values):
    part, files, size = line.get("part"), line["files"], int(values["size"])
    if part and line["opening"].get("leaf_secrets"): raise ValueError("salts of what is hidden")
    leaves = max(1, -(-size // LEAF))
    if part: runs, nodes, hidden = part["runs"], part["nodes"], iter(part["hidden"])
    else: runs, nodes, hidden = [[0, leaves]], line["opening"]["leaf_secrets"], iter([])
    edges = [edge for run in runs for edge in run]
    if len(files) != len(runs) or part and int(part["size"]) != size or edges != sorted(set(edges)) \
            or edges[0] < 0 or edges[-1] > leaves or leaves > 1 << 40 or part and any(not file.endswith(f".{a * LEAF}-"
            f"{min(b * LEAF, size)}") for file, (a, b) in zip(files, runs)): raise ValueError("a part that does not fit")
    if not part and digest(files[0]) != values["exhibit"]: raise ValueError(f"{files[0]} is not the exhibit of the record")
    salt, paths = salts(nodes), [os.path.join(DIR, file) for file in files]
    if [os.path.getsize(p) for p in paths] != [min(b * LEAF, size) - a * LEAF for a, b in runs]: raise ValueError("other lengths")
    def leaf(number):
        at = next(i for i, (first, end) in enumerate(runs) if first <= number < end)
        with open(paths[at], "rb") as file:  # one at a time: there may be thousands
            file.seek((number - runs[at][0]) * LEAF)
            return sha(b"\0", salt(number), file.read(LEAF))
    root = subtree(0, leaves, runs, hidden, leaf).hex()
    if next(hidden, None) or root != record["public"]["root"]:
        raise ValueError("its bytes do not lead to the root in the log")
def stamp(over, token, certificates, anchors):
    """The moment in a token (RFC 3161) over that digest, once openssl has verified it."""
    pem = lambda ders: b"".join(openssl("x509 -inform DER -in der", der=der).stdout for der in ders)
    chain = openssl("pkcs7 -inform DER -in token -print_certs", token=token).stdout + pem(certificates)
    text = openssl("ts -reply -in token -token_in -text", token=token).stdout.decode(errors="replace")
    day, year = re.search(r"Time stamp: (\w+ +\d+ [\d:]+)[.\d]* (\d+) GMT", text).groups()
    at = calendar.timegm(time.strptime(f"{day} {year}", "%b %d %H:%M:%S %Y"))
    words = f"ts -verify -digest {over} -in token -token_in -CAfile roots -untrusted chain -partial_chain -attime {at}"
    holds = lambda roots: openssl(words, token=token, chain=chain, roots=roots).returncode == 0
    if not holds(chain): raise ValueError("its time stamp does not hold")
    return f"{day} {year} GMT (time authority: {'yours' if anchors and holds(pem(anchors)) else 'not confirmed by you'})"
def proofs(keys, origin, size, root, manifest, strict):
    """The note of the package, the proof that its record is in the log, and that the log goes on."""
    head, _, end = load("package.tlog-proof").decode().partition("\n\n")
    first, extra, number, *path = head.split("\n")
    entry, (text, _) = unbase64(extra[6:]), signed(end.encode(), keys, None, strict)
    name, last, top = checkpoint(text)
    said, _ = signed(load("package.note"), keys, origin, strict, last)
    index = said.split("\n")[2]
    if said != f"vigie package v1\n{origin}\n{index}\n{manifest}\n": fail("tagmanifest-sha256.txt", "not the one that package.note signs")
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
    *lines, rest = load("data/records.jsonl").split(b"\n")
    if rest: fail("data/records.jsonl", "its last line has no end")
    for at, raw in enumerate(lines, 1):
        place = f"data/records.jsonl line {at}"
        try:
            line = parse(raw)
            index, entry = line["index"], line["entry"].encode()
            place = f"record {index} ({place})"
            if set(line) - {"index", "entry", "opening", "proof", "files", "part", "consistency"} \
                    or type(index) is not int or line.get("part") == {}: raise ValueError("a member that a line does not have")
            if index <= before: raise ValueError("not in the order of the log")
            before = index
            if included(sha(b"\0", entry), index, size, [unhex(h) for h in line["proof"]]) != root:
                raise ValueError("its proof does not lead to data/checkpoint: it is not in the log so")
            record, values = opened(entry, line["opening"])
            counts[0], counts[1] = counts[0] + 1, counts[1] + len(record["committed"]) - len(values)
            if "files" in line or "part" in line:
                if record["kind"] != "exhibit.sealed": raise ValueError("it seals no exhibit")
                home = {file for file in unused if file.startswith(f"data/exhibits/{index:012}/")}
                if not home >= set(line["files"]): raise ValueError("its file is missing, or another record's")
                unused -= set(line["files"])
                exhibit(line, record, values)
                counts[3 if "part" in line else 2] += 1
            if record["kind"].endswith(".stamped"): stamps.append((place, line, record["kind"], record["public"] | values))
        except Exception as error: fail(place, str(error) or type(error).__name__)
    for file in sorted(unused): fail(file, "no record leads to it")
    blob = lambda value: bytes.fromhex(value["hex"]) if isinstance(value, dict) else value.encode()
    pool = [blob(der) for *_, said in stamps for der in said.get("certificates", [])]
    for place, line, kind, said in stamps:
        try:
            if kind == "checkpoint.stamped":
                over, what = sha(said["checkpoint"].encode()).hex(), "the first {} records"
                name, old, was = checkpoint(signed(said["checkpoint"].encode(), keys, None, False)[0])
                if name != origin or not goes_on(old, size, was, root, [unhex(h) for h in line["consistency"]]):
                    raise ValueError("its stamp is over a checkpoint that this log does not go on from")
            elif {"exhibit", "token"} <= set(said): over, what, old = unhex(said["exhibit"]).hex(), "the exhibit of {}", place
            else: continue
            say(f"Stamped {stamp(over, blob(said['token']), pool, anchors)}: {what.format(old)}.")
        except Exception as error: fail(place, str(error) or type(error).__name__)
    return counts, sum(kind == "checkpoint.stamped" for _, _, kind, _ in stamps)
def main(words):
    global DIR
    wrong[:], trust, place = [], None, "the bag"
    if "--trust" in words[:-1]:
        at = words.index("--trust")
        try: trust = Keys(load(os.path.abspath(words[at + 1])).decode())
        except Exception as error: say(f"{words[at + 1]}: no file of keys: {error}"); return 3 if isinstance(error, OSError) else 2
        del words[at:at + 2]
    if len(words) > 1 or any(word.startswith("-") for word in words): print(__doc__); return 2
    if not re.match("OpenSSL ([3-9]|[1-9][0-9])", os.popen("openssl version").read()): say("openssl 3 is needed"); return 3
    DIR = words[0] if words else os.path.dirname(os.path.abspath(__file__))
    try:
        if load("bagit.txt") != b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n": fail("bagit.txt", "no bag's")
        manifest = bag()
        lines = [l.split(": ", 1) for l in load("bag-info.txt").decode().split("\n")[:-1]]
        info = dict(lines)
        if len(info) < len(lines): fail("bag-info.txt", "a field stands twice")
        place, origin = "data/keys.txt", info["External-Identifier"]
        keys = Keys(load(place).decode())
        place = "data/checkpoint"
        text, witnesses = signed(load(place), keys, None, True)
        _, size, root = checkpoint(text)
        if trust:
            _, witnesses = signed(load(place), trust, None, False)
            if len(witnesses) < trust.quorum: fail(place, f"{len(witnesses)} of {trust.quorum} cosignatures")
        place = "package.note and its proofs"
        proofs(keys, origin, size, root, manifest, True)
        if trust: proofs(trust, origin, size, root, manifest, False)
        place = "data/records.jsonl"
        counts, stamps = records(keys, origin, size, root, trust.times if trust else [])
    except Exception as error: fail(place, str(error) or type(error).__name__)
    for line in wrong: say("WRONG  " + line)
    if wrong: say(f"This package does not hold: {len(wrong)} finding(s)."); return 1
    say("This package of {} holds: {} records, {} fields hidden; {} exhibits whole, {} in part.".format(origin, *counts)
        + f"\nFor {info.get('Vigie-Recipient')}, handling {info.get('Vigie-Handling')}.")
    print("Signed by a key that your trust file names." if trust else
          "Consistent, signer not confirmed: whose keys data/keys.txt holds, only your own --trust FILE can say.")
    for who, when in witnesses.items():
        say(f"Witnessed by {who} at {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(min(when, 1 << 37)))}: the first {size} records.")
    for line in ["Unwitnessed" + " by anyone whom your trust file names" * bool(trust) + ": its operator could have rebuilt the log before."][len(witnesses):] + ["No trusted time."][stamps:]: print(line)
    print("NOT proven: that what the records say is true, and index.html and case.jsonld say what they say; when anything"
          "\nhappened; what is in what is hidden; that nothing was left out; that certificates still held.")
    return 0
if __name__ == "__main__": sys.exit(sys.stdout.reconfigure(errors="backslashreplace") or main(sys.argv[1:]))
