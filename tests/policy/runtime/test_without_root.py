"""What a user's namespace makes of ids and mounts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.api.capability import FULL
from podward.api.cri import NamespaceOption
from podward.api.effective import Place
from podward.api.node import Node
from podward.api.oci import Mount
from podward.decision import Decision, Origin, Source, assign
from podward.path import path
from podward.policy.runtime import without_root
from podward.policy.runtime.defaults.table import CGROUP, MQUEUE, PROC, PTS, SYS

MAP = ((0, 1000, 1), (1, 100_000, 65_536))
USER = Node(FULL, uid_map=MAP, gid_map=MAP, cgroups=False)
LONE = Node(FULL, uid_map=((0, 1000, 1),), gid_map=((0, 1000, 1),), cgroups=False)
SOURCE = Source(Origin.DEFAULT, "table")
UID, GROUP = path("process", "user", "uid"), path("process", "user", "additionalGids", 0)


def refused(node: Node, uid: int, gid: int) -> list[str]:
    decided = assign(UID, uid, "", SOURCE) + assign(GROUP, gid, "", SOURCE)
    return [str(violation.path) for violation in without_root.decide_ids(decided, node).violations]


@given(st.integers(0, 200_000), st.integers(0, 200_000))
def test_an_id_is_refused_exactly_where_the_map_lacks_it(uid: int, gid: int) -> None:
    expected = [str(place) for place, number in ((UID, uid), (GROUP, gid)) if number > 65_536]
    assert refused(USER, uid, gid) == expected
    assert refused(LONE, uid, gid) == [str(place) for place, number in ((UID, uid), (GROUP, gid)) if number]


def test_a_refusal_names_the_range_and_the_file() -> None:
    (violation,) = without_root.decide_id(UID, "uid", 70_000, USER, SOURCE).violations
    assert "there are 0 to 65536 here, by /etc/subuid" in violation.reason
    (violation,) = without_root.decide_id(GROUP, "gid", 5, LONE, SOURCE).violations
    assert "there is 0 alone here: /etc/subgid gives this user none" in violation.reason


def made(node: Node, network: str = "POD", pid: str = "CONTAINER", ipc: str = "POD") -> list[Mount]:
    rows = [(mount, "", SOURCE) for mount in (PROC, PTS, MQUEUE, SYS, CGROUP)]
    options = NamespaceOption(network=network, pid=pid, ipc=ipc)
    return [mount for mount, _, _ in without_root.mounts(rows, options, node, SOURCE)]


def test_with_namespaces_of_its_own_nothing_is_replaced() -> None:
    assert made(USER) == [PROC, PTS, MQUEUE, SYS, CGROUP]


@pytest.mark.parametrize(
    ("shared", "expected"),
    [
        ({"network": "NODE"}, [PROC, PTS, MQUEUE, without_root.HOST_SYS]),
        ({"pid": "NODE"}, [without_root.HOST_PROC, PTS, MQUEUE, SYS, CGROUP]),
        ({"ipc": "NODE"}, [PROC, PTS, SYS, CGROUP]),
    ],
)
def test_what_belongs_to_a_namespace_of_the_machine_is_the_machines(
    shared: dict[str, str], expected: list[Mount]
) -> None:
    assert made(USER, **shared) == expected


def test_terminals_belong_to_root_where_their_group_is_not_mapped() -> None:
    (pts,) = (mount for mount in made(LONE) if mount.type == "devpts")
    assert pts.options == tuple(option for option in PTS.options if option != "gid=5")


def test_a_volume_of_the_machine_is_refused() -> None:
    place, where = Place("pod.yaml"), path("spec", "volumes", 0, "hostPath")
    assert without_root.decide_volume(where, "/pods/1/volumes/v", "/pods/1/volumes/v", place) == Decision()
    assert without_root.decide_volume(where, "/etc", "/pods/1/volumes/v", place).refused
