#!/usr/bin/env python3
"""Packages by others' hands: `packages.py VIGIE WORK VENV-BIN`.

Makes a small case with the command, packs it, and shows what left to `verify.py`, PyPI's bagit and
case-utils, Debian's age and Python's own zip reader. Whatever byte of the unpacked bag is changed,
`verify.py` says so: the first, the last and 200 seeded ones of each file."""
import contextlib, functools, hashlib, importlib.util, io, os, pathlib, random, shutil, subprocess, sys, zipfile

VIGIE, WORK, BIN = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
os.environ.update(VIGIE_HOME=str(WORK / "home"), VIGIE_CASE=str(WORK / "case"), USER="tester")

def run(*words, code=0, **more):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, **more)
    assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout

def vigie(*words, code=0): return run(VIGIE, *words, code=code)

def unpack(file, name):
    folder = WORK / name
    with zipfile.ZipFile(file) as zipped:
        assert zipped.testzip() is None
        for info in zipped.infolist():
            assert info.date_time == (1980, 1, 1, 0, 0, 0) and info.compress_type == 0 and not info.extra
        zipped.extractall(folder)
    return folder / "package"

def script(folder, *words, code=0):
    """The script that the package itself carries."""
    return run(sys.executable, "-I", folder / "verify.py", *words, code=code)

def small():
    """A case with a few exhibits, one of two leaves and more."""
    (WORK / "material").mkdir(parents=True)
    (WORK / "material/one.m3u").write_text("#EXTM3U\n#EXTINF:-1,One\nhttp://a.example/1\n")
    (WORK / "material/born.txt").write_bytes(b"." * 4096 + b"born 1984" + b"." * 5000)
    (WORK / "material/empty").write_bytes(b"")
    vigie("open", WORK / "material")

def make(name, *words):
    file = WORK / f"{name}.zip"
    vigie("package", "make", "--for", "Court", "--handling", "H1", "--out", file, *words)
    return file

def flips(folder):
    """Every change is found by the script's own code, run in one process; what openssl answers to the
    same question is remembered."""
    spec = importlib.util.spec_from_file_location("verify", folder / "verify.py")
    verify = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode = True
    spec.loader.exec_module(verify)
    verify.is_signed = functools.cache(verify.is_signed)
    def verdict():
        said = io.StringIO()
        with contextlib.redirect_stdout(said): return verify.main([str(folder)]), said.getvalue()
    code, said = verdict()
    assert code == 0, said
    rng, count = random.Random(7), 0
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        whole = path.read_bytes()
        name = str(path.relative_to(folder))
        places = {0, len(whole) - 1} | {rng.randrange(len(whole)) for _ in range(200)} if whole else set()
        for at in places:
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << rng.randrange(8)]) + whole[at + 1:])
            code, said = verdict()
            assert code == 1 and "WRONG" in said, f"{name} byte {at} passes"
            count += 1
        path.write_bytes(whole)
        path.rename(WORK / "away")
        assert verdict()[0] == 1, f"without {name} it passes"
        (WORK / "away").rename(path)
    (folder / "data/exhibits/added").write_bytes(b"x")
    assert verdict()[0] == 1, "an added file passes"
    (folder / "data/exhibits/added").unlink()
    assert verdict()[0] == 0
    return count

def main():
    small()
    ids = {name: hashlib.sha256((WORK / "material" / name).read_bytes()).hexdigest() for name in ("born.txt", "one.m3u")}

    whole = make("whole")
    folder = unpack(whole, "whole")
    assert "signer not confirmed" in script(folder)
    assert "signer not confirmed" in vigie("package", "verify", whole)
    key = next(line for line in (folder / "data/keys.txt").read_text().splitlines() if line.startswith("log "))
    (WORK / "trust").write_text(key + "\n")
    assert "Signed by" in script(folder, "--trust", WORK / "trust")
    assert "Signed by" in vigie("package", "verify", "--trust", WORK / "trust", folder)
    (WORK / "other").write_text("log practice.invalid/case/1+00000000+AAAA\n")
    assert run(sys.executable, folder / "verify.py", "--nonsense", code=2)
    print(f"whole: {flips(folder)} changed bytes found by verify.py")

    # Others read it.
    import bagit
    bagit.Bag(str(folder)).validate()
    said = run(BIN / "case_validate", "--built-version", "case-1.4.0", folder / "case.jsonld")
    assert "Conforms: True" in said, said

    # In part: the second leaf, with a birth year in it, stays hidden, and so does what would tell it.
    part = make("part", "--redact", f"exhibit:{ids['born.txt']}:4100-4105", "--redact", "actor",
                "--redact", "exhibit.sealed.source")
    folder = unpack(part, "part")
    assert "in part" in script(folder)
    for path in folder.rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            assert b"born 1984" not in raw and ids["born.txt"].encode() not in raw, path
            assert b"tester" not in raw and b"material/" not in raw, path
    print(f"part: {flips(folder)} changed bytes found by verify.py")
    guess = WORK / "guess"
    for year in range(1900, 2030):
        digest = hashlib.sha256(b"." * 4096 + b"born %d" % year + b"." * 5000).hexdigest()
        assert all(digest.encode() not in p.read_bytes() for p in folder.rglob("*") if p.is_file())

    # Encrypted, for whom it is.
    run("age-keygen", "-o", WORK / "age.key")
    to = run("age-keygen", "-y", WORK / "age.key").strip()
    sealed = WORK / "sealed.zip.age"
    vigie("package", "make", "--for", "Court", "--handling", "H2", "--encrypt-to", to, "--out", sealed)
    assert "age --decrypt" in subprocess.run([VIGIE, "package", "verify", sealed], capture_output=True, text=True).stderr
    run("age", "--decrypt", "-i", WORK / "age.key", "-o", WORK / "opened.zip", sealed)
    script(unpack(WORK / "opened.zip", "opened"))
    vigie("package", "verify", WORK / "opened.zip")
    print("bagit, case-utils, age and Python's zip agree")

main()
