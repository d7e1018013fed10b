"""What containers that start before may make of a volume."""

from __future__ import annotations

import pytest

from podward.api.core import Container, VolumeMount
from podward.api.filesystem import FileAccessFacts, MountFlags
from podward.api.node import IDENTITY
from podward.api.process import ProcessState
from podward.policy.kernel.earlier_containers import EarlierContainer, Writer, writers

OWN = VolumeMount("v", "/data")
DIRECTORY = FileAccessFacts("/data", 0, 0, 0o040755)
OPEN = FileAccessFacts("/data", 0, 0, 0o040777, mount=MountFlags(readonly=True))


def process(uid: int, capabilities: int = 0) -> ProcessState:
    return ProcessState(
        uid=(uid,) * 4, gid=(uid,) * 4, groups=(), cap_inheritable=0, cap_permitted=capabilities,
        cap_effective=capabilities, cap_bounding=capabilities, cap_ambient=0, no_new_privs=False, seccomp=0,
        uid_map=IDENTITY, gid_map=IDENTITY, root_readonly=False, mounts=(), masked=(), readonly_paths=(),
        host_namespaces=(), oom_score_adj=0,
    )  # fmt: skip


def before(*mounts: VolumeMount) -> tuple[EarlierContainer, ...]:
    return (EarlierContainer(Container(name="first", volume_mounts=mounts)),)


@pytest.mark.parametrize(
    ("own", "other", "expected"),
    [
        ("", "", Writer("first")),
        ("", "a/./b", Writer("first", ("a", "b"))),
        ("a", "a/b", Writer("first", ("b",))),
        ("a/b", "a", Writer("first", (), True)),
        ("a", "a", Writer("first")),
    ],
)
def test_a_part_that_both_mount_may_be_written_to(own: str, other: str, expected: Writer) -> None:
    mine, theirs = VolumeMount("v", "/data", own), VolumeMount("v", "/dl", other)
    assert writers(mine, before(theirs)) == (expected,)


@pytest.mark.parametrize(
    "other",
    [VolumeMount("w", "/dl"), VolumeMount("v", "/dl", read_only=True), VolumeMount("v", "/dl", "b")],
    ids=["another volume", "read-only", "another subPath"],
)
def test_a_part_that_is_out_of_its_reach_is_known(other: VolumeMount) -> None:
    assert writers(VolumeMount("v", "/data", "a"), before(other)) == ()


def test_a_sub_path_that_is_known_later_may_be_any() -> None:
    assert writers(OWN, before(VolumeMount("v", "/dl", sub_path_expr="$(A)"))) == (Writer("first"),)


def test_who_owns_a_file_or_may_change_owners_changes_it() -> None:
    assert Writer("first", process=process(0)).may_change(DIRECTORY)
    assert Writer("first", process=process(1000, 1)).may_change(DIRECTORY), "CAP_CHOWN"
    assert not Writer("first", process=process(1000)).may_change(DIRECTORY)
    assert Writer("first").may_change(DIRECTORY), "nothing is known of it"


def test_what_its_own_mount_allows_counts() -> None:
    assert Writer("first", process=process(1000)).may_create(OPEN)
    assert not Writer("first", process=process(1000)).may_create(DIRECTORY)
