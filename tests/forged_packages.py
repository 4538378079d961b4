#!/usr/bin/env python3
"""Packages forged by whoever holds the log's key: `forged_packages.py VIGIE WORK`.

The operator himself is the forger: every signature is good. Still neither `verify.py` nor `vigie package
verify` takes a package in which something does not follow from the log."""
import base64, hashlib, json, os, pathlib, shutil, subprocess, sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "assets/verify.py"
sys.path.insert(0, str(SCRIPT.parent)); sys.dont_write_bytecode = True
import verify as v

VIGIE, WORK = sys.argv[1], pathlib.Path(sys.argv[2])
ORIGIN, LEAF, SECRET = "evil.example/case/01a2155b-fa11-7ec5-9c13-a46155f16096", 4096, b"\7" * 32
FILE = "data/exhibits/000000000000/a"

def openssl(*words): return subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True).stdout

def key(name, kind, of="", public_of=None):
    """A new key, or one that is there under another name: its file, its id, and how key files write it."""
    file = public_of or WORK / f"{name.replace('/', '-')}-{kind}{of}.pem"
    if not public_of: openssl("genpkey", "-algorithm", "ed25519", "-out", file)
    public = openssl("pkey", "-in", file, "-pubout", "-outform", "DER")[-32:]
    number = v.key_id(name, kind, public)
    return file, number, f"{name}+{number.hex()}+{base64.b64encode(bytes([kind]) + public).decode()}"

def mark(file, message):
    (WORK / "message").write_bytes(message)
    openssl("pkeyutl", "-sign", "-inkey", file, "-rawin", "-in", WORK / "message", "-out", WORK / "mark")
    return (WORK / "mark").read_bytes()

def signature(name, number, raw): return f"\u2014 {name} {base64.b64encode(number + raw).decode()}\n"

def sign(text, more=""):
    file, number, _ = LOG
    return f"{text}\n{signature(ORIGIN, number, mark(file, text.encode()))}{more}"

def record(kind, public, fields):
    committed, opening = {}, {}
    for at, (name, value) in enumerate(sorted(fields.items())):
        salt = bytes([at + 65]) * 32
        tag = f"vigie/field/v1\0{kind}\0{name}\0".encode()
        committed[name] = v.sha(tag, salt, v.canonical(value).encode()).hex()
        opening[name] = {"salt": salt.hex(), "value": value}
    entry = v.canonical({"authority": "evil.example", "committed": committed, "kind": kind, "public": public,
                         "time": "2026-11-26T00:57:59.057Z", "v": 1})
    return entry, {"fields": opening, "record": v.sha(b"\0", entry.encode()).hex()}

CLOCK = """[req]
distinguished_name = dn
[dn]
[clock]
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = one
[one]
serial = number
default_policy = 1.2.3.4.1
digests = sha256
signer_digest = sha256
ess_cert_id_alg = sha256
"""

def clock():
    """A time authority of the forger's own, its certificate valid for a day: gives tokens over digests."""
    at = WORK / "clock"
    at.mkdir()
    (at / "conf").write_text(CLOCK)
    (at / "number").write_text("01\n")
    def run(*words): return subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=at).stdout
    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key", "-out", "crt", "-days", "1", "-subj",
        "/CN=Clock", "-config", "conf", "-extensions", "clock")
    def token(digest):
        run("ts", "-query", "-digest", digest, "-sha256", "-cert", "-no_nonce", "-out", "query")
        return run("ts", "-reply", "-config", "conf", "-queryfile", "query", "-signer", "crt", "-inkey", "key",
                   "-token_out").hex()
    return token

def build(name, entry, line, files, tail=b"", keys="", info="", more=lambda text: ""):
    """A package whose log holds that entry and the package's own; every digest and signature is made to fit."""
    folder, leaf = WORK / name, v.sha(b"\0", entry.encode())
    text = f"{ORIGIN}\n1\n{base64.b64encode(leaf).decode()}\n"
    parts = {"data/keys.txt": f"log {LOG[2]}\n{keys}".encode(), "data/checkpoint": sign(text, more(text)).encode(),
             "data/records.jsonl": v.canonical(line).encode() + b"\n" + tail, **files,
             "bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n", "index.html": b"x",
             "bag-info.txt": f"External-Identifier: {ORIGIN}\nVigie-Recipient: Court\nVigie-Handling: H0\n{info}".encode()}
    def manifest(payload):
        named = sorted(n for n in parts if n.startswith("data/") == payload)
        return "".join(f"{hashlib.sha256(parts[n]).hexdigest()}  {n}\n" for n in named).encode()
    parts["manifest-sha256.txt"] = manifest(True)
    parts["tagmanifest-sha256.txt"] = manifest(False)
    total = hashlib.sha256(parts["tagmanifest-sha256.txt"]).hexdigest()
    words = {"recipient": "Court", "handling": "H0", "records": ["0"], "selection": "all"}
    own, _ = record("package.made", {"manifest": total}, words)
    second = v.sha(b"\0", own.encode())
    after = sign(f"{ORIGIN}\n2\n{base64.b64encode(v.node(leaf, second)).decode()}\n")
    one, two = (base64.b64encode(h).decode() for h in (leaf, second))
    parts["package.note"] = sign(f"vigie package v1\n{ORIGIN}\n1\n{total}\n").encode()
    parts["package.tlog-proof"] = (f"c2sp.org/tlog-proof@v1\nextra {base64.b64encode(own.encode()).decode()}\n"
                                   f"index 1\n{one}\n\n{after}").encode()
    parts["package.consistency"] = f"old 1\n{two}\n\n{after}".encode()
    for part, raw in parts.items():
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        (folder / part).write_bytes(raw)
    return folder

def verdicts(folder, trusted=""):
    (WORK / "trust").write_text(f"log {LOG[2]}\n{trusted}")
    out = []
    for words in ([], ["--trust", WORK / "trust"]):
        for command in ([sys.executable, SCRIPT, folder, *words], [VIGIE, "package", "verify", *words, folder]):
            done = subprocess.run([str(w) for w in command], capture_output=True, text=True, timeout=60)
            assert "Traceback" not in done.stderr and "panicked" not in done.stderr, f"{folder}: {done.stderr}"
            out.append(done.returncode)
    return out

def main():
    data = b"A" * LEAF + b"B" * 2000
    salt = v.salts(["0/0/" + SECRET.hex()])
    salts = [salt(0), salt(1)]
    leaves = [v.sha(b"\0", salts[0], data[:LEAF]), v.sha(b"\0", salts[1], data[LEAF:])]
    fields = {"exhibit": hashlib.sha256(data).hexdigest(), "size": len(data), "source": 'guilty, said "not guilty'}
    entry, opening = record("exhibit.sealed", {"root": v.node(*leaves).hex()}, fields)
    def copy(**more): return json.loads(json.dumps({**opening, **more}))
    def whole(**more):
        return {"index": 0, "entry": entry, "opening": copy(leaf_secrets=["0/0/" + SECRET.hex()]), "proof": [],
                "files": [FILE], **more}
    part = {"size": len(data), "runs": [[0, 1]], "nodes": [f"40/0/{salts[0].hex()}"], "hidden": [leaves[1].hex()]}
    def shown(file=FILE + ".0-4096", opening=None, **more):
        opening = opening or copy()
        opening["fields"].pop("exhibit", None)
        return {"index": 0, "entry": entry, "opening": opening, "proof": [], "files": [file], "part": {**part, **more}}

    good = {FILE: data}
    assert verdicts(build("whole", entry, whole(), good)) == [0] * 4, "a package that holds"
    assert verdicts(build("part", entry, shown(), {FILE + ".0-4096": data[:LEAF]})) == [0] * 4, "a part that holds"

    # Bytes of a value, or of a leaf, are moved into the salt before it: the hash is the same.
    moved = copy(leaf_secrets=["0/0/" + SECRET.hex()])
    source, text = moved["fields"]["source"], v.canonical(fields["source"])
    cut = text.index('\\"') + 1
    source.update(salt=source["salt"] + text[:cut].encode().hex(), value=json.loads(text[cut:]))
    short = f"40/0/{(salts[0] + data[:1000]).hex()}"
    outside = WORK / "outside"
    outside.write_bytes(data)
    forged = {
        "a value in its salt": (whole(opening=moved), good, {}),
        "bytes in a leaf's salt": (shown(nodes=[short]), {FILE + ".0-4096": data[1000:LEAF]}, {}),
        "a file outside": (whole(files=[str(outside)]), {}, {}),
        "a file above": (whole(files=["../outside"]), {}, {}),
        "a page as an exhibit": (whole(files=["index.html"]), {}, {}),
        "another record's folder": (whole(files=["data/exhibits/000000000007/a"]),
                                    {"data/exhibits/000000000007/a": data}, {}),
        "a line without an end": (whole(), good, {"tail": b'{"index":1,"entry":"the accused confessed"}'}),
        "a member of its own": (whole(summary="the accused confessed"), good, {}),
        "an index that is no number": (whole(index=False), good, {}),
        "a part of nothing": (whole(part={}), good, {}),
        "a file named by other bytes": (shown(FILE + ".4096-6096"), {FILE + ".4096-6096": data[:LEAF]}, {}),
        "salts of what is hidden": (shown(opening=copy(leaf_secrets=["0/0/" + SECRET.hex()])),
                                    {FILE + ".0-4096": data[:LEAF]}, {}),
        "a run beyond the end": ({**shown(runs=[[0, 1], [9, 99]]), "files": [FILE + ".0-4096", FILE + ".36864-6096"]},
                                 {FILE + ".0-4096": data[:LEAF], FILE + ".36864-6096": b""}, {}),
        "too long a part": (shown(), {FILE + ".0-4096": data[:LEAF] + b"x"}, {}),
        "a file that nothing names": (whole(), {**good, "data/exhibits/000000000000/b": b"x"}, {}),
        "a field that stands twice": (whole(), good, {"info": "Vigie-Handling: H3\n"}),
        "a line that is no field": (whole(), good, {"info": "For the judge alone\n"}),
        "a hash too many": (shown(hidden=[leaves[1].hex()] * 2), {FILE + ".0-4096": data[:LEAF]}, {}),
    }
    for name, (line, files, more) in forged.items():
        found = verdicts(build(name.replace(" ", "-"), entry, line, files, **more))
        assert found == [1] * 4, f"{name}: verify.py and vigie, without and with keys: {found}"

    # A stamp over another exhibit, and one that is none.
    token, over = clock(), hashlib.sha256(data).hexdigest()
    stamps = {"stamped": (token(over), 0), "over another": (token("11" * 32), 1), "no token": ("3003020100", 1)}
    for name, (der, code) in stamps.items():
        said = {"exhibit": over, "actor": "x", "token": {"hex": der}, "asked": "http://x.example"}
        stamped, opens = record("exhibit.stamped", {}, said)
        line = {"index": 0, "entry": stamped, "opening": opens, "proof": []}
        found = verdicts(build(name.replace(" ", "-"), stamped, line, {}))
        assert found == [code] * 4, f"{name}: {found}"

    # One witness signs twice; one whose key nobody named signs.
    file, number, text = key("w.example", 4)
    def cosigned(message):
        when = (1_700_000_000).to_bytes(8, "big")
        raw = mark(file, f"cosignature/v1\ntime 1700000000\n{message}".encode())
        return signature("w.example", number, when + raw)
    once = build("cosigned", entry, whole(), good, keys=f"witness {text}\n", more=cosigned)
    assert verdicts(once) == [0] * 4
    twice = build("twice", entry, whole(), good, keys=f"witness {text}\n", more=lambda m: cosigned(m) * 2)
    assert verdicts(twice) == [1] * 4
    assert verdicts(build("unnamed", entry, whole(), good, more=cosigned)) == [1] * 4
    # One witness under two names, and two keys of one name, are no quorum of two, in a package or with a reader.
    for other in (key("v.example", 4, public_of=file), key("w.example", 4, "second")):
        both, name = f"witness {text}\nwitness {other[2]}\nquorum 2\n", f"two-{other[1].hex()}"
        assert verdicts(build(name, entry, whole(), good, keys=both, more=cosigned)) == [1] * 4
        assert verdicts(once, both) == [0, 0, 2, 2]

    # What is no plain file.
    for name, trick in (("link", lambda at: os.symlink("/dev/zero", at)), ("pipe", os.mkfifo)):
        folder = WORK / name
        shutil.copytree(WORK / "whole", folder)
        (folder / FILE).unlink()
        trick(folder / FILE)
        assert 0 not in verdicts(folder), name
    shutil.copytree(WORK / "whole", WORK / "folder")
    os.symlink("/etc", WORK / "folder/data/exhibits/extra")
    assert 0 not in verdicts(WORK / "folder"), "a linked folder"

    # Misuse is told from what does not hold.
    for words, code in ((["--trust", WORK / "nothing"], 3), (["--trust", SCRIPT], 2), (["--other"], 2)):
        done = subprocess.run([sys.executable, SCRIPT, WORK / "whole", *words], capture_output=True, text=True)
        assert done.returncode == code and not done.stderr, f"{words}: {done.returncode} {done.stderr}"
    print(f"{len(forged) + 9} forged packages are refused by both")

LOG = key(ORIGIN, 1)
main()
