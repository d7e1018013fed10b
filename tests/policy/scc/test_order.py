"""In which order SCCs are tried: OpenShift's points, and why one comes before another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.api.json_value import JsonObject
from podward.policy.scc.default_set import default_sccs
from podward.policy.scc.order import SccRank, points, rank, why_before
from podward.schema.scc.reading import scc_view


def total(**fields: object) -> int:
    raw: JsonObject = {"metadata": {"name": "x"}, "volumes": ["none"], "requiredDropCapabilities": ["ALL"] * 1}
    raw.update(fields)  # type: ignore[arg-type]  # JSON values
    return rank(scc_view(raw)).points


NOTHING = total()


def test_openshifts_default_sccs_stand_in_their_known_order() -> None:
    ranked = sorted((rank(scc_view(raw)) for raw in default_sccs()), key=lambda entry: entry.key)
    assert [(entry.name, entry.points) for entry in ranked] == [
        ("anyuid", 154_950),
        ("restricted-v2", 132_010),
        ("restricted-v3", 132_010),
        ("restricted", 134_800),
        ("nonroot-v2", 142_010),
        ("nonroot", 144_800),
        ("hostmount-anyuid", 254_950),
        ("hostnetwork-v2", 1_332_010),
        ("hostnetwork", 1_334_800),
        ("hostaccess", 1_434_800),
        ("privileged", 3_089_000),
    ]
    assert ranked[0].priority == 10


@pytest.mark.parametrize(
    ("fields", "more"),
    [
        ({"allowPrivilegedContainer": True}, 1_600_000),
        ({"allowHostPorts": True}, 800_000),
        ({"allowHostNetwork": True}, 400_000),
        ({"allowHostPID": True, "allowHostIPC": True, "readOnlyRootFilesystem": False}, 0),
        ({"volumes": ["hostPath"]}, 200_000),
        ({"volumes": ["nfs", "*"]}, 200_000),
        ({"volumes": ["secret", "nfs"]}, 100_000),
        ({"volumes": ["secret", "configMap", "emptyDir", "downwardAPI", "projected", "none"]}, 0),
        ({"volumes": []}, 0),
        ({"volumes": ["bogus"]}, 100_000),
        ({"runAsUser": {"type": "RunAsAny"}, "seLinuxContext": {"type": "RunAsAny"}}, 80_000),
        ({"runAsUser": {"type": "MustRunAsNonRoot"}}, 30_000),
        ({"runAsUser": {"type": "MustRunAsRange"}, "seLinuxContext": {"type": "MustRunAs"}}, 30_000),
        ({"runAsUser": {"type": "bogus"}}, 0),
        ({"seLinuxContext": {"type": "MustRunAsNonRoot"}}, 30_000),
        ({"defaultAddCapabilities": ["a", "b"]}, 600),
        ({"allowedCapabilities": ["a", "b"]}, 20),
        ({"allowedCapabilities": ["a", "*"]}, 4_000),
        ({"allowedCapabilities": ["all"]}, 4_000),
        ({"requiredDropCapabilities": ["all"]}, 0),
        ({"requiredDropCapabilities": ["KILL", "*"]}, 2_900),
        ({"requiredDropCapabilities": None}, 3_000),
        ({"requiredDropCapabilities": None, "defaultAddCapabilities": ["a"] * 40}, 7_999),
        ({"requiredDropCapabilities": ["x"] * 120}, -2_000),
        ({"supplementalGroups": {"type": "RunAsAny"}, "seccompProfiles": ["*"], "allowPrivilegeEscalation": True}, 0),
    ],
)
def test_each_permission_counts_its_points(fields: dict[str, object], more: int) -> None:
    assert NOTHING == 2_000
    assert total(**fields) - NOTHING == more


@given(st.sets(st.sampled_from(["allowPrivilegedContainer", "allowHostPorts", "allowHostNetwork"])), st.integers(0, 60))
def test_the_items_make_the_sum(flags: set[str], added: int) -> None:
    view = scc_view({**dict.fromkeys(flags, True), "defaultAddCapabilities": ["X"] * added})
    items = points(view)
    assert sum(item.points for item in items) == rank(view).points
    assert all(item.points for item in items)
    assert flags == {item.name for item in items} & {"allowPrivilegedContainer", "allowHostPorts", "allowHostNetwork"}


def place(name: str, points_: int, priority: int = 0) -> SccRank:
    return SccRank(name, priority, points_, ())


def test_priority_comes_before_points_and_points_before_the_name() -> None:
    wanted = [place("z", 9, 2), place("b", 1), place("B", 2), place("a", 2), place("ä", 2), place("a", 1, -1)]
    mixed = [wanted[number] for number in (3, 1, 5, 0, 4, 2)]
    assert sorted(mixed, key=lambda entry: entry.key) == wanted


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        (place("a", 9, 1), place("b", 1), "has higher priority"),
        (place("a", 9), place("b", 1, 1), "has lower priority"),
        (place("a", 1), place("b", 1), "ordered by name"),
        (place("a", 800_000), place("b", 1_600_000), "forbids privileged"),
        (place("a", 1_600_000), place("b", 2_400_000), "forbids host ports"),
        (place("a", 0), place("b", 400_000), "forbids host networking"),
        (place("a", 400_000), place("b", 600_000), "forbids host volume mounts"),
        (place("a", 0), place("b", 100_000), "forbids non-trivial volume mounts"),
        (place("a", 12_000), place("b", 22_000), "permits less runAs strategies"),
        (place("a", 12_000), place("b", 12_300), "permits less capabilities"),
    ],
)
def test_why_one_comes_before_the_other(first: SccRank, second: SccRank, why: str) -> None:
    assert why_before(first, second) == why
