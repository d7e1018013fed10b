"""The process namespace of an ephemeral container."""

from __future__ import annotations

import pytest

from podward.api.core import PodSpec
from podward.api.effective import Place
from podward.path import path
from podward.policy.kubelet import namespaces

PLACE = Place("pod.yaml", container=path("spec", "ephemeralContainers", 0))


def decided(spec: PodSpec, target: str) -> list[object]:
    shared = namespaces.decide(spec, PLACE, None, userns_supported=True)
    return [a.value for a in namespaces.decide_target(target, PLACE, shared).assignments]


def test_it_is_that_of_its_target() -> None:
    assert decided(PodSpec(), "app") == ["TARGET", "app"]


def test_without_a_target_it_is_its_own() -> None:
    assert decided(PodSpec(), "") == []


@pytest.mark.parametrize("spec", [PodSpec(host_pid=True), PodSpec(share_process_namespace=True)])
def test_a_pod_that_shares_processes_has_one_namespace_for_all(spec: PodSpec) -> None:
    assert decided(spec, "app") == []
