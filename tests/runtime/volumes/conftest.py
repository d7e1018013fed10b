"""A mount namespace for one test, and a user namespace in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from private_mounts import private_mounts

from podward.api.cri import IDMapping
from podward.runtime import namespaces

__all__ = ["private_mounts"]

RANGE = IDMapping(0, 65536 * 7, 65536)


@pytest.fixture
def userns(tmp_path: Path, private_mounts: None) -> str:
    """The path of a user namespace whose ids begin at RANGE.host_id."""
    assert private_mounts is None
    made = namespaces.make(namespaces.Wanted(ipc=False, net=False, hostname="", mapping=RANGE), str(tmp_path / "ns"))
    return made["user"]
