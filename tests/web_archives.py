"""warcio, the field's own reader, finds the same records in its own files as ours does: type, URI, date,
stated payload digest, and the body byte for byte. Where warcio refuses to go on, ours goes on and says
what is wrong. Run by `./test warc`, with WARC_BIN set."""

import hashlib
import logging
import os
import subprocess
import sys
from pathlib import Path

root = Path(__file__).resolve().parent.parent
folder = Path(os.environ.get("VIGIE_SHARED", root.parent / "shared")) / "data/warc"

# What ours gives otherwise, and why.
OTHER_BODIES = {
    ("bad.arc", 2),  # one line end: no HTTP header for us
    ("example-wrong-chunks.warc.gz", 0),  # warcio loses a body that stands in the next gzip member
}


def warcios(path):
    from warcio.archiveiterator import ArchiveIterator
    from warcio.exceptions import ArchiveLoadFailed

    records = []
    with open(path, "rb") as file:
        try:
            for record in ArchiveIterator(file):
                get = record.rec_headers.get_header
                body = hashlib.sha1(record.raw_stream.read()).hexdigest()
                uri, date = get("WARC-Target-URI") or get("uri"), get("WARC-Date") or get("archive-date")
                digest = get("WARC-Payload-Digest")
                records.append([record.rec_type, uri or "-", date or "-", digest or "-", body])
        except ArchiveLoadFailed:
            return records, True
    return records, False


def ours(path):
    lines = subprocess.run(
        [os.environ["WARC_BIN"], path], check=True, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ).stdout.splitlines()[1:]
    faults = [line for line in lines if line.startswith("!")]
    return [line.split("\t")[:5] for line in lines if not line.startswith("!")], faults


def main():
    logging.disable(logging.CRITICAL)  # warcio warns of each file's own faults
    if not folder.is_dir():
        print(f"SKIPPED: {folder} is not here")
        return
    files = sorted(folder.iterdir())
    compared = 0
    for path in files:
        (theirs, refused), (mine, faults) = warcios(path), ours(path)
        for i, (their, my) in enumerate(zip(theirs, mine)):
            assert their[:4] == my[:4], (path.name, i, their, my)
            # The version lines of an ARC file are no body for warcio.
            if my[0] != "arc_header" and (path.name, i) not in OTHER_BODIES:
                assert their[4] == my[4], (path.name, i, "the bodies differ")
            compared += 1
        if refused:
            assert len(mine) >= len(theirs) and faults, (path.name, "we go on, and say why")
        else:
            assert len(mine) == len(theirs), (path.name, len(mine), len(theirs))
    print(f"warcio: {len(files)} files, {compared} records are the same")


if __name__ == "__main__":
    sys.exit(main())
