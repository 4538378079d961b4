"""A client, a router and a server in network namespaces of a test's own: `client` - this process, as the router -
`server`. Needs root. Run with `serve` or `probe` it is what stands at either end."""

import os
import select
import socket
import subprocess
import sys
import threading
from http.server import ThreadingHTTPServer

from clearing_house import Stream

PORTS = (80, 443, 8080)


def own_network():
    """Begins again in a network of its own, with loopback up: this process is the router then."""
    if os.environ.get("VIGIE_OWN_NETWORK") != "1":
        words = ["unshare", "--net", sys.executable, *sys.argv]
        os.execvpe("unshare", words, dict(os.environ, VIGIE_OWN_NETWORK="1"))
    ip("link set lo up")


def ip(line, space=None):
    subprocess.run([*(space.enter if space else []), "ip", *line.split()], check=True)


class Space:
    """A namespace that a sleeping process holds."""

    def __init__(self):
        own = os.readlink("/proc/self/ns/net")
        self.child = subprocess.Popen(["unshare", "--net", "sleep", "900"])
        self.children = []
        while True:
            try:
                if os.readlink(f"/proc/{self.child.pid}/ns/net") != own:
                    break
            except OSError:
                pass
            assert self.child.poll() is None, "a network namespace needs root"
        self.enter = ["nsenter", "--target", str(self.child.pid), "--net"]
        ip("link set lo up", self)

    def start(self, *words, **how):
        child = subprocess.Popen([*self.enter, *words], **how)
        self.children.append(child)
        return child

    def end(self):
        for child in (*self.children, self.child):
            child.kill()
            child.wait()


class World:
    """Both ends, and this process between them."""

    SERVERS = ("198.51.100.7", "198.51.100.8", "203.0.113.9", "2001:db8:b::7", "2001:db8:b::8")

    def __init__(self):
        self.client, self.server = Space(), Space()
        for name, far in (("c", self.client), ("s", self.server)):
            ip(f"link add {name} type veth peer name eth netns {far.child.pid}")
            ip(f"link set {name} up")
            ip("link set eth up", far)
        for space, address, device in (
            (self.client, "198.18.0.2/30", "eth"), (None, "198.18.0.1/30", "c"), (None, "198.18.1.1/30", "s"),
            (self.server, "198.18.1.2/30", "eth"), (self.client, "2001:db8:a::2/64", "eth"),
            (None, "2001:db8:a::1/64", "c"), (None, "2001:db8:b::1/64", "s"),
            *((self.server, f"{one}/{64 if ':' in one else 32}", "eth") for one in self.SERVERS),
        ):
            ip(f"addr add {address} dev {device}" + (" nodad" if ":" in address else ""), space)
        ip("route add default via 198.18.0.1", self.client)
        ip("-6 route add default via 2001:db8:a::1", self.client)
        ip("route add default via 198.18.1.1", self.server)
        ip("-6 route add default via 2001:db8:b::1", self.server)
        for net in ("198.51.100.0/24", "203.0.113.0/24"):
            ip(f"route add {net} via 198.18.1.2")
        for key in ("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", "net.ipv4.icmp_ratelimit=0",
                    "net.ipv6.icmp.ratelimit=0"):
            subprocess.run(["sysctl", "-q", "-w", key], check=True)
        me = [sys.executable, os.path.abspath(__file__)]
        serving = self.server.start(*me, "serve", stdout=subprocess.PIPE, text=True)
        assert serving.stdout.readline() == "ready\n"
        self.probe = self.client.start(*me, "probe", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def open(self, address, port=80):
        """Whether the client gets an answer from there."""
        self.probe.stdin.write(f"{address} {port}\n")
        self.probe.stdin.flush()
        assert select.select([self.probe.stdout], [], [], 10)[0], "the client hangs"
        return self.probe.stdout.readline() == "open\n"

    def end(self):
        self.probe.stdin.close()
        self.client.end()
        self.server.end()


class Dual(ThreadingHTTPServer):
    address_family = socket.AF_INET6

    def handle_error(self, request, client_address):
        """A client that is cut off in the middle is what is tested here."""


def serve():
    for port in PORTS:
        server = Dual(("::", port), Stream)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    threading.Event().wait()


def probe():
    for line in sys.stdin:
        address, port = line.split()
        try:
            with socket.create_connection((address, int(port)), 2) as stream:
                stream.sendall(b"GET / HTTP/1.0\r\n\r\n")
                answer = stream.recv(4)
        except OSError:
            answer = b""
        print("open" if answer == b"HTTP" else "closed", flush=True)


if __name__ == "__main__":
    {"serve": serve, "probe": probe}[sys.argv[1]]()
