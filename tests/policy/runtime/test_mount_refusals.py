"""Mounts that a runtime refuses: recursive read-only ones that contradict themselves, and what can't spread."""

from __future__ import annotations

import pytest

from podward.api.cri import Mount
from podward.decision import Decision
from podward.policy.runtime.defaults import load
from podward.policy.runtime.mount_refusals import MountSource, decide
from podward.policy.runtime.runtime_profile import RuntimeProfile

SLAVE, SHARED = "PROPAGATION_HOST_TO_CONTAINER", "PROPAGATION_BIDIRECTIONAL"


def refused(
    mount: Mount, source: MountSource | None = None, runtime: str = "containerd", *, recursive_read_only: bool = True
) -> list[str]:
    profile = RuntimeProfile(load(runtime), Decision(), recursive_read_only=recursive_read_only)
    return [v.reason for v in decide((mount,), () if source is None else (source,), profile).violations]


@pytest.mark.parametrize(
    ("mount", "said"),
    [
        (
            Mount("/d", "/v", recursive_read_only=True),
            'recursive read-only mount conflicts with RW mount (hostPath="/v")',
        ),
        (
            Mount("/d", "/v", True, True, propagation=SLAVE),
            f'recursive read-only mount needs private propagation, got "{SLAVE}" (hostPath="/v")',
        ),
    ],
)
def test_recursive_read_only_that_contradicts_itself(mount: Mount, said: str) -> None:
    assert refused(mount) == [said]


def test_recursive_read_only_needs_an_oci_runtime_that_can() -> None:
    mount = Mount("/d", "/v", True, True)
    assert refused(mount) == []
    assert refused(mount, recursive_read_only=False) == [
        'runtime handler does not support recursive read-only mounts (hostPath="/v")'
    ]


@pytest.mark.parametrize(
    ("propagation", "holder", "said"),
    [
        (SLAVE, "private", "it is not a shared or slave mount"),
        (SLAVE, "slave", ""),
        (SLAVE, "shared", ""),
        (SHARED, "private", "it is not a shared mount"),
        (SHARED, "slave", "it is not a shared mount"),
        (SHARED, "shared", ""),
        ("PROPAGATION_PRIVATE", "private", ""),
    ],
)
def test_what_spreads_must_come_from_what_spreads(propagation: str, holder: str, said: str) -> None:
    mount, source = Mount("/d", "/v", propagation=propagation), MountSource(holder="/mnt", propagation=holder)
    expected = [f'path "/v" is mounted on "/mnt" but {said}'] if said else []
    assert refused(mount, source) == expected
    assert refused(mount, source, "cri-o") == expected
    assert refused(mount, source, "docker") == []


def test_without_sources_nothing_is_known_against_a_mount() -> None:
    assert refused(Mount("/d", "/v", propagation=SHARED)) == []
