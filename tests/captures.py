"""warcio, the field's own reader, finds nothing wrong with what the capture probe writes: every digest is that of
the bytes that stand there, and a body reads as it was served. Run by `./test warc`, with VIGIE_BIN set."""

import os
import subprocess
import sys
import tempfile
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

BODIES = {"/plain": b"<html>plain</html>", "/chunks": b"0123456789" * 1000, "/close": b"until it closes"}


class Served(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = BODIES.get(self.path, b"")
        self.send_response(200)
        if self.path == "/chunks":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for at in range(0, len(body), 999):
                part = body[at : at + 999]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
            return
        if self.path == "/half":
            self.send_header("Content-Length", "100")
        elif self.path == "/plain":
            self.send_header("Content-Length", str(len(body)))
        self.close_connection = True
        self.end_headers()
        self.wfile.write(body or b"half")

    def log_message(self, *_):
        pass


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Served)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_port
    with tempfile.TemporaryDirectory() as work:
        def vigie(*words):
            env = dict(os.environ, VIGIE_HOME=f"{work}/home")
            env.pop("VIGIE_CASE", None)
            done = subprocess.run([os.environ["VIGIE_BIN"], *words], cwd=work, env=env, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            return done.stdout

        Path(work, "hosts.txt").write_text("198.18.0.7\n")
        vigie("open", "hosts.txt")
        until = (datetime.now(timezone.utc) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%MZ")
        methods = ["--method", "capture-page", "--method", "capture-address"]
        granted = vigie("authorise", "--basis", "test", "--signer", "test", "--host", "127.0.0.0/8:*", *methods,
                        "--rate", "60", "--until", until)
        items = [f"http://127.0.0.1:{port}{path}" for path in (*BODIES, "/half")] + [f"127.0.0.1:{port}"]
        vigie("capture", "--authorisation", granted.split()[1], "--resolver", "127.0.0.1:9", *items)
        files = [f for f in Path(work, "case/vault/exhibits").rglob("*") if f.is_file()]
        files = [f for f in files if f.read_bytes().startswith(b"\x1f\x8b")]
        assert len(files) == len(items), files
        sys.stdout.flush()
        checker = Checker(type("", (), {"inputs": list(map(str, files)), "verbose": False})())
        checker.process_all()
        assert checker.exit_value == 0, "warcio finds a digest that does not fit"
        bodies, records = {}, 0
        for file in files:
            with open(file, "rb") as stream:
                for record in ArchiveIterator(stream, check_digests="raise"):
                    uri = record.rec_headers.get_header("WARC-Target-URI") or ""
                    body = record.content_stream().read()
                    records += 1
                    if record.rec_type == "response":
                        bodies[uri.partition(str(port))[2]] = body
        for path, body in BODIES.items():
            assert bodies[path] == body, path
        assert bodies["/half"] == b"half"
    print(f"captures: {len(files)} files, {records} records, warcio finds nothing wrong")


main()
