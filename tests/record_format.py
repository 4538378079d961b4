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
    for record, opening in map(check, entries, lines):
        fields = {k: o["value"] for k, o in opening["fields"].items()}
        if record["kind"] != "exhibit.sealed" or "exhibit" not in fields: continue
        name, exhibits = fields["exhibit"], exhibits + 1
        data = load(fields.get("in_place") or f"vault/exhibits/{name[:2]}/{name}")
        assert hashlib.sha256(data).hexdigest() == name and len(data) == int(fields["size"]), name
        assert tree(opening["leaf_secrets"], data) == record["public"]["root"], f"root of {name}"
    print(f"{origin}: {size} records, {exhibits} exhibits")

vectors()
for folder in sys.argv[1:]: case(folder)
