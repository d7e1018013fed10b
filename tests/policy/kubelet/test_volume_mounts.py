"""What the kubelet makes of volumeMounts once validation has let them pass."""

from __future__ import annotations

import msgspec
import pytest

from podward.api.core import Container
from podward.api.effective import Place
from podward.decision import Decision
from podward.path import Path, path
from podward.policy.kubelet import volume_mounts

PLACE = Place("pod.yaml", Path(), path("spec", "containers", 0))
KNOWN = {"A": "a", "DIR": "x/y", "UP": "../up", "ROOT": "/etc", "EMPTY": ""}


def _container(**mount: object) -> Container:
    return msgspec.convert({"name": "c", "volumeMounts": [{"name": "v", "mountPath": "/m", **mount}]}, Container)


def _decide(**mount: object) -> Decision:
    return volume_mounts.decide(_container(**mount), {"v": False}, KNOWN, PLACE)


@pytest.mark.parametrize(
    ("expression", "path_"),
    [
        ("$(A)", "a"), ("x-$(A)-$(DIR)", "x-a-x/y"), ("$$(A)", "$(A)"), ("$(A", "$(A"), ("$A", "$A"), ("$", "$"),
        ("$$$(A)", "$a"), ("$(A)$(A)", "aa"),
    ],
)  # fmt: skip
def test_expressions_expand_from_the_environment(expression: str, path_: str) -> None:
    (mount,) = _decide(subPathExpr=expression).fold(volume_mounts.ResolvedMounts).mounts
    assert mount.sub_path == path_


@pytest.mark.parametrize(
    ("mount", "reason"),
    [
        ({"subPathExpr": "$(NO)/$(EMPTY)/$(A)"}, "missing value for EMPTY, NO"),
        ({"subPathExpr": "$(UP)"}, "unable to provision SubPath `$(UP)`: must not contain '..'"),
        ({"subPathExpr": "$(ROOT)"}, "error SubPath `$(ROOT)` must not be an absolute path"),
        ({"subPath": "a/../b"}, "unable to provision SubPath `a/../b`: must not contain '..'"),
        ({"name": "w"}, 'cannot find volume "w" to mount into container "c"'),
        ({"mountPropagation": "Sideways"}, 'invalid MountPropagation mode: "Sideways"'),
    ],
)
def test_what_only_the_kubelet_sees_is_refused(mount: dict[str, object], reason: str) -> None:
    assert [v.reason for v in _decide(**mount).violations] == [reason]


@pytest.mark.parametrize(
    ("written", "made"), [("Enabled", True), ("IfPossible", True), ("Disabled", False), (None, False)]
)
def test_recursive_read_only_is_possible_here(written: str | None, made: bool) -> None:  # noqa: FBT001
    (mount,) = _decide(readOnly=True, recursiveReadOnly=written).fold(volume_mounts.ResolvedMounts).mounts
    assert (mount.readonly, mount.recursive_read_only) == (True, made)


def test_recursive_read_only_where_the_runtime_cannot_do_it() -> None:
    def decide(written: str) -> Decision:
        wanted = _container(readOnly=True, recursiveReadOnly=written)
        return volume_mounts.decide(wanted, {"v": False}, KNOWN, PLACE, recursive_supported=False)

    (mount,) = decide("IfPossible").fold(volume_mounts.ResolvedMounts).mounts
    assert (mount.readonly, mount.recursive_read_only) == (True, False)
    (refused,) = decide("Enabled").violations
    assert refused.reason == 'volume "v" requested recursive read-only mode, but it is not supported by the runtime'
