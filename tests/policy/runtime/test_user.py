"""Who the process is, as each runtime finds it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from podward.api.cri import LinuxContainerSecurityContext
from podward.api.image import GroupEntry, Image, ImageConfig, PasswdEntry, UnknownImage
from podward.decision import Decision, Origin, Source, Unknown, assign
from podward.path import path
from podward.policy.runtime import user
from podward.policy.runtime.defaults import load
from podward.policy.runtime.runtime_profile import RuntimeProfile

ALL = ("containerd", "cri-o", "docker")
PASSWD = (
    PasswdEntry("root", 0, 7, "/root", 1),
    PasswdEntry("app", 1000, 2000, "/home/app", 2),
    PasswdEntry("twin", 1000, 2001, "/", 3),
    PasswdEntry("0x10", 16, 16, "/", 4),
    PasswdEntry("negative", -1, 1 << 32, "/", 5),
)
GROUP = (GroupEntry("staff", 50, (), 1),)
HIDDEN = Unknown("image busybox is not here", "bring it")


def image(asked: str = "") -> Image:
    return Image("busybox", "id", config=ImageConfig(user=asked), passwd=PASSWD, group=GROUP)


def find(runtime: str, of_image: str = "", **context: object) -> user.ResolvedUser | Decision:
    return user.resolve(
        msgspec.structs.replace(LinuxContainerSecurityContext(), **context),
        image(of_image),
        RuntimeProfile(load(runtime), Decision()),
    )


def ids(found: user.ResolvedUser | Decision) -> tuple[object, object]:
    assert isinstance(found, user.ResolvedUser), found
    return found.uid.value, found.gid.value


def refusal(found: user.ResolvedUser | Decision) -> str:
    assert isinstance(found, Decision)
    assert not found.assignments
    (violation,) = found.violations
    return violation.reason


@pytest.mark.parametrize("runtime", ALL)
@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({"run_as_user": 1000}, (1000, 2000)),
        ({"run_as_user": 4242}, (4242, 0)),
        ({"run_as_user": 0}, (0, 7)),
        ({"run_as_user": 1000, "run_as_group": 5}, (1000, 5)),
        ({"run_as_user": 1000, "run_as_group": 0}, (1000, 0)),
        ({"run_as_user": 4242, "run_as_group": 3000}, (4242, 3000)),
        ({"run_as_username": "app"}, (1000, 2000)),
        ({"run_as_username": "twin"}, (1000, 2001)),
        ({"run_as_username": "app", "run_as_group": 9}, (1000, 9)),
        ({"run_as_username": "0x10"}, (16, 16)),
        ({"run_as_username": "4242"}, (4242, 0)),
    ],
)
def test_a_user_of_the_message_is_found(runtime: str, context: dict[str, Any], expected: tuple[int, int]) -> None:
    assert ids(find(runtime, **context)) == expected


@pytest.mark.parametrize("runtime", ALL)
def test_the_message_beats_the_image_whose_group_never_counts(runtime: str) -> None:
    assert ids(find(runtime, "1003:1004", run_as_user=1003)) == (1003, 0)


@pytest.mark.parametrize("runtime", ALL)
@pytest.mark.parametrize(
    ("of_image", "expected"),
    [("1003:1004", (1003, 1004)), ("app:staff", (1000, 50)), ("1000", (1000, 2000)), ("app", (1000, 2000))],
)
def test_an_image_s_user_counts_where_the_message_has_none(
    runtime: str, of_image: str, expected: tuple[int, int]
) -> None:
    assert ids(find(runtime, of_image)) == expected


def test_no_user_at_all_is_root_and_only_containerd_does_not_look_up_its_group() -> None:
    assert ids(find("containerd")) == (0, 0)
    assert ids(find("cri-o")) == (0, 7)
    assert ids(find("docker")) == (0, 7)


@pytest.mark.parametrize(
    ("runtime", "sentence"),
    [
        ("containerd", 'user group "5" is specified without user'),
        ("cri-o", "user group is specified without user or username"),
        ("docker", "runAsGroup is specified without a runAsUser"),
    ],
)
def test_a_group_without_a_user_is_refused(runtime: str, sentence: str) -> None:
    assert refusal(find(runtime, "app", run_as_group=5)) == sentence


@pytest.mark.parametrize(
    ("runtime", "sentence"),
    [
        ("containerd", "no users found"),
        ("cri-o", "unable to find user ghost: no matching entries in passwd file"),
        ("docker", "unable to find user ghost: no matching entries in passwd file"),
    ],
)
def test_an_unknown_name_is_refused(runtime: str, sentence: str) -> None:
    assert refusal(find(runtime, run_as_username="ghost")) == sentence


@pytest.mark.parametrize(
    ("runtime", "sentence"),
    [
        ("containerd", "no groups found"),
        ("docker", "unable to find group ghosts: no matching entries in group file"),
    ],
)
def test_an_unknown_group_of_the_image_is_refused(runtime: str, sentence: str) -> None:
    assert refusal(find(runtime, "app:ghosts")) == sentence


@pytest.mark.parametrize("runtime", ALL)
@pytest.mark.parametrize("asked", ["2147483648", "-1", "99999999999999999999999999"])
def test_a_uid_beyond_31_bits_is_refused(runtime: str, asked: str) -> None:
    assert "range" in refusal(find(runtime, asked))


def test_containerd_reads_an_image_s_odd_users() -> None:
    assert refusal(find("containerd", "1:2:3")) == "invalid USER value 1:2:3"
    assert ids(find("containerd", "app:")) == (1000, 0)
    assert ids(find("containerd", ":staff")) == (0, 50)


def test_an_id_that_the_kernel_has_not_is_refused_even_from_passwd() -> None:
    found = find("containerd", run_as_username="negative")
    assert isinstance(found, user.ResolvedUser)
    decision = user.decide(found)
    assert [violation.value for violation in decision.violations] == [-1, 1 << 32]
    assert {str(violation.source) for violation in decision.violations} == {"busybox /etc/passwd:5"}


def test_a_group_from_passwd_names_its_line_and_a_uid_the_manifest() -> None:
    manifest = Source(Origin.MANIFEST, "pod.yaml", path("spec", "securityContext", "runAsUser"))
    origin = assign(path("linux", "securityContext", "runAsUser"), 1000, "asked", manifest)
    found = user.resolve(
        LinuxContainerSecurityContext(run_as_user=1000), image(), RuntimeProfile(load("containerd"), origin)
    )
    assert isinstance(found, user.ResolvedUser)
    uid, gid = user.decide(found).assignments
    assert uid.source == manifest
    assert gid.source == Source(Origin.IMAGE, "busybox /etc/passwd", line=2)


@pytest.mark.parametrize("runtime", ALL)
@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({}, (HIDDEN, HIDDEN)),
        ({"run_as_group": 5}, (HIDDEN, 5)),
        ({"run_as_user": 1000}, (1000, HIDDEN)),
        ({"run_as_user": 1000, "run_as_group": 5}, (1000, 5)),
    ],
)
def test_without_the_image_only_ids_that_are_asked_for_are_known(
    runtime: str, context: dict[str, object], expected: tuple[object, object]
) -> None:
    message = msgspec.structs.replace(LinuxContainerSecurityContext(), **context)
    found = user.resolve(message, UnknownImage("busybox", HIDDEN), RuntimeProfile(load(runtime), Decision()))
    assert ids(found) == expected
