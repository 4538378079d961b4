"""Images of disks, made by others' tools and held against others' readers: the files that come out are
those that went in, partitions are those of sfdisk and mmls, hashes those of ewfinfo; where ewfverify
finds an E01 damaged, so do we; and a dump inside an image gives the facts that it gives by itself.
Run by `./test images`, with IMAGE_BIN (the example `image`) and VIGIE_BIN set."""

import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TOOLS = ["mkfs.ext4", "mkfs.vfat", "mcopy", "mkntfs", "ntfscp", "mkfs.xfs", "sfdisk", "mmls", "ewfacquire",
         "ewfinfo", "ewfverify", "cryptsetup", "fiwalk"]


def run(*words, ok=True, **more):
    words = [str(word) for word in words]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
    assert not ok or done.returncode == 0, (words, done.returncode, done.stdout, done.stderr)
    return done


def ours(*paths, env=None):
    """Members as {name: (offset, size, SHA-256)}, and problems as (start, end, kind, lost, words)."""
    out = run(os.environ["IMAGE_BIN"], *paths, env=env).stdout.decode("utf-8")
    members, problems = {}, []
    for line in out.split("\n"):
        mark, *fields = line.split("\t")
        if mark == "+":
            name, offset, size, digest = fields
            members[name] = (offset, int(size), digest)
        elif mark == "!":
            problems.append((int(fields[0]), int(fields[1]), *fields[2:]))
    return members, problems


def faults(problems):
    return [p for p in problems if p[2] != "note"]


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def blank(path, size):
    with open(path, "wb") as file:
        file.truncate(size)


def put(image, at, path):
    with open(image, "r+b") as to, open(path, "rb") as data:
        to.seek(at)
        while piece := data.read(1 << 20):
            if piece.strip(b"\0"):
                to.write(piece)
            else:
                to.seek(len(piece), 1)


def files(folder, rng):
    """Files of every awkward sort; {name: bytes}."""
    made = {
        "empty.txt": b"",
        "small.conf": b"user = panel\n",
        "var/lib/mysql/dump.sql": b"INSERT INTO t VALUES (1);\n" * 5000,
        "var/log/nginx/access.log": rng.randbytes(300_000),
        "deep/" * 12 + "leaf": b"leaf",
        "name with spaces & <signs>.txt": b"signs",
        "a longer näme-é.txt": b"utf-8",
        "hole": b"begin" + bytes(5_000_000) + b"end",
    }
    made |= {f"many/{n:04}.txt": str(n).encode() * (n % 90) for n in range(400)}
    for name, data in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") as file:
            for at in range(0, len(data), 4096):  # holes stay holes
                piece = data[at:at + 4096]
                if piece.strip(b"\0"):
                    file.seek(at)
                    file.write(piece)
            file.truncate(len(data))
    return made


def same(members, made, prefix, skip=()):
    for name, data in made.items():
        if name not in skip:
            found = members.get(prefix + name)
            assert found, (prefix + name, sorted(members)[:20])
            assert found[1:] == (len(data), sha256(data)), (prefix + name, found)
    extra = {m for m in members if m.startswith(prefix)} - {prefix + name for name in made}
    return extra


def file_systems(work, rng):
    """Each file system alone, without a partition table."""
    folder = work / "in"
    folder.mkdir()
    made = files(folder, rng)
    os.symlink("small.conf", folder / "link")
    ext = work / "ext.img"
    blank(ext, 48 << 20)
    run("mkfs.ext4", "-q", "-F", "-d", folder, ext)
    members, problems = ours(ext)
    assert not same(members, made, ""), "nothing but what went in"
    assert not faults(problems), problems
    assert any("symbolic links, not read: 1" in p[4] for p in problems), problems
    # A member's offset is where its first byte is.
    image = ext.read_bytes()
    for name, data in made.items():
        if data and members[name][0]:
            at = int(members[name][0])
            assert image[at:at + 100] == data[:100] or len(data) < 100, name

    # What no name leads to any more is counted against the inodes in use.
    torn, sub = work / "torn.img", next(n for n in made if "/" in n).split("/")[0]
    shutil.copy(ext, torn)
    run("debugfs", "-w", "-R", f"unlink {sub}", torn)
    members, problems = ours(torn)
    assert not any(n.startswith(sub + "/") for n in members), members
    assert any("were not reached" in p[4] for p in problems), problems
    # A pointer block that leads nowhere: zeros, and not a word less.
    (work / "one").mkdir()
    (work / "one" / "f.bin").write_bytes(rng.randbytes(400_000))
    blank(torn, 4 << 20)
    run("mke2fs", "-q", "-F", "-t", "ext2", "-b", "1024", "-d", work / "one", torn)
    block = int(re.search(r"\(IND\):(\d+)", run("debugfs", "-R", "stat f.bin", torn).stdout.decode())[1])
    with open(torn, "r+b") as image:
        image.seek(block << 10)
        image.write(b"\xff" * 1024)
    members, problems = ours(torn)
    assert any("does not say where they stand" in p[4] for p in problems), problems

    flat = {n: d for n, d in made.items() if not re.search("[/<]", n)}
    fat = work / "fat.img"
    blank(fat, 40 << 20)
    run("mkfs.vfat", "-F", "32", fat)
    for name in flat:
        run("mcopy", "-i", fat, folder / name, "::/" + name)
    run("mdel", "-i", fat, "::/small.conf")
    members, problems = ours(fat)
    assert not same(members, flat, "", skip=("small.conf",)), members
    assert "small.conf" not in members
    assert any("and not read: 1:" in p[4] for p in problems), problems

    ntfs = work / "ntfs.img"
    blank(ntfs, 24 << 20)
    run("mkntfs", "-F", "-q", ntfs)
    for name in flat:
        run("ntfscp", "-f", ntfs, folder / name, name)
    stream = b"a second stream\n" * 9000
    (work / "stream").write_bytes(stream)
    run("ntfscp", "-f", "-N", "hidden", ntfs, work / "stream", "small.conf")
    members, problems = ours(ntfs)
    assert same(members, flat, "") == {"small.conf:hidden"}, members
    assert members["small.conf:hidden"][1:] == (len(stream), sha256(stream))
    return ext, fat, ntfs, made, flat


def disks(work, ext, fat, ntfs, made, flat):
    """GPT and MBR with a chain of logical partitions; LUKS, XFS, swap and InnoDB among them."""
    luks = work / "luks.img"
    blank(luks, 20 << 20)
    run("cryptsetup", "luksFormat", "--batch-mode", "--type", "luks2", "--pbkdf", "pbkdf2",
        "--pbkdf-force-iterations", "1000", luks, "-", input=b"pass")
    xfs = work / "xfs.img"
    blank(xfs, 320 << 20)
    run("mkfs.xfs", "-q", xfs)
    swap = work / "swap.img"
    blank(swap, 1 << 20)
    run("mkswap", swap)
    size = lambda path: path.stat().st_size // 512
    for label, image in [("gpt", work / "gpt.img"), ("dos", work / "mbr.img")]:
        blank(image, 500 << 20)
        script, at, places = f"label: {label}\n", 2048, []
        parts = [ext, luks, fat, ntfs, swap] if label == "gpt" else [ext, fat, luks, xfs]
        for n, part in enumerate(parts):
            if label == "dos" and n == 2:
                script += f"start={at},type=5\n"
            if label == "dos" and n >= 2:
                at += 2048
            script += f"start={at},size={size(part)}\n"
            places.append(at)
            at = (at + size(part) + 2047) // 2048 * 2048
        run("sfdisk", "-q", image, input=script.encode())
        for part, place in zip(parts, places):
            put(image, place * 512, part)
        members, problems = ours(image)
        theirs = json.loads(run("sfdisk", "--json", image).stdout)["partitiontable"]["partitions"]
        listed = {}
        for _, _, _, _, words in problems:
            if found := re.match(r"partition (\d+).*?, type (\S+), (\d+) bytes from byte (\d+): ", words):
                listed[int(found[1])] = (int(found[4]) // 512, int(found[3]) // 512)
        number = lambda node: int(re.search(r"img(\d+)$", node)[1])
        want = {number(p["node"]): (p["start"], p["size"]) for p in theirs}
        if label == "dos":  # the extended partition holds others, and nothing itself
            want = {n: place for n, place in want.items() if n != 3}
        assert listed == want, (listed, want)
        mmls = run("mmls", image).stdout.decode()
        for start, sectors in listed.values():
            assert re.search(rf" {start:010} +\d+ +{sectors:010} ", mmls), (start, sectors, mmls)
        assert not same(members, made, "p1/")
        found = [p for p in faults(problems) if p[3] == "lost"]
        if label == "gpt":
            same(members, flat, "p3/", skip=("small.conf",))
            same(members, flat, "p4/")
            assert [w in " ".join(p[4] for p in found) for w in ("LUKS2", "cryptsetup", "swap")] == [True] * 3
            assert len(found) == 2, found
            start, end = found[0][:2]
            assert (start, end) == (places[1] * 512, places[1] * 512 + luks.stat().st_size)
        else:
            same(members, flat, "p2/", skip=("small.conf",))
            assert "LUKS2" in found[0][4] and "XFS" in found[1][4] and "norecovery" in found[1][4], found
    # Any damage to the first GPT header or its entries is told, and the backup read instead.
    data = bytearray((work / "gpt.img").read_bytes()[:34 * 512])
    with open(work / "gpt.img", "r+b") as image:
        for at in (520, 540, 600, 1024 + 40):
            image.seek(at)
            image.write(bytes([data[at] ^ 4]))
            image.flush()
            members, problems = ours(work / "gpt.img")
            assert any(p[2] == "integrity" and "GPT" in p[4] for p in problems), (at, problems)
            assert "p1/small.conf" in members, at
            image.seek(at)
            image.write(bytes([data[at]]))
    # Without The Sleuth Kit it is said what to install, and the whole partition counts as lost.
    members, problems = ours(work / "gpt.img", env={"PATH": "/nowhere"})
    said = [p for p in problems if "apt install sleuthkit" in p[4]]
    assert not members and len(said) == 3 and said[0][:2] == (1 << 20, (1 << 20) + ext.stat().st_size), problems


def acquire(image, to, *more):
    run("ewfacquire", "-u", "-q", "-t", to, "-C", "24/117", "-D", "server", "-E", "item 3", "-e", "A. Example",
        "-N", "notes", "-m", "fixed", "-M", "physical", "-d", "sha1", *more, image)
    return Path(f"{to}.E01")


def images(work, ext, made):
    """E01: the same files, ewfinfo's hashes, and each damage that ewfverify finds."""
    whole = {}
    for name, more in [("fast", ["-c", "fast"]), ("none", ["-c", "none"]), ("v5", ["-f", "encase5", "-c", "best"]),
                       ("large", ["-c", "fast", "-b", "1024"]), ("ftk", ["-f", "ftk", "-c", "fast"])]:
        image = acquire(ext, work / name, *more)
        members, problems = ours(image)
        assert not same(members, made, ""), name
        assert not faults(problems), (name, problems)
        info = run("ewfinfo", image).stdout.decode()
        notes = " ".join(p[4] for p in problems)
        for digest in re.findall(r"^\s+(?:MD5|SHA1):\s+([0-9a-f]+)$", info, re.M):
            assert f"{digest}, is that of the {ext.stat().st_size} bytes" in notes, (name, digest, notes)
        assert "24/117" in notes and "A. Example" in notes, notes
        whole[name] = image
    return whole["fast"]


def flips(work, rng, count):
    """A seeded sample of flipped bytes in a small E01."""
    small = work / "small.img"
    small.write_bytes(rng.randbytes(200_192) + bytes(200_192))
    image = acquire(small, work / "small", "-c", "fast")
    data = image.read_bytes()
    _, problems = ours(image)
    assert all("nothing that is known" in p[4] for p in faults(problems)), problems
    places = sorted(rng.sample(range(8, len(data)), count - 40) + rng.sample(range(len(data) - 700, len(data)), 40))
    theirs, mine = 0, 0
    for at in places:
        flipped = bytearray(data)
        flipped[at] ^= 1 << rng.randrange(8)
        image.write_bytes(flipped)
        refused = run("ewfverify", "-q", "-d", "sha1", image, ok=False).returncode != 0
        _, problems = ours(image)
        found = [p for p in faults(problems) if "nothing that is known" not in p[4]]
        theirs, mine = theirs + refused, mine + bool(found)
        assert found or not refused, (at, "ewfverify finds it damaged, and we do not")
    image.write_bytes(data)
    print(f"E01: of {len(places)} flipped bytes ewfverify finds {theirs}, we {mine}")


def sections(data):
    """Type and place of each section of a segment file."""
    at = 13
    while True:
        following = int.from_bytes(data[at + 16:at + 24], "little")
        yield data[at:at + 16].split(b"\0")[0].decode(), at
        if following == at:
            return
        at = following


def structure(work, whole, made):
    """A flipped byte outside of the chunks, in each section: our reader reads the disk, libewf may refuse
    it, and every file is there all the same. What was copied for The Sleuth Kit is gone."""
    data, image, empty = whole.read_bytes(), work / "bent.E01", work / "empty"
    empty.mkdir()
    refused, places = 0, []
    for kind, at in sections(data):
        places += [(kind, "descriptor", at + 72)]
        if kind in ("header", "header2", "volume", "table", "data", "digest", "hash"):
            places += [(kind, "body", at + 76 + 20)]
    for kind, what, at in places:
        bent = bytearray(data)
        bent[at] ^= 1
        image.write_bytes(bent)
        refused += b"<filename>" not in run("fiwalk", "-x", "-g", "-z", image, ok=False).stdout
        members, problems = ours(image, env={**os.environ, "TMPDIR": str(empty)})
        assert not same(members, made, ""), (kind, what)
        said = [p[4] for p in problems]
        assert sum("read from a copy of the disk's bytes" in words for words in said) == 1, (kind, what, said)
        assert not any("fsck" in words for words in said) and not list(empty.iterdir()), (kind, what, said)
    # Without the room for a copy it is said how much is needed, and what libewf reads is read.
    if run("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", empty, ok=False).returncode == 0:
        try:
            for kind, what, at in places:
                if (kind, what) in (("header", "body"), ("digest", "descriptor")):
                    bent = bytearray(data)
                    bent[at] ^= 1
                    image.write_bytes(bent)
                    members, problems = ours(image, env={**os.environ, "TMPDIR": str(empty)})
                    said = [p[4] for p in problems if "of room in" in p[4] and "make room there" in p[4]]
                    assert len(said) == 1 and "GiB" in said[0], problems
                    lost = [p[4] for p in problems if p[3] == "lost" and "no copy of the disk's bytes" in p[4]]
                    assert bool(lost) != bool(members), (kind, problems)
                    if members:
                        same(members, made, "")
        finally:
            run("umount", empty)
    else:
        print("SKIPPED: no small file system can be mounted here, so want of room was not tried")
    print(f"E01: of {len(places)} flipped bytes of its structure libewf refuses {refused}; every file is read")


def holes(work):
    """Files of nothing but holes, up to far beyond the image."""
    folder = work / "holes"
    folder.mkdir()
    sizes = {"within": 3 << 20, "beyond": 100 << 20, "far": 20 << 30, "begun": 90 << 20, "small.txt": 3}
    for name, size in sizes.items():
        with open(folder / name, "wb") as file:
            file.write({"begun": b"begun", "small.txt": b"hi\n"}.get(name, b""))
            file.truncate(size)
    with open(folder / "late", "wb") as file:
        file.seek(64 << 20)
        file.write(b"late")
    for kind in ("ext4", "ext2"):
        image = work / f"holes-{kind}.img"
        blank(image, 16 << 20)
        run("mke2fs", "-q", "-F", "-t", kind, "-d", folder, image)
        members, problems = ours(image)
        for name, size in sizes.items():
            if name == "far":
                continue
            head = {"begun": b"begun", "small.txt": b"hi\n"}.get(name, b"")
            assert members[name][1:] == (size, sha256(head + bytes(size - len(head)))), (kind, name, members[name])
        found = faults(problems)
        # What cannot come out is a problem with its place, counted, and no member.
        far = [p for p in found if p[4].startswith('"far": 21474836480 bytes')]
        assert "far" not in members and len(far) == 1 and far[0][3] == "lost" and far[0][1] - far[0][0] == 128, problems
        assert any("larger than may come out, not read: 1" in p[4] for p in problems), problems
        # The Sleuth Kit loses what stands behind a hole that is larger than the file system.
        late = [p for p in found if p[4].startswith('"late"')]
        assert bool(late) != (members["late"][2] == sha256(bytes(64 << 20) + b"late")), (kind, late)
        assert len(found) == len(far) + len(late), found
    print("files of holes: their full size, or a problem with its place")


def cut_off(work, ext, made):
    """Partitions that lie behind the disk's end, partly and wholly: what is there is read."""
    size = ext.stat().st_size
    for label in ("gpt", "dos"):
        image = work / f"cut-{label}.img"
        blank(image, 3 * size + (4 << 20))
        places = [2048, 2048 + size // 512, 2048 + 2 * size // 512]
        script = f"label: {label}\n" + "".join(f"start={at},size={size // 512}\n" for at in places)
        run("sfdisk", "-q", image, input=script.encode())
        for at in places:
            put(image, at * 512, ext)
        for end, behind in [((3 * size) // 2, 2), (2 * size + (1 << 20), 1), (size + (2 << 20), 2)]:
            os.truncate(image, end)
            for path in [image, acquire(image, work / f"cut-{label}-{end}", "-c", "fast")]:
                members, problems = ours(path)
                same(members, made, "p1/")
                said = [p[4] for p in problems]
                for n, at in enumerate(places, 1):
                    lost = at * 512 + size - max(end, at * 512)
                    told = [w for w in said if w.startswith(f"partition {n}: ") and "behind the end of the disk" in w]
                    assert bool(told) == (lost > 0), (label, end, n, said)
                    assert all(f" {lost} " in w and "acquire the disk again" in w for w in told), (told, lost)
                    zeros = [w for w in said if w.startswith(f"partition {n}") and "zeros" in w]
                    assert not zeros or at * 512 < end, (label, end, zeros)
    print("partitions behind the end: told by how much, and the others read")


def sets(work, rng):
    """E01 sets and split raw images, opened as a whole, with a gap, and with a file that comes later."""
    vigie, home = os.environ["VIGIE_BIN"], {**os.environ, "VIGIE_HOME": str(work / "home")}
    home.pop("VIGIE_CASE", None)
    folder, made = work / "set-in", {f"{n}.bin": rng.randbytes(700_000) for n in range(7)}
    folder.mkdir()
    for name, data in made.items():
        (folder / name).write_bytes(data)
    fs = work / "set.img"
    blank(fs, 8 << 20)
    run("mkfs.ext4", "-q", "-F", "-d", folder, fs)
    (work / "set").mkdir()
    acquire(fs, work / "set/disk", "-c", "fast", "-S", "1200000")
    (work / "later").mkdir()
    segments = sorted((work / "set").glob("disk.E*"))
    assert len(segments) >= 4, segments

    # What a gap leaves is read, before it and behind it; what lies in it is told, file by file.
    def readable(paths, gaps):
        members, problems = ours(*paths)
        said = [p[4] for p in problems]
        whole = {n for n in made if n in members and members[n][2] == sha256(made[n])}
        for name in set(made) - whole:
            assert any(name in words and "damaged or missing" in words for words in said), (name, said)
        assert not any(p[4].startswith('"') and p[4].split('"')[1] in whole for p in problems), said
        assert any("copy of the disk's bytes" in words for words in said), said
        assert any("from the disk's end" in words for words in said) == (gaps == 1), said
        assert any(f"missing in {gaps} places" in words for words in said) == (gaps > 1), said
        return whole
    plain = {n: int(m[0]) for n, m in ours(fs)[0].items() if n in made}
    first, final = min(plain, key=plain.get), max(plain, key=plain.get)
    for without in range(1, len(segments) - 1):
        rest = [s for n, s in enumerate(segments) if n != without]
        whole = readable(rest, 1)
        assert first in whole and whole != set(made), (without, whole)
        assert final in whole or without == len(segments) - 2, (without, whole)
    # Its chain of sections is broken, so that its table is not found.
    bent = work / "bent"
    bent.mkdir()
    for segment in segments:
        shutil.copy(segment, bent)
    broken = sorted(bent.glob("disk.E*"))
    data = bytearray(broken[1].read_bytes())
    at = dict(sections(data))["sectors"]
    data[at + 16:at + 32] = b"\xff" * 16
    broken[1].write_bytes(data)
    assert {first, final} <= readable(broken, 1)
    # Missing in two places: what is behind the first belongs nobody knows where.
    if len(segments) > 4:
        whole = readable(broken[:3] + broken[4:], 2)
        assert first in whole and final not in whole, whole
    assert first in ours(segments[0])[0], "the first segment alone"
    os.rename(segments[1], work / "later/kept")

    def found(case):
        names = run(vigie, "sql", "--json", "--case", case, "SELECT name FROM exhibit", env=home).stdout.decode()
        said = run(vigie, "sql", "--json", "--case", case, "SELECT kind, message FROM problem", env=home).stdout.decode()
        return {n for n in made if f'"{n}"' in names}, said

    case = work / "sets"
    run(vigie, "open", "--json", "--case", case, work / "set", env=home)
    names, said = found(case)
    assert "segment 2 of the set is not among the material" in said, said
    assert {first, final} <= names and "damaged or missing" in said, (names, said)
    os.rename(work / "later/kept", segments[1])
    run(vigie, "open", "--json", "--case", case, work / "set", env=home)
    names, said = found(case)
    assert names == set(made), names
    assert "is not among the material" not in said and "the MD5 stored at acquisition" in said, said
    assert "is not that of" not in said, said
    run(vigie, "verify", case, env=home)
    (work / "split").mkdir()
    run("split", "-b", "3M", "-d", "-a", "3", "--numeric-suffixes=1", fs, work / "split/raw.")
    run(vigie, "open", "--json", "--case", work / "pieces", work / "split", env=home)
    names, said = found(work / "pieces")
    assert names == set(made), (names, said)
    print(f"sets: {len(segments)} segments of an E01, one of them later; a raw image in pieces")


def room(work, rng):
    """A damaged E01 in a case without the room for a copy: said, and read once there is the room."""
    vigie, home = os.environ["VIGIE_BIN"], {**os.environ, "VIGIE_HOME": str(work / "home")}
    home.pop("VIGIE_CASE", None)
    folder, disk = work / "room-in", work / "room"
    for path in (folder, disk, work / "tight"):
        path.mkdir()
    for n in range(10):
        (folder / f"{n}.bin").write_bytes(rng.randbytes(300_000))
    blank(work / "room.img", 8 << 20)
    run("mkfs.ext4", "-q", "-F", "-d", folder, work / "room.img")
    image = acquire(work / "room.img", disk / "disk", "-c", "fast")
    data = bytearray(image.read_bytes())
    data[13 + 76 + 20] ^= 1
    image.write_bytes(data)
    if run("mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", work / "tight", ok=False).returncode:
        print("SKIPPED: no small file system can be mounted here, so a case without room was not tried")
        return
    try:
        case = work / "tight/case"

        def opened():
            run(vigie, "open", "--json", "--case", case, disk, env=home)
            query = "SELECT name, message FROM exhibit LEFT JOIN problem ON exhibit = id"
            return run(vigie, "sql", "--json", "--case", case, query, env=home).stdout.decode()
        for _ in range(2):
            said = opened()
            assert "of room in" in said and "make room there" in said and ".bin" not in said, said
        run("mount", "-o", "remount,size=60m", work / "tight")
        said = opened()
        assert all(f'"{n}.bin"' in said for n in range(10)) and "make room there" not in said, said
        left = [name for _, _, names in os.walk(case) for name in names if "unfinished" in name]
        assert not left, left
    finally:
        run("umount", work / "tight")
    print("a case without room for a copy: said, and read once there is room")


def end_to_end(work):
    """The practice seizure inside ext4 inside GPT inside E01 gives the facts that it gives as files."""
    vigie, home = os.environ["VIGIE_BIN"], {**os.environ, "VIGIE_HOME": str(work / "home")}
    home.pop("VIGIE_CASE", None)
    run(vigie, "range", "make", "--scenario", "small", "--seed", "3", work / "seizure", env=home)
    material = work / "seizure/material"
    fs, disk = work / "server.img", work / "server.raw"
    blank(fs, 60 << 20)
    run("mkfs.ext4", "-q", "-F", "-d", material, fs)
    blank(disk, 64 << 20)
    run("sfdisk", "-q", disk, input=b"label: gpt\nstart=2048,size=122880,type=L\n")
    put(disk, 1 << 20, fs)
    (work / "acquired").mkdir()
    acquire(disk, work / "acquired/server", "-c", "fast")
    # At first without The Sleuth Kit: what is not read then is read by the next opening.
    run(vigie, "open", "--json", "--case", work / "imaged", work / "acquired", env={**home, "PATH": "/nowhere"})
    tables = []
    for case, path in [("plain", material), ("imaged", work / "acquired")]:
        run(vigie, "open", "--json", "--case", work / case, path, env=home)
        query = "SELECT property, count(*) AS n FROM fact GROUP BY property ORDER BY property"
        tables.append(run(vigie, "sql", "--json", "--case", work / case, query, env=home).stdout)
        run(vigie, "verify", work / case, env=home)
    assert tables[0] == tables[1] and len(tables[0]) > 200, tables
    print(f"the same facts from files and from an E01: {tables[0].count(b'{')} sorts")


def main():
    os.environ["LC_ALL"] = "C.UTF-8"  # names are UTF-8 for the tools that write them
    missing = [tool for tool in TOOLS if run("sh", "-c", f"command -v {tool}", ok=False).returncode]
    assert not missing, f"install {missing}"
    rng = random.Random(3)
    with tempfile.TemporaryDirectory(prefix="vigie-images-") as work:
        work = Path(work)
        ext, fat, ntfs, made, flat = file_systems(work, rng)
        print(f"ext4, FAT32, NTFS: {len(made)} files, byte for byte")
        disks(work, ext, fat, ntfs, made, flat)
        print("GPT and MBR: the partitions of sfdisk and mmls")
        holes(work)
        cut_off(work, ext, made)
        structure(work, images(work, ext, made), made)
        flips(work, rng, int(os.environ.get("FLIPS", "200")))
        sets(work, rng)
        room(work, rng)
        end_to_end(work)


if __name__ == "__main__":
    sys.exit(main())
