#!/usr/bin/env python3
"""A second implementation of docs/record-format.md, with the standard library alone.

Checks the document's vectors and, where a case's folder is given, the case: leaf hashes and root
against the checkpoint, every opening against its commitment, every exhibit against id, size and root.
Signatures are left to a verifier with Ed25519."""
import base64, hashlib, json, os, sys

def H(*parts): return hashlib.sha256(b"".join(parts)).digest()

def write(v, depth=0):
    if depth > 16: raise ValueError("too deep")
    if v is None or isinstance(v, float): raise ValueError("null or float")
    if isinstance(v, bool): return "true" if v else "false"
    if isinstance(v, int):
        if abs(v) >= 2**53: raise ValueError("integer without quotes")
        return str(v)
    if isinstance(v, str): return json.dumps(v, ensure_ascii=False)
    if isinstance(v, list): return "[" + ",".join(write(x, depth + 1) for x in v) + "]"
    if any(not all(" " <= c <= "~" for c in k) for k in v): raise ValueError("key")
    return "{" + ",".join(write(k) + ":" + write(v[k], depth + 1) for k in sorted(v)) + "}"

def read(raw, limit=65535):
    value = json.loads(raw.decode("utf-8"))
    if (limit and len(raw) > limit) or write(value).encode() != raw: raise ValueError("not canonical")
    return value

def root(hashes):
    if len(hashes) < 2: return hashes[0] if hashes else H()
    k = 1 << ((len(hashes) - 1).bit_length() - 1)
    return H(b"\1", root(hashes[:k]), root(hashes[k:]))

def salt(nodes, leaf):
    for node in nodes:
        depth, index, secret = node.split("/")
        depth, key = int(depth), bytes.fromhex(secret)
        if leaf >> (40 - depth) != int(index): continue
        for bit in range(39 - depth, -1, -1): key = H(b"vigie/ggm/v1", bytes([leaf >> bit & 1]), key)
        return key

def tree(nodes, data):
    leaves = [data[i:i + 4096] for i in range(0, len(data), 4096)] or [b""]
    return root([H(b"\0", salt(nodes, i), leaf) for i, leaf in enumerate(leaves)]).hex()

def rest(opening, data):
    """The root of a tree of which parts were erased: hashes stand for these, bytes are read of the others."""
    gone = {tuple(map(int, e.split("/")[:2])): bytes.fromhex(e.split("/")[2]) for e in opening["erased"]}
    def at(a, b):
        if (a, b) in gone: return gone[a, b]
        if b - a == 1: return H(b"\0", salt(opening["leaf_secrets"], a), data[a * 4096:b * 4096])
        k = 1 << ((b - a - 1).bit_length() - 1)
        return H(b"\1", at(a, a + k), at(a + k, b))
    for a, b in gone: assert not any(salt(opening["leaf_secrets"], i) for i in range(a, b)), "salts of what is erased"
    return at(0, -(-len(data) // 4096)).hex()

def places(text):
    first, last = text.split("-") if "-" in text else (text, text)
    return range(int(first), int(last) + 1)

def erasures(records):
    """What the log orders to be erased: fields, exhibits whole, and by sealing record what is left of one."""
    fields, whole, parts = set(), set(), {}
    for p in (r["public"] for r in records if r["kind"] == "erasure.ordered"):
        for item in p.get("fields", []): fields |= {(n, item.split("/")[1]) for n in places(item.split("/")[0])}
        whole |= {n for item in p.get("exhibits", []) for n in places(item)}
        parts |= {n: p["rest"] for item in p.get("parts", []) for n in places(item)}
    return fields, whole, parts

def check(entry, line):
    record, opening = read(entry), read(line, None)
    assert set(record) == {"v", "kind", "time", "authority", "public", "committed"} and record["v"] == 1
    assert opening["record"] == H(b"\0", entry).hex(), "an opening of another record"
    for field, o in opening["fields"].items():
        tag = b"vigie/field/v1\0" + record["kind"].encode() + b"\0" + field.encode() + b"\0"
        commitment = H(tag, bytes.fromhex(o["salt"]), write(o["value"]).encode()).hex()
        assert record["committed"][field] == commitment, f"{record['kind']}.{field}"
    return record, opening

def rotation(v):
    public = check(v["entry"].encode(), v["opening"].encode())[0]["public"]
    text = "vigie key-rotation v1\n"
    for key in public["old"], public["new"]:
        name, _, public_key = key.split("+", 2)
        name = name.split("/")[0]
        key_id = H(name.encode(), b"\n", base64.b64decode(public_key))[:4].hex()
        text += f"{name}+{key_id}+{public_key}\n"
    assert text == v["text"], "the text that both keys signed"
    assert public["statement"].startswith(text + "\n\u2014 "), "the statement is of another text"

def hand_over(v):
    fields = {k: o["value"] for k, o in check(v["entry"].encode(), v["opening"].encode())[1]["fields"].items()}
    fields["case"], text = v["text"].split("\n")[1][5:], "vigie custody hand-over v1\n"
    for name in "case item description from to place happened seal-before seal-after reason nonce".split():
        if (value := fields.get(name.replace("-", "_"))) is not None: text += f"{name} {value}\n"
    assert text == v["text"], "the text that was signed"
    words = open(os.path.join(os.path.dirname(__file__), "../crates/model/src/spoken.txt")).read().split()
    bits = int.from_bytes(H(b"\0", v["entry"].encode())[:5], "big")
    assert v["words"].split() == [words[bits >> n & 1023] for n in (30, 20, 10, 0)], "words"

def vectors():
    text = open(os.path.join(os.path.dirname(__file__), "../docs/record-format.md"), encoding="utf-8").read()
    v = json.loads(text.split("```json\n")[1].split("```")[0])
    for good in v["accepted"]: read(good.encode())
    for bad in v["refused"]:
        try: read(bad.encode())
        except ValueError: continue
        raise AssertionError(f"accepted {bad!r}")
    entries = [r["entry"].encode() for r in v["records"]]
    for entry, r in zip(entries, v["records"]): check(entry, r["opening"].encode())
    assert [H(b"\0", entry).hex() for entry in entries] == [r["leaf"] for r in v["records"]]
    assert base64.b64decode(v["checkpoint"].split("\n")[2]) == root([H(b"\0", e) for e in entries])
    hand_over(v["hand_over"])
    e = v["erased"]
    record = check(e["entry"].encode(), e["opening"].encode())[0]
    assert [n for item in record["public"]["leaves"] for n in places(item)] == [1, 2]
    data = bytearray(i % 251 for i in range(e["size"]))
    data[4096:12288] = bytes(8192)
    assert rest(e, data) == e["root"], "what is left of a tree"
    rotation(v["rotation"])
    for t in v["trees"]: assert tree(["0/0/" + t["secret"]], bytes(i % 251 for i in range(t["size"]))) == t["root"]
    whole = ["0/0/" + v["trees"][0]["secret"]]
    for s in v["salts"]: assert salt(whole, s["leaf"]).hex() == s["salt"]
    left = [salt(v["punctured_1_to_3"], i) for i in range(5)]
    assert left == [None if i in (1, 2) else salt(whole, i) for i in range(5)]

def case(folder):
    def load(*parts): return open(os.path.join(folder, *parts), "rb").read()
    origin, size, top = load("ledger", "checkpoint").decode().split("\n")[:3]
    entries, size = [], int(size)
    for n in range((size + 255) // 256):
        width = min(256, size - n * 256)
        above = [n // 10**k % 1000 for k in (9, 6, 3) if n >= 10**k]
        name = "".join(f"x{d:03}/" for d in above) + f"{n % 1000:03}" + (f".p/{width}" if width < 256 else "")
        raw, hashes = load("ledger/tile/entries", name), load("ledger/tile/0", name)
        while raw:
            end = 2 + int.from_bytes(raw[:2], "big")
            entries.append(raw[2:end]); raw = raw[end:]
        assert hashes == b"".join(H(b"\0", e) for e in entries[n * 256:]), f"tile/0/{name}"
    assert len(entries) == size and root([H(b"\0", e) for e in entries]) == base64.b64decode(top), "root"
    lines = b"".join(load("vault/openings", f) for f in sorted(os.listdir(os.path.join(folder, "vault/openings"))))
    lines, exhibits = lines.splitlines(), 0
    assert len(lines) == size and read(entries[0])["public"]["origin"] == origin
    both = list(map(check, entries, lines))
    fields, whole, parts = erasures([record for record, _ in both])
    gone = {(n, f) for n, (record, o) in enumerate(both) for f in record["committed"] if f not in o["fields"]}
    assert gone == fields, f"missing and not erased, or the other way round: {sorted(gone ^ fields)[:9]}"
    def bytes_of(n):
        values = {k: o["value"] for k, o in both[n][1]["fields"].items()}
        name = values["exhibit"]
        data = load(values.get("in_place") or f"vault/exhibits/{name[:2]}/{name}")
        assert hashlib.sha256(data).hexdigest() == name and len(data) == int(values["size"]), name
        return data
    for n, (record, opening) in enumerate(both):
        if record["kind"] != "exhibit.sealed": continue
        made = None
        if n in whole: assert "leaf_secrets" not in opening and "erased" not in opening, f"salts of record {n}"
        elif n in parts: made = rest(opening, bytes_of(parts[n]))
        else: made, exhibits = tree(opening["leaf_secrets"], bytes_of(n)), exhibits + 1
        assert made in (None, record["public"]["root"]), f"root of record {n}"
    print(f"{origin}: {size} records, {exhibits} exhibits")

vectors()
for folder in sys.argv[1:]: case(folder)
