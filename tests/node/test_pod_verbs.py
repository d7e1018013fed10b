"""What a worker of the engine does for the node about a Pod's cgroup."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from podward.api.cri import LinuxContainerResources
from podward.node import pod_verbs
from podward.node.pod_verbs import CgroupRequest, PlaceRequest, RemoveRequest
from podward.runtime import cgroups, pod_cgroups
from podward.runtime.cgroups import Cgroups

HALF_A_CPU = LinuxContainerResources(cpu_shares=512)


class Service:
    """Of the engine, what the verbs ask for here."""

    cgroups = Cgroups(())


SERVICE, CALLER = cast("Any", Service()), cast("Any", None)


@pytest.fixture
def tiers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cgroups of the classes of Pods, each with one Pod's, in what looks like cgroup v2."""
    monkeypatch.setattr(pod_cgroups, "HOME", str(tmp_path))
    monkeypatch.setattr(cgroups, "usable", lambda: True)
    (tmp_path / "cgroup.controllers").touch()
    for tier in ("burstable", "besteffort"):
        (tmp_path / "kubepods" / tier / "podu").mkdir(parents=True)
        for below in (".", "podu"):
            (tmp_path / "kubepods" / tier / below / "cpu.weight").touch()
    return tmp_path / "kubepods"


def weight(tier: Path) -> str:
    return (tier / "cpu.weight").read_text()


def test_burstable_pods_together_weigh_what_they_weigh_apart(tiers: Path, tmp_path: Path) -> None:
    (tiers / "burstable" / "podv").mkdir()
    (tiers / "burstable" / "podv" / "cpu.weight").write_text("30")
    place = PlaceRequest(str(tmp_path / "u"), "/kubepods/burstable/podu", HALF_A_CPU)
    pod_verbs.make_place(SERVICE, place, CALLER)
    assert weight(tiers / "burstable") == "50"
    more = CgroupRequest("/kubepods/burstable/podu", LinuxContainerResources(cpu_shares=2048))
    pod_verbs.limit_cgroup(SERVICE, more, CALLER)
    assert weight(tiers / "burstable") == "109"


def test_what_a_pod_weighed_is_gone_with_it(tiers: Path, tmp_path: Path) -> None:
    (tiers / "burstable" / "podu" / "cpu.weight").write_text("7")
    pod_verbs.remove_place(SERVICE, RemoveRequest(str(tmp_path / "v"), "/kubepods/burstable/podv"), CALLER)
    assert weight(tiers / "burstable") == "7"


def test_best_effort_pods_together_have_the_least(tiers: Path, tmp_path: Path) -> None:
    place = PlaceRequest(str(tmp_path / "u"), "/kubepods/besteffort/podu", LinuxContainerResources(cpu_shares=2))
    pod_verbs.make_place(SERVICE, place, CALLER)
    assert weight(tiers / "besteffort") == "1"
