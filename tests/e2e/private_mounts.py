"""A mount namespace for one test: what it mounts goes with it. A fixture, imported where it is used."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from podward.runtime import syscalls


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
