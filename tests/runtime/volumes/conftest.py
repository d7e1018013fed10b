"""A mount namespace for one test: what it mounts goes with it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from podward.api.cri import IDMapping
from podward.runtime import namespaces, syscalls

RANGE = IDMapping(0, 65536 * 7, 65536)


@pytest.fixture
def private_mounts() -> Iterator[None]:
    before, here = os.open("/proc/self/ns/mnt", os.O_RDONLY), os.getcwd()
    syscalls.unshare(syscalls.CLONE_NEWNS)
    try:
        syscalls.mount("", "/", "", syscalls.MS_REC | syscalls.MS_SLAVE, "")
        yield
    finally:
        syscalls.setns(before, syscalls.CLONE_NEWNS)
        os.close(before)
        os.chdir(here)


@pytest.fixture
def userns(tmp_path: Path, private_mounts: None) -> str:
    """The path of a user namespace whose ids begin at RANGE.host_id."""
    assert private_mounts is None
    made = namespaces.make(namespaces.Wanted(ipc=False, net=False, hostname="", mapping=RANGE), str(tmp_path / "ns"))
    return made["user"]
