"""The clearing house's standby, by the real command: an act is answered once both machines have it; the standby is
killed and nothing is added, what opens goes on; the house is killed in the midst of acts and the standby, promoted,
has every one that was answered; the house before adds nothing any more. TLS between them. Run by `./test shield`,
with VIGIE_BIN set. All of it on loopback."""

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from datetime import datetime, timedelta, timezone
from http.server import ThreadingHTTPServer

from clearing_house import Stream, free_port, on_a_bench, until, world


def certificate(work):
    """A certificate of `localhost`, and its key."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE",
         "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=work, check=True, capture_output=True,
    )


def course(bench):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stream)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stream, upstream, port = server.server_port, world(), free_port()
    vigie, shield = bench.vigie, lambda *words, code=0: bench.vigie("shield", *words, code=code)
    certificate(bench.work)

    vigie("authority", "init", "authority.example")
    for short, sector in (("authority", "authority"), ("league", "rights_holder")):
        vigie("party", "add", short, "--name", short.title(), "--sector", sector, "--by", "root")
    for person, of, role in (("vera", "authority", "operator"), ("lea", "league", "reporter")):
        by = "root" if person == "vera" else "vera"
        vigie("party", "person", person, "--name", person.title(), "--organisation", of, "--by", by)
        vigie("party", "role", person, role, "--by", by)
    shield("init", "shield")
    later = lambda **much: (datetime.now(timezone.utc) + timedelta(**much)).strftime("%Y-%m-%dT%H:%MZ")
    vigie("authorise", "--case", "shield", "--basis", "order 7/26", "--host", "*.stream.example:*", "--host", "127.0.0.0/8:*",
          "--method", "capture-page", "--method", "capture-playlist", "--rate", "600", "--until", later(days=1),
          "--signer", "Judge Example")
    (bench.work / "popular.txt").write_text("news.example\n")
    shield("add", "popular.txt", "--class", "popular", "--source", "test", "--date", "2026-11-01")
    # The second machine has the authority's folder as a backup of it has it.
    shutil.copytree(bench.work / "home", bench.work / "home-2")

    serve = [os.environ["VIGIE_BIN"], "serve", "--shield", "shield", "--practice", "--resolver", f"127.0.0.1:{upstream}",
             "--standby-listen", f"127.0.0.1:{port}", "--tls-cert", "cert.pem", "--tls-key", "key.pem"]
    serving = bench.start("serve", *serve)
    log = bench.work / "serve.log"
    until("it runs", lambda: "listens for its standby" in log.read_text())
    orders = ["order", "7/26", "--reporter", "league", "--right", "serie-a", "--until", later(days=1), "--as", "vera"]
    # Naming it is an operator's act; from there on nothing is added without it.
    assert "may not" in shield("standby", "name", "second", "--secret", "s", "--grounds", "x", "--as", "lea", code=2)
    assert not (bench.work / "s").exists()
    said = shield("standby", "name", "second", "--secret", "second.secret", "--grounds", "two are safer", "--as", "vera")
    assert (bench.work / "second.secret").stat().st_mode & 0o777 == 0o600
    assert "standby is gone" in shield(*orders, code=2)
    key = said.split("The log's key is ")[1].strip()
    assert json.loads(shield("standby", "show", "--json")) == {"standby": {"name": "second", "here": False}, "log_key": key}

    follow = [os.environ["VIGIE_BIN"], "shield", "standby", "follow", "copy", "--from", f"localhost:{port}",
              "--secret", "second.secret", "--log-key", key, "--ca", "cert.pem"]
    following = bench.start("follow", *follow)
    here = lambda: json.loads(shield("standby", "show", "--json"))["standby"]["here"]
    until("it follows", here)
    shield(*orders)
    shield("event", "final", "--order", "7/26", "--until", later(hours=2), "--as", "lea")
    report = ["report", "--order", "7/26", "--event", "final", "--work", "serie-a", "--as", "lea"]
    shield(*report, f"http://tv.stream.example:{stream}/live.m3u8")
    until("it is in force", lambda: bench.stage(0) == "in_force")
    # What is there is what is here: the evidence too.
    copied = lambda: json.loads(bench.vigie("verify", "copy", "--json"))
    assert copied()["exhibits"] >= 1

    # Who does not have the secret is told so, and ends; a house that another signs is not believed.
    (bench.work / "other.secret").write_text("00" * 32 + "\n")
    wrong = [word.replace("second.secret", "other.secret").replace("copy", "copy-2") for word in follow[1:]]
    assert "not the secret" in bench.vigie(*wrong, code=3)

    # The standby is killed: nothing is added, what opens goes on and says what it is.
    following.send_signal(signal.SIGKILL)
    following.wait()
    until("it is gone", lambda: not here())
    assert "ALARM: the standby second is gone" in log.read_text()
    assert "standby is gone" in shield(*report, f"http://b.stream.example:{stream}/live.m3u8", code=2)
    lifted = json.loads(shield("lift", "0/0", "--grounds", "the stream is gone", "--as", "lea", "--json"))
    assert lifted["alone"] is True and bench.stage(0) == "ended", lifted
    following = bench.start("follow", *follow)
    until("it follows again", here)

    # The house is killed while acts go on: each one that was answered is at the standby.
    answered, stop = [], threading.Event()

    def acts():
        n = 0
        while not stop.is_set():
            done = subprocess.run(
                [os.environ["VIGIE_BIN"], "shield", *report, "--json", f"http://n{n}.stream.example:{stream}/live.m3u8"],
                cwd=bench.work, env=bench.env, capture_output=True, text=True,
            )
            if done.returncode != 0:
                return
            answered.append(json.loads(done.stdout)["record"])
            n += 1

    acting = threading.Thread(target=acts)
    acting.start()
    until("acts go on", lambda: len(answered) >= 5, 60)
    # Its door goes with it: who asks after that would write with the log in their own hand.
    shutil.copytree(bench.work / "home", bench.work / "home-now")
    os.kill(serving.pid, signal.SIGSTOP)
    stop.set()
    frozen = len(answered)
    os.kill(following.pid, signal.SIGTERM)
    following.wait()
    # The first machine is cut off and lives; the second is promoted.
    second = dict(bench.env, VIGIE_HOME=f"{bench.work}/home-2", VIGIE_SHIELD=f"{bench.work}/copy")
    env, bench.env = bench.env, second
    assert "may not" in bench.vigie("shield", "standby", "promote", "copy", "--grounds", "x", "--as", "lea", code=2)
    said = bench.vigie("shield", "standby", "promote", "copy", "--grounds", "the first machine is cut off", "--as", "vera")
    assert "epoch 65536" in said, said
    records = int(json.loads(bench.vigie("verify", "copy", "--json"))["records"])
    assert all(record < records for record in answered[:frozen]), (answered, records)
    other = bench.start("second", os.environ["VIGIE_BIN"], "serve", "--shield", "copy", "--practice",
                        "--resolver", f"127.0.0.1:{upstream}")
    until("the second runs", lambda: "epoch 65537" in (bench.work / "second.log").read_text())
    assert not [row for row in bench.vigie("shield", "tickets").splitlines() if "standby" in row]
    shield(*report, f"http://c.stream.example:{stream}/live.m3u8")
    last = len(bench.vigie("shield", "tickets", "--json").splitlines()) - 1
    until("the second blocks", lambda: bench.stage(last) == "in_force")

    # The first comes back to life: it adds nothing, and takes the second for no standby of its.
    bench.env = env
    os.kill(serving.pid, signal.SIGCONT)
    acting.join()
    assert len(answered) <= frozen + 1, "acts went on without the standby"
    until("it notices", lambda: "ALARM" in log.read_text().split("follows")[-1])
    assert "standby is gone" in shield(*report, f"http://d.stream.example:{stream}/live.m3u8", code=2)
    bench.env = second
    other.send_signal(signal.SIGTERM)
    assert other.wait(20) == 0
    bench.env = env
    assert "was promoted" in bench.vigie(*follow[1:], code=3)
    serving.send_signal(signal.SIGTERM)
    assert serving.wait(20) == 0
    for folder, home in (("shield", env), ("copy", second)):
        bench.env = home
        assert "holds" in bench.vigie("verify", folder)
    print(f"standby: {frozen} acts answered before the cut, all of them on the second machine; the first added nothing after")


if __name__ == "__main__":
    on_a_bench(course, ("serve", "follow", "second"))
