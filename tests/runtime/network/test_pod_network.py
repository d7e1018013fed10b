"""Pods of our own network: several at a time, one rule lets all out, and all goes with the last."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from podward.runtime.network import configuration
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


def rules() -> str:
    return subprocess.run(["iptables-save", "-t", "nat"], capture_output=True, text=True, check=True).stdout


def test_several_are_made_at_a_time_and_nothing_stays(pods: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    addresses = [pod.stdout.readline().strip() for pod in pods if pod.stdout is not None]
    assert len(set(addresses)) == 4
    own = configuration.own(State(str(tmp_path)))
    assert all(address.rpartition(".")[0] == own.subnet.rpartition(".")[0] for address in addresses)
    assert rules().count(f"-s {own.subnet} ! -o {own.bridge}") == 1
    for pod in pods:
        pod.communicate()
        assert pod.returncode == 0
    assert own.bridge not in os.listdir("/sys/class/net")
    assert own.bridge not in rules()
    assert not list((tmp_path / "network/addresses/podward").glob("10.*"))
