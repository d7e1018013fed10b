"""A copy of a tree with the ids of a Pod's range: nothing else of it changes."""

from __future__ import annotations

import os
import stat
import struct
from pathlib import Path

import pytest

from podward.api.cri import IDMapping
from podward.errors import NodeError
from podward.runtime.rootless import shifted_copy

pytestmark = pytest.mark.needs("root")
RANGE = IDMapping(0, 1_000_000, 65536)
CAPABILITY = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Files of several kinds and owners."""
    made = tmp_path / "source"
    (made / "bin").mkdir(parents=True)
    (made / "bin/su").write_bytes(b"su")
    os.chown(made / "bin/su", 0, 7)
    os.chmod(made / "bin/su", 0o6755)  # noqa: S103
    (made / "bin/ping").write_bytes(b"ping")
    os.setxattr(made / "bin/ping", "security.capability", CAPABILITY)
    os.link(made / "bin/ping", made / "ping-too")
    os.symlink("/etc/passwd", made / "link")
    os.mkfifo(made / "pipe")
    os.chown(made / "pipe", 33, 33)
    return made


def copied(source: Path) -> Path:
    target = source.parent / "target"
    target.mkdir()
    shifted_copy.copy(str(source), str(target), RANGE)
    return target


def owner(file: Path) -> tuple[int, int]:
    facts = os.lstat(file)
    return facts.st_uid - RANGE.host_id, facts.st_gid - RANGE.host_id


def test_owners_are_in_the_range_and_all_else_stays(source: Path) -> None:
    passwd = os.lstat("/etc/passwd")
    target = copied(source)
    assert owner(target) == owner(target / "link") == owner(target / "bin/ping") == (0, 0)
    assert owner(target / "bin/su") == (0, 7)
    assert owner(target / "pipe") == (33, 33)
    assert stat.S_IMODE(os.stat(target / "bin/su").st_mode) == 0o6755
    assert os.readlink(target / "link") == "/etc/passwd"
    assert os.path.samefile(target / "bin/ping", target / "ping-too")
    assert os.lstat("/etc/passwd").st_uid == passwd.st_uid
    assert os.lstat(source / "bin/su").st_uid == 0


def test_capabilities_of_files_stay(source: Path) -> None:
    assert os.getxattr(copied(source) / "bin/ping", "security.capability") == CAPABILITY


def test_access_control_lists_name_ids_of_the_range(source: Path) -> None:
    entries = (
        (0x01, 6, 0xFFFFFFFF),
        (0x02, 4, 1000),
        (0x04, 4, 0xFFFFFFFF),
        (0x10, 4, 0xFFFFFFFF),
        (0x20, 0, 0xFFFFFFFF),
    )
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    os.setxattr(source / "bin/su", "system.posix_acl_access", acl)
    found = os.getxattr(copied(source) / "bin/su", "system.posix_acl_access")
    assert struct.unpack_from("<HHI", found, 4 + 8) == (0x02, 4, RANGE.host_id + 1000)


def test_a_source_that_is_gone_is_told(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    with pytest.raises(NodeError, match="cannot copy the image's files"):
        shifted_copy.copy(f"{tmp_path}/none", f"{tmp_path}/target", RANGE)
