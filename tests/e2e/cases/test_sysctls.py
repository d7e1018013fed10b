"""Sysctls: their slash form, and those that would change the machine and not the Pod."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from case_corpus import agrees, assigned, case, explained, run, said
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "busybox", "skopeo", "umoci")

HOST_WIDE = {
    "identity/vm.yaml": ("vm.max_map_count", "/proc/sys/vm/max_map_count"),
    "identity/host-wide-slash.yaml": ("vm.overcommit_ratio", "/proc/sys/vm/overcommit_ratio"),
    "identity/host-wide-inotify.yaml": ("fs.inotify.max_user_instances", "/proc/sys/fs/inotify/max_user_instances"),
}
"""Inputs that set what no namespace has, and where the machine's value stands."""


@pytest.fixture
def machine() -> Iterator[dict[str, str]]:
    """The machine's values before the test; put back afterwards, whatever it did."""
    before = {place: Path(place).read_text(encoding="ascii") for _, place in HOST_WIDE.values()}
    yield before
    for place, value in before.items():
        if Path(place).read_text(encoding="ascii") != value:
            Path(place).write_text(value, encoding="ascii")


def unchanged(machine: dict[str, str]) -> bool:
    return all(Path(place).read_text(encoding="ascii") == value for place, value in machine.items())


@pytest.mark.parametrize("name", HOST_WIDE)
@pytest.mark.parametrize("command", ["run", "explain"])
def test_a_sysctl_of_the_whole_machine_is_refused(
    podward: Podward, machine: dict[str, str], command: str, name: str
) -> None:
    done = podward(command, "-f", case(name))
    assert done.returncode == 1
    assert f'forbidden sysctl: "{HOST_WIDE[name][0]}" not allowlisted' in said(done)
    assert unchanged(machine)


@pytest.mark.parametrize("name", HOST_WIDE)
@pytest.mark.parametrize("form", ["name", "slashes", "prefix", "beside-a-good-one"])
def test_a_node_that_allows_it_does_not_start(podward: Podward, machine: dict[str, str], name: str, form: str) -> None:
    sysctl, place = HOST_WIDE[name]
    allowed = {
        "name": sysctl,
        "slashes": place.removeprefix("/proc/sys/"),
        "prefix": f"{sysctl.partition('.')[0]}.*",
        "beside-a-good-one": f"net.*,{sysctl}",
    }[form]
    done = podward("run", "--allowed-unsafe-sysctls", allowed, "-f", case(name))
    assert unchanged(machine)
    assert done.returncode == 2, done.stderr
    assert "not known to be namespaced" in said(done)


@pytest.mark.parametrize("command", ["explain", "diff"])
def test_nothing_is_told_about_a_node_that_does_not_start(podward: Podward, command: str) -> None:
    files = [case("identity/vm.yaml")] * (2 if command == "diff" else 1)
    words = files if command == "diff" else ["-f", *files]
    done = podward(command, "--allowed-unsafe-sysctls", "vm.max_map_count", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "not known to be namespaced" in said(done)


@pytest.mark.parametrize("pattern", ["*", "kernel.*", "kernel.core_pattern", "fs.*"])
def test_a_node_cannot_allow_what_reaches_beyond_namespaces(podward: Podward, pattern: str) -> None:
    done = podward("run", "--allowed-unsafe-sysctls", pattern, "-f", case("hostile/clean.yaml"))
    assert done.returncode == 2, done.stderr


def test_a_node_may_allow_what_namespaces_have(podward: Podward) -> None:
    patterns = "net.*,kernel.shm*,kernel.msgmax,kernel.sem,fs.mqueue.*,net/core/*"
    done = podward("run", "--allowed-unsafe-sysctls", patterns, "-f", case("hostile/clean.yaml"))
    assert done.returncode == 0, done.stderr


def test_the_slash_form_is_the_dotted_one_for_the_runtime(podward: Podward) -> None:
    done = run(podward, case("identity/slash-sysctl.yaml"))
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
    assert agrees(done)
    names = [made["path"] for made in assigned(explained(podward, "-f", case("identity/slash-sysctl.yaml")), "sandbox")]
    assert any("kernel.shm_rmid_forced" in name for name in names)
    assert not any("kernel/shm_rmid_forced" in name for name in names)


def test_a_safe_sysctl_in_the_slash_form_needs_nobodys_permission(podward: Podward) -> None:
    done = run(podward, case("identity/slash-safe.yaml"))
    assert (done.returncode, done.stdout) == (0, "80\n"), done.stderr
    assert agrees(done)


def test_an_unsafe_sysctl_in_the_slash_form_needs_the_nodes_permission(podward: Podward) -> None:
    refused = run(podward, case("identity/slash-unsafe.yaml"))
    assert refused.returncode == 1
    assert 'forbidden sysctl: "net.core.somaxconn" not allowlisted' in said(refused)
    allowed = run(podward, case("identity/slash-unsafe.yaml"), "--allowed-unsafe-sysctls", "net.core.*")
    assert (allowed.returncode, allowed.stdout) == (0, "999\n"), allowed.stderr
    assert agrees(allowed)
