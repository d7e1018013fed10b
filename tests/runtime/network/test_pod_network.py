"""Pods of our own network: several at a time, one rule lets all out, and all goes with the last."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from podward.errors import NodeError
from podward.runtime.network import bridge as bridges
from podward.runtime.network import configuration, nat_rules
from podward.runtime.network import pod as network
from podward.runtime.state import State

pytestmark = pytest.mark.needs("root", "cni")

ATTACH = """
import os, sys
from podward.api.cri import PodSandboxConfig, PodSandboxMetadata
from podward.runtime import mount_namespace, namespaces
from podward.runtime.network import pod as network
from podward.runtime.state import State

root, name = sys.argv[1:]
mount_namespace.enter(False)
directory = f"{root}/pods/{name}"
os.makedirs(directory)
made = namespaces.make(namespaces.Wanted(ipc=False, net=True, hostname=""), f"{directory}/ns")
config = PodSandboxConfig(PodSandboxMetadata(name))
print(*network.attach(State(root), f"{root}/none", directory, config, made["net"]), flush=True)
sys.stdin.read()
network.detach(State(root), directory)
"""


@pytest.fixture
def pods(tmp_path: Path) -> Iterator[list[subprocess.Popen[str]]]:
    words = [sys.executable, "-c", ATTACH, str(tmp_path)]
    State(str(tmp_path))
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    started = [subprocess.Popen([*words, f"p{n}"], text=True, **streams) for n in range(4)]  # type: ignore[call-overload]
    yield started
    for process in started:
        process.communicate()


def rules(table: str = "nat") -> str:
    return subprocess.run(["iptables-save", "-t", table], capture_output=True, text=True, check=True).stdout


def setting(file: str) -> str:
    return Path(file).read_text(encoding="ascii").strip()


def test_several_are_made_at_a_time_and_nothing_stays(pods: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    addresses = [pod.stdout.readline().strip() for pod in pods if pod.stdout is not None]
    assert len(set(addresses)) == 4
    own = configuration.own(State(str(tmp_path)))
    assert all(address.rpartition(".")[0] == own.subnet.rpartition(".")[0] for address in addresses)
    assert rules().count(f"-s {own.subnet} ! -o podward+") == 1
    assert setting(f"/proc/sys/net/ipv4/conf/{own.bridge}/route_localnet") == "1"
    assert rules("raw").count(f"-d 127.0.0.0/8 -i {own.bridge}") == 1
    for pod in pods:
        pod.communicate()
        assert pod.returncode == 0
    assert own.bridge not in os.listdir("/sys/class/net")
    assert own.subnet not in rules()
    assert own.bridge not in rules("raw") + rules("filter")
    assert not list((tmp_path / "network/addresses/podward").glob("10.*"))


def test_a_subnet_that_we_are_told_has_a_bridge_before_and_after_its_pods(tmp_path: Path) -> None:
    state = State(str(tmp_path))
    subnet = configuration.own(state).subnet
    networks = network.prepare(state, subnet)
    try:
        bridge = f"/sys/class/net/{networks.bridge}"
        hardware = setting(f"{bridge}/address")
        with attached(tmp_path, "p") as address:
            assert address.rpartition(".")[0] == subnet.rpartition(".")[0]
            assert setting(f"{bridge}/address") == hardware
        assert os.path.isdir(bridge)
        assert network.prepare(state, subnet) == networks
    finally:
        network.release(state)
    assert not os.path.isdir(bridge)
    assert subnet not in rules()


def test_a_subnet_that_leads_elsewhere_or_differs_from_what_pods_have_is_refused(tmp_path: Path) -> None:
    state = State(str(tmp_path))
    with attached(tmp_path, "p") as address:
        with pytest.raises(NodeError, match="Pods have addresses of"):
            network.prepare(state, "198.18.77.0/26")
        other = State(str(tmp_path / "other"))
        with pytest.raises(NodeError, match="a route into"):
            network.prepare(other, f"{address.rpartition('.')[0]}.0/24")


@contextlib.contextmanager
def attached(root: Path, name: str) -> Iterator[str]:
    """A Pod with a network; gives its address."""
    words = [sys.executable, "-c", ATTACH, str(root), name]
    with subprocess.Popen(words, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as pod:
        assert pod.stdout is not None
        yield pod.stdout.readline().strip()
        pod.communicate()


@pytest.mark.parametrize("again", ["release", "prepare"])
@pytest.mark.parametrize("at", ["keep_in", "remove"])
def test_who_is_killed_while_he_takes_a_network_away_leaves_nothing_that_the_next_does_not_take(
    at: str, again: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_words: str) -> None:
        raise KeyboardInterrupt

    state, subnet = State(str(tmp_path)), "198.18.79.0/24"
    bridge = network.prepare(state, subnet).bridge
    with monkeypatch.context() as patched:
        patched.setattr(nat_rules if at == "keep_in" else bridges, at, killed)
        with pytest.raises(KeyboardInterrupt):
            network.release(state)
    if again == "prepare":
        network.prepare(state, subnet)
        assert rules().count(f"-s {subnet} ! -o podward+") == 1
        assert rules("raw").count(f"-i {bridge}") == 1
    network.release(state)
    assert bridge not in os.listdir("/sys/class/net")
    assert [table for table in ("nat", "raw", "filter") if bridge in rules(table) or subnet in rules(table)] == []
