"""Questions to a resolver, and what its answers say. For the tests beside it; it runs nothing by itself."""

import os
import socket

A, AAAA, HTTPS, RRSIG = 1, 28, 65, 46


def ask(server, name, kind=A, tcp=False, do=False, cd=False):
    """The code and the answer, of one question; None where no answer comes in time. `do` asks for signatures, `cd` that
    the resolver does not prove them (RFC 4035, 3.2)."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    edns = b"\0\0\x29\x04\xd0\0\0\x80\0\0\0" if do else b""
    head = os.urandom(2) + bytes([1, 0x10 * cd]) + b"\0\1\0\0\0\0" + bytes([0, do])
    query = head + labels + b"\0" + bytes([0, kind, 0, 1]) + edns
    try:
        if tcp:
            with socket.create_connection(server, 2) as stream:
                stream.sendall(len(query).to_bytes(2, "big") + query)
                got = stream.makefile("rb")
                answer = got.read(int.from_bytes(got.read(2), "big"))
        else:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                udp.settimeout(2)
                udp.sendto(query, server)
                answer = udp.recv(4096)
    except OSError:
        return None
    return answer[3] & 15, answer


def rcode(server, name, kind=A, tcp=False):
    got = ask(server, name, kind, tcp)
    return got and got[0]


def records(answer):
    """The kind and TTL of each record that is an answer, or stands behind one to say what is not."""
    at, found = 12, []
    while answer[at]:
        at += answer[at] + 1
    at += 5
    for _ in range(int.from_bytes(answer[6:8], "big") + int.from_bytes(answer[8:10], "big")):
        while answer[at] and answer[at] < 192:
            at += answer[at] + 1
        at += 2 if answer[at] >= 192 else 1
        found.append((int.from_bytes(answer[at : at + 2], "big"), int.from_bytes(answer[at + 4 : at + 8], "big")))
        at += 10 + int.from_bytes(answer[at + 8 : at + 10], "big")
    return found


def kinds(answer):
    return {kind for kind, _ in records(answer)}


def min_ttl(answer):
    """The lowest TTL of what stands behind the question; none there counts as 0."""
    return min((ttl for _, ttl in records(answer)), default=0)
