"""Network namespaces to try rules in: a machine with a bridge, Pods on it, and somebody outside.

Nothing of it is in the network of whoever runs the tests. In every namespace a program answers what it is asked on a
port with its own name and the address that it was asked from, and asks others.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from podward.runtime import syscalls

POD_NETWORK = "10.9.0"
OUTSIDE_NETWORK = "192.0.2"
BRIDGE = "podwardlab"
"""Named as ours are."""
MACHINE = f"{OUTSIDE_NETWORK}.1"
"""The machine's address for those outside."""
_KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
_FROM = 45000
_PATIENCE = {"ask": 0.4, "exchange": 1.0, "fetch": 5.0}
_SETUP = f"""
ip link set lo up
ip link add {BRIDGE} type bridge
ip addr add {POD_NETWORK}.1/24 dev {BRIDGE}
ip link set {BRIDGE} up
sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.{BRIDGE}.route_localnet=1
"""


class Place:
    """A network namespace with the program in it."""

    def __init__(self, enter: list[str], name: str) -> None:
        self._process = subprocess.Popen(
            [*enter, sys.executable, "-I", __file__, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._told()

    @property
    def pid(self) -> int:
        """The program's."""
        return self._process.pid

    def run(self, script: str) -> str:
        """Run shell commands here; returns what they print."""
        command = ["nsenter", "-t", str(self.pid), "-n", "sh", "-euc", script]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def listen(self, protocol: str, port: int) -> None:
        """Answer on a port."""
        self._call("listen", protocol, "", port)

    def ask(self, protocol: str, address: str, port: int) -> str:
        """The name of who answers and the address it saw us at; or the name of the error."""
        return self._call("ask", protocol, address, port)

    def exchange(self, protocol: str, address: str, port: int, sent: bytes) -> bytes:
        """What is answered to these bytes; nothing where nobody answers."""
        return bytes.fromhex(self._call("exchange", protocol, address, port, sent.hex()))

    def fetch(self, address: str, port: int, sent: bytes) -> bytes:
        """All that a TCP server says to these bytes until it closes; nothing where nobody answers."""
        return bytes.fromhex(self._call("fetch", "tcp", address, port, sent.hex()))

    def asked_often(self, times: int, protocol: str, address: str, port: int) -> set[str]:
        """The names of all who answered."""
        return {self.ask(protocol, address, port).split()[0] for _ in range(times)}

    def close(self) -> None:
        """End the program."""
        self._process.kill()
        self._process.communicate()

    def _call(self, *words: str | int) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        return self._told()

    def _told(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@contextmanager
def inside(place: Place) -> Iterator[None]:
    """Have this thread, and what it starts, in the network namespace of the place."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    there = os.open(f"/proc/{place.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        syscalls.setns(there, syscalls.CLONE_NEWNET)
        yield
    finally:
        syscalls.setns(before, syscalls.CLONE_NEWNET)
        os.close(before)
        os.close(there)


class Lab:
    """A machine with its Pods `a` and `b`, 10.9.0.2 and 10.9.0.3, and somebody outside, 192.0.2.2."""

    def __init__(self, ended: ExitStack) -> None:
        """Make it; `ended` takes it away."""
        self._ended = ended
        self.machine = self._place("machine")
        self.machine.run(_SETUP)
        self.a, self.b = self.pod("a", 2), self.pod("b", 3)
        self.outside = self._attached("out", f"{OUTSIDE_NETWORK}.2", MACHINE)
        self.machine.run(
            f"ip addr add {MACHINE}/24 dev to-out; ip link set to-out up; ip route add default via 192.0.2.2"
        )

    def pod(self, name: str, number: int) -> Place:
        """A Pod on the bridge."""
        place = self._attached(name, f"{POD_NETWORK}.{number}", f"{POD_NETWORK}.1")
        self.machine.run(f"ip link set to-{name} master {BRIDGE} up; bridge link set dev to-{name} hairpin on")
        return place

    def _place(self, name: str) -> Place:
        place = Place(["unshare", "-n"], name)
        self._ended.callback(place.close)
        return place

    def _attached(self, name: str, address: str, gateway: str) -> Place:
        place = self._place(name)
        self.machine.run(f"ip link add to-{name} type veth peer name eth0 netns {place.pid}")
        place.run(f"ip link set lo up; ip addr add {address}/24 dev eth0; ip link set eth0 up")
        place.run(f"ip route add default via {gateway}")
        return place

    def load(self, rules: str) -> None:
        """Give the machine rules."""
        command = ["nsenter", "-t", str(self.machine.pid), "-n", "nft", "-f", "-"]
        done = subprocess.run(command, input=rules, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def _serve(name: str) -> None:
    """The program: a line of JSON asks for something, a line answers."""
    say("ready")
    for line in sys.stdin:
        verb, protocol, address, port, *sent = json.loads(line)
        endpoint = socket.socket(socket.AF_INET, _KINDS[protocol])
        if verb == "listen":
            endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            endpoint.bind((address, port))
            if protocol == "tcp":
                endpoint.listen()
            threading.Thread(target=_answer, args=(endpoint, name), daemon=True).start()
            say("listening")
            continue
        with endpoint:
            endpoint.settimeout(_PATIENCE[verb])
            try:
                if protocol == "udp" and not sent:
                    endpoint.bind(("", _FROM))  # one client, of which the kernel remembers where it went
                endpoint.connect((address, port))
                if sent or protocol == "udp":
                    endpoint.send(bytes.fromhex(sent[0]) if sent else b"?")
                answered = _everything(endpoint) if verb == "fetch" else endpoint.recv(65535)
                say(answered.hex() if sent else answered.decode())
            except OSError as error:
                say("" if sent else type(error).__name__)


def _everything(endpoint: socket.socket) -> bytes:
    return b"".join(iter(lambda: endpoint.recv(65535), b""))


def _answer(endpoint: socket.socket, name: str) -> None:
    while True:
        if endpoint.type == socket.SOCK_DGRAM:
            _, (peer, port) = endpoint.recvfrom(100)
            endpoint.sendto(f"{name} {peer}".encode(), (peer, port))
        else:
            connection, (peer, _) = endpoint.accept()
            connection.sendall(f"{name} {peer}".encode())
            connection.close()


def say(text: str) -> None:
    """A line for whoever asked."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _serve(sys.argv[1])
