"""What has become of a process since it began, in words."""

import pytest
from msgspec import structs

from podward.api.capability import mask
from podward.api.cri_status import LinuxContainerUser
from podward.api.identity import Identity
from podward.policy.kernel import identity_drift

ROOT = mask(("CAP_CHOWN", "CAP_SETUID"))
BEGAN = Identity(
    uid=(0, 0, 0, 0),
    gid=(0, 0, 0, 0),
    groups=(),
    cap_inheritable=0,
    cap_permitted=ROOT,
    cap_effective=ROOT,
    cap_bounding=ROOT,
    cap_ambient=0,
    no_new_privs=False,
    seccomp=2,
)
DROPPED = structs.replace(
    BEGAN, uid=(33, 33, 33, 33), gid=(33, 33, 33, 33), groups=(33,), cap_permitted=0, cap_effective=0
)


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (BEGAN, ()),
        (
            DROPPED,
            (
                "uid 0 -> 33",
                "gid 0 -> 33",
                "groups none -> 33",
                "permitted and effective capabilities: dropped CAP_CHOWN, CAP_SETUID",
            ),
        ),
        (structs.replace(BEGAN, uid=(0, 33, 0, 33)), ("uid 0 -> real 0 effective 33 saved 0 fs 33",)),
        (
            structs.replace(BEGAN, no_new_privs=True, seccomp=0, cap_bounding=0),
            (
                "bounding capabilities: dropped CAP_CHOWN, CAP_SETUID",
                "no_new_privs was set",
                "there is no seccomp filter",
            ),
        ),
    ],
)
def test_each_change_is_a_sentence(now: Identity, said: tuple[str, ...]) -> None:
    assert identity_drift.drift(None, BEGAN, now) == said


def test_without_a_prediction_the_status_is_what_there_is_to_compare_with() -> None:
    decided = LinuxContainerUser(0, 0, (5, 4))
    assert identity_drift.drift(decided, None, structs.replace(BEGAN, groups=(4, 5))) == ()
    assert identity_drift.drift(decided, None, DROPPED)[:1] == ("uid 0 -> 33",)
    assert identity_drift.drift(None, None, DROPPED) == ()


def test_who_has_more_power_is_told_apart() -> None:
    assert not identity_drift.gains(None, BEGAN, DROPPED)
    assert identity_drift.gains(None, DROPPED, BEGAN)
    assert identity_drift.gains(None, BEGAN, structs.replace(BEGAN, seccomp=0))
    assert identity_drift.gains(LinuxContainerUser(7, 7), None, BEGAN)


def test_ids_are_those_inside_the_containers_namespace() -> None:
    assert identity_drift.inside(100033, ((0, 100000, 65536),)) == 33
    assert identity_drift.inside(5, ((0, 100000, 65536),)) == 65534
