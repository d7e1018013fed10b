"""The supplementary groups, as each runtime puts them together."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from podward.api.cri import LinuxContainerSecurityContext
from podward.api.image import GroupEntry, Image, ImageConfig, PasswdEntry, UnknownImage
from podward.decision import Decision, Origin, Source, Unknown
from podward.policy.runtime import groups, user
from podward.policy.runtime.defaults import load
from podward.policy.runtime.runtime_profile import RuntimeProfile

ALL = ("containerd", "cri-o", "docker")
PASSWD = (PasswdEntry("root", 0, 0, "/", 1), PasswdEntry("app", 1000, 1000, "/", 2))
GROUP = (
    GroupEntry("big", 50000, ("other", "app"), 1),
    GroupEntry("others", 60000, ("other",), 2),
    GroupEntry("low", 5, ("app",), 3),
    GroupEntry("by-number", 70000, ("1000",), 4),
    GroupEntry("wheel", 10, ("root",), 5),
)


def decided(runtime: str, group: tuple[GroupEntry, ...] = GROUP, of_image: str = "", **context: object) -> Decision:
    message = msgspec.structs.replace(LinuxContainerSecurityContext(), **context)
    image = Image("busybox", "id", config=ImageConfig(user=of_image), passwd=PASSWD, group=group)
    profile = RuntimeProfile(load(runtime), Decision())
    found = user.resolve(message, image, profile)
    assert isinstance(found, user.ResolvedUser)
    return groups.decide(message, image, found, profile)


def gids(decision: Decision) -> list[Any]:
    assert not decision.violations
    return [assignment.value for assignment in decision.assignments]


@pytest.mark.parametrize(
    ("runtime", "expected"),
    [
        ("containerd", [5, 1000, 4000, 50000]),
        ("cri-o", [1000, 50000, 5, 4000]),
        ("docker", [1000, 50000, 5, 4000]),
    ],
)
def test_merge_adds_the_image_s_groups(runtime: str, expected: list[int]) -> None:
    assert gids(decided(runtime, run_as_user=1000, supplemental_groups=(4000, 5))) == expected


@pytest.mark.parametrize("runtime", ["containerd", "cri-o"])
def test_strict_leaves_the_image_s_groups_out(runtime: str) -> None:
    strict = decided(runtime, run_as_user=1000, supplemental_groups=(4000,), supplemental_groups_policy="Strict")
    assert gids(strict) == [1000, 4000]


def test_docker_refuses_strict_because_it_can_t_keep_it() -> None:
    decision = decided("docker", run_as_user=1000, supplemental_groups_policy="Strict")
    assert "Strict is not implemented" in decision.violations[0].reason


def test_an_unknown_policy_is_refused() -> None:
    decision = decided("containerd", run_as_user=1000, supplemental_groups_policy="Loose")
    assert decision.violations[0].reason == "not implemented in this runtime: SupplementalGroupsPolicy=Loose"


@pytest.mark.parametrize("runtime", ALL)
def test_a_uid_without_a_name_gets_no_group_of_the_image(runtime: str) -> None:
    assert gids(decided(runtime, run_as_user=4242, supplemental_groups=(8,))) == [0, 8]


@pytest.mark.parametrize("runtime", ["containerd", "cri-o"])
def test_another_primary_group_keeps_the_image_s(runtime: str) -> None:
    assert set(gids(decided(runtime, run_as_user=1000, run_as_group=3000))) == {5, 3000, 50000}


def test_docker_drops_the_image_s_groups_where_a_group_is_asked_for() -> None:
    assert gids(decided("docker", run_as_user=1000, run_as_group=3000)) == [3000]


def test_containerd_passes_over_a_group_with_the_user_s_own_name() -> None:
    own = (GroupEntry("app", 77, ("app",), 1),)
    assert gids(decided("containerd", own, run_as_user=1000)) == [1000]
    assert gids(decided("cri-o", own, run_as_user=1000)) == [1000, 77]


def test_nobody_asked_for_is_root_with_root_s_groups() -> None:
    assert gids(decided("containerd")) == [0, 10]
    strict = decided("containerd", supplemental_groups_policy="Strict")
    assert strict.assignments[0].value == ()


def test_a_group_of_the_image_names_its_line() -> None:
    source = decided("containerd", run_as_user=1000).assignments[-1].source
    assert source == Source(Origin.IMAGE, "busybox /etc/group", line=1)


@pytest.mark.parametrize("gid", [-1, (1 << 32) - 1, 1 << 40])
def test_a_group_that_the_kernel_has_not_is_refused(gid: int) -> None:
    decision = decided("containerd", (GroupEntry("odd", gid, ("app",), 1),), run_as_user=1000)
    assert [violation.value for violation in decision.violations] == [gid]
    assert [assignment.value for assignment in decision.assignments] == [1000]


HIDDEN = Unknown("image busybox is not here", "bring it")


@pytest.mark.parametrize(
    ("runtime", "policy", "group", "expected"),
    [
        ("containerd", "Merge", None, [5, 4000, HIDDEN]),
        ("containerd", "Merge", 3000, [5, 3000, 4000, HIDDEN]),
        ("containerd", "Strict", None, [5, 4000, HIDDEN]),
        ("containerd", "Strict", 3000, [5, 3000, 4000]),
        ("cri-o", "Merge", 3000, [3000, 4000, 5, HIDDEN]),
        ("cri-o", "Strict", 3000, [3000, 4000, 5]),
        ("docker", "Merge", None, [4000, 5, HIDDEN]),
        ("docker", "Merge", 3000, [3000, 4000, 5]),
    ],
)
def test_without_the_image_its_groups_are_one_unknown_last_item(
    runtime: str, policy: str, group: int | None, expected: list[object]
) -> None:
    message = LinuxContainerSecurityContext(
        run_as_user=1000, run_as_group=group, supplemental_groups=(4000, 5), supplemental_groups_policy=policy
    )
    image, imitated = UnknownImage("busybox", HIDDEN), RuntimeProfile(load(runtime), Decision())
    found = user.resolve(message, image, imitated)
    assert isinstance(found, user.ResolvedUser)
    assert gids(groups.decide(message, image, found, imitated)) == expected
