"""When a volume is walked for fsGroup; what each file gets is tested on real files (tests/runtime/volumes)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.api.core import PodSecurityContext
from podward.api.effective import Place
from podward.path import Path
from podward.policy.kubelet import fs_group

PLACE = Place("pod.yaml", Path(), Path())
GROUP = 100
FITTING = fs_group.FileFacts("directory", GROUP, 0o2770)


def _group(context: PodSecurityContext | None, root: fs_group.FileFacts, *, fresh: bool = False) -> int | None:
    return fs_group.decide(context, root, PLACE, fresh=fresh).fold(fs_group.OwnershipChange).group


def test_without_fs_group_nothing_changes() -> None:
    assert _group(None, FITTING) is None
    assert _group(PodSecurityContext(fs_group_change_policy="Always"), FITTING) is None


@pytest.mark.parametrize("policy", [None, "Always"])
def test_always_walks(policy: str | None) -> None:
    assert _group(PodSecurityContext(fs_group=GROUP, fs_group_change_policy=policy), FITTING) == GROUP


@pytest.mark.parametrize(
    ("root", "walked"),
    [
        (FITTING, False),
        (fs_group.FileFacts("directory", GROUP, 0o3777), False),  # more than needed is enough
        (fs_group.FileFacts("directory", GROUP + 1, 0o2770), True),
        (fs_group.FileFacts("directory", GROUP, 0o0770), True),  # no setgid
        (fs_group.FileFacts("directory", GROUP, 0o2750), True),
        (fs_group.FileFacts("directory", GROUP, 0o2760), True),
        (fs_group.FileFacts("other", GROUP, 0o2770), True),
    ],
)
def test_on_root_mismatch_looks_at_the_root_alone(root: fs_group.FileFacts, walked: bool) -> None:  # noqa: FBT001
    context = PodSecurityContext(fs_group=GROUP, fs_group_change_policy="OnRootMismatch")
    assert (_group(context, root) == GROUP) == walked
    assert _group(context, root, fresh=True) == GROUP, "an emptyDir knows no policy"


@given(st.sampled_from(["directory", "other"]), st.integers(0, 0o7777), st.booleans())
def test_deciding_again_changes_nothing(kind: str, mode: int, readonly: bool) -> None:  # noqa: FBT001
    first = fs_group.ownership(fs_group.FileFacts(kind, 0, mode), GROUP, readonly=readonly)
    assert first.mode is not None
    again = fs_group.ownership(fs_group.FileFacts(kind, first.gid, first.mode), GROUP, readonly=readonly)
    assert again == first
    context = PodSecurityContext(fs_group=GROUP, fs_group_change_policy="OnRootMismatch")
    skipped = fs_group.decide(context, fs_group.FileFacts(kind, GROUP, first.mode), PLACE, readonly=readonly)
    assert (skipped.fold(fs_group.OwnershipChange).group is None) == (kind == "directory")
    assert "OnRootMismatch" not in str(skipped.assignments[0].source) or kind == "directory"


def test_a_link_has_no_mode_to_change() -> None:
    assert fs_group.ownership(fs_group.FileFacts("symlink", 0, 0o777), GROUP) == fs_group.Ownership(GROUP, None)
