"""The private mount namespace in which Pods are made ready."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
from private_mounts import private_mounts

from podward.runtime import mount_namespace, syscalls

__all__ = ["private_mounts"]


@pytest.mark.needs("root")
@pytest.mark.usefixtures("private_mounts")
def test_what_is_made_where_the_unified_hierarchy_was_is_not_left_on_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The directory below the hierarchy is the machine's: crun would leave one there for each container."""
    unified = tmp_path / "unified"
    unified.mkdir()
    syscalls.mount("hierarchy", str(unified), "tmpfs", 0, "")
    (unified / "cgroup.controllers").touch()
    monkeypatch.setattr(mount_namespace, "UNIFIED", str(unified))

    made = os.fork()
    if made == 0:
        mount_namespace.enter(hide_unified_cgroup=True)
        os.mkdir(unified / "container")
        os._exit(len(os.listdir(unified)))

    assert os.waitstatus_to_exitcode(os.waitpid(made, 0)[1]) == 1
    assert os.listdir(unified) == ["cgroup.controllers"]
    syscalls.umount2(str(unified), syscalls.MNT_DETACH)
    assert os.listdir(unified) == []


@pytest.mark.needs("root")
@pytest.mark.parametrize("may_make_devices", [True, False])
def test_nobody_becomes_the_owner_of_the_machines_null_device(
    monkeypatch: pytest.MonkeyPatch, *, may_make_devices: bool
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    if not may_make_devices:
        monkeypatch.setattr(os, "mknod", refused)
    before = os.stat(os.devnull)
    made = os.fork()
    if made == 0:
        mount_namespace.enter(hide_unified_cgroup=False)
        with contextlib.suppress(OSError):  # as crun does with a read-only one
            os.chown(os.devnull, 1234, 1234)
        os._exit(Path(os.devnull).write_bytes(b"x") - 1)

    assert os.waitstatus_to_exitcode(os.waitpid(made, 0)[1]) == 0
    after = os.stat(os.devnull)
    os.chown(os.devnull, before.st_uid, before.st_gid)
    assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)
