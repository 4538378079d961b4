"""Whom the harm check lets through and whom it protects, asked of the command itself, with every set
that `vigie data update shield` fetched and two lists beside.

    shield_harm.py VIGIE HOME BLOCKING

R is a name's registrable domain by the list that HOME holds, its private section included; it is
computed here, by no code of ours. D are the names of the leaked list whose suffix is a registry's and
whose R is that of no entry of either popular list; H those whose R is that of an entry of the shorter
one; I every entry of both that is neither a leaked name nor above one, alone, with `www.` and with a
random label (where it is no public suffix), and addresses of networks that many share.
"""

import ipaddress
import json
import random
import subprocess
import sys
import threading

vigie, home, blocking = sys.argv[1:4]
draw = random.Random(7)


def suffix_rules():
    rules, private = {}, False
    for line in open(f"{home}/shield/public_suffix_list.dat", encoding="utf-8"):
        line = line.strip()
        if "===BEGIN PRIVATE" in line:
            private = True
        if not line or line.startswith("//"):
            continue
        rule = line.split()[0]
        mark = "!" if rule[0] == "!" else ""
        labels = [l if l.isascii() else "xn--" + l.encode("punycode").decode() for l in rule.lstrip("!").split(".")]
        rules[mark + ".".join(labels)] = private
    return rules


RULES = suffix_rules()


def suffix(name):
    """The public suffix of a name, and True where it stands in the private section."""
    labels = name.split(".")
    for at in range(len(labels)):
        tail = ".".join(labels[at:])
        if "!" + tail in RULES:
            return ".".join(labels[at + 1:]), RULES["!" + tail]
        if tail in RULES:
            return tail, RULES[tail]
        wild = ".".join(["*"] + labels[at + 1:])
        if wild in RULES and at < len(labels) - 1:
            return tail, RULES[wild]
    return labels[-1], None


def registrable(name):
    end, _ = suffix(name)
    if end == name:
        return None
    return name[: -len(end) - 1].rsplit(".", 1)[-1] + "." + end


def popular(file):
    names = json.load(open(f"{blocking}/popular/{file}", encoding="utf-8"))["list"]
    # A heading that slipped in among them is no name.
    return [name.lower() for name in names if "." in name]


def addresses(network):
    net = ipaddress.ip_network(network, strict=False)
    some = [net[0], net[-1], net[draw.randrange(net.num_addresses)]]
    return [str(ip) for ip in some] + [f"::ffff:{ip}" for ip in some if ip.version == 4]


def check(items):
    """The verdict of each item, in order."""
    command = [vigie, "--home", home, "shield", "check", "--json", "-"]
    run = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def feed():
        run.stdin.write("".join(item + "\n" for item in items).encode())
        run.stdin.close()

    feeder = threading.Thread(target=feed)
    feeder.start()
    verdicts = []
    for item, line in zip(items, run.stdout, strict=True):
        found = json.loads(line)
        assert found["item"] == item, (found, item)
        assert set(found) == {"item", "kind", "verdict", "reasons", "innocents", "normalised"}, found
        assert all(set(reason) == {"code", "message", "source"} for reason in found["reasons"]), found
        assert found["verdict"] == "allow" or found["reasons"], found
        verdicts.append(found["verdict"])
    feeder.join()
    assert run.wait() == (0 if all(v == "allow" for v in verdicts) else 1), run.returncode
    return verdicts


def main():
    leaked = sorted(set(open(f"{blocking}/piracy-shield/fqdns.txt").read().split()))
    top10k, top100k = popular("tranco10k.json"), popular("top100k.json")
    in_10k = {registrable(name) or name for name in top10k}
    in_any = in_10k | {registrable(name) or name for name in top100k}
    d, h = [], []
    for name in leaked:
        domain, (_, private) = registrable(name) or name, suffix(name)
        if domain in in_10k:
            h.append(name)
        if private is False and domain not in in_any:
            d.append((name, domain))
    above = set()
    for name in leaked:
        while name:
            above.add(name)
            name = name.partition(".")[2]
    i = []
    for name in sorted(set(top10k + top100k) - above):
        i.append(name)
        if registrable(name):
            label = "".join(draw.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=10))
            i += [f"www.{name}", f"{label}.{name}"]
    ranges = json.load(open(f"{blocking}/ranges/cdncheck.json"))
    for kind in ("cdn", "cloud", "waf"):
        for networks in ranges[kind].values():
            for network in networks:
                i += addresses(network)
    i += ["drive.usercontent.google.com", "188.114.97.7"]

    of_d = check([name for name, _ in d])
    allowed = sum(verdict == "allow" for verdict in of_d)
    held = {domain for (_, domain), verdict in zip(d, of_d) if verdict != "allow"}
    domains = {domain for _, domain in d}
    bad_h = [name for name, verdict in zip(h, check(h)) if verdict == "allow"]
    bad_i = [name for name, verdict in zip(i, check(i)) if verdict == "allow"]
    print(
        f"D: {allowed} of {len(d)} names and {len(domains) - len(held)} of {len(domains)} domains allowed; "
        f"H: {len(bad_h)} of {len(h)}; I: {len(bad_i)} of {len(i)}"
    )
    assert len(d) > 30_000 and len(domains) > 10_000 and len(h) > 100 and len(i) > 300_000, "the lists are whole"
    assert allowed >= 0.85 * len(d) and len(domains) - len(held) >= 0.85 * len(domains)
    assert not bad_h, bad_h[:20]
    assert not bad_i, bad_i[:20]


main()
