"""Device nodes that a container asks for: one, all of a directory, by a link; nothing else is a device."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from podward.runtime.devices import host_devices, nodes

NULL = os.makedev(1, 3)


def test_a_device_has_the_containers_path() -> None:
    (device,) = nodes("/dev/null", "/dev/nothing")
    assert (device.path, device.type, device.major, device.minor) == ("/dev/nothing", "c", 1, 3)
    assert (device.file_mode, device.uid, device.gid) == (0o666, 0, 0)


@pytest.mark.needs("root")
def test_a_directory_is_all_its_devices(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "fifo")
    for name, kind in (("b", stat.S_IFBLK), ("deep/c", stat.S_IFCHR)):
        os.mknod(tmp_path / name, 0o600 | kind, NULL)
    found = nodes(str(tmp_path), "/dev/own")
    assert [(device.path, device.type) for device in found] == [("/dev/own/b", "b"), ("/dev/own/deep/c", "c")]
    assert [device.path for device in host_devices(str(tmp_path))] == [f"{tmp_path}/b", f"{tmp_path}/deep/c"]


def test_a_link_is_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/dev/null")
    assert [device.minor for device in nodes(str(tmp_path / "link"), "/dev/x")] == [3]


@pytest.mark.parametrize("path", ["/etc/passwd", "/nowhere"])
def test_what_is_no_device_is_none(path: str) -> None:
    assert nodes(path, "/dev/x") == ()
